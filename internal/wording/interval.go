package wording

import "github.com/intershap/intershap/score"

// Undefined is what stands for a share of no behaviour.
const Undefined = "undefined"

// Unclear is what stands for a share whose bounds say nothing.
const Unclear = "unclear"

// An Interval is a share with its bounds.
type Interval struct{ Share, Low, High score.Share }

// Bounded reports whether both bounds are known.
func (v Interval) Bounded() bool {
	_, hasLow := v.Low.Value()
	_, hasHigh := v.High.Value()
	return hasLow && hasHigh
}

// OneSided reports whether the interval reaches down to zero from a share above
// it: then all that is known is the upper bound.
func (v Interval) OneSided() bool {
	x, ok := v.Share.Value()
	low, hasLow := v.Low.Value()
	_, hasHigh := v.High.Value()
	return ok && hasLow && hasHigh && low == 0 && x > 0
}

// Unclear reports whether the bounds say nothing.
func (v Interval) Unclear() bool {
	high, _ := v.High.Value()
	return v.OneSided() && high == 1
}

// nothing is what two decimals of a percentage round to 0.00.
const nothing = 0.00005

// Nothing reports whether the share and its upper bound round to 0.00 %.
func (v Interval) Nothing() bool {
	x, ok := v.Share.Value()
	return ok && x < nothing && v.High.Or(x) < nothing
}

// Parts writes the interval in two parts: "12.3 %" and "[10.1, 14.2]". The second
// is empty for "< 1.3 %", for "12.3 %" where no bounds are known, for "unclear" where
// they say nothing, and for "undefined".
func (v Interval) Parts() (head, tail string) {
	x, ok := v.Share.Value()
	if !ok {
		return Undefined, ""
	}
	low, hasLow := v.Low.Value()
	high, hasHigh := v.High.Value()
	switch {
	case v.Unclear():
		return Unclear, ""
	case v.OneSided():
		return "< " + AtMost(high), ""
	case hasLow && hasHigh:
		return Percent(x), "[" + Points(low) + ", " + Points(high) + "]"
	}
	return Percent(x), ""
}

// String joins the parts: "12.3 % [10.1, 14.2]".
func (v Interval) String() string {
	head, tail := v.Parts()
	if tail == "" {
		return head
	}
	return head + " " + tail
}
