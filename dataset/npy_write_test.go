package dataset

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// TestNPYHeaderBytes spells headers out. The first has 59 characters from brace to
// brace: with 10 bytes before them and a line feed behind 70, so 58 blanks make 128.
func TestNPYHeaderBytes(t *testing.T) {
	for _, c := range []struct {
		reason, descr string
		shape         []int
		want          string
	}{
		{
			"two axes", "<f8", []int{3, 2},
			"\x93NUMPY\x01\x00\x76\x00" + "{'descr': '<f8', 'fortran_order': False, 'shape': (3,2,), }" + strings.Repeat(" ", 58) + "\n",
		},
		{
			"one axis is a tuple", "<i8", []int{700},
			"\x93NUMPY\x01\x00\x76\x00" + "{'descr': '<i8', 'fortran_order': False, 'shape': (700,), }" + strings.Repeat(" ", 58) + "\n",
		},
		{
			"a single value", "<f4", nil,
			"\x93NUMPY\x01\x00\x76\x00" + "{'descr': '<f4', 'fortran_order': False, 'shape': (), }" + strings.Repeat(" ", 62) + "\n",
		},
	} {
		if got := NPYHeader(c.descr, c.shape...); string(got) != c.want {
			t.Errorf("%s: want\n%q, got\n%q", c.reason, c.want, got)
		}
	}
}

// TestNPYHeaderReads has the reader take every header back, of texts of all lengths
// within a multiple of 64.
func TestNPYHeaderReads(t *testing.T) {
	types := []struct {
		descr string
		dtype tensor.DType
		item  int
	}{
		{"<f4", tensor.Float32, 4}, {"<f8", tensor.Float64, 8}, {"<i8", tensor.Int64, 8}, {"<U12", tensor.String, 48},
	}
	unfilled := false
	for axes := range 65 { // as many as NumPy has
		shape := slices.Repeat([]int{1}, axes)
		for i := range shape[:min(axes, 3)] {
			shape[i] = []int{0, 7, 12345}[i]
		}
		for _, c := range types {
			header := NPYHeader(c.descr, shape...)
			if len(header)%64 != 0 {
				t.Errorf("%s, %d axes: want elements at a multiple of 64, got %d", c.descr, axes, len(header))
			}
			unfilled = unfilled || !bytes.HasSuffix(header, []byte(" \n"))
			got, err := readNPYHeader(bytes.NewReader(append(header, 1, 2, 3)))
			if err != nil {
				t.Errorf("%s, %d axes: %v", c.descr, axes, err)
			}
			if got.size != int64(len(header)) || !slices.Equal(got.shape, shape) || got.dtype != c.dtype || got.item != c.item ||
				got.fortran || got.bigEndian || got.refused != "" || got.wide != (c.dtype == tensor.String) {
				t.Errorf("%s, shape %v: the reader has %+v", c.descr, shape, got)
			}
		}
	}
	if !unfilled {
		t.Error("want a header among these that fits without blanks")
	}
}

func TestNPYHeaderTooLong(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("want a panic where two bytes cannot hold the length")
		}
	}()
	NPYHeader("<f8", make([]int, 1<<15)...)
}
