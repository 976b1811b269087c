//go:build cgo

package onnx

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// floats32 is a float32 value of the given shape.
func floats32(shape ...int) graphtest.Value {
	return graphtest.Value{DType: tensor.Float32, Shape: append([]int{-1}, shape...)}
}

// cutOf cuts a model that build makes from inputs x and y of 4 columns each, and
// checks that the parts compute what it computes.
func cutOf(t *testing.T, modalities []dataset.Modality, build func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value) (*model.Stages, error) {
	t.Helper()
	b := graphtest.NewBuilder(17, 1)
	x, y := b.Input("x", tensor.Float32, 4), b.Input("y", tensor.Float32, 4)
	b.Output("value", build(b, x, y))
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	m := openPath(t, path)
	side := func(seed float32) []tensor.Tensor {
		var out []tensor.Tensor
		for range 2 {
			values := make([]float32, 6*4)
			for i := range values {
				seed = seed*1.37 - float32(int(seed*1.37)) + 0.11
				values[i] = 4*seed - 2
			}
			out = append(out, tensor.Of(values, 6, 4))
		}
		return out
	}
	tr := newTrial(t, m, "value", side(0.3), side(0.7), modalities)
	s, err := m.Stage(t.Context(), tr.q)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := tr.compare(t, s, 1e-5); err != nil {
		t.Error(err)
	}
	return s, nil
}

var xAndY = []dataset.Modality{
	{Name: "x", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 4}}},
	{Name: "y", Parts: []dataset.Part{{Input: 1, Lo: 0, Hi: 4}}},
}

// handedOn lists what each part hands on as players and elements of a row.
func handedOn(s *model.Stages) [][]int {
	var out [][]int
	for _, p := range s.Parts {
		entry := slices.Clone(p.Players)
		for _, o := range p.Outputs {
			entry = append(entry, product(o.Shape[1:]))
		}
		out = append(out, entry)
	}
	return out
}

func TestCut(t *testing.T) {
	type graph = func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value
	concat := func(b *graphtest.Builder, width int, parts ...graphtest.Value) graphtest.Value {
		return b.Node("Concat", floats32(width), parts, graphtest.Int("axis", 1))
	}
	dense := func(b *graphtest.Builder, x graphtest.Value, in, out int) graphtest.Value {
		return b.Node("Gemm", floats32(out), []graphtest.Value{x, b.Random(tensor.Float32, 1, in, out), b.Random(tensor.Float32, 1, out)})
	}
	act := func(b *graphtest.Builder, x graphtest.Value, width int) graphtest.Value {
		return b.Node("Tanh", floats32(width), []graphtest.Value{x})
	}
	slices2 := []dataset.Modality{
		{Name: "front", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 3}}},
		{Name: "back", Parts: []dataset.Part{{Input: 0, Lo: 3, Hi: 4}, {Input: 1, Lo: 0, Hi: 4}}},
	}
	quarters := []dataset.Modality{
		{Name: "x front", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 2}}}, {Name: "x back", Parts: []dataset.Part{{Input: 0, Lo: 2, Hi: 4}}},
		{Name: "y front", Parts: []dataset.Part{{Input: 1, Lo: 0, Hi: 2}}}, {Name: "y back", Parts: []dataset.Part{{Input: 1, Lo: 2, Hi: 4}}},
	}
	take := func(b *graphtest.Builder, x graphtest.Value, lo, hi int) graphtest.Value {
		return b.Node("Slice", floats32(hi-lo), []graphtest.Value{x, b.Ints(lo), b.Ints(hi), b.Ints(1)})
	}
	tests := []struct {
		name, why  string
		modalities []dataset.Modality
		build      graph
		handedOn   [][]int // players, then the elements of each output
		terms      int
		headMACs   int64
	}{
		{
			name: "sum of some", why: "three of four are one sum, which varies along one axis where they are on one side",
			modalities: quarters,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				three := act(b, dense(b, concat(b, 6, x, take(b, y, 0, 2)), 6, 3), 3)
				gate := act(b, dense(b, take(b, y, 2, 4), 2, 3), 3)
				both := b.Node("Mul", floats32(3), []graphtest.Value{three, gate})
				return act(b, dense(b, both, 3, 2), 2)
			},
			handedOn: [][]int{{0, 3}, {1, 3}, {2, 3}, {3, 3}, {0, 1, 2, 3, 2}}, headMACs: 6,
		},
		{
			name: "tokens in a table", why: "a layer on tokens is written as a product of a table in which rows lie apart",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				like := func(shape ...int) graphtest.Value { return graphtest.Value{DType: tensor.Float32, Shape: shape} }
				tokens := b.Node("Reshape", floats32(2, 2), []graphtest.Value{x, b.Ints(-1, 2, 2)})
				tokens = b.Node("Transpose", like(2, -1, 2), []graphtest.Value{tokens}, graphtest.Ints("perm", 1, 0, 2))
				table := b.Node("Reshape", floats32(2), []graphtest.Value{tokens, b.Ints(-1, 2)})
				weights := b.Random(tensor.Float32, 1, 3, 2)
				table = b.Node("Gemm", floats32(3), []graphtest.Value{table, weights, b.Random(tensor.Float32, 1, 3)}, graphtest.Int("transB", 1))
				tokens = b.Node("Reshape", like(2, -1, 3), []graphtest.Value{table, b.Ints(2, -1, 3)})
				tokens = b.Node("Transpose", floats32(2, 3), []graphtest.Value{tokens}, graphtest.Ints("perm", 1, 0, 2))
				flat := act(b, b.Node("Reshape", floats32(6), []graphtest.Value{tokens, b.Ints(-1, 6)}), 6)
				return act(b, dense(b, concat(b, 10, flat, y), 10, 3), 3)
			},
			handedOn: [][]int{{0, 3}, {1, 3}, {0, 1, 3}},
		},
		{
			name: "all rows", why: "an end beyond all ends takes everything",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				all := b.Node("Slice", floats32(4), []graphtest.Value{x, b.Ints(0), b.Ints(math.MaxInt64), b.Ints(0)})
				return act(b, dense(b, concat(b, 8, all, y), 8, 3), 3)
			},
			handedOn: [][]int{{0, 3}, {1, 3}, {0, 1, 3}},
		},
		{
			name: "early fusion", why: "the first layer belongs to the modalities, with the scaling before it",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				h := concat(b, 8, x, y)
				h = b.Node("Sub", floats32(8), []graphtest.Value{h, b.Random(tensor.Float32, 1, 8)})
				h = b.Node("Div", floats32(8), []graphtest.Value{h, b.Positive(tensor.Float32, 8)})
				return dense(b, act(b, dense(b, h, 8, 5), 5), 5, 2)
			},
			handedOn: [][]int{{0, 5}, {1, 5}, {0, 1, 2}}, headMACs: 10,
		},
		{
			name: "linear", why: "a linear model has no combinations",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				return dense(b, dense(b, concat(b, 8, x, y), 8, 5), 5, 2)
			},
			handedOn: [][]int{{0, 2}, {1, 2}}, terms: 2,
		},
		{
			name: "late fusion by the mean over a stack", why: "the mean of logits is additive however it is written",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				var stacked []graphtest.Value
				for _, v := range []graphtest.Value{x, y} {
					logits := dense(b, act(b, v, 4), 4, 3)
					stacked = append(stacked, b.Node("Unsqueeze", floats32(1, 3), []graphtest.Value{logits, b.Ints(1)}))
				}
				both := b.Node("Concat", floats32(2, 3), stacked, graphtest.Int("axis", 1))
				return b.Node("ReduceMean", floats32(3), []graphtest.Value{both}, graphtest.Ints("axes", 1), graphtest.Int("keepdims", 0))
			},
			handedOn: [][]int{{0, 3}, {1, 3}}, terms: 2,
		},
		{
			name: "the smallest cut", why: "a row that is repeated is handed on before it is",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				small := act(b, dense(b, x, 4, 2), 2)
				wide := b.Node("Tile", floats32(20), []graphtest.Value{small, b.Ints(1, 10)})
				h := b.Node("Softmax", floats32(24), []graphtest.Value{concat(b, 24, wide, y)}, graphtest.Int("axis", 1))
				return dense(b, h, 24, 1)
			},
			handedOn: [][]int{{0, 2}, {0, 1, 1}}, headMACs: 24, // y goes there as it is
		},
		{
			name: "a partial fusion", why: "what depends on both modalities alone is the last part here",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				return b.Node("Mul", floats32(4), []graphtest.Value{act(b, x, 4), act(b, y, 4)})
			},
			handedOn: [][]int{{0, 4}, {1, 4}, {0, 1, 4}},
		},
		{
			name: "modalities that are slices", why: "each slice of an input has its own rows of the first layer",
			modalities: slices2,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				return dense(b, act(b, dense(b, concat(b, 8, x, y), 8, 6), 6), 6, 1)
			},
			handedOn: [][]int{{0, 6}, {1, 6}, {0, 1, 1}}, headMACs: 6,
		},
		{
			name: "columns taken by index", why: "a Gather that stays within a slice belongs to its modality",
			modalities: slices2,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				front := b.Node("Gather", floats32(2), []graphtest.Value{x, b.Ints(2, 0)}, graphtest.Int("axis", 1))
				last := b.Node("Gather", floats32(1), []graphtest.Value{x, b.Ints(-1)}, graphtest.Int("axis", 1))
				return b.Node("Mul", floats32(2), []graphtest.Value{act(b, front, 2), act(b, last, 1)})
			},
			handedOn: [][]int{{0, 2}, {1, 1}, {0, 1, 2}},
		},
		{
			name: "an ignored modality", why: "the output depends on x alone, which is then the last part",
			modalities: xAndY,
			build: func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
				return dense(b, act(b, x, 4), 4, 1)
			},
			handedOn: [][]int{{0, 1}}, headMACs: 4,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := cutOf(t, test.modalities, test.build)
			if err != nil {
				t.Fatal(err)
			}
			if got := handedOn(s); !slices.EqualFunc(got, test.handedOn, slices.Equal[[]int]) || len(s.Terms) != test.terms {
				t.Errorf("%s:\ngot  %v and %d terms\nwant %v and %d", test.why, got, len(s.Terms), test.handedOn, test.terms)
			}
			if last := s.Parts[len(s.Parts)-1]; test.terms == 0 && last.MACs != test.headMACs {
				t.Errorf("the last part has %d multiply-adds, want %d", last.MACs, test.headMACs)
			}
		})
	}
}

// TestNotCut has graphs that look sound at some numbers of rows and are not at
// others, or of which it is not known.
func TestNotCut(t *testing.T) {
	product := func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
		return b.Node("Mul", floats32(4), []graphtest.Value{x, y})
	}
	integers := func(shape ...int) graphtest.Value { return graphtest.Value{DType: tensor.Int64, Shape: shape} }
	rowsOf := func(b *graphtest.Builder, x graphtest.Value) graphtest.Value {
		shape := b.Node("Shape", integers(2), []graphtest.Value{x})
		return b.Node("Gather", integers(1), []graphtest.Value{shape, b.Ints(0)}, graphtest.Int("axis", 0))
	}
	tests := []struct {
		name, node, why string
		build           func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value
	}{
		{"divided by the number of rows", "Cast", "depends on the batch", func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
			n := b.Node("Cast", graphtest.Value{DType: tensor.Float32, Shape: []int{1}}, []graphtest.Value{rowsOf(b, x)}, graphtest.Int("to", 1))
			return b.Node("Div", floats32(4), []graphtest.Value{product(b, x, y), n})
		}},
		{"a remainder of the number of rows", "Div", "5/100 and 7/100 are both 0, 700/100 is not", func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
			hundreds := b.Node("Div", integers(1), []graphtest.Value{rowsOf(b, x), b.Ints(100)})
			return b.Node("Gather", floats32(1), []graphtest.Value{product(b, x, y), hundreds}, graphtest.Int("axis", 1))
		}},
		{"at most some rows", "Min", "min(rows, 3) is 3 at 5 and at 7", func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
			some := b.Node("Min", integers(1), []graphtest.Value{rowsOf(b, x), b.Ints(3)})
			return b.Node("Slice", floats32(3), []graphtest.Value{product(b, x, y), b.Ints(0), some, b.Ints(1)})
		}},
		{"a sequence", "SequenceConstruct", "a sequence has no shape", func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
			both := b.Node("SequenceConstruct", floats32(4), []graphtest.Value{x, y}) // a type that nobody reads
			return product(b, b.Node("SequenceAt", floats32(4), []graphtest.Value{both, b.Ints(0)}), y)
		}},
		{"the mean of the batch", "ReduceMean", "mixes rows", func(b *graphtest.Builder, x, y graphtest.Value) graphtest.Value {
			mean := b.Node("ReduceMean", graphtest.Value{DType: tensor.Float32, Shape: []int{1, 4}}, []graphtest.Value{x}, graphtest.Ints("axes", 0))
			return product(b, b.Node("Sub", floats32(4), []graphtest.Value{x, mean}), y)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := cutOf(t, xAndY, test.build)
			var not *model.Uncut
			if !errors.As(err, &not) {
				t.Fatalf("%s: it is cut (%v)", test.why, err)
			}
			if not.Op != test.node || not.Node == "" || !strings.Contains(err.Error(), not.Node) {
				t.Errorf("%s: got %q, of node %q (%s), want it to name the %s", test.why, err, not.Node, not.Op, test.node)
			}
		})
	}
}
