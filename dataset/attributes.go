package dataset

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// Attribute is a column that is read beside the inputs of a model: a group, a
// weight, a cluster. It has one value a row, and no row may miss it.
type Attribute struct {
	// Name is the name of the column.
	Name string
	// Optional says that a file without the column is no error.
	Optional bool
	// Hint is added to the remedy where a file lacks the column; it may be empty.
	Hint string

	// availability marks what MissingColumns made: Bind then leaves missing
	// values of inputs to MayLack and to reading, which know the modalities.
	availability bool
}

// attribute is one of them in a file.
type attribute struct {
	name  string
	at    int          // its position in Samples.reads, -1 if the file lacks it
	dtype tensor.DType // what it is read as
	hint  string       // the remedy for a row without a value
}

const attributeHint = "a sample without a value has no place in the result: fill it in, or remove the row"

// attributeType returns what a column is read as beside the inputs: numbers as
// numbers, true and false as these words.
func attributeType(d tensor.DType) tensor.DType {
	switch {
	case d.IsInteger():
		return tensor.Int64
	case d.IsFloat():
		return tensor.Float64
	default:
		return tensor.String
	}
}

// bindAttributes looks up the columns that are read beside the inputs.
func (b *binder) bindAttributes() error {
	columns := b.file.Columns()
	for _, wanted := range b.opts.Attributes {
		a := attribute{name: wanted.Name, at: -1, hint: attributeHint}
		if wanted.availability {
			a.hint = availabilityHint
		}
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == wanted.Name })
		if i < 0 {
			if !wanted.Optional {
				hint := "the file has " + list(offered(columns))
				if wanted.Hint != "" {
					hint += "; " + wanted.Hint
				}
				hint += didYouMean(wanted.Name, columnNames(columns))
				return &Error{File: b.file.Path(), Row: NoRow, Column: wanted.Name, Expected: "a column of this name", Found: "none", Hint: hint}
			}
			b.s.attributes = append(b.s.attributes, a)
			continue
		}
		c := columns[i]
		if c.Refused != nil {
			refused := *c.Refused
			if refused.Hint == missingHint {
				refused.Hint = a.hint
			}
			return &refused
		}
		if c.RowLen() != 1 {
			return &Error{File: b.file.Path(), Row: NoRow, Column: c.Name, Expected: "one value a row", Found: formatRow(c.Shape)}
		}
		if c.Rows != b.s.rows {
			inputs := b.columns(b.s.sources[0])
			return unequalRows(b.file.Path(), inputs[0], c)
		}
		a.at = b.read(i)
		a.dtype = attributeType(b.s.view.Columns()[i].DType)
		b.s.attributes = append(b.s.attributes, a)
	}
	return nil
}

func columnNames(columns []Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// ReadAttributes returns the attributes of rows [lo, hi) as Read does, and
// leaves the inputs unread.
func (s *Samples) ReadAttributes(ctx context.Context, lo, hi int) ([]tensor.Tensor, error) {
	var at []int
	for _, a := range s.attributes {
		if a.at >= 0 {
			at = append(at, a.at)
		}
	}
	parts, err := s.readParts(ctx, lo, hi, at)
	if err != nil {
		return nil, s.advise(ctx, err)
	}
	out, err := s.castAttributes(parts, lo)
	return out, s.locate(err)
}

// castAttributes returns the attributes of rows from lo on.
func (s *Samples) castAttributes(parts []cells, lo int) ([]tensor.Tensor, error) {
	if s.attributes == nil {
		return nil, nil
	}
	out := make([]tensor.Tensor, len(s.attributes))
	for i, a := range s.attributes {
		if a.at < 0 {
			continue
		}
		t, fault := s.castAttribute(a, parts[a.at], lo)
		if fault != nil {
			return nil, fault
		}
		out[i] = t.Reshape(t.Len())
	}
	return out, nil
}

func (s *Samples) castAttribute(a attribute, c cells, lo int) (tensor.Tensor, error) {
	if fault := s.firstGap(c, a.at, lo); fault != nil {
		fault.Hint = a.hint
		return tensor.Tensor{}, fault
	}
	column := s.columns[a.at]
	if r, element, found := c.NonFinite(); found {
		fault := notFinite(s.file.Path(), lo, column, c.Tensor, r, element)
		fault.Hint = a.hint
		return tensor.Tensor{}, fault
	}
	switch {
	case c.DType() == tensor.String:
		for r, text := range tensor.Values[string](c.Tensor) {
			if blank(text) {
				fault := missing(s.file.Path(), lo+r, 0, column.Name, "empty text")
				fault.Hint = a.hint
				return tensor.Tensor{}, fault
			}
		}
		return c.Tensor, s.checkText(c.Tensor, a.at, lo)
	case a.dtype == tensor.String:
		words := make([]string, c.Len())
		for r := range words {
			words[r] = c.Format(r)
		}
		return tensor.Of(words), nil
	}
	if c.DType().IsFloat() && c.DType() != tensor.Float64 {
		return asWritten(c.Tensor), nil
	}
	t, err := tensor.Cast(c.Tensor, a.dtype)
	if err != nil {
		fault := misfit(s.file.Path(), lo, column, err)
		fault.Hint = "write the column as text if its numbers are names"
		return t, fault
	}
	return t, nil
}

// asWritten returns short floats as their shortest digits say: 0.1 and not
// 0.10000000149011612, so that a column is the same in files of text and of numbers.
func asWritten(t tensor.Tensor) tensor.Tensor {
	out := make([]float64, t.Len())
	for i := range out {
		out[i], _ = strconv.ParseFloat(t.Format(i), 64) // what Format writes is a number
	}
	return tensor.Of(out, t.Shape()...)
}

// blank reports whether a text says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }
