package plot

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// fourPlayers has the effects a 8, b -1, c 4, d 0.5, and cells ab 0.25, ac 3, ad 0, bc
// 0.5, bd -2, cd 0.125. Pairs are twice as large, so that the largest effects are of a 8,
// of c 6, of b and d 4. Behaviour is 13.5 + 2·5.875 = 25.25.
func fourPlayers() *Subject {
	phi := [][]float64{{8, 0.25, 3, 0}, {0.25, -1, 0.5, -2}, {3, 0.5, 4, 0.125}, {0, -2, 0.125, 0.5}}
	s := &Subject{
		names: []string{"a", "b", "c", "d"}, players: "groups", convention: score.Paper, phi: phi,
		groups: []result.Grouping{{Modality: "x", Players: []int{0, 1}}, {Modality: "y", Players: []int{2, 3}}},
	}
	share := func(x float64) wording.Interval {
		v := score.Defined(math.Abs(x) / 25.25)
		return wording.Interval{Share: v, Low: v, High: v}
	}
	for i := range phi {
		s.alone = append(s.alone, share(phi[i][i]))
		for j := i + 1; j < len(phi); j++ {
			s.pairs = append(s.pairs, share(2*phi[i][j]))
		}
	}
	return s
}

// Folding adds cells and shares up: b and d are one row. With a they have 0.25 + 0, with
// c 0.5 + 0.125; alone and together -1 + 0.5 - 2 - 2.
func TestFoldedCells(t *testing.T) {
	s := fourPlayers().folded(3)
	if diff := cmp.Diff([]string{"a", "c", "2 more"}, s.names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want := [][]float64{{8, 3, 0.25}, {3, 4, 0.625}, {0.25, 0.625, -4.5}}
	if diff := cmp.Diff(want, s.phi); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	shares := func(of *Subject) (all []float64) {
		for _, v := range slices.Concat(of.alone, of.pairs) {
			all = append(all, 25.25*v.Share.Or(-1))
		}
		return all
	}
	// a, c, what b and d do (1 + 0.5 + 4); ac, a with both 0.5, c with both 1 + 0.25.
	sizes := []float64{8, 4, 5.5, 6, 0.5, 1.25}
	for i, got := range shares(s) {
		if !(math.Abs(got-sizes[i]) <= 1e-12) {
			t.Errorf("share %d: want %v, got %v", i, sizes[i], got)
		}
	}
	if got := s.cellTexts(0, 2); got[1] == "" {
		t.Errorf("want a share where all parts are clear of their error, got %q", got)
	}
	if diff := cmp.Diff([]int{1, 2}, s.starts()); diff != "" {
		t.Errorf("starts: c begins another modality, and the fold (-want +got)\n%s", diff)
	}
	// A part that is not clear of its error: its sum has no share, and others keep theirs.
	doubtful := fourPlayers()
	doubtful.pairs[0] = wording.Interval{Share: score.Defined(0.02), Low: score.Defined(0), High: score.Defined(0.1)}
	s = doubtful.folded(3)
	if a, b := s.cellTexts(0, 2)[1], s.cellTexts(2, 1)[1]; a != "" || b == "" {
		t.Errorf("want no share of the sum with ab, and one of the other, got %q and %q", a, b)
	}
	if s := fourPlayers(); s.folded(4) != s || s.fold != 0 {
		t.Error("want nothing folded where all fit")
	}
}

// A matrix of 40 has 20 rows, the last of 21; all cells still sum to output - base.
func TestMatrixOfMany(t *testing.T) {
	f := newFixture(40, 2, 30)
	f.modalities, f.groups = modalityNames(40, 30), []int{20, 20}
	ex, samples := f.build()
	s := choose(t, ex, samples, Choice{})
	folded := s.folded(mostRows)
	sum := 0.0
	for _, row := range folded.phi {
		for _, x := range row {
			sum += x
		}
	}
	if want := s.output - s.base; !(math.Abs(sum-want) <= 1e-9*math.Abs(want)) {
		t.Errorf("want cells that sum to %v, got %v", want, sum)
	}
	sc := draw(t, Matrix, s, Options{})
	if got := countOf(sc.Items, "row"); got != mostRows {
		t.Errorf("want %d rows, got %d", mostRows, got)
	}
	if !strings.Contains(sc.Description, "“21 more”: the sums over the groups with the smallest effects") {
		t.Errorf("want a note on the fold, got %s", sc.Description)
	}
	if got := countOf(sc.Items, "start"); got != 4 {
		t.Errorf("want lines on both axes where the second modality and the fold begin, 4, got %d", got)
	}
	// In a given width there are as few as fit.
	narrow := draw(t, Matrix, s, Options{Width: 900})
	if got := countOf(narrow.Items, "row"); got >= mostRows || got < leastRows {
		t.Errorf("want fewer rows in less width, got %d", got)
	}
}

// countOf counts groups, and lines outside of them, of a class.
func countOf(items []scene.Item, class string) int {
	n := 0
	for _, item := range items {
		switch x := item.(type) {
		case *scene.Group:
			if x.Class == class {
				n++
			}
		case *scene.Line:
			if x.Class == class {
				n++
			}
		}
	}
	return n
}

// A network of 40 draws 24 nodes, those of the listed pairs among them, and says what it
// leaves out. A modality of two groups or more has a band.
func TestNetworkOfMany(t *testing.T) {
	f := newFixture(40, 2, 30)
	f.groups = []int{30, 9, 1}
	for i := range f.modalities {
		f.modalities[i] = fmt.Sprintf("player %d", i)
	}
	ex, samples := f.build()
	s := choose(t, ex, samples, Choice{})
	sc := draw(t, Network, s, Options{})
	if got := countOf(sc.Items, "node"); got != mostNodes {
		t.Errorf("want %d nodes, got %d", mostNodes, got)
	}
	if got := countOf(sc.Items, "edge"); got != mostLines {
		t.Errorf("want %d edges, got %d", mostLines, got)
	}
	left := mostNodes*(mostNodes-1)/2 - mostLines
	if want := fmt.Sprintf("Not drawn: the 16 groups with the smallest effects, and the %d smallest pairs of those that are.", left); !strings.Contains(sc.Description, want) {
		t.Errorf("want %q, got %s", want, sc.Description)
	}
	drawn := s.restricted(s.strongest(mostNodes, s.inLargest(mostEdges)))
	pairs := s.pairEffects()
	bySize(pairs)
	for _, p := range pairs[:mostEdges] {
		if !slices.Contains(drawn.names, p.name[0]) || !slices.Contains(drawn.names, p.name[1]) {
			t.Errorf("want both ends of %s drawn, got %q", p.name, drawn.names)
		}
	}
	if got, want := countOf(sc.Items, "band"), len(drawn.banded()); got != want || want == 0 {
		t.Errorf("want %d bands, got %d", want, got)
	}
	// What is kept has its own numbers.
	at := slices.Index(s.names, drawn.names[1])
	if drawn.phi[1][1] != s.phi[at][at] || drawn.alone[1] != s.alone[at] || drawn.se[1][1] != s.se[at][at] {
		t.Error("want the numbers of the modality that is kept")
	}
	// Without groups there are no bands and no gaps.
	f.groups = nil
	ex, samples = f.build()
	if got := countOf(draw(t, Network, choose(t, ex, samples, Choice{}), Options{}).Items, "band"); got != 0 {
		t.Errorf("want no bands without groups, got %d", got)
	}
}

// Groups of different modalities stand further apart than those of one.
func TestAngles(t *testing.T) {
	s := fourPlayers()
	a := s.angles()
	within, across := a[0]-a[1], a[1]-a[2]
	if !(across > 1.3*within) || !(math.Abs(across-(a[3]-a[0]+2*math.Pi)) < 1e-12) {
		t.Errorf("want 1.6 times the room between modalities, also from the last to the first, got %v", a)
	}
	s.groups = nil
	for i, got := range s.angles() {
		if want := math.Pi/2 - (float64(i)+0.5)*math.Pi/2; !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("want quarters of a circle, got %v", got)
		}
	}
}

// Bars of a run with groups have a part for each modality. That of all samples has the
// interval that the result knows; of a class, one group that is not clear makes it pale.
func TestBarsByModality(t *testing.T) {
	f := newFixture(18, 2, 60)
	f.groups = []int{16, 1, 1}
	for i := range f.modalities {
		f.modalities[i] = fmt.Sprintf("player %d", i)
	}
	ex, samples := f.build()
	s := choose(t, ex, samples, Choice{})
	parts := s.parts(Options{}.look())
	var texts []string
	for _, p := range parts {
		texts = append(texts, p.text)
	}
	if diff := cmp.Diff([]string{"modality a (16 groups) alone", "modality b alone", "modality c alone", "interactions"}, texts); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	whole := wording.HeadlineAggregate(&s.target.Breakdown, s.target.Headline)
	st, text := s.stretchOf(whole, parts[0])
	want := s.target.Across.Global.Modalities[0].Contribution
	if st.share != want.Share.Or(-1) || text != wording.Interval(want).String() {
		t.Errorf("want the share by modality %v, got %v, %q", want, st, text)
	}
	class := wording.HeadlineAggregate(&s.target.ByClass[0].Breakdown, s.target.Headline)
	sum := 0.0
	for _, i := range s.groups[0].Players {
		sum += class.Contributions[ex.Modalities[i]].Or(0)
	}
	if st, text = s.stretchOf(class, parts[0]); !(math.Abs(st.share-sum) <= 1e-12) || !st.unclear || text != "" {
		t.Errorf("want the sum %v of unclear shares without a number, got %v, %q", sum, st, text)
	}
}

// Figures say what the headline is, how many coalitions there were, and all three sources
// of error.
func TestBudgetIsSaid(t *testing.T) {
	f := newFixture(18, 2, 60)
	f.modalities, f.groups = modalityNames(18, 30), []int{16, 1, 1}
	ex, samples := f.build()
	se := &ex.Targets[0].Global.PhiSE
	se.Coalitions = square(18)
	se.Coalitions[3][3] = 1
	s := choose(t, ex, samples, Choice{})
	// The error of the cell is that of all sources.
	if want := math.Sqrt(1 + 2*math.Pow(se.Samples[3][3], 2)); !(math.Abs(s.se[3][3]-want) <= 1e-12) {
		t.Errorf("want %v, got %v", want, s.se[3][3])
	}
	text := draw(t, Waterfall, s, Options{}).Description
	for _, want := range []string{
		"global InterSHAP across modalities ", ", of all groups ", "from background rows, coalitions and samples.",
		"774 of 2^18 coalitions, estimator regression", "of all that the groups do",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q, got %s", want, text)
		}
	}
	// Of a class only the score of all groups is known.
	if text := choose(t, ex, samples, Choice{Class: ptr("class 0")}).scored(); strings.Contains(text, "across") {
		t.Errorf("want no interaction across modalities of a class, got %s", text)
	}
}

// On a budget figures say the corrected score; bars and their parts keep the plain one.
func TestCorrectedScore(t *testing.T) {
	ex, samples := newFixture(3, 2, 60).build()
	ex.Targets[0].Global.Corrected = score.Defined(0.1234)
	s := choose(t, ex, samples, Choice{})
	if got := s.scored(); !strings.Contains(got, "global InterSHAP 12.3 %") {
		t.Errorf("want the corrected score, got %s", got)
	}
	sc := draw(t, Bars, s, Options{})
	plain := percent(ex.Targets[0].Global.InterSHAP.Or(-1))
	var b strings.Builder
	if err := sc.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "12.3 %") || !strings.Contains(b.String(), ">"+plain+"<") || !strings.Contains(sc.Description, "bars hold it") {
		t.Errorf("want the corrected score beside a bar of %s, got %s", plain, sc.Description)
	}
}
