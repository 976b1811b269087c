package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

const triage = "../../examples/triage"

func needLibrary(t *testing.T) {
	t.Helper()
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
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, out, _ := fakeStreams(false, time.Minute)
		errs := &trigger{call: func() { cancel(&interruption{tt.signal}) }}
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

// TestSamplesFile checks that a file appears at the end or not at all.
func TestSamplesFile(t *testing.T) {
	header := result.SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"output"}, Samples: 1, IDs: tensor.Int64}
	row := result.SampleRow{ID: "0", Values: make([]float64, 4), Phi: make([]float64, 4)}
	path := filepath.Join(t.TempDir(), "s.csv")
	f := &samplesFile{path: path}
	if err := f.discard(); err != nil {
		t.Errorf("discard before the start: want nothing, got %v", err)
	}
	if err := f.finish(); err == nil {
		t.Error("finish before the start: want an error, got none")
	}
	for _, complete := range []bool{false, true} {
		f := &samplesFile{path: path}
		if err := errors.Join(f.Begin(header), f.Write(row)); err != nil {
			t.Fatal(err)
		}
		if complete {
			if err := f.finish(); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.discard(); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || (len(files) == 1) != complete {
			t.Errorf("complete %v: got the files %v, %v", complete, files, err)
		}
	}
}

func TestCheckWritable(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.json")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path string
		force      bool
		inputs     []string
		want       string
	}{
		{"new", filepath.Join(dir, "new.json"), false, nil, ""},
		{"none", "", false, nil, ""},
		{"standard output", "-", false, nil, ""},
		{"exists", there, false, nil, "the file exists"},
		{"forced", there, true, nil, ""},
		{"input", there, true, []string{dir + "/./there.json"}, "the run reads this file"},
		{"folder", dir, true, nil, "got a folder"},
		{"no folder", filepath.Join(dir, "no", "x.json"), true, nil, "there is no folder"},
		{"device", os.DevNull, false, nil, ""},
	} {
		err := checkWritable("out", tt.path, tt.force, tt.inputs...)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want %q, got %v", tt.name, tt.want, err)
		}
	}
}

// TestProfile checks that the hidden flags write their files.
func TestProfile(t *testing.T) {
	dir := t.TempDir()
	cpu, traced := filepath.Join(dir, "cpu"), filepath.Join(dir, "trace")
	stop, err := profile(cpu, traced)
	if err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{cpu, traced} {
		if info, err := os.Stat(f); err != nil || info.Size() == 0 {
			t.Errorf("%s: want a profile, got %v", f, err)
		}
	}
	if _, err := profile(filepath.Join(dir, "no", "cpu"), ""); err == nil {
		t.Error("want an error for a folder that is not there, got none")
	}
}

// TestWords checks that a number is never parted from its sign.
func TestWords(t *testing.T) {
	want := []string{"a", "95 %", "interval,", "12 %;"}
	if diff := cmp.Diff(want, words("a 95 % interval, 12 %;")); diff != "" {
		t.Error(diff)
	}
}
