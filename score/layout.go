package score

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/game"
)

// A Layout fixes what an accumulator holds; accumulators merge only when their
// layouts are equal.
//
// The numbers of a sample are called cells. Without Cells they are the paper's
// matrix phi, in which the [Convention] says how often a pair is counted; with
// Cells they are the values of any coalitions, each counted once.
type Layout struct {
	// Modalities is m, the side of the matrices phi.
	Modalities int
	// Cells lists the coalitions that have a value, of one modality or more, as
	// index.Formula.Coalitions has them: by size, and those of one size by their
	// bits. Nil is the matrix.
	Cells []game.Coalition
	// Targets is the number of explained numbers a sample has.
	Targets int
	// Partitions holds the number of groups in each partition of the samples, such as
	// the predicted classes, or the values of a column. Every sample is in one group of
	// each. Totals are taken over the first, which always exists: {1} where nothing is
	// told apart.
	Partitions []int
	// Present holds, for each partition, the modalities that the samples of each group
	// have. Nil, or nil for a partition, is all of them. A sample has what all its groups
	// have. Cells of what a sample lacks are taken as 0, and a mean over groups of such a
	// partition is, cell by cell, over the samples of the groups that have all of the
	// cell's modalities.
	Present [][]game.Coalition
	// Weighted says that samples have a weight, by which every mean is taken.
	Weighted bool
	// Clustered says that bootstrap weights are those of clusters of samples, so that
	// fewer are independent. Without it clusters are found out where they are large:
	// ids may repeat.
	Clustered bool
	// Blocks holds the number of background rows in each of at least two blocks;
	// empty where there is nothing to tell the background's error from.
	Blocks []int
	// BackgroundUnknown is set when the background is random and has no blocks.
	// Without it, no blocks means no error: absent modalities have fixed values.
	BackgroundUnknown bool
	// Draws is the number of draws of coalitions, at least two, of which each gives
	// an estimate of the cells; 0 where all coalitions were evaluated, so that cells
	// are exact. At most [MaxDraws].
	Draws int
	// Convention is how the matrix is counted. Cells take none.
	Convention Convention
}

// The sources of error that the jackknife tells, each by its blocks: blocks of
// background rows, and draws of coalitions, which are blocks of size one.
const (
	background = iota
	coalitions
	sources
)

// MaxDraws bounds the draws of a layout, of which each has sums of its own.
const MaxDraws = 1 << 12

// Groups returns the number of groups in all partitions.
func (l Layout) Groups() int {
	n := 0
	for _, groups := range l.Partitions {
		n += groups
	}
	return n
}

// present returns what the samples of a partition's groups have, nil for everything.
func (l Layout) present(partition int) []game.Coalition {
	if l.Present == nil {
		return nil
	}
	return l.Present[partition]
}

// blocks returns the sizes of a source's blocks.
func (l Layout) blocks(source int) []int {
	if source == background {
		return l.Blocks
	}
	return slices.Repeat([]int{1}, l.Draws)
}

// Coalitions returns the coalition of each cell, in the order of positions. In
// the matrix a cell of the diagonal is a modality, and both cells of a pair are one
// position: the upper triangle, row by row, {0}, {0,1}, {0,2}, ..., {1}, {1,2}, ...
func (l Layout) Coalitions() []game.Coalition {
	if l.Cells != nil {
		return l.Cells
	}
	out := make([]game.Coalition, 0, packedLen(l.Modalities))
	for i := range l.Modalities {
		for j := i; j < l.Modalities; j++ {
			out = append(out, game.Coalition(0).With(i).With(j))
		}
	}
	return out
}

// At returns the position of the cell of modalities i and j, of a single one where
// they are equal. It panics where there is none.
func (l Layout) At(i, j int) int {
	i, j = min(i, j), max(i, j)
	if i < 0 || j >= l.Modalities {
		panic("score: no such modality")
	}
	if l.Cells == nil {
		return i*l.Modalities - i*(i-1)/2 + j - i
	}
	at := slices.Index(l.Cells, game.Coalition(0).With(i).With(j))
	if at < 0 {
		panic("score: the layout has no such cell")
	}
	return at
}

// SectionBytes returns the memory that an accumulator takes for each target and each
// group with samples in it, of all partitions, nearly all of it for the bootstrap: 4 KiB
// a cell.
func (l Layout) SectionBytes() int64 {
	s := newShape(l)
	return 8 * s.numbers()
}

// Equal reports whether accumulators of both layouts merge.
func (l Layout) Equal(o Layout) bool {
	sameGroups := func(a, b []game.Coalition) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }
	return slices.Equal(l.Blocks, o.Blocks) && l.BackgroundUnknown == o.BackgroundUnknown && l.Draws == o.Draws &&
		l.Modalities == o.Modalities && l.Targets == o.Targets && slices.Equal(l.Partitions, o.Partitions) && l.Convention == o.Convention &&
		slices.EqualFunc(l.Present, o.Present, sameGroups) && l.Weighted == o.Weighted && l.Clustered == o.Clustered && sameGroups(l.Cells, o.Cells)
}

// check returns what is wrong with the layout.
func (l Layout) check() error {
	if n := len(l.Blocks); n == 1 || n > 0 && l.BackgroundUnknown {
		return errors.New("score: want no blocks or at least two, and none where the error is unknown")
	}
	if len(l.Blocks) > 0 && slices.Min(l.Blocks) < 1 {
		return errors.New("score: want a row or more in every block")
	}
	if l.Draws < 0 || l.Draws == 1 || l.Draws > MaxDraws {
		return fmt.Errorf("score: want no draws, or 2 to %d", MaxDraws)
	}
	if l.Modalities < 0 || l.Modalities > maxModalities {
		return fmt.Errorf("score: want at most the %d modalities that a coalition holds", maxModalities)
	}
	if l.Cells != nil && len(l.Cells) == 0 {
		return errors.New("score: want cells, or nil for the matrix")
	}
	last := game.Coalition(0)
	for _, s := range l.Cells {
		if s>>l.Modalities != 0 || s.Size() < last.Size() || s.Size() == last.Size() && s <= last {
			return fmt.Errorf("score: cell %s is not of the %d modalities, or not in order behind %s", s, l.Modalities, last)
		}
		last = s
	}
	return l.checkGroups()
}

// maxModalities is what a coalition holds.
const maxModalities = 64

func (l Layout) checkGroups() error {
	if l.Targets < 1 {
		return errors.New("score: want a target or more")
	}
	if len(l.Partitions) == 0 || slices.Min(l.Partitions) < 1 {
		return errors.New("score: want a partition or more, each of one group or more")
	}
	sections := 0
	for _, groups := range l.Partitions {
		if groups > math.MaxInt32-sections {
			return errors.New("score: too many groups")
		}
		sections += groups
	}
	if l.Targets > math.MaxInt32/sections {
		return errors.New("score: too many targets and groups")
	}
	if l.Present == nil {
		return nil
	}
	if len(l.Present) != len(l.Partitions) {
		return fmt.Errorf("score: want what each of %d partitions has, got it for %d", len(l.Partitions), len(l.Present))
	}
	for k, groups := range l.Present {
		if groups != nil && len(groups) != l.Partitions[k] {
			return fmt.Errorf("score: want what each of %d groups has, got it for %d", l.Partitions[k], len(groups))
		}
		for _, has := range groups {
			if has>>l.Modalities != 0 {
				return fmt.Errorf("score: a group has %s, which is not of the %d modalities", has, l.Modalities)
			}
		}
	}
	return nil
}

// A shape is what is worked out of a layout: the order of each cell, which is the
// number of its modalities, and how often cells of an order are counted.
type shape struct {
	matrix     bool
	modalities int
	order      []int
	// orders is the largest order; weight and count have an entry for each, from 0.
	orders int
	weight []float64
	count  []int
	// blocks is the number of blocks of all sources.
	blocks    int
	clustered bool
}

func newShape(l Layout) shape {
	s := shape{matrix: l.Cells == nil, modalities: l.Modalities, blocks: len(l.Blocks) + l.Draws, clustered: l.Clustered}
	if s.matrix {
		s.order = make([]int, 0, packedLen(l.Modalities))
		for i := range l.Modalities {
			for j := i; j < l.Modalities; j++ {
				s.order = append(s.order, min(2, j-i+1))
			}
		}
	} else {
		s.order = make([]int, len(l.Cells))
		for at, c := range l.Cells {
			s.order[at] = c.Size()
		}
	}
	if len(s.order) > 0 {
		s.orders = slices.Max(s.order)
	}
	s.weight, s.count = slices.Repeat([]float64{1}, s.orders+1), make([]int, s.orders+1)
	for _, order := range s.order {
		s.count[order]++
	}
	if s.matrix && s.orders == 2 {
		s.weight[2] = l.Convention.pairCells()
	}
	return s
}

// cells is the number of cells, and length that of the numbers a sample gives.
func (s *shape) cells() int { return len(s.order) }

func (s *shape) length() int {
	if s.matrix {
		return s.modalities * s.modalities
	}
	return s.cells()
}

// packTo writes the cells of a sample's numbers into dst.
func (s *shape) packTo(dst, numbers []float64) {
	if s.matrix {
		packTo(dst, numbers, s.modalities)
		return
	}
	copy(dst, numbers)
}

// unpack is the inverse of packTo.
func (s *shape) unpack(cells []float64) []float64 {
	if s.matrix {
		return unpack(cells, s.modalities)
	}
	return cells
}

// share returns the share of interactions, the cells of two modalities and more, in
// a vector of sizes. It writes the sum of each order as it is counted into byOrder,
// and returns that of all orders.
func (s *shape) share(byOrder, sizes []float64) (interactions Share, whole float64) {
	clear(byOrder)
	for at, v := range sizes {
		byOrder[s.order[at]] += v
	}
	sum := 0.0
	for order, weight := range s.weight {
		if byOrder[order] *= weight; order > 1 {
			sum += byOrder[order]
		}
	}
	if s.orders > 0 {
		whole = byOrder[1] + sum
	}
	return ratio(sum, whole), whole
}
