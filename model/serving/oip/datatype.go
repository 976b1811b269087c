package oip

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// datatypes are the protocol's names of element types.
var datatypes = [...]struct {
	dtype tensor.DType
	name  string
}{
	{tensor.Bool, "BOOL"},
	{tensor.Uint8, "UINT8"}, {tensor.Uint16, "UINT16"}, {tensor.Uint32, "UINT32"}, {tensor.Uint64, "UINT64"},
	{tensor.Int8, "INT8"}, {tensor.Int16, "INT16"}, {tensor.Int32, "INT32"}, {tensor.Int64, "INT64"},
	{tensor.Float16, "FP16"}, {tensor.Float32, "FP32"}, {tensor.Float64, "FP64"},
	{tensor.String, "BYTES"},
}

// Datatype returns the protocol's name of an element type, "" for the zero type.
func Datatype(d tensor.DType) string {
	for _, t := range datatypes {
		if t.dtype == d {
			return t.name
		}
	}
	return ""
}

// ParseDatatype returns the element type that the protocol calls name.
func ParseDatatype(name string) (tensor.DType, error) {
	var known []string
	for _, t := range datatypes {
		if t.name == name {
			return t.dtype, nil
		}
		known = append(known, t.name)
	}
	return 0, fmt.Errorf("datatype %q is none of %s", name, strings.Join(known, ", "))
}

// elements returns the number of elements of a shape, which must have axis 0.
func elements(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, fmt.Errorf("shape [] has no axis 0, the rows")
	}
	n := 1
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative length", shape)
		case d > 0 && n > maxElements/d:
			return 0, fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
		}
		n *= d
	}
	return n, nil
}

// maxElements bounds a tensor: no body can be as long, and products of lengths
// stay far from overflow.
const maxElements = 1 << 30
