package score

import (
	"fmt"
	"math"
)

// A Sample is what an accumulator is told about one sample and target.
type Sample struct {
	// Group is the group that the sample belongs to.
	Group int
	// Base is v({}) and Output is v(all).
	Base, Output float64
	// Phi is the m×m matrix over all background rows, or the vector of
	// Layout.Cells.
	Phi []float64
	// BlockPhi holds, for each background block, the same over the rows of that
	// block alone, one after the other.
	BlockPhi []float64
	// DrawPhi holds, for each draw of coalitions, the estimate by that draw alone,
	// one after the other. Phi is their mean.
	DrawPhi []float64
	// Weights are the sample's bootstrap multiplicities, see [WeightsTo].
	Weights []uint8
}

// LocalScore is the InterSHAP of one sample.
type LocalScore struct {
	// InterSHAP is the plain score.
	InterSHAP Share
	// SE is its standard error from the background and from the draws of
	// coalitions, by the jackknife over the blocks of either; 0 where neither adds
	// any, undefined where the background's is unknown.
	SE Share
	// Corrected is InterSHAP less the jackknife's estimates of its bias, or
	// InterSHAP where they are undefined. It may leave [0, 1] for a single sample;
	// its mean over samples hardly does.
	Corrected Share
}

// An Accumulator holds sums over samples for each target and group. Its zero
// value is unusable; see [NewAccumulator]. It is not safe for concurrent use.
type Accumulator struct {
	layout Layout
	shape  shape
	// sections[target*Groups+group] is nil until a sample arrives: with many
	// classes most stay empty in any one tile.
	sections [][]float64
	// Memory of Add: vectors of cells, sums by order, local scores without one
	// block, and the sizes of each source's blocks.
	phi, abs, block, rest []float64
	byOrder, leftOut      []float64
	blocks                [sources][]int
}

// Positions inside a section. Behind them comes the sum of the local shares of each
// order, and then the vectors that section's methods name, of one number a cell.
const (
	atCount = iota
	atBase
	atOutput
	atLocalCount
	atLocalSum
	atLocalSquares
	atCorrectedCount
	atCorrectedSum
	sectionHead
)

// section is a view of the sums of one target and group.
type section struct {
	sums []float64
	*shape
}

func (s *shape) sectionLen() int {
	p := s.cells()
	return sectionHead + s.orders + 2*p + 2*p*s.blocks + Replicates*(1+2*p)
}

func (s section) vector(i int) []float64 {
	at := sectionHead + s.orders + i*s.cells()
	return s.sums[at : at+s.cells()]
}

// local holds Σ of the local share of each order, from order one. phi holds Σ phi,
// absolute Σ |phi|, blockPhi Σ phi of one block alone, and leftOut Σ |phi without
// one block|. Blocks are numbered through all sources.
func (s section) local() []float64         { return s.sums[sectionHead : sectionHead+s.orders] }
func (s section) phi() []float64           { return s.vector(0) }
func (s section) absolute() []float64      { return s.vector(1) }
func (s section) blockPhi(k int) []float64 { return s.vector(2 + k) }
func (s section) leftOut(k int) []float64  { return s.vector(2 + s.blocks + k) }

// replicate returns Σ w, followed by Σ w·phi and Σ w·|phi| of replicate r.
func (s section) replicate(r int) []float64 {
	p := s.cells()
	width := 1 + 2*p
	at := sectionHead + s.orders + (2+2*s.blocks)*p + r*width
	return s.sums[at : at+width]
}

// NewAccumulator returns an empty accumulator. It panics on a single block or draw,
// on blocks of an unknown error, and on cells that are not in order.
func NewAccumulator(layout Layout) *Accumulator {
	layout.check()
	shape := newShape(layout)
	p := shape.cells()
	scratch := make([]float64, 4*p)
	a := &Accumulator{
		layout:   layout,
		shape:    shape,
		sections: make([][]float64, layout.Targets*layout.Groups),
		phi:      scratch[:p],
		abs:      scratch[p : 2*p],
		block:    scratch[2*p : 3*p],
		rest:     scratch[3*p:],
		byOrder:  make([]float64, shape.orders+1),
		leftOut:  make([]float64, 0, shape.blocks),
	}
	for source := range a.blocks {
		a.blocks[source] = layout.blocks(source)
	}
	return a
}

func (a *Accumulator) section(target, group int) section {
	at := target*a.layout.Groups + group
	if a.sections[at] == nil {
		a.sections[at] = make([]float64, a.shape.sectionLen())
	}
	return section{a.sections[at], &a.shape}
}

// Add adds one sample to a target and returns its local score. It allocates nothing
// but the sums of a target and group that it meets for the first time. It panics
// when lengths do not follow the layout.
func (a *Accumulator) Add(target int, x Sample) LocalScore {
	n, p := a.shape.length(), a.shape.cells()
	if len(x.Phi) != n || len(x.BlockPhi) != len(a.layout.Blocks)*n || len(x.DrawPhi) != a.layout.Draws*n || len(x.Weights) != Replicates ||
		x.Group < 0 || x.Group >= a.layout.Groups || target < 0 || target >= a.layout.Targets {
		panic("score: sample does not fit the layout")
	}
	s := a.section(target, x.Group)
	phi, abs := a.phi, a.abs
	a.shape.packTo(phi, x.Phi)
	absoluteTo(abs, phi)
	s.sums[atCount]++
	s.sums[atBase] += x.Base
	s.sums[atOutput] += x.Output
	addTo(s.phi(), phi)
	addTo(s.absolute(), abs)
	for r, w := range x.Weights {
		if w == 0 {
			continue
		}
		rep, w := s.replicate(r), float64(w)
		rep[0] += w
		onPhi, onAbs := rep[1:1+p], rep[1+p:]
		for i, v := range phi {
			onPhi[i] += w * v
		}
		for i, v := range abs {
			onAbs[i] += w * v
		}
	}
	plain, whole := a.shape.share(a.byOrder, abs)
	if v, ok := plain.Value(); ok {
		s.sums[atLocalCount]++
		s.sums[atLocalSum] += v
		s.sums[atLocalSquares] += v * v
		for i, sum := range s.local() {
			s.local()[i] = sum + a.byOrder[i+1]/whole
		}
	}
	local := a.local(s, x, plain)
	if v, ok := local.Corrected.Value(); ok {
		s.sums[atCorrectedCount]++
		s.sums[atCorrectedSum] += v
	}
	return local
}

// local adds the sums by block and returns the local score. The jackknifes over the
// blocks of both sources each give a variance and a bias, which add up.
func (a *Accumulator) local(s section, x Sample, plain Share) LocalScore {
	out := LocalScore{InterSHAP: plain}
	value, defined := plain.Value()
	se, corrected, known := 0.0, value, true
	k := 0
	for source, numbers := range [sources][]float64{background: x.BlockPhi, coalitions: x.DrawPhi} {
		sizes, n := a.blocks[source], a.shape.length()
		shares := a.leftOut[:0]
		for b := range sizes {
			a.shape.packTo(a.block, numbers[b*n:(b+1)*n])
			addTo(s.blockPhi(k), a.block)
			leaveOutTo(a.rest, a.phi, a.block, sizes, b)
			absoluteTo(a.rest, a.rest)
			addTo(s.leftOut(k), a.rest)
			share, _ := a.shape.share(a.byOrder, a.rest)
			if v, ok := share.Value(); ok {
				shares = append(shares, v)
			}
			k++
		}
		switch {
		case len(sizes) == 0:
		case defined && len(shares) == len(sizes):
			e, c := jackknife(value, shares)
			se, corrected = math.Hypot(se, e), corrected-value+c
		default: // a score that is undefined without one of the blocks has no error to tell
			known = false
		}
	}
	// Without blocks there is no error; where it is unknown, draws tell a part of it.
	if defined && !a.layout.BackgroundUnknown {
		out.Corrected = Defined(corrected)
		if known {
			out.SE = Defined(se)
		}
	}
	return out
}

// jackknife returns the standard error and the bias-corrected estimate
// (Quenouille, 1956; Tukey, 1958) of a value, given the values with each block
// left out.
func jackknife(value float64, leftOut []float64) (se, corrected float64) {
	n, mean, squares := float64(len(leftOut)), 0.0, 0.0
	for _, v := range leftOut {
		mean += v / n
	}
	for _, v := range leftOut {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt((n - 1) / n * squares), n*value - (n-1)*mean
}

// leaveOutTo writes the mean over all background rows but those of block k into
// dst, given the mean over all rows and over block k.
func leaveOutTo(dst, all, block []float64, sizes []int, k int) {
	total := 0
	for _, n := range sizes {
		total += n
	}
	n, rest := float64(sizes[k]), float64(total-sizes[k])
	for i := range dst {
		dst[i] = (all[i]*float64(total) - block[i]*n) / rest
	}
}

func addTo(dst, x []float64) {
	for i, v := range x {
		dst[i] += v
	}
}

// merge adds b to a and leaves b empty.
func (a *Accumulator) merge(b *Accumulator) error {
	if !a.layout.equal(b.layout) {
		return fmt.Errorf("score: accumulators of different layouts: %+v and %+v", a.layout, b.layout)
	}
	for i, theirs := range b.sections {
		switch ours := a.sections[i]; {
		case theirs == nil:
		case ours == nil:
			a.sections[i] = theirs
		default:
			addTo(ours, theirs)
		}
		b.sections[i] = nil
	}
	return nil
}
