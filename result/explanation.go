package result

import (
	"math"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/score"
)

// Schema names the version of the JSON document.
const Schema = "intershap/explanation/v1"

// An Explanation is what a run found, with everything that made the numbers.
type Explanation struct {
	// Schema is the constant [Schema].
	Schema     string     `json:"schema"`
	Provenance Provenance `json:"provenance"`
	// Modalities are the names, in the order of phi's rows and columns.
	Modalities []string `json:"modalities"`
	// Groups are the modalities of a run whose players are groups inside them; null
	// without groups, where every modality is a player.
	Groups []Grouping `json:"groups"`
	// Classes are the names of the classes; null without classes.
	Classes []string `json:"classes"`
	// SamplesFile is the file with the values of every sample, if one was
	// written.
	SamplesFile *string `json:"samples_file"`
	Cost        Cost    `json:"cost"`
	// Targets has an entry for each explained number.
	Targets []Target `json:"targets"`
	// Sensitivity is the headline under other choices; null where no other was made.
	Sensitivity *Sensitivity `json:"sensitivity"`
	// Warnings are the doubts about the result, in the order of their footnotes.
	Warnings []diag.Warning `json:"warnings"`
}

// Provenance says what the numbers were made from, and how.
type Provenance struct {
	Version    string           `json:"version"`
	Command    string           `json:"command"`
	Model      Source           `json:"model"`
	Data       DataSource       `json:"data"`
	Background BackgroundSource `json:"background"`
	Output     string           `json:"output"`
	Task       string           `json:"task"`
	Transform  string           `json:"transform"`
	Index      string           `json:"index"`
	Order      int              `json:"order"`
	Convention string           `json:"convention"`
	// Sampling says how the run chose its coalitions; null where it evaluated all.
	Sampling *Sampling `json:"sampling"`
	Plan     string    `json:"plan"`
	// Additive is set where the output is a sum of parts of one modality each, so
	// that interactions are zero by construction.
	Additive bool    `json:"additive,omitempty"`
	Runtime  string  `json:"runtime"`
	Seed     uint64  `json:"seed"`
	Level    float64 `json:"level"`
	// Memory is the limit in bytes, which decides how samples are cut into
	// tiles and so the last bits of means over samples.
	Memory int64 `json:"memory"`
	// Cluster is the column whose values say which samples depend on each other, and
	// Weight the column of their weights; both empty where there is none.
	Cluster string `json:"cluster,omitempty"`
	Weight  string `json:"weight,omitempty"`
	// Missing says which modalities samples may lack, as "rna" or "rna=COLUMN", and Pad
	// how lists of different lengths were filled, as "INPUT=V".
	Missing []string `json:"missing,omitempty"`
	Pad     []string `json:"pad,omitempty"`
}

// Sampling is how a run on a budget chose its coalitions.
type Sampling struct {
	// Estimator names a method of package approx.
	Estimator string `json:"estimator"`
	// Budget is the most coalitions that the run was allowed, Coalitions how many it
	// evaluated.
	Budget     int `json:"budget"`
	Coalitions int `json:"coalitions"`
	// Draws is the number of groups of coalitions that the error comes from.
	Draws int `json:"draws"`
}

// A Source is a file and its SHA-256, both empty for what lives in memory.
type Source struct {
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
}

// A DataSource is where the samples came from.
type DataSource struct {
	Source
	Samples int `json:"samples"`
}

// A BackgroundSource is where background rows came from, how many were drawn,
// and the mask by which they fill absent modalities.
type BackgroundSource struct {
	Source
	Rows int    `json:"rows"`
	Mask string `json:"mask"`
}

// Cost is what a run took.
type Cost struct {
	// RowsNaive is N·B·(2^M−2) + N + B.
	RowsNaive int64 `json:"rows_naive"`
	// Rows counts the rows that ran, by part of the model.
	Rows map[string]int64 `json:"rows"`
	// Seconds is the evaluation alone.
	Seconds float64 `json:"seconds"`
}

// Headline names the aggregation to read first.
type Headline string

// The headlines: global where the target follows the sample, the mean of
// absolutes elsewhere.
const (
	Global       Headline = "global"
	MeanAbsolute Headline = "mean_absolute"
)

// A Target is what was found for one explained number.
type Target struct {
	Target   string   `json:"target"`
	Headline Headline `json:"headline"`
	Breakdown
	// Residual is the largest |Σ phi − (f(x) − v({}))| over samples, to be
	// compared with ResidualTolerance.
	Residual          float64 `json:"residual"`
	ResidualTolerance float64 `json:"residual_tolerance"`
	// ByClass breaks samples down by predicted class; null without classes.
	ByClass []Class `json:"by_class"`
	// Macro is the mean over predicted classes; null below two classes.
	Macro *Macro `json:"macro"`
	// By breaks samples down by columns of the data; null where none was asked for.
	By []Partition `json:"by"`
	// Patterns breaks samples down by the modalities that they have; null where they
	// have all.
	Patterns []Pattern `json:"patterns"`
	// Interactions are the values of the index that was asked for; null without one.
	Interactions *Interactions `json:"interactions"`
	// Spectrum is the share of behaviour by order; null below three modalities.
	Spectrum *Spectra `json:"spectrum"`
	// Across is the behaviour by modality where players are groups; null without
	// groups.
	Across *Across `json:"across"`
	// AtLeast answers whether the headline is as large as a threshold; null without one.
	AtLeast *AtLeast `json:"at_least"`
}

// HeadlineInterval returns the headline score with its bounds: the interaction between
// modalities, whether these are players or made of groups; on a budget the corrected
// score.
func (t *Target) HeadlineInterval() (share, low, high score.Share) {
	if t.Across != nil {
		a := t.Across.Headline(t.Headline)
		return a.Score(), a.Low, a.High
	}
	a := &t.MeanAbsolute.Aggregate
	if t.Headline == Global {
		a = &t.Global.Aggregate
	}
	return a.Score(), a.Low, a.High
}

// Score returns the corrected score, and InterSHAP where there is none.
func (a *Aggregate) Score() score.Share { return corrected(a.InterSHAP, a.Corrected) }

func corrected(plain, corrected score.Share) score.Share {
	if _, ok := corrected.Value(); ok {
		return corrected
	}
	return plain
}

// A Breakdown is the behaviour of a group of samples in all three
// aggregations.
type Breakdown struct {
	Samples int `json:"samples"`
	// Weight is the sum of the samples' weights; absent without weights.
	Weight *float64 `json:"weight,omitempty"`
	// Clusters is how many independent samples the intervals are those of, by Kish's
	// rule; absent where they are as many as there are samples.
	Clusters *float64 `json:"clusters,omitempty"`
	// Present says how many samples have each modality; absent where all have all.
	// Cells of phi and shares are then pooled: each cell is the mean over the samples
	// that have its modalities.
	Present map[string]int `json:"present,omitempty"`
	// Base is the mean of v({}), Output that of v(all).
	Base         float64               `json:"base"`
	Output       float64               `json:"output"`
	Global       GlobalAggregate       `json:"global"`
	MeanAbsolute MeanAbsoluteAggregate `json:"mean_absolute"`
	Local        LocalAggregate        `json:"local"`
}

// A Class is the breakdown of the samples with one predicted class.
type Class struct {
	Class string `json:"class"`
	Breakdown
}

// An Aggregate is one aggregation over samples.
type Aggregate struct {
	InterSHAP score.Share `json:"intershap"`
	Low       score.Share `json:"low"`
	High      score.Share `json:"high"`
	// Corrected is InterSHAP less what the noise of a budget adds to the sizes of
	// interactions; undefined where all coalitions were evaluated.
	Corrected score.Share `json:"corrected"`
	// Behaviour is the denominator, Interactions the numerator of InterSHAP.
	Behaviour             float64                   `json:"behaviour"`
	Interactions          float64                   `json:"interactions"`
	Contributions         map[string]score.Share    `json:"contributions"`
	ContributionIntervals map[string][2]score.Share `json:"contribution_intervals"`
	Pairs                 []Pair                    `json:"pairs"`
}

// A GlobalAggregate takes means before absolute values: the paper's score.
type GlobalAggregate struct {
	Aggregate
	// Phi is the mean matrix, signs kept; it sums to output − base.
	Phi   [][]float64 `json:"phi"`
	PhiSE PhiSE       `json:"phi_se"`
}

// A MeanAbsoluteAggregate takes absolute values before means.
type MeanAbsoluteAggregate struct{ Aggregate }

// PhiSE holds the standard errors of phi by source; null where unknown.
type PhiSE struct {
	Background [][]float64 `json:"background"`
	// Coalitions is null where all coalitions were evaluated: then they add none.
	Coalitions [][]float64 `json:"coalitions"`
	Samples    [][]float64 `json:"samples"`
}

// Cell returns the standard error of a cell from all sources that are known, which
// are independent of each other. It reports false where neither that of the background
// nor that of the samples is.
func (s PhiSE) Cell(i, j int) (se float64, ok bool) {
	for _, source := range [][][]float64{s.Background, s.Coalitions, s.Samples} {
		switch {
		case source == nil:
		case se == 0: // as it is, so that a wrong sign shows
			se = source[i][j]
		default:
			se = math.Hypot(se, source[i][j])
		}
	}
	return se, s.Background != nil || s.Samples != nil
}

// Complete reports whether the errors of background and samples are both known.
func (s PhiSE) Complete() bool { return s.Background != nil && s.Samples != nil }

// A Pair is the interaction of two modalities.
type Pair struct {
	Pair  [2]string   `json:"pair"`
	Share score.Share `json:"share"`
	Low   score.Share `json:"low"`
	High  score.Share `json:"high"`
	// Phi is the sum of both cells of the mean matrix.
	Phi float64 `json:"phi"`
}

// A LocalAggregate describes the scores of single samples.
type LocalAggregate struct {
	Mean score.Share `json:"mean"`
	SD   score.Share `json:"sd"`
	// Corrected is the mean less the jackknife's estimate of its bias, kept
	// within [0, 1].
	Corrected score.Share `json:"corrected"`
	// Undefined counts samples without behaviour.
	Undefined int `json:"undefined"`
}

// NewBreakdown puts names to a summary.
func NewBreakdown(s *score.Summary, modalities []string) Breakdown {
	b := Breakdown{
		Samples: s.Samples, Base: s.Base, Output: s.Output,
		Local: LocalAggregate{Mean: s.Local.Mean, SD: s.Local.SD, Corrected: s.Local.Corrected, Undefined: s.Local.Undefined},
	}
	b.Global.Aggregate = newAggregate(s.Global, modalities)
	b.MeanAbsolute.Aggregate = newAggregate(s.MeanAbsolute, modalities)
	if s.Clusters < float64(s.Samples) {
		b.Clusters = &s.Clusters
	}
	m := len(modalities)
	b.Global.Phi = square(s.Phi, m)
	b.Global.PhiSE = PhiSE{Background: square(s.BackgroundSE, m), Coalitions: square(s.CoalitionSE, m), Samples: square(s.SamplesSE, m)}
	return b
}

func newAggregate(e score.Estimate, modalities []string) Aggregate {
	a := Aggregate{
		InterSHAP: e.InterSHAP.Share, Low: e.InterSHAP.Low, High: e.InterSHAP.High, Corrected: e.InterSHAP.Corrected,
		Behaviour: e.Behaviour, Interactions: e.Interactions,
		Contributions:         map[string]score.Share{},
		ContributionIntervals: map[string][2]score.Share{},
		Pairs:                 []Pair{},
	}
	for i, c := range e.Contributions {
		a.Contributions[modalities[i]] = c.Share
		a.ContributionIntervals[modalities[i]] = [2]score.Share{c.Low, c.High}
	}
	for _, p := range e.Pairs {
		a.Pairs = append(a.Pairs, Pair{
			Pair:  [2]string{modalities[p.I], modalities[p.J]},
			Share: p.Share.Share, Low: p.Share.Low, High: p.Share.High, Phi: p.Phi,
		})
	}
	return a
}

// square cuts a flat m×m matrix into rows; nil stays nil.
func square(flat []float64, m int) [][]float64 {
	if flat == nil {
		return nil
	}
	out := make([][]float64, m)
	for i := range out {
		out[i] = flat[i*m : (i+1)*m]
	}
	return out
}
