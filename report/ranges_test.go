package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/score"
)

func TestShareSpan(t *testing.T) {
	d := score.Defined
	var none score.Share
	l := label{First: "x"}
	for _, tt := range []struct {
		v      wording.Interval
		want   span
		reason string
	}{
		{wording.Interval{Share: d(0.25), Low: d(0.125), High: d(0.5)},
			span{Label: l, Kind: kindPair, Low: "12.50%", High: "50.00%", Dot: "25.00%", Text: "25.0\u00a0%", Bounds: "[12.5,\u00a050.0]"}, "a dot on its line"},
		{wording.Interval{Share: d(0.25), Low: d(0), High: d(0.5)},
			span{Label: l, Kind: kindPair, Low: "0.00%", High: "50.00%", Cap: "50.00%", Text: "<\u00a050.0\u00a0%"}, "only the upper bound is known: a cap, no dot"},
		{wording.Interval{Share: d(0.25), Low: d(0), High: d(1)},
			span{Label: l, Kind: kindPair, Low: "0.00%", High: "100.00%", Cap: "100.00%", Text: "unclear"}, "the line from end to end"},
		{wording.Interval{Share: d(0.25), Low: none, High: none},
			span{Label: l, Kind: kindPair, Dot: "25.00%", Text: "25.0\u00a0%"}, "no bounds, no line"},
		{wording.Interval{}, span{Label: l, Kind: kindPair, Text: "undefined"}, "nothing to draw"},
	} {
		if d := cmp.Diff(tt.want, shareSpan(l, kindPair, tt.v, percentAxis)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, d)
		}
	}
}
