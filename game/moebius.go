package game

import "math/bits"

// MoebiusTo writes the Möbius transform of the value table v into dst:
//
//	m(S) = Σ_{T⊆S} (−1)^{|S∖T|} v(T),   so that   v(S) = Σ_{T⊆S} m(T)
//
// (Harsanyi, 1963: the dividends of a game). dst and v may be the same slice.
// The cost is O(m·2^m). A player i with v(S+i) = v(S) for every S has m(T) = 0,
// not nearly 0, for every T that holds i: both halves of each difference come
// from the same operations on the same numbers.
//
// It panics when the lengths differ or are not a power of two.
func MoebiusTo(dst, v []float64) {
	n := len(v)
	if len(dst) != n || n == 0 || bits.OnesCount(uint(n)) != 1 {
		panic("game: bad dst length")
	}
	copy(dst, v)
	for h := 1; h < n; h <<= 1 {
		for lo := 0; lo < n; lo += 2 * h {
			without, with := dst[lo:lo+h], dst[lo+h:lo+2*h]
			for s := range without {
				with[s] -= without[s]
			}
		}
	}
}
