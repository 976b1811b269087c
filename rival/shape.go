package rival

import (
	"fmt"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

var shapeCard = Card{
	Name:   ScoreShape,
	Title:  "SHAPE cooperation",
	Source: "Hu, Li and Zhou, 2022",
	Says:   "what all modalities reach together beyond the sum of what each reaches alone, absent ones being zeros",
	Unit:   "that of the value: F1, accuracy, or output",
	Range:  "-M to M for accuracy and F1; negative where modalities repeat each other, and then a loss of cooperation is no loss of accuracy",
	Zero:   "values that are sums of one part for each modality. Accuracy and F1 are no such sums even of an additive model",
	Labels: "accuracy and F1; the form on outputs needs none",
	Reads:  "for every coalition the value: accuracy or F1 of predictions with zeros for absent modalities, or the mean output",
	Beyond: "as published: v(all) - v({}) less the sum of v(i) - v({}). For a pair among more, the Shapley interaction index of the same values",
}

// A ShapeForm says what the values of a SHAPE are.
type ShapeForm uint8

const (
	// ShapeF1 is macro F1, which the tables of the InterSHAP paper show.
	ShapeF1 ShapeForm = iota + 1
	// ShapeAccuracy is accuracy.
	ShapeAccuracy
	// ShapeOutputs is the mean output, as of the explained class's probability,
	// which is how the reference code of InterSHAP first computed the score.
	ShapeOutputs
)

var shapeFormNames = map[ShapeForm]string{ShapeF1: "f1", ShapeAccuracy: "accuracy", ShapeOutputs: "outputs"}

// String returns "f1", "accuracy" or "outputs".
func (f ShapeForm) String() string {
	if name, ok := shapeFormNames[f]; ok {
		return name
	}
	return fmt.Sprintf("ShapeForm(%d)", uint8(f))
}

// Shape is the SHAPE of a model: Shapley values and cooperation in the game whose
// value is a metric.
type Shape struct {
	// Form says what the values are.
	Form ShapeForm
	// Baseline is v({}) and All v(all).
	Baseline, All float64
	// Alone holds v(i) − v({}) for each modality.
	Alone []float64
	// Contributions holds the Shapley value of each modality, which sum to All
	// less Baseline.
	Contributions []float64
	// Cooperation is the score: All − Baseline − Σ Alone.
	Cooperation float64
	// Relative is Cooperation/(All − Baseline), undefined where that is zero.
	Relative score.Share
	// Pairs is the m×m matrix of the cooperation of pairs, symmetric with zeros on
	// the diagonal. For two modalities its cell is Cooperation.
	Pairs []float64
}

// NewShape computes SHAPE from the value table of M modalities, 2^M values with
// that of coalition S at position S, position 0 being the baseline:
//
//	cooperation = v(all) − v({}) − Σ_i (v(i) − v({}))
//
// for any M, and for the pair i, j
//
//	phi([ij]) − phi(i, j left out) − phi(j, i left out)
//
// with phi the Shapley value and [ij] the pair as one player. The latter is the
// recursion that defines the Shapley interaction index, which is how it is
// computed. For M = 2 both are v(12) − v(1) − v(2) + v({}). Tables of single
// samples may be averaged first: everything but Relative is linear in v. It costs
// O(M²·2^M).
func NewShape(values []float64, form ShapeForm) (Shape, error) {
	m := 0
	for 1<<m < len(values) {
		m++
	}
	if len(values) != 1<<m || m < 2 {
		return Shape{}, fmt.Errorf("rival: shape: want 2^M values of at least 2 modalities, got %d", len(values))
	}
	if _, err := game.NewTables(m, values); err != nil {
		return Shape{}, fmt.Errorf("rival: shape: %w", err)
	}
	moebius := make([]float64, len(values))
	game.MoebiusTo(moebius, values)
	out := Shape{
		Form: form, Baseline: values[0], All: values[len(values)-1],
		Alone: make([]float64, m), Contributions: make([]float64, m), Pairs: make([]float64, m*m),
	}
	index.SIITo(out.Pairs, moebius, m)
	out.Cooperation = out.All - out.Baseline
	for i := range m {
		out.Contributions[i] = out.Pairs[i*m+i]
		out.Pairs[i*m+i] = 0
		out.Alone[i] = values[1<<i] - values[0]
		out.Cooperation -= out.Alone[i]
	}
	if gain := out.All - out.Baseline; gain != 0 {
		out.Relative = score.Defined(out.Cooperation / gain)
	}
	return out, nil
}

// ShapeInput is what SHAPE as published needs.
type ShapeInput struct {
	// Predicted holds for each coalition of M modalities the predicted classes of
	// all samples, absent modalities being zeros. Position 0 is not used and may be
	// nil: the baseline stands there.
	Predicted [][]int
	// Labels are the true classes.
	Labels []int
	// Form is ShapeF1 or ShapeAccuracy.
	Form ShapeForm
}

// NewPublishedShape computes SHAPE from predictions: v(S) is the metric with zeros
// for absent modalities and v({}) that of always naming the most frequent label (Hu, Li
// and Zhou, 2022).
// Labels that are missing, or all one class, are an [Unfit].
func NewPublishedShape(in ShapeInput) (Shape, error) {
	if in.Form != ShapeF1 && in.Form != ShapeAccuracy {
		return Shape{}, fmt.Errorf("rival: shape: want the form f1 or accuracy, got %v", in.Form)
	}
	if len(in.Predicted) < 4 {
		return Shape{}, fmt.Errorf("rival: shape: want predictions of 2^M coalitions of at least 2 modalities, got %d", len(in.Predicted))
	}
	if u := checkLabels(ScoreShape, in.Labels); u != nil {
		return Shape{}, u
	}
	values := make([]float64, len(in.Predicted))
	for s := range values {
		predicted := in.Predicted[s]
		if s == 0 {
			predicted = constant(majority(in.Labels), len(in.Labels))
		}
		m, err := Measure(predicted, in.Labels)
		if err != nil {
			return Shape{}, fmt.Errorf("rival: shape: coalition %v: %w", game.Coalition(s), err)
		}
		values[s] = m.MacroF1
		if in.Form == ShapeAccuracy {
			values[s] = m.Accuracy
		}
	}
	return NewShape(values, in.Form)
}

// majority returns the most frequent label, the lowest of equally frequent ones.
func majority(labels []int) int {
	classes, kinds := dense(labels)
	count, first := make([]int, kinds), make([]int, kinds)
	for i, c := range classes {
		count[c]++
		first[c] = labels[i]
	}
	best := 0
	for c := range count {
		if count[c] > count[best] {
			best = c
		}
	}
	return first[best]
}

func constant(value, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = value
	}
	return out
}
