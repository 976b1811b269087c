package result

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// A record is one row as a reader of any format finds it. Texts stand for
// numbers and nothing: "number 0x…" in bits, "null".
type record struct {
	target, id, predicted, base, output, local, se, corrected, present string
	// columns are the cells of phi's columns.
	columns []string
	// phi and values are nil in formats without them.
	phi, values []string
}

func bits(x float64) string {
	return "number 0x" + strconv.FormatUint(math.Float64bits(x), 16) + " (" + strconv.FormatFloat(x, 'g', -1, 64) + ")"
}

func allBits(x []float64) []string {
	out := make([]string, len(x))
	for i, v := range x {
		out[i] = bits(v)
	}
	return out
}

func nullable(x float64, defined bool) string {
	if !defined {
		return "null"
	}
	return bits(x)
}

// want returns the records that rows should become, without using the code
// under test.
func want(h SamplesHeader, rows []SampleRow) []record {
	m := len(h.Modalities)
	var out []record
	for _, r := range rows {
		rec := record{
			id: "text " + r.ID, predicted: strconv.Itoa(r.Predicted),
			base: bits(r.Base), output: bits(r.Output),
			local: nullable(r.InterSHAP.Value()), se: nullable(r.SE.Value()),
			corrected: nullable(r.Corrected.Value()),
			phi:       allBits(r.Phi), values: allBits(r.Values),
		}
		if x, ok := r.Corrected.Value(); ok && x < 0 {
			rec.corrected = bits(0)
		} else if ok && x > 1 {
			rec.corrected = bits(1)
		}
		if h.HasPresent {
			for i, name := range h.Modalities {
				if r.Present&(1<<i) != 0 {
					rec.present += "+" + name
				}
			}
			rec.present = strings.TrimPrefix(rec.present, "+")
		}
		if h.IDs == tensor.Int64 {
			rec.id = "int64 " + r.ID
		}
		if h.ByTarget || len(h.Targets) > 1 {
			rec.target = h.Targets[r.Target]
		}
		for i := range m {
			rec.columns = append(rec.columns, bits(r.Phi[i*m+i]))
		}
		for i := range m {
			for j := range m {
				if i < j {
					rec.columns = append(rec.columns, bits(r.Phi[i*m+j]+r.Phi[j*m+i]))
				}
			}
		}
		out = append(out, rec)
	}
	return out
}

// wantColumns returns the names of a table's columns.
func wantColumns(h SamplesHeader) []string {
	var names []string
	if h.ByTarget || len(h.Targets) > 1 {
		names = append(names, "target")
	}
	names = append(names, "id", "predicted", "base", "output", "intershap", "intershap_se")
	for _, a := range h.Modalities {
		names = append(names, "phi."+a)
	}
	for i, a := range h.Modalities {
		for j, b := range h.Modalities {
			if i < j {
				names = append(names, "phi."+a+":"+b)
			}
		}
	}
	names = append(names, "intershap_corrected")
	if h.HasPresent {
		names = append(names, "present")
	}
	return names
}

// A table is what a file holds.
type table struct {
	columns []string // nil in NPZ
	records []record
}

var readers = map[string]func(*testing.T, string, SamplesHeader) table{
	".csv": readCSV, ".jsonl": readJSONL, ".parquet": readParquet, ".npz": readNPZ,
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// readCSV relies on texts without "\r\n", which encoding/csv makes "\n".
func readCSV(t *testing.T, path string, h SamplesHeader) table {
	f := must[*os.File](t)(os.Open(path))
	defer f.Close()
	lines := must[[][]string](t)(csv.NewReader(f).ReadAll())
	number := func(cell string) string {
		if cell == "" {
			return "null"
		}
		return bits(must[float64](t)(strconv.ParseFloat(cell, 64)))
	}
	out := table{columns: lines[0]}
	for _, cells := range lines[1:] {
		var r record
		if h.hasTargets() {
			r.target, cells = cells[0], cells[1:]
		}
		if h.HasPresent {
			last := len(cells) - 1
			r.present, cells = cells[last], cells[:last]
		}
		r.id = "text " + cells[0]
		if h.IDs == tensor.Int64 {
			r.id = "int64 " + strconv.FormatInt(must[int64](t)(strconv.ParseInt(cells[0], 10, 64)), 10)
		}
		r.predicted = cells[1]
		r.base, r.output, r.local, r.se = number(cells[2]), number(cells[3]), number(cells[4]), number(cells[5])
		r.corrected = number(cells[len(cells)-1])
		for _, c := range cells[6 : len(cells)-1] {
			r.columns = append(r.columns, number(c))
		}
		out.records = append(out.records, r)
	}
	return out
}

func readJSONL(t *testing.T, path string, h SamplesHeader) table {
	f := must[*os.File](t)(os.Open(path))
	defer f.Close()
	var out table
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &object); err != nil {
			t.Fatal(err)
		}
		number := func(key string) string {
			var x *float64
			if err := json.Unmarshal(object[key], &x); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			if x == nil {
				return "null"
			}
			return bits(*x)
		}
		var r record
		text := func(dst *string, key string) {
			if err := json.Unmarshal(object[key], dst); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
		}
		if h.hasTargets() {
			text(&r.target, "target")
		}
		if h.IDs == tensor.Int64 {
			r.id = "int64 " + string(object["id"])
		} else {
			text(&r.id, "id")
			r.id = "text " + r.id
		}
		r.predicted = string(object["predicted"])
		r.base, r.output, r.local, r.se = number("base"), number("output"), number("intershap"), number("intershap_se")
		r.corrected = number("intershap_corrected")
		if h.HasPresent {
			text(&r.present, "present")
		}
		columns := wantColumns(h)
		for _, name := range columns {
			if strings.HasPrefix(name, "phi.") {
				r.columns = append(r.columns, number(name))
			}
		}
		var values []float64
		var phi [][]float64
		if err := json.Unmarshal(object["values"], &values); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(object["phi"], &phi); err != nil {
			t.Fatal(err)
		}
		r.values = allBits(values)
		for _, row := range phi {
			if len(row) != len(h.Modalities) {
				t.Fatalf("want %d numbers in each row of phi, got %d", len(h.Modalities), len(row))
			}
			r.phi = append(r.phi, allBits(row)...)
		}
		if want := len(columns) + len([]string{"values", "phi"}); len(object) != want {
			t.Fatalf("want %d keys, got %d", want, len(object))
		}
		out.columns = columns // all found above, and no others
		out.records = append(out.records, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func readParquet(t *testing.T, path string, h SamplesHeader) table {
	handle := must[*file.Reader](t)(file.OpenParquetFile(path, false))
	defer handle.Close()
	if v := handle.MetaData().KeyValueMetadata().FindValue(SamplesSchemaKey); v == nil || *v != SamplesSchema {
		t.Errorf("want schema %q in the footer, got %v", SamplesSchema, v)
	}
	reader := must[*pqarrow.FileReader](t)(pqarrow.NewFileReader(handle, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator))
	all, err := reader.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer all.Release()
	var out table
	for i := range int(all.NumCols()) {
		out.columns = append(out.columns, all.Schema().Field(i).Name)
	}
	rows := array.NewTableReader(all, -1)
	defer rows.Release()
	for rows.Next() {
		batch := rows.RecordBatch()
		number := func(column, row int) string {
			a := batch.Column(column).(*array.Float64)
			return nullable(a.Value(row), a.IsValid(row))
		}
		for i := range int(batch.NumRows()) {
			var r record
			at := 0
			if h.hasTargets() {
				r.target, at = batch.Column(0).(*array.String).Value(i), 1
			}
			switch ids := batch.Column(at).(type) {
			case *array.String:
				r.id = "text " + ids.Value(i)
			case *array.Int64:
				r.id = "int64 " + strconv.FormatInt(ids.Value(i), 10)
			}
			r.predicted = strconv.FormatInt(batch.Column(at+1).(*array.Int64).Value(i), 10)
			r.base, r.output, r.local, r.se = number(at+2, i), number(at+3, i), number(at+4, i), number(at+5, i)
			last := int(batch.NumCols()) - 1
			if h.HasPresent {
				r.present = batch.Column(last).(*array.String).Value(i)
				last--
			}
			r.corrected = number(last, i)
			for c := at + 6; c < last; c++ {
				r.columns = append(r.columns, number(c, i))
			}
			out.records = append(out.records, r)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// readNPZ reads with package dataset, which shares no code with the writer.
func readNPZ(t *testing.T, path string, h SamplesHeader) table {
	f := must[dataset.File](t)(dataset.Open(t.Context(), path))
	defer f.Close()
	arrays := map[string]tensor.Tensor{}
	for i, c := range f.Columns() {
		if c.Refused != nil {
			t.Fatal(c.Refused)
		}
		arrays[c.Name] = must[[]tensor.Tensor](t)(f.Read(t.Context(), 0, c.Rows, []int{i}))[0]
	}
	k, n, m := len(h.Targets), h.Samples, len(h.Modalities)
	shape := func(name string, want ...int) {
		if got := arrays[name].Shape(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: want shape %v, got %v", name, want, got)
		}
	}
	byTarget := func(name string, axes ...int) []float64 {
		if h.hasTargets() {
			axes = append([]int{k}, axes...)
		}
		shape(name, axes...)
		return tensor.Values[float64](arrays[name])
	}
	names := func(name string, want []string) {
		shape(name, len(want))
		if got := tensor.Values[string](arrays[name]); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("%s: want %q, got %q", name, want, got)
		}
	}
	names("modalities", h.Modalities)
	arraysWanted := 10
	if h.hasTargets() {
		names("targets", h.Targets)
		arraysWanted++
	}
	if h.HasPresent {
		shape("present", n)
		arraysWanted++
	}
	if len(arrays) != arraysWanted {
		t.Fatalf("want %d arrays, got %d", arraysWanted, len(arrays))
	}
	shape("id", n)
	shape("predicted", n)
	base, output := byTarget("base", n), byTarget("output", n)
	local, se := byTarget("intershap", n), byTarget("intershap_se", n)
	corrected := byTarget("intershap_corrected", n)
	phi, values := byTarget("phi", n, m, m), byTarget("values", n, 1<<m)
	var out table
	for i := range n {
		for target := range k {
			at := target*n + i
			r := record{
				predicted: strconv.FormatInt(tensor.Values[int64](arrays["predicted"])[i], 10),
				base:      bits(base[at]), output: bits(output[at]),
				local: nullable(local[at], !math.IsNaN(local[at])), se: nullable(se[at], !math.IsNaN(se[at])),
				corrected: nullable(corrected[at], !math.IsNaN(corrected[at])),
				phi:       allBits(phi[at*m*m : (at+1)*m*m]), values: allBits(values[at<<m : (at+1)<<m]),
			}
			if h.IDs == tensor.Int64 {
				r.id = "int64 " + strconv.FormatInt(tensor.Values[int64](arrays["id"])[i], 10)
			} else {
				r.id = "text " + tensor.Values[string](arrays["id"])[i]
			}
			if h.hasTargets() {
				r.target = h.Targets[target]
			}
			if h.HasPresent {
				var has []string
				for m, name := range h.Modalities {
					if tensor.Values[uint64](arrays["present"])[i]>>m&1 == 1 {
						has = append(has, name)
					}
				}
				r.present = strings.Join(has, "+")
			}
			cell := func(i, j int) float64 { return phi[at*m*m+i*m+j] }
			for i := range m {
				r.columns = append(r.columns, bits(cell(i, i)))
			}
			for i := range m {
				for j := i + 1; j < m; j++ {
					r.columns = append(r.columns, bits(cell(i, j)+cell(j, i)))
				}
			}
			out.records = append(out.records, r)
		}
	}
	return out
}

// writeSamples writes a complete file and returns its path.
func writeSamples(t testing.TB, extension string, h SamplesHeader, rows []SampleRow) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "samples"+extension)
	writeSamplesTo(t, path, h, rows)
	return path
}

func writeSamplesTo(t testing.TB, path string, h SamplesHeader, rows []SampleRow) {
	t.Helper()
	w, err := CreateSamples(path, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
