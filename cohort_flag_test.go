package intershap_test

import (
	"slices"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A flag of two modalities that the model sees as a third is told for each of the two.
func TestFlagOfTwoModalities(t *testing.T) {
	one := func(name string) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.Float64, Shape: []int{-1}}
	}
	m := model.Describe(model.RowFunc("y", func(x model.Row) []float64 {
		return []float64{x("a")[0]*x("b")[0] + x("has")[0]}
	}), model.Signature{
		Inputs:  []tensor.Spec{one("a"), one("b"), one("has")},
		Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{-1, 1}}},
	})
	column := func(name string, values ...float64) dataset.Array {
		return dataset.Array{Name: name, Tensor: tensor.Of(values, len(values))}
	}
	data, err := dataset.FromArrays(column("a", 1, 2, 0, 4), column("b", 2, -1, 0, 1), column("has", 1, 1, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	ex := explainOn(t, m, data, nil, intershap.Options{Missing: []string{"a=has", "b=has"}, Task: intershap.Regression})
	var told []string
	for _, w := range ex.Warnings {
		if w.ID == "flag-is-a-player" {
			told = append(told, w.Subject)
		}
	}
	if !slices.Equal(told, []string{"a", "b"}) {
		t.Errorf("want it told of a and of b, got %q", told)
	}
}
