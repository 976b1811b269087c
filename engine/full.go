package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// fullRun is what the workers of the plain method share: v({}), once for all, and what
// tells the class of a sample that has nothing.
type fullRun struct {
	plan     *Plan
	progress *progress
	base     *base
	class    *classMeans
}

func (run *fullRun) worker() evaluator { return newFull(run) }

// full pushes every row through the whole model.
type full struct {
	run     *fullRun
	batch   []tensor.Tensor // room for one call
	outputs []float64       // what the last call gave, row by row
}

func newFull(run *fullRun) *full {
	p := run.plan
	f := &full{run: run, outputs: make([]float64, p.batch*p.opt.Width)}
	for _, in := range p.opt.Background.Inputs() {
		f.batch = append(f.batch, tensor.New(in.DType(), append([]int{p.batch}, in.Shape()[1:]...)...))
	}
	return f
}

// prepare runs the background rows by themselves.
func (run *fullRun) prepare(ctx context.Context) error {
	p := run.plan
	if !p.sharedBase {
		return nil
	}
	run.base, run.class = newBase(p), p.newClassMeans()
	f := newFull(run)
	for first := 0; first < p.b; first += p.batch {
		n := min(p.batch, p.b-first)
		p.copies[0].fill(f.batch, 0, n, nil, 0, p.opt.Background.Inputs(), first, nil)
		at := func(r int) place { return place{background: first + r} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			run.base.add(at(r), f.classified(run.class, r))
		}
		run.progress.add(n)
	}
	return nil
}

// row returns the outputs of row r of the last call.
func (f *full) row(r int) []float64 {
	w := f.run.plan.opt.Width
	return f.outputs[r*w : (r+1)*w]
}

func (f *full) evaluate(ctx context.Context, tile *Tile) error {
	p := f.run.plan
	work := newTileSums(p, tile, game.Grand(p.m))
	// Who lacks modalities takes fewer rows; the others are done as well.
	done := f.run.progress.atMost(tile.Samples() * int(p.sampleRows()))
	whole, lacking := work.split()
	if err := f.whole(ctx, tile, whole, work, done); err != nil {
		return err
	}
	if err := f.lacking(ctx, tile, lacking, work, done); err != nil {
		return err
	}
	if err := f.combine(ctx, tile, work, done); err != nil {
		return err
	}
	done.rest()
	return work.finish(f.run.base)
}

// whole runs samples that have every modality as they are: v(all), and with it the
// columns that are explained.
func (f *full) whole(ctx context.Context, tile *Tile, samples []int, work *tileSums, done *limited) error {
	p := f.run.plan
	all := game.Grand(p.m)
	for first := 0; first < len(samples); first += p.batch {
		n := min(p.batch, len(samples)-first)
		for r := range n {
			p.copies[p.width()-1].fill(f.batch, r, 1, tile.inputs, samples[first+r], nil, 0, nil)
		}
		at := func(r int) place { return place{tile: tile, sample: samples[first+r], coalition: all} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			if err := work.choose(samples[first+r], f.row(r)); err != nil {
				return err
			}
			row := f.transformed(r)
			if c, ok := finite(row, work.columnsOf(samples[first+r])); !ok {
				return p.transformedError(at(r), row, c)
			}
			work.setWhole(samples[first+r], row)
		}
		done.add(n)
	}
	return nil
}

// A cell is a coalition, by its position, and a sample whose rows are to be run.
type cell struct{ position, sample int }

// cells returns the number of cells of a tile whose rows mix samples and background,
// and each of them, coalition by coalition. Those that a sample lacks modalities for are
// left out, and so is that of all that it has, which was run before.
func (w *tileSums) cells() (count int, at func(k int) cell) {
	p := w.plan
	first, count := p.firstCombination(), p.combinations()*w.n
	every := func(k int) cell { return cell{first + k/w.n, k % w.n} }
	if w.tile.has == nil {
		return count, every
	}
	var some []cell
	for k := range count {
		c := every(k)
		s, has := p.coalition(c.position), w.has(c.sample)
		if has == w.players || s&^has == 0 && s != has {
			some = append(some, c)
		}
	}
	return len(some), func(k int) cell { return some[k] }
}

// combine runs the rows that mix samples and background. They form one sequence
// (coalition, sample, background row), which is cut into calls wherever it falls.
func (f *full) combine(ctx context.Context, tile *Tile, work *tileSums, done *limited) error {
	p := f.run.plan
	near := p.nearest(tile)
	cells, cellAt := work.cells()
	total := cells * p.b
	for first := 0; first < total; first += p.batch {
		n := min(p.batch, total-first)
		position := func(r int) int { return cellAt((first + r) / p.b).position }
		at := func(r int) place {
			cell := cellAt((first + r) / p.b)
			return place{tile: tile, coalition: p.coalition(cell.position), sample: cell.sample, background: (first + r) % p.b}
		}
		for r := 0; r < n; {
			here := at(r)
			run := min(n-r, p.b-here.background)
			var rows []int
			if near != nil {
				rows = near[here.sample*p.b : (here.sample+1)*p.b]
			}
			p.copies[position(r)].fill(f.batch, r, run, tile.inputs, here.sample, p.opt.Background.Inputs(), here.background, rows)
			r += run
		}
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := 0; r < n; {
			here := at(r)
			sums := work.sumsOf(here.sample, position(r))
			for last := r + min(n-r, p.b-here.background); r < last; r++ {
				row := f.transformed(r)
				if c, ok := finite(row, sums.columns); !ok {
					return p.transformedError(at(r), row, c)
				}
				sums.add(p.blockOf[here.background], row)
				here.background++
			}
		}
		done.add(n)
	}
	return nil
}

// predict runs the first n rows of the batch and keeps the output.
func (f *full) predict(ctx context.Context, n int, at func(r int) place) error {
	p := f.run.plan
	if err := ctx.Err(); err != nil {
		return err
	}
	outputs, err := f.ask(ctx, 0, n)
	if err != nil {
		return f.blame(ctx, n, at, err)
	}
	out, err := Output(outputs, p.opt.Output, n)
	if err != nil {
		return err
	}
	if w := out.RowLen(); w != p.opt.Width {
		return fmt.Errorf("engine: output %q has %d columns, want %d as before", p.opt.Output, w, p.opt.Width)
	}
	out.Float64s(f.outputs[:n*p.opt.Width])
	for i, y := range f.outputs[:n*p.opt.Width] {
		if y-y != 0 { // NaN and Inf alone
			return p.notFinite(at(i/p.opt.Width), "the model's output", i%p.opt.Width, y)
		}
	}
	return nil
}

// ask runs rows [lo, hi) of the batch.
func (f *full) ask(ctx context.Context, lo, hi int) (model.Batch, error) {
	inputs := make(model.Batch, len(f.batch))
	for i, t := range f.batch {
		inputs[i] = model.Named{Name: f.run.plan.inputs[i].Name, Tensor: t.Slice(lo, hi), Missing: f.run.plan.missing[i]}
	}
	return f.run.plan.opt.Model.Predict(ctx, inputs)
}

// blame says which row of a failed call is at fault.
func (f *full) blame(ctx context.Context, n int, at func(r int) place, failure error) error {
	p := f.run.plan
	if errors.Is(failure, model.ErrUnanswered) {
		return failure
	}
	ctx = model.Searching(ctx)
	row, err, found := culprit(ctx, n, func(lo, hi int) error {
		_, err := f.ask(ctx, lo, hi)
		return err
	})
	switch {
	case ctx.Err() != nil:
		return failure
	case found:
		return fmt.Errorf("engine: %s: %w", p.describe(at(row)), err)
	default:
		return fmt.Errorf("engine: %d rows from %s on, which do not fail one by one: %w", n, p.describe(at(0)), failure)
	}
}

// transformed applies the plan's transform to row r of the last outputs, once,
// and returns it.
func (f *full) transformed(r int) []float64 {
	row := f.row(r)
	f.run.plan.opt.Transform.Apply(row)
	return row
}

// Output returns the output called name, which must have the given rows and at
// most one more axis longer than 1, as numbers [rows, columns].
func Output(outputs model.Batch, name string, rows int) (tensor.Tensor, error) {
	out, ok := outputs.Lookup(name)
	if !ok {
		var have []string
		for _, o := range outputs {
			have = append(have, o.Name)
		}
		return tensor.Tensor{}, fmt.Errorf("engine: the model gave no output %q (have %s)", name, strings.Join(have, ", "))
	}
	if out.DType() == tensor.String {
		return tensor.Tensor{}, fmt.Errorf("engine: output %q is text, want numbers", name)
	}
	long := 0
	for _, d := range out.Shape()[min(1, len(out.Shape())):] {
		if d != 1 {
			long++
		}
	}
	if out.Rows() != rows || long > 1 || out.Len() == 0 {
		return tensor.Tensor{}, fmt.Errorf("engine: output %q has shape %v, want [%d, columns]", name, out.Shape(), rows)
	}
	return out.Reshape(rows, out.RowLen()), nil
}
