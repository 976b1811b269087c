package graph

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// This file writes nodes. Some operations take in one opset as an attribute what
// they take in another as an input; here is the one place that knows.

// node returns a node of ONNX's own domain that computes outs from ins.
func (g *Graph) node(op string, ins, outs []*Value, attributes ...*onnxpb.AttributeProto) *Node {
	p := &onnxpb.NodeProto{OpType: proto.String(op), Attribute: attributes}
	for _, v := range ins {
		p.Input = append(p.Input, nameOf(v))
	}
	for _, v := range outs {
		p.Output = append(p.Output, nameOf(v))
	}
	n := &Node{Proto: p, Op: op, Version: g.opset, In: ins, Out: outs}
	inferTypes(n)
	return n
}

func nameOf(v *Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}

func intAttribute(name string, v int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(int64(v))}
}

func intsAttribute(name string, v ...int) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum()}
	for _, x := range v {
		a.Ints = append(a.Ints, int64(x))
	}
	return a
}

// withAttribute returns the attributes with one of them set.
func withAttribute(have []*onnxpb.AttributeProto, a *onnxpb.AttributeProto) []*onnxpb.AttributeProto {
	var out []*onnxpb.AttributeProto
	for _, h := range have {
		if h.GetName() != a.GetName() {
			out = append(out, h)
		}
	}
	return append(out, a)
}

// literal returns a constant of the given elements and shape, as a weight of the
// graph.
func (g *Graph) literal(name string, elements tensor.Tensor, dims ...int) *Value {
	v := g.temporary(&Value{Name: name, DType: elements.DType()})
	v.Kind = Constant
	w := &onnxpb.TensorProto{Name: proto.String(v.Name), DataType: proto.Int32(int32(elementTypes[v.DType])), RawData: elements.Bytes()}
	for look := range looks {
		v.Dims[look], v.Content[look] = append([]int{}, dims...), elements
	}
	for _, d := range dims {
		w.Dims = append(w.Dims, int64(d))
	}
	g.weights[v.Name] = w
	return v
}

// integers returns a constant vector.
func (g *Graph) integers(name string, values ...int) *Value {
	long := make([]int64, len(values))
	for i, v := range values {
		long[i] = int64(v)
	}
	return g.literal(name, tensor.Of(long), len(long))
}

// index returns a constant of no axes that takes one element along an axis.
func (g *Graph) index(name string, i int) *Value {
	return g.literal(name, tensor.Of([]int64{int64(i)}))
}

// scalar returns a constant of no axes and the type of like.
func (g *Graph) scalar(like *Value, x float64) (*Value, error) {
	t, err := tensor.Cast(tensor.Of([]float64{x}), like.DType)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return g.literal(like.Name, t), nil
}

// slice takes elements [lo, hi) along an axis.
func (g *Graph) slice(v *Value, axis, lo, hi int) *Node {
	out := g.temporary(v)
	if g.opset < 10 {
		return g.node("Slice", []*Value{v}, []*Value{out},
			intsAttribute("axes", axis), intsAttribute("starts", lo), intsAttribute("ends", hi))
	}
	return g.node("Slice", []*Value{v, g.integers(v.Name, lo), g.integers(v.Name, hi), g.integers(v.Name, axis)}, []*Value{out})
}

func (g *Graph) concat(axis int, parts []*Value, out *Value) *Node {
	return g.node("Concat", parts, []*Value{out}, intAttribute("axis", axis))
}

// reshape gives v a shape, in which one -1 stands for what is left.
func (g *Graph) reshape(v *Value, shape []int) *Node {
	return g.node("Reshape", []*Value{v, g.integers(v.Name, shape...)}, []*Value{g.temporary(v)})
}

// reduceSum adds up along an axis, which stays with length 1 if keep is set.
func (g *Graph) reduceSum(v *Value, axis int, keep bool) *Node {
	kept := intAttribute("keepdims", 0)
	if keep {
		kept = intAttribute("keepdims", 1)
	}
	out := []*Value{g.temporary(v)}
	if g.opset < 13 {
		return g.node("ReduceSum", []*Value{v}, out, intsAttribute("axes", axis), kept)
	}
	return g.node("ReduceSum", []*Value{v, g.integers(v.Name, axis)}, out, kept)
}

// elementTypes has ONNX's number of each element type that package tensor knows.
var elementTypes = map[tensor.DType]onnxpb.TensorProto_DataType{
	tensor.Float16: onnxpb.TensorProto_FLOAT16,
	tensor.Float32: onnxpb.TensorProto_FLOAT,
	tensor.Float64: onnxpb.TensorProto_DOUBLE,
	tensor.Int8:    onnxpb.TensorProto_INT8,
	tensor.Int16:   onnxpb.TensorProto_INT16,
	tensor.Int32:   onnxpb.TensorProto_INT32,
	tensor.Int64:   onnxpb.TensorProto_INT64,
	tensor.Uint8:   onnxpb.TensorProto_UINT8,
	tensor.Uint16:  onnxpb.TensorProto_UINT16,
	tensor.Uint32:  onnxpb.TensorProto_UINT32,
	tensor.Uint64:  onnxpb.TensorProto_UINT64,
	tensor.Bool:    onnxpb.TensorProto_BOOL,
	tensor.String:  onnxpb.TensorProto_STRING,
}

// dtypeOf returns our name of an element type, 0 if there is none.
func dtypeOf(e onnxpb.TensorProto_DataType) tensor.DType {
	for d, number := range elementTypes {
		if number == e {
			return d
		}
	}
	return 0
}

// contentOf decodes the elements of an initializer that is small and lies in the
// file itself.
func contentOf(w *onnxpb.TensorProto) (t tensor.Tensor, ok bool) {
	d := dtypeOf(onnxpb.TensorProto_DataType(w.GetDataType()))
	n := 1
	for _, dim := range w.GetDims() {
		if dim < 0 || dim > contentLimit {
			return t, false
		}
		if n *= int(dim); n > contentLimit {
			return t, false
		}
	}
	if d == 0 || d == tensor.String || len(w.GetExternalData()) > 0 {
		return t, false
	}
	t = tensor.New(d, n)
	bytes := t.Bytes()
	if raw := w.GetRawData(); len(raw) > 0 || n == 0 {
		return t, copy(bytes, raw) == len(bytes) && len(raw) == len(bytes)
	}
	size := d.Size()
	put := func(i int, bits uint64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], bits)
		copy(bytes[i*size:(i+1)*size], b[:])
	}
	count := 0
	switch {
	case len(w.GetInt64Data()) == n && d == tensor.Int64:
		for i, v := range w.GetInt64Data() {
			put(i, uint64(v))
		}
		count = n
	case len(w.GetInt32Data()) == n && d != tensor.Int64 && d != tensor.Uint32 && d != tensor.Uint64 && (d.IsInteger() || d == tensor.Bool || d == tensor.Float16):
		for i, v := range w.GetInt32Data() {
			put(i, uint64(uint32(v)))
		}
		count = n
	case len(w.GetFloatData()) == n && d == tensor.Float32:
		for i, v := range w.GetFloatData() {
			put(i, uint64(math.Float32bits(v)))
		}
		count = n
	case len(w.GetDoubleData()) == n && d == tensor.Float64:
		for i, v := range w.GetDoubleData() {
			put(i, math.Float64bits(v))
		}
		count = n
	}
	return t, count == n
}

// identity returns a node that names a value anew.
func identity(from, to *Value) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{OpType: proto.String("Identity"), Input: []string{from.Name}, Output: []string{to.Name}}
}
