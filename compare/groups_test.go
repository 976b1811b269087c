package compare

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// byClass gives a run a partition by the column species, whose groups are the predicted
// classes: what is said of them is known from the classes.
func byClass(r Run) Run {
	r.Result = deepCopy(r.Result)
	t := &r.Result.Targets[0]
	p := result.Partition{Columns: []string{"species"}}
	for _, c := range t.ByClass {
		p.Groups = append(p.Groups, result.Group{Values: []string{c.Class}, Breakdown: c.Breakdown})
	}
	t.By = []result.Partition{p}
	return r
}

// deepCopy copies a result through JSON, which keeps every number.
func deepCopy(e *result.Explanation) *result.Explanation {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	out := new(result.Explanation)
	if err := json.Unmarshal(raw, out); err != nil {
		panic(err)
	}
	return out
}

func warningText(c *Comparison, id string) string {
	at := slices.IndexFunc(c.Warnings, func(w diag.Warning) bool { return w.ID == id })
	if at < 0 {
		return ""
	}
	return c.Warnings[at].Text
}

// The interval of a group is that of two carried ones, by hand: 0.30 [0.25, 0.36] and
// 0.50 [0.42, 0.55] give 0.20, 0.20 − √(0.08² + 0.06²) = 0.10 and
// 0.20 + √(0.05² + 0.05²) = 0.2707.
func TestGroupInterval(t *testing.T) {
	r := twoRuns(2, 60)
	for k, share := range [2][3]float64{{.30, .25, .36}, {.50, .42, .55}} {
		r[k] = byClass(r[k])
		a := &r[k].Result.Targets[0].By[0].Groups[1].Global
		a.InterSHAP, a.Low, a.High = score.Defined(share[0]), score.Defined(share[1]), score.Defined(share[2])
	}
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	by := c.Targets[0].By
	if c.Method != PairedBootstrap || len(by) != 1 || by[0].Method != Carried || !slices.Equal(by[0].Columns, []string{"species"}) {
		t.Fatalf("want a bootstrap, and groups by species with carried intervals, got %s, %+v", c.Method, by)
	}
	row := by[0].Groups[1].Rows[0]
	want := [3]float64{.2, .1, .2 + math.Sqrt(2*.05*.05)}
	for i, got := range []score.Share{row.Delta, row.Low, row.High} {
		if !near(want[i], got.Or(9)) {
			t.Errorf("want %v, got %v", want, row)
		}
	}
	if row.Verdict != Higher || row.Aggregation != Global || row.Base.N != 20 {
		t.Errorf("want higher, of 20 samples, got %+v", row)
	}
}

// Groups that are the classes have the rows of the classes, where those are carried too.
func TestGroupsAreThoseOfTheResults(t *testing.T) {
	r := twoRuns(2, 60)
	for k := range r {
		r[k] = byClass(r[k])
		r[k].Samples = nil
	}
	rowsOf := func(c *Comparison, class string) []Row {
		var out []Row
		for _, row := range c.Targets[0].Rows {
			if row.Class != nil && *row.Class == class {
				row.Class = nil
				out = append(out, row)
			}
		}
		return out
	}
	check := func(c *Comparison, err error, method Method) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		by := c.Targets[0].By
		if len(by) != 1 || by[0].Method != method || len(by[0].Groups) != 3 {
			t.Fatalf("want one partition of three groups, %s, got %+v", method, by)
		}
		for i, class := range []string{"cat", "dog", "fox"} {
			g := by[0].Groups[i]
			if d := cmp.Diff(rowsOf(c, class), g.Rows, cmpopts.EquateComparable(score.Share{})); d != "" || g.Values[0] != class || len(g.Rows) != 3 {
				t.Errorf("%s (-class +group):\n%s", class, d)
			}
		}
	}
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{})
	check(c, err, Carried)
	third := byClass(twoRuns(3, 60)[0])
	third.Path, third.Samples = "c.json", nil
	c, err = Compare(t.Context(), Side{"a", []Run{r[0], third}}, Side{"b", r[1:]}, Options{})
	check(c, err, Welch)
	// A group that one side has alone has nothing to be held against.
	alone := r[1].Result.Targets[0].By[0].Groups
	r[1].Result.Targets[0].By[0].Groups = alone[:2]
	c, err = Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	last := c.Targets[0].By[0].Groups[2].Rows[0]
	if last.Verdict != Undefined || last.Other.N != 0 || last.Base.N != 20 || last.Reason != "" {
		t.Errorf("want fox undefined on the other side, got %+v", last)
	}
}

func TestGroupsNotCompared(t *testing.T) {
	r := twoRuns(2, 60)
	r[0] = byClass(r[0])
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	if text := warningText(c, "groups-not-compared"); c.Targets[0].By != nil || !strings.Contains(text, "groups by species are in 1 of 2 results") || !strings.Contains(text, "--by species") {
		t.Errorf("want no groups and the remedy, got %+v, %q", c.Targets[0].By, text)
	}
	// Each partition is told.
	more := r[0].Result.Targets[0].By[0]
	more.Columns = []string{"species", "site"}
	r[0].Result.Targets[0].By = append(r[0].Result.Targets[0].By, more)
	for i, g := range more.Groups {
		g.Values = []string{g.Values[0], "A"}
		more.Groups[i] = g
	}
	if c, err = Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400}); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, w := range c.Warnings {
		if w.ID == "groups-not-compared" {
			told = append(told, w.Subject)
		}
	}
	if !slices.Equal(told, []string{"species", "species,site"}) {
		t.Errorf("want a warning for each partition, got %q", told)
	}
	r[0].Result.Targets[0].By = r[0].Result.Targets[0].By[:1]
	// The same columns in another order are another partition.
	r[0].Result.Targets[0].By[0].Columns = []string{"sex", "site"}
	for i := range r[0].Result.Targets[0].By[0].Groups {
		r[0].Result.Targets[0].By[0].Groups[i].Values = []string{"f", string(rune('A' + i))}
	}
	r[1] = r[0]
	r[1].Result = deepCopy(r[0].Result)
	r[1].Result.Targets[0].By[0].Columns = []string{"site", "sex"}
	c, err = Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	if c.Targets[0].By != nil || !hasWarning(c, "groups-not-compared") {
		t.Errorf("want no groups, got %+v", c.Targets[0].By)
	}
	if c, err := Compare(t.Context(), Side{"a", twoRunsSlice()[:1]}, Side{"b", twoRunsSlice()[1:]}, Options{Seed: 1, Draws: 400}); err != nil || hasWarning(c, "groups-not-compared") || c.Targets[0].By != nil {
		t.Errorf("without groups: want no word of them, got %v, %v", c, err)
	}
}

func twoRunsSlice() []Run { r := twoRuns(2, 60); return r[:] }

// Files of samples know of no clusters, weights or missing modalities: a bootstrap over
// them would count samples as independent that are not, or others than the result.
func TestCohortsAreNotDrawn(t *testing.T) {
	set := map[string]func(*Run){
		"clusters by patient": func(r *Run) { r.Result.Provenance.Cluster = "patient" },
		"weights by w":        func(r *Run) { r.Result.Provenance.Weight = "w" },
		"samples that may lack m1, m0=has": func(r *Run) {
			r.Result.Provenance.Missing = []string{"m1", "m0=has"}
			r.Samples.Present = make([]game.Coalition, r.Samples.Len())
			for i := range r.Samples.Present {
				r.Samples.Present[i] = 3
			}
			t := &r.Result.Targets[0]
			t.Patterns = []result.Pattern{{Present: []string{"m0", "m1"}, Breakdown: t.Breakdown}}
		},
	}
	for text, change := range set {
		for side := range 2 {
			r := twoRuns(2, 60)
			bare := twoRuns(2, 60)
			bare[0].Samples, bare[1].Samples = nil, nil
			change(&r[side])
			c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400})
			if err != nil {
				t.Fatal(err)
			}
			if got := warningText(c, "samples-not-drawn"); c.Method != Carried || c.Draws != 0 || !strings.Contains(got, "ab"[side:side+1]+" has "+text) {
				t.Errorf("%s: want carried intervals and a warning, got %s, %q", text, c.Method, got)
			}
			if s := c.Samples; s == nil || s.Shared != 60 || s.Used != 0 || s.Independent != 0 || *s.Agreed != 60 {
				t.Errorf("%s: want 60 shared samples, none of them drawn, got %+v", text, s)
			}
			want, err := Compare(t.Context(), Side{"a", bare[:1]}, Side{"b", bare[1:]}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.Targets, c.Targets, cmpopts.EquateComparable(score.Share{})); d != "" {
				t.Errorf("%s: want the rows of results without files of samples (-want +got):\n%s", text, d)
			}
		}
	}
	r := twoRunsSlice()
	if c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400}); err != nil || c.Method != PairedBootstrap || hasWarning(c, "samples-not-drawn") {
		t.Errorf("without any of it: want a bootstrap, got %v, %v", c, err)
	}
	r = twoRunsSlice()
	r[0].Result.Provenance.Cluster, r[1].Result.Provenance.Cluster = "patient", "patient"
	said := func() string {
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return warningText(c, "samples-not-drawn")
	}
	if got := said(); !strings.HasPrefix(got, "both have clusters by patient: a bootstrap") {
		t.Errorf("both have the same: got %q", got)
	}
	r[1].Result.Provenance.Weight = "w"
	if got := said(); !strings.HasPrefix(got, "a has clusters by patient; b has clusters by patient, weights by w: a bootstrap") {
		t.Errorf("they have different ones: got %q", got)
	}
	r = twoRunsSlice()
	// Replicates are not drawn from samples: nothing is amiss with clusters.
	third := twoRuns(3, 60)[0]
	third.Path = "c.json"
	r[0].Result.Provenance.Cluster, r[1].Result.Provenance.Cluster, third.Result.Provenance.Cluster = "patient", "patient", "patient"
	if c, err := Compare(t.Context(), Side{"a", []Run{r[0], third}}, Side{"b", r[1:]}, Options{}); err != nil || c.Method != Welch || hasWarning(c, "samples-not-drawn") || hasWarning(c, "cluster-differs") {
		t.Errorf("replicates: got %v, %v", c, err)
	}
}

// Where samples are not drawn, nothing says that they were left out for what they predict.
func TestCohortPredictions(t *testing.T) {
	r := predictedRuns(30)
	r[0].Result.Provenance.Cluster, r[1].Result.Provenance.Cluster = "patient", "patient"
	for k := range r {
		r[k].Right = make([]bool, 40)
		for i := range r[k].Right {
			r[k].Right[i] = i < 40-10*k // 40 and 30 of 40
		}
	}
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if text := warningText(c, "own-predictions"); !strings.Contains(text, "for 10 of 40 samples these differ") || hasWarning(c, "predictions-differ") {
		t.Errorf("want it said that predictions differ for 10 of 40, got %q, %v", text, c.Warnings)
	}
	if h := c.Targets[0].HeadlineRow(); h.Base.N != 40 {
		t.Errorf("want scores of all 40 samples, got %d", h.Base.N)
	}
	rows := c.Targets[0].Rows
	last := rows[len(rows)-1]
	if last.Kind != Accuracy || last.Base.Value != score.Defined(1) || !near(-.25, last.Delta.Or(0)) || last.Reason != "samples not drawn" || last.Base.N != 40 {
		t.Errorf("want accuracies without an interval, got %+v", last)
	}
	if _, ok := last.Low.Value(); ok || !strings.Contains(warningText(c, "samples-not-drawn"), "accuracy counts each sample once") {
		t.Errorf("want it said that accuracy has no interval, got %+v", last)
	}
}

// The mean of local scores is as sure as there are independent samples: of 60 samples
// that count for 16, Student's t with 15 degrees of freedom, and √16 below.
func TestLocalIntervalOfClusters(t *testing.T) {
	r := twoRuns(2, 60)[0].Result.Targets[0].Breakdown
	q := Quantity{Kind: InterSHAP, Aggregation: Local}
	sd := r.Local.SD.Or(0)
	width := func(clusters *float64) float64 {
		r.Clusters = clusters
		x := readOf(&r, q, .95)
		return x.high.Or(9) - x.share.Or(0)
	}
	n := 16.0
	if want, got := 2.131449546*sd/4, width(&n); math.Abs(want-got) > 1e-8*want {
		t.Errorf("16 independent samples: want %v, got %v", want, got)
	}
	if want, got := 2.000995378*sd/math.Sqrt(60), width(nil); math.Abs(want-got) > 1e-8*want {
		t.Errorf("60 independent samples: want %v, got %v", want, got)
	}
	one := 1.0
	r.Clusters = &one
	if _, ok := readOf(&r, q, .95).low.Value(); ok {
		t.Error("one independent sample: want no interval")
	}
}

// What a run says of its cohort is held against what the other says.
func TestCohortSettings(t *testing.T) {
	for id, tt := range map[string]struct {
		change func(*result.Provenance)
		want   string
	}{
		"cluster-differs": {func(p *result.Provenance) { p.Cluster = "patient" }, "the columns of clusters differ: none (a), patient (b)"},
		"weight-differs":  {func(p *result.Provenance) { p.Weight = "w" }, "the columns of weights differ: none (a), w (b)"},
		"missing-differs": {func(p *result.Provenance) { p.Missing = []string{"m1", "m0=has"} }, "the modalities that samples may lack differ: none (a), m1, m0=has (b)"},
		"pad-differs":     {func(p *result.Provenance) { p.Pad = []string{"ids=0"} }, "the values that fill lists differ: none (a), ids=0 (b)"},
	} {
		r := twoRuns(2, 60)
		r[0].Samples, r[1].Samples = nil, nil
		if c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{}); err != nil || hasWarning(c, id) {
			t.Fatalf("%s: want none where both are the same, got %v, %v", id, c, err)
		}
		tt.change(&r[1].Result.Provenance)
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := warningText(c, id); !strings.HasPrefix(got, tt.want) {
			t.Errorf("want %q, got %q", tt.want, got)
		}
	}
}
