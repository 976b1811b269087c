//go:build !cgo

package onnx

import (
	"errors"
	"strings"
	"testing"
)

func TestOpenWithoutCgo(t *testing.T) {
	_, err := Open("testdata/dense.onnx", Options{})
	if !errors.Is(err, ErrNoCgo) || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
		t.Errorf("want ErrNoCgo with the remedy, got %v", err)
	}
}
