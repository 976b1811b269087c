package rival

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/intershap/intershap/score"
)

var perceptualCard = Card{
	Name:   ScorePerceptual,
	Title:  "Perceptual Score",
	Source: "Gat, Schwartz and Schwing, 2021",
	Says:   "the accuracy that is lost when one modality is shuffled among samples, and the same in units of the accuracy",
	Unit:   "fraction of samples; of the accuracy for the normalised score",
	Range:  "-1 to 1; about 0 for a modality that the model does not use, and below it by chance",
	Zero:   "a modality on which the model does not depend",
	Labels: "everything",
	Reads:  "predictions for the samples as they are, and with each modality shuffled, several times",
	Beyond: "as published: each modality by itself",
}

// PerceptualInput is what the Perceptual Score needs. Its two risks are the errors
// of the samples as they are (Predicted) and of the samples with a modality shuffled
// (Permuted); the scripts published with the paper shuffle in both.
type PerceptualInput struct {
	// Labels are the true classes.
	Labels []int
	// Predicted holds the predicted classes of the samples as they are.
	Predicted []int
	// Permuted holds, for each modality and each draw, the [Hits] of the predictions
	// when sample i has that modality of sample [Permutation](...)[i] and the rest of
	// its own. Labels stay where they are.
	Permuted [][]int
}

// Perceptual is the Perceptual Score of each modality.
type Perceptual struct {
	// Accuracy is that of the samples as they are.
	Accuracy float64
	// Modalities holds the scores.
	Modalities []PerceptualModality
}

// PerceptualModality is the Perceptual Score of one modality.
type PerceptualModality struct {
	// Permuted is the mean accuracy over draws with the modality shuffled.
	Permuted float64
	// Score is Accuracy less Permuted.
	Score float64
	// SE is the standard error of Score from the draws, undefined for a single
	// one. The samples' own error is not in it.
	SE score.Share
	// Normalised is Score over Accuracy, undefined where nothing is right.
	Normalised score.Share
}

// NewPerceptual returns for each modality
//
//	accuracy − E[accuracy with the modality shuffled]
//
// with the expectation taken over the draws given, and the same divided by the
// accuracy, which makes models of different accuracy comparable (Gat, Schwartz and
// Schwing, 2021). Missing labels, a single class and a single sample are an [Unfit].
func NewPerceptual(in PerceptualInput) (Perceptual, error) {
	if u := checkLabels(ScorePerceptual, in.Labels); u != nil {
		return Perceptual{}, u // a single sample has a single class
	}
	if len(in.Permuted) == 0 {
		return Perceptual{}, fmt.Errorf("rival: perceptual: want predictions for at least one shuffled modality")
	}
	real, err := Measure(in.Predicted, in.Labels)
	if err != nil {
		return Perceptual{}, fmt.Errorf("rival: perceptual: samples as they are: %w", err)
	}
	out, n := Perceptual{Accuracy: real.Accuracy}, len(in.Labels)
	for m, draws := range in.Permuted {
		if len(draws) == 0 {
			return Perceptual{}, fmt.Errorf("rival: perceptual: modality %d: want at least one draw", m)
		}
		accuracies, right := make([]float64, len(draws)), 0
		for r, hits := range draws {
			if hits < 0 || hits > n {
				return Perceptual{}, fmt.Errorf("rival: perceptual: modality %d, draw %d: want 0 to %d hits, got %d", m, r, n, hits)
			}
			accuracies[r] = float64(hits) / float64(n)
			right += hits
		}
		_, sd := meanAndSD(accuracies)
		// One division, so that draws which change nothing score exactly 0.
		p := PerceptualModality{Permuted: float64(right) / float64(len(draws)*n)}
		p.Score = out.Accuracy - p.Permuted
		if v, ok := sd.Value(); ok {
			p.SE = score.Defined(v / math.Sqrt(float64(len(draws))))
		}
		if out.Accuracy > 0 {
			p.Normalised = score.Defined(p.Score / out.Accuracy)
		}
		out.Modalities = append(out.Modalities, p)
	}
	return out, nil
}

// Hits counts the predictions that are right. It panics when there are fewer of them
// than labels.
func Hits(predicted, labels []int) int {
	n := 0
	for i, label := range labels {
		if predicted[i] == label {
			n++
		}
	}
	return n
}

// Permutation returns the order in which n samples take a modality in a draw:
// sample i takes that of sample Permutation(...)[i]. It is uniform over all n!
// orders, so a sample may keep its own with probability 1/n, as in the paper.
// Modalities and draws have permutations of their own, which follow from seed.
func Permutation(n int, seed uint64, modality, draw int) []int {
	return rand.New(rand.NewPCG(seed, uint64(modality)<<32|uint64(draw))).Perm(n)
}
