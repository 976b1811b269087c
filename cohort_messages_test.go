package intershap_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// clinicText writes a table by hand.
func clinicText(t testing.TB, text string) dataset.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clinic.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return openData(t, path)
}

// labsAndAge is a model of two modalities, labs of two numbers and age.
var labsAndAge = model.Describe(model.RowFunc("y", func(x model.Row) []float64 {
	return []float64{x("labs")[0]*x("age")[0] + x("labs")[1]}
}), model.Signature{
	Inputs: []tensor.Spec{
		{Name: "labs", DType: tensor.Float64, Shape: []int{-1, 2}}, {Name: "age", DType: tensor.Float64, Shape: []int{-1}},
	},
	Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{-1, 1}}},
})

// Faults of what is known of samples have the place and the remedy that all faults of
// data have.
func TestCohortFaultsHavePlaceAndRemedy(t *testing.T) {
	table := func(rows ...string) dataset.File {
		return clinicText(t, "labs.crp,labs.wbc,age,w,\"a,b\"\n"+strings.Join(rows, "\n")+"\n")
	}
	good := table("1,2,3,1,x", "2,3,4,1,y")
	for _, tt := range []struct {
		name       string
		file       dataset.File
		opt        intershap.Options
		want, hint string
	}{
		{"a negative weight", table("1,2,3,1,x", "2,3,4,-1,y"), intershap.Options{Weight: "w"},
			`clinic.csv:3: column "w": want a weight, 0 or a number of 1e-60 to 1e+60, got -1`, "only proportions matter"},
		{"no weight", table("1,2,3,0,x", "2,3,4,0,y"), intershap.Options{Weight: "w"},
			`clinic.csv: column "w": want a weight above 0, got 0 in all rows`, "leave --weight out"},
		{"text", good, intershap.Options{Weight: "a,b"},
			`clinic.csv: column "a,b": want weights, which are numbers of at least 0, got text`, "only proportions matter"},
		{"a comma in a name", good, intershap.Options{By: [][]string{{"a", "b"}}},
			`clinic.csv: column "a": want a column of this name, got none`, `the file has labs.* (2 columns), age, w, "a,b"; --by a,b crosses columns: a column whose name has a comma must be renamed`},
	} {
		_, err := intershap.Explain(t.Context(), labsAndAge, tt.file, nil, tt.opt)
		var fault *dataset.Error
		if !errors.As(err, &fault) || !strings.HasSuffix(err.Error(), tt.want) || !strings.Contains(fault.Hint, tt.hint) {
			t.Errorf("%s: got %v (%+v), want %s with the hint %s", tt.name, err, fault, tt.want, tt.hint)
		}
	}
	opt := intershap.Options{By: [][]string{{"a,b"}}, Modalities: []string{"labs=labs", "age=age"}}
	if ex, err := intershap.Explain(t.Context(), labsAndAge, good, nil, opt); err != nil || len(ex.Targets[0].By[0].Groups) != 2 {
		t.Errorf("a name with a comma is no fault in Go: %v", err)
	}
	for _, by := range [][]string{{"w", "w"}, {""}} {
		if _, err := intershap.Explain(t.Context(), labsAndAge, good, nil, intershap.Options{By: [][]string{by}}); err == nil || !strings.Contains(err.Error(), "options: by") {
			t.Errorf("by %q: %v", by, err)
		}
	}
}

// A spec is read the same for data and background, blanks or not.
func TestMissingOfBackground(t *testing.T) {
	header, has := "labs.crp,labs.wbc,age,has\n", "1,2,3,1\n2,1,4,1\n5,6,2,1\n"
	data := clinicText(t, header+has+",,2,0\n")
	behind := clinicText(t, header+has+"9,,8,0\n")
	var scores []float64
	for _, spec := range []string{"labs=has", "labs = has", " labs =has"} {
		ex := explainOn(t, labsAndAge, data, behind, intershap.Options{Missing: []string{spec}, BackgroundSize: intershap.AllRows, Task: intershap.Regression})
		scores = append(scores, ex.Targets[0].MeanAbsolute.Behaviour)
		if n := ex.Provenance.Background.Rows; n != 3 {
			t.Errorf("%q: %d background rows, want the 3 that have labs", spec, n)
		}
	}
	if scores[0] != scores[1] || scores[0] != scores[2] {
		t.Errorf("blanks changed the result: %v", scores)
	}
	without := clinicText(t, "labs.crp,labs.wbc,age\n1,2,3\n9,,8\n")
	_, err := intershap.Explain(t.Context(), labsAndAge, data, without, intershap.Options{Missing: []string{"labs = has"}, Task: intershap.Regression})
	var fault *dataset.Error
	if !errors.As(err, &fault) || fault.Line != 3 || !strings.Contains(fault.Hint, `has no column "has", so that the values tell who lacks labs`) {
		t.Errorf("a background without the column: %v, %+v", err, fault)
	}
	full := clinicText(t, header+has)
	ex := explainOn(t, labsAndAge, full, nil, intershap.Options{Missing: []string{"labs = has"}, Task: intershap.Regression})
	if !hasWarning(ex, "nothing-missing") {
		t.Errorf("warnings %v, want nothing-missing", ex.Warnings)
	}
}

// Lists whose first rows differ between data and background have the remedy.
func TestPadHintOfBackground(t *testing.T) {
	data, behind := tokens(t, []int64{1, 2, 3}, []int64{4, 5, 6}), tokens(t, []int64{1, 2, 3, 4, 5, 6, 7}, []int64{1, 2, 3, 4, 5, 6, 7})
	opt := intershap.Options{Modalities: []string{"text=ids,mask"}, Task: intershap.Regression}
	_, err := intershap.Explain(t.Context(), reader(t, 7, true), data, behind, opt)
	var fault *dataset.Error
	if !errors.As(err, &fault) || fault.Expected != "[N,3] as "+data.Path()+" has" || !strings.HasSuffix(fault.Hint, "--pad ids=0 --pad mask=0") {
		t.Fatalf("got %v, %+v", err, fault)
	}
	opt.Pad = []string{"ids=0", "mask=0"}
	if _, err := intershap.Explain(t.Context(), reader(t, 7, true), data, behind, opt); err != nil {
		t.Errorf("the remedy does not help: %v", err)
	}
}

// Padding that does nothing, and lists that do not lie side by side, are worth a warning.
func TestPadWarnings(t *testing.T) {
	list := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true}
	}
	write := func(rows ...string) dataset.File {
		return writeParquet(t, rows, list("ids"), list("mask"), arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Float64})
	}
	even := []string{`{"ids": [1,2,3], "mask": [1,1,1], "age": 1}`, `{"ids": [4], "mask": [1], "age": 2}`, `{"ids": [4,1], "mask": [1,1], "age": 2}`}
	uneven := []string{even[0], even[1], `{"ids": [1,2,3], "mask": [1], "age": 3}`}
	full := []string{even[0], `{"ids": [3,2,3], "mask": [1,0,1], "age": 4}`}
	for _, tt := range []struct {
		name         string
		data, behind []string
		pad          string
		want         []string
	}{
		{"all is well", even, even, "", nil},
		{"a number is padded", even, even, "age=0", []string{"nothing-padded"}},
		{"only the background is short", full, even, "", nil},
		{"all have one length", full, full, "", []string{"nothing-padded", "nothing-padded"}},
		{"a row has another mask", uneven, even, "", []string{"lengths-differ"}},
		{"a row of the background has", even, uneven, "", []string{"lengths-differ"}},
	} {
		opt := intershap.Options{Modalities: []string{"text=ids,mask"}, Task: intershap.Regression, Pad: []string{"ids=0", "mask=0"}}
		if tt.pad != "" {
			opt.Pad = append(opt.Pad, tt.pad)
		}
		ex := explainOn(t, reader(t, 3, true), write(tt.data...), write(tt.behind...), opt)
		var got []string
		for _, w := range ex.Warnings {
			if w.ID == "nothing-padded" || w.ID == "lengths-differ" {
				got = append(got, w.ID)
			}
			if w.ID == "lengths-differ" && !strings.Contains(w.Text, "data.parquet: row 2: 3 in ids and 1 in mask (rows like that: 1)") {
				t.Errorf("%s: %s", tt.name, w.Text)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: warnings %v, want %v", tt.name, got, tt.want)
		}
	}
}
