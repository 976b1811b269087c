package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/intershap/intershap/tensor"
)

// parquetGaps is a view of a Parquet file in which values and lists may be null.
type parquetGaps struct{ *parquetFile }

// withGaps returns a view in which values and lists of these columns may be null. The
// same columns give the same view.
func (f *parquetFile) withGaps(columns []int) gapView {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.views {
		if v.gaps != nil && slices.Equal(v.gaps, columns) {
			return parquetGaps{v.file}
		}
	}
	view := *f
	view.cursor, view.views = nil, nil
	view.columns = openColumns(f.columns, columns)
	f.views = append(f.views, parquetView{gaps: slices.Clone(columns), file: &view})
	return parquetGaps{&view}
}

// withShapes is withGaps for a part of a folder, once: where all lists of a column are
// null it takes the shape that they have in other parts.
func (f *parquetFile) withShapes(all []Column, columns []int) *parquetFile {
	view := f.withGaps(columns).(parquetGaps).parquetFile
	view.layouts = slices.Clone(f.layouts)
	for _, i := range columns {
		c, want := &view.columns[i], all[i]
		if c.measured() || c.Refused.Hint != missingHint || c.DType == 0 || !want.measured() {
			continue
		}
		c.Refused, c.Shape, c.Flat = nil, want.Shape, want.Flat
		dims := want.Shape
		if view.layouts[i].depth == 1 {
			dims = []int{want.RowLen()}
		}
		view.layouts[i].dims = dims
	}
	return view
}

// measured reports whether the shape of a row is known. It may be although the first
// row of a Parquet column is null, which refuses the column to most.
func (c Column) measured() bool {
	return c.Refused == nil || (c.Refused.Hint == missingHint && c.Shape != nil)
}

// errNoList says that a column has no list without a null in it.
var errNoList = errors.New("no list")

// measureBehind takes the lengths of the lists of column i from the first row that
// has them, errNoList if none does.
func (f *parquetFile) measureBehind(ctx context.Context, i int) error {
	layout := &f.layouts[i]
	found := false
	look := func(_ int, arr arrow.Array) error {
		for at := 0; at < arr.Len() && !found; at++ {
			dims, err := listLengths(arr, at, layout.depth)
			if fault, ok := asParquetFault(err); ok && fault.missing {
				continue
			} else if ok {
				return errNoList // an empty list, which has no shape either
			} else if err != nil {
				return err
			}
			layout.dims, found = dims, true
		}
		return nil
	}
	for group := 0; group < len(f.starts)-1 && !found; group++ {
		lo, hi := f.starts[group], f.starts[group+1]
		if lo == hi {
			continue
		}
		r, err := f.reader(ctx, i, group)
		if err != nil {
			return err
		}
		err = guarded(func() error {
			defer r.Release()
			for step := f.extentRows(i, group); lo < hi && !found; lo += step {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := nextRows(r, min(step, hi-lo), look); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !found {
		return errNoList
	}
	return nil
}

// dropCursors ends what the file and its views have begun to decode.
func (f *parquetFile) dropCursors() {
	f.dropCursor()
	for _, view := range f.views {
		view.file.dropCursors()
	}
}

// openColumns returns the columns without the refusal of those whose first list is
// null, where another list has told the shape.
func openColumns(all []Column, open []int) []Column {
	out := append([]Column(nil), all...)
	for _, i := range open {
		if c := &out[i]; c.measured() {
			c.Refused = nil
		}
	}
	return out
}

// padded keeps the gaps of the view.
func (f parquetGaps) padded(pads []columnPad) File { return parquetGaps{f.withPads(pads)} }

func (f parquetGaps) readGaps(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, [][]bool, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, nil, err
	}
	return f.readAll(ctx, lo, hi, columns)
}

// folderGaps is a view of a folder in which values and lists may be null.
type folderGaps struct {
	*parquetFolder
}

// withGaps returns a view in which values and lists of these columns may be null. The
// same columns give the same view.
func (f *parquetFolder) withGaps(columns []int) gapView {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.views {
		if v.pads == nil && v.gaps != nil && slices.Equal(v.gaps, columns) {
			return folderGaps{v}
		}
	}
	view := *f
	view.open, view.views = nil, nil
	view.columns, view.gaps = openColumns(f.columns, columns), slices.Clone(columns)
	f.views = append(f.views, &view)
	return folderGaps{&view}
}

// padded keeps the gaps of the view.
func (f folderGaps) padded(pads []columnPad) File {
	return folderGaps{f.parquetFolder.padded(pads).(*parquetFolder)}
}

func (f folderGaps) readGaps(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, [][]bool, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, nil, err
	}
	gaps := make([][]bool, len(columns))
	read, err := f.eachPart(ctx, lo, hi, columns, func(part *parquetFile, from, to, row int) ([]tensor.Tensor, error) {
		tensors, of, err := part.readAll(ctx, from, to, columns)
		for i, marks := range of {
			if marks == nil {
				continue
			}
			n := tensors[i].RowLen()
			if gaps[i] == nil {
				gaps[i] = make([]bool, (hi-lo)*n)
			}
			copy(gaps[i][row*n:], marks)
		}
		return tensors, err
	})
	return read, gaps, err
}

// sparse writes rows with nulls into a tensor, zeros where one is, and marks those
// elements. It goes list by list, which rows without nulls are spared.
type sparse struct {
	out   tensor.Tensor
	gaps  []bool
	blank tensor.Tensor // a row of what fills short lists up; the zero Tensor where none may be short
}

// fill writes rows from row on; their lists have the lengths dims.
func (s *sparse) fill(row int, arr arrow.Array, dims []int) error {
	for i := range arr.Len() {
		if fault, err := s.row(s.out.RowLen()*(row+i), arr, i, dims, 0); err != nil {
			return err
		} else if fault != nil {
			fault.row = row + i
			return fault
		}
	}
	return nil
}

// row writes element i of arr, lists of dims at a level, to the elements from at on.
func (s *sparse) row(at int, arr arrow.Array, i int, dims []int, level int) (*parquetFault, error) {
	size := 1
	for _, d := range dims {
		size *= d
	}
	if arr.IsNull(i) {
		cells{s.out, nil}.clear(at, at+size)
		for e := at; e < at+size; e++ {
			s.gaps[e] = true
		}
		return nil, nil
	}
	if len(dims) == 0 {
		return nil, fillSlice(s.out, at, arr, i, i+1)
	}
	list, ok := arr.(array.ListLike)
	if !ok {
		return nil, fmt.Errorf("a %s where a list was declared", arr.DataType())
	}
	from, to := list.ValueOffsets(i)
	start, end, values := int(from), int(to), list.ListValues()
	n, pads := end-start, level == 0 && s.blank.DType() != 0
	if start < 0 || n < 0 || end > values.Len() {
		return nil, fmt.Errorf("a list from %d to %d of %d elements", start, end, values.Len())
	}
	switch {
	case pads && n > dims[0]:
		return &parquetFault{level: level, expected: "a list of at most " + plural(dims[0], "element"), found: itoa(n)}, nil
	case !pads && n != dims[0]:
		return &parquetFault{level: level, expected: "a list of " + plural(dims[0], "element"), found: itoa(n)}, nil
	}
	each := size / dims[0]
	if len(dims) == 1 {
		if err := fillSlice(s.out, at, values, start, end); err != nil {
			return nil, err
		}
		for e := range n {
			if values.IsNull(start + e) {
				cells{s.out, nil}.clear(at+e, at+e+1)
				s.gaps[at+e] = true
			}
		}
	} else {
		for e := range n {
			if fault, err := s.row(at+e*each, values, start+e, dims[1:], level+1); fault != nil || err != nil {
				return fault, err
			}
		}
	}
	if pads {
		s.out.CopyElements(at+n*each, s.blank, n*each, size-n*each)
	}
	return nil, nil
}

// fillSlice copies elements [lo, hi) of an array to the elements of t from at on.
func fillSlice(t tensor.Tensor, at int, arr arrow.Array, lo, hi int) error {
	if lo == hi {
		return nil
	}
	part := array.NewSlice(arr, int64(lo), int64(hi))
	defer part.Release()
	return fillElements(t, at, part)
}
