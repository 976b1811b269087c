package cli

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/report"
	"github.com/intershap/intershap/result"
)

// helpedWarnings returns the IDs of warnings about a result that the topic tells of; those
// of other commands say so in brackets.
func helpedWarnings(t *testing.T) []string {
	t.Helper()
	raw, err := topicFiles.ReadFile("topics/warnings.txt")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	lines := bufio.NewScanner(strings.NewReader(string(raw)))
	for lines.Scan() {
		entry, indented := strings.CutPrefix(lines.Text(), "  ")
		id, about, _ := strings.Cut(entry, " ")
		if indented && id != "" && !strings.HasPrefix(strings.TrimSpace(about), "(") {
			ids = append(ids, id)
		}
	}
	return ids
}

// The page says what to do about every warning that help tells of, and no other.
func TestReportKnowsWarnings(t *testing.T) {
	want, got := helpedWarnings(t), report.RemedyIDs()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) || len(want) == 0 {
		t.Errorf("want remedies for %q, got %q", want, got)
	}
}

// writeRun writes a result without samples into a folder.
func writeRun(t *testing.T) string {
	t.Helper()
	target := classesTarget()
	target.Global.Phi = [][]float64{{0.3, 0.15}, {0.15, 0.05}}
	target.Output = target.Base + 0.65
	var classes []string
	for i := range target.ByClass {
		c := &target.ByClass[i]
		c.Global.Phi, c.Output = target.Global.Phi, c.Base+0.65
		classes = append(classes, c.Class)
	}
	ex := explanation([]string{"image", "text"}, target)
	ex.Classes = classes
	path := filepath.Join(t.TempDir(), "run.json")
	if err := result.WriteFile(path, ex.Write); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReport(t *testing.T) {
	path := writeRun(t)
	out := filepath.Join(t.TempDir(), "page.html")
	s, printed, errs := fakeStreams(false, 0)
	if code := run(t.Context(), []string{"report", path, "-o", out}, s); code != exitDone {
		t.Fatalf("want code 0, got %d: %s", code, errs)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if want := "page\t" + out + "\nresult\t" + path + "\nsamples\tnone; --samples FILE adds them\n"; printed.String() != want || errs.Len() > 0 {
		t.Errorf("want %q, got %q and %q", want, printed, errs)
	}
	// The page says the verdict in the words of the table.
	const verdict = "44.3 % of what the modalities do to this output is interaction between them (95 % interval 39.5 to 49.4)"
	if plain := strings.ReplaceAll(string(page), "\u00a0", " "); !strings.Contains(plain, verdict) {
		t.Errorf("want the verdict %q in the page", verdict)
	}
	s, printed, errs = fakeStreams(false, 0)
	if code := run(t.Context(), []string{"report", path, "-o", "-"}, s); code != exitDone || printed.String() != string(page) || errs.Len() > 0 {
		t.Errorf("want the same page on standard output, got code %d and %d bytes, %s", code, printed.Len(), errs)
	}
}

func TestReportRefuses(t *testing.T) {
	path := writeRun(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no result", nil, exitUsage, "missing argument RESULT"},
		{"the name of the page", []string{path, "-o", "page.pdf"}, exitUsage, "want a name that ends in .html"},
		{"no name", []string{path, "-o", ""}, exitUsage, "--out is empty"},
		{"the samples' format", []string{path, "--samples", "run.txt", "-o", "-"}, exitUsage, "want a name that ends in .npz"},
		{"its own input", []string{path, "-o", filepath.Join(filepath.Dir(path), "none", "x.html")}, exitUsage, "there is no folder"},
		{"a result that is not there", []string{"none.json", "-o", "-"}, exitFailed, "none.json"},
		{"samples that are not there", []string{path, "--samples", "none.npz", "-o", "-"}, exitFailed, "none.npz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, printed, errs := fakeStreams(false, 0)
			if code := run(t.Context(), append([]string{"report"}, tt.args...), s); code != tt.code || !strings.Contains(errs.String(), tt.want) || printed.Len() > 0 {
				t.Errorf("want code %d and %q, got %d, %q, %q", tt.code, tt.want, code, errs, printed)
			}
		})
	}
}
