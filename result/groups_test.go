package result

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/score"
)

// grouped is an explanation of the product of three bits, all seen as ones against
// zeros, of which two are groups of "a": pairs have an SII of 1/2, singles 1/3 − 1/2.
func grouped(t testing.TB) *Explanation {
	t.Helper()
	groups := []Grouping{{"a", []int{0, 1}}, {"b", []int{2}}}
	layout := score.Layout{Modalities: 3, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	sums := score.NewAccumulator(layout)
	const single, half = -1. / 6, 1. / 4
	for range 2 {
		sums.Add(0, score.Sample{
			Output:  1,
			Phi:     []float64{single, half, half, half, single, half, half, half, single},
			Weights: slices.Repeat([]uint8{1}, score.Replicates),
		})
	}
	s := sums.Summary(0, score.Options{Level: 0.95, Quantile: quantile, Parts: GroupParts(groups)})
	e := &Explanation{Schema: Schema, Modalities: []string{"a/x", "a/y", "b"}, Groups: groups}
	e.Provenance.Level = 0.95
	e.Targets = []Target{{Target: "output", Headline: MeanAbsolute, Breakdown: NewBreakdown(s, e.Modalities), Across: NewAcross(s, groups)}}
	return e
}

var looseShares = cmp.Comparer(func(a, b score.Share) bool {
	x, ok1 := a.Value()
	y, ok2 := b.Value()
	return ok1 == ok2 && x-y < 1e-12 && y-x < 1e-12
})

func TestNewAcross(t *testing.T) {
	if GroupParts(nil) != nil || NewAcross(nil, nil) != nil {
		t.Error("parts without groups")
	}
	exact := func(x float64) Bounded {
		return Bounded{score.Defined(x), score.Defined(x), score.Defined(x)}
	}
	e := grouped(t)
	want := AcrossAggregate{
		InterSHAP: exact(0.5).Share, Low: exact(0.5).Low, High: exact(0.5).High,
		Within: exact(0.25), CrossModal: exact(2. / 3),
		Modalities: []ModalityShare{{"a", exact(1. / 6), exact(0.25)}, {"b", exact(1. / 12), exact(0)}},
		Between:    []Pair{{Pair: [2]string{"a", "b"}, Share: score.Defined(0.5), Low: score.Defined(0.5), High: score.Defined(0.5), Phi: 1}},
	}
	for name, got := range map[string]AcrossAggregate{"global": e.Targets[0].Across.Global, "mean absolute": e.Targets[0].Across.MeanAbsolute} {
		if diff := cmp.Diff(want, got, looseShares, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		got.Between[0].Phi = 2
		if cmp.Diff(want, got, looseShares, cmpopts.EquateApprox(0, 1e-12)) == "" {
			t.Errorf("%s: another phi is not seen", name)
		}
	}
}

func TestHeadlineIntervalOfGroups(t *testing.T) {
	target := grouped(t).Targets[0]
	target.Across.Global.InterSHAP = score.Defined(0.4)
	for headline, want := range map[Headline]float64{Global: 0.4, MeanAbsolute: 0.5} {
		target.Headline = headline
		if share, _, _ := target.HeadlineInterval(); cmp.Diff(score.Defined(want), share, looseShares) != "" {
			t.Errorf("%s: headline %v, want %v", headline, share, want)
		}
	}
}

func TestGroupsRoundTrip(t *testing.T) {
	want := grouped(t)
	raw := written(t, want)
	got, err := Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Groups, got.Groups); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Targets[0].Across, got.Targets[0].Across, cmp.AllowUnexported(score.Share{})); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{`"groups": [`, `"modality": "a"`, `"players": [`, `"across": {`, `"cross_modal": {`, `"contribution": {`, `"within": {`, `"between": [`} {
		if !bytes.Contains(raw, []byte(key)) {
			t.Errorf("the document lacks %s", key)
		}
	}
	// Without groups both are there, and null.
	if plain := written(t, example()); !bytes.Contains(plain, []byte(`"groups": null`)) || !bytes.Contains(plain, []byte(`"across": null`)) {
		t.Error("want groups and across null without groups")
	}
}

func TestReadRefusesGroups(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		spoil      func(e *Explanation, a *AcrossAggregate)
	}{
		{"a player left out", "groups: want all of 3 players, got 2", func(e *Explanation, _ *AcrossAggregate) { e.Groups = e.Groups[:1] }},
		{"a player twice", "groups[1].players[0]: want 2, the next position in modalities, got 1", func(e *Explanation, _ *AcrossAggregate) { e.Groups[1].Players = []int{1} }},
		{"a player that is none", "groups[1].players[0]: want 2, the next position in modalities, got 7", func(e *Explanation, _ *AcrossAggregate) { e.Groups[1].Players = []int{7} }},
		{"no player", "groups[1].players: want one player or more, got none", func(e *Explanation, _ *AcrossAggregate) { e.Groups[1].Players = nil }},
		{"one name twice", `groups[1]: want different names, got "a" twice`, func(e *Explanation, _ *AcrossAggregate) { e.Groups[1].Modality = "a" }},
		{"nothing divided", "groups: want a modality of two or more players, got none; null without groups", func(e *Explanation, _ *AcrossAggregate) {
			e.Groups = []Grouping{{"a", []int{0}}, {"b", []int{1}}, {"c", []int{2}}}
		}},
		{"groups without shares", "targets[0].across: want shares by modality, since there are groups, got null", func(e *Explanation, _ *AcrossAggregate) { e.Targets[0].Across = nil }},
		{"shares without groups", "targets[0].across: want null, since there are no groups", func(e *Explanation, _ *AcrossAggregate) { e.Groups = nil }},
		{"no fraction", "targets[0].across.global.within.share: want 0 to 1, got 7", func(_ *Explanation, a *AcrossAggregate) { a.Within.Share = score.Defined(7) }},
		{"bounds that change places", "targets[0].across.global.cross_modal: want low at most high", func(_ *Explanation, a *AcrossAggregate) { a.CrossModal.Low = score.Defined(0.9) }},
		{"parts that do not add up", "targets[0].across.global: want intershap and within that add up to the players' intershap, 0.75, got 0.85", func(_ *Explanation, a *AcrossAggregate) { a.InterSHAP = score.Defined(0.6) }},
		{"a modality left out", "targets[0].across.global.modalities: want 2, one for each modality, got 1", func(_ *Explanation, a *AcrossAggregate) { a.Modalities = a.Modalities[:1] }},
		{"another modality", `targets[0].across.global.modalities[1].modality: want "b", got "c"`, func(_ *Explanation, a *AcrossAggregate) { a.Modalities[1].Modality = "c" }},
		{"no contribution", "targets[0].across.global.modalities[0].contribution.share: want 0 to 1, got -1", func(_ *Explanation, a *AcrossAggregate) {
			a.Modalities[0].Contribution.Share = score.Defined(-1)
		}},
		{"a pair left out", `targets[0].across.global.between[0]: want the pair ["a" "b"]`, func(_ *Explanation, a *AcrossAggregate) { a.Between = nil }},
		{"a pair too many", "targets[0].across.global.between: want 1 pairs of modalities, got 2", func(_ *Explanation, a *AcrossAggregate) { a.Between = append(a.Between, a.Between[0]) }},
		{"a share of a pair", "targets[0].across.global.between[0].share: want 0 to 1, got 2", func(_ *Explanation, a *AcrossAggregate) { a.Between[0].Share = score.Defined(2) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := grouped(t)
			tt.spoil(e, &e.Targets[0].Across.Global)
			err := e.check()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
