package cli

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A person at a terminal sees columns.
func TestSynthOnATerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	s, out, errs := fakeStreams(true, time.Second)
	args := []string{"synth", "hd-xor", "--setting", "synergy", "--modalities", "3", "--samples", "200", "-o", "data", "--color", "never"}
	if code := run(t.Context(), args, s); code != exitDone {
		t.Fatalf("want the exit code 0, got %d: %s", code, errs)
	}
	want := strings.Join([]string{
		"data        hd-xor, setting synergy, label exactly-one, variant appendix, seed 1",
		"modalities  m1 110, m2 90, m3 100",
		"folder      data",
		"",
		"file       samples  label 0  label 1",
		"train.npz      140   50.0 %   50.0 %",
		"valid.npz       30   50.0 %   50.0 %",
		"test.npz        30   50.0 %   50.0 %",
		"bits.npz        30   50.0 %   50.0 %",
		"",
		"baseline.onnx is the function that made the labels, on the clean bits of the",
		"test split",
		"",
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if errs.Len() > 0 {
		t.Errorf("want nothing on standard error, got %q", errs)
	}
}

// A signal before the first file leaves nothing.
func TestSynthInterrupted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interruption{signal: syscall.SIGINT})
	s, out, errs := fakeStreams(false, time.Second)
	if code := run(ctx, []string{"synth", "sum", "--setting", "synergy", "--samples", "200", "-o", folder}, s); code != exitInterrupt {
		t.Errorf("want the exit code %d, got %d: %s", exitInterrupt, code, errs)
	}
	if _, err := os.Stat(folder); err == nil || out.Len() > 0 {
		t.Errorf("want nothing written, got %q and a folder", out)
	}
}

// Where a write fails, the folder has no description: it is not complete.
func TestSynthHalfWritten(t *testing.T) {
	folder := t.TempDir()
	opt := synthOptions{kind: "hd-xor", setting: "synergy", modalities: 2, samples: 200, variant: 1, labelling: 1, format: 1, out: folder}
	set, err := opt.draw()
	if err != nil {
		t.Fatal(err)
	}
	// A folder of this name came after the check.
	if err := os.WriteFile(filepath.Join(folder, "synth.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "bits.npz"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, _, _ := fakeStreams(false, time.Second)
	if err := opt.write(newTeller(s, narration{}), set); err == nil || !strings.Contains(err.Error(), "bits.npz") {
		t.Errorf("want an error that names the file, got %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "synth.json")); err == nil {
		t.Error("want no description of a set that is not complete")
	}
	opt.out = filepath.Join(folder, "none", "data")
	if err := opt.write(newTeller(s, narration{}), set); err == nil || !strings.Contains(err.Error(), "cannot be made") {
		t.Errorf("want an error of the folder, got %v", err)
	}
}

// The shell proposes settings of the kind and the number of modalities.
func TestSynthCompletions(t *testing.T) {
	for _, c := range []struct {
		args       []string
		want, none []string
	}{
		{[]string{"synth", ""}, []string{"hd-xor", "sum"}, nil},
		{[]string{"synth", "hd-xor", "--setting", ""}, []string{"uniqueness-2", "random"}, []string{"uniqueness-3", "mix-1"}},
		{[]string{"synth", "hd-xor", "--modalities", "3", "--setting", "uni"}, []string{"uniqueness-3"}, []string{"synergy"}},
		{[]string{"synth", "sum", "--setting", ""}, []string{"mix-2"}, []string{"random"}},
		{[]string{"synth", "sum", "--variant", ""}, []string{"appendix", "code"}, nil},
		{[]string{"synth", "hd-xor", "--label", ""}, []string{"exactly-one", "parity"}, nil},
		{[]string{"synth", "hd-xor", "--format", ""}, []string{"npz", "parquet"}, nil},
	} {
		s, out, _ := fakeStreams(false, time.Second)
		if code := run(t.Context(), append([]string{"__complete"}, c.args...), s); code != exitDone {
			t.Errorf("%v: exit code %d", c.args, code)
		}
		got := strings.Split(out.String(), "\n")
		for _, w := range c.want {
			if !slices.Contains(got, w) {
				t.Errorf("%v: want %s, got %q", c.args, w, got)
			}
		}
		for _, w := range c.none {
			if slices.Contains(got, w) {
				t.Errorf("%v: want no %s, got %q", c.args, w, got)
			}
		}
	}
}
