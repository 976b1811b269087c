package gametest

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
)

// recorder collects failures, to see a check fail.
type recorder struct{ failures []string }

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// marginal is v(i) − v({}) for each player: linear, symmetric, blind to null
// players, not efficient.
func marginal(table []float64, m int) map[game.Coalition]float64 {
	out := map[game.Coalition]float64{}
	for i := range m {
		s := game.Coalition(0).With(i)
		out[s] = table[s] - table[0]
	}
	return out
}

func onlyEmpty(_, t, _ int) *big.Rat {
	if t == 0 {
		return big.NewRat(1, 1)
	}
	return new(big.Rat)
}

func TestAxiomsPass(t *testing.T) {
	Axioms(t, Index{Name: "marginal", Values: marginal, Weight: onlyEmpty})
}

// Each axiom must fail on an index that breaks it.
func TestAxiomsFail(t *testing.T) {
	bend := func(f func(out map[game.Coalition]float64, table []float64, m int)) func([]float64, int) map[game.Coalition]float64 {
		return func(table []float64, m int) map[game.Coalition]float64 {
			out := marginal(table, m)
			f(out, table, m)
			return out
		}
	}
	tests := []struct {
		axiom string
		idx   Index
	}{
		{"efficiency", Index{Values: marginal, Efficient: true}},
		{"null player", Index{Values: bend(func(out map[game.Coalition]float64, _ []float64, _ int) {
			for s := range out {
				out[s] += 1e-15
			}
		})}},
		{"linearity", Index{Values: bend(func(out map[game.Coalition]float64, _ []float64, _ int) {
			for s := range out {
				out[s] *= out[s]
			}
		})}},
		{"relabelling", Index{Values: bend(func(out map[game.Coalition]float64, _ []float64, _ int) { out[1] *= 2 })}},
		{"symmetry", Index{Values: bend(func(out map[game.Coalition]float64, table []float64, _ int) { out[1] += table[0] + table[len(table)-1] })}},
		{"efficiency", Index{Values: bend(func(out map[game.Coalition]float64, table []float64, m int) {
			// Right for the random games, wrong for unanimity: what is left goes to player 0
			// unless all is made by everybody.
			if rest := table[len(table)-1] - table[0]; rest != 1 {
				for _, x := range out {
					rest -= x
				}
				out[1] += rest
			}
		}), Efficient: true}},
		{"symmetry", Index{Values: bend(func(out map[game.Coalition]float64, table []float64, m int) {
			// Blind to the order of players in unanimity games alone.
			if table[0] != 0 && m > 1 {
				out[2] *= 1.5
			}
		})}},
		{"definition", Index{Values: marginal, Definition: MoebiusDefinition(1)}}, // lacks the empty coalition
		{"definition", Index{Values: marginal, Definition: Derivatives(2, onlyEmpty)}},
		{"definition", Index{Values: bend(func(out map[game.Coalition]float64, _ []float64, _ int) { out[0] = 1 }), Definition: Derivatives(1, onlyEmpty)}},
		{"definition", Index{Values: bend(func(out map[game.Coalition]float64, _ []float64, _ int) { out[1] += 1e-9 }), Definition: Derivatives(1, onlyEmpty)}},
		{"definition", Index{Values: marginal, Definition: Derivatives(1, ShapleyWeight)}},
		{"definition", Index{Values: marginal, Weight: func(_, t, _ int) *big.Rat { return big.NewRat(1, int64(t+1)) }}},
	}
	for _, test := range tests {
		t.Run(test.axiom, func(t *testing.T) {
			var r recorder
			Axioms(&r, test.idx)
			for _, f := range r.failures {
				if strings.Contains(f, test.axiom+":") {
					return
				}
			}
			t.Errorf("no failure of %s among %d failures", test.axiom, len(r.failures))
		})
	}
}

// The definitions of the cooking game, worked out by hand: the Möbius transform is 10,
// −6, −7, −8, three times 12, −10.
func TestDefinitionsOfCooking(t *testing.T) {
	const single, pair = 1, 3
	for _, tt := range []struct {
		name                string
		definition          Definition
		empty, alone, a2, p *big.Rat
	}{
		{"SII", Derivatives(2, ShapleyWeight), nil, big.NewRat(8, 3), big.NewRat(2, 3), big.NewRat(7, 1)},
		{"BII", Derivatives(2, BanzhafWeight), nil, big.NewRat(7, 2), big.NewRat(3, 2), big.NewRat(7, 1)},
		// 8/3 less half of two pairs.
		{"k-SII", KSIIDefinition(2), big.NewRat(10, 1), big.NewRat(-13, 3), big.NewRat(-19, 3), big.NewRat(7, 1)},
		// A pair has 12 and a third of −10.
		{"STII", STIIDefinition(2), big.NewRat(10, 1), big.NewRat(-6, 1), big.NewRat(-8, 1), big.NewRat(26, 3)},
		{"FSII", FSIIDefinition(2), big.NewRat(10, 1), big.NewRat(-13, 3), big.NewRat(-19, 3), big.NewRat(7, 1)},
		// m(S) and ±10/2^{3−s}: the constant 10 − 10/8, singles −6 + 10/4, pairs 12 − 10/2.
		{"FBII", FBIIDefinition(2), big.NewRat(35, 4), big.NewRat(-7, 2), big.NewRat(-11, 2), big.NewRat(7, 1)},
		{"Moebius", MoebiusDefinition(2), big.NewRat(10, 1), big.NewRat(-6, 1), big.NewRat(-8, 1), big.NewRat(12, 1)},
	} {
		got := tt.definition(Cooking(), 3)
		for s, want := range map[game.Coalition]*big.Rat{0: tt.empty, single: tt.alone, 4: tt.a2, pair: tt.p, 5: tt.p, 6: tt.p} {
			if x := got[s]; (x == nil) != (want == nil) || x != nil && x.Cmp(want) != 0 {
				t.Errorf("%s: %s: want %v, got %v", tt.name, s, want, x)
			}
		}
		if _, found := got[7]; found {
			t.Errorf("%s of order two has a value for three players", tt.name)
		}
	}
}

func TestRelabel(t *testing.T) {
	got := Relabel(Unanimity(3, 0b011), []int{2, 0, 1})
	want := Unanimity(3, 0b101)
	for s := range want {
		if got[s] != want[s] {
			t.Errorf("coalition %b: got %v, want %v", s, got[s], want[s])
		}
	}
}
