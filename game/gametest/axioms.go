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
// and agreement with the definition where there is one, in rational numbers.
func Axioms(t Reporter, idx Index) {
	t.Helper()
	if idx.Tolerance == 0 {
		idx.Tolerance = 1e-10
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for m := 1; m <= 6; m++ {
		for range 5 {
			a, b := Random(m, rng), Random(m, rng)
			checkEfficiency(t, idx, a, m)
			checkNullPlayer(t, idx, a, m, rng.IntN(m))
			checkLinearity(t, idx, a, b, m)
			checkRelabelling(t, idx, a, m, rng.Perm(m))
			checkDefinition(t, idx, a, m)
		}
		for s := game.Coalition(1); s <= game.Grand(m); s++ {
			checkSymmetry(t, idx, m, s)
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

func checkDefinition(t Reporter, idx Index, table []float64, m int) {
	t.Helper()
	if idx.Weight == nil {
		return
	}
	for s, got := range idx.Values(table, m) {
		want, _ := definition(table, m, s, idx.Weight).Float64()
		if !idx.near(got, want) {
			t.Errorf("%s: definition: m=%d: %s has %v, want %v", idx.Name, m, s, got, want)
		}
	}
}

// definition computes I(s) term by term in rational numbers.
func definition(table []float64, m int, s game.Coalition, weight func(s, t, m int) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for t := game.Coalition(0); t <= game.Grand(m); t++ {
		if t&s != 0 {
			continue
		}
		delta := new(big.Rat)
		for l := s; ; l = (l - 1) & s {
			v := new(big.Rat).SetFloat64(table[t|l])
			if (s.Size()-l.Size())%2 == 1 {
				v.Neg(v)
			}
			delta.Add(delta, v)
			if l == 0 {
				break
			}
		}
		sum.Add(sum, delta.Mul(delta, weight(s.Size(), t.Size(), m)))
	}
	return sum
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
