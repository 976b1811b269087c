package result

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/intershap/intershap/score"
)

// maxSamplesLine bounds one line of text: with the most modalities a line of JSON has
// a million values. A quote that is never closed would otherwise read all of the file.
const maxSamplesLine = 64 << 20

var (
	errLongLine = errors.New("want a line of at most 64 MiB, got a longer one: is a quote never closed?")
	errOpenLine = errors.New("want a line that ends, got the end of the file: is the file complete?")
)

func readCSVSamples(source *samplesSource) (*Samples, error) {
	records := newTextLines(source.file)
	fail := func(err error) (*Samples, error) { return nil, fmt.Errorf("line %d: %w", records.line, err) }
	header, err := records.next()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("want a line with the names of columns, got an empty file")
	}
	if err != nil {
		return fail(err)
	}
	layout, err := newSamplesLayout(header)
	if err != nil {
		return fail(err)
	}
	table, err := newSamplesTable(layout)
	if err != nil {
		return fail(err)
	}
	row := samplesLine{cells: make([]float64, len(layout.cells))}
	fields := len(header)
	for {
		cells, err := records.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(cells) != fields {
			err = fmt.Errorf("want %d fields as in the header, got %d: is the file complete?", fields, len(cells))
		}
		if err == nil {
			err = layout.parse(&row, cells)
		}
		if err == nil {
			err = table.add(&row)
		}
		if err != nil {
			return fail(err)
		}
	}
	return table.finish()
}

// parse reads the cells of one row.
func (l *samplesLayout) parse(row *samplesLine, cells []string) (err error) {
	number := func(name, cell string) float64 {
		x, fault := strconv.ParseFloat(cell, 64)
		if fault != nil && err == nil {
			err = fmt.Errorf("%s: want a number, got %q", name, cell)
		}
		return x
	}
	nullable := func(name, cell string) score.Share {
		if cell == "" {
			return score.Share{}
		}
		return score.Defined(number(name, cell))
	}
	row.target = ""
	if l.target >= 0 {
		row.target = cells[l.target]
	}
	row.id = cells[l.id]
	var fault error
	if row.predicted, fault = strconv.ParseInt(cells[l.predicted], 10, strconv.IntSize); fault != nil {
		return fmt.Errorf("%s: want an integer, got %q", columnPredicted, cells[l.predicted])
	}
	row.base = number(columnBase, cells[l.base])
	row.output = number(columnOutput, cells[l.output])
	row.local = nullable(columnInterSHAP, cells[l.local])
	row.se = nullable(columnSE, cells[l.se])
	if l.corrected >= 0 {
		row.corrected = nullable(columnCorrected, cells[l.corrected])
	}
	if l.present >= 0 {
		if row.present, fault = parsePresent(l.modalities, cells[l.present]); fault != nil {
			return fault
		}
	}
	for i, at := range l.cells {
		row.cells[i] = number(columnPhi, cells[at])
	}
	return err
}

// textLines reads RFC 4180. encoding/csv is not used: it makes "\r\n" in an id "\n",
// and takes a last line that does not end, which a truncated file has.
type textLines struct {
	in *bufio.Reader
	// line is that on which the last record begins, counted from 1; below is the next.
	line, below int
	record      []byte
}

func newTextLines(r io.Reader) *textLines {
	in := bufio.NewReaderSize(r, fileBuffer)
	// Spreadsheets put a mark before UTF-8.
	if mark, err := in.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark))
	}
	return &textLines{in: in, below: 1}
}

const byteOrderMark = "\uFEFF"

// next returns the fields of the next record, and io.EOF after the last.
func (r *textLines) next() ([]string, error) {
	r.record, r.line = r.record[:0], r.below
	// A record ends with the line on which all its quotes are closed.
	for open := true; open; {
		err := r.appendLine()
		if err != nil {
			return nil, err
		}
		open = bytes.Count(r.record, []byte{'"'})%2 == 1
	}
	if err := checkUTF8(r.record); err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(bytes.TrimSuffix(r.record, []byte{'\n'}), []byte{'\r'})
	return splitCSV(string(line))
}

// appendLine appends the next line with its end to the record.
func (r *textLines) appendLine() error {
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.record)+len(part) > maxSamplesLine {
			return errLongLine
		}
		r.record = append(r.record, part...)
		switch {
		case err == nil:
			r.below++
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.record) == 0:
			return io.EOF
		case errors.Is(err, io.EOF):
			return errOpenLine
		default:
			return err
		}
	}
}

// splitCSV cuts a record, whose quotes are all closed, into fields.
func splitCSV(record string) ([]string, error) {
	var fields []string
	for {
		field, rest, more, err := cutCSV(record)
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", len(fields)+1, err)
		}
		fields = append(fields, field)
		if !more {
			return fields, nil
		}
		record = rest
	}
}

var errQuote = errors.New(`want quotes around the whole field and doubled within, got others`)

// cutCSV takes the first field off; more says that another follows.
func cutCSV(record string) (field, rest string, more bool, err error) {
	if len(record) == 0 || record[0] != '"' {
		for i := range len(record) {
			switch record[i] {
			case ',':
				return record[:i], record[i+1:], true, nil
			case '"':
				return "", "", false, errQuote
			}
		}
		return record, "", false, nil
	}
	var text []byte
	for i := 1; i < len(record); i++ {
		if record[i] != '"' {
			text = append(text, record[i])
			continue
		}
		switch {
		case i+1 == len(record):
			return string(text), "", false, nil
		case record[i+1] == ',':
			return string(text), record[i+2:], true, nil
		case record[i+1] == '"':
			text = append(text, '"')
			i++
		default:
			return "", "", false, errQuote
		}
	}
	return "", "", false, errQuote
}
