package intershap

import (
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// mostSamples bounds numbers of samples in documents, so that no product of two leaves the range
// of int.
const mostSamples = 1 << 53

// want is an error unless ok.
func want(ok bool, what string) error {
	if ok {
		return nil
	}
	return errors.New(what)
}

// check holds the parts of a document against each other: what reads them takes them
// to fit. A digest tells damage, and not who wrote the file.
func (x *Partial) check() error {
	f, t, n := &x.facts, x.tiles, x.provenance.Data.Samples
	if err := errors.Join(
		want(0 <= t.From && t.From < t.To && t.To <= t.Of && t.Samples > 0, "its range of tiles is none"),
		want(n <= mostSamples && t.bounded(n), "its tiles are not those of its samples"),
		want(x.shard.valid() && !x.shard.whole(), "its tiles are not those of its number"),
		want(len(x.identity) > 0, "it does not say of which run it is"),
		want(x.provenance.Convention == f.Convention.String(), "its provenance is not that of its sums"),
		want(len(x.sums.residual) == len(f.Targets) && len(x.sums.magnitude) == len(f.Targets), "its residuals are not those of its targets"),
		f.check(n),
	); err != nil {
		return err
	}
	return errors.Join(
		want(t.From == x.shard.Index*t.Of/x.shard.Of && t.To == (x.shard.Index+1)*t.Of/x.shard.Of, "its tiles are not those of its number"),
		x.checkSums(),
	)
}

// check holds facts against each other, of n samples.
func (f *facts) check(n int) error {
	m := len(f.Modalities)
	faults := []error{
		want(m > 0 && len(f.Targets) > 0, "it has no modality or no target"),
		want(distinct(f.Modalities), "it has a modality twice"),
		want(f.Level > 0 && f.Level < 1, "its level lies not between 0 and 1"),
		want(!f.ByClass || len(f.Classes) > 0, "it is by class and has no classes"),
		want(f.Index == 0 && f.Order == 0 || f.Index != 0 && f.Order >= 1 && f.Order <= f.Index.MaxOrder(m), "its order is none of its interactions"),
		want(f.Index == 0 || slices.Contains(f.Families, familyName{f.Index, f.Order}), "it lacks the interactions that were asked for"),
		f.checkGroups(), f.checkPatterns(n), f.checkBy(),
	}
	if f.Sampling != nil {
		_, err := approx.Parse(f.Sampling.Estimator)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// checkGroups holds the groups against the players: each is in one modality, in order.
func (f *facts) checkGroups() error {
	if f.Groups == nil {
		return nil
	}
	next := 0
	for _, g := range f.Groups {
		for _, player := range g.Players {
			if player != next {
				return errors.New("its groups are not those of its players")
			}
			next++
		}
		if len(g.Players) == 0 {
			return fmt.Errorf("its group %q has no players", g.Modality)
		}
	}
	return want(next == len(f.Modalities), "its groups are not those of its players")
}

// checkPatterns holds what samples have against the modalities, and their numbers against
// that of the samples.
func (f *facts) checkPatterns(n int) error {
	if f.Patterns == nil {
		return nil
	}
	sum, met := 0, map[game.Coalition]bool{}
	for _, p := range f.Patterns {
		if p.Samples < 1 || p.Samples > n-sum || met[p.Present] || p.Present&^game.Grand(len(f.Modalities)) != 0 {
			return errors.New("its patterns are not those of its modalities and samples")
		}
		sum, met[p.Present] = sum+p.Samples, true
	}
	return want(sum == n, "its patterns are not those of its samples")
}

// checkBy holds the values of groups against their columns.
func (f *facts) checkBy() error {
	var partitions []string
	for _, by := range f.By {
		if len(by.Columns) == 0 || !distinct(by.Columns) {
			return errors.New("it has groups by no column, or by one twice")
		}
		var groups []string
		for _, values := range by.Values {
			if len(values) != len(by.Columns) {
				return fmt.Errorf("the values of a group by %q are not those of its columns", by.Columns)
			}
			groups = append(groups, fmt.Sprintf("%q", values))
		}
		if !distinct(groups) {
			return fmt.Errorf("it has a group by %q twice", by.Columns)
		}
		partitions = append(partitions, fmt.Sprintf("%q", by.Columns))
	}
	return want(distinct(partitions), "it has groups by the same columns twice")
}

// distinct reports whether no text is there twice.
func distinct(texts []string) bool {
	met := map[string]bool{}
	for _, t := range texts {
		met[t] = true
	}
	return len(met) == len(texts)
}

// checkSums holds the layouts of sums against the facts.
func (x *Partial) checkSums() error {
	f, t := &x.facts, x.tiles
	main := x.sums.tiles.Layout()
	var draws, blocks = 0, len(main.Blocks) > 0
	if f.Sampling != nil {
		draws = f.Sampling.Draws
	}
	faults := []error{
		want(draws == main.Draws, "its draws are not those of its sums"),
		want(f.Background.WithBlocks == blocks && f.Background.Unknown == main.BackgroundUnknown && (!blocks || f.Background.Rows > 0), "its background is not that of its sums"),
	}
	check := func(name string, tiles *score.Tiles, want func() score.Layout) {
		if from, to, ok := tiles.Range(); !ok || from != t.From || to != t.To {
			faults = append(faults, fmt.Errorf("the sums of %s are of other tiles", name))
		} else if l := tiles.Layout(); !l.Equal(want()) {
			faults = append(faults, fmt.Errorf("the sums of %s are of another shape", name))
		}
	}
	check("the matrices", &x.sums.tiles, func() score.Layout { return f.matrices(main) })
	for i := range x.sums.families {
		s := &x.sums.families[i]
		cells := s.tiles.Layout().Cells
		if !complete(cells, len(f.Modalities), s.Order) {
			faults = append(faults, fmt.Errorf("the sums of %s are of other coalitions", s.name()))
			continue
		}
		check(s.name(), &s.tiles, func() score.Layout {
			alone := *f
			alone.ByClass, alone.By = false, nil
			out := alone.matrices(main)
			out.Cells = cells
			return out
		})
	}
	return errors.Join(append(faults,
		want(slices.EqualFunc(f.Families, x.sums.families, func(n familyName, s familySums) bool { return n == s.familyName }), "it has not the interactions that it names"))...)
}

// matrices is the layout of the paper's matrices that the facts tell; blocks and what is
// known of the background are those of like. It has no partitions where like has another
// number of groups: the product of groups and patterns may be large.
func (f *facts) matrices(like score.Layout) score.Layout {
	out := score.Layout{
		Modalities: len(f.Modalities), Targets: len(f.Targets), Blocks: like.Blocks, BackgroundUnknown: like.BackgroundUnknown, Draws: like.Draws,
		Convention: f.Convention, Weighted: f.Weighted, Clustered: f.Clustered,
	}
	groups := f.classes()
	for _, by := range f.By {
		groups += len(by.Values)
	}
	if groups*max(1, len(f.Patterns)) <= like.Groups() {
		out.Partitions, out.Present = f.partitions()
	}
	return out
}

// complete reports whether cells, in the order of a layout, are all coalitions of 1 to
// order of m modalities.
func complete(cells []game.Coalition, m, order int) bool {
	if order < 1 || order > m || len(cells) == 0 || cells[len(cells)-1].Size() != order {
		return false
	}
	all, ofSize := 0, 1
	for s := 1; s <= order && all <= len(cells); s++ {
		ofSize = ofSize * (m - s + 1) / s
		all += ofSize
	}
	return all == len(cells)
}
