package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
)

// A rivalTable lays out scores for a person: InterSHAP first, then a block for each
// score that was asked for.
type rivalTable struct {
	*page
	r     *intershap.RivalScores
	names []string
	notes rivalNotes
}

// A block says what a score is in few words, and writes its rows. It reports
// whether there are any.
type block struct {
	says  string
	write func(t *rivalTable) bool
}

// blocks are those of the table, by the name of the score.
var blocks = map[string]block{
	rival.ScoreEMAP:       {"what a sum of one part for each modality loses", (*rivalTable).writeEMAP},
	rival.ScoreShape:      {"what all reach beyond the sum of each alone", (*rivalTable).writeShape},
	rival.ScorePID:        {"what two sources tell of a target", (*rivalTable).writePID},
	rival.ScoreSRI:        {"shares of a modality's squared effects", (*rivalTable).writeSRI},
	rival.ScoreShare:      {"of the absolute Shapley values, mean over samples", (*rivalTable).writeShares},
	rival.ScorePerceptual: {"the accuracy that is lost when a modality is shuffled", (*rivalTable).writePerceptual},
	rival.ScoreEffects:    {"what a modality adds to nothing and to all others", (*rivalTable).writeEffects},
}

// notComputed stands in place of a score that the data do not allow.
const notComputed = "not computed"

// writeRivals writes scores for a person.
func writeRivals(p *page, r *intershap.RivalScores, guessed bool) {
	ex := &r.Explanation.Explanation
	t := &rivalTable{page: p, r: r, names: ex.Modalities, notes: newRivalNotes(r)}
	writeHead(p, ex, guessed, t.notes.footnotes)
	t.writeInterSHAP(&ex.Targets[0])
	for _, card := range rival.Cards() {
		if !slices.Contains(r.Scores, card.Name) {
			continue
		}
		b, title := blocks[card.Name], card.Title
		if len(t.names) > 2 && card.Ours {
			title += " (ours beyond two modalities)"
		}
		p.blank()
		t.title(card.Name, title, b.says, t.notes.marksOf(p, card.Name))
		if !b.write(t) {
			p.line(notComputed)
		}
	}
	p.blank()
	t.writeRows()
	t.writeDifferences()
	t.notes.write(p)
}

// title heads a block: "emap: EMAP gap, what ... [1]".
func (t *rivalTable) title(name, title, says string, marks painted) {
	t.hangPainted("", painted(t.paint(strongOn, name))+escapef(": %s, %s", title, says)+marks)
}

// writeInterSHAP writes the headline, and how often the model is right.
func (t *rivalTable) writeInterSHAP(target *result.Target) {
	t.blank()
	t.title(intershap.ScoreInterSHAP, "InterSHAP", "the share of interaction in what the modalities do", t.notes.marks(t.page, target.Target))
	share, low, high := target.HeadlineInterval()
	headline := interval{share, low, high}.cell()
	headline.strong = true
	t.grid([][]cell{
		{{head: ""}, {head: wording.HeadlineName(target.Headline)}, {head: "local"}},
		{{head: "target " + target.Target}, headline, localCell(target.Local)},
	})
	if m := t.r.Metrics; m != nil {
		t.pairs([][2]string{{"accuracy", percent(m.Accuracy)}, {"macro F1", percent(m.MacroF1)}})
	}
}

// numbers returns a row of a name and numbers.
func numbers(first string, rest ...string) []cell {
	row := []cell{{head: first}}
	for _, text := range rest {
		row = append(row, cell{head: text, number: true})
	}
	return row
}

// strong marks the numbers of a row as the ones to read first.
func strong(row []cell) []cell {
	for i := range row[1:] {
		row[1+i].strong = true
	}
	return row
}

// A difference of two fractions is in points, and has no sign; where one stands below
// a fraction in percent, their numbers are aligned.

func pointsCell(x float64) cell { return cell{head: points(x)} }

func percentCell(x float64) cell { return cell{head: points(x), tail: "%"} }

// percentOf writes a share in percent.
func percentOf(s score.Share) string {
	x, ok := s.Value()
	if !ok {
		return undefined
	}
	return percent(x)
}

func (t *rivalTable) writeEMAP() bool {
	e := t.r.EMAP
	if e == nil {
		return false
	}
	if g := e.Gap; g != nil {
		metrics := func(name string, m rival.Metrics) []cell {
			return []cell{{head: name}, percentCell(m.Accuracy), percentCell(m.MacroF1)}
		}
		t.grid([][]cell{
			{{head: ""}, {head: "accuracy"}, {head: "macro F1"}},
			strong([]cell{{head: "gap, points"}, pointsCell(g.Accuracy), pointsCell(g.MacroF1)}),
			metrics("model", g.Model),
			metrics("sum of parts", g.Projection),
		})
	}
	lines := [][2]string{{"variance missed over samples", percentOf(e.OverSamples)}}
	made := t.samples(e.Samples)
	if e.Design == rival.AllPairs {
		lines = slices.Insert(lines, 0, [2]string{"variance missed over pairs", percentOf(e.OverPairs)})
		made += ", " + count(int64(e.Samples)*int64(e.Samples), "pair")
	} else {
		made += ", " + count(int64(e.Background), "shuffled row")
	}
	t.pairs(append(lines, [2]string{"made of", made}))
	return true
}

// samples writes of how many samples a score is made, and that they were drawn
// where they are not all.
func (t *rivalTable) samples(n int) string {
	text := count(int64(n), "sample")
	if all := t.r.Explanation.Samples(); n < all {
		text += " drawn from " + grouped(int64(all))
	}
	return text
}

func (t *rivalTable) writeShape() bool {
	type form struct {
		name  string
		shape *rival.Shape
		// value writes v(S), and difference what is made of differences of values.
		value, difference func(float64) cell
	}
	output := func(x float64) cell { return cell{head: significant(x), number: true} }
	var forms []form
	for _, f := range []form{
		{"macro F1, points", t.r.ShapeF1, percentCell, pointsCell},
		{"accuracy, points", t.r.ShapeAccuracy, percentCell, pointsCell},
		{"output", t.r.ShapeOutputs, output, output},
	} {
		if f.shape != nil {
			forms = append(forms, f)
		}
	}
	if len(forms) == 0 {
		return false
	}
	heads := []cell{{head: ""}}
	for _, f := range forms {
		heads = append(heads, cell{head: f.name, number: true})
	}
	rows := [][]cell{heads}
	add := func(first cell, at func(*rival.Shape) float64) []cell {
		row := []cell{first}
		for _, f := range forms {
			row = append(row, f.difference(at(f.shape)))
		}
		rows = append(rows, row)
		return row
	}
	level := func(name string, at func(*rival.Shape) float64) {
		row := []cell{{head: name}}
		for _, f := range forms {
			row = append(row, f.value(at(f.shape)))
		}
		rows = append(rows, row)
	}
	strong(add(cell{head: "cooperation"}, func(s *rival.Shape) float64 { return s.Cooperation }))
	m := len(t.names)
	if m > 2 {
		for _, p := range pairsOf(m)[:t.shownPairs()] {
			add(pairHead(t.pair(p)), func(s *rival.Shape) float64 { return s.Pairs[p[0]*m+p[1]] })
		}
	}
	level("baseline", func(s *rival.Shape) float64 { return s.Baseline })
	for i, name := range t.names {
		add(cell{head: "+ " + name}, func(s *rival.Shape) float64 { return s.Contributions[i] })
	}
	level("= all", func(s *rival.Shape) float64 { return s.All })
	t.grid(rows)
	legend := "absent modalities are zeros here; + NAME are Shapley values"
	if m > 2 {
		t.morePairs()
		legend += "; pairs need not sum to the cooperation"
	}
	t.line("%s", legend)
	return true
}

// shownPairs is the number of pairs that a block shows.
func (t *rivalTable) shownPairs() int { return min(len(pairsOf(len(t.names))), mostPairs) }

// morePairs says how many pairs a block leaves out.
func (t *rivalTable) morePairs() {
	if more := len(pairsOf(len(t.names))) - mostPairs; more > 0 {
		t.line("%s more in --json", count(int64(more), "pair"))
	}
}

func (t *rivalTable) pair(p [2]int) [2]string { return [2]string{t.names[p[0]], t.names[p[1]]} }

func (t *rivalTable) writePID() bool {
	if t.r.DataPID == nil && t.r.ModelPID == nil {
		return false
	}
	ofLabels := t.writeViews("labels (the data)", t.r.DataPID)
	ofPredictions := t.writeViews("predictions (the model)", t.r.ModelPID)
	if ofLabels || ofPredictions {
		t.line("%s no more than shuffled targets give: bins and samples alone", chance)
	}
	return true
}

// chance marks what is no more than shuffled targets give.
const chance = "~"

// writeViews writes what sources tell of one target: views of one heading make a
// grid. It reports whether a part is marked as chance.
func (t *rivalTable) writeViews(target string, views []rival.PIDView) (marked bool) {
	if len(views) == 0 {
		return false
	}
	several := len(t.names) > 2
	for at := 0; at < len(views); {
		end := at
		for end < len(views) && views[end].Heading == views[at].Heading {
			end++
		}
		heading := "of the " + target
		if several {
			heading += ", " + views[at].Heading
		}
		t.line("%s", heading)
		rows := [][]cell{{{head: ""}, {head: "nats"}, {head: "bits"}, {head: "shuffled, nats"}}}
		for _, v := range views[at:min(end, at+mostPairs)] {
			if several || v.Estimate == nil {
				rows = append(rows, viewHead(v))
			}
			parts := partRows(v, several)
			for _, row := range parts {
				marked = marked || row[len(row)-1].head == chance
			}
			rows = append(rows, parts...)
		}
		t.grid(rows)
		if more := end - at - mostPairs; more > 0 {
			t.line("%s more in --json", count(int64(more), "pair"))
		}
		at = end
	}
	largest, clusters := 0.0, 0
	for _, v := range views {
		if e := v.Estimate; e != nil {
			largest, clusters = max(largest, e.Gap), max(clusters, e.Clusters[0], e.Clusters[1])
		}
	}
	if clusters > 0 {
		t.line("%s, up to %s a source, largest duality gap %.1g nats", t.samples(t.r.PIDSamples), count(int64(clusters), "cluster"), largest)
	}
	return marked
}

// viewHead names two sources; a dash says that nobody estimated their numbers.
func viewHead(v rival.PIDView) []cell {
	row := []cell{pairHead([2]string{v.First, v.Second})}
	if v.Estimate == nil {
		row = append(row, cell{head: unknown}, cell{head: unknown}, cell{head: unknown})
	}
	return row
}

// partRows writes the four parts of an estimate, a row each, indented below the
// names of the sources where those have a row. What is chance has a mark at its end.
func partRows(v rival.PIDView, below bool) [][]cell {
	e := v.Estimate
	if e == nil {
		return nil
	}
	indent := ""
	if below {
		indent = "  "
	}
	bits, bitsSD := e.Mean.Bits(), e.SD.Bits()
	above := e.AboveShuffled()
	row := func(name string, above bool, part func(rival.Information) float64) []cell {
		spread := func(mean, sd rival.Information) cell {
			return cell{head: information(part(mean)), tail: "± " + information(part(sd))}
		}
		cells := []cell{{head: indent + name}, spread(e.Mean, e.SD), spread(bits, bitsSD), spread(e.Permuted, e.PermutedSD)}
		if !above {
			cells = append(cells, cell{head: chance})
		}
		return cells
	}
	return [][]cell{
		row("redundancy", above.Redundancy, func(x rival.Information) float64 { return x.Redundancy }),
		row("unique "+v.First, above.Unique1, func(x rival.Information) float64 { return x.Unique1 }),
		row("unique "+v.Second, above.Unique2, func(x rival.Information) float64 { return x.Unique2 }),
		row("synergy", above.Synergy, func(x rival.Information) float64 { return x.Synergy }),
	}
}

// information writes nats or bits: four decimals, since what an estimate adds by
// chance shows in the third.
func information(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

func (t *rivalTable) writeSRI() bool {
	if t.r.SRI == nil {
		return false
	}
	parts := func(first cell, s rival.SRIParts) []cell {
		return append([]cell{first}, numbers("", percentOf(s.Synergy), percentOf(s.Redundancy), percentOf(s.Independence))[1:]...)
	}
	rows := [][]cell{numbers("", "synergy", "redundancy", "independence")}
	for _, s := range t.r.SRI[:t.shownPairs()] {
		rows = append(rows,
			strong(parts(pairHead(t.pair([2]int{s.I, s.J})), s.Both)),
			parts(cell{head: "  of " + t.names[s.I]}, s.OfI),
			parts(cell{head: "  of " + t.names[s.J]}, s.OfJ))
	}
	t.grid(rows)
	t.morePairs()
	return true
}

func (t *rivalTable) writeShares() bool {
	s := t.r.Shares
	if s == nil {
		return false
	}
	rows := [][]cell{{{head: ""}, {head: "share"}}}
	for i, name := range t.names {
		c := cell{head: percentOf(s.Shares[i])}
		if sd, ok := s.SD[i].Value(); ok {
			c.tail = "± " + points(sd)
		}
		rows = append(rows, []cell{{head: name}, c})
	}
	t.grid(rows)
	if s.Undefined > 0 {
		t.line("without any attribution, and left out: %s", count(int64(s.Undefined), "sample"))
	}
	return true
}

func (t *rivalTable) writePerceptual() bool {
	p := t.r.Perceptual
	if p == nil {
		return false
	}
	rows := [][]cell{{{head: ""}, {head: "score, points"}, {head: "of the accuracy", number: true}, {head: "accuracy left", number: true}}}
	for i, name := range t.names {
		m := p.Modalities[i]
		c := cell{head: points(m.Score), strong: true}
		if se, ok := m.SE.Value(); ok {
			c.tail = "± " + points(se)
		}
		rows = append(rows, []cell{{head: name}, c, {head: percentOf(m.Normalised), number: true}, {head: percent(m.Permuted), number: true}})
	}
	t.grid(rows)
	return true
}

func (t *rivalTable) writeEffects() bool {
	e := t.r.Effects
	if e == nil {
		return false
	}
	both := func(x rival.Effect) cell {
		return cell{head: significant(x.Mean), tail: "(" + significant(x.MeanAbsolute) + ")"}
	}
	rows := [][]cell{{{head: ""}, {head: "alone"}, {head: "Shapley value"}, {head: "last"}}}
	for i, name := range t.names {
		rows = append(rows, []cell{{head: name}, both(e.Alone[i]), both(e.Shapley[i]), both(e.Last[i])})
	}
	t.grid(rows)
	t.line("means over samples in the unit of the output, and of absolute values in brackets")
	return true
}

// writeRows says what each score took beside InterSHAP.
func (t *rivalTable) writeRows() {
	ex := &t.r.Explanation.Explanation
	const notResumed = false
	writeCost(t.page, ex, notResumed)
	var some, none []string
	for _, name := range t.r.Scores {
		if n := t.r.Rows[name]; n > 0 {
			some = append(some, name+" "+grouped(n))
		} else {
			none = append(none, name)
		}
	}
	if len(none) > 0 {
		some = append(some, "none for "+strings.Join(none, ", "))
	}
	t.line("rows run beside those: %s", strings.Join(some, ", "))
}

// The kinds of scores, by what they measure; scores of different kinds need not agree.
const (
	ofFunction    = "the function that the model is"
	ofRightness   = "how often it is right"
	ofInformation = "what inputs tell of "
)

// kindOf says what the first number of a score measures, "" where none was computed.
// Without labels EMAP and SHAPE are about the output, and so about the function.
func (t *rivalTable) kindOf(name string) string {
	r := t.r
	switch {
	case name == intershap.ScoreInterSHAP,
		name == rival.ScoreSRI && r.SRI != nil, name == rival.ScoreShare && r.Shares != nil, name == rival.ScoreEffects && r.Effects != nil:
		return ofFunction
	case name == rival.ScoreEMAP && r.EMAP != nil:
		if r.EMAP.Gap == nil {
			return ofFunction
		}
		return ofRightness
	case name == rival.ScoreShape && (r.ShapeF1 != nil || r.ShapeAccuracy != nil),
		name == rival.ScorePerceptual && r.Perceptual != nil:
		return ofRightness
	case name == rival.ScoreShape && r.ShapeOutputs != nil:
		return ofFunction
	case name != rival.ScorePID:
		return ""
	case r.DataPID != nil && r.ModelPID != nil:
		return ofInformation + "labels and predictions"
	case r.DataPID != nil:
		return ofInformation + "labels"
	case r.ModelPID != nil:
		return ofInformation + "predictions"
	}
	return ""
}

// writeDifferences says that the scores measure different things, where they do.
func (t *rivalTable) writeDifferences() {
	var kinds []string
	of := map[string][]string{}
	for _, name := range slices.Concat([]string{intershap.ScoreInterSHAP}, t.r.Scores) {
		kind := t.kindOf(name)
		if kind == "" {
			continue
		}
		if of[kind] == nil {
			kinds = append(kinds, kind)
		}
		of[kind] = append(of[kind], name)
	}
	if len(kinds) < 2 {
		return
	}
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%s (%s)", kind, strings.Join(of[kind], ", "))
	}
	t.line("scores measure different things and need not agree: %s", strings.Join(kinds, "; "))
}

// rivalNotes numbers warnings, and after them the reasons why scores are missing.
type rivalNotes struct {
	footnotes
	unfit []*rival.Unfit
}

func newRivalNotes(r *intershap.RivalScores) rivalNotes {
	ex := &r.Explanation.Explanation
	return rivalNotes{footnotes{warnings: ex.Warnings, targets: []string{ex.Targets[0].Target}}, r.Unfit}
}

// marksOf returns " [2] [3]" for the reasons of a score. One reason has one footnote,
// whatever it is that is missing for it.
func (n rivalNotes) marksOf(p *page, name string) painted {
	var b strings.Builder
	for i, cause := range causes(n.unfit) {
		if slices.ContainsFunc(cause, func(u *rival.Unfit) bool { return u.Score == name }) {
			b.WriteString(" " + p.paint(doubtOn, fmt.Sprintf("[%d]", len(n.warnings)+i+1)))
		}
	}
	return painted(b.String())
}

func (n rivalNotes) write(p *page) {
	footnotes{warnings: slices.Concat(n.warnings, doubts(n.unfit))}.write(p)
}
