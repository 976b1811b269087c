package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/cli"
)

// An example is a command of the manual, what it prints, and the exit code that
// it ends with.
type example struct {
	command, output string
	code            int
}

// endMark starts the line below an example that does not end with 0: "exit 3".
const endMark = "exit "

// examples finds the indented blocks that start with "$ intershap".
func examples(doc string) []example {
	var out []example
	inside := false
	for line := range strings.SplitSeq(doc, "\n") {
		code, indented := strings.CutPrefix(line, "\t")
		command, found := strings.CutPrefix(code, "$ intershap ")
		switch {
		case indented && found:
			out = append(out, example{command: command})
			inside = true
		case indented && inside:
			last := &out[len(out)-1]
			if text, found := strings.CutPrefix(code, endMark); found {
				if n, err := strconv.Atoi(text); err == nil {
					last.code = n
					continue
				}
			}
			last.output += code + "\n"
		case line != "":
			inside = false
		}
	}
	return out
}

// matches compares words alone, since a manual is laid out as on a terminal and
// a test reads from a pipe. "..." stands for any words, and glued to a word for
// any letters.
func matches(want, got []string) bool {
	for i, w := range want {
		if w == "..." {
			for skip := range len(got) - i + 1 {
				if matches(want[i+1:], got[i+skip:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || !matchesWord(w, got[i]) {
			return false
		}
	}
	return len(want) == len(got)
}

func matchesWord(want, got string) bool {
	before, after, open := strings.Cut(want, "...")
	if !open {
		return want == got
	}
	return len(got) >= len(before)+len(after) && strings.HasPrefix(got, before) && strings.HasSuffix(got, after)
}

// TestManual runs every example of the manual in the folder of the example.
func TestManual(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	runExamples(t, file.Doc.Text(), 4)
}

// TestReadme runs the example of the README, where Markdown indents by four
// spaces.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	runExamples(t, strings.ReplaceAll(string(readme), "\n    ", "\n\t"), 1)
}

// runExamples runs at least so many examples in the folder of the example.
func runExamples(t *testing.T, doc string, least int) {
	t.Helper()
	all := examples(doc)
	if len(all) < least {
		t.Fatalf("want at least %d examples, got %d", least, len(all))
	}
	t.Chdir("../../examples/triage")
	// A slow machine would tell how far it is, on standard error.
	env := append(os.Environ(), "INTERSHAP_PROGRESS=none")
	for _, e := range all {
		var out, errs strings.Builder
		code := cli.Run(strings.Fields(e.command), strings.NewReader(""), &out, &errs, env)
		if problem := e.compare(code, out.String()+errs.String()); problem != "" {
			t.Errorf("$ intershap %s\n%s", e.command, problem)
		}
	}
}

// compare returns how a run differs from the example, "" if it does not.
func (e example) compare(code int, got string) string {
	switch {
	case !matches(strings.Fields(e.output), strings.Fields(got)):
		return fmt.Sprintf("want:\n%s\ngot:\n%s", e.output, got)
	case code != e.code:
		return fmt.Sprintf("want exit code %d, got %d", e.code, code)
	}
	return ""
}

func TestExampleComparison(t *testing.T) {
	e := example{output: "a b", code: 3}
	for _, tt := range []struct {
		code int
		got  string
		want bool
	}{{3, "a b\n", true}, {0, "a b\n", false}, {3, "a c\n", false}} {
		if problem := e.compare(tt.code, tt.got); (problem == "") != tt.want {
			t.Errorf("code %d and %q: want a match %v, got %q", tt.code, tt.got, tt.want, problem)
		}
	}
}

// TestManualComparison checks that the comparison fails on what differs.
func TestManualComparison(t *testing.T) {
	tests := []struct {
		name, want, got string
		match           bool
		reason          string
	}{
		{"same", "a 1 %", "a\t1 %\n", true, "blanks do not count"},
		{"number", "a 1 %", "a 2 %", false, "a changed number must be seen"},
		{"missing", "a b", "a", false, "a missing word must be seen"},
		{"extra", "a", "a b", false, "an extra word must be seen"},
		{"any", "a ... c", "a b b c", true, "... is any words"},
		{"none", "a ... c", "a c", true, "even none"},
		{"after", "a ... c", "a b d", false, "what follows ... counts"},
		{"letters", "is ..., above", "is 0.3, above", true, "... inside a word is any letters"},
		{"end", "a ...", "a b c", true, "... at the end takes the rest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := matches(strings.Fields(tt.want), strings.Fields(tt.got)); got != tt.match {
				t.Errorf("want %v, got %v: %s", tt.match, got, tt.reason)
			}
		})
	}
}

func TestExamples(t *testing.T) {
	doc := "Text.\n\n\t$ intershap one\n\ta\n\n\tb\n\texit 3\n\nMore.\n\n\tno command\n\n\t$ intershap two\n\texit strategy\n"
	want := []example{{"one", "a\nb\n", 3}, {"two", "exit strategy\n", 0}}
	if got := examples(doc); !slices.Equal(got, want) {
		t.Errorf("want %+v, got %+v", want, got)
	}
}
