package process

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/intershap/intershap/model"
)

// ErrClosed is wrapped by the error of a call of a closed model.
var ErrClosed = errors.New("the model is closed")

// An Error says what went wrong with a child process.
type Error struct {
	// Command is the command as [Shown] gives it.
	Command string
	// Reason says what the child did.
	Reason string
	// Hint is the remedy, a sentence for a line of its own; it may be empty.
	Hint string
	// Stderr holds the last lines of the child's standard error.
	Stderr []string
	// Err is the error below this one, if any.
	Err error
	// rowsMatter says that other rows may fare better.
	rowsMatter bool
}

// Error returns one line: the command, the reason, and the last line of the
// child's standard error where the child itself came to an end.
func (e *Error) Error() string {
	text := "process: " + e.Command + ": " + e.Reason
	if n := len(e.Stderr); n > 0 {
		text += "; the last that it said: " + strings.TrimSpace(e.Stderr[n-1])
	}
	return text
}

// Unwrap returns the error below e.
func (e *Error) Unwrap() error { return e.Err }

// Is makes e a [model.ErrUnanswered], unless it is a batch that the model failed
// at or died of, in which a row may be at fault.
func (e *Error) Is(target error) bool { return target == model.ErrUnanswered && !e.rowsMatter }

// A Failure is what a child says of a batch that it could not answer: the
// exception of a Python model. The child goes on.
type Failure struct {
	// Text is the child's reason in one line.
	Text string `json:"error"`
	// Place is where it arose, such as "model.py:12"; it may be empty.
	Place string `json:"place"`
}

// Error returns text and place.
func (e *Failure) Error() string {
	if e.Place == "" {
		return e.Text
	}
	return e.Text + " (" + e.Place + ")"
}

// readFailure reads the payload of a failure.
func readFailure(payload []byte) (*Failure, error) {
	var f Failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return nil, breachf("", "it sent a failure that is no JSON: %v", err)
	}
	// The first line: what follows is on standard error.
	f.Text, _, _ = strings.Cut(strings.TrimSpace(f.Text), "\n")
	if f.Text == "" {
		f.Text = "a failure without a reason"
	}
	return &f, nil
}
