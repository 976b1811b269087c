package intershap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
)

// DefaultEstimator is the estimator of a run with a budget that names none.
const DefaultEstimator = approx.Regression

// unnamed is how many modalities a run takes that nobody named: with a budget the
// user knows that there are many.
func (o Options) unnamed() int {
	if o.Budget > 0 {
		return dataset.MaxModalities
	}
	return dataset.MaxUnnamed
}

// chooseCoalitions draws the coalitions of a run with a budget. A budget that pays
// for all of them leaves the run exact, and so does none.
func (p *Plan) chooseCoalitions() error {
	m := len(p.modalities)
	if p.opt.Budget == 0 {
		if m > game.MaxPlayers {
			return fmt.Errorf("intershap: %d modalities have 2^%d coalitions, of which no run evaluates more than 2^%d: %w", m, m, game.MaxPlayers, p.wantBudget())
		}
		return nil
	}
	if m <= game.MaxPlayers && p.opt.Budget >= 1<<m {
		return nil
	}
	if err := p.checkEstimator(); err != nil {
		return err
	}
	least := approx.Minimum(p.estimator(), p.estimatedOrder(), m)
	p.budget = p.opt.Budget
	if limit := p.opt.budgetLimit; limit > 0 {
		p.budget = min(limit, max(p.budget, least))
	}
	if p.budget < least {
		return fmt.Errorf("intershap: the estimator %s to order %d of %d modalities needs a budget of at least %d coalitions, got %d%s",
			p.estimator(), p.estimatedOrder(), m, least, p.budget, p.smallerEstimator())
	}
	design, err := approx.Draw(p.estimator(), p.estimatedOrder(), m, p.budget, p.opt.Seed)
	if err != nil {
		return err
	}
	if !design.Exact() {
		p.design = design
	}
	return nil
}

// checkEstimator refuses interactions that the estimator does not have. phi, which is
// made from SII of order two, all of them have.
func (p *Plan) checkEstimator() error {
	m, c := len(p.modalities), p.estimator().Card()
	if p.index == 0 || p.order <= c.MaxOrder(p.index, m) {
		return nil
	}
	var able []string
	for _, other := range approx.Cards() {
		if p.order <= other.MaxOrder(p.index, m) {
			able = append(able, other.Name)
		}
	}
	return fmt.Errorf("intershap: the estimator %s does not have %s to order %d: take %s", c.Name, p.index, p.order, strings.Join(able, " or "))
}

// wantBudget says which budgets there are.
func (p *Plan) wantBudget() error {
	m := len(p.modalities)
	text := "set a budget of coalitions (--budget)"
	// There is no least budget for an order that the estimator does not have.
	if least := approx.Minimum(p.estimator(), p.estimatedOrder(), m); least > 0 {
		text += fmt.Sprintf(", at least %d for the estimator %s", least, p.estimator())
	}
	if m <= game.MaxPlayers {
		text += fmt.Sprintf(", or %d for all of them, exactly", 1<<m)
	}
	return errors.New(text)
}

// smallerEstimator names an estimator that the budget is enough for; none is taken in
// place of the one that was asked for.
func (p *Plan) smallerEstimator() string {
	m, order := len(p.modalities), p.estimatedOrder()
	for _, c := range approx.Cards() {
		if least := approx.Minimum(c.Method, order, m); least > 0 && least <= p.budget && (p.index == 0 || c.MaxOrder(p.index, m) >= p.order) {
			return fmt.Sprintf("; the estimator %s needs %d (--estimator %s)", c.Name, least, c.Name)
		}
	}
	return ""
}

// affordableRows is what a run takes without being asked: hours of most models. A test
// lowers it.
var affordableRows int64 = 1_000_000_000

// leastPlayers is the fewest modalities for which a budget would save much.
const leastPlayers = 8

// Affordable returns an error for a run of many modalities that takes very many rows
// and has no budget: the user says whether all coalitions are meant. Plan.Explain
// returns it before the first row.
func (p *Plan) Affordable() error {
	if p.affords(p.engine.Rows()) {
		return nil
	}
	m := len(p.modalities)
	return fmt.Errorf("intershap: all %d coalitions of %d modalities take %d rows: %w", 1<<m, m, p.engine.Rows(), p.wantBudget())
}

// affords reports whether so many rows are run without asking.
func (p *Plan) affords(rows int64) bool {
	return p.opt.Budget > 0 || len(p.modalities) < leastPlayers || rows <= affordableRows
}

// estimator returns the estimator of a run with a budget.
func (p *Plan) estimator() approx.Method {
	if p.opt.Estimator == 0 {
		return DefaultEstimator
	}
	return p.opt.Estimator
}

// estimatedOrder is the order to which a run with a budget estimates: two, for phi, or
// that of the interactions that were asked for.
func (p *Plan) estimatedOrder() int { return max(phiOrder, p.order) }

// phiOrder is the order of the index that phi is made from.
const phiOrder = 2

// Sampled reports whether the run estimates from some of the coalitions.
func (p *Plan) Sampled() bool { return p.design != nil }

// Design returns the coalitions of a run that estimates, nil where all are
// evaluated.
func (p *Plan) Design() *approx.Design { return p.design }

// Prepare makes what an estimator needs before the first row, which Plan.Explain does
// otherwise: a regression to order three of 24 modalities takes a while. Each step is
// told; tell may be nil.
func (p *Plan) Prepare(ctx context.Context, tell func(done, total int)) (err error) {
	if p.design != nil {
		if err := p.design.Prepare(ctx, tell); err != nil {
			return err
		}
	}
	if p.collector == nil {
		p.collector, err = newCollector(p, &p.warnings)
	}
	return err
}

// coalitions returns those of the run, nil for all.
func (p *Plan) coalitions() []game.Coalition {
	if p.design == nil {
		return nil
	}
	return p.design.Coalitions()
}

// sampling says how a run chose its coalitions, nil where it evaluates all.
func (p *Plan) sampling() *result.Sampling {
	if p.design == nil {
		return nil
	}
	return &result.Sampling{
		Estimator: p.design.Method().String(), Budget: p.budget,
		Coalitions: len(p.design.Coalitions()), Draws: p.design.Draws(),
	}
}

// tooMuch adds the remedy to the error of a run whose value tables take too much
// memory.
func (p *Plan) tooMuch(err error) error {
	if errors.Is(err, engine.ErrMemory) && p.design == nil && len(p.modalities) > dataset.MaxUnnamed {
		return fmt.Errorf("%w; a budget of coalitions (--budget) takes less", err)
	}
	return err
}

// A matrixMaker makes the paper's matrices of games.
type matrixMaker interface {
	// matricesTo writes the matrix of each game of t into dst, and into draws, where
	// that is not nil, those of each draw: all draws of the first game, then of the
	// second.
	matricesTo(dst, draws []float64, t game.Tables)
}

// matrices returns the maker of the run's matrices.
func (p *Plan) matrices() (matrixMaker, error) {
	m := len(p.modalities)
	if p.design == nil {
		return &exactMatrices{scratch: make([]float64, 1<<m)}, nil
	}
	e, err := p.design.Estimator(index.SII, min(phiOrder, m))
	if err != nil {
		return nil, fmt.Errorf("intershap: %w", err)
	}
	return &estimatedMatrices{
		estimator: e, draws: p.design.Draws(), m: m, scratch: e.Scratch(), all: e.AllScratch(),
		values: make([]float64, e.Len()), perDraw: make([]float64, e.Len()*p.design.Draws()),
	}, nil
}

// exactMatrices makes matrices from whole value tables.
type exactMatrices struct{ scratch []float64 }

func (x *exactMatrices) matricesTo(dst, _ []float64, t game.Tables) {
	index.PairMatricesTo(dst, t, x.scratch)
}

// estimatedMatrices makes matrices from the values of some coalitions.
type estimatedMatrices struct {
	estimator       *approx.Estimator
	draws, m        int
	values, perDraw []float64
	scratch, all    []float64 // for To and AllTo
	games           [][]float64
}

// gamesAtOnce bounds what is held of games between their values and their matrices.
const gamesAtOnce = 256

func (x *estimatedMatrices) matricesTo(dst, draws []float64, t game.Tables) {
	cells, width := x.m*x.m, x.estimator.Len()
	if draws == nil {
		for lo := 0; lo < t.Len(); lo += gamesAtOnce {
			x.games = x.games[:0]
			for g := lo; g < min(lo+gamesAtOnce, t.Len()); g++ {
				x.games = append(x.games, t.Game(g))
			}
			x.values = grown(x.values, len(x.games)*width)
			x.estimator.AllTo(x.values, x.games, x.all)
			for g := range x.games {
				at := (lo + g) * cells
				phiOfSII(dst[at:at+cells], x.values[g*width:(g+1)*width], x.m)
			}
		}
		return
	}
	for g := range t.Len() {
		x.values = grown(x.values, width)
		x.estimator.To(x.values, x.perDraw, t.Game(g), x.scratch)
		phiOfSII(dst[g*cells:(g+1)*cells], x.values, x.m)
		for d := range x.draws {
			at := (g*x.draws + d) * cells
			phiOfSII(draws[at:at+cells], x.perDraw[d*width:(d+1)*width], x.m)
		}
	}
}

// phiOfSII writes the paper's matrix into dst, an m×m matrix, given the Shapley
// values of m players and behind them the SII of pairs, in the order of
// index.Formula's coalitions: {0,1}, {0,2}, {1,2}, {0,3}, ... See
// index.PairMatrixTo.
func phiOfSII(dst, sii []float64, m int) {
	for i := range m {
		dst[i*m+i] = sii[i]
	}
	at := m
	for j := 1; j < m; j++ {
		for i := range j {
			half := sii[at] / 2
			dst[i*m+j], dst[j*m+i] = half, half
			dst[i*m+i] -= half
			dst[j*m+j] -= half
			at++
		}
	}
}
