package cli

import (
	"fmt"
	"strings"

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
	p.grid(rows)
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
		rows := [][]cell{{{head: "modality"}, {head: "elements", number: true}, {head: "inputs"}}}
		for _, m := range r.Modalities {
			rows = append(rows, []cell{{head: m.Name}, {head: grouped(int64(m.Elements)), number: true}, {head: strings.Join(m.Inputs, ", ")}})
		}
		p.grid(rows)
	}
	if r.Question != nil {
		p.blank()
		writeQuestion(p, r)
		p.blank()
		writeExpectedCost(p, r.Cost)
	}
	footnotes{warnings: r.Warnings}.write(p)
}

func writeQuestion(p *page, r *inspection) {
	q := r.Question
	task := q.Task
	if q.TaskGuessed {
		task += " (guessed)"
	}
	lines := [][2]string{
		{"data", fmt.Sprintf("%s, %s", r.Data.Source, count(int64(r.Data.Samples), "sample"))},
		{"background", fmt.Sprintf("%s, %s, mask %s", r.Background.Source, count(int64(r.Background.Rows), "row"), r.Background.Mask)},
		{"output", q.Output + ", transform " + q.Transform},
		{"task", task},
	}
	if len(q.Classes) > 0 {
		lines = append(lines, [2]string{"classes", strings.Join(q.Classes, ", ")})
	}
	p.pairs(append(lines, [2]string{"target", strings.Join(q.Targets, ", ")}, [2]string{"convention", q.Convention}))
}

func writeExpectedCost(p *page, c *costReport) {
	rows := c.Rows["model"]
	p.pairs([][2]string{
		{"model rows", fmt.Sprintf("%s (%s the plain way)", grouped(rows), grouped(c.RowsNaive))},
		{"work", fmt.Sprintf("%s of %s, %s a call, %s", count(int64(c.Tiles), "tile"), count(int64(c.TileSamples), "sample"), count(int64(c.BatchRows), "row"), count(int64(c.Workers), "worker"))},
		{"memory", "about " + formatSize(c.MemoryBytes) + " beside the model"},
		{"time", fmt.Sprintf("about %s: the model answered %s rows a second, measured on %s", seconds(c.Seconds), rate(c.ProbeRows, c.ProbeSeconds), count(c.ProbeRows, "row"))},
	})
}
