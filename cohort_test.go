package intershap_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// A clinic has patients with visits, a site and a sex, three modalities a, b and c of
// two numbers each, of which visits may lack some.
type clinic struct {
	rng                  *rand.Rand
	a, b, c              []float64
	patient, hasB, hasC  []int64
	site, sex            []string
	weight               []float64
	samples, perModality int
}

func newClinic(n int) *clinic {
	c := &clinic{rng: rand.New(rand.NewPCG(8, 3)), samples: n, perModality: 2}
	for i := range n {
		for range c.perModality {
			c.a, c.b, c.c = append(c.a, c.rng.NormFloat64()), append(c.b, c.rng.NormFloat64()), append(c.c, c.rng.NormFloat64())
		}
		c.patient = append(c.patient, int64(i/3))
		c.site = append(c.site, []string{"Bern", "Kyiv", "Lima"}[c.rng.IntN(3)])
		c.sex = append(c.sex, []string{"f", "m"}[c.rng.IntN(2)])
		c.hasB, c.hasC = append(c.hasB, int64(min(1, c.rng.IntN(4)))), append(c.hasC, int64(min(1, c.rng.IntN(3))))
		c.weight = append(c.weight, float64(c.rng.IntN(4)))
	}
	return c
}

// file has the chosen rows, in their order.
func (c *clinic) file(t testing.TB, rows []int) dataset.File {
	t.Helper()
	n := len(rows)
	numbers := func(from []float64, width int) tensor.Tensor {
		var out []float64
		for _, r := range rows {
			out = append(out, from[r*width:(r+1)*width]...)
		}
		return tensor.Of(out, n, width)
	}
	ints := func(from []int64) tensor.Tensor {
		var out []int64
		for _, r := range rows {
			out = append(out, from[r])
		}
		return tensor.Of(out, n)
	}
	texts := func(from []string) tensor.Tensor {
		var out []string
		for _, r := range rows {
			out = append(out, from[r])
		}
		return tensor.Of(out, n)
	}
	f, err := dataset.FromArrays(
		dataset.Array{Name: "a", Tensor: numbers(c.a, 2)}, dataset.Array{Name: "b", Tensor: numbers(c.b, 2)}, dataset.Array{Name: "c", Tensor: numbers(c.c, 2)},
		dataset.Array{Name: "patient", Tensor: ints(c.patient)}, dataset.Array{Name: "b_available", Tensor: ints(c.hasB)}, dataset.Array{Name: "c_available", Tensor: ints(c.hasC)},
		dataset.Array{Name: "site", Tensor: texts(c.site)}, dataset.Array{Name: "sex", Tensor: texts(c.sex)}, dataset.Array{Name: "weight", Tensor: numbers(c.weight, 1)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (c *clinic) all() []int { return c.where(func(int) bool { return true }) }

func (c *clinic) where(has func(row int) bool) []int {
	var out []int
	for r := range c.samples {
		if has(r) {
			out = append(out, r)
		}
	}
	return out
}

// clinicOutput has interactions of pairs and of all three.
func clinicOutput(a, b, c []float64) float64 {
	return .5*a[0] + math.Tanh(a[1]*b[0]) + .3*b[1]*c[0] + .2*a[0]*b[0]*c[1] + .4*c[1]
}

// onClinic is a function of a, b and c, and of no other column.
type onClinic struct{ model.Func }

func (onClinic) Signature() model.Signature {
	var inputs []tensor.Spec
	for _, name := range []string{"a", "b", "c"} {
		inputs = append(inputs, tensor.Spec{Name: name, DType: tensor.Float64, Shape: []int{-1, 2}})
	}
	return model.Signature{Inputs: inputs, Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{-1, -1}}}}
}

func (onClinic) Digest() string { return "c1" }

func clinicFunc(f func(x model.Row) []float64) onClinic { return onClinic{model.RowFunc("y", f)} }

var clinicModel = clinicFunc(func(x model.Row) []float64 {
	return []float64{clinicOutput(x("a"), x("b"), x("c"))}
})

// clinicClasses predicts one of three classes.
var clinicClasses = clinicFunc(func(x model.Row) []float64 {
	y := clinicOutput(x("a"), x("b"), x("c"))
	e := []float64{math.Exp(y), math.Exp(-y), math.Exp(x("c")[0] * .5)}
	sum := e[0] + e[1] + e[2]
	return []float64{e[0] / sum, e[1] / sum, e[2] / sum}
})

func explainOn(t testing.TB, m model.Model, samples, rows dataset.File, opt intershap.Options) *intershap.Explanation {
	t.Helper()
	ex, err := intershap.Explain(t.Context(), m, samples, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	return ex
}

// Samples of a cluster are drawn together, as those with one id are.
func TestClusterIsId(t *testing.T) {
	c := newClinic(90)
	patients := make([]int64, c.samples)
	copy(patients, c.patient)
	data := c.file(t, c.all())
	byCluster := explainOn(t, clinicClasses, data, nil, intershap.Options{Cluster: "patient"})
	withIDs, err := dataset.FromArrays(
		dataset.Array{Name: "a", Tensor: tensor.Of(c.a, c.samples, 2)}, dataset.Array{Name: "b", Tensor: tensor.Of(c.b, c.samples, 2)},
		dataset.Array{Name: "c", Tensor: tensor.Of(c.c, c.samples, 2)}, dataset.Array{Name: "id", Tensor: tensor.Of(patients, c.samples)},
	)
	if err != nil {
		t.Fatal(err)
	}
	byID := explainOn(t, clinicClasses, withIDs, nil, intershap.Options{})
	// Small clusters of a class are taken for chance where nobody speaks of clusters.
	a, b := byID.Targets[0], byCluster.Targets[0]
	a.ByClass, a.Macro, b.ByClass, b.Macro = nil, nil, nil, nil
	if diff := cmp.Diff(a, b, exactly); diff != "" {
		t.Errorf("clusters are not ids (-ids +clusters):\n%s", diff)
	}
	plain := explainOn(t, clinicClasses, data, nil, intershap.Options{})
	if plain.Targets[0].Global.Low == byCluster.Targets[0].Global.Low {
		t.Error("clusters changed no interval")
	}
	if n := byCluster.Targets[0].Clusters; n == nil || *n < 15 || *n > 60 {
		t.Errorf("about %v clusters, want about 30", n)
	}
	if hasWarning(byCluster, "repeated-ids") || !hasWarning(byID, "repeated-ids") {
		t.Error("ids that repeat are worth a warning, clusters are not")
	}
}

// A weight of two is a row that stands there twice; one of zero is no row.
func TestWeightsAreRepeats(t *testing.T) {
	c := newClinic(60)
	background := c.file(t, c.all())
	var repeated []int
	for r, w := range c.weight {
		for range int(w) {
			repeated = append(repeated, r)
		}
	}
	for name, m := range map[string]model.Model{"regression": clinicModel, "classes": clinicClasses} {
		weighted := explainOn(t, m, c.file(t, c.all()), background, intershap.Options{Weight: "weight"}).Targets[0]
		plain := explainOn(t, m, c.file(t, repeated), background, intershap.Options{}).Targets[0]
		within(t, name+" global", shareOf(weighted.Global.InterSHAP), shareOf(plain.Global.InterSHAP), 1e-12)
		within(t, name+" mean absolute", shareOf(weighted.MeanAbsolute.InterSHAP), shareOf(plain.MeanAbsolute.InterSHAP), 1e-12)
		within(t, name+" local", shareOf(weighted.Local.Mean), shareOf(plain.Local.Mean), 1e-12)
		within(t, name+" base", weighted.Base, plain.Base, 1e-12)
		within(t, name+" output", weighted.Output, plain.Output, 1e-12)
		if *weighted.Weight != float64(len(repeated)) {
			t.Errorf("%s: the weights sum to %v, want %d", name, *weighted.Weight, len(repeated))
		}
	}
}

// exactly compares shares by their bits.
var exactly = cmp.AllowUnexported(score.Share{})

// readable checks that what is written can be read.
func readable(t testing.TB, ex *intershap.Explanation) {
	t.Helper()
	var b strings.Builder
	if err := ex.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(strings.NewReader(b.String())); err != nil {
		t.Error(err)
	}
}

func shareOf(s score.Share) float64 { return s.Or(math.NaN()) }

// A group's numbers are those of a run of its samples alone, but for the draws of the
// bootstrap, which go by id.
func TestGroupsAreRunsOfTheirOwn(t *testing.T) {
	c := newClinic(80)
	background := c.file(t, c.all())
	ex := explainOn(t, clinicClasses, c.file(t, c.all()), background, intershap.Options{By: [][]string{{"sex"}, {"site", "sex"}}, BackgroundSize: 30})
	by := ex.Targets[0].By
	if len(by) != 2 || len(by[0].Groups) != 2 || len(by[1].Groups) != 6 {
		t.Fatalf("got %d partitions of %v", len(by), by)
	}
	if got := by[1].Groups[3].Values; got[0] != "Kyiv" || got[1] != "m" {
		t.Errorf("group 3 is %v, want Kyiv m: groups are sorted", got)
	}
	for _, part := range by {
		samples := 0
		for _, g := range part.Groups {
			samples += g.Samples
			rows := c.where(func(r int) bool {
				of := map[string]string{"sex": c.sex[r], "site": c.site[r]}
				for i, column := range part.Columns {
					if of[column] != g.Values[i] {
						return false
					}
				}
				return true
			})
			alone := explainOn(t, clinicClasses, c.file(t, rows), background, intershap.Options{BackgroundSize: 30}).Targets[0]
			what := fmt.Sprint(g.Values)
			if alone.Samples != g.Samples {
				t.Errorf("%s: %d samples, want %d", what, g.Samples, alone.Samples)
			}
			within(t, what, shareOf(g.Global.InterSHAP), shareOf(alone.Global.InterSHAP), 1e-12)
			within(t, what+" local", shareOf(g.Local.Mean), shareOf(alone.Local.Mean), 1e-12)
			within(t, what+" behaviour", g.MeanAbsolute.Behaviour, alone.MeanAbsolute.Behaviour, 1e-12)
			for i := range g.Global.Phi {
				for j := range g.Global.Phi {
					within(t, what+" phi", g.Global.Phi[i][j], alone.Global.Phi[i][j], 1e-12)
					within(t, what+" se", g.Global.PhiSE.Background[i][j], alone.Global.PhiSE.Background[i][j], 1e-12)
				}
			}
		}
		if samples != c.samples {
			t.Errorf("%v: %d samples in groups, want %d", part.Columns, samples, c.samples)
		}
	}
	without := explainOn(t, clinicClasses, c.file(t, c.all()), background, intershap.Options{BackgroundSize: 30}).Targets[0]
	with := ex.Targets[0]
	with.By = nil
	if diff := cmp.Diff(without, with, exactly); diff != "" {
		t.Errorf("groups changed the whole (-without +with):\n%s", diff)
	}
}

// The macro average is that of the classes, which count the same however many samples
// each has.
func TestMacro(t *testing.T) {
	c := newClinic(80)
	ex := explainOn(t, clinicClasses, c.file(t, c.all()), nil, intershap.Options{})
	target := ex.Targets[0]
	sum := 0.0
	for _, class := range target.ByClass {
		sum += shareOf(class.Global.InterSHAP) / float64(len(target.ByClass))
	}
	within(t, "macro", shareOf(target.Macro.Global.InterSHAP), sum, 1e-12)
	if m := target.Macro.Global; !(shareOf(m.Low) <= sum && sum <= shareOf(m.High)) || shareOf(m.Low) == shareOf(m.High) {
		t.Errorf("bounds %v and %v of %v", m.Low, m.High, sum)
	}
	if explainOn(t, clinicModel, c.file(t, c.all()), nil, intershap.Options{}).Targets[0].Macro != nil {
		t.Error("a regression has a macro average")
	}
}

// What a sample lacks is no player: its value tables are those of what it has, means
// are over those who have the modalities, and nothing comes from what is missing.
// The class of a sample that lacks something is that of its mean output.
// A model that is told of absence sees what the data show it.
// Small groups, modalities that nobody has or lacks, and flags that are players are worth
// a warning.
func TestCohortWarnings(t *testing.T) {
	c := newClinic(100)
	for r := range c.samples {
		c.sex[r] = "m"
		if r < 20 {
			c.sex[r] = "f"
		}
		c.hasB[r], c.hasC[r] = 1, 0
	}
	ex := explainOn(t, clinicModel, c.file(t, c.all()), newClinic(50).complete().file(t, newClinic(50).all()), intershap.Options{
		By: [][]string{{"sex"}}, Missing: []string{"b", "c"},
	})
	for _, id := range []string{"few-in-group", "never-present", "nothing-missing"} {
		if !hasWarning(ex, id) {
			t.Errorf("warnings %v, want %s", ex.Warnings, id)
		}
	}
	if hasWarning(ex, "few-samples") {
		t.Errorf("100 samples are enough: %v", ex.Warnings)
	}
	readable(t, ex)
	for r := range c.samples {
		c.sex[r], c.hasC[r] = []string{"f", "m"}[r%2], int64(r%2)
	}
	ex = explainOn(t, clinicModel, c.file(t, c.all()), nil, intershap.Options{By: [][]string{{"sex"}}, Missing: []string{"c"}})
	for _, id := range []string{"few-in-group", "never-present", "nothing-missing"} {
		if hasWarning(ex, id) {
			t.Errorf("want no warning %s: %v", id, ex.Warnings)
		}
	}
}

// complete makes a clinic whose visits lack nothing.
func (c *clinic) complete() *clinic {
	for r := range c.samples {
		c.hasB[r], c.hasC[r] = 1, 1
	}
	return c
}

// A model that names no inputs takes all columns but those that say whose a sample is.
func TestColumnsAreNoInputs(t *testing.T) {
	var met []string
	m := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		met = nil
		for _, x := range in {
			met = append(met, x.Name)
		}
		y := make([]float64, in.Rows())
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
	c := newClinic(30)
	explainOn(t, m, c.file(t, c.all()), nil, intershap.Options{
		Cluster: "patient", Weight: "weight", By: [][]string{{"sex", "site"}}, Missing: []string{"b", "c=c_available"}, Task: intershap.Regression,
	})
	if diff := cmp.Diff([]string{"a", "b", "c"}, met); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
}

func TestRisk(t *testing.T) {
	c := newClinic(40)
	survival := clinicFunc(func(x model.Row) []float64 {
		out := make([]float64, 20)
		for k := range out {
			out[k] = clinicOutput(x("a"), x("b"), x("c")) * float64(k)
		}
		return out
	})
	data := c.file(t, c.all())
	ex := explainOn(t, survival, data, nil, intershap.Options{Task: intershap.Risk, Target: "horizon:3,19"})
	if len(ex.Targets) != 2 || ex.Targets[0].Target != "horizon:3" || ex.Targets[1].Target != "horizon:19" || ex.Targets[0].Headline != result.MeanAbsolute {
		t.Errorf("targets %s, %s", ex.Targets[0].Target, ex.Targets[1].Target)
	}
	within(t, "output of horizon 19", ex.Targets[1].Output*3, ex.Targets[0].Output*19, 1e-9)
	one := explainOn(t, clinicModel, data, nil, intershap.Options{Task: intershap.Risk})
	if one.Targets[0].Target != "output" || one.Provenance.Task != "risk" {
		t.Errorf("target %s, task %s", one.Targets[0].Target, one.Provenance.Task)
	}
	for target, want := range map[string]string{
		"": "20 horizons", "horizon:20": `no horizon "20" (have 0 to 19)`, "horizon:3,3": `horizon "3" twice`, "predicted": "want all or horizon",
	} {
		_, err := intershap.Explain(t.Context(), survival, data, nil, intershap.Options{Task: intershap.Risk, Target: target})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("target %q: got %v, want %q", target, err, want)
		}
	}
}

// What a run with the task risk alone has is told to those who ask without it, and
// columns that a flag names are no surprise in the background.
func TestCohortHints(t *testing.T) {
	c := newClinic(40)
	data := c.file(t, c.all())
	_, err := intershap.Explain(t.Context(), clinicClasses, data, nil, intershap.Options{Target: "horizon:1"})
	if err == nil || !strings.Contains(err.Error(), "--task risk") {
		t.Errorf("got %v, want the task", err)
	}
	ex := explainOn(t, clinicModel, data, data, intershap.Options{Cluster: "patient", Weight: "weight", By: [][]string{{"sex", "site"}}, Missing: []string{"b", "c"}})
	if hasWarning(ex, "ignored-column") {
		t.Errorf("all columns are named: %v", ex.Warnings)
	}
	c = c.poisoned(math.NaN())
	for r := range c.hasC {
		c.hasC[r] = 1
	}
	c.c = make([]float64, len(c.c))
	_, err = intershap.Explain(t.Context(), clinicModel, c.file(t, c.all()), nil, intershap.Options{Missing: []string{"b"}, Mask: []string{"b=absent"}})
	if err == nil || !strings.Contains(err.Error(), "--mask b=value:0") {
		t.Errorf("got %v, want a remedy", err)
	}
}

func TestCohortFaults(t *testing.T) {
	c := newClinic(900)
	c.weight[7] = -1
	data := c.file(t, c.all())
	for want, opt := range map[string]intershap.Options{
		`row 7: column "weight": want a weight, 0 or a number of 1e-60 to 1e+60, got -1`: {Weight: "weight"},
		`column "sex": want weights, which are numbers of at least 0, got text`:          {Weight: "sex"},
		`patience`: {Cluster: "patience"},
		`"weight" by "patient" has more than 200 values`: {By: [][]string{{"weight", "patient"}}},
		`want at least one column`:                       {By: [][]string{{}}},
		`a budget of coalitions is not for samples`:      {Missing: []string{"b"}, Budget: 6},
		`cannot be divided into groups`:                  {Missing: []string{"b"}, Groups: []string{"b=each"}},
		`shard 3 of 2`:                                   {Shard: intershap.Shard{Index: 2, Of: 2}},
	} {
		_, err := intershap.Explain(t.Context(), clinicModel, data, nil, opt)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for i := range c.weight {
		c.weight[i] = 0
		c.hasB[i] = 0
	}
	data = c.file(t, c.all())
	for want, opt := range map[string]intershap.Options{
		`column "weight": want a weight above 0, got 0 in all rows`: {Weight: "weight"},
		`no row has all of a, b, c`:                                 {Missing: []string{"b"}},
	} {
		_, err := intershap.Explain(t.Context(), clinicModel, data, nil, opt)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for i := range c.hasB {
		c.hasB[i] = int64(i % 2)
	}
	_, err := intershap.Explain(t.Context(), clinicModel, c.file(t, c.all()), nil, intershap.Options{Missing: []string{"b"}, Mask: []string{"nearest:5"}})
	if err == nil || !strings.Contains(err.Error(), "want another mask than nearest:5") {
		t.Errorf("got %v, want that no row is nearest", err)
	}
	for i := range c.hasB {
		c.hasB[i] = 1
	}
	_, err = intershap.Explain(t.Context(), clinicModel, c.file(t, c.all()), nil, intershap.Options{Missing: []string{"b"}, Mask: []string{"b=absent"}})
	if err == nil || !strings.Contains(err.Error(), "no sample lacks b") {
		t.Errorf("got %v, want that no sample lacks b", err)
	}
}

// Who has nothing has no behaviour; where nobody has any the result says so.
// What the file has where a sample lacks a modality should be the same for all.
// A class whose effects cancel in the means counts in the macro average of sizes.
func TestMacroOfCancellingClass(t *testing.T) {
	c := newClinic(64)
	for r := range c.samples {
		for e, of := range [][]float64{c.a, c.b, c.c} {
			of[2*r], of[2*r+1] = float64(2*(r>>e&1)-1), 0
		}
	}
	// Class 1 where c says so; there a and b are a product, elsewhere a sum.
	m := clinicFunc(func(x model.Row) []float64 {
		y := (x("a")[0] + x("b")[0]) / 10
		if x("c")[0] > 0 {
			y = x("a")[0]*x("b")[0]/10 + 10
		}
		return []float64{-y, y - 5}
	})
	ex := explainOn(t, m, c.file(t, c.all()), nil, intershap.Options{Task: intershap.Classes, Target: "class:0", Fixed: []string{"c"}, BackgroundSize: intershap.AllRows})
	macro := ex.Targets[0].Macro
	if macro == nil || macro.Classes != 2 {
		t.Fatalf("macro %+v, want two classes; classes %+v", macro, ex.ByClass())
	}
	within(t, "macro of sizes", shareOf(macro.MeanAbsolute.InterSHAP), .5, 1e-12)
	within(t, "macro of local scores", shareOf(macro.Local), .5, 1e-12)
	readable(t, ex)
}
