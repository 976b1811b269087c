package compare_test

import (
	"bytes"
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
	var document bytes.Buffer
	if err := ex.Write(&document); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(&document); err != nil {
		t.Errorf("what a run writes does not read: %v", err)
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
	o := &oracle{m: len(a.Result.Modalities), rng: rand.New(rand.NewPCG(11, 12)), each: 2000}
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

// value is what mean matrices and absolute ones and local scores say of a quantity.
func (o *oracle) value(q compare.Quantity, names []string, mean, absolute []float64, local float64) float64 {
	cells := mean
	switch q.Aggregation {
	case compare.Local:
		return local
	case compare.MeanAbsolute:
		cells = absolute
	}
	all := 0.0
	for _, x := range cells {
		all += math.Abs(x)
	}
	at := func(i int) int { return slices.Index(names, q.Modalities[i]) }
	switch q.Kind {
	case compare.Contribution:
		return math.Abs(cells[at(0)*(o.m+1)]) / all
	case compare.Pair:
		return 2 * math.Abs(cells[at(0)*o.m+at(1)]) / all
	}
	return o.share(cells)
}

// of returns what a side says of all quantities, over the given samples.
func (o *oracle) of(side int, rows []int, list []compare.Quantity, names []string) []float64 {
	absolute, local := make([]float64, o.m*o.m), 0.0
	for _, r := range rows {
		for k, x := range o.phi[side][r] {
			absolute[k] += math.Abs(x) / float64(len(rows))
		}
		local += o.share(o.phi[side][r]) / float64(len(rows))
	}
	mean := o.mean(side, rows)
	var out []float64
	for _, q := range list {
		out = append(out, o.value(q, names, mean, absolute, local))
	}
	return out
}

// A found is a difference with its percentile interval of 95 %.
type found struct{ delta, low, high float64 }

// differences returns those of all quantities, and how many cells of the mean of either
// side keep their sign in fewer than 99.9 % of the draws.
func (o *oracle) differences(list []compare.Quantity, names []string) (out []found, unclear int) {
	rows := o.every()
	whole := [2][]float64{o.mean(0, rows), o.mean(1, rows)}
	a, b := o.of(0, rows, list, names), o.of(1, rows, list, names)
	draws := make([][]float64, len(list))
	turned := [2][]int{make([]int, o.m*o.m), make([]int, o.m*o.m)}
	for range o.each {
		for i := range rows {
			rows[i] = o.rng.IntN(len(rows))
		}
		x, y := o.of(0, rows, list, names), o.of(1, rows, list, names)
		for q := range list {
			draws[q] = append(draws[q], y[q]-x[q])
		}
		for k := range whole {
			for c, v := range o.mean(k, rows) {
				if v*whole[k][c] <= 0 {
					turned[k][c]++
				}
			}
		}
	}
	for _, side := range turned {
		for _, n := range side {
			if n > o.each/1000 {
				unclear++
			}
		}
	}
	const tail = .025
	for q, all := range draws {
		slices.Sort(all)
		out = append(out, found{b[q] - a[q], all[int(tail*float64(o.each))], all[int((1-tail)*float64(o.each))]})
	}
	return out, unclear
}

// What compare says of real models must be what a bootstrap by the book says, in every
// row over all samples: the same difference; the same interval of mean absolutes and local
// scores, and of global rows where all signs are clear; where they are not, an interval
// that holds the plain one, since percentiles of absolute values are too bold there.
func TestRealModels(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	said, same, wide := 0, 0, 0
	for _, name := range []string{"breast_tcga", "bmmc_cite"} {
		for _, target := range []string{"label", "predicted"} {
			runs := map[string]compare.Run{}
			for _, fusion := range []string{"early", "intermediate", "late"} {
				runs[fusion] = explained(t, filepath.Join(shared, "data", name), fusion, target)
			}
			for _, pair := range [][2]string{{"early", "intermediate"}, {"early", "late"}, {"intermediate", "late"}} {
				t.Run(name+"/"+target+"/"+pair[1]+"-"+pair[0], func(t *testing.T) {
					a, b := runs[pair[0]], runs[pair[1]]
					c, err := compare.Compare(t.Context(), compare.Side{Label: pair[0], Runs: []compare.Run{a}}, compare.Side{Label: pair[1], Runs: []compare.Run{b}}, compare.Options{Seed: 1, Draws: 2000})
					if err != nil {
						t.Fatal(err)
					}
					if c.Method != compare.PairedBootstrap || !c.SameBackground {
						t.Errorf("want a paired bootstrap with the same background, got %s, %v", c.Method, c.SameBackground)
					}
					var rows []compare.Row
					var list []compare.Quantity
					for _, r := range c.Targets[0].Rows {
						if r.Class == nil && r.Kind != compare.Accuracy {
							rows, list = append(rows, r), append(list, r.Quantity)
						}
					}
					if m := len(a.Result.Modalities); len(rows) != 3+m*(m+1) {
						t.Fatalf("want %d rows over all samples, got %d", 3+m*(m+1), len(rows))
					}
					all, unclear := newOracle(a, b, target).differences(list, a.Result.Modalities)
					for i, want := range all {
						r := &rows[i]
						delta, low, high := r.Delta.Or(9), r.Low.Or(9), r.High.Or(-9)
						t.Logf("%d unclear cells, %s %s %v: want %.4f [%.4f, %.4f], got %.4f [%.4f, %.4f] %s", unclear, r.Aggregation, r.Kind, r.Modalities, want.delta, want.low, want.high, delta, low, high, r.Verdict)
						if math.Abs(delta-want.delta) > 1e-9 {
							t.Errorf("%s %s %v: difference: want %v, got %v", r.Aggregation, r.Kind, r.Modalities, want.delta, delta)
						}
						if r.Verdict == compare.Higher && want.low <= 0 || r.Verdict == compare.Lower && want.high >= 0 {
							t.Errorf("%s %s %v: %s, where the bootstrap says [%v, %v]", r.Aggregation, r.Kind, r.Modalities, r.Verdict, want.low, want.high)
						}
						if r.Verdict != compare.Unclear {
							said++
						}
						// The tails are expanded: with 40 samples that makes 5 % of the width.
						slack := slackOf * (want.high - want.low)
						if unclear > 0 && r.Aggregation == compare.Global {
							wide++
							if low > want.low+slack || high < want.high-slack {
								t.Errorf("global %s %v: want an interval that holds [%v, %v], got [%v, %v]", r.Kind, r.Modalities, want.low, want.high, low, high)
							}
							continue
						}
						same++
						if math.Abs(low-want.low) > slack || math.Abs(high-want.high) > slack {
							t.Errorf("%s %s %v: want [%v, %v], got [%v, %v]", r.Aggregation, r.Kind, r.Modalities, want.low, want.high, low, high)
						}
					}
				})
			}
		}
	}
	if said < 40 || same < 40 || wide < 20 {
		t.Errorf("%d statements, %d intervals to be the same and %d to be wider: too few for this test to tell", said, same, wide)
	}
}

// slackOf is the part of the width by which ends of two bootstraps may be apart.
const slackOf = .1
