package graph

import (
	"errors"
	"slices"
)

// normalising are the operations that bring rows to a common scale.
var normalising = map[string]operation{
	"BatchNormalization":    {place: layBatchNorm, rows: at(0), attributes: "epsilon momentum spatial training_mode"},
	"InstanceNormalization": {place: layBatchFirst, rows: at(0), attributes: "epsilon"},
	"GroupNormalization":    {place: layBatchFirst, rows: at(0), attributes: "epsilon num_groups stash_type"},
	"LayerNormalization":    {place: layLayerNorm, rows: at(0), attributes: "axis epsilon stash_type"},
	"RMSNormalization":      {place: layLayerNorm, rows: at(0), attributes: "axis epsilon stash_type"},
	"LpNormalization":       {place: layLpNorm, rows: at(0), attributes: "axis p"},
	"LRN":                   {place: layBatchFirst, rows: at(0), attributes: "alpha beta bias size"},

	"MeanVarianceNormalization": {place: layMeanVariance, rows: at(0), attributes: "axes"},

	microsoft + "SkipLayerNormalization": {place: laySkipLayerNorm, rows: at(0, 1), attributes: "epsilon"},
}

// layBatchNorm knows inference, which scales channels by constants. Before
// opset 14 it is training that has more than one output.
func layBatchNorm(n *Node, out int) (Layout, error) {
	if n.intAttribute("training_mode", 0) != 0 || n.outputs() > 1 {
		return Layout{}, errors.New("is in training mode: it normalises over the batch")
	}
	return layBatchFirst(n, out)
}

// layLayerNorm normalises an axis and all behind it, and scales by constants
// that are aligned from the right.
func layLayerNorm(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	for _, v := range n.In[1:] {
		if v == nil {
			continue
		}
		if err := v.alike(x.Layout.Axis + v.rank() - x.rank()); err != nil {
			return Layout{}, err
		}
	}
	return n.before(x, n.intAttribute("axis", -1))
}

func layLpNorm(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return n.beside(x.Layout, n.intAttribute("axis", -1), x.rank(), "normalises over")
}

func layMeanVariance(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	axes, named, err := n.axes(1, x.rank())
	if err != nil {
		return Layout{}, err
	}
	if !named {
		axes = []int{0, 2, 3}
	}
	if slices.Contains(axes, x.Layout.Axis) {
		return Layout{}, mixes("normalises over", x.Layout.Axis)
	}
	return x.Layout, nil
}

// laySkipLayerNorm adds two tensors and normalises the last axis, along which
// the other inputs lie.
func laySkipLayerNorm(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if _, err := broadcast(n.In...); err != nil {
		return Layout{}, err
	}
	return n.before(x, -1)
}
