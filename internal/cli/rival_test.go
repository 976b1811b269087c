package cli

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
)

// The values below are made by hand. What stands in the goldens follows from them
// by the rules of number.go: fractions in percent with one decimal, two below one
// percent; outputs with four digits; information with four decimals, in bits after
// division by ln 2 = 0.693147. So 0.5 nats are 0.5/0.693147 = 0.7213 bits. Where a
// part has ~ its mean is at most that of shuffled targets and twice their deviation.

// rivalsOf returns scores with nothing computed yet but InterSHAP.
func rivalsOf(modalities []string, target result.Target) *intershap.RivalScores {
	var all []string
	for _, card := range rival.Cards() {
		all = append(all, card.Name)
	}
	return &intershap.RivalScores{
		Explanation: &intershap.Explanation{Explanation: *explanation(modalities, target)},
		Scores:      all, Rows: map[string]int64{},
	}
}

// estimate has the parts at, 2at, 3at and 4at, spread by a tenth of them; shuffled
// targets have a fifth, spread by a fiftieth.
func estimate(at float64) *rival.PIDEstimate {
	parts := func(x float64) rival.Information {
		return rival.Information{Redundancy: x, Unique1: 2 * x, Unique2: 3 * x, Synergy: 4 * x}
	}
	return &rival.PIDEstimate{
		Mean: parts(at), SD: parts(at / 10), Permuted: parts(at / 5), PermutedSD: parts(at / 50),
		First: 3 * at, Second: 4 * at, Both: 10 * at, Gap: at * 8e-10, Clusters: [2]int{20, 7}, Samples: 150, Classes: 2,
	}
}

func sriParts(synergy, redundancy float64) rival.SRIParts {
	return rival.SRIParts{Synergy: score.Defined(synergy), Redundancy: score.Defined(redundancy), Independence: score.Defined(1 - synergy - redundancy)}
}

// allRivals has every score of two modalities. EMAP and PID took some of the 200
// samples.
func allRivals() *intershap.RivalScores {
	r := rivalsOf([]string{"image", "text"}, classesTarget())
	model, sum := rival.Metrics{Accuracy: 0.9, MacroF1: 0.88}, rival.Metrics{Accuracy: 0.6, MacroF1: 0.885}
	r.Metrics = &rival.Metrics{Accuracy: 0.91, MacroF1: 0.873}
	r.EMAP = &intershap.EMAPScore{
		EMAP: rival.EMAP{
			Design: rival.AllPairs, OverSamples: score.Defined(1.25), OverPairs: score.Defined(0.0042),
			Gap: &rival.EMAPGap{Model: model, Projection: sum, Accuracy: 0.3, MacroF1: -0.005},
		},
		Samples: 100,
	}
	// 0.9 − 0.5 − 0.1 − 0.2 = 0.1, half of it to either: 0.15 and 0.25.
	shape := func(f rival.ShapeForm, scale float64) *rival.Shape {
		return &rival.Shape{
			Form: f, Baseline: 0.5 * scale, All: 0.9 * scale, Alone: []float64{0.1 * scale, 0.2 * scale}, Contributions: []float64{0.15 * scale, 0.25 * scale},
			Cooperation: 0.1 * scale, Relative: score.Defined(0.25), Pairs: []float64{0, 0.1 * scale, 0.1 * scale, 0},
		}
	}
	r.ShapeF1, r.ShapeAccuracy, r.ShapeOutputs = shape(rival.ShapeF1, 1), shape(rival.ShapeAccuracy, -1), shape(rival.ShapeOutputs, 0.5)
	// 0.1 + 2·0.05 = 0.2, and the redundancy is 0.125.
	labels := estimate(0.125)
	labels.Permuted.Redundancy, labels.PermutedSD.Redundancy = 0.1, 0.05
	r.DataPID = []rival.PIDView{{Heading: "PID", First: "image", Second: "text", Estimate: labels}}
	r.ModelPID = []rival.PIDView{{Heading: "PID", First: "image", Second: "text", Estimate: estimate(0.25)}}
	r.PIDSamples = 150
	r.SRI = []rival.SRI{{I: 0, J: 1, OfI: sriParts(0.5, 0.25), OfJ: sriParts(0.005, 0.4), Both: sriParts(0.25, 0.3)}}
	r.Shares = &rival.ModalityShares{Shares: []score.Share{score.Defined(0.75), score.Defined(0.25)}, SD: []score.Share{score.Defined(0.125), {}}, Undefined: 1}
	r.Perceptual = &rival.Perceptual{Accuracy: 0.91, Modalities: []rival.PerceptualModality{
		{Permuted: 0.455, Score: 0.455, SE: score.Defined(0.012), Normalised: score.Defined(0.5)},
		{Permuted: 0.91, Normalised: score.Defined(0)},
	}}
	r.Effects = &rival.Effects{
		Alone:   []rival.Effect{{Mean: 0.125, MeanAbsolute: 0.25}, {Mean: -0.0625, MeanAbsolute: 0.0625}},
		Shapley: []rival.Effect{{Mean: 0.25, MeanAbsolute: 0.5}, {}},
		Last:    []rival.Effect{{Mean: 0.375, MeanAbsolute: 0.75}, {Mean: 0.0625, MeanAbsolute: 0.0625}},
	}
	r.Rows = map[string]int64{"emap": 10000, "shape": 603, "perceptual": 4200, "pid": 0}
	return r
}

// threeRivals has what changes with a third modality: EMAP over shuffled rows, pairs
// in SHAPE, PID by pairs and against the rest, one of them without an estimate.
func threeRivals() *intershap.RivalScores {
	target := classesTarget()
	m := []string{"image", "text", "laboratory values"}
	target.Headline, target.ByClass = result.MeanAbsolute, nil
	r := rivalsOf(m, target)
	r.Scores = []string{"emap", "shape", "pid", "sri"}
	r.EMAP = &intershap.EMAPScore{EMAP: rival.EMAP{Design: rival.Product, OverSamples: score.Defined(0.5)}, Samples: 200, Background: 50}
	r.ShapeOutputs = &rival.Shape{
		Form: rival.ShapeOutputs, Baseline: 1, All: 7, Alone: []float64{1, 1, 1}, Contributions: []float64{1, 2, 3}, Cooperation: 3,
		Pairs: []float64{0, 0.25, 0.5, 0.25, 0, 0.75, 0.5, 0.75, 0},
	}
	constant := &rival.Unfit{Score: "pid", Reason: "laboratory values is the same for all samples: take data in which it varies"}
	// 0.9 + 2·0.0625 = 1.025, and the synergy is 1.
	rest := estimate(0.25)
	rest.Permuted.Synergy, rest.PermutedSD.Synergy = 0.9, 0.0625
	r.ModelPID = []rival.PIDView{
		{Heading: "pairwise", First: "image", Second: "text", Estimate: estimate(0.125)},
		{Heading: "pairwise", First: "image", Second: "laboratory values", Unfit: constant},
		{Heading: "pairwise", First: "text", Second: "laboratory values", Unfit: constant},
		{Heading: "one against the rest", First: "text", Second: "image+laboratory values", Estimate: rest},
	}
	r.PIDSamples = 200
	for _, p := range pairsOf(3) {
		r.SRI = append(r.SRI, rival.SRI{I: p[0], J: p[1], OfI: sriParts(0.5, 0.25), Both: sriParts(0.5, 0.25)})
	}
	const noLabels = "true classes are needed, and test.npz has none: add a column or array called label"
	r.Unfit = []*rival.Unfit{
		{Score: "emap", Part: "gap in accuracy and F1", Reason: noLabels}, {Score: "shape", Part: "forms in accuracy and F1", Reason: noLabels},
		{Score: "pid", Part: "of the labels", Reason: noLabels}, constant,
	}
	r.Explanation.Warnings = []diag.Warning{{ID: "few-samples", Text: "need at least 30 samples for a trustworthy interval, have 12"}}
	r.Rows = map[string]int64{"emap": 60000, "shape": 1407}
	return r
}

// noRivals has nothing but reasons.
func noRivals() *intershap.RivalScores {
	r := rivalsOf([]string{"image", "text"}, classesTarget())
	for _, name := range r.Scores {
		r.Unfit = append(r.Unfit, &rival.Unfit{Score: name, Reason: "there is a reason for " + name})
	}
	r.Explanation.Warnings = []diag.Warning{{ID: "residual", Subject: "predicted", Text: "a sample misses f(x) - v({})"}}
	r.Explanation.Targets[0].Global = result.GlobalAggregate{}
	return r
}

// undefinedRivals has scores whose numbers do not exist.
func undefinedRivals() *intershap.RivalScores {
	r := rivalsOf([]string{"image", "text"}, classesTarget())
	r.Scores = []string{"emap", "sri", "share", "perceptual"}
	r.EMAP = &intershap.EMAPScore{EMAP: rival.EMAP{Design: rival.AllPairs}, Samples: 1}
	r.SRI = []rival.SRI{{I: 0, J: 1}}
	r.Shares = &rival.ModalityShares{Shares: make([]score.Share, 2), SD: make([]score.Share, 2), Undefined: 200}
	r.Perceptual = &rival.Perceptual{Modalities: make([]rival.PerceptualModality, 2)}
	return r
}

const rivalGoldens = "testdata/rival"

// TestRivalTable lays out scores for a terminal and for a pipe.
func TestRivalTable(t *testing.T) {
	only := allRivals()
	only.Scores = []string{"share"}
	seven := rivalsOf(nil, classesTarget())
	seven.Scores = []string{"sri"}
	wide, modalities := wideTarget()
	seven.Explanation.Targets[0], seven.Explanation.Modalities = wide, modalities
	for _, p := range pairsOf(len(modalities)) {
		seven.SRI = append(seven.SRI, rival.SRI{I: p[0], J: p[1], Both: sriParts(0.5, 0.25)})
	}
	var used []string
	for _, tt := range []struct {
		name     string
		r        *intershap.RivalScores
		terminal bool
		color    string
		reason   string
	}{
		{"two-terminal", allRivals(), true, colorNever, "every score of two modalities, some of drawn samples"},
		{"two-pipe", allRivals(), false, colorNever, "tabs between columns, nothing wrapped"},
		{"three-terminal", threeRivals(), true, colorNever, "what is ours says so; pairs; a view without an estimate; footnotes after warnings, one for a cause"},
		{"none-color", noRivals(), true, colorAlways, "each score says that it was not computed, and where the reason is"},
		{"undefined-terminal", undefinedRivals(), true, colorNever, "what does not exist is a word"},
		{"only-pipe", only, false, colorNever, "what was not asked for has no block; scores of one kind need no word on kinds"},
		{"pairs-terminal", seven, true, colorNever, "15 pairs, and how many more"},
	} {
		used = append(used, tt.name+".golden")
		t.Run(tt.name, func(t *testing.T) {
			s, out, _ := fakeStreams(tt.terminal, 0)
			p := newPage(s, tt.color)
			writeRivals(p, tt.r, true)
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(rivalGoldens, tt.name+".golden")
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := compareGolden(path, out.Bytes()); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.reason, diff)
			}
			if tt.terminal {
				for _, line := range widest(out.String()) {
					t.Errorf("a line of %d columns, want at most %d: %s", visible(line), defaultWidth, line)
				}
			}
		})
	}
	if unused, err := unusedGoldens(rivalGoldens, used); err != nil || len(unused) > 0 {
		t.Errorf("no test uses the golden files %v (%v)", unused, err)
	}
}

// TestRivalBlocks checks that every score has a block and a kind.
func TestRivalBlocks(t *testing.T) {
	all, none := rivalTable{r: allRivals()}, rivalTable{r: noRivals()}
	ours := 0
	for _, card := range rival.Cards() {
		if b := blocks[card.Name]; b.says == "" || b.write == nil {
			t.Errorf("%s has no block", card.Name)
		}
		if all.kindOf(card.Name) == "" || none.kindOf(card.Name) != "" {
			t.Errorf("%s: want a kind where it was computed alone, got %q and %q", card.Name, all.kindOf(card.Name), none.kindOf(card.Name))
		}
		if card.Ours {
			ours++
		}
	}
	if n := len(rival.Cards()); len(blocks) != n {
		t.Errorf("want blocks of %d scores, got %d", n, len(blocks))
	}
	// EMAP and PID were made for two modalities; their cards must say whose the rest is.
	if ours != 2 {
		t.Errorf("want 2 scores that are ours beyond two modalities, got %d", ours)
	}
}

// TestRivalKinds checks what the last sentence of the table says of scores, by what of
// them there is.
func TestRivalKinds(t *testing.T) {
	for _, tt := range []struct {
		score  string
		r      intershap.RivalScores
		want   string
		reason string
	}{
		{"intershap", intershap.RivalScores{}, "the function that the model is", "always there"},
		{"emap", intershap.RivalScores{}, "", "not computed"},
		{"emap", intershap.RivalScores{EMAP: &intershap.EMAPScore{}}, "the function that the model is", "variance of the output"},
		{"emap", intershap.RivalScores{EMAP: &intershap.EMAPScore{EMAP: rival.EMAP{Gap: &rival.EMAPGap{}}}}, "how often it is right", "accuracy"},
		{"shape", intershap.RivalScores{ShapeOutputs: &rival.Shape{}}, "the function that the model is", "outputs"},
		{"shape", intershap.RivalScores{ShapeF1: &rival.Shape{}, ShapeAccuracy: &rival.Shape{}}, "how often it is right", "without a form on outputs"},
		{"pid", intershap.RivalScores{DataPID: []rival.PIDView{{}}}, "what inputs tell of labels", "no predictions of classes"},
		{"pid", intershap.RivalScores{ModelPID: []rival.PIDView{{}}}, "what inputs tell of predictions", "no labels"},
	} {
		table := rivalTable{r: &tt.r}
		if got := table.kindOf(tt.score); got != tt.want {
			t.Errorf("%s (%s): want %q, got %q", tt.score, tt.reason, tt.want, got)
		}
	}
}

// TestCauses checks that a reason is told once, in the place of the first that it hits.
func TestCauses(t *testing.T) {
	got := doubts([]*rival.Unfit{
		{Score: "emap", Part: "gap", Reason: "no labels"}, {Score: "pid", Reason: "few samples"}, {Score: "perceptual", Reason: "no labels"},
	})
	want := []diag.Warning{{ID: "emap (gap), perceptual", Text: "no labels"}, {ID: "pid", Text: "few samples"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testRivalOptions() *rivalOptions { return &rivalOptions{emapSamples: 3000, draws: 10} }

// document writes the document of r.
func document(t *testing.T, r *intershap.RivalScores) []byte {
	t.Helper()
	report, err := reportRivals(r, testRivalOptions())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRivalJSON reads what was written: nothing is lost, and the explanation is one
// that the package result reads.
func TestRivalJSON(t *testing.T) {
	sameShare := cmp.Comparer(func(a, b score.Share) bool { return a == b })
	for name, r := range map[string]*intershap.RivalScores{
		"all": allRivals(), "three": threeRivals(), "none": noRivals(), "undefined": undefinedRivals(),
	} {
		t.Run(name, func(t *testing.T) {
			// Matrices belong to an explanation that can be read.
			m := len(r.Explanation.Modalities)
			for i := range r.Explanation.Targets {
				target := &r.Explanation.Targets[i]
				square := make([][]float64, m)
				for j := range square {
					square[j] = make([]float64, m)
				}
				whole := aggregate(0.5, 0.25, 0.75, r.Explanation.Modalities, make([]float64, m)...)
				target.Global = result.GlobalAggregate{Aggregate: whole, Phi: square}
				target.MeanAbsolute = result.MeanAbsoluteAggregate{Aggregate: whole}
				target.ByClass, target.Output = nil, target.Base
			}
			want, err := reportRivals(r, testRivalOptions())
			if err != nil {
				t.Fatal(err)
			}
			var got rivalReport
			if err := json.Unmarshal(document(t, r), &got); err != nil {
				t.Fatal(err)
			}
			if _, err := result.Read(bytes.NewReader(got.Explanation)); err != nil {
				t.Error(err)
			}
			for _, raw := range []*json.RawMessage{&want.Explanation, &got.Explanation} {
				var compact bytes.Buffer
				if err := json.Compact(&compact, *raw); err != nil {
					t.Fatal(err)
				}
				*raw = compact.Bytes()
			}
			if diff := cmp.Diff(want, &got, sameShare); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			changed := got
			changed.InterSHAP.Low = score.Defined(-1)
			if cmp.Diff(want, &changed, sameShare) == "" {
				t.Error("the comparison does not see another number")
			}
		})
	}
}

// TestRivalJSONKeys holds names and units: scripts read them.
func TestRivalJSONKeys(t *testing.T) {
	var all, three map[string]any
	for to, r := range map[*map[string]any]*intershap.RivalScores{&all: allRivals(), &three: threeRivals()} {
		if err := json.Unmarshal(document(t, r), to); err != nil {
			t.Fatal(err)
		}
	}
	at := func(doc any, path string) any {
		for key := range strings.SplitSeq(path, ".") {
			switch node := doc.(type) {
			case map[string]any:
				value, ok := node[key]
				if !ok {
					t.Fatalf("%s: no key %q", path, key)
				}
				doc = value
			case []any:
				doc = node[int(key[0]-'0')]
			default:
				t.Fatalf("%s: nothing at %q", path, key)
			}
		}
		return doc
	}
	eighth := 0.125 // a variable: constants are not rounded as float64 are
	for _, tt := range []struct {
		doc  map[string]any
		path string
		want any
	}{
		{all, "schema", "intershap/rival/v1"},
		{all, "provenance.output", "probabilities"},
		{all, "options.emap_samples", 3000.0},
		{all, "options.draws", 10.0},
		{all, "intershap.intershap", 0.443},
		{all, "intershap.headline", "global"},
		{all, "intershap.local.sd", 0.299},
		{all, "explanation.schema", "intershap/explanation/v1"},
		{all, "metrics.macro_f1", 0.873},
		{all, "emap.design", "all-pairs"},
		{all, "emap.samples", 100.0},
		{all, "emap.background", nil},
		{all, "emap.gap.macro_f1", -0.005},
		{all, "emap.gap.projection.accuracy", 0.6},
		{all, "emap.over_samples", 1.25},
		{all, "shape.f1.alone.text", 0.2},
		{all, "shape.accuracy.cooperation", -0.1},
		{all, "shape.outputs.contributions.image", 0.075},
		{all, "shape.outputs.pairs.0.pair.1", "text"},
		{all, "pid.samples", 150.0},
		{all, "pid.data.0.estimate.nats.mean.unique_second", 3 * eighth},
		{all, "pid.data.0.estimate.bits.mean.unique_second", 3 * eighth / math.Ln2},
		{all, "pid.data.0.estimate.bits.shuffled_sd.unique_first", 2 * eighth / 50 / math.Ln2},
		{all, "pid.data.0.estimate.nats.both", 10 * eighth},
		{all, "pid.data.0.estimate.above_shuffled.redundancy", false},
		{all, "pid.data.0.estimate.above_shuffled.unique_first", true},
		{all, "pid.data.0.estimate.above_shuffled.unique_second", true},
		{all, "pid.data.0.estimate.above_shuffled.synergy", true},
		{three, "pid.model.3.estimate.above_shuffled.synergy", false},
		{all, "pid.data.0.estimate.gap", eighth * 8e-10},
		{all, "pid.data.0.estimate.clusters.1", 7.0},
		{all, "pid.data.0.reason", nil},
		{all, "sri.0.pair.0", "image"},
		{all, "sri.0.both.synergy", 0.25},
		{all, "sri.0.of_first.redundancy", 0.25},
		{all, "sri.0.of_second.synergy", 0.005},
		{all, "share.modalities.image.sd", 0.125},
		{all, "share.modalities.text.sd", nil},
		{all, "share.undefined", 1.0},
		{all, "perceptual.accuracy", 0.91},
		{all, "perceptual.modalities.image.score", 0.455},
		{all, "perceptual.modalities.image.shuffled", 0.455},
		{all, "perceptual.modalities.text.se", nil},
		{all, "effects.modalities.text.alone.mean", -0.0625},
		{all, "effects.modalities.image.last.mean_absolute", 0.75},
		{all, "rows.emap", 10000.0},
		{three, "emap.background", 50.0},
		{three, "emap.gap", nil},
		{three, "emap.over_pairs", nil},
		{three, "shape.f1", nil},
		{three, "shape.outputs.relative", nil},
		{three, "shape.outputs.pairs.2.cooperation", 0.75},
		{three, "pid.data", nil},
		{three, "pid.model.1.estimate", nil},
		{three, "pid.model.1.reason", "laboratory values is the same for all samples: take data in which it varies"},
		{three, "pid.model.3.heading", "one against the rest"},
		{three, "share", nil},
		{three, "effects", nil},
		{three, "metrics", nil},
		{three, "scores.3", "sri"},
		{three, "unfit.1.score", "shape"},
		{three, "unfit.1.part", "forms in accuracy and F1"},
		{three, "unfit.1.reason", "true classes are needed, and test.npz has none: add a column or array called label"},
		{three, "unfit.3.part", nil},
	} {
		if got := at(tt.doc, tt.path); got != tt.want {
			t.Errorf("%s: want %v, got %v", tt.path, tt.want, got)
		}
	}
}

// TestRivalJSONRefuses checks that a number that is not finite is no document.
func TestRivalJSONRefuses(t *testing.T) {
	r := allRivals()
	r.Effects.Last[1].Mean = math.NaN()
	report, err := reportRivals(r, testRivalOptions())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.write(&out); err == nil || out.Len() > 0 {
		t.Errorf("want an error and nothing written, got %v and %q", err, out.String())
	}
	r.Explanation.Targets[0].Base = math.Inf(1)
	if _, err := reportRivals(r, testRivalOptions()); err == nil {
		t.Error("want the explanation's error, got none")
	}
}

func TestReadScores(t *testing.T) {
	for _, tt := range []struct{ text, want, fault, reason string }{
		{"emap", "emap", "", "one"},
		{" share, emap", "emap share", "", "in the order of the table"},
		{strings.Join(scoreNames, ","), strings.Join(scoreNames, " "), "", "all"},
		{"emap,shap", "", `got "shap"`, "an unknown name"},
		{"emap,,pid", "", `got ""`, "an empty name"},
		{"", "", `got ""`, "none"},
		{"pid,pid", "", `want every name once, got "pid" twice`, "twice"},
	} {
		got, err := readScores(tt.text)
		if tt.fault == "" && (err != nil || strings.Join(got, " ") != tt.want) || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%s: %q: want %q (%s), got %q, %v", tt.reason, tt.text, tt.want, tt.fault, got, err)
		}
	}
	if len(scoreNames) != len(rival.Cards()) {
		t.Errorf("want a name for each of %d cards, got %q", len(rival.Cards()), scoreNames)
	}
}

// TestScoresTwice checks that a flag given twice asks for both.
func TestScoresTwice(t *testing.T) {
	for _, tt := range []struct {
		given              []string
		want, fault, about string
	}{
		{[]string{"pid", "emap"}, "emap pid", "", "in the order of the table"},
		{[]string{"pid", "emap,sri"}, "emap pid sri", "", "lists too"},
		{[]string{"pid", "pid"}, "", `want every name once, got "pid" twice`, "duplicates as in a list"},
		{[]string{"pid", ""}, "", `got ""`, "an empty name as in a list"},
	} {
		var scores []string
		var err error
		for _, text := range tt.given {
			flag := value[[]string]{to: &scores, read: readMoreScores(&scores)}
			if err = flag.Set(text); err != nil {
				break
			}
		}
		if tt.fault == "" && (err != nil || strings.Join(scores, " ") != tt.want) || tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
			t.Errorf("%s: %q: want %q (%s), got %q, %v", tt.about, tt.given, tt.want, tt.fault, scores, err)
		}
	}
}

// TestReadBetween reads both ends and refuses what is beyond them.
func TestReadBetween(t *testing.T) {
	read := readBetween(2, 10000)
	for text, want := range map[string]int{"2": 2, "10000": 10000} {
		if got, err := read(text); got != want || err != nil {
			t.Errorf("%s: want %d, got %d, %v", text, want, got, err)
		}
	}
	for _, text := range []string{"1", "10001", "", "3.5", "99999999999999999999"} {
		if _, err := read(text); err == nil || err.Error() != `want a whole number of 2 to 10,000, got "`+text+`"` {
			t.Errorf("%s: want the bounds in the error, got %v", text, err)
		}
	}
}

// TestCompleteScores checks lists, and that what is proposed is taken.
func TestCompleteScores(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"", strings.Join(scoreNames, " ")},
		{"s", "shape sri share"},
		{"sri,s", "sri,shape sri,share"},
		{"emap,x", ""},
		{"pid,sri,p", "pid,sri,perceptual"},
	} {
		got := complete(t, "rival", "--scores", tt.typed)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q: want %q, got %q", tt.typed, tt.want, got)
		}
		for _, list := range got {
			if _, err := readScores(list); err != nil {
				t.Errorf("%q is proposed and refused: %v", list, err)
			}
		}
	}
	if got := complete(t, "rival", "--convention", ""); !slices.Equal(got, conventionNames) {
		t.Errorf("want the words of explain, got %q", got)
	}
}
