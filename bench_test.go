//go:build cgo

package intershap_test

import (
	"math"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// BenchmarkExplain reports model rows a second of an evaluation the plain way,
// reading and scoring included and the hashing of files left out, and its ratio to
// the runtime's own rate: the same number of calls of the same batch by the same
// workers, in the same process, by the binding alone.
func BenchmarkExplain(b *testing.B) {
	for _, c := range []struct {
		model         string
		samples, rows int
	}{
		{"icu_mortality/model_gru.onnx", 400, 100},
		{"icu_mortality/model_intermediate.onnx", 800, 100},
		{"mfeat_image/model_conv.onnx", 400, 100},
		{"av_digits_parity/model_crossattn.onnx", 400, 100},
		{"bmmc_cite/model_early.onnx", 279, 1000},
		{"breast_tcga/model_intermediate.onnx", 45, 1000},
		{"mfeat/model_early.onnx", 50, 100},
	} {
		b.Run(caseName(c.model), func(b *testing.B) {
			path := filepath.Join(sharedData(b), filepath.FromSlash(c.model))
			dir := filepath.Dir(path)
			m := openModel(b, path, "logits")
			samples := head(b, openData(b, filepath.Join(dir, "test.npz")), c.samples)
			rows := openData(b, filepath.Join(dir, "train.npz"))
			const workers = 2
			// As the command does: the reader and the scores need a place while
			// workers are in native code.
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers + 2))
			// The plan is made once; a run is what scales.
			plan, err := intershap.NewPlan(b.Context(), m, samples, rows, intershap.Options{
				Output: "logits", BackgroundSize: c.rows, Workers: workers, Plan: intershap.FullPlan, Sink: intershap.Discard,
			})
			if err != nil {
				b.Fatal(err)
			}
			// The best of several turns: whatever else the machine does only
			// adds time.
			ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
			for range b.N {
				ex, err := plan.Explain(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				ours = min(ours, time.Duration(ex.Cost.Seconds*float64(time.Second)))
				theirs = min(theirs, bare(b, path, plan, samples, workers))
			}
			n := float64(plan.Engine().Rows())
			b.ReportMetric(0, "ns/op") // mixes both
			b.ReportMetric(n/ours.Seconds(), "rows/s")
			b.ReportMetric(n/theirs.Seconds(), "runtime-rows/s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// bare runs as many rows as the plan through the binding alone, in batches of
// different real rows that were made beforehand, and returns the time.
func bare(b *testing.B, path string, plan *intershap.Plan, samples dataset.File, workers int) time.Duration {
	b.Helper()
	options, err := ort.NewSessionOptions()
	if err != nil {
		b.Fatal(err)
	}
	defer options.Destroy()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, in := range plan.Inputs() {
		names = append(names, in.Name)
	}
	session, err := ort.NewDynamicAdvancedSession(path, names, []string{plan.Output()}, options)
	if err != nil {
		b.Fatal(err)
	}
	defer session.Destroy()
	const batches = 32
	var inputs [batches][]ort.Value
	for i := range inputs {
		inputs[i] = batchOf(b, samples, plan, i)
		defer func() {
			for _, v := range inputs[i] {
				v.Destroy()
			}
		}()
	}
	batch := int64(plan.Engine().BatchRows())
	calls := (plan.Engine().Rows() + batch - 1) / batch
	start := time.Now()
	var wait sync.WaitGroup
	for w := range int64(workers) {
		wait.Go(func() {
			for call := w; call < calls; call += int64(workers) {
				outputs := []ort.Value{nil}
				if err := session.Run(inputs[call%batches], outputs); err != nil {
					b.Error(err)
					return
				}
				outputs[0].Destroy()
			}
		})
	}
	wait.Wait()
	return time.Since(start)
}

// batchOf makes one batch of rows that mix samples as a run does: each input is
// another sample's.
func batchOf(b *testing.B, samples dataset.File, plan *intershap.Plan, number int) []ort.Value {
	b.Helper()
	bound, err := dataset.Bind(b.Context(), samples, plan.Inputs(), dataset.BindOptions{Role: "data"})
	if err != nil {
		b.Fatal(err)
	}
	var out []ort.Value
	for i := range plan.Inputs() {
		var order []int
		for r := range plan.Engine().BatchRows() {
			order = append(order, ((i+1)*r+number)%samples.Len())
		}
		rows, err := bound.Gather(b.Context(), order)
		if err != nil {
			b.Fatal(err)
		}
		t := rows.Inputs[i]
		shape := make([]int64, len(t.Shape()))
		for d, n := range t.Shape() {
			shape[d] = int64(n)
		}
		v, err := ort.NewTensor(shape, tensor.Values[float32](t))
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}
