package intershap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Rounds are the runs of an explanation that goes on until the headline's interval
// is narrow (Options.Until). Each evaluates more coalitions or more background rows
// than the one before, whichever adds more to the error; the last one counts.
//
// A round starts afresh, and asks for what the width of the round before says is
// needed: the squared error falls with the number of rows, and of coalitions. All
// rounds together so cost about as much as the last one, or twice that. They follow
// from data, seed and options alone.
type Rounds struct {
	asked  Options
	number int
	// budget and rows are those of the round: 0 is every coalition, AllRows every row.
	budget, rows int
}

// First rounds are small: what they say of the error is enough to go on.
const (
	firstRows = 100
	// firstShare of the budget, at least what the estimator needs.
	firstShare = 8
	// A round is at least leastGrowth and at most mostGrowth as large as the one
	// before: less is not worth a run, and a small round does not know its error well
	// enough for more.
	leastGrowth, mostGrowth = 1.5, 8
	// growthReserve is what a round asks for beyond what seems to be needed.
	growthReserve = 1.1
)

// NewRounds starts with the first round of options, whose Until must be set.
func NewRounds(opt Options) *Rounds {
	r := &Rounds{asked: opt.withDefaults(), budget: opt.Budget}
	if opt.Budget > 0 {
		r.budget = max(1, opt.Budget/firstShare)
	}
	if r.rows = r.asked.BackgroundSize; r.rows == AllRows || r.rows > firstRows {
		r.rows = firstRows
	}
	return r
}

// Number counts the rounds, from 1.
func (r *Rounds) Number() int { return r.number + 1 }

// Options are those of the round. A checkpoint has a folder for each.
func (r *Rounds) Options() Options {
	opt := r.asked
	opt.Budget, opt.budgetLimit, opt.BackgroundSize = r.budget, r.asked.Budget, r.rows
	if opt.Checkpoint != "" {
		opt.checkpoints = opt.Checkpoint
		opt.Checkpoint = filepath.Join(opt.Checkpoint, fmt.Sprintf("round-%d", r.Number()))
	}
	return opt
}

// Next takes the round's result and reports whether there is another round. Where
// there is none and the interval is not narrow, the result gets the warning
// until-not-reached, which says what would help.
func (r *Rounds) Next(p *Plan, ex *Explanation) (more bool) {
	worst, half, ok := ex.widest()
	switch {
	case !ok:
		ex.warnUntil(worst, "the headline has no interval, so no run is known to be narrow enough: explain more samples, with more than one background row")
		return false
	case half <= r.asked.Until:
		return false
	}
	r.number++
	from := ex.errors[worst]
	others := math.Hypot(from.background, from.coalitions)
	allRows, drawn := r.asked.BackgroundSize == AllRows, p.Background().Drawn()
	moreRows := from.background > 0 && drawn >= r.rows && (allRows || r.rows < r.asked.BackgroundSize)
	moreCoalitions := from.coalitions > 0 && r.budget < r.asked.Budget
	// The squared error falls with the number of rows, and of coalitions.
	growth := min(mostGrowth, max(leastGrowth, growthReserve*half*half/(r.asked.Until*r.asked.Until)))
	grown := func(n int) int { return int(math.Ceil(float64(n) * growth)) }
	switch {
	case from.samples >= r.asked.Until && others < from.samples/2:
		ex.warnUntil(worst, fmt.Sprintf("the interval reaches ± %.2g points, not ± %.2g: what is left is the error of the samples, so more of them are needed, not more rows", 100*half, 100*r.asked.Until))
		return false
	case moreCoalitions && (from.coalitions >= from.background || !moreRows):
		r.budget = min(r.asked.Budget, grown(max(r.budget, p.budget)))
		return true
	case moreRows:
		next := grown(r.rows)
		if !allRows {
			next = min(next, r.asked.BackgroundSize)
		}
		// A round that would be refused must not take this one's result with it.
		if p.affords(int64(float64(p.engine.Rows()) * float64(next) / float64(r.rows))) {
			r.rows = next
			return true
		}
		ex.warnUntil(worst, fmt.Sprintf("the interval reaches ± %.2g points, not ± %.2g: another round of all coalitions, over %d background rows, would take more than %d rows: %v",
			100*half, 100*r.asked.Until, next, affordableRows, p.wantBudget()))
		return false
	}
	remedy := "allow more, or take more samples"
	if from.samples > others {
		remedy = "the samples add most to it, so take more of them"
	}
	ex.warnUntil(worst, fmt.Sprintf("the interval reaches ± %.2g points, not ± %.2g: %s; %s", 100*half, 100*r.asked.Until, r.exhausted(p), remedy))
	return false
}

// exhausted says what a run has used all of.
func (r *Rounds) exhausted(p *Plan) string {
	if p.Background().ErrorUnknown() {
		return "how far it depends on the background rows is not known under this mask"
	}
	text := fmt.Sprintf("all %d background rows are used", p.Background().Drawn())
	if r.asked.BackgroundSize != AllRows && p.Background().Drawn() >= r.asked.BackgroundSize {
		text = fmt.Sprintf("all %d background rows that may be drawn are used", r.asked.BackgroundSize)
	}
	if p.Sampled() {
		text += fmt.Sprintf(", and the budget of %d coalitions is spent", r.asked.Budget)
	}
	return text
}

// widest returns the target whose headline has the widest interval, and how far that
// reaches from the score, the longer way. It reports false where no target has an
// interval.
func (e *Explanation) widest() (target int, half float64, ok bool) {
	half = -1
	for t := range e.Targets {
		share, low, high := e.Targets[t].HeadlineInterval()
		x, known := share.Value()
		lo, hasLow := low.Value()
		hi, hasHigh := high.Value()
		if h := max(hi-x, x-lo); known && hasLow && hasHigh && h > half {
			target, half = t, h
		}
	}
	return target, half, half >= 0
}

func (e *Explanation) warnUntil(target int, why string) {
	var doubts diag.List
	doubts.Append(e.Warnings...)
	doubts.Add("until-not-reached", e.Targets[target].Target, "%s", why)
	e.Warnings = doubts.All()
}

// Run makes rounds until there is no other, and returns the plan and the result of the
// last one. explain makes and runs a plan with the options of a round; plans are its
// own to close.
func (r *Rounds) Run(explain func(Options) (*Plan, *Explanation, error)) (*Plan, *Explanation, error) {
	for {
		p, ex, err := explain(r.Options())
		if err != nil || !r.Next(p, ex) {
			return p, ex, err
		}
	}
}

// explain is [Explain] that leaves the plan open, under Until that of the last round.
func explain(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (p *Plan, ex *Explanation, err error) {
	one := func(opt Options) (_ *Plan, ex *Explanation, err error) {
		if p != nil {
			if err := p.Close(); err != nil {
				return nil, nil, err
			}
		}
		if p, err = NewPlan(ctx, m, samples, rows, opt); err != nil {
			return nil, nil, err
		}
		if ex, err = p.Explain(ctx); err != nil {
			return nil, nil, errors.Join(err, p.Close())
		}
		return p, ex, nil
	}
	if opt.Until > 0 {
		return NewRounds(opt).Run(one)
	}
	return one(opt)
}

// sourceErrors are half the widths that each source alone gives the headline's
// interval.
type sourceErrors struct{ background, coalitions, samples float64 }

// sourceErrors returns those of one target; with groups, whose headline is a part of
// all interaction, those of all of it.
func (f *facts) sourceErrors(s *score.Summary, h result.Headline) sourceErrors {
	se := s.GlobalSE
	if h == result.MeanAbsolute {
		se = s.MeanAbsoluteSE
	}
	const twoSided = 2
	z := distuv.UnitNormal.Quantile(1 - (1-f.Level)/twoSided)
	return sourceErrors{z * se.Background.Or(0), z * se.Coalitions.Or(0), z * se.Samples.Or(0)}
}
