package onnx

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// An ONNX file is one protocol buffer message. The runtime reads it; what the
// runtime does not tell (where external data lies, the labels of a ZipMap) is
// read here, by walking the wire format, without a schema or generated code.

var errWire = errors.New("the bytes are no protocol buffer")

// A field is one field of a message on the wire.
type field struct {
	number int
	// number of a varint or fixed field; the signed value is int64(value).
	value uint64
	// bytes of a length-delimited field, shared with the message; nil for others.
	bytes []byte
}

// The wire types of protocol buffers; groups (3 and 4) are not used by ONNX.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// eachField calls f for every field of message, in order, until f fails.
func eachField(message []byte, f func(field) error) error {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		if n <= 0 || key>>3 == 0 || key>>3 > math.MaxInt32 {
			return errWire
		}
		message = message[n:]
		fld := field{number: int(key >> 3)}
		switch key & 7 {
		case wireVarint:
			v, n := binary.Uvarint(message)
			if n <= 0 {
				return errWire
			}
			fld.value, message = v, message[n:]
		case wireFixed64:
			if len(message) < 8 {
				return io.ErrUnexpectedEOF
			}
			fld.value, message = binary.LittleEndian.Uint64(message), message[8:]
		case wireFixed32:
			if len(message) < 4 {
				return io.ErrUnexpectedEOF
			}
			fld.value, message = uint64(binary.LittleEndian.Uint32(message)), message[4:]
		case wireBytes:
			size, n := binary.Uvarint(message)
			if n <= 0 {
				return errWire
			}
			message = message[n:]
			if size > uint64(len(message)) {
				return io.ErrUnexpectedEOF
			}
			fld.bytes, message = message[:size:size], message[size:]
		default:
			return errWire
		}
		if err := f(fld); err != nil {
			return err
		}
	}
	return nil
}

// integers appends the values of one occurrence of a repeated integer field,
// packed or not, to dst.
func (f field) integers(dst []int64) ([]int64, error) {
	if f.bytes == nil {
		return append(dst, int64(f.value)), nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errWire
		}
		dst, b = append(dst, int64(v)), b[n:]
	}
	return dst, nil
}
