package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// A chain is models that are called one after the other on the same rows, each
// on inputs of the chain and on what those before it gave.
type chain struct {
	joins   []join
	steps   []step
	outputs []string
	// flat makes the rows of the outputs one axis.
	flat bool
}

// A step is the call of one model.
type step struct {
	what         string // for messages
	model        Model
	takes, gives []wire
}

// A wire connects a tensor of a model with a tensor of the chain.
type wire struct {
	own  string // the model's name of it
	name string // the chain's
}

// A join puts an input of the pipeline together from its leaves.
type join struct {
	input  string
	shape  []int // of a row
	leaves []Leaf
}

// Predict runs the chain. Steps give only what they are asked for.
func (c chain) Predict(ctx context.Context, inputs Batch) (Batch, error) {
	tensors := map[string]tensor.Tensor{}
	for _, in := range inputs {
		tensors[in.Name] = in.Tensor
	}
	for _, j := range c.joins {
		t, err := j.of(tensors, inputs.Rows())
		if err != nil {
			return nil, err
		}
		tensors[j.input] = t
	}
	for _, s := range c.steps {
		if err := s.run(ctx, tensors, inputs.Rows()); err != nil {
			return nil, err
		}
	}
	outputs := make(Batch, len(c.outputs))
	for i, name := range c.outputs {
		t := tensors[name]
		if c.flat {
			t = t.Reshape(t.Rows(), t.RowLen())
		}
		outputs[i] = Named{Name: name, Tensor: t}
	}
	return outputs, nil
}

// run calls the model of the step and adds what it gives to tensors.
func (s step) run(ctx context.Context, tensors map[string]tensor.Tensor, rows int) error {
	var in Batch
	for _, w := range s.takes {
		t, found := tensors[w.name]
		if !found {
			return fmt.Errorf("%s: its input %q is missing", s.what, w.name)
		}
		in = append(in, Named{Name: w.own, Tensor: t})
	}
	out, err := s.model.Predict(ctx, in)
	if err != nil {
		return fmt.Errorf("%s: %w", s.what, err)
	}
	for _, w := range s.gives {
		t, found := out.Lookup(w.own)
		if !found {
			return fmt.Errorf("%s: want an output %q as its signature says, got none", s.what, w.own)
		}
		if t.Rows() != rows {
			return fmt.Errorf("%s: output %q: want %d rows as in the inputs, got %d", s.what, w.own, rows, t.Rows())
		}
		tensors[w.name] = t
	}
	return nil
}

// of returns the input of which tensors has the leaves.
func (j join) of(tensors map[string]tensor.Tensor, rows int) (tensor.Tensor, error) {
	shape := append([]int{rows}, j.shape...)
	var parts []tensor.Tensor
	for _, leaf := range j.leaves {
		t, found := tensors[leaf.Name]
		if !found {
			return tensor.Tensor{}, fmt.Errorf("leaf %q is missing", leaf.Name)
		}
		if want := leaf.Hi - leaf.Lo; t.RowLen() != want {
			return tensor.Tensor{}, fmt.Errorf("leaf %q: want %d elements a row, got %d", leaf.Name, want, t.RowLen())
		}
		if len(parts) > 0 && t.DType() != parts[0].DType() {
			return tensor.Tensor{}, fmt.Errorf("leaf %q: want %s as in %q, got %s", leaf.Name, parts[0].DType(), j.leaves[0].Name, t.DType())
		}
		parts = append(parts, t)
	}
	if len(parts) == 1 {
		return parts[0].Reshape(shape...), nil
	}
	out := tensor.New(parts[0].DType(), shape...)
	width := out.RowLen()
	for i, t := range parts {
		n := t.RowLen()
		for r := range rows {
			out.CopyElements(r*width+j.leaves[i].Lo, t, r*n, n)
		}
	}
	return out, nil
}

// newJoin returns the join of the leaves of an input whose rows have the given
// shape, after checking that they are all of it.
func newJoin(input string, shape []int, leaves []Leaf) (join, error) {
	width := 1
	for _, n := range shape {
		width *= n
	}
	at := 0
	for _, leaf := range leaves {
		if leaf.Lo != at || leaf.Hi < leaf.Lo {
			return join{}, fmt.Errorf("input %q: want a leaf from element %d on, got %q of [%d, %d)", input, at, leaf.Name, leaf.Lo, leaf.Hi)
		}
		at = leaf.Hi
	}
	if at != width || len(leaves) == 0 {
		return join{}, fmt.Errorf("input %q: want leaves for all of its %d elements a row, got %d", input, width, at)
	}
	return join{input: input, shape: slices.Clone(shape), leaves: leaves}, nil
}
