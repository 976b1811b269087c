package report

import (
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// A span is a row with a picture of a range: a line from Low to High, a box over its
// middle half, a dot; where only the upper bound is known, a cap there and no dot.
// Fields are SVG lengths, empty for what is not drawn.
type span struct {
	Label                    label
	Kind                     string
	Low, High, X, Width, Dot string
	Cap                      string
	Text, Bounds, Title      string
	// Strong rows are the ones to read first.
	Strong bool
}

// ranges is a table of such rows over one axis.
type ranges struct {
	Ticks []tick
	Rows  []span
	// Zero is the place of zero, empty where it is at an end.
	Zero string
}

// shareSpan draws a share with its bounds.
func shareSpan(l label, kind string, v wording.Interval, a axis) span {
	s := span{Label: l, Kind: kind}
	s.Text, s.Bounds = parts(v)
	low, hasLow := v.Low.Value()
	high, hasHigh := v.High.Value()
	x, ok := v.Share.Value()
	if !ok {
		return s
	}
	if hasLow && hasHigh {
		s.Low, s.High = a.place(low), a.place(high)
	}
	if v.OneSided() {
		s.Cap = a.place(high)
	} else {
		s.Dot = a.place(x)
	}
	return s
}

// scoreRanges shows the score in all three aggregations.
func scoreRanges(t *result.Target) ranges {
	share := func(name string, a *result.Aggregate, strong bool) span {
		s := shareSpan(label{First: name}, kindPair, wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, percentAxis)
		s.Strong = strong
		return s
	}
	local := span{Label: label{First: "local"}, Kind: kindPair, Text: wording.Undefined}
	if mean, ok := t.Local.Mean.Value(); ok {
		local.Text, local.Dot = percent(mean), percentAxis.place(mean)
		if sd, ok := t.Local.SD.Value(); ok {
			local.Low, local.High = percentAxis.place(mean-sd), percentAxis.place(mean+sd)
			local.Bounds = "±\u00a0" + wording.Points(sd)
		}
	}
	return ranges{Ticks: percentTicks(), Rows: []span{
		share("global", &t.Global.Aggregate, t.Headline == result.Global),
		share("mean absolute", &t.MeanAbsolute.Aggregate, t.Headline == result.MeanAbsolute),
		local,
	}}
}
