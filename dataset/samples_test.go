package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

func TestSamplesRefuseWhatTheModelCannotTake(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		name       string
		values     tensor.Tensor
		to         tensor.DType
		want, hint string
	}{
		{"NaN", tensor.Of([]float64{0, 1, nan}), tensor.Float32, `row 2: column "x": want a finite number, got NaN`, "impute"},
		{"infinity inside a row", tensor.Of([]float64{0, 1, 2, inf}, 2, 2), tensor.Float64, `row 1: column "x": want a finite number, got +Inf at element 1`, "impute"},
		{"half NaN", tensor.Of([]tensor.Float16Bits{0, 0x7e00}), tensor.Float16, `row 1: column "x": want a finite number, got NaN`, "impute"},
		{"a fraction for an integer", tensor.Of([]float64{1, 2.5}), tensor.Int64, `row 1: column "x": want int64, got 2.5: it is not a whole number`, ""},
		{"too large for uint8", tensor.Of([]int64{1, 300}), tensor.Uint8, `row 1: column "x": want uint8, got 300: it is out of range`, ""},
		{"no bool", tensor.Of([]int64{1, 2}), tensor.Bool, `row 1: column "x": want bool, got 2: want 0 or 1`, ""},
		{"above float16", tensor.Of([]float32{1, 70000}), tensor.Float16, `row 1: column "x": want float16, got 70000: it is out of range`, ""},
		{"NUL in text", tensor.Of([]string{"a", "b", "c\x00d"}), tensor.String, `row 2: column "x": want text without the character NUL, got "c\x00d"`, "take the NUL"},
		{"NUL inside a row, of a long text", tensor.Of([]string{"a", "b", "c", "\x00" + strings.Repeat("é", 60)}, 2, 2), tensor.String,
			`row 1: column "x": want text without the character NUL, got "\x00` + strings.Repeat("é", maxShown-1) + `..." at element 1`, "take the NUL"},
	} {
		s := bind(t, arrays(t, Array{"x", tt.values}), tensor.Spec{Name: "x", DType: tt.to})
		err := s.Check(context.Background(), nil)
		t.Run(tt.name, func(t *testing.T) { wantError(t, err, "dataset: memory: "+tt.want, tt.hint) })
		_, err = s.Gather(context.Background(), []int{1, 0, s.Len() - 1})
		t.Run(tt.name+", gathered", func(t *testing.T) { wantError(t, err, "dataset: memory: "+tt.want, tt.hint) })
	}
}

// TestSamplesRefuseIDs checks that ids miss no values, as the inputs do not.
func TestSamplesRefuseIDs(t *testing.T) {
	for _, tt := range []struct {
		name       string
		ids        tensor.Tensor
		want, hint string
	}{
		{"NaN", tensor.Of([]float64{1, math.NaN()}), `row 1: column "id": want a finite number, got NaN`, "impute"},
		{"infinity", tensor.Of([]float32{float32(math.Inf(-1)), 1}), `row 0: column "id": want a finite number, got -Inf`, "impute"},
		{"NUL", tensor.Of([]string{"a", "b\x00"}), `row 1: column "id": want text without the character NUL, got "b\x00"`, "take the NUL"},
	} {
		s := bind(t, arrays(t, Array{"x", floats(2)}, Array{"id", tt.ids}), spec("x", tensor.Float32))
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, s.Check(context.Background(), nil), "dataset: memory: "+tt.want, tt.hint)
		})
	}
}

func TestSamplesCheckReportsProgress(t *testing.T) {
	s := bind(t, arrays(t, Array{"x", floats(2*maxChunkRows + 1)}), spec("x", tensor.Float32))
	var done []int
	check(t, s.Check(context.Background(), func(n, total int) {
		if total != s.Len() {
			t.Errorf("want a total of %d, got %d", s.Len(), total)
		}
		done = append(done, n)
	}))
	if diff := cmp.Diff([]int{maxChunkRows, 2 * maxChunkRows, 2*maxChunkRows + 1}, done); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSamplesEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, path := range []string{
		writeFile(t, "data.csv", []byte(manyRows(10))),
		filepath.Join("testdata", "types_deflated.npz"),
		countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, 10, 10),
	} {
		f := open(t, path)
		s, err := Bind(t.Context(), f, InferInputs(f)[:1], BindOptions{})
		check(t, err)
		if err := s.Check(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: want context.Canceled, got %v", path, err)
		}
	}
	if _, err := Open(ctx, writeFile(t, "data.csv", []byte(manyRows(10)))); !errors.Is(err, context.Canceled) {
		t.Errorf("the scan of a CSV file: want context.Canceled, got %v", err)
	}
}

// TestGather takes rows out of order, twice and far apart, from every format.
func TestGather(t *testing.T) {
	const rows = 3000
	parquetPath := countingRows(t, filepath.Join(t.TempDir(), "data.parquet"), 0, rows, 700)
	numbers := make([]int64, rows)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	for _, f := range []File{
		openCSVText(t, manyRows(rows)),
		open(t, parquetPath),
		open(t, writeNPZ(t, 8, member{"x.npy", npy("'<i8'", "False", fmt.Sprintf("(%d,)", rows), littleEndian(numbers))})),
		arrays(t, Array{"x", tensor.Of(numbers)}),
	} {
		s := bind(t, f, spec("x", tensor.Float32, 1))
		wanted := []int{2999, 0, 5, 5, 6, 1500, 4, 22, 2998}
		got, err := s.Gather(context.Background(), wanted)
		check(t, err)
		var want []float32
		var ids []int64
		for _, row := range wanted {
			want, ids = append(want, float32(row)), append(ids, int64(row))
		}
		if diff := diffTensors(tensor.Of(want, len(want), 1), got.Inputs[0]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", f.Path(), diff)
		}
		if diff := diffTensors(tensor.Of(ids), got.IDs); diff != "" {
			t.Errorf("%s: ids (-want +got)\n%s", f.Path(), diff)
		}
		if none, err := s.Gather(context.Background(), nil); err != nil || none.Inputs[0].Rows() != 0 {
			t.Errorf("%s: no rows: got %d rows, error %v", f.Path(), none.Inputs[0].Rows(), err)
		}
		for _, beyond := range [][]int{{0, rows}, {-1, 3}} {
			if _, err := s.Gather(context.Background(), beyond); err == nil {
				t.Errorf("%s: rows %v: want an error", f.Path(), beyond)
			}
		}
	}
}

// inputsUnread is a file that fails when anything but a column of labels is read.
type inputsUnread struct {
	File
	t *testing.T
}

func (f inputsUnread) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	for _, c := range columns {
		if name := f.Columns()[c].Name; name != labelColumn {
			f.t.Errorf("want the labels alone read, got column %q", name)
		}
	}
	return f.File.Read(ctx, lo, hi, columns)
}

// TestReadLabels holds the labels alone to those of Read, for every type and
// range, with an input that ReadLabels must not touch.
func TestReadLabels(t *testing.T) {
	ctx := context.Background()
	x := Array{"x", floats(3, 2)}
	for _, tt := range []struct {
		name   string
		labels tensor.Tensor
	}{
		{"integers of another width", tensor.Of([]int8{2, 0, 1})},
		{"text", tensor.Of([]string{"no", "yes", "no"})},
		{"whole floats", tensor.Of([]float32{2, 0, 1})},
		{"a column of one", tensor.Of([]bool{true, false, true}, 3, 1)},
	} {
		s := bind(t, arrays(t, x, Array{"id", tensor.Of([]string{"a", "b", "c"})}, Array{labelColumn, tt.labels}), spec("x", tensor.Float32, 2))
		for lo := range 4 {
			for hi := lo; hi <= 3; hi++ {
				want, err := s.Read(ctx, lo, hi)
				check(t, err)
				alone := *s
				alone.view = inputsUnread{s.view, t}
				got, err := alone.ReadLabels(ctx, lo, hi)
				check(t, err)
				if diff := diffTensors(want.Labels, got); diff != "" {
					t.Errorf("%s, rows %d to %d: (-want +got)\n%s", tt.name, lo, hi, diff)
				}
			}
		}
	}
	none, err := bind(t, arrays(t, x), spec("x", tensor.Float32, 2)).ReadLabels(ctx, 0, 3)
	if err != nil || none.DType() != 0 {
		t.Errorf("no labels: want the zero Tensor, got type %v, error %v", none.DType(), err)
	}
}

// TestReadLabelsFaults holds that what Read refuses in labels, ReadLabels does.
func TestReadLabelsFaults(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	memory := arrays(t, Array{"x", floats(3)}, Array{labelColumn, tensor.Of([]uint64{0, 1, math.MaxUint64})})
	for _, tt := range []struct {
		name   string
		file   File
		ctx    context.Context
		lo, hi int
		want   string
	}{
		{"too large a class", memory, context.Background(), 1, 3, `dataset: memory: row 2: column "label": want int64, got 18446744073709551615: it is out of range`},
		{"beyond the last row", memory, context.Background(), 2, 4, "want 3 rows, got a request for rows 2 to 4"},
		{"an ended context", memory, ended, 0, 1, context.Canceled.Error()},
	} {
		s := bind(t, tt.file, spec("x", tensor.Float32))
		_, err := s.ReadLabels(tt.ctx, tt.lo, tt.hi)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
			continue
		}
		if _, byRead := s.Read(tt.ctx, tt.lo, tt.hi); byRead == nil || errors.Is(byRead, context.Canceled) != errors.Is(err, context.Canceled) {
			t.Errorf("%s: want Read to fail alike, got %v", tt.name, byRead)
		}
	}
}

func TestDigest(t *testing.T) {
	folder := t.TempDir()
	check(t, os.WriteFile(filepath.Join(folder, "b.parquet"), []byte("abc"), 0o600))
	got, err := Digest(context.Background(), filepath.Join(folder, "b.parquet"))
	check(t, err)
	// The test vector of FIPS 180-2 for "abc".
	if want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	one, err := Digest(context.Background(), folder)
	check(t, err)
	check(t, os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("no part"), 0o600))
	same, err := Digest(context.Background(), folder)
	check(t, err)
	check(t, os.Rename(filepath.Join(folder, "b.parquet"), filepath.Join(folder, "a.parquet")))
	renamed, err := Digest(context.Background(), folder)
	check(t, err)
	if one != same {
		t.Error("a file that is no part changes the digest")
	}
	if one == renamed || one == got {
		t.Error("the digest of a folder must depend on the names of its parts")
	}
	if _, err := Digest(context.Background(), filepath.Join(folder, "none")); err == nil {
		t.Error("want an error for a path that is not there")
	}
}
