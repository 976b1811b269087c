package plot

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// allTexts joins the texts of a figure.
func allTexts(sc *scene.Scene) string {
	var b strings.Builder
	for _, x := range sc.Texts() {
		b.WriteString(x.Text + "\n")
	}
	return b.String()
}

// cancelling is a target that does not follow the sample, with numbers that are easily
// told apart: means are those of handMade, shares of mean absolutes 10, 20 and 70 %.
func cancelling() *result.Explanation {
	d := score.Defined
	ex := handMade()
	t := &ex.Targets[0]
	t.Headline = result.MeanAbsolute
	t.MeanAbsolute.Aggregate = result.Aggregate{
		InterSHAP: d(0.7), Low: d(0.66), High: d(0.74), Behaviour: 1, Interactions: 0.7,
		Contributions:         map[string]score.Share{"a": d(0.1), "b": d(0.2)},
		ContributionIntervals: map[string][2]score.Share{"a": {d(0.08), d(0.12)}, "b": {d(0.18), d(0.22)}},
		Pairs:                 []result.Pair{{Pair: [2]string{"a", "b"}, Share: d(0.7), Low: d(0.66), High: d(0.74)}},
	}
	return ex
}

const meansCancel = "means cancel and steps are small"

// TestSharesBesideMeans: beside means stand the shares of means, whatever is read first.
func TestSharesBesideMeans(t *testing.T) {
	s := choose(t, cancelling(), nil, Choice{})
	for kind, want := range map[Kind]string{Waterfall: "17.9 % [15.0, 21.0]", Force: "17.9 % [15.0, 21.0]", Network: "78.6 % [75.0, 82.0]", Matrix: "39.3 %"} {
		for _, how := range []Interactions{Pairs, One} {
			sc := draw(t, kind, s, Options{Interactions: how})
			text := allTexts(sc)
			for _, want := range []string{want, "mean absolute InterSHAP 70.0 % [66.0, 74.0]"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s, %s: want %q, got\n%s", kind, how, want, text)
				}
			}
			if !strings.Contains(sc.Description, meansCancel) {
				t.Errorf("%s: want a note on means, got %s", kind, sc.Description)
			}
			for _, wrong := range []string{"20.0 %", "10.0 %", "35.0 %"} {
				if strings.Contains(text, wrong) {
					t.Errorf("%s: a share of mean absolutes, %s, beside a mean", kind, wrong)
				}
			}
		}
	}
	for kind, want := range map[Kind]string{Bars: "20.0 %", Spectrum: "70.0 % [66.0, 74.0]"} {
		if text := allTexts(draw(t, kind, s, Options{})); !strings.Contains(text, want) || strings.Contains(text, meansCancel) {
			t.Errorf("%s: want the headline's %s and no note on means, got\n%s", kind, want, text)
		}
	}
	if text := allTexts(draw(t, Waterfall, choose(t, handMade(), nil, Choice{}), Options{})); strings.Contains(text, meansCancel) {
		t.Error("a note on means where they are read first")
	}
}

// TestUnknownSharesAreNotNumbers: of the share of a, 3.6 %, only an upper bound of 7 % is
// known; then nothing at all.
func TestUnknownSharesAreNotNumbers(t *testing.T) {
	d := score.Defined
	unclear := handMade()
	for _, b := range []*result.Breakdown{&unclear.Targets[0].Breakdown, &unclear.Targets[0].ByClass[0].Breakdown} {
		b.Global.ContributionIntervals = map[string][2]score.Share{"a": {d(0), d(1)}, "b": {d(0), d(1)}}
		b.Global.Low, b.Global.High = d(0), d(1)
		b.Global.Pairs = []result.Pair{{Pair: [2]string{"a", "b"}, Share: d(0.44 / 0.56), Low: d(0), High: d(1)}}
	}
	for _, kind := range []Kind{Waterfall, Force, Matrix, Network, Bars, Spectrum} {
		text := allTexts(draw(t, kind, choose(t, handMade(), nil, Choice{}), Options{}))
		if strings.Contains(text, "3.6 %") || kind != Bars && kind != Spectrum && !strings.Contains(text, "< 7.0 %") {
			t.Errorf("%s: want < 7.0 %% for 3.6 %%, got\n%s", kind, text)
		}
		text = allTexts(draw(t, kind, choose(t, unclear, nil, Choice{}), Options{}))
		for _, wrong := range []string{"17.9 %", "78.6 %", "39.3 %", "3.6 %", "21.4 %"} {
			if strings.Contains(text, wrong) {
				t.Errorf("%s: says %s, of which nothing is known", kind, wrong)
			}
		}
		if !strings.Contains(text, "unclear") {
			t.Errorf("%s: want unclear, got\n%s", kind, text)
		}
	}
	// Half of a pair's share, and half of its bound.
	half := handMade()
	half.Targets[0].Global.Pairs[0].Low, half.Targets[0].Global.Pairs[0].High = d(0), d(0.9)
	if got := choose(t, half, nil, Choice{}).cellTexts(0, 1)[1]; got != "< 45.0 %" {
		t.Errorf("want half of the bound, < 45.0 %%, got %q", got)
	}
	// What pairs do is below 4 %, so modalities alone do more than 96 %.
	few := handMade()
	few.Targets[0].Global.InterSHAP, few.Targets[0].Global.Low, few.Targets[0].Global.High = d(0.01), d(0), d(0.04)
	if text := allTexts(draw(t, Spectrum, choose(t, few, nil, Choice{}), Options{})); !strings.Contains(text, "> 96.0 %") || strings.Contains(text, "99.0 %") {
		t.Errorf("want > 96.0 %%, got\n%s", text)
	}
	if got := atLeastShare(1 - 3e-5); got != "99.9 %" {
		t.Errorf("a lower bound is rounded down: want 99.9 %%, got %s", got)
	}
}

// TestPaleParts: parts of bars that are not clear of their error are pale and say no
// number, and a note says so.
func TestPaleParts(t *testing.T) {
	const note = "Pale: not clear of its error."
	sc := draw(t, Bars, choose(t, handMade(), nil, Choice{}), Options{})
	l := Options{}.look()
	for _, b := range of[*scene.Rect](sc, "bar pale") {
		if b.Fill != l.pale(l.alone) {
			t.Errorf("want the pale colour of a, got %v", b.Fill)
		}
	}
	if text := allTexts(sc); !strings.Contains(text, note) || !strings.Contains(sc.Description, "a alone < 7.0 %") {
		t.Errorf("want a note and the bound, got\n%s%s", text, sc.Description)
	}
	clear := handMade()
	for _, b := range []*result.Breakdown{&clear.Targets[0].Breakdown, &clear.Targets[0].ByClass[0].Breakdown} {
		b.Global.ContributionIntervals = map[string][2]score.Share{"a": {score.Defined(0.01), score.Defined(0.07)}, "b": {score.Defined(0.15), score.Defined(0.21)}}
	}
	sc = draw(t, Bars, choose(t, clear, nil, Choice{}), Options{})
	if pale := of[*scene.Rect](sc, "bar pale"); len(pale) > 0 || strings.Contains(allTexts(sc), note) {
		t.Errorf("want nothing pale where all is clear, got %d", len(pale))
	}
	// Seven modalities as one part: one of them that is unclear makes their sum so.
	ex, _ := newFixture(12, 2, 30).build()
	s := choose(t, ex, nil, Choice{})
	rest := part{text: "rest", modalities: []int{0, 11}}
	a := &ex.Targets[0].Global.Aggregate
	names := ex.Modalities
	a.ContributionIntervals[names[0]], a.ContributionIntervals[names[11]] = [2]score.Share{score.Defined(0.01), score.Defined(0.2)}, [2]score.Share{score.Defined(0.01), score.Defined(0.2)}
	if st, text := s.stretchOf(a, rest); st.unclear || text == "" {
		t.Errorf("want a sum of what is known, got %v %q", st, text)
	}
	a.ContributionIntervals[names[0]] = [2]score.Share{score.Defined(0), score.Defined(0.2)}
	if st, text := s.stretchOf(a, rest); !st.unclear || text != "" {
		t.Errorf("want a sum that says nothing, got %v %q", st, text)
	}
}

// TestFoldSaysNothingOfUnclear: the sum of shares, one of which is unclear.
func TestFoldSaysNothingOfUnclear(t *testing.T) {
	d := score.Defined
	s := choose(t, handMade(), nil, Choice{})
	effects := s.effects(Pairs) // b, a, and their pair; a is not clear of 0
	folded := fold(effects, 2)
	more := folded[len(folded)-1]
	if more.name.String() != "2 more" && more.class != "more" {
		// The pair is the largest, so that more comes last in any case.
		t.Fatalf("want more, got %v", folded)
	}
	if got := s.effectCells(more)[1]; got != "" {
		t.Errorf("want no share of a sum with an unclear part, got %q", got)
	}
	if got := shortCells(more)[1]; got != "" {
		t.Errorf("want none in short either, got %q", got)
	}
	if got := s.effectLabel(more); strings.Contains(got, "share") {
		t.Errorf("want a label without a share, got %q", got)
	}
	for i := range effects {
		effects[i].share.Low = d(0.001)
	}
	folded = fold(effects, 2)
	if got := s.effectCells(folded[len(folded)-1])[1]; got != "21.4 %" {
		t.Errorf("want 12/56 where all is clear, got %q", got)
	}
}

// TestDoubts: warnings about the target stand under its figures, and no others.
func TestDoubts(t *testing.T) {
	ex := handMade()
	ex.Warnings = []diag.Warning{
		{ID: "mean-hides-interaction", Subject: "predicted", Text: "interactions of opposite sign cancel over the samples: 7.2 % by means, 55.1 % by mean absolutes"},
		{ID: "background-too-small", Subject: "", Text: "one background row cannot tell its own error, so intervals hold that of the samples alone: need at least 2 rows, better 100"},
		{ID: "mean-hides-interaction", Subject: "class:other", Text: "of another target"},
		{ID: "ignored-column", Subject: "", Text: "of no figure"},
		{ID: "mean-degenerate", Subject: "", Text: "the target does not follow the sample: with a background like the data, its mean effects cancel and the global score is 1/2 or noise; the mean of absolutes is the headline\x1b[1m"},
	}
	doubts := func(s *Subject, kind Kind) string {
		sc := draw(t, kind, s, Options{})
		for _, f := range sc.Faults() {
			t.Error(f)
		}
		var out []string
		for _, x := range of[*scene.Text](sc, "doubt") {
			out = append(out, x.Text)
		}
		if !strings.Contains(sc.Description, "better 100") || strings.Contains(sc.Description, "\x1b") {
			t.Errorf("%s: want warnings in full, and escaped, got %s", kind, sc.Description)
		}
		return strings.Join(out, "\n")
	}
	const (
		hides = "Warning: interactions of opposite sign cancel over the samples: 7.2 % by means, 55.1 % by mean absolutes"
		small = "Warning: one background row cannot tell its own error, so intervals hold that of the samples alone: need at least 2 rows, better 100"
		mean  = "Warning: the target does not follow the sample: with a background like the data, its mean effects cancel and the global score is 1/2 or noise …"
	)
	s := choose(t, ex, nil, Choice{})
	for _, kind := range []Kind{Waterfall, Force, Matrix, Network, Bars, Spectrum} {
		if got, want := doubts(s, kind), hides+"\n"+small+"\n"+mean; kind != Matrix && got != want || !strings.HasPrefix(got, hides[:20]) {
			t.Errorf("%s: want\n%s\ngot\n%s", kind, want, got)
		}
	}
	// Figures of means say themselves that they cancel.
	ex.Targets[0].Headline = result.MeanAbsolute
	s = choose(t, ex, nil, Choice{})
	if got := doubts(s, Waterfall); strings.Contains(got, "does not follow") {
		t.Errorf("want it said once, got\n%s", got)
	}
	if got := doubts(s, Bars); !strings.Contains(got, "does not follow") {
		t.Errorf("want it said under bars, got\n%s", got)
	}
	// Means are no matter of one sample.
	one, samples := handMadeSamples()
	one.Warnings = ex.Warnings
	if got := doubts(choose(t, one, samples, Choice{Sample: ptr("id0")}), Waterfall); got != small {
		t.Errorf("one sample: want\n%s\ngot\n%s", small, got)
	}
}

func TestBrief(t *testing.T) {
	f := scene.Font{Size: 11}
	const text = "one background row cannot tell its own error, so intervals hold that of the samples alone: need 2"
	for width := 20.0; width < 700; width += 10 {
		if got := brief(text, f, width); f.Width(got) > width && len([]rune(got)) > 2 {
			t.Errorf("%v pixels: %q has %v", width, got, f.Width(got))
		}
	}
	if got := brief(text, f, 300); got != "one background row cannot tell its own error …" {
		t.Errorf("want the first clause, got %q", got)
	}
}

// TestOneBarNote: where pairs of either sign are one bar, the figure says so.
func TestOneBarNote(t *testing.T) {
	const note = "“interactions” adds pairs with their signs, its share adds their sizes."
	f := newFixture(3, 2, 20)
	f.phi = func(int, *rand.Rand) [][]float64 {
		return [][]float64{{0.1, 0.2, -0.2}, {0.2, 0.1, 0}, {-0.2, 0, 0.1}}
	}
	ex, _ := f.build()
	s := choose(t, ex, nil, Choice{})
	for _, kind := range []Kind{Waterfall, Force} {
		if got := draw(t, kind, s, Options{Interactions: One}).Description; !strings.Contains(got, note) {
			t.Errorf("%s: want %q, got %s", kind, note, got)
		}
		if got := draw(t, kind, s, Options{}).Description; strings.Contains(got, note) {
			t.Errorf("%s: a note on one bar where pairs have their own", kind)
		}
	}
}

// TestTwoModalities: a pair is all that there is, so that parity is no reference, and
// texts stand near their nodes.
func TestTwoModalities(t *testing.T) {
	s := choose(t, handMade(), nil, Choice{})
	sc := draw(t, Spectrum, s, Options{})
	if got := allTexts(sc); strings.Contains(got, "parity") || len(of[*scene.Line](sc, "parity")) > 0 {
		t.Errorf("want no parity, got\n%s", got)
	}
	for _, l := range of[*scene.Line](draw(t, Network, s, Options{}), "leader") {
		if long := l.Points[1].X - l.Points[0].X; long*long < 100 || long*long > 900 {
			t.Errorf("want a line of 10 to 30 pixels from a node to its text, got %v", long)
		}
	}
}

// TestNodesDoNotTouch: neighbours on the circle, all as large as the largest.
func TestNodesDoNotTouch(t *testing.T) {
	for _, m := range []int{2, 3, 6, 12, 20} {
		f := newFixture(m, 2, 10)
		f.modalities = modalityNames(m, 40)
		f.phi = func(int, *rand.Rand) [][]float64 {
			phi := square(m)
			for i := range phi {
				phi[i][i] = 1
			}
			return phi
		}
		ex, _ := f.build()
		nodes := of[*scene.Circle](draw(t, Network, choose(t, ex, nil, Choice{}), Options{Width: 520}), "node")
		for i, a := range nodes {
			for _, b := range nodes[i+1:] {
				x, y, r := a.Center.X-b.Center.X, a.Center.Y-b.Center.Y, a.Radius+b.Radius
				if x*x+y*y < r*r {
					t.Errorf("M %d: nodes at %v and %v overlap", m, a.Center, b.Center)
				}
			}
		}
	}
}
