package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/intershap/intershap/tensor"
)

// maxOpenParts is how many files of a folder are open at once: a tile may lie
// on a border between two, and a folder may hold more files than a process may
// open.
const maxOpenParts = 2

// parquetFolder reads a folder of Parquet files as one.
type parquetFolder struct {
	path    string
	parts   []string
	starts  []int // part p holds rows [starts[p], starts[p+1])
	columns []Column

	mu      *sync.Mutex // guards all below, and decoding
	open    []openPart  // the most recently used is the last
	views   []*parquetFolder
	extents map[int]listExtent // of the columns that were asked for
	pads    []columnPad        // of a view, nil in the folder itself
	gaps    []int              // the columns of a view that may be null, nil in the folder itself
}

type openPart struct {
	part int
	file *parquetFile
}

func openParquetFolder(ctx context.Context, path string) (File, error) {
	parts, err := parquetParts(path)
	if err != nil {
		return nil, err
	}
	f := &parquetFolder{path: path, parts: parts, starts: []int{0}, mu: &sync.Mutex{}, extents: map[int]listExtent{}}
	for i, part := range parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.add(ctx, i, part); err != nil {
			return nil, err
		}
	}
	for i := range f.columns {
		f.columns[i].Rows = f.Len()
	}
	return f, nil
}

// add takes the schema and the length of a part and holds it against those
// before.
func (f *parquetFolder) add(ctx context.Context, i int, path string) error {
	part, err := openParquetWith(ctx, path, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	defer part.Close()
	rows := part.Len()
	f.starts = append(f.starts, f.starts[i]+rows)
	if i == 0 {
		f.columns = slices.Clone(part.columns)
		return nil
	}
	// The lists of a part without rows have no length that could differ.
	hadRows := f.starts[i] > 0
	if len(part.columns) != len(f.columns) {
		return &Error{
			File: path, Row: NoRow, Expected: plural(len(f.columns), "column") + " as in " + f.parts[0], Found: itoa(len(part.columns)),
			Hint: "all files of a folder must have the same columns in the same order",
		}
	}
	for j, c := range part.columns {
		first := &f.columns[j]
		first.textBytes = max(first.textBytes, c.textBytes)
		if fault := differs(path, *first, c, hadRows && rows > 0); fault != nil {
			if first.lists == 0 || first.lists != c.lists || first.DType != c.DType || first.Name != c.Name {
				return fault
			}
			// Lists of other lengths are no fault of the folder: they may be padded.
			if first.Refused == nil {
				first.Refused = fault
			}
		}
		if !hadRows && rows > 0 {
			c.textBytes = first.textBytes
			*first = c
		} else if !first.measured() && first.Refused.Hint == missingHint && c.measured() {
			first.Shape, first.Flat = c.Shape, c.Flat // only nulls before
		}
		if first.Refused == nil {
			first.Refused = c.Refused
		}
	}
	return nil
}

// differs returns the fault of a column that is not as in the files before it.
func differs(path string, first, c Column, withShape bool) *Error {
	// A column that is refused for the length of its lists has no shape.
	withShape = withShape && first.measured() && c.measured()
	want, got := describe(first, withShape), describe(c, withShape)
	if want == got {
		return nil
	}
	e := &Error{
		File: path, Row: NoRow, Column: c.Name, Expected: want + " as in the files before it", Found: got,
		Hint: "all files of a folder must have the same columns in the same order",
	}
	if withShape && first.isList() && first.lists == c.lists && slices.Equal(first.Shape[1:], c.Shape[1:]) {
		e.Hint = padHint(c)
	}
	return e
}

// describe writes what must be equal in all parts.
func describe(c Column, withShape bool) string {
	s := fmt.Sprintf("%s %s", c.Name, c.DType)
	if c.DType == 0 {
		s = c.Name + " of a type that is not read"
	}
	if withShape && c.measured() {
		s += tensor.FormatShape(append([]int{-1}, c.Shape...))
	}
	return s
}

func (f *parquetFolder) Path() string      { return f.path }
func (f *parquetFolder) Columns() []Column { return f.columns }
func (f *parquetFolder) Len() int          { return f.starts[len(f.starts)-1] }

// place returns the file that holds a row, and the row in it.
func (f *parquetFolder) place(row int) (file string, at int) {
	p := sort.SearchInts(f.starts, row+1) - 1
	return f.parts[p], row - f.starts[p]
}

func (f *parquetFolder) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, err
	}
	return f.eachPart(ctx, lo, hi, columns, func(part *parquetFile, from, to, _ int) ([]tensor.Tensor, error) {
		return part.Read(ctx, from, to, columns)
	})
}

// eachPart puts together what read returns of rows [from, to) of each part; the
// first of them is the given row of the answer.
func (f *parquetFolder) eachPart(ctx context.Context, lo, hi int, columns []int, read func(part *parquetFile, from, to, row int) ([]tensor.Tensor, error)) ([]tensor.Tensor, error) {
	out := make([]tensor.Tensor, len(columns))
	for i, c := range columns {
		out[i] = tensor.New(f.columns[c].DType, append([]int{hi - lo}, f.columns[c].Shape...)...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for row := lo; row < hi; {
		p := sort.SearchInts(f.starts, row+1) - 1
		part, err := f.part(ctx, p)
		if err != nil {
			return nil, err
		}
		n := min(hi, f.starts[p+1]) - row
		from := row - f.starts[p]
		tensors, err := read(part, from, from+n, row-lo)
		if err != nil {
			return nil, err
		}
		for i, t := range tensors {
			out[i].CopyElements((row-lo)*t.RowLen(), t, 0, t.Len())
		}
		row += n
	}
	return out, ctx.Err()
}

// part returns an open part, closing the one that was used longest ago.
func (f *parquetFolder) part(ctx context.Context, p int) (*parquetFile, error) {
	if i := slices.IndexFunc(f.open, func(o openPart) bool { return o.part == p }); i >= 0 {
		o := f.open[i]
		f.open = append(slices.Delete(f.open, i, i+1), o)
		return o.file, nil
	}
	file, err := openParquetWith(ctx, f.parts[p], memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	if file.Len() != f.starts[p+1]-f.starts[p] {
		file.Close()
		return nil, &Error{
			File: f.parts[p], Row: NoRow, Expected: plural(f.starts[p+1]-f.starts[p], "row"), Found: itoa(file.Len()),
			Hint: "the file changed while it was read: run again when it is complete",
		}
	}
	if f.gaps != nil {
		file = file.withShapes(f.columns, f.gaps)
	}
	if f.pads != nil {
		file = file.withPads(f.pads)
	}
	if len(f.open) == maxOpenParts {
		f.open[0].file.Close()
		f.open = slices.Delete(f.open, 0, 1)
	}
	f.open = append(f.open, openPart{p, file})
	return file, nil
}

func (f *parquetFolder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.closeParts()...)
}

// closeParts closes the parts that the folder and its views have open.
func (f *parquetFolder) closeParts() []error {
	var errs []error
	for _, o := range f.open {
		errs = append(errs, o.file.Close())
	}
	f.open = nil
	for _, view := range f.views {
		errs = append(errs, view.closeParts()...)
	}
	return errs
}
