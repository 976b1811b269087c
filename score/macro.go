package score

import (
	"math"
	"slices"
)

// A Macro is the unweighted mean of the InterSHAP of classes, in which a rare class
// counts as much as a common one:
//
//	macro = (1/C) Σ_c InterSHAP(c)
type Macro struct {
	// Classes is C, the number of classes with samples and a defined global share. All
	// means are over these.
	Classes int
	// Global and MeanAbsolute are the mean of either aggregation.
	Global, MeanAbsolute Interval
	// Local is the mean of the classes' mean local scores.
	Local Share
}

// Macro averages a target over classes, each a set of groups of a partition. Classes
// without samples or behaviour are left out; it is nil when none is left. It panics when
// the partition has no such group.
//
// # Intervals
//
// A bound is the mean of the classes' bounds, see [Accumulator.SummaryOf], before their
// margins, and the margin is made once, from the error of that mean. Classes are filled
// from the same background rows and drawn in the same replicates, so the classes' shares
// without a block, and in a replicate, are averaged first, and the jackknife and the
// bootstrap are of the averages: what the classes have in common stays. The degrees of
// freedom of the samples' error are those of Welch and Satterthwaite over the classes,
// as if these were independent, and at most those of all samples together, since samples
// of one id may be in several classes.
//
// A class of fewer than two independent samples, and one whose cells are all unclear,
// may have any share: it adds 0 to the lower bound and 1 to the upper one. Where no
// class can tell the samples' error there are no bounds.
func (a *Accumulator) Macro(target int, opt Options, partition int, classes ...[]int) *Macro {
	opt.Parts = nil
	var global, absolute []*estimator
	var groups []int
	local := 0.0
	for _, class := range classes {
		if len(class) == 0 { // gather takes none for all
			continue
		}
		s, ok := a.gather(target, partition, class)
		if !ok {
			continue
		}
		sizes := newMoments(a.layout, s, true).estimator(opt)
		if sizes.behaviour() == 0 {
			continue
		}
		absolute = append(absolute, sizes)
		if e := newMoments(a.layout, s, false).estimator(opt); e.behaviour() > 0 {
			global = append(global, e) // else its effects cancel in the means
		}
		local += s.localSummary().Mean.Or(0)
		groups = append(groups, class...)
	}
	if len(absolute) == 0 {
		return nil
	}
	slices.Sort(groups)
	all, _ := a.gather(target, partition, slices.Compact(groups))
	clusters := all.whole.clusters()
	return &Macro{
		Classes:      len(absolute),
		Global:       macroInterval(global, clusters),
		MeanAbsolute: macroInterval(absolute, clusters),
		Local:        Defined(local / float64(len(absolute))),
	}
}

// behaviour is the sum of the sizes of all cells.
func (e *estimator) behaviour() float64 { return e.total(e.mean, positions(e.every)) }

// macroInterval averages the InterSHAP of classes, all of which have behaviour, given
// the number of independent samples in all of them; of none it is undefined.
func macroInterval(classes []*estimator, clusters float64) Interval {
	if len(classes) == 0 {
		return Interval{}
	}
	n := float64(len(classes))
	value, denoised, known := 0.0, 0.0, true
	for _, e := range classes {
		pairs := positions(e.interactions())
		value += e.total(e.mean, pairs) / e.behaviour() / n
		if e.denoised == nil {
			known = false
			continue
		}
		if all := e.total(e.denoised, positions(e.every)); all > 0 {
			denoised += e.total(e.denoised, pairs) / all / n
		} else {
			known = false
		}
	}
	out := Interval{Share: Defined(value)}
	if bound, half, ok := macroBound(classes, clusters, true); ok {
		out.Low = Defined(min(value, max(0, bound-half)))
	}
	if bound, half, ok := macroBound(classes, clusters, false); ok {
		out.High = Defined(max(value, min(1, bound+half)))
	}
	if known {
		out.Corrected = Defined(denoised).within(out.Low, out.High)
	}
	return out
}

// macroBound averages the bounds of the classes and returns the half width that their
// mean has. It reports false where no class can tell the samples' error.
func macroBound(classes []*estimator, clusters float64, lower bool) (value, half float64, ok bool) {
	n := float64(len(classes))
	var mean spread
	for source, blocks := range classes[0].leftOut {
		mean.leftOut[source] = make([]float64, len(blocks))
	}
	mean.replicates = make([]float64, Replicates)
	var squares, inverse float64 // Σ se_c² and Σ se_c⁴/df_c
	for _, e := range classes {
		if len(e.replicates) > 1 {
			ok = true
		}
		pairs := e.interactions()
		bound, share, some := e.smallest(pairs, e.every, lower)
		if !some || !share.told() {
			switch {
			case len(e.replicates) > 1 && e.allNothing(pairs, e.every, !lower): // nothing to gain, or to lose
				value += e.total(e.mean, positions(pairs)) / e.behaviour() / n
			case !lower:
				value += 1 / n
			}
			continue
		}
		value += bound / n
		for source, blocks := range share.leftOut {
			for k, v := range blocks {
				mean.leftOut[source][k] += v / n
			}
		}
		// A replicate that drew nothing of the class leaves its share where it is. The
		// spread of each class is mended by its own number of samples.
		mend := math.Sqrt(share.clusters / (share.clusters - 1))
		for i, r := range e.drawn {
			mean.replicates[r] += mend * share.replicates[i] / n
		}
		variance := math.Pow(share.sampling()/n, 2)
		squares += variance
		inverse += variance * variance / (share.clusters - 1)
	}
	if !ok {
		return 0, 0, false
	}
	df := max(1, clusters-1)
	if inverse > 0 {
		df = min(df, squares*squares/inverse)
	}
	opt := classes[0].opt
	se, df := mean.combined(deviation(mean.replicates), df)
	return value, margin(se, df, opt.Level, opt), true
}
