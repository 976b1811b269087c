package dataset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

// clinic has an image, two texts and a group of columns.
func clinic() (inputs []tensor.Spec, features [][]string) {
	inputs = []tensor.Spec{
		spec("image", tensor.Float32, 4, 3), spec("input_ids", tensor.Int64, 5), spec("attention_mask", tensor.Int64, 5),
		spec("x", tensor.Float32, 5), spec("age", tensor.Float32),
	}
	features = make([][]string, 5)
	features[3] = []string{"x.weight", "x.stage.I", "x.stage.II", "x.sex", "x.height"}
	return inputs, features
}

// format writes modalities as "name(input:lo-hi ...)".
func format(all []Modality) string {
	var b strings.Builder
	for _, m := range all {
		b.WriteString(m.Name + "(")
		for i, p := range m.Parts {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%d:%d-%d", p.Input, p.Lo, p.Hi)
		}
		b.WriteString(")")
	}
	return b.String()
}

func TestParseModalities(t *testing.T) {
	for _, tt := range []struct {
		name         string
		specs, fixed []string
		want         string
	}{
		{"every input is one", nil, nil, "image(0:0-12)input_ids(1:0-5)attention_mask(2:0-5)x(3:0-5)age(4:0-1)"},
		{"inputs by name, the rest in model order", []string{"text=input_ids,attention_mask"}, nil, "text(1:0-5 2:0-5)image(0:0-12)x(3:0-5)age(4:0-1)"},
		{"flags in their own order", []string{"b=age", "a=image"}, []string{"x"}, "b(4:0-1)a(0:0-12)input_ids(1:0-5)attention_mask(2:0-5)"},
		{"slices of axis 1 take whole inner axes", []string{"top=image[:1]", "low=image[1:4]"}, []string{"input_ids", "attention_mask", "x", "age"}, "top(0:0-3)low(0:3-12)"},
		{"slices that touch are one part", []string{"a=image[0:1],image[1:2],image[3:]", "b=image[2:3]"}, []string{"input_ids", "attention_mask", "x", "age"}, "a(0:0-6 0:9-12)b(0:6-9)"},
		{"a slice of everything", []string{"a=image[:]"}, []string{"x", "age"}, "a(0:0-12)input_ids(1:0-5)attention_mask(2:0-5)"},
		{"a pattern over inputs", []string{"text=*_ids,*_mask"}, []string{"age"}, "text(1:0-5 2:0-5)image(0:0-12)x(3:0-5)"},
		{"the input age before a column", []string{"a=age,image"}, []string{"input_ids", "attention_mask"}, "a(0:0-12 4:0-1)x(3:0-5)"},
		{"bare columns, patterns over them, full names", []string{"body=weight,x.height", "tumour=stage.*", "who=sex"}, []string{"image", "input_ids", "attention_mask", "age"},
			"body(3:0-1 3:4-5)tumour(3:1-3)who(3:3-4)"},
		{"a pattern over full names", []string{"all=x.*"}, []string{"image", "input_ids", "attention_mask"}, "all(3:0-5)age(4:0-1)"},
		{"an element twice in one modality", []string{"a=image,image[0:2]"}, nil, "a(0:0-12)input_ids(1:0-5)attention_mask(2:0-5)x(3:0-5)age(4:0-1)"},
		{"blanks around names and items", []string{" my text = input_ids , attention_mask "}, []string{"x", "age"}, "my text(1:0-5 2:0-5)image(0:0-12)"},
		{"any text is a name", []string{"é: 1+2=image"}, []string{"x", "age"}, "é: 1+2(0:0-12)input_ids(1:0-5)attention_mask(2:0-5)"},
	} {
		inputs, features := clinic()
		got, err := ParseModalities(tt.specs, tt.fixed, inputs, features, MaxUnnamed)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, format(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseModalitiesFaults(t *testing.T) {
	for _, tt := range []struct {
		name         string
		specs, fixed []string
		want, hint   string
	}{
		{"no equals sign", []string{"text"}, nil, `modality "text": want NAME=item,item,...`, "text=input_ids"},
		{"an empty name", []string{" =image"}, nil, `modality " =image": want NAME=item,item,...`, "text="},
		{"a name twice", []string{"a=image", "a=age"}, nil, `modality "a=age": another modality has this name`, "at once"},
		{"an input's name for something else", []string{"age=image"}, nil, `modality "age": is the name of a modality without this input, and of the input, which stays a modality of its own`, "another name"},
		{"no items", []string{"a="}, nil, `modality "a=": an item is empty`, "NAME=item"},
		{"an empty item", []string{"a=image,,age"}, nil, `modality "a=image,,age": an item is empty`, "NAME=item"},
		{"an unknown item", []string{"a=imgae"}, nil, `modality "a=imgae": "imgae" is no input, column or pattern of them`, `did you mean "image"?`},
		{"an unknown column", []string{"a=wieght"}, nil, `modality "a=wieght": "wieght" is no input, column or pattern of them`, `did you mean "weight"?`},
		{"a slice of an unknown input", []string{"a=imag[0:1]"}, nil, `modality "a=imag[0:1]": "imag[0:1]" is no input, column or pattern of them`, `did you mean "image"?`},
		{"a broken pattern", []string{"a=[im"}, nil, `modality "a=[im": "[im" is no pattern`, "a slice is"},
		{"a slice of a scalar", []string{"a=age[0:1]"}, nil, `modality "a=age[0:1]": age[0:1]: input age float32[N] has no axis 1 to slice`, ""},
		{"a slice beyond the axis", []string{"a=image[2:5]"}, nil, `modality "a=image[2:5]": image[2:5]: want 0 <= a < b <= 4, the length of axis 1 of image float32[N,4,3]`, "starts at a"},
		{"a slice of nothing", []string{"a=image[2:2]"}, nil, `modality "a=image[2:2]": image[2:2]: want 0 <= a < b <= 4, the length of axis 1 of image float32[N,4,3]`, "starts at a"},
		{"a slice from the end", []string{"a=image[-1:]"}, nil, `modality "a=image[-1:]": image[-1:]: want 0 <= a < b <= 4, the length of axis 1 of image float32[N,4,3]`, "starts at a"},
		{"an element of two", []string{"a=image", "b=image[3:]"}, nil, `modality "b=image[3:]": element 9 of input "image" is in modality "a" too`, "belongs to one"},
		{"a column of two", []string{"a=stage.*", "b=x.stage.I"}, nil, `modality "b=x.stage.I": column "x.stage.I" is in modality "a" too`, "belongs to one"},
		{"an input of two", []string{"a=age", "b=a*"}, nil, `modality "b=a*": input "age" is in modality "a" too`, "belongs to one"},
		{"a slice left over", []string{"a=image[1:3]"}, nil, `modalities: 6 elements of input "image" belong to none: image[0:1], image[3:4]`, "--modality rest=image[0:1],image[3:4]; or name no part of \"image\" and give --fixed image"},
		{"columns left over", []string{"a=stage.*,sex"}, nil, `modalities: 2 elements of input "x" belong to none: x.weight, x.height`, "--modality rest=x.weight,x.height"},
		{"an unknown fixed input", nil, []string{"agee"}, `modality "agee": is no input that could be fixed`, `did you mean "age"?`},
		{"fixed and a player", []string{"a=age,image"}, []string{"age"}, `modality "age": the input is fixed and in modality "a"`, "no player"},
		{"none left", nil, []string{"image", "input_ids", "attention_mask", "x", "age"}, `modalities: none is left, every input is fixed`, "fix only"},
		{"one left", nil, []string{"input_ids", "attention_mask", "x", "age"}, `modalities: InterSHAP needs at least two modalities, there is one: "image"`, "--modality 'a=image[:2]' --modality 'b=image[2:]'"},
		{"one left, of columns", nil, []string{"input_ids", "attention_mask", "image", "age"}, `modalities: InterSHAP needs at least two modalities, there is one: "x"`, "--modality first=x.weight,x.stage.I,x.stage.II --modality rest=x.sex,x.height"},
		{"one holds all", []string{"a=*"}, nil, `modalities: InterSHAP needs at least two modalities, and "a" holds every input`, "--modality first=image,input_ids,attention_mask --modality rest=x,age"},
		{"one holds all that are left", []string{"a=image,x"}, []string{"input_ids", "attention_mask", "age"}, `modalities: InterSHAP needs at least two modalities, and "a" holds every input that is not fixed`, "--modality first=image --modality rest=x"},
		{"one holds all of one input", []string{"a=x.*"}, []string{"input_ids", "attention_mask", "image", "age"}, `modalities: InterSHAP needs at least two modalities, there is one: "a"`, "--modality first=x.weight,x.stage.I,x.stage.II --modality rest=x.sex,x.height"},
		{"one left, of one element", nil, []string{"input_ids", "attention_mask", "image", "x"}, `modalities: InterSHAP needs at least two modalities, there is one: "age"`, "unfix"},
	} {
		inputs, features := clinic()
		_, err := ParseModalities(tt.specs, tt.fixed, inputs, features, MaxUnnamed)
		t.Run(tt.name, func(t *testing.T) { wantError(t, err, "dataset: "+tt.want, tt.hint) })
	}
}

func TestParseModalitiesNumber(t *testing.T) {
	named := func(format string, n int) (inputs []tensor.Spec) {
		for i := range n {
			inputs = append(inputs, spec(fmt.Sprintf(format, i), tensor.Float32))
		}
		return inputs
	}
	var fiftyOne []string
	for i := range 51 {
		fiftyOne = append(fiftyOne, fmt.Sprintf("m%d=lab%02d", i, i))
	}
	for _, tt := range []struct {
		name       string
		inputs     []tensor.Spec
		specs      []string
		want, hint string // no want: no error
	}{
		{"twelve that nobody named", named("lab%d", 12), nil, "", ""},
		{"thirteen", named("lab_%d", 13), nil, "modalities: 13 inputs that no --modality names, want at most 12: M modalities have 2^M coalitions", "--modality 'first=lab_0*,lab_1*,lab_2*,lab_3*,lab_4*' --modality 'rest=lab_5*"},
		{"thirteen without a common beginning", named("%dx", 13), nil, "modalities: 13 inputs that no --modality names, want at most 12: M modalities have 2^M coalitions", "--modality first=0x,1x"},
		{"thirteen, two of them named", named("lab%02d", 14), []string{"a=lab00", "b=lab01"}, "", ""},
		{"sixty-three", named("lab%02d", 63), fiftyOne, "modalities: 63 modalities, want at most 62", "put inputs together"},
	} {
		_, err := ParseModalities(tt.specs, nil, tt.inputs, nil, MaxUnnamed)
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == "" {
				check(t, err)
				return
			}
			wantError(t, err, "dataset: "+tt.want, tt.hint)
		})
	}
	_, err := ParseModalities(nil, nil, []tensor.Spec{spec("x", tensor.Float32, -1)}, nil, MaxUnnamed)
	wantError(t, err, "dataset: modalities: input x float32[N,?] has axes of unknown length", "give data")
}
