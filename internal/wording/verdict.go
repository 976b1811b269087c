package wording

import (
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

// SortedPairs returns the positions of the headline's pairs, largest share first.
func SortedPairs(t *result.Target) []int {
	pairs := HeadlineAggregate(&t.Breakdown, t.Headline).Pairs
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	const last = -1 // below every share
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := pairs[a].Share.Or(last), pairs[b].Share.Or(last); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return order
}

// Verdict says the headline in plain words, with its interval at a confidence
// level.
func Verdict(t *result.Target, confidence float64) string {
	share, low, high := t.HeadlineInterval()
	v := Interval{share, low, high}
	x, ok := share.Value()
	if !ok {
		return "The score is undefined: the modalities change nothing in this output."
	}
	const what = "of what the modalities do to this output is interaction between them"
	upper, _ := high.Value()
	var text string
	switch {
	case v.Unclear():
		return "These samples and background rows cannot tell how much " + what + "."
	case x == 0 && upper == 0:
		text = "Nothing " + what
	case v.OneSided() || x == 0:
		text = "Less than " + AtMost(upper) + " " + what
	default:
		text = Percent(x) + " " + what
		if lower, ok := low.Value(); ok {
			text += fmt.Sprintf(" (%s %% interval %s to %s)", Level(confidence), Points(lower), Points(upper))
		}
	}
	name, part := largestPart(t)
	if part > 0 {
		text += fmt.Sprintf("; the largest part is %s with %s", name, Percent(part))
	}
	return text + "."
}

// largestPart returns the modality or pair with the largest headline share.
func largestPart(t *result.Target) (name string, share float64) {
	a := HeadlineAggregate(&t.Breakdown, t.Headline)
	for _, m := range sortedKeys(a.Contributions) {
		if x := a.Contributions[m].Or(0); x > share {
			name, share = m+" alone", x
		}
	}
	for _, p := range a.Pairs {
		if x := p.Share.Or(0); x > share {
			name, share = PairName(p.Pair), x
		}
	}
	return name, share
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
	worst := targets[0]
	for _, t := range targets {
		if t.Residual-t.ResidualTolerance > worst.Residual-worst.ResidualTolerance {
			worst = t
		}
	}
	if worst.Residual > worst.ResidualTolerance {
		return fmt.Sprintf("not every sample adds up to f(x) - v({}): largest residual %.2g, tolerance %.2g", worst.Residual, worst.ResidualTolerance)
	}
	return fmt.Sprintf("every sample adds up to f(x) - v({}): largest residual %.1g, tolerance %.1g", worst.Residual, worst.ResidualTolerance)
}
