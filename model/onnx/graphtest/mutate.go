package graphtest

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// A mutation changes one thing about a graph with something to change.
type mutation struct {
	name  string
	apply func(rng *rand.Rand, model *onnxpb.ModelProto)
}

var mutations = []mutation{
	{"other-operation", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model); n != nil {
			ops := likeOperations(rng, n)
			n.OpType = proto.String(ops[rng.IntN(len(ops))])
		}
	}},
	{"swapped-inputs", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model); n != nil && len(n.Input) > 1 {
			rng.Shuffle(len(n.Input), func(i, j int) { n.Input[i], n.Input[j] = n.Input[j], n.Input[i] })
		}
	}},
	{"other-input", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model); n != nil && len(n.Input) > 0 {
			values := valueNames(model.Graph)
			n.Input[rng.IntN(len(n.Input))] = values[rng.IntN(len(values))]
		}
	}},
	{"left-out-input", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		// Without inputs that are not optional the runtime may crash.
		able := func(n *onnxpb.NodeProto) bool {
			first, ok := optionalFrom[n.GetOpType()]
			return ok && first < len(n.Input)
		}
		if n := anyNode(rng, model, able); n != nil {
			first := optionalFrom[n.GetOpType()]
			n.Input[first+rng.IntN(len(n.Input)-first)] = ""
		}
	}},
	{"attribute", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model, hasAttributes); n != nil {
			mutateAttribute(rng, n.Attribute[rng.IntN(len(n.Attribute))])
		}
	}},
	{"without-attribute", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model, hasAttributes); n != nil {
			i := rng.IntN(len(n.Attribute))
			n.Attribute = slices.Delete(n.Attribute, i, i+1)
		}
	}},
	{"new-attribute", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model); n != nil {
			names := []string{"axis", "transA", "transB", "keepdims", "group", "allowzero", "training_mode", "batch_dims", "layout", "start", "end", "noop_with_empty_axes"}
			n.Attribute = append(n.Attribute, Int(names[rng.IntN(len(names))], rng.IntN(4)-1))
		}
	}},
	{"bypassed-node", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if n := anyNode(rng, model); n != nil && len(n.Input) > 0 {
			n.OpType, n.Attribute, n.Input, n.Output = proto.String("Identity"), nil, n.Input[:1], n.Output[:1]
		}
	}},
	{"inserted-node", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		insert(rng, model, gentle)
	}},
	{"inserted-other-node", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		insert(rng, model, harsh)
	}},
	{"centred-along-axis", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		// Along any axis, that of the rows among them.
		added := insert(rng, model, []insertion{{"Sub", 0, noAttribute}})
		if added == nil {
			return
		}
		mean := added.Output[0] + "_mean"
		reduce := &onnxpb.NodeProto{
			OpType: proto.String("ReduceMean"), Name: proto.String("inserted_mean"), Input: added.Input[:1:1], Output: []string{mean},
		}
		axis := rng.IntN(3)
		if model.OpsetImport[0].GetVersion() < reduceByInputs {
			reduce.Attribute = append(reduce.Attribute, Ints("axes", axis))
		} else {
			axes := (&Builder{}).tensor(mean+"_axes", tensor.Of([]int64{int64(axis)}))
			model.Graph.Initializer = append(model.Graph.Initializer, axes)
			reduce.Input = append(reduce.Input, axes.GetName())
		}
		added.Input = append(added.Input, mean)
		at := slices.Index(model.Graph.Node, added)
		model.Graph.Node = slices.Insert(model.Graph.Node, at, reduce)
	}},
	{"doubled-name", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		values := valueNames(model.Graph)
		if n := anyNode(rng, model); n != nil && len(n.Output) > 0 {
			n.Output[0] = values[rng.IntN(len(values))]
		}
	}},
	{"nameless-node", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		for _, n := range model.Graph.Node {
			n.Name = nil
		}
	}},
	{"shuffled-nodes", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		nodes := model.Graph.Node
		rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	}},
	{"constant", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if t := anyTensor(rng, model); t != nil {
			mutateTensor(rng, t)
		}
	}},
	{"constant-shape", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if t := anyTensor(rng, model); t != nil {
			switch rng.IntN(3) {
			case 0:
				slices.Reverse(t.Dims)
			case 1:
				t.Dims = append([]int64{1}, t.Dims...)
			default:
				if len(t.Dims) > 0 {
					t.Dims[rng.IntN(len(t.Dims))] = int64(rng.IntN(5) - 1)
				}
			}
		}
	}},
	{"dropped-constant", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		if all := model.Graph.Initializer; len(all) > 0 {
			i := rng.IntN(len(all))
			model.Graph.Initializer = slices.Delete(all, i, i+1)
		}
	}},
	{"opset", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		model.OpsetImport[0].Version = proto.Int64(int64(opsets[rng.IntN(len(opsets))]))
	}},
	{"input-shape", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		infos := append(slices.Clone(model.Graph.Input), model.Graph.Output...)
		tensorType := infos[rng.IntN(len(infos))].GetType().GetTensorType()
		if dims := tensorType.GetShape().GetDim(); len(dims) > 0 && rng.IntN(3) > 0 {
			dims[rng.IntN(len(dims))].Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(rng.IntN(6))}
		} else if tensorType != nil {
			tensorType.Shape = nil
		}
	}},
	{"other-output", func(rng *rand.Rand, model *onnxpb.ModelProto) {
		outputs := model.Graph.Output
		if n := anyNode(rng, model); n != nil && len(n.Output) > 0 && len(outputs) > 0 {
			out := outputs[rng.IntN(len(outputs))]
			out.Name = proto.String(n.Output[0])
			out.GetType().GetTensorType().Shape = nil
		}
	}},
}

// optionalFrom has the first optional input of operations that have any.
var optionalFrom = map[string]int{
	"Gemm": 2, "Conv": 2, "GRU": 3, "LSTM": 3, "RNN": 3, "Clip": 1, "Dropout": 1, "LayerNormalization": 2, "Slice": 3, "ReduceMean": 1,
}

// An insertion is a node that may be put behind a value.
type insertion struct {
	name       string
	more       int // inputs besides the value
	attributes func(rng *rand.Rand) []*onnxpb.AttributeProto
}

// gentle insertions keep the shape, and mix along some axis; harsh ones fit now
// and then.
var (
	gentle = []insertion{
		{"Softmax", 0, axisAttribute}, {"LogSoftmax", 0, axisAttribute}, {"Hardmax", 0, axisAttribute},
		{"LpNormalization", 0, axisAttribute}, {"Tanh", 0, noAttribute}, {"Neg", 0, noAttribute},
		{"MeanVarianceNormalization", 0, axesAttribute}, {"Identity", 0, noAttribute},
	}
	harsh = []insertion{
		{"Flatten", 0, axisAttribute}, {"Concat", 1, axisAttribute},
		{"ReduceMean", 0, keepAttribute}, {"ReduceMax", 0, keepAttribute}, {"ReduceSum", 0, keepAttribute},
		{"GlobalAveragePool", 0, noAttribute}, {"Transpose", 0, noAttribute},
		{"Add", 1, noAttribute}, {"Mul", 1, noAttribute}, {"Sub", 1, noAttribute}, {"MatMul", 1, noAttribute},
		{"Max", 1, noAttribute}, {"Expand", 1, noAttribute}, {"Reshape", 1, noAttribute}, {"Shape", 0, noAttribute},
		{"Squeeze", 0, noAttribute},
	}
)

// insert puts one of the nodes behind a value, before anybody else sees it, and
// returns the node; nil if there is no such value.
func insert(rng *rand.Rand, model *onnxpb.ModelProto, from []insertion) *onnxpb.NodeProto {
	n := anyNode(rng, model, func(n *onnxpb.NodeProto) bool { return len(n.Output) > 0 })
	if n == nil {
		return nil
	}
	out := n.Output[0]
	inner := out + "_before"
	n.Output[0] = inner
	op := from[rng.IntN(len(from))]
	added := &onnxpb.NodeProto{
		OpType: proto.String(op.name), Name: proto.String("inserted"), Input: []string{inner}, Output: []string{out},
		Attribute: op.attributes(rng),
	}
	values := valueNames(model.Graph)
	for range op.more {
		added.Input = append(added.Input, values[rng.IntN(len(values))])
	}
	model.Graph.Node = slices.Insert(model.Graph.Node, slices.Index(model.Graph.Node, n)+1, added)
	return added
}

func noAttribute(*rand.Rand) []*onnxpb.AttributeProto { return nil }

func axisAttribute(rng *rand.Rand) []*onnxpb.AttributeProto {
	return []*onnxpb.AttributeProto{Int("axis", rng.IntN(4)-1)}
}

func axesAttribute(rng *rand.Rand) []*onnxpb.AttributeProto {
	return []*onnxpb.AttributeProto{Ints("axes", rng.IntN(3))}
}

func keepAttribute(rng *rand.Rand) []*onnxpb.AttributeProto {
	return []*onnxpb.AttributeProto{Int("keepdims", rng.IntN(2))}
}

// Changes lists what Mutate may do to a model.
func Changes() []string {
	var out []string
	for _, m := range mutations {
		out = append(out, m.name)
	}
	return out
}

// Mutate returns a model with a few things changed, which may still be sound, and
// the names of the changes. A file that is no model comes back as it is.
func Mutate(rng *rand.Rand, file []byte) (mutated []byte, changes []string) {
	model := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(file, model); err != nil || len(model.GetGraph().GetNode()) == 0 || len(model.OpsetImport) == 0 || len(model.Graph.Input) == 0 {
		return file, nil
	}
	const again = 0.3
	for first := true; first || rng.Float64() < again; first = false {
		m := mutations[rng.IntN(len(mutations))]
		m.apply(rng, model)
		changes = append(changes, m.name)
		if len(model.Graph.Node) == 0 {
			break
		}
	}
	out, err := proto.Marshal(model)
	if err != nil { // a name that is no text
		return file, nil
	}
	return out, changes
}

// FlipBytes returns a file with a few bytes changed.
func FlipBytes(rng *rand.Rand, file []byte) []byte {
	out := slices.Clone(file)
	const most = 8
	for range 1 + rng.IntN(most) {
		out[rng.IntN(len(out))] ^= byte(1 + rng.IntN(255))
	}
	return out
}

func hasAttributes(n *onnxpb.NodeProto) bool { return len(n.Attribute) > 0 }

// anyNode draws one of the nodes that pass all tests, nil if there is none. Nodes
// that compute shapes are rarely drawn: few changes of them leave a sound model.
func anyNode(rng *rand.Rand, model *onnxpb.ModelProto, tests ...func(*onnxpb.NodeProto) bool) *onnxpb.NodeProto {
	const weight = 8
	data := dataValues(model.Graph)
	var able []*onnxpb.NodeProto
	for _, n := range model.Graph.Node {
		if slices.ContainsFunc(tests, func(test func(*onnxpb.NodeProto) bool) bool { return !test(n) }) {
			continue
		}
		able = append(able, n)
		if slices.ContainsFunc(n.Output, func(name string) bool { return data[name] }) {
			able = append(able, slices.Repeat([]*onnxpb.NodeProto{n}, weight-1)...)
		}
	}
	if len(able) == 0 {
		return nil
	}
	return able[rng.IntN(len(able))]
}

// anyTensor draws one of the constants, those of integers more often: they are
// shapes, axes and indices.
func anyTensor(rng *rand.Rand, model *onnxpb.ModelProto) *onnxpb.TensorProto {
	const integerWeight = 4
	var all []*onnxpb.TensorProto
	add := func(t *onnxpb.TensorProto) {
		all = append(all, t)
		if t.GetDataType() == int32(onnxpb.TensorProto_INT64) {
			all = append(all, slices.Repeat([]*onnxpb.TensorProto{t}, integerWeight-1)...)
		}
	}
	for _, t := range model.Graph.Initializer {
		add(t)
	}
	for _, n := range model.Graph.Node {
		for _, a := range n.Attribute {
			if a.T != nil {
				add(a.T)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[rng.IntN(len(all))]
}

// dataValues has the values that are computed from inputs, shapes apart.
func dataValues(g *onnxpb.GraphProto) map[string]bool {
	data := map[string]bool{}
	for _, in := range g.Input {
		data[in.GetName()] = true
	}
	for _, t := range g.Initializer { // old files have them among the inputs
		delete(data, t.GetName())
	}
	for _, n := range g.Node {
		if n.GetOpType() != "Shape" && slices.ContainsFunc(n.Input, func(name string) bool { return data[name] }) {
			for _, out := range n.Output {
				data[out] = true
			}
		}
	}
	return data
}

func valueNames(g *onnxpb.GraphProto) []string {
	var out []string
	for _, in := range g.Input {
		out = append(out, in.GetName())
	}
	for _, t := range g.Initializer {
		out = append(out, t.GetName())
	}
	for _, n := range g.Node {
		out = append(out, n.Output...)
	}
	return out
}

// families are operations that can often stand for each other.
var families = [][]string{
	{"Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Identity", "Softplus", "LeakyRelu", "Elu", "Exp"},
	{"Softmax", "LogSoftmax", "Hardmax", "LpNormalization"},
	{"Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"},
	{"ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2", "ReduceProd"},
	{"MaxPool", "AveragePool"},
	{"Reshape", "Expand", "Tile"},
	{"Concat", "Sum", "Max"},
	{"MatMul", "Gemm"},
}

// strangers by the number of inputs.
var strangers = map[int][]string{
	1: {"Softmax", "Flatten", "ReduceMean", "ReduceMax", "Transpose", "Shape", "GlobalMaxPool", "Squeeze"},
	2: {"MatMul", "Gemm", "Concat", "Gather", "Reshape", "Expand", "Unsqueeze", "ReduceSum", "Conv", "GatherElements", "Einsum", "PRelu", "CumSum"},
	3: {"Concat", "Sum", "Gemm", "Where", "LayerNormalization", "InstanceNormalization", "Slice", "ScatterND", "Conv", "Dropout"},
}

// likeOperations lists operations to put in the place of another: mostly of its
// family, else any of as many inputs.
func likeOperations(rng *rand.Rand, n *onnxpb.NodeProto) []string {
	const loyal = 0.8
	for _, f := range families {
		if slices.Contains(f, n.GetOpType()) && rng.Float64() < loyal {
			return f
		}
	}
	return strangers[min(max(1, len(n.Input)), len(strangers))]
}

func mutateAttribute(rng *rand.Rand, a *onnxpb.AttributeProto) {
	switch {
	case a.I != nil:
		a.I = proto.Int64(int64(rng.IntN(5) - 2))
	case len(a.Ints) > 0:
		switch i := rng.IntN(len(a.Ints)); rng.IntN(3) {
		case 0:
			a.Ints[i] += int64(rng.IntN(3) - 1)
		case 1:
			j := rng.IntN(len(a.Ints))
			a.Ints[i], a.Ints[j] = a.Ints[j], a.Ints[i]
		default:
			a.Ints = slices.Delete(a.Ints, i, i+1)
		}
	case a.F != nil:
		a.F = proto.Float32(float32(rng.NormFloat64()))
	case a.S != nil:
		texts := []string{"bi,bj->bij", "bi,bj->bj", "bi,cj->bj", "ij,ij->ij", "bidirectional", "reverse", "SAME_UPPER"}
		a.S = []byte(texts[rng.IntN(len(texts))])
	case a.T != nil:
		mutateTensor(rng, a.T)
	default:
		a.Type = onnxpb.AttributeProto_UNDEFINED.Enum()
	}
}

// mutateTensor changes one element: an integer by a little, a number's bytes.
func mutateTensor(rng *rand.Rand, t *onnxpb.TensorProto) {
	const int64Size = 8
	step := int64(rng.IntN(5) - 2)
	switch {
	case len(t.Int64Data) > 0:
		t.Int64Data[rng.IntN(len(t.Int64Data))] += step
	case t.GetDataType() == int32(onnxpb.TensorProto_INT64) && len(t.RawData) >= int64Size:
		at := t.RawData[rng.IntN(len(t.RawData)/int64Size)*int64Size:]
		binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+uint64(step))
	case len(t.FloatData) > 0:
		t.FloatData[rng.IntN(len(t.FloatData))] = float32(step)
	case len(t.RawData) > 0 && rng.IntN(4) == 0:
		t.RawData = t.RawData[:len(t.RawData)-1]
	case len(t.RawData) > 0:
		t.RawData[rng.IntN(len(t.RawData))] ^= byte(1 + rng.IntN(255))
	}
}
