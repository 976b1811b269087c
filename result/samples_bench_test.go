package result

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// Memory must not grow with the number of samples.
func TestSamplesMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200,000 rows in each format")
	}
	const (
		samples = 200_000
		every   = 20_000
		// bound holds the buffers of any format: eight spools of 1 MiB, or a
		// Parquet row group with its pages. The rows themselves are 61 MB.
		bound = 24 << 20
	)
	h := SamplesHeader{Modalities: []string{"a", "b", "c", "d"}, Targets: []string{"x"}, Samples: samples, IDs: tensor.String}
	row := SampleRow{Values: make([]float64, 1<<4), Phi: make([]float64, 4*4), InterSHAP: score.Defined(0.5)}
	for _, format := range formats {
		t.Run(format[1:], func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s"+format)
			before := liveHeap()
			w, err := CreateSamples(path, h)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Discard()
			most := uint64(0)
			for i := range samples {
				row.Sample, row.ID, row.Base = i, strconv.Itoa(i), float64(i)/3
				if err := w.Write(row); err != nil {
					t.Fatal(err)
				}
				if i%every == every-1 {
					most = max(most, liveHeap())
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if grown := int64(most) - int64(before); grown > bound {
				t.Errorf("want at most %d bytes live, got %d", bound, grown)
			} else {
				t.Logf("%d KiB live at most", grown>>10)
			}
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func BenchmarkSamples(b *testing.B) {
	h := SamplesHeader{Modalities: []string{"a", "b", "c"}, Targets: []string{"x"}, Samples: 10_000, IDs: tensor.Int64}
	rows := makeRows(h, numbered)
	for _, format := range formats {
		b.Run("format="+format[1:]+"/M=3/targets=1/rows=10000", func(b *testing.B) {
			dir := b.TempDir()
			path := filepath.Join(dir, "s"+format)
			b.ReportAllocs()
			for b.Loop() {
				writeSamplesTo(b, path, h, rows)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
		})
	}
}

// BenchmarkReadSamples reads what a report of many samples reads.
func BenchmarkReadSamples(b *testing.B) {
	h := SamplesHeader{Modalities: []string{"a", "b", "c", "d"}, Targets: []string{"x"}, Samples: 50_000, IDs: tensor.Int64}
	rows := makeGames(h, strconv.Itoa)
	for _, format := range formats {
		path := writeSamples(b, format, h, rows)
		b.Run("M=4/rows=50000/format="+format[1:], func(b *testing.B) {
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadSamples(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
