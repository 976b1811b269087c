package score

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
)

// noise adds n samples of random values to a layout. Cells that zero names are 0 in all
// of them.
func noise(l Layout, n int, zero ...int) *Accumulator {
	a := NewAccumulator(l)
	rng := rand.New(rand.NewPCG(7, 11))
	draw := func(k int) []float64 {
		out := make([]float64, k*len(l.Cells))
		for i := range out {
			if !slices.Contains(zero, i%len(l.Cells)) {
				out[i] = rng.NormFloat64() + float64(i%len(l.Cells)%3)
			}
		}
		return out
	}
	for i := range n {
		weights := make([]uint8, Replicates)
		WeightsTo(weights, 1, strconv.Itoa(i))
		a.Add(0, Sample{Phi: draw(1), BlockPhi: draw(len(l.Blocks)), DrawPhi: draw(l.Draws), Weights: weights})
	}
	return a
}

// cellsTo returns the coalitions of 1 to order of m modalities, by size.
func cellsTo(order, m int) (out []game.Coalition) {
	for size := 1; size <= order; size++ {
		for s := game.Coalition(1); s < 1<<m; s++ {
			if bits.OnesCount64(uint64(s)) == size {
				out = append(out, s)
			}
		}
	}
	return out
}

// A set with one cell more or less has the sum that adding up all its cells gives, in
// every block, draw and replicate: to rounding, and exactly 0 where nothing is left.
func TestSumOfChangedSet(t *testing.T) {
	l := Layout{Modalities: 4, Cells: cellsTo(3, 4), Targets: 1, Partitions: []int{1}, Blocks: []int{4, 4, 4}, Draws: 4, Convention: Paper}
	for name, zero := range map[string][]int{"all cells": nil, "one cell": {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13}} {
		a := noise(l, 12, zero...)
		s, _ := a.gather(0, 0, nil)
		for _, absolute := range []bool{false, true} {
			e := newMoments(l, s, absolute).estimator(Options{Level: 0.95, Quantile: func(_, _ float64) float64 { return 2 }})
			for _, of := range [][]bool{e.every, e.clear} {
				for at := range of {
					set := slices.Clone(of)
					set[at] = !set[at]
					want, got := e.newSum(set), e.sum(set)
					check := func(what string, want, got []float64) {
						for k := range want {
							if !(math.Abs(want[k]-got[k]) <= 1e-13*math.Abs(want[k])) {
								t.Errorf("%s, absolute %v, cell %d, %s %d: want %v, got %v", name, absolute, at, what, k, want[k], got[k])
							}
						}
					}
					check("replicate", want.replicates, got.replicates)
					for source := range sources {
						check("source "+strconv.Itoa(source)+", block", want.leftOut[source], got.leftOut[source])
					}
				}
			}
		}
	}
}

// Each cell has a share in either aggregation: the means of sizes, and the sizes of
// means, by the sum over all cells.
func TestCellShares(t *testing.T) {
	l := Layout{Modalities: 2, Cells: []game.Coalition{1, 2, 3}, Targets: 1, Partitions: []int{1}, Convention: Paper}
	a := NewAccumulator(l)
	// Means 2, 0, -1 of size 3; mean sizes 2, 3, 1 of sum 6. The second cancels.
	for i, phi := range [][]float64{{1, 3, -1}, {3, -3, -1}} {
		weights := make([]uint8, Replicates)
		WeightsTo(weights, 1, strconv.Itoa(i))
		a.Add(0, Sample{Phi: phi, Weights: weights})
	}
	s := a.Summary(0, Options{Level: 0.95, Quantile: func(_, _ float64) float64 { return 2 }})
	for at, want := range [][2]float64{{2. / 3, 2. / 6}, {0, 3. / 6}, {1. / 3, 1. / 6}} {
		c := s.Cells[at]
		for i, got := range []Interval{c.Share, c.MeanAbsoluteShare} {
			x, low, high := got.Share.Or(-1), got.Low.Or(2), got.High.Or(-1)
			if !(math.Abs(x-want[i]) <= 1e-15) || !(0 <= low && low <= x && x <= high && high <= 1) {
				t.Errorf("cell %d, aggregation %d: want %v within its bounds, got %+v", at, i, want[i], got)
			}
		}
	}
	// The sizes of the second cell are the same in both samples, and so are the last's.
	if low, _ := s.Cells[2].MeanAbsoluteShare.Low.Value(); low <= 0 {
		t.Errorf("want a lower bound clear of zero, got %v", low)
	}
}

func BenchmarkSummary(b *testing.B) {
	for _, c := range []struct {
		name     string
		order, m int
	}{{"M=8/order=8", 8, 8}, {"M=24/order=3", 3, 24}} {
		l := Layout{Modalities: c.m, Cells: cellsTo(c.order, c.m), Targets: 1, Partitions: []int{1}, Blocks: slices.Repeat([]int{8}, 16), Convention: Paper}
		a := noise(l, 10)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				a.Summary(0, Options{Level: 0.95, Quantile: func(_, _ float64) float64 { return 2 }})
			}
		})
	}
}
