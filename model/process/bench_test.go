//go:build unix

package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// timedModel serves a model of 100 inputs and four classes, and writes to standard
// error how long it took by itself, in seconds a batch: by the clock, of processor
// time, and of processor time of the whole process from batch to batch.
const timedModel = `
from intershap_serve import serve
import json, sys, time
%s

class Time:
    calls = wall = cpu = first = last = 0

def predict(image, labs):
    begun, cpu = time.perf_counter(), time.thread_time()
    answer = forward(image, labs)
    wall, cpu = time.perf_counter() - begun, time.thread_time() - cpu
    Time.calls += 1
    Time.last = time.process_time()
    if Time.calls == %d:
        Time.first = Time.last
    elif Time.calls > %d:
        Time.wall += wall
        Time.cpu += cpu
    return answer

serve(predict, inputs={"image": "float32[N,64]", "labs": "float32[N,36]"}, outputs={"probabilities": "%s[N,4]"})
if Time.calls > %d:
    n = Time.calls - %d
    print(json.dumps({"wall": Time.wall / n, "cpu": Time.cpu / n, "child": (Time.last - Time.first) / n}), file=sys.stderr)
`

// warm is how many batches are not counted.
const warm = 20

// A timed model has layers of the widths 100, hidden, 64 and 4.
type timed struct {
	hidden  int
	modules []string
	dtype   string // of its output
	code    string // of its function forward
}

// operations is how many a row takes, in thousands.
func (m timed) operations() int { return 2 * (100*m.hidden + m.hidden*64 + 64*4) / 1000 }

func timedNumPy(hidden int) timed {
	return timed{hidden, nil, "float32", fmt.Sprintf(`
import numpy as np
rng = np.random.default_rng(1)
w = [rng.normal(size=s).astype("float32") / s[0] ** 0.5 for s in ((100, %[1]d), (%[1]d, 64), (64, 4))]

def forward(image, labs):
    h = np.concatenate([image, labs], axis=1)
    for layer in w[:2]:
        h = h @ layer
        np.maximum(h, 0, out=h)
    h = h @ w[2]
    h = np.exp(h - h.max(axis=1, keepdims=True))
    h /= h.sum(axis=1, keepdims=True)
    return h
`, hidden)}
}

func timedTorch(hidden int) timed {
	return timed{hidden, []string{"torch"}, "float32", fmt.Sprintf(`
import torch
from torch import nn
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(100, %[1]d), nn.ReLU(), nn.Linear(%[1]d, 64), nn.ReLU(), nn.Linear(64, 4), nn.Softmax(dim=1)).eval()

def forward(image, labs):
    with torch.no_grad():
        return net(torch.cat([torch.from_numpy(image), torch.from_numpy(labs)], dim=1))
`, hidden)}
}

func timedSklearn(hidden int) timed {
	return timed{hidden, []string{"sklearn"}, "float64", fmt.Sprintf(`
import warnings
import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
warnings.simplefilter("ignore")
rng = np.random.default_rng(1)
net = make_pipeline(StandardScaler(), MLPClassifier((%d, 64), max_iter=1, random_state=1))
net.fit(rng.normal(size=(200, 100)), rng.integers(4, size=200))

def forward(image, labs):
    return net.predict_proba(np.hstack([image, labs]))
`, hidden)}
}

// BenchmarkProcess measures batches through the pipes against the model's own
// time in the same child. own-us is the model's own time a batch and whole-us all
// of it, in microseconds, and overhead-% what comes on top; with one caller
// everything follows one after the other, with two a batch waits at the child
// while it computes. cpu-overhead-% is the same of processor time, of the child
// and of this process, which other programs on the machine do not disturb, and
// child-cpu-overhead-% of the child alone.
func BenchmarkProcess(b *testing.B) {
	for _, hidden := range []int{150, 1500} {
		for _, rows := range []int{256, 1024} {
			for _, callers := range []int{1, 2} {
				m := timedNumPy(hidden)
				b.Run(fmt.Sprintf("kflop=%d/rows=%d/callers=%d", m.operations(), rows, callers), func(b *testing.B) { benchmark(b, m, rows, callers) })
			}
		}
	}
}

// BenchmarkLibraries is BenchmarkProcess with two callers for the same network in
// other libraries.
func BenchmarkLibraries(b *testing.B) {
	for _, rows := range []int{256, 1024} {
		b.Run(fmt.Sprintf("numpy/rows=%d", rows), func(b *testing.B) { benchmark(b, timedNumPy(150), rows, 2) })
		b.Run(fmt.Sprintf("torch/rows=%d", rows), func(b *testing.B) { benchmark(b, timedTorch(150), rows, 2) })
		b.Run(fmt.Sprintf("sklearn/rows=%d", rows), func(b *testing.B) { benchmark(b, timedSklearn(150), rows, 2) })
	}
}

func benchmark(b *testing.B, timed timed, rows, callers int) {
	needPython(b, timed.modules...)
	var told bytes.Buffer
	m := openPython(b, fmt.Sprintf(timedModel, timed.code, warm, warm, timed.dtype, warm, warm), Options{Stderr: &told})
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func(width int) tensor.Tensor {
		t := tensor.New(tensor.Float32, rows, width)
		for i := range tensor.Values[float32](t) {
			tensor.Values[float32](t)[i] = float32(rng.NormFloat64())
		}
		return t
	}
	in := model.Batch{{Name: "image", Tensor: draw(64)}, {Name: "labs", Tensor: draw(36)}}
	predict := func() {
		if _, err := m.Predict(b.Context(), in); err != nil {
			b.Error(err)
		}
	}
	for range warm {
		predict()
	}
	b.ReportAllocs()
	b.SetBytes(int64(rows) * 400)
	var (
		left atomic.Int64
		all  sync.WaitGroup
	)
	left.Store(int64(b.N))
	before := selfCPU(b)
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				predict()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	whole, self := b.Elapsed().Seconds()/float64(b.N), (selfCPU(b)-before)/float64(b.N)
	if err := m.Close(); err != nil {
		b.Fatal(err)
	}
	var own struct{ Wall, CPU, Child float64 } // seconds a batch
	if err := json.Unmarshal(told.Bytes(), &own); err != nil {
		b.Fatalf("%v in %q", err, &told)
	}
	b.ReportMetric(1e6*own.Wall, "own-us")
	b.ReportMetric(1e6*whole, "whole-us")
	b.ReportMetric(100*(whole/own.Wall-1), "overhead-%")
	b.ReportMetric(100*((own.Child+self)/own.CPU-1), "cpu-overhead-%")
	b.ReportMetric(100*(own.Child/own.CPU-1), "child-cpu-overhead-%")
	b.ReportMetric(0, "ns/op")
}

// selfCPU returns the processor time of this process, in seconds.
func selfCPU(b *testing.B) float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()).Seconds()
}

// BenchmarkEncode and BenchmarkDecode are this side's share of a batch.
func BenchmarkEncode(b *testing.B) {
	for _, rows := range []int{256, 1024} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			in := model.Batch{{Name: "image", Tensor: tensor.New(tensor.Float32, rows, 64)}, {Name: "labs", Tensor: tensor.New(tensor.Float32, rows, 36)}}
			b.ReportAllocs()
			b.SetBytes(int64(rows) * 400)
			var f batchFrame
			for b.Loop() {
				if err := f.set(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, rows := range []int{256, 1024} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			out := model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float32, rows, 4)}}
			frame, err := encodeBatch(nil, out)
			if err != nil {
				b.Fatal(err)
			}
			sig := model.Signature{Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float32, Shape: []int{-1, 4}}}}
			m := &Model{sig: sig}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.read(frame[headerBytes:], rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
