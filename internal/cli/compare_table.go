package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/internal/wording"
)

// nothingSaid stands for a difference of which nothing can be said, as in benchstat.
const nothingSaid = "~"

// labelWidth is what a label has at the head of a column; the title has all of it.
const labelWidth = 12

// writeComparison writes comparisons for a person, one after the other.
func writeComparison(p *page, d *compare.Document) {
	for i, c := range d.Comparisons {
		if i > 0 {
			p.blank()
		}
		notes := footnotes{warnings: c.Warnings}
		p.hangPainted("", painted(p.paint(strongOn, escape(c.Other+" against "+c.Base)))+notes.marks(p, ""))
		p.pairs(aboutComparison(c, d.Level))
		for t := range c.Targets {
			writeDifferences(p, c, &c.Targets[t], d.Level)
		}
		writeComparisonFoot(p, c)
		notes.write(p)
	}
}

// aboutComparison says which question a comparison answers, and how.
func aboutComparison(c *compare.Comparison, confidence float64) [][2]string {
	question := "two files: would other samples give another difference?"
	if c.Question == compare.Replicates {
		question = "two groups of results: would other replicates give another difference?"
	}
	lines := [][2]string{{"question", question}, {"method", methodOf(c)}, {"intervals", holdsOf(c, confidence)}}
	if s := c.Samples; s != nil && s.Agreed != nil {
		lines = append(lines, [2]string{"agreement", fmt.Sprintf("both predict the same class for %s of %s (%s)",
			grouped(int64(*s.Agreed)), count(int64(s.Shared), "sample"), percent(float64(*s.Agreed)/float64(s.Shared)))})
	}
	return lines
}

func methodOf(c *compare.Comparison) string {
	switch c.Method {
	case compare.PairedBootstrap:
		text := "paired bootstrap over " + count(int64(c.Samples.Used), "sample")
		if n := c.Samples.Independent; n < c.Samples.Used {
			text += fmt.Sprintf(" with %s different ids", grouped(int64(n)))
		}
		return text + ", " + count(int64(c.Draws), "draw")
	case compare.UnpairedBootstrap:
		return fmt.Sprintf("unpaired bootstrap over %s and %s, %s", grouped(int64(c.Samples.Base)), count(int64(c.Samples.Other), "sample"), count(int64(c.Draws), "draw"))
	case compare.Carried:
		return "from the intervals that the results carry, as if their errors were independent"
	}
	if c.Files[0] == 1 || c.Files[1] == 1 {
		return fmt.Sprintf("means over %d and %s; an interval needs 2 or more on each side", c.Files[0], count(int64(c.Files[1]), "result"))
	}
	return fmt.Sprintf("Welch's t interval of the means over %d and %s", c.Files[0], count(int64(c.Files[1]), "result"))
}

func holdsOf(c *compare.Comparison, confidence float64) string {
	text := level(confidence) + " %, "
	switch c.Method {
	case compare.Carried:
		return text + "with the error of samples and background rows"
	case compare.Welch:
		return text + "with what differs between replicates"
	}
	if c.SameBackground {
		return text + "with the error of the samples, for these background rows, which both have"
	}
	return text + "with the error of the samples, without that of the background rows"
}

// writeDifferences writes the grid of one target: scores, modalities, pairs, classes.
func writeDifferences(p *page, c *compare.Comparison, t *compare.Target, confidence float64) {
	p.blank()
	rows := [][]cell{differenceHead("target "+t.Target, c)}
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Class != nil || r.Kind != compare.InterSHAP {
			continue
		}
		name := "InterSHAP " + aggregationName(r.Aggregation)
		if r == t.HeadlineRow() {
			name += " *"
		}
		row := differenceRow(cell{head: name}, c, r)
		if r == t.HeadlineRow() {
			row = strong(row)
		}
		rows = append(rows, row)
	}
	pairs, more := shownDifferences(t)
	for _, r := range pairs {
		first := cell{head: strings.Join(r.Modalities, "")}
		if r.Kind == compare.Pair {
			first = pairHead([2]string(r.Modalities))
		}
		if r.Kind == compare.Accuracy {
			first = cell{head: "accuracy"}
		}
		rows = append(rows, differenceRow(first, c, r))
	}
	p.grid(rows)
	if more > 0 {
		p.line("%s more in --json", count(int64(more), "pair"))
	}
	p.blank()
	p.hang("* ", differenceVerdict(c, t, confidence))
	if len(c.Targets) == 1 {
		writeClassDifferences(p, c, t)
		writeGroupDifferences(p, c, t)
	}
}

// shownDifferences returns the rows of modalities, pairs and accuracy for the
// aggregation to read first, and how many pairs are left out: those with the smallest
// shares.
func shownDifferences(t *compare.Target) (rows []*compare.Row, more int) {
	by := compare.Aggregation(t.Headline)
	var pairs, last []*compare.Row
	for i := range t.Rows {
		r := &t.Rows[i]
		switch {
		case r.Kind == compare.Contribution && r.Aggregation == by:
			rows = append(rows, r)
		case r.Kind == compare.Pair && r.Aggregation == by:
			pairs = append(pairs, r)
		case r.Kind == compare.Accuracy:
			last = append(last, r)
		}
	}
	largest := func(r *compare.Row) float64 { return max(r.Base.Value.Or(-1), r.Other.Value.Or(-1)) }
	slices.SortStableFunc(pairs, func(a, b *compare.Row) int {
		switch x, y := largest(a), largest(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	shown := min(len(pairs), mostPairs)
	return slices.Concat(rows, pairs[:shown], last), len(pairs) - shown
}

func aggregationName(a compare.Aggregation) string {
	return strings.ReplaceAll(string(a), "_", " ")
}

func differenceHead(first string, c *compare.Comparison) []cell {
	return []cell{{head: first}, {head: shorten(c.Base, labelWidth), number: true}, {head: shorten(c.Other, labelWidth), number: true}, {head: "difference, points"}}
}

func differenceRow(first cell, c *compare.Comparison, r *compare.Row) []cell {
	return []cell{first, valueCell(c, r.Base), valueCell(c, r.Other), deltaCell(r)}
}

// valueCell writes what one side says, with its spread over replicates.
func valueCell(c *compare.Comparison, v compare.Value) cell {
	x, ok := v.Value.Value()
	if !ok {
		return cell{head: missing(v), number: true}
	}
	out := cell{head: percent(x), number: true}
	if sd, ok := v.SD.Value(); ok && c.Question == compare.Replicates {
		out.tail = "± " + points(sd)
	}
	return out
}

// missing says why there is no value: nothing of the kind, or no behaviour to share.
func missing(v compare.Value) string {
	if v.N == 0 {
		return "-"
	}
	return undefined
}

// deltaCell writes a difference: "+4.8 [3.1, 6.5]", "~ [-1.0, +2.0]",
// "~ (needs 2 or more)", "undefined", "-".
func deltaCell(r *compare.Row) cell {
	x, ok := r.Delta.Value()
	if !ok {
		for _, v := range []compare.Value{r.Base, r.Other} {
			if _, ok := v.Value.Value(); !ok {
				return cell{head: missing(v)}
			}
		}
		return cell{head: undefined}
	}
	low, hasLow := r.Low.Value()
	high, hasHigh := r.High.Value()
	switch {
	case !hasLow || !hasHigh:
		return cell{head: nothingSaid, tail: "(" + r.Reason + ")"}
	case r.Verdict == compare.Unclear:
		return cell{head: nothingSaid, tail: boundsOf(low, high)}
	}
	return cell{head: signedPoints(x), tail: boundsOf(low, high)}
}

func boundsOf(low, high float64) string {
	return "[" + signedPoints(low) + ", " + signedPoints(high) + "]"
}

// signedPoints writes a difference of fractions in points, with its sign.
func signedPoints(x float64) string {
	if x > 0 {
		return "+" + points(x)
	}
	return points(x)
}

// differenceVerdict says the difference of the headline in plain words.
func differenceVerdict(c *compare.Comparison, t *compare.Target, confidence float64) string {
	r := t.HeadlineRow()
	if r == nil || r.Verdict == compare.Undefined {
		return "The difference is undefined: a side has no behaviour to share."
	}
	x, _ := r.Delta.Value()
	low, hasLow := r.Low.Value()
	high, _ := r.High.Value()
	bounds := fmt.Sprintf("%s %% interval of the difference: %s to %s points", level(confidence), signedPoints(low), signedPoints(high))
	switch {
	case !hasLow:
		return fmt.Sprintf("Nothing can be said of the difference, since there is no interval (%s).", r.Reason)
	case r.Verdict == compare.Unclear && x == 0 && low == 0 && high == 0:
		return fmt.Sprintf("%s and %s have the same share of interaction.", c.Other, c.Base)
	case r.Verdict == compare.Unclear:
		return fmt.Sprintf("Whether %s or %s has more interaction cannot be said (%s).", c.Other, c.Base, bounds)
	case r.Verdict == compare.Higher:
		return fmt.Sprintf("%s has more interaction than %s (%s).", c.Other, c.Base, bounds)
	}
	return fmt.Sprintf("%s has less interaction than %s (%s).", c.Other, c.Base, bounds)
}

// writeClassDifferences breaks the headline down by predicted class.
func writeClassDifferences(p *page, c *compare.Comparison, t *compare.Target) {
	by := compare.Aggregation(t.Headline)
	var found []*compare.Row
	for i := range t.Rows {
		if r := &t.Rows[i]; r.Class != nil && r.Aggregation == by {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return
	}
	var names []string
	for _, r := range found {
		names = append(names, *r.Class)
	}
	writePartDifferences(p, c, "predicted class", names, found, mostClasses)
	if more := len(found) - mostClasses; more > 0 {
		p.line("%d more classes in --json", more)
	}
}

// writeGroupDifferences breaks the headline down by the groups that all results have.
func writeGroupDifferences(p *page, c *compare.Comparison, t *compare.Target) {
	carried := false
	for i := range t.By {
		by := &t.By[i]
		names, found := groupsOf(by, t)
		writePartDifferences(p, c, strings.Join(by.Columns, ", "), names, found, mostGroups)
		if more := len(found) - mostGroups; more > 0 {
			p.line("%d more groups in --json", more)
		}
		carried = carried || by.Method == compare.Carried && c.Method != compare.Carried
	}
	if carried {
		p.hang("", carriedGroups)
	}
}

// carriedGroups says how rows of groups are made where those of the comparison are not.
const carriedGroups = "Groups are of all samples that each result has there, and their intervals are made from those that the results carry: files of samples do not say who is in which group."

// groupsOf returns the row to read first of each group, with its name.
func groupsOf(by *compare.Partition, t *compare.Target) (names []string, rows []*compare.Row) {
	for i := range by.Groups {
		g := &by.Groups[i]
		for j := range g.Rows {
			if g.Rows[j].Aggregation == compare.Aggregation(t.Headline) {
				names, rows = append(names, wording.GroupName(g.Values)), append(rows, &g.Rows[j])
			}
		}
	}
	return names, rows
}

// writePartDifferences writes the differences of parts of the samples, at most so many.
func writePartDifferences(p *page, c *compare.Comparison, heading string, names []string, found []*compare.Row, most int) {
	rows := [][]cell{differenceHead(heading, c)}
	withSamples := c.Question == compare.Files
	if withSamples {
		rows[0] = slices.Insert(rows[0], 1, cell{head: "samples", number: true})
	}
	for i, r := range found[:min(len(found), most)] {
		row := differenceRow(cell{head: names[i]}, c, r)
		if withSamples {
			samples := grouped(int64(r.Base.N))
			if r.Other.N != r.Base.N {
				samples += ", " + grouped(int64(r.Other.N))
			}
			row = slices.Insert(row, 1, cell{head: samples, number: true})
		}
		rows = append(rows, row)
	}
	p.blank()
	p.grid(rows)
}

// writeComparisonFoot explains the sign for nothing, and where accuracy is.
func writeComparisonFoot(p *page, c *compare.Comparison) {
	silent, classes, accuracy := false, false, false
	for _, t := range c.Targets {
		for i := range t.By {
			_, rows := groupsOf(&t.By[i], &t)
			silent = silent || slices.ContainsFunc(rows, func(r *compare.Row) bool { return deltaCell(r).head == nothingSaid })
		}
		for i := range t.Rows {
			r := &t.Rows[i]
			silent = silent || deltaCell(r).head == nothingSaid
			classes = classes || r.Class != nil
			accuracy = accuracy || r.Kind == compare.Accuracy
		}
	}
	if silent || classes && !accuracy {
		p.blank()
	}
	if silent {
		p.hang(nothingSaid+" ", "nothing can be said: the interval holds zero, or there is none")
	}
	if classes && !accuracy {
		p.line("%s", noAccuracy)
	}
	if len(c.Targets) > 1 && slices.ContainsFunc(c.Targets, func(t compare.Target) bool { return len(t.By) > 0 }) {
		p.line("each target by group: see --json")
	}
	if len(c.Targets) > 1 && classes {
		p.line("each target by predicted class: see --json")
	}
}

// noAccuracy says why accuracies are not compared.
const noAccuracy = "accuracy is not compared: results hold no labels, --labels FILE adds those of the data"

// rowName is how a row is called in a list.
func rowName(r *compare.Row) string {
	switch r.Kind {
	case compare.Contribution:
		return r.Modalities[0]
	case compare.Pair:
		return wording.PairName([2]string(r.Modalities))
	case compare.Accuracy:
		return "accuracy"
	}
	return "InterSHAP"
}
