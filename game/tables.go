package game

import (
	"errors"
	"fmt"
)

// ErrNotFinite is wrapped by the error for a value that is NaN or infinite.
var ErrNotFinite = errors.New("value is not finite")

// Tables holds the value tables of several games over the same players, one
// after the other: game r has the 2^m values from position r<<m on.
type Tables struct {
	m      int
	values []float64
}

// NewTables returns value tables of m players over values, which it keeps
// without copying. The length must be a multiple of 2^m, m between 1 and
// [MaxPlayers], and every value finite; the error names game and coalition.
func NewTables(m int, values []float64) (Tables, error) {
	if m < 1 || m > MaxPlayers {
		return Tables{}, fmt.Errorf("game: want 1 to %d players, got %d", MaxPlayers, m)
	}
	if len(values)&(1<<m-1) != 0 {
		return Tables{}, fmt.Errorf("game: want a multiple of %d values for %d players, got %d", 1<<m, m, len(values))
	}
	for i, v := range values {
		if v-v != 0 { // NaN and Inf alone
			return Tables{}, fmt.Errorf("game: game %d, coalition %s: %w: %v", i>>m, Coalition(i&(1<<m-1)), ErrNotFinite, v)
		}
	}
	return Tables{m: m, values: values}, nil
}

// Players returns the number of players, m.
func (t Tables) Players() int { return t.m }

// Len returns the number of games.
func (t Tables) Len() int { return len(t.values) >> t.m }

// Game returns the 2^m values of game r, shared.
func (t Tables) Game(r int) []float64 { return t.values[r<<t.m : (r+1)<<t.m : (r+1)<<t.m] }

// Values returns the values of all games, shared.
func (t Tables) Values() []float64 { return t.values }
