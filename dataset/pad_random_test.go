package dataset

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/intershap/intershap/tensor"
)

// raggedRows draws rows of at most longest values, some of them empty.
func raggedRows(rng *rand.Rand, n, longest int) [][]int64 {
	rows := make([][]int64, n)
	for i := range rows {
		rows[i] = make([]int64, rng.IntN(longest+1))
		for j := range rows[i] {
			rows[i][j] = rng.Int64N(1000) + 1
		}
	}
	return rows
}

// writeRagged writes rows of ids, and series of pairs of the same lengths.
func writeRagged(t testing.TB, path string, rows [][]int64, groupRows int64) string {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(
		field("ids", arrow.ListOf(arrow.PrimitiveTypes.Int64)), field("series", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Float32))),
		field("length", arrow.PrimitiveTypes.Int64)))
	defer b.Release()
	ids, series := b.Field(0).(*array.ListBuilder), b.Field(1).(*array.ListBuilder)
	pairs := series.ValueBuilder().(*array.ListBuilder)
	for _, row := range rows {
		ids.Append(true)
		ids.ValueBuilder().(*array.Int64Builder).AppendValues(row, nil)
		series.Append(true)
		for _, v := range row {
			pairs.Append(true)
			pairs.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{float32(v), -float32(v)}, nil)
		}
		b.Field(2).(*array.Int64Builder).Append(int64(len(row)))
	}
	record := b.NewRecordBatch()
	defer record.Release()
	writeRecord(t, path, record, groupRows)
	return path
}

var raggedPads = []Padding{{Input: "ids", Value: "0"}, {Input: "series", Value: "-7"}}

func bindRagged(t testing.TB, f File, length int) *Samples {
	t.Helper()
	s, err := Bind(t.Context(), f, []tensor.Spec{spec("series", tensor.Float32, length, 2), spec("length", tensor.Float32), spec("ids", tensor.Int64, length)}, BindOptions{Pad: raggedPads})
	check(t, err)
	return s
}

// raggedProblem says where samples [lo, hi) are not the padded rows, read slowly.
func raggedProblem(got Rows, rows [][]int64, order []int, longest int) string {
	series, lengths, ids := tensor.Values[float32](got.Inputs[0]), tensor.Values[float32](got.Inputs[1]), tensor.Values[int64](got.Inputs[2])
	if len(ids) != len(order)*longest || len(series) != 2*len(ids) {
		return fmt.Sprintf("%d ids for %d rows of %d", len(ids), len(order), longest)
	}
	for i, row := range order {
		if lengths[i] != float32(len(rows[row])) {
			return fmt.Sprintf("row %d has the length %v, want %d", row, lengths[i], len(rows[row]))
		}
		for j := range longest {
			id, first, second := int64(0), float32(-7), float32(-7)
			if j < len(rows[row]) {
				id = rows[row][j]
				first, second = float32(id), -float32(id)
			}
			at := i*longest + j
			if ids[at] != id || series[2*at] != first || series[2*at+1] != second {
				return fmt.Sprintf("row %d, element %d: %d, %v, %v, want %d, %v, %v", row, j, ids[at], series[2*at], series[2*at+1], id, first, second)
			}
		}
	}
	return ""
}

func rowsBetween(lo, hi int) []int {
	out := make([]int, hi-lo)
	for i := range out {
		out[i] = lo + i
	}
	return out
}

func TestPadRandomRows(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n, most := 1+rng.IntN(3000), 1+rng.IntN(12)
		if seed == 0 {
			n = 2*maxChunkRows + 77 // borders of chunks
		}
		rows := raggedRows(rng, n, most)
		rows[rng.IntN(n)] = slices.Repeat([]int64{5}, most) // one is the longest
		path := writeRagged(t, filepath.Join(t.TempDir(), "data.parquet"), rows, int64(1+rng.IntN(n)))
		f := open(t, path)
		for _, length := range []int{-1, most + 3} {
			s, longest := bindRagged(t, f, length), most
			if length > 0 {
				longest = length
			}
			ranges := [][2]int{{0, n}, {n - 1, n}, {0, 0}}
			for range 5 {
				lo := rng.IntN(n)
				ranges = append(ranges, [2]int{lo, lo + rng.IntN(n-lo+1)})
			}
			for _, r := range ranges {
				got, err := s.Read(t.Context(), r[0], r[1])
				check(t, err)
				if problem := raggedProblem(got, rows, rowsBetween(r[0], r[1]), longest); problem != "" {
					t.Fatalf("seed %d, rows %v: %s", seed, r, problem)
				}
			}
			order := make([]int, 40)
			for i := range order {
				order[i] = rng.IntN(n)
			}
			got, err := s.Gather(t.Context(), order)
			check(t, err)
			if problem := raggedProblem(got, rows, order, longest); problem != "" {
				t.Fatalf("seed %d, gathered: %s", seed, problem)
			}
		}
	}
}

func TestRaggedProblemSeesWrongRows(t *testing.T) {
	rows := [][]int64{{1, 2}, {3}}
	s := bindRagged(t, open(t, writeRagged(t, filepath.Join(t.TempDir(), "data.parquet"), rows, 1)), -1)
	got, err := s.Read(t.Context(), 0, 2)
	check(t, err)
	if problem := raggedProblem(got, rows, []int{0, 1}, 2); problem != "" {
		t.Fatal(problem)
	}
	for name, bad := range map[string]string{
		"another order":  raggedProblem(got, rows, []int{1, 0}, 2),
		"another value":  raggedProblem(got, [][]int64{{1, 2}, {4}}, []int{0, 1}, 2),
		"another length": raggedProblem(got, [][]int64{{1, 2}, {3, 0}}, []int{0, 1}, 2),
		"another width":  raggedProblem(got, rows, []int{0, 1}, 3),
	} {
		if bad == "" {
			t.Errorf("%s: not seen", name)
		}
	}
}

func TestPadConcurrentReads(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	rows := raggedRows(rng, 3000, 6)
	rows[0] = []int64{1, 2, 3, 4, 5, 6}
	folder := t.TempDir()
	writeRagged(t, filepath.Join(folder, "a.parquet"), rows[:1100], 300)
	writeRagged(t, filepath.Join(folder, "b.parquet"), rows[1100:], 300)
	f := open(t, folder)
	s, plain := bindRagged(t, f, -1), bind(t, f, spec("length", tensor.Float32))
	errs := make(chan error)
	const workers = 6
	for w := range workers {
		go func() {
			rng := rand.New(rand.NewPCG(uint64(w), 2))
			for range 20 {
				lo := rng.IntN(len(rows))
				hi := min(lo+rng.IntN(200), len(rows))
				got, err := s.Read(context.Background(), lo, hi)
				if err == nil {
					if problem := raggedProblem(got, rows, rowsBetween(lo, hi), 6); problem != "" {
						err = fmt.Errorf("rows %d to %d: %s", lo, hi, problem)
					}
				}
				if err == nil {
					_, err = plain.Read(context.Background(), lo, hi) // the folder itself, beside its view
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestPadFreesArrowMemory counts what the decoder allocates for views.
func TestPadFreesArrowMemory(t *testing.T) {
	rows := raggedRows(rand.New(rand.NewPCG(4, 1)), 400, 5)
	path := writeRagged(t, filepath.Join(t.TempDir(), "data.parquet"), rows, 90)
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	f, err := openParquetWith(t.Context(), path, alloc)
	check(t, err)
	first := bindRagged(t, f, -1)
	if again := bindRagged(t, f, -1); again.view != first.view {
		t.Error("the same padding makes another view")
	}
	for _, s := range []*Samples{first, bindRagged(t, f, 9), bindRagged(t, f, 2)} {
		for lo := 0; lo < 400; lo += 70 {
			_, err := s.Read(t.Context(), lo, min(lo+70, 400))
			if s.Inputs()[0].Shape[1] > 2 {
				check(t, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.extents = map[int]listExtent{}
	if _, err := f.extent(ctx, 0); err == nil {
		t.Error("a pass goes on after it is cancelled")
	}
	check(t, f.Close())
}

// TestPadDamage flips a file of lists everywhere: an error or the data, never a
// panic.
func TestPadDamage(t *testing.T) {
	rows := raggedRows(rand.New(rand.NewPCG(5, 1)), 40, 4)
	path := writeRagged(t, filepath.Join(t.TempDir(), "data.parquet"), rows, 15)
	good, err := os.ReadFile(path)
	check(t, err)
	refused := 0
	for at := 0; at < len(good); at += 5 {
		damaged := slices.Clone(good)
		damaged[at] ^= 0x55
		check(t, os.WriteFile(path, damaged, 0o600))
		if readPadded(path) != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("no damage was seen at all")
	}
}

// readPadded opens a file and reads all of it with every input padded that can be.
func readPadded(path string) error {
	f, err := Open(context.Background(), path)
	if err != nil {
		return err
	}
	defer f.Close()
	var pads []Padding
	inputs := InferInputs(f)
	for i := range inputs {
		if slices.ContainsFunc(f.Columns(), func(c Column) bool { return c.Name == inputs[i].Name && c.isList() }) {
			inputs[i].Shape = nil
			pads = append(pads, Padding{Input: inputs[i].Name, Value: "0"})
		}
	}
	s, err := Bind(context.Background(), f, inputs, BindOptions{Pad: pads})
	if err != nil {
		return err
	}
	return s.Check(context.Background(), nil)
}

// BenchmarkPad reads token ids of one length, and of different lengths.
func BenchmarkPad(b *testing.B) {
	const n, most = 50_000, 64
	rng := rand.New(rand.NewPCG(1, 1))
	ragged := raggedRows(rng, n, most)
	ragged[0] = slices.Repeat([]int64{1}, most)
	even := make([][]int64, n)
	for i := range even {
		even[i] = slices.Repeat([]int64{rng.Int64N(1000)}, most/2)
	}
	for _, tt := range []struct {
		name string
		rows [][]int64
		pads []Padding
	}{
		{"lists=even", even, nil},
		{"lists=even/pad", even, raggedPads[:1]},
		{"lists=ragged/pad", ragged, raggedPads[:1]},
	} {
		path := writeRagged(b, filepath.Join(b.TempDir(), "data.parquet"), tt.rows, 10_000)
		elements := 0
		for _, row := range tt.rows {
			elements += len(row)
		}
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(elements) * 8)
			for b.Loop() {
				f, err := Open(b.Context(), path)
				check(b, err)
				s, err := Bind(b.Context(), f, []tensor.Spec{spec("ids", tensor.Int64, -1)}, BindOptions{Pad: tt.pads})
				check(b, err)
				check(b, s.Check(b.Context(), nil))
				check(b, f.Close())
			}
		})
	}
}
