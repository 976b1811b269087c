//go:build cgo

package onnx

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// sharedVariable names the folder of data sets and trained models that is too
// large for this repository.
const sharedVariable = "INTERSHAP_SHARED"

// TestTrainedModels opens every trained model and compares its outputs for the
// first test rows with those that PyTorch gave.
func TestTrainedModels(t *testing.T) {
	shared := os.Getenv(sharedVariable)
	if shared == "" {
		t.Skipf("set %s to the folder of shared data to compare trained models with PyTorch", sharedVariable)
	}
	models, err := filepath.Glob(filepath.Join(shared, "data", "*", "model_*.onnx"))
	if err != nil || len(models) == 0 {
		t.Fatalf("want models in %s/data/*, got %v, %v", shared, models, err)
	}
	for _, path := range models {
		dir, file := filepath.Split(path)
		name := strings.TrimSuffix(strings.TrimPrefix(file, "model_"), ".onnx")
		t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) {
			m := openPath(t, path)
			want := readExpectedCSV(t, filepath.Join(dir, "expected_"+name+".csv"))
			rows := len(want["logits"])
			var inputs model.Batch
			for _, spec := range m.Signature().Inputs {
				x := readNPZ(t, filepath.Join(dir, "test.npz"), spec.Name)
				inputs = append(inputs, model.Named{Name: spec.Name, Tensor: x.Slice(0, rows)})
			}
			out, err := m.Predict(t.Context(), inputs)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"logits", "probabilities"} {
				got, found := out.Lookup(name)
				if !found {
					t.Fatalf("want an output %s, got %v", name, m.Signature().Outputs)
				}
				if err := closeTo(want[name], got); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := modeltest.Verify(t.Context(), m, conformanceRows); err != nil {
				t.Error(err)
			}
		})
	}
}

// tolerance is the bound for other kernels and another order of summation in
// float32, relative above 1 and absolute below.
const tolerance = 1e-5

func closeTo(want [][]float64, got tensor.Tensor) error {
	values := tensor.Values[float32](got)
	if len(want) == 0 || len(want)*len(want[0]) != len(values) {
		return fmt.Errorf("want %d rows, got shape %v", len(want), got.Shape())
	}
	width := len(want[0])
	for i, v := range values {
		w := want[i/width][i%width]
		if diff := math.Abs(float64(v) - w); !(diff <= tolerance*max(1, math.Abs(w))) {
			return fmt.Errorf("row %d, column %d: want %g, got %g", i/width, i%width, w, v)
		}
	}
	return nil
}

func TestCloseToFails(t *testing.T) {
	want := [][]float64{{1, 100}, {0, -1}}
	if err := closeTo(want, tensor.Of([]float32{1.000009, 100.0005, 0.000009, -1}, 2, 2)); err != nil {
		t.Errorf("within the tolerance: %v", err)
	}
	for _, got := range []tensor.Tensor{
		tensor.Of([]float32{1.00002, 100, 0, -1}, 2, 2),
		tensor.Of([]float32{1, 100.002, 0, -1}, 2, 2),
		tensor.Of([]float32{1, 100, float32(math.NaN()), -1}, 2, 2),
		tensor.Of([]float32{1, 100}, 1, 2),
	} {
		if closeTo(want, got) == nil {
			t.Errorf("want an error for %v", tensor.Values[float32](got))
		}
	}
}

// readExpectedCSV reads the columns logit.* and prob.* of a file of expected
// outputs.
func readExpectedCSV(t *testing.T, path string) map[string][][]float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string][][]float64{}
	for _, record := range records[1:] {
		rows := map[string][]float64{}
		for i, column := range records[0] {
			name := map[string]string{"logit": "logits", "prob": "probabilities"}[strings.Split(column, ".")[0]]
			if name == "" {
				continue
			}
			v, err := strconv.ParseFloat(record[i], 64)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			rows[name] = append(rows[name], v)
		}
		for name, row := range rows {
			outputs[name] = append(outputs[name], row)
		}
	}
	return outputs
}

var npyHeader = regexp.MustCompile(`'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9, ]+)\)`)

// readNPZ reads one float32 array: the little of the format that these tests
// need.
func readNPZ(t *testing.T, path, name string) tensor.Tensor {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	f, err := archive.Open(name + ".npy")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	const preamble = 10 // magic, version, length of the header
	body := preamble + int(binary.LittleEndian.Uint16(data[8:]))
	match := npyHeader.FindSubmatch(data[preamble:body])
	if match == nil {
		t.Fatalf("%s: %s: want a float32 array, got %s", path, name, bytes.TrimSpace(data[preamble:body]))
	}
	var shape []int
	for n := range strings.FieldsFuncSeq(string(match[1]), func(r rune) bool { return r == ',' || r == ' ' }) {
		v, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		shape = append(shape, v)
	}
	x := tensor.New(tensor.Float32, shape...)
	if n := copy(x.Bytes(), data[body:]); n != len(x.Bytes()) {
		t.Fatalf("%s: %s: want %d bytes, got %d", path, name, len(x.Bytes()), n)
	}
	return x
}
