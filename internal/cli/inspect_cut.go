package cli

import (
	"context"
	"slices"

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
	// whole is set for a model that nothing could cut.
	whole bool
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
	} else {
		cut.whole = true
	}
	return m, cut
}

// Stage cuts the model and keeps the parts.
func (f *stagedFile) Stage(ctx context.Context, q model.Question) (*model.Stages, error) {
	stages, err := f.modelFile.(model.Staged).Stage(ctx, q)
	f.cut.leaves, f.cut.stages = q.Leaves, stages
	return stages, err
}

// Signature implements [model.Described], which what can be cut is.
func (f *stagedFile) Signature() model.Signature { return signatureOf(f.modelFile) }

// Classes returns the names of classes that the file states, nil for none.
func (f *stagedFile) Classes(output string) []string {
	if m, ok := f.modelFile.(interface{ Classes(output string) []string }); ok {
		return m.Classes(output)
	}
	return nil
}

// macs counts the multiply-adds of a row of the whole model, nil where nobody
// did: where the model was not cut, or is of parts that do not tell theirs.
func (c *keptCut) macs() *int64 {
	if c.stages == nil || c.stages.MACs == 0 {
		return nil
	}
	return &c.stages.MACs
}

// A partGraph is how modalities, parts and the explained output hang together, by
// the names of tensors.
type partGraph struct {
	sources []graphSource
	parts   []partReport // without what they cost
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

// A tensorReport is a tensor that is handed on, with the elements of a row.
type tensorReport struct {
	Name string `json:"name"`
	// Elements is openLength where the model leaves it open.
	Elements int `json:"elements"`
}

// openLength stands for elements that a model leaves open.
const openLength = -1

// outputOf describes an output of a model.
func outputOf(m model.Model, name string) tensorReport {
	for _, spec := range signatureOf(m).Outputs {
		if spec.Name == name {
			return tensorReport{name, spec.RowLen()}
		}
	}
	return tensorReport{name, openLength}
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
	// wholeModel is the one part of the plain way, as package engine calls it.
	wholeModel = "model"
)

// wholeGraph has one part, which takes every input. Modalities hand on what they
// own of an input under the input's name.
func wholeGraph(modalities []dataset.Modality, inputs []tensor.Spec, output tensorReport) *partGraph {
	whole := partReport{Part: wholeModel, Outputs: []tensorReport{output}}
	g := &partGraph{results: []string{output.Name}}
	left := make([]int, len(inputs)) // elements that nobody owns
	for i, in := range inputs {
		left[i] = in.RowLen()
		whole.Inputs = append(whole.Inputs, tensorReport{in.Name, in.RowLen()})
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
		whole.Modalities = append(whole.Modalities, m.Name)
	}
	var fixed []tensorReport
	for i, n := range left {
		if n > 0 {
			fixed = append(fixed, tensorReport{inputs[i].Name, n})
		}
	}
	if len(fixed) > 0 {
		g.sources = append(g.sources, graphSource{fixedSource, true, fixed})
		whole.Fixed = true
	}
	g.parts = []partReport{whole}
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
		p := partReport{Part: part.Name, Modalities: []string{}}
		for _, player := range part.Players {
			if player == model.Nobody {
				p.Fixed = true
			} else {
				p.Modalities = append(p.Modalities, modalities[player].Name)
			}
		}
		for _, name := range taken(cut.stages, i) {
			p.Inputs = append(p.Inputs, tensorReport{name, elements[name]})
		}
		for _, out := range part.Outputs {
			elements[out.Name] = out.RowLen()
			p.Outputs = append(p.Outputs, tensorReport{out.Name, out.RowLen()})
		}
		g.parts = append(g.parts, p)
	}
	return g
}

// taken names the leaves and outputs that part i takes, each once: of a sum its
// terms, which is what other parts hand on.
func taken(stages *model.Stages, i int) []string {
	var names []string
	for _, name := range stages.Parts[i].Inputs {
		terms := []string{name}
		if at := slices.IndexFunc(stages.Sums, func(s model.Sum) bool { return s.Name == name }); at >= 0 {
			terms = stages.Sums[at].Terms
		}
		for _, term := range terms {
			if !slices.Contains(names, term) {
				names = append(names, term)
			}
		}
	}
	return names
}
