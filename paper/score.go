package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/synth"
)

// Scores holds a score for each unit, by the name of its files.
type Scores map[string]Score

// A Score is what one model got on the test split.
type Score struct {
	// Accuracy and F1 compare predictions with labels; F1 is the macro average.
	Accuracy float64 `json:"accuracy"`
	F1       float64 `json:"f1"`
	// Modalities are the names, in order.
	Modalities []string `json:"modalities,omitempty"`
	// InterSHAP is the global score, Local the mean of the local ones and LocalSD
	// their standard deviation. Null for a single modality.
	InterSHAP score.Share `json:"intershap"`
	Local     score.Share `json:"local"`
	LocalSD   score.Share `json:"local_sd"`
	// Classes breaks the global score down by predicted class.
	Classes []ClassScore `json:"classes,omitempty"`
	// Rivals are the other scores, nil where no table shows them.
	Rivals *RivalScore `json:"rivals,omitempty"`
	// Notes say what the data did not allow, and what is doubtful.
	Notes []string `json:"notes,omitempty"`
}

// check refuses numbers that no score has, as in a file that somebody edited.
func (s Score) check() error {
	for _, c := range []struct {
		name  string
		value score.Share
	}{
		{"accuracy", score.Defined(s.Accuracy)}, {"f1", score.Defined(s.F1)},
		{"intershap", s.InterSHAP}, {"local", s.Local},
	} {
		if v, ok := c.value.Value(); ok && !(v >= 0 && v <= 1) { // NaN too
			return fmt.Errorf("%s is %v, want 0 to 1", c.name, v)
		}
	}
	if _, ok := s.InterSHAP.Value(); !ok && len(s.Modalities) > 0 {
		return errors.New("intershap is missing")
	}
	return nil
}

// A ClassScore is the breakdown of the samples with one predicted class.
type ClassScore struct {
	Class     string      `json:"class"`
	Samples   int         `json:"samples"`
	InterSHAP score.Share `json:"intershap"`
	// Contributions are those of the modalities, in order. With InterSHAP they sum
	// to 1.
	Contributions []score.Share `json:"contributions"`
}

// A RivalScore holds the other scores of Table 2.
type RivalScore struct {
	// EMAPGap and Shape are in macro F1.
	EMAPGap score.Share `json:"emap_gap_f1"`
	Shape   score.Share `json:"shape_f1"`
	// DataPID is the synergy about the labels, ModelPID that about predictions, for
	// each view: one for two modalities.
	DataPID  []PIDScore `json:"data_pid"`
	ModelPID []PIDScore `json:"model_pid"`
}

// A PIDScore is the synergy of one view, in nats.
type PIDScore struct {
	First  string `json:"first"`
	Second string `json:"second"`
	// Pairwise is set for pairs among more than two modalities.
	Pairwise bool    `json:"pairwise,omitempty"`
	Synergy  float64 `json:"synergy"`
	// SD is the spread over seeds of k-means, Permuted the synergy of shuffled
	// targets.
	SD       float64 `json:"sd"`
	Permuted float64 `json:"permuted"`
}

// A trial is a model with the files that it is scored on.
type trial struct {
	path                string
	samples, background dataset.File
	classes             []string
	rivals              bool
}

// score scores a unit.
func (r *run) score(ctx context.Context, set *synth.Set, u unit) (Score, error) {
	if u.network.Only > 0 {
		return scoreOnly(ctx, r.modelFile(u), samplesOf(set.Test, u.network))
	}
	arrays := (*synth.Split).Arrays
	if u.network.XOR {
		arrays = (*synth.Split).BitArrays
	}
	t := trial{path: r.modelFile(u), rivals: u.source.showsRivals() && (u.network == xor || u.network == early)}
	var err error
	if t.samples, err = dataset.FromArrays(arrays(set.Test)...); err != nil {
		return Score{}, err
	}
	if t.background, err = dataset.FromArrays(arrays(set.Valid)...); err != nil {
		return Score{}, err
	}
	return r.try(ctx, t)
}

// showsRivals reports whether Table 2 shows a source.
func (s Source) showsRivals() bool { return s.Kind == synth.KindHDXOR && s.Modalities == 2 }

// try scores a model by all that the tables show.
func (r *run) try(ctx context.Context, t trial) (s Score, err error) {
	m, err := onnx.Open(t.path, onnx.Options{})
	if err != nil {
		return s, fmt.Errorf("%w; remove the file to have it made again", err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	opt := intershap.RivalOptions{
		Options: intershap.Options{
			BackgroundSize: r.setup.Background, Seed: r.setup.DataSeed, Workers: r.opt.Workers,
			Output: fusion.Probabilities, Classes: t.classes,
		},
		Scores: []string{},
	}
	if t.rivals {
		opt.Scores = []string{rival.ScoreShape, rival.ScorePID}
	}
	found, err := intershap.Rivals(ctx, m, t.samples, t.background, opt)
	if err != nil {
		return s, err
	}
	if t.rivals {
		if err := addEMAP(ctx, found, m, t, opt); err != nil {
			return s, err
		}
	}
	if found.Metrics == nil {
		return s, fmt.Errorf("%s has no labels", t.samples.Path())
	}
	s = Score{Accuracy: found.Metrics.Accuracy, F1: found.Metrics.MacroF1, Modalities: found.Explanation.Modalities}
	target := found.Explanation.Targets[0]
	s.InterSHAP, s.Local, s.LocalSD = target.Global.InterSHAP, target.Local.Mean, target.Local.SD
	for _, c := range target.ByClass {
		one := ClassScore{Class: c.Class, Samples: c.Samples, InterSHAP: c.Global.InterSHAP}
		for _, name := range s.Modalities {
			one.Contributions = append(one.Contributions, c.Global.Contributions[name])
		}
		s.Classes = append(s.Classes, one)
	}
	if t.rivals {
		s.Rivals = newRivalScore(found)
	}
	for _, w := range found.Explanation.Warnings {
		s.Notes = append(s.Notes, w.String())
	}
	for _, u := range found.Unfit {
		s.Notes = append(s.Notes, u.What()+": "+u.Reason)
	}
	return s, nil
}

// addEMAP computes EMAP of the logits, as published; the labelling function has
// probabilities alone. Other scores are of the explained output.
func addEMAP(ctx context.Context, found *intershap.RivalScores, m *onnx.Model, t trial, opt intershap.RivalOptions) error {
	for _, out := range m.Signature().Outputs {
		if out.Name == fusion.Logits {
			opt.Output, opt.Task = fusion.Logits, intershap.Classes
		}
	}
	opt.Scores = []string{rival.ScoreEMAP}
	opt.BackgroundSize = 1 // EMAP has a background of its own
	extra, err := intershap.Rivals(ctx, m, t.samples, t.background, opt)
	if err != nil {
		return err
	}
	found.EMAP, found.Unfit = extra.EMAP, append(found.Unfit, extra.Unfit...)
	return nil
}

func newRivalScore(found *intershap.RivalScores) *RivalScore {
	out := &RivalScore{DataPID: pidScores(found.DataPID), ModelPID: pidScores(found.ModelPID)}
	if found.EMAP != nil && found.EMAP.Gap != nil {
		out.EMAPGap = score.Defined(found.EMAP.Gap.MacroF1)
	}
	if found.ShapeF1 != nil {
		out.Shape = score.Defined(found.ShapeF1.Cooperation)
	}
	return out
}

// pidScores keeps the views that are of two modalities.
func pidScores(views []rival.PIDView) []PIDScore {
	var out []PIDScore
	for _, v := range views {
		if v.Estimate == nil || v.Heading == rival.HeadingRest {
			continue
		}
		out = append(out, PIDScore{
			First: v.First, Second: v.Second, Pairwise: v.Heading == rival.HeadingPairwise,
			Synergy: v.Estimate.Mean.Synergy, SD: v.Estimate.SD.Synergy, Permuted: v.Estimate.Permuted.Synergy,
		})
	}
	return out
}

// scoreOnly judges a network of one modality, which has no interactions.
func scoreOnly(ctx context.Context, path string, d fusion.Data) (s Score, err error) {
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		return s, fmt.Errorf("%w; remove the file to have it made again", err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	outputs, err := m.Predict(ctx, d.Inputs)
	if err != nil {
		return s, err
	}
	predicted, err := classesOf(outputs)
	if err != nil {
		return s, err
	}
	metrics, err := rival.Measure(predicted, d.Labels)
	return Score{Accuracy: metrics.Accuracy, F1: metrics.MacroF1}, err
}

// classesOf returns the predicted class of every row.
func classesOf(outputs model.Batch) ([]int, error) {
	at := slices.IndexFunc(outputs, func(n model.Named) bool { return n.Name == fusion.Probabilities })
	if at < 0 {
		return nil, fmt.Errorf("no output %q", fusion.Probabilities)
	}
	t := outputs[at].Tensor
	rows := make([]float64, t.Len())
	t.Float64s(rows)
	x, err := rival.NewMatrix(t.Rows(), t.RowLen(), rows)
	if err != nil {
		return nil, err
	}
	return rival.Predicted(x, 0), nil // of several columns, which have no threshold
}
