package intershap

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// Explain measures how much of m's behaviour on samples is interaction between
// modalities. Absent modalities are filled from rows; nil takes the samples
// themselves, with a warning.
//
// The work is N·B·(2^M−2) + N + B model rows for N samples, B background rows
// and M modalities. Results are the same to the last bit for the same data,
// seed and options, whatever the workers.
func Explain(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (*Explanation, error) {
	p, err := NewPlan(ctx, m, samples, rows, opt)
	if err != nil {
		return nil, err
	}
	return p.Explain(ctx)
}

// An Explanation is the result of a run.
type Explanation struct {
	result.Explanation
	modalities int
	samples    int
	// local and phi hold the first target's samples when they are kept.
	local []score.Share
	phi   []float64
}

// Global returns the first target's global aggregation: means before absolute
// values.
func (e *Explanation) Global() result.GlobalAggregate { return e.Targets[0].Global }

// ByClass returns the first target broken down by predicted class; nil without
// classes.
func (e *Explanation) ByClass() []result.Class { return e.Targets[0].ByClass }

// Samples returns the number of samples.
func (e *Explanation) Samples() int { return e.samples }

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
	m := e.modalities
	out := make([][]float64, m)
	for r := range out {
		out[r] = e.phi[(i*m+r)*m : (i*m+r+1)*m]
	}
	return out
}

// maxSections bounds targets times classes: beyond it the breakdown of every
// target by every predicted class is left out.
const maxSections = 1024

// Explain runs the plan.
func (p *Plan) Explain(ctx context.Context) (*Explanation, error) {
	provenance, err := p.provenance(ctx)
	if err != nil {
		return nil, err
	}
	difference, err := engine.Independence(ctx, p.model, p.output.name, p.samples.Inputs(), p.first.Inputs)
	if err != nil {
		return nil, err
	}
	if difference > sameRow {
		p.warnings.Add("rows-not-independent", p.output.name,
			"the same row got another output in another batch (relative difference %.2g): sums cannot add up; export the model for inference (no dropout, no batch statistics)", difference)
	}
	c := newCollector(p)
	if p.opt.Sink != nil {
		if err := p.opt.Sink.Begin(p.samplesHeader()); err != nil {
			return nil, err
		}
	}
	cost, err := p.engine.Run(ctx, c.tile)
	if err != nil {
		return nil, err
	}
	total, err := c.tiles.Total()
	if err != nil {
		return nil, err
	}
	e := &Explanation{modalities: len(p.modalities), samples: p.samples.Len(), local: c.local, phi: c.phi}
	e.Schema, e.Provenance, e.Classes = result.Schema, provenance, p.classes
	for _, m := range p.modalities {
		e.Modalities = append(e.Modalities, m.Name)
	}
	e.Cost = result.Cost{
		RowsNaive: p.engine.NaiveRows(),
		Rows:      map[string]int64{"model": cost.Rows},
		Seconds:   cost.Evaluation.Seconds(),
	}
	warnings := p.warnings
	for t := range p.target.names {
		target, summary := p.summarise(total, t, c)
		e.Targets = append(e.Targets, target)
		p.warnAboutTarget(&warnings, target, summary)
	}
	e.Warnings = warnings.All()
	return e, nil
}

// sameRow is the relative difference that rounding explains between two answers
// for the same row.
const sameRow = 1e-5

func (p *Plan) samplesHeader() result.SamplesHeader {
	h := result.SamplesHeader{
		Targets:  p.target.names,
		Samples:  p.samples.Len(),
		IDs:      p.first.IDs.DType(),
		ByTarget: p.target.all,
	}
	for _, m := range p.modalities {
		h.Modalities = append(h.Modalities, m.Name)
	}
	return h
}

// summarise reads one target out of the sums.
func (p *Plan) summarise(total *score.Accumulator, t int, c *collector) (result.Target, *score.Summary) {
	opt := score.Options{Level: p.opt.Level, Quantile: func(prob, df float64) float64 {
		return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(prob)
	}}
	var names []string
	for _, m := range p.modalities {
		names = append(names, m.Name)
	}
	s := total.Summary(t, opt)
	out := result.Target{
		Target:            p.target.names[t],
		Headline:          p.target.headline(),
		Breakdown:         result.NewBreakdown(s, names),
		Residual:          c.residual[t],
		ResidualTolerance: c.tolerance(),
	}
	if c.groups > 1 {
		out.ByClass = []result.Class{}
		for g := range c.groups {
			if part := total.Summary(t, opt, g); part != nil {
				out.ByClass = append(out.ByClass, result.Class{Class: p.classes[g], Breakdown: result.NewBreakdown(part, names)})
			}
		}
	}
	return out, s
}

// collector turns tiles into sums, and hands samples on.
type collector struct {
	plan   *Plan
	m      int
	groups int
	layout score.Layout
	tiles  score.Tiles
	// residual[t] is the largest failure of a sample to add up, magnitude the
	// largest value met.
	residual  []float64
	magnitude float64
	local     []score.Share
	phi       []float64

	weights []uint8
	scratch []float64
	mats    []float64 // matrices of a tile
	blocks  []float64 // matrices of a tile, by block
	sample  []float64 // matrices of one sample, by block
}

func newCollector(p *Plan) *collector {
	c := &collector{plan: p, m: len(p.modalities), groups: 1, residual: make([]float64, len(p.target.names))}
	if p.task == Classes || p.task == Binary {
		c.groups = len(p.classes)
	}
	if c.groups*len(p.target.names) > maxSections && len(p.target.names) > 1 {
		p.warnings.Add("by-class-omitted", "",
			"%d targets by %d predicted classes are too many to break down; ask for one target", len(p.target.names), c.groups)
		c.groups = 1
	}
	c.layout = score.Layout{
		Modalities: c.m, Targets: len(p.target.names), Groups: c.groups,
		Blocks: p.background.Blocks(), Convention: p.opt.Convention,
	}
	c.weights = make([]uint8, score.Replicates)
	c.scratch = make([]float64, 1<<c.m)
	return c
}

// tile adds one tile.
func (c *collector) tile(t *engine.Tile) error {
	n, cells, blocks := t.Samples(), c.m*c.m, len(c.layout.Blocks)
	c.mats = grown(c.mats, t.Values.Len()*cells)
	c.blocks = grown(c.blocks, t.BlockValues.Len()*cells)
	c.sample = grown(c.sample, blocks*cells)
	index.PairMatricesTo(c.mats, t.Values, c.scratch)
	index.PairMatricesTo(c.blocks, t.BlockValues, c.scratch)
	sums := score.NewAccumulator(c.layout)
	for i := range n {
		id := idText(t.Rows.IDs, i)
		score.WeightsTo(c.weights, c.plan.opt.Seed, id)
		group := t.Predicted[i]
		if c.groups == 1 {
			group = 0
		}
		for k := range c.plan.target.names {
			at := k*n + i
			phi := c.mats[at*cells : (at+1)*cells]
			for b := range blocks {
				from := (b*t.Values.Len() + at) * cells
				copy(c.sample[b*cells:], c.blocks[from:from+cells])
			}
			v := t.Values.Game(at)
			local := sums.Add(k, score.Sample{
				Group: group, Base: v[0], Output: v[len(v)-1],
				Phi: phi, BlockPhi: c.sample, Weights: c.weights,
			})
			c.check(k, v, phi)
			row := result.SampleRow{
				Sample: t.Lo + i, Target: k, ID: id, Predicted: t.Predicted[i],
				Base: v[0], Output: v[len(v)-1], InterSHAP: local.InterSHAP, SE: local.SE,
				Values: v, Phi: phi,
			}
			if err := c.hand(row); err != nil {
				return err
			}
		}
	}
	return c.tiles.Add(t.Number, sums)
}

func grown(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

func (c *collector) hand(row result.SampleRow) error {
	if sink := c.plan.opt.Sink; sink != nil {
		return sink.Write(row)
	}
	if row.Target == 0 {
		c.local = append(c.local, row.InterSHAP)
		c.phi = append(c.phi, row.Phi...)
	}
	return nil
}

// check measures how far a sample is from adding up to f(x) − v({}).
func (c *collector) check(target int, v, phi []float64) {
	sum := 0.0
	for _, x := range phi {
		sum += x
	}
	for _, x := range v {
		c.magnitude = max(c.magnitude, math.Abs(x))
	}
	c.residual[target] = max(c.residual[target], math.Abs(sum-(v[len(v)-1]-v[0])))
}

// tolerance is what rounding explains: an index adds 2^M values in float64.
func (c *collector) tolerance() float64 {
	const ulp = 0x1p-52
	return 8 * float64(int(1)<<c.m) * ulp * max(c.magnitude, math.SmallestNonzeroFloat64)
}

// idText is the text of a sample's id, the same whatever file it came from.
func idText(ids tensor.Tensor, i int) string {
	if ids.DType() == tensor.String {
		return tensor.Values[string](ids)[i]
	}
	return ids.Format(i)
}

// provenance names and hashes what the run reads.
func (p *Plan) provenance(ctx context.Context) (result.Provenance, error) {
	out := result.Provenance{
		Version: Version(), Output: p.output.name, Task: p.task.String(), Transform: p.opt.Transform.String(),
		Index: "SII", Order: 2, Convention: p.opt.Convention.String(), Plan: "full",
		Seed: p.opt.Seed, Level: p.opt.Level,
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

// warnAboutTarget adds the doubts that only the numbers tell.
func (p *Plan) warnAboutTarget(w *diag.List, t result.Target, s *score.Summary) {
	name := t.Target
	if s.Samples < fewSamples {
		w.Add("few-samples", "", "need at least %d samples for a trustworthy interval, have %d", fewSamples, s.Samples)
	}
	if !p.target.follows {
		w.Add("mean-degenerate", "", "the target does not follow the sample: with a background like the data, its mean effects cancel and the global score is 1/2 or noise; the mean of absolutes is the headline")
	}
	if t.Residual > t.ResidualTolerance {
		w.Add("residual", name, "a sample misses f(x) - v({}) by %.2g, more than the %.2g that rounding explains", t.Residual, t.ResidualTolerance)
	}
	if t.Local.Undefined > 0 {
		w.Add("undefined-samples", name, "%d of %d samples have no behaviour at all: their local score is undefined and left out of the mean", t.Local.Undefined, t.Samples)
	}
	if low, ok := t.Global.Low.Value(); ok && p.target.follows {
		if high, _ := t.Global.High.Value(); high-low > 0.9 {
			w.Add("denominator-near-zero", name, "no effect is clear of its error, so the global share is anything from %.0f to %.0f %%; more samples or background rows would tell", 100*low, 100*high)
		}
	}
	global, ok1 := t.Global.InterSHAP.Value()
	absolute, ok2 := t.MeanAbsolute.InterSHAP.Value()
	if ok1 && ok2 && p.target.follows && absolute-global > hidden {
		w.Add("mean-hides-interaction", name, "interactions of opposite sign cancel over the samples: %.1f %% by means, %.1f %% by mean absolutes", 100*global, 100*absolute)
	}
	p.warnAboutBackground(w, t, s)
}

const (
	fewSamples = 30
	// hidden is the difference between two aggregations that is worth a word.
	hidden = 0.1
	// headlineError and baseError are the background's standard errors that are
	// good enough: of the headline, and of v({}) relative to the behaviour.
	headlineError = 0.01
	baseError     = 0.05
)

// warnAboutBackground says when the rows are too few, and how many would do:
// standard errors fall with their square root.
func (p *Plan) warnAboutBackground(w *diag.List, t result.Target, s *score.Summary) {
	rows := p.background.Len()
	if p.background.PerSample() {
		w.Add("background-error-unknown", "", "the nearest rows are not a random draw: intervals hold the error of the samples alone")
		return
	}
	if len(p.background.Blocks()) == 1 {
		w.Add("background-too-small", "", "one background row cannot tell its own error: need at least 2 rows, better %d", DefaultBackgroundSize)
		return
	}
	if len(p.background.Blocks()) == 0 {
		return
	}
	score, behaviour := s.InterSHAPBackgroundSE.Or(0), s.Global.Behaviour
	if !p.target.follows {
		score, behaviour = s.MeanAbsoluteBackgroundSE.Or(0), s.MeanAbsolute.Behaviour
	}
	excess := score / headlineError
	what := fmt.Sprintf("the headline's standard error from the background is %.1f points", 100*score)
	if behaviour > 0 {
		if base := s.BaseSE.Or(0) / behaviour / baseError; base > excess {
			excess = base
			what = fmt.Sprintf("the base value's standard error is %.1f %% of the behaviour", 100*s.BaseSE.Or(0)/behaviour)
		}
	}
	if excess > 1 {
		w.Add("background-too-small", t.Target, "%s with %d rows; about %d rows would do", what, rows, enough(rows, excess))
	}
}

// enough returns the rows that bring an error down by the factor excess,
// rounded up to two digits.
func enough(rows int, excess float64) int {
	need := float64(rows) * excess * excess
	unit := math.Pow(10, math.Floor(math.Log10(need))-1)
	return int(math.Ceil(need/unit) * unit)
}
