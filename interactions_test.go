package intershap_test

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// near compares to rounding.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12 }

func shares(s []result.OrderShare) []float64 {
	var out []float64
	for _, o := range s {
		out = append(out, o.Share.Or(-1))
	}
	return out
}

func localShares(s []result.LocalOrderShare) []float64 {
	var out []float64
	for _, o := range s {
		out = append(out, o.Share.Or(-1))
	}
	return out
}

// Spectra in closed form, fair bits as background, probability of the predicted class.
//
// AND of three at (1,1,1): v(S) = 2^(|S|−3), a product, so that every coalition has the
// Möbius value 1/8: 3, 3 and 1 parts in 7. By k-SII of order two a pair has
// 1/8 + 1/16 = 9/48 and a single one 1/8 − 1/48 = 5/48: 15 and 27 parts in 42.
//
// Parity has nothing before all bits are known: m(all) = 1/2. Pairs then have 1/4 and
// single ones 1/6 − 1/4 = −1/12: 3 and 1 parts in 4.
func TestSpectrumClosedForms(t *testing.T) {
	sum := model.RowFunc("y", func(x model.Row) []float64 {
		return []float64{x("m1")[0] + 2*x("m2")[0] - 3*x("m3")[0]}
	})
	ones := []uint{7, 7, 7, 7}
	for _, test := range []struct {
		name          string
		m             model.Model
		samples       []uint
		moebius, ksii []float64
		higher        bool
	}{
		{"parity", labeller(3, parity), all(3), []float64{0, 0, 1}, []float64{1. / 4, 3. / 4}, true},
		{"AND", labeller(3, allOnes(3)), ones, []float64{3. / 7, 3. / 7, 1. / 7}, []float64{15. / 42, 27. / 42}, true},
		{"sum", sum, ones, []float64{1, 0, 0}, []float64{1, 0}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			ex, err := intershap.Explain(t.Context(), test.m, bitRows(t, 3, test.samples), bitRows(t, 3, slices.Repeat(all(3), 50)), intershap.Options{BackgroundSize: intershap.AllRows})
			if err != nil {
				t.Fatal(err)
			}
			sp := ex.Targets[0].Spectrum
			for name, got := range map[string][]float64{
				"global": shares(sp.Moebius.Global), "mean absolute": shares(sp.Moebius.MeanAbsolute), "local": localShares(sp.Moebius.Local),
			} {
				compare(t, "Möbius, "+name, got, test.moebius, 1e-12)
			}
			for name, got := range map[string][]float64{
				"global": shares(sp.KSII.Global), "mean absolute": shares(sp.KSII.MeanAbsolute), "local": localShares(sp.KSII.Local),
			} {
				compare(t, "k-SII, "+name, got, test.ksii, 1e-12)
			}
			if got := sp.Parity.Or(0); got != 0.75 {
				t.Errorf("want the reference 3/4, got %v", got)
			}
			if got := hasWarning(ex, "higher-order"); got != test.higher {
				t.Errorf("warning higher-order: want %v, got %v", test.higher, got)
			}
		})
	}
}

// Interactions of order three of the same AND: each of the seven coalitions has 1/8, and
// they add up to v(all) − v({}) = 7/8.
func TestInteractionsOfAND(t *testing.T) {
	ex, err := intershap.Explain(t.Context(), labeller(3, allOnes(3)), bitRows(t, 3, []uint{7, 7, 7}), bitRows(t, 3, all(3)),
		intershap.Options{BackgroundSize: intershap.AllRows, Order: 3})
	if err != nil {
		t.Fatal(err)
	}
	x := ex.Targets[0].Interactions
	if x.Index != "k-SII" || x.Order != 3 || !x.Efficient || len(x.Values) != 7 {
		t.Fatalf("want k-SII of order 3 with seven values, got %+v", x)
	}
	var names []string
	for _, v := range x.Values {
		names = append(names, strings.Join(v.Players, "+"))
		if !near(v.Phi, 1./8) || !near(v.Share.Or(0), 1./7) {
			t.Errorf("%s: want 1/8 and a share of 1/7, got %v and %v", v.Players, v.Phi, v.Share)
		}
	}
	if got, want := strings.Join(names, " "), "m1 m2 m3 m1+m2 m1+m3 m2+m3 m1+m2+m3"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	if ex.Provenance.Index != "SII" || ex.Provenance.Order != 2 {
		t.Errorf("the score is of %s, order %d, want SII, 2", ex.Provenance.Index, ex.Provenance.Order)
	}
	// Samples that are all alike have one share, before means and after.
	for _, v := range x.Values {
		if got := v.MeanAbsolute; !near(got.Share.Or(0), 1./7) {
			t.Errorf("%s: want a share of 1/7, got %+v", v.Players, got)
		}
	}
}

// threeAndTwo has a planted triple, a planted pair, and a modality alone.
var threeAndTwo = model.RowFunc("y", func(x model.Row) []float64 {
	a, b, c, d, e := x("m1")[0], x("m2")[0], x("m3")[0], x("m4")[0], x("m5")[0]
	return []float64{8*a*b*c + 3*d*e + e}
})

// Values follow from the value tables of the same samples by index.Formula, for every
// index and order; efficient ones add up.
func TestInteractionsFollowFromValues(t *testing.T) {
	const m = 5
	samples := []uint{31, 7, 24, 13, 30, 31}
	tables := &sampleLog{}
	opt := intershap.Options{BackgroundSize: intershap.AllRows, Sink: tables}
	if _, err := intershap.Explain(t.Context(), threeAndTwo, bitRows(t, m, samples), bitRows(t, m, all(m)), opt); err != nil {
		t.Fatal(err)
	}
	opt.Sink = intershap.Discard
	for _, x := range index.Indices() {
		for order := 1; order <= x.MaxOrder(m); order++ {
			opt.Index, opt.Order = x, order
			ex, err := intershap.Explain(t.Context(), threeAndTwo, bitRows(t, m, samples), bitRows(t, m, all(m)), opt)
			if err != nil {
				t.Fatal(err)
			}
			f, err := index.New(x, order, m)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]float64{}
			moebius, values := make([]float64, 1<<m), make([]float64, f.Len())
			for _, row := range tables.rows {
				game.MoebiusTo(moebius, row.Values)
				f.To(values, moebius, f.Scratch())
				for at, c := range f.Coalitions() {
					want[key(c)] += values[at] / float64(len(tables.rows))
				}
			}
			target := ex.Targets[0]
			sum := 0.0
			for _, v := range target.Interactions.Values {
				sum += v.Phi
				name := strings.Join(v.Players, "+")
				if !near(v.Phi, want[name]) {
					t.Errorf("%s, order %d, %s: want %v, got %v", x, order, name, want[name], v.Phi)
				}
			}
			if efficient := x.EfficientAt(m, order); efficient != target.Interactions.Efficient {
				t.Errorf("%s, order %d: efficient %v, want %v", x, order, target.Interactions.Efficient, efficient)
			} else if efficient && !near(sum, target.Output-target.Base) {
				t.Errorf("%s, order %d: values add up to %v, want %v", x, order, sum, target.Output-target.Base)
			}
			// The document is one that readers take.
			var b bytes.Buffer
			if err := ex.Write(&b); err != nil {
				t.Fatal(err)
			}
			if _, err := result.Read(&b); err != nil {
				t.Errorf("%s, order %d: %v", x, order, err)
			}
		}
	}
}

// key names a coalition of m1, m2, ...
func key(c game.Coalition) string {
	var names []string
	for i := range 5 {
		if c.Has(i) {
			names = append(names, "m"+string(rune('1'+i)))
		}
	}
	return strings.Join(names, "+")
}

// The planted triple is the only one, and everything that is not planted is 0 to rounding.
func TestPlantedTriple(t *testing.T) {
	const m = 5
	ex, err := intershap.Explain(t.Context(), threeAndTwo, bitRows(t, m, slices.Repeat([]uint{31}, 40)), bitRows(t, m, slices.Repeat(all(m), 32)), intershap.Options{BackgroundSize: 1000, Order: 3, Index: index.Moebius})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range ex.Targets[0].Interactions.Values {
		name := strings.Join(v.Players, "+")
		inTriple := !strings.ContainsAny(name, "45")
		inPair := !strings.ContainsAny(name, "123")
		planted := inTriple || inPair
		if planted == near(v.Phi, 0) {
			t.Errorf("%s: got %v", name, v.Phi)
		}
		if planted && !(v.Low.Or(0) < v.Phi && v.Phi < v.High.Or(0)) {
			t.Errorf("%s: want bounds around %v, got %v and %v", name, v.Phi, v.Low, v.High)
		}
	}
	if got := ex.Targets[0].Spectrum.Moebius.Global[2].Share.Or(0); !(got > 0.1) || !hasWarning(ex, "higher-order") {
		t.Errorf("want triples and a word on them, got %v", got)
	}
	for _, o := range ex.Targets[0].Spectrum.Moebius.Global[3:] {
		if !near(o.Share.Or(1), 0) {
			t.Errorf("order %d: want 0, got %v", o.Order, o.Share)
		}
	}
}

// k-SII of order two is what the paper's convention counts, whatever the run's own:
// under the paper's it is read from the matrices, else added up for itself.
func TestSpectrumOfEitherConvention(t *testing.T) {
	rows := bitRows(t, 5, all(5))
	of := func(c score.Convention) *intershap.Explanation {
		return explain(t, threeAndTwo, rows, intershap.Options{BackgroundSize: 12, Convention: c})
	}
	paper, single := of(score.Paper), of(score.SinglePair)
	global := paper.Global()
	two := paper.Targets[0].Spectrum.KSII.Global[1]
	if two.Share != global.InterSHAP || two.Low != global.Low || two.High != global.High {
		t.Errorf("pairs have %+v, InterSHAP is %v [%v, %v]", two, global.InterSHAP, global.Low, global.High)
	}
	a, b := paper.Targets[0].Spectrum.KSII, single.Targets[0].Spectrum.KSII
	compare(t, "global", shares(b.Global), shares(a.Global), 1e-12)
	compare(t, "mean absolute", shares(b.MeanAbsolute), shares(a.MeanAbsolute), 1e-12)
	compare(t, "local", localShares(b.Local), localShares(a.Local), 1e-12)
	if single.Global().InterSHAP == global.InterSHAP {
		t.Error("both conventions give one score: the test sees nothing")
	}
}

// Two modalities have no spectrum; a constant has no shares.
func TestFewModalities(t *testing.T) {
	ex := explain(t, twoClasses, grid(t, 30), intershap.Options{})
	if ex.Targets[0].Spectrum != nil || ex.Targets[0].Interactions != nil {
		t.Errorf("want neither spectrum nor interactions, got %+v", ex.Targets[0])
	}
	ex = explain(t, twoClasses, grid(t, 30), intershap.Options{Index: index.STII})
	if x := ex.Targets[0].Interactions; x.Order != 2 || len(x.Values) != 3 {
		t.Errorf("want three values, got %+v", x)
	}
	ex = explain(t, twoClasses, grid(t, 30), intershap.Options{Index: index.SV})
	if x := ex.Targets[0].Interactions; x.Order != 1 || len(x.Values) != 2 {
		t.Errorf("want two values, got %+v", x)
	}
	// A model that ignores its inputs has no behaviour to share.
	constant := model.RowFunc("y", func(model.Row) []float64 { return []float64{2} })
	ex = explain(t, constant, bitRows(t, 3, all(3)), intershap.Options{Order: 3})
	target := ex.Targets[0]
	for _, s := range [][]float64{shares(target.Spectrum.Moebius.Global), shares(target.Spectrum.KSII.MeanAbsolute), localShares(target.Interactions.Spectrum.Local)} {
		if slices.Max(s) != -1 {
			t.Errorf("want undefined shares, got %v", s)
		}
	}
	var b bytes.Buffer
	if err := ex.Write(&b); err != nil || strings.Contains(b.String(), "NaN") {
		t.Errorf("want a document without NaN, got %v", err)
	}
}

func TestInteractionsRefused(t *testing.T) {
	f := bitRows(t, 3, all(3))
	for _, test := range []struct {
		opt  intershap.Options
		want string
	}{
		{intershap.Options{Order: 4}, "order 4 of k-SII: the run has 3 modalities, so want an order of 1 to 3"},
		{intershap.Options{Index: index.SV, Order: 2}, "order 2 of SV, which has values of single modalities: want order 1"},
		{intershap.Options{Index: index.BV, Order: 9}, "the run has 3 modalities, so want an order of 1 to 1"},
		{intershap.Options{Order: -1}, "order -1 must be positive"},
		{intershap.Options{Index: 77}, "index 77"},
	} {
		_, err := intershap.NewPlan(t.Context(), labeller(3, parity), f, f, test.opt)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: want %q, got %v", test.opt, test.want, err)
		}
	}
}

// What does not fit into a quarter of the memory is refused when it was asked for, and
// left out with a warning otherwise.
func TestInteractionsWithinMemory(t *testing.T) {
	const m = 8
	odd := model.RowFunc("y", func(x model.Row) []float64 {
		n := 0.0
		for i := range m {
			n += x("m" + string(rune('1'+i)))[0]
		}
		return []float64{n * n}
	})
	f := bitRows(t, m, all(m)[:40])
	// 255 coalitions take 1 MiB a level of the tree of tiles, the matrix a seventh.
	opt := intershap.Options{BackgroundSize: 5, Memory: 4 << 20}
	ex := explain(t, odd, f, opt)
	if sp := ex.Targets[0].Spectrum; sp.Moebius != nil || sp.KSII == nil || !hasWarning(ex, "spectrum-omitted") {
		t.Errorf("want k-SII alone and a warning, got %+v, %v", sp, ex.Warnings)
	}
	opt.Order = m
	if _, err := intershap.Explain(t.Context(), odd, f, f, opt); err == nil || !strings.Contains(err.Error(), "k-SII to order 8 of 8 modalities") || !strings.Contains(err.Error(), "--memory") {
		t.Errorf("want an error that says what is too much, got %v", err)
	}
	opt.Memory = 0
	ex = explain(t, odd, f, opt)
	if sp := ex.Targets[0].Spectrum; sp.Moebius == nil || hasWarning(ex, "spectrum-omitted") || len(ex.Targets[0].Interactions.Values) != 1<<m-1 {
		t.Errorf("want everything, got %v", ex.Warnings)
	}
	// A square of a sum has nothing above pairs.
	compare(t, "k-SII of order 8", shares(ex.Targets[0].Interactions.Spectrum.MeanAbsolute)[2:], make([]float64, m-2), 1e-12)
}

// Interactions are the same for any number of workers and, but for last bits, any tiles.
func TestInteractionsOfAnyTiles(t *testing.T) {
	patterns := make([]uint, 500)
	for i := range patterns {
		patterns[i] = uint(i*i+bits.OnesCount(uint(i))) % 32
	}
	f := bitRows(t, 5, patterns)
	of := func(workers int, memory int64) []float64 {
		ex := explain(t, threeAndTwo, f, intershap.Options{Workers: workers, Memory: memory, Order: 4, BackgroundSize: 30})
		var out []float64
		for _, v := range ex.Targets[0].Interactions.Values {
			out = append(out, v.Phi, v.Low.Or(0), v.High.Or(0), v.Share.Or(0))
		}
		return append(out, shares(ex.Targets[0].Spectrum.Moebius.MeanAbsolute)...)
	}
	one := of(1, 0)
	if got := of(3, 0); !slices.Equal(got, one) {
		t.Error("three workers give other numbers than one")
	}
	compare(t, "smaller tiles", of(2, 24<<20), one, 1e-11)
}

// On a budget interactions and the k-SII spectrum are estimates with the error of the
// drawn coalitions, efficient ones still add up, and there is no Möbius spectrum.
func TestInteractionsOnABudget(t *testing.T) {
	const m = 8
	planted := model.RowFunc("y", func(x model.Row) []float64 {
		return []float64{8*x("m1")[0]*x("m2")[0]*x("m3")[0] + 3*x("m4")[0]*x("m5")[0] + x("m6")[0]*x("m7")[0]*x("m8")[0]*x("m1")[0]}
	})
	patterns := slices.Repeat([]uint{1<<m - 1, 1<<m - 3, 1<<m - 65}, 8)
	background := bitRows(t, m, all(m))
	of := func(budget int, method approx.Method, x index.Index) *intershap.Explanation {
		ex, err := intershap.Explain(t.Context(), planted, bitRows(t, m, patterns), background, intershap.Options{BackgroundSize: intershap.AllRows, Order: 3, Index: x, Budget: budget, Estimator: method})
		if err != nil {
			t.Fatal(err)
		}
		return ex
	}
	for _, x := range []index.Index{index.KSII, index.FBII} {
		exact, estimate := of(0, 0, x).Targets[0], of(220, approx.Regression, x).Targets[0]
		if estimate.Spectrum.Moebius != nil || estimate.Spectrum.KSII.Order != 3 {
			t.Errorf("%s: want the k-SII spectrum of order 3 alone, got %+v", x, estimate.Spectrum)
		}
		held, sum := 0, 0.0
		for i, v := range estimate.Interactions.Values {
			truth := exact.Interactions.Values[i]
			if !slices.Equal(v.Players, truth.Players) {
				t.Fatalf("%s: %s stands where %s does", x, v.Players, truth.Players)
			}
			if _, known := v.SE.Coalitions.Value(); !known {
				t.Errorf("%s of %s: want the coalitions' error", x, v.Players)
			}
			if _, known := truth.SE.Coalitions.Value(); known {
				t.Errorf("%s of %s: an error of coalitions that were not drawn", x, v.Players)
			}
			if v.Low.Or(math.Inf(1)) <= truth.Phi+1e-9 && truth.Phi-1e-9 <= v.High.Or(math.Inf(-1)) {
				held++
			}
			sum += v.Phi
		}
		if n := len(estimate.Interactions.Values); float64(held) < 0.85*float64(n) {
			t.Errorf("%s: the intervals hold %d of %d true values", x, held, n)
		}
		if want := estimate.Output - estimate.Base; estimate.Interactions.Efficient && !(math.Abs(sum-want) <= 1e-9) {
			t.Errorf("%s: estimates add up to %v, want %v", x, sum, want)
		}
		triples := estimate.Interactions.BySize(result.Global)[2]
		if got := estimate.Interactions.Values[triples[0]].Players; x == index.KSII && strings.Join(got, "+") != "m1+m2+m3" {
			t.Errorf("want the planted triple before others, got %s", got)
		}
	}
}
