package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// What a waterfall shows of pairs, and of modalities alone; those beyond it, the
// smallest, are one step together. page.js has the same numbers.
const (
	mostSteps = 8
	mostAlone = 15
)

// A label names a modality or a pair.
type label struct {
	// First and Second are a pair's names; a label of one text has it in First.
	First, Second string
	// Note stands behind the name: "alone".
	Note string
}

func (l label) String() string {
	text := l.First
	if l.Second != "" {
		text = wording.PairName([2]string{l.First, l.Second})
	}
	if l.Note != "" {
		text += " " + l.Note
	}
	return text
}

func nameOf(modality string) label { return label{First: wording.Escape(modality)} }

// aloneOf names what a modality does alone.
func aloneOf(modality string) label { return label{First: wording.Escape(modality), Note: "alone"} }

func pairOf(pair [2]string) label {
	return label{First: wording.Escape(pair[0]), Second: wording.Escape(pair[1])}
}

// The kinds of bars, which are classes of the style sheet too.
const (
	kindAlone = "alone" // what a modality does alone
	kindPair  = "pair"  // what a pair does together
	kindEnd   = "end"   // the value that a waterfall starts from or comes to
)

// A bar is a row of a waterfall.
type bar struct {
	Label label
	Kind  string
	// X and Width are those of the bar, From and To its ends in the direction of the
	// walk. Low and High are the ends of the whisker, empty without one.
	X, Width, From, To, Low, High string
	// First and Last bars have no link to one before or after.
	First, Last bool
	// Value is the signed number, Share the part of behaviour with bounds behind it.
	Value, Share, Bounds string
	// Title says in words where the bar lies.
	Title string
}

// A waterfall walks from the base value over what each modality does alone and what
// each pair does together to the output. The steps sum up to it exactly.
type waterfall struct {
	Ticks []tick
	Bars  []bar
	// Whiskers is set where any bar has one.
	Whiskers bool
	// Pooled is set where steps do not lead to the output, since they are means over
	// different samples. Then bars begin at Zero and there are no ends.
	Pooled bool
	Zero   string
}

// A step is what one bar adds.
type step struct {
	label label
	kind  string
	value float64
	// se is the standard error of value, negative where it is unknown.
	se    float64
	share wording.Interval
	// unsaid is set for a sum of shares of which some are not clear of their error: it
	// says nothing.
	unsaid bool
}

// newWaterfall lays out the mean matrix of a target or a class. level is that of the
// whiskers.
func newWaterfall(b *result.Breakdown, modalities []string, level float64) waterfall {
	return layWaterfall(b.Base, b.Output, meanSteps(b, modalities), math.Sqrt2*math.Erfinv(level))
}

// newPooled lays out a mean matrix whose cells are means over different samples: each
// step by itself.
func newPooled(b *result.Breakdown, modalities []string, level float64) waterfall {
	return layPooled(meanSteps(b, modalities), math.Sqrt2*math.Erfinv(level))
}

// meanSteps returns the steps of a mean matrix: modalities in their order, then pairs,
// the largest first.
func meanSteps(b *result.Breakdown, modalities []string) []step {
	phi, a := b.Global.Phi, &b.Global.Aggregate
	shares := pairShares(a)
	var alone, pairs []step
	for i, name := range modalities {
		bounds := a.ContributionIntervals[name]
		l := aloneOf(name)
		alone = append(alone, step{
			label: l, kind: kindAlone, value: phi[i][i], se: cellError(b.Global.PhiSE, i, i),
			share: wording.Interval{Share: a.Contributions[name], Low: bounds[0], High: bounds[1]},
		})
		for j := i + 1; j < len(modalities); j++ {
			names := [2]string{name, modalities[j]}
			se := cellError(b.Global.PhiSE, i, j)
			if se > 0 {
				se *= 2 // the sum of two equal cells
			}
			p := shares[names]
			pairs = append(pairs, step{
				label: pairOf(names), kind: kindPair, value: bounded(phi[i][j] + phi[j][i]), se: se,
				share: wording.Interval{Share: p.Share, Low: p.Low, High: p.High},
			})
		}
	}
	return append(foldedAlone(alone), folded(pairs)...)
}

// pairShares returns the pairs by their names, in either order.
func pairShares(a *result.Aggregate) map[[2]string]result.Pair {
	out := map[[2]string]result.Pair{}
	for _, p := range a.Pairs {
		out[p.Pair] = p
		out[[2]string{p.Pair[1], p.Pair[0]}] = p
	}
	return out
}

// cellError returns the standard error of a cell from all sources that are known; below
// zero where there is none.
func cellError(se result.PhiSE, i, j int) float64 {
	if x, ok := se.Cell(i, j); ok {
		return bounded(x)
	}
	return -1
}

// folded returns the pairs, largest first, the smallest beyond mostSteps as one.
func folded(pairs []step) []step {
	pairs = largestFirst(pairs)
	if len(pairs) <= mostSteps+1 { // a fold of one saves nothing
		return pairs
	}
	rest := together(kindPair, pairs[mostSteps:])
	rest.label = label{First: fmt.Sprintf("%d more pairs", len(pairs)-mostSteps)}
	return append(pairs[:mostSteps:mostSteps], rest)
}

// foldedAlone returns the modalities alone in their order, the smallest beyond mostAlone
// as one at the end.
func foldedAlone(alone []step) []step {
	if len(alone) <= mostAlone+1 {
		return alone
	}
	least := math.Abs(largestFirst(alone)[mostAlone].value)
	ties := mostAlone // how many of the size of the first that is folded are kept
	for _, s := range alone {
		if math.Abs(s.value) > least {
			ties--
		}
	}
	var kept, small []step
	for _, s := range alone {
		switch size := math.Abs(s.value); {
		case size > least:
			kept = append(kept, s)
		case size == least && ties > 0:
			ties--
			kept = append(kept, s)
		default:
			small = append(small, s)
		}
	}
	rest := together(kindAlone, small)
	rest.label = label{First: fmt.Sprintf("%d more", len(small)), Note: "alone"}
	return append(kept, rest)
}

// largestFirst sorts a copy by size; of equal steps the first stays first.
func largestFirst(steps []step) []step {
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(math.Abs(b.value), math.Abs(a.value)) })
	return steps
}

// together makes one step of several.
func together(kind string, steps []step) step {
	rest := step{kind: kind, se: -1} // the error of a sum is not in the result
	var share float64
	known := true
	for _, s := range steps {
		rest.value = bounded(rest.value + s.value)
		x, ok := s.share.Share.Value()
		share += x
		known = known && ok
		rest.unsaid = rest.unsaid || s.share.OneSided()
	}
	if known {
		rest.share.Share = score.Defined(share)
	}
	return rest
}

// layWaterfall lays out steps; z is the whiskers' length in standard errors.
func layWaterfall(base, output float64, steps []step, z float64) waterfall {
	ends := make([]float64, 0, 3*len(steps)+2)
	at := base
	for _, s := range steps {
		at = bounded(at + s.value)
		ends = append(ends, at)
		if s.se > 0 {
			ends = append(ends, bounded(at-z*s.se), bounded(at+z*s.se))
		}
	}
	a := newAxis(append(ends, base, output)...)
	w := waterfall{Ticks: a.ticks(4)}
	w.Bars = append(w.Bars, endBar(a, "base value", base, true))
	at = base
	for _, s := range steps {
		to := bounded(at + s.value)
		w.add(s, a, at, to, z)
		at = to
	}
	w.Bars = append(w.Bars, endBar(a, "output", output, false))
	return w
}

// layPooled lays out steps that begin at zero.
func layPooled(steps []step, z float64) waterfall {
	ends := []float64{0}
	for _, s := range steps {
		ends = append(ends, s.value)
		if s.se > 0 {
			ends = append(ends, bounded(s.value-z*s.se), bounded(s.value+z*s.se))
		}
	}
	a := newAxis(ends...)
	w := waterfall{Ticks: a.ticks(4), Pooled: true, Zero: a.place(0)}
	for _, s := range steps {
		w.add(s, a, 0, s.value, z)
		b := &w.Bars[len(w.Bars)-1]
		b.First, b.Last = true, true // no links
	}
	return w
}

// add draws a step from one value to another.
func (w *waterfall) add(s step, a axis, from, to, z float64) {
	b := bar{
		Label: s.label, Kind: s.kind, From: a.place(from), To: a.place(to), Value: signed(s.value),
		Title: fmt.Sprintf("from %s to %s", number(from), number(to)),
	}
	b.X, b.Width = a.span(from, to)
	if !s.unsaid {
		b.Share, b.Bounds = parts(s.share)
	}
	if s.se > 0 {
		w.Whiskers = true
		b.Low, b.High = a.place(bounded(to-z*s.se)), a.place(bounded(to+z*s.se))
		b.Title += ", ±\u00a0" + wording.Digits(z*s.se, 3)
	}
	w.Bars = append(w.Bars, b)
}

func endBar(a axis, name string, x float64, first bool) bar {
	return bar{
		Label: label{First: name}, Kind: kindEnd, X: a.place(x), From: a.place(x), To: a.place(x),
		First: first, Last: !first, Value: number(x), Title: "at " + number(x),
	}
}

// number writes a number of the model's unit with four digits, as figures do.
func number(x float64) string { return wording.Digits(x, 4) }

// signed writes what is added with three digits and its sign; an exact zero has none.
func signed(x float64) string {
	if x > 0 {
		return "+" + wording.Digits(x, 3)
	}
	return wording.Digits(x, 3)
}

// parts writes a share and its bounds, each on one line.
func parts(v wording.Interval) (head, tail string) {
	head, tail = v.Parts()
	return wording.NoBreak(head), wording.NoBreak(tail)
}

// percent writes a share on one line.
func percent(x float64) string { return wording.NoBreak(wording.Percent(x)) }
