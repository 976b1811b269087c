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
			faults = append(faults, &gateError{fmt.Sprintf("%s is %v, above %v", what, x, above.at)})
		case below.set && x < below.at:
			faults = append(faults, &gateError{fmt.Sprintf("%s is %v, below %v", what, x, below.at)})
		}
	}
	return errors.Join(faults...)
}
