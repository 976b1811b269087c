package tensor

import "math"

// Both formats keep a sign, an exponent with a bias, and the bits of a
// significand behind its leading 1; an exponent of all ones is infinite or NaN,
// one of zeros is subnormal.
const (
	halfBits    = 10 // of the significand
	halfBias    = 15
	halfMin     = 1 - halfBias // exponent of the smallest normal number
	halfSign    = 1 << 15
	halfInf     = 31 << halfBits
	halfQuiet   = 1 << (halfBits - 1) // tells NaN from infinity whatever else is cut off
	halfLeading = 1 << halfBits       // the leading 1

	doubleBits    = 52
	doubleBias    = 1023
	doubleOnes    = 0x7ff // exponent of all ones
	doubleLeading = 1 << doubleBits

	// narrower is how many bits of a significand a half has no place for, and
	// signGap the distance of the signs.
	narrower = doubleBits - halfBits
	signGap  = 48
)

// toHalf rounds v once, to the nearest binary16 number, of two equally near the
// one whose last bit is 0. From 65520 on, halfway between the largest number and
// what would be the next, that is infinity. NaN stays NaN. Going through float32
// would round twice.
func toHalf(v float64) Float16Bits {
	bits := math.Float64bits(v)
	sign := Float16Bits(bits >> signGap & halfSign)
	significand := bits & (doubleLeading - 1)
	exponent := int(bits>>doubleBits&doubleOnes) - doubleBias
	switch {
	case v != v:
		return sign | halfInf | halfQuiet | Float16Bits(significand>>narrower)
	case exponent > halfBias: // infinity too
		return sign | halfInf
	case exponent < halfMin-halfBits-1: // below half of the smallest subnormal
		return sign
	}
	significand |= doubleLeading
	// A subnormal number shares the exponent of the smallest normal one and
	// loses the more bits the smaller it is.
	scale := max(exponent, halfMin)
	drop := narrower + scale - exponent
	kept, rest := significand>>drop, significand&(1<<drop-1)
	if tie := uint64(1) << (drop - 1); rest > tie || rest == tie && kept&1 == 1 {
		kept++
	}
	// The sum lets the leading 1, and a carry of the rounding, count up the
	// exponent: from subnormal to normal, and from the largest to infinity.
	return sign | Float16Bits(uint64(scale-halfMin)<<halfBits+kept)
}

// float64 returns h, exactly; NaN keeps its payload.
func (h Float16Bits) float64() float64 {
	sign := uint64(h&halfSign) << signGap
	significand := uint64(h & (halfLeading - 1))
	var bits uint64
	switch exponent := uint64(h&halfInf) >> halfBits; exponent {
	case 0:
		bits = math.Float64bits(math.Ldexp(float64(significand), halfMin-halfBits))
	case halfInf >> halfBits:
		bits = doubleOnes<<doubleBits | significand<<narrower
	default:
		bits = (exponent+doubleBias-halfBias)<<doubleBits | significand<<narrower
	}
	return math.Float64frombits(sign | bits)
}
