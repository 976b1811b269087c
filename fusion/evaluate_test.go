package fusion

import (
	"math"
	"strings"
	"testing"
)

// TestMeasures holds worked examples; the derivation is beside them.
func TestMeasures(t *testing.T) {
	for _, c := range []struct {
		name, reason      string
		labels, predicted []int
		accuracy, f1      float64
	}{
		{"all right", "the best there is", []int{0, 1, 2}, []int{0, 1, 2}, 1, 1},
		{"all wrong", "the worst there is", []int{0, 1}, []int{1, 0}, 0, 0},
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
		{
			"absent class", "class 1 is in neither and does not count", []int{0, 2, 2}, []int{0, 2, 2}, 1, 1,
		},
		{"one sample", "defined as soon as there is one", []int{4}, []int{4}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			accuracy, err := Accuracy(c.labels, c.predicted)
			if err != nil || math.Abs(accuracy-c.accuracy) > 1e-15 {
				t.Errorf("%s: want accuracy %v, got %v, %v", c.reason, c.accuracy, accuracy, err)
			}
			f1, err := MacroF1(c.labels, c.predicted)
			if err != nil || math.Abs(f1-c.f1) > 1e-15 {
				t.Errorf("%s: want macro F1 %v, got %v, %v", c.reason, c.f1, f1, err)
			}
		})
	}
}

func TestMeasuresRefuse(t *testing.T) {
	for _, c := range []struct {
		labels, predicted []int
		want              string
	}{
		{nil, nil, "at least one sample"},
		{[]int{1, 2}, []int{1}, "a prediction for each of 2 labels, got 1"},
	} {
		_, accuracy := Accuracy(c.labels, c.predicted)
		_, f1 := MacroF1(c.labels, c.predicted)
		for _, err := range []error{accuracy, f1} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q, got %v", c.want, err)
			}
		}
	}
}

// TestEvaluate holds the judgement on a network against one made by hand from what
// Predict gives.
func TestEvaluate(t *testing.T) {
	data := noise(8, 600, 3, 7, 5) // more than two chunks
	n, err := newNetwork(Intermediate, data, Options{Standardise: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := n.Evaluate(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	probabilities := predict(t, n, data)[1]
	loss := 0.0
	var predicted []int
	for i, label := range data.Labels {
		row := probabilities[3*i : 3*i+3]
		loss -= math.Log(float64(row[label])) / float64(len(data.Labels))
		predicted = append(predicted, argmax(row))
	}
	accuracy, _ := Accuracy(data.Labels, predicted)
	f1, _ := MacroF1(data.Labels, predicted)
	// Probabilities are rounded to float32.
	if math.Abs(got.Loss-loss) > 1e-6 || got.Accuracy != accuracy || got.F1 != f1 {
		t.Errorf("want loss %v, accuracy %v, F1 %v, got %+v", loss, accuracy, f1, got)
	}
	data.Labels = data.Labels[1:]
	if _, err := n.Evaluate(t.Context(), data); err == nil || !strings.Contains(err.Error(), "want a label for each of 600 samples, got 599") {
		t.Errorf("a label too few: got %v", err)
	}
	if _, err := n.Evaluate(t.Context(), Data{}); err == nil {
		t.Error("no data: want an error")
	}
}
