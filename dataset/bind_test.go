package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/tensor"
)

func floats(shape ...int) tensor.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return fill(n, shape, func(i int) float32 { return float32(i) })
}

func TestBindAxes(t *testing.T) {
	for _, tt := range []struct {
		name             string
		shape, have, got []int // shape with axis 0, the others without; got nil: refused
		flat             bool
	}{
		{"equal", []int{-1, 8, 24}, []int{8, 24}, []int{8, 24}, false},
		{"axis 0 is not looked at", []int{7, 8}, []int{8}, []int{8}, false},
		{"any length", []int{-1, -1, 24}, []int{8, 24}, []int{8, 24}, false},
		{"wrong width", []int{-1, 8, 24}, []int{8, 12}, nil, false},
		{"wrong rank", []int{-1, 192}, []int{8, 24}, nil, false},
		{"scalar for a column of one", []int{-1}, []int{1}, []int{}, false},
		{"column of one for a scalar", []int{-1, 1}, []int{}, []int{1}, false},
		{"any length for a scalar", []int{-1, -1}, []int{}, []int{1}, false},
		{"scalar for two", []int{-1}, []int{2}, nil, false},
		{"flat, reshaped", []int{-1, 8, 24}, []int{192}, []int{8, 24}, true},
		{"flat, one free axis", []int{-1, -1, 24}, []int{192}, []int{8, 24}, true},
		{"flat, two free axes", []int{-1, -1, -1}, []int{192}, nil, true},
		{"flat, does not divide", []int{-1, -1, 25}, []int{192}, nil, true},
		{"flat, too few", []int{-1, 8, 25}, []int{192}, nil, true},
		{"flat, too many", []int{-1, 8, 23}, []int{192}, nil, true},
		{"flat, huge axes", []int{-1, 1 << 30, 1 << 30}, []int{192}, nil, true},
		{"no shape takes what is there", nil, []int{3, 4}, []int{3, 4}, false},
	} {
		got, ok := fitAxes(tt.shape, tt.have, tt.flat)
		if want := tt.got != nil; ok != want {
			t.Errorf("%s: fits is %v, want %v", tt.name, ok, want)
			continue
		}
		if ok && tensor.FormatShape(got) != tensor.FormatShape(tt.got) {
			t.Errorf("%s: want %v, got %v", tt.name, tt.got, got)
		}
	}
}

func TestBindFaults(t *testing.T) {
	f := arrays(t,
		Array{"image", floats(4, 2, 3)}, Array{"clinical.age", floats(4)}, Array{"clinical.sex", floats(4)},
		Array{"name", tensor.Of([]string{"a", "b", "c", "d"})}, Array{"wide.a", floats(4, 2)}, Array{"label", floats(4)})
	for _, tt := range []struct {
		name       string
		input      tensor.Spec
		role       string
		want, hint string
	}{
		{"wrong width", spec("image", tensor.Float32, 2, 4), "", `column "image": want [N,2,4] for the model's input "image", got [N,2,3]`, ""},
		{"wrong rank", spec("image", tensor.Float32, 6), "", `column "image": want [N,6] for the model's input "image", got [N,2,3]`, ""},
		{"wrong dtype", spec("image", tensor.String, 2, 3), "", `column "image": want string, got float32`, "never converted"},
		{"text for numbers", spec("name", tensor.Int64), "", `column "name": want int64, got string`, "never converted"},
		{"another number of columns", spec("clinical", tensor.Float32, 3), "", `column "clinical": want [N,3] for the model's input "clinical", got [N,2] from 2 columns "clinical.*"`, ""},
		{"an array inside a group", spec("wide", tensor.Float32, 2), "", `column "wide.a": want one value a row, as a part of input "wide", got 2 elements`, "without a dot"},
		{"a slip", spec("Image", tensor.Float32), "", `column "Image": want a column "Image" or columns "Image.*" for the model's input, got none`, `did you mean "image"?`},
		{"a slip in a group", spec("clinicl", tensor.Float32), "data", `column "clinicl": want a column "clinicl" or columns "clinicl.*" for the model's input, got none`, `clinical.* (2 columns), name, wide.a, label; did you mean "clinical"?`},
		{"the background's lack", spec("rna", tensor.Float32), "background", `column "rna": want a column "rna" or columns "rna.*" for the model's input, got none: the background lacks this input`, "the file has image"},
	} {
		_, err := Bind(t.Context(), f, []tensor.Spec{tt.input}, BindOptions{Role: tt.role})
		t.Run(tt.name, func(t *testing.T) { wantError(t, err, "dataset: memory: "+tt.want, tt.hint) })
	}
	_, err := Bind(t.Context(), f, nil, BindOptions{})
	wantError(t, err, "dataset: memory: want a model with at least one input, got none", "")
	empty := arrays(t, Array{"x", floats(0, 3)})
	_, err = Bind(t.Context(), empty, []tensor.Spec{spec("x", tensor.Float32, 3)}, BindOptions{})
	wantError(t, err, "dataset: memory: want at least one row, got none", "")
}

func TestFromArraysFaults(t *testing.T) {
	for _, tt := range []struct {
		name       string
		arrays     []Array
		want, hint string
	}{
		{"unequal lengths", []Array{{"a", floats(3)}, {"b", floats(2)}}, `column "b": want 3 rows as "a" has, got 2 rows`, "axis 0"},
		{"a name twice", []Array{{"a", floats(3)}, {"a", floats(3)}}, `column "a": want one column of this name, got another`, "rename"},
		{"the zero tensor", []Array{{"a", tensor.Tensor{}}}, `column "a": want a row of at least one element, got shape []`, ""},
		{"rows of nothing", []Array{{"a", floats(3, 0)}}, `column "a": want a row of at least one element, got shape [3,0]`, ""},
	} {
		_, err := FromArrays(tt.arrays...)
		t.Run(tt.name, func(t *testing.T) { wantError(t, err, "dataset: memory: "+tt.want, tt.hint) })
	}
}

func TestBindIDsAndLabels(t *testing.T) {
	for _, tt := range []struct {
		name        string
		ids, labels tensor.Tensor
		wantIDs     tensor.Tensor
		wantLabels  tensor.Tensor
		warning     string
	}{
		{"none of both", tensor.Tensor{}, tensor.Tensor{}, tensor.Of([]int64{0, 1}), tensor.Tensor{}, ""},
		{"integers of other widths", tensor.Of([]uint16{7, 8}), tensor.Of([]int8{1, 0}), tensor.Of([]int64{7, 8}), tensor.Of([]int64{1, 0}), ""},
		{"text", tensor.Of([]string{"p", "q"}), tensor.Of([]string{"no", "yes"}), tensor.Of([]string{"p", "q"}), tensor.Of([]string{"no", "yes"}), ""},
		{"whole floats are classes", tensor.Of([]float64{1.5, 2}), tensor.Of([]float32{1, 2}), tensor.Of([]string{"1.5", "2"}), tensor.Of([]int64{1, 2}), ""},
		{"a column of one", tensor.Of([]int64{5, 6}, 2, 1), tensor.Of([]bool{true, false}, 2, 1), tensor.Of([]int64{5, 6}), tensor.Of([]int64{1, 0}), ""},
		{"fractions are no classes", tensor.Tensor{}, tensor.Of([]float64{1, 2.5}), tensor.Of([]int64{0, 1}), tensor.Tensor{},
			`the column "label" holds no classes (it is 2.5 in row 1) and is ignored; write one class a row, a whole number or a name, if labels are wanted`},
		{"several a row are no classes", tensor.Tensor{}, tensor.Of([]int64{0, 1, 1, 0}, 2, 2), tensor.Of([]int64{0, 1}), tensor.Tensor{},
			`the column "label" holds no classes (it has the shape [N,2]) and is ignored; write one class a row, a whole number or a name, if labels are wanted`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := []Array{{"x", floats(2, 3)}}
			if tt.labels.DType() != 0 {
				all = append(all, Array{"label", tt.labels})
			}
			if tt.ids.DType() != 0 {
				all = append(all, Array{"id", tt.ids})
			}
			s := bind(t, arrays(t, all...), spec("x", tensor.Float32, 3))
			rows, err := s.Read(context.Background(), 0, 2)
			check(t, err)
			if diff := diffTensors(tt.wantIDs, rows.IDs); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if want := tt.wantLabels.DType() != 0; s.HasLabels() != want || s.LabelDType() != tt.wantLabels.DType() || rows.Labels.DType() != tt.wantLabels.DType() {
				t.Errorf("want labels: %v, got %v of type %v", want, s.HasLabels(), s.LabelDType())
			} else if want {
				if diff := diffTensors(tt.wantLabels, rows.Labels); diff != "" {
					t.Errorf("labels (-want +got):\n%s", diff)
				}
			}
			var warnings []diag.Warning
			if tt.warning != "" {
				warnings = []diag.Warning{{ID: "ignored-label", Subject: "memory", Text: tt.warning}}
			}
			if diff := cmp.Diff(warnings, s.Warnings()); diff != "" && len(warnings)+len(s.Warnings()) > 0 {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBindLabelAsInput checks that a model's input wins over the meaning that
// a name would have.
func TestBindLabelAsInput(t *testing.T) {
	f := arrays(t, Array{"label", tensor.Of([]int64{3, 4})}, Array{"id", tensor.Of([]int64{8, 9})})
	s := bind(t, f, spec("label", tensor.Float32), spec("id", tensor.Float32))
	rows, err := s.Read(context.Background(), 0, 2)
	check(t, err)
	if s.HasLabels() {
		t.Error("an input is taken for labels")
	}
	if diff := diffTensors(tensor.Of([]int64{0, 1}), rows.IDs); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestBindWarnsOfIgnoredColumns(t *testing.T) {
	all := []Array{{"x", floats(2)}, {"x.age", floats(2)}}
	for i := range 11 {
		all = append(all, Array{fmt.Sprintf("extra%d", i), floats(2)})
	}
	s := bind(t, arrays(t, all...), spec("x", tensor.Float32))
	want := []diag.Warning{{ID: "ignored-column", Subject: "memory", Text: "12 columns of the file belong to no input of the model: " +
		"x.age, extra0, extra1, extra2, extra3, extra4, extra5, extra6, extra7, extra8 and 2 more; rename them to input or input.feature if they should"}}
	if diff := cmp.Diff(want, s.Warnings()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBindWarnsOfOneIgnoredColumn(t *testing.T) {
	s := bind(t, arrays(t, Array{"x", floats(2)}, Array{"y", floats(2)}), spec("x", tensor.Float32))
	want := []diag.Warning{{ID: "ignored-column", Subject: "memory",
		Text: "1 column of the file belongs to no input of the model: y; rename it to input or input.feature if it should"}}
	if diff := cmp.Diff(want, s.Warnings()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBindGroupKeepsFileOrder(t *testing.T) {
	f := openCSVText(t, "x.b,y,x.a.c,id,label\n1,9,2,s,no\n3,8,4,t,yes\n")
	s := bind(t, f, spec("x", tensor.Float16, 2), spec("y", tensor.Int32, 1))
	rows, err := s.Read(context.Background(), 1, 2)
	check(t, err)
	x := make([]float64, 2)
	rows.Inputs[0].Float64s(x)
	if diff := cmp.Diff([]float64{3, 4}, x); diff != "" {
		t.Errorf("x (-want +got):\n%s", diff)
	}
	if diff := diffTensors(tensor.Of([]int32{8}, 1, 1), rows.Inputs[1]); diff != "" {
		t.Errorf("y (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x.b", "x.a.c"}, s.Features(0)); diff != "" {
		t.Errorf("features, split at the first dot (-want +got):\n%s", diff)
	}
	if s.Features(1) != nil {
		t.Errorf("want no features of a column of its own, got %v", s.Features(1))
	}
	wantInputs := []tensor.Spec{spec("x", tensor.Float16, 2), spec("y", tensor.Int32, 1)}
	if diff := cmp.Diff(wantInputs, s.Inputs()); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if rows.Lo != 1 || tensor.Values[string](rows.Labels)[0] != "yes" || tensor.Values[string](rows.IDs)[0] != "t" {
		t.Errorf("want row 1, t, yes; got row %d, ids %v, labels %v", rows.Lo, tensor.Values[string](rows.IDs), tensor.Values[string](rows.Labels))
	}
}

func TestInferInputs(t *testing.T) {
	f := openCSVText(t, "id,rna.a,rna.b,age,rna.c,words.x,words.y,label\n1,1,2,3,0.5,a,b,0\n")
	want := []tensor.Spec{spec("rna", tensor.Float64, 3), spec("age", tensor.Int64), spec("words", tensor.String, 2)}
	if diff := cmp.Diff(want, InferInputs(f), cmp.Transformer("text", tensor.Spec.String)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	bind(t, f, want...)
	g := open(t, filepath.Join("testdata", "odd.npz"))
	want = []tensor.Spec{spec("x", tensor.Float32, 2, 3), spec("longer", tensor.Int64)}
	if diff := cmp.Diff(want, InferInputs(g), cmp.Transformer("text", tensor.Spec.String)); diff != "" {
		t.Errorf("NPZ without what cannot be read (-want +got):\n%s", diff)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"image", "audio", "clinical"}
	for name, want := range map[string]string{
		"imgae": "image", "Audio": "audio", "clinicals": "clinical", "text": "", "": "", "clinic": "clinical",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("%q: want %q, got %q", name, want, got)
		}
	}
}

func TestOpenFaults(t *testing.T) {
	path := writeFile(t, "data.xlsx", nil)
	_, err := Open(context.Background(), path)
	wantError(t, err, `dataset: `+path+`: want .npz, .parquet, .csv or a folder of .parquet files, got extension ".xlsx"`, "data.md")
	missing := filepath.Join(t.TempDir(), "no.csv")
	_, err = Open(context.Background(), missing)
	wantError(t, err, `dataset: `+missing+`: cannot be opened: no such file or directory`, "")
}
