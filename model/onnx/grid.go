package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graph"
	"github.com/intershap/intershap/tensor"
)

// A grid is a part of a model, on a session of its own. Like [Model.Predict] it
// runs multiples of [RowMultiple] rows.
type grid struct {
	part *graph.Part
	rows session
	// mu guards closing, as in Model.
	mu     sync.RWMutex
	open   []session
	closed bool
}

// openPart opens a part as a model.Grid, and as a model.Summer if it adds up.
func (m *Model) openPart(p *graph.Part) (model.Grid, error) {
	rows, err := m.openProgram(p, &p.Rows)
	if err != nil {
		return nil, err
	}
	g := &grid{part: p, rows: rows, open: []session{rows}}
	if p.Sums == nil {
		return g, nil
	}
	sums, err := m.openProgram(p, p.Sums)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	g.open = append(g.open, sums)
	return &summer{grid: g, sums: sums, model: m}, nil
}

// openProgram opens a program of a part. That the runtime does not take it is no
// fault of the model, which it has taken as a whole.
func (m *Model) openProgram(p *graph.Part, program *graph.Program) (session, error) {
	s, err := m.openBytes(program.Model, slices.Concat(p.Ports, program.Sizes), program.Results)
	if err != nil {
		return nil, &model.Uncut{Reason: fmt.Sprintf("the runtime does not take a part of the graph: %v", err)}
	}
	program.Model = nil // the session has its own copy
	return s, nil
}

// Close frees the sessions, after the calls that are running.
func (g *grid) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	var err error
	for _, s := range g.open {
		err = errors.Join(err, s.close())
	}
	return err
}

// Evaluate gives the outputs of the part for every pair.
func (g *grid) Evaluate(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	p, err := g.layOut(inputs)
	if err != nil {
		return nil, err
	}
	results, err := g.run(ctx, g.rows, &g.part.Rows, p)
	if err != nil {
		return nil, err
	}
	outputs := make(model.Batch, len(results))
	for i, r := range results {
		spec := g.part.Outputs[i]
		if want := p.rows() * product(spec.Shape[1:]); r.Len() != want || r.DType() != spec.DType {
			return nil, fmt.Errorf("onnx: part output %q is %s %v, want %d elements of %s", spec.Name, r.DType(), r.Shape(), want, spec.DType)
		}
		outputs[i] = model.Named{Name: spec.Name, Tensor: p.unfilled(r, spec.Shape[1:])}
	}
	return outputs, nil
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// run runs a program on inputs that are laid out.
func (g *grid) run(ctx context.Context, s session, program *graph.Program, p *pairs) ([]tensor.Tensor, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return nil, ErrClosed
	}
	inputs := slices.Clone(p.inputs)
	for _, name := range program.Sizes {
		inputs = append(inputs, p.size(name))
	}
	results, err := s.run(ctx, inputs)
	if err != nil {
		return nil, fmt.Errorf("onnx: part of the graph: %w", err)
	}
	return results, nil
}

// pairs are the inputs of a call as the runtime gets them.
type pairs struct {
	inputs []tensor.Tensor
	// n samples and b background rows are asked for. The call has runN by runB.
	n, b, runN, runB int
	// blocks and columns are those of sums.
	blocks  []int
	columns int
}

// rows returns the number of rows of the call.
func (p *pairs) rows() int { return p.runN * p.runB }

// layOut orders the inputs and fills them up by rows that are repeated, until they
// are a multiple of RowMultiple.
func (g *grid) layOut(inputs model.Batch) (*pairs, error) {
	p := &pairs{n: 1, b: 1}
	for _, spec := range g.part.Inputs {
		t, ok := inputs.Lookup(spec.Name)
		if !ok {
			return nil, fmt.Errorf("onnx: a part of the graph wants %q", spec.Name)
		}
		shape := t.Shape()
		if len(shape) != len(spec.Shape)+1 || !slices.Equal(shape[2:], spec.Shape[1:]) || t.DType() != spec.DType {
			return nil, fmt.Errorf("onnx: part input %q is %s %v, want %s pairs of %v", spec.Name, t.DType(), shape, spec.DType, spec.Shape[1:])
		}
		for axis, longest := range []*int{&p.n, &p.b} {
			if d := shape[axis]; d == 0 || d > 1 && *longest > 1 && d != *longest {
				return nil, fmt.Errorf("onnx: part input %q has %d by %d pairs, others %d by %d", spec.Name, shape[0], shape[1], p.n, p.b)
			}
			*longest = max(*longest, shape[axis])
		}
		p.inputs = append(p.inputs, t)
	}
	if g.part.Paired {
		p.fill()
		return p, nil
	}
	if p.n > 1 && p.b > 1 {
		return nil, fmt.Errorf("onnx: a part of one modality got %d by %d pairs, want rows", p.n, p.b)
	}
	p.runN, p.runB = filled(p.n*p.b, 1), 1
	for i, t := range p.inputs {
		p.inputs[i] = longer(t.Reshape(append([]int{p.n * p.b}, t.Shape()[2:]...)...), p.runN)
	}
	return p, nil
}

// fill makes the grid longer along the axis that takes fewer rows.
func (p *pairs) fill() {
	p.runN, p.runB = filled(p.n, p.b), p.b
	if longer := filled(p.b, p.n); p.n*longer < p.runN*p.b {
		p.runN, p.runB = p.n, longer
	}
	for i, t := range p.inputs {
		// Where no input varies along an axis all must seem to: a value that
		// depends on all modalities is taken to be as long as the grid.
		if t.Rows() == p.n {
			t = longer(t, p.runN)
		}
		if t.Shape()[1] == p.b {
			t = wider(t, p.runB)
		}
		p.inputs[i] = t
	}
}

// unfilled returns the n by b pairs of a result for runN by runB.
func (p *pairs) unfilled(t tensor.Tensor, row []int) tensor.Tensor {
	if p.runB == p.b {
		// The samples that only fill up come last.
		rows := t.Reshape(append([]int{p.rows()}, row...)...).Slice(0, p.n*p.b)
		return rows.Reshape(append([]int{p.n, p.b}, row...)...)
	}
	out := tensor.New(t.DType(), append([]int{p.n, p.b}, row...)...)
	width := product(row)
	for i := range p.n {
		out.CopyElements(i*p.b*width, t, i*p.runB*width, p.b*width)
	}
	return out
}

// wider repeats the last entry of axis 1 up to a number of them.
func wider(t tensor.Tensor, columns int) tensor.Tensor {
	have := t.Shape()[1]
	if have == columns {
		return t
	}
	row := t.Shape()[2:]
	out := tensor.New(t.DType(), append([]int{t.Rows(), columns}, row...)...)
	width := product(row)
	for i := range t.Rows() {
		out.CopyElements(i*columns*width, t, i*have*width, have*width)
		for k := have; k < columns; k++ {
			out.CopyElements((i*columns+k)*width, t, (i*have+have-1)*width, width)
		}
	}
	return out
}

// longer repeats the last row up to rows.
func longer(t tensor.Tensor, rows int) tensor.Tensor {
	if t.Rows() == rows {
		return t
	}
	return pad(t, rows)
}

// filled returns the smallest number, from n on, of which b times as many are a
// multiple of RowMultiple.
func filled(n, b int) int {
	for n*b%RowMultiple != 0 {
		n++
	}
	return n
}

// size returns an input that tells a size.
func (p *pairs) size(name string) tensor.Tensor {
	switch name {
	case graph.SizeGrid:
		return tensor.Of([]int64{int64(p.runN), int64(p.runB)}, 2)
	case graph.SizePairs:
		return tensor.Of([]int64{int64(p.runN), int64(p.runB), int64(p.columns)}, 3)
	case graph.SizeFlat:
		return tensor.Of([]int64{int64(p.runN), int64(p.runB * p.columns)}, 2)
	case graph.SizeBlocks:
		return membership(p.blocks, p.runB)
	case graph.SizeWeights:
		weights := make([]float64, p.runN)
		for i := range p.n {
			weights[i] = 1
		}
		return tensor.Of(weights, 1, p.runN)
	}
	return tensor.Of([]int64{int64(p.rows())}, 1)
}

// membership has a row of ones and zeros for each block of b rows; those that only
// fill up are in none.
func membership(blocks []int, b int) tensor.Tensor {
	values := make([]float64, len(blocks)*b)
	at := 0
	for k, length := range blocks {
		for range length {
			values[k*b+at] = 1
			at++
		}
	}
	return tensor.Of(values, len(blocks), b)
}
