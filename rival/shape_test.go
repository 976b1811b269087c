package rival

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

func shape(t testing.TB, values []float64) Shape {
	t.Helper()
	s, err := NewShape(values, ShapeOutputs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Two modalities: v(12) - v(1) - v(2) + v({}) = 0.9 - 0.6 - 0.7 + 0.5.
func TestShapeOfTwo(t *testing.T) {
	s := shape(t, []float64{0.5, 0.6, 0.7, 0.9})
	near(t, "cooperation", s.Cooperation, 0.1, 1e-15)
	near(t, "pair", s.Pairs[1], 0.1, 1e-15)
	nearShare(t, "relative", s.Relative, 0.25, 1e-15)
	near(t, "alone", s.Alone[1], 0.2, 1e-15)
	near(t, "contribution", s.Contributions[0], 0.15, 1e-15) // (0.1 + 0.2)/2
	near(t, "contribution", s.Contributions[1], 0.25, 1e-15) // (0.2 + 0.3)/2
}

// The cooking game: 15 - 10 - (-6 - 7 - 8) = 26, and its pairs have SII 7.
func TestShapeOfThree(t *testing.T) {
	s := shape(t, gametest.Cooking())
	near(t, "cooperation", s.Cooperation, 26, 1e-13)
	nearShare(t, "relative", s.Relative, 5.2, 1e-13)
	for _, at := range []int{1, 2, 5} {
		near(t, "pair", s.Pairs[at], 7, 1e-13)
	}
}

func TestShapeOfAdditiveGames(t *testing.T) {
	rng := seeded(1)
	for m := 2; m <= 8; m++ {
		part := make([]float64, m)
		for i := range part {
			part[i] = rng.NormFloat64()
		}
		s := shape(t, gametest.Table(m, func(c game.Coalition) float64 {
			v := 0.5
			for i, p := range part {
				if c.Has(i) {
					v += p
				}
			}
			return v
		}))
		near(t, "cooperation", s.Cooperation, 0, 1e-13)
		for i, p := range part {
			near(t, "contribution", s.Contributions[i], p, 1e-13)
		}
		for _, v := range s.Pairs {
			near(t, "pair", v, 0, 1e-13)
		}
	}
}

// The cooperation of a pair by its definition: the Shapley value of the pair as one
// player less that of each without the other, in games built for the purpose.
func TestShapePairsByDefinition(t *testing.T) {
	for seed := range uint64(10) {
		for m := 2; m <= 6; m++ {
			v := gametest.Random(m, seeded(seed))
			s := shape(t, v)
			for i := range m {
				for j := range m {
					if i == j {
						continue
					}
					want := shapleyOf(v, m, 1<<i|1<<j, 1<<i|1<<j) - shapleyOf(v, m, 1<<i, 1<<j) - shapleyOf(v, m, 1<<j, 1<<i)
					near(t, fmt.Sprintf("m=%d, pair %d,%d", m, i, j), s.Pairs[i*m+j], want, 1e-11)
				}
			}
		}
	}
}

// shapleyOf returns the Shapley value of the players in who, joined to one, in the game
// from which those in out are gone.
func shapleyOf(v []float64, m int, who, out game.Coalition) float64 {
	var others []int
	for i := range m {
		if !who.Has(i) && !out.Has(i) {
			others = append(others, i)
		}
	}
	// Player 0 of the new game is who.
	n := 1 + len(others)
	table := gametest.Table(n, func(s game.Coalition) float64 {
		var old game.Coalition
		if s.Has(0) {
			old = who
		}
		for k, i := range others {
			if s.Has(1 + k) {
				old = old.With(i)
			}
		}
		return v[old]
	})
	phi := make([]float64, n)
	moebius := make([]float64, len(table))
	game.MoebiusTo(moebius, table)
	index.ShapleyTo(phi, moebius)
	return phi[0]
}

// XOR with zeros for what is absent: with one bit the model names that bit, which is
// right half of the time and has macro F1 1/2. Labels 1 three times of eight make the
// baseline differ from its F1.
func TestPublishedShape(t *testing.T) {
	a := []int{0, 0, 1, 1, 0, 1, 0, 0}
	b := []int{0, 1, 0, 1, 0, 1, 1, 0}
	n := len(a)
	labels := make([]int, n)
	for i := range labels {
		labels[i] = a[i] ^ b[i]
	}
	in := ShapeInput{Predicted: [][]int{nil, a, b, labels}, Labels: labels, Form: ShapeAccuracy}
	s, err := NewPublishedShape(in)
	if err != nil {
		t.Fatal(err)
	}
	// Right: the first bit where b = 0 (4 of 8), the second where a = 0 (5 of 8).
	near(t, "baseline", s.Baseline, 5./8, 1e-15)
	near(t, "first alone", s.Alone[0], 4./8-5./8, 1e-15)
	near(t, "second alone", s.Alone[1], 0, 1e-15)
	near(t, "cooperation", s.Cooperation, 1-5./8-(4./8-5./8), 1e-15)

	// F1 of always 0 is (2·5/(10+3) + 0)/2.
	in.Form = ShapeF1
	if s, err = NewPublishedShape(in); err != nil {
		t.Fatal(err)
	}
	near(t, "baseline of F1", s.Baseline, 5./13, 1e-15)
	near(t, "cooperation in F1", s.Cooperation, 1+5./13-macroF1(t, a, labels)-macroF1(t, b, labels), 1e-14)
}

func macroF1(t testing.TB, predicted, labels []int) float64 {
	t.Helper()
	m, err := Measure(predicted, labels)
	if err != nil {
		t.Fatal(err)
	}
	return m.MacroF1
}

// Modalities that repeat each other: both alone are as right as together, and the score
// is baseline less F1: of always 0, (2·2/(4+2) + 0)/2 = 1/3.
func TestShapeOfRedundancyIsNegative(t *testing.T) {
	labels := []int{0, 1, 0, 1}
	s, err := NewPublishedShape(ShapeInput{
		Predicted: [][]int{nil, labels, labels, labels}, Labels: labels, Form: ShapeF1,
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "cooperation", s.Cooperation, -2./3, 1e-15)
}

func TestShapeRefuses(t *testing.T) {
	for _, values := range [][]float64{nil, {1}, {1, 2}, {1, 2, 3}, {1, 2, 3, math.NaN()}} {
		if _, err := NewShape(values, ShapeOutputs); err == nil {
			t.Errorf("values %v: want an error", values)
		}
	}
	four := func(p []int) [][]int { return [][]int{nil, p, p, p} }
	for _, c := range []struct {
		name string
		in   ShapeInput
		want string
		fit  bool
	}{
		{"no labels", ShapeInput{four([]int{0, 1}), nil, ShapeF1}, "needs true labels", false},
		{"one class", ShapeInput{four([]int{0, 1}), []int{1, 1}, ShapeF1}, "are of class 1", false},
		{"form", ShapeInput{four([]int{0, 1}), []int{0, 1}, ShapeOutputs}, "want the form f1 or accuracy, got outputs", true},
		{"coalitions", ShapeInput{four([]int{0, 1})[:3], []int{0, 1}, ShapeF1}, "want predictions of 2^M coalitions", true},
		{"lengths", ShapeInput{four([]int{0}), []int{0, 1}, ShapeF1}, "coalition {0}", true},
	} {
		_, err := NewPublishedShape(c.in)
		var u *Unfit
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &u) == c.fit {
			t.Errorf("%s: got error %v, want one that says %q and is for a footnote: %v", c.name, err, c.want, !c.fit)
		}
	}
	if s := shape(t, []float64{1, 2, 3, 1}); s.Relative.Or(-7) != -7 {
		t.Error("nothing gained: want the relative score undefined")
	}
}
