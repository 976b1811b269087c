package serving

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/tensor"
)

// appendObject appends {"a":...,"b":...} for the inputs of a batch.
func appendObject(dst []byte, inputs model.Batch, value func(dst []byte, t tensor.Tensor) ([]byte, error)) ([]byte, error) {
	dst = append(dst, '{')
	for i, in := range inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, in.Name), ':')
		var err error
		if dst, err = value(dst, in.Tensor); err != nil {
			return nil, fmt.Errorf("input %q: %w", in.Name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendText(dst []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a string always has a JSON form
	return append(dst, quoted...)
}

// appendColumns appends inputs by name, each with all its rows:
// {"a":[[1,2],[3,4]],"b":[5,6]}.
func appendColumns(dst []byte, inputs model.Batch) ([]byte, error) {
	return appendObject(dst, inputs, oip.AppendRows)
}

// appendInstances appends a list of rows: of a single input the rows
// themselves, [[1,2],[3,4]], unless named is set; of several an object for each
// row, [{"a":[1,2],"b":5},{"a":[3,4],"b":6}].
func appendInstances(dst []byte, inputs model.Batch, named bool) ([]byte, error) {
	if len(inputs) == 1 && !named {
		return oip.AppendRows(dst, inputs[0].Tensor)
	}
	dst = append(dst, '[')
	for r := range inputs.Rows() {
		if r > 0 {
			dst = append(dst, ',')
		}
		var err error
		dst, err = appendObject(dst, inputs, func(dst []byte, t tensor.Tensor) ([]byte, error) {
			if len(t.Shape()) == 1 {
				return oip.AppendElement(dst, t, r)
			}
			// A row by itself has its axes but the first.
			return oip.AppendRows(dst, t.Slice(r, r+1).Reshape(t.Shape()[1:]...))
		})
		if err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// readLists makes outputs of what protocol v1 and MLflow answer: a list of rows
// for a single output, called name; a list of objects, or an object of lists, for
// several. specs are those that the server told, none where it told nothing: then
// numbers are FP64.
func readLists(raw json.RawMessage, name string, specs []tensor.Spec) (model.Batch, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, fmt.Errorf("want a list of predictions, got nothing")
	}
	if raw[0] == '{' {
		var columns map[string]json.RawMessage
		if err := json.Unmarshal(raw, &columns); err != nil {
			return nil, err
		}
		return readColumns(columns, specs)
	}
	if isObjects(raw) {
		columns, err := columnsOf(raw)
		if err != nil {
			return nil, err
		}
		return readColumns(columns, specs)
	}
	if len(specs) == 1 {
		name = specs[0].Name
	}
	return readColumns(map[string]json.RawMessage{name: raw}, specs)
}

func readColumns(columns map[string]json.RawMessage, specs []tensor.Spec) (model.Batch, error) {
	var out model.Batch
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		var d tensor.DType // as it comes
		if i := slices.IndexFunc(specs, func(s tensor.Spec) bool { return s.Name == name }); i >= 0 {
			d = specs[i].DType
		}
		t, err := oip.InferList(d, columns[name])
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
		out = append(out, model.Named{Name: name, Tensor: t})
	}
	return out, nil
}

// isObjects reports whether a list begins with an object.
func isObjects(raw []byte) bool {
	rest, found := bytes.CutPrefix(raw, []byte("["))
	return found && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("{"))
}

// columnsOf turns a list of objects around: a list for each key.
func columnsOf(raw []byte) (map[string]json.RawMessage, error) {
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, err
	}
	columns := map[string]json.RawMessage{}
	for key := range rows[0] {
		list := []byte{'['}
		for r, row := range rows {
			value, found := row[key]
			if !found || len(row) != len(rows[0]) {
				return nil, fmt.Errorf("row %d has other keys than row 0", r)
			}
			if r > 0 {
				list = append(list, ',')
			}
			list = append(list, value...)
		}
		columns[key] = append(list, ']')
	}
	return columns, nil
}
