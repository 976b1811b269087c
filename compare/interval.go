package compare

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/score"
)

// An estimate is a difference with its bounds, which are there if reason is empty.
type estimate struct {
	delta, low, high float64
	// reason says why there are no bounds.
	reason string
}

// needs is the reason where there is too little of something.
func needs(least string) string { return "needs " + least + " or more" }

// studentT returns the quantile of Student's t distribution with df degrees of freedom.
func studentT(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// within keeps a difference of two shares in its range, and bounds on their sides of
// it: with few draws a percentile may pass it.
func (e estimate) within() estimate {
	e.low = max(-1, min(e.low, e.delta))
	e.high = min(1, max(e.high, e.delta))
	return e
}

// fill writes the estimate into a row, with what can be said of it.
func (e estimate) fill(r *Row) {
	r.Delta, r.Verdict, r.Reason = score.Defined(e.delta), Unclear, e.reason
	if e.reason != "" {
		return
	}
	r.Low, r.High = score.Defined(e.low), score.Defined(e.high)
	switch {
	case e.low > 0:
		r.Verdict = Higher
	case e.high < 0:
		r.Verdict = Lower
	}
}

// welch returns the difference of the means of b and a, with the interval of Welch
// (1947): standard error √(s_a²/n_a + s_b²/n_b), and Student's t with the degrees of
// freedom of Satterthwaite (1946). Neither may be empty. Where neither has any spread
// there is no interval: replicates that are all the same say nothing of other ones.
func welch(a, b []float64, level float64) estimate {
	meanA, varA := moments(a)
	meanB, varB := moments(b)
	out := estimate{delta: meanB - meanA}
	if len(a) < 2 || len(b) < 2 {
		out.reason = needs("2")
		return out
	}
	va, vb := varA/float64(len(a)), varB/float64(len(b))
	if va+vb == 0 {
		out.reason = "no spread"
		return out
	}
	// In fractions of the sum, whose square may leave the range of float64.
	fa, fb := va/(va+vb), vb/(va+vb)
	df := 1 / (fa*fa/float64(len(a)-1) + fb*fb/float64(len(b)-1))
	half := studentT((1+level)/2, df) * math.Sqrt(va+vb)
	out.low, out.high = out.delta-half, out.delta+half
	return out.within()
}

// moments returns the mean of x and its variance, with n−1 below; 0 for a single
// number.
func moments(x []float64) (mean, variance float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	if len(x) < 2 {
		return mean, 0
	}
	if slices.Min(x) == slices.Max(x) {
		return x[0], 0 // what rounding leaves is no spread
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, variance
}

// A carried is a share with the distances to its bounds.
type carried struct{ value, below, above float64 }

// carriedOf takes a share and bounds as a result has them. A bound at the end of the
// range is cut off and says less than its error: it is taken to be as far as the other
// one, if that is farther. It reports false where something is missing.
func carriedOf(share, low, high score.Share) (c carried, ok bool) {
	x, ok1 := share.Value()
	l, ok2 := low.Value()
	h, ok3 := high.Value()
	c = carried{x, max(0, x-l), max(0, h-x)}
	if l == 0 && x > 0 {
		c.below = max(c.below, c.above)
	}
	if h == 1 && x < 1 {
		c.above = max(c.above, c.below)
	}
	return c, ok1 && ok2 && ok3
}

// less returns the difference b − a with the interval that two intervals give where
// their errors are independent (Zou and Donner, 2008):
//
//	low  = δ − √((b − b_low)² + (a_high − a)²)
//	high = δ + √((b_high − b)² + (a − a_low)²)
//
// For intervals of the normal distribution that is the normal interval of δ. Errors
// that go together, as those of the same samples mostly do, make it too wide.
func (b carried) less(a carried) estimate {
	delta := b.value - a.value
	return estimate{
		delta: delta,
		low:   delta - math.Hypot(b.below, a.above),
		high:  delta + math.Hypot(b.above, a.below),
	}.within()
}

// atLevel rescales the distances from one confidence level to another by the normal
// distribution.
func (c carried) atLevel(from, to float64) carried {
	if from == to || !(from > 0 && from < 1) {
		return c
	}
	by := distuv.UnitNormal.Quantile((1+to)/2) / distuv.UnitNormal.Quantile((1+from)/2)
	c.below *= by
	c.above *= by
	return c
}

// expandedTail returns the probability beyond each end of a percentile interval of n
// independent samples:
//
//	Φ(−√(n/(n−1)) · t_{(1+level)/2, n−1})
//
// A bootstrap's spread is short by √((n−1)/n), and percentiles know nothing of the t
// distribution; this mends both (Hesterberg, 2015: the expanded percentile interval).
func expandedTail(n int, level float64) float64 {
	df := float64(n - 1)
	return distuv.UnitNormal.CDF(-math.Sqrt(float64(n)/df) * studentT((1+level)/2, df))
}

// quantile returns the quantile p of sorted numbers, by linear interpolation between
// order statistics: the definition 6 of Hyndman and Fan (1996), by which one more draw
// lies below it with the probability p on average, however few draws there are.
func quantile(sorted []float64, p float64) float64 {
	at := p*float64(len(sorted)+1) - 1
	if at <= 0 {
		return sorted[0]
	}
	i := int(at)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	f := at - float64(i)
	return sorted[i]*(1-f) + sorted[i+1]*f
}
