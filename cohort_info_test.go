package intershap_test

import (
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// cohortOf plans a run and counts its samples.
func cohortOf(t *testing.T, m model.Model, samples, rows dataset.File, opt intershap.Options) *intershap.Cohort {
	t.Helper()
	plan, err := intershap.NewPlan(t.Context(), m, samples, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	c, err := plan.Cohort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// unitsOf counts by the definition: clusters one after the other, no map.
// Rows of weight 0 are not there.
func unitsOf(rows []int, cluster func(row int) int64, weight func(row int) float64) intershap.Units {
	rows = slices.DeleteFunc(rows, func(r int) bool { return weight(r) == 0 })
	u := intershap.Units{Samples: len(rows)}
	var met []int64
	squares := 0.0
	for _, r := range rows {
		u.Weight += weight(r)
		if slices.Contains(met, cluster(r)) {
			continue
		}
		met = append(met, cluster(r))
		sum := 0.0
		for _, s := range rows {
			if cluster(s) == cluster(r) {
				sum += weight(s)
			}
		}
		squares += sum * sum
	}
	if squares > 0 {
		u.Clusters = u.Weight * u.Weight / squares
	}
	return u
}

func wantUnits(t *testing.T, what string, want, got intershap.Units) {
	t.Helper()
	if want.Samples != got.Samples || math.Abs(want.Weight-got.Weight) > 1e-9 || math.Abs(want.Clusters-got.Clusters) > 1e-9 {
		t.Errorf("%s: want %+v, got %+v", what, want, got)
	}
}

// What is counted before a run is what the run counts, and what the definitions say.
func TestCohortCounts(t *testing.T) {
	c := newClinic(90)
	data := c.file(t, c.all())
	opt := intershap.Options{Cluster: "patient", Weight: "weight", By: [][]string{{"sex"}, {"site", "sex"}}, Missing: []string{"b", "c"}}
	got, ex := cohortOf(t, clinicModel, data, nil, opt), explainOn(t, clinicModel, data, nil, opt)
	cluster := func(r int) int64 { return c.patient[r] }
	weight := func(r int) float64 { return c.weight[r] }

	wantUnits(t, "all", unitsOf(c.all(), cluster, weight), got.All)
	target := ex.Targets[0]
	if len(got.By) != 2 || len(got.By[0].Groups) != 2 || len(got.By[1].Groups) != 6 {
		t.Fatalf("want 2 and 6 groups, got %+v", got.By)
	}
	for i, part := range got.By {
		for j, g := range part.Groups {
			of := target.By[i].Groups[j]
			if !slices.Equal(part.Columns, target.By[i].Columns) || !slices.Equal(g.Values, of.Values) || g.Samples != of.Samples || math.Abs(g.Weight-*of.Weight) > 1e-9 {
				t.Errorf("%q: want %d samples of weight %v as in the result (%q), got %+v", g.Values, of.Samples, *of.Weight, of.Values, g)
			}
		}
	}
	for _, g := range got.By[1].Groups {
		wantUnits(t, g.Values[0]+", "+g.Values[1], unitsOf(c.where(func(r int) bool { return c.site[r] == g.Values[0] && c.sex[r] == g.Values[1] }), cluster, weight), g.Units)
	}
	has := func(r int, name string) bool {
		return name == "a" || name == "b" && c.hasB[r] == 1 || name == "c" && c.hasC[r] == 1
	}
	for i, p := range got.Patterns {
		if !slices.Equal(p.Present, target.Patterns[i].Present) {
			t.Errorf("want the pattern %q, got %q", target.Patterns[i].Present, p.Present)
		}
		wantUnits(t, "pattern", unitsOf(c.where(func(r int) bool {
			return !slices.ContainsFunc([]string{"a", "b", "c"}, func(m string) bool { return has(r, m) != slices.Contains(p.Present, m) })
		}), cluster, weight), p.Units)
	}
	for i, name := range ex.Modalities {
		if want := len(c.where(func(r int) bool { return has(r, name) && c.weight[r] > 0 })); got.Present[i] != want || target.Present[name] != want {
			t.Errorf("%s: want %d samples that have it, got %d, and %d in the result", name, want, got.Present[i], target.Present[name])
		}
	}
	complete := len(c.where(func(r int) bool { return has(r, "b") && has(r, "c") }))
	if got.BackgroundRows != 90 || got.Complete != complete {
		t.Errorf("want %d of 90 rows complete, got %d of %d", complete, got.Complete, got.BackgroundRows)
	}
}

// Without a column of clusters rows of one id belong together; without ids none do.
func TestCohortIDs(t *testing.T) {
	x := tensor.Of([]float64{1, 2, 3, 4, 5, 6}, 6)
	for _, tt := range []struct {
		name string
		ids  []int64
		want float64
	}{
		{"none", nil, 6},
		{"all different", []int64{1, 2, 3, 4, 5, 6}, 6},
		{"three pairs", []int64{1, 1, 2, 2, 3, 3}, 3},
		{"three and three of one", []int64{1, 1, 1, 4, 5, 6}, 36. / (9 + 3)},
	} {
		arrays := []dataset.Array{{Name: "a", Tensor: x}, {Name: "b", Tensor: x}}
		if tt.ids != nil {
			arrays = append(arrays, dataset.Array{Name: "id", Tensor: tensor.Of(tt.ids, len(tt.ids))})
		}
		data, err := dataset.FromArrays(arrays...)
		if err != nil {
			t.Fatal(err)
		}
		m := model.RowFunc("y", func(x model.Row) []float64 { return []float64{x("a")[0] * x("b")[0]} })
		c := cohortOf(t, m, data, nil, intershap.Options{})
		wantUnits(t, tt.name, intershap.Units{Samples: 6, Weight: 6, Clusters: tt.want}, c.All)
		if c.Patterns != nil || c.Present != nil || c.By != nil || c.Lists != nil || c.Complete != 6 || c.BackgroundRows != 6 {
			t.Errorf("%s: want nothing of what was not asked for, got %+v", tt.name, c)
		}
	}
}

// The longest list of either file says what the lists of both are filled up to.
func TestCohortLists(t *testing.T) {
	fields := []arrow.Field{
		{Name: "ids", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)}, {Name: "mask", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)},
		{Name: "age", Type: arrow.PrimitiveTypes.Float64},
	}
	data := writeParquet(t, []string{
		`{"ids": [3, 1, 2], "mask": [1, 1, 1], "age": 2}`, `{"ids": [5], "mask": [1], "age": 3}`,
	}, fields...)
	rows := writeParquet(t, []string{
		`{"ids": [3, 1], "mask": [1, 1], "age": 2}`, `{"ids": [5, 1, 1, 1, 1], "mask": [1, 1, 1, 1, 1], "age": 3}`,
	}, fields...)
	c := cohortOf(t, reader(t, 5, true), data, rows, intershap.Options{Modalities: []string{"text=ids,mask"}, Pad: []string{"ids=0", "mask=0"}})
	want := []intershap.CohortList{{Input: "ids", Value: "0", Length: 5, Data: 3, Background: 5}, {Input: "mask", Value: "0", Length: 5, Data: 3, Background: 5}}
	if diff := cmp.Diff(want, c.Lists); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
