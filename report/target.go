package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

const (
	// openRows are the rows of a table that are shown at once; the others fold away.
	openRows = 15
	// mostColours is the number of modalities that are told apart in a stack.
	mostColours = 6
)

// A target is what the page says of one explained number.
type target struct {
	// ID starts the addresses of its sections; Alone is set where there is no other.
	ID    string
	Alone bool
	// Name, and Marks of the warnings about it.
	Name         string
	Marks        []int
	Verdict      string
	Headline     string
	Base, Output string
	Samples      string
	Whisker      string // "95 %"
	Score        ranges
	Fall         waterfall
	Cancels      bool
	Shares       shareTable
	Classes      *classTable
	Pairs        *pairTable
	Orders       *orderSection
	Spread       *spread
}

func newTarget(ex *result.Explanation, at int, samples *result.Samples) target {
	t := &ex.Targets[at]
	confidence := ex.Provenance.Level
	out := target{
		ID: fmt.Sprintf("t%d", at+1), Alone: len(ex.Targets) == 1,
		Name:     wording.Escape(t.Target),
		Verdict:  wording.NoBreak(wording.Escape(wording.Verdict(ex, t))),
		Headline: wording.HeadlineName(t.Headline),
		Base:     number(t.Base), Output: number(t.Output),
		Samples: wording.Count(int64(t.Samples), "sample"),
		Whisker: wording.Level(confidence) + "\u00a0%",
		Score:   scoreRanges(t),
		Fall:    newWaterfall(&t.Breakdown, ex.Modalities, confidence),
		Cancels: t.Headline == result.MeanAbsolute,
		Shares:  newShareTable(t, ex.Modalities),
		Classes: newClassTable(t, ex.Modalities),
		Pairs:   newPairTable(t, ex.Modalities),
		Orders:  newOrderSection(t, len(ex.Modalities)),
	}
	for i, w := range ex.Warnings {
		if w.Subject == t.Target {
			out.Marks = append(out.Marks, i+1)
		}
	}
	if samples != nil {
		s := newSpread(t, ex, samples, at)
		out.Spread = &s
	}
	return out
}

// A heading of a section; of several targets each is a section above.
type heading struct {
	Alone        bool
	Anchor, Text string
}

// Heading is known to the templates.
func (t target) Heading(section, text string) heading {
	return heading{t.Alone, t.ID + "-" + section, text}
}

// A shareCell is a share with its bounds.
type shareCell struct {
	Text, Bounds string
	Strong       bool
}

func newShareCell(v wording.Interval, strong bool) shareCell {
	text, bounds := parts(v)
	return shareCell{text, bounds, strong}
}

// A shareTable has the score and each modality's contribution in all aggregations.
type shareTable struct {
	Columns []string
	// Headline is the column to read.
	Headline int
	Rows     []shareRow
}

type shareRow struct {
	Label label
	Cells []shareCell
}

func newShareTable(t *result.Target, modalities []string) shareTable {
	aggregates := []*result.Aggregate{&t.Global.Aggregate, &t.MeanAbsolute.Aggregate}
	table := shareTable{Columns: []string{"global", "mean absolute", "local"}}
	if t.Headline == result.MeanAbsolute {
		table.Headline = 1
	}
	score := shareRow{Label: label{First: "InterSHAP"}}
	for i, a := range aggregates {
		score.Cells = append(score.Cells, newShareCell(wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, i == table.Headline))
	}
	local := scoreRanges(t).Rows[2]
	score.Cells = append(score.Cells, shareCell{Text: local.Text, Bounds: local.Bounds})
	table.Rows = append(table.Rows, score)
	if x, ok := t.Local.Corrected.Value(); ok {
		table.Rows = append(table.Rows, shareRow{
			Label: label{First: "local score less its bias"},
			Cells: []shareCell{{}, {}, {Text: percent(x)}},
		})
	}
	for _, m := range modalities {
		row := shareRow{Label: aloneOf(m)}
		for i, a := range aggregates {
			bounds := a.ContributionIntervals[m]
			row.Cells = append(row.Cells, newShareCell(wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]}, i == table.Headline))
		}
		table.Rows = append(table.Rows, shareRow{row.Label, append(row.Cells, shareCell{})})
	}
	return table
}

// A segment is a part of a stack.
type segment struct {
	X, Width, Class, Title string
	// Pale ones are not clear of their error.
	Pale bool
}

// A classRow is one predicted class.
type classRow struct {
	Name         string
	Samples      string
	Base, Output string
	Score        span
	Stack        []segment
	// Parts are the contributions and, last, the interactions.
	Parts []shareCell
}

// A classTable breaks the headline down by predicted class.
type classTable struct {
	Ticks []tick
	// Legend names the colours of the stacks, Heads the columns of the parts.
	Legend []segment
	Heads  []label
	Open   []classRow
	More   []classRow
}

func newClassTable(t *result.Target, modalities []string) *classTable {
	if len(t.ByClass) == 0 {
		return nil
	}
	table := &classTable{Ticks: fewTicks()}
	for _, m := range modalities {
		table.Heads = append(table.Heads, aloneOf(m))
	}
	table.Heads = append(table.Heads, label{First: "interactions"})
	var rows []classRow
	for i := range t.ByClass {
		c := &t.ByClass[i]
		a := wording.HeadlineAggregate(&c.Breakdown, t.Headline)
		v := wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}
		row := classRow{
			Name: wording.Escape(c.Class), Samples: wording.Grouped(int64(c.Samples)),
			Base: number(c.Base), Output: number(c.Output),
			Score: shareSpan(label{First: wording.Escape(c.Class)}, kindPair, v, percentAxis),
			Stack: newStack(a, modalities),
		}
		for _, m := range modalities {
			bounds := a.ContributionIntervals[m]
			row.Parts = append(row.Parts, newShareCell(wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]}, false))
		}
		row.Parts = append(row.Parts, newShareCell(v, false))
		rows = append(rows, row)
	}
	pale := slices.ContainsFunc(rows, func(r classRow) bool {
		return slices.ContainsFunc(r.Stack, func(s segment) bool { return s.Pale })
	})
	table.Legend = legend(modalities, pale)
	open := min(len(rows), openRows)
	table.Open, table.More = rows[:open], rows[open:]
	return table
}

// shade is the style of a modality's segment in a stack: with many modalities one
// shade is all that is told.
func shade(i, modalities int) string {
	if modalities > mostColours {
		return "shade0"
	}
	return fmt.Sprintf("shade%d", i)
}

func legend(modalities []string, pale bool) []segment {
	var out []segment
	if len(modalities) > mostColours {
		out = []segment{{Class: "shade0", Title: "modalities alone, in their order"}}
	} else {
		for i, m := range modalities {
			out = append(out, segment{Class: shade(i, len(modalities)), Title: wording.Escape(m) + " alone"})
		}
	}
	out = append(out, segment{Class: "pair", Title: "interactions"})
	if pale {
		out = append(out, segment{Class: "shade0", Pale: true, Title: "pale: not clear of its error"})
	}
	return out
}

// newStack lays shares beside each other; nil where they are undefined. Of those that
// are not clear of their error no number is told.
func newStack(a *result.Aggregate, modalities []string) []segment {
	var out []segment
	var at float64
	add := func(name, class string, v wording.Interval) {
		x := v.Share.Or(0)
		if x <= 0 {
			return
		}
		s := segment{Class: class, Pale: v.OneSided(), Title: name + " " + percent(x)}
		if s.Pale {
			s.Title = name + ", not clear of its error"
		}
		s.X, s.Width = percentAxis.span(at, at+x)
		out = append(out, s)
		at += x
	}
	for i, m := range modalities {
		bounds := a.ContributionIntervals[m]
		add(wording.Escape(m)+" alone", shade(i, len(modalities)), wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]})
	}
	add("interactions", "pair", wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High})
	return out
}

// A pairRow is one pair.
type pairRow struct {
	Span  span
	Other shareCell
	Phi   string
}

// A pairTable ranks the pairs, and shows phi as a matrix from three modalities on.
type pairTable struct {
	Ticks           []tick
	Headline, Other string
	Open, More      []pairRow
	Names           []label
	Matrix          [][]matrixCell
}

// A matrixCell is a cell of phi; its level, 0 to 4, says how large it is.
type matrixCell struct {
	Text, Kind string
	Level      int
}

func newPairTable(t *result.Target, modalities []string) *pairTable {
	headline := wording.HeadlineAggregate(&t.Breakdown, t.Headline).Pairs
	if len(headline) == 0 {
		return nil
	}
	var largest float64
	for _, p := range headline {
		largest = max(largest, p.Share.Or(0), p.High.Or(0))
	}
	onto, ticks := shareAxis(largest)
	table := &pairTable{Ticks: ticks, Headline: "global", Other: "mean absolute"}
	other := pairShares(&t.MeanAbsolute.Aggregate)
	global := pairShares(&t.Global.Aggregate)
	if t.Headline == result.MeanAbsolute {
		table.Headline, table.Other, other = table.Other, table.Headline, global
	}
	var rows []pairRow
	for _, at := range wording.SortedPairs(t) {
		p := headline[at]
		o := other[p.Pair]
		rows = append(rows, pairRow{
			Span:  shareSpan(pairOf(p.Pair), kindPair, wording.Interval{Share: p.Share, Low: p.Low, High: p.High}, onto),
			Other: newShareCell(wording.Interval{Share: o.Share, Low: o.Low, High: o.High}, false),
			Phi:   signed(global[p.Pair].Phi),
		})
	}
	open := min(len(rows), openRows)
	table.Open, table.More = rows[:open], rows[open:]
	if len(modalities) > 2 {
		table.Matrix = newMatrix(t.Global.Phi)
		for _, m := range modalities {
			table.Names = append(table.Names, nameOf(m))
		}
	}
	return table
}

// newMatrix shades cells by their size relative to the largest.
func newMatrix(phi [][]float64) [][]matrixCell {
	var largest float64
	for _, row := range phi {
		for _, x := range row {
			largest = max(largest, math.Abs(x))
		}
	}
	const levels = 4
	var out [][]matrixCell
	for i, row := range phi {
		cells := make([]matrixCell, len(row))
		for j, x := range row {
			c := matrixCell{Text: signed(x), Kind: kindPair}
			if i == j {
				c.Kind = kindAlone
			}
			if largest > 0 {
				c.Level = int(math.Round(levels * (math.Abs(x) / largest)))
			}
			cells[j] = c
		}
		out = append(out, cells)
	}
	return slices.Clip(out)
}
