package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/score"
)

// A compareFormat is a form of a comparison.
type compareFormat uint8

const (
	compareTable compareFormat = iota
	compareJSON
	compareCSV
	compareMarkdown
)

// compareWriters write the forms that are no page.
var compareWriters = map[compareFormat]func(io.Writer, *compare.Document) error{
	compareJSON:     func(w io.Writer, d *compare.Document) error { return d.Write(w) },
	compareCSV:      writeComparisonCSV,
	compareMarkdown: writeComparisonMarkdown,
}

// comparisonColumns are those of the CSV; docs/format/comparison.md specifies them.
var comparisonColumns = []string{
	"base", "other", "question", "method", "target", "headline", "class", "quantity", "aggregation", "name",
	"base_value", "base_sd", "base_n", "other_value", "other_sd", "other_n", "delta", "low", "high", "verdict", "reason",
	"by", "group",
}

// writeComparisonCSV writes a line for each row of each comparison. Numbers are the
// shortest that read back the same; what is undefined is empty.
func writeComparisonCSV(w io.Writer, d *compare.Document) error {
	out := csv.NewWriter(w)
	lines := [][]string{comparisonColumns}
	for _, c := range d.Comparisons {
		for i := range c.Targets {
			t := &c.Targets[i]
			line := func(r *compare.Row, method compare.Method, by, group string) {
				class := ""
				if r.Class != nil {
					class = *r.Class
				}
				lines = append(lines, []string{
					c.Base, c.Other, string(c.Question), string(method), t.Target, yesNo(r == t.HeadlineRow()), class, string(r.Kind), string(r.Aggregation), strings.Join(r.Modalities, ":"),
					exact(r.Base.Value), exact(r.Base.SD), strconv.Itoa(r.Base.N), exact(r.Other.Value), exact(r.Other.SD), strconv.Itoa(r.Other.N),
					exact(r.Delta), exact(r.Low), exact(r.High), string(r.Verdict), r.Reason,
					by, group,
				})
			}
			for j := range t.Rows {
				line(&t.Rows[j], c.Method, "", "")
			}
			for _, by := range t.By {
				for _, g := range by.Groups {
					for j := range g.Rows {
						line(&g.Rows[j], by.Method, strings.Join(by.Columns, ":"), strings.Join(g.Values, ":"))
					}
				}
			}
		}
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("cli: comparison: %w", err)
	}
	return nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// exact writes a share with all its digits, nothing where it is undefined.
func exact(s score.Share) string {
	x, ok := s.Value()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// writeComparisonMarkdown writes the table as Markdown, for a pull request or a page.
func writeComparisonMarkdown(w io.Writer, d *compare.Document) error {
	var b strings.Builder
	for i, c := range d.Comparisons {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s against %s\n", plainMarkdown(c.Other), plainMarkdown(c.Base))
		for _, kv := range aboutComparison(c, d.Level) {
			fmt.Fprintf(&b, "\n- %s: %s", kv[0], plainMarkdown(kv[1]))
		}
		b.WriteString("\n")
		for t := range c.Targets {
			markdownTarget(&b, c, &c.Targets[t], d.Level)
		}
		b.WriteString("\n`~`: nothing can be said, the interval holds zero, or there is none.\n")
		for n, warning := range c.Warnings {
			fmt.Fprintf(&b, "\n%d. %s", n+1, plainMarkdown(warning.String()))
		}
		if len(c.Warnings) > 0 {
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownTarget(b *strings.Builder, c *compare.Comparison, t *compare.Target, confidence float64) {
	by := compare.Aggregation(t.Headline)
	fmt.Fprintf(b, "\n| target %s | %s | %s | difference, points |\n|---|--:|--:|:--|\n", plainMarkdown(t.Target), plainMarkdown(c.Base), plainMarkdown(c.Other))
	line := func(name string, r *compare.Row) {
		delta := deltaCell(r).text()
		if strings.HasPrefix(delta, nothingSaid) {
			delta = "`" + nothingSaid + "`" + strings.TrimPrefix(delta, nothingSaid)
		}
		cells := []string{plainMarkdown(name), valueCell(c, r.Base).text(), valueCell(c, r.Other).text(), delta}
		if r == t.HeadlineRow() {
			for k := range cells {
				cells[k] = "**" + cells[k] + "**"
			}
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		name := rowName(r)
		switch {
		case r.Kind == compare.InterSHAP && r.Class == nil:
			name += " " + aggregationName(r.Aggregation)
		case r.Kind != compare.Accuracy && r.Aggregation != by:
			continue
		}
		if r.Class != nil {
			name = "class " + *r.Class
		}
		line(name, r)
	}
	carried := false
	for i := range t.By {
		part := &t.By[i]
		names, rows := groupsOf(part, t)
		for k, r := range rows {
			line(strings.Join(part.Columns, ", ")+" "+names[k], r)
		}
		carried = carried || part.Method == compare.Carried && c.Method != compare.Carried
	}
	fmt.Fprintf(b, "\n%s\n", plainMarkdown(differenceVerdict(c, t, confidence)))
	if carried {
		fmt.Fprintf(b, "\n%s\n", plainMarkdown(carriedGroups))
	}
}

// markdownSigns are those that mean something to Markdown or to HTML inside it.
const markdownSigns = "\\`*_{}[]<>#|~&!"

// plainMarkdown writes text from files so that it is shown as it is.
func plainMarkdown(text string) string {
	var b strings.Builder
	for _, r := range escape(text) {
		if strings.ContainsRune(markdownSigns, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
