package dataset

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/intershap/intershap/tensor"
)

// shared returns the folder of real data sets.
func shared(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("INTERSHAP_SHARED")
	if folder == "" {
		t.Skip("INTERSHAP_SHARED is not set: it names the folder with the real data sets")
	}
	return folder
}

// TestFormatsAgree reads real data as NPZ, CSV and Parquet: the rows must have
// the same bits.
func TestFormatsAgree(t *testing.T) {
	for _, tt := range []struct {
		set    string
		inputs []tensor.Spec
	}{
		{"bmmc_cite", []tensor.Spec{spec("rna", tensor.Float32, 400), spec("adt", tensor.Float32, 134)}},
		{"breast_tcga", []tensor.Spec{spec("mrna", tensor.Float32, 200), spec("mirna", tensor.Float32, 184), spec("protein", tensor.Float32, 142)}},
		{"icu_mortality", []tensor.Spec{spec("static", tensor.Float32, 10), spec("vitals", tensor.Float32, 8, 24), spec("labs", tensor.Float32, -1)}},
	} {
		t.Run(tt.set, func(t *testing.T) {
			folder := filepath.Join(shared(t), "data", tt.set)
			npz := bind(t, open(t, filepath.Join(folder, "test.npz")), tt.inputs...)
			want, err := npz.Read(context.Background(), 0, npz.Len())
			check(t, err)
			if want.Labels.DType() != tensor.Int64 {
				t.Fatalf("want int64 labels, got %s", want.Labels.DType())
			}
			compare := func(format string, s *Samples) {
				t.Helper()
				check(t, s.Check(context.Background(), nil))
				if s.Len() != npz.Len() {
					t.Fatalf("%s: want %d rows, got %d", format, npz.Len(), s.Len())
				}
				const tile = 100
				for lo := 0; lo < s.Len(); lo += tile {
					hi := min(lo+tile, s.Len())
					got, err := s.Read(context.Background(), lo, hi)
					check(t, err)
					for i, in := range tt.inputs {
						if diff := diffTensors(want.Inputs[i].Slice(lo, hi), got.Inputs[i]); diff != "" {
							t.Fatalf("%s, %s, rows %d to %d: (-want +got)\n%.2000s", format, in.Name, lo, hi, diff)
						}
					}
					if diff := diffTensors(want.Labels.Slice(lo, hi), got.Labels); diff != "" {
						t.Fatalf("%s, labels, rows %d to %d: (-want +got)\n%.2000s", format, lo, hi, diff)
					}
				}
				for _, w := range s.Warnings() {
					t.Errorf("%s: %s", format, w)
				}
			}
			compare("CSV", bind(t, open(t, filepath.Join(folder, "test.csv")), tt.inputs...))
			path := filepath.Join(t.TempDir(), "test.parquet")
			writeSamples(t, path, want, tt.inputs)
			compare("Parquet", bind(t, open(t, path), tt.inputs...))
		})
	}
}

// writeSamples writes float32 inputs as lists and int64 labels.
func writeSamples(t *testing.T, path string, rows Rows, inputs []tensor.Spec) {
	t.Helper()
	fields := []arrow.Field{field("label", arrow.PrimitiveTypes.Int64)}
	for _, in := range inputs {
		fields = append(fields, field(in.Name, arrow.ListOf(arrow.PrimitiveTypes.Float32)))
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(fields...))
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(tensor.Values[int64](rows.Labels), nil)
	for i := range inputs {
		list := b.Field(i + 1).(*array.ListBuilder)
		all, n := tensor.Values[float32](rows.Inputs[i]), rows.Inputs[i].RowLen()
		for r := range rows.Inputs[i].Rows() {
			list.Append(true)
			list.ValueBuilder().(*array.Float32Builder).AppendValues(all[r*n:(r+1)*n], nil)
		}
	}
	record := b.NewRecordBatch()
	defer record.Release()
	writeRecord(t, path, record, 300)
}

// TestSharedDataBinds opens every real file and reads it once.
func TestSharedDataBinds(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t), "data", "*", "t*.npz"))
	check(t, err)
	if len(files) == 0 {
		t.Fatal("INTERSHAP_SHARED has no data/*/test.npz")
	}
	for _, path := range files {
		if err := readEverything(path); err != nil {
			t.Error(err)
		}
	}
}
