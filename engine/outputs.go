package engine

import (
	"context"

	"github.com/intershap/intershap/game"
)

// Outputs asks the whole model about the plan's samples as they are, whatever the
// plan, and hands out what it gives before the transform: rows of Width columns,
// from sample lo on, in order and from one goroutine. each must not keep them. Calls
// have the same rows for any number of workers. A sample that lacks modalities is an
// error.
func (p *Plan) Outputs(ctx context.Context, each func(lo int, outputs []float64) error) (Cost, error) {
	if err := p.undivided(); err != nil {
		return Cost{}, err
	}
	q := *p
	q.stage, q.batch, q.tile, q.to = nil, p.plainBatch, p.plainBatch, 0 // a tile is a call
	run := &outputsRun{fullRun{plan: &q, progress: &progress{total: int64(p.n), tell: p.opt.Progress}}}
	took, err := q.stream(ctx, run, nothing{}, func(t *Tile) error { return each(t.Lo, t.outputs) })
	if err != nil {
		return Cost{}, err
	}
	return Cost{Rows: int64(p.n), Evaluation: took}, nil
}

// outputsRun shares nothing but the plan.
type outputsRun struct{ fullRun }

func (run *outputsRun) prepare(context.Context) error { return nil }
func (run *outputsRun) worker() evaluator             { return fullOutputs{newFull(&run.fullRun)} }

// fullOutputs runs the samples of a tile, which fit into one call.
type fullOutputs struct{ *full }

func (f fullOutputs) evaluate(ctx context.Context, tile *Tile) error {
	p, n := f.run.plan, tile.Samples()
	if err := p.complete(tile); err != nil {
		return err
	}
	all := game.Grand(p.m)
	for r := range n {
		p.copies[p.width()-1].fill(f.batch, r, 1, tile.inputs, r, nil, 0, nil)
	}
	at := func(r int) place { return place{tile: tile, sample: r, coalition: all} }
	if err := f.predict(ctx, n, at); err != nil {
		return err
	}
	tile.outputs = append(tile.outputs, f.outputs[:n*p.opt.Width]...)
	f.run.progress.add(n)
	return nil
}
