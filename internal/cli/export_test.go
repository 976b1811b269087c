package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A run in memory of the demo, exported without C and without a library.
func TestExport(t *testing.T) {
	t.Chdir(t.TempDir())
	s, out, errs := fakeStreams(false, 0)
	if code := run(t.Context(), []string{"demo", "-q", "--json"}, s); code != exitDone {
		t.Fatalf("want exit code 0, got %d: %s", code, errs)
	}
	if err := os.WriteFile("run.json", out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		terminal bool
		args     []string
		code     int
		out, err string
	}{
		{false, []string{"--to", "shapiq", "-o", "-"}, exitDone, `"index": "k-SII"`, ""},
		{true, []string{"--to", "shapiq", "-o", "-"}, exitDone, `"index": "k-SII"`, ""},
		{false, []string{"--to", "shap", "-o", "-"}, exitDone, "PK\x03\x04", ""},
		{true, []string{"--to", "shap", "-o", "-"}, exitUsage, "", ".npz is binary, and standard output is a terminal"},
		{true, []string{"--to", "shap", "-o", "x.npz"}, exitDone, "file   x.npz\nholds  shap.Explanation, modalities, mean over 256 samples, predicted\n", ""},
		{false, []string{"--to", "shap", "-o", ""}, exitUsage, "", "--out is empty"},
		{false, []string{"--to", "shap", "-o", "run.json"}, exitUsage, "", "want a name that ends in .npz"},
	} {
		s, out, errs := fakeStreams(tt.terminal, 0)
		code := run(t.Context(), append([]string{"export", "run.json"}, tt.args...), s)
		if code != tt.code || !bytes.Contains(out.Bytes(), []byte(tt.out)) || !strings.Contains(errs.String(), tt.err) {
			t.Errorf("%q: want code %d, %q and %q, got %d, %.100q and %q", tt.args, tt.code, tt.out, tt.err, code, out, errs)
		}
	}
}
