package score_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

// games draws value tables of m players: n samples, each with the tables of two
// background blocks, whose mean is its own, and of three draws, likewise.
type games struct{ all, blocks, draws [][]float64 }

func newGames(rng *rand.Rand, m, n int) games {
	var g games
	common := make([]float64, 1<<m)
	for s := range common {
		common[s] = 2 * rng.NormFloat64()
	}
	// noisy returns tables of which x is the mean.
	noisy := func(x []float64, k int) [][]float64 {
		out := make([][]float64, k)
		for b := range out {
			out[b] = slices.Clone(x)
		}
		for s := range x {
			for b := range k - 1 {
				e := .2 * rng.NormFloat64()
				out[b][s] += e
				out[k-1][s] -= e
			}
		}
		return out
	}
	for range n {
		v := make([]float64, 1<<m)
		for s := range v {
			v[s] = common[s] + .5*rng.NormFloat64()
		}
		g.all = append(g.all, v)
		g.blocks = append(g.blocks, noisy(v, 2)...)
		g.draws = append(g.draws, noisy(v, 3)...)
	}
	return g
}

// add adds every sample, its numbers made of value tables by f.
func (g games) add(a *score.Accumulator, f func(table []float64) []float64) []score.LocalScore {
	var out []score.LocalScore
	weights := make([]uint8, score.Replicates)
	for i, v := range g.all {
		x := score.Sample{Base: v[0], Output: v[len(v)-1], Phi: f(v), Weights: weights}
		for _, b := range g.blocks[2*i : 2*i+2] {
			x.BlockPhi = append(x.BlockPhi, f(b)...)
		}
		for _, d := range g.draws[3*i : 3*i+3] {
			x.DrawPhi = append(x.DrawPhi, f(d)...)
		}
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		out = append(out, a.Add(0, x))
	}
	return out
}

func moebiusOf(table []float64) []float64 {
	out := make([]float64, len(table))
	game.MoebiusTo(out, table)
	return out
}

// valuesOf returns the values of an index without the empty coalition's, and the
// layout of its cells.
func valuesOf(t *testing.T, x index.Index, order, m int) (func(table []float64) []float64, score.Layout, *index.Formula) {
	t.Helper()
	f, err := index.New(x, order, m)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := f.Range(1)
	layout := score.Layout{Modalities: m, Cells: f.Coalitions()[first:], Targets: 1, Partitions: []int{1}, Blocks: []int{4, 4}, Draws: 3}
	return func(table []float64) []float64 {
		dst := make([]float64, f.Len())
		f.To(dst, moebiusOf(table), f.Scratch())
		return dst[first:]
	}, layout, f
}

func paperMatrix(m int) (func(table []float64) []float64, score.Layout) {
	layout := score.Layout{Modalities: m, Targets: 1, Partitions: []int{1}, Blocks: []int{4, 4}, Draws: 3, Convention: score.Paper}
	return func(table []float64) []float64 {
		phi := make([]float64, m*m)
		index.PairMatrixTo(phi, moebiusOf(table), m)
		return phi
	}, layout
}

func sameShare(a, b score.Share, tolerance float64) bool {
	x, ok1 := a.Value()
	y, ok2 := b.Value()
	return ok1 == ok2 && math.Abs(x-y) <= tolerance
}

func sameInterval(a, b score.Interval, tolerance float64) bool {
	return sameShare(a.Share, b.Share, tolerance) && sameShare(a.Low, b.Low, tolerance) && sameShare(a.High, b.High, tolerance)
}

// The paper's matrix and k-SII of order two say the same: a pair is counted twice
// with half of its value, or once with all of it.
func TestMatrixAgreesWithCells(t *testing.T) {
	for m := 2; m <= 5; m++ {
		rng := rand.New(rand.NewPCG(20, uint64(m)))
		g := newGames(rng, m, 40)
		f, layout := paperMatrix(m)
		byMatrix := score.NewAccumulator(layout)
		local := g.add(byMatrix, f)
		f, layout, _ = valuesOf(t, index.KSII, 2, m)
		byCells := score.NewAccumulator(layout)
		compared := 0
		check := func(what string, same bool, got, want any) {
			t.Helper()
			if compared++; !same {
				t.Errorf("m=%d: %s: cells say %+v, the matrix %+v", m, what, got, want)
			}
		}
		for i, got := range g.add(byCells, f) {
			want := local[i]
			check("local", sameShare(got.InterSHAP, want.InterSHAP, 1e-12) && sameShare(got.SE, want.SE, 1e-12) && sameShare(got.Corrected, want.Corrected, 1e-12), got, want)
		}
		got, want := byCells.Summary(0, opt), byMatrix.Summary(0, opt)
		for _, pair := range [][2]score.Estimate{{got.Global, want.Global}, {got.MeanAbsolute, want.MeanAbsolute}} {
			got, want := pair[0], pair[1]
			check("InterSHAP", sameInterval(got.InterSHAP, want.InterSHAP, 1e-12), got.InterSHAP, want.InterSHAP)
			check("behaviour", math.Abs(got.Behaviour-want.Behaviour) < 1e-12 && math.Abs(got.Interactions-want.Interactions) < 1e-12, got.Behaviour, want.Behaviour)
			for s := range 2 {
				check("spectrum", sameInterval(got.Spectrum[s], want.Spectrum[s], 1e-12), got.Spectrum, want.Spectrum)
			}
			if got.Contributions != nil || got.Pairs != nil || len(got.Spectrum) != 2 {
				t.Errorf("cells have contributions %v, pairs %v, spectrum %v", got.Contributions, got.Pairs, got.Spectrum)
			}
		}
		for _, pair := range [][2]score.Share{
			{got.GlobalSE.Background, want.GlobalSE.Background}, {got.GlobalSE.Coalitions, want.GlobalSE.Coalitions},
			{got.MeanAbsoluteSE.Background, want.MeanAbsoluteSE.Background}, {got.MeanAbsoluteSE.Coalitions, want.MeanAbsoluteSE.Coalitions},
			{got.Local.Mean, want.Local.Mean}, {got.Local.SD, want.Local.SD}, {got.Local.Corrected, want.Local.Corrected},
		} {
			check("errors and local scores", sameShare(pair[0], pair[1], 1e-12), pair[0], pair[1])
		}
		if got.BaseSE != (score.Share{}) || want.BaseSE == (score.Share{}) {
			t.Errorf("standard errors of the base: %v of cells, %v of the matrix", got.BaseSE, want.BaseSE)
		}
		matrix := byMatrix.Summary(0, opt).Cells
		where := score.Layout{Modalities: m}
		for at, c := range got.Cells {
			i, j := 0, 0
			for k := range m {
				if c.Coalition.Has(k) {
					i, j = j, k
				}
			}
			scale := 2.
			if c.Coalition.Size() == 1 {
				i, scale = j, 1
			}
			w := matrix[where.At(i, j)]
			if at != layout.At(i, j) || w.Coalition != c.Coalition {
				t.Fatalf("cell %d is %s, At(%d, %d) is %d, of the matrix %s", at, c.Coalition, i, j, layout.At(i, j), w.Coalition)
			}
			check(c.Coalition.String(), math.Abs(c.Mean-scale*w.Mean) < 1e-12 && sameInterval(c.Share, w.Share, 1e-12), c, w)
			for _, pair := range [][2]score.Share{{c.Low, w.Low}, {c.High, w.High}, {c.BackgroundSE, w.BackgroundSE}, {c.CoalitionSE, w.CoalitionSE}, {c.SamplesSE, w.SamplesSE}} {
				check(c.Coalition.String()+" errors", sameShare(pair[0], score.Defined(scale*pair[1].Or(math.NaN())), 1e-12), c, w)
			}
			if c.Mean != got.Phi[at] || c.CoalitionSE.Or(-1) != got.CoalitionSE[at] || c.SamplesSE.Or(-1) != got.SamplesSE[at] || c.BackgroundSE.Or(-1) != got.BackgroundSE[at] {
				t.Errorf("cell %+v, want the numbers of phi", c)
			}
		}
		if compared < 40+10+7+3*len(got.Cells) {
			t.Errorf("%d comparisons", compared)
		}
	}
	// The comparison can fail.
	if sameInterval(score.Interval{Share: score.Defined(.5)}, score.Interval{Share: score.Defined(.5), Low: score.Defined(0)}, 1) ||
		sameShare(score.Defined(.5), score.Defined(.5+1e-11), 1e-12) {
		t.Error("different intervals compare as the same")
	}
}

// Spectra of every aggregation against package index, which takes them from whole
// tables, and against sums by hand for mean absolutes.
func TestSpectrum(t *testing.T) {
	for _, tt := range []struct {
		index    index.Index
		order, m int
	}{{index.Moebius, 4, 4}, {index.KSII, 3, 4}, {index.SII, 2, 5}, {index.SV, 1, 3}} {
		rng := rand.New(rand.NewPCG(21, uint64(tt.m)))
		g := newGames(rng, tt.m, 30)
		for s := range g.all[7] { // one sample without behaviour
			g.all[7][s] = 3
		}
		f, layout, formula := valuesOf(t, tt.index, tt.order, tt.m)
		a := score.NewAccumulator(layout)
		g.add(a, f)
		got := a.Summary(0, opt)
		var transforms []float64
		absolute := make([]float64, tt.order+1)
		whole := 0.0
		for _, v := range g.all {
			transforms = append(transforms, moebiusOf(v)...)
			for at, x := range f(v) {
				absolute[layout.Cells[at].Size()] += math.Abs(x)
				whole += math.Abs(x)
			}
		}
		want := formula.Spectrum(transforms)
		if len(got.Global.Spectrum) != tt.order || len(got.MeanAbsolute.Spectrum) != tt.order || len(got.Local.Spectrum) != tt.order || got.Local.Undefined != 1 {
			t.Fatalf("%s: spectra %v, %v, %v, %d undefined", tt.index, got.Global.Spectrum, got.MeanAbsolute.Spectrum, got.Local.Spectrum, got.Local.Undefined)
		}
		for s := range tt.order {
			global, mean := got.Global.Spectrum[s], got.MeanAbsolute.Spectrum[s]
			if math.Abs(global.Share.Or(-1)-want.Global[s]) > 1e-12 || math.Abs(got.Local.Spectrum[s]-want.Local[s]) > 1e-12 ||
				math.Abs(mean.Share.Or(-1)-absolute[s+1]/whole) > 1e-12 {
				t.Errorf("%s, order %d: global %v, mean absolute %v, local %v, want %v, %v, %v", tt.index, s+1,
					global.Share, mean.Share, got.Local.Spectrum[s], want.Global[s], absolute[s+1]/whole, want.Local[s])
			}
			for _, x := range []score.Interval{global, mean} {
				if x.Low.Or(9) > x.Share.Or(-1) || x.High.Or(-1) < x.Share.Or(9) || x.Low.Or(-1) < 0 || x.High.Or(9) > 1 {
					t.Errorf("%s, order %d: bounds %+v", tt.index, s+1, x)
				}
			}
		}
		beyond := 1.0 - got.Global.Spectrum[0].Share.Or(9)
		if math.Abs(got.Global.InterSHAP.Share.Or(-1)-beyond) > 1e-12 {
			t.Errorf("%s: interactions have %v, want all but order one, %v", tt.index, got.Global.InterSHAP.Share, beyond)
		}
	}
	// Nothing does anything: no spectrum.
	layout := singlesToTriple()
	layout.Targets, layout.Partitions = 1, []int{1}
	a := score.NewAccumulator(layout)
	a.Add(0, score.Sample{Phi: make([]float64, 7), Weights: make([]uint8, score.Replicates)})
	if s := a.Summary(0, opt); s.Local.Spectrum != nil || s.Global.Spectrum[2] != (score.Interval{}) {
		t.Errorf("without behaviour: %v and %v", s.Local.Spectrum, s.Global.Spectrum)
	}
}

// Shares of parts against shares by hand, in all behaviour and in another whole,
// and against the shares that every estimate has.
func TestParts(t *testing.T) {
	layout := score.Layout{Modalities: 3, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	if got := layout.Coalitions(); !slices.Equal(got, []game.Coalition{0b001, 0b011, 0b101, 0b010, 0b110, 0b100}) {
		t.Fatalf("coalitions %v", got)
	}
	at := layout.At
	if at(1, 0) != 1 || at(2, 2) != 5 || at(1, 2) != 4 {
		t.Fatalf("positions %d, %d, %d", at(1, 0), at(2, 2), at(1, 2))
	}
	pairs := []int{at(0, 1), at(0, 2), at(1, 2)}
	every := []int{0, 1, 2, 3, 4, 5}
	asked := opt
	asked.Parts = []score.Part{
		{Cells: pairs},                                // InterSHAP
		{Cells: []int{at(0, 1)}},                      // a pair
		{Cells: []int{at(0, 2), at(1, 2)}, Of: pairs}, // two of three pairs
		{Cells: []int{at(0, 2), at(1, 2)}, Of: every}, // of all, spelled out
		{Cells: []int{at(0, 2), at(1, 2)}},            // of all
		{},                                            // nothing
		{Cells: pairs, Of: pairs},                     // the whole
		{Of: []int{}},                                 // of nothing
		{Cells: []int{at(0, 0)}, Of: []int{at(0, 0), 3, 5}}, // of the modalities alone
	}
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	rng := rand.New(rand.NewPCG(22, 22))
	for i := range 100 {
		e := func() float64 { return .02 * rng.NormFloat64() }
		x, y, z := .1+e(), -.2+e(), .05+e()
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		a.Add(0, score.Sample{Phi: []float64{.3 + e(), x, y, x, .1 + e(), z, y, z, -.1}, Weights: weights})
	}
	s := a.Summary(0, asked)
	mean := s.Phi
	size := func(i, j int) float64 { return math.Abs(mean[3*i+j]) }
	interactions := 2 * (size(0, 1) + size(0, 2) + size(1, 2))
	all := interactions + size(0, 0) + size(1, 1) + size(2, 2)
	for k, want := range []float64{
		interactions / all, 2 * size(0, 1) / all, 2 * (size(0, 2) + size(1, 2)) / interactions, 2 * (size(0, 2) + size(1, 2)) / all,
		2 * (size(0, 2) + size(1, 2)) / all, 0, 1, -1, size(0, 0) / (size(0, 0) + size(1, 1) + size(2, 2)),
	} {
		got := s.Global.Parts[k]
		if math.Abs(got.Share.Or(-1)-want) > 1e-14 {
			t.Errorf("part %d: %v, want %v", k, got.Share, want)
		}
		if want > 0 && want < 1 && !(got.Low.Or(9) < want && want < got.High.Or(-9)) {
			t.Errorf("part %d: bounds %+v do not hold the estimate", k, got)
		}
	}
	for _, e := range []score.Estimate{s.Global, s.MeanAbsolute} {
		if len(e.Parts) != len(asked.Parts) || e.Parts[0] != e.InterSHAP || e.Parts[1] != e.Pairs[0].Share || e.Parts[3] != e.Parts[4] || e.Spectrum[1] != e.InterSHAP {
			t.Errorf("parts %+v do not agree with the estimate's own %+v", e.Parts, e)
		}
		zero, one := score.Defined(0), score.Defined(1)
		if e.Parts[5] != (score.Interval{Share: zero, Low: zero, High: zero}) || e.Parts[6] != (score.Interval{Share: one, Low: one, High: one}) || e.Parts[7] != (score.Interval{}) {
			t.Errorf("nothing, the whole, and of nothing: %+v", e.Parts[5:8])
		}
	}
	// The error of a part of the pairs does not depend on the modalities alone; the
	// delta method gives it by hand: f = u/(u+v), u of two pairs, v of one.
	u, v := 2*(size(0, 2)+size(1, 2)), 2*size(0, 1)
	se := math.Sqrt(v*v*8*.02*.02/100+u*u*4*.02*.02/100) / ((u + v) * (u + v))
	half := (s.Global.Parts[2].High.Or(9) - s.Global.Parts[2].Low.Or(9)) / 2
	if want := opt.Quantile(.975, 99) * se; math.Abs(half/want-1) > .25 { // 100 samples and 256 replicates know it to 8 %
		t.Errorf("half width %v, want about %v", half, want)
	}
	for _, bad := range []score.Part{{Cells: []int{0}, Of: pairs}, {Cells: []int{6}}, {Cells: []int{-1}}} {
		asked.Parts = []score.Part{bad}
		if !panics(func() { a.Summary(0, asked) }) {
			t.Errorf("no panic for %+v", bad)
		}
	}
	for _, f := range []func(){func() { at(0, 3) }, func() { at(-1, 0) }, func() { singlesToTriple().At(3, 3) }, func() {
		score.Layout{Modalities: 2, Cells: []game.Coalition{1}}.At(0, 1)
	}} {
		if !panics(f) {
			t.Error("no panic for a cell that there is not")
		}
	}
}

// A part of another whole knows an unclear sign: pairs whose sign is noise make the
// share of one pair among them anything, though all behaviour tells it to be small.
func TestPartOfUnclearWhole(t *testing.T) {
	asked := opt
	asked.Parts = []score.Part{{Cells: []int{3}, Of: []int{3, 4, 5}}, {Cells: []int{3}}, {Cells: []int{3}, Of: []int{3, 6}}}
	layout := singlesToTriple()
	layout.Targets, layout.Partitions = 1, []int{1}
	a := score.NewAccumulator(layout)
	weights := make([]uint8, score.Replicates)
	for i := range 50 {
		e := .1 * float64(i%2*2-1)
		score.WeightsTo(weights, 1, strconv.Itoa(i))
		a.Add(0, score.Sample{Phi: []float64{1, 1, 1, e + 1e-4, 1e-4 - e, e + 1e-4, 0}, Weights: weights})
	}
	got := a.Summary(0, asked).Global.Parts
	if got[0].Low != score.Defined(0) || got[0].High != score.Defined(1) {
		t.Errorf("of the pairs: %+v, want anything", got[0])
	}
	if got[1].Low != score.Defined(0) || got[1].High.Or(1) > .03 || got[1].High.Or(0) < 1e-3 {
		t.Errorf("of all: %+v, want at most 3 %%", got[1])
	}
	if one := score.Defined(1); got[2] != (score.Interval{Share: one, Low: one, High: one}) {
		t.Errorf("beside what is exactly nothing: %+v, want all", got[2])
	}
}

// Tiles of cells with draws merge to the same bits however they are cut, and
// layouts that differ in cells or draws do not merge.
func TestTilesOfCellsMerge(t *testing.T) {
	const tiles = 11
	_, layout, _ := valuesOf(t, index.KSII, 3, 4)
	f, _, _ := valuesOf(t, index.KSII, 3, 4)
	run := func(lo, hi int) *score.Tiles {
		var ts score.Tiles
		for i := lo; i < hi; i++ {
			a := score.NewAccumulator(layout)
			newGames(rand.New(rand.NewPCG(23, uint64(i))), 4, 4).add(a, f)
			if err := ts.Add(i, a); err != nil {
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
	for cut := 1; cut < tiles; cut++ {
		head := run(0, cut)
		if err := head.Merge(run(cut, tiles)); err != nil {
			t.Fatal(err)
		}
		if text(head) != want {
			t.Errorf("cut at %d: other bits", cut)
		}
	}
	if text(run(0, tiles-1)) == want {
		t.Error("a missing tile changes nothing")
	}
	for name, change := range map[string]func(*score.Layout){
		"draws": func(l *score.Layout) { l.Draws = 4 },
		"cells": func(l *score.Layout) { l.Cells = l.Cells[:len(l.Cells)-1] },
		"order": func(l *score.Layout) { l.Cells = nil },
	} {
		other := layout
		change(&other)
		ts := run(0, 1)
		if err := ts.Add(1, score.NewAccumulator(other)); err == nil {
			t.Errorf("no error for tiles of other %s", name)
		}
	}
}
