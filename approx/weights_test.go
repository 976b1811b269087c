package approx

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

// Σ_A g·v(A) is the index, for every index and order; with one weight changed it is not.
func TestValueWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 7; n++ {
		table := gametest.Random(n, rng)
		moebius := make([]float64, len(table))
		game.MoebiusTo(moebius, table)
		for _, x := range index.Indices() {
			for order := 1; order <= x.MaxOrder(n); order++ {
				f, err := index.New(x, order, n)
				if err != nil {
					t.Fatal(err)
				}
				want := make([]float64, f.Len())
				f.To(want, moebius, f.Scratch())
				g := valueWeights(x, order, n)
				off := func() (most float64) {
					for i, s := range f.Coalitions() {
						if s == 0 {
							continue
						}
						sum := 0.0
						for a, v := range table {
							a := game.Coalition(a)
							sum += g[s.Size()][a.Size()][(a&s).Size()] * v
						}
						most = max(most, math.Abs(sum-want[i]))
					}
					return most
				}
				if most := off(); most > 1e-10 {
					t.Errorf("%s, order %d, %d players: off by %v", x, order, n, most)
				}
				g[order][n][order] += 1e-6
				if off() < 1e-8 {
					t.Errorf("%s, order %d, %d players: a wrong weight passes", x, order, n)
				}
			}
		}
	}
}

// Of SII, g = (−1)^{s−w}/((n−s+1)·C(n−s, a−w)) (Fumagalli and others, 2023): also where
// the alternating sum has terms of 10^17.
func TestValueWeightsOfManyPlayers(t *testing.T) {
	for _, n := range []int{30, maxPlayers} {
		g := valueWeights(index.SII, 3, n)
		for s := 1; s <= 3; s++ {
			for a := 0; a <= n; a++ {
				for w := max(0, s+a-n); w <= min(s, a); w++ {
					want := 1 / (float64(n-s+1) * choose(n-s, a-w))
					if (s-w)%2 == 1 {
						want = -want
					}
					if math.Abs(g[s][a][w]-want) > 1e-14*math.Abs(want) {
						t.Errorf("%d players: g(%d, %d, %d): want %v, got %v", n, s, a, w, want, g[s][a][w])
					}
				}
			}
		}
	}
}

// The index of χ_T is walshWeight where S is within T, else nothing.
func TestWalshWeights(t *testing.T) {
	const n = 5
	for _, x := range index.Indices() {
		order := min(3, x.MaxOrder(n))
		f, err := index.New(x, order, n)
		if err != nil {
			t.Fatal(err)
		}
		for set := game.Coalition(0); set <= game.Grand(n); set++ {
			table := gametest.Table(n, func(a game.Coalition) float64 { return 1 - 2*float64((set&^a).Size()%2) })
			game.MoebiusTo(table, table)
			got := make([]float64, f.Len())
			f.To(got, table, f.Scratch())
			for i, s := range f.Coalitions() {
				want := 0.0
				if s == 0 {
					continue
				}
				if s&^set == 0 {
					want = walshWeight(x, s.Size(), set.Size(), order)
				}
				if math.Abs(got[i]-want) > 1e-10 {
					t.Errorf("%s: %s of χ of %s: want %v, got %v", x, s, set, want, got[i])
				}
			}
		}
	}
}

// unrank counts up all coalitions of a size, by their bits.
func TestUnrank(t *testing.T) {
	for n := 1; n <= 8; n++ {
		for k := 0; k <= n; k++ {
			rank := uint64(0)
			for s := game.Coalition(0); s <= game.Grand(n); s++ {
				if s.Size() != k {
					continue
				}
				if got := unrank(n, k, rank); got != s {
					t.Errorf("unrank(%d, %d, %d): want %s, got %s", n, k, rank, s, got)
				}
				rank++
			}
		}
	}
}

// A stratum has every pair once, and its sample every pair with the same chance.
func TestStratum(t *testing.T) {
	for n := 2; n <= 8; n++ {
		for j := 0; j <= n/2; j++ {
			seen := map[game.Coalition]bool{}
			for _, s := range stratum(n, j, stratumSize(n, j), 1, 0) {
				seen[s], seen[game.Grand(n)&^s] = true, true
			}
			want := 0
			for s := game.Coalition(0); s <= game.Grand(n); s++ {
				if s.Size() == j || s.Size() == n-j {
					want++
				}
			}
			if len(seen) != want {
				t.Errorf("%d players, stratum %d: %d coalitions, want %d", n, j, len(seen), want)
			}
		}
	}
	// 3 of 10 pairs, 10,000 times: 3,000 of each, with a deviation of 46 at most.
	counts := map[game.Coalition]int{}
	for seed := range uint64(10000) {
		for _, s := range stratum(5, 2, 3, seed, 0) {
			counts[s]++
		}
	}
	for s, c := range counts {
		if c < 3000-5*46 || c > 3000+5*46 {
			t.Errorf("%s was drawn %d times of 10,000, want about 3,000", s, c)
		}
	}
	if len(counts) != 10 {
		t.Errorf("%d of 10 pairs were drawn", len(counts))
	}
}

// In a block every player has every place as often, and comes right after every other as
// often; the reverse of a permutation is one, too.
func TestSquare(t *testing.T) {
	for n := 2; n <= 15; n++ {
		rows := square(n)
		times := len(rows) / n
		places, after := map[[2]int]int{}, map[[2]int]int{}
		has := map[string]bool{}
		text := func(row []int, step int) string {
			out := ""
			for p := range row {
				if step < 0 {
					p = len(row) - 1 - p
				}
				out += string(rune('a' + row[p]))
			}
			return out
		}
		for _, row := range rows {
			has[text(row, 1)] = true
			for p, x := range row {
				places[[2]int{x, p}]++
				if p > 0 {
					after[[2]int{row[p-1], x}]++
				}
			}
		}
		for _, row := range rows {
			if !has[text(row, -1)] {
				t.Errorf("%d players: the reverse of %v is missing", n, row)
			}
		}
		if len(places) != n*n || len(after) != n*(n-1) {
			t.Errorf("%d players: %d places, %d neighbours", n, len(places), len(after))
		}
		for k, c := range places {
			if c != times {
				t.Errorf("%d players: player %d has place %d %d times, want %d", n, k[0], k[1], c, times)
			}
		}
		for k, c := range after {
			if c != times {
				t.Errorf("%d players: %d comes after %d %d times, want %d", n, k[1], k[0], c, times)
			}
		}
	}
}

// The budget is dealt out as sd asks, from the outside in.
func TestAllot(t *testing.T) {
	for _, order := range []int{1, 2, 3} {
		a := allot(20, order, 2000)
		v := variances(20, order)
		full := true
		for j := 2; j < len(a.pairs); j++ {
			whole := a.pairs[j] == stratumSize(20, j)
			if whole && !full {
				t.Errorf("order %d: stratum %d is enumerated and one outside it is not: %v", order, j, a.pairs)
			}
			full = whole
			if whole || a.pairs[j] == uint64(a.groups) {
				continue
			}
			// Pairs over sd, against those of the last: the same up to one round.
			last := len(a.pairs) - 1
			want := float64(a.pairs[last]) * math.Sqrt(v[j]/v[last])
			if math.Abs(float64(a.pairs[j])-want) > 2.5*float64(a.groups) {
				t.Errorf("order %d: stratum %d has %d pairs, sd asks for %.0f", order, j, a.pairs[j], want)
			}
			if a.pairs[j]%uint64(a.groups) != 0 {
				t.Errorf("order %d: %d pairs in %d groups", order, a.pairs[j], a.groups)
			}
		}
	}
	// Of single players, C(n,k)·[C(n−1,k−1)·g² + C(n−1,k)·g²] is 1/(k(n−k)), where g is
	// 1/(n·C(n−1,k−1)) with the player and 1/(n·C(n−1,k)) without.
	for k, got := range variances(12, 1)[1:] {
		k++
		n := 12.0
		with, without := 1/(n*choose(11, k-1)), 1/(n*choose(11, k))
		each := choose(12, k) * (choose(11, k-1)*with*with + choose(11, k)*without*without)
		if math.Abs(each-1/(float64(k)*(n-float64(k)))) > 1e-12 {
			t.Errorf("size %d: %v", k, each)
		}
		// variances leaves the factor 1/n² away, and counts both sizes.
		if math.Abs(got/(n*n)-2*each) > 1e-12 {
			t.Errorf("stratum %d: want %v, got %v", k, 2*each, got/(n*n))
		}
	}
}

// A regression written down plainly: every group is left out of a fit of its own by QR,
// and every coalition, seen or not, is looked at.
func TestRegressionAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, test := range []struct{ n, order, budget int }{{7, 1, 60}, {7, 2, 110}, {8, 2, 150}, {8, 3, 220}} {
		d, err := Draw(Regression, test.order, test.n, test.budget, 3)
		if err != nil {
			t.Fatal(err)
		}
		table := gametest.Random(test.n, rng)
		values := make([]float64, len(d.coalitions))
		for i, s := range d.coalitions {
			values[i] = table[s]
		}
		for _, x := range []index.Index{index.SII, index.FBII} {
			e, err := d.Estimator(x, test.order)
			if err != nil {
				t.Fatal(err)
			}
			mean, draws := make([]float64, e.Len()), make([]float64, e.Len()*d.Draws())
			e.To(mean, draws, values, e.Scratch())
			wantMean, wantDraws := plainRegression(t, d, x, e.coalitions, table)
			for i := range mean {
				if math.Abs(mean[i]-wantMean[i]) > 1e-9 {
					t.Errorf("%s, %+v: position %d: want %v, got %v", x, test, i, wantMean[i], mean[i])
				}
			}
			for i := range draws {
				if math.Abs(draws[i]-wantDraws[i]) > 1e-8 {
					t.Errorf("%s, %+v: draw at %d: want %v, got %v", x, test, i, wantDraws[i], draws[i])
				}
			}
		}
	}
}

func plainRegression(t *testing.T, d *Design, x index.Index, of []game.Coalition, table []float64) (mean, draws []float64) {
	t.Helper()
	f, err := d.fits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := valueWeights(x, of[len(of)-1].Size(), d.n)
	weight := func(s, a game.Coalition) float64 { return g[s.Size()][a.Size()][(a & s).Size()] }
	all := game.Grand(d.n)
	var sets []game.Coalition
	for s := game.Coalition(0); s <= all; s++ {
		if s.Size() <= d.order {
			sets = append(sets, s)
		}
	}
	group, omega := map[game.Coalition]int{}, map[game.Coalition]float64{}
	at := 0
	for i, a := range d.strata.first {
		for at < d.strata.groups && i >= d.strata.start[at] {
			at++ // group at − 1; 0 stands for enumerated pairs
		}
		group[a], group[all&^a] = at, at
		omega[a], omega[all&^a] = f.weights[i], f.weights[i]
	}
	// deviation[g·len(of)+s] is by how much draw g deviates, as the error does, for each
	// half of the game.
	estimates := make([]float64, d.draws*len(of))
	deviations := make([]float64, d.draws*len(of))
	for k := range d.draws {
		// The fit without group k, by monomials and QR.
		var rows, rhs []float64
		for a, in := range group {
			if in == k+1 {
				continue
			}
			w := math.Sqrt(omega[a])
			for _, set := range sets {
				one := 0.0
				if set&^a == 0 {
					one = w
				}
				rows = append(rows, one)
			}
			rhs = append(rhs, w*table[a])
		}
		var qr mat.QR
		qr.Factorize(mat.NewDense(len(rhs), len(sets), rows))
		var c mat.VecDense
		if err := qr.SolveVecTo(&c, false, mat.NewVecDense(len(rhs), rhs)); err != nil {
			t.Fatal(err)
		}
		h := make([]float64, len(table))
		for a := range table {
			for i, set := range sets {
				if set&^game.Coalition(a) == 0 {
					h[a] += c.AtVec(i)
				}
			}
		}
		for i, s := range of {
			out := &estimates[k*len(of)+i]
			for a, v := range table {
				a := game.Coalition(a)
				in, seen := group[a]
				j := min(a.Size(), d.n-a.Size())
				rest, share := d.strata.unseen(d.n, j)
				q := float64(d.strata.pairs[j]) / float64(d.draws)
				// What a coalition adds, half by half: x(A) and x(A') are even ± odd.
				opposite := all &^ a
				add := func(y func(game.Coalition) float64, times float64) {
					even, odd := (y(a)+y(opposite))/2, (y(a)-y(opposite))/2
					*out += weight(s, a) * (even + odd) * times
					if rest > 0 {
						even *= math.Sqrt(1 + f.half[0].leverage/2)
						odd *= math.Sqrt(1 + f.half[1].leverage/2)
						deviations[k*len(of)+i] += weight(s, a) * (even + odd) * times / math.Sqrt(share)
					}
				}
				if seen {
					*out += weight(s, a) * v
				} else {
					add(func(a game.Coalition) float64 { return h[a] }, 1)
				}
				if in == k+1 {
					add(func(a game.Coalition) float64 { return table[a] - h[a] }, rest/q)
				}
			}
		}
	}
	mean = make([]float64, len(of))
	for i, x := range estimates {
		mean[i%len(of)] += x / float64(d.draws)
	}
	center(deviations, mean)
	return mean, deviations
}
