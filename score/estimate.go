package score

import "math"

// estimate breaks behaviour down. The second result is the background's
// standard error of InterSHAP.
func (m *moments) estimate(opt Options) (Estimate, Share) {
	c := m.cells(opt)
	var out Estimate
	all := make([]bool, len(m.mean))
	m.eachCell(func(at, i, j int) {
		size := c.weight[at] * c.sign[at] * m.mean[at]
		out.Behaviour += size
		if i != j {
			all[at] = true
			out.Interactions += size
		}
	})
	out.InterSHAP = m.interval(all, c, opt)
	m.eachCell(func(at, i, j int) {
		one := make([]bool, len(m.mean))
		one[at] = true
		share := m.interval(one, c, opt)
		if i == j {
			out.Contributions = append(out.Contributions, share)
		} else {
			out.Pairs = append(out.Pairs, Pair{I: i, J: j, Share: share, Phi: 2 * m.mean[at]})
		}
	})
	if m.layout.BackgroundUnknown {
		return out, Share{}
	}
	return out, Defined(m.background(func(x []float64) float64 { return ratio(c.parts(x, all, every)).Or(0) }))
}

func every(int) bool { return true }

// cells describes each packed cell: how often it is counted, the sign that is
// fixed for it, whether that sign is clear, and whether the cell is nothing
// whatever is drawn.
type cells struct {
	weight, sign   []float64
	clear, nothing []bool
}

func (m *moments) cells(opt Options) cells {
	p := len(m.mean)
	c := cells{make([]float64, p), make([]float64, p), make([]bool, p), make([]bool, p)}
	diagonal := m.layout.Modalities
	m.eachCell(func(at, i, j int) {
		family := diagonal
		c.weight[at], c.sign[at] = 1, math.Copysign(1, m.mean[at])
		if i != j {
			family = p - diagonal
			c.weight[at] = m.layout.Convention.pairCells()
		}
		level := math.Pow(opt.Level, 1/float64(family)) // Šidák
		cell := func(x []float64) float64 { return x[at] }
		se, df, ok := m.standardError(cell, cell)
		c.clear[at] = ok && math.Abs(m.mean[at]) > margin(se, df, level, opt)
		c.nothing[at] = ok && se == 0 && m.mean[at] == 0
	})
	return c
}

// parts returns Σ over the counted cells of part, and over all counted cells,
// with signs fixed.
func (c cells) parts(x []float64, part []bool, counted func(int) bool) (in, all float64) {
	for at, v := range x {
		if !counted(at) {
			continue
		}
		v *= c.weight[at] * c.sign[at]
		all += v
		if part[at] {
			in += v
		}
	}
	return in, all
}

// interval returns the share of the cells in part, with bounds.
func (m *moments) interval(part []bool, c cells, opt Options) Interval {
	out := Interval{Share: ratio(c.parts(m.mean, part, every))}
	value, ok := out.Share.Value()
	if !ok {
		return out
	}
	out.Low = m.end(value, part, c, true, opt)
	out.High = m.end(value, part, c, false, opt)
	return out
}

// end returns the lower or upper bound of a share. Cells that may be nothing are
// left out, and sizes that noise made are taken away: of the part for the lower
// bound, of the others for the upper.
func (m *moments) end(value float64, part []bool, c cells, lower bool, opt Options) Share {
	bound, half, ok := m.bound(part, c, func(at int) bool { return part[at] == lower }, opt)
	switch {
	case ok && lower:
		return Defined(min(value, max(0, bound-half)))
	case ok:
		return Defined(max(value, min(1, bound+half)))
	case len(m.replicates) < 2:
		return Share{}
	case c.allNothing(part, !lower): // nothing to gain, or to lose
		return Defined(value)
	case lower:
		return Defined(0)
	default:
		return Defined(1)
	}
}

// allNothing reports whether every cell inside the part, or every one outside,
// is nothing.
func (c cells) allNothing(part []bool, inside bool) bool {
	for at, nothing := range c.nothing {
		if part[at] == inside && !nothing {
			return false
		}
	}
	return true
}

// bound returns the share of part when the cells that smaller picks are as small
// as they may be, and half the width of its interval. It reports false where the
// error is unknown, and where nothing is left, so that any share is possible.
func (m *moments) bound(part []bool, c cells, smaller func(int) bool, opt Options) (value, half float64, ok bool) {
	counted := func(at int) bool { return c.clear[at] || !smaller(at) }
	mean := m.mean
	if m.absolute {
		mean = m.withoutNoise(smaller)
	}
	in, whole := c.parts(mean, part, counted)
	if whole == 0 {
		return 0, 0, false
	}
	value = in / whole
	share := func(x []float64) float64 { return ratio(c.parts(x, part, counted)).Or(0) }
	// The bootstrap takes the ratio linearised at the mean: a replicate's own
	// denominator may come close to zero.
	linear := func(x []float64) float64 {
		in, all := c.parts(x, part, counted)
		return (in - value*all) / whole
	}
	se, df, ok := m.standardError(share, linear)
	return value, margin(se, df, opt.Level, opt), ok
}

// withoutNoise returns the mean absolutes with those that smaller picks reduced
// by their bias: the absolute value of a noisy number is too large, most of all
// where the number is zero. There the bias falls with the root of the number of
// background rows, and the jackknife, which takes a bias to fall with the number
// itself, sees half of it. So twice its estimate is taken away, and at most all.
func (m *moments) withoutNoise(smaller func(int) bool) []float64 {
	out := make([]float64, len(m.mean))
	for at, v := range m.mean {
		if out[at] = v; smaller(at) {
			noise := m.bias(func(x []float64) float64 { return x[at] })
			out[at] = max(0, v-2*max(0, noise))
		}
	}
	return out
}
