package synth_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/synth"
	"github.com/intershap/intershap/tensor"
)

// openBaseline opens a baseline's file; without cgo the test is skipped.
func openBaseline(t *testing.T, o synth.HDXOROptions) (*onnx.Model, *synth.Baseline) {
	t.Helper()
	baseline, err := o.Baseline()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := baseline.ONNX()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), synth.BaselineFile)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if errors.Is(err, onnx.ErrNoCgo) {
		t.Skip("running a model takes cgo")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, baseline
}

// bothLabellings calls f for all settings with bits.
func bothLabellings(t *testing.T, modalities []int, f func(*testing.T, synth.HDXOROptions)) {
	for _, m := range modalities {
		for _, s := range synth.HDXORSettings(m) {
			for _, l := range []synth.Labelling{synth.ExactlyOne, synth.Parity} {
				if s == synth.Random {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/M=%d", s, l, m), func(t *testing.T) {
					f(t, synth.HDXOROptions{Setting: s, Modalities: m, Labelling: l})
				})
			}
		}
	}
}

// The file answers as the Go function does, for modalities that agree and for
// those of different samples: exactly 0 and 1.
func TestBaselineFile(t *testing.T) {
	bothLabellings(t, []int{2, 3, 6}, func(t *testing.T, o synth.HDXOROptions) {
		m, baseline := openBaseline(t, o)
		population, err := o.Population()
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		var rows [][][]float32 // by sample, by modality
		for _, p := range population {
			rows = append(rows, p.Bits)
			mixed := make([][]float32, len(p.Bits))
			for i := range mixed {
				mixed[i] = population[rng.IntN(len(population))].Bits[i]
			}
			// What a mask may put there: bits that are none.
			odd := make([][]float32, len(p.Bits))
			for i, b := range p.Bits {
				for range b {
					odd[i] = append(odd[i], float32(rng.NormFloat64()))
				}
			}
			rows = append(rows, mixed, odd)
		}
		var batch model.Batch
		for i, spec := range m.Signature().Inputs {
			in := tensor.New(tensor.Float32, len(rows), len(rows[0][i]))
			for r, row := range rows {
				copy(tensor.Values[float32](in.Slice(r, r+1)), row[i])
			}
			batch = append(batch, model.Named{Name: spec.Name, Tensor: in})
			if want := fmt.Sprintf("%s float32[N,%d]", synth.ModalityName(i), len(rows[0][i])); spec.String() != want {
				t.Errorf("want the input %s, got %s", want, spec)
			}
		}
		out, err := m.Predict(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 1 || out[0].Name != "probabilities" {
			t.Fatalf("want the output probabilities, got %v", out)
		}
		seen := [2]bool{}
		for r, got := range rowsOf(out[0].Tensor) {
			label := baseline.Label(rows[r])
			seen[label] = true
			want := [2]float32{1 - float32(label), float32(label)}
			if got != want {
				t.Fatalf("bits %v: want %v, got %v", rows[r], want, got)
			}
		}
		if !seen[0] || !seen[1] {
			t.Error("only one label was tried")
		}
	})
}

func rowsOf(t tensor.Tensor) [][2]float32 {
	var out [][2]float32
	v := tensor.Values[float32](t)
	for i := 0; i < len(v); i += 2 {
		out = append(out, [2]float32{v[i], v[i+1]})
	}
	return out
}

// What the labels of a population are is what its baseline says.
func TestBaselineMakesTheLabels(t *testing.T) {
	bothLabellings(t, []int{2, 3, 5}, func(t *testing.T, o synth.HDXOROptions) {
		population, f := data(t, o)
		for _, p := range population {
			if got := f(p.Bits); got != p.Label {
				t.Errorf("bits %v: want the label %d, got %d", p.Bits, p.Label, got)
			}
		}
	})
}

// The whole tool explains the file on the population, in parts and whole, and
// finds the rational numbers of [TestKnownAnswers].
func TestExplainedBaseline(t *testing.T) {
	for _, c := range []struct {
		o    synth.HDXOROptions
		want float64
	}{
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 2}, 1},
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 3}, 163.0 / 176},
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 4}, 19.0 / 20},
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 5}, 823.0 / 836},
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 3, Labelling: synth.Parity}, 3.0 / 4},
		{synth.HDXOROptions{Setting: synth.Synergy, Modalities: 5, Labelling: synth.Parity}, 5.0 / 8},
		{synth.HDXOROptions{Setting: synth.Uniqueness(2), Modalities: 3}, 0},
		{synth.HDXOROptions{Setting: synth.Redundancy, Modalities: 2}, 1.0 / 2},
	} {
		for _, plan := range []intershap.PlanKind{intershap.StagedPlan, intershap.FullPlan} {
			t.Run(fmt.Sprintf("%s/%v/M=%d/%v", c.o.Setting, c.o.Labelling, c.o.Modalities, plan), func(t *testing.T) {
				m, _ := openBaseline(t, c.o)
				population, err := c.o.Population()
				if err != nil {
					t.Fatal(err)
				}
				ex, err := intershap.Explain(t.Context(), m, fileOf(t, population), nil, intershap.Options{
					BackgroundSize: intershap.AllRows, Plan: plan, Workers: 1, Sink: intershap.Discard,
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := ex.Global().InterSHAP.Or(math.NaN()); !(math.Abs(got-c.want) <= 1e-12) {
					t.Errorf("want %v, got %v", c.want, got)
				}
			})
		}
	}
}

// fileOf makes a data file of a population, each pattern as often as it counts.
func fileOf(t *testing.T, population []synth.Pattern) dataset.File {
	t.Helper()
	var arrays []dataset.Array
	for i := range population[0].Bits {
		var column []float32
		for _, p := range population {
			for range p.Count {
				column = append(column, p.Bits[i]...)
			}
		}
		width := len(population[0].Bits[i])
		arrays = append(arrays, dataset.Array{Name: synth.ModalityName(i), Tensor: tensor.Of(column, len(column)/width, width)})
	}
	f, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The setting random has neither bits nor a labelling.
func TestRandomHasNoBaseline(t *testing.T) {
	o := synth.HDXOROptions{Setting: synth.Random}
	if _, err := o.Baseline(); !errors.Is(err, synth.ErrOptions) {
		t.Errorf("want a baseline to be refused, got %v", err)
	}
	if _, err := o.Population(); !errors.Is(err, synth.ErrOptions) {
		t.Errorf("want a population to be refused, got %v", err)
	}
}
