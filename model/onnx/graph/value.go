package graph

import (
	"math/bits"

	"github.com/intershap/intershap/tensor"
)

// A Set is a set of modalities: bit i is modality i. Bit Fixed stands for the
// elements that are no modality's.
type Set uint64

// Fixed is the bit of what is in no modality.
const Fixed = 63

// Len returns the number of members.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// Contains reports whether all members of t are in s.
func (s Set) Contains(t Set) bool { return s&t == t }

// looks is the number of times that a graph is run to see the shapes of its
// values, each time on another number of rows.
const looks = 2

// lookRows are the numbers of rows of the looks. They are primes, so that no
// merging of axes makes one from the other.
var lookRows = [looks]int{5, 7}

// A Kind says how a value depends on the rows of a batch.
type Kind uint8

const (
	// Constant values are the same for all batches.
	Constant Kind = iota + 1
	// Sized values depend on the number of rows and on nothing else, as what is
	// computed from a Shape does. They hold no row.
	Sized
	// Rows values hold one entry, or one group of entries, for each row.
	Rows
)

// A Layout says where the rows lie in a value: along Axis, each row as Group
// consecutive entries. The axis is Group·rows long. Merging rows with a shorter
// axis behind them, as [rows, 3, ...] to [3·rows, ...], makes a group of 3.
type Layout struct {
	Axis, Group int
}

// A Value is a tensor in a graph.
type Value struct {
	Name string
	Kind Kind
	// Layout is that of a Rows value.
	Layout Layout
	// Players are the modalities that the value depends on; empty for constants,
	// and for rows that are all alike.
	Players Set
	// Dims are the shapes at the looks.
	Dims  [looks][]int
	DType tensor.DType
	// Content holds the elements of Constant and Sized values at the looks, in one
	// axis, where they are few; else it is zero.
	Content [looks]tensor.Tensor
}

// contentLimit is the number of elements up to which contents are kept: shapes,
// axes and indices are shorter.
const contentLimit = 4096

// RowElements returns the number of elements that a row has in a Rows value.
func (v *Value) RowElements() int {
	n := 1
	for _, d := range v.Dims[0] {
		n *= d
	}
	return n / lookRows[0]
}

// ints returns the content of an integer value at a look.
func (v *Value) ints(look int) (content []int, ok bool) {
	if v == nil || v.Content[look].DType() == 0 || !v.Content[look].DType().IsInteger() {
		return nil, false
	}
	t := v.Content[look]
	if t.DType() == tensor.Int64 {
		// Slices end at numbers that float64 does not have.
		for _, x := range tensor.Values[int64](t) {
			content = append(content, int(x))
		}
		return content, true
	}
	floats := make([]float64, t.Len())
	t.Float64s(floats)
	for _, x := range floats {
		content = append(content, int(x))
	}
	return content, true
}

// constInts returns the content of an integer value that is the same at all looks.
func (v *Value) constInts() (content []int, ok bool) {
	if v == nil || v.Kind != Constant {
		return nil, false
	}
	return v.ints(0)
}
