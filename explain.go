package intershap

import (
	"context"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
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
}

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
	if err := p.Affordable(); err != nil {
		return nil, err
	}
	if err := p.Prepare(ctx, nil); err != nil {
		return nil, err
	}
	provenance, err := p.provenance(ctx)
	if err != nil {
		return nil, err
	}
	difference, err := engine.Independence(ctx, p.model, p.output.name, p.samples.Inputs(), p.first.Inputs)
	if err != nil {
		return nil, err
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
			return nil, err
		}
	}
	cost, err := p.evaluate(ctx, provenance, c.tile)
	if err != nil {
		return nil, err
	}
	total, err := c.tiles.Total()
	if err != nil {
		return nil, err
	}
	if err := c.families.finish(); err != nil {
		return nil, err
	}
	e := &Explanation{local: c.local, phi: c.phi}
	e.Schema, e.Provenance, e.Classes, e.Modalities = result.Schema, provenance, p.classes, p.names()
	e.Groups = p.groups()
	e.Cost = result.Cost{
		RowsNaive: p.engine.NaiveRows(),
		Rows:      map[string]int64{},
		Seconds:   cost.Evaluation.Seconds(),
	}
	for _, part := range p.engine.Parts() {
		e.Cost.Rows[part.Name] = part.Rows
	}
	var doubts diag.List
	for t := range p.target.names {
		target, summary := p.summarise(total, t, c)
		p.warnAboutTarget(&doubts, target, summary)
		p.interactions(&target, t, c.families, summary, &doubts)
		e.Targets = append(e.Targets, target)
		e.errors = append(e.errors, p.sourceErrors(summary, target.Headline))
	}
	warnings.Append(folded(doubts.All())...)
	e.Warnings = warnings.All()
	return e, nil
}

// sameRow is the relative difference that rounding explains between two answers
// for the same row.
const sameRow = 1e-5

func (p *Plan) samplesHeader() result.SamplesHeader {
	return result.SamplesHeader{
		Modalities: p.names(),
		Targets:    p.target.names,
		Samples:    p.samples.Len(),
		IDs:        p.first.IDs.DType(),
		ByTarget:   p.target.all,
		Sampled:    p.Sampled(),
	}
}

// summarise reads one target out of the sums.
func (p *Plan) summarise(total *score.Accumulator, t int, c *collector) (result.Target, *score.Summary) {
	opt := p.scoreOptions()
	names, groups := p.names(), p.groups()
	opt.Parts = result.GroupParts(groups)
	s := total.Summary(t, opt)
	opt.Parts = nil // classes are not broken down by modality
	out := result.Target{
		Target:            p.target.names[t],
		Headline:          p.target.headline(),
		Breakdown:         result.NewBreakdown(s, names),
		Residual:          c.residual[t],
		ResidualTolerance: c.tolerance(t),
		Across:            result.NewAcross(s, groups),
	}
	if c.layout.Groups > 1 {
		out.ByClass = []result.Class{}
		for g := range c.layout.Groups {
			if part := total.Summary(t, opt, g); part != nil {
				out.ByClass = append(out.ByClass, result.Class{Class: p.classes[g], Breakdown: result.NewBreakdown(part, names)})
			}
		}
	}
	return out, s
}

// scoreOptions are the level of intervals and the distribution that they are from.
func (p *Plan) scoreOptions() score.Options {
	return score.Options{Level: p.opt.Level, Quantile: func(prob, df float64) float64 {
		return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(prob)
	}}
}

// provenance names and hashes what the run reads.
func (p *Plan) provenance(ctx context.Context) (result.Provenance, error) {
	out := result.Provenance{
		Version: Version(), Output: p.output.name, Task: p.task.String(), Transform: p.opt.Transform.String(),
		Index: "SII", Order: 2, Convention: p.opt.Convention.String(), Plan: p.Kind().String(), Additive: p.engine.Additive(),
		Sampling: p.sampling(), Seed: p.opt.Seed, Level: p.opt.Level, Memory: p.opt.Memory,
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
