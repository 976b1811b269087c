package paper

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/synth"
)

var shares = cmp.Comparer(func(a, b score.Share) bool {
	x, okX := a.Value()
	y, okY := b.Value()
	return okX == okY && math.Abs(x-y) < 1e-12
})

// Each table asks for what it shows, and all of them together for nothing twice.
func TestExperiments(t *testing.T) {
	networks := func(es []Experiment) map[string]int {
		out := map[string]int{}
		for _, e := range es {
			for _, n := range e.Networks {
				out[e.Name()+"/"+n.Name()]++
			}
		}
		return out
	}
	all := networks(Experiments(Tables))
	// Table 11 has 7 networks on 4 settings, which hold those of Tables 2 and 10 but for
	// the labelling function on 2;
	// Table 3 adds 3 settings for each of 3 and 4 modalities, Table 9 its 6.
	if want := 7*4 + 2 + 3*2 + 6; len(all) != want {
		t.Errorf("all tables: want %d networks, got %d", want, len(all))
	}
	for name, n := range all {
		if n != 1 {
			t.Errorf("%s: want it once, got %d times", name, n)
		}
	}
	for _, n := range Tables {
		for name := range networks(Experiments([]int{n})) {
			if all[name] == 0 {
				t.Errorf("table %d: %s is not among the networks of all tables", n, name)
			}
		}
	}
	if got := len(Experiments(nil)); got != 0 {
		t.Errorf("no tables: want no experiments, got %d", got)
	}
}

// Numbers go over seeds as the page says: derived by hand here.
func TestLine(t *testing.T) {
	one := func(v, sd float64) Score {
		return Score{
			InterSHAP: score.Defined(v), Local: score.Defined(v), LocalSD: score.Defined(sd),
			Rivals: &RivalScore{ModelPID: []PIDScore{{Synergy: v, SD: sd}}},
		}
	}
	units := []unit{{network: early, seed: 1}, {network: early, seed: 2}, {network: early, seed: 3}}
	b := builder{scores: Scores{}}
	for i, u := range units {
		// 0.1, 0.3, 0.8: mean 0.4, squares 0.09 + 0.01 + 0.16 = 0.26, over 2.
		b.scores[u.name()] = one([]float64{0.1, 0.3, 0.8}[i], []float64{0.3, 0.1, 0.2}[i])
	}
	sd := score.Defined(100 * math.Sqrt(0.13))
	tests := []struct {
		name  string
		m     measure
		units []unit
		want  Line
	}{
		{"mean and deviation over seeds", interSHAP, units,
			Line{Unit: Percent, Published: exactly(50), Ours: score.Defined(40), Spread: sd, Difference: score.Defined(-10), Seeds: 3}},
		{"local scores spread over samples", local, units,
			Line{Unit: Percent, Published: exactly(50), Ours: score.Defined(40), Spread: score.Defined(20), Difference: score.Defined(-10), Seeds: 3}},
		{"information of several networks over seeds", modelPID, units,
			Line{Unit: Nats, Published: exactly(50), Ours: score.Defined(0.4), Spread: score.Defined(math.Sqrt(0.13)), Difference: score.Defined(-49.6), Seeds: 3}},
		{"information of one over seeds of k-means", modelPID, units[:1],
			Line{Unit: Nats, Published: exactly(50), Ours: score.Defined(0.1), Spread: score.Defined(0.3), Difference: score.Defined(-49.9), Seeds: 1}},
		{"one number has no deviation", interSHAP, units[:1],
			Line{Unit: Percent, Published: exactly(50), Ours: score.Defined(10), Difference: score.Defined(-40), Seeds: 1}},
		{"a seed is missing", interSHAP, append(slices.Clone(units), unit{network: late}),
			Line{Unit: Percent, Published: exactly(50), Seeds: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := b.line(tt.m, "", "", tt.units, exactly(50))
			if diff := cmp.Diff(tt.want, got, shares, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	tests := []struct {
		line                        Line
		published, ours, difference string
	}{
		{Line{Unit: Percent, Published: about(-47.1, 0.5), Ours: score.Defined(-44.96), Spread: score.Defined(1.25), Difference: score.Defined(2.14)}, "-47.1 ± 0.5", "-45.0 ± 1.2", "+2.1"},
		{Line{Unit: Percent, Published: exactly(0), Ours: score.Defined(-0.01), Difference: score.Defined(-0.01)}, "0.0", "0.0", "0.0"},
		{Line{Unit: Percent, Published: exactly(0), Ours: score.Defined(0.04), Difference: score.Defined(0.04)}, "0.0", "0.0", "0.0"},
		{Line{Unit: Nats, Published: about(0.39, 0.01), Ours: score.Defined(0.3404), Difference: score.Defined(-0.0496)}, "0.39 ± 0.01", "0.340", "-0.050"},
		{Line{Unit: Percent}, absent, absent, absent},
	}
	for _, tt := range tests {
		got := []string{tt.line.PublishedText(), tt.line.OursText(), tt.line.DifferenceText()}
		if diff := cmp.Diff([]string{tt.published, tt.ours, tt.difference}, got); diff != "" {
			t.Errorf("%+v: want -, got +:\n%s", tt.line, diff)
		}
	}
}

// numbersOf reads the numbers of a text in order, each with its ± where it has one.
func numbersOf(text string) []*Published {
	var out []*Published
	for _, m := range regexp.MustCompile(`(-?\d+(?:\.\d+)?)(?: ±(\d+(?:\.\d+)?))?`).FindAllStringSubmatch(text, -1) {
		value, _ := strconv.ParseFloat(m[1], 64)
		p := exactly(value)
		if m[2] != "" {
			spread, _ := strconv.ParseFloat(m[2], 64)
			p = about(value, spread)
		}
		out = append(out, p)
	}
	return out
}

// The published numbers are those of the notes on the paper, read independently.
func TestPublished(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	data, err := os.ReadFile(filepath.Join(shared, "PAPER.md"))
	if err != nil {
		t.Fatal(err)
	}
	section := func(from, to string) string {
		_, rest, ok := strings.Cut(string(data), "## "+from)
		if !ok {
			t.Fatalf("no section %q", from)
		}
		_, rest, _ = strings.Cut(rest, "\n")
		text, _, _ := strings.Cut(rest, to)
		return text
	}
	check := func(table int, got, want []*Published) {
		t.Helper()
		if diff := cmp.Diff(want, got, shares); diff != "" {
			t.Errorf("table %d: want -, got +:\n%s", table, diff)
		}
	}
	var got []*Published
	for _, row := range table2 {
		got = append(got, row.published...)
	}
	_, body, _ := strings.Cut(section("Table 2 ", "\n## "), "|---|---|---|---|---|---|---|")
	check(2, got, numbersOf(strings.NewReplacer("(F1)", "").Replace(body)))

	got = nil
	for _, row := range table3 {
		got = append(got, row...)
	}
	text := regexp.MustCompile(`M=\d|F1`).ReplaceAllString(section("Table 3 ", "\n## "), "")
	check(3, append(got, table3F1...), numbersOf(text))

	got = nil
	for _, row := range table9 {
		got = append(got, row.published...)
	}
	check(9, got, numbersOf(section("Table 9 ", "\n## ")))

	got = nil
	for _, row := range table10 {
		got = append(got, row.published...)
	}
	check(10, got, numbersOf(section("Table 10 ", "\n## ")))

	got = nil
	for _, row := range table11 {
		got = append(got, row.published...)
	}
	text = regexp.MustCompile(`Modality \d`).ReplaceAllString(section("Table 11 ", "\n## "), "")
	check(11, got, numbersOf(text))
}

// The columns of Table 11 are in the paper's order, which is not that of Table 10.
func TestSettings(t *testing.T) {
	want := []synth.Setting{synth.Synergy, synth.Uniqueness(1), synth.Redundancy, synth.Random}
	if diff := cmp.Diff(want, table11Settings); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	for _, s := range append(slices.Clone(want), hdxorSettings...) {
		if settingHeadings[s] == "" {
			t.Errorf("setting %s has no heading", s)
		}
	}
}

// More than two modalities have no decomposition; their pairs are called pairwise.
func TestRealLines(t *testing.T) {
	s := Score{F1: 0.5, InterSHAP: score.Defined(0.25), Rivals: &RivalScore{
		EMAPGap: score.Defined(-0.01), Shape: score.Defined(0.1),
		ModelPID: []PIDScore{{First: "a", Second: "b", Pairwise: true, Synergy: 0.2, SD: 0.01, Permuted: 0.15}},
	}}
	one := func(column string, unit Unit, ours float64) Line {
		return Line{Row: "early", Column: column, Unit: unit, Ours: score.Defined(ours), Seeds: 1}
	}
	want := []Line{
		one("InterSHAP", Percent, 25), one("pairwise synergy a × b", Nats, 0.2), one("pairwise synergy a × b, shuffled", Nats, 0.15),
		one("EMAP gap (F1)", Percent, -1), one("SHAPE (F1)", Percent, 10), one("F1", Percent, 50),
	}
	want[1].Spread = score.Defined(0.01)
	if diff := cmp.Diff(want, realLines("early", s), shares); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// Text of the user's may not break a table.
func TestMarkdown(t *testing.T) {
	p := &Page{Setup: quick(), Quick: true, Real: []RealTable{{
		Name: "a|b", Modalities: []string{"x\ny", "<z>"}, Samples: 3,
		Lines:   []Line{{Row: "m_1", Column: "InterSHAP", Unit: Percent, Ours: score.Defined(12.34)}},
		Classes: []RealClass{{"m_1", ClassScore{Class: "`c`", Samples: 3, InterSHAP: score.Defined(0.1234), Contributions: []score.Share{score.Defined(0.8766), {}}}}},
	}}}
	var b bytes.Buffer
	if err := p.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"**A quick run:**",
		"Made by `intershap paper --quick --data a|b/`.\n",
		"### a\\|b: 3 samples, modalities x y, &lt;z>\n",
		"| m\\_1 | InterSHAP | 12.3 |\n",
		"| model | predicted class | samples | interactions | x y | &lt;z> |\n|---|---|--:|--:|--:|--:|\n",
		"| m\\_1 | \\`c\\` | 3 | 12.3 | 87.7 | – |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("want %q in:\n%s", want, b.String())
		}
	}
}
