package graph

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// Exporters write an If where a shape decides what is computed: squeezing an axis
// that may be 1 long, for one. Once the shape is known so is the branch, and its
// nodes take the place of the If. Whatever else is control flow is not looked into.

// hasGraphs reports whether a node has graphs of its own.
func hasGraphs(p *onnxpb.NodeProto) bool {
	return slices.ContainsFunc(p.GetAttribute(), func(a *onnxpb.AttributeProto) bool {
		return a.GetG() != nil || len(a.GetGraphs()) > 0
	})
}

// captures returns the values from outside that the graphs of a node use.
func captures(p *onnxpb.NodeProto) []string {
	var names []string
	for _, a := range p.GetAttribute() {
		inner := map[string]bool{"": true}
		for _, in := range a.GetG().GetInput() {
			inner[in.GetName()] = true
		}
		for _, w := range a.GetG().GetInitializer() {
			inner[w.GetName()] = true
		}
		use := func(name string) {
			if !inner[name] && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, n := range a.GetG().GetNode() {
			for _, in := range n.GetInput() {
				use(in)
			}
			for _, out := range n.GetOutput() {
				inner[out] = true
			}
		}
		for _, out := range a.GetG().GetOutput() {
			use(out.GetName())
		}
	}
	return names
}

// A known branch is one whose condition is a constant. It is returned as an error
// by the analysis, which starts anew with the branch in place.
type knownBranch struct {
	node *Node
	name string // of the attribute
}

func (b *knownBranch) Error() string { return "the branch " + b.name + " is taken" }

// analyseIf finds out which branch is taken.
func (g *Graph) analyseIf(n *Node) error {
	condition := n.in(0)
	if condition == nil || condition.Kind != Constant || condition.Content[0].DType() != tensor.Bool || condition.Content[0].Len() != 1 {
		return uncutAt(n, "is control flow that is not decided by shapes, and not looked into")
	}
	if tensor.Values[bool](condition.Content[0])[0] {
		return &knownBranch{n, "then_branch"}
	}
	return &knownBranch{n, "else_branch"}
}

// inline puts the nodes of a branch in the place of its If.
func (g *Graph) inline(b *knownBranch) error {
	a := b.node.attribute(b.name)
	branch := a.GetG()
	if branch == nil || len(branch.GetOutput()) != len(b.node.Out) || len(branch.GetSparseInitializer()) > 0 {
		return uncutAt(b.node, "has no branch that fits")
	}
	renamed := map[string]string{}
	for _, w := range branch.GetInitializer() {
		copied := proto.CloneOf(w)
		v := g.temporary(&Value{Name: w.GetName(), DType: dtypeOf(onnxpb.TensorProto_DataType(w.GetDataType()))})
		v.Kind = Constant
		copied.Name = proto.String(v.Name)
		g.weights[v.Name] = copied
		renamed[w.GetName()] = v.Name
	}
	var nodes []*Node
	for _, p := range branch.GetNode() {
		if hasGraphs(p) {
			return uncutAt(b.node, "is control flow within control flow, which is not looked into")
		}
		copied := proto.CloneOf(p)
		copied.Name = nil
		for i, name := range copied.Input {
			if other, ok := renamed[name]; ok {
				copied.Input[i] = other
			}
		}
		for i, name := range copied.Output {
			if name == "" {
				continue
			}
			if renamed[name] != "" {
				return uncutAt(b.node, "has a branch that computes %q twice", name)
			}
			renamed[name] = g.temporary(&Value{Name: name}).Name
			copied.Output[i] = renamed[name]
		}
		n, err := g.newNode(copied)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	for i, out := range branch.GetOutput() {
		if b.node.Out[i] == nil {
			continue
		}
		name := out.GetName()
		if other, ok := renamed[name]; ok {
			name = other
		}
		from := g.operand(name)
		nodes = append(nodes, g.node("Identity", []*Value{from}, []*Value{b.node.Out[i]}))
	}
	at := slices.Index(g.nodes, b.node)
	g.nodes = slices.Replace(g.nodes, at, at+1, nodes...)
	for _, n := range g.nodes { // the types behind an If become known
		for _, v := range n.Out {
			if v != nil {
				v.DType = 0
			}
		}
		inferTypes(n)
	}
	return nil
}
