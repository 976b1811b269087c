package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
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
		p.blank()
		p.hang("* ", verdict(t, ex.Provenance.Level))
		if len(ex.Targets) == 1 {
			writeClasses(p, t)
		}
	}
	p.blank()
	if len(ex.Targets) > 1 && len(ex.Targets[0].ByClass) > 0 {
		p.line("each target by predicted class: see --json")
	}
	writeResidual(p, ex.Targets)
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
	p.markedPairs([][2]string{
		{"model", filepath.Base(from.Model.Source)},
		{"data", fmt.Sprintf("%s, %s", filepath.Base(from.Data.Source.Source), count(int64(from.Data.Samples), "sample"))},
		{"background", background},
		{"explained", fmt.Sprintf("output %s, %s, transform %s", from.Output, task, from.Transform)},
		{"scores", fmt.Sprintf("convention %s, %s %% intervals", from.Convention, level(from.Level))},
	}, notes.marks(p, ""))
}

// writeShares writes the grid of one target: the score, each modality, each
// pair, in every aggregation.
func writeShares(p *page, t *result.Target, modalities []string) {
	global, absolute := cell{head: "global"}, cell{head: "mean absolute"}
	headline := &global
	if t.Headline == result.MeanAbsolute {
		headline = &absolute
	}
	headline.head += " *"
	headline.strong = true
	rows := [][]cell{{{head: ""}, global, absolute, {head: "local"}}}
	score := []cell{{head: "InterSHAP"}, scoreCell(&t.Global.Aggregate), scoreCell(&t.MeanAbsolute.Aggregate), localCell(t.Local)}
	if t.Headline == result.Global {
		score[1].strong = true
	} else {
		score[2].strong = true
	}
	rows = append(rows, score)
	if x, ok := t.Local.Corrected.Value(); ok {
		rows = append(rows, []cell{{head: "  corrected"}, {}, {}, {head: percent(x)}})
	}
	for _, m := range modalities {
		rows = append(rows, []cell{{head: m}, contributionCell(&t.Global.Aggregate, m), contributionCell(&t.MeanAbsolute.Aggregate, m)})
	}
	pairs := sortedPairs(t)
	for _, at := range pairs[:min(len(pairs), mostPairs)] {
		g, a := t.Global.Pairs[at], t.MeanAbsolute.Pairs[at]
		rows = append(rows, []cell{pairHead(g.Pair), pairCell(g), pairCell(a)})
	}
	p.grid(rows)
	if more := len(pairs) - mostPairs; more > 0 {
		p.line("%s more in --json", count(int64(more), "pair"))
	}
}

func scoreCell(a *result.Aggregate) cell { return interval{a.InterSHAP, a.Low, a.High}.cell() }

func contributionCell(a *result.Aggregate, modality string) cell {
	bounds := a.ContributionIntervals[modality]
	return interval{a.Contributions[modality], bounds[0], bounds[1]}.cell()
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

// pairSign stands between the names of a pair.
const pairSign = " × "

func pairName(pair [2]string) string { return pair[0] + pairSign + pair[1] }

// pairHead is a pair at the head of a row, where each name is shortened.
func pairHead(pair [2]string) cell { return cell{head: pairName(pair), pair: pair} }

// headlinePairs returns the pairs of the aggregation to read first.
func headlinePairs(t *result.Target) []result.Pair {
	if t.Headline == result.MeanAbsolute {
		return t.MeanAbsolute.Pairs
	}
	return t.Global.Pairs
}

// sortedPairs returns the positions of the pairs, largest headline share first.
func sortedPairs(t *result.Target) []int {
	pairs := headlinePairs(t)
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	const last = -1 // below every share
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := pairs[a].Share.Or(last), pairs[b].Share.Or(last); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return order
}

// verdict says the headline in plain words.
func verdict(t *result.Target, confidence float64) string {
	share, low, high := t.HeadlineInterval()
	v := interval{share, low, high}
	x, ok := share.Value()
	if !ok {
		return "The score is undefined: the modalities change nothing in this output."
	}
	const what = "of what the modalities do to this output is interaction between them"
	upper, _ := high.Value()
	var text string
	switch {
	case v.unclear():
		return "These samples and background rows cannot tell how much " + what + "."
	case x == 0 && upper == 0:
		text = "Nothing " + what
	case v.oneSided() || x == 0:
		text = "Less than " + atMost(upper) + " " + what
	default:
		text = percent(x) + " " + what
		if lower, ok := low.Value(); ok {
			text += fmt.Sprintf(" (%s %% interval %s to %s)", level(confidence), points(lower), points(upper))
		}
	}
	name, part := largestPart(t)
	if part > 0 {
		text += fmt.Sprintf("; the largest part is %s with %s", name, percent(part))
	}
	return text + "."
}

// largestPart returns the modality or pair with the largest headline share.
func largestPart(t *result.Target) (name string, share float64) {
	a := &t.Global.Aggregate
	if t.Headline == result.MeanAbsolute {
		a = &t.MeanAbsolute.Aggregate
	}
	for _, m := range sortedKeys(a.Contributions) {
		if x := a.Contributions[m].Or(0); x > share {
			name, share = m+" alone", x
		}
	}
	for _, p := range a.Pairs {
		if x := p.Share.Or(0); x > share {
			name, share = pairName(p.Pair), x
		}
	}
	return name, share
}

func sortedKeys(m map[string]score.Share) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// writeClasses breaks the headline down by predicted class.
func writeClasses(p *page, t *result.Target) {
	if len(t.ByClass) == 0 {
		return
	}
	p.blank()
	rows := [][]cell{{
		{head: "predicted class"}, {head: "samples", number: true}, {head: "InterSHAP *"},
		{head: "base", number: true}, {head: "output", number: true},
	}}
	for _, c := range t.ByClass[:min(len(t.ByClass), mostClasses)] {
		a := &c.Global.Aggregate
		if t.Headline == result.MeanAbsolute {
			a = &c.MeanAbsolute.Aggregate
		}
		rows = append(rows, []cell{
			{head: c.Class}, {head: grouped(int64(c.Samples)), number: true}, scoreCell(a),
			{head: significant(c.Base), number: true}, {head: significant(c.Output), number: true},
		})
	}
	p.grid(rows)
	if more := len(t.ByClass) - mostClasses; more > 0 {
		p.line("%d more classes in --json", more)
	}
}

// writeResidual says whether the samples add up.
func writeResidual(p *page, targets []result.Target) {
	worst := targets[0]
	for _, t := range targets {
		if t.Residual-t.ResidualTolerance > worst.Residual-worst.ResidualTolerance {
			worst = t
		}
	}
	if worst.Residual > worst.ResidualTolerance {
		p.line("not every sample adds up to f(x) - v({}): largest residual %.2g, tolerance %.2g", worst.Residual, worst.ResidualTolerance)
		return
	}
	p.line("every sample adds up to f(x) - v({}): largest residual %.1g, tolerance %.1g", worst.Residual, worst.ResidualTolerance)
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
