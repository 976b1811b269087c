package graph

import (
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

func movingCases() []Case {
	to := func(in, shape []int, target Operand) Case {
		return Case{Op: "Reshape", Version: 13, In: []Operand{rows(in...), target}, Out: out(shape)}
	}
	refused := func(why string, c Case) Case { return c.refuse(why) }
	one := func(op string, version int, in, shape []int, a ...any) Case {
		c := Case{Op: op, Version: version, In: []Operand{rows(in...)}, Out: out(shape)}
		for _, x := range a {
			switch x := x.(type) {
			case Operand:
				c.In = append(c.In, x)
			default:
				c.Attributes = append(c.Attributes, x.(*onnxpb.AttributeProto))
			}
		}
		return c
	}
	n := func(n int) int64 { return int64(n) }
	const mixed = "mixes rows"
	return []Case{
		to([]int{-1, 12}, []int{-1, 3, 4}, ints(-1, 3, 4)),
		to([]int{-1, 12}, []int{-1, 3, 4}, ints(0, 3, 4)),
		to([]int{-1, 3, 4}, []int{-3, 4}, ints(-1, 4)),
		to([]int{-3, 4}, []int{-1, 3, 4}, ints(-1, 3, 4)),
		to([]int{-3, 4}, []int{-1, 12}, ints(-1, 12)),
		to([]int{-1, 3, 4}, []int{-12}, ints(-1)),
		to([]int{2, -1, 6}, []int{2, -2, 3}, ints(2, -1, 3)),
		to([]int{2, 3, -1}, []int{6, -1}, ints(6, -1)),
		to([]int{6, -1}, []int{2, 3, -1, 1}, ints(2, 3, -1, 1)),
		to([]int{1, -1, 4}, []int{-1, 4}, ints(-1, 4)),
		to([]int{-1, 12}, []int{-1, 3, 4}, sized(func(r int) []int64 { return []int64{n(r), 3, 4} })),
		to([]int{-1, 12}, []int{3, -1, 4}, sized(func(r int) []int64 { return []int64{3, n(r), 4} })).refuse(mixed),
		to([]int{-1, 12}, []int{3, -4}, ints(3, -1)).refuse(mixed),
		to([]int{2, -1, 6}, []int{-2, 6}, ints(-1, 6)).refuse(mixed),
		to([]int{2, -1, 6}, []int{-1, 12}, ints(-1, 12)).refuse(mixed),
		to([]int{2, -3, 6}, []int{-1, 36}, ints(-1, 36)).refuse(mixed),
		to([]int{-1, 0}, []int{0, -1}, ints(0, -1)).refuse("not known"),

		one("Flatten", 13, []int{-1, 3, 4}, []int{-1, 12}),
		one("Flatten", 13, []int{-1, 3, 4}, []int{-3, 4}, intAttr("axis", -1)),
		one("Flatten", 9, []int{-1, 3}, []int{1, -3}, intAttr("axis", 0)),
		refused(mixed, one("Flatten", 13, []int{2, -1, 4}, []int{-2, 4}, intAttr("axis", 2))),
		one("Unsqueeze", 11, []int{-1, 4}, []int{1, -1, 4}, intsAttr("axes", 0)),
		one("Unsqueeze", 13, []int{-1, 4}, []int{-1, 4, 1}, ints(-1)),
		one("Squeeze", 11, []int{1, -1, 4}, []int{-1, 4}, intsAttr("axes", 0)),
		one("Squeeze", 13, []int{-1, 4, 1}, []int{-1, 4}, ints(-1)),
		refused("where there is one row", one("Squeeze", 13, []int{-1, 4, 1}, []int{-1, 4})),

		one("Transpose", 13, []int{-1, 3, 4}, []int{4, 3, -1}),
		one("Transpose", 13, []int{-1, 3, 4}, []int{3, -1, 4}, intsAttr("perm", 1, 0, 2)),
		one("Transpose", 13, []int{3, -2, 4}, []int{4, 3, -2}, intsAttr("perm", 2, 0, 1)),

		one("Expand", 13, []int{-1, 1}, []int{-1, 4}, ints(1, 4)),
		one("Expand", 13, []int{-1, 1}, []int{3, -1, 4}, sized(func(r int) []int64 { return []int64{3, n(r), 4} })),
		refused("has the shape", one("Expand", 13, []int{-1, 1}, []int{-1, -1}, sized(func(r int) []int64 { return []int64{1, n(r)} }))),

		one("Tile", 13, []int{-1, 3}, []int{-1, 6}, ints(1, 2)),
		one("Tile", 13, []int{2, -3}, []int{4, -3}, ints(2, 1)),
		refused(mixed, one("Tile", 13, []int{-1, 3}, []int{-2, 3}, ints(2, 1))),
		refused(mixed, one("Tile", 13, []int{-1, 3}, []int{-1, 3}, sized(func(r int) []int64 { return []int64{n(r), 1} }))),

		{Op: "Concat", Version: 13, Attributes: attrs(intAttr("axis", -1)), In: []Operand{rows(-1, 3), rows(-1, 4)}, Out: out([]int{-1, 7})},
		{Op: "Concat", Version: 13, Attributes: attrs(intAttr("axis", 0)), In: []Operand{rows(2, -3), rows(1, -3)}, Out: out([]int{3, -3})},
		{Op: "Concat", Version: 13, Attributes: attrs(intAttr("axis", 0)), In: []Operand{rows(-1, 3), rows(-1, 3)}, Out: out([]int{-2, 3}), Refuse: mixed},
		{Op: "Concat", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 3), weights(5, 4)}, Out: out([]int{-1, 7}), Refuse: "a constant"},
		{Op: "Concat", Version: 13, Attributes: attrs(intAttr("axis", 2)), In: []Operand{rows(-1, 3, 2), rows(3, -1, 2)}, Out: out([]int{-1, 3, 4}), Refuse: mixed},

		{Op: "Split", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 7), ints(3, 4)}, Out: out([]int{-1, 3}, []int{-1, 4})},
		{Op: "Split", Version: 11, Attributes: attrs(intAttr("axis", -1), intsAttr("split", 3, 4)), In: []Operand{rows(-1, 7)}, Out: out([]int{-1, 3}, []int{-1, 4})},
		{Op: "Split", Version: 18, Attributes: attrs(intAttr("num_outputs", 2)), In: []Operand{rows(4, -1)}, Out: out([]int{2, -1}, []int{2, -1})},
		{Op: "Split", Version: 13, In: []Operand{rows(-2, 7)}, Out: out([]int{-1, 7}, []int{-1, 7}), Refuse: mixed},

		one("Slice", 13, []int{-1, 7}, []int{-1, 3}, ints(1), ints(4), ints(1)),
		one("Slice", 13, []int{-1, 7}, []int{-1, 7}, ints(-1), ints(-99), ints(-1), ints(-1)),
		one("Slice", 9, []int{-1, 7}, []int{-1, 3}, intsAttr("starts", 0, 1), intsAttr("ends", 1<<31-1, 4)),
		one("Slice", 13, []int{-1, 7}, []int{-1, 3}, ints(0, 1), sized(func(r int) []int64 { return []int64{n(r), 4} }), ints(0, 1), ints(1, 1)),
		refused(mixed, one("Slice", 13, []int{-1, 7}, []int{-1, 7}, ints(0), ints(100), ints(0))),
		refused(mixed, one("Slice", 13, []int{-1, 7}, []int{-1, 7}, ints(1<<40), ints(-1<<40), ints(0), ints(-1))),
		refused(mixed, one("Slice", 13, []int{-2, 7}, []int{-1, 7}, ints(0), ints(1<<40), ints(0), ints(2))),
		refused(mixed, one("Slice", 13, []int{-1, 7}, []int{1, 7}, ints(0), ints(1))),
		refused("another axis", one("Slice", 13, []int{-1, 7}, []int{-1, 7}, ints(0), sized(func(r int) []int64 { return []int64{n(r) + 9} }), ints(1))),
		refused("takes rows as input 1", Case{Op: "Slice", Version: 13, In: []Operand{rows(-1, 7), below(3, -1), ints(9), ints(1)}, Out: out([]int{-1, 7})}),

		one("Pad", 13, []int{-1, 3}, []int{-1, 6}, ints(0, 1, 0, 2)),
		one("Pad", 9, []int{2, -3}, []int{3, -3}, intsAttr("pads", 1, 0, 0, 0), stringAttr("mode", "reflect")),
		one("Pad", 18, []int{-1, 3}, []int{-1, 5}, ints(1, 1), scalar[float32](2), ints(-1)),
		refused(mixed, one("Pad", 13, []int{-1, 3}, []int{-1, 3}, ints(1, 0, -1, 0))),
		refused("4 pads for 1", one("Pad", 18, []int{-1, 3}, []int{-1, 5}, ints(0, 1, 0, 1), none, ints(1))),

		one("Trilu", 14, []int{-1, 3, 3}, []int{-1, 3, 3}, intAttr("upper", 0)),
		refused("depends on the place", one("Trilu", 14, []int{2, -1, 3}, []int{2, -1, 3})),

		{Op: "ReverseSequence", Version: 10, Attributes: attrs(intAttr("batch_axis", 0), intAttr("time_axis", 1)),
			In: []Operand{rows(-1, 4, 2), {DType: tensor.Int64, Shape: []int{-1}, Low: 1, High: 5}}, Out: out([]int{-1, 4, 2})},
		{Op: "ReverseSequence", Version: 10, In: []Operand{rows(5, -1), {DType: tensor.Int64, Shape: []int{-1}, Low: 1, High: 5}}, Out: out([]int{5, -1})},
		{Op: "ReverseSequence", Version: 10, In: []Operand{rows(-1, 5), ints(1, 2, 3, 4, 5)}, Out: out([]int{-1, 5}), Refuse: mixed},
	}
}

func indexingCases() []Case {
	const named, place = "its indices name rows", "depends on the place"
	features := onnxML + "ArrayFeatureExtractor"
	return []Case{
		{Op: "Gather", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 4), ints(2, 0)}, Out: out([]int{-1, 2})},
		{Op: "Gather", Version: 13, In: []Operand{rows(4, -2), below(4, 2, 3)}, Out: out([]int{2, 3, -2})},
		{Op: "Gather", Version: 13, In: []Operand{rows(4, -2), scalar[int64](-1)}, Out: out([]int{-2})},
		{Op: "Gather", Version: 13, In: []Operand{weights(9, 4), below(9, -1, 3)}, Out: out([]int{-1, 3, 4})},
		{Op: "Gather", Version: 13, Attributes: attrs(intAttr("axis", -1)), In: []Operand{weights(4, 9), below(9, 3, -2)}, Out: out([]int{4, 3, -2})},
		{Op: "Gather", Version: 13, In: []Operand{rows(-1, 4), ints(0)}, Out: out([]int{1, 4}), Refuse: named},
		{Op: "Gather", Version: 13, In: []Operand{rows(-1, 4), below(5, -1)}, Out: out([]int{-1, 4}), Refuse: "rows by rows"},

		{Op: "GatherElements", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 4), below(4, -1, 2)}, Out: out([]int{-1, 2})},
		{Op: "GatherElements", Version: 13, In: []Operand{weights(9, 2), below(9, -1, 2)}, Out: out([]int{-1, 2})},
		{Op: "GatherElements", Version: 13, In: []Operand{rows(-1, 4), below(4, -1, 2)}, Out: out([]int{-1, 2}), Refuse: named},
		{Op: "GatherElements", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{weights(9, 4), below(4, -1, 2)}, Out: out([]int{-1, 2}), Refuse: place},
		{Op: "GatherElements", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 4), below(4, 5, 2)}, Out: out([]int{-1, 2}), Refuse: "fixed number"},

		{Op: "GatherND", Version: 12, Attributes: attrs(intAttr("batch_dims", 1)), In: []Operand{rows(-1, 4), below(4, -1, 2, 1)}, Out: out([]int{-1, 2})},
		{Op: "GatherND", Version: 12, In: []Operand{weights(4, 3), below(3, -1, 2)}, Out: out([]int{-1})},
		{Op: "GatherND", Version: 12, In: []Operand{rows(-1, 4), below(4, -1, 2, 1)}, Out: out([]int{-1, 2, 4}), Refuse: named},
		{Op: "GatherND", Version: 12, Attributes: attrs(intAttr("batch_dims", 1)), In: []Operand{weights(9, 4), below(4, -1, 1)}, Out: out([]int{-1}), Refuse: place},
		{Op: "GatherND", Version: 12, In: []Operand{rows(-1, 4), ints(0)}, Out: out([]int{4}), Refuse: "by a constant"},

		{Op: "ScatterElements", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 4), below(4, -1, 1), rows(-1, 1)}, Out: out([]int{-1, 4})},
		{Op: "ScatterElements", Version: 13, In: []Operand{rows(-1, 4), below(4, -1, 1), rows(-1, 1)}, Out: out([]int{-1, 4}), Refuse: "mixes rows"},
		{Op: "ScatterElements", Version: 13, Attributes: attrs(intAttr("axis", 1)), In: []Operand{rows(-1, 4), below(4, 5, 1), rows(-1, 1)}, Out: out([]int{-1, 4}), Refuse: "fixed number"},
		{Op: "ScatterND", Version: 13, In: []Operand{rows(-1, 4), ints(0), rows(-1, 4)}, Out: out([]int{-1, 4}), Refuse: "indices name the rows"},

		{Op: "OneHot", Version: 11, In: []Operand{below(4, -1, 3), scalar[int64](4), constant[float32](0, 1)}, Out: out([]int{-1, 3, 4})},
		{Op: "OneHot", Version: 11, Attributes: attrs(intAttr("axis", 0)), In: []Operand{below(4, -2), scalar[int64](4), constant[float32](0, 1)}, Out: out([]int{4, -2})},
		{Op: "OneHot", Version: 11, In: []Operand{below(4, -1), below(4, -1), constant[float32](0, 1)}, Out: out([]int{-1, 4}), Refuse: "takes rows as input 1"},

		{Op: features, Version: 1, In: []Operand{rows(-1, 4), ints(2, 0)}, Out: out([]int{-1, 2})},
		{Op: features, Version: 1, In: []Operand{rows(1, -1), ints(2, 0)}, Out: out([]int{1, 2}), Refuse: "mixes rows"},
	}
}
