package intershap

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// choiceNames are what the choices are called in a sentence.
var choiceNames = map[result.Choice]string{
	result.MaskChoice:  "the mask",
	result.SizeChoice:  "the number of background rows",
	result.DrawChoice:  "the draw of background rows",
	result.ScaleChoice: "the output scale",
}

// sensitivityVerdict says in a sentence whether the headlines of targets depend on a
// choice.
func sensitivityVerdict(targets []result.Target, rows []result.SensitivityRow) string {
	var compared, silent int // choices with a number for a target, and those without
	depends := false
	for from := 0; from < len(rows); from += len(targets) {
		one := rows[from : from+len(targets)]
		if slices.ContainsFunc(one, func(r result.SensitivityRow) bool { return r.Difference != nil }) {
			compared++
		} else {
			silent++
		}
		depends = depends || slices.ContainsFunc(one, func(r result.SensitivityRow) bool { return r.Matters })
	}
	var text string
	switch {
	case !slices.ContainsFunc(targets, defined):
		return "The run's headline is undefined, so that no choice can be held against it."
	case compared == 0:
		return fmt.Sprintf("None of the %s could be held against the run: nothing is known of what the verdict depends on.", wording.Count(int64(len(rows)/len(targets)), "other choice"))
	case depends:
		text = dependence(targets, rows)
	case !slices.ContainsFunc(targets, bounded):
		text = fmt.Sprintf("The run's headline has no interval, so that no choice can be told to change the verdict%s", span(targets, rows))
	case slices.ContainsFunc(targets, untold):
		text = unclear(targets, rows)
	case compared == 1:
		text = "The one other choice does not change the verdict" + span(targets, rows)
	default:
		text = fmt.Sprintf("None of the %d other choices changes the verdict%s", compared, span(targets, rows))
	}
	if silent > 0 {
		text += fmt.Sprintf("; %s no number", gives(silent))
	}
	return text + "."
}

func gives(n int) string {
	if n == 1 {
		return "1 other gives"
	}
	return fmt.Sprintf("%d others give", n)
}

func defined(t result.Target) bool {
	share, _, _ := t.HeadlineInterval()
	_, ok := share.Value()
	return ok
}

func bounded(t result.Target) bool {
	share, low, high := t.HeadlineInterval()
	return wording.Interval{Share: share, Low: low, High: high}.Bounded()
}

func untold(t result.Target) bool { return defined(t) && !result.Tells(&t) }

// unclear says of which headlines too little is known to tell whether they move.
func unclear(targets []result.Target, rows []result.SensitivityRow) string {
	if len(targets) == 1 {
		_, low, high := targets[0].HeadlineInterval()
		return fmt.Sprintf("The run's interval, %s to %s, is too wide to tell whether a choice changes the verdict%s",
			wording.Percent(low.Or(0)), wording.Percent(high.Or(1)), span(targets, rows))
	}
	n := 0
	for _, t := range targets {
		if untold(t) {
			n++
		}
	}
	return fmt.Sprintf("The run knows too little of %d of %d targets to tell whether a choice changes their verdicts%s", n, len(targets), span(targets, rows))
}

// dependence names the choices that matter, each by the setting that moves a headline
// most.
func dependence(targets []result.Target, rows []result.SensitivityRow) string {
	var names, cases []string
	for _, kind := range result.Choices {
		var worst *result.SensitivityRow
		for i := range rows {
			r := &rows[i]
			if r.Choice == kind && r.Matters && (worst == nil || math.Abs(*r.Difference) > math.Abs(*worst.Difference)) {
				worst = r
			}
		}
		if worst == nil {
			continue
		}
		names = append(names, choiceNames[kind])
		text := fmt.Sprintf("%s with %s", inShort(worst.InterSHAP, worst.Low, worst.High), settingName(worst))
		if len(targets) > 1 {
			at := slices.IndexFunc(targets, func(t result.Target) bool { return t.Target == worst.Target })
			text = fmt.Sprintf("%s for target %s, %s in the run", text, worst.Target, inShort(targets[at].HeadlineInterval()))
		}
		cases = append(cases, text)
	}
	text := "The verdict depends on " + join(names) + ": "
	if len(targets) == 1 {
		text += inShort(targets[0].HeadlineInterval()) + " in the run, "
	}
	return text + strings.Join(cases, ", ")
}

// inShort writes a headline without its bounds, as the table does.
func inShort(share, low, high score.Share) string {
	head, _ := wording.Interval{Share: share, Low: low, High: high}.Parts()
	return head
}

// settingName says a setting so that it is understood alone.
func settingName(r *result.SensitivityRow) string {
	if r.Choice == result.MaskChoice {
		return "mask " + r.Name
	}
	return r.Name
}

// join lists names with an "and" before the last.
func join(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// span says between what the headline of one target lies, or how far those of several
// move, over the run and all choices. Where that is more than would matter, intervals
// overlap.
func span(targets []result.Target, rows []result.SensitivityRow) string {
	low, high, largest := math.Inf(1), math.Inf(-1), 0.0
	add := func(x float64) { low, high = min(low, x), max(high, x) }
	if share, _, _ := targets[0].HeadlineInterval(); len(targets) == 1 {
		add(share.Or(0))
	}
	for _, r := range rows {
		if r.Difference != nil {
			largest = max(largest, math.Abs(*r.Difference))
			add(r.InterSHAP.Or(0))
		}
	}
	tells := !slices.ContainsFunc(targets, untold)
	text := fmt.Sprintf(": %s to %s", wording.Percent(low), wording.Percent(high))
	switch {
	case len(targets) > 1 && tells:
		text = fmt.Sprintf(" of any of %d targets: no headline moves by more than %s points", len(targets), wording.Points(largest))
	case len(targets) > 1:
		text = fmt.Sprintf(": headlines move by up to %s points", wording.Points(largest))
	case !tells:
		text = fmt.Sprintf(": the headlines lie between %s and %s", wording.Percent(low), wording.Percent(high))
	}
	if largest > result.MatteringDifference && tells {
		text += ", with intervals that overlap the run's"
	}
	return text
}
