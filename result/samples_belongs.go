package result

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// Belongs says why the samples are not those of the run that found e, nil if they can
// be. Modalities, targets, their number and classes must be the same. The local score of
// each sample must follow from its phi by the run's convention, and phi from the values
// of coalitions where they are there. The means of base, output and phi over samples must
// be what e says to 1e-9 of their size, and so must the mean of the local scores, the
// number of samples without one and the number of each predicted class.
//
// Where samples lack modalities, the mean of a cell of phi is over those that have its
// modalities, and the number of samples of each pattern must be what e says. A run with
// weights has weighted means, which the samples do not tell: then means are not compared.
//
// Other samples of the same model and data with other means are told; the order of
// samples, their ids, standard errors, predictions that change places and what cancels
// in a mean are not, since e has nothing to hold them against.
func (s *Samples) Belongs(e *Explanation) error {
	if err := s.belongs(e); err != nil {
		return fmt.Errorf("result: %s: not the samples of this result: %w", s.Path, err)
	}
	return nil
}

func (s *Samples) belongs(e *Explanation) error {
	if !slices.Equal(s.Modalities, e.Modalities) {
		return fmt.Errorf("want modalities %q, got %q", e.Modalities, s.Modalities)
	}
	var targets []string
	for _, t := range e.Targets {
		targets = append(targets, t.Target)
	}
	if one := s.unnamed() && len(targets) == 1; !one && !slices.Equal(s.Targets, targets) {
		if s.unnamed() {
			return fmt.Errorf("want targets %q, got one without a name", targets)
		}
		return fmt.Errorf("want targets %q, got %q", targets, s.Targets)
	}
	if n := len(e.Classes); n > 0 {
		for i, class := range s.Predicted {
			if class >= n {
				return fmt.Errorf("sample %d (id %q): want a predicted class below %d, got %d", i, s.IDs[i], n, class)
			}
		}
	}
	if missing := len(e.Provenance.Missing) > 0; missing != (s.Present != nil) {
		if missing {
			return fmt.Errorf("want the modalities that each sample has (%s), got none", columnPresent)
		}
		return fmt.Errorf("want samples that have all modalities, got a %s that says what each has", columnPresent)
	}
	convention, err := score.ParseConvention(e.Provenance.Convention)
	if err != nil {
		return err
	}
	weighted := e.Provenance.Weight != ""
	for k := range e.Targets {
		t, own := &e.Targets[k], &s.ByTarget[k]
		if !sameCount(t.Samples, s.Len(), weighted) {
			return fmt.Errorf("want %d samples, got %d", t.Samples, s.Len())
		}
		for _, check := range []func() error{
			func() error {
				if weighted {
					return nil
				}
				return s.sameMeans(own, &t.Breakdown)
			},
			func() error { return s.checkScores(own, convention) },
			func() error { return s.checkClasses(t, e.Classes, weighted) },
			func() error { return s.checkPatterns(t, weighted) },
			func() error { return s.checkCoalitions(own) },
		} {
			if err := check(); err != nil {
				return fmt.Errorf("target %q: %w", t.Target, err)
			}
		}
	}
	return nil
}

// sameCount compares a number of samples with that of a result, which leaves out those
// of weight 0: a file has them too.
func sameCount(want, got int, weighted bool) bool {
	return want == got || weighted && want < got
}

// sameMeans compares means over samples with those of a result. A cell of phi is pooled
// over the samples that have its modalities, and 0 where none has.
func (s *Samples) sameMeans(t *TargetSamples, b *Breakdown) error {
	m := len(s.Modalities)
	compare := func(name string, want, got, size float64) error {
		// Means that both are infinite are the same; no other comparison says so.
		if want == got || math.Abs(want-got) <= rounding*size {
			return nil
		}
		return fmt.Errorf("want a mean %s of %v, got %v", name, want, got)
	}
	every := func(all []float64, from, step int, of game.Coalition) (mean, size float64) {
		n := 0
		for i := range s.Len() {
			if s.has(i, of) {
				n++
			}
		}
		var x sum
		for i := range s.Len() {
			if s.has(i, of) {
				v := all[from+i*step]
				x.add(v / float64(n))
				size += math.Abs(v) / float64(n)
			}
		}
		return x.value(), size
	}
	base, size := every(t.Base, 0, 1, 0)
	if err := compare(columnBase, b.Base, base, size); err != nil {
		return err
	}
	output, more := every(t.Output, 0, 1, 0)
	size += more
	if err := compare(columnOutput, b.Output, output, size); err != nil {
		return err
	}
	for i := range m {
		for j := range m {
			mean, own := every(t.Phi, i*m+j, m*m, game.Coalition(0).With(i).With(j))
			if err := compare(fmt.Sprintf("phi[%d][%d]", i, j), b.Global.Phi[i][j], mean, max(own, size)); err != nil {
				return err
			}
		}
	}
	return t.sameLocal(&b.Local)
}

// has reports whether sample i has all modalities of a coalition.
func (s *Samples) has(i int, of game.Coalition) bool {
	return s.Present == nil || of&^s.Present[i] == 0
}

// checkPatterns holds the number of samples of each pattern against the result.
func (s *Samples) checkPatterns(t *Target, weighted bool) error {
	if s.Present == nil {
		return nil
	}
	counts := map[game.Coalition]int{}
	for _, present := range s.Present {
		counts[present]++
	}
	var patterns []game.Coalition
	for i := range t.Patterns {
		var present game.Coalition
		for _, name := range t.Patterns[i].Present {
			present = present.With(slices.Index(s.Modalities, name))
		}
		patterns = append(patterns, present)
		if want, got := t.Patterns[i].Samples, counts[present]; !sameCount(want, got, weighted) {
			return fmt.Errorf("%s: want %d samples that have %q, got %d", columnPresent, want, t.Patterns[i].Present, got)
		}
	}
	for i, present := range s.Present {
		if !weighted && !slices.Contains(patterns, present) {
			return fmt.Errorf("%s: want one of the result's patterns, got %q in sample %d (id %q)", columnPresent, PresentText(s.Modalities, present), i, s.IDs[i])
		}
	}
	return nil
}

// sameLocal compares the mean of local scores with that of a result.
func (t *TargetSamples) sameLocal(b *LocalAggregate) error {
	var total sum
	defined := 0
	for _, found := range t.InterSHAP {
		if x, ok := found.Value(); ok {
			total.add(x)
			defined++
		}
	}
	if undefined := len(t.InterSHAP) - defined; undefined != b.Undefined {
		return fmt.Errorf("want %d samples without a local score, got %d", b.Undefined, undefined)
	}
	mean := score.Share{}
	if defined > 0 {
		mean = score.Defined(total.value() / float64(defined))
	}
	return sameShare("a mean local score", b.Mean, mean)
}

// A sum adds numbers with the error of a single rounding (Neumaier, 1974).
type sum struct{ high, low float64 }

func (s *sum) add(x float64) {
	total := s.high + x
	if math.Abs(s.high) >= math.Abs(x) {
		s.low += (s.high - total) + x
	} else {
		s.low += (x - total) + s.high
	}
	s.high = total
}

func (s *sum) value() float64 { return s.high + s.low }
