package engine

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/share"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// stagedRun is what the workers of a staged plan share: the background's
// features, and v({}).
type stagedRun struct {
	plan     *Plan
	progress *progress
	backdrop *backdrop
	base     *base
}

func (run *stagedRun) worker() evaluator { return &staged{run} }

// prepare evaluates the background by itself.
func (run *stagedRun) prepare(ctx context.Context) (err error) {
	p := run.plan
	if run.backdrop, err = newBackdrop(ctx, p, run.progress); err != nil || !p.headBase() {
		return err
	}
	// Chunks are summed by several workers and added up in order.
	found := make([]baseSums, len(p.cut.chunks))
	if err := share.Among(ctx, p.opt.Workers, len(found), func(ctx context.Context, i int) (err error) {
		found[i], err = run.baseOf(ctx, p.cut.chunks[i])
		return err
	}); err != nil {
		return err
	}
	run.base = newBase(p)
	for i, c := range p.cut.chunks {
		found[i].addTo(run.base, c)
	}
	return nil
}

// baseSums are the sums of a chunk's blocks, or its transformed rows where there
// are no sums.
type baseSums struct {
	sums *model.Sums
	rows []float64
}

func (s baseSums) addTo(b *base, c chunk) {
	w := b.plan.opt.Width
	if s.sums != nil {
		for k, block := range c.blocks {
			b.addSum(block, s.sums.High[k*w:(k+1)*w])
			b.addSum(block, s.sums.Low[k*w:(k+1)*w])
		}
		return
	}
	for k := range c.rows() {
		b.add(place{background: b.plan.cut.order[c.lo+k]}, s.rows[k*w:(k+1)*w])
	}
}

// baseOf runs the rows of a chunk by themselves, on the road of all
// combinations.
func (run *stagedRun) baseOf(ctx context.Context, c chunk) (baseSums, error) {
	p := run.plan
	head := p.stage.head()
	inputs := p.stage.inputs(&sides{background: run.backdrop.chunk(c)}, head, 0)
	at := func(_, k int) place { return place{background: p.cut.order[c.lo+k]} }
	if head.summer != nil {
		sums, err := p.sumRows(ctx, inputs, c.lengths, 1)
		if err != nil {
			return baseSums{}, p.blame(ctx, head, inputs, 1, c.rows(), at, err)
		}
		if _, ok := finite(sums.High, upTo(len(sums.High))); ok {
			run.progress.add(c.rows())
			return baseSums{sums: &sums}, nil
		}
	}
	var out baseSums
	err := p.headPairs(ctx, inputs, 1, c.rows(), at, func(int) ([]int, bool) { return nil, true }, func(_, _ int, row []float64) {
		out.rows = append(out.rows, row...)
	})
	run.progress.add(c.rows())
	return out, err
}

// upTo lists 0 to n−1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// staged evaluates each part on the rows that are distinct for it: those of one
// modality once for each sample and background row, whatever the coalition.
type staged struct{ run *stagedRun }

func (e *staged) evaluate(ctx context.Context, tile *Tile) error {
	p := e.run.plan
	samples, err := p.sampleSide(ctx, tile, e.run.progress)
	if err != nil {
		return err
	}
	// A modality that never varies changes nothing: with and without it v is the
	// same number, which no rounding can make two of.
	still := e.run.backdrop.still(samples)
	work := newTileSums(p, tile, p.stage.head().players&^still)
	if err := e.whole(ctx, tile, samples, work); err != nil {
		return err
	}
	if err := e.lacking(ctx, tile, samples, work); err != nil {
		return err
	}
	if len(p.patterns[p.stage.last]) > 0 {
		patterns, near := p.patternsWithout(still), p.nearest(tile)
		if asked := work.asked(); asked != nil {
			patterns = p.patternsOf(asked, still)
		}
		for _, c := range p.cut.chunks {
			if err := e.combine(ctx, tile, samples, patterns, near, c, work); err != nil {
				return err
			}
		}
	}
	return work.finish(e.run.base)
}

// sampleSide computes the features of a tile's samples, [n, 1, ...].
func (p *Plan) sampleSide(ctx context.Context, tile *Tile, done *progress) ([]tensor.Tensor, error) {
	st, n := p.stage, tile.Samples()
	v := &sides{sample: make([]tensor.Tensor, len(st.features))}
	for f, leaf := range st.leaves {
		v.sample[f] = leafRows(leaf, tile.inputs)
	}
	at := func(i, _ int) place { return place{tile: tile, sample: i, coalition: game.Grand(p.m)} }
	for i := range st.earlier() {
		part := &st.parts[i]
		inputs := st.inputs(v, part, part.players)
		outputs, err := st.rowsOf(ctx, part, inputs, n, p.cut.callRows[i])
		if err != nil {
			return nil, p.blame(ctx, part, inputs, n, 1, at, err)
		}
		for k, f := range part.outputs() {
			v.sample[f] = outputs[k]
		}
		done.add(n)
	}
	return v.sample, nil
}

// whole runs the last part on the samples as they are: v(all), and with it the
// columns that are explained.
func (e *staged) whole(ctx context.Context, tile *Tile, samples []tensor.Tensor, work *tileSums) error {
	p := e.run.plan
	st, head, n, w := p.stage, p.stage.head(), tile.Samples(), p.opt.Width
	inputs := st.inputs(&sides{sample: samples}, head, head.players)
	at := func(i, _ int) place { return place{tile: tile, sample: i, coalition: game.Grand(p.m)} }
	outputs, err := st.rowsOf(ctx, head, inputs, n, p.cut.callRows[st.last])
	if err != nil {
		return p.blame(ctx, head, inputs, n, 1, at, err)
	}
	e.run.progress.add(n)
	raw := make([]float64, n*w)
	outputs[st.output].Float64s(raw)
	own, _ := work.split()
	for _, i := range own {
		for c, y := range raw[i*w : (i+1)*w] {
			if y-y != 0 { // NaN and Inf alone
				return p.notFinite(at(i, 0), "the model's output", c, y)
			}
		}
	}
	for _, i := range own {
		row := raw[i*w : (i+1)*w]
		if err := work.choose(i, row); err != nil {
			return err
		}
		p.opt.Transform.Apply(row)
		if c, ok := finite(row, work.columnsOf(i)); !ok {
			return p.transformedError(at(i, 0), row, c)
		}
	}
	if p.sumsWhole() {
		sums, err := p.sumRows(ctx, inputs, []int{1}, n)
		if err != nil {
			return p.blame(ctx, head, inputs, n, 1, at, err)
		}
		e.run.progress.add(n)
		for i := range raw {
			raw[i] = sums.High[i] + sums.Low[i]
		}
	}
	for _, i := range own {
		work.setWhole(i, raw[i*w:(i+1)*w])
	}
	return nil
}

// combine runs the pairs of a tile's samples and a chunk of the background.
func (e *staged) combine(ctx context.Context, tile *Tile, samples []tensor.Tensor, patterns [][]game.Coalition, near []int, c chunk, work *tileSums) error {
	p := e.run.plan
	st, n, b := p.stage, tile.Samples(), c.rows()
	v := &sides{sample: samples, background: e.run.backdrop.chunk(c)}
	if near != nil {
		v.background = e.run.backdrop.gather(near, n, p.b, c)
	}
	at := func(s game.Coalition) func(i, k int) place {
		return func(i, k int) place {
			return place{tile: tile, sample: i, coalition: s, background: p.cut.order[c.lo+k]}
		}
	}
	done := e.run.progress.atMost(p.mixedPatterns() * n * b)
	if err := st.mix(ctx, v, patterns, n, b, done.add, func(part *stagedPart, s game.Coalition, err error) error {
		return p.blame(ctx, part, st.inputs(v, part, s), n, b, at(s), err)
	}); err != nil {
		return err
	}
	for _, s := range patterns[st.last] {
		if err := e.head(ctx, st.inputs(v, st.head(), s), s, c, work, at(s)); err != nil {
			return err
		}
		done.add(n * b)
	}
	done.rest()
	return nil
}

// head adds the last part's output for one coalition and chunk to the tile's
// sums.
func (e *staged) head(ctx context.Context, inputs model.Batch, s game.Coalition, c chunk, work *tileSums, at func(i, k int) place) error {
	p := e.run.plan
	head, n, b, slot := p.stage.head(), work.n, c.rows(), work.slot(s)
	// A sample that lacks one of s has no such rows: what was run with them is left.
	asked := func(i int) ([]int, bool) { return work.columnsOf(i), s&^work.has(i) == 0 }
	if head.summer == nil {
		return p.headPairs(ctx, inputs, n, b, at, asked, func(i, k int, row []float64) {
			work.sumsOf(i, slot).add(p.blockOf[p.cut.order[c.lo+k]], row)
		})
	}
	sums, err := p.sumRows(ctx, inputs, c.lengths, n)
	if err != nil {
		return p.blame(ctx, head, inputs, n, b, at, err)
	}
	w := p.opt.Width
	for i := range n {
		if _, ok := asked(i); !ok {
			continue
		}
		cell := work.sumsOf(i, slot)
		for k, block := range c.blocks {
			from := (i*len(c.blocks) + k) * w
			high, low := sums.High[from:from+w], sums.Low[from:from+w]
			if column, ok := finite(high, cell.columns); !ok {
				return p.explainSum(ctx, inputs, n, b, at, asked, column, high[column])
			}
			cell.add(block, high)
			cell.add(block, low)
		}
	}
	return nil
}

// explainSum says which pair makes a sum that is no number.
func (p *Plan) explainSum(ctx context.Context, inputs model.Batch, n, b int, at func(i, k int) place, columns func(i int) ([]int, bool), column int, sum float64) error {
	if err := p.headPairs(ctx, inputs, n, b, at, columns, func(int, int, []float64) {}); err != nil {
		return err
	}
	return fmt.Errorf("engine: from %s on: the sum of output %q is %v in column %d, though every row is finite", p.describe(at(0, 0)), p.opt.Output, sum, column)
}

// headPairs evaluates the last part row by row and gives add every transformed
// pair, after the check that full makes: outputs are finite, and so are their
// transforms in the columns that are explained of sample i. It passes over samples that
// columns does not ask about.
func (p *Plan) headPairs(ctx context.Context, inputs model.Batch, n, b int, at func(i, k int) place, columns func(i int) (explained []int, asked bool), add func(i, k int, row []float64)) error {
	st, head, w := p.stage, p.stage.head(), p.opt.Width
	outputs, err := st.evaluate(ctx, head, inputs, n, b)
	if err != nil {
		return p.blame(ctx, head, inputs, n, b, at, err)
	}
	values := make([]float64, n*b*w)
	outputs[st.output].Float64s(values)
	for i := range n {
		explained, asked := columns(i)
		if !asked {
			continue
		}
		for k := range b {
			row := values[(i*b+k)*w : (i*b+k+1)*w]
			for c, y := range row {
				if y-y != 0 { // NaN and Inf alone
					return p.notFinite(at(i, k), "the model's output", c, y)
				}
			}
			p.opt.Transform.Apply(row)
			if c, ok := finite(row, explained); !ok {
				return p.transformedError(at(i, k), row, c)
			}
			add(i, k, row)
		}
	}
	return nil
}

// sumRows has the last part add up over blocks of the background, of the given
// lengths.
func (p *Plan) sumRows(ctx context.Context, inputs model.Batch, blocks []int, n int) (model.Sums, error) {
	if err := ctx.Err(); err != nil {
		return model.Sums{}, err
	}
	sums, err := p.stage.head().summer.SumRows(ctx, inputs, blocks)
	if want := n * len(blocks) * p.opt.Width; err == nil && (len(sums.High) != want || len(sums.Low) != want) {
		err = fmt.Errorf("%d and %d sums, want %d samples by %d blocks by %d columns", len(sums.High), len(sums.Low), n, len(blocks), p.opt.Width)
	}
	return sums, err
}
