package report

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder to write screenshots to, for a person to look at")

// browserVariable names a browser where it is not in PATH.
const browserVariable = "INTERSHAP_CHROMIUM"

// patience bounds what a test waits for a browser on a busy machine.
const patience = 90 * time.Second

// findBrowser returns the path of a Chromium, and why there is none.
func findBrowser() (path, missing string) {
	if named := os.Getenv(browserVariable); named != "" {
		return named, ""
	}
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	return "", fmt.Sprintf("no browser: want one of %s in PATH, or its path in %s", strings.Join(names, ", "), browserVariable)
}

func TestFindBrowser(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv(browserVariable, "")
	if path, missing := findBrowser(); path != "" || !strings.Contains(missing, browserVariable) {
		t.Errorf("no browser: want a message that says how to name one, got %q, %q", path, missing)
	}
	program := filepath.Join(dir, "chromium-browser")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if path, missing := findBrowser(); path != program || missing != "" {
		t.Errorf("want %s, got %q, %q", program, path, missing)
	}
	t.Setenv(browserVariable, "/other")
	if path, _ := findBrowser(); path != "/other" {
		t.Errorf("want the one that is named, got %q", path)
	}
}

// The browser is started by the first test that wants it and ends with the tests.
var (
	start   sync.Once
	running context.Context
	stop    context.CancelFunc = func() {}
	refused error
)

func TestMain(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

// A tab is a page in a browser, with what was amiss in it.
type tab struct {
	context.Context
	t testing.TB

	mutex    sync.Mutex
	errors   []string // of the console
	requests []string
}

// openTab opens an empty tab. Without a browser the test is skipped, but fails where
// CI is set: there somebody counts on it.
func openTab(t testing.TB) *tab {
	t.Helper()
	path, missing := findBrowser()
	if missing != "" {
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	start.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", false))
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox) // the sandbox does not run as root
		}
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		browser, stopBrowser := chromedp.NewContext(allocator)
		stop = func() { stopBrowser(); stopAllocator() }
		started := make(chan error, 1)
		go func() { started <- chromedp.Do(browser) }()
		select {
		case refused = <-started:
		case <-time.After(patience):
			refused = fmt.Errorf("%s did not start within %v", path, patience)
		}
		running = browser
	})
	if refused != nil {
		t.Fatal(refused)
	}
	ctx, closeTab := chromedp.NewContext(running)
	t.Cleanup(closeTab)
	tb := &tab{t: t}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	tb.Context = ctx
	if err := chromedp.Listen(ctx, tb.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return tb
}

// hear notes what a page must not do.
func (tb *tab) hear(event any) {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tb.requests = append(tb.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		tb.errors = append(tb.errors, fmt.Sprintf("exception: %+v", *e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		tb.errors = append(tb.errors, fmt.Sprintf("console: %s", e.Type))
	case *log.EventEntryAdded:
		tb.errors = append(tb.errors, fmt.Sprintf("log: %s: %s", e.Entry.Level, e.Entry.Text))
	}
}

// amiss returns what the page did that it must not: anything on the console, and any
// request but those for addresses that are its own.
func (tb *tab) amiss(own string) []string {
	tb.mutex.Lock()
	defer tb.mutex.Unlock()
	out := append([]string{}, tb.errors...)
	for _, r := range tb.requests {
		if page, _, _ := strings.Cut(r, "#"); page != own && !strings.HasPrefix(r, "data:") {
			out = append(out, "request: "+r)
		}
	}
	return out
}

// do runs steps.
func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	if err := chromedp.Do(tb, steps...); err != nil {
		tb.t.Fatalf("%v; amiss: %v", err, tb.amiss(""))
	}
}

// open shows a page from disk, and returns its address.
func (tb *tab) open(page []byte) string {
	tb.t.Helper()
	path := filepath.Join(tb.t.TempDir(), "report.html")
	if err := os.WriteFile(path, page, 0o600); err != nil {
		tb.t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: path}).String()
	tb.do(chromedp.Navigate(address))
	return address
}

// size sets the window, and the colours that its owner prefers.
func (tb *tab) size(width, height int64, scheme string) {
	tb.t.Helper()
	tb.do(chromedp.EmulateViewport(width, height))
	if _, err := chromedp.Call(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		tb.t.Fatal(err)
	}
}

// eval evaluates an expression in the page; a promise is waited for.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	value, err := chromedp.Run(tb, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.t.Fatalf("%s: %v; amiss: %v", expression, err, tb.amiss(""))
	}
	return value
}
