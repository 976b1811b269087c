package graphtest

// outputs makes what is left of the model of its features.
func (m *maker) outputs(features []Value, raw Value) {
	if len(features) > 1 && !m.joint && m.rng.Float64() < 0.15 {
		m.late(features)
		return
	}
	h := pick(m, "plan", plans)(m, features)
	if raw.DType != 0 && m.chance(0.1, "raw-feature") {
		h = m.Concat(1, h, raw)
	}
	switch draw := m.rng.Float64(); {
	case draw < 0.22:
		first := len(m.graph.Node)
		h = pick(m, "mixing", mixers)(m, h)
		for _, n := range m.graph.Node[first:] {
			m.c.Unsafe = append(m.c.Unsafe, n.GetName())
		}
	case draw < 0.3:
		m.c.Opaque = true
		h = pick(m, "opaque", opaques)(m, h)
	}
	for range m.rng.IntN(3) {
		h = pick(m, "head", headSteps)(m, h)
	}
	t := pick(m, "task", tasks)
	t.finish(m, m.Binary("Mul", m.dense(h, m.between(t.lo, t.hi)), m.scalar(m.float, finalGain)), false)
}

// headSteps are the layers behind the fusion.
var headSteps = []piece[encode]{
	{name: "dense", make: func(m *maker, x Value) Value { return m.act(m.dense(x, m.between(4, 8))) }},
	{name: "layer-norm", make: func(m *maker, x Value) Value { return m.LayerNorm(m.dense(x, 5)) }},
	{name: "batch-norm", single: true, make: func(m *maker, x Value) Value { return m.act(m.BatchNorm(x)) }},
	{name: "dropout", single: true, make: func(m *maker, x Value) Value { return m.Dropout(x) }},
	{name: "tokens", make: func(m *maker, x Value) Value { return m.tokenEncoder(m.Reshape(m.dense(x, 12), 3, 4)) }},
	{name: "convolution", single: true, make: func(m *maker, x Value) Value {
		return m.Flatten(m.act(m.Conv(m.ReshapeFree(m.dense(x, 6), 1, 6), 2, 3)))
	}},
	{name: "recurrent", single: true, make: func(m *maker, x Value) Value {
		return m.torchOr("GRU", m.Reshape(m.dense(x, 12), 4, 3))
	}},
	{name: "rows-of-another", make: func(m *maker, x Value) Value { return m.ReshapeLike(x, m.rowsOf(), x.last()) }},
	{name: "merged-rows", make: func(m *maker, x Value) Value {
		// Tokens go through a layer for rows, as exporters flatten them.
		h := m.ReshapeFree(m.dense(x, 12), 4)
		h = m.act(m.Gemm(h, 2))
		return m.ReshapeFree(h, 3*2)
	}},
	{name: "rows-on-second-axis", make: func(m *maker, x Value) Value {
		h := m.Transpose(m.Reshape(m.dense(x, 12), 3, 4), 1, 0, 2) // [tokens, rows, width]
		h = m.act(m.Linear(m.LayerNorm(h), 2))
		return m.Flatten(m.Transpose(h, 1, 0, 2))
	}},
	{name: "group-norm", single: true, make: func(m *maker, x Value) Value {
		h := m.Reshape(m.dense(x, 12), 2, 6)
		h = m.Node("InstanceNormalization", h, []Value{h, m.Positive(x.DType, 2), m.Random(x.DType, biasSD, 2)})
		return m.Reshape(h, 12)
	}},
	{name: "positions", make: func(m *maker, x Value) Value {
		h := m.Reshape(m.dense(x, 12), 3, 4)
		return m.tokenEncoder(m.Binary("Add", h, m.Random(x.DType, 0.5, 1, 3, 4)))
	}},
	{name: "class-token", opset: 9, single: true, make: func(m *maker, x Value) Value {
		shape := m.Concat(0, m.RowCount(m.rowsOf()), m.Ints(1, 4))
		token := m.Node("Expand", x.as(Rows, 1, 4), []Value{m.Random(x.DType, 0.5, 1, 1, 4), shape})
		return m.tokenEncoder(m.Concat(1, token, m.Reshape(m.dense(x, 8), 2, 4)))
	}},
	{name: "residual", make: func(m *maker, x Value) Value {
		return m.Binary("Add", x, m.dense(m.act(m.dense(x, 6)), x.last()))
	}},
	{name: "equal-split", opset: splitByNumber, make: func(m *maker, x Value) Value {
		h := m.dense(x, 6)
		halves := m.Nodes("Split", []Value{h.as(Rows, 3), h.as(Rows, 3)}, []Value{h}, Int("axis", 1), Int("num_outputs", 2))
		return m.Binary("Mul", halves[0], m.Unary("Sigmoid", halves[1]))
	}},
	{name: "normalised-length", single: true, make: func(m *maker, x Value) Value {
		return m.Unary("LpNormalization", m.dense(x, 5), Int("axis", 1), Int("p", 2))
	}},
}

// A task is what the outputs mean: lo to hi columns, and how they are made of the
// linear output [rows, columns], of which it may be known that it is additive.
type task struct {
	lo, hi int
	finish func(m *maker, linear Value, additive bool)
}

var tasks = []piece[task]{
	{name: "classes", make: task{2, 4, func(m *maker, logits Value, additive bool) {
		m.result("logits", "classes", additive, logits)
		m.result("probabilities", "classes", false, m.Softmax(logits))
	}}},
	{name: "binary", make: task{1, 1, func(m *maker, logit Value, additive bool) {
		m.result("logit", "binary", additive, logit)
		m.result("probabilities", "binary", false, m.Unary("Sigmoid", logit))
	}}},
	{name: "multilabel", make: task{3, 3, func(m *maker, logits Value, _ bool) {
		m.result("probabilities", "multilabel", false, m.Unary("Sigmoid", logits))
	}}},
	{name: "regression", make: task{1, 2, func(m *maker, y Value, additive bool) {
		if y.last() == 1 && m.chance(0.5, "rank-one-output") {
			y = m.Squeeze(y, 1)
		}
		m.result("value", "regression", additive, y)
	}}},
}

// finalGain is less than the gain of other layers, so that probabilities are not
// all 0 and 1.
const finalGain = 0.8

func (m *maker) result(name, task string, additive bool, v Value) {
	m.Output(name, v)
	m.c.Outputs = append(m.c.Outputs, Output{Name: name, Task: task, Additive: additive})
}

// late makes the outputs of features that meet nowhere else.
func (m *maker) late(features []Value) {
	t := pick(m, "task", tasks)
	width := m.between(t.lo, t.hi)
	if width > 1 && m.chance(0.2, "late-probabilities") {
		var parts []Value
		for _, f := range features {
			parts = append(parts, m.Softmax(m.dense(f, width)))
		}
		mean := m.Binary("Div", m.added(parts), m.scalar(m.float, float64(len(parts))))
		m.result("probabilities", "classes", true, mean)
		return
	}
	t.finish(m, pick(m, "late", lates)(m, features, width), true)
}

// lates make a linear output of so many columns that is additive.
var lates = []piece[func(m *maker, features []Value, width int) Value]{
	{name: "mean-of-logits", single: true, make: func(m *maker, fs []Value, width int) Value {
		return m.Variadic("Mean", m.denseEach(fs, width)...)
	}},
	{name: "sum-of-logits", make: func(m *maker, fs []Value, width int) Value {
		return m.Variadic("Sum", m.denseEach(fs, width)...)
	}},
	{name: "weighted-logits", make: func(m *maker, fs []Value, width int) Value {
		var weighted []Value
		for _, l := range m.denseEach(fs, width) {
			weighted = append(weighted, m.Binary("Mul", l, m.scalar(m.float, 0.3+m.rng.Float64())))
		}
		return m.added(weighted)
	}},
	{name: "stacked-logits", make: func(m *maker, fs []Value, width int) Value {
		var stack []Value
		for _, l := range m.denseEach(fs, width) {
			stack = append(stack, m.Unsqueeze(l, 1))
		}
		return m.Reduce("ReduceMean", m.Concat(1, stack...), 1, 0)
	}},
	{name: "concat-linear", make: func(m *maker, fs []Value, width int) Value {
		h := m.Concat(1, fs...)
		for range m.rng.IntN(3) {
			h = pick(m, "affine", affines)(m, h)
		}
		return m.dense(h, width)
	}},
}

func (m *maker) denseEach(fs []Value, width int) []Value {
	var out []Value
	for _, f := range fs {
		out = append(out, m.dense(f, width))
	}
	return out
}

// added is a chain of Add.
func (m *maker) added(vs []Value) Value {
	sum := vs[0]
	for _, v := range vs[1:] {
		sum = m.Binary("Add", sum, v)
	}
	return sum
}
