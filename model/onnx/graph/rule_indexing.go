package graph

import "errors"

// indexing are the operations that take indices.
var indexing = map[string]operation{
	"Gather":          {place: layGather, rows: at(0, 1), attributes: "axis"},
	"GatherElements":  {place: layGatherElements, rows: at(0, 1), attributes: "axis"},
	"GatherND":        {place: layGatherND, rows: at(0, 1), attributes: "batch_dims"},
	"ScatterElements": {place: layScatterElements, rows: at(0, 1, 2), attributes: "axis reduction"},
	"OneHot":          {place: layOneHot, rows: at(0), attributes: "axis"},

	onnxML + "ArrayFeatureExtractor": {place: layArrayFeatures, rows: at(0)},
}

var errIndexedRows = errors.New("mixes rows: its indices name rows")

// layGather knows constant indices into another axis than that of the rows, and
// rows of indices into a constant, as into a table of embeddings. The axes of
// the indices stand in the place of the axis.
func layGather(n *Node, _ int) (Layout, error) {
	data, indices := n.in(0), n.in(1)
	if data == nil || indices == nil || data.isRows() && indices.isRows() {
		return Layout{}, errors.New("picks from rows by rows, which is not known to keep them apart")
	}
	a, err := axis(n.intAttribute("axis", 0), data.rank())
	if err != nil {
		return Layout{}, err
	}
	if indices.isRows() {
		return Layout{Axis: a + indices.Layout.Axis, Group: indices.Layout.Group}, nil
	}
	l := data.Layout
	switch {
	case a == l.Axis:
		return Layout{}, errIndexedRows
	case a < l.Axis:
		l.Axis += indices.rank() - 1
	}
	return l, nil
}

// layGatherElements picks, for each place, from the same place along all axes
// but one. That one may be the rows' where it is a constant that is picked from.
func layGatherElements(n *Node, _ int) (Layout, error) {
	data, indices := n.in(0), n.in(1)
	if data == nil || !indices.isRows() {
		return Layout{}, errors.New("picks by a constant, which has a fixed number of rows")
	}
	a, err := axis(n.intAttribute("axis", 0), data.rank())
	if err != nil {
		return Layout{}, err
	}
	if !data.isRows() {
		if a != indices.Layout.Axis {
			return Layout{}, errors.New("depends on the place of a row in the batch: it picks for each from another part of a constant")
		}
		return indices.Layout, nil
	}
	l, err := agreed(data, indices)
	if err != nil {
		return Layout{}, err
	}
	if a == l.Axis {
		return Layout{}, errIndexedRows
	}
	return l, nil
}

// layGatherND knows rows of indices into the same row of the data, the rows
// being among the batch axes, and rows of indices into a constant.
func layGatherND(n *Node, _ int) (Layout, error) {
	data, indices := n.in(0), n.in(1)
	if data == nil || !indices.isRows() {
		return Layout{}, errors.New("picks from rows by a constant, which is not known to keep them apart")
	}
	batch, l := n.intAttribute("batch_dims", 0), indices.Layout
	switch {
	case l.Axis == indices.rank()-1:
		return Layout{}, errIndexedRows
	case data.isRows() && (data.Layout != l || l.Axis >= batch):
		return Layout{}, errIndexedRows
	case !data.isRows() && l.Axis < batch:
		return Layout{}, errors.New("depends on the place of a row in the batch: it picks for each from another part of a constant")
	}
	return l, nil
}

// layScatterElements changes, for each place, the same place along all axes but
// one, which is not the rows'.
func layScatterElements(n *Node, _ int) (Layout, error) {
	data, indices, updates := n.in(0), n.in(1), n.in(2)
	if !data.isRows() || !indices.isRows() || !updates.isRows() {
		return Layout{}, errors.New("changes rows by a constant, which has a fixed number of them")
	}
	l, err := agreed(data, indices, updates)
	if err != nil {
		return Layout{}, err
	}
	return n.beside(l, n.intAttribute("axis", 0), data.rank(), "changes by indices")
}

// layOneHot adds an axis.
func layOneHot(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if !n.in(1).single() {
		return Layout{}, errors.New("takes its depth from the data")
	}
	a, err := axis(n.intAttribute("axis", -1), x.rank()+1)
	if err != nil {
		return Layout{}, err
	}
	l := x.Layout
	if a <= l.Axis {
		l.Axis++
	}
	return l, nil
}

// layArrayFeatures picks entries of the last axis.
func layArrayFeatures(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return n.beside(x.Layout, -1, x.rank(), "picks from")
}
