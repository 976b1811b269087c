package wording

import (
	"testing"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// target has a headline share with bounds, and one pair with the rest in a modality.
func target(share, low, high score.Share) *result.Target {
	t := &result.Target{Target: "predicted", Headline: result.Global}
	t.Global.Aggregate = result.Aggregate{
		InterSHAP: share, Low: low, High: high,
		Contributions: map[string]score.Share{"image": score.Defined(0.25), "text": score.Defined(0.125)},
		Pairs:         []result.Pair{{Pair: [2]string{"image", "text"}, Share: share}},
	}
	return t
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
		{d(0.625), none, none, "62.5 % " + what + "; the largest part is image × text with 62.5 %.", "no bounds"},
		{d(0.01), d(0), d(0.02), "Less than 2.0 % " + what + "; the largest part is image alone with 25.0 %.", "down to zero"},
		{d(0), d(0), d(0), "Nothing " + what + "; the largest part is image alone with 25.0 %.", "exactly zero"},
		{d(0.4), d(0), d(1), "These samples and background rows cannot tell how much " + what + ".", "from zero to all"},
		{none, none, none, "The score is undefined: the modalities change nothing in this output.", "no behaviour"},
	} {
		if got := Verdict(target(tt.share, tt.low, tt.high), 0.95); got != tt.want {
			t.Errorf("%s:\nwant %q\ngot  %q", tt.reason, tt.want, got)
		}
	}
	other := target(d(0.625), d(0.5), d(0.75))
	other.Headline = result.MeanAbsolute
	other.MeanAbsolute.InterSHAP = d(0.5)
	if got, want := Verdict(other, 0.95), "50.0 % "+what+"."; got != want {
		t.Errorf("the other aggregation: want %q, got %q", want, got)
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
