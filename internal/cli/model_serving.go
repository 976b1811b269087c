package cli

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/process"
	"github.com/intershap/intershap/model/serving"
	"github.com/intershap/intershap/tensor"
)

// checkServer refuses a URL that is none of a model, and flags that mean nothing
// to it.
func (q *question) checkServer() error {
	if err := serving.CheckURL(q.model); err != nil {
		var e *serving.Error
		if !errors.As(err, &e) {
			return usagef("MODEL: %w", err)
		}
		// The error's own URL has no password in it.
		fault := usagef("MODEL %s: %w", e.URL, e.Err)
		fault.hint = e.Hint
		return fault
	}
	if q.device != "" && q.device != onnx.CPU {
		fault := usagef("--device %s is for ONNX files", q.device)
		fault.hint = "the server chooses where it computes"
		return fault
	}
	return nil
}

// workersOf returns how many calls a model is worth unless the user says: one a
// processor, or one a request where a server computes.
func workersOf(m modelFile) int {
	if remote, ok := m.(interface{ Requests() int }); ok {
		return remote.Requests()
	}
	return runtime.GOMAXPROCS(0)
}

// openServer opens a model behind a server, with a request in flight for each
// worker unless the URL says otherwise.
func (q *question) openServer(ctx context.Context, s *streams, outputs func([]tensor.Spec) []string) (modelFile, error) {
	opt := serving.Options{Requests: q.options.Workers, Outputs: outputs}
	// The default is for models of any kind, and a request is one of its calls.
	if q.timeout != process.DefaultTimeout {
		opt.Timeout = q.timeout
	}
	opt.Token, _ = s.env.lookup(serving.TokenVariable)
	m, err := serving.Open(ctx, q.model, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// signatureOf returns what a model tells of its inputs and outputs, nothing for
// one behind a server that tells nothing.
func signatureOf(m model.Model) model.Signature {
	if d, ok := m.(model.Described); ok {
		return d.Signature()
	}
	return model.Signature{}
}

// nameColumns tells a model that knows no inputs the names of the data's columns:
// MLflow's data frames have one for each.
func nameColumns(m model.Model, f dataset.File) {
	named, ok := m.(interface {
		NameColumns(input string, names []string)
	})
	if !ok || len(signatureOf(m).Inputs) > 0 {
		return
	}
	for _, in := range dataset.InferInputs(f) {
		var names []string
		for _, c := range f.Columns() {
			if group, _, dotted := strings.Cut(c.Name, "."); dotted && group == in.Name && c.RowLen() == 1 {
				names = append(names, c.Name)
			}
		}
		if len(names) == in.RowLen() {
			named.NameColumns(in.Name, names)
		}
	}
}

// servingHint returns the remedy of a server's error, "" for other errors.
func servingHint(err error) string {
	var e *serving.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// modelName returns how a picture or a table calls a model: a file without its
// folder, a server by its whole URL.
func modelName(source string) string {
	if serving.IsURL(source) {
		return source
	}
	return filepath.Base(source)
}
