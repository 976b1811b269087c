package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// addBudget adds the flags of a run that evaluates some of the coalitions.
func addBudget(flags *pflag.FlagSet, q *question) {
	o := &q.options
	define(flags, &o.Budget, "budget", "", "C",
		"the most of the 2^M coalitions that are evaluated; what the others say is estimated, with its error in every interval (default: all)", readCount(1))
	define(flags, &o.Estimator, "estimator", "", "E",
		"of a run with a budget: "+strings.Join(approx.Names(), ", ")+" (default: regression)",
		readNamed(approx.Parse, approx.Names()...))
}

// addUntil adds the flag of a run in rounds.
func addUntil(flags *pflag.FlagSet, q *question) {
	define(flags, &q.options.Until, "until", "", "X",
		"go on, with more background rows or coalitions, until the headline's interval reaches no further than X from the score, such as 0.5%; --background-size and --budget are the most that is used",
		readUntil)
}

// readUntil reads half the width of an interval.
func readUntil(text string) (float64, error) {
	x, err := readFraction(text)
	if err != nil || !(x > 0 && x < 1) {
		return 0, fmt.Errorf("want more than 0 and less than 1, such as 0.005 or 0.5%%, got %q", text)
	}
	return x, nil
}

// checkBudget refuses an estimator of nothing.
func (q *question) checkBudget() error {
	if q.options.Estimator != 0 && q.options.Budget == 0 {
		fault := usagef("--estimator %s needs a budget", q.options.Estimator)
		fault.hint = "add --budget C, the most coalitions that are evaluated; without it all are, exactly"
		return fault
	}
	return nil
}

// longFit is the number of unknowns from which on a fit takes more than a moment.
const longFit = 1000

// fit tells that an estimator is prepared, where that takes a while.
func (t teller) fit(d *approx.Design) {
	if d != nil && d.Unknowns() >= longFit && !t.quiet {
		_, _ = fmt.Fprintf(t.s.err, "%s: fitting %s to %s\n", program, count(int64(d.Unknowns()), "unknown"), count(int64(d.Len()), "coalition"))
	}
}

// coalitionsOf says which coalitions a run evaluated, in a line of the head; "" for
// all of them.
func coalitionsOf(ex *result.Explanation) string {
	s := ex.Provenance.Sampling
	if s == nil {
		return ""
	}
	return wording.Coalitions(s, len(ex.Modalities)) + ", estimator " + s.Estimator
}

// explain runs a plan, or one after the other until the interval is narrow.
func (o *opened) explain(ctx context.Context, opt intershap.Options, tell teller, bar *progress) (*intershap.Explanation, error) {
	if opt.Until == 0 {
		_, ex, err := o.run(ctx, opt, tell, bar)
		return ex, err
	}
	rounds := intershap.NewRounds(opt)
	_, ex, err := rounds.Run(func(opt intershap.Options) (*intershap.Plan, *intershap.Explanation, error) {
		tell.step("round %d", rounds.Number())
		return o.run(ctx, opt, tell, bar)
	})
	return ex, err
}

// run makes one plan and runs it.
func (o *opened) run(ctx context.Context, opt intershap.Options, tell teller, bar *progress) (*intershap.Plan, *intershap.Explanation, error) {
	plan, err := o.prepared(ctx, opt, tell)
	if err != nil {
		return nil, nil, err
	}
	bar.start()
	defer bar.finish()
	ex, err := plan.Explain(ctx)
	return plan, ex, err
}

// prepared makes a plan that is ready to run.
func (o *opened) prepared(ctx context.Context, opt intershap.Options, tell teller) (*intershap.Plan, error) {
	plan, err := o.newPlan(ctx, opt)
	if err != nil {
		return nil, err
	}
	tell.plan(plan)
	if plan.Affordable() == nil { // else Explain says so
		tell.fit(plan.Design())
		if err := plan.Prepare(ctx, nil); err != nil {
			return nil, err
		}
	}
	return plan, nil
}
