package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/process"
	"github.com/intershap/intershap/tensor"
)

// namesCommand reports whether a model is a command, and returns it.
func namesCommand(name string) (command string, found bool) {
	if len(name) < len(process.Scheme) || !strings.EqualFold(name[:len(process.Scheme)], process.Scheme) {
		return "", false
	}
	return name[len(process.Scheme):], true
}

// checkCommand refuses a command that is none, and flags that mean nothing to it.
func (q *question) checkCommand(command string) error {
	if _, err := process.Split(command); err != nil {
		fault := usagef("MODEL %s: %w", q.model, err)
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
	m, err := process.Open(ctx, command, process.Options{
		Children: children, Timeout: q.timeout, Env: s.env, Outputs: outputs,
		Stderr: &modelLines{to: s.err, terminal: s.errTerminal},
	})
	if err != nil {
		return nil, err
	}
	// While a process computes, the next batch is made for it.
	q.options.Workers = children * process.PerChild
	return m, nil
}

// modelLines writes what a model says to standard error, marked as such.
type modelLines struct {
	to       io.Writer
	terminal bool
}

// Write takes whole lines.
func (l *modelLines) Write(p []byte) (int, error) {
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
