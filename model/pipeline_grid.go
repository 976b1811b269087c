package model

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/tensor"
)

// RowGrid returns a [Grid] that gives every pair to m as a row: an input that
// does not vary along an axis is repeated along it. It suits any model, and
// what it costs beside the model is a copy of the inputs that vary along one
// axis alone.
func RowGrid(m Model) Grid {
	g := rowGrid{model: m}
	if d, ok := m.(Described); ok {
		g.batch = d.Signature().BatchSize
	}
	return g
}

// rowGrid is the Grid of RowGrid.
type rowGrid struct {
	model Model
	batch int // as in Signature
}

// The rows of one call are as many as fit into a megabyte, the size of a
// processor's cache, within bounds: with fewer a call costs more than it
// computes, with more nothing is gained.
const (
	callBytes   = 1 << 20
	maxCallRows = 1024
	// callMultiple makes the rows of a call, but for the last, what backends
	// need not pad: it is the width of the widest registers, in float32.
	callMultiple = 16
	// stringBytes is what a text is taken for.
	stringBytes = 16
)

// Evaluate implements [Grid].
func (g rowGrid) Evaluate(ctx context.Context, inputs Batch) (Batch, error) {
	n, b, err := gridSize(inputs)
	if err != nil {
		return nil, fmt.Errorf("model: grid: %w", err)
	}
	rows := n * b
	length := min(g.callRows(inputs), rows)
	var outputs Batch
	for lo := 0; lo < rows; lo += length {
		hi := min(lo+length, rows)
		part := make(Batch, len(inputs))
		for i, in := range inputs {
			part[i] = Named{Name: in.Name, Tensor: pairs(in.Tensor, n, b, lo, hi)}
		}
		got, err := g.model.Predict(ctx, part)
		if err != nil {
			return nil, err
		}
		if outputs, err = collect(outputs, got, lo, hi, rows); err != nil {
			return nil, fmt.Errorf("model: grid: %w", err)
		}
	}
	for i, out := range outputs {
		shape := append([]int{n, b}, out.Tensor.Shape()[1:]...)
		outputs[i].Tensor = out.Tensor.Reshape(shape...)
	}
	return outputs, nil
}

// gridSize returns the longest of the first and of the second axes.
func gridSize(inputs Batch) (n, b int, err error) {
	for _, in := range inputs {
		shape := in.Tensor.Shape()
		if len(shape) < 2 {
			return 0, 0, fmt.Errorf("input %q: want the axes of the samples and of the background, got shape %v", in.Name, shape)
		}
		n, b = max(n, shape[0]), max(b, shape[1])
	}
	for _, in := range inputs {
		shape := in.Tensor.Shape()
		if shape[0] != n && shape[0] != 1 || shape[1] != b && shape[1] != 1 {
			return 0, 0, fmt.Errorf("input %q: want %d or 1 samples and %d or 1 background rows, got shape %v", in.Name, n, b, shape)
		}
	}
	if n == 0 || b == 0 {
		return 0, 0, fmt.Errorf("want a pair at least, got %d samples and %d background rows", n, b)
	}
	return n, b, nil
}

// callRows returns the number of rows of a call.
func (g rowGrid) callRows(inputs Batch) int {
	bytes := 1
	for _, in := range inputs {
		size := in.Tensor.DType().Size()
		if size == 0 {
			size = stringBytes
		}
		elements := 1
		for _, d := range in.Tensor.Shape()[2:] {
			elements *= d
		}
		bytes += elements * size
	}
	multiple := callMultiple
	if g.batch > 0 {
		multiple = g.batch
	}
	return max(min(callBytes/bytes, maxCallRows)/multiple, 1) * multiple
}

// pairs returns pairs [lo, hi) of a grid of n by b, counted sample by sample,
// as rows. It copies only what does not vary along one of two axes.
func pairs(t tensor.Tensor, n, b, lo, hi int) tensor.Tensor {
	shape := t.Shape()
	rows := t.Reshape(append([]int{shape[0] * shape[1]}, shape[2:]...)...)
	if shape[0] == n && shape[1] == b {
		return rows.Slice(lo, hi)
	}
	out := tensor.New(t.DType(), append([]int{hi - lo}, shape[2:]...)...)
	width := rows.RowLen()
	for r := lo; r < hi; r++ {
		i, j := r/b, r%b
		if shape[0] == 1 {
			i = 0
		}
		if shape[1] == 1 {
			j = 0
		}
		out.CopyElements((r-lo)*width, rows, (i*shape[1]+j)*width, width)
	}
	return out
}

// collect adds the outputs of rows [lo, hi) to those before them.
func collect(outputs, got Batch, lo, hi, rows int) (Batch, error) {
	for _, out := range got {
		if out.Tensor.Rows() != hi-lo {
			return nil, fmt.Errorf("output %q: want %d rows as in the inputs, got %d", out.Name, hi-lo, out.Tensor.Rows())
		}
	}
	if hi-lo == rows {
		// The batch is the model's own; its tensors are ours.
		return append(Batch(nil), got...), nil
	}
	if lo == 0 {
		for _, out := range got {
			shape := append([]int{rows}, out.Tensor.Shape()[1:]...)
			outputs = append(outputs, Named{Name: out.Name, Tensor: tensor.New(out.Tensor.DType(), shape...)})
		}
	}
	if len(got) != len(outputs) {
		return nil, fmt.Errorf("want %d outputs for rows from %d on as for the first, got %d", len(outputs), lo, len(got))
	}
	for i, out := range outputs {
		t := got[i].Tensor
		if got[i].Name != out.Name || t.DType() != out.Tensor.DType() || !fits(out.Tensor.Shape(), t.Shape()) {
			return nil, fmt.Errorf("want output %q of %s%s for rows from %d on as for the first, got %q of %s%s",
				out.Name, out.Tensor.DType(), tensor.FormatShape(out.Tensor.Shape()), lo, got[i].Name, t.DType(), tensor.FormatShape(t.Shape()))
		}
		out.Tensor.CopyElements(lo*out.Tensor.RowLen(), t, 0, t.Len())
	}
	return outputs, nil
}
