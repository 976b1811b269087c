package graphtest

import (
	"fmt"
	"slices"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// An encode makes a feature [rows, width] of one value.
type encode func(m *maker, x Value) Value

var vectorEncoders = []piece[encode]{
	{name: "mlp", make: (*maker).mlp},
	{name: "linear", make: func(m *maker, x Value) Value { return m.dense(x, m.between(3, 8)) }},
	{name: "identity", make: func(_ *maker, x Value) Value { return x }},
	{name: "residual", make: func(m *maker, x Value) Value {
		h := m.mlp(x)
		return m.act(m.Binary("Add", h, m.dense(m.act(m.dense(h, h.last())), h.last())))
	}},
	{name: "standardised", make: func(m *maker, x Value) Value {
		centred := m.Binary("Sub", x, m.Random(x.DType, 1, x.last()))
		return m.mlp(m.Binary("Div", centred, m.Positive(x.DType, x.last())))
	}},
	{name: "layer-norm", make: func(m *maker, x Value) Value { return m.act(m.LayerNorm(m.dense(x, m.between(3, 8)))) }},
	{name: "batch-norm", single: true, make: func(m *maker, x Value) Value { return m.act(m.BatchNorm(m.dense(x, m.between(3, 8)))) }},
	{name: "convolution-of-vector", single: true, make: func(m *maker, x Value) Value {
		return m.Flatten(m.act(m.Conv(m.Unsqueeze(x, 1), 2, 3)))
	}},
	{name: "reshaped-by-own-shape", make: func(m *maker, x Value) Value {
		h := m.dense(x, 6)
		return m.Flatten(m.act(m.Linear(m.ReshapeLike(h, h, 2, 3), 2)))
	}},
	{name: "gelu", single: true, make: func(m *maker, x Value) Value { return m.Gelu(m.dense(x, m.between(3, 8))) }},
}

var seriesEncoders = []piece[encode]{
	{name: "gru", make: func(m *maker, x Value) Value { return m.recurrentEncoder("GRU", x) }},
	{name: "lstm", make: func(m *maker, x Value) Value { return m.recurrentEncoder("LSTM", x) }},
	{name: "rnn", make: func(m *maker, x Value) Value { return m.recurrentEncoder("RNN", x) }},
	{name: "gru-torch-state", opset: 9, make: func(m *maker, x Value) Value { return m.torchRecurrent("GRU", x) }},
	{name: "lstm-torch-state", opset: 9, make: func(m *maker, x Value) Value { return m.torchRecurrent("LSTM", x) }},
	{name: "bidirectional", make: func(m *maker, x Value) Value {
		const hidden = 3
		sequence, _ := m.Recurrent("LSTM", m.Transpose(x, 1, 0, 2), hidden, 2)
		// [steps, directions, rows, hidden]
		return m.Flatten(m.Reduce("ReduceMean", m.Transpose(sequence, 2, 0, 1, 3), 1, 0))
	}},
	{name: "convolution-over-time", make: func(m *maker, x Value) Value {
		h := m.act(m.Conv(m.Transpose(x, 0, 2, 1), m.between(3, 5), 3))
		return m.Reduce("ReduceMax", h, 2, 0)
	}},
	{name: "tokens-attention", make: func(m *maker, x Value) Value { return m.tokenEncoder(m.Linear(x, 4)) }},
	{name: "heads", make: func(m *maker, x Value) Value { return m.pooled(m.headsAttention(m.Linear(x, 4))) }},
	{name: "flat-series", make: func(m *maker, x Value) Value { return m.mlp(m.Flatten(x)) }},
}

var imageEncoders = []piece[encode]{
	{name: "conv-pool-norm", make: func(m *maker, x Value) Value {
		op := []string{"MaxPool", "AveragePool"}[m.rng.IntN(2)]
		return m.dense(m.Flatten(m.Pool(op, m.act(m.BatchNorm(m.Conv(x, 3, 3))))), m.between(3, 6))
	}},
	{name: "global-pool", make: func(m *maker, x Value) Value {
		h := m.act(m.Conv(x, m.between(3, 6), 3))
		return m.Flatten(m.Node("GlobalAveragePool", h.as(Rows, h.Shape[1], 1, 1), []Value{h}))
	}},
	{name: "conv-residual", make: func(m *maker, x Value) Value {
		h := m.act(m.Conv(x, 3, 3))
		h = m.act(m.Binary("Add", h, m.Conv(m.act(m.Conv(h, 3, 3)), 3, 3)))
		return m.dense(m.Reshape(h, elements(h.Shape[1:])), 4)
	}},
	{name: "patches", make: func(m *maker, x Value) Value {
		h := m.Pool("AveragePool", m.Conv(x, 4, 3)) // [rows, 4, 2, 3]
		tokens := m.Transpose(m.Reshape(h, 4, elements(h.Shape[2:])), 0, 2, 1)
		return m.tokenEncoder(tokens)
	}},
}

var idEncoders = []piece[encode]{
	{name: "embedding-mean", make: func(m *maker, x Value) Value {
		return m.act(m.Reduce("ReduceMean", m.Embed(x, vocabulary, 5), 1, 0))
	}},
	{name: "embedding-flat", make: func(m *maker, x Value) Value { return m.mlp(m.Flatten(m.Embed(x, vocabulary, 3))) }},
	{name: "embedding-attention", make: func(m *maker, x Value) Value { return m.tokenEncoder(m.Embed(x, vocabulary, 4)) }},
	{name: "embedding-gru", make: func(m *maker, x Value) Value { return m.torchOr("GRU", m.Embed(x, vocabulary, 3)) }},
}

// encodeAll makes one feature of all inputs of a player.
func (m *maker) encodeAll(sources []Value) Value {
	h := m.encode(sources[0])
	for _, s := range sources[1:] {
		h = m.Concat(1, h, m.encode(s))
	}
	return pick(m, "feature", featureSteps)(m, h)
}

func (m *maker) encode(x Value) Value {
	var how encode
	switch {
	case x.DType.IsInteger():
		how = pick(m, "encoder", idEncoders)
	case len(x.Shape) == 4:
		how = pick(m, "encoder", imageEncoders)
	case len(x.Shape) == 3:
		how = pick(m, "encoder", seriesEncoders)
	default:
		how = pick(m, "encoder", vectorEncoders)
	}
	return how(m, x)
}

// featureSteps are what may follow an encoder.
var featureSteps = []piece[encode]{
	{name: "plain", make: func(_ *maker, x Value) Value { return x }},
	{name: "dropout", single: true, make: func(m *maker, x Value) Value { return m.Dropout(x) }},
	{name: "clip", single: true, make: func(m *maker, x Value) Value { return m.Clip(x, -3, 3) }},
	{name: "rows-of-another", make: func(m *maker, x Value) Value { return m.ReshapeLike(x, m.rowsOf(), x.last()) }},
	{name: "reshaped-twice", make: func(m *maker, x Value) Value {
		return m.ReshapeFree(m.Reshape(x, 1, x.last()), x.last())
	}},
	{name: "half-precision", single: true, make: func(m *maker, x Value) Value {
		m.c.Rounding = halfUnit
		return m.Cast(m.Cast(x, tensor.Float16), tensor.Float32)
	}},
	{name: "double-precision", single: true, make: func(m *maker, x Value) Value {
		return m.Cast(m.Unary("Tanh", m.Cast(x, tensor.Float64)), tensor.Float32)
	}},
	{name: "where", opset: 9, single: true, make: func(m *maker, x Value) Value {
		positive := m.Node("Greater", Value{DType: tensor.Bool, Shape: x.Shape}, []Value{x, m.scalar(x.DType, 0)})
		return m.Node("Where", x, []Value{positive, x, m.Binary("Mul", x, m.scalar(x.DType, 0.1))})
	}},
	{name: "chosen-features", make: func(m *maker, x Value) Value { return m.Gather(x, 1, x.last()-1, 0, 0) }},
	{name: "tiled", make: func(m *maker, x Value) Value {
		return m.Node("Tile", x.as(Rows, 2*x.last()), []Value{x, m.Ints(1, 2)})
	}},
	{name: "powers", single: true, make: func(m *maker, x Value) Value {
		return m.Unary("Sqrt", m.Binary("Add", m.Binary("Pow", x, m.scalar(x.DType, 2)), m.scalar(x.DType, 0.1)))
	}},
	{name: "zeros-like", opset: 9, single: true, make: func(m *maker, x Value) Value {
		shape := m.Concat(0, m.RowCount(m.rowsOf()), m.Ints(x.last()))
		return m.Binary("Add", x, m.Node("ConstantOfShape", x, []Value{shape}))
	}},
	{name: "expanded-constant", opset: 9, single: true, make: func(m *maker, x Value) Value {
		shape := m.Concat(0, m.RowCount(m.rowsOf()), m.Ints(2))
		return m.Concat(1, x, m.Node("Expand", x.as(Rows, 2), []Value{m.Random(x.DType, 1, 1, 2), shape}))
	}},
}

// dense is one linear layer, in one of the ways in which exporters write it.
func (m *maker) dense(x Value, out int) Value {
	switch m.rng.IntN(3) {
	case 0:
		return m.Gemm(x, out)
	case 1:
		return m.GemmTransposed(x, out)
	}
	return m.Linear(x, out)
}

func (m *maker) mlp(x Value) Value {
	h := m.act(m.dense(x, m.between(4, 9)))
	if m.rng.IntN(2) == 0 {
		h = m.act(m.dense(h, m.between(3, 7)))
	}
	return h
}

// act applies an activation.
func (m *maker) act(x Value) Value {
	ops := []string{"Relu", "Tanh", "Sigmoid"}
	if x.DType == tensor.Float32 {
		ops = append(ops, "Relu", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign")
	}
	return m.Unary(ops[m.rng.IntN(len(ops))], x)
}

// tokenEncoder is attention over tokens [rows, tokens, width] and a mean.
func (m *maker) tokenEncoder(tokens Value) Value {
	h := m.LayerNorm(m.Binary("Add", tokens, m.Attention(tokens, tokens, tokens.last())))
	return m.pooled(h)
}

// pooled makes one vector of tokens.
func (m *maker) pooled(tokens Value) Value {
	if m.rng.IntN(2) == 0 {
		return m.Reduce("ReduceMean", tokens, 1, 0)
	}
	return m.Squeeze(m.Slice(tokens, 1, 0, 1), 1)
}

// headsAttention is attention in two heads, with the shapes that torch writes.
func (m *maker) headsAttention(tokens Value) Value {
	const heads = 2
	n, width := tokens.Shape[1], tokens.last()
	split := func() Value {
		return m.Transpose(m.Reshape(m.MatMul(tokens, width), n, heads, width/heads), 0, 2, 1, 3)
	}
	q, k, v := split(), split(), split()
	weights := m.Softmax(m.Product(q, m.Transpose(k, 0, 1, 3, 2)))
	return m.ReshapeFree(m.Transpose(m.Product(weights, v), 0, 2, 1, 3), n, width)
}

// Recurrent runs a GRU, LSTM or RNN over x [steps, rows, width] and returns its
// outputs [steps, directions, rows, hidden] and last state [directions, rows,
// hidden]. States are the initial ones; without any they are zero.
func (b *Builder) Recurrent(op string, x Value, hidden, directions int, states ...Value) (sequence, last Value) {
	gates := map[string]int{"GRU": 3, "LSTM": 4, "RNN": 1}[op]
	const sd = 0.6
	inputs := []Value{
		x, b.Random(x.DType, sd, directions, gates*hidden, x.last()), b.Random(x.DType, sd, directions, gates*hidden, hidden),
		b.Random(x.DType, biasSD, directions, 2*gates*hidden),
	}
	if len(states) > 0 {
		inputs = append(append(inputs, Value{}), states...) // the lengths of series are left out
	}
	attributes := []*onnxpb.AttributeProto{Int("hidden_size", hidden)}
	if directions == 2 {
		attributes = append(attributes, Text("direction", "bidirectional"))
	}
	if op == "GRU" {
		attributes = append(attributes, Int("linear_before_reset", 1))
	}
	out := b.Nodes(op, []Value{
		x.as(x.Shape[0], directions, x.Shape[1], hidden), x.as(directions, x.Shape[1], hidden),
	}, inputs, attributes...)
	return out[0], out[1]
}

func (m *maker) recurrentEncoder(op string, x Value) Value {
	_, last := m.Recurrent(op, m.Transpose(x, 1, 0, 2), m.between(3, 5), 1)
	return m.Squeeze(last, 0)
}

// torchRecurrent starts from zeros whose shape is computed, as torch exports it,
// and takes the last step of the outputs.
func (m *maker) torchRecurrent(op string, x Value) Value {
	hidden := m.between(3, 5)
	shape := m.Concat(0, m.Ints(1), m.RowCount(x), m.Ints(hidden))
	zeros := m.Node("ConstantOfShape", x.as(1, Rows, hidden), []Value{shape})
	states := []Value{zeros}
	if op == "LSTM" {
		states = append(states, zeros)
	}
	steps := m.Transpose(x, 1, 0, 2)
	sequence, _ := m.Recurrent(op, steps, hidden, 1, states...)
	return m.Squeeze(m.Squeeze(m.Slice(sequence, 0, steps.Shape[0]-1, steps.Shape[0]), 0), 0)
}

func (m *maker) torchOr(op string, x Value) Value {
	if m.Opset < 9 {
		return m.recurrentEncoder(op, x)
	}
	return m.torchRecurrent(op, x)
}

// A slicing takes the players' parts out of one input x, of the given sizes on
// axis 1. It returns a part for each player, or features of all at once.
type slicing func(m *maker, x Value, sizes []int) (parts, joint []Value)

var slicings = []piece[slicing]{
	{name: "slice", make: func(m *maker, x Value, sizes []int) (parts, joint []Value) {
		at := 0
		for _, s := range sizes {
			parts = append(parts, m.Slice(x, 1, at, at+s))
			at += s
		}
		return parts, nil
	}},
	{name: "split", make: func(m *maker, x Value, sizes []int) (parts, joint []Value) { return m.Split(x, 1, sizes...), nil }},
	{name: "gather", make: func(m *maker, x Value, sizes []int) (parts, joint []Value) {
		at := 0
		for _, s := range sizes {
			var indices []int
			for i := range s {
				indices = append(indices, at+i)
			}
			slices.Reverse(indices)
			parts = append(parts, m.Gather(x, 1, indices...))
			at += s
		}
		return parts, nil
	}},
	{name: "dense", make: func(m *maker, x Value, _ []int) (parts, joint []Value) {
		return nil, []Value{m.act(m.dense(m.flat(x), m.between(5, 9)))}
	}},
	{name: "standardised-dense", make: func(m *maker, x Value, _ []int) (parts, joint []Value) {
		x = m.flat(x)
		x = m.Binary("Sub", x, m.Random(x.DType, 1, 1, x.last()))
		return nil, []Value{m.act(m.dense(m.Binary("Mul", x, m.Positive(x.DType, x.last())), m.between(5, 9)))}
	}},
	{name: "slice-across", make: func(m *maker, x Value, sizes []int) (parts, joint []Value) {
		// Parts that are not those of the players: the first has all of one and a
		// bit of the next.
		n := x.Shape[1]
		cut := sizes[0] + 1
		return nil, []Value{m.mlp(m.flat(m.Slice(x, 1, 0, cut))), m.mlp(m.flat(m.Slice(x, 1, cut, n)))}
	}},
}

func (m *maker) flat(x Value) Value {
	if len(x.Shape) == 2 {
		return x
	}
	return m.Flatten(x)
}

// slicedInput makes one input of which each player has a slice.
func (m *maker) slicedInput(players int) (features []Value, sources [][]Value) {
	total, sizes := 0, []int{}
	for i := range players {
		size := m.between(2, 5)
		name := fmt.Sprintf("m%d", i+1)
		m.c.Players = append(m.c.Players, name)
		m.c.Modalities = append(m.c.Modalities, fmt.Sprintf("%s=x[%d:%d]", name, total, total+size))
		sizes = append(sizes, size)
		total += size
	}
	shape := []int{total}
	if m.float == tensor.Float32 && m.rng.IntN(3) == 0 {
		shape = append(shape, 2)
	}
	x := m.input(Input{Name: "x", DType: m.float, RowShape: shape})
	parts, joint := pick(m, "slicing", slicings)(m, x, sizes)
	for _, p := range parts {
		sources = append(sources, []Value{p})
	}
	return joint, sources
}

// An ignore uses the sources of a player so that nothing depends on them.
type ignore func(m *maker, sources []Value) []Value

var ignorers = []piece[ignore]{
	{name: "unused", make: func(*maker, []Value) []Value { return nil }},
	{name: "zero-weights", make: func(m *maker, sources []Value) []Value {
		h := m.encodeAll(sources)
		const width = 4
		zeros := m.Floats(h.DType, make([]float64, h.last()*width), h.last(), width)
		return []Value{m.Node("Gemm", h.as(Rows, width), []Value{h, zeros, m.Random(h.DType, 1, width)})}
	}},
	{name: "zero-product", make: func(m *maker, sources []Value) []Value {
		h := m.encodeAll(sources)
		return []Value{m.Binary("Add", m.Binary("Mul", h, m.scalar(h.DType, 0)), m.Random(h.DType, 1, h.last()))}
	}},
}
