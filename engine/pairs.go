package engine

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/game"
)

// firstOnly is the coalition of a pair: the first modality is the sample's own.
const firstOnly game.Coalition = 1

// pairsInMemory is the share of the memory limit that the outputs of a tile have.
const pairsInMemory = 512

// Pairs evaluates every pair of a sample and a background row for a plan of two
// modalities: pair (i, k) has the first modality of sample i and the second of
// background row k; fixed inputs are the sample's own. It hands out transformed
// outputs sample by sample, in order and from one goroutine: those of some samples
// from lo on, [samples, background rows, Width], background rows in the order of
// their file. each must not keep them. A sample that lacks modalities is an error.
//
// Pairs are evaluated as the plan evaluates coalitions: in parts, where each encoder
// runs once for a sample and once for a background row, or whole. A pair's outputs
// do not depend on the number of workers. All columns must be finite after the
// transform; one that is not makes a [*TransformError]. A plan whose outputs take more
// than the memory limit wraps [ErrMemory].
func (p *Plan) Pairs(ctx context.Context, each func(lo int, outputs []float64) error) (Cost, error) {
	q, err := p.planPairs()
	if err != nil {
		return Cost{}, err
	}
	run := q.pairsMethod(&progress{total: p.PairRows(), tell: p.opt.Progress})
	took, err := q.stream(ctx, run, nothing{}, func(t *Tile) error { return each(t.Lo, t.outputs) })
	if err != nil {
		return Cost{}, err
	}
	return Cost{Rows: p.PairRows(), Evaluation: took}, nil
}

// PairRows counts the rows that Pairs runs, of all parts together.
func (p *Plan) PairRows() int64 {
	n, b := int64(p.n), int64(p.b)
	if p.stage == nil {
		return n * b
	}
	var rows int64
	for i := range p.stage.earlier() {
		sample, shared := p.partRows(i)
		rows += n*sample + shared
	}
	if p.stage.additive() {
		return rows
	}
	return rows + n*b
}

// planPairs returns the plan with tiles whose outputs fit into memory.
func (p *Plan) planPairs() (*Plan, error) {
	switch {
	case p.m != 2:
		return nil, fmt.Errorf("engine: pairs: want 2 modalities, got %d", p.m)
	case p.coalitions != nil:
		return nil, fmt.Errorf("engine: pairs: want all coalitions, got a list of %d", p.width())
	case p.opt.Background.PerSample():
		return nil, fmt.Errorf("engine: pairs: want the same background rows for every sample, not those of the mask %s", p.opt.Background.Mask())
	}
	if err := p.undivided(); err != nil {
		return nil, err
	}
	const float = 8
	each := int64(p.b) * int64(p.opt.Width) * float // bytes of a sample's outputs
	q := *p
	q.to = 0
	q.tile = int(max(1, min(int64(p.tile), p.opt.Memory/pairsInMemory/each)))
	if need := q.MemoryBytes() + int64(p.opt.Workers)*tilesPerWorker*int64(q.tile)*each; need > p.opt.Memory {
		return nil, fmt.Errorf("engine: pairs: %d background rows and the outputs of %d samples in flight take %d KiB, %w of %d KiB; raise it, or use fewer rows or workers",
			p.b, p.opt.Workers*tilesPerWorker*q.tile, need>>10, ErrMemory, p.opt.Memory>>10)
	}
	if p.stage != nil {
		q.cut.chunks = chunks(p.blocks, max(1, p.cut.gridRows/q.tile))
	}
	return &q, nil
}

// pairsMethod returns the plan's way to evaluate pairs.
func (p *Plan) pairsMethod(done *progress) method {
	switch {
	case p.stage == nil:
		return &fullPairsRun{fullRun{plan: p, progress: done}}
	case p.stage.additive():
		return &additivePairsRun{additiveRun{plan: p, progress: done}}
	default:
		return &stagedPairsRun{stagedRun{plan: p, progress: done}}
	}
}

// newPairs gives a tile of whole samples room for its outputs.
func (p *Plan) newPairs(tile *Tile) error {
	tile.outputs = make([]float64, tile.Samples()*p.b*p.opt.Width)
	return p.complete(tile)
}

// setPair writes the transformed output of sample i and background row k.
func (p *Plan) setPair(tile *Tile, i, k int, row []float64) {
	copy(tile.outputs[(i*p.b+k)*p.opt.Width:], row)
}

// fullPairsRun needs no v({}).
type fullPairsRun struct{ fullRun }

func (run *fullPairsRun) prepare(context.Context) error { return nil }
func (run *fullPairsRun) worker() evaluator             { return fullPairs{newFull(&run.fullRun)} }

// fullPairs pushes every pair through the whole model.
type fullPairs struct{ *full }

func (f fullPairs) evaluate(ctx context.Context, tile *Tile) error {
	p := f.run.plan
	if err := p.newPairs(tile); err != nil {
		return err
	}
	columns := upTo(p.opt.Width)
	total := tile.Samples() * p.b
	for first := 0; first < total; first += p.batch {
		n := min(p.batch, total-first)
		at := func(r int) place {
			return place{tile: tile, coalition: firstOnly, sample: (first + r) / p.b, background: (first + r) % p.b}
		}
		for r := 0; r < n; {
			here := at(r)
			run := min(n-r, p.b-here.background)
			p.copies[firstOnly].fill(f.batch, r, run, tile.inputs, here.sample, p.opt.Background.Inputs(), here.background, nil)
			r += run
		}
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			here, row := at(r), f.transformed(r)
			if c, ok := finite(row, columns); !ok {
				return p.transformedError(here, row, c)
			}
			p.setPair(tile, here.sample, here.background, row)
		}
		f.run.progress.add(n)
	}
	return nil
}

// stagedPairsRun has the background's features and needs no v({}).
type stagedPairsRun struct{ stagedRun }

func (run *stagedPairsRun) prepare(ctx context.Context) (err error) {
	run.backdrop, err = newBackdrop(ctx, run.plan, run.progress)
	return err
}

func (run *stagedPairsRun) worker() evaluator { return &stagedPairs{&run.stagedRun} }

// stagedPairs runs the last part on every pair.
type stagedPairs struct{ run *stagedRun }

func (e *stagedPairs) evaluate(ctx context.Context, tile *Tile) error {
	p, n := e.run.plan, tile.Samples()
	if err := p.newPairs(tile); err != nil {
		return err
	}
	samples, err := p.sampleSide(ctx, tile, e.run.progress)
	if err != nil {
		return err
	}
	st, head := p.stage, p.stage.head()
	columns := upTo(p.opt.Width)
	for _, c := range p.cut.chunks {
		v := &sides{sample: samples, background: e.run.backdrop.chunk(c)}
		at := func(s game.Coalition) func(i, k int) place {
			return func(i, k int) place {
				return place{tile: tile, sample: i, coalition: s, background: p.cut.order[c.lo+k]}
			}
		}
		if err := st.mix(ctx, v, p.patterns, n, c.rows(), e.run.progress.add, func(part *stagedPart, s game.Coalition, err error) error {
			return p.blame(ctx, part, st.inputs(v, part, s), n, c.rows(), at(s), err)
		}); err != nil {
			return err
		}
		// A last part that depends on one modality alone gives one row, or one
		// column, for all.
		inputs := st.inputs(v, head, firstOnly)
		rows, cols := pairsIn(inputs)
		if err := p.headPairs(ctx, inputs, rows, cols, at(firstOnly), func(int) ([]int, bool) { return columns, true }, func(i, k int, row []float64) {
			for ; i < n; i += rows {
				for k := k; k < c.rows(); k += cols {
					p.setPair(tile, i, p.cut.order[c.lo+k], row)
				}
			}
		}); err != nil {
			return err
		}
		e.run.progress.add(n * c.rows())
	}
	return nil
}

// additivePairsRun has the transformed terms of the background.
type additivePairsRun struct{ additiveRun }

func (run *additivePairsRun) worker() evaluator { return &additivePairs{&run.additiveRun} }

// additivePairs adds up terms for every pair.
type additivePairs struct{ run *additiveRun }

func (e *additivePairs) evaluate(ctx context.Context, tile *Tile) error {
	p, w := e.run.plan, e.run.plan.opt.Width
	if err := p.newPairs(tile); err != nil {
		return err
	}
	own, err := e.run.ownTerms(ctx, tile)
	if err != nil {
		return err
	}
	for _, term := range own {
		for lo := 0; lo < len(term); lo += w {
			p.opt.Transform.Apply(term[lo : lo+w])
		}
	}
	row := make([]float64, w)
	for i := range tile.Samples() {
		for r, k := range p.cut.order {
			clear(row)
			for t, f := range p.stage.terms {
				term, from := own[t], i
				if feature := p.stage.features[f]; !feature.fixed && feature.players&firstOnly == 0 {
					term, from = e.run.terms[t], r
				}
				for c := range row {
					row[c] += term[from*w+c]
				}
			}
			for c, y := range row {
				if y-y != 0 { // NaN and Inf alone
					return p.notFinite(place{tile: tile, sample: i, coalition: firstOnly, background: k}, "the model's output", c, y)
				}
			}
			p.setPair(tile, i, k, row)
		}
	}
	return nil
}
