package approx_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

func methods() []approx.Method {
	return []approx.Method{approx.Permutation, approx.SHAPIQ, approx.Regression}
}

func TestNames(t *testing.T) {
	if got := strings.Join(approx.Names(), " "); got != "permutation shap-iq regression" {
		t.Errorf("got %s", got)
	}
	for i, m := range methods() {
		card := approx.Cards()[i]
		if card.Method != m || m.Card().Name != m.String() || card.Title == "" || card.Source == "" || card.Note == "" {
			t.Errorf("card %d is %+v, of %s", i, card, m)
		}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back approx.Method
		if err := json.Unmarshal(raw, &back); err != nil || back != m {
			t.Errorf("%s comes back from %s as %s: %v", m, raw, back, err)
		}
	}
	if _, err := approx.Parse("kernel"); err == nil || !strings.Contains(err.Error(), "want permutation, shap-iq, regression") {
		t.Errorf("got %v", err)
	}
	if _, err := json.Marshal(approx.Method(0)); err == nil {
		t.Error("a method that is none was written")
	}
	if got := approx.Method(0).String(); got != "Method(0)" {
		t.Errorf("got %s", got)
	}
	if got := approx.Permutation.Card().MaxOrder(index.SII, 10); got != 2 {
		t.Errorf("permutation offers SII to order %d", got)
	}
	if got := approx.Permutation.Card().MaxOrder(index.FSII, 10); got != 0 {
		t.Errorf("permutation offers FSII to order %d", got)
	}
	if got := approx.Regression.Card().MaxOrder(index.FSII, 10); got != 10 {
		t.Errorf("regression offers FSII to order %d", got)
	}
	if got := approx.SHAPIQ.Card().MaxOrder(index.SV, 10); got != 1 {
		t.Errorf("shap-iq offers SV to order %d", got)
	}
}

// The page has every method, its source and what it needs.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile("../docs/approximation.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(raw)), " ")
	for _, c := range approx.Cards() {
		row := fmt.Sprintf("| `%s` | %d | %d | %d | %d |", c.Name,
			approx.Minimum(c.Method, 1, 10), approx.Minimum(c.Method, 2, 10), approx.Minimum(c.Method, 1, 24), approx.Minimum(c.Method, 2, 24))
		for _, want := range []string{c.Title, c.Source, row} {
			if !strings.Contains(page, want) {
				t.Errorf("docs/approximation.md: %s: %q is missing", c.Name, want)
			}
		}
	}
}

// Coalitions are distinct, come with their complements where the method pairs them,
// and are no more than the budget; the borders are there.
func TestDesigns(t *testing.T) {
	for _, m := range methods() {
		for n := 2; n <= 9; n++ {
			for order := 1; order <= min(3, m.Card().MaxOrder(index.SII, n)); order++ {
				least := approx.Minimum(m, order, n)
				for budget := least; budget <= 1<<n; budget += 1 + budget/20 {
					d := draw(t, m, order, n, budget, uint64(budget))
					name := fmt.Sprintf("%s, order %d, %d players, budget %d", m, order, n, budget)
					if d.Method() != m || d.Order() != order || d.Players() != n {
						t.Errorf("%s: the design is of %s, %d, %d", name, d.Method(), d.Order(), d.Players())
					}
					list := d.Coalitions()
					has := map[game.Coalition]bool{}
					for _, s := range list {
						if has[s] || s > game.Grand(n) {
							t.Errorf("%s: %s is twice there or no coalition", name, s)
						}
						has[s] = true
					}
					if list[0] != 0 || list[len(list)-1] != game.Grand(n) || len(list) > budget || len(list) != d.Len() {
						t.Errorf("%s: %d coalitions from %s to %s", name, len(list), list[0], list[len(list)-1])
					}
					for s := range has {
						if m != approx.Permutation && !has[game.Grand(n)&^s] {
							t.Errorf("%s: %s is there without its complement", name, s)
						}
					}
					for i := range n {
						if !has[1<<i] || !has[game.Grand(n).Without(i)] {
							t.Errorf("%s: player %d alone or all others are missing", name, i)
						}
					}
					if all := len(list) == 1<<n; all != d.Exact() && m != approx.Permutation || d.Exact() != (d.Draws() == 0) {
						t.Errorf("%s: %d coalitions, exact: %v, %d draws", name, len(list), d.Exact(), d.Draws())
					}
					if d.Draws() == 1 || d.Draws() > 16 {
						t.Errorf("%s: %d draws", name, d.Draws())
					}
					if m != approx.Permutation && budget-len(list) > 2*16+1 {
						t.Errorf("%s: only %d coalitions", name, len(list))
					}
				}
				if d := draw(t, m, order, n, 1<<n, 1); !d.Exact() || d.Len() != 1<<n {
					t.Errorf("%s, order %d, %d players: all is paid for and %d are there", m, order, n, d.Len())
				}
			}
		}
	}
}

// Any seed will do from the minimum on, also where a handful of players leave little to
// draw from: such designs are drawn again.
func TestMinimum(t *testing.T) {
	for n := 2; n <= 12; n++ {
		for order := 1; order <= min(3, n); order++ {
			least := approx.Minimum(approx.Regression, order, n)
			for seed := range uint64(6) {
				for _, budget := range []int{least, least + 5} {
					d := draw(t, approx.Regression, order, n, budget, seed)
					if _, err := d.Estimator(index.SII, order); err != nil {
						t.Errorf("order %d, %d players, budget %d, seed %d: %v", order, n, budget, seed, err)
					}
				}
			}
		}
	}
}

// What a design is must not change: results name the seed.
func TestDesignsOfSeed(t *testing.T) {
	for _, test := range []struct {
		method approx.Method
		want   uint64
	}{{approx.Permutation, 0x590caa77500d963f}, {approx.SHAPIQ, 0xf927c0a3561f26fb}, {approx.Regression, 0xf927c0a3561f26fb}} {
		of := func(seed uint64) uint64 {
			h := fnv.New64a()
			for _, s := range draw(t, test.method, 2, 20, 3000, seed).Coalitions() {
				fmt.Fprintln(h, s)
			}
			return h.Sum64()
		}
		if got := of(7); got != test.want {
			t.Errorf("%s: the design of seed 7 has the sum %#x, want %#x", test.method, got, test.want)
		}
		if of(7) == of(8) {
			t.Errorf("%s: seeds 7 and 8 have the same design", test.method)
		}
	}
}

// Where more is paid for, all but a few of what there was are there again: a stratum's
// sample is the beginning of one random order.
func TestNested(t *testing.T) {
	small, large := draw(t, approx.Regression, 2, 16, 1000, 5), draw(t, approx.Regression, 2, 16, 2000, 5)
	has := map[game.Coalition]bool{}
	for _, s := range large.Coalitions() {
		has[s] = true
	}
	for _, s := range small.Coalitions() {
		if !has[s] {
			t.Errorf("%s is gone", s)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		m                      approx.Method
		order, players, budget int
		want                   string
	}{
		{0, 1, 5, 30, "no method has the number 0"},
		{approx.SHAPIQ, 1, 1, 30, "want 2 to 62 players, got 1"},
		{approx.SHAPIQ, 1, 63, 30000, "want 2 to 62 players, got 63"},
		{approx.SHAPIQ, 6, 5, 30, "want an order of 1 to 5"},
		{approx.SHAPIQ, 0, 5, 30, "want an order of 1 to 5"},
		{approx.Permutation, 3, 10, 1024, "permutation estimates orders up to 2, got 3: take shap-iq or regression"},
		{approx.SHAPIQ, 2, 24, 137, "wants a budget of at least 138 coalitions, got 137"},
		{approx.Permutation, 2, 10, 0, fmt.Sprintf("at least %d coalitions", approx.Minimum(approx.Permutation, 2, 10))},
		{approx.Regression, 2, 10, -5, fmt.Sprintf("at least %d coalitions", approx.Minimum(approx.Regression, 2, 10))},
		{approx.Regression, 3, 62, 1 << 20, "unknowns"},
		{approx.SHAPIQ, 2, 24, 1<<20 + 1, "at most 1048576"},
		{approx.SHAPIQ, 31, 62, 1 << 20, "more than 1048576 values"},
	} {
		if _, err := approx.Draw(test.m, test.order, test.players, test.budget, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, order %d, %d players, budget %d: want an error with %q, got %v", test.m, test.order, test.players, test.budget, test.want, err)
		}
	}
	for _, m := range methods() {
		least := approx.Minimum(m, 2, 10)
		if _, err := approx.Draw(m, 2, 10, least-1, 1); err == nil || !strings.Contains(err.Error(), fmt.Sprint(least)) {
			t.Errorf("%s: below the minimum: %v", m, err)
		}
	}
	if got := approx.Minimum(approx.Permutation, 3, 10); got != 0 {
		t.Errorf("a method has the minimum %d for what it does not offer", got)
	}
	d := draw(t, approx.SHAPIQ, 2, 8, 100, 1)
	p := draw(t, approx.Permutation, 2, 8, 256, 1)
	for want, call := range map[string]func() (*approx.Estimator, error){
		"want an order of 1 to 2 of SII":       func() (*approx.Estimator, error) { return d.Estimator(index.SII, 3) },
		"want an order of 1 to 1 of SV":        func() (*approx.Estimator, error) { return d.Estimator(index.SV, 2) },
		"does not estimate Index(77)":          func() (*approx.Estimator, error) { return d.Estimator(77, 2) },
		"does not estimate Index(0)":           func() (*approx.Estimator, error) { return d.Estimator(0, 2) },
		"permutation does not estimate k-SII":  func() (*approx.Estimator, error) { return p.Estimator(index.KSII, 2) },
		"want an order of 1 to 2 of SII by sh": func() (*approx.Estimator, error) { return d.Estimator(index.SII, 0) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestPanics(t *testing.T) {
	d := draw(t, approx.SHAPIQ, 2, 8, 100, 1)
	e := estimator(t, d, index.SII, 2)
	dst, draws, values := make([]float64, e.Len()), make([]float64, e.Len()*d.Draws()), make([]float64, d.Len())
	r := estimator(t, draw(t, approx.Regression, 2, 8, 150, 1), index.SII, 2)
	for name, call := range map[string]func(){
		"dst":           func() { e.To(dst[1:], draws, values, nil) },
		"draws":         func() { e.To(dst, draws[1:], values, nil) },
		"values":        func() { e.To(dst, draws, values[1:], nil) },
		"dst of all":    func() { e.AllTo(dst[1:], [][]float64{values}, nil) },
		"values of all": func() { e.AllTo(dst, [][]float64{values[1:]}, nil) },
		"scratch of all": func() {
			r.AllTo(make([]float64, r.Len()), [][]float64{make([]float64, r.Design().Len())}, r.Scratch()[:1])
		},
		"method": func() { approx.Method(9).Card() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

// With all coalitions there is no estimate: every method gives the index itself.
func TestEveryCoalition(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for n := 2; n <= 6; n++ {
		table := gametest.Random(n, rng)
		v := func(s game.Coalition) float64 { return table[s] }
		for _, c := range approx.Cards() {
			for _, x := range c.Indices {
				for order := 1; order <= c.MaxOrder(x, n); order++ {
					d := draw(t, c.Method, order, n, 1<<n, 1)
					e := estimator(t, d, x, order)
					got := estimateOf(d, e, v)
					for i, want := range exact(t, x, order, n, v) {
						if math.Abs(got.mean[i]-want) > 1e-9 {
							t.Errorf("%s of %s, order %d, %d players: %s: want %v, got %v", c.Method, x, order, n, e.Coalitions()[i], want, got.mean[i])
						}
					}
				}
			}
		}
	}
}

// Coalitions stand as those of index.Formula do.
func TestOrderOfCoalitions(t *testing.T) {
	f, err := index.New(index.SII, 3, 7)
	if err != nil {
		t.Fatal(err)
	}
	got := estimator(t, draw(t, approx.SHAPIQ, 3, 7, 100, 1), index.SII, 3).Coalitions()
	for i, want := range f.Coalitions() {
		if got[i] != want {
			t.Fatalf("position %d: want %s, got %s", i, want, got[i])
		}
	}
	if len(got) != f.Len() {
		t.Errorf("%d coalitions, want %d", len(got), f.Len())
	}
}

// A game that is fitted without a rest is known exactly, whatever the sample, and draws
// do not differ; one that is not, is not.
func TestRegressionOfItsSpan(t *testing.T) {
	for _, test := range []struct{ n, order, budget int }{{8, 1, 60}, {10, 2, 200}, {9, 3, 380}, {24, 2, 1500}, {40, 1, 400}} {
		u := randomSum(test.n, 40, 1, test.order, rand.New(rand.NewPCG(6, uint64(test.n))))
		v := func(s game.Coalition) float64 { return 3 + u.value(s) }
		d := draw(t, approx.Regression, test.order, test.n, test.budget, 2)
		for _, x := range index.Indices() {
			order := min(test.order, x.MaxOrder(test.n))
			e := estimator(t, d, x, order)
			got := estimateOf(d, e, v)
			for i, want := range u.truth(x, order, e.Coalitions()) {
				if math.Abs(got.mean[i]-want) > 1e-9 || got.standardError(i) > 1e-9 {
					t.Errorf("%s, %d players: %s: want %v without error, got %v ± %v", x, test.n, e.Coalitions()[i], want, got.mean[i], got.standardError(i))
				}
			}
		}
		u.sets, u.adds = append(u.sets, game.Grand(test.order+2)), append(u.adds, 1)
		got := estimateOf(d, estimator(t, d, index.SII, test.order), v)
		if got.standardError(0) < 1e-6 {
			t.Errorf("%d players: a game beyond the fit has no error", test.n)
		}
	}
}

// SHAP-IQ takes a game in which all players do the same off first.
func TestSampledOfLine(t *testing.T) {
	d := draw(t, approx.SHAPIQ, 2, 30, 200, 1)
	e := estimator(t, d, index.SII, 2)
	got := estimateOf(d, e, func(s game.Coalition) float64 { return 100 + 2*float64(s.Size()) })
	for i, s := range e.Coalitions() {
		want := 0.0
		if s.Size() == 1 {
			want = 2
		}
		if math.Abs(got.mean[i]-want) > 1e-9 || got.standardError(i) > 1e-9 {
			t.Errorf("%s: want %v without error, got %v ± %v", s, want, got.mean[i], got.standardError(i))
		}
	}
}

// biased reports how many means over seeds are further from the truth than four of
// their standard errors; every estimate is off by shift.
func biased(t *testing.T, m approx.Method, x index.Index, order, n, budget, seeds int, shift float64) int {
	t.Helper()
	u := randomSum(n, 20, 1, n, rand.New(rand.NewPCG(9, uint64(n))))
	var sum, squares, truth []float64
	for seed := range seeds {
		d := draw(t, m, order, n, budget, uint64(seed))
		e := estimator(t, d, x, order)
		if sum == nil {
			sum, squares = make([]float64, e.Len()), make([]float64, e.Len())
			truth = u.truth(x, order, e.Coalitions())
		}
		for i, got := range estimateOf(d, e, u.value).mean {
			dev := got + shift - truth[i]
			sum[i] += dev
			squares[i] += dev * dev
		}
	}
	off := 0
	for i, s := range sum {
		mean := s / float64(seeds)
		se := math.Sqrt((squares[i]/float64(seeds) - mean*mean) / float64(seeds))
		if math.Abs(mean) > 4*se+1e-9 {
			t.Logf("%s of %s, position %d: the mean is off by %v ± %v", m, x, i, mean, se)
			off++
		}
	}
	return off
}

// Over 2,000 seeds the mean is the index, which every interval is to cover: where little is sampled, and where more than
// half is and what one draw has another lacks.
func TestCoverageByMeans(t *testing.T) {
	if testing.Short() {
		t.Skip("2,000 designs of each kind")
	}
	for _, test := range []struct {
		m                approx.Method
		x                index.Index
		order, n, budget int
	}{
		{approx.Permutation, index.SII, 2, 8, 240},
		{approx.Permutation, index.SV, 1, 8, 120},
		{approx.SHAPIQ, index.SII, 2, 7, 40},
		{approx.SHAPIQ, index.FSII, 3, 7, 100},
		{approx.SHAPIQ, index.Moebius, 2, 8, 60},
		{approx.Regression, index.SII, 2, 7, 110},
		{approx.Regression, index.SII, 2, 8, 110},
		{approx.Regression, index.STII, 2, 8, 180},
		{approx.Regression, index.SV, 1, 8, 60},
		{approx.Regression, index.FBII, 1, 9, 120},
	} {
		if off := biased(t, test.m, test.x, test.order, test.n, test.budget, 2000, 0); off > 0 {
			t.Errorf("%s of %s, order %d, %d players, budget %d: %d means are off", test.m, test.x, test.order, test.n, test.budget, off)
		}
	}
	if biased(t, approx.SHAPIQ, index.SII, 2, 7, 40, 2000, 0.1) == 0 {
		t.Error("an estimate that is off by 0.1 passes for unbiased")
	}
}

// Estimates of efficient indices add up, and so do those of each draw.
func TestEfficiency(t *testing.T) {
	u := randomSum(10, 30, 1, 10, rand.New(rand.NewPCG(10, 10)))
	want := u.value(game.Grand(10)) - u.value(0)
	for _, c := range approx.Cards() {
		for _, x := range c.Indices {
			for order := 1; order <= min(3, c.MaxOrder(x, 10)); order++ {
				d := draw(t, c.Method, order, 10, 600, 3)
				e := estimator(t, d, x, order)
				got := estimateOf(d, e, u.value)
				rows := append(append([]float64(nil), got.mean...), got.draws...)
				for lo := 0; lo < len(rows); lo += e.Len() {
					sum := 0.0
					for i, s := range e.Coalitions() {
						// SII adds up over single players, at every order.
						if x.EfficientAt(10, order) || x == index.SII && s.Size() == 1 {
							sum += rows[lo+i]
						}
					}
					if (x.EfficientAt(10, order) || x == index.SII) && math.Abs(sum-want) > 1e-9 {
						t.Errorf("%s of %s, order %d, row %d: values add up to %v, want %v", c.Method, x, order, lo/e.Len(), sum, want)
					}
				}
			}
		}
	}
}

// The estimate is the mean of draws, also where draws are not asked for, and linear in
// the values, draw by draw.
func TestDrawsAndLinearity(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for _, m := range methods() {
		d := draw(t, m, 2, 10, 600, 4)
		e := estimator(t, d, index.SII, 2)
		a, b := randomSum(10, 20, 1, 9, rng), randomSum(10, 20, 1, 9, rng)
		x, y := estimateOf(d, e, a.value), estimateOf(d, e, b.value)
		sum := estimateOf(d, e, func(s game.Coalition) float64 { return 2*a.value(s) - 3*b.value(s) })
		alone := make([]float64, e.Len())
		e.To(alone, nil, play(d, a.value), e.Scratch())
		for i := range alone {
			mean := 0.0
			for at := i; at < len(x.draws); at += e.Len() {
				mean += x.draws[at] / float64(d.Draws())
				if want := 2*x.draws[at] - 3*y.draws[at]; math.Abs(sum.draws[at]-want) > 1e-9 {
					t.Errorf("%s: draw at %d: want %v, got %v", m, at, want, sum.draws[at])
				}
			}
			if math.Abs(mean-x.mean[i]) > 1e-12 || math.Abs(alone[i]-x.mean[i]) > 1e-12 {
				t.Errorf("%s: position %d: %v is the mean of draws, %v the estimate, %v without draws", m, i, mean, x.mean[i], alone[i])
			}
		}
	}
}

// A player that changes nothing has a Shapley value of about nothing: the interval says
// so.
func TestLargeGame(t *testing.T) {
	u := unanimitySum{sets: []game.Coalition{1<<3 | 1<<50, 1<<7 | 1<<20 | 1<<61, 1 << 9}, adds: []float64{2, 1, -1}}
	for _, test := range []struct {
		m      approx.Method
		order  int
		budget int
	}{{approx.SHAPIQ, 2, 4000}, {approx.Regression, 1, 1000}, {approx.Permutation, 1, 20000}} {
		d := draw(t, test.m, test.order, 62, test.budget, 1)
		e := estimator(t, d, index.SII, test.order)
		got := estimateOf(d, e, u.value)
		truth := u.truth(index.SII, test.order, e.Coalitions())
		if held := got.holds(truth, 1); float64(held) < 0.9*float64(e.Len()) {
			t.Errorf("%s: %d of %d intervals hold the truth", test.m, held, e.Len())
		}
	}
}

func TestNoAllocations(t *testing.T) {
	for _, m := range methods() {
		d := draw(t, m, 2, 10, 600, 4)
		e := estimator(t, d, index.SII, 2)
		dst, draws, values, scratch := make([]float64, e.Len()), make([]float64, e.Len()*d.Draws()), make([]float64, d.Len()), e.Scratch()
		if n := testing.AllocsPerRun(5, func() { e.To(dst, draws, values, scratch) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", m, n)
		}
		games, all := [][]float64{values}, e.AllScratch()
		if n := testing.AllocsPerRun(5, func() { e.AllTo(dst, games, all) }); n != 0 {
			t.Errorf("%s: %v allocations for all, want 0", m, n)
		}
	}
}

// A game in which every player adds the same, or none anything, is known exactly: shares
// of it must not be those of rounding errors.
func TestConstantGames(t *testing.T) {
	for _, c := range approx.Cards() {
		for _, v := range [][2]float64{{0.1, 0.1}, {0.9966, 0.9966}, {1. / 3, 1. / 3}, {0, 8}} {
			d, err := approx.Draw(c.Method, 2, 8, 200, 1)
			if err != nil {
				t.Fatal(err)
			}
			e, err := d.Estimator(index.SII, 2)
			if err != nil {
				t.Fatal(err)
			}
			values := make([]float64, d.Len())
			for i, s := range d.Coalitions() {
				values[i] = v[0] + (v[1]-v[0])*float64(s.Size())/8
			}
			dst, draws := make([]float64, e.Len()), make([]float64, e.Len()*d.Draws())
			e.To(dst, draws, values, e.Scratch())
			for i, x := range append(dst, draws...) {
				want := 0.0
				if i%e.Len() < 8 {
					want = (v[1] - v[0]) / 8
				}
				if x != want {
					t.Fatalf("%s: value %d of the game from %v to %v is %v, want %v", c.Name, i, v[0], v[1], x, want)
				}
			}
		}
	}
}
