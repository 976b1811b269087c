package cli

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// The values below are made by hand: what stands in the goldens is fractions in percent,
// with one decimal, two below one percent, and differences with their sign.

func sideValue(x, sd float64, n int) compare.Value {
	v := compare.Value{Value: score.Defined(x), N: n}
	if sd >= 0 {
		v.SD = score.Defined(sd)
	}
	return v
}

const noSD = -1

// rowOf has the difference of its values, with bounds a tenth beyond and the verdict
// that they ask for.
func rowOf(q compare.Quantity, base, other compare.Value, half float64) compare.Row {
	r := compare.Row{Quantity: q, Base: base, Other: other, Verdict: compare.Undefined}
	a, ok1 := base.Value.Value()
	b, ok2 := other.Value.Value()
	if !ok1 || !ok2 {
		return r
	}
	r.Delta, r.Low, r.High = score.Defined(b-a), score.Defined(b-a-half), score.Defined(b-a+half)
	switch {
	case b-a > half:
		r.Verdict = compare.Higher
	case a-b > half:
		r.Verdict = compare.Lower
	default:
		r.Verdict = compare.Unclear
	}
	return r
}

func quantityOf(kind compare.Kind, by compare.Aggregation, modalities ...string) compare.Quantity {
	return compare.Quantity{Kind: kind, Aggregation: by, Modalities: modalities}
}

// filesComparison is one of two files, with every kind of row.
func filesComparison() *compare.Document {
	one := func(x float64) compare.Value { return sideValue(x, noSD, 180) }
	none := compare.Value{}
	agreed := 180
	class := func(name string, n, o int, base, other compare.Value, half float64) compare.Row {
		base.N, other.N = n, o
		q := quantityOf(compare.InterSHAP, compare.Global)
		q.Class = &name
		return rowOf(q, base, other, half)
	}
	rows := []compare.Row{
		rowOf(quantityOf(compare.InterSHAP, compare.Global), one(.225), one(.17), .027),
		rowOf(quantityOf(compare.InterSHAP, compare.MeanAbsolute), one(.0087), one(.0013), .002),
		rowOf(quantityOf(compare.InterSHAP, compare.Local), one(.27), one(.275), .03),
		rowOf(quantityOf(compare.Contribution, compare.Global, "image"), one(.5), one(.76), .03),
		rowOf(quantityOf(compare.Contribution, compare.Global, "laboratory values of the first day"), one(.275), none, 0),
		rowOf(quantityOf(compare.Pair, compare.Global, "image", "laboratory values of the first day"), one(.225), one(.17), .027),
		rowOf(quantityOf(compare.Contribution, compare.MeanAbsolute, "image"), one(.1), one(.1), .03),
		class("cat", 120, 118, one(.3), one(.08), .02),
		class("dog", 60, 62, compare.Value{}, one(.5), 0),
		class("fox", 0, 2, none, one(.5), 0),
		rowOf(quantityOf(compare.Accuracy, compare.Count), one(.978), one(.9), .05),
	}
	rows[8].Base = compare.Value{N: 60} // no behaviour
	short := class("owl", 4, 4, one(.2), one(.4), .1)
	short.Low, short.High, short.Reason, short.Verdict = score.Share{}, score.Share{}, "needs 5 or more", compare.Unclear
	rows = append(rows, short)
	c := &compare.Comparison{
		Base: "early", Other: "a model with a rather long label", Question: compare.Files, Method: compare.PairedBootstrap, Draws: 2000, Files: [2]int{1, 1},
		Samples:        &compare.Samples{Base: 200, Other: 200, Shared: 200, Agreed: &agreed, Used: 180, Independent: 90},
		SameBackground: true, Holds: []string{"samples"},
		Targets:  []compare.Target{{Target: "predicted", Headline: result.Global, Rows: rows}},
		Warnings: []diag.Warning{{ID: "predictions-differ", Subject: "predicted", Text: "scores are those of the 180 of 200 samples (90.0 %) for which both predict the same class"}, {ID: "few-samples", Text: "a | b\x1b[31m <b>"}},
	}
	return &compare.Document{Schema: compare.Schema, Level: .95, Comparisons: []*compare.Comparison{c}}
}

// groupsComparison is one of groups, and one of a group and a single result, for several
// targets.
func groupsComparison() *compare.Document {
	of := func(x, y, sd, half float64) []compare.Row {
		return []compare.Row{
			rowOf(quantityOf(compare.InterSHAP, compare.Global), sideValue(x/2, sd/2, 3), sideValue(y/2, sd/2, 4), half),
			rowOf(quantityOf(compare.InterSHAP, compare.MeanAbsolute), sideValue(x, sd, 3), sideValue(y, sd, 4), half),
			rowOf(quantityOf(compare.Contribution, compare.MeanAbsolute, "image"), sideValue(1-x, sd, 3), sideValue(1-y, sd, 4), half),
		}
	}
	groups := &compare.Comparison{
		Base: "early", Other: "late", Question: compare.Replicates, Method: compare.Welch, Files: [2]int{3, 4}, Holds: []string{"replicates"},
		Targets: []compare.Target{{Target: "class:a", Headline: result.MeanAbsolute, Rows: of(.2, .3, .01, .05)}, {Target: "class:b", Headline: result.MeanAbsolute, Rows: of(.3, .2, .01, .2)}},
	}
	rows := of(.2, .3, .01, .05)
	for i := range rows {
		rows[i].Other = sideValue(.3, noSD, 1)
		rows[i].Low, rows[i].High, rows[i].Reason, rows[i].Verdict = score.Share{}, score.Share{}, "needs 2 or more", compare.Unclear
	}
	single := *groups
	single.Other, single.Files, single.Targets = "one", [2]int{3, 1}, []compare.Target{{Target: "class:a", Headline: result.MeanAbsolute, Rows: rows}}
	return &compare.Document{Schema: compare.Schema, Level: .9, Comparisons: []*compare.Comparison{groups, &single}}
}

// manyComparison has more pairs than a table shows, and more classes.
func manyComparison() *compare.Document {
	d := filesComparison()
	c := d.Comparisons[0]
	c.Method, c.Samples, c.Warnings = compare.Carried, nil, nil
	rows := []compare.Row{rowOf(quantityOf(compare.InterSHAP, compare.Global), sideValue(.2, noSD, 9), sideValue(.2, noSD, 9), 0)}
	for i := range 20 {
		x := float64(i) / 1000
		rows = append(rows, rowOf(quantityOf(compare.Pair, compare.Global, "a", fmt.Sprintf("m%d", i)), sideValue(x, noSD, 9), sideValue(x, noSD, 9), .01))
	}
	for i := range 30 {
		q := quantityOf(compare.InterSHAP, compare.Global)
		name := fmt.Sprintf("class %d", i)
		q.Class = &name
		rows = append(rows, rowOf(q, sideValue(.1, noSD, 9), sideValue(.2, noSD, 9), .01))
	}
	c.Targets[0].Rows = rows
	return d
}

const comparisonGoldens = "testdata/compare"

// TestComparisonTable lays comparisons out for a terminal, for a pipe and as Markdown.
func TestComparisonTable(t *testing.T) {
	var used []string
	for name, d := range map[string]*compare.Document{"files": filesComparison(), "groups": groupsComparison(), "many": manyComparison()} {
		for form, write := range map[string]func(s *streams) error{
			"terminal.txt": func(s *streams) error { return writeComparisonPage(s, d) },
			"pipe.txt": func(s *streams) error {
				s.outTerminal = false
				return writeComparisonPage(s, d)
			},
			"page.md": func(s *streams) error { return writeComparisonMarkdown(s.out, d) },
		} {
			s, out, _ := fakeStreams(true, 0, "TERM=dumb")
			if err := write(s); err != nil {
				t.Fatal(err)
			}
			file := name + "-" + form
			used = append(used, file)
			path := filepath.Join(comparisonGoldens, file)
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := compareGolden(path, out.Bytes()); diff != "" {
				t.Errorf("%s: %s", file, diff)
			}
			if bytes.Contains(out.Bytes(), []byte("NaN")) || bytes.ContainsRune(out.Bytes(), '\x1b') {
				t.Errorf("%s shows what nobody should see", file)
			}
			if form == "terminal.txt" {
				for _, line := range widest(out.String()) {
					t.Errorf("%s: a line of %d columns: %s", file, visible(line), line)
				}
			}
		}
	}
	left, err := unusedGoldens(comparisonGoldens, used)
	if err != nil || len(left) > 0 {
		t.Errorf("goldens that no test uses: %q, %v", left, err)
	}
}

func writeComparisonPage(s *streams, d *compare.Document) error {
	p := newPage(s, colorNever)
	writeComparison(p, d)
	return p.flush()
}

// The sign for nothing stands wherever an interval holds zero, and nowhere else.
func TestDeltaCell(t *testing.T) {
	q := quantityOf(compare.InterSHAP, compare.Global)
	one := func(x float64) compare.Value { return sideValue(x, noSD, 9) }
	nothing := rowOf(q, one(.1), one(.2), .05)
	nothing.Low, nothing.High, nothing.Reason = score.Share{}, score.Share{}, "needs 2 or more"
	for want, r := range map[string]compare.Row{
		"+10.0 [+5.0, +15.0]":  rowOf(q, one(.1), one(.2), .05),
		"-10.0 [-15.0, -5.0]":  rowOf(q, one(.2), one(.1), .05),
		"~ [-5.0, +25.0]":      rowOf(q, one(.1), one(.2), .15),
		"~ [0, 0]":             rowOf(q, one(.1), one(.1), 0),
		"~ (needs 2 or more)":  nothing,
		"undefined":            rowOf(q, compare.Value{N: 3}, one(.2), 0),
		"-":                    rowOf(q, one(.2), compare.Value{}, 0),
		"+0.50 [+0.40, +0.60]": rowOf(q, one(.1), one(.105), .001),
	} {
		if got := deltaCell(&r).text(); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestComparisonCSV(t *testing.T) {
	var b bytes.Buffer
	if err := writeComparisonCSV(&b, filesComparison()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1+len(filesComparison().Comparisons[0].Targets[0].Rows) {
		t.Errorf("%d lines", len(lines))
	}
	want := []string{
		"early", "a model with a rather long label", "files", "paired-bootstrap", "predicted", "no", "", "pair", "global", "image:laboratory values of the first day",
		"0.225", "", "180", "0.17", "", "180", "-0.05499999999999999", "-0.08199999999999999", "-0.027999999999999994", "lower", "", "", "",
	}
	if diff := cmp.Diff(want, lines[6]); diff != "" {
		t.Errorf("the pair: %s", diff)
	}
	if got := lines[10]; got[6] != "fox" || got[10] != "" || got[12] != "0" || got[16] != "" || got[19] != "undefined" {
		t.Errorf("a class of one side: %q", got)
	}
	yes := 0
	for _, l := range lines[1:] {
		if l[5] == "yes" {
			yes++
		}
	}
	if yes != 1 || lines[1][5] != "yes" {
		t.Errorf("%d headlines, want the first row alone", yes)
	}
}

// What files call things must be shown, not obeyed.
func TestMarkdownIsEscaped(t *testing.T) {
	if got, want := plainMarkdown("a|b<script>`*_[x](y)\x1b\n"), "a\\|b\\<script\\>\\`\\*\\_\\[x\\](y)\\\\x1b\\\\n"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestDifferenceGates(t *testing.T) {
	d := groupsComparison() // headlines +0.1, -0.1 and +0.1
	at := func(x float64) bound { return bound{at: x, set: true} }
	check := func(above, below bound, want ...string) {
		t.Helper()
		err := checkDifferences(d, above, below)
		if len(want) == 0 {
			if err != nil {
				t.Errorf("want no fault, got %v", err)
			}
			return
		}
		if err == nil || exitCode(err) != exitGate {
			t.Errorf("want a gate, got %v", err)
			return
		}
		if lines := strings.Split(err.Error(), "\n"); len(lines) != len(want) {
			t.Errorf("want %d faults, got %q", len(want), lines)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("want %q, got %v", w, err)
			}
		}
	}
	check(bound{}, bound{})
	check(at(.11), at(-.11))
	check(at(.05), bound{}, "late - early, target class:a: difference of mean absolute InterSHAP is 0.1, above 0.05", "one - early, target class:a")
	check(bound{}, at(0), "late - early, target class:b: difference of mean absolute InterSHAP is -0.1, below 0")
	d.Comparisons[0].Targets[0].Rows[1].Delta = score.Share{}
	check(at(1), bound{}, "is undefined, so no bound holds")
}

// Labels must be those of the data that were explained, as far as digests, ids and
// numbers tell.
func TestCheckLabels(t *testing.T) {
	positions, names := []string{"0", "1", "2"}, []string{"p1", "p2", "p3"}
	for _, c := range []struct {
		name, explained, digest string
		ids                     []string
		labels                  int
		positions               bool
		want                    string // of the error
		warned                  bool
	}{
		{"the data", "d1", "d1", positions, 3, true, "", false},
		{"other data, no ids", "d1", "d2", positions, 3, true, "labels.npz: not the data of run.json, which are test.npz (SHA-256 d1)", false},
		{"other data, ids of the labels alone", "d1", "d2", positions, 3, false, "ids that are positions name no sample of other data", false},
		{"other data, ids of the run alone", "d1", "d2", names, 3, true, "ids that are positions name no sample of other data", false},
		{"other data, ids", "d1", "d2", names, 5, false, "", true},
		{"not known, as many", "", "d2", positions, 3, true, "", false},
		{"not known, more", "", "d2", names, 4, false, "labels.npz: want labels of the 3 samples of run.json, got 4", false},
	} {
		r := &sideReader{labels: &labelFile{path: "labels.npz", digest: c.digest, labels: make([]string, c.labels), positions: c.positions}}
		run := &compare.Run{Path: "run.json", Result: &result.Explanation{}, Samples: &result.Samples{IDs: c.ids}}
		run.Result.Provenance.Data.Source = result.Source{Source: "test.npz", SHA256: c.explained}
		err := errors.Join(r.checkLabels("a", run), r.checkLabels("a", run))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: want an error that says %q, got %v", c.name, c.want, err)
		}
		for _, q := range []compare.Question{compare.Files, compare.Replicates} {
			w := r.warningsOf(&compare.Comparison{Base: "a", Other: "b", Question: q})
			if warned := len(w) == 1 && w[0].ID == "labels-of-other-data" && w[0].Subject == "a"; warned != c.warned || !warned && len(w) > 0 {
				t.Errorf("%s, %s: want a warning: %v, got %v", c.name, q, c.warned, w)
			}
		}
	}
}

func TestReadSides(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.json", "b.json", "x=y,z.json"} {
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll("sub", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("sub/a.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("a.json", "link.json"); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		name          string
		args, samples []string
		want          []sideNames
		fault         string
	}{
		{"base names", []string{"a.json", "dir/b.JSON"}, nil, []sideNames{{label: "a", paths: []string{"a.json"}}, {label: "b", paths: []string{"dir/b.JSON"}}}, ""},
		{"labels and groups", []string{"x=a.json,b.json", "y=c.json"}, nil, []sideNames{{label: "x", paths: []string{"a.json", "b.json"}}, {label: "y", paths: []string{"c.json"}}}, ""},
		{"the same base name", []string{"a.json", "sub/a.json"}, nil, []sideNames{{label: "a.json", paths: []string{"a.json"}}, {label: "sub/a.json", paths: []string{"sub/a.json"}}}, ""},
		{"a base name that is a label", []string{"a=b.json", "sub/a.json"}, nil, []sideNames{{label: "a", paths: []string{"b.json"}}, {label: "sub/a.json", paths: []string{"sub/a.json"}}}, ""},
		{"a file whose name has signs", []string{"x=y,z.json", "b.json"}, nil, []sideNames{{label: "x=y,z", paths: []string{"x=y,z.json"}}, {label: "b", paths: []string{"b.json"}}}, ""},
		{"samples", []string{"x=a.json,b.json", "y=c.json"}, []string{"x=1.npz,2.csv"}, []sideNames{{label: "x", paths: []string{"a.json", "b.json"}, samples: []string{"1.npz", "2.csv"}}, {label: "y", paths: []string{"c.json"}}}, ""},
		{"hard link", []string{"a.json", "link.json"}, nil, nil, "a.json and link.json are the same file"},
		{"samples twice", []string{"a.json", "b.json"}, []string{"a=1.npz", "a=2.npz"}, nil, "a has its samples already"},
		{"an empty name of samples", []string{"x=a.json,b.json", "y=c.json"}, []string{"x=1.npz,"}, nil, "want a file between commas"},
	} {
		got, err := readSides(tt.args, tt.samples)
		if tt.fault != "" {
			wantUsage(t, tt.name, err, tt.fault)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		same := slices.EqualFunc(got, tt.want, func(a, b sideNames) bool {
			return a.label == b.label && slices.Equal(a.paths, b.paths) && slices.Equal(a.samples, b.samples)
		})
		if !same {
			t.Errorf("%s: want %+v, got %+v", tt.name, tt.want, got)
		}
	}
}

// The file that a result names is looked for where explain ran, then beside the result.
func TestFindSamples(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"runs/deep", "here"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	touch := func(name string) {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(named, want string) {
		t.Helper()
		if got := findSamples("runs/a.json", named); got != filepath.FromSlash(want) {
			t.Errorf("%s: want %q, got %q", named, want, got)
		}
	}
	check("deep/s.npz", "")
	touch("runs/s.npz")
	check("deep/s.npz", "runs/s.npz")
	touch("runs/deep/s.npz")
	check("deep/s.npz", "runs/deep/s.npz")
	check("/nowhere/s.npz", "runs/s.npz")
	touch("here/s.npz")
	check("here/s.npz", "here/s.npz")
	check("here", "")
}
