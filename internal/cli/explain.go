package cli

import (
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/intershap/intershap"
)

type explainOptions struct {
	question
	narration
	destination
	gates
	samples               string
	sensitivity           bool
	cpuProfile, traceFile string
	fromEnvironment       []string
}

func newExplain(s *streams) *cobra.Command {
	var opt explainOptions
	cmd := &cobra.Command{
		Use:   "explain MODEL DATA [flags]",
		Short: "Score a model on data",
		Long: `Score a model on data: how much of its behaviour is interaction between
modalities, and how much each modality does alone.

MODEL is an ONNX file, an encoders.yaml that names several, exec:COMMAND, or the
URL of a server. DATA is an .npz, .parquet or .csv file, or a folder of .parquet
files; an array or column named like an input of the model is that input,
columns input.feature belong to input. Labels are not needed.`,
		Example: `  intershap explain model.onnx test.npz --background train.npz
  intershap explain model.onnx test.csv --modality rna=x[0:200] \
      --modality adt=x[200:] -o run.json --samples run.npz
  intershap explain model.onnx test.npz --background train.npz \
      --at-least 5% --sensitivity`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, 2 wrong usage, 3 --fail-above or --fail-below not met,\n  4 done with warnings under --strict, 129 to 131 and 143 interrupted",
		},
		Args:              wantArgs("MODEL", "DATA"),
		ValidArgsFunction: completeQuestion,
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			opt.model, opt.data = args[0], args[1]
			if err := refuseEmpty(cmd.Flags(), "background", "out", "samples", "checkpoint"); err != nil {
				return err
			}
			if err := refuseEmptyCohort(cmd); err != nil {
				return err
			}
			opt.fromEnvironment, err = readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runExplain(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false // in the order of a run: what, how, where to
	addQuestion(flags, &opt.question)
	addGroups(flags, &opt.question)
	addCohort(flags, &opt.question)
	addBudget(flags, &opt.question)
	addUntil(flags, &opt.question)
	addInteractions(cmd, &opt.options)
	define(flags, &opt.options.Level, "level", "0.95", "L", "confidence level of intervals", readLevel)
	addAtLeast(flags, &opt.gates)
	flags.BoolVar(&opt.sensitivity, "sensitivity", false, "explain again under other masks, background sizes and draws, and output scale: does the verdict depend on them? About eight more runs")
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the result as JSON, beside the table; -: standard output")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.StringVar(&opt.samples, "samples", "", "`FILE` for the values of every sample: .npz, .parquet, .csv or .jsonl")
	flags.StringVar(&opt.options.Checkpoint, "checkpoint", "", "`DIR` that keeps what is computed: the same command goes on after a stop")
	addShard(flags, &opt.question)
	flags.BoolVar(&opt.force, "force", false, "overwrite files that exist")
	addGates(flags, &opt.gates)
	addNarration(flags, &opt.narration)
	addProgress(flags, &opt.narration)
	flags.StringVar(&opt.cpuProfile, "cpuprofile", "", "`FILE` for a CPU profile")
	flags.StringVar(&opt.traceFile, "trace", "", "`FILE` for an execution trace")
	for _, name := range []string{"cpuprofile", "trace"} {
		flags.Lookup(name).Hidden = true
	}
	addCompletions(cmd)
	return cmd
}

// refuseEmpty refuses flags that are given without a name, as a script does whose
// variable is not set: the run would be paid for and keep nothing.
func refuseEmpty(flags *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if f := flags.Lookup(name); f.Changed && f.Value.String() == "" {
			return usagef("--%s is empty, want a name", name)
		}
	}
	return nil
}

// check refuses what is wrong with the command line alone.
func (o *explainOptions) check() error {
	if err := o.question.check(); err != nil {
		return err
	}
	if err := checkInteractions(&o.options); err != nil {
		return err
	}
	if err := o.gates.check(); err != nil {
		return err
	}
	if err := checkOut(o.out, "values of every sample go to --samples"); err != nil {
		return err
	}
	if err := checkSamples(o.samples); err != nil {
		return err
	}
	for _, f := range []struct{ flag, path string }{
		{"out", o.out}, {"samples", o.samples}, {"cpuprofile", o.cpuProfile}, {"trace", o.traceFile},
	} {
		if err := checkWritable(f.flag, f.path, o.force, o.inputs()...); err != nil {
			return err
		}
		if err := checkOutside(f.flag, f.path, o.options.Checkpoint); err != nil {
			return err
		}
	}
	if o.options.Until > 0 {
		return checkRounds(o.options.Checkpoint)
	}
	return checkCheckpoint(o.options.Checkpoint)
}

func runExplain(ctx context.Context, s *streams, opt *explainOptions) (err error) {
	if err := opt.check(); err != nil {
		return err
	}
	if err := opt.checkShard(s.outTerminal); err != nil {
		return err
	}
	stop, err := profile(opt.cpuProfile, opt.traceFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if opt.sharded() {
		return explainShard(ctx, s, opt)
	}
	ex, how, err := opt.explain(ctx, s)
	if err != nil {
		return err
	}
	if err := publish(s, opt.destination, opt.narration, ex, how); err != nil {
		return err
	}
	return opt.judge(ex)
}

// explain computes the explanation, and says how it came about.
func (o *explainOptions) explain(ctx context.Context, s *streams) (ex *intershap.Explanation, how circumstances, err error) {
	how, err = o.evaluate(ctx, s, func(ctx context.Context, e *evaluation) (err error) {
		if ex, err = e.files.explain(ctx, e.options, e.tell, e.bar); err != nil {
			return err
		}
		if o.sensitivity {
			return e.files.choose(ctx, ex, e.tell, e.bar)
		}
		return nil
	})
	if err != nil {
		return nil, how, err
	}
	answer(&ex.Explanation, o.atLeast)
	if o.samples != "" {
		ex.SamplesFile = &o.samples
	}
	o.sign(ex, commandLine(o.fromEnvironment, s.typed))
	return ex, how, nil
}

// An evaluation is a run whose model and data are open.
type evaluation struct {
	files   *opened
	options intershap.Options
	tell    teller
	bar     *progress
}

// evaluate opens what a run needs, has do run it, and closes it again. A samples file
// is there at the end, or not at all.
func (o *explainOptions) evaluate(ctx context.Context, s *streams, do func(context.Context, *evaluation) error) (how circumstances, err error) {
	tell := newTeller(s, o.narration)
	o.hushed = o.quiet
	m, err := o.openModel(ctx, s, o.chooseOutput)
	if err != nil {
		return how, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	tell.step("model %s: %s", shownModel(o.model), m.Runtime())
	files, err := o.openData(ctx, m)
	if err != nil {
		return how, err
	}
	defer func() { err = errors.Join(err, files.close()) }()

	opt := o.options
	opt.Sink = intershap.Discard
	if opt.Workers == 0 {
		opt.Workers = workersOf(m)
	}
	defer leaveRoom(opt.Workers)()
	how.guessed = opt.Task == intershap.Guess
	bar := newProgress(s, o.narration)
	opt.Progress = bar.tell
	opt.Resumed = func(found, tiles int) {
		how.resumed = true
		tell.resumed(found, tiles, opt.Checkpoint)
	}
	var samples *samplesFile
	if o.samples != "" {
		samples = &samplesFile{path: o.samples}
		opt.Sink = samples
		defer func() { err = errors.Join(err, samples.discard()) }()
	}
	if err := do(ctx, &evaluation{files, opt, tell, bar}); err != nil {
		return how, kept(ctx, err, opt.Checkpoint)
	}
	if samples != nil {
		return how, samples.finish()
	}
	return how, nil
}

// leaveRoom lets two more goroutines run while workers sit in native code: the
// scheduler takes a worker's place away only after a while, in which the reader
// and the scores would wait, and then the workers for them. It returns the
// function that takes it back.
func leaveRoom(workers int) (restore func()) {
	before := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(before, workers+2))
	return func() { runtime.GOMAXPROCS(before) }
}

// publish writes the result where it was asked for.
func publish(s *streams, d destination, n narration, ex *intershap.Explanation, how circumstances) error {
	printed, err := d.deliver(s, ex.Write)
	if err != nil {
		return err
	}
	if printed {
		return n.warn(s, ex.Warnings)
	}
	p := newPage(s, n.color)
	writeTable(p, &ex.Explanation, how)
	return p.flush()
}
