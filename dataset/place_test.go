package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap/tensor"
)

// TestFolderFaultsNameTheFile has every fault of a row in the file that people can open,
// whoever finds it.
func TestFolderFaultsNameTheFile(t *testing.T) {
	folder := t.TempDir()
	schema := schemaOf(field("x", arrow.PrimitiveTypes.Float64), field("g", arrow.PrimitiveTypes.Float64), field("has", arrow.PrimitiveTypes.Int64))
	good := `{"x": 1, "g": 2, "has": 1}`
	second := filepath.Join(folder, "b.parquet")
	writeParquet(t, filepath.Join(folder, "a.parquet"), schema, 2, good, good, good)
	for _, tt := range []struct{ row, want string }{
		{`{"x": "Inf", "g": 2, "has": 1}`, `column "x": want a finite number, got +Inf`},
		{`{"x": 1, "g": "NaN", "has": 1}`, `column "g": want a finite number, got NaN`},
		{`{"x": 1, "g": 2, "has": 7}`, `column "has": want 0 or 1, whether the sample has modality "x", got 7`},
		{`{"x": 1, "g": null, "has": 1}`, `column "g": want a value, got none (missing)`},
	} {
		writeParquet(t, second, schema, 2, good, tt.row)
		f := open(t, folder)
		s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float64)}, BindOptions{Attributes: append(MissingColumns([]string{"x=has"}), Attribute{Name: "g"})})
		check(t, err)
		check(t, s.MayLack([]Modality{{Name: "x", Parts: []Part{{0, 0, 1}}}}, []Availability{{Modality: 0, Column: "has"}}))
		if err := s.Check(t.Context(), nil); err == nil || err.Error() != "dataset: "+second+": row 1: "+tt.want {
			t.Errorf("got %v, want row 1 of %s: %s", err, second, tt.want)
		}
		wantError(t, s.Fault(4, "g", "a weight", "-1", "mend it"), "dataset: "+second+`: row 1: column "g": want a weight, got -1`, "mend it")
		if got, want := s.Place(2), filepath.Join(folder, "a.parquet")+": row 2"; got != want {
			t.Errorf("row 2 is at %s, want %s", got, want)
		}
	}
	csv := openCSVText(t, "x,note\n1,\"two\nlines\"\n2,b\n")
	s := bind(t, csv, spec("x", tensor.Float64))
	if got, want := s.Place(1), csv.Path()+":4"; got != want {
		t.Errorf("row 1 is at %s, want %s", got, want)
	}
	wantError(t, s.Fault(NoRow, "x", "", "nothing", ""), "dataset: "+csv.Path()+`: column "x": nothing`, "")
}

// TestNamesThatReadAsTwo quotes the columns that a message lists.
func TestNamesThatReadAsTwo(t *testing.T) {
	f := arrays(t, Array{"x", floats(2)}, Array{"a,b", floats(2)}, Array{"a b", floats(2)})
	_, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32)}, BindOptions{Attributes: []Attribute{{Name: "zzzz", Hint: "look twice"}}})
	wantError(t, err, `dataset: memory: column "zzzz": want a column of this name, got none`, `the file has x, "a,b", "a b"; look twice`)
}

// TestBackgroundLacksTheColumn says why values tell in a background.
func TestBackgroundLacksTheColumn(t *testing.T) {
	f := openCSVText(t, "labs.crp,labs.wbc,age\n1,2,3\n,2,3\n")
	specs := []string{" labs = avf "}
	s, err := Bind(t.Context(), f, []tensor.Spec{spec("labs", tensor.Float32, 2), spec("age", tensor.Float32)}, BindOptions{Attributes: MissingColumns(specs)})
	check(t, err)
	all := []Modality{{Name: "labs", Parts: []Part{{0, 0, 2}}}, {Name: "age", Parts: []Part{{1, 0, 1}}}}
	if _, err := ParseMissing(specs, all, f.Columns()); err == nil {
		t.Error("data without the column: want an error")
	}
	missing, err := ParseBackgroundMissing(specs, all, f.Columns())
	check(t, err)
	check(t, s.MayLack(all, missing))
	wantError(t, s.Check(t.Context(), nil), "dataset: "+f.Path()+`:3: column "labs.crp": want a value, got none (missing)`,
		f.Path()+` has no column "avf", so that the values tell who lacks labs: add the column`)
	// The default name is a proposal, and nobody is told to add it.
	s, err = Bind(t.Context(), f, s.Inputs(), BindOptions{Attributes: MissingColumns([]string{"labs"})})
	check(t, err)
	missing, err = ParseBackgroundMissing([]string{"labs"}, all, f.Columns())
	check(t, err)
	check(t, s.MayLack(all, missing))
	if hint := hintOf(s.Check(t.Context(), nil)); hint != missingHint {
		t.Errorf("hint %q, want %q", hint, missingHint)
	}
}

// TestFlagAmongValues names the flag where all but it are missing and it says 0.
func TestFlagAmongValues(t *testing.T) {
	for _, tt := range []struct{ name, row, hint string }{
		{"the flag says no", ",,0", `if "has labs" says who lacks labs: --missing 'labs=has labs'`},
		{"the flag says yes", ",,1", ""},
		{"a value is there", ",2,0", ""},
		{"a value is 0", ",0,0", ""},
	} {
		f := openCSVText(t, "crp,wbc,has labs,age\n1,2,1,3\n"+tt.row+",3\n")
		inputs := []tensor.Spec{spec("crp", tensor.Float32), spec("wbc", tensor.Float32), spec("has labs", tensor.Float32), spec("age", tensor.Float32)}
		s := mustLack(t, f, []string{"labs"}, []string{"labs=crp,wbc,has labs"}, inputs...)
		hint := hintOf(s.Check(t.Context(), nil))
		if !strings.HasPrefix(hint, missingHint) || !strings.HasSuffix(hint, tt.hint) || tt.hint == "" && hint != missingHint {
			t.Errorf("%s: hint %q, want %q", tt.name, hint, tt.hint)
		}
	}
}

// TestDataSettleLengths says that it was the data, and not the model, that want a length.
func TestDataSettleLengths(t *testing.T) {
	i64, text := arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.ListOf(arrow.BinaryTypes.String)
	lists := schemaOf(field("ids", i64), field("mask", i64), field("words", text))
	write := func(rows ...string) File {
		return open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), lists, 2, rows...))
	}
	data := write(`{"ids": [1,2,3], "mask": [1,1,1], "words": ["a"]}`)
	background := write(`{"ids": [1,2,3,4,5,6,7], "mask": [1,1,1,1,1,1,1], "words": ["a"]}`)
	inputs := []tensor.Spec{spec("ids", tensor.Int64, -1), spec("mask", tensor.Int64, -1), spec("words", tensor.String, -1)}
	together := func(data, background File, pad []Padding, inputs ...tensor.Spec) error {
		s, err := Bind(t.Context(), data, inputs, BindOptions{Pad: pad})
		check(t, err)
		_, err = Bind(t.Context(), background, s.Inputs(), BindOptions{Role: "background", Pad: pad, Data: s})
		return err
	}
	wantError(t, together(data, background, nil, inputs...),
		"dataset: "+background.Path()+`: column "ids": want [N,3] as `+data.Path()+" has, got [N,7]",
		"lists differ in length between data and background; fill short ones up: --pad ids=0 --pad mask=0 --pad words=TEXT")
	pad, err := PadTogether(t.Context(), []Padding{{Input: "ids", Value: "0"}}, inputs, data, background)
	check(t, err)
	wantError(t, together(data, background, pad, inputs...),
		"dataset: "+background.Path()+`: column "mask": want [N,3] as `+data.Path()+" has, got [N,7]", "fill short ones up: --pad mask=0 --pad words=TEXT")
	// The model's own length stands.
	stated := spec("ids", tensor.Int64, 3)
	if err := together(data, background, nil, stated); err == nil || !strings.Contains(err.Error(), `want [N,3] for the model's input "ids", got [N,7]`) {
		t.Errorf("a length that the model states: %v", err)
	}
	long := arrays(t, Array{"x", floats(2, 4)})
	wantError(t, together(arrays(t, Array{"x", floats(2, 3)}), long, nil, spec("x", tensor.Float32, -1)),
		`dataset: memory: column "x": want [N,3] as memory has, got [N,4]`, "the model takes any length")
}

// TestFillsAndUnequalLists looks at lists beside each other, in a file and in a folder.
func TestFillsAndUnequalLists(t *testing.T) {
	i64 := arrow.ListOf(arrow.PrimitiveTypes.Int64)
	lists := schemaOf(field("ids", i64), field("mask", i64), field("even", i64), field("age", arrow.PrimitiveTypes.Float32))
	rows := []string{
		`{"ids": [1,2], "mask": [1,1], "even": [1,2], "age": 1}`, `{"ids": [], "mask": [], "even": [3,4], "age": 1}`,
		`{"ids": [5], "mask": null, "even": [3,4], "age": 1}`,
		`{"ids": [1,2,3], "mask": [1], "even": [5,6], "age": 2}`, `{"ids": [1], "mask": [1,1], "even": [5,6], "age": 2}`,
	}
	folder := t.TempDir()
	single := writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), lists, 2, rows...)
	writeParquet(t, filepath.Join(folder, "a.parquet"), lists, 2, rows[:3]...)
	writeParquet(t, filepath.Join(folder, "b.parquet"), lists, 2, rows[3:]...)
	text := Modality{Name: "text", Parts: []Part{{0, 0, 3}, {1, 0, 3}}}
	other := Modality{Name: "other", Parts: []Part{{0, 0, 1}, {0, 2, 3}, {2, 0, 2}, {3, 0, 1}}}
	for _, path := range []string{single, folder} {
		for _, length := range []int{-1, 3} {
			even := -1
			if length > 0 {
				even = 2
			}
			s, err := Bind(t.Context(), open(t, path), []tensor.Spec{
				spec("ids", tensor.Int64, length), spec("mask", tensor.Int64, length), spec("even", tensor.Int64, even), spec("age", tensor.Float32),
			}, BindOptions{Pad: []Padding{{Input: "ids", Value: "0"}, {Input: "mask", Value: "0"}, {Input: "even", Value: "0"}, {Input: "age", Value: "0"}}, Attributes: MissingColumns([]string{"text"})})
			if length < 0 { // ids and mask have another longest list
				check(t, err)
			}
			check(t, err)
			for input, want := range map[string]bool{"ids": true, "mask": true, "even": false, "age": false, "none": false} {
				got, err := s.Fills(t.Context(), input)
				check(t, err)
				if got != want {
					t.Errorf("%s, length %d: fills %s: %v, want %v", path, length, input, got, want)
				}
			}
			u, err := s.UnequalLists(t.Context(), text)
			check(t, err)
			if want := (Unequal{Row: 3, Inputs: [2]string{"ids", "mask"}, Lengths: [2]int{3, 1}, Rows: 2}); u == nil || *u != want {
				t.Errorf("%s: unequal %+v, want %+v", path, u, want)
			}
			if u, err = s.UnequalLists(t.Context(), Modality{Parts: other.Parts[:2]}); err != nil || u != nil {
				t.Errorf("%s: two slices of one input: %+v, %v", path, u, err)
			}
			if u, err = s.UnequalLists(t.Context(), other); err != nil || u == nil || u.Row != 1 || u.Inputs[1] != "even" {
				t.Errorf("%s: ids beside even: %+v, %v", path, u, err)
			}
		}
	}
	for name, f := range map[string]File{"array": arrays(t, Array{"x", floats(2, 3)}), "columns": openCSVText(t, "x.a,x.b,x.c\n1,2,3\n")} {
		for want, length := range map[bool]int{true: 4, false: 3} {
			s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, length)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0"}}})
			check(t, err)
			if got, err := s.Fills(t.Context(), "x"); err != nil || got != want {
				t.Errorf("%s to %d: fills %v, %v", name, length, got, err)
			}
		}
	}
}

// TestSameGapsSameView does not open more and more views as a file is bound again.
func TestSameGapsSameView(t *testing.T) {
	schema := schemaOf(field("x", arrow.PrimitiveTypes.Float64), field("y", arrow.ListOf(arrow.PrimitiveTypes.Float64)))
	folder := t.TempDir()
	parts := filepath.Join(folder, "parts")
	check(t, os.Mkdir(parts, 0o700))
	for _, path := range []string{filepath.Join(folder, "a.parquet"), filepath.Join(parts, "a.parquet")} {
		writeParquet(t, path, schema, 2, `{"x": 1, "y": [1]}`, `{"x": null, "y": [2, 3]}`)
	}
	for _, path := range []string{filepath.Join(folder, "a.parquet"), parts} {
		f := open(t, path)
		for range 5 {
			s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float64), spec("y", tensor.Float64, -1)},
				BindOptions{Attributes: MissingColumns([]string{"x"}), Pad: []Padding{{Input: "y", Value: "0"}}})
			check(t, err)
			check(t, s.MayLack([]Modality{{Name: "x", Parts: []Part{{0, 0, 1}}}, {Name: "y", Parts: []Part{{1, 0, 2}}}}, []Availability{{Modality: 0}}))
			check(t, s.Check(t.Context(), nil))
			wantPresent(t, s, []uint64{3, 2})
		}
		views := 0
		switch f := f.(type) {
		case *parquetFile:
			views = len(f.views)
		case *parquetFolder:
			views = len(f.views)
		}
		if views != 1 {
			t.Errorf("%s: %d views of the file, want one", path, views)
		}
	}
}

// TestPresenceOfManyColumns looks at columns once, not for every row.
func TestPresenceOfManyColumns(t *testing.T) {
	const rows, columns = 300, 500
	all := []Array{{"has", tensor.Of(make([]int64, rows))}, {"y", floats(rows)}}
	for i := range columns {
		all = append(all, Array{"x." + itoa(i), floats(rows)})
	}
	for i := range rows {
		tensor.Values[int64](all[0].Tensor)[i] = 1
	}
	s := mustLack(t, arrays(t, all...), []string{"x=has"}, nil, spec("x", tensor.Float32, columns), spec("y", tensor.Float32))
	if n := testing.AllocsPerRun(3, func() {
		if _, err := s.ReadPresent(t.Context(), 0, rows); err != nil {
			t.Error(err)
		}
	}); n > rows/2 {
		t.Errorf("%v allocations for %d rows", n, rows)
	}
}
