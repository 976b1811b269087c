package wording

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// ChoiceName names a choice at the head of a row: "background draw".
func ChoiceName(c result.Choice) string {
	switch c {
	case result.SizeChoice:
		return "background size"
	case result.DrawChoice:
		return "background draw"
	case result.ScaleChoice:
		return "output scale"
	}
	return string(c)
}

// AtLeast says what the interval of a headline answers to the question of at_least,
// which the target has.
func AtLeast(t *result.Target) string {
	a := t.AtLeast
	_, low, high := t.HeadlineInterval()
	question := fmt.Sprintf("At least %s? ", Percent(a.Threshold))
	l, hasLow := low.Value()
	h, hasHigh := high.Value()
	switch {
	case !hasLow || !hasHigh:
		return question + "Unclear: the headline has no interval."
	case a.Answer == score.Yes:
		return question + "Yes: the interval begins at " + Percent(l) + "."
	case a.Answer == score.No:
		return question + "No: the interval ends at " + AtMost(h) + "."
	}
	return question + fmt.Sprintf("Unclear: the interval reaches from %s to %s.", Percent(l), Percent(h))
}

// Moved writes a difference of shares in points, with its sign.
func Moved(d *float64) string {
	if d == nil {
		return Undefined
	}
	text := Points(*d)
	if *d > 0 && text != "0.00" {
		text = "+" + text
	}
	return text
}

// ByChoice cuts rows into those of one choice and setting, which have one for each
// target.
func ByChoice(rows []result.SensitivityRow) [][]result.SensitivityRow {
	var out [][]result.SensitivityRow
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].Choice == rows[from].Choice && rows[to].Setting == rows[from].Setting {
			to++
		}
		out = append(out, rows[from:to])
		from = to
	}
	return out
}

// LargestMove picks the row of a choice that a reader should see: one that matters
// before others, one with a number before one without, then the largest difference.
func LargestMove(rows []result.SensitivityRow) *result.SensitivityRow {
	rank := func(r *result.SensitivityRow) float64 {
		const above = 2 // every difference
		switch {
		case r.Reason != nil:
			return -1
		case r.Difference == nil:
			return 0
		case r.Matters:
			return above + math.Abs(*r.Difference)
		}
		return math.Abs(*r.Difference)
	}
	best := &rows[0]
	for i := range rows {
		if rank(&rows[i]) > rank(best) {
			best = &rows[i]
		}
	}
	return best
}

// Coalitions says which coalitions of a number of players a run with a budget
// evaluated: "774 of 2^18".
func Coalitions(s *result.Sampling, players int) string {
	return fmt.Sprintf("%s of 2^%d", Grouped(int64(s.Coalitions)), players)
}

// Players names what the modalities of a result are: "groups" where modalities were
// divided.
func Players(ex *result.Explanation) string {
	if ex.Groups != nil {
		return "groups"
	}
	return "modalities"
}
