// Package encoders opens models that are described by an encoders.yaml: ONNX
// files of encoders and of a head, for models that cannot be exported whole, or
// that are worth more in parts.
//
// [Open] gives a [Model], which is a [model.Pipeline] with what provenance asks
// for: digest, runtime, class names. The package neither cuts graphs, which
// package onnx does, nor runs them. docs/format/encoders.md specifies the file.
//
// Reading order: encoders.go, recipe.go.
package encoders

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/tensor"
)

// A Model is an open encoders.yaml. It is safe for concurrent use.
type Model struct {
	*model.Pipeline
	head     *onnx.Model
	encoders []*onnx.Model
	digest   string
}

var _ model.Staged = (*Model)(nil)

// Open opens the encoders.yaml at path and the files that it names. The options
// are those of each file; the outputs are the head's.
//
// An input of an encoder with one input is called as the encoder, the name that
// the file gives it; the inputs of an encoder with several keep their names, and
// so do those of the head.
func Open(path string, opts onnx.Options) (*Model, error) {
	m, err := open(path, opts)
	if err != nil {
		place := filepath.Base(path)
		var onLine *lineError
		if errors.As(err, &onLine) {
			place = fmt.Sprintf("%s:%d", place, onLine.line)
		}
		return nil, fmt.Errorf("encoders: %s: %w", place, err)
	}
	return m, nil
}

func open(path string, opts onnx.Options) (_ *Model, err error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	r, err := parse(data)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	dir := filepath.Dir(path)
	if m.head, err = r.head.open(dir, opts); err != nil {
		return nil, err
	}
	taken := m.head.Signature().Inputs
	opts.Outputs = func(have []tensor.Spec) []string { return common(have, taken) }
	var parts []model.Encoder
	for _, e := range r.encoders {
		opened, err := e.open(dir, opts)
		if err != nil {
			return nil, err
		}
		m.encoders = append(m.encoders, opened)
		part := model.Encoder{Name: e.key, Model: opened}
		if inputs := opened.Signature().Inputs; len(inputs) == 1 {
			part.Rename = map[string]string{inputs[0].Name: e.key}
		}
		parts = append(parts, part)
	}
	if m.Pipeline, err = model.NewPipeline(m.head, parts...); err != nil {
		return nil, err
	}
	m.digest = digest(filepath.Base(path), data, r, m)
	return m, nil
}

// common returns the names of outputs that are inputs of the head: none means
// all, of which the pipeline will say that the head takes none.
func common(outputs, inputs []tensor.Spec) []string {
	var names []string
	for _, out := range outputs {
		if slices.ContainsFunc(inputs, func(in tensor.Spec) bool { return in.Name == out.Name }) {
			names = append(names, out.Name)
		}
	}
	return names
}

// digest returns the SHA-256 of the lines that sha256sum prints for the file
// itself and then for those that it names, sorted.
func digest(name string, data []byte, r recipe, m *Model) string {
	sum := sha256.Sum256(data)
	lines := []string{fmt.Sprintf("%s  %s\n", m.head.Digest(), r.head.path)}
	for i, e := range r.encoders {
		lines = append(lines, fmt.Sprintf("%s  %s\n", m.encoders[i].Digest(), e.path))
	}
	// By name, which follows a digest of fixed length and two spaces.
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	all := sha256.New()
	fmt.Fprintf(all, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	for _, line := range slices.Compact(lines) {
		fmt.Fprint(all, line)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// Classes returns the class names of an output of the head, as
// [onnx.Model.Classes] does.
func (m *Model) Classes(output string) []string { return m.head.Classes(output) }

// Unsupported lists outputs of the head as [onnx.Model.Unsupported] does.
func (m *Model) Unsupported() []string { return m.head.Unsupported() }

// Digest returns the SHA-256 of the lines that sha256sum prints for the file
// and then for the ONNX files that it names, sorted by name: what `sha256sum
// encoders.yaml enc_ecg.onnx enc_image.onnx head.onnx | sha256sum` prints in
// their folder. An ONNX file with external data stands with the digest that
// [onnx.Model.Digest] gives it.
func (m *Model) Digest() string { return m.digest }

// Runtime names the library that computes and the device, as
// [onnx.Model.Runtime] does, for each of the files where they differ.
func (m *Model) Runtime() string {
	names := []string{m.head.Runtime()}
	for _, e := range m.encoders {
		if !slices.Contains(names, e.Runtime()) {
			names = append(names, e.Runtime())
		}
	}
	return strings.Join(names, "; ")
}

// Close closes all files of the model, after the calls that are running. A
// second Close does nothing.
func (m *Model) Close() error {
	var errs []error
	if m.head != nil {
		errs = append(errs, m.head.Close())
	}
	for _, e := range m.encoders {
		errs = append(errs, e.Close())
	}
	return errors.Join(errs...)
}
