package score_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

var opt = score.Options{Level: 0.95, Quantile: func(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}}

// and is the mean matrix of AND of two fair bits: main effects 1/8, pair 1/16
// in both cells.
var and = []float64{1. / 8, 1. / 16, 1. / 16, 1. / 8}

func TestLocal(t *testing.T) {
	tests := []struct {
		name       string
		phi        []float64
		m          int
		convention score.Convention
		want       float64
		undefined  bool
		reason     string
	}{
		{"AND paper", and, 2, score.Paper, 1. / 3, false, "both triangles"},
		{"AND single pair", and, 2, score.SinglePair, 1. / 5, false, "each pair once"},
		{"XOR", []float64{0, .25, .25, 0}, 2, score.Paper, 1, false, "nothing but interaction"},
		{"additive", []float64{.5, 0, 0, -.1}, 2, score.Paper, 0, false, "no interaction"},
		{"nothing", make([]float64, 4), 2, score.Paper, 0, true, "no behaviour to share"},
		{"signs", []float64{-1, .5, .5, 1}, 2, score.Paper, 1. / 3, false, "sizes are compared"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := score.Local(test.phi, test.m, test.convention).Value()
			if ok == test.undefined || math.Abs(got-test.want) > 1e-15 {
				t.Errorf("got %v, %v, want %v (%s)", got, ok, test.want, test.reason)
			}
		})
	}
}

// Parity of m bits, which all of them decide together, scores m/(2m−2): the
// index of order two spreads what m modalities do over their pairs.
func TestParityReference(t *testing.T) {
	for m := 2; m <= 12; m++ {
		table := gametest.Parity(m)
		game.MoebiusTo(table, table)
		phi := make([]float64, m*m)
		index.PairMatrixTo(phi, table, m)
		want := float64(m) / float64(2*m-2)
		if got, ok := score.Local(phi, m, score.Paper).Value(); !ok || math.Abs(got-want) > 1e-12 {
			t.Errorf("m=%d: got %v, %v, want %v", m, got, ok, want)
		}
	}
}

func TestShareJSON(t *testing.T) {
	for _, s := range []score.Share{{}, score.Defined(0), score.Defined(0.1)} {
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back score.Share
		if err := json.Unmarshal(raw, &back); err != nil || back != s {
			t.Errorf("%s came back as %v, %v", raw, back, err)
		}
	}
	if raw, _ := json.Marshal(score.Share{}); string(raw) != "null" {
		t.Errorf("an undefined share is %s, want null", raw)
	}
}

func TestConvention(t *testing.T) {
	for _, name := range []string{"paper", "single-pair"} {
		c, err := score.ParseConvention(name)
		if err != nil || c.String() != name {
			t.Errorf("%q parsed as %v, %v", name, c, err)
		}
	}
	if _, err := score.ParseConvention("both"); err == nil {
		t.Error("no error for an unknown convention")
	}
}

// The weights must be Poisson draws of mean one, independent between samples and
// replicates, and follow from seed and id alone.
func TestWeights(t *testing.T) {
	const n = 4000
	a, b := make([]uint8, score.Replicates), make([]uint8, score.Replicates)
	var counts [16]float64
	sum, cross, same := 0.0, 0.0, 0.0
	for i := range n {
		score.WeightsTo(a, 1, strconv.Itoa(i))
		score.WeightsTo(b, 1, strconv.Itoa(i+n))
		for r, w := range a {
			counts[w]++
			sum += float64(w)
			cross += (float64(w) - 1) * (float64(b[r]) - 1)
			if r > 0 {
				same += (float64(w) - 1) * (float64(a[r-1]) - 1)
			}
		}
	}
	draws := float64(n * score.Replicates)
	check := func(what string, got, want, se float64) {
		t.Helper()
		if math.Abs(got-want) > 4*se {
			t.Errorf("%s is %v, want %v within %v", what, got, want, 4*se)
		}
	}
	check("mean", sum/draws, 1, 1/math.Sqrt(draws))
	check("covariance of samples", cross/draws, 0, 1/math.Sqrt(draws))
	check("covariance of replicates", same/draws, 0, 1/math.Sqrt(draws))
	p := math.Exp(-1)
	for k := range 7 {
		check("P(X="+strconv.Itoa(k)+")", counts[k]/draws, p, math.Sqrt(p/draws))
		p /= float64(k + 1)
	}
	score.WeightsTo(a, 1, "x")
	score.WeightsTo(b, 2, "x")
	if string(a) == string(b) {
		t.Error("the seed changes nothing")
	}
	score.WeightsTo(b, 1, "x")
	if string(a) != string(b) {
		t.Error("the same seed and id give other weights")
	}
}

// draw adds n simulated samples with the true mean matrix truth (packed, two
// modalities), sample effects of sd tau and background effects of sd omega a
// block, and returns the summary.
func draw(t testing.TB, rng *rand.Rand, truth [3]float64, n int, tau, omega float64, blocks int) *score.Summary {
	sizes := make([]int, blocks)
	effects := make([][3]float64, blocks)
	var mean [3]float64
	for k := range sizes {
		sizes[k] = 6
		for c := range effects[k] {
			effects[k][c] = omega * rng.NormFloat64()
			mean[c] += effects[k][c] / float64(blocks)
		}
	}
	a := score.NewAccumulator(score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Blocks: sizes, Convention: score.Paper})
	weights := make([]uint8, score.Replicates)
	salt := rng.Uint64()
	for i := range n {
		var cell [3]float64
		for c := range cell {
			cell[c] = truth[c] + tau*rng.NormFloat64()
		}
		matrix := func(effect [3]float64) []float64 {
			p, q, r := cell[0]+effect[0], cell[1]+effect[1], cell[2]+effect[2]
			return []float64{p, q, q, r}
		}
		x := score.Sample{Phi: matrix(mean), Weights: weights}
		for k := range sizes {
			x.BlockPhi = append(x.BlockPhi, matrix(effects[k])...)
		}
		score.WeightsTo(weights, salt, strconv.Itoa(i))
		a.Add(0, x)
	}
	return a.Summary(0, opt)
}

// Intervals of the global share must cover the truth in 93 to 97 % of 2,000
// repetitions where signs are clear, and hold zero where there is no
// interaction.
func TestCoverage(t *testing.T) {
	const repetitions = 2000
	tests := []struct {
		name       string
		truth      [3]float64 // main, pair cell, main
		tau, omega float64
		blocks     int
		low, high  float64
	}{
		{"both sources", [3]float64{.3, .1, -.2}, .2, .04, 16, .93, .97},
		{"samples alone", [3]float64{.3, .1, -.2}, .25, 0, 0, .93, .97},
		{"background dominates", [3]float64{.3, -.1, .2}, .02, .08, 16, .93, .97},
		{"four blocks", [3]float64{.3, -.1, .2}, .05, .02, 4, .93, .97},
		{"no interaction", [3]float64{.3, 0, -.2}, .2, .04, 16, .93, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			truth := 2 * math.Abs(test.truth[1]) / (math.Abs(test.truth[0]) + 2*math.Abs(test.truth[1]) + math.Abs(test.truth[2]))
			covered := 0
			for range repetitions {
				got := draw(t, rng, test.truth, 60, test.tau, test.omega, test.blocks).Global.InterSHAP
				low, ok1 := got.Low.Value()
				high, ok2 := got.High.Value()
				if !ok1 || !ok2 {
					t.Fatalf("no interval: %+v", got)
				}
				if low <= truth && truth <= high {
					covered++
				}
			}
			share := float64(covered) / repetitions
			t.Logf("covered %.1f %%", 100*share)
			if share < test.low || share > test.high {
				t.Errorf("covered %.1f %%, want %.0f to %.0f", 100*share, 100*test.low, 100*test.high)
			}
		})
	}
}

// The same for mean absolutes, where the truth is the mean of the folded normal
// distribution.
func TestMeanAbsoluteCoverage(t *testing.T) {
	const repetitions, tau = 2000, .2
	folded := func(mean float64) float64 {
		return tau*math.Sqrt(2/math.Pi)*math.Exp(-mean*mean/(2*tau*tau)) + mean*math.Erf(mean/(tau*math.Sqrt2))
	}
	means := [3]float64{.3, .1, -.2}
	pairs := 2 * folded(means[1])
	truth := pairs / (pairs + folded(means[0]) + folded(means[2]))
	rng := rand.New(rand.NewPCG(2, 2))
	covered := 0
	for range repetitions {
		got := draw(t, rng, means, 60, tau, 0, 0).MeanAbsolute.InterSHAP
		if got.Low.Or(1) <= truth && truth <= got.High.Or(0) {
			covered++
		}
	}
	if share := float64(covered) / repetitions; share < .93 || share > .97 {
		t.Errorf("covered %.1f %%, want 93 to 97", 100*share)
	} else {
		t.Logf("covered %.1f %%", 100*share)
	}
}

// With many pairs and none of them real, the sum of absolute values is far from
// zero, yet the interval must hold zero.
func TestManyPairsWithoutInteraction(t *testing.T) {
	const m, n, repetitions = 6, 60, 200
	rng := rand.New(rand.NewPCG(5, 5))
	weights := make([]uint8, score.Replicates)
	excluded := 0
	for range repetitions {
		a := score.NewAccumulator(score.Layout{Modalities: m, Targets: 1, Partitions: []int{1}, Convention: score.Paper})
		salt := rng.Uint64()
		for i := range n {
			phi := make([]float64, m*m)
			for r := range m {
				for c := range r {
					v := .2 * rng.NormFloat64()
					phi[r*m+c], phi[c*m+r] = v, v
				}
				phi[r*m+r] = 1
			}
			score.WeightsTo(weights, salt, strconv.Itoa(i))
			a.Add(0, score.Sample{Phi: phi, Weights: weights})
		}
		if got := a.Summary(0, opt).Global.InterSHAP; got.Low.Or(1) > 0 {
			excluded++
		}
	}
	if share := float64(excluded) / repetitions; share > .09 { // 5 % and three standard errors
		t.Errorf("%.1f %% of the intervals exclude zero, want at most about 5", 100*share)
	}
}

func TestSummaryStates(t *testing.T) {
	layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{2}, Blocks: []int{3, 2}, Convention: score.Paper}
	weights := make([]uint8, score.Replicates)
	score.WeightsTo(weights, 1, "0")
	a := score.NewAccumulator(layout)
	if got := a.Summary(0, opt); got != nil {
		t.Errorf("an empty accumulator has the summary %+v", got)
	}
	a.Add(0, score.Sample{Groups: []int{1}, Base: .25, Output: .75, Phi: and, BlockPhi: append(append([]float64{}, and...), and...), Weights: weights})
	if got := a.SummaryOf(0, opt, 0, 0); got != nil {
		t.Errorf("a group without samples has the summary %+v", got)
	}
	one := a.Summary(0, opt)
	if v := one.Global.InterSHAP; math.Abs(v.Share.Or(-1)-1./3) > 1e-15 || v.Low != (score.Share{}) || v.High != (score.Share{}) {
		t.Errorf("one sample: %+v, want 1/3 without bounds", v)
	}
	if one.SamplesSE != nil || one.Local.SD != (score.Share{}) {
		t.Error("one sample cannot tell the samples' error")
	}
	a.Add(0, score.Sample{Groups: []int{0}, Phi: make([]float64, 4), BlockPhi: make([]float64, 8), Weights: weights})
	two := a.Summary(0, opt)
	if two.Local.Undefined != 1 || math.Abs(two.Local.Mean.Or(-1)-1./3) > 1e-15 {
		t.Errorf("local: %+v, want a mean of 1/3 over one sample and one undefined", two.Local)
	}
	if two.Base != .125 || two.Samples != 2 {
		t.Errorf("base %v over %d samples, want 0.125 over 2", two.Base, two.Samples)
	}
	zero := a.SummaryOf(0, opt, 0, 0)
	if zero.Global.InterSHAP.Share != (score.Share{}) {
		t.Errorf("without behaviour: %+v, want undefined", zero.Global.InterSHAP)
	}
}

// Shards cut at tile boundaries and merged in order give the same bits as one
// run; another order of addition would not.
func TestTilesMerge(t *testing.T) {
	const tiles = 23
	layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{3}, Blocks: []int{1, 1}, Convention: score.Paper}
	tile := func(number int) *score.Accumulator {
		rng := rand.New(rand.NewPCG(7, uint64(number)))
		a := score.NewAccumulator(layout)
		weights := make([]uint8, score.Replicates)
		for i := range 5 {
			score.WeightsTo(weights, 1, strconv.Itoa(5*number+i))
			x, y, z := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
			phi := []float64{x, y, y, z}
			a.Add(0, score.Sample{Groups: []int{rng.IntN(3)}, Base: x, Output: y, Phi: phi, BlockPhi: append(append([]float64{}, phi...), phi...), Weights: weights})
		}
		return a
	}
	run := func(lo, hi int) *score.Tiles {
		var ts score.Tiles
		for i := lo; i < hi; i++ {
			if err := ts.Add(i, tile(i)); err != nil {
				t.Fatal(err)
			}
		}
		return &ts
	}
	text := func(ts *score.Tiles) string {
		total, err := ts.Total()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(total.Summary(0, opt))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	want := text(run(0, tiles))
	rng := rand.New(rand.NewPCG(8, 8))
	for range 20 {
		cut1 := rng.IntN(tiles)
		cut2 := cut1 + rng.IntN(tiles-cut1)
		merged := run(0, cut1)
		// Shards may themselves be merged first.
		tail := run(cut1, cut2)
		if err := tail.Merge(run(cut2, tiles)); err != nil {
			t.Fatal(err)
		}
		if err := merged.Merge(tail); err != nil {
			t.Fatal(err)
		}
		if got := text(merged); got != want {
			t.Errorf("cut at %d and %d: got %s\nwant %s", cut1, cut2, got, want)
		}
	}
	// The test can fail: a run without one tile differs.
	if text(run(0, tiles-1)) == want {
		t.Error("a missing tile changes nothing")
	}
	if err := run(0, 2).Merge(run(3, 4)); err == nil {
		t.Error("no error for a gap between shards")
	}
	if _, err := run(1, 3).Total(); err == nil {
		t.Error("no error for a total without the first tile")
	}
	other := score.NewAccumulator(score.Layout{Modalities: 3, Targets: 1, Partitions: []int{3}, Convention: score.Paper})
	ts := run(0, 1)
	if err := ts.Add(1, other); err == nil {
		t.Error("no error for tiles of different layouts")
	}
}

// The bias of the local score shrinks with the jackknife: phi is noise around
// zero main effects and a true pair, so that the plain share is too small.
func TestLocalCorrection(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	got := draw(t, rng, [3]float64{0, .25, 0}, 200, 0, .3, 16).Local
	plain, corrected := got.Mean.Or(0), got.Corrected.Or(0)
	if plain > .95 || corrected <= plain || corrected > 1 {
		t.Errorf("truth 1: plain %v, corrected %v, want the corrected closer to the truth", plain, corrected)
	}
}

// fill adds n samples with the given packed matrices of two modalities, and
// block matrices that differ from them by noise of sd omega.
func fill(rng *rand.Rand, layout score.Layout, n int, omega float64, id func(i int) string, cells func(i int) [3]float64) *score.Summary {
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	for i := range n {
		c := cells(i)
		x := score.Sample{Phi: []float64{c[0], c[1], c[1], c[2]}, Weights: weights}
		for range layout.Blocks {
			for _, v := range x.Phi {
				x.BlockPhi = append(x.BlockPhi, v+omega*rng.NormFloat64())
			}
		}
		score.WeightsTo(weights, 1, id(i))
		a.Add(0, x)
	}
	return a.Summary(0, opt)
}

// An interaction that is exactly nothing in every sample has an interval of
// nothing, however unclear the main effects are.
func TestExactlyAdditive(t *testing.T) {
	layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	got := fill(nil, layout, 40, 0, strconv.Itoa, func(i int) [3]float64 { return [3]float64{float64(i%2)*2 - 1 + 1e-3, 0, 0} }).Global
	for name, x := range map[string]score.Interval{"InterSHAP": got.InterSHAP, "pair": got.Pairs[0].Share, "second modality": got.Contributions[1]} {
		if x.Share != score.Defined(0) || x.Low != score.Defined(0) || x.High != score.Defined(0) {
			t.Errorf("%s: %+v, want exactly 0 with bounds of 0", name, x)
		}
	}
	if x := got.Contributions[0]; x.Low != score.Defined(1) || x.High != score.Defined(1) {
		t.Errorf("the only modality that does anything: %+v, want exactly 1", x)
	}
}

// Shares and bounds do not depend on the unit of the output.
func TestUnits(t *testing.T) {
	summary := func(unit float64) *score.Summary {
		rng := rand.New(rand.NewPCG(6, 6))
		layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Blocks: []int{2, 2, 2, 2}, Convention: score.Paper}
		return fill(rng, layout, 50, .05*unit, strconv.Itoa, func(int) [3]float64 {
			return [3]float64{unit * (.3 + .1*rng.NormFloat64()), unit * (.1 + .1*rng.NormFloat64()), unit * .2}
		})
	}
	want := summary(1)
	for _, unit := range []float64{0x1p-300, 0x1p300} {
		got := summary(unit)
		if got.Global.InterSHAP != want.Global.InterSHAP || got.MeanAbsolute.InterSHAP != want.MeanAbsolute.InterSHAP {
			t.Errorf("in units of %v: %+v, want %+v", unit, got.Global.InterSHAP, want.Global.InterSHAP)
		}
	}
}

// Samples with one id are one case: ten patients with twenty visits each know
// what ten patients know, one patient knows nothing of others.
func TestRepeatedIDs(t *testing.T) {
	layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	summary := func(patients int) *score.Summary {
		rng := rand.New(rand.NewPCG(7, 7))
		var effects [200][3]float64
		for i := range effects {
			effects[i] = [3]float64{.3 + .2*rng.NormFloat64(), .1 + .2*rng.NormFloat64(), .2}
		}
		id := func(i int) string { return strconv.Itoa(i % patients) }
		return fill(nil, layout, 200, 0, id, func(i int) [3]float64 { return effects[i%patients] })
	}
	width := func(s *score.Summary) float64 { return s.Global.InterSHAP.High.Or(9) - s.Global.InterSHAP.Low.Or(9) }
	all, ten, one := summary(200), summary(10), summary(1)
	if all.Clusters != 200 || math.Abs(ten.Clusters-10) > 3 {
		t.Errorf("%v and %v independent samples, want 200 and about 10", all.Clusters, ten.Clusters)
	}
	if width(ten) < 2*width(all) {
		t.Errorf("ten patients have an interval of %v, 200 samples of %v", width(ten), width(all))
	}
	if one.Global.InterSHAP.High != (score.Share{}) || one.SamplesSE != nil {
		t.Errorf("one patient has the interval %+v, want none", one.Global.InterSHAP)
	}
}

// The three things that may be known of the background's error.
func TestBackgroundStates(t *testing.T) {
	summary := func(layout score.Layout) *score.Summary {
		layout.Modalities, layout.Targets, layout.Partitions, layout.Convention = 2, 1, []int{1}, score.Paper
		rng := rand.New(rand.NewPCG(8, 8))
		return fill(rng, layout, 40, .1, strconv.Itoa, func(i int) [3]float64 { return [3]float64{.3, .1 + .01*float64(i%5), .2} })
	}
	fixed, unknown, blocks := summary(score.Layout{}), summary(score.Layout{BackgroundUnknown: true}), summary(score.Layout{Blocks: []int{3, 3, 3}})
	if fixed.BackgroundSE[1] != 0 || fixed.BaseSE != score.Defined(0) || fixed.Local.Corrected != fixed.Local.Mean {
		t.Errorf("fixed values: se %v, base %v, corrected %v, want no error", fixed.BackgroundSE, fixed.BaseSE, fixed.Local.Corrected)
	}
	if unknown.BackgroundSE != nil || unknown.BaseSE != (score.Share{}) || unknown.Local.Corrected != (score.Share{}) {
		t.Errorf("unknown error: se %v, base %v, corrected %v, want none", unknown.BackgroundSE, unknown.BaseSE, unknown.Local.Corrected)
	}
	if unknown.Global.InterSHAP != fixed.Global.InterSHAP {
		t.Errorf("unknown error: bounds %+v, want those of the samples alone, %+v", unknown.Global.InterSHAP, fixed.Global.InterSHAP)
	}
	if blocks.BackgroundSE[1] == 0 {
		t.Error("blocks tell no error")
	}
	for _, bad := range []score.Layout{{Blocks: []int{5}}, {Blocks: []int{5, 5}, BackgroundUnknown: true}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %+v", bad)
				}
			}()
			summary(bad)
		}()
	}
}

// The corrected mean is over the same samples as the plain one: a sample that
// one block alone makes is not left out.
func TestCorrectedCoversAll(t *testing.T) {
	layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Blocks: []int{1, 1}, Convention: score.Paper}
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	for i := range 10 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		x := score.Sample{Phi: []float64{0, 1, 1, 0}, BlockPhi: []float64{0, 2, 2, 0, 0, 0, 0, 0}, Weights: weights}
		if i == 0 {
			x.Phi, x.BlockPhi = []float64{1, 0, 0, 0}, []float64{1, 0, 0, 0, 1, 0, 0, 0}
		}
		a.Add(0, x)
	}
	local := a.Summary(0, opt).Local
	if got := local.Corrected.Or(-1); math.Abs(got-local.Mean.Or(-2)) > 1e-12 {
		t.Errorf("corrected %v, mean %v, want both 0.9", got, local.Mean)
	}
}

// Where noise biases mean absolutes, the interval reaches the truth within two
// points: here all is interaction, and noise makes main effects of nothing.
func TestMeanAbsoluteBias(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	sizes := slices.Repeat([]int{6}, 16)
	covered, plain := 0, 0.0
	const repetitions = 50
	for range repetitions {
		layout := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Blocks: sizes, Convention: score.Paper}
		a := score.NewAccumulator(layout)
		weights := make([]uint8, score.Replicates)
		for i := range 60 {
			score.WeightsTo(weights, 1, strconv.Itoa(i))
			x := score.Sample{Phi: make([]float64, 4), Weights: weights}
			for range sizes {
				p, r := .2*rng.NormFloat64(), .2*rng.NormFloat64()
				block := []float64{p, .25, .25, r}
				x.BlockPhi = append(x.BlockPhi, block...)
				for c, v := range block {
					x.Phi[c] += v / float64(len(sizes))
				}
			}
			a.Add(0, x)
		}
		got := a.Summary(0, opt).MeanAbsolute.InterSHAP
		plain += got.Share.Or(0) / repetitions
		if got.High.Or(0) >= .98 {
			covered++
		}
	}
	if plain > .95 {
		t.Errorf("the plain share is %v: there is no bias to see", plain)
	}
	if covered < repetitions*9/10 {
		t.Errorf("the interval reaches the truth in %d of %d repetitions", covered, repetitions)
	}
}

// Ten thousand value tables, from v(S) to the summary.
func BenchmarkScore(b *testing.B) {
	const m, rows, blocks = 4, 10000, 16
	for _, background := range []int{0, blocks} {
		b.Run(fmt.Sprintf("M=%d/blocks=%d/rows=%d", m, background, rows), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			values := make([]float64, rows<<m)
			for i := range values {
				values[i] = rng.NormFloat64()
			}
			tables, err := game.NewTables(m, values)
			if err != nil {
				b.Fatal(err)
			}
			layout := score.Layout{Modalities: m, Targets: 1, Partitions: []int{2}, Blocks: slices.Repeat([]int{6}, background), Convention: score.Paper}
			phi, scratch := make([]float64, rows*m*m), make([]float64, 1<<m)
			x := score.Sample{Weights: make([]uint8, score.Replicates)}
			b.ReportAllocs()
			for b.Loop() {
				a := score.NewAccumulator(layout)
				index.PairMatricesTo(phi, tables, scratch)
				for r := range rows {
					x.Phi = phi[r*m*m : (r+1)*m*m]
					x.BlockPhi = phi[:background*m*m]
					score.WeightsTo(x.Weights, 1, "id")
					a.Add(0, x)
				}
				a.Summary(0, opt)
			}
		})
	}
}
