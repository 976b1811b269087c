package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{fmt.Errorf("wrapped: %w", usagef("x")), 2},
		{errors.Join(&gateError{"x"}, &gateError{"y"}), 3},
		{&doubtError{1}, 4},
		{&interruption{signal: syscall.SIGHUP}, 129},
		{&interruption{signal: os.Interrupt}, 130},
		{&interruption{signal: syscall.SIGQUIT}, 131},
		{&interruption{signal: syscall.SIGTERM}, 143},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%v: want %d, got %d", tt.err, tt.want, got)
		}
	}
}

func TestReportError(t *testing.T) {
	usage := usagef("unknown flag --x")
	usage.command, usage.hint = "intershap explain", "did you mean --y?"
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("engine: no"), "intershap: engine: no\n"},
		{"own prefix", errors.New("intershap: no"), "intershap: no\n"},
		{"joined", errors.Join(errors.New("a"), errors.New("b")), "intershap: a\n  b\n"},
		{"a name with a line end", errors.New("no a\nb"), "intershap: no a\\nb\n"},
		{"a remedy with one", &hintedError{errors.New("no"), "take a\nb"}, "intershap: no\nhint: take a\\nb\n"},
		{"data", fmt.Errorf("x: %w", &dataset.Error{File: "f.csv", Line: 3, Row: 1, Found: "y", Hint: "mend it"}), "intershap: x: dataset: f.csv:3: y\nhint: mend it\n"},
		{"modalities", &dataset.ModalityError{Reason: "no", Hint: "mend it"}, "intershap: dataset: modalities: no\nhint: mend it\n"},
		{"padding", &dataset.PadError{Spec: "x=0", Reason: "no", Hint: "mend it"}, "intershap: dataset: padding \"x=0\": no\nhint: mend it\n"},
		{"load", fmt.Errorf("onnx: m.onnx: %w", &onnx.LoadError{Reason: "no such operator", Hint: "export it again"}),
			"intershap: onnx: m.onnx: ONNX Runtime cannot load it: no such operator\nhint: export it again\n"},
		{"library", fmt.Errorf("onnx: %w", &onnx.LibraryError{Err: onnx.ErrNoLibrary, Hint: "get it"}), "intershap: onnx: ONNX Runtime's library was not found\nhint: get it\n"},
		{"usage", usage, "intershap: unknown flag --x\nhint: did you mean --y?\nRun 'intershap explain --help'\n"},
	} {
		var b bytes.Buffer
		reportError(&b, tt.err)
		if diff := cmp.Diff(tt.want, b.String()); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
}

// TestPanic checks that a fault of the program is told as an error.
func TestPanic(t *testing.T) {
	s, _, errs := fakeStreams(false, 0)
	s.out = panickingWriter{}
	if code := run(t.Context(), []string{"version"}, s); code != exitFailed {
		t.Errorf("want exit code %d, got %d", exitFailed, code)
	}
	if got := errs.String(); !strings.Contains(got, "a fault of the program itself: boom") || strings.Contains(got, "goroutine") {
		t.Errorf("want a line for a person, got %q", got)
	}
}

// TestHelpFault checks that help which cannot be written fails, however it was
// asked for.
func TestHelpFault(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"explain", "--help"}, {"help", "explain"}} {
		s, _, errs := fakeStreams(false, 0)
		s.out = fullWriter{}
		if code := run(t.Context(), args, s); code != exitFailed || !strings.Contains(errs.String(), "no space") {
			t.Errorf("%v: want code %d and the reason, got %d and %q", args, exitFailed, code, errs)
		}
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

type panickingWriter struct{}

func (panickingWriter) Write([]byte) (int, error) { panic("boom") }

// TestSignals sends the process what a terminal and a supervisor send.
func TestSignals(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range endings {
		if signal.Ignored(sig) {
			t.Logf("%v is ignored, as under nohup: not tried", sig)
			continue
		}
		ctx, stop := untilSignal(t.Context())
		if err := self.Signal(sig); err != nil {
			stop()
			t.Skipf("this system sends no %v to itself: %v", sig, err)
		}
		<-ctx.Done()
		var got *interruption
		if !errors.As(context.Cause(ctx), &got) || got.signal != sig {
			t.Errorf("%v: want it as the cause, got %v", sig, context.Cause(ctx))
		}
		stop()
	}
	ctx, stop := untilSignal(t.Context())
	stop()
	var got *interruption
	if errors.As(context.Cause(ctx), &got) {
		t.Error("without a signal: want no interruption")
	}
}

func TestGates(t *testing.T) {
	target := func(name string, share score.Share) result.Target {
		t := result.Target{Target: name, Headline: result.MeanAbsolute}
		t.MeanAbsolute.InterSHAP = share
		return t
	}
	at := func(x float64) bound { return bound{at: x, set: true} }
	low, high, none := target("low", score.Defined(0.1)), target("high", score.Defined(0.6)), target("none", score.Share{})
	for _, tt := range []struct {
		name         string
		targets      []result.Target
		above, below bound
		want         []string
	}{
		{"no gate", []result.Target{none}, bound{}, bound{}, nil},
		{"within", []result.Target{low, high}, at(0.7), at(0.05), nil},
		{"on the bound", []result.Target{low}, at(0.1), at(0.1), nil},
		{"above", []result.Target{low, high}, at(0.5), bound{}, []string{"target high: mean absolute InterSHAP is 0.6, above 0.5"}},
		{"many digits", []result.Target{target("odd", score.Defined(0.15468130819422504))}, at(0.1), bound{}, []string{"is 0.1547, above 0.1"}},
		{"by a hair", []result.Target{target("odd", score.Defined(0.10000004))}, at(0.1), bound{}, []string{"is 0.10000004, above 0.1"}},
		{"below by a hair", []result.Target{target("odd", score.Defined(0.0999999994))}, bound{}, at(0.1), []string{"is 0.099999999, below 0.1"}},
		{"below", []result.Target{low, high}, bound{}, at(0.9), []string{"target low", "target high"}},
		{"zero is a bound", []result.Target{low}, at(0), bound{}, []string{"above 0"}},
		{"undefined", []result.Target{none}, at(1), bound{}, []string{"is undefined"}},
	} {
		err := checkGates(tt.targets, tt.above, tt.below)
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: want %q, got %v", tt.name, tt.want, err)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) || exitCode(err) != exitGate {
				t.Errorf("%s: want %q with code %d, got %v with %d", tt.name, w, exitGate, err, exitCode(err))
			}
		}
	}
}
