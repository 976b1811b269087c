package synth

import (
	"fmt"
	"math"
	"testing"

	"github.com/intershap/intershap/tensor"
)

func sumSet(t testing.TB, o SUMOptions) *Set {
	t.Helper()
	set, err := SUM(o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// parts returns the elements of x1, x2 and r of row i, and whether r is the same in
// both modalities.
func (s *Split) parts(i int) (parts [numParts][]float32, same bool) {
	m1 := tensor.Values[float32](s.Modalities[0].Slice(i, i+1))
	m2 := tensor.Values[float32](s.Modalities[1].Slice(i, i+1))
	same = true
	for k := range partSize {
		same = same && m1[partSize+k] == m2[partSize+k]
	}
	return [numParts][]float32{partX1: m1[:partSize], partX2: m2[:partSize], partR: m1[partSize:]}, same
}

// normalTail returns P(Z > z) of a standard normal number.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// In the appendix's form parts are of length one, r is in both modalities, and the
// label follows from the float32 numbers. The sum over k of the 50 elements of a part
// is √k times a coordinate of a random unit vector in 50 dimensions (turn the
// direction of the k ones to an axis; 25 ones lie at √25), whose variance is 1/50:
// the sum over all has variance 1, over half 1/2, and is normal to some 0.003 in
// the tail, which the bound allows for beside five standard errors.
func TestSUMAppendix(t *testing.T) {
	for _, c := range []struct {
		setting  Setting
		counted  func(parts [numParts][]float32) [][]float32
		variance float64
	}{
		{Uniqueness(1), func(p [numParts][]float32) [][]float32 { return [][]float32{p[partX1]} }, 1},
		{Uniqueness(2), func(p [numParts][]float32) [][]float32 { return [][]float32{p[partX2]} }, 1},
		{Mix(1), func(p [numParts][]float32) [][]float32 { return [][]float32{p[partX1][:25], p[partX2]} }, 1.5},
		{Mix(2), func(p [numParts][]float32) [][]float32 { return [][]float32{p[partX1], p[partX2][:25]} }, 1.5},
		{Synergy, func(p [numParts][]float32) [][]float32 { return [][]float32{p[partX1], p[partX2]} }, 2},
		{Redundancy, func(p [numParts][]float32) [][]float32 { return [][]float32{p[partR]} }, 1},
	} {
		t.Run(string(c.setting), func(t *testing.T) {
			set := sumSet(t, SUMOptions{Setting: c.setting, Samples: 10_000, Seed: 5})
			n, ones := 0.0, 0.0
			for _, split := range set.Splits() {
				for i, label := range split.Labels {
					parts, same := split.parts(i)
					if !same {
						t.Fatal("want r in both modalities")
					}
					for _, p := range parts {
						length := 0.0
						for _, x := range p {
							length += float64(x) * float64(x)
						}
						within(t, "squared length", 1, length, 1e-5)
					}
					sum := 0.0
					for _, p := range c.counted(parts) {
						for _, x := range p {
							sum += float64(x)
						}
					}
					if want := sum > 0.5; want != (label == 1) {
						t.Fatalf("sum %v: got the label %d", sum, label)
					}
					n++
					ones += float64(label)
				}
			}
			want := normalTail(0.5 / math.Sqrt(c.variance))
			within(t, "share of the label 1", want, ones/n, 0.003+5*math.Sqrt(want*(1-want)/n))
		})
	}
}

// In the form of the code classes are balanced exactly, and the label goes with the
// parts that count and with no other. The projection of x is T'x with T drawn from
// (0, 1), so that the sum of a part's 50 elements nearly is the sum of its 5 numbers
// times 25: their correlation with the label tells which parts count.
func TestSUMCode(t *testing.T) {
	for _, c := range []struct {
		setting Setting
		counts  [numParts]bool
	}{
		{Uniqueness(1), [numParts]bool{partX1: true}},
		{Uniqueness(2), [numParts]bool{partX2: true}},
		{Mix(1), [numParts]bool{partX1: true, partX2: true}},
		{Mix(2), [numParts]bool{partX1: true, partX2: true}},
		{Synergy, [numParts]bool{partX1: true, partX2: true}},
		{Redundancy, [numParts]bool{partR: true}},
	} {
		t.Run(string(c.setting), func(t *testing.T) {
			set := sumSet(t, SUMOptions{Setting: c.setting, Samples: 10_001, Variant: Code, Seed: 5})
			var n, classes, sum, square, product [numParts]float64
			for _, split := range set.Splits() {
				for i, label := range split.Labels {
					parts, same := split.parts(i)
					if !same {
						t.Fatal("want r in both modalities")
					}
					for k, p := range parts {
						s := 0.0
						for _, x := range p {
							s += float64(x)
						}
						n[k]++
						classes[k] += float64(label)
						sum[k] += s
						square[k] += s * s
						product[k] += s * (float64(label) - 0.5)
					}
				}
			}
			if classes[0] != 5000 {
				t.Errorf("want half of 10,001 labels to be 1, got %v", classes[0])
			}
			correlations := [numParts]float64{}
			for k := range numParts {
				mean := sum[k] / n[k]
				correlations[k] = product[k] / n[k] / math.Sqrt(square[k]/n[k]-mean*mean) / 0.5
				what := fmt.Sprintf("correlation of part %d with the label", k)
				if c.counts[k] {
					within(t, what, 0.6, correlations[k], 0.4)
				} else {
					within(t, what, 0, correlations[k], 5/math.Sqrt(n[k]))
				}
			}
			switch c.setting {
			case Mix(1):
				if !(correlations[partX2] > correlations[partX1]+0.1) {
					t.Errorf("want x2 to count more than half of x1, got %v", correlations)
				}
			case Mix(2):
				if !(correlations[partX1] > correlations[partX2]+0.1) {
					t.Errorf("want x1 to count more than half of x2, got %v", correlations)
				}
			}
		})
	}
}

func TestUpperHalf(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []float64
		want    string
	}{
		{"even", []float64{3, 1, 4, 2}, "[1 0 1 0]"},
		{"odd: the middle one is 0", []float64{3, 1, 2}, "[1 0 0]"},
		{"equal ones: the later are larger", []float64{5, 0, 0, 0, 0, -5}, "[1 0 0 1 1 0]"},
	} {
		if got := fmt.Sprint(upperHalf(c.numbers)); got != c.want {
			t.Errorf("%s: want %s, got %s", c.name, c.want, got)
		}
	}
}
