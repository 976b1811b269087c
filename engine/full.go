package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// fullRun is what the workers of the plain method share: v({}), once for all.
type fullRun struct {
	plan     *Plan
	progress progress
	// base[c] holds, for each block, the sum of column c over the background
	// rows alone; nil when each sample has its own.
	base [][]mean
}

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
	run.base = make([][]mean, p.opt.Width)
	for c := range run.base {
		run.base[c] = make([]mean, len(p.blocks))
	}
	f := newFull(run)
	for first := 0; first < p.b; first += p.batch {
		n := min(p.batch, p.b-first)
		p.copies[0].fill(f.batch, 0, n, nil, 0, p.opt.Background.Inputs(), first, nil)
		at := func(r int) place { return place{background: first + r} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		if err := f.transform(n, at); err != nil {
			return err
		}
		for r := range n {
			for c, y := range f.row(r) {
				run.base[c][p.blockOf[first+r]].add(y)
			}
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
	work := newTileSums(p, tile)
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
			p.copies[all].fill(f.batch, r, 1, tile.Rows.Inputs, first+r, nil, 0, nil)
		}
		at := func(r int) place { return place{tile: tile, sample: first + r, coalition: all} }
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			if err := work.choose(first+r, f.row(r)); err != nil {
				return err
			}
		}
		if err := f.transform(n, at); err != nil {
			return err
		}
		for r := range n {
			work.setWhole(first+r, f.row(r))
		}
		f.run.progress.add(n)
	}
	return nil
}

// combine runs the rows that mix samples and background. They form one sequence
// (coalition, sample, background row), which is cut into calls wherever it falls.
func (f *full) combine(ctx context.Context, tile *Tile, work *tileSums) error {
	p := f.run.plan
	near := f.nearest(tile)
	per := tile.Samples() * p.b // rows of one coalition
	total := len(p.combinations) * per
	for first := 0; first < total; first += p.batch {
		n := min(p.batch, total-first)
		at := func(r int) place {
			i := first + r
			return place{tile: tile, coalition: p.combinations[i/per], sample: i % per / p.b, background: i % p.b}
		}
		for r := 0; r < n; {
			here := at(r)
			run := min(n-r, p.b-here.background)
			var rows []int
			if near != nil {
				rows = near[here.sample*p.b : (here.sample+1)*p.b]
			}
			p.copies[here.coalition].fill(f.batch, r, run, tile.Rows.Inputs, here.sample, p.opt.Background.Inputs(), here.background, rows)
			r += run
		}
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		if err := f.transform(n, at); err != nil {
			return err
		}
		for r := 0; r < n; {
			here := at(r)
			sums := work.sumsOf(here.sample, here.coalition)
			for last := r + min(n-r, p.b-here.background); r < last; r++ {
				sums.add(p.blockOf[here.background], f.row(r))
				here.background++
			}
		}
		f.run.progress.add(n)
	}
	return nil
}

// nearest returns the background rows of each sample of the tile, or nil when
// all samples share them.
func (f *full) nearest(tile *Tile) []int {
	p := f.run.plan
	if !p.opt.Background.PerSample() {
		return nil
	}
	near := make([]int, tile.Samples()*p.b)
	for i := range tile.Samples() {
		p.opt.Background.Nearest(near[i*p.b:(i+1)*p.b], tile.Rows.Inputs, i)
	}
	return near
}

// predict runs the first n rows of the batch and keeps the output.
func (f *full) predict(ctx context.Context, n int, at func(r int) place) error {
	p := f.run.plan
	if err := ctx.Err(); err != nil {
		return err
	}
	inputs := make(model.Batch, len(f.batch))
	for i, t := range f.batch {
		inputs[i] = model.Named{Name: p.inputs[i].Name, Tensor: t.Slice(0, n)}
	}
	outputs, err := p.opt.Model.Predict(ctx, inputs)
	if err != nil {
		return fmt.Errorf("engine: %s: %w", p.describe(at(0)), err)
	}
	out, err := Output(outputs, p.opt.Output, n)
	if err != nil {
		return err
	}
	if w := out.RowLen(); w != p.opt.Width {
		return fmt.Errorf("engine: output %q has %d columns, want %d as before", p.opt.Output, w, p.opt.Width)
	}
	out.Float64s(f.outputs[:n*p.opt.Width])
	return f.checkFinite(n, at, "the model's output")
}

// transform applies the plan's transform to the last n outputs.
func (f *full) transform(n int, at func(r int) place) error {
	t := f.run.plan.opt.Transform
	if t == Identity {
		return nil
	}
	for r := range n {
		t.apply(f.row(r))
	}
	return f.checkFinite(n, at, t.String()+" of the model's output")
}

func (f *full) checkFinite(n int, at func(r int) place, what string) error {
	p := f.run.plan
	for i, y := range f.outputs[:n*p.opt.Width] {
		if y-y != 0 { // NaN and Inf alone
			return fmt.Errorf("engine: %s: %s %q is %v in column %d, want a finite number",
				p.describe(at(i/p.opt.Width)), what, p.opt.Output, y, i%p.opt.Width)
		}
	}
	return nil
}

// A place is where a model row comes from.
type place struct {
	tile       *Tile // nil for a background row alone
	sample     int   // in the tile
	coalition  game.Coalition
	background int
}

// describe names a row as a person knows it.
func (p *Plan) describe(at place) string {
	if at.tile == nil {
		return fmt.Sprintf("background row %d", at.background)
	}
	sample := fmt.Sprintf("sample %d", at.tile.Lo+at.sample)
	if ids := at.tile.Rows.IDs; ids.Rows() > at.sample {
		sample += fmt.Sprintf(" (id %s)", ids.Format(at.sample))
	}
	if at.coalition == game.Grand(p.m) {
		return sample + " as it is"
	}
	var present []string
	for i, m := range p.opt.Modalities {
		if at.coalition.Has(i) {
			present = append(present, m.Name)
		}
	}
	return fmt.Sprintf("%s with {%s} present and background row %d elsewhere", sample, strings.Join(present, ", "), at.background)
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
