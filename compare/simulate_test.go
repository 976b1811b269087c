package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

var scoreOptions = score.Options{Level: .95, Quantile: studentT}

// A world makes samples of a run with a known mean matrix.
type world struct {
	m int
	// truth is the packed mean matrix.
	truth []float64
	// noise is the standard deviation of each cell over samples, common the correlation
	// of two runs of the same samples.
	noise, common float64
	skewed        bool
}

// draw returns packed matrices of n samples. shared holds what runs of the same samples
// have in common; nil for samples of their own.
func (w world) draw(rng *rand.Rand, n int, shared []float64) []float64 {
	p := packedLen(w.m)
	out := make([]float64, n*p)
	own := 1.0
	if shared != nil {
		own = math.Sqrt(1 - w.common)
	}
	for i := range out {
		e := own * w.deviation(rng)
		if shared != nil {
			e += math.Sqrt(w.common) * shared[i]
		}
		out[i] = w.truth[i%p] + w.noise*e
	}
	return out
}

// deviation has mean 0 and variance 1.
func (w world) deviation(rng *rand.Rand) float64 {
	if w.skewed {
		return rng.ExpFloat64() - 1
	}
	return rng.NormFloat64()
}

// deviations are what runs of the same samples have in common.
func (w world) deviations(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n*packedLen(w.m))
	for i := range out {
		out[i] = w.deviation(rng)
	}
	return out
}

// tableOf lays packed matrices out, each sample a unit of its own.
func tableOf(m int, phi []float64) *table {
	n := len(phi) / packedLen(m)
	t := &table{m: m, classes: 1, units: n, convention: score.Paper, level: .95, phi: phi, class: make([]int, n), local: make([]score.Share, n)}
	for i := range n {
		t.unit = append(t.unit, i)
	}
	return t
}

// global returns the statistic of the global score of two tables.
func global(t testing.TB, tables [2]*table) []statistic {
	t.Helper()
	var names []string
	for i := range tables[0].m {
		names = append(names, "m"+strconv.Itoa(i))
	}
	b := &builder{tables: tables, names: [2][]string{names, names}, frames: map[frameKey]*frame{}, same: make([]bool, tables[0].classes+1)}
	for k := range tables {
		b.sums[k] = tables[k].sums()
	}
	b.share(Quantity{Kind: InterSHAP, Aggregation: Global}, b.all())
	return b.out
}

// shareOf is the definition of the global score of a packed matrix.
func shareOf(m int, packed []float64) float64 {
	pairs, all := 0.0, 0.0
	for i := range m {
		for j := i; j < m; j++ {
			size := math.Abs(packed[at(i, j, m)])
			if i != j {
				size *= 2
				pairs += size
			}
			all += size
		}
	}
	return pairs / all
}

// runOf makes a run of packed matrices, as explain would have written it. The predicted
// class decides nothing but the groups.
func runOf(m int, phi []float64, ids []string, predicted []int, classes ...string) Run {
	n, cells := len(phi)/packedLen(m), m*m
	layout := score.Layout{Modalities: m, Targets: 1, Partitions: []int{max(1, len(classes))}, BackgroundUnknown: true, Convention: score.Paper}
	sums, weights := score.NewAccumulator(layout), make([]uint8, score.Replicates)
	s := &result.Samples{Path: "run.npz", Targets: []string{""}, IDs: ids, Predicted: predicted, ByTarget: make([]result.TargetSamples, 1)}
	for i := range m {
		s.Modalities = append(s.Modalities, "m"+strconv.Itoa(i))
	}
	target := &s.ByTarget[0]
	for i := range n {
		matrix, total := make([]float64, cells), 0.0
		for x := range m {
			for y := range m {
				matrix[x*m+y] = phi[i*packedLen(m)+at(x, y, m)]
				total += matrix[x*m+y]
			}
		}
		score.WeightsTo(weights, 1, ids[i])
		group := 0
		if len(classes) > 0 {
			group = predicted[i]
		}
		local := sums.Add(0, score.Sample{Groups: []int{group}, Base: 0, Output: total, Phi: matrix, Weights: weights})
		target.Phi = append(target.Phi, matrix...)
		target.Base, target.Output = append(target.Base, 0), append(target.Output, total)
		target.InterSHAP, target.SE = append(target.InterSHAP, local.InterSHAP), append(target.SE, local.SE)
	}
	t := result.Target{Target: "label", Headline: result.Global, Breakdown: result.NewBreakdown(sums.Summary(0, scoreOptions), s.Modalities)}
	for g, name := range classes {
		if b := sums.SummaryOf(0, scoreOptions, 0, g); b != nil {
			t.ByClass = append(t.ByClass, result.Class{Class: name, Breakdown: result.NewBreakdown(b, s.Modalities)})
		}
	}
	e := &result.Explanation{Schema: result.Schema, Modalities: s.Modalities, Classes: classes, Targets: []result.Target{t}}
	from := &e.Provenance
	from.Data = result.DataSource{Source: result.Source{Source: "data/test.npz", SHA256: "d0"}, Samples: n}
	from.Background = result.BackgroundSource{Source: result.Source{Source: "data/train.npz", SHA256: "b0"}, Rows: 100, Mask: "marginal"}
	from.Output, from.Task, from.Transform, from.Index, from.Order, from.Convention = "probabilities", "classes", "identity", "SII", 2, "paper"
	from.Seed, from.Level = 1, .95
	return Run{Path: "run.json", Result: e, Samples: s}
}

// numbered are the ids of samples that have none.
func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// twoWorlds have a share of interaction of 1/4 and 2/5.
func twoWorlds() [2]world {
	return [2]world{
		{m: 2, truth: []float64{.4, .1, -.2}, noise: .05, common: .6},
		{m: 2, truth: []float64{.2, -.1, -.1}, noise: .05, common: .6},
	}
}

// twoRuns are runs of the same n samples in three classes, without clearly having the
// same predictions.
func twoRuns(seed uint64, n int) [2]Run {
	rng := rand.New(rand.NewPCG(seed, 7))
	worlds := twoWorlds()
	shared := worlds[0].deviations(rng, n)
	var out [2]Run
	for k, w := range worlds {
		var predicted []int
		for i := range n {
			predicted = append(predicted, i%3)
		}
		out[k] = runOf(2, w.draw(rng, n, shared), numbered(n), predicted, "cat", "dog", "fox")
		out[k].Path = []string{"a.json", "b.json"}[k]
	}
	return out
}

func TestWorlds(t *testing.T) {
	w := twoWorlds()
	if a, b := shareOf(2, w[0].truth), shareOf(2, w[1].truth); !near(.25, a) || !near(.4, b) {
		t.Errorf("shares of the worlds: %v and %v", a, b)
	}
	r := twoRuns(1, 50)
	for k := range r {
		if err := r[k].Samples.Belongs(r[k].Result); err != nil {
			t.Error(err)
		}
	}
	if slices.Equal(r[0].Samples.ByTarget[0].Phi, r[1].Samples.ByTarget[0].Phi) {
		t.Error("both runs have the same samples")
	}
}
