package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// echo gives its inputs back and notes the rows of each call.
func echo(calls *[]int) model.Func {
	return func(_ context.Context, in model.Batch) (model.Batch, error) {
		*calls = append(*calls, in.Rows())
		return slices.Clone(in), nil
	}
}

func TestRowGrid(t *testing.T) {
	tests := []struct {
		name, reason string
		shape        []int // of the input, [n, b, 2]
		beside       []int // of another input
		want         []int
	}{
		{"samples", "varies along both: as it is", []int{2, 3, 2}, []int{2, 3, 2}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"repeated along b", "one row a sample", []int{2, 1, 2}, []int{1, 3, 1}, []int{0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3}},
		{"repeated along n", "one row a background row", []int{1, 3, 2}, []int{2, 1, 1}, []int{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}},
		{"constant", "one row for all", []int{1, 1, 2}, []int{2, 3, 1}, []int{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}},
		{"samples alone", "b is 1", []int{3, 1, 2}, []int{1, 1, 1}, []int{0, 1, 2, 3, 4, 5}},
		{"background alone", "n is 1", []int{1, 3, 2}, []int{1, 3, 1}, []int{0, 1, 2, 3, 4, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := tensor.New(tensor.Int64, tt.shape...)
			for i := range tensor.Values[int64](x) {
				tensor.Values[int64](x)[i] = int64(i)
			}
			var calls []int
			out, err := model.RowGrid(echo(&calls)).Evaluate(t.Context(), model.Batch{
				{Name: "x", Tensor: x}, {Name: "beside", Tensor: tensor.New(tensor.String, tt.beside...)}})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, v := range tensor.Values[int64](out[0].Tensor) {
				got = append(got, int(v))
			}
			if !slices.Equal(tt.want, got) {
				t.Errorf("%s: want %v, got %v", tt.reason, tt.want, got)
			}
			wantShape := []int{max(tt.shape[0], tt.beside[0]), max(tt.shape[1], tt.beside[1]), 2}
			if !slices.Equal(wantShape, out[0].Tensor.Shape()) || len(calls) != 1 {
				t.Errorf("%s: want shape %v of one call, got %v of %v", tt.reason, wantShape, out[0].Tensor.Shape(), calls)
			}
		})
	}
}

// TestRowGridCalls holds that many rows are many calls, of rows that need no
// padding, and that the answers are joined in order.
func TestRowGridCalls(t *testing.T) {
	const n, b = 50, 61
	x := tensor.New(tensor.Int64, n, 1, 40)
	for i := range tensor.Values[int64](x) {
		tensor.Values[int64](x)[i] = int64(i)
	}
	var calls []int
	out, err := model.RowGrid(echo(&calls)).Evaluate(t.Context(), model.Batch{{Name: "x", Tensor: x}, {Name: "y", Tensor: tensor.New(tensor.Bool, 1, b)}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{1024, 1024, n*b - 2048}; !slices.Equal(want, calls) {
		t.Errorf("want calls of %v rows, got %v", want, calls)
	}
	values := tensor.Values[int64](out[0].Tensor)
	for i, v := range values {
		if want := int64(i/(40*b)*40 + i%40); v != want {
			t.Fatalf("element %d: want %d, got %d", i, want, v)
		}
	}
	// Rows of 80,000 bytes: 13 would fit into a call, 16 are the least.
	calls = nil
	if _, err := model.RowGrid(echo(&calls)).Evaluate(t.Context(), model.Batch{{Name: "x", Tensor: tensor.New(tensor.Int64, 40, 1, 10000)}}); err != nil {
		t.Fatal(err)
	}
	if want := []int{16, 16, 8}; !slices.Equal(want, calls) {
		t.Errorf("wide rows: want calls of %v rows, got %v", want, calls)
	}
	// A model of a fixed number of rows.
	calls = nil
	fixed := model.Describe(echo(&calls), model.Signature{BatchSize: 1000})
	if _, err := model.RowGrid(fixed).Evaluate(t.Context(), model.Batch{{Name: "x", Tensor: tensor.New(tensor.Int64, 40, 50)}}); err != nil {
		t.Fatal(err)
	}
	if want := []int{1000, 1000}; !slices.Equal(want, calls) {
		t.Errorf("fixed: want calls of %v rows, got %v", want, calls)
	}
}

func TestRowGridErrors(t *testing.T) {
	one := func(shape ...int) model.Named {
		return model.Named{Name: "x", Tensor: tensor.New(tensor.Int64, shape...)}
	}
	failed := errors.New("no answer")
	changing := 0
	tests := []struct {
		name   string
		model  model.Func
		inputs model.Batch
		want   string
	}{
		{"one axis", echo(new([]int)), model.Batch{one(3)}, "the axes of the samples and of the background"},
		{"unequal", echo(new([]int)), model.Batch{one(3, 1), one(2, 1)}, "want 3 or 1 samples"},
		{"no inputs", echo(new([]int)), nil, "want a pair at least"},
		{"no rows", echo(new([]int)), model.Batch{one(0, 4)}, "want a pair at least, got 0 samples"},
		{"error", func(context.Context, model.Batch) (model.Batch, error) { return nil, failed }, model.Batch{one(1, 1)}, failed.Error()},
		{"rows", func(context.Context, model.Batch) (model.Batch, error) { return model.Batch{one(3)}, nil },
			model.Batch{one(2, 2)}, "want 4 rows as in the inputs, got 3"},
		{"width", func(_ context.Context, in model.Batch) (model.Batch, error) {
			changing++
			return model.Batch{one(in.Rows(), changing)}, nil
		}, model.Batch{one(2, 2000)}, "as for the first"},
	}
	for _, tt := range tests {
		if _, err := model.RowGrid(tt.model).Evaluate(t.Context(), tt.inputs); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
		}
	}
}

// A pipeline fuses what its encoders give.
func ExamplePipeline() {
	width := func(name string) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.Float64, Shape: []int{-1, 1}}
	}
	double := model.Describe(
		model.RowFunc("h", func(x model.Row) []float64 { return []float64{2 * x("scan")[0]} }),
		model.Signature{Inputs: []tensor.Spec{width("scan")}, Outputs: []tensor.Spec{width("h")}})
	head := model.Describe(
		model.RowFunc("risk", func(x model.Row) []float64 { return []float64{x("h")[0] * x("age")[0]} }),
		model.Signature{Inputs: []tensor.Spec{width("h"), width("age")}, Outputs: []tensor.Spec{width("risk")}})
	p, err := model.NewPipeline(head, model.Encoder{Name: "scan", Model: double})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := p.Predict(context.Background(), model.Batch{
		{Name: "scan", Tensor: tensor.Of([]float64{1, 2}, 2, 1)},
		{Name: "age", Tensor: tensor.Of([]float64{10, 20}, 2, 1)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tensor.Values[float64](out[0].Tensor))
	// Output: [20 80]
}
