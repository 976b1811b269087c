package intershap_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/tensor"
)

// sharedData returns the folder of real data sets and models.
func sharedData(t testing.TB) string {
	t.Helper()
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	return filepath.Join(shared, "data")
}

func openModel(t testing.TB, path string, outputs ...string) *onnx.Model {
	t.Helper()
	m, err := onnx.Open(path, onnx.Options{Outputs: func([]tensor.Spec) []string { return outputs }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func openData(t testing.TB, path string) dataset.File {
	t.Helper()
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func realModels(t testing.TB) []string {
	t.Helper()
	models, err := filepath.Glob(filepath.Join(sharedData(t), "*", "model_*.onnx"))
	if err != nil || len(models) < 25 {
		t.Fatalf("found %d models (%v), want at least 25", len(models), err)
	}
	return models
}

func caseName(path string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "model_"), ".onnx")
	return filepath.Base(filepath.Dir(path)) + "/" + name
}

// Outputs of every real model must agree with what PyTorch gave.
func TestRealOutputs(t *testing.T) {
	for _, path := range realModels(t) {
		t.Run(caseName(path), func(t *testing.T) {
			dir, name := filepath.Dir(path), filepath.Base(path)
			m := openModel(t, path)
			samples, err := dataset.Bind(t.Context(), openData(t, filepath.Join(dir, "test.npz")), m.Signature().Inputs, dataset.BindOptions{Role: "data"})
			if err != nil {
				t.Fatal(err)
			}
			expected := strings.Replace(strings.Replace(name, "model_", "expected_", 1), ".onnx", ".csv", 1)
			f, err := os.Open(filepath.Join(dir, expected))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			lines, err := csv.NewReader(f).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			n := len(lines) - 1
			rows, err := samples.Read(t.Context(), 0, n)
			if err != nil {
				t.Fatal(err)
			}
			var batch model.Batch
			for i, in := range samples.Inputs() {
				batch = append(batch, model.Named{Name: in.Name, Tensor: rows.Inputs[i]})
			}
			outputs, err := m.Predict(t.Context(), batch)
			if err != nil {
				t.Fatal(err)
			}
			compared := 0
			for _, part := range []struct{ output, prefix string }{{"logits", "logit."}, {"probabilities", "prob."}} {
				out, ok := outputs.Lookup(part.output)
				if !ok {
					t.Fatalf("no output %s", part.output)
				}
				values := make([]float64, out.Len())
				out.Float64s(values)
				c := 0
				for j, column := range lines[0] {
					if !strings.HasPrefix(column, part.prefix) {
						continue
					}
					for r := range n {
						want, err := strconv.ParseFloat(lines[r+1][j], 64)
						if err != nil {
							t.Fatal(err)
						}
						got := values[r*out.RowLen()+c]
						if math.Abs(got-want) > 1e-4*(1+math.Abs(want)) {
							t.Errorf("row %d: %s is %v, want %v", r, column, got, want)
						}
						compared++
					}
					c++
				}
			}
			if compared < 4*n {
				t.Errorf("%d numbers compared for %d rows", compared, n)
			}
		})
	}
}

// enough samples are explained of the one data set that has more; all the others
// are explained whole.
const enough = 400

// Every real model is explained on its test data with its training data as
// background; late fusion is additive on its logits, parity is nothing but
// interaction.
func TestRealModels(t *testing.T) {
	for _, path := range realModels(t) {
		t.Run(caseName(path), func(t *testing.T) {
			dir := filepath.Dir(path)
			explain := func(output string) *intershap.Explanation {
				t.Helper()
				samples := openData(t, filepath.Join(dir, "test.npz"))
				if samples.Len() > enough {
					samples = head(t, samples, enough)
				}
				rows := openData(t, filepath.Join(dir, "train.npz"))
				ex, err := intershap.Explain(t.Context(), openModel(t, path), samples, rows, intershap.Options{
					Output: output, BackgroundSize: 24,
					Sink: &sampleLog{},
				})
				if err != nil {
					t.Fatal(err)
				}
				target := ex.Targets[0]
				if target.Residual > target.ResidualTolerance || hasWarning(ex, "rows-not-independent") {
					t.Errorf("residual %v, tolerance %v, warnings %v", target.Residual, target.ResidualTolerance, ex.Warnings)
				}
				return ex
			}
			ex := explain("logits")
			got, ok := ex.Global().InterSHAP.Value()
			if !ok {
				t.Fatal("InterSHAP is undefined")
			}
			name := caseName(path)
			switch {
			case strings.HasSuffix(name, "/late"):
				if got > 1e-5 {
					t.Errorf("late fusion: InterSHAP %v on logits, want below 1e-5", got)
				}
			case name == "av_digits_parity/intermediate" || name == "av_digits_parity/crossattn":
				if got < 0.9 {
					t.Errorf("parity: InterSHAP %v on logits, want above 0.9", got)
				}
			case name == "av_digits/lateprob":
				if got := explain("probabilities").Global().InterSHAP.Or(1); got > 1e-5 {
					t.Errorf("late fusion of probabilities: InterSHAP %v, want below 1e-5", got)
				}
			}
			t.Logf("InterSHAP on logits %.4f", got)
		})
	}
}

// The same cohort as NPZ and as CSV must give the same bits.
func TestFormatsDoNotShow(t *testing.T) {
	dir := filepath.Join(sharedData(t), "icu_mortality")
	m := openModel(t, filepath.Join(dir, "model_intermediate.onnx"))
	run := func(name string) *sampleLog {
		log := &sampleLog{}
		_, err := intershap.Explain(t.Context(), m, openData(t, filepath.Join(dir, "test"+name)), openData(t, filepath.Join(dir, "train"+name)),
			intershap.Options{BackgroundSize: 4, Seed: 3, Sink: log})
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	same(t, "CSV against NPZ", run(".csv"), run(".npz"))
}

// head returns the first n rows of a file, in memory.
func head(t testing.TB, f dataset.File, n int) dataset.File {
	t.Helper()
	var arrays []dataset.Array
	var positions []int
	for i := range f.Columns() {
		positions = append(positions, i)
	}
	values, err := f.Read(t.Context(), 0, n, positions)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range f.Columns() {
		arrays = append(arrays, dataset.Array{Name: c.Name, Tensor: values[i]})
	}
	out, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Arrays of the same name as another data set's must not be taken for it.
func TestRealBackgroundMismatch(t *testing.T) {
	data := sharedData(t)
	m := openModel(t, filepath.Join(data, "mfeat", "model_late.onnx"))
	samples := openData(t, filepath.Join(data, "mfeat", "test.npz"))
	other := openData(t, filepath.Join(data, "bmmc_cite", "train.npz"))
	_, err := intershap.Explain(t.Context(), m, samples, other, intershap.Options{})
	if err == nil || !strings.Contains(err.Error(), "background") {
		t.Errorf("got %v, want an error that names the background", err)
	}
}
