package serving

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
)

// How tensors travel over HTTP, by the words of ?encoding=.
const (
	encodingBinary = "binary"
	encodingJSON   = "json"
)

// openHTTPTransport speaks the Open Inference Protocol over HTTP.
type openHTTPTransport struct {
	address address
	http    *httpCaller
	// binary is set where the server reads and writes tensors in binary.
	binary bool
}

func (t *openHTTPTransport) close() error { return t.http.close() }

func (t *openHTTPTransport) describe(ctx context.Context) (description, error) {
	var about oip.ModelMetadata
	if a, err := t.http.get(ctx, t.address.url(t.address.path), &about); err != nil {
		if a.status == http.StatusNotFound {
			return description{}, t.notFound(ctx, err)
		}
		return description{}, err
	}
	var server oip.ServerMetadata
	if _, err := t.http.get(ctx, t.address.url("v2"), &server); err != nil {
		if f, ok := err.(*failure); !ok || f.again {
			return description{}, err
		}
		// A gateway may pass on the paths of models alone.
		server = oip.ServerMetadata{}
	}
	switch t.address.encoding {
	case "":
		t.binary = slices.Contains(server.Extensions, oip.BinaryTensorData)
	case encodingBinary:
		t.binary = true
	}
	d, err := describeOpen(about, server, "HTTP, "+t.encoding())
	if err != nil {
		return description{}, err
	}
	if slices.Contains(server.Extensions, oip.ModelConfiguration) {
		var config oip.ModelConfig
		if _, err := t.http.get(ctx, t.address.url(t.address.path+"/config"), &config); err == nil {
			d.maxRows = max(0, config.MaxBatchSize)
		}
	}
	return d, nil
}

func (t *openHTTPTransport) encoding() string {
	if t.binary {
		return encodingBinary
	}
	return "JSON"
}

// describeOpen reads the metadata of the Open Inference Protocol, however they
// came.
func describeOpen(about oip.ModelMetadata, server oip.ServerMetadata, how string) (description, error) {
	var d description
	var err error
	if d.inputs, err = oip.Specs(about.Inputs); err != nil {
		return d, lasting("", "the server's metadata: %w", err)
	}
	for _, out := range about.Outputs {
		spec, err := out.Spec()
		if err != nil {
			d.unsupported = append(d.unsupported, fmt.Sprintf("%s: %v", out.Name, err))
			continue
		}
		d.outputs = append(d.outputs, spec)
	}
	if len(d.outputs) == 0 && len(d.unsupported) > 0 {
		return d, lasting("", "the server's metadata have no output that can be read: %s", strings.Join(d.unsupported, "; "))
	}
	d.runtime = runtimeName([]string{strings.TrimSpace(server.Name + " " + server.Version), about.Platform}, how)
	identity, err := json.Marshal([]any{about, server.Name, server.Version})
	d.identity = string(identity)
	return d, err
}

// runtimeName joins what is known of a server.
func runtimeName(known []string, how string) string {
	known = slices.DeleteFunc(known, func(s string) bool { return s == "" })
	if len(known) == 0 {
		known = []string{"a server"}
	}
	return strings.Join(known, ", ") + " (" + how + ")"
}

// notFound adds what the server has to the error for a model that it has not.
func (t *openHTTPTransport) notFound(ctx context.Context, err error) error {
	a, failed := t.http.post(ctx, t.address.url("v2/repository/index"), oip.Body{Data: []byte("{}")})
	var index []oip.ModelIndex
	if failed == nil {
		failed = json.Unmarshal(a.data, &index)
	}
	if failed != nil {
		return err
	}
	return missing(t.address.name, index, err)
}

// missing says that a server does not have a model, and what it has.
func missing(name string, index []oip.ModelIndex, err error) error {
	var have []string
	for _, m := range index {
		if m.Name != "" && !slices.Contains(have, m.Name) {
			have = append(have, m.Name)
		}
	}
	const most = 20
	if len(have) > most {
		have = append(have[:most], fmt.Sprintf("and %d more", len(have)-most))
	}
	hint := "the server has no models"
	switch {
	case slices.Contains(have, name):
		return err // another version, or not ready
	case len(have) > 0:
		hint = "the server has: " + strings.Join(have, ", ")
	}
	return lasting(hint, "%w", err)
}

func (t *openHTTPTransport) infer(ctx context.Context, id string, inputs model.Batch, outputs []string) (model.Batch, error) {
	body, err := oip.Request{ID: id, Inputs: inputs, Outputs: outputs, Binary: t.binary}.Encode()
	if err != nil {
		return nil, lasting("", "%w", err)
	}
	a, err := t.http.post(ctx, t.address.url(t.address.path+"/infer"), body)
	if err != nil {
		return nil, err
	}
	got, err := a.body()
	if err != nil {
		return nil, malformed(err)
	}
	response, err := oip.DecodeResponse(got)
	if err != nil {
		return nil, malformed(err)
	}
	return answered(response, id)
}

// answered takes the outputs of an answer that is one to the request.
func answered(r oip.Response, id string) (model.Batch, error) {
	if r.ID != "" && r.ID != id {
		// A proxy that mixes up answers may not do it the next time.
		return nil, passing("the answer is one to another request: want id %q, got %q", id, r.ID)
	}
	return r.Outputs, nil
}
