package result

import (
	"encoding/json"
	"strconv"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// jsonlSamples writes one object a row and line: the columns of a table, then
// values and phi as arrays.
type jsonlSamples struct {
	file    *partial
	header  SamplesHeader
	targets [][]byte // the targets' names, quoted
	columns [][]byte // the keys of phi's cells, with comma and colon
	line    []byte
	cells   []float64
	present *presentTexts // nil without that key
}

func createJSONL(path string, header SamplesHeader) (samplesFormat, error) {
	columns, err := phiColumns(path, header.Modalities)
	if err != nil {
		return nil, err
	}
	f := &jsonlSamples{header: header, cells: make([]float64, phiCells(len(header.Modalities)))}
	if f.present, err = newPresentTexts(path, header); err != nil {
		return nil, err
	}
	for _, name := range columns {
		f.columns = append(f.columns, append(appendJSONText([]byte{','}, name), ':'))
	}
	for _, name := range header.Targets {
		f.targets = append(f.targets, appendJSONText(nil, name))
	}
	if f.file, err = newPartial(path); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *jsonlSamples) write(row *checkedRow) error {
	line := append(f.line[:0], '{')
	if f.header.hasTargets() {
		line = append(line, `"`+columnTarget+`":`...)
		line = append(append(line, f.targets[row.Target]...), ',')
	}
	line = append(line, `"`+columnID+`":`...)
	if f.header.IDs == tensor.Int64 {
		line = strconv.AppendInt(line, row.number, 10)
	} else {
		line = appendJSONText(line, row.ID)
	}
	line = append(line, `,"`+columnPredicted+`":`...)
	line = strconv.AppendInt(line, int64(row.Predicted), 10)
	line = appendFloat(append(line, `,"`+columnBase+`":`...), row.Base)
	line = appendFloat(append(line, `,"`+columnOutput+`":`...), row.Output)
	line = appendJSONShare(append(line, `,"`+columnInterSHAP+`":`...), row.InterSHAP)
	line = appendJSONShare(append(line, `,"`+columnSE+`":`...), row.SE)
	m := len(f.header.Modalities)
	phiCellsTo(f.cells, row.Phi, m)
	for i, v := range f.cells {
		line = appendFloat(append(line, f.columns[i]...), v)
	}
	if !f.header.Sampled {
		line = appendJSONNumbers(append(line, `,"`+columnValues+`":`...), row.Values)
	}
	line = append(line, `,"`+columnPhi+`":[`...)
	for i := range m {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendJSONNumbers(line, row.Phi[i*m:(i+1)*m])
	}
	line = appendJSONShare(append(line, `],"`+columnCorrected+`":`...), row.Corrected)
	if f.present != nil {
		line = appendJSONText(append(line, `,"`+columnPresent+`":`...), f.present.text(row.Present))
	}
	f.line = append(line, '}', '\n')
	_, err := f.file.Write(f.line)
	return err
}

func (f *jsonlSamples) finish() error  { return f.file.commit() }
func (f *jsonlSamples) discard() error { return f.file.discard() }

// appendJSONText appends text, which is valid UTF-8, in quotes.
func appendJSONText(dst []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string never fails
	return append(dst, quoted...)
}

func appendJSONShare(dst []byte, s score.Share) []byte {
	v, ok := s.Value()
	if !ok {
		return append(dst, "null"...)
	}
	return appendFloat(dst, v)
}

func appendJSONNumbers(dst []byte, all []float64) []byte {
	dst = append(dst, '[')
	for i, v := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(dst, v)
	}
	return append(dst, ']')
}
