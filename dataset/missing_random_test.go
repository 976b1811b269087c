package dataset

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

// randomTable is samples with random gaps, and what must be read of them.
type randomTable struct {
	csv     string
	records []string // the same as JSON
	x       []float32
	note    []string
	present []uint64
}

// newRandomTable makes n rows of modalities x (three numbers), note and age, of
// which the first two miss now and then.
func newRandomTable(rng *rand.Rand, n int) randomTable {
	var tab randomTable
	var csv strings.Builder
	csv.WriteString("x.a,x.b,x.c,note,age\n")
	for r := range n {
		has := uint64(rng.IntN(4)) | 4
		cells, list := make([]string, 3), "null"
		for i := range cells {
			v := float32(0)
			if has&1 != 0 {
				v = float32(rng.IntN(1000)) / 8
				cells[i] = fmt.Sprint(v)
			} else {
				cells[i] = []string{"", "NA", " ", "null"}[rng.IntN(4)]
			}
			tab.x = append(tab.x, v)
		}
		if has&1 != 0 {
			list = "[" + strings.Join(cells, ",") + "]"
		} else if rng.IntN(2) == 0 {
			list = "[null,null,null]"
		}
		note, text := "", "null"
		if has&2 != 0 {
			note = "n" + itoa(r)
			text = quote(note)
		} else if rng.IntN(2) == 0 {
			text = `""`
		}
		tab.note, tab.present = append(tab.note, note), append(tab.present, has)
		fmt.Fprintf(&csv, "%s,%s,%d\n", strings.Join(cells, ","), note, r)
		tab.records = append(tab.records, fmt.Sprintf(`{"x": %s, "note": %s, "age": %d}`, list, text, r))
	}
	tab.csv = csv.String()
	return tab
}

// TestMissingRandom holds random gaps in long files, read in random pieces by
// several readers at once, to the table that they were written from.
func TestMissingRandom(t *testing.T) {
	const seed, n = 11, 1500
	rng := rand.New(rand.NewPCG(seed, seed))
	tab := newRandomTable(rng, n)
	schema := schemaOf(field("x", arrow.ListOf(arrow.PrimitiveTypes.Float64)), field("note", arrow.BinaryTypes.String), field("age", arrow.PrimitiveTypes.Int32))
	folder := t.TempDir()
	parts := filepath.Join(folder, "parts")
	check(t, os.Mkdir(parts, 0o700))
	for lo := 0; lo < n; {
		hi := min(lo+1+rng.IntN(400), n)
		writeParquet(t, filepath.Join(parts, fmt.Sprintf("%04d.parquet", lo)), schema, 90, tab.records[lo:hi]...)
		lo = hi
	}
	for _, f := range []File{
		openCSVText(t, tab.csv), open(t, parts),
		open(t, writeParquet(t, filepath.Join(folder, "data.parquet"), schema, 333, tab.records...)),
	} {
		s := mustLack(t, f, []string{"x", "note"}, nil, spec("x", tensor.Float32, 3), spec("note", tensor.String), spec("age", tensor.Float32))
		var wg sync.WaitGroup
		for reader := range 3 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(reader)))
				for range 12 {
					lo := rng.IntN(n)
					hi := min(lo+1+rng.IntN(300), n)
					rows, err := s.Read(t.Context(), lo, hi)
					if err != nil {
						t.Error(err)
						return
					}
					if diff := diffTensors(tensor.Of(tab.x[3*lo:3*hi], hi-lo, 3), rows.Inputs[0]); diff != "" {
						t.Errorf("%s: rows %d to %d (-want +got)\n%.500s", f.Path(), lo, hi, diff)
					}
					if diff := diffTensors(tensor.Of(tab.note[lo:hi]), rows.Inputs[1]); diff != "" {
						t.Errorf("%s: rows %d to %d (-want +got)\n%.500s", f.Path(), lo, hi, diff)
					}
					p, err := s.Presence(t.Context())
					if err != nil || !slices.Equal(p.Rows, tab.present) || !slices.Equal(rows.Present, tab.present[lo:hi]) {
						t.Errorf("%s: who has what is wrong, error %v", f.Path(), err)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestMissingNestedLists reads nulls at every level of lists of lists.
func TestMissingNestedLists(t *testing.T) {
	schema := schemaOf(field("s", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Int64))), field("t", arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String))))
	rows := []string{
		`{"s": null, "t": [[null, ""], ["", ""]]}`,
		`{"s": [[null, null], null], "t": null}`,
		`{"s": [[1, 2], [3, 4]], "t": [["a", "b"], ["c", "d"]]}`,
		`{"s": [null, [null, null]], "t": [["e", "f"], ["g", "h"]]}`,
	}
	inputs := []tensor.Spec{spec("s", tensor.Int64, 2, 2), spec("t", tensor.String, 2, 2)}
	f := open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schema, 3, rows...))
	s := mustLack(t, f, []string{"s", "t"}, nil, inputs...)
	wantPresent(t, s, []uint64{0, 0, 3, 2})
	got, err := s.Read(t.Context(), 0, 4)
	check(t, err)
	if diff := diffTensors(tensor.Of([]int64{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0}, 4, 2, 2), got.Inputs[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// A list of another length is told in its row, between rows with nulls.
	bad := open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schema, 9, append(rows, `{"s": [[1, 2], [3]], "t": null}`)...))
	_, err = mustLack(t, bad, []string{"s", "t"}, nil, inputs...).Read(t.Context(), 0, 2)
	if err == nil || !strings.Contains(err.Error(), `row 4: column "s": want a list of 2 elements`) {
		t.Errorf("want the list refused, got %v", err)
	}
	// A value that is null in part is refused in its row.
	part := open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schema, 9, append(rows, `{"s": [[1, null], [3, 4]], "t": null}`)...))
	err = mustLack(t, part, []string{"s", "t"}, nil, inputs...).Check(t.Context(), nil)
	wantError(t, err, "dataset: "+part.Path()+`: row 4: column "s": want a value, got none at element 1 (missing)`, "impute")
}

// TestMissingWithPadding fills lists up where samples lack whole inputs.
func TestMissingWithPadding(t *testing.T) {
	schema := schemaOf(field("ids", arrow.ListOf(arrow.PrimitiveTypes.Int64)), field("age", arrow.PrimitiveTypes.Float32))
	f := open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schema, 3,
		`{"ids": null, "age": 1}`, `{"ids": [5], "age": 1}`, `{"ids": [1, 2, 3], "age": 1}`, `{"ids": null, "age": 1}`))
	lone := arrays(t, Array{"ids", tensor.Of([]float64{nan, nan, 5, 6}, 2, 2)}, Array{"age", floats(2)})
	group := openCSVText(t, "ids.0,ids.1,age\n,,1\n5,6,1\n")
	for _, tt := range []struct {
		name string
		file File
		want tensor.Tensor
		has  []uint64
	}{
		{"lists", f, tensor.Of([]int64{0, 0, 0, 5, 9, 9, 1, 2, 3, 0, 0, 0}, 4, 3), []uint64{2, 3, 3, 2}},
		{"an array shorter than the axis", lone, tensor.Of([]int64{0, 0, 0, 5, 6, 9}, 2, 3), []uint64{2, 3}},
		{"columns fewer than the axis", group, tensor.Of([]int64{0, 0, 0, 5, 6, 9}, 2, 3), []uint64{2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			specs := []string{"ids"}
			s, err := Bind(t.Context(), tt.file, []tensor.Spec{spec("ids", tensor.Int64, 3), spec("age", tensor.Float32)},
				BindOptions{Attributes: MissingColumns(specs), Pad: []Padding{{Input: "ids", Value: "9"}}})
			check(t, err)
			all, err := ParseModalities(nil, nil, s.Inputs(), [][]string{s.Features(0), nil}, MaxUnnamed)
			check(t, err)
			missing, err := ParseMissing(specs, all, tt.file.Columns())
			check(t, err)
			check(t, s.MayLack(all, missing))
			wantPresent(t, s, tt.has)
			rows, err := s.Read(t.Context(), 0, s.Len())
			check(t, err)
			if diff := diffTensors(tt.want, rows.Inputs[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMissingOverChunks has gaps in samples of which reading takes several chunks.
func TestMissingOverChunks(t *testing.T) {
	const n = 2*maxChunkRows + 5
	x, want := make([]float64, n), slices.Repeat([]uint64{3}, n)
	for _, r := range []int{maxChunkRows + 7, 2 * maxChunkRows, n - 1} {
		x[r], want[r] = nan, 2
	}
	inputs := []tensor.Spec{spec("x", tensor.Float32), spec("y", tensor.Float32)}
	for way, find := range map[string]func(s *Samples) error{
		"Presence": func(s *Samples) error { return nil },
		"Check":    func(s *Samples) error { return s.Check(t.Context(), nil) },
	} {
		s := mustLack(t, arrays(t, Array{"x", tensor.Of(x)}, Array{"y", floats(n)}), []string{"x"}, nil, inputs...)
		check(t, find(s))
		p, err := s.Presence(t.Context())
		check(t, err)
		if !slices.Equal(p.Rows, want) || !slices.Equal(p.First, []int{maxChunkRows + 7, -1}) {
			t.Errorf("%s: who has what is wrong; first %v", way, p.First)
		}
	}
}

// TestAnyValue looks for values in every type.
func TestAnyValue(t *testing.T) {
	n32 := float32(nan)
	for name, tt := range map[string]struct {
		c    cells
		want []bool // of each element
	}{
		"float64":           {cells{Tensor: tensor.Of([]float64{nan, -1, 0, math.Inf(-1)})}, []bool{false, true, true, true}},
		"float32":           {cells{Tensor: tensor.Of([]float32{n32, -1, 0, float32(math.Inf(1))})}, []bool{false, true, true, true}},
		"float16":           {cells{Tensor: tensor.Of([]tensor.Float16Bits{0x7e00, 0xbc00, 0x8000, 0xfc00, 0xfc01, 0x7c01})}, []bool{false, true, true, true, false, false}},
		"text":              {cells{Tensor: tensor.Of([]string{"", " ", "NA"})}, []bool{false, false, true}},
		"int8":              {cells{Tensor: tensor.Of([]int8{0, 1, 0}), gaps: []bool{true, false, false}}, []bool{false, true, true}},
		"bool":              {cells{Tensor: tensor.Of([]bool{false, true})}, []bool{true, true}},
		"float64 with gaps": {cells{Tensor: tensor.Of([]float64{0, 0, nan}), gaps: []bool{true, false, false}}, []bool{false, true, false}},
		"text with gaps":    {cells{Tensor: tensor.Of([]string{"x", "x"}), gaps: []bool{true, false}}, []bool{false, true}},
	} {
		for lo := range tt.want {
			for hi := lo; hi <= len(tt.want); hi++ {
				if got, want := tt.c.anyValue(lo, hi), slices.Contains(tt.want[lo:hi], true); got != want {
					t.Errorf("%s, elements %d to %d: want %v, got %v", name, lo, hi, want, got)
				}
			}
		}
	}
}

// TestSparseBehindOthers writes rows with nulls behind rows that were there before.
func TestSparseBehindOthers(t *testing.T) {
	lists := arrow.ListOf(arrow.PrimitiveTypes.Int64)
	arr, _, err := array.FromJSON(memory.DefaultAllocator, lists, strings.NewReader(`[[1, null], null, [3]]`))
	check(t, err)
	defer arr.Release()
	out := tensor.Of([]int64{7, 7, 7, 7, 7, 7, 7, 7}, 4, 2)
	s := sparse{out: out, gaps: make([]bool, 8)}
	err = s.fill(1, arr, []int{2})
	fault, ok := asParquetFault(err)
	if !ok || fault.row != 3 || fault.found != "1" {
		t.Errorf("want the short list in row 3 refused, got %v", err)
	}
	if diff := diffTensors(tensor.Of([]int64{7, 7, 1, 0, 0, 0, 7, 7}, 4, 2), out); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]bool{false, false, false, true, true, true, false, false}, s.gaps); diff != "" {
		t.Errorf("gaps (-want +got)\n%s", diff)
	}
}

// FuzzMissing feeds files and specs to all that deals with missing modalities: rows
// or an error, and what a sample lacks is zero.
func FuzzMissing(f *testing.F) {
	f.Add([]byte("a.x,a.y,b,a_available\n1,,3,1\n,,4,0\n"), "a")
	f.Add([]byte("a.x,a.y,b,h\n1,2,3,true\nNA,,,false\n"), "b=h")
	f.Fuzz(func(t *testing.T, data []byte, spec string) {
		path := filepath.Join(t.TempDir(), "fuzz.csv")
		check(t, os.WriteFile(path, data, 0o600))
		file, err := Open(context.Background(), path)
		if err != nil {
			return
		}
		defer file.Close()
		inputs := []tensor.Spec{{Name: "a", DType: tensor.Float32, Shape: []int{-1, -1}}, {Name: "b", DType: tensor.String, Shape: []int{-1}}}
		s, err := Bind(context.Background(), file, inputs, BindOptions{Attributes: MissingColumns([]string{spec, "b"})})
		if err != nil {
			return
		}
		all, err := ParseModalities(nil, nil, s.Inputs(), [][]string{s.Features(0), nil}, MaxUnnamed)
		check(t, err)
		missing, err := ParseMissing([]string{spec}, all, file.Columns())
		if err != nil {
			return
		}
		check(t, s.MayLack(all, missing))
		rows, err := s.Read(context.Background(), 0, s.Len())
		if err != nil {
			return
		}
		for r, has := range rows.Present {
			for _, v := range tensor.Values[float32](rows.Inputs[0].Slice(r, r+1)) {
				if v != v || (has&1 == 0 && v != 0) {
					t.Errorf("row %d has %b and the value %v", r, has, v)
				}
			}
			if raw, err := s.ReadRaw(context.Background(), r); err == nil && has == 3 {
				if diff := diffTensors(rows.Inputs[0].Slice(r, r+1), raw[0]); diff != "" {
					t.Errorf("row %d lacks nothing: (-want +got)\n%s", r, diff)
				}
			}
		}
	})
}

// BenchmarkMissing reads wide rows of which a third lacks half, beside the same
// rows without a word of it.
func BenchmarkMissing(b *testing.B) {
	const n, width = 4096, 512
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(field("x", arrow.ListOf(arrow.PrimitiveTypes.Float32)), field("y", arrow.PrimitiveTypes.Float32)))
	defer builder.Release()
	list := builder.Field(0).(*array.ListBuilder)
	for r := range n {
		builder.Field(1).(*array.Float32Builder).Append(float32(r))
		list.Append(true)
		for i := range width {
			list.ValueBuilder().(*array.Float32Builder).Append(float32(r + i))
		}
	}
	full := builder.NewRecordBatch()
	defer full.Release()
	for r := range n {
		builder.Field(1).(*array.Float32Builder).Append(float32(r))
		if r%3 == 0 {
			list.AppendNull()
			continue
		}
		list.Append(true)
		for i := range width {
			list.ValueBuilder().(*array.Float32Builder).Append(float32(r + i))
		}
	}
	sparse := builder.NewRecordBatch()
	defer sparse.Release()
	inputs := []tensor.Spec{spec("x", tensor.Float32, width), spec("y", tensor.Float32)}
	for _, bb := range []struct {
		name   string
		record arrow.RecordBatch
		specs  []string
	}{{"complete", full, nil}, {"complete/missing=x", full, []string{"x"}}, {"third/missing=x", sparse, []string{"x"}}} {
		b.Run(bb.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "data.parquet")
			writeRecord(b, path, bb.record, 1024)
			f := open(b, path)
			s := mustLack(b, f, bb.specs, nil, inputs...)
			b.SetBytes(4 * n * (width + 1))
			b.ReportAllocs()
			for b.Loop() {
				for lo := 0; lo < n; lo += 1024 {
					if _, err := s.Read(context.Background(), lo, lo+1024); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
