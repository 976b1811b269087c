package approx

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// A regression fits a game of the design's order to the values, takes its index, and
// adds SHAP-IQ of what the fit leaves. Draw g takes the fit h to all coalitions but
// those of group g, and what it leaves of group g:
//
//	Σ_{seen} g(S, A)·v(A) + Σ_{unseen} g(S, A)·h(A)
//	  + Σ_j (unseen pairs of stratum j) · mean of g(S, A)·(v(A) − h(A)) over group g
//
// Given the other groups, those of group g are a plain sample of what is left, and h is
// a given game: so each draw is unbiased, however poor the fit. Only what is unseen is
// estimated at all.
//
// All of it is linear in the values, and goes through one fit to all coalitions. With
// a its coefficients, r what it leaves, and H = X(X'ΩX)⁻¹X'Ω of the rows X of group g,
//
//	ρ = (1 − H)⁻¹·r              what the fit without group g leaves of it
//	a − (X'ΩX)⁻¹·X'Ωρ            the coefficients of the fit without group g
//
// A draw deviates from the mean of draws as the error does: in each stratum by
// 1/√(1 − f) times the above, where f is the share of its pairs that is seen.
//
// Draws are not quite independent: the fit without group g has group g' in it, and the
// other way round. What the errors of fits add to the variance of a draw is its share h,
// the leverage: the mean of the diagonal of H. Of two draws these parts are the same in
// the worst case, which makes the variance of the mean up to 1 + h times what the spread
// says, and apart in the best, which makes it what the spread says. Deviations are made
// wider by √(1 + h/2), half-way between, which is what intervals need to hold what they
// promise (docs/approximation.md). h is unknowns over pairs, and vanishes with the budget.
type regression struct {
	*sum
	fits fits
	// from[half] is, for every S and T, what a change of a(T) does to the deviation of a
	// draw, times (X'ΩX)⁻¹.
	from [2][]float64
	// wider is what the deviations of each half are multiplied by.
	wider [2]float64
	// index[half][T] says what the index of the game χ_T is.
	index [2][][]term
}

// A term is what a game has at one position of an index.
type term struct {
	at    int32
	value float64
}

func newRegression(k *sum, f fits, x index.Index, order int) *regression {
	r := &regression{sum: k, fits: f}
	position := map[game.Coalition]int32{}
	for i, s := range k.coalitions {
		position[s] = int32(i)
	}
	most := f.order()
	weights := make([][]float64, order+1)
	for s := 1; s <= order; s++ {
		weights[s] = make([]float64, most+1)
		for t := s; t <= most; t++ {
			weights[s][t] = walshWeight(x, s, t, order)
		}
	}
	for z, h := range f.half {
		r.index[z] = make([][]term, len(h.sets))
		for c, set := range h.sets {
			for s := set; s != 0; s = (s - 1) & set {
				if at, ok := position[s]; ok {
					r.index[z][c] = append(r.index[z][c], term{at, weights[s.Size()][set.Size()]})
				}
			}
		}
		r.wider[z] = math.Sqrt(1 + h.leverage/2)
		r.from[z] = k.unseenTimes(h, z, valueWeights(x, order, k.n))
		from := blas64.General{Rows: len(k.coalitions), Cols: len(h.sets), Stride: len(h.sets), Data: r.from[z]}
		blas64.Trsm(blas.Right, blas.NoTrans, 1, h.factor, from)
		blas64.Trsm(blas.Right, blas.Trans, 1, h.factor, from)
	}
	return r
}

// order returns the order of the fitted game.
func (f fits) order() int {
	last := 0
	for _, h := range f.half {
		last = max(last, h.sets[len(h.sets)-1].Size())
	}
	return last
}

// unseenTimes returns, for every S and T,
//
//	Σ_j 1/√(1−f) · Σ_{A of stratum j, unseen} g(S, A)·χ_T(A)
//
// over sampled strata: the sum over all A, which depends on the sizes of S, T and S∩T
// alone, less that over the sample.
func (k *sum) unseenTimes(h *fit, half int, g [][][]float64) []float64 {
	first, end := k.strata.start[0], len(k.strata.first)
	seen := blas64.General{Rows: end - first, Cols: len(k.coalitions), Stride: len(k.coalitions), Data: make([]float64, (end-first)*len(k.coalitions))}
	signs := blas64.General{Rows: end - first, Cols: len(h.sets), Stride: len(h.sets), Data: make([]float64, (end-first)*len(h.sets))}
	for i := first; i < end; i++ {
		scale := k.scale(k.strata.stratum[i])
		row := seen.Data[(i-first)*seen.Stride:][:seen.Cols]
		if half == 0 {
			k.add(row, i, -scale, 0)
		} else {
			k.add(row, i, 0, -scale)
		}
		h.row(signs.Data[(i-first)*signs.Stride:][:signs.Cols], k.strata.first[i], 1)
	}
	out := blas64.General{Rows: len(k.coalitions), Cols: len(h.sets), Stride: len(h.sets), Data: make([]float64, len(k.coalitions)*len(h.sets))}
	totals := k.totals(g, h.sets[len(h.sets)-1].Size())
	for i, s := range k.coalitions {
		for c, t := range h.sets {
			out.Data[i*out.Stride+c] = totals[s.Size()][t.Size()][(s & t).Size()]
		}
	}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, seen, signs, 1, out)
	return out.Data
}

// scale returns 1/√(1−f) of a sampled stratum, 0 of an enumerated one.
func (k *sum) scale(j int) float64 {
	if rest, share := k.strata.unseen(k.n, j); rest > 0 {
		return 1 / math.Sqrt(share)
	}
	return 0
}

// totals returns Σ_j 1/√(1−f) · Σ_{A of stratum j} g(S, A)·χ_T(A) by the sizes of S, T
// and S∩T. There are C(u,i)·C(s−u,w−i)·C(t−u,l)·C(n−s−t+u,a−w−l) coalitions A of a
// players with i in S∩T, w in S and l in T∖S; χ_T of each is (−1)^{t−i−l}.
func (k *sum) totals(g [][][]float64, most int) [][][]float64 {
	out := make([][][]float64, len(g))
	for s := 1; s < len(g); s++ {
		out[s] = make([][]float64, most+1)
		for t := range most + 1 {
			out[s][t] = make([]float64, min(s, t)+1)
			for u := max(0, s+t-k.n); u <= min(s, t); u++ {
				for a := 0; a <= k.n; a++ {
					scale := k.scale(min(a, k.n-a))
					if scale == 0 {
						continue
					}
					for w := 0; w <= min(s, a); w++ {
						count := 0.0
						for i := 0; i <= min(u, w); i++ {
							for l := 0; l <= min(t-u, a-w); l++ {
								c := choose(u, i) * choose(s-u, w-i) * choose(t-u, l) * choose(k.n-s-t+u, a-w-l)
								if (t-i-l)%2 == 1 {
									c = -c
								}
								count += c
							}
						}
						out[s][t][u] += scale * g[s][a][w] * count
					}
				}
			}
		}
	}
	return out
}

// scratch holds, for each half, the halves of values and what the fit leaves of them,
// coefficients and their change, and the change of each group.
func (r *regression) scratch() int {
	size := 4 * len(r.seen)
	for _, h := range r.fits.half {
		size += (2 + r.strata.groups) * len(h.sets)
	}
	return size
}

func (r *regression) to(dst, draws, values, scratch []float64) {
	take := func(n int) []float64 {
		part := scratch[:n:n]
		scratch = scratch[n:]
		return part
	}
	pairs, groups := len(r.seen), r.strata.groups
	y := [2][]float64{take(pairs), take(pairs)}
	left := [2][]float64{take(pairs), take(pairs)}
	// The fit is of what is left of the game h of shap-iq, whose index is known: so a game
	// that h says all of, such as one in which nothing changes, has no rounding errors.
	middle, slope := halves(values, 0)
	for i := range pairs {
		y[0][i], y[1][i] = halves(values, i)
		y[0][i] -= middle
		y[1][i] -= slope * float64(r.n-2*r.strata.stratum[i]) / float64(r.n)
	}
	clear(dst)
	clear(draws)
	each := (values[len(values)-1] - values[0]) / float64(r.n)
	for i := range r.start[2] {
		dst[i] = each
	}
	for z, h := range r.fits.half {
		u := len(h.sets)
		a, change, changes := take(u), take(u), take(u*groups)
		clear(a)
		clear(change)
		clear(changes)
		for i, x := range y[z] {
			h.add(a, r.strata.first[i], r.fits.weights[i]*x)
		}
		solve(h.factor, a)
		for i, x := range y[z] {
			left[z][i] = x - h.at(a, r.strata.first[i])
		}
		for g := range groups {
			lo, hi := r.strata.start[g], r.strata.start[g+1]
			for i := lo; i < hi; i++ {
				left[z][i] *= r.fits.roots[i]
			}
			solve(h.groups[g], left[z][lo:hi])
			for i := lo; i < hi; i++ {
				left[z][i] /= r.fits.roots[i]
				h.add(changes[g*u:(g+1)*u], r.strata.first[i], r.fits.weights[i]*left[z][i])
			}
			for c, x := range changes[g*u : (g+1)*u] {
				change[c] += x / float64(groups)
			}
		}
		// The mean of the coefficients without each group, and its index.
		solve(h.factor, change)
		for c := range a {
			a[c] -= change[c]
			for _, t := range r.index[z][c] {
				dst[t.at] += t.value * a[c]
			}
		}
		for i := range y[z] {
			y[z][i] -= h.at(a, r.strata.first[i])
		}
		if draws == nil {
			continue
		}
		for s := range dst {
			row := blas64.Vector{N: u, Inc: 1, Data: r.from[z][s*u : (s+1)*u]}
			for g := range groups {
				draws[g*len(dst)+s] -= r.wider[z] * blas64.Dot(row, blas64.Vector{N: u, Inc: 1, Data: changes[g*u : (g+1)*u]})
			}
		}
	}
	group := -1
	for i := range pairs {
		for i >= r.strata.start[group+1] {
			group++
		}
		if group < 0 {
			r.add(dst, i, y[0][i], y[1][i])
			continue
		}
		rest := r.seen[i] - 1
		r.add(dst, i, y[0][i]+rest*left[0][i], y[1][i]+rest*left[1][i])
		if draws != nil {
			r.add(draws[group*len(dst):][:len(dst)], i, r.spread[i]*r.wider[0]*left[0][i], r.spread[i]*r.wider[1]*left[1][i])
		}
	}
	center(draws, dst)
}
