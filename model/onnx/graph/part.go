package graph

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A builder writes one part.
type builder struct {
	c       *cutter
	players Set
	nodes   []*Node
	inputs  []port
	// sizes lists the inputs that tell sizes.
	sizes []string
	part  Part
	// pairs holds the value that has pairs [n, b, ...] of a value, where there is
	// one; full says that it varies along both axes.
	pairs map[*Value]*Value
	full  map[*Value]bool
	// laid holds the values whose rows are there as the graph has them.
	laid map[*Value]bool
	// sized holds what stands in for values computed from the number of rows.
	sized map[*Value]*Value
}

func (c *cutter) builder(p Set) *builder {
	return &builder{
		c: c, players: p, part: Part{Players: p.players()},
		pairs: map[*Value]*Value{}, full: map[*Value]bool{}, laid: map[*Value]bool{}, sized: map[*Value]*Value{},
	}
}

// part writes a part that hands outputs to others.
func (c *cutter) part(p Set, outputs []*Value) (*Part, error) {
	b := c.builder(p)
	b.part.Paired = p.Len() > 1
	if err := b.body(outputs); err != nil {
		return nil, err
	}
	var results []string
	for _, v := range outputs {
		b.part.Outputs = append(b.part.Outputs, rowsFirst(v))
		results = append(results, b.handOn(v).Name)
	}
	rows, err := b.program(results...)
	if err != nil {
		return nil, err
	}
	b.part.Rows = *rows
	return &b.part, nil
}

// rowsFirst describes a value with its rows on axis 0.
func rowsFirst(v *Value) tensor.Spec {
	spec := tensor.Spec{Name: v.Name, DType: v.DType, Shape: []int{-1}}
	for axis, d := range v.Dims[0] {
		switch {
		case axis != v.Layout.Axis:
			spec.Shape = append(spec.Shape, d)
		case v.Layout.Group > 1:
			spec.Shape = append(spec.Shape, v.Layout.Group)
		}
	}
	return spec
}

// body adds the nodes that compute values.
func (b *builder) body(values []*Value) error {
	nodes, inputs := b.c.needed(b.players, values)
	for _, v := range inputs {
		b.input(v)
	}
	var largest int64
	for _, n := range nodes {
		b.part.MACs += macs(n)
		largest = max(largest, rowBytes(n))
		if err := b.place(n); err != nil {
			return err
		}
	}
	b.part.RowBytes = 2 * largest // of the node that runs and of its neighbour
	return nil
}

// rowBytes counts what a row takes in a node's inputs and outputs.
func rowBytes(n *Node) int64 {
	var bytes int64
	for _, v := range slices.Concat(n.In, n.Out) {
		if v.isRows() {
			bytes += int64(v.RowElements() * max(1, v.DType.Size()))
		}
	}
	return bytes
}

// needed returns the nodes that compute values in a part, in order, and the values
// that come from other parts or are leaves.
func (c *cutter) needed(p Set, values []*Value) (nodes []*Node, inputs []*Value) {
	wanted := map[*Value]bool{}
	for _, v := range values {
		wanted[v] = true
	}
	given := func(v *Value) bool {
		return c.producer[v] == nil && v.Kind == Rows || c.terms[v] != nil || v.Players != p && slices.Contains(c.cuts[v.Players], v)
	}
	for _, n := range slices.Backward(c.g.nodes) {
		if !slices.ContainsFunc(n.Out, func(v *Value) bool { return v != nil && wanted[v] && !given(v) }) {
			continue
		}
		nodes = append(nodes, n)
		for _, v := range n.In {
			// What is computed from the number of rows is made anew.
			if v != nil && v.Kind != Sized {
				wanted[v] = true
			}
		}
	}
	slices.Reverse(nodes)
	for _, l := range c.g.leaves {
		if v := c.g.values[l.Name]; wanted[v] {
			inputs = append(inputs, v)
		}
	}
	for _, n := range c.g.nodes {
		for _, v := range n.Out {
			if v != nil && wanted[v] && given(v) {
				inputs = append(inputs, v)
			}
		}
	}
	return nodes, inputs
}

// input adds an input of the part, or the two halves of a sum.
func (b *builder) input(v *Value) {
	if b.c.terms[v] != nil {
		b.sum(v)
		return
	}
	spec := rowsFirst(v)
	b.part.Inputs = append(b.part.Inputs, spec)
	name := v.Name
	if b.part.Paired {
		paired := b.c.g.temporary(v)
		name = paired.Name
		b.pairs[v] = paired
		b.full[v] = v.Players == b.players
		spec.Shape = append([]int{-1}, spec.Shape...)
	} else {
		b.laid[v] = true // a leaf: its rows are on axis 0
	}
	b.part.Ports = append(b.part.Ports, name)
	b.inputs = append(b.inputs, port{name, v.DType, spec.Shape, b.part.Paired})
}

// sum adds both halves of a sum as inputs, and adds them.
func (b *builder) sum(v *Value) {
	halves, known := b.c.halves[v]
	if !known {
		halves = model.Sum{Name: v.Name, Sample: b.c.g.temporary(v).Name, Background: b.c.g.temporary(v).Name}
		for _, term := range b.c.terms[v] {
			halves.Terms = append(halves.Terms, term.Name)
		}
		b.c.halves[v] = halves
	}
	var ports []*Value
	for _, name := range []string{halves.Sample, halves.Background} {
		spec := rowsFirst(v)
		spec.Name = name
		half := b.c.g.temporary(v)
		b.part.Inputs = append(b.part.Inputs, spec)
		b.part.Ports = append(b.part.Ports, half.Name)
		b.inputs = append(b.inputs, port{half.Name, v.DType, append([]int{-1}, spec.Shape...), true})
		ports = append(ports, half)
	}
	b.pairs[v] = b.emit("Add", ports, v)
	b.full[v] = v.Players == b.players
}

// place adds a node, on pairs where it may be done there and else on rows.
func (b *builder) place(n *Node) error {
	if b.onPairs(n) {
		out := n.Out[0]
		ins := make([]*Value, len(n.In))
		for i, v := range n.In {
			if ins[i] = v; v.isRows() {
				ins[i] = b.pairs[v]
			}
		}
		paired := b.c.g.temporary(out)
		b.pairs[out], b.full[out] = paired, out.Players == b.players
		b.nodes = append(b.nodes, copyNode(n, ins, []*Value{paired}))
		return nil
	}
	ins := slices.Clone(n.In)
	for i, v := range n.In {
		switch {
		case v == nil:
		case v.Kind == Sized:
			var err error
			if ins[i], err = b.size(n, v); err != nil {
				return err
			}
		case v.Kind == Rows:
			b.lay(v)
		}
	}
	b.nodes = append(b.nodes, copyNode(n, ins, n.Out))
	for _, v := range n.Out {
		if v != nil {
			b.laid[v] = true
		}
	}
	return nil
}

// copyNode returns n with other inputs and outputs.
func copyNode(n *Node, ins, outs []*Value) *Node {
	p := proto.CloneOf(n.Proto)
	p.Input, p.Output = nil, nil
	for _, v := range ins {
		p.Input = append(p.Input, nameOf(v))
	}
	for _, v := range outs {
		p.Output = append(p.Output, nameOf(v))
	}
	return &Node{Proto: p, Op: n.Op, Version: n.Version, In: ins, Out: outs}
}

// onPairs reports whether a node may be done on pairs: it works element by
// element, so that the runtime spreads [n, 1, ...] over [1, b, ...] as it goes.
func (b *builder) onPairs(n *Node) bool {
	if !b.part.Paired || !spreads(n) {
		return false
	}
	for _, v := range n.In {
		switch {
		case v == nil || v.Kind == Constant:
		case v.Kind != Rows || b.pairs[v] == nil || v.Layout != (Layout{0, 1}) || v.rank() != n.Out[0].rank():
			return false
		}
	}
	return n.Out[0].Layout == (Layout{0, 1})
}

// spreads reports whether a node makes every element of its output from one
// element of each input, by ONNX's rules of broadcasting.
func spreads(n *Node) bool {
	_, ok := elementwise[n.Op]
	return ok && len(n.Out) == 1 && n.Op != "QuantizeLinear" && n.Op != "DequantizeLinear"
}

// lay makes the rows of a value as the graph has them.
func (b *builder) lay(v *Value) {
	if b.laid[v] {
		return
	}
	b.laid[v] = true
	paired := b.pairs[v]
	spec := rowsFirst(v)
	if !b.full[v] {
		ones := slices.Repeat([]int{1}, len(spec.Shape)-1)
		paired = b.emit("Expand", []*Value{paired, b.shape(v, ones)}, v)
	}
	if v.Layout == (Layout{0, 1}) {
		b.emitTo("Reshape", []*Value{paired, b.c.g.integers(v.Name, append([]int{-1}, spec.Shape[1:]...)...)}, v)
		return
	}
	// [rows, d0, ..., group, ...] to [d0, ..., rows, group, ...] to [d0, ..., rows·group, ...]
	rows := b.emit("Reshape", []*Value{paired, b.c.g.integers(v.Name, append([]int{-1}, spec.Shape[1:]...)...)}, v)
	perm := make([]int, 0, len(spec.Shape))
	for axis := 1; axis <= v.Layout.Axis; axis++ {
		perm = append(perm, axis)
	}
	perm = append(perm, 0)
	for axis := v.Layout.Axis + 1; axis < len(spec.Shape); axis++ {
		perm = append(perm, axis)
	}
	turned := b.c.g.temporary(v)
	b.nodes = append(b.nodes, b.c.g.node("Transpose", []*Value{rows}, []*Value{turned}, intsAttribute("perm", perm...)))
	shape := slices.Clone(v.Dims[0])
	shape[v.Layout.Axis] = -1
	b.emitTo("Reshape", []*Value{turned, b.c.g.integers(v.Name, shape...)}, v)
}

// shape returns [n, b, tail...].
func (b *builder) shape(v *Value, tail []int) *Value {
	grid := b.sizeInput(SizeGrid)
	if len(tail) == 0 {
		return grid
	}
	out := b.c.g.temporary(grid)
	b.nodes = append(b.nodes, b.c.g.concat(0, []*Value{grid, b.c.g.integers(v.Name, tail...)}, out))
	return out
}

// sizeInput returns the input by which the part is told sizes, and makes it.
func (b *builder) sizeInput(name string) *Value {
	if !slices.Contains(b.sizes, name) {
		b.sizes = append(b.sizes, name)
	}
	return &Value{Name: name, DType: tensor.Int64}
}

// size makes what a node wants to know of the number of rows.
func (b *builder) size(n *Node, v *Value) (*Value, error) {
	if made := b.sized[v]; made != nil {
		return made, nil
	}
	base, slope, ok := perRow(v)
	if !ok {
		return nil, uncutAt(n, "wants a size that is no multiple of the number of rows")
	}
	g := b.c.g
	rows := b.sizeInput(SizeRows)
	like := &Value{Name: v.Name, DType: tensor.Int64}
	y := b.emit("Mul", []*Value{g.literal(v.Name, tensor.Of(slope), len(slope)), rows}, like)
	y = b.emit("Add", []*Value{y, g.literal(v.Name, tensor.Of(base), len(base))}, like)
	if v.rank() != 1 {
		y = b.emit("Reshape", []*Value{y, g.integers(v.Name, v.Dims[0]...)}, like)
	}
	if v.DType != tensor.Int64 {
		cast := g.temporary(v)
		b.nodes = append(b.nodes, g.node("Cast", []*Value{y}, []*Value{cast}, intAttribute("to", int(elementTypes[v.DType]))))
		y = cast
	}
	b.sized[v] = y
	return y, nil
}

// emit adds a node with an output of its own, which looks like v.
func (b *builder) emit(op string, ins []*Value, v *Value) *Value {
	out := b.c.g.temporary(v)
	b.emitTo(op, ins, out)
	return out
}

func (b *builder) emitTo(op string, ins []*Value, out *Value) {
	b.nodes = append(b.nodes, b.c.g.node(op, ins, []*Value{out}))
}

// handOn returns the value with the rows of v on axis 0, or its pairs.
func (b *builder) handOn(v *Value) *Value {
	if b.part.Paired && b.pairs[v] != nil && b.full[v] {
		return b.pairs[v]
	}
	b.lay(v)
	rows := v
	spec := rowsFirst(v)
	if v.Layout != (Layout{0, 1}) {
		// [d0, ..., rows·group, ...] to [d0, ..., rows, group, ...] to [rows, d0, ...]
		var apart []int
		for axis, d := range v.Dims[0] {
			switch {
			case axis != v.Layout.Axis:
				apart = append(apart, d)
			case v.Layout.Group > 1:
				apart = append(apart, -1, v.Layout.Group)
			default:
				apart = append(apart, -1)
			}
		}
		loose := b.emit("Reshape", []*Value{v, b.c.g.integers(v.Name, apart...)}, v)
		perm := []int{v.Layout.Axis}
		for axis := range apart {
			if axis != v.Layout.Axis {
				perm = append(perm, axis)
			}
		}
		rows = b.c.g.temporary(v)
		b.nodes = append(b.nodes, b.c.g.node("Transpose", []*Value{loose}, []*Value{rows}, intsAttribute("perm", perm...)))
	}
	if !b.part.Paired {
		return rows
	}
	return b.emit("Reshape", []*Value{rows, b.shape(v, spec.Shape[1:])}, v)
}

// program writes the nodes so far as a model.
func (b *builder) program(results ...string) (*Program, error) {
	var outputs []port
	for _, name := range results {
		outputs = append(outputs, port{name: name})
	}
	data, err := b.c.g.write(b.nodes, b.allInputs(), outputs)
	if err != nil {
		return nil, err
	}
	return &Program{Model: data, Sizes: slices.Clone(b.sizes), Results: results}, nil
}

// allInputs returns the inputs with those that tell sizes.
func (b *builder) allInputs() []port {
	inputs := slices.Clone(b.inputs)
	for _, name := range b.sizes {
		p := port{name: name, dtype: tensor.Int64, shape: []int{1}}
		switch name {
		case SizeGrid, SizeFlat:
			p.shape = []int{2}
		case SizePairs:
			p.shape = []int{3}
		case SizeBlocks, SizeWeights:
			p = port{name: name, dtype: tensor.Float64, shape: []int{-1, -1}, paired: true}
		}
		inputs = append(inputs, p)
	}
	return inputs
}
