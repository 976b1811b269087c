package graph

import (
	"errors"
	"fmt"
	"slices"
)

// alongAxes are the operations that reduce, compare or accumulate along axes
// that they name.
var alongAxes = map[string]operation{
	"ReduceMean": reduction, "ReduceSum": reduction, "ReduceMax": reduction, "ReduceMin": reduction,
	"ReduceProd": reduction, "ReduceL1": reduction, "ReduceL2": reduction, "ReduceLogSum": reduction,
	"ReduceLogSumExp": reduction, "ReduceSumSquare": reduction,

	"ArgMax": {place: layArg, rows: at(0), attributes: "axis keepdims select_last_index"},
	"ArgMin": {place: layArg, rows: at(0), attributes: "axis keepdims select_last_index"},

	"Softmax":    {place: laySoftmax, rows: at(0), attributes: "axis"},
	"LogSoftmax": {place: laySoftmax, rows: at(0), attributes: "axis"},
	"Hardmax":    {place: laySoftmax, rows: at(0), attributes: "axis"},

	"CumSum": {place: layCumSum, rows: at(0), attributes: "exclusive reverse"},
	"TopK":   {place: layTopK, rows: at(0), attributes: "axis k largest sorted"},
}

var reduction = operation{place: layReduce, rows: at(0), attributes: "axes keepdims noop_with_empty_axes"}

func layReduce(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	axes, _, err := n.axes(1, x.rank())
	if err != nil {
		return Layout{}, err
	}
	if len(axes) == 0 {
		if n.intAttribute("noop_with_empty_axes", 0) != 0 {
			return x.Layout, nil
		}
		return Layout{}, mixes("reduces over all axes, among them", x.Layout.Axis)
	}
	return n.reduced(x, axes)
}

// reduced returns where the rows of x lie after a reduction over axes.
func (n *Node) reduced(x *Value, axes []int) (Layout, error) {
	l := x.Layout
	if slices.Contains(axes, l.Axis) {
		return Layout{}, mixes("reduces over", l.Axis)
	}
	if n.intAttribute("keepdims", 1) == 0 {
		slices.Sort(axes)
		for _, a := range slices.Compact(axes) {
			if a < x.Layout.Axis {
				l.Axis--
			}
		}
	}
	return l, nil
}

func layArg(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	a, err := axis(n.intAttribute("axis", 0), x.rank())
	if err != nil {
		return Layout{}, err
	}
	return n.reduced(x, []int{a})
}

// softmaxOneAxis is the opset since which a Softmax is over one axis. Before, it
// was over that axis and all behind it.
const softmaxOneAxis = 13

func laySoftmax(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if n.Version >= softmaxOneAxis {
		return n.beside(x.Layout, n.intAttribute("axis", -1), x.rank(), "normalises over")
	}
	return n.before(x, n.intAttribute("axis", 1))
}

// before returns the layout of x for a node that works over an axis and all
// behind it.
func (n *Node) before(x *Value, from int) (Layout, error) {
	a, err := axis(from, x.rank())
	if err != nil {
		return Layout{}, err
	}
	if x.Layout.Axis >= a {
		return Layout{}, fmt.Errorf("mixes rows: it normalises over axis %d and all behind it, and rows lie along %d", a, x.Layout.Axis)
	}
	return x.Layout, nil
}

func layCumSum(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	along, ok := n.in(1).constInts()
	if !ok || len(along) != 1 {
		return Layout{}, errors.New("takes its axis from the data")
	}
	return n.beside(x.Layout, along[0], x.rank(), "adds up along")
}

func layTopK(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return n.beside(x.Layout, n.intAttribute("axis", -1), x.rank(), "sorts")
}
