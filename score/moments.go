package score

import "math"

// moments holds the mean of each packed cell and its spread over both sources
// of error, for signed cells or for absolute ones.
type moments struct {
	layout  Layout
	samples float64
	mean    []float64
	// leftOut[k] is the mean without background block k.
	leftOut [][]float64
	// replicates[r] is the mean of bootstrap replicate r.
	replicates [][]float64
}

func newMoments(l Layout, s section, absolute bool) *moments {
	n, p := s.sums[atCount], s.packed
	m := &moments{layout: l, samples: n}
	sums := s.phi()
	if absolute {
		sums = s.absolute()
	}
	m.mean = scaled(sums, 1/n)
	if len(l.Blocks) >= 2 {
		for k := range l.Blocks {
			left := make([]float64, p)
			if absolute {
				left = scaled(s.leftOut(k), 1/n)
			} else {
				leaveOutTo(left, m.mean, scaled(s.blockPhi(k), 1/n), l.Blocks, k)
			}
			m.leftOut = append(m.leftOut, left)
		}
	}
	if n < 2 {
		return m
	}
	for r := range Replicates {
		rep := s.replicate(r)
		if rep[0] == 0 { // with a handful of samples a replicate may draw none
			continue
		}
		cells := rep[1 : 1+p]
		if absolute {
			cells = rep[1+p:]
		}
		m.replicates = append(m.replicates, scaled(cells, 1/rep[0]))
	}
	return m
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by
	}
	return out
}

// background returns the jackknife standard error of f over the background
// blocks.
func (m *moments) background(f func(cells []float64) float64) float64 {
	return jackknifeSE(m.leftOut, f)
}

func jackknifeSE(leftOut [][]float64, f func([]float64) float64) float64 {
	k := float64(len(leftOut))
	return math.Sqrt(k-1) * rootMeanSquare(leftOut, f)
}

// sampling returns the bootstrap standard error of the linear function f over
// the samples. The factor mends the bootstrap's variance, which is short by
// (n−1)/n.
func (m *moments) sampling(f func(cells []float64) float64) float64 {
	return math.Sqrt(m.samples/(m.samples-1)) * rootMeanSquare(m.replicates, f)
}

// rootMeanSquare returns the root of the mean squared deviation of f from its
// mean over the vectors.
func rootMeanSquare(vectors [][]float64, f func([]float64) float64) float64 {
	n, mean, squares := float64(len(vectors)), 0.0, 0.0
	values := make([]float64, len(vectors))
	for i, v := range vectors {
		values[i] = f(v)
		mean += values[i] / n
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean) / n
	}
	return math.Sqrt(squares)
}

// knowsBackground reports whether the background's error is known, and whether
// there is one.
func (m *moments) knowsBackground() (known, any bool) {
	return len(m.layout.Blocks) != 1, len(m.layout.Blocks) > 1
}

func (m *moments) backgroundSE() []float64 {
	switch known, any := m.knowsBackground(); {
	case !known:
		return nil
	case !any:
		return make([]float64, len(m.mean))
	}
	return m.perCell(m.background)
}

func (m *moments) samplesSE() []float64 {
	if len(m.replicates) < 2 {
		return nil
	}
	return m.perCell(m.sampling)
}

func (m *moments) perCell(se func(func([]float64) float64) float64) []float64 {
	out := make([]float64, len(m.mean))
	for i := range out {
		out[i] = se(func(cells []float64) float64 { return cells[i] })
	}
	return out
}

// baseSE returns the background's standard error of v({}). All cells sum to
// v(all) − v({}), and v(all) has no such error.
func (m *moments) baseSE() (float64, bool) {
	known, any := m.knowsBackground()
	if !known || !any {
		return 0, known
	}
	return m.background(func(cells []float64) float64 {
		sum := 0.0
		m.eachCell(func(at, i, j int) {
			if sum += cells[at]; i != j {
				sum += cells[at]
			}
		})
		return sum
	}), true
}

// eachCell calls f with the packed position, row and column of each cell.
func (m *moments) eachCell(f func(at, i, j int)) {
	at := 0
	for i := range m.layout.Modalities {
		for j := i; j < m.layout.Modalities; j++ {
			f(at, i, j)
			at++
		}
	}
}

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
	var backgroundSE Share
	out.InterSHAP, backgroundSE = m.interval(all, c, opt)
	m.eachCell(func(at, i, j int) {
		one := make([]bool, len(m.mean))
		one[at] = true
		share, _ := m.interval(one, c, opt)
		if i == j {
			out.Contributions = append(out.Contributions, share)
		} else {
			out.Pairs = append(out.Pairs, Pair{I: i, J: j, Share: share, Phi: 2 * m.mean[at]})
		}
	})
	return out, backgroundSE
}

// cells describes each packed cell: how often it is counted, the sign that is
// fixed for it, and whether that sign is clear.
type cells struct {
	weight, sign []float64
	clear        []bool
}

func (m *moments) cells(opt Options) cells {
	p := len(m.mean)
	c := cells{make([]float64, p), make([]float64, p), make([]bool, p)}
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
	})
	return c
}

// standardError combines both sources: f for the jackknife, linear for the
// bootstrap. It reports false when either is unknown.
func (m *moments) standardError(f, linear func([]float64) float64) (se, df float64, ok bool) {
	known, any := m.knowsBackground()
	if !known || len(m.replicates) < 2 {
		return 0, 0, false
	}
	b, s := 0.0, m.sampling(linear)
	if any {
		b = m.background(f)
	}
	if b == 0 && s == 0 {
		return 0, m.samples - 1, true
	}
	variance := b*b + s*s
	spread := s * s * s * s / (m.samples - 1)
	if any {
		spread += b * b * b * b / float64(len(m.leftOut)-1)
	}
	return math.Sqrt(variance), variance * variance / spread, true
}

func margin(se, df, level float64, opt Options) float64 {
	if se == 0 {
		return 0
	}
	return se * opt.Quantile((1+level)/2, df)
}

// interval returns the share of the cells in part, with bounds.
func (m *moments) interval(part []bool, c cells, opt Options) (Interval, Share) {
	every := func(int) bool { return true }
	// Cells that may be nothing are left out: of the part for the lower bound,
	// of the others for the upper.
	lower := func(at int) bool { return c.clear[at] || !part[at] }
	upper := func(at int) bool { return c.clear[at] || part[at] }

	share := func(x []float64) Share { return ratio(c.parts(x, part, every)) }
	out := Interval{Share: share(m.mean)}
	var backgroundSE Share
	if known, any := m.knowsBackground(); known {
		backgroundSE = Defined(0)
		if any {
			backgroundSE = Defined(m.background(func(x []float64) float64 { return share(x).Or(0) }))
		}
	}
	if value, ok := out.Share.Value(); ok {
		if low, half, ok := m.bound(part, c, lower, opt); ok {
			out.Low = Defined(min(value, max(0, low-half)))
		}
		if high, half, ok := m.bound(part, c, upper, opt); ok {
			out.High = Defined(max(value, min(1, high+half)))
		}
	}
	return out, backgroundSE
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

// bound returns the share over the counted cells and half the width of its
// interval. Where the counted cells are nothing, any share is possible.
func (m *moments) bound(part []bool, c cells, counted func(int) bool, opt Options) (value, half float64, ok bool) {
	in, whole := c.parts(m.mean, part, counted)
	if whole == 0 {
		return 0, 1, len(m.replicates) >= 2
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
