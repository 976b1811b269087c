//go:build cgo

package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// TestRuntimeSkipsNothing pins what openBytes and the manual say: a run computes
// what only an output needs that nobody asked for. Here that cannot be computed.
func TestRuntimeSkipsNothing(t *testing.T) {
	info := func(name string) *onnxpb.ValueInfoProto {
		rows := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}
		two := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: 2}}
		return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
			TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)),
				Shape: &onnxpb.TensorShapeProto{Dim: []*onnxpb.TensorShapeProto_Dimension{rows, two}}}}}}
	}
	seven := &onnxpb.TensorProto{Name: proto.String("seven"), DataType: proto.Int32(int32(onnxpb.TensorProto_INT64)), Dims: []int64{2}, Int64Data: []int64{-1, 7}}
	data := marshal(t, &onnxpb.ModelProto{
		IrVersion: proto.Int64(8), OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(13)}},
		Graph: &onnxpb.GraphProto{
			Name: proto.String("g"), Initializer: []*onnxpb.TensorProto{seven},
			Input: []*onnxpb.ValueInfoProto{info("x")}, Output: []*onnxpb.ValueInfoProto{info("y"), info("z")},
			Node: []*onnxpb.NodeProto{
				{OpType: proto.String("Relu"), Input: []string{"x"}, Output: []string{"y"}},
				{OpType: proto.String("Reshape"), Input: []string{"x", "seven"}, Output: []string{"w"}},
				{OpType: proto.String("Reshape"), Input: []string{"w", "seven"}, Output: []string{"z"}},
			},
		},
	})
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	m := openPath(t, path, "y")
	_, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, 3, 2)}})
	if err == nil || !strings.Contains(err.Error(), "Reshape") {
		t.Errorf("want an error of the Reshape behind z, got %v", err)
	}
}
