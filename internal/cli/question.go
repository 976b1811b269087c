package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/encoders"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/serving"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// A question is what a command is asked: a model, data, and what about them.
// explain answers it, inspect says what the answer would cost.
type question struct {
	model, data string
	background  string
	library     string
	fixed       []string
	by, encode  []string
	// hasCohort is set for commands that have the flags of addCohort.
	hasCohort bool
	device    string
	timeout   time.Duration
	options   intershap.Options
	// hushed keeps what a model prints for errors: --quiet.
	hushed bool
}

// The words that flags take, and completions propose.
var (
	taskNames       = names(intershap.Classes, intershap.Binary, intershap.Multilabel, intershap.Regression, intershap.Risk)
	transformNames  = names(engine.Identity, engine.Softmax, engine.Sigmoid, engine.Log, engine.Logit, engine.Centred, engine.CentredLog)
	conventionNames = names(score.Paper, score.SinglePair)
	planNames       = names(intershap.AutoPlan, intershap.StagedPlan, intershap.FullPlan)
)

// addQuestion adds the flags of a question.
func addQuestion(flags *pflag.FlagSet, q *question) {
	o := &q.options
	flags.StringArrayVar(&o.Modalities, "modality", nil,
		"`NAME=SPEC` of a modality: inputs (text=input_ids,attention_mask), a slice on axis 1 (rna=x[0:200]), or a pattern (clinical=age,stage.*); may be repeated; other inputs are one each")
	flags.StringArrayVar(&q.fixed, "fixed", nil, "`INPUT` that is no modality: always the sample's own; may be repeated, or a list")
	flags.StringVar(&q.background, "background", "", "`FILE` of rows that fill absent modalities (default: DATA, with a warning)")
	define(flags, &o.BackgroundSize, "background-size", "1000", "B", "rows drawn from the background; 0: all", readBackgroundSize)
	flags.StringArrayVar(&o.Mask, "mask", nil,
		"`RULE` for absent modalities: marginal (the default), mean, zero, value:V, nearest:K, absent (as the data have it where samples lack it, see --missing); MODALITY=RULE or MODALITY.INPUT=RULE for one; may be repeated")
	flags.StringVar(&o.Output, "output", "", "`NAME` of the model's output (default: the only one, else probabilities, else the only floating-point one)")
	define(flags, &o.Task, "task", "", "T", "classes, binary, multilabel, regression or risk (default: guessed from the output, but for risk)",
		readNamed(intershap.ParseTask, taskNames...))
	define(flags, &o.Transform, "transform", engine.Identity.String(), "T",
		"of each output before any mean: identity, softmax, sigmoid, log, logit, centred, centred-log",
		readNamed(engine.ParseTransform, transformNames...))
	define(flags, &o.Target, "target", "", "T", "explained: predicted, label, all or class:NAME, of a risk horizon:K,K by position from 0 (default: predicted for classes)", readTarget)
	define(flags, &o.Classes, "classes", "", "a,b,...", "the names of the classes (default: as the file states them, else 0, 1, ...)", readClasses)
	define(flags, &o.Convention, "convention", score.Paper.String(), "C", "paper, or single-pair: each pair's half once",
		readNamed(score.ParseConvention, conventionNames...))
	define(flags, &o.Plan, "plan", intershap.AutoPlan.String(), "P",
		"staged: each part of the model on the rows that differ for it, full: every row through the whole model, or auto: staged where it is proven safe and saves work",
		readNamed(intershap.ParsePlanKind, planNames...))
	flags.StringVar(&q.library, libraryFlag, "", "`PATH` of ONNX Runtime's library (default: found, see intershap help environment)")
	define(flags, &q.device, "device", onnx.CPU, "DEVICE", "that computes: cpu, cuda or cuda:N", onnx.ParseDevice)
	addTimeout(flags, &q.timeout)
	define(flags, &o.Seed, "seed", "1", "N", "of every draw", readSeed)
	define(flags, &o.Workers, "workers", "", "N", "concurrent model calls (default: one a processor)", readCount(1))
	define(flags, &o.Memory, "memory", "2GiB", "SIZE", "limit of the rows in flight", parseSize)
}

// readBackgroundSize reads a number of rows, 0 for all.
func readBackgroundSize(text string) (int, error) {
	n, err := readCount(0)(text)
	if err == nil && n == 0 {
		n = intershap.AllRows
	}
	return n, err
}

// check refuses what is not built, and completes the options.
func (q *question) check() error {
	if err := checkModelKind(q.model); err != nil {
		return err
	}
	if command, found := namesCommand(q.model); found {
		if err := q.checkCommand(command); err != nil {
			return err
		}
	}
	if serving.IsURL(q.model) {
		if err := q.checkServer(); err != nil {
			return err
		}
	}
	if err := checkModalities(q.options.Modalities); err != nil {
		return err
	}
	if err := checkGroups(q.options.Groups); err != nil {
		return err
	}
	if err := checkMasks(q.options.Mask); err != nil {
		return err
	}
	if err := q.checkBudget(); err != nil {
		return err
	}
	if err := q.checkCohort(); err != nil {
		return err
	}
	for _, list := range q.fixed {
		for _, input := range strings.Split(list, ",") {
			input = strings.TrimSpace(input)
			if input == "" {
				fault := usagef("--fixed: want names of inputs, got %q with an empty one", list)
				fault.hint = "write --fixed lengths,positions"
				return fault
			}
			q.options.Fixed = append(q.options.Fixed, input)
		}
	}
	return nil
}

// inputs are the files that the answer is made from.
func (q *question) inputs() []string {
	files := []string{q.model, q.data}
	if q.background != "" {
		files = append(files, q.background)
	}
	return files
}

// sign writes into an explanation what the library does not know: the command
// line, and the name of the model as it was typed.
func (q *question) sign(ex *intershap.Explanation, command string) {
	ex.Provenance.Command = command
	q.signSource(&ex.Provenance)
}

// signSource writes the name of a model that has none of its own.
func (q *question) signSource(from *result.Provenance) {
	if from.Model.Source == "" {
		from.Model.Source = shownModel(q.model)
	}
}

// checkModelKind refuses models of kinds that nobody opens, by name.
func checkModelKind(name string) error {
	lower := strings.ToLower(name)
	if _, found := namesCommand(name); found || serving.IsURL(name) || strings.HasSuffix(lower, ".onnx") || namesEncoders(lower) {
		return nil
	}
	fault := usagef("MODEL %s: want the name of an ONNX file, which ends in .onnx, or of an encoders.yaml, exec:COMMAND, or the URL of a server", name)
	fault.hint = "export the model to ONNX, or serve it from Python: see intershap help formats, intershap help python"
	return fault
}

// namesEncoders reports whether name is that of an encoders.yaml.
func namesEncoders(name string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(name)))
}

// A modelFile is a model that was opened by its name. It is a [model.Described],
// but where a server tells nothing of it.
type modelFile interface {
	model.Model
	// Unsupported lists outputs that cannot be read, with reasons.
	Unsupported() []string
	Digest() string
	Runtime() string
	Close() error
}

// openModelFile opens the model at path by the kind of file that its name says.
func openModelFile(path string, opt onnx.Options) (modelFile, error) {
	if namesEncoders(path) {
		m, err := encoders.Open(path, opt)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	m, err := onnx.Open(path, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// opened is a question with its files open.
type opened struct {
	model            modelFile
	data, background dataset.File
	plan             *intershap.Plan
}

// openModel opens the model, with the outputs that the function names; nil for
// all.
func (q *question) openModel(ctx context.Context, s *streams, outputs func([]tensor.Spec) []string) (modelFile, error) {
	if command, found := namesCommand(q.model); found {
		return q.openCommand(ctx, s, command, outputs)
	}
	if serving.IsURL(q.model) {
		return q.openServer(ctx, s, outputs)
	}
	return openModelFile(q.model, onnx.Options{Library: q.library, Device: q.device, Outputs: outputs})
}

// chooseOutput names the output that is explained: every other would be
// computed for nothing. A name that does not fit is left to the plan, which says
// so.
func (q *question) chooseOutput(have []tensor.Spec) []string {
	name, err := intershap.ChooseOutput(q.options.Output, have)
	if err != nil {
		return nil
	}
	return []string{name}
}

// openData opens what the model is asked about. The caller closes the answer.
func (q *question) openData(ctx context.Context, m modelFile) (*opened, error) {
	o := &opened{model: m}
	var err error
	if o.data, err = dataset.Open(ctx, q.data); err != nil {
		return nil, err
	}
	nameColumns(m, o.data)
	if q.background != "" {
		if o.background, err = dataset.Open(ctx, q.background); err != nil {
			return nil, errors.Join(err, o.data.Close())
		}
	}
	return o, nil
}

func (o *opened) close() error {
	err := o.data.Close()
	if o.plan != nil {
		err = errors.Join(err, o.plan.Close())
	}
	if o.background != nil {
		err = errors.Join(err, o.background.Close())
	}
	return err
}

// newPlan plans the answer. The plan is closed with the files, or by the next one.
func (o *opened) newPlan(ctx context.Context, opt intershap.Options) (plan *intershap.Plan, err error) {
	if o.plan != nil {
		err = o.plan.Close()
		if o.plan = nil; err != nil {
			return nil, err
		}
	}
	if plan, err = intershap.NewPlan(ctx, o.model, o.data, o.background, opt); err == nil {
		o.plan = plan
	}
	return plan, err
}
