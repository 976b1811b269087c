package approx

import (
	"context"
	"fmt"
	"sync"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// MaxBudget bounds the coalitions of a design, and the values of an index.
const MaxBudget = 1 << game.MaxPlayers

// maxUnknowns bounds what one fit of a regression solves for: its matrix is square.
const maxUnknowns = 5000

// A Design is the coalitions that a budget pays for, and what each is there for. It does
// not change and may be used by many goroutines.
type Design struct {
	method     Method
	order, n   int
	coalitions []game.Coalition
	draws      int

	strata *strata  // for SHAPIQ and Regression
	blocks *blocks  // for Permutation
	fitted *fitting // for Regression
}

// offer returns an error where a method has no design for such a game.
func offer(m Method, order, players int) error {
	if !m.valid() {
		return fmt.Errorf("approx: no method has the number %d", uint8(m))
	}
	most := m.Card().Orders
	switch {
	case players < 2 || players > maxPlayers:
		return fmt.Errorf("approx: want 2 to %d players, got %d", maxPlayers, players)
	case order < 1 || order > players:
		return fmt.Errorf("approx: want an order of 1 to %d, the number of players, got %d", players, order)
	case most > 0 && order > most:
		return fmt.Errorf("approx: %s estimates orders up to %d, got %d: take %s or %s", m, most, order, SHAPIQ, Regression)
	}
	values := uint64(0)
	for s := 1; s <= order; s++ {
		// Counted up to what is too many alone: nothing overflows.
		values += min(pascal[players][s], MaxBudget+1)
	}
	if values > MaxBudget {
		return fmt.Errorf("approx: to order %d, %d players have more than %d values: take a lower order", order, players, MaxBudget)
	}
	if m == Regression && players > game.MaxPlayers {
		even, odd := unknowns(players, order)
		if max(even, odd) > maxUnknowns {
			return fmt.Errorf("approx: regression to order %d of %d players has %d unknowns, more than %d: take %s or a lower order", order, players, max(even, odd), maxUnknowns, SHAPIQ)
		}
	}
	if minimum(m, order, players) > MaxBudget {
		return fmt.Errorf("approx: %s to order %d of %d players wants more than %d coalitions: take a lower order", m, order, players, MaxBudget)
	}
	return nil
}

// Minimum returns the smallest budget with which a method estimates an index to some
// order, as a number of distinct coalitions, {} and all among them: 0 where the method
// does not offer the order for so many players, as [Draw] will say.
//
// It is never more than 2^players, with which everything is exact.
func Minimum(m Method, order, players int) int {
	if offer(m, order, players) != nil {
		return 0
	}
	return minimum(m, order, players)
}

func minimum(m Method, order, n int) int {
	all := uint64(1) << n
	switch m {
	case Permutation:
		return int(min(all, mostOfBlocks(n, order, 2)))
	case SHAPIQ:
		return int(min(all, 2*fewestPairs(n)))
	}
	even, odd := unknowns(n, order)
	if max(even, odd) > maxUnknowns {
		return int(all)
	}
	// What a number of pairs leaves outside any one group is no less than this bound,
	// whatever the strata; just above the minimum the allotment itself may say more.
	need := fitPairs(n, order)
	enough := func(pairs uint64) bool {
		groups := uint64(groupsOf(n, pairs))
		return pairs-(groups-1)-(pairs-1-stratumSize(n, 1))/groups >= need
	}
	pairs := max(need, fewestPairs(n))
	last := max(2*pairs, fewestPairs(n)+uint64(n/2)*maxGroups) + 2*maxGroups
	for b := last; b >= pairs; b-- {
		if !enough(b) {
			pairs = b + 1
			break
		}
	}
	pairs = min(pairs, all/2)
	for pairs > fewestPairs(n) && pairs > need && allot(n, order, pairs-1).training(n) >= need {
		pairs--
	}
	return int(min(all, 2*pairs))
}

// Draw fixes which coalitions of a game are evaluated, at most budget of them, to
// estimate an index to some order: the same for every game. Of the same seed, a larger
// budget names what a smaller one did, as far as rounding permits; not so for
// Permutation. A budget of 2^players or more names all coalitions, of up to
// [game.MaxPlayers] players. A budget below [Minimum] is an error that names it.
func Draw(m Method, order, players, budget int, seed uint64) (*Design, error) {
	if err := offer(m, order, players); err != nil {
		return nil, err
	}
	if least := minimum(m, order, players); budget < least {
		return nil, fmt.Errorf("approx: %s to order %d of %d players wants a budget of at least %d coalitions, got %d", m, order, players, least, budget)
	}
	d := &Design{method: m, order: order, n: players}
	if players <= game.MaxPlayers && budget >= 1<<players {
		for s := game.Coalition(0); s <= game.Grand(players); s++ {
			d.coalitions = append(d.coalitions, s)
		}
		return d, nil
	}
	if budget > MaxBudget {
		return nil, fmt.Errorf("approx: want a budget of at most %d coalitions, got %d", MaxBudget, budget)
	}
	if m == Permutation {
		d.blocks, d.coalitions = drawBlocks(players, order, budget, seed)
		d.draws = d.blocks.draws
		return d, nil
	}
	a := allot(players, order, uint64(budget/2))
	d.strata = drawStrata(a, players, seed, 0)
	d.draws = d.strata.groups
	if m == Regression {
		d.fitted = &fitting{}
		for again := uint64(1); players <= redrawPlayers && again < 100; again++ {
			if d.Prepare(context.Background(), nil) == nil {
				break
			}
			d.strata = drawStrata(a, players, seed, again)
			d.fitted = &fitting{}
		}
	}
	d.coalitions = append(d.coalitions, 0)
	for _, s := range d.strata.first[1:] {
		d.coalitions = append(d.coalitions, s, game.Grand(players)&^s)
	}
	d.coalitions = append(d.coalitions, game.Grand(players))
	return d, nil
}

// redrawPlayers is the most players with whom a design that gives no fit is drawn again.
// Of more there are enough coalitions for chance never to miss what tells games apart,
// and a fit may take seconds.
const redrawPlayers = 12

// Coalitions returns the coalitions of the design: distinct, the empty one first and the
// one of all players last.
func (d *Design) Coalitions() []game.Coalition {
	return append([]game.Coalition(nil), d.coalitions...)
}

// Len returns the number of coalitions.
func (d *Design) Len() int { return len(d.coalitions) }

// Draws returns the number of draws that an estimate is the mean of, and its error comes
// from: 0 where the design has all coalitions.
func (d *Design) Draws() int { return d.draws }

// Exact reports whether the design has all coalitions.
func (d *Design) Exact() bool { return d.draws == 0 }

// Method returns the method.
func (d *Design) Method() Method { return d.method }

// Order returns the highest order that the design is for.
func (d *Design) Order() int { return d.order }

// Players returns the number of players.
func (d *Design) Players() int { return d.n }

// Unknowns returns the number of unknowns that Regression fits, of which the time that
// [Design.Prepare] takes is a cubic function: 2,325 for order 3 of 24 players. It is 0
// where nothing is fitted.
func (d *Design) Unknowns() int {
	if d.fitted == nil {
		return 0
	}
	even, odd := unknowns(d.n, d.order)
	return int(even + odd)
}

// Prepare makes the fits of Regression now, which the first [Design.Estimator] does
// otherwise: seconds for thousands of unknowns. progress, which may be nil, is told how
// many of its parts are done. Prepare stops between parts when ctx ends, with its cause,
// and may be called again; it does nothing the second time, and where nothing is fitted.
func (d *Design) Prepare(ctx context.Context, progress func(done, total int)) error {
	if d.fitted == nil {
		return nil
	}
	_, err := d.fits(ctx, progress)
	return err
}

// A fitting is the fits of a design, made once.
type fitting struct {
	lock sync.Mutex
	made bool
	fits fits
	err  error
}

func (d *Design) fits(ctx context.Context, progress func(done, total int)) (fits, error) {
	f := d.fitted
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.made {
		return f.fits, f.err
	}
	made, err := newFits(ctx, d, progress)
	if ctx.Err() != nil && err != nil {
		return fits{}, err
	}
	f.made, f.fits, f.err = true, made, err
	return f.fits, f.err
}

// Estimator returns the estimator of an index to some order, at most that of the
// design. What the method does not offer is an error. For Regression it calls
// [Design.Prepare] where nobody has, and takes about as long again for each index of the
// design's order.
func (d *Design) Estimator(x index.Index, order int) (*Estimator, error) {
	most := 0
	if int(x) >= 1 && int(x) <= len(index.Cards()) {
		most = d.method.Card().MaxOrder(x, d.n)
	}
	switch {
	case most == 0:
		return nil, fmt.Errorf("approx: %s does not estimate %s", d.method, x)
	case order < 1 || order > min(most, d.order):
		return nil, fmt.Errorf("approx: want an order of 1 to %d of %s by %s, got %d", min(most, d.order), x, d.method, order)
	}
	e := &Estimator{design: d, start: make([]int, order+2)}
	for s := 1; s <= order; s++ {
		e.start[s] = len(e.coalitions)
		for r := range pascal[d.n][s] {
			e.coalitions = append(e.coalitions, unrank(d.n, s, r))
		}
	}
	e.start[order+1] = len(e.coalitions)
	switch {
	case d.Exact():
		f, err := newPlayed(x, order, d.n)
		if err != nil {
			return nil, err
		}
		e.kind = f
	case d.method == Permutation:
		e.kind = d.blocks.estimate(order)
	case d.method == SHAPIQ:
		e.kind = &sampled{e.newSum(x, order)}
	default:
		f, err := d.fits(context.Background(), nil)
		if err != nil {
			return nil, err
		}
		e.kind = newRegression(e.newSum(x, order), f, x, order)
	}
	return e, nil
}
