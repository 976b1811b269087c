package result

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/score"
)

// check reports every place where the numbers do not fit the modalities, or cannot be
// what they are called, so that whoever draws or compares them can rely on lengths,
// names and ranges.
func (e *Explanation) check() error {
	var targets []string
	for _, t := range e.Targets {
		targets = append(targets, t.Target)
	}
	faults := []error{
		checkDistinct("modalities", e.Modalities),
		checkDistinct("classes", e.Classes),
		checkDistinct("targets", targets),
		e.checkGroups(),
	}
	if l := e.Provenance.Level; !(l > 0 && l < 1) {
		faults = append(faults, fmt.Errorf("provenance.level: want a number between 0 and 1, got %v", l))
	}
	for i := range e.Targets {
		t := &e.Targets[i]
		place := fmt.Sprintf("targets[%d]", i)
		if t.Headline != Global && t.Headline != MeanAbsolute {
			faults = append(faults, fmt.Errorf("%s.headline: want %q or %q, got %q", place, Global, MeanAbsolute, t.Headline))
		}
		faults = append(faults, checkSize(place+".residual", t.Residual), checkSize(place+".residual_tolerance", t.ResidualTolerance))
		residual := max(t.Residual, t.ResidualTolerance)
		faults = append(faults, t.Breakdown.check(place, e.Modalities, e.mayMiss(&t.Breakdown, residual)))
		var classes []string
		for j := range t.ByClass {
			c := &t.ByClass[j]
			at := fmt.Sprintf("%s.by_class[%d]", place, j)
			classes = append(classes, c.Class)
			if !slices.Contains(e.Classes, c.Class) {
				faults = append(faults, fmt.Errorf("%s.class: want one of the classes %q, got %q", at, e.Classes, c.Class))
			}
			faults = append(faults, c.check(at, e.Modalities, e.mayMiss(&c.Breakdown, residual)))
		}
		faults = append(faults, checkDistinct(place+".by_class", classes), e.checkCohort(place, t, residual))
		faults = append(faults, t.Across.check(place+".across", e.Groups, &t.Breakdown))
		if x := t.Interactions; x != nil {
			faults = append(faults, x.check(place+".interactions", e.Modalities, t.Output-t.Base, e.mayMiss(&t.Breakdown, residual)))
		}
		if s := t.Spectrum; s != nil {
			faults = append(faults, s.check(place+".spectrum", len(e.Modalities)))
		}
		if a := t.AtLeast; a != nil {
			faults = append(faults, a.check(place+".at_least", t))
		}
	}
	if s := e.Sensitivity; s != nil {
		faults = append(faults, s.check(e.Targets))
	}
	return errors.Join(faults...)
}

func checkDistinct(place string, names []string) error {
	met := map[string]bool{}
	for i, name := range names {
		if met[name] {
			return fmt.Errorf("%s[%d]: want different names, got %q twice", place, i, name)
		}
		met[name] = true
	}
	return nil
}

// check takes what a sample's cells may miss of its output, which is as much as their
// mean may.
func (b *Breakdown) check(place string, modalities []string, residual float64) error {
	return b.checkOf(place, modalities, modalities, residual)
}

// checkOf is check where the shares are those of some modalities alone.
func (b *Breakdown) checkOf(place string, modalities, shared []string, residual float64) error {
	m := len(modalities)
	se := b.Global.PhiSE
	faults := []error{
		b.checkPhi(place+".global.phi", m, residual),
		b.Global.Aggregate.check(place+".global", shared),
		b.MeanAbsolute.Aggregate.check(place+".mean_absolute", shared),
		b.Local.check(place+".local", b.Samples),
		b.checkPresent(place+".present", modalities),
	}
	if b.Weight != nil {
		faults = append(faults, checkSize(place+".weight", *b.Weight))
	}
	if c := b.Clusters; c != nil && !(*c > 0 && *c <= float64(b.Samples)*(1+rounding)) {
		faults = append(faults, fmt.Errorf("%s.clusters: want more than 0 and at most %d, the number of samples, got %v", place, b.Samples, *c))
	}
	if b.Samples < 1 {
		faults = append(faults, fmt.Errorf("%s.samples: want 1 or more, got %d", place, b.Samples))
	}
	if se.Background != nil {
		faults = append(faults, checkErrors(place+".global.phi_se.background", se.Background, m))
	}
	if se.Coalitions != nil {
		faults = append(faults, checkErrors(place+".global.phi_se.coalitions", se.Coalitions, m))
	}
	if se.Samples != nil {
		faults = append(faults, checkErrors(place+".global.phi_se.samples", se.Samples, m))
	}
	return errors.Join(faults...)
}

// phiRounding is what the cells of a mean matrix may miss of output - base, relative to
// their size: means are sums over many samples.
const phiRounding = 1e-6

// checkPhi holds the mean matrix against its own halves, and against output - base.
func (b *Breakdown) checkPhi(place string, m int, residual float64) error {
	phi := b.Global.Phi
	if err := checkSquare(place, phi, m); err != nil {
		return err
	}
	sum, size := 0.0, math.Abs(b.Output)+math.Abs(b.Base)
	for i, row := range phi {
		for j, x := range row {
			if other := phi[j][i]; x != other {
				return fmt.Errorf("%s[%d][%d]: want the same number in both cells of a pair, got %v and %v", place, i, j, x, other)
			}
			sum += x
			size += math.Abs(x)
		}
	}
	if want := b.Output - b.Base; !(math.Abs(sum-want) <= max(residual, phiRounding*size)) {
		return fmt.Errorf("%s: want cells that sum to output - base, %v, got %v", place, want, sum)
	}
	return nil
}

func (l *LocalAggregate) check(place string, samples int) error {
	faults := []error{
		checkShare(place+".mean", l.Mean),
		checkSize(place+".sd", l.SD.Or(0)),
		checkShare(place+".corrected", l.Corrected),
	}
	if l.Undefined < 0 || l.Undefined > samples {
		faults = append(faults, fmt.Errorf("%s.undefined: want 0 to %d, got %d", place, samples, l.Undefined))
	}
	return errors.Join(faults...)
}

func (a *Aggregate) check(place string, modalities []string) error {
	known := func(name string) bool { return slices.Contains(modalities, name) }
	faults := []error{
		checkInterval(place+".intershap", a.InterSHAP, place, a.Low, a.High),
		checkShare(place+".corrected", a.Corrected),
		checkSize(place+".behaviour", a.Behaviour),
		checkSize(place+".interactions", a.Interactions),
	}
	if !(a.Interactions <= a.Behaviour*(1+rounding)) {
		faults = append(faults, fmt.Errorf("%s.interactions: want at most the behaviour, %v, got %v", place, a.Behaviour, a.Interactions))
	}
	for _, name := range modalities {
		share, has := a.Contributions[name]
		if !has {
			faults = append(faults, fmt.Errorf("%s.contributions: want modality %q, got none", place, name))
		}
		bounds := a.ContributionIntervals[name]
		faults = append(faults, checkInterval(fmt.Sprintf("%s.contributions[%q]", place, name), share,
			fmt.Sprintf("%s.contribution_intervals[%q]", place, name), bounds[0], bounds[1]))
	}
	for i, p := range a.Pairs {
		at := fmt.Sprintf("%s.pairs[%d]", place, i)
		if !known(p.Pair[0]) || !known(p.Pair[1]) || p.Pair[0] == p.Pair[1] {
			faults = append(faults, fmt.Errorf("%s: want two of the modalities %q, got %q", at, modalities, p.Pair))
		}
		faults = append(faults, checkInterval(at+".share", p.Share, at, p.Low, p.High))
	}
	return errors.Join(faults...)
}

// checkInterval refuses a share and bounds that are no fractions, and bounds that change
// places.
func checkInterval(place string, share score.Share, bounds string, low, high score.Share) error {
	faults := []error{checkShare(place, share), checkShare(bounds+".low", low), checkShare(bounds+".high", high)}
	l, ok1 := low.Value()
	h, ok2 := high.Value()
	if ok1 && ok2 && l > h {
		faults = append(faults, fmt.Errorf("%s: want low at most high, got %v and %v", bounds, l, h))
	}
	return errors.Join(faults...)
}

// checkShare refuses what is no fraction. Above 1 it leaves room for rounding.
func checkShare(place string, s score.Share) error {
	if x, ok := s.Value(); ok && !(x >= 0 && x <= 1+rounding) {
		return fmt.Errorf("%s: want 0 to 1, got %v", place, x)
	}
	return nil
}

// checkSize refuses what is negative or no number.
func checkSize(place string, x float64) error {
	if !(x >= 0) {
		return fmt.Errorf("%s: want 0 or more, got %v", place, x)
	}
	return nil
}

// checkErrors refuses standard errors that are negative.
func checkErrors(place string, rows [][]float64, m int) error {
	if err := checkSquare(place, rows, m); err != nil {
		return err
	}
	for i, row := range rows {
		for j, x := range row {
			if err := checkSize(fmt.Sprintf("%s[%d][%d]", place, i, j), x); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkSquare(place string, rows [][]float64, m int) error {
	fits := len(rows) == m
	for _, row := range rows {
		fits = fits && len(row) == m
	}
	if !fits {
		return fmt.Errorf("%s: want %d rows of %d numbers, one for each modality, got %v", place, m, m, rows)
	}
	return nil
}
