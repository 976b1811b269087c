package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/tensor"
)

// inspectionSchema names the version of the document of `inspect --json`.
const inspectionSchema = "intershap/inspection/v1"

// An inspection is what inspect found; docs/cli.md specifies it.
type inspection struct {
	Schema     string            `json:"schema"`
	Model      modelReport       `json:"model"`
	Modalities []modalityReport  `json:"modalities"`
	Data       *fileReport       `json:"data"`
	Background *backgroundReport `json:"background"`
	// Cohort is nil where no flag says what the samples are.
	Cohort   *cohortReport   `json:"cohort"`
	Question *questionReport `json:"question"`
	Cost     *costReport     `json:"cost"`
	Warnings []diag.Warning  `json:"warnings"`
	// graph is how the parts of Cost hang together, nil without data.
	graph *partGraph
}

type modelReport struct {
	Source  string `json:"source"`
	SHA256  string `json:"sha256"`
	Runtime string `json:"runtime"`
	// BatchSize is the number of rows that the file fixes, 0 for any.
	BatchSize int          `json:"batch_size"`
	Inputs    []specReport `json:"inputs"`
	Outputs   []specReport `json:"outputs"`
	// Unsupported are outputs that cannot be explained, with reasons.
	Unsupported []string `json:"unsupported"`
}

type specReport struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	// Shape has -1 for any length.
	Shape []int `json:"shape"`
}

type modalityReport struct {
	Name     string   `json:"name"`
	Elements int      `json:"elements"`
	Inputs   []string `json:"inputs"`
	// GroupOf is the modality that this is a group of, null for a modality that is a
	// player whole.
	GroupOf *string `json:"group_of"`
}

type fileReport struct {
	Source  string `json:"source"`
	Samples int    `json:"samples"`
}

type backgroundReport struct {
	Source string `json:"source"`
	Rows   int    `json:"rows"`
	Mask   string `json:"mask"`
}

type questionReport struct {
	Output      string   `json:"output"`
	Task        string   `json:"task"`
	TaskGuessed bool     `json:"task_guessed"`
	Transform   string   `json:"transform"`
	Classes     []string `json:"classes"`
	Targets     []string `json:"targets"`
	Convention  string   `json:"convention"`
}

type inspectOptions struct {
	question
	narration
	json, dot bool
	// aboutData is the first flag on the command line that asks about data.
	aboutData string
}

// dataFlags are the flags that mean nothing without DATA.
var dataFlags = []string{
	"background", "background-size", "mask", "output", "task", "transform", "target", "classes", "convention",
	"plan", "seed", "workers", "memory", "budget", "estimator", "index", "order",
}

func newInspect(s *streams) *cobra.Command {
	var opt inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect MODEL [DATA] [flags]",
		Short: "Say what a run would do, and what it would cost",
		Long: `Say what a run would do, and what it would cost: inputs and outputs of the
model, modalities, task and target, samples by group and by the modalities that
they lack, the parts that the model is cut into, their
rows, memory, and the seconds that they take, measured on a small probe of about
a second.

Without DATA only what the model's file says. --dot prints a picture of the
parts for Graphviz. The other flags are those of explain.`,
		Example: `  intershap inspect model.onnx
  intershap inspect model.onnx test.npz --background train.npz
  intershap inspect model.onnx test.npz --dot | dot -Tsvg > parts.svg`,
		Annotations:       map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage"},
		Args:              wantArgs("MODEL", "[DATA]"),
		ValidArgsFunction: completeQuestion,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.model = args[0]
			if len(args) > 1 {
				opt.data = args[1]
			}
			// A variable is for all commands; a flag is for this one.
			if err := refuseEmptyCohort(cmd); err != nil {
				return err
			}
			for _, name := range slices.Concat(dataFlags, cohortFlags) {
				if opt.aboutData == "" && cmd.Flags().Changed(name) {
					opt.aboutData = name
				}
			}
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runInspect(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addQuestion(flags, &opt.question)
	addGroups(flags, &opt.question)
	addCohort(flags, &opt.question)
	addBudget(flags, &opt.question)
	addInteractions(cmd, &opt.options)
	flags.BoolVar(&opt.json, "json", false, "print JSON")
	flags.BoolVar(&opt.dot, "dot", false, "print a picture of the model's parts in Graphviz's language; measures nothing")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

func runInspect(ctx context.Context, s *streams, opt *inspectOptions) (err error) {
	if err := opt.check(); err != nil {
		return err
	}
	m, outputs, err := opt.open(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	report := &inspection{Schema: inspectionSchema, Model: reportModel(shownModel(opt.model), m, outputs), Modalities: []modalityReport{}, Warnings: []diag.Warning{}}
	if opt.data == "" {
		report.proposeModalities(opt, signatureOf(m).Inputs)
	} else if err := report.ask(ctx, opt, m); err != nil {
		if !opt.json && !opt.dot {
			// What the model takes helps to put things right.
			p := newPage(s, opt.color)
			writeModel(p, report)
			err = errors.Join(err, p.flush())
		}
		return err
	}
	switch {
	case opt.json:
		return errors.Join(writeJSON(s, report), opt.warn(s, report.Warnings))
	case opt.dot:
		return errors.Join(writeDot(s.out, report), opt.warn(s, report.Warnings))
	}
	p := newPage(s, opt.color)
	writeInspection(p, report)
	return p.flush()
}

// check refuses flags that do not go together.
func (o *inspectOptions) check() error {
	if err := o.question.check(); err != nil {
		return err
	}
	if err := checkInteractions(&o.options); err != nil {
		return err
	}
	asking := o.aboutData
	if o.dot {
		// The parts follow from the modalities and the shapes of the data.
		asking = "dot"
	}
	switch {
	case o.data == "" && asking != "":
		fault := usagef("--%s needs DATA", asking)
		fault.hint = "name the data behind the model"
		return fault
	case o.dot && o.json:
		fault := usagef("--dot and --json are two answers, want one")
		fault.hint = "run the command twice; --json has all that the picture shows"
		return fault
	}
	return nil
}

// open opens the model as a run would, so that what is measured is what a run
// takes, and returns all outputs that the file has.
func (o *inspectOptions) open(ctx context.Context, s *streams) (m modelFile, outputs []tensor.Spec, err error) {
	o.hushed = o.quiet
	m, err = o.openModel(ctx, s, func(have []tensor.Spec) []string {
		outputs = have
		if o.data == "" {
			return nil
		}
		return o.chooseOutput(have)
	})
	return m, outputs, err
}

func reportModel(source string, m modelFile, outputs []tensor.Spec) modelReport {
	sig := signatureOf(m)
	out := modelReport{
		Source: source, SHA256: m.Digest(), Runtime: m.Runtime(), BatchSize: sig.BatchSize,
		Inputs: reportSpecs(sig.Inputs), Outputs: reportSpecs(outputs), Unsupported: m.Unsupported(),
	}
	if out.Unsupported == nil {
		out.Unsupported = []string{}
	}
	return out
}

func reportSpecs(specs []tensor.Spec) []specReport {
	out := []specReport{}
	for _, s := range specs {
		out = append(out, specReport{Name: s.Name, DType: s.DType.String(), Shape: s.Shape})
	}
	return out
}

func reportModalities(modalities []dataset.Modality, inputs []tensor.Spec) []modalityReport {
	out := []modalityReport{}
	for _, m := range modalities {
		r := modalityReport{Name: m.Name, Inputs: []string{}}
		if m.Of != "" {
			r.GroupOf = &m.Of
		}
		for _, part := range m.Parts {
			r.Elements += part.Hi - part.Lo
			if name := inputs[part.Input].Name; len(r.Inputs) == 0 || r.Inputs[len(r.Inputs)-1] != name {
				r.Inputs = append(r.Inputs, name)
			}
		}
		out = append(out, r)
	}
	return out
}

// proposeModalities groups the model's inputs without data. What cannot be
// grouped is a doubt: the file may be sound and still need a --modality.
func (r *inspection) proposeModalities(opt *inspectOptions, inputs []tensor.Spec) {
	if len(inputs) == 0 {
		return // a server that tells nothing, which is said where inputs would stand
	}
	modalities, err := dataset.ParseModalities(opt.options.Modalities, opt.options.Fixed, inputs, nil, dataset.MaxUnnamed)
	if err == nil {
		modalities, err = dataset.ParseGroups(opt.options.Groups, modalities, inputs, nil)
	}
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "dataset: ")
		if hint := hintOf(err); hint != "" {
			text += "; " + hint
		}
		r.Warnings = append(r.Warnings, diag.Warning{ID: "no-modalities", Subject: shownModel(opt.model), Text: text})
		return
	}
	r.Modalities = reportModalities(modalities, inputs)
}

// ask plans the run and, unless a picture is all that is wanted, measures how
// fast the model and its parts are.
func (r *inspection) ask(ctx context.Context, opt *inspectOptions, m modelFile) (err error) {
	m, cut := keepCut(m)
	files, err := opt.openData(ctx, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	plan, err := files.newPlan(ctx, opt.options)
	if err != nil {
		return err
	}
	r.Modalities = reportModalities(plan.Modalities(), plan.Inputs())
	r.Data = &fileReport{Source: opt.data, Samples: plan.Samples()}
	r.Background = &backgroundReport{Source: opt.background, Rows: plan.Background().Drawn(), Mask: plan.Background().Mask().String()}
	if opt.background == "" {
		r.Background.Source = opt.data
	}
	r.Question = &questionReport{
		Output: plan.Output(), Task: plan.Task().String(), TaskGuessed: opt.options.Task == intershap.Guess,
		Transform: opt.options.Transform.String(), Classes: plan.Classes(), Targets: plan.Targets(),
		Convention: opt.options.Convention.String(),
	}
	r.Warnings = append(r.Warnings, plan.Warnings()...)
	if err := plan.Affordable(); err != nil {
		r.Warnings = append(r.Warnings, diag.Warning{ID: "needs-budget", Text: strings.TrimPrefix(err.Error(), "intershap: ")})
	}
	r.graph = newPartGraph(plan, cut, outputOf(m, plan.Output()))
	r.Cost = reportCost(plan, opt.options.Plan, cut, r.graph.parts)
	if opt.dot {
		return nil
	}
	if asksCohort(&opt.options) {
		if r.Cohort, err = reportCohort(ctx, plan, &opt.options); err != nil {
			return err
		}
	}
	return r.Cost.measure(ctx, plan.Engine())
}
