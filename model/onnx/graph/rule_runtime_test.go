//go:build cgo

package graph_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graph"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// TestRulesAgainstRuntime runs every case that the rules accept: a row's outputs
// must stay the same when the other rows are others or change places, and lie
// where the case says that they do.
func TestRulesAgainstRuntime(t *testing.T) {
	wantLibrary(t)
	for _, c := range graph.Cases() {
		if c.Refuse != "" {
			continue
		}
		t.Run(c.Name(), func(t *testing.T) {
			if c.Unrun != "" {
				t.Skip(c.Unrun)
			}
			if err := apart(t, c); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRuntimeFindsMixing tells the harness above that operations keep rows apart
// that do not, or that rows lie where they don't.
func TestRuntimeFindsMixing(t *testing.T) {
	wantLibrary(t)
	float := func(shape ...int) graph.Operand {
		return graph.Operand{DType: tensor.Float32, Shape: shape, Low: -1, High: 1}
	}
	axis := func(name string, v int64) []*onnxpb.AttributeProto {
		return []*onnxpb.AttributeProto{{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}}
	}
	shape := func(v ...int64) graph.Operand {
		return graph.Operand{DType: tensor.Int64, Shape: []int{len(v)}, Content: tensor.Of(v)}
	}
	zero := shape(0)
	zero.Shape = []int{}
	const moved = "as row"
	tests := []struct {
		reason, want string
		c            graph.Case
	}{
		{"normalises over the rows", moved, graph.Case{Op: "Softmax", Version: 13, Attributes: axis("axis", 0),
			In: []graph.Operand{float(-1, 4)}, Out: [][]int{{-1, 4}}}},
		{"normalises over the rows and channels", moved, graph.Case{Op: "Softmax", Version: 11, Attributes: axis("axis", 0),
			In: []graph.Operand{float(-1, 4)}, Out: [][]int{{-1, 4}}}},
		{"a mean of the rows, as one group for each", "its axis 0 is not the rows", graph.Case{Op: "ReduceMean", Version: 13, Attributes: axis("keepdims", 1),
			In: []graph.Operand{float(-1, 4)}, Out: [][]int{{-1, 1}}}},
		{"adds up along the rows", moved, graph.Case{Op: "CumSum", Version: 14, In: []graph.Operand{float(-1, 4), zero}, Out: [][]int{{-1, 4}}}},
		{"products of rows", moved, graph.Case{Op: "Einsum", Version: 12, Attributes: []*onnxpb.AttributeProto{{Name: proto.String("equation"),
			Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte("bd,cd->b")}}, In: []graph.Operand{float(-1, 4), float(-1, 4)}, Out: [][]int{{-1}}}},
		{"scales by the whole batch", moved, graph.Case{Op: "DynamicQuantizeLinear", Version: 11, In: []graph.Operand{float(-1, 4)},
			Out: [][]int{{-1, 4}, nil, nil}}},
		{"indices count through the batch", moved, graph.Case{Op: "MaxPool", Version: 12, Attributes: []*onnxpb.AttributeProto{{
			Name: proto.String("kernel_shape"), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: []int64{2}}},
			In: []graph.Operand{float(-1, 2, 4)}, Out: [][]int{nil, {-1, 2, 3}}}},
		{"depends on the place", moved, graph.Case{Op: "Trilu", Version: 14, In: []graph.Operand{float(-1, 8)}, Out: [][]int{{-1, 8}}}},
		{"reverses the rows", moved, graph.Case{Op: "Slice", Version: 13, In: []graph.Operand{float(-1, 4), shape(-1), shape(math.MinInt64), shape(0), shape(-1)},
			Out: [][]int{{-1, 4}}}},
		{"cuts across groups", moved, graph.Case{Op: "Reshape", Version: 13, In: []graph.Operand{float(2, -2, 3), shape(-1, 2, 3)}, Out: [][]int{{-2, 2, 3}}}},
		{"the same output for all rows", "nothing is tested", graph.Case{Op: "Mul", Version: 13, In: []graph.Operand{float(-1, 4), {DType: tensor.Float32, Shape: []int{1}, Content: tensor.Of([]float32{0})}},
			Out: [][]int{{-1, 4}}}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			err := apart(t, tt.c)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: want %q to be found, got %v", tt.c.Name(), tt.want, err)
			}
		})
	}
}

// The numbers of rows of the batches; a multiple of 16, which the backend would
// pad a batch to.
const few, many = 16, 48

// tolerance bounds the relative difference of what is computed with other rows:
// the runtime may add up in another order, which moves a float32 of this size of
// sums by some of its last bits.
const tolerance = 1e-6

var errAlike = errors.New("all rows of all outputs are alike, so that nothing is tested")

// apart runs a case and says how rows depend on one another.
func apart(t *testing.T, c graph.Case) error {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, uint64(len(c.In))))
	m, err := open(t, write(c, rng, writer.output))
	if err != nil {
		return err
	}
	first := batch(c, rng, many)
	want, err := m.Predict(t.Context(), first)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	varied := false
	for _, out := range want {
		varied = varied || varies(out.Tensor)
	}
	if !varied {
		return errAlike
	}
	trials := []struct {
		name string
		rows []int // of the first batch; -1 is a row that was not there
	}{
		{"in another order", rng.Perm(many)},
		{"fewer of them", rng.Perm(many)[:few]},
		{"among others", []int{0, -1, -1, 3, -1, 47, -1, -1, -1, -1, 20, -1, -1, -1, -1, 1}},
		{"all alike", slices.Repeat([]int{7}, few)},
	}
	for _, trial := range trials {
		other := batch(c, rng, len(trial.rows))
		for i, in := range other {
			for to, from := range trial.rows {
				if from >= 0 {
					in.Tensor.CopyRow(to, first[i].Tensor, from, 0, in.Tensor.RowLen())
				}
			}
		}
		got, err := m.Predict(t.Context(), other)
		if err != nil {
			return fmt.Errorf("run %s: %w", trial.name, err)
		}
		for i, out := range got {
			if diff := differ(want[i].Tensor, out.Tensor, trial.rows); diff != "" {
				return fmt.Errorf("output %s, rows %s: %s", out.Name, trial.name, diff)
			}
		}
	}
	return nil
}

// varies reports whether not all rows are alike.
func varies(t tensor.Tensor) bool {
	values, width := make([]float64, t.Len()), t.RowLen()
	t.Float64s(values)
	for i, v := range values {
		if v != values[i%width] {
			return true
		}
	}
	return false
}

// differ compares rows of got with those of want that they were.
func differ(want, got tensor.Tensor, rows []int) string {
	width := want.RowLen()
	if got.Rows() != len(rows) || got.RowLen() != width {
		return fmt.Sprintf("want %d rows of %d elements, got %v", len(rows), width, got.Shape())
	}
	a, b := make([]float64, want.Len()), make([]float64, got.Len())
	want.Float64s(a)
	got.Float64s(b)
	for to, from := range rows {
		for i := range width {
			if from < 0 {
				continue
			}
			x, y := a[from*width+i], b[to*width+i]
			bound := tolerance * max(1, math.Abs(x))
			if same := x == y || math.IsNaN(x) && math.IsNaN(y); !same && !(math.Abs(x-y) <= bound) {
				return fmt.Sprintf("element %d of row %d is %g, as row %d of another batch %g", i, from, x, to, y)
			}
		}
	}
	return ""
}

// batch fills the inputs of a case, rows first.
func batch(c graph.Case, rng *rand.Rand, rows int) model.Batch {
	var b model.Batch
	for i, o := range c.In {
		if o.DType != 0 && o.IsRows() {
			b = append(b, model.Named{Name: fmt.Sprintf("x%d", i), Tensor: o.Fill(rng, append([]int{rows}, rowShape(o)...)...)})
		}
	}
	return b
}

// rowShape is the shape of a row of an input that has its rows first: all axes
// but that of the rows, or with the group in its place.
func rowShape(o graph.Operand) []int {
	l := o.Layout()
	shape := slices.Clone(o.Shape)
	if l.Group == 1 {
		return slices.Delete(shape, l.Axis, l.Axis+1)
	}
	shape[l.Axis] = l.Group
	return shape
}

// wantLibrary ends a test that would take the want of a library for the fault of
// a model.
func wantLibrary(t *testing.T) {
	t.Helper()
	if _, err := onnx.FindLibrary(""); err != nil {
		t.Fatal(err)
	}
}

// open writes a model and opens it. Only what is wrong with the model is
// returned; the rest ends the test.
func open(t *testing.T, file *onnxpb.ModelProto) (*onnx.Model, error) {
	t.Helper()
	data, err := proto.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, nil
}

// A writer makes a model of a case: inputs and outputs have their rows first,
// and are brought to the layout of the case and back.
type writer struct {
	graph *onnxpb.GraphProto
	rows  string // an input with rows
}

// The versions of a file that the runtime of the tests reads: the file's own,
// and ONNX's operations beside those of other domains.
const irVersion, besideVersion = 10, 17

// write makes the model of a case; finish adds what becomes of each output.
func write(c graph.Case, rng *rand.Rand, finish func(w writer, i int, shape []int)) *onnxpb.ModelProto {
	w := writer{graph: &onnxpb.GraphProto{Name: proto.String("case")}}
	domain, op := "", c.Op
	if dot := strings.LastIndex(c.Op, "."); dot >= 0 {
		domain, op = c.Op[:dot], c.Op[dot+1:]
	}
	node := &onnxpb.NodeProto{OpType: proto.String(op), Domain: proto.String(domain), Attribute: c.Attributes}
	for i, o := range c.In {
		if o.DType != 0 && o.IsRows() {
			w.rows = fmt.Sprintf("x%d", i)
		}
	}
	for i, o := range c.In {
		name := ""
		switch {
		case o.DType == 0:
		case o.Sized != nil:
			name = w.sized(i, o)
		case o.IsRows():
			name = w.input(i, o)
		case o.Content.DType() != 0:
			name = w.constant(fmt.Sprintf("c%d", i), o.Content, o.Shape)
		default:
			name = w.constant(fmt.Sprintf("c%d", i), o.Fill(rng, o.Shape...), o.Shape)
		}
		node.Input = append(node.Input, name)
	}
	for i, shape := range c.Out {
		if shape == nil {
			// Outputs that nobody wants are named all the same: some are not optional.
			node.Output = append(node.Output, fmt.Sprintf("unused%d", i))
			continue
		}
		node.Output = append(node.Output, fmt.Sprintf("out%d", i))
	}
	w.graph.Node = append(w.graph.Node, node)
	for i, shape := range c.Out {
		if shape != nil {
			finish(w, i, shape)
		}
	}
	opsets := []*onnxpb.OperatorSetIdProto{{Domain: proto.String(domain), Version: proto.Int64(int64(c.Version))}}
	if domain != "" {
		opsets = append(opsets, &onnxpb.OperatorSetIdProto{Domain: proto.String(""), Version: proto.Int64(besideVersion)})
	}
	return &onnxpb.ModelProto{IrVersion: proto.Int64(irVersion), OpsetImport: opsets, Graph: w.graph}
}

func (w writer) node(op string, in []string, out string, a ...*onnxpb.AttributeProto) {
	w.graph.Node = append(w.graph.Node, &onnxpb.NodeProto{OpType: proto.String(op), Input: in, Output: []string{out}, Attribute: a})
}

var elementTypes = map[tensor.DType]onnxpb.TensorProto_DataType{
	tensor.Float32: onnxpb.TensorProto_FLOAT, tensor.Float64: onnxpb.TensorProto_DOUBLE, tensor.Int8: onnxpb.TensorProto_INT8,
	tensor.Int32: onnxpb.TensorProto_INT32, tensor.Int64: onnxpb.TensorProto_INT64, tensor.Uint8: onnxpb.TensorProto_UINT8,
	tensor.Uint64: onnxpb.TensorProto_UINT64, tensor.Bool: onnxpb.TensorProto_BOOL,
}

func (w writer) constant(name string, content tensor.Tensor, shape []int) string {
	t := &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(elementTypes[content.DType()])), RawData: content.Bytes()}
	for _, d := range shape {
		t.Dims = append(t.Dims, int64(d))
	}
	w.graph.Initializer = append(w.graph.Initializer, t)
	return name
}

func (w writer) ints(name string, values []int64) string {
	return w.constant(name, tensor.Of(values, len(values)), []int{len(values)})
}

// input adds an input and brings its rows to where the operand has them.
func (w writer) input(i int, o graph.Operand) string {
	name, l, shape := fmt.Sprintf("x%d", i), o.Layout(), &onnxpb.TensorShapeProto{}
	dim := func(d int) {
		shape.Dim = append(shape.Dim, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	shape.Dim = append(shape.Dim, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}})
	for _, d := range rowShape(o) {
		dim(d)
	}
	w.graph.Input = append(w.graph.Input, &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{
		Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(elementTypes[o.DType])), Shape: shape}}}})
	if l.Axis == 0 && l.Group == 1 {
		return name
	}
	// [rows, before..., group, behind...] to [before..., rows, group, behind...].
	var perm, merged []int64
	for a := range len(shape.Dim) {
		switch {
		case a < l.Axis:
			perm = append(perm, int64(a+1))
		case a == l.Axis:
			perm = append(perm, 0)
		default:
			perm = append(perm, int64(a))
		}
	}
	for a, d := range o.Shape {
		merged = append(merged, int64(d))
		if a == l.Axis {
			merged[a] = -1
		}
	}
	w.node("Transpose", []string{name}, name+" moved", &onnxpb.AttributeProto{Name: proto.String("perm"), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: perm})
	w.node("Reshape", []string{name + " moved", w.ints(name+" shape", merged)}, name+" laid")
	return name + " laid"
}

// output brings the rows of an output of the node to the front.
func (w writer) output(i int, shape []int) {
	name, split, perm := fmt.Sprintf("out%d", i), []int64{}, []int64{0}
	for a, d := range shape {
		if d < 0 {
			split = append(split, -1, int64(-d))
			perm[0] = int64(a)
			perm = append(perm, int64(a+1))
			continue
		}
		split = append(split, int64(d))
		perm = append(perm, int64(len(split)-1))
	}
	final := fmt.Sprintf("y%d", i)
	w.node("Reshape", []string{name, w.ints(name+" shape", split)}, name+" split")
	w.node("Transpose", []string{name + " split"}, final, &onnxpb.AttributeProto{Name: proto.String("perm"), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: perm})
	w.graph.Output = append(w.graph.Output, &onnxpb.ValueInfoProto{Name: proto.String(final)})
}

// sized computes base + slope·rows from the shape of an input.
func (w writer) sized(i int, o graph.Operand) string {
	one, two := o.Sized(1), o.Sized(2)
	base, slope := slices.Clone(one), slices.Clone(one)
	for j := range one {
		slope[j] = two[j] - one[j]
		base[j] = one[j] - slope[j]
	}
	name := fmt.Sprintf("size%d", i)
	w.node("Shape", []string{w.rows}, name+" of")
	w.node("Gather", []string{name + " of", w.ints(name+" first", []int64{0})}, name+" rows")
	w.node("Mul", []string{name + " rows", w.ints(name+" slope", slope)}, name+" grown")
	w.node("Add", []string{name + " grown", w.ints(name+" base", base)}, name)
	return name
}
