//go:build cgo

package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// twoModalities is a model whose head is not linear, with an output of three
// classes.
func twoModalities(t *testing.T) (*Model, []dataset.Modality) {
	t.Helper()
	b := graphtest.NewBuilder(17, 1)
	x, y := b.Input("x", tensor.Float32, 4), b.Input("y", tensor.Float32, 3)
	h := b.Node("Concat", graphtest.Value{DType: tensor.Float32, Shape: []int{-1, 7}}, []graphtest.Value{x, y}, graphtest.Int("axis", 1))
	like := func(width int) graphtest.Value {
		return graphtest.Value{DType: tensor.Float32, Shape: []int{-1, width}}
	}
	h = b.Node("Gemm", like(5), []graphtest.Value{h, b.Random(tensor.Float32, 1, 7, 5), b.Random(tensor.Float32, 1, 5)})
	h = b.Node("Tanh", like(5), []graphtest.Value{h})
	h = b.Node("Gemm", like(3), []graphtest.Value{h, b.Random(tensor.Float32, 1, 5, 3), b.Random(tensor.Float32, 1, 3)})
	b.Output("logits", h)
	b.Output("probabilities", b.Node("Softmax", like(3), []graphtest.Value{h}, graphtest.Int("axis", 1)))
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return openPath(t, path), []dataset.Modality{
		{Name: "x", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 4}}},
		{Name: "y", Parts: []dataset.Part{{Input: 1, Lo: 0, Hi: 3}}},
	}
}

// twoSided cuts the model and returns its last part, and a grid of n samples of x
// by b background rows of y.
func twoSided(t *testing.T, output, transform string, n, b int) (model.Summer, func(n, b int) model.Batch) {
	t.Helper()
	m, modalities := twoModalities(t)
	draw := func(seed uint64, rows, width int) tensor.Tensor {
		values := make([]float32, rows*width)
		for i := range values {
			values[i] = float32(math.Sin(float64(seed) + 1.7*float64(i)))
		}
		return tensor.Of(values, rows, width)
	}
	x, y := draw(1, max(n, b), 4), draw(2, max(n, b), 3)
	tr := newTrial(t, m, output, []tensor.Tensor{x, y}, []tensor.Tensor{x, y}, modalities)
	tr.q.Transform = transform
	s, err := m.Stage(t.Context(), tr.q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	last := s.Parts[len(s.Parts)-1]
	summer, ok := last.Grid.(model.Summer)
	if !ok {
		t.Fatalf("the last part of %d adds nothing up", len(s.Parts))
	}
	return summer, func(n, b int) model.Batch {
		var in model.Batch
		for i, leaf := range []tensor.Tensor{x.Slice(0, n).Reshape(n, 1, 4), y.Slice(0, b).Reshape(1, b, 3)} {
			out, err := s.Parts[i].Grid.Evaluate(t.Context(), model.Batch{{Name: []string{"x", "y"}[i], Tensor: leaf}})
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, out...)
		}
		return in
	}
}

func TestSums(t *testing.T) {
	const width = 3
	for _, test := range []struct {
		n, b              int
		blocks            []int
		output, transform string
	}{
		{16, 8, []int{8}, "logits", "softmax"},
		{5, 6, []int{2, 2, 2}, "logits", "softmax"},             // the batch is filled up
		{1, 7, []int{1, 1, 1, 1, 1, 1, 1}, "logits", "centred"}, // one sample, blocks of one row
		{3, 12, []int{5, 7}, "logits", "sigmoid"},               // one output at a time
		{7, 4, []int{1, 1, 1, 1}, "probabilities", "log"},
		{2, 10, []int{1, 2, 3, 4}, "probabilities", "logit"},
		{3, 9, []int{4, 5}, "probabilities", "centred-log"},
		{33, 1, []int{1}, "logits", "softmax"},
		{4, 4, []int{2, 2}, "probabilities", "identity"},
	} {
		t.Run(fmt.Sprintf("%s/%s/n=%d/b=%d/blocks=%v", test.output, test.transform, test.n, test.b, test.blocks), func(t *testing.T) {
			summer, grid := twoSided(t, test.output, test.transform, test.n, test.b)
			in := grid(test.n, test.b)
			out, err := summer.Evaluate(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			rows := make([]float64, test.n*test.b*width)
			out[0].Tensor.Float64s(rows)
			transform, err := engine.ParseTransform(test.transform)
			if err != nil {
				t.Fatal(err)
			}
			perBlock, perRow := make([]float64, test.n*len(test.blocks)*width), make([]float64, test.b*width)
			var blockOf []int
			for k, length := range test.blocks {
				blockOf = append(blockOf, slices.Repeat([]int{k}, length)...)
			}
			for r := range test.n * test.b {
				i, k := r/test.b, r%test.b
				row := rows[r*width : (r+1)*width]
				transform.Apply(row)
				for c, y := range row {
					perBlock[(i*len(test.blocks)+blockOf[k])*width+c] += y
					perRow[k*width+c] += y
				}
			}
			sums, err := summer.SumRows(t.Context(), in, test.blocks)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameSums(sums, perBlock, []int{test.n, len(test.blocks), width}); err != nil {
				t.Errorf("over background rows: %v", err)
			}
			if sums, err = summer.SumSamples(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if err := sameSums(sums, perRow, []int{test.b, width}); err != nil {
				t.Errorf("over samples: %v", err)
			}
			// The comparison finds a sum that is off by a hundred-thousandth.
			perRow[0] += 1e-5
			if sameSums(sums, perRow, []int{test.b, width}) == nil {
				t.Error("a wrong sum passes")
			}
		})
	}
}

func sameSums(got model.Sums, want []float64, shape []int) error {
	if !slices.Equal(got.Shape, shape) || len(got.High) != len(want) || len(got.Low) != len(want) {
		return fmt.Errorf("shape %v with %d and %d sums, want %v", got.Shape, len(got.High), len(got.Low), shape)
	}
	for i, w := range want {
		if s := got.High[i] + got.Low[i]; !(math.Abs(s-w) <= 1e-10*max(1, math.Abs(w))) {
			return fmt.Errorf("sum %d is %v, want %v", i, s, w)
		}
	}
	return nil
}

// TestSumsAreExact holds what makes an ignored modality exactly zero: equal rows
// add up to equal bits wherever they lie in a grid, and the mean of equal numbers
// is that number.
func TestSumsAreExact(t *testing.T) {
	const n, b = 19, 23
	for _, transform := range []string{"identity", "softmax"} {
		summer, grid := twoSided(t, "logits", transform, n, b)
		whole, err := summer.SumRows(t.Context(), grid(n, b), []int{b})
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{1, 2, 16} {
			// A grid of fewer samples, with the same background.
			part, err := summer.SumRows(t.Context(), grid(rows, b), []int{b})
			if err != nil {
				t.Fatal(err)
			}
			for i := range part.High {
				if part.High[i] != whole.High[i] || part.Low[i] != whole.Low[i] {
					t.Fatalf("%s: sum %d of %d samples is %v + %v, of %d samples %v + %v", transform, i, rows,
						part.High[i], part.Low[i], n, whole.High[i], whole.Low[i])
				}
			}
		}
		// The same background row b times.
		in := grid(n, 1)
		one, err := summer.SumRows(t.Context(), in, []int{1})
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			if x := in[i].Tensor; x.Rows() == 1 {
				many := tensor.New(x.DType(), append([]int{1, b}, x.Shape()[2:]...)...)
				for k := range b {
					many.CopyElements(k*x.Len(), x, 0, x.Len())
				}
				in[i].Tensor = many
			}
		}
		repeated, err := summer.SumRows(t.Context(), in, []int{b})
		if err != nil {
			t.Fatal(err)
		}
		for i := range one.High {
			if got, want := repeated.High[i]+repeated.Low[i], b*(one.High[i]+one.Low[i]); got != want {
				t.Errorf("%s: %d times the same row gives %v, want %v", transform, b, got, want)
			}
		}
	}
}

func TestSumsNotFinite(t *testing.T) {
	summer, grid := twoSided(t, "logits", "sigmoid", 3, 4)
	in := grid(3, 4)
	x := in[0].Tensor
	tensor.Values[float32](x)[x.Len()/3] = float32(math.Inf(1)) // of sample 1
	sums, err := summer.SumRows(t.Context(), in, []int{2, 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sums.High {
		// Tanh makes 1 of infinity, so that nothing is wrong; NaN stays NaN.
		if math.IsNaN(s) {
			t.Errorf("sum %d is %v", i, s)
		}
	}
	tensor.Values[float32](x)[x.Len()/3] = float32(math.NaN())
	if sums, err = summer.SumRows(t.Context(), in, []int{2, 2}); err != nil {
		t.Fatal(err)
	}
	for i, s := range sums.High {
		if sample := i / 6; math.IsNaN(s) != (sample == 1) {
			t.Errorf("sum %d, of sample %d, is %v", i, sample, s)
		}
	}
	if _, err := summer.SumRows(t.Context(), in, []int{1, 2}); err == nil {
		t.Error("blocks of 3 rows pass for 4 background rows")
	}
}
