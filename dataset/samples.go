package dataset

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/tensor"
)

// Samples are the rows of a file as a model takes them. They are safe for
// concurrent use.
type Samples struct {
	file File
	view File // file, with the columns of text inputs as text
	rows int

	asked   []tensor.Spec // as the model has them
	inputs  []tensor.Spec // with the lengths of the data
	sources []source      // of each input
	ids     source
	labels  source

	attributes []attribute
	// modalities and lacks are what MayLack was told; modalities is nil before.
	modalities []Modality
	lacks      []lack
	presence   *presenceCache

	// lists is the file without padding and pads what was padded of it; nil where no
	// list was.
	lists listFile
	pads  []columnPad

	labelType tensor.DType

	reads    []int    // the columns of view that a Read takes
	columns  []Column // what they are
	warnings diag.List
}

// Rows are some samples: one tensor an input, in the order of Samples.Inputs.
type Rows struct {
	// Lo is the number of the first row; 0 for gathered rows.
	Lo int
	// Inputs have the shape [n, ...] and the type of the model's input.
	Inputs []tensor.Tensor
	// IDs are Int64 or String, of shape [n].
	IDs tensor.Tensor
	// Labels are Int64 or String, of shape [n]; the zero Tensor without labels.
	Labels tensor.Tensor
	// Attributes are Int64, Float64 or String, of shape [n], in the order of
	// BindOptions.Attributes; the zero Tensor for one that the file lacks.
	Attributes []tensor.Tensor
	// Present has bit i set where the sample has modality i; nil unless
	// Samples.MayLack was called.
	Present []uint64
}

// Len returns the number of samples.
func (s *Samples) Len() int { return s.rows }

// File returns the file that the samples come from.
func (s *Samples) File() File { return s.file }

// Inputs returns the model's inputs with the axes of the data: -1 on axis 0,
// lengths elsewhere. The caller must not change them.
func (s *Samples) Inputs() []tensor.Spec { return s.inputs }

// Features returns the full names of the columns ("x.age") that make an input,
// in the order of its elements; nil if it is an array or column of its own.
// Elements that padding adds have the names x.(pad 0), x.(pad 1), ...
func (s *Samples) Features(input int) []string { return s.sources[input].features }

// HasLabels reports whether there are labels.
func (s *Samples) HasLabels() bool { return len(s.labels.at) > 0 }

// LabelDType returns Int64 or String; 0 without labels.
func (s *Samples) LabelDType() tensor.DType { return s.labelType }

// Read returns rows [lo, hi). It refuses what is not finite and what the
// model's types cannot hold. The tensors may share memory with the file: the
// caller must not change them.
func (s *Samples) Read(ctx context.Context, lo, hi int) (Rows, error) {
	rows, err := s.read(ctx, lo, hi)
	if err != nil {
		return Rows{}, s.advise(ctx, s.locate(err))
	}
	return rows, nil
}

func (s *Samples) read(ctx context.Context, lo, hi int) (Rows, error) {
	parts, err := s.readParts(ctx, lo, hi, nil)
	if err != nil {
		return Rows{}, err
	}
	rows := Rows{Lo: lo}
	if rows.Present, err = s.presentOf(parts, lo, hi-lo); err != nil {
		return Rows{}, err
	}
	for i := range s.inputs {
		t, err := s.assemble(i, parts, lo, rows.Present)
		if err != nil {
			return Rows{}, err
		}
		rows.Inputs = append(rows.Inputs, t)
	}
	if rows.IDs, err = s.readIDs(parts, lo, hi); err != nil {
		return Rows{}, err
	}
	if s.HasLabels() {
		if rows.Labels, err = s.castLabels(parts[s.labels.at[0]], lo); err != nil {
			return Rows{}, err
		}
	}
	rows.Attributes, err = s.castAttributes(parts, lo)
	return rows, err
}

// ReadLabels returns the labels of rows [lo, hi) as Read does, and leaves the
// inputs unread; the zero Tensor without labels.
func (s *Samples) ReadLabels(ctx context.Context, lo, hi int) (tensor.Tensor, error) {
	if !s.HasLabels() {
		return tensor.Tensor{}, nil
	}
	at := s.labels.at[0]
	parts, err := s.readParts(ctx, lo, hi, []int{at})
	if err != nil {
		return tensor.Tensor{}, err
	}
	labels, err := s.castLabels(parts[at], lo)
	return labels, s.locate(err)
}

// castLabels returns the column of the labels as a vector of their type.
func (s *Samples) castLabels(column cells, lo int) (tensor.Tensor, error) {
	labels, err := s.cast(column, s.labels.at[0], lo, s.labelType)
	if err != nil {
		return tensor.Tensor{}, err
	}
	return labels.Reshape(labels.Rows()), nil
}

// assemble makes one input of its columns, without what samples lack.
func (s *Samples) assemble(input int, parts []cells, lo int, present []uint64) (tensor.Tensor, error) {
	var (
		spec = s.inputs[input]
		src  = s.sources[input]
		n    = parts[src.at[0]].Rows()
	)
	shape := append([]int{n}, spec.Shape[1:]...)
	if src.features == nil {
		t, err := s.cast(s.blanked(input, 0, parts[src.at[0]], present), src.at[0], lo, spec.DType)
		if err != nil {
			return t, err
		}
		return t.Reshape(shape...), nil
	}
	out := tensor.New(spec.DType, shape...)
	for j, at := range src.at {
		column, err := s.cast(s.blanked(input, j, parts[at], present), at, lo, spec.DType)
		if err != nil {
			return out, err
		}
		for r := range n {
			out.CopyElements(r*len(src.at)+j, column, r, 1)
		}
	}
	return out, nil
}

// cast returns rows of column at from row lo on in the wanted type. What is
// missing or not finite is refused as the file has it, so that the message shows
// the file's own number.
func (s *Samples) cast(from cells, at, lo int, to tensor.DType) (tensor.Tensor, error) {
	t, c := from.Tensor, s.columns[at]
	if fault := s.firstGap(from, at, lo); fault != nil {
		return t, fault
	}
	if r, element, found := t.NonFinite(); found {
		return t, notFinite(s.file.Path(), lo, c, t, r, element)
	}
	if err := s.checkText(t, at, lo); err != nil {
		return t, err
	}
	out, err := tensor.Cast(t, to)
	if err != nil {
		return out, misfit(s.file.Path(), lo, c, err)
	}
	return out, nil
}

// checkText refuses text with the character NUL, rows of column at from row lo
// on: the text would end there in the native code of a model, in silence.
func (s *Samples) checkText(t tensor.Tensor, at, lo int) error {
	if t.DType() != tensor.String {
		return nil
	}
	for i, text := range tensor.Values[string](t) {
		if strings.IndexByte(text, 0) < 0 {
			continue
		}
		c := s.columns[at]
		return &Error{
			File: s.file.Path(), Row: lo + i/t.RowLen(), Column: c.Name, Expected: "text without the character NUL",
			Found: quote(shown(text)) + atElement(c, i%t.RowLen()), Hint: "take the NUL characters out of the text",
		}
	}
	return nil
}

// maxShown is how much of a text a message shows.
const maxShown = 40

// shown cuts a text for a message, behind a whole letter.
func shown(text string) string {
	letters := 0
	for at := range text {
		if letters == maxShown {
			return text[:at] + "..."
		}
		letters++
	}
	return text
}

func (s *Samples) readIDs(parts []cells, lo, hi int) (tensor.Tensor, error) {
	if len(s.ids.at) == 0 {
		numbers := make([]int64, hi-lo)
		for i := range numbers {
			numbers[i] = int64(lo + i)
		}
		return tensor.Of(numbers), nil
	}
	at := s.ids.at[0]
	if fault := s.firstGap(parts[at], at, lo); fault != nil {
		return tensor.Tensor{}, fault
	}
	ids := parts[at].Reshape(hi - lo)
	switch {
	case ids.DType() == tensor.String:
		return ids, s.checkText(ids, at, lo)
	case ids.DType().IsInteger():
		t, err := s.cast(parts[at], at, lo, tensor.Int64)
		if err != nil {
			return t, err
		}
		return t.Reshape(hi - lo), nil
	}
	if r, element, found := ids.NonFinite(); found {
		return tensor.Tensor{}, notFinite(s.file.Path(), lo, s.columns[at], ids, r, element)
	}
	texts := make([]string, hi-lo)
	for i := range texts {
		texts[i] = ids.Format(i)
	}
	return tensor.Of(texts), nil
}

// locate gives a fault found after parsing the place that people can open: the line
// of a CSV file, the file of a folder and the row in it.
func (s *Samples) locate(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Row < 0 {
		return err
	}
	if folder, ok := s.file.(*parquetFolder); ok && e.File == folder.path {
		e.File, e.Row = folder.place(e.Row)
	}
	if file, ok := s.view.(textual); ok && e.Line == 0 {
		e.Line = file.lineOf(e.Row)
	}
	return err
}

// Fault returns the error of a value that the file can hold and its use cannot, such
// as a negative weight. It names the place as the errors of reading do; row is NoRow
// for a fault of the whole column.
func (s *Samples) Fault(row int, column, expected, found, hint string) *Error {
	e := &Error{File: s.file.Path(), Row: row, Column: column, Expected: expected, Found: found, Hint: hint}
	_ = s.locate(e)
	return e
}

// Place names a row as errors do: "data.csv:7", "folder/a.parquet: row 0".
func (s *Samples) Place(row int) string { return s.Fault(row, "", "", "", "").place() }

// maxGap is how many unwanted rows are read on the way to the next wanted one
// rather than starting anew there.
const maxGap = 16

// Gather returns the given rows in the given order; a row may occur more than
// once. It reads them in file order, a bounded chunk at a time.
func (s *Samples) Gather(ctx context.Context, rows []int) (Rows, error) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows[a], rows[b]) })

	out := Rows{}
	step := chunkRows(s.columns)
	for i := 0; i < len(order); {
		lo := rows[order[i]]
		j, last := i+1, lo
		for j < len(order) && rows[order[j]]-last <= maxGap && rows[order[j]]-lo < step {
			last = rows[order[j]]
			j++
		}
		part, err := s.Read(ctx, lo, last+1)
		if err != nil {
			return Rows{}, err
		}
		if i == 0 {
			out = emptyLike(part, len(rows))
		}
		for _, at := range order[i:j] {
			copyRow(out, at, part, rows[at]-lo)
		}
		i = j
	}
	if len(rows) == 0 {
		empty, err := s.Read(ctx, 0, 0)
		empty.Lo = 0
		return empty, err
	}
	return out, nil
}

// emptyLike returns n rows of zeros of the types and shapes of part.
func emptyLike(part Rows, n int) Rows {
	like := func(t tensor.Tensor) tensor.Tensor {
		return tensor.New(t.DType(), append([]int{n}, t.Shape()[1:]...)...)
	}
	var out Rows
	for _, t := range part.Inputs {
		out.Inputs = append(out.Inputs, like(t))
	}
	out.IDs = like(part.IDs)
	if part.Labels.DType() != 0 {
		out.Labels = like(part.Labels)
	}
	for _, t := range part.Attributes {
		if t.DType() != 0 {
			t = like(t)
		}
		out.Attributes = append(out.Attributes, t)
	}
	if part.Present != nil {
		out.Present = make([]uint64, n)
	}
	return out
}

func copyRow(dst Rows, to int, src Rows, from int) {
	for i, t := range src.Inputs {
		dst.Inputs[i].CopyRow(to, t, from, 0, t.RowLen())
	}
	dst.IDs.CopyRow(to, src.IDs, from, 0, 1)
	if src.Labels.DType() != 0 {
		dst.Labels.CopyRow(to, src.Labels, from, 0, 1)
	}
	for i, t := range src.Attributes {
		if t.DType() != 0 {
			dst.Attributes[i].CopyRow(to, t, from, 0, 1)
		}
	}
	if src.Present != nil {
		dst.Present[to] = src.Present[from]
	}
}

// verified is a file that tells damage which reading its rows would not show.
type verified interface {
	File
	verify(ctx context.Context, columns []int) error
}

// Check reads every row once, so that a fault in the last one is found before
// the first model call. It calls progress, which may be nil, after each chunk. It
// keeps who has what for Presence.
func (s *Samples) Check(ctx context.Context, progress func(done, total int)) error {
	if f, ok := s.view.(verified); ok {
		if err := f.verify(ctx, s.reads); err != nil {
			return err
		}
	}
	var presence *Presence
	if s.modalities != nil {
		presence = s.newPresence()
	}
	step := chunkRows(s.columns)
	for lo := 0; lo < s.rows; lo += step {
		hi := min(lo+step, s.rows)
		rows, err := s.Read(ctx, lo, hi)
		if err != nil {
			return err
		}
		if presence != nil {
			presence.set(lo, rows.Present)
		}
		if progress != nil {
			progress(hi, s.rows)
		}
	}
	if presence != nil {
		s.presence.keep(presence)
	}
	return nil
}
