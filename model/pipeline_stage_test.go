package model_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// An owned input is one whose elements belong to players in order, as many to
// each as width says.
type ownedInput struct {
	name    string
	players []int
	width   int
}

// counting fills rows with numbers that are all different.
func counting(inputs []ownedInput, rows int, from float64) model.Batch {
	var b model.Batch
	for _, in := range inputs {
		t := tensor.New(tensor.Float64, rows, len(in.players)*in.width)
		for i := range tensor.Values[float64](t) {
			tensor.Values[float64](t)[i] = from
			from++
		}
		b = append(b, model.Named{Name: in.name, Tensor: t})
	}
	return b
}

func question(inputs []ownedInput, output string, width int) model.Question {
	q := model.Question{Output: output, Width: width, Transform: "identity", Rows: counting(inputs, 3, 0.5)}
	for i, in := range inputs {
		for k, player := range in.players {
			leaf := model.Leaf{Name: in.name, Input: i, Lo: k * in.width, Hi: (k + 1) * in.width, Shape: []int{in.width}, Player: player}
			if len(in.players) > 1 {
				leaf.Name = fmt.Sprintf("%s[%d:%d]", in.name, leaf.Lo, leaf.Hi)
			}
			q.Leaves = append(q.Leaves, leaf)
		}
	}
	return q
}

// evaluate computes the explained output of a coalition from stages, for every
// pair, [n, b, width]: a part without absent players on samples, one without
// present players on background rows, others on pairs.
func evaluate(t *testing.T, s *model.Stages, q model.Question, samples, background model.Batch, present []int) tensor.Tensor {
	t.Helper()
	is := func(player int) bool { return player == model.Nobody || slices.Contains(present, player) }
	var tensors model.Batch
	for _, leaf := range q.Leaves {
		from, shape := background[leaf.Input].Tensor, []int{1, background.Rows()}
		if is(leaf.Player) {
			from, shape = samples[leaf.Input].Tensor, []int{samples.Rows(), 1}
		}
		rows, width := from.Rows(), leaf.Hi-leaf.Lo
		out := tensor.New(from.DType(), append(shape, leaf.Shape...)...)
		for r := range rows {
			out.CopyElements(r*width, from, r*from.RowLen()+leaf.Lo, width)
		}
		tensors = append(tensors, model.Named{Name: leaf.Name, Tensor: out})
	}
	for _, part := range s.Parts {
		var in model.Batch
		for _, name := range part.Inputs {
			x, found := tensors.Lookup(name)
			if !found {
				t.Fatalf("part of %v takes %q, which nobody gives", part.Players, name)
			}
			in = append(in, model.Named{Name: name, Tensor: x})
		}
		out, err := part.Grid.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, out...)
	}
	y, found := tensors.Lookup(s.Output)
	if !found {
		t.Fatalf("no part gives %q", s.Output)
	}
	return y
}

// whole computes the same from composite rows.
func whole(t *testing.T, m model.Model, q model.Question, samples, background model.Batch, present []int) []float64 {
	t.Helper()
	var out []float64
	for i := range samples.Rows() {
		for j := range background.Rows() {
			var row model.Batch
			for k, in := range samples {
				x := tensor.New(in.Tensor.DType(), 1, in.Tensor.RowLen())
				for _, leaf := range q.Leaves {
					if leaf.Input != k {
						continue
					}
					if leaf.Player == model.Nobody || slices.Contains(present, leaf.Player) {
						x.CopyElements(leaf.Lo, in.Tensor, i*x.RowLen()+leaf.Lo, leaf.Hi-leaf.Lo)
					} else {
						x.CopyElements(leaf.Lo, background[k].Tensor, j*x.RowLen()+leaf.Lo, leaf.Hi-leaf.Lo)
					}
				}
				row = append(row, model.Named{Name: in.Name, Tensor: x})
			}
			y, err := m.Predict(t.Context(), row)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, tensor.Values[float64](y[0].Tensor)...)
		}
	}
	return out
}

var (
	encodeX = model.Encoder{Name: "X", Model: sumOf("x", 2, "a")}
	encodeY = model.Encoder{Name: "Y", Model: sumOf("y", 2, "b")}
	encodeZ = model.Encoder{Name: "Z", Model: sumOf("z", 1, "c")}
	fuse    = model.Encoder{Name: "F", Model: rowwise(f64("d", 1), func(x model.Row) []float64 {
		return []float64{total(x("x")) * total(x("y"))}
	}, f64("x", 2), f64("y", 2))}
)

// TestPipelineStage cuts pipelines and computes every coalition in parts and as
// a whole; the sums and products of small numbers are exact.
func TestPipelineStage(t *testing.T) {
	x, y, z := ownedInput{"x", []int{0}, 2}, ownedInput{"y", []int{1}, 2}, ownedInput{"z", []int{2}, 1}
	a, b, c, d := f64("a", 1), f64("b", 1), f64("c", 1), f64("d", 1)
	tests := []struct {
		name, reason string
		head         model.Described
		encoders     []model.Encoder
		inputs       []ownedInput
		want         []string // parts: players, inputs, outputs
	}{
		{"two", "an encoder for each modality", productOf("out", a, b), []model.Encoder{encodeX, encodeY}, []ownedInput{x, y},
			[]string{"[0] x -> a", "[1] y -> b", "[0 1] a,b -> out"}},
		{"direct", "a modality that reaches the head directly", productOf("out", a, b, f64("z", 1)), []model.Encoder{encodeX, encodeY}, []ownedInput{x, y, z},
			[]string{"[0] x -> a", "[1] y -> b", "[0 1 2] a,b,z -> out"}},
		{"same players", "two encoders of one modality are one part", productOf("out", a, b, c), []model.Encoder{encodeX, encodeZ, encodeY},
			[]ownedInput{x, {"y", []int{0}, 2}, {"z", []int{1}, 1}},
			[]string{"[0] x,y -> a,b", "[1] z -> c", "[0 1] a,b,c -> out"}},
		{"partial fusion", "an encoder of two modalities beside others", productOf("out", a, c, d), []model.Encoder{encodeX, fuse, encodeZ}, []ownedInput{x, y, z},
			[]string{"[0] x -> a", "[0 1] x,y -> d", "[2] z -> c", "[0 1 2] a,c,d -> out"}},
		{"with the head", "an encoder of all modalities runs where the head does", productOf("out", a, d), []model.Encoder{encodeX, fuse}, []ownedInput{x, y},
			[]string{"[0] x -> a", "[0 1] x,y,a -> out"}},
		{"fixed", "an input of nobody, alone and beside others", productOf("out", a, b, f64("z", 1)), []model.Encoder{encodeX, encodeY},
			[]ownedInput{x, {"y", []int{model.Nobody}, 2}, {"z", []int{1}, 1}},
			[]string{"[0] x -> a", "[-1] y -> b", "[-1 0 1] a,b,z -> out"}},
		{"slices", "modalities that are parts of one input", productOf("out", a, b), []model.Encoder{encodeX, encodeY},
			[]ownedInput{x, {"y", []int{1, 2}, 1}},
			[]string{"[0] x -> a", "[1 2] y[0:1],y[1:2] -> b", "[0 1 2] a,b -> out"}},
		{"slices of one modality", "parts of one input that are shared out", productOf("out", a, b), []model.Encoder{encodeX, encodeY},
			[]ownedInput{{"x", []int{1, model.Nobody}, 1}, {"y", []int{0}, 2}},
			[]string{"[-1 1] x[0:1],x[1:2] -> a", "[0] y -> b", "[-1 0 1] a,b -> out"}},
		{"names", "an encoder's output that is called as its input", productOf("y", f64("x", 1), b),
			[]model.Encoder{{Name: "X", Model: sumOf("in", 2, "x"), Rename: map[string]string{"in": "x"}}, encodeY}, []ownedInput{x, {"y", []int{1}, 2}},
			[]string{`[0] x -> encoder "X".x`, "[1] y -> b", `[0 1] encoder "X".x,b -> the head.y`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pipeline(t, tt.head, tt.encoders...)
			q := question(tt.inputs, tt.head.Signature().Outputs[0].Name, 2)
			s, err := p.Stage(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			var parts []string
			for _, part := range s.Parts {
				var outputs []string
				for _, out := range part.Outputs {
					outputs = append(outputs, out.Name)
				}
				parts = append(parts, fmt.Sprintf("%v %s -> %s", part.Players, strings.Join(part.Inputs, ","), strings.Join(outputs, ",")))
			}
			if diff := cmp.Diff(tt.want, parts); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			samples, background := counting(tt.inputs, 3, 1), counting(tt.inputs, 2, -5)
			for _, present := range [][]int{{}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}} {
				got := evaluate(t, s, q, samples, background, present)
				if n, b := got.Shape()[0], got.Shape()[1]; n == 1 || b == 1 {
					got = expand(got, samples.Rows(), background.Rows())
				}
				if diff := cmp.Diff(whole(t, p, q, samples, background, present), tensor.Values[float64](got)); diff != "" {
					t.Errorf("%s: coalition %v (-whole +staged):\n%s", tt.reason, present, diff)
				}
			}
		})
	}
}

// expand repeats what does not vary.
func expand(t tensor.Tensor, n, b int) tensor.Tensor {
	width := t.Len() / (t.Shape()[0] * t.Shape()[1])
	out := tensor.New(t.DType(), n, b, width)
	for i := range n {
		for j := range b {
			out.CopyElements((i*b+j)*width, t, (min(i, t.Shape()[0]-1)*t.Shape()[1]+min(j, t.Shape()[1]-1))*width, width)
		}
	}
	return out
}

// TestPipelineStageFindsWidths has an encoder whose signature leaves the width
// open.
func TestPipelineStageFindsWidths(t *testing.T) {
	open := model.Describe(sumOf("x", 2, "a"), model.Signature{Inputs: []tensor.Spec{f64("x", 2)}, Outputs: []tensor.Spec{f64("a", -1)}})
	flat := rowwise(f64("out"), func(x model.Row) []float64 { return []float64{total(x("a")) + total(x("b"))} }, f64("a", 1), f64("b", 1))
	p := pipeline(t, flat, model.Encoder{Name: "X", Model: open}, encodeY)
	s, err := p.Stage(t.Context(), question([]ownedInput{{"x", []int{0}, 2}, {"y", []int{1}, 2}}, "out", 1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]tensor.Spec{f64("a", 1)}, s.Parts[0].Outputs); diff != "" {
		t.Errorf("encoder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]tensor.Spec{f64("out", 1)}, s.Parts[2].Outputs); diff != "" {
		t.Errorf("an output of one number a row has one axis (-want +got):\n%s", diff)
	}
}

func TestPipelineStageUncut(t *testing.T) {
	p := pipeline(t, productOf("out", f64("d", 1)), fuse)
	_, err := p.Stage(t.Context(), question([]ownedInput{{"x", []int{0}, 2}, {"y", []int{1}, 2}}, "out", 2))
	var uncut *model.Uncut
	if !errors.As(err, &uncut) || !strings.Contains(uncut.Reason, "all modalities") {
		t.Errorf("want the reason not to cut, got %v", err)
	}
}

func TestPipelineStageErrors(t *testing.T) {
	p := pipeline(t, productOf("out", f64("a", 1), f64("b", 1)), encodeX, encodeY)
	good := func() model.Question {
		return question([]ownedInput{{"x", []int{0}, 2}, {"y", []int{1, 2}, 1}}, "out", 2)
	}
	tests := []struct {
		name, want string
		spoil      func(q *model.Question)
	}{
		{"output", `no "nothing"`, func(q *model.Question) { q.Output = "nothing" }},
		{"width", "want 5 columns, got [N,2]", func(q *model.Question) { q.Width = 5 }},
		{"no leaf", `no leaf of input "x"`, func(q *model.Question) { q.Leaves = q.Leaves[1:] }},
		{"gap", "from element 0 on", func(q *model.Question) { q.Leaves = slices.Delete(q.Leaves, 1, 2) }},
		{"end", "want leaves for all of its 2 elements a row, got 1", func(q *model.Question) { q.Leaves = q.Leaves[:2] }},
		{"input", "want one of 2 inputs", func(q *model.Question) { q.Leaves[0].Input = 2 }},
		{"shape", "want a shape of 2 elements", func(q *model.Question) { q.Leaves[0].Shape = []int{3} }},
		{"rows", `want rows of input "x" in the question, got none`, func(q *model.Question) {
			for i := range q.Rows {
				q.Rows[i].Tensor = q.Rows[i].Tensor.Slice(0, 0)
			}
		}},
	}
	for _, tt := range tests {
		q := good()
		tt.spoil(&q)
		if _, err := p.Stage(t.Context(), q); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
		}
	}
}
