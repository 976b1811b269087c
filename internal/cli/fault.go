package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/process"
)

// The exit codes of every command; `intershap help exit-codes` tells them.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitGate       = 3
	exitDoubt      = 4
	exitHangup     = 129 // 128 + SIGHUP, as shells count
	exitInterrupt  = 130 // 128 + SIGINT
	exitQuit       = 131 // 128 + SIGQUIT
	exitTerminated = 143 // 128 + SIGTERM
)

// A usageError is a fault of the command line itself, seen before any file was
// opened.
type usageError struct {
	// command is the command whose help is offered, "intershap explain".
	command string
	err     error
	// hint is the remedy, a line of its own; it may be empty.
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a usageError; the command is filled in where it is known.
func usagef(format string, args ...any) *usageError {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// A gateError says that a run is done and one of its numbers is out of bounds.
type gateError struct{ text string }

func (e *gateError) Error() string { return e.text }

// A doubtError says that a run is done and that --strict minds its warnings.
type doubtError struct{ warnings int }

func (e *doubtError) Error() string {
	return fmt.Sprintf("%s, and --strict was given", count(int64(e.warnings), "warning"))
}

// An interruption is a signal that ended a command.
type interruption struct {
	signal os.Signal
	// checkpoint is the folder that the command can go on from, "" for none.
	checkpoint string
}

func (e *interruption) Error() string {
	what := "interrupted"
	switch e.signal {
	case syscall.SIGTERM:
		what = "terminated"
	case syscall.SIGQUIT:
		what = "quit"
	case syscall.SIGHUP:
		what = "the terminal went away"
	}
	if e.checkpoint == "" {
		return what + ": nothing was kept"
	}
	return fmt.Sprintf("%s: what was computed is kept in %s", what, e.checkpoint)
}

// A hintedError carries a remedy, which is printed on a line of its own.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// exitCode maps an error to the code that the process ends with.
func exitCode(err error) int {
	var (
		usage  *usageError
		gate   *gateError
		doubt  *doubtError
		signal *interruption
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &signal):
		switch signal.signal {
		case syscall.SIGTERM:
			return exitTerminated
		case syscall.SIGQUIT:
			return exitQuit
		case syscall.SIGHUP:
			return exitHangup
		}
		return exitInterrupt
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &gate):
		return exitGate
	case errors.As(err, &doubt):
		return exitDoubt
	}
	return exitFailed
}

// program is the name that starts every message.
const program = "intershap"

// reportError writes err for a person: a line each for what is wrong, the remedy,
// and where the usage is told.
func reportError(w io.Writer, err error) {
	// Packages name themselves; the root package has the program's name.
	text := strings.TrimPrefix(escapeError(err), program+": ")
	lines := []string{program + ": " + text}
	if hint := hintOf(err); hint != "" {
		lines = append(lines, "hint: "+escape(hint))
	}
	var usage *usageError
	if errors.As(err, &usage) && usage.command != "" {
		lines = append(lines, fmt.Sprintf("Run '%s --help'", usage.command))
	}
	// Nothing can be told when standard error itself fails.
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n")
}

// hintOf returns the remedy that an error carries, "" for none.
func hintOf(err error) string {
	var (
		hinted     *hintedError
		usage      *usageError
		data       *dataset.Error
		modalities *dataset.ModalityError
		groups     *dataset.GroupError
		padding    *dataset.PadError
		library    *onnx.LibraryError
		load       *onnx.LoadError
		folder     *checkpoint.Error
		child      *process.Error
		command    *process.CommandError
		signal     *interruption
	)
	switch {
	case errors.As(err, &signal) && signal.checkpoint != "":
		return "the same command goes on from there"
	case errors.As(err, &folder):
		return folder.Hint
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &data):
		return data.Hint
	case errors.As(err, &modalities):
		return modalities.Hint
	case errors.As(err, &groups):
		return groups.Hint
	case errors.As(err, &padding):
		return padding.Hint
	case errors.As(err, &library):
		return library.Hint
	case errors.As(err, &load):
		return load.Hint
	case errors.As(err, &child):
		return child.Hint
	case errors.As(err, &command):
		return command.Hint
	}
	return servingHint(err)
}
