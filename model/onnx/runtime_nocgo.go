//go:build !cgo

package onnx

import (
	"fmt"

	"github.com/intershap/intershap/tensor"
)

// loadRuntime says what a build without cgo lacks.
func loadRuntime(string) (func(file, func([]tensor.Spec) []string) (opened, error), error) {
	return nil, fmt.Errorf("ONNX files need ONNX Runtime, which is called through cgo, and %w; build it with CGO_ENABLED=1 and a C compiler", ErrNoCgo)
}
