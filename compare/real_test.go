package compare_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// kept keeps the samples of a run.
type kept struct{ s result.Samples }

func (k *kept) Begin(h result.SamplesHeader) error {
	k.s = result.Samples{Path: "kept", Modalities: h.Modalities, Targets: []string{""}, ByTarget: make([]result.TargetSamples, 1)}
	return nil
}

func (k *kept) Write(row result.SampleRow) error {
	k.s.IDs, k.s.Predicted = append(k.s.IDs, row.ID), append(k.s.Predicted, row.Predicted)
	t := &k.s.ByTarget[0]
	t.Base, t.Output = append(t.Base, row.Base), append(t.Output, row.Output)
	t.InterSHAP, t.SE = append(t.InterSHAP, row.InterSHAP), append(t.SE, row.SE)
	t.Phi = append(t.Phi, row.Phi...)
	return nil
}

// explained runs a real model.
func explained(t *testing.T, folder, fusion, target string) compare.Run {
	t.Helper()
	open := func(name string) dataset.File {
		f, err := dataset.Open(t.Context(), filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	m, err := onnx.Open(filepath.Join(folder, "model_"+fusion+".onnx"), onnx.Options{Outputs: func([]tensor.Spec) []string { return []string{"probabilities"} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	sink := &kept{}
	ex, err := intershap.Explain(t.Context(), m, open("test.npz"), open("train.npz"), intershap.Options{Target: target, BackgroundSize: 80, Seed: 1, Sink: sink, Output: "probabilities"})
	if err != nil {
		t.Fatal(err)
	}
	return compare.Run{Path: fusion + ".json", Result: &ex.Explanation, Samples: &sink.s}
}

// An oracle is a bootstrap that knows nothing of package compare: it draws samples as
// lists and takes absolute values of means.
type oracle struct {
	m    int
	phi  [2][][]float64 // of each sample that counts, whole matrices
	rng  *rand.Rand
	each int // draws
}

func newOracle(a, b compare.Run, target string) *oracle {
	o := &oracle{m: len(a.Result.Modalities), rng: rand.New(rand.NewPCG(11, 12)), each: 4000}
	for i := range a.Samples.Len() {
		if target == "predicted" && a.Samples.Predicted[i] != b.Samples.Predicted[i] {
			continue
		}
		o.phi[0] = append(o.phi[0], a.Samples.ByTarget[0].Matrix(i, o.m))
		o.phi[1] = append(o.phi[1], b.Samples.ByTarget[0].Matrix(i, o.m))
	}
	return o
}

func (o *oracle) mean(side int, rows []int) []float64 {
	out := make([]float64, o.m*o.m)
	for _, r := range rows {
		for k, x := range o.phi[side][r] {
			out[k] += x / float64(len(rows))
		}
	}
	return out
}

// share is the definition: over both triangles, off the diagonal.
func (o *oracle) share(mean []float64) float64 {
	pairs, all := 0.0, 0.0
	for i := range o.m {
		for j := range o.m {
			size := math.Abs(mean[i*o.m+j])
			if all += size; i != j {
				pairs += size
			}
		}
	}
	return pairs / all
}

func (o *oracle) every() []int {
	rows := make([]int, len(o.phi[0]))
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// delta returns the difference of all samples, with its percentile interval of 95 %,
// and how many cells of either side keep their sign in fewer than 99.9 % of the draws.
func (o *oracle) delta() (delta, low, high float64, unclear int) {
	rows := o.every()
	whole := [2][]float64{o.mean(0, rows), o.mean(1, rows)}
	delta = o.share(whole[1]) - o.share(whole[0])
	var all []float64
	turned := [2][]int{make([]int, o.m*o.m), make([]int, o.m*o.m)}
	for range o.each {
		for i := range rows {
			rows[i] = o.rng.IntN(len(rows))
		}
		var shares [2]float64
		for k := range shares {
			mean := o.mean(k, rows)
			shares[k] = o.share(mean)
			for c, x := range mean {
				if x*whole[k][c] <= 0 {
					turned[k][c]++
				}
			}
		}
		all = append(all, shares[1]-shares[0])
	}
	for _, side := range turned {
		for _, n := range side {
			if n > o.each/1000 {
				unclear++
			}
		}
	}
	slices.Sort(all)
	const tail = .025
	return delta, all[int(tail*float64(o.each))], all[int((1-tail)*float64(o.each))], unclear
}

// What compare says of real models must be what a bootstrap by the book says: the same
// difference; the same interval where all signs are clear; and never more than it, where
// they are not, since percentiles of absolute values are too bold there.
func TestRealModels(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	said, same := 0, 0
	for _, name := range []string{"breast_tcga", "bmmc_cite"} {
		for _, target := range []string{"label", "predicted"} {
			runs := map[string]compare.Run{}
			for _, fusion := range []string{"early", "intermediate", "late"} {
				runs[fusion] = explained(t, filepath.Join(shared, "data", name), fusion, target)
			}
			for _, pair := range [][2]string{{"early", "intermediate"}, {"early", "late"}, {"intermediate", "late"}} {
				t.Run(name+"/"+target+"/"+pair[1]+"-"+pair[0], func(t *testing.T) {
					a, b := runs[pair[0]], runs[pair[1]]
					c, err := compare.Compare(t.Context(), compare.Side{Label: pair[0], Runs: []compare.Run{a}}, compare.Side{Label: pair[1], Runs: []compare.Run{b}}, compare.Options{Seed: 1, Draws: 4000})
					if err != nil {
						t.Fatal(err)
					}
					if c.Method != compare.PairedBootstrap || !c.SameBackground {
						t.Errorf("want a paired bootstrap with the same background, got %s, %v", c.Method, c.SameBackground)
					}
					delta, low, high, unclear := newOracle(a, b, target).delta()
					r := c.Targets[0].HeadlineRow()
					t.Logf("%d unclear cells: want %.3f [%.3f, %.3f], got %.3f [%.3f, %.3f] %s", unclear, delta, low, high, r.Delta.Or(9), r.Low.Or(9), r.High.Or(9), r.Verdict)
					if math.Abs(r.Delta.Or(9)-delta) > 1e-9 {
						t.Errorf("difference: want %v, got %v", delta, r.Delta)
					}
					if r.Verdict == compare.Higher && low <= 0 || r.Verdict == compare.Lower && high >= 0 {
						t.Errorf("%s, where the bootstrap says [%v, %v]", r.Verdict, low, high)
					}
					if r.Verdict != compare.Unclear {
						said++
					}
					if unclear > 0 {
						return
					}
					same++
					// The tails are expanded: with 40 samples that makes 5 % of the width.
					if slack := .08 * (high - low); math.Abs(r.Low.Or(9)-low) > slack || math.Abs(r.High.Or(9)-high) > slack {
						t.Errorf("interval: want [%v, %v], got [%v, %v]", low, high, r.Low, r.High)
					}
					if (low > 0 || high < 0) != (r.Verdict != compare.Unclear) {
						t.Errorf("want a statement as from [%v, %v], got %s", low, high, r.Verdict)
					}
				})
			}
		}
	}
	if said < 4 || same < 4 {
		t.Errorf("%d statements, and %d of 12 comparisons with clear signs: too few for this test to tell", said, same)
	}
}
