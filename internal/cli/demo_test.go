package cli

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The demo needs no C and no library: these tests run without both in CI. On a terminal
// it draws a bar of progress, and every line of the table fits.
func TestDemoOnTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	s, out, errs := fakeStreams(true, time.Second, "LANG=C.UTF-8", "NO_COLOR=1", "INTERSHAP_ONNXRUNTIME=/none")
	if code := run(t.Context(), []string{"demo"}, s); code != exitDone {
		t.Fatalf("want exit code 0, got %d: %s", code, errs)
	}
	if !strings.Contains(errs.String(), "[==========] 1,835,776 of 1,835,776 rows") {
		t.Errorf("want a bar that fills, got %q", errs)
	}
	for _, want := range []string{
		"image          53.8 % [49.8, 58.0]   51.0 % [45.9, 58.0]  ██████████▊░░░░░░░░░\n",
		"                                                          global\n",
		"* 46.2 % of what the modalities do to this output is interaction between them\n",
		"known  image acts alone, ecg and labs only together, notes not at all",
		"explained   output probabilities, task classes, transform identity\n",
		"page   intershap-demo.html, for a browser\nnext   intershap explain MODEL DATA --background ROWS -o run.json\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want the line %q in\n%s", want, out)
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := visible(strings.TrimSuffix(line, "\n")); n > defaultWidth {
			t.Errorf("a line of %d columns, want at most %d: %s", n, defaultWidth, line)
		}
	}
	page, err := os.ReadFile(demoPage)
	if err != nil || !isDemoPage(demoPage) {
		t.Fatalf("want the page to be known again: %v", err)
	}
	if err := os.WriteFile(demoPage, page[1000:], 0o600); err != nil {
		t.Fatal(err)
	}
	if isDemoPage(demoPage) {
		t.Error("want a page without its title taken for somebody else's")
	}
}

// A demo that is stopped, or whose table cannot be written, leaves no half page.
func TestDemoFails(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interruption{signal: syscall.SIGTERM})
	s, _, errs := fakeStreams(false, 0)
	if code := run(ctx, []string{"demo"}, s); code != exitTerminated || !strings.Contains(errs.String(), "nothing was kept") {
		t.Errorf("want the exit code of a signal, %d, got %d: %s", exitTerminated, code, errs)
	}
	files, err := os.ReadDir(".")
	if err != nil || len(files) > 0 {
		t.Errorf("want nothing left, got %v, %v", files, err)
	}
	s, _, errs = fakeStreams(false, 0)
	s.out = failingWriter{}
	if code := run(t.Context(), []string{"demo", "-q"}, s); code != exitFailed || !strings.Contains(errs.String(), "short write") {
		t.Errorf("want the failure of standard output, got %d: %s", code, errs)
	}
}
