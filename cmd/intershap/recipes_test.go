package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/intershap/intershap/model/onnx"
)

// debianPython has the modules of Debian's packages. Another Python that comes first in
// the path has its own, or none.
const debianPython = "/usr/bin/python3"

// A recipe is a block of code in a page.
type recipe struct {
	line      int
	language  string // python or sh
	code      string
	needs     []string // modules of Python, for the blocks that are run
	run, told bool     // told says that the page says whether it is run
}

var runMark = regexp.MustCompile(`(?:^|\. |: )Run with ([a-z]+(?:, [a-z]+)*)[.:]$`)

// recipes finds the blocks of a page. The mark of a block is the last line of text before
// it that says "Run with ..." or "Not run.", under the same heading.
func recipes(page string) (all []recipe) {
	var (
		mark  recipe
		block *recipe
	)
	for i, line := range strings.Split(page, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && block != nil:
			all = append(all, *block)
			block = nil
		case fence:
			at := mark
			at.line, at.language = i+1, language
			block = &at
		case block != nil:
			block.code += line + "\n"
		case strings.HasPrefix(line, "#"):
			mark = recipe{}
		default:
			if found := runMark.FindStringSubmatch(line); found != nil {
				mark = recipe{run: true, told: true, needs: strings.Split(found[1], ", ")}
			} else if strings.HasSuffix(line, "Not run.") {
				mark = recipe{told: true}
			}
		}
	}
	return all
}

func TestRecipes(t *testing.T) {
	if ran, all := runPage(t, "docs/recipes.md"); ran < 10 || ran == all {
		t.Errorf("want blocks that are run and others, got %d of %d", ran, all)
	}
}

// TestCohorts makes the table of docs/cohorts.md, explains it, and holds the results
// against the numbers that the page derives.
func TestCohorts(t *testing.T) {
	if ran, all := runPage(t, "docs/cohorts.md"); ran < 8 || ran != all {
		t.Errorf("want every block to be run, got %d of %d", ran, all)
	}
}

// runPage runs the blocks of a page that say so, in their order and in one folder, as a
// person would who follows the page. It returns how many there are to run, and in all.
func runPage(t *testing.T, name string) (ran, blocks int) {
	t.Helper()
	page, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	all := recipes(string(page))
	for _, r := range all {
		if !r.told {
			t.Errorf("%s:%d: want a line above that says whether the block is run", name, r.line)
		}
		if r.run {
			ran++
		}
	}
	lib, err := onnx.FindLibrary("")
	if err != nil {
		t.Fatalf("recipes run models: %v", err)
	}
	dir := t.TempDir()
	for _, r := range all {
		if !r.run {
			continue
		}
		t.Run(fmt.Sprintf("line-%d", r.line), func(t *testing.T) {
			for _, module := range r.needs {
				if !hasModule(module) {
					t.Skipf("%s has no module %s: apt-get install python3-%s", debianPython, module, module)
				}
			}
			cmd := exec.CommandContext(t.Context(), debianPython, "-")
			if r.language == "sh" {
				cmd = exec.CommandContext(t.Context(), "sh", "-e")
			}
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), onnx.LibraryVariable+"="+lib.Path)
			cmd.Stdin = strings.NewReader(r.code)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s:%d: %v\n%s", name, r.line, err, bytes.TrimSpace(out))
			}
		})
	}
	return ran, len(all)
}

// hasModule asks Python for a module without importing it, which can take seconds.
func hasModule(name string) bool {
	find := fmt.Sprintf("import importlib.util, sys; sys.exit(importlib.util.find_spec(%q) is None)", name)
	return exec.Command(debianPython, "-c", find).Run() == nil
}

func TestRecipesAreFound(t *testing.T) {
	page := "# A\n\n```python\nuntold\n```\n## B\nText. Run with numpy, torch.\n\n```python\na\nb\n```\n\n```sh\nc\n```\nNot run.\n```python\nd\n```\n"
	var got []string
	for _, r := range recipes(page) {
		got = append(got, fmt.Sprintf("%d %s %q %v %v %v", r.line, r.language, r.code, r.needs, r.run, r.told))
	}
	want := []string{
		`3 python "untold\n" [] false false`, `9 python "a\nb\n" [numpy torch] true true`, `14 sh "c\n" [numpy torch] true true`,
		`18 python "d\n" [] false true`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want %q, got %q", want, got)
	}
}
