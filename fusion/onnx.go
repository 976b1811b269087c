package fusion

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

const (
	// irVersion and opset are those that any runtime of the last years reads.
	irVersion = 8
	opset     = 13
	producer  = "intershap"
)

// The keys of what the file says beside the graph. The values of all but the
// first are JSON.
const (
	// MetadataFusion has the name of the fusion.
	MetadataFusion = "intershap.fusion"
	// MetadataClasses has the names of the classes: a list of texts.
	MetadataClasses = "intershap.classes"
	// MetadataTraining has the options of the training, and the epoch whose weights
	// these are.
	MetadataTraining = "intershap.training"
)

// training is the value of MetadataTraining.
type training struct {
	Epochs         int     `json:"epochs"`
	Epoch          int     `json:"epoch"`
	LearningRate   float64 `json:"learning_rate"`
	WeightDecay    float64 `json:"weight_decay"`
	Batch          int     `json:"batch"`
	Seed           uint64  `json:"seed"`
	FrozenEncoders bool    `json:"frozen_encoders"`
	Standardise    bool    `json:"standardise"`
	Patience       int     `json:"patience"`
	Watch          string  `json:"watch"`
}

// ONNX returns the network as an ONNX file, the same bytes each time. It has an
// input for each modality, [N, ...] as the data had it, and the outputs [Logits]
// and [Probabilities], [N, classes], all float32.
func (n *Network) ONNX() []byte {
	w := &writer{graph: &onnxpb.GraphProto{Name: proto.String(n.fusion.String() + " fusion")}, taken: map[string]bool{Logits: true, Probabilities: true}}
	for _, in := range n.inputs {
		w.taken[in.Name] = true
	}
	n.write(w)
	// Options and texts always encode.
	classes, _ := json.Marshal(n.classes)
	o := n.options
	trained, _ := json.Marshal(training{
		Epochs: o.Epochs, Epoch: n.lastEpoch.Number, LearningRate: o.LearningRate, WeightDecay: o.decay(), Batch: o.Batch, Seed: o.Seed,
		FrozenEncoders: o.FrozenEncoders, Standardise: o.Standardise, Patience: o.Patience, Watch: o.Watch.String(),
	})
	entry := func(key, value string) *onnxpb.StringStringEntryProto {
		return &onnxpb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(value)}
	}
	file, err := proto.MarshalOptions{Deterministic: true}.Marshal(&onnxpb.ModelProto{
		IrVersion:    proto.Int64(irVersion),
		ProducerName: proto.String(producer),
		OpsetImport:  []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(opset)}},
		Graph:        w.graph,
		MetadataProps: []*onnxpb.StringStringEntryProto{
			entry(MetadataFusion, n.fusion.String()), entry(MetadataClasses, string(classes)), entry(MetadataTraining, string(trained)),
		},
	})
	if err != nil {
		panic(fmt.Sprintf("fusion: %v", err)) // only a name that is not UTF-8 does this, and those are refused
	}
	return file
}

// A writer writes a graph node by node.
type writer struct {
	graph *onnxpb.GraphProto
	taken map[string]bool
}

// name returns a name that nothing has yet.
func (w *writer) name(stem string) string {
	name := stem
	for i := 2; w.taken[name]; i++ {
		name = stem + "_" + strconv.Itoa(i)
	}
	w.taken[name] = true
	return name
}

// node adds a node; to is the name of its output.
func (w *writer) node(op, to string, from []string, attributes ...*onnxpb.AttributeProto) string {
	w.graph.Node = append(w.graph.Node, &onnxpb.NodeProto{
		OpType: proto.String(op), Name: proto.String(w.name("node/" + to)), Input: from, Output: []string{to}, Attribute: attributes,
	})
	return to
}

func integer(name string, v int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(int64(v))}
}

// constant adds a constant and returns its name.
func (w *writer) constant(stem string, m matrix, dims ...int64) string {
	t := &onnxpb.TensorProto{Name: proto.String(w.name(stem)), DataType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Dims: dims}
	for i := range m.rows {
		for _, v := range m.row(i) {
			t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(v))
		}
	}
	w.graph.Initializer = append(w.graph.Initializer, t)
	return t.GetName()
}

// vector adds a constant of one axis.
func (w *writer) vector(stem string, v []float32) string {
	return w.constant(stem, matrix{rows: 1, cols: len(v), stride: len(v), data: v}, int64(len(v)))
}

// layer adds a layer behind x; stem names what it is made of.
func (w *writer) layer(l *layer, x, stem, to string) string {
	weights := w.constant(stem+"/weight", l.weights, int64(l.weights.rows), int64(l.weights.cols))
	bias := w.vector(stem+"/bias", l.bias)
	if to == "" {
		to = w.name(stem)
	}
	gemm := to
	if l.relu {
		gemm = w.name(stem + "/sum")
	}
	w.node("Gemm", gemm, []string{x, weights, bias}, integer("transB", 1))
	if l.relu {
		w.node("Relu", to, []string{gemm})
	}
	return to
}

// write writes the whole graph.
func (n *Network) write(w *writer) {
	var ends []string
	for i, in := range n.inputs {
		w.graph.Input = append(w.graph.Input, valueInfo(in.Name, in.Shape))
		ends = append(ends, n.writeBranch(w, i))
	}
	x := ends[0]
	if len(ends) > 1 {
		x = w.node("Concat", w.name("joined"), ends, integer("axis", 1))
	}
	last := len(n.trunk.head) - 1
	for l, layer := range n.trunk.head[:last] {
		x = w.layer(layer, x, "head/"+strconv.Itoa(l+1), "")
	}
	w.layer(n.trunk.head[last], x, "head/"+strconv.Itoa(last+1), Logits)
	w.node("Softmax", Probabilities, []string{Logits}, integer("axis", 1))
	for _, name := range []string{Logits, Probabilities} {
		w.graph.Output = append(w.graph.Output, valueInfo(name, []int{-1, len(n.classes)}))
	}
}

// writeBranch writes what belongs to input i alone and returns its last value.
func (n *Network) writeBranch(w *writer, i int) string {
	in := n.inputs[i]
	x := in.Name
	if len(in.Shape) > 2 {
		x = w.node("Flatten", w.name(in.Name+"/flat"), []string{x}, integer("axis", 1))
	}
	if s := n.scalers[i]; s.mean != nil {
		x = w.node("Sub", w.name(in.Name+"/centred"), []string{x, w.vector(in.Name+"/mean", s.mean)})
		x = w.node("Mul", w.name(in.Name+"/standardised"), []string{x, w.vector(in.Name+"/scale", s.scale)})
	}
	for l, layer := range n.trunk.branches[i] {
		x = w.layer(layer, x, in.Name+"/"+strconv.Itoa(l+1), "")
	}
	return x
}

// valueInfo describes an input or output; -1 is the number of rows.
func valueInfo(name string, shape []int) *onnxpb.ValueInfoProto {
	dims := &onnxpb.TensorShapeProto{}
	for _, d := range shape {
		dim := &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}}
		if d < 0 {
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}
		}
		dims.Dim = append(dims.Dim, dim)
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Shape: dims},
	}}}
}
