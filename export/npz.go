package export

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
)

// NumPy's names of the types that are written.
const (
	npyFloat64 = "<f8"
	npyInt64   = "<i8"
	npyBool    = "|b1"
)

// memberTime is the first that ZIP knows, so that equal results give equal bytes.
var memberTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// An archive writes arrays as numpy.savez does, stored. After a failure it writes
// nothing more, and close returns the failure.
type archive struct {
	zip *zip.Writer
	err error
}

func newArchive(w io.Writer) *archive { return &archive{zip: zip.NewWriter(w)} }

func (a *archive) close() error {
	if a.err != nil {
		return a.err
	}
	return a.zip.Close()
}

// member writes the header of an array and what write adds.
func (a *archive) member(name, descr string, shape []int, write func(*bufio.Writer) error) {
	if a.err != nil {
		return
	}
	var file io.Writer
	file, a.err = a.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store, Modified: memberTime})
	if a.err != nil {
		return
	}
	w := bufio.NewWriter(file)
	_, a.err = w.Write(dataset.NPYHeader(descr, shape...))
	if a.err == nil {
		a.err = write(w)
	}
	if a.err == nil {
		a.err = w.Flush()
	}
	if a.err != nil {
		a.err = fmt.Errorf("export: array %q: %w", name, a.err)
	}
}

// floats writes the numbers that all yields, in row-major order.
func (a *archive) floats(name string, shape []int, all func(yield func([]float64) error) error) {
	a.member(name, npyFloat64, shape, func(w *bufio.Writer) error {
		return all(func(numbers []float64) error {
			for _, x := range numbers {
				if _, err := w.Write(binary.LittleEndian.AppendUint64(w.AvailableBuffer(), math.Float64bits(x))); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (a *archive) bools(name string, shape []int, all func(yield func([]bool) error) error) {
	a.member(name, npyBool, shape, func(w *bufio.Writer) error {
		return all(func(flags []bool) error {
			for _, on := range flags {
				b := byte(0)
				if on {
					b = 1
				}
				if err := w.WriteByte(b); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// integer writes an array without axes.
func (a *archive) integer(name string, x int64) {
	a.member(name, npyInt64, nil, func(w *bufio.Writer) error {
		return binary.Write(w, binary.LittleEndian, x)
	})
}

// texts writes a vector of text in the width of its longest. NumPy takes NUL off the end
// of text, so that text which ends in it is refused.
func (a *archive) texts(name string, all []string) {
	letters := 1
	for _, t := range all {
		letters = max(letters, utf8.RuneCountInString(t))
	}
	a.member(name, "<U"+strconv.Itoa(letters), []int{len(all)}, func(w *bufio.Writer) error {
		const letter = 4 // bytes of a character
		element := make([]byte, letter*letters)
		for _, t := range all {
			if strings.HasSuffix(t, "\x00") {
				return fmt.Errorf("want text that does not end in NUL, which .npz cannot keep, got %q", t)
			}
			clear(element)
			at := 0
			for _, r := range t {
				binary.LittleEndian.PutUint32(element[at:], uint32(r))
				at += letter
			}
			if _, err := w.Write(element); err != nil {
				return err
			}
		}
		return nil
	})
}
