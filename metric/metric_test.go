package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// near reports whether got is want to rounding: sums of a few shares.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-15 }

// TestWorkedExamples has the derivation beside each.
func TestWorkedExamples(t *testing.T) {
	for _, c := range []struct {
		name, reason      string
		labels, predicted []int
		accuracy, f1      float64
	}{
		{"all right", "the best there is", []int{0, 1, 2}, []int{0, 1, 2}, 1, 1},
		{"all wrong", "the worst there is", []int{0, 1}, []int{1, 0}, 0, 0},
		{
			// class 0: TP 1, FP 1: 2/3. class 1: TP 1, FN 1: 2/3.
			"one wrong", "two shares of 2/3", []int{0, 1, 1}, []int{0, 0, 1}, 2.0 / 3, 2.0 / 3,
		},
		{
			// class 0: TP 1, FP 1, FN 1: 2/4. class 1: TP 2, FP 1, FN 1: 4/6.
			"two classes", "mean of 1/2 and 2/3", []int{0, 0, 1, 1, 1}, []int{0, 1, 1, 1, 0}, 3.0 / 5, 7.0 / 12,
		},
		{
			// class 0: TP 3, FN 0, FP 1: 6/7. class 1: none right: 0.
			"majority", "a model that always says one class", []int{0, 0, 0, 1}, []int{0, 0, 0, 0}, 3.0 / 4, 3.0 / 7,
		},
		{
			// class 0: TP 1, FN 1: 2/3. class 7 is predicted, never a label: 0.
			"only predicted", "a class counts if a prediction has it", []int{0, 0}, []int{0, 7}, 1.0 / 2, 1.0 / 3,
		},
		{"absent class", "class 1 is in neither and does not count", []int{0, 2, 2}, []int{0, 2, 2}, 1, 1},
		{"gaps", "numbers between the classes do not count", []int{5, 1 << 30}, []int{5, 1 << 30}, 1, 1},
		{"one sample", "defined as soon as there is one", []int{4}, []int{4}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			accuracy, err := Accuracy(c.predicted, c.labels)
			if err != nil || !near(accuracy, c.accuracy) {
				t.Errorf("%s: want accuracy %v, got %v, %v", c.reason, c.accuracy, accuracy, err)
			}
			f1, err := MacroF1(c.predicted, c.labels)
			if err != nil || !near(f1, c.f1) {
				t.Errorf("%s: want macro F1 %v, got %v, %v", c.reason, c.f1, f1, err)
			}
		})
	}
}

func TestNearFails(t *testing.T) {
	for _, c := range [][2]float64{{0.5, 0.5 + 1e-14}, {0.5 + 1e-14, 0.5}, {math.NaN(), 0}} {
		if near(c[0], c[1]) {
			t.Errorf("want %v and %v apart", c[0], c[1])
		}
	}
}

// precisionAndRecall is another road to macro F1: the harmonic mean of a class's
// precision and recall, each counted for itself.
func precisionAndRecall(predicted, labels []int) float64 {
	classes := slices.Concat(predicted, labels)
	slices.Sort(classes)
	classes = slices.Compact(classes)
	sum := 0.0
	for _, c := range classes {
		said, is, both := 0.0, 0.0, 0.0
		for i := range labels {
			if predicted[i] == c {
				said++
			}
			if labels[i] == c {
				is++
			}
			if predicted[i] == c && labels[i] == c {
				both++
			}
		}
		if both > 0 { // otherwise one of the two is 0 or unknown, and so F1 is 0
			precision, recall := both/said, both/is
			sum += 2 * precision * recall / (precision + recall)
		}
	}
	return sum / float64(len(classes))
}

// TestMacroF1AgainstItsParts draws predictions that are right about half the time.
func TestMacroF1AgainstItsParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		n, kinds := 1+rng.IntN(60), 1+rng.IntN(9)
		labels, predicted := make([]int, n), make([]int, n)
		for i := range labels {
			labels[i] = rng.IntN(kinds)
			predicted[i] = labels[i]
			if rng.IntN(2) == 0 {
				predicted[i] = rng.IntN(kinds + 1)
			}
		}
		got, err := MacroF1(predicted, labels)
		// Three divisions a class here and one there, and a mean of at most ten.
		if want := precisionAndRecall(predicted, labels); err != nil || math.Abs(got-want) > 1e-14 {
			t.Fatalf("labels %v, predicted %v: want %v, got %v, %v", labels, predicted, want, got, err)
		}
	}
}

// TestSameBits holds the order of the sum: the same samples in another order, and
// the same call twice, give the same bits.
func TestSameBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	labels, predicted := make([]int, 500), make([]int, 500)
	for i := range labels {
		labels[i], predicted[i] = rng.IntN(40), rng.IntN(40)
	}
	want, err := MacroF1(predicted, labels)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rng.Shuffle(len(labels), func(i, j int) {
			labels[i], labels[j] = labels[j], labels[i]
			predicted[i], predicted[j] = predicted[j], predicted[i]
		})
		if got, err := MacroF1(predicted, labels); err != nil || got != want {
			t.Fatalf("want %v to the last bit, got %v, %v", want, got, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		labels, predicted []int
		want              string
	}{
		{nil, nil, "metric: want at least one sample to judge on, got none"},
		{[]int{1, 2}, []int{1}, "metric: want a prediction for each of 2 labels, got 1"},
		{nil, []int{1}, "metric: want a prediction for each of 0 labels, got 1"},
	} {
		_, accuracy := Accuracy(c.predicted, c.labels)
		_, f1 := MacroF1(c.predicted, c.labels)
		for _, err := range []error{accuracy, f1} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q, got %v", c.want, err)
			}
		}
	}
}
