package score

import "math"

// moments holds the mean of each cell and its spread over all sources of error, for
// signed cells or for absolute ones.
type moments struct {
	layout   Layout
	shape    *shape
	absolute bool
	// clusters is the number of independent samples, and clustersOf that of each cell
	// where samples may lack modalities; nil where it is the same for all.
	clusters   float64
	clustersOf []float64
	// tallies are those of the cells, nil likewise.
	tallies []tally
	weight  float64
	mean    []float64
	// leftOut[source][k] is the mean without block k of a source.
	leftOut [sources][][]float64
	// replicates are the means of bootstrap replicates, and drawn their numbers: those
	// that drew any sample. There are none where the samples' error cannot be told.
	replicates [][]float64
	drawn      []int
}

func newMoments(l Layout, s *gathered, absolute bool) *moments {
	p := s.shape.cells()
	m := &moments{layout: l, shape: s.shape, absolute: absolute, clusters: s.whole.clusters(), tallies: s.cells, weight: s.whole.weight}
	for _, t := range s.cells {
		m.clustersOf = append(m.clustersOf, t.clusters())
	}
	sums := s.phi()
	if absolute {
		sums = s.absolute()
	}
	m.mean = s.mean(sums)
	k := 0
	for source := range sources {
		sizes := l.blocks(source)
		for b := range sizes {
			left := make([]float64, p)
			if absolute {
				left = s.mean(s.leftOut(k))
			} else {
				leaveOutTo(left, m.mean, s.mean(s.blockPhi(k)), sizes, b)
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
		m.replicates = append(m.replicates, s.replicateMean(r, cells, m.mean))
		m.drawn = append(m.drawn, r)
	}
	return m
}

// exists reports whether any sample has the cell.
func (m *moments) exists(at int) bool { return m.tallies == nil || m.tallies[at].weight > 0 }

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
	// clusters is the number of independent samples behind the number.
	clusters float64
}

// spread returns that of the number f of the cells.
func (m *moments) spread(f func(cells []float64) float64) spread {
	out := spread{replicates: each(m.replicates, f), clusters: m.clusters}
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
	out := m.spread(func(cells []float64) float64 { return cells[at] })
	if m.clustersOf != nil {
		out.clusters = m.clustersOf[at]
	}
	return out
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
func (s spread) sampling() float64 {
	return math.Sqrt(s.clusters/(s.clusters-1)) * deviation(s.replicates)
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
// sum to v(all) − v({}), and v(all) has no such error; other cells need not add up, and
// neither do means of cells over different samples.
func (m *moments) baseSE() Share {
	if !m.known(background) || !m.shape.matrix {
		return Share{}
	}
	for _, t := range m.tallies {
		if t.weight != 0 && t.weight != m.weight {
			return Share{}
		}
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
func (s spread) standardError() (se, df float64, ok bool) {
	if !s.told() {
		return 0, 0, false
	}
	se, df = s.combined(s.sampling(), s.clusters-1)
	return se, df, true
}

// told reports whether the samples' error can be told.
func (s spread) told() bool { return len(s.replicates) > 1 && s.clusters >= 2 }

// combined adds the standard error of the samples and its degrees of freedom to those of
// the blocks.
func (s spread) combined(samples, samplesDF float64) (se, df float64) {
	var by [sources]float64
	se = samples
	for source := range by {
		by[source] = s.jackknife(source)
		se = math.Hypot(by[source], se)
	}
	if se == 0 {
		return 0, samplesDF
	}
	// In fractions of the sum, whose powers stay in range.
	inverse := math.Pow(samples/se, 4) / samplesDF
	for source, b := range by {
		if b > 0 {
			inverse += math.Pow(b/se, 4) / float64(len(s.leftOut[source])-1)
		}
	}
	return se, 1 / inverse
}

func margin(se, df, level float64, opt Options) float64 {
	if se == 0 {
		return 0
	}
	return se * opt.Quantile((1+level)/2, df)
}
