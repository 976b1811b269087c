package graph

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// A Cutting is a model in parts.
type Cutting struct {
	// Parts are in the order in which they can be computed.
	Parts []Part
	// Output and Terms are those of model.Stages.
	Output string
	Terms  []string
	// Sums are those of model.Stages; parts have both halves among their inputs.
	Sums []model.Sum
	// MACs counts the multiply-adds of a row of the whole graph.
	MACs int64
}

// A Part computes some values of the graph.
type Part struct {
	Players []int
	// Inputs and Outputs are values of the graph, or halves of sums; rows are on
	// axis 0.
	Inputs, Outputs []tensor.Spec
	// Ports names the inputs of the models below that take Inputs.
	Ports []string
	// Paired is set where the models take pairs, inputs [n, b, ...] as model.Grid
	// has them, and give such outputs. Others take and give rows.
	Paired bool
	// Rows gives the outputs.
	Rows Program
	// Sums gives sums of the transformed output over background rows, and
	// OverSamples those over samples: the high part, the low part, and where the
	// transform may hide a number that is not finite, sums that show it. The last
	// part alone has them.
	Sums        *Program
	OverSamples func() (*Program, error)
	MACs        int64
	RowBytes    int64
}

// A Program is an ONNX model.
type Program struct {
	Model []byte
	// Sizes lists the inputs that it has besides the ports of its part, of those
	// below.
	Sizes []string
	// Results names its outputs.
	Results []string
}

// Names of inputs by which a part is told how many rows it has.
const (
	// SizeRows is [rows].
	SizeRows = "intershap:rows"
	// SizeGrid is [n, b].
	SizeGrid = "intershap:grid"
	// SizeBlocks has the shape [blocks, b]: 1 where a background row is in a block, 0
	// elsewhere.
	SizeBlocks = "intershap:blocks"
	// SizePairs is [n, b, columns], SizeFlat [n, b·columns].
	SizePairs = "intershap:pairs"
	SizeFlat  = "intershap:flat"
	// SizeWeights has the shape [1, n]: 0 for a sample that does not count, 1 for
	// others.
	SizeWeights = "intershap:weights"
)

// Cut cuts what m computes as q asks. The error is a *model.Uncut where the
// graph is not proven to be one that can be cut.
func Cut(ctx context.Context, m *onnxpb.ModelProto, q model.Question, run Runner) (*Cutting, error) {
	if len(q.Rows) == 0 || q.Rows.Rows() == 0 {
		return nil, fmt.Errorf("graph: want rows to look at, got none")
	}
	g, err := read(m, q)
	if err != nil {
		return nil, err
	}
	if err := g.refuseSequences(); err != nil {
		return nil, err
	}
	study := func() error { return g.study(ctx, run, q.Rows) }
	if err := study(); err != nil {
		return nil, err
	}
	whole := g.macs()
	if err := g.split(); err != nil {
		return nil, err
	}
	g.prune()
	// What the rewriting made is not taken on trust.
	if err := study(); err != nil {
		return nil, err
	}
	c := &cutter{
		g: g, q: q, producer: g.producers(), cuts: map[Set][]*Value{},
		terms: map[*Value][]*Value{}, halves: map[*Value]model.Sum{},
	}
	cutting, err := c.cut()
	if err != nil {
		return nil, err
	}
	cutting.MACs = whole
	return cutting, nil
}

// study looks at the graph and analyses it, again for each branch that is taken.
func (g *Graph) study(ctx context.Context, run Runner, rows model.Batch) error {
	for {
		if err := g.look(ctx, run, rows); err != nil {
			return err
		}
		if g.unmerge() {
			continue // the new values have not been looked at
		}
		var known *knownBranch
		switch err := g.analyse(); {
		case err == nil:
			return nil
		case !errors.As(err, &known):
			return err
		}
		if err := g.inline(known); err != nil {
			return err
		}
	}
}

// macs counts the multiply-adds of a row.
func (g *Graph) macs() int64 {
	var count int64
	for _, n := range g.nodes {
		count += macs(n)
	}
	return count
}

// A cutter finds the parts of a graph.
type cutter struct {
	g        *Graph
	q        model.Question
	producer map[*Value]*Node
	// cuts holds, for each set of players that is a part, the values that other
	// parts take from it.
	cuts map[Set][]*Value
	// terms holds the terms of the values that parts take as sums, and halves how
	// these are called.
	terms  map[*Value][]*Value
	halves map[*Value]model.Sum
}

func (c *cutter) cut() (*Cutting, error) {
	out := c.g.values[c.g.output]
	if out.Kind != Rows || out.Players == 0 {
		return nil, uncut("output %q does not depend on any input", out.Name)
	}
	if out.Layout != (Layout{0, 1}) {
		return nil, uncut("output %q does not have the rows on axis 0", out.Name)
	}
	if out.RowElements() != c.q.Width {
		return nil, uncut("output %q has %d columns here, want %d", out.Name, out.RowElements(), c.q.Width)
	}
	linear := c.q.Transform == "identity" || c.q.Transform == "centred"
	if terms := c.g.terms; linear && c.additive(terms) {
		return c.cutTerms(terms)
	}
	c.findSums()
	sets := c.sets(out.Players)
	for _, p := range sets {
		c.cuts[p] = c.smallest(p, c.frontier(p))
	}
	cutting := &Cutting{Output: out.Name}
	for _, p := range sets {
		outputs := slices.DeleteFunc(slices.Clone(c.cuts[p]), func(v *Value) bool { return c.producer[v] == nil })
		if len(outputs) == 0 {
			continue // others take the leaves themselves
		}
		part, err := c.part(p, outputs)
		if err != nil {
			return nil, err
		}
		cutting.Parts = append(cutting.Parts, *part)
	}
	last, err := c.last(out)
	if err != nil {
		return nil, err
	}
	cutting.Parts = append(cutting.Parts, *last)
	for _, n := range c.g.sums {
		if sum, taken := c.halves[n.Out[0]]; taken {
			cutting.Sums = append(cutting.Sums, sum)
		}
	}
	return cutting, nil
}

// findSums finds the sums that parts take in halves: those whose terms are of one
// modality each by what the second study says.
func (c *cutter) findSums() {
	for _, n := range c.g.sums {
		single := !slices.ContainsFunc(n.In, func(v *Value) bool { return v.Kind != Rows || v.Players.Len() != 1 })
		if single && c.producer[n.Out[0]] == n {
			c.terms[n.Out[0]] = n.In
		}
	}
}

// isTerm reports whether a sum that parts take in halves has the term v.
func (c *cutter) isTerm(v *Value) bool {
	for _, terms := range c.terms {
		if slices.Contains(terms, v) {
			return true
		}
	}
	return false
}

// additive reports whether the terms of the output belong to one modality each.
func (c *cutter) additive(terms []*Value) bool {
	return len(terms) > 0 && !slices.ContainsFunc(terms, func(v *Value) bool {
		return v.Kind != Rows || v.Players.Len() != 1 || v.Layout != (Layout{0, 1}) || v.RowElements() != c.q.Width
	})
}

// cutTerms cuts a graph whose output is a sum of terms.
func (c *cutter) cutTerms(terms []*Value) (*Cutting, error) {
	cutting := &Cutting{}
	for _, p := range c.bySize(terms) {
		var outputs []*Value
		for _, t := range terms {
			if t.Players != p {
				continue
			}
			// Rows of one axis, whatever the graph has.
			flat := c.g.reshape(t, []int{-1, c.q.Width})
			y := flat.Out[0]
			y.Kind, y.Layout, y.Players, y.Dims = Rows, Layout{0, 1}, p, t.Dims
			for look := range looks {
				y.Dims[look] = []int{lookRows[look], c.q.Width}
			}
			c.g.add(flat)
			c.producer[y] = flat
			outputs = append(outputs, y)
			cutting.Terms = append(cutting.Terms, y.Name)
		}
		part, err := c.part(p, outputs)
		if err != nil {
			return nil, err
		}
		cutting.Parts = append(cutting.Parts, *part)
	}
	return cutting, nil
}

// bySize returns the sets of players of values, smaller ones first.
func (c *cutter) bySize(values []*Value) []Set {
	var sets []Set
	for _, v := range values {
		if !slices.Contains(sets, v.Players) {
			sets = append(sets, v.Players)
		}
	}
	slices.SortFunc(sets, func(a, b Set) int {
		if d := a.Len() - b.Len(); d != 0 {
			return d
		}
		// Lower modalities first; Fixed is the highest bit.
		return bits.TrailingZeros64(uint64(a)) - bits.TrailingZeros64(uint64(b))
	})
	return sets
}

// sets returns the sets of players that are parts besides all: single modalities,
// and others in which something is multiplied.
func (c *cutter) sets(all Set) []Set {
	var candidates []*Value
	for _, l := range c.g.leaves {
		candidates = append(candidates, c.g.values[l.Name])
	}
	products := map[Set]int64{}
	for _, n := range c.g.nodes {
		for _, v := range n.Out {
			if v != nil && v.Kind == Rows && v.Players != 0 {
				candidates = append(candidates, v)
				products[v.Players] += macs(n)
				break
			}
		}
	}
	return slices.DeleteFunc(c.bySize(candidates), func(p Set) bool {
		worth := p.Len() == 1 || products[p] > 0
		return p == all || !all.Contains(p) || !worth
	})
}

// frontier returns the values of a set of players that nodes of larger sets take,
// but for sums: those make them from the terms.
func (c *cutter) frontier(p Set) []*Value {
	var found []*Value
	for _, n := range c.g.nodes {
		outside := slices.ContainsFunc(n.Out, func(v *Value) bool {
			return v != nil && v.Kind == Rows && v.Players != p
		})
		for _, v := range n.In {
			if outside && v != nil && v.Kind == Rows && v.Players == p && c.terms[v] == nil && !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
	}
	return found
}

// movesOnly lists the operations that compute nothing: they may be done for every
// pair if that makes what is handed on smaller.
var movesOnly = []string{
	"Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape", "Slice",
	"SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
}

// smallest returns the values of a set of players that are handed on in place of
// the frontier: of those from which the frontier follows by mere moving, the ones
// with the fewest elements per row.
func (c *cutter) smallest(p Set, frontier []*Value) []*Value {
	// Every value is a pipe as wide as a row, from node 2i+2 to 2i+3.
	var values []*Value
	place := map[*Value]int{}
	visit := func(v *Value) int {
		if at, ok := place[v]; ok {
			return at
		}
		place[v] = len(values)
		values = append(values, v)
		return place[v]
	}
	for _, v := range frontier {
		visit(v)
	}
	type edge struct{ from, to int }
	var edges []edge
	var starts []int
	for i := 0; i < len(values); i++ {
		n := c.producer[values[i]]
		moves := n != nil && slices.Contains(movesOnly, n.Op) && !c.isTerm(values[i])
		if moves {
			for _, v := range n.In {
				// What is made of other parts' values, or of rows that are all
				// alike, is not in question here.
				moves = moves && (v == nil || v.Kind != Rows || v.Players == p)
			}
		}
		if !moves {
			starts = append(starts, i)
			continue
		}
		for _, v := range n.In {
			if v != nil && v.Kind == Rows {
				edges = append(edges, edge{visit(v), i})
			}
		}
	}
	const in, out = 2, 3
	f := newPipes(2*len(values) + 2)
	for i, v := range values {
		f.pipe(2*i+in, 2*i+out, max(1, v.RowElements()))
	}
	for _, e := range edges {
		f.pipe(2*e.from+out, 2*e.to+in, endless)
	}
	for _, i := range starts {
		f.pipe(source, 2*i+in, endless)
	}
	for i := range frontier {
		f.pipe(2*i+out, sink, endless)
	}
	f.push()
	after := f.reaching()
	var cut []*Value
	for i, v := range values {
		if !after[2*i+in] && after[2*i+out] {
			cut = append(cut, v)
		}
	}
	return cut
}

// players returns the modalities of a set, Nobody first.
func (s Set) players() []int {
	var out []int
	if s&(1<<Fixed) != 0 {
		out = append(out, model.Nobody)
	}
	for i := range Fixed {
		if s&(1<<i) != 0 {
			out = append(out, i)
		}
	}
	return out
}
