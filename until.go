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
	worst, wide := ex.widest(r.asked.Until)
	if !wide {
		return false
	}
	r.number++
	errors := ex.errors[worst]
	half := halfWidth(&ex.Targets[worst])
	grown := func(by float64, n, limit int) int {
		next := int(math.Ceil(float64(n) * by))
		if limit > 0 {
			next = min(next, limit)
		}
		return next
	}
	rows, coalitions, samples := errors.background, errors.coalitions, errors.samples
	drawn := p.Background().Drawn()
	moreRows := rows > 0 && drawn >= r.rows && (r.asked.BackgroundSize == AllRows || r.rows < r.asked.BackgroundSize)
	moreCoalitions := coalitions > 0 && r.budget < r.asked.Budget
	evaluated := 0
	if p.Sampled() {
		evaluated = len(p.Design().Coalitions())
	}
	// The squared error falls with the number of rows, and of coalitions.
	growth := min(mostGrowth, max(leastGrowth, growthReserve*half*half/(r.asked.Until*r.asked.Until)))
	switch {
	case samples >= r.asked.Until && math.Hypot(rows, coalitions) < samples/2:
		ex.warnUntil(worst, r.asked.Until, "what is left is the error of the samples: more of them are needed, not more rows")
	case moreCoalitions && (coalitions >= rows || !moreRows):
		r.budget = grown(growth, max(r.budget, evaluated), r.asked.Budget)
		return true
	case moreRows:
		r.rows = grown(growth, r.rows, r.asked.BackgroundSize)
		return true
	default:
		ex.warnUntil(worst, r.asked.Until, r.exhausted(p))
	}
	return false
}

// exhausted says what a run that has used all that it may would need.
func (r *Rounds) exhausted(p *Plan) string {
	if p.Background().ErrorUnknown() {
		return "how far it depends on the background rows is not known under this mask, so more of them are not known to help; take more samples"
	}
	text := fmt.Sprintf("all of %d background rows are used", p.Background().Drawn())
	if r.asked.BackgroundSize != AllRows && p.Background().Drawn() >= r.asked.BackgroundSize {
		text = fmt.Sprintf("all background rows that it may draw are used, %d", r.asked.BackgroundSize)
	}
	if p.Sampled() {
		text += fmt.Sprintf(" and the budget of %d coalitions is spent", r.asked.Budget)
	}
	return text + "; allow more, or take more samples"
}

// widest returns the target whose headline has the widest interval, and whether that
// is wider than ± until.
func (e *Explanation) widest(until float64) (target int, wide bool) {
	widest := -1.0
	for t := range e.Targets {
		if h := halfWidth(&e.Targets[t]); h > widest {
			target, widest = t, h
		}
	}
	return target, widest > until
}

// halfWidth is how far the headline's interval reaches from the score, the longer
// way; 0 where there is no interval to make narrower.
func halfWidth(t *result.Target) float64 {
	share, low, high := t.HeadlineInterval()
	x, ok := share.Value()
	lo, hasLow := low.Value()
	hi, hasHigh := high.Value()
	if !ok || !hasLow || !hasHigh {
		return 0
	}
	return max(hi-x, x-lo)
}

func (e *Explanation) warnUntil(target int, until float64, why string) {
	t := &e.Targets[target]
	var doubts diag.List
	doubts.Append(e.Warnings...)
	doubts.Add("until-not-reached", t.Target, "the interval reaches ± %.2g points, not ± %.2g: %s", 100*halfWidth(t), 100*until, why)
	e.Warnings = doubts.All()
}

// explainUntil is Explain in rounds.
func explainUntil(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (*Explanation, error) {
	for r := NewRounds(opt); ; {
		p, err := NewPlan(ctx, m, samples, rows, r.Options())
		if err != nil {
			return nil, err
		}
		ex, err := p.Explain(ctx)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		more := r.Next(p, ex)
		if err := p.Close(); err != nil {
			return nil, err
		}
		if !more {
			return ex, nil
		}
	}
}

// sourceErrors are half the widths that each source alone gives the headline's
// interval.
type sourceErrors struct{ background, coalitions, samples float64 }

// sourceErrors returns those of one target; with groups, whose headline is a part of
// all interaction, those of all of it.
func (p *Plan) sourceErrors(s *score.Summary, h result.Headline) sourceErrors {
	se := s.GlobalSE
	if h == result.MeanAbsolute {
		se = s.MeanAbsoluteSE
	}
	const twoSided = 2
	z := distuv.UnitNormal.Quantile(1 - (1-p.opt.Level)/twoSided)
	return sourceErrors{z * se.Background.Or(0), z * se.Coalitions.Or(0), z * se.Samples.Or(0)}
}
