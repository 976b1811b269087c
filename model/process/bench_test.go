//go:build unix

package process

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// timedModel is a network of 100 inputs with layers of 150 and 64, about 50
// thousand operations a row, that says how long it took by itself.
const timedModel = `
from intershap_serve import serve
import time
import numpy as np

rng = np.random.default_rng(1)
w = [rng.normal(size=s).astype("float32") / s[0] ** 0.5 for s in ((100, %[1]d), (%[1]d, 64), (64, 4))]

spent = np.zeros(%[2]d)

def predict(image, labs):
    begun, cpu = time.perf_counter(), time.thread_time()
    h = np.concatenate([image, labs], axis=1)
    for layer in w[:2]:
        h = h @ layer
        np.maximum(h, 0, out=h)
    h = h @ w[2]
    h = np.exp(h - h.max(axis=1, keepdims=True))
    h /= h.sum(axis=1, keepdims=True)
    spent[:3] = time.perf_counter() - begun, time.thread_time() - cpu, time.process_time()
    return h, spent

serve(predict, inputs={"image": "float32[N,64]", "labs": "float32[N,36]"},
      outputs={"probabilities": "float32[N,4]", "seconds": "float64[N]"})
`

// BenchmarkProcess measures batches through the pipes against the model's own
// time in the same child. own-us is the model's own time a batch and whole-us all
// of it, in microseconds, and overhead-% what comes on top; with one caller
// everything follows one after the other, with two a batch waits at the child
// while it computes. cpu-overhead-% is the same of processor time, of the child
// and of this process, which other programs on the machine do not disturb.
func BenchmarkProcess(b *testing.B) {
	needPython(b)
	for _, hidden := range []int{150, 1500} {
		for _, rows := range []int{256, 1024} {
			for _, callers := range []int{1, 2} {
				name := fmt.Sprintf("kflop=%d/rows=%d/callers=%d", 2*(100*hidden+hidden*64+64*4)/1000, rows, callers)
				b.Run(name, func(b *testing.B) { benchmark(b, hidden, rows, callers) })
			}
		}
	}
}

// spent is processor and wall time of batches.
type spent struct{ wall, cpu, child float64 }

func benchmark(b *testing.B, hidden, rows, callers int) {
	m := openPython(b, fmt.Sprintf(timedModel, hidden, rows), Options{})
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func(width int) tensor.Tensor {
		t := tensor.New(tensor.Float32, rows, width)
		for i := range tensor.Values[float32](t) {
			tensor.Values[float32](t)[i] = float32(rng.NormFloat64())
		}
		return t
	}
	in := model.Batch{{Name: "image", Tensor: draw(64)}, {Name: "labs", Tensor: draw(36)}}
	predict := func() spent {
		out, err := m.Predict(b.Context(), in)
		if err != nil {
			b.Fatal(err)
		}
		v := tensor.Values[float64](out[1].Tensor)
		return spent{v[0], v[1], v[2]}
	}
	const warm = 20
	for range warm {
		predict()
	}
	b.ReportAllocs()
	b.SetBytes(int64(rows) * 400)
	var (
		mu   sync.Mutex
		own  spent
		left = b.N
		all  sync.WaitGroup
	)
	childBefore, selfBefore := predict().child, selfCPU(b)
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			for {
				mu.Lock()
				more := left > 0
				left--
				mu.Unlock()
				if !more {
					return
				}
				s := predict()
				mu.Lock()
				own.wall += s.wall
				own.cpu += s.cpu
				mu.Unlock()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	whole, self := b.Elapsed().Seconds(), selfCPU(b)-selfBefore
	child := predict().child - childBefore
	b.ReportMetric(1e6*own.wall/float64(b.N), "own-us")
	b.ReportMetric(1e6*whole/float64(b.N), "whole-us")
	b.ReportMetric(100*(whole/own.wall-1), "overhead-%")
	b.ReportMetric(100*((child+self)/own.cpu-1), "cpu-overhead-%")
	b.ReportMetric(100*(child/own.cpu-1), "child-cpu-overhead-%")
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
			var room []byte
			for b.Loop() {
				var err error
				if room, err = encodeBatch(room, in); err != nil {
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
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decodeOutputs(frame[headerBytes:], sig, rows); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
