package demo

import (
	"context"

	"github.com/intershap/intershap"
)

// NewPlan returns the plan of the demo: all patients and background rows, the target
// predicted. Of opt it takes what says how to run (Workers, Progress, Sink), and the
// question is its own.
func NewPlan(ctx context.Context, opt intershap.Options) (*intershap.Plan, error) {
	samples, background, err := Patients()
	if err != nil {
		return nil, err
	}
	opt.BackgroundSize = intershap.AllRows
	opt.Classes = Classes()
	opt.Seed = 1 // that of explain
	return intershap.NewPlan(ctx, Model(), samples, background, opt)
}

// Name of the patients in results.
const (
	DataName       = "invented patients"
	BackgroundName = "other invented patients"
)

// Sign puts names to what a run from memory has none for.
func Sign(ex *intershap.Explanation, command string) {
	from := &ex.Provenance
	from.Command = command
	from.Data.Source.Source, from.Background.Source.Source = DataName, BackgroundName
}

// Known says in words what was written into the model.
const Known = "image acts alone, ecg and labs only together, notes not at all: so the model was made"

// A Share is what image does alone and what ecg and labs do together, as fractions of
// all behaviour: means over patients before absolute values.
type Share struct{ Image, Pair float64 }

// Truth returns the shares of image alone and of the pair ecg and labs that follow from
// the rule for measurements without noise, over all patients and by predicted class. All
// others are zero.
//
// With a = 1 for haze and x = 1 for a conflict, of means 3/8 and 1/2, the probabilities
// are
//
//	isolate  5/128 + 15/32·a
//	monitor  5/128 + 29/64·x
//	home     59/64 − 15/32·a − 29/64·x
//
// so that the effect of image is ±15/32·(a − 3/8) and that of the pair ±29/64·(x − 1/2):
//
//	predicted  patients             image       pair
//	home       a = 0, x = 0: 5/16   15/32·3/8   29/64·1/2
//	isolate    a = 1:        6/16   15/32·5/8   0
//	monitor    a = 0, x = 1: 5/16   0           29/64·1/2
//
// and of all patients the sums of these by their shares, 0.1648 and 0.1416. Rhythm and
// laboratory are balanced and independent, so that the conflict has no part of one of
// them. A run comes as near as its background rows are to these means.
func Truth() (all Share, byClass []Share) {
	effects := []struct{ patients, image, pair float64 }{
		home:    {(1 - hazyShare) * (1 - conflicted), byHaze * hazyShare, byConflict * conflicted},
		isolate: {hazyShare, byHaze * (1 - hazyShare), 0},
		monitor: {(1 - hazyShare) * conflicted, 0, byConflict * (1 - conflicted)},
	}
	var image, pair float64
	for _, e := range effects {
		byClass = append(byClass, newShare(e.image, e.pair))
		image += e.patients * e.image
		pair += e.patients * e.pair
	}
	return newShare(image, pair), byClass
}

func newShare(image, pair float64) Share {
	return Share{Image: image / (image + pair), Pair: pair / (image + pair)}
}
