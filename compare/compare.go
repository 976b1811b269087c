package compare

import (
	"context"
	"errors"
	"fmt"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A Run is one explanation, with what is known of its samples.
type Run struct {
	// Path names the run in messages: that of its result.
	Path   string
	Result *result.Explanation
	// Samples are the values of its samples; nil where they are not known. They must
	// belong to Result, see result.Samples.Belongs.
	Samples *result.Samples
	// Right says of each of Samples whether its predicted class is its label; nil where
	// labels are not known. See [Right].
	Right []bool
}

// A Side is what is compared: one run, or a group of replicates.
type Side struct {
	Label string
	Runs  []Run
}

// Options say how sides are compared.
type Options struct {
	// Level is the confidence level of intervals; 0 means 0.95.
	Level float64
	// Draws is the number of bootstrap draws; 0 means [DefaultDraws].
	Draws int
	// Seed fixes the draws.
	Seed uint64
	// Workers is the number of draws at a time; 0 means one. Results do not depend on
	// it.
	Workers int
	// Force compares what is refused otherwise, with a warning for each reason.
	Force bool
}

const (
	// DefaultDraws is the number of bootstrap draws: enough for 50 of them beyond each
	// end of an interval of 95 %.
	DefaultDraws = 2000
	// LeastBeyond is the number of draws that must lie beyond each end of an interval.
	LeastBeyond = 5
	// LeastSamples is the number of independent samples from which on a bootstrap tells
	// anything of its own error.
	LeastSamples = 5
	// FewSamples is the number below which an interval has a warning.
	FewSamples = 30
	// LeastAgreement is the share of samples that must be comparable: below it, what is
	// left is not what was asked about.
	LeastAgreement = 0.5
)

func (o Options) withDefaults() Options {
	if o.Level == 0 {
		o.Level = 0.95
	}
	if o.Draws == 0 {
		o.Draws = DefaultDraws
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	return o
}

func (o Options) validate() error {
	var faults []error
	if !(o.Level > 0 && o.Level < 1) {
		faults = append(faults, fmt.Errorf("level %v must lie between 0 and 1", o.Level))
	} else if beyond := float64(o.Draws) * (1 - o.Level) / 2; beyond < LeastBeyond-1e-9 {
		faults = append(faults, fmt.Errorf("%d draws leave %.1f beyond each end of a %v interval, want at least %d: more draws, or a lower level", o.Draws, beyond, o.Level, LeastBeyond))
	}
	if o.Workers < 0 {
		faults = append(faults, fmt.Errorf("workers %d must not be negative", o.Workers))
	}
	if len(faults) > 0 {
		return fmt.Errorf("compare: options: %w", errors.Join(faults...))
	}
	return nil
}

// A Question is what a comparison answers.
type Question string

const (
	// Files asks whether other samples would give another difference.
	Files Question = "files"
	// Replicates asks whether other replicates would.
	Replicates Question = "replicates"
)

// A Method is how intervals of differences were made.
type Method string

const (
	// PairedBootstrap draws samples, the same ones for both sides.
	PairedBootstrap Method = "paired-bootstrap"
	// UnpairedBootstrap draws the samples of each side for themselves.
	UnpairedBootstrap Method = "unpaired-bootstrap"
	// Carried combines the intervals that the results carry, as if their errors were
	// independent.
	Carried Method = "carried-intervals"
	// Welch takes the spread of replicates on either side.
	Welch Method = "welch"
)

// A Verdict is what can be said of a difference.
type Verdict string

const (
	// Higher is a difference whose interval lies above zero.
	Higher Verdict = "higher"
	// Lower is one whose interval lies below.
	Lower Verdict = "lower"
	// Unclear is a difference whose interval holds zero, or that has none.
	Unclear Verdict = "unclear"
	// Undefined is a difference of something that one of the sides does not have.
	Undefined Verdict = "undefined"
)

// A Kind is what a row of a comparison is about.
type Kind string

const (
	// InterSHAP is the share of interaction.
	InterSHAP Kind = "intershap"
	// Contribution is what a modality does alone.
	Contribution Kind = "contribution"
	// Pair is the interaction of two modalities.
	Pair Kind = "pair"
	// Accuracy is the share of samples whose predicted class is their label.
	Accuracy Kind = "accuracy"
)

// An Aggregation says how samples were put together.
type Aggregation string

const (
	// Global takes means over samples before absolute values.
	Global Aggregation = "global"
	// MeanAbsolute takes absolute values before means.
	MeanAbsolute Aggregation = "mean_absolute"
	// Local is the mean of the scores of single samples.
	Local Aggregation = "local"
	// Count is the share of samples for which something holds.
	Count Aggregation = "count"
)

// A Quantity is one number that both sides may have.
type Quantity struct {
	Kind        Kind        `json:"quantity"`
	Aggregation Aggregation `json:"aggregation"`
	// Modalities are one for a contribution, two for a pair, none otherwise.
	Modalities []string `json:"modalities"`
	// Class is the predicted class of the samples; nil for all samples.
	Class *string `json:"class"`
}

// overall reports whether the quantity is a score of all samples.
func (q *Quantity) overall() bool { return q.Kind == InterSHAP && q.Class == nil }

// A Value is what one side says of a quantity.
type Value struct {
	Value score.Share `json:"value"`
	// SD is the standard deviation over replicates; undefined for a single run.
	SD score.Share `json:"sd"`
	// N counts what Value was made of: samples of a run, or replicates.
	N int `json:"n"`
}

// A Row is one quantity on both sides, and its difference.
type Row struct {
	Quantity
	Base  Value `json:"base"`
	Other Value `json:"other"`
	// Delta is Other less Base; Low and High are undefined where there is no interval,
	// and Reason says why.
	Delta   score.Share `json:"delta"`
	Low     score.Share `json:"low"`
	High    score.Share `json:"high"`
	Verdict Verdict     `json:"verdict"`
	Reason  string      `json:"reason"`
}

// A Target is the comparison for one explained number.
type Target struct {
	Target   string          `json:"target"`
	Headline result.Headline `json:"headline"`
	Rows     []Row           `json:"rows"`
	// By compares groups of samples, for each partition that all results have; null
	// without one.
	By []Partition `json:"by"`
}

// A Partition compares the groups of a partition of the samples by columns of the data.
type Partition struct {
	Columns []string `json:"columns"`
	// Method is Carried for files, whatever the method of the comparison: files of
	// samples do not say which group a sample is in. It is Welch for replicates.
	Method Method  `json:"method"`
	Groups []Group `json:"groups"`
}

// A Group compares the samples of either side with the same values in the columns of
// their partition: all that each has.
type Group struct {
	Values []string `json:"values"`
	// Rows are the scores, one for each aggregation.
	Rows []Row `json:"rows"`
}

// HeadlineRow returns the row of the score to read first.
func (t *Target) HeadlineRow() *Row {
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Kind == InterSHAP && r.Class == nil && r.Aggregation == Aggregation(t.Headline) {
			return r
		}
	}
	return nil // no comparison is made without one
}

// A Samples says which samples of two runs a comparison is about.
type Samples struct {
	// Base and Other count those of the runs.
	Base  int `json:"base"`
	Other int `json:"other"`
	// Shared counts those that both runs have by id; 0 where they were not paired.
	Shared int `json:"shared"`
	// Agreed counts those for which both predict the same class; nil where nothing is
	// known of it.
	Agreed *int `json:"agreed"`
	// Used counts the pairs that shares are made of; 0 where they were not paired.
	Used int `json:"used"`
	// Independent counts the different ids among them; 0 where they were not paired.
	Independent int `json:"independent"`
}

// A Comparison is one side held against another.
type Comparison struct {
	// Base and Other are the labels.
	Base     string   `json:"base"`
	Other    string   `json:"other"`
	Question Question `json:"question"`
	Method   Method   `json:"method"`
	// Draws counts those of a bootstrap; 0 for other methods.
	Draws int `json:"draws"`
	// Files counts those of each side.
	Files [2]int `json:"files"`
	// Samples is nil where samples were not looked at.
	Samples *Samples `json:"samples"`
	// SameBackground is set where both sides filled absent modalities from the same
	// rows, as far as results tell.
	SameBackground bool `json:"same_background"`
	// Holds lists the errors that intervals hold: "samples", "background",
	// "replicates".
	Holds   []string `json:"intervals_hold"`
	Targets []Target `json:"targets"`
	// Warnings are the doubts, in the order of their footnotes.
	Warnings []diag.Warning `json:"warnings"`
}

// Compare holds other against base. What makes the comparison meaningless is a
// [RefusedError], or an [AgreementError]; ctx ends it early.
func Compare(ctx context.Context, base, other Side, opt Options) (*Comparison, error) {
	opt = opt.withDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	for _, s := range []Side{base, other} {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("compare: %w", err)
		}
	}
	q := &question{sides: [2]Side{base, other}, opt: opt}
	return q.answer(ctx)
}

func (s *Side) check() error {
	if len(s.Runs) == 0 {
		return fmt.Errorf("%s has no results, want at least one", s.Label)
	}
	for _, r := range s.Runs {
		if len(r.Result.Targets) == 0 {
			return fmt.Errorf("%s: the result explains nothing: want at least one target", r.Path)
		}
		if r.Samples == nil {
			continue
		}
		if err := r.Samples.Belongs(r.Result); err != nil {
			return err
		}
		if r.Right != nil && len(r.Right) != r.Samples.Len() {
			return fmt.Errorf("%s: labels of %d samples for a run of %d", r.Path, len(r.Right), r.Samples.Len())
		}
	}
	return nil
}

// single reports whether the side is one run.
func (s *Side) single() bool { return len(s.Runs) == 1 }
