//go:build ortlib

package onnx

// The blank import keeps the module that carries ONNX Runtime for this system
// pinned in go.mod and go.sum; see moduleVersion. No build sets the tag.
import _ "github.com/k2-fsa/sherpa-onnx-go-linux"
