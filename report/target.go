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
	Name    string
	Marks   []int
	Verdict string
	// Answer is that to the question of at_least; empty where nobody asked.
	Answer       string
	Headline     string
	Base, Output string
	Samples      string
	Whisker      string // "95 %"
	Score        ranges
	Fall         waterfall
	Cancels      bool
	Shares       shareTable
	Across       *acrossSection
	Classes      *classTable
	Pairs        *pairTable
	Orders       *orderSection
	Spread       *spread
	// Pooled is set where cells of phi are means over different samples, see
	// wording.Pooled.
	Pooled bool
	// Independent says as how many samples they count where that is fewer; else empty.
	Independent string
	// By breaks samples down by columns, Patterns by the modalities that they have.
	By       []*classTable
	Patterns *classTable
}

func newTarget(ex *result.Explanation, at int, samples *result.Samples) target {
	t := &ex.Targets[at]
	confidence := ex.Provenance.Level
	pooled := wording.Pooled(ex, t, &t.Breakdown)
	out := target{
		ID: fmt.Sprintf("t%d", at+1), Alone: len(ex.Targets) == 1,
		Name:     wording.Escape(t.Target),
		Verdict:  wording.NoBreak(wording.Escape(wording.Verdict(ex, t))),
		Headline: wording.HeadlineName(t.Headline),
		Base:     number(t.Base), Output: number(t.Output),
		Samples: wording.Count(int64(t.Samples), "sample"),
		Whisker: wording.Level(confidence) + "\u00a0%",
		Score:   scoreRanges(t),
		Pooled:  pooled,
		Cancels: t.Headline == result.MeanAbsolute,
		Shares:  newShareTable(t, ex.Modalities),
		Across:  newAcrossSection(t, ex.Groups),
		Classes: newByClass(ex, t),
		Pairs:   newPairTable(t, ex.Modalities, boundaries(ex)),
		Orders:  newOrderSection(t, len(ex.Modalities), wording.Players(ex), pooled),

		Independent: independent(&t.Breakdown),
		By:          newPartitions(ex, t), Patterns: newPatterns(ex, t),
	}
	if out.Fall = newWaterfall(&t.Breakdown, ex.Modalities, confidence); pooled {
		out.Fall = newPooled(&t.Breakdown, ex.Modalities, confidence)
	}
	if t.AtLeast != nil {
		out.Answer = wording.NoBreak(wording.AtLeast(t))
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
	// More are the modalities with the smallest contributions, where there are many.
	More []shareRow
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
	all := shareRow{Label: label{First: "InterSHAP"}}
	if t.Across != nil {
		across := shareRow{Label: label{First: "InterSHAP", Note: "across modalities"}}
		for i, a := range []*result.AcrossAggregate{&t.Across.Global, &t.Across.MeanAbsolute} {
			across.Cells = append(across.Cells, newShareCell(wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, i == table.Headline))
		}
		across.Cells = append(across.Cells, shareCell{})
		table.Rows = append(table.Rows, across)
		if row, ok := correctedAcross(t.Across, table.Headline); ok {
			table.Rows = append(table.Rows, row)
		}
		all.Label.Note = "of all groups"
	}
	for i, a := range aggregates {
		all.Cells = append(all.Cells, newShareCell(wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, i == table.Headline))
	}
	local := localSpan(t)
	all.Cells = append(all.Cells, shareCell{Text: local.Text, Bounds: local.Bounds})
	table.Rows = append(table.Rows, all)
	if row, ok := correctedRow(t, table.Headline); ok {
		table.Rows = append(table.Rows, row)
	}
	order := slices.Clone(modalities)
	fold := len(order) > openRows+1 // a fold of one saves nothing
	if fold {
		of := aggregates[table.Headline].Contributions
		slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(of[b].Or(0), of[a].Or(0)) })
	}
	for at, m := range order {
		row := shareRow{Label: aloneOf(m)}
		for i, a := range aggregates {
			bounds := a.ContributionIntervals[m]
			row.Cells = append(row.Cells, newShareCell(wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]}, i == table.Headline))
		}
		row.Cells = append(row.Cells, shareCell{})
		if fold && at >= openRows {
			table.More = append(table.More, row)
		} else {
			table.Rows = append(table.Rows, row)
		}
	}
	return table
}

// correctedRow has the scores less what noise adds to them, as far as there are any: means
// on a budget, local scores with a background of several rows.
func correctedRow(t *result.Target, headline int) (row shareRow, ok bool) {
	all := []score.Share{t.Global.Corrected, t.MeanAbsolute.Corrected, t.Local.Corrected}
	name := "InterSHAP"
	if t.Across != nil {
		name = "of all groups"
	}
	row.Label = label{First: name, Note: "corrected"}
	for i, s := range all {
		var cell shareCell
		if x, known := s.Value(); known {
			cell, ok = shareCell{Text: percent(x), Strong: i == headline}, true
		}
		row.Cells = append(row.Cells, cell)
	}
	return row, ok
}

// correctedAcross is the same for what is across modalities.
func correctedAcross(a *result.Across, headline int) (row shareRow, ok bool) {
	row.Label = label{First: "across modalities", Note: "corrected"}
	for i, s := range []score.Share{a.Global.Corrected, a.MeanAbsolute.Corrected} {
		var cell shareCell
		if x, known := s.Value(); known {
			cell, ok = shareCell{Text: percent(x), Strong: i == headline}, true
		}
		row.Cells = append(row.Cells, cell)
	}
	row.Cells = append(row.Cells, shareCell{})
	return row, ok
}

// A segment is a part of a stack.
type segment struct {
	X, Width, Class, Title string
	// Pale ones are not clear of their error.
	Pale bool
}

// shade is the style of a modality's segment in a stack: with many modalities one
// shade is all that is told.
func shade(i, modalities int) string {
	if modalities > mostColours {
		return "shade0"
	}
	return fmt.Sprintf("shade%d", i)
}

// A stackPart is a segment of every stack: a modality with its players.
type stackPart struct {
	name    label
	players []string
}

// stackParts makes a part of each modality; groups of one are one part.
func stackParts(ex *result.Explanation) []stackPart {
	var out []stackPart
	for _, g := range ex.Groups {
		p := stackPart{name: aloneOf(g.Modality)}
		for _, at := range g.Players {
			p.players = append(p.players, ex.Modalities[at])
		}
		if n := len(p.players); n > 1 {
			p.name.Note = fmt.Sprintf("(%d groups) alone", n)
		}
		out = append(out, p)
	}
	if ex.Groups == nil {
		for _, m := range ex.Modalities {
			out = append(out, stackPart{name: aloneOf(m), players: []string{m}})
		}
	}
	return out
}

func legend(parts []stackPart, pale bool) []segment {
	var out []segment
	if len(parts) > mostColours {
		out = []segment{{Class: "shade0", Title: "modalities alone, in their order"}}
	} else {
		for i, p := range parts {
			out = append(out, segment{Class: shade(i, len(parts)), Title: p.name.String()})
		}
	}
	out = append(out, segment{Class: "pair", Title: "interactions"})
	if pale {
		out = append(out, segment{Class: "shade0", Pale: true, Title: "pale: not clear of its error"})
	}
	return out
}

// newStack lays shares beside each other; nil where they are undefined. Of those that
// are not clear of their error no number is told; a sum is clear where all of it is.
func newStack(a *result.Aggregate, parts []stackPart) []segment {
	var out []segment
	var at float64
	add := func(name, class string, x float64, pale bool) {
		if x <= 0 {
			return
		}
		s := segment{Class: class, Pale: pale, Title: name + " " + percent(x)}
		if s.Pale {
			s.Title = name + ", not clear of its error"
		}
		s.X, s.Width = percentAxis.span(at, at+x)
		out = append(out, s)
		at += x
	}
	for i, p := range parts {
		var x float64
		pale := false
		for _, m := range p.players {
			bounds := a.ContributionIntervals[m]
			x += a.Contributions[m].Or(0)
			pale = pale || wording.Interval{Share: a.Contributions[m], Low: bounds[0], High: bounds[1]}.OneSided()
		}
		add(p.name.String(), shade(i, len(parts)), x, pale)
	}
	v := wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}
	add("interactions", "pair", v.Share.Or(0), v.OneSided())
	return out
}

// boundaries returns the positions of players at which another modality begins, after
// the first; none without groups.
func boundaries(ex *result.Explanation) map[int]bool {
	out := map[int]bool{}
	for i, g := range ex.Groups {
		if i > 0 {
			out[g.Players[0]] = true
		}
	}
	return out
}

// A pairRow is one pair.
type pairRow struct {
	Span  span
	Other shareCell
	Phi   string
	// Whole rows have no place for phi.
	Whole bool
}

// A pairTable ranks the pairs, and shows phi as a matrix from three modalities on.
type pairTable struct {
	Ticks           []tick
	Headline, Other string
	Open, More      []pairRow
	Names           []label
	Matrix          [][]matrixCell
	// Starts are the positions at which another modality begins, where players are
	// groups.
	Starts map[int]bool
	// Large is set where the matrix is more than a screenful.
	Large bool
}

// A matrixCell is a cell of phi; its level, 0 to 4, says how large it is.
type matrixCell struct {
	Text, Kind string
	Level      int
}

func newPairTable(t *result.Target, modalities []string, starts map[int]bool) *pairTable {
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
		table.Matrix, table.Starts, table.Large = newMatrix(t.Global.Phi), starts, len(modalities) > openRows
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
