package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

const (
	// mostPairs and mostClasses are the rows of a table; the JSON has all.
	mostPairs   = 15
	mostClasses = 15
)

// circumstances are what an explanation does not say of how it came about.
type circumstances struct {
	// guessed is set when the task was not given.
	guessed bool
	// resumed is set when tiles came from a checkpoint: the time is then that of
	// the others.
	resumed bool
}

// writeTable writes an explanation for a person.
func writeTable(p *page, ex *result.Explanation, how circumstances) {
	notes := footnotes{warnings: ex.Warnings}
	for _, t := range ex.Targets {
		notes.targets = append(notes.targets, t.Target)
	}
	writeHead(p, ex, how.guessed, notes)
	for i := range ex.Targets {
		t := &ex.Targets[i]
		p.blank()
		p.line("target %s%s: base %s, output %s", t.Target, notes.marks(p, t.Target), significant(t.Base), significant(t.Output))
		p.blank()
		writeShares(p, t, ex.Modalities)
		writeAcross(p, t, ex.Groups)
		writeSpectrum(p, t, len(ex.Modalities))
		writeInteractions(p, t)
		p.blank()
		p.hang("* ", wording.Verdict(ex, t))
		if t.AtLeast != nil {
			p.hang("* ", wording.AtLeast(t))
		}
		if len(ex.Targets) == 1 {
			writeClasses(p, t)
			writeCohort(p, t, ex.Modalities)
		}
	}
	if ex.Sensitivity != nil {
		p.blank()
		writeSensitivity(p, ex)
	}
	p.blank()
	if len(ex.Targets) > 1 {
		if parts := brokenDown(&ex.Targets[0]); parts != "" {
			p.line("each target %s: see --json", parts)
		}
	}
	p.line("%s", wording.Residual(ex.Targets))
	if ex.Provenance.Additive {
		p.line("additive by construction: interactions are zero")
	}
	writeCost(p, ex, how.resumed)
	notes.write(p)
}

// writeHead says what was explained, and how.
func writeHead(p *page, ex *result.Explanation, guessed bool, notes footnotes) {
	from := ex.Provenance
	task := "task " + from.Task
	if guessed {
		task += " (guessed)"
	}
	background := fmt.Sprintf("%s, %s, mask %s", filepath.Base(from.Background.Source.Source), count(int64(from.Background.Rows), "row"), from.Background.Mask)
	lines := [][2]string{
		{"model", modelName(from.Model.Source)},
		{"data", fmt.Sprintf("%s, %s", filepath.Base(from.Data.Source.Source), count(int64(from.Data.Samples), "sample"))},
		{"background", background},
		{"explained", fmt.Sprintf("output %s, %s, transform %s", from.Output, task, from.Transform)},
		{"scores", fmt.Sprintf("convention %s, %s %% intervals", from.Convention, level(from.Level))},
	}
	if text := cohortOf(&from); text != "" {
		lines = slices.Insert(lines, 2, [2]string{"cohort", text})
	}
	if text := coalitionsOf(ex); text != "" {
		lines = append(lines, [2]string{"coalitions", text})
	}
	p.markedPairs(lines, notes.marks(p, ""))
}

// writeShares writes the grid of one target: the score, each modality, each
// pair, in every aggregation.
func writeShares(p *page, t *result.Target, modalities []string) {
	global, absolute := headlineHeads(t)
	rows := [][]cell{{{head: ""}, global, absolute, {head: "local"}}}
	score := []cell{{head: scoreLabel(t)}, scoreCell(&t.Global.Aggregate), scoreCell(&t.MeanAbsolute.Aggregate), localCell(t.Local)}
	switch {
	case t.Across != nil: // across modalities is
	case t.Headline == result.Global:
		score[1].strong = true
	default:
		score[2].strong = true
	}
	rows = append(rows, score)
	corrected := []cell{{head: "  corrected"}, correctedCell(t.Global.Corrected), correctedCell(t.MeanAbsolute.Corrected), correctedCell(t.Local.Corrected)}
	if slices.ContainsFunc(corrected[1:], func(c cell) bool { return c.head != "" }) {
		rows = append(rows, corrected)
	}
	// Scores end above the bars, so that these have the room of the last column, and
	// their own heading there.
	var parts [][]cell
	for _, m := range modalities {
		row := []cell{{head: m}, contributionCell(&t.Global.Aggregate, m), contributionCell(&t.MeanAbsolute.Aggregate, m)}
		parts = append(parts, withBar(p, row, contributionOf(wording.HeadlineAggregate(&t.Breakdown, t.Headline), m), false))
	}
	shown, rest := largestPairs(t.Global.Pairs, t.MeanAbsolute.Pairs, t.Headline)
	for _, at := range shown {
		g, a := t.Global.Pairs[at], t.MeanAbsolute.Pairs[at]
		headline, _ := pairShares(g, a, t.Headline)
		parts = append(parts, withBar(p, []cell{pairHead(g.Pair), pairCell(g), pairCell(a)}, headline, true))
	}
	if haveBars(parts) {
		rows = append(rows, []cell{{}, {}, {}, barsHead(t.Headline)})
	}
	p.grid(append(rows, parts...))
	writeMore(p, "pair", "", rest)
}

// headlineHeads are the headings of the two aggregations of means, with a mark at the one
// to read first.
func headlineHeads(t *result.Target) (global, absolute cell) {
	global, absolute = cell{head: "global"}, cell{head: "mean absolute"}
	headline := &global
	if t.Headline == result.MeanAbsolute {
		headline = &absolute
	}
	headline.head += " *"
	headline.strong = true
	return global, absolute
}

// largestPairs returns the positions of the pairs that a table has: the largest first by
// the aggregation to read, all of them or mostPairs without those that have nothing to
// tell. rest are the shares of the others.
func largestPairs(global, absolute []result.Pair, h result.Headline) (shown []int, rest []wording.Interval) {
	of := global
	if h == result.MeanAbsolute {
		of = absolute
	}
	shown, left := wording.Largest(wording.LargestFirst(of), mostPairs, func(at int) (headline, other wording.Interval) {
		return pairShares(global[at], absolute[at], h)
	})
	for _, at := range left {
		headline, _ := pairShares(global[at], absolute[at], h)
		rest = append(rest, headline)
	}
	return shown, rest
}

// pairShares returns the share of a pair in the aggregation to read first and in the other.
func pairShares(global, absolute result.Pair, h result.Headline) (headline, other wording.Interval) {
	g := wording.Interval{Share: global.Share, Low: global.Low, High: global.High}
	a := wording.Interval{Share: absolute.Share, Low: absolute.Low, High: absolute.High}
	if h == result.MeanAbsolute {
		return a, g
	}
	return g, a
}

func scoreCell(a *result.Aggregate) cell { return interval{a.InterSHAP, a.Low, a.High}.cell() }

// correctedCell is empty where there is nothing to correct.
func correctedCell(s score.Share) cell {
	if x, ok := s.Value(); ok {
		return cell{head: percent(x)}
	}
	return cell{}
}

func contributionOf(a *result.Aggregate, modality string) wording.Interval {
	bounds := a.ContributionIntervals[modality]
	return wording.Interval{Share: a.Contributions[modality], Low: bounds[0], High: bounds[1]}
}

func contributionCell(a *result.Aggregate, modality string) cell {
	v := contributionOf(a, modality)
	return interval{v.Share, v.Low, v.High}.cell()
}

// withBar adds the bar of a share to a row, where the page has bars. What is not clear
// of its error has none: there is no number to draw.
func withBar(p *page, row []cell, v wording.Interval, together bool) []cell {
	x := v.Share.Or(0)
	if !p.bars || !(x > 0) || v.OneSided() || v.Unclear() {
		return row
	}
	return append(row, cell{bar: x, together: together})
}

// haveBars reports whether any row ends with a bar.
func haveBars(rows [][]cell) bool {
	return slices.ContainsFunc(rows, func(row []cell) bool { return row[len(row)-1].ofBars() })
}

// barsHead is the heading of bars, which draw the aggregation to read first.
func barsHead(h result.Headline) cell {
	return cell{head: wording.HeadlineName(h), overBars: true}
}

func pairCell(p result.Pair) cell { return interval{p.Share, p.Low, p.High}.cell() }

func localCell(l result.LocalAggregate) cell {
	mean, ok := l.Mean.Value()
	if !ok {
		return cell{head: undefined}
	}
	c := cell{head: percent(mean)}
	if sd, ok := l.SD.Value(); ok {
		c.tail = "± " + points(sd)
	}
	return c
}

// pairHead is a pair at the head of a row, where each name is shortened.
func pairHead(pair [2]string) cell { return cell{head: wording.PairName(pair), pair: pair} }

// writeClasses breaks the headline down by predicted class.
func writeClasses(p *page, t *result.Target) {
	if len(t.ByClass) == 0 {
		return
	}
	p.blank()
	classes := wording.Classes(t)
	shown := classes[:min(len(classes), mostClasses)]
	clustered := countsFewer(shown)
	rows := [][]cell{{
		{head: "predicted class"}, {head: "samples", number: true}, {head: scoreName(t) + " *"},
		{head: "base", number: true}, {head: "output", number: true},
	}}
	if clustered {
		rows[0] = slices.Insert(rows[0], 2, cell{head: "independent", number: true})
	}
	for _, c := range shown {
		a := wording.HeadlineAggregate(c.Breakdown, t.Headline)
		row := []cell{
			{head: c.Name}, {head: grouped(int64(c.Samples)), number: true}, interval{a.Score(), a.Low, a.High}.cell(),
			{head: significant(c.Base), number: true}, {head: significant(c.Output), number: true},
		}
		if clustered {
			row = slices.Insert(row, 2, independentCell(c.Breakdown))
		}
		rows = append(rows, withBar(p, row, wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}, true))
	}
	if t.Macro != nil {
		rows = append(rows, macroRow(p, t, clustered))
	}
	if haveBars(rows[1:]) {
		rows[0] = append(rows[0], barsHead(t.Headline))
	}
	p.grid(rows)
	if t.Macro != nil {
		p.line("%s", wording.Macro(t))
	}
	if more := len(t.ByClass) - mostClasses; more > 0 {
		p.line("%d more classes in --json", more)
	}
}

// writeCost says what the run took. The speed of a resumed run is not known: its
// rows are those of the whole, its time is not.
func writeCost(p *page, ex *result.Explanation, resumed bool) {
	c, kind := ex.Cost, intershap.FullPlan
	if ex.Provenance.Plan == intershap.StagedPlan.String() {
		kind = intershap.StagedPlan
	}
	var rows int64
	for _, n := range c.Rows {
		rows += n
	}
	// In parts a run answers for rows of the whole model that never run.
	answered := rows
	if kind == intershap.StagedPlan {
		answered = c.RowsNaive
	}
	text := fmt.Sprintf("%s in %s, %s rows a second", count(answered, "model row"), seconds(c.Seconds), rate(answered, c.Seconds))
	if resumed {
		text = fmt.Sprintf("%s, those that the checkpoint did not have in %s", count(answered, "model row"), seconds(c.Seconds))
	}
	switch {
	case kind == intershap.StagedPlan:
		text += fmt.Sprintf(", by running %s of its parts", count(rows, "row"))
	case rows < c.RowsNaive:
		text += fmt.Sprintf("; the plain way takes %s", grouped(c.RowsNaive))
	}
	p.line("%s", text)
}

// rowUnit is what the rows of a plan are rows of: of a part of the model, or of
// all of it.
func rowUnit(kind intershap.PlanKind) string {
	if kind == intershap.StagedPlan {
		return "part row"
	}
	return "model row"
}

// footnotes numbers the warnings and marks what they are about: a target, or
// all.
type footnotes struct {
	warnings []diag.Warning
	targets  []string
}

// marks returns " [1] [3]" for the warnings about a target, or for "" those
// about none.
func (f footnotes) marks(p *page, target string) painted {
	var b strings.Builder
	for i, w := range f.warnings {
		about := ""
		if slices.Contains(f.targets, w.Subject) {
			about = w.Subject
		}
		if about == target {
			b.WriteString(" " + p.paint(doubtOn, fmt.Sprintf("[%d]", i+1)))
		}
	}
	return painted(b.String())
}

func (f footnotes) write(p *page) {
	if len(f.warnings) == 0 {
		return
	}
	p.blank()
	for i, w := range f.warnings {
		p.hang(fmt.Sprintf("[%d] ", i+1), w.String())
	}
}
