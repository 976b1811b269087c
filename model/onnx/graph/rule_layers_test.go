package graph

import (
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

func axesCases() []Case {
	keep := func(v int64) *onnxpb.AttributeProto { return intAttr("keepdims", v) }
	along := func(v int64) *onnxpb.AttributeProto { return intAttr("axis", v) }
	one := func(op string, version int, in, shape []int, a ...*onnxpb.AttributeProto) Case {
		return Case{Op: op, Version: version, Attributes: a, In: []Operand{rows(in...)}, Out: out(shape)}
	}
	with := func(c Case, in ...Operand) Case {
		c.In = append(c.In, in...)
		return c
	}
	var cases []Case
	for _, op := range []string{"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
		"ReduceLogSumExp", "ReduceSumSquare", "ReduceSum"} {
		cases = append(cases,
			with(one(op, 18, []int{-1, 3, 4}, []int{-1, 3, 1}), ints(-1)),
			with(one(op, 18, []int{2, 3, -2}, []int{-2}, keep(0)), ints(-3, 1)),
			with(one(op, 18, []int{-1, 3}, []int{1, 3}), ints(0)).refuse("reduces over axis 0"),
			with(one(op, 18, []int{3, -1}, []int{3, 1}), ints(1, -1)).refuse("reduces over axis 1"),
			one(op, 18, []int{-1, 3}, []int{1, 1}).refuse("reduces over all axes"),
			with(one(op, 18, []int{-1, 3}, []int{-1, 3}, intAttr("noop_with_empty_axes", 1)), ints()),
			with(one(op, 18, []int{-1, 3}, []int{1, 1}), ints()).refuse("reduces over all axes"),
		)
		if op != "ReduceSum" {
			cases = append(cases, one(op, 13, []int{-1, 3, 4}, []int{-1, 4}, intsAttr("axes", -2), keep(0)))
		}
	}
	for _, op := range []string{"Softmax", "LogSoftmax", "Hardmax"} {
		cases = append(cases,
			one(op, 13, []int{-1, 4}, []int{-1, 4}),
			one(op, 13, []int{4, -1, 3}, []int{4, -1, 3}, along(0)),
			one(op, 11, []int{-1, 3, 4}, []int{-1, 3, 4}),
			one(op, 11, []int{2, -1, 4}, []int{2, -1, 4}, along(-1)),
			one(op, 13, []int{-1, 4}, []int{-1, 4}, along(0)).refuse("normalises over axis 0"),
			one(op, 13, []int{4, -1}, []int{4, -1}).refuse("normalises over axis 1"),
			one(op, 11, []int{2, -1, 4}, []int{2, -1, 4}).refuse("and all behind it"),
			one(op, 11, []int{-1, 4}, []int{-1, 4}, along(0)).refuse("and all behind it"),
		)
	}
	return append(cases,
		one("ArgMax", 13, []int{-1, 4}, []int{-1, 1}, along(1)),
		one("ArgMin", 13, []int{4, -1}, []int{-1}, keep(0)),
		one("ArgMax", 13, []int{-1, 4}, []int{1, 4}).refuse("reduces over axis 0"),
		one("ArgMax", 13, []int{-1, 4}, []int{-1, 1}, along(5)).refuse("names axis 5"),
		with(one("CumSum", 14, []int{-1, 4}, []int{-1, 4}), scalar[int64](1)),
		with(one("CumSum", 14, []int{4, -1}, []int{4, -1}, intAttr("reverse", 1)), scalar[int64](-2)),
		with(one("CumSum", 14, []int{-1, 4}, []int{-1, 4}), scalar[int64](0)).refuse("adds up along axis 0"),
		with(Case{Op: "TopK", Version: 11, In: []Operand{rows(-1, 6)}, Out: out([]int{-1, 2}, []int{-1, 2})}, ints(2)),
		Case{Op: "TopK", Version: 9, Attributes: attrs(along(0), intAttr("k", 2)), In: []Operand{rows(6, -1)}, Out: out([]int{2, -1}, []int{2, -1})},
		with(one("TopK", 11, []int{-1, 6}, []int{2, 6}, along(0)), ints(2)).refuse("sorts axis 0"),
	)
}

func normalisingCases() []Case {
	norm := func(op string, version int, shape []int, in []Operand, a ...*onnxpb.AttributeProto) Case {
		return Case{Op: op, Version: version, Attributes: a, In: append([]Operand{rows(shape...)}, in...), Out: out(shape)}
	}
	two := []Operand{weights(3), weights(3)}
	four := []Operand{weights(3), weights(3), weights(3), between(.5, 2, 3)}
	x := []int{-1, 3, 4}
	training := norm("BatchNormalization", 9, x, four).refuse("is in training mode")
	training.Out = out(x, []int{3}, []int{3})
	skip := func(shape []int, other Operand) Case {
		return norm(microsoft+"SkipLayerNormalization", 1, shape, []Operand{other, weights(4), weights(4)})
	}
	return []Case{
		norm("BatchNormalization", 15, x, four),
		norm("BatchNormalization", 9, []int{-2, 3}, four),
		norm("BatchNormalization", 7, []int{-1, 3, 4, 4}, four),
		training,
		norm("BatchNormalization", 14, x, four, intAttr("training_mode", 1)).refuse("is in training mode"),
		norm("BatchNormalization", 14, []int{2, -1, 4}, four).refuse("want axis 0"),
		norm("InstanceNormalization", 6+1, x, two),
		norm("GroupNormalization", 21, []int{-1, 4, 4}, []Operand{weights(4), weights(4)}, intAttr("num_groups", 2)),
		norm("LayerNormalization", 17, x, []Operand{weights(4), weights(4)}),
		norm("LayerNormalization", 17, []int{2, -1, 4}, []Operand{weights(4)}),
		norm("LayerNormalization", 17, x, []Operand{weights(3, 4)}, intAttr("axis", 1)),
		norm("LayerNormalization", 17, []int{2, -1, 4}, []Operand{weights(1, 4)}, intAttr("axis", 1)).refuse("and all behind it"),
		norm("LayerNormalization", 17, []int{-1, 4}, []Operand{weights(5, 4)}).refuse("depends on the place"),
		norm("LayerNormalization", 17, []int{-1, 4}, []Operand{rows(-1, 4)}).refuse("takes rows as input 1"),
		norm("RMSNormalization", 23, x, []Operand{weights(4)}),
		norm("LpNormalization", 1+6, x, nil),
		norm("LpNormalization", 7, []int{-1, 4}, nil, intAttr("axis", 0)).refuse("normalises over axis 0"),
		norm("LRN", 13, []int{-1, 3, 4, 4}, nil, intAttr("size", 3)),
		norm("LRN", 13, []int{3, -1, 4, 4}, nil, intAttr("size", 3)).refuse("want axis 0"),
		norm("MeanVarianceNormalization", 13, []int{-1, 3, 4, 4}, nil, intsAttr("axes", 2, 3)),
		norm("MeanVarianceNormalization", 13, []int{-1, 3, 4, 4}, nil).refuse("normalises over axis 0"),
		norm("MeanVarianceNormalization", 13, []int{-1, 3, 4, 4}, nil, intsAttr("axes", -4)).refuse("normalises over axis 0"),
		skip([]int{-1, 3, 4}, rows(-1, 3, 4)),
		skip([]int{-1, 3, 4}, weights(1, 3, 4)),
		skip([]int{-1, 3, 4}, weights(5, 3, 4)).refuse("depends on the place"),
		skip([]int{-1, 3, 4}, rows(3, -1, 4)).refuse("mixes rows"),
	}
}

func networkCases() []Case {
	layer := func(op string, version int, shape []int, in []Operand, a ...*onnxpb.AttributeProto) Case {
		return Case{Op: op, Version: version, Attributes: a, In: in, Out: out(shape)}
	}
	image := []int{-1, 2, 6, 6}
	in := func(more ...Operand) []Operand { return append([]Operand{rows(image...)}, more...) }
	u8 := func(shape ...int) Operand { return below(99, shape...).of(tensor.Uint8) }
	kernel := intsAttr("kernel_shape", 3, 3)
	pooled := []int{-1, 2, 4, 4}
	indices := layer("MaxPool", 12, pooled, in(), kernel).refuse("indices count through all of it")
	indices.Out = out(pooled, pooled)
	coordinates := func(v string) *onnxpb.AttributeProto { return stringAttr("coordinate_transformation_mode", v) }
	linear := stringAttr("mode", "linear")
	double := constant[float32](1, 1, 2, 2)
	doubled := []int{-1, 2, 12, 12}
	return []Case{
		layer("Conv", 11, []int{-1, 5, 4, 4}, in(weights(5, 2, 3, 3), weights(5))),
		layer("Conv", 11, []int{-2, 4, 5}, []Operand{rows(-2, 4, 5), weights(4, 2, 3)}, intAttr("group", 2), intsAttr("pads", 1, 1)),
		layer("Conv", 11, []int{1, 5, 4, -1}, []Operand{rows(1, 2, 6, -1), weights(5, 2, 3, 1)}).refuse("want axis 0"),
		layer("Conv", 11, []int{1, 5, 4, 4}, []Operand{weights(1, 2, 6, 6), rows(-1, 2, 3, 3)}).refuse("takes rows as input 1"),
		layer("ConvTranspose", 11, []int{-1, 3, 8, 8}, in(weights(2, 3, 3, 3))),
		layer("ConvInteger", 10, []int{-1, 5, 4, 4}, []Operand{u8(image...), u8(5, 2, 3, 3), scalar[uint8](7)}),
		layer("QLinearConv", 10, []int{-1, 2, 4, 4}, []Operand{u8(image...), scalar[float32](.1), scalar[uint8](3), u8(2, 2, 3, 3),
			scalar[float32](.1), scalar[uint8](3), scalar[float32](5), scalar[uint8](9)}),
		layer("MaxPool", 12, pooled, in(), kernel),
		indices,
		layer("AveragePool", 11, pooled, in(), kernel),
		layer("LpPool", 11, pooled, in(), kernel),
		layer("GlobalAveragePool", 7, []int{-1, 2, 1, 1}, in()),
		layer("GlobalMaxPool", 7, []int{-1, 2, 1, 1}, in()),
		layer("GlobalLpPool", 7, []int{-1, 2, 1, 1}, in()),
		layer("DepthToSpace", 13, []int{-1, 1, 4, 6}, []Operand{rows(-1, 4, 2, 3)}, intAttr("blocksize", 2)),
		layer("SpaceToDepth", 13, []int{-1, 8, 3, 3}, in(), intAttr("blocksize", 2)),
		layer("GridSample", 16, []int{-1, 2, 3, 3}, in(between(-1, 1, -1, 3, 3, 2))),
		layer("GridSample", 16, []int{-1, 2, 3, 3}, in(weights(5, 3, 3, 2))).refuse("fixed number"),
		layer("GridSample", 16, []int{-1, 2, 3, 3}, in(between(-1, 1, -2, 3, 3, 2))).refuse("mixes rows"),

		layer("Resize", 13, doubled, in(none, double), linear),
		layer("Resize", 13, doubled, in(none, double), coordinates("asymmetric")),
		layer("Resize", 10, doubled, in(double)),
		layer("Resize", 13, []int{-1, 2, 3, 9}, in(none, none, sized(func(n int) []int64 { return []int64{int64(n), 2, 3, 9} }))),
		layer("Resize", 18, []int{-1, 2, 3, 9}, in(none, none, ints(3, 9)), intsAttr("axes", 2, 3)),
		layer("Resize", 13, []int{-2, 2, 6, 6}, in(none, constant[float32](2, 1, 1, 1))).refuse("resizes axis 0"),
		layer("Resize", 13, doubled, in(none, double), coordinates("tf_crop_and_resize")).refuse("coordinates"),
		layer("Resize", 13, doubled, in(none, double), coordinates("align_corners")).refuse("coordinates"),
		layer("Resize", 13, []int{-1, 6}, []Operand{rows(-1, 3), none, constant[float32](1, 2)}, linear).refuse("interpolates"),
		layer("Resize", 18, doubled, in(none, double), stringAttr("keep_aspect_ratio_policy", "not_larger")).refuse("aspect"),
		layer("Resize", 13, doubled, in(none, weights(4))).refuse("takes its sizes from the data"),
		layer("Upsample", 9, doubled, in(double)),
		layer("Upsample", 7, doubled, in(), floatsAttr("scales", 1, 1, 2, 2)),
		layer("Upsample", 7, []int{-2, 2, 6, 6}, in(), floatsAttr("scales", 2, 1, 1, 1)).refuse("resizes axis 0"),
		layer("DynamicQuantizeLinear", 11, image, in()).refuse("its scale is that of the whole batch"),
		layer("RoiAlign", 10, image, in()).refuse("regions"),
	}
}

func recurrentCases() []Case {
	const steps, width, hidden = 4, 3, 2
	cell := func(op string, gates int, more ...Operand) Case {
		return Case{Op: op, Version: 14, Attributes: attrs(intAttr("hidden_size", hidden)),
			In:  append([]Operand{rows(steps, -1, width), weights(1, gates*hidden, width), weights(1, gates*hidden, hidden)}, more...),
			Out: out([]int{steps, 1, -1, hidden}, []int{1, -1, hidden})}
	}
	lengths := Operand{DType: tensor.Int32, Shape: []int{-1}, Low: 1, High: steps + 1}
	state := rows(1, -1, hidden)
	both := Case{Op: "GRU", Version: 14, Attributes: attrs(intAttr("hidden_size", hidden), stringAttr("direction", "bidirectional"),
		intAttr("linear_before_reset", 1)), In: []Operand{rows(steps, -2, width), weights(2, 6, width), weights(2, 6, hidden), weights(2, 12)},
		Out: out(nil, []int{2, -2, hidden})}
	lstm := cell("LSTM", 4, weights(1, 16), lengths, state, state, weights(1, 6))
	lstm.Out = append(lstm.Out, []int{1, -1, hidden})
	first := Case{Op: "GRU", Version: 14, Attributes: attrs(intAttr("hidden_size", hidden), intAttr("layout", 1)),
		In:  []Operand{rows(-1, steps, width), weights(1, 6, width), weights(1, 6, hidden), none, none, rows(-1, 1, hidden)},
		Out: out([]int{-1, steps, 1, hidden}, []int{-1, 1, hidden}), Unrun: "the runtime has no layout 1"}
	wrong := first
	wrong.In = append([]Operand{rows(steps, -1, width)}, first.In[1:]...)
	return []Case{
		cell("RNN", 1), cell("GRU", 3), cell("LSTM", 4), both, lstm, first,
		cell("GRU", 3, weights(1, 12), lengths),
		cell("GRU", 3, none, none, state),
		wrong.refuse("want axis 0"),
		cell("GRU", 3, none, none, weights(1, 5, hidden)).refuse("fixed number of rows"),
		cell("GRU", 3, none, constant[int32](1, 2, 3, 4, 1)).refuse("fixed number of rows"),
		cell("GRU", 3, none, none, rows(1, -2, hidden)).refuse("mixes rows"),
		cell("GRU", 3, rows(-1, 12)).refuse("takes rows as input 3"),
		Case{Op: "RNN", Version: 14, Attributes: attrs(intAttr("hidden_size", hidden)), In: []Operand{rows(-1, 5, width), weights(1, 2, width),
			weights(1, 2, hidden)}, Out: out([]int{-1, 1, 5, hidden})}.refuse("want axis 1"),
	}
}

func attentionCases() []Case {
	heads := func(shape []int, in ...Operand) Case {
		return Case{Op: "Attention", Version: 23, In: in, Out: out(shape)}
	}
	x, shape := rows(-1, 2, 5, 4), []int{-1, 2, 5, 4}
	cache := heads(shape, x, x, x)
	cache.Out = out(shape, shape, shape)
	flat := Case{Op: "Attention", Version: 23, Attributes: attrs(intAttr("q_num_heads", 2), intAttr("kv_num_heads", 2)),
		In: []Operand{rows(-1, 3, 8), rows(-1, 5, 8), rows(-1, 5, 8), weights(3, 5)}, Out: out([]int{-1, 3, 8})}
	rotary := func(in ...Operand) Case {
		return Case{Op: "RotaryEmbedding", Version: 23, In: append([]Operand{x}, in...), Out: out(shape)}
	}
	return []Case{
		heads(shape, x, x, x), flat,
		heads(shape, x, x, x, rows(-1, 1, 5, 5)),
		heads(shape, x, x, x, weights(1, 2, 5, 5)),
		heads(shape, x, x, x, weights(5, 2, 5, 5)).refuse("depends on the place"),
		heads(shape, x, x, weights(5, 2, 5, 4)).refuse("mixes rows"),
		heads(shape, x, x, x, none, weights(5, 2, 5, 4), weights(5, 2, 5, 4)).refuse("cache"),
		cache.refuse("cache"),
		rotary(weights(9, 2), weights(9, 2), below(9, -1, 5)),
		rotary(rows(-1, 5, 2), rows(-1, 5, 2)),
		rotary(weights(5, 5, 2), weights(5, 5, 2)).refuse("fixed number of rows"),
		rotary(weights(9, 2), weights(9, 2), below(9, 5, 5)).refuse("fixed number of rows"),
	}
}
