//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap/tensor"
)

// elementTypes has the runtime's name of each element type.
var elementTypes = map[tensor.DType]ort.TensorElementDataType{
	tensor.Float16: ort.TensorElementDataTypeFloat16,
	tensor.Float32: ort.TensorElementDataTypeFloat,
	tensor.Float64: ort.TensorElementDataTypeDouble,
	tensor.Int8:    ort.TensorElementDataTypeInt8,
	tensor.Int16:   ort.TensorElementDataTypeInt16,
	tensor.Int32:   ort.TensorElementDataTypeInt32,
	tensor.Int64:   ort.TensorElementDataTypeInt64,
	tensor.Uint8:   ort.TensorElementDataTypeUint8,
	tensor.Uint16:  ort.TensorElementDataTypeUint16,
	tensor.Uint32:  ort.TensorElementDataTypeUint32,
	tensor.Uint64:  ort.TensorElementDataTypeUint64,
	tensor.Bool:    ort.TensorElementDataTypeBool,
	tensor.String:  ort.TensorElementDataTypeString,
}

// dtypeOf returns our name of an element type, if there is one.
func dtypeOf(e ort.TensorElementDataType) (tensor.DType, bool) {
	for d, native := range elementTypes {
		if native == e {
			return d, true
		}
	}
	return 0, false
}

// plain shortens the runtime's name of a type: "bfloat16", "sequence".
func plain(name string) string {
	for _, prefix := range []string{"ONNX_TENSOR_ELEMENT_DATA_TYPE_", "ONNX_TYPE_"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.ToLower(name)
}

// inputSpecs translates the runtime's inputs.
func inputSpecs(infos []ort.InputOutputInfo) ([]tensor.Spec, error) {
	if len(infos) == 0 {
		return nil, errors.New("the model has no inputs")
	}
	specs := make([]tensor.Spec, len(infos))
	for i, info := range infos {
		if info.OrtValueType != ort.ONNXTypeTensor {
			return nil, fmt.Errorf("input %q is a %s; want a tensor", info.Name, plain(info.OrtValueType.String()))
		}
		d, known := dtypeOf(info.DataType)
		if !known {
			return nil, fmt.Errorf("input %q has element type %s, which no data file holds; put a Cast in front of it", info.Name, plain(info.DataType.String()))
		}
		specs[i] = spec(info, d)
	}
	return specs, nil
}

// outputSpecs translates the runtime's outputs and lists those that cannot be
// read, with reasons.
func outputSpecs(infos []ort.InputOutputInfo, c content) (supported []output, unsupported []string) {
	for _, info := range infos {
		reason := ""
		switch {
		case info.OrtValueType == ort.ONNXTypeSequence && c.scoreMaps[info.Name]:
			classes := -1
			if labels := c.zipMaps[info.Name]; len(labels) > 0 {
				classes = len(labels)
			}
			supported = append(supported, output{
				Spec: tensor.Spec{Name: info.Name, DType: tensor.Float32, Shape: []int{-1, classes}}, maps: true})
			continue
		case info.OrtValueType != ort.ONNXTypeTensor:
			reason = "a " + plain(info.OrtValueType.String())
		case len(info.Dimensions) == 0:
			reason = "a scalar, which has no row axis"
		default:
			d, known := dtypeOf(info.DataType)
			s := spec(info, d)
			switch {
			case !known:
				reason = "element type " + plain(info.DataType.String())
			case d == tensor.Float16 && s.RowLen() < 0:
				// The binding sizes what the runtime allocates by one byte for
				// each element of a type that Go lacks, so we must allocate.
				reason = "float16 of unknown width " + tensor.FormatShape(s.Shape) + "; put a Cast to float32 behind it"
			default:
				supported = append(supported, output{Spec: s})
				continue
			}
		}
		unsupported = append(unsupported, info.Name+": "+reason)
	}
	return supported, unsupported
}

func spec(info ort.InputOutputInfo, d tensor.DType) tensor.Spec {
	s := tensor.Spec{Name: info.Name, DType: d, Shape: make([]int, len(info.Dimensions))}
	for i, n := range info.Dimensions {
		s.Shape[i] = max(int(n), -1)
	}
	return s
}

// newStrings returns a string tensor of the runtime.
func newStrings(t tensor.Tensor, shape ort.Shape) (ort.Value, error) {
	values := tensor.Values[string](t)
	// The binding passes C strings, which would be cut at the zero byte.
	if i := slices.IndexFunc(values, func(s string) bool { return strings.ContainsRune(s, 0) }); i >= 0 {
		return nil, fmt.Errorf("row %d: text with a zero byte: %q", i/t.RowLen(), values[i])
	}
	v, err := ort.NewStringTensor(shape)
	if err != nil {
		return nil, err
	}
	if err := v.SetContents(values); err != nil {
		destroy(v)
		return nil, err
	}
	return v, nil
}

// readTensor returns the tensor that the runtime allocated; it shares the Go
// memory into which the binding has copied it.
func readTensor(v ort.Value) (tensor.Tensor, error) {
	switch v := v.(type) {
	case *ort.Tensor[float32]:
		return share(v), nil
	case *ort.Tensor[float64]:
		return share(v), nil
	case *ort.Tensor[int8]:
		return share(v), nil
	case *ort.Tensor[int16]:
		return share(v), nil
	case *ort.Tensor[int32]:
		return share(v), nil
	case *ort.Tensor[int64]:
		return share(v), nil
	case *ort.Tensor[uint8]:
		return share(v), nil
	case *ort.Tensor[uint16]:
		return share(v), nil
	case *ort.Tensor[uint32]:
		return share(v), nil
	case *ort.Tensor[uint64]:
		return share(v), nil
	case *ort.Tensor[bool]:
		return share(v), nil
	case *ort.StringTensor:
		values, err := v.GetContents()
		if err != nil {
			return tensor.Tensor{}, err
		}
		return tensor.Of(values, ints(v.GetShape())...), nil
	default:
		return tensor.Tensor{}, fmt.Errorf("want a tensor, got a %s", plain(v.GetONNXType().String()))
	}
}

// number is an element that both the binding and package tensor know.
type number interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool
}

func share[T number](v *ort.Tensor[T]) tensor.Tensor {
	return tensor.Of(v.GetData(), ints(v.GetShape())...)
}

func ints(shape ort.Shape) []int {
	out := make([]int, len(shape))
	for i, n := range shape {
		out[i] = int(n)
	}
	return out
}

// readMaps returns a sequence of maps from class to score, one for each row, as
// a tensor [rows, classes] in ascending order of the classes, which is the
// order in which the runtime lists them.
func readMaps(v ort.Value) (tensor.Tensor, error) {
	sequence, ok := v.(*ort.Sequence)
	if !ok {
		return tensor.Tensor{}, fmt.Errorf("want a sequence of maps, got a %s", plain(v.GetONNXType().String()))
	}
	rows, err := sequence.GetValues()
	if err != nil {
		return tensor.Tensor{}, err
	}
	var scores []float32
	var first tensor.Tensor // the classes of row 0
	for r, row := range rows {
		m, ok := row.(*ort.Map)
		if !ok {
			return tensor.Tensor{}, fmt.Errorf("row %d: want a map, got a %s", r, plain(row.GetONNXType().String()))
		}
		keys, values, err := m.GetKeysAndValues()
		if err != nil {
			return tensor.Tensor{}, fmt.Errorf("row %d: %w", r, err)
		}
		classes, err := readTensor(keys)
		if err != nil {
			return tensor.Tensor{}, fmt.Errorf("row %d: %w", r, err)
		}
		if r == 0 {
			first = classes
		}
		if !sameClasses(first, classes) {
			return tensor.Tensor{}, fmt.Errorf("row %d: its classes are not those of row 0", r)
		}
		numbers, ok := values.(*ort.Tensor[float32])
		if !ok {
			return tensor.Tensor{}, fmt.Errorf("row %d: want float32 scores", r)
		}
		scores = append(scores, numbers.GetData()...)
	}
	if len(rows) == 0 {
		return tensor.New(tensor.Float32, 0, 0), nil
	}
	return tensor.Of(scores, len(rows), first.Len()), nil
}

func sameClasses(a, b tensor.Tensor) bool {
	if a.DType() != b.DType() || a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if a.Format(i) != b.Format(i) {
			return false
		}
	}
	return true
}
