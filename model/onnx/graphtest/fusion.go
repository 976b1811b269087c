package graphtest

import (
	"slices"
)

// A fuse makes one feature [rows, width] of several.
type fuse func(m *maker, features []Value) Value

var fusions = []piece[fuse]{
	{name: "concat-dense", make: (*maker).concatDense},
	{name: "concat-affine-dense", make: func(m *maker, fs []Value) Value {
		h := m.Concat(1, fs...)
		for range m.between(1, 3) {
			h = pick(m, "affine", affines)(m, h)
		}
		return m.act(m.dense(h, m.between(4, 8)))
	}},
	{name: "concat-convolution", single: true, make: func(m *maker, fs []Value) Value {
		var maps []Value
		for _, f := range fs {
			maps = append(maps, m.Unsqueeze(f, 2))
		}
		return m.act(m.Flatten(m.Conv(m.Concat(1, maps...), m.between(4, 8), 1)))
	}},
	{name: "concat-maps", single: true, make: func(m *maker, fs []Value) Value {
		var maps []Value
		for _, f := range fs {
			maps = append(maps, m.Reshape(m.dense(f, 2*2*3), 2, 2, 3))
		}
		h := m.Conv(pick(m, "affine", affines)(m, m.Concat(1, maps...)), 3, 3)
		return m.dense(m.Flatten(m.act(h)), 5)
	}},
	{name: "concat-activation", make: func(m *maker, fs []Value) Value {
		return m.act(m.dense(m.act(m.Concat(1, fs...)), m.between(4, 8)))
	}},
	{name: "concat-layer-norm", make: func(m *maker, fs []Value) Value {
		return m.act(m.dense(m.LayerNorm(m.Concat(1, fs...)), m.between(4, 8)))
	}},
	{name: "concat-of-concats", make: func(m *maker, fs []Value) Value {
		h := fs[0]
		for _, f := range fs[1:] {
			h = m.Concat(1, f, h)
		}
		return m.act(m.Linear(h, m.between(4, 8)))
	}},
	{name: "concat-sliced-again", make: func(m *maker, fs []Value) Value {
		h := m.Concat(1, fs...)
		cut := h.last() / 2
		return m.Binary("Add", m.act(m.dense(m.Slice(h, 1, 0, cut), 5)), m.act(m.dense(m.Slice(h, 1, cut, h.last()), 5)))
	}},
	{name: "add", make: func(m *maker, fs []Value) Value {
		fs = m.sameWidth(fs)
		h := fs[0]
		for _, f := range fs[1:] {
			h = m.Binary("Add", h, f)
		}
		return m.act(h)
	}},
	{name: "add-scaled", make: func(m *maker, fs []Value) Value {
		fs = m.sameWidth(fs)
		h := m.Binary("Mul", fs[0], m.Random(m.float, 1, fs[0].last()))
		for _, f := range fs[1:] {
			h = m.Binary("Sub", m.Unary("Neg", m.Binary("Div", f, m.Positive(m.float, 1))), h)
		}
		return m.act(m.dense(m.act(h), 5))
	}},
	{name: "sum", make: func(m *maker, fs []Value) Value { return m.act(m.Variadic("Sum", m.sameWidth(fs)...)) }},
	{name: "mean", single: true, make: func(m *maker, fs []Value) Value { return m.act(m.Variadic("Mean", m.sameWidth(fs)...)) }},
	{name: "max", single: true, make: func(m *maker, fs []Value) Value { return m.Variadic("Max", m.sameWidth(fs)...) }},
	{name: "gate", make: func(m *maker, fs []Value) Value {
		fs = m.sameWidth(fs)
		h := fs[0]
		for _, f := range fs[1:] {
			h = m.Binary("Mul", h, m.Unary("Sigmoid", f))
		}
		return h
	}},
	{name: "modulation", make: func(m *maker, fs []Value) Value {
		h := m.dense(fs[0], 5)
		for _, f := range fs[1:] {
			h = m.Binary("Add", m.Binary("Mul", h, m.dense(f, 5)), m.dense(f, 5))
		}
		return m.Unary("Tanh", h)
	}},
	{name: "gated-unit", make: (*maker).gatedUnit},
	{name: "stack-mean", make: func(m *maker, fs []Value) Value {
		return m.act(m.Reduce("ReduceMean", m.act(m.stack(fs)), 1, 0))
	}},
	{name: "stack-attention", make: func(m *maker, fs []Value) Value { return m.tokenEncoder(m.stack(fs)) }},
	{name: "stack-heads", make: func(m *maker, fs []Value) Value {
		h := m.headsAttention(m.LayerNorm(m.stack(fs)))
		return m.dense(m.ReshapeFree(h, elements(h.Shape[1:])), 5)
	}},
	{name: "stack-softmax", make: func(m *maker, fs []Value) Value {
		tokens := m.stack(fs)
		scores := m.Squeeze(m.Linear(m.Unary("Tanh", m.Linear(tokens, 3)), 1), 2)
		weights := m.Unsqueeze(m.Softmax(scores), 2)
		return m.Reduce("ReduceSum", m.Binary("Mul", tokens, weights), 1, 0)
	}},
	{name: "bilinear-einsum", opset: 12, make: func(m *maker, fs []Value) Value {
		return m.pairwise(fs, func(x, y Value) Value {
			return m.Node("Einsum", x.as(Rows, x.last(), y.last()), []Value{x, y}, Text("equation", "bi,bj->bij"))
		})
	}},
	{name: "bilinear-product", make: func(m *maker, fs []Value) Value {
		return m.pairwise(fs, func(x, y Value) Value { return m.Product(m.Unsqueeze(x, 2), m.Unsqueeze(y, 1)) })
	}},
	{name: "cross-attention", make: func(m *maker, fs []Value) Value {
		const tokens, width = 3, 4
		split := func(f Value) Value { return m.Reshape(m.dense(f, tokens*width), tokens, width) }
		h := split(fs[0])
		for _, f := range fs[1:] {
			h = m.LayerNorm(m.Binary("Add", h, m.Attention(h, split(f), width)))
		}
		return m.pooled(h)
	}},
	{name: "broadcast-row", make: func(m *maker, fs []Value) Value {
		// A vector of one is added to every token of another.
		const tokens, width = 3, 4
		h := m.Reshape(m.dense(fs[0], tokens*width), tokens, width)
		for _, f := range fs[1:] {
			h = m.act(m.Binary("Add", h, m.Unsqueeze(m.dense(f, width), 1)))
		}
		return m.Flatten(h)
	}},
}

func (m *maker) concatDense(fs []Value) Value {
	return m.act(m.dense(m.Concat(1, fs...), m.between(4, 8)))
}

// affines are steps between Concat and a linear layer that keep it linear.
var affines = []piece[encode]{
	{name: "subtract", make: func(m *maker, x Value) Value { return m.Binary("Sub", x, m.perFeature(x, m.Random)) }},
	{name: "divide", make: func(m *maker, x Value) Value { return m.Binary("Div", x, m.perFeature(x, m.positive)) }},
	{name: "multiply", make: func(m *maker, x Value) Value { return m.Binary("Mul", m.perFeature(x, m.positive), x) }},
	{name: "add-number", make: func(m *maker, x Value) Value { return m.Binary("Add", m.scalar(x.DType, 0.5), x) }},
	{name: "batch-norm", single: true, make: func(m *maker, x Value) Value { return m.BatchNorm(x) }},
	{name: "negate", make: func(m *maker, x Value) Value { return m.Unary("Neg", x) }},
	{name: "identity", make: func(m *maker, x Value) Value { return m.Unary("Identity", x) }},
	{name: "dropout", single: true, make: func(m *maker, x Value) Value { return m.Dropout(x) }},
}

// perFeature makes a constant that broadcasts along axis 1 of x.
func (m *maker) perFeature(x Value, random randomConst) Value {
	shape := []int{x.Shape[1]}
	for range x.Shape[2:] {
		shape = append(shape, 1)
	}
	const sd = 0.7
	return random(x.DType, sd, shape...)
}

// gatedUnit mixes activations by gates that see all features.
func (m *maker) gatedUnit(fs []Value) Value {
	const width = 5
	all := m.Concat(1, fs...)
	h := m.Unary("Tanh", m.dense(fs[0], width))
	for _, f := range fs[1:] {
		z := m.Unary("Sigmoid", m.dense(all, width))
		kept := m.Binary("Mul", z, h)
		h = m.Binary("Add", kept, m.Binary("Mul", m.Binary("Sub", m.scalar(m.float, 1), z), m.Unary("Tanh", m.dense(f, width))))
	}
	return h
}

// sameWidth brings features to one width.
func (m *maker) sameWidth(fs []Value) []Value {
	width := m.between(4, 6)
	out := slices.Clone(fs)
	for i, f := range out {
		if f.last() != width {
			out[i] = m.dense(f, width)
		}
	}
	return out
}

// stack makes a token of each feature: [rows, features, width].
func (m *maker) stack(fs []Value) Value {
	const width = 4
	var tokens []Value
	for _, f := range fs {
		tokens = append(tokens, m.Unsqueeze(m.dense(f, width), 1))
	}
	return m.Concat(1, tokens...)
}

// pairwise combines features one after another by a product [rows, i, j].
func (m *maker) pairwise(fs []Value, product func(x, y Value) Value) Value {
	h := fs[0]
	for _, f := range fs[1:] {
		p := product(m.Unary("Tanh", m.dense(h, 3)), m.Unary("Tanh", m.dense(f, 3)))
		h = m.act(m.dense(m.Flatten(p), 5))
	}
	return h
}

// plans say how fusions are put together.
var plans = []piece[fuse]{
	{name: "flat", make: func(m *maker, fs []Value) Value { return m.fuse(fs) }},
	{name: "nested", make: (*maker).nested},
	{name: "partial-twice", make: func(m *maker, fs []Value) Value {
		if len(fs) < 3 {
			return m.fuse(fs)
		}
		part := m.fuse(fs[:2])
		return m.fuse([]Value{part, m.fuse(append([]Value{part}, fs[2:]...))})
	}},
	{name: "residual-around", make: func(m *maker, fs []Value) Value {
		h := m.fuse(fs)
		return m.act(m.Binary("Add", h, m.dense(fs[m.rng.IntN(len(fs))], h.last())))
	}},
	{name: "dense-connection", make: func(m *maker, fs []Value) Value {
		return m.Concat(1, m.fuse(fs), fs[m.rng.IntN(len(fs))])
	}},
	{name: "all-pairs", make: func(m *maker, fs []Value) Value {
		if len(fs) < 3 {
			return m.fuse(fs)
		}
		var pairs []Value
		for i, f := range fs[:3] {
			pairs = append(pairs, m.fuse([]Value{f, fs[(i+1)%3]}))
		}
		return m.fuse(append(pairs, fs[3:]...))
	}},
	{name: "same-fusion-twice", make: func(m *maker, fs []Value) Value {
		return m.Binary("Add", m.dense(m.fuse(fs), 5), m.dense(m.fuse(fs), 5))
	}},
}

func (m *maker) fuse(fs []Value) Value { return pick(m, "fusion", fusions)(m, fs) }

func (m *maker) nested(fs []Value) Value {
	if len(fs) < 3 {
		return m.fuse(fs)
	}
	at := m.between(2, len(fs)-1)
	inner := m.nested(fs[:at])
	return m.fuse(append([]Value{inner}, fs[at:]...))
}
