package tensor_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/tensor"
)

const (
	halfPatterns  = 1 << 16
	halfInfinity  = 0x7c00
	halfSignBit   = 0x8000
	smallestHalf  = 0x1p-24
	firstOverflow = 65520 // halfway between 65504 and 65536
)

// definition is the value of a binary16 pattern as IEEE 754 defines it, with
// the number that would follow the largest in the place of infinity.
func definition(pattern int) float64 {
	sign, exponent, fraction := 1.0, pattern>>10&31, pattern&1023
	if pattern&halfSignBit != 0 {
		sign = -1
	}
	if exponent == 0 {
		return sign * math.Ldexp(float64(fraction), -24)
	}
	return sign * math.Ldexp(float64(1024+fraction), exponent-25)
}

// isNaN reports whether a pattern is one of NaN's.
func isNaN(pattern int) bool { return pattern&^halfSignBit > halfInfinity }

// halves are the values of the patterns without a sign, up to infinity's.
var halves = func() (values [halfInfinity + 1]float64) {
	for p := range values {
		values[p] = definition(p)
	}
	return values
}()

// nearest looks through all patterns for the one that v rounds to.
func nearest(v float64) (pattern int) {
	best := math.Inf(1)
	for p := range halves {
		switch distance := math.Abs(math.Abs(v) - halves[p]); {
		case distance < best, distance == best && p%2 == 0:
			best, pattern = distance, p
		}
	}
	if math.Signbit(v) {
		pattern |= halfSignBit
	}
	return pattern
}

// castHalf returns the pattern that Cast gives v, infinity's if it is refused as
// out of range.
func castHalf(t *testing.T, v float64) int {
	t.Helper()
	out, err := tensor.Cast(tensor.Of([]float64{v}), tensor.Float16)
	var cast *tensor.CastError
	switch {
	case errors.As(err, &cast) && cast.Reason == "it is out of range" && math.Signbit(v):
		return halfInfinity | halfSignBit
	case errors.As(err, &cast) && cast.Reason == "it is out of range":
		return halfInfinity
	case err != nil:
		t.Fatalf("%v: %v", v, err)
	}
	return int(tensor.Values[tensor.Float16Bits](out)[0])
}

// TestHalfPatterns reads every pattern and writes it back.
func TestHalfPatterns(t *testing.T) {
	all := make([]tensor.Float16Bits, halfPatterns)
	for p := range all {
		all[p] = tensor.Float16Bits(p)
	}
	wide, err := tensor.Cast(tensor.Of(all), tensor.Float64)
	if err != nil {
		t.Fatal(err)
	}
	back, err := tensor.Cast(wide, tensor.Float16)
	if err != nil {
		t.Fatal(err)
	}
	read, written := tensor.Values[float64](wide), tensor.Values[tensor.Float16Bits](back)
	for p := range halfPatterns {
		want, got := definition(p), read[p]
		switch {
		case isNaN(p):
			if !math.IsNaN(got) || !isNaN(int(written[p])) {
				t.Errorf("%#04x: want NaN, got %v, written back as %#04x", p, got, written[p])
			}
			continue
		case p&^halfSignBit == halfInfinity:
			want = math.Copysign(math.Inf(1), want)
		}
		if got != want || math.Signbit(got) != math.Signbit(want) {
			t.Errorf("%#04x: want %v, got %v", p, want, got)
		}
		if int(written[p]) != p {
			t.Errorf("%#04x: written back as %#04x", p, written[p])
		}
	}
}

func TestHalfRounding(t *testing.T) {
	below := func(v float64) float64 { return math.Nextafter(v, 0) }
	above := func(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }
	tests := []struct {
		name   string
		in     float64
		want   int
		reason string
	}{
		{"1 and half a step", 1 + 1.0/2048, 0x3c00, "a tie goes to the even 1"},
		{"1 and a bit more than half a step", above(1 + 1.0/2048), 0x3c01, "float32 on the way would make it a tie"},
		{"1 and one and a half steps", 1 + 3.0/2048, 0x3c02, "a tie goes to the even 1 + 2/1024"},
		{"2049", 2049, 0x6800, "a tie between 2048 and 2050"},
		{"2051", 2051, 0x6802, "a tie between 2050 and 2052"},
		{"2047.9", 2047.9, 0x6800, "a carry goes into the exponent"},
		{"largest", 65504, 0x7bff, "the largest finite number"},
		{"65519.99", 65519.99, 0x7bff, "nearer to 65504"},
		{"below overflow", below(firstOverflow), 0x7bff, "float32 on the way would give 65520"},
		{"65520", firstOverflow, halfInfinity, "a tie goes to the even 65536, which is not there"},
		{"-65520", -firstOverflow, halfInfinity | halfSignBit, "the same below zero"},
		{"1e300", 1e300, halfInfinity, "far beyond"},
		{"infinity", math.Inf(-1), halfInfinity | halfSignBit, "stays"},
		{"smallest normal", 0x1p-14, 0x0400, "the border of the subnormals"},
		{"half a step below", 0x1p-14 - smallestHalf/2, 0x0400, "a carry makes a normal number"},
		{"largest subnormal", 0x1p-14 - smallestHalf, 0x03ff, "below the border"},
		{"smallest", smallestHalf, 0x0001, "the smallest subnormal"},
		{"one and a half of the smallest", 1.5 * smallestHalf, 0x0002, "a tie goes to the even one"},
		{"half of the smallest", smallestHalf / 2, 0x0000, "a tie goes to zero"},
		{"minus half of the smallest", -smallestHalf / 2, 0x8000, "zero keeps the sign"},
		{"above half of the smallest", above(smallestHalf / 2), 0x0001, "no tie"},
		{"below half of the smallest", below(smallestHalf / 2), 0x0000, "nearer to zero"},
		{"smallest float64", math.SmallestNonzeroFloat64, 0x0000, "subnormal itself"},
		{"zero", 0, 0x0000, "exact"},
		{"negative zero", math.Copysign(0, -1), 0x8000, "zero keeps the sign"},
	}
	for _, test := range tests {
		if got := castHalf(t, test.in); got != test.want {
			t.Errorf("%s: want %#04x, got %#04x (%s)", test.name, test.want, got, test.reason)
		}
		if got := nearest(test.in); !math.IsInf(test.in, 0) && got != test.want {
			t.Errorf("%s: the slow reference gives %#04x, want %#04x", test.name, got, test.want)
		}
	}
}

// TestHalfNaN holds that NaN never becomes infinity, wherever its payload is.
func TestHalfNaN(t *testing.T) {
	for _, bits := range []uint64{
		0x7ff8000000000001, // the usual one
		0x7ff0000000000001, // the lowest payload bit alone
		0x7ff0020000000000, // the highest that a half has no place for
		0xfff0040000000000, // the lowest that it has
		0xffffffffffffffff,
	} {
		got := castHalf(t, math.Float64frombits(bits))
		if !isNaN(got) || got>>15 != int(bits>>63) {
			t.Errorf("NaN %#x: want NaN of the same sign, got %#04x", bits, got)
		}
	}
	for _, bits := range []uint32{0x7f800001, 0xffc00000} {
		out, err := tensor.Cast(tensor.Of([]float32{math.Float32frombits(bits)}), tensor.Float16)
		if err != nil {
			t.Fatal(err)
		}
		if got := int(tensor.Values[tensor.Float16Bits](out)[0]); !isNaN(got) {
			t.Errorf("NaN %#x of float32: want NaN, got %#04x", bits, got)
		}
	}
}

// TestHalfSweep compares with the slow reference: numbers of every size that a
// half tells from others, and the middles between neighbours with theirs.
func TestHalfSweep(t *testing.T) {
	const seed1, seed2 = 16, 2019
	random := rand.New(rand.NewPCG(seed1, seed2))
	var numbers []float64
	for range 500 {
		sign := float64(1 - 2*random.IntN(2))
		numbers = append(numbers, sign*math.Ldexp(1+random.Float64(), random.IntN(46)-28))
		p := random.IntN(halfInfinity)
		middle := sign * (definition(p) + definition(p+1)) / 2
		numbers = append(numbers, middle, math.Nextafter(middle, 0), math.Nextafter(middle, 2*middle))
	}
	for _, v := range numbers {
		if want, got := nearest(v), castHalf(t, v); got != want {
			t.Errorf("%v: want %#04x, got %#04x (PCG %d, %d)", v, want, got, seed1, seed2)
		}
	}
}

// TestHalfIntegers holds that an integer becomes a half exactly or not at all.
func TestHalfIntegers(t *testing.T) {
	tests := []struct {
		name string
		in   tensor.Tensor
		want string // the number, or the reason of the error
	}{
		{"2048", tensor.Of([]int64{2048}), "2048"},
		{"2049", tensor.Of([]int64{2049}), "it has no exact representation"},
		{"-2050", tensor.Of([]int16{-2050}), "-2050"},
		{"65504", tensor.Of([]uint16{65504}), "65504"},
		{"65505", tensor.Of([]uint16{65505}), "it has no exact representation"},
		{"65520", tensor.Of([]uint16{65520}), "it is out of range"},
		{"largest int64", tensor.Of([]int64{math.MaxInt64}), "it is out of range"},
		{"largest uint64", tensor.Of([]uint64{math.MaxUint64}), "it is out of range"},
		{"true", tensor.Of([]bool{true}), "1"},
	}
	for _, test := range tests {
		out, err := tensor.Cast(test.in, tensor.Float16)
		var got string
		var cast *tensor.CastError
		switch {
		case errors.As(err, &cast):
			got = cast.Reason
		case err == nil:
			got = out.Format(0)
		}
		if got != test.want {
			t.Errorf("%s: want %s, got %s (%v)", test.name, test.want, got, err)
		}
	}
}

func BenchmarkCastHalf(b *testing.B) {
	const elements = 24000
	for _, bench := range []struct{ from, to tensor.DType }{{tensor.Float16, tensor.Float32}, {tensor.Float32, tensor.Float16}} {
		b.Run(bench.from.String()+" to "+bench.to.String(), func(b *testing.B) {
			x := tensor.New(bench.from, elements)
			b.SetBytes(int64(len(x.Bytes())))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tensor.Cast(x, bench.to); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
