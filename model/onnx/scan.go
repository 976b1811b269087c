package onnx

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

// maxDepth bounds graphs inside graphs (If, Loop); real models have a handful.
const maxDepth = 64

var (
	errMessage = errors.New("the bytes are no protocol buffer")
	errDepth   = errors.New("graphs inside graphs, too deep to be real")
)

// A content is what the runtime does not tell of a model.
type content struct {
	// hasGraph is set in what can be a model.
	hasGraph bool
	// shapeless lists the inputs and outputs that are tensors of a rank that
	// the file does not tell. The runtime reports them as scalars.
	shapeless []string
	// external lists the files of external data, sorted, each once.
	external []string
	// scoreMaps has the outputs that are sequences of maps to float.
	scoreMaps map[string]bool
	// zipMaps has the class labels of each ZipMap's output, ascending, as text.
	zipMaps map[string][]string
	// classes has the class names that the metadata state, in the order of the
	// columns, nil for none.
	classes []string
}

// scan reads the model in data. The messages, which are as large as the data,
// are gone when it returns.
func scan(data []byte) (content, error) {
	c := content{scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}
	var m onnxpb.ModelProto
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &m); err != nil {
		// What the library says of it has no place, and varies on purpose.
		return c, errMessage
	}
	err := c.model(&m)
	slices.Sort(c.external)
	c.external = slices.Compact(c.external)
	return c, err
}

func (c *content) model(m *onnxpb.ModelProto) error {
	c.hasGraph = m.Graph != nil
	c.classes = classNames(m.MetadataProps)
	if err := c.graph(m.Graph, 0); err != nil {
		return err
	}
	for _, in := range m.GetGraph().GetInput() {
		c.shape(in)
	}
	for _, out := range m.GetGraph().GetOutput() {
		c.shape(out)
		c.scoreMap(out)
	}
	for _, n := range m.GetGraph().GetNode() {
		c.zipMap(n)
	}
	// The runtime looks for tensors here too: in the graphs that training adds,
	// and in functions, whose nodes stand in for those that call them.
	for _, t := range m.TrainingInfo {
		if err := errors.Join(c.graph(t.Initialization, 1), c.graph(t.Algorithm, 1)); err != nil {
			return err
		}
	}
	for _, f := range m.Functions {
		if err := errors.Join(c.nodes(f.Node, 1), c.attributes(f.AttributeProto, 1)); err != nil {
			return err
		}
	}
	return nil
}

// graph notes the external data of a graph.
func (c *content) graph(g *onnxpb.GraphProto, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	for _, t := range g.GetInitializer() {
		c.tensor(t)
	}
	for _, s := range g.GetSparseInitializer() {
		c.sparse(s)
	}
	return c.nodes(g.GetNode(), depth)
}

func (c *content) nodes(nodes []*onnxpb.NodeProto, depth int) error {
	for _, n := range nodes {
		if err := c.attributes(n.Attribute, depth); err != nil {
			return err
		}
	}
	return nil
}

// attributes looks for tensors and graphs in attributes, whatever type they say
// they have.
func (c *content) attributes(attributes []*onnxpb.AttributeProto, depth int) error {
	for _, a := range attributes {
		c.tensor(a.T)
		for _, t := range a.Tensors {
			c.tensor(t)
		}
		c.sparse(a.SparseTensor)
		for _, s := range a.SparseTensors {
			c.sparse(s)
		}
		graphs := a.Graphs
		if a.G != nil {
			graphs = append(slices.Clone(graphs), a.G)
		}
		for _, g := range graphs {
			if err := c.graph(g, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *content) sparse(s *onnxpb.SparseTensorProto) {
	c.tensor(s.GetValues())
	c.tensor(s.GetIndices())
}

// externalLocation is the key under which a tensor names its file.
const externalLocation = "location"

// tensor notes the file of a tensor with external data.
func (c *content) tensor(t *onnxpb.TensorProto) {
	for _, e := range t.GetExternalData() {
		if e.GetKey() == externalLocation && !slices.Contains(c.external, e.GetValue()) {
			c.external = append(c.external, e.GetValue())
		}
	}
}

// zipMap notes the class labels of a ZipMap of the model's own graph.
func (c *content) zipMap(n *onnxpb.NodeProto) {
	if n.GetOpType() != "ZipMap" || len(n.Output) == 0 {
		return
	}
	// The runtime gives maps in ascending order of their keys.
	var labels []string
	for _, a := range n.Attribute {
		switch a.GetName() {
		case "classlabels_int64s":
			labels = nil
			for _, v := range slices.Sorted(slices.Values(a.Ints)) {
				labels = append(labels, strconv.FormatInt(v, 10))
			}
		case "classlabels_strings":
			labels = nil
			for _, text := range a.Strings {
				labels = append(labels, string(text))
			}
			slices.Sort(labels)
		}
	}
	c.zipMaps[n.Output[len(n.Output)-1]] = labels
}

// metadataClasses is the key of the metadata that name the classes, as a JSON list
// of texts. Package fusion writes it.
const metadataClasses = "intershap.classes"

// classNames returns the class names that metadata state, nil if they do not or if
// they cannot be meant: no list of texts, names that are empty or there twice, or
// two entries. Names are a convenience, so that damage is no error.
func classNames(metadata []*onnxpb.StringStringEntryProto) []string {
	var entries []string
	for _, e := range metadata {
		if e.GetKey() == metadataClasses {
			entries = append(entries, e.GetValue())
		}
	}
	// JSON would put a replacement for bytes that are no UTF-8.
	if len(entries) != 1 || !utf8.ValidString(entries[0]) {
		return nil
	}
	var names []string
	if json.Unmarshal([]byte(entries[0]), &names) != nil {
		return nil
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if name == "" || seen[name] {
			return nil
		}
		seen[name] = true
	}
	return names
}

// scoreMap notes an output whose type is a sequence of maps to float.
func (c *content) scoreMap(info *onnxpb.ValueInfoProto) {
	scores := info.GetType().GetSequenceType().GetElemType().GetMapType().GetValueType().GetTensorType()
	if scores.GetElemType() == int32(onnxpb.TensorProto_FLOAT) {
		c.scoreMaps[info.GetName()] = true
	}
}

// shape notes an input or output that is a tensor without a shape.
func (c *content) shape(info *onnxpb.ValueInfoProto) {
	if t := info.GetType().GetTensorType(); t != nil && t.Shape == nil {
		c.shapeless = append(c.shapeless, info.GetName())
	}
}
