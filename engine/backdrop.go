package engine

import (
	"bytes"
	"context"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/share"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A backdrop holds the features of the background rows, each evaluated once for
// the run: [rows, 1, ...] by feature, in the order of the plan's cut. Features
// of fixed inputs have no rows: they are always the sample's own.
type backdrop struct {
	plan     *Plan
	features []tensor.Tensor
	// paired lists the features that the run goes on with.
	paired []int
	// constant has the bytes of a row of those paired features that are the same in
	// all background rows.
	constant [][]byte
}

// newBackdrop evaluates the background rows. Workers share the rows of a part,
// so that a large encoder does not wait for one of them.
func newBackdrop(ctx context.Context, p *Plan, done *progress) (*backdrop, error) {
	st := p.stage
	d := &backdrop{plan: p, features: make([]tensor.Tensor, len(st.features))}
	inputs := make([]tensor.Tensor, len(p.inputs))
	for i, in := range p.opt.Background.Inputs() {
		if p.opt.Background.PerSample() {
			inputs[i] = in // rows are looked up by their place
			continue
		}
		inputs[i] = tensor.New(in.DType(), in.Shape()...)
		for r, from := range p.cut.order {
			inputs[i].CopyRow(r, in, from, 0, in.RowLen())
		}
	}
	rows := inputs[0].Rows()
	for f, leaf := range st.leaves {
		if leaf.Player != model.Nobody {
			d.features[f] = leafRows(leaf, inputs)
		}
	}
	v := &sides{background: d.features}
	for i := range st.earlier() {
		part := &st.parts[i]
		if part.fixed {
			continue
		}
		if err := d.fill(ctx, i, st.inputs(v, part, 0), rows, done); err != nil {
			return nil, err
		}
	}
	d.pair()
	d.findConstant()
	return d, nil
}

// pair finds the features that the run goes on with, those that combinations
// take or terms, and lets go of all others: the inputs of encoders are as large
// as the data.
func (d *backdrop) pair() {
	st := d.plan.stage
	used := make([]bool, len(d.features))
	for _, f := range st.terms {
		used[f] = true
	}
	for i := range st.parts {
		part := &st.parts[i]
		if i != st.last && (st.additive() || !part.mixes()) {
			continue
		}
		for _, f := range st.taken(part) {
			used[f] = true
		}
	}
	for f := range d.features {
		switch {
		case !used[f]:
			d.features[f] = tensor.Tensor{}
		case d.features[f].Len() > 0:
			d.paired = append(d.paired, f)
		}
	}
}

// findConstant looks for features that no background row changes.
func (d *backdrop) findConstant() {
	d.constant = make([][]byte, len(d.features))
	for _, f := range d.paired {
		if row := d.features[f].Slice(0, 1).Bytes(); repeats(d.features[f].Bytes(), row) {
			d.constant[f] = row
		}
	}
}

// still finds the modalities of which every feature is the same for all samples
// of a tile and all background rows.
func (d *backdrop) still(samples []tensor.Tensor) game.Coalition {
	var all, moving game.Coalition
	for _, f := range d.paired {
		own := d.plan.stage.features[f].ownership
		if own.fixed || own.players.Size() != 1 {
			continue // made of features that are looked at themselves
		}
		all |= own.players
		if row := d.constant[f]; row == nil || !repeats(samples[f].Bytes(), row) {
			moving |= own.players
		}
	}
	return all &^ moving
}

// repeats reports whether all is row, again and again.
func repeats(all, row []byte) bool {
	for lo := 0; lo < len(all); lo += len(row) {
		if !bytes.Equal(all[lo:lo+len(row)], row) {
			return false
		}
	}
	return len(row) > 0
}

// fill computes the outputs of part i.
func (d *backdrop) fill(ctx context.Context, i int, inputs model.Batch, rows int, done *progress) error {
	p := d.plan
	part, limit := &p.stage.parts[i], p.cut.callRows[i]
	pieces := make([][]tensor.Tensor, len(part.Outputs))
	calls := ceil(rows, limit)
	for k := range pieces {
		pieces[k] = make([]tensor.Tensor, calls)
	}
	err := share.Among(ctx, p.opt.Workers, calls, func(ctx context.Context, call int) error {
		lo := call * limit
		hi := min(rows, lo+limit)
		some, n := between(inputs, lo, hi), hi-lo
		outputs, err := p.stage.evaluate(ctx, part, some, n, 1)
		if err != nil {
			at := func(r, _ int) place { return place{background: d.row(lo + r)} }
			return p.blame(ctx, part, some, n, 1, at, err)
		}
		for k, t := range outputs {
			pieces[k][call] = t
		}
		done.add(n)
		return nil
	})
	if err != nil {
		return err
	}
	for k, f := range part.outputs() {
		d.features[f] = tensor.Concat(pieces[k]...)
	}
	return nil
}

// row is the background's own number of a row of the features.
func (d *backdrop) row(r int) int {
	if d.plan.opt.Background.PerSample() {
		return r
	}
	return d.plan.cut.order[r]
}

// chunk returns the features of a chunk of the background, [1, b, ...], sharing
// memory.
func (d *backdrop) chunk(c chunk) []tensor.Tensor {
	out := make([]tensor.Tensor, len(d.features))
	for _, f := range d.paired {
		out[f] = d.features[f].Slice(c.lo, c.hi).Reshape(grid(1, c.rows(), d.plan.stage.features[f].row)...)
	}
	return out
}

// gather copies the features of each of n samples' own rows in a chunk,
// [n, b, ...]: near lists per rows of each sample.
func (d *backdrop) gather(near []int, n, per int, c chunk) []tensor.Tensor {
	out := make([]tensor.Tensor, len(d.features))
	for _, f := range d.paired {
		from := d.features[f]
		width := from.RowLen()
		out[f] = tensor.New(from.DType(), grid(n, c.rows(), d.plan.stage.features[f].row)...)
		for i := range n {
			for k, row := range near[i*per+c.lo : i*per+c.hi] {
				out[f].CopyElements((i*c.rows()+k)*width, from, row*width, width)
			}
		}
	}
	return out
}
