package dataset

import (
	"archive/zip"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/intershap/intershap/tensor"
)

// wide is the row length of the large files.
const wide = 64

// largeFiles writes the same numbers in every format.
func largeFiles(t testing.TB, rows int) map[string]string {
	t.Helper()
	values := make([]float32, rows*wide)
	for i := range values {
		values[i] = float32(i%1000) / 8
	}
	shape := fmt.Sprintf("(%d, %d)", rows, wide)
	// The same bytes under a Fortran header are another matrix; for reading
	// that makes no difference.
	fortran := npy("'<f4'", "True", shape, littleEndian(values))

	var csv strings.Builder
	for j := range wide {
		if j > 0 {
			csv.WriteByte(',')
		}
		fmt.Fprintf(&csv, "x.f%d", j)
	}
	for i, v := range values {
		if i%wide == 0 {
			csv.WriteByte('\n')
		} else {
			csv.WriteByte(',')
		}
		csv.Write(strconv.AppendFloat(nil, float64(v), 'g', -1, 32))
	}
	csv.WriteByte('\n')

	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(field("x", arrow.ListOf(arrow.PrimitiveTypes.Float32))))
	defer b.Release()
	list := b.Field(0).(*array.ListBuilder)
	for r := range rows {
		list.Append(true)
		list.ValueBuilder().(*array.Float32Builder).AppendValues(values[r*wide:(r+1)*wide], nil)
	}
	record := b.NewRecordBatch()
	defer record.Release()
	parquetPath := filepath.Join(t.TempDir(), "large.parquet")
	writeRecord(t, parquetPath, record, int64(rows)) // one row group: the hardest case

	return map[string]string{
		"npz":          writeNPZ(t, zip.Store, member{"x.npy", npyFloats(shape, values)}),
		"npz-deflated": writeNPZ(t, zip.Deflate, member{"x.npy", npyFloats(shape, values)}),
		"npz-fortran":  writeNPZ(t, zip.Store, member{"x.npy", fortran}),
		"csv":          writeFile(t, "large.csv", []byte(csv.String())),
		"parquet":      parquetPath,
	}
}

// TestMemoryStaysFlat reads 100,000 rows, 25 MB as float32, and watches the
// memory in use: it must not come near what the whole file would take.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100,000 rows in five formats")
	}
	const rows, bound = 100_000, 16 << 20
	for format, path := range largeFiles(t, rows) {
		t.Run(format, func(t *testing.T) {
			before := heapInUse()
			f := open(t, path)
			s := bind(t, f, spec("x", tensor.Float32, wide))
			if s.Len() != rows {
				t.Fatalf("want %d rows, got %d", rows, s.Len())
			}
			const tile = 1000
			most := uint64(0)
			for lo := 0; lo < rows; lo += tile {
				_, err := s.Read(context.Background(), lo, lo+tile)
				check(t, err)
				if lo%(20*tile) == 0 {
					most = max(most, heapInUse())
				}
			}
			if most > before+bound {
				t.Errorf("%d MiB more in use than before, want at most %d", (most-before)>>20, bound>>20)
			}
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkRead opens, binds and reads a whole file in tiles of 1000 rows.
func BenchmarkRead(b *testing.B) {
	const rows, tile = 100_000, 1000
	files := largeFiles(b, rows)
	for _, format := range []string{"npz", "npz-deflated", "npz-fortran", "csv", "parquet"} {
		b.Run(fmt.Sprintf("format=%s/rows=%d/width=%d", format, rows, wide), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(rows * wide * 4)
			for b.Loop() {
				f, err := Open(context.Background(), files[format])
				check(b, err)
				s, err := Bind(context.Background(), f, []tensor.Spec{spec("x", tensor.Float32, wide)}, BindOptions{})
				check(b, err)
				for lo := 0; lo < rows; lo += tile {
					_, err := s.Read(context.Background(), lo, lo+tile)
					check(b, err)
				}
				check(b, f.Close())
			}
		})
	}
}
