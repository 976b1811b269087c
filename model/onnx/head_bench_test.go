//go:build cgo

package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// BenchmarkHead reports the multiply-adds a second of the last part of an early
// fusion (width H, then H/2, then 2 classes), and their ratio to those of one large
// matrix product in the same process.
func BenchmarkHead(b *testing.B) {
	for _, h := range []int{64, 128, 256, 512, 1024} {
		for _, rows := range []int{256, 1024, 2048} {
			b.Run(fmt.Sprintf("H=%d/rows=%d", h, rows), func(b *testing.B) { benchmarkHead(b, h, rows) })
		}
	}
}

func benchmarkHead(b *testing.B, h, rows int) {
	const players, width, n = 2, 10, 16
	g := graphtest.NewBuilder(17, 1)
	var inputs []graphtest.Value
	var modalities []dataset.Modality
	var data []tensor.Tensor
	for i := range players {
		name := fmt.Sprintf("m%d", i)
		inputs = append(inputs, g.Input(name, tensor.Float32, width))
		modalities = append(modalities, dataset.Modality{Name: name, Parts: []dataset.Part{{Input: i, Lo: 0, Hi: width}}})
		values := make([]float32, n*width)
		for k := range values {
			values[k] = float32(math.Sin(float64(k + i)))
		}
		data = append(data, tensor.Of(values, n, width))
	}
	dense := func(x graphtest.Value, in, out int) graphtest.Value {
		return g.Node("Gemm", floats32(out), []graphtest.Value{x, g.Random(tensor.Float32, 1/math.Sqrt(float64(in)), in, out), g.Random(tensor.Float32, 1, out)})
	}
	relu := func(x graphtest.Value, width int) graphtest.Value {
		return g.Node("Relu", floats32(width), []graphtest.Value{x})
	}
	joined := g.Node("Concat", floats32(players*width), inputs, graphtest.Int("axis", 1))
	y := dense(relu(dense(relu(dense(joined, players*width, h), h), h, h/2), h/2), h/2, 2)
	g.Output("probabilities", g.Node("Softmax", floats32(2), []graphtest.Value{y}, graphtest.Int("axis", 1)))
	path := filepath.Join(b.TempDir(), "model.onnx")
	if err := os.WriteFile(path, g.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	m, err := Open(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	tr := &trial{m: m}
	tr.q = model.Question{Leaves: leavesOf(m.inputs, data, modalities), Output: "probabilities", Width: 2, Transform: "identity", Rows: tr.batch(data)}
	s, err := m.Stage(b.Context(), tr.q)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	last := s.Parts[len(s.Parts)-1]
	var grid model.Batch
	for i, name := range last.Inputs {
		shape := []int{n, 1, h}
		if i%2 == 1 {
			shape = []int{1, rows / n, h}
		}
		grid = append(grid, model.Named{Name: name, Tensor: tensor.New(tensor.Float32, shape...)})
	}
	calls := max(1, int(2e9/(float64(last.MACs)*float64(rows))))
	best, product := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range b.N {
		start := time.Now()
		for range calls {
			if _, err := last.Grid.(model.Summer).SumRows(b.Context(), grid, []int{rows / n}); err != nil {
				b.Fatal(err)
			}
		}
		best = min(best, time.Since(start))
		product = min(product, largeProduct(b))
	}
	ours := float64(last.MACs) * float64(rows*calls) / best.Seconds()
	theirs := float64(productSide*productSide*productSide) / product.Seconds()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours/1e9, "GMAC/s")
	b.ReportMetric(theirs/1e9, "product-GMAC/s")
	b.ReportMetric(ours/theirs, "ratio")
	b.ReportMetric(float64(rows*calls)/best.Seconds()/1e6, "Mrows/s")
}

const productSide = 1024

var product1024 *Model

// largeProduct multiplies two large matrices, one of them constant as the weights
// of a layer are, and returns the time.
func largeProduct(b *testing.B) time.Duration {
	b.Helper()
	if product1024 == nil {
		g := graphtest.NewBuilder(17, 2)
		x := g.Input("x", tensor.Float32, productSide)
		g.Output("y", g.Node("MatMul", floats32(productSide), []graphtest.Value{x, g.Random(tensor.Float32, 1, productSide, productSide)}))
		path := filepath.Join(b.TempDir(), "product.onnx")
		if err := os.WriteFile(path, g.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
		var err error
		if product1024, err = Open(path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	x := model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, productSide, productSide)}}
	start := time.Now()
	if _, err := product1024.Predict(b.Context(), x); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
