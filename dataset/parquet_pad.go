package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/intershap/intershap/tensor"
)

// parquetView is a file in which some columns of lists are padded, or in which some
// columns may be null.
type parquetView struct {
	pads []columnPad
	gaps []int
	file *parquetFile
}

// padded returns a view in which the lists of some columns are filled up. The same
// padding gives the same view.
func (f *parquetFile) padded(pads []columnPad) File { return f.withPads(pads) }

func (f *parquetFile) withPads(pads []columnPad) *parquetFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.views {
		if v.gaps == nil && slices.EqualFunc(v.pads, pads, columnPad.equal) {
			return v.file
		}
	}
	view := *f
	view.cursor, view.views = nil, nil
	view.columns, view.layouts = padColumns(f.columns, pads), slices.Clone(f.layouts)
	for _, p := range pads {
		layout := &view.layouts[p.column]
		layout.dims, layout.blank = p.dims, repeated(p.value, p.dims...)
	}
	f.views = append(f.views, parquetView{pads: pads, file: &view})
	return &view
}

// padColumns returns the columns as they are with padding.
func padColumns(columns []Column, pads []columnPad) []Column {
	columns = slices.Clone(columns)
	for _, p := range pads {
		c := &columns[p.column]
		// What refused the column was the length of its lists.
		c.Shape, c.Flat, c.Refused = p.dims, false, nil
	}
	return columns
}

// extent reads the lists of a column, one row group after the other.
func (f *parquetFile) extent(ctx context.Context, column int) (listExtent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, known := f.extents[column]; known {
		return e, nil
	}
	var e listExtent
	for group := range len(f.starts) - 1 {
		if err := f.groupExtent(ctx, &e, column, group); err != nil {
			return e, err
		}
	}
	f.extents[column] = e
	return e, nil
}

// groupExtent widens an extent to the lists of a row group.
func (f *parquetFile) groupExtent(ctx context.Context, e *listExtent, column, group int) error {
	name, lo, hi := f.columns[column].Name, f.starts[group], f.starts[group+1]
	if lo == hi {
		return nil
	}
	r, err := f.reader(ctx, column, group)
	if err != nil {
		return broken(f.path, name, err)
	}
	defer func() { _ = guarded(func() error { r.Release(); return nil }) }()
	for step := f.extentRows(column, group); lo < hi; lo += step {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := guarded(func() error {
			return nextRows(r, min(step, hi-lo), func(row int, arr arrow.Array) error {
				return e.widen(row, arr, f.layouts[column].depth)
			})
		})
		if fault, ok := asParquetFault(err); ok {
			return f.fault(fault, column, lo)
		} else if err != nil {
			return broken(f.path, name, err)
		}
	}
	return nil
}

// extentRows returns how many rows of a column are looked at at once. Their size is
// not known yet but on average.
func (f *parquetFile) extentRows(column, group int) int {
	elements := int64(1)
	meta := f.handle.MetaData().RowGroups[group]
	for leaf := range f.layouts[column].leaves {
		if leaf < len(meta.Columns) && meta.Columns[leaf].MetaData != nil {
			elements = max(elements, meta.Columns[leaf].MetaData.NumValues/max(meta.NumRows, 1))
		}
	}
	c := f.columns[column]
	return chunkRows([]Column{{DType: c.DType, Shape: []int{int(min(elements, chunkBytes))}, textBytes: c.textBytes}})
}

// widen takes the lists of some rows into an extent. Missing lists are left to
// whoever reads them.
func (e *listExtent) widen(row int, arr arrow.Array, depth int) error {
	list, ok := arr.(array.ListLike)
	if !ok {
		return fmt.Errorf("a %s where a list was declared", arr.DataType())
	}
	for i := range arr.Len() {
		if arr.IsNull(i) {
			e.lengths = append(e.lengths, noList)
			continue
		}
		start, end := list.ValueOffsets(i)
		if start < 0 || end < start {
			return errors.New("a list that ends before it starts")
		}
		e.lengths = append(e.lengths, int32(min(end-start, math.MaxInt32)))
		if e.inner == nil && end > start {
			inner, err := listLengths(list.ListValues(), int(start), depth-1)
			var fault *parquetFault
			if errors.As(err, &fault) {
				fault.row, fault.level = row+i, fault.level+1
			}
			if err != nil {
				return err
			}
			e.inner = inner
		}
		e.longest = max(e.longest, int(end-start))
	}
	return nil
}

// fillPadded writes lists of at most dims[0] elements into the rows of t from row
// on, and the value in blank behind their ends.
func fillPadded(t tensor.Tensor, row int, arr arrow.Array, dims []int, blank tensor.Tensor) error {
	if arr.Len() == 0 {
		return nil
	}
	list, ok := arr.(array.ListLike)
	if !ok {
		return fmt.Errorf("a %s where a list was declared", arr.DataType())
	}
	ends := make([]int, arr.Len()) // of the lists, among the elements of all
	first := int64(0)
	for i := range ends {
		start, end := list.ValueOffsets(i)
		if i == 0 {
			first = start
		}
		last := int64(0)
		if i > 0 {
			last = int64(ends[i-1])
		}
		switch {
		case arr.IsNull(i):
			return &parquetFault{row: row + i, missing: true}
		case start-first != last || end < start:
			return errors.New("lists that do not lie side by side")
		case end-start > int64(dims[0]):
			return &parquetFault{row: row + i, expected: "a list of at most " + plural(dims[0], "element"), found: itoa(int(end - start))}
		}
		ends[i] = int(end - first)
	}
	total := ends[len(ends)-1]
	elements := array.NewSlice(list.ListValues(), first, first+int64(total))
	defer elements.Release()
	packed := tensor.New(t.DType(), append([]int{total}, dims[1:]...)...)
	if err := fillRows(packed, 0, elements, dims[1:]); err != nil {
		var fault *parquetFault
		if errors.As(err, &fault) {
			// Its row is that of an element: the list it lies in is the row.
			i, _ := slices.BinarySearch(ends, fault.row+1)
			fault.row, fault.level = row+i, fault.level+1
		}
		return err
	}
	size, whole, begin := packed.RowLen(), blank.Len(), 0
	for i, end := range ends {
		at, n := (row+i)*whole, (end-begin)*size
		t.CopyElements(at, packed, begin*size, n)
		t.CopyElements(at+n, blank, n, whole-n)
		begin = end
	}
	return nil
}

// padded returns a view in which the lists of some columns are filled up, in every
// part. The same padding gives the same view.
func (f *parquetFolder) padded(pads []columnPad) File {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.views {
		if slices.EqualFunc(v.pads, pads, columnPad.equal) {
			return v
		}
	}
	view := *f
	view.open, view.views, view.pads = nil, nil, pads
	view.columns = padColumns(f.columns, pads)
	f.views = append(f.views, &view)
	return &view
}

// extent reads the lists of a column, one part after the other.
func (f *parquetFolder) extent(ctx context.Context, column int) (listExtent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, known := f.extents[column]; known {
		return e, nil
	}
	var e listExtent
	for p := range f.parts {
		part, err := f.part(ctx, p)
		if err != nil {
			return e, err
		}
		of, err := part.extent(ctx, column)
		if err != nil {
			return e, err
		}
		e.longest = max(e.longest, of.longest)
		e.lengths = append(e.lengths, of.lengths...)
		if e.inner == nil {
			e.inner = of.inner // what differs from it is refused as a row is read
		}
	}
	f.extents[column] = e
	return e, nil
}
