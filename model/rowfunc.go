package model

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/tensor"
)

// A Row gives a RowFunc the values of one input of one row, as float64; nil
// for an input that the batch does not have.
type Row func(input string) []float64

// RowFunc returns a model that calls f for each row and collects what it
// returns as the output called name, a float64 tensor [rows, width]. Every call
// must return the same number of values, and inputs must be numbers; anything
// else is an error that names the row or the input. It suits functions written
// for clarity; a [Func] sees whole batches.
func RowFunc(name string, f func(x Row) []float64) Func {
	return func(ctx context.Context, inputs Batch) (Batch, error) {
		values, err := float64s(inputs)
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		var out []float64
		width := 0
		for r := range inputs.Rows() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			y := f(func(input string) []float64 {
				for i, in := range inputs {
					if in.Name == input {
						n := in.Tensor.RowLen()
						return values[i][r*n : (r+1)*n : (r+1)*n]
					}
				}
				return nil
			})
			if r == 0 {
				width = len(y)
			}
			if len(y) != width {
				return nil, fmt.Errorf("model: output %q, row %d: want %d values as in row 0, got %d", name, r, width, len(y))
			}
			out = append(out, y...)
		}
		return Batch{{Name: name, Tensor: tensor.Of(out, inputs.Rows(), width)}}, nil
	}
}

// float64s copies every input as float64, after checking that a RowFunc can
// read it.
func float64s(inputs Batch) ([][]float64, error) {
	values := make([][]float64, len(inputs))
	for i, in := range inputs {
		if in.Tensor.DType() == tensor.String {
			return nil, inputErrorf(in.Name, "want numbers for a function of rows, got strings; encode them, or use model.Func")
		}
		if got, want := in.Tensor.Rows(), inputs.Rows(); got != want {
			return nil, inputErrorf(in.Name, "want %d rows as in %q, got %d", want, inputs[0].Name, got)
		}
		values[i] = make([]float64, in.Tensor.Len())
		in.Tensor.Float64s(values[i])
	}
	return values, nil
}
