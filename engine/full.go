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

// fullRun is what the workers of the plain method share: v({}), once for all.
type fullRun struct {
	plan     *Plan
	progress *progress
	base     *base
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
	run.base = newBase(p)
	f := newFull(run)
	for first := 0; first < p.b; first += p.batch {
		n := min(p.batch, p.b-first)
		p.copies[0].fill(f.batch, 0, n, nil, 0, p.opt.Background.Inputs(), first, nil)
		at := func(r int) place { return place{background: first + r} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			run.base.add(first+r, f.transformed(r))
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
	if err := f.whole(ctx, tile, work); err != nil {
		return err
	}
	if err := f.combine(ctx, tile, work); err != nil {
		return err
	}
	return work.finish(f.run.base)
}

// whole runs the tile's samples as they are: v(all), and with it the columns
// that are explained.
func (f *full) whole(ctx context.Context, tile *Tile, work *tileSums) error {
	p := f.run.plan
	all := game.Grand(p.m)
	for first := 0; first < tile.Samples(); first += p.batch {
		n := min(p.batch, tile.Samples()-first)
		for r := range n {
			p.copies[p.width()-1].fill(f.batch, r, 1, tile.Rows.Inputs, first+r, nil, 0, nil)
		}
		at := func(r int) place { return place{tile: tile, sample: first + r, coalition: all} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			if err := work.choose(first+r, f.row(r)); err != nil {
				return err
			}
			row := f.transformed(r)
			if c, ok := finite(row, work.columnsOf(first+r)); !ok {
				return p.transformedError(at(r), row, c)
			}
			work.setWhole(first+r, row)
		}
		f.run.progress.add(n)
	}
	return nil
}

// combine runs the rows that mix samples and background. They form one sequence
// (coalition, sample, background row), which is cut into calls wherever it falls.
func (f *full) combine(ctx context.Context, tile *Tile, work *tileSums) error {
	p := f.run.plan
	near := p.nearest(tile)
	per := tile.Samples() * p.b // rows of one coalition
	total := p.combinations() * per
	for first := 0; first < total; first += p.batch {
		n := min(p.batch, total-first)
		position := func(r int) int { return p.firstCombination() + (first+r)/per }
		at := func(r int) place {
			i := first + r
			return place{tile: tile, coalition: p.coalition(position(r)), sample: i % per / p.b, background: i % p.b}
		}
		for r := 0; r < n; {
			here := at(r)
			run := min(n-r, p.b-here.background)
			var rows []int
			if near != nil {
				rows = near[here.sample*p.b : (here.sample+1)*p.b]
			}
			p.copies[position(r)].fill(f.batch, r, run, tile.Rows.Inputs, here.sample, p.opt.Background.Inputs(), here.background, rows)
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
		f.run.progress.add(n)
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
		inputs[i] = model.Named{Name: f.run.plan.inputs[i].Name, Tensor: t.Slice(lo, hi)}
	}
	return f.run.plan.opt.Model.Predict(ctx, inputs)
}

// blame says which row of a failed call is at fault.
func (f *full) blame(ctx context.Context, n int, at func(r int) place, failure error) error {
	p := f.run.plan
	if errors.Is(failure, model.ErrUnanswered) {
		return failure
	}
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
