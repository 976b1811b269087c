package intershap_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// writeParquet writes rows of JSON, two to a row group, and opens the file.
func writeParquet(t testing.TB, rows []string, fields ...arrow.Field) dataset.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.parquet")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema(fields, nil)
	w, err := pqarrow.NewFileWriter(schema, file, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties())
	if err != nil {
		t.Fatal(err)
	}
	for group := range slices.Chunk(rows, 2) {
		record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(group, ",")+"]"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
		record.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return openData(t, path)
}

// reader is a model of token ids and a number: the sum of the ids that the mask
// keeps, times the number. It tells how many ids a row has.
func reader(t testing.TB, width int, described bool) model.Model {
	read := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		ids, _ := in.Lookup("ids")
		keep, _ := in.Lookup("mask")
		age, _ := in.Lookup("age")
		out := make([]float64, in.Rows())
		for r := range out {
			sum := 0.0
			for j := range ids.RowLen() {
				at := r*ids.RowLen() + j
				sum += float64(tensor.Values[int64](ids)[at] * tensor.Values[int64](keep)[at])
			}
			out[r] = sum * tensor.Values[float64](age)[r]
		}
		if ids.RowLen() != width || keep.RowLen() != width {
			t.Errorf("the model got %d ids and a mask of %d, want %d", ids.RowLen(), keep.RowLen(), width)
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(out, len(out), 1)}}, nil
	})
	if !described {
		return read
	}
	return model.Describe(read, model.Signature{
		Inputs: []tensor.Spec{
			{Name: "ids", DType: tensor.Int64, Shape: []int{-1, -1}}, {Name: "mask", DType: tensor.Int64, Shape: []int{-1, -1}},
			{Name: "age", DType: tensor.Float64, Shape: []int{-1}},
		},
		Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{-1, 1}}},
	})
}

// tokens writes lists of ids with masks of ones and an age.
func tokens(t testing.TB, ids ...[]int64) dataset.File {
	t.Helper()
	list := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true}
	}
	var rows []string
	for i, row := range ids {
		text := strings.ReplaceAll(fmt.Sprint(row), " ", ",")
		ones := strings.ReplaceAll(fmt.Sprint(slices.Repeat([]int64{1}, len(row))), " ", ",")
		rows = append(rows, fmt.Sprintf(`{"ids": %s, "mask": %s, "age": %d}`, text, ones, i+1))
	}
	return writeParquet(t, rows, list("ids"), list("mask"), arrow.Field{Name: "age", Type: arrow.PrimitiveTypes.Float64})
}

// padded makes the same samples by hand.
func padded(t testing.TB, width int, pad int64, rows ...[]int64) dataset.File {
	t.Helper()
	var ids, mask []int64
	var age []float64
	for i, row := range rows {
		ids = append(append(ids, row...), slices.Repeat([]int64{pad}, width-len(row))...)
		mask = append(append(mask, slices.Repeat([]int64{1}, len(row))...), slices.Repeat([]int64{0}, width-len(row))...)
		age = append(age, float64(i+1))
	}
	f, err := dataset.FromArrays(
		dataset.Array{Name: "ids", Tensor: tensor.Of(ids, len(rows), width)},
		dataset.Array{Name: "mask", Tensor: tensor.Of(mask, len(rows), width)},
		dataset.Array{Name: "age", Tensor: tensor.Of(age)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPad explains lists of different lengths, and the same padded by hand: the same
// bits. Data and background have the length of the longest of both.
func TestPad(t *testing.T) {
	short, long := [][]int64{{3, 1}, {4}, {}, {2, 2, 7}}, [][]int64{{}, {1, 2, 3, 4, 5}, {9}}
	opt := intershap.Options{Modalities: []string{"text=ids,mask"}, Task: intershap.Regression, Pad: []string{"ids=-5", "mask=0"}, Seed: 1}
	for _, tt := range []struct {
		name         string
		data, behind [][]int64
	}{{"the background is longer", short, long}, {"the data are longer", long, short}} {
		hand := opt
		hand.Pad = nil
		want, err := intershap.Explain(t.Context(), reader(t, 5, true), padded(t, 5, -5, tt.data...), padded(t, 5, -5, tt.behind...), hand)
		if err != nil {
			t.Fatal(err)
		}
		for _, described := range []bool{true, false} {
			got, err := intershap.Explain(t.Context(), reader(t, 5, described), tokens(t, tt.data...), tokens(t, tt.behind...), opt)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want.Samples() {
				if diff := cmp.Diff(want.Phi(i), got.Phi(i)); diff != "" {
					t.Errorf("%s, signature %v: sample %d (-by hand +padded)\n%s", tt.name, described, i, diff)
				}
			}
			if got.Phi(0)[0][1] == 0 && got.Phi(1)[0][1] == 0 {
				t.Errorf("%s: no interaction, so that nothing was compared", tt.name)
			}
		}
	}
	alone, err := intershap.Explain(t.Context(), reader(t, 3, true), tokens(t, short...), nil, opt)
	if err != nil || alone.Samples() != 4 {
		t.Errorf("without background rows: %v", err)
	}
	opt.Pad = []string{"ids=0", "mask"}
	if _, err := intershap.Explain(t.Context(), reader(t, 5, true), tokens(t, short...), nil, opt); err == nil || err.Error() != `dataset: padding "mask": want INPUT=VALUE` {
		t.Errorf("a padding without a value: %v", err)
	}
	opt.Pad = []string{"ids=0"}
	if _, err := intershap.Explain(t.Context(), reader(t, 5, true), tokens(t, short...), nil, opt); err == nil || !strings.Contains(err.Error(), `row 1: column "mask": want a list of 2 elements as in row 0, got 1`) {
		t.Errorf("a mask that is not padded: %v", err)
	}
}
