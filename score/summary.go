package score

import "math"

// An Interval is an estimated share with confidence bounds. Low and High are
// undefined where the error cannot be estimated. A Low of 0 beside an estimate
// above 0 means that the sign of the effects behind it is not clear: read "less
// than High".
type Interval struct {
	Share     Share
	Low, High Share
}

// A Pair is the interaction of modalities I and J, I < J.
type Pair struct {
	I, J int
	// Share is the pair's part of behaviour, by the convention.
	Share Interval
	// Phi is the sum of both cells: the pair's whole SII.
	Phi float64
}

// An Estimate is one aggregation of phi over samples, broken down.
type Estimate struct {
	InterSHAP Interval
	// Behaviour is the denominator and Interactions the numerator.
	Behaviour, Interactions float64
	// Contributions holds the share of each modality on its own.
	Contributions []Interval
	// Pairs holds every pair of modalities, in order.
	Pairs []Pair
}

// LocalSummary describes the local scores of a group of samples.
type LocalSummary struct {
	// Mean and SD are over the samples whose score is defined.
	Mean, SD Share
	// Corrected is the mean of the bias-corrected scores, kept within [0, 1].
	Corrected Share
	// Undefined counts the samples without behaviour.
	Undefined int
}

// A Summary is what an accumulator says about one target and a set of groups.
type Summary struct {
	Samples      int
	Base, Output float64
	Global       Estimate
	MeanAbsolute Estimate
	Local        LocalSummary
	// Phi is the m×m mean of the matrices, signs kept.
	Phi []float64
	// BackgroundSE and SamplesSE are the standard errors of Phi from either
	// source; nil where the source's error cannot be estimated.
	BackgroundSE, SamplesSE []float64
	// Clusters is the number of independent samples: fewer than Samples where ids
	// repeat.
	Clusters float64
	// BaseSE and InterSHAPBackgroundSE are the background's part of the standard
	// errors of Base and of the global score; undefined where unknown.
	BaseSE, InterSHAPBackgroundSE Share
	// MeanAbsoluteBackgroundSE is the same for the mean absolute score.
	MeanAbsoluteBackgroundSE Share
}

// Options say how a summary is made.
type Options struct {
	// Level is the confidence level, such as 0.95.
	Level float64
	// Quantile returns the quantile of Student's t distribution with df degrees
	// of freedom at probability p.
	Quantile func(p, df float64) float64
}

// Summary summarises one target over the given groups, or over all of them when
// none is given. It is nil when they hold no sample.
//
// # Intervals
//
// The background and the data set are both samples, and their errors are kept
// apart until the end. Let A be the cells of a share and f = Σ_A |x| / Σ |x| over
// mean cells x. The background's standard error of f comes from the jackknife
// over K blocks, with K−1 degrees of freedom; that of the data set from the
// Poisson bootstrap of the linearised ratio, with n−1. They add in squares, with
// the degrees of freedom of Welch and Satterthwaite.
//
// Taken at face value, absolute values would keep every interval away from zero.
// So signs are fixed at those of the estimate, which leaves f smooth, and cells
// whose sign is not clear at the level (by Šidák over the pairs, or over the
// diagonal) may be nothing: the lower bound of a share leaves out the unclear
// cells of A, the upper bound the unclear cells outside A.
//
// For mean absolutes every sign is plus, and the cells that a bound would have
// smaller are reduced by the size that noise alone gives to absolute values.
//
// Samples with the same id are drawn together; n is the number of independent
// ones. Where the background's error is unknown, bounds hold that of the samples
// alone. With fewer than two independent samples there are no bounds.
func (a *Accumulator) Summary(target int, opt Options, groups ...int) *Summary {
	s, ok := a.gather(target, groups)
	if !ok {
		return nil
	}
	l := a.layout
	n := s.sums[atCount]
	out := &Summary{
		Samples: int(n),
		Base:    s.sums[atBase] / n,
		Output:  s.sums[atOutput] / n,
		Local:   s.localSummary(),
	}
	signed := newMoments(l, s, false)
	out.Phi = unpack(signed.mean, l.Modalities)
	if se := signed.backgroundSE(); se != nil {
		out.BackgroundSE = unpack(se, l.Modalities)
	}
	if se := signed.samplesSE(); se != nil {
		out.SamplesSE = unpack(se, l.Modalities)
	}
	out.BaseSE, out.Clusters = signed.baseSE(), signed.clusters
	out.Global, out.InterSHAPBackgroundSE = signed.estimate(opt)
	out.MeanAbsolute, out.MeanAbsoluteBackgroundSE = newMoments(l, s, true).estimate(opt)
	return out
}

// gather adds up the sections of the groups.
func (a *Accumulator) gather(target int, groups []int) (section, bool) {
	if len(groups) == 0 {
		for g := range a.layout.Groups {
			groups = append(groups, g)
		}
	}
	s := section{make([]float64, a.layout.sectionLen()), a.layout.packed(), len(a.layout.Blocks)}
	for _, g := range groups {
		if part := a.sections[target*a.layout.Groups+g]; part != nil {
			addTo(s.sums, part)
		}
	}
	return s, s.sums[atCount] > 0
}

func (s section) localSummary() LocalSummary {
	n := s.sums[atLocalCount]
	out := LocalSummary{Undefined: int(s.sums[atCount] - n)}
	if n > 0 {
		mean := s.sums[atLocalSum] / n
		out.Mean = Defined(mean)
		if n > 1 {
			squares := s.sums[atLocalSquares] - n*mean*mean
			if squares < 1e-14*n { // what rounding leaves of equal scores
				squares = 0
			}
			out.SD = Defined(math.Sqrt(squares / (n - 1)))
		}
	}
	if c := s.sums[atCorrectedCount]; c > 0 {
		out.Corrected = Defined(min(1, max(0, s.sums[atCorrectedSum]/c)))
	}
	return out
}
