package intershap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Plan is a run that has been checked and not yet paid for: the data fit the
// model, a few rows went through it, and it is known what will be explained.
// Close frees what it holds.
type Plan struct {
	opt        Options
	model      model.Model
	samples    *dataset.Samples
	rows       *dataset.Samples // background
	cohort     *cohort
	modalities []dataset.Modality
	mask       background.Mask
	background *background.Rows
	output     outputs
	task       Task
	classes    []string
	target     target
	// index and order are those of the interactions that were asked for; 0 for none.
	index index.Index
	order int
	// design is the coalitions of a run that estimates, nil where all are evaluated.
	design *approx.Design
	// collector is made by Prepare and used up by Explain.
	collector *collector
	// budget is the most coalitions of the run, which a round may have raised.
	budget   int
	engine   *engine.Plan
	stages   *model.Stages // nil under the plain way
	warnings diag.List
	// first holds the first samples, for a second look at the model.
	first dataset.Rows
}

// probeRows is the number of samples that the model is asked about first.
const probeRows = 32

// NewPlan checks everything that can be checked and asks the model about a few
// rows. Without background rows (nil) they are drawn from the samples.
func NewPlan(ctx context.Context, m model.Model, samples, rows dataset.File, opt Options) (*Plan, error) {
	opt = opt.withDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	p := &Plan{opt: opt, model: m, cohort: newCohort(opt)}
	if err := p.bind(ctx, samples, rows); err != nil {
		return nil, err
	}
	if err := p.chooseModalities(); err != nil {
		return nil, err
	}
	if err := p.chooseInteractions(); err != nil {
		return nil, err
	}
	if err := p.chooseCoalitions(); err != nil {
		return nil, err
	}
	var err error
	if p.mask, err = background.ParseMask(opt.Mask, p.modalities, p.samples.Inputs()); err != nil {
		return nil, err
	}
	if opt.Target == "label" && !p.samples.HasLabels() {
		return nil, p.noLabels()
	}
	// Everything below costs time, so that faults in the data are found first.
	if err := p.lacking(ctx); err != nil {
		return nil, err
	}
	if err := p.cohort.scan(ctx, p.samples); err != nil {
		return nil, err
	}
	if err := p.warnAboutPadding(ctx); err != nil {
		return nil, err
	}
	if err := p.samples.Check(ctx, nil); err != nil {
		return nil, err
	}
	if p.rows != p.samples {
		if err := p.rows.Check(ctx, nil); err != nil {
			return nil, err
		}
	}
	p.background, err = background.Draw(ctx, p.rows, p.modalities, p.mask, background.Options{
		Size: max(0, opt.BackgroundSize), Seed: opt.Seed, Candidates: p.cohort.candidates, Absent: p.cohort.absent,
	})
	if err != nil {
		return nil, err
	}
	if p.background.PerSample() && len(opt.Missing) > 0 {
		return nil, fmt.Errorf("intershap: missing: no background row is nearest to a sample that lacks modalities: want another mask than %s", p.mask)
	}
	if err := p.probe(ctx); err != nil {
		return nil, err
	}
	if err := p.checkLabels(ctx); err != nil {
		return nil, err
	}
	err = p.planRows(ctx, engine.Options{
		Model: m, Samples: p.samples, Modalities: p.modalities, Background: p.background, Coalitions: p.coalitions(),
		Output: p.output.name, Width: p.output.width, Transform: opt.Transform,
		Target: p.target.engine, Labels: labelColumn(p.classes), Classify: p.output.classifier(p.task),
		Workers: opt.Workers, Memory: opt.Memory, Progress: opt.Progress,
	})
	if err == nil && !opt.Shard.whole() {
		err = p.engine.Shard(opt.Shard.Index, opt.Shard.Of)
	}
	return p, p.tooMuch(err)
}

// bind matches samples and background with the model's inputs.
func (p *Plan) bind(ctx context.Context, samples, rows dataset.File) error {
	pad, err := dataset.ParsePad(p.opt.Pad)
	if err != nil {
		return err
	}
	var inputs []tensor.Spec
	if d, ok := p.model.(model.Described); ok {
		inputs = d.Signature().Inputs
	} else {
		// A column that says whose a sample is, or what it has, is none of the inputs
		// of a model that names none.
		inputs = slices.DeleteFunc(dataset.InferInputs(samples, pad...), func(in tensor.Spec) bool { return p.cohort.reads(in.Name) })
	}
	// Data and background are made equally long.
	if pad, err = dataset.PadTogether(ctx, pad, inputs, samples, rows); err != nil {
		return err
	}
	if p.samples, err = dataset.Bind(ctx, samples, inputs, dataset.BindOptions{Role: "data", Attributes: p.cohort.names, Pad: pad}); err != nil {
		return err
	}
	p.warnings.Append(p.samples.Warnings()...)
	if rows == nil {
		p.rows = p.samples
		p.warnings.Add("background-from-data", samples.Path(),
			"absent modalities are filled from the explained samples themselves; give background rows, such as the training data")
		return nil
	}
	// What the samples left open (the length of a series, say) is fixed now.
	if p.rows, err = dataset.Bind(ctx, rows, p.samples.Inputs(), dataset.BindOptions{
		Role: "background", Attributes: dataset.MissingColumns(p.opt.Missing), Known: p.cohort.columns(), Pad: pad, Data: p.samples,
	}); err != nil {
		return err
	}
	for _, w := range p.rows.Warnings() {
		if w.ID == "ignored-column" { // nobody asks a background row for its label
			p.warnings.Append(w)
		}
	}
	return nil
}

func (p *Plan) chooseModalities() error {
	var features [][]string
	for i := range p.samples.Inputs() {
		features = append(features, p.samples.Features(i))
	}
	whole, err := dataset.ParseModalities(p.opt.Modalities, p.opt.Fixed, p.samples.Inputs(), features, p.opt.unnamed())
	if err != nil {
		return err
	}
	p.modalities, err = dataset.ParseGroups(p.opt.Groups, whole, p.samples.Inputs(), features)
	p.warnAboutGroups()
	return err
}

// probe asks the model about the first samples and settles output, task,
// classes and target.
func (p *Plan) probe(ctx context.Context) error {
	if d, ok := p.model.(model.Described); ok {
		// A wrong name is known before the model is asked.
		if _, err := ChooseOutput(p.opt.Output, d.Signature().Outputs); err != nil {
			return err
		}
	}
	n := min(probeRows, p.samples.Len())
	var err error
	if p.first, err = p.samples.Read(ctx, 0, n); err != nil {
		return err
	}
	p.fillAbsent(&p.first)
	answers, err := engine.Probe(ctx, p.model, p.samples.Inputs(), p.first.Inputs)
	if err != nil {
		return err
	}
	var specs []tensor.Spec
	for _, o := range answers {
		specs = append(specs, tensor.Spec{Name: o.Name, DType: o.Tensor.DType(), Shape: o.Tensor.Shape()})
	}
	name, err := ChooseOutput(p.opt.Output, specs)
	if err != nil {
		return err
	}
	out, err := engine.Output(answers, name, n)
	if err != nil {
		return err
	}
	if row, _, found := out.NonFinite(); found {
		return fmt.Errorf("intershap: sample %d (id %s): output %q is NaN or infinite, want finite numbers%s", row, p.first.IDs.Format(row), name, p.absentNaN())
	}
	p.output = describeOutputs(name, out)
	if p.task = p.opt.Task; p.task == Guess {
		if p.task, err = p.output.guess(p.opt.Transform); err != nil {
			return err
		}
	}
	if err := p.output.check(p.task, p.opt.Transform); err != nil {
		return err
	}
	given := p.opt.Classes
	if m, ok := p.model.(interface{ Classes(output string) []string }); ok && len(given) == 0 && p.task == Classes {
		given = m.Classes(name) // as the model file states them
	}
	if p.classes, err = classNames(p.task, given, p.output.width); err != nil {
		return err
	}
	p.target, err = parseTarget(p.opt.Target, p.task, p.classes, p.output.width)
	p.warnAboutOutput()
	return err
}

// noLabels says why there are none: a column label may hold no classes.
func (p *Plan) noLabels() error {
	for _, w := range p.samples.Warnings() {
		if w.ID == "ignored-label" {
			return fmt.Errorf("intershap: target label: %s: %s", p.samples.File().Path(), w.Text)
		}
	}
	return fmt.Errorf("intershap: target label: %s has no column label", p.samples.File().Path())
}

// checkLabels finds a label that is no class before the run is paid for.
func (p *Plan) checkLabels(ctx context.Context) error {
	if p.target.engine.Choice != engine.Label {
		return nil
	}
	const chunk = 4096
	column := labelColumn(p.classes)
	for lo := 0; lo < p.samples.Len(); lo += chunk {
		labels, err := p.samples.ReadLabels(ctx, lo, min(lo+chunk, p.samples.Len()))
		if err != nil {
			return err
		}
		for i := range labels.Rows() {
			if _, err := column(labels, i); err != nil {
				return fmt.Errorf("intershap: %s: %w", p.samples.Place(lo+i), err)
			}
		}
	}
	return nil
}

func (p *Plan) warnAboutOutput() {
	switch t := p.opt.Transform; {
	case p.task == Classes && t == engine.Identity && !p.output.probabilities:
		p.warnings.Add("outputs-not-probabilities", p.output.name,
			"output %q does not hold probabilities, so shares are of its own scale; the paper's score is of probabilities (another output, or the transform softmax)", p.output.name)
	case (t == engine.Softmax || t == engine.Sigmoid) && p.output.unit && (p.output.probabilities || p.output.width == 1):
		p.warnings.Add("transform-of-probabilities", p.output.name,
			"the transform %s is applied to output %q, which looks like probabilities already; use identity or logit", t, p.output.name)
	}
}

// ChooseOutput returns the name of the output that a run explains: the one asked
// for; without a name the only one, the one called probabilities, or the only
// one of floating-point numbers. A backend can be told not to compute the others.
func ChooseOutput(name string, outputs []tensor.Spec) (string, error) {
	var names, floats []string
	for _, o := range outputs {
		names = append(names, o.Name)
		if o.DType.IsFloat() {
			floats = append(floats, o.Name)
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case name != "" && slices.Contains(names, name):
		return name, nil
	case name != "":
		return "", fmt.Errorf("intershap: the model has no output %q (have %s)", name, list)
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, "probabilities"):
		return "probabilities", nil
	case len(floats) == 1:
		return floats[0], nil
	}
	return "", fmt.Errorf("intershap: the model has the outputs %s: say which one is explained", list)
}

// names returns the names of the modalities.
func (p *Plan) names() []string {
	var out []string
	for _, m := range p.modalities {
		out = append(out, m.Name)
	}
	return out
}

// Modalities returns the players, in the order of their bits.
func (p *Plan) Modalities() []dataset.Modality { return p.modalities }

// Inputs returns the model's inputs, with lengths that the data settled.
func (p *Plan) Inputs() []tensor.Spec { return p.samples.Inputs() }

// Samples returns the number of samples.
func (p *Plan) Samples() int { return p.samples.Len() }

// Background returns the rows that fill absent modalities.
func (p *Plan) Background() *background.Rows { return p.background }

// Output returns the name of the explained output.
func (p *Plan) Output() string { return p.output.name }

// Task returns the task, guessed or given.
func (p *Plan) Task() Task { return p.task }

// Classes returns the names of the classes, nil without classes.
func (p *Plan) Classes() []string { return p.classes }

// Targets returns the names of what is explained.
func (p *Plan) Targets() []string { return p.target.names }

// Engine returns the rows, tiles and memory of the run.
func (p *Plan) Engine() *engine.Plan { return p.engine }

// Warnings returns the doubts that are known before the run.
func (p *Plan) Warnings() []diag.Warning { return p.warnings.All() }
