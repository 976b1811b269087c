package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fakeStreams returns streams over buffers, of a terminal or not, and a clock
// that moves by step with each look.
func fakeStreams(isTerminal bool, step time.Duration, env ...string) (s *streams, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	now := time.Unix(0, 0)
	return &streams{
		in: strings.NewReader(""), out: out, err: errs, env: env,
		outTerminal: isTerminal, errTerminal: isTerminal, width: defaultWidth,
		now: func() time.Time {
			now = now.Add(step)
			return now
		},
	}, out, errs
}

const goldens = "testdata/table"

// compareGolden reports how a golden file differs from got, "" if it does not.
func compareGolden(path string, got []byte) string {
	want, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return cmp.Diff(string(want), string(got))
}

// unusedGoldens returns the files that no test compares with.
func unusedGoldens(dir string, used []string) ([]string, error) {
	files, err := os.ReadDir(dir)
	var out []string
	for _, f := range files {
		if !slices.Contains(used, f.Name()) {
			out = append(out, f.Name())
		}
	}
	return out, err
}

func aggregate(share, low, high float64, modalities []string, contributions ...float64) result.Aggregate {
	a := result.Aggregate{
		InterSHAP: score.Defined(share), Low: score.Defined(low), High: score.Defined(high),
		Contributions: map[string]score.Share{}, ContributionIntervals: map[string][2]score.Share{},
	}
	for i, m := range modalities {
		c := contributions[i]
		a.Contributions[m] = score.Defined(c)
		a.ContributionIntervals[m] = [2]score.Share{score.Defined(0.9 * c), score.Defined(1.1 * c)}
	}
	return a
}

func pair(a, b string, share, low, high float64) result.Pair {
	return result.Pair{Pair: [2]string{a, b}, Share: score.Defined(share), Low: score.Defined(low), High: score.Defined(high)}
}

// classesTarget follows the sample: global is the headline.
func classesTarget() result.Target {
	m := []string{"image", "text"}
	t := result.Target{Target: "predicted", Headline: result.Global, Residual: 2e-17, ResidualTolerance: 1e-13}
	t.Samples, t.Base, t.Output = 200, 0.25, 0.9264
	t.Global.Aggregate = aggregate(0.443, 0.395, 0.494, m, 0.5, 0.057)
	t.Global.Pairs = []result.Pair{pair("image", "text", 0.443, 0.395, 0.494)}
	t.MeanAbsolute.Aggregate = aggregate(0.0087, 0, 0.0131, m, 0.9, 0.0913)
	t.MeanAbsolute.Pairs = []result.Pair{pair("image", "text", 0.0087, 0, 0.0131)}
	t.Local = result.LocalAggregate{Mean: score.Defined(0.44), SD: score.Defined(0.299), Corrected: score.Defined(0.45)}
	for i, name := range []string{"cat", "dog"} {
		c := result.Class{Class: name, Breakdown: t.Breakdown}
		c.Samples = 1500 + i
		t.ByClass = append(t.ByClass, c)
	}
	return t
}

// wideTarget has seven modalities, and 21 pairs.
func wideTarget() (t result.Target, modalities []string) {
	var shares []float64
	for i := range 7 {
		modalities = append(modalities, fmt.Sprintf("m%d", i+1))
		shares = append(shares, 0.1)
	}
	t = result.Target{Target: "output", Headline: result.MeanAbsolute, ResidualTolerance: 1e-13}
	t.Global.Aggregate = aggregate(0.3, 0, 1, modalities, shares...)
	t.MeanAbsolute.Aggregate = aggregate(0.3, 0.28, 0.33, modalities, shares...)
	for i := range modalities {
		for j := range i {
			share := float64(i*7+j) / 1000
			p := pair(modalities[j], modalities[i], share, 0.9*share, 1.1*share)
			t.Global.Pairs = append(t.Global.Pairs, p)
			t.MeanAbsolute.Pairs = append(t.MeanAbsolute.Pairs, p)
		}
	}
	return t, modalities
}

func explanation(modalities []string, targets ...result.Target) *result.Explanation {
	ex := &result.Explanation{Schema: result.Schema, Modalities: modalities, Targets: targets}
	ex.Provenance = result.Provenance{
		Output: "probabilities", Task: "classes", Transform: "identity", Convention: "paper", Level: 0.95,
		Model: result.Source{Source: "folder/model.onnx"},
	}
	ex.Provenance.Data.Source.Source, ex.Provenance.Data.Samples = "test.npz", 200
	ex.Provenance.Background.Source.Source, ex.Provenance.Background.Rows, ex.Provenance.Background.Mask = "train.npz", 1000, "marginal"
	ex.Cost = result.Cost{RowsNaive: 720800, Rows: map[string]int64{"model": 720800}, Seconds: 5.8}
	return ex
}

// TestTable lays out explanations for a terminal and for a pipe.
func TestTable(t *testing.T) {
	plain := explanation([]string{"image", "text"}, classesTarget())
	warned := explanation([]string{"image", "text"}, classesTarget())
	warned.Warnings = []diag.Warning{
		{ID: "few-samples", Text: "need at least 30 samples for a trustworthy interval, have 12"},
		{ID: "background-too-small", Subject: "predicted", Text: "the headline's standard error from the background is 2.1 points with 100 rows; about 460 rows would do"},
	}
	wide, modalities := wideTarget()
	long := classesTarget()
	long.Global.Pairs[0].Pair = [2]string{"a modality with a name that has no end", "another of them"}
	nothing := classesTarget()
	nothing.Global = result.GlobalAggregate{}
	nothing.MeanAbsolute = result.MeanAbsoluteAggregate{}
	nothing.Local = result.LocalAggregate{Undefined: 200}
	nothing.ByClass = nil
	nothing.Residual = 1e-3
	two := classesTarget()
	two.Target = "class:dog"
	several := explanation([]string{"image", "text"}, classesTarget(), two)
	several.Classes = []string{"cat", "dog"}
	several.Cost.Rows = map[string]int64{"model": 1000}
	additive := explanation([]string{"image", "text"}, classesTarget())
	additive.Provenance.Plan, additive.Provenance.Additive = "staged", true
	additive.Cost.Rows = map[string]int64{"image": 1200, "text": 1200}
	fixed := func(name string) result.Target {
		t := classesTarget()
		t.Target, t.Headline, t.ByClass = name, result.MeanAbsolute, nil
		return t
	}
	columns := explanation([]string{"image", "text"}, fixed("class:low"), fixed("class:high"))
	columns.Classes, columns.Provenance.Task = []string{"low", "high"}, "regression"

	tests := []struct {
		name     string
		ex       *result.Explanation
		terminal bool
		color    string
		reason   string
	}{
		{"classes-terminal", plain, true, colorNever, "columns are aligned, a one-sided bound is no interval"},
		{"classes-pipe", plain, false, colorNever, "tabs between columns, no padding"},
		{"classes-color", plain, true, colorAlways, "colour changes no column"},
		{"warnings-terminal", warned, true, colorNever, "footnotes are numbered, marked where they belong, and wrapped"},
		{"warnings-pipe", warned, false, colorNever, "footnotes are not wrapped"},
		{"pairs-terminal", explanation(modalities, wide), true, colorNever, "15 pairs, the largest first, and how many more"},
		{"names-terminal", explanation([]string{"image", "text"}, long), true, colorNever, "long names are shortened to fit 80 columns"},
		{"undefined-terminal", explanation([]string{"image", "text"}, nothing), true, colorNever, "undefined is a word, a bad residual is told"},
		{"columns-terminal", columns, true, colorNever, "the headline is the mean of absolutes; a regression has no predicted class to point to"},
		{"additive-pipe", additive, false, colorNever, "what was answered and what was run are two numbers, and no interaction is no accident"},
		{"groups-terminal", groupedExplanation(), true, colorNever, "shares by modality stand below those of groups, and come first in the verdict"},
		{"groups-pipe", groupedExplanation(), false, colorNever, "what a single player does stands above, once"},
		{"cohort-terminal", cohortExplanation(), true, colorNever, "a heading for each partition, blanks for what samples lack"},
		{"cohort-pipe", cohortExplanation(), false, colorNever, "the same rows with tabs"},
		{"cohort-wide", wideCohort(), true, colorNever, "base and output where contributions have no room"},
		{"targets-pipe", several, false, colorNever, "a table for each target, classes left to the JSON"},
	}
	var used []string
	for _, tt := range tests {
		used = append(used, tt.name+".golden")
		t.Run(tt.name, func(t *testing.T) {
			s, out, _ := fakeStreams(tt.terminal, 0)
			p := newPage(s, tt.color)
			writeTable(p, tt.ex, circumstances{guessed: true})
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(goldens, tt.name+".golden")
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := compareGolden(path, out.Bytes()); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.reason, diff)
			}
			for line := range strings.Lines(out.String()) {
				if n := visible(strings.TrimSuffix(line, "\n")); tt.terminal && n > defaultWidth {
					t.Errorf("a line of %d columns, want at most %d: %s", n, defaultWidth, line)
				}
			}
		})
	}
	unused, err := unusedGoldens(goldens, used)
	if err != nil || len(unused) > 0 {
		t.Errorf("no test uses the golden files %v (%v)", unused, err)
	}
}

// TestShortenPair checks that both names and the sign between them stay.
func TestShortenPair(t *testing.T) {
	for _, tt := range []struct {
		first, second string
		width         int
		want, reason  string
	}{
		{"image", "text", 12, "image × text", "it fits"},
		{"gene_expression", "image", 16, "gene…ion × image", "a short name leaves its room"},
		{"image", "gene_expression", 16, "image × gene…ion", "on either side"},
		{"gene_expression", "clinical_records", 17, "gen…ion × cli…rds", "two long ones share"},
		{"gene_expression", "clinical_records", 12, "ge…n × cl…ds", "odd room"},
		{"gene", "clinic", 1, "… × …", "less than both need"},
		{"a × b", "cccccccccc", 13, "a × b × cc…cc", "a name with the sign in it"},
	} {
		got := shortenPair([2]string{tt.first, tt.second}, tt.width)
		if got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.reason, tt.want, got)
		}
		if most := max(tt.width, visible("… × …")); visible(got) > most {
			t.Errorf("%s: want at most %d columns, got %d of %q", tt.reason, most, visible(got), got)
		}
	}
}

// TestGoldenChecks checks that the comparisons above fail on what is wrong.
func TestGoldenChecks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.golden")
	if err := os.WriteFile(path, []byte("12.3 %\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if compareGolden(path, []byte("12.3 %\n")) != "" {
		t.Error("want no difference of equal text")
	}
	if compareGolden(path, []byte("12.4 %\n")) == "" {
		t.Error("want a difference of another number")
	}
	if compareGolden(filepath.Join(dir, "none"), nil) == "" {
		t.Error("want a difference where there is no golden file")
	}
	if got, err := unusedGoldens(dir, []string{"b.golden"}); err != nil || !slices.Equal(got, []string{"a.golden"}) {
		t.Errorf("want a.golden to be unused, got %v, %v", got, err)
	}
}

// TestPageFailure checks that a full disk is told.
func TestPageFailure(t *testing.T) {
	s, _, _ := fakeStreams(false, 0)
	s.out = failingWriter{}
	p := newPage(s, colorNever)
	p.line("text")
	if err := p.flush(); err == nil {
		t.Error("want the writer's error, got none")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// Of many pairs the table leaves out what is nothing, and says that the others are; pairs
// that cancel in one aggregation stay.
func TestTableOfNothing(t *testing.T) {
	target, modalities := wideTarget()
	for i := range target.MeanAbsolute.Pairs {
		global, absolute := &target.Global.Pairs[i], &target.MeanAbsolute.Pairs[i]
		global.Share, global.Low, global.High = score.Defined(0.5), score.Defined(0), score.Defined(1)
		if i >= 2 {
			absolute.Share, absolute.Low, absolute.High = score.Defined(1e-8), score.Defined(0), score.Defined(2e-8)
		}
		if i == 2 {
			global.Low = score.Defined(0.2)
		}
	}
	table := func() string {
		s, out, _ := fakeStreams(false, 0)
		p := newPage(s, colorNever)
		writeShares(p, &target, modalities)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if got := table(); strings.Count(got, " × ") != 3 || !strings.HasSuffix(got, "\n18 pairs more in --json, each less than 0.01 %\n") {
		t.Errorf("want three pairs, got\n%s", got)
	}
	// A list that is not cut is whole.
	target.Global.Pairs, target.MeanAbsolute.Pairs = target.Global.Pairs[:15], target.MeanAbsolute.Pairs[:15]
	if got := table(); strings.Count(got, " × ") != 15 || strings.Contains(got, "more in") {
		t.Errorf("want all pairs, got\n%s", got)
	}
}
