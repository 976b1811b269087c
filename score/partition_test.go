package score_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// all returns that the groups of partitions of two modalities have both.
func all(partitions ...int) [][]game.Coalition {
	out := [][]game.Coalition{}
	for _, n := range partitions {
		var groups []game.Coalition
		for range n {
			groups = append(groups, 0b11)
		}
		out = append(out, groups)
	}
	return out
}

// Each partition holds all samples, and a group those in it: its summary is that of an
// accumulator that saw no other, to the bit.
func TestPartitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 50))
	for _, weighted := range []bool{false, true} {
		l := twoModalities(weighted)
		l.Partitions = []int{1, 3, 2}
		samples := samplesOf(rng, 60, 0)
		a, alone := score.NewAccumulator(l), map[[2]int]*score.Accumulator{}
		for i := range samples {
			x := &samples[i]
			x.Weight, x.Groups = rng.ExpFloat64(), []int{0, rng.IntN(3), rng.IntN(2)}
			a.Add(0, *x)
			own := *x
			own.Groups = nil // the only one
			for k, g := range x.Groups {
				at := [2]int{k, g}
				if alone[at] == nil {
					alone[at] = score.NewAccumulator(twoModalities(weighted))
				}
				alone[at].Add(0, own)
			}
		}
		total := a.Summary(0, opt)
		for k, n := range l.Partitions {
			samples, weight, pair := 0, 0., 0.
			for g := range n {
				got, want := a.SummaryOf(0, opt, k, g), alone[[2]int{k, g}].Summary(0, opt)
				if text(t, got) != text(t, want) {
					t.Errorf("weighted %v, partition %d, group %d: %+v, want %+v", weighted, k, g, got, want)
				}
				samples += got.Samples
				weight += got.Weight
				pair += got.Weight * got.Phi[1]
			}
			if samples != 60 || math.Abs(weight-total.Weight) > 1e-12 || math.Abs(pair-total.Weight*total.Phi[1]) > 1e-12 {
				t.Errorf("weighted %v, partition %d: %d samples of weight %v, want 60 of %v", weighted, k, samples, weight, total.Weight)
			}
			got := a.SummaryOf(0, opt, k)
			if !sameInterval(got.Global.InterSHAP, total.Global.InterSHAP, 1e-12) || !sameInterval(got.MeanAbsolute.InterSHAP, total.MeanAbsolute.InterSHAP, 1e-12) {
				t.Errorf("weighted %v, partition %d: %+v, want %+v", weighted, k, got.Global.InterSHAP, total.Global.InterSHAP)
			}
		}
		if text(t, total) != text(t, alone[[2]int{0, 0}].Summary(0, opt)) {
			t.Error("the total is not that of the first partition")
		}
		// The test can fail: groups differ.
		if text(t, a.SummaryOf(0, opt, 1, 0)) == text(t, a.SummaryOf(0, opt, 1, 1)) {
			t.Error("two groups say the same")
		}
	}
}

// Where nobody lacks anything, all bits are those of a layout that knows of no lack.
func TestNobodyLacks(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 51))
	for _, weighted := range []bool{false, true} {
		plain := twoModalities(weighted)
		plain.Partitions = []int{2}
		known := plain
		known.Present = all(2)
		samples := samplesOf(rng, 40, 0)
		for i := range samples {
			samples[i].Groups, samples[i].Weight = []int{rng.IntN(2)}, rng.ExpFloat64()
		}
		a, b := added(plain, samples), added(known, samples)
		if got, want := text(t, b.Summary(0, opt)), text(t, a.Summary(0, opt)); got != want {
			t.Errorf("weighted %v: %s, want %s", weighted, got, want)
		}
		// A lack changes them.
		known.Present[0][1] = 0b01
		if text(t, added(known, samples).Summary(0, opt)) == text(t, a.Summary(0, opt)) {
			t.Error("a lack changes nothing")
		}
	}
}

// lacking are samples of two modalities by what they have, in a layout whose groups are
// both, the first alone and the second alone.
func lacking(blocks []int) score.Layout {
	return score.Layout{
		Modalities: 2, Targets: 1, Partitions: []int{3}, Present: [][]game.Coalition{{0b11, 0b01, 0b10}},
		Blocks: blocks, Convention: score.Paper,
	}
}

// Four samples with both modalities: 0.4 and 0.2 alone, 0.1 in each cell of the pair.
// Four with the first alone: 0.8. The means are (0.4+0.8)/2 = 0.6, 0.2 and 0.1, of which
// the pair has 0.2/(0.6+0.2+0.2) = 1/5, and not what zeros for what is absent would
// make of it: 0.1/(0.6+0.1+0.1) = 1/8.
func TestPooledByHand(t *testing.T) {
	a := score.NewAccumulator(lacking([]int{2, 2}))
	weights := make([]uint8, score.Replicates)
	for i := range 8 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		x := score.Sample{Groups: []int{i % 2}, Output: .7, Phi: []float64{.4, .1, .1, .2}, Weights: weights}
		if i%2 == 1 {
			x.Phi = []float64{.8, 7, 7, 7} // not there
		}
		x.BlockPhi = append(append(x.BlockPhi, x.Phi...), x.Phi...)
		local := a.Add(0, x)
		if want := []float64{.25, 0}[i%2]; math.Abs(local.InterSHAP.Or(-1)-want) > 1e-15 {
			t.Errorf("local score %v, want %v", local.InterSHAP, want)
		}
	}
	s := a.Summary(0, opt)
	check := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-15) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	check("InterSHAP", s.Global.InterSHAP.Share.Or(-1), .2)
	check("behaviour", s.Global.Behaviour, 1)
	check("mean absolute", s.MeanAbsolute.InterSHAP.Share.Or(-1), .2)
	check("local", s.Local.Mean.Or(-1), .125)
	check("the first alone", s.Global.Contributions[0].Share.Or(-1), .6)
	check("the second alone", s.Global.Contributions[1].Share.Or(-1), .2)
	check("phi of the pair", s.Phi[1], .1)
	for at, want := range []int{8, 4, 4} {
		if s.Cells[at].Samples != want {
			t.Errorf("cell %d has %d samples, want %d", at, s.Cells[at].Samples, want)
		}
	}
	if s.Samples != 8 || s.BaseSE != (score.Share{}) {
		t.Errorf("%d samples, base ± %v, want 8 and no error", s.Samples, s.BaseSE)
	}
	// Of those with the first modality alone it is all there is.
	s = a.SummaryOf(0, opt, 0, 1)
	one, zero := score.Defined(1), score.Defined(0)
	if s.Global.InterSHAP != (score.Interval{Share: zero, Low: zero, High: zero}) || s.Global.Contributions[0] != (score.Interval{Share: one, Low: one, High: one}) {
		t.Errorf("one modality: %+v and %+v, want 0 and 1", s.Global.InterSHAP, s.Global.Contributions[0])
	}
	for _, got := range []score.Interval{s.Global.Contributions[1], s.Global.Pairs[0].Share, s.MeanAbsolute.Pairs[0].Share, s.Cells[1].Share} {
		if got != (score.Interval{}) {
			t.Errorf("what no sample has: %+v, want undefined", got)
		}
	}
	if c := s.Cells[1]; c.Low != (score.Share{}) || c.BackgroundSE != (score.Share{}) || c.SamplesSE != (score.Share{}) || c.Mean != 0 || c.Samples != 0 {
		t.Errorf("a cell that no sample has: %+v", c)
	}
	if s.SamplesSE == nil || s.BackgroundSE == nil || s.SamplesSE[1] != 0 || s.BaseSE != zero {
		t.Errorf("errors %v, %v, %v, want those of the first modality", s.SamplesSE, s.BackgroundSE, s.BaseSE)
	}
	if s := a.SummaryOf(0, opt, 0, 2); s != nil {
		t.Errorf("nobody has the second modality alone: %+v", s)
	}
}

// Where nobody has both of two modalities their pair is no part of the behaviour.
func TestNobodyHasBoth(t *testing.T) {
	a := score.NewAccumulator(lacking(nil))
	weights := make([]uint8, score.Replicates)
	for i := range 40 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		x := score.Sample{Groups: []int{1}, Phi: []float64{.5 + .01*float64(i%7), 0, 0, 0}, Weights: weights}
		if i%4 == 0 {
			x.Groups, x.Phi = []int{2}, []float64{0, 0, 0, -.25}
		}
		a.Add(0, x)
	}
	s := a.Summary(0, opt)
	zero := score.Defined(0)
	if s.Global.InterSHAP != (score.Interval{Share: zero, Low: zero, High: zero}) || s.Global.Pairs[0].Share != (score.Interval{}) {
		t.Errorf("InterSHAP %+v and pair %+v, want 0 and undefined", s.Global.InterSHAP, s.Global.Pairs[0].Share)
	}
	if x := s.Global.Contributions[1]; math.Abs(x.Share.Or(-1)-1./3) > .02 || !(x.Low.Or(9) < x.Share.Or(-1) && x.Share.Or(9) < x.High.Or(-1)) {
		t.Errorf("the second modality: %+v, want about a third", x)
	}
	if s.BaseSE != (score.Share{}) {
		t.Errorf("base ± %v: means over different samples do not add up", s.BaseSE)
	}
}

// What nobody has is nothing, however unclear the rest: of one modality whose sign is
// noise, all behaviour is its own.
func TestNobodyHasTheRest(t *testing.T) {
	a := score.NewAccumulator(lacking(nil))
	weights := make([]uint8, score.Replicates)
	for i := range 40 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		a.Add(0, score.Sample{Groups: []int{1}, Phi: []float64{float64(i%2) - .49, 0, 0, 0}, Weights: weights})
	}
	s := a.Summary(0, opt)
	one, zero := score.Defined(1), score.Defined(0)
	if s.Global.InterSHAP != (score.Interval{Share: zero, Low: zero, High: zero}) || s.Global.Contributions[0] != (score.Interval{Share: one, Low: one, High: one}) {
		t.Errorf("%+v and %+v, want exactly 0 and 1", s.Global.InterSHAP, s.Global.Contributions[0])
	}
}

// The cells of an order share the risk that an interval of one is wrong; those that nobody
// has take no part in it.
func TestRiskIsOfCellsThatExist(t *testing.T) {
	weights := make([]uint8, score.Replicates)
	levels := func(l score.Layout, groups []int) map[float64]bool {
		a := score.NewAccumulator(l)
		for i := range 30 {
			score.WeightsTo(weights, 1, strconv.Itoa(i))
			a.Add(0, score.Sample{Groups: groups, Phi: []float64{.5 + .01*float64(i%3), 0, 0, 0}, Weights: weights})
		}
		met := map[float64]bool{}
		a.Summary(0, score.Options{Level: .9, Quantile: func(p, _ float64) float64 { met[p] = true; return 2 }})
		return met
	}
	if met := levels(lacking(nil), []int{1}); !met[.95] || len(met) != 1 {
		t.Errorf("one modality: quantiles at %v, want 0.95 alone", met)
	}
	if met := levels(lacking(nil), []int{0}); !met[(1+math.Sqrt(.9))/2] {
		t.Errorf("two modalities: quantiles at %v, want the root of the level", met)
	}
}

// A pair that one sample has tells no error: its own is undefined, and bounds that count
// it are those of all shares. What leaves it out has bounds. A second sample that counts
// for a tenth of the first is not enough, by Kish.
func TestOneSampleHasBoth(t *testing.T) {
	for _, second := range []float64{0, .1} {
		checkOneSampleHasBoth(t, second)
	}
}

func checkOneSampleHasBoth(t *testing.T, second float64) {
	t.Helper()
	l := lacking(nil)
	l.Weighted = true
	a := score.NewAccumulator(l)
	weights := make([]uint8, score.Replicates)
	for i := range 41 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		e := .01 * float64(i%5)
		x := score.Sample{Groups: []int{1 + i%2}, Phi: []float64{.5 + e, 0, 0, .25 - e}, Weight: 1, Weights: weights}
		if i == 40 {
			x.Groups, x.Phi = []int{0}, []float64{.5, .1, .1, .25}
		}
		a.Add(0, x)
	}
	score.WeightsTo(weights, 1, "second")
	a.Add(0, score.Sample{Groups: []int{0}, Phi: []float64{.5, .11, .11, .25}, Weight: second, Weights: weights})
	samples := 1
	if second > 0 {
		samples++
	}
	s := a.Summary(0, opt)
	got := s.Global.InterSHAP
	if v := got.Share.Or(-1); v < .19 || v > .23 || got.Low != score.Defined(0) || got.High != score.Defined(1) {
		t.Errorf("InterSHAP %+v, want about 0.21 between 0 and 1", got)
	}
	c := s.Cells[1]
	if c.Samples != samples || c.Low != (score.Share{}) || c.SamplesSE != (score.Share{}) || c.BackgroundSE != score.Defined(0) {
		t.Errorf("the pair: %+v, want no error of the samples", c)
	}
	if s.SamplesSE != nil || s.GlobalSE.Samples != (score.Share{}) || s.MeanAbsoluteSE.Samples != (score.Share{}) {
		t.Errorf("errors %v, %v, want none", s.SamplesSE, s.GlobalSE.Samples)
	}
	if c := s.Cells[0]; c.Samples != 20+samples || c.SamplesSE == (score.Share{}) || c.Low == (score.Share{}) {
		t.Errorf("the first modality: %+v, want its error", c)
	}
	if x := s.Global.Contributions[0]; x.Low != score.Defined(0) || x.High.Or(1) < x.Share.Or(0) || x.High.Or(1) > .75 {
		t.Errorf("the first modality: %+v, want an upper bound: the pair may be nothing", x)
	}
}

// Intervals of pooled shares cover the truth in 93 to 97 % of 2,000 repetitions, where
// half, and where a tenth of the samples have both modalities.
func TestCoverageOfPooled(t *testing.T) {
	const repetitions = 2000
	for _, test := range []struct {
		name        string
		n           int
		both, first float64
		blocks      int
		tau, omega  float64
	}{
		{"half", 120, .5, .25, 0, .2, 0},
		{"half, with a background", 120, .5, .25, 16, .15, .05},
		{"a tenth", 300, .1, .6, 0, .1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(52, 52))
			covered := 0
			blocks := make([]int, test.blocks)
			for k := range blocks {
				blocks[k] = 6
			}
			weights := make([]uint8, score.Replicates)
			truth := [3]float64{.4, .15, -.3} // 0.3 of 1
			for range repetitions {
				a := score.NewAccumulator(lacking(blocks))
				effects := make([][3]float64, test.blocks)
				var mean [3]float64
				for k := range effects {
					for c := range mean {
						effects[k][c] = test.omega * rng.NormFloat64()
						mean[c] += effects[k][c] / float64(test.blocks)
					}
				}
				salt := rng.Uint64()
				for i := range test.n {
					group := 2
					if u := rng.Float64(); u < test.both {
						group = 0
					} else if u < test.both+test.first {
						group = 1
					}
					var own [3]float64
					for c := range own {
						own[c] = truth[c] + test.tau*rng.NormFloat64()
					}
					matrix := func(e [3]float64) []float64 {
						return []float64{own[0] + e[0], own[1] + e[1], own[1] + e[1], own[2] + e[2]}
					}
					x := score.Sample{Groups: []int{group}, Phi: matrix(mean), Weights: weights}
					for _, e := range effects {
						x.BlockPhi = append(x.BlockPhi, matrix(e)...)
					}
					score.WeightsTo(weights, salt, strconv.Itoa(i))
					a.Add(0, x)
				}
				if got := a.Summary(0, opt).Global.InterSHAP; got.Low.Or(1) <= .3 && .3 <= got.High.Or(0) {
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
