package dataset

import (
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// cellPlace remembers the first cell of a kind.
type cellPlace struct {
	found     bool
	row, line int
	text      string
}

func (p *cellPlace) note(cell string, row int, c *csvCursor, field int) {
	if !p.found {
		*p = cellPlace{found: true, row: row, line: c.lineOfField(field), text: strings.Clone(cell)}
	}
}

// describe names a missing cell.
func (p cellPlace) describe() string {
	if strings.TrimSpace(p.text) == "" {
		return "an empty cell"
	}
	return quote(p.text)
}

// cellKind is what a cell looks like.
type cellKind uint8

const (
	cellEmpty cellKind = iota
	cellInteger
	cellTooLarge // an integer that no int64 holds
	cellNumber
	cellBool
	cellAbsent // a word for "no value"
	cellText
)

// columnScan gathers what the cells of one column look like.
type columnScan struct {
	seen [cellText + 1]bool
	// The first cell of the kinds that an error may have to name.
	empty, absent, tooLarge, flag, text cellPlace
	// bytes is the length of all cells together.
	bytes int64
}

func (s *columnScan) add(cell string, row int, c *csvCursor, field int) {
	kind := kindOf(cell)
	s.seen[kind] = true
	s.bytes += int64(len(cell))
	switch kind {
	case cellEmpty:
		s.empty.note(cell, row, c, field)
	case cellAbsent:
		s.absent.note(cell, row, c, field)
	case cellTooLarge:
		s.tooLarge.note(cell, row, c, field)
	case cellBool:
		s.flag.note(cell, row, c, field)
	case cellText:
		s.text.note(cell, row, c, field)
	}
}

// meanBytes returns the mean length of a cell, rounded up.
func (s *columnScan) meanBytes(rows int) int {
	if rows == 0 {
		return 0
	}
	return int((s.bytes + int64(rows) - 1) / int64(rows))
}

func (s *columnScan) numeric() bool {
	return s.seen[cellInteger] || s.seen[cellTooLarge] || s.seen[cellNumber]
}

// dtype returns the narrowest type that holds every cell that is not missing.
func (s *columnScan) dtype() tensor.DType {
	switch {
	case s.seen[cellText], s.numeric() && s.seen[cellBool]:
		return tensor.String
	case s.seen[cellNumber]:
		return tensor.Float64
	case s.seen[cellTooLarge]:
		// As floats, ids of 20 digits would collide in silence.
		return tensor.String
	case s.seen[cellInteger]:
		return tensor.Int64
	case s.seen[cellBool]:
		return tensor.Bool
	default:
		return tensor.String
	}
}

// isMissing reports whether a cell of the column holds no value, by the rule of
// firstMissing.
func (s *columnScan) isMissing(cell string) bool {
	text := strings.TrimSpace(cell)
	return text == "" || (!s.seen[cellText] && saysNothing(text))
}

// saysNothing reports whether a text is a word for "no value".
func saysNothing(text string) bool {
	const longest = len("null")
	if len(text) > longest {
		return false
	}
	switch strings.ToLower(text) {
	case "na", "nan", "-nan", "null", "none":
		return true
	}
	return false
}

// void reports whether no cell of the column holds a value.
func (s *columnScan) void() bool {
	return !s.numeric() && !s.seen[cellBool] && !s.seen[cellText]
}

// firstMissing returns the first cell without a value. A word such as NA is
// one only where all else is numbers or all else is true and false: in a
// column of text it may be a word.
func (s *columnScan) firstMissing() cellPlace {
	if s.absent.found && !s.seen[cellText] && (!s.empty.found || s.absent.row < s.empty.row) {
		return s.absent
	}
	return s.empty
}

// firstText returns the first cell that is not a number, for a column of type
// String.
func (s *columnScan) firstText() cellPlace {
	return s.firstWord(s.absent)
}

// firstWord is firstText where words for "no value" are gaps.
func (s *columnScan) firstWord(others ...cellPlace) cellPlace {
	first := cellPlace{}
	for _, p := range append(others, s.text, s.flag, s.tooLarge) {
		if p.found && (!first.found || p.row < first.row) {
			first = p
		}
	}
	return first
}

func kindOf(cell string) cellKind {
	s := strings.TrimSpace(cell)
	if s == "" {
		return cellEmpty
	}
	switch numberSyntax(s) {
	case cellInteger:
		if _, err := strconv.ParseInt(s, 10, 64); err != nil {
			return cellTooLarge
		}
		return cellInteger
	case cellNumber:
		return cellNumber
	}
	if saysNothing(s) {
		return cellAbsent
	}
	switch strings.ToLower(s) {
	case "true", "false":
		return cellBool
	case "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity":
		// A number, though no model can take it: reading refuses it by row.
		return cellNumber
	}
	return cellText
}

// numberSyntax reports whether s is written as an integer or as a decimal
// number; it returns cellText for all else, hexadecimal and 1_000 included,
// which strconv would take.
func numberSyntax(s string) cellKind {
	i := 0
	if s[0] == '+' || s[0] == '-' {
		i++
	}
	digits := func() int {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i - from
	}
	mantissa, kind := digits(), cellInteger
	if i < len(s) && s[i] == '.' {
		i++
		kind = cellNumber
		mantissa += digits()
	}
	if mantissa == 0 {
		return cellText
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		kind = cellNumber
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if digits() == 0 {
			return cellText
		}
	}
	if i < len(s) {
		return cellText
	}
	return kind
}
