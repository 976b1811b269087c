package approx_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// A coverageCase is repeated by as many seeds, over twenty games.
type coverageCase struct {
	method           approx.Method
	index            index.Index
	order, n, budget int
	// games is how many games the estimates are the mean of, as explanations are the
	// mean of samples; 0 means one.
	games int
}

func (c coverageCase) String() string {
	return fmt.Sprintf("%s of %s, order %d, %d players, budget %d, games %d", c.method, c.index, c.order, c.n, c.budget, max(1, c.games))
}

// coverage returns the share of intervals that hold the truth, each width times as wide.
func coverage(t *testing.T, c coverageCase, seeds int, width float64) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, uint64(c.n)))
	var games []unanimitySum
	for range 20 {
		// Coalitions of all sizes: not additive, and of no order that is fitted.
		var mean unanimitySum
		for range max(1, c.games) {
			u := randomSum(c.n, 25, 1, c.n-2, rng)
			mean.sets, mean.adds = append(mean.sets, u.sets...), append(mean.adds, u.adds...)
		}
		for i := range mean.adds {
			mean.adds[i] /= float64(max(1, c.games))
		}
		games = append(games, mean)
	}
	var truths [][]float64
	held, all := 0, 0
	for seed := range seeds {
		d := draw(t, c.method, c.order, c.n, c.budget, uint64(seed))
		e := estimator(t, d, c.index, c.order)
		if truths == nil {
			for _, u := range games {
				truths = append(truths, u.truth(c.index, c.order, e.Coalitions()))
			}
		}
		at := seed % len(games)
		held += estimateOf(d, e, games[at].value).holds(truths[at], width)
		all += e.Len()
	}
	return float64(held) / float64(all)
}

// Intervals of 95 % hold the truth in 93 to 97 % of 2,000 repetitions.
func TestCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("coverage takes a minute")
	}
	for _, c := range []coverageCase{
		{method: approx.Permutation, index: index.SV, order: 1, n: 10, budget: 400},
		{method: approx.Permutation, index: index.SII, order: 2, n: 10, budget: 650},
		{method: approx.SHAPIQ, index: index.SII, order: 2, n: 10, budget: 300},
		{method: approx.SHAPIQ, index: index.KSII, order: 3, n: 10, budget: 512},
		{method: approx.SHAPIQ, index: index.SV, order: 1, n: 12, budget: 400},
		{method: approx.Regression, index: index.SII, order: 2, n: 10, budget: 200},
		{method: approx.Regression, index: index.SII, order: 2, n: 10, budget: 512},
		{method: approx.Regression, index: index.STII, order: 2, n: 10, budget: 300},
		{method: approx.Regression, index: index.SV, order: 1, n: 12, budget: 400},
		{method: approx.Regression, index: index.SII, order: 2, n: 10, budget: 300, games: 5},
	} {
		t.Run(c.String(), func(t *testing.T) {
			got := coverage(t, c, 2000, 1)
			t.Logf("%.2f %%", 100*got)
			if got < 0.93 || got > 0.97 {
				t.Errorf("%.2f %% of intervals hold the truth, want 93 to 97", 100*got)
			}
		})
	}
}

// The check must be able to fail: intervals of half and of twice the width.
func TestCoverageFails(t *testing.T) {
	for _, m := range []approx.Method{approx.Permutation, approx.SHAPIQ, approx.Regression} {
		c := coverageCase{method: m, index: index.SV, order: 1, n: 10, budget: 400}
		for _, width := range []float64{0.5, 2} {
			if got := coverage(t, c, 100, width); got > 0.93 && got < 0.97 {
				t.Errorf("%s: intervals %v times as wide hold the truth in %.2f %%: the check passes on them", c, width, 100*got)
			}
		}
	}
}

// Two real games of 8 players, half of the coalitions.
func TestCoverageOfOracle(t *testing.T) {
	for _, name := range []string{"game8_a.json", "game8_b.json"} {
		values := oracle(t, name)
		v := func(s game.Coalition) float64 { return values[s] }
		for _, m := range []approx.Method{approx.SHAPIQ, approx.Regression} {
			for _, order := range []int{1, 2} {
				held, all := 0, 0
				truth := exact(t, index.SII, order, 8, v)
				for seed := range uint64(200) {
					d := draw(t, m, order, 8, 128, seed)
					e := estimator(t, d, index.SII, order)
					held += estimateOf(d, e, v).holds(truth, 1)
					all += e.Len()
				}
				got := float64(held) / float64(all)
				t.Logf("%s: %s of order %d: %.2f %%", name, m, order, 100*got)
				if got < 0.90 || got > 0.99 {
					t.Errorf("%s: %s of order %d: %.2f %% of intervals hold the truth", name, m, order, 100*got)
				}
			}
		}
	}
}
