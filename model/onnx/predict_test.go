//go:build cgo

package onnx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// array is a tensor in testdata/expected.json.
type array struct {
	Shape  []int     `json:"shape"`
	Values []float64 `json:"values"`
}

type expectation struct {
	Inputs  map[string]array `json:"inputs"`
	Outputs map[string]array `json:"outputs"`
}

func readExpected(t *testing.T) map[string]expectation {
	t.Helper()
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]expectation
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (a array) float32s() tensor.Tensor {
	values := make([]float32, len(a.Values))
	for i, v := range a.Values {
		values[i] = float32(v)
	}
	return tensor.Of(values, a.Shape...)
}

// float32 arithmetic in another order of summation: a few ulp of values near 1.
var nearly = cmpopts.EquateApprox(1e-5, 1e-6)

func compare(want array, got tensor.Tensor) error {
	if !slices.Equal(want.Shape, got.Shape()) {
		return fmt.Errorf("want shape %v, got %v", want.Shape, got.Shape())
	}
	values := make([]float64, got.Len())
	got.Float64s(values)
	if diff := cmp.Diff(want.Values, values, nearly); diff != "" {
		return fmt.Errorf("values (-want +got):\n%s", diff)
	}
	return nil
}

// TestExpected compares with outputs computed by NumPy.
func TestExpected(t *testing.T) {
	for name, e := range readExpected(t) {
		t.Run(name, func(t *testing.T) {
			m := open(t, name)
			var inputs model.Batch
			for _, spec := range m.Signature().Inputs {
				inputs = append(inputs, model.Named{Name: spec.Name, Tensor: e.Inputs[spec.Name].float32s()})
			}
			out, err := m.Predict(t.Context(), inputs)
			if err != nil {
				t.Fatal(err)
			}
			if len(out) != len(e.Outputs) {
				t.Errorf("want %d outputs, got %d", len(e.Outputs), len(out))
			}
			for _, got := range out {
				if err := compare(e.Outputs[got.Name], got.Tensor); err != nil {
					t.Errorf("output %s: %v", got.Name, err)
				}
			}
		})
	}
}

func TestCompareFails(t *testing.T) {
	want := array{Shape: []int{1, 2}, Values: []float64{1, 2}}
	for _, got := range []tensor.Tensor{
		tensor.Of([]float32{1, 2.001}, 1, 2),
		tensor.Of([]float32{1, 2}, 2, 1),
		tensor.Of([]float32{1, float32(math.NaN())}, 1, 2),
	} {
		if compare(want, got) == nil {
			t.Errorf("want %v to differ from %v %v", want, got.Shape(), tensor.Values[float32](got))
		}
	}
}

func TestConformance(t *testing.T) {
	tests := []struct {
		model string
		opts  []modeltest.Option
	}{
		{"types", nil},
		{"dense", nil},
		{"batch1", nil},
		{"batch4", nil},
		{"external", nil},
		{"columns", []modeltest.Option{modeltest.Strings("I", "II", "IV", ""), modeltest.Integers("visits", 0, 40)}},
		{"zipmap_int", nil},
		{"zipmap_string", nil},
		{"gru", nil},
		{"conv", nil},
		{"wide", nil},
		{"elementwise", nil},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T) model.Described { return open(t, tt.model) },
				append(tt.opts, conformanceRows)...)
		})
	}
}

// TestEveryType hands extreme values of every type through a model.
func TestEveryType(t *testing.T) {
	m := open(t, "types")
	inputs := model.Batch{
		{Name: "float16", Tensor: tensor.Of([]tensor.Float16Bits{0x3c00, 0x7bff, 0x8000, 0x0001}, 2, 2)},
		{Name: "float32", Tensor: tensor.Of([]float32{1, -math.MaxFloat32, math.SmallestNonzeroFloat32, 0}, 2, 2)},
		{Name: "float64", Tensor: tensor.Of([]float64{1, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1}, 2, 2)},
		{Name: "int8", Tensor: tensor.Of([]int8{math.MinInt8, math.MaxInt8, -1, 0}, 2, 2)},
		{Name: "int16", Tensor: tensor.Of([]int16{math.MinInt16, math.MaxInt16, -1, 0}, 2, 2)},
		{Name: "int32", Tensor: tensor.Of([]int32{math.MinInt32, math.MaxInt32, -1, 0}, 2, 2)},
		{Name: "int64", Tensor: tensor.Of([]int64{math.MinInt64, math.MaxInt64, -1, 0}, 2, 2)},
		{Name: "uint8", Tensor: tensor.Of([]uint8{0, math.MaxUint8, 1, 2}, 2, 2)},
		{Name: "uint16", Tensor: tensor.Of([]uint16{0, math.MaxUint16, 1, 2}, 2, 2)},
		{Name: "uint32", Tensor: tensor.Of([]uint32{0, math.MaxUint32, 1, 2}, 2, 2)},
		{Name: "uint64", Tensor: tensor.Of([]uint64{0, math.MaxUint64, 1, 2}, 2, 2)},
		{Name: "bool", Tensor: tensor.Of([]bool{true, false, false, true}, 2, 2)},
		{Name: "string", Tensor: tensor.Of([]string{"", "grün", "a b", "日本"}, 2, 2)},
	}
	out, err := m.Predict(t.Context(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs {
		got, found := out.Lookup(in.Name + "_out")
		if !found || got.DType() != in.Tensor.DType() {
			t.Errorf("want output %s_out of type %s, got %v", in.Name, in.Tensor.DType(), got.DType())
			continue
		}
		for i := range in.Tensor.Len() {
			if want, got := in.Tensor.Format(i), got.Format(i); want != got {
				t.Errorf("%s, element %d: want %s, got %s", in.Name, i, want, got)
			}
		}
	}
}

func TestPredictErrors(t *testing.T) {
	nan := float32(math.NaN())
	seq := tensor.New(tensor.Float32, 3, 4, 3)
	tensor.Values[float32](seq)[17] = nan // row 1, element 5
	column := func(d tensor.DType) tensor.Tensor { return tensor.New(d, 2, 1) }
	tests := []struct {
		name, reason string
		model        string
		inputs       model.Batch
		want         string
	}{
		{"NaN in GRU", "the runtime would answer a plausible number", "gru",
			model.Batch{{Name: "seq", Tensor: seq}}, `onnx: gru.onnx: input "seq": row 1, element 5: NaN is not a finite number`},
		{"dtype", "the runtime's own text names neither", "dense",
			model.Batch{{Name: "a", Tensor: tensor.New(tensor.Float64, 2, 4)}, {Name: "b", Tensor: tensor.New(tensor.Float32, 2, 3)}},
			`dense.onnx: input "a": want float32, got float64`},
		{"rows", "found by the runtime only inside a Concat", "dense",
			model.Batch{{Name: "a", Tensor: tensor.New(tensor.Float32, 2, 4)}, {Name: "b", Tensor: tensor.New(tensor.Float32, 1, 3)}},
			`input "b": want 2 rows as in "a", got 1`},
		{"wrong axis", "row i of the output must be row i of the inputs", "wrong_axis",
			model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, 3, 2)}},
			`output "y" has shape [1 2] for 16 rows: its axis 0 is not the rows`},
		{"wrong axis, one row", "one row is padded, so that it is found here too", "wrong_axis",
			model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, 1, 2)}},
			`output "y" has shape [1 2] for 16 rows`},
		{"zero byte", "the binding would cut the text there", "columns",
			model.Batch{{Name: "age", Tensor: column(tensor.Float32)}, {Name: "visits", Tensor: column(tensor.Int64)},
				{Name: "stage", Tensor: tensor.Of([]string{"I", "I\x00I"}, 2, 1)}},
			`row 1: text with a zero byte: "I\x00I"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, tt.model).Predict(t.Context(), tt.inputs)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: want an error with %q, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

// TestRuntimeSwallowsNaN keeps the reason for our own check true.
func TestRuntimeSwallowsNaN(t *testing.T) {
	m := open(t, "gru")
	seq := tensor.New(tensor.Float32, 2, 4, 3)
	tensor.Values[float32](seq)[0] = float32(math.NaN())
	out, err := m.opened.session.run(t.Context(), []tensor.Tensor{seq})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, found := out[0].NonFinite(); found {
		t.Errorf("this runtime (%s) passes NaN on", m.Runtime())
	}
}

// TestPaddingIsNeeded keeps the reason for RowMultiple true: without padding
// some elements depend on where the batch ends, with it none does.
func TestPaddingIsNeeded(t *testing.T) {
	m := open(t, "elementwise")
	const rows = 64
	x := tensor.New(tensor.Float32, rows, 5)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range tensor.Values[float32](x) {
		tensor.Values[float32](x)[i] = float32(3 * r.NormFloat64())
	}
	run := func(x tensor.Tensor) []tensor.Tensor {
		out, err := m.opened.session.run(t.Context(), []tensor.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	whole := run(x)
	dependent := map[string]bool{}
	for n := 1; n < rows; n++ {
		for i, part := range run(x.Slice(0, n)) {
			if !slices.Equal(tensor.Values[float32](whole[i].Slice(0, n)), tensor.Values[float32](part)) {
				name := m.outputs[i].Name
				dependent[name] = true
				if n%RowMultiple == 0 {
					t.Errorf("%s depends on the batch at %d rows, a multiple of %d", name, n, RowMultiple)
				}
			}
		}
	}
	t.Logf("outputs that depend on the end of an unpadded batch: %v", slices.Sorted(maps.Keys(dependent)))
}

// TestMixingIsFound shows that modeltest's clauses see a model that mixes rows:
// the answer for a row depends on its batch.
func TestMixingIsFound(t *testing.T) {
	m := open(t, "mixing")
	x := tensor.Of([]float32{1, 2, 3, 4, 5, 7}, 3, 2)
	predict := func(x tensor.Tensor) []float32 {
		out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: x}})
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Values[float32](out[0].Tensor)
	}
	if whole, part := predict(x), predict(x.Slice(0, 2)); slices.Equal(whole[:4], part) {
		t.Errorf("want the mixing model to depend on the batch, got %v for both", part)
	}
	if err := modeltest.Verify(t.Context(), m, conformanceRows); err == nil || !strings.Contains(err.Error(), "batches of 1 rows") {
		t.Errorf("want the suite to refuse the mixing model, got %v", err)
	}
}

// TestStaticBatchPads compares every number of rows with the free model.
func TestStaticBatchPads(t *testing.T) {
	e := readExpected(t)["dense"]
	a, b := e.Inputs["a"].float32s(), e.Inputs["b"].float32s()
	free := open(t, "dense", "logits")
	for _, name := range []string{"batch1", "batch4"} {
		static := open(t, name, "logits")
		for rows := 1; rows <= a.Rows(); rows++ {
			inputs := model.Batch{{Name: "b", Tensor: b.Slice(0, rows)}, {Name: "a", Tensor: a.Slice(0, rows)}}
			want, err := free.Predict(t.Context(), inputs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := static.Predict(t.Context(), inputs)
			if err != nil {
				t.Fatal(err)
			}
			if err := compare(array{want[0].Tensor.Shape(), float64s(want[0].Tensor)}, got[0].Tensor); err != nil {
				t.Errorf("%s, %d rows: %v", name, rows, err)
			}
		}
	}
}

func float64s(t tensor.Tensor) []float64 {
	out := make([]float64, t.Len())
	t.Float64s(out)
	return out
}

// TestTerminate ends the context while the runtime computes.
func TestTerminate(t *testing.T) {
	m := open(t, "conv")
	const rows = 100_000 // many times the deadline
	inputs := model.Batch{{Name: "image", Tensor: tensor.New(tensor.Float32, rows, 1, 8, 8)}}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := m.Predict(ctx, inputs); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want %v, got %v", context.DeadlineExceeded, err)
	}
	// The session is whole after a terminated run.
	few := model.Batch{{Name: "image", Tensor: tensor.New(tensor.Float32, 2, 1, 8, 8)}}
	if _, err := m.Predict(t.Context(), few); err != nil {
		t.Errorf("the run after a terminated one: %v", err)
	}
}

// conformanceRows is more than two runs' padding, so that the suite compares
// runs of different lengths.
var conformanceRows = modeltest.Rows(2*RowMultiple + 3)
