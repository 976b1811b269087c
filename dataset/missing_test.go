package dataset

import (
	"archive/zip"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

var nan = math.NaN()

// lacking binds a file of which samples may lack modalities: specs as of --missing,
// modalities as of --modality.
func lacking(t testing.TB, f File, specs, modalities []string, inputs ...tensor.Spec) (*Samples, error) {
	t.Helper()
	s, err := Bind(t.Context(), f, inputs, BindOptions{Attributes: MissingColumns(specs)})
	if err != nil {
		return nil, err
	}
	features := make([][]string, len(inputs))
	for i := range inputs {
		features[i] = s.Features(i)
	}
	all, err := ParseModalities(modalities, nil, s.Inputs(), features, MaxUnnamed)
	check(t, err)
	missing, err := ParseMissing(specs, all, f.Columns())
	if err != nil {
		return nil, err
	}
	return s, s.MayLack(all, missing)
}

func mustLack(t testing.TB, f File, specs, modalities []string, inputs ...tensor.Spec) *Samples {
	t.Helper()
	s, err := lacking(t, f, specs, modalities, inputs...)
	check(t, err)
	return s
}

// wantPresent checks Present by every way to it: Read, ReadPresent, Presence before
// and after a Check.
func wantPresent(t *testing.T, s *Samples, want []uint64) {
	t.Helper()
	ctx := t.Context()
	p, err := s.Presence(ctx)
	check(t, err)
	first := make([]int, len(s.modalities))
	for i := range first {
		first[i] = slices.IndexFunc(want, func(has uint64) bool { return has&(1<<i) == 0 })
	}
	if diff := cmp.Diff(&Presence{Rows: want, First: first}, p); diff != "" {
		t.Errorf("Presence: (-want +got)\n%s", diff)
	}
	s.presence.keep(nil)
	check(t, s.Check(ctx, nil))
	if s.presence.found == nil {
		t.Error("want Check to keep the presence")
	}
	if p, err = s.Presence(ctx); err != nil || !slices.Equal(p.Rows, want) || !slices.Equal(p.First, first) {
		t.Errorf("Presence after Check: want %v, got %v, error %v", want, p, err)
	}
	for lo := range want {
		for _, hi := range []int{lo, lo + 1, len(want)} {
			rows, err := s.Read(ctx, lo, hi)
			check(t, err)
			alone, err := s.ReadPresent(ctx, lo, hi)
			check(t, err)
			if !slices.Equal(rows.Present, want[lo:hi]) || !slices.Equal(alone, want[lo:hi]) {
				t.Errorf("rows %d to %d: want %v, got %v by Read, %v by ReadPresent", lo, hi, want[lo:hi], rows.Present, alone)
			}
		}
	}
}

// TestMissingInEveryFormat reads the same six samples from every format: two lack
// rna, one of them and another lack the note.
func TestMissingInEveryFormat(t *testing.T) {
	folder := t.TempDir()
	f32, i64 := arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Int64
	listSchema := schemaOf(field("rna", arrow.ListOf(f32)), field("count", i64), field("note", arrow.BinaryTypes.String), field("age", f32))
	lists := []string{
		`{"rna": [1, 2, 3], "count": 7, "note": "a", "age": 50}`,
		`{"rna": null, "count": null, "note": "b", "age": 51}`,
		`{"rna": [4, 5, 6], "count": 8, "note": "", "age": 52}`,
		`{"rna": [7, 8, 9], "count": 9, "note": "c", "age": 53}`,
		`{"rna": [null, null, null], "count": null, "note": null, "age": 54}`,
		`{"rna": [10, 11, 12], "count": -1, "note": "d", "age": 55}`,
	}
	parts := filepath.Join(folder, "parts")
	check(t, os.Mkdir(parts, 0o700))
	for i, rows := range [][]string{lists[:1], lists[1:2], lists[2:5], lists[5:]} { // the second has nulls alone
		writeParquet(t, filepath.Join(parts, itoa(i)+".parquet"), listSchema, 2, rows...)
	}
	nullFirst := filepath.Join(folder, "nulls-first")
	check(t, os.Mkdir(nullFirst, 0o700))
	writeParquet(t, filepath.Join(nullFirst, "0.parquet"), listSchema, 2, lists[1])
	writeParquet(t, filepath.Join(nullFirst, "1.parquet"), listSchema, 2, lists[4], lists[0])
	scalars := schemaOf(field("rna.a", f32), field("rna.b", f32), field("rna.c", f32), field("count", i64), field("note", arrow.BinaryTypes.String), field("age", f32))
	text := make([]byte, 0)
	for _, word := range "ab\x00c\x00d" {
		text = append(text, littleEndian(word)...)
	}
	want := []float32{1, 2, 3, 0, 0, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0, 10, 11, 12}
	counts, notes := []int64{7, 0, 8, 9, 0, -1}, []string{"a", "b", "", "c", "", "d"}
	n32 := float32(nan)
	for _, tt := range []struct {
		name string
		file File
		rows []int // of the six samples
	}{
		{"CSV", openCSVText(t, "rna.a,rna.b,rna.c,count,note,age\n1,2,3,7,a,50\n,NA,nan,NA,b,51\n4,5,6,8,,52\n7,8,9,9,c,53\n,\" \",null,,,54\n10,11,12,-1,d,55\n"), nil},
		{"Parquet lists", open(t, writeParquet(t, filepath.Join(folder, "lists.parquet"), listSchema, 2, lists...)), nil},
		{"Parquet columns", open(t, writeParquet(t, filepath.Join(folder, "columns.parquet"), scalars, 4,
			`{"rna.a": 1, "rna.b": 2, "rna.c": 3, "count": 7, "note": "a", "age": 50}`,
			`{"count": null, "note": "b", "age": 51}`,
			`{"rna.a": 4, "rna.b": 5, "rna.c": 6, "count": 8, "note": "", "age": 52}`,
			`{"rna.a": 7, "rna.b": 8, "rna.c": 9, "count": 9, "note": "c", "age": 53}`,
			`{"rna.a": null, "age": 54}`,
			`{"rna.a": 10, "rna.b": 11, "rna.c": 12, "count": -1, "note": "d", "age": 55}`)), nil},
		{"a folder", open(t, parts), nil},
		{"a folder that begins with nulls", open(t, nullFirst), []int{1, 4, 0}},
		{"NPZ", open(t, writeNPZ(t, zip.Deflate,
			member{"rna.npy", npyFloats("(6,3)", []float32{1, 2, 3, n32, n32, n32, 4, 5, 6, 7, 8, 9, n32, n32, n32, 10, 11, 12})},
			member{"count.npy", npy("'<f8'", "False", "(6,)", littleEndian([]float64{7, nan, 8, 9, nan, -1}))},
			member{"note.npy", npy("'<U1'", "False", "(6,)", text)},
			member{"age.npy", npyFloats("(6,)", []float32{50, 51, 52, 53, 54, 55})})), nil},
		{"memory", arrays(t,
			Array{"rna", tensor.Of([]tensor.Float16Bits{0x3c00, 0x4000, 0x4200, 0x7e00, 0xfe00, 0x7c01, 0x4400, 0x4500, 0x4600, 0x4700, 0x4800, 0x4880, 0x7e00, 0x7e00, 0xffff, 0x4900, 0x4980, 0x4a00}, 6, 3)},
			Array{"count", tensor.Of([]float64{7, nan, 8, 9, nan, -1})},
			Array{"note", tensor.Of(notes)},
			Array{"age", floats(6)}), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rows == nil {
				tt.rows = []int{0, 1, 2, 3, 4, 5}
			}
			// Modalities: rna of two inputs, note, age.
			s := mustLack(t, tt.file, []string{"rna", "note"}, []string{"rna=rna,count"},
				spec("rna", tensor.Float32, 3), spec("count", tensor.Int64), spec("note", tensor.String), spec("age", tensor.Float32))
			var present []uint64
			var wantRNA []float32
			var wantCounts []int64
			var wantNotes []string
			for _, r := range tt.rows {
				present = append(present, []uint64{7, 6, 5, 7, 4, 7}[r])
				wantRNA = append(wantRNA, want[3*r:3*r+3]...)
				wantCounts, wantNotes = append(wantCounts, counts[r]), append(wantNotes, notes[r])
			}
			wantPresent(t, s, present)
			rows, err := s.Read(t.Context(), 0, s.Len())
			check(t, err)
			gathered, err := s.Gather(t.Context(), numbers(s.Len()))
			check(t, err)
			for _, got := range []Rows{rows, gathered} {
				for i, want := range []tensor.Tensor{tensor.Of(wantRNA, len(tt.rows), 3), tensor.Of(wantCounts), tensor.Of(wantNotes)} {
					if diff := diffTensors(want, got.Inputs[i]); diff != "" {
						t.Errorf("%s (-want +got)\n%s", s.Inputs()[i].Name, diff)
					}
				}
				if !slices.Equal(got.Present, present) {
					t.Errorf("want present %v, got %v", present, got.Present)
				}
			}
			// Row 1 of the six, as it is: NaN among floats, 0 among integers.
			raw, err := s.ReadRaw(t.Context(), slices.Index(tt.rows, 1))
			check(t, err)
			for _, v := range tensor.Values[float32](raw[0]) {
				if v == v {
					t.Errorf("ReadRaw: want NaN, got %v", raw[0].Format(0))
				}
			}
			if got := tensor.Values[int64](raw[1])[0]; got != 0 || tensor.Values[string](raw[2])[0] != "b" {
				t.Errorf("ReadRaw: want count 0 and note b, got %d and %s", got, raw[2].Format(0))
			}
			// A row that has all is the same by both.
			have := slices.Index(tt.rows, 0)
			raw, err = s.ReadRaw(t.Context(), have)
			check(t, err)
			for i, x := range raw {
				if diff := diffTensors(rows.Inputs[i].Slice(have, have+1), x); diff != "" {
					t.Errorf("ReadRaw, %s: (-want +got)\n%s", s.Inputs()[i].Name, diff)
				}
			}
		})
	}
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestAvailabilityColumns reads who has rna from a column of every type, whatever
// the values of rna say.
func TestAvailabilityColumns(t *testing.T) {
	half := tensor.Of([]tensor.Float16Bits{0x3c00, 0, 0x3c00, 0x8000})
	for name, column := range map[string]tensor.Tensor{
		"int64": tensor.Of([]int64{1, 0, 1, 0}), "uint8": tensor.Of([]uint8{1, 0, 1, 0}), "bool": tensor.Of([]bool{true, false, true, false}),
		"float64": tensor.Of([]float64{1, 0, 1, math.Copysign(0, -1)}), "float16": half, "one element a row": tensor.Of([]int64{1, 0, 1, 0}, 4, 1),
		"text": tensor.Of([]string{"1", "0", "True", " false "}), "words": tensor.Of([]string{"TRUE", "FALSE", "1", "0"}),
	} {
		t.Run(name, func(t *testing.T) {
			rna := tensor.Of([]float64{1, 2, 3, nan, 5, 6, -1, math.Inf(1)}, 4, 2)
			f := arrays(t, Array{"rna", rna}, Array{"age", floats(4)}, Array{"rna_available", column})
			inputs := []tensor.Spec{spec("rna", tensor.Float32, 2), spec("age", tensor.Float32)}
			s := mustLack(t, f, []string{"rna"}, nil, inputs...)
			wantPresent(t, s, []uint64{3, 2, 3, 2})
			rows, err := s.Read(t.Context(), 0, 4)
			check(t, err)
			if diff := diffTensors(tensor.Of([]float32{1, 2, 0, 0, 5, 6, 0, 0}, 4, 2), rows.Inputs[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := tensor.Values[float64](rna)[2]; got != 3 {
				t.Errorf("the file's own memory was changed: want 3, got %v", got)
			}
			raw, err := s.ReadRaw(t.Context(), 3)
			check(t, err)
			if diff := diffTensors(tensor.Of([]float32{-1, float32(math.Inf(1))}, 1, 2), raw[0]); diff != "" {
				t.Errorf("ReadRaw: (-want +got)\n%s", diff)
			}
			if warnings := s.Warnings(); len(warnings) > 0 {
				t.Errorf("want no warnings, got %v", warnings)
			}
		})
	}
}

// TestAvailabilityOfAnInput has a column that says who has rna and is an input of
// the model as well, inside the modality, fixed beside it, or a modality itself.
func TestAvailabilityOfAnInput(t *testing.T) {
	f := openCSVText(t, "flag,rna.a,rna.b,age\n1,1,2,30\n0,,,31\n0,9,9,32\n")
	inputs := []tensor.Spec{spec("rna", tensor.Float32, 2), spec("flag", tensor.Float32), spec("age", tensor.Float32)}
	for _, tt := range []struct {
		name       string
		modalities []string
		present    []uint64
	}{
		{"inside the modality", []string{"rna=rna,flag"}, []uint64{3, 2, 2}},
		{"a modality itself", nil, []uint64{7, 6, 6}},
	} {
		s := mustLack(t, f, []string{"rna=flag"}, tt.modalities, inputs...)
		wantPresent(t, s, tt.present)
		rows, err := s.Read(t.Context(), 0, 3)
		check(t, err)
		if diff := diffTensors(tensor.Of([]float32{1, 2, 0, 0, 0, 0}, 3, 2), rows.Inputs[0]); diff != "" {
			t.Errorf("%s: rna (-want +got)\n%s", tt.name, diff)
		}
		if diff := diffTensors(tensor.Of([]float32{1, 0, 0}), rows.Inputs[1]); diff != "" {
			t.Errorf("%s: flag (-want +got)\n%s", tt.name, diff)
		}
		if diff := diffTensors(tensor.Of([]int64{1, 0, 0}), rows.Attributes[0]); diff != "" {
			t.Errorf("%s: attribute (-want +got)\n%s", tt.name, diff)
		}
		raw, err := s.ReadRaw(t.Context(), 2)
		check(t, err)
		if diff := diffTensors(tensor.Of([]float32{9, 9}, 1, 2), raw[0]); diff != "" {
			t.Errorf("%s: ReadRaw (-want +got)\n%s", tt.name, diff)
		}
	}
	// A flag of another name leaves a modality with values where it is the only one.
	_, err := mustLack(t, openCSVText(t, "flag,rna.a,rna.b,age\n1,1,2,30\n0,,,31\n"), []string{"rna"}, []string{"rna=rna,flag"}, inputs...).Read(t.Context(), 0, 2)
	if err == nil || !strings.Contains(err.Error(), `:3: column "rna.a": want a value, got none (missing)`) {
		t.Errorf("want the missing cell refused, got %v", err)
	}
}

// TestMissingSlices divides one input and two inputs among modalities.
func TestMissingSlices(t *testing.T) {
	f := arrays(t,
		Array{"x", tensor.Of([]float64{nan, nan, 3, 4, 5, nan, nan, nan, nan, nan, 6, 7}, 3, 4)},
		Array{"y", tensor.Of([]string{"", "b", ""}, 3, 1)})
	x, y := spec("x", tensor.Float32, 4), spec("y", tensor.String, 1)
	s := mustLack(t, f, []string{"a", "b"}, []string{"a=x[0:2],y", "b=x[2:3]", "c=x[3:]"}, x, y)
	// Row 1 has 5 and NaN in a, its text "b" there; it is refused as incomplete.
	_, err := s.Read(t.Context(), 1, 2)
	wantError(t, err, `dataset: memory: row 1: column "x": want a finite number, got NaN at element 1`, "impute")
	if err != nil && strings.Contains(hintOf(err), "--missing") {
		t.Errorf("a modality that is there in part: want no word of --missing, got %q", hintOf(err))
	}
	for row, want := range map[int][]float32{0: {0, 0, 3, 4}, 2: {0, 0, 6, 7}} {
		rows, err := s.Read(t.Context(), row, row+1)
		check(t, err)
		if !slices.Equal(rows.Present, []uint64{6}) {
			t.Errorf("row %d: want a to be missing, got %b", row, rows.Present)
		}
		if diff := diffTensors(tensor.Of(want, 1, 4), rows.Inputs[0]); diff != "" {
			t.Errorf("row %d: (-want +got)\n%s", row, diff)
		}
	}
	// A slice that may not be missing, behind one that is.
	f = arrays(t, Array{"x", tensor.Of([]float64{nan, nan, nan, 4}, 1, 4)}, Array{"y", tensor.Of([]string{""}, 1, 1)})
	s = mustLack(t, f, []string{"a"}, []string{"a=x[0:2]", "b=x[2:3]", "c=x[3:]", "d=y"}, x, y)
	_, err = s.Read(t.Context(), 0, 1)
	wantError(t, err, `dataset: memory: row 0: column "x": want a finite number, got NaN at element 2`, "--missing b")
}

func hintOf(err error) string {
	var fault *Error
	if errors.As(err, &fault) {
		return fault.Hint
	}
	return ""
}

// TestMissingAxes takes a modality of an input with two axes, sliced on the first.
func TestMissingAxes(t *testing.T) {
	series := tensor.New(tensor.Float32, 2, 3, 2)
	values := tensor.Values[float32](series)
	for i := range values {
		values[i] = float32(i)
	}
	values[8], values[9], values[10], values[11] = float32(nan), float32(nan), float32(nan), float32(nan)
	s := mustLack(t, arrays(t, Array{"series", series}), []string{"late"}, []string{"early=series[:1]", "late=series[1:]"}, spec("series", tensor.Float32, -1, 2))
	rows, err := s.Read(t.Context(), 0, 2)
	check(t, err)
	if diff := diffTensors(tensor.Of([]float32{0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0}, 2, 3, 2), rows.Inputs[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	wantPresent(t, s, []uint64{3, 1})
}

// TestNobodyHas reads a modality that is nowhere, and samples that lack everything.
func TestNobodyHas(t *testing.T) {
	rna, age := spec("rna", tensor.Float32, 2), spec("age", tensor.Float32)
	lists := schemaOf(field("rna.a", arrow.PrimitiveTypes.Float32), field("rna.b", arrow.PrimitiveTypes.Int32), field("age", arrow.PrimitiveTypes.Float32))
	for name, f := range map[string]File{
		"CSV":     openCSVText(t, "rna.a,rna.b,age\n,NA,3\n,,\n"),
		"memory":  arrays(t, Array{"rna", tensor.Of([]float32{float32(nan), float32(nan), float32(nan), float32(nan)}, 2, 2)}, Array{"age", tensor.Of([]float64{3, nan})}),
		"Parquet": open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), lists, 5, `{"age": 3}`, `{}`)),
	} {
		t.Run(name, func(t *testing.T) {
			s := mustLack(t, f, []string{"rna", "age"}, nil, rna, age)
			wantPresent(t, s, []uint64{2, 0})
			rows, err := s.Read(t.Context(), 0, 2)
			check(t, err)
			if diff := diffTensors(tensor.New(tensor.Float32, 2, 2), rows.Inputs[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := diffTensors(tensor.Of([]float32{3, 0}), rows.Inputs[1]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMissingWords holds that a word for "no value" is one among numbers, and a word
// among words.
func TestMissingWords(t *testing.T) {
	f := openCSVText(t, "gene,age\nNA,1\nBRCA1,NA\n,2\n")
	s := mustLack(t, f, []string{"gene", "age"}, nil, spec("gene", tensor.String), spec("age", tensor.Int64))
	wantPresent(t, s, []uint64{3, 1, 2})
	rows, err := s.Read(t.Context(), 0, 3)
	check(t, err)
	if diff := diffTensors(tensor.Of([]string{"NA", "BRCA1", ""}), rows.Inputs[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := diffTensors(tensor.Of([]int64{1, 0, 2}), rows.Inputs[1]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestMissingGroups divides a modality into groups, which come and go together.
func TestMissingGroups(t *testing.T) {
	f := arrays(t, Array{"rna", tensor.Of([]float64{1, 2, nan, nan}, 2, 2)}, Array{"age", floats(2)})
	s := bind(t, f, spec("rna", tensor.Float32, 2), spec("age", tensor.Float32))
	players := []Modality{
		{Name: "rna/a", Of: "rna", Parts: []Part{{0, 0, 1}}}, {Name: "age", Parts: []Part{{1, 0, 1}}}, {Name: "rna/b", Of: "rna", Parts: []Part{{0, 1, 2}}},
	}
	missing, err := ParseMissing([]string{"rna"}, players, f.Columns())
	check(t, err)
	if diff := cmp.Diff([]Availability{{Modality: 0}, {Modality: 2}}, missing); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	check(t, s.MayLack(players, missing))
	wantPresent(t, s, []uint64{7, 2})
	_, err = ParseMissing([]string{"rna/b=x"}, players, []Column{{Name: "x"}})
	wantError(t, err, `dataset: missing "rna/b=x": names a group; samples have or lack a modality whole`, "--missing rna=x")

	// Half a modality is not missing, though it is a group.
	half := bind(t, arrays(t, Array{"rna", tensor.Of([]float64{1, nan}, 1, 2)}, Array{"age", floats(1)}), s.Inputs()...)
	check(t, half.MayLack(players, missing))
	_, err = half.Read(t.Context(), 0, 1)
	wantError(t, err, `dataset: memory: row 0: column "rna": want a finite number, got NaN at element 1`, "impute")
}

// TestReadRawKeeps reads what a sample lacks as the file has it, in every type, and
// refuses what cannot be.
func TestReadRawKeeps(t *testing.T) {
	has := Array{"a_available", tensor.Of([]int64{0, 0, 1})}
	inf := math.Inf(-1)
	for _, tt := range []struct {
		name   string
		column tensor.Tensor
		to     tensor.DType
		want   tensor.Tensor
	}{
		{"float64 to float32", tensor.Of([]float64{nan, 2.5, inf, 1, 1, 1}, 3, 2), tensor.Float32, tensor.Of([]float32{float32(nan), 2.5}, 1, 2)},
		{"infinity to float16", tensor.Of([]float64{inf, 1, 0, 0, 1, 1}, 3, 2), tensor.Float16, tensor.Of([]tensor.Float16Bits{0xfc00, 0x3c00}, 1, 2)},
		{"NaN to integers", tensor.Of([]float64{nan, -7, 0, 0, 1, 1}, 3, 2), tensor.Int32, tensor.Of([]int32{0, -7}, 1, 2)},
		{"text", tensor.Of([]string{"", "x", "", "", "a", "b"}, 3, 2), tensor.String, tensor.Of([]string{"", "x"}, 1, 2)},
		{"a flag", tensor.Of([]bool{true, false, false, false, true, true}, 3, 2), tensor.Float32, tensor.Of([]float32{1, 0}, 1, 2)},
	} {
		s := mustLack(t, arrays(t, Array{"a", tt.column}, Array{"b", floats(3)}, has), []string{"a"}, nil, spec("a", tt.to, 2), spec("b", tensor.Float32))
		got, err := s.ReadRaw(t.Context(), 0)
		check(t, err)
		if got[0].Format(0) != tt.want.Format(0) || got[0].Format(1) != tt.want.Format(1) || got[0].DType() != tt.to || !slices.Equal(got[0].Shape(), []int{1, 2}) {
			t.Errorf("%s: want %s, %s, got %s, %s as %s%v", tt.name, tt.want.Format(0), tt.want.Format(1), got[0].Format(0), got[0].Format(1), got[0].DType(), got[0].Shape())
		}
		rows, err := s.Read(t.Context(), 0, 3)
		check(t, err)
		if diff := diffTensors(tensor.New(tt.to, 2, 2), rows.Inputs[0].Slice(0, 2)); diff != "" {
			t.Errorf("%s: Read: want zeros (-want +got)\n%s", tt.name, diff)
		}
	}
	s := mustLack(t, arrays(t, Array{"a", tensor.Of([]float64{2.5, 1, 1})}, Array{"b", floats(3)}, has), []string{"a"}, nil, spec("a", tensor.Int64), spec("b", tensor.Float32))
	_, err := s.ReadRaw(t.Context(), 0)
	wantError(t, err, `dataset: memory: row 0: column "a": want int64, got 2.5: it is not a whole number`, "")
	if _, err := s.ReadRaw(t.Context(), 3); err == nil {
		t.Error("a row beyond the last: want an error")
	}
}
