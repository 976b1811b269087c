package graphtest

import (
	"github.com/intershap/intershap/tensor"
)

// mixers make a row of their result depend on other rows of the batch, or on
// chance: a model with one of them must not be cut.
var mixers = []piece[encode]{
	{name: "mean-over-rows", make: func(m *maker, x Value) Value {
		return m.Binary("Sub", x, m.Reduce("ReduceMean", x, 0, 1))
	}},
	{name: "max-over-rows", make: func(m *maker, x Value) Value {
		return m.Binary("Div", x, m.Binary("Add", m.Unary("Abs", m.Reduce("ReduceMax", x, 0, 1)), m.scalar(x.DType, 1)))
	}},
	{name: "softmax-over-rows", make: func(m *maker, x Value) Value { return m.softmax("Softmax", x, 0) }},
	{name: "attention-over-rows", make: func(m *maker, x Value) Value {
		scores := m.Node("MatMul", x.as(Rows, Rows), []Value{x, m.Transpose(x, 1, 0)})
		return m.Node("MatMul", x, []Value{m.Softmax(scores), x})
	}},
	{name: "divided-by-row-count", make: func(m *maker, x Value) Value {
		count := m.Cast(m.RowCount(x), x.DType)
		return m.Binary("Div", x, count)
	}},
	{name: "layer-norm-over-batch", make: func(m *maker, x Value) Value {
		one := m.Node("Reshape", x.as(1, Rows, x.last()), []Value{x, m.Ints(1, -1, x.last())})
		mean := m.Reduce("ReduceMean", one, 1, 1)
		centred := m.Binary("Sub", one, mean)
		sd := m.Unary("Sqrt", m.Binary("Add", m.Reduce("ReduceMean", m.Binary("Mul", centred, centred), 1, 1), m.scalar(x.DType, 1e-3)))
		return m.Node("Reshape", x, []Value{m.Binary("Div", centred, sd), m.Ints(-1, x.last())})
	}},
	{name: "first-row", make: func(m *maker, x Value) Value { return m.Binary("Sub", x, m.Slice(x, 0, 0, 1)) }},
	{name: "last-row", make: func(m *maker, x Value) Value {
		row := m.Node("Gather", x.as(1, x.last()), []Value{x, m.Binary("Sub", m.RowCount(x), m.Ints(1))}, Int("axis", 0))
		return m.Binary("Sub", x, row)
	}},
	{name: "recurrent-over-rows", single: true, make: func(m *maker, x Value) Value {
		sequence, _ := m.Recurrent("GRU", m.Unsqueeze(x, 1), 4, 1) // [rows, 1, 1, 4]
		return m.Reshape(sequence, 4)
	}},
	{name: "top-row", single: true, make: func(m *maker, x Value) Value {
		const topByInput = 10
		top := x.as(1, x.last())
		indices := Value{DType: tensor.Int64, Shape: top.Shape}
		var out []Value
		if m.Opset < topByInput {
			out = m.Nodes("TopK", []Value{top, indices}, []Value{x}, Int("axis", 0), Int("k", 1))
		} else {
			out = m.Nodes("TopK", []Value{top, indices}, []Value{x, m.Ints(1)}, Int("axis", 0))
		}
		return m.Binary("Sub", x, out[0])
	}},
	{name: "running-sum", opset: 11, make: func(m *maker, x Value) Value {
		return m.Unary("Tanh", m.Node("CumSum", x, []Value{x, m.scalarInt(0)}))
	}},
	{name: "row-numbers", opset: 11, make: func(m *maker, x Value) Value {
		count := m.Squeeze(m.RowCount(x), 0)
		rows := m.Node("Range", count.as(Rows), []Value{m.scalarInt(0), count, m.scalarInt(1)})
		angle := m.Unary("Sin", m.Unsqueeze(m.Cast(rows, tensor.Float32), 1))
		return m.Binary("Add", x, m.Cast(angle, x.DType))
	}},
	{name: "flat-softmax", make: func(m *maker, x Value) Value {
		flat := m.Node("Flatten", x.as(1, Rows), []Value{x}, Int("axis", 0))
		return m.Node("Reshape", x, []Value{m.Softmax(flat), m.Ints(-1, x.last())})
	}},
	{name: "reversed-rows", opset: sliceByInputs, make: func(m *maker, x Value) Value {
		const farBelow = -1 << 31
		return m.Binary("Add", x, m.Node("Slice", x, []Value{x, m.Ints(-1), m.Ints(farBelow), m.Ints(0), m.Ints(-1)}))
	}},
	{name: "condition-over-rows", opset: 9, single: true, make: func(m *maker, x Value) Value {
		most := m.Squeeze(m.Squeeze(m.Reduce("ReduceMax", m.Reduce("ReduceMax", x, 0, 1), 1, 1), 0), 0)
		condition := m.Node("Greater", Value{DType: tensor.Bool, Shape: []int{}}, []Value{most, m.scalar(x.DType, 2)})
		return m.branch(condition, x)
	}},
	{name: "batch-norm-in-training", opset: trainingNormFrom, single: true, weight: 3, make: func(m *maker, x Value) Value {
		c := x.last()
		moments := x.as(c)
		return m.Nodes("BatchNormalization", []Value{x, moments, moments}, []Value{
			x, m.Positive(x.DType, c), m.Random(x.DType, biasSD, c), m.Random(x.DType, biasSD, c), m.Positive(x.DType, c),
		}, Int("training_mode", 1))[0]
	}},
	{name: "dropout-in-training", opset: dropoutByInputs, single: true, weight: 3, make: func(m *maker, x Value) Value {
		const ratio = 0.25
		return m.Node("Dropout", x, []Value{x, m.scalar(x.DType, ratio), m.scalarOf(tensor.Of([]bool{true}))})
	}},
	{name: "noise", single: true, make: func(m *maker, x Value) Value {
		return m.Binary("Add", x, m.Unary("RandomNormalLike", x, Float("scale", 0.1)))
	}},
}

// trainingNormFrom is the first opset with BatchNormalization in training mode.
const trainingNormFrom = 14

// opaques hold a graph of their own; rows stay apart.
var opaques = []piece[encode]{
	{name: "if", make: func(m *maker, x Value) Value {
		return m.branch(m.scalarOf(tensor.Of([]bool{true})), x)
	}},
	{name: "loop", opset: 11, single: true, make: func(m *maker, x Value) Value {
		const turns = 3
		flag := Value{DType: tensor.Bool, Shape: []int{}}
		body := m.body()
		body.Param(Value{DType: tensor.Int64, Shape: []int{}})
		keep, state := body.Param(flag), body.Param(x)
		body.Result(keep)
		body.Result(body.Unary("Tanh", body.Binary("Add", state, body.Binary("Mul", state, x))))
		return m.Node("Loop", x, []Value{m.scalarInt(turns), m.scalarOf(tensor.Of([]bool{true})), x}, body.Graph("body"))
	}},
	{name: "scan", opset: 9, single: true, make: func(m *maker, x Value) Value {
		// Over features, as a recurrence of one's own is exported over time.
		steps := m.Transpose(x, 1, 0) // [features, rows]
		start := m.Reduce("ReduceMean", x, 1, 0)
		body := m.body()
		state, step := body.Param(start), body.Param(x.as(Rows))
		next := body.Unary("Tanh", body.Binary("Add", state, step))
		body.Result(next)
		body.Result(next)
		out := m.Nodes("Scan", []Value{start, steps}, []Value{start, steps}, body.Graph("body"), Int("num_scan_inputs", 1))
		return m.Transpose(out[1], 1, 0)
	}},
}

// body starts a graph whose constants are nodes: old files want initializers
// among the inputs, which count here.
func (m *maker) body() *Builder {
	b := m.Body()
	b.ConstantNodes = true
	return b
}

// branch is an If on a condition without axes, whose branches look at x from
// inside.
func (m *maker) branch(condition, x Value) Value {
	then, otherwise := m.body(), m.body()
	then.Result(then.Unary("Tanh", x))
	otherwise.Result(otherwise.Binary("Mul", x, otherwise.scalar(x.DType, 0.5)))
	return m.Node("If", x, []Value{condition}, then.Graph("then_branch"), otherwise.Graph("else_branch"))
}
