//go:build cgo

package intershap_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

const (
	// mutants is the number of changed graphs of a plain test run; shortMutants in
	// short mode.
	mutants, shortMutants = 400, 60
	// The rows of a mutant's run are more than the engine itself looks at.
	mutantSamples, mutantBackground = 17, 11
	// longestRow bounds the inputs that are made up for a mutant.
	longestRow = 1 << 10
	// freeAxis is the length of an axis that the model leaves open.
	freeAxis = 3
	// mutantBound is what values may differ by relative to the largest, besides what
	// follows from the model's own amplification of rounding.
	mutantBound = 1e-3
	// nudge is the relative change of inputs that shows this amplification, and
	// amplified how often it may come in.
	nudge, amplified = 1e-6, 100
)

// A fate is what became of a mutant.
type fate uint8

const (
	refused fate = iota + 1 // it does not open, or fails as a whole
	whole                   // it is not cut
	agreed                  // in parts it gives what it gives whole
)

// explainMutant opens a file and explains it whole and in parts. The error says
// that the parts are wrong, or that a model which works whole fails in parts
// instead of being left whole.
func explainMutant(t testing.TB, file []byte, modalities, fixed []string) (fate, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		return refused, nil
	}
	t.Cleanup(func() { m.Close() })
	samples, background, ok := mutantRows(m.Signature().Inputs, 0)
	if !ok {
		return refused, nil
	}
	opt := intershap.Options{
		Modalities: modalities, Fixed: fixed, Task: intershap.Regression, Workers: 1,
		BackgroundSize: intershap.AllRows, Output: mutantOutput(m.Signature().Outputs),
	}
	run := func(plan intershap.PlanKind, samples, background dataset.File) (*sampleLog, error) {
		log := &sampleLog{}
		opt := opt
		opt.Plan, opt.Sink = plan, log
		_, err := intershap.Explain(t.Context(), m, samples, background, opt)
		return log, err
	}
	want, err := run(intershap.FullPlan, samples, background)
	if err != nil {
		return refused, nil
	}
	got, err := run(intershap.StagedPlan, samples, background)
	if uncut := (*model.Uncut)(nil); errors.As(err, &uncut) {
		return whole, nil
	}
	if err != nil {
		return 0, fmt.Errorf("works whole and fails in parts: %w", err)
	}
	bound := mutantBound
	samples, background, _ = mutantRows(m.Signature().Inputs, nudge)
	if nudged, err := run(intershap.FullPlan, samples, background); err == nil {
		bound += amplified * distance(nudged, want)
	}
	if d := stagedDifference(got, want, bound); d != "" {
		return 0, fmt.Errorf("parts and whole differ: %s, bound %.2g of it", d, bound)
	}
	return agreed, nil
}

// mutantOutput chooses the first output of floating-point numbers.
func mutantOutput(outputs []tensor.Spec) string {
	for _, o := range outputs {
		if o.DType.IsFloat() {
			return o.Name
		}
	}
	return outputs[0].Name
}

// mutantRows makes up rows for any inputs, each number moved by a relative change
// up or down. It reports false for inputs that are too long, or text.
func mutantRows(inputs []tensor.Spec, change float64) (samples, background dataset.File, ok bool) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := func(n int) (dataset.File, bool) {
		var arrays []dataset.Array
		for _, in := range inputs {
			shape, length := []int{n}, 1
			for _, d := range in.Shape[min(1, len(in.Shape)):] {
				if d < 0 {
					d = freeAxis
				}
				if length *= d; length > longestRow {
					return nil, false
				}
				shape = append(shape, d)
			}
			values := make([]float64, n*length)
			for i := range values {
				if in.DType.IsFloat() {
					values[i] = rng.NormFloat64() * (1 + change*float64(1-2*(i%2)))
				} else {
					values[i] = float64(rng.IntN(2))
				}
			}
			x, err := tensor.Cast(tensor.Of(values, shape...), in.DType)
			if err != nil {
				return nil, false
			}
			arrays = append(arrays, dataset.Array{Name: in.Name, Tensor: x})
		}
		f, err := dataset.FromArrays(arrays...)
		return f, err == nil
	}
	if samples, ok = rows(mutantSamples); !ok {
		return nil, nil, false
	}
	background, ok = rows(mutantBackground)
	return samples, background, ok
}

// distance returns the largest difference of two runs relative to the largest
// value of a target.
func distance(a, b *sampleLog) float64 {
	largest, difference := map[int]float64{}, map[int]float64{}
	for i, row := range b.rows {
		for s, v := range row.Values {
			largest[row.Target] = max(largest[row.Target], math.Abs(v))
			difference[row.Target] = max(difference[row.Target], math.Abs(v-a.rows[i].Values[s]))
		}
	}
	out := 0.0
	for target, d := range difference {
		if d > 0 {
			out = max(out, d/largest[target])
		}
	}
	return out
}

func TestDistance(t *testing.T) {
	run := func(v float64) *sampleLog {
		return &sampleLog{rows: []result.SampleRow{{Values: []float64{4, 1}}, {Target: 1, Values: []float64{1, v}}}}
	}
	if got := distance(run(0.5), run(0.25)); got != 0.25 {
		t.Errorf("distance %v, want a quarter of the second target's largest", got)
	}
	if got := distance(run(0), run(0)); got != 0 {
		t.Errorf("distance %v of equal runs", got)
	}
}

// mutant changes a random graph, or the bytes of its file.
func mutant(seed, change uint64) (file []byte, c *graphtest.Case, changes []string) {
	c = graphtest.New(seed)
	rng := rand.New(rand.NewPCG(seed, change))
	const flips = 8 // one in so many
	if rng.IntN(flips) == 0 {
		return graphtest.FlipBytes(rng, c.Model), c, []string{"bytes"}
	}
	file, changes = graphtest.Mutate(rng, c.Model)
	return file, c, changes
}

// Graphs with faults in them never give a wrong result in parts.
func TestMutatedGraphs(t *testing.T) {
	n := uint64(mutants)
	if testing.Short() {
		n = shortMutants
	}
	counts := map[fate]int{}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { // a panic names its mutant
			file, c, changes := mutant(seed, 1)
			got, err := explainMutant(t, file, c.Modalities, c.Fixed)
			if err != nil {
				t.Errorf("changed %s, made of %v: %v", strings.Join(changes, ", "), c.Kinds, err)
			}
			counts[got]++
		})
	}
	t.Logf("of %d mutants %d are refused, %d stay whole, %d agree in parts", n, counts[refused], counts[whole], counts[agreed])
	if counts[agreed]*10 < int(n) || counts[whole]*20 < int(n) {
		t.Errorf("of %d mutants %d agree in parts and %d stay whole: too few to prove anything", n, counts[agreed], counts[whole])
	}
}

func FuzzMutatedGraph(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, seed, change uint64) {
		file, c, changes := mutant(seed, change)
		if _, err := explainMutant(t, file, c.Modalities, c.Fixed); err != nil {
			t.Errorf("changed %s, made of %v: %v", strings.Join(changes, ", "), c.Kinds, err)
		}
	})
}

func FuzzGraphFile(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(graphtest.New(seed).Model)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := explainMutant(t, file, nil, nil); err != nil {
			t.Error(err)
		}
	})
}
