package index

import "math/bits"

// block is the number of coalitions that differ in the first four players alone. Their
// sizes are five in a row, and are counted once.
const (
	block        = 16
	blockPlayers = 4
)

// weighTo writes row[|T|]·moebius[T] into dst, both 2^m long, row m+1.
func weighTo(dst, moebius, row []float64) {
	if len(dst) < block {
		for t, x := range moebius {
			dst[t] = x * row[bits.OnesCount(uint(t))]
		}
		return
	}
	for lo := 0; lo < len(dst); lo += block {
		d := (*[block]float64)(dst[lo:])
		x := (*[block]float64)(moebius[lo:])
		w := (*[5]float64)(row[bits.OnesCount(uint(lo)):])
		w0, w1, w2, w3, w4 := w[0], w[1], w[2], w[3], w[4]
		d[0] = x[0] * w0
		d[1] = x[1] * w1
		d[2] = x[2] * w1
		d[3] = x[3] * w2
		d[4] = x[4] * w1
		d[5] = x[5] * w2
		d[6] = x[6] * w2
		d[7] = x[7] * w3
		d[8] = x[8] * w1
		d[9] = x[9] * w2
		d[10] = x[10] * w2
		d[11] = x[11] * w3
		d[12] = x[12] * w2
		d[13] = x[13] * w3
		d[14] = x[14] * w3
		d[15] = x[15] * w4
	}
}

// singlesTo is weighTo and supersetsTo for single players of m ≥ 4, with nothing kept of
// a block but the sums over it: one pass over the table, and a second over a sixteenth.
func singlesTo(dst, moebius, row, scratch []float64) {
	var player0, player1, player2, player3 float64
	sums := scratch[:len(moebius)/block]
	for i := range sums {
		x := (*[block]float64)(moebius[i*block:])
		w := (*[5]float64)(row[bits.OnesCount(uint(i)):])
		w0, w1, w2, w3, w4 := w[0], w[1], w[2], w[3], w[4]
		// The fourth player's half is summed and added to the other, then the third's.
		d0, d1, d2, d3 := x[8]*w1, x[9]*w2, x[10]*w2, x[11]*w3
		d4, d5, d6, d7 := x[12]*w2, x[13]*w3, x[14]*w3, x[15]*w4
		player3 += ((d0 + d1) + (d2 + d3)) + ((d4 + d5) + (d6 + d7))
		c0, c1, c2, c3 := float64(x[4]*w1)+d4, float64(x[5]*w2)+d5, float64(x[6]*w2)+d6, float64(x[7]*w3)+d7
		player2 += (c0 + c1) + (c2 + c3)
		b0, b1 := float64(x[2]*w1)+d2+c2, float64(x[3]*w2)+d3+c3
		player1 += b0 + b1
		a0, a1 := float64(x[0]*w0)+d0+c0+b0, float64(x[1]*w1)+d1+c1+b1
		player0 += a1
		sums[i] = a0 + a1
	}
	dst[0], dst[1], dst[2], dst[3] = player0, player1, player2, player3
	supersetsTo(dst[blockPlayers:], sums, len(dst)-blockPlayers, 1)
}

// supersetsTo writes Σ_{T⊇S} u(T) for each S of s of m players into dst, in the order
// of [Formula.Coalitions]. u, 2^m long, is used up.
//
// The coalitions with the last player stand behind those without, as the upper half of
// u does behind the lower. What holds the last player needs the upper half alone; for
// the rest it makes no difference whether the last player is in, and the halves are
// added. So the table shrinks by half with each player, and the cost is O(s·2^m).
func supersetsTo(dst, u []float64, m, s int) {
	switch s {
	case 0:
		dst[0] = sum(u)
		return
	case 1:
		for i := m - 1; i >= 0; i-- {
			dst[i] = foldSum(u[:1<<i], u[1<<i:2<<i])
		}
		return
	}
	for m > s {
		m--
		without, with := u[:1<<m], u[1<<m:2<<m]
		fold(without, with)
		supersetsTo(dst[choose(m, s):choose(m+1, s)], with, m, s-1)
	}
	dst[0] = u[1<<m-1]
}

// fold adds b to a.
func fold(a, b []float64) {
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		a[0] += b[0]
		a[1] += b[1]
		a[2] += b[2]
		a[3] += b[3]
		a, b = a[4:], b[4:]
	}
	for i, x := range b {
		a[i] += x
	}
}

// foldSum adds b to a and returns the sum of b. Four sums side by side do not wait for
// each other.
func foldSum(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		s0 += b0
		s1 += b1
		s2 += b2
		s3 += b3
		a[0] += b0
		a[1] += b1
		a[2] += b2
		a[3] += b3
		a, b = a[4:], b[4:]
	}
	for i, x := range b {
		s0 += x
		a[i] += x
	}
	return (s0 + s1) + (s2 + s3)
}

func sum(u []float64) float64 {
	var s float64
	for _, x := range u {
		s += x
	}
	return s
}
