package compare

import (
	"math"
	"slices"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A reading is what a result says of a quantity.
type reading struct {
	share, low, high score.Share
	n                int
}

// read returns what a target of a result says of a quantity. What it does not have is
// undefined. Local scores have no interval in a result, but a standard deviation:
// the interval is that of their mean, by Student's t at the result's own level.
func read(t *result.Target, q Quantity, level float64) reading {
	b := &t.Breakdown
	if q.Class != nil {
		i := slices.IndexFunc(t.ByClass, func(c result.Class) bool { return c.Class == *q.Class })
		if i < 0 {
			return reading{}
		}
		b = &t.ByClass[i].Breakdown
	}
	return readOf(b, q, level)
}

// readOf is read for some samples.
func readOf(b *result.Breakdown, q Quantity, level float64) reading {
	a := &b.Global.Aggregate
	switch q.Aggregation {
	case Local:
		return readLocal(b, level)
	case MeanAbsolute:
		a = &b.MeanAbsolute.Aggregate
	}
	switch q.Kind {
	case Contribution:
		share, has := a.Contributions[q.Modalities[0]]
		if !has {
			return reading{}
		}
		bounds := a.ContributionIntervals[q.Modalities[0]]
		return reading{share, bounds[0], bounds[1], b.Samples}
	case Pair:
		for _, p := range a.Pairs {
			if slices.Contains(q.Modalities, p.Pair[0]) && slices.Contains(q.Modalities, p.Pair[1]) {
				return reading{p.Share, p.Low, p.High, b.Samples}
			}
		}
		return reading{}
	}
	return reading{a.InterSHAP, a.Low, a.High, b.Samples}
}

func readLocal(b *result.Breakdown, level float64) reading {
	defined := b.Samples - b.Local.Undefined
	out := reading{share: b.Local.Mean, n: defined}
	n := float64(defined)
	if b.Samples > 0 {
		n *= independent(b) / float64(b.Samples)
	}
	mean, ok1 := b.Local.Mean.Value()
	sd, ok2 := b.Local.SD.Value()
	if ok1 && ok2 && n > 1 && level > 0 && level < 1 {
		half := studentT((1+level)/2, n-1) * sd / math.Sqrt(n)
		out.low, out.high = score.Defined(mean-half), score.Defined(mean+half)
	}
	return out
}

// independent returns how many independent samples a breakdown is of: fewer than samples
// where these have clusters or weights.
func independent(b *result.Breakdown) float64 {
	if b.Clusters != nil {
		return *b.Clusters
	}
	return float64(b.Samples)
}

// quantities lists what results can be compared by: as statistics does, from results
// alone. Classes are those that any of them has.
func quantities(names [2][]string, classes []string) []Quantity {
	var out []Quantity
	out = append(out, scores(nil)...)
	modalities := union(names)
	for _, by := range []Aggregation{Global, MeanAbsolute} {
		for _, name := range modalities {
			out = append(out, Quantity{Kind: Contribution, Aggregation: by, Modalities: []string{name}})
		}
		for i, first := range modalities {
			for _, second := range modalities[i+1:] {
				out = append(out, Quantity{Kind: Pair, Aggregation: by, Modalities: []string{first, second}})
			}
		}
	}
	for g := range classes {
		out = append(out, scores(&classes[g])...)
	}
	return out
}

// scores lists the scores of a class, or of all samples.
func scores(class *string) []Quantity {
	var out []Quantity
	for _, by := range []Aggregation{Global, MeanAbsolute, Local} {
		out = append(out, Quantity{Kind: InterSHAP, Aggregation: by, Modalities: []string{}, Class: class})
	}
	return out
}

// carriedRow compares two results by the intervals that they carry.
func carriedRow(q Quantity, from [2]reading, levels [2]float64, level float64) Row {
	r := Row{Quantity: q, Base: Value{Value: from[0].share, N: from[0].n}, Other: Value{Value: from[1].share, N: from[1].n}}
	a, ok1 := carriedOf(from[0].share, from[0].low, from[0].high)
	b, ok2 := carriedOf(from[1].share, from[1].low, from[1].high)
	e := b.atLevel(levels[1], level).less(a.atLevel(levels[0], level))
	if !ok1 || !ok2 {
		e = estimate{delta: from[1].share.Or(0) - from[0].share.Or(0), reason: "a result has no interval"}
	}
	r.settle(e)
	return r
}
