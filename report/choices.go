package report

import (
	"slices"
	"strconv"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// A choiceSection shows the headline under other choices beside that of the run.
type choiceSection struct {
	Verdict string
	Depends bool
	// Clear is set where it can be told whether it depends.
	Clear bool
	// Several is set for a result of several targets: Open has then, for each choice,
	// the target that it moves most, and All has them all.
	Several bool
	// Across is set where the headline is that across modalities; Least is the
	// difference, in points, above which a choice can matter.
	Across bool
	Least  string
	Ticks  []tick
	Open   []choiceRow
	All    []choiceRow
	// Without are the choices that have no number, and why.
	Without []unmade
}

// A choiceRow is the headline of one target under one choice, on the axis of the run's.
type choiceRow struct {
	// Choice and Setting are empty for the run itself.
	Choice, Setting string
	Target          string
	// Several is set where the row must say its target.
	Several bool
	Span    span
	// Run is the place of the run's headline, X and Width those of its interval; empty
	// where they are not known.
	Run, X, Width string
	Difference    string
	Matters       bool
}

// An unmade choice could not be made. Targets are those that it has no number for,
// empty for all of them.
type unmade struct {
	Choice, Setting, Reason string
	Targets                 []string
}

func newChoiceSection(ex *result.Explanation) *choiceSection {
	s := ex.Sensitivity
	if s == nil {
		return nil
	}
	out := &choiceSection{
		Verdict: wording.NoBreak(wording.Escape(s.Verdict)),
		Depends: s.Depends, Clear: s.Clear, Several: len(ex.Targets) > 1, Across: ex.Groups != nil,
		Least: strconv.FormatFloat(100*result.MatteringDifference, 'g', -1, 64), Ticks: percentTicks(),
	}
	if !out.Several {
		share, low, high := ex.Targets[0].HeadlineInterval()
		run := newChoiceRow(ex, &result.SensitivityRow{Target: ex.Targets[0].Target, InterSHAP: share, Low: low, High: high})
		run.Difference = ""
		run.Span.Strong = true
		out.Open = append(out.Open, run)
	}
	for _, rows := range wording.ByChoice(s.Rows) {
		if r := wording.LargestMove(rows); r.Reason == nil {
			out.Open = append(out.Open, newChoiceRow(ex, r))
		}
		for i := range rows {
			if out.Several && rows[i].Reason == nil {
				out.All = append(out.All, newChoiceRow(ex, &rows[i]))
			}
		}
		out.Without = append(out.Without, unmadeOf(rows)...)
	}
	return out
}

func newChoiceRow(ex *result.Explanation, r *result.SensitivityRow) choiceRow {
	out := choiceRow{
		Target: wording.Escape(r.Target), Several: len(ex.Targets) > 1,
		Difference: wording.Minus(wording.Moved(r.Difference)), Matters: r.Matters,
		Span: shareSpan(label{}, kindPair, wording.Interval{Share: r.InterSHAP, Low: r.Low, High: r.High}, percentAxis),
	}
	if r.Choice != "" {
		out.Choice, out.Setting = wording.ChoiceName(r.Choice), wording.Escape(r.Name)
	}
	for i := range ex.Targets {
		if ex.Targets[i].Target != r.Target {
			continue
		}
		share, low, high := ex.Targets[i].HeadlineInterval()
		if x, ok := share.Value(); ok {
			out.Run = percentAxis.place(x)
		}
		l, ok := low.Value()
		if h, known := high.Value(); known && ok {
			out.X, out.Width = percentAxis.span(l, h)
		}
	}
	return out
}

// unmadeOf lists why the rows of one choice have no number, a reason once.
func unmadeOf(rows []result.SensitivityRow) []unmade {
	var out []unmade
	missing := 0
	for i := range rows {
		r := &rows[i]
		if r.Reason == nil {
			continue
		}
		missing++
		reason := sentence(wording.Escape(*r.Reason))
		at := slices.IndexFunc(out, func(u unmade) bool { return u.Reason == reason })
		if at < 0 {
			at = len(out)
			out = append(out, unmade{Choice: wording.ChoiceName(r.Choice), Setting: wording.Escape(r.Name), Reason: reason})
		}
		out[at].Targets = append(out[at].Targets, wording.Escape(r.Target))
	}
	if missing == len(rows) && len(out) == 1 {
		out[0].Targets = nil
	}
	return out
}
