package graph

import (
	"errors"
	"fmt"
)

// matrix are the products of matrices.
var matrix = map[string]operation{
	"MatMul":        {place: layMatMul, rows: at(0, 1)},
	"Gemm":          {place: layGemm, rows: at(0, 1, 2), attributes: "alpha beta transA transB"},
	"MatMulInteger": {place: layMatMulInteger, rows: at(0, 1)},
	"QLinearMatMul": {place: layQLinearMatMul, rows: at(0, 3)},
	"Einsum":        {place: layEinsum, rows: everyInput, attributes: "equation"},

	microsoft + "FusedMatMul": {place: layFusedMatMul, rows: at(0, 1), attributes: "alpha transA transB transBatchA transBatchB"},
}

func layMatMul(n *Node, _ int) (Layout, error) {
	return multiply(factor{n.in(0), false}, factor{n.in(1), false})
}

// A factor of a product of matrices, with its last two axes exchanged or not.
type factor struct {
	*Value
	transposed bool
}

// Places of axes in a product, counted from the right: places past these are
// those of the stack of matrices.
const (
	lastPlace   = 0
	secondPlace = 1
	stackPlace  = 2
)

// placeOf returns the place of an axis of the factor after the promotion of
// vectors: a left vector is a row, [1, K], a right one a column, [K, 1].
func (f factor) placeOf(axis int, left bool) int {
	place := f.rank() - 1 - axis
	switch {
	case f.rank() == 1 && !left:
		return secondPlace
	case f.rank() > 1 && f.transposed && place < stackPlace:
		return secondPlace - place
	}
	return place
}

// multiply returns where the rows lie in the product of two stacks of matrices,
// [..., M, K] and [..., K, P].
func multiply(a, b factor) (Layout, error) {
	if a.Value == nil || b.Value == nil || a.rank() == 0 || b.rank() == 0 {
		return Layout{}, errors.New("lacks a factor")
	}
	place, group := 0, 0
	switch {
	case a.isRows() && b.isRows():
		place, group = a.placeOf(a.Layout.Axis, true), a.Layout.Group
		if other := b.placeOf(b.Layout.Axis, false); place != other || place < stackPlace || group != b.Layout.Group {
			return Layout{}, errors.New("mixes rows: it multiplies the rows of the batch with one another")
		}
	case a.isRows():
		place, group = a.placeOf(a.Layout.Axis, true), a.Layout.Group
		if place == lastPlace {
			return Layout{}, mixes("adds up over", a.Layout.Axis)
		}
		if err := b.alikeInStack(place); err != nil {
			return Layout{}, err
		}
	case b.isRows():
		place, group = b.placeOf(b.Layout.Axis, false), b.Layout.Group
		if place == secondPlace {
			return Layout{}, mixes("adds up over", b.Layout.Axis)
		}
		if err := a.alikeInStack(place); err != nil {
			return Layout{}, err
		}
	default:
		return Layout{}, errors.New("takes rows as an input that is not known to keep them apart")
	}
	// The product has the axes of a stack of matrices, less those that vectors
	// were promoted by.
	rank := max(a.rank(), b.rank(), stackPlace)
	at := rank - 1 - place
	if a.rank() == 1 && place == lastPlace {
		at--
	}
	return Layout{Axis: at, Group: group}, nil
}

// alikeInStack checks that the constant factor is the same for all matrices of
// a stack of which each belongs to a row.
func (f factor) alikeInStack(place int) error {
	if place < stackPlace {
		return nil
	}
	return f.alike(f.rank() - 1 - place)
}

// layGemm knows rows of A, or columns of B; C is added to them.
func layGemm(n *Node, _ int) (Layout, error) {
	a := factor{n.in(0), n.intAttribute("transA", 0) != 0}
	b := factor{n.in(1), n.intAttribute("transB", 0) != 0}
	l, err := multiply(a, b)
	if err != nil {
		return Layout{}, err
	}
	c := n.in(2)
	if c == nil {
		return l, nil
	}
	lag := 2 - c.rank()
	if !c.isRows() {
		return l, c.alike(l.Axis - lag)
	}
	if own := (Layout{c.Layout.Axis + lag, c.Layout.Group}); own != l {
		return Layout{}, fmt.Errorf("mixes rows: those of the product lie along axis %d, those that are added along %d", l.Axis, own.Axis)
	}
	return l, nil
}

func layFusedMatMul(n *Node, _ int) (Layout, error) {
	if n.intAttribute("transBatchA", 0) != 0 || n.intAttribute("transBatchB", 0) != 0 {
		return Layout{}, errors.New("exchanges the axes of the stack, which is not known to keep rows apart")
	}
	return multiply(factor{n.in(0), n.intAttribute("transA", 0) != 0}, factor{n.in(1), n.intAttribute("transB", 0) != 0})
}

// layMatMulInteger knows zero points that are one number.
func layMatMulInteger(n *Node, out int) (Layout, error) {
	if !n.in(2).single() || !n.in(3).single() {
		return Layout{}, errors.New("has zero points for rows or columns, which is not known to keep rows apart")
	}
	return layMatMul(n, out)
}

// layQLinearMatMul knows scales that are one number, save those of a constant
// right factor.
func layQLinearMatMul(n *Node, _ int) (Layout, error) {
	a, b := n.in(0), n.in(3)
	for i := 1; i < len(n.In); i++ {
		ofConstantFactor := (i == 4 || i == 5) && !b.isRows()
		if i != 3 && !ofConstantFactor && !n.in(i).single() {
			return Layout{}, fmt.Errorf("has scales for rows or columns as input %d, which is not known to keep rows apart", i)
		}
	}
	if !b.isRows() {
		// Scales of columns are [P], or [..., 1, P] beside a stack of matrices.
		for _, i := range []int{4, 5} {
			if s := n.in(i); s != nil && s.rank() > 1 && product(s.Dims[0]) != s.Dims[0][s.rank()-1] {
				return Layout{}, errors.New("has scales for the matrices of a stack, which is not known to keep rows apart")
			}
		}
	}
	return multiply(factor{a, false}, factor{b, false})
}
