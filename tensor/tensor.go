// Package tensor holds what travels between data files and models: dense,
// row-major arrays whose axis 0 counts rows (samples).
//
// A [Tensor] keeps the bits of its element type; nothing is converted behind
// the caller's back. [Cast] states the one rule by which a file's type becomes
// the type that a model wants. The package knows neither files nor models.
//
// Reading order: [DType], [Spec], [Tensor], [Cast].
package tensor

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

// A DType is the type of a tensor's elements.
type DType uint8

// The element types that ONNX models take and data files hold.
const (
	Float16 DType = iota + 1
	Float32
	Float64
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Bool
	String
)

var dtypes = [...]struct {
	name string
	size int
}{
	Float16: {"float16", 2}, Float32: {"float32", 4}, Float64: {"float64", 8},
	Int8: {"int8", 1}, Int16: {"int16", 2}, Int32: {"int32", 4}, Int64: {"int64", 8},
	Uint8: {"uint8", 1}, Uint16: {"uint16", 2}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8},
	Bool: {"bool", 1}, String: {"string", 0},
}

// String returns NumPy's name for d.
func (d DType) String() string {
	if d == 0 || int(d) >= len(dtypes) {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Size returns the bytes of one element, 0 for strings.
func (d DType) Size() int { return dtypes[d].size }

// IsFloat reports whether d is a floating-point type.
func (d DType) IsFloat() bool { return d == Float16 || d == Float32 || d == Float64 }

// IsInteger reports whether d is a signed or unsigned integer type.
func (d DType) IsInteger() bool { return d >= Int8 && d <= Uint64 }

// A Spec says what a model expects of, or promises for, one named tensor.
type Spec struct {
	Name  string
	DType DType
	// Shape includes axis 0, the rows; -1 stands for any length.
	Shape []int
}

// RowLen returns the number of elements in one row, or -1 when an axis other
// than the first is of any length.
func (s Spec) RowLen() int {
	n := 1
	for _, d := range s.Shape[min(1, len(s.Shape)):] {
		if d < 0 {
			return -1
		}
		n *= d
	}
	return n
}

// String formats s as "name float32[N,3,24]"; any length is written N on axis
// 0 and ? elsewhere.
func (s Spec) String() string { return fmt.Sprintf("%s %s%s", s.Name, s.DType, FormatShape(s.Shape)) }

// FormatShape writes a shape as "[N,3,24]"; -1 is N on axis 0 and ? elsewhere.
func FormatShape(shape []int) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range shape {
		if i > 0 {
			b.WriteByte(',')
		}
		switch {
		case d >= 0:
			fmt.Fprintf(&b, "%d", d)
		case i == 0:
			b.WriteByte('N')
		default:
			b.WriteByte('?')
		}
	}
	b.WriteByte(']')
	return b.String()
}

// A Tensor is a dense row-major array. Axis 0 counts rows. The zero Tensor
// has no type and no elements. Tensors share memory when copied or sliced.
type Tensor struct {
	dtype   DType
	shape   []int
	data    []byte   // numbers: little-endian on every platform we build for
	strings []string // String only
}

// Float16Bits is the bit pattern of an IEEE 754 binary16 number: the element
// of a Float16 tensor.
type Float16Bits uint16

// An Element is a Go type that a tensor can hold.
type Element interface {
	Float16Bits | float32 | float64 | int8 | int16 | int32 | int64 |
		uint8 | uint16 | uint32 | uint64 | bool | string
}

// DTypeOf returns the DType whose elements are of Go type T.
func DTypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case Float16Bits:
		return Float16
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case bool:
		return Bool
	default:
		return String
	}
}

// New returns a tensor of zeros (false, empty strings). It panics on a shape
// without axis 0 or with a negative length.
func New(d DType, shape ...int) Tensor {
	n := count(shape)
	t := Tensor{dtype: d, shape: append([]int(nil), shape...)}
	if d == String {
		t.strings = make([]string, n)
		return t
	}
	// Backing of uint64 keeps every element type aligned.
	bytes := n * d.Size()
	words := make([]uint64, (bytes+7)/8)
	t.data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:bytes]
	return t
}

// Of returns a tensor over values, which it shares. Without a shape the tensor
// is a vector. It panics when the shape does not hold len(values) elements.
func Of[T Element](values []T, shape ...int) Tensor {
	if len(shape) == 0 {
		shape = []int{len(values)}
	}
	if count(shape) != len(values) {
		panic(fmt.Sprintf("tensor: %d values for shape %v", len(values), shape))
	}
	d := DTypeOf[T]()
	t := Tensor{dtype: d, shape: append([]int(nil), shape...)}
	if d == String {
		t.strings = any(values).([]string)
		return t
	}
	t.data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*d.Size())
	return t
}

// Values returns t's elements, row by row, sharing memory with t. It panics
// when T is not the element type of t.
func Values[T Element](t Tensor) []T {
	if d := DTypeOf[T](); d != t.dtype {
		panic(fmt.Sprintf("tensor: %s tensor read as %s", t.dtype, d))
	}
	if t.dtype == String {
		return any(t.strings).([]T)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(t.data))), t.Len())
}

func count(shape []int) int {
	if len(shape) == 0 {
		panic("tensor: a shape needs axis 0")
	}
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(fmt.Sprintf("tensor: negative length in shape %v", shape))
		}
		n *= d
	}
	return n
}

// DType returns the element type.
func (t Tensor) DType() DType { return t.dtype }

// Shape returns the lengths of all axes; the caller must not change it.
func (t Tensor) Shape() []int { return t.shape }

// Rows returns the length of axis 0.
func (t Tensor) Rows() int {
	if len(t.shape) == 0 {
		return 0
	}
	return t.shape[0]
}

// Len returns the number of elements.
func (t Tensor) Len() int {
	if len(t.shape) == 0 {
		return 0
	}
	return count(t.shape)
}

// RowLen returns the number of elements in one row.
func (t Tensor) RowLen() int {
	if len(t.shape) == 0 {
		return 0
	}
	n := 1
	for _, d := range t.shape[1:] {
		n *= d
	}
	return n
}

// Bytes returns the memory of a numeric tensor, shared; nil for strings.
func (t Tensor) Bytes() []byte { return t.data }

// Slice returns rows [lo, hi) of t, sharing memory.
func (t Tensor) Slice(lo, hi int) Tensor {
	r := t.RowLen()
	s := Tensor{dtype: t.dtype, shape: append([]int{hi - lo}, t.shape[1:]...)}
	if t.dtype == String {
		s.strings = t.strings[lo*r : hi*r : hi*r]
	} else {
		b := r * t.dtype.Size()
		s.data = t.data[lo*b : hi*b : hi*b]
	}
	return s
}

// Reshape returns t with another shape of the same number of elements,
// sharing memory. It panics when the numbers differ.
func (t Tensor) Reshape(shape ...int) Tensor {
	if count(shape) != t.Len() {
		panic(fmt.Sprintf("tensor: shape %v for %d elements", shape, t.Len()))
	}
	t.shape = append([]int(nil), shape...)
	return t
}

// CopyRow copies elements [lo, hi) of row src of from into row dst of t. Both
// must have the same element type and row length.
func (t Tensor) CopyRow(dst int, from Tensor, src, lo, hi int) {
	r := t.RowLen()
	t.CopyElements(dst*r+lo, from, src*r+lo, hi-lo)
}

// CopyElements copies n elements of from, from element src on, into t, from
// element dst on, counting elements of the whole tensor row by row. Both must
// have the same element type.
func (t Tensor) CopyElements(dst int, from Tensor, src, n int) {
	if t.dtype == String {
		copy(t.strings[dst:dst+n], from.strings[src:src+n])
		return
	}
	s := t.dtype.Size()
	copy(t.data[dst*s:(dst+n)*s], from.data[src*s:(src+n)*s])
}

// SameRow reports whether rows of t and o have one element type and one shape, so that
// [Concat] joins them. A tensor without axes has no rows.
func (t Tensor) SameRow(o Tensor) bool {
	return t.dtype == o.dtype && len(t.shape) > 0 && len(o.shape) > 0 && slices.Equal(t.shape[1:], o.shape[1:])
}

// Concat joins tensors of one element type and row shape along axis 0. It
// panics on none or on a mismatch.
func Concat(parts ...Tensor) Tensor {
	rows := 0
	for _, p := range parts {
		rows += p.Rows()
	}
	out := New(parts[0].dtype, append([]int{rows}, parts[0].shape[1:]...)...)
	at := 0
	for _, p := range parts {
		if p.dtype != out.dtype || p.RowLen() != out.RowLen() {
			panic("tensor: concat of different types or row shapes")
		}
		out.CopyElements(at, p, 0, p.Len())
		at += p.Len()
	}
	return out
}
