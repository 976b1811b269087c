package graph

import (
	"errors"
	"fmt"
)

// attentive are the operations of transformers, whose rows are axis 0.
var attentive = map[string]operation{
	"Attention": {place: layAttention, rows: at(0, 1, 2, 3),
		attributes: "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision"},
	"RotaryEmbedding": {place: layRotary, rows: at(0, 1, 2, 3), attributes: "interleaved num_heads rotary_embedding_dim"},
}

// layAttention knows queries, keys and values of the same rows, without a cache
// of the past. The mask is aligned from the right with the scores, [batch,
// heads, queries, keys].
func layAttention(n *Node, _ int) (Layout, error) {
	const inputs, mask, scoreRank = 3, 3, 4
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	for i, v := range n.In {
		switch {
		case i < inputs:
			if !v.isRows() || v.Layout.Axis != 0 || v.Layout.Group != x.Layout.Group {
				return Layout{}, fmt.Errorf("mixes rows: input %d does not have them along axis 0 as the first has", i)
			}
		case v == nil:
		case i > mask:
			return Layout{}, errors.New("has a cache, which is not known to keep rows apart")
		case v.isRows():
			if v.rank() != scoreRank || v.Layout.Axis != 0 || v.Layout.Group != x.Layout.Group {
				return Layout{}, errors.New("mixes rows: its mask does not have them along axis 0 of 4")
			}
		case v.rank() > scoreRank:
			return Layout{}, fmt.Errorf("has a mask of %d axes", v.rank())
		default:
			if err := v.alike(v.rank() - scoreRank); err != nil {
				return Layout{}, err
			}
		}
	}
	if n.outputs() > 1 {
		return Layout{}, errors.New("gives its cache away, which is not known to keep rows apart")
	}
	return x.Layout, nil
}

// layRotary knows caches of each row, or constant ones that rows of positions
// are looked up in.
func layRotary(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	cos, sin, positions := n.in(1), n.in(2), n.in(3)
	byRow := []*Value{x, cos, sin}
	if positions != nil {
		if cos.isRows() || sin.isRows() {
			return Layout{}, errors.New("looks up positions in caches of rows, which is not known to keep them apart")
		}
		byRow = []*Value{x, positions}
	}
	for _, v := range byRow {
		if !v.isRows() || v.Layout.Axis != 0 || v.Layout.Group != x.Layout.Group {
			return Layout{}, errors.New("depends on the place of a row in the batch: it has caches or positions of a fixed number of rows")
		}
	}
	return x.Layout, nil
}
