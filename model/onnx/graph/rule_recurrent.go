package graph

import (
	"errors"
	"fmt"
)

// recurrent are the networks that go through sequences.
var recurrent = map[string]operation{
	"RNN":  {place: layRecurrent, rows: at(0, 4, 5), attributes: recurrentAttributes},
	"GRU":  {place: layRecurrent, rows: at(0, 4, 5), attributes: recurrentAttributes + " linear_before_reset"},
	"LSTM": {place: layRecurrent, rows: at(0, 4, 5, 6), attributes: recurrentAttributes + " input_forget"},
}

const recurrentAttributes = "activation_alpha activation_beta activations clip direction hidden_size layout"

// layRecurrent knows the place of the batch in every input and output: the
// sequence is [steps, batch, entries], lengths are [batch], states are
// [directions, batch, hidden], the output is [steps, directions, batch, hidden];
// the batch comes first in layout 1.
func layRecurrent(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	sequence, whole := 1, 2
	switch n.intAttribute("layout", 0) {
	case 0:
	case 1:
		sequence, whole = 0, 0
	default:
		return Layout{}, errors.New("has an unknown layout")
	}
	for i, v := range n.In {
		want := sequence
		switch {
		case v == nil || i > 0 && i < 4 || i > 6: // weights, biases, peepholes
			continue
		case i == 4:
			want = 0
		}
		if !v.isRows() {
			return Layout{}, fmt.Errorf("has a constant %q for a fixed number of rows", v.Name)
		}
		if v.Layout.Axis != want || v.Layout.Group != x.Layout.Group {
			return Layout{}, fmt.Errorf("mixes rows: those of input %d lie along axis %d in groups of %d, want axis %d and groups of %d",
				i, v.Layout.Axis, v.Layout.Group, want, x.Layout.Group)
		}
	}
	if out == 0 {
		return Layout{Axis: whole, Group: x.Layout.Group}, nil
	}
	return Layout{Axis: sequence, Group: x.Layout.Group}, nil
}
