package compare

import (
	"math"

	"github.com/intershap/intershap/score"
)

// replicateRow compares two groups of replicates: what each of them says of a quantity.
// Replicates for which it is undefined are left out of the means.
func replicateRow(q Quantity, from [2][]score.Share, level float64) Row {
	r := Row{Quantity: q}
	var values [2][]float64
	for k, all := range from {
		for _, s := range all {
			if x, ok := s.Value(); ok {
				values[k] = append(values[k], x)
			}
		}
	}
	r.Base, r.Other = summarise(values[0]), summarise(values[1])
	var e estimate
	if len(values[0]) > 0 && len(values[1]) > 0 {
		e = welch(values[0], values[1], level)
	}
	r.settle(e)
	return r
}

// summarise returns mean and standard deviation of what replicates say.
func summarise(x []float64) Value {
	v := Value{N: len(x)}
	if len(x) == 0 {
		return v
	}
	mean, variance := moments(x)
	v.Value = score.Defined(mean)
	if len(x) > 1 {
		v.SD = score.Defined(math.Sqrt(variance))
	}
	return v
}
