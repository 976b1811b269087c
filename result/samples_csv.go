package result

import (
	"strconv"
	"strings"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// csvSamples writes RFC 4180 with a header and lines that end in LF. Text is
// quoted where it must be, and where it is empty: what is undefined is empty
// without quotes.
type csvSamples struct {
	file   *partial
	header SamplesHeader
	line   []byte
	cells  []float64
	// present is nil without that column.
	present *presentTexts
}

func createCSV(path string, header SamplesHeader) (samplesFormat, error) {
	columns, err := phiColumns(path, header.Modalities)
	if err != nil {
		return nil, err
	}
	present, err := newPresentTexts(path, header)
	if err != nil {
		return nil, err
	}
	file, err := newPartial(path)
	if err != nil {
		return nil, err
	}
	f := &csvSamples{file: file, header: header, cells: make([]float64, phiCells(len(header.Modalities))), present: present}
	names := []string{columnID, columnPredicted, columnBase, columnOutput, columnInterSHAP, columnSE}
	if header.hasTargets() {
		names = append([]string{columnTarget}, names...)
	}
	names = append(append(names, columns...), columnCorrected)
	if present != nil {
		names = append(names, columnPresent)
	}
	for i, name := range names {
		if i > 0 {
			f.line = append(f.line, ',')
		}
		f.line = appendCSVText(f.line, name)
	}
	return f, f.endLine()
}

func (f *csvSamples) write(row *checkedRow) error {
	if f.header.hasTargets() {
		f.line = append(appendCSVText(f.line, f.header.Targets[row.Target]), ',')
	}
	if f.header.IDs == tensor.Int64 {
		f.line = strconv.AppendInt(f.line, row.number, 10)
	} else {
		f.line = appendCSVText(f.line, row.ID)
	}
	f.line = strconv.AppendInt(append(f.line, ','), int64(row.Predicted), 10)
	f.line = appendFloat(append(f.line, ','), row.Base)
	f.line = appendFloat(append(f.line, ','), row.Output)
	f.share(row.InterSHAP)
	f.share(row.SE)
	phiCellsTo(f.cells, row.Phi, len(f.header.Modalities))
	for _, v := range f.cells {
		f.line = appendFloat(append(f.line, ','), v)
	}
	f.share(row.Corrected)
	if f.present != nil {
		f.line = appendCSVText(append(f.line, ','), f.present.text(row.Present))
	}
	return f.endLine()
}

// share appends a field that may be empty.
func (f *csvSamples) share(s score.Share) {
	f.line = append(f.line, ',')
	if v, ok := s.Value(); ok {
		f.line = appendFloat(f.line, v)
	}
}

func (f *csvSamples) endLine() error {
	f.line = append(f.line, '\n')
	_, err := f.file.Write(f.line)
	f.line = f.line[:0]
	return err
}

func (f *csvSamples) finish() error  { return f.file.commit() }
func (f *csvSamples) discard() error { return f.file.discard() }

// appendCSVText appends a field. encoding/csv is not used: it wants all fields
// of a line as strings, and does not tell empty text from nothing.
func appendCSVText(dst []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, ",\"\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(text, `"`, `""`)...)
	return append(dst, '"')
}
