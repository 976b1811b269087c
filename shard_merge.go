package intershap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/diag"
)

// Merge returns the explanation of a run from all of its shards, in any order. It is
// the one that the run has by itself, but for the command and the seconds, which add up:
// those of the shards' commands are kept nowhere.
//
// It uses the shards up. Its errors: no shard, one that was merged before, shards of two
// runs, with the first fact that differs, samples that are in two shards, and samples
// that are in none. These leave the shards as they are.
func Merge(shards ...*Partial) (*Explanation, error) {
	var m merger
	for _, s := range shards {
		if err := s.whole(); err != nil {
			return nil, err
		}
		if err := m.see(s); err != nil {
			return nil, err
		}
	}
	if err := m.order(); err != nil {
		return nil, err
	}
	for _, s := range shards {
		s.used = true
	}
	return m.merge(func(at int) (*Partial, error) { return shards[at], nil })
}

// MergeFiles is [Merge] of shards that [Partial.Write] wrote. It holds one shard at a time
// beside what is merged, so that memory does not grow with their number. each is told of
// every shard, in the order of their samples lo to hi-1; it may be nil. The errors are
// those of ReadPartial and Merge, and a file that changes meanwhile; ctx ends it between
// two shards.
func MergeFiles(ctx context.Context, paths []string, each func(path string, lo, hi int)) (*Explanation, error) {
	var m merger
	look := func() error {
		for _, path := range paths {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			head, err := readHead(path)
			if err != nil {
				return err
			}
			if err := m.see(head); err != nil {
				return soundBefore(ctx, paths, err)
			}
		}
		return soundBefore(ctx, paths, m.order())
	}
	if err := look(); err != nil {
		return nil, err
	}
	return m.merge(func(at int) (*Partial, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		x, err := ReadPartial(paths[at])
		if err != nil {
			return nil, err
		}
		if x.digest != m.digests[at] {
			return nil, fmt.Errorf("intershap: merge: %s changed while it was read; start again", x.name())
		}
		if each != nil {
			lo, hi := x.Samples()
			each(x.path, lo, hi)
		}
		return x, nil
	})
}

// soundBefore returns an error that heads of files tell, or that of a damaged one: then
// its head may say anything.
func soundBefore(ctx context.Context, paths []string, err error) error {
	if err == nil {
		return nil
	}
	for _, path := range paths {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, damage := ReadPartial(path); damage != nil {
			return damage
		}
	}
	return err
}

// A merger merges the shards of a run in order. It sees all of them before it merges one.
type merger struct {
	first   string // what was seen first, and the facts of its run
	run     []trait
	samples int
	places  []place
	digests []string // in the order in which shards were seen
}

// A place is the part of a run that a shard has.
type place struct {
	seen  int // its number in the order in which shards were seen
	name  string
	shard Shard
	tiles tileRange
}

// see notes the place of a shard, and refuses one of another run.
func (m *merger) see(x *Partial) error {
	traits, err := x.traits()
	if err != nil {
		return fmt.Errorf("intershap: merge: %s: %w", x.name(), err)
	}
	if len(m.places) == 0 {
		m.first, m.run, m.samples = x.name(), traits, x.provenance.Data.Samples
	} else if err := sameRun(m.first, m.run, x.name(), traits); err != nil {
		return err
	}
	m.places = append(m.places, place{len(m.places), x.name(), x.shard, x.tiles})
	m.digests = append(m.digests, x.digest)
	return nil
}

// order puts the shards in order, and says which tiles of the run are in two of them, and
// which in none.
func (m *merger) order() error {
	if len(m.places) == 0 {
		return errors.New("intershap: merge: want the shards of a run, got none")
	}
	slices.SortStableFunc(m.places, func(a, b place) int { return cmp.Compare(a.tiles.From, b.tiles.From) })
	var gaps []tileRange
	at := m.places[0].tiles
	at.To = 0
	for i, s := range m.places {
		if s.tiles.From < at.To {
			other := m.places[i-1]
			remedy := "give each shard once"
			if other.shard.Of != s.shard.Of {
				remedy = "give shards of one N, or such as fit"
			}
			return fmt.Errorf("intershap: merge: %s (shard %s) and %s (shard %s) have samples in common: %s", other.name, other.shard, s.name, s.shard, remedy)
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
		lo, hi := g.bounds(m.samples)
		texts = append(texts, fmt.Sprintf("%d to %d", lo, hi-1))
	}
	return fmt.Errorf("intershap: merge: samples %s are in no shard: give all shards of the run, %s", someTexts(texts, ""), m.missing())
}

// missing names the shards that are not there, where all are of one number.
func (m *merger) missing() string {
	of := m.places[0].shard.Of
	there := map[int]bool{}
	for _, s := range m.places {
		if s.shard.Of != of {
			return fmt.Sprintf("best 1/N to N/N of one N: %s is shard %s, %s is shard %s", m.places[0].name, m.places[0].shard, s.name, s.shard)
		}
		there[s.shard.Index] = true
	}
	var out []string
	for i := 0; i < of && len(out) <= mostNamed; i++ {
		if !there[i] {
			out = append(out, Shard{i, of}.String())
		}
	}
	if len(out) == 1 {
		return out[0] + " is missing"
	}
	return someTexts(out, " are missing")
}

// mostNamed is how many things a message names.
const mostNamed = 5

// someTexts names some things, of many the first.
func someTexts(texts []string, what string) string {
	if len(texts) > mostNamed {
		return strings.Join(texts[:mostNamed], ", ") + " and more" + what
	}
	return strings.Join(texts, ", ") + what
}

// merge adds the shards up, which read returns by the order in which they were seen.
func (m *merger) merge(read func(seen int) (*Partial, error)) (*Explanation, error) {
	all, err := read(m.places[0].seen)
	if err != nil {
		return nil, err
	}
	var warnings diag.List
	warnings.Append(all.warnings...)
	for _, at := range m.places[1:] {
		s, err := read(at.seen)
		if err != nil {
			return nil, err
		}
		warnings.Append(all.renamed(s)...)
		all.tiles.To = s.tiles.To
		all.cost.Seconds += s.cost.Seconds
		all.guessed = all.guessed || s.guessed
		if err := all.sums.merge(&s.sums); err != nil {
			return nil, fmt.Errorf("intershap: merge: %s: %w", s.name(), err)
		}
	}
	all.warnings = warnings.All()
	return all.explanation()
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
