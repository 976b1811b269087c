package cli

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

const triage = "../../examples/triage"

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
	links := t.TempDir()
	link, dangling := filepath.Join(links, "link"), filepath.Join(links, "dangling.json")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "sub"), 0o700), os.Symlink(dir, link),
		os.Symlink(filepath.Join(dir, "new.json"), dangling)); err != nil {
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
		{"beside the parts", filepath.Join(dir, "new.json"), true, []string{dir}, "the run reads the folder"},
		{"over a part, by a link", filepath.Join(link, "there.json"), true, []string{dir}, "the run reads the folder"},
		{"by a link to nothing", dangling, true, []string{dir}, "the run reads the folder"},
		{"below the parts", filepath.Join(dir, "sub", "new.Parquet"), false, []string{dir}, "the run reads the folder"},
		{"below, no data", filepath.Join(dir, "sub", "new.json"), false, []string{dir}, ""},
		{"above the parts", filepath.Join(dir, "new.parquet"), false, []string{filepath.Join(dir, "sub")}, ""},
	} {
		err := checkWritable("out", tt.path, tt.force, tt.inputs...)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want %q, got %v", tt.name, tt.want, err)
		}
	}
}

// TestCheckWritableProbes asks for files in a folder where not even root can
// make any.
func TestCheckWritableProbes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folder /proc, in which nobody can make a file, is Linux's")
	}
	for _, tt := range []struct {
		name, path string
		force      bool
	}{
		{"new", "/proc/run.json", false},
		{"forced", "/proc/version", true},
	} {
		err := checkWritable("out", tt.path, tt.force)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "no file can be made in the folder /proc") || hintOf(err) == "" {
			t.Errorf("%s: want the folder named, a hint and code %d, got %v", tt.name, exitUsage, err)
		}
	}
}

// TestCheckWritableLeavesNothing checks that the probe goes, and that what is
// there stays.
func TestCheckWritableLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.json")
	if err := os.WriteFile(there, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(checkWritable("out", there, true), checkWritable("out", filepath.Join(dir, "new.json"), false)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("want the one file, got %v, %v", files, err)
	}
	if got, err := os.ReadFile(there); err != nil || string(got) != "kept" {
		t.Errorf("want it left alone, got %q, %v", got, err)
	}
}

// TestExplainChecksEveryFile checks that no flag that names a file to write
// passes over one that is there.
func TestExplainChecksEveryFile(t *testing.T) {
	dir := t.TempDir()
	for _, flag := range []string{"out", "samples", "cpuprofile", "trace"} {
		path := filepath.Join(dir, flag+map[string]string{"out": ".json", "samples": ".csv"}[flag])
		if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, _, errs := fakeStreams(false, 0)
		s.env = environment{variableOf(flag) + "=" + path}
		code := run(t.Context(), []string{"explain", triage + "/model.onnx", triage + "/test.npz"}, s)
		if want := "--" + flag + " " + path + ": the file exists"; code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: want code %d and %q, got %d and %q", flag, exitUsage, want, code, errs)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "kept" {
			t.Errorf("%s: want the file left alone, got %q (%v)", flag, got, err)
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
