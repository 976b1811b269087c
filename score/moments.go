package score

import "math"

// moments holds the mean of each packed cell and its spread over both sources
// of error, for signed cells or for absolute ones.
type moments struct {
	layout   Layout
	absolute bool
	// clusters is the number of independent samples.
	clusters float64
	mean     []float64
	// leftOut[k] is the mean without background block k.
	leftOut [][]float64
	// replicates[r] is the mean of bootstrap replicate r; there are none where
	// the samples' error cannot be told.
	replicates [][]float64
}

func newMoments(l Layout, s section, absolute bool) *moments {
	n, p := s.sums[atCount], s.packed
	m := &moments{layout: l, absolute: absolute, clusters: s.clusters()}
	sums := s.phi()
	if absolute {
		sums = s.absolute()
	}
	m.mean = scaled(sums, 1/n)
	for k := range l.Blocks {
		left := make([]float64, p)
		if absolute {
			left = scaled(s.leftOut(k), 1/n)
		} else {
			leaveOutTo(left, m.mean, scaled(s.blockPhi(k), 1/n), l.Blocks, k)
		}
		m.leftOut = append(m.leftOut, left)
	}
	if m.clusters < 2 {
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

// clusters returns the number of samples that are drawn independently: all of
// them, unless ids repeat. The size of a replicate then has the variance Σ n_g²
// over groups of n_g samples, and n²/Σ n_g² groups count (Kish, 1965). Chance
// does not bring 256 replicates half as far from n.
func (s section) clusters() float64 {
	n, squares := s.sums[atCount], 0.0
	for r := range Replicates {
		d := s.replicate(r)[0] - n
		squares += d * d / Replicates
	}
	if ratio := squares / n; ratio > 1.5 {
		return n / ratio
	}
	return n
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by
	}
	return out
}

// background returns the jackknife standard error of f over the background
// blocks, 0 without blocks.
func (m *moments) background(f func(cells []float64) float64) float64 {
	if len(m.leftOut) == 0 {
		return 0
	}
	return math.Sqrt(float64(len(m.leftOut)-1)) * deviation(m.leftOut, f)
}

// bias returns the jackknife estimate of the bias of f, 0 without blocks.
func (m *moments) bias(f func(cells []float64) float64) float64 {
	k, mean := float64(len(m.leftOut)), 0.0
	if k == 0 {
		return 0
	}
	for _, left := range m.leftOut {
		mean += f(left) / k
	}
	return (k - 1) * (mean - f(m.mean))
}

// sampling returns the bootstrap standard error of the linear function f over
// the samples. The factor mends the bootstrap's variance, which is short by
// (n−1)/n.
func (m *moments) sampling(f func(cells []float64) float64) float64 {
	return math.Sqrt(m.clusters/(m.clusters-1)) * deviation(m.replicates, f)
}

// deviation returns the root of the mean squared deviation of f from its mean
// over the vectors. It is taken in units of the largest, whose square may leave
// the range of float64.
func deviation(vectors [][]float64, f func([]float64) float64) float64 {
	n, mean, largest := float64(len(vectors)), 0.0, 0.0
	values := make([]float64, len(vectors))
	for i, v := range vectors {
		values[i] = f(v)
		mean += values[i] / n
	}
	for _, v := range values {
		largest = max(largest, math.Abs(v-mean))
	}
	if largest == 0 {
		return 0
	}
	squares := 0.0
	for _, v := range values {
		d := (v - mean) / largest
		squares += d * d / n
	}
	return largest * math.Sqrt(squares)
}

func (m *moments) backgroundSE() []float64 {
	if m.layout.BackgroundUnknown {
		return nil
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
func (m *moments) baseSE() Share {
	if m.layout.BackgroundUnknown {
		return Share{}
	}
	return Defined(m.background(func(cells []float64) float64 {
		sum := 0.0
		m.eachCell(func(at, i, j int) {
			if sum += cells[at]; i != j {
				sum += cells[at]
			}
		})
		return sum
	}))
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

// standardError combines both sources: f for the jackknife, linear for the
// bootstrap. It reports false where the samples' error cannot be told; where
// the background's cannot, the samples' stands alone.
func (m *moments) standardError(f, linear func([]float64) float64) (se, df float64, ok bool) {
	if len(m.replicates) < 2 {
		return 0, 0, false
	}
	b, s := m.background(f), m.sampling(linear)
	if se = math.Hypot(b, s); se == 0 {
		return 0, m.clusters - 1, true
	}
	// Welch and Satterthwaite, in fractions of the sum.
	spread := math.Pow(s/se, 4) / (m.clusters - 1)
	if b > 0 {
		spread += math.Pow(b/se, 4) / float64(len(m.leftOut)-1)
	}
	return se, 1 / spread, true
}

func margin(se, df, level float64, opt Options) float64 {
	if se == 0 {
		return 0
	}
	return se * opt.Quantile((1+level)/2, df)
}
