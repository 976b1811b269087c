package result

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// A Macro is the unweighted mean of the classes' InterSHAP, beside the pooled one of the
// target, in which a class counts as often as it is predicted:
//
//	macro = (1/C) Σ_c InterSHAP(c)
//
// over the C predicted classes that have samples and behaviour.
type Macro struct {
	// Classes is C.
	Classes      int        `json:"classes"`
	Global       MacroShare `json:"global"`
	MeanAbsolute MacroShare `json:"mean_absolute"`
	// Local is the mean of the classes' mean local scores.
	Local score.Share `json:"local"`
}

// A MacroShare is a macro average with its bounds.
type MacroShare struct {
	InterSHAP score.Share `json:"intershap"`
	Low       score.Share `json:"low"`
	High      score.Share `json:"high"`
}

// Headline returns the average of the aggregation to read first.
func (m *Macro) Headline(h Headline) *MacroShare {
	if h == MeanAbsolute {
		return &m.MeanAbsolute
	}
	return &m.Global
}

// A Partition divides the samples by the values of some columns of the data: one group
// for each combination of values that the data has.
type Partition struct {
	Columns []string `json:"columns"`
	Groups  []Group  `json:"groups"`
}

// A Group is the breakdown of the samples with the same values in the columns of their
// partition.
type Group struct {
	// Values has the value of each column, as text.
	Values []string `json:"values"`
	Breakdown
}

// A Pattern is the breakdown of the samples that have the same modalities. Its shares
// are of these alone: contributions, their intervals and pairs leave out what no such
// sample has, and cells of phi are zero there.
type Pattern struct {
	// Present are the modalities that the samples have, in the order of
	// [Explanation.Modalities].
	Present []string `json:"present"`
	Breakdown
}

// NewMacro puts a macro average into the document; nil stays nil.
func NewMacro(m *score.Macro) *Macro {
	if m == nil {
		return nil
	}
	share := func(x score.Interval) MacroShare { return MacroShare{x.Share, x.Low, x.High} }
	return &Macro{Classes: m.Classes, Global: share(m.Global), MeanAbsolute: share(m.MeanAbsolute), Local: m.Local}
}

// NewPattern puts names to the summary of the samples that have the modalities of
// present and no others.
func NewPattern(s *score.Summary, modalities []string, present game.Coalition) Pattern {
	p := Pattern{Present: PresentNames(modalities, present), Breakdown: NewBreakdown(s, modalities)}
	for _, a := range []*Aggregate{&p.Global.Aggregate, &p.MeanAbsolute.Aggregate} {
		for i, name := range modalities {
			if !present.Has(i) {
				delete(a.Contributions, name)
				delete(a.ContributionIntervals, name)
			}
		}
		a.Pairs = slices.DeleteFunc(a.Pairs, func(pair Pair) bool {
			return !slices.Contains(p.Present, pair.Pair[0]) || !slices.Contains(p.Present, pair.Pair[1])
		})
	}
	return p
}

// mayMiss returns what the cells of a breakdown may miss of its output - base, given what
// those of a sample may. Where samples lack modalities cells are means over different
// samples, which add up to nothing that is known.
func (e *Explanation) mayMiss(b *Breakdown, residual float64) float64 {
	if len(e.Provenance.Missing) == 0 || b.Complete(e.Modalities) {
		return residual
	}
	return math.Inf(1)
}

// Complete reports whether all samples are known to have all modalities.
func (b *Breakdown) Complete(modalities []string) bool {
	for _, name := range modalities {
		if b.Present[name] != b.Samples {
			return false
		}
	}
	return true
}

// Nobody reports whether it is known that no sample has a modality: then it has no share,
// which is something else than one that is undefined.
func (b *Breakdown) Nobody(modality string) bool {
	n, known := b.Present[modality]
	return known && n == 0
}

// checkPresent holds the number of samples that have each modality against the number
// of samples.
func (b *Breakdown) checkPresent(place string, modalities []string) error {
	if b.Present == nil {
		return nil
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(b.Present)) {
		n := b.Present[name]
		if !slices.Contains(modalities, name) {
			faults = append(faults, fmt.Errorf("%s[%q]: want one of the modalities %q", place, name, modalities))
		}
		if n < 0 || n > b.Samples {
			faults = append(faults, fmt.Errorf("%s[%q]: want 0 to %d, the number of samples, got %d", place, name, b.Samples, n))
		}
	}
	for _, name := range modalities {
		if _, has := b.Present[name]; !has {
			faults = append(faults, fmt.Errorf("%s: want modality %q, got none", place, name))
		}
	}
	return errors.Join(faults...)
}

// checkCohort holds macro average, groups and patterns of a target against the target.
func (e *Explanation) checkCohort(place string, t *Target, residual float64) error {
	modalities := e.Modalities
	faults := []error{t.Macro.check(place+".macro", t)}
	columns := once{}
	for i := range t.By {
		p := &t.By[i]
		at := fmt.Sprintf("%s.by[%d]", place, i)
		faults = append(faults, columns.check(at+".columns", "columns", p.Columns))
		faults = append(faults, p.check(at, t, e, residual))
	}
	samples, met := 0, once{}
	for i := range t.Patterns {
		p := &t.Patterns[i]
		at := fmt.Sprintf("%s.patterns[%d]", place, i)
		faults = append(faults, met.check(at+".present", "patterns", p.Present))
		faults = append(faults, checkOrder(at+".present", p.Present, modalities))
		samples += max(p.Samples, 0)
		faults = append(faults, p.checkOf(at, modalities, p.Present, residual), p.checkZeros(at+".global.phi", modalities))
	}
	if samples > t.Samples {
		faults = append(faults, fmt.Errorf("%s.patterns: want at most the target's %d samples, got %d", place, t.Samples, samples))
	}
	return errors.Join(faults...)
}

func (p *Partition) check(place string, t *Target, e *Explanation, residual float64) error {
	var faults []error
	if len(p.Columns) == 0 {
		faults = append(faults, fmt.Errorf("%s.columns: want the name of a column or more, got none", place))
	}
	faults = append(faults, checkDistinct(place+".columns", p.Columns))
	samples, met := 0, once{}
	for i := range p.Groups {
		g := &p.Groups[i]
		at := fmt.Sprintf("%s.groups[%d]", place, i)
		if len(g.Values) != len(p.Columns) {
			faults = append(faults, fmt.Errorf("%s.values: want %d, one for each column, got %q", at, len(p.Columns), g.Values))
		}
		faults = append(faults, met.check(at+".values", "groups", g.Values))
		samples += max(g.Samples, 0)
		faults = append(faults, g.check(at, e.Modalities, e.mayMiss(&g.Breakdown, residual)))
	}
	if samples > t.Samples {
		faults = append(faults, fmt.Errorf("%s.groups: want at most the target's %d samples, got %d", place, t.Samples, samples))
	}
	return errors.Join(faults...)
}

func (m *Macro) check(place string, t *Target) error {
	if m == nil {
		return nil
	}
	var faults []error
	if m.Classes < 0 || m.Classes > len(t.ByClass) {
		faults = append(faults, fmt.Errorf("%s.classes: want 0 to %d, the number of predicted classes, got %d", place, len(t.ByClass), m.Classes))
	}
	for _, a := range []struct {
		name  string
		share MacroShare
	}{{"global", m.Global}, {"mean_absolute", m.MeanAbsolute}} {
		at := place + "." + a.name
		faults = append(faults, checkInterval(at+".intershap", a.share.InterSHAP, at, a.share.Low, a.share.High))
	}
	return errors.Join(append(faults, checkShare(place+".local", m.Local))...)
}

// checkZeros refuses values of modalities that the samples of a pattern lack.
func (p *Pattern) checkZeros(place string, modalities []string) error {
	for i, row := range p.Global.Phi {
		for j, x := range row {
			if i >= len(modalities) || j >= len(modalities) || x == 0 {
				continue
			}
			for _, name := range []string{modalities[i], modalities[j]} {
				if !slices.Contains(p.Present, name) {
					return fmt.Errorf("%s[%d][%d]: want 0, since the samples lack %q, got %v", place, i, j, name, x)
				}
			}
		}
	}
	return nil
}

// once holds lists of names that were met, see joined.
type once map[string]bool

// check refuses a list of names that was met before; many says what they are.
func (o once) check(place, many string, names []string) error {
	key := joined(names)
	if o[key] {
		return fmt.Errorf("%s: want different %s, got %q twice", place, many, names)
	}
	o[key] = true
	return nil
}

// checkOrder holds a set of modalities against the order that they all have.
func checkOrder(place string, names, modalities []string) error {
	last := -1
	for _, name := range names {
		at := slices.Index(modalities, name)
		if at <= last {
			return fmt.Errorf("%s: want modalities in their order, %q, got %q", place, modalities, names)
		}
		last = at
	}
	return nil
}

// joined makes one key of names, whatever letters they have.
func joined(names []string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%q,", name)
	}
	return b.String()
}
