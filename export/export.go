package export

import (
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap/result"
)

// An Export is a result, with or without the values of its samples, ready to be
// written in the shapes of other tools. It is safe for concurrent use.
type Export struct {
	explanation *result.Explanation
	samples     *result.Samples
}

// New takes a result, and the samples of the same run or nil. Samples of another run
// are an error, and so is a result that explains nothing.
func New(e *result.Explanation, samples *result.Samples) (*Export, error) {
	if len(e.Targets) == 0 || len(e.Modalities) == 0 {
		return nil, errors.New("export: want a result with at least one target and one modality, got none")
	}
	if samples != nil {
		if err := samples.Belongs(e); err != nil {
			return nil, err
		}
	}
	return &Export{explanation: e, samples: samples}, nil
}

// All is the position that stands for all samples or targets.
const All = -1

// A Place is what of a result is written.
type Place struct {
	// Sample is the position of a sample, or All: their mean where a form holds one
	// explanation, each of them where it holds many.
	Sample int
	// Target is the position of a target, or All where a form holds several.
	Target int
}

// Sample returns the position of the sample with an id, the first of several.
func (x *Export) Sample(id string) (int, error) {
	if x.samples == nil {
		return 0, errors.New("export: one sample is in a samples file, and none was given")
	}
	at := slices.Index(x.samples.IDs, id)
	if at < 0 {
		return 0, fmt.Errorf("export: %s: want the id of a sample, such as %q, got %q", x.samples.Path, x.samples.IDs[0], id)
	}
	return at, nil
}

// Target returns the position of the target with a name.
func (x *Export) Target(name string) (int, error) {
	var names []string
	for i, t := range x.explanation.Targets {
		if t.Target == name {
			return i, nil
		}
		names = append(names, t.Target)
	}
	return 0, fmt.Errorf("export: want one of the targets %q, got %q", names, name)
}

// one returns the position of the one target that a form holds.
func (x *Export) one(target int) (int, error) {
	switch n := len(x.explanation.Targets); {
	case target != All:
		return target, nil
	case n > 1:
		return 0, fmt.Errorf("export: want one of the %d targets, got all: name one, such as %q", n, x.explanation.Targets[0].Target)
	}
	return 0, nil
}

// A row is one explanation: of a sample, or of the mean over samples.
type row struct {
	base float64
	phi  []float64 // M×M
	// se holds standard errors of the cells, nil where they are not known.
	se []float64
}

// mean returns the explanation of the mean over samples.
func (x *Export) mean(target int) row {
	t := &x.explanation.Targets[target]
	return row{base: t.Base, phi: slices.Concat(t.Global.Phi...), se: cellErrors(t.Global.PhiSE)}
}

// meanAddsUp refuses the mean over samples where some lack modalities: then each cell is
// a mean over those that have its modalities, and cells do not add up to the output, which
// the forms of other tools take for granted.
func (x *Export) meanAddsUp(targets ...int) error {
	for _, target := range targets {
		t := &x.explanation.Targets[target]
		if len(x.explanation.Provenance.Missing) == 0 || t.Complete(x.explanation.Modalities) {
			continue
		}
		lack := slices.IndexFunc(x.explanation.Modalities, func(name string) bool { return t.Present[name] != t.Samples })
		name := x.explanation.Modalities[lack]
		return fmt.Errorf("export: target %q: want a mean whose parts add up to the output, got one in which %d of %d samples have %q: write one sample, or all of them, from a samples file", t.Target, t.Present[name], t.Samples, name)
	}
	return nil
}

// sample returns the explanation of sample i.
func (x *Export) sample(i, target int) row {
	t := &x.samples.ByTarget[target]
	return row{base: t.Base[i], phi: t.Matrix(i, len(x.samples.Modalities))}
}

// rows returns how many explanations a place has, and each of them.
func (x *Export) rows(sample int) (n int, at func(i, target int) row) {
	switch {
	case sample != All:
		return 1, func(_, target int) row { return x.sample(sample, target) }
	case x.samples != nil:
		return x.samples.Len(), x.sample
	}
	return 1, func(_, target int) row { return x.mean(target) }
}
