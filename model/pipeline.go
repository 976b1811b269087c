package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// An Encoder is a model that turns inputs of a pipeline into inputs of its
// head.
type Encoder struct {
	// Name tells encoders apart in messages.
	Name  string
	Model Described
	// Rename gives inputs of Model, by the names that it has for them, the names
	// under which the pipeline takes them; others keep theirs. Encoders that name
	// one input take the same tensor.
	Rename map[string]string
}

// A Pipeline is a model in parts that were made apart: encoders, and a head
// that takes what they give. Its outputs are the head's. An input of the head
// that is named as an output of an encoder is that output; any other is an input
// of the pipeline and reaches the head directly. A pipeline is [Staged], so that
// each encoder runs on the rows that are distinct for it.
//
// It is safe for concurrent use when its models are. Whoever opened the models
// closes them.
type Pipeline struct {
	encoders []unit
	head     unit
	sig      Signature
	whole    chain
}

var (
	_ Described = (*Pipeline)(nil)
	_ Staged    = (*Pipeline)(nil)
)

// A unit is one model of a pipeline, with where its inputs come from.
type unit struct {
	what  string // for messages
	model Model
	sig   Signature
	from  []source // in the order of sig.Inputs
}

// A source is an output of an encoder, or an input of the pipeline.
type source struct {
	encoder int    // outside for an input of the pipeline
	name    string // of the output, or of the input
}

const outside = -1

// NewPipeline connects encoders with a head. What does not fit together is an
// error here, not of the first call.
func NewPipeline(head Described, encoders ...Encoder) (*Pipeline, error) {
	p := &Pipeline{}
	if err := p.connect(head, encoders); err != nil {
		return nil, fmt.Errorf("model: pipeline: %w", err)
	}
	p.whole = p.chain()
	return p, nil
}

func (p *Pipeline) connect(head Described, encoders []Encoder) error {
	if head == nil {
		return fmt.Errorf("no head; want a model that takes what the encoders give")
	}
	if len(encoders) == 0 {
		return fmt.Errorf("no encoders; a head alone is a model by itself")
	}
	givers := map[string]int{} // of each output
	for i, e := range encoders {
		if e.Model == nil {
			return fmt.Errorf("encoder %q has no model", e.Name)
		}
		if slices.ContainsFunc(encoders[:i], func(o Encoder) bool { return o.Name == e.Name }) {
			return fmt.Errorf("two encoders are called %q; give them different names", e.Name)
		}
		u, err := p.encoder(e)
		if err != nil {
			return err
		}
		for _, out := range u.sig.Outputs {
			if other, taken := givers[out.Name]; taken {
				return fmt.Errorf("%s and %s both give %q, so that the head cannot tell which it takes; rename the output of one (output_names of torch.onnx.export)",
					p.encoders[other].what, u.what, out.Name)
			}
			givers[out.Name] = i
		}
		p.encoders = append(p.encoders, u)
	}
	if err := p.connectHead(head, givers); err != nil {
		return err
	}
	for _, u := range append(slices.Clone(p.encoders), p.head) {
		p.sig.BatchSize = max(p.sig.BatchSize, u.sig.BatchSize)
	}
	for _, out := range p.head.sig.Outputs {
		p.sig.Outputs = append(p.sig.Outputs, freeRows(out))
	}
	return nil
}

// encoder returns the unit of an encoder, whose inputs are the pipeline's.
func (p *Pipeline) encoder(e Encoder) (unit, error) {
	u := unit{what: fmt.Sprintf("encoder %q", e.Name), model: e.Model, sig: e.Model.Signature()}
	for _, own := range slices.Sorted(maps.Keys(e.Rename)) {
		if !u.sig.hasInput(own) {
			return unit{}, fmt.Errorf("%s has no input %q to be renamed; its inputs are %s", u.what, own, u.sig.inputNames())
		}
	}
	for _, in := range u.sig.Inputs {
		name := in.Name
		if other, renamed := e.Rename[in.Name]; renamed {
			name = other
		}
		u.from = append(u.from, source{encoder: outside, name: name})
		if err := p.addInput(in, name, u.what); err != nil {
			return unit{}, err
		}
	}
	return u, nil
}

// connectHead finds out where the head's inputs come from.
func (p *Pipeline) connectHead(head Described, givers map[string]int) error {
	u := unit{what: "the head", model: head, sig: head.Signature()}
	if len(u.sig.Outputs) == 0 {
		return fmt.Errorf("the head has no outputs")
	}
	used := make([]bool, len(p.encoders))
	var direct []string
	for _, in := range u.sig.Inputs {
		giver, given := givers[in.Name]
		if !given {
			direct = append(direct, in.Name)
			u.from = append(u.from, source{encoder: outside, name: in.Name})
			continue
		}
		used[giver] = true
		u.from = append(u.from, source{encoder: giver, name: in.Name})
		e := p.encoders[giver]
		out := e.sig.Outputs[slices.IndexFunc(e.sig.Outputs, func(s tensor.Spec) bool { return s.Name == in.Name })]
		if _, err := agree(out, in); err != nil {
			return fmt.Errorf("%s gives %s, the head takes %s: %w; export both parts from one model, with one cut", e.what, out, in, err)
		}
	}
	for i, e := range p.encoders {
		if used[i] {
			continue
		}
		var gives []string
		for _, out := range e.sig.Outputs {
			gives = append(gives, out.Name)
		}
		others := "each of them is given by another encoder"
		if len(direct) > 0 {
			others = "those that no encoder gives are " + strings.Join(direct, ", ")
		}
		return fmt.Errorf("%s gives %s, but no input of the head has such a name; the head's inputs are %s, and %s: name the head's inputs after the encoders' outputs",
			e.what, strings.Join(gives, ", "), u.sig.inputNames(), others)
	}
	for i, in := range u.sig.Inputs {
		if u.from[i].encoder == outside {
			if err := p.addInput(in, in.Name, u.what); err != nil {
				return err
			}
		}
	}
	p.head = u
	return nil
}

// addInput makes spec, under another name, an input of the pipeline, unless it
// is one already.
func (p *Pipeline) addInput(spec tensor.Spec, name, what string) error {
	spec = freeRows(spec)
	spec.Name = name
	at := slices.IndexFunc(p.sig.Inputs, func(s tensor.Spec) bool { return s.Name == name })
	if at < 0 {
		p.sig.Inputs = append(p.sig.Inputs, spec)
		return nil
	}
	both, err := agree(p.sig.Inputs[at], spec)
	if err != nil {
		return fmt.Errorf("%s takes %s, a model before it %s: %w; give one of the inputs another name", what, spec, p.sig.Inputs[at], err)
	}
	p.sig.Inputs[at] = both
	return nil
}

// freeRows returns spec with a free axis 0: a pipeline takes any number of rows.
func freeRows(spec tensor.Spec) tensor.Spec {
	spec.Shape = slices.Clone(spec.Shape)
	if len(spec.Shape) > 0 {
		spec.Shape[0] = -1
	}
	return spec
}

// agree returns what satisfies a and b, rows aside, under the name of a.
func agree(a, b tensor.Spec) (tensor.Spec, error) {
	if a.DType != b.DType {
		return tensor.Spec{}, fmt.Errorf("the element types differ")
	}
	if len(a.Shape) != len(b.Shape) {
		return tensor.Spec{}, fmt.Errorf("the numbers of axes differ")
	}
	both := freeRows(a)
	for i := 1; i < len(a.Shape); i++ {
		switch {
		case both.Shape[i] < 0:
			both.Shape[i] = b.Shape[i]
		case b.Shape[i] >= 0 && b.Shape[i] != both.Shape[i]:
			return tensor.Spec{}, fmt.Errorf("axis %d is %d long in one and %d in the other", i, both.Shape[i], b.Shape[i])
		}
	}
	return both, nil
}

// Signature returns the encoders' inputs and those of the head that no encoder
// gives, and the head's outputs. BatchSize is the largest of its models'.
func (p *Pipeline) Signature() Signature {
	return Signature{Inputs: slices.Clone(p.sig.Inputs), Outputs: slices.Clone(p.sig.Outputs), BatchSize: p.sig.BatchSize}
}

// Predict calls every encoder once, and then the head on what they give.
func (p *Pipeline) Predict(ctx context.Context, inputs Batch) (Batch, error) {
	if err := p.sig.Check(inputs); err != nil {
		return nil, fmt.Errorf("model: pipeline: %w", err)
	}
	outputs, err := p.whole.Predict(ctx, inputs)
	if err != nil {
		return nil, fmt.Errorf("model: pipeline: %w", err)
	}
	return outputs, nil
}

// chain returns all models of the pipeline, one after the other.
func (p *Pipeline) chain() chain {
	var inputs []string
	for _, in := range p.sig.Inputs {
		inputs = append(inputs, in.Name)
	}
	names := p.tensorNames(inputs)
	var c chain
	for i := range p.encoders {
		c.steps = append(c.steps, p.encoderStep(i, names))
	}
	head := p.headStep(names)
	for _, out := range p.head.sig.Outputs {
		head.gives = append(head.gives, wire{own: out.Name, name: out.Name})
		c.outputs = append(c.outputs, out.Name)
	}
	c.steps = append(c.steps, head)
	return c
}

// tensorNames returns a name for every output of an encoder that the head
// takes. None is among taken, nor is it an output of the head: an encoder of "x"
// may well call its output "x".
func (p *Pipeline) tensorNames(taken []string) map[source]string {
	used := map[string]bool{}
	for _, name := range taken {
		used[name] = true
	}
	for _, out := range p.head.sig.Outputs {
		used[out.Name] = true
	}
	names := map[source]string{}
	for _, from := range p.head.from {
		if from.encoder == outside || names[from] != "" {
			continue
		}
		name := from.name
		for used[name] {
			name = p.encoders[from.encoder].what + "." + name
		}
		used[name] = true
		names[from] = name
	}
	return names
}

// encoderStep returns the step that computes encoder i.
func (p *Pipeline) encoderStep(i int, names map[source]string) step {
	u := p.encoders[i]
	s := step{what: u.what, model: u.model}
	for k, in := range u.sig.Inputs {
		s.takes = append(s.takes, wire{own: in.Name, name: u.from[k].name})
	}
	for _, out := range u.sig.Outputs {
		if name, wanted := names[source{encoder: i, name: out.Name}]; wanted {
			s.gives = append(s.gives, wire{own: out.Name, name: name})
		}
	}
	return s
}

// headStep returns the step that computes the head; what it gives is left open.
func (p *Pipeline) headStep(names map[source]string) step {
	s := step{what: p.head.what, model: p.head.model}
	for k, in := range p.head.sig.Inputs {
		from := p.head.from[k]
		name := from.name
		if from.encoder != outside {
			name = names[from]
		}
		s.takes = append(s.takes, wire{own: in.Name, name: name})
	}
	return s
}
