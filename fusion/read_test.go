package fusion

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// An npy is an array of an NPZ file, its elements as the file has them.
type npy struct {
	name, descr, shape string
	values             any
}

// writeNPZ writes arrays by hand, apart from the reader.
func writeNPZ(t *testing.T, path string, arrays ...npy) {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, a := range arrays {
		header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", a.descr, a.shape)
		var b bytes.Buffer
		b.WriteString("\x93NUMPY\x01\x00")
		binary.Write(&b, binary.LittleEndian, uint16(len(header)))
		b.WriteString(header)
		if err := binary.Write(&b, binary.LittleEndian, a.values); err != nil {
			t.Fatal(err)
		}
		m, err := w.CreateHeader(&zip.FileHeader{Name: a.name + ".npy", Method: zip.Store})
		if err == nil {
			_, err = m.Write(b.Bytes())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeFiles writes text files into a new folder.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestReadNPZ reads types, shapes and labels of arrays: axes are kept, float64
// becomes float32, labels get places by size and not by their text.
func TestReadNPZ(t *testing.T) {
	dir := t.TempDir()
	arrays := func(labels ...int64) []npy {
		n := len(labels)
		image := make([]float32, 6*n)
		age := make([]float64, n)
		for i := range image {
			image[i] = float32(i)
		}
		for i := range age {
			age[i] = 0.1 * float64(i)
		}
		ids := make([]int64, n)
		return []npy{
			{"image", "<f4", fmt.Sprintf("(%d, 2, 3)", n), image}, {"label", "<i8", fmt.Sprintf("(%d,)", n), labels},
			{"age", "<f8", fmt.Sprintf("(%d,)", n), age}, {"id", "<i8", fmt.Sprintf("(%d,)", n), ids},
		}
	}
	writeNPZ(t, filepath.Join(dir, "train.npz"), arrays(10, 9, -1, 10)...)
	writeNPZ(t, filepath.Join(dir, "valid.npz"), arrays(-1, 9)...)
	writeNPZ(t, filepath.Join(dir, "test.npz"), append(arrays(10), npy{"note", "<f4", "(1,)", []float32{0}})...)
	// Of several formats NPZ is read.
	if err := os.WriteFile(filepath.Join(dir, "test.csv"), []byte("not,the,same\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeNPZ(t, filepath.Join(dir, "bits.npz"), npy{"m1", "<f4", "(1,)", []float32{0}})
	f, err := ReadFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"-1", "9", "10"}, f.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]int{{2, 1, 0, 2}, {0, 1}, {2}}, [][]int{f.Train.Labels, f.Valid.Labels, f.Test.Labels}); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	image, age := f.Train.Inputs[0], f.Train.Inputs[1]
	if len(f.Train.Inputs) != 2 || image.Name != "image" || age.Name != "age" {
		t.Fatalf("want inputs image and age, got %v", f.Train.Inputs)
	}
	if diff := cmp.Diff([][]int{{4, 2, 3}, {4, 1}}, [][]int{image.Tensor.Shape(), age.Tensor.Shape()}); diff != "" {
		t.Errorf("shapes (-want +got):\n%s", diff)
	}
	if got := tensor.Values[float32](age.Tensor)[3]; got != float32(0.1*3) {
		t.Errorf("want float64 rounded to float32, got %v", got)
	}
	if got := tensor.Values[float32](image.Tensor)[23]; got != 23 {
		t.Errorf("want the elements in order, got %v last", got)
	}
	if len(f.Warnings) != 1 || f.Warnings[0].ID != "ignored-column" || !strings.Contains(f.Warnings[0].Text, "note") {
		t.Errorf("want a warning of the column that training does not have, got %v", f.Warnings)
	}
	if f.Test.Path != filepath.Join(dir, "test.npz") {
		t.Errorf("want the path of the test file, got %q", f.Test.Path)
	}
	n, err := Train(t.Context(), Late, f.Train.Data, f.Valid.Data, Options{Epochs: 1, Classes: f.Classes})
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Signature().Inputs[0].String(); got != "image float32[N,2,3]" {
		t.Errorf("want the input as the data have it, got %s", got)
	}
}

// TestReadCSV reads groups of columns, whole numbers among them, and names as
// classes; without files to judge on there are none.
func TestReadCSV(t *testing.T) {
	dir := writeFiles(t, map[string]string{"train.csv": "age,rna.a,label,rna.b\n61,1,ward,2.5\n47,3,home,4\n"})
	f, err := ReadFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"home", "ward"}, f.Classes); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1, 0}, f.Train.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	rna, found := f.Train.Inputs.Lookup("rna")
	if !found || !cmp.Equal([]float32{1, 2.5, 3, 4}, tensor.Values[float32](rna)) {
		t.Errorf("want rna of both columns, got %v", f.Train.Inputs)
	}
	if f.Valid.Len() != 0 || f.Test.Len() != 0 || f.Valid.Path != "" {
		t.Errorf("want no other samples, got %v, %v", f.Valid, f.Test)
	}
}

func TestReadRefuses(t *testing.T) {
	const good = "a.x,b.x,label\n1,2,0\n3,4,1\n"
	for _, c := range []struct {
		name       string
		files      map[string]string
		want, hint string
	}{
		{"no training file", map[string]string{"valid.csv": good}, "want a file train.npz, train.parquet or train.csv, got none", "column label"},
		{"no label", map[string]string{"train.csv": "a,b\n1,2\n"}, `want a column "label" with the class of every sample, got none`, "one class a row"},
		{"label of a regression", map[string]string{"train.csv": "a,label\n1,0.5\n"}, "it is 0.5 in row 0", "one class a row"},
		{"text", map[string]string{"train.csv": "a,note,label\n1,x,0\n"}, `column "note": want floating-point numbers, got string`, "0.0 or 1.0"},
		{"true and false", map[string]string{"train.csv": "a,sex,label\n1,true,0\n"}, `column "sex": want floating-point numbers, got bool`, "0.0 or 1.0"},
		{"labels alone", map[string]string{"train.csv": "id,label\n1,0\n"}, "want a column for each modality beside label, got none", "modality.feature"},
		{"missing value", map[string]string{"train.csv": "a,label\n1,0\n,1\n"}, "want", "missing values"},
		{"new class", map[string]string{"train.csv": good, "test.csv": "a.x,b.x,label\n1,2,1\n1,2,7\n"}, `test.csv: row 1: column "label": want one of the 2 classes of train.csv, got "7"`, "trained on"},
		{"missing modality", map[string]string{"train.csv": good, "valid.csv": "a.x,label\n1,0\n"}, `valid.csv: column "b"`, "the file has"},
		{"other width", map[string]string{"train.csv": good, "valid.csv": "a.x,a.y,b.x,label\n1,1,2,0\n"}, `want [N,1] for the model's input "a", got [N,2]`, ""},
		{"no rows", map[string]string{"train.csv": "a,label\n"}, "want at least one row, got none", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadFolder(t.Context(), writeFiles(t, c.files))
			var e *dataset.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("want an error that says %q with the hint %q, got %v, %+v", c.want, c.hint, err, e)
			}
		})
	}
	dir := writeFiles(t, map[string]string{"all.npz": ""})
	writeNPZ(t, filepath.Join(dir, "train.npz"), npy{"tokens", "<i8", "(2, 3)", make([]int64, 6)}, npy{"label", "<i8", "(2,)", []int64{0, 1}})
	for path, want := range map[string]string{
		filepath.Join(dir, "all.npz"): "want a folder with files train, valid and test (.npz, .parquet or .csv), got a file",
		filepath.Join(dir, "nothing"): "nothing: cannot be opened: no such file or directory",
		dir:                           `column "tokens": want floating-point numbers, got int64`,
	} {
		if _, err := ReadFolder(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error that says %q, got %v", path, want, err)
		}
	}
}
