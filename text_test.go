//go:build cgo

package intershap_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// wide returns texts as NumPy's type U has them: so many places of UTF-32 each.
func wide(places int, texts ...string) []rune {
	var out []rune
	for _, text := range texts {
		letters := []rune(text)
		out = append(append(out, letters...), make([]rune, places-len(letters))...)
	}
	return out
}

// textFiles writes the same ages, stages and notes (two texts a row) in every format.
func textFiles(t testing.TB) map[string]dataset.File {
	t.Helper()
	write := func(name, data string) dataset.File {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return openData(t, path)
	}
	text := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	memory, err := dataset.FromArrays(
		dataset.Array{Name: "age", Tensor: tensor.Of([]float32{61, 70, 55, 49})},
		dataset.Array{Name: "stage", Tensor: tensor.Of([]string{"I", "II", "III", "007"})},
		dataset.Array{Name: "visits", Tensor: tensor.Of([]int64{1, 4, 2, 8})},
		dataset.Array{Name: "note", Tensor: tensor.Of([]string{"ab", "é", "c", "-", "é, f", "g", "12", "1.50"}, 4, 2)})
	if err != nil {
		t.Fatal(err)
	}
	var npz bytes.Buffer
	archive := zip.NewWriter(&npz)
	for _, a := range []struct {
		name, descr string
		values      any
		shape       []int
	}{
		{"age", "<f4", []float32{61, 70, 55, 49}, []int{4}},
		{"stage", "<U3", wide(3, "I", "II", "III", "007"), []int{4}},
		{"visits", "<i8", []int64{1, 4, 2, 8}, []int{4}},
		{"note", "<U4", wide(4, "ab", "é", "c", "-", "é, f", "g", "12", "1.50"), []int{4, 2}},
	} {
		w, err := archive.Create(a.name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		w.Write(dataset.NPYHeader(a.descr, a.shape...))
		if err := binary.Write(w, binary.LittleEndian, a.values); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string]dataset.File{
		"memory": memory,
		"csv":    write("data.csv", "age,stage,visits,note.first,note.second\n61,I,1,ab,é\n70,II,4,c,-\n55,III,2,\"é, f\",g\n49,007,8,12,1.50\n"),
		"npz":    write("data.npz", npz.String()),
		"parquet": writeParquet(t, []string{
			`{"age": 61, "stage": "I", "visits": 1, "note": ["ab", "é"]}`, `{"age": 70, "stage": "II", "visits": 4, "note": ["c", "-"]}`,
			`{"age": 55, "stage": "III", "visits": 2, "note": ["é, f", "g"]}`, `{"age": 49, "stage": "007", "visits": 8, "note": ["12", "1.50"]}`,
		}, arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Float32}, text("stage"), arrow.Field{Name: "visits", Type: arrow.PrimitiveTypes.Int64},
			arrow.Field{Name: "note", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true}),
		"parquet columns": writeParquet(t, []string{
			`{"age": 61, "stage": "I", "visits": 1, "note.first": "ab", "note.second": "é"}`, `{"age": 70, "stage": "II", "visits": 4, "note.first": "c", "note.second": "-"}`,
			`{"age": 55, "stage": "III", "visits": 2, "note.first": "é, f", "note.second": "g"}`, `{"age": 49, "stage": "007", "visits": 8, "note.first": "12", "note.second": "1.50"}`,
		}, arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Float32}, text("stage"), arrow.Field{Name: "visits", Type: arrow.PrimitiveTypes.Int64},
			text("note.first"), text("note.second")),
	}
}

// TestTextInputs gives text to models that take it: to an ONNX file whose encoder
// looks it up, and to a function that gets two texts a row. Every format has the same
// values of every sample.
func TestTextInputs(t *testing.T) {
	risk := openModel(t, filepath.Join("model", "onnx", "testdata", "columns.onnx"))
	notes := model.Describe(model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		note, _ := in.Lookup("note")
		age, _ := in.Lookup("age")
		out := make([]float64, in.Rows())
		for r := range out {
			first, second := tensor.Values[string](note)[2*r], tensor.Values[string](note)[2*r+1]
			out[r] = float64(len(first)+10*len(second)) * float64(tensor.Values[float32](age)[r])
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(out, len(out), 1)}}, nil
	}), model.Signature{
		Inputs:  []tensor.Spec{{Name: "note", DType: tensor.String, Shape: []int{-1, 2}}, {Name: "age", DType: tensor.Float32, Shape: []int{-1}}},
		Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{-1, 1}}},
	})
	for _, tt := range []struct {
		name    string
		model   model.Model
		outputs []float64 // of the samples, by hand
	}{
		// age + code of the stage (1, 2, 4, else -1) + visits
		{"onnx", risk, []float64{63, 76, 61, 56}},
		// (bytes of the first text + 10 times those of the second) times age
		{"function", notes, []float64{(2 + 20) * 61, (1 + 10) * 70, (5 + 10) * 55, (2 + 40) * 49}},
	} {
		var want [][]float64
		for _, format := range []string{"memory", "csv", "npz", "parquet", "parquet columns"} {
			var outputs collected
			ex, err := intershap.Explain(t.Context(), tt.model, textFiles(t)[format], nil, intershap.Options{Task: intershap.Regression, BackgroundSize: intershap.AllRows, Sink: &outputs})
			if err != nil {
				t.Fatalf("%s, %s: %v", tt.name, format, err)
			}
			if diff := cmp.Diff(tt.outputs, outputs.output, tight); diff != "" {
				t.Errorf("%s, %s: (-by hand +got)\n%s", tt.name, format, diff)
			}
			if format == "memory" {
				want = outputs.phi
			}
			if diff := cmp.Diff(want, outputs.phi); diff != "" || ex.Samples() != 4 {
				t.Errorf("%s, %s: (-memory +got)\n%s", tt.name, format, diff)
			}
		}
	}
}

// collected is a sink that keeps what a test looks at.
type collected struct {
	output []float64
	phi    [][]float64
}

func (c *collected) Begin(result.SamplesHeader) error { return nil }

func (c *collected) Write(row result.SampleRow) error {
	c.output = append(c.output, row.Output)
	c.phi = append(c.phi, slices.Clone(row.Phi)) // which is reused
	return nil
}
