package wording

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// PairSign stands between the names of a pair.
const PairSign = " × "

// PairName names a pair: "image × text".
func PairName(pair [2]string) string { return pair[0] + PairSign + pair[1] }

// HeadlineAggregate returns the aggregation to read first.
func HeadlineAggregate(b *result.Breakdown, headline result.Headline) *result.Aggregate {
	if headline == result.MeanAbsolute {
		return &b.MeanAbsolute.Aggregate
	}
	return &b.Global.Aggregate
}

// HeadlineName names the aggregation to read first: "global" or "mean absolute".
func HeadlineName(headline result.Headline) string {
	if headline == result.MeanAbsolute {
		return "mean absolute"
	}
	return "global"
}

// SortedPairs returns the positions of the headline's pairs, largest share first.
func SortedPairs(t *result.Target) []int {
	return LargestFirst(HeadlineAggregate(&t.Breakdown, t.Headline).Pairs)
}

// LargestFirst returns the positions of pairs, largest share first.
func LargestFirst(pairs []result.Pair) []int {
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	const last = -1 // below every share
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(pairs[b].Share.Or(last), pairs[a].Share.Or(last))
	})
	return order
}

// Verdict says the headline of a target of an explanation in plain words: with its
// interval, with the largest part where its error lets it be named, and with what the
// headline hides where a warning says that it does.
func Verdict(ex *result.Explanation, t *result.Target) string {
	share, low, high := t.HeadlineInterval()
	v := Interval{share, low, high}
	x, ok := share.Value()
	if !ok {
		return "The score is undefined: the modalities change nothing in this output."
	}
	what := "of what the modalities do to this output is interaction between them"
	if t.Across != nil {
		what = "of what the groups do to this output is interaction across modalities"
	}
	upper, _ := high.Value()
	var text string
	switch {
	case v.Unclear():
		return "These samples and background rows cannot tell how much " + what + cancelled(ex, t) + "."
	case x == 0 && upper == 0:
		text = "Nothing " + what
	case v.OneSided() || x == 0:
		text = "Less than " + AtMost(upper) + " " + what
	default:
		text = Percent(x) + " " + what
		if lower, ok := low.Value(); ok {
			text += fmt.Sprintf(" (%s %% interval %s to %s)", Level(ex.Provenance.Level), Points(lower), Points(upper))
		}
	}
	return text + within(t) + largestPart(HeadlineAggregate(&t.Breakdown, t.Headline)) + cancelled(ex, t) + "."
}

// within says how much groups of one modality interact, of a target that has groups.
func within(t *result.Target) string {
	if t.Across == nil {
		return ""
	}
	w := t.Across.Headline(t.Headline).Within
	text, _ := Interval{w.Share, w.Low, w.High}.Parts()
	return "; interaction of groups within a modality: " + text
}

// cancelling is the ID of the warning that the headline hides interactions.
const cancelling = "mean-hides-interaction"

// cancelled says how much interaction there is before signs cancel over samples, of a
// target that has the warning.
func cancelled(ex *result.Explanation, t *result.Target) string {
	before := t.MeanAbsolute.InterSHAP
	if t.Across != nil {
		before = t.Across.MeanAbsolute.InterSHAP
	}
	for _, w := range ex.Warnings {
		if x, ok := before.Value(); ok && w.ID == cancelling && w.Subject == t.Target {
			return "; interactions of opposite sign cancel over samples: " + Percent(x) + " before they do"
		}
	}
	return ""
}

// largestPart names the modality or pair with the largest share. A share whose interval
// reaches down to zero ranks nowhere: where it looks the largest, only the largest of
// the clear ones is named, as such. It is empty where an interval is not known.
func largestPart(a *result.Aggregate) string {
	var largest, clear float64 // of all parts, and of those that are clear of their error
	var name string
	known := true
	consider := func(called string, v Interval) {
		x := v.Share.Or(0)
		if x <= 0 {
			return
		}
		largest = max(largest, x)
		known = known && v.Bounded()
		if !v.OneSided() && x > clear {
			name, clear = called, x
		}
	}
	for _, m := range sortedKeys(a.Contributions) {
		bounds := a.ContributionIntervals[m]
		consider(m+" alone", Interval{a.Contributions[m], bounds[0], bounds[1]})
	}
	for _, p := range a.Pairs {
		consider(PairName(p.Pair), Interval{p.Share, p.Low, p.High})
	}
	switch {
	case largest == 0 || !known:
		return ""
	case clear == 0:
		return "; no part is clear of its error"
	case clear < largest:
		return fmt.Sprintf("; the largest part that is clear of its error is %s with %s", name, Percent(clear))
	}
	return fmt.Sprintf("; the largest part is %s with %s", name, Percent(clear))
}

func sortedKeys(m map[string]score.Share) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Residual says whether the samples add up, of the target where they do so least. It
// is empty without targets.
func Residual(targets []result.Target) string {
	if len(targets) == 0 {
		return ""
	}
	residual, tolerance := WorstResidual(targets)
	if residual > tolerance {
		return fmt.Sprintf("not every sample adds up to f(x) - v({}): largest residual %.2g, tolerance %.2g", residual, tolerance)
	}
	return fmt.Sprintf("every sample adds up to f(x) - v({}): largest residual %.1g, tolerance %.1g", residual, tolerance)
}

// WorstResidual returns the residual, and its tolerance, of the target that adds up
// least. There is at least one target.
func WorstResidual(targets []result.Target) (residual, tolerance float64) {
	worst := &targets[0]
	for i := range targets {
		t := &targets[i]
		if t.Residual-t.ResidualTolerance > worst.Residual-worst.ResidualTolerance {
			worst = t
		}
	}
	return worst.Residual, worst.ResidualTolerance
}
