package score_test

import (
	"math"
	"testing"

	"github.com/intershap/intershap/score"
)

func TestAtLeast(t *testing.T) {
	between := func(low, high float64) score.Interval {
		return score.Interval{Share: score.Defined((low + high) / 2), Low: score.Defined(low), High: score.Defined(high)}
	}
	for _, tt := range []struct {
		interval score.Interval
		x        float64
		want     score.Answer
		reason   string
	}{
		{between(.05, .2), .05, score.Yes, "all of it is as large, the bound included"},
		{between(.06, .2), .05, score.Yes, "all of it is larger"},
		{between(.04, .2), .05, score.Unclear, "both are in it"},
		{between(0, .05), .05, score.Unclear, "the upper bound is as large"},
		{between(0, .049), .05, score.No, "none of it is as large"},
		{between(0, .2), 0, score.Yes, "every share is at least 0"},
		{score.Interval{Share: score.Defined(.5)}, .05, score.Unclear, "no bounds"},
		{score.Interval{Share: score.Defined(.5), Low: score.Defined(.4)}, .05, score.Unclear, "one bound is no interval"},
		{score.Interval{}, .05, score.Unclear, "undefined"},
		{between(.04, .2), math.NaN(), score.Unclear, "no threshold"},
	} {
		if got := tt.interval.AtLeast(tt.x); got != tt.want {
			t.Errorf("%+v at least %v: %s, want %s: %s", tt.interval, tt.x, got, tt.want, tt.reason)
		}
	}
	for a, name := range map[score.Answer]string{score.Yes: "yes", score.No: "no", score.Unclear: "unclear"} {
		text, err := a.MarshalText()
		var back score.Answer
		if err != nil || string(text) != name || a.String() != name || back.UnmarshalText(text) != nil || back != a {
			t.Errorf("%s is written %s, %v and read %s", name, text, err, back)
		}
	}
	var a score.Answer
	if _, err := score.Answer(7).MarshalText(); err == nil || score.Answer(7).String() != "Answer(7)" || a.UnmarshalText([]byte("perhaps")) == nil {
		t.Error("no error for an answer that there is not")
	}
}
