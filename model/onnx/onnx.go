// Package onnx runs ONNX files as models, on ONNX Runtime.
//
// [Open] gives a [Model], which answers batches of any number of rows, from
// any number of goroutines, on one session with one thread per call: the
// results do not depend on how rows are batched or on how many workers run.
// Everything that can be wrong with a batch is checked before the runtime sees
// it, because the runtime swallows some of it (a GRU turns NaN into a plausible
// number).
//
// ONNX Runtime is a native library that is loaded when the first model is
// opened; nothing of it is linked into the program. [FindLibrary] looks for it
// and [InstallLibrary] fetches it. Calling it takes cgo: a program built with
// CGO_ENABLED=0 compiles, and Open returns [ErrNoCgo].
//
// A Model is a [model.Staged]: [Model.Stage] has package model/onnx/graph cut the
// file along modalities and opens a session for each part, which computes pairs of
// samples and background rows ([model.Grid]). The last part adds up its output
// inside the graph ([model.Summer]), so that no row leaves the runtime. Batch by
// batch a part gives the same bits, as the model does. What is not proven safe to
// cut stays whole. The file itself is never changed, and nothing is trained.
//
// docs/format/onnx.md says what an exported model must look like, and what is
// cut.
//
// Reading order: onnx.go, predict.go, session.go; staged.go, grid.go and summer.go
// for models in parts; file.go and scan.go for the file, device.go for where it is
// computed, platform.go, library.go and install.go for the native library.
package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

var (
	// ErrNoCgo is wrapped by the error of [Open] in a program built without cgo.
	ErrNoCgo = errors.New("this program was built without cgo")
	// ErrNoLibrary is wrapped by errors that say that ONNX Runtime's library
	// was not found.
	ErrNoLibrary = errors.New("ONNX Runtime's library was not found")
	// ErrClosed is wrapped by the error of a call of a closed model.
	ErrClosed = errors.New("the model is closed")
)

// Options says how a model is opened. The zero value finds the library and
// computes every output.
type Options struct {
	// Library is the path of ONNX Runtime's library; "" searches as
	// [FindLibrary] does. One process loads one library: another path in a
	// later call is an error, "" is the one that is loaded.
	Library string
	// Outputs is shown the outputs that can be read as tensors and returns the
	// names of those to give, in the order it wants; nil, or no names, means all.
	// The runtime computes the others too, but they are not copied.
	Outputs func(have []tensor.Spec) []string
	// Device is where the model is computed, as [ParseDevice] reads it: "" or
	// "cpu", "cuda" or "cuda:N". What the library cannot do is an error of
	// [Open].
	Device string
}

// A Model is an open ONNX file. It is safe for concurrent use.
type Model struct {
	file    file
	device  device
	opened  opened
	inputs  []tensor.Spec
	outputs []tensor.Spec
	batch   int // fixed length of axis 0, 0 for any

	// mu lets Close wait for running calls, which hold it for reading.
	mu     sync.RWMutex
	closed bool
}

var _ model.Described = (*Model)(nil)

// A session is the native side of a model. Tensors are in the order of the
// model's inputs and outputs.
type session interface {
	// run calls the runtime once. It keeps no input after it returns.
	run(ctx context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error)
	// close frees the session; no call may be running.
	close() error
}

// An opener opens a file on a device with the outputs that the function names.
type opener func(file, device, func([]tensor.Spec) []string) (opened, error)

// opened is what the runtime knows of a model, and the session.
type opened struct {
	session session
	inputs  []tensor.Spec
	outputs []tensor.Spec
	// unsupported lists outputs that are not computed, with reasons.
	unsupported []string
	runtime     string
}

// Open opens the ONNX file at path. External data is read from the files it
// names, beside it.
func Open(path string, opts Options) (*Model, error) {
	d, err := parseDevice(opts.Device)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	open, err := loadRuntime(opts.Library)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	f, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	o, err := open(f, d, opts.Outputs)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	m := &Model{file: f, device: d, opened: o, inputs: o.inputs, outputs: o.outputs}
	if m.batch, err = fixedBatch(o.inputs); err != nil {
		return nil, errors.Join(fmt.Errorf("onnx: %s: %w", path, err), o.session.close())
	}
	return m, nil
}

// Signature returns the inputs and outputs as the runtime reports them.
// BatchSize is the length that the file fixes for axis 0, 0 for any; Predict
// takes any number of rows all the same, it cuts and pads.
func (m *Model) Signature() model.Signature {
	return model.Signature{Inputs: slices.Clone(m.inputs), Outputs: slices.Clone(m.outputs), BatchSize: m.batch}
}

// Classes returns the class names of an output in the order of its columns,
// where the file states them: a ZipMap's labels, else the metadata
// intershap.classes if there are as many names as the output has columns. It
// returns nil otherwise.
func (m *Model) Classes(output string) []string {
	if labels := m.file.zipMaps[output]; len(labels) > 0 {
		return slices.Clone(labels)
	}
	for _, out := range m.outputs {
		if out.Name == output && out.DType.IsFloat() && len(out.Shape) == 2 && out.Shape[1] == len(m.file.classes) {
			return slices.Clone(m.file.classes)
		}
	}
	return nil
}

// Unsupported lists the outputs that are left out because they are no tensors
// with a row axis, each with its reason: "parts: a sequence".
func (m *Model) Unsupported() []string { return slices.Clone(m.opened.unsupported) }

// Digest returns the SHA-256 of the file, in hexadecimal. With external data it
// is the SHA-256 of the lines that sha256sum prints for the file and then for
// the data files, sorted by name: what `sha256sum model.onnx model.data |
// sha256sum` prints in the model's folder.
func (m *Model) Digest() string { return m.file.digest }

// Runtime names the library that computes, and the device where that is not the
// processor: "onnxruntime 1.28.2 linux/amd64", "... cuda:0", and "... cuda:0 and
// cpu" where the library leaves some of the nodes to the processor.
func (m *Model) Runtime() string { return m.opened.runtime }

// Close frees the session, after the calls that are running. A second Close
// does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	if err := m.opened.session.close(); err != nil {
		return m.errorf("close: %w", err)
	}
	return nil
}

func (m *Model) errorf(format string, args ...any) error {
	return fmt.Errorf("onnx: %s: %w", m.file.name, fmt.Errorf(format, args...))
}

// fixedBatch returns the one length above zero that inputs fix for axis 0, or
// 0 when all leave it free.
func fixedBatch(inputs []tensor.Spec) (int, error) {
	fixed, by := 0, ""
	for _, in := range inputs {
		if len(in.Shape) == 0 {
			return 0, fmt.Errorf("input %q is a scalar; want axis 0 to be the rows: export the value inside the graph", in.Name)
		}
		n := in.Shape[0]
		switch {
		case n < 0 || n == fixed:
		case n == 0:
			return 0, fmt.Errorf("input %q has axis 0 of length 0; want rows there: export it with a free batch axis", in.Name)
		case fixed == 0:
			fixed, by = n, in.Name
		default:
			return 0, fmt.Errorf("inputs %q and %q fix axis 0 at %d and %d; want one number of rows: export with a free batch axis", by, in.Name, fixed, n)
		}
	}
	return fixed, nil
}
