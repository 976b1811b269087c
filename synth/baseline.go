package synth

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

// A Baseline is the labelling function of HD-XOR as a model: what a perfect model
// of the bits answers, the paper's "XOR". Its inputs are the clean bits of each
// modality, m1, m2, ...:
//
//	synergy       one bit each; the label of them all
//	uniqueness-u  two bits each; the label of those of modality u
//	redundancy    two bits each, the same in all modalities of a sample. Bit k is 1
//	              when any modality says so, and the label is that of the two
//
// The last rule matters only where modalities of several samples meet, as when
// one of them is masked; the data do not settle it, and "any" is the symmetric
// choice that needs no other values than 0 and 1. Numbers above ½ are read as 1,
// others as 0.
type Baseline struct {
	setting    Setting
	modalities int
	labelling  Labelling
}

// onFrom is the number above which a bit is 1.
const onFrom = 0.5

// widths returns the number of bits of each modality.
func (b *Baseline) widths() []int {
	widths := make([]int, b.modalities)
	for i := range widths {
		widths[i] = 2
		if b.setting == Synergy {
			widths[i] = 1
		}
	}
	return widths
}

// Label returns the label, 0 or 1, of one sample, given the bits of each modality.
// It panics when they are too few.
func (b *Baseline) Label(bits [][]float32) int64 {
	isOne := func(x float32) int {
		if x > onFrom {
			return 1
		}
		return 0
	}
	n := 0
	unique, isUnique := b.setting.unique()
	switch {
	case b.setting == Synergy:
		for m := range b.modalities {
			n += isOne(bits[m][0])
		}
	case isUnique:
		n = isOne(bits[unique][0]) + isOne(bits[unique][1])
	default:
		for k := range 2 {
			highest := bits[0][k]
			for m := 1; m < b.modalities; m++ {
				highest = max(highest, bits[m][k])
			}
			n += isOne(highest)
		}
	}
	return b.labelling.Of(n)
}

const (
	// opset is the version of ONNX's operations that the file imports, and
	// fileVersion that of the file format; both are of 2021 and read everywhere.
	opset       = 13
	fileVersion = 8
	// probabilities is the name of the output, float32 [N, 2]: 0 and 1.
	probabilities = "probabilities"
)

// ONNX returns the function as an ONNX file: an input [N, bits] of float32 for each
// modality and the output "probabilities", [N, 2], with the 1 in the column of the
// label. All arithmetic is on whole numbers that float32 holds, so that answers
// are exact.
func (b *Baseline) ONNX() ([]byte, error) {
	g := &onnxpb.GraphProto{Name: proto.String("labelling")}
	var inputs []string
	for i, width := range b.widths() {
		name := ModalityName(i)
		inputs = append(inputs, name)
		g.Input = append(g.Input, floatMatrix(name, width))
	}
	g.Output = append(g.Output, floatMatrix(probabilities, 2))
	node := func(op, output string, inputs []string, attributes ...*onnxpb.AttributeProto) string {
		g.Node = append(g.Node, &onnxpb.NodeProto{
			OpType: proto.String(op), Name: proto.String(output), Input: inputs, Output: []string{output}, Attribute: attributes,
		})
		return output
	}
	floatOf := func(name string, value float32) string {
		g.Initializer = append(g.Initializer, &onnxpb.TensorProto{
			Name: proto.String(name), DataType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)),
			RawData: binary.LittleEndian.AppendUint32(nil, math.Float32bits(value)),
		})
		return name
	}
	// The bits that count, [N, n].
	bits := ""
	unique, isUnique := b.setting.unique()
	switch {
	case b.setting == Synergy:
		bits = node("Concat", "bits", inputs, intAttribute("axis", 1))
	case isUnique:
		bits = inputs[unique]
	default:
		bits = node("Max", "bits", inputs)
	}
	set := node("Greater", "set", []string{bits, floatOf("threshold", onFrom)})
	set = node("Cast", "set_float", []string{set}, intAttribute("to", int64(onnxpb.TensorProto_FLOAT)))
	g.Initializer = append(g.Initializer, &onnxpb.TensorProto{
		Name: proto.String("axes"), DataType: proto.Int32(int32(onnxpb.TensorProto_INT64)), Dims: []int64{1},
		RawData: binary.LittleEndian.AppendUint64(nil, 1),
	})
	ones := node("ReduceSum", "ones", []string{set, "axes"}, intAttribute("keepdims", 1))
	// The label as a number, [N, 1], and its complement before it.
	one := floatOf("one", 1)
	label := ""
	if b.labelling == Parity {
		label = node("Mod", "label", []string{ones, floatOf("two", 2)}, intAttribute("fmod", 1))
	} else {
		label = node("Cast", "label", []string{node("Equal", "is_one", []string{ones, one})}, intAttribute("to", int64(onnxpb.TensorProto_FLOAT)))
	}
	other := node("Sub", "other", []string{one, label})
	node("Concat", probabilities, []string{other, label}, intAttribute("axis", 1))

	file, err := proto.MarshalOptions{Deterministic: true}.Marshal(&onnxpb.ModelProto{
		IrVersion:    proto.Int64(fileVersion),
		ProducerName: proto.String("intershap"),
		DocString:    proto.String(fmt.Sprintf("the labelling function of HD-XOR, setting %s, labelling %v, %d modalities", b.setting, b.labelling, b.modalities)),
		OpsetImport:  []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(opset)}},
		Graph:        g,
	})
	if err != nil {
		return nil, fmt.Errorf("synth: %w", err)
	}
	return file, nil
}

// floatMatrix describes float32 of shape [N, width].
func floatMatrix(name string, width int) *onnxpb.ValueInfoProto {
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{
			ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)),
			Shape: &onnxpb.TensorShapeProto{Dim: []*onnxpb.TensorShapeProto_Dimension{
				{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}},
				{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(width)}},
			}},
		},
	}}}
}

func intAttribute(name string, value int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(value)}
}
