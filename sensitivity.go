package intershap

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
)

// SensitivityNearest is the number of rows of the mask nearest that a sensitivity
// tries.
const SensitivityNearest = 10

// Sensitivity explains as [Explain] does, and then once more for each other choice that
// a user has, made alone from the settings in opt: masks, the number of background rows
// and their draw, the scale of the output. Under Until these are the settings of the
// last round, and no choice is made in rounds. What became of the headline stands in the
// explanation's Sensitivity, with a sentence: does the verdict depend on the choice?
//
// Each choice costs about as much as the run; see [Plan.Choices] to know it before, and
// to be told of progress. The sink of opt gets the samples of the run alone.
func Sensitivity(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (ex *Explanation, err error) {
	p, ex, err := explain(ctx, m, samples, rows, opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	c, err := p.Choices(ctx)
	if err != nil {
		return nil, err
	}
	if ex.Sensitivity, err = c.Explain(ctx, ex, nil); err != nil {
		return nil, err
	}
	return ex, nil
}

// Choices are the settings that a run could have had as well, planned and not yet paid
// for.
type Choices struct {
	plan *Plan
	list []choice
}

// A choice is one setting other than the run's.
type choice struct {
	kind          result.Choice
	setting, name string
	opt           Options
	// rows is the number of model rows the plain way.
	rows int64
	// reason says why the choice cannot be made, "" where it can.
	reason string
}

// Choices plans the other choices of a run: every mask without an argument and the
// nearest rows; half and twice the background rows; two other seeds of their draw;
// probability and logit. A choice that cannot be made stays in the list, with the
// reason.
func (p *Plan) Choices(ctx context.Context) (*Choices, error) {
	c := &Choices{plan: p}
	c.masks()
	c.sizes()
	c.draws()
	c.scales()
	for i := range c.list {
		if x := &c.list[i]; x.reason == "" {
			if err := c.count(ctx, x); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// settled are the run's options with what the run has settled, so that another choice
// guesses nothing else.
func (c *Choices) settled() Options {
	p := c.plan
	opt := p.opt
	opt.Task, opt.Output, opt.Classes = p.task, p.output.name, p.classes
	opt.Sink, opt.Progress, opt.Resumed = Discard, nil, nil
	opt.Until = 0 // what the last round took is settled as well
	opt.By = nil  // the headline is of all samples
	opt.Index, opt.Order = 0, 0
	return opt
}

// add lists a choice: change makes it in the run's options. With a reason it cannot be
// made.
func (c *Choices) add(kind result.Choice, setting, name, reason string, change func(*Options)) {
	opt := c.settled()
	change(&opt)
	if opt.Checkpoint != "" {
		// The run's own tiles lie beside the folders of its choices.
		opt.Checkpoint = filepath.Join(opt.Checkpoint, strings.ReplaceAll(string(kind)+"-"+setting, ":", "-"))
	}
	c.list = append(c.list, choice{kind: kind, setting: setting, name: name, opt: opt, reason: reason})
}

func (c *Choices) masks() {
	own := c.plan.background.Mask().String()
	for _, mask := range []string{"marginal", "mean", "zero", fmt.Sprintf("nearest:%d", SensitivityNearest)} {
		kind, _, _ := strings.Cut(mask, ":")
		ownKind, argument, _ := strings.Cut(own, ":")
		_, err := strconv.Atoi(argument)
		if mask == own || kind == ownKind && err == nil { // nearest rows of another number
			continue
		}
		c.add(result.MaskChoice, mask, mask, "", func(o *Options) { o.Mask = []string{mask} })
	}
}

func (c *Choices) sizes() {
	drawn, available := c.plan.background.Drawn(), c.plan.available()
	half, twice := drawn/2, 2*drawn
	lack := ""
	if half < 1 {
		half, lack = 1, "one background row has no half"
	}
	c.size(half, lack)
	lack = ""
	if twice > available {
		lack = fmt.Sprintf("the background has %d rows", available)
	}
	c.size(twice, lack)
}

// available is the number of rows that a background may be drawn from.
func (p *Plan) available() int {
	if p.cohort.candidates != nil {
		return len(p.cohort.candidates)
	}
	return p.rows.Len()
}

func (c *Choices) size(rows int, reason string) {
	name := fmt.Sprintf("%d rows", rows)
	if rows == 1 {
		name = "1 row"
	}
	c.add(result.SizeChoice, strconv.Itoa(rows), name, c.noRows(reason), func(o *Options) { o.BackgroundSize = rows })
}

func (c *Choices) draws() {
	drawn, reason := c.plan.background.Drawn(), ""
	if drawn == c.plan.available() {
		reason = fmt.Sprintf("all %d rows of the background are drawn, whatever the seed", drawn)
	}
	for more := uint64(1); more <= 2; more++ {
		seed := c.plan.opt.Seed + more
		text := strconv.FormatUint(seed, 10)
		c.add(result.DrawChoice, text, "seed "+text, c.noRows(reason), func(o *Options) { o.Seed, o.BackgroundSize = seed, drawn })
	}
}

// noRows is the reason why nothing about background rows can be chosen under a mask of
// fixed values, or else the given one.
func (c *Choices) noRows(reason string) string {
	if b := c.plan.background; len(b.Blocks()) == 0 && !b.ErrorUnknown() {
		return fmt.Sprintf("the mask %s takes no background rows", b.Mask())
	}
	return reason
}

func (c *Choices) scales() {
	probability, logit, name := c.plan.output.scales(c.plan.task)
	if name == "" {
		c.add(result.ScaleChoice, engine.Logit.String(), "logit", "the output is no probability, by the task "+c.plan.task.String(), func(*Options) {})
		return
	}
	own := c.plan.opt.Transform
	for _, s := range []struct {
		transform engine.Transform
		name      string
	}{{probability, "probability"}, {logit, name}} {
		if s.transform != own {
			c.add(result.ScaleChoice, s.transform.String(), s.name, "", func(o *Options) { o.Transform = s.transform })
		}
	}
}

// scales returns the transforms that make probabilities and logits of an output, and
// what the logits are called. The name is empty where the output is neither.
//
// Logits of several classes are known up to a constant of each row, so they are
// centred. Of probabilities they come back by the logarithm, less its mean: then late
// fusion of logits is a sum of terms again, which log(p/(1-p)) of one class of three is
// not.
func (o outputs) scales(t Task) (probability, logit engine.Transform, name string) {
	switch {
	case t == Regression || t == Risk && !o.unit:
		return 0, 0, ""
	case t == Classes && o.probabilities:
		return engine.Identity, engine.CentredLog, "centred logit"
	case o.unit:
		return engine.Identity, engine.Logit, "logit"
	case t == Classes:
		return engine.Softmax, engine.Centred, "centred logit"
	}
	return engine.Sigmoid, engine.Identity, "logit"
}

// plan plans the run of a choice.
func (c *Choices) planOf(ctx context.Context, opt Options) (*Plan, error) {
	rows := c.plan.rows.File()
	if c.plan.rows == c.plan.samples {
		rows = nil
	}
	return NewPlan(ctx, c.plan.model, c.plan.samples.File(), rows, opt)
}

// count finds out whether a choice can be made, and what it costs the plain way: the
// model is not cut for that.
func (c *Choices) count(ctx context.Context, x *choice) error {
	opt := x.opt
	opt.Plan = FullPlan
	p, err := c.planOf(ctx, opt)
	if err != nil {
		return x.refuse(ctx, err)
	}
	x.rows = p.engine.NaiveRows()
	return p.Close()
}

// refuse keeps err as the reason why a choice cannot be made. The end of the context
// and a checkpoint that cannot be used are no such reason, and are returned.
func (x *choice) refuse(ctx context.Context, err error) error {
	var folder *checkpoint.Error
	if ctx.Err() != nil || errors.As(err, &folder) {
		return err
	}
	x.reason = err.Error()
	for _, prefix := range []string{"intershap: ", "background: ", "engine: "} {
		x.reason = strings.TrimPrefix(x.reason, prefix)
	}
	return nil
}

// Runs returns the number of choices that can be made, as far as is known before they
// are paid for.
func (c *Choices) Runs() int {
	n := 0
	for _, x := range c.list {
		if x.reason == "" {
			n++
		}
	}
	return n
}

// Rows returns the model rows of all choices together the plain way, beside those of
// the run.
func (c *Choices) Rows() int64 {
	var rows int64
	for _, x := range c.list {
		rows += x.rows
	}
	return rows
}

// Explain makes the choices one after the other and holds their headlines against
// those of run, the explanation of the plan. Progress, which may be nil, is told how
// many of Rows are done.
//
// A choice that fails, as one whose logits are infinite does, is listed with the
// reason: the run itself is not lost by it.
func (c *Choices) Explain(ctx context.Context, run *Explanation, progress func(done, total int64)) (*result.Sensitivity, error) {
	out := &result.Sensitivity{Rows: []result.SensitivityRow{}}
	var before int64
	total := c.Rows()
	for i := range c.list {
		x := &c.list[i]
		var targets []result.Target
		if x.reason == "" {
			if progress != nil {
				from, rows := before, x.rows
				x.opt.Progress = func(done, all int64) {
					progress(from+int64(float64(rows)*float64(done)/float64(max(1, all))), total)
				}
			}
			var err error
			if targets, err = c.explain(ctx, x); err != nil {
				return nil, err
			}
		}
		before += x.rows
		for t := range run.Targets {
			out.Rows = append(out.Rows, x.row(&run.Targets[t], targets))
		}
	}
	if progress != nil && total > 0 {
		progress(total, total)
	}
	out.Conclude(run.Targets)
	out.Verdict = sensitivityVerdict(run.Targets, out.Rows)
	return out, nil
}

// explain runs a choice. It returns nothing where the choice turns out not to be
// possible, and keeps the reason.
func (c *Choices) explain(ctx context.Context, x *choice) ([]result.Target, error) {
	p, err := c.planOf(ctx, x.opt)
	if err != nil {
		return nil, x.refuse(ctx, err)
	}
	ex, err := p.Explain(ctx)
	if err = errors.Join(err, p.Close()); err != nil {
		return nil, x.refuse(ctx, err)
	}
	return ex.Targets, nil
}

// row is what a choice says of one target of the run.
func (x *choice) row(run *result.Target, targets []result.Target) result.SensitivityRow {
	r := result.SensitivityRow{Choice: x.kind, Setting: x.setting, Name: x.name, Target: run.Target}
	reason := x.reason
	for i := range targets {
		if t := &targets[i]; t.Target == run.Target {
			r.InterSHAP, r.Low, r.High = t.HeadlineInterval()
			reason = ""
		}
	}
	if _, defined := r.InterSHAP.Value(); !defined {
		if reason == "" {
			reason = "the modalities change nothing in the output under it"
		}
		r.Low, r.High, r.Reason = r.InterSHAP, r.InterSHAP, &reason
	}
	r.Compare(run)
	return r
}
