package approx

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Rows of signs and weights are made once for a batch of games, and cost little beside
// what they are multiplied with: 16 games are enough for that. Of a large design a batch
// has fewer, so that its scratch has no more than 2^22 numbers, or those of one game.
const (
	mostGames    = 16
	batchNumbers = 1 << 22
)

// A batcher estimates several games at a time, up to batch, without draws.
type batcher interface {
	batch() int
	batchScratch() int
	batchTo(dst []float64, games [][]float64, scratch []float64)
}

// AllScratch returns memory for [Estimator.AllTo].
func (e *Estimator) AllScratch() []float64 {
	if b, ok := e.kind.(batcher); ok {
		return make([]float64, b.batchScratch())
	}
	return e.Scratch()
}

// AllTo writes the estimates of several games into dst, Len for each, game after game,
// given the values of [Design.Coalitions] of each. They are those of [Estimator.To]
// without draws, up to rounding, and the same to the last bit whatever games stand
// beside them. A regression takes about a third of the time for it. scratch is that of
// [Estimator.AllScratch]; nothing may overlap.
func (e *Estimator) AllTo(dst []float64, games [][]float64, scratch []float64) {
	cells := e.Len()
	if len(dst) != len(games)*cells {
		panic("approx: bad dst length")
	}
	for _, values := range games {
		if len(values) != e.design.Len() {
			panic("approx: bad values length")
		}
	}
	b, ok := e.kind.(batcher)
	if !ok {
		for g, values := range games {
			e.To(dst[g*cells:(g+1)*cells], nil, values, scratch)
		}
		return
	}
	if len(scratch) < b.batchScratch() {
		panic("approx: bad scratch length")
	}
	for lo := 0; lo < len(games); lo += b.batch() {
		hi := min(lo+b.batch(), len(games))
		b.batchTo(dst[lo*cells:hi*cells], games[lo:hi], scratch)
	}
}

// rowBlock is how many rows of signs or weights are made at a time: they stay in the
// processor's cache.
const rowBlock = 16

func (r *regression) batch() int {
	return min(mostGames, max(1, batchNumbers/(3*len(r.seen))))
}

// batchScratch holds, for each game, the halves of values, what the fit leaves of them
// and that with weights, coefficients and their change; and rows of weights and signs.
func (r *regression) batchScratch() int {
	games := r.batch()
	size := 3*games*len(r.seen) + rowBlock*len(r.coalitions)
	most := 0
	for _, h := range r.fits.half {
		most = max(most, len(h.sets))
	}
	return size + (2*games+rowBlock)*most
}

// batchTo does what to does, for each half with all games at once: a row of signs is
// made for one pair of coalitions and multiplied with the numbers of every game.
func (r *regression) batchTo(dst []float64, games [][]float64, scratch []float64) {
	take := func(rows, cols int) blas64.General {
		part := scratch[: rows*cols : rows*cols]
		scratch = scratch[rows*cols:]
		return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: part}
	}
	pairs, groups, sampled := len(r.seen), r.strata.groups, r.strata.start[0]
	y, left, weighted := take(len(games), pairs), take(len(games), pairs), take(len(games), pairs)
	weights := take(rowBlock, len(r.coalitions))
	out := blas64.General{Rows: len(games), Cols: len(r.coalitions), Stride: len(r.coalitions), Data: dst}
	rest := scratch
	clear(dst)
	for z, h := range r.fits.half {
		scratch = rest
		u := len(h.sets)
		a, change, signs := take(len(games), u), take(len(games), u), take(rowBlock, u)
		sign := func(row []float64, i int) { h.row(row, r.strata.first[i], 1) }
		clear(a.Data)
		clear(change.Data)
		for g, values := range games {
			for i := range pairs {
				even, odd := halves(values, i)
				y.Data[g*pairs+i] = [2]float64{even, odd}[z]
				weighted.Data[g*pairs+i] = r.fits.weights[i] * y.Data[g*pairs+i]
			}
		}
		addRows(a, weighted, signs, 0, sign)
		solveAll(h.factor, a)
		// What the fit leaves is wanted of the sample alone.
		copy(left.Data, y.Data)
		takeRows(left, a, signs, sampled, sign)
		for g := range games {
			row := left.Data[g*pairs : (g+1)*pairs]
			for d := range groups {
				lo, hi := r.strata.start[d], r.strata.start[d+1]
				for i := lo; i < hi; i++ {
					row[i] *= r.fits.roots[i]
				}
				solve(h.groups[d], row[lo:hi])
				for i := lo; i < hi; i++ {
					row[i] /= r.fits.roots[i]
					weighted.Data[g*pairs+i] = r.fits.weights[i] * row[i] / float64(groups)
				}
			}
		}
		// The mean of the coefficients without each group, and its index.
		addRows(change, weighted, signs, sampled, sign)
		solveAll(h.factor, change)
		for g := range games {
			to := dst[g*len(r.coalitions):][:len(r.coalitions)]
			of := a.Data[g*u : (g+1)*u]
			for c, x := range change.Data[g*u : (g+1)*u] {
				of[c] -= x
				for _, t := range r.index[z][c] {
					to[t.at] += t.value * of[c]
				}
			}
		}
		takeRows(y, a, signs, 0, sign)
		for g := range games {
			for i := sampled; i < pairs; i++ {
				y.Data[g*pairs+i] += (r.seen[i] - 1) * left.Data[g*pairs+i]
			}
		}
		addRows(out, y, weights, 0, func(row []float64, i int) {
			clear(row)
			if z == 0 {
				r.add(row, i, 1, 0)
			} else {
				r.add(row, i, 0, 1)
			}
		})
	}
}

// addRows adds Σ_i x[g][i]·row(i) to row g of dst, for i from first on. rows is where
// rows are made, a few at a time.
func addRows(dst, x, rows blas64.General, first int, row func(dst []float64, i int)) {
	for lo := first; lo < x.Cols; lo += rowBlock {
		hi := min(lo+rowBlock, x.Cols)
		made := makeRows(rows, lo, hi, row)
		for from := 0; from < dst.Cols; from += columnBlock {
			to := min(from+columnBlock, dst.Cols)
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, columns(x, lo, hi), columns(made, from, to), 1, columns(dst, from, to))
		}
	}
}

// takeRows takes Σ_c a[g][c]·row(i)[c] from dst[g][i], for i from first on.
func takeRows(dst, a, rows blas64.General, first int, row func(dst []float64, i int)) {
	for lo := first; lo < dst.Cols; lo += rowBlock {
		hi := min(lo+rowBlock, dst.Cols)
		blas64.Gemm(blas.NoTrans, blas.Trans, -1, a, makeRows(rows, lo, hi, row), 1, columns(dst, lo, hi))
	}
}

// makeRows makes rows lo to hi − 1.
func makeRows(rows blas64.General, lo, hi int, row func(dst []float64, i int)) blas64.General {
	rows.Rows = hi - lo
	for i := lo; i < hi; i++ {
		row(rows.Data[(i-lo)*rows.Stride:][:rows.Cols], i)
	}
	return rows
}

// columnBlock keeps products below what gonum divides among goroutines, which would
// round in another order.
const columnBlock = 192

// columns returns columns lo to hi − 1 of a matrix.
func columns(a blas64.General, lo, hi int) blas64.General {
	a.Cols, a.Data = hi-lo, a.Data[lo:]
	return a
}

// solveAll solves R'R·x = b for x, in place of each row b.
func solveAll(r blas64.Triangular, rows blas64.General) {
	blas64.Trsm(blas.Right, blas.NoTrans, 1, r, rows)
	blas64.Trsm(blas.Right, blas.Trans, 1, r, rows)
}
