package wording

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// target has a headline share with bounds, and one pair with the rest in a modality.
func target(share, low, high score.Share) *result.Target {
	t := &result.Target{Target: "predicted", Headline: result.Global}
	t.Global.Aggregate = result.Aggregate{
		InterSHAP: share, Low: low, High: high,
		Contributions: map[string]score.Share{"image": score.Defined(0.25), "text": score.Defined(0.125)},
		ContributionIntervals: map[string][2]score.Share{
			"image": {score.Defined(0.2), score.Defined(0.3)}, "text": {score.Defined(0), score.Defined(0.3)},
		},
		Pairs: []result.Pair{{Pair: [2]string{"image", "text"}, Share: share, Low: low, High: high}},
	}
	return t
}

// of is the explanation of one target, with warnings of an ID about subjects.
func of(t *result.Target, subjects ...string) *result.Explanation {
	ex := &result.Explanation{Targets: []result.Target{*t}}
	ex.Provenance.Level = 0.95
	for _, subject := range subjects {
		ex.Warnings = append(ex.Warnings, diag.Warning{ID: cancelling, Subject: subject})
	}
	return ex
}

func TestVerdict(t *testing.T) {
	d := score.Defined
	var none score.Share
	const what = "of what the modalities do to this output is interaction between them"
	for _, tt := range []struct {
		share, low, high score.Share
		want, reason     string
	}{
		{d(0.625), d(0.5), d(0.75), "62.5 % " + what + " (95 % interval 50.0 to 75.0); the largest part is image × text with 62.5 %.", "two bounds"},
		{d(0.625), none, none, "62.5 % " + what + ".", "no bounds, so nothing is known to be the largest"},
		{d(0.01), d(0), d(0.02), "Less than 2.0 % " + what + "; the largest part is image alone with 25.0 %.", "down to zero"},
		{d(0), d(0), d(0), "Nothing " + what + "; the largest part is image alone with 25.0 %.", "exactly zero"},
		{d(0.4), d(0), d(1), "These samples and background rows cannot tell how much " + what + ".", "from zero to all"},
		{none, none, none, "The score is undefined: the modalities change nothing in this output.", "no behaviour"},
	} {
		u := target(tt.share, tt.low, tt.high)
		if got := Verdict(of(u), u); got != tt.want {
			t.Errorf("%s:\nwant %q\ngot  %q", tt.reason, tt.want, got)
		}
	}
	other := target(d(0.625), d(0.5), d(0.75))
	other.Headline = result.MeanAbsolute
	other.MeanAbsolute.InterSHAP = d(0.5)
	if got, want := Verdict(of(other), other), "50.0 % "+what+"."; got != want {
		t.Errorf("the other aggregation: want %q, got %q", want, got)
	}
}

// A part is named only where its interval is clear of zero.
func TestLargestPart(t *testing.T) {
	d := score.Defined
	var none score.Share
	for _, tt := range []struct {
		pair, image, text Interval
		want, reason      string
	}{
		{Interval{d(0.5), d(0.4), d(0.6)}, Interval{d(0.3), d(0.2), d(0.4)}, Interval{d(0.2), d(0), d(0.4)}, "; the largest part is image × text with 50.0 %", "clear"},
		{Interval{d(0.1), d(0), d(0.2)}, Interval{d(0.3), d(0.2), d(0.4)}, Interval{d(0.6), d(0), d(0.9)}, "; the largest part that is clear of its error is image alone with 30.0 %", "the largest is not clear"},
		{Interval{d(0.01), d(0), d(0.9)}, Interval{d(0.069), d(0), d(0.891)}, Interval{d(0.02), d(0), d(0.9)}, "; no part is clear of its error", "all one-sided"},
		{Interval{d(0.4), d(0), d(1)}, Interval{d(0.3), d(0), d(1)}, Interval{d(0.3), d(0), d(1)}, "; no part is clear of its error", "all unclear"},
		{Interval{d(0.5), d(0.4), d(0.6)}, Interval{d(0.3), none, none}, Interval{d(0), d(0), d(0)}, "", "an interval is not known"},
		{Interval{d(0.5), d(0.4), d(0.6)}, Interval{d(0), none, none}, Interval{none, none, none}, "; the largest part is image × text with 50.0 %", "what is not there has no interval"},
		{Interval{d(0), d(0), d(0)}, Interval{d(0), d(0), d(0)}, Interval{d(0), d(0), d(0)}, "", "no part"},
	} {
		a := &result.Aggregate{
			Contributions:         map[string]score.Share{"image": tt.image.Share, "text": tt.text.Share},
			ContributionIntervals: map[string][2]score.Share{"image": {tt.image.Low, tt.image.High}, "text": {tt.text.Low, tt.text.High}},
			Pairs:                 []result.Pair{{Pair: [2]string{"image", "text"}, Share: tt.pair.Share, Low: tt.pair.Low, High: tt.pair.High}},
		}
		if got := largestPart(a); got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.reason, tt.want, got)
		}
	}
}

// The verdict says what cancels where the warning is about its target, and only there.
func TestVerdictTellsWhatCancels(t *testing.T) {
	d := score.Defined
	u := target(d(0.096), d(0.08), d(0.12))
	u.MeanAbsolute.InterSHAP = d(0.236)
	const tells = "; interactions of opposite sign cancel over samples: 23.6 % before they do."
	if got := Verdict(of(u, "other", "predicted"), u); !strings.HasSuffix(got, "; the largest part is image alone with 25.0 %"+tells) {
		t.Errorf("want the end %q, got %q", tells, got)
	}
	for _, other := range []string{"other", ""} {
		if got := Verdict(of(u, other), u); strings.Contains(got, "cancel") {
			t.Errorf("a warning about %q: want nothing about this target, got %q", other, got)
		}
	}
	u.Global.Low, u.Global.High = d(0), d(1)
	if got := Verdict(of(u, "predicted"), u); !strings.HasPrefix(got, "These samples") || !strings.HasSuffix(got, tells) {
		t.Errorf("an unclear headline: want the same end, got %q", got)
	}
}

func TestHeadlineName(t *testing.T) {
	for h, want := range map[result.Headline]string{result.Global: "global", result.MeanAbsolute: "mean absolute"} {
		if got := HeadlineName(h); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestSortedPairs(t *testing.T) {
	u := target(score.Defined(0.5), score.Share{}, score.Share{})
	u.Global.Pairs = []result.Pair{{Share: score.Defined(0.1)}, {}, {Share: score.Defined(0.3)}, {Share: score.Defined(0.1)}}
	want := []int{2, 0, 3, 1} // equal shares stay in order, undefined ones come last
	got := SortedPairs(u)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("want %v, got %v", want, got)
		}
	}
}

func TestResidual(t *testing.T) {
	good := result.Target{Residual: 2e-16, ResidualTolerance: 1e-12}
	bad := result.Target{Residual: 0.12, ResidualTolerance: 1e-12}
	for want, targets := range map[string][]result.Target{
		"": nil,
		"every sample adds up to f(x) - v({}): largest residual 2e-16, tolerance 1e-12":    {good},
		"not every sample adds up to f(x) - v({}): largest residual 0.12, tolerance 1e-12": {good, bad},
	} {
		if got := Residual(targets); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestEscape(t *testing.T) {
	const name = "<img src=x onerror=alert(1)> größe שלום 你好"
	if got := Escape(name); got != name {
		t.Errorf("letters and signs stay: want %q, got %q", name, got)
	}
	if got, want := Escape("a\x1b[1m\n\u202eb\xff"), `a\x1b[1m\n\u202eb\xff`; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}
