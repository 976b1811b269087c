package triage_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

// tolerance bounds |got − want|: reference.json keeps nine decimals, and the
// widest sum over them adds some ten values.
const tolerance = 1e-8

// aggregate is one way of putting the samples together.
type aggregate struct {
	InterSHAP     float64            `json:"intershap"`
	Contributions map[string]float64 `json:"contributions"`
	Phi           [][]float64        `json:"phi"`
}

// explanation is one entry of reference.json.
type explanation struct {
	Model        string    `json:"model"`
	Output       string    `json:"output"`
	Global       aggregate `json:"global"`
	MeanAbsolute aggregate `json:"mean_absolute"`
	Local        struct {
		Mean   float64   `json:"mean"`
		SD     float64   `json:"sd"`
		Values []float64 `json:"values"`
	} `json:"local"`
	// Values holds v(S) of each sample; bit i of the position is set when
	// modality i is present.
	Values [][]float64   `json:"values"`
	Phi    [][][]float64 `json:"phi"`
}

// reference is reference.json as far as the tests need it.
type reference struct {
	Modalities   []string      `json:"modalities"`
	Samples      []int         `json:"samples"`
	Explanations []explanation `json:"explanations"`
}

func load(t *testing.T) reference {
	t.Helper()
	raw, err := os.ReadFile("reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(raw, &ref); err != nil {
		t.Fatalf("reference.json: %v; make it anew with reference.py", err)
	}
	return ref
}

// recompute derives everything in e but the value tables from the value tables.
func recompute(t *testing.T, modalities []string, e explanation) explanation {
	t.Helper()
	m := len(modalities)
	tables, err := game.NewTables(m, slices.Concat(e.Values...))
	if err != nil {
		t.Fatal(err)
	}
	phi := make([]float64, tables.Len()*m*m)
	index.PairMatricesTo(phi, tables, make([]float64, 1<<m))

	sums := score.NewAccumulator(score.Layout{Modalities: m, Targets: 1, Partitions: []int{1}, Convention: score.Paper})
	got := explanation{Values: e.Values}
	absolute := make([]float64, m*m)
	for r := range tables.Len() {
		matrix, v := phi[r*m*m:(r+1)*m*m], tables.Game(r)
		local := sums.Add(0, score.Sample{Base: v[0], Output: v[len(v)-1], Phi: matrix, Weights: make([]uint8, score.Replicates)})
		got.Local.Values = append(got.Local.Values, local.InterSHAP.Or(math.NaN()))
		got.Phi = append(got.Phi, rows(matrix, m))
		for i, x := range matrix {
			absolute[i] += math.Abs(x) / float64(tables.Len())
		}
	}
	s := sums.Summary(0, score.Options{Level: 0.95, Quantile: func(_, _ float64) float64 { return 0 }})
	got.Local.Mean, got.Local.SD = s.Local.Mean.Or(math.NaN()), s.Local.SD.Or(math.NaN())
	got.Global = aggregated(modalities, s.Global, s.Phi)
	got.MeanAbsolute = aggregated(modalities, s.MeanAbsolute, absolute)
	return got
}

func aggregated(modalities []string, e score.Estimate, phi []float64) aggregate {
	a := aggregate{e.InterSHAP.Share.Or(math.NaN()), map[string]float64{}, rows(phi, len(modalities))}
	for i, name := range modalities {
		a.Contributions[name] = e.Contributions[i].Share.Or(math.NaN())
	}
	return a
}

func rows(matrix []float64, m int) [][]float64 { return slices.Collect(slices.Chunk(matrix, m)) }

// differences says where got is further from want than the tolerance.
func differences(want, got explanation) []string {
	var found []string
	compare := func(place string, want, got float64) {
		if !(math.Abs(got-want) <= tolerance) { // NaN differs too
			found = append(found, fmt.Sprintf("%s: want %v, got %v", place, want, got))
		}
	}
	grid := func(place string, want, got [][]float64) {
		for i := range want {
			for j := range want[i] {
				compare(fmt.Sprintf("%s[%d][%d]", place, i, j), want[i][j], got[i][j])
			}
		}
	}
	whole := func(place string, want, got aggregate) {
		compare(place+".intershap", want.InterSHAP, got.InterSHAP)
		for name := range want.Contributions {
			compare(place+".contributions."+name, want.Contributions[name], got.Contributions[name])
		}
		grid(place+".phi", want.Phi, got.Phi)
	}
	whole("global", want.Global, got.Global)
	whole("mean_absolute", want.MeanAbsolute, got.MeanAbsolute)
	compare("local.mean", want.Local.Mean, got.Local.Mean)
	compare("local.sd", want.Local.SD, got.Local.SD)
	for r := range want.Phi {
		compare(fmt.Sprintf("local.values[%d]", r), want.Local.Values[r], got.Local.Values[r])
		grid(fmt.Sprintf("phi[%d]", r), want.Phi[r], got.Phi[r])
	}
	return found
}

// TestNumbersAgreeWithTheReference holds index and score against sums over
// subsets that were written from the definitions in another language.
func TestNumbersAgreeWithTheReference(t *testing.T) {
	ref := load(t)
	if want, got := 3, len(ref.Explanations); want != got {
		t.Fatalf("want %d explanations, got %d", want, got)
	}
	for _, want := range ref.Explanations {
		t.Run(want.Model+"/"+want.Output, func(t *testing.T) {
			if n := len(ref.Samples); n != len(want.Values) || n != len(want.Phi) || n != len(want.Local.Values) {
				t.Fatalf("want %d samples in values, phi and local, got %d, %d and %d",
					n, len(want.Values), len(want.Phi), len(want.Local.Values))
			}
			for _, d := range differences(want, recompute(t, ref.Modalities, want)) {
				t.Error(d)
			}
		})
	}
}

// TestDifferencesAreFound moves one number at a time.
func TestDifferencesAreFound(t *testing.T) {
	const off = 1e-6
	for _, c := range []struct {
		place string
		spoil func(*explanation)
	}{
		{"global.intershap", func(e *explanation) { e.Global.InterSHAP += off }},
		{"global.contributions.labs", func(e *explanation) { e.Global.Contributions["labs"] -= off }},
		{"global.phi[0][1]", func(e *explanation) { e.Global.Phi[0][1] += off }},
		{"mean_absolute.intershap", func(e *explanation) { e.MeanAbsolute.InterSHAP = math.NaN() }},
		{"mean_absolute.phi[2][2]", func(e *explanation) { e.MeanAbsolute.Phi[2][2] -= off }},
		{"local.mean", func(e *explanation) { e.Local.Mean += off }},
		{"local.sd", func(e *explanation) { e.Local.SD += off }},
		{"local.values[7]", func(e *explanation) { e.Local.Values[7] -= off }},
		{"phi[49][2][0]", func(e *explanation) { e.Phi[49][2][0] += off }},
	} {
		t.Run(c.place, func(t *testing.T) {
			ref := load(t)
			want := ref.Explanations[0]
			got := recompute(t, ref.Modalities, want)
			c.spoil(&got)
			if d := differences(want, got); len(d) != 1 {
				t.Errorf("want one difference, at %s, got %q", c.place, d)
			}
		})
	}
}

// TestTheStructureIsThere holds the example to what its README promises.
func TestTheStructureIsThere(t *testing.T) {
	const image, ecg, labs = 0, 1, 2
	for _, e := range load(t).Explanations {
		total := 0.0
		for _, row := range e.Global.Phi {
			for _, x := range row {
				total += math.Abs(x)
			}
		}
		pair := func(i, j int) float64 { return 2 * math.Abs(e.Global.Phi[i][j]) / total }
		check := func(what string, ok bool) {
			if !ok {
				t.Errorf("%s, %s: want %s, got phi %v", e.Model, e.Output, what, e.Global.Phi)
			}
		}
		check("less than 1 % of image:labs", pair(image, labs) < 0.01)
		check("less than 1 % of ecg:labs", pair(ecg, labs) < 0.01)
		if e.Output == "logits" {
			check("no image:ecg in a sum of logits", pair(image, ecg) < tolerance)
		} else {
			check("more than 40 % of image:ecg", pair(image, ecg) > 0.4)
		}
	}
}
