package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/score"
)

// sums adds samples to an accumulator of two modalities and two groups: AND of
// two fair bits, seen from its four inputs, whose score is 1/3 by the paper's
// convention.
func sums() *score.Accumulator {
	a := score.NewAccumulator(score.Layout{Modalities: 2, Targets: 1, Partitions: []int{2}, Blocks: []int{2, 2}, Convention: score.Paper})
	weights := slices.Repeat([]uint8{1}, score.Replicates)
	for i, group := range []int{0, 0, 0, 1} {
		sign := float64(2*group - 1)
		// One half of the pair's effect of 1/4 in each cell.
		phi := []float64{sign * 0.25, 0.125, 0.125, sign * 0.25}
		weights[i] = 2
		a.Add(0, score.Sample{
			Groups: []int{group}, Base: 0.25, Output: 0.5 + sign*0.5, Phi: phi,
			BlockPhi: slices.Concat(phi, phi), Weights: slices.Clone(weights),
		})
	}
	return a
}

func quantile(float64, float64) float64 { return 2 }

// example is an explanation in which every field is filled.
func example() *Explanation {
	modalities := []string{"text", "image, left"}
	a := sums()
	opt := score.Options{Level: 0.95, Quantile: quantile}
	file := "run.parquet"
	e := &Explanation{
		Schema: Schema,
		Provenance: Provenance{
			Version: "v1.2.3", Command: "intershap explain m.onnx d.npz",
			Model:      Source{"m.onnx", "ab"},
			Data:       DataSource{Source{"d.npz", "cd"}, 4},
			Background: BackgroundSource{Source{"b.npz", "ef"}, 4, "marginal"},
			Output:     "probabilities", Task: "classes", Transform: "identity", Index: "SII", Order: 2,
			Convention: "paper", Plan: "full", Runtime: "onnxruntime 1.20", Seed: math.MaxUint64, Level: 0.95,
		},
		Modalities: modalities, Classes: []string{"no", "yes <&>"}, SamplesFile: &file,
		Cost: Cost{RowsNaive: 40, Rows: map[string]int64{"model": 40}, Seconds: 0.30000000000000004},
		Targets: []Target{{
			Target: "predicted", Headline: Global, Breakdown: NewBreakdown(a.Summary(0, opt), modalities),
			Residual: 1e-17, ResidualTolerance: 1e-15,
			ByClass: []Class{
				{"no", NewBreakdown(a.SummaryOf(0, opt, 0, 0), modalities)},
				{"yes <&>", NewBreakdown(a.SummaryOf(0, opt, 0, 1), modalities)},
			},
		}},
		Warnings: []diag.Warning{{ID: "few-samples", Subject: "data", Text: "need more"}},
	}
	return e
}

func written(t testing.TB, e *Explanation) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var exact = cmp.AllowUnexported(score.Share{})

func TestExplanationRoundTrip(t *testing.T) {
	full := example()
	bare := example()
	bare.Classes, bare.SamplesFile, bare.Targets[0].ByClass = nil, nil, nil
	bare.Targets[0].Headline = MeanAbsolute
	bare.Targets[0].Global.PhiSE = PhiSE{}
	bare.Targets[0].Global.InterSHAP, bare.Targets[0].Local.SD = score.Share{}, score.Share{}
	bare.Warnings = []diag.Warning{}
	for name, want := range map[string]*Explanation{"full": full, "without what is optional": bare} {
		got, err := Read(bytes.NewReader(written(t, want)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, exact); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	changed := example()
	changed.Targets[0].Global.Phi[0][1] = math.Nextafter(changed.Targets[0].Global.Phi[0][1], 1)
	if cmp.Diff(full, changed, exact) == "" {
		t.Error("want the comparison to see a change of one bit, got no difference")
	}
}

// The keys that the interface promises, level by level, and those that came
// later. Users' scripts rely on them.
var (
	aggregateKeys = []string{"intershap", "low", "high", "behaviour", "interactions", "contributions", "contribution_intervals", "pairs", "corrected"}
	globalKeys    = append([]string{"phi", "phi_se"}, aggregateKeys...)
	keys          = []struct {
		place    []any // keys and positions that lead there
		promised []string
		later    []string
	}{
		{nil, []string{"schema", "provenance", "modalities", "classes", "samples_file", "cost", "targets", "warnings"}, []string{"groups", "sensitivity"}},
		{
			[]any{"provenance"},
			[]string{"version", "command", "model", "data", "background", "output", "task", "transform", "index", "order", "convention", "plan", "runtime", "seed"},
			[]string{"level", "memory", "sampling"},
		},
		{[]any{"provenance", "model"}, []string{"source", "sha256"}, nil},
		{[]any{"provenance", "data"}, []string{"source", "sha256", "samples"}, nil},
		{[]any{"provenance", "background"}, []string{"source", "sha256", "rows", "mask"}, nil},
		{[]any{"cost"}, []string{"rows_naive", "rows", "seconds"}, nil},
		{
			[]any{"targets", 0},
			[]string{"target", "headline", "samples", "base", "output", "global", "mean_absolute", "local", "residual", "by_class"},
			[]string{"residual_tolerance", "interactions", "spectrum", "across", "at_least", "macro", "by", "patterns"},
		},
		{[]any{"targets", 0, "global"}, globalKeys, nil},
		{[]any{"targets", 0, "global", "pairs", 0}, []string{"pair", "share", "low", "high", "phi"}, nil},
		{[]any{"targets", 0, "global", "phi_se"}, []string{"background", "samples"}, []string{"coalitions"}},
		{
			[]any{"targets", 0, "mean_absolute"},
			[]string{"intershap", "low", "high", "contributions"},
			[]string{"behaviour", "interactions", "contribution_intervals", "pairs", "corrected"},
		},
		{[]any{"targets", 0, "local"}, []string{"mean", "sd", "corrected", "undefined"}, nil},
		{
			[]any{"targets", 0, "by_class", 0},
			[]string{"class", "samples", "global", "mean_absolute", "local"},
			[]string{"base", "output"},
		},
		{[]any{"targets", 0, "by_class", 1, "global"}, globalKeys, nil},
		{[]any{"warnings", 0}, []string{"id", "subject", "text"}, nil},
		// Names of the user's own.
		{[]any{"targets", 0, "global", "contributions"}, []string{"text", "image, left"}, nil},
		{[]any{"targets", 0, "global", "contribution_intervals"}, []string{"text", "image, left"}, nil},
		{[]any{"cost", "rows"}, []string{"model"}, nil},
	}
)

// lookUp follows keys and positions into a decoded document.
func lookUp(t *testing.T, document any, place []any) any {
	t.Helper()
	for _, step := range place {
		switch s := step.(type) {
		case string:
			document = document.(map[string]any)[s]
		case int:
			document = document.([]any)[s]
		}
		if document == nil {
			t.Fatalf("want something at %v, got null", place)
		}
	}
	return document
}

func decoded(t *testing.T, e *Explanation) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(written(t, e), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestExplanationKeys(t *testing.T) {
	document := decoded(t, example())
	for _, c := range keys {
		want := slices.Sorted(slices.Values(slices.Concat(c.promised, c.later)))
		got := slices.Sorted(maps.Keys(lookUp(t, document, c.place).(map[string]any)))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("keys at %v (-want +got):\n%s", c.place, d)
		}
	}
}

func TestExplanationNull(t *testing.T) {
	e := example()
	target := &e.Targets[0]
	target.Global.InterSHAP, target.Global.Low, target.Local.Mean = score.Share{}, score.Share{}, score.Share{}
	target.Global.Contributions["text"] = score.Share{}
	target.Global.ContributionIntervals["text"] = [2]score.Share{score.Defined(0), {}}
	target.Global.Pairs[0].Share = score.Share{}
	target.Global.PhiSE.Background, target.ByClass = nil, nil
	e.Classes, e.SamplesFile, e.Warnings = nil, nil, nil
	document := decoded(t, e)
	isNull := func(place ...any) {
		t.Helper()
		last := len(place) - 1
		holder := lookUp(t, document, place[:last])
		var value any = "absent"
		switch key := place[last].(type) {
		case string:
			if v, ok := holder.(map[string]any)[key]; ok {
				value = v
			}
		case int:
			value = holder.([]any)[key]
		}
		if value != nil {
			t.Errorf("want null at %v, got %v", place, value)
		}
	}
	isNull("classes")
	isNull("samples_file")
	isNull("targets", 0, "by_class")
	isNull("targets", 0, "global", "intershap")
	isNull("targets", 0, "global", "low")
	isNull("targets", 0, "global", "contributions", "text")
	isNull("targets", 0, "global", "contribution_intervals", "text", 1)
	isNull("targets", 0, "global", "pairs", 0, "share")
	isNull("targets", 0, "global", "phi_se", "background")
	isNull("targets", 0, "local", "mean")
	if got, ok := document["warnings"].([]any); !ok || len(got) != 0 {
		t.Errorf("want no warnings to be an empty list, got %v", document["warnings"])
	}
}

func TestNewBreakdown(t *testing.T) {
	b := example().Targets[0].Breakdown
	sum := 0.0
	for _, row := range b.Global.Phi {
		for _, v := range row {
			sum += v
		}
	}
	// Sums of a few binary fractions are exact.
	if want := b.Output - b.Base; sum != want {
		t.Errorf("want phi to add up to output - base = %v, got %v", want, sum)
	}
	if want := 2 * b.Global.Phi[0][1]; len(b.Global.Pairs) != 1 || b.Global.Pairs[0].Phi != want || b.Global.Pairs[0].Pair != [2]string{"text", "image, left"} {
		t.Errorf("want one pair with phi %v, got %+v", want, b.Global.Pairs)
	}
	if got, want := b.MeanAbsolute.InterSHAP, score.Defined(1.0/3); got != want {
		t.Errorf("want mean absolute InterSHAP %v, got %v", want, got)
	}
	if b.Samples != 4 || b.Local.Mean != score.Defined(1.0/3) || b.Local.Undefined != 0 {
		t.Errorf("want 4 samples with mean local score 1/3, got %d with %+v", b.Samples, b.Local)
	}
}

func TestHeadlineInterval(t *testing.T) {
	interval := func(x float64) Aggregate {
		return Aggregate{InterSHAP: score.Defined(x), Low: score.Defined(x - 0.1), High: score.Defined(x + 0.1)}
	}
	target := Target{Breakdown: Breakdown{Global: GlobalAggregate{Aggregate: interval(0.25)}, MeanAbsolute: MeanAbsoluteAggregate{interval(0.75)}}}
	for headline, want := range map[Headline]float64{Global: 0.25, MeanAbsolute: 0.75} {
		target.Headline = headline
		share, low, high := target.HeadlineInterval()
		if share != score.Defined(want) || low != score.Defined(want-0.1) || high != score.Defined(want+0.1) {
			t.Errorf("%s: want %v ± 0.1, got %v, %v, %v", headline, want, share, low, high)
		}
	}
}

func TestWriteRefusesWhatIsNoNumber(t *testing.T) {
	for name, spoil := range map[string]func(*Explanation){
		"NaN in phi":       func(e *Explanation) { e.Targets[0].Global.Phi[0][0] = math.NaN() },
		"infinite seconds": func(e *Explanation) { e.Cost.Seconds = math.Inf(1) },
		"NaN as share":     func(e *Explanation) { e.Targets[0].Global.InterSHAP = score.Defined(math.NaN()) },
	} {
		e := example()
		spoil(e)
		var b bytes.Buffer
		if err := e.Write(&b); err == nil || !strings.HasPrefix(err.Error(), "result: ") || b.Len() > 0 {
			t.Errorf("%s: want an error and nothing written, got %v and %d bytes", name, err, b.Len())
		}
	}
}

func TestReadRefuses(t *testing.T) {
	document := string(written(t, example()))
	replaced := func(old, new string) string {
		out := strings.Replace(document, old, new, 1)
		if out == document {
			t.Fatalf("%q is not in the document", old)
		}
		return out
	}
	changed := func(change func(*Explanation)) string {
		e := example()
		change(e)
		return string(written(t, e))
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "ends too early"},
		{"truncated", document[:len(document)/2], "ends too early"},
		{"without its last brace", strings.TrimRight(document, "}\n"), "ends too early"},
		{"twice", document + document, "followed by something else"},
		{"trailing bytes", document + "x", "want the end of the file after the document"},
		{"not JSON", "target,id\n", "no explanation, which is JSON"},
		{"a list", "[]", "no explanation"},
		{"no schema", "{}", `want schema "intershap/explanation/v1", got ""`},
		{"later schema", `{"schema": "intershap/explanation/v2", "targets": 3}`, `got "intershap/explanation/v2"`},
		{"a shard", `{"schema": "intershap/shard/v1"}`, "this is a shard, a part of a run: intershap merge makes the result of all shards"},
		{"text for a number", replaced(`"samples": 4`, `"samples": "4"`), "cannot unmarshal string"},
		{"headline", replaced(`"headline": "global"`, `"headline": "local"`), `targets[0].headline: want "global" or "mean_absolute", got "local"`},
		{"phi", changed(func(e *Explanation) { e.Targets[0].Global.Phi = e.Targets[0].Global.Phi[:1] }), "targets[0].global.phi: want 2 rows of 2 numbers"},
		{"phi of a class", changed(func(e *Explanation) { e.Targets[0].ByClass[1].Global.Phi = nil }), "targets[0].by_class[1].global.phi: want 2 rows"},
		{"background error", changed(func(e *Explanation) { e.Targets[0].Global.PhiSE.Background = [][]float64{} }), "global.phi_se.background: want 2 rows"},
		{"samples error", changed(func(e *Explanation) { e.Targets[0].Global.PhiSE.Samples = [][]float64{{1, 2}, {3}} }), "global.phi_se.samples: want 2 rows"},
		{"contribution", changed(func(e *Explanation) { delete(e.Targets[0].MeanAbsolute.Contributions, "text") }), `mean_absolute.contributions: want modality "text", got none`},
		{"pair", changed(func(e *Explanation) { e.Targets[0].Global.Pairs[0].Pair[1] = "sound" }), `global.pairs[0]: want two of the modalities ["text" "image, left"], got ["text" "sound"]`},
		{"share", changed(func(e *Explanation) { e.Targets[0].Global.InterSHAP = score.Defined(7.5) }), "targets[0].global.intershap: want 0 to 1, got 7.5"},
		{"share below", changed(func(e *Explanation) { e.Targets[0].ByClass[1].MeanAbsolute.InterSHAP = score.Defined(-0.1) }), "targets[0].by_class[1].mean_absolute.intershap: want 0 to 1, got -0.1"},
		{"bound", changed(func(e *Explanation) { e.Targets[0].Global.High = score.Defined(1.1) }), "targets[0].global.high: want 0 to 1, got 1.1"},
		{"bounds", changed(func(e *Explanation) {
			e.Targets[0].Global.Low, e.Targets[0].Global.High = score.Defined(.5), score.Defined(.4)
		}), "targets[0].global: want low at most high, got 0.5 and 0.4"},
		{"contribution's share", changed(func(e *Explanation) { e.Targets[0].Global.Contributions["text"] = score.Defined(2) }), `targets[0].global.contributions["text"]: want 0 to 1, got 2`},
		{"contribution's bounds", changed(func(e *Explanation) {
			e.Targets[0].Global.ContributionIntervals["text"] = [2]score.Share{score.Defined(1), score.Defined(0)}
		}), `targets[0].global.contribution_intervals["text"]: want low at most high, got 1 and 0`},
		{"pair's share", changed(func(e *Explanation) { e.Targets[0].Global.Pairs[0].Share = score.Defined(3) }), "targets[0].global.pairs[0].share: want 0 to 1, got 3"},
		{"pair's bounds", changed(func(e *Explanation) {
			e.Targets[0].Global.Pairs[0].Low, e.Targets[0].Global.Pairs[0].High = score.Defined(1), score.Defined(0)
		}), "targets[0].global.pairs[0]: want low at most high"},
		{"behaviour", changed(func(e *Explanation) { e.Targets[0].Global.Behaviour = -1 }), "targets[0].global.behaviour: want 0 or more, got -1"},
		{"interactions", changed(func(e *Explanation) { e.Targets[0].Global.Interactions = 9 }), "targets[0].global.interactions: want at most the behaviour"},
		{"local mean", changed(func(e *Explanation) { e.Targets[0].Local.Mean = score.Defined(1.5) }), "targets[0].local.mean: want 0 to 1, got 1.5"},
		{"local deviation", changed(func(e *Explanation) { e.Targets[0].Local.SD = score.Defined(-1) }), "targets[0].local.sd: want 0 or more, got -1"},
		{"corrected", changed(func(e *Explanation) { e.Targets[0].Local.Corrected = score.Defined(-1) }), "targets[0].local.corrected: want 0 to 1, got -1"},
		{"undefined", changed(func(e *Explanation) { e.Targets[0].Local.Undefined = 5 }), "targets[0].local.undefined: want 0 to 4, got 5"},
		{"no samples", changed(func(e *Explanation) { e.Targets[0].Samples = 0 }), "targets[0].samples: want 1 or more, got 0"},
		{"no samples of a class", changed(func(e *Explanation) { e.Targets[0].ByClass[0].Samples = -3 }), "targets[0].by_class[0].samples: want 1 or more, got -3"},
		{"level", changed(func(e *Explanation) { e.Provenance.Level = 95 }), "provenance.level: want a number between 0 and 1, got 95"},
		{"level of one", changed(func(e *Explanation) { e.Provenance.Level = 1 }), "provenance.level: want a number between 0 and 1, got 1"},
		{"modality twice", changed(func(e *Explanation) { e.Modalities = []string{"text", "text"} }), `modalities[1]: want different names, got "text" twice`},
		{"class twice", changed(func(e *Explanation) { e.Classes = []string{"no", "no"} }), `classes[1]: want different names, got "no" twice`},
		{"target twice", changed(func(e *Explanation) { e.Targets = append(e.Targets, e.Targets[0]) }), `targets[1]: want different names, got "predicted" twice`},
		{"class's entry twice", changed(func(e *Explanation) { e.Targets[0].ByClass[1].Class = "no" }), `targets[0].by_class[1]: want different names, got "no" twice`},
		{"unknown class", changed(func(e *Explanation) { e.Targets[0].ByClass[1].Class = "x" }), `targets[0].by_class[1].class: want one of the classes`},
		{"symmetry", changed(func(e *Explanation) { e.Targets[0].Global.Phi[0][1] += 1e-9 }), "targets[0].global.phi[0][1]: want the same number in both cells of a pair"},
		{"sum", changed(func(e *Explanation) { e.Targets[0].Global.Phi[1][1] += 1e-4 }), "targets[0].global.phi: want cells that sum to output - base"},
		{"standard error", changed(func(e *Explanation) { e.Targets[0].Global.PhiSE.Samples[1][0] = -1 }), "targets[0].global.phi_se.samples[1][0]: want 0 or more, got -1"},
		{"residual", changed(func(e *Explanation) { e.Targets[0].Residual = -1 }), "targets[0].residual: want 0 or more, got -1"},
		{"pair of one", changed(func(e *Explanation) { e.Targets[0].Global.Pairs[0].Pair[1] = "text" }), `got ["text" "text"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.text))
			if err == nil || !strings.HasPrefix(err.Error(), "result: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q, got %v", c.want, err)
			}
		})
	}
	broken := errors.New("broken disk")
	for name, r := range map[string]io.Reader{
		"inside": iotest.ErrReader(broken),
		"behind": io.MultiReader(strings.NewReader(document), iotest.ErrReader(broken)),
	} {
		if _, err := Read(r); !errors.Is(err, broken) {
			t.Errorf("%s the document: want the reader's error, got %v", name, err)
		}
	}
}

// A run whose samples do not add up has a warning, and reads.
func TestReadTakesAResidual(t *testing.T) {
	e := example()
	e.Targets[0].Global.Phi[1][1] += 1e-4
	e.Targets[0].Residual = 1e-3
	if _, err := Read(bytes.NewReader(written(t, e))); err != nil {
		t.Error(err)
	}
}

// Later versions of the schema add fields, and this one reads them.
func TestReadPassesOverNewFields(t *testing.T) {
	text := strings.Replace(string(written(t, example())), `"modalities"`, `"added_later": {"x": [1]}, "modalities"`, 1)
	got, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(example(), got, exact); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := WriteFile(path, example().Write); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(example(), got, exact); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), "result: "+path+": the document ends too early") {
		t.Errorf("want an error that names the file, got %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want a missing file to be told, got %v", err)
	}
}

// FuzzRead demands that no input panics and that what is accepted survives
// writing and reading.
func FuzzRead(f *testing.F) {
	f.Add(written(f, example()))
	f.Add([]byte(`{"schema": "intershap/explanation/v1"}`))
	f.Add([]byte(`{"schema": "intershap/explanation/v1", "modalities": ["a"], "targets": [{"headline": "global", "global": {"phi": [[1e300]], "contributions": {"a": null}}, "mean_absolute": {"contributions": {"a": -0.0}}}]}`))
	f.Add([]byte(`{"schema": "intershap/explanation/v1", "Modalities": null, "warnings": [{"id": "\ud800"}]}{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := Read(bytes.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "result: ") {
				t.Errorf("want the package named, got %v", err)
			}
			return
		}
		again, err := Read(bytes.NewReader(written(t, first)))
		if err != nil {
			t.Fatalf("what was accepted is refused once written: %v", err)
		}
		if d := cmp.Diff(first, again, exact); d != "" {
			t.Errorf("(-first +again):\n%s", d)
		}
	})
}
