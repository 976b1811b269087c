//go:build cgo

package onnx

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap/tensor"
)

// newValue returns a value of the runtime over the memory of t, pinned until
// the caller unpins; strings are copied.
func newValue(t tensor.Tensor, pins *runtime.Pinner) (ort.Value, error) {
	shape := make(ort.Shape, len(t.Shape()))
	for i, n := range t.Shape() {
		shape[i] = int64(n)
	}
	if t.DType() == tensor.String {
		return newStrings(t, shape)
	}
	bytes := t.Bytes()
	pins.Pin(unsafe.SliceData(bytes))
	v, err := ort.NewCustomDataTensor(shape, bytes, elementTypes[t.DType()])
	if err != nil {
		return nil, err
	}
	return v, nil
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
	case *ort.CustomDataTensor:
		return tensor.Tensor{}, fmt.Errorf("want elements that Go has, got %s; put a Cast to float32 behind it", plain(ort.TensorElementDataType(v.DataType()).String()))
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
