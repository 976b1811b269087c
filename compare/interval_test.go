package compare

import (
	"math"
	"slices"
	"testing"

	"github.com/intershap/intershap/score"
)

// near reports whether got is want to a relative error of 1e-9, or an absolute one of
// 1e-12.
func near(want, got float64) bool { return math.Abs(got-want) <= 1e-12+1e-9*math.Abs(want) }

func TestNearSeesWrongValues(t *testing.T) {
	if !near(1, 1+1e-10) || near(1, 1+1e-6) || near(0, 1e-9) || near(1, -1) || near(1, math.NaN()) {
		t.Error("near does not tell what is near")
	}
}

// checkEstimate compares an estimate with delta, low and high.
func checkEstimate(t *testing.T, reason string, want, got estimate) {
	t.Helper()
	if p := estimateProblem(want, got); p != "" {
		t.Errorf("%s: %s: want %+v, got %+v", reason, p, want, got)
	}
}

func estimateProblem(want, got estimate) string {
	switch {
	case want.reason != got.reason:
		return "reason"
	case !near(want.delta, got.delta):
		return "delta"
	case want.reason == "" && !near(want.low, got.low):
		return "low"
	case want.reason == "" && !near(want.high, got.high):
		return "high"
	}
	return ""
}

func TestEstimateProblemSeesWrongValues(t *testing.T) {
	want := estimate{delta: .1, low: .05, high: .2}
	if estimateProblem(want, want) != "" {
		t.Error("the same is not the same")
	}
	for place, got := range map[string]estimate{
		"delta": {delta: .11, low: .05, high: .2}, "low": {delta: .1, low: .051, high: .2},
		"high": {delta: .1, low: .05, high: .21}, "reason": {delta: .1, low: .05, high: .2, reason: "none"},
	} {
		if estimateProblem(want, got) != place {
			t.Errorf("a wrong %s is not seen", place)
		}
	}
}

func TestWelch(t *testing.T) {
	// Quantiles of Student's t from the usual tables: 2.776445 with 4 degrees of
	// freedom, 12.706205 with 1, 2.131847 at 90 % with 4.
	a, b := []float64{.1, .2, .3}, []float64{.4, .5, .6}
	half := 2.7764451051977987 * math.Sqrt(2*.01/3) // both variances are 0.01; df = 4
	checkEstimate(t, "equal groups", estimate{delta: .3, low: .3 - half, high: .3 + half}, welch(a, b, .95))
	checkEstimate(t, "the sides change places", estimate{delta: -.3, low: -.3 - half, high: -.3 + half}, welch(b, a, .95))
	half = 2.1318467863266499 * math.Sqrt(2*.01/3)
	checkEstimate(t, "another level", estimate{delta: .3, low: .3 - half, high: .3 + half}, welch(a, b, .9))
	// No spread in b: the degrees of freedom are those of a, 2−1 = 1, and the standard
	// error is √(0.0002/2) = 0.01.
	half = 12.706204736174698 * .01
	checkEstimate(t, "all spread on one side", estimate{delta: .2, low: .2 - half, high: .2 + half}, welch([]float64{.29, .31}, []float64{.5, .5, .5, .5}, .95))
	checkEstimate(t, "no spread", estimate{delta: .2, reason: "no spread"}, welch([]float64{.1, .1, .1}, []float64{.3, .3}, .95))
	checkEstimate(t, "one against several", estimate{delta: .3, reason: "needs 2 or more"}, welch([]float64{.2}, b, .95))
	checkEstimate(t, "several against one", estimate{delta: -.3, reason: "needs 2 or more"}, welch(b, []float64{.2}, .95))
	// t with 1 degree of freedom leaves the range of a difference of shares.
	checkEstimate(t, "bounds stay within the range", estimate{delta: .5, low: -1, high: 1}, welch([]float64{.1, .5}, []float64{.8, .8}, .95))
}

func TestCarriedIntervals(t *testing.T) {
	d := score.Defined
	a, ok1 := carriedOf(d(.5), d(.47), d(.53))
	b, ok2 := carriedOf(d(.6), d(.56), d(.64))
	if !ok1 || !ok2 {
		t.Fatal("an interval is missing")
	}
	checkEstimate(t, "3, 4, 5", estimate{delta: .1, low: .05, high: .15}, b.less(a))
	checkEstimate(t, "the sides change places", estimate{delta: -.1, low: -.15, high: -.05}, a.less(b))
	// low takes what is below b and above a, high the rest.
	a, _ = carriedOf(d(.5), d(.47), d(.58))
	b, _ = carriedOf(d(.7), d(.64), d(.74))
	checkEstimate(t, "lopsided intervals", estimate{delta: .2, low: .1, high: .25}, b.less(a))
	// A lower bound of zero is cut off: the error below is that above.
	a, _ = carriedOf(d(.01), d(0), d(.04))
	if !near(.03, a.below) || !near(.03, a.above) {
		t.Errorf("an interval down to zero: %+v, want 0.03 on both sides", a)
	}
	a, _ = carriedOf(d(.98), d(.9), d(1))
	if !near(.08, a.below) || !near(.08, a.above) {
		t.Errorf("an interval up to one: %+v, want 0.08 on both sides", a)
	}
	a, _ = carriedOf(d(0), d(0), d(0))
	if a.below != 0 || a.above != 0 {
		t.Errorf("an exact zero: %+v, want no error", a)
	}
	for _, missing := range [][3]score.Share{{{}, d(0), d(1)}, {d(.5), {}, d(1)}, {d(.5), d(0), {}}} {
		if _, ok := carriedOf(missing[0], missing[1], missing[2]); ok {
			t.Errorf("%v is taken for an interval", missing)
		}
	}
	// 1.959964 and 2.575829 are the normal quantiles of 95 and 99 %.
	wide := carried{.5, .0196, .0392}.atLevel(.95, .99)
	if by := 2.5758293035489 / 1.95996398454005; !near(.0196*by, wide.below) || !near(.0392*by, wide.above) {
		t.Errorf("at 99 %%: %+v", wide)
	}
	if same := (carried{.5, .1, .2}).atLevel(0, .95); same != (carried{.5, .1, .2}) {
		t.Errorf("an unknown level changes %+v", same)
	}
}

func TestExpandedTail(t *testing.T) {
	// t with 9 degrees of freedom has the quantile 2.262157; Φ by the error function.
	want := .5 * math.Erfc(math.Sqrt(10./9)*2.2621571628540993/math.Sqrt2)
	if got := expandedTail(10, .95); !near(want, got) {
		t.Errorf("ten samples: want %v, got %v", want, got)
	}
	if got := expandedTail(1e6, .95); math.Abs(got-.025) > 1e-6 {
		t.Errorf("many samples: want 0.025, got %v", got)
	}
	if expandedTail(5, .95) >= expandedTail(6, .95) {
		t.Error("fewer samples must have wider intervals")
	}
}

func TestQuantile(t *testing.T) {
	// Four numbers cut the line into fifths.
	sorted := []float64{1, 2, 4, 8}
	for p, want := range map[float64]float64{0: 1, .1: 1, .2: 1, .4: 2, .5: 3, .7: 6, .8: 8, 1: 8} {
		if got := quantile(sorted, p); !near(want, got) {
			t.Errorf("quantile %v: want %v, got %v", p, want, got)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		e      estimate
		want   Verdict
		reason string
	}{
		{estimate{delta: .2, low: .1, high: .3}, Higher, "above zero"},
		{estimate{delta: -.2, low: -.3, high: -.1}, Lower, "below zero"},
		{estimate{delta: .2, low: -.1, high: .5}, Unclear, "zero inside"},
		{estimate{delta: .2, low: 0, high: .5}, Unclear, "zero at the end"},
		{estimate{delta: -.2, low: -.5, high: 0}, Unclear, "zero at the other end"},
		{estimate{delta: .2, reason: "needs 2 or more"}, Unclear, "no interval"},
	} {
		r := Row{Base: Value{Value: score.Defined(0)}, Other: Value{Value: score.Defined(0)}}
		r.settle(tt.e)
		if r.Verdict != tt.want {
			t.Errorf("%s: want %s, got %s", tt.reason, tt.want, r.Verdict)
		}
		if _, has := r.Low.Value(); has != (tt.e.reason == "") {
			t.Errorf("%s: bounds are there: %v", tt.reason, has)
		}
	}
	r := Row{Base: Value{Value: score.Defined(0)}}
	if r.settle(estimate{delta: .2, low: .1, high: .3}); r.Verdict != Undefined || r.Delta != (score.Share{}) {
		t.Errorf("a side without a value: want nothing, got %+v", r)
	}
}

func TestSummarise(t *testing.T) {
	v := summarise([]float64{.1, .2, .3})
	if mean, _ := v.Value.Value(); !near(.2, mean) || v.N != 3 {
		t.Errorf("mean of three: %+v", v)
	}
	if sd, ok := v.SD.Value(); !ok || !near(.1, sd) {
		t.Errorf("standard deviation of three: want 0.1, got %v", v.SD)
	}
	if v := summarise([]float64{.1}); v.N != 1 || v.SD != (score.Share{}) {
		t.Errorf("one: %+v, want no standard deviation", v)
	}
	if v := summarise(nil); v.N != 0 || v.Value != (score.Share{}) {
		t.Errorf("none: %+v, want nothing", v)
	}
	// Rounding leaves no spread of equal numbers.
	if v := summarise([]float64{.1, .1, .1}); v.SD != score.Defined(0) {
		t.Errorf("equal numbers: %+v, want a standard deviation of 0", v)
	}
}

func TestReplicateRow(t *testing.T) {
	d := score.Defined
	none := score.Share{}
	r := replicateRow(Quantity{Kind: InterSHAP}, [2][]score.Share{{d(.1), none, d(.2), d(.3)}, {d(.4), d(.5), d(.6)}}, .95)
	if r.Base.N != 3 || r.Other.N != 3 || r.Verdict != Higher {
		t.Errorf("an undefined replicate: %+v, want it left out", r)
	}
	if x, _ := r.Delta.Value(); !near(.3, x) {
		t.Errorf("want a difference of 0.3, got %v", x)
	}
	if r := replicateRow(Quantity{}, [2][]score.Share{{none, none}, {d(.5)}}, .95); r.Verdict != Undefined || r.Base.N != 0 {
		t.Errorf("no replicate has a score: %+v, want undefined", r)
	}
}

func TestPairing(t *testing.T) {
	p := pair([]string{"a", "b", "a", "c"}, []string{"c", "a", "x", "a", "a"})
	if want := [2][]int{{0, 2, 3}, {1, 3, 0}}; !slices.Equal(p.rows[0], want[0]) || !slices.Equal(p.rows[1], want[1]) {
		t.Errorf("want the pairs %v, got %v", want, p.rows)
	}
	if !slices.Equal(p.unit, []int{0, 0, 1}) || p.units != 2 {
		t.Errorf("want two visits of one id as one unit, got %v of %d", p.unit, p.units)
	}
	if unit, n := alone([]string{"x", "y", "x"}); n != 2 || !slices.Equal(unit, []int{0, 1, 0}) {
		t.Errorf("one run: got units %v of %d", unit, n)
	}
	if p := pair([]string{"a"}, []string{"b"}); p.units != 0 || len(p.unit) != 0 {
		t.Errorf("nothing in common: got %+v", p)
	}
	if !Positional([]string{"0", "1", "2"}) || Positional([]string{"0", "2"}) || Positional([]string{"a"}) {
		t.Error("positions are not told from ids")
	}
}

func TestMatchClasses(t *testing.T) {
	for _, tt := range []struct {
		name       string
		a, b       []string
		want       []int
		byPosition bool
		ok         bool
	}{
		{"the same", []string{"cat", "dog"}, []string{"cat", "dog"}, []int{0, 1}, false, true},
		{"another order", []string{"cat", "dog"}, []string{"dog", "cat"}, []int{1, 0}, false, true},
		{"other names", []string{"cat", "dog"}, []string{"0", "1"}, []int{0, 1}, true, true},
		{"one other name", []string{"cat", "dog"}, []string{"dog", "fox"}, []int{0, 1}, true, true},
		{"another number", []string{"cat", "dog"}, []string{"cat"}, nil, false, false},
		{"none", nil, nil, []int{}, false, true},
	} {
		c, ok := matchClasses(tt.a, tt.b)
		if ok != tt.ok || c.byPosition != tt.byPosition || ok && !slices.Equal(c.of[1], tt.want) {
			t.Errorf("%s: got %+v, %v", tt.name, c, ok)
		}
	}
}
