package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// newCohort is a run of n samples with clusters, weights, groups by two columns, and
// missing modalities: every third sample has no ecg, every fifth no labs.
func newCohort(t testing.TB, n int) fixture {
	t.Helper()
	f := newFixture(t, n, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre"})
	s := f.samples
	values := s.ByTarget[0].Values
	for i := range n {
		all := game.Coalition(0b111)
		if i%3 == 0 {
			all = all.Without(1)
		}
		if i%5 == 0 {
			all = all.Without(2)
		}
		s.Present = append(s.Present, all)
		own := slices.Clone(values[i<<3 : (i+1)<<3])
		for c := range own {
			values[i<<3+c] = own[game.Coalition(c)&all] // what a sample lacks changes nothing
		}
	}
	f = fixtureOf(t, s, values, f.ex.Classes)
	from, target := &f.ex.Provenance, &f.ex.Targets[0]
	from.Cluster, from.Missing, from.Pad = "patient", []string{"ecg", "labs=has_labs"}, []string{"ids=0"}
	of := func(key func(i int) string) (keys []string, groups map[string]result.Breakdown) {
		groups = map[string]result.Breakdown{}
		for i := range n {
			k := key(i)
			if _, met := groups[k]; met {
				continue
			}
			b := breakdown(&s.ByTarget[0], s, func(j int) bool { return key(j) == k })
			clusters := float64(b.Samples) / 2
			b.Clusters = &clusters
			keys, groups[k] = append(keys, k), b
		}
		return keys, groups
	}
	sex := func(i int) string { return []string{"female", "male", " "}[i%7%3] }
	for _, by := range []struct {
		columns []string
		key     func(i int) string
	}{{[]string{"sex"}, sex}, {[]string{"sex", "site"}, func(i int) string { return fmt.Sprintf("%s|site %d", sex(i), i%6) }}} {
		p := result.Partition{Columns: by.columns}
		keys, groups := of(by.key)
		for _, k := range keys {
			p.Groups = append(p.Groups, result.Group{Values: strings.Split(k, "|"), Breakdown: groups[k]})
		}
		target.By = append(target.By, p)
	}
	keys, groups := of(func(i int) string { return result.PresentText(s.Modalities, s.Present[i]) })
	for _, k := range keys {
		p := result.Pattern{Present: strings.Split(k, "+"), Breakdown: groups[k]}
		p.Breakdown.Present = nil
		for _, name := range s.Modalities {
			if !slices.Contains(p.Present, name) {
				delete(p.Global.Contributions, name)
				delete(p.MeanAbsolute.Contributions, name)
			}
		}
		target.Patterns = append(target.Patterns, p)
	}
	clusters := float64(n) / 2
	target.Clusters = &clusters
	share := func(x float64) result.MacroShare {
		return result.MacroShare{InterSHAP: score.Defined(x), Low: score.Defined(x - .05), High: score.Defined(x + .05)}
	}
	target.Macro = &result.Macro{Classes: 3, Global: share(.321), MeanAbsolute: share(.654), Local: score.Defined(.5)}
	return f
}

// severalCohorts has two targets of such a run, without samples.
func severalCohorts(t testing.TB) fixture {
	f := newCohort(t, 60)
	f.samples = nil
	second := f.ex.Targets[0]
	second.Target, second.Headline = "horizon:3", result.MeanAbsolute
	f.ex.Targets = append(f.ex.Targets, second)
	return f
}

// openText is what a page says, without markup, one blank for many.
func openText(tb *tab) string {
	tb.t.Helper()
	eval[bool](tb, `(() => { for (const d of document.querySelectorAll("details")) d.open = true; return true; })()`)
	return strings.ReplaceAll(strings.Join(strings.Fields(eval[string](tb, `document.body.innerText`)), " "), "\u00a0", " ")
}

// cells returns the texts of a table's rows, cell by cell, without those of pictures.
func cells(tb *tab, table string) [][]string {
	tb.t.Helper()
	return eval[[][]string](tb, fmt.Sprintf(`[...document.querySelectorAll(%q)].flatMap(t => [...t.querySelectorAll("tbody tr")].map(r => [...r.querySelectorAll("th, td:not(.plot)")].map(c => c.textContent.trim().replaceAll("\u00a0", " "))))`, table))
}

func TestCohortPage(t *testing.T) {
	f := newCohort(t, 120)
	tb := openTab(t)
	address := tb.open(f.page(t))
	said := openText(tb)
	for _, want := range []string{
		"Groups of samples", "By modalities present", "By sex, site",
		"120 samples (about 60 independent ones), target predicted",
		"each class counts once",
		"Bars begin at zero",
		"the parts do not add up from the base value to the output",
		"The parts of each sample add up exactly. What a sample lacks is no player of it",
		"means over the samples that have both",
		"means over the samples that have the modalities of a cell",
		"lines nine of ten, of those that have the modalities",
		"samples with the same patient depend on each other; with clusters 120 samples count as about 60 independent ones",
		"samples may lack ecg, labs (column has_labs); 64 of 120 samples have all modalities",
		"ids=0 fill lists behind their end",
		"In brackets behind the number of samples",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q", want)
		}
	}
	rows := cells(tb, "#t1-classes .classes")
	if got := rows[3]; got[0] != "macro average" || got[1] != "3 classes" || got[2] != "32.1 % [27.1, 37.1]" {
		t.Errorf("want the macro average below the classes, got %q", got)
	}
	if got := rows[4]; got[0] != "all samples" || got[1] != "120 (60)" || got[2] != cells(tb, "#verdict .spans")[0][1] {
		t.Errorf("want the pooled score of the verdict beside it, got %q", got)
	}
	male := f.ex.Targets[0].By[0].Groups[1]
	x, _ := male.Global.InterSHAP.Value()
	if got := cells(tb, "#t1-by .classes")[1]; got[0] != "male" || got[1] != fmt.Sprintf("%d (%.0f)", male.Samples, *male.Clusters) || !strings.HasPrefix(got[2], fmt.Sprintf("%.1f %%", 100*x)) {
		t.Errorf("want the group's own numbers, got %q", got)
	}
	// Of 120 samples 8 lack both, 64 have all. What is not there is blank.
	patterns := cells(tb, "#t1-patterns .classes")
	var names []string
	for _, r := range patterns {
		names = append(names, r[0]+" "+strings.Fields(r[1])[0])
	}
	if d := cmp.Diff([]string{"image 8", "image+ecg+labs 64", "image+labs 32", "image+ecg 16"}, names); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	numbers := cells(tb, "#t1-patterns .plain")
	if got := numbers[0]; got[4] != "" || got[5] != "" || !strings.HasPrefix(got[3], "100.0 %") {
		t.Errorf("image alone: want blanks for ecg and labs, got %q", got)
	}
	if got := numbers[1]; got[4] == "" || got[5] == "" {
		t.Errorf("all there: want their shares, got %q", got)
	}
	if links := eval[[]string](tb, `[...document.querySelectorAll("nav a")].map(a => a.textContent)`); !slices.Contains(links, "Groups of samples") || !slices.Contains(links, "By modalities present") {
		t.Errorf("want the sections among the contents, got %q", links)
	}
	clean(t, tb, address)
}

// Nothing of it is said where there is nothing of it.
func TestNoCohortPage(t *testing.T) {
	f := newFixture(t, 60, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	page := string(f.page(t))
	for _, other := range []string{"Groups of samples", "By modalities present", "macro average", "independent ones", "begin at zero", "that have", `"patterns":[`} {
		if strings.Contains(page, other) {
			t.Errorf("want no word of %q", other)
		}
	}
}

// Where samples may lack modalities and none does, the parts add up as ever.
func TestNobodyLacks(t *testing.T) {
	f := newFixture(t, 60, []string{"image", "ecg"}, nil)
	f.ex.Provenance.Missing = []string{"ecg"}
	for range 60 {
		f.samples.Present = append(f.samples.Present, 3)
	}
	b := &f.ex.Targets[0].Breakdown
	b.Present = map[string]int{"image": 60, "ecg": 60}
	f.ex.Targets[0].Patterns = []result.Pattern{{Present: []string{"image", "ecg"}, Breakdown: *b}}
	page := string(f.page(t))
	if strings.Contains(page, "begin at zero") || !strings.Contains(page, "All samples have all modalities") || !strings.Contains(page, "How the output comes about") {
		t.Error("want a waterfall, and the word that nobody lacks anything")
	}
}

// Steps that do not lead to the output begin at zero each. The axis reaches from -0.25 to
// 0.5 with 4 % of 0.75 free at either end, -0.28 to 0.53: zero is at 0.28/0.81, the ends
// at 0.03/0.81 and 0.78/0.81.
func TestPooledBars(t *testing.T) {
	w := newPooled(walk(), []string{"image", "text"}, 0.95)
	const low, zero, high = "3.70%", "34.57%", "96.30%"
	want := []bar{
		{Label: label{First: "image", Note: "alone"}, Kind: kindAlone, X: zero, Width: "61.73%", From: zero, To: high, First: true, Last: true, Value: "+0.500", Share: "50.0\u00a0%", Title: "from 0 to 0.5000"},
		{Label: label{First: "text", Note: "alone"}, Kind: kindAlone, X: low, Width: "30.86%", From: zero, To: low, First: true, Last: true, Value: "\u22120.250", Share: "25.0\u00a0%", Title: "from 0 to \u22120.2500"},
		{Label: label{First: "image", Second: "text"}, Kind: kindPair, X: zero, Width: "30.86%", From: zero, To: "65.43%", First: true, Last: true, Value: "+0.250", Share: "25.0\u00a0%", Title: "from 0 to 0.2500"},
	}
	if d := cmp.Diff(want, w.Bars); d != "" || w.Zero != zero || !w.Pooled {
		t.Errorf("zero at %s (-want +got):\n%s", w.Zero, d)
	}
}

// The explorer has no rows for what a sample lacks, and says so.
func TestExplorerOfMissing(t *testing.T) {
	f := newCohort(t, 60)
	tb := openTab(t)
	address := tb.open(f.page(t))
	for _, tt := range []struct {
		sample int
		lacks  string
		parts  []string
		values int
	}{
		{0, "It lacks ecg, labs. ", []string{"base value", "image alone", "output"}, 2},
		{3, "It lacks ecg. ", []string{"base value", "image alone", "labs alone", "image × labs", "output"}, 4},
		{1, "", []string{"base value", "image alone", "ecg alone", "labs alone"}, 8},
	} {
		tb.do(chromedp.Click(chromedp.CSS(fmt.Sprintf("#sample-%d", tt.sample))))
		got := eval[[]string](tb, `[...document.querySelectorAll("#detail .fall tbody th")].map(h => h.textContent)`)
		if len(got) < len(tt.parts) || !slices.Equal(got[:min(4, len(tt.parts))], tt.parts[:min(4, len(tt.parts))]) || tt.lacks != "" && len(got) != len(tt.parts) {
			t.Errorf("sample %d: want the parts %q, got %q", tt.sample, tt.parts, got)
		}
		said := eval[string](tb, `document.getElementById("said").textContent`)
		if !strings.Contains(said, tt.lacks) || tt.lacks == "" && strings.Contains(said, "lacks") {
			t.Errorf("sample %d: want %q, got %q", tt.sample, tt.lacks, said)
		}
		if got := eval[int](tb, `document.querySelectorAll(".coalitions tbody tr").length`); got != tt.values {
			t.Errorf("sample %d: want %d coalitions, got %d", tt.sample, tt.values, got)
		}
	}
	clean(t, tb, address)
}

// Weights: what they sum to, and as how many independent samples they count.
func TestWeightFacts(t *testing.T) {
	f := newCohort(t, 120)
	sum := 5012.5
	f.ex.Targets[0].Weight = &sum
	for _, tt := range []struct{ cluster, weight, want string }{
		{"", "w", "samples count by w: 120 samples, weights sum to 5012; with these weights they count as about 60 independent ones"},
		{"patient", "w", "samples count by w: 120 samples, weights sum to 5012; with clusters and weights they count as about 60 independent ones"},
		{"patient", "", "samples with the same patient depend on each other; with clusters 120 samples count as about 60 independent ones"},
	} {
		f.ex.Provenance.Cluster, f.ex.Provenance.Weight = tt.cluster, tt.weight
		var got []string
		cohortFacts(f.ex, func(_, text string) { got = append(got, text) })
		if !slices.Contains(got, tt.want) {
			t.Errorf("want %q, got %q", tt.want, got)
		}
	}
}

// What is taken over the samples file counts samples once, whatever the run's weights.
func TestUnweightedSpread(t *testing.T) {
	f := newCohort(t, 120)
	const said, byWeight = "Samples count once each here, not by w.", "a class counts by the weight of its samples"
	if page := string(f.page(t)); strings.Contains(page, "Samples count once") || strings.Contains(page, byWeight) {
		t.Error("without weights: want no word of them")
	}
	sum := 5012.5
	f.ex.Targets[0].Weight, f.ex.Provenance.Weight = &sum, "w"
	page := string(f.page(t))
	_, spread, _ := strings.Cut(page, `id="t1-spread-h"`)
	if !strings.Contains(spread, said) || !strings.Contains(page, byWeight) {
		t.Errorf("want %q over samples, and %q beside the macro average", said, byWeight)
	}
}

// What nobody of a group has is blank there, as it is in a pattern, and not undefined.
func TestNobodyInGroup(t *testing.T) {
	f := newCohort(t, 60)
	g := &f.ex.Targets[0].By[0].Groups[0]
	cell := func() shareCell {
		return newClassRow(f.ex, &f.ex.Targets[0], wording.SampleGroup{Breakdown: &g.Breakdown}).Parts[2]
	}
	for _, a := range []*result.Aggregate{&g.Global.Aggregate, &g.MeanAbsolute.Aggregate} {
		delete(a.ContributionIntervals, "labs")
		a.Contributions["labs"] = score.Share{}
	}
	g.Present = map[string]int{"image": g.Samples, "ecg": 1, "labs": 1}
	if got := cell(); got == (shareCell{}) {
		t.Error("a share without behaviour: want it undefined, got a blank")
	}
	g.Present["labs"] = 0
	if got := cell(); got != (shareCell{}) {
		t.Errorf("nobody has labs: want a blank, got %+v", got)
	}
}

// Columns and values of data are names that a stranger chose.
func TestHostileGroups(t *testing.T) {
	f := newCohort(t, 60)
	target := &f.ex.Targets[0]
	target.By[0].Columns = []string{hostile[0]}
	for i := range target.By[0].Groups {
		target.By[0].Groups[i].Values = []string{hostile[i]}
	}
	from := &f.ex.Provenance
	from.Cluster, from.Weight, from.Missing, from.Pad = hostile[0], hostile[1], []string{"ecg=" + hostile[2]}, []string{hostile[5]}
	tb := openTab(t)
	address := tb.open(f.page(t))
	if eval[bool](tb, hacked) {
		t.Error("a name ran")
	}
	if said := eval[string](tb, `document.body.textContent`); !strings.Contains(said, hostile[0]) || strings.ContainsAny(said, "\u202e\x1b") {
		t.Error("want the names shown, and nothing that turns text around")
	}
	clean(t, tb, address)
}

// Quantiles over samples are of those that have the part: of 120 samples 80 have an ecg.
func TestSpreadOfMissing(t *testing.T) {
	f := newCohort(t, 120)
	s := &f.samples.ByTarget[0]
	var own []float64
	for i, has := range f.samples.Present {
		if has.Has(1) {
			own = append(own, s.Matrix(i, 3)[4])
		}
	}
	slices.Sort(own)
	if len(own) != 80 {
		t.Fatalf("want 80 samples with an ecg, got %d", len(own))
	}
	table, _ := phiRanges(&f.ex.Targets[0], f.ex.Modalities, s, f.samples.Present)
	want := signed((own[39] + own[40]) / 2)
	if got := table.Rows[1]; got.Label.First != "ecg" || got.Text != want {
		t.Errorf("want the median of the ecg, %s, got %s %s", want, got.Label, got.Text)
	}
	// What no sample has is no row.
	for i := range f.samples.Present {
		f.samples.Present[i] = 0b001
	}
	if table, _ = phiRanges(&f.ex.Targets[0], f.ex.Modalities, s, f.samples.Present); len(table.Rows) != 1 {
		t.Errorf("all have an image alone: want one row, got %d", len(table.Rows))
	}
}
