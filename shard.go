package intershap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

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
// itself, to the last bit; see [Merge].
type Partial struct {
	path       string // of the file that it was read from, "" for none
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

// A familyTotal is the sum over all tiles.
type familyTotal struct {
	familyName
	total *score.Accumulator
}

// Partial runs the plan's shard, or all of it. Data, background and model must have
// digests, as files do: they tell whose shard it is.
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
	var families []familyTotal
	for i := range x.sums.families {
		f := &x.sums.families[i]
		sum, err := f.tiles.Total()
		if err != nil {
			return nil, err
		}
		families = append(families, familyTotal{f.familyName, sum})
	}
	e := &Explanation{}
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

// Merge returns the explanation of a run from all of its shards, in any order. It is
// the one that the run has by itself, but for the command and the seconds, which add up.
// It uses the shards up.
func Merge(shards ...*Partial) (*Explanation, error) {
	if len(shards) == 0 {
		return nil, errors.New("intershap: merge: want the shards of a run, got none")
	}
	shards = slices.SortedFunc(slices.Values(shards), func(a, b *Partial) int { return cmp.Compare(a.tiles.From, b.tiles.From) })
	first := shards[0]
	for _, s := range shards[1:] {
		if err := first.sameRun(s); err != nil {
			return nil, err
		}
	}
	if err := complete(shards); err != nil {
		return nil, err
	}
	var warnings diag.List
	warnings.Append(first.warnings...)
	for _, s := range shards[1:] {
		warnings.Append(first.renamed(s)...)
		first.tiles.To = s.tiles.To
		first.cost.Seconds += s.cost.Seconds
		if err := first.sums.merge(&s.sums); err != nil {
			return nil, err
		}
	}
	first.warnings = warnings.All()
	return first.explanation()
}

// renamed returns the warnings of another shard of the run, about the files as this one
// names them: on another machine they may lie elsewhere.
func (x *Partial) renamed(y *Partial) []diag.Warning {
	mine, others := x.sources(), y.sources()
	out := slices.Clone(y.warnings)
	for i := range out {
		if at := slices.Index(others, out[i].Subject); at >= 0 && out[i].Subject != "" {
			out[i].Subject = mine[at]
		}
	}
	return out
}

// sources are the names of what the run reads.
func (x *Partial) sources() []string {
	p := x.provenance
	return []string{p.Data.Source.Source, p.Background.Source.Source, p.Model.Source}
}

// complete says which tiles of a run are in two of its shards, which are in order, and
// which in none.
func complete(shards []*Partial) error {
	var gaps []tileRange
	at := shards[0].tiles
	at.To = 0
	for _, s := range shards {
		if s.tiles.From < at.To {
			other := shards[slices.Index(shards, s)-1]
			return fmt.Errorf("intershap: merge: %s (shard %s) and %s (shard %s) have samples in common: give each shard once", other.name(), other.shard, s.name(), s.shard)
		}
		if s.tiles.From > at.To {
			gaps = append(gaps, tileRange{at.To, s.tiles.From, at.Of, at.Samples})
		}
		at.To = s.tiles.To
	}
	if at.To < at.Of {
		gaps = append(gaps, tileRange{at.To, at.Of, at.Of, at.Samples})
	}
	if gaps == nil {
		return nil
	}
	var texts []string
	for _, g := range gaps {
		lo, hi := g.bounds(shards[0].provenance.Data.Samples)
		texts = append(texts, fmt.Sprintf("%d to %d", lo, hi-1))
	}
	return fmt.Errorf("intershap: merge: samples %s are in no shard: give all shards of the run, %s", strings.Join(texts, ", "), missing(shards))
}

// missing names the shards that are not there, where all are of one number.
func missing(shards []*Partial) string {
	of := shards[0].shard.Of
	there := map[int]bool{}
	for _, s := range shards {
		if s.shard.Of != of {
			return "best of one number"
		}
		there[s.shard.Index] = true
	}
	const most = 5
	var out []string
	for i := range of {
		if !there[i] && len(out) <= most {
			out = append(out, Shard{i, of}.String())
		}
	}
	if len(out) > most {
		return fmt.Sprintf("%s and more are missing", strings.Join(out[:most], ", "))
	}
	if len(out) == 1 {
		return out[0] + " is missing"
	}
	return strings.Join(out, ", ") + " are missing"
}

func (a *sums) merge(b *sums) error {
	if err := a.tiles.Merge(&b.tiles); err != nil {
		return err
	}
	for i := range a.families {
		if err := a.families[i].tiles.Merge(&b.families[i].tiles); err != nil {
			return err
		}
	}
	for t := range a.residual {
		a.residual[t] = max(a.residual[t], b.residual[t])
		a.magnitude[t] = max(a.magnitude[t], b.magnitude[t])
	}
	return nil
}
