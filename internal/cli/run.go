package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
)

// Run runs the command line args (without the program's name) and returns the
// exit code. SIGINT, SIGTERM, SIGHUP and SIGQUIT end a command cleanly.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	return run(ctx, args, newStreams(stdin, stdout, stderr, env))
}

// run is Run with everything from outside passed in.
func run(ctx context.Context, args []string, s *streams) (code int) {
	defer func() {
		if fault := recover(); fault != nil {
			reportError(s.err, &hintedError{
				err:  fmt.Errorf("a fault of the program itself: %v", fault),
				hint: "please report it with the command line; --verbose adds the place",
			})
			if slices.Contains(args, "-v") || slices.Contains(args, "--verbose") {
				_, _ = s.err.Write(debug.Stack())
			}
			code = exitFailed
		}
	}()
	s.typed = args
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = s.helpFault
	}
	var signal *interruption
	if err != nil && !errors.As(err, &signal) && errors.As(context.Cause(ctx), &signal) {
		// What failed did so because the command was told to end.
		err = signal
	}
	code = exitCode(err)
	if code == exitFailed && s.unsaid != nil {
		s.unsaid.say()
	}
	if err != nil {
		reportError(s.err, err)
	}
	return code
}

// endings are the signals that end a command. Without SIGQUIT among them Ctrl-\
// would leave a model's processes computing.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// untilSignal returns a context that the first of the endings ends, with an
// interruption as its cause. What was ignored when the process began, as nohup
// does it, stays ignored. The second signal ends the process as if nobody
// listened, for a model that does not return.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	for _, s := range endings {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(&interruption{signal: s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
