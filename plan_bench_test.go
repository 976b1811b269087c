//go:build cgo

package intershap_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
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
	const workers = 2
	// As the command does: the reader and the scores need a place while workers are
	// in native code.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers + 2))
	best := map[intershap.PlanKind]float64{}
	kinds := []intershap.PlanKind{intershap.FullPlan, intershap.StagedPlan}
	var plans []*intershap.Plan
	for _, kind := range kinds {
		plan, err := intershap.NewPlan(b.Context(), m, samples, background, intershap.Options{
			Output: "logits", BackgroundSize: rows, Workers: workers, Plan: kind, Sink: intershap.Discard,
		})
		if err != nil {
			b.Fatal(err)
		}
		defer plan.Close()
		plans = append(plans, plan)
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
