package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Stage cuts the model of a run along its modalities and holds the parts against
// the whole. The error is a [*model.Uncut] where the model is no [model.Staged],
// cannot be cut or comes out wrong; then the plain way remains. The caller closes
// the stages.
func Stage(ctx context.Context, opt Options) (*model.Stages, error) {
	staged, ok := opt.Model.(model.Staged)
	if !ok {
		return nil, &model.Uncut{Reason: "this kind of model is not evaluated in parts"}
	}
	p, err := planOf(opt)
	if err != nil {
		return nil, err
	}
	if at := slices.Index(p.missing, true); at >= 0 {
		return nil, &model.Uncut{Reason: fmt.Sprintf("input %q tells absence by NaN, which parts do not take", p.inputs[at].Name)}
	}
	leaves, err := leavesOf(opt.Modalities, p.inputs, opt.Background.Inputs())
	if err != nil {
		return nil, err
	}
	look, err := p.lookAt(ctx)
	if err != nil {
		return nil, err
	}
	stages, err := staged.Stage(ctx, model.Question{
		Leaves: leaves, Output: opt.Output, Width: opt.Width, Transform: opt.Transform.String(), Rows: look.rows(p),
	})
	if err != nil {
		return nil, err
	}
	if p.stage, err = newStaging(stages, leaves, p.inputs, opt.Modalities, opt.Width); err == nil {
		err = p.verify(ctx, look)
	}
	if err != nil {
		// The reason not to use them is what counts.
		_ = stages.Close()
		return nil, err
	}
	return stages, nil
}

// leavesOf cuts the rows of all inputs along the modalities: a leaf is an input,
// or a part of its axis 1.
func leavesOf(modalities []dataset.Modality, specs []tensor.Spec, inputs []tensor.Tensor) ([]model.Leaf, error) {
	var leaves []model.Leaf
	for _, s := range ownedSpans(modalities, inputs) {
		in := inputs[s.input]
		row := in.Shape()[1:]
		leaf := model.Leaf{Name: specs[s.input].Name, Input: s.input, Lo: s.lo, Hi: s.hi, Shape: row, Player: s.owner}
		if s.hi-s.lo < in.RowLen() {
			step := length(row[1:]) // elements of a place on axis 1
			if s.lo%step != 0 || s.hi%step != 0 {
				return nil, &model.Uncut{Reason: fmt.Sprintf("elements %d to %d of input %q are no part of its axis 1, so the graph cannot be cut there", s.lo, s.hi-1, leaf.Name)}
			}
			leaf.Name = fmt.Sprintf("%s[%d:%d]", leaf.Name, s.lo/step, s.hi/step)
			leaf.Shape = append([]int{(s.hi - s.lo) / step}, row[1:]...)
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// A look is a few samples and background rows.
type look struct {
	samples, background []tensor.Tensor
}

// lookSamples and lookBackground are the most rows of a look.
const (
	lookSamples    = 4
	lookBackground = 8
)

// lookAt picks samples and background rows, spread over all there are.
func (p *Plan) lookAt(ctx context.Context) (look, error) {
	var v look
	pieces := make([][]tensor.Tensor, len(p.inputs))
	n := min(lookSamples, p.n)
	for i := range n {
		at := i * p.n / n
		rows, err := p.opt.Samples.Read(ctx, at, at+1)
		if err != nil {
			return v, fmt.Errorf("engine: sample %d: %w", at, err)
		}
		// What a sample lacks is nothing to hold parts against the whole with.
		inputs, _, err := p.shown(rows)
		if err != nil {
			return v, fmt.Errorf("engine: sample %d: %w", at, err)
		}
		for k, in := range inputs {
			pieces[k] = append(pieces[k], in)
		}
	}
	for i, in := range p.opt.Background.Inputs() {
		v.samples = append(v.samples, tensor.Concat(pieces[i]...))
		all := in.Rows()
		b := min(lookBackground, all)
		some := tensor.New(in.DType(), append([]int{b}, in.Shape()[1:]...)...)
		for r := range b {
			some.CopyRow(r, in, r*all/b, 0, in.RowLen())
		}
		v.background = append(v.background, some)
	}
	return v, nil
}

// rows returns all rows of the look as the model's inputs.
func (v look) rows(p *Plan) model.Batch {
	batch := make(model.Batch, len(p.inputs))
	for i, in := range p.inputs {
		batch[i] = model.Named{Name: in.Name, Tensor: tensor.Concat(v.samples[i], v.background[i])}
	}
	return batch
}
