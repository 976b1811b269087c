package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/tensor"
)

// writeModel writes what the model's file says.
func writeModel(p *page, r *inspection) {
	m := r.Model
	batch := "any number of rows a call"
	if m.BatchSize > 0 {
		batch = count(int64(m.BatchSize), "row") + " a call, fixed in the file"
	}
	p.pairs([][2]string{{"model", m.Source}, {"sha256", m.SHA256}, {"runtime", m.Runtime}, {"batch", batch}})
	p.blank()
	rows := [][]cell{{{head: ""}, {head: "name"}, {head: "type"}, {head: "shape"}}}
	for _, s := range m.Inputs {
		rows = append(rows, specRow("input", s))
	}
	for _, s := range m.Outputs {
		rows = append(rows, specRow("output", s))
	}
	if len(rows) > 1 {
		p.grid(rows)
	} else {
		p.line("the server tells no inputs and outputs: the inputs are those of the data")
	}
	for _, u := range m.Unsupported {
		p.line("output left out: %s", u)
	}
}

func specRow(role string, s specReport) []cell {
	return []cell{{head: role}, {head: s.Name}, {head: s.DType}, {head: tensor.FormatShape(s.Shape)}}
}

// writeInspection writes an inspection for a person.
func writeInspection(p *page, r *inspection) {
	writeModel(p, r)
	if len(r.Modalities) > 0 {
		p.blank()
		lacking := r.Cohort != nil && r.Cohort.Present != nil
		rows := [][]cell{{{head: "modality"}, {head: "elements", number: true}, {head: "inputs"}}}
		if lacking {
			rows[0] = slices.Insert(rows[0], 2, cell{head: "lack it", number: true})
		}
		for _, m := range r.Modalities {
			row := []cell{{head: m.Name}, {head: grouped(int64(m.Elements)), number: true}, {head: strings.Join(m.Inputs, ", ")}}
			if lacking {
				row = slices.Insert(row, 2, cell{head: r.lacking(m.Name), number: true})
			}
			rows = append(rows, row)
		}
		p.grid(rows)
	}
	if r.Question != nil {
		p.blank()
		writeQuestion(p, r)
		if r.Cohort != nil {
			r.Cohort.writeUnits(p)
		}
		p.blank()
		writeExpectedCost(p, r.Cost)
	}
	if r.Cost == nil {
		p.blank()
		p.line("with DATA: the parts that the model is cut into, and what a run takes")
	}
	footnotes{warnings: r.Warnings}.write(p)
}

func writeQuestion(p *page, r *inspection) {
	q := r.Question
	task := q.Task
	if q.TaskGuessed {
		task += " (guessed)"
	}
	background := fmt.Sprintf("%s, %s, mask %s", r.Background.Source, count(int64(r.Background.Rows), "row"), r.Background.Mask)
	lines := [][2]string{{"data", fmt.Sprintf("%s, %s", r.Data.Source, count(int64(r.Data.Samples), "sample"))}}
	if c := r.Cohort; c != nil {
		lines = append(lines, c.heads(r.Data.Samples)...)
		if c.Present != nil {
			background += fmt.Sprintf("; %s of %s can be drawn", grouped(int64(c.Background.Complete)), grouped(int64(c.Background.Rows)))
		}
	}
	lines = append(lines, [][2]string{
		{"background", background},
		{"output", q.Output + ", transform " + q.Transform},
		{"task", task},
	}...)
	if len(q.Classes) > 0 {
		lines = append(lines, [2]string{"classes", strings.Join(q.Classes, ", ")})
	}
	p.pairs(append(lines, [2]string{"target", strings.Join(q.Targets, ", ")}, [2]string{"convention", q.Convention}))
}

// writeExpectedCost writes what the run takes: part by part where the model is
// cut.
func writeExpectedCost(p *page, c *costReport) {
	staged := c.Plan == intershap.StagedPlan.String()
	if staged {
		writeParts(p, c)
		p.blank()
	}
	lines := [][2]string{{"plan", c.Plan + ", " + c.why}}
	if !staged {
		lines = append(lines, [2]string{"model rows", grouped(c.RowsNaive)})
	}
	p.pairs(append(lines, [][2]string{
		{"work", fmt.Sprintf("%s of %s, %s a call, %s", count(int64(c.Tiles), "tile"), count(int64(c.TileSamples), "sample"), count(int64(c.BatchRows), "row"), count(int64(c.Workers), "worker"))},
		{"memory", "about " + formatSize(c.MemoryBytes) + " beside the model"},
		{"time", expectedTime(c)},
	}...))
}

// writeParts writes a line a part, and the plain way below them.
func writeParts(p *page, c *costReport) {
	rows := [][]cell{numbers("part", "multiply-adds", "hands on", "rows", "plain way", "time")}
	var all int64
	for i := range c.Parts {
		part := &c.Parts[i]
		share := unknown
		if x, ok := part.share(c.MACs).Value(); ok {
			share = percent(x)
		}
		all += part.Rows
		rows = append(rows, numbers(part.Part, share, grouped(int64(part.elements())), grouped(part.Rows), grouped(part.RowsNaive), shortTime(part.Seconds)))
	}
	rows = append(rows,
		numbers("all parts", "", "", grouped(all), "", shortTime(c.Seconds)),
		numbers("the plain way", "", "", "", grouped(c.RowsNaive), shortTime(c.SecondsFull)))
	p.grid(rows)
}

// unknown stands for a number that nobody counted.
const unknown = "-"

// leastTime is the time below which the digits are nobody's matter.
const leastTime = 0.001

// shortTime writes a time in a column.
func shortTime(s float64) string {
	if s < leastTime {
		return "< " + seconds(leastTime)
	}
	return seconds(s)
}

// aboutTime writes a time in a sentence.
func aboutTime(s float64) string {
	if s < leastTime {
		return "less than " + seconds(leastTime)
	}
	return "about " + seconds(s)
}

// expectedTime says how long the run takes, and the plain way beside it.
func expectedTime(c *costReport) string {
	if c.Plan != intershap.StagedPlan.String() {
		return fmt.Sprintf("%s: the model answered %s rows a second, measured on %s",
			aboutTime(c.Seconds), rate(c.ProbeRows, c.ProbeSeconds), count(c.ProbeRows, "row"))
	}
	text := fmt.Sprintf("%s, the plain way %s", aboutTime(c.Seconds), aboutTime(c.SecondsFull))
	if c.Seconds > 0 {
		// Two short probes tell no more than the first digits.
		const digits, noteworthy = 2, 1.5
		if factor := roundTo(c.SecondsFull/c.Seconds, digits); factor >= noteworthy {
			times := strconv.FormatFloat(factor, 'f', -1, 64)
			if factor >= 10 { // whole, when it has two digits
				times = grouped(int64(factor))
			}
			text += fmt.Sprintf(" (%s times as long)", times)
		}
	}
	return text + ", by a probe of each"
}
