package intershap_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
)

// lacking has what the clinic's visits lack in poison, which no number may come from.
func (c *clinic) poisoned(poison float64) *clinic {
	out := *c
	out.b, out.c = append([]float64{}, c.b...), append([]float64{}, c.c...)
	for r := range c.samples {
		for e := range 2 {
			if c.hasB[r] == 0 {
				out.b[2*r+e] = poison
			}
			if c.hasC[r] == 0 {
				out.c[2*r+e] = poison
			}
		}
	}
	return &out
}

// has returns what a visit has: a, and perhaps b and c.
func (c *clinic) has(r int) game.Coalition {
	return 1 | game.Coalition(c.hasB[r])<<1 | game.Coalition(c.hasC[r])<<2
}

// slowly returns v(S) of a visit over complete background rows.
func (c *clinic) slowly(r int, background []int, output func(a, b, c []float64) float64) []float64 {
	v := make([]float64, 8)
	for s := range v {
		shown := game.Coalition(s) & c.has(r)
		for _, k := range background {
			pick := func(i int, of []float64) []float64 {
				from := k
				if shown.Has(i) {
					from = r
				}
				return of[2*from : 2*from+2]
			}
			v[s] += output(pick(0, c.a), pick(1, c.b), pick(2, c.c)) / float64(len(background))
		}
	}
	return v
}

func TestMissingModalities(t *testing.T) {
	c := newClinic(70)
	complete := c.where(func(r int) bool { return c.has(r) == 7 })
	var phi [3][3]float64
	var counts [3][3]int
	perPattern := map[game.Coalition][][]float64{}
	matrix, scratch := make([]float64, 9), make([]float64, 8)
	for r := range c.samples {
		v := c.slowly(r, complete, clinicOutput)
		game.MoebiusTo(scratch, v)
		index.PairMatrixTo(matrix, scratch, 3)
		perPattern[c.has(r)] = append(perPattern[c.has(r)], append([]float64{}, matrix...))
		for i := range 3 {
			for j := range 3 {
				if c.has(r).Has(i) && c.has(r).Has(j) {
					phi[i][j] += matrix[3*i+j]
					counts[i][j]++
				}
			}
		}
	}
	opt := intershap.Options{Missing: []string{"b", "c=c_available"}, BackgroundSize: intershap.AllRows}
	var before *result.Target
	for _, poison := range []float64{0, 1e30, math.NaN()} {
		opt.Missing = []string{"b", "c=c_available"}
		ex := explainOn(t, clinicModel, c.poisoned(poison).file(t, c.all()), nil, opt)
		target := &ex.Targets[0]
		if before != nil {
			if diff := cmp.Diff(before, target, exactly); diff != "" {
				t.Errorf("what is missing changed a number (poison %v):\n%s", poison, diff)
			}
			continue
		}
		before = target
		if ex.Provenance.Background.Rows != len(complete) {
			t.Errorf("%d background rows, want the %d complete ones", ex.Provenance.Background.Rows, len(complete))
		}
		for i := range 3 {
			for j := range 3 {
				within(t, fmt.Sprintf("phi %d %d", i, j), target.Global.Phi[i][j], phi[i][j]/float64(counts[i][j]), 1e-12)
			}
		}
		if len(target.Patterns) != len(perPattern) {
			t.Fatalf("%d patterns, want %d", len(target.Patterns), len(perPattern))
		}
		for _, p := range target.Patterns {
			var s game.Coalition
			for i, name := range []string{"a", "b", "c"} {
				for _, has := range p.Present {
					if has == name {
						s = s.With(i)
					}
				}
			}
			rows := perPattern[s]
			if p.Samples != len(rows) {
				t.Errorf("pattern %v: %d samples, want %d", p.Present, p.Samples, len(rows))
			}
			for cell := range 9 {
				sum := 0.0
				for _, m := range rows {
					sum += m[cell] / float64(len(rows))
				}
				within(t, fmt.Sprint(p.Present), p.Global.Phi[cell/3][cell%3], sum, 1e-12)
			}
			if len(p.Global.Contributions) != s.Size() {
				t.Errorf("pattern %v has contributions of %v", p.Present, p.Global.Contributions)
			}
		}
		if target.Present["a"] != c.samples || target.Present["b"] != counts[1][1] || target.Present["c"] != counts[2][2] {
			t.Errorf("present %v, want %d, %d, %d", target.Present, c.samples, counts[1][1], counts[2][2])
		}
	}
}

func TestMissingClasses(t *testing.T) {
	c := newClinic(70)
	complete := c.where(func(r int) bool { return c.has(r) == 7 })
	class := func(k int) func(a, b, c []float64) float64 {
		return func(a, b, c []float64) float64 {
			y := clinicOutput(a, b, c)
			e := []float64{math.Exp(y), math.Exp(-y), math.Exp(c[0] * .5)}
			return e[k] / (e[0] + e[1] + e[2])
		}
	}
	want := map[string]int{}
	var rows rowsSink
	opt := intershap.Options{Missing: []string{"b", "c"}, BackgroundSize: intershap.AllRows, Sink: &rows, By: [][]string{{"sex"}}}
	ex := explainOn(t, clinicClasses, c.file(t, c.all()), nil, opt)
	for r := range c.samples {
		best, all := 0, make([]float64, 3)
		for k := range 3 {
			all[k] = c.slowly(r, complete, class(k))[7]
			if all[k] > all[best] {
				best = k
			}
		}
		want[fmt.Sprint(best)]++
		if rows[r].Predicted != best {
			t.Errorf("sample %d: predicted %d, want %d", r, rows[r].Predicted, best)
		}
		if rows[r].Present != c.has(r) {
			t.Errorf("sample %d has %v, want %v", r, rows[r].Present, c.has(r))
		}
		v := c.slowly(r, complete, class(best))
		for s := range v {
			within(t, fmt.Sprintf("sample %d v(%d)", r, s), rows[r].Values[s], v[s], 1e-12)
		}
	}
	for _, class := range ex.ByClass() {
		if class.Samples != want[class.Class] {
			t.Errorf("class %s: %d samples, want %d", class.Class, class.Samples, want[class.Class])
		}
	}
	readable(t, ex)
}

func TestMaskAbsent(t *testing.T) {
	c := newClinic(60)
	told := clinicFunc(func(x model.Row) []float64 {
		b := x("b")
		if math.IsNaN(b[0]) != math.IsNaN(b[1]) {
			panic("half of b is missing")
		}
		if math.IsNaN(b[0]) {
			return []float64{x("a")[0] - 3}
		}
		return []float64{x("a")[0] * (1 + b[0])}
	})
	c = c.poisoned(math.NaN())
	for i := range c.hasC {
		c.hasC[i] = 1
	}
	c.c = make([]float64, len(c.c))
	var rows rowsSink
	ex := explainOn(t, told, c.file(t, c.all()), nil, intershap.Options{Missing: []string{"b"}, Mask: []string{"b=absent"}, Sink: &rows, BackgroundSize: intershap.AllRows})
	for r, row := range rows {
		want := c.a[2*r] * (1 + c.b[2*r])
		if c.hasB[r] == 0 {
			want = c.a[2*r] - 3
		}
		within(t, fmt.Sprintf("output of sample %d", r), row.Output, want, 1e-12)
		within(t, fmt.Sprintf("v of a alone of sample %d", r), row.Values[1], c.a[2*r]-3, 1e-12)
	}
	if got := ex.Provenance.Background.Rows; got != c.samples {
		t.Errorf("%d background rows, want all %d: b is not taken from them", got, c.samples)
	}
}

func TestNobodyHasAnything(t *testing.T) {
	c := newClinic(40)
	background := newClinic(30)
	data := c.file(t, c.all())
	for i := range c.hasB {
		c.hasB[i], c.hasC[i] = 0, 0
	}
	missing := []string{"a=b_available", "b=b_available", "c=c_available"}
	ex := explainOn(t, clinicModel, c.file(t, c.all()), background.complete().file(t, background.all()), intershap.Options{Missing: missing})
	target := ex.Targets[0]
	if _, defined := target.MeanAbsolute.InterSHAP.Value(); defined || target.Local.Undefined != c.samples {
		t.Errorf("InterSHAP %v, %d undefined, want none", target.MeanAbsolute.InterSHAP, target.Local.Undefined)
	}
	if len(target.Patterns) != 1 || len(target.Patterns[0].Present) != 0 || target.Patterns[0].Global.PhiSE.Coalitions != nil || target.Patterns[0].Global.PhiSE.Samples != nil {
		t.Errorf("patterns %+v", target.Patterns)
	}
	readable(t, ex)
	// Values of coalitions that samples may lack do not add up.
	for name, opt := range map[string]intershap.Options{"all have all": {}, "some lack some": {Missing: []string{"b", "c"}}} {
		opt.Order = 2
		ex := explainOn(t, clinicModel, data, nil, opt)
		if got, want := ex.Targets[0].Interactions.Efficient, len(opt.Missing) == 0; got != want {
			t.Errorf("%s: efficient %v", name, got)
		}
	}
}

func TestAbsentDiffers(t *testing.T) {
	for want, poison := range map[bool]func(r int) float64{true: func(r int) float64 { return float64(r) }, false: func(int) float64 { return -9 }} {
		c := newClinic(60)
		for r := range c.samples {
			c.hasC[r] = 1
			for e := range 2 {
				if c.hasB[r] == 0 {
					c.b[2*r+e] = poison(r)
				}
			}
		}
		ex := explainOn(t, clinicModel, c.file(t, c.all()), nil, intershap.Options{Missing: []string{"b"}, Mask: []string{"b=absent"}})
		if hasWarning(ex, "absent-differs") != want {
			t.Errorf("warnings %v, want absent-differs: %v", ex.Warnings, want)
		}
	}
}
