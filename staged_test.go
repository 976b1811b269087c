//go:build cgo

package intershap_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/result"
)

const (
	// stagedSeeds is the number of random graphs; shortStagedSeeds in short mode.
	stagedSeeds, shortStagedSeeds = 320, 40
	// The rows of a random graph's run; blocks of background rows are not of one
	// length, and tiles not full.
	stagedSamples, stagedBackground = 33, 20
	// Seeds of rows.
	sampleSeed, backgroundSeed = 1, 2
	// leastCut is the share of sound random graphs that must be cut: a cut that stops
	// working must not go unseen.
	leastCut = 0.9
)

// stagedOnceWrong are seeds of graphs that were once wrong in parts.
var stagedOnceWrong = []uint64{1135, 1203, 1207}

// stagedBound is what v(S) may differ by between a model in parts and whole,
// relative to the largest. Dense layers behind a concatenation are summed in
// another order, some hundred units of the model's rounding behind a normalisation;
// half precision rounds what is within its unit anyway, and the runtime computes
// functions of doubles to some 1e-13.
func stagedBound(rounding float64) float64 {
	const single, half, double = 3e-5, 4e-3, 1e-11
	switch {
	case rounding > single:
		return half
	case rounding < double:
		return double
	}
	return single
}

// A stagedCase is a random graph with rows for it.
type stagedCase struct {
	*graphtest.Case
	model               *onnx.Model
	samples, background dataset.File
}

func newStagedCase(t testing.TB, seed uint64) stagedCase {
	t.Helper()
	c := graphtest.New(seed)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, c.Model, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	rows := func(seed uint64, n int) dataset.File {
		var arrays []dataset.Array
		for i, x := range c.Data(seed, n) {
			arrays = append(arrays, dataset.Array{Name: c.Inputs[i].Name, Tensor: x})
		}
		f, err := dataset.FromArrays(arrays...)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	return stagedCase{c, m, rows(sampleSeed, stagedSamples), rows(backgroundSeed, stagedBackground)}
}

// options asks about one output, every column of it, with a transform now and
// then.
func (c stagedCase) options(t testing.TB, out graphtest.Output) intershap.Options {
	t.Helper()
	task, err := intershap.ParseTask(out.Task)
	if err != nil {
		t.Fatal(err)
	}
	opt := intershap.Options{
		Modalities: c.Modalities, Fixed: c.Fixed, Output: out.Name, Task: task, Target: "all",
		BackgroundSize: intershap.AllRows, Workers: 1, Seed: c.Seed,
	}
	linear := strings.HasPrefix(out.Name, "logit")
	switch {
	case out.Task == "regression":
		opt.Target = ""
	case c.Seed%5 == 0 && out.Name == "logits":
		opt.Transform = engine.Softmax
	case c.Seed%5 == 1 && out.Name == "logits":
		opt.Transform = engine.Centred
	case c.Seed%5 == 2 && linear:
		opt.Transform = engine.Sigmoid
	case c.Seed%5 == 3 && !linear:
		opt.Transform = engine.Log
	}
	return opt
}

// explain runs one plan.
func (c stagedCase) explain(t testing.TB, opt intershap.Options, plan intershap.PlanKind) (*intershap.Explanation, *sampleLog, error) {
	log := &sampleLog{}
	opt.Plan, opt.Sink = plan, log
	ex, err := intershap.Explain(t.Context(), c.model, c.samples, c.background, opt)
	return ex, log, err
}

// stagedDifference says what is different in the values of every sample and
// coalition, "" if nothing is by more than bound relative to the largest of a
// target.
func stagedDifference(got, want *sampleLog, bound float64) string {
	if len(got.rows) != len(want.rows) {
		return fmt.Sprintf("%d rows, want %d", len(got.rows), len(want.rows))
	}
	largest := map[int]float64{}
	for _, row := range want.rows {
		for _, v := range row.Values {
			largest[row.Target] = max(largest[row.Target], math.Abs(v))
		}
	}
	for i, row := range want.rows {
		if got.rows[i].Sample != row.Sample || got.rows[i].Target != row.Target {
			return fmt.Sprintf("row %d is sample %d, target %d, want sample %d, target %d", i, got.rows[i].Sample, got.rows[i].Target, row.Sample, row.Target)
		}
		if d := difference(got.rows[i].Values, row.Values, bound*largest[row.Target]); d != "" {
			return fmt.Sprintf("sample %d, target %d: v(S): %s, largest %v", row.Sample, row.Target, d, largest[row.Target])
		}
	}
	return ""
}

// effect returns the largest |v(S+i) - v(S)|.
func effect(log *sampleLog, player int) float64 {
	largest := 0.0
	for _, row := range log.rows {
		for s, v := range row.Values {
			if s>>player&1 == 0 {
				largest = max(largest, math.Abs(row.Values[s|1<<player]-v))
			}
		}
	}
	return largest
}

// largest returns the largest |v(S)|.
func largest(log *sampleLog) float64 {
	out := 0.0
	for _, row := range log.rows {
		for _, v := range row.Values {
			out = max(out, math.Abs(v))
		}
	}
	return out
}

// The comparison must see a value that moved, a row that is missing and one that
// is no number, and nothing else.
func TestStagedDifference(t *testing.T) {
	values := func(move float64) *sampleLog {
		log := &sampleLog{}
		for sample := range 3 {
			for target := range 2 {
				row := result.SampleRow{Sample: sample, Target: target, Values: []float64{0.5, -2, 1, 0.25}}
				if sample == 1 && target == 1 {
					row.Values[2] += move
				}
				log.rows = append(log.rows, row)
			}
		}
		return log
	}
	short := values(0)
	short.rows = short.rows[1:]
	for _, c := range []struct {
		name, reason string
		got          *sampleLog
		different    bool
	}{
		{"same", "nothing moved", values(0), false},
		{"rounding", "within the bound of a largest 2", values(1e-5), false},
		{"moved", "1e-4 is more than rounding", values(1e-4), true},
		{"not a number", "never close", values(math.NaN()), true},
		{"short", "a sample is missing", short, true},
	} {
		if d := stagedDifference(c.got, values(0), stagedBound(1.0/(1<<23))); (d != "") != c.different {
			t.Errorf("%s (%s): %q", c.name, c.reason, d)
		}
	}
	if got := effect(values(0), 1); got != 2.25 {
		t.Errorf("effect of the second modality %v, want 2.25: v goes from -2 to 0.25 with it", got)
	}
}

// A tally counts what became of the random graphs.
type tally struct {
	sync.Mutex
	sound, cut, additive, recognised int
	reasons                          map[string]int
}

func (s *tally) count(uncut *model.Uncut) {
	s.Lock()
	defer s.Unlock()
	s.sound++
	if uncut == nil {
		s.cut++
		return
	}
	s.reasons[uncut.Op+": "+uncut.Reason]++
}

// Every random graph gives the same values whole and in parts; one whose rows
// depend on each other is never cut.
func TestStagedEqualsFull(t *testing.T) {
	seeds := stagedSeeds
	if testing.Short() {
		seeds = shortStagedSeeds
	}
	sum := &tally{reasons: map[string]int{}}
	t.Run("seed", func(t *testing.T) {
		for seed := range uint64(seeds) + uint64(len(stagedOnceWrong)) {
			if seed >= uint64(seeds) {
				seed = stagedOnceWrong[seed-uint64(seeds)]
			}
			if len(graphtest.New(seed).Players) == 1 {
				continue // nothing to explain
			}
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				c := newStagedCase(t, seed)
				if len(c.Unsafe) > 0 {
					fallsBack(t, c)
					return
				}
				sum.equal(t, c, c.Outputs[seed/2%uint64(len(c.Outputs))])
				if t.Failed() {
					t.Logf("made of %v; again: go test . -run 'TestStagedEqualsFull/seed/%d$'", c.Kinds, seed)
				}
			})
		}
	})
	t.Logf("%d of %d sound outputs were explained in parts, %d of %d additive ones recognised", sum.cut, sum.sound, sum.recognised, sum.additive)
	for reason, n := range sum.reasons {
		t.Logf("%4d not cut: %s", n, reason)
	}
	if float64(sum.cut) < leastCut*float64(sum.sound) {
		t.Errorf("%d of %d sound outputs were explained in parts, want %v of them", sum.cut, sum.sound, leastCut)
	}
	if sum.additive == 0 || sum.recognised < sum.additive {
		t.Errorf("%d of %d additive outputs were recognised, want all of some", sum.recognised, sum.additive)
	}
}

// equal compares the plans for one output.
func (s *tally) equal(t *testing.T, c stagedCase, out graphtest.Output) {
	t.Helper()
	opt := c.options(t, out)
	_, want, err := c.explain(t, opt, intershap.FullPlan)
	if err != nil {
		t.Fatalf("%s, plan full: %v", out.Name, err)
	}
	ex, got, err := c.explain(t, opt, intershap.StagedPlan)
	var uncut *model.Uncut
	switch {
	case errors.As(err, &uncut):
		if !c.Opaque {
			t.Logf("%s is not cut: %v", out.Name, uncut)
			s.count(uncut)
		}
		return
	case err != nil:
		t.Errorf("%s, plan staged: %v", out.Name, err)
		return
	}
	if !c.Opaque {
		s.count(nil)
	}
	if ex.Provenance.Plan != intershap.StagedPlan.String() {
		t.Errorf("%s: provenance says plan %q, want staged", out.Name, ex.Provenance.Plan)
	}
	if d := stagedDifference(got, want, stagedBound(c.Rounding)); d != "" {
		t.Errorf("%s, transform %v: %s", out.Name, opt.Transform, d)
	}
	for i, name := range ex.Modalities {
		if !slices.Contains(c.Ignored, name) {
			continue
		}
		if got := effect(got, i); got != 0 {
			t.Errorf("%s: the ignored modality %s has an effect of %v in parts, want exactly 0", out.Name, name, got)
		}
		// Whole, the runtime adds up a short last axis in an order that depends on
		// where a row lies in memory, so that its last bit depends on its place.
		if got, most := effect(want, i), 2*c.Rounding*(1+largest(want)); got > most {
			t.Errorf("%s: the ignored modality %s has an effect of %v whole, want at most %v", out.Name, name, got, most)
		}
	}
	if out.Additive && len(ex.Modalities) > 1 && (opt.Transform == engine.Identity || opt.Transform == engine.Centred) {
		s.Lock()
		s.additive++
		if ex.Provenance.Additive {
			s.recognised++
		} else {
			t.Logf("%s is additive and not recognised: %v", out.Name, c.Kinds)
		}
		s.Unlock()
	}
}

// fallsBack checks that a graph which mixes rows is explained whole, and why.
func fallsBack(t *testing.T, c stagedCase) {
	t.Helper()
	opt := c.options(t, c.Outputs[0])
	ex, _, err := c.explain(t, opt, intershap.AutoPlan)
	if err != nil {
		t.Fatal(err)
	}
	if ex.Provenance.Plan != intershap.FullPlan.String() {
		t.Errorf("made of %v: rows depend on each other, and the plan is %q, want full", c.Kinds, ex.Provenance.Plan)
	}
	_, _, err = c.explain(t, opt, intershap.StagedPlan)
	var uncut *model.Uncut
	if !errors.As(err, &uncut) {
		t.Fatalf("made of %v: plan staged: want an Uncut error, got %v", c.Kinds, err)
	}
	if !slices.Contains(c.Unsafe, uncut.Node) {
		t.Errorf("made of %v: %v is blamed, want one of the nodes %v", c.Kinds, uncut, c.Unsafe)
	}
	for _, w := range ex.Warnings {
		if w.ID == "not-staged" && strings.Contains(w.Text, uncut.Node) {
			return
		}
	}
	t.Errorf("no warning not-staged that names the node %q: %v", uncut.Node, ex.Warnings)
}

// The rows of a comparison of real models.
const realSamples, realBackground = 64, 50

// additiveFiles has the output that is additive, by the name of the file.
var additiveFiles = map[string]string{"model_late.onnx": "logits", "model_lateprob.onnx": "probabilities"}

// Every real model gives the same values whole and in parts, on both outputs.
func TestRealModelsStaged(t *testing.T) {
	for _, path := range realModels(t) {
		t.Run(caseName(path), func(t *testing.T) {
			dir := filepath.Dir(path)
			samples := openData(t, filepath.Join(dir, "test.npz"))
			samples = head(t, samples, min(realSamples, samples.Len()))
			rows := openData(t, filepath.Join(dir, "train.npz"))
			for _, output := range []string{"logits", "probabilities"} {
				run := func(plan intershap.PlanKind) (*intershap.Explanation, *sampleLog) {
					t.Helper()
					log := &sampleLog{}
					ex, err := intershap.Explain(t.Context(), openModel(t, path), samples, rows, intershap.Options{
						Output: output, BackgroundSize: realBackground, Plan: plan, Sink: log, Seed: 1,
					})
					if err != nil {
						t.Fatal(err)
					}
					return ex, log
				}
				_, want := run(intershap.FullPlan)
				ex, got := run(intershap.StagedPlan)
				if d := stagedDifference(got, want, stagedBound(1.0/(1<<23))); d != "" {
					t.Errorf("%s: %s", output, d)
				}
				if want := additiveFiles[filepath.Base(path)] == output; ex.Provenance.Additive != want {
					t.Errorf("%s: additive %v, want %v", output, ex.Provenance.Additive, want)
				}
				t.Logf("%s: additive %v, rows %v of %d", output, ex.Provenance.Additive, ex.Cost.Rows, ex.Cost.RowsNaive)
			}
		})
	}
}
