package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/intershap/intershap/internal/wording"
)

// Names come from files that a stranger may have written, and a terminal obeys
// what it is sent: sequences that start with ESC move the cursor and set titles,
// line ends forge lines of ours, marks of direction reorder what is read. All
// text for a person passes here; colour is added after it, by the painter.

// A painted text has been escaped, and may have colour since.
type painted string

// escape shows what a terminal would act on, see [wording.Escape].
func escape(text string) string { return wording.Escape(text) }

// escapeLines is escape for text of several lines, such as joined errors: a
// line end stays one, and what follows it is indented, so that it cannot pass
// for a line of ours.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = escape(l)
	}
	return strings.Join(lines, "\n  ")
}

// escapeError is escape for the text of an error: the line ends between errors that were
// joined stay, those inside of one, which come from names, do not.
func escapeError(err error) string {
	text := err.Error()
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		joined, ok := inner.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		var texts, lines []string
		for _, e := range joined.Unwrap() {
			texts, lines = append(texts, e.Error()), append(lines, escapeError(e))
		}
		before, behind, found := strings.Cut(text, inner.Error())
		if !found || inner.Error() != strings.Join(texts, "\n") {
			return escapeLines(text) // put together in another way
		}
		return escape(before) + strings.Join(lines, "\n  ") + escape(behind)
	}
	return escape(text)
}

// escapef formats as fmt.Sprintf does, with every text among args escaped but
// what is painted.
func escapef(format string, args ...any) painted {
	clean := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			clean[i] = escape(a)
		case error:
			clean[i] = escape(a.Error())
		case fmt.Stringer:
			clean[i] = escape(a.String())
		default:
			clean[i] = a
		}
	}
	return painted(fmt.Sprintf(format, clean...))
}
