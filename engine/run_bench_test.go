package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// BenchmarkRun evaluates all coalitions. The model of the plain way adds its inputs
// up and the net's parts are small, so that what the engine itself takes shows.
func BenchmarkRun(b *testing.B) {
	const m = 8
	added := newNet(m, 1)
	var terms []string
	var all []int
	for i := range m {
		terms = append(terms, fmt.Sprintf("m%d", i))
		all = append(all, i)
	}
	added.added = map[string][]string{"sum": terms}
	added.add(rand.New(rand.NewPCG(1, 1)), "y", 1, true, all, "sum")
	sums := added.options(b, 64, 50)
	plain := sums
	plain.Model = adder
	byRow := newNet(m, 1)
	byRow.added, byRow.layers, byRow.sums = added.added, added.layers, false
	rows := byRow.options(b, 64, 50)
	additive := newNet(12, 1)
	for i := range 12 {
		name := fmt.Sprintf("t%d", i)
		additive.add(rand.New(rand.NewPCG(1, 1)), name, 1, true, []int{i}, fmt.Sprintf("m%d", i))
		additive.terms = append(additive.terms, name)
	}
	for _, c := range []struct {
		name string
		opt  Options
	}{
		{"plan=full", plain},
		{"plan=staged/head=sums", inParts(b, sums)},
		{"plan=staged/head=rows", inParts(b, rows)},
		{"plan=additive", inParts(b, additive.options(b, 64, 50))},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkRun(b, c.opt) })
	}
}

func benchmarkRun(b *testing.B, opt Options) {
	p, err := NewPlan(opt)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Run(b.Context(), func(*Tile) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.Rows())*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// adder adds up all inputs of a row.
var adder = model.Func(func(_ context.Context, inputs model.Batch) (model.Batch, error) {
	y := make([]float64, inputs.Rows())
	for _, in := range inputs {
		x, width := tensor.Values[float64](in.Tensor), in.Tensor.RowLen()
		for r := range y {
			for _, v := range x[r*width : (r+1)*width] {
				y[r] += v
			}
		}
	}
	return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
})

// BenchmarkListed evaluates 2,000 coalitions of 24 modalities: linear encoders of 32
// numbers, which meet in a sum, and a head of one layer. In parts an encoder runs once
// for each sample and background row, and the head for every coalition.
func BenchmarkListed(b *testing.B) {
	const m, coalitions, samples, rows = 24, 2000, 16, 20
	rng := rand.New(rand.NewPCG(1, 1))
	n := newNet(m, 1)
	var terms []string
	for i := range m {
		terms = append(terms, fmt.Sprintf("h%d", i))
		n.add(rng, terms[i], 32, true, []int{i}, fmt.Sprintf("m%d", i))
	}
	n.added = map[string][]string{"sum": terms}
	n.add(rng, "y", 1, true, upTo(m), "sum")
	opt := n.options(b, samples, rows)
	opt.Coalitions = []game.Coalition{0}
	for known := map[game.Coalition]bool{}; len(opt.Coalitions) < coalitions-1; {
		s := 1 + game.Coalition(rng.Uint64N(1<<m-2))
		if !known[s] {
			opt.Coalitions, known[s] = append(opt.Coalitions, s), true
		}
	}
	opt.Coalitions = append(opt.Coalitions, game.Grand(m))
	staged, full := inParts(b, opt), opt
	full.Samples = newTable(rng, n.inputs, 1) // as slow as that
	for _, c := range []struct {
		name string
		opt  Options
	}{{"plan=staged", staged}, {"plan=full", full}} {
		b.Run(c.name, func(b *testing.B) {
			benchmarkRun(b, c.opt)
			pairs := c.opt.Samples.Len() * rows * (coalitions - 2)
			b.ReportMetric(float64(pairs)*float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}
