package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

const (
	npyMagic = "\x93NUMPY"
	// maxNPYHeader bounds the text of a header: a shape and a dtype need less
	// than a kilobyte, long structured dtypes somewhat more.
	maxNPYHeader = 1 << 20
	// maxAxis bounds one axis and the bytes of an array, so that no product
	// of two of them overflows where it is checked.
	maxNPYBytes = 1 << 56
)

// npyHeader is what stands before the elements of an NPY array.
type npyHeader struct {
	size      int64 // bytes before the first element
	shape     []int // axis 0 included; empty for a single value
	fortran   bool
	dtype     tensor.DType
	item      int  // bytes of one element in the file
	wide      bool // text of 4 bytes a letter, not of 1
	bigEndian bool
	// refused says why the elements cannot be read though the header can: the
	// type found, and the remedy.
	refused, remedy string
}

// bytes returns the size of all elements.
func (h npyHeader) bytes() int64 {
	n := int64(h.item)
	for _, d := range h.shape {
		n *= int64(d)
	}
	return n
}

// rowLen returns the elements of one row.
func (h npyHeader) rowLen() int {
	n := 1
	for _, d := range h.shape[1:] {
		n *= d
	}
	return n
}

// readNPYHeader reads versions 1 to 3 of the format.
func readNPYHeader(r io.Reader) (npyHeader, error) {
	var fixed [12]byte
	if _, err := io.ReadFull(r, fixed[:8]); err != nil {
		return npyHeader{}, errors.New("it ends inside the NPY header")
	}
	if string(fixed[:6]) != npyMagic {
		return npyHeader{}, errors.New("it is no NPY array: the magic bytes are missing")
	}
	lengthBytes := 4
	switch major := fixed[6]; major {
	case 1:
		lengthBytes = 2
	case 2, 3:
	default:
		return npyHeader{}, fmt.Errorf("NPY version %d is unknown, want 1, 2 or 3", major)
	}
	if _, err := io.ReadFull(r, fixed[8:8+lengthBytes]); err != nil {
		return npyHeader{}, errors.New("it ends inside the NPY header")
	}
	length := binary.LittleEndian.Uint32(fixed[8:12]) // the upper bytes are zero in version 1
	if length > maxNPYHeader {
		return npyHeader{}, fmt.Errorf("the NPY header claims %d bytes, want at most %d", length, maxNPYHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return npyHeader{}, errors.New("it ends inside the NPY header")
	}
	h, err := parseNPYHeader(string(text))
	h.size = int64(8+lengthBytes) + int64(length)
	return h, err
}

// parseNPYHeader reads the Python dictionary with the keys descr,
// fortran_order and shape.
func parseNPYHeader(text string) (npyHeader, error) {
	var h npyHeader
	p := npyScanner{text: text}
	p.expect('{')
	seen := map[string]bool{}
	for p.err == nil && !p.accept('}') {
		key := p.word()
		p.expect(':')
		switch seen[key] = true; key {
		case "descr":
			if p.peek() == '[' || p.peek() == '(' {
				p.skipNested()
				h.refused, h.remedy = "a structured array", "save each field as an array of its own"
			} else {
				h.setDescr(p.word())
			}
		case "fortran_order":
			switch v := p.name(); v {
			case "True":
				h.fortran = true
			case "False":
			default:
				p.fail("fortran_order is %q", v)
			}
		case "shape":
			h.shape = p.shape()
		default:
			p.fail("key %q is unknown", key)
		}
		if !p.accept(',') {
			p.expect('}')
			break
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			p.fail("key %q is missing", key)
		}
	}
	if p.err != nil {
		return npyHeader{}, fmt.Errorf("NPY header: %w", p.err)
	}
	return h, h.check()
}

// check refuses shapes whose size overflows, which later code relies on.
func (h npyHeader) check() error {
	n := int64(max(h.item, 1))
	for _, d := range h.shape {
		if d > 0 && n > maxNPYBytes/int64(d) {
			return fmt.Errorf("NPY header: shape %v is impossibly large", h.shape)
		}
		n *= int64(max(d, 1))
	}
	return nil
}

// setDescr reads a dtype such as "<f4".
func (h *npyHeader) setDescr(descr string) {
	code := strings.TrimLeft(descr, "<>|=")
	h.bigEndian = strings.HasPrefix(descr, ">")
	simple := map[string]tensor.DType{
		"f2": tensor.Float16, "f4": tensor.Float32, "f8": tensor.Float64,
		"i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
		"u1": tensor.Uint8, "u2": tensor.Uint16, "u4": tensor.Uint32, "u8": tensor.Uint64,
		"b1": tensor.Bool,
	}
	if d, ok := simple[code]; ok {
		h.dtype, h.item = d, d.Size()
		return
	}
	h.refused = "dtype " + quote(descr)
	h.remedy = "save it as a number or text: array.astype(\"float32\")"
	if code == "" {
		return
	}
	switch n, err := strconv.ParseInt(code[1:], 10, 32); {
	case code[0] == 'O':
		h.refused = "an object array (Python pickles, which are not read: they can run code)"
		h.remedy = "give it a dtype before saving: array.astype(\"float32\"), or array.astype(str) for text"
	case code[0] == 'M' || code[0] == 'm':
		h.remedy = "save times as numbers: array.astype(\"int64\")"
	case code[0] == 'c':
		h.remedy = "save the real and imaginary parts as two arrays"
	case (code[0] == 'U' || code[0] == 'S') && err == nil && n > 0 && n <= math.MaxInt32/4:
		h.dtype, h.item, h.refused, h.remedy = tensor.String, int(n), "", ""
		if code[0] == 'U' {
			h.item, h.wide = 4*int(n), true
		}
	}
}

// npyScanner reads the few pieces of Python syntax that headers use.
type npyScanner struct {
	text string
	at   int
	err  error
}

func (p *npyScanner) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// peek returns the next byte after blanks, 0 at the end.
func (p *npyScanner) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *npyScanner) accept(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *npyScanner) expect(c byte) {
	if !p.accept(c) {
		p.fail("want %q at byte %d", c, p.at)
	}
}

// word reads a quoted string without escapes.
func (p *npyScanner) word() string {
	mark := p.peek()
	if mark != '\'' && mark != '"' {
		p.fail("want a quoted word at byte %d", p.at)
		return ""
	}
	end := strings.IndexByte(p.text[p.at+1:], mark)
	if end < 0 {
		p.fail("the word at byte %d has no end", p.at)
		return ""
	}
	word := p.text[p.at+1 : p.at+1+end]
	p.at += end + 2
	return word
}

// name reads letters and digits.
func (p *npyScanner) name() string {
	p.peek()
	from := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n,:(){}[]'\"", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[from:p.at]
}

// shape reads a tuple of lengths; Python 2 wrote them as 3L.
func (p *npyScanner) shape() []int {
	shape := []int{}
	p.expect('(')
	for p.err == nil && !p.accept(')') {
		word := p.name()
		n, err := strconv.ParseInt(strings.TrimSuffix(word, "L"), 10, strconv.IntSize)
		if err != nil || n < 0 {
			p.fail("%q is no length of an axis", word)
			break
		}
		shape = append(shape, int(n))
		if !p.accept(',') {
			p.expect(')')
			break
		}
	}
	return shape
}

// skipNested passes over brackets and what they hold.
func (p *npyScanner) skipNested() {
	depth := 0
	for p.err == nil {
		switch p.peek() {
		case 0:
			p.fail("a bracket has no end")
			return
		case '\'', '"':
			p.word()
			continue
		case '[', '(':
			depth++
		case ']', ')':
			depth--
		}
		p.at++
		if depth == 0 {
			return
		}
	}
}
