package report

import (
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// A classRow is one group of samples: those with a predicted class, with the same values
// in some columns, or with the same modalities.
type classRow struct {
	Name    string
	Samples string
	// Independent says as how many samples they count; empty where as many.
	Independent  string
	Base, Output string
	Score        span
	Stack        []segment
	// Macro is set for the macro average.
	Macro bool
	// Parts are the contributions and, last, the interactions; an empty cell is a
	// modality that the samples lack.
	Parts []shareCell
}

// A classTable breaks the headline down by groups of samples.
type classTable struct {
	// Title is the heading, empty where there is none of its own. Head is that of the
	// names, Many what several of them are called, Caption what the table shows.
	Title, Head, Many, Caption string
	Ticks                      []tick
	// Legend names the colours of the stacks, Heads the columns of the parts.
	Legend []segment
	Heads  []label
	// Wide is set where there are more of them than paper has room for.
	Wide bool
	Open []classRow
	More []classRow
	// Whole are the rows of all samples: the macro average and the pooled score.
	Whole []classRow
	// Notes are said below the table.
	Notes []string
}

// newByClass breaks a target down by predicted class; nil without classes.
func newByClass(ex *result.Explanation, t *result.Target) *classTable {
	if len(t.ByClass) == 0 {
		return nil
	}
	table := newClassTable(ex, t, wording.Classes(t))
	table.Head, table.Many = "class", "classes"
	table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples with each predicted class, and what their behaviour is made of."
	if t.Macro == nil {
		return table
	}
	m := t.Macro.Headline(t.Headline)
	macro := classRow{
		Name: "macro average", Macro: true, Samples: wording.Count(int64(t.Macro.Classes), "class"),
		Score: shareSpan(label{First: "macro average"}, kindPair, wording.Interval{Share: m.InterSHAP, Low: m.Low, High: m.High}, percentAxis),
	}
	if t.Macro.Classes != 1 {
		macro.Samples = wording.Grouped(int64(t.Macro.Classes)) + " classes"
	}
	table.Whole = []classRow{macro, newClassRow(ex, t, wording.SampleGroup{Name: "all samples", Breakdown: &t.Breakdown})}
	table.Notes = append(table.Notes, wording.MacroOnPage(t))
	return table
}

// newPartitions breaks a target down by columns of the data.
func newPartitions(ex *result.Explanation, t *result.Target) []*classTable {
	var out []*classTable
	for i := range t.By {
		p := &t.By[i]
		table := newClassTable(ex, t, wording.Groups(p))
		table.Head, table.Many = wording.PartitionName(p), "groups"
		table.Title = "By " + table.Head
		table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples with each value of " + table.Head + ", and what their behaviour is made of."
		if len(p.Columns) > 1 {
			table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples with each combination of values of " + table.Head + ", and what their behaviour is made of."
		}
		out = append(out, table)
	}
	return out
}

// newPatterns breaks a target down by the modalities that samples have; nil where all
// have all.
func newPatterns(ex *result.Explanation, t *result.Target) *classTable {
	if len(t.Patterns) == 0 {
		return nil
	}
	table := newClassTable(ex, t, wording.Patterns(t))
	table.Head, table.Many = "present", "patterns"
	table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples that have the same modalities, and what their behaviour is made of. A modality that they lack is no player there, and has no share."
	return table
}

// newClassTable lays out groups of samples of a target.
func newClassTable(ex *result.Explanation, t *result.Target, groups []wording.SampleGroup) *classTable {
	table := &classTable{Ticks: fewTicks()}
	for _, m := range ex.Modalities {
		table.Heads = append(table.Heads, aloneOf(m))
	}
	table.Heads = append(table.Heads, label{First: "interactions"})
	table.Wide = len(ex.Modalities) > openRows
	var rows []classRow
	for _, g := range groups {
		rows = append(rows, newClassRow(ex, t, g))
	}
	if slices.ContainsFunc(rows, func(r classRow) bool { return r.Independent != "" }) {
		table.Notes = append(table.Notes, "In brackets behind the number of samples: about how many independent ones they count as.")
	}
	pale := slices.ContainsFunc(rows, func(r classRow) bool {
		return slices.ContainsFunc(r.Stack, func(s segment) bool { return s.Pale })
	})
	table.Legend = legend(stackParts(ex), pale)
	open := min(len(rows), openRows)
	table.Open, table.More = rows[:open], rows[open:]
	return table
}

// newClassRow lays out one group of samples.
func newClassRow(ex *result.Explanation, t *result.Target, g wording.SampleGroup) classRow {
	a := wording.HeadlineAggregate(g.Breakdown, t.Headline)
	row := classRow{
		Name: g.Name, Samples: wording.Grouped(int64(g.Samples)), Independent: independent(g.Breakdown),
		Base: number(g.Base), Output: number(g.Output),
		Score: shareSpan(label{First: g.Name}, kindPair, wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}, percentAxis),
		Stack: newStack(a, stackParts(ex)),
	}
	for _, m := range ex.Modalities {
		share, has := a.Contributions[m]
		if !has || g.Nobody(m) {
			row.Parts = append(row.Parts, shareCell{})
			continue
		}
		bounds := a.ContributionIntervals[m]
		row.Parts = append(row.Parts, newShareCell(wording.Interval{Share: share, Low: bounds[0], High: bounds[1]}, false))
	}
	row.Parts = append(row.Parts, newShareCell(wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, false))
	return row
}

// independent says as how many independent samples a breakdown counts; empty where as
// all of them.
func independent(b *result.Breakdown) string {
	if b.Clusters == nil {
		return ""
	}
	return wording.Grouped(int64(*b.Clusters + 0.5))
}
