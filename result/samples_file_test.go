package result

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
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

// A file that fails under the writer, as on a full disk: here its handle is
// closed behind the writer's back.
func TestSamplesFailingFile(t *testing.T) {
	archive := func(f samplesFormat) *os.File {
		switch f := f.(type) {
		case *csvSamples:
			return f.file.file
		case *jsonlSamples:
			return f.file.file
		case *parquetSamples:
			return f.file.file
		default:
			return f.(*npzSamples).file.file
		}
	}
	spooled := func(f samplesFormat) *os.File { return f.(*npzSamples).values.file }
	for _, c := range []struct {
		name, file string
		handle     func(samplesFormat) *os.File
	}{
		{"csv", "s.csv", archive},
		{"jsonl", "s.jsonl", archive},
		{"parquet", "s.parquet", archive},
		{"npz", "s.npz", archive},
		{"spool", "s.npz", spooled},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, c.file)
			w := started(t, path, plain.Samples)
			if err := c.handle(w.(*samplesFile).format).Close(); err != nil {
				t.Fatal(err)
			}
			err := w.Close()
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

// A failure in the middle of a run comes back from Write, and again.
func TestSamplesFailingWrite(t *testing.T) {
	h := plain
	h.Samples = 40_000
	rows := makeRows(h, numbered)
	for _, format := range []string{".csv", ".jsonl"} {
		dir := t.TempDir()
		w, err := CreateSamples(filepath.Join(dir, "s"+format), h)
		if err != nil {
			t.Fatal(err)
		}
		switch f := w.(*samplesFile).format.(type) {
		case *csvSamples:
			f.file.file.Close()
		case *jsonlSamples:
			f.file.file.Close()
		}
		failed := slices.IndexFunc(rows, func(r SampleRow) bool {
			err = w.Write(r)
			return err != nil
		})
		if failed < 0 {
			t.Fatalf("%s: want a write to fail before the end, got none", format)
		}
		if again := w.Write(rows[failed]); again != err {
			t.Errorf("%s: want the same error again, got %v", format, again)
		}
		if err := w.Discard(); err != nil {
			t.Error(err)
		}
		wantEmpty(t, dir)
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
