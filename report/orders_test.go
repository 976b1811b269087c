package report

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// withOrders adds spectra, and interactions to an order, to a fixture of value tables:
// by definition, with bounds a tenth to either side.
func (f fixture) withOrders(t testing.TB, order int) fixture {
	t.Helper()
	values := f.samples.ByTarget[0].Values
	m := len(f.ex.Modalities)
	n := len(values) >> m
	mean := make([]float64, 1<<m)
	for i, v := range values {
		mean[i%len(mean)] += v / float64(n)
	}
	of := func(x index.Index, order int) (*index.Formula, []float64, *result.Spectrum) {
		formula, err := index.New(x, order, m)
		if err != nil {
			t.Fatal(err)
		}
		moebius, found := make([]float64, 1<<m), make([]float64, formula.Len())
		copy(moebius, mean)
		for i := range m {
			for s := range moebius {
				if s>>i&1 == 1 {
					moebius[s] -= moebius[s^1<<i]
				}
			}
		}
		formula.To(found, moebius, formula.Scratch())
		shares := make([]float64, order)
		formula.SharesTo(shares, found)
		sp := &result.Spectrum{Order: order}
		for i, x := range shares {
			o := result.OrderShare{Order: i + 1, Share: defined(x), Low: defined(0.9 * x), High: defined(min(1, 1.1*x))}
			sp.Global, sp.MeanAbsolute = append(sp.Global, o), append(sp.MeanAbsolute, o)
			sp.Local = append(sp.Local, result.LocalOrderShare{Order: i + 1, Share: defined(1 / float64(order))})
		}
		return formula, found, sp
	}
	target := &f.ex.Targets[0]
	parity, _ := index.ParityShare(m)
	target.Spectrum = &result.Spectra{Parity: defined(parity)}
	_, _, target.Spectrum.Moebius = of(index.Moebius, m)
	_, _, target.Spectrum.KSII = of(index.KSII, max(2, order))
	if order == 0 {
		return f
	}
	formula, found, sp := of(index.KSII, order)
	x := &result.Interactions{Index: "k-SII", Order: order, Efficient: true, Spectrum: *sp}
	whole := 0.0
	for at := range found[1:] {
		whole += max(found[at+1], -found[at+1])
	}
	for at, c := range formula.Coalitions() {
		if c == 0 {
			continue
		}
		v := result.CoalitionValue{Phi: found[at], Low: defined(found[at] - 0.01), High: defined(found[at] + 0.01)}
		v.Share = defined(max(v.Phi, -v.Phi) / whole)
		v.ShareLow, v.ShareHigh = defined(0.9*v.Share.Or(0)), defined(1.1*v.Share.Or(0))
		v.MeanAbsolute = result.Bounded{Share: defined(v.Share.Or(0) / 2), Low: defined(0), High: defined(v.Share.Or(0))}
		for i, name := range f.ex.Modalities {
			if c.Has(i) {
				v.Players = append(v.Players, name)
			}
		}
		x.Values = append(x.Values, v)
	}
	target.Interactions = x
	return f
}

// section returns the part of a page with the orders.
func section(page []byte) string {
	_, rest, _ := strings.Cut(string(page), `<section id="t1-orders"`)
	text, _, _ := strings.Cut(rest, "</section>")
	return text
}

// sharePoints writes a share as the page does.
func sharePoints(x float64) string { return strings.ReplaceAll(percent(x), " ", "\u00a0") }

func TestOrders(t *testing.T) {
	f := newFixture(t, 40, []string{"image", "ecg", "labs"}, []string{"home", "ward"}).withOrders(t, 0)
	target := &f.ex.Targets[0]
	page := f.page(t)
	text := section(page)
	for i, name := range []string{"singles", "pairs", "triples"} {
		o := target.Spectrum.Moebius.Global[i]
		if !strings.Contains(text, name) || !strings.Contains(text, sharePoints(o.Share.Or(0))) {
			t.Errorf("want %s with %v, got\n%s", name, o.Share, text)
		}
	}
	// The reference stands at the pairs of k-SII and nowhere else.
	if n := strings.Count(text, `class="reference" x1="75.00%"`); n != 1 || strings.Count(text, `class="reference"`) != 1 {
		t.Errorf("want one reference at 75 %%, got %d", n)
	}
	_, last, _ := strings.Cut(text, "k-SII of order 2")
	if !strings.Contains(last, `class="reference"`) || !strings.Contains(last, "pure parity of 3 modalities") {
		t.Error("want the reference beside k-SII")
	}
	if strings.Contains(text, `class="spans values"`) || !strings.Contains(string(page), `href="#t1-orders"`) {
		t.Error("want an entry of the contents, and no interactions that nobody asked for")
	}
	// At another order of k-SII parity has another share.
	text = section(f.withOrders(t, 3).page(t))
	if strings.Contains(text, `class="reference"`) {
		t.Error("want no reference for k-SII of order three")
	}
	// Of each size the largest interaction comes first, with its shares.
	tables := strings.Split(text, `class="spans values"`)[1:]
	if len(tables) != 3 {
		t.Fatalf("want a table of each size, got %d", len(tables))
	}
	for i, of := range target.Interactions.BySize(result.Global) {
		_, body, _ := strings.Cut(tables[i], "<tbody")
		row, _, _ := strings.Cut(body, "</tr>")
		v := &target.Interactions.Values[of[0]]
		for _, name := range v.Players {
			if !strings.Contains(row, "<bdi>"+name+"</bdi>") {
				t.Errorf("want %q in the first row, got %s", name, row)
			}
		}
		_, other, _ := strings.Cut(row, `class="num other">`)
		if x := v.Share.Or(0); x > 0.0001 && (!strings.Contains(row, sharePoints(x)) || !strings.HasPrefix(other, "&lt;\u00a0")) {
			t.Errorf("want %s and an unclear mean absolute, got %s", sharePoints(x), row)
		}
	}
	if !strings.Contains(text, "add up to "+number(target.Output-target.Base)) {
		t.Error("want what the values add up to")
	}
}

// Pages of results without spectra have no such section, and what is undefined says so.
func TestOrdersOfNothing(t *testing.T) {
	f := newFixture(t, 40, []string{"image", "ecg", "labs"}, nil)
	if text := section(f.page(t)); text != "" {
		t.Errorf("want no section, got %s", text)
	}
	f = f.withOrders(t, 2)
	sp := f.ex.Targets[0].Spectrum
	for i := range sp.Moebius.Global {
		sp.Moebius.Global[i] = result.OrderShare{Order: i + 1}
		sp.Moebius.Local[i].Share = score.Share{}
	}
	sp.KSII = nil
	x := f.ex.Targets[0].Interactions
	for i := range x.Values {
		x.Values[i] = result.CoalitionValue{Players: []string{`<script>alert(1)</script>`}}
	}
	text := section(f.page(t))
	if strings.Count(text, "undefined") < 6 || strings.Contains(text, "NaN") || strings.Contains(text, "<script") {
		t.Errorf("want undefined shares and escaped names, got\n%s", text)
	}
}
