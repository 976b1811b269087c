package approx

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"github.com/intershap/intershap/game"
)

// A fit is half of the least-squares fit of a game of some order:
//
//	h(A) = Σ_{|T|≤order} a(T)·χ_T(A),   χ_T(A) = (−1)^{|T∖A|}
//
// Since χ_T(A') = (−1)^{|T|}·χ_T(A) for the complement A', coalitions T of an even
// number of players are all that the even half of a pair, (v(A) + v(A'))/2, knows of,
// and the others all that the odd half does. So there are two fits, each with one row
// for each pair, instead of one with two.
type fit struct {
	// sets are the coalitions T.
	sets []game.Coalition
	// factor is R with R'R = X'ΩX, of the rows of all pairs; Ω are their weights.
	factor blas64.Triangular
	// groups[g] is R with R'R = 1 − √Ω·X·(X'ΩX)⁻¹·X'·√Ω, of the rows of group g. It
	// turns what a fit leaves of a group into what it would leave, had the group not
	// been fitted.
	groups []blas64.Triangular
	// leverage is the mean of the diagonals of H.
	leverage float64
}

// fits are the fits of the even and the odd halves.
type fits struct {
	half [2]*fit
	// weights are those of the pairs, and roots their square roots.
	weights, roots []float64
}

// enumeratedWeight is the weight of a pair of an enumerated stratum, in mean weights of
// others. What a fit leaves of it adds no error, so it counts for little: enough to keep
// the matrix far from singular.
const enumeratedWeight = 0.1

// newFits weighs a pair by what its residual adds to the error. With p of P pairs of a
// stratum in the sample, f = p/P, the variance is sd²·(1−f)/p times the mean square of
// what the fit leaves (see [allot]), so a pair of the sample has
//
//	sd²·(1−f)/p²
//
// The fit whose residuals leave the smallest error is that of these weights. Those of
// Shapley's kernel, with {} and all fitted exactly, give FSII or the Shapley value when
// the fit is the estimate; here it is not, and they left five to seven times the squared
// error (docs/approximation.md).
//
// progress is told how many parts are done, of how many; between them ctx may end.
func newFits(ctx context.Context, d *Design, progress func(done, total int)) (fits, error) {
	var f fits
	variance := variances(d.n, d.order)
	total, count := 0.0, 0.0
	for _, j := range d.strata.stratum {
		w, p := 0.0, float64(d.strata.pairs[j])
		if rest, share := d.strata.unseen(d.n, j); rest > 0 {
			w = variance[j] * share / (p * p)
			total += w
			count++
		}
		f.weights = append(f.weights, w)
	}
	for i, w := range f.weights {
		// The mean weight of the sample becomes 1.
		f.weights[i] = w * count / total
		if w == 0 {
			f.weights[i] = enumeratedWeight
		}
	}
	for _, w := range f.weights {
		f.roots = append(f.roots, math.Sqrt(w))
	}
	for t := 0; t <= d.order; t++ {
		if f.half[t%2] == nil {
			f.half[t%2] = &fit{}
		}
		h := f.half[t%2]
		for r := range pascal[d.n][t] {
			h.sets = append(h.sets, unrank(d.n, t, r))
		}
	}
	done, parts := 0, len(f.half)*2*(d.strata.groups+1)
	step := func() error {
		if done++; progress != nil {
			progress(done, parts)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("approx: %w", context.Cause(ctx))
		}
		return nil
	}
	for _, h := range f.half {
		ok, err := h.factorize(d.strata, f.roots, step)
		if err != nil {
			return fits{}, err
		}
		if !ok {
			return fits{}, fmt.Errorf("approx: the coalitions of this seed do not tell apart games of order %d without each of their groups: take another seed or a budget above %d", d.order, 2*len(d.strata.first))
		}
	}
	return f, nil
}

// row writes scale·χ_T(A) into dst for every T.
func (f *fit) row(dst []float64, a game.Coalition, scale float64) {
	of := [2]float64{scale, -scale}
	for c, set := range f.sets {
		dst[c] = of[bits.OnesCount64(uint64(set&^a))&1]
	}
}

// add adds scale·χ_T(A) to dst for every T.
func (f *fit) add(dst []float64, a game.Coalition, scale float64) {
	of := [2]float64{scale, -scale}
	for c, set := range f.sets {
		dst[c] += of[bits.OnesCount64(uint64(set&^a))&1]
	}
}

// at returns Σ_T x(T)·χ_T(A).
func (f *fit) at(x []float64, a game.Coalition) float64 {
	var of [2]float64
	for c, set := range f.sets {
		of[bits.OnesCount64(uint64(set&^a))&1] += x[c]
	}
	return of[0] - of[1]
}

// rows returns √ω·χ_T(A_i) for pairs lo to hi − 1.
func (f *fit) rows(s *strata, roots []float64, lo, hi int) blas64.General {
	x := blas64.General{Rows: hi - lo, Cols: len(f.sets), Stride: len(f.sets), Data: make([]float64, (hi-lo)*len(f.sets))}
	for i := lo; i < hi; i++ {
		f.row(x.Data[(i-lo)*x.Stride:][:x.Cols], s.first[i], roots[i])
	}
	return x
}

// factorize makes factors, and reports false where a matrix is singular or all but so:
// errors of rounding would be larger than 1e-8 of what is fitted. It calls step
// 2·(groups+1) times, and stops with its error.
func (f *fit) factorize(s *strata, roots []float64, step func() error) (ok bool, err error) {
	m := symmetric(len(f.sets))
	// The pairs of enumerated strata, then those of each group.
	for g := -1; g < s.groups; g++ {
		lo, hi := 0, s.start[g+1]
		if g >= 0 {
			lo = s.start[g]
		}
		blas64.Syrk(blas.Trans, 1, f.rows(s, roots, lo, hi), 1, m)
		if err := step(); err != nil {
			return false, err
		}
	}
	if f.factor, ok = cholesky(m); !ok {
		return false, nil
	}
	if err := step(); err != nil {
		return false, err
	}
	for g := range s.groups {
		x := f.rows(s, roots, s.start[g], s.start[g+1])
		blas64.Trsm(blas.Right, blas.NoTrans, 1, f.factor, x)
		left := symmetric(x.Rows)
		for i := range x.Rows {
			left.Data[i*left.Stride+i] = 1
		}
		blas64.Syrk(blas.NoTrans, -1, x, 1, left)
		for i := range x.Rows {
			f.leverage += (1 - left.Data[i*left.Stride+i]) / float64(len(s.first)-s.start[0])
		}
		factor, ok := cholesky(left)
		if !ok {
			return false, nil
		}
		f.groups = append(f.groups, factor)
		if err := step(); err != nil {
			return false, err
		}
	}
	return true, nil
}

func symmetric(n int) blas64.Symmetric {
	return blas64.Symmetric{N: n, Stride: n, Data: make([]float64, n*n), Uplo: blas.Upper}
}

// cholesky factorizes a in place. It reports false where the square of a pivot is less
// than 1e-8 of the largest.
func cholesky(a blas64.Symmetric) (blas64.Triangular, bool) {
	r, ok := lapack64.Potrf(a)
	if !ok {
		return r, false
	}
	least, most := math.Inf(1), 0.0
	for i := range r.N {
		p := r.Data[i*r.Stride+i]
		least, most = min(least, p*p), max(most, p*p)
	}
	return r, least >= 1e-8*most
}

// solve solves R'R·x = b for x, in place of b.
func solve(r blas64.Triangular, b []float64) {
	x := blas64.Vector{N: len(b), Inc: 1, Data: b}
	blas64.Trsv(blas.Trans, r, x)
	blas64.Trsv(blas.NoTrans, r, x)
}
