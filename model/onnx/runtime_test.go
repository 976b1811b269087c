//go:build cgo

package onnx

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// childVariable makes the test program below act as a process of its own, with
// a runtime of its own: a process loads one library, once.
const childVariable = "INTERSHAP_TEST_CHILD_LIBRARY"

// again runs one test of this program again as another process.
func again(t *testing.T, library string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childVariable+"="+library)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// TestForeignLibrary loads files that are no ONNX Runtime: an error each, and
// the right library can still be loaded.
func TestForeignLibrary(t *testing.T) {
	if path := os.Getenv(childVariable); path != "" {
		_, err := Open("testdata/dense.onnx", Options{Library: path})
		if err == nil || !strings.Contains(err.Error(), "want ONNX Runtime 1.24 or later") || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("want an error of one line that says which library is wanted, got %v", err)
		}
		if hint := hintOf(err); !strings.Contains(hint, "--onnxruntime PATH") {
			t.Errorf("want the remedy as a hint, got %q", hint)
		}
		m, err := Open("testdata/dense.onnx", Options{})
		if err != nil {
			t.Fatalf("the right library after the wrong one: %v", err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		return
	}
	text := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, err := again(t, text); err != nil {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}

// TestQuiet makes the runtime fail in every way that a user can bring about:
// what it has to say comes back as errors, nothing goes to standard error.
func TestQuiet(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		out, errs, err := again(t, "found")
		if err != nil || !strings.Contains(out, "PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		if errs != "" {
			t.Errorf("want nothing on standard error, got %q", errs)
		}
		return
	}
	corrupt := filepath.Join(t.TempDir(), "corrupt.onnx")
	if err := os.WriteFile(corrupt, []byte{0x08, 0x08}, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(corrupt, Options{}); err == nil {
		t.Error("corrupt model: want an error, got none")
	}
	m := open(t, "dense")
	wrong := []tensor.Tensor{tensor.New(tensor.Float32, 2, 4), tensor.New(tensor.Float32, 3, 3)}
	if _, err := m.opened.session.run(t.Context(), wrong); err == nil {
		t.Error("unequal rows past our check: want an error of the runtime, got none")
	}
	x := tensor.New(tensor.Float32, 3, 2)
	if _, err := open(t, "wrong_axis").Predict(t.Context(), model.Batch{{Name: "x", Tensor: x}}); err == nil {
		t.Error("wrong axis: want an error, got none")
	}
}
