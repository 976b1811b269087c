package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/intershap/intershap/tensor"
)

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

func TestParquetReadsEveryType(t *testing.T) {
	half := func(v float32) tensor.Float16Bits { return tensor.Float16Bits(float16.New(v).Uint16()) }
	f64, f32 := arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32
	for _, tt := range []struct {
		name string
		typ  arrow.DataType
		rows [3]string
		want tensor.Tensor
	}{
		{"float16", arrow.FixedWidthTypes.Float16, [3]string{"1.5", "-2", "0"}, tensor.Of([]tensor.Float16Bits{half(1.5), half(-2), half(0)})},
		{"float32", f32, [3]string{"1.5", "-2", "0.1"}, tensor.Of([]float32{1.5, -2, 0.1})},
		{"float64", f64, [3]string{"1.5", "-2", "0.1"}, tensor.Of([]float64{1.5, -2, 0.1})},
		{"int8", arrow.PrimitiveTypes.Int8, [3]string{"1", "-128", "127"}, tensor.Of([]int8{1, -128, 127})},
		{"int16", arrow.PrimitiveTypes.Int16, [3]string{"1", "-2", "3"}, tensor.Of([]int16{1, -2, 3})},
		{"int32", arrow.PrimitiveTypes.Int32, [3]string{"1", "-2", "3"}, tensor.Of([]int32{1, -2, 3})},
		{"int64", arrow.PrimitiveTypes.Int64, [3]string{"1", "-2", "3"}, tensor.Of([]int64{1, -2, 3})},
		{"uint8", arrow.PrimitiveTypes.Uint8, [3]string{"1", "255", "3"}, tensor.Of([]uint8{1, 255, 3})},
		{"uint16", arrow.PrimitiveTypes.Uint16, [3]string{"1", "65535", "3"}, tensor.Of([]uint16{1, 65535, 3})},
		{"uint32", arrow.PrimitiveTypes.Uint32, [3]string{"1", "4294967295", "3"}, tensor.Of([]uint32{1, 4294967295, 3})},
		{"uint64", arrow.PrimitiveTypes.Uint64, [3]string{"1", "18446744073709551615", "3"}, tensor.Of([]uint64{1, 18446744073709551615, 3})},
		{"bool", arrow.FixedWidthTypes.Boolean, [3]string{"true", "false", "true"}, tensor.Of([]bool{true, false, true})},
		{"string", arrow.BinaryTypes.String, [3]string{`"a"`, `""`, `"é"`}, tensor.Of([]string{"a", "", "é"})},
		{"large string", arrow.BinaryTypes.LargeString, [3]string{`"a"`, `""`, `"é"`}, tensor.Of([]string{"a", "", "é"})},
		{"dictionary", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}, [3]string{`"b"`, `"a"`, `"b"`}, tensor.Of([]string{"b", "a", "b"})},
		{"list", arrow.ListOf(f32), [3]string{"[1,2]", "[3,4]", "[5,6]"}, tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 3, 2)},
		{"large list", arrow.LargeListOf(f64), [3]string{"[1,2]", "[3,4]", "[5,6]"}, tensor.Of([]float64{1, 2, 3, 4, 5, 6}, 3, 2)},
		{"fixed-size list", arrow.FixedSizeListOf(2, f32), [3]string{"[1,2]", "[3,4]", "[5,6]"}, tensor.Of([]float32{1, 2, 3, 4, 5, 6}, 3, 2)},
		{"list of text", arrow.ListOf(arrow.BinaryTypes.String), [3]string{`["a"]`, `["b"]`, `["c"]`}, tensor.Of([]string{"a", "b", "c"}, 3, 1)},
		{"list of lists", arrow.ListOf(arrow.ListOf(f32)), [3]string{"[[1,2],[3,4],[5,6]]", "[[7,8],[9,10],[11,12]]", "[[0,0],[0,0],[0,1]]"},
			tensor.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0, 0, 1}, 3, 3, 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := make([]string, 3)
			for i, v := range tt.rows {
				rows[i] = fmt.Sprintf(`{"x": %s}`, v)
			}
			for _, groupRows := range []int{1, 2, 3} {
				path := writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schemaOf(field("x", tt.typ)), groupRows, rows...)
				f := open(t, path)
				if diff := diffTensors(tt.want, readColumn(t, f, "x", 0, 3)); diff != "" {
					t.Errorf("row groups of %d: (-want +got)\n%s", groupRows, diff)
				}
				if diff := diffTensors(tt.want.Slice(1, 2), readColumn(t, f, "x", 1, 2)); diff != "" {
					t.Errorf("row groups of %d, row 1, after all: (-want +got)\n%s", groupRows, diff)
				}
			}
		})
	}
}

func TestParquetFaults(t *testing.T) {
	f32 := arrow.PrimitiveTypes.Float32
	for _, tt := range []struct {
		name       string
		typ        arrow.DataType
		rows       [3]string
		want, hint string
	}{
		{"a null", f32, [3]string{"1", "2", "null"}, `: row 2: column "x": want a value, got null (missing)`, "impute"},
		{"a null list", arrow.ListOf(f32), [3]string{"[1]", "[2]", "null"}, `: row 2: column "x": want a value, got null (missing)`, "impute"},
		{"a null list in the first row", arrow.ListOf(f32), [3]string{"null", "[2]", "[1]"}, `: row 0: column "x": want a value, got null (missing)`, "impute"},
		{"a null inside a list", arrow.ListOf(f32), [3]string{"[1,2]", "[2,null]", "[3,4]"}, `: row 1: column "x": want a value, got null (missing)`, "impute"},
		{"lists of different length", arrow.ListOf(f32), [3]string{"[1,2]", "[3,4]", "[5]"}, `: row 2: column "x": want a list of 2 elements as in row 0, got 1`, "--pad x=0"},
		{"inner lists of different length", arrow.ListOf(arrow.ListOf(f32)), [3]string{"[[1],[2]]", "[[3],[4,5]]", "[[6],[7]]"}, `: row 1: column "x": want a list of 1 element, got 2`, "pad or cut"},
		{"an empty list", arrow.ListOf(f32), [3]string{"[]", "[]", "[]"}, `: row 0: column "x": want a list of at least one element, got an empty list`, "--pad x=0"},
		{"times", arrow.FixedWidthTypes.Timestamp_s, [3]string{"1", "2", "3"}, `: column "x": want numbers, booleans, text or lists of them, got timestamp[ms, tz=UTC]`, "cast"},
		{"bytes", arrow.BinaryTypes.Binary, [3]string{`"YQ=="`, `"YQ=="`, `"YQ=="`}, `: column "x": want numbers, booleans, text or lists of them, got binary`, "uint8"},
		{"records", arrow.StructOf(field("a", f32)), [3]string{`{"a":1}`, `{"a":1}`, `{"a":1}`}, `: column "x": want numbers, booleans, text or lists of them, got struct<a: float32 nullable>`, "input.field"},
		{"text for a number", arrow.BinaryTypes.String, [3]string{`"a"`, `"b"`, `"c"`}, `: column "x": want float32, got string`, "never converted"},
		{"NaN", arrow.PrimitiveTypes.Float64, [3]string{"1", "2", `"NaN"`}, `: row 2: column "x": want a finite number, got NaN`, "impute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows := make([]string, 3)
			for i, v := range tt.rows {
				rows[i] = fmt.Sprintf(`{"x": %s}`, v)
			}
			path := writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schemaOf(field("x", tt.typ)), 2, rows...)
			f := open(t, path)
			s, err := Bind(t.Context(), f, []tensor.Spec{{Name: "x", DType: tensor.Float32}}, BindOptions{})
			if err == nil {
				err = s.Check(context.Background(), nil)
			}
			wantError(t, err, "dataset: "+path+tt.want, tt.hint)
		})
	}
}

func TestParquetTensorShape(t *testing.T) {
	list := arrow.FixedSizeListOf(6, arrow.PrimitiveTypes.Float32)
	row := `{"x": [1,2,3,4,5,6]}`
	write := func(t *testing.T, data string) File {
		f := field("x", list)
		f.Metadata = arrow.NewMetadata([]string{extensionName, extensionData}, []string{fixedTensor, data})
		return open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schemaOf(f), 2, row, row))
	}
	f := write(t, `{"shape":[2,3],"permutation":[0,1]}`)
	want := tensor.Of([]float32{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, 2, 2, 3)
	if diff := diffTensors(want, readColumn(t, f, "x", 0, 2)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	_, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, 3, 2)}, BindOptions{})
	wantError(t, err, `dataset: `+f.Path()+`: column "x": want [N,3,2] for the model's input "x", got [N,2,3]`, "")

	for _, tt := range []struct{ data, want, hint string }{
		{`{"shape":[2,4]}`, `: row 0: column "x": want 8 elements as its tensor shape says, got 6`, ""},
		{`{"shape":[2,3],"permutation":[1,0]}`, `: column "x": want a row-major tensor, got the permutation [1 0]`, "ascontiguousarray"},
		{`{"shape":[2147483647,2147483647]}`, `: column "x": want a tensor shape of positive lengths, got [2147483647 2147483647]`, ""},
		{`nonsense`, `: column "x": want a tensor shape in the metadata, got "nonsense"`, ""},
	} {
		f := write(t, tt.data)
		_, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, 6)}, BindOptions{})
		wantError(t, err, "dataset: "+f.Path()+tt.want, tt.hint)
	}
}

// countingRows writes rows in which x is the row's number and pair holds it
// and its negative.
func countingRows(t testing.TB, path string, from, n int, groupRows int64) string {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(
		field("x", arrow.PrimitiveTypes.Int64), field("pair", arrow.ListOf(arrow.PrimitiveTypes.Float32))))
	defer b.Release()
	list := b.Field(1).(*array.ListBuilder)
	values := list.ValueBuilder().(*array.Float32Builder)
	for i := from; i < from+n; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		list.Append(true)
		values.AppendValues([]float32{float32(i), float32(-i)}, nil)
	}
	record := b.NewRecordBatch()
	defer record.Release()
	writeRecord(t, path, record, groupRows)
	return path
}

func TestParquetRandomAccess(t *testing.T) {
	const rows = 3 * maxChunkRows
	f := open(t, countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, rows, 2*maxChunkRows+5))
	columns := []int{column(t, f, "x"), column(t, f, "pair")}
	for _, r := range [][2]int{{0, 10}, {10, 30}, {5, 7}, {rows - 3, rows}, {0, rows}, {maxChunkRows - 1, maxChunkRows + 1}, {2 * maxChunkRows, 2*maxChunkRows + 10}, {9, 9}} {
		out, err := f.Read(context.Background(), r[0], r[1], columns)
		check(t, err)
		x, pair := tensor.Values[int64](out[0]), tensor.Values[float32](out[1])
		if len(x) != r[1]-r[0] {
			t.Fatalf("rows %v: got %d rows", r, len(x))
		}
		for i, v := range x {
			if want := r[0] + i; v != int64(want) || pair[2*i] != float32(want) || pair[2*i+1] != float32(-want) {
				t.Fatalf("rows %v: want %d at %d, got %d and %v", r, want, i, v, pair[2*i:2*i+2])
			}
		}
	}
}

func TestParquetConcurrentReads(t *testing.T) {
	const rows = 3000
	concurrently(t, open(t, countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, rows, 700)), rows, 64)
}

// TestParquetFreesArrowMemory counts what the decoder allocates and frees.
func TestParquetFreesArrowMemory(t *testing.T) {
	path := countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, 500, 100)
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	f, err := openParquetWith(context.Background(), path, alloc)
	check(t, err)
	for _, columns := range [][]int{{0, 1}, {1}, {0}} {
		for lo := 0; lo < 500; lo += 90 {
			_, err := f.Read(context.Background(), lo, min(lo+90, 500), columns)
			check(t, err)
		}
	}
	if _, err := f.Read(context.Background(), 499, 501, []int{0}); err == nil {
		t.Error("want rows beyond the end refused")
	}
	check(t, f.Close())
}

func TestParquetFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "parts")
	check(t, os.Mkdir(folder, 0o700))
	// Written out of order, one without rows: names decide.
	countingRows(t, filepath.Join(folder, "c.parquet"), 700, 300, 100)
	countingRows(t, filepath.Join(folder, "a.parquet"), 0, 0, 100)
	countingRows(t, filepath.Join(folder, "b.parquet"), 0, 700, 100)
	check(t, os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("no part"), 0o600))
	f := open(t, folder)
	if f.Len() != 1000 {
		t.Errorf("want 1000 rows, got %d", f.Len())
	}
	concurrently(t, f, 1000, 64)
	got := tensor.Values[float32](readColumn(t, f, "pair", 699, 701))
	if got[0] != 699 || got[2] != 700 {
		t.Errorf("rows 699 and 700 across two files: got %v", got)
	}
	bind(t, f, spec("pair", tensor.Float32, 2), spec("x", tensor.Float32))

	writeParquet(t, filepath.Join(folder, "d.parquet"), schemaOf(field("x", arrow.PrimitiveTypes.Int32), field("pair", arrow.ListOf(arrow.PrimitiveTypes.Float32))), 10, `{"x": 1, "pair": [1, 2]}`)
	_, err := Open(context.Background(), folder)
	wantError(t, err, `dataset: `+filepath.Join(folder, "d.parquet")+`: column "x": want x int64[N] as in the files before it, got x int32[N]`, "same columns")

	writeParquet(t, filepath.Join(folder, "d.parquet"), schemaOf(field("x", arrow.PrimitiveTypes.Int64), field("pair", arrow.ListOf(arrow.PrimitiveTypes.Float32))), 10, `{"x": 1, "pair": [1, 2, 3]}`)
	_, err = Bind(t.Context(), open(t, folder), []tensor.Spec{spec("pair", tensor.Float32, -1)}, BindOptions{})
	wantError(t, err, `dataset: `+filepath.Join(folder, "d.parquet")+`: column "pair": want pair float32[N,2] as in the files before it, got pair float32[N,3]`, "--pad pair=0")

	writeParquet(t, filepath.Join(folder, "d.parquet"), schemaOf(field("x", arrow.PrimitiveTypes.Int64)), 10, `{"x": 1}`)
	_, err = Open(context.Background(), folder)
	wantError(t, err, `dataset: `+filepath.Join(folder, "d.parquet")+`: want 2 columns as in `+filepath.Join(folder, "a.parquet")+`, got 1`, "same columns")

	empty := t.TempDir()
	_, err = Open(context.Background(), empty)
	wantError(t, err, "dataset: "+empty+": want a folder with .parquet files in it, got none", "name the .npz")
}

// TestParquetDamage truncates and flips a file everywhere: an error or the
// data, never a panic.
func TestParquetFolderTakesAllOrNothing(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	folder := t.TempDir()
	writeParquet(t, filepath.Join(folder, "a.parquet"), schema, 1, `{"x": 1}`)
	writeParquet(t, filepath.Join(folder, "B.PARQUET"), schema, 1, `{"x": 2}`)
	check(t, os.MkdirAll(filepath.Join(folder, "empty", "deep"), 0o700))
	if f := open(t, folder); f.Len() != 2 {
		t.Errorf("want the rows of both files whatever the case of their names, got %d", f.Len())
	}
	below := filepath.Join(folder, "empty", "deep", "day=1.Parquet")
	writeParquet(t, below, schema, 1, `{"x": 3}`)
	_, err := Open(t.Context(), folder)
	wantError(t, err, "dataset: "+folder+": want all .parquet files in the folder itself, got "+below, "side by side")
	if _, err := Digest(t.Context(), folder); err == nil {
		t.Error("digest: want the same refusal, got none")
	}
}

func TestParquetDamage(t *testing.T) {
	path := countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, 50, 20)
	good, err := os.ReadFile(path)
	check(t, err)
	refused := 0
	for at := 0; at < len(good); at += 3 {
		damaged := append([]byte(nil), good...)
		damaged[at] ^= 0x55
		check(t, os.WriteFile(path, damaged, 0o600))
		if readEverything(path) != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no damage was seen at all")
	}
	check(t, os.WriteFile(path, good[:len(good)-9], 0o600))
	if readEverything(path) == nil {
		t.Error("a truncated file was read")
	}
}

// readEverything opens, infers, binds and checks a file.
func readEverything(path string) error {
	f, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := Bind(context.Background(), f, InferInputs(f), BindOptions{})
	if err != nil {
		return err
	}
	return s.Check(context.Background(), nil)
}
