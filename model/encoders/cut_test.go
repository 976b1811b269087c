package encoders

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

var update = flag.Bool("update", false, "rewrite the models of testdata")

const (
	joined = "../../examples/triage/model.onnx"
	triage = "testdata/triage"
)

// The tensors at which the example's model is cut into encoders and a head.
var cuts = []struct {
	file         string
	takes, gives []string
	takeW, giveW [][]int // shapes of a row
}{
	{file: "image.onnx", takes: []string{"image"}, takeW: [][]int{{1, 12, 12}}, gives: []string{"/image/image.8/Relu_output_0"}, giveW: [][]int{{16}}},
	{file: "ecg.onnx", takes: []string{"ecg"}, takeW: [][]int{{2, 48}}, gives: []string{"/ecg/Gather_output_0"}, giveW: [][]int{{16}}},
	{file: "labs.onnx", takes: []string{"labs"}, takeW: [][]int{{6}}, gives: []string{"/labs/Relu_output_0"}, giveW: [][]int{{16}}},
	{file: "head.onnx", takes: []string{"/image/image.8/Relu_output_0", "/ecg/Gather_output_0", "/labs/Relu_output_0"}, takeW: [][]int{{16}, {16}, {16}},
		gives: []string{"logits", "probabilities"}, giveW: [][]int{{4}, {4}}},
}

// short are the names that the tensors of the cut get. The encoders call their
// inputs alike, as exporters do.
var short = map[string]string{
	"image": "input", "ecg": "input", "labs": "input",
	"/image/image.8/Relu_output_0": "image_features", "/ecg/Gather_output_0": "ecg_features", "/labs/Relu_output_0": "labs_features",
}

// TestModels holds that the models of testdata are the example's in parts, or
// makes them with -update.
func TestModels(t *testing.T) {
	for _, c := range cuts {
		want := part(t, c.takes, c.gives, c.takeW, c.giveW)
		path := filepath.Join(triage, c.file)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s is not cut from %s; run this test with -update", path, joined)
		}
	}
}

// part returns the nodes of the example's model between two sets of tensors, as
// a model of its own.
func part(t *testing.T, takes, gives []string, takeShapes, giveShapes [][]int) []byte {
	t.Helper()
	data, err := os.ReadFile(joined)
	if err != nil {
		t.Fatal(err)
	}
	var m onnxpb.ModelProto
	if err := proto.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	wanted := slices.Clone(gives)
	var nodes []*onnxpb.NodeProto
	for _, n := range slices.Backward(m.Graph.Node) {
		if !slices.ContainsFunc(n.Output, func(out string) bool { return slices.Contains(wanted, out) && !slices.Contains(takes, out) }) {
			continue
		}
		nodes = append(nodes, n)
		wanted = append(wanted, n.Input...)
	}
	slices.Reverse(nodes)
	for _, n := range nodes {
		for _, names := range [][]string{n.Input, n.Output} {
			for i, name := range names {
				if other, renamed := short[name]; renamed {
					names[i] = other
				}
			}
		}
	}
	infos := func(names []string, shapes [][]int) (infos []*onnxpb.ValueInfoProto) {
		for i, name := range names {
			if other, renamed := short[name]; renamed {
				name = other
			}
			dims := []*onnxpb.TensorShapeProto_Dimension{{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}}
			for _, n := range shapes[i] {
				dims = append(dims, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(n)}})
			}
			infos = append(infos, &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
				TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Shape: &onnxpb.TensorShapeProto{Dim: dims}}}}})
		}
		return infos
	}
	var weights []*onnxpb.TensorProto
	for _, w := range m.Graph.Initializer {
		if slices.Contains(wanted, w.GetName()) {
			weights = append(weights, w)
		}
	}
	m.Graph.Node, m.Graph.Initializer, m.Graph.ValueInfo = nodes, weights, nil
	m.Graph.Input, m.Graph.Output = infos(takes, takeShapes), infos(gives, giveShapes)
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
