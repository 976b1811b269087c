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

// scoreRanges shows the score in all three aggregations, corrected on a budget; before it, where players are
// groups, what of it is across modalities, which is read first then.
func scoreRanges(t *result.Target) ranges {
	out := ranges{Ticks: percentTicks()}
	add := func(l label, v wording.Interval, strong bool) {
		s := shareSpan(l, kindPair, v, percentAxis)
		s.Strong = strong
		out.Rows = append(out.Rows, s)
	}
	note, global := "", t.Headline == result.Global
	if t.Across != nil {
		for _, a := range []struct {
			name   string
			of     *result.AcrossAggregate
			strong bool
		}{{"global", &t.Across.Global, global}, {"mean absolute", &t.Across.MeanAbsolute, !global}} {
			add(label{First: a.name, Note: "across modalities"}, wording.Interval{Share: a.of.Score(), Low: a.of.Low, High: a.of.High}, a.strong)
		}
		note = "all groups"
	}
	for _, a := range []struct {
		name   string
		of     *result.Aggregate
		strong bool
	}{{"global", &t.Global.Aggregate, global}, {"mean absolute", &t.MeanAbsolute.Aggregate, !global}} {
		add(label{First: a.name, Note: note}, wording.Interval{Share: a.of.Score(), Low: a.of.Low, High: a.of.High}, a.strong && t.Across == nil)
	}
	local := localSpan(t)
	local.Label.Note = note
	out.Rows = append(out.Rows, local)
	return out
}

// localSpan shows the mean of local scores, and their standard deviation.
func localSpan(t *result.Target) span {
	local := span{Label: label{First: "local"}, Kind: kindPair, Text: wording.Undefined}
	if mean, ok := t.Local.Mean.Value(); ok {
		local.Text, local.Dot = percent(mean), percentAxis.place(mean)
		if sd, ok := t.Local.SD.Value(); ok {
			local.Low, local.High = percentAxis.place(mean-sd), percentAxis.place(mean+sd)
			local.Bounds = "±\u00a0" + wording.Points(sd)
		}
	}
	return local
}
