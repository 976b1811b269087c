package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/fusion"
)

// trainingSchema names the version of the document of `train --json`.
const trainingSchema = "intershap/training/v1"

// A trainingReport is what train did; docs/cli.md specifies it.
type trainingReport struct {
	Schema     string             `json:"schema"`
	Model      trainedModel       `json:"model"`
	Fusion     string             `json:"fusion"`
	Modalities []trainedModality  `json:"modalities"`
	Classes    []string           `json:"classes"`
	Options    trainingOptions    `json:"options"`
	Epochs     int                `json:"epochs"`
	Epoch      int                `json:"epoch"`
	Splits     map[string]*judged `json:"splits"`
	Seconds    float64            `json:"seconds"`
	Warnings   []diag.Warning     `json:"warnings"`
}

type trainedModel struct {
	Source     string `json:"source"`
	SHA256     string `json:"sha256"`
	Parameters int    `json:"parameters"`
}

type trainedModality struct {
	Name     string `json:"name"`
	Elements int    `json:"elements"`
}

type trainingOptions struct {
	Epochs         int     `json:"epochs"`
	LearningRate   float64 `json:"learning_rate"`
	WeightDecay    float64 `json:"weight_decay"`
	Batch          int     `json:"batch"`
	Seed           uint64  `json:"seed"`
	FrozenEncoders bool    `json:"frozen_encoders"`
	Standardise    bool    `json:"standardise"`
	Patience       int     `json:"patience"`
	Watch          string  `json:"watch"`
}

// judged is a split and how the network does on it.
type judged struct {
	Source   string  `json:"source"`
	Samples  int     `json:"samples"`
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
	F1       float64 `json:"f1"`
}

// The splits, in the order in which they are printed.
const (
	splitTrain = "train"
	splitValid = "valid"
	splitTest  = "test"
)

func reportTraining(o *trainOptions, n *fusion.Network, data *fusion.Folder, epochs int) *trainingReport {
	opts := o.options
	r := &trainingReport{
		Schema: trainingSchema, Model: trainedModel{Source: o.out, Parameters: n.Parameters()}, Fusion: n.Fusion().String(), Classes: n.Classes(),
		Options: trainingOptions{
			Epochs: opts.Epochs, LearningRate: opts.LearningRate, WeightDecay: max(opts.WeightDecay, 0), Batch: opts.Batch, Seed: opts.Seed,
			FrozenEncoders: opts.FrozenEncoders, Standardise: opts.Standardise, Patience: opts.Patience, Watch: opts.Watch.String(),
		},
		Epochs: epochs, Epoch: n.Epoch().Number, Splits: map[string]*judged{}, Warnings: data.Warnings,
	}
	for _, in := range n.Signature().Inputs {
		r.Modalities = append(r.Modalities, trainedModality{Name: in.Name, Elements: in.RowLen()})
	}
	return r
}

// judge fills in how the finished network does on each split that is there.
func (r *trainingReport) judge(ctx context.Context, n *fusion.Network, data *fusion.Folder) error {
	for name, split := range map[string]fusion.Split{splitTrain: data.Train, splitValid: data.Valid, splitTest: data.Test} {
		r.Splits[name] = nil
		if split.Len() == 0 {
			continue
		}
		e, err := n.Evaluate(ctx, split.Data)
		if err != nil {
			return err
		}
		r.Splits[name] = &judged{Source: split.Path, Samples: split.Len(), Loss: e.Loss, Accuracy: e.Accuracy, F1: e.F1}
	}
	return nil
}

// writeTraining writes a report for a person.
func writeTraining(p *page, r *trainingReport) {
	var modalities []string
	for _, m := range r.Modalities {
		modalities = append(modalities, fmt.Sprintf("%s (%s)", m.Name, grouped(int64(m.Elements))))
	}
	how := r.Fusion + " fusion"
	if r.Options.FrozenEncoders {
		how += ", encoders frozen"
	}
	if r.Options.Standardise {
		how += ", inputs standardised"
	}
	training := fmt.Sprintf("%s, seed %d, %s", count(int64(r.Epochs), "epoch"), r.Options.Seed, seconds(r.Seconds))
	if r.Options.Patience > 0 {
		training = fmt.Sprintf("%s, the best is %d by %s, seed %d, %s", count(int64(r.Epochs), "epoch"), r.Epoch, r.Options.Watch, r.Options.Seed, seconds(r.Seconds))
	}
	p.pairs([][2]string{
		{"model", r.Model.Source},
		{"sha256", r.Model.SHA256},
		{"network", how + ", " + count(int64(r.Model.Parameters), "parameter")},
		{"modalities", strings.Join(modalities, ", ")},
		{"classes", strings.Join(r.Classes, ", ")},
		{"training", training},
	})
	p.blank()
	rows := [][]cell{{{head: ""}, {head: "samples", number: true}, {head: "loss", number: true}, {head: "accuracy", number: true}, {head: "F1", number: true}, {head: "from"}}}
	for _, name := range []string{splitTrain, splitValid, splitTest} {
		j := r.Splits[name]
		if j == nil {
			continue
		}
		rows = append(rows, []cell{
			{head: name}, {head: grouped(int64(j.Samples)), number: true}, {head: significant(j.Loss), number: true},
			{head: percent(j.Accuracy), number: true}, {head: percent(j.F1), number: true}, {head: j.Source},
		})
	}
	p.grid(rows)
	footnotes{warnings: r.Warnings}.write(p)
}

// epochSentence says how training stands.
func epochSentence(e fusion.Epoch, of int) string {
	text := fmt.Sprintf("epoch %s of %s, loss %s", grouped(int64(e.Number)), grouped(int64(of)), significant(e.Loss))
	if v := e.Valid; v != nil {
		text += fmt.Sprintf(", valid loss %s, F1 %s", significant(v.Loss), percent(v.F1))
	}
	return text
}

// A trainProgress tells how many samples have been learnt from, and how well.
type trainProgress struct {
	*progress
	of, samples int
	// epochs is the number of epochs that are done.
	epochs int
	latest fusion.Epoch
}

func newTrainProgress(s *streams, n narration, epochs, samples int) *trainProgress {
	p := &trainProgress{progress: newProgress(s, n), of: epochs, samples: samples}
	p.total = int64(epochs) * int64(samples)
	return p
}

// tell is called after each epoch.
func (p *trainProgress) tell(e fusion.Epoch) {
	p.epochs, p.latest, p.done = e.Number, e, int64(e.Number)*int64(p.samples)
	p.show(p.sentence, p.sentence, p.writeJSON)
}

// finish clears the bar, and writes the last line for programs.
func (p *trainProgress) finish() {
	p.clear()
	if p.kind == progressJSON && p.epochs > 0 {
		p.writeJSON(p.s.now())
	}
}

func (p *trainProgress) sentence(now time.Time) string {
	text := epochSentence(p.latest, p.of)
	if left, ok := p.left(now); ok {
		text += fmt.Sprintf(", %s rows/s, %s left", rate(p.done, now.Sub(p.begun).Seconds()), seconds(left))
	}
	return text
}

func (p *trainProgress) writeJSON(now time.Time) {
	type evaluation struct {
		Loss     float64 `json:"loss"`
		Accuracy float64 `json:"accuracy"`
		F1       float64 `json:"f1"`
	}
	line := struct {
		Done    int64       `json:"done"`
		Total   int64       `json:"total"`
		Seconds float64     `json:"seconds"`
		Left    *float64    `json:"seconds_left"`
		Epoch   int         `json:"epoch"`
		Epochs  int         `json:"epochs"`
		Loss    float64     `json:"loss"`
		Valid   *evaluation `json:"valid"`
	}{Done: p.done, Total: p.total, Seconds: now.Sub(p.begun).Seconds(), Epoch: p.epochs, Epochs: p.of, Loss: p.latest.Loss}
	if left, ok := p.left(now); ok {
		line.Left = &left
	}
	if v := p.latest.Valid; v != nil {
		line.Valid = &evaluation{v.Loss, v.Accuracy, v.F1}
	}
	// The fields always encode.
	_ = json.NewEncoder(p.s.err).Encode(line)
}
