package model_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// f64 is the spec of a float64 tensor of rows.
func f64(name string, shape ...int) tensor.Spec {
	return tensor.Spec{Name: name, DType: tensor.Float64, Shape: append([]int{-1}, shape...)}
}

// rowwise is a function of rows that knows its signature.
func rowwise(out tensor.Spec, f func(model.Row) []float64, in ...tensor.Spec) model.Described {
	sig := model.Signature{Inputs: in, Outputs: []tensor.Spec{out}}
	return model.Describe(checked{model.RowFunc(out.Name, f), sig}, sig)
}

// checked refuses what is not of its signature, as every backend must.
type checked struct {
	model.Model
	sig model.Signature
}

func (c checked) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := c.sig.Check(inputs); err != nil {
		return nil, err
	}
	return c.Model.Predict(ctx, inputs)
}

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

// The models of the tests: sums of the inputs, and products of the sums.
func sumOf(input string, width int, output string) model.Described {
	return rowwise(f64(output, 1), func(x model.Row) []float64 { return []float64{total(x(input))} }, f64(input, width))
}

func productOf(output string, inputs ...tensor.Spec) model.Described {
	return rowwise(f64(output, 2), func(x model.Row) []float64 {
		product := 1.0
		for _, in := range inputs {
			product *= total(x(in.Name))
		}
		return []float64{product, -product}
	}, inputs...)
}

func pipeline(t *testing.T, head model.Described, encoders ...model.Encoder) *model.Pipeline {
	t.Helper()
	p, err := model.NewPipeline(head, encoders...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func batch(values map[string]tensor.Tensor) model.Batch {
	var b model.Batch
	for name, t := range values {
		b = append(b, model.Named{Name: name, Tensor: t})
	}
	slices.SortFunc(b, func(x, y model.Named) int { return strings.Compare(x.Name, y.Name) })
	return b
}

func TestPipelinePredict(t *testing.T) {
	// Encoders that call their inputs and outputs alike, an output that is named
	// as an input, and an input that two models share.
	p := pipeline(t, productOf("y", f64("x", 1), f64("h", 1), f64("z", 1)),
		model.Encoder{Name: "first", Model: sumOf("input", 2, "x"), Rename: map[string]string{"input": "x"}},
		model.Encoder{Name: "second", Model: sumOf("input", 1, "h"), Rename: map[string]string{"input": "z"}})
	want := model.Signature{Inputs: []tensor.Spec{f64("x", 2), f64("z", 1)}, Outputs: []tensor.Spec{f64("y", 2)}}
	if diff := cmp.Diff(want, p.Signature()); diff != "" {
		t.Errorf("signature (-want +got):\n%s", diff)
	}
	out, err := p.Predict(t.Context(), batch(map[string]tensor.Tensor{
		"x": tensor.Of([]float64{1, 2, 3, 4}, 2, 2), "z": tensor.Of([]float64{5, 6}, 2, 1)}))
	if err != nil {
		t.Fatal(err)
	}
	y, found := out.Lookup("y")
	if !found || len(out) != 1 {
		t.Fatalf("want the one output y, got %v", out)
	}
	// (1+2)*5*5 and (3+4)*6*6.
	if want, got := []float64{75, -75, 252, -252}, tensor.Values[float64](y); !slices.Equal(want, got) {
		t.Errorf("want %v, got %v", want, got)
	}
}

func TestPipelineConformance(t *testing.T) {
	modeltest.Run(t, func(t *testing.T) model.Described {
		return pipeline(t, productOf("y", f64("a", 1), f64("b", 1), f64("z", 3)),
			model.Encoder{Name: "a", Model: sumOf("x", 2, "a")},
			model.Encoder{Name: "b", Model: sumOf("w", 4, "b")})
	})
}

func TestPipelineErrors(t *testing.T) {
	head := productOf("y", f64("a", 1), f64("b", 1))
	a := model.Encoder{Name: "A", Model: sumOf("x", 2, "a")}
	b := model.Encoder{Name: "B", Model: sumOf("w", 2, "b")}
	integers := model.Describe(model.Func(nil), model.Signature{
		Inputs: []tensor.Spec{f64("w", 2)}, Outputs: []tensor.Spec{{Name: "b", DType: tensor.Int64, Shape: []int{-1, 1}}}})
	tests := []struct {
		name, reason string
		head         model.Described
		encoders     []model.Encoder
		want         []string
	}{
		{"no head", "nothing to predict with", nil, []model.Encoder{a}, []string{"no head"}},
		{"no encoders", "that is a model, no pipeline", head, nil, []string{"no encoders"}},
		{"no model", "an encoder without one", head, []model.Encoder{{Name: "A"}}, []string{`encoder "A" has no model`}},
		{"name twice", "messages name encoders", head, []model.Encoder{a, a}, []string{`two encoders are called "A"`}},
		{"output twice", "which would the head take?", head,
			[]model.Encoder{a, {Name: "B", Model: sumOf("w", 2, "a")}}, []string{`encoder "A"`, `encoder "B"`, `both give "a"`, "rename"}},
		{"unused", "a head whose input has another name than the encoder's output", head,
			[]model.Encoder{a, {Name: "B", Model: sumOf("w", 2, "features")}}, []string{`encoder "B" gives features`, "no encoder gives are b"}},
		{"unused, nothing open", "one encoder too many", productOf("y", f64("a", 1)),
			[]model.Encoder{a, b}, []string{`encoder "B" gives b`, "given by another encoder"}},
		{"width", "one column against two", productOf("y", f64("a", 1), f64("b", 2)),
			[]model.Encoder{a, b}, []string{`encoder "B" gives b float64[N,1], the head takes b float64[N,2]`, "axis 1 is 1 long in one and 2 in the other"}},
		{"rank", "a matrix against a vector", productOf("y", f64("a", 1), f64("b")),
			[]model.Encoder{a, b}, []string{"the numbers of axes differ"}},
		{"dtype", "integers against floats", head,
			[]model.Encoder{a, {Name: "B", Model: integers}}, []string{"b int64[N,1]", "the element types differ"}},
		{"shared input", "one tensor cannot have two widths", head,
			[]model.Encoder{a, {Name: "B", Model: sumOf("x", 3, "b")}}, []string{`encoder "B" takes x float64[N,3]`, "another name"}},
		{"direct input", "nor can the head's be another", productOf("y", f64("a", 1), f64("x", 5)),
			[]model.Encoder{a}, []string{"the head takes x float64[N,5]"}},
		{"rename", "a typing error must not pass", head,
			[]model.Encoder{{Name: "A", Model: a.Model, Rename: map[string]string{"X": "image"}}}, []string{`encoder "A" has no input "X"`, "its inputs are x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := model.NewPipeline(tt.head, tt.encoders...)
			if err == nil {
				t.Fatalf("%s: want an error, got none", tt.reason)
			}
			for _, want := range append(tt.want, "model: pipeline: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: want an error with %q, got %v", tt.reason, want, err)
				}
			}
		})
	}
}

// TestPipelineBatchSize holds that widths which signatures leave open are found
// in the others, and that the rows of a call suit all models.
func TestPipelineOpenSpecs(t *testing.T) {
	four := model.Signature{Inputs: []tensor.Spec{{Name: "x", DType: tensor.Float64, Shape: []int{4, -1}}}, Outputs: []tensor.Spec{f64("a", -1)}, BatchSize: 4}
	p := pipeline(t, productOf("y", f64("a", 1), f64("x", 2)), model.Encoder{Name: "A", Model: model.Describe(sumOf("x", 2, "a"), four)})
	want := model.Signature{Inputs: []tensor.Spec{f64("x", 2)}, Outputs: []tensor.Spec{f64("y", 2)}, BatchSize: 4}
	if diff := cmp.Diff(want, p.Signature()); diff != "" {
		t.Errorf("signature (-want +got):\n%s", diff)
	}
}

// TestPipelineFaultyModels has models that do not keep their word.
func TestPipelineFaultyModels(t *testing.T) {
	sig := model.Signature{Inputs: []tensor.Spec{f64("x", 2)}, Outputs: []tensor.Spec{f64("a", 1)}}
	giving := func(out model.Batch) model.Described {
		return model.Describe(model.Func(func(context.Context, model.Batch) (model.Batch, error) { return out, nil }), sig)
	}
	tests := []struct {
		name, want string
		encoder    model.Described
	}{
		{"nothing", `encoder "A": want an output "a"`, giving(nil)},
		{"rows", `encoder "A": output "a": want 1 rows as in the inputs, got 2`,
			giving(model.Batch{{Name: "a", Tensor: tensor.New(tensor.Float64, 2, 1)}})},
	}
	for _, tt := range tests {
		p := pipeline(t, productOf("y", f64("a", 1)), model.Encoder{Name: "A", Model: tt.encoder})
		_, err := p.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float64, 1, 2)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
		}
	}
}
