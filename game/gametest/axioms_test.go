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

func TestRelabel(t *testing.T) {
	got := Relabel(Unanimity(3, 0b011), []int{2, 0, 1})
	want := Unanimity(3, 0b101)
	for s := range want {
		if got[s] != want[s] {
			t.Errorf("coalition %b: got %v, want %v", s, got[s], want[s])
		}
	}
}
