package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Speed is how many rows a model answered in some time.
type Speed struct {
	Rows    int64
	Elapsed time.Duration
	Workers int
}

// Seconds returns the time that rows would take.
func (s Speed) Seconds(rows int64) float64 {
	return s.Elapsed.Seconds() * float64(rows) / float64(s.Rows)
}

// Measure asks the model about background rows, in the batches and from the
// workers of the plan, until limit has passed. Nothing of a run depends on it.
func (p *Plan) Measure(ctx context.Context, limit time.Duration) (Speed, error) {
	batch := p.probeBatch()
	// The first call is slower: memory is allocated, code is read.
	if _, err := p.opt.Model.Predict(ctx, batch); err != nil {
		return Speed{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var rows atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range p.opt.Workers {
		group.Go(func() {
			for ctx.Err() == nil {
				if _, err := p.opt.Model.Predict(ctx, batch); err != nil {
					cancel(err)
					return
				}
				rows.Add(int64(batch.Rows()))
				if time.Since(start) >= limit {
					return
				}
			}
		})
	}
	group.Wait()
	return Speed{Rows: rows.Load(), Elapsed: time.Since(start), Workers: p.opt.Workers}, context.Cause(ctx)
}

// probeBatch repeats the background rows until they fill a batch.
func (p *Plan) probeBatch() model.Batch {
	var batch model.Batch
	for i, rows := range p.opt.Background.Inputs() {
		t := tensor.New(rows.DType(), append([]int{p.batch}, rows.Shape()[1:]...)...)
		for r := range p.batch {
			t.CopyRow(r, rows, r%rows.Rows(), 0, rows.RowLen())
		}
		batch = append(batch, model.Named{Name: p.inputs[i].Name, Tensor: t})
	}
	return batch
}
