package graph

import (
	"github.com/intershap/intershap/model/onnx/onnxpb"
)

// A Node is an operation of a graph. Optional inputs and outputs that are left
// out are nil.
type Node struct {
	Proto *onnxpb.NodeProto
	// Op is the type of the operation, with its domain in front unless it is
	// ONNX's own: "Gemm", "ai.onnx.ml.Scaler".
	Op string
	// Version is the opset of the domain that the model imports.
	Version int
	In, Out []*Value
}

// Name names the node for a person: its own name, else its first output.
func (n *Node) Name() string {
	if name := n.Proto.GetName(); name != "" {
		return name
	}
	for _, out := range n.Proto.GetOutput() {
		if out != "" {
			return out
		}
	}
	return n.Op
}

// in returns input i, nil if it is left out.
func (n *Node) in(i int) *Value {
	if i >= len(n.In) {
		return nil
	}
	return n.In[i]
}

func (n *Node) attribute(name string) *onnxpb.AttributeProto {
	for _, a := range n.Proto.GetAttribute() {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}

// intAttribute returns an attribute, or what the operation takes without it.
func (n *Node) intAttribute(name string, otherwise int) int {
	if a := n.attribute(name); a != nil {
		return int(a.GetI())
	}
	return otherwise
}

// floatAttribute returns a number, or another where there is no such attribute.
func (n *Node) floatAttribute(name string, otherwise float64) float64 {
	if a := n.attribute(name); a != nil {
		return float64(a.GetF())
	}
	return otherwise
}

// intsAttribute returns an attribute, nil without it.
func (n *Node) intsAttribute(name string) []int {
	a := n.attribute(name)
	if a == nil {
		return nil
	}
	out := make([]int, len(a.GetInts()))
	for i, v := range a.GetInts() {
		out[i] = int(v)
	}
	return out
}

// stringAttribute returns an attribute, or what the operation takes without it.
func (n *Node) stringAttribute(name, otherwise string) string {
	if a := n.attribute(name); a != nil {
		return string(a.GetS())
	}
	return otherwise
}
