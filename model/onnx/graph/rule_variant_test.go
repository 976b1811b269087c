//go:build cgo

package graph_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/graph"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// TestVariantsAgainstRuntime moves the rows of all cases to other axes, changes
// axes and orders that the nodes name, and lets the runtime say which shapes
// come of it. What the rules accept of that, they must be right about.
func TestVariantsAgainstRuntime(t *testing.T) {
	wantLibrary(t)
	const each, seed = 2, 11
	rng := rand.New(rand.NewPCG(seed, seed))
	accepted := map[string]int{}
	for _, original := range graph.Cases() {
		// Outside ONNX's own domain the runtime ends the process over what is not valid.
		if original.Unrun != "" || strings.Contains(original.Op, ".") {
			continue
		}
		for i := range each {
			c := vary(rng, original)
			// Subtests close their models.
			t.Run(fmt.Sprintf("%s/%d", c.Name(), i), func(t *testing.T) {
				var err error
				if c.Out, err = shapes(t, c); err != nil {
					return // not a valid node
				}
				if _, err := graph.LayRows(c); err != nil {
					return // refused
				}
				if err := apart(t, c); err != nil && !errors.Is(err, errAlike) {
					t.Errorf("accepted, out %v: %v", c.Out, err)
				}
				accepted[c.Op]++
			})
		}
	}
	total := 0
	for _, n := range accepted {
		total += n
	}
	t.Logf("%d variants of %d operations were accepted", total, len(accepted))
	if want := 300; total < want {
		t.Errorf("want at least %d accepted variants for the test to mean something, got %d", want, total)
	}
}

// vary returns a case with its rows along another axis, and other axes named.
func vary(rng *rand.Rand, c graph.Case) graph.Case {
	c.In, c.Attributes = slices.Clone(c.In), slices.Clone(c.Attributes)
	rank := 1
	from, to := rng.IntN(5), 0
	group := -1 - rng.IntN(2)
	move := rng.IntN(4) > 0
	length := []int{1, 3, 4}[rng.IntN(3)]
	for i, o := range c.In {
		if o.DType == 0 || !o.IsRows() {
			continue
		}
		rank = max(rank, len(o.Shape))
		if !move {
			continue
		}
		shape := slices.Clone(o.Shape)
		// All inputs move theirs to the same axis from the right, where they have it.
		to = from % len(shape)
		shape[o.Layout().Axis] = length
		shape[len(shape)-1-to] = group
		c.In[i].Shape = shape
	}
	for i, o := range c.In {
		if o.Content.DType() == tensor.Int64 && o.Content.Len() == 1 && rng.IntN(2) > 0 {
			c.In[i].Content = tensor.Of([]int64{int64(rng.IntN(2*rank) - rank)})
		}
	}
	for i, a := range c.Attributes {
		a = proto.CloneOf(a)
		switch a.GetName() {
		case "axis":
			a.I = proto.Int64(int64(rng.IntN(2*rank) - rank))
		case "keepdims", "upper", "transA", "transB":
			a.I = proto.Int64(int64(rng.IntN(2)))
		case "axes":
			a.Ints = []int64{int64(rng.IntN(2*rank) - rank)}
		case "perm":
			for j, p := range rng.Perm(len(a.GetInts())) {
				if j == 0 {
					a.Ints = nil
				}
				a.Ints = append(a.Ints, int64(p))
			}
		}
		c.Attributes[i] = a
	}
	return c
}

// shapes asks the runtime for the shapes of the outputs, with the axes that grow
// with the rows negative. The error is the runtime's.
func shapes(t *testing.T, c graph.Case) ([][]int, error) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	m, err := open(t, write(c, rng, writer.shape))
	if err != nil {
		return nil, err
	}
	var at [2][][]int64
	sizes := [2]int{few, many}
	for i, rows := range sizes {
		got, err := m.Predict(t.Context(), batch(c, rng, rows))
		if err != nil {
			return nil, err
		}
		for _, out := range got {
			at[i] = append(at[i], tensor.Values[int64](out.Tensor.Slice(0, 1)))
		}
	}
	var result [][]int
	next := 0
	for _, shape := range c.Out {
		if shape == nil {
			result = append(result, nil)
			continue
		}
		low, high := at[0][next], at[1][next]
		next++
		dims := []int{}
		for a := range low {
			switch {
			case low[a] == 0:
				return nil, errors.New("there is nothing in it")
			case low[a] == high[a]:
				dims = append(dims, int(low[a]))
			case low[a]%few == 0 && low[a]/few*many == high[a]:
				dims = append(dims, -int(low[a]/few))
			default:
				return nil, fmt.Errorf("axis %d grows from %d to %d", a, low[a], high[a])
			}
		}
		result = append(result, dims)
	}
	return result, nil
}

// shape makes an output of the shape of an output of the node, once for each row.
func (w writer) shape(i int, _ []int) {
	name := fmt.Sprintf("out%d", i)
	w.node("Shape", []string{name}, name+" shape")
	w.node("Reshape", []string{name + " shape", w.ints(name+" flat", []int64{1, -1})}, name+" row")
	w.node("Shape", []string{w.rows}, name+" of")
	w.node("Gather", []string{name + " of", w.ints(name+" first", []int64{0})}, name+" rows")
	w.node("Concat", []string{name + " rows", w.ints(name+" one", []int64{1})}, name+" repeats",
		&onnxpb.AttributeProto{Name: proto.String("axis"), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(0)})
	final := fmt.Sprintf("y%d", i)
	w.node("Expand", []string{name + " row", name + " repeats"}, final)
	w.graph.Output = append(w.graph.Output, &onnxpb.ValueInfoProto{Name: proto.String(final)})
}
