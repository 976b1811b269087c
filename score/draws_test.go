package score_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// A noise simulates what a run sees of a truth: every number has an effect of its
// sample, of the background rows and of the draw of coalitions, the latter two the
// same for all samples unless each has its own.
type noise struct {
	samples                int
	sample                 float64 // standard deviations: of one sample,
	block, draw            float64 // of one block's mean, of one draw's estimate
	blocks, draws          int
	onBackground, onBudget func(at int) bool // the numbers that have the effects; nil is all
	own                    bool
}

// mains are the cells of the diagonal of two modalities.
func mains(at int) bool { return at != 1 }

// summary draws the samples and adds them up. truth and what is added have the
// length of the layout's numbers; a matrix of two modalities has its three cells.
func (x noise) summary(rng *rand.Rand, layout score.Layout, truth []float64) *score.Summary {
	layout.Targets, layout.Partitions, layout.Draws = 1, []int{1}, x.draws
	layout.Blocks = slices.Repeat([]int{6}, x.blocks)
	effects := func(n int, sd float64, has func(int) bool) (each [][]float64, mean []float64) {
		mean = make([]float64, len(truth))
		for range n {
			e := make([]float64, len(truth))
			for at := range e {
				if sd > 0 && (has == nil || has(at)) { // draws without spread draw no numbers
					e[at] = sd * rng.NormFloat64()
				}
				mean[at] += e[at] / float64(n)
			}
			each = append(each, e)
		}
		return each, mean
	}
	blocks, background := effects(x.blocks, x.block, x.onBackground)
	draws, budget := effects(x.draws, x.draw, x.onBudget)
	numbers := func(parts ...[]float64) []float64 {
		sum := make([]float64, len(truth))
		for _, part := range parts {
			for at, v := range part {
				sum[at] += v
			}
		}
		if layout.Cells == nil {
			return []float64{sum[0], sum[1], sum[1], sum[2]}
		}
		return sum
	}
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	salt := rng.Uint64()
	for i := range x.samples {
		if x.own && i > 0 {
			blocks, background = effects(x.blocks, x.block, x.onBackground)
			draws, budget = effects(x.draws, x.draw, x.onBudget)
		}
		own := make([]float64, len(truth))
		for at, v := range truth {
			own[at] = v + x.sample*rng.NormFloat64()
		}
		s := score.Sample{Phi: numbers(own, background, budget), Weights: weights}
		for _, e := range blocks {
			s.BlockPhi = append(s.BlockPhi, numbers(own, e, budget)...)
		}
		for _, e := range draws {
			s.DrawPhi = append(s.DrawPhi, numbers(own, background, e)...)
		}
		score.WeightsTo(weights, salt, strconv.Itoa(i))
		a.Add(0, s)
	}
	return a.Summary(0, opt)
}

func matrix() score.Layout { return score.Layout{Modalities: 2, Convention: score.Paper} }

// singlesToTriple is every coalition of three modalities.
func singlesToTriple() score.Layout {
	return score.Layout{Modalities: 3, Cells: []game.Coalition{0b001, 0b010, 0b100, 0b011, 0b101, 0b110, 0b111}}
}

// Intervals must cover the truth in 93 to 97 % of 2,000 repetitions where
// coalitions are drawn, alone and beside the other sources; where there is no
// interaction the bound at zero must hold in at least 93 %.
func TestCoverageOfDraws(t *testing.T) {
	const repetitions = 2000
	third := []float64{.2, .075, -.15} // 0.15 of 0.5 in both cells
	fromTriple := []float64{.2, -.15, .1, 0.1, -.05, .1, .3}
	global := func(s *score.Summary) (share, low, high score.Share) {
		x := s.Global.InterSHAP
		return x.Share, x.Low, x.High
	}
	meanOf := func(at int) func(*score.Summary) (share, low, high score.Share) {
		return func(s *score.Summary) (share, low, high score.Share) {
			c := s.Cells[at]
			return score.Defined(c.Mean), c.Low, c.High
		}
	}
	budget := noise{samples: 40, sample: .01, draw: .06, draws: 16}
	all := noise{samples: 60, sample: .15, block: .05, blocks: 16, draw: .05, draws: 16}
	tests := []struct {
		name      string
		noise     noise
		layout    score.Layout
		truth     []float64
		of        func(*score.Summary) (share, low, high score.Share)
		want      float64
		low, high float64
	}{
		{"draws alone", budget, matrix(), third, global, .3, .93, .97},
		{"all sources", all, matrix(), third, global, .3, .93, .97},
		{"four draws", noise{samples: 60, sample: .15, draw: .01, draws: 4}, matrix(), third, global, .3, .93, .97},
		{"no interaction", budget, matrix(), []float64{.2, 0, -.15}, global, 0, .93, 1},
		{"a cell's mean", budget, matrix(), third, meanOf(2), -.15, .93, .97},
		{"a cell's mean by all sources", all, matrix(), third, meanOf(1), .075, .93, .97},
		{"a cell's mean of nothing", all, matrix(), []float64{.2, 0, -.15}, meanOf(1), 0, .93, .97},
		{"the share of triples", budget, singlesToTriple(), fromTriple,
			func(s *score.Summary) (share, low, high score.Share) {
				x := s.Global.Spectrum[2]
				return x.Share, x.Low, x.High
			}, .3, .93, .97},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 11))
			covered, mean := 0, 0.0
			for range repetitions {
				share, low, high := test.of(test.noise.summary(rng, test.layout, test.truth))
				l, ok1 := low.Value()
				h, ok2 := high.Value()
				if !ok1 || !ok2 {
					t.Fatal("no interval")
				}
				if l <= test.want && test.want <= h {
					covered++
				}
				mean += share.Or(math.NaN()) / repetitions
			}
			share := float64(covered) / repetitions
			t.Logf("covered %.1f %%, mean estimate %.4f", 100*share, mean)
			if share < test.low || share > test.high {
				t.Errorf("covered %.1f %%, want %.0f to %.0f", 100*share, 100*test.low, 100*test.high)
			}
		})
	}
	// The test can fail: with draws of too small a spread the intervals miss.
	t.Run("half the spread", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 11))
		covered := 0
		const few = 300
		for range few {
			got := budget.summary(rng, matrix(), third)
			x := got.Global.InterSHAP
			value := x.Share.Or(0)
			low, high := value+(x.Low.Or(0)-value)/2, value+(x.High.Or(0)-value)/2
			if low <= .3 && .3 <= high {
				covered++
			}
		}
		if share := float64(covered) / few; share > .85 {
			t.Errorf("half of the width covers %.1f %%", 100*share)
		}
	})
}

// Standard errors against what the noise was made of: σ/√D for draws, σ/√K for
// blocks, σ/√n for samples, each beside the others.
func TestStandardErrorsBySource(t *testing.T) {
	x := noise{samples: 400, sample: .2, block: .08, blocks: 16, draw: .12, draws: 9}
	rng := rand.New(rand.NewPCG(12, 12))
	var background, coalitions, samples float64
	const repetitions = 200
	for range repetitions {
		s := x.summary(rng, matrix(), []float64{.3, .1, .2})
		background += s.BackgroundSE[1] * s.BackgroundSE[1] / repetitions
		coalitions += s.CoalitionSE[1] * s.CoalitionSE[1] / repetitions
		samples += s.SamplesSE[1] * s.SamplesSE[1] / repetitions
		if c := s.Cells[1]; c.BackgroundSE.Or(-1) != s.BackgroundSE[1] || c.CoalitionSE.Or(-1) != s.CoalitionSE[2] || c.SamplesSE.Or(-1) != s.SamplesSE[1] || c.Mean != s.Phi[1] {
			t.Fatalf("cell %+v, want the errors of the matrix, %v, %v, %v", c, s.BackgroundSE, s.CoalitionSE, s.SamplesSE)
		}
	}
	// A mean of 200 variances with 8 degrees of freedom or more has a relative
	// standard error of 3.5 % at most.
	check := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > .14 {
			t.Errorf("variance from %s is %v, want %v", what, got, want)
		}
	}
	check("the background", background, .08*.08/16)
	check("draws", coalitions, .12*.12/9)
	check("samples", samples, .2*.2/400)
}

// The standard error of a share that a few draws tell, worked out by hand: cells 1
// and 3/8 + e, where e is ±1/8 in the two draws, in a single direction. Without the
// first draw the pair has 2·1/4 = 1/2, without the second 2·1/2 = 1, beside 1: shares
// 1/3 and 1/2. The jackknife of two has √(1/2·2·(1/12)²) = 1/12.
func TestShareErrorByHand(t *testing.T) {
	layout := matrix()
	layout.Targets, layout.Partitions, layout.Draws = 1, []int{1}, 2
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	for i := range 20 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		local := a.Add(0, score.Sample{
			Phi: []float64{1, .375, .375, 0}, DrawPhi: []float64{1, .5, .5, 0, 1, .25, .25, 0}, Weights: weights,
		})
		// 3/7 less the bias, which is the mean of 1/3 and 1/2, 5/12, less 3/7.
		if math.Abs(local.SE.Or(-1)-1./12) > 1e-15 || math.Abs(local.Corrected.Or(-1)-(6./7-5./12)) > 1e-15 {
			t.Fatalf("local score %+v, want an error of 1/12 and %v", local, 6./7-5./12)
		}
	}
	s := a.Summary(0, opt)
	for what, got := range map[string]score.Share{"global": s.GlobalSE.Coalitions, "mean absolute": s.MeanAbsoluteSE.Coalitions} {
		if math.Abs(got.Or(-1)-1./12) > 1e-15 {
			t.Errorf("%s: standard error %v, want 1/12", what, got)
		}
	}
	if math.Abs(s.CoalitionSE[1]-.125) > 1e-15 || s.BaseSE != score.Defined(0) || s.GlobalSE.Background != score.Defined(0) {
		t.Errorf("cell %v, base %v, background %v, want 1/8, 0 and 0", s.CoalitionSE[1], s.BaseSE, s.GlobalSE.Background)
	}
	// One degree of freedom and no other error: x ± t·1/8.
	half := opt.Quantile(.975, 1) / 8
	if c := s.Cells[1]; math.Abs(c.Low.Or(9)-(.375-half)) > 1e-12 || math.Abs(c.High.Or(9)-(.375+half)) > 1e-12 {
		t.Errorf("bounds %v and %v, want 3/8 ± %v", c.Low, c.High, half)
	}
}

// Without rows and draws to tell an error, an interval of clear cells is the samples'
// alone: half its width is their standard error times the quantile.
func TestShareErrorOfSamples(t *testing.T) {
	layout := matrix()
	layout.Targets, layout.Partitions, layout.Blocks = 1, []int{1}, nil
	a := score.NewAccumulator(layout)
	rng := rand.New(rand.NewPCG(3, 4))
	weights := make([]uint8, score.Replicates)
	for i := range 500 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		pair := .4 + .2*rng.NormFloat64()
		a.Add(0, score.Sample{Phi: []float64{1, pair, pair, 2}, Weights: weights})
	}
	s := a.Summary(0, score.Options{Level: .95, Quantile: func(float64, float64) float64 { return 2 }})
	half := s.Global.InterSHAP.High.Or(9) - s.Global.InterSHAP.Share.Or(9)
	if se := s.GlobalSE.Samples.Or(9); math.Abs(half-2*se) > 1e-12 || se == 0 {
		t.Errorf("half the interval is %v, want twice the standard error %v", half, se)
	}
	// By the delta method: the share is 2x/(3+2x), its derivative at 0.4 is 6/3.8².
	if want := 6 / (3.8 * 3.8) * .2 / math.Sqrt(500); math.Abs(s.GlobalSE.Samples.Or(9)/want-1) > .15 {
		t.Errorf("standard error %v, want about %v", s.GlobalSE.Samples, want)
	}
}

// Errors of the local score add in squares and biases add: both sources together
// against each alone.
func TestLocalErrorsAdd(t *testing.T) {
	phi := []float64{1, .375, .375, 0}
	blocks := []float64{1, .5, .5, 0, 1, .25, .25, 0}
	draws := []float64{.875, .375, .375, 0, 1, .375, .375, 0, 1.125, .375, .375, 0}
	add := func(withBlocks, withDraws, unknown bool) score.LocalScore {
		layout := matrix()
		layout.Targets, layout.Partitions, layout.BackgroundUnknown = 1, []int{1}, unknown
		x := score.Sample{Phi: phi, Weights: make([]uint8, score.Replicates)}
		if withBlocks {
			layout.Blocks, x.BlockPhi = []int{3, 3}, blocks
		}
		if withDraws {
			layout.Draws, x.DrawPhi = 3, draws
		}
		return score.NewAccumulator(layout).Add(0, x)
	}
	none, first, second, both := add(false, false, false), add(true, false, false), add(false, true, false), add(true, true, false)
	plain := none.InterSHAP.Or(-1)
	if want := math.Hypot(first.SE.Or(9), second.SE.Or(9)); math.Abs(both.SE.Or(-1)-want) > 1e-15 || first.SE.Or(0) == 0 || second.SE.Or(0) == 0 {
		t.Errorf("standard error %v, want %v", both.SE, want)
	}
	if want := first.Corrected.Or(9) + second.Corrected.Or(9) - plain; math.Abs(both.Corrected.Or(-1)-want) > 1e-15 || second.Corrected.Or(9) == plain {
		t.Errorf("corrected %v, want %v", both.Corrected, want)
	}
	if none.SE != score.Defined(0) || none.Corrected != none.InterSHAP {
		t.Errorf("no source: %+v", none)
	}
	if got := add(false, true, true); got.SE != (score.Share{}) || got.Corrected != (score.Share{}) {
		t.Errorf("unknown background: %+v, want no error", got)
	}
	// All behaviour is in the first draw: without it there is no share.
	layout := matrix()
	layout.Targets, layout.Partitions, layout.Draws = 1, []int{1}, 2
	got := score.NewAccumulator(layout).Add(0, score.Sample{
		Phi: []float64{0, 1, 1, 0}, DrawPhi: []float64{0, 2, 2, 0, 0, 0, 0, 0}, Weights: make([]uint8, score.Replicates),
	})
	if got.SE != (score.Share{}) || got.Corrected != score.Defined(1) {
		t.Errorf("undefined without a draw: %+v, want no error and no correction", got)
	}
}

// Blocks of unequal size: of three rows with a pair of 1/4 and one with 3/4 the pair
// has 3/8. Without the first block it has 3/4, a share of 3/5, without the second
// 1/4, a share of 1/3.
func TestUnequalBlocks(t *testing.T) {
	layout := matrix()
	layout.Targets, layout.Partitions, layout.Blocks = 1, []int{1}, []int{3, 1}
	got := score.NewAccumulator(layout).Add(0, score.Sample{
		Phi: []float64{1, .375, .375, 0}, BlockPhi: []float64{1, .25, .25, 0, 1, .75, .75, 0}, Weights: make([]uint8, score.Replicates),
	})
	if want := (3./5 - 1./3) / 2; math.Abs(got.SE.Or(-1)-want) > 1e-15 {
		t.Errorf("standard error %v, want %v", got.SE, want)
	}
}

// Draws that agree add nothing: bounds are those of exact values. Draws of zero
// spread are all equal to phi.
func TestDrawsWithoutSpread(t *testing.T) {
	for _, layout := range []score.Layout{matrix(), singlesToTriple()} {
		truth := []float64{.3, .1, -.2}
		if layout.Cells != nil {
			truth = []float64{.3, .1, -.2, .3, 0, 0, .1}
		}
		x := noise{samples: 50, sample: .1, block: .04, blocks: 8}
		exact := x.summary(rand.New(rand.NewPCG(13, 13)), layout, truth)
		x.draws = 8
		drawn := x.summary(rand.New(rand.NewPCG(13, 13)), layout, truth)
		near := func(what string, a, b score.Interval) {
			t.Helper()
			for _, pair := range [][2]score.Share{{a.Share, b.Share}, {a.Low, b.Low}, {a.High, b.High}} {
				if math.Abs(pair[0].Or(8)-pair[1].Or(9)) > 1e-10 {
					t.Errorf("%s: %+v, want %+v", what, b, a)
				}
			}
		}
		near("global", exact.Global.InterSHAP, drawn.Global.InterSHAP)
		near("mean absolute", exact.MeanAbsolute.InterSHAP, drawn.MeanAbsolute.InterSHAP)
		if drawn.GlobalSE.Coalitions.Or(9) > 1e-14 || exact.GlobalSE.Coalitions != (score.Share{}) || exact.CoalitionSE != nil ||
			exact.MeanAbsoluteSE.Coalitions != (score.Share{}) || exact.Cells[0].CoalitionSE != (score.Share{}) {
			t.Errorf("errors of draws: %v, and %v where exact", drawn.GlobalSE.Coalitions, exact.GlobalSE.Coalitions)
		}
	}
}

// Where all is interaction, and the noise of both sources makes main effects of
// nothing in each sample, the interval of mean absolutes mostly reaches the truth
// within two points. With what one source alone sees of the bias it hardly ever would.
func TestMeanAbsoluteBiasOfBothSources(t *testing.T) {
	for _, x := range []noise{
		{own: true, samples: 60, draws: 16, draw: .2, onBudget: mains},
		{own: true, samples: 60, blocks: 16, block: .14, onBackground: mains, draws: 16, draw: .14, onBudget: mains},
	} {
		rng := rand.New(rand.NewPCG(14, 14))
		reached, plain := 0, 0.0
		const repetitions = 200
		for range repetitions {
			got := x.summary(rng, matrix(), []float64{0, .25, 0}).MeanAbsolute.InterSHAP
			plain += got.Share.Or(0) / repetitions
			if got.High.Or(0) >= .98 {
				reached++
			}
		}
		if plain > .95 {
			t.Errorf("the plain share is %v: there is no bias to see", plain)
		}
		if reached < repetitions*4/5 {
			t.Errorf("%d blocks: the interval reaches the truth in %d of %d repetitions", x.blocks, reached, repetitions)
		} else {
			t.Logf("plain %.3f, reached in %d of %d", plain, reached, repetitions)
		}
	}
}

func TestLayoutsRefused(t *testing.T) {
	cells := func(s ...game.Coalition) score.Layout { return score.Layout{Modalities: 3, Cells: s} }
	for name, layout := range map[string]score.Layout{
		"one draw":            {Modalities: 2, Draws: 1},
		"draws below none":    {Modalities: 2, Draws: -2},
		"no cells":            {Modalities: 2, Cells: []game.Coalition{}},
		"empty coalition":     cells(0, 1),
		"twice":               cells(1, 1),
		"not by size":         cells(0b011, 0b100),
		"not by bits":         cells(0b010, 0b001),
		"no such modality":    cells(0b1000),
		"too many modalities": {Modalities: 65},
	} {
		layout.Targets, layout.Partitions, layout.Convention = 1, []int{1}, score.Paper
		if !panics(func() { score.NewAccumulator(layout) }) {
			t.Errorf("%s: no panic", name)
		}
	}
	good := cells(0b001, 0b100, 0b011, 0b111)
	good.Targets, good.Partitions, good.Draws = 1, []int{1}, 2
	a := score.NewAccumulator(good)
	weights := make([]uint8, score.Replicates)
	if panics(func() { a.Add(0, score.Sample{Phi: make([]float64, 4), DrawPhi: make([]float64, 8), Weights: weights}) }) {
		t.Error("panic for a sample that fits")
	}
	for name, x := range map[string]score.Sample{
		"no draws":         {Phi: make([]float64, 4), Weights: weights},
		"a matrix":         {Phi: make([]float64, 9), DrawPhi: make([]float64, 18), Weights: weights},
		"draws of another": {Phi: make([]float64, 4), DrawPhi: make([]float64, 9), Weights: weights},
	} {
		if !panics(func() { a.Add(0, x) }) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// Adding allocates nothing, whatever a sample has.
func TestAddAllocatesNothing(t *testing.T) {
	cohort := matrix()
	cohort.Weighted, cohort.Present = true, [][]game.Coalition{nil, {0b01, 0b11}}
	for _, layout := range []score.Layout{matrix(), singlesToTriple(), cohort} {
		layout.Targets, layout.Partitions, layout.Draws, layout.Blocks = 1, []int{1, 2}, 3, []int{4, 5}
		n := len(layout.Cells)
		if n == 0 {
			n = 4
		}
		x := score.Sample{Weight: 1, Phi: make([]float64, n), BlockPhi: make([]float64, 2*n), DrawPhi: make([]float64, 3*n), Weights: slices.Repeat([]uint8{1}, score.Replicates)}
		for i := range x.Phi {
			x.Phi[i] = 1
		}
		a := score.NewAccumulator(layout)
		a.Add(0, x)
		if got := testing.AllocsPerRun(10, func() { a.Add(0, x) }); got != 0 {
			t.Errorf("%v allocations", got)
		}
	}
}

// What an accumulator says that it takes is what it takes, nearly all for the
// bootstrap.
func TestSectionBytes(t *testing.T) {
	layout := score.Layout{Modalities: 24, Cells: upTo(24, 3), Draws: 16, Blocks: slices.Repeat([]int{6}, 16)}
	if len(layout.Cells) != 24+276+2024 {
		t.Fatalf("%d cells", len(layout.Cells))
	}
	got, least := layout.SectionBytes(), int64(2324*2*8*(score.Replicates+32))
	if got < least || got > least+least/50 {
		t.Errorf("%d bytes, want %d and little more", got, least)
	}
}

// upTo returns the coalitions of 1 to k of m players, by size and then by bits.
func upTo(m, k int) []game.Coalition {
	var out []game.Coalition
	for size := 1; size <= k; size++ {
		for s := game.Coalition(1)<<size - 1; s <= game.Grand(m); {
			out = append(out, s)
			low := s & -s // the next number with as many bits (Gosper)
			next := s + low
			s = next | (s^next)/low>>2
		}
	}
	return out
}

// A summary of many cells, as a run of 24 modalities on a budget has.
func BenchmarkManyCells(b *testing.B) {
	for _, order := range []int{2, 3} {
		layout := score.Layout{Modalities: 24, Targets: 1, Partitions: []int{1}, Cells: upTo(24, order), Draws: 16, Blocks: slices.Repeat([]int{6}, 16)}
		p := len(layout.Cells)
		rng := rand.New(rand.NewPCG(1, 1))
		x := score.Sample{Phi: make([]float64, p), BlockPhi: make([]float64, 16*p), DrawPhi: make([]float64, 16*p), Weights: make([]uint8, score.Replicates)}
		a := score.NewAccumulator(layout)
		sample := func(i int) {
			for _, numbers := range [][]float64{x.Phi, x.BlockPhi, x.DrawPhi} {
				for at := range numbers {
					numbers[at] = rng.NormFloat64() + float64(at%2) // half of the signs are clear
				}
			}
			score.WeightsTo(x.Weights, 1, strconv.Itoa(i))
			a.Add(0, x)
		}
		for i := range 200 {
			sample(i)
		}
		b.Run(fmt.Sprintf("M=24/order=%d/step=add", order), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a.Add(0, x)
			}
		})
		b.Run(fmt.Sprintf("M=24/order=%d/step=summary", order), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				a.Summary(0, opt)
			}
		})
	}
}
