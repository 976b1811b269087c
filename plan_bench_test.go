//go:build cgo

package intershap_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// BenchmarkPlan reports the seconds of a run by the plain way and in parts, from
// the same two workers in one process, and how many times faster the parts are.
// Each is the best of the turns.
func BenchmarkPlan(b *testing.B) {
	for _, sizes := range [][]int{{110, 90}, {110, 90, 100}, {110, 90, 100, 110}} {
		b.Run(fmt.Sprintf("dense/M=%d", len(sizes)), func(b *testing.B) {
			path, rows := denseModel(b, sizes)
			benchmarkPlans(b, path, rows(1, 1000), rows(2, 100), intershap.AllRows)
		})
	}
	for _, c := range []struct {
		model         string
		samples, rows int
	}{
		{"mfeat/model_early.onnx", 400, 100},
		{"mfeat/model_intermediate.onnx", 400, 100},
		{"mfeat/model_late.onnx", 400, 100},
		{"mfeat_image/model_conv.onnx", 400, 100},
		{"icu_mortality/model_gru.onnx", 400, 100},
		{"av_digits_parity/model_crossattn.onnx", 400, 100},
	} {
		b.Run(caseName(c.model), func(b *testing.B) {
			path := filepath.Join(sharedData(b), filepath.FromSlash(c.model))
			dir := filepath.Dir(path)
			samples := openData(b, filepath.Join(dir, "test.npz"))
			benchmarkPlans(b, path, head(b, samples, min(c.samples, samples.Len())), openData(b, filepath.Join(dir, "train.npz")), c.rows)
		})
	}
}

func benchmarkPlans(b *testing.B, path string, samples, background dataset.File, rows int) {
	b.Helper()
	m := openModel(b, path, "logits")
	best := map[intershap.PlanKind]float64{}
	kinds := []intershap.PlanKind{intershap.FullPlan, intershap.StagedPlan}
	var plans []*intershap.Plan
	for _, kind := range kinds {
		plans = append(plans, newBenchPlan(b, m, samples, background, rows, kind))
		best[kind] = math.Inf(1)
	}
	for range b.N {
		for i, kind := range kinds {
			ex, err := plans[i].Explain(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			best[kind] = min(best[kind], ex.Cost.Seconds)
		}
	}
	full, staged := best[intershap.FullPlan], best[intershap.StagedPlan]
	b.ReportMetric(0, "ns/op") // mixes both
	b.ReportMetric(full, "full-s")
	b.ReportMetric(staged, "staged-s")
	b.ReportMetric(full/staged, "speedup")
	b.ReportMetric(float64(plans[0].Engine().NaiveRows())/staged/1e6, "Mrows/s")
}

// BenchmarkGrowth reports how the seconds of a run in parts grow with samples N,
// background rows B and modalities M, each varied alone.
func BenchmarkGrowth(b *testing.B) {
	const n, rows, m = 1000, 100, 3
	grow := func(n, rows, m int) {
		b.Run(fmt.Sprintf("N=%d/B=%d/M=%d", n, rows, m), func(b *testing.B) {
			path, draw := denseModel(b, slices.Repeat([]int{50}, m))
			plan := newBenchPlan(b, openModel(b, path, "logits"), draw(1, n), draw(2, rows), intershap.AllRows, intershap.StagedPlan)
			best := math.Inf(1)
			for range b.N {
				ex, err := plan.Explain(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				best = min(best, ex.Cost.Seconds)
			}
			b.ReportMetric(0, "ns/op") // holds what is not counted
			b.ReportMetric(best, "staged-s")
			b.ReportMetric(best/float64(plan.Engine().NaiveRows())*1e9, "ns/row")
		})
	}
	for _, n := range []int{500, 1000, 2000, 4000, 8000} {
		grow(n, rows, m)
	}
	for _, rows := range []int{50, 200, 400, 800} {
		grow(n, rows, m)
	}
	for m := 2; m <= 7; m++ {
		grow(n, rows, m)
	}
}

// benchWorkers is the number of workers of a benchmark.
const benchWorkers = 2

func newBenchPlan(b *testing.B, m *onnx.Model, samples, background dataset.File, rows int, kind intershap.PlanKind) *intershap.Plan {
	b.Helper()
	plan, err := intershap.NewPlan(b.Context(), m, samples, background, intershap.Options{
		Output: "logits", BackgroundSize: rows, Workers: benchWorkers, Plan: kind, Sink: intershap.Discard,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { plan.Close() })
	// As the command does: the reader and the scores need a place while workers are
	// in native code.
	before := runtime.GOMAXPROCS(benchWorkers + 2)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
	return plan
}

// denseModel writes an early fusion of modalities of the given sizes, with layers
// of in/2 and in/4, and returns what makes rows for it.
func denseModel(b *testing.B, sizes []int) (path string, rows func(seed uint64, n int) dataset.File) {
	b.Helper()
	const opset, classes = 17, 2
	g := graphtest.NewBuilder(opset, 1)
	like := func(width int) graphtest.Value {
		return graphtest.Value{DType: tensor.Float32, Shape: []int{-1, width}}
	}
	var inputs []graphtest.Value
	in := 0
	for i, size := range sizes {
		inputs = append(inputs, g.Input(fmt.Sprintf("m%d", i+1), tensor.Float32, size))
		in += size
	}
	dense := func(x graphtest.Value, from, to int) graphtest.Value {
		return g.Node("Gemm", like(to), []graphtest.Value{x, g.Random(tensor.Float32, 1/math.Sqrt(float64(from)), from, to), g.Random(tensor.Float32, 1, to)})
	}
	relu := func(x graphtest.Value) graphtest.Value { return g.Node("Relu", x, []graphtest.Value{x}) }
	h := g.Node("Concat", like(in), inputs, graphtest.Int("axis", 1))
	h = relu(dense(h, in, in/2))
	h = relu(dense(h, in/2, in/4))
	g.Output("logits", dense(h, in/4, classes))
	path = filepath.Join(b.TempDir(), "model.onnx")
	if err := os.WriteFile(path, g.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	return path, func(seed uint64, n int) dataset.File {
		rng := rand.New(rand.NewPCG(seed, 1))
		var arrays []dataset.Array
		for i, size := range sizes {
			values := make([]float32, n*size)
			for k := range values {
				values[k] = float32(rng.NormFloat64())
			}
			arrays = append(arrays, dataset.Array{Name: inputs[i].Name, Tensor: tensor.Of(values, n, size)})
		}
		f, err := dataset.FromArrays(arrays...)
		if err != nil {
			b.Fatal(err)
		}
		return f
	}
}
