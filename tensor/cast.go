package tensor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A CastError names the element that Cast could not convert. Row and Element
// count from 0; Element is the position inside the row, row-major.
type CastError struct {
	Row, Element int
	Value        string
	To           DType
	Reason       string
}

// Error names the value, the type and the reason.
func (e *CastError) Error() string {
	return fmt.Sprintf("cannot read %s as %s: %s", e.Value, e.To, e.Reason)
}

// Cast returns t with elements of type to; it returns t itself when nothing
// changes. The rule: a value may lose precision between floating-point types,
// and nowhere else.
//
//   - float to float: rounded once, to the nearest, ties to even; a finite value
//     that overflows is an error;
//   - integer or bool to float: exact, or an error;
//   - float or integer to integer: the same number, or an error (2.5 and 300
//     do not fit a uint8);
//   - number to bool: 0 or 1, or an error;
//   - strings and numbers never become each other.
//
// NaN and Inf pass between floating-point types; [NonFinite] finds them.
func Cast(t Tensor, to DType) (Tensor, error) {
	if t.dtype == to {
		return t, nil
	}
	if t.dtype == String || to == String {
		return Tensor{}, fmt.Errorf("cannot read %s as %s: text and numbers are never converted", t.dtype, to)
	}
	out := New(to, t.shape...)
	rowLen := max(t.RowLen(), 1)
	for i, n := 0, t.Len(); i < n; i++ {
		if reason := convert(out, t, i); reason != "" {
			return Tensor{}, &CastError{Row: i / rowLen, Element: i % rowLen, Value: t.Format(i), To: to, Reason: reason}
		}
	}
	return out, nil
}

// convert writes element i of t into out and returns why it cannot, or "".
func convert(out, t Tensor, i int) string {
	if t.dtype.IsFloat() {
		return out.setFloat(i, t.float(i))
	}
	if t.dtype == Uint64 {
		if u := Values[uint64](t)[i]; u > math.MaxInt64 {
			return out.setLarge(i, u)
		}
	}
	return out.setInt(i, t.int(i))
}

const (
	notExact = "it has no exact representation"
	tooLarge = "it is out of range"
	notBool  = "want 0 or 1"
)

func (t Tensor) setFloat(i int, v float64) string {
	switch t.dtype {
	case Float64:
		Values[float64](t)[i] = v
	case Float32:
		f := float32(v)
		if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) {
			return tooLarge
		}
		Values[float32](t)[i] = f
	case Float16:
		h := toHalf(v)
		if math.IsInf(h.float64(), 0) && !math.IsInf(v, 0) {
			return tooLarge
		}
		Values[Float16Bits](t)[i] = h
	default:
		if v != math.Trunc(v) || math.IsInf(v, 0) {
			return "it is not a whole number"
		}
		if v >= 1<<63 {
			if v >= 1<<64 {
				return tooLarge
			}
			return t.setLarge(i, uint64(v))
		}
		if v < -(1 << 63) {
			return tooLarge
		}
		return t.setInt(i, int64(v))
	}
	return ""
}

// setLarge writes a number above the largest int64.
func (t Tensor) setLarge(i int, u uint64) string {
	switch t.dtype {
	case Uint64:
		Values[uint64](t)[i] = u
	case Float64, Float32:
		f := float64(u)
		if t.dtype == Float32 {
			f = float64(float32(u))
		}
		// 2^64 itself is no uint64; the conversion back would overflow.
		if f >= 1<<64 || uint64(f) != u {
			return notExact
		}
		return t.setFloat(i, f)
	default:
		return tooLarge
	}
	return ""
}

func (t Tensor) setInt(i int, v int64) string {
	switch t.dtype {
	case Float64, Float32, Float16:
		if reason := t.setFloat(i, float64(v)); reason != "" {
			return reason
		}
		if f := t.float(i); f >= 1<<63 || int64(f) != v {
			return notExact
		}
	case Int8:
		return setInteger[int8](t, i, v)
	case Int16:
		return setInteger[int16](t, i, v)
	case Int32:
		return setInteger[int32](t, i, v)
	case Int64:
		return setInteger[int64](t, i, v)
	case Uint8:
		return setInteger[uint8](t, i, v)
	case Uint16:
		return setInteger[uint16](t, i, v)
	case Uint32:
		return setInteger[uint32](t, i, v)
	case Uint64:
		if v < 0 {
			return tooLarge
		}
		return setInteger[uint64](t, i, v)
	case Bool:
		if v != 0 && v != 1 {
			return notBool
		}
		Values[bool](t)[i] = v == 1
	}
	return ""
}

func setInteger[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](t Tensor, i int, v int64) string {
	if int64(T(v)) != v {
		return tooLarge
	}
	Values[T](t)[i] = T(v)
	return ""
}

// float returns element i of a numeric tensor; integers above 2^53 round.
func (t Tensor) float(i int) float64 {
	switch t.dtype {
	case Float64:
		return Values[float64](t)[i]
	case Float32:
		return float64(Values[float32](t)[i])
	case Float16:
		return Values[Float16Bits](t)[i].float64()
	case Uint64:
		return float64(Values[uint64](t)[i])
	default:
		return float64(t.int(i))
	}
}

// int returns element i of an integer or bool tensor.
func (t Tensor) int(i int) int64 {
	switch t.dtype {
	case Int8:
		return int64(Values[int8](t)[i])
	case Int16:
		return int64(Values[int16](t)[i])
	case Int32:
		return int64(Values[int32](t)[i])
	case Int64:
		return Values[int64](t)[i]
	case Uint8:
		return int64(Values[uint8](t)[i])
	case Uint16:
		return int64(Values[uint16](t)[i])
	case Uint32:
		return int64(Values[uint32](t)[i])
	case Uint64:
		return int64(Values[uint64](t)[i])
	case Bool:
		if Values[bool](t)[i] {
			return 1
		}
		return 0
	default:
		panic(fmt.Sprintf("tensor: %s has no integers", t.dtype))
	}
}

// Float64s writes every element of a numeric tensor into dst as float64, row
// by row; integers above 2^53 round. It panics on strings and on a dst of
// another length.
func (t Tensor) Float64s(dst []float64) {
	if len(dst) != t.Len() {
		panic("tensor: bad dst length")
	}
	switch t.dtype {
	case Float64:
		copy(dst, Values[float64](t))
	case Float32:
		for i, v := range Values[float32](t) {
			dst[i] = float64(v)
		}
	default:
		for i := range dst {
			dst[i] = t.float(i)
		}
	}
}

// NonFinite returns the place of the first NaN or infinity of a
// floating-point tensor, row-major. Other types have none.
func (t Tensor) NonFinite() (row, element int, found bool) {
	if !t.dtype.IsFloat() {
		return 0, 0, false
	}
	at := -1
	from := t.finiteBytes() / t.dtype.Size()
	switch t.dtype {
	case Float64:
		at = slices.IndexFunc(Values[float64](t)[from:], func(v float64) bool { return v-v != 0 }) // NaN and Inf alone
	case Float32:
		at = slices.IndexFunc(Values[float32](t)[from:], func(v float32) bool { return v-v != 0 })
	case Float16:
		at = slices.IndexFunc(Values[Float16Bits](t)[from:], func(v Float16Bits) bool {
			return v&0x7c00 == 0x7c00 // exponent all ones
		})
	}
	if at < 0 {
		return 0, 0, false
	}
	r := t.RowLen()
	return (from + at) / r, (from + at) % r, true
}

// Infinite returns the place of the first infinity, as NonFinite does; NaN is none.
func (t Tensor) Infinite() (row, element int, found bool) {
	row, element, found = t.NonFinite()
	if !found {
		return 0, 0, false
	}
	r := t.RowLen()
	for i := row*r + element; i < t.Len(); i++ {
		if math.IsInf(t.float(i), 0) {
			return i / r, i % r, true
		}
	}
	return 0, 0, false
}

// Format writes element i, counted row by row, as a person would type it.
func (t Tensor) Format(i int) string {
	switch {
	case t.dtype == String:
		return strconv.Quote(t.strings[i])
	case t.dtype == Float32:
		return strconv.FormatFloat(t.float(i), 'g', -1, 32)
	case t.dtype.IsFloat():
		return strconv.FormatFloat(t.float(i), 'g', -1, 64)
	case t.dtype == Uint64:
		return strconv.FormatUint(Values[uint64](t)[i], 10)
	case t.dtype == Bool:
		return strconv.FormatBool(Values[bool](t)[i])
	default:
		return strconv.FormatInt(t.int(i), 10)
	}
}
