package result

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	const before, after = "before", "after"
	broken := errors.New("broken")
	write := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			if _, e := io.WriteString(w, text); e != nil {
				return e
			}
			return err
		}
	}
	t.Run("replaces", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "run.json")
		for _, text := range []string{before, after} {
			if err := WriteFile(path, write(text, nil)); err != nil {
				t.Fatal(err)
			}
			if got := must[[]byte](t)(os.ReadFile(path)); string(got) != text {
				t.Errorf("want %q, got %q", text, got)
			}
		}
	})
	t.Run("keeps what was there", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "run.json")
		if err := WriteFile(path, write(before, nil)); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(path, write(after, broken)); !errors.Is(err, broken) {
			t.Errorf("want the writer's error, got %v", err)
		}
		if got := must[[]byte](t)(os.ReadFile(path)); string(got) != before {
			t.Errorf("want %q kept, got %q", before, got)
		}
		if entries := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(entries) != 1 {
			t.Errorf("want one file, got %v", entries)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "missing", "run.json")
		called := false
		err := WriteFile(path, func(io.Writer) error { called = true; return nil })
		if err == nil || !strings.HasPrefix(err.Error(), "result: "+path+": cannot be written: ") || called {
			t.Errorf("want an error that names %s before anything is written, got %v", path, err)
		}
	})
	t.Run("folder", func(t *testing.T) {
		if err := WriteFile(t.TempDir(), write(after, nil)); err == nil || !strings.Contains(err.Error(), "got a folder") {
			t.Errorf("want a folder refused, got %v", err)
		}
	})
	t.Run("symbolic link", func(t *testing.T) {
		dir := t.TempDir()
		path, link := filepath.Join(dir, "run.json"), filepath.Join(dir, "latest.json")
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, link); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		if err := WriteFile(link, write(after, nil)); err != nil {
			t.Fatal(err)
		}
		if info := must[os.FileInfo](t)(os.Lstat(link)); info.Mode()&os.ModeSymlink == 0 {
			t.Error("want the link to stay a link, got a file")
		}
		if got := must[[]byte](t)(os.ReadFile(path)); string(got) != after {
			t.Errorf("want %q where the link points, got %q", after, got)
		}
	})
	t.Run("symbolic links to nothing yet", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "runs"), 0o700); err != nil {
			t.Fatal(err)
		}
		first, second := filepath.Join(dir, "first.json"), filepath.Join(dir, "runs", "second.json")
		if err := errors.Join(os.Symlink(filepath.Join("runs", "second.json"), first), os.Symlink("third.json", second)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		if err := WriteFile(first, write(after, nil)); err != nil {
			t.Fatal(err)
		}
		for _, link := range []string{first, second} {
			if info := must[os.FileInfo](t)(os.Lstat(link)); info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s: want the link to stay a link, got a file", link)
			}
		}
		if got := must[[]byte](t)(os.ReadFile(filepath.Join(dir, "runs", "third.json"))); string(got) != after {
			t.Errorf("want %q where the links lead, got %q", after, got)
		}
		loop := filepath.Join(dir, "loop.json")
		if err := os.Symlink("loop.json", loop); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(loop, write(after, nil)); err == nil || !strings.Contains(err.Error(), "too many symbolic links") {
			t.Errorf("want a link to itself refused, got %v", err)
		}
	})
	t.Run("device", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("no device has a path here")
		}
		if err := WriteFile(os.DevNull, write(after, nil)); err != nil {
			t.Error(err)
		}
		if info := must[os.FileInfo](t)(os.Stat(os.DevNull)); info.Mode().IsRegular() {
			t.Error("want a device to stay one, got a file")
		}
		if err := WriteFile(os.DevNull, write(after, broken)); !errors.Is(err, broken) {
			t.Errorf("want the writer's error, got %v", err)
		}
	})
}

// Files are as open to others as the user's umask says, like those of any tool.
func TestWriteFileMode(t *testing.T) {
	dir := t.TempDir()
	plain, ours := filepath.Join(dir, "plain"), filepath.Join(dir, "ours")
	f := must[*os.File](t)(os.Create(plain))
	f.Close()
	if err := WriteFile(ours, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	want, got := must[os.FileInfo](t)(os.Stat(plain)).Mode(), must[os.FileInfo](t)(os.Stat(ours)).Mode()
	if want != got {
		t.Errorf("want mode %v, got %v", want, got)
	}
}
