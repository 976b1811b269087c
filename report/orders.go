package report

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// An orderSection has the share of behaviour by order, and the largest interactions of
// the index that was asked for.
type orderSection struct {
	// Players names what takes part: modalities or groups.
	Players string
	Spectra []spectrumTable
	// Parity says what the score makes of pure parity; empty where it is no
	// reference.
	Parity string
	Values *valueTable
}

// A spectrumTable is the spectrum of one index.
type spectrumTable struct {
	Title, Headline string
	Ticks           []tick
	Rows            []orderRow
}

// An orderRow is the share of one order. Reference is the place of the share that pure
// parity has; empty for none.
type orderRow struct {
	Span      span
	Local     string
	Reference string
}

// A valueTable ranks the interactions of an index.
type valueTable struct {
	Index string
	Order int
	// Headline and Other name the aggregations of the shares.
	Headline, Other string
	Ticks           []tick
	Sizes           []valueSize
	// Sum says what the values add up to; empty where they add up to nothing.
	Sum string
}

// A valueSize has the interactions of one size: those that are seen at once, and those that
// fold away.
type valueSize struct {
	Name       string
	Open, More []valueRow
}

// A valueRow is the value of one coalition.
type valueRow struct {
	Names []string
	Share span
	// Other is the share in the other aggregation, without bounds.
	Other string
	Value string
	// Bounds are those of the value.
	Bounds string
	Ticks  []tick
}

func newOrderSection(t *result.Target, modalities int, players string, pooled bool) *orderSection {
	out := &orderSection{Players: players}
	if sp := t.Spectrum; sp != nil {
		reference := ""
		parity, ok := sp.Parity.Value()
		if ok && sp.KSII != nil && sp.KSII.Order == scoreOrder {
			reference = percentAxis.place(parity)
			out.Parity = fmt.Sprintf("The dashed line is the pairs’ share of pure parity of %d %s, %s: nothing that parity does can be had from fewer than all, and an index of order two spreads it over pairs. It is a reference and no ceiling.", modalities, players, percent(parity))
		}
		if sp.Moebius != nil {
			out.Spectra = append(out.Spectra, newSpectrumTable("Möbius transform: what a coalition does that none of its subsets explains", sp.Moebius, t.Headline, ""))
		}
		if sp.KSII != nil {
			title := fmt.Sprintf("k-SII of order %d", sp.KSII.Order)
			if sp.KSII.Order < modalities {
				title += fmt.Sprintf(": what more than %d do only together is spread over them", sp.KSII.Order)
			}
			out.Spectra = append(out.Spectra, newSpectrumTable(title, sp.KSII, t.Headline, reference))
		}
	}
	out.Values = newValueTable(t)
	if out.Values != nil && pooled {
		out.Values.Sum = "" // means over different samples add up to nothing that is known
	}
	if out.Spectra == nil && out.Values == nil {
		return nil
	}
	return out
}

// scoreOrder is the order of the score.
const scoreOrder = 2

func newSpectrumTable(title string, s *result.Spectrum, h result.Headline, reference string) spectrumTable {
	out := spectrumTable{Title: title, Headline: wording.HeadlineName(h), Ticks: percentTicks()}
	for i, o := range s.Headline(h) {
		kind := kindPair
		if o.Order == 1 {
			kind = kindAlone
		}
		row := orderRow{
			Span:  shareSpan(label{First: wording.OrderName(o.Order)}, kind, wording.Interval{Share: o.Share, Low: o.Low, High: o.High}, percentAxis),
			Local: wording.Undefined,
		}
		if x, ok := s.Local[i].Share.Value(); ok {
			row.Local = percent(x)
		}
		if o.Order == scoreOrder {
			row.Reference = reference
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func newValueTable(t *result.Target) *valueTable {
	x := t.Interactions
	if x == nil {
		return nil
	}
	out := &valueTable{
		Index: wording.Escape(x.Index), Order: x.Order,
		Headline: wording.HeadlineName(t.Headline), Other: wording.HeadlineName(wording.Other(t.Headline)),
	}
	var largest, sum float64
	for i := range x.Values {
		v := &x.Values[i]
		share := wording.ValueShare(v, t.Headline)
		largest = max(largest, share.Share.Or(0), share.High.Or(0))
		sum += v.Phi
	}
	if x.Efficient {
		out.Sum = number(sum)
	}
	onto, ticks := shareAxis(largest)
	out.Ticks = ticks
	shown, rest := wording.LargestValues(x, t.Headline)
	for i := range shown {
		out.Sizes = append(out.Sizes, valueSize{
			Name: wording.OrderName(i + 1),
			Open: valueRows(t, shown[i], onto, ticks), More: valueRows(t, rest[i], onto, ticks),
		})
	}
	return out
}

func valueRows(t *result.Target, positions []int, onto axis, ticks []tick) (rows []valueRow) {
	for _, at := range positions {
		v := &t.Interactions.Values[at]
		kind := kindPair
		if len(v.Players) == 1 {
			kind = kindAlone
		}
		row := valueRow{
			Names: escaped(v.Players), Value: signed(v.Phi), Ticks: ticks,
			Share: shareSpan(label{First: strings.Join(escaped(v.Players), wording.PairSign)}, kind, wording.ValueShare(v, t.Headline), onto),
		}
		row.Other, _ = parts(wording.ValueShare(v, wording.Other(t.Headline)))
		low, ok1 := v.Low.Value()
		if high, ok2 := v.High.Value(); ok1 && ok2 {
			row.Bounds = "[" + signed(low) + ",\u00a0" + signed(high) + "]"
		}
		rows = append(rows, row)
	}
	return rows
}
