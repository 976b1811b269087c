package score_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/intershap/intershap/score"
)

// quiet has no quantile to speak of: bounds are the estimate ± two standard errors.
var quiet = score.Options{Level: .95, Quantile: func(_, _ float64) float64 { return 2 }}

// Two classes by hand. In the first the pair has 0.1 of main effects 0.3 and 0.1, so
// 0.2/0.6 = 1/3; in the second, which is nine times as common, 0.05 of 0.5 and 0.4, so
// 0.1/1 = 1/10. The mean is 13/60. Together they have means of 0.42, -0.35 and 0.055, of
// which the pair has 0.11/0.88 = 1/8.
func TestMacroByHand(t *testing.T) {
	l := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{4}, Convention: score.Paper}
	a := score.NewAccumulator(l)
	weights := make([]uint8, score.Replicates)
	for i := range 200 {
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		x := score.Sample{Groups: []int{2}, Phi: []float64{.5, .05, .05, -.4}, Weights: weights}
		if i%10 == 0 {
			x.Groups, x.Phi = []int{0}, []float64{-.3, .1, .1, .1}
		}
		a.Add(0, x)
	}
	for range 3 { // a class without behaviour
		a.Add(0, score.Sample{Groups: []int{3}, Phi: make([]float64, 4), Weights: weights})
	}
	near := func(what string, got score.Share, want float64) {
		t.Helper()
		if !(math.Abs(got.Or(-1)-want) <= 1e-14) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	m := a.Macro(0, quiet, 0, []int{0}, []int{1}, []int{2}, []int{3})
	if m == nil || m.Classes != 2 {
		t.Fatalf("%+v, want two classes: one has no samples, one no behaviour", m)
	}
	const want = 13. / 60
	for what, x := range map[string]score.Interval{"global": m.Global, "mean absolute": m.MeanAbsolute} {
		near(what, x.Share, want)
		// Samples of a class are all the same: nothing moves.
		near(what+" lower bound", x.Low, want)
		near(what+" upper bound", x.High, want)
		if x.Corrected != (score.Share{}) {
			t.Errorf("%s: corrected %v without draws", what, x.Corrected)
		}
	}
	near("local", m.Local, want)
	near("pooled", a.SummaryOf(0, quiet, 0, 0, 2).Global.InterSHAP.Share, .125)
	// A class may be several groups, and be the only one.
	m = a.Macro(0, quiet, 0, []int{0, 2})
	if m.Classes != 1 {
		t.Errorf("%d classes, want 1", m.Classes)
	}
	near("one class", m.Global.Share, .125)
	for _, classes := range [][][]int{nil, {{}}, {{1}, {3}}} {
		if m := a.Macro(0, quiet, 0, classes...); m != nil {
			t.Errorf("classes %v: %+v, want none", classes, m)
		}
	}
}

// Of one class the macro average is its share, bounds and all: to the rounding of the
// mended deviation, and to the cap on degrees of freedom, which is the same.
func TestMacroOfOneClass(t *testing.T) {
	rng := rand.New(rand.NewPCG(60, 60))
	for _, n := range []int{60, 5} { // in a replicate five may draw none
		l := twoModalities(true)
		l.Partitions = []int{2}
		samples := samplesOf(rng, n, 0)
		for i := range samples {
			samples[i].Groups, samples[i].Weight = []int{1}, 1
		}
		a := added(l, samples)
		m, s := a.Macro(0, opt, 0, []int{1}), a.SummaryOf(0, opt, 0, 1)
		tolerance := 1e-12
		if n == 5 { // a summary leaves out the replicates that drew none
			tolerance = .01
		}
		for _, pair := range [][2]score.Interval{{m.Global, s.Global.InterSHAP}, {m.MeanAbsolute, s.MeanAbsolute.InterSHAP}} {
			if !sameInterval(pair[0], pair[1], tolerance) || !sameShare(pair[0].Corrected, pair[1].Corrected, tolerance) {
				t.Errorf("%d samples: %+v, want %+v", n, pair[0], pair[1])
			}
		}
		if !sameShare(m.Local, s.Local.Mean, 1e-14) {
			t.Errorf("%d samples: local %v, want %v", n, m.Local, s.Local.Mean)
		}
	}
}

// Two classes that see the same rows, each the mirror of the other: their sum does not
// move with the rows. A pair of 1/4 ± 1/16 beside 1 by block, up in one class and down in
// the other, has shares of 2x/(1+2x). Without the first block one class has 3/11 and the
// other 5/13, without the second the reverse, so that the mean is the same and has no
// error of the background; the classes' own is √(1/2·2·((5/13−3/11)/2)²) = 8/143.
func TestMacroMovesTogether(t *testing.T) {
	l := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{2}, Blocks: []int{3, 3}, Convention: score.Paper}
	build := func(mirrored bool) *score.Accumulator {
		a := score.NewAccumulator(l)
		weights := make([]uint8, score.Replicates)
		for i := range 40 {
			score.WeightsTo(weights, 1, strconv.Itoa(i))
			x := score.Sample{Groups: []int{i % 2}, Phi: []float64{1, .25, .25, 0}, Weights: weights}
			up, down := []float64{1, .3125, .3125, 0}, []float64{1, .1875, .1875, 0}
			if mirrored && i%2 == 1 {
				up, down = down, up
			}
			x.BlockPhi = append(up, down...)
			a.Add(0, x)
		}
		return a
	}
	const share, own = 1. / 3, 8. / 143
	if s := build(false).SummaryOf(0, quiet, 0, 1); math.Abs(s.GlobalSE.Background.Or(-1)-own) > 1e-14 {
		t.Fatalf("a class has the error %v, want 8/143", s.GlobalSE.Background)
	}
	for _, test := range []struct {
		mirrored bool
		half     float64
	}{{true, 0}, {false, 2 * own}} {
		m := build(test.mirrored).Macro(0, quiet, 0, []int{0}, []int{1})
		if math.Abs(m.Global.Share.Or(-1)-share) > 1e-14 || math.Abs(m.Global.Low.Or(-1)-(share-test.half)) > 1e-13 || math.Abs(m.Global.High.Or(-1)-(share+test.half)) > 1e-13 {
			t.Errorf("mirrored %v: %+v, want 1/3 ± %v", test.mirrored, m.Global, test.half)
		}
	}
}

// A class that one sample tells may have any share: each bound gives it a half of the
// mean of two. Where no class can tell an error, there are no bounds.
func TestMacroOfUnknownClass(t *testing.T) {
	build := func(n int) *score.Macro {
		a := score.NewAccumulator(score.Layout{Modalities: 2, Targets: 1, Partitions: []int{2}, Convention: score.Paper})
		weights := make([]uint8, score.Replicates)
		for i := range n {
			score.WeightsTo(weights, 1, strconv.Itoa(i))
			a.Add(0, score.Sample{Phi: []float64{.5, .25, .25, 0}, Weights: weights})
		}
		score.WeightsTo(weights, 1, "alone")
		a.Add(0, score.Sample{Groups: []int{1}, Phi: []float64{.75, .125, .125, 0}, Weights: weights})
		return a.Macro(0, quiet, 0, []int{0}, []int{1})
	}
	got := build(30)
	if x := got.Global; math.Abs(x.Share.Or(-1)-.375) > 1e-15 || math.Abs(x.Low.Or(-1)-.25) > 1e-15 || math.Abs(x.High.Or(-1)-.75) > 1e-15 {
		t.Errorf("%+v, want 3/8 between 1/4 and 3/4", x)
	}
	if x := build(1).Global; math.Abs(x.Share.Or(-1)-.375) > 1e-15 || x.Low != (score.Share{}) || x.High != (score.Share{}) {
		t.Errorf("%+v, want 3/8 without bounds", x)
	}
}

// A classes simulates samples of classes, each with a true mean matrix.
type classes struct {
	n          []int
	truth      [][3]float64
	tau, omega float64
	blocks     int
	// copies is how often each sample stands there, with the same id; spread says that
	// the copies are one in each class, which are then of the same size.
	copies int
	spread bool
}

func (c classes) share() float64 {
	sum := 0.0
	for _, x := range c.truth {
		pair := 2 * math.Abs(x[1])
		sum += pair / (math.Abs(x[0]) + pair + math.Abs(x[2])) / float64(len(c.truth))
	}
	return sum
}

func (c classes) macro(rng *rand.Rand) *score.Macro {
	l := score.Layout{Modalities: 2, Targets: 1, Partitions: []int{len(c.n)}, Convention: score.Paper}
	effects := make([][3]float64, c.blocks)
	var mean [3]float64
	for k := range effects {
		l.Blocks = append(l.Blocks, 6)
		for at := range mean {
			effects[k][at] = c.omega * rng.NormFloat64()
			mean[at] += effects[k][at] / float64(c.blocks)
		}
	}
	a := score.NewAccumulator(l)
	weights := make([]uint8, score.Replicates)
	salt := rng.Uint64()
	var sets [][]int
	id := 0
	add := func(class int, own [3]float64) {
		matrix := func(e [3]float64) []float64 {
			var x [3]float64
			for at := range x {
				x[at] = c.truth[class][at] + own[at] + e[at]
			}
			return []float64{x[0], x[1], x[1], x[2]}
		}
		x := score.Sample{Groups: []int{class}, Phi: matrix(mean), Weights: weights}
		for _, e := range effects {
			x.BlockPhi = append(x.BlockPhi, matrix(e)...)
		}
		a.Add(0, x)
	}
	draw := func() (own [3]float64) {
		for at := range own {
			own[at] = c.tau * rng.NormFloat64()
		}
		score.WeightsTo(weights, salt, strconv.Itoa(id))
		id++
		return own
	}
	for class, n := range c.n {
		sets = append(sets, []int{class})
		if c.spread && class > 0 {
			continue
		}
		for range n {
			own := draw()
			for k := range max(1, c.copies) {
				if c.spread {
					add(k, own)
				} else {
					add(class, own)
				}
			}
		}
	}
	return a.Macro(0, opt, 0, sets...)
}

// Intervals of macro averages must cover the truth in 92.5 to 97.5 % of 2,000
// repetitions.
func TestCoverageOfMacro(t *testing.T) {
	const repetitions = 2000
	two := [][3]float64{{.3, .1, -.2}, {-.4, .15, .3}}
	four := append(two, [3]float64{.2, -.2, .2}, [3]float64{.6, .1, .1})
	for _, test := range []struct {
		name string
		classes
	}{
		{"samples alone", classes{n: []int{60, 40}, truth: two, tau: .15}},
		{"one class is rare", classes{n: []int{100, 12}, truth: two, tau: .07}},
		{"many small classes", classes{n: []int{10, 10, 10, 10}, truth: four, tau: .06}},
		{"both sources", classes{n: []int{60, 40}, truth: two, tau: .1, omega: .05, blocks: 16}},
		{"background dominates", classes{n: []int{60, 40}, truth: two, tau: .02, omega: .08, blocks: 16}},
		{"clusters in a class", classes{n: []int{40, 30}, truth: two, tau: .1, copies: 4}},
		{"clusters over classes", classes{n: []int{40, 40}, truth: two, tau: .1, copies: 2, spread: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(61, 61))
			covered, narrow, truth := 0, 0, test.share()
			for range repetitions {
				got := test.macro(rng).Global
				low, high, value := got.Low.Or(9), got.High.Or(-9), got.Share.Or(9)
				if low <= truth && truth <= high {
					covered++
				}
				if value+(low-value)/2 <= truth && truth <= value+(high-value)/2 {
					narrow++
				}
			}
			share := float64(covered) / repetitions
			t.Logf("covered %.1f %%", 100*share)
			if share < .925 || share > .975 {
				t.Errorf("covered %.1f %%, want 92.5 to 97.5", 100*share)
			}
			// The test can fail: half of the width misses more often.
			if share := float64(narrow) / repetitions; share > .85 {
				t.Errorf("half of the width covers %.1f %%", 100*share)
			}
		})
	}
}

// Samples of a cluster that are all the same tell what the cluster alone does: the same
// average, and bounds that differ by what 256 replicates know of the number of clusters.
func TestMacroOfClusters(t *testing.T) {
	c := classes{n: []int{30, 25}, truth: [][3]float64{{.3, .1, -.2}, {-.4, .15, .3}}, tau: .1}
	alone := c.macro(rand.New(rand.NewPCG(62, 62)))
	c.copies = 5
	got := c.macro(rand.New(rand.NewPCG(62, 62)))
	for _, pair := range [][2]score.Interval{{got.Global, alone.Global}, {got.MeanAbsolute, alone.MeanAbsolute}} {
		low, high := pair[1].Share.Or(9)-pair[1].Low.Or(9), pair[1].High.Or(9)-pair[1].Share.Or(9)
		if !sameShare(pair[0].Share, pair[1].Share, 1e-13) || !sameShare(pair[0].Low, pair[1].Low, .05*low) || !sameShare(pair[0].High, pair[1].High, .05*high) {
			t.Errorf("five of each: %+v, want %+v", pair[0], pair[1])
		}
	}
}

// The degrees of freedom of a macro average are Welch and Satterthwaite's over classes,
//
//	(Σ s_c²)² / Σ s_c⁴/(n_c−1)
//
// and those of all samples together where the same patients are in both classes.
func TestMacroDegreesOfFreedom(t *testing.T) {
	for _, shared := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(63, 63))
		a := score.NewAccumulator(score.Layout{Modalities: 2, Targets: 1, Partitions: []int{2}, Convention: score.Paper})
		weights := make([]uint8, score.Replicates)
		for i := range 80 {
			class := i % 2
			id := i
			if shared {
				id = i / 2
			} else if i%8 != 0 {
				class = 1 // ten samples against seventy
			}
			score.WeightsTo(weights, 1, strconv.Itoa(id))
			q := .3 + .05*rng.NormFloat64()
			a.Add(0, score.Sample{Groups: []int{class}, Phi: []float64{.5, q, q, -.2}, Weights: weights})
		}
		var df float64
		asked := score.Options{Level: .95, Quantile: func(_, n float64) float64 { df = n; return 2 }}
		a.Macro(0, asked, 0, []int{0}, []int{1}) // last, the upper bound of mean absolutes
		got := df
		var squares, fourths float64
		for class := range 2 {
			s := a.SummaryOf(0, opt, 0, class)
			se := s.MeanAbsoluteSE.Samples.Or(math.NaN())
			squares += se * se
			fourths += se * se * se * se / (s.Clusters - 1)
		}
		want := squares * squares / fourths
		if all := a.Summary(0, opt).Clusters; shared {
			if want < all-1 || math.Abs(all-40) > 8 {
				t.Fatalf("%v independent samples and %v degrees of freedom: there is no limit to see", all, want)
			}
			want = all - 1
		} else if want > all-1 {
			t.Fatalf("%v degrees of freedom", want)
		}
		if !(math.Abs(got-want) <= 1e-9*want) {
			t.Errorf("shared %v: %v degrees of freedom, want %v", shared, got, want)
		}
	}
}
