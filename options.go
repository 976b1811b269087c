package intershap

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// DefaultBackgroundSize is the number of background rows that the paper draws.
const DefaultBackgroundSize = 1000

// AllRows as a background size takes every row.
const AllRows = -1

// Options say what is explained and how. The zero value is the paper's score of
// the predicted class's probability, over all that the defaults below say.
type Options struct {
	// Modalities group inputs: "text=input_ids,attention_mask", "rna=x[0:200]",
	// "clinical=age,sex,stage.*". Inputs that are not named are one modality
	// each. See dataset.ParseModalities.
	Modalities []string
	// Groups divide modalities into groups, which are then the players:
	// "vitals=heart:0-3,breath:4-7", "labs=each", "image=grid:4x4". See
	// dataset.ParseGroups.
	Groups []string
	// Fixed inputs are no modality: they are always the sample's own.
	Fixed []string
	// Pad fills lists of different lengths behind their end: "input_ids=0". Data and
	// background get the same length. See dataset.ParsePad.
	Pad []string
	// Missing are modalities that samples may lack: "rna", told by the column
	// rna_available or by values that are all missing, or "rna=COLUMN". A sample that
	// lacks a modality has it for no player. See dataset.ParseMissing.
	Missing []string
	// Cluster is the column whose equal values are samples that are drawn together,
	// such as the visits of a patient; by default those with the same id are.
	Cluster string
	// Weight is the column of what each sample counts for in every mean: numbers of
	// at least 0, such as one over the chance of being sampled. By default each
	// counts for one.
	Weight string
	// By are columns, or several crossed, whose values break samples down:
	// {{"sex"}, {"site", "sex"}}.
	By [][]string
	// Shard is the part of the run that [Plan.Partial] makes; the zero Shard is all
	// of it.
	Shard Shard
	// Mask holds the rules that replace absent modalities: "marginal" (the
	// default), "mean", "zero", "value:V", "nearest:K", for all, or after
	// "MODALITY=" or "MODALITY.INPUT=" for one. See background.ParseMask.
	Mask []string
	// BackgroundSize rows are drawn; 0 means DefaultBackgroundSize.
	BackgroundSize int
	// Output names the model's output; by default the only one, else
	// "probabilities".
	Output string
	// Task says what the output is; by default it is guessed.
	Task Task
	// Transform is applied to each row of the output before any mean.
	Transform engine.Transform
	// Target is "predicted", "label", "all" or "class:NAME"; by default the
	// predicted class where there are classes, else every column.
	Target string
	// Classes names the classes; by default they are "0", "1", ...
	Classes []string
	// Convention says which cells of phi are counted; by default the paper's.
	Convention score.Convention
	// Budget is the most coalitions that are evaluated: more modalities than a run
	// can play out are estimated from some of their 2^M coalitions, with intervals
	// that hold the error. 0 means all, and an error where that is too many. A
	// budget that pays for all gives the exact numbers.
	Budget int
	// Estimator is that of a run with a budget; by default DefaultEstimator.
	Estimator approx.Method
	// Index is that of the interactions of 1 to Order modalities which a result has
	// beside the score; by default k-SII where there is an Order, and none where there
	// is none. Order is by default two, or one for indices of single modalities.
	Index index.Index
	Order int
	// Until goes on, in rounds, until the headline's interval reaches no further than
	// this from the score, such as 0.005, or the budget and the background rows are
	// spent. 0 makes one run. Sink.Begin is called for each round anew.
	Until float64
	// budgetLimit is the budget that a round may grow to where the estimator needs
	// more than the round has.
	budgetLimit int
	// checkpoints is the folder of the checkpoints of all rounds, "" for one run.
	checkpoints string
	// Plan says how the model is evaluated; by default in parts where that is
	// proven safe and saves work. The numbers are the same to rounding.
	Plan PlanKind
	// Level is the confidence level of intervals; 0 means 0.95.
	Level float64
	// Seed fixes every draw.
	Seed uint64
	// Workers is the number of concurrent model calls; 0 means one a processor.
	Workers int
	// Memory bounds the bytes taken by rows in flight; 0 means 2 GiB.
	Memory int64
	// Progress is told how many model rows are done; it may be nil.
	Progress func(done, total int64)
	// Checkpoint is a folder that keeps what is computed, so that a run which was
	// stopped goes on where it was; "" keeps nothing. It is made where it is not
	// there. Model, data and background must have digests, as files do.
	Checkpoint string
	// Resumed is told, before the first row, how many of the run's tiles, or of the
	// shard's, the checkpoint has, if any; it may be nil.
	Resumed func(found, tiles int)
	// Sink receives the values of every sample; nil keeps them in memory for
	// Explanation.Local and Explanation.Phi, which have nothing to say otherwise.
	// See Discard.
	Sink SampleSink
}

// A SampleSink receives the values of every sample, in order.
type SampleSink interface {
	// Begin is called once, before the first sample.
	Begin(header result.SamplesHeader) error
	// Write must not keep the row's slices.
	Write(row result.SampleRow) error
}

// Discard is a sink that keeps nothing: memory does not grow with the samples.
var Discard SampleSink = discard{}

type discard struct{}

func (discard) Begin(result.SamplesHeader) error { return nil }
func (discard) Write(result.SampleRow) error     { return nil }

func (o Options) withDefaults() Options {
	if o.BackgroundSize == 0 {
		o.BackgroundSize = DefaultBackgroundSize
	}
	if o.Convention == 0 {
		o.Convention = score.Paper
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Memory == 0 {
		o.Memory = engine.DefaultMemory
	}
	return o
}

// validate reports every fault at once.
func (o Options) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(o.BackgroundSize >= AllRows, "background size %d must be positive, or AllRows", o.BackgroundSize)
	check(o.Budget >= 0, "budget %d must be positive, or 0 for all coalitions", o.Budget)
	check(o.Until >= 0 && o.Until < 1, "until %v must lie between 0 and 1", o.Until)
	check(o.Estimator == 0 || o.Budget > 0, "the estimator %s needs a budget", o.Estimator)
	if o.Index != 0 {
		_, err := o.Index.MarshalText()
		check(err == nil, "index %d must be one of package index", o.Index)
	}
	check(o.Order >= 0, "order %d must be positive, or 0 for the default", o.Order)
	check(o.Shard.valid(), "shard %d of %d: want 1 of 1 or more, up to the last", o.Shard.Index+1, o.Shard.Of)
	for _, columns := range o.By {
		check(len(columns) > 0, "by: want at least one column")
		for i, name := range columns {
			check(name != "" && !slices.Contains(columns[:i], name), "by: column %q: want names, each once", name)
		}
	}
	for i, columns := range o.By {
		same := func(other []string) bool { return slices.Equal(columns, other) }
		check(!slices.ContainsFunc(o.By[:i], same), "by: %q twice", columns)
	}
	if len(o.Missing) > 0 {
		check(o.Budget == 0, "missing: a budget of coalitions is not for samples that lack modalities: what they lack is not drawn")
		check(len(o.Groups) == 0, "missing: modalities that samples lack cannot be divided into groups")
	}
	check(o.Plan <= FullPlan, "plan %d must be AutoPlan, StagedPlan or FullPlan", o.Plan)
	check(o.Level > 0 && o.Level < 1, "level %v must lie between 0 and 1", o.Level)
	check(o.Workers > 0, "workers %d must be positive", o.Workers)
	check(o.Memory > 0, "memory %d must be positive", o.Memory)
	if len(faults) > 0 {
		return fmt.Errorf("intershap: options: %w", errors.Join(faults...))
	}
	return nil
}
