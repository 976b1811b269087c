package score

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/game"
)

// A Sample is what an accumulator is told about one sample and target.
type Sample struct {
	// Groups is the sample's group in each partition; nil is the first of each.
	Groups []int
	// Weight is how much the sample counts in means, where the layout is weighted: any
	// [ValidWeight]. One of weight 0 is not there at all. Otherwise it is ignored.
	Weight float64
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

// Weights other than 0 lie between these bounds: beyond them sums of their squares would
// leave the range of float64.
const MinWeight, MaxWeight = 1e-60, 1e60

// ValidWeight reports whether w is 0 or lies between MinWeight and MaxWeight.
func ValidWeight(w float64) bool { return w == 0 || w >= MinWeight && w <= MaxWeight }

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

// An Accumulator holds sums over samples for each target and each group of every
// partition. Its zero value is unusable; see [NewAccumulator]. It is not safe for
// concurrent use.
type Accumulator struct {
	layout Layout
	shape  shape
	// groups is the number of groups of all partitions, and first[k] where those of
	// partition k start. sections[target*groups+first[k]+group] is nil until a sample
	// arrives: with many classes most stay empty in any one tile.
	groups   int
	first    []int
	sections [][]float64
	// cells are the coalitions of the cells where samples may lack modalities.
	cells []game.Coalition
	// Memory of Add: vectors of cells, sums by order, local scores without one
	// block, and the sizes of each source's blocks.
	phi, abs, block, rest []float64
	byOrder, leftOut      []float64
	blocks                [sources][]int
	at                    []int // sections of a sample
}

// Positions inside a section. Behind them comes the sum of the local shares of each
// order, and then the vectors that section's methods name, of one number a cell.
const (
	// atCount counts samples; atWeight is Σ w, atWeightSquares Σ w².
	atCount = iota
	atWeight
	atWeightSquares
	atBase
	atOutput
	// The same of the samples whose local score is defined, and of those whose score is
	// corrected.
	atLocalCount
	atLocalWeight
	atLocalWeightSquares
	atLocalSum
	atLocalSquares
	atCorrectedWeight
	atCorrectedSum
	sectionHead
)

// section is a view of the sums of one target and group.
type section struct {
	sums []float64
	*shape
}

// numbers is the length of a section.
func (s *shape) numbers() int64 {
	p := int64(s.cells())
	return sectionHead + int64(s.orders) + 2*p + 2*p*int64(s.blocks) + Replicates*(1+2*p)
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
// on blocks of an unknown error, on cells that are not in order, and where there is no
// target, partition or group, or what groups have does not fit them.
func NewAccumulator(layout Layout) *Accumulator {
	if err := layout.check(); err != nil {
		panic(err.Error())
	}
	return newTemplate(layout).fresh()
}

// newTemplate returns all of an accumulator but its sections, which may be many.
func newTemplate(layout Layout) *Accumulator {
	shape := newShape(layout)
	p := shape.cells()
	scratch := make([]float64, 4*p)
	groups := layout.Groups()
	a := &Accumulator{
		layout:  layout,
		shape:   shape,
		groups:  groups,
		at:      make([]int, len(layout.Partitions)),
		phi:     scratch[:p],
		abs:     scratch[p : 2*p],
		block:   scratch[2*p : 3*p],
		rest:    scratch[3*p:],
		byOrder: make([]float64, shape.orders+1),
		leftOut: make([]float64, 0, shape.blocks),
	}
	for source := range a.blocks {
		a.blocks[source] = layout.blocks(source)
	}
	first := 0
	for _, n := range layout.Partitions {
		a.first = append(a.first, first)
		first += n
	}
	if layout.Present != nil {
		a.cells = layout.Coalitions()
	}
	return a
}

// fresh returns an empty accumulator like a, which shares what is worked out of the
// layout, and the memory of Add: no two may be added to at a time.
func (a *Accumulator) fresh() *Accumulator {
	b := *a
	b.sections = make([][]float64, b.layout.Targets*b.groups)
	return &b
}

// Layout returns the layout.
func (a *Accumulator) Layout() Layout { return a.layout }

// Samples returns the number of samples that were added to a target, less those of
// weight 0.
func (a *Accumulator) Samples(target int) int {
	n := 0.0
	for g := range a.layout.Partitions[0] {
		if sums := a.sections[target*a.groups+g]; sums != nil {
			n += sums[atCount]
		}
	}
	return int(n)
}

// sectionsOf finds the sections of a sample, one of each partition, and what modalities
// it has.
func (a *Accumulator) sectionsOf(target int, groups []int) (at []int, has game.Coalition) {
	if groups != nil && len(groups) != len(a.first) || target < 0 || target >= a.layout.Targets {
		panic("score: sample does not fit the layout")
	}
	has = ^game.Coalition(0)
	for k, first := range a.first {
		group := 0
		if groups != nil {
			group = groups[k]
		}
		if group < 0 || group >= a.layout.Partitions[k] {
			panic("score: sample does not fit the layout")
		}
		if present := a.layout.present(k); present != nil {
			has &= present[group]
		}
		a.at[k] = target*a.groups + first + group
	}
	return a.at, has
}

// section returns the section at a position, which it makes where it is met for the
// first time.
func (a *Accumulator) section(at int) section {
	if a.sections[at] == nil {
		a.sections[at] = make([]float64, a.shape.numbers())
	}
	return section{a.sections[at], &a.shape}
}

// packTo writes the cells of a sample's numbers into dst, 0 for those of what it lacks.
func (a *Accumulator) packTo(dst, numbers []float64, has game.Coalition) {
	a.shape.packTo(dst, numbers)
	for at, cell := range a.cells {
		if cell&^has != 0 {
			dst[at] = 0
		}
	}
}

// Add adds one sample to a target and returns its local score. It allocates nothing
// but the sums of a target and group that it meets for the first time. It panics
// when lengths, groups or the weight do not follow the layout.
func (a *Accumulator) Add(target int, x Sample) LocalScore {
	n := a.shape.length()
	if len(x.Phi) != n || len(x.BlockPhi) != len(a.layout.Blocks)*n || len(x.DrawPhi) != a.layout.Draws*n || len(x.Weights) != Replicates {
		panic("score: sample does not fit the layout")
	}
	sections, has := a.sectionsOf(target, x.Groups)
	weight := 1.0
	if a.layout.Weighted {
		weight = x.Weight
		if !ValidWeight(weight) {
			panic("score: bad weight")
		}
	}
	if weight == 0 {
		sections = nil
	}
	a.packTo(a.phi, x.Phi, has)
	absoluteTo(a.abs, a.phi)
	plain, whole := a.shape.share(a.byOrder, a.abs)
	for _, at := range sections {
		s := a.section(at)
		s.add(x, weight, a.phi, a.abs)
		if v, ok := plain.Value(); ok {
			s.addLocal(v, weight)
			for i, sum := range s.local() {
				s.local()[i] = sum + weight*(a.byOrder[i+1]/whole)
			}
		}
	}
	local := a.local(sections, x, weight, has, plain)
	if v, ok := local.Corrected.Value(); ok {
		for _, at := range sections {
			sums := a.sections[at]
			sums[atCorrectedWeight] += weight
			sums[atCorrectedSum] += weight * v
		}
	}
	return local
}

// add adds the numbers of a sample and their absolute values.
func (s section) add(x Sample, weight float64, phi, abs []float64) {
	s.sums[atCount]++
	s.sums[atWeight] += weight
	s.sums[atWeightSquares] += weight * weight
	s.sums[atBase] += weight * x.Base
	s.sums[atOutput] += weight * x.Output
	addScaledTo(s.phi(), phi, weight)
	addScaledTo(s.absolute(), abs, weight)
	p := len(phi)
	for r, times := range x.Weights {
		if times == 0 {
			continue
		}
		rep, w := s.replicate(r), float64(times)*weight
		rep[0] += w
		addScaledTo(rep[1:1+p], phi, w)
		addScaledTo(rep[1+p:], abs, w)
	}
}

func (s section) addLocal(v, weight float64) {
	s.sums[atLocalCount]++
	s.sums[atLocalWeight] += weight
	s.sums[atLocalWeightSquares] += weight * weight
	s.sums[atLocalSum] += weight * v
	s.sums[atLocalSquares] += weight * v * v
}

// local adds the sums by block and returns the local score. The jackknifes over the
// blocks of both sources each give a variance and a bias, which add up.
func (a *Accumulator) local(sections []int, x Sample, weight float64, has game.Coalition, plain Share) LocalScore {
	out := LocalScore{InterSHAP: plain}
	value, defined := plain.Value()
	se, corrected, known := 0.0, value, true
	k := 0
	for source, numbers := range [sources][]float64{background: x.BlockPhi, coalitions: x.DrawPhi} {
		sizes, n := a.blocks[source], a.shape.length()
		shares := a.leftOut[:0]
		for b := range sizes {
			a.packTo(a.block, numbers[b*n:(b+1)*n], has)
			leaveOutTo(a.rest, a.phi, a.block, sizes, b)
			absoluteTo(a.rest, a.rest)
			for _, at := range sections {
				s := section{a.sections[at], &a.shape}
				addScaledTo(s.blockPhi(k), a.block, weight)
				addScaledTo(s.leftOut(k), a.rest, weight)
			}
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

func addScaledTo(dst, x []float64, by float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += by * v
	}
}

// same returns an error where the layouts of a and b differ.
func (a *Accumulator) same(b *Accumulator) error {
	if !a.layout.Equal(b.layout) {
		return fmt.Errorf("score: accumulators of different layouts: %+v and %+v", a.layout, b.layout)
	}
	return nil
}

// merge adds b to a and leaves b empty.
func (a *Accumulator) merge(b *Accumulator) error {
	if err := a.same(b); err != nil {
		return err
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
