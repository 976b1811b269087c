//go:build !cgo

package onnx

import "fmt"

// loadRuntime says what a build without cgo lacks.
func loadRuntime(string) (func(file, []string) (opened, error), error) {
	return nil, fmt.Errorf("ONNX files need ONNX Runtime, which is called through cgo, and %w; build it with CGO_ENABLED=1 and a C compiler", ErrNoCgo)
}
