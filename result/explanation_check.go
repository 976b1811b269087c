package result

import (
	"errors"
	"fmt"
	"slices"
)

// check reports every place where the numbers do not fit the modalities, so
// that whoever draws or compares them can rely on lengths and names.
func (e *Explanation) check() error {
	var faults []error
	for i := range e.Targets {
		t := &e.Targets[i]
		place := fmt.Sprintf("targets[%d]", i)
		if t.Headline != Global && t.Headline != MeanAbsolute {
			faults = append(faults, fmt.Errorf("%s.headline: want %q or %q, got %q", place, Global, MeanAbsolute, t.Headline))
		}
		faults = append(faults, t.Breakdown.check(place, e.Modalities))
		for j := range t.ByClass {
			faults = append(faults, t.ByClass[j].check(fmt.Sprintf("%s.by_class[%d]", place, j), e.Modalities))
		}
	}
	return errors.Join(faults...)
}

func (b *Breakdown) check(place string, modalities []string) error {
	m := len(modalities)
	se := b.Global.PhiSE
	faults := []error{
		checkSquare(place+".global.phi", b.Global.Phi, m),
		b.Global.Aggregate.check(place+".global", modalities),
		b.MeanAbsolute.Aggregate.check(place+".mean_absolute", modalities),
	}
	if se.Background != nil {
		faults = append(faults, checkSquare(place+".global.phi_se.background", se.Background, m))
	}
	if se.Samples != nil {
		faults = append(faults, checkSquare(place+".global.phi_se.samples", se.Samples, m))
	}
	return errors.Join(faults...)
}

func (a *Aggregate) check(place string, modalities []string) error {
	known := func(name string) bool { return slices.Contains(modalities, name) }
	var faults []error
	for _, name := range modalities {
		if _, ok := a.Contributions[name]; !ok {
			faults = append(faults, fmt.Errorf("%s.contributions: want modality %q, got none", place, name))
		}
	}
	for i, p := range a.Pairs {
		if !known(p.Pair[0]) || !known(p.Pair[1]) || p.Pair[0] == p.Pair[1] {
			faults = append(faults, fmt.Errorf("%s.pairs[%d]: want two of the modalities %q, got %q", place, i, modalities, p.Pair))
		}
	}
	return errors.Join(faults...)
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
