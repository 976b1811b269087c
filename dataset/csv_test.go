package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

func openCSVText(t testing.TB, text string) File {
	t.Helper()
	return open(t, writeFile(t, "data.csv", []byte(text)))
}

func TestCSVInfersTypes(t *testing.T) {
	for _, tt := range []struct {
		name, cells string
		want        tensor.DType
	}{
		{"integers", "1,-2,+3", tensor.Int64},
		{"integers with blanks around", " 1,2 ,3", tensor.Int64},
		{"one fraction among integers", "1,2.5,3", tensor.Float64},
		{"exponents", "1e3,2E-2,.5", tensor.Float64},
		{"infinity is a number, refused when read", "1,inf,2", tensor.Float64},
		{"booleans of Python and of Go", "True,false,TRUE", tensor.Bool},
		{"booleans and numbers", "true,1,0", tensor.String},
		{"words", "a,b,c", tensor.String},
		{"one word among numbers", "1,2,n/a", tensor.String},
		{"NA beside numbers misses a value", "1,NA,2", tensor.Int64},
		{"NA beside words is a word", "NA,AN,b", tensor.String},
		{"integers above int64 stay exact as text", "1,99999999999999999999,2", tensor.String},
		{"integers above int64 beside fractions are numbers", "1.5,99999999999999999999,2", tensor.Float64},
		{"hexadecimal is text", "0x10,1,2", tensor.String},
		{"grouped digits are text", "1_000,1,2", tensor.String},
		{"dates are text", "2026-01-01,2026-01-02,2026-01-03", tensor.String},
		{"a lone sign is text", "-,1,2", tensor.String},
		{"an open exponent is text", "1e,1,2", tensor.String},
	} {
		f := openCSVText(t, "x\n"+strings.ReplaceAll(tt.cells, ",", "\n")+"\n")
		if got := f.Columns()[0].DType; got != tt.want {
			t.Errorf("%s (%s): want %s, got %s", tt.cells, tt.name, tt.want, got)
		}
		if f.Len() != 3 {
			t.Errorf("%s: want 3 rows, got %d", tt.cells, f.Len())
		}
	}
}

func TestCSVReads(t *testing.T) {
	const text = "\ufeffid, x.age ,name,flag\r\n" +
		"7,1.5,\"a, \"\"b\"\"\",true\r\n" +
		"\r\n" + // blank lines are no rows
		"8,2,\"two\nlines\",false\r\n" +
		"9,-3e1,c,True" // no line break at the end
	f := openCSVText(t, text)
	var names []string
	for _, c := range f.Columns() {
		names = append(names, c.Name)
	}
	if diff := cmp.Diff([]string{"id", "x.age", "name", "flag"}, names); diff != "" {
		t.Errorf("names, byte order mark and blanks taken off (-want +got):\n%s", diff)
	}
	for name, want := range map[string]tensor.Tensor{
		"id":    tensor.Of([]int64{7, 8, 9}),
		"x.age": tensor.Of([]float64{1.5, 2, -30}),
		"name":  tensor.Of([]string{`a, "b"`, "two\nlines", "c"}),
		"flag":  tensor.Of([]bool{true, false, true}),
	} {
		for lo := range 3 {
			if diff := diffTensors(want.Slice(lo, 3), readColumn(t, f, name, lo, 3)); diff != "" {
				t.Errorf("%s from row %d (-want +got):\n%s", name, lo, diff)
			}
		}
	}
}

func TestCSVFaults(t *testing.T) {
	numeric := spec("age", tensor.Float32)
	for _, tt := range []struct {
		name, text string
		want, hint string // want follows the file's name
	}{
		{"a word among numbers", "id,age\n1,3\n\n2,n/a\n", `:4: column "age": want float32, got "n/a"`, "must be a number"},
		{"a word, then an empty cell", "age,b\nx,1\n,1\n", `:2: column "age": want float32, got "x"`, "must be a number"},
		{"an empty cell", "age,b\n1,1\n,1\n", `:3: column "age": want a value, got an empty cell (missing)`, "impute"},
		{"NaN is a missing value", "age\n1\nNaN\n", `:3: column "age": want a value, got "NaN" (missing)`, "impute"},
		{"NA", "age\n1\nNA\n", `:3: column "age": want a value, got "NA" (missing)`, "impute"},
		{"null", "age\nnull\n2\n", `:2: column "age": want a value, got "null" (missing)`, "impute"},
		{"None", "age\n1\nNone\n", `:3: column "age": want a value, got "None" (missing)`, "impute"},
		{"nothing but empty cells", "age,b\n,1\n,2\n", `:2: column "age": want a value, got an empty cell (missing)`, "impute"},
		{"a quoted word", "age\n1\n\"two\"\"\"\n", `:3: column "age": want float32, got "two\""`, "must be a number"},
		{"inf is seen when read", "age\n1\n-inf\n", `:3: column "age": want a finite number, got -Inf`, "impute"},
		{"too large for float64", "age\n1\n1e999\n", `:3: column "age": want float64, got "1e999": out of range`, ""},
		{"too large for float32", "age\n1\n1e39\n", `:3: column "age": want float32, got 1e+39: it is out of range`, ""},
		{"an integer that float32 does not hold", "age\n1\n16777217\n", `:3: column "age": want float32, got 16777217: it has no exact representation`, ""},
		{"an integer above int64", "age\n1\n99999999999999999999\n", `:3: column "age": want float32, got "99999999999999999999": too large an integer for int64`, "1e20"},
		{"too few fields, after a cell of two lines", "age,b\n1,\"x\ny\"\n2\n", `:4: want 2 fields as in the header, got 1`, "decimal commas"},
		{"too many fields", "age,b\n1,2,3\n", `:2: want 2 fields as in the header, got 3`, "quote a cell"},
		{"a quote inside a cell", "age,b\n1,x\"y\n", `:2: bare " in non-quoted-field`, "double the quotes"},
		{"a quote that never closes", "age,b\n1,\"x\n", `:2: extraneous or missing " in quoted-field`, "double the quotes"},
		{"a name twice", "age,age\n1,2\n", `: column "age": want one column of this name, got another`, "rename"},
		{"no name", "age,\n1,2\n", `: want a name for every column, got none for column 1`, "index=False"},
		{"no rows", "age,b\n", `: want at least one row, got none`, ""},
		{"nothing", "", `: want a header line with column names, got an empty file`, ""},
		{"Latin-1 in a cell", "age,name\n1,Anna\n2,M\xfcller\n", `:3: column "name": want UTF-8 text, got the byte 0xFC`, "iconv -f latin1 -t utf8"},
		{"Latin-1 on the second line of a cell", "age,name\n1,\"Anna\nM\xfcller\"\n", `:3: column "name": want UTF-8 text, got the byte 0xFC`, "iconv"},
		{"Latin-1 in the header", "age,gr\xf6\xdfe\n1,2\n", ":1: column \"gr\uFFFDe\": want UTF-8 text, got the byte 0xF6", "iconv"},
		{"UTF-8 cut in a letter", "age,name\n1,\xe2\x82\n", `:2: column "name": want UTF-8 text, got the byte 0xE2`, "iconv"},
		{"UTF-16", "\xff\xfea\x00", `: want UTF-8 text, got UTF-16`, "UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, "scan.csv", []byte(tt.text))
			err := func() error {
				f, err := Open(context.Background(), path)
				if err != nil {
					return err
				}
				defer f.Close()
				s, err := Bind(t.Context(), f, []tensor.Spec{numeric}, BindOptions{})
				if err != nil {
					return err
				}
				return s.Check(context.Background(), nil)
			}()
			wantError(t, err, "dataset: "+path+tt.want, tt.hint)
		})
	}
}

// TestCSVTakesUTF8 reads letters of every length, U+FFFD itself included.
func TestCSVTakesUTF8(t *testing.T) {
	const letters = "aé€😀\uFFFD"
	f := openCSVText(t, letters+"\n"+letters+"\n")
	if got := f.Columns()[0].Name; got != letters {
		t.Errorf("want the name %q, got %q", letters, got)
	}
	if diff := diffTensors(tensor.Of([]string{letters}), readColumn(t, f, letters, 0, 1)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCSVFaultKnowsRowAndLine reads the fields of the error, which programs
// use.
func TestCSVFaultKnowsRowAndLine(t *testing.T) {
	f := openCSVText(t, "age,note\n1,\"a\nb\"\n2,c\ninf,d\n")
	_, err := bind(t, f, spec("age", tensor.Float32)).Read(context.Background(), 1, 3)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want an *Error, got %v", err)
	}
	if e.Row != 2 || e.Line != 5 || e.Column != "age" {
		t.Errorf(`want row 2, line 5, column "age", got row %d, line %d, column %q`, e.Row, e.Line, e.Column)
	}
}

// TestCSVTextInput checks that a model which takes text gets the cells as they
// stand, whatever they look like.
func TestCSVTextInput(t *testing.T) {
	f := openCSVText(t, "word,age\n007,1\n1.50,2\n")
	s := bind(t, f, spec("word", tensor.String), spec("age", tensor.Float32))
	rows, err := s.Read(context.Background(), 0, 2)
	check(t, err)
	if diff := diffTensors(tensor.Of([]string{"007", "1.50"}), rows.Inputs[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := diffTensors(tensor.Of([]float32{1, 2}), rows.Inputs[1]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// manyRows is a CSV file whose row i holds i, with a cell of two lines in
// every third row, so that rows and lines run apart.
func manyRows(n int) string {
	var b strings.Builder
	b.WriteString("x,note\n")
	for i := range n {
		note := "n"
		if i%3 == 0 {
			note = "\"a\nb\""
		}
		fmt.Fprintf(&b, "%d,%s\n", i, note)
	}
	return b.String()
}

func TestCSVRandomAccess(t *testing.T) {
	const rows = 5 * csvStride
	f := openCSVText(t, manyRows(rows))
	for _, r := range [][2]int{{0, 10}, {10, 20}, {3, 7}, {rows - 1, rows}, {csvStride - 1, csvStride + 1}, {csvStride, csvStride}, {0, rows}, {2000, 2001}, {1999, 2003}} {
		got := tensor.Values[int64](readColumn(t, f, "x", r[0], r[1]))
		for i, v := range got {
			if v != int64(r[0]+i) {
				t.Fatalf("rows %v: want %d at %d, got %d", r, r[0]+i, i, v)
			}
		}
		if len(got) != r[1]-r[0] {
			t.Errorf("rows %v: got %d rows", r, len(got))
		}
	}
}

// TestCSVIndexIsBounded fills the index many times over.
func TestCSVIndexIsBounded(t *testing.T) {
	s := &csvSource{stride: csvStride}
	for row := range 40 * maxCSVMarks {
		if row%(s.stride/csvStride) == 0 {
			s.mark(csvMark{offset: int64(row)})
		}
		if len(s.marks) > maxCSVMarks {
			t.Fatalf("%d marks, want at most %d", len(s.marks), maxCSVMarks)
		}
	}
	for i, m := range s.marks {
		if want := int64(i * s.stride / csvStride); m.offset != want {
			t.Fatalf("mark %d of stride %d: want row %d, got %d", i, s.stride, want, m.offset)
		}
	}
}

func TestCSVConcurrentReads(t *testing.T) {
	const rows, step = 4 * csvStride, 64
	concurrently(t, openCSVText(t, manyRows(rows)), rows, step)
}

// concurrently reads all rows of column x, in which row i is i, from several
// goroutines.
func concurrently(t *testing.T, f File, rows, step int) {
	t.Helper()
	x := column(t, f, "x")
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for lo := worker * step; lo < rows; lo += 4 * step {
				hi := min(lo+step, rows)
				out, err := f.Read(context.Background(), lo, hi, []int{x})
				if err != nil {
					t.Error(err)
					return
				}
				for i, v := range tensor.Values[int64](out[0]) {
					if v != int64(lo+i) {
						t.Errorf("row %d holds %d", lo+i, v)
						return
					}
				}
			}
		})
	}
	group.Wait()
}

func TestCSVRecordLimit(t *testing.T) {
	c := (&csvSource{path: "long.csv"}).cursor(csvMark{line: 1}, 0)
	c.in.r = strings.NewReader("\"" + strings.Repeat("x", 1<<16))
	c.in.read = maxCSVRecord - 1<<15 // as if the record had started that long ago
	_, err := c.record()
	wantError(t, err, "dataset: long.csv: cannot be read: "+errCSVRecord.Error(), "damaged")
}
