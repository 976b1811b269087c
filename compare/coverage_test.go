package compare

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// repetitions of each coverage test: 95 % are known to half a point.
const repetitions = 2000

// draws of the bootstrap in coverage tests, few to be fast: they make the ends of an
// interval noisier, not farther.
const draws = 300

// coverage returns the share of repetitions in which an interval holds the truth.
func coverage(t *testing.T, truth float64, interval func(rng *rand.Rand) estimate) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range repetitions {
		e := interval(rng)
		if e.reason != "" {
			t.Fatalf("no interval: %s", e.reason)
		}
		if e.low <= truth && truth <= e.high {
			held++
		}
	}
	got := float64(held) / repetitions
	t.Logf("covered %.1f %%", 100*got)
	return got
}

func within(t *testing.T, got, low, high float64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("covered %.1f %%, want %.0f to %.0f", 100*got, 100*low, 100*high)
	}
}

// Intervals of a difference must cover the truth in 93 to 97 % of the repetitions where
// signs are clear. Where one side has no interaction, or neither, they may hold it more
// often: what absolute values make of noise could be all of it.
func TestBootstrapCoverage(t *testing.T) {
	clear, other := []float64{.3, .1, -.2}, []float64{.3, .05, -.2}
	none := []float64{.3, 0, -.2}
	const many = .4                       // of the correlation of two runs
	six := func(pair float64) []float64 { // packed, of four modalities, one pair real
		return []float64{.3, pair, 0, 0, .2, 0, 0, -.2, 0, .1}
	}
	for _, tt := range []struct {
		name      string
		m, na, nb int
		a, b      []float64
		noise     float64
		common    float64
		paired    bool
		skewed    bool
		low, high float64
	}{
		{"paired", 2, 60, 60, other, clear, .1, many, true, false, .93, .97},
		{"paired, no difference", 2, 60, 60, clear, clear, .1, .8, true, false, .93, .97},
		{"paired, few samples", 2, 12, 12, other, clear, .04, many, true, false, .93, .97},
		{"paired, skewed", 2, 60, 60, other, clear, .15, many, true, true, .93, .97},
		{"unpaired", 2, 60, 40, other, clear, .1, 0, false, false, .93, .97},
		{"one side has no interaction", 2, 60, 60, none, clear, .1, many, true, false, .93, .97},
		{"neither has", 2, 60, 60, none, none, .1, many, true, false, .93, 1},
		{"six pairs, five of nothing", 4, 60, 60, six(0), six(.1), .1, many, true, false, .93, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wa := world{m: tt.m, truth: tt.a, noise: tt.noise, common: tt.common, skewed: tt.skewed}
			wb := wa
			wb.truth = tt.b
			truth := shareOf(tt.m, tt.b) - shareOf(tt.m, tt.a)
			seed := uint64(0)
			got := coverage(t, truth, func(rng *rand.Rand) estimate {
				var shared []float64
				if tt.paired {
					shared = wa.deviations(rng, tt.na)
				}
				tables := [2]*table{tableOf(tt.m, wa.draw(rng, tt.na, shared)), tableOf(tt.m, wb.draw(rng, tt.nb, shared))}
				seed++
				all, err := bootstrap(t.Context(), tables, tt.paired, global(t, tables), Options{Level: .95, Draws: draws, Seed: seed, Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				return all[0]
			})
			within(t, got, tt.low, tt.high)
		})
	}
}

// Pairing matters: drawn for themselves, runs of the same samples have intervals that
// are far too wide.
func TestUnpairedCoverageOfPairedRuns(t *testing.T) {
	w := world{m: 2, truth: []float64{.3, .1, -.2}, noise: .1, common: .8}
	seed := uint64(0)
	got := coverage(t, 0, func(rng *rand.Rand) estimate {
		shared := w.deviations(rng, 60)
		tables := [2]*table{tableOf(2, w.draw(rng, 60, shared)), tableOf(2, w.draw(rng, 60, shared))}
		seed++
		const unpaired = false
		all, err := bootstrap(t.Context(), tables, unpaired, global(t, tables), Options{Level: .95, Draws: draws / 2, Seed: seed, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	})
	if got < .99 {
		t.Errorf("covered %.1f %%: pairing makes no difference", 100*got)
	}
}

// Why signs are fixed and unclear cells left out: percentiles of ratios of absolute
// values miss the truth where a side has no interaction, the more the more pairs.
func TestCoverageOfPlainPercentilesIsTooLow(t *testing.T) {
	six := []float64{.3, 0, 0, 0, .2, 0, 0, -.2, 0, .1}
	real := slices.Clone(six)
	real[1], real[2] = .1, .1
	for _, tt := range []struct {
		name string
		m    int
		a, b []float64
		most float64
	}{
		{"one pair", 2, []float64{.3, 0, -.2}, []float64{.3, .1, -.2}, .85},
		{"six pairs", 4, six, real, .5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const n, times = 60, 500
			truth, held, seed := shareOf(tt.m, tt.b)-shareOf(tt.m, tt.a), 0, uint64(0)
			rng := rand.New(rand.NewPCG(1, 2))
			for range times {
				a, b := world{m: tt.m, truth: tt.a, noise: .1}, world{m: tt.m, truth: tt.b, noise: .1}
				seed++
				const paired = true
				low, high := percentileOf(seed, tt.m, draws, paired, .025, a.draw(rng, n, nil), b.draw(rng, n, nil))
				if low <= truth && truth <= high {
					held++
				}
			}
			got := float64(held) / times
			t.Logf("covered %.1f %%", 100*got)
			if got > tt.most {
				t.Errorf("covered %.1f %%, want less than %.0f: then there is nothing to mend", 100*got, 100*tt.most)
			}
		})
	}
}

// Welch's interval of groups of 3 and 4 replicates with different spreads.
func TestWelchCoverage(t *testing.T) {
	group := func(rng *rand.Rand, n int, mean, sd float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = mean + sd*rng.NormFloat64()
		}
		return out
	}
	within(t, coverage(t, .05, func(rng *rand.Rand) estimate {
		return welch(group(rng, 3, .2, .01), group(rng, 4, .25, .02), .95)
	}), .93, .97)
}

// Intervals that results carry, of independent samples: those of package score.
func TestCarriedCoverage(t *testing.T) {
	worlds := twoWorlds()
	for _, tt := range []struct {
		name      string
		pair      float64
		low, high float64
	}{
		{"signs are clear", .1, .93, .97},
		{"one side has no interaction", 0, .93, .97},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := worlds[0], worlds[1]
			a.truth = []float64{.4, tt.pair, -.2}
			within(t, coverage(t, shareOf(2, b.truth)-shareOf(2, a.truth), func(rng *rand.Rand) estimate {
				const n = 30
				var c [2]carried
				for k, w := range []world{a, b} {
					r := runOf(2, w.draw(rng, n, nil), numbered(n), make([]int, n))
					g := &r.Result.Targets[0].Global
					c[k], _ = carriedOf(g.InterSHAP, g.Low, g.High)
				}
				return c[1].less(c[0])
			}), tt.low, tt.high)
		})
	}
}
