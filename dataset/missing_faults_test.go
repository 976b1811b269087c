package dataset

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

func TestMissingFaults(t *testing.T) {
	rna, age := spec("rna", tensor.Float32, 2), spec("age", tensor.Float32)
	ids := spec("ids", tensor.Int64)
	zeros := tensor.New(tensor.Float32, 3, 2)
	oneNaN := tensor.Of([]float64{1, 2, 3, 4, nan, 6}, 3, 2)
	rowNaN := tensor.Of([]float64{1, 2, 3, 4, nan, nan}, 3, 2)
	ages := Array{"age", floats(3)}
	const says = `want 0 or 1, whether the sample has modality "rna", got `
	for _, tt := range []struct {
		name       string
		file       File
		specs      []string
		inputs     []tensor.Spec
		want, hint string
	}{
		{"a 2", arrays(t, Array{"rna", zeros}, ages, Array{"rna_available", tensor.Of([]int8{1, 0, 2})}), []string{"rna"}, nil, `memory: row 2: column "rna_available": ` + says + "2", "write 1"},
		{"a half", arrays(t, Array{"rna", zeros}, ages, Array{"has", tensor.Of([]float32{1, 0.5, 1})}), []string{"rna=has"}, nil, `memory: row 1: column "has": ` + says + "0.5", "write 1"},
		{"NaN", arrays(t, Array{"rna", zeros}, ages, Array{"has", tensor.Of([]float64{1, 0, nan})}), []string{"rna=has"}, nil, `memory: row 2: column "has": ` + says + "NaN", "write 1"},
		{"a word", arrays(t, Array{"rna", zeros}, ages, Array{"has", tensor.Of([]string{"yes", "1", "0"})}), []string{"rna=has"}, nil, `memory: row 0: column "has": ` + says + `"yes"`, "write 1"},
		{"no word", arrays(t, Array{"rna", zeros}, ages, Array{"has", tensor.Of([]string{"1", "", "0"})}), []string{"rna=has"}, nil, `memory: row 1: column "has": ` + says + `""`, "write 1"},
		{"several a row", arrays(t, Array{"rna", zeros}, ages, Array{"has", tensor.New(tensor.Int64, 3, 2)}), []string{"rna=has"}, nil, `memory: column "has": want one value a row, got [N,2]`, ""},
		{"CSV, a 2", openCSVText(t, "rna.a,rna.b,age,has\n1,2,3,1\n1,2,3,2\n"), []string{"rna=has"}, nil, `data.csv:3: column "has": ` + says + "2", "write 1"},
		{"CSV, an empty cell", openCSVText(t, "rna.a,rna.b,age,has\n1,2,3,1\n1,2,3,\n"), []string{"rna=has"}, nil, `data.csv:3: column "has": want a value, got an empty cell (missing)`, "write 1"},
		{"CSV, an empty cell of an input", openCSVText(t, "rna.a,rna.b,age\n1,2,1\n1,2,\n"), []string{"rna=age"}, nil, `data.csv:3: column "age": want a value, got an empty cell (missing)`, "write 1"},
		{"there, but all NaN", arrays(t, Array{"rna", rowNaN}, ages, Array{"has", tensor.Of([]int8{1, 0, 1})}), []string{"rna=has"}, nil, `memory: row 2: column "rna": want values of modality "rna", since column "has" says that the sample has it, got none`, `write 0 in column "has"`},
		{"there, but one NaN", arrays(t, Array{"rna", oneNaN}, ages, Array{"has", tensor.Of([]int8{1, 0, 1})}), []string{"rna=has"}, nil, `memory: row 2: column "rna": want a finite number, got NaN at element 0`, "impute"},
		{"one NaN", arrays(t, Array{"rna", oneNaN}, ages), []string{"rna"}, nil, `memory: row 2: column "rna": want a finite number, got NaN at element 0`, "impute"},
		{"one infinity", arrays(t, Array{"rna", tensor.Of([]float64{math.Inf(1), nan}, 1, 2)}, Array{"age", floats(1)}), []string{"rna"}, nil, `memory: row 0: column "rna": want a finite number, got +Inf at element 0`, "impute"},
		{"another modality misses", arrays(t, Array{"rna", rowNaN}, ages), []string{"age"}, nil, `memory: row 2: column "rna": want a finite number, got NaN at element 0`, "--missing rna"},
		{"CSV, one empty cell", openCSVText(t, "rna.a,rna.b,age\n1,2,3\n1,,3\n"), []string{"rna"}, nil, `data.csv:3: column "rna.b": want a value, got none (missing)`, "impute"},
		{"CSV, another modality misses", openCSVText(t, "rna.a,rna.b,age\n1,2,3\n1,2,\n"), []string{"rna"}, nil, `data.csv:3: column "age": want a value, got none (missing)`, "--missing age"},
		{"CSV, a word among numbers and gaps", openCSVText(t, "rna.a,rna.b,age\nNA,NA,3\n1,x,3\n"), []string{"rna"}, nil, `data.csv:3: column "rna.b": want float32, got "x"`, "every cell"},
		{"no such column", arrays(t, Array{"rna", zeros}, ages), []string{"rna=ege"}, nil, `missing "rna=ege": the data have no column "ege" that says who lacks it`, `did you mean "age"?`},
		{"integers that are missing in part", arrays(t, Array{"ids", tensor.Of([]float64{1, nan})}, Array{"age", tensor.Of([]float64{1, 2})}), []string{"age"}, []tensor.Spec{ids, age}, `memory: row 1: column "ids": want a finite number, got NaN`, "--missing ids"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inputs := tt.inputs
			if inputs == nil {
				inputs = []tensor.Spec{rna, age}
			}
			s, err := lacking(t, tt.file, tt.specs, nil, inputs...)
			if err == nil {
				err = s.Check(t.Context(), nil)
			}
			want := "dataset: " + tt.want
			if strings.HasPrefix(tt.want, "data.csv") {
				want = "dataset: " + filepath.Dir(tt.file.Path()) + "/" + tt.want
			}
			wantError(t, err, want, tt.hint)
		})
	}
}

// TestAdviceOnMissing names --missing where a whole input misses, and only there,
// for those who have not used it.
func TestAdviceOnMissing(t *testing.T) {
	folder := t.TempDir()
	f32 := arrow.PrimitiveTypes.Float32
	lists := schemaOf(field("rna", arrow.ListOf(f32)), field("age", f32))
	parts := filepath.Join(folder, "parts")
	check(t, os.Mkdir(parts, 0o700))
	writeParquet(t, filepath.Join(parts, "a.parquet"), lists, 2, `{"rna": [1, 2], "age": 3}`)
	writeParquet(t, filepath.Join(parts, "b.parquet"), lists, 2, `{"rna": [1, 2], "age": 3}`, `{"rna": null, "age": 3}`)
	rna, age := spec("rna", tensor.Float32, 2), spec("age", tensor.Float32)
	for _, tt := range []struct {
		name  string
		file  File
		whole bool
	}{
		{"NPZ, a row", arrays(t, Array{"rna", tensor.Of([]float64{1, 2, nan, nan}, 2, 2)}, Array{"age", floats(2)}), true},
		{"NPZ, a value", arrays(t, Array{"rna", tensor.Of([]float64{1, 2, nan, 4}, 2, 2)}, Array{"age", floats(2)}), false},
		{"CSV, a row", openCSVText(t, "rna.a,rna.b,age\n1,2,3\nNA,,3\n"), true},
		{"CSV, a value", openCSVText(t, "rna.a,rna.b,age\n1,2,3\n1,,3\n"), false},
		{"CSV, a value each", openCSVText(t, "rna.a,rna.b,age\n1,2,3\n1,,3\n,,3\n"), true}, // rna.a is first refused in the last row
		{"Parquet, a null list", open(t, writeParquet(t, filepath.Join(folder, "a.parquet"), lists, 2, `{"rna": [1, 2], "age": 3}`, `{"rna": null, "age": 3}`)), true},
		{"Parquet, a null list at first", open(t, writeParquet(t, filepath.Join(folder, "b.parquet"), lists, 2, `{"rna": null, "age": 3}`, `{"rna": [1, 2], "age": 3}`)), true},
		{"Parquet, a null in a list", open(t, writeParquet(t, filepath.Join(folder, "c.parquet"), lists, 2, `{"rna": [1, 2], "age": 3}`, `{"rna": [null, 2], "age": 3}`)), false},
		{"Parquet, a null in a list at first", open(t, writeParquet(t, filepath.Join(folder, "d.parquet"), lists, 2, `{"rna": [null, 2], "age": 3}`, `{"rna": [1, 2], "age": 3}`)), false},
		{"a folder", open(t, parts), true},
	} {
		s, err := Bind(t.Context(), tt.file, []tensor.Spec{rna, age}, BindOptions{})
		if err == nil {
			err = s.Check(t.Context(), nil)
		}
		if hint := hintOf(err); !strings.Contains(hint, "impute") || strings.Contains(hint, "--missing") != tt.whole {
			t.Errorf("%s: want --missing in the hint: %v, got error %v, hint %q", tt.name, tt.whole, err, hint)
		}
	}
}

func TestParseMissing(t *testing.T) {
	modalities := []Modality{{Name: "rna"}, {Name: "a b"}, {Name: "age"}}
	columns := []Column{{Name: "rna_available"}, {Name: "has=it"}, {Name: "age"}}
	got, err := ParseMissing([]string{"a b = has=it", " rna ", "age"}, modalities, columns)
	check(t, err)
	if diff := cmp.Diff([]Availability{{Modality: 1, Column: "has=it"}, {Modality: 0, Column: "rna_available"}, {Modality: 2}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var names []string
	for _, a := range MissingColumns([]string{"a b = has=it", " rna ", "age"}) {
		if !a.Optional {
			t.Errorf("%s: want an optional attribute", a.Name)
		}
		names = append(names, a.Name)
	}
	if diff := cmp.Diff([]string{"has=it", "rna_available", "age_available"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tt := range []struct {
		specs      []string
		line, hint string
	}{
		{[]string{"rma"}, `"rma": there is no such modality`, `the modalities are rna, a b, age; did you mean "rna"?`},
		{[]string{"rna=aeg"}, `"rna=aeg": the data have no column "aeg" that says who lacks it`, "the file has rna_available, has=it, age"},
		{[]string{""}, `"": want MODALITY or MODALITY=COLUMN, for what samples may lack`, "for example"},
		{[]string{"rna="}, `"rna=": want MODALITY or MODALITY=COLUMN, for what samples may lack`, "for example"},
		{[]string{"=age"}, `"=age": want MODALITY or MODALITY=COLUMN, for what samples may lack`, "for example"},
		{[]string{"rna", "rna=age"}, `"rna=age": samples may lack the modality, as was said before`, "once"},
	} {
		_, err := ParseMissing(tt.specs, modalities, columns)
		if tt.line[:2] == `""` {
			tt.line = tt.line[4:] // an empty spec is not shown
			wantError(t, err, "dataset: missing: "+tt.line, tt.hint)
			continue
		}
		wantError(t, err, "dataset: missing "+tt.line, tt.hint)
	}
}

func TestMayLackFaults(t *testing.T) {
	s := bind(t, arrays(t, Array{"x", floats(2)}, Array{"y", floats(2)}), spec("x", tensor.Float32), spec("y", tensor.Float32))
	modalities := []Modality{{Name: "x", Parts: []Part{{0, 0, 1}}}, {Name: "y", Parts: []Part{{1, 0, 1}}}}
	if p, err := s.Presence(t.Context()); p != nil || err != nil {
		t.Errorf("nobody may lack: want nil, got %v, %v", p, err)
	}
	if p, err := s.ReadPresent(t.Context(), 0, 2); p != nil || err != nil {
		t.Errorf("nobody may lack: want nil, got %v, %v", p, err)
	}
	if rows, err := s.Read(t.Context(), 0, 2); rows.Present != nil || rows.Attributes != nil || err != nil {
		t.Errorf("nobody may lack: want nil, got %v, %v", rows.Present, err)
	}
	for _, bad := range []int{-1, 2} {
		if err := s.MayLack(modalities, []Availability{{Modality: bad}}); err == nil {
			t.Errorf("modality %d: want an error", bad)
		}
	}
	err := s.MayLack(modalities, []Availability{{Modality: 0, Column: "has"}})
	wantError(t, err, `dataset: memory: column "has": want a column that says which samples have modality "x", got none`, "MissingColumns")
	check(t, s.MayLack(modalities, nil))
	wantPresent(t, s, []uint64{3, 3})
	if err := s.MayLack(modalities, nil); err == nil {
		t.Error("a second call: want an error")
	}
}
