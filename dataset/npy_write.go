package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	// npyVersion stands behind the magic bytes: 1.0, which all readers know and
	// whose header has a length of two bytes.
	npyVersion = "\x01\x00"
	// npyAlign is the multiple at which elements start, so that they can be mapped
	// into memory.
	npyAlign = 64
)

// NPYHeader returns what stands before the elements of an NPY array, in version
// 1.0 of the format. The elements follow in row-major order, little-endian.
//
// descr is NumPy's name of their type: "<f4" for float32, "<f8" for float64, "<i8"
// for int64, "<U12" for texts of up to 12 characters. shape has the length of every
// axis, the rows first; none is a single value. NumPy knows 64 axes at most, and
// the header is far from the 64 KiB that version 1.0 allows: a longer one panics.
func NPYHeader(descr string, shape ...int) []byte {
	var axes strings.Builder
	for _, n := range shape {
		axes.WriteString(strconv.Itoa(n) + ",") // a tuple of one needs the comma
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, axes.String())
	const fixed = len(npyMagic+npyVersion) + 2 // the length of the text
	size := fixed + len(text) + 1              // a line feed ends it
	text += strings.Repeat(" ", (npyAlign-size%npyAlign)%npyAlign) + "\n"
	if len(text) > math.MaxUint16 {
		panic("dataset: NPY header too long")
	}
	header := binary.LittleEndian.AppendUint16([]byte(npyMagic+npyVersion), uint16(len(text)))
	return append(header, text...)
}
