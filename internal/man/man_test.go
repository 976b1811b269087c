package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/cli"
)

// TestGenerate makes everything twice: there is a page for every command, with
// its exit codes, and the same bytes each time.
func TestGenerate(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := generate(dir, "86400"); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"man1/intershap.1", "completions/intershap.bash", "completions/_intershap", "completions/intershap.fish", "completions/intershap.ps1"}
	for _, c := range cli.NewCommand().Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			names = append(names, "man1/intershap-"+c.Name()+".1")
		}
	}
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Errorf("want %s: %v", name, err)
			continue
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err != nil || string(a) != string(b) {
			t.Errorf("%s differs from one run to the next (%v)", name, err)
		}
		if strings.HasSuffix(name, ".1") && (!strings.Contains(string(a), "Exit codes:") || !strings.Contains(string(a), "Jan 1970")) {
			t.Errorf("%s lacks the exit codes or the date asked for", name)
		}
	}
}

func TestGenerateRefusesDate(t *testing.T) {
	if err := generate(t.TempDir(), "yesterday"); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("want an error that names SOURCE_DATE_EPOCH, got %v", err)
	}
}

// generators are the modules that only this program may link.
var generators = []string{"md2man", "blackfriday", "cobra/doc"}

// generatorsIn returns the packages of a list that belong to generators.
func generatorsIn(packages string) []string {
	var found []string
	for _, p := range strings.Fields(packages) {
		for _, g := range generators {
			if strings.Contains(p, g) {
				found = append(found, p)
			}
		}
	}
	return found
}

// TestNotLinked checks that the tool itself stays free of generators, and that
// the check would notice: this program does link them.
func TestNotLinked(t *testing.T) {
	deps := func(pkg string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list -deps %s: %v\n%s", pkg, err, out)
		}
		return string(out)
	}
	if found := generatorsIn(deps("github.com/intershap/intershap/cmd/intershap")); len(found) > 0 {
		t.Errorf("the tool links %s", strings.Join(found, ", "))
	}
	if found := generatorsIn(deps("github.com/intershap/intershap/internal/man")); len(found) == 0 {
		t.Error("the generator links no generator: the check above sees nothing")
	}
}
