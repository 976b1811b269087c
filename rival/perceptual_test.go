package rival

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// perceived evaluates f on the bits of three modalities, as they are and shuffled.
func perceived(t testing.TB, bits [3][]int, labels []int, draws int, f func(a, b, c int) int) Perceptual {
	t.Helper()
	n := len(labels)
	predict := func(modality int, order []int) []int {
		out := make([]int, n)
		for i := range out {
			from := [3]int{i, i, i}
			if order != nil {
				from[modality] = order[i]
			}
			out[i] = f(bits[0][from[0]], bits[1][from[1]], bits[2][from[2]])
		}
		return out
	}
	in := PerceptualInput{Labels: labels, Predicted: predict(0, nil)}
	for m := range 3 {
		var shuffled []int
		for r := range draws {
			shuffled = append(shuffled, Hits(predict(m, Permutation(n, 7, m, r)), labels))
		}
		in.Permuted = append(in.Permuted, shuffled)
	}
	p, err := NewPerceptual(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// XOR of the first two bits, the third ignored. Shuffling a fair bit leaves XOR right
// half of the time; shuffling an ignored one changes nothing at all.
func TestPerceptual(t *testing.T) {
	const n = 400
	var bits [3][]int
	labels := make([]int, n)
	for i := range n {
		for m := range bits {
			bits[m] = append(bits[m], i>>m&1)
		}
		labels[i] = i&1 ^ i>>1&1
	}
	p := perceived(t, bits, labels, 40, func(a, b, _ int) int { return a ^ b })
	near(t, "accuracy", p.Accuracy, 1, 0)
	for m := range 2 {
		// sd of a draw is about 1/(2√n) = 0.025, of the mean 0.004.
		near(t, fmt.Sprint("used modality ", m), p.Modalities[m].Score, 0.5, 0.02)
		nearShare(t, "normalised", p.Modalities[m].Normalised, p.Modalities[m].Score, 0)
		nearShare(t, "standard error", p.Modalities[m].SE, 0.004, 0.002)
	}
	near(t, "ignored modality", p.Modalities[2].Score, 0, 0)
	nearShare(t, "its standard error", p.Modalities[2].SE, 0, 0)

	// With labels turned the model is never right: shuffling helps, and there is
	// nothing to normalise by.
	for i := range labels {
		labels[i] ^= 1
	}
	p = perceived(t, bits, labels, 40, func(a, b, _ int) int { return a ^ b })
	near(t, "wrong model", p.Modalities[0].Score, -0.5, 0.02)
	undefined(t, "normalised by nothing", p.Modalities[0].Normalised)
	undefined(t, "error of one draw", perceived(t, bits, labels, 1, func(a, b, _ int) int { return a ^ b }).Modalities[0].SE)
}

// The two risks are different numbers: by hand, 3 of 4 right and then 1 and 2 of 4.
func TestPerceptualByHand(t *testing.T) {
	p, err := NewPerceptual(PerceptualInput{
		Labels: []int{0, 1, 0, 1}, Predicted: []int{0, 1, 0, 0},
		Permuted: [][]int{{Hits([]int{0, 0, 1, 0}, []int{0, 1, 0, 1}), Hits([]int{0, 0, 1, 1}, []int{0, 1, 0, 1})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "permuted", p.Modalities[0].Permuted, 0.375, 0)
	near(t, "score", p.Modalities[0].Score, 0.375, 0)
	nearShare(t, "normalised", p.Modalities[0].Normalised, 0.5, 0)
	nearShare(t, "standard error", p.Modalities[0].SE, 0.125, 1e-15) // sd 1/√32 over √2
}

func TestPermutation(t *testing.T) {
	seen := map[string]int{}
	for draw := range 600 {
		seen[fmt.Sprint(Permutation(3, 1, 0, draw))]++
	}
	if len(seen) != 6 {
		t.Errorf("%d orders of three samples, want 6", len(seen))
	}
	for order, n := range seen {
		if n < 60 || n > 140 { // 100 expected, sd 9
			t.Errorf("order %s came %d times of 600", order, n)
		}
	}
	a := fmt.Sprint(Permutation(50, 1, 0, 0))
	if a != fmt.Sprint(Permutation(50, 1, 0, 0)) {
		t.Error("same seed, another order")
	}
	for name, b := range map[string][]int{"seed": Permutation(50, 2, 0, 0), "modality": Permutation(50, 1, 1, 0), "draw": Permutation(50, 1, 0, 1)} {
		if a == fmt.Sprint(b) {
			t.Errorf("another %s, same order", name)
		}
	}
}

func TestPerceptualRefuses(t *testing.T) {
	two := []int{0, 1}
	for _, c := range []struct {
		name  string
		in    PerceptualInput
		want  string
		unfit bool
	}{
		{"no labels", PerceptualInput{nil, two, [][]int{{2}}}, "needs true labels", true},
		{"one class", PerceptualInput{[]int{1, 1}, two, [][]int{{2}}}, "are of class 1", true},
		{"one sample", PerceptualInput{[]int{1}, two[:1], [][]int{{1}}}, "are of class 1", true},
		{"no modality", PerceptualInput{two, two, nil}, "at least one shuffled modality", false},
		{"no draw", PerceptualInput{two, two, [][]int{{}}}, "modality 0: want at least one draw", false},
		{"short", PerceptualInput{two, two[:1], [][]int{{2}}}, "samples as they are", false},
		{"hits", PerceptualInput{two, two, [][]int{{2}, {2, 3}}}, "modality 1, draw 1: want 0 to 2 hits, got 3", false},
	} {
		_, err := NewPerceptual(c.in)
		var u *Unfit
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &u) != c.unfit {
			t.Errorf("%s: got error %v, want one that says %q and is for a footnote: %v", c.name, err, c.want, c.unfit)
		}
	}
}
