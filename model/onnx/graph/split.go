package graph

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// A form is another way to write a value: as parts that depend on fewer
// modalities than the whole.
type form struct {
	// axis is that along which the parts are joined; -1 if they are added up.
	axis  int
	parts []*Value
}

const added = -1

// split rewrites a graph that is analysed so that what is linear in parts of few
// modalities becomes a sum of them. Where values are concatenated, and then scaled
// and multiplied by a matrix, each part gets its own scale and its own rows of the
// matrix: W[a; b] = W₁a + W₂b.
//
// Forms are carried forward from node to node as far as the rules below go, and
// written out as a Concat or as Adds where no rule takes them further.
func (g *Graph) split() error {
	s := &splitter{g: g, forms: map[*Value]*form{}, written: map[*Value]bool{}}
	for _, n := range g.nodes {
		if err := s.visit(n); err != nil {
			return err
		}
	}
	out := g.values[g.output]
	if f := s.forms[out]; f != nil && f.axis == added && s.single(f.parts) {
		g.terms = f.parts
	}
	s.whole(out)
	g.nodes = s.nodes
	return nil
}

// players returns what the parts depend on together.
func (f *form) players() Set {
	var players Set
	for _, p := range f.parts {
		players |= p.Players
	}
	return players
}

// single reports whether every part belongs to exactly one modality.
func (s *splitter) single(parts []*Value) bool {
	return !slices.ContainsFunc(parts, func(v *Value) bool { return v.Players.Len() != 1 })
}

// A splitter holds the new nodes of a graph.
type splitter struct {
	g     *Graph
	nodes []*Node
	forms map[*Value]*form
	// written holds the values with a form that have been written out as well.
	written map[*Value]bool
	err     error
}

// visit rewrites one node, or takes it as it is.
func (s *splitter) visit(n *Node) error {
	s.narrow(n)
	if s.mixes(n) {
		if forms := s.rewrite(n); forms != nil {
			for i, out := range n.Out {
				if out != nil {
					s.forms[out] = forms[i]
					out.Players = forms[i].players()
				}
			}
			return s.err
		}
	}
	for _, v := range n.In {
		s.whole(v)
	}
	s.nodes = append(s.nodes, n)
	return s.err
}

// narrow takes those modalities off a node's outputs that forms before it have
// taken off its inputs: a slice of what was joined is one modality's again.
func (s *splitter) narrow(n *Node) {
	var players Set
	for _, v := range n.In {
		if v != nil && v.Kind == Rows {
			players |= v.Players
		}
	}
	for _, v := range n.Out {
		if v != nil && v.Kind == Rows {
			v.Players &= players
		}
	}
}

// mixes reports whether a node has rows of several modalities.
func (s *splitter) mixes(n *Node) bool {
	for _, v := range n.Out {
		if v != nil && (v.Kind != Rows || v.Players.Len() < 2) {
			return false
		}
	}
	return len(n.Out) > 0
}

// rewrite returns the forms of a node's outputs, nil where no rule applies.
func (s *splitter) rewrite(n *Node) []*form {
	one := func(f *form) []*form {
		if f == nil {
			return nil
		}
		return []*form{f}
	}
	if f := s.adding(n); f != nil {
		return one(f)
	}
	switch n.Op {
	case "Concat":
		return one(s.joining(n))
	case "MatMul":
		return one(s.matMul(n))
	case "Gemm":
		return one(s.gemm(n))
	case "Conv":
		return one(s.conv(n))
	case "BatchNormalization":
		return one(s.batchNorm(n))
	case "ReduceSum", "ReduceMean":
		return one(s.reducing(n))
	}
	if f := s.forms[n.in(0)]; f != nil {
		move := s.movingConcat
		if f.axis == added {
			move = s.movingSum
		}
		forms := move(n, f)
		nothing := slices.ContainsFunc(forms, func(f *form) bool { return len(f.parts) == 0 }) // no columns
		if forms != nil && !nothing {
			return forms
		}
	}
	return one(s.elementwise(n))
}

// whole writes a value with a form out as one tensor.
func (s *splitter) whole(v *Value) {
	f := s.forms[v]
	if v == nil || f == nil || s.written[v] {
		return
	}
	s.written[v] = true
	for _, p := range f.parts {
		s.whole(p)
	}
	switch {
	case len(f.parts) == 1:
		s.nodes = append(s.nodes, s.g.node("Identity", f.parts, []*Value{v}))
		return
	case f.axis != added:
		s.nodes = append(s.nodes, s.g.concat(f.axis, f.parts, v))
		return
	}
	s.addUp(f.parts, v)
}

// manyTerms is the number of terms of one modality each from which on they are
// one sum, see [model.Sum]: two take one addition anyway.
const manyTerms = 3

// addUp adds parts in an order that does not depend on what side they come from,
// so that the same numbers give the same sum.
func (s *splitter) addUp(parts []*Value, out *Value) {
	var terms, others []*Value
	for _, p := range parts {
		if p.Players.Len() == 1 {
			terms = append(terms, p)
		} else {
			others = append(others, p)
		}
	}
	if single := out.DType == tensor.Float32 || out.DType == tensor.Float64; single && len(terms) >= manyTerms {
		sum := out
		if len(others) > 0 {
			sum = s.like(out, (&form{parts: terms}).players())
		}
		n := s.g.node("Sum", terms, []*Value{sum})
		s.nodes = append(s.nodes, n)
		s.g.sums = append(s.g.sums, n)
		if parts = append(others, sum); len(others) == 0 {
			return
		}
	}
	s.addPairs(parts, out)
}

// addPairs adds parts in the order of a balanced tree.
func (s *splitter) addPairs(parts []*Value, out *Value) {
	side := func(half []*Value) *Value {
		if len(half) == 1 {
			return half[0]
		}
		sum := s.like(out, (&form{parts: half}).players())
		s.addPairs(half, sum)
		return sum
	}
	middle := (len(parts) + 1) / 2
	a, b := side(parts[:middle]), side(parts[middle:])
	s.nodes = append(s.nodes, s.g.node("Add", []*Value{a, b}, []*Value{out}))
}

// like returns a new value that looks like v and depends on the given modalities.
func (s *splitter) like(v *Value, players Set) *Value {
	out := s.g.temporary(v)
	out.Kind, out.Layout, out.Dims, out.Players = Rows, v.Layout, v.Dims, players
	return out
}

// piece returns a new value that looks like v but for its length along an axis.
func (s *splitter) piece(v *Value, axis, length int, players Set) *Value {
	out := s.like(v, players)
	for look := range looks {
		out.Dims[look] = slices.Clone(v.Dims[look])
		out.Dims[look][axis] = length
	}
	return out
}

// emit adds a node; its inputs are written out.
func (s *splitter) emit(n *Node) *Value {
	for _, v := range n.In {
		s.whole(v)
	}
	s.nodes = append(s.nodes, n)
	return n.Out[0]
}

// again returns n with other inputs and outputs, and some attributes changed.
func (s *splitter) again(n *Node, ins, outs []*Value, changed ...*onnxpb.AttributeProto) *Node {
	p := proto.CloneOf(n.Proto)
	// There will be several of it, and names of nodes must differ.
	p.Input, p.Output, p.Name = nil, nil, nil
	for _, v := range ins {
		p.Input = append(p.Input, nameOf(v))
	}
	for _, v := range outs {
		p.Output = append(p.Output, nameOf(v))
	}
	for _, a := range changed {
		p.Attribute = withAttribute(p.Attribute, a)
	}
	return &Node{Proto: p, Op: n.Op, Version: n.Version, In: ins, Out: outs}
}

// sum makes a form of parts, those of the same modalities added up at once.
func (s *splitter) sum(parts []*Value) *form {
	f := &form{axis: added}
	for _, p := range parts {
		at := slices.IndexFunc(f.parts, func(have *Value) bool { return have.Players == p.Players })
		if at < 0 {
			f.parts = append(f.parts, p)
			continue
		}
		have := f.parts[at]
		f.parts[at] = s.emit(s.g.node("Add", []*Value{have, p}, []*Value{s.like(have, have.Players)}))
	}
	return f
}

// gains reports whether working on parts saves anything: no part depends on all
// that the whole depends on.
func (f *form) gains(whole *Value) bool {
	return !slices.ContainsFunc(f.parts, func(p *Value) bool { return p.Players == whole.Players })
}

// sameShape reports whether two values have the same axes at all looks.
func sameShape(a, b *Value) bool {
	for look := range looks {
		if !slices.Equal(a.Dims[look], b.Dims[look]) {
			return false
		}
	}
	return true
}

// termsOf returns what a value is the sum of: its parts, or itself.
func (s *splitter) termsOf(v *Value) []*Value {
	if f := s.forms[v]; f != nil && f.axis == added {
		return f.parts
	}
	return []*Value{v}
}
