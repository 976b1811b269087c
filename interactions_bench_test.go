package intershap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

// BenchmarkFamily adds one sample with 16 background blocks to the sums of an index: its
// decomposition, and every coalition in every replicate.
func BenchmarkFamily(b *testing.B) {
	for _, c := range []struct {
		x        index.Index
		m, order int
	}{
		{index.Moebius, 4, 4},
		{index.Moebius, 6, 6},
		{index.Moebius, 8, 8},
		{index.Moebius, 10, 10},
		{index.Moebius, 12, 12},
		{index.KSII, 12, 3},
		{index.KSII, 16, 3},
	} {
		b.Run(fmt.Sprintf("index=%s/M=%d/order=%d", c.x, c.m, c.order), func(b *testing.B) {
			const blocks = 16
			f, err := index.New(c.x, c.order, c.m)
			if err != nil {
				b.Fatal(err)
			}
			n := 1 << c.m
			from := &exact{formula: f, values: make([]float64, f.Len()), moebius: make([]float64, n), scratch: f.Scratch()}
			cells := from.Coalitions()
			sums := score.NewAccumulator(score.Layout{Modalities: c.m, Targets: 1, Partitions: []int{1}, Cells: cells, Blocks: slices.Repeat([]int{10}, blocks), Convention: score.Paper})
			r := rand.New(rand.NewPCG(1, 1))
			values := make([]float64, n)
			for i := range values {
				values[i] = r.Float64()
			}
			tables, err := game.NewTables(c.m, values)
			if err != nil {
				b.Fatal(err)
			}
			phi, blockPhi := make([]float64, len(cells)), make([]float64, blocks*len(cells))
			weights := make([]uint8, score.Replicates)
			score.WeightsTo(weights, 1, "id")
			b.ReportAllocs()
			for b.Loop() {
				from.To(phi, nil, tables.Game(0))
				for k := range blocks {
					from.To(blockPhi[k*len(cells):(k+1)*len(cells)], nil, tables.Game(0))
				}
				sums.Add(0, score.Sample{Base: values[0], Output: values[n-1], Phi: phi, BlockPhi: blockPhi, Weights: weights})
			}
			b.ReportMetric(float64(len(cells)), "cells")
			b.ReportMetric(float64(score.Layout{Modalities: c.m, Cells: cells, Blocks: slices.Repeat([]int{10}, blocks)}.SectionBytes())/(1<<20), "MiB")
		})
	}
}
