package synth

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// The logarithm differs from the library's by a few units of the last place; of
// numbers near 1, where it vanishes, by as many of the argument's.
func TestLn(t *testing.T) {
	s := newStream(1, forEntries)
	for range 100_000 {
		x := s.open()
		for _, x := range []float64{x, math.Ldexp(x, -40), math.Ldexp(x, 3), 1 - x*1e-6} {
			want := math.Log(x)
			if got := ln(x); !(math.Abs(got-want) <= 4e-16*math.Abs(want)+1e-16) {
				t.Fatalf("ln %v: want %v, got %v", x, want, got)
			}
		}
	}
	if got := ln(1); got != 0 {
		t.Errorf("ln 1: want 0, got %v", got)
	}
}

func TestOpenLeavesOutTheEnds(t *testing.T) {
	// The smallest and the largest of its numbers, by its own rule.
	for _, bits := range []uint64{0, math.MaxUint64} {
		if x := float64(bits>>12<<1|1) / (1 << 53); !(x > 0 && x < 1 && x-0.5 > -0.5 && x-0.5 < 0.5) {
			t.Errorf("bits %x: want a number inside (0, 1), got %v", bits, x)
		}
	}
	s := newStream(1, forEntries)
	sum := 0.0
	const n = 100_000
	for range n {
		sum += s.open()
	}
	within(t, "mean of uniform numbers", 0.5, sum/n, 5*math.Sqrt(1.0/12/n))
}

// The normal numbers have the moments and the distribution that they should, to
// five standard errors; Kolmogorov's statistic above 1.95/√n has a probability of
// 0.001.
func TestNormal(t *testing.T) {
	const n = 400_000
	s := newStream(1, forEntries)
	x := make([]float64, n)
	s.normalsTo(x, 0, 1)
	var m1, m2, m3, m4 float64
	for _, v := range x {
		m1 += v / n
		m2 += v * v / n
		m3 += v * v * v / n
		m4 += v * v * v * v / n
	}
	within(t, "mean", 0, m1, 5*math.Sqrt(1.0/n))
	within(t, "second moment", 1, m2, 5*math.Sqrt(2.0/n))
	within(t, "third moment", 0, m3, 5*math.Sqrt(15.0/n))
	within(t, "fourth moment", 3, m4, 5*math.Sqrt(96.0/n))

	// The two numbers of a pair are independent.
	product := 0.0
	for i := 0; i < n; i += 2 {
		product += x[i] * x[i+1] / (n / 2)
	}
	within(t, "product of pairs", 0, product, 5*math.Sqrt(2.0/n))

	slices.Sort(x)
	distance := 0.0
	for i, v := range x {
		p := math.Erfc(-v/math.Sqrt2) / 2
		distance = max(distance, p-float64(i)/n, float64(i+1)/n-p)
	}
	within(t, "distance from the normal distribution", 0, distance, 1.95/math.Sqrt(n))
}

// The last bits of the numbers are pinned too: rounding to float32 hides nearly
// every difference between machines, and one in a thousand sets would show it.
func TestNormalToTheLastBit(t *testing.T) {
	x := make([]float64, 50_000)
	newStream(42, forEntries).normalsTo(x, 0.35, 2)
	h := sha256.New()
	if err := binary.Write(h, binary.LittleEndian, x); err != nil {
		t.Fatal(err)
	}
	if want, got := "9cd05f52f44b37b9", fmt.Sprintf("%x", h.Sum(nil))[:16]; got != want {
		t.Errorf("want the digest %s, got %s", want, got)
	}
}

// Streams of one seed and of neighbouring seeds have nothing in common.
func TestStreamsDiffer(t *testing.T) {
	const n = 20_000
	draw := func(seed uint64, p purpose) []float64 {
		x := make([]float64, n)
		newStream(seed, p).normalsTo(x, 0, 1)
		return x
	}
	all := [][]float64{draw(1, forProjections), draw(1, forLabels), draw(1, forEntries), draw(2, forProjections), draw(0, forProjections)}
	for i, x := range all {
		for j := range i {
			product := 0.0
			for k := range x {
				product += x[k] * all[j][k] / n
			}
			within(t, "correlation of two streams", 0, product, 5/math.Sqrt(n))
		}
	}
}

// within checks that a number is no farther from what is wanted than a bound.
func within(t *testing.T, what string, want, got, bound float64) {
	t.Helper()
	if !isNear(want, got, bound) {
		t.Errorf("%s: want %v ± %.2g, got %v", what, want, bound, got)
	}
}

func isNear(want, got, bound float64) bool { return math.Abs(got-want) <= bound }

func TestIsNearSeesWrongNumbers(t *testing.T) {
	for _, got := range []float64{0.9, 1.1, math.NaN(), math.Inf(-1)} {
		if isNear(1, got, 0.05) {
			t.Errorf("%v was taken for 1 ± 0.05", got)
		}
	}
	if !isNear(1, 1.05-1e-9, 0.05) {
		t.Error("a number within the bound was refused")
	}
}
