package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/tensor"
)

// maxBatches is how many decoded batches are kept: workers take the tiles in
// order but do not finish in order, and a tile may end inside a batch.
const maxBatches = 4

// parquetCursor decodes some columns of the file from one row group after the
// other.
type parquetCursor struct {
	columns []int
	group   int
	next    int // the row at which the readers stand
	size    int // rows in a batch
	readers []*pqarrow.ColumnReader
	recent  []parquetBatch
}

// parquetBatch holds rows [lo, hi) as tensors; the decoder's own memory is
// free again.
type parquetBatch struct {
	lo, hi  int
	tensors []tensor.Tensor
	gaps    [][]bool // by column, the elements that are null; nil for none
}

// readAll copies rows out of batches, with zeros where a value is null and gaps
// that mark it.
func (f *parquetFile) readAll(ctx context.Context, lo, hi int, columns []int) (out []tensor.Tensor, gaps [][]bool, err error) {
	out, gaps = make([]tensor.Tensor, len(columns)), make([][]bool, len(columns))
	for i, c := range columns {
		out[i] = tensor.New(f.columns[c].DType, append([]int{hi - lo}, f.columns[c].Shape...)...)
	}
	if len(columns) == 0 {
		return out, gaps, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for row := lo; row < hi; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		batch, err := f.batch(ctx, row, columns)
		if err != nil {
			f.dropCursor()
			return nil, nil, err
		}
		n := min(hi, batch.hi) - row
		for i, t := range batch.tensors {
			r := t.RowLen()
			out[i].CopyElements((row-lo)*r, t, (row-batch.lo)*r, n*r)
			if marks := batch.gaps[i]; marks != nil {
				if gaps[i] == nil {
					gaps[i] = make([]bool, (hi-lo)*r)
				}
				copy(gaps[i][(row-lo)*r:], marks[(row-batch.lo)*r:(row-batch.lo+n)*r])
			}
		}
		row += n
	}
	return out, gaps, nil
}

// batch returns a batch that holds row, decoding on from where the cursor is
// if it can.
func (f *parquetFile) batch(ctx context.Context, row int, columns []int) (parquetBatch, error) {
	if c := f.cursor; c != nil && !slices.Equal(c.columns, columns) {
		f.dropCursor()
	}
	if c := f.cursor; c != nil {
		for _, b := range c.recent {
			if b.lo <= row && row < b.hi {
				return b, nil
			}
		}
	}
	group := sort.SearchInts(f.starts, row+1) - 1
	if c := f.cursor; c == nil {
		wanted := make([]Column, len(columns))
		for i, col := range columns {
			wanted[i] = f.columns[col]
		}
		f.cursor = &parquetCursor{columns: slices.Clone(columns), size: chunkRows(wanted)}
		if err := f.enter(ctx, group); err != nil {
			return parquetBatch{}, err
		}
	} else if row < c.next || group != c.group {
		if err := f.enter(ctx, group); err != nil {
			return parquetBatch{}, err
		}
	}
	c := f.cursor
	for {
		if err := ctx.Err(); err != nil {
			return parquetBatch{}, err
		}
		b := parquetBatch{lo: c.next, hi: min(c.next+c.size, f.starts[group+1])}
		keep := row < b.hi
		for i, col := range columns {
			t, gaps, err := f.decode(c.readers[i], col, b, keep)
			if fault, ok := asParquetFault(err); ok {
				return parquetBatch{}, f.fault(fault, col, b.lo)
			} else if err != nil {
				return parquetBatch{}, broken(f.path, f.columns[col].Name, err)
			}
			b.tensors, b.gaps = append(b.tensors, t), append(b.gaps, gaps)
		}
		c.next = b.hi
		if keep {
			if len(c.recent) == maxBatches {
				c.recent = slices.Delete(c.recent, 0, 1)
			}
			c.recent = append(c.recent, b)
			return b, nil
		}
	}
}

// enter puts the cursor at the start of a row group.
func (f *parquetFile) enter(ctx context.Context, group int) error {
	f.cursor.release()
	for _, col := range f.cursor.columns {
		r, err := f.reader(ctx, col, group)
		if err != nil {
			return broken(f.path, f.columns[col].Name, err)
		}
		f.cursor.readers = append(f.cursor.readers, r)
	}
	f.cursor.group, f.cursor.next = group, f.starts[group]
	return nil
}

// reader returns a reader of one column of one row group.
func (f *parquetFile) reader(ctx context.Context, column, group int) (r *pqarrow.ColumnReader, err error) {
	err = guarded(func() error {
		// The readers outlive this call but not the file; the context must not
		// end them.
		r, err = f.arrow.GetFieldReader(context.WithoutCancel(ctx), column, f.layouts[column].leaves, []int{group})
		if err == nil && r == nil {
			err = errors.New("it has no data")
		}
		return err
	})
	return r, err
}

func (f *parquetFile) dropCursor() {
	if f.cursor != nil {
		f.cursor.release()
		f.cursor = nil
	}
}

func (c *parquetCursor) release() {
	for _, r := range c.readers {
		// A reader that gave up on damaged data may do so again; there is
		// nothing left to save in it.
		_ = guarded(func() error { r.Release(); return nil })
	}
	c.readers = nil
}

// decode reads the rows of b and, if keep, turns them into a tensor.
func (f *parquetFile) decode(r *pqarrow.ColumnReader, column int, b parquetBatch, keep bool) (t tensor.Tensor, gaps []bool, err error) {
	err = guarded(func() error {
		layout := f.layouts[column]
		if keep {
			t = tensor.New(f.columns[column].DType, append([]int{b.hi - b.lo}, f.columns[column].Shape...)...)
		}
		return nextRows(r, b.hi-b.lo, func(row int, arr arrow.Array) error {
			if !keep {
				return nil
			}
			var err error
			if layout.blank.DType() != 0 {
				err = fillPadded(t, row, arr, layout.dims, layout.blank)
			} else {
				err = fillRows(t, row, arr, layout.dims)
			}
			if fault, ok := asParquetFault(err); ok && fault.missing {
				if gaps == nil {
					gaps = make([]bool, t.Len())
				}
				return (&sparse{t, gaps, layout.blank}).fill(row, arr, layout.dims)
			}
			return err
		})
	})
	return t, gaps, err
}

// nextRows hands the next rows of a reader to use, in arrays that begin with the
// given one of them.
func nextRows(r *pqarrow.ColumnReader, rows int, use func(row int, arr arrow.Array) error) error {
	chunked, err := r.NextBatch(int64(rows))
	if err != nil {
		return err
	}
	defer chunked.Release()
	if chunked.Len() != rows {
		return fmt.Errorf("%d rows, the footer promises %d", chunked.Len(), rows)
	}
	row := 0
	for _, arr := range chunked.Chunks() {
		if err := use(row, arr); err != nil {
			return err
		}
		row += arr.Len()
	}
	return nil
}

// firstRow hands the first row of a row group to use.
func (f *parquetFile) firstRow(ctx context.Context, column, group int, use func(arrow.Array) error) error {
	r, err := f.reader(ctx, column, group)
	if err != nil {
		return err
	}
	return guarded(func() error {
		defer r.Release()
		return nextRows(r, 1, func(_ int, arr arrow.Array) error {
			if arr.Len() == 0 {
				return nil
			}
			return use(arr)
		})
	})
}

// fault gives a fault in the data its place; lo is the first row of the batch.
func (f *parquetFile) fault(p *parquetFault, column, lo int) *Error {
	if p.missing {
		return missing(f.path, lo+p.row, 0, f.columns[column].Name, "null")
	}
	c, layout := f.columns[column], f.layouts[column]
	e := &Error{
		File: f.path, Row: lo + p.row, Column: c.Name, Expected: p.expected, Found: p.found,
		Hint: "every row must have the same number of elements: pad or cut the lists before writing",
	}
	switch {
	case p.level > 0 || c.lists == 0:
		// Inner lists are not padded, and a declared shape is kept.
	case layout.blank.DType() != 0:
		e.Hint = "the axis has the length " + itoa(layout.dims[0]) + ": cut the lists to it before writing"
	default:
		if len(layout.dims) > 0 && layout.dims[0] > 0 {
			e.Expected += " as in row 0"
		}
		e.Hint = padHint(c)
	}
	return e
}

func asParquetFault(err error) (*parquetFault, bool) {
	var fault *parquetFault
	return fault, errors.As(err, &fault)
}
