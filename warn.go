package intershap

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// warnAboutTarget adds the doubts that only the numbers tell.
func (f *facts) warnAboutTarget(w *diag.List, t result.Target, s *score.Summary) {
	name := t.Target
	if s.Clusters < float64(s.Samples) && !f.Clustered && !f.Weighted {
		w.Add("repeated-ids", "", "samples with the same id are drawn together: intervals are those of about %.0f independent samples, not %d", s.Clusters, s.Samples)
	}
	switch {
	case s.Samples < fewSamples:
		w.Add("few-samples", "", "need at least %d samples for a trustworthy interval, have %d", fewSamples, s.Samples)
	case s.Clusters < fewSamples && (f.Clustered || f.Weighted):
		w.Add("few-samples", "", "need at least %d independent samples for a trustworthy interval, have about %.0f: %d samples in clusters or of unequal weight say no more", fewSamples, s.Clusters, s.Samples)
	}
	if !f.Follows {
		w.Add("mean-degenerate", "", "the target does not follow the sample: with a background like the data, its mean effects cancel and the global score is 1/2 or noise; the mean of absolutes is the headline")
	}
	if t.Residual > t.ResidualTolerance {
		w.Add("residual", name, "a sample misses f(x) - v({}) by %.2g, more than the %.2g that rounding explains", t.Residual, t.ResidualTolerance)
	}
	if t.Local.Undefined > 0 {
		w.Add("undefined-samples", name, "%d of %d samples have no behaviour at all: their local score is undefined and left out of the mean", t.Local.Undefined, t.Samples)
	}
	if low, ok := t.Global.Low.Value(); ok && f.Follows {
		if high, _ := t.Global.High.Value(); high-low > 0.9 {
			w.Add("denominator-near-zero", name, "no effect is clear of its error, so the global share is anything from %.0f to %.0f %%; more samples or background rows would tell", 100*low, 100*high)
		}
	}
	byMeans, bySizes := t.Global.Score(), t.MeanAbsolute.Score()
	if t.Across != nil {
		byMeans, bySizes = t.Across.Global.Score(), t.Across.MeanAbsolute.Score()
	}
	global, ok1 := byMeans.Value()
	absolute, ok2 := bySizes.Value()
	if ok1 && ok2 && f.Follows && absolute-global > hidden {
		w.Add("mean-hides-interaction", name, "interactions of opposite sign cancel over the samples: %.1f %% by means, %.1f %% by mean absolutes", 100*global, 100*absolute)
	}
	f.warnAboutBackground(w, t, s)
	f.warnAboutBudget(w, t, s)
	f.warnAboutGroups(w, t)
}

// warnAboutGroups says of which groups and modalities there are too few samples.
func (f *facts) warnAboutGroups(w *diag.List, t result.Target) {
	var all []*result.Breakdown
	for i := range t.By {
		for j := range t.By[i].Groups {
			all = append(all, &t.By[i].Groups[j].Breakdown)
		}
	}
	for i := range t.Patterns {
		all = append(all, &t.Patterns[i].Breakdown)
	}
	few, least := 0, math.Inf(1)
	for _, b := range all {
		n := float64(b.Samples)
		if b.Clusters != nil {
			n = *b.Clusters
		}
		if n < fewSamples {
			few, least = few+1, min(least, n)
		}
	}
	if few > 0 {
		w.Add("few-in-group", "", "%d of %d groups and patterns have fewer than %d independent samples, the least about %.0f: their intervals are not to be trusted", few, len(all), fewSamples, least)
	}
	for _, name := range f.Modalities {
		if n, known := t.Present[name]; known && n == 0 {
			w.Add("never-present", name, "no sample has %s: the result says nothing of it, nor of its interactions", name)
		}
	}
}

// warnAboutBudget says when much of the score is what noise adds to the sizes of
// interactions.
func (f *facts) warnAboutBudget(w *diag.List, t result.Target, s *score.Summary) {
	if f.exact() || s.CoalitionSE == nil {
		return
	}
	if f.estimator() == approx.Permutation && f.Sampling.Draws < fewDraws {
		w.Add("budget-too-small", "", "intervals of pairs come from %d draws of permutations and hold too little, about 85 to 90 %% instead of 95: need at least %d draws, a larger --budget, or --estimator regression", f.Sampling.Draws, fewDraws)
	}
	a := &t.MeanAbsolute.Aggregate
	if t.Headline == result.Global {
		a = &t.Global.Aggregate
	}
	plain, ok := a.InterSHAP.Value()
	less := plain - a.Score().Or(plain)
	if _, has := a.Corrected.Value(); ok && (less > budgetNoise || !has) {
		w.Add("budget-too-small", t.Target, "the noise of %d coalitions adds about %.1f points to InterSHAP, %.1f %%: read the corrected score, %.1f %%, and the interval; a larger --budget makes it narrower",
			f.Sampling.Coalitions, 100*less, 100*plain, 100*a.Score().Or(plain))
	}
}

const (
	fewSamples = 30
	// hidden is the difference between two aggregations that is worth a word.
	hidden = 0.1
	// headlineError and baseError are the background's standard errors that are
	// good enough: of the headline, and of v({}) relative to the behaviour.
	headlineError = 0.01
	baseError     = 0.05
	// budgetNoise is the part of the score that noise may be unsaid.
	budgetNoise = 0.05
	// fewDraws of permutations are skewed: see docs/approximation.md.
	fewDraws = 8
)

// warnAboutBackground says when the rows are too few, and how many would do:
// standard errors fall with their square root.
func (f *facts) warnAboutBackground(w *diag.List, t result.Target, s *score.Summary) {
	b := f.Background
	switch {
	case b.PerSample:
		w.Add("background-error-unknown", "", "the nearest rows are not a random draw: intervals hold the error of the samples alone")
	case b.Means:
		w.Add("background-error-unknown", "", "the mean over %d drawn rows has an error that intervals do not hold; another --seed shows it", b.Drawn)
	case b.Unknown:
		w.Add("background-too-small", "", "one background row cannot tell its own error, so intervals hold that of the samples alone: need at least 2 rows, better %d", DefaultBackgroundSize)
	}
	if !b.WithBlocks {
		return
	}
	// A share has no error above a half: there the linearised one says nothing.
	const most = 0.5
	headline, behaviour := s.GlobalSE.Background.Or(0), s.Global.Behaviour
	if !f.Follows {
		headline, behaviour = s.MeanAbsoluteSE.Background.Or(0), s.MeanAbsolute.Behaviour
	}
	headline = min(headline, most)
	excess := headline / headlineError
	what := fmt.Sprintf("the headline's standard error from the background is %.1f points", 100*headline)
	if behaviour > 0 {
		if base := s.BaseSE.Or(0) / behaviour / baseError; base > excess {
			excess = base
			what = fmt.Sprintf("the base value's standard error is %.3g %% of the behaviour", 100*s.BaseSE.Or(0)/behaviour)
		}
	}
	if excess > 1 {
		w.Add("background-too-small", t.Target, "%s with %d rows; %s", what, b.Rows, advice(b.Rows, excess))
	}
}

// advice says how many rows bring an error down by the factor excess, rounded
// up to two digits.
func advice(rows int, excess float64) string {
	const affordable = 1e7
	need := float64(rows) * excess * excess
	if need > affordable {
		return "no affordable number of rows would do: the behaviour is too close to zero"
	}
	unit := math.Pow(10, math.Floor(math.Log10(need))-1)
	return fmt.Sprintf("about %.0f rows would do", math.Ceil(need/unit)*unit)
}

// folded puts the same doubt about many targets into one warning.
func folded(all []diag.Warning) []diag.Warning {
	const many = 4
	count := map[string]int{}
	for _, w := range all {
		count[w.ID]++
	}
	said := map[string]bool{}
	var out []diag.Warning
	for _, w := range all {
		switch n := count[w.ID]; {
		case n < many:
			out = append(out, w)
		case !said[w.ID]:
			said[w.ID] = true
			out = append(out, diag.Warning{ID: w.ID, Text: fmt.Sprintf("%d targets, first %s: %s", n, w.Subject, w.Text)})
		}
	}
	return out
}
