package result

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// ofThree adds up two samples of three modalities with values of all seven coalitions,
// out of the order in which pairs are listed: {0,1}, {0,2}, {1,2} come in the order of
// their bits, {0,3} would come after {1,2}.
func ofThree(values ...[]float64) *score.Summary {
	a := score.NewAccumulator(score.Layout{
		Modalities: 3, Cells: []game.Coalition{1, 2, 4, 3, 5, 6, 7}, Targets: 1, Partitions: []int{1}, Convention: score.Paper,
	})
	for i, phi := range values {
		weights := make([]uint8, score.Replicates)
		score.WeightsTo(weights, 1, string(rune('a'+i)))
		a.Add(0, score.Sample{Phi: phi, Weights: weights})
	}
	return a.Summary(0, score.Options{Level: 0.95, Quantile: quantile})
}

// withInteractions is an explanation of three modalities with interactions and spectra.
// Its first sample has the values 1, 2, -3, 4, 0, 0, 2 and its second 3, 2, -1, 0, 0, 0,
// 2: means 2, 2, -2, 2, 0, 0, 2, of size 10.
func withInteractions(t *testing.T) *Explanation {
	t.Helper()
	s := ofThree([]float64{1, 2, -3, 4, 0, 0, 2}, []float64{3, 2, -1, 0, 0, 0, 2})
	names := []string{"a", "b", "c"}
	e := example()
	e.Modalities, e.Classes = names, nil
	layout := score.Layout{Modalities: 3, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	a := score.NewAccumulator(layout)
	weights := slices.Repeat([]uint8{1}, score.Replicates)
	a.Add(0, score.Sample{Output: 6, Phi: []float64{2, 1, 0, 1, 2, 0, 0, 0, 0}, Weights: weights})
	opt := score.Options{Level: 0.95, Quantile: quantile}
	target := &e.Targets[0]
	target.ByClass, target.Breakdown = nil, NewBreakdown(a.Summary(0, opt), names)
	target.Interactions = NewInteractions(s, "Moebius", 3, true, names)
	target.Spectrum = &Spectra{Moebius: NewSpectrum(s), KSII: NewSpectrum(a.Summary(0, opt)), Parity: score.Defined(0.75)}
	return e
}

func TestNewInteractions(t *testing.T) {
	x := withInteractions(t).Targets[0].Interactions
	var names []string
	var phi, share []float64
	for _, v := range x.Values {
		names, phi, share = append(names, strings.Join(v.Players, "")), append(phi, v.Phi), append(share, v.Share.Or(-1))
		if _, known := v.SE.Coalitions.Value(); known {
			t.Errorf("%s: an error of coalitions that were not drawn", v.Players)
		}
		if _, known := v.SE.Samples.Value(); !known || v.SE.Background.Or(-1) != 0 {
			t.Errorf("%s: want the samples' error and none of fixed values, got %+v", v.Players, v.SE)
		}
	}
	if d := cmp.Diff([]string{"a", "b", "c", "ab", "ac", "bc", "abc"}, names); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float64{2, 2, -2, 2, 0, 0, 2}, phi); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float64{.2, .2, .2, .2, 0, 0, .2}, share); d != "" {
		t.Error(d)
	}
	// Local shares: 6, 4 and 2 parts in 12, and 6, 0 and 2 in 8.
	want := []LocalOrderShare{{1, score.Defined(0.625)}, {2, score.Defined((4./12 + 0) / 2)}, {3, score.Defined((2./12 + 2./8) / 2)}}
	near := func(got score.Share, want float64) bool { return math.Abs(got.Or(-1)-want) <= 1e-12 }
	for i, o := range x.Spectrum.Local {
		if o.Order != want[i].Order || !near(o.Share, want[i].Share.Or(0)) {
			t.Errorf("local: want %+v, got %+v", want[i], o)
		}
	}
	if got := x.Spectrum.Global[0].Share; !near(got, 0.6) {
		t.Errorf("want single modalities at 6 parts in 10, got %v", got)
	}
	if &x.Spectrum.Headline(MeanAbsolute)[0] != &x.Spectrum.MeanAbsolute[0] || &x.Spectrum.Headline(Global)[0] != &x.Spectrum.Global[0] {
		t.Error("the headline names the wrong shares")
	}
	for i, v := range x.Values {
		// No sign changes between the samples: the sizes of the means are the means
		// of the sizes, but for 4 and 0, whose share is not clear of zero.
		if a := v.MeanAbsolute; !near(a.Share, share[i]) || !(a.Low.Or(2) <= a.Share.Or(-1) && a.Share.Or(-1) <= a.High.Or(-1)) {
			t.Errorf("%s: want %v with bounds, got %+v", v.Players, share[i], a)
		}
	}
	// Nothing in any sample.
	nothing := NewSpectrum(ofThree(make([]float64, 7)))
	for i := range 3 {
		if _, ok := nothing.Local[i].Share.Value(); ok || nothing.Global[i].Share != (score.Share{}) {
			t.Errorf("order %d of nothing has shares", i+1)
		}
	}
}

// Of each size the largest in the aggregation comes first; equal shares stay in order, and
// undefined ones are last.
func TestBySize(t *testing.T) {
	value := func(players string, global, absolute float64) CoalitionValue {
		v := CoalitionValue{Players: strings.Split(players, ""), ShareLow: score.Defined(0.01), MeanAbsolute: Bounded{High: score.Defined(0.9)}}
		if global >= 0 {
			v.Share = score.Defined(global)
		}
		if absolute >= 0 {
			v.MeanAbsolute.Share = score.Defined(absolute)
		}
		return v
	}
	x := &Interactions{Order: 3, Values: []CoalitionValue{
		value("a", .1, .2), value("b", .3, .1), value("c", -1, -1),
		value("ab", .05, .3), value("ac", .05, .1), value("bc", .2, .2), value("abc", 0, .2),
	}}
	if d := cmp.Diff([][]int{{1, 0, 2}, {5, 3, 4}, {6}}, x.BySize(Global)); d != "" {
		t.Errorf("global: %s", d)
	}
	if d := cmp.Diff([][]int{{0, 1, 2}, {3, 5, 4}, {6}}, x.BySize(MeanAbsolute)); d != "" {
		t.Errorf("mean absolute: %s", d)
	}
	if v := x.Values[0].In(Global); v.Share.Or(0) != .1 || v.Low.Or(0) != .01 || v.High != (score.Share{}) {
		t.Errorf("want the global share, got %+v", v)
	}
	if v := x.Values[0].In(MeanAbsolute); v.Share.Or(0) != .2 || v.High.Or(0) != .9 {
		t.Errorf("want the mean absolute share, got %+v", v)
	}
	if d := cmp.Diff([][]int{nil, nil, nil}, (&Interactions{Order: 3}).BySize(Global)); d != "" {
		t.Errorf("of nothing: %s", d)
	}
}

// Pairs of four modalities are listed by their players: ad stands before bc.
func TestInteractionsOrder(t *testing.T) {
	a := score.NewAccumulator(score.Layout{Modalities: 4, Cells: []game.Coalition{3, 5, 6, 9, 10, 12}, Targets: 1, Partitions: []int{1}, Convention: score.Paper})
	a.Add(0, score.Sample{Phi: []float64{1, 2, 3, 4, 5, 6}, Weights: make([]uint8, score.Replicates)})
	x := NewInteractions(a.Summary(0, score.Options{Level: 0.95, Quantile: quantile}), "SII", 2, false, []string{"a", "b", "c", "d"})
	var got []string
	for _, v := range x.Values {
		got = append(got, strings.Join(v.Players, ""))
	}
	if d := cmp.Diff([]string{"ab", "ac", "ad", "bc", "bd", "cd"}, got); d != "" {
		t.Error(d)
	}
}

func TestInteractionsRoundTrip(t *testing.T) {
	want := withInteractions(t)
	got, err := Read(bytes.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, exact); d != "" {
		t.Error(d)
	}
	// The keys that the format promises.
	var document struct {
		Targets []struct {
			Interactions map[string]any
			Spectrum     map[string]any
		}
	}
	if err := json.Unmarshal(written(t, want), &document); err != nil {
		t.Fatal(err)
	}
	keys := func(x any) string {
		var out []string
		for k := range x.(map[string]any) {
			out = append(out, k)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	target := document.Targets[0]
	value := target.Interactions["values"].([]any)[0].(map[string]any)
	for _, c := range []struct {
		of   any
		want string
	}{
		{target.Interactions, "efficient index order spectrum values"},
		{value, "high low mean_absolute phi players se share share_high share_low"},
		{value["mean_absolute"], "high low share"},
		{value["se"], "background coalitions samples"},
		{target.Spectrum, "k_sii moebius parity"},
		{target.Spectrum["moebius"], "global local mean_absolute order"},
		{target.Spectrum["moebius"].(map[string]any)["global"].([]any)[0], "high low order share"},
		{target.Spectrum["moebius"].(map[string]any)["local"].([]any)[0], "order share"},
	} {
		if got := keys(c.of); got != c.want {
			t.Errorf("want the keys %s, got %s", c.want, got)
		}
	}
}

func TestReadRefusesInteractions(t *testing.T) {
	d := score.Defined
	for _, c := range []struct {
		name, want string
		change     func(x *Interactions, s *Spectra)
	}{
		{"an order above the modalities", "interactions.order: want 1 to 3, the number of modalities, got 4", func(x *Interactions, _ *Spectra) { x.Order = 4 }},
		{"a value that is missing", "want 7, one for each coalition", func(x *Interactions, _ *Spectra) { x.Values = x.Values[1:] }},
		{"a coalition twice", "no coalition twice", func(x *Interactions, _ *Spectra) { x.Values[1].Players = []string{"a"} }},
		{"no player", "want 1 to 3 modalities", func(x *Interactions, _ *Spectra) { x.Values[0].Players = nil }},
		{"an unknown player", "want modalities in their order", func(x *Interactions, _ *Spectra) { x.Values[0].Players = []string{"x"} }},
		{"a player twice", "want modalities in their order", func(x *Interactions, _ *Spectra) { x.Values[3].Players = []string{"b", "b"} }},
		{"a negative error", "values[0].se.samples: want 0 or more, got -1", func(x *Interactions, _ *Spectra) { x.Values[0].SE.Samples = d(-1) }},
		{"a value outside its bounds", "values[2]: want phi, -2, between low and high", func(x *Interactions, _ *Spectra) { x.Values[2].High = d(-3) }},
		{"a share above 1", "values[0].share: want 0 to 1, got 2", func(x *Interactions, _ *Spectra) { x.Values[0].Share = d(2) }},
		{"a mean absolute share above 1", "values[1].mean_absolute.share: want 0 to 1, got 2", func(x *Interactions, _ *Spectra) { x.Values[1].MeanAbsolute.Share = d(2) }},
		{"a sum that misses", "want values that sum to output - base, 6, got 7", func(x *Interactions, _ *Spectra) { x.Values[6].Phi, x.Values[6].High = 3, d(3) }},
		{"another order of its spectrum", "interactions.spectrum.order: want 3, got 2", func(x *Interactions, _ *Spectra) { x.Spectrum.Order = 2 }},
		{"shares that miss 1", "spectrum.moebius.local: want shares that add up to 1", func(_ *Interactions, s *Spectra) { s.Moebius.Local[0].Share = d(0.9) }},
		{"an order that is missing", "moebius.global: want 3 shares, one for each order, got 2", func(_ *Interactions, s *Spectra) { s.Moebius.Global = s.Moebius.Global[:2] }},
		{"orders that change places", "moebius.mean_absolute[0].order: want 1, got 2", func(_ *Interactions, s *Spectra) { s.Moebius.MeanAbsolute[0].Order = 2 }},
		{"bounds that change places", "k_sii.global[1]: want low at most high", func(_ *Interactions, s *Spectra) { s.KSII.Global[1].Low, s.KSII.Global[1].High = d(0.9), d(0.1) }},
		{"no order", "k_sii.order: want 1, got 0", func(_ *Interactions, s *Spectra) { s.KSII.Order = 0 }},
		{"a parity above 1", "spectrum.parity: want 0 to 1, got 3", func(_ *Interactions, s *Spectra) { s.Parity = d(3) }},
	} {
		e := withInteractions(t)
		c.change(e.Targets[0].Interactions, e.Targets[0].Spectrum)
		_, err := Read(bytes.NewReader(written(t, e)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
	// What is no part of an efficient index need not add up.
	e := withInteractions(t)
	e.Targets[0].Interactions.Efficient = false
	e.Targets[0].Interactions.Values[6].Phi, e.Targets[0].Interactions.Values[6].High = 3, d(3)
	if _, err := Read(bytes.NewReader(written(t, e))); err != nil {
		t.Errorf("want no error, got %v", err)
	}
}
