package rival

import (
	"math"

	"github.com/intershap/intershap/score"
)

var shareCard = Card{
	Name:   ScoreShare,
	Title:  "modality share",
	Source: "after Parcalabescu and Frank, 2023 (MM-SHAP)",
	Says:   "each modality's part of the absolute Shapley values, averaged over samples. Each modality is one player here: not comparable with MM-SHAP figures, which add up tokens and patches",
	Unit:   "share of Σ|phi_i|",
	Range:  "0 to 1; the modalities sum to 1",
	Reads:  "the matrix phi of every sample",
	Beyond: "the same formula; the original has text and image",
}

// ModalityShares tells how attributions divide among modalities.
type ModalityShares struct {
	// Shares holds the mean share of each modality, undefined where no sample has
	// any attribution.
	Shares []score.Share
	// SD holds the standard deviation over samples, undefined below two samples.
	SD []score.Share
	// Undefined counts the samples that were left out because all of their
	// Shapley values are zero.
	Undefined int
}

// NewModalityShares returns the mean over samples of
//
//	|phi_i| / Σ_j |phi_j|
//
// with phi_i the Shapley value of modality i: the form of MM-SHAP (Parcalabescu and
// Frank, 2023) with one player a modality instead of one a token or patch. The
// Shapley value of a group is not the sum of those of its members, so the two are
// different numbers. phi holds the m×m matrices of n samples, one after the other.
func NewModalityShares(phi []float64, m int) (ModalityShares, error) {
	n, err := samplesOf(ScoreShare, phi, m)
	if err != nil {
		return ModalityShares{}, err
	}
	shares := make([]float64, 0, n*m)
	for k := range n {
		matrix, sum := phi[k*m*m:(k+1)*m*m], 0.0
		at := len(shares)
		for i := range m {
			v := 0.0
			for _, cell := range matrix[i*m : (i+1)*m] {
				v += cell
			}
			shares = append(shares, math.Abs(v))
			sum += math.Abs(v)
		}
		if sum == 0 {
			shares = shares[:at]
			continue
		}
		for i := at; i < len(shares); i++ {
			shares[i] /= sum
		}
	}
	counted := len(shares) / m
	out := ModalityShares{Shares: make([]score.Share, m), SD: make([]score.Share, m), Undefined: n - counted}
	column := make([]float64, counted)
	for i := range m {
		for k := range column {
			column[k] = shares[k*m+i]
		}
		out.Shares[i], out.SD[i] = meanAndSD(column)
	}
	return out, nil
}

// meanAndSD returns the mean, undefined of nothing, and the standard deviation with
// n−1 below, undefined of fewer than two numbers.
func meanAndSD(x []float64) (mean, sd score.Share) {
	if len(x) == 0 {
		return score.Share{}, score.Share{}
	}
	// Relative to the first, so that equal numbers have the deviation 0.
	n, first, sum, squares := float64(len(x)), x[0], 0.0, 0.0
	for _, v := range x {
		sum += v - first
	}
	for _, v := range x {
		d := v - first - sum/n
		squares += d * d
	}
	if n == 1 {
		return score.Defined(first), score.Share{}
	}
	return score.Defined(first + sum/n), score.Defined(math.Sqrt(squares / (n - 1)))
}
