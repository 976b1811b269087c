package plot

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// spectrumOf has the given global shares with bounds of 2 points to either side, mean
// absolutes a twentieth nearer to equal shares, and local shares that are equal.
func spectrumOf(shares ...float64) *result.Spectrum {
	out := &result.Spectrum{Order: len(shares)}
	equal := 1 / float64(len(shares))
	for i, x := range shares {
		bounded := func(x float64) result.OrderShare {
			return result.OrderShare{Order: i + 1, Share: score.Defined(x), Low: score.Defined(max(0, x-0.02)), High: score.Defined(min(1, x+0.02))}
		}
		out.Global = append(out.Global, bounded(x))
		out.MeanAbsolute = append(out.MeanAbsolute, bounded(x+(equal-x)/20))
		out.Local = append(out.Local, result.LocalOrderShare{Order: i + 1, Share: score.Defined(equal)})
	}
	return out
}

// withOrders adds spectra to a fixture of three modalities.
func withOrders() *result.Explanation {
	ex, _ := newFixture(3, 2, 20).build()
	ex.Targets[0].Spectrum = &result.Spectra{
		Moebius: spectrumOf(0.5, 0.3, 0.2), KSII: spectrumOf(0.4, 0.6), Parity: score.Defined(0.75),
	}
	return ex
}

// TestOrders: a bar for each order by each index with its interval and its local share,
// and pure parity at the pairs of k-SII alone.
func TestOrders(t *testing.T) {
	sc := draw(t, Spectrum, choose(t, withOrders(), nil, Choice{}), Options{})
	value := reader(t, sc)
	ends := func(class string) (out []float64) {
		for _, b := range of[*scene.Rect](sc, class) {
			out = append(out, value(b.Box.Right()))
		}
		return out
	}
	if got, want := ends("bar"), []float64{0.5, 0.3, 0.2, 0.4, 0.6}; !slices.EqualFunc(got, want, near) {
		t.Errorf("bars: want %v, got %v", want, got)
	}
	third, half := 1./3, 0.5
	if got, want := ends("local"), []float64{third, third, third, half, half}; !slices.EqualFunc(got, want, near) {
		t.Errorf("local bars: want %v, got %v", want, got)
	}
	marks := of[*scene.Line](sc, "parity")
	if len(marks) != 1 || !near(value(marks[0].Points[0].X), 0.75) {
		t.Fatalf("want one mark of parity, at 3/4, got %d", len(marks))
	}
	pairs := of[*scene.Rect](sc, "bar")[4].Box
	if y := marks[0].Points[0].Y; y > pairs.Y || marks[0].Points[1].Y < pairs.Bottom() {
		t.Errorf("the mark is not in the row of k-SII's pairs")
	}
	text := allTexts(sc)
	for _, want := range []string{"Möbius transform", "k-SII, order 2", "singles", "pairs", "triples", "20.0 % [18.0, 22.0]", "33.3 %", "pure parity of 3 modalities: 75.0 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q, got\n%s", want, text)
		}
	}
}

// TestOrdersHeadline: bars are of the aggregation to read first.
func TestOrdersHeadline(t *testing.T) {
	ex := withOrders()
	ex.Targets[0].Headline = result.MeanAbsolute
	sc := draw(t, Spectrum, choose(t, ex, nil, Choice{}), Options{})
	value := reader(t, sc)
	if got, want := value(of[*scene.Rect](sc, "bar")[0].Box.Right()), 0.5+(1./3-0.5)/20; !near(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}

// TestOrdersOfNothing: shares that are undefined, not clear or without a Möbius
// transform have no bars, and no reference where the order is another.
func TestOrdersOfNothing(t *testing.T) {
	ex := withOrders()
	sp := ex.Targets[0].Spectrum
	for i := range sp.Moebius.Global {
		sp.Moebius.Global[i] = result.OrderShare{Order: i + 1}
		sp.Moebius.Local[i].Share = score.Share{}
	}
	sp.KSII.Global[1].Low = score.Defined(0)
	sc := draw(t, Spectrum, choose(t, ex, nil, Choice{}), Options{})
	if n := len(of[*scene.Rect](sc, "bar")); n != 1 {
		t.Errorf("want one bar, got %d", n)
	}
	if text := allTexts(sc); !strings.Contains(text, "undefined") || !strings.Contains(text, "< 62.0 %") {
		t.Errorf("want undefined and < 62.0 %%, got\n%s", text)
	}
	ex = withOrders()
	ex.Targets[0].Spectrum.Moebius, ex.Targets[0].Spectrum.KSII = nil, spectrumOf(0.4, 0.35, 0.25)
	sc = draw(t, Spectrum, choose(t, ex, nil, Choice{}), Options{})
	if len(of[*scene.Line](sc, "parity")) > 0 || strings.Contains(allTexts(sc), "Möbius") {
		t.Error("want no reference for k-SII of order three, and no Möbius transform")
	}
}

// TestOrdersOfAllSamples: of a class and of a sample there are two orders, as of results
// without spectra.
func TestOrdersOfAllSamples(t *testing.T) {
	f := newFixture(3, 2, 20)
	_, samples := f.build()
	ex := withOrders()
	for name, c := range map[string]Choice{"class": {Class: ptr("class 0")}, "sample": {Sample: ptr("3")}} {
		if text := allTexts(draw(t, Spectrum, choose(t, ex, samples, c), Options{})); strings.Contains(text, "Möbius") || !strings.Contains(text, "order 2, pairs") {
			t.Errorf("%s: want two orders, got\n%s", name, text)
		}
	}
}

// TestOrdersHaveNoFaults: texts neither overlap nor leave the picture, narrow or wide.
func TestOrdersHaveNoFaults(t *testing.T) {
	look := os.Getenv("PLOT_LOOK") // a folder for pictures to look at
	for _, m := range []int{3, 6, 10} {
		ex, _ := newFixture(m, 2, 20).build()
		var shares []float64
		for i := range m {
			shares = append(shares, 2*float64(m-i)/float64(m*(m+1)))
		}
		ex.Targets[0].Spectrum = &result.Spectra{Moebius: spectrumOf(shares...), KSII: spectrumOf(0.4, 0.6), Parity: score.Defined(0.6)}
		for _, opt := range []Options{{}, {Width: 330}, {Theme: Dark}, {Width: 1200, Height: 900}} {
			sc := draw(t, Spectrum, choose(t, ex, nil, Choice{}), opt)
			for _, fault := range sc.Faults() {
				t.Errorf("M %d, %+v: %s", m, opt, fault)
			}
			if look != "" {
				keepPicture(t, look, fmt.Sprintf("orders-%d-%.0f-%s", m, opt.Width, opt.Theme), sc)
			}
		}
	}
}
