package gametest

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/intershap/intershap/game"
)

// An Index is an interaction index under test.
type Index struct {
	// Name appears in failures.
	Name string
	// Values returns the index of every coalition that it is defined for, given
	// the value table of a game of m players.
	Values func(table []float64, m int) map[game.Coalition]float64
	// Efficient indices sum to v(all) − v({}).
	Efficient bool
	// Weight is the definition where there is one of this form, else nil:
	//
	//	I(S) = Σ_{T⊆N∖S} Weight(|S|, |T|, m) · Σ_{L⊆S} (−1)^{|S∖L|} v(T∪L)
	Weight func(s, t, m int) *big.Rat
	// Definition is a definition of any form, else nil. It must have a value for the
	// same coalitions as Values, and for no others.
	Definition Definition
	// MinPlayers is the fewest players that the index is checked with; 0 means 1. An
	// index of order k wants k.
	MinPlayers int
	// Tolerance bounds |got − want| for values of order one; 0 means 1e-10.
	Tolerance float64
}

// A Reporter takes failures; *testing.T is one.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// Axioms checks idx on random and closed-form games of one to six players:
// efficiency where promised, symmetry, null player, linearity, relabelling,
// and agreement with the definition where there is one, in rational numbers. The
// closed-form games are the unanimity games of every coalition, of which all others are
// sums.
func Axioms(t Reporter, idx Index) {
	t.Helper()
	if idx.Tolerance == 0 {
		idx.Tolerance = 1e-10
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for m := max(1, idx.MinPlayers); m <= 6; m++ {
		for range 5 {
			a, b := Random(m, rng), Random(m, rng)
			checkEfficiency(t, idx, a, m)
			checkNullPlayer(t, idx, a, m, rng.IntN(m))
			checkLinearity(t, idx, a, b, m)
			checkRelabelling(t, idx, a, m, rng.Perm(m))
			checkDefinition(t, idx, a, m)
			if m > 1 {
				checkTwins(t, idx, a, m, rng.Perm(m))
			}
		}
		for s := game.Coalition(1); s <= game.Grand(m); s++ {
			checkSymmetry(t, idx, m, s)
			checkEfficiency(t, idx, Unanimity(m, s), m)
			checkDefinition(t, idx, Unanimity(m, s), m)
		}
	}
}

func (idx Index) near(got, want float64) bool { return math.Abs(got-want) <= idx.Tolerance }

func checkEfficiency(t Reporter, idx Index, table []float64, m int) {
	t.Helper()
	if !idx.Efficient {
		return
	}
	sum := 0.0
	for s, x := range idx.Values(table, m) {
		if s != 0 {
			sum += x
		}
	}
	if want := table[len(table)-1] - table[0]; !idx.near(sum, want) {
		t.Errorf("%s: efficiency: m=%d: values sum to %v, want v(all) - v({}) = %v", idx.Name, m, sum, want)
	}
}

// checkNullPlayer makes player i a null player: it must get exactly nothing,
// alone and in company.
func checkNullPlayer(t Reporter, idx Index, table []float64, m, i int) {
	t.Helper()
	null := Table(m, func(s game.Coalition) float64 { return table[s.Without(i)] })
	for s, x := range idx.Values(null, m) {
		if s.Has(i) && x != 0 {
			t.Errorf("%s: null player: m=%d: player %d changes nothing, but %s has %v", idx.Name, m, i, s, x)
		}
	}
}

func checkLinearity(t Reporter, idx Index, a, b []float64, m int) {
	t.Helper()
	sum := Table(m, func(s game.Coalition) float64 { return 2*a[s] - 3*b[s] })
	va, vb := idx.Values(a, m), idx.Values(b, m)
	for s, x := range idx.Values(sum, m) {
		if want := 2*va[s] - 3*vb[s]; math.Abs(x-want) > 10*idx.Tolerance {
			t.Errorf("%s: linearity: m=%d: %s of 2a-3b is %v, want %v", idx.Name, m, s, x, want)
		}
	}
}

func checkRelabelling(t Reporter, idx Index, table []float64, m int, perm []int) {
	t.Helper()
	relabelled := idx.Values(Relabel(table, perm), m)
	for s, want := range idx.Values(table, m) {
		if got := relabelled[RelabelCoalition(s, perm)]; !idx.near(got, want) {
			t.Errorf("%s: relabelling: m=%d: %s has %v, after %v it has %v", idx.Name, m, s, want, perm, got)
		}
	}
}

// checkSymmetry plays the unanimity game of s, in which the players of s are
// interchangeable and so are those outside.
func checkSymmetry(t Reporter, idx Index, m int, s game.Coalition) {
	t.Helper()
	type kind struct{ inside, outside int }
	seen := map[kind]float64{}
	for c, x := range idx.Values(Unanimity(m, s), m) {
		k := kind{(c & s).Size(), (c &^ s).Size()}
		if want, ok := seen[k]; ok && !idx.near(x, want) {
			t.Errorf("%s: symmetry: m=%d: in the unanimity game of %s, %s has %v, a coalition like it %v", idx.Name, m, s, c, x, want)
		}
		seen[k] = x
	}
}

// checkTwins makes two players interchangeable: what one has alone or in company, the
// other has too.
func checkTwins(t Reporter, idx Index, table []float64, m int, perm []int) {
	t.Helper()
	i, j := perm[0], perm[1]
	swap := func(s game.Coalition) game.Coalition {
		out := s.Without(i).Without(j)
		if s.Has(i) {
			out = out.With(j)
		}
		if s.Has(j) {
			out = out.With(i)
		}
		return out
	}
	values := idx.Values(Table(m, func(s game.Coalition) float64 { return table[s] + table[swap(s)] }), m)
	for s, x := range values {
		if twin := values[swap(s)]; math.Abs(x-twin) > 10*idx.Tolerance {
			t.Errorf("%s: symmetry: m=%d: players %d and %d are interchangeable, but %s has %v and %s has %v", idx.Name, m, i, j, s, x, swap(s), twin)
		}
	}
}

func checkDefinition(t Reporter, idx Index, table []float64, m int) {
	t.Helper()
	if idx.Weight != nil {
		whole := exactly(table)
		for s, got := range idx.Values(table, m) {
			idx.checkValue(t, m, s, got, definition(whole, m, s, idx.Weight))
		}
	}
	if idx.Definition != nil {
		got, want := idx.Values(table, m), idx.Definition(table, m)
		for s := game.Coalition(0); s <= game.Grand(m); s++ {
			g, found := got[s]
			w, wanted := want[s]
			switch {
			case found != wanted:
				t.Errorf("%s: definition: m=%d: %s has a value: %v, want %v", idx.Name, m, s, found, wanted)
			case wanted:
				idx.checkValue(t, m, s, g, w)
			}
		}
	}
}

func (idx Index) checkValue(t Reporter, m int, s game.Coalition, got float64, definition *big.Rat) {
	t.Helper()
	if want, _ := definition.Float64(); !idx.near(got, want) {
		t.Errorf("%s: definition: m=%d: %s has %v, want %v", idx.Name, m, s, got, want)
	}
}

// definition computes I(s) term by term in whole and rational numbers.
func definition(table exact, m int, s game.Coalition, weight func(s, t, m int) *big.Rat) *big.Rat {
	// Terms of one weight are added first.
	bySize := make([]*big.Int, m+1)
	for t := game.Coalition(0); t <= game.Grand(m); t++ {
		if t&s != 0 {
			continue
		}
		if bySize[t.Size()] == nil {
			bySize[t.Size()] = new(big.Int)
		}
		delta := bySize[t.Size()]
		for l := s; ; l = (l - 1) & s {
			if (s.Size()-l.Size())%2 == 1 {
				delta.Sub(delta, table.values[t|l])
			} else {
				delta.Add(delta, table.values[t|l])
			}
			if l == 0 {
				break
			}
		}
	}
	sum := new(big.Rat)
	for t, delta := range bySize {
		if delta != nil {
			term := new(big.Rat).SetInt(delta)
			sum.Add(sum, term.Mul(term, weight(s.Size(), t, m)))
		}
	}
	return sum.Mul(sum, table.unit)
}

// exact is a table in whole numbers of some unit: every float64 is a whole number of a
// power of two.
type exact struct {
	values []*big.Int
	unit   *big.Rat
}

func exactly(table []float64) exact {
	most := big.NewInt(1)
	for _, v := range table {
		if d := rational(v).Denom(); d.Cmp(most) > 0 {
			most = d
		}
	}
	out := exact{unit: new(big.Rat).SetFrac(big.NewInt(1), most)}
	whole := new(big.Rat).SetInt(most)
	for _, v := range table {
		x := rational(v)
		out.values = append(out.values, new(big.Int).Set(x.Mul(x, whole).Num()))
	}
	return out
}

// Factorials returns a!·b!/c!, the building block of Shapley-like weights.
func Factorials(a, b, c int) *big.Rat {
	n := new(big.Int).MulRange(1, int64(a))
	n.Mul(n, new(big.Int).MulRange(1, int64(b)))
	if c < 0 {
		panic(fmt.Sprintf("gametest: factorial of %d", c))
	}
	return new(big.Rat).SetFrac(n, new(big.Int).MulRange(1, int64(c)))
}
