package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/intershap/intershap/model/onnx"
)

var update = flag.Bool("update", false, "rewrite the expected files inside scripts")

// TestMain lets scripts run the tool and the programs that spoil data, all of
// them inside this test program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"intershap": main,
		"npz":       func() { os.Exit(npzMain(os.Args[1:], os.Stderr)) },
		"parquet":   func() { os.Exit(parquetMain(os.Args[1:], os.Stderr)) },
		"cut":       func() { os.Exit(cutMain(os.Args[1:], os.Stderr)) },
		"measured":  measuredMain,
		"cohort":    func() { os.Exit(cohortMain(os.Args[1:], os.Stderr)) },
		"jsonkeys":  func() { os.Exit(jsonKeysMain(os.Args[1:], os.Stderr)) },
	})
}

const scripts = "testdata/script"

// TestScripts runs every script. They find the example in $TRIAGE, small models
// in $MODELS, and run without a home, so that nobody's settings matter. The condition
// python holds where Debian's Python with numpy is there, as $PYTHON.
func TestScripts(t *testing.T) {
	lib, err := onnx.FindLibrary("")
	if err != nil {
		t.Fatalf("scripts run the example model: %v", err)
	}
	triage, err := filepath.Abs("../../examples/triage")
	if err != nil {
		t.Fatal(err)
	}
	models, err := filepath.Abs("../../model/onnx/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           scripts,
		UpdateScripts: *update,
		Condition: func(name string) (bool, error) {
			if name != "python" {
				return false, fmt.Errorf("the condition %q is unknown", name)
			}
			return hasModule("numpy"), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"lines":   lines,
			"same":    same,
			"joined":  joined,
			"replace": replace,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv(onnx.LibraryVariable, lib.Path)
			env.Setenv("TRIAGE", triage)
			env.Setenv("MODELS", models)
			env.Setenv("PYTHON", debianPython)
			// With the race detector a program sleeps for a second at its end, unless
			// told otherwise; scripts run hundreds.
			env.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
			return nil
		},
	})
}

// TestScriptNames checks that every script is named after a command, with a
// case, so that a person finds it.
func TestScriptNames(t *testing.T) {
	files, err := filepath.Glob(scripts + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("want scripts in %s, got %v", scripts, err)
	}
	for _, f := range files {
		command, rest, found := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".txtar"), "-")
		if !found || rest == "" || filepath.Ext(f) != ".txtar" {
			t.Errorf("%s: want the name <command>-<case>.txtar", f)
		}
		if command != "root" {
			if _, err := os.Stat("../../internal/cli/" + command + ".go"); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: there is no command %s", f, command)
			}
		}
	}
}

// exits runs a command and requires an exact exit code: exits 2 intershap explain.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// lines bounds the lines of a stream of the last command: lines stderr 3.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines { stdout | stderr } most")
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile(args[0]), "\n"); got > most {
		ts.Fatalf("%s has %d lines, want at most %d", args[0], got, most)
	}
}

// same requires that two results have the same bytes, but for the command and the
// seconds, which each must tell once.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] same result result")
	}
	var texts [2]string
	for i, name := range args {
		text := ts.ReadFile(name)
		for _, line := range []*regexp.Regexp{secondsLine, commandText} {
			if n := len(line.FindAllString(text, -1)); n != 1 {
				ts.Fatalf("%s has %d of %s, want one", name, n, line)
			}
			text = line.ReplaceAllString(text, "")
		}
		texts[i] = text
	}
	switch at := difference(texts[0], texts[1]); {
	case at != "" && !neg:
		ts.Fatalf("%s and %s differ: %s", args[0], args[1], at)
	case at == "" && neg:
		ts.Fatalf("%s and %s are the same", args[0], args[1])
	}
}

// commandText is the command of a result, and samplesText the name of its samples.
var (
	commandText = regexp.MustCompile(`"command": ".*"`)
	samplesText = regexp.MustCompile(`"samples_file": .*`)
)

// joined puts files of CSV one behind the other, with one header: joined all.csv a.csv b.csv.
func joined(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: joined out in...")
	}
	var out strings.Builder
	for i, name := range args[1:] {
		head, rest, _ := strings.Cut(ts.ReadFile(name), "\n")
		if i == 0 {
			out.WriteString(head + "\n")
		}
		out.WriteString(rest)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out.String()), 0o600))
}

// replace writes a file with another text in the place of one that it has:
// replace old new in out.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: replace old new in out")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(strings.Replace(text, args[0], args[1], 1)), 0o600))
}
