package synth

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// npyTypes has NumPy's name of each type that a set has.
var npyTypes = map[tensor.DType]string{tensor.Float32: "<f4", tensor.Int64: "<i8"}

// memberTime is the first that ZIP knows, so that equal sets give equal bytes.
var memberTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// writeNPZ writes arrays as numpy.savez does: stored, since noise does not
// shrink and stored arrays can be read at any place.
func writeNPZ(w io.Writer, arrays []dataset.Array) error {
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		member, err := archive.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store, Modified: memberTime})
		if err != nil {
			return fmt.Errorf("synth: array %s: %w", a.Name, err)
		}
		if _, err := member.Write(npyHeader(a.Tensor)); err != nil {
			return err
		}
		if _, err := member.Write(a.Tensor.Bytes()); err != nil {
			return err
		}
	}
	return archive.Close()
}

// npyHeader returns what stands before the elements of an array in version 1.0 of
// the NPY format, filled up so that they start at a multiple of 64 bytes.
func npyHeader(t tensor.Tensor) []byte {
	const (
		magic = "\x93NUMPY\x01\x00"
		fixed = len(magic) + 2 // the length of the text has two bytes
		align = 64
	)
	var axes strings.Builder
	for _, n := range t.Shape() {
		axes.WriteString(strconv.Itoa(n) + ",")
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", npyTypes[t.DType()], axes.String())
	blanks := (align - (fixed+len(text)+1)%align) % align // a line feed ends the text
	text += strings.Repeat(" ", blanks) + "\n"
	header := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(text)))
	return append(header, text...)
}
