package fusion

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/metric"
)

// An Evaluation judges a network on labelled samples.
type Evaluation struct {
	// Loss is the mean cross entropy, in nats.
	Loss float64
	// Accuracy is the share of samples whose largest logit is that of their class.
	Accuracy float64
	// F1 is [metric.MacroF1].
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
	accuracy, _ := metric.Accuracy(j.predicted, t.labels)
	f1, _ := metric.MacroF1(j.predicted, t.labels)
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
