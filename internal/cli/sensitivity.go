package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// readThreshold reads the threshold of --at-least.
func readThreshold(text string) (bound, error) {
	x, err := readFraction(text)
	switch number, parse := strconv.ParseFloat(text, 64); {
	case err == nil && x == 0:
		return bound{}, errors.New("want a share above 0, such as 5%: every interaction is at least 0, and that it is not exactly 0 no interval can show")
	case err != nil && parse == nil && number > 1 && number <= 100:
		return bound{}, fmt.Errorf("want a fraction, or percent with the sign, got %q: did you mean %s%%?", text, text)
	case err != nil:
		return bound{}, err
	}
	return bound{at: x, set: true}, nil
}

// answer asks the headlines of all targets the question of --at-least.
func answer(ex *result.Explanation, threshold bound) {
	for i := range ex.Targets {
		if t := &ex.Targets[i]; threshold.set {
			a := t.AnswerAtLeast(threshold.at)
			t.AtLeast = &a
		}
	}
}

// atLeastText says what the interval of a headline answers.
func atLeastText(t *result.Target) string {
	a := t.AtLeast
	_, low, high := t.HeadlineInterval()
	question := fmt.Sprintf("At least %s? ", percent(a.Threshold))
	l, hasLow := low.Value()
	h, hasHigh := high.Value()
	switch {
	case !hasLow || !hasHigh:
		return question + "Unclear: the headline has no interval."
	case a.Answer == score.Yes:
		return question + "Yes: the interval begins at " + percent(l) + "."
	case a.Answer == score.No:
		return question + "No: the interval ends at " + wording.AtMost(h) + "."
	}
	return question + fmt.Sprintf("Unclear: the interval reaches from %s to %s.", percent(l), percent(h))
}

// choose makes the other choices of the plan that was run last, and tells before what
// they cost.
func (o *opened) choose(ctx context.Context, ex *intershap.Explanation, tell teller, bar *progress) error {
	choices, err := o.plan.Choices(ctx)
	if err != nil {
		return err
	}
	if !tell.quiet {
		_, _ = fmt.Fprintf(tell.s.err, "%s: sensitivity: %s, %s if each goes through the whole model\n",
			program, count(int64(choices.Runs()), "more run"), count(choices.Rows(), "model row"))
	}
	bar.start()
	defer bar.finish()
	ex.Sensitivity, err = choices.Explain(ctx, ex, bar.tell)
	return err
}

// choiceHeads are the choices at the head of a row.
var choiceHeads = map[result.Choice]string{
	result.MaskChoice: "mask", result.SizeChoice: "background size", result.DrawChoice: "background draw", result.ScaleChoice: "output scale",
}

// writeSensitivity writes the headline under other choices below that of the run. Of
// several targets each choice has the one that it moves most.
func writeSensitivity(p *page, ex *result.Explanation) {
	several := len(ex.Targets) > 1
	head := []cell{{head: "choice"}, {head: "setting"}}
	if several {
		head = append(head, cell{head: "target"})
	}
	rows := [][]cell{append(head, cell{head: "InterSHAP *"}, cell{head: "difference", number: true}, cell{head: "matters"})}
	if !several {
		share, low, high := ex.Targets[0].HeadlineInterval()
		rows = append(rows, []cell{{head: "the run"}, {}, interval{share, low, high}.cell()})
	}
	var without []result.SensitivityRow
	for from := 0; from < len(ex.Sensitivity.Rows); {
		to := from + 1
		for to < len(ex.Sensitivity.Rows) && sameChoice(&ex.Sensitivity.Rows[to], &ex.Sensitivity.Rows[from]) {
			to++
		}
		r := largestMove(ex.Sensitivity.Rows[from:to])
		from = to
		if r.Reason != nil {
			without = append(without, *r)
			continue
		}
		row := []cell{{head: choiceHeads[r.Choice]}, {head: r.Name}}
		if several {
			row = append(row, cell{head: r.Target})
		}
		row = append(row, interval{r.InterSHAP, r.Low, r.High}.cell(), cell{head: pointsMoved(r.Difference), number: true})
		if r.Matters {
			row = append(row, cell{head: "yes", strong: true})
		}
		rows = append(rows, row)
	}
	p.grid(rows)
	for _, r := range without {
		p.line("no number for %s %s: %s", choiceHeads[r.Choice], r.Name, *r.Reason)
	}
	p.blank()
	p.hang("* ", ex.Sensitivity.Verdict)
}

func sameChoice(a, b *result.SensitivityRow) bool {
	return a.Choice == b.Choice && a.Setting == b.Setting
}

// largestMove picks the row of a choice that a reader should see: one that matters
// before others, one with a number before one without, then the largest difference.
func largestMove(rows []result.SensitivityRow) *result.SensitivityRow {
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

// pointsMoved writes a difference of shares in points, with its sign.
func pointsMoved(d *float64) string {
	if d == nil {
		return undefined
	}
	text := points(*d)
	if *d > 0 && text != "0.00" {
		text = "+" + text
	}
	return text
}
