//go:build cgo

package serving

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/serving/server"
	"github.com/intershap/intershap/tensor"
)

// openFile opens an ONNX file. Without the native library the test fails with the
// remedy.
func openFile(t testing.TB, path string) *onnx.Model {
	t.Helper()
	m, err := onnx.Open(path, onnx.Options{})
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

// TestFileOrServer explains a model as a file and behind each transport, and
// wants the same bits for every sample: ONNX Runtime computes a row alike in any
// batch, and no transport loses any of a float32.
func TestFileOrServer(t *testing.T) {
	const folder = "../../examples/triage"
	file := openFile(t, filepath.Join(folder, "model.onnx"))
	data, rows := openData(t, filepath.Join(folder, "test.npz")), openData(t, filepath.Join(folder, "train.npz"))
	opt := intershap.Options{Plan: intershap.FullPlan, BackgroundSize: 3}
	want, err := intershap.Explain(t.Context(), file, data, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	for name, url := range serve(t, file, server.Options{Rows: 50}, nil) {
		got, err := intershap.Explain(t.Context(), openRemote(t, url, quick()), data, rows, opt)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range data.Len() {
			if diff := cmp.Diff(want.Phi(i), got.Phi(i)); diff != "" {
				t.Fatalf("%s, sample %d (-want +got):\n%s", name, i, diff)
			}
		}
		if diff := cmp.Diff(targetsOf(t, want), targetsOf(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func openData(t testing.TB, path string) dataset.File {
	t.Helper()
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestRealModels asks for trained models behind each transport and wants the bits
// of the file.
func TestRealModels(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("set INTERSHAP_SHARED to the folder of shared data to compare trained models")
	}
	for _, name := range []string{"icu_mortality/model_gru", "mfeat/model_intermediate", "av_digits_parity/model_crossattn"} {
		path := filepath.Join(shared, "data", name+".onnx")
		if _, err := os.Stat(path); err != nil {
			t.Logf("%s is not there", name)
			continue
		}
		file := openFile(t, path)
		rows := openData(t, filepath.Join(filepath.Dir(path), "test.npz"))
		in := firstRows(t, rows, file.Signature().Inputs, 100)
		want, err := file.Predict(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for transport, url := range serve(t, file, server.Options{Rows: 33}, nil) {
			r := openRemote(t, url, quick())
			got, err := r.Predict(t.Context(), in)
			if err != nil {
				t.Fatalf("%s, %s: %v", name, transport, err)
			}
			if diff := sameBatch(want, got); diff != "" {
				t.Errorf("%s, %s: %s", name, transport, diff)
			}
			if err := modeltest.Verify(t.Context(), r); err != nil {
				t.Errorf("%s, %s: %v", name, transport, err)
			}
		}
	}
}

func firstRows(t testing.TB, f dataset.File, inputs []tensor.Spec, n int) model.Batch {
	t.Helper()
	samples, err := dataset.Bind(t.Context(), f, inputs, dataset.BindOptions{Role: "data"})
	if err != nil {
		t.Fatal(err)
	}
	read, err := samples.Read(t.Context(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	var in model.Batch
	for i, spec := range inputs {
		in = append(in, model.Named{Name: spec.Name, Tensor: read.Inputs[i]})
	}
	return in
}

// BenchmarkTransport measures rows a second of a model by itself and behind each
// transport of a server in the same process, with requests of so many rows, for a
// dense model (24 numbers a row, about 60,000 multiply-adds) and one of the shape
// of real data (649 numbers a row, 110,000 multiply-adds).
func BenchmarkTransport(b *testing.B) {
	type subject struct {
		name string
		path string
	}
	subjects := []subject{{"wide", "../onnx/testdata/wide.onnx"}}
	if shared := os.Getenv("INTERSHAP_SHARED"); shared != "" {
		subjects = append(subjects, subject{"mfeat", filepath.Join(shared, "data/mfeat/model_intermediate.onnx")})
	}
	for _, s := range subjects {
		file := openFile(b, s.path)
		for _, rows := range []int{32, 256} {
			var in model.Batch
			for k, spec := range file.Signature().Inputs {
				x := tensor.New(tensor.Float32, append([]int{rows}, spec.Shape[1:]...)...)
				for i := range tensor.Values[float32](x) {
					tensor.Values[float32](x)[i] = float32((i*7919+k)%1000)/500 - 1
				}
				in = append(in, model.Named{Name: spec.Name, Tensor: x})
			}
			run := func(name string, m model.Model) {
				b.Run(fmt.Sprintf("model=%s/rows=%d/transport=%s", s.name, rows, name), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := m.Predict(b.Context(), in); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				})
			}
			run("none", file)
			urls := serve(b, file, server.Options{Workers: runtime.GOMAXPROCS(0)}, nil)
			for _, name := range transports {
				run(name, openRemote(b, urls[name], Options{}))
			}
		}
	}
}
