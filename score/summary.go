package score

import (
	"math"

	"github.com/intershap/intershap/game"
)

// An Interval is an estimated share with confidence bounds. Low and High are
// undefined where the error cannot be estimated. A Low of 0 beside an estimate
// above 0 means that the sign of the effects behind it is not clear: read "less
// than High".
type Interval struct {
	Share     Share
	Low, High Share
	// Corrected is the share of sizes less what the noise of draws of coalitions adds
	// to each, kept within the bounds; undefined where coalitions were not drawn.
	Corrected Share
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
	// Spectrum holds the share of each order, from the single modalities on: the
	// cells of one modality, of two, and so on. Where shares end at two, the second
	// is InterSHAP.
	Spectrum []Interval
	// Parts holds the shares that Options.Parts asks for.
	Parts []Interval
	// Contributions holds the share of each modality on its own, and Pairs every
	// pair of modalities, in order. Both are nil but for the matrix.
	Contributions []Interval
	Pairs         []Pair
}

// A Part asks for the share of some cells in others.
type Part struct {
	// Cells holds the positions of the part, see [Layout.Coalitions].
	Cells []int
	// Of holds those of the whole, which holds the part; nil is all behaviour.
	Of []int
}

// A Cell is what is known of one cell.
type Cell struct {
	Coalition game.Coalition
	// Samples is the number of samples that have all modalities of the cell. Where there
	// is none, Mean is 0 and everything else undefined.
	Samples int
	// Mean is the mean over these samples, sign kept. In the matrix it is one of a pair's
	// two equal cells.
	Mean float64
	// Low and High are confidence bounds of Mean by the errors of all sources;
	// undefined where the samples' error cannot be estimated, which takes two
	// independent samples that have the cell. They hold for one cell:
	// of many, some miss.
	Low, High Share
	// BackgroundSE, CoalitionSE and SamplesSE are the standard errors of Mean by
	// source, undefined where the source's error cannot be estimated, and where
	// coalitions were not drawn.
	BackgroundSE, CoalitionSE, SamplesSE Share
	// Share is the cell's part of behaviour in the global aggregation,
	// MeanAbsoluteShare that in the other. In the matrix it is that of all cells of a
	// pair.
	Share, MeanAbsoluteShare Interval
}

// LocalSummary describes the local scores of a group of samples.
type LocalSummary struct {
	// Mean and SD are over the samples whose score is defined.
	Mean, SD Share
	// Corrected is the mean of the bias-corrected scores, kept within [0, 1].
	Corrected Share
	// Spectrum holds the mean share of each order, from the single modalities on,
	// over the samples with behaviour; nil without any.
	Spectrum []float64
	// Undefined counts the samples without behaviour.
	Undefined int
}

// A Summary is what an accumulator says about one target and a set of groups.
type Summary struct {
	// Samples counts the samples, and Weight sums their weights: in a layout without
	// weights it is the same number.
	Samples      int
	Weight       float64
	Base, Output float64
	Global       Estimate
	MeanAbsolute Estimate
	Local        LocalSummary
	// Phi is the mean over samples, signs kept: the m×m matrix, or the vector of
	// Layout.Cells.
	Phi []float64
	// BackgroundSE, CoalitionSE and SamplesSE are the standard errors of Phi by
	// source; nil where the source's error cannot be estimated for every cell that any
	// sample has, and where coalitions were not drawn. A cell that none has has 0.
	BackgroundSE, CoalitionSE, SamplesSE []float64
	// Cells says the same, with bounds and shares, of each cell of the layout.
	Cells []Cell
	// Clusters is the number of independent samples: fewer than Samples where ids
	// repeat or weights differ (Kish, 1965).
	Clusters float64
	// BaseSE is the background's standard error of Base: undefined where it is
	// unknown, for Layout.Cells, which need not add up, and where cells are means over
	// different samples, which do not either. Draws of coalitions add
	// nothing to it, since v({}) is always evaluated.
	BaseSE Share
	// GlobalSE and MeanAbsoluteSE are the standard errors of InterSHAP in either
	// aggregation, signs held at those of the estimate.
	GlobalSE, MeanAbsoluteSE SourceErrors
}

// SourceErrors are the standard errors of a number by source, undefined where
// unknown. That of the coalitions is undefined where they were not drawn.
type SourceErrors struct{ Background, Coalitions, Samples Share }

// Options say how a summary is made.
type Options struct {
	// Level is the confidence level, such as 0.95.
	Level float64
	// Quantile returns the quantile of Student's t distribution with df degrees
	// of freedom at probability p.
	Quantile func(p, df float64) float64
	// Parts are shares that are asked for beyond those of every estimate.
	Parts []Part
}

// Summary summarises one target over all samples. It is nil when there is none.
//
// # Means
//
// Means are weighted by the samples' weights, where the layout has them. Where samples
// may lack modalities (Layout.Present), the mean of a cell is over those that have all of
// its modalities, each cell with a denominator of its own; a cell that no sample has is
// no part of the behaviour, and its share is undefined.
//
// # Intervals
//
// The background and the data set are both samples, and so are the coalitions under
// a budget. Their errors are kept apart until the end. Let A be the cells of a share
// and f = Σ_A |x| / Σ |x| over mean cells x. The background's standard error of f
// comes from the jackknife over K blocks, with K−1 degrees of freedom; that of the
// coalitions from the jackknife over D draws, with D−1; that of the data set from
// the Poisson bootstrap of the linearised ratio, with n−1. They add in squares, with
// the degrees of freedom of Welch and Satterthwaite. What rows and draws do only
// together is counted in both jackknifes, which errs to the wide side.
//
// Taken at face value, absolute values would keep every interval away from zero.
// So signs are fixed at those of the estimate, which leaves f smooth, and cells
// whose sign is not clear at the level (by Šidák over the cells of one order) may be
// nothing: the lower bound of a share leaves out the unclear cells of A, the upper
// bound the unclear cells outside A. A share of another whole is made in the same
// way from the cells of that whole.
//
// For mean absolutes every sign is plus, and the cells that a bound would have
// smaller are reduced by the size that noise alone gives to absolute values.
//
// The bounds of a cell's signed mean x are x ± t·se with the same se and degrees of
// freedom.
//
// Samples with the same id are drawn together; n is the number of independent
// ones. Where the background's error is unknown, bounds hold the others alone. With
// fewer than two independent samples there are no bounds. Where cells have different
// samples, a bound takes the n of the cells that it counts, each by what it adds to the
// error; with fewer than two independent samples behind one of them the error is unknown
// and the bound is that of all shares, 0 or 1.
func (a *Accumulator) Summary(target int, opt Options) *Summary { return a.SummaryOf(target, opt, 0) }

// SummaryOf is [Accumulator.Summary] over the samples of some groups of a partition, or
// of all its groups when none is given. It is nil when they hold no sample. It panics
// when the partition has no such group.
func (a *Accumulator) SummaryOf(target int, opt Options, partition int, groups ...int) *Summary {
	s, ok := a.gather(target, partition, groups)
	if !ok {
		return nil
	}
	l := a.layout
	out := &Summary{
		Samples: int(s.whole.samples),
		Weight:  s.whole.weight,
		Base:    s.sums[atBase] / s.whole.weight,
		Output:  s.sums[atOutput] / s.whole.weight,
		Local:   s.localSummary(),
	}
	signed := newMoments(l, s, false)
	global := signed.estimator(opt)
	absolute := newMoments(l, s, true).estimator(opt)
	shares, absoluteShares := global.shares(), absolute.shares()
	out.Cells = signed.cells(opt, shares, absoluteShares)
	for at := range out.Cells {
		out.Cells[at].Samples = int(s.of(at).samples)
	}
	out.Phi = s.unpack(signed.mean)
	out.BackgroundSE = s.perCell(out.Cells, func(c Cell) Share { return c.BackgroundSE })
	out.CoalitionSE = s.perCell(out.Cells, func(c Cell) Share { return c.CoalitionSE })
	out.SamplesSE = s.perCell(out.Cells, func(c Cell) Share { return c.SamplesSE })
	out.BaseSE, out.Clusters = signed.baseSE(), signed.clusters
	out.Global = global.estimate(shares)
	out.GlobalSE = global.interactionsSE()
	out.MeanAbsolute = absolute.estimate(absoluteShares)
	out.MeanAbsoluteSE = absolute.interactionsSE()
	return out
}

// cells describes each cell, given its shares in both aggregations.
func (m *moments) cells(opt Options, shares, absolute []Interval) []Cell {
	out := make([]Cell, len(m.mean))
	for at, s := range m.layout.Coalitions() {
		c := Cell{Coalition: s, Mean: m.mean[at], Share: shares[at], MeanAbsoluteShare: absolute[at]}
		if out[at] = c; !m.exists(at) {
			continue
		}
		spread := m.cell(at)
		if m.known(background) {
			c.BackgroundSE = Defined(spread.jackknife(background))
		}
		if m.known(coalitions) {
			c.CoalitionSE = Defined(spread.jackknife(coalitions))
		}
		if se, df, ok := spread.standardError(); ok {
			c.SamplesSE = Defined(spread.sampling())
			half := margin(se, df, opt.Level, opt)
			c.Low, c.High = Defined(c.Mean-half), Defined(c.Mean+half)
		}
		out[at] = c
	}
	return out
}

// perCell returns one number of every cell in the form of Phi, nil where it is
// undefined for a cell that samples have, and where no sample has any.
func (s *shape) perCell(cells []Cell, number func(Cell) Share) []float64 {
	out, known := make([]float64, len(cells)), false
	for at, c := range cells {
		v, ok := number(c).Value()
		if !ok && c.Samples > 0 {
			return nil
		}
		out[at], known = v, known || ok
	}
	if !known {
		return nil
	}
	return s.unpack(out)
}

func (s section) localSummary() LocalSummary {
	n, weight := s.sums[atLocalCount], s.sums[atLocalWeight]
	out := LocalSummary{Undefined: int(s.sums[atCount] - n)}
	if n > 0 {
		mean := s.sums[atLocalSum] / weight
		out.Mean = Defined(mean)
		out.Spectrum = scaled(s.local(), 1/weight)
		// The squares of n equal weights w take w from the sum of weights, which
		// leaves n-1 of them: the variance has no bias from weights that say how much
		// a sample tells. All but nothing is left where one sample has all the weight.
		if rest := weight - s.sums[atLocalWeightSquares]/weight; rest > 1e-12*weight {
			squares := s.sums[atLocalSquares] - weight*mean*mean
			if squares < 1e-14*weight { // what rounding leaves of equal scores
				squares = 0
			}
			out.SD = Defined(math.Sqrt(squares / rest))
		}
	}
	if c := s.sums[atCorrectedWeight]; c > 0 {
		out.Corrected = Defined(min(1, max(0, s.sums[atCorrectedSum]/c)))
	}
	return out
}
