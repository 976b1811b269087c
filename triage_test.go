package intershap_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/intershap/intershap"
)

// The example's scores were computed a second time in Python, by PyTorch and the
// sums of the definition (examples/triage/reference.py). The whole road, from
// the files through ONNX Runtime to the shares, must agree to what float32
// leaves of two runtimes.
func TestTriageAgainstPython(t *testing.T) {
	const tolerance = 2e-6
	dir := filepath.Join("examples", "triage")
	raw, err := os.ReadFile(filepath.Join(dir, "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Samples        []int
		BackgroundRows []int `json:"background_rows"`
		Explanations   []struct {
			Model, Output string
			Global        struct {
				InterSHAP     float64
				Contributions map[string]float64
			}
			MeanAbsolute struct{ InterSHAP float64 } `json:"mean_absolute"`
			Local        struct{ Mean float64 }
			Values       [][]float64
			Phi          [][][]float64
		}
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	if len(reference.Explanations) == 0 || len(reference.Samples) != 50 || len(reference.BackgroundRows) != 64 {
		t.Fatalf("reference.json: %d explanations of %d samples with %d background rows", len(reference.Explanations), len(reference.Samples), len(reference.BackgroundRows))
	}
	for _, want := range reference.Explanations {
		t.Run(want.Model+"/"+want.Output, func(t *testing.T) {
			samples := head(t, openData(t, filepath.Join(dir, "test.npz")), len(reference.Samples))
			rows := head(t, openData(t, filepath.Join(dir, "train.npz")), len(reference.BackgroundRows))
			log := &sampleLog{}
			ex, err := intershap.Explain(t.Context(), openModel(t, filepath.Join(dir, want.Model)), samples, rows, intershap.Options{
				Output: want.Output, BackgroundSize: intershap.AllRows, Sink: log,
			})
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) <= tolerance) {
					t.Errorf("%s is %v, want %v", what, got, want)
				}
			}
			target := ex.Targets[0]
			check("global", target.Global.InterSHAP.Or(math.NaN()), want.Global.InterSHAP)
			check("mean absolute", target.MeanAbsolute.InterSHAP.Or(math.NaN()), want.MeanAbsolute.InterSHAP)
			check("local", target.Local.Mean.Or(math.NaN()), want.Local.Mean)
			for name, share := range want.Global.Contributions {
				check("contribution of "+name, target.Global.Contributions[name].Or(math.NaN()), share)
			}
			for i, row := range log.rows {
				compare(t, fmt.Sprintf("sample %d: v", i), row.Values, want.Values[i], tolerance)
				for m, cells := range want.Phi[i] {
					compare(t, fmt.Sprintf("sample %d: phi row %d", i, m), row.Phi[3*m:3*m+3], cells, tolerance)
				}
			}
		})
	}
}
