package oip

import (
	"encoding/binary"
	"fmt"

	"github.com/intershap/intershap/tensor"
)

// lengthBytes are in front of each text of a BYTES tensor: its length.
const lengthBytes = 4

// Raw returns the elements of t in binary: little-endian, row-major, a byte for
// each BOOL, and for each text of BYTES its length in 4 bytes, then its bytes.
// The bytes of a numeric tensor are shared with t.
func Raw(t tensor.Tensor) []byte {
	if t.DType() != tensor.String {
		return t.Bytes()
	}
	size := 0
	for _, s := range tensor.Values[string](t) {
		size += lengthBytes + len(s)
	}
	out := make([]byte, 0, size)
	for _, s := range tensor.Values[string](t) {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(s)))
		out = append(out, s...)
	}
	return out
}

// ReadRaw is the inverse of [Raw]. It copies data, and refuses what is shorter or
// longer than shape says, and a BOOL that is neither 0 nor 1.
func ReadRaw(d tensor.DType, shape []int, data []byte) (tensor.Tensor, error) {
	n, err := elements(shape)
	if err != nil {
		return tensor.Tensor{}, err
	}
	if d == tensor.String {
		return readTexts(shape, n, data)
	}
	if want := n * d.Size(); len(data) != want {
		return tensor.Tensor{}, fmt.Errorf("want %d bytes for %s of shape %v, got %d", want, Datatype(d), shape, len(data))
	}
	if d == tensor.Bool {
		for i, b := range data {
			if b > 1 {
				return tensor.Tensor{}, fmt.Errorf("element %d: want a BOOL of 0 or 1, got %d", i, b)
			}
		}
	}
	t := tensor.New(d, shape...)
	copy(t.Bytes(), data)
	return t, nil
}

func readTexts(shape []int, n int, data []byte) (tensor.Tensor, error) {
	// Every text takes its length at least: a shape that lies costs no memory.
	if n > len(data)/lengthBytes {
		return tensor.Tensor{}, fmt.Errorf("want %d texts of BYTES, got %d bytes, too few for their lengths", n, len(data))
	}
	t := tensor.New(tensor.String, shape...)
	values, rest := tensor.Values[string](t), data
	for i := range values {
		if len(rest) < lengthBytes {
			return tensor.Tensor{}, fmt.Errorf("element %d of BYTES: the data end inside its length", i)
		}
		size := int64(binary.LittleEndian.Uint32(rest))
		rest = rest[lengthBytes:]
		if size > int64(len(rest)) {
			return tensor.Tensor{}, fmt.Errorf("element %d of BYTES: want %d bytes, %d are left", i, size, len(rest))
		}
		values[i], rest = string(rest[:size]), rest[size:]
	}
	if len(rest) > 0 {
		return tensor.Tensor{}, fmt.Errorf("%d bytes are left behind the %d texts of BYTES", len(rest), n)
	}
	return t, nil
}
