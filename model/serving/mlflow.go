package serving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/tensor"
)

// The four forms of a request to MLflow.
const (
	frameSplit      = "dataframe_split"
	frameRecords    = "dataframe_records"
	mlflowInputs    = "inputs"
	mlflowInstances = "instances"
)

var encodings = []string{frameSplit, frameRecords, mlflowInputs, mlflowInstances}

// mlflowTransport speaks to MLflow's scoring server, which tells nothing of the
// model: a request says everything.
type mlflowTransport struct {
	address address
	http    *httpCaller

	// mu is held while the first request finds out what the model takes.
	mu      sync.Mutex
	found   string // the encoding that was answered
	columns map[string][]string
}

func (t *mlflowTransport) close() error { return t.http.close() }

func (t *mlflowTransport) nameColumns(input string, names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.columns[input] = names
}

func (t *mlflowTransport) describe(ctx context.Context) (description, error) {
	var version string
	a, err := t.http.send(ctx, http.MethodGet, t.address.url("version"), oip.Body{})
	switch f, ok := err.(*failure); {
	case err == nil:
		version = strings.TrimSpace(string(a.data))
	case !ok || f.again || f.hint != "":
		return description{}, err
	} // else a scoring server of before MLflow 1.30, or one that is like it
	const longest = 40
	if len(version) > longest || strings.ContainsAny(version, "\n<{") {
		version = ""
	}
	return description{runtime: runtimeName([]string{strings.TrimSpace("MLflow " + version)}, "JSON"), identity: version}, nil
}

// order returns the encodings to try. A table of scalar columns is a data frame
// first, anything else tensors: both are what a model of such data is usually
// logged with.
func (t *mlflowTransport) order(inputs model.Batch) []string {
	if t.address.encoding != "" {
		return []string{t.address.encoding}
	}
	for _, in := range inputs {
		if in.Tensor.RowLen() > 1 && t.columns[in.Name] == nil {
			return []string{mlflowInputs, mlflowInstances, frameSplit, frameRecords}
		}
	}
	return []string{frameSplit, frameRecords, mlflowInputs, mlflowInstances}
}

func (t *mlflowTransport) infer(ctx context.Context, _ string, inputs model.Batch, _ []string) (model.Batch, error) {
	t.mu.Lock()
	if found := t.found; found != "" {
		t.mu.Unlock()
		return t.try(ctx, found, inputs)
	}
	defer t.mu.Unlock()
	var faults []string
	for _, encoding := range t.order(inputs) {
		out, err := t.try(ctx, encoding, inputs)
		if err == nil && out.Rows() == inputs.Rows() {
			t.found = encoding
			return out, nil
		}
		// Only a server that did not like the form is asked in another.
		if f := new(failure); err != nil && (!errors.As(err, &f) || !f.rows) {
			return nil, err
		}
		if err == nil {
			err = fmt.Errorf("%d predictions for %d rows", out.Rows(), inputs.Rows())
		}
		faults = append(faults, fmt.Sprintf("%s: %v", encoding, err))
	}
	f := lasting("say which form the model takes behind the URL: ?encoding=inputs", "%s", strings.Join(faults, "; "))
	f.rows = true
	return nil, f
}

// try asks in one encoding.
func (t *mlflowTransport) try(ctx context.Context, encoding string, inputs model.Batch) (model.Batch, error) {
	data, err := t.encode(encoding, inputs)
	if err != nil {
		f := lasting("", "%w", err)
		f.rows = true // another form may do
		return nil, f
	}
	a, err := t.http.post(ctx, t.address.url(t.address.path), oip.Body{Data: data})
	if err != nil {
		return nil, err
	}
	var list json.RawMessage
	if err := oip.ReadJSON(a.data, &list); err != nil {
		return nil, malformed(err)
	}
	var answer struct{ Predictions json.RawMessage }
	// Before MLflow 2 the list stood by itself.
	if json.Unmarshal(list, &answer) == nil && answer.Predictions != nil {
		list = answer.Predictions
	}
	outputs, err := readLists(list, "predictions", nil)
	if err != nil {
		return nil, malformed(err)
	}
	return outputs, nil
}

func (t *mlflowTransport) encode(encoding string, inputs model.Batch) ([]byte, error) {
	dst := append(appendText([]byte{'{'}, encoding), ':')
	var err error
	switch {
	case encoding == frameSplit:
		dst, err = t.appendSplit(dst, inputs)
	case encoding == frameRecords:
		dst, err = t.appendRecords(dst, inputs)
	case encoding == mlflowInputs && (len(inputs) > 1 || len(inputs[0].Tensor.Shape()) == 1):
		dst, err = appendColumns(dst, inputs)
	case encoding == mlflowInputs:
		dst, err = oip.AppendRows(dst, inputs[0].Tensor)
	default:
		dst, err = appendInstances(dst, inputs, len(inputs[0].Tensor.Shape()) == 1)
	}
	return append(dst, '}'), err
}

// A column is one column of a data frame.
type column struct {
	name    string
	from    tensor.Tensor
	element int
}

// columnsOf lists the columns of inputs: of an input with one element a row the
// name of the input, else the names that the data have for its elements.
func (t *mlflowTransport) columnsOf(inputs model.Batch) []column {
	var out []column
	for _, in := range inputs {
		names, width := t.columns[in.Name], in.Tensor.RowLen()
		for e := range width {
			name := in.Name
			switch {
			case len(names) == width:
				name = names[e]
			case width > 1:
				name = fmt.Sprintf("%s.%d", in.Name, e)
			}
			out = append(out, column{name, in.Tensor, e})
		}
	}
	return out
}

// appendSplit appends {"columns":["a","b"],"data":[[1,2],[3,4]]}.
func (t *mlflowTransport) appendSplit(dst []byte, inputs model.Batch) (_ []byte, err error) {
	columns := t.columnsOf(inputs)
	dst = append(dst, `{"columns":[`...)
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, c.name)
	}
	dst = append(dst, `],"data":[`...)
	for r := range inputs.Rows() {
		if r > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		if dst, err = appendRow(dst, columns, r, false); err != nil {
			return nil, err
		}
		dst = append(dst, ']')
	}
	return append(dst, `]}`...), nil
}

// appendRow appends the elements of a row, 1,2 or with their names "a":1,"b":2.
func appendRow(dst []byte, columns []column, row int, named bool) (_ []byte, err error) {
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		if named {
			dst = append(appendText(dst, c.name), ':')
		}
		if dst, err = oip.AppendElement(dst, c.from, row*c.from.RowLen()+c.element); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendRecords appends [{"a":1,"b":2},{"a":3,"b":4}].
func (t *mlflowTransport) appendRecords(dst []byte, inputs model.Batch) (_ []byte, err error) {
	columns := t.columnsOf(inputs)
	dst = append(dst, '[')
	for r := range inputs.Rows() {
		if r > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		if dst, err = appendRow(dst, columns, r, true); err != nil {
			return nil, err
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}
