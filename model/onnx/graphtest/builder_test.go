package graphtest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// The forms of operations must follow the opset.
func TestFormsFollowTheOpset(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		opset        int
		make         func(b *graphtest.Builder, x graphtest.Value) graphtest.Value
		op           string
		inputs       int
		attributes   []string
	}{
		{"old Unsqueeze", "axes were an attribute", 11,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Unsqueeze(x, 1) }, "Unsqueeze", 1, []string{"axes"}},
		{"new Unsqueeze", "axes are an input from 13 on", 13,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Unsqueeze(x, 1) }, "Unsqueeze", 2, nil},
		{"old mean", "13 changed ReduceSum alone", 17,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Reduce("ReduceMean", x, 1, 1) }, "ReduceMean", 1, []string{"keepdims", "axes"}},
		{"new mean", "18 changed the others", 18,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Reduce("ReduceMean", x, 1, 1) }, "ReduceMean", 2, []string{"keepdims"}},
		{"new sum", "13 changed it", 13,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Reduce("ReduceSum", x, 1, 1) }, "ReduceSum", 2, []string{"keepdims"}},
		{"old Slice", "all were attributes", 9,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Slice(x, 1, 0, 2) }, "Slice", 1, []string{"axes", "starts", "ends"}},
		{"new Slice", "inputs from 10 on", 11,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Slice(x, 1, 0, 2) }, "Slice", 4, nil},
		{"old Clip", "limits were attributes", 9,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Clip(x, 0, 1) }, "Clip", 1, []string{"min", "max"}},
		{"new Clip", "inputs from 11 on", 11,
			func(b *graphtest.Builder, x graphtest.Value) graphtest.Value { return b.Clip(x, 0, 1) }, "Clip", 3, nil},
		{"new LayerNormalization", "a node of its own from 17 on", 17, (*graphtest.Builder).LayerNorm, "LayerNormalization", 3, []string{"axis", "epsilon"}},
		{"old LayerNormalization", "spelt out before", 15, (*graphtest.Builder).LayerNorm, "Add", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := graphtest.NewBuilder(c.opset, 1)
			c.make(b, b.Input("x", tensor.Float32, 4))
			nodes := b.Proto().Graph.Node
			last := nodes[len(nodes)-1]
			var attributes []string
			for _, a := range last.Attribute {
				attributes = append(attributes, a.GetName())
			}
			if last.GetOpType() != c.op || len(last.Input) != c.inputs || !slices.Equal(attributes, c.attributes) {
				t.Errorf("%s: %s of %d inputs with attributes %v, want %s of %d with %v", c.reason, last.GetOpType(), len(last.Input), attributes, c.op, c.inputs, c.attributes)
			}
		})
	}
}

func TestFileVersion(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		opset        int
		version      int64
		inputs       int
	}{
		{"old", "initializers stand among the inputs", 7, 3, 3},
		{"first without", "version 4 came with opset 9", 9, 4, 1},
		{"newest", "opset 21 came with version 10", 21, 10, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := graphtest.NewBuilder(c.opset, 1)
			b.Output("y", b.Gemm(b.Input("x", tensor.Float32, 4), 2))
			m := b.Proto()
			if m.GetIrVersion() != c.version || len(m.Graph.Input) != c.inputs || len(m.Graph.Initializer) != 2 {
				t.Errorf("%s: version %d with %d inputs and %d initializers, want %d, %d and 2", c.reason, m.GetIrVersion(), len(m.Graph.Input), len(m.Graph.Initializer), c.version, c.inputs)
			}
		})
	}
}

func TestShapesAreKept(t *testing.T) {
	b := graphtest.NewBuilder(13, 1)
	x := b.Input("x", tensor.Float32, 2, 6)
	for _, c := range []struct {
		name string
		got  graphtest.Value
		want []int
	}{
		{"transposed", b.Transpose(x, 1, 0, 2), []int{2, graphtest.Rows, 6}},
		{"flat", b.Flatten(x), []int{graphtest.Rows, 12}},
		{"broadcast", b.Binary("Add", b.Random(tensor.Float32, 1, 6), x), []int{graphtest.Rows, 2, 6}},
		{"reduced", b.Reduce("ReduceMean", x, 2, 0), []int{graphtest.Rows, 2}},
		{"joined", b.Concat(2, x, x), []int{graphtest.Rows, 2, 12}},
		{"convolved", b.Conv(x, 5, 3), []int{graphtest.Rows, 5, 6}},
		{"pooled", b.Pool("MaxPool", x), []int{graphtest.Rows, 2, 3}},
		{"like its rows", b.ReshapeLike(x, x, 3, 4), []int{graphtest.Rows, 3, 4}},
	} {
		if !slices.Equal(c.got.Shape, c.want) {
			t.Errorf("%s: shape %v, want %v", c.name, c.got.Shape, c.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("shapes that do not broadcast: want a panic")
		}
	}()
	b.Binary("Add", x, b.Random(tensor.Float32, 1, 5))
}

// Mutants must be other models, most of them still messages, and of all kinds.
func TestMutate(t *testing.T) {
	seen := map[string]bool{}
	const n = 400
	other, messages := 0, 0
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, 1))
		model := graphtest.New(seed % 20).Model
		mutated, changes := graphtest.Mutate(rng, model)
		for _, c := range changes {
			seen[c] = true
		}
		if !slices.Equal(model, mutated) {
			other++
		}
		if proto.Unmarshal(mutated, &onnxpb.ModelProto{}) == nil {
			messages++
		}
	}
	if other < n*8/10 || messages != n {
		t.Errorf("of %d mutants %d are changed and %d are messages, want 8 of 10 and all", n, other, messages)
	}
	if want := graphtest.Changes(); len(seen) != len(want) {
		t.Errorf("%d kinds of changes in %d mutants, want %d: %v", len(seen), n, len(want), want)
	}
	if got, changes := graphtest.Mutate(rand.New(rand.NewPCG(1, 1)), []byte("no model")); string(got) != "no model" || changes != nil {
		t.Errorf("what is no model: got %q, %v; want it as it was", got, changes)
	}
	file := graphtest.New(1).Model
	flipped := graphtest.FlipBytes(rand.New(rand.NewPCG(1, 1)), file)
	if len(flipped) != len(file) || slices.Equal(flipped, file) || !slices.Equal(file, graphtest.New(1).Model) {
		t.Error("flipped bytes: want a copy of one length with other bytes")
	}
}
