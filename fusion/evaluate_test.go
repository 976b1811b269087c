package fusion

import (
	"math"
	"strings"
	"testing"

	"github.com/intershap/intershap/metric"
)

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
	accuracy, _ := metric.Accuracy(predicted, data.Labels)
	f1, _ := metric.MacroF1(predicted, data.Labels)
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
