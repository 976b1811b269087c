package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/intershap/intershap/tensor"
)

// npyArray is an array whose elements can be read at any place.
type npyArray struct {
	npyHeader
	data io.ReaderAt // the elements alone, without the header
}

// textError is an element of text that is no text.
type textError struct {
	row    int
	reason string
}

func (e *textError) Error() string { return e.reason }

// read returns rows [lo, hi). The caller has checked the range.
func (a npyArray) read(lo, hi int) (tensor.Tensor, error) {
	out := tensor.New(a.dtype, append([]int{hi - lo}, a.shape[1:]...)...)
	if out.Len() == 0 {
		return out, nil
	}
	if a.fortran && len(a.shape) > 1 {
		return out, a.readFortran(out, lo, hi)
	}
	if a.dtype != tensor.String {
		from := int64(lo) * int64(a.rowLen()) * int64(a.item)
		if err := readFull(a.data, out.Bytes(), from); err != nil {
			return tensor.Tensor{}, err
		}
		a.tidy(out.Bytes())
		return out, nil
	}
	// Text is decoded piece by piece: its bytes in the file can be many times
	// the strings.
	var (
		texts  = tensor.Values[string](out)
		first  = int64(lo) * int64(a.rowLen())
		piece  = max(chunkBytes/a.item, 1)
		buffer = make([]byte, min(piece, len(texts))*a.item)
	)
	for i := 0; i < len(texts); i += piece {
		n := min(piece, len(texts)-i)
		part := buffer[:n*a.item]
		if err := readFull(a.data, part, (first+int64(i))*int64(a.item)); err != nil {
			return tensor.Tensor{}, err
		}
		for j := range n {
			text, err := a.text(part[j*a.item : (j+1)*a.item])
			if err != nil {
				return tensor.Tensor{}, &textError{lo + (i+j)/a.rowLen(), err.Error()}
			}
			texts[i+j] = text
		}
	}
	return out, nil
}

// readFortran gathers rows of an array whose first axis varies fastest: for
// every element of a row, the wanted rows lie side by side. It reads run by
// run, so that memory is the result and one buffer, whatever the array.
func (a npyArray) readFortran(out tensor.Tensor, lo, hi int) error {
	var (
		n      = hi - lo
		rows   = int64(a.shape[0])
		rowLen = a.rowLen()
		piece  = min(n, max(chunkBytes/a.item, 1))
		buffer = make([]byte, piece*a.item)
		place  = make([]int, len(a.shape)-1) // the element's position on axes 1, 2, ...
	)
	for run := range rowLen {
		element := 0 // where the run's elements stand in a row-major row
		for axis, i := range place {
			element = element*a.shape[axis+1] + i
		}
		for r := 0; r < n; r += piece {
			part := buffer[:min(piece, n-r)*a.item]
			if err := readFull(a.data, part, (int64(run)*rows+int64(lo+r))*int64(a.item)); err != nil {
				return err
			}
			if a.dtype == tensor.String {
				texts := tensor.Values[string](out)
				for i := range len(part) / a.item {
					text, err := a.text(part[i*a.item : (i+1)*a.item])
					if err != nil {
						return &textError{lo + r + i, err.Error()}
					}
					texts[(r+i)*rowLen+element] = text
				}
				continue
			}
			a.tidy(part)
			dst := out.Bytes()[(r*rowLen+element)*a.item:]
			for i := range len(part) / a.item {
				copy(dst[i*rowLen*a.item:], part[i*a.item:(i+1)*a.item])
			}
		}
		for axis := range place { // axis 1 varies fastest after axis 0
			if place[axis]++; place[axis] < a.shape[axis+1] {
				break
			}
			place[axis] = 0
		}
	}
	return nil
}

// tidy turns elements as the file holds them into elements of a tensor.
func (a npyArray) tidy(b []byte) {
	if a.dtype == tensor.Bool {
		for i, v := range b { // any byte but 0 is true to NumPy; Go wants 1
			if v != 0 {
				b[i] = 1
			}
		}
	}
	if !a.bigEndian {
		return
	}
	switch a.item {
	case 2:
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	case 4:
		for i := 0; i < len(b); i += 4 {
			binary.LittleEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
		}
	case 8:
		for i := 0; i < len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], binary.BigEndian.Uint64(b[i:]))
		}
	}
}

// text decodes one element of text, which zeros fill up at its end.
func (a npyArray) text(b []byte) (string, error) {
	if !a.wide {
		s := strings.TrimRight(string(b), "\x00")
		if !utf8.ValidString(s) {
			return "", fmt.Errorf("bytes %q, which are no UTF-8", s)
		}
		return s, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if a.bigEndian {
		order = binary.BigEndian
	}
	end := len(b)
	for end > 0 && order.Uint32(b[end-4:]) == 0 {
		end -= 4
	}
	var s strings.Builder
	for i := 0; i < end; i += 4 {
		code := order.Uint32(b[i:])
		if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return "", fmt.Errorf("code point %#x, which is no letter", code)
		}
		s.WriteRune(rune(code))
	}
	return s.String(), nil
}

// readFull fills b from place at on.
func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil // io.EOF with the last byte is no fault
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
