package engine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Probe asks the model about a few rows, to learn what it gives before a run is
// planned.
func Probe(ctx context.Context, m model.Model, inputs []tensor.Spec, rows []tensor.Tensor) (model.Batch, error) {
	missing := make([]bool, len(inputs))
	for i := range inputs {
		missing[i] = hasNaN(rows[i])
	}
	ask := func(lo, hi int) (model.Batch, error) {
		batch := make(model.Batch, len(inputs))
		for i, in := range inputs {
			batch[i] = model.Named{Name: in.Name, Tensor: rows[i].Slice(lo, hi), Missing: missing[i]}
		}
		return m.Predict(ctx, batch)
	}
	n := rows[0].Rows()
	out, failure := ask(0, n)
	if failure == nil || errors.Is(failure, model.ErrUnanswered) {
		return out, failure
	}
	row, err, found := culprit(ctx, n, func(lo, hi int) error {
		_, err := ask(lo, hi)
		return err
	})
	switch {
	case ctx.Err() != nil:
		return nil, failure
	case found:
		return nil, fmt.Errorf("engine: row %d: %w", row, err)
	default:
		return nil, fmt.Errorf("engine: the first %d rows, which do not fail one by one: %w", n, failure)
	}
}

// Independence asks the model about rows twice, the second time in reverse
// order and with every other row left out, and returns the largest difference
// between the answers for the same row, relative to the largest answer. A model
// that answers each row by itself, and always the same, gives rounding at most.
func Independence(ctx context.Context, m model.Model, output string, inputs []tensor.Spec, rows []tensor.Tensor) (float64, error) {
	n := rows[0].Rows()
	var order []int
	for r := n - 1; r >= 0; r -= 2 {
		order = append(order, r)
	}
	ask := func(order []int) ([]float64, error) {
		part := make([]tensor.Tensor, len(rows))
		for i, t := range rows {
			part[i] = tensor.New(t.DType(), append([]int{len(order)}, t.Shape()[1:]...)...)
			for r, from := range order {
				part[i].CopyRow(r, t, from, 0, t.RowLen())
			}
		}
		outputs, err := Probe(ctx, m, inputs, part)
		if err != nil {
			return nil, err
		}
		out, err := Output(outputs, output, len(order))
		if err != nil {
			return nil, err
		}
		values := make([]float64, out.Len())
		out.Float64s(values)
		return values, nil
	}
	all := make([]int, n)
	for r := range all {
		all[r] = r
	}
	whole, err := ask(all)
	if err != nil {
		return 0, err
	}
	again, err := ask(order)
	if err != nil {
		return 0, err
	}
	width := len(whole) / n
	largest := 0.0
	for _, v := range whole {
		largest = max(largest, math.Abs(v))
	}
	difference := 0.0
	for i, r := range order {
		for c := range width {
			difference = max(difference, math.Abs(again[i*width+c]-whole[r*width+c]))
		}
	}
	if largest == 0 {
		return difference, nil
	}
	return difference / largest, nil
}
