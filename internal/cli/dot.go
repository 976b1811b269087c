package cli

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// The look of a picture. The fills differ in lightness too, so that they are told
// apart on paper, and are light enough for black letters.
const (
	sourceStyle  = `shape=ellipse, fillcolor="#ffffff"`
	fixedStyle   = `shape=ellipse, fillcolor="#ffffff", style="filled,dashed"`
	encoderStyle = `fillcolor="#dcebf7"`
	fusionStyle  = `fillcolor="#f5c98a"`
	resultStyle  = `shape=box, fillcolor="#ffffff", peripheries=2`
	dotHead      = `	rankdir=LR;
	node [shape=box, style=filled, color="#404040", fontname="Helvetica", fontsize=11];
	edge [color="#404040", fontname="Helvetica", fontsize=9];
	graph [fontname="Helvetica", fontsize=11, labelloc=b];
`
	// resultNode is the node of the explained output.
	resultNode = "output"
)

// writeDot writes the parts of a model as a directed graph in Graphviz's
// language: from modalities through parts to the output, each edge with what a
// row hands on.
func writeDot(w io.Writer, r *inspection) error {
	var b bytes.Buffer
	b.WriteString("digraph intershap {\n" + dotHead)
	fmt.Fprintf(&b, "\tlabel=%s;\n", quoteDot(filepath.Base(r.Model.Source), r.Cost.Plan+": "+r.Cost.why))
	// from is the node that a tensor comes from.
	from := map[string][]flow{}
	for i, s := range r.graph.sources {
		node, style, elements := fmt.Sprintf("source%d", i), sourceStyle, 0
		if s.fixed {
			style = fixedStyle
		}
		for _, t := range s.tensors {
			elements += t.Elements
			from[t.Name] = append(from[t.Name], flow{node, t})
		}
		fmt.Fprintf(&b, "\t%s [label=%s, %s];\n", node, quoteDot(s.name, count(int64(elements), "element")), style)
	}
	for i := range r.Cost.Parts {
		part := &r.Cost.Parts[i]
		node := fmt.Sprintf("part%d", i)
		style := encoderStyle
		if len(part.Modalities) > 1 {
			style = fusionStyle
		}
		fmt.Fprintf(&b, "\t%s [label=%s, %s];\n", node, quoteDot(describePart(part, r.Cost.MACs)...), style)
		writeEdges(&b, node, part.Inputs, from)
		for _, t := range part.Outputs {
			from[t.Name] = []flow{{node, t}}
		}
	}
	lines := []string{r.Question.Output}
	if r.Cost.Additive {
		lines = append(lines, "sum of "+count(int64(len(r.graph.results)), "term"))
	}
	fmt.Fprintf(&b, "\t%s [label=%s, %s];\n", resultNode, quoteDot(lines...), resultStyle)
	var results []tensorReport
	for _, name := range r.graph.results {
		results = append(results, tensorReport{Name: name})
	}
	writeEdges(&b, resultNode, results, from)
	b.WriteString("}\n")
	_, err := b.WriteTo(w)
	return err
}

// A flow is a tensor, or the part of one, that a node gives.
type flow struct {
	node   string
	tensor tensorReport
}

// describePart says of a part what it depends on and what it takes.
func describePart(p *partReport, whole *int64) []string {
	lines := []string{p.Part}
	if p.MACs != nil {
		text := count(*p.MACs, "multiply-add") + " a row"
		if x, ok := p.share(whole); ok && p.Part != wholeModel {
			text += ", " + percent(x) + " of the model"
		}
		lines = append(lines, text)
	}
	rows := count(p.Rows, "row")
	if p.Rows != p.RowsNaive {
		rows += ", the plain way " + grouped(p.RowsNaive)
	}
	return append(lines, rows)
}

// writeEdges writes one edge from each node that gives something to a node.
func writeEdges(b *bytes.Buffer, to string, tensors []tensorReport, from map[string][]flow) {
	var nodes []string
	given := map[string][]tensorReport{}
	for _, t := range tensors {
		for _, f := range from[t.Name] {
			if len(given[f.node]) == 0 {
				nodes = append(nodes, f.node)
			}
			given[f.node] = append(given[f.node], f.tensor)
		}
	}
	for _, node := range nodes {
		fmt.Fprintf(b, "\t%s -> %s [label=%s];\n", node, to, quoteDot(describeEdge(given[node])...))
	}
}

const (
	// mostTensors is the number of tensors that an edge names, one a line.
	mostTensors = 4
	// widestName is the room for the name of a tensor; exporters make long ones.
	widestName = 32
)

// describeEdge names the tensors of an edge, each with the elements of a row.
func describeEdge(tensors []tensorReport) []string {
	var lines []string
	for _, t := range tensors[:min(len(tensors), mostTensors)] {
		line := shorten(escape(t.Name), widestName)
		if t.Elements != openLength {
			line += ": " + grouped(int64(t.Elements))
		}
		lines = append(lines, line)
	}
	if more := tensors[len(lines):]; len(more) > 0 {
		elements := 0
		for _, t := range more {
			elements += t.Elements
		}
		lines = append(lines, fmt.Sprintf("%d more: %s", len(more), grouped(int64(elements))))
	}
	return lines
}

// dotSigns are the characters that Graphviz reads in a quoted label: the quote,
// the backslash of its line ends and placeholders (\N is the node's name), and
// the ampersand of HTML's entities.
var dotSigns = strings.NewReplacer(`"`, `\"`, `\`, `\\`, `&`, "&amp;")

// quoteDot writes lines as a label that shows just them. What would act on a
// terminal is shown as the table shows it: a picture's source may be printed.
func quoteDot(lines ...string) string {
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = dotSigns.Replace(escape(line))
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}
