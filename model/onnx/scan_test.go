package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

func TestScan(t *testing.T) {
	tests := []struct {
		model string
		want  content
	}{
		{"dense", content{hasGraph: true, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
		{"external", content{hasGraph: true, external: []string{"external.data"}, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
		{"zipmap_int", content{
			hasGraph:  true,
			scoreMaps: map[string]bool{"output_probability": true},
			zipMaps:   map[string][]string{"output_probability": {"2", "10", "33"}}}},
		{"unsupported", content{hasGraph: true, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
	}
	for _, tt := range tests {
		data, err := os.ReadFile(filepath.Join("testdata", tt.model+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := scan(data)
		if err != nil {
			t.Fatalf("%s: %v", tt.model, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(content{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.model, diff)
		}
	}
}

// marshal returns the bytes of a model.
func marshal(t *testing.T, m *onnxpb.ModelProto) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tensorOutside has its elements in w.bin.
func tensorOutside() *onnxpb.TensorProto {
	return &onnxpb.TensorProto{ExternalData: []*onnxpb.StringStringEntryProto{
		{Key: proto.String("offset"), Value: proto.String("4096")}, {Key: proto.String("location"), Value: proto.String("w.bin")}}}
}

// nodeWith has one attribute.
func nodeWith(a *onnxpb.AttributeProto) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{OpType: proto.String("Op"), Attribute: []*onnxpb.AttributeProto{a}}
}

// TestScanFindsExternalData hides a tensor where tensors can be.
func TestScanFindsExternalData(t *testing.T) {
	inside := &onnxpb.GraphProto{Initializer: []*onnxpb.TensorProto{tensorOutside()}}
	constant := &onnxpb.AttributeProto{T: tensorOutside()}
	// Neither is the model's own ZipMap.
	zipMap := &onnxpb.NodeProto{OpType: proto.String("ZipMap"), Output: []string{"y"}}
	apart := &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{nodeWith(constant), zipMap}}
	graph := func(g *onnxpb.GraphProto) *onnxpb.ModelProto { return &onnxpb.ModelProto{Graph: g} }
	attribute := func(a *onnxpb.AttributeProto) *onnxpb.ModelProto {
		return graph(&onnxpb.GraphProto{Node: []*onnxpb.NodeProto{nodeWith(a)}})
	}
	tests := []struct {
		name  string
		model *onnxpb.ModelProto
	}{
		{"initializer", graph(inside)},
		{"sparse initializer", graph(&onnxpb.GraphProto{SparseInitializer: []*onnxpb.SparseTensorProto{{Indices: tensorOutside()}}})},
		{"constant", attribute(constant)},
		{"list of tensors", attribute(&onnxpb.AttributeProto{Tensors: []*onnxpb.TensorProto{{}, tensorOutside()}})},
		{"sparse constant", attribute(&onnxpb.AttributeProto{SparseTensor: &onnxpb.SparseTensorProto{Values: tensorOutside()}})},
		{"sparse constants", attribute(&onnxpb.AttributeProto{SparseTensors: []*onnxpb.SparseTensorProto{{Values: tensorOutside()}}})},
		{"branch", attribute(&onnxpb.AttributeProto{G: inside})},
		{"branches", attribute(&onnxpb.AttributeProto{Graphs: []*onnxpb.GraphProto{{}, inside}})},
		{"function", &onnxpb.ModelProto{Functions: []*onnxpb.FunctionProto{{Node: apart.Node}}}},
		{"default of a function", &onnxpb.ModelProto{Functions: []*onnxpb.FunctionProto{{AttributeProto: []*onnxpb.AttributeProto{constant}}}}},
		{"initialization", &onnxpb.ModelProto{TrainingInfo: []*onnxpb.TrainingInfoProto{{Initialization: apart}}}},
		{"algorithm", &onnxpb.ModelProto{TrainingInfo: []*onnxpb.TrainingInfoProto{{Algorithm: apart}}}},
	}
	for _, tt := range tests {
		got, err := scan(marshal(t, tt.model))
		if err != nil || !slices.Equal(got.external, []string{"w.bin"}) || len(got.zipMaps) > 0 {
			t.Errorf("%s: want w.bin and no ZipMap, got %v, %v, %v", tt.name, got.external, got.zipMaps, err)
		}
	}
}

// TestScanFindsShapes tells a scalar, whose shape is there and empty, from a
// tensor of unknown rank.
func TestScanFindsShapes(t *testing.T) {
	tensor := func(name string, shape *onnxpb.TensorShapeProto) *onnxpb.ValueInfoProto {
		return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
			TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Shape: shape}}}}
	}
	sequence := &onnxpb.ValueInfoProto{Name: proto.String("sequence"), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_SequenceType{
		SequenceType: &onnxpb.TypeProto_Sequence{}}}}
	scalar := &onnxpb.TensorShapeProto{}
	inner := &onnxpb.GraphProto{Input: []*onnxpb.ValueInfoProto{tensor("inner", nil)}}
	got, err := scan(marshal(t, &onnxpb.ModelProto{Graph: &onnxpb.GraphProto{
		Input:  []*onnxpb.ValueInfoProto{tensor("unknown", nil), tensor("scalar", scalar), sequence},
		Output: []*onnxpb.ValueInfoProto{tensor("out", nil), tensor("known", scalar)},
		Node:   []*onnxpb.NodeProto{nodeWith(&onnxpb.AttributeProto{G: inner})},
	}}))
	if want := []string{"unknown", "out"}; err != nil || !slices.Equal(want, got.shapeless) {
		t.Errorf("want %q without a shape, got %q, %v", want, got.shapeless, err)
	}
}

func TestScanErrors(t *testing.T) {
	deep := &onnxpb.GraphProto{}
	for range maxDepth + 1 {
		deep = &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{nodeWith(&onnxpb.AttributeProto{G: deep})}}
	}
	tests := []struct {
		name, reason string
		data         []byte
		want         error
	}{
		{"endless key", "more bytes than a number has", slices.Repeat([]byte{0xff}, 11), errMessage},
		{"long field", "it ends before its length", []byte{7<<3 | 2, 5, 1}, errMessage},
		{"no value", "a key without a number", []byte{1 << 3}, errMessage},
		{"deep", "recursion must end", marshal(t, &onnxpb.ModelProto{Graph: deep}), errDepth},
		{"deep branch of a function", "there too", marshal(t, &onnxpb.ModelProto{Functions: []*onnxpb.FunctionProto{{Node: deep.Node}}}), errDepth},
	}
	for _, tt := range tests {
		if _, err := scan(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s (%s): want %v, got %v", tt.name, tt.reason, tt.want, err)
		}
	}
}

// FuzzScan feeds our own reader; the native one is not fuzzed here.
func FuzzScan(f *testing.F) {
	models, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(models) == 0 {
		f.Fatalf("want the models of testdata, got %v, %v", models, err)
	}
	for _, path := range models {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := scan(data)
		if err == nil && len(c.external) > len(data) {
			t.Errorf("%d files of external data from %d bytes", len(c.external), len(data))
		}
		if !slices.IsSorted(c.external) {
			t.Errorf("want sorted names, got %q", c.external)
		}
	})
}
