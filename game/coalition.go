package game

import (
	"fmt"
	"math/bits"
	"strings"
)

// A Coalition is a set of players: bit i is set when player i is present.
type Coalition uint64

// MaxPlayers bounds the players of a game whose whole value table is held.
const MaxPlayers = 20

// Grand returns the coalition of all m players.
func Grand(m int) Coalition { return 1<<m - 1 }

// Has reports whether player i is in s.
func (s Coalition) Has(i int) bool { return s>>i&1 == 1 }

// With returns s and player i.
func (s Coalition) With(i int) Coalition { return s | 1<<i }

// Without returns s less player i.
func (s Coalition) Without(i int) Coalition { return s &^ (1 << i) }

// Size returns the number of players in s.
func (s Coalition) Size() int { return bits.OnesCount64(uint64(s)) }

// String formats s as "{0,2}".
func (s Coalition) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range 64 {
		if !s.Has(i) {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d", i)
	}
	b.WriteByte('}')
	return b.String()
}
