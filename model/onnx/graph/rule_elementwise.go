package graph

import (
	"errors"
	"fmt"
)

// elementwise are the operations that make each element of the elements at the
// same place.
var elementwise = map[string]operation{
	"Abs": unary(""), "Neg": unary(""), "Exp": unary(""), "Log": unary(""), "Sqrt": unary(""),
	"Reciprocal": unary(""), "Floor": unary(""), "Ceil": unary(""), "Round": unary(""), "Sign": unary(""),
	"Sin": unary(""), "Cos": unary(""), "Tan": unary(""), "Asin": unary(""), "Acos": unary(""), "Atan": unary(""),
	"Sinh": unary(""), "Cosh": unary(""), "Tanh": unary(""), "Asinh": unary(""), "Acosh": unary(""), "Atanh": unary(""),
	"Erf": unary(""), "Relu": unary(""), "Sigmoid": unary(""), "HardSwish": unary(""), "Softplus": unary(""),
	"Softsign": unary(""), "Mish": unary(""), "Identity": unary(""), "Not": unary(""), "IsNaN": unary(""),
	"BitwiseNot": unary(""),

	"LeakyRelu": unary("alpha"), "Elu": unary("alpha"), "Selu": unary("alpha gamma"), "Celu": unary("alpha"),
	"HardSigmoid": unary("alpha beta"), "ThresholdedRelu": unary("alpha"), "Shrink": unary("lambd bias"),
	"Gelu": unary("approximate"), "Swish": unary("alpha"), "IsInf": unary("detect_negative detect_positive"),
	"Cast": unary("to saturate round_mode"),

	microsoft + "Gelu": unary(""), microsoft + "QuickGelu": unary("alpha"),

	"Clip":     {place: layClip, rows: at(0), attributes: "min max"},
	"CastLike": {place: layFirst, rows: at(0, 1), attributes: "saturate round_mode"},
	"Dropout":  {place: layDropout, rows: at(0), attributes: "ratio seed"},

	"QuantizeLinear":   {place: layQuantized, rows: at(0), attributes: "axis block_size saturate output_dtype precision"},
	"DequantizeLinear": {place: layQuantized, rows: at(0), attributes: "axis block_size output_dtype"},

	"Add": nary(""), "Sub": nary(""), "Mul": nary(""), "Div": nary(""), "Pow": nary(""), "Mod": nary("fmod"),
	"And": nary(""), "Or": nary(""), "Xor": nary(""), "Equal": nary(""), "Greater": nary(""), "Less": nary(""),
	"GreaterOrEqual": nary(""), "LessOrEqual": nary(""), "Where": nary(""), "Min": nary(""), "Max": nary(""),
	"Mean": nary(""), "Sum": nary(""), "PRelu": nary(""), "BitShift": nary("direction"),
	"BitwiseAnd": nary(""), "BitwiseOr": nary(""), "BitwiseXor": nary(""),

	microsoft + "BiasGelu": nary(""), microsoft + "FastGelu": nary(""),
}

func unary(attributes string) operation {
	return operation{place: layFirst, rows: at(0), attributes: attributes}
}

func nary(attributes string) operation {
	return operation{place: layBroadcast, rows: everyInput, attributes: attributes}
}

func layBroadcast(n *Node, _ int) (Layout, error) { return broadcast(n.In...) }

// broadcast returns where the rows lie in what comes of aligning the shapes of
// values from the right. Rows must meet rows of the same place, and constants
// must be the same for all rows.
func broadcast(values ...*Value) (Layout, error) {
	rank := 0
	for _, v := range values {
		if v != nil {
			rank = max(rank, v.rank())
		}
	}
	l, found := Layout{}, false
	for _, v := range values {
		if !v.isRows() {
			continue
		}
		own := Layout{Axis: v.Layout.Axis + rank - v.rank(), Group: v.Layout.Group}
		if found && own != l {
			return Layout{}, fmt.Errorf("mixes rows: they lie along axis %d in groups of %d and along axis %d in groups of %d",
				l.Axis, l.Group, own.Axis, own.Group)
		}
		l, found = own, true
	}
	if !found {
		return Layout{}, errors.New("takes rows as an input that is not known to keep them apart")
	}
	for _, v := range values {
		if v == nil || v.isRows() {
			continue
		}
		if err := v.alike(l.Axis + v.rank() - rank); err != nil {
			return Layout{}, err
		}
	}
	return l, nil
}

// alike checks that a constant meets all rows with the same elements: that it
// is of length 1 along the axis of the rows, or ends before it.
func (v *Value) alike(axis int) error {
	if axis >= 0 && v.Dims[0][axis] != 1 {
		return fmt.Errorf("depends on the place of a row in the batch: the constant %q has length %d along the rows",
			v.Name, v.Dims[0][axis])
	}
	return nil
}

// layClip knows bounds that are one number for all elements.
func layClip(n *Node, out int) (Layout, error) {
	if !n.in(1).single() || !n.in(2).single() {
		return Layout{}, errors.New("clips to bounds that are not one number")
	}
	return layFirst(n, out)
}

// layDropout knows inference. Before opset 12 the operation is defined for it
// alone; since then a constant may ask for training.
func layDropout(n *Node, out int) (Layout, error) {
	if mode := n.in(2); mode != nil {
		training, ok := mode.floats()
		if !ok || len(training) != 1 || training[0] != 0 {
			return Layout{}, errors.New("is or may be in training mode: it is random")
		}
	}
	return layFirst(n, out)
}

// layQuantized knows a scale that is one number, or one for each entry of
// another axis than that of the rows.
func layQuantized(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if n.intAttribute("block_size", 0) != 0 {
		return Layout{}, errors.New("scales in blocks, which is not known to keep rows apart")
	}
	if n.in(1).single() && n.in(2).single() {
		return x.Layout, nil
	}
	// The default is an axis that a tensor of one axis does not have.
	a, err := axis(n.intAttribute("axis", 1), x.rank())
	if err != nil {
		return Layout{}, err
	}
	if a == x.Layout.Axis {
		return Layout{}, fmt.Errorf("depends on the place of a row in the batch: it scales along axis %d", a)
	}
	return x.Layout, nil
}
