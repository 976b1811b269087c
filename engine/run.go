package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/tensor"
)

// A Tile is the answer for consecutive samples [Lo, Hi).
type Tile struct {
	Number, Lo, Hi int
	// Rows are the samples' ids, labels and inputs.
	Rows dataset.Rows
	// Predicted is each sample's predicted class, by its output before the
	// transform.
	Predicted []int
	// Columns[i*T+t] is the output column that target t of the T explains of
	// sample i.
	Columns []int
	// Values[t*n+i] holds the value table of target t and the tile's sample i;
	// n is Hi−Lo. Tables are partial where the plan lists coalitions.
	Values game.Tables
	// BlockValues holds the same tables over the background rows of each block
	// alone: table (k*T+t)*n+i for block k of the T targets. It has no games
	// when the background has no blocks.
	BlockValues game.Tables
	// outputs holds the rows that [Plan.Outputs] and [Plan.Pairs] give away.
	outputs []float64
	// inputs are what evaluators see of the samples; has is what each of them has, nil
	// where all have every modality. See [Plan.shown].
	inputs []tensor.Tensor
	has    []game.Coalition
}

// Samples returns the number of samples in the tile.
func (t *Tile) Samples() int { return t.Hi - t.Lo }

// An evaluator fills the value tables of tiles. One evaluator serves one worker.
type evaluator interface {
	evaluate(ctx context.Context, tile *Tile) error
}

// A method is what the evaluators of a run share. It is prepared once, before
// any of them starts.
type method interface {
	prepare(ctx context.Context) error
	worker() evaluator
}

// method returns the plan's way to evaluate.
func (p *Plan) method(done *progress) method {
	switch {
	case p.stage == nil:
		return &fullRun{plan: p, progress: done}
	case p.stage.additive():
		return &additiveRun{plan: p, progress: done}
	default:
		return &stagedRun{plan: p, progress: done}
	}
}

// Cost is what a run took.
type Cost struct {
	// Rows is the number of model rows that the plan counts. Samples that lack
	// modalities take fewer rows of the whole model, and may take some more of the last
	// part of a model in parts.
	Rows int64
	// Evaluation is the time from the first model row to the last.
	Evaluation time.Duration
}

// Run evaluates the plan, or its shard, and calls each with every tile, in order, from
// one goroutine. It stops at the first error, its own, the model's or that of each.
// No goroutine outlives the call.
func (p *Plan) Run(ctx context.Context, each func(*Tile) error) (Cost, error) {
	return p.Resume(ctx, nothing{}, each)
}

// Resume is Run with a checkpoint: tiles that it has are taken from it, others
// are evaluated and saved before each sees them. The progress counts the rows
// that are left to evaluate; the cost has the rows of the plan, or of its
// shard, and the time of this call.
//
// What tiles share, v({}) and what parts make of the background, is computed
// again: the same rows in the same batches give the same bits.
func (p *Plan) Resume(ctx context.Context, kept Checkpoint, each func(*Tile) error) (Cost, error) {
	run := p.method(&progress{total: p.RunRows() - p.keptSamples(kept)*p.sampleRows(), tell: p.opt.Progress})
	took, err := p.stream(ctx, run, kept, each)
	if err != nil {
		return Cost{}, err
	}
	return Cost{Rows: p.RunRows(), Evaluation: took}, nil
}

// stream prepares a method, has its evaluators answer the plan's tiles and hands
// them to each, in order. It returns the time from the first model row to the last.
func (p *Plan) stream(ctx context.Context, run method, kept Checkpoint, each func(*Tile) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	if err := run.prepare(ctx); err != nil {
		return 0, err
	}
	// Tokens bound the tiles in memory: those read, evaluated, or waiting for
	// their turn. The channels hold them all: while workers are in native code
	// the scheduler may leave the reader and the caller waiting for milliseconds,
	// and a worker must find its next tile all the same.
	inFlight := tilesPerWorker * p.opt.Workers
	tokens := make(chan struct{}, inFlight)
	todo, done := make(chan *Tile, inFlight), make(chan *Tile, inFlight)
	var workers sync.WaitGroup
	workers.Go(func() {
		defer close(todo)
		if err := p.read(ctx, tokens, todo); err != nil {
			cancel(err)
		}
	})
	for range p.opt.Workers {
		workers.Go(func() {
			e := run.worker()
			for tile := range todo {
				if err := p.answer(ctx, e, kept, tile); err != nil {
					cancel(err)
					return
				}
				select {
				case done <- tile:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	defer workers.Wait()
	defer cancel(nil) // before Wait: workers may be blocked on their channels
	waiting := map[int]*Tile{}
	for next, to := p.Range(); next < to; {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if tile, ok := waiting[next]; ok {
			delete(waiting, next)
			if err := each(tile); err != nil {
				return 0, err
			}
			<-tokens
			next++
			continue
		}
		select {
		case tile := <-done:
			waiting[tile.Number] = tile
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	return time.Since(start), nil
}

// read feeds the samples of each tile into todo.
func (p *Plan) read(ctx context.Context, tokens chan<- struct{}, todo chan<- *Tile) error {
	from, to := p.Range()
	for number := from; number < to; number++ {
		select {
		case tokens <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		lo, hi := p.bounds(number)
		rows, err := p.opt.Samples.Read(ctx, lo, hi)
		if err != nil {
			return fmt.Errorf("engine: samples %d to %d: %w", lo, hi-1, err)
		}
		select {
		case todo <- &Tile{Number: number, Lo: lo, Hi: hi, Rows: rows}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// progress counts model rows.
type progress struct {
	mu          sync.Mutex
	done, total int64
	tell        func(done, total int64)
}

// A limited progress takes a known number of rows and no more.
type limited struct {
	of   *progress
	left int
}

// atMost returns a progress for so many rows.
func (p *progress) atMost(rows int) *limited { return &limited{p, rows} }

// add counts rows, up to the limit.
func (l *limited) add(rows int) {
	if rows = min(rows, l.left); rows > 0 {
		l.left -= rows
		l.of.add(rows)
	}
}

// rest counts what is left.
func (l *limited) rest() { l.add(l.left) }

func (p *progress) add(rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += int64(rows)
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
}
