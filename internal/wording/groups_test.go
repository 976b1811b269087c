package wording

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Of players that are groups the verdict tells what is across modalities, and then what
// is within.
func TestVerdictOfGroups(t *testing.T) {
	part := func(share, low, high float64) result.Bounded {
		return result.Bounded{Share: score.Defined(share), Low: score.Defined(low), High: score.Defined(high)}
	}
	of := func(across, within result.Bounded) result.AcrossAggregate {
		return result.AcrossAggregate{InterSHAP: across.Share, Low: across.Low, High: across.High, Within: within}
	}
	for _, tt := range []struct {
		name           string
		across, within result.Bounded
		want           string
	}{
		{"both", part(0.3, 0.2, 0.4), part(0.1, 0.05, 0.2),
			"30.0 % of what the groups do to this output is interaction across modalities (95 % interval 20.0 to 40.0); interaction of groups within a modality: 10.0 %."},
		{"none across", part(0, 0, 0), part(0.1, 0.05, 0.2),
			"Nothing of what the groups do to this output is interaction across modalities; interaction of groups within a modality: 10.0 %."},
		{"less than", part(0.1, 0, 0.2), part(0.05, 0, 0.1),
			"Less than 20.0 % of what the groups do to this output is interaction across modalities; interaction of groups within a modality: < 10.0 %."},
		{"unclear", part(0.1, 0, 1), part(0.05, 0, 1),
			"These samples and background rows cannot tell how much of what the groups do to this output is interaction across modalities."},
		{"undefined", result.Bounded{}, result.Bounded{},
			"The score is undefined: the modalities change nothing in this output."},
	} {
		target := result.Target{Target: "predicted", Headline: result.Global}
		target.Global.InterSHAP = score.Defined(0.9) // of all groups, which is not the headline
		target.Across = &result.Across{Global: of(tt.across, tt.within), MeanAbsolute: of(part(0.5, 0.4, 0.6), part(0.2, 0.1, 0.3))}
		ex := &result.Explanation{Targets: []result.Target{target}}
		ex.Provenance.Level = 0.95
		if got := Verdict(ex, &target); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	// What cancels is what is across.
	target := result.Target{Target: "predicted", Headline: result.Global}
	target.Across = &result.Across{Global: of(part(0.1, 0.05, 0.2), part(0, 0, 0)), MeanAbsolute: of(part(0.5, 0.4, 0.6), part(0, 0, 0))}
	target.MeanAbsolute.InterSHAP = score.Defined(0.8)
	ex := &result.Explanation{Targets: []result.Target{target}, Warnings: []diag.Warning{{ID: cancelling, Subject: "predicted"}}}
	ex.Provenance.Level = 0.95
	if got := Verdict(ex, &target); !strings.Contains(got, "50.0 % before they do") {
		t.Errorf("verdict %s, want 50.0 %% before signs cancel", got)
	}
}
