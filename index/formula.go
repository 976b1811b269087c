package index

import (
	"fmt"
	"math/bits"

	"github.com/intershap/intershap/game"
)

const maxPlayers = game.MaxPlayers

// A Formula computes an index of one order for games of one number of players, from
// their Möbius transforms m:
//
//	I(S) = Σ_{T⊇S} c(|S|, |T|) · m(T)      for every S of 1 to k players
//
// and for the empty coalition where the index defines it. The weights c are made once,
// in rational numbers; see the source for each of them. Values stand in the order of
// [Formula.Coalitions].
//
// A Formula does not change and may be used by many goroutines, each with its own
// scratch.
type Formula struct {
	index    Index
	m, order int
	// least is the size of the smallest coalitions, 0 or 1.
	least int
	// start[s] is the position of the first coalition of s players, start[order+1] the
	// number of all.
	start []int
	// rows[s] are the weights by the size of T; nil where only m(S) counts.
	rows [][]float64
}

// New returns the formula of an index of some order for games of m players. An order
// that there is not is an error.
func New(x Index, order, m int) (*Formula, error) {
	switch {
	case !x.valid():
		return nil, fmt.Errorf("index: no index has the number %d", uint8(x))
	case m < 1 || m > maxPlayers:
		return nil, fmt.Errorf("index: want 1 to %d players, got %d", maxPlayers, m)
	case x.Card().Single && order != 1:
		return nil, fmt.Errorf("index: %s has values of single players: want order 1, got %d", x, order)
	case order < 1 || order > m:
		return nil, fmt.Errorf("index: want an order of 1 to %d, the number of players, got %d", m, order)
	}
	f := &Formula{index: x, m: m, order: order, least: 1, start: make([]int, order+2), rows: make([][]float64, order+1)}
	if x.Card().Empty {
		f.least = 0
	}
	for s := f.least; s <= order; s++ {
		f.start[s+1] = f.start[s] + choose(m, s)
		row := make([]float64, m+1)
		for t := s; t <= m; t++ {
			c := weight(x, s, t, order)
			row[t], _ = c.Float64()
			if t > s && c.Sign() != 0 {
				f.rows[s] = row
			}
		}
	}
	return f, nil
}

// Index returns the index.
func (f *Formula) Index() Index { return f.index }

// Players returns the number of players, m.
func (f *Formula) Players() int { return f.m }

// Order returns the most players of a coalition that has a value.
func (f *Formula) Order() int { return f.order }

// Len returns the number of coalitions that have a value.
func (f *Formula) Len() int { return f.start[f.order+1] }

// Coalitions returns the coalitions that have a value: by size, and those of one size
// by their bits as a number, so {0}, {1}, {2}, {0,1}, {0,2}, {1,2}, {0,3}, ...
func (f *Formula) Coalitions() []game.Coalition {
	out := make([]game.Coalition, 0, f.Len())
	for s := f.least; s <= f.order; s++ {
		each(f.m, s, func(c uint) { out = append(out, game.Coalition(c)) })
	}
	return out
}

// Range returns where the values of coalitions of size players stand, lo to hi − 1;
// nowhere for sizes that have no value.
func (f *Formula) Range(size int) (lo, hi int) {
	if size < f.least || size > f.order {
		return 0, 0
	}
	return f.start[size], f.start[size+1]
}

// Position returns where the value of a coalition stands; it reports false where the
// coalition has none.
func (f *Formula) Position(s game.Coalition) (int, bool) {
	size := s.Size()
	if s > game.Grand(f.m) || size < f.least || size > f.order {
		return 0, false
	}
	// What stands before s among its size: for its k-th player i, from 1, the C(i, k)
	// choices of k players below i (Beckenbach, 1964).
	at := f.start[size]
	k := 1
	for rest := uint64(s); rest != 0; rest &= rest - 1 {
		at += choose(bits.TrailingZeros64(rest), k)
		k++
	}
	return at, true
}

// Scratch returns memory for [Formula.To] and [Formula.AllTo].
func (f *Formula) Scratch() []float64 { return make([]float64, 1<<f.m) }

// To writes the values of one game into dst, which is [Formula.Len] long, given its
// Möbius transform, which stays as it is. scratch must hold at least 2^m numbers and
// overlap neither. The cost is O(s·2^m) for each size s.
//
// Nothing is left of a player that changes nothing: it has exactly 0, alone and with
// others.
func (f *Formula) To(dst, moebius, scratch []float64) {
	n := 1 << f.m
	if len(dst) != f.Len() || len(moebius) != n || len(scratch) < n {
		panic("index: bad dst, moebius or scratch length")
	}
	f.to(dst, moebius, scratch[:n])
}

func (f *Formula) to(dst, moebius, scratch []float64) {
	for s := f.least; s <= f.order; s++ {
		part := dst[f.start[s]:f.start[s+1]]
		switch {
		case f.rows[s] == nil:
			pickTo(part, moebius, s)
		case s == 1 && f.m >= blockPlayers:
			singlesTo(part, moebius, f.rows[s], scratch)
		default:
			weighTo(scratch, moebius, f.rows[s])
			supersetsTo(part, scratch, f.m, s)
		}
	}
}

// AllTo writes the values of many games into dst, one game after the other, given
// their Möbius transforms, as [TransformTo] writes them. dst is the number of games
// times [Formula.Len] long. No memory is taken for a game.
func (f *Formula) AllTo(dst, moebius, scratch []float64) {
	n := 1 << f.m
	games := len(moebius) / n
	if len(moebius) != games*n || len(dst) != games*f.Len() || len(scratch) < n {
		panic("index: bad dst, moebius or scratch length")
	}
	each, scratch := f.Len(), scratch[:n]
	for r := range games {
		f.to(dst[r*each:(r+1)*each], moebius[r*n:(r+1)*n], scratch)
	}
}

// TransformTo writes the Möbius transforms of all games of t into dst, one after the
// other: what any number of formulas start from. dst may be t.Values(), which are the
// transforms then. It is [game.MoebiusTo] for each game, in one pass. It panics when t
// is partial.
func TransformTo(dst []float64, t game.Tables) {
	checkWhole(t)
	v, n := t.Values(), 1<<t.Players()
	if len(dst) != len(v) {
		panic("index: bad dst length")
	}
	for lo := 0; lo < len(v); lo += n {
		game.MoebiusTo(dst[lo:lo+n], v[lo:lo+n])
	}
}

// pickTo writes m(S) for each S of s players into dst.
func pickTo(dst, moebius []float64, s int) {
	if s == 0 {
		dst[0] = moebius[0]
		return
	}
	c := uint(1)<<s - 1
	for i := range dst {
		dst[i] = moebius[c]
		c = next(c)
	}
}

// each calls do with the coalitions of s of m players, in order.
func each(m, s int, do func(c uint)) {
	c := uint(1)<<s - 1
	for range choose(m, s) {
		do(c)
		if c != 0 {
			c = next(c)
		}
	}
}

// next returns the next larger number with as many bits (Beeler, Gosper and
// Schroeppel, 1972, item 175). c must not be 0.
func next(c uint) uint {
	low := c & -c
	ripple := c + low
	return ripple | (c^ripple)>>(bits.TrailingZeros(low)+2)
}

// pascal holds C(n, k) for n up to the most players.
var pascal = func() (p [maxPlayers + 1][maxPlayers + 1]int32) {
	for n := range p {
		p[n][0] = 1
		for k := 1; k <= n; k++ {
			p[n][k] = p[n-1][k-1] + p[n-1][k]
		}
	}
	return p
}()

// choose returns C(n, k), 0 for k > n.
func choose(n, k int) int { return int(pascal[n][k]) }
