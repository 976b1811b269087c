package engine

import (
	"context"

	"github.com/intershap/intershap/game"
)

// additiveRun serves models whose output is a sum of terms of one modality
// each. The mean of a sum is the sum of means, so that no combination is run:
// v(S) takes a term of the sample's own, or its mean over the background. The
// transform is linear (identity or centred) and applied to each term.
type additiveRun struct {
	plan     *Plan
	progress *progress
	// terms[t] holds the transformed term of every background row; nil for the
	// terms of fixed inputs.
	terms [][]float64
	// means[(k*T+t)*W+c] is the mean of column c of term t of the T over block k,
	// and over all rows for k the number of blocks; empty where each sample has
	// rows of its own.
	means []float64
	// plain[t*W+c] is the mean of column c of term t over all rows, before the
	// transform: what a sample that lacks modalities has in their place.
	plain []float64
}

func (run *additiveRun) worker() evaluator { return &additive{run} }

// prepare evaluates the background's terms and their means.
func (run *additiveRun) prepare(ctx context.Context) error {
	p := run.plan
	back, err := newBackdrop(ctx, p, run.progress)
	if err != nil {
		return err
	}
	w := p.opt.Width
	run.terms = make([][]float64, len(p.stage.terms))
	run.plain = make([]float64, len(p.stage.terms)*w)
	for t, f := range p.stage.terms {
		if p.stage.features[f].fixed {
			continue
		}
		values := make([]float64, back.features[f].Len())
		back.features[f].Float64s(values)
		for i, y := range values {
			if y-y != 0 { // NaN and Inf alone
				return p.notFinite(place{background: back.row(i / w)}, "a term of the model's output", i%w, y)
			}
		}
		sums := make([]mean, w)
		for lo := 0; lo < len(values); lo += w {
			for c := range sums {
				sums[c].add(values[lo+c])
			}
			p.opt.Transform.Apply(values[lo : lo+w])
		}
		for c, sum := range sums {
			run.plain[t*w+c] = sum.over(len(values) / w)
		}
		run.terms[t] = values
	}
	if !p.opt.Background.PerSample() {
		rows := upTo(p.b)
		blockOf := make([]int, p.b)
		for r := range blockOf {
			blockOf[r] = p.blockOf[p.cut.order[r]]
		}
		run.means = run.meansOf(rows, blockOf)
	}
	return nil
}

// meansOf returns the means of all terms over the given rows, by block and over
// all.
func (run *additiveRun) meansOf(rows, blockOf []int) []float64 {
	p := run.plan
	blocks, terms, w := len(p.blocks), len(run.terms), p.opt.Width
	sums := make([]mean, (blocks+1)*terms*w)
	for t, values := range run.terms {
		if values == nil {
			continue
		}
		for k, r := range rows {
			for c := range w {
				sums[(blockOf[k]*terms+t)*w+c].add(values[r*w+c])
			}
		}
		for k := range blocks {
			for c := range w {
				sums[(blocks*terms+t)*w+c].addMean(sums[(k*terms+t)*w+c])
			}
		}
	}
	out := make([]float64, len(sums))
	for i, sum := range sums {
		count := p.b
		if k := i / (terms * w); k < blocks {
			count = p.blocks[k]
		}
		out[i] = sum.over(count)
	}
	return out
}

// of reports whether a term is the sample's own with the modalities in s present.
func (o ownership) of(s game.Coalition) bool { return o.fixed || s&o.players != 0 }

// additive adds up terms.
type additive struct{ run *additiveRun }

func (e *additive) evaluate(ctx context.Context, tile *Tile) error {
	p := e.run.plan
	n, w := tile.Samples(), p.opt.Width
	own, err := e.run.ownTerms(ctx, tile)
	if err != nil {
		return err
	}
	work := newTileSums(p, tile, game.Grand(p.m))
	output := make([]float64, w)
	for i := range n {
		clear(output)
		for t, term := range own {
			term := term[i*w : (i+1)*w]
			if !p.stage.features[p.stage.terms[t]].of(work.has(i)) {
				term = e.run.plain[t*w : (t+1)*w] // the transform changes no class
			}
			for c, y := range term {
				output[c] += y
			}
		}
		if err := work.choose(i, output); err != nil {
			return err
		}
		for _, term := range own {
			p.opt.Transform.Apply(term[i*w : (i+1)*w])
		}
	}
	return e.fill(tile, work, own)
}

// ownTerms returns the terms of a tile's samples before the transform: those of
// sample i at i·W of each.
func (run *additiveRun) ownTerms(ctx context.Context, tile *Tile) ([][]float64, error) {
	p, w := run.plan, run.plan.opt.Width
	features, err := p.sampleSide(ctx, tile, run.progress)
	if err != nil {
		return nil, err
	}
	own := make([][]float64, len(p.stage.terms))
	for t, f := range p.stage.terms {
		own[t] = make([]float64, tile.Samples()*w)
		features[f].Float64s(own[t])
		for i, y := range own[t] {
			if y-y != 0 { // NaN and Inf alone
				at := place{tile: tile, sample: i / w, coalition: game.Grand(p.m)}
				return nil, p.notFinite(at, "a term of the model's output", i%w, y)
			}
		}
	}
	return own, nil
}

// fill writes the tables. Terms are added in the same order for every coalition,
// so that one that a modality does not change leaves v as it is.
func (e *additive) fill(tile *Tile, work *tileSums, own [][]float64) error {
	p := e.run.plan
	near, means := p.nearest(tile), e.run.means
	blocks, terms, w := len(p.blocks), len(own), p.opt.Width
	values, byBlock := work.newTables()
	for i := range work.n {
		if near != nil {
			means = e.run.meansOf(near[i*p.b:(i+1)*p.b], p.blockOf)
		}
		for j, c := range work.columnsOf(i) {
			sum := func(s game.Coalition, k int) float64 {
				v := 0.0
				for t, f := range p.stage.terms {
					if p.stage.features[f].of(s) {
						v += own[t][i*w+c]
					} else {
						v += means[(k*terms+t)*w+c]
					}
				}
				return v
			}
			for position := range p.width() {
				s := p.coalition(position) & work.has(i)
				at := (j*work.n+i)*p.width() + position
				values[at] = sum(s, blocks)
				for k := range len(byBlock) / len(values) {
					byBlock[k*len(values)+at] = sum(s, k)
				}
			}
		}
	}
	return work.store(values, byBlock)
}
