package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/process"
	"github.com/intershap/intershap/model/serving"
	"github.com/intershap/intershap/tensor"
)

// namesCommand reports whether a model is a command, and returns it.
func namesCommand(name string) (command string, found bool) {
	if len(name) < len(process.Scheme) || !strings.EqualFold(name[:len(process.Scheme)], process.Scheme) {
		return "", false
	}
	return name[len(process.Scheme):], true
}

// shownModel returns the name of a model as results and messages write it: what may
// be a secret in a command or a URL is masked.
func shownModel(name string) string {
	if command, found := namesCommand(name); found {
		return name[:len(process.Scheme)] + process.Shown(command)
	}
	if serving.IsURL(name) {
		return serving.Shown(name)
	}
	return name
}

// checkCommand refuses a command that is none, and flags that mean nothing to it.
func (q *question) checkCommand(command string) error {
	if _, err := process.Split(command); err != nil {
		fault := usagef("MODEL %s: %w", shownModel(q.model), err)
		fault.hint = hintOf(err)
		return fault
	}
	if q.device != "" && q.device != onnx.CPU {
		fault := usagef("--device %s is for ONNX files", q.device)
		fault.hint = "the command chooses where it computes; " + process.WorkerVariable + " tells its processes apart"
		return fault
	}
	return nil
}

// openCommand opens a model in child processes, one for each worker at most.
func (q *question) openCommand(ctx context.Context, s *streams, command string, outputs func([]tensor.Spec) []string) (modelFile, error) {
	children := q.options.Workers
	if children == 0 {
		children = runtime.GOMAXPROCS(0)
	}
	lines := &modelLines{to: s.err, terminal: s.errTerminal, hushed: q.hushed}
	if q.hushed {
		s.unsaid = lines
	}
	m, err := process.Open(ctx, command, process.Options{
		Children: children, Timeout: q.timeout, Env: s.env, Outputs: outputs, Stderr: lines,
	})
	if err != nil {
		return nil, err
	}
	// While a process computes, the next batch is made for it.
	q.options.Workers = children * process.PerChild
	return m, nil
}

// unsaidLines is how much of what a model said is kept for an error.
const unsaidLines = 20

// modelLines writes what a model says to standard error, marked as such.
type modelLines struct {
	to       io.Writer
	terminal bool
	// hushed keeps the last lines instead.
	hushed bool

	mu   sync.Mutex // of what is below
	kept [][]byte
	last []byte
	// repeated is set once the last line came again.
	repeated bool
}

// repeatedLine stands for all repetitions of the line before it.
const repeatedLine = "(the same line again; repetitions are left out)\n"

// Write takes whole lines. A model that prints does so in every batch, so that a
// line is passed on once, until another comes.
func (l *modelLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch again := l.last != nil && bytes.Equal(l.last, p); {
	case again && l.repeated:
		return len(p), nil
	case again:
		l.repeated = true
		if _, err := l.pass([]byte(repeatedLine)); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	l.last, l.repeated = bytes.Clone(p), false
	return l.pass(p)
}

// pass writes a line, or keeps it.
func (l *modelLines) pass(p []byte) (int, error) {
	if !l.hushed {
		return l.write(p)
	}
	if len(l.kept) == unsaidLines {
		l.kept = l.kept[1:]
	}
	l.kept = append(l.kept, bytes.Clone(p))
	return len(p), nil
}

// say writes the lines that were kept.
func (l *modelLines) say() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.kept {
		_, _ = l.write(line) // the error itself is told next
	}
	l.kept = nil
}

func (l *modelLines) write(p []byte) (int, error) {
	mark := "model: "
	if l.terminal {
		mark = "\r\x1b[K" + mark // a progress bar may stand there, and comes again
	}
	if _, err := fmt.Fprintf(l.to, "%s%s", mark, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// addTimeout adds the flag that bounds calls of models that are no files.
func addTimeout(flags *pflag.FlagSet, timeout *time.Duration) {
	define(flags, timeout, "timeout", process.DefaultTimeout.String(), "D", "limit of each call of a model that is no file, such as 90s or 1h", readTimeout)
}

func readTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("want a time such as 90s, 10m or 1h, got %q", text)
	}
	return d, nil
}
