package result

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
)

// What NPY arrays are made of, as far as samples files need it.
const (
	npyFloat64 = "<f8"
	npyInt64   = "<i8"
	npyUint64  = "<u8"
	// npyLetter is the bytes of one character: arrays of text are UTF-32.
	npyLetter = 4
)

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
	if _, err := w.Write(dataset.NPYHeader(npyTextDescr(letters), len(texts))); err != nil {
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
