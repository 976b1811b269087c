package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/intershap/intershap/model"
)

// blame says which pair of a part's failed call is at fault, by halves of the
// samples and then of the background rows.
func (p *Plan) blame(ctx context.Context, part *stagedPart, inputs model.Batch, n, b int, at func(i, k int) place, failure error) error {
	if ctx.Err() != nil || errors.Is(failure, model.ErrUnanswered) {
		return failure
	}
	ctx = model.Searching(ctx)
	run := func(inputs model.Batch) error {
		_, err := part.Grid.Evaluate(ctx, inputs)
		return err
	}
	sample, err, found := culprit(ctx, n, func(lo, hi int) error { return run(between(inputs, lo, hi)) })
	row := 0
	if found {
		one := between(inputs, sample, sample+1)
		row, err, found = culprit(ctx, b, func(lo, hi int) error { return run(betweenColumns(one, lo, hi)) })
	}
	if found {
		return fmt.Errorf("engine: %s: part %s: %w", p.describe(at(sample, row)), part.name, err)
	}
	return fmt.Errorf("engine: %d samples by %d background rows from %s on, which do not fail one by one: part %s: %w", n, b, p.describe(at(0, 0)), part.name, failure)
}

// between returns places [lo, hi) on axis 0 of the inputs that vary along it.
func between(inputs model.Batch, lo, hi int) model.Batch {
	out := make(model.Batch, len(inputs))
	for i, in := range inputs {
		out[i] = in
		if in.Tensor.Rows() > 1 {
			out[i].Tensor = in.Tensor.Slice(lo, hi)
		}
	}
	return out
}

// betweenColumns is between for axis 1, of inputs whose axis 0 is 1 long.
func betweenColumns(inputs model.Batch, lo, hi int) model.Batch {
	out := make(model.Batch, len(inputs))
	for i, in := range inputs {
		out[i] = in
		if t := in.Tensor; t.Shape()[1] > 1 {
			row := t.Shape()[2:]
			rows := t.Reshape(append([]int{t.Shape()[1]}, row...)...)
			out[i].Tensor = rows.Slice(lo, hi).Reshape(grid(1, hi-lo, row)...)
		}
	}
	return out
}
