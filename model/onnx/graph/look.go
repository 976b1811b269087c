package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Runner runs a model on several batches, one after the other, and returns the
// named outputs for each. The model's external data, if it has any, are those of
// the file that is cut.
type Runner func(ctx context.Context, model []byte, outputs []string, batches []model.Batch) ([][]tensor.Tensor, error)

// look runs the graph on a few rows and keeps the shape of every value, and the
// content of those that may say a shape.
func (g *Graph) look(ctx context.Context, run Runner, rows model.Batch) error {
	// static values are computed without a row, from weights and shapes; measured
	// ones from shapes.
	static, measured := map[*Value]bool{}, map[*Value]bool{}
	var watched, kept []*Value
	nodes := make([]*Node, 0, 2*len(g.nodes))
	var outputs []port
	for _, n := range g.nodes {
		sizes := n.Op == "Shape" || n.Op == "Size"
		quiet := sizes || g.allStatic(n, static)
		for _, v := range n.In {
			sizes = sizes || measured[v]
		}
		nodes = append(nodes, n)
		for _, v := range n.Out {
			if v == nil {
				continue
			}
			static[v], measured[v] = quiet, quiet && sizes
			shape := g.node("Shape", []*Value{v}, []*Value{g.temporary(&Value{Name: v.Name, DType: tensor.Int64})})
			full := g.marked(shape.Out[0])
			nodes = append(nodes, shape, full)
			outputs = append(outputs, port{name: full.Out[0].Name})
			watched = append(watched, v)
		}
	}
	for _, v := range watched {
		readable := v.DType != 0 && v.DType != tensor.Float16 && v.DType != tensor.String
		if readable && (measured[v] || static[v] && !v.DType.IsFloat()) {
			kept = append(kept, v)
			flat := g.reshape(v, []int{-1})
			full := g.marked(flat.Out[0])
			nodes = append(nodes, flat, full)
			outputs = append(outputs, port{name: full.Out[0].Name})
		}
	}
	g.readWeights()
	outputs = append(outputs, port{name: g.output})
	var inputs []port
	for _, l := range g.leaves {
		inputs = append(inputs, port{name: l.Name, dtype: l.dtype, shape: append([]int{-1}, l.Shape...)})
	}
	data, err := g.write(nodes, inputs, outputs)
	if err != nil {
		return err
	}
	var names []string
	for _, o := range outputs {
		names = append(names, o.name)
	}
	var batches []model.Batch
	for _, n := range lookRows {
		batches = append(batches, g.cycle(rows, n))
	}
	results, err := run(ctx, data, names, batches)
	if err != nil {
		if cause := ctx.Err(); cause != nil {
			return cause
		}
		return uncut("the graph does not run with its inner values as outputs: %s", firstLine(err))
	}
	for look, got := range results {
		for i, v := range watched {
			v.Dims[look] = dimensions(unmarked(got[i]))
		}
		for i, v := range kept {
			t := unmarked(got[len(watched)+i])
			if t.Len() <= contentLimit && t.Len() == product(v.Dims[look]) {
				v.Content[look] = t
			}
		}
		if answer := got[len(got)-1]; answer.DType() != tensor.String {
			numbers := make([]float64, answer.Len())
			answer.Float64s(numbers)
			for _, x := range numbers {
				if x-x == 0 { // no NaN, no infinity
					g.largest = max(g.largest, math.Abs(x))
				}
			}
		}
		for _, l := range g.leaves {
			g.values[l.Name].Dims[look] = append([]int{lookRows[look]}, l.Shape...)
		}
	}
	return nil
}

// allStatic reports whether a node is computed from weights and static values.
func (g *Graph) allStatic(n *Node, static map[*Value]bool) bool {
	for _, v := range n.In {
		if v != nil && v.Kind != Constant && !static[v] {
			return false
		}
	}
	return true
}

// readWeights notes the shapes of weights, and what is in the small ones.
func (g *Graph) readWeights() {
	for _, n := range g.nodes {
		for _, v := range n.In {
			if v == nil {
				continue
			}
			dims := []int{}
			if w := g.weights[v.Name]; w != nil {
				for _, d := range w.GetDims() {
					dims = append(dims, int(d))
				}
				if t, ok := contentOf(w); ok {
					v.Content = [looks]tensor.Tensor{t, t}
				}
			} else if w := g.sparse[v.Name]; w != nil {
				for _, d := range w.GetDims() {
					dims = append(dims, int(d))
				}
			} else {
				continue
			}
			v.Dims = [looks][]int{dims, dims}
		}
	}
}

// cycle makes n rows of each leaf from the rows of the inputs, again and again
// from the first.
func (g *Graph) cycle(rows model.Batch, n int) model.Batch {
	var batch model.Batch
	for _, l := range g.leaves {
		from := rows[l.Input].Tensor
		t := tensor.New(l.dtype, append([]int{n}, l.Shape...)...)
		width := l.Hi - l.Lo
		for r := range n {
			t.CopyElements(r*width, from, r%from.Rows()*from.RowLen()+l.Lo, width)
		}
		batch = append(batch, model.Named{Name: l.Name, Tensor: t})
	}
	return batch
}

// marked returns a node that puts one element before those of a vector, for the
// shape of a scalar and the content of an empty value have none, and a tensor
// without elements does not come out of every runtime.
func (g *Graph) marked(v *Value) *Node {
	mark := g.literal(v.Name, tensor.New(v.DType, 1), 1)
	return g.concat(0, []*Value{mark, v}, g.temporary(v))
}

func unmarked(t tensor.Tensor) tensor.Tensor { return t.Reshape(t.Len()).Slice(1, t.Len()) }

// dimensions reads what a Shape gave.
func dimensions(t tensor.Tensor) []int {
	out := make([]int, t.Len())
	if t.DType() != tensor.Int64 {
		return out
	}
	for i, d := range tensor.Values[int64](t) {
		out[i] = int(d)
	}
	return out
}

// firstLine keeps an error of the runtime to the line that says what is wrong.
func firstLine(err error) error {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	if line == "" {
		return fmt.Errorf("%w", err)
	}
	return errors.New(line)
}
