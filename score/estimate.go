package score

import (
	"math"
	"slices"
)

// An estimator breaks the behaviour of one aggregation down. Sets of cells are
// slices of booleans, one a cell.
type estimator struct {
	*moments
	opt Options
	// weight is how often a cell is counted, with the sign that is fixed for it.
	weight []float64
	// clear cells have a clear sign; nothing ones are nothing whatever is drawn.
	clear, nothing []bool
	// reduced is the mean without the size that noise gives to absolute values.
	reduced []float64
	// denoised is the mean without the size that draws of coalitions give to it; nil
	// without draws.
	denoised []float64
	// every is the set of all cells.
	every []bool
	// deviations are the standard errors of the cells' sizes from the samples, where
	// cells have different samples; nil where they have the same.
	deviations []float64
	// sums remembers the spread of the sums over the sets that many bounds share.
	sums []setSum
}

// A setSum is the sum over a set of cells, and what it takes to sum over the set with one
// cell more or less without adding up all cells again: of thousands of cells each has a
// share. Both halves are sums, not differences, so that what is left when the only cell
// goes is 0 and no rounding error.
type setSum struct {
	set []bool
	spread
	// halves are those of each vector of cells, in the order in which spread visits
	// them; nil until they are asked for.
	halves []halves
}

// halves are the sums over the cells of a set before a cell, and over those from it on.
type halves struct{ before, from []float64 }

func (m *moments) estimator(opt Options) *estimator {
	p := m.shape.cells()
	e := &estimator{
		moments: m, opt: opt, weight: make([]float64, p),
		clear: make([]bool, p), nothing: make([]bool, p), every: slices.Repeat([]bool{true}, p),
		reduced: slices.Clone(m.mean),
	}
	if m.known(coalitions) {
		e.denoised = make([]float64, p)
	}
	count := m.count()
	if m.clustersOf != nil {
		e.deviations = make([]float64, p)
	}
	for at, v := range m.mean {
		order := m.shape.order[at]
		e.weight[at] = m.shape.weight[order] * math.Copysign(1, v)
		if !m.exists(at) {
			e.nothing[at] = true
			continue
		}
		level := math.Pow(opt.Level, 1/float64(count[order])) // Šidák
		cell := m.cell(at)
		se, df, ok := cell.standardError()
		if ok && e.deviations != nil {
			e.deviations[at] = math.Abs(e.weight[at]) * cell.sampling()
		}
		e.clear[at] = ok && math.Abs(v) > margin(se, df, level, opt)
		e.nothing[at] = ok && se == 0 && v == 0
		if m.absolute {
			e.reduced[at] = withoutNoise(v, cell)
		}
		switch {
		case e.denoised == nil:
		case m.absolute:
			e.denoised[at] = absoluteLessNoise(v, cell)
		default:
			e.denoised[at] = lessNoise(v, cell, e.clear[at])
		}
	}
	for _, set := range [][]bool{e.every, e.clear} {
		e.sums = append(e.sums, setSum{set: set, spread: e.newSum(set)})
	}
	return e
}

// count returns how many cells of each order any sample has.
func (m *moments) count() []int {
	if m.tallies == nil {
		return m.shape.count
	}
	out := make([]int, m.shape.orders+1)
	for at, order := range m.shape.order {
		if m.exists(at) {
			out[order]++
		}
	}
	return out
}

// independent returns the number of independent samples behind the share of some cells.
// Where cells have different samples it is n with
//
//	1/(n−1) = Σ s_i/(n_i−1) / Σ s_i
//
// over the cells, each with n_i independent samples and a standard error s_i: the
// fewest samples behind a cell count as much as the cell moves the sum. It is 0, so that
// the error cannot be told, where a cell has too few to tell its own.
func (e *estimator) independent(set []bool) float64 {
	if e.clustersOf == nil {
		return e.clusters
	}
	fewest, most, sum, inverse := math.Inf(1), 0.0, 0.0, 0.0
	for at, n := range e.clustersOf {
		if !set[at] || !e.exists(at) {
			continue
		}
		if n < 2 {
			return 0
		}
		fewest, most = min(fewest, n), max(most, n)
		sum += e.deviations[at]
		inverse += e.deviations[at] / (n - 1)
	}
	switch {
	case most == 0: // no cell
		return e.clusters
	case fewest == most || inverse == 0:
		return fewest
	default:
		return 1 + sum/inverse
	}
}

// withoutNoise returns a mean absolute less its bias: the absolute value of a noisy
// number is too large, most of all where the number is zero. There the bias is c·σ,
// where σ² = σ₁² + σ₂² is the variance from both sources; the jackknife of source i,
// which takes a bias to fall with the number of blocks and not with its root, sees
// c·σᵢ²/(2σ), and both see half of the bias. So twice their sum is taken away, and at
// most all.
func withoutNoise(value float64, cell spread) float64 {
	return max(0, value-2*max(0, cell.bias(value)))
}

// estimate breaks behaviour down. shares are those of single cells.
func (e *estimator) estimate(shares []Interval) Estimate {
	var out Estimate
	for at, v := range e.mean {
		size := e.weight[at] * v
		out.Behaviour += size
		if e.shape.order[at] > 1 {
			out.Interactions += size
		}
	}
	out.InterSHAP = e.interval(e.interactions(), e.every)
	for order := 1; order <= e.shape.orders; order++ {
		out.Spectrum = append(out.Spectrum, e.interval(e.where(func(o int) bool { return o == order }), e.every))
	}
	for _, part := range e.opt.Parts {
		whole := e.every
		if part.Of != nil {
			whole = e.set(part.Of)
		}
		set := e.set(part.Cells)
		for at := range set {
			if set[at] && !whole[at] {
				panic("score: a part has a cell that its whole has not")
			}
		}
		out.Parts = append(out.Parts, e.interval(set, whole))
	}
	if !e.shape.matrix {
		return out
	}
	at := 0
	for i := range e.shape.modalities {
		for j := i; j < e.shape.modalities; j++ {
			if i == j {
				out.Contributions = append(out.Contributions, shares[at])
			} else {
				out.Pairs = append(out.Pairs, Pair{I: i, J: j, Share: shares[at], Phi: 2 * e.mean[at]})
			}
			at++
		}
	}
	return out
}

// shares returns the share of each cell, undefined where no sample has it.
func (e *estimator) shares() []Interval {
	out := make([]Interval, len(e.mean))
	for at := range out {
		if e.exists(at) {
			out[at] = e.interval(e.set([]int{at}), e.every)
		}
	}
	return out
}

// interactionsSE returns the standard errors of InterSHAP by source.
func (e *estimator) interactionsSE() (out SourceErrors) {
	pairs := e.interactions()
	whole := e.total(e.mean, positions(e.every))
	value := ratio(e.total(e.mean, positions(pairs)), whole).Or(0)
	share := e.quotient(pairs, e.every, value, whole)
	if e.known(background) {
		out.Background = Defined(share.jackknife(background))
	}
	if e.known(coalitions) {
		out.Coalitions = Defined(share.jackknife(coalitions))
	}
	if share.told() && whole != 0 {
		out.Samples = Defined(share.sampling())
	}
	return out
}

func (e *estimator) set(positions []int) []bool {
	out := make([]bool, len(e.mean))
	for _, at := range positions {
		out[at] = true
	}
	return out
}

// where returns the set of the cells whose order has the property.
func (e *estimator) where(has func(order int) bool) []bool {
	out := make([]bool, len(e.mean))
	for at, order := range e.shape.order {
		out[at] = has(order)
	}
	return out
}

func (e *estimator) interactions() []bool { return e.where(func(order int) bool { return order > 1 }) }

// total returns the sum of the sizes of a set in a vector of cells, with signs
// fixed.
func (e *estimator) total(x []float64, positions []int) float64 {
	sum := 0.0
	for _, at := range positions {
		sum += x[at] * e.weight[at]
	}
	return sum
}

func positions(set []bool) []int {
	var out []int
	for at, in := range set {
		if in {
			out = append(out, at)
		}
	}
	return out
}

// sum returns the spread of the total of a set.
func (e *estimator) sum(set []bool) spread {
	for i := range e.sums {
		switch at, different := difference(e.sums[i].set, set); different {
		case 0:
			return e.sums[i].spread
		case 1:
			return e.changed(&e.sums[i], at)
		}
	}
	return e.newSum(set)
}

// difference returns how many cells are in one of two sets alone, 2 for more of them, and
// where the first is.
func difference(a, b []bool) (first, different int) {
	for at := range a {
		if a[at] == b[at] {
			continue
		}
		if different++; different == 1 {
			first = at
		} else {
			break
		}
	}
	return first, different
}

// changed returns the spread of the sum over a set with one cell more, or one less.
func (e *estimator) changed(s *setSum, at int) spread {
	if s.halves == nil {
		e.spread(func(cells []float64) float64 {
			s.halves = append(s.halves, e.halve(cells, s.set))
			return 0
		})
	}
	vector := 0
	return e.spread(func(cells []float64) float64 {
		h := &s.halves[vector]
		vector++
		sum := h.before[at]
		if !s.set[at] {
			sum += cells[at] * e.weight[at]
		}
		return sum + h.from[at+1]
	})
}

func (e *estimator) halve(cells []float64, set []bool) halves {
	n := len(cells)
	h := halves{before: make([]float64, n+1), from: make([]float64, n+1)}
	size := func(at int) float64 {
		if !set[at] {
			return 0
		}
		return cells[at] * e.weight[at]
	}
	for at := range cells {
		h.before[at+1] = h.before[at] + size(at)
	}
	for at := n - 1; at >= 0; at-- {
		h.from[at] = h.from[at+1] + size(at)
	}
	return h
}

func (e *estimator) newSum(set []bool) spread {
	at := positions(set)
	return e.spread(func(cells []float64) float64 { return e.total(cells, at) })
}

// quotient returns the spread of the share of the cells inside in the counted ones, which
// is value, the size of the counted being whole. The bootstrap takes the ratio linearised
// there: a replicate's own denominator may come close to zero.
func (e *estimator) quotient(inside, counted []bool, value, whole float64) spread {
	in, all := e.sum(inside), e.sum(counted)
	out := spread{replicates: make([]float64, len(in.replicates)), clusters: e.independent(counted)}
	for r, v := range in.replicates {
		out.replicates[r] = (v - value*all.replicates[r]) / whole
	}
	for source, left := range in.leftOut {
		for k, v := range left {
			out.leftOut[source] = append(out.leftOut[source], ratio(v, all.leftOut[source][k]).Or(0))
		}
	}
	return out
}

// interval returns the share of a part in its whole, with bounds.
func (e *estimator) interval(part, whole []bool) Interval {
	out := Interval{Share: ratio(e.total(e.mean, positions(part)), e.total(e.mean, positions(whole)))}
	value, ok := out.Share.Value()
	if !ok {
		return out
	}
	out.Low = e.end(value, part, whole, true)
	out.High = e.end(value, part, whole, false)
	if e.denoised != nil {
		if all := e.total(e.denoised, positions(whole)); all > 0 {
			out.Corrected = Defined(e.total(e.denoised, positions(part))/all).within(out.Low, out.High)
		}
	}
	return out
}

// end returns the lower or upper bound of a share. Cells that may be nothing are
// left out, and sizes that noise made are taken away: of the part for the lower
// bound, of the others for the upper.
func (e *estimator) end(value float64, part, whole []bool, lower bool) Share {
	bound, half, ok := e.bound(part, whole, lower)
	switch {
	case ok && lower:
		return Defined(min(value, max(0, bound-half)))
	case ok:
		return Defined(max(value, min(1, bound+half)))
	case len(e.replicates) < 2:
		return Share{}
	case e.allNothing(part, whole, !lower): // nothing to gain, or to lose
		return Defined(value)
	case lower:
		return Defined(0)
	default:
		return Defined(1)
	}
}

// allNothing reports whether every cell of the whole that is inside the part, or
// every one outside, is nothing.
func (e *estimator) allNothing(part, whole []bool, inside bool) bool {
	for at, nothing := range e.nothing {
		if whole[at] && part[at] == inside && !nothing {
			return false
		}
	}
	return true
}

// bound returns the share of a part when its cells, or for the upper bound those
// outside, are as small as they may be, and half the width of its interval. It
// reports false where the error is unknown, and where nothing is left, so that any
// share is possible.
func (e *estimator) bound(part, whole []bool, lower bool) (value, half float64, ok bool) {
	value, share, ok := e.smallest(part, whole, lower)
	if !ok {
		return 0, 0, false
	}
	se, df, ok := share.standardError()
	return value, margin(se, df, e.opt.Level, e.opt), ok
}

// smallest returns the share of a part that bound is made from, and its spread. It
// reports false where nothing is left.
func (e *estimator) smallest(part, whole []bool, lower bool) (value float64, share spread, ok bool) {
	counted, inside, mean := make([]bool, len(part)), make([]bool, len(part)), slices.Clone(e.mean)
	for at := range part {
		smaller := part[at] == lower
		counted[at] = whole[at] && (e.clear[at] || !smaller)
		inside[at] = part[at] && counted[at]
		if smaller {
			mean[at] = e.reduced[at]
		}
	}
	all := e.total(mean, positions(counted))
	if all == 0 {
		return 0, spread{}, false
	}
	value = e.total(mean, positions(inside)) / all
	return value, e.quotient(inside, counted, value, all), true
}
