package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// NoRow is the Row of an [Error] that is about no single row.
const NoRow = -1

// Error says what is wrong with a data file, where, and what would be right.
type Error struct {
	// File is the path as the user gave it.
	File string
	// Row counts from 0; it is NoRow when the fault is about no single row.
	Row int
	// Line is the line of a CSV file, counted from 1; 0 in other formats.
	Line int
	// Column is the name of the column or array, empty if it is about none.
	Column string
	// Found is what the file has.
	Found string
	// Expected is what it should have; it may be empty when Found says all.
	Expected string
	// Hint is the remedy, a sentence for a line of its own; it may be empty.
	Hint string
	// Err is the error below this one, if any.
	Err error
}

// Error returns one line: place, what is wanted, what is there. The hint is
// not part of it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("dataset: ")
	b.WriteString(e.place())
	if e.Column != "" {
		fmt.Fprintf(&b, ": column %q", e.Column)
	}
	b.WriteString(": ")
	if e.Expected != "" {
		fmt.Fprintf(&b, "want %s, got ", e.Expected)
	}
	b.WriteString(e.Found)
	return b.String()
}

// place names the file, and the line or row in it.
func (e *Error) place() string {
	switch {
	case e.Line > 0:
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	case e.Row >= 0:
		return fmt.Sprintf("%s: row %d", e.File, e.Row)
	}
	return e.File
}

// Unwrap returns the error below e.
func (e *Error) Unwrap() error { return e.Err }

// missingHint is the remedy for every missing value.
const missingHint = "missing values have no meaning for a model: impute them, or remove the rows"

// missing is the fault of a cell that holds nothing.
func missing(file string, row, line int, column, found string) *Error {
	return &Error{File: file, Row: row, Line: line, Column: column, Expected: "a value", Found: found + " (missing)", Hint: missingHint}
}

// broken wraps what a decoder says of a file that it cannot read.
func broken(file, column string, err error) *Error {
	return &Error{
		File: file, Row: NoRow, Column: column, Found: "cannot be read: " + err.Error(), Err: err,
		Hint: "the file is damaged or incomplete: write or copy it again",
	}
}

// cannotOpen is the fault of a path that the system refuses.
func cannotOpen(path string, err error) *Error {
	e := &Error{File: path, Row: NoRow, Found: "cannot be opened: " + err.Error(), Err: err}
	// The system's own text repeats the path.
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		e.Found = "cannot be opened: " + pathErr.Err.Error()
	}
	return e
}

// misfit is the fault of a value that cannot become the wanted type.
func misfit(file string, row int, c Column, err error) *Error {
	var cast *tensor.CastError
	if !errors.As(err, &cast) {
		return &Error{File: file, Row: row, Column: c.Name, Found: err.Error(), Err: err}
	}
	return &Error{
		File: file, Row: row + cast.Row, Column: c.Name, Expected: cast.To.String(),
		Found: cast.Value + atElement(c, cast.Element) + ": " + cast.Reason, Err: err,
	}
}

// notFinite is the fault of a NaN or an infinity.
func notFinite(file string, row int, c Column, t tensor.Tensor, r, element int) *Error {
	return &Error{
		File: file, Row: row + r, Column: c.Name, Expected: "a finite number",
		Found: t.Format(r*t.RowLen()+element) + atElement(c, element), Hint: missingHint,
	}
}

// atElement says where in a row of several elements a fault is.
func atElement(c Column, element int) string {
	if c.RowLen() == 1 {
		return ""
	}
	return " at element " + itoa(element)
}

func itoa(n int) string     { return strconv.Itoa(n) }
func quote(s string) string { return strconv.Quote(s) }

// plural writes "1 row", "2 rows".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}

// maxListed is how many names a message lists before it counts the rest.
const maxListed = 10

// list writes names for a message: "a, b and 3 more".
func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:maxListed], ", ") + " and " + itoa(len(names)-maxListed) + " more"
}
