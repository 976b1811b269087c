package dataset

import (
	"context"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// filledFile is a view in which rows of one length are filled up: arrays, and
// columns that are an input together. Lists have a view of their own, see
// listFile.
type filledFile struct {
	File
	fills []columnPad
	// extra are columns behind those of the file, which hold one value each.
	extra   []Column
	values  []tensor.Tensor
	columns []Column
}

// fillUp pads what has one length in the file but a shorter one than the model's
// axis, and refuses values that the model's types cannot hold.
func (b *binder) fillUp(inputs []tensor.Spec) error {
	view := &filledFile{File: b.s.view}
	for i, in := range inputs {
		p, src := b.padding(in.Name), &b.s.sources[i]
		if p == nil {
			continue
		}
		columns := b.columns(*src)
		to := in.DType
		if to == 0 {
			to = commonType(columns)
		}
		if to == 0 || columns[0].DType == 0 {
			continue // resolve refuses them
		}
		value, err := b.padValue(*p, columns[0].Name, to)
		if err != nil {
			return err
		}
		have := columns[0].Shape
		if src.features != nil {
			have = []int{len(columns)}
		}
		dims, ok := padAxes(in.Shape, have, p.Length)
		switch {
		case !ok || slices.Equal(have, dims):
		case (Column{Shape: dims}).tooLong():
			return b.tooLong(columns[0].Name, dims)
		case src.features == nil:
			fill := columnPad{column: b.s.reads[src.at[0]], dims: dims}
			if fill.value, err = b.padValue(*p, columns[0].Name, columns[0].DType); err != nil {
				return err
			}
			view.fills = append(view.fills, fill)
		default:
			for k := range dims[0] - have[0] {
				c := Column{Name: in.Name + ".(pad " + itoa(k) + ")", DType: to, Flat: true, Rows: columns[0].Rows}
				src.at = append(src.at, b.read(len(b.s.view.Columns())+len(view.extra)))
				src.features = append(src.features, c.Name)
				view.extra, view.values = append(view.extra, c), append(view.values, value)
			}
		}
	}
	if view.fills != nil || view.extra != nil {
		b.s.view = view.over(b.s.view)
	}
	return nil
}

// over returns the view of another file with the same columns.
func (f *filledFile) over(file File) *filledFile {
	out := *f
	out.File = file
	out.columns = append(slices.Clone(file.Columns()), f.extra...)
	for _, fill := range f.fills {
		out.columns[fill.column].Shape = fill.dims
	}
	return &out
}

func (f *filledFile) Columns() []Column { return f.columns }

// own returns which of some columns the file below has, and their places among
// them.
func (f *filledFile) own(columns []int) (below, places []int) {
	for i, c := range columns {
		if c < len(f.columns)-len(f.extra) {
			below, places = append(below, c), append(places, i)
		}
	}
	return below, places
}

func (f *filledFile) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	read, _, err := f.read(ctx, lo, hi, columns, func(below []int) (t []tensor.Tensor, gaps [][]bool, err error) {
		t, err = f.File.Read(ctx, lo, hi, below)
		return t, nil, err
	})
	return read, err
}

func (f *filledFile) readGaps(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, [][]bool, error) {
	return f.read(ctx, lo, hi, columns, func(below []int) (t []tensor.Tensor, gaps [][]bool, err error) {
		if view, ok := f.File.(gapView); ok {
			return view.readGaps(ctx, lo, hi, below)
		}
		t, err = f.File.Read(ctx, lo, hi, below)
		return t, nil, err
	})
}

// read fills up what the file below reads. What is added is never missing.
func (f *filledFile) read(ctx context.Context, lo, hi int, columns []int, from func(below []int) ([]tensor.Tensor, [][]bool, error)) ([]tensor.Tensor, [][]bool, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, nil, err
	}
	below, places := f.own(columns)
	read, missing, err := from(below)
	if err != nil {
		return nil, nil, err
	}
	out, gaps := make([]tensor.Tensor, len(columns)), make([][]bool, len(columns))
	for i, place := range places {
		out[place] = read[i]
		if missing != nil {
			gaps[place] = missing[i]
		}
		for _, fill := range f.fills {
			if fill.column == below[i] {
				out[place], gaps[place] = fill.fill(read[i], gaps[place])
			}
		}
	}
	for place, c := range columns {
		if k := c - (len(f.columns) - len(f.extra)); k >= 0 {
			out[place] = repeated(f.values[k], hi-lo)
		}
	}
	return out, gaps, ctx.Err()
}

// fill returns rows with the value behind their end.
func (p columnPad) fill(t tensor.Tensor, gaps []bool) (tensor.Tensor, []bool) {
	n, have := t.Rows(), t.RowLen()
	blank := repeated(p.value, p.dims...)
	whole := blank.Len()
	out := tensor.New(t.DType(), append([]int{n}, p.dims...)...)
	var marks []bool
	if gaps != nil {
		marks = make([]bool, n*whole)
	}
	for r := range n {
		out.CopyElements(r*whole, t, r*have, have)
		out.CopyElements(r*whole+have, blank, 0, whole-have)
		if gaps != nil {
			copy(marks[r*whole:], gaps[r*have:(r+1)*have])
		}
	}
	return out, marks
}

// What the file below may do beside reading, it does here too.

func (f *filledFile) withGaps(columns []int) gapView {
	if file, ok := f.File.(gapped); ok {
		below, _ := f.own(columns)
		return f.over(file.withGaps(below))
	}
	return f
}

func (f *filledFile) withText(columns []int) File {
	if file, ok := f.File.(textual); ok {
		below, _ := f.own(columns)
		return f.over(file.withText(below))
	}
	return f
}

func (f *filledFile) firstText(column int, want tensor.DType) *Error {
	if file, ok := f.File.(textual); ok && column < len(f.columns)-len(f.extra) {
		return file.firstText(column, want)
	}
	return nil
}

func (f *filledFile) lineOf(row int) int {
	if file, ok := f.File.(textual); ok {
		return file.lineOf(row)
	}
	return 0
}

func (f *filledFile) verify(ctx context.Context, columns []int) error {
	if file, ok := f.File.(verified); ok {
		below, _ := f.own(columns)
		return file.verify(ctx, below)
	}
	return nil
}
