package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// gates are what a result is held against.
type gates struct {
	atLeast, failAbove, failBelow bound
	strict                        bool
}

// addAtLeast adds the flag that asks a question of the headline.
func addAtLeast(flags *pflag.FlagSet, g *gates) {
	define(flags, &g.atLeast, "at-least", "", "X", "ask whether the headline is at least X, as 5% or 0.05: yes, no or unclear by its interval", readThreshold)
}

// addGates adds the flags that decide the exit code.
func addGates(flags *pflag.FlagSet, g *gates) {
	flags.BoolVar(&g.strict, "strict", false, "exit with 4 when there are warnings")
	define(flags, &g.failAbove, "fail-above", "", "X", "exit with 3 when the headline of a target is above the fraction X", readBound)
	define(flags, &g.failBelow, "fail-below", "", "X", "exit with 3 when the headline of a target is below the fraction X", readBound)
}

// check refuses bounds that nothing is within.
func (g *gates) check() error {
	if g.failAbove.set && g.failBelow.set && g.failAbove.at < g.failBelow.at {
		return usagef("--fail-above %v and --fail-below %v: no number is within both", g.failAbove.at, g.failBelow.at)
	}
	return nil
}

// judge applies the gates, then --strict.
func (g *gates) judge(ex *intershap.Explanation) error {
	if err := checkGates(ex.Targets, g.failAbove, g.failBelow); err != nil {
		return err
	}
	if g.strict && len(ex.Warnings) > 0 {
		return &doubtError{warnings: len(ex.Warnings)}
	}
	return nil
}

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
