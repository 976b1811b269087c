package serving

import (
	"fmt"
	"strings"
	"time"

	"github.com/intershap/intershap/tensor"
)

// An Error is why a server gave no answer that can be used.
type Error struct {
	// URL of the model as [Shown] gives it.
	URL string
	// Attempts that were made, 0 when nothing was sent.
	Attempts int
	Err      error
	// Hint is the remedy; it may be empty.
	Hint string
}

// Error names the server and the fault.
func (e *Error) Error() string {
	text := fmt.Sprintf("serving: %s: %v", e.URL, e.Err)
	if e.Attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	return text
}

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Err }

// A failure is why one attempt failed, and whether another may succeed.
type failure struct {
	err error
	// again is set when the fault may pass by itself.
	again bool
	// rows is set when the fault may lie in the rows that were sent. Otherwise
	// no other rows would fare better, and nobody needs to look for one.
	rows bool
	// after is how long the server asks to wait.
	after time.Duration
	hint  string
	// status is the HTTP status, 0 without.
	status int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// passing is a failure that may pass.
func passing(format string, args ...any) *failure {
	return &failure{err: fmt.Errorf(format, args...), again: true}
}

// lasting is a failure that stays, whatever the rows.
func lasting(hint, format string, args ...any) *failure {
	return &failure{err: fmt.Errorf(format, args...), hint: hint}
}

// The remedies that several protocols have.
const (
	tokenHint = "set the environment variable " + TokenVariable + " to a token that the server takes"
	rowsHint  = "put a limit of rows behind the URL, such as ?rows=64"
)

// namesOf lists the names of specs.
func namesOf(specs []tensor.Spec) string {
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
