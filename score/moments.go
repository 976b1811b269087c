package score

import "math"

// moments holds the mean of each cell and its spread over all sources of error, for
// signed cells or for absolute ones.
type moments struct {
	layout   Layout
	shape    *shape
	absolute bool
	// clusters is the number of independent samples.
	clusters float64
	mean     []float64
	// leftOut[source][k] is the mean without block k of a source.
	leftOut [sources][][]float64
	// replicates[r] is the mean of bootstrap replicate r; there are none where
	// the samples' error cannot be told.
	replicates [][]float64
}

func newMoments(l Layout, s section, absolute bool) *moments {
	n, p := s.sums[atCount], s.cells()
	m := &moments{layout: l, shape: s.shape, absolute: absolute, clusters: s.clusters()}
	sums := s.phi()
	if absolute {
		sums = s.absolute()
	}
	m.mean = scaled(sums, 1/n)
	k := 0
	for source := range sources {
		sizes := l.blocks(source)
		for b := range sizes {
			left := make([]float64, p)
			if absolute {
				left = scaled(s.leftOut(k), 1/n)
			} else {
				leaveOutTo(left, m.mean, scaled(s.blockPhi(k), 1/n), sizes, b)
			}
			m.leftOut[source] = append(m.leftOut[source], left)
			k++
		}
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

// known reports whether a source adds an error, and one that can be told.
func (m *moments) known(source int) bool {
	return source == background && !m.layout.BackgroundUnknown || len(m.leftOut[source]) > 0
}

// A spread is what becomes of a number made from cells when a block is left out, by
// source, and when the samples are drawn again.
type spread struct {
	leftOut    [sources][]float64
	replicates []float64
}

// spread returns that of the number f of the cells.
func (m *moments) spread(f func(cells []float64) float64) spread {
	out := spread{replicates: each(m.replicates, f)}
	for source, vectors := range m.leftOut {
		out.leftOut[source] = each(vectors, f)
	}
	return out
}

func each(vectors [][]float64, f func([]float64) float64) []float64 {
	out := make([]float64, len(vectors))
	for i, v := range vectors {
		out[i] = f(v)
	}
	return out
}

// cell returns the spread of one cell.
func (m *moments) cell(at int) spread {
	return m.spread(func(cells []float64) float64 { return cells[at] })
}

// jackknife returns the standard error from one source, 0 without blocks.
func (s spread) jackknife(source int) float64 {
	left := s.leftOut[source]
	if len(left) == 0 {
		return 0
	}
	return math.Sqrt(float64(len(left)-1)) * deviation(left)
}

// bias returns the sum of the jackknifes' estimates of the bias of a number, given
// its value.
func (s spread) bias(value float64) float64 {
	bias := 0.0
	for source := range s.leftOut {
		bias += s.biasOf(source, value)
	}
	return bias
}

// biasOf returns the jackknife's estimate from one source, 0 without blocks.
func (s spread) biasOf(source int, value float64) float64 {
	k, mean := float64(len(s.leftOut[source])), 0.0
	if k == 0 {
		return 0
	}
	for _, v := range s.leftOut[source] {
		mean += v / k
	}
	return (k - 1) * (mean - value)
}

// sampling returns the bootstrap standard error over the samples of a linear
// function of the cells. The factor mends the bootstrap's variance, which is short
// by (n−1)/n.
func (m *moments) sampling(s spread) float64 {
	return math.Sqrt(m.clusters/(m.clusters-1)) * deviation(s.replicates)
}

// deviation returns the root of the mean squared deviation of values from their
// mean. It is taken in units of the largest, whose square may leave the range of
// float64.
func deviation(values []float64) float64 {
	n, mean, largest := float64(len(values)), 0.0, 0.0
	for _, v := range values {
		mean += v / n
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

// baseSE returns the background's standard error of v({}). All cells of the matrix
// sum to v(all) − v({}), and v(all) has no such error; other cells need not add up.
func (m *moments) baseSE() Share {
	if !m.known(background) || !m.shape.matrix {
		return Share{}
	}
	return Defined(m.spread(func(cells []float64) float64 {
		sum := 0.0
		for at, v := range cells {
			if sum += v; m.shape.order[at] == 2 {
				sum += v
			}
		}
		return sum
	}).jackknife(background))
}

// standardError combines the standard errors of all sources: they add in squares,
//
//	se² = Σ se_i²      1/df = Σ (se_i/se)⁴/df_i      (Welch, 1947; Satterthwaite, 1946)
//
// where df_i is the number of blocks, or of independent samples, less one. It
// reports false where the samples' error cannot be told; one that is unknown is
// left out.
func (m *moments) standardError(s spread) (se, df float64, ok bool) {
	if len(m.replicates) < 2 {
		return 0, 0, false
	}
	samples := m.sampling(s)
	var by [sources]float64
	se = samples
	for source := range by {
		by[source] = s.jackknife(source)
		se = math.Hypot(by[source], se)
	}
	if se == 0 {
		return 0, m.clusters - 1, true
	}
	// In fractions of the sum, whose powers stay in range.
	inverse := math.Pow(samples/se, 4) / (m.clusters - 1)
	for source, b := range by {
		if b > 0 {
			inverse += math.Pow(b/se, 4) / float64(len(s.leftOut[source])-1)
		}
	}
	return se, 1 / inverse, true
}

func margin(se, df, level float64, opt Options) float64 {
	if se == 0 {
		return 0
	}
	return se * opt.Quantile((1+level)/2, df)
}
