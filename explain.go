package intershap

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Explain measures how much of m's behaviour on samples is interaction between
// modalities. Absent modalities are filled from rows; nil takes the samples
// themselves, with a warning.
//
// The work is N·B·(2^M−2) + N + B model rows for N samples, B background rows
// and M modalities, or less where the model can be cut into parts
// (model.Staged). Results are the same to the last bit for the same data,
// seed and options, whatever the workers.
func Explain(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (*Explanation, error) {
	p, ex, err := explain(ctx, m, samples, rows, opt)
	if err != nil {
		return nil, err
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	return ex, nil
}

// An Explanation is the result of a run.
type Explanation struct {
	result.Explanation
	// local and phi hold the first target's samples when they are kept.
	local []score.Share
	phi   []float64
	// errors are those of each target's headline.
	errors []sourceErrors
	// guessed is set when the task was not given.
	guessed bool
}

// TaskGuessed reports whether the task was not given, but guessed from the output.
func (e *Explanation) TaskGuessed() bool { return e.guessed }

// Global returns the first target's global aggregation: means before absolute
// values.
func (e *Explanation) Global() result.GlobalAggregate { return e.Targets[0].Global }

// ByClass returns the first target broken down by predicted class; nil without
// classes.
func (e *Explanation) ByClass() []result.Class { return e.Targets[0].ByClass }

// Samples returns the number of samples.
func (e *Explanation) Samples() int { return e.Provenance.Data.Samples }

// Local returns the InterSHAP of sample i for the first target. It is undefined
// for a sample without behaviour, and for all when the samples went into a sink.
func (e *Explanation) Local(i int) score.Share {
	if len(e.local) == 0 {
		return score.Share{}
	}
	return e.local[i]
}

// Phi returns the paper's matrix of sample i for the first target, or nil when
// the samples went into a sink.
func (e *Explanation) Phi(i int) [][]float64 {
	if len(e.local) == 0 {
		return nil
	}
	m := len(e.Modalities)
	out := make([][]float64, m)
	for r := range out {
		out[r] = e.phi[(i*m+r)*m : (i*m+r+1)*m]
	}
	return out
}

// Explain runs the plan.
func (p *Plan) Explain(ctx context.Context) (*Explanation, error) {
	if !p.opt.Shard.whole() {
		return nil, fmt.Errorf("intershap: shard %d of %d has no result of its own: write its Partial, and Merge all of them", p.opt.Shard.Index+1, p.opt.Shard.Of)
	}
	provenance, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	found, c, err := p.run(ctx, provenance)
	if err != nil {
		return nil, err
	}
	e, err := found.explanation()
	if err != nil {
		return nil, err
	}
	e.local, e.phi = c.local, c.phi
	return e, nil
}

// ready does all that comes before the first row, and says what the run reads.
func (p *Plan) ready(ctx context.Context) (result.Provenance, error) {
	if err := p.Affordable(); err != nil {
		return result.Provenance{}, err
	}
	if err := p.Prepare(ctx, nil); err != nil {
		return result.Provenance{}, err
	}
	return p.provenance(ctx)
}

// run evaluates the plan's tiles and adds them up.
func (p *Plan) run(ctx context.Context, provenance result.Provenance) (*Partial, *collector, error) {
	difference, err := engine.Independence(ctx, p.model, p.output.name, p.samples.Inputs(), p.first.Inputs)
	if err != nil {
		return nil, nil, err
	}
	warnings := p.warnings
	if !(difference <= sameRow) { // NaN too
		warnings.Add("rows-not-independent", p.output.name,
			"the same row got another output in another batch (relative difference %.2g), so every value depends on how rows were batched; export the model for inference (no dropout, no batch statistics)", difference)
	}
	c := p.collector
	p.collector = nil // it adds up one run
	if p.opt.Sink != nil {
		if err := p.opt.Sink.Begin(p.samplesHeader()); err != nil {
			return nil, nil, err
		}
	}
	cost, err := p.evaluate(ctx, provenance, c.tile)
	if err != nil {
		return nil, nil, err
	}
	found := &Partial{
		provenance: provenance, facts: c.facts, warnings: warnings.All(), guessed: p.opt.Task == Guess,
		tiles: tileRange{Of: p.engine.Tiles(), Samples: p.engine.TileSamples()},
		cost:  result.Cost{RowsNaive: p.engine.NaiveRows(), Rows: map[string]int64{}, Seconds: cost.Evaluation.Seconds()},
		sums:  sums{tiles: c.tiles, residual: c.residual, magnitude: c.magnitude},
	}
	found.tiles.From, found.tiles.To = p.engine.Range()
	for _, part := range p.engine.Parts() {
		found.cost.Rows[part.Name] = part.Rows
	}
	for _, f := range c.families {
		found.sums.families = append(found.sums.families, familySums{familyName{f.index, f.order}, f.tiles})
	}
	return found, c, nil
}

// sameRow is the relative difference that rounding explains between two answers
// for the same row.
const sameRow = 1e-5

func (p *Plan) samplesHeader() result.SamplesHeader {
	from, to := p.engine.Range()
	lo, hi := tileRange{From: from, To: to, Samples: p.engine.TileSamples()}.bounds(p.samples.Len())
	return result.SamplesHeader{
		Modalities: p.names(),
		Targets:    p.target.names,
		Samples:    hi - lo,
		IDs:        p.first.IDs.DType(),
		ByTarget:   p.target.all,
		Sampled:    p.Sampled(),
		HasPresent: p.cohort.patterns != nil,
	}
}

// provenance names and hashes what the run reads.
func (p *Plan) provenance(ctx context.Context) (result.Provenance, error) {
	out := result.Provenance{
		Version: Version(), Output: p.output.name, Task: p.task.String(), Transform: p.opt.Transform.String(),
		Index: "SII", Order: 2, Convention: p.opt.Convention.String(), Plan: p.Kind().String(), Additive: p.engine.Additive(),
		Sampling: p.sampling(), Seed: p.opt.Seed, Level: p.opt.Level, Memory: p.opt.Memory,
		Cluster: p.opt.Cluster, Weight: p.opt.Weight, Missing: p.opt.Missing, Pad: p.opt.Pad,
	}
	if m, ok := p.model.(interface{ Digest() string }); ok {
		out.Model.SHA256 = m.Digest()
	}
	if m, ok := p.model.(interface{ Path() string }); ok {
		out.Model.Source = m.Path()
	}
	if m, ok := p.model.(interface{ Runtime() string }); ok {
		out.Runtime = m.Runtime()
	}
	digest := func(f dataset.File) (result.Source, error) {
		s := result.Source{Source: f.Path()}
		if f.Path() == dataset.MemoryPath {
			return s, nil
		}
		var err error
		s.SHA256, err = dataset.Digest(ctx, f.Path())
		return s, err
	}
	var err error
	if out.Data.Source, err = digest(p.samples.File()); err != nil {
		return out, err
	}
	out.Data.Samples = p.samples.Len()
	out.Background.Source = out.Data.Source
	if p.rows != p.samples {
		if out.Background.Source, err = digest(p.rows.File()); err != nil {
			return out, err
		}
	}
	out.Background.Rows, out.Background.Mask = p.background.Drawn(), p.background.Mask().String()
	return out, nil
}
