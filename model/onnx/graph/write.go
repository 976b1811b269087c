package graph

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// A port is an input or output of a model that is written. Its shape has -1 for
// any length, and is nil where the file need not tell it.
type port struct {
	name  string
	dtype tensor.DType
	shape []int
	// paired is set for an input of pairs.
	paired bool
}

// write returns a model of some nodes of the graph.
func (g *Graph) write(nodes []*Node, inputs, outputs []port) ([]byte, error) {
	m := &onnxpb.ModelProto{
		IrVersion:   g.source.IrVersion,
		OpsetImport: g.imports(),
		Graph:       &onnxpb.GraphProto{Name: proto.String("part")},
	}
	out := m.Graph
	seen := map[string]bool{}
	for _, n := range nodes {
		out.Node = append(out.Node, n.Proto)
		for _, v := range n.In { // of an If, what the branches use as well
			name := nameOf(v)
			if seen[name] {
				continue
			}
			seen[name] = true
			if w := g.weights[name]; w != nil {
				out.Initializer = append(out.Initializer, w)
			} else if w := g.sparse[name]; w != nil {
				out.SparseInitializer = append(out.SparseInitializer, w)
			}
		}
	}
	for _, in := range inputs {
		out.Input = append(out.Input, in.info())
	}
	for _, o := range outputs {
		out.Output = append(out.Output, o.info())
	}
	// The order of the fields is fixed, so that the same cut is the same bytes.
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("graph: write a part: %w", err)
	}
	return data, nil
}

// imports returns the opsets. Nothing that the rules know of opset 7 changed its
// meaning in 8, which has Expand.
func (g *Graph) imports() []*onnxpb.OperatorSetIdProto {
	out := slices.Clone(g.source.GetOpsetImport())
	for i, set := range out {
		if domain(set.GetDomain()) == "" && g.opset == minOpset {
			out[i] = &onnxpb.OperatorSetIdProto{Domain: set.Domain, Version: proto.Int64(minOpset + 1)}
		}
	}
	return out
}

func (p port) info() *onnxpb.ValueInfoProto {
	info := &onnxpb.ValueInfoProto{Name: proto.String(p.name)}
	if p.shape == nil && p.dtype == 0 {
		return info
	}
	shape := &onnxpb.TensorShapeProto{}
	for i, d := range p.shape {
		dim := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}}
		if d < 0 {
			// Axes of one name are taken to be of one length, so that the runtime
			// plans its memory by them. Those of pairs are not: 1 is one of them.
			name := "rows"
			if p.paired {
				name = fmt.Sprintf("axis %d of %s", i, p.name)
			}
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: name}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	info.Type = &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{
		ElemType: proto.Int32(int32(elementTypes[p.dtype])), Shape: shape,
	}}}
	return info
}
