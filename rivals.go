package intershap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
)

// RivalOptions say which scores are computed beside InterSHAP.
type RivalOptions struct {
	// Options are the question, as [Explain] takes it. It must have one target.
	// Sink must be nil: scores are made of the samples' values.
	Options
	// Scores are names of [rival.Cards]; nil means all, and an empty list none: then
	// InterSHAP and Metrics are computed.
	Scores []string
	// EMAPSamples is the most samples whose pairs EMAP takes, drawn by seed where
	// there are more: 2 to MaxEMAPSamples; 0 means DefaultEMAPSamples. It counts for
	// two modalities; with more, EMAP takes all samples.
	EMAPSamples int
	// Draws is how often the Perceptual Score shuffles each modality: 1 to MaxDraws;
	// 0 means DefaultDraws.
	Draws int
	// PID says how information is estimated; its Seed and Workers are those of the
	// question. It takes no model rows: its Progress counts steps of its own.
	PID rival.PIDOptions
	// Begin is told which score comes next and how many model rows it takes, 0 for
	// none; it may be nil. The first is [ScoreInterSHAP]. Progress counts the rows
	// of each score by itself.
	Begin func(score string, rows int64)
}

const (
	// ScoreInterSHAP is the name under which Begin hears of InterSHAP itself.
	ScoreInterSHAP = "intershap"
	// DefaultEMAPSamples have nine million pairs.
	DefaultEMAPSamples = 3000
	// MaxEMAPSamples have ten thousand million pairs, which takes hours or days.
	MaxEMAPSamples = 100000
	// DefaultDraws of a shuffled modality tell its accuracy well enough: the
	// standard error is in the result.
	DefaultDraws = 10
	// MaxDraws tell an accuracy to a hundredth of the spread of a single draw.
	MaxDraws = 10000
	// MaxPIDSamples is the most samples of which information is estimated; where
	// there are more they are drawn by seed. Clusters of so many samples hardly
	// depend on any one of them, and k-means would take minutes.
	MaxPIDSamples = 20000
)

// RivalScores are InterSHAP and the scores that people compare it with. A score
// that was not asked for, or that the data do not allow, is nil; Unfit has the
// reasons.
type RivalScores struct {
	// Explanation holds InterSHAP.
	Explanation *Explanation
	// Scores names the scores asked for, in the order of [rival.Cards].
	Scores []string
	// Metrics are those of the model on the samples, nil without labels.
	Metrics *rival.Metrics
	EMAP    *EMAPScore
	// ShapeF1, ShapeAccuracy and ShapeOutputs are the forms of SHAPE; the last
	// needs no labels.
	ShapeF1, ShapeAccuracy, ShapeOutputs *rival.Shape
	// DataPID decomposes the information about the labels, ModelPID that about the
	// model's predictions.
	DataPID, ModelPID []rival.PIDView
	// PIDSamples is the number of samples of which both are estimated: all, or those
	// drawn where there are more than MaxPIDSamples or memory holds.
	PIDSamples int
	SRI        []rival.SRI
	Shares     *rival.ModalityShares
	Perceptual *rival.Perceptual
	Effects    *rival.Effects
	// Unfit says what could not be computed, in the order of Scores; a score may
	// have several, for its forms.
	Unfit []*rival.Unfit
	// Rows counts the model rows that each score took beside those of InterSHAP: 0
	// for those of Scores that took none.
	Rows map[string]int64
}

// EMAPScore is EMAP with what it was computed from.
type EMAPScore struct {
	rival.EMAP
	// Samples is the number of samples, those drawn where there were more.
	Samples int
	// Drawn holds the rows of the data that the samples are, nil for all of them:
	// row i of Projected belongs to sample Drawn[i].
	Drawn []int
	// Background is the number of shuffled rows that stand for the product of the
	// modalities' distributions; 0 for two modalities, which take all pairs.
	Background int
}

// Rivals computes InterSHAP and, for the same model, samples and target, the
// scores that people compare it with. What each is, and what it needs, is in
// package rival.
//
// InterSHAP is computed as [Explain] does. SRI, modality share and alone and last
// come from its values. The others ask the model about more rows: EMAP about all
// pairs of the samples, or, with more than two modalities, about the samples on
// shuffled rows; SHAPE about the samples with zeros; the Perceptual Score about
// shuffled samples. None of them depends on the mask of the question, nor on the
// background rows, of which EMAP takes the number alone. Outputs are those after
// the transform, classes those of the output itself. Where labels are missing, or
// a score does not fit for another reason, it is left out and Unfit has a sentence.
//
// It takes memory for the values of all samples, N·2^M numbers. Results are the same
// to the last bit for the same data, seed and options, whatever the workers.
func Rivals(ctx context.Context, m model.Model, samples, rows dataset.File, opt RivalOptions) (*RivalScores, error) {
	names, err := opt.validate()
	if err != nil {
		return nil, err
	}
	kept := &keptSamples{}
	question := opt.Options
	question.Sink = kept
	p, err := NewPlan(ctx, m, samples, rows, question)
	if err != nil {
		return nil, err
	}
	r := &rivals{plan: p, opt: opt, kept: kept, scores: &RivalScores{Scores: names, Rows: map[string]int64{}}}
	if err := errors.Join(r.run(ctx), p.Close()); err != nil {
		return nil, err
	}
	return r.scores, nil
}

// validate returns the names of the scores asked for, in the order of the cards.
func (o *RivalOptions) validate() ([]string, error) {
	if o.Sink != nil {
		return nil, errors.New("intershap: rivals: want no Sink: scores are made of the samples' values, which Explanation has afterwards")
	}
	if o.Budget > 0 || o.Until > 0 {
		return nil, errors.New("intershap: rivals: want no Budget and no Until: scores are made of the values of all coalitions, in one run")
	}
	if o.Cluster != "" || o.Weight != "" || len(o.By) > 0 || len(o.Missing) > 0 || !o.Shard.whole() {
		return nil, errors.New("intershap: rivals: want no Cluster, Weight, By, Missing or Shard: the scores know samples that all count the same and lack nothing")
	}
	var faults []error
	for _, f := range []struct {
		name                   string
		field                  *int
		least, most, otherwise int
	}{{"EMAPSamples", &o.EMAPSamples, 2, MaxEMAPSamples, DefaultEMAPSamples}, {"Draws", &o.Draws, 1, MaxDraws, DefaultDraws}} {
		if *f.field == 0 {
			*f.field = f.otherwise
		}
		if *f.field < f.least || *f.field > f.most {
			faults = append(faults, fmt.Errorf("%s %d must lie from %d to %d, or be 0 for %d", f.name, *f.field, f.least, f.most, f.otherwise))
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("intershap: rivals: options: %w", errors.Join(faults...))
	}
	o.PID.Seed, o.PID.Workers = o.Seed, o.withDefaults().Workers
	var all, names []string
	for _, c := range rival.Cards() {
		all = append(all, c.Name)
		if o.Scores == nil || slices.Contains(o.Scores, c.Name) {
			names = append(names, c.Name)
		}
	}
	for _, name := range o.Scores {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("intershap: rivals: unknown score %q (want %s)", name, strings.Join(all, ", "))
		}
	}
	return names, nil
}

// rivals computes scores, one after the other.
type rivals struct {
	plan   *Plan
	opt    RivalOptions
	kept   *keptSamples
	truth  truth
	scores *RivalScores
	begun  string // the last score that Begin was told of
}

func (r *rivals) run(ctx context.Context) (err error) {
	p := r.plan
	if targets := p.target.names; len(targets) != 1 {
		return r.oneTarget()
	}
	if r.truth, err = p.readTruth(ctx); err != nil {
		return err
	}
	r.begin(ScoreInterSHAP, p.engine.Rows())
	ex, err := p.Explain(ctx)
	if err != nil {
		return err
	}
	ex.local, ex.phi = r.kept.local, r.kept.phi
	r.scores.Explanation = ex
	if r.truth.labels != nil {
		metrics, err := rival.Measure(r.kept.predicted, r.truth.labels)
		if err != nil {
			return err
		}
		r.scores.Metrics = &metrics
	}
	compute := map[string]func(context.Context) error{
		rival.ScoreEMAP: r.emap, rival.ScoreShape: r.shape, rival.ScorePID: r.pid, rival.ScoreSRI: r.sri,
		rival.ScoreShare: r.share, rival.ScorePerceptual: r.perceptual, rival.ScoreEffects: r.effects,
	}
	for _, name := range r.scores.Scores {
		r.scores.Rows[name] = 0
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.forgive(compute[name](ctx)); err != nil {
			return fmt.Errorf("intershap: %s: %w", name, err)
		}
		if r.begun != name { // it was unfit before its first row
			r.begin(name, 0)
		}
	}
	return nil
}

// oneTarget says how to ask about one target.
func (r *rivals) oneTarget() error {
	p := r.plan
	how := "--target class:NAME"
	if p.task == Classes {
		how = "--target predicted, or class:NAME"
	}
	return fmt.Errorf("intershap: rivals: scores are of one target, the question has %d (%s, ...); choose one with %s (Options.Target)",
		len(p.target.names), p.target.names[0], how)
}

// begin tells that a score comes next.
func (r *rivals) begin(score string, rows int64) {
	r.begun = score
	if r.opt.Begin != nil {
		r.opt.Begin(score, rows)
	}
}

// unfit notes why a score, or a part of it, is not there; an empty part is all of it.
// What is said of several views is said once.
func (r *rivals) unfit(score, part, format string, args ...any) *rival.Unfit {
	u := &rival.Unfit{Score: score, Part: part, Reason: fmt.Sprintf(format, args...)}
	for _, said := range r.scores.Unfit {
		if *said == *u {
			return said
		}
	}
	r.scores.Unfit = append(r.scores.Unfit, u)
	return u
}

// forgive notes an error that says why a score is unfit; others stay.
func (r *rivals) forgive(err error) error {
	if u := (*rival.Unfit)(nil); errors.As(err, &u) {
		r.unfit(u.Score, u.Part, "%s", u.Reason)
		return nil
	}
	return err
}

// sri, share and effects are made of what InterSHAP has computed.

func (r *rivals) sri(context.Context) (err error) {
	r.begin(rival.ScoreSRI, 0)
	r.scores.SRI, err = rival.NewSRI(r.kept.phi, len(r.plan.modalities))
	return err
}

func (r *rivals) share(context.Context) error {
	r.begin(rival.ScoreShare, 0)
	shares, err := rival.NewModalityShares(r.kept.phi, len(r.plan.modalities))
	if err != nil {
		return err
	}
	r.scores.Shares = &shares
	return nil
}

func (r *rivals) effects(context.Context) error {
	r.begin(rival.ScoreEffects, 0)
	tables, err := game.NewTables(len(r.plan.modalities), r.kept.values)
	if err != nil {
		return err
	}
	effects, err := rival.NewEffects(tables)
	if err != nil {
		return err
	}
	r.scores.Effects = &effects
	return nil
}

// keptSamples is a sink that keeps what scores are made of.
type keptSamples struct {
	// values holds the value tables and phi the matrices, sample by sample.
	values, phi []float64
	predicted   []int
	local       []score.Share
}

// Begin makes room.
func (k *keptSamples) Begin(h result.SamplesHeader) error {
	m := len(h.Modalities)
	k.values = make([]float64, 0, h.Samples<<m)
	k.phi = make([]float64, 0, h.Samples*m*m)
	k.predicted = make([]int, 0, h.Samples)
	k.local = make([]score.Share, 0, h.Samples)
	return nil
}

// Write keeps a row.
func (k *keptSamples) Write(row result.SampleRow) error {
	k.values = append(k.values, row.Values...)
	k.phi = append(k.phi, row.Phi...)
	k.predicted = append(k.predicted, row.Predicted)
	k.local = append(k.local, row.InterSHAP)
	return nil
}
