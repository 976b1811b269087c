package report

import (
	"fmt"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// An acrossSection has the behaviour by modality of a run whose players are groups.
type acrossSection struct {
	Headline, Other string
	// Whole has what is across and within modalities; the axis is 0 to 100 %.
	WholeTicks []tick
	Whole      []pairRow
	// Parts are what each modality does by itself and each pair of modalities does
	// together. They add up to all behaviour.
	Ticks []tick
	Open  []pairRow
	More  []pairRow
}

func newAcrossSection(t *result.Target, groups []result.Grouping) *acrossSection {
	if t.Across == nil {
		return nil
	}
	out := &acrossSection{Headline: "global", Other: "mean absolute", WholeTicks: fewTicks()}
	first, second := &t.Across.Global, &t.Across.MeanAbsolute
	if t.Headline == result.MeanAbsolute {
		out.Headline, out.Other = out.Other, out.Headline
		first, second = second, first
	}
	add := func(rows *[]pairRow, l label, kind string, a axis, x, y result.Bounded) *pairRow {
		*rows = append(*rows, pairRow{
			Span:  shareSpan(l, kind, intervalOf(x), a),
			Other: newShareCell(intervalOf(y), false),
		})
		return &(*rows)[len(*rows)-1]
	}
	across := func(a *result.AcrossAggregate) result.Bounded {
		return result.Bounded{Share: a.InterSHAP, Low: a.Low, High: a.High}
	}
	whole := func(name string, x, y result.Bounded) *pairRow {
		r := add(&out.Whole, label{First: name}, kindPair, percentAxis, x, y)
		r.Whole = true
		return r
	}
	whole("across modalities", across(first), across(second)).Span.Strong = true
	whole("within modalities", first.Within, second.Within)
	whole("cross-modal, of interaction", first.CrossModal, second.CrossModal)

	var largest float64
	see := func(x result.Bounded) { largest = max(largest, x.Share.Or(0), x.High.Or(0)) }
	for i := range groups {
		see(first.Modalities[i].Contribution)
		see(first.Modalities[i].Within)
	}
	for _, p := range first.Between {
		see(boundedOf(p))
	}
	onto, ticks := shareAxis(largest)
	out.Ticks = ticks
	var rows []pairRow
	for i, g := range groups {
		x, y := first.Modalities[i], second.Modalities[i]
		l := aloneOf(g.Modality)
		if n := len(g.Players); n > 1 {
			l.Note = fmt.Sprintf("(%d groups) alone", n)
		}
		add(&rows, l, kindAlone, onto, x.Contribution, y.Contribution)
		if len(g.Players) > 1 {
			add(&rows, label{First: wording.Escape(g.Modality), Note: "within"}, kindPair, onto, x.Within, y.Within)
		}
	}
	for _, at := range wording.LargestFirst(first.Between) {
		p := first.Between[at]
		add(&rows, pairOf(p.Pair), kindPair, onto, boundedOf(p), boundedOf(second.Between[at])).Phi = signed(t.Across.Global.Between[at].Phi)
	}
	open := min(len(rows), openRows)
	out.Open, out.More = rows[:open], rows[open:]
	return out
}

func intervalOf(x result.Bounded) wording.Interval { return wording.Interval(x) }

func boundedOf(p result.Pair) result.Bounded {
	return result.Bounded{Share: p.Share, Low: p.Low, High: p.High}
}
