package fusion

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// An Evaluation judges a network on labelled samples.
type Evaluation struct {
	// Loss is the mean cross entropy, in nats.
	Loss float64
	// Accuracy is the share of samples whose largest logit is that of their class.
	Accuracy float64
	// F1 is [MacroF1].
	F1 float64
}

// Evaluate judges the network on samples, at least one.
func (n *Network) Evaluate(ctx context.Context, d Data) (Evaluation, error) {
	if err := d.check(n.inputs, len(n.classes)); err != nil {
		return Evaluation{}, fmt.Errorf("fusion: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return Evaluation{}, err
	}
	t := newTable(d, n.inputs, n.scalers)
	return newJudge(n.trunk, t.rows()).run(t), nil
}

// chunk is the number of rows that are computed at a time outside of training:
// their values stay in the cache.
const chunk = 256

// A judge evaluates a trunk.
type judge struct {
	pass          *pass
	predicted     []int
	probabilities []float32
}

// newJudge makes room for rows samples.
func newJudge(t trunk, rows int) *judge {
	return &judge{
		pass: newPass(t, min(rows, chunk)), predicted: make([]int, rows),
		probabilities: make([]float32, t.head[len(t.head)-1].weights.rows),
	}
}

// run judges on as many samples as there is room for.
func (j *judge) run(t table) Evaluation {
	loss := 0.0
	for lo := 0; lo < t.rows(); lo += chunk {
		n := min(chunk, t.rows()-lo)
		for i, x := range t.inputs {
			copyTo(j.pass.inputs[i], x, lo, n)
		}
		j.pass.forward(n)
		logits := j.pass.logits()
		for r := range n {
			row := logits.row(r)
			logSum, largest := softmaxTo(j.probabilities, row)
			loss += logSum + largest - float64(row[t.labels[lo+r]])
			j.predicted[lo+r] = argmax(row)
		}
	}
	// Both are of the same number of samples, and that is not zero.
	accuracy, _ := Accuracy(t.labels, j.predicted)
	f1, _ := MacroF1(t.labels, j.predicted)
	return Evaluation{Loss: loss / float64(t.rows()), Accuracy: accuracy, F1: f1}
}

// argmax returns the place of the largest element, the first of several.
func argmax(row []float32) int {
	best := 0
	for c, v := range row {
		if v > row[best] {
			best = c
		}
	}
	return best
}

// Accuracy returns the share of samples whose predicted class is their label. It
// is an error if there are none, or not as many of the one as of the other.
func Accuracy(labels, predicted []int) (float64, error) {
	if err := checkPairs(labels, predicted); err != nil {
		return 0, err
	}
	right := 0
	for i, label := range labels {
		if predicted[i] == label {
			right++
		}
	}
	return float64(right) / float64(len(labels)), nil
}

// MacroF1 returns the mean of the classes' F1, each class weighing the same:
//
//	F1 = 2·TP / (2·TP + FP + FN)
//
// Classes that neither a label nor a prediction has are left out of the mean, for
// nothing is known of them; a class that only the labels have, or only the
// predictions, has F1 = 0. That is what scikit-learn's f1_score computes with
// average="macro". It lies between 0 and 1. It is an error if there are no
// samples, or not as many labels as predictions.
func MacroF1(labels, predicted []int) (float64, error) {
	if err := checkPairs(labels, predicted); err != nil {
		return 0, err
	}
	// hits counts TP twice; met counts 2·TP + FP + FN.
	hits, met := map[int]int{}, map[int]int{}
	for i, label := range labels {
		met[label]++
		met[predicted[i]]++
		if label == predicted[i] {
			hits[label] += 2
		}
	}
	var classes []int
	for c := range met {
		classes = append(classes, c)
	}
	slices.Sort(classes) // so that the sum has one order
	sum := 0.0
	for _, c := range classes {
		sum += float64(hits[c]) / float64(met[c])
	}
	return sum / float64(len(classes)), nil
}

func checkPairs(labels, predicted []int) error {
	switch {
	case len(labels) != len(predicted):
		return fmt.Errorf("fusion: want a prediction for each of %d labels, got %d", len(labels), len(predicted))
	case len(labels) == 0:
		return errors.New("fusion: want at least one sample to judge on, got none")
	}
	return nil
}
