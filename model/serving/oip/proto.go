package oip

import (
	"fmt"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oippb"
	"github.com/intershap/intershap/tensor"
)

// Proto returns the request as a message of gRPC, with raw contents.
func (r Request) Proto(name, version string) *oippb.ModelInferRequest {
	m := &oippb.ModelInferRequest{ModelName: name, ModelVersion: version, Id: r.ID}
	for _, in := range r.Inputs {
		m.Inputs = append(m.Inputs, &oippb.ModelInferRequest_InferInputTensor{
			Name: in.Name, Datatype: Datatype(in.Tensor.DType()), Shape: wide(in.Tensor.Shape()),
		})
		m.RawInputContents = append(m.RawInputContents, Raw(in.Tensor))
	}
	for _, out := range r.Outputs {
		m.Outputs = append(m.Outputs, &oippb.ModelInferRequest_InferRequestedOutputTensor{Name: out})
	}
	return m
}

// RequestOf reads a request from its message.
func RequestOf(m *oippb.ModelInferRequest) (Request, error) {
	r := Request{ID: m.GetId()}
	for _, out := range m.GetOutputs() {
		r.Outputs = append(r.Outputs, out.GetName())
	}
	var err error
	r.Inputs, err = fromProto("input", m.GetInputs(), m.GetRawInputContents())
	return r, err
}

// Proto returns the answer as a message of gRPC, with raw contents.
func (r Response) Proto() *oippb.ModelInferResponse {
	m := &oippb.ModelInferResponse{ModelName: r.Model, ModelVersion: r.Version, Id: r.ID}
	for _, out := range r.Outputs {
		m.Outputs = append(m.Outputs, &oippb.ModelInferResponse_InferOutputTensor{
			Name: out.Name, Datatype: Datatype(out.Tensor.DType()), Shape: wide(out.Tensor.Shape()),
		})
		m.RawOutputContents = append(m.RawOutputContents, Raw(out.Tensor))
	}
	return m
}

// ResponseOf reads an answer from its message.
func ResponseOf(m *oippb.ModelInferResponse) (Response, error) {
	r := Response{ID: m.GetId(), Model: m.GetModelName(), Version: m.GetModelVersion()}
	var err error
	if r.Outputs, err = fromProto("output", m.GetOutputs(), m.GetRawOutputContents()); err == nil && len(r.Outputs) == 0 {
		err = fmt.Errorf("the answer has no outputs")
	}
	return r, err
}

// protoTensor is what the messages of inputs and of outputs have in common.
type protoTensor interface {
	GetName() string
	GetDatatype() string
	GetShape() []int64
	GetContents() *oippb.InferTensorContents
}

// fromProto reads tensors, from raw contents if there are any, which then must be
// there for all, else from the typed contents of each.
func fromProto[T protoTensor](kind string, list []T, raw [][]byte) (model.Batch, error) {
	if len(raw) > 0 && len(raw) != len(list) {
		return nil, fmt.Errorf("want raw contents for all of %d tensors or none, got %d", len(list), len(raw))
	}
	var out model.Batch
	for i, in := range list {
		t, err := oneProto(in, raw, i)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", kind, in.GetName(), err)
		}
		out = append(out, model.Named{Name: in.GetName(), Tensor: t})
	}
	return out, nil
}

func oneProto(in protoTensor, raw [][]byte, i int) (tensor.Tensor, error) {
	d, err := ParseDatatype(in.GetDatatype())
	if err != nil {
		return tensor.Tensor{}, err
	}
	shape, err := narrow(in.GetShape())
	if err != nil {
		return tensor.Tensor{}, err
	}
	if len(raw) > 0 {
		return ReadRaw(d, shape, raw[i])
	}
	n, err := elements(shape)
	if err != nil {
		return tensor.Tensor{}, err
	}
	t, have := typedContents(d, in.GetContents())
	if have != n {
		return tensor.Tensor{}, fmt.Errorf("want the %d elements of shape %v in the contents for %s, got %d", n, shape, Datatype(d), have)
	}
	if wide := t.DType(); wide != d {
		// INT8 and INT16 travel in fields of 32 bits.
		if t, err = tensor.Cast(t, d); err != nil {
			return tensor.Tensor{}, err
		}
	}
	return t.Reshape(shape...), nil
}

// typedContents returns the field of contents that holds elements of type d, as a
// vector; FP16 has none.
func typedContents(d tensor.DType, c *oippb.InferTensorContents) (tensor.Tensor, int) {
	switch d {
	case tensor.Bool:
		return vector(c.GetBoolContents())
	case tensor.Int8, tensor.Int16, tensor.Int32:
		return vector(c.GetIntContents())
	case tensor.Int64:
		return vector(c.GetInt64Contents())
	case tensor.Uint8, tensor.Uint16, tensor.Uint32:
		return vector(c.GetUintContents())
	case tensor.Uint64:
		return vector(c.GetUint64Contents())
	case tensor.Float32:
		return vector(c.GetFp32Contents())
	case tensor.Float64:
		return vector(c.GetFp64Contents())
	case tensor.String:
		texts := make([]string, len(c.GetBytesContents()))
		for i, b := range c.GetBytesContents() {
			texts[i] = string(b)
		}
		return vector(texts)
	}
	return tensor.Tensor{}, 0
}

func vector[T tensor.Element](values []T) (tensor.Tensor, int) {
	return tensor.Of(values), len(values)
}

func wide(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		out[i] = int64(d)
	}
	return out
}

func narrow(shape []int64) ([]int, error) {
	out := make([]int, len(shape))
	for i, d := range shape {
		if d > maxElements {
			return nil, fmt.Errorf("shape %v has more than %d elements", shape, maxElements)
		}
		out[i] = int(d)
	}
	return out, nil
}

// Specs returns what metadata say of tensors. A datatype that has no tensor here
// is an error that names the tensor.
func Specs(list []TensorMetadata) ([]tensor.Spec, error) {
	var out []tensor.Spec
	for _, m := range list {
		s, err := m.Spec()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Spec returns what metadata say of one tensor.
func (m TensorMetadata) Spec() (tensor.Spec, error) {
	d, err := ParseDatatype(m.Datatype)
	if err != nil {
		return tensor.Spec{}, fmt.Errorf("tensor %q: %w", m.Name, err)
	}
	if len(m.Shape) == 0 {
		return tensor.Spec{}, fmt.Errorf("tensor %q has no axis 0 in the metadata, where the rows are", m.Name)
	}
	shape := make([]int, len(m.Shape))
	for i, n := range m.Shape {
		shape[i] = max(n, -1)
	}
	return tensor.Spec{Name: m.Name, DType: d, Shape: shape}, nil
}

// MetadataOf is the inverse of [Specs].
func MetadataOf(specs []tensor.Spec) []TensorMetadata {
	out := []TensorMetadata{}
	for _, s := range specs {
		out = append(out, TensorMetadata{Name: s.Name, Datatype: Datatype(s.DType), Shape: s.Shape})
	}
	return out
}

// FromProtoMetadata returns the metadata of a model from its message.
func FromProtoMetadata(m *oippb.ModelMetadataResponse) (ModelMetadata, error) {
	out := ModelMetadata{Name: m.GetName(), Versions: m.GetVersions(), Platform: m.GetPlatform()}
	for _, side := range []struct {
		from []*oippb.ModelMetadataResponse_TensorMetadata
		to   *[]TensorMetadata
	}{{m.GetInputs(), &out.Inputs}, {m.GetOutputs(), &out.Outputs}} {
		for _, t := range side.from {
			shape, err := narrow(t.GetShape())
			if err != nil {
				return ModelMetadata{}, fmt.Errorf("tensor %q: %w", t.GetName(), err)
			}
			*side.to = append(*side.to, TensorMetadata{Name: t.GetName(), Datatype: t.GetDatatype(), Shape: shape})
		}
	}
	return out, nil
}

// ToProto is the inverse of [FromProtoMetadata].
func (m ModelMetadata) ToProto() *oippb.ModelMetadataResponse {
	list := func(from []TensorMetadata) (to []*oippb.ModelMetadataResponse_TensorMetadata) {
		for _, t := range from {
			to = append(to, &oippb.ModelMetadataResponse_TensorMetadata{Name: t.Name, Datatype: t.Datatype, Shape: wide(t.Shape)})
		}
		return to
	}
	return &oippb.ModelMetadataResponse{
		Name: m.Name, Versions: m.Versions, Platform: m.Platform, Inputs: list(m.Inputs), Outputs: list(m.Outputs),
	}
}
