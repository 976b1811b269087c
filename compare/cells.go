package compare

import (
	"math"

	"github.com/intershap/intershap/score"
)

// A packed vector holds the upper triangle of a symmetric m×m matrix, diagonal
// included, row by row: position at(i, j, m) for i ≤ j.

func packedLen(m int) int { return m * (m + 1) / 2 }

func at(i, j, m int) int {
	if i > j {
		i, j = j, i
	}
	return i*m - i*(i-1)/2 + j - i
}

// A bound says which end of a share is asked for.
type bound uint8

const (
	// plain takes every cell.
	plain bound = iota
	// small leaves out the unclear cells of the part, large those outside of it.
	small
	large
)

// A frame is what an aggregation of one run's samples fixes before samples are drawn:
// for each packed cell how often it counts, its sign in the mean, and whether that sign
// is clear of its error.
//
// Absolute values of noise are not zero, and neither are their draws: percentiles of a
// ratio of absolute values keep away from zero, and a sum over many pairs of nothing
// looks like interaction. So, as in score.Summary, signs are fixed at those of the
// estimate, which leaves draws smooth, and cells whose sign is not clear may be nothing:
// the lower end of a share leaves out those of its part, the upper end those outside.
type frame struct {
	weight, sign   []float64
	clear, nothing []bool
}

// newFrame describes the cells of mean, whose standard errors over units independent
// samples are se. Signs are clear at the level, by Šidák over the pairs or over the
// diagonal.
func newFrame(mean, se []float64, units, m int, c score.Convention, level float64) frame {
	p := packedLen(m)
	f := frame{make([]float64, p), make([]float64, p), make([]bool, p), make([]bool, p)}
	cells := 2.0
	if c == score.SinglePair {
		cells = 1
	}
	for i := range m {
		for j := i; j < m; j++ {
			k, family := at(i, j, m), m
			f.weight[k], f.sign[k] = 1, math.Copysign(1, mean[k])
			if i != j {
				f.weight[k], family = cells, p-m
			}
			f.nothing[k] = se[k] == 0 && mean[k] == 0
			if units < 2 {
				continue
			}
			limit := 0.0
			if se[k] > 0 {
				each := math.Pow(level, 1/float64(family))
				limit = se[k] * studentT((1+each)/2, float64(units-1))
			}
			f.clear[k] = math.Abs(mean[k]) > limit
		}
	}
	return f
}

// share returns the share of the cells in part, given means of the cells or anything
// that is proportional to them. It reports false where there is no behaviour.
func (f *frame) share(cells []float64, part []bool, b bound) (float64, bool) {
	in, whole := 0.0, 0.0
	for k, x := range cells {
		if !f.clear[k] && (b == small && part[k] || b == large && !part[k]) {
			continue
		}
		v := f.weight[k] * f.sign[k] * x
		whole += v
		if part[k] {
			in += v
		}
	}
	switch {
	case whole != 0:
		return in / whole, true
	case b == small:
		return boolean(f.allNothing(part, false)), true
	case b == large:
		return 1 - boolean(f.allNothing(part, true)), true
	}
	return 0, false
}

// allNothing reports whether every cell inside the part, or every one outside, is
// nothing whatever is drawn.
func (f *frame) allNothing(part []bool, inside bool) bool {
	for k, nothing := range f.nothing {
		if part[k] == inside && !nothing {
			return false
		}
	}
	return true
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// parts returns the cells of all pairs, of one modality alone, or of one pair.

func allPairs(m int) []bool {
	part := make([]bool, packedLen(m))
	for i := range m {
		for j := i + 1; j < m; j++ {
			part[at(i, j, m)] = true
		}
	}
	return part
}

func oneCell(i, j, m int) []bool {
	part := make([]bool, packedLen(m))
	part[at(i, j, m)] = true
	return part
}
