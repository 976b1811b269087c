package graph

import "github.com/intershap/intershap/tensor"

func elementwiseCases() []Case {
	x := []int{-1, 3, 4}
	var cases []Case
	unary := func(version int, in Operand, ops ...string) {
		for _, op := range ops {
			cases = append(cases, Case{Op: op, Version: version, In: []Operand{in}, Out: out(in.Shape)})
		}
	}
	unary(13, rows(x...), "Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos",
		"Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Atanh", "Erf", "Relu", "Sigmoid",
		"Softplus", "Softsign", "Identity", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid")
	unary(14, rows(x...), "HardSwish")
	unary(11, between(1.1, 3, x...), "Acosh")
	unary(11, between(-3, 3, x...), "Round", "ThresholdedRelu", "Shrink", "Floor", "Ceil", "Sign")
	unary(20, rows(2, -3, 4), "Mish", "Gelu", "Sigmoid")
	unary(13, below(2, x...).of(tensor.Bool), "Not")
	unary(18, below(9, x...), "BitwiseNot")
	unary(1, rows(x...), microsoft+"Gelu", microsoft+"QuickGelu")
	cases = append(cases, Case{Op: "Swish", Version: 24, In: []Operand{rows(x...)}, Out: out(x),
		Unrun: "the operation is newer than the runtime"})
	for _, op := range []string{"IsNaN", "IsInf"} {
		cases = append(cases, Case{Op: op, Version: 13, In: []Operand{rows(x...)}, Out: out(x),
			Unrun: "inputs are finite, so that all rows get the same answer"})
	}

	binary := func(version int, a, b Operand, shape []int, ops ...string) {
		for _, op := range ops {
			cases = append(cases, Case{Op: op, Version: version, In: []Operand{a, b}, Out: out(shape)})
		}
	}
	binary(13, rows(x...), rows(x...), x, "Add", "Sub", "Mul", "Div", "Pow", "Greater", "Less", "Min", "Max", "Mean", "Sum")
	binary(13, below(3, x...), below(3, x...), x, "Equal")
	binary(16, rows(x...), weights(1, 1, 4), x, "PRelu", "GreaterOrEqual", "LessOrEqual", "Add")
	binary(7, rows(x...), weights(4), x, "Add", "Mul", "Less")
	binary(13, below(2, x...).of(tensor.Bool), below(2, x...).of(tensor.Bool), x, "And", "Or", "Xor")
	binary(18, below(9, x...), below(9, -1, 1, 4), x, "BitwiseAnd", "BitwiseOr", "BitwiseXor")
	binary(13, below(9, x...), constant[int64](2, 3, 4, 5), x, "Mod")
	binary(1, rows(x...), weights(4), x, microsoft+"BiasGelu", microsoft+"FastGelu")
	// Rows behind another axis, and in groups.
	binary(13, rows(2, -3, 4), rows(-3, 4), []int{2, -3, 4}, "Add")
	binary(13, rows(-1, 4), weights(3, 1, 4), []int{3, -1, 4}, "Mul")
	binary(13, rows(-2, 4), weights(1, 4), []int{-2, 4}, "Sub")

	const place = "depends on the place of a row"
	return append(cases,
		Case{Op: "Add", Version: 13, In: []Operand{rows(-1, 3), rows(-1, 3, 3)}, Out: out([]int{-1, -1, 3}), Refuse: "mixes rows"},
		Case{Op: "Add", Version: 13, In: []Operand{rows(-1, 4), rows(4, -1)}, Out: out([]int{-1, 4}), Refuse: "mixes rows"},
		Case{Op: "Add", Version: 13, In: []Operand{rows(-2, 4), rows(-1, 4)}, Out: out([]int{-2, 4}), Refuse: "mixes rows"},
		Case{Op: "Add", Version: 13, In: []Operand{rows(-1), weights(5)}, Out: out([]int{-1}), Refuse: place},
		Case{Op: "Mul", Version: 13, In: []Operand{rows(-1, 4), weights(5, 4)}, Out: out([]int{-1, 4}), Refuse: place},
		Case{Op: "Div", Version: 13, In: []Operand{rows(-1, 4), sized(func(n int) []int64 { return []int64{int64(n)} })},
			Out: out([]int{-1, 4}), Refuse: "uses the number of rows as a number"},
		Case{Op: "Relu", Version: 13, Attributes: attrs(intAttr("axis", 0)), In: []Operand{rows(x...)}, Out: out(x), Refuse: `attribute "axis"`},
		Case{Op: "Relu", Version: 6, In: []Operand{rows(x...)}, Out: out(x), Refuse: "opset 6"},
		Case{Op: "Relu", Version: 26, In: []Operand{rows(x...)}, Out: out(x), Refuse: "opset 26"},
		Case{Op: "Relu", Version: 13, In: []Operand{rows(x...)}, Out: out([]int{5, 3, 4}), Refuse: "has the shape"},

		Case{Op: "Where", Version: 16, In: []Operand{below(2, -1, 1).of(tensor.Bool), rows(-1, 4), scalar[float32](7)}, Out: out([]int{-1, 4})},
		Case{Op: "Where", Version: 16, In: []Operand{below(2, 4).of(tensor.Bool), rows(-1, 4), rows(-1, 1)}, Out: out([]int{-1, 4})},
		Case{Op: "Max", Version: 13, In: []Operand{rows(-1, 4), weights(4), rows(-1, 1)}, Out: out([]int{-1, 4})},
		Case{Op: "Mod", Version: 13, Attributes: attrs(intAttr("fmod", 1)), In: []Operand{rows(x...), rows(x...)}, Out: out(x)},
		Case{Op: "BitShift", Version: 11, Attributes: attrs(stringAttr("direction", "LEFT")),
			In: []Operand{below(9, x...).of(tensor.Uint64), constant[uint64](1, 2, 3, 4)}, Out: out(x)},
		Case{Op: "Cast", Version: 13, Attributes: attrs(intAttr("to", 11)), In: []Operand{rows(x...)}, Out: out(x)},
		Case{Op: "CastLike", Version: 15, In: []Operand{rows(x...), scalar[float64](0)}, Out: out(x)},
		Case{Op: "Clip", Version: 13, In: []Operand{rows(x...), scalar[float32](.2), scalar[float32](.7)}, Out: out(x)},
		Case{Op: "Clip", Version: 13, In: []Operand{rows(x...), none, scalar[float32](.7)}, Out: out(x)},
		Case{Op: "Clip", Version: 7, Attributes: attrs(floatAttr("min", .2), floatAttr("max", .7)), In: []Operand{rows(x...)}, Out: out(x)},
		Case{Op: "Clip", Version: 13, In: []Operand{rows(-1, 4), weights(4)}, Out: out([]int{-1, 4}), Refuse: "bounds that are not one number"},
		Case{Op: "Clip", Version: 13, In: []Operand{rows(-1), rows(-1)}, Out: out([]int{-1}), Refuse: "takes rows as input 1"},

		Case{Op: "Dropout", Version: 13, In: []Operand{rows(x...), scalar[float32](.5), scalar(false)}, Out: out(x)},
		Case{Op: "Dropout", Version: 13, In: []Operand{rows(x...)}, Out: out(x, x)},
		Case{Op: "Dropout", Version: 7, Attributes: attrs(floatAttr("ratio", .5)), In: []Operand{rows(x...)}, Out: out(x)},
		Case{Op: "Dropout", Version: 13, In: []Operand{rows(x...), scalar[float32](.5), scalar(true)}, Out: out(x), Refuse: "training mode"},
		Case{Op: "Dropout", Version: 13, In: []Operand{rows(x...), none, Operand{DType: tensor.Bool, Shape: []int{}}}, Out: out(x), Refuse: "training mode"},

		Case{Op: "QuantizeLinear", Version: 13, In: []Operand{rows(x...), scalar[float32](.01), scalar[uint8](3)}, Out: out(x)},
		Case{Op: "QuantizeLinear", Version: 13, Attributes: attrs(intAttr("axis", -1)),
			In: []Operand{rows(x...), constant[float32](.01, .02, .03, .04)}, Out: out(x)},
		Case{Op: "DequantizeLinear", Version: 13, In: []Operand{below(200, x...).of(tensor.Uint8), constant[float32](.01, .02, .03)}, Out: out(x)},
		Case{Op: "QuantizeLinear", Version: 13, Attributes: attrs(intAttr("axis", 0)),
			In: []Operand{rows(-1, 4), constant[float32](.01, .02, .03, .04, .05)}, Out: out([]int{-1, 4}), Refuse: place},
		Case{Op: "DequantizeLinear", Version: 21, Attributes: attrs(intAttr("block_size", 2)),
			In: []Operand{rows(x...), weights(5, 3, 4)}, Out: out(x), Refuse: "in blocks"},
	)
}
