package result

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/score"
)

// A Choice is a setting that whoever runs intershap chooses, and that the data do
// not. It is named as its flag.
type Choice string

// The choices that a run is repeated over.
const (
	// MaskChoice is the rule that fills absent modalities.
	MaskChoice Choice = "mask"
	// SizeChoice is the number of background rows.
	SizeChoice Choice = "background-size"
	// DrawChoice is the seed of the background's draw.
	DrawChoice Choice = "seed"
	// ScaleChoice is the scale of the output: probability or logit.
	ScaleChoice Choice = "transform"
)

// Choices lists all of them in the order of a table.
var Choices = []Choice{MaskChoice, SizeChoice, DrawChoice, ScaleChoice}

// MatteringDifference is how far a headline must be from the run's, as a fraction, for
// a choice to matter.
//
// Intervals alone would not do. With many samples and background rows they are as
// narrow as one likes, so that every choice would come to matter, also one that moves
// the headline from 44.4 % to 44.6 %, which changes no decision. That five points do is
// a convention, as 95 % is for intervals; the rows have the differences for another.
const MatteringDifference = 0.05

// WidestClear is how wide an interval may be, as a fraction, of which it can be said
// that no choice changes it. One of 40 points overlaps most others, whatever was chosen:
// that nothing differs from it says nothing. It is a convention, as the 5 points of
// [MatteringDifference] are.
const WidestClear = 0.4

// A Sensitivity is the headline of a run beside the headlines under other choices, each
// made alone from the run's settings.
type Sensitivity struct {
	// Verdict says in a sentence whether the headline depends on a choice.
	Verdict string `json:"verdict"`
	// Depends is set where a choice matters for a target.
	Depends bool `json:"depends"`
	// Clear is set where that can be told: with Depends always, and without where the
	// headlines are known well enough for their not moving to say something, see [Tells].
	// Without it the run knows too little, or there is nothing to hold against it.
	Clear bool `json:"clear"`
	// Rows has an entry for each choice and target, the targets of a choice together.
	Rows []SensitivityRow `json:"rows"`
}

// A SensitivityRow is the headline of one target under another choice.
type SensitivityRow struct {
	// Choice is the flag that was set to Setting; all else is as in the run.
	Choice  Choice `json:"choice"`
	Setting string `json:"setting"`
	// Name says the setting in words: "600 rows", "centred logit".
	Name string `json:"name"`
	// Target is that of the run.
	Target string `json:"target"`
	// InterSHAP, Low and High are the headline with its interval.
	InterSHAP score.Share `json:"intershap"`
	Low       score.Share `json:"low"`
	High      score.Share `json:"high"`
	// Difference is InterSHAP less the run's; null where either is undefined.
	Difference *float64 `json:"difference"`
	// Matters is set where the choice changes the verdict, see [Matters].
	Matters bool `json:"matters"`
	// Reason says why there is no number; null where there is one.
	Reason *string `json:"reason"`
}

// Matters reports whether a choice changes the verdict: its interval and the run's do
// not overlap, and the headlines differ by more than [MatteringDifference].
//
//	max(low, low') > min(high, high')  and  |share - share'| > 0.05
//
// An interval that is not known overlaps every other: nothing is told from a number of
// unknown error.
func Matters(run, other [3]score.Share) bool {
	x, ok1 := run[0].Value()
	y, ok2 := other[0].Value()
	if !ok1 || !ok2 || !(math.Abs(x-y) > MatteringDifference) {
		return false
	}
	const unknownLow, unknownHigh = 0, 1
	low := max(run[1].Or(unknownLow), other[1].Or(unknownLow))
	high := min(run[2].Or(unknownHigh), other[2].Or(unknownHigh))
	return low > high
}

// Tells reports whether the headline of t is known well enough for a choice to be
// said not to change it. Its interval is at most [WidestClear] wide, and does not reach
// from zero, where there may be no interaction, to more than [MatteringDifference],
// where there may be some that counts:
//
//	high − low <= 0.4  and  (low > 0 or high <= 0.05)
//
// One that is not known tells nothing.
func Tells(t *Target) bool {
	share, low, high := t.HeadlineInterval()
	_, defined := share.Value()
	l, hasLow := low.Value()
	h, hasHigh := high.Value()
	return defined && hasLow && hasHigh && h-l <= WidestClear && (l > 0 || h <= MatteringDifference)
}

// Conclude fills in Depends and Clear, given the rows and the targets of the run. That
// nothing depends is clear only where something was held against the run, and every
// target with a headline tells, see [Tells].
func (s *Sensitivity) Conclude(targets []Target) {
	s.Depends, s.Clear = false, false
	for i := range s.Rows {
		s.Depends = s.Depends || s.Rows[i].Matters
		s.Clear = s.Clear || s.Rows[i].Difference != nil
	}
	for i := range targets {
		share, _, _ := targets[i].HeadlineInterval()
		_, defined := share.Value()
		s.Clear = s.Clear && (!defined || Tells(&targets[i]))
	}
	s.Clear = s.Clear || s.Depends
}

// Compare fills in what a row says beside the run's headline of its target.
func (r *SensitivityRow) Compare(run *Target) {
	r.Difference, r.Matters = nil, false
	share, low, high := run.HeadlineInterval()
	x, ok1 := share.Value()
	y, ok2 := r.InterSHAP.Value()
	if ok1 && ok2 {
		d := y - x
		r.Difference = &d
		r.Matters = Matters([3]score.Share{share, low, high}, [3]score.Share{r.InterSHAP, r.Low, r.High})
	}
}

// check holds the rows against the headlines of the targets.
func (s *Sensitivity) check(targets []Target) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if s.Verdict == "" {
		fault("sensitivity.verdict: want a sentence, got none")
	}
	for i := range s.Rows {
		r, place := &s.Rows[i], fmt.Sprintf("sensitivity.rows[%d]", i)
		if !slices.Contains(Choices, r.Choice) {
			fault("%s.choice: want one of %q, got %q", place, Choices, r.Choice)
		}
		if r.Setting == "" || r.Name == "" {
			fault("%s: want a setting and its name, got %q and %q", place, r.Setting, r.Name)
		}
		faults = append(faults, checkInterval(place+".intershap", r.InterSHAP, place, r.Low, r.High))
		if _, has := r.InterSHAP.Value(); has == (r.Reason != nil) {
			fault("%s: want either a number or the reason why there is none", place)
		}
		at := slices.IndexFunc(targets, func(t Target) bool { return t.Target == r.Target })
		if at < 0 {
			fault("%s.target: want one of the targets, got %q", place, r.Target)
			continue
		}
		want := *r
		want.Compare(&targets[at])
		if !sameDifference(want.Difference, r.Difference) {
			fault("%s.difference: want %s by the headlines, got %s", place, differenceText(want.Difference), differenceText(r.Difference))
		}
		if want.Matters != r.Matters {
			fault("%s.matters: want %v by the intervals, got %v", place, want.Matters, r.Matters)
		}
	}
	want := *s
	want.Conclude(targets)
	if want.Depends != s.Depends {
		fault("sensitivity.depends: want %v by the rows, got %v", want.Depends, s.Depends)
	}
	if want.Clear != s.Clear {
		fault("sensitivity.clear: want %v by the rows and headlines, got %v", want.Clear, s.Clear)
	}
	return errors.Join(faults...)
}

func sameDifference(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Abs(*a-*b) <= rounding
}

func differenceText(d *float64) string {
	if d == nil {
		return "null"
	}
	return fmt.Sprint(*d)
}

// AtLeast is the answer to whether interaction is at least as large as a threshold.
type AtLeast struct {
	// Threshold is a fraction above 0.
	Threshold float64      `json:"threshold"`
	Answer    score.Answer `json:"answer"`
}

// AnswerAtLeast asks the headline's interval whether interaction is threshold or more,
// see [score.Interval.AtLeast].
func (t *Target) AnswerAtLeast(threshold float64) AtLeast {
	share, low, high := t.HeadlineInterval()
	return AtLeast{threshold, score.Interval{Share: share, Low: low, High: high}.AtLeast(threshold)}
}

// CheckThreshold refuses what no interaction can be asked to be at least.
func CheckThreshold(x float64) error {
	if !(x > 0 && x <= 1) {
		return fmt.Errorf("want a fraction above 0 and at most 1, got %v", x)
	}
	return nil
}

// check holds the answer against the headline.
func (a *AtLeast) check(place string, t *Target) error {
	if err := CheckThreshold(a.Threshold); err != nil {
		return fmt.Errorf("%s.threshold: %w", place, err)
	}
	if want := t.AnswerAtLeast(a.Threshold).Answer; a.Answer != want {
		return fmt.Errorf("%s.answer: want %s by the headline's interval, got %s", place, want, a.Answer)
	}
	return nil
}
