package graph

import (
	"bytes"
	"slices"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// analyse says of every value how it depends on rows and on modalities, and
// proves that no node mixes rows.
func (g *Graph) analyse() error {
	for _, l := range g.leaves {
		v := g.values[l.Name]
		v.Kind, v.Layout, v.Players = Rows, Layout{Axis: 0, Group: 1}, bit(l.Player)
	}
	for _, n := range g.nodes {
		if err := g.analyseNode(n); err != nil {
			return err
		}
	}
	return nil
}

// bit returns the set of one owner of elements.
func bit(player int) Set {
	if player < 0 {
		return 1 << Fixed
	}
	return 1 << player
}

func (g *Graph) analyseNode(n *Node) error {
	if refused[n.Op] == becauseRandom {
		return uncutAt(n, "%s", becauseRandom) // whatever it takes
	}
	if n.Op == "If" {
		return g.analyseIf(n)
	}
	kind, players := Constant, Set(0)
	for _, v := range n.In {
		if v == nil {
			continue
		}
		kind = max(kind, v.Kind)
		players |= v.Players
	}
	if n.Op == "Shape" || n.Op == "Size" {
		// A shape does not depend on what is in a tensor.
		if kind == Rows {
			kind = Sized
		}
		players = 0
	}
	switch kind {
	case Constant:
		for _, v := range n.Out {
			if v != nil {
				v.Kind, v.Players = Constant, 0
			}
		}
		return nil
	case Sized:
		return g.analyseSizes(n)
	}
	if err := layRows(n); err != nil {
		return uncutAt(n, "%s", strings.TrimPrefix(err.Error(), "graph: "))
	}
	for _, v := range n.Out {
		if v != nil && v.Kind == Rows {
			v.Players = players
		}
	}
	return nil
}

// analyseSizes treats a node that knows the number of rows and no row. Elements
// of its outputs must be constants or multiples of the number of rows, for all
// numbers and not for those of the looks alone: so the operations are few.
func (g *Graph) analyseSizes(n *Node) error {
	if err := soundSizes(n); err != nil {
		return err
	}
	for _, v := range n.Out {
		if v == nil {
			continue
		}
		first, second := v.Dims[0], v.Dims[1]
		switch {
		case !slices.Equal(first, second):
			axis, group := scaled(first, second)
			// Filling with one value gives rows that are all alike; counting or
			// repeating may not.
			if axis < 0 || n.Op != "ConstantOfShape" && n.Op != "Expand" {
				return uncutAt(n, "makes as many values as there are rows, which need not be alike")
			}
			if n.Op == "Expand" && alongRows(n.In[0], len(first), axis) != 1 {
				return uncutAt(n, "repeats values along the rows")
			}
			v.Kind, v.Layout, v.Players = Rows, Layout{Axis: axis, Group: group}, 0
		case v.Content[0].DType() == 0 || v.Content[1].DType() == 0:
			return uncutAt(n, "computes from the number of rows what is too large or of too rare a type to look at")
		case sameContent(v.Content[0], v.Content[1]):
			// It is one of the other axes that was measured.
			v.Kind = Constant
			g.freeze(n, v)
		default:
			if _, _, ok := perRow(v); !ok {
				return uncutAt(n, "computes from the number of rows what is no multiple of it")
			}
			v.Kind = Sized
		}
	}
	return nil
}

// sizesMoved lists operations that put sizes elsewhere and change none.
var sizesMoved = []string{
	"Cast", "ConstantOfShape", "Flatten", "Gather", "Identity", "Reshape", "Shape", "Size", "Slice", "Split",
	"Squeeze", "Transpose", "Unsqueeze",
}

// soundSizes reports whether what a node does with a multiple of the number of
// rows gives a constant or a multiple again, or is told from the looks if it does
// not. A remainder, for one, may be the same at both looks and not at a third.
func soundSizes(n *Node) error {
	switch {
	case n.Op == "Concat" || n.Op == "Expand":
		return nil
	case slices.Contains(sizesMoved, n.Op):
		// Where to take from must not depend on the rows.
		if !slices.ContainsFunc(n.In[1:], (*Value).varies) {
			return nil
		}
	case n.Op == "Mul" || n.Op == "ReduceProd":
		return nil // the square of the number of rows grows faster, and is seen to
	case n.Op == "Where":
		if !n.In[0].varies() {
			return nil
		}
	case n.Op == "Equal":
		// Exporters ask whether a length is -1, which it never is.
		a, b := n.In[0], n.In[1]
		if a.varies() && b.atMost(0) || b.varies() && a.atMost(0) {
			return nil
		}
	}
	if !slices.ContainsFunc(n.In, (*Value).varies) {
		return nil // constants alone, that were measured
	}
	return uncutAt(n, "computes with the number of rows")
}

// varies reports whether a value has an element that grows with the rows.
func (v *Value) varies() bool {
	return v != nil && v.Kind == Sized && !sameContent(v.Content[0], v.Content[1])
}

// atMost reports whether no element of a value is above a bound at any look.
func (v *Value) atMost(bound int) bool {
	for look := range looks {
		content, ok := v.ints(look)
		if !ok || slices.ContainsFunc(content, func(x int) bool { return x > bound }) {
			return false
		}
	}
	return true
}

// freeze makes a weight of a value that was computed from shapes and is the same
// for all batches: behind the cut those shapes are not there.
func (g *Graph) freeze(n *Node, v *Value) {
	if len(n.Out) != 1 {
		v.Kind = Sized // written like one: base + 0·rows
		return
	}
	w := g.literal(v.Name, v.Content[0], v.Dims[0]...)
	n.Proto, n.Op, n.In = identity(w, v), "Identity", []*Value{w}
	n.Version = g.opset
}

// scaled returns the only axis along which the dimensions grow with the rows.
func scaled(first, second []int) (axis, group int) {
	axis = -1
	if len(first) != len(second) {
		return -1, 0
	}
	for i := range first {
		if first[i] == second[i] {
			continue
		}
		if axis >= 0 || first[i]%lookRows[0] != 0 || second[i]*lookRows[0] != first[i]*lookRows[1] {
			return -1, 0
		}
		axis, group = i, first[i]/lookRows[0]
	}
	return axis, group
}

// alongRows returns the length that a constant has on an axis of the value that
// it is spread over.
func alongRows(v *Value, rank, axis int) int {
	at := axis - (rank - len(v.Dims[0]))
	if at < 0 {
		return 1
	}
	return v.Dims[0][at]
}

func sameContent(a, b tensor.Tensor) bool {
	return a.DType() != 0 && a.DType() == b.DType() && bytes.Equal(a.Bytes(), b.Bytes())
}

// perRow returns a Sized value's content as base + slope·rows, element by element.
func perRow(v *Value) (base, slope []int64, ok bool) {
	x, known := v.ints(0)
	y, same := v.ints(1)
	if !known || !same || len(x) != len(y) {
		return nil, nil, false
	}
	for i := range x {
		switch {
		case x[i] == y[i]:
			base, slope = append(base, int64(x[i])), append(slope, 0)
		case x[i]%lookRows[0] == 0 && y[i]*lookRows[0] == x[i]*lookRows[1]:
			base, slope = append(base, 0), append(slope, int64(x[i]/lookRows[0]))
		default:
			return nil, nil, false
		}
	}
	return base, slope, true
}
