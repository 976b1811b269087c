package dataset

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap/tensor"
)

// TestAttributes reads columns of every type beside the inputs, some of which are
// inputs, the id and the label too.
func TestAttributes(t *testing.T) {
	schema := schemaOf(field("x", arrow.PrimitiveTypes.Float32), field("site", arrow.BinaryTypes.String), field("sex", arrow.PrimitiveTypes.Int8),
		field("weight", arrow.PrimitiveTypes.Float32), field("dead", arrow.FixedWidthTypes.Boolean), field("label", arrow.PrimitiveTypes.Int64), field("id", arrow.PrimitiveTypes.Int64))
	text := []string{"A", "B", "A"}
	for name, f := range map[string]File{
		"memory": arrays(t, Array{"x", tensor.Of([]float32{1, 2, 3})}, Array{"site", tensor.Of(text, 3, 1)}, Array{"sex", tensor.Of([]uint16{1, 0, 1})},
			Array{"weight", tensor.Of([]float32{0.5, 1, 2})}, Array{"dead", tensor.Of([]bool{true, false, false})}, Array{"label", tensor.Of([]int64{0, 1, 1})}, Array{"id", tensor.Of([]int64{7, 8, 9})}),
		"CSV": openCSVText(t, "x,site,sex,weight,dead,label,id\n1,A,1,0.5,true,0,7\n2,B,0,1,False,1,8\n3,A,1,2,FALSE,1,9\n"),
		"Parquet": open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"), schema, 2,
			`{"x": 1, "site": "A", "sex": 1, "weight": 0.5, "dead": true, "label": 0, "id": 7}`,
			`{"x": 2, "site": "B", "sex": 0, "weight": 1, "dead": false, "label": 1, "id": 8}`,
			`{"x": 3, "site": "A", "sex": 1, "weight": 2, "dead": false, "label": 1, "id": 9}`)),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32), spec("sex", tensor.Float32)}, BindOptions{Attributes: []Attribute{
				{Name: "site"}, {Name: "weight"}, {Name: "none", Optional: true}, {Name: "sex"}, {Name: "dead"}, {Name: "site", Optional: true}, {Name: "label"}, {Name: "id"},
			}})
			check(t, err)
			if warnings := s.Warnings(); len(warnings) > 0 {
				t.Errorf("want no warnings, got %v", warnings)
			}
			check(t, s.Check(t.Context(), nil))
			site := tensor.Of(text)
			want := []tensor.Tensor{
				site, tensor.Of([]float64{0.5, 1, 2}), {}, tensor.Of([]int64{1, 0, 1}), tensor.Of([]string{"true", "false", "false"}), site,
				tensor.Of([]int64{0, 1, 1}), tensor.Of([]int64{7, 8, 9}),
			}
			compare := func(way string, from int, got []tensor.Tensor, rows ...int) {
				t.Helper()
				for i, w := range want {
					if w.DType() == 0 {
						if got[i].DType() != 0 {
							t.Errorf("%s: an attribute that is not there: want the zero Tensor, got %s", way, got[i].DType())
						}
						continue
					}
					for j, row := range rows {
						if w.DType() != got[i].DType() || !slices.Equal(got[i].Shape(), []int{len(rows)}) || w.Format(row) != got[i].Format(j) {
							t.Errorf("%s: attribute %d, row %d: want %s, got %s of type %s, shape %v", way, i, row, w.Format(row), got[i].Format(j), got[i].DType(), got[i].Shape())
						}
					}
				}
			}
			rows, err := s.Read(t.Context(), 1, 3)
			check(t, err)
			compare("Read", 1, rows.Attributes, 1, 2)
			gathered, err := s.Gather(t.Context(), []int{2, 0, 2})
			check(t, err)
			compare("Gather", 0, gathered.Attributes, 2, 0, 2)
			alone := *s
			alone.view = withoutColumn{s.view, t, "x"}
			got, err := alone.ReadAttributes(t.Context(), 0, 2)
			check(t, err)
			compare("ReadAttributes", 0, got, 0, 1)
			if rows.Labels.DType() != tensor.Int64 || rows.IDs.Format(0) != "8" {
				t.Error("the label and the id must stay what they are")
			}
		})
	}
	s := bind(t, arrays(t, Array{"x", floats(2)}), spec("x", tensor.Float32))
	if got, err := s.ReadAttributes(t.Context(), 0, 2); err != nil || got != nil {
		t.Errorf("no attributes: want nil, got %v, %v", got, err)
	}
}

// withoutColumn is a file that fails when one of its columns is read.
type withoutColumn struct {
	File
	t    *testing.T
	name string
}

func (f withoutColumn) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	for _, c := range columns {
		if f.Columns()[c].Name == f.name {
			f.t.Errorf("want column %q unread", f.name)
		}
	}
	return f.File.Read(ctx, lo, hi, columns)
}

func TestAttributeFaults(t *testing.T) {
	x := Array{"x", floats(3)}
	csv := openCSVText(t, "x,site,age\n1,A,2\n2,,3\n3,B,NA\n")
	nulls := open(t, writeParquet(t, filepath.Join(t.TempDir(), "data.parquet"),
		schemaOf(field("x", arrow.PrimitiveTypes.Float32), field("site", arrow.BinaryTypes.String)), 2, `{"x": 1, "site": "a"}`, `{"x": 2, "site": null}`))
	for _, tt := range []struct {
		name, attribute string
		file            File
		want, hint      string
	}{
		{"no such column", "sitee", arrays(t, x, Array{"site", floats(3)}), `column "sitee": want a column of this name, got none`, `did you mean "site"?`},
		{"several values", "g", arrays(t, x, Array{"g", floats(3, 2)}), `column "g": want one value a row, got [N,2]`, ""},
		{"NaN", "g", arrays(t, x, Array{"g", tensor.Of([]float64{1, 2, nan})}), `row 2: column "g": want a finite number, got NaN`, "fill it in"},
		{"infinity", "g", arrays(t, x, Array{"g", tensor.Of([]float32{1, 2, float32(math.Inf(1))})}), `row 2: column "g": want a finite number, got +Inf`, "fill it in"},
		{"empty text", "g", arrays(t, x, Array{"g", tensor.Of([]string{"a", " ", "b"})}), `row 1: column "g": want a value, got empty text (missing)`, "fill it in"},
		{"NUL", "g", arrays(t, x, Array{"g", tensor.Of([]string{"a", "b", "\x00"})}), `row 2: column "g": want text without the character NUL, got "\x00"`, "NUL"},
		{"too large", "g", arrays(t, x, Array{"g", tensor.Of([]uint64{1, 2, 1 << 63})}), `row 2: column "g": want int64, got 9223372036854775808: it is out of range`, "as text"},
		{"an empty cell", "site", csv, `:3: column "site": want a value, got an empty cell (missing)`, "fill it in"},
		{"NA among numbers", "age", csv, `:4: column "age": want a value, got "NA" (missing)`, "fill it in"},
		{"null", "site", nulls, `: row 1: column "site": want a value, got null (missing)`, "fill it in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Bind(t.Context(), tt.file, []tensor.Spec{spec("x", tensor.Float32)}, BindOptions{Attributes: []Attribute{{Name: tt.attribute}}})
			var alone error
			if err == nil {
				_, alone = s.ReadAttributes(t.Context(), 0, s.Len())
				err = s.Check(t.Context(), nil)
				if alone == nil || err == nil || alone.Error() != err.Error() {
					t.Errorf("want ReadAttributes and Check to fail alike, got %v and %v", alone, err)
				}
			}
			separator := ": "
			if strings.HasPrefix(tt.want, ":") {
				separator = ""
			}
			wantError(t, err, "dataset: "+tt.file.Path()+separator+tt.want, tt.hint)
		})
	}
	short := open(t, writeNPZ(t, 0, member{"x.npy", npyFloats("(3,)", []float32{1, 2, 3})}, member{"y.npy", npyFloats("(3,)", []float32{1, 2, 3})}, member{"g.npy", npyFloats("(2,)", []float32{1, 2})}))
	_, err := Bind(t.Context(), short, []tensor.Spec{spec("x", tensor.Float32)}, BindOptions{Attributes: []Attribute{{Name: "g"}}})
	wantError(t, err, "dataset: "+short.Path()+`: column "g": want 3 rows as "x" has, got 2 rows`, "axis 0")

	// A regression's label is no class, but may be an attribute.
	f := arrays(t, x, Array{labelColumn, tensor.Of([]float64{0.5, 1, 2})})
	s, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32)}, BindOptions{Attributes: []Attribute{{Name: labelColumn}}})
	check(t, err)
	got, err := s.ReadAttributes(t.Context(), 0, 3)
	check(t, err)
	if diff := diffTensors(tensor.Of([]float64{0.5, 1, 2}), got[0]); diff != "" || s.HasLabels() {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
