package game

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNotFinite is wrapped by the error for a value that is NaN or infinite.
var ErrNotFinite = errors.New("value is not finite")

// MaxPartialPlayers bounds the players of a game of which some coalitions have a
// value: a number of coalitions fits into an int.
const MaxPartialPlayers = 62

// Tables holds the value tables of several games over the same players, one
// after the other. They are whole, and game r has the 2^m values from position
// r·2^m on, that of S at S; or partial, and each game has the values of the same
// listed coalitions, in the order of the list. What needs every coalition, such as
// a Möbius transform, takes whole tables alone.
type Tables struct {
	m          int
	width      int         // values of a game; 0 in the zero Tables
	coalitions []Coalition // nil when the tables are whole
	values     []float64
}

// NewTables returns whole value tables of m players over values, which it keeps
// without copying. The length must be a multiple of 2^m, m between 1 and
// [MaxPlayers], and every value finite; the error names game and coalition.
func NewTables(m int, values []float64) (Tables, error) {
	if m < 1 || m > MaxPlayers {
		return Tables{}, fmt.Errorf("game: want 1 to %d players, got %d", MaxPlayers, m)
	}
	return newTables(Tables{m: m, width: 1 << m, values: values})
}

// NewPartialTables returns tables that hold the values of the listed coalitions
// alone. It keeps both slices without copying. The list is as [CheckCoalitions]
// wants it, the number of values a multiple of its length, and every value finite;
// the error names game and coalition. A list of nil makes whole tables.
func NewPartialTables(m int, coalitions []Coalition, values []float64) (Tables, error) {
	if coalitions == nil {
		return NewTables(m, values)
	}
	if err := CheckCoalitions(m, coalitions); err != nil {
		return Tables{}, err
	}
	return newTables(Tables{m: m, width: len(coalitions), coalitions: coalitions, values: values})
}

// newTables checks the values of tables.
func newTables(t Tables) (Tables, error) {
	if len(t.values)%t.width != 0 {
		return Tables{}, fmt.Errorf("game: want a multiple of %d values for %d players, got %d", t.width, t.m, len(t.values))
	}
	for i, v := range t.values {
		if v-v != 0 { // NaN and Inf alone
			return Tables{}, fmt.Errorf("game: game %d, coalition %s: %w: %v", i/t.width, t.coalition(i%t.width), ErrNotFinite, v)
		}
	}
	return t, nil
}

// CheckCoalitions refuses a list of coalitions of m players, 1 to
// [MaxPartialPlayers], unless the empty coalition is its first, the grand one its
// last, and none is in it twice or has other players.
func CheckCoalitions(m int, coalitions []Coalition) error {
	last := len(coalitions) - 1
	switch {
	case m < 1 || m > MaxPartialPlayers:
		return fmt.Errorf("game: want 1 to %d players, got %d", MaxPartialPlayers, m)
	case last < 1 || coalitions[0] != 0 || coalitions[last] != Grand(m):
		return fmt.Errorf("game: want a list of coalitions from the empty one to that of all %d players", m)
	}
	sorted := slices.Sorted(slices.Values(coalitions))
	for i, s := range sorted {
		switch {
		case s > Grand(m):
			return fmt.Errorf("game: coalition %s has a player beyond the %d there are", s, m)
		case i > 0 && s == sorted[i-1]:
			return fmt.Errorf("game: coalition %s is listed twice", s)
		}
	}
	return nil
}

// Players returns the number of players, m.
func (t Tables) Players() int { return t.m }

// Coalitions returns the coalitions that each game has values of, shared; nil when
// the tables are whole.
func (t Tables) Coalitions() []Coalition { return t.coalitions }

// Width returns the number of values of a game: 2^m, or the length of the list.
func (t Tables) Width() int { return t.width }

// coalition returns the coalition at a position of a game.
func (t Tables) coalition(at int) Coalition {
	if t.coalitions == nil {
		return Coalition(at)
	}
	return t.coalitions[at]
}

// Len returns the number of games.
func (t Tables) Len() int {
	if t.width == 0 {
		return 0
	}
	return len(t.values) / t.width
}

// Game returns the values of game r, shared: 2^m of them, that of S at S, or those
// of the listed coalitions in their order.
func (t Tables) Game(r int) []float64 {
	lo, hi := r*t.width, (r+1)*t.width
	return t.values[lo:hi:hi]
}

// Values returns the values of all games, shared.
func (t Tables) Values() []float64 { return t.values }
