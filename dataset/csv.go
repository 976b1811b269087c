package dataset

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/intershap/intershap/tensor"
)

const (
	// csvStride is how many rows lie between two marks of a small file.
	csvStride = 512
	// maxCSVMarks bounds the index: when it is full, every second mark goes
	// and the stride doubles, so that memory does not grow with the rows.
	maxCSVMarks = 8192
	// maxCSVRecord bounds one record. A quote that is never closed would
	// otherwise read the rest of the file as one cell.
	maxCSVRecord = 64 << 20
)

var errCSVRecord = errors.New("a record longer than 64 MiB: is a quote never closed?")

// csvMark is a place where reading may start: the byte offset and the line
// number at which a row, or blank lines before it, begins.
type csvMark struct {
	offset int64
	line   int
}

// csvSource is the open file with its index: what all views of it share.
type csvSource struct {
	path   string
	handle *os.File
	size   int64
	rows   int
	fields int
	stride int
	marks  []csvMark // row i*stride starts at marks[i]
	scans  []columnScan

	mu sync.Mutex
	// idle is where the last Read stopped, so that reading on costs no search.
	idle *csvCursor
}

// csvFile is a view of a source: columns with the types that they are read as.
type csvFile struct {
	*csvSource
	columns []Column
}

// openCSV scans the file once: rows, field counts, types, missing cells and
// the index of byte offsets.
func openCSV(ctx context.Context, path string) (File, error) {
	handle, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	s := &csvSource{path: path, handle: handle, stride: csvStride}
	columns, err := s.scan(ctx)
	if err != nil {
		handle.Close()
		return nil, err
	}
	return &csvFile{csvSource: s, columns: columns}, nil
}

func (s *csvSource) scan(ctx context.Context) ([]Column, error) {
	info, err := s.handle.Stat()
	if err != nil {
		return nil, cannotOpen(s.path, err)
	}
	s.size = info.Size()
	start, err := s.textStart()
	if err != nil {
		return nil, err
	}
	c := s.cursor(csvMark{offset: start, line: 1}, 0)
	header, err := c.record()
	if errors.Is(err, io.EOF) {
		return nil, &Error{File: s.path, Row: NoRow, Expected: "a header line with column names", Found: "an empty file"}
	}
	if err != nil {
		return nil, err
	}
	s.fields = len(header)
	s.scans = make([]columnScan, s.fields)
	columns := make([]Column, s.fields)
	for i, name := range header {
		columns[i] = Column{Name: strings.TrimSpace(name), Flat: true}
	}
	if err := checkNames(s.path, columns); err != nil {
		return nil, err
	}
	if err := s.checkUTF8(header, columns, NoRow, c); err != nil {
		return nil, err
	}
	for {
		if s.rows%s.stride == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			s.mark(c.next)
		}
		cells, err := c.record()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := s.checkUTF8(cells, columns, s.rows, c); err != nil {
			return nil, err
		}
		for i, cell := range cells {
			s.scans[i].add(cell, s.rows, c, i)
		}
		s.rows++
	}
	for i := range columns {
		columns[i].Rows = s.rows
		columns[i].DType = s.scans[i].dtype()
		columns[i].textBytes = s.scans[i].meanBytes(s.rows)
		if m := s.scans[i].firstMissing(); m.found {
			columns[i].Refused = missing(s.path, m.row, m.line, columns[i].Name, m.describe())
		}
	}
	return columns, nil
}

// textStart skips a UTF-8 byte order mark and refuses UTF-16.
func (s *csvSource) textStart() (int64, error) {
	bom := make([]byte, 3)
	n, err := s.handle.ReadAt(bom, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, broken(s.path, "", err)
	}
	switch bom = bom[:n]; {
	case bytes.HasPrefix(bom, []byte{0xEF, 0xBB, 0xBF}):
		return 3, nil
	case bytes.HasPrefix(bom, []byte{0xFF, 0xFE}), bytes.HasPrefix(bom, []byte{0xFE, 0xFF}):
		return 0, &Error{File: s.path, Row: NoRow, Expected: "UTF-8 text", Found: "UTF-16", Hint: "save the file as CSV UTF-8"}
	}
	return 0, nil
}

// checkUTF8 refuses cells in another encoding, also in columns that nothing
// uses: the encoding is one of the whole file, and a name or a word misread in
// silence would be found nowhere.
func (s *csvSource) checkUTF8(cells []string, columns []Column, row int, c *csvCursor) error {
	for i, cell := range cells {
		if utf8.ValidString(cell) {
			continue
		}
		at := 0
		for at < len(cell) {
			r, size := utf8.DecodeRuneInString(cell[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		return &Error{
			File: s.path, Row: row, Line: c.lineOfField(i) + strings.Count(cell[:at], "\n"), Column: strings.ToValidUTF8(columns[i].Name, "\uFFFD"),
			Expected: "UTF-8 text", Found: fmt.Sprintf("the byte 0x%02X", cell[at]),
			Hint: "convert the file to UTF-8; from Latin-1: iconv -f latin1 -t utf8 OLD.csv > NEW.csv",
		}
	}
	return nil
}

// mark adds the place of row s.rows to the index.
func (s *csvSource) mark(m csvMark) {
	if len(s.marks) == maxCSVMarks {
		for i := range maxCSVMarks / 2 {
			s.marks[i] = s.marks[2*i]
		}
		s.marks = s.marks[:maxCSVMarks/2]
		s.stride *= 2
	}
	s.marks = append(s.marks, m)
}

func (f *csvFile) Path() string      { return f.path }
func (f *csvFile) Columns() []Column { return f.columns }
func (f *csvFile) Len() int          { return f.rows }
func (f *csvFile) Close() error      { return f.handle.Close() }

// withText returns a view in which the given columns are text as it stands in
// the file. A CSV cell has no type of its own, so "007" is text where the
// model wants text.
func (f *csvFile) withText(columns []int) File {
	view := &csvFile{csvSource: f.csvSource, columns: append([]Column(nil), f.columns...)}
	for _, c := range columns {
		view.columns[c].DType = tensor.String
	}
	return view
}

// firstText returns the fault of the first cell that keeps a column from being
// numeric.
func (f *csvFile) firstText(column int, want tensor.DType) *Error {
	return f.textFault(column, want, f.scans[column].firstText())
}

// textFault is the fault of a cell that is no number, nil if none was found.
func (f *csvFile) textFault(column int, want tensor.DType, p cellPlace) *Error {
	if !p.found {
		return nil
	}
	e := &Error{
		File: f.path, Row: p.row, Line: p.line, Column: f.columns[column].Name,
		Expected: want.String(), Found: quote(p.text),
		Hint: "every cell of a numeric column must be a number; " + missingHint,
	}
	if f.scans[column].tooLarge.found {
		e.Found += ": too large an integer for int64"
		e.Hint = "write the column as floating-point numbers (1e20) if these are quantities"
	}
	return e
}

// lineOf returns the line on which a row starts, 0 if it cannot be told.
func (f *csvFile) lineOf(row int) int {
	c := f.cursorTo(row)
	for c.row <= row {
		if _, err := c.record(); err != nil {
			return 0
		}
	}
	return c.lineOfField(0)
}

func (f *csvFile) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	return f.read(ctx, lo, hi, columns, nil)
}

// read is Read with cells that are not there: gap, if any, tells them by the place
// in columns and the row from lo on, and they stay 0.
func (f *csvFile) read(ctx context.Context, lo, hi int, columns []int, gap func(i, row int, cell string) bool) ([]tensor.Tensor, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, err
	}
	out := make([]tensor.Tensor, len(columns))
	for i, c := range columns {
		out[i] = tensor.New(f.columns[c].DType, hi-lo)
	}
	c := f.take(lo)
	for c.row < hi {
		row := c.row
		if (row-lo)%csvStride == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		cells, err := c.record()
		if errors.Is(err, io.EOF) {
			return nil, &Error{
				File: f.path, Row: NoRow, Expected: plural(f.rows, "row"), Found: plural(row, "row"),
				Hint: "the file changed while it was read: run again when it is complete",
			}
		}
		if err != nil {
			return nil, err
		}
		if row < lo {
			continue
		}
		for i, col := range columns {
			if gap != nil && gap(i, row-lo, cells[col]) {
				continue
			}
			if reason := parseCell(out[i], row-lo, cells[col]); reason != "" {
				return nil, &Error{
					File: f.path, Row: row, Line: c.lineOfField(col), Column: f.columns[col].Name,
					Expected: f.columns[col].DType.String(), Found: quote(cells[col]) + reason,
				}
			}
		}
	}
	f.giveBack(c)
	return out, nil
}

// parseCell writes a cell into element i and returns why it cannot, as the end
// of a message, or "".
func parseCell(out tensor.Tensor, i int, cell string) string {
	const changed = ": the file changed since it was opened"
	switch out.DType() {
	case tensor.Int64:
		v, err := strconv.ParseInt(strings.TrimSpace(cell), 10, 64)
		if err != nil {
			return changed
		}
		tensor.Values[int64](out)[i] = v
	case tensor.Float64:
		v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
		if errors.Is(err, strconv.ErrRange) {
			return ": out of range"
		} else if err != nil {
			return changed
		}
		tensor.Values[float64](out)[i] = v
	case tensor.Bool:
		tensor.Values[bool](out)[i] = strings.EqualFold(strings.TrimSpace(cell), "true")
	default:
		// The record's memory is one string for all its cells: without a copy
		// one short text would keep the whole row alive.
		tensor.Values[string](out)[i] = strings.Clone(cell)
	}
	return ""
}

// take returns a cursor at or before row, the idle one if that is nearest.
func (s *csvSource) take(row int) *csvCursor {
	s.mu.Lock()
	c := s.idle
	if c != nil && c.row <= row && c.row >= row/s.stride*s.stride {
		s.idle = nil
		s.mu.Unlock()
		return c
	}
	s.mu.Unlock()
	return s.cursorTo(row)
}

func (s *csvSource) giveBack(c *csvCursor) {
	s.mu.Lock()
	s.idle = c
	s.mu.Unlock()
}

// cursorTo returns a new cursor at the last mark before row.
func (s *csvSource) cursorTo(row int) *csvCursor {
	i := min(row/s.stride, len(s.marks)-1)
	return s.cursor(s.marks[i], i*s.stride)
}

func (s *csvSource) cursor(at csvMark, row int) *csvCursor {
	c := &csvCursor{path: s.path, start: at, row: row, fields: s.fields}
	c.in = &recordLimit{r: io.NewSectionReader(s.handle, at.offset, s.size-at.offset)}
	c.csv = csv.NewReader(c.in)
	c.csv.ReuseRecord = true
	c.csv.FieldsPerRecord = -1 // record counts them, to say both numbers
	c.next = at
	return c
}

// csvCursor reads records one after the other.
type csvCursor struct {
	path   string
	in     *recordLimit
	csv    *csv.Reader
	start  csvMark
	next   csvMark // where the next record starts
	row    int     // the row that record reads next; the header does not count
	fields int     // 0 before the header is known
}

// record reads the next record; its cells are valid until the next call.
func (c *csvCursor) record() ([]string, error) {
	c.in.limit = c.csv.InputOffset() + maxCSVRecord
	cells, err := c.csv.Read()
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, &Error{
			File: c.path, Row: NoRow, Line: c.start.line + parse.Line - 1, Found: parse.Err.Error(), Err: err,
			Hint: `quote a cell that holds quotes, commas or line breaks, and double the quotes in it: "a ""b"""`,
		}
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, broken(c.path, "", err)
	}
	last := len(cells) - 1
	c.next = csvMark{
		offset: c.start.offset + c.csv.InputOffset(),
		line:   c.lineOfField(last) + strings.Count(cells[last], "\n") + 1,
	}
	if c.fields == 0 { // the header
		c.fields = len(cells)
		return append([]string(nil), cells...), nil
	}
	if len(cells) != c.fields {
		return nil, &Error{
			File: c.path, Row: c.row, Line: c.lineOfField(0), Expected: plural(c.fields, "field") + " as in the header",
			Found: itoa(len(cells)), Hint: "quote a cell that holds commas; write decimal points, not decimal commas",
		}
	}
	c.row++
	return cells, nil
}

// lineOfField returns the line of a field of the last record.
func (c *csvCursor) lineOfField(i int) int {
	line, _ := c.csv.FieldPos(i)
	return c.start.line + line - 1
}

// recordLimit is a reader that stops before one record fills the memory.
type recordLimit struct {
	r     io.Reader
	read  int64
	limit int64
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.read > l.limit {
		return 0, errCSVRecord
	}
	n, err := l.r.Read(p)
	l.read += int64(n)
	return n, err
}
