//go:build !cgo

package onnx

import "fmt"

// loadRuntime says what a build without cgo lacks.
func loadRuntime(string) (opener, error) { return nil, errNoRuntime }

// openBytes is never reached, for there is no open model.
func (m *Model) openBytes(data []byte, inputs, outputs []string) (session, error) {
	return nil, errNoRuntime
}

var errNoRuntime = fmt.Errorf("ONNX files need ONNX Runtime, which is called through cgo, and %w; build it with CGO_ENABLED=1 and a C compiler", ErrNoCgo)
