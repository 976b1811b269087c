package plot

import (
	"strings"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

// The doubts that a result may have about all its targets at once, with no subject, and
// that are about what figures show.
const (
	meanDegenerate     = "mean-degenerate"
	meanHides          = "mean-hides-interaction"
	backgroundTooSmall = "background-too-small"
)

// doubts returns the result's warnings that concern the figure. means is set for figures
// of phi, which say themselves that means cancel.
func (s *Subject) doubts(means bool) []diag.Warning {
	var out []diag.Warning
	for _, w := range s.ex.Warnings {
		aboutMeans := w.ID == meanDegenerate || w.ID == meanHides
		known := aboutMeans || w.ID == backgroundTooSmall
		switch {
		case w.Subject != s.target.Target && (w.Subject != "" || !known):
		case aboutMeans && s.single:
		case w.ID == meanDegenerate && means && s.meanNote() != "":
		default:
			out = append(out, w)
		}
	}
	return out
}

// footDoubts writes the warnings that concern the figure, a line each. The description
// has them in full.
func (s *Subject) footDoubts(sh *sheet, means bool) {
	for _, w := range s.doubts(means) {
		text := "Warning: " + wording.Escape(w.Text)
		sh.tell(text)
		sh.lines("doubt", brief(text, smallFont, sh.inner()), smallFont, sh.ink)
	}
}

// brief shortens a sentence to one line: by what stands behind its last semicolon, colon
// or comma, or else by its last words. What was left out has an ellipsis.
func brief(text string, f scene.Font, width float64) string {
	if f.Width(text) <= width {
		return text
	}
	const more = " …"
	words := strings.Split(text, " ")
	fits := 0
	for n := range words {
		if f.Width(strings.Join(words[:n], " ")+more) <= width {
			fits = n
		}
	}
	if fits == 0 {
		return f.Shorten(text, width)
	}
	// An end of a clause is better than the last word that fits, if it leaves much of it.
	const much = 0.5
	for n := fits; float64(n) > much*float64(fits); n-- {
		if strings.ContainsAny(words[n-1][len(words[n-1])-min(1, len(words[n-1])):], ";:,") {
			fits = n
			break
		}
	}
	return strings.TrimRight(strings.Join(words[:fits], " "), ";:,") + more
}
