package cli

import (
	"slices"
	"strings"
	"testing"
)

// complete returns what a shell is offered for the last of args.
func complete(t *testing.T, args ...string) []string {
	t.Helper()
	s, out, _ := fakeStreams(false, 0)
	if code := run(t.Context(), append([]string{"__complete"}, args...), s); code != exitDone {
		t.Fatalf("%q: want code 0, got %d", args, code)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1] // the last is the directive
}

func TestCompletions(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", "--convention", ""}, "paper single-pair"},
		{[]string{"explain", "--task", "b"}, "binary"},
		{[]string{"explain", "--transform", "log"}, "log logit"},
		{[]string{"explain", "--plan", ""}, "auto staged full"},
		{[]string{"explain", "--mask", ""}, "marginal mean zero absent value: nearest:"},
		{[]string{"explain", "--device", ""}, "cpu cuda"},
		{[]string{"inspect", "--color", "a"}, "auto always"},
		{[]string{"explain", "--progress", ""}, "auto plain json none"},
		{[]string{"explain", "--target", ""}, "predicted label all class: horizon:"},
		{[]string{"explain", "--background", ""}, "npz parquet csv"},
		{[]string{"explain", "none.onnx", "--output", ""}, ""},
		{[]string{"explain", "--output", ""}, ""},
	} {
		if got := strings.Join(complete(t, tt.args...), " "); got != tt.want {
			t.Errorf("%q: want %q, got %q", tt.args, tt.want, got)
		}
	}
}

// TestCompletedWordsAreTaken holds every word that is proposed against the flag
// that it is proposed for, and every proposal against the flags there are.
func TestCompletedWordsAreTaken(t *testing.T) {
	var flags []string
	for _, name := range []string{"convention", "task", "transform", "plan", "mask", "device", "target"} {
		flags = append(flags, name)
		for _, word := range complete(t, "explain", "--"+name, "") {
			if strings.HasSuffix(word, ":") {
				word += "1"
			}
			q, _, err := parse(t, nil, "--"+name, word)
			q.model = "model.onnx"
			if word == absentRule {
				q.options.Missing = []string{"labs"}
			}
			if err == nil {
				err = q.check()
			}
			if err != nil {
				t.Errorf("--%s %s is proposed and refused: %v", name, word, err)
			}
		}
	}
	for name := range completions {
		cmd, _, err := NewCommand().Find([]string{"explain"})
		if err != nil || cmd.Flags().Lookup(name) == nil {
			t.Errorf("no flag --%s to complete (%v)", name, err)
		}
		if known := append(flags, "background", "color", "output", "progress"); !slices.Contains(known, name) {
			t.Errorf("--%s: its words are not tested", name)
		}
	}
}
