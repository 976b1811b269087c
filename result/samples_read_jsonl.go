package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

func readJSONLSamples(source *samplesSource) (*Samples, error) {
	lines := newTextLines(source.file)
	fail := func(err error) (*Samples, error) { return nil, fmt.Errorf("line %d: %w", lines.line, err) }
	var (
		table *samplesTable
		keys  []string // of phi's cells, which name the modalities
		row   samplesLine
	)
	for {
		lines.record, lines.line = lines.record[:0], lines.below
		err := lines.appendLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = checkUTF8(lines.record)
		}
		if err != nil {
			return fail(err)
		}
		if table == nil {
			if table, keys, err = startJSONL(lines.record); err != nil {
				return fail(err)
			}
		}
		if err = parseJSONL(&row, lines.record, keys, table); err == nil {
			err = table.add(&row)
		}
		if err != nil {
			return fail(err)
		}
	}
	if table == nil {
		return nil, errNoSamples
	}
	return table.finish()
}

// startJSONL reads the names of modalities from the keys of the first line.
func startJSONL(line []byte) (*samplesTable, []string, error) {
	names, err := objectKeys(line)
	if err != nil {
		return nil, nil, err
	}
	layout, err := newSamplesLayout(names)
	if err != nil {
		return nil, nil, err
	}
	var keys []string
	for _, at := range layout.cells {
		keys = append(keys, names[at])
	}
	table, err := newSamplesTable(layout)
	return table, keys, err
}

// objectKeys returns the keys of an object in their order.
func objectKeys(line []byte) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("want one JSON object a line, got something else: was it written by explain --samples?")
	}
	var keys []string
	for dec.More() {
		key, err := dec.Token()
		var value json.RawMessage
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return nil, fmt.Errorf("no JSON object: %w", err)
		}
		keys = append(keys, key.(string)) // the decoder takes no other key
	}
	return keys, nil
}

// parseJSONL reads one line of the table; cells are the keys of phi's columns.
func parseJSONL(row *samplesLine, line []byte, cells []string, table *samplesTable) (err error) {
	m := len(table.samples.Modalities)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return fmt.Errorf("want one JSON object a line: %w", err)
	}
	// Only numbers and text of the right kind are taken: null would leave what stood
	// there before.
	read := func(name string, dst any, want string) {
		raw, ok := object[name]
		if err != nil {
			return
		}
		if !ok {
			err = fmt.Errorf("want a key %q, got none", name)
		} else if string(raw) == "null" || json.Unmarshal(raw, dst) != nil {
			err = fmt.Errorf("%s: want %s, got %.40s", name, want, raw)
		}
	}
	nullable := func(name string) (s score.Share) {
		if string(object[name]) == "null" {
			return s
		}
		var x float64
		read(name, &x, "a number or null")
		return score.Defined(x)
	}
	*row = samplesLine{}
	if !table.samples.unnamed() {
		read(columnTarget, &row.target, "text")
	} else if _, named := object[columnTarget]; named {
		return fmt.Errorf("want no target as in the first line, got one")
	}
	if row.id, err = jsonID(object[columnID]); err != nil {
		return err
	}
	read(columnPredicted, &row.predicted, "an integer")
	read(columnBase, &row.base, "a number")
	read(columnOutput, &row.output, "a number")
	row.local, row.se = nullable(columnInterSHAP), nullable(columnSE)
	if table.corrected {
		row.corrected = nullable(columnCorrected)
	}
	var present string
	if table.present {
		read(columnPresent, &present, "text")
	} else if _, has := object[columnPresent]; has {
		return fmt.Errorf("want no %s as in the first line, got one", columnPresent)
	}
	for _, name := range cells {
		var x float64
		read(name, &x, "a number")
	}
	var phi [][]float64
	read(columnPhi, &phi, "rows of numbers")
	_, all := object[columnValues] // absent where coalitions were sampled
	if all {
		read(columnValues, &row.values, "a list of numbers")
	}
	if err != nil {
		return err
	}
	if row.present, err = parsePresent(table.samples.Modalities, present); err != nil {
		return err
	}
	if all && (m > game.MaxPlayers || len(row.values) != 1<<m) {
		return fmt.Errorf("values: want %d numbers for %d modalities, got %d", 1<<m, m, len(row.values))
	}
	if err := checkSquare(columnPhi, phi, m); err != nil {
		return err
	}
	for _, numbers := range phi {
		row.phi = append(row.phi, numbers...)
	}
	return nil
}

// jsonID returns the text of an id, which is a number or text.
func jsonID(raw json.RawMessage) (string, error) {
	var text string
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", fmt.Errorf("%s: want text, got %.40s", columnID, raw)
		}
		return text, nil
	}
	if _, err := strconv.ParseInt(string(raw), 10, 64); err != nil {
		return "", fmt.Errorf("%s: want an int64 or text, got %.40q", columnID, raw)
	}
	return string(raw), nil
}
