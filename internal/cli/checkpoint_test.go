package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
)

func TestCheckCheckpoint(t *testing.T) {
	dir := t.TempDir()
	busy := filepath.Join(dir, "busy")
	file := filepath.Join(dir, "file")
	if err := errors.Join(os.Mkdir(busy, 0o700), os.WriteFile(filepath.Join(busy, "x"), nil, 0o600), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, dir, want string }{
		{"none", "", ""},
		{"new", filepath.Join(dir, "new"), ""},
		{"new, with a slash", filepath.Join(dir, "new") + "/", ""},
		{"empty", t.TempDir(), ""},
		{"other files", busy, `--checkpoint ` + busy + `: holds "x"`},
		{"a file", file, "got a file"},
		{"no folder above", filepath.Join(dir, "no", "ck"), "there is no folder"},
	} {
		err := checkCheckpoint(tt.dir)
		var usage *usageError
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) || usage.hint == ""):
			t.Errorf("%s: want wrong usage with %q and a hint, got %v", tt.name, tt.want, err)
		}
	}
}

func TestCheckOutside(t *testing.T) {
	dir := t.TempDir()
	ck, link := filepath.Join(dir, "ck"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(ck, 0o700), os.Symlink(ck, link)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, dir string
		ok              bool
	}{
		{"no checkpoint", filepath.Join(ck, "run.json"), "", true},
		{"no file", "", ck, true},
		{"standard output", "-", ck, true},
		{"beside", filepath.Join(dir, "run.json"), ck, true},
		{"inside", filepath.Join(ck, "run.json"), ck, false},
		{"inside by a link", filepath.Join(link, "run.json"), ck, false},
		{"inside one that is not there yet", filepath.Join(dir, "new", "run.json"), filepath.Join(dir, "new") + "/", false},
	} {
		if err := checkOutside("out", tt.path, tt.dir); (err == nil) != tt.ok {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

// TestInterruptedWithCheckpoint ends a run that keeps its tiles: the message says
// where they are and how to go on, and a run of the same command does.
func TestInterruptedWithCheckpoint(t *testing.T) {
	needLibrary(t)
	dir := t.TempDir()
	ck := filepath.Join(dir, "ck")
	args := []string{
		"explain", triage + "/model.onnx", triage + "/test.npz", "--background", triage + "/train.npz", "--background-size", "50",
		"--progress", "plain", "--plan", "full", "--checkpoint", ck, "-o", filepath.Join(dir, "run.json"),
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	s, out, _ := fakeStreams(false, time.Minute)
	tiles := func() int {
		found, err := filepath.Glob(filepath.Join(ck, "tile-*.bin"))
		if err != nil {
			t.Error(err)
		}
		return len(found)
	}
	errs := &trigger{call: func() {
		if tiles() > 0 {
			cancel(&interruption{signal: syscall.SIGTERM})
		}
	}}
	s.err = errs
	code := run(ctx, args, s)
	want := "intershap: terminated: what was computed is kept in " + ck + "\nhint: the same command goes on from there\n"
	if code != exitTerminated || !strings.HasSuffix(errs.String(), want) || out.Len() > 0 {
		t.Errorf("want code %d and %q, got %d, %q and the output %q", exitTerminated, want, code, errs.String(), out)
	}
	if tiles() == 0 {
		t.Error("nothing was kept")
	}
	s, out, text := fakeStreams(false, 0)
	if code := run(t.Context(), args, s); code != exitDone || !strings.Contains(text.String(), "tiles found in "+ck) {
		t.Errorf("the same command again: code %d, %q", code, text)
	}
	if !strings.Contains(out.String(), "those that the checkpoint did not have in") {
		t.Errorf("the table does not tell whose time it has:\n%s", out)
	}
}

func TestResumedTells(t *testing.T) {
	for quiet, want := range map[bool]string{false: "intershap: 37 of 1,200 tiles found in a?b\n", true: ""} {
		s, _, errs := fakeStreams(false, 0)
		newTeller(s, narration{quiet: quiet}).resumed(37, 1200, "a\x1bb")
		if got := errs.String(); strings.ContainsRune(got, '\x1b') || (got == "") != quiet || !strings.HasPrefix(got, strings.Split(want, "a?b")[0]) {
			t.Errorf("quiet %v: want %q, got %q", quiet, want, got)
		}
	}
}

// TestCheckpointErrors checks that what a checkpoint says reaches the person with
// its remedy.
func TestCheckpointErrors(t *testing.T) {
	var b bytes.Buffer
	err := &checkpoint.Error{Path: "ck/tile-00000001.bin", Err: errors.New("is damaged"), Hint: "delete this file"}
	reportError(&b, err)
	if want := "intershap: checkpoint: ck/tile-00000001.bin: is damaged\nhint: delete this file\n"; b.String() != want {
		t.Errorf("want %q, got %q", want, b.String())
	}
	if got := exitCode(err); got != exitFailed {
		t.Errorf("want code %d, got %d", exitFailed, got)
	}
}

// TestCostOfResumedRun holds that the table of a resumed run has no speed: it
// would be that of rows that others ran.
func TestCostOfResumedRun(t *testing.T) {
	for resumed, want := range map[bool]bool{false: true, true: false} {
		s, out, _ := fakeStreams(false, 0)
		p := newPage(s, colorNever)
		ex := &result.Explanation{Cost: result.Cost{Rows: map[string]int64{"model": 1000}, Seconds: 0.5}}
		writeCost(p, ex, resumed)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "rows a second"); got != want {
			t.Errorf("resumed %v: got %q", resumed, out)
		}
	}
}
