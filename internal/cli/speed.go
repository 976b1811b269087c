package cli

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// probeTime bounds the measurement of a model's speed, but for calls under way.
const probeTime = 500 * time.Millisecond

// A speed is the rows that a model answered in some time.
type speed struct {
	rows    int64
	elapsed time.Duration
	workers int
}

// measureSpeed asks the model about real rows in the batches that the plan
// would send, from as many workers, 0 for one a processor.
func measureSpeed(ctx context.Context, m model.Model, plan *intershap.Plan, workers int) (speed, error) {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	batch := probeBatch(plan)
	// The first calls are slower: memory is allocated, code is read.
	if _, err := m.Predict(ctx, batch); err != nil {
		return speed{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var rows atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range workers {
		group.Go(func() {
			for ctx.Err() == nil {
				if _, err := m.Predict(ctx, batch); err != nil {
					cancel(err)
					return
				}
				rows.Add(int64(batch.Rows()))
				if time.Since(start) >= probeTime {
					return
				}
			}
		})
	}
	group.Wait()
	return speed{rows: rows.Load(), elapsed: time.Since(start), workers: workers}, context.Cause(ctx)
}

// probeBatch repeats the background rows until they fill a batch.
func probeBatch(plan *intershap.Plan) model.Batch {
	n := plan.Engine().BatchRows()
	var batch model.Batch
	for i, rows := range plan.Background().Inputs() {
		t := tensor.New(rows.DType(), append([]int{n}, rows.Shape()[1:]...)...)
		for r := range n {
			t.CopyRow(r, rows, r%rows.Rows(), 0, rows.RowLen())
		}
		batch = append(batch, model.Named{Name: plan.Inputs()[i].Name, Tensor: t})
	}
	return batch
}
