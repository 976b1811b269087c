package cli

import (
	"strings"
	"testing"
)

// TestModelLines passes on what a model prints, and keeps it under --quiet.
func TestModelLines(t *testing.T) {
	const mark = "model: "
	say := func(l *modelLines, text ...string) {
		for _, line := range text {
			if n, err := l.Write([]byte(line + "\n")); n != len(line)+1 || err != nil {
				t.Errorf("%q: got %d, %v", line, n, err)
			}
		}
	}
	var told strings.Builder
	l := &modelLines{to: &told}
	say(l, "a", "b", "b", "b", "b", "a", "", "")
	l.say()
	want := mark + "a\n" + mark + "b\n" + mark + repeatedLine + mark + "a\n" + mark + "\n" + mark + repeatedLine
	if told.String() != want {
		t.Errorf("want %q, got %q", want, told.String())
	}
	told.Reset()
	l = &modelLines{to: &told, hushed: true}
	say(l, "first")
	for i := range unsaidLines {
		say(l, strings.Repeat("x", i))
	}
	if told.Len() > 0 {
		t.Errorf("want nothing before an error, got %q", told.String())
	}
	l.say()
	l.say()
	if got := strings.Count(told.String(), mark); got != unsaidLines || strings.Contains(told.String(), "first") {
		t.Errorf("want the last %d lines, once, got %d: %q", unsaidLines, got, told.String())
	}
	told.Reset()
	say(&modelLines{to: &told, terminal: true}, "a")
	if want := "\r\x1b[K" + mark + "a\n"; told.String() != want {
		t.Errorf("on a terminal: want %q, got %q", want, told.String())
	}
}
