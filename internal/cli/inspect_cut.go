package cli

import (
	"context"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A keptCut is what a model was cut into. A plan tells what its parts cost; what
// they take from each other only the model knows.
type keptCut struct {
	leaves []model.Leaf
	// stages is nil for a model that was not cut.
	stages *model.Stages
}

// A stagedFile is a model file that can be cut, and keeps what it was cut into.
type stagedFile struct {
	modelFile
	cut *keptCut
}

// keepCut returns the model, and where to look for its parts once it was
// planned. A model that cannot be cut comes back as it is, so that a plan sees
// that it cannot.
func keepCut(m modelFile) (modelFile, *keptCut) {
	cut := &keptCut{}
	if _, ok := m.(model.Staged); ok {
		m = &stagedFile{m, cut}
	}
	return m, cut
}

// Stage cuts the model and keeps the parts.
func (f *stagedFile) Stage(ctx context.Context, q model.Question) (*model.Stages, error) {
	stages, err := f.modelFile.(model.Staged).Stage(ctx, q)
	f.cut.leaves, f.cut.stages = q.Leaves, stages
	return stages, err
}

// Classes returns the names of classes that the file states, nil for none.
func (f *stagedFile) Classes(output string) []string {
	if m, ok := f.modelFile.(interface{ Classes(output string) []string }); ok {
		return m.Classes(output)
	}
	return nil
}

// macs counts the multiply-adds of a row of the whole model, 0 where unknown.
func (c *keptCut) macs() int64 {
	if c.stages == nil {
		return 0
	}
	return c.stages.MACs
}

// A partGraph is how modalities, parts and the explained output hang together:
// tensors by name, each with its source.
type partGraph struct {
	sources []graphSource
	parts   []graphPart
	// results are the tensors that the output is made of: itself, or the terms of
	// an additive model.
	results []string
}

// A graphSource is where parts start from: a modality, or the fixed inputs.
type graphSource struct {
	name    string
	fixed   bool
	tensors []tensorReport
}

// A graphPart is a part with what it takes and gives.
type graphPart struct {
	name            string
	modalities      []string
	fixed           bool
	inputs, outputs []tensorReport
}

// A tensorReport is a tensor that is handed on, with the elements of a row.
type tensorReport struct {
	Name string `json:"name"`
	// Elements is -1 where the model leaves it open.
	Elements int `json:"elements"`
}

// newPartGraph draws the parts of a plan together; a plan of the plain way has
// one, the whole model.
func newPartGraph(plan *intershap.Plan, cut *keptCut, output tensorReport) *partGraph {
	if !plan.Engine().Staged() {
		return wholeGraph(plan.Modalities(), plan.Inputs(), output)
	}
	return stagedGraph(plan.Modalities(), cut, plan.Engine().Parts())
}

const (
	// fixedSource stands for inputs that are no modality's.
	fixedSource = "fixed inputs"
	// wholeModel is the one part of the plain way.
	wholeModel = "model"
)

// wholeGraph has one part, which takes every input. Modalities hand on what they
// own of an input under the input's name.
func wholeGraph(modalities []dataset.Modality, inputs []tensor.Spec, output tensorReport) *partGraph {
	whole := graphPart{name: wholeModel, outputs: []tensorReport{output}}
	g := &partGraph{results: []string{output.Name}}
	left := make([]int, len(inputs)) // elements that nobody owns
	for i, in := range inputs {
		left[i] = in.RowLen()
		whole.inputs = append(whole.inputs, tensorReport{in.Name, in.RowLen()})
	}
	for _, m := range modalities {
		s := graphSource{name: m.Name}
		for _, part := range m.Parts {
			n := part.Hi - part.Lo
			left[part.Input] -= n
			if name := inputs[part.Input].Name; len(s.tensors) > 0 && s.tensors[len(s.tensors)-1].Name == name {
				s.tensors[len(s.tensors)-1].Elements += n
			} else {
				s.tensors = append(s.tensors, tensorReport{name, n})
			}
		}
		g.sources = append(g.sources, s)
		whole.modalities = append(whole.modalities, m.Name)
	}
	var fixed []tensorReport
	for i, n := range left {
		if n > 0 {
			fixed = append(fixed, tensorReport{inputs[i].Name, n})
		}
	}
	if len(fixed) > 0 {
		g.sources = append(g.sources, graphSource{fixedSource, true, fixed})
		whole.fixed = true
	}
	g.parts = []graphPart{whole}
	return g
}

// stagedGraph reads leaves and parts as the model was cut.
func stagedGraph(modalities []dataset.Modality, cut *keptCut, parts []engine.PartCost) *partGraph {
	g := &partGraph{results: cut.stages.Terms}
	if len(g.results) == 0 {
		g.results = []string{cut.stages.Output}
	}
	for _, m := range modalities {
		g.sources = append(g.sources, graphSource{name: m.Name})
	}
	elements := map[string]int{}
	var fixed []tensorReport
	for _, leaf := range cut.leaves {
		t := tensorReport{leaf.Name, leaf.Hi - leaf.Lo}
		elements[t.Name] = t.Elements
		if leaf.Player == model.Nobody {
			fixed = append(fixed, t)
		} else {
			s := &g.sources[leaf.Player]
			s.tensors = append(s.tensors, t)
		}
	}
	if len(fixed) > 0 {
		g.sources = append(g.sources, graphSource{fixedSource, true, fixed})
	}
	for i, part := range parts {
		p := graphPart{name: part.Name, modalities: []string{}}
		for _, player := range part.Players {
			if player == model.Nobody {
				p.fixed = true
			} else {
				p.modalities = append(p.modalities, modalities[player].Name)
			}
		}
		for _, name := range cut.stages.Parts[i].Inputs {
			p.inputs = append(p.inputs, tensorReport{name, elements[name]})
		}
		for _, out := range part.Outputs {
			elements[out.Name] = out.RowLen()
			p.outputs = append(p.outputs, tensorReport{out.Name, out.RowLen()})
		}
		g.parts = append(g.parts, p)
	}
	return g
}
