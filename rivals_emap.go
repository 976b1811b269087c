package intershap

import (
	"context"
	"errors"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/rival"
)

// emap projects the model onto sums of one part for each modality.
func (r *rivals) emap(ctx context.Context) error {
	p := r.plan
	if len(p.opt.Fixed) > 0 {
		r.unfit(rival.ScoreEMAP, "", "inputs are fixed, and a pair of samples would mix the fixed input of one with a modality of the other: make them part of a modality")
		return nil
	}
	project := r.product
	if len(p.modalities) == 2 {
		project = r.allPairs
	}
	in, of, err := project(ctx)
	var outside *engine.TransformError
	switch {
	case errors.As(err, &outside):
		r.unfit(rival.ScoreEMAP, "", "every column must be finite for every pair, and is not (%v): take another transform", err)
		return nil
	case errors.Is(err, engine.ErrMemory):
		r.unfit(rival.ScoreEMAP, "", "its outputs do not fit into memory (%v)", err)
		return nil
	case err != nil:
		return err
	}
	in.Labels, in.Threshold = r.truth.of(of.Drawn), p.threshold()
	if of.EMAP, err = rival.NewEMAP(in); err != nil {
		return err
	}
	if of.Unfit != nil {
		reason := of.Unfit.Reason
		if in.Labels == nil {
			reason = r.truth.needed()
		}
		of.Unfit = r.unfit(rival.ScoreEMAP, "gap in accuracy and F1", "%s", reason)
	}
	r.scores.EMAP = &of
	return nil
}

// threshold is the transformed output from which on a single column is the second
// class.
func (p *Plan) threshold() float64 {
	at := []float64{p.output.middle()}
	if p.task == Binary {
		p.opt.Transform.Apply(at)
	}
	return at[0]
}

// allPairs is EMAP as published, over the pairs of the samples, whatever the mask and
// the background of the question.
func (r *rivals) allPairs(ctx context.Context) (rival.EMAPInput, EMAPScore, error) {
	p := r.plan
	fail := func(err error) (rival.EMAPInput, EMAPScore, error) { return rival.EMAPInput{}, EMAPScore{}, err }
	rows, err := p.drawRows(ctx, p.samples, "marginal", r.opt.EMAPSamples)
	if err != nil {
		return fail(err)
	}
	samples := drawnSamples{p.samples.Inputs(), rows}
	q, err := p.beside(ctx, samples, rows, engine.Target{Choice: engine.Columns, Columns: []int{0}}, p.opt.Transform, p.opt.Progress)
	if err != nil {
		return fail(err)
	}
	r.begin(rival.ScoreEMAP, q.engine.PairRows())
	width := p.output.width
	sums := rival.NewPairs(samples.Len(), width)
	cost, err := q.engine.Pairs(ctx, func(_ int, outputs []float64) error {
		return sums.Add(rival.Matrix{Rows: len(outputs) / width, Cols: width, Data: outputs})
	})
	if err := errors.Join(err, q.Close()); err != nil {
		return fail(err)
	}
	r.scores.Rows[rival.ScoreEMAP] = cost.Rows
	in, err := sums.Input()
	return in, EMAPScore{Samples: samples.Len(), Drawn: samples.numbers(p.samples.Len())}, err
}

// product is EMAP for any number of modalities, over rows whose modalities were
// shuffled independently of each other. The run evaluates all coalitions, of which
// those of one modality are needed.
func (r *rivals) product(ctx context.Context) (rival.EMAPInput, EMAPScore, error) {
	p := r.plan
	fail := func(err error) (rival.EMAPInput, EMAPScore, error) { return rival.EMAPInput{}, EMAPScore{}, err }
	rows, err := p.drawRows(ctx, shuffledRows{p.samples, p.modalities, p.opt.Seed}, "marginal", max(0, p.opt.BackgroundSize))
	if err != nil {
		return fail(err)
	}
	q, err := p.beside(ctx, p.samples, rows, p.allColumns(), p.opt.Transform, p.opt.Progress)
	if err != nil {
		return fail(err)
	}
	r.begin(rival.ScoreEMAP, q.engine.Rows())
	n, width, m := p.samples.Len(), p.output.width, len(p.modalities)
	in := rival.EMAPInput{Design: rival.Product, Outputs: emptyMatrix(n, width), Mains: make([]rival.Matrix, m)}
	for i := range m {
		in.Mains[i] = emptyMatrix(n, width)
	}
	cost, err := q.engine.Run(ctx, func(t *engine.Tile) error {
		for i := range t.Samples() {
			for c := range width {
				v := t.Values.Game(c*t.Samples() + i)
				at := (t.Lo+i)*width + c
				in.Outputs.Data[at] = v[game.Grand(m)]
				for k := range m {
					in.Mains[k].Data[at] = v[game.Coalition(0).With(k)]
				}
				if at < width { // v({}) is the same for all samples
					in.Mean = append(in.Mean, v[0])
				}
			}
		}
		return nil
	})
	if err := errors.Join(err, q.Close()); err != nil {
		return fail(err)
	}
	r.scores.Rows[rival.ScoreEMAP] = cost.Rows
	return in, EMAPScore{Samples: n, Background: rows.Drawn()}, nil
}

// emptyMatrix returns zeros.
func emptyMatrix(rows, cols int) rival.Matrix {
	return rival.Matrix{Rows: rows, Cols: cols, Data: make([]float64, rows*cols)}
}
