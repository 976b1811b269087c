package graph

import (
	"errors"
	"fmt"
	"slices"
)

// moving are the operations that move, repeat or leave out elements by place.
var moving = map[string]operation{
	"Reshape":   {place: layReshape, rows: at(0), shapes: at(1), attributes: "allowzero"},
	"Flatten":   {place: layReshape, rows: at(0), attributes: "axis"},
	"Unsqueeze": {place: layReshape, rows: at(0), attributes: "axes"},
	"Squeeze":   {place: laySqueeze, rows: at(0), attributes: "axes"},
	"Transpose": {place: layTranspose, rows: at(0), attributes: "perm"},
	"Expand":    {place: layExpand, rows: at(0), shapes: at(1)},
	"Tile":      {place: layTile, rows: at(0), shapes: at(1)},
	"Concat":    {place: layConcat, rows: everyInput, attributes: "axis"},
	"Split":     {place: laySplit, rows: at(0), attributes: "axis split num_outputs"},
	"Slice":     {place: laySlice, rows: at(0), shapes: at(1, 2), attributes: "starts ends axes"},
	"Pad":       {place: layPad, rows: at(0), attributes: "mode pads value"},
	"Trilu":     {place: layTrilu, rows: at(0), attributes: "upper"},

	"ReverseSequence": {place: layReverseSequence, rows: at(0, 1), attributes: "batch_axis time_axis"},
}

// layReshape is the rule of all that keeps the elements in their order. In that
// order a tensor is as many runs as the product of the axes before the rows'; a
// run has a stretch of elements for each row, one row after the other. So rows
// keep their elements where an axis has as many runs before it after the change
// as the rows' axis had, and grows with the rows: the stretches of a run are as
// long as they were.
func layReshape(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	first, second := n.Out[out].Dims[0], n.Out[out].Dims[1]
	if len(first) != len(second) || product(first) == 0 || product(x.Dims[0]) != product(first) {
		return Layout{}, fmt.Errorf("makes the shape %v of %v, which is not known to keep rows apart", first, x.Dims[0])
	}
	before := product(x.Dims[0][:x.Layout.Axis])
	for a, d := range first {
		if product(first[:a]) == before && d%lookRows[0] == 0 && second[a] == d/lookRows[0]*lookRows[1] {
			return Layout{Axis: a, Group: d / lookRows[0]}, nil
		}
	}
	return Layout{}, fmt.Errorf("mixes rows: it makes the shape %v of %v, where they lie along axis %d", first, x.Dims[0], x.Layout.Axis)
}

// laySqueeze needs axes that are named: without, the axis of the rows would go
// too when there is a single row.
func laySqueeze(n *Node, out int) (Layout, error) {
	if n.attribute("axes") == nil && n.in(1) == nil {
		return Layout{}, errors.New("takes away the axis of the rows where there is one row: it names no axes")
	}
	return layReshape(n, out)
}

func layTranspose(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	to := x.rank() - 1 - x.Layout.Axis // without an order, axes are reversed
	if perm := n.intsAttribute("perm"); perm != nil {
		to = slices.Index(perm, x.Layout.Axis)
	}
	return Layout{Axis: to, Group: x.Layout.Group}, nil
}

// layExpand aligns from the right, as elementwise operations do. That the rows
// themselves are not repeated shows in the shapes.
func layExpand(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return Layout{Axis: x.Layout.Axis + n.Out[out].rank() - x.rank(), Group: x.Layout.Group}, nil
}

func layTile(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	repeats, ok := n.in(1).intsAtLooks()
	if !ok {
		return Layout{}, errors.New("takes its repeats from the data")
	}
	for _, r := range repeats {
		if len(r) != x.rank() || r[x.Layout.Axis] != 1 {
			return Layout{}, mixes("repeats", x.Layout.Axis)
		}
	}
	return x.Layout, nil
}

// layConcat joins rows with rows: a constant beside them would have a fixed
// number of rows.
func layConcat(n *Node, out int) (Layout, error) {
	for _, v := range n.In {
		if !v.isRows() {
			return Layout{}, errors.New("joins rows with a constant, which has a fixed number of them")
		}
	}
	l, err := agreed(n.In...)
	if err != nil {
		return Layout{}, err
	}
	return n.beside(l, n.intAttribute("axis", 0), n.Out[out].rank(), "joins along")
}

// agreed returns the layout that values of rows have in common.
func agreed(values ...*Value) (Layout, error) {
	l := values[0].Layout
	for _, v := range values[1:] {
		if v.Layout != l || v.rank() != values[0].rank() {
			return Layout{}, fmt.Errorf("mixes rows: they lie along axis %d in groups of %d and along axis %d in groups of %d",
				l.Axis, l.Group, v.Layout.Axis, v.Layout.Group)
		}
	}
	return l, nil
}

// beside returns l for a node that works along another axis than that of the
// rows.
func (n *Node) beside(l Layout, along, rank int, what string) (Layout, error) {
	a, err := axis(along, rank)
	if err != nil {
		return Layout{}, err
	}
	if a == l.Axis {
		return Layout{}, mixes(what, a)
	}
	return l, nil
}

func laySplit(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return n.beside(x.Layout, n.intAttribute("axis", 0), x.rank(), "splits along")
}

// laySlice cuts other axes than that of the rows by constants, and takes all
// rows, one by one, of any number.
func laySlice(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	starts, ends, ok := n.bounds()
	if !ok || len(starts[0]) != len(ends[0]) {
		return Layout{}, errors.New("takes its bounds from the data")
	}
	axes, named, err := n.axes(3, x.rank())
	if err != nil {
		return Layout{}, err
	}
	steps, stepped := n.in(4).constInts()
	if n.in(4) != nil && !stepped {
		return Layout{}, errors.New("takes its steps from the data")
	}
	for i := range starts[0] {
		a := i
		if named {
			if i >= len(axes) {
				return Layout{}, errors.New("has more bounds than axes")
			}
			a = axes[i]
		}
		byOne := !stepped || i < len(steps) && steps[i] == 1
		for look := range looks {
			start, end := starts[look][i], ends[look][i]
			if a != x.Layout.Axis {
				if start != starts[0][i] || end != ends[0][i] {
					return Layout{}, errors.New("uses the number of rows as a number: it cuts another axis by it")
				}
				continue
			}
			// A constant end that is past the last row today is before it tomorrow.
			if start != 0 || !byOne || end < wholeEnd && end != x.Dims[look][a] {
				return Layout{}, mixes("takes a part of", a)
			}
		}
	}
	return x.Layout, nil
}

// bounds returns where a Slice starts and ends, which are attributes in old
// opsets and inputs in new ones.
func (n *Node) bounds() (starts, ends [looks][]int, ok bool) {
	if n.attribute("starts") != nil {
		for look := range looks {
			starts[look], ends[look] = n.intsAttribute("starts"), n.intsAttribute("ends")
		}
		return starts, ends, true
	}
	starts, ok = n.in(1).intsAtLooks()
	if !ok {
		return starts, ends, false
	}
	ends, ok = n.in(2).intsAtLooks()
	return starts, ends, ok && len(starts[0]) == len(starts[1]) && len(ends[0]) == len(ends[1])
}

// layPad pads other axes than that of the rows. Pads are the beginnings of all
// axes and then the ends.
func layPad(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	pads := n.intsAttribute("pads")
	if pads == nil {
		var ok bool
		if pads, ok = n.in(1).constInts(); !ok {
			return Layout{}, errors.New("takes its pads from the data")
		}
	}
	axes, named, err := n.axes(3, x.rank())
	if err != nil {
		return Layout{}, err
	}
	if !named {
		for a := range x.rank() {
			axes = append(axes, a)
		}
	}
	if len(pads) != 2*len(axes) {
		return Layout{}, fmt.Errorf("has %d pads for %d axes", len(pads), len(axes))
	}
	for i, a := range axes {
		if a == x.Layout.Axis && (pads[i] != 0 || pads[i+len(axes)] != 0) {
			return Layout{}, mixes("pads", a)
		}
	}
	return x.Layout, nil
}

// layTrilu knows stacks of matrices: within a matrix the triangle depends on
// the place.
func layTrilu(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if x.Layout.Axis >= x.rank()-2 {
		return Layout{}, fmt.Errorf("depends on the place of a row in the batch: it cuts a triangle along axis %d", x.Layout.Axis)
	}
	return x.Layout, nil
}

// layReverseSequence knows rows along the axis of which each has its length.
func layReverseSequence(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	batch, err := axis(n.intAttribute("batch_axis", 1), x.rank())
	if err != nil {
		return Layout{}, err
	}
	lengths := n.in(1)
	if batch != x.Layout.Axis || !lengths.isRows() || lengths.Layout.Group != x.Layout.Group {
		return Layout{}, errors.New("mixes rows: their lengths lie along another axis")
	}
	return n.beside(x.Layout, n.intAttribute("time_axis", 0), x.rank(), "reverses")
}
