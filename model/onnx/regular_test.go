//go:build unix

package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadFileRefusesPipes checks that nothing waits for a writer that may never
// come.
func TestReadFileRefusesPipes(t *testing.T) {
	dir := t.TempDir()
	model, err := os.ReadFile("testdata/external.onnx")
	if err != nil {
		t.Fatal(err)
	}
	path, pipe := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "external.data")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"model", pipe, "want a file, got a pipe"},
		{"external data", path, `external data "external.data", wanted beside the model: want a file, got a pipe`},
		{"folder", dir, "want a file, got a folder"},
		{"device", os.DevNull, "want a file, got a device"},
	} {
		if _, err := readFile(tt.path); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: want %q, got %v", tt.name, tt.want, err)
		}
	}
}
