package dataset

import (
	"archive/zip"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap/tensor"
)

func TestParsePad(t *testing.T) {
	got, err := ParsePad([]string{"input_ids=0", " mask = 1", "words=a=b", "none="})
	check(t, err)
	want := []Padding{{Input: "input_ids", Value: "0"}, {Input: "mask", Value: " 1"}, {Input: "words", Value: "a=b"}, {Input: "none"}}
	if !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
	for _, tt := range []struct {
		specs      []string
		want, hint string
	}{
		{[]string{"x"}, `dataset: padding "x": want INPUT=VALUE`, "input_ids=0"},
		{[]string{"=0"}, `dataset: padding "=0": want INPUT=VALUE`, "input_ids=0"},
		{[]string{""}, `dataset: padding "": want INPUT=VALUE`, "input_ids=0"},
		{[]string{"x=0", "x=1"}, `dataset: padding "x=1": the input is padded twice`, "leave out"},
	} {
		_, err := ParsePad(tt.specs)
		wantError(t, err, tt.want, tt.hint)
	}
}

// raggedFile writes one column x of a type and opens the file.
func raggedFile(t testing.TB, typ arrow.DataType, groupRows int, values ...string) File {
	t.Helper()
	rows := make([]string, len(values))
	for i, v := range values {
		rows[i] = fmt.Sprintf(`{"x": %s}`, v)
	}
	return open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schemaOf(field("x", typ)), groupRows, rows...))
}

// TestPad fills lists up by hand.
func TestPad(t *testing.T) {
	f32, i64 := arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Int64
	anyShape := tensor.Spec{Name: "x"}
	for _, tt := range []struct {
		name string
		typ  arrow.DataType
		rows [4]string
		spec tensor.Spec
		pad  Padding
		want tensor.Tensor
	}{
		{"to the longest", arrow.ListOf(i64), [4]string{"[1,2]", "[3]", "[]", "[4,5,6]"}, spec("x", tensor.Int64, -1), Padding{Value: "0"},
			tensor.Of([]int64{1, 2, 0, 3, 0, 0, 0, 0, 0, 4, 5, 6}, 4, 3)},
		{"whatever the model takes", arrow.ListOf(i64), [4]string{"[1,2]", "[3]", "[]", "[4,5,6]"}, anyShape, Padding{Value: "-1"},
			tensor.Of([]int64{1, 2, -1, 3, -1, -1, -1, -1, -1, 4, 5, 6}, 4, 3)},
		{"to a length", arrow.ListOf(i64), [4]string{"[1,2]", "[3]", "[]", "[4,5,6]"}, spec("x", tensor.Int64, -1), Padding{Value: "9", Length: 4},
			tensor.Of([]int64{1, 2, 9, 9, 3, 9, 9, 9, 9, 9, 9, 9, 4, 5, 6, 9}, 4, 4)},
		{"to a length that is less than the longest", arrow.ListOf(i64), [4]string{"[1]", "[3]", "[]", "[4,5]"}, spec("x", tensor.Int64, -1), Padding{Value: "9", Length: 1},
			tensor.Of([]int64{1, 9, 3, 9, 9, 9, 4, 5}, 4, 2)},
		{"to the model's length", arrow.ListOf(i64), [4]string{"[]", "[1,2]", "[3]", "[4,5,6]"}, spec("x", tensor.Int64, 4), Padding{Value: "0", Length: 9},
			tensor.Of([]int64{0, 0, 0, 0, 1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 6, 0}, 4, 4)},
		{"lists of one length to the model's", arrow.ListOf(i64), [4]string{"[1]", "[2]", "[3]", "[4]"}, spec("x", tensor.Int64, 2), Padding{Value: "7"},
			tensor.Of([]int64{1, 7, 2, 7, 3, 7, 4, 7}, 4, 2)},
		{"into another type", arrow.ListOf(arrow.PrimitiveTypes.Uint8), [4]string{"[1,2]", "[3]", "[]", "[4]"}, spec("x", tensor.Float32, -1), Padding{Value: "255"},
			tensor.Of([]float32{1, 2, 3, 255, 255, 255, 4, 255}, 4, 2)},
		{"fractions", arrow.LargeListOf(f32), [4]string{"[1.5]", "[]", "[2,3]", "[4]"}, spec("x", tensor.Float32, -1), Padding{Value: "-0.25"},
			tensor.Of([]float32{1.5, -0.25, -0.25, -0.25, 2, 3, 4, -0.25}, 4, 2)},
		{"truth values", arrow.ListOf(arrow.FixedWidthTypes.Boolean), [4]string{"[true]", "[]", "[false,true]", "[true]"}, spec("x", tensor.Bool, -1), Padding{Value: "true"},
			tensor.Of([]bool{true, true, true, true, false, true, true, true}, 4, 2)},
		{"text", arrow.ListOf(arrow.BinaryTypes.String), [4]string{`["a","b"]`, `["c"]`, `[]`, `["d"]`}, spec("x", tensor.String, -1), Padding{Value: "[PAD]"},
			tensor.Of([]string{"a", "b", "c", "[PAD]", "[PAD]", "[PAD]", "d", "[PAD]"}, 4, 2)},
		{"a series of vectors", arrow.ListOf(arrow.ListOf(f32)), [4]string{"[[1,2]]", "[]", "[[3,4],[5,6],[7,8]]", "[[9,10],[11,12]]"}, spec("x", tensor.Float32, -1, 2), Padding{Value: "0"},
			tensor.Of([]float32{1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0}, 4, 3, 2)},
		{"a series of vectors of fixed size, first row empty", arrow.ListOf(arrow.FixedSizeListOf(2, f32)), [4]string{"[]", "[[1,2]]", "[[3,4],[5,6]]", "[]"}, spec("x", tensor.Float32, 3, 2), Padding{Value: "-1"},
			tensor.Of([]float32{-1, -1, -1, -1, -1, -1, 1, 2, -1, -1, -1, -1, 3, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1}, 4, 3, 2)},
		{"a series of matrices", arrow.ListOf(arrow.ListOf(arrow.ListOf(i64))), [4]string{"[[[1],[2]]]", "[]", "[[[3],[4]],[[5],[6]]]", "[]"}, spec("x", tensor.Int64, -1, 2, 1), Padding{Value: "0"},
			tensor.Of([]int64{1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0}, 4, 2, 2, 1)},
		{"all empty", arrow.ListOf(i64), [4]string{"[]", "[]", "[]", "[]"}, spec("x", tensor.Int64, 1), Padding{Value: "0"},
			tensor.Of([]int64{0, 0, 0, 0}, 4, 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.pad.Input = "x"
			for _, groupRows := range []int{1, 2, 3, 4} {
				f := raggedFile(t, tt.typ, groupRows, tt.rows[:]...)
				s, err := Bind(t.Context(), f, []tensor.Spec{tt.spec}, BindOptions{Pad: []Padding{tt.pad}})
				check(t, err)
				check(t, s.Check(t.Context(), nil))
				if shape := append([]int{-1}, tt.want.Shape()[1:]...); !slices.Equal(s.Inputs()[0].Shape, shape) {
					t.Errorf("want the shape %v, got %v", shape, s.Inputs()[0].Shape)
				}
				rows, err := s.Read(t.Context(), 0, 4)
				check(t, err)
				if diff := diffTensors(tt.want, rows.Inputs[0]); diff != "" {
					t.Errorf("row groups of %d: (-want +got)\n%s", groupRows, diff)
				}
				rows, err = s.Gather(t.Context(), []int{2, 1})
				check(t, err)
				if diff := diffTensors(tensor.Concat(tt.want.Slice(2, 3), tt.want.Slice(1, 2)), rows.Inputs[0]); diff != "" {
					t.Errorf("row groups of %d, gathered: (-want +got)\n%s", groupRows, diff)
				}
			}
		})
	}
}

func TestPadFaults(t *testing.T) {
	i64, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	ints := []string{"[1,2]", "[3]", "[]", "[4,5,6]"}
	const place = `dataset: %s: column "x": `
	for _, tt := range []struct {
		name       string
		typ        arrow.DataType
		rows       []string
		spec       tensor.Spec
		pad        []string
		want, hint string
	}{
		{"lists of different length that nobody pads", arrow.ListOf(i64), ints, spec("x", tensor.Int64, 2), nil,
			`dataset: %s: row 1: column "x": want a list of 2 elements as in row 0, got 1`, "fill short lists up: --pad x=0"},
		{"lists shorter than the model's axis that nobody pads", arrow.ListOf(i64), ints, spec("x", tensor.Int64, 4), nil,
			place + `want [N,4] for the model's input "x", got [N,2]`, "fill short lists up: --pad x=0"},
		{"an empty first list that nobody pads", arrow.ListOf(i64), []string{"[]", "[1]"}, spec("x", tensor.Int64, 1), nil,
			`dataset: %s: row 0: column "x": want a list of at least one element, got an empty list`, "fill short lists up: --pad x=0"},
		{"texts that nobody pads", arrow.ListOf(text), []string{`["a"]`, `["a","b"]`}, spec("x", tensor.String, -1), nil,
			`dataset: %s: row 1: column "x": want a list of 1 element as in row 0, got 2`, "fill short lists up with a text: --pad x=TEXT"},
		{"a list longer than the model's axis", arrow.ListOf(i64), ints, spec("x", tensor.Int64, 2), []string{"x=0"},
			`dataset: %s: row 3: column "x": want a list of at most 2 elements, got 3`, "cut the lists"},
		{"inner lists of different length", arrow.ListOf(arrow.ListOf(i64)), []string{"[]", "[[1,2]]", "[[3,4],[5]]"}, spec("x", tensor.Int64, -1, 2), []string{"x=0"},
			`dataset: %s: row 2: column "x": want a list of 2 elements, got 1`, "pad or cut"},
		{"an empty inner list", arrow.ListOf(arrow.ListOf(i64)), []string{"[]", "[[],[1]]"}, spec("x", tensor.Int64, -1, 1), []string{"x=0"},
			`dataset: %s: row 1: column "x": want a list of at least one element, got an empty list`, "pad or cut"},
		{"a null list", arrow.ListOf(i64), []string{"[1]", "[]", "null", "[1,2]"}, spec("x", tensor.Int64, -1), []string{"x=0"},
			`dataset: %s: row 2: column "x": want a value, got null (missing)`, "impute"},
		{"a null in a list", arrow.ListOf(i64), []string{"[1]", "[]", "[]", "[1,null]"}, spec("x", tensor.Int64, -1), []string{"x=0"},
			`dataset: %s: row 3: column "x": want a value, got null (missing)`, "impute"},
		{"NaN in a list", arrow.ListOf(arrow.PrimitiveTypes.Float64), []string{"[1]", `[2,"NaN"]`}, spec("x", tensor.Float64, -1), []string{"x=0"},
			`dataset: %s: row 1: column "x": want a finite number, got NaN at element 1`, "impute"},
		{"empty lists only", arrow.ListOf(i64), []string{"[]", "[]"}, spec("x", tensor.Int64, -1), []string{"x=0"},
			place + `want a list with at least one element, got empty lists only`, "leave rows"},
		{"empty series only", arrow.ListOf(arrow.ListOf(i64)), []string{"[]", "[]"}, spec("x", tensor.Int64, 3, 2), []string{"x=0"},
			place + `want a list with at least one element, got empty lists only`, "leave rows"},
		{"another rank", arrow.ListOf(i64), ints, spec("x", tensor.Int64, 3, 1), []string{"x=0"},
			place + `want [N,3,1] for the model's input "x", got [N,3]`, ""},
		{"an input that is not there", arrow.ListOf(i64), ints, spec("x", tensor.Int64, -1), []string{"y=0"},
			`dataset: padding "y=0": the model has no input "y"`, "the model has x"},
		{"text for numbers", arrow.ListOf(i64), ints, spec("x", tensor.Int64, -1), []string{"x=PAD"},
			place + `want a finite number, got "PAD" in --pad x=PAD`, "x=0"},
		{"no text for numbers", arrow.ListOf(i64), ints, spec("x", tensor.Int64, -1), []string{"x="},
			place + `want a finite number, got "" in --pad x=`, "x=0"},
		{"NaN for numbers", arrow.ListOf(arrow.PrimitiveTypes.Float32), ints, spec("x", tensor.Float32, -1), []string{"x=nan"},
			place + `want a finite number, got "nan" in --pad x=nan`, "x=0"},
		{"infinity for numbers", arrow.ListOf(arrow.PrimitiveTypes.Float32), ints, spec("x", tensor.Float32, -1), []string{"x=1e999"},
			place + `want a finite number, got "1e999" in --pad x=1e999`, "x=0"},
		{"a fraction for integers", arrow.ListOf(i64), ints, spec("x", tensor.Int64, -1), []string{"x=0.5"},
			place + `want int64, got 0.5 in --pad x=0.5`, "can hold"},
		{"a number that the file's type has not", arrow.ListOf(arrow.PrimitiveTypes.Uint8), ints, spec("x", tensor.Int64, -1), []string{"x=-1"},
			place + `want uint8, got -1 in --pad x=-1`, "can hold"},
		{"a number that the model's type has not", arrow.ListOf(i64), ints, spec("x", tensor.Uint8, -1), []string{"x=-1"},
			place + `want uint8, got -1 in --pad x=-1`, "can hold"},
		{"NUL in a text", arrow.ListOf(text), []string{`["a"]`}, spec("x", tensor.String, -1), []string{"x=a\x00b"},
			place + `want text without the character NUL, got "a\x00b" in --pad 'x=` + "a\x00b'", "another text"},
		{"text lists for numbers", arrow.ListOf(text), []string{`["a"]`}, spec("x", tensor.Int64, -1), []string{"x=0"},
			place + `want int64, got string`, "never converted"},
		{"one value a row", i64, []string{"1", "2"}, spec("x", tensor.Int64, 2), []string{"x=0"},
			place + `want [N,2] for the model's input "x", got [N]`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := raggedFile(t, tt.typ, 2, tt.rows...)
			pads, err := ParsePad(tt.pad)
			check(t, err)
			s, err := Bind(t.Context(), f, []tensor.Spec{tt.spec}, BindOptions{Pad: pads})
			if err == nil {
				err = s.Check(t.Context(), nil)
			}
			want := tt.want
			if strings.Contains(want, "%s") {
				want = fmt.Sprintf(want, f.Path())
			}
			wantError(t, err, want, tt.hint)
		})
	}
	f := raggedFile(t, arrow.ListOf(i64), 2, ints...)
	_, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Int64, -1)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0"}, {Input: "x", Value: "0"}}})
	wantError(t, err, `dataset: padding "x=0": the input is padded twice`, "leave out")
	_, err = Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Int64, -1)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0", Length: 1<<30 + 1}}})
	wantError(t, err, `dataset: `+f.Path()+`: column "x": want at most 1073741824 elements a row, got [N,1073741825] after padding`, "cut")
}

// TestPadRowsOfOneLength fills up what is not ragged but shorter than the model's
// axis, in every format.
func TestPadRowsOfOneLength(t *testing.T) {
	want := tensor.Of([]float32{1, 2, 0.5, 0.5, 3, 4, 0.5, 0.5}, 2, 4)
	files := map[string]File{
		"memory": arrays(t, Array{"x", tensor.Of([]float32{1, 2, 3, 4}, 2, 2)}),
		"npz":    open(t, writeNPZ(t, zip.Deflate, member{"x.npy", npyFloats("(2,2)", []float32{1, 2, 3, 4})})),
		"csv":    open(t, writeFile(t, "data.csv", []byte("x.a,x.b\n1,2\n3,4\n"))),
		"parquet": open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"),
			schemaOf(field("x", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64))), 1, `{"x": [1,2]}`, `{"x": [3,4]}`)),
		"parquet columns": open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"),
			schemaOf(field("x.a", arrow.PrimitiveTypes.Float64), field("x.b", arrow.PrimitiveTypes.Int8)), 1, `{"x.a": 1, "x.b": 2}`, `{"x.a": 3, "x.b": 4}`)),
	}
	for name, f := range files {
		for _, tt := range []struct {
			spec   tensor.Spec
			length int
		}{{spec("x", tensor.Float32, 4), 0}, {spec("x", tensor.Float32, -1), 4}} {
			s, err := Bind(t.Context(), f, []tensor.Spec{tt.spec}, BindOptions{Pad: []Padding{{Input: "x", Value: "0.5", Length: tt.length}}})
			check(t, err)
			rows, err := s.Read(t.Context(), 0, 2)
			check(t, err)
			if diff := diffTensors(want, rows.Inputs[0]); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", name, diff)
			}
			if want := []string{"x.a", "x.b", "x.(pad 0)", "x.(pad 1)"}; s.Features(0) != nil && !slices.Equal(want, s.Features(0)) {
				t.Errorf("%s: want the features %v, got %v", name, want, s.Features(0))
			}
			check(t, s.Check(t.Context(), nil))
		}
		s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, -1)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0"}}})
		check(t, err)
		if shape := s.Inputs()[0].Shape; !slices.Equal(shape, []int{-1, 2}) {
			t.Errorf("%s: nothing to fill up, got the shape %v", name, shape)
		}
		_, err = Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, 1)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0"}}})
		if err == nil && name != "parquet" { // whose lists are found too long as they are read
			t.Errorf("%s: rows longer than the model's axis are bound", name)
		}
		_, err = Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Int64, 4)}, BindOptions{Pad: []Padding{{Input: "x", Value: "0.5"}}})
		if err == nil || !strings.Contains(err.Error(), "want int64, got 0.5 in --pad x=0.5") {
			t.Errorf("%s: want the value refused, got %v", name, err)
		}
	}
}

// TestPadFolder reads parts with another longest list each, one of them with empty
// lists only and one without rows.
func TestPadFolder(t *testing.T) {
	folder := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 1))
	var rows [][]int64
	for i, most := range []int{0, 3, 7, 5} {
		part := raggedRows(rng, 30, most)
		writeRagged(t, filepath.Join(folder, fmt.Sprintf("%d.parquet", i)), part, 11)
		rows = append(rows, part...)
		if i == 1 {
			writeRagged(t, filepath.Join(folder, "1a.parquet"), nil, 11)
		}
	}
	longest := 0
	for _, row := range rows {
		longest = max(longest, len(row))
	}
	f := open(t, folder)
	s := bindRagged(t, f, -1)
	check(t, s.Check(t.Context(), nil))
	for _, r := range [][2]int{{0, len(rows)}, {20, 70}, {59, 61}, {5, 6}} {
		got, err := s.Read(t.Context(), r[0], r[1])
		check(t, err)
		if problem := raggedProblem(got, rows, rowsBetween(r[0], r[1]), longest); problem != "" {
			t.Errorf("rows %v: %s", r, problem)
		}
	}
	if _, err := Bind(t.Context(), f, []tensor.Spec{spec("length", tensor.Int64)}, BindOptions{}); err != nil {
		t.Errorf("lists that nobody needs: %v", err)
	}
	_, err := Bind(t.Context(), f, []tensor.Spec{spec("ids", tensor.Int64, -1)}, BindOptions{})
	wantError(t, err, `dataset: `+filepath.Join(folder, "0.parquet")+`: row 0: column "ids": want a list of at least one element, got an empty list`, "--pad ids=0")
	if s, err = Bind(t.Context(), f, []tensor.Spec{spec("ids", tensor.Int64, longest-1)}, BindOptions{Pad: []Padding{{Input: "ids", Value: "0"}}}); err == nil {
		err = s.Check(t.Context(), nil)
	}
	if err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "2.parquet")+": row ") || !strings.Contains(err.Error(), "want a list of at most "+itoa(longest-1)+" elements, got "+itoa(longest)) {
		t.Errorf("want the longest list refused in its own part, got %v", err)
	}
}

// TestPadFolderOfLists tells lists of other lengths, which can be padded, from
// columns that no padding makes the same.
func TestPadFolderOfLists(t *testing.T) {
	folder := t.TempDir()
	vectors := arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int64))
	second := filepath.Join(folder, "b.parquet")
	writeParquet(t, filepath.Join(folder, "a.parquet"), schemaOf(field("x", vectors)), 1, `{"x": [[1,2]]}`)
	writeParquet(t, second, schemaOf(field("x", vectors)), 1, `{"x": [[1,2],[3,4]]}`)
	any := tensor.Spec{Name: "x"}
	_, err := Bind(t.Context(), open(t, folder), []tensor.Spec{any}, BindOptions{})
	wantError(t, err, `dataset: `+second+`: column "x": want x int64[N,1,2] as in the files before it, got x int64[N,2,2]`, "--pad x=0")
	pad := BindOptions{Pad: []Padding{{Input: "x", Value: "0"}}}
	s, err := Bind(t.Context(), open(t, folder), []tensor.Spec{any}, pad)
	check(t, err)
	rows, err := s.Read(t.Context(), 0, 2)
	check(t, err)
	if diff := diffTensors(tensor.Of([]int64{1, 2, 0, 0, 1, 2, 3, 4}, 2, 2, 2), rows.Inputs[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	writeParquet(t, second, schemaOf(field("x", vectors)), 1, `{"x": [[1,2,3]]}`)
	f := open(t, folder)
	_, err = Bind(t.Context(), f, []tensor.Spec{any}, BindOptions{})
	wantError(t, err, `dataset: `+second+`: column "x": want x int64[N,1,2] as in the files before it, got x int64[N,1,3]`, "same columns")
	if s, err = Bind(t.Context(), f, []tensor.Spec{any}, pad); err == nil {
		err = s.Check(t.Context(), nil)
	}
	wantError(t, err, `dataset: `+second+`: row 0: column "x": want a list of 2 elements, got 3`, "pad or cut")
}

// TestPadTogether makes data and background equally long.
func TestPadTogether(t *testing.T) {
	i64 := arrow.ListOf(arrow.PrimitiveTypes.Int64)
	data := raggedFile(t, i64, 2, "[1]", "[]", "[1,2]")
	background := raggedFile(t, i64, 2, "[1,2,3]", "[4]")
	csv := open(t, writeFile(t, "data.csv", []byte("x.a,x.b,x.c,x.d\n1,2,3,4\n")))
	array := arrays(t, Array{"x", tensor.New(tensor.Int64, 2, 5)})
	scalar := arrays(t, Array{"x", tensor.New(tensor.Int64, 2)})
	other := arrays(t, Array{"y", tensor.New(tensor.Int64, 2, 9)})
	for _, tt := range []struct {
		name  string
		spec  tensor.Spec
		files []File
		want  int
	}{
		{"the data is longer", spec("x", tensor.Int64, -1), []File{background, data}, 3},
		{"the background is longer", spec("x", tensor.Int64, -1), []File{data, background}, 3},
		{"columns", spec("x", tensor.Int64, -1), []File{data, csv}, 4},
		{"an array", tensor.Spec{Name: "x"}, []File{csv, array, data}, 5},
		{"one value a row", spec("x", tensor.Int64, -1), []File{scalar, data}, 2},
		{"a file without the input", spec("x", tensor.Int64, -1), []File{data, other}, 2},
		{"the model states the length", spec("x", tensor.Int64, 8), []File{data, background}, 0},
		{"an input that the model has not", spec("y", tensor.Int64, -1), []File{data, background}, 0},
	} {
		given := []Padding{{Input: "x", Value: "0"}}
		pads, err := PadTogether(t.Context(), given, []tensor.Spec{tt.spec}, tt.files...)
		check(t, err)
		if pads[0].Length != tt.want || given[0].Length != 0 {
			t.Errorf("%s: want the length %d, got %d (given: %d)", tt.name, tt.want, pads[0].Length, given[0].Length)
		}
	}
	inputs := []tensor.Spec{spec("x", tensor.Int64, -1)}
	pads, err := PadTogether(t.Context(), []Padding{{Input: "x", Value: "0"}}, inputs, data, background)
	check(t, err)
	s, err := Bind(t.Context(), data, inputs, BindOptions{Pad: pads})
	check(t, err)
	b, err := Bind(t.Context(), background, s.Inputs(), BindOptions{Pad: pads})
	check(t, err)
	if !slices.Equal(s.Inputs()[0].Shape, b.Inputs()[0].Shape) {
		t.Errorf("data %v and background %v differ", s.Inputs()[0], b.Inputs()[0])
	}
	broken := raggedFile(t, arrow.ListOf(i64), 1, "[[]]")
	_, err = PadTogether(t.Context(), []Padding{{Input: "x", Value: "0"}}, inputs, broken)
	wantError(t, err, `dataset: `+broken.Path()+`: row 0: column "x": want a list of at least one element, got an empty list`, "pad or cut")
}

// TestPadWhatIsMissing pads the lists of modalities that samples may lack: a null list
// is a sample without it, and has zeros.
func TestPadWhatIsMissing(t *testing.T) {
	i64 := arrow.PrimitiveTypes.Int64
	list := schemaOf(field("x", arrow.ListOf(i64)), field("y", i64))
	inputs := []tensor.Spec{spec("x", tensor.Int64, -1), spec("y", tensor.Int64)}
	folder := t.TempDir()
	writeParquet(t, filepath.Join(folder, "a.parquet"), list, 2, `{"x": null, "y": 1}`, `{"x": [4], "y": 2}`, `{"x": null, "y": 3}`)
	writeParquet(t, filepath.Join(folder, "b.parquet"), list, 2, `{"x": [5,6,7], "y": 4}`, `{"x": [], "y": 5}`)
	one := filepath.Join(t.TempDir(), "data.parquet")
	writeParquet(t, one, list, 2, `{"x": null, "y": 1}`, `{"x": [4], "y": 2}`, `{"x": null, "y": 3}`, `{"x": [5,6,7], "y": 4}`, `{"x": [], "y": 5}`)
	for _, path := range []string{one, folder} {
		f := open(t, path)
		s, err := Bind(t.Context(), f, inputs, BindOptions{Pad: []Padding{{Input: "x", Value: "9"}}, Attributes: MissingColumns([]string{"x"})})
		check(t, err)
		modalities, err := ParseModalities(nil, nil, s.Inputs(), [][]string{nil, nil}, MaxUnnamed)
		check(t, err)
		missing, err := ParseMissing([]string{"x"}, modalities, f.Columns())
		check(t, err)
		check(t, s.MayLack(modalities, missing))
		check(t, s.Check(t.Context(), nil))
		rows, err := s.Read(t.Context(), 0, 5)
		check(t, err)
		if diff := diffTensors(tensor.Of([]int64{0, 0, 0, 4, 9, 9, 0, 0, 0, 5, 6, 7, 9, 9, 9}, 5, 3), rows.Inputs[0]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", path, diff)
		}
		if want := []uint64{2, 3, 2, 3, 3}; !slices.Equal(want, rows.Present) {
			t.Errorf("%s: want presence %v, got %v", path, want, rows.Present)
		}
	}

	// Columns and arrays that are filled up, too.
	files := map[string]File{
		"csv":   open(t, writeFile(t, "data.csv", []byte("x.a,x.b,y\n1.5,2,1\n,,2\n"))),
		"array": arrays(t, Array{"x", tensor.Of([]float64{1.5, 2, nan, nan}, 2, 2)}, Array{"y", tensor.Of([]int64{1, 2})}),
	}
	for name, f := range files {
		inputs := []tensor.Spec{spec("x", tensor.Float32, 3), spec("y", tensor.Int64)}
		s, err := Bind(t.Context(), f, inputs, BindOptions{Pad: []Padding{{Input: "x", Value: "9"}}, Attributes: MissingColumns([]string{"x"})})
		check(t, err)
		modalities, err := ParseModalities(nil, nil, s.Inputs(), [][]string{s.Features(0), nil}, MaxUnnamed)
		check(t, err)
		missing, err := ParseMissing([]string{"x"}, modalities, f.Columns())
		check(t, err)
		check(t, s.MayLack(modalities, missing))
		rows, err := s.Read(t.Context(), 0, 2)
		check(t, err)
		if diff := diffTensors(tensor.Of([]float32{1.5, 2, 9, 0, 0, 0}, 2, 3), rows.Inputs[0]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if want := []uint64{3, 2}; !slices.Equal(want, rows.Present) {
			t.Errorf("%s: want presence %v, got %v", name, want, rows.Present)
		}
	}
}
