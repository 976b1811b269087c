package rival

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// The way from features to the discrete values that a PID needs, as Liang et al.
// (2023) and the reference code of InterSHAP go it: rows of length one, the first
// principal components, k-means.

// unitRows returns x with every row scaled to Euclidean length one; rows of zeros stay.
// A single column is scaled to mean square one instead: length one would leave nothing
// but its signs. (The published code makes no exception.)
func unitRows(x Matrix) Matrix {
	out := Matrix{x.Rows, x.Cols, slices.Clone(x.Data)}
	if x.Cols == 1 {
		unit(out.Data, math.Sqrt(float64(x.Rows)))
		return out
	}
	for i := range out.Rows {
		unit(out.Row(i), 1)
	}
	return out
}

// unit scales x to the given length, unless it is all zeros.
func unit(x []float64, length float64) {
	top, sum := 0.0, 0.0
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	if top == 0 {
		return
	}
	for i, v := range x {
		x[i] = v / top // whose squares neither overflow nor vanish
		sum += x[i] * x[i]
	}
	for i := range x {
		x[i] *= length / math.Sqrt(sum)
	}
}

// beside returns the rows of all of xs next to each other.
func beside(xs []Matrix) Matrix {
	out := Matrix{Rows: xs[0].Rows}
	for _, x := range xs {
		out.Cols += x.Cols
	}
	for i := range out.Rows {
		for _, x := range xs {
			out.Data = append(out.Data, x.Row(i)...)
		}
	}
	return out
}

const (
	// exactSide is the largest side of a covariance matrix whose eigenvectors are
	// all computed.
	exactSide = 512
	// blockSize, blockRounds and blockChange are of the iteration for larger ones:
	// vectors carried, and the rounds or the relative change of the leading
	// eigenvalues that end it.
	blockSize   = 12
	blockRounds = 60
	blockChange = 1e-8
)

// principal returns the first k principal components of the rows of x, at most as many
// as x has columns, by the eigenvectors of XᵀX or XXᵀ, whichever is smaller, with X
// centred. Beyond [exactSide] these come from subspace iteration with seed. Equal rows
// have equal components. It reports false when the rows do not differ.
func principal(x Matrix, k int, seed uint64) (Matrix, bool) {
	mean, n, cols := x.columnMeans(), x.Rows, x.Cols
	k = min(k, cols)
	centred := Matrix{n, cols, slices.Clone(x.Data)}
	for i := range n {
		for c, m := range mean {
			centred.Data[i*cols+c] -= m
		}
	}
	rounding := 1e-13 * x.largest()
	if centred.squares(make([]float64, cols)) <= rounding*rounding*float64(len(x.Data)) {
		return Matrix{}, false
	}
	dense := mat.NewDense(n, cols, centred.Data)
	var axes *mat.Dense // cols×(k or fewer)
	if min(n, cols) <= exactSide {
		axes = exactAxes(dense, k)
	} else {
		axes = iteratedAxes(dense, k, seed)
	}
	_, k = axes.Dims()
	out := Matrix{n, k, make([]float64, n*k)}
	// Row by row, so that equal rows come out equal, bit for bit.
	for i := range n {
		row := centred.Row(i)
		for j := range k {
			sum := 0.0
			for c, v := range row {
				sum += v * axes.At(c, j)
			}
			out.Data[i*k+j] = sum
		}
	}
	return out, true
}

// exactAxes returns the k leading right singular vectors of x as columns, or fewer
// where x has no more.
func exactAxes(x *mat.Dense, k int) *mat.Dense {
	n, cols := x.Dims()
	small, wide := x.T(), n < cols
	if wide {
		small = x
	}
	side := min(n, cols)
	var gram mat.SymDense
	gram.SymOuterK(1, small)
	var eigen mat.EigenSym
	if !eigen.Factorize(&gram, true) {
		panic("rival: eigenvalues of a finite symmetric matrix did not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors) // ascending
	k = min(k, side)
	axes := mat.NewDense(cols, k, nil)
	for j := range k {
		v := vectors.ColView(side - 1 - j)
		if !wide {
			axes.ColView(j).(*mat.VecDense).CopyVec(v)
			continue
		}
		column := axes.ColView(j).(*mat.VecDense)
		column.MulVec(x.T(), v)
		if length := mat.Norm(column, 2); length > 0 {
			column.ScaleVec(1/length, column)
		}
	}
	return axes
}

// iteratedAxes returns the k leading right singular vectors of x by subspace iteration
// with Rayleigh-Ritz steps. Where singular values are close it returns vectors of their
// common space, among which the data do not choose either.
func iteratedAxes(x *mat.Dense, k int, seed uint64) *mat.Dense {
	_, cols := x.Dims()
	rng := rand.New(rand.NewPCG(seed, 0))
	block := mat.NewDense(blockSize, cols, nil) // vectors are rows
	for i := range blockSize {
		for j := range cols {
			block.Set(i, j, rng.NormFloat64())
		}
	}
	before, image := make([]float64, k), new(mat.Dense)
	for round := 1; ; round++ {
		orthonormal(block)
		image.Mul(block, x.T())
		var gram mat.SymDense
		gram.SymOuterK(1, image)
		var eigen mat.EigenSym
		if !eigen.Factorize(&gram, true) {
			panic("rival: eigenvalues of a finite symmetric matrix did not converge")
		}
		values, change := eigen.Values(nil), 0.0
		for j := range k {
			v := values[blockSize-1-j]
			change = max(change, math.Abs(v-before[j])/values[blockSize-1])
			before[j] = v
		}
		if change > blockChange && round < blockRounds {
			block.Mul(image, x)
			continue
		}
		var vectors mat.Dense
		eigen.VectorsTo(&vectors)
		axes := mat.NewDense(cols, k, nil)
		for j := range k {
			axes.ColView(j).(*mat.VecDense).MulVec(block.T(), vectors.ColView(blockSize-1-j))
		}
		return axes
	}
}

// orthonormal makes the rows of x orthonormal, by Gram and Schmidt, twice for rounding.
func orthonormal(x *mat.Dense) {
	rows, _ := x.Dims()
	for range 2 {
		for i := range rows {
			row := x.RowView(i).(*mat.VecDense)
			for j := range i {
				other := x.RowView(j)
				row.AddScaledVec(row, -mat.Dot(row, other), other)
			}
			if length := mat.Norm(row, 2); length > 0 {
				row.ScaleVec(1/length, row)
			}
		}
	}
}

// lloydRounds bounds the rounds of one k-means run.
const lloydRounds = 300

// kMeans returns the cluster of every row of points, by Lloyd's iteration from centres
// that are drawn far apart (k-means++, Arthur and Vassilvitskii, 2007): the best of
// restarts runs by the sum of squared distances, the first of equal ones. Clusters are
// numbered from 0 on and none is empty; fewer than k when there are fewer different
// points. The result follows from seed.
func kMeans(points Matrix, k, restarts int, seed uint64) []int {
	var best []int
	least := math.Inf(1)
	for r := range restarts {
		rng := rand.New(rand.NewPCG(seed, uint64(r)))
		cluster, squares := lloyd(points, spread(points, k, rng))
		if squares < least {
			best, least = cluster, squares
		}
	}
	best, _ = dense(best)
	return best
}

// spread draws up to k rows of points: the first evenly, every other with probability
// in proportion to its squared distance from the nearest one drawn.
func spread(points Matrix, k int, rng *rand.Rand) Matrix {
	n := points.Rows
	centres := Matrix{0, points.Cols, nil}
	nearest, at := make([]float64, n), rng.IntN(n)
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	for {
		centres.Rows++
		centres.Data = append(centres.Data, points.Row(at)...)
		sum := 0.0
		for i := range n {
			nearest[i] = min(nearest[i], distance(points.Row(i), points.Row(at)))
			sum += nearest[i]
		}
		if centres.Rows == k || sum == 0 {
			return centres
		}
		left := rng.Float64() * sum
		for i, d := range nearest {
			if d > 0 { // rounding must not draw a centre twice
				at = i
				if left -= d; left < 0 {
					break
				}
			}
		}
	}
}

// lloyd moves centres to the means of their clusters until no point changes its
// cluster, and returns the clusters and the sum of squared distances.
func lloyd(points, centres Matrix) (cluster []int, squares float64) {
	n, k := points.Rows, centres.Rows
	cluster = make([]int, n)
	count, away := make([]int, k), make([]float64, n)
	for round := 0; ; round++ {
		changed := round == 0
		squares = 0
		clear(count)
		for i := range n {
			to, least := 0, math.Inf(1)
			for c := range k {
				if d := distance(points.Row(i), centres.Row(c)); d < least {
					to, least = c, d
				}
			}
			changed = changed || to != cluster[i]
			cluster[i], away[i] = to, least
			count[to]++
			squares += least
		}
		if !changed || round == lloydRounds {
			return cluster, squares
		}
		clear(centres.Data)
		for i, c := range cluster {
			to := centres.Row(c)
			for j, v := range points.Row(i) {
				to[j] += v / float64(count[c])
			}
		}
		for c := range k {
			if count[c] == 0 { // to the point that is farthest from its centre
				far := 0
				for i, d := range away {
					if d > away[far] {
						far = i
					}
				}
				copy(centres.Row(c), points.Row(far))
				away[far] = 0
			}
		}
	}
}

// distance returns the squared Euclidean distance.
func distance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}
