package wording

import (
	"fmt"

	"github.com/intershap/intershap/result"
)

// MostOfSize is how many interactions of one size a table has; a list of no more is whole.
const MostOfSize = 8

// LargestValues returns the positions of the interactions of each size that a table has:
// the largest first by the aggregation to read, without those that have nothing to tell
// where others are left out. rest has the other positions, largest first.
func LargestValues(x *result.Interactions, h result.Headline) (shown, rest [][]int) {
	for _, of := range x.BySize(h) {
		top, left := Largest(of, MostOfSize, func(at int) (headline, other Interval) {
			return ValueShare(&x.Values[at], h), ValueShare(&x.Values[at], Other(h))
		})
		shown, rest = append(shown, top), append(rest, left)
	}
	return shown, rest
}

// Largest parts sorted positions into those that a table has and the others: all are
// shown, or the first n that have something to tell. shares returns the share to read of a
// position, and the other one.
func Largest(sorted []int, n int, shares func(at int) (headline, other Interval)) (shown, rest []int) {
	if len(sorted) <= n {
		return sorted, nil
	}
	for _, at := range sorted {
		if len(shown) < n && !nothingToTell(shares(at)) {
			shown = append(shown, at)
		} else {
			rest = append(rest, at)
		}
	}
	return shown, rest
}

// nothingToTell reports whether the share to read is nothing, and the other one is not
// clear of its error, or nothing as well. Means that cancel are little by one aggregation
// alone, and stay.
func nothingToTell(headline, other Interval) bool {
	return headline.Nothing() && (other.Nothing() || !(other.Low.Or(0) > 0))
}

// ValueShare returns the share of an interaction in an aggregation.
func ValueShare(v *result.CoalitionValue, h result.Headline) Interval {
	x := v.In(h)
	return Interval{Share: x.Share, Low: x.Low, High: x.High}
}

// Other is the aggregation that is not to be read first.
func Other(h result.Headline) result.Headline {
	if h == result.MeanAbsolute {
		return result.Global
	}
	return result.MeanAbsolute
}

// OrderName is what coalitions of a number of modalities are called.
func OrderName(order int) string {
	switch order {
	case 1:
		return "singles"
	case 2:
		return "pairs"
	case 3:
		return "triples"
	}
	return fmt.Sprintf("%d together", order)
}
