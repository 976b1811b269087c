package game_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
)

func TestCoalition(t *testing.T) {
	s := game.Coalition(0).With(0).With(2)
	if s != 0b101 || !s.Has(2) || s.Has(1) || s.Size() != 2 || s.Without(0) != 0b100 {
		t.Errorf("coalition {0,2} is %b", s)
	}
	if got := s.String(); got != "{0,2}" {
		t.Errorf("String() = %q, want {0,2}", got)
	}
	if got := game.Coalition(0).String(); got != "{}" {
		t.Errorf("String() of the empty coalition = %q", got)
	}
}

func TestNewTables(t *testing.T) {
	tests := []struct {
		name   string
		m      int
		values []float64
		want   string
		reason string
	}{
		{"no players", 0, nil, "want 1 to 20 players, got 0", "a game needs a player"},
		{"too many players", 21, nil, "got 21", "the table would not fit"},
		{"length", 2, make([]float64, 6), "multiple of 4", "half a game"},
		{"NaN", 2, []float64{0, 0, 0, 0, 0, 0, math.NaN(), 0}, "game 1, coalition {1}", "the error names the place"},
		{"Inf", 1, []float64{0, math.Inf(-1)}, "game 0, coalition {0}", "infinity is no value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := game.NewTables(test.m, test.values)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
			}
			if finite := test.name == "NaN" || test.name == "Inf"; finite != errors.Is(err, game.ErrNotFinite) {
				t.Errorf("errors.Is(err, ErrNotFinite) = %v", !finite)
			}
		})
	}
	tables, err := game.NewTables(2, []float64{0, 1, 2, 3, 4, 5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	if tables.Players() != 2 || tables.Len() != 2 || tables.Game(1)[3] != 7 {
		t.Errorf("got %d players, %d games, %v", tables.Players(), tables.Len(), tables.Game(1))
	}
}

// MoebiusTo must agree with the definition, Σ_{T⊆S} (−1)^{|S∖T|} v(T).
func TestMoebius(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for m := 1; m <= 8; m++ {
		v := gametest.Random(m, rng)
		got := make([]float64, len(v))
		game.MoebiusTo(got, v)
		for s := range v {
			want := 0.0
			for l := s; ; l = (l - 1) & s {
				sign := 1.0
				if (game.Coalition(s).Size()-game.Coalition(l).Size())%2 == 1 {
					sign = -1
				}
				want += sign * v[l]
				if l == 0 {
					break
				}
			}
			if math.Abs(got[s]-want) > 1e-12 {
				t.Errorf("m=%d: m(%b) = %v, want %v", m, s, got[s], want)
			}
		}
	}
	cooking := gametest.Cooking()
	game.MoebiusTo(cooking, cooking)
	for s, want := range []float64{10, -6, -7, 12, -8, 12, 12, -10} {
		if cooking[s] != want {
			t.Errorf("cooking: m(%b) = %v, want %v", s, cooking[s], want)
		}
	}
}

// However many players are done in one pass, the bits are those of one after the other.
func TestMoebiusBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for m := 0; m <= 13; m++ {
		got := gametest.Random(m, rng)
		want := append([]float64(nil), got...)
		for h := 1; h < len(want); h <<= 1 {
			for s := range want {
				if s&h != 0 {
					want[s] -= want[s^h]
				}
			}
		}
		apart := make([]float64, len(got))
		game.MoebiusTo(apart, got)
		game.MoebiusTo(got, got)
		for s, w := range want {
			if got[s] != w || apart[s] != w {
				t.Fatalf("m=%d: m(%b): want %v, got %v in place and %v elsewhere", m, s, w, got[s], apart[s])
			}
		}
	}
}

func TestMoebiusPanics(t *testing.T) {
	for _, n := range []int{0, 3, 6} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for a table of %d values", n)
				}
			}()
			game.MoebiusTo(make([]float64, n), make([]float64, n))
		}()
	}
}

func TestNewPartialTables(t *testing.T) {
	type list = []game.Coalition
	tests := []struct {
		name   string
		m      int
		list   list
		values []float64
		want   string
		reason string
	}{
		{"no players", 0, list{0, 1}, nil, "want 1 to 62 players, got 0", "a game needs a player"},
		{"too many players", 63, list{0, 1}, nil, "got 63", "2^63 is no int"},
		{"one coalition", 2, list{0}, nil, "from the empty one to that of all 2 players", "both borders have a value"},
		{"no coalition", 2, list{}, nil, "from the empty one to that of all 2 players", "both borders have a value"},
		{"empty inside", 2, list{1, 0, 3}, nil, "from the empty one", "position 0 is the empty coalition"},
		{"grand inside", 2, list{0, 3, 1}, nil, "to that of all 2 players", "the last position is the grand coalition"},
		{"twice", 3, list{0, 5, 1, 5, 7}, nil, "{0,2} is listed twice", "which of the two would count?"},
		{"other players", 3, list{0, 9, 7}, nil, "{0,3} has a player beyond the 3", "there is no such player"},
		{"length", 3, list{0, 1, 7}, make([]float64, 4), "multiple of 3", "a game and a third"},
		{"NaN", 3, list{0, 5, 7}, []float64{0, 0, 0, 0, math.NaN(), 0}, "game 1, coalition {0,2}", "the error names the place"},
		{"whole", 21, nil, nil, "want 1 to 20 players, got 21", "nil makes whole tables"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := game.NewPartialTables(test.m, test.list, test.values)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
			}
			if notFinite := test.name == "NaN"; notFinite != errors.Is(err, game.ErrNotFinite) {
				t.Errorf("errors.Is(err, ErrNotFinite) = %v", !notFinite)
			}
		})
	}
	chosen := list{0, 1 << 61, 1, game.Grand(62)}
	tables, err := game.NewPartialTables(62, chosen, []float64{0, 1, 2, 3, 4, 5, 6, 7})
	if err != nil {
		t.Fatal(err)
	}
	if tables.Players() != 62 || tables.Width() != 4 || tables.Len() != 2 || !slices.Equal(tables.Game(1), []float64{4, 5, 6, 7}) || !slices.Equal(tables.Coalitions(), chosen) {
		t.Errorf("got %d players, %d games of %d, %v of %v", tables.Players(), tables.Len(), tables.Width(), tables.Game(1), tables.Coalitions())
	}
	if got := cap(tables.Game(0)); got != 4 {
		t.Errorf("a game has room for %d values: an append would change the next one", got)
	}
	whole, err := game.NewPartialTables(2, nil, make([]float64, 8))
	if err != nil || whole.Coalitions() != nil || whole.Width() != 4 || whole.Len() != 2 {
		t.Errorf("tables without a list: %v, %d games of %d, list %v; want whole ones", err, whole.Len(), whole.Width(), whole.Coalitions())
	}
	if none := (game.Tables{}); none.Len() != 0 || none.Width() != 0 {
		t.Errorf("the zero Tables have %d games of %d values", none.Len(), none.Width())
	}
}
