package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// A Case is a node, and what the rules have to say of it. Negative lengths are
// multiples of the number of rows: -3 is the axis of rows in groups of 3.
type Case struct {
	Op         string
	Version    int
	Attributes []*onnxpb.AttributeProto
	In         []Operand
	// Out are the shapes of the outputs, nil for one that is left out. They say
	// where the rows must lie.
	Out [][]int
	// Refuse is a part of the error of what must be refused.
	Refuse string
	// Unrun says why the runtime of the tests cannot run what is accepted.
	Unrun string
}

// Name describes the case.
func (c Case) Name() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s-%d", c.Op, c.Version)
	for _, a := range c.Attributes {
		fmt.Fprintf(&b, " %s=%d%v%s", a.GetName(), a.GetI(), a.GetInts(), a.GetS())
	}
	for _, o := range c.In {
		fmt.Fprintf(&b, " %s%v", o.kind(), o.Shape)
	}
	return b.String()
}

// refuse returns a case that must be refused.
func (c Case) refuse(why string) Case {
	c.Refuse = why
	return c
}

// An Operand is an input of a case; the zero Operand is left out.
type Operand struct {
	DType tensor.DType
	Shape []int
	// Low and High bound the values of rows and of weights.
	Low, High float64
	// Content is that of constants; Weights have random ones.
	Content tensor.Tensor
	// Sized computes the content of what depends on the number of rows.
	Sized func(rows int) []int64
}

func (o Operand) kind() string {
	switch {
	case o.DType == 0:
		return "none"
	case o.Sized != nil:
		return "sized"
	case o.IsRows():
		return "rows"
	}
	return "constant"
}

// IsRows reports whether the operand has an axis of rows.
func (o Operand) IsRows() bool { return o.Layout().Group > 0 }

// Layout is where the rows lie, the zero Layout without rows.
func (o Operand) Layout() Layout { return layoutOf(o.Shape) }

func layoutOf(shape []int) Layout {
	for i, d := range shape {
		if d < 0 {
			return Layout{Axis: i, Group: -d}
		}
	}
	return Layout{}
}

// Dims is a shape for a number of rows.
func Dims(shape []int, rows int) []int {
	dims := make([]int, len(shape))
	for i, d := range shape {
		dims[i] = d
		if d < 0 {
			dims[i] = -d * rows
		}
	}
	return dims
}

// Fill returns a tensor of random values; a scalar is one of a single element.
func (o Operand) Fill(rng *rand.Rand, shape ...int) tensor.Tensor {
	if len(shape) == 0 {
		shape = []int{1}
	}
	values := tensor.New(tensor.Float64, shape...)
	for i := range tensor.Values[float64](values) {
		tensor.Values[float64](values)[i] = o.Low + (o.High-o.Low)*rng.Float64()
	}
	if !o.DType.IsFloat() {
		for i, v := range tensor.Values[float64](values) {
			tensor.Values[float64](values)[i] = float64(int(v))
		}
	}
	cast, err := tensor.Cast(values, o.DType)
	if err != nil {
		panic(err) // the bounds of a case are wrong
	}
	return cast
}

// LayRows lets the rules place the rows of a case, and returns where those of
// each output lie.
func LayRows(c Case) ([]Layout, error) {
	n := node(c)
	if err := layRows(n); err != nil {
		return nil, err
	}
	layouts := make([]Layout, len(n.Out))
	for i, out := range n.Out {
		if out != nil {
			layouts[i] = out.Layout
		}
	}
	return layouts, nil
}

// node builds the node of a case as the looks leave it.
func node(c Case) *Node {
	n := &Node{Proto: &onnxpb.NodeProto{Attribute: c.Attributes}, Op: c.Op, Version: c.Version}
	for i, o := range c.In {
		if o.DType == 0 {
			n.In = append(n.In, nil)
			continue
		}
		v := &Value{Name: fmt.Sprintf("in%d", i), DType: o.DType, Kind: Constant}
		switch {
		case o.Sized != nil:
			v.Kind = Sized
		case o.IsRows():
			v.Kind, v.Layout = Rows, o.Layout()
		}
		for look, rows := range lookRows {
			v.Dims[look], v.Content[look] = Dims(o.Shape, rows), o.Content
			if o.Sized != nil {
				v.Content[look] = tensor.Of(o.Sized(rows))
				v.Dims[look] = v.Content[look].Shape()
			}
		}
		n.In = append(n.In, v)
	}
	for i, shape := range c.Out {
		if shape == nil {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &Value{Name: fmt.Sprintf("out%d", i), DType: tensor.Float32}
		for look, rows := range lookRows {
			v.Dims[look] = Dims(shape, rows)
		}
		n.Out = append(n.Out, v)
	}
	return n
}

// What cases are made of.

func rows(shape ...int) Operand { return between(0.05, 0.95, shape...) }

func between(low, high float64, shape ...int) Operand {
	return Operand{DType: tensor.Float32, Shape: shape, Low: low, High: high}
}

// below are integers from 0 to less than limit.
func below(limit float64, shape ...int) Operand {
	return Operand{DType: tensor.Int64, Shape: shape, High: limit}
}

func (o Operand) of(d tensor.DType) Operand {
	o.DType = d
	return o
}

// weights are constants too many to look into.
func weights(shape ...int) Operand { return between(-1, 1, shape...) }

func constant[T tensor.Element](values ...T) Operand {
	t := tensor.Of(values)
	return Operand{DType: t.DType(), Shape: []int{len(values)}, Content: t}
}

// ints is a constant shape, or axes.
func ints(values ...int64) Operand { return constant(values...) }

func scalar[T tensor.Element](value T) Operand {
	o := constant(value)
	o.Shape = []int{}
	return o
}

func sized(content func(rows int) []int64) Operand {
	return Operand{DType: tensor.Int64, Sized: content}
}

var none Operand

func attrs(a ...*onnxpb.AttributeProto) []*onnxpb.AttributeProto { return a }

func intAttr(name string, v int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}
}

func intsAttr(name string, v ...int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: v}
}

func floatAttr(name string, v float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(v)}
}

func floatsAttr(name string, v ...float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOATS.Enum(), Floats: v}
}

func stringAttr(name, v string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(v)}
}

func stringsAttr(name string, v ...string) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRINGS.Enum()}
	for _, s := range v {
		a.Strings = append(a.Strings, []byte(s))
	}
	return a
}

func tensorAttr(name string, o Operand) *onnxpb.AttributeProto {
	types := map[tensor.DType]onnxpb.TensorProto_DataType{tensor.Float32: onnxpb.TensorProto_FLOAT, tensor.Uint8: onnxpb.TensorProto_UINT8}
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_TENSOR.Enum(), T: &onnxpb.TensorProto{
		DataType: proto.Int32(int32(types[o.DType])), Dims: []int64{int64(o.Shape[0])}, RawData: o.Content.Bytes()}}
}

// out is the shapes of outputs.
func out(shapes ...[]int) [][]int { return shapes }
