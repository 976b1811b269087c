package paper

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/intershap/intershap/score"
)

// WriteMarkdown writes the page as Markdown. The same scores give the same bytes.
func (p *Page) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# The paper's tables, with ours beside them\n\n")
	if p.Quick {
		b.WriteString("**A quick run:** few samples, epochs and seeds. It shows that everything works; it says nothing about the paper.\n\n")
	}
	fmt.Fprintf(&b, "Made by `%s`.\n\n", p.command())
	for _, text := range p.Setup.Sentences() {
		b.WriteString(text + "\n\n")
	}
	for _, t := range p.Tables {
		fmt.Fprintf(&b, "## Table %d: %s\n\n", t.Number, t.Title)
		b.WriteString("| | | published | ours | difference |\n|---|---|--:|--:|--:|\n")
		for _, l := range t.Lines {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", markdown(l.Row), markdown(l.Column), l.PublishedText(), l.OursText(), l.DifferenceText())
		}
		b.WriteByte('\n')
		for _, n := range t.Notes {
			b.WriteString(n + "\n\n")
		}
	}
	if len(p.Real) > 0 {
		b.WriteString("## Tables 4 and 5: the same columns on other data\n\n" + realNote + "\n\n")
	}
	for _, t := range p.Real {
		fmt.Fprintf(&b, "### %s: %d samples, modalities %s\n\n", markdown(t.Name), t.Samples, markdown(strings.Join(t.Modalities, ", ")))
		b.WriteString("| model | | ours |\n|---|---|--:|\n")
		for _, l := range t.Lines {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", markdown(l.Row), markdown(l.Column), l.OursText())
		}
		b.WriteString("\n| model | predicted class | samples | interactions |")
		for _, m := range t.Modalities {
			b.WriteString(" " + markdown(m) + " |")
		}
		b.WriteString("\n|---|---|--:|--:|" + strings.Repeat("--:|", len(t.Modalities)) + "\n")
		for _, c := range t.Classes {
			fmt.Fprintf(&b, "| %s | %s | %d | %s |", markdown(c.Model), markdown(c.Class), c.Samples, Percent.share(c.InterSHAP))
			for _, x := range c.Contributions {
				b.WriteString(" " + Percent.share(x) + " |")
			}
			b.WriteByte('\n')
		}
		b.WriteByte('\n')
		for _, n := range t.Notes {
			b.WriteString("- " + markdown(n) + "\n")
		}
		b.WriteByte('\n')
	}
	page := append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
	_, err := w.Write(page)
	return err
}

// command returns the command that makes the page.
func (p *Page) command() string {
	text := "intershap paper"
	if p.Quick {
		text += " --quick"
	}
	for i, t := range p.Tables {
		if i == 0 {
			text += " --table "
		} else {
			text += ","
		}
		text += fmt.Sprint(t.Number)
	}
	for _, t := range p.Real {
		text += " --data " + strings.ReplaceAll(t.Name, "`", "") + "/"
	}
	return text
}

// markdown escapes text for a cell.
func markdown(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`").Replace(text)
}

// Sentences say what the numbers were made from.
func (s Setup) Sentences() []string {
	var seeds []string
	for _, seed := range s.Seeds {
		seeds = append(seeds, fmt.Sprint(seed))
	}
	epochs := fmt.Sprintf("%d epochs", s.Epochs)
	if s.LongEpochs != s.Epochs {
		epochs += fmt.Sprintf(" (%d for %d modalities)", s.LongEpochs, most)
	}
	return []string{
		fmt.Sprintf("Data: %s samples each (70, 15, 15 %%), variant %s, label %s, seed %d. Networks: %s, learning rate %g, seeds %s. "+
			"Scores: the test split, against %s background rows of the validation split; the exact mean over all of them for each sample.",
			thousands(s.Samples), s.Variant, s.Labelling, s.DataSeed, epochs, s.LearningRate, strings.Join(seeds, ", "), thousands(s.Background)),
		"Shares, F1 and gaps are in percent, information in nats. Ours is the mean over seeds ± the standard deviation over them; " +
			"of local scores ± is over samples, as in the paper, and of the PID of a single model over seeds of k-means. " +
			"A difference is ours less the published number.",
	}
}

// thousands writes a whole number with a comma for its thousands.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// digits are those behind the point: as in the paper, and one more for
// information, which is small.
func (u Unit) digits() int {
	if u == Nats {
		return 3
	}
	return 1
}

func (u Unit) number(x float64) string {
	text := fmt.Sprintf("%.*f", u.digits(), x)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// share writes a fraction in percent.
func (u Unit) share(x score.Share) string {
	v, ok := x.Value()
	if !ok {
		return absent
	}
	return u.number(100 * v)
}

// absent stands where there is no number.
const absent = "–"

// PublishedText returns the published number as the paper prints it.
func (l Line) PublishedText() string {
	if l.Published == nil {
		return absent
	}
	digits := 1
	if l.Unit == Nats {
		digits = 2
	}
	text := fmt.Sprintf("%.*f", digits, l.Published.Value)
	if v, ok := l.Published.Spread.Value(); ok {
		text += fmt.Sprintf(" ± %.*f", digits, v)
	}
	return text
}

// OursText returns our number with its spread.
func (l Line) OursText() string {
	v, ok := l.Ours.Value()
	if !ok {
		return absent
	}
	text := l.Unit.number(v)
	if v, ok := l.Spread.Value(); ok {
		text += " ± " + l.Unit.number(v)
	}
	return text
}

// DifferenceText returns the difference with its sign.
func (l Line) DifferenceText() string {
	v, ok := l.Difference.Value()
	if !ok {
		return absent
	}
	text := l.Unit.number(v)
	if v > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}
