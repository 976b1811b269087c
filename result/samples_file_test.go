package result

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

var plain = SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x"}, Samples: 3, IDs: tensor.Int64}

// started returns a writer that has taken the first rows.
func started(t *testing.T, path string, rows int) SamplesWriter {
	t.Helper()
	w, err := CreateSamples(path, plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range makeRows(plain, numbered)[:rows] {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// What stood under the name stays until Close, and after anything but Close.
func TestSamplesAreCompleteOrAbsent(t *testing.T) {
	const before = "what was there"
	for _, format := range formats {
		for _, c := range []struct {
			name string
			rows int
			end  func(SamplesWriter) error
			want string // of the error
			kept bool
		}{
			{"discard", 2, SamplesWriter.Discard, "", true},
			{"discard at once", 0, SamplesWriter.Discard, "", true},
			{"close", 3, SamplesWriter.Close, "", false},
			{"row missing", 2, SamplesWriter.Close, "want 3 rows (3 samples of 1 targets), got 2", true},
			{"discard after close", 3, func(w SamplesWriter) error { return errors.Join(w.Close(), w.Discard()) }, "", false},
		} {
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, "s"+format)
				if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
				w := started(t, path, c.rows)
				if got := must[[]byte](t)(os.ReadFile(path)); string(got) != before {
					t.Error("want the file untouched until the end, got another")
				}
				err := c.end(w)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("want an error that says %q, got %v", c.want, err)
				}
				entries := must[[]os.DirEntry](t)(os.ReadDir(dir))
				if len(entries) != 1 || entries[0].Name() != "s"+format {
					t.Errorf("want the one file, got %v", entries)
				}
				if got := must[[]byte](t)(os.ReadFile(path)); (string(got) == before) != c.kept {
					t.Errorf("want the old file kept: %v, got %d bytes", c.kept, len(got))
				}
				if err := w.Write(SampleRow{}); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("want a write after the end to fail as closed, got %v", err)
				}
				if err := w.Close(); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("want a second end to fail as closed, got %v", err)
				}
			})
		}
	}
}

func TestSamplesTooManyRows(t *testing.T) {
	w := started(t, filepath.Join(t.TempDir(), "s.csv"), plain.Samples)
	defer w.Discard()
	row := makeRows(plain, numbered)[0]
	row.Sample = plain.Samples
	if err := w.Write(row); err == nil || !strings.Contains(err.Error(), "want sample 3 of 3") {
		t.Errorf("want the fourth of three samples refused, got %v", err)
	}
}

func TestSamplesFolderThatTakesNoFile(t *testing.T) {
	dir := t.TempDir()
	blocker := filepath.Join(dir, "file")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		want      error
		skip      bool
	}{
		{"missing", filepath.Join(dir, "missing"), fs.ErrNotExist, false},
		{"a file", blocker, nil, false},
		{"no permission", closed, fs.ErrPermission, runtime.GOOS == "windows" || os.Geteuid() == 0},
	} {
		for _, format := range formats {
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				if c.skip {
					t.Skip("permissions do not bind this user")
				}
				path := filepath.Join(c.dir, "s"+format)
				_, err := CreateSamples(path, plain)
				if err == nil || !strings.HasPrefix(err.Error(), "result: "+path+": cannot be written: ") {
					t.Errorf("want an error that names %s, got %v", path, err)
				}
				if c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("want %v, got %v", c.want, err)
				}
			})
		}
	}
	for _, format := range formats {
		folder := filepath.Join(dir, "folder"+format)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := CreateSamples(folder, plain); err == nil || !strings.Contains(err.Error(), "want the name of a file, got a folder") {
			t.Errorf("want a folder refused, got %v", err)
		}
	}
}

// failures are the files that can fail under a writer, as on a full disk.
var failures = []struct {
	name, file string
	handle     func(samplesFormat) *os.File
}{
	{"csv", "s.csv", func(f samplesFormat) *os.File { return f.(*csvSamples).file.file }},
	{"jsonl", "s.jsonl", func(f samplesFormat) *os.File { return f.(*jsonlSamples).file.file }},
	{"parquet", "s.parquet", func(f samplesFormat) *os.File { return f.(*parquetSamples).file.file }},
	{"npz", "s.npz", func(f samplesFormat) *os.File { return f.(*npzSamples).file.file }},
	{"spool", "s.npz", func(f samplesFormat) *os.File { return f.(*npzSamples).values.file }},
	{"text spool", "s.npz", func(f samplesFormat) *os.File { return f.(*npzSamples).texts.file }},
}

// Here the handle of the file is closed behind the writer's back. The error
// comes from Write when buffers are full, else from Close.
func TestSamplesFailingFile(t *testing.T) {
	h := plain
	h.IDs = tensor.String
	for _, samples := range []int{3, rowGroupRows + 1} {
		h.Samples = samples
		rows := makeRows(h, numbered)
		for _, c := range failures {
			t.Run(c.name+"/rows="+strconv.Itoa(samples), func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, c.file)
				w, err := CreateSamples(path, h)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.handle(w.(*samplesFile).format).Close(); err != nil {
					t.Fatal(err)
				}
				failed := slices.IndexFunc(rows, func(r SampleRow) bool {
					err = w.Write(r)
					return err != nil
				})
				if failed >= 0 {
					if again := w.Write(rows[failed]); again != err {
						t.Errorf("want the same error again, got %v", again)
					}
				}
				// The archive itself is written at the end alone.
				if want := samples > rowGroupRows && c.name != "npz"; want != (failed >= 0) {
					t.Errorf("want Write to fail: %v, got %v", want, err)
				}
				err = w.Close()
				if err == nil || !strings.HasPrefix(err.Error(), "result: "+path+": cannot be written: ") || strings.Contains(err.Error(), partialSuffix) {
					t.Errorf("want an error that names %s alone, got %v", path, err)
				}
				if !errors.Is(err, fs.ErrClosed) {
					t.Errorf("want the cause kept, got %v", err)
				}
				wantEmpty(t, dir)
			})
		}
	}
}

func TestCheckSamplesPath(t *testing.T) {
	for path, good := range map[string]bool{
		"a.npz": true, "a.parquet": true, "a.csv": true, "a.jsonl": true, "A.NPZ": true,
		"a": false, "a.json": false, "npz": false, "a.npz.gz": false,
	} {
		if err := CheckSamplesPath(path); (err == nil) != good {
			t.Errorf("%s: want accepted: %v, got %v", path, good, err)
		}
	}
}
