package cli

import (
	"errors"
	"fmt"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// checkGates returns a gateError for every target whose headline is out of
// bounds. An undefined headline is within none.
func checkGates(targets []result.Target, above, below bound) error {
	if !above.set && !below.set {
		return nil
	}
	var faults []error
	for i := range targets {
		share, _, _ := targets[i].HeadlineInterval()
		what := fmt.Sprintf("target %s: %s InterSHAP", targets[i].Target, wording.HeadlineName(targets[i].Headline))
		if targets[i].Across != nil {
			what += " across modalities"
		}
		x, ok := share.Value()
		switch {
		case !ok:
			faults = append(faults, &gateError{fmt.Sprintf("%s is %s, so no bound holds", what, undefined)})
		case above.set && x > above.at:
			faults = append(faults, &gateError{fmt.Sprintf("%s is %v, above %v", what, besides(x, above.at), above.at)})
		case below.set && x < below.at:
			faults = append(faults, &gateError{fmt.Sprintf("%s is %v, below %v", what, besides(x, below.at), below.at)})
		}
	}
	return errors.Join(faults...)
}

// besides rounds a number to what a person reads, as far as that leaves it on its side of a
// bound: what is above 0.1 by a hair must not be told as 0.1.
func besides(x, bound float64) float64 {
	const digits, all = 4, 17
	for n := digits; n < all; n++ {
		if r := roundTo(x, n); r != bound && (r < bound) == (x < bound) {
			return r
		}
	}
	return x
}
