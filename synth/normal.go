package synth

import (
	"math"
	"math/rand/v2"
)

// The same numbers on every machine take three things. The generator has to be
// fixed: PCG is. Every operation has to round alike: IEEE 754 says so of
// + - * / and square roots, not of logarithms and exponentials, which some
// processors have in assembly of their own; Rand.NormFloat64 uses both. And
// nothing may be fused: Go may compute x*y + z in one rounding where the processor
// can, unless the product is converted explicitly. So products that are added to
// stand in float64(...) in this package.

// A stream is a source of draws for one purpose: what is drawn for one does not
// shift what is drawn for another.
type stream struct {
	rng *rand.Rand
	// spare is the second normal number of a pair.
	spare    float64
	hasSpare bool
}

// purpose tells the streams of one seed apart.
type purpose uint64

const (
	forProjections purpose = iota + 1
	forLabels
	forBits
	forIdleBits
	forEntries
	forSplit
)

func newStream(seed uint64, p purpose) *stream {
	const odd = 0x9e3779b97f4a7c15 // spreads small numbers over all bits
	return &stream{rng: rand.New(rand.NewPCG(seed, uint64(p)*odd))}
}

// open returns a number uniform in (0, 1), both ends excluded: an odd multiple
// of 2^-53.
func (s *stream) open() float64 {
	return float64(s.rng.Uint64()>>12<<1|1) / (1 << 53)
}

// bit returns a fair bit.
func (s *stream) bit() uint8 { return uint8(s.rng.Uint64() >> 63) }

// normal returns a standard normal number, by the polar method (Marsaglia and
// Bray, 1964): a point uniform in the unit disc gives two of them.
func (s *stream) normal() float64 {
	if s.hasSpare {
		s.hasSpare = false
		return s.spare
	}
	for {
		u, v := 2*s.open()-1, 2*s.open()-1
		q := float64(u*u) + float64(v*v)
		if q >= 1 || q == 0 {
			continue
		}
		f := math.Sqrt(-2 * ln(q) / q)
		s.spare, s.hasSpare = v*f, true
		return u * f
	}
}

// ln returns the natural logarithm of x > 0, within a few units of the last
// place, from operations that round alike everywhere. With x = f·2^e and f
// between √½ and √2
//
//	ln x = e·ln 2 + 2·artanh z,   z = (f−1)/(f+1),   artanh z = z + z³/3 + z⁵/5 + ...
//
// |z| is at most 0.172, so that the terms from z²³/23 on are below 2^-58 of the
// first.
func ln(x float64) float64 {
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f *= 2
		e--
	}
	z := (f - 1) / (f + 1)
	zz := z * z
	const last = 21
	sum := 1.0 / last
	for k := last - 2; k >= 1; k -= 2 {
		sum = float64(sum*zz) + 1/float64(k)
	}
	return float64(float64(e)*math.Ln2) + float64(2*z*sum)
}
