package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// cooking is a game of three players whose indices are known: v({}) = 10, one player
// 4, 3 or 2, two 9, 8 or 7, all 15. Its Möbius transform is 10, -6, -7, -8, 12, 12, 12,
// -10. From it, by the definitions,
//
//	Shapley value   8/3, 5/3, 2/3    m_i + 12/2 + 12/2 - 10/3
//	SII of pairs    7, 7, 7          12 - 10/2
//	k-SII, order 2  -13/3, -16/3, -19/3 and 7, 7, 7
//
// the singles of the last as SII_i less half of two pairs, 7.
var cooking = []float64{10, 4, 3, 9, 2, 8, 7, 15}

// approx takes sums of a few thirds in another order.
var approx = cmpopts.EquateApprox(0, 1e-12)

// made returns a run of games, one for each sample and target: targets[k][i] is v.
func made(targets ...[][]float64) (*result.Explanation, *result.Samples) {
	m := 0
	for 1<<m < len(targets[0][0]) {
		m++
	}
	e := &result.Explanation{Modalities: []string{"image", "ecg", "labs", "rna"}[:m]}
	e.Provenance.Version, e.Provenance.Output, e.Provenance.Level = "1.2.3", "probabilities", 0.95
	e.Provenance.Convention = "paper"
	s := &result.Samples{Path: "s.npz", Modalities: e.Modalities, Targets: []string{""}}
	for k, games := range targets {
		n := float64(len(games))
		t, of := result.Target{Target: fmt.Sprintf("class:%d", k)}, result.TargetSamples{}
		t.Samples = len(games)
		zero := func() (rows [][]float64) {
			for range m {
				rows = append(rows, make([]float64, m))
			}
			return rows
		}
		t.Global.Phi = zero()
		sum := 0.0
		for i, v := range games {
			if k == 0 {
				s.IDs, s.Predicted = append(s.IDs, fmt.Sprintf("p%d", i)), append(s.Predicted, 0)
			}
			moebius, phi := make([]float64, len(v)), make([]float64, m*m)
			game.MoebiusTo(moebius, v)
			index.PairMatrixTo(phi, moebius, m)
			of.Base, of.Output = append(of.Base, v[0]), append(of.Output, v[len(v)-1])
			of.Phi, of.Values = append(of.Phi, phi...), append(of.Values, v...)
			local := score.Local(phi, m, score.Paper)
			if x, ok := local.Value(); ok {
				sum += x
			} else {
				t.Local.Undefined++
			}
			of.InterSHAP, of.SE = append(of.InterSHAP, local), append(of.SE, score.Share{})
			t.Base += v[0] / n
			t.Output += v[len(v)-1] / n
			for at, x := range phi {
				t.Global.Phi[at/m][at%m] += x / n
			}
		}
		if defined := len(games) - t.Local.Undefined; defined > 0 {
			t.Local.Mean = score.Defined(sum / float64(defined))
		}
		t.Global.PhiSE = result.PhiSE{Background: zero(), Samples: zero()}
		for i := range m {
			for j := range m {
				t.Global.PhiSE.Background[i][j], t.Global.PhiSE.Samples[i][j] = 0.3, 0.4 // together 0.5
			}
		}
		e.Targets, s.ByTarget = append(e.Targets, t), append(s.ByTarget, of)
		if len(targets) > 1 {
			s.Targets = append(s.Targets[:k], t.Target)
		}
	}
	return e, s
}

func scaled(v []float64, by, plus float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = by*x + plus
	}
	return out
}

func newExport(t *testing.T, e *result.Explanation, s *result.Samples) *Export {
	t.Helper()
	x, err := New(e, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// arraysOf reads an NPZ file back with package dataset: numbers and texts, with shapes.
func arraysOf(t *testing.T, content []byte) map[string]any {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]any{}
	for i, c := range f.Columns() {
		if c.Refused != nil { // what has no axis is no column to a data set
			out[c.Name] = c.Refused.Found
			continue
		}
		all, err := f.Read(t.Context(), 0, c.Rows, []int{i})
		if err != nil {
			t.Fatal(err)
		}
		shape := tensor.FormatShape(all[0].Shape())
		if c.DType == tensor.String {
			out[c.Name] = texts{shape, tensor.Values[string](all[0])}
			continue
		}
		x := make([]float64, all[0].Len())
		all[0].Float64s(x)
		out[c.Name] = numbers{shape, x}
	}
	return out
}

type numbers struct {
	Shape  string
	Values []float64
}

type texts struct {
	Shape  string
	Values []string
}

func shapOf(t *testing.T, x *Export, place Place, f Features) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := x.Shap(&out, place, f); err != nil {
		t.Fatal(err)
	}
	return arraysOf(t, out.Bytes())
}

func TestShap(t *testing.T) {
	doubled := scaled(cooking, 2, 1)
	e, s := made([][]float64{cooking, doubled})
	phi := []float64{-13. / 3, 3.5, 3.5, 3.5, -16. / 3, 3.5, 3.5, 3.5, -19. / 3}
	const z = 1.959963984540054 // of the normal distribution at 97.5 %
	parts := texts{"[6]", []string{"image", "ecg", "labs", "image × ecg", "image × labs", "ecg × labs"}}
	mean := scaled([]float64{-13. / 3, -16. / 3, -19. / 3, 7, 7, 7}, 1.5, 0)
	for _, c := range []struct {
		name     string
		samples  *result.Samples
		sample   int
		features Features
		want     map[string]any
	}{
		{"samples", s, All, Modalities, map[string]any{
			"values":             numbers{"[2,3]", []float64{8. / 3, 5. / 3, 2. / 3, 16. / 3, 10. / 3, 4. / 3}},
			"base_values":        numbers{"[2]", []float64{10, 21}},
			"feature_names":      texts{"[3]", []string{"image", "ecg", "labs"}},
			"instance_names":     texts{"[2]", []string{"p0", "p1"}},
			"interaction_values": numbers{"[2,3,3]", slices.Concat(phi, scaled(phi, 2, 0))},
		}},
		{"parts of a sample", s, 1, Parts, map[string]any{
			"values":             numbers{"[1,6]", []float64{-26. / 3, -32. / 3, -38. / 3, 14, 14, 14}},
			"base_values":        numbers{"[1]", []float64{21}},
			"feature_names":      parts,
			"instance_names":     texts{"[1]", []string{"p1"}},
			"interaction_values": numbers{"[1,3,3]", scaled(phi, 2, 0)},
		}},
		// Errors of 0.3 and 0.4 are 0.5 together, and 1 for both cells of a pair.
		{"parts of the mean", nil, All, Parts, map[string]any{
			"values":             numbers{"[1,6]", mean},
			"base_values":        numbers{"[1]", []float64{15.5}},
			"feature_names":      parts,
			"lower_bounds":       numbers{"[1,6]", slices.Concat(scaled(mean[:3], 1, -z/2), scaled(mean[3:], 1, -z))},
			"upper_bounds":       numbers{"[1,6]", slices.Concat(scaled(mean[:3], 1, z/2), scaled(mean[3:], 1, z))},
			"interaction_values": numbers{"[1,3,3]", scaled(phi, 1.5, 0)},
		}},
		{"the mean", nil, All, Modalities, map[string]any{
			"values":             numbers{"[1,3]", []float64{4, 2.5, 1}},
			"base_values":        numbers{"[1]", []float64{15.5}},
			"feature_names":      texts{"[3]", []string{"image", "ecg", "labs"}},
			"interaction_values": numbers{"[1,3,3]", scaled(phi, 1.5, 0)},
		}},
	} {
		got := shapOf(t, newExport(t, e, c.samples), Place{c.sample, All}, c.features)
		if d := cmp.Diff(c.want, got, approx); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// With several targets they are the last axis, as shap has its outputs.
func TestShapTargets(t *testing.T) {
	e, s := made([][]float64{cooking, scaled(cooking, 2, 0)}, [][]float64{scaled(cooking, -1, 0), scaled(cooking, 3, 1)})
	x := newExport(t, e, s)
	got := shapOf(t, x, Place{All, All}, Modalities)
	want := map[string]any{
		"values":         numbers{"[2,3,2]", []float64{8. / 3, -8. / 3, 5. / 3, -5. / 3, 2. / 3, -2. / 3, 16. / 3, 8, 10. / 3, 5, 4. / 3, 2}},
		"base_values":    numbers{"[2,2]", []float64{10, -10, 20, 31}},
		"feature_names":  texts{"[3]", []string{"image", "ecg", "labs"}},
		"instance_names": texts{"[2]", []string{"p0", "p1"}},
		"output_names":   texts{"[2]", []string{"class:0", "class:1"}},
	}
	if n := got["interaction_values"].(numbers); n.Shape != "[2,3,3,2]" || math.Abs(n.Values[3]+3.5) > 1e-12 {
		t.Errorf("want interaction_values of shape [2,3,3,2] whose fourth number is that of the second target, -3.5, got %s and %v", n.Shape, n.Values[:4])
	}
	delete(got, "interaction_values")
	if d := cmp.Diff(want, got, approx); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	one := shapOf(t, x, Place{0, 1}, Modalities)
	if d := cmp.Diff(numbers{"[1,3]", []float64{-8. / 3, -5. / 3, -2. / 3}}, one["values"], approx); d != "" {
		t.Errorf("the second target of the first sample (-want +got):\n%s", d)
	}
}

// The comparison above must see a wrong number.
func TestComparisonFails(t *testing.T) {
	if cmp.Diff(numbers{"[1]", []float64{1}}, numbers{"[1]", []float64{1 + 1e-9}}, approx) == "" {
		t.Error("want a difference of 1e-9 to be seen")
	}
}

func TestShapWithoutErrors(t *testing.T) {
	e, _ := made([][]float64{cooking})
	e.Targets[0].Global.PhiSE.Background = nil
	got := shapOf(t, newExport(t, e, nil), Place{All, All}, Parts)
	if got["lower_bounds"] != nil || got["upper_bounds"] != nil {
		t.Errorf("want no bounds where an error is not known, got %v", got["lower_bounds"])
	}
}

func jsonOf(t *testing.T, write func(w *bytes.Buffer) error) map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		t.Fatalf("%v in\n%s", err, out.Bytes())
	}
	return document
}

func TestInteractionValues(t *testing.T) {
	e, s := made([][]float64{cooking, scaled(cooking, 2, 1)})
	x := newExport(t, e, s)
	got := jsonOf(t, func(w *bytes.Buffer) error { return x.InteractionValues(w, Place{0, All}) })
	want := map[string]any{
		"object_name": "InteractionValues", "data_type": "interaction_values", "version": "1.3.0",
		"created_from": "intershap 1.2.3", "parameters": map[string]any{},
		"description": "sample p0, target class:0 of output probabilities, modalities image, ecg, labs",
		"metadata": map[string]any{
			"n_players": 3., "index": "k-SII", "max_order": 2., "min_order": 0., "estimated": false, "estimation_budget": nil,
			"baseline_value": 10., "player_names": []any{"image", "ecg", "labs"},
		},
		"data": map[string]any{"Empty": 10., "0": -13. / 3, "1": -16. / 3, "2": -19. / 3, "0,1": 7., "0,2": 7., "1,2": 7.},
	}
	if d := cmp.Diff(want, got, approx); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	mean := jsonOf(t, func(w *bytes.Buffer) error { return x.InteractionValues(w, Place{All, All}) })
	sum := 0.0
	for _, v := range mean["data"].(map[string]any) {
		sum += v.(float64)
	}
	if want := e.Targets[0].Output; math.Abs(sum-want) > 1e-12 {
		t.Errorf("want the mean to add up to the output, %v, got %v", want, sum)
	}
	if mean["description"] != "mean over 2 samples, target class:0 of output probabilities, modalities image, ecg, labs" {
		t.Errorf("want the description of a mean, got %q", mean["description"])
	}
}

// One modality alone is of order one.
func TestInteractionValuesOfOne(t *testing.T) {
	e, _ := made([][]float64{{1, 4}})
	got := jsonOf(t, func(w *bytes.Buffer) error { return newExport(t, e, nil).InteractionValues(w, Place{All, All}) })
	if d := cmp.Diff(map[string]any{"Empty": 1., "0": 3.}, got["data"], approx); d != "" || got["metadata"].(map[string]any)["max_order"] != 1. {
		t.Errorf("want order 1 and the data (-want +got):\n%s", d)
	}
}

func TestGame(t *testing.T) {
	e, s := made([][]float64{cooking, scaled(cooking, 2, 1)})
	x := newExport(t, e, s)
	got := jsonOf(t, func(w *bytes.Buffer) error { return x.Game(w, Place{0, All}) })
	want := map[string]any{"Empty": 10., "0": 4., "1": 3., "0,1": 9., "2": 2., "0,2": 8., "1,2": 7., "0,1,2": 15.}
	if d := cmp.Diff(want, got["data"], approx); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	meta := map[string]any{
		"n_players": 3., "game_name": "intershap", "normalization_value": 0., "precompute_flag": true, "precomputed": true,
		"player_names": []any{"image", "ecg", "labs"},
	}
	if d := cmp.Diff(meta, got["metadata"], approx); d != "" || got["data_type"] != "game" {
		t.Errorf("metadata of a game (-want +got):\n%s", d)
	}
	var out bytes.Buffer
	if err := x.GameNPZ(&out, Place{All, All}); err != nil {
		t.Fatal(err)
	}
	arrays := map[string]any{
		"values":              numbers{"[8]", scaled(cooking, 1.5, 0.5)},
		"coalitions":          numbers{"[8,3]", []float64{0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1}},
		"n_players":           "a single value",
		"normalization_value": "a single value",
	}
	if d := cmp.Diff(arrays, arraysOf(t, out.Bytes()), approx); d != "" {
		t.Errorf("arrays (-want +got):\n%s", d)
	}
}

func TestRefusals(t *testing.T) {
	e, s := made([][]float64{cooking}, [][]float64{cooking})
	x := newExport(t, e, s)
	var out bytes.Buffer
	refuse := func(name string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error that says %q, got %v", name, want, err)
		}
	}
	refuse("all targets", x.InteractionValues(&out, Place{0, All}), `want one of the 2 targets, got all: name one, such as "class:0"`)
	_, err := x.Target("class:9")
	refuse("target", err, `want one of the targets ["class:0" "class:1"], got "class:9"`)
	_, err = x.Sample("q")
	refuse("id", err, `s.npz: want the id of a sample, such as "p0", got "q"`)
	if k, err := x.Target("class:1"); k != 1 || err != nil {
		t.Errorf("want target 1, got %d, %v", k, err)
	}
	bare := newExport(t, e, nil)
	_, err = bare.Sample("p0")
	refuse("no samples", err, "one sample is in a samples file, and none was given")
	refuse("no samples", bare.Game(&out, Place{All, 0}), "which are in a samples file, and none was given")
	s.ByTarget[0].Values = nil
	refuse("no values", x.GameNPZ(&out, Place{All, 0}), "s.npz: a game is made of the values of coalitions, which .npz and .jsonl have and this file has not")
	_, err = New(&result.Explanation{}, nil)
	refuse("empty", err, "want a result with at least one target and one modality")
	other, _ := made([][]float64{scaled(cooking, 2, 0)}, [][]float64{cooking})
	_, err = New(other, s)
	refuse("other run", err, "not the samples of this result")
	s.IDs[0] = "p\x00"
	refuse("NUL", x.Shap(&out, Place{All, 0}, Modalities), `export: array "instance_names": want text that does not end in NUL`)
	_, err = ParseFeatures("pairs")
	refuse("features", err, `want "modalities" or "parts", got "pairs"`)
}

// What cannot be written is an error, wherever it stops.
func TestWriteFails(t *testing.T) {
	e, s := made([][]float64{cooking})
	x := newExport(t, e, s)
	for name, write := range map[string]func(w *short) error{
		"shap":   func(w *short) error { return x.Shap(w, Place{All, All}, Parts) },
		"values": func(w *short) error { return x.InteractionValues(w, Place{All, All}) },
		"game":   func(w *short) error { return x.Game(w, Place{All, All}) },
		"arrays": func(w *short) error { return x.GameNPZ(w, Place{All, All}) },
	} {
		whole := &short{room: math.MaxInt}
		if err := write(whole); err != nil {
			t.Fatal(err)
		}
		for room := 0; room < whole.taken; room += 97 {
			if err := write(&short{room: room}); !errors.Is(err, errFull) {
				t.Fatalf("%s: want the error of a writer with room for %d bytes, got %v", name, room, err)
			}
		}
	}
}

var errFull = errors.New("full")

// short takes some bytes and no more.
type short struct{ room, taken int }

func (s *short) Write(p []byte) (int, error) {
	if s.taken+len(p) > s.room {
		return 0, errFull
	}
	s.taken += len(p)
	return len(p), nil
}

// Where samples lack modalities a mean's parts do not add up, and forms that take that for
// granted do not get it. Samples do: what they lack is zero.
func TestMissingModalities(t *testing.T) {
	lacks := slices.Clone(cooking) // of the last player: v(S) is that of S without it
	for s := range lacks {
		lacks[s] = cooking[s&0b011]
	}
	e, s := made([][]float64{cooking, lacks})
	target := &e.Targets[0]
	e.Provenance.Missing = []string{"labs"}
	target.Present = map[string]int{"image": 2, "ecg": 2, "labs": 1}
	for i := range 3 {
		target.Global.Phi[2][i] = s.ByTarget[0].Phi[2*3+i]
		target.Global.Phi[i][2] = s.ByTarget[0].Phi[2*3+i]
	}
	s.Present = []game.Coalition{0b111, 0b011}
	target.Patterns = []result.Pattern{
		{Present: []string{"image", "ecg", "labs"}, Breakdown: result.Breakdown{Samples: 1}},
		{Present: []string{"image", "ecg"}, Breakdown: result.Breakdown{Samples: 1}},
	}
	mean, samples := newExport(t, e, nil), newExport(t, e, s)
	const want = `1 of 2 samples have "labs": write one sample`
	var b bytes.Buffer
	for name, write := range map[string]func() error{
		"shap of the mean":              func() error { return mean.Shap(&b, Place{Sample: All}, Modalities) },
		"shap of the mean, all targets": func() error { return mean.Shap(&b, Place{Sample: All, Target: All}, Parts) },
		"shapiq of the mean":            func() error { return mean.InteractionValues(&b, Place{Sample: All}) },
		"shapiq of the mean of samples": func() error { return samples.InteractionValues(&b, Place{Sample: All}) },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: want an error with %q and nothing written, got %v, %d bytes", name, want, err, b.Len())
		}
	}
	for name, write := range map[string]func() error{
		"shap of samples":    func() error { return samples.Shap(&b, Place{Sample: All}, Modalities) },
		"shapiq of a sample": func() error { return samples.InteractionValues(&b, Place{Sample: 1}) },
		"game of the mean":   func() error { return samples.Game(&b, Place{Sample: All}) },
	} {
		if err := write(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// By hand: of the players image and ecg alone v is 10, 4, 3, 9, so that their pair is
	// 9 - 4 - 3 + 10 = 12, and what they do alone (4-10)+(9-3), (3-10)+(9-4), each halved,
	// less 6: -6 and -7.
	b.Reset()
	if err := samples.InteractionValues(&b, Place{Sample: 1}); err != nil {
		t.Fatal(err)
	}
	var got struct{ Data map[string]float64 }
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]float64{"Empty": 10, "0": -6, "1": -7, "2": 0, "0,1": 12, "0,2": 0, "1,2": 0}, got.Data, approx); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	// Nobody lacks anything: the mean adds up.
	target.Present["labs"] = 2
	if err := mean.InteractionValues(&b, Place{Sample: All}); err != nil {
		t.Errorf("all have all: %v", err)
	}
}
