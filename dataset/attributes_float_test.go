package dataset

import (
	"testing"

	"github.com/intershap/intershap/tensor"
)

// A float32 column is the number that people wrote, whatever file it came from.
func TestShortFloatAttributes(t *testing.T) {
	f, err := FromArrays(Array{Name: "x", Tensor: tensor.Of([]float32{1, 2}, 2, 1)}, Array{Name: "w", Tensor: tensor.Of([]float32{0.1, 3}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Bind(t.Context(), f, []tensor.Spec{{Name: "x", DType: tensor.Float32, Shape: []int{-1, 1}}}, BindOptions{Attributes: []Attribute{{Name: "w"}}})
	if err != nil {
		t.Fatal(err)
	}
	columns, err := s.ReadAttributes(t.Context(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if w := tensor.Values[float64](columns[0]); w[0] != 0.1 || w[1] != 3 {
		t.Errorf("got %v, want 0.1 and 3", w)
	}
}
