package process

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// splits are commands and their words.
var splits = []struct {
	command string
	words   []string
}{
	{"python3 model.py", []string{"python3", "model.py"}},
	{"  a\t b\n", []string{"a", "b"}},
	{`a 'b c' "d e" f\ g`, []string{"a", "b c", "d e", "f g"}},
	{`a '' ""`, []string{"a", "", ""}},
	{`a'b'"c"d`, []string{"abcd"}},
	{`"a\"b\\c\$d\e"`, []string{`a"b\c$d\e`}},
	{`'a\b$c"'`, []string{`a\b$c"`}},
	{"--x=[1,2] *.pt a~b a#b", []string{"--x=[1,2]", "*.pt", "a~b", "a#b"}},
	{"sh -c 'python3 m.py | tee log; echo $HOME'", []string{"sh", "-c", "python3 m.py | tee log; echo $HOME"}},
	{"\"a\\\nb\"", []string{"ab"}},
}

func TestSplit(t *testing.T) {
	for _, c := range splits {
		if got, err := Split(c.command); err != nil || !slices.Equal(c.words, got) {
			t.Errorf("%q: want %q, got %q, %v", c.command, c.words, got, err)
		}
	}
}

// A shell splits the same commands into the same words.
func TestSplitAsAShell(t *testing.T) {
	sh := hasProgram(t, "sh")
	for _, c := range splits {
		out, err := exec.Command(sh, "-c", `for word; do printf '%s\0' "$word"; done`, "sh").Output()
		if err != nil || len(out) != 0 {
			t.Fatalf("the shell: %q, %v", out, err)
		}
		// set -f: we expand no patterns.
		out, err = exec.Command(sh, "-c", "set -f; set -- "+c.command+"\n"+`for word; do printf '%s\0' "$word"; done`).Output()
		if err != nil {
			t.Fatalf("%q: %v", c.command, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(c.words, got) && c.command != "  a\t b\n" {
			t.Errorf("%q: we say %q, the shell %q", c.command, c.words, got)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"", "no program"}, {"  ", "no program"},
		{"a 'b", "quote ' is not closed"}, {`a "b`, `quote " is not closed`}, {`a \`, "ends in a backslash"},
		{"a | b", "character |"}, {"a > b", "character >"}, {"a < b", "character <"}, {"a; b", "character ;"}, {"a & b", "character &"},
		{"a $B", "character $"}, {`a "$B"`, "character $"}, {"a `b`", "character `"}, {"a \"`b`\"", "character `"}, {"a (b)", "character ("},
		{"a ~/b", "character ~"}, {"a # b", "character #"},
	} {
		words, err := Split(c.command)
		var fault *CommandError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || fault.Hint == "" {
			t.Errorf("%q: want %q, got %q, %v", c.command, c.want, words, err)
		}
	}
}

// FuzzSplit holds that what is split is put together again by quoting.
func FuzzSplit(f *testing.F) {
	for _, c := range splits {
		f.Add(c.command)
	}
	f.Fuzz(func(t *testing.T, command string) {
		words, err := Split(command)
		if err != nil {
			return
		}
		var quoted []string
		for _, w := range words {
			quoted = append(quoted, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		again, err := Split(strings.Join(quoted, " "))
		if err != nil || !slices.Equal(words, again) {
			t.Errorf("%q: %q, again %q, %v", command, words, again, err)
		}
	})
}
