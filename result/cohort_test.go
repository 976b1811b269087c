package result

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

func TestNewMacro(t *testing.T) {
	if NewMacro(nil) != nil {
		t.Error("want no macro average of nothing")
	}
	d := score.Defined
	m := NewMacro(&score.Macro{
		Classes: 3, Global: score.Interval{Share: d(.5), Low: d(.4), High: d(.6)},
		MeanAbsolute: score.Interval{Share: d(.25), Low: d(.125)}, Local: d(.75),
	})
	want := &Macro{3, MacroShare{d(.5), d(.4), d(.6)}, MacroShare{InterSHAP: d(.25), Low: d(.125)}, d(.75)}
	if diff := cmp.Diff(want, m, exact); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if *m.Headline(Global) != m.Global || *m.Headline(MeanAbsolute) != m.MeanAbsolute {
		t.Error("want the headline's average, got the other")
	}
}

// lacking adds up samples of three modalities of which one lacks the second: there cells
// of it are zero.
func lacking() *score.Summary {
	a := score.NewAccumulator(score.Layout{
		Modalities: 3, Targets: 1, Partitions: []int{2}, Convention: score.Paper,
		Present: [][]game.Coalition{{0b111, 0b101}}, Blocks: []int{1, 1},
	})
	weights := make([]uint8, score.Replicates)
	score.WeightsTo(weights, 1, "one patient")
	phi := []float64{0.5, 0, 0.125, 0, 0, 0, 0.125, 0, 0.25}
	for range 3 {
		a.Add(0, score.Sample{Groups: []int{1}, Base: 0, Output: 1, Phi: phi, BlockPhi: slices.Concat(phi, phi), Weights: weights})
	}
	return a.SummaryOf(0, score.Options{Level: 0.95, Quantile: quantile}, 0, 1)
}

func TestNewPattern(t *testing.T) {
	p := NewPattern(lacking(), []string{"a", "b", "c"}, 0b101)
	if d := cmp.Diff([]string{"a", "c"}, p.Present); d != "" {
		t.Errorf("present (-want +got):\n%s", d)
	}
	// All three are drawn together.
	if p.Samples != 3 || p.Clusters == nil || *p.Clusters >= 2 {
		t.Errorf("want 3 samples and fewer than 2 independent ones, got %d and %v", p.Samples, p.Clusters)
	}
	// a alone 0.5, c alone 0.25, both cells of the pair 0.25.
	want := map[string]score.Share{"a": score.Defined(0.5), "c": score.Defined(0.25)}
	for _, a := range []*Aggregate{&p.Global.Aggregate, &p.MeanAbsolute.Aggregate} {
		if d := cmp.Diff(want, a.Contributions, exact); d != "" {
			t.Errorf("contributions (-want +got):\n%s", d)
		}
		if len(a.ContributionIntervals) != 2 || a.InterSHAP != score.Defined(0.25) {
			t.Errorf("want two intervals and an InterSHAP of 0.25, got %+v", a)
		}
		if len(a.Pairs) != 1 || a.Pairs[0].Pair != [2]string{"a", "c"} || a.Pairs[0].Share != score.Defined(0.25) {
			t.Errorf("want the pair of a and c with 0.25, got %+v", a.Pairs)
		}
	}
	if d := cmp.Diff([][]float64{{0.5, 0, 0.125}, {0, 0, 0}, {0.125, 0, 0.25}}, p.Global.Phi); d != "" {
		t.Errorf("phi (-want +got):\n%s", d)
	}
	if none := NewPattern(lacking(), []string{"a", "b", "c"}, 0); none.Present == nil || len(none.Present) != 0 || len(none.Global.Contributions) != 0 || len(none.Global.Pairs) != 0 {
		t.Errorf("want an empty list and no shares, got %+v", none)
	}
}

// cohortExample is an explanation with macro average, groups and patterns.
func cohortExample() *Explanation {
	e := example()
	t := &e.Targets[0]
	d := score.Defined
	t.Macro = &Macro{2, MacroShare{d(.5), d(.25), d(.75)}, MacroShare{d(.5), d(.25), d(.75)}, score.Share{}}
	no, yes := t.ByClass[0].Breakdown, t.ByClass[1].Breakdown
	weight, clusters := 2.5, 1.5
	no.Weight, no.Clusters = &weight, &clusters
	t.By = []Partition{
		{[]string{"sex"}, []Group{{[]string{"f"}, no}, {[]string{"m"}, yes}}},
		{[]string{"sex", "site"}, []Group{{[]string{"f", "A"}, no}, {[]string{"f", ""}, yes}}},
	}
	e.Provenance.Missing, e.Provenance.Pad = []string{"text"}, []string{"ids=0"}
	e.Provenance.Cluster, e.Provenance.Weight = "patient", "w"
	t.Present = map[string]int{"text": 3, "image, left": 4}
	only := t.ByClass[1].Breakdown
	only.Global.Phi = [][]float64{{0, 0}, {0, only.Output - only.Base}}
	for _, a := range []*Aggregate{&only.Global.Aggregate, &only.MeanAbsolute.Aggregate} {
		a.Contributions = map[string]score.Share{"image, left": d(1)}
		a.ContributionIntervals = map[string][2]score.Share{"image, left": {}}
		a.Pairs = []Pair{}
	}
	no.Global.Phi = [][]float64{slices.Clone(no.Global.Phi[0]), slices.Clone(no.Global.Phi[1])} // not that of the groups
	t.Patterns = []Pattern{{e.Modalities, no}, {[]string{"image, left"}, only}}
	return e
}

func TestCohortRoundTrip(t *testing.T) {
	want := cohortExample()
	got, err := Read(bytes.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, exact); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	// What was not asked for is not there, but for the lists that are null.
	document := decoded(t, example())
	for _, key := range []string{"cluster", "weight", "missing", "pad"} {
		if _, has := document["provenance"].(map[string]any)[key]; has {
			t.Errorf("want no key %q in the provenance of a plain run", key)
		}
	}
	for _, key := range []string{"weight", "clusters", "present"} {
		if _, has := lookUp(t, document, []any{"targets", 0}).(map[string]any)[key]; has {
			t.Errorf("want no key %q in a target of a plain run", key)
		}
	}
}

func TestReadRefusesCohorts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Target)
		want   string
	}{
		{"good", func(*Target) {}, ""},
		{"classes", func(x *Target) { x.Macro.Classes = 3 }, "targets[0].macro.classes: want 0 to 2, the number of predicted classes, got 3"},
		{"macro share", func(x *Target) { x.Macro.Global.InterSHAP = score.Defined(1.5) }, "targets[0].macro.global.intershap: want 0 to 1, got 1.5"},
		{"macro bounds", func(x *Target) { x.Macro.MeanAbsolute.High = score.Defined(0.125) }, "targets[0].macro.mean_absolute: want low at most high, got 0.25 and 0.125"},
		{"macro local", func(x *Target) { x.Macro.Local = score.Defined(-1) }, "targets[0].macro.local: want 0 to 1, got -1"},
		{"no columns", func(x *Target) { x.By[0].Columns = nil }, "targets[0].by[0].columns: want the name of a column or more, got none"},
		{"column twice", func(x *Target) { x.By[1].Columns[1] = "sex" }, `targets[0].by[1].columns[1]: want different names, got "sex" twice`},
		{"partition twice", func(x *Target) { x.By = append(x.By, x.By[0]) }, `targets[0].by[2].columns: want different columns, got ["sex"] twice`},
		{"values", func(x *Target) { x.By[1].Groups[0].Values = []string{"f"} }, `targets[0].by[1].groups[0].values: want 2, one for each column, got ["f"]`},
		{"group twice", func(x *Target) { x.By[0].Groups[1].Values = []string{"f"} }, `targets[0].by[0].groups[1].values: want different groups, got ["f"] twice`},
		{"too many samples", func(x *Target) { x.By[0].Groups[0].Samples = 4 }, "targets[0].by[0].groups: want at most the target's 4 samples, got 5"},
		{"share of a group", func(x *Target) { x.By[0].Groups[1].Global.InterSHAP = score.Defined(2) }, "targets[0].by[0].groups[1].global.intershap: want 0 to 1, got 2"},
		{"weight", func(x *Target) { w := -1.0; x.By[0].Groups[0].Weight = &w }, "targets[0].by[0].groups[0].weight: want 0 or more, got -1"},
		{"clusters", func(x *Target) { n := 3.5; x.By[0].Groups[0].Clusters = &n }, "groups[0].clusters: want more than 0 and at most 3, the number of samples, got 3.5"},
		{"pattern twice", func(x *Target) { x.Patterns[1].Present = x.Patterns[0].Present }, `targets[0].patterns[1].present: want different patterns, got`},
		{"unknown modality", func(x *Target) { x.Patterns[1].Present = []string{"sound"} }, `targets[0].patterns[1].present: want modalities in their order, ["text" "image, left"], got ["sound"]`},
		{"order", func(x *Target) { x.Patterns[0].Present = []string{"image, left", "text"} }, `targets[0].patterns[0].present: want modalities in their order`},
		{"samples of patterns", func(x *Target) { x.Patterns[1].Samples = 3 }, "targets[0].patterns: want at most the target's 4 samples, got 6"},
		{"phi of a pattern", func(x *Target) {
			x.Patterns[1].Global.Phi[0][0], x.Patterns[1].Global.Phi[1][1] = x.Patterns[1].Global.Phi[1][1], 0
		}, `targets[0].patterns[1].global.phi[0][0]: want 0, since the samples lack "text"`},
		{"sum of a pattern", func(x *Target) { x.Patterns[1].Global.Phi[1][1] += 1 }, "targets[0].patterns[1].global.phi: want cells that sum to output - base"},
		{"share of a pattern", func(x *Target) { x.Patterns[1].Global.Contributions["image, left"] = score.Defined(7) }, `contributions["image, left"]: want 0 to 1, got 7`},
		{"pair of a pattern", func(x *Target) { x.Patterns[1].Global.Pairs = x.Global.Pairs }, `targets[0].patterns[1].global.pairs[0]: want two of the modalities ["image, left"]`},
		{"present", func(x *Target) { x.Present["text"] = 5 }, `targets[0].present["text"]: want 0 to 4, the number of samples, got 5`},
		{"present unknown", func(x *Target) { x.Present["sound"] = 1 }, `targets[0].present["sound"]: want one of the modalities`},
		{"present lost", func(x *Target) { delete(x.Present, "text") }, `targets[0].present: want modality "text", got none`},
		// Where samples lack modalities cells are means over different samples.
		{"pooled", func(x *Target) { x.Global.Phi[0][0] += 1 }, ""},
		{"pooled groups", func(x *Target) { x.By[0].Groups[0].Global.Phi[0][0] += 1 }, ""},
		{"all have all", func(x *Target) {
			x.Present = map[string]int{"text": 4, "image, left": 4}
			x.Global.Phi[0][0] += 1
		}, "targets[0].global.phi: want cells that sum to output - base"},
	} {
		e := cohortExample()
		c.change(&e.Targets[0])
		_, err := Read(bytes.NewReader(written(t, e)))
		wantFault(t, c.name, err, c.want)
	}
	e := cohortExample()
	e.Provenance.Missing = nil
	e.Targets[0].By[0].Groups[0].Global.Phi[0][0] += 1
	_, err := Read(bytes.NewReader(written(t, e)))
	wantFault(t, "not pooled", err, "targets[0].by[0].groups[0].global.phi: want cells that sum to output - base")
	bad := math.NaN()
	e = cohortExample()
	e.Targets[0].Weight = &bad
	if err := e.Write(&bytes.Buffer{}); err == nil {
		t.Error("want no NaN to be written, got no error")
	}
}
