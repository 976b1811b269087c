package oip

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unsafe"

	"github.com/intershap/intershap/tensor"
)

// AppendList appends the elements of t as one flat JSON list, row by row. It
// refuses FP16, and NaN and infinities, for which JSON has no words.
func AppendList(dst []byte, t tensor.Tensor) ([]byte, error) {
	// A guess at the digits, so that the list grows once or twice.
	const digits = 12
	dst = append(slices.Grow(dst, digits*t.Len()), '[')
	for i := range t.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = AppendElement(dst, t, i); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// AppendRows appends t as nested JSON lists, one for each axis.
func AppendRows(dst []byte, t tensor.Tensor) ([]byte, error) {
	at := 0
	var axis func(shape []int) error
	axis = func(shape []int) (err error) {
		if len(shape) == 0 {
			dst, err = AppendElement(dst, t, at)
			at++
			return err
		}
		dst = append(dst, '[')
		for i := range shape[0] {
			if i > 0 {
				dst = append(dst, ',')
			}
			if err := axis(shape[1:]); err != nil {
				return err
			}
		}
		dst = append(dst, ']')
		return nil
	}
	if err := axis(t.Shape()); err != nil {
		return nil, err
	}
	return dst, nil
}

// errHalf says why FP16 has no JSON form.
var errHalf = errors.New("FP16 cannot travel as JSON, by the protocol; it takes gRPC, or a server with the extension binary_tensor_data")

// AppendElement appends element i of t, counted row by row, as JSON: a number in
// the fewest digits that give the same bits, a text, true or false.
func AppendElement(dst []byte, t tensor.Tensor, i int) ([]byte, error) {
	switch t.DType() {
	case tensor.Float16:
		return nil, errHalf
	case tensor.Float32:
		return appendFloat(dst, float64(tensor.Values[float32](t)[i]), 32)
	case tensor.Float64:
		return appendFloat(dst, tensor.Values[float64](t)[i], 64)
	case tensor.String:
		text, err := json.Marshal(tensor.Values[string](t)[i])
		return append(dst, text...), err
	default: // integers and booleans look the same in Go and in JSON
		return append(dst, t.Format(i)...), nil
	}
}

func appendFloat(dst []byte, v float64, bits int) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v cannot travel as JSON, which has no word for it", v)
	}
	// Long rows of zeros are what the other formats give for tiny and for huge.
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, v, format, -1, bits), nil
}

// ReadList reads a JSON list of elements of type d, flat or nested as shape says.
func ReadList(d tensor.DType, shape []int, data []byte) (tensor.Tensor, error) {
	n, err := elements(shape)
	if err != nil {
		return tensor.Tensor{}, err
	}
	if d == tensor.Float16 {
		return tensor.Tensor{}, errHalf
	}
	// An element takes a character at least: a shape that lies costs no memory.
	if n > len(data) {
		return tensor.Tensor{}, fmt.Errorf("shape %v wants %d elements, the data are %d characters", shape, n, len(data))
	}
	t := tensor.New(d, shape...)
	read := 0
	nested, err := walk(data, func(token []byte) error {
		if read == n {
			return fmt.Errorf("more than the %d elements of shape %v", n, shape)
		}
		if err := readElement(t, read, token); err != nil {
			return fmt.Errorf("element %d: %w", read, err)
		}
		read++
		return nil
	})
	switch {
	case err != nil:
		return tensor.Tensor{}, err
	case read != n:
		return tensor.Tensor{}, fmt.Errorf("want the %d elements of shape %v, got %d", n, shape, read)
	case len(nested) > 1 && !slices.Equal(nested, shape):
		return tensor.Tensor{}, fmt.Errorf("want lists of shape %v, got %v", shape, nested)
	}
	return t, nil
}

// InferList reads a JSON list whose shape nobody told, of elements of type d. With
// the zero type that is inferred too: numbers become FP64, whatever they look
// like, since 1 and 1.0 are the same word; texts and booleans stay what they are.
func InferList(d tensor.DType, data []byte) (tensor.Tensor, error) {
	if d == tensor.Float16 {
		return tensor.Tensor{}, errHalf
	}
	var tokens [][]byte
	shape, err := walk(data, func(token []byte) error {
		tokens = append(tokens, token)
		return nil
	})
	if err != nil {
		return tensor.Tensor{}, err
	}
	if len(tokens) == 0 {
		return tensor.Tensor{}, errors.New("the list is empty")
	}
	if d == 0 {
		switch tokens[0][0] {
		case '"':
			d = tensor.String
		case 't', 'f':
			d = tensor.Bool
		default:
			d = tensor.Float64
		}
	}
	t := tensor.New(d, shape...)
	for i, token := range tokens {
		if err := readElement(t, i, token); err != nil {
			return tensor.Tensor{}, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return t, nil
}

// readElement writes one JSON element into place i of t.
func readElement(t tensor.Tensor, i int, token []byte) error {
	// Numbers are read without a copy: nothing keeps them, but errors, which copy.
	d, text := t.DType(), unsafe.String(unsafe.SliceData(token), len(token))
	isText, isWord := text[0] == '"', text == "true" || text == "false"
	switch {
	case text == "null":
		return errors.New("it is null")
	case isText != (d == tensor.String), isWord && d != tensor.Bool:
		return fmt.Errorf("want %s, got %s", Datatype(d), shorten(text))
	}
	var err error
	switch d {
	case tensor.String:
		err = json.Unmarshal(token, &tensor.Values[string](t)[i])
	case tensor.Bool:
		if !isWord && text != "0" && text != "1" {
			return fmt.Errorf("want BOOL, got %s", shorten(text))
		}
		tensor.Values[bool](t)[i] = text == "true" || text == "1"
	case tensor.Float64:
		tensor.Values[float64](t)[i], err = strconv.ParseFloat(text, 64)
	case tensor.Float32:
		var v float64
		v, err = strconv.ParseFloat(text, 32)
		tensor.Values[float32](t)[i] = float32(v)
	case tensor.Int8:
		err = readInt[int8](t, i, text)
	case tensor.Int16:
		err = readInt[int16](t, i, text)
	case tensor.Int32:
		err = readInt[int32](t, i, text)
	case tensor.Int64:
		err = readInt[int64](t, i, text)
	case tensor.Uint8:
		err = readUint[uint8](t, i, text)
	case tensor.Uint16:
		err = readUint[uint16](t, i, text)
	case tensor.Uint32:
		err = readUint[uint32](t, i, text)
	case tensor.Uint64:
		err = readUint[uint64](t, i, text)
	}
	if err != nil {
		return fmt.Errorf("want %s, got %s", Datatype(d), shorten(text))
	}
	return nil
}

const bitsPerByte = 8

func readInt[T int8 | int16 | int32 | int64](t tensor.Tensor, i int, text string) error {
	v, err := strconv.ParseInt(text, 10, t.DType().Size()*bitsPerByte)
	tensor.Values[T](t)[i] = T(v)
	return err
}

func readUint[T uint8 | uint16 | uint32 | uint64](t tensor.Tensor, i int, text string) error {
	v, err := strconv.ParseUint(text, 10, t.DType().Size()*bitsPerByte)
	tensor.Values[T](t)[i] = T(v)
	return err
}

// shorten cuts what a message quotes.
func shorten(text string) string {
	const longest = 60
	if len(text) > longest {
		return text[:longest] + "..."
	}
	return text
}
