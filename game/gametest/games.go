// Package gametest holds games whose answers are known in closed form, and the
// axioms that an interaction index must satisfy, as a suite that any index of
// any order can be put through.
//
// It is public so that an index written elsewhere can be held to the same
// standard. [Axioms] takes the index as a function from a value table to values
// by coalition; it knows no index itself.
package gametest

import (
	"math/rand/v2"

	"github.com/intershap/intershap/game"
)

// Table returns the value table of a game of m players given as a function.
func Table(m int, v func(s game.Coalition) float64) []float64 {
	table := make([]float64, 1<<m)
	for s := range table {
		table[s] = v(game.Coalition(s))
	}
	return table
}

// Unanimity returns the table of the unanimity game of t: 1 for each coalition
// that holds all of t, else 0. Its Möbius transform is 1 at t and 0 elsewhere,
// so that every index of it is known in closed form.
func Unanimity(m int, t game.Coalition) []float64 {
	return Table(m, func(s game.Coalition) float64 {
		if s&t == t {
			return 1
		}
		return 0
	})
}

// Parity returns the table of expected correctness for the parity of m fair
// bits: 1 when all players are present, else 1/2.
func Parity(m int) []float64 {
	return Table(m, func(s game.Coalition) float64 {
		if s == game.Grand(m) {
			return 1
		}
		return 0.5
	})
}

// Cooking returns a game of three cooks whose indices can be worked out by
// hand: alone they cook less than the kitchen's 10, together more.
func Cooking() []float64 { return []float64{10, 4, 3, 9, 2, 8, 7, 15} }

// Random returns the table of a game of m players with values drawn from the
// standard normal distribution.
func Random(m int, rng *rand.Rand) []float64 {
	return Table(m, func(game.Coalition) float64 { return rng.NormFloat64() })
}

// Relabel returns the table in which player i of the game plays the part of
// player perm[i].
func Relabel(table []float64, perm []int) []float64 {
	out := make([]float64, len(table))
	for s := range table {
		out[RelabelCoalition(game.Coalition(s), perm)] = table[s]
	}
	return out
}

// RelabelCoalition returns {perm[i] : i in s}.
func RelabelCoalition(s game.Coalition, perm []int) game.Coalition {
	var out game.Coalition
	for i, p := range perm {
		if s.Has(i) {
			out = out.With(p)
		}
	}
	return out
}
