// Package diag holds warnings: doubts about a result that travel with it, as
// data, to the table's footnotes, the JSON and every page made from it.
package diag

import "fmt"

// A Warning is one doubt.
type Warning struct {
	// ID is stable and kebab-case: "background-too-small".
	ID string `json:"id"`
	// Subject is what the doubt is about: a modality, a target, a file; it may
	// be empty.
	Subject string `json:"subject"`
	// Text says what is doubtful, with the number, and what would mend it.
	Text string `json:"text"`
}

// String formats w as one line.
func (w Warning) String() string {
	if w.Subject == "" {
		return fmt.Sprintf("%s: %s", w.ID, w.Text)
	}
	return fmt.Sprintf("%s (%s): %s", w.ID, w.Subject, w.Text)
}

// A List is an ordered list of warnings without repeats. The zero List is
// empty and ready to use.
type List struct{ all []Warning }

// Add appends a warning unless one with the same ID and subject is there.
func (l *List) Add(id, subject, format string, args ...any) {
	for _, w := range l.all {
		if w.ID == id && w.Subject == subject {
			return
		}
	}
	l.all = append(l.all, Warning{ID: id, Subject: subject, Text: fmt.Sprintf(format, args...)})
}

// Append adds every warning of ws in order.
func (l *List) Append(ws ...Warning) {
	for _, w := range ws {
		l.Add(w.ID, w.Subject, "%s", w.Text)
	}
}

// All returns the warnings in the order in which they came.
func (l *List) All() []Warning { return append([]Warning{}, l.all...) }
