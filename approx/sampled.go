package approx

import (
	"math"
	"math/bits"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// A sum makes sums of an index's weights over the pairs of a stratified design:
//
//	Σ_i g(S, A_i)·x(A_i) + g(S, A'_i)·x(A'_i)      for every S that has a value
//
// where A' is the complement of A. A pair is given by its halves
// even = (x(A) + x(A'))/2 and odd = (x(A) − x(A'))/2.
type sum struct {
	n          int
	strata     *strata
	coalitions []game.Coalition
	start      []int
	// even[s][j][w] is g(s, a, w) + g(s, a', w') of a pair of stratum j whose first
	// coalition has w players of S: so g counts for the even half; odd is the
	// difference.
	even, odd [][][]float64
	// seen[i] is 1 for pairs of enumerated strata and P/p for others: the pairs of the
	// stratum for each that is in the sample. spread[i] is P·√(1−p/P)/q, where q pairs
	// of the stratum are in each group, so that the deviation of a group is that of the
	// mean; 0 for enumerated strata.
	seen, spread []float64
}

func (e *Estimator) newSum(x index.Index, order int) *sum {
	d := e.design
	k := &sum{n: d.n, strata: d.strata, coalitions: e.coalitions, start: e.start}
	g := valueWeights(x, order, d.n)
	k.even, k.odd = make([][][]float64, order+1), make([][][]float64, order+1)
	for s := 1; s <= order; s++ {
		k.even[s], k.odd[s] = make([][]float64, d.n/2+1), make([][]float64, d.n/2+1)
		for j := range k.even[s] {
			k.even[s][j], k.odd[s][j] = make([]float64, s+1), make([]float64, s+1)
			for w := range s + 1 {
				a, b := g[s][j][w], g[s][d.n-j][s-w]
				k.even[s][j][w], k.odd[s][j][w] = a+b, a-b
			}
		}
	}
	for _, j := range d.strata.stratum {
		seen, spread := 1.0, 0.0
		if rest, share := d.strata.unseen(d.n, j); rest > 0 {
			size, p := float64(stratumSize(d.n, j)), float64(d.strata.pairs[j])
			seen = size / p
			spread = size * math.Sqrt(share) / (p / float64(d.strata.groups))
		}
		k.seen, k.spread = append(k.seen, seen), append(k.spread, spread)
	}
	return k
}

// add adds what pair i has to the sums of dst.
func (k *sum) add(dst []float64, i int, even, odd float64) {
	// 64 are more than there are players, so that a count of six bits needs no check.
	var of [64]float64
	a, j := uint64(k.strata.first[i]), k.strata.stratum[i]
	for s := 1; s < len(k.even); s++ {
		x, y := k.even[s][j], k.odd[s][j]
		for w := range x {
			of[w] = x[w]*even + y[w]*odd
		}
		part := dst[k.start[s]:k.start[s+1]]
		sets := k.coalitions[k.start[s]:k.start[s+1]]
		for c, set := range sets {
			part[c] += of[bits.OnesCount64(uint64(set)&a)&63]
		}
	}
}

// halves returns the even and the odd half of pair i of values.
func halves(values []float64, i int) (even, odd float64) {
	a, b := values[0], values[len(values)-1]
	if i > 0 {
		a, b = values[2*i-1], values[2*i]
	}
	return (a + b) / 2, (a - b) / 2
}

// sampled is SHAP-IQ on a stratified design:
//
//	I(S) = I_h(S) + Σ_j (pairs of stratum j) · mean of g(S, A)·(v(A) − h(A)) over its sample
//
// with h(A) = v({}) + |A|/n·(v(all) − v({})), the game in which all players do the same,
// whose index is known. It takes off what would otherwise be the largest part of the
// error: weights of a sample do not add up to nothing as those of a whole stratum do.
type sampled struct{ *sum }

func (k *sampled) scratch() int { return 0 }

func (k *sampled) to(dst, draws, values, _ []float64) {
	clear(dst)
	clear(draws)
	each := (values[len(values)-1] - values[0]) / float64(k.n)
	for i := range k.start[2] {
		dst[i] = each
	}
	middle, slope := halves(values, 0)
	group := -1
	for i := 1; i < len(k.seen); i++ { // h leaves nothing of {} and all
		even, odd := halves(values, i)
		even -= middle
		// h(A) − h(A') is (2j − n)/n·(v(all) − v({})); slope is half of −(v(all) − v({})).
		odd -= slope * float64(k.n-2*k.strata.stratum[i]) / float64(k.n)
		k.add(dst, i, k.seen[i]*even, k.seen[i]*odd)
		for i >= k.strata.start[group+1] {
			group++
		}
		if draws != nil && group >= 0 {
			k.add(draws[group*len(dst):][:len(dst)], i, k.spread[i]*even, k.spread[i]*odd)
		}
	}
	center(draws, dst)
}
