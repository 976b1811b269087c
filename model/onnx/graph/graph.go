package graph

import (
	"fmt"
	"slices"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// Opsets of ONNX's own domain that the rules know. Older ones broadcast in
// another way; newer ones have not been read.
const (
	minOpset = 7
	maxOpset = 25
)

// A Graph is what one output of a model is computed from.
type Graph struct {
	source *onnxpb.ModelProto
	// opset is the version of ONNX's own domain.
	opset  int
	leaves []leaf
	nodes  []*Node // in the order of computation
	values map[string]*Value
	// weights are the initializers in use.
	weights map[string]*onnxpb.TensorProto
	sparse  map[string]*onnxpb.SparseTensorProto
	output  string
	// terms are the values whose sum the output is, when it is one.
	terms []*Value
	// sums are nodes that add up values of one modality each, and nothing else.
	sums []*Node
	// largest is the largest absolute output at the looks.
	largest float64
	fresh   int // names given so far
}

// A leaf is an input of the cut graph.
type leaf struct {
	model.Leaf
	dtype tensor.DType
}

func uncut(format string, args ...any) error {
	return &model.Uncut{Reason: fmt.Sprintf(format, args...)}
}

// uncutAt says which node stands in the way.
func uncutAt(n *Node, format string, args ...any) error {
	return &model.Uncut{Node: n.Name(), Op: n.Op, Reason: fmt.Sprintf(format, args...)}
}

// read makes a graph of what q's output needs.
func read(m *onnxpb.ModelProto, q model.Question) (*Graph, error) {
	g := &Graph{
		source: m, output: q.Output,
		values: map[string]*Value{}, weights: map[string]*onnxpb.TensorProto{}, sparse: map[string]*onnxpb.SparseTensorProto{},
	}
	for _, set := range m.GetOpsetImport() {
		if domain(set.GetDomain()) == "" {
			g.opset = int(set.GetVersion())
		}
	}
	if g.opset < minOpset || g.opset > maxOpset {
		return nil, uncut("the file is of opset %d, want %d to %d", g.opset, minOpset, maxOpset)
	}
	if err := g.readLeaves(q); err != nil {
		return nil, err
	}
	for _, w := range m.GetGraph().GetInitializer() {
		if g.values[w.GetName()] == nil { // an input of the same name wins
			g.weights[w.GetName()] = w
		}
	}
	for _, w := range m.GetGraph().GetSparseInitializer() {
		g.sparse[w.GetValues().GetName()] = w
	}
	return g, g.readNodes()
}

// domain returns the name of a domain; ONNX's own has two.
func domain(name string) string {
	if name == "ai.onnx" {
		return ""
	}
	return name
}

// readLeaves makes the inputs, and joins those that were one.
func (g *Graph) readLeaves(q model.Question) error {
	for i, rows := range q.Rows {
		var pieces []*Value
		for _, l := range q.Leaves {
			if l.Input != i {
				continue
			}
			g.leaves = append(g.leaves, leaf{l, rows.Tensor.DType()})
			pieces = append(pieces, g.value(l.Name, rows.Tensor.DType()))
		}
		switch {
		case len(pieces) == 0:
			return fmt.Errorf("graph: no leaf covers input %q", rows.Name)
		case len(pieces) == 1 && pieces[0].Name != rows.Name:
			return fmt.Errorf("graph: leaf %q is all of input %q and must have its name", pieces[0].Name, rows.Name)
		case len(pieces) > 1:
			// Rows are on axis 0, so that the leaves are parts of axis 1.
			g.add(g.concat(1, pieces, g.value(rows.Name, rows.Tensor.DType())))
		}
	}
	return nil
}

// readNodes keeps the nodes that the output needs, each after those before it.
func (g *Graph) readNodes() error {
	producer := map[string]*onnxpb.NodeProto{}
	for _, n := range g.source.GetGraph().GetNode() {
		for _, out := range n.GetOutput() {
			if out == "" {
				continue
			}
			if producer[out] != nil || g.values[out] != nil || g.weights[out] != nil {
				return uncut("value %q is computed twice", out)
			}
			producer[out] = n
		}
	}
	const open, done = 1, 2
	state := map[*onnxpb.NodeProto]int{}
	// The stack is ours: a graph may be deeper than a goroutine's is long.
	type visit struct {
		node *onnxpb.NodeProto
		next int
	}
	var stack []visit
	need := func(name string) error {
		switch n := producer[name]; {
		case name == "" || g.values[name] != nil && n == nil || g.weights[name] != nil || g.sparse[name] != nil:
			return nil
		case n == nil:
			return uncut("nothing computes value %q", name)
		case state[n] == open:
			return uncut("value %q is computed from itself", name)
		case state[n] == 0:
			state[n] = open
			stack = append(stack, visit{node: n})
		}
		return nil
	}
	if err := need(g.output); err != nil {
		return err
	}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		inputs := slices.Concat(top.node.GetInput(), captures(top.node))
		if top.next < len(inputs) {
			top.next++
			if err := need(inputs[top.next-1]); err != nil {
				return err
			}
			continue
		}
		n := top.node
		stack = stack[:len(stack)-1]
		if state[n] == done {
			continue
		}
		state[n] = done
		if err := g.readNode(n); err != nil {
			return err
		}
	}
	if g.values[g.output] == nil {
		return uncut("output %q is no value of the graph", g.output)
	}
	return nil
}

// readNode adds a node whose inputs are there.
func (g *Graph) readNode(p *onnxpb.NodeProto) error {
	n, err := g.newNode(p)
	if err != nil {
		return err
	}
	if hasGraphs(p) {
		if n.Op != "If" {
			return uncutAt(n, "is control flow, which is not looked into")
		}
		for _, name := range captures(p) {
			n.In = append(n.In, g.operand(name))
		}
	}
	g.add(n)
	return nil
}

// newNode makes a node of its message.
func (g *Graph) newNode(p *onnxpb.NodeProto) (*Node, error) {
	n := &Node{Proto: p, Op: p.GetOpType(), Version: -1}
	own := domain(p.GetDomain())
	if own != "" {
		n.Op = own + "." + n.Op
	}
	for _, set := range g.source.GetOpsetImport() {
		if domain(set.GetDomain()) == own {
			n.Version = int(set.GetVersion())
		}
	}
	if n.Version < 0 {
		return nil, uncutAt(n, "is of a domain whose version the file does not tell")
	}
	for _, f := range g.source.GetFunctions() {
		if domain(f.GetDomain()) == own && f.GetName() == p.GetOpType() {
			return nil, uncutAt(n, "is a function of the model's own, which is not looked into")
		}
	}
	for _, name := range p.GetInput() {
		n.In = append(n.In, g.operand(name))
	}
	for _, name := range p.GetOutput() {
		switch have := g.values[name]; {
		case name == "":
			n.Out = append(n.Out, nil)
		case have != nil:
			n.Out = append(n.Out, have)
		default:
			n.Out = append(n.Out, g.value(name, 0))
		}
	}
	inferTypes(n)
	return n, nil
}

// operand returns the value called name, which is there or is a weight.
func (g *Graph) operand(name string) *Value {
	if name == "" {
		return nil
	}
	if v := g.values[name]; v != nil {
		return v
	}
	v := g.value(name, 0)
	v.Kind = Constant
	if w := g.weights[name]; w != nil {
		v.DType = dtypeOf(onnxpb.TensorProto_DataType(w.GetDataType()))
	} else if w := g.sparse[name]; w != nil {
		v.DType = dtypeOf(onnxpb.TensorProto_DataType(w.GetValues().GetDataType()))
	}
	return v
}

// value returns a new value.
func (g *Graph) value(name string, dtype tensor.DType) *Value {
	v := &Value{Name: name, DType: dtype}
	g.values[name] = v
	return v
}

// temporary returns a new value with a name of its own.
func (g *Graph) temporary(like *Value) *Value {
	for {
		g.fresh++
		name := fmt.Sprintf("%s/%d", like.Name, g.fresh)
		if g.values[name] == nil && g.weights[name] == nil && g.sparse[name] == nil {
			return g.value(name, like.DType)
		}
	}
}

func (g *Graph) add(nodes ...*Node) { g.nodes = append(g.nodes, nodes...) }

// producers maps every computed value to its node.
func (g *Graph) producers() map[*Value]*Node {
	out := map[*Value]*Node{}
	for _, n := range g.nodes {
		for _, v := range n.Out {
			if v != nil {
				out[v] = n
			}
		}
	}
	return out
}

// prune drops nodes that nothing needs.
func (g *Graph) prune() {
	needed := map[*Value]bool{g.values[g.output]: true}
	var kept []*Node
	for _, n := range slices.Backward(g.nodes) {
		if !slices.ContainsFunc(n.Out, func(v *Value) bool { return v != nil && needed[v] }) {
			continue
		}
		for _, v := range n.In {
			needed[v] = true
		}
		kept = append(kept, n)
	}
	slices.Reverse(kept)
	g.nodes = kept
}
