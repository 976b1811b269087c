package cli

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/intershap/intershap/model/onnx"
)

// needLibrary skips a test that runs a model where no program could.
func needLibrary(t *testing.T) {
	t.Helper()
	if !builtWithCgo {
		t.Skip("running a model takes cgo")
	}
	if _, err := onnx.FindLibrary(""); err != nil {
		t.Fatal(err)
	}
}

// A trigger calls a function at the first write.
type trigger struct {
	strings.Builder
	call func()
}

func (w *trigger) Write(p []byte) (int, error) {
	w.call()
	return w.Builder.Write(p)
}

// TestInterrupted ends a run in its middle: the code and the message say so,
// and no file is left.
func TestInterrupted(t *testing.T) {
	needLibrary(t)
	for _, tt := range []struct {
		signal os.Signal
		code   int
		text   string
	}{
		{os.Interrupt, exitInterrupt, "intershap: interrupted: nothing was kept\n"},
		{syscall.SIGTERM, exitTerminated, "intershap: terminated: nothing was kept\n"},
		{syscall.SIGQUIT, exitQuit, "intershap: quit: nothing was kept\n"},
		{syscall.SIGHUP, exitHangup, "intershap: the terminal went away: nothing was kept\n"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, out, _ := fakeStreams(false, time.Minute)
		errs := &trigger{call: func() { cancel(&interruption{signal: tt.signal}) }}
		s.err = errs
		dir := t.TempDir()
		code := run(ctx, []string{
			"explain", triage + "/model.onnx", triage + "/test.npz", "--background", triage + "/train.npz", "--progress", "plain",
			"-o", filepath.Join(dir, "run.json"), "--samples", filepath.Join(dir, "run.csv"),
		}, s)
		if code != tt.code || !strings.HasSuffix(errs.String(), tt.text) {
			t.Errorf("%v: want code %d and %q, got %d and %q", tt.signal, tt.code, tt.text, code, errs.String())
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || out.Len() > 0 {
			t.Errorf("%v: want nothing kept and printed, got %v and %q (%v)", tt.signal, left, out, err)
		}
	}
}

// TestExplainKeepsNoSamples holds that what is left of a run does not grow with
// the samples when nobody asked for their values. Kept, they would take 48 bytes
// each: a share and the 2×2 matrix.
func TestExplainKeepsNoSamples(t *testing.T) {
	needLibrary(t)
	live := func(samples int) uint64 {
		q, _, err := parse(t, nil, "--output", "cos", "--task", "regression", "--target", "class:0",
			"--modality", "a=x[:2]", "--modality", "b=x[2:]", "--background-size", "2")
		if err != nil {
			t.Fatal(err)
		}
		q.model, q.data = "../../model/onnx/testdata/elementwise.onnx", filepath.Join(t.TempDir(), "x.csv")
		rows := "x.a,x.b,x.c,x.d,x.e\n" + strings.Repeat("1,2,3,4,5\n2,3,4,5,6\n", samples/2)
		if err := os.WriteFile(q.data, []byte(rows), 0o600); err != nil {
			t.Fatal(err)
		}
		opt := explainOptions{question: q, narration: narration{quiet: true, progress: progressNone}}
		if err := opt.check(); err != nil {
			t.Fatal(err)
		}
		s, _, _ := fakeStreams(false, 0)
		ex, _, err := opt.explain(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if ex.Samples() != samples {
			t.Errorf("want %d samples explained, got %d", samples, ex.Samples())
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(ex)
		return m.HeapAlloc
	}
	const few, many, bound = 200, 20_000, 256 << 10
	live(few) // what the first run alone allocates for good
	before, after := live(few), live(many)
	t.Logf("live heap %d KiB after %d samples, %d KiB after %d", before>>10, few, after>>10, many)
	if after > before+bound {
		t.Errorf("want at most %d KiB more live after %d samples than after %d, got %d and %d KiB", bound>>10, many, few, after>>10, before>>10)
	}
}

// TestInspectComputesWhatExplainDoes checks that a probe with data computes one
// output, and that all outputs are told nevertheless.
func TestInspectComputesWhatExplainDoes(t *testing.T) {
	needLibrary(t)
	for _, tt := range []struct{ data, output, reason string }{
		{"", "", "nothing is asked, so nothing is chosen"},
		{triage + "/test.npz", "probabilities", "the one that explain takes by itself"},
		{triage + "/test.npz", "logits", "the one that is named"},
	} {
		opt := inspectOptions{question: question{model: triage + "/model.onnx", data: tt.data}}
		if tt.output != "probabilities" {
			opt.options.Output = tt.output
		}
		s, _, _ := fakeStreams(false, 0)
		m, all, err := opt.open(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		computed := signatureOf(m).Outputs
		if len(all) != 2 || tt.data == "" && len(computed) != 2 || tt.data != "" && (len(computed) != 1 || computed[0].Name != tt.output) {
			t.Errorf("%s: told %v, computes %v", tt.reason, all, computed)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
