package report

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// walk is a result by hand: base 0.25, image +0.5, text -0.25, together +0.25, so the
// output is 0.75. Sizes add up to 1: shares are 50 %, 25 % and 25 %.
func walk() *result.Breakdown {
	b := &result.Breakdown{Samples: 1, Base: 0.25, Output: 0.75}
	b.Global.Phi = [][]float64{{0.5, 0.125}, {0.125, -0.25}}
	b.Global.Contributions = map[string]score.Share{"image": score.Defined(0.5), "text": score.Defined(0.25)}
	b.Global.Pairs = []result.Pair{{Pair: [2]string{"image", "text"}, Share: score.Defined(0.25), Phi: 0.25}}
	return b
}

func TestWaterfall(t *testing.T) {
	w := newWaterfall(walk(), []string{"image", "text"}, 0.95)
	// The walk goes 0.25, 0.75, 0.5, 0.75: the axis reaches from 0.23 to 0.77 with
	// 4 % of the range 0.5 free, so 0.25 is at 0.02/0.54.
	const left, middle, right = "3.70%", "50.00%", "96.30%"
	want := []bar{
		{Label: label{First: "base value"}, Kind: kindEnd, X: left, From: left, To: left, First: true, Value: "0.2500", Title: "at 0.2500"},
		{Label: label{First: "image", Note: "alone"}, Kind: kindAlone, X: left, Width: "92.59%", From: left, To: right, Value: "+0.500", Share: "50.0\u00a0%", Title: "from 0.2500 to 0.7500"},
		{Label: label{First: "text", Note: "alone"}, Kind: kindAlone, X: middle, Width: "46.30%", From: right, To: middle, Value: "\u22120.250", Share: "25.0\u00a0%", Title: "from 0.7500 to 0.5000"},
		{Label: label{First: "image", Second: "text"}, Kind: kindPair, X: middle, Width: "46.30%", From: middle, To: right, Value: "+0.250", Share: "25.0\u00a0%", Title: "from 0.5000 to 0.7500"},
		{Label: label{First: "output"}, Kind: kindEnd, X: right, From: right, To: right, Last: true, Value: "0.7500", Title: "at 0.7500"},
	}
	if d := cmp.Diff(want, w.Bars); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if w.Whiskers {
		t.Error("want no whiskers without errors")
	}
	wrong := walk()
	wrong.Global.Phi[0][0] = 0.4
	if cmp.Equal(want, newWaterfall(wrong, []string{"image", "text"}, 0.95).Bars) {
		t.Error("want another picture of other numbers")
	}
}

// A cell's error is that of both sources, a pair's twice that of its cell, and the
// whisker has the quantile of the level: 1.96 for 95 %.
func TestWhiskers(t *testing.T) {
	b := walk()
	b.Global.PhiSE.Background = [][]float64{{0.03, 0}, {0, 0.03}}
	b.Global.PhiSE.Samples = [][]float64{{0.04, 0.05}, {0.05, 0.04}}
	w := newWaterfall(b, []string{"image", "text"}, 0.95)
	if !w.Whiskers {
		t.Fatal("want whiskers")
	}
	for at, want := range map[int]string{
		1: "from 0.2500 to 0.7500, ±\u00a00.0980", // 1.95996 * hypot(0.03, 0.04)
		3: "from 0.5000 to 0.7500, ±\u00a00.196",  // 1.95996 * 2 * 0.05
	} {
		if got := w.Bars[at].Title; got != want {
			t.Errorf("bar %d: want %q, got %q", at, want, got)
		}
	}
	// The text's whisker is as long as the image's; it ends where the walk is at 0.5.
	if b := w.Bars[2]; b.Low == "" || b.High == "" {
		t.Errorf("want a whisker, got none: %+v", b)
	}
	for _, unknown := range []result.PhiSE{{Background: b.Global.PhiSE.Background}, {Samples: b.Global.PhiSE.Samples}} {
		b.Global.PhiSE = unknown
		if !newWaterfall(b, []string{"image", "text"}, 0.95).Whiskers {
			t.Error("one source of error: want whiskers all the same")
		}
	}
}

// Of many pairs the smallest are one step, with their sum and their share.
func TestFold(t *testing.T) {
	var pairs []step
	for i := range 12 {
		pairs = append(pairs, step{kind: kindPair, value: float64(i) * math.Pow(-1, float64(i)), se: -1})
		pairs[i].share.Share = score.Defined(float64(i) / 100)
	}
	got := folded(pairs)
	if len(got) != mostSteps+1 {
		t.Fatalf("want %d steps, got %d", mostSteps+1, len(got))
	}
	if first := got[0].value; first != -11 {
		t.Errorf("want the largest first, -11, got %v", first)
	}
	rest := got[mostSteps]
	share, _ := rest.share.Share.Value()
	// Left are 0, -1, 2, -3.
	if rest.value != -2 || math.Abs(share-0.06) > 1e-12 || rest.label.String() != "4 more pairs" {
		t.Errorf("want 4 more pairs of -2 and 6 %%, got %s of %v and %v", rest.label, rest.value, share)
	}
	if n := len(folded(pairs[:mostSteps+1])); n != mostSteps+1 {
		t.Errorf("a fold of one saves nothing: want %d steps, got %d", mostSteps+1, n)
	}
	pairs[2].share.Share = score.Share{} // the value 2 is among the smallest
	if _, ok := folded(pairs)[mostSteps].share.Share.Value(); ok {
		t.Error("an undefined share in the fold: want its share undefined")
	}
}
