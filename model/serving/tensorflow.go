package serving

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/tensor"
)

// The two forms of a request of protocol v1.
const (
	instances    = "instances" // a list of rows
	inputsObject = "inputs"    // a list for each input
)

// tensorFlowTransport speaks protocol v1: TensorFlow Serving's, which tells
// inputs and outputs, and KServe's, which does not.
type tensorFlowTransport struct {
	address address
	http    *httpCaller
	outputs []tensor.Spec
}

func (t *tensorFlowTransport) close() error { return t.http.close() }

// tensorFlowMetadata is the answer to GET v1/models/NAME/metadata, as far as it
// is used here.
type tensorFlowMetadata struct {
	ModelSpec struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"model_spec"`
	Metadata struct {
		SignatureDef struct {
			SignatureDef map[string]tensorFlowSignature `json:"signature_def"`
		} `json:"signature_def"`
	} `json:"metadata"`
}

type tensorFlowSignature struct {
	Inputs  map[string]tensorFlowTensor `json:"inputs"`
	Outputs map[string]tensorFlowTensor `json:"outputs"`
	// MethodName is .../classify and .../regress for requests of another form.
	MethodName string `json:"method_name"`
}

type tensorFlowTensor struct {
	DType string `json:"dtype"`
	Shape struct {
		Dim []struct {
			Size string `json:"size"` // 64-bit numbers are texts in this JSON
		} `json:"dim"`
		UnknownRank bool `json:"unknown_rank"`
	} `json:"tensor_shape"`
}

// tensorFlowTypes are TensorFlow's names of element types that JSON can carry.
var tensorFlowTypes = map[string]tensor.DType{
	"DT_FLOAT": tensor.Float32, "DT_DOUBLE": tensor.Float64, "DT_BOOL": tensor.Bool, "DT_STRING": tensor.String,
	"DT_INT8": tensor.Int8, "DT_INT16": tensor.Int16, "DT_INT32": tensor.Int32, "DT_INT64": tensor.Int64,
	"DT_UINT8": tensor.Uint8, "DT_UINT16": tensor.Uint16, "DT_UINT32": tensor.Uint32, "DT_UINT64": tensor.Uint64,
}

// defaultSignature is the one that TensorFlow Serving takes by itself.
const defaultSignature = "serving_default"

func (t *tensorFlowTransport) describe(ctx context.Context) (description, error) {
	var about tensorFlowMetadata
	a, err := t.http.get(ctx, t.address.url(t.address.path+"/metadata"), &about)
	if err == nil && len(about.Metadata.SignatureDef.SignatureDef) > 0 {
		d, err := t.read(about)
		d.identity = string(a.data)
		t.outputs = d.outputs
		return d, err
	}
	if f, ok := err.(*failure); err != nil && (!ok || f.again || f.hint != "") {
		return description{}, err
	}
	// KServe has no metadata; it has the model or not.
	var ready json.RawMessage
	if a, err = t.http.get(ctx, t.address.url(t.address.path), &ready); err != nil {
		return description{}, err
	}
	return description{runtime: runtimeName(nil, "protocol v1, JSON"), identity: string(a.data)}, nil
}

// read turns a signature into specs. A signature that has tensors without axis 0,
// or of unknown rank, tells too little: inputs are then those of the data.
func (t *tensorFlowTransport) read(about tensorFlowMetadata) (description, error) {
	all := about.Metadata.SignatureDef.SignatureDef
	name := t.address.signature
	if name == "" {
		name = defaultSignature
	}
	sig, found := all[name]
	if !found {
		return description{}, lasting("name one behind the URL: ?signature=NAME",
			"the model has no signature %q, it has %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	d := description{runtime: runtimeName([]string{"TensorFlow Serving, model version " + about.ModelSpec.Version}, "protocol v1, JSON")}
	var err error
	if d.inputs, _, err = tensorFlowSpecs(sig.Inputs); err != nil {
		return description{}, lasting("", "signature %q: %w", name, err)
	}
	var refused []string
	if d.outputs, refused, err = tensorFlowSpecs(sig.Outputs); err != nil && len(d.outputs) == 0 {
		return description{}, lasting("", "signature %q: %w", name, err)
	}
	d.unsupported = refused
	return d, nil
}

// tensorFlowSpecs returns specs by name, and what has none, with reasons; the
// error is the first of the reasons.
func tensorFlowSpecs(tensors map[string]tensorFlowTensor) (specs []tensor.Spec, refused []string, first error) {
	refuse := func(name string, err error) {
		refused = append(refused, fmt.Sprintf("%s: %v", name, err))
		if first == nil {
			first = fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		in := tensors[name]
		d, known := tensorFlowTypes[in.DType]
		if !known {
			refuse(name, fmt.Errorf("%s cannot travel as JSON", in.DType))
			continue
		}
		if in.Shape.UnknownRank || len(in.Shape.Dim) == 0 {
			return nil, nil, nil // the server tells too little
		}
		spec := tensor.Spec{Name: name, DType: d}
		for _, dim := range in.Shape.Dim {
			n, err := strconv.Atoi(dim.Size)
			if err != nil {
				refuse(name, fmt.Errorf("the length %q of an axis is no number", dim.Size))
				break
			}
			spec.Shape = append(spec.Shape, max(n, -1))
		}
		if len(spec.Shape) == len(in.Shape.Dim) {
			specs = append(specs, spec)
		}
	}
	return specs, refused, first
}

func (t *tensorFlowTransport) infer(ctx context.Context, _ string, inputs model.Batch, _ []string) (model.Batch, error) {
	data, err := t.encode(inputs)
	if err != nil {
		return nil, lasting("", "%w", err)
	}
	a, err := t.http.send(ctx, http.MethodPost, t.address.url(t.address.path+":predict"), oip.Body{Data: data})
	if err != nil {
		return nil, err
	}
	var answer struct{ Predictions, Outputs json.RawMessage }
	if err := oip.ReadJSON(a.data, &answer); err != nil {
		return nil, malformed(err)
	}
	list := answer.Predictions
	if list == nil {
		list = answer.Outputs
	}
	outputs, err := readLists(list, "predictions", t.outputs)
	if err != nil {
		return nil, malformed(err)
	}
	return outputs, nil
}

// encode writes columns where the server is TensorFlow's, and rows where it told
// nothing, since KServe takes no columns.
func (t *tensorFlowTransport) encode(inputs model.Batch) ([]byte, error) {
	form := t.address.encoding
	if form == "" && len(t.outputs) > 0 {
		form = inputsObject
	}
	dst := []byte{'{'}
	if t.address.signature != "" {
		dst = append(appendText(append(dst, `"signature_name":`...), t.address.signature), ',')
	}
	var err error
	if form == inputsObject {
		dst, err = appendColumns(append(dst, `"inputs":`...), inputs)
	} else {
		dst, err = appendInstances(append(dst, `"instances":`...), inputs, len(t.outputs) > 0)
	}
	return append(dst, '}'), err
}
