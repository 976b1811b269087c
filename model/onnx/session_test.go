//go:build cgo

package onnx

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// TestOpenBytes runs models from memory, with outputs in an order of our own,
// and compares them with the same models from files.
func TestOpenBytes(t *testing.T) {
	tests := []struct {
		name    string
		outputs []string
		reason  string
	}{
		{"dense", []string{"probabilities", "logits"}, "outputs as asked for"},
		{"dense", []string{"logits"}, "fewer outputs than the model has"},
		{"external", nil, "weights in a file beside the model"},
		{"gru", []string{"state"}, "an output whose type nobody told"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := open(t, tt.name)
			data, err := os.ReadFile(m.file.path)
			if err != nil {
				t.Fatal(err)
			}
			var inputs []string
			var rows model.Batch
			var ordered []tensor.Tensor
			for i, in := range m.inputs {
				inputs = append(inputs, in.Name)
				x := tensor.New(in.DType, append([]int{RowMultiple}, in.Shape[1:]...)...)
				for j := range tensor.Values[float32](x) {
					tensor.Values[float32](x)[j] = float32(j%7 - i)
				}
				ordered = append(ordered, x)
				rows = append(rows, model.Named{Name: in.Name, Tensor: x})
			}
			outputs := tt.outputs
			if outputs == nil {
				outputs = []string{m.outputs[0].Name}
			}
			s, err := m.openBytes(data, inputs, outputs)
			if err != nil {
				t.Fatalf("%s: %v", tt.reason, err)
			}
			defer func() {
				if err := s.close(); err != nil {
					t.Error(err)
				}
			}()
			got, err := s.run(t.Context(), ordered)
			if err != nil {
				t.Fatalf("%s: %v", tt.reason, err)
			}
			want, err := m.Predict(t.Context(), rows)
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range outputs {
				w, _ := want.Lookup(name)
				if !bytes.Equal(w.Bytes(), got[i].Bytes()) {
					t.Errorf("%s: output %q: want the bits of the file's own session", tt.reason, name)
				}
			}
		})
	}
}

func TestOpenBytesErrors(t *testing.T) {
	m := open(t, "dense")
	if _, err := m.openBytes([]byte("no model"), []string{"a"}, []string{"logits"}); err == nil {
		t.Error("want an error for bytes that are no model, got none")
	}
	if _, err := m.openBytes(nil, nil, []string{"y"}); err == nil || !strings.Contains(err.Error(), "input") {
		t.Errorf("want an error for no inputs, got %v", err)
	}
}

// An output without any axis is one that the binding cannot take over.
func TestScalarOutput(t *testing.T) {
	b := graphtest.NewBuilder(17, 1)
	x := b.Input("x", tensor.Float32, 4)
	// The runtime does not know before the run that one number is left.
	b.Output("loss", b.Node("Squeeze", floats32(-1), []graphtest.Value{b.Slice(b.Slice(x, 1, 0, 1), 0, 0, 1)}))
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openPath(t, path).Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, 3, 4)}})
	if want := `run of 16 rows: output "loss": `; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want an error with %q, got %v", want, err)
	}
}
