package result

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What NPY arrays are made of, as far as samples files need it.
const (
	// npyMagic starts arrays of version 1.0.
	npyMagic   = "\x93NUMPY\x01\x00"
	npyFloat64 = "<f8"
	npyInt64   = "<i8"
	// npyAlign is the multiple at which elements start, so that they can be
	// mapped into memory.
	npyAlign = 64
	// npyLetter is the bytes of one character: arrays of text are UTF-32.
	npyLetter = 4
)

// npyHeader returns what stands before the elements of an array, in version 1.0
// of the format. It is far from that version's 64 KiB.
func npyHeader(descr string, shape ...int) []byte {
	var axes strings.Builder
	for _, n := range shape {
		axes.WriteString(strconv.Itoa(n) + ",")
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, axes.String())
	const fixed = len(npyMagic) + 2 // the length of the text has two bytes
	size := fixed + len(text) + 1   // a line feed ends it
	if rest := size % npyAlign; rest != 0 {
		text += strings.Repeat(" ", npyAlign-rest)
	}
	text += "\n"
	header := append([]byte(npyMagic), 0, 0)
	binary.LittleEndian.PutUint16(header[fixed-2:], uint16(len(text)))
	return append(header, text...)
}

// npyTextDescr returns the type of texts of up to letters characters. NumPy
// writes empty texts with one, since not all readers know a width of none.
func npyTextDescr(letters int) string { return "<U" + strconv.Itoa(max(letters, 1)) }

// checkNPYText refuses text that would not come back: NumPy fills short texts
// with NUL and takes them off again.
func checkNPYText(text string) error {
	if strings.HasSuffix(text, "\x00") {
		return fmt.Errorf("want text that does not end in NUL, which .npz cannot keep, got %q", text)
	}
	return nil
}

// writeNPYTexts writes a vector of texts that is in memory.
func writeNPYTexts(w io.Writer, texts []string) error {
	letters := 0
	for _, t := range texts {
		letters = max(letters, utf8.RuneCountInString(t))
	}
	if _, err := w.Write(npyHeader(npyTextDescr(letters), len(texts))); err != nil {
		return err
	}
	element := newNPYText(letters)
	for _, t := range texts {
		if err := element.writeTo(w, t); err != nil {
			return err
		}
	}
	return nil
}

// npyText is the memory of one element of an array of texts.
type npyText []byte

func newNPYText(letters int) npyText { return make(npyText, npyLetter*max(letters, 1)) }

// writeTo writes text, filled up with NUL.
func (e npyText) writeTo(w io.Writer, text string) error {
	clear(e)
	at := 0
	for _, r := range text {
		binary.LittleEndian.PutUint32(e[at:], uint32(r))
		at += npyLetter
	}
	_, err := w.Write(e)
	return err
}
