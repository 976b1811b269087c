package graphtest

import (
	"math"
	"slices"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// The opsets at which the forms of operations change.
const (
	sliceByInputs   = 10
	clipByInputs    = 11
	dropoutByInputs = 12
	axesByInputs    = 13 // of Unsqueeze, Squeeze and ReduceSum; sizes of Split
	reduceByInputs  = 18 // axes of the other reductions
	splitByNumber   = 18
	layerNormFrom   = 17
	geluFrom        = 20
	erfFrom         = 9
)

// Unary applies an operation that changes neither type nor shape.
func (b *Builder) Unary(op string, x Value, attributes ...*onnxpb.AttributeProto) Value {
	return b.Node(op, x, []Value{x}, attributes...)
}

// Binary applies Add, Sub, Mul or Div, with NumPy's broadcasting.
func (b *Builder) Binary(op string, x, y Value) Value {
	return b.Node(op, x.as(broadcast(x.Shape, y.Shape)...), []Value{x, y})
}

// Variadic applies Sum, Mean, Max or Min.
func (b *Builder) Variadic(op string, xs ...Value) Value {
	shape := xs[0].Shape
	for _, x := range xs[1:] {
		shape = broadcast(shape, x.Shape)
	}
	return b.Node(op, xs[0].as(shape...), xs)
}

func broadcast(x, y []int) []int {
	out := slices.Clone(x)
	if len(y) > len(x) {
		out = slices.Clone(y)
		x, y = y, x
	}
	for i := range y {
		o := &out[len(out)-len(y)+i]
		switch a, c := x[len(x)-len(y)+i], y[i]; {
		case a == 1:
			*o = c
		case c == 1 || a == c:
			*o = a
		default:
			panic("graphtest: shapes do not broadcast")
		}
	}
	return out
}

// Gemm multiplies rows by random weights [in, out], with a bias.
func (b *Builder) Gemm(x Value, out int) Value {
	w := b.weights(x.DType, x.last(), out)
	return b.Node("Gemm", x.as(Rows, out), []Value{x, w, b.Random(x.DType, biasSD, out)})
}

// GemmTransposed is Gemm with its weights as [out, in], the way of torch.
func (b *Builder) GemmTransposed(x Value, out int) Value {
	w := b.Random(x.DType, gain/math.Sqrt(float64(x.last())), out, x.last())
	return b.Node("Gemm", x.as(Rows, out), []Value{x, w, b.Random(x.DType, biasSD, out)}, Int("transB", 1))
}

// MatMul multiplies the last axis by random weights.
func (b *Builder) MatMul(x Value, out int) Value {
	shape := slices.Clone(x.Shape)
	shape[len(shape)-1] = out
	return b.Node("MatMul", x.as(shape...), []Value{x, b.weights(x.DType, x.last(), out)})
}

// Linear is MatMul and a bias.
func (b *Builder) Linear(x Value, out int) Value {
	return b.Binary("Add", b.MatMul(x, out), b.Random(x.DType, biasSD, out))
}

const (
	// gain keeps the variance of features through a layer and its ReLU.
	gain = math.Sqrt2
	// biasSD is the standard deviation of biases.
	biasSD = 0.3
)

func (b *Builder) weights(d tensor.DType, in, out int) Value {
	return b.Random(d, gain/math.Sqrt(float64(in)), in, out)
}

// Conv convolves along all axes but the first two, with padding that keeps their
// lengths; kernel must be odd.
func (b *Builder) Conv(x Value, channels, kernel int) Value {
	axes := len(x.Shape) - 2
	in := x.Shape[1]
	weights, strides, pads := []int{channels, in}, []int{}, []int{}
	fan := in
	for range axes {
		weights, strides, fan = append(weights, kernel), append(strides, 1), fan*kernel
	}
	for range 2 * axes {
		pads = append(pads, kernel/2)
	}
	shape := slices.Clone(x.Shape)
	shape[1] = channels
	w := b.Random(x.DType, gain/math.Sqrt(float64(fan)), weights...)
	return b.Node("Conv", x.as(shape...), []Value{x, w, b.Random(x.DType, biasSD, channels)},
		Ints("kernel_shape", weights[2:]...), Ints("strides", strides...), Ints("pads", pads...))
}

// Pool halves all axes but the first two by MaxPool or AveragePool.
func (b *Builder) Pool(op string, x Value) Value {
	const window = 2
	shape := slices.Clone(x.Shape)
	var kernel []int
	for i := range shape[2:] {
		shape[i+2] /= window
		kernel = append(kernel, window)
	}
	return b.Node(op, x.as(shape...), []Value{x}, Ints("kernel_shape", kernel...), Ints("strides", kernel...))
}

// BatchNorm normalises axis 1 by constants, as after training.
func (b *Builder) BatchNorm(x Value) Value {
	c := x.Shape[1]
	return b.Node("BatchNormalization", x, []Value{
		x, b.Positive(x.DType, c), b.Random(x.DType, biasSD, c), b.Random(x.DType, biasSD, c), b.Positive(x.DType, c),
	})
}

// Concat joins along an axis.
func (b *Builder) Concat(axis int, xs ...Value) Value {
	shape := slices.Clone(xs[0].Shape)
	for _, x := range xs[1:] {
		shape[axis] += x.Shape[axis]
	}
	return b.Node("Concat", xs[0].as(shape...), xs, Int("axis", axis))
}

// withAxes adds a node whose axes are an attribute before an opset and an input
// from it on.
func (b *Builder) withAxes(op string, byInput int, like, x Value, axes []int, more ...*onnxpb.AttributeProto) Value {
	if b.Opset < byInput {
		return b.Node(op, like, []Value{x}, append(more, Ints("axes", axes...))...)
	}
	return b.Node(op, like, []Value{x, b.Ints(axes...)}, more...)
}

// Unsqueeze adds an axis of length 1.
func (b *Builder) Unsqueeze(x Value, axis int) Value {
	return b.withAxes("Unsqueeze", axesByInputs, x.as(slices.Insert(slices.Clone(x.Shape), axis, 1)...), x, []int{axis})
}

// Squeeze drops an axis of length 1.
func (b *Builder) Squeeze(x Value, axis int) Value {
	return b.withAxes("Squeeze", axesByInputs, x.as(slices.Delete(slices.Clone(x.Shape), axis, axis+1)...), x, []int{axis})
}

// Reduce applies ReduceMean, ReduceSum or ReduceMax over an axis; keep is 1 to
// keep it with length 1, as the attribute has it.
func (b *Builder) Reduce(op string, x Value, axis, keep int) Value {
	from := reduceByInputs
	if op == "ReduceSum" {
		from = axesByInputs
	}
	shape := slices.Clone(x.Shape)
	shape[axis] = 1
	if keep == 0 {
		shape = slices.Delete(shape, axis, axis+1)
	}
	return b.withAxes(op, from, x.as(shape...), x, []int{axis}, Int("keepdims", keep))
}

// Softmax normalises along the last axis.
func (b *Builder) Softmax(x Value) Value { return b.softmax("Softmax", x, len(x.Shape)-1) }

// softmax takes any axis; before opset 13 all later axes went along with it.
func (b *Builder) softmax(op string, x Value, axis int) Value {
	return b.Unary(op, x, Int("axis", axis))
}

// Transpose permutes axes.
func (b *Builder) Transpose(x Value, perm ...int) Value {
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = x.Shape[p]
	}
	return b.Node("Transpose", x.as(shape...), []Value{x}, Ints("perm", perm...))
}

// Slice takes [lo, hi) of an axis.
func (b *Builder) Slice(x Value, axis, lo, hi int) Value {
	shape := slices.Clone(x.Shape)
	shape[axis] = hi - lo
	if b.Opset < sliceByInputs {
		return b.Node("Slice", x.as(shape...), []Value{x}, Ints("axes", axis), Ints("starts", lo), Ints("ends", hi))
	}
	return b.Node("Slice", x.as(shape...), []Value{x, b.Ints(lo), b.Ints(hi), b.Ints(axis)})
}

// Split cuts an axis into parts of the given sizes.
func (b *Builder) Split(x Value, axis int, sizes ...int) []Value {
	var outputs []Value
	for _, s := range sizes {
		shape := slices.Clone(x.Shape)
		shape[axis] = s
		outputs = append(outputs, x.as(shape...))
	}
	if b.Opset < axesByInputs {
		return b.Nodes("Split", outputs, []Value{x}, Int("axis", axis), Ints("split", sizes...))
	}
	return b.Nodes("Split", outputs, []Value{x, b.Ints(sizes...)}, Int("axis", axis))
}

// Gather takes entries of an axis by constant indices.
func (b *Builder) Gather(x Value, axis int, indices ...int) Value {
	shape := slices.Clone(x.Shape)
	shape[axis] = len(indices)
	return b.Node("Gather", x.as(shape...), []Value{x, b.Ints(indices...)}, Int("axis", axis))
}

// Embed looks up integer ids in a random table [vocabulary, width].
func (b *Builder) Embed(ids Value, vocabulary, width int) Value {
	table := b.Random(tensor.Float32, 1, vocabulary, width)
	return b.Node("Gather", table.as(append(slices.Clone(ids.Shape), width)...), []Value{table, ids}, Int("axis", 0))
}

// Reshape gives each row another shape. The number of rows is written as 0, "as
// it was", which stands on axis 0 alone.
func (b *Builder) Reshape(x Value, rowShape ...int) Value {
	return b.reshapeTo(x, b.Ints(append([]int{0}, rowShape...)...), rowShape)
}

// ReshapeFree is Reshape with the number of rows left to be worked out.
func (b *Builder) ReshapeFree(x Value, rowShape ...int) Value {
	return b.reshapeTo(x, b.Ints(append([]int{-1}, rowShape...)...), rowShape)
}

// ReshapeLike is Reshape with the number of rows read from the shape of another
// value, which may be of another modality.
func (b *Builder) ReshapeLike(x, other Value, rowShape ...int) Value {
	target := b.Concat(0, b.RowCount(other), b.Ints(rowShape...))
	return b.reshapeTo(x, target, rowShape)
}

func (b *Builder) reshapeTo(x, target Value, rowShape []int) Value {
	return b.Node("Reshape", x.as(append([]int{Rows}, rowShape...)...), []Value{x, target})
}

// RowCount is the number of rows of x as a vector of one int64: Shape, Gather,
// Unsqueeze, as torch writes it.
func (b *Builder) RowCount(x Value) Value {
	shape := b.Node("Shape", Value{DType: tensor.Int64, Shape: []int{len(x.Shape)}}, []Value{x})
	first := b.Node("Gather", shape.as(), []Value{shape, b.scalarInt(0)}, Int("axis", 0))
	return b.Unsqueeze(first, 0)
}

func (b *Builder) scalarInt(v int) Value {
	return b.scalarOf(tensor.Of([]int64{int64(v)}))
}

// Flatten merges all axes but the first.
func (b *Builder) Flatten(x Value) Value {
	return b.Node("Flatten", x.as(Rows, elements(x.Shape[1:])), []Value{x}, Int("axis", 1))
}

// Cast changes the type of the elements.
func (b *Builder) Cast(x Value, to tensor.DType) Value {
	like := x
	like.DType = to
	return b.Node("Cast", like, []Value{x}, Int("to", int(dataType(to))))
}

// Clip limits values.
func (b *Builder) Clip(x Value, lo, hi float64) Value {
	if b.Opset < clipByInputs {
		return b.Unary("Clip", x, Float("min", lo), Float("max", hi))
	}
	return b.Node("Clip", x, []Value{x, b.scalar(x.DType, lo), b.scalar(x.DType, hi)})
}

// Dropout does nothing when a model is not trained.
func (b *Builder) Dropout(x Value) Value {
	const ratio = 0.25
	if b.Opset < dropoutByInputs {
		return b.Unary("Dropout", x, Float("ratio", ratio))
	}
	return b.Node("Dropout", x, []Value{x, b.scalar(tensor.Float32, ratio)})
}

// LayerNorm normalises the last axis, as one node or, before opset 17, spelt out.
func (b *Builder) LayerNorm(x Value) Value {
	// Large, so that a row of nearly equal numbers does not make rounding large.
	const epsilon = 1e-2
	n, axis := x.last(), len(x.Shape)-1
	scale, bias := b.Positive(x.DType, n), b.Random(x.DType, biasSD, n)
	if b.Opset >= layerNormFrom {
		return b.Node("LayerNormalization", x, []Value{x, scale, bias}, Int("axis", axis), Float("epsilon", epsilon))
	}
	centred := b.Binary("Sub", x, b.Reduce("ReduceMean", x, axis, 1))
	variance := b.Reduce("ReduceMean", b.Binary("Mul", centred, centred), axis, 1)
	sd := b.Unary("Sqrt", b.Binary("Add", variance, b.scalar(x.DType, epsilon)))
	return b.Binary("Add", b.Binary("Mul", b.Binary("Div", centred, sd), scale), bias)
}

// Gelu is one node from opset 20 on, spelt out before.
func (b *Builder) Gelu(x Value) Value {
	switch {
	case b.Opset >= geluFrom:
		return b.Unary("Gelu", x)
	case b.Opset < erfFrom:
		return b.Binary("Mul", x, b.Unary("Sigmoid", x))
	}
	erf := b.Unary("Erf", b.Binary("Div", x, b.scalar(x.DType, math.Sqrt2)))
	return b.Binary("Mul", b.Binary("Mul", x, b.Binary("Add", erf, b.scalar(x.DType, 1))), b.scalar(x.DType, 0.5))
}

// Product multiplies matrices of two values: the last two axes, row by row.
func (b *Builder) Product(x, y Value) Value {
	shape := slices.Clone(x.Shape)
	shape[len(shape)-1] = y.last()
	return b.Node("MatMul", x.as(shape...), []Value{x, y})
}

// Attention looks from tokens [rows, q, width] at tokens [rows, k, width].
func (b *Builder) Attention(from, at Value, width int) Value {
	q, k, v := b.MatMul(from, width), b.MatMul(at, width), b.MatMul(at, width)
	scores := b.Binary("Div", b.Product(q, b.Transpose(k, 0, 2, 1)), b.scalar(q.DType, math.Sqrt(float64(width))))
	return b.Product(b.Softmax(scores), v)
}
