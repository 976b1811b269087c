package graphtest

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// Int is an attribute of one integer.
func Int(name string, v int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(int64(v))}
}

// Ints is an attribute of integers.
func Ints(name string, v ...int) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum()}
	for _, i := range v {
		a.Ints = append(a.Ints, int64(i))
	}
	return a
}

// Float is an attribute of one number.
func Float(name string, v float64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(float32(v))}
}

// Text is an attribute of one string.
func Text(name, v string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(v)}
}

func tensorAttribute(name string, t *onnxpb.TensorProto) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_TENSOR.Enum(), T: t}
}

// dataTypes has the file's name of each element type that is used here.
var dataTypes = map[tensor.DType]onnxpb.TensorProto_DataType{
	tensor.Float16: onnxpb.TensorProto_FLOAT16,
	tensor.Float32: onnxpb.TensorProto_FLOAT,
	tensor.Float64: onnxpb.TensorProto_DOUBLE,
	tensor.Int32:   onnxpb.TensorProto_INT32,
	tensor.Int64:   onnxpb.TensorProto_INT64,
	tensor.Bool:    onnxpb.TensorProto_BOOL,
}

func dataType(d tensor.DType) onnxpb.TensorProto_DataType {
	t, ok := dataTypes[d]
	if !ok {
		panic(fmt.Sprintf("graphtest: no element type for %v; add it to dataTypes", d))
	}
	return t
}

// tensor writes t as a message, as bytes or in the field of its type.
func (b *Builder) tensor(name string, t tensor.Tensor) *onnxpb.TensorProto {
	out := &onnxpb.TensorProto{DataType: proto.Int32(int32(dataType(t.DType())))}
	if name != "" {
		out.Name = proto.String(name)
	}
	for _, d := range t.Shape() {
		out.Dims = append(out.Dims, int64(d))
	}
	switch {
	case b.TypedData && t.DType() == tensor.Float32:
		out.FloatData = tensor.Values[float32](t)
	case b.TypedData && t.DType() == tensor.Float64:
		out.DoubleData = tensor.Values[float64](t)
	case b.TypedData && t.DType() == tensor.Int64:
		out.Int64Data = tensor.Values[int64](t)
	default:
		out.RawData = bytes.Clone(t.Bytes())
	}
	return out
}

// floats makes a tensor of floating-point type d.
func floats(d tensor.DType, values []float64, shape []int) tensor.Tensor {
	t, err := tensor.Cast(tensor.Of(values, shape...), d)
	if err != nil {
		panic(fmt.Sprintf("graphtest: %v", err))
	}
	return t
}

func valueInfo(name string, v Value) *onnxpb.ValueInfoProto {
	info := &onnxpb.ValueInfoProto{Name: proto.String(name), Type: typeProto(dataType(v.DType))}
	shape := info.Type.GetTensorType().Shape
	for _, d := range v.Shape {
		if d == Rows {
			shape.Dim = append(shape.Dim, &onnxpb.TensorShapeProto_Dimension{
				Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "batch"},
			})
			continue
		}
		shape.Dim = append(shape.Dim, fixedDim(int64(d)))
	}
	return info
}

func typeProto(d onnxpb.TensorProto_DataType) *onnxpb.TypeProto {
	return &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{
		ElemType: proto.Int32(int32(d)), Shape: &onnxpb.TensorShapeProto{},
	}}}
}

func fixedDim(d int64) *onnxpb.TensorShapeProto_Dimension {
	return &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: d}}
}
