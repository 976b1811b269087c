package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
		"cut":       func() { os.Exit(cutMain(os.Args[1:], os.Stderr)) },
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
			"exits": exits,
			"lines": lines,
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
