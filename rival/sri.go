package rival

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/score"
)

var sriCard = Card{
	Name:   ScoreSRI,
	Title:  "synergy, redundancy, independence",
	Source: "Ittner, Bolikowski, Hemker and Kennedy, 2021",
	Says:   "the parts of a modality's vector of Shapley values, one entry a sample, that lie along its interactions with another, along what the other does besides, and across both",
	Unit:   "share of the vector's squared length",
	Range:  "0 to 1 each; the three sum to 1",
	Zero:   "synergy: models that are sums of one part for each modality. It has no size otherwise: faint interactions in step with the modality count in full",
	Reads:  "the matrix phi of every sample",
	Beyond: "as published: each pair by itself",
}

// negligible is the length, in units of a modality's vector, below which a vector is
// taken for zero: outputs in single precision tell no smaller one from
// their rounding, and the direction of rounding means nothing.
const negligible = 1e-6

// SRI is the decomposition for one pair of modalities.
type SRI struct {
	// I and J are the modalities, I < J.
	I, J int
	// OfI splits the vector of modality I with respect to J, OfJ that of J with
	// respect to I.
	OfI, OfJ SRIParts
	// Both is the mean of OfI and OfJ weighted with the squared lengths of the two
	// vectors, undefined where both vectors are zero.
	Both SRIParts
}

// SRIParts are shares of the squared length of a vector that sum to 1. All three
// are undefined where the vector is zero: a modality without effect has nothing to
// share.
type SRIParts struct {
	Synergy, Redundancy, Independence score.Share
}

// NewSRI decomposes each pair of m modalities. phi holds the m×m matrices of n
// samples, one after the other, as index.PairMatricesTo writes them: p_i is the
// vector over samples of row sums, which are Shapley values, and p_ij that of cell
// (i, j). Then with ⟨,⟩ the inner product over samples, not centred,
//
//	s_ij = ⟨p_i, p_ij⟩/|p_ij|² · p_ij      what moves with the interaction
//	a_ij = p_i − s_ij                      autonomy
//	r_ij = ⟨a_ij, a_ji⟩/|a_ji|² · a_ji     what the other does as well
//	i_ij = a_ij − r_ij                     what is left
//
// and the shares are |s_ij|², |r_ij|² and |i_ij|² over |p_i|² (Ittner et al.,
// 2021). An interaction whose vector is below a millionth of the longer of p_i and p_j
// is none, and an autonomy below a millionth of its modality's vector neither; what
// would be projected onto them is zero: no interaction means synergy 0, no autonomy of
// the other means redundancy 0. Later releases of the authors' package make p_ij orthogonal
// to the main effects first; that is not done here.
//
// Matrices must be symmetric. It costs O(n·m²).
func NewSRI(phi []float64, m int) ([]SRI, error) {
	n, err := samplesOf(ScoreSRI, phi, m)
	if err != nil {
		return nil, err
	}
	// Inner products suffice: own ⟨p_i, p_j⟩, cross ⟨p_i, p_ij⟩, pair |p_ij|².
	own, cross, pair := make([]float64, m*m), make([]float64, m*m), make([]float64, m*m)
	p := make([]float64, m)
	for k := range n {
		matrix := phi[k*m*m : (k+1)*m*m]
		for i := range m {
			p[i] = 0
			for _, v := range matrix[i*m : (i+1)*m] {
				p[i] += v
			}
		}
		for i := range m {
			for j := range m {
				v := matrix[i*m+j]
				if v != matrix[j*m+i] {
					return nil, fmt.Errorf("rival: sri: sample %d: want a symmetric matrix, got %v in cell (%d,%d) and %v across", k, v, i, j, matrix[j*m+i])
				}
				own[i*m+j] += p[i] * p[j]
				cross[i*m+j] += p[i] * v
				pair[i*m+j] += v * v
			}
		}
	}
	var out []SRI
	for i := range m {
		for j := i + 1; j < m; j++ {
			ij, ji := i*m+j, j*m+i
			lengthI, lengthJ := own[i*m+i], own[j*m+j]
			// Both projections are onto the same vector, p_ij.
			var alongI, alongJ, along float64 // |s_ij|², |s_ji|², ⟨s_ij, s_ji⟩
			if pair[ij] > negligible*negligible*max(lengthI, lengthJ) {
				alongI = cross[ij] * cross[ij] / pair[ij]
				alongJ = cross[ji] * cross[ji] / pair[ij]
				along = cross[ij] * cross[ji] / pair[ij]
			}
			shared := own[ij] - along // ⟨a_ij, a_ji⟩
			s := SRI{I: i, J: j}
			s.OfI = sriParts(lengthI, alongI, lengthJ, alongJ, shared)
			s.OfJ = sriParts(lengthJ, alongJ, lengthI, alongI, shared)
			s.Both = weighted(s.OfI, lengthI, s.OfJ, lengthJ)
			out = append(out, s)
		}
	}
	return out, nil
}

// sriParts returns the shares of a vector of squared length own, of which aligned
// lies along the interaction; other and otherAligned are the same of the other
// modality, and shared is the inner product of both autonomies.
func sriParts(own, aligned, other, otherAligned, shared float64) SRIParts {
	if own == 0 {
		return SRIParts{}
	}
	synergy := min(aligned/own, 1)
	rest := 1 - synergy
	redundancy := 0.0
	if autonomy := other - otherAligned; autonomy > negligible*negligible*other {
		redundancy = min(shared*shared/autonomy/own, rest)
	}
	return SRIParts{score.Defined(synergy), score.Defined(redundancy), score.Defined(rest - redundancy)}
}

// weighted returns the mean of a and b with weights u and v.
func weighted(a SRIParts, u float64, b SRIParts, v float64) SRIParts {
	if u+v == 0 {
		return SRIParts{}
	}
	mean := func(x, y score.Share) score.Share {
		return score.Defined((u*x.Or(0) + v*y.Or(0)) / (u + v))
	}
	return SRIParts{
		mean(a.Synergy, b.Synergy), mean(a.Redundancy, b.Redundancy), mean(a.Independence, b.Independence),
	}
}

// samplesOf checks matrices phi of m modalities and returns of how many samples
// they are.
func samplesOf(name string, phi []float64, m int) (int, error) {
	if m < 2 || len(phi) == 0 || len(phi)%(m*m) != 0 {
		return 0, fmt.Errorf("rival: %s: want matrices of at least 2 modalities and one sample, got %d numbers for %d modalities", name, len(phi), m)
	}
	for at, v := range phi {
		if !finite(v) || math.Abs(v) > 1e150 { // squares must be finite too
			return 0, fmt.Errorf("rival: %s: sample %d, cell (%d,%d): want a finite number, got %v", name, at/(m*m), at%(m*m)/m, at%m, v)
		}
	}
	return len(phi) / (m * m), nil
}
