package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// Stage implements [Staged]: a part for each set of modalities that encoders
// take, and the head as the last part. Encoders that take all that the head
// depends on run with it. The cost of the parts is unknown.
func (p *Pipeline) Stage(ctx context.Context, q Question) (*Stages, error) {
	c, err := p.newCut(q)
	if err != nil {
		return nil, fmt.Errorf("model: pipeline: %w", err)
	}
	stages := &Stages{Output: c.output}
	for _, players := range c.sets {
		part, err := c.part(players)
		if err != nil {
			return nil, fmt.Errorf("model: pipeline: %w", err)
		}
		stages.Parts = append(stages.Parts, part)
	}
	if len(stages.Parts) == 1 {
		return nil, &Uncut{Reason: "every encoder takes inputs of all modalities, so that nothing is computed once for several rows"}
	}
	if err := look(ctx, stages, q); err != nil {
		return nil, fmt.Errorf("model: pipeline: %w", err)
	}
	return stages, nil
}

// A cut is a pipeline on its way to stages.
type cut struct {
	pipeline *Pipeline
	question Question
	names    map[source]string
	output   string            // the name of the explained output among the parts' tensors
	leaves   map[string][]Leaf // of each input of the question
	shapes   map[string][]int  // of a row of each input
	players  [][]int           // of each encoder
	all      []int             // of the head
	// sets of players, each once, in the order of the parts; the last is the
	// head's.
	sets [][]int
}

func (p *Pipeline) newCut(q Question) (*cut, error) {
	if !slices.ContainsFunc(p.sig.Outputs, func(s tensor.Spec) bool { return s.Name == q.Output }) {
		return nil, fmt.Errorf("the head gives no %q", q.Output)
	}
	c := &cut{pipeline: p, question: q, leaves: map[string][]Leaf{}, shapes: map[string][]int{}}
	var taken []string
	for _, row := range q.Rows {
		if row.Tensor.Rows() == 0 {
			return nil, fmt.Errorf("want rows of input %q in the question, got none", row.Name)
		}
		c.shapes[row.Name] = row.Tensor.Shape()[1:]
		taken = append(taken, row.Name)
	}
	for _, leaf := range q.Leaves {
		if leaf.Input < 0 || leaf.Input >= len(q.Rows) {
			return nil, fmt.Errorf("leaf %q: want one of %d inputs, got input %d", leaf.Name, len(q.Rows), leaf.Input)
		}
		input := q.Rows[leaf.Input].Name
		c.leaves[input] = append(c.leaves[input], leaf)
		taken = append(taken, leaf.Name)
	}
	for _, in := range p.sig.Inputs {
		if len(c.leaves[in.Name]) == 0 {
			return nil, fmt.Errorf("no leaf of input %q", in.Name)
		}
	}
	c.output = q.Output
	for slices.Contains(taken, c.output) {
		c.output = p.head.what + "." + c.output
	}
	c.names = p.tensorNames(append(taken, c.output))
	for _, e := range p.encoders {
		var players []int
		for _, from := range e.from {
			players = c.addPlayers(players, from.name)
		}
		c.players = append(c.players, players)
	}
	for _, from := range p.head.from {
		if from.encoder == outside {
			c.all = c.addPlayers(c.all, from.name)
		} else {
			c.all = union(c.all, c.players[from.encoder])
		}
	}
	for _, players := range append(slices.Clone(c.players), c.all) {
		known := slices.ContainsFunc(c.sets, func(s []int) bool { return slices.Equal(s, players) })
		if !known && !slices.Equal(players, c.all) {
			c.sets = append(c.sets, players)
		}
	}
	c.sets = append(c.sets, c.all)
	return c, nil
}

// addPlayers adds those of an input.
func (c *cut) addPlayers(players []int, input string) []int {
	for _, leaf := range c.leaves[input] {
		players = union(players, []int{leaf.Player})
	}
	return players
}

// union returns the elements of a and b, ascending, each once.
func union(a, b []int) []int {
	both := slices.Sorted(slices.Values(append(slices.Clone(a), b...)))
	return slices.Compact(both)
}

// part returns the part of a set of players.
func (c *cut) part(players []int) (Part, error) {
	p := c.pipeline
	var steps []step
	for i := range p.encoders {
		if slices.Equal(c.players[i], players) {
			steps = append(steps, p.encoderStep(i, c.names))
		}
	}
	ch := chain{}
	batch := 0
	if slices.Equal(c.all, players) {
		head := p.headStep(c.names)
		head.gives = []wire{{own: c.question.Output, name: c.output}}
		ch.outputs, ch.flat = []string{c.output}, true
		steps = append(steps, head)
		batch = p.head.sig.BatchSize
	} else {
		for _, s := range steps {
			for _, w := range s.gives {
				ch.outputs = append(ch.outputs, w.name)
			}
		}
	}
	part := Part{Players: players}
	inside := map[string]bool{} // what the part computes or has joined
	for _, s := range steps {
		for _, w := range s.takes {
			if inside[w.name] {
				continue
			}
			inside[w.name] = true
			leaves, isInput := c.leaves[w.name]
			if !isInput {
				part.Inputs = append(part.Inputs, w.name)
				continue
			}
			j, err := newJoin(w.name, c.shapes[w.name], leaves)
			if err != nil {
				return Part{}, err
			}
			ch.joins = append(ch.joins, j)
			for _, leaf := range leaves {
				part.Inputs = append(part.Inputs, leaf.Name)
			}
		}
		for _, w := range s.gives {
			inside[w.name] = true
		}
		ch.steps = append(ch.steps, s)
	}
	for i, e := range p.encoders {
		if slices.Equal(c.players[i], players) {
			batch = max(batch, e.sig.BatchSize)
		}
	}
	part.Grid = rowGrid{model: ch, batch: batch}
	return part, nil
}

// lookRows is how many rows the models are asked about for the shapes of what
// they give.
const lookRows = 2

// look computes the parts on a few rows and notes what comes out. Signatures
// may leave widths open, the parts of a question have them.
func look(ctx context.Context, s *Stages, q Question) error {
	rows := min(q.Rows.Rows(), lookRows)
	var tensors Batch
	for _, leaf := range q.Leaves {
		shape := append([]int{rows, 1}, leaf.Shape...)
		all := q.Rows[leaf.Input].Tensor
		t := tensor.New(all.DType(), shape...)
		n := leaf.Hi - leaf.Lo
		if t.Len() != rows*n {
			return fmt.Errorf("leaf %q: want a shape of %d elements, got %v", leaf.Name, n, leaf.Shape)
		}
		for r := range rows {
			t.CopyElements(r*n, all, r*all.RowLen()+leaf.Lo, n)
		}
		tensors = append(tensors, Named{Name: leaf.Name, Tensor: t})
	}
	for i, part := range s.Parts {
		var in Batch
		for _, name := range part.Inputs {
			t, found := tensors.Lookup(name)
			if !found {
				return fmt.Errorf("part %d takes %q, which no part before it gives", i, name)
			}
			in = append(in, Named{Name: name, Tensor: t})
		}
		out, err := part.Grid.Evaluate(ctx, in)
		if err != nil {
			return err
		}
		for _, o := range out {
			shape := append([]int{-1}, o.Tensor.Shape()[2:]...)
			s.Parts[i].Outputs = append(s.Parts[i].Outputs, tensor.Spec{Name: o.Name, DType: o.Tensor.DType(), Shape: shape})
		}
		tensors = append(tensors, out...)
	}
	if out := s.Parts[len(s.Parts)-1].Outputs[0]; out.RowLen() != q.Width {
		return fmt.Errorf("output %q: want %d columns, got %s", q.Output, q.Width, tensor.FormatShape(out.Shape))
	}
	return nil
}
