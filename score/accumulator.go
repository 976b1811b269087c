package score

import (
	"fmt"
	"math"
	"slices"
)

// A Layout fixes what an accumulator holds; accumulators merge only when their
// layouts are equal.
type Layout struct {
	// Modalities is m, the side of the matrices phi.
	Modalities int
	// Targets is the number of explained numbers a sample has.
	Targets int
	// Groups is the number of groups of samples (predicted classes), at least 1.
	Groups int
	// Blocks holds the number of background rows in each of at least two blocks;
	// empty where there is nothing to tell the background's error from.
	Blocks []int
	// BackgroundUnknown is set when the background is random and has no blocks.
	// Without it, no blocks means no error: absent modalities have fixed values.
	BackgroundUnknown bool
	// Convention is used for the local scores.
	Convention Convention
}

func (l Layout) packed() int { return packedLen(l.Modalities) }

// A Sample is what an accumulator is told about one sample and target.
type Sample struct {
	// Group is the group that the sample belongs to.
	Group int
	// Base is v({}) and Output is v(all).
	Base, Output float64
	// Phi is the m×m matrix over all background rows.
	Phi []float64
	// BlockPhi holds, for each background block, the matrix over the rows of
	// that block alone, one after the other.
	BlockPhi []float64
	// Weights are the sample's bootstrap multiplicities, see [WeightsTo].
	Weights []uint8
}

// LocalScore is the InterSHAP of one sample.
type LocalScore struct {
	// InterSHAP is the plain score.
	InterSHAP Share
	// SE is its standard error from the background, by the jackknife over
	// blocks; 0 where the background adds none, undefined where it is unknown.
	SE Share
	// Corrected is InterSHAP less the jackknife's estimate of its bias, or
	// InterSHAP where that is undefined. It may leave [0, 1] for a single sample;
	// its mean over samples hardly does.
	Corrected Share
}

// An Accumulator holds sums over samples for each target and group. Its zero
// value is unusable; see [NewAccumulator]. It is not safe for concurrent use.
type Accumulator struct {
	layout Layout
	// sections[target*Groups+group] is nil until a sample arrives: with many
	// classes most stay empty in any one tile.
	sections [][]float64
	scratch  []float64
	leftOut  []float64 // local scores without one block
}

// Positions inside a section. Behind them come the vectors that section's
// methods name, each of packed length.
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
	sums   []float64
	packed int
	blocks int
}

func (l Layout) sectionLen() int {
	p := l.packed()
	return sectionHead + 2*p + 2*p*len(l.Blocks) + Replicates*(1+2*p)
}

func (s section) vector(i int) []float64 {
	return s.sums[sectionHead+i*s.packed : sectionHead+(i+1)*s.packed]
}

// phi holds Σ phi, absolute Σ |phi|, blockPhi Σ phi of one block alone, and
// leftOut Σ |phi without one block|.
func (s section) phi() []float64           { return s.vector(0) }
func (s section) absolute() []float64      { return s.vector(1) }
func (s section) blockPhi(k int) []float64 { return s.vector(2 + k) }
func (s section) leftOut(k int) []float64  { return s.vector(2 + s.blocks + k) }

// replicate returns Σ w, followed by Σ w·phi and Σ w·|phi| of replicate r.
func (s section) replicate(r int) []float64 {
	width := 1 + 2*s.packed
	at := sectionHead + (2+2*s.blocks)*s.packed + r*width
	return s.sums[at : at+width]
}

// NewAccumulator returns an empty accumulator. It panics on a single block, or
// on blocks of an unknown error.
func NewAccumulator(layout Layout) *Accumulator {
	if n := len(layout.Blocks); n == 1 || n > 0 && layout.BackgroundUnknown {
		panic("score: want no blocks or at least two, and none where the error is unknown")
	}
	p := layout.packed()
	return &Accumulator{
		layout:   layout,
		sections: make([][]float64, layout.Targets*layout.Groups),
		scratch:  make([]float64, 4*p),
		leftOut:  make([]float64, 0, len(layout.Blocks)),
	}
}

// SectionBytes returns the memory that an accumulator takes for each target and
// group with samples in it.
func (l Layout) SectionBytes() int64 { return 8 * int64(l.sectionLen()) }

func (a *Accumulator) section(target, group int) section {
	at := target*a.layout.Groups + group
	if a.sections[at] == nil {
		a.sections[at] = make([]float64, a.layout.sectionLen())
	}
	return section{a.sections[at], a.layout.packed(), len(a.layout.Blocks)}
}

// Add adds one sample to a target and returns its local score. It panics when
// lengths do not follow the layout.
func (a *Accumulator) Add(target int, x Sample) LocalScore {
	m, p := a.layout.Modalities, a.layout.packed()
	if len(x.Phi) != m*m || len(x.BlockPhi) != len(a.layout.Blocks)*m*m || len(x.Weights) != Replicates ||
		x.Group < 0 || x.Group >= a.layout.Groups || target < 0 || target >= a.layout.Targets {
		panic("score: sample does not fit the layout")
	}
	s := a.section(target, x.Group)
	phi, abs := a.scratch[:p], a.scratch[p:2*p]
	packTo(phi, x.Phi, m)
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
	local := a.local(s, x, phi, packedShare(abs, m, a.layout.Convention))
	if v, ok := local.InterSHAP.Value(); ok {
		s.sums[atLocalCount]++
		s.sums[atLocalSum] += v
		s.sums[atLocalSquares] += v * v
	}
	if v, ok := local.Corrected.Value(); ok {
		s.sums[atCorrectedCount]++
		s.sums[atCorrectedSum] += v
	}
	return local
}

// local adds the sums by background block and returns the local score, with the
// jackknife over blocks.
func (a *Accumulator) local(s section, x Sample, phi []float64, plain Share) LocalScore {
	out := LocalScore{InterSHAP: plain}
	value, ok := plain.Value()
	if ok && !a.layout.BackgroundUnknown {
		// What the jackknife may refine: without blocks there is no error.
		out.Corrected = plain
		if len(a.layout.Blocks) == 0 {
			out.SE = Defined(0)
		}
	}
	m, p := a.layout.Modalities, a.layout.packed()
	block, rest := a.scratch[2*p:3*p], a.scratch[3*p:]
	shares := a.leftOut[:0]
	for k := range a.layout.Blocks {
		packTo(block, x.BlockPhi[k*m*m:(k+1)*m*m], m)
		addTo(s.blockPhi(k), block)
		leaveOutTo(rest, phi, block, a.layout.Blocks, k)
		absoluteTo(rest, rest)
		addTo(s.leftOut(k), rest)
		if v, ok := packedShare(rest, m, a.layout.Convention).Value(); ok {
			shares = append(shares, v)
		}
	}
	// A score that is undefined without one of the blocks has no error to tell.
	if ok && len(shares) > 0 && len(shares) == len(a.layout.Blocks) {
		out.SE, out.Corrected = jackknife(value, shares)
	}
	return out
}

// jackknife returns the standard error and the bias-corrected estimate
// (Quenouille, 1956; Tukey, 1958) of a value, given the values with each block
// left out.
func jackknife(value float64, leftOut []float64) (se, corrected Share) {
	n, mean, squares := float64(len(leftOut)), 0.0, 0.0
	for _, v := range leftOut {
		mean += v / n
	}
	for _, v := range leftOut {
		squares += (v - mean) * (v - mean)
	}
	return Defined(math.Sqrt((n - 1) / n * squares)), Defined(n*value - (n-1)*mean)
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

func (l Layout) equal(o Layout) bool {
	return slices.Equal(l.Blocks, o.Blocks) && l.BackgroundUnknown == o.BackgroundUnknown &&
		l.Modalities == o.Modalities && l.Targets == o.Targets && l.Groups == o.Groups && l.Convention == o.Convention
}
