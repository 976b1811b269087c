package dataset

import (
	"context"
	"math"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// gapped is a file in which a cell may hold nothing at all: CSV and Parquet. In
// an array a missing number is a NaN and a missing text is empty.
type gapped interface {
	File
	// withGaps returns a view in which cells of these columns may be missing.
	withGaps(columns []int) gapView
}

// gapView is a file whose missing cells can be read. Its Read refuses them.
type gapView interface {
	File
	// readGaps is Read with the missing cells: gaps[i] is true at the elements of
	// column i that the file has not, where the tensor holds zeros; nil if it has
	// them all.
	readGaps(ctx context.Context, lo, hi int, columns []int) (read []tensor.Tensor, gaps [][]bool, err error)
}

// cells are rows of one column as the file has them.
type cells struct {
	tensor.Tensor
	// gaps marks the elements that are not there; nil if all are.
	gaps []bool
}

// clone returns cells that may be changed.
func (c cells) clone() cells {
	t := tensor.New(c.DType(), c.Shape()...)
	t.CopyElements(0, c.Tensor, 0, c.Len())
	return cells{t, slices.Clone(c.gaps)}
}

// clear takes elements [lo, hi) out: zeros, or empty text.
func (c cells) clear(lo, hi int) {
	if c.DType() == tensor.String {
		clear(tensor.Values[string](c.Tensor)[lo:hi])
	} else {
		size := c.DType().Size()
		clear(c.Bytes()[lo*size : hi*size])
	}
	if c.gaps != nil {
		clear(c.gaps[lo:hi])
	}
}

// special returns element i if it is a number that only floating-point types
// have: a NaN, which a gap is too, or an infinity.
func (c cells) special(i int) (value tensor.Tensor, ok bool) {
	switch {
	case c.gaps != nil && c.gaps[i]:
		return tensor.Of([]float64{math.NaN()}), true
	case !c.DType().IsFloat():
		return tensor.Tensor{}, false
	}
	one := tensor.New(c.DType(), 1)
	one.CopyElements(0, c.Tensor, i, 1)
	if _, _, found := one.NonFinite(); !found {
		return tensor.Tensor{}, false
	}
	return one, true
}

// anyValue reports whether one of the elements [lo, hi) has a value: no gap, no
// NaN, no text without a letter.
func (c cells) anyValue(lo, hi int) bool {
	there := func(i int) bool { return c.gaps == nil || !c.gaps[i] }
	switch c.DType() {
	case tensor.Float64:
		for i, v := range tensor.Values[float64](c.Tensor)[lo:hi] {
			if v == v && there(lo+i) {
				return true
			}
		}
	case tensor.Float32:
		for i, v := range tensor.Values[float32](c.Tensor)[lo:hi] {
			if v == v && there(lo+i) {
				return true
			}
		}
	case tensor.Float16:
		for i, v := range tensor.Values[tensor.Float16Bits](c.Tensor)[lo:hi] {
			if v&^(1<<15) <= 0x7c00 && there(lo+i) { // behind infinity come the NaN
				return true
			}
		}
	case tensor.String:
		for i, v := range tensor.Values[string](c.Tensor)[lo:hi] {
			if !blank(v) && there(lo+i) {
				return true
			}
		}
	default:
		return lo < hi && (c.gaps == nil || slices.Contains(c.gaps[lo:hi], false))
	}
	return false
}

// readParts reads the columns at positions of Samples.reads; nil stands for all.
// The answer has a place for every position, those that were not wanted empty.
func (s *Samples) readParts(ctx context.Context, lo, hi int, at []int) ([]cells, error) {
	columns := s.reads
	if at != nil {
		at = slices.Compact(slices.Sorted(slices.Values(at)))
		columns = make([]int, len(at))
		for i, position := range at {
			columns[i] = s.reads[position]
		}
	}
	var (
		read []tensor.Tensor
		gaps [][]bool
		err  error
	)
	if view, ok := s.view.(gapView); ok {
		read, gaps, err = view.readGaps(ctx, lo, hi, columns)
	} else {
		read, err = s.view.Read(ctx, lo, hi, columns)
	}
	if err != nil {
		return nil, err
	}
	out := make([]cells, len(s.reads))
	for i, t := range read {
		position := i
		if at != nil {
			position = at[i]
		}
		out[position].Tensor = t
		if gaps != nil {
			out[position].gaps = gaps[i]
		}
	}
	return out, nil
}

// firstGap returns the fault of the first missing cell, nil if there is none; c
// is rows of column at from row lo on.
func (s *Samples) firstGap(c cells, at, lo int) *Error {
	i := slices.Index(c.gaps, true)
	if i < 0 {
		return nil
	}
	column := s.columns[at]
	return missing(s.file.Path(), lo+i/c.RowLen(), 0, column.Name, "none"+atElement(column, i%c.RowLen()))
}

// refuseGaps returns the fault of the first missing cell in what a file read,
// found being what its users call such a cell.
func refuseGaps(f File, lo int, columns []int, read []tensor.Tensor, gaps [][]bool, found string) error {
	for i, c := range columns {
		if gap := slices.Index(gaps[i], true); gap >= 0 {
			return missing(f.Path(), lo+gap/read[i].RowLen(), 0, f.Columns()[c].Name, found)
		}
	}
	return nil
}
