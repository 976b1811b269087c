package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

// The writers here are written apart from the readers: bytes by hand for NPZ
// and CSV, arrow's own builders for Parquet.

// npy returns the bytes of an NPY array of version 1.
func npy(descr, order, shape string, data []byte) []byte {
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), byte(len(dict)>>8))
	return append(append(b, dict...), data...)
}

func littleEndian(values any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// npyFloats is a float32 array of n rows.
func npyFloats(shape string, values []float32) []byte {
	return npy("'<f4'", "False", shape, littleEndian(values))
}

type member struct {
	name string
	data []byte
}

func writeNPZ(t testing.TB, method uint16, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		part, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: method})
		check(t, err)
		_, err = part.Write(m.data)
		check(t, err)
	}
	check(t, w.Close())
	return writeFile(t, "data.npz", b.Bytes())
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(path, data, 0o600))
	return path
}

// writeParquet writes rows of JSON under a schema, groupRows to a row group.
// Every group is a record of its own: arrow-go 18.8 writes wrong rows of a
// fixed-size list where it has to slice the record.
func writeParquet(t testing.TB, path string, schema *arrow.Schema, groupRows int, rows ...string) string {
	t.Helper()
	file, err := os.Create(path)
	check(t, err)
	w, err := pqarrow.NewFileWriter(schema, file, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	check(t, err)
	for group := range slices.Chunk(rows, groupRows) {
		record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(group, ",")+"]"))
		check(t, err)
		check(t, w.Write(record))
		record.Release()
	}
	check(t, w.Close())
	return path
}

func writeRecord(t testing.TB, path string, record arrow.RecordBatch, groupRows int64) {
	t.Helper()
	file, err := os.Create(path)
	check(t, err)
	table := array.NewTableFromRecords(record.Schema(), []arrow.RecordBatch{record})
	defer table.Release()
	props := parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(groupRows))
	check(t, pqarrow.WriteTable(table, file, groupRows, props, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema())))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) File {
	t.Helper()
	f, err := Open(context.Background(), path)
	check(t, err)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("close %s: %v", path, err)
		}
	})
	return f
}

func arrays(t testing.TB, all ...Array) File {
	t.Helper()
	f, err := FromArrays(all...)
	check(t, err)
	return f
}

func bind(t testing.TB, f File, inputs ...tensor.Spec) *Samples {
	t.Helper()
	s, err := Bind(t.Context(), f, inputs, BindOptions{})
	check(t, err)
	return s
}

func spec(name string, d tensor.DType, dims ...int) tensor.Spec {
	return tensor.Spec{Name: name, DType: d, Shape: append([]int{-1}, dims...)}
}

// column returns the position of a column.
func column(t testing.TB, f File, name string) int {
	t.Helper()
	for i, c := range f.Columns() {
		if c.Name == name {
			return i
		}
	}
	t.Fatalf("%s has no column %q", f.Path(), name)
	return 0
}

// readColumn reads rows of one column.
func readColumn(t testing.TB, f File, name string, lo, hi int) tensor.Tensor {
	t.Helper()
	out, err := f.Read(context.Background(), lo, hi, []int{column(t, f, name)})
	check(t, err)
	return out[0]
}

// diffTensors says how two tensors differ in type, shape or bits.
func diffTensors(want, got tensor.Tensor) string {
	type content struct {
		DType   string
		Shape   []int
		Bytes   []byte
		Strings []string
	}
	of := func(t tensor.Tensor) content {
		c := content{DType: t.DType().String(), Shape: t.Shape(), Bytes: t.Bytes()}
		if t.DType() == tensor.String {
			c.Strings = tensor.Values[string](t)
		}
		return c
	}
	a, b := of(want), of(got)
	if reflect.DeepEqual(a, b) { // cmp takes seconds for real data
		return ""
	}
	return cmp.Diff(a, b)
}

func TestDiffTensorsSeesWrongValues(t *testing.T) {
	want := tensor.Of([]float32{1, 2}, 2, 1)
	for name, got := range map[string]tensor.Tensor{
		"another value": tensor.Of([]float32{1, 3}, 2, 1),
		"another shape": tensor.Of([]float32{1, 2}, 1, 2),
		"another type":  tensor.Of([]int32{1, 2}, 2, 1),
	} {
		if diffTensors(want, got) == "" {
			t.Errorf("%s: no difference seen", name)
		}
	}
	if diff := diffTensors(tensor.Of([]string{"a"}), tensor.Of([]string{"b"})); diff == "" {
		t.Error("another text: no difference seen")
	}
	if diff := diffTensors(want, tensor.Of([]float32{1, 2}, 2, 1)); diff != "" {
		t.Errorf("equal tensors differ: %s", diff)
	}
}

// wantError checks an error's line and that its hint holds a text.
func wantError(t testing.TB, err error, line, hint string) {
	t.Helper()
	if problem := errorProblem(err, line, hint); problem != "" {
		t.Error(problem)
	}
}

func errorProblem(err error, line, hint string) string {
	if err == nil {
		return "no error, want " + line
	}
	if err.Error() != line {
		return fmt.Sprintf("want error %s\n got error %s", line, err)
	}
	var got string
	var data *Error
	var modality *ModalityError
	var group *GroupError
	var pad *PadError
	switch {
	case errors.As(err, &data):
		got = data.Hint
	case errors.As(err, &modality):
		got = modality.Hint
	case errors.As(err, &group):
		got = group.Hint
	case errors.As(err, &pad):
		got = pad.Hint
	}
	if (hint == "") != (got == "") || !strings.Contains(got, hint) {
		return fmt.Sprintf("want a hint with %q, got %q", hint, got)
	}
	return ""
}

func TestErrorProblemSeesWrongErrors(t *testing.T) {
	err := &Error{File: "a.csv", Row: 3, Line: 5, Column: "x", Expected: "float32", Found: `"n/a"`, Hint: "impute"}
	const line = `dataset: a.csv:5: column "x": want float32, got "n/a"`
	for name, problem := range map[string]string{
		"no error":     errorProblem(nil, line, "impute"),
		"another line": errorProblem(err, line+".", "impute"),
		"another hint": errorProblem(err, line, "remove"),
		"no hint":      errorProblem(err, line, ""),
	} {
		if problem == "" {
			t.Errorf("%s: not seen", name)
		}
	}
	wantError(t, err, line, "impute")
}
