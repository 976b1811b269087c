package dataset

import (
	"context"
	"slices"
	"strings"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/tensor"
)

// BindOptions says how Bind words what it finds. The zero value is ready.
type BindOptions struct {
	// Role is what the file is used as, for messages: "data" (the default) or
	// "background".
	Role string
	// Pad fills lists of different lengths.
	Pad []Padding
	// Data are the samples whose background the file is, nil for data. What the model
	// leaves open they have settled, and a fault says so.
	Data *Samples
	// Attributes are columns to read beside the inputs, whatever else they are:
	// a model's input may be one too.
	Attributes []Attribute
	// Known are columns that are not read, and are no surprise: no warning says that
	// they are ignored.
	Known []string
}

// roleBackground is the role whose lack of an input the message names.
const roleBackground = "background"

// textual is a file whose cells are text before they are anything else.
type textual interface {
	File
	withText(columns []int) File
	firstText(column int, want tensor.DType) *Error
	lineOf(row int) int
}

// source says where the elements of an input, the ids or the labels come from:
// positions in Samples.reads. A source without positions is not there.
type source struct {
	at []int
	// features are the names of the columns when there are several by design:
	// a column group. Nil for an array or column of the input's own name.
	features []string
}

// Bind matches the columns of a file with the inputs of a model. Axis 0 of a
// spec is ignored; a nil Shape or a DType of 0 takes what the file has.
//
// The rules, in short (docs/format/data.md has them all): a column named like
// an input is that input, else the columns input.feature are, row-major in
// file order. Axes must match, -1 takes any length, [N] and [N,1] are the
// same; what has no axes in the file is reshaped.
func Bind(ctx context.Context, f File, inputs []tensor.Spec, opts BindOptions) (*Samples, error) {
	b := &binder{opts: opts, file: f, s: &Samples{file: f, view: f, asked: inputs, presence: &presenceCache{}}}
	if err := b.run(ctx, inputs); err != nil {
		return nil, b.s.advise(ctx, err)
	}
	return b.s, nil
}

// binder is one call of Bind.
type binder struct {
	opts BindOptions
	file File
	s    *Samples
}

func (b *binder) run(ctx context.Context, inputs []tensor.Spec) error {
	if len(inputs) == 0 {
		return &Error{File: b.file.Path(), Row: NoRow, Expected: "a model with at least one input", Found: "none"}
	}
	for _, spec := range inputs {
		src, err := b.find(spec)
		if err != nil {
			return err
		}
		b.s.sources = append(b.s.sources, src)
	}
	b.openGaps()
	b.readAsText(inputs)
	if err := b.pad(ctx, inputs); err != nil {
		return err
	}
	if err := b.bindIDs(); err != nil {
		return err
	}
	labels := b.own(labelColumn)
	if err := b.checkRows(labels); err != nil {
		return err
	}
	for i, spec := range inputs {
		resolved, err := b.resolve(spec, b.s.sources[i])
		if err != nil {
			return err
		}
		b.s.inputs = append(b.s.inputs, resolved)
	}
	if err := b.bindLabels(ctx, labels); err != nil {
		return err
	}
	if err := b.bindAttributes(); err != nil {
		return err
	}
	for _, c := range b.s.reads {
		b.s.columns = append(b.s.columns, b.s.view.Columns()[c])
	}
	b.warnIgnored(labels)
	return nil
}

// read adds a column to those that every Read takes, and returns its
// position.
func (b *binder) read(column int) int {
	if i := slices.Index(b.s.reads, column); i >= 0 {
		return i
	}
	b.s.reads = append(b.s.reads, column)
	return len(b.s.reads) - 1
}

// columns returns the columns of a source.
func (b *binder) columns(src source) []Column {
	all := b.s.view.Columns()
	out := make([]Column, len(src.at))
	for i, at := range src.at {
		out[i] = all[b.s.reads[at]]
	}
	return out
}

// find looks an input up by name.
func (b *binder) find(spec tensor.Spec) (source, error) {
	columns := b.file.Columns()
	for i, c := range columns {
		if c.Name == spec.Name {
			return source{at: []int{b.read(i)}}, nil
		}
	}
	var src source
	for i, c := range columns {
		if group, _, dotted := strings.Cut(c.Name, "."); dotted && group == spec.Name {
			src.at = append(src.at, b.read(i))
			src.features = append(src.features, c.Name)
		}
	}
	if src.at != nil {
		return src, nil
	}
	e := &Error{
		File: b.file.Path(), Row: NoRow, Column: spec.Name,
		Expected: "a column " + quote(spec.Name) + " or columns " + quote(spec.Name+".*") + " for the model's input", Found: "none",
		Hint: "the file has " + list(offered(columns)) + didYouMean(spec.Name, groupNames(columns)),
	}
	if b.opts.Role == roleBackground {
		e.Found = "none: the background lacks this input"
	}
	return source{}, e
}

// groupNames returns the names that an input could have: of columns, and of
// column groups.
func groupNames(columns []Column) []string {
	var names []string
	for _, c := range columns {
		group, _, dotted := strings.Cut(c.Name, ".")
		if dotted && group != "" && !slices.Contains(names, group) {
			names = append(names, group)
		}
		names = append(names, c.Name)
	}
	return names
}

// offered names what a file has, column groups as one.
func offered(columns []Column) []string {
	size := map[string]int{}
	for _, c := range columns {
		group, _, _ := strings.Cut(c.Name, ".")
		size[group]++
	}
	var names []string
	for _, c := range columns {
		group, _, dotted := strings.Cut(c.Name, ".")
		switch {
		case !dotted || size[group] == 1:
			if strings.ContainsAny(c.Name, ", ") { // it would read as two
				c.Name = quote(c.Name)
			}
			names = append(names, c.Name)
		case size[group] > 0:
			names = append(names, group+".* ("+plural(size[group], "column")+")")
			size[group] = 0
		}
	}
	return names
}

// own returns the position of a column with a meaning of its own, as a source
// without positions if there is none or an input has that name.
func (b *binder) own(name string) source {
	for i, c := range b.file.Columns() {
		if c.Name == name && !slices.Contains(b.s.reads, i) {
			return source{at: []int{b.read(i)}}
		}
	}
	return source{}
}

// openGaps takes input columns in which values are missing, if the attributes say
// that modalities may be.
func (b *binder) openGaps() {
	file, ok := b.file.(gapped)
	if ok && slices.ContainsFunc(b.opts.Attributes, func(a Attribute) bool { return a.availability }) {
		b.s.view = file.withGaps(b.s.reads)
	}
}

// readAsText gives text inputs the cells of a CSV file as they stand.
func (b *binder) readAsText(inputs []tensor.Spec) {
	file, ok := b.s.view.(textual)
	if !ok {
		return
	}
	var columns []int
	for i, spec := range inputs {
		if spec.DType == tensor.String {
			for _, at := range b.s.sources[i].at {
				columns = append(columns, b.s.reads[at])
			}
		}
	}
	if columns != nil {
		b.s.view = file.withText(columns)
	}
}

// checkRows refuses columns of different length and files without rows.
func (b *binder) checkRows(labels source) error {
	sources := append(slices.Clone(b.s.sources), b.s.ids, labels)
	var first *Column
	for _, src := range sources {
		for _, c := range b.columns(src) {
			switch {
			case c.DType == 0: // what its own Refused says comes later
			case first == nil:
				first = &c
			case c.Rows != first.Rows:
				return unequalRows(b.file.Path(), *first, c)
			}
		}
	}
	if first == nil {
		return nil // resolve refuses the inputs
	}
	b.s.rows = first.Rows
	if first.Rows == 0 {
		return &Error{File: b.file.Path(), Row: NoRow, Expected: "at least one row", Found: "none"}
	}
	return nil
}

// resolve holds a spec against the columns found for it, and returns it with
// the axes of the data.
func (b *binder) resolve(spec tensor.Spec, src source) (tensor.Spec, error) {
	columns := b.columns(src)
	if spec.DType == 0 {
		spec.DType = commonType(columns)
	}
	for i, c := range columns {
		if err := b.usable(c, b.s.reads[src.at[i]], spec.DType); err != nil {
			return spec, err
		}
	}
	have, flat := columns[0].Shape, columns[0].Flat
	if src.features != nil {
		for _, c := range columns {
			if c.RowLen() != 1 {
				return spec, &Error{
					File: b.file.Path(), Row: NoRow, Column: c.Name, Expected: "one value a row, as a part of input " + quote(spec.Name),
					Found: plural(c.RowLen(), "element"), Hint: "an array is an input of its own: name it like one, without a dot",
				}
			}
		}
		have, flat = []int{len(columns)}, true
	}
	dims, ok := fitAxes(spec.Shape, have, flat)
	if !ok {
		e := &Error{
			File: b.file.Path(), Row: NoRow, Column: columns[0].Name,
			Expected: formatRow(spec.Shape[1:]) + " for the model's input " + quote(spec.Name),
			Found:    formatRow(have),
		}
		if src.features != nil {
			e.Column = spec.Name
			e.Found += " from " + plural(len(columns), "column") + " " + quote(spec.Name+".*")
		}
		if b.settled(spec.Name, have, flat) {
			e.Expected = formatRow(spec.Shape[1:]) + " as " + b.opts.Data.file.Path() + " has"
			e.Hint = b.unequalHint()
		} else if _, short := padAxes(spec.Shape, have, 0); short && len(columns) > 0 && columns[0].isList() {
			e.Hint = padHint(columns[0])
		}
		return spec, e
	}
	spec.Shape = append([]int{-1}, dims...)
	return spec, nil
}

// settled reports whether it is the data, and not the model, that want another shape
// of an input than a row of shape have.
func (b *binder) settled(input string, have []int, flat bool) bool {
	if b.opts.Data == nil {
		return false
	}
	i := slices.IndexFunc(b.opts.Data.asked, func(in tensor.Spec) bool { return in.Name == input })
	if i < 0 {
		return false
	}
	_, ok := fitAxes(b.opts.Data.asked[i].Shape, have, flat)
	return ok
}

// unequalHint is the remedy for rows whose length differs between data and background:
// all inputs that are lists and whose length the model leaves open must be padded.
func (b *binder) unequalHint() string {
	var pads []string
	for i, in := range b.opts.Data.asked {
		src := b.s.sources[i]
		if c := b.columns(src)[0]; src.features == nil && c.isList() && statedLength(in.Shape) < 0 && b.padding(in.Name) == nil {
			value := "0"
			if c.DType == tensor.String {
				value = "TEXT"
			}
			pads = append(pads, "--pad "+shellWord(in.Name+"="+value))
		}
	}
	if pads == nil {
		return "the model takes any length, but all rows that it is shown must have one: write data and background with the same"
	}
	return "lists differ in length between data and background; fill short ones up: " + strings.Join(pads, " ")
}

// usable refuses a column that cannot be read as the wanted type whatever its
// values; the values are seen when rows are read.
func (b *binder) usable(c Column, column int, want tensor.DType) error {
	file, isText := b.s.view.(textual)
	if isText && want != tensor.String && c.DType == tensor.String {
		if e := file.firstText(column, want); e != nil {
			return e
		}
	}
	if c.Refused != nil {
		return c.Refused
	}
	if (c.DType == tensor.String) != (want == tensor.String) {
		return &Error{
			File: b.file.Path(), Row: NoRow, Column: c.Name, Expected: want.String(), Found: c.DType.String(),
			Hint: "text and numbers are never converted into each other: write the column in the type that the model takes",
		}
	}
	return nil
}

func formatRow(dims []int) string { return tensor.FormatShape(append([]int{-1}, dims...)) }

// fitAxes returns the shape of one row as the model gets it. Shape includes
// axis 0; -1 takes any length.
func fitAxes(shape, have []int, flat bool) (dims []int, ok bool) {
	if len(shape) == 0 {
		return have, true
	}
	want := shape[1:]
	if sameAxes(want, have) {
		return have, true
	}
	// [N] and [N,1] say the same.
	one := []int{1}
	if len(want) == 0 && slices.Equal(have, one) {
		return nil, true
	}
	if len(have) == 0 && len(want) == 1 && sameAxes(want, one) {
		return one, true
	}
	if !flat {
		return nil, false
	}
	elements, known, free := 1, 1, 0
	for _, d := range have {
		elements *= d
	}
	for _, d := range want {
		if d < 0 {
			free++
			continue
		}
		if d == 0 || known > elements/d {
			return nil, false
		}
		known *= d
	}
	if elements%known != 0 || free > 1 || (free == 0 && known != elements) {
		return nil, false
	}
	dims = slices.Clone(want)
	for i, d := range dims {
		if d < 0 {
			dims[i] = elements / known
		}
	}
	return dims, true
}

// sameAxes reports whether have is what want says, axis by axis.
func sameAxes(want, have []int) bool {
	return slices.EqualFunc(want, have, func(w, h int) bool { return w < 0 || w == h })
}

func (b *binder) bindIDs() error {
	b.s.ids = b.own(idColumn)
	for _, c := range b.columns(b.s.ids) {
		if c.Refused != nil {
			return c.Refused
		}
		if c.RowLen() != 1 {
			return &Error{File: b.file.Path(), Row: NoRow, Column: c.Name, Expected: "one id a row", Found: formatRow(c.Shape)}
		}
	}
	return nil
}

// bindLabels takes the labels if they can be classes. They are never needed,
// so labels that cannot be are left out with a warning.
func (b *binder) bindLabels(ctx context.Context, labels source) error {
	if len(labels.at) == 0 {
		return nil
	}
	c := b.columns(labels)[0]
	column := b.s.reads[labels.at[0]]
	reason, fix := "", "write one class a row, a whole number or a name, if labels are wanted"
	switch {
	case c.Refused != nil:
		reason = c.Refused.Error()
	case c.RowLen() != 1:
		reason = "it has the shape " + formatRow(c.Shape)
	case c.DType.IsFloat():
		row, value, err := b.firstFraction(ctx, column)
		if err != nil {
			return err
		}
		if value != "" {
			reason = "it is " + value + " in row " + itoa(row)
		}
	}
	if reason != "" {
		b.s.warnings.Add("ignored-label", b.file.Path(), "the column %q holds no classes (%s) and is ignored; %s", c.Name, reason, fix)
		b.s.reads = slices.DeleteFunc(b.s.reads, func(i int) bool { return i == column })
		return nil
	}
	b.s.labels = labels
	b.s.labelType = tensor.Int64
	if c.DType == tensor.String {
		b.s.labelType = tensor.String
	}
	return nil
}

// firstFraction returns the first label that is no whole number, "" if all
// are. It reads one column once.
func (b *binder) firstFraction(ctx context.Context, column int) (row int, value string, err error) {
	c := b.s.view.Columns()[column]
	step := chunkRows([]Column{c})
	for lo := 0; lo < c.Rows; lo += step {
		part, err := b.s.view.Read(ctx, lo, min(lo+step, c.Rows), []int{column})
		if err != nil {
			return 0, "", err
		}
		values := make([]float64, part[0].Len())
		part[0].Float64s(values)
		for i, v := range values {
			if v != float64(int64(v)) {
				return lo + i, part[0].Format(i), nil
			}
		}
	}
	return 0, "", nil
}

// warnIgnored lists in one warning what nothing uses.
func (b *binder) warnIgnored(labels source) {
	var names []string
	for i, c := range b.file.Columns() {
		used := slices.Contains(b.s.reads, i)
		isLabel := len(labels.at) > 0 && c.Name == labelColumn // ignored labels have a warning of their own
		if !used && !isLabel && !slices.Contains(b.opts.Known, c.Name) {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return
	}
	belong, them, they := "belong", "them", "they"
	if len(names) == 1 {
		belong, them, they = "belongs", "it", "it"
	}
	b.s.warnings.Add("ignored-column", b.file.Path(),
		"%s of the file %s to no input of the model: %s; rename %s to input or input.feature if %s should",
		plural(len(names), "column"), belong, list(names), them, they)
}

// Warnings returns what is doubtful about the binding: columns that nothing
// uses ("ignored-column"), labels that are no classes ("ignored-label").
func (s *Samples) Warnings() []diag.Warning { return s.warnings.All() }
