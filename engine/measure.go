package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intershap/intershap/game"
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
// workers of the plain way, until limit has passed. Nothing of a run depends on
// it.
func (p *Plan) Measure(ctx context.Context, limit time.Duration) (Speed, error) {
	batch := make(model.Batch, len(p.inputs))
	for i, t := range p.repeated(p.plainBatch) {
		batch[i] = model.Named{Name: p.inputs[i].Name, Tensor: t, Missing: p.missing[i]}
	}
	return p.measure(ctx, limit, batch.Rows(), func(ctx context.Context) error {
		_, err := p.opt.Model.Predict(ctx, batch)
		return err
	})
}

// MeasureParts asks each part about background rows, in calls as the plan makes
// them, and returns the parts with the seconds that their rows would take. It
// takes about as long as limit for all parts together. Nothing of a run depends
// on it.
func (p *Plan) MeasureParts(ctx context.Context, limit time.Duration) ([]PartCost, error) {
	parts := p.Parts()
	if p.stage == nil {
		speed, err := p.Measure(ctx, limit)
		if err != nil {
			return nil, err
		}
		parts[0].Seconds = speed.Seconds(parts[0].Rows)
		return parts, nil
	}
	st := p.stage
	samples, rows := min(p.n, p.tile), 1
	if len(p.cut.chunks) > 0 {
		rows = p.cut.chunks[0].rows()
	}
	v, err := st.sidesOf(ctx, p.repeated(samples), p.repeated(rows))
	if err == nil {
		err = st.mix(ctx, v, p.patternsOf(p.typicalPatterns(), 0), samples, rows, func(int) {}, func(part *stagedPart, _ game.Coalition, err error) error {
			return partError(part, err)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	for i := range parts {
		n, call := p.typicalCall(i, v)
		speed, err := p.measure(ctx, limit/time.Duration(len(parts)), n, call)
		if err != nil {
			return nil, fmt.Errorf("engine: %w", partError(&st.parts[i], err))
		}
		parts[i].Seconds = speed.Seconds(parts[i].Rows)
	}
	return parts, nil
}

// typicalPattern returns the modalities that are the sample's own in most calls of
// part i, one mixture standing for all.
func (p *Plan) typicalPattern(i int) game.Coalition {
	if len(p.patterns[i]) > 0 && !p.stage.additive() {
		return p.patterns[i][0]
	}
	return p.stage.parts[i].players
}

// typicalPatterns returns those of all parts.
func (p *Plan) typicalPatterns() []game.Coalition {
	var out []game.Coalition
	for i := range p.stage.parts {
		out = append(out, p.typicalPattern(i))
	}
	return out
}

// typicalCall returns the call that part i makes most often, and its rows.
func (p *Plan) typicalCall(i int, v *sides) (rows int, call func(context.Context) error) {
	st, part := p.stage, &p.stage.parts[i]
	inputs := st.inputs(v, part, p.typicalPattern(i))
	n, b := pairsIn(inputs)
	if i == st.last && part.summer != nil {
		return n * b, func(ctx context.Context) error {
			_, err := p.sumRows(ctx, inputs, []int{b}, n)
			return err
		}
	}
	return n * b, func(ctx context.Context) error {
		_, err := st.evaluate(ctx, part, inputs, n, b)
		return err
	}
}

// measure makes calls of some rows from all workers until limit has passed.
func (p *Plan) measure(ctx context.Context, limit time.Duration, each int, call func(context.Context) error) (Speed, error) {
	// The first call is slower: memory is allocated, code is read.
	if err := call(ctx); err != nil {
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
				if err := call(ctx); err != nil {
					cancel(err)
					return
				}
				rows.Add(int64(each))
				if time.Since(start) >= limit {
					return
				}
			}
		})
	}
	group.Wait()
	return Speed{Rows: rows.Load(), Elapsed: time.Since(start), Workers: p.opt.Workers}, context.Cause(ctx)
}

// repeated returns background rows, repeated until there are n.
func (p *Plan) repeated(n int) []tensor.Tensor {
	var out []tensor.Tensor
	for _, rows := range p.opt.Background.Inputs() {
		t := tensor.New(rows.DType(), append([]int{n}, rows.Shape()[1:]...)...)
		for r := range n {
			t.CopyRow(r, rows, r%rows.Rows(), 0, rows.RowLen())
		}
		out = append(out, t)
	}
	return out
}
