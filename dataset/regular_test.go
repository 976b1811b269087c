//go:build unix

package dataset

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOpenRefusesPipes checks that nothing waits for a writer that may never
// come.
func TestOpenRefusesPipes(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"x.npz", "x.csv", "x.parquet", "x"} {
		path := filepath.Join(folder, name)
		check(t, syscall.Mkfifo(path, 0o600))
		_, err := Open(t.Context(), path)
		wantError(t, err, "dataset: "+path+": want a file, got a pipe", "write it to a file")
		_, err = Digest(t.Context(), path)
		wantError(t, err, "dataset: "+path+": want a file, got a pipe", "write it to a file")
	}
	_, err := Open(t.Context(), folder)
	wantError(t, err, "dataset: "+filepath.Join(folder, "x.parquet")+": want a file, got a pipe", "write it to a file")
	_, err = Open(t.Context(), os.DevNull)
	wantError(t, err, "dataset: "+os.DevNull+": want a file, got a device", "write it to a file")
	_, err = openRegular(folder)
	wantError(t, err, "dataset: "+folder+": want a file, got a folder", "name the file")
}
