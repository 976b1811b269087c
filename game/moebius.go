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
	// Player by player, what there is without the player is taken off what there is
	// with it. Three players in one pass take a third of what would go through memory;
	// the operations on each number, and so its bits, are those of one after the other.
	h := 8
	switch {
	case n == 1:
		dst[0] = v[0]
		return
	case bits.TrailingZeros(uint(n))%3 == 1:
		h = 2
		moebiusTwos(dst, v)
	case bits.TrailingZeros(uint(n))%3 == 2:
		h = 4
		moebiusFours(dst, v)
	default:
		moebiusEights(dst, v)
	}
	for ; h < n; h *= 8 {
		for lo := 0; lo < n; lo += 8 * h {
			moebiusThree(dst[lo:lo+8*h], h)
		}
	}
}

// moebiusTwos, moebiusFours and moebiusEights do the first one, two or three players
// of as many coalitions at a time, from v to dst.
func moebiusTwos(dst, v []float64) {
	for ; len(dst) >= 2 && len(v) >= 2; dst, v = dst[2:], v[2:] {
		a, b := v[0], v[1]
		dst[0], dst[1] = a, b-a
	}
}

func moebiusFours(dst, v []float64) {
	for ; len(dst) >= 4 && len(v) >= 4; dst, v = dst[4:], v[4:] {
		a, b, c, d := v[0], v[1], v[2], v[3]
		b, d = b-a, d-c
		dst[0], dst[1], dst[2], dst[3] = a, b, c-a, d-b
	}
}

func moebiusEights(dst, v []float64) {
	for ; len(dst) >= 8 && len(v) >= 8; dst, v = dst[8:], v[8:] {
		x0, x1, x2, x3, x4, x5, x6, x7 := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
		x1, x3, x5, x7 = x1-x0, x3-x2, x5-x4, x7-x6
		x2, x3, x6, x7 = x2-x0, x3-x1, x6-x4, x7-x5
		dst[0], dst[1], dst[2], dst[3] = x0, x1, x2, x3
		dst[4], dst[5], dst[6], dst[7] = x4-x0, x5-x1, x6-x2, x7-x3
	}
}

// moebiusThree does three players, by whose presence the eighths of block differ as
// the eight coalitions of three players do. An eighth is h long.
func moebiusThree(block []float64, h int) {
	p0 := block[:h]
	p1, p2, p3 := block[h:][:len(p0)], block[2*h:][:len(p0)], block[3*h:][:len(p0)]
	p4, p5, p6, p7 := block[4*h:][:len(p0)], block[5*h:][:len(p0)], block[6*h:][:len(p0)], block[7*h:][:len(p0)]
	for i, x0 := range p0 {
		x2, x4, x6 := p2[i], p4[i], p6[i]
		x1, x3, x5, x7 := p1[i]-x0, p3[i]-x2, p5[i]-x4, p7[i]-x6
		x2, x3, x6, x7 = x2-x0, x3-x1, x6-x4, x7-x5
		p1[i], p2[i], p3[i] = x1, x2, x3
		p4[i], p5[i], p6[i], p7[i] = x4-x0, x5-x1, x6-x2, x7-x3
	}
}
