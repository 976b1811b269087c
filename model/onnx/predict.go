package onnx

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// RowMultiple is the multiple of rows that every run has when axis 0 is free. A
// batch of such a length is passed on as it is, in one run; the rest of any other
// is a second run, padded.
//
// It is what makes the bits of a row independent of its batch. With a single
// row the runtime takes other kernels for some graphs. And it computes
// functions such as Log over all elements of a tensor, as many at a time as a
// vector register holds, and the rest one by one with another approximation, so
// that an element at the end of a batch can differ in its last bit. 16 float32
// fill the widest register (512 bits): with a multiple of 16 rows there is no
// rest, whatever the width.
const RowMultiple = 16

// Predict returns the model's outputs for inputs, in the order of the
// signature. Inputs go by name, their rows by position; axis 0 may have any
// length above zero: where the file fixes it, the rows are cut into runs of
// that length and the last is padded by its last row.
//
// It checks inputs as [model.Signature.Check] does before the first run, and
// that every output has one row for each row of the inputs after it. When ctx
// ends, a run stops between two nodes of the graph and Predict returns the
// error of ctx.
func (m *Model) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, m.errorf("%w", ErrClosed)
	}
	if err := (model.Signature{Inputs: m.inputs}).Check(inputs); err != nil {
		return nil, m.errorf("%w", err)
	}
	ordered := make([]tensor.Tensor, len(m.inputs))
	for i, spec := range m.inputs {
		ordered[i], _ = inputs.Lookup(spec.Name)
	}
	results, err := m.predict(ctx, ordered, inputs.Rows())
	if err != nil {
		return nil, m.errorf("%w", err)
	}
	outputs := make(model.Batch, len(m.outputs))
	for i, out := range m.outputs {
		outputs[i] = model.Named{Name: out.Name, Tensor: results[i]}
	}
	return outputs, nil
}

// predict cuts rows into runs and joins what they give.
func (m *Model) predict(ctx context.Context, inputs []tensor.Tensor, rows int) ([]tensor.Tensor, error) {
	whole := m.wholeRun(rows)
	if whole >= rows {
		return m.run(ctx, inputs, whole)
	}
	parts := make([][]tensor.Tensor, len(m.outputs))
	part := make([]tensor.Tensor, len(inputs))
	for lo := 0; lo < rows; {
		length := m.wholeRun(rows - lo)
		hi := min(lo+length, rows)
		for i, in := range inputs {
			part[i] = in.Slice(lo, hi)
		}
		results, err := m.run(ctx, part, length)
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			if lo > 0 && !parts[i][0].SameRow(r) {
				return nil, fmt.Errorf("output %q has shape %v for rows from %d on, %v for the first; want one width", m.outputs[i].Name, r.Shape(), lo, parts[i][0].Shape())
			}
			parts[i] = append(parts[i], r)
		}
		lo = hi
	}
	joined := make([]tensor.Tensor, len(parts))
	for i, p := range parts {
		joined[i] = tensor.Concat(p...)
	}
	return joined, nil
}

// wholeRun returns the length of the next run when rows are left: the fixed
// batch size, or all whole multiples of RowMultiple, but one at least. Only a
// rest below that is padded, so that a large batch is not copied for it.
func (m *Model) wholeRun(rows int) int {
	if m.batch > 0 {
		return m.batch
	}
	return max(rows/RowMultiple, 1) * RowMultiple
}

// run calls the runtime once on inputs padded to length rows, and trims what it
// gives.
func (m *Model) run(ctx context.Context, inputs []tensor.Tensor, length int) ([]tensor.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows := inputs[0].Rows()
	padded := inputs
	if length > rows {
		padded = make([]tensor.Tensor, len(inputs))
		for i, in := range inputs {
			padded[i] = pad(in, length)
		}
	}
	results, err := m.opened.session.run(ctx, padded)
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		if shape := r.Shape(); len(shape) == 0 || shape[0] != length {
			return nil, fmt.Errorf("output %q has shape %v for %d rows: its axis 0 is not the rows; export the output with the batch on axis 0", m.outputs[i].Name, shape, length)
		}
		if length > rows {
			results[i] = r.Slice(0, rows)
		}
	}
	return results, nil
}

// pad returns t with its last row repeated up to length rows.
func pad(t tensor.Tensor, length int) tensor.Tensor {
	rows, width := t.Rows(), t.RowLen()
	out := tensor.New(t.DType(), append([]int{length}, t.Shape()[1:]...)...)
	out.CopyElements(0, t, 0, t.Len())
	for r := rows; r < length; r++ {
		out.CopyRow(r, t, rows-1, 0, width)
	}
	return out
}
