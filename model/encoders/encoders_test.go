//go:build cgo

package encoders

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/tensor"
)

// openParts opens the example in parts. Without the native library the test
// fails with the remedy.
func openParts(t *testing.T, outputs ...string) *Model {
	t.Helper()
	m, err := Open(filepath.Join(triage, "encoders.yaml"), onnx.Options{Outputs: func([]tensor.Spec) []string { return outputs }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func openJoined(t *testing.T) *onnx.Model {
	t.Helper()
	m, err := onnx.Open(joined, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// rows fills the inputs of a signature with numbers between -2 and 2.
func rows(sig model.Signature, n int) model.Batch {
	var b model.Batch
	for k, in := range sig.Inputs {
		x := tensor.New(tensor.Float32, append([]int{n}, in.Shape[1:]...)...)
		for i := range tensor.Values[float32](x) {
			tensor.Values[float32](x)[i] = float32((i*31+k*17)%41-20) / 10
		}
		b = append(b, model.Named{Name: in.Name, Tensor: x})
	}
	return b
}

// close32 allows for the order of sums in float32: 48 products of numbers
// around 1, three layers deep.
var close32 = cmpopts.EquateApprox(1e-5, 1e-6)

// TestOpen holds that the parts compute what the joined model does.
func TestOpen(t *testing.T) {
	parts, whole := openParts(t), openJoined(t)
	if diff := cmp.Diff(whole.Signature(), parts.Signature()); diff != "" {
		t.Errorf("signature (-joined +parts):\n%s", diff)
	}
	in := rows(whole.Signature(), 37)
	want, err := whole.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parts.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want {
		if got[i].Name != w.Name {
			t.Fatalf("output %d: want %q, got %q", i, w.Name, got[i].Name)
		}
		if diff := cmp.Diff(tensor.Values[float32](w.Tensor), tensor.Values[float32](got[i].Tensor), close32); diff != "" {
			t.Errorf("%s (-joined +parts):\n%s", w.Name, diff)
		}
	}
	if want, got := whole.Runtime(), parts.Runtime(); want != got {
		t.Errorf("want runtime %q, got %q", want, got)
	}
	if parts.Classes("probabilities") != nil || parts.Unsupported() != nil {
		t.Errorf("want no classes and no unsupported outputs, got %q, %q", parts.Classes("probabilities"), parts.Unsupported())
	}
	if got := openParts(t, "probabilities").Signature().Outputs; len(got) != 1 || got[0].Name != "probabilities" {
		t.Errorf("want the one output that was asked for, got %v", got)
	}
}

func TestConformance(t *testing.T) {
	modeltest.Run(t, func(t *testing.T) model.Described { return openParts(t) })
}

// TestStage holds every pair of a staged evaluation against the joined model.
func TestStage(t *testing.T) {
	const n, b = 5, 7
	parts, whole := openParts(t, "probabilities"), openJoined(t)
	all := rows(whole.Signature(), n+b)
	q := model.Question{Output: "probabilities", Width: 4, Transform: "identity", Rows: all}
	for i, in := range all {
		row := in.Tensor.Shape()[1:]
		q.Leaves = append(q.Leaves, model.Leaf{Name: in.Name, Input: i, Hi: in.Tensor.RowLen(), Shape: row, Player: i})
	}
	s, err := parts.Stage(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Parts) != 4 {
		t.Fatalf("want three encoders and a head, got %d parts", len(s.Parts))
	}
	// The image is the sample's, the rest is the background's.
	tensors := model.Batch{}
	composite := model.Batch{}
	for i, in := range all {
		x, shape := in.Tensor.Slice(n, n+b), []int{1, b}
		if i == 0 {
			x, shape = in.Tensor.Slice(0, n), []int{n, 1}
		}
		row := in.Tensor.Shape()[1:]
		tensors = append(tensors, model.Named{Name: in.Name, Tensor: x.Reshape(append(shape, row...)...)})
		pairs := tensor.New(tensor.Float32, append([]int{n * b}, row...)...)
		for r := range n * b {
			src := n + r%b
			if i == 0 {
				src = r / b
			}
			pairs.CopyRow(r, in.Tensor, src, 0, in.Tensor.RowLen())
		}
		composite = append(composite, model.Named{Name: in.Name, Tensor: pairs})
	}
	for _, p := range s.Parts {
		var in model.Batch
		for _, name := range p.Inputs {
			x, _ := tensors.Lookup(name)
			in = append(in, model.Named{Name: name, Tensor: x})
		}
		out, err := p.Grid.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, out...)
	}
	got, _ := tensors.Lookup(s.Output)
	outputs, err := whole.Predict(t.Context(), composite)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := outputs.Lookup("probabilities")
	if diff := cmp.Diff(tensor.Values[float32](want), tensor.Values[float32](got), close32); diff != "" {
		t.Errorf("(-joined +staged):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestDigest computes the digest as sha256sum would.
func TestDigest(t *testing.T) {
	all := sha256.New()
	for _, name := range []string{"encoders.yaml", "ecg.onnx", "head.onnx", "image.onnx", "labs.onnx"} {
		data, err := os.ReadFile(filepath.Join(triage, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(all, "%x  %s\n", sha256.Sum256(data), name)
	}
	if want, got := hex.EncodeToString(all.Sum(nil)), openParts(t).Digest(); want != got {
		t.Errorf("want %s, got %s", want, got)
	}
}

// write writes an encoders.yaml that names the parts by absolute paths where
// the text has $, and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.Abs(triage)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "$", filepath.ToSlash(dir)+"/")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNames holds under which names the data must have the inputs.
func TestNames(t *testing.T) {
	m, err := Open(write(t, "encoders: {scan: $image.onnx, rhythm: $ecg.onnx, blood: $labs.onnx}\nhead: $head.onnx\n"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	var names []string
	for _, in := range m.Signature().Inputs {
		names = append(names, in.Name)
	}
	if want := []string{"scan", "rhythm", "blood"}; !slices.Equal(want, names) {
		t.Errorf("want the names of the encoders, %q, got %q", want, names)
	}
	// Two encoders of the same name for an input are no conflict; a batch under
	// the files' own name of it is refused by the names that are wanted.
	_, err = m.Predict(t.Context(), model.Batch{{Name: "input", Tensor: tensor.New(tensor.Float32, 1, 6)}})
	if err == nil || !strings.Contains(err.Error(), "its inputs are scan, rhythm, blood") {
		t.Errorf("want an error that lists the names, got %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no encoder file", "encoders:\n  image: none.onnx\nhead: $head.onnx\n",
			[]string{"encoders: m.yaml:2: encoder \"image\": onnx: ", "none.onnx", "relative to the folder of this file"}},
		{"no head file", "encoders: {image: $image.onnx}\nhead: none.onnx\n", []string{"encoders: m.yaml:2: head: onnx: ", "relative to the folder"}},
		{"no model", "encoders: {image: $encoders.yaml}\nhead: $head.onnx\n", []string{"encoders: m.yaml:1: encoder \"image\": onnx: ", "encoders.yaml"}},
		{"wrong parts", "encoders: {image: $head.onnx}\nhead: $head.onnx\n", []string{"encoder \"image\" gives logits, probabilities", "name the head's inputs after the encoders' outputs"}},
		{"output twice", "encoders: {image: $image.onnx, scan: $image.onnx}\nhead: $head.onnx\n", []string{"both give \"image_features\""}},
		{"key", "encoder: {image: $image.onnx}\nhead: $head.onnx\n", []string{"encoders: m.yaml:1: unknown key \"encoder\""}},
	}
	for _, tt := range tests {
		_, err := Open(write(t, tt.text), onnx.Options{})
		if err == nil {
			t.Errorf("%s: want an error, got none", tt.name)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want an error with %q, got %v", tt.name, want, err)
			}
		}
	}
	if _, err := Open(t.TempDir(), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "want a file") {
		t.Errorf("folder: want an error, got %v", err)
	}
	if _, err := Open("none.yaml", onnx.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: want os.ErrNotExist, got %v", err)
	}
	if _, err := Open(write(t, strings.Repeat("#", maxSize+1)), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "a few files") {
		t.Errorf("large file: want an error, got %v", err)
	}
}

// TestClosed holds that every part is closed.
func TestClosed(t *testing.T) {
	m := openParts(t)
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	for _, part := range append(m.encoders, m.head) {
		_, err := part.Predict(t.Context(), rows(part.Signature(), 1))
		if !errors.Is(err, onnx.ErrClosed) {
			t.Errorf("want onnx.ErrClosed, got %v", err)
		}
	}
}
