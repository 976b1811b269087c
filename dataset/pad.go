package dataset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// Padding fills the lists of an input behind their end, so that all have the
// length of the input's axis 1.
type Padding struct {
	// Input is the name of a model's input.
	Input string
	// Value stands at every position that a list does not reach: a number, or a
	// text where the input is one. It must fit the type of the file's column and
	// that of the model's input.
	Value string
	// Length is the least length of the axis where the model leaves it open; 0
	// takes the longest list of the file. A length that the model states stands.
	Length int
}

// PadError is a --pad that cannot be meant.
type PadError struct {
	// Spec is the text at fault.
	Spec string
	// Reason says what is wrong.
	Reason string
	// Hint is the remedy, a line of its own; it may be empty.
	Hint string
}

// Error returns one line, without the hint.
func (e *PadError) Error() string { return fmt.Sprintf("dataset: padding %q: %s", e.Spec, e.Reason) }

// ParsePad reads specs INPUT=VALUE, divided at the first "=": "input_ids=0". Whether
// the model has the input, and whether its type holds the value, is seen by Bind.
func ParsePad(specs []string) ([]Padding, error) {
	var pads []Padding
	for _, spec := range specs {
		input, value, ok := strings.Cut(spec, "=")
		if input = strings.TrimSpace(input); !ok || input == "" {
			return nil, &PadError{Spec: spec, Reason: "want INPUT=VALUE", Hint: "for example input_ids=0"}
		}
		if slices.ContainsFunc(pads, func(p Padding) bool { return p.Input == input }) {
			return nil, paddedTwice(spec)
		}
		pads = append(pads, Padding{Input: input, Value: value})
	}
	return pads, nil
}

// PadTogether returns the paddings with the lengths that make the lists of all
// files equally long: where the model leaves an axis open, data and background
// must agree. It reads the lists of such inputs once. Files may be nil.
func PadTogether(ctx context.Context, pads []Padding, inputs []tensor.Spec, files ...File) ([]Padding, error) {
	pads = slices.Clone(pads)
	for i, p := range pads {
		at := slices.IndexFunc(inputs, func(s tensor.Spec) bool { return s.Name == p.Input })
		if at < 0 || statedLength(inputs[at].Shape) >= 0 {
			continue // Bind refuses the one; the model states the other
		}
		for _, f := range files {
			if f == nil {
				continue
			}
			n, err := longestOf(ctx, f, p.Input)
			if err != nil {
				return nil, err
			}
			pads[i].Length = max(pads[i].Length, n)
		}
	}
	return pads, nil
}

// statedLength returns the length of axis 1 that a model states, -1 for none.
func statedLength(shape []int) int {
	if len(shape) < 2 {
		return -1
	}
	return shape[1]
}

// listFile is a file that reads lists whose lengths differ by row.
type listFile interface {
	File
	// extent looks at every list of a column, which has lists.
	extent(ctx context.Context, column int) (listExtent, error)
	// padded returns the file with the lists of some columns filled up. It lives as
	// long as the file, and only the file is closed.
	padded(pads []columnPad) File
}

// listExtent is what lists of different lengths have in common.
type listExtent struct {
	// longest is the length of the longest, 0 where all are empty.
	longest int
	// inner is the shape of one element of a list; nil where all are empty.
	inner []int
	// lengths are those of all lists, noList for a null.
	lengths []int32
}

// noList is the length of a list that is null.
const noList = -1

// columnPad says how a column of lists is filled up.
type columnPad struct {
	column int
	dims   []int         // the shape of a row, the padded axis first
	value  tensor.Tensor // one element of the column's type
}

func (p columnPad) equal(q columnPad) bool {
	return p.column == q.column && slices.Equal(p.dims, q.dims) && p.value.Format(0) == q.value.Format(0)
}

// longestOf returns the length of axis 1 of an input as a file has it, that of
// the longest list where they differ; 0 if the file has no such input.
func longestOf(ctx context.Context, f File, input string) (int, error) {
	group := 0
	for i, c := range f.Columns() {
		lists, ok := f.(listFile)
		switch {
		case c.Name != input:
			if name, _, dotted := strings.Cut(c.Name, "."); dotted && name == input {
				group++
			}
		case ok && c.isList():
			e, err := lists.extent(ctx, i)
			return e.longest, err
		case len(c.Shape) > 0:
			return c.Shape[0], nil
		default:
			return 0, nil
		}
	}
	return group, nil
}

// isList reports whether a column has lists that may differ in length.
func (c Column) isList() bool { return c.lists > 0 && c.DType != 0 }

// padding returns the padding of an input, nil for none.
func (b *binder) padding(input string) *Padding {
	for i := range b.opts.Pad {
		if b.opts.Pad[i].Input == input {
			return &b.opts.Pad[i]
		}
	}
	return nil
}

// pad makes a view in which every input that is padded has the length of its axis.
// That is done before anything looks at columns, so that whoever counts elements
// counts those that are added.
func (b *binder) pad(ctx context.Context, inputs []tensor.Spec) error {
	for i, p := range b.opts.Pad {
		spec := p.Input + "=" + p.Value
		if !slices.ContainsFunc(inputs, func(s tensor.Spec) bool { return s.Name == p.Input }) {
			var names []string
			for _, in := range inputs {
				names = append(names, in.Name)
			}
			return &PadError{Spec: spec, Reason: "the model has no input " + quote(p.Input), Hint: "the model has " + list(names) + didYouMean(p.Input, names)}
		}
		if slices.ContainsFunc(b.opts.Pad[:i], func(q Padding) bool { return q.Input == p.Input }) {
			return paddedTwice(spec)
		}
	}
	if err := b.padLists(ctx, inputs); err != nil {
		return err
	}
	return b.fillUp(inputs)
}

func paddedTwice(spec string) error {
	return &PadError{Spec: spec, Reason: "the input is padded twice", Hint: "an input has one value behind the end of its lists: leave out one of the two"}
}

// padLists pads the columns of lists.
func (b *binder) padLists(ctx context.Context, inputs []tensor.Spec) error {
	file, ok := b.s.view.(listFile)
	if !ok {
		return nil
	}
	var pads []columnPad
	for i, in := range inputs {
		p, src := b.padding(in.Name), b.s.sources[i]
		if p == nil || src.features != nil {
			continue
		}
		column := b.s.reads[src.at[0]]
		if c := file.Columns()[column]; c.isList() {
			pad, err := b.padColumn(ctx, file, column, in, *p)
			if err != nil {
				return err
			}
			pads = append(pads, pad)
		}
	}
	if pads != nil {
		b.s.view = file.padded(pads)
		b.s.lists, b.s.pads = file, pads
	}
	return nil
}

// padColumn settles the shape that the lists of a column are filled up to.
func (b *binder) padColumn(ctx context.Context, file listFile, column int, in tensor.Spec, p Padding) (columnPad, error) {
	c := file.Columns()[column]
	pad := columnPad{column: column}
	var err error
	if pad.value, err = b.padValue(p, c.Name, c.DType); err != nil {
		return pad, err
	}
	length := statedLength(in.Shape)
	var extent listExtent
	// What lies in the lists is known from one list; their length from all.
	if length < 0 || c.lists > 1 {
		if extent, err = file.extent(ctx, column); err != nil {
			return pad, err
		}
	}
	if length < 0 {
		length = max(extent.longest, p.Length)
	}
	if length == 0 || (c.lists > 1 && extent.inner == nil) {
		return pad, &Error{
			File: b.file.Path(), Row: NoRow, Column: c.Name, Expected: "a list with at least one element", Found: "empty lists only",
			Hint: "leave rows without any value out, or name them with the missing modalities",
		}
	}
	pad.dims = append([]int{length}, extent.inner...)
	if (Column{Shape: pad.dims}).tooLong() {
		return pad, b.tooLong(c.Name, pad.dims)
	}
	return pad, nil
}

func (b *binder) tooLong(column string, dims []int) error {
	return &Error{
		File: b.file.Path(), Row: NoRow, Column: column, Expected: "at most " + itoa(maxRowElements) + " elements a row",
		Found: formatRow(dims) + " after padding", Hint: "cut the longest lists before writing",
	}
}

// tooLong reports whether a row has more elements than any row may.
func (c Column) tooLong() bool {
	n := 1
	for _, d := range c.Shape {
		if d > 0 && n > maxRowElements/d {
			return true
		}
		n *= max(d, 1)
	}
	return false
}

// padValue returns the value of a padding as one element.
func (b *binder) padValue(p Padding, column string, to tensor.DType) (tensor.Tensor, error) {
	fault := func(expected, found, hint string) error {
		return &Error{File: b.file.Path(), Row: NoRow, Column: column, Expected: expected, Found: found + " in --pad " + shellWord(p.Input+"="+p.Value), Hint: hint}
	}
	if to == tensor.String {
		if strings.IndexByte(p.Value, 0) >= 0 {
			return tensor.Tensor{}, fault("text without the character NUL", quote(shown(p.Value)), "choose another text")
		}
		return tensor.Of([]string{p.Value}), nil
	}
	number, ok := parseNumber(p.Value)
	if !ok {
		return tensor.Tensor{}, fault("a finite number", quote(shown(p.Value)), "lists of numbers are padded with a number, such as --pad "+shellWord(p.Input+"=0"))
	}
	value, err := tensor.Cast(number, to)
	if err != nil {
		return tensor.Tensor{}, fault(to.String(), p.Value, "choose a value that the model's type and the column's type can hold, or write the column in another type")
	}
	return value, nil
}

// parseNumber reads a finite number or a truth value, exactly if it is whole.
func parseNumber(text string) (tensor.Tensor, bool) {
	switch text {
	case "true":
		return tensor.Of([]bool{true}), true
	case "false":
		return tensor.Of([]bool{false}), true
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return tensor.Of([]int64{i}), true
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return tensor.Of([]uint64{u}), true
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return tensor.Tensor{}, false
	}
	return tensor.Of([]float64{v}), true
}

// padAxes returns the shape of a row of shape have after padding, if the model
// takes it: axis 1 is filled up to what the model states, else to length.
func padAxes(shape, have []int, length int) (dims []int, ok bool) {
	if len(have) == 0 || (len(shape) != 0 && len(shape) != len(have)+1) {
		return nil, false
	}
	dims = slices.Clone(have)
	if dims[0] = statedLength(shape); dims[0] < 0 {
		dims[0] = max(have[0], length)
	}
	ok = have[0] <= dims[0] && (len(shape) == 0 || sameAxes(shape[2:], have[1:]))
	return dims, ok
}

// repeated returns a tensor of a shape with one value everywhere.
func repeated(value tensor.Tensor, dims ...int) tensor.Tensor {
	t := tensor.New(value.DType(), dims...)
	for i := range t.Len() {
		t.CopyElements(i, value, 0, 1)
	}
	return t
}

// padHint is the remedy for rows that are shorter than others, or than the
// model's axis.
func padHint(c Column) string {
	if c.DType == tensor.String {
		return "fill short lists up with a text: --pad " + shellWord(c.Name+"=TEXT")
	}
	return "fill short lists up: --pad " + shellWord(c.Name+"=0") + ", or another number"
}

// shellWord writes a text for a shell, quoted where it would read more than text.
func shellWord(text string) string {
	if strings.ContainsAny(text, "\x00\n\t *?[]{}()<>|&;$`\"'\\!#~") {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}
