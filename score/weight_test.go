package score_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/score"
)

// samplesOf draws n samples of two modalities with two blocks and three draws, with ids
// from a number on.
func samplesOf(rng *rand.Rand, n, from int) []score.Sample {
	var out []score.Sample
	for i := range n {
		x := score.Sample{Base: rng.NormFloat64(), Output: rng.NormFloat64(), Weights: make([]uint8, score.Replicates), Weight: 1}
		score.WeightsTo(x.Weights, 1, strconv.Itoa(from+i))
		numbers := func(k int) (out []float64) {
			for range k {
				p, q, r := .6+.3*rng.NormFloat64(), .2+.3*rng.NormFloat64(), -.4+.3*rng.NormFloat64()
				out = append(out, p, q, q, r)
			}
			return out
		}
		x.Phi, x.BlockPhi, x.DrawPhi = numbers(1), numbers(2), numbers(3)
		out = append(out, x)
	}
	return out
}

func twoModalities(weighted bool) score.Layout {
	return score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Blocks: []int{4, 3}, Draws: 3, Weighted: weighted, Convention: score.Paper}
}

func added(l score.Layout, samples []score.Sample) *score.Accumulator {
	a := score.NewAccumulator(l)
	for _, x := range samples {
		a.Add(0, x)
	}
	return a
}

func text(t *testing.T, s *score.Summary) string {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A weight of 2 is the row twice: the same means, to the rounding of sums of 120 numbers
// in place of 60. Ids that repeat tell the same of errors, to what 256 replicates know of the number of
// independent samples.
func TestWeightOfTwoIsTwice(t *testing.T) {
	samples := samplesOf(rand.New(rand.NewPCG(40, 40)), 60, 0)
	var twice []score.Sample
	for i := range samples {
		twice = append(twice, samples[i], samples[i])
		samples[i].Weight = 2
	}
	got := added(twoModalities(true), samples).Summary(0, opt)
	want := added(twoModalities(false), twice).Summary(0, opt)
	if got.Samples != 60 || want.Samples != 120 || got.Weight != 120 || want.Weight != 120 || got.Clusters != 60 || math.Abs(want.Clusters-60) > 12 {
		t.Errorf("%d and %d samples of weight %v and %v, %v and %v independent ones, want 60 and 120 of 120, and 60",
			got.Samples, want.Samples, got.Weight, want.Weight, got.Clusters, want.Clusters)
	}
	near := func(what string, a, b, tolerance float64) {
		t.Helper()
		if !(math.Abs(a-b) <= tolerance*math.Abs(b)) {
			t.Errorf("%s: a weight of 2 gives %v, the row twice %v", what, a, b)
		}
	}
	near("base", got.Base, want.Base, 1e-14)
	near("output", got.Output, want.Output, 1e-14)
	near("local", got.Local.Mean.Or(-1), want.Local.Mean.Or(-2), 1e-14)
	for i := range got.Phi {
		near("phi", got.Phi[i], want.Phi[i], 1e-14)
		near("background", got.BackgroundSE[i], want.BackgroundSE[i], 1e-13)
		near("draws", got.CoalitionSE[i], want.CoalitionSE[i], 1e-13)
		// The bootstrap's own deviation, before it is mended by the number of samples.
		raw := func(s *score.Summary) float64 { return s.SamplesSE[i] * math.Sqrt((s.Clusters-1)/s.Clusters) }
		near("samples", raw(got), raw(want), 1e-13)
	}
	for _, pair := range [][2]score.Estimate{{got.Global, want.Global}, {got.MeanAbsolute, want.MeanAbsolute}} {
		near("InterSHAP", pair[0].InterSHAP.Share.Or(-1), pair[1].InterSHAP.Share.Or(-2), 1e-14)
		near("behaviour", pair[0].Behaviour, pair[1].Behaviour, 1e-14)
		near("lower bound", pair[0].InterSHAP.Low.Or(-1), pair[1].InterSHAP.Low.Or(-2), .02)
		near("upper bound", pair[0].InterSHAP.High.Or(-1), pair[1].InterSHAP.High.Or(-2), .02)
	}
}

// Weights that are all the same change nothing but their sum: to the bit for a power of
// two, which scales without rounding.
func TestEqualWeights(t *testing.T) {
	samples := samplesOf(rand.New(rand.NewPCG(41, 41)), 50, 0)
	want := added(twoModalities(false), samples).Summary(0, opt)
	for _, weight := range []float64{1, 4, 0x1p-30, 3, 1e-60, 1e60} {
		for i := range samples {
			samples[i].Weight = weight
		}
		got := added(twoModalities(true), samples).Summary(0, opt)
		if math.Abs(got.Weight/(50*weight)-1) > 1e-14 {
			t.Errorf("weights of %v sum to %v", weight, got.Weight)
		}
		if got.Weight = want.Weight; weight == 1 || weight == 4 || weight == 0x1p-30 {
			if text(t, got) != text(t, want) {
				t.Errorf("weights of %v: %+v, want %+v", weight, got, want)
			}
			continue
		}
		for _, pair := range [][2]score.Interval{
			{got.Global.InterSHAP, want.Global.InterSHAP}, {got.MeanAbsolute.InterSHAP, want.MeanAbsolute.InterSHAP},
			{got.Global.Pairs[0].Share, want.Global.Pairs[0].Share}, {got.Global.Contributions[1], want.Global.Contributions[1]},
		} {
			if !sameInterval(pair[0], pair[1], 1e-12) {
				t.Errorf("weights of %v: %+v, want %+v", weight, pair[0], pair[1])
			}
		}
		if !sameShare(got.Local.SD, want.Local.SD, 1e-12) || !sameShare(got.Local.Corrected, want.Local.Corrected, 1e-12) || math.Abs(got.Clusters-50) > 1e-10 {
			t.Errorf("weights of %v: %+v of %v independent samples, want %+v of 50", weight, got.Local, got.Clusters, want.Local)
		}
	}
}

// A sample of weight 0 has a local score and is not there otherwise; a layout without
// weights takes none.
func TestWeightOfZero(t *testing.T) {
	samples := samplesOf(rand.New(rand.NewPCG(42, 42)), 20, 0)
	want := added(twoModalities(true), samples)
	a := score.NewAccumulator(twoModalities(true))
	nothing := samplesOf(rand.New(rand.NewPCG(43, 43)), 1, 99)[0]
	nothing.Weight = 0
	if got := a.Add(0, nothing); got.InterSHAP == (score.Share{}) || a.Summary(0, opt) != nil {
		t.Errorf("local score %+v and summary %+v, want a score and no summary", got, a.Summary(0, opt))
	}
	for _, x := range samples {
		a.Add(0, x)
	}
	if text(t, a.Summary(0, opt)) != text(t, want.Summary(0, opt)) {
		t.Error("a sample of weight 0 changes the summary")
	}
	for i := range samples {
		samples[i].Weight = -float64(i) // ignored
	}
	if text(t, added(twoModalities(false), samples).Summary(0, opt)) != text(t, want.Summary(0, opt)) {
		t.Error("weights change a layout without them")
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1), 1e-61, 1e61} {
		x := samples[0]
		if x.Weight = bad; !panics(func() { a.Add(0, x) }) {
			t.Errorf("no panic for a weight of %v", bad)
		}
	}
	// One sample beside which others are next to nothing knows nothing of others.
	samples[0].Weight = 1e60
	for i := range samples[1:] {
		samples[1+i].Weight = 1e-60
	}
	s := added(twoModalities(true), samples).Summary(0, opt)
	if s.Clusters != 1 || s.Local.SD != (score.Share{}) || s.Global.InterSHAP.Low != (score.Share{}) || s.SamplesSE != nil {
		t.Errorf("%v independent samples, deviation %v, bounds %+v, want 1 and none", s.Clusters, s.Local.SD, s.Global.InterSHAP)
	}
}

// Intervals of weighted shares cover the truth in 93 to 97 % of 2,000 repetitions: the
// weights are drawn with the samples and have nothing to do with what these do, or halve
// one of two kinds of samples.
func TestCoverageOfWeights(t *testing.T) {
	const repetitions, n = 2000, 80
	for _, test := range []struct {
		name   string
		weight func(rng *rand.Rand, second bool) float64
		part   float64 // of the first kind, by weight
	}{
		{"unrelated", func(rng *rand.Rand, _ bool) float64 { return math.Exp(.7 * rng.NormFloat64()) }, .5},
		{"of one kind", func(_ *rand.Rand, second bool) float64 {
			if second {
				return 1
			}
			return 3
		}, .75},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(44, 44))
			// Of the first kind the pair's cell has 0.1, of the second 0.3.
			pair := .1*test.part + .3*(1-test.part)
			truth := 2 * pair / (2*pair + .4 + .2)
			covered := 0
			weights := make([]uint8, score.Replicates)
			for range repetitions {
				a := score.NewAccumulator(score.Layout{Modalities: 2, Targets: 1, Partitions: []int{1}, Weighted: true, Convention: score.Paper})
				salt := rng.Uint64()
				for i := range n {
					second := rng.IntN(2) == 1
					x := score.Sample{Weights: weights, Weight: test.weight(rng, second)}
					q := .1 + .2*rng.NormFloat64()
					if second {
						q += .2
					}
					x.Phi = []float64{.4 + .2*rng.NormFloat64(), q, q, -.2 + .2*rng.NormFloat64()}
					score.WeightsTo(weights, salt, strconv.Itoa(i))
					a.Add(0, x)
				}
				if got := a.Summary(0, opt).Global.InterSHAP; got.Low.Or(1) <= truth && truth <= got.High.Or(0) {
					covered++
				}
			}
			share := float64(covered) / repetitions
			t.Logf("covered %.1f %%", 100*share)
			if share < .93 || share > .97 {
				t.Errorf("covered %.1f %%, want 93 to 97", 100*share)
			}
		})
	}
}

// What a layout may not be, and samples that do not fit it.
func TestCohortsRefused(t *testing.T) {
	for name, change := range map[string]func(*score.Layout){
		"no partition":        func(l *score.Layout) { l.Partitions = nil },
		"no group":            func(l *score.Layout) { l.Partitions = []int{2, 0} },
		"too many groups":     func(l *score.Layout) { l.Partitions = slices.Repeat([]int{math.MaxInt32}, 3) },
		"too many targets":    func(l *score.Layout) { l.Targets = math.MaxInt32; l.Partitions = []int{2} },
		"no target":           func(l *score.Layout) { l.Targets = 0 },
		"what none has":       func(l *score.Layout) { l.Present = all(3, 2)[:1] },
		"of other groups":     func(l *score.Layout) { l.Present = all(3, 3) },
		"other modalities":    func(l *score.Layout) { l.Present = all(3, 2); l.Present[1][0] = 0b100 },
		"too many draws":      func(l *score.Layout) { l.Draws = score.MaxDraws + 1 },
		"a block of no rows":  func(l *score.Layout) { l.Blocks = []int{3, 0} },
		"modalities below 0":  func(l *score.Layout) { l.Modalities = -1 },
		"more than 64 of it":  func(l *score.Layout) { l.Modalities = 65 },
		"an empty list there": func(l *score.Layout) { l.Present = all() },
	} {
		l := twoModalities(false)
		l.Partitions = []int{3, 2}
		if change(&l); !panics(func() { score.NewAccumulator(l) }) {
			t.Errorf("%s: no panic", name)
		}
	}
	l := twoModalities(false)
	l.Partitions = []int{3, 2}
	if l.Groups() != 5 {
		t.Errorf("%d groups, want 5", l.Groups())
	}
	a := score.NewAccumulator(l)
	if got := a.Layout(); got.Groups() != 5 || got.Draws != 3 {
		t.Errorf("layout %+v", got)
	}
	x := samplesOf(rand.New(rand.NewPCG(45, 45)), 1, 0)[0]
	for _, groups := range [][]int{{0}, {0, 0, 0}, {3, 0}, {0, -1}, {}} {
		if x.Groups = groups; !panics(func() { a.Add(0, x) }) {
			t.Errorf("no panic for a sample in the groups %v", groups)
		}
	}
	for _, f := range []func(){
		func() { a.SummaryOf(0, opt, 0, 3) }, func() { a.SummaryOf(0, opt, 1, -1) }, func() { a.SummaryOf(0, opt, 2) },
		func() { a.Macro(0, opt, 1, []int{2}) },
	} {
		if !panics(f) {
			t.Error("no panic for a group that there is not")
		}
	}
}
