package report

import (
	"slices"
	"strings"

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

// A samplePart is a group of samples by its name.
type samplePart struct {
	name string
	*result.Breakdown
}

// newByClass breaks a target down by predicted class; nil without classes.
func newByClass(ex *result.Explanation, t *result.Target) *classTable {
	if len(t.ByClass) == 0 {
		return nil
	}
	var parts []samplePart
	for i := range t.ByClass {
		parts = append(parts, samplePart{wording.Escape(t.ByClass[i].Class), &t.ByClass[i].Breakdown})
	}
	table := newClassTable(ex, t, parts)
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
	a := wording.HeadlineAggregate(&t.Breakdown, t.Headline)
	pooled := classRow{
		Name: "all samples", Samples: wording.Grouped(int64(t.Samples)), Independent: independent(&t.Breakdown),
		Score: shareSpan(label{First: "all samples"}, kindPair, wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}, percentAxis),
		Stack: newStack(a, stackParts(ex)),
	}
	table.Whole = []classRow{macro, pooled}
	table.Notes = append(table.Notes, "The macro average is the mean of the classes’ scores, in which each class counts once, however many samples it has; classes without behaviour are left out. In the score of all samples a class counts by its samples, and effects of opposite sign in different classes can cancel.")
	return table
}

// newPartitions breaks a target down by columns of the data.
func newPartitions(ex *result.Explanation, t *result.Target) []*classTable {
	var out []*classTable
	for i := range t.By {
		p := &t.By[i]
		var columns []string
		for _, c := range p.Columns {
			columns = append(columns, wording.Escape(c))
		}
		var parts []samplePart
		for j := range p.Groups {
			parts = append(parts, samplePart{wording.GroupName(p.Groups[j].Values), &p.Groups[j].Breakdown})
		}
		table := newClassTable(ex, t, parts)
		table.Head, table.Many = strings.Join(columns, ", "), "groups"
		table.Title = "By " + table.Head
		table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples with each value of " + table.Head + ", and what their behaviour is made of."
		if len(columns) > 1 {
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
	var parts []samplePart
	for i := range t.Patterns {
		parts = append(parts, samplePart{wording.Escape(wording.PatternName(t.Patterns[i].Present)), &t.Patterns[i].Breakdown})
	}
	table := newClassTable(ex, t, parts)
	table.Head, table.Many = "present", "patterns"
	table.Caption = "InterSHAP (" + wording.HeadlineName(t.Headline) + ") of the samples that have the same modalities, and what their behaviour is made of. A modality that they lack is no player there, and has no share."
	return table
}

// newClassTable lays out groups of samples of a target.
func newClassTable(ex *result.Explanation, t *result.Target, groups []samplePart) *classTable {
	parts := stackParts(ex)
	table := &classTable{Ticks: fewTicks()}
	for _, m := range ex.Modalities {
		table.Heads = append(table.Heads, aloneOf(m))
	}
	table.Heads = append(table.Heads, label{First: "interactions"})
	table.Wide = len(ex.Modalities) > openRows
	var rows []classRow
	for _, g := range groups {
		a := wording.HeadlineAggregate(g.Breakdown, t.Headline)
		v := wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}
		row := classRow{
			Name: g.name, Samples: wording.Grouped(int64(g.Samples)), Independent: independent(g.Breakdown),
			Base: number(g.Base), Output: number(g.Output),
			Score: shareSpan(label{First: g.name}, kindPair, v, percentAxis),
			Stack: newStack(a, parts),
		}
		for _, m := range ex.Modalities {
			share, has := a.Contributions[m]
			if !has {
				row.Parts = append(row.Parts, shareCell{})
				continue
			}
			bounds := a.ContributionIntervals[m]
			row.Parts = append(row.Parts, newShareCell(wording.Interval{Share: share, Low: bounds[0], High: bounds[1]}, false))
		}
		row.Parts = append(row.Parts, newShareCell(wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}, false))
		rows = append(rows, row)
	}
	if slices.ContainsFunc(rows, func(r classRow) bool { return r.Independent != "" }) {
		table.Notes = append(table.Notes, "In brackets behind the number of samples: about how many independent ones they count as.")
	}
	pale := slices.ContainsFunc(rows, func(r classRow) bool {
		return slices.ContainsFunc(r.Stack, func(s segment) bool { return s.Pale })
	})
	table.Legend = legend(parts, pale)
	open := min(len(rows), openRows)
	table.Open, table.More = rows[:open], rows[open:]
	return table
}

// independent says as how many independent samples a breakdown counts; empty where as
// all of them.
func independent(b *result.Breakdown) string {
	if b.Clusters == nil {
		return ""
	}
	return wording.Grouped(int64(*b.Clusters + 0.5))
}
