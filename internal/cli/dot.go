package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/intershap/intershap"
)

// The look of a picture. The fills differ in lightness too, so that they are told
// apart on paper, and are light enough for black letters.
const (
	sourceStyle  = `shape=ellipse, fillcolor="#ffffff"`
	fixedStyle   = `shape=ellipse, fillcolor="#ffffff", style="filled,dashed"`
	encoderStyle = `fillcolor="#dcebf7"`
	fusionStyle  = `fillcolor="#f5c98a"`
	resultStyle  = `fillcolor="#ffffff", peripheries=2`
	dotHead      = `	rankdir=LR;
	node [shape=box, style=filled, color="#404040", fontname="Helvetica", fontsize=11, margin="0.12,0.08"];
	edge [color="#404040", fontname="Helvetica", fontsize=9];
	graph [fontname="Helvetica", fontsize=11, labelloc=b, pad=0.1, ranksep=0.6];
`
	// resultNode is the node of the explained output.
	resultNode = "output"
)

// writeDot writes the parts of a model as a directed graph in Graphviz's
// language: from modalities through parts to the output. Names of tensors stand
// in the nodes that give them, since an edge has little room; an edge has the
// elements of a row.
func writeDot(w io.Writer, r *inspection) error {
	d := drawing{from: map[string][]flow{}}
	d.line("digraph intershap {\n%s\tlabel=%s;", dotHead, quoteDot(modelName(r.Model.Source), r.Cost.Plan+", "+r.Cost.why))
	var sources []string
	for i, s := range r.graph.sources {
		node, style := fmt.Sprintf("source%d", i), sourceStyle
		if s.fixed {
			style = fixedStyle
		}
		sources = append(sources, node)
		d.node(node, style, append(foldName(s.name), describeSource(s)...))
		d.gives(node, s.tensors)
	}
	if len(sources) > 1 { // one above the other, in the order of the modalities
		d.line("\t{ rank=same; edge [style=invis]; %s; }", strings.Join(sources, " -> "))
	}
	for i := range r.Cost.Parts {
		part := &r.Cost.Parts[i]
		node, style := fmt.Sprintf("part%d", i), encoderStyle
		if part.mixes() {
			style = fusionStyle
		}
		d.node(node, style, describePart(part, r.Cost))
		d.takes(node, namesOf(part.Inputs))
		d.gives(node, part.Outputs)
	}
	lines := foldName(r.Question.Output)
	if r.Cost.Additive {
		lines = append(lines, "sum of "+count(int64(len(r.graph.results)), "term"))
	}
	d.node(resultNode, resultStyle, lines)
	d.takes(resultNode, r.graph.results)
	d.line("}")
	_, err := d.WriteTo(w)
	return err
}

// A drawing is the text of a picture so far.
type drawing struct {
	bytes.Buffer
	// from has what each tensor comes from: one node, or several that each own
	// some elements of an input.
	from map[string][]flow
}

// A flow is elements of a row that a node gives.
type flow struct {
	node     string
	elements int
}

func (d *drawing) line(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

func (d *drawing) node(name, style string, lines []string) {
	d.line("\t%s [label=%s, %s];", name, quoteDot(lines...), style)
}

// gives notes the tensors that come from a node.
func (d *drawing) gives(node string, tensors []tensorReport) {
	for _, t := range tensors {
		d.from[t.Name] = append(d.from[t.Name], flow{node, t.Elements})
	}
}

// takes writes one edge from each node that gives a node one of its tensors.
func (d *drawing) takes(node string, tensors []string) {
	var givers []string
	elements := map[string]int{}
	for _, name := range tensors {
		for _, f := range d.from[name] {
			before, known := elements[f.node]
			if !known {
				givers = append(givers, f.node)
			}
			elements[f.node] = addLengths(before, f.elements)
		}
	}
	for _, giver := range givers {
		label := ""
		if n := elements[giver]; n != openLength {
			label = "  " + grouped(int64(n)) + "  " // a slanted edge passes close by
		}
		d.line("\t%s -> %s [label=%s];", giver, node, quoteDot(label))
	}
}

// addLengths adds lengths, of which one that is open leaves the sum open.
func addLengths(a, b int) int {
	if a == openLength || b == openLength {
		return openLength
	}
	return a + b
}

const (
	// widestLine is the room for a line of a node.
	widestLine = 48
	// widestName is the room for the name of a tensor; exporters make long ones.
	widestName = 32
	// mostTensors is the number of tensors that a node names, one a line.
	mostTensors = 4
)

// foldName breaks a name behind the signs that join modalities, into lines that
// are no wider than a node.
func foldName(name string) []string {
	lines := []string{""}
	for word := range strings.SplitAfterSeq(escape(name), joinSign) {
		last := &lines[len(lines)-1]
		if *last != "" && visible(*last)+visible(word) > widestLine {
			lines = append(lines, "")
			last = &lines[len(lines)-1]
		}
		*last += shorten(word, widestLine)
	}
	return lines
}

// joinSign stands between modalities in the name of a part.
const joinSign = "+"

// describeSource says what a modality has. One input of its own name is not named
// twice.
func describeSource(s graphSource) []string {
	if len(s.tensors) == 1 && s.tensors[0].Name == s.name {
		return []string{count(int64(s.tensors[0].Elements), "element")}
	}
	return describeTensors(s.tensors)
}

// describePart says of a part what it depends on, what it costs and what it gives.
func describePart(p *partReport, c *costReport) []string {
	lines := foldName(p.Part)
	if p.MACs != nil {
		text := count(*p.MACs, "multiply-add") + " a row"
		if x, ok := p.share(c.MACs).Value(); ok && c.Plan == intershap.StagedPlan.String() {
			text += ", " + percent(x)
		}
		lines = append(lines, text)
	}
	rows := count(p.Rows, "row")
	if p.Rows != p.RowsNaive {
		rows += ", the plain way " + grouped(p.RowsNaive)
	}
	lines = append(lines, rows)
	for _, line := range describeTensors(p.Outputs) {
		lines = append(lines, "→ "+line)
	}
	return lines
}

// describeTensors names tensors, each with the elements of a row.
func describeTensors(tensors []tensorReport) []string {
	var lines []string
	for _, t := range tensors[:min(len(tensors), mostTensors)] {
		line := shorten(escape(t.Name), widestName)
		if t.Elements != openLength {
			line += ": " + grouped(int64(t.Elements))
		}
		lines = append(lines, line)
	}
	if more := len(tensors) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("%d more", more))
	}
	return lines
}

func namesOf(tensors []tensorReport) []string {
	var out []string
	for _, t := range tensors {
		out = append(out, t.Name)
	}
	return out
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
