package score

import "math"

// The size of a noisy number is too large, most of all where the number is zero: noise
// of standard deviation σ alone has the mean size σ·√(2/π). Of a few players that a run
// plays out this is little. Where a budget leaves noise in hundreds of pairs it adds up
// to a large part of the behaviour, most of which is not there.

// lessNoise returns the mean of a cell less what draws of coalitions add to its size.
// Cells of a clear sign stay as they are. Of others it takes the size that noise alone
// would have, even where that leaves less than nothing: of many cells that are zero the
// sum is then zero, and a sum of weak effects comes out too small rather than too large.
func lessNoise(mean float64, cell spread, clear bool) float64 {
	if clear {
		return mean
	}
	size := math.Abs(mean) - cell.jackknife(coalitions)*math.Sqrt(2/math.Pi)
	return math.Copysign(1, mean) * size
}

// absoluteLessNoise is lessNoise of a mean absolute; see withoutNoise for why twice the
// jackknife's estimate is taken.
func absoluteLessNoise(mean float64, cell spread) float64 {
	return mean - 2*max(0, cell.biasOf(coalitions, mean))
}
