package graphtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// Rows stands in shapes for the number of rows of a batch.
const Rows = -1

// A Value is a tensor of a graph under construction.
type Value struct {
	Name  string
	DType tensor.DType
	// Shape has Rows where the rows of the batch lie.
	Shape []int
}

// as returns v, without a name, in another shape: what an operation makes of it.
func (v Value) as(shape ...int) Value { return Value{DType: v.DType, Shape: shape} }

// last returns the length of the last axis.
func (v Value) last() int { return v.Shape[len(v.Shape)-1] }

// A Builder writes a graph node by node. Each method adds what it is named after
// and returns the result.
type Builder struct {
	// Opset is the version of ONNX's operations that the model imports.
	Opset int
	// ConstantNodes makes constants nodes of the graph instead of initializers.
	ConstantNodes bool
	// TypedData stores constants in the field of their type instead of as bytes.
	TypedData bool

	rng   *rand.Rand
	graph *onnxpb.GraphProto
	names map[string]int
	next  string
}

// NewBuilder starts an empty graph; random weights come from seed.
func NewBuilder(opset int, seed uint64) *Builder {
	return newBuilder(opset, rand.New(rand.NewPCG(seed, seed)))
}

func newBuilder(opset int, rng *rand.Rand) *Builder {
	return &Builder{Opset: opset, rng: rng, graph: &onnxpb.GraphProto{Name: proto.String("graph")}, names: map[string]int{}}
}

// Input adds an input with rows of the given shape.
func (b *Builder) Input(name string, d tensor.DType, rowShape ...int) Value {
	v := Value{Name: name, DType: d, Shape: append([]int{Rows}, rowShape...)}
	b.names[name]++
	b.graph.Input = append(b.graph.Input, valueInfo(name, v))
	return v
}

// Output makes v an output called name.
func (b *Builder) Output(name string, v Value) {
	b.named(name).Node("Identity", v, []Value{v})
	b.graph.Output = append(b.graph.Output, valueInfo(name, v))
}

// named gives the first output of the next node this very name.
func (b *Builder) named(name string) *Builder {
	b.next = name
	return b
}

// fresh returns a name that nothing has yet.
func (b *Builder) fresh(stem string) string {
	for {
		b.names[stem]++
		name := fmt.Sprintf("%s_%d", stem, b.names[stem])
		if b.names[name] == 0 {
			b.names[name]++
			return name
		}
	}
}

// Nodes adds a node with several outputs, whose types and shapes are given.
// An input or output without type is one that is left out.
func (b *Builder) Nodes(op string, outputs, inputs []Value, attributes ...*onnxpb.AttributeProto) []Value {
	node := &onnxpb.NodeProto{OpType: proto.String(op), Name: proto.String(b.fresh(op)), Attribute: attributes}
	for _, in := range inputs {
		node.Input = append(node.Input, in.Name)
	}
	out := slices.Clone(outputs)
	for i := range out {
		switch {
		case out[i].DType == 0:
			out[i].Name = ""
		case b.next != "":
			out[i].Name, b.next = b.next, ""
		default:
			out[i].Name = b.fresh("v")
		}
		node.Output = append(node.Output, out[i].Name)
	}
	b.graph.Node = append(b.graph.Node, node)
	return out
}

// Node adds a node with one output of the type and shape of like.
func (b *Builder) Node(op string, like Value, inputs []Value, attributes ...*onnxpb.AttributeProto) Value {
	return b.Nodes(op, []Value{like}, inputs, attributes...)[0]
}

// Const adds a constant.
func (b *Builder) Const(t tensor.Tensor) Value {
	like := Value{DType: t.DType(), Shape: t.Shape()}
	if b.ConstantNodes {
		return b.Node("Constant", like, nil, tensorAttribute("value", b.tensor("", t)))
	}
	like.Name = b.fresh("c")
	b.graph.Initializer = append(b.graph.Initializer, b.tensor(like.Name, t))
	return like
}

// Floats adds a constant of floating-point type d.
func (b *Builder) Floats(d tensor.DType, values []float64, shape ...int) Value {
	return b.Const(floats(d, values, shape))
}

// Ints adds a vector of int64.
func (b *Builder) Ints(values ...int) Value {
	wide := make([]int64, len(values))
	for i, v := range values {
		wide[i] = int64(v)
	}
	return b.Const(tensor.Of(wide))
}

// Random adds a constant of normal numbers with the given standard deviation.
func (b *Builder) Random(d tensor.DType, sd float64, shape ...int) Value {
	return b.Floats(d, normal(b.rng, 0, sd, elements(shape)), shape...)
}

// A randomConst adds a random constant; sd is the standard deviation for those
// that have a choice.
type randomConst func(d tensor.DType, sd float64, shape ...int) Value

// positive is Positive as a randomConst.
func (b *Builder) positive(d tensor.DType, _ float64, shape ...int) Value {
	return b.Positive(d, shape...)
}

// Positive adds a constant of numbers between 0.5 and 1.5, as variances are.
func (b *Builder) Positive(d tensor.DType, shape ...int) Value {
	values := make([]float64, elements(shape))
	for i := range values {
		values[i] = 0.5 + b.rng.Float64()
	}
	return b.Floats(d, values, shape...)
}

// scalar adds one number without axes.
func (b *Builder) scalar(d tensor.DType, value float64) Value {
	return b.scalarOf(floats(d, []float64{value}, []int{1}))
}

// scalarOf adds the only element of t without its axis.
func (b *Builder) scalarOf(t tensor.Tensor) Value {
	like := Value{DType: t.DType(), Shape: []int{}}
	message := b.tensor("", t)
	message.Dims = nil
	if b.ConstantNodes {
		return b.Node("Constant", like, nil, tensorAttribute("value", message))
	}
	like.Name = b.fresh("c")
	message.Name = proto.String(like.Name)
	b.graph.Initializer = append(b.graph.Initializer, message)
	return like
}

// Body starts a graph inside of this one, for If, Loop and Scan; it may use the
// values of the outer graph. Its inputs and outputs are given by Param and Result.
func (b *Builder) Body() *Builder {
	return &Builder{
		Opset: b.Opset, ConstantNodes: b.ConstantNodes, TypedData: b.TypedData, rng: b.rng,
		graph: &onnxpb.GraphProto{Name: proto.String(b.fresh("body"))}, names: b.names,
	}
}

// Param adds an input of a body.
func (b *Builder) Param(like Value) Value {
	like.Name = b.fresh("p")
	b.graph.Input = append(b.graph.Input, valueInfo(like.Name, like))
	return like
}

// Result makes v an output of a body.
func (b *Builder) Result(v Value) {
	out := b.Node("Identity", v, []Value{v})
	b.graph.Output = append(b.graph.Output, valueInfo(out.Name, v))
}

// Graph returns the body as an attribute.
func (b *Builder) Graph(name string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_GRAPH.Enum(), G: b.graph}
}

// fileVersions has the file version that came with an opset, by the lowest opset.
var fileVersions = map[int]int64{1: 3, 9: 4, 10: 5, 11: 6, 12: 7, 15: 8, 19: 9, 21: 10}

// lastInitializersAsInputs is the last file version in which an initializer must
// stand among the inputs.
const lastInitializersAsInputs = 3

// Proto returns the model; the builder must not be used after it.
func (b *Builder) Proto() *onnxpb.ModelProto {
	var version int64
	for _, opset := range slices.Sorted(maps.Keys(fileVersions)) {
		if opset <= b.Opset {
			version = fileVersions[opset]
		}
	}
	if version <= lastInitializersAsInputs {
		for _, t := range b.graph.Initializer {
			info := &onnxpb.ValueInfoProto{Name: t.Name, Type: typeProto(onnxpb.TensorProto_DataType(t.GetDataType()))}
			shape := info.Type.GetTensorType().Shape
			for _, d := range t.Dims {
				shape.Dim = append(shape.Dim, fixedDim(d))
			}
			b.graph.Input = append(b.graph.Input, info)
		}
	}
	return &onnxpb.ModelProto{
		IrVersion:    proto.Int64(version),
		ProducerName: proto.String("graphtest"),
		OpsetImport:  []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(int64(b.Opset))}},
		Graph:        b.graph,
	}
}

// Bytes returns the model as a file holds it; the builder must not be used after
// it.
func (b *Builder) Bytes() []byte {
	file, err := proto.MarshalOptions{Deterministic: true}.Marshal(b.Proto())
	if err != nil {
		panic(fmt.Sprintf("graphtest: %v", err)) // only a name that is not UTF-8 does this
	}
	return file
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func normal(rng *rand.Rand, mean, sd float64, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = mean + sd*rng.NormFloat64()
	}
	return values
}
