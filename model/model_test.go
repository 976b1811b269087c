package model_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

func TestRowFunc(t *testing.T) {
	sum := model.RowFunc("y", func(x model.Row) []float64 {
		a, b := x("a"), x("b")
		return []float64{a[0] + a[1], 10 * b[0]}
	})
	out, err := sum.Predict(t.Context(), model.Batch{
		{Name: "a", Tensor: tensor.Of([]float32{1, 2, 3, 4}, 2, 2)},
		{Name: "b", Tensor: tensor.Of([]int64{5, 6}, 2, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	y, found := out.Lookup("y")
	if !found || len(out) != 1 {
		t.Fatalf("want the one output y, got %v", out)
	}
	if want, got := []float64{3, 50, 7, 60}, tensor.Values[float64](y); !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
	if want := []int{2, 2}; !slices.Equal(want, y.Shape()) {
		t.Errorf("want shape %v, got %v", want, y.Shape())
	}
}

func TestRowFuncErrors(t *testing.T) {
	ragged := model.RowFunc("y", func(x model.Row) []float64 { return make([]float64, int(x("a")[0])) })
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	one := tensor.Of([]float64{1, 1})
	tests := []struct {
		name, reason string
		ctx          context.Context
		inputs       model.Batch
		want         string
	}{
		{"widths", "rows of unequal width make no tensor", t.Context(),
			model.Batch{{Name: "a", Tensor: tensor.Of([]float64{1, 2})}}, `output "y", row 1: want 1 values as in row 0, got 2`},
		{"strings", "text is no float64", t.Context(),
			model.Batch{{Name: "a", Tensor: tensor.Of([]string{"x"})}}, `input "a": want numbers`},
		{"rows", "row 1 of b does not exist", t.Context(),
			model.Batch{{Name: "a", Tensor: one}, {Name: "b", Tensor: tensor.Of([]float64{1})}}, `input "b": want 2 rows as in "a", got 1`},
		{"cancelled", "a model must stop when asked", cancelled,
			model.Batch{{Name: "a", Tensor: one}}, context.Canceled.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ragged.Predict(tt.ctx, tt.inputs)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: want an error with %q, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

func TestSignatureCheck(t *testing.T) {
	sig := model.Signature{Inputs: []tensor.Spec{
		{Name: "x", DType: tensor.Float32, Shape: []int{-1, 2}},
		{Name: "ids", DType: tensor.Int64, Shape: []int{4, -1}},
	}}
	x := model.Named{Name: "x", Tensor: tensor.New(tensor.Float32, 3, 2)}
	ids := model.Named{Name: "ids", Tensor: tensor.New(tensor.Int64, 3, 5)}
	ofX := func(x tensor.Tensor) model.Batch { return model.Batch{{Name: "x", Tensor: x}, ids} }
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))

	tests := []struct {
		name, reason string
		inputs       model.Batch
		want         string // "" for none
	}{
		{"good", "axis 0 is free even where the model fixes it", model.Batch{x, ids}, ""},
		{"order", "inputs go by name", model.Batch{ids, x}, ""},
		{"missing", "nothing stands in for an input", model.Batch{x}, `input "ids": missing; the model takes x, ids`},
		{"none", "an empty batch has no inputs", nil, `input "x": missing`},
		{"unknown", "a typing error must not pass", model.Batch{x, ids, {Name: "X"}}, `input "X": the model has no such input; its inputs are x, ids`},
		{"twice", "which of the two would count?", model.Batch{x, ids, x}, `input "x": given twice`},
		{"dtype", "no silent conversion", ofX(tensor.New(tensor.Float64, 3, 2)), "want float32, got float64"},
		{"rank", "one axis too many", ofX(tensor.New(tensor.Float32, 3, 2, 1)), "want shape [N,2], got [3,2,1]"},
		{"width", "one column too few", ofX(tensor.New(tensor.Float32, 3, 1)), "want shape [N,2], got [3,1]"},
		{"zero tensor", "a tensor without type", ofX(tensor.Tensor{}), "want float32"},
		{"rows", "rows must pair up", ofX(tensor.New(tensor.Float32, 2, 2)), `input "ids": want 2 rows as in "x", got 3`},
		{"zero rows", "nothing to compute", ofX(tensor.New(tensor.Float32, 0, 2)), "want at least one row"},
		{"NaN", "a GRU answers NaN with a plausible number", ofX(tensor.Of([]float32{0, 0, 0, nan, 0, 0}, 3, 2)), "row 1, element 1: NaN is not a finite number"},
		{"Inf", "as for NaN", ofX(tensor.Of([]float32{0, 0, 0, 0, inf, 0}, 3, 2)), "row 2, element 0: -Inf is not a finite number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := sig.Check(tt.inputs)
			if tt.want == "" {
				if err != nil {
					t.Errorf("%s: want no error, got %v", tt.reason, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%s: want an error with %q, got %v", tt.reason, tt.want, err)
			}
			var bad *model.InputError
			if !errors.As(err, &bad) {
				t.Errorf("want a *model.InputError, got %T", err)
			}
		})
	}
	if err := sig.Check(ofX(tensor.Of([]float32{nan, 0}, 1, 2))); !errors.Is(err, model.ErrNotFinite) {
		t.Errorf("want model.ErrNotFinite, got %v", err)
	}
}

// A missing value is no fault where it is said to be one; an infinity is.
func TestMissingValues(t *testing.T) {
	sig := model.Signature{Inputs: []tensor.Spec{{Name: "x", DType: tensor.Float32, Shape: []int{-1, 2}}}}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	batch := func(missing bool, values ...float32) model.Batch {
		return model.Batch{{Name: "x", Tensor: tensor.Of(values, len(values)/2, 2), Missing: missing}}
	}
	if err := sig.Check(batch(true, nan, 1)); err != nil {
		t.Errorf("a missing value: %v", err)
	}
	if err := sig.Check(batch(true, nan, 1, 2, inf)); !errors.Is(err, model.ErrNotFinite) || !strings.Contains(err.Error(), "row 1, element 1") {
		t.Errorf("an infinity behind a missing value: %v", err)
	}
}
