package modeltest

import (
	"fmt"
	"math/rand/v2"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A subject is the material of the checks: random inputs for one model.
type subject struct {
	sig    model.Signature
	inputs model.Batch
	// other is drawn like inputs, with other values.
	other model.Batch
}

// newSubject draws inputs for a model of signature sig.
func newSubject(sig model.Signature, c config) (subject, error) {
	if len(sig.Inputs) == 0 || len(sig.Outputs) == 0 {
		return subject{}, fmt.Errorf("want a signature with inputs and outputs, got %d and %d", len(sig.Inputs), len(sig.Outputs))
	}
	if err := c.check(sig); err != nil {
		return subject{}, err
	}
	s := subject{sig: sig}
	rows := max(c.rows, sig.BatchSize+1)
	r := rand.New(rand.NewPCG(c.seed, 0))
	for _, batch := range []*model.Batch{&s.inputs, &s.other} {
		for _, spec := range sig.Inputs {
			t, err := draw(r, spec, rows, c)
			if err != nil {
				return subject{}, err
			}
			*batch = append(*batch, model.Named{Name: spec.Name, Tensor: t})
		}
	}
	return s, nil
}

// draw returns random values for one input.
func draw(r *rand.Rand, spec tensor.Spec, rows int, c config) (tensor.Tensor, error) {
	if len(spec.Shape) == 0 {
		return tensor.Tensor{}, fmt.Errorf("input %q has no axis 0 in the signature", spec.Name)
	}
	shape := append([]int{rows}, spec.Shape[1:]...)
	for i := 1; i < len(shape); i++ {
		if shape[i] < 0 {
			shape[i] = c.freeAxis
		}
	}
	if spec.DType == tensor.String {
		t := tensor.New(tensor.String, shape...)
		values := tensor.Values[string](t)
		for i := range values {
			values[i] = c.strings[r.IntN(len(c.strings))]
		}
		return t, nil
	}
	if spec.DType.IsFloat() {
		t := tensor.New(tensor.Float64, shape...)
		values := tensor.Values[float64](t)
		for i := range values {
			values[i] = r.NormFloat64()
		}
		return cast(t, spec)
	}
	within, named := c.integers[spec.Name]
	if !named {
		within = c.integers[anyInput]
	}
	if spec.DType == tensor.Bool {
		within = interval{0, 1}
	}
	t := tensor.New(tensor.Int64, shape...)
	values := tensor.Values[int64](t)
	for i := range values {
		values[i] = within.lo + r.Int64N(within.hi-within.lo+1)
	}
	return cast(t, spec)
}

func cast(t tensor.Tensor, spec tensor.Spec) (tensor.Tensor, error) {
	out, err := tensor.Cast(t, spec.DType)
	if err != nil {
		return tensor.Tensor{}, fmt.Errorf("input %q: %w", spec.Name, err)
	}
	return out, nil
}

// each returns b with every tensor replaced by f of it.
func each(b model.Batch, f func(tensor.Tensor) tensor.Tensor) model.Batch {
	out := make(model.Batch, len(b))
	for i, n := range b {
		out[i] = model.Named{Name: n.Name, Tensor: f(n.Tensor)}
	}
	return out
}

// slice returns rows [lo, hi) of b, sharing memory.
func slice(b model.Batch, lo, hi int) model.Batch {
	return each(b, func(t tensor.Tensor) tensor.Tensor { return t.Slice(lo, hi) })
}

// pick returns a copy of the given rows of b, in that order.
func pick(b model.Batch, rows []int) model.Batch {
	return each(b, func(t tensor.Tensor) tensor.Tensor {
		out := tensor.New(t.DType(), append([]int{len(rows)}, t.Shape()[1:]...)...)
		for i, r := range rows {
			out.CopyRow(i, t, r, 0, t.RowLen())
		}
		return out
	})
}

// clone returns a deep copy of b.
func clone(b model.Batch) model.Batch {
	rows := make([]int, b.Rows())
	for i := range rows {
		rows[i] = i
	}
	return pick(b, rows)
}

// join puts batches of the same outputs under each other.
func join(parts []model.Batch) (model.Batch, error) {
	out := make(model.Batch, len(parts[0]))
	for i, first := range parts[0] {
		var tensors []tensor.Tensor
		for _, p := range parts {
			if len(p) != len(out) || p[i].Name != first.Name || !p[i].Tensor.SameRow(first.Tensor) {
				return nil, fmt.Errorf("output %q: another name, type or width in another batch", first.Name)
			}
			tensors = append(tensors, p[i].Tensor)
		}
		out[i] = model.Named{Name: first.Name, Tensor: tensor.Concat(tensors...)}
	}
	return out, nil
}

// same reports the first element in which two batches differ in a bit.
func same(want, got model.Batch) error {
	if len(want) != len(got) {
		return fmt.Errorf("want %d tensors, got %d", len(want), len(got))
	}
	for i, w := range want {
		g := got[i]
		if w.Name != g.Name {
			return fmt.Errorf("tensor %d: want %q, got %q", i, w.Name, g.Name)
		}
		if !w.Tensor.SameRow(g.Tensor) || w.Tensor.Rows() != g.Tensor.Rows() {
			return fmt.Errorf("%q: want %s %v, got %s %v", w.Name, w.Tensor.DType(), w.Tensor.Shape(), g.Tensor.DType(), g.Tensor.Shape())
		}
		if e, differ := firstDifference(w.Tensor, g.Tensor); differ {
			width := max(w.Tensor.RowLen(), 1)
			return fmt.Errorf("%q, row %d, element %d: want %s, got %s (bit for bit)",
				w.Name, e/width, e%width, w.Tensor.Format(e), g.Tensor.Format(e))
		}
	}
	return nil
}

// firstDifference returns the first element whose bits differ.
func firstDifference(a, b tensor.Tensor) (element int, differ bool) {
	if a.DType() == tensor.String {
		x, y := tensor.Values[string](a), tensor.Values[string](b)
		for i := range x {
			if x[i] != y[i] {
				return i, true
			}
		}
		return 0, false
	}
	x, y := a.Bytes(), b.Bytes()
	for i := range x {
		if x[i] != y[i] {
			return i / a.DType().Size(), true
		}
	}
	return 0, false
}
