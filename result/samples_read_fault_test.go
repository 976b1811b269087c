package result

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

func wantFault(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: want an error that says %q, got %v", name, want, err)
	}
}

// refused reads content as a file of the format and requires an error that names it.
func refused(t *testing.T, name, format string, content []byte, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s"+format)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSamples(path)
	wantFault(t, name, err, want)
	if err != nil && strings.Count(err.Error(), path) != 1 {
		t.Errorf("%s: want an error that names %s once, got %v", name, path, err)
	}
}

var two = SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x", "y"}, Samples: 4, IDs: tensor.Int64}

func contentOf(t testing.TB, format string, h SamplesHeader, rows []SampleRow) []byte {
	t.Helper()
	content, err := os.ReadFile(writeSamples(t, format, h, rows))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A file that ends anywhere but at its end is told, in CSV and JSON lines but for the
// ends of whole samples, which nobody can tell.
func TestReadSamplesTruncated(t *testing.T) {
	for _, format := range formats {
		content := contentOf(t, format, two, makeGames(two, numbered))
		whole := map[int]bool{}
		if lines := bytes.SplitAfter(content, []byte("\n")); format == ".csv" || format == ".jsonl" {
			at := 0
			for i, line := range lines {
				at += len(line)
				// The first row tells the first target alone: it may be the only one.
				rows := i + 1 - strings.Count(format, "csv")
				whole[at] = rows == 1 || rows > 0 && rows%2 == 0
			}
		}
		step := max(len(content)/400, 1)
		for n := 0; n < len(content); n += step {
			if whole[n] {
				continue
			}
			path := filepath.Join(t.TempDir(), "s"+format)
			if err := os.WriteFile(path, content[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadSamples(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("%s: want %d of %d bytes refused by an error that names the file, got %v", format, n, len(content), err)
			}
		}
	}
}

func TestReadSamplesMissing(t *testing.T) {
	dir := t.TempDir()
	for _, format := range formats {
		_, err := ReadSamples(filepath.Join(dir, "none"+format))
		wantFault(t, format, err, "none"+format+": cannot be opened: no such file")
		if err := os.Mkdir(filepath.Join(dir, "folder"+format), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err = ReadSamples(filepath.Join(dir, "folder"+format))
		wantFault(t, format, err, "want a file of samples, got a folder")
	}
	_, err := ReadSamples("s.xlsx")
	wantFault(t, "extension", err, `want .npz, .parquet, .csv or .jsonl, got ".xlsx"`)
}

func TestReadSamplesText(t *testing.T) {
	const header = "id,predicted,base,output,intershap,intershap_se,phi.a,phi.b,phi.a:b\n"
	const named = "target," + header
	const object = `"predicted":0,"base":0,"output":1,"intershap":0.5,"intershap_se":null,"phi.a":0.5,"phi.b":0.0,"phi.a:b":0.5,`
	const arrays = `"values":[0,0,0,1],"phi":[[0.5,0.25],[0.25,0]]}` + "\n"
	for _, c := range []struct{ name, format, content, want string }{
		{"good", ".csv", header + "1,0,0,1,0.5,,0.5,0.0,0.5\n", ""},
		{"line ends of others", ".csv", "\uFEFF" + strings.ReplaceAll(header+"1,0,0,1,0.5,,0.5,0.0,0.5\n", "\n", "\r\n"), ""},
		{"columns of later versions", ".csv", strings.TrimSpace(header) + ",order,phi.new\n1,0,0,1,0.5,,0.5,0.0,0.5,2,x\n", ""},
		{"empty", ".csv", "", "want a line with the names of columns, got an empty file"},
		{"no rows", ".csv", header, "want at least one sample, got none"},
		{"foreign", ".csv", "age,sex\n1,2\n", "line 1: want the columns of a samples file, got none called id, predicted, base, output, intershap, intershap_se: was it written by explain --samples?"},
		{"no phi", ".csv", "id,predicted,base,output,intershap,intershap_se\n", "want columns phi.NAME"},
		{"twice", ".csv", "id,id\n", `want different columns, got two called "id"`},
		{"NaN", ".csv", header + "1,0,NaN,1,0.5,,0.5,0,0.5\n", "line 2: base: want a finite number, got NaN"},
		{"infinite", ".csv", header + "1,0,0,inf,0.5,,0.5,0,0.5\n", "output: want a finite number, got +Inf"},
		{"NaN in phi", ".csv", header + "1,0,0,1,0.5,,NaN,0,0.5\n", "phi[0][0]: want a finite number, got NaN"},
		{"text", ".csv", header + "1,0,x,1,0.5,,0.5,0,0.5\n", `base: want a number, got "x"`},
		{"nothing", ".csv", header + "1,0,,1,0.5,,0.5,0,0.5\n", `base: want a number, got ""`},
		{"class", ".csv", header + "1,0.5,0,1,0.5,,0.5,0,0.5\n", `predicted: want an integer, got "0.5"`},
		{"negative class", ".csv", header + "1,-1,0,1,0.5,,0.5,0,0.5\n", `predicted: want the position of a class, got -1`},
		{"percent", ".csv", header + "1,0,0,1,50,,0.5,0,0.5\n", "intershap: want a fraction within [0, 1], got 50"},
		{"negative error", ".csv", header + "1,0,0,1,0.5,-1,0.5,0,0.5\n", "intershap_se: want a finite number of 0 or more, got -1"},
		{"sum", ".csv", header + "1,0,0,1,0.5,,0.5,0,0.25\n", "line 2: phi: want cells that sum to output - base, 1, got 0.75"},
		{"fields", ".csv", header + "1,0,0,1\n", "line 2: want 9 fields as in the header, got 4: is the file complete?"},
		{"quote", ".csv", header + "1,0,0,1,0.5,,0.5,0,\"0.5\n", "want a line that ends, got the end of the file: is the file complete?"},
		{"quote within", ".csv", header + "a\"b\",0,0,1,0.5,,0.5,0,0.5\n", "line 2: field 1: want quotes around the whole field"},
		{"after a quote", ".csv", header + "\"a\"b\"\",0,0,1,0.5,,0.5,0,0.5\n", "want quotes around the whole field"},
		{"encoding", ".csv", header + "\xe9,0,0,1,0.5,,0.5,0,0.5\n", "line 2: want UTF-8 text"},
		{"line of a later row", ".csv", header + "\"1\n2\",0,0,1,0.5,,0.5,0,0.5\n1,0,0,2,0.5,,0.5,0,0.5\n", "line 4: phi: want cells"},
		{"modality without name", ".csv", "id,predicted,base,output,intershap,intershap_se,phi.,phi.b,phi.:b\n", "want a name for every modality"},
		{"order of targets", ".csv", named + "x,1,0,0,1,0.5,,0.5,0,0.5\ny,1,0,0,1,0.5,,0.5,0,0.5\ny,2,0,0,1,0.5,,0.5,0,0.5\n", `line 4: want target "x" next, got "y"`},
		{"target is missing", ".csv", named + "x,1,0,0,1,0.5,,0.5,0,0.5\ny,1,0,0,1,0.5,,0.5,0,0.5\nx,2,0,0,1,0.5,,0.5,0,0.5\n", `sample 1 (id "2"): want a row for target "y", got none: is the file complete?`},
		{"other id", ".csv", named + "x,1,0,0,1,0.5,,0.5,0,0.5\ny,2,0,0,1,0.5,,0.5,0,0.5\n", `want the same id and prediction for each target, got "2" and 0 after "1" and 0`},
		{"target without name", ".csv", named + ",1,0,0,1,0.5,,0.5,0,0.5\n", "want a name for every target"},

		{"good", ".jsonl", `{"id":7,` + object + arrays, ""},
		{"text id", ".jsonl", `{"id":"7",` + object + arrays, ""},
		{"keys of later versions", ".jsonl", `{"id":7,"more":{"a":[1]},` + object + arrays, ""},
		{"empty", ".jsonl", "", "want at least one sample, got none"},
		{"no object", ".jsonl", "[1]\n", "line 1: want one JSON object a line"},
		{"no JSON", ".jsonl", "{\"id\":1,}\n", "line 1: no JSON object"},
		{"foreign", ".jsonl", "{\"age\":1}\n", "got none called id"},
		{"coalitions were drawn", ".jsonl", `{"id":7,` + object + `"phi":[[0.5,0.25],[0.25,0]]}` + "\n", ""},
		{"values of some", ".jsonl", `{"id":7,` + object + arrays + `{"id":8,` + object + `"phi":[[0.5,0.25],[0.25,0]]}` + "\n", "line 2: want values for every sample, or for none"},
		{"null", ".jsonl", `{"id":7,` + strings.Replace(object, `"base":0`, `"base":null`, 1) + arrays, "base: want a number, got null"},
		{"huge", ".jsonl", `{"id":7,` + strings.Replace(object, `"base":0`, `"base":1e999`, 1) + arrays, "base: want a number, got 1e999"},
		{"id", ".jsonl", `{"id":7.5,` + object + arrays, `id: want an int64 or text, got "7.5"`},
		{"values", ".jsonl", `{"id":7,` + object + `"values":[0,0,1],"phi":[[0.5,0.25],[0.25,0]]}` + "\n", "values: want 4 numbers for 2 modalities, got 3"},
		{"phi", ".jsonl", `{"id":7,` + object + `"values":[0,0,0,1],"phi":[[0.5,0.25],[0.25]]}` + "\n", "phi: want 2 rows of 2 numbers"},
		{"sides", ".jsonl", `{"id":7,` + object + `"values":[0,0,0,1],"phi":[[0.5,0.5],[0,0]]}` + "\n", "phi[0][1]: want the same number in both cells of a pair, got 0.5 and 0"},
		{"ends", ".jsonl", `{"id":7,` + object + `"values":[0.5,0,0,1],"phi":[[0.5,0.25],[0.25,0]]}` + "\n", "values: want base first and output last, 0 and 1, got 0.5 and 1"},
		{"two files", ".jsonl", `{"id":7,` + object + arrays + `{"id":8,` + strings.ReplaceAll(object, "phi.a:b", "phi.a:c") + arrays, `line 2: want a key "phi.a:b", got none`},
		{"target too late", ".jsonl", `{"id":7,` + object + arrays + `{"target":"x","id":8,` + object + arrays, "line 2: want no target as in the first line"},
		{"rest of a line", ".jsonl", `{"id":7,` + object + strings.TrimSpace(arrays) + "{}\n", "line 1: want one JSON object a line"},
	} {
		refused(t, c.name+c.format, c.format, []byte(c.content), c.want)
	}
}

// A line without an end is not read to the end of memory.
func TestReadSamplesLongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 40); err != nil { // a hole
		t.Skip("no file with holes here:", err)
	}
	_, err = ReadSamples(path)
	wantFault(t, "a hole", err, "line 1: want a line of at most 64 MiB, got a longer one")
}

// An npzMemberText is an array of a hand-made archive: descr, shape, bytes.
type npzMemberText struct {
	name, descr string
	shape       []int
	data        []byte
}

func float64s(x ...float64) []byte {
	var b bytes.Buffer
	for _, v := range x {
		bits := math.Float64bits(v)
		for i := range 8 {
			b.WriteByte(byte(bits >> (8 * i)))
		}
	}
	return b.Bytes()
}

func int64s(x ...int64) []byte {
	var f []float64
	for _, v := range x {
		f = append(f, math.Float64frombits(uint64(v)))
	}
	return float64s(f...)
}

func letters(texts ...string) []byte {
	var b []byte
	for _, s := range texts {
		b = append(b, s[0], 0, 0, 0)
	}
	return b
}

// members are those of a good file of one sample.
func members() []npzMemberText {
	return []npzMemberText{
		{"modalities", "<U1", []int{2}, letters("a", "b")},
		{"id", "<i8", []int{1}, int64s(7)},
		{"predicted", "<i8", []int{1}, int64s(0)},
		{"base", "<f8", []int{1}, float64s(0)},
		{"output", "<f8", []int{1}, float64s(1)},
		{"intershap", "<f8", []int{1}, float64s(0.5)},
		{"intershap_se", "<f8", []int{1}, float64s(math.NaN())},
		{"phi", "<f8", []int{1, 2, 2}, float64s(0.5, 0.25, 0.25, 0)},
		{"values", "<f8", []int{1, 4}, float64s(0, 0, 0, 1)},
	}
}

func archiveOf(t testing.TB, method uint16, comment string, all []npzMemberText) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	if err := archive.SetComment(comment); err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: m.name + ".npy", Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(append(dataset.NPYHeader(m.descr, m.shape...), m.data...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadSamplesNPZ(t *testing.T) {
	set := func(name, descr string, data []byte, shape ...int) func([]npzMemberText) []npzMemberText {
		return func(all []npzMemberText) []npzMemberText {
			for i := range all {
				if all[i].name == name {
					all[i] = npzMemberText{name, descr, shape, data}
					return all
				}
			}
			return append(all, npzMemberText{name, descr, shape, data})
		}
	}
	drop := func(name string) func([]npzMemberText) []npzMemberText {
		return func(all []npzMemberText) (rest []npzMemberText) {
			for _, m := range all {
				if m.name != name {
					rest = append(rest, m)
				}
			}
			return rest
		}
	}
	same := func(all []npzMemberText) []npzMemberText { return all }
	for _, c := range []struct {
		name, comment string
		method        uint16
		change        func([]npzMemberText) []npzMemberText
		want          string
	}{
		{"good", SamplesSchema, zip.Store, same, ""},
		{"arrays of later versions", SamplesSchema, zip.Store, set("more", "|b1", []byte{1}, 1), ""},
		{"newer", "intershap/samples/v2", zip.Store, same, `want schema "intershap/samples/v1", got "intershap/samples/v2": read it with the version of intershap that wrote it`},
		{"foreign", "", zip.Store, same, "was it written by explain --samples?"},
		{"compressed", SamplesSchema, zip.Deflate, same, `array "modalities": want it stored, not compressed`},
		{"no array", SamplesSchema, zip.Store, drop("phi"), `want an array "phi", got none`},
		{"no names", SamplesSchema, zip.Store, drop("modalities"), `want an array "modalities", got none`},
		{"no modality", SamplesSchema, zip.Store, set("modalities", "<U1", nil, 0), "want 1 to 62 modalities, got 0"},
		{"equal names", SamplesSchema, zip.Store, set("modalities", "<U1", letters("a", "a"), 2), `two modalities called "a"`},
		{"no sample", SamplesSchema, zip.Store, set("id", "<i8", nil, 0), "want at least one sample, got none"},
		{"count", SamplesSchema, zip.Store, set("predicted", "<i8", int64s(0, 0), 2), `array "predicted": want 1 samples as "id" has, got 2`},
		{"count of base", SamplesSchema, zip.Store, set("base", "<f8", float64s(0, 0), 2), `array "base": want shape [1] of float64, got [2] of float64`},
		{"type", SamplesSchema, zip.Store, set("base", "<f4", make([]byte, 4), 1), `array "base": want shape [1] of float64, got [1] of float32`},
		{"axes", SamplesSchema, zip.Store, set("phi", "<f8", float64s(0.5, 0.25, 0.25, 0), 1, 4), `array "phi": want shape [1,2,2] of float64, got [1,4] of float64`},
		{"id of floats", SamplesSchema, zip.Store, set("id", "<f8", float64s(7), 1), `array "id": want one axis of int64, got shape [1] of float64`},
		{"axis of targets", SamplesSchema, zip.Store, set("targets", "<U1", letters("x"), 1), `array "base": want shape [1,1] of float64, got [1] of float64`},
		{"object", SamplesSchema, zip.Store, set("base", "|O", make([]byte, 8), 1), "an object array"},
		{"claims too much", SamplesSchema, zip.Store, set("base", "<f8", float64s(0), 1<<27), "the member has 8"},
		{"NaN", SamplesSchema, zip.Store, set("base", "<f8", float64s(math.NaN()), 1), `sample 0 (id "7"): base: want a finite number, got NaN`},
		{"infinite value", SamplesSchema, zip.Store, set("values", "<f8", float64s(0, 0, math.Inf(-1), 1), 1, 4), "value of coalition 0b10: want a finite number, got -Inf"},
		{"share", SamplesSchema, zip.Store, set("intershap", "<f8", float64s(math.Inf(1)), 1), "intershap: want a fraction within [0, 1], got +Inf"},
	} {
		refused(t, c.name, ".npz", archiveOf(t, c.method, c.comment, c.change(members())), c.want)
	}
	content := archiveOf(t, zip.Store, SamplesSchema, members())
	at := bytes.Index(content, float64s(0.5, 0.25))
	content[at] ^= 1
	refused(t, "a flipped bit", ".npz", content, `array "phi" is damaged (zip: checksum error): is the file complete?`)
	refused(t, "another format", ".npz", []byte("id,predicted\n"), "no NPZ archive, or one without its end")
	refused(t, "another format", ".parquet", []byte("id,predicted\n"), "no Parquet file, or one without its end")
}

// parquetOf writes a table with our schema's key; constant columns repeat one number.
func parquetOf(t testing.TB, key string, rows int, dictionary bool, names []string, types []arrow.DataType, value func(b array.Builder, column, row int)) []byte {
	t.Helper()
	var fields []arrow.Field
	for i, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: types[i], Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i := range rows {
		for c := range names {
			value(builder.Field(c), c, i)
		}
	}
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(parquet.WithDictionaryDefault(dictionary)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		if err := w.AppendKeyValueMetadata(SamplesSchemaKey, key); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(builder.NewRecordBatch()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var parquetNames = []string{"id", "predicted", "base", "output", "intershap", "intershap_se", "phi.a", "phi.b", "phi.a:b"}

func parquetTypes() []arrow.DataType {
	types := []arrow.DataType{arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64}
	for range len(parquetNames) - len(types) {
		types = append(types, arrow.PrimitiveTypes.Float64)
	}
	return types
}

// parquetRow is a good row: id, 0, 0, 1, 0.5, null, 0.5, 0, 0.5.
func parquetRow(b array.Builder, column, row int) {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append("id")
	case *array.Int64Builder:
		b.Append(0)
	case *array.Float64Builder:
		if column == 5 {
			b.AppendNull()
			return
		}
		b.Append([]float64{0, 1, 0.5, 0, 0.5, 0, 0.5}[column-2])
	}
}

func TestReadSamplesParquet(t *testing.T) {
	const rows = 3
	good := func(key string) []byte {
		return parquetOf(t, key, rows, true, parquetNames, parquetTypes(), parquetRow)
	}
	refused(t, "good", ".parquet", good(SamplesSchema), "")
	refused(t, "newer", ".parquet", good("intershap/samples/v2"), `got "intershap/samples/v2"`)
	refused(t, "foreign", ".parquet", good(""), "was it written by explain --samples?")
	other := parquetTypes()
	other[1] = arrow.PrimitiveTypes.Float64
	refused(t, "type", ".parquet", parquetOf(t, SamplesSchema, rows, true, parquetNames, other, func(b array.Builder, c, r int) {
		if c == 1 {
			b.(*array.Float64Builder).Append(0)
			return
		}
		parquetRow(b, c, r)
	}), `column "predicted": want type INT64, got DOUBLE`)
	refused(t, "null", ".parquet", parquetOf(t, SamplesSchema, rows, true, parquetNames, parquetTypes(), func(b array.Builder, c, r int) {
		if c == 2 && r == 1 {
			b.AppendNull()
			return
		}
		parquetRow(b, c, r)
	}), `column "base": want a value, got null`)
	refused(t, "NaN", ".parquet", parquetOf(t, SamplesSchema, rows, true, parquetNames, parquetTypes(), func(b array.Builder, c, r int) {
		if c == 2 && r == 1 {
			b.(*array.Float64Builder).Append(math.NaN())
			return
		}
		parquetRow(b, c, r)
	}), "row 1: base: want a finite number, got NaN")
	nested := parquetTypes()
	nested[2] = arrow.ListOf(arrow.PrimitiveTypes.Float64)
	refused(t, "lists", ".parquet", parquetOf(t, SamplesSchema, rows, true, parquetNames, nested, func(b array.Builder, c, r int) {
		if c == 2 {
			b.(*array.ListBuilder).Append(true)
			b.(*array.ListBuilder).ValueBuilder().(*array.Float64Builder).Append(0)
			return
		}
		parquetRow(b, c, r)
	}), "got none called base")
}

// A few bytes that stand for millions of rows, or for megabytes of text, are refused
// before memory is taken for them.
func TestReadSamplesBombs(t *testing.T) {
	const rows = 400_000
	long := strings.Repeat("x", 1<<16)
	for name, content := range map[string][]byte{
		"rows that repeat": parquetOf(t, SamplesSchema, rows, true, parquetNames, parquetTypes(), parquetRow),
		"text that repeats": parquetOf(t, SamplesSchema, 2000, true, parquetNames, parquetTypes(), func(b array.Builder, c, r int) {
			if c == 0 {
				b.(*array.StringBuilder).Append(long)
				return
			}
			parquetRow(b, c, r)
		}),
	} {
		path := filepath.Join(t.TempDir(), "s.parquet")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := allocated()
		_, err := ReadSamples(path)
		taken := allocated() - before
		wantFault(t, name, err, "is the file damaged?")
		// The limit and the decoder's own buffers.
		if most := uint64(4*(parquetFloor+parquetExpansion*len(content)) + 32<<20); taken > most {
			t.Errorf("%s: want at most %d bytes taken for a file of %d, got %d", name, most, len(content), taken)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Memory for a good file is of its own size.
func TestReadSamplesMemory(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a", "b", "c", "d", "e", "f"}, Targets: []string{"x"}, Samples: 5000, IDs: tensor.Int64}
	rows := makeGames(h, func(i int) string { return fmt.Sprint(i) })
	for _, format := range formats {
		path := writeSamples(t, format, h, rows)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		before := allocated()
		if _, err := ReadSamples(path); err != nil {
			t.Fatal(err)
		}
		// Slices that grow are taken several times over; JSON's numbers are short.
		if taken := allocated() - before; taken > uint64(12*info.Size()+8<<20) {
			t.Errorf("%s: want about the size of the file, %d bytes, got %d taken", format, info.Size(), taken)
		}
	}
}

// FuzzReadSamples feeds bytes to every format: what is read hangs together, and what is
// refused is refused by an error that names the file, in bounded memory.
func FuzzReadSamples(f *testing.F) {
	small := SamplesHeader{Modalities: []string{"a", "b,\""}, Targets: []string{"x", "y"}, Samples: 2, IDs: tensor.String}
	for i, format := range formats {
		for _, h := range []SamplesHeader{two, small} {
			f.Add(uint8(i), contentOf(f, format, h, makeGames(h, numbered)))
		}
	}
	f.Add(uint8(2), []byte("id,predicted,base,output,intershap,intershap_se,phi.a\n1,0,0,0,,,0\n"))
	f.Fuzz(func(t *testing.T, format uint8, content []byte) {
		name := "s" + formats[int(format)%len(formats)]
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := allocated()
		s, err := ReadSamples(path)
		if taken := allocated() - before; taken > uint64(200*len(content)+80<<20) {
			t.Errorf("%d bytes took %d bytes of memory", len(content), taken)
		}
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if problem := torn(s); problem != "" {
			t.Error(problem)
		}
	})
}

// torn says where lengths do not fit.
func torn(s *Samples) string {
	n, m := s.Len(), len(s.Modalities)
	if n == 0 || m == 0 || len(s.Predicted) != n || len(s.ByTarget) != len(s.Targets) || len(s.Targets) == 0 {
		return fmt.Sprintf("%d samples, %d predictions, %d modalities, %d of %d targets", n, len(s.Predicted), m, len(s.ByTarget), len(s.Targets))
	}
	for _, t := range s.ByTarget {
		if len(t.Base) != n || len(t.Output) != n || len(t.InterSHAP) != n || len(t.SE) != n || len(t.Phi) != n*m*m ||
			t.Values != nil && len(t.Values) != n<<m {
			return "a target of another length than the samples"
		}
	}
	return ""
}

func TestTornSeesLengths(t *testing.T) {
	s := wantSamples(two, makeGames(two, numbered), true)
	if problem := torn(s); problem != "" {
		t.Fatal(problem)
	}
	s.ByTarget[1].SE = append(s.ByTarget[1].SE, score.Share{})
	if torn(s) == "" {
		t.Error("want a length that does not fit to be seen")
	}
}
