package intershap

import (
	"context"
	"fmt"
	"math"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A Shard is a part of a run: the Index-th, from 0, of so many parts of about the same
// number of tiles. The zero Shard is the whole run.
type Shard struct{ Index, Of int }

// whole reports whether it is all of the run.
func (s Shard) whole() bool { return s == Shard{} }

// String writes the shard as people count: 1/8 is the first of eight.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index+1, s.Of) }

func (s Shard) valid() bool { return s.whole() || s.Index >= 0 && s.Index < s.Of }

// A Partial is what some consecutive tiles of a run say: sums, and what they are read
// with. Partials of one run merge to the explanation that the run would have had by
// itself, to the last bit; see [Merge], which uses them up.
type Partial struct {
	path       string // of the file that it was read from, "" for none
	digest     string // of that file's document
	guessed    bool   // the task was not given
	used       bool   // its sums are in an explanation
	shard      Shard
	tiles      tileRange
	identity   checkpoint.Identity
	provenance result.Provenance
	facts      facts
	cost       result.Cost
	warnings   []diag.Warning
	sums       sums
}

// A tileRange is tiles [From, To) of Of, of which all but the last have so many samples.
type tileRange struct {
	From    int `json:"from"`
	To      int `json:"to"`
	Of      int `json:"of"`
	Samples int `json:"samples"`
}

// bounds returns the samples [lo, hi) of the tiles, of n samples.
func (t tileRange) bounds(n int) (lo, hi int) {
	return min(n, t.From*t.Samples), min(n, t.To*t.Samples)
}

// bounded reports whether n samples make that many tiles.
func (t tileRange) bounded(n int) bool {
	return t.Samples > 0 && n > 0 && t.Of == (n-1)/t.Samples+1
}

// Samples returns the samples [lo, hi) of the run that the shard has.
func (x *Partial) Samples() (lo, hi int) { return x.tiles.bounds(x.provenance.Data.Samples) }

// Provenance returns what the run reads. The caller may complete it before the shard is
// written, as by the name of a model that is no file.
func (x *Partial) Provenance() *result.Provenance { return &x.provenance }

// name is what messages call the shard.
func (x *Partial) name() string {
	if x.path != "" {
		return x.path
	}
	return "shard " + x.shard.String()
}

// whole refuses a shard whose sums went into an explanation.
func (x *Partial) whole() error {
	if x.used {
		return fmt.Errorf("intershap: %s was merged before, which uses it up; read or run it again", x.name())
	}
	return nil
}

// sums are what tiles add up to.
type sums struct {
	tiles    score.Tiles
	families []familySums
	// residual and magnitude are the largest of each target, see collector.
	residual, magnitude []float64
}

// familySums are the sums of one family of interactions.
type familySums struct {
	familyName
	tiles score.Tiles
}

// name is what messages call the family.
func (s *familySums) name() string { return fmt.Sprintf("%s to order %d", s.Index, s.Order) }

// A familyTotal is the sum over all tiles.
type familyTotal struct {
	familyName
	total *score.Accumulator
}

// Partial runs the plan's shard, or all of it. Data, background and model must have
// digests, as files do: they tell whose shard it is. Its errors are those of
// [Plan.Explain], and a source without a digest.
func (p *Plan) Partial(ctx context.Context) (*Partial, error) {
	provenance, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	build, err := build()
	if err != nil {
		return nil, fmt.Errorf("intershap: shard: what program this is: %w", err)
	}
	identity, err := p.identity("shard", provenance, build)
	if err != nil {
		return nil, err
	}
	found, _, err := p.run(ctx, provenance)
	if err != nil {
		return nil, err
	}
	found.identity = identity
	if found.shard = p.opt.Shard; found.shard.whole() {
		found.shard = Shard{Index: 0, Of: 1}
	}
	return found, nil
}

// explanation reads the sums of all tiles, which it uses up.
func (x *Partial) explanation() (*Explanation, error) {
	total, err := x.sums.tiles.Total()
	if err != nil {
		return nil, err
	}
	if err := x.counted("the matrices", total); err != nil {
		return nil, err
	}
	var families []familyTotal
	for i := range x.sums.families {
		f := &x.sums.families[i]
		sum, err := f.tiles.Total()
		if err == nil {
			err = x.counted(f.name(), sum)
		}
		if err != nil {
			return nil, err
		}
		families = append(families, familyTotal{f.familyName, sum})
	}
	e := &Explanation{guessed: x.guessed}
	e.Schema, e.Provenance, e.Classes, e.Modalities = result.Schema, x.provenance, x.facts.Classes, x.facts.Modalities
	e.Groups, e.Cost = x.facts.Groups, x.cost
	var doubts diag.List
	f := &x.facts
	for t := range f.Targets {
		target, summary := f.summarise(total, t)
		target.Residual = x.sums.residual[t]
		target.ResidualTolerance = f.Tolerance * max(x.sums.magnitude[t], math.SmallestNonzeroFloat64)
		f.warnAboutTarget(&doubts, target, summary)
		f.interactions(&target, t, families, summary, &doubts)
		e.Targets = append(e.Targets, target)
		e.errors = append(e.errors, f.sourceErrors(summary, target.Headline))
	}
	var warnings diag.List
	warnings.Append(x.warnings...)
	warnings.Append(folded(doubts.All())...)
	e.Warnings = warnings.All()
	return e, nil
}

// counted holds the samples behind sums of all tiles against those of the data: what
// summarises them takes some to be there.
func (x *Partial) counted(name string, total *score.Accumulator) error {
	n := x.provenance.Data.Samples
	for t, target := range x.facts.Targets {
		// Samples of weight 0 are not there.
		if got := total.Samples(t); got != n && (!x.facts.Weighted || got < 1 || got > n) {
			return fmt.Errorf("intershap: the sums of %s hold %d samples of target %s, want %d; run the shards again", name, got, target, n)
		}
	}
	return nil
}
