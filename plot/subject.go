package plot

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A Choice says what of an explanation a figure is about. The zero value is the data
// set under the explanation's only target.
type Choice struct {
	// Target names the target; empty where there is but one.
	Target string
	// Class, if not nil, is the predicted class whose samples are drawn.
	Class *string
	// Sample, if not nil, is the id of the sample that is drawn.
	Sample *string
}

// A ChoiceError says that an explanation does not have what was chosen.
type ChoiceError struct {
	// What is "target", "class" or "sample".
	What string
	// Got is what was asked for; empty if nothing was and several are there.
	Got string
	// Have lists what there is.
	Have []string
}

// Error says what there is, up to a dozen.
func (e *ChoiceError) Error() string {
	const most = 12
	var quoted []string
	for _, h := range e.Have[:min(len(e.Have), most)] {
		quoted = append(quoted, fmt.Sprintf("%q", h))
	}
	have := strings.Join(quoted, ", ")
	if more := len(e.Have) - most; more > 0 {
		have += fmt.Sprintf(" and %d more", more)
	}
	switch {
	case len(e.Have) == 0:
		return fmt.Sprintf("plot: no %s %q: the result has none", e.What, e.Got)
	case e.Got == "":
		return fmt.Sprintf("plot: the result has several of what a %s is, want one of %s", e.What, have)
	}
	return fmt.Sprintf("plot: no %s %q, want one of %s", e.What, e.Got, have)
}

// A Subject is what a figure is about: numbers of an explanation that were chosen and
// checked. It may be drawn as any kind, by several goroutines.
type Subject struct {
	ex     *result.Explanation
	target *result.Target
	// of are the samples of the target, nil without a samples file. present says what
	// modalities each has, nil where all have all.
	of        *result.TargetSamples
	predicted []int
	present   []game.Coalition
	// only is the position of the class that was chosen, -1 for all.
	only int

	// names are the modalities, safe to print.
	names        []string
	convention   score.Convention
	base, output float64
	phi          [][]float64
	// se are the standard errors of phi, nil where unknown; seOf says of what.
	se   [][]float64
	seOf string
	// shares by the convention, of the same aggregation as phi, the means over
	// samples: of each modality alone, of each pair in the order (0,1), (0,2), ...,
	// and of all pairs.
	alone, pairs []wording.Interval
	together     wording.Interval
	// intershap is the share of interaction in the aggregation to read first, headline
	// the name of that, which may be another; scoreOf is the score: on a budget less
	// what noise adds, else the same.
	intershap, scoreOf wording.Interval
	headline           string
	// groups are the modalities of a result whose players are groups, nil else; players
	// names what names are, "modalities" or "groups".
	groups  []result.Grouping
	players string
	// across is the part of intershap that is between modalities, of a data set with
	// groups; hasAcross is set where it is there.
	across    wording.Interval
	hasAcross bool
	// unsaid are cells of a folded matrix whose share says nothing, see folded.
	unsaid map[[2]int]bool
	// fold counts the modalities of its last row, 0 where there is no such row.
	fold int
	// about says in words whose numbers these are; single is set for one sample.
	about  string
	single bool
	// pooled is set where cells are means over different samples, see wording.Pooled:
	// they do not add up to output less base.
	pooled bool
	// lacks are the modalities that a single sample lacks.
	lacks game.Coalition
}

// Kinds returns the kinds that say something of the subject: all, but groups where the
// result has none.
func (s *Subject) Kinds() []Kind {
	return slices.DeleteFunc(Kinds(), func(k Kind) bool {
		return k == Groups && len(s.target.By) == 0 && len(s.target.Patterns) == 0
	})
}

// Choose picks what a figure is about. The samples may be nil; a sample cannot be
// chosen then and no beeswarm be drawn. Samples of another run are an error.
func Choose(ex *result.Explanation, samples *result.Samples, c Choice) (*Subject, error) {
	s := &Subject{ex: ex, only: -1}
	var err error
	if s.convention, err = score.ParseConvention(ex.Provenance.Convention); err != nil {
		return nil, fmt.Errorf("plot: the result's convention: %w", err)
	}
	if len(ex.Modalities) == 0 {
		return nil, errors.New("plot: the result has no modalities")
	}
	if c.Class != nil && c.Sample != nil {
		return nil, errors.New("plot: want a class or a sample, got both")
	}
	s.groups, s.players = ex.Groups, wording.Players(ex)
	for _, name := range ex.Modalities {
		s.names = append(s.names, wording.Escape(name))
	}
	at, err := s.chooseTarget(c.Target)
	if err != nil {
		return nil, err
	}
	if samples != nil {
		if err := samples.Belongs(ex); err != nil {
			return nil, fmt.Errorf("plot: %w", err)
		}
		s.of, s.predicted, s.present = &samples.ByTarget[at], samples.Predicted, samples.Present
	}
	switch {
	case c.Class != nil:
		err = s.takeClass(*c.Class)
	case c.Sample != nil:
		err = s.takeSample(*c.Sample, samples)
	default:
		s.about = "all " + count(s.target.Samples, "sample")
		if s.target.Samples == 1 {
			s.about = "1 sample"
		}
		if a := s.target.Across; a != nil {
			h := a.Headline(s.target.Headline)
			s.across, s.hasAcross = wording.Interval{Share: h.Score(), Low: h.Low, High: h.High}, true
		}
		err = s.take(&s.target.Breakdown)
	}
	if err != nil {
		return nil, err
	}
	return s, s.check()
}

func (s *Subject) chooseTarget(name string) (at int, err error) {
	var have []string
	for i := range s.ex.Targets {
		t := &s.ex.Targets[i]
		have = append(have, t.Target)
		if t.Target == name || name == "" && len(s.ex.Targets) == 1 {
			s.target, at = t, i
		}
	}
	if s.target == nil {
		return 0, &ChoiceError{What: "target", Got: name, Have: have}
	}
	return at, nil
}

func (s *Subject) takeClass(name string) error {
	var have []string
	for i := range s.target.ByClass {
		c := &s.target.ByClass[i]
		have = append(have, c.Class)
		if c.Class != name {
			continue
		}
		s.about = fmt.Sprintf("%s predicted %s", count(c.Samples, "sample"), wording.Escape(c.Class))
		s.only = slices.Index(s.ex.Classes, name)
		return s.take(&c.Breakdown)
	}
	return &ChoiceError{What: "class", Got: name, Have: have}
}

// take takes the numbers of a group of samples.
func (s *Subject) take(b *result.Breakdown) error {
	s.base, s.output, s.phi = b.Base, b.Output, b.Global.Phi
	s.pooled = wording.Pooled(s.ex, s.target, b)
	a := wording.HeadlineAggregate(b, s.target.Headline)
	s.headline = "global"
	if s.target.Headline == result.MeanAbsolute {
		s.headline = "mean absolute"
	}
	s.intershap = wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}
	s.scoreOf = wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}
	// phi is a matrix of means: the shares of mean absolutes are not those of its cells.
	a = &b.Global.Aggregate
	s.together = wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}
	for _, m := range s.ex.Modalities {
		bounds := a.ContributionIntervals[m]
		s.alone = append(s.alone, wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]})
	}
	pairs := map[[2]string]wording.Interval{}
	for _, p := range a.Pairs {
		v := wording.Interval{Share: p.Share, Low: p.Low, High: p.High}
		pairs[p.Pair], pairs[[2]string{p.Pair[1], p.Pair[0]}] = v, v
	}
	for i, first := range s.ex.Modalities {
		for _, second := range s.ex.Modalities[i+1:] {
			v, ok := pairs[[2]string{first, second}]
			if !ok {
				return fmt.Errorf("plot: the result has no pair of %q and %q", first, second)
			}
			s.pairs = append(s.pairs, v)
		}
	}
	s.se, s.seOf = joinSE(b.Global.PhiSE, len(b.Global.Phi))
	return nil
}

// joinSE returns the errors of all sources that are known, and says which these are.
func joinSE(se result.PhiSE, modalities int) (joint [][]float64, of string) {
	var sources []string
	for _, s := range []struct {
		cells [][]float64
		name  string
	}{{se.Background, "background rows"}, {se.Coalitions, "coalitions"}, {se.Samples, "samples"}} {
		if s.cells != nil {
			sources = append(sources, s.name)
		}
	}
	for i := range modalities {
		row := make([]float64, modalities)
		for j := range row {
			var ok bool
			if row[j], ok = se.Cell(i, j); !ok {
				return nil, ""
			}
		}
		joint = append(joint, row)
	}
	if last := len(sources) - 1; last > 0 {
		of = strings.Join(sources[:last], ", ") + " and "
	}
	of += sources[len(sources)-1]
	if !se.Complete() {
		of += " alone"
	}
	return joint, of
}

func (s *Subject) takeSample(id string, samples *result.Samples) error {
	if samples == nil {
		return unfitf("a sample is drawn from a samples file, and there is none")
	}
	at := slices.Index(samples.IDs, id)
	if at < 0 {
		return fmt.Errorf("plot: %s: no sample with the id %q among %s, the first is %q", samples.Path, id, count(samples.Len(), "sample"), samples.IDs[0])
	}
	m := len(s.names)
	s.single = true
	s.about = "sample " + wording.Escape(id)
	if n := counted(samples.IDs, id); n > 1 {
		s.about += fmt.Sprintf(" (the first of %d with this id)", n)
	}
	if len(s.ex.Classes) > 0 {
		s.about += ", predicted " + s.className(s.predicted[at])
	}
	if s.present != nil {
		s.lacks = (game.Coalition(1)<<m - 1) &^ s.present[at]
	}
	if s.lacks != 0 {
		s.about += ", which lacks " + wording.Escape(wording.Lacking(s.ex.Modalities, result.PresentNames(s.ex.Modalities, s.present[at])))
	}
	s.headline = "local"
	s.base, s.output = s.of.Base[at], s.of.Output[at]
	flat := s.of.Matrix(at, m)
	for i := range m {
		s.phi = append(s.phi, flat[i*m:(i+1)*m])
	}
	s.localShares()
	s.intershap.Share = s.of.InterSHAP[at]
	s.scoreOf = s.intershap
	s.together = s.intershap
	return nil
}

func counted(all []string, one string) int {
	n := 0
	for _, x := range all {
		if x == one {
			n++
		}
	}
	return n
}

// className returns the name of a class by its position, as it is printed.
func (s *Subject) className(at int) string {
	if at >= 0 && at < len(s.ex.Classes) {
		return wording.Escape(s.ex.Classes[at])
	}
	return fmt.Sprint(at)
}

// pairCells is how many cells of a pair count.
func (s *Subject) pairCells() float64 {
	if s.convention == score.SinglePair {
		return 1
	}
	return 2
}

// localShares computes the shares of a single matrix: |phi_ii| of the modalities and
// the pairs' cells that count, over the sum of all of those (score.Local).
func (s *Subject) localShares() {
	var sizes []float64
	whole := 0.0
	add := func(x float64) {
		sizes = append(sizes, math.Abs(x))
		whole += math.Abs(x)
	}
	for i := range s.phi {
		add(s.phi[i][i])
	}
	for i := range s.phi {
		for j := i + 1; j < len(s.phi); j++ {
			add(s.phi[i][j] * s.pairCells())
		}
	}
	for i, size := range sizes {
		var v wording.Interval
		if whole > 0 {
			v.Share = score.Defined(size / whole)
		}
		if i < len(s.phi) {
			s.alone = append(s.alone, v)
		} else {
			s.pairs = append(s.pairs, v)
		}
	}
}

// largest is the size of the largest number that is drawn: sums of those that there
// can be stay finite.
const largest = 1e300

// check refuses numbers whose sums would be none.
func (s *Subject) check() error {
	all := []float64{s.base, s.output}
	for _, matrix := range [][][]float64{s.phi, s.se} {
		for _, row := range matrix {
			all = append(all, row...)
		}
	}
	for _, x := range all {
		if !(math.Abs(x) <= largest) {
			return fmt.Errorf("plot: the result has the number %v, want none above %v in size", x, largest)
		}
	}
	for _, row := range s.se {
		for _, x := range row {
			if x < 0 {
				return fmt.Errorf("plot: the result has a standard error of %v, want 0 or more", x)
			}
		}
	}
	return nil
}
