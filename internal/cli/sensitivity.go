package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
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
	for _, of := range wording.ByChoice(ex.Sensitivity.Rows) {
		r := wording.LargestMove(of)
		if r.Reason != nil {
			without = append(without, *r)
			continue
		}
		row := []cell{{head: wording.ChoiceName(r.Choice)}, {head: r.Name}}
		if several {
			row = append(row, cell{head: r.Target})
		}
		row = append(row, interval{r.InterSHAP, r.Low, r.High}.cell(), cell{head: wording.Moved(r.Difference), number: true})
		if r.Matters {
			row = append(row, cell{head: "yes", strong: true})
		}
		rows = append(rows, row)
	}
	p.grid(rows)
	for _, r := range without {
		p.line("no number for %s %s: %s", wording.ChoiceName(r.Choice), r.Name, *r.Reason)
	}
	p.blank()
	p.hang("* ", ex.Sensitivity.Verdict)
}
