package intershap

import (
	"errors"
	"fmt"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
)

// DefaultMethod is the estimator of a run with a budget that names none.
const DefaultMethod = approx.Regression

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
			least := approx.Minimum(p.method(), p.estimatedOrder(), m)
			return fmt.Errorf("intershap: %d modalities have 2^%d coalitions, of which no run evaluates more than 2^%d: set a budget of coalitions (--budget), at least %d", m, m, game.MaxPlayers, least)
		}
		return nil
	}
	if m <= game.MaxPlayers && p.opt.Budget >= 1<<m {
		return nil
	}
	budget := p.opt.Budget
	if limit := p.opt.budgetLimit; limit > 0 {
		budget = min(limit, max(budget, approx.Minimum(p.method(), p.estimatedOrder(), m)))
	}
	design, err := approx.Draw(p.method(), p.estimatedOrder(), m, budget, p.opt.Seed)
	if err != nil {
		return p.otherMethod(err, budget)
	}
	if !design.Exact() {
		p.design = design
	}
	return nil
}

// otherMethod adds to the error of a budget that is too small an estimator for which
// it is not: none is taken in place of the one that was asked for.
func (p *Plan) otherMethod(err error, budget int) error {
	m, order := len(p.modalities), p.estimatedOrder()
	for _, c := range approx.Cards() {
		if least := approx.Minimum(c.Method, order, m); c.Method != p.method() && c.MaxOrder(index.SII, m) >= order && budget >= least {
			return fmt.Errorf("%w; the estimator %s needs %d (--estimator %s)", err, c.Name, least, c.Name)
		}
	}
	return err
}

// method returns the estimator of a run with a budget.
func (p *Plan) method() approx.Method {
	if p.opt.Method == 0 {
		return DefaultMethod
	}
	return p.opt.Method
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
		Method: p.design.Method().String(), Budget: p.opt.Budget,
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
		estimator: e, draws: p.design.Draws(), m: m, scratch: e.Scratch(),
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
	scratch         []float64
}

func (x *estimatedMatrices) matricesTo(dst, draws []float64, t game.Tables) {
	cells, width := x.m*x.m, x.estimator.Len()
	for g := range t.Len() {
		perDraw := x.perDraw
		if draws == nil {
			perDraw = nil
		}
		x.estimator.To(x.values, perDraw, t.Game(g), x.scratch)
		phiOfSII(dst[g*cells:(g+1)*cells], x.values, x.m)
		if draws == nil {
			continue
		}
		for d := range x.draws {
			at := (g*x.draws + d) * cells
			phiOfSII(draws[at:at+cells], perDraw[d*width:(d+1)*width], x.m)
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
