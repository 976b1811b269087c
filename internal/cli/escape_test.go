package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
)

// hostile is a name that sets a title, forges a line, leaves its column and
// turns what follows around.
const hostile = "a\x1b]0;owned\x07\nhint: run rm\tb\u202ec\x7f\u009b31md\xffe"

// harmless is how hostile is shown.
const harmless = `a\x1b]0;owned\x07\nhint: run rm\tb\u202ec\x7f\u009b31md\xffe`

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ text, want, reason string }{
		{"", "", "nothing stays nothing"},
		{"größe 你好 × 🙂 \\n", "größe 你好 × 🙂 \\n", "letters of all languages are text"},
		{hostile, harmless, "each character that acts is shown"},
		{"a\r\u2028\u2029\u2066\u200f\u061c", `a\r\u2028\u2029\u2066\u200f\u061c`, "line ends and marks of direction"},
		{"\ufffd", "\ufffd", "the sign for a lost letter is a letter"},
	} {
		if got := escape(tt.text); got != tt.want {
			t.Errorf("%q: want %q, got %q: %s", tt.text, tt.want, got, tt.reason)
		}
	}
	if want, got := painted(`\tx `+allOff+` 3 \ty`), escapef("%s %s %d %v", "\tx", painted(allOff), 3, errors.New("\ty")); got != want {
		t.Errorf("want the painter's sequence alone left, got %q", got)
	}
}

// acting returns what a stream holds that only the program itself may write,
// once the painter's sequences and the ends of lines are taken away.
func acting(written string, allowed ...string) string {
	for _, a := range append(allowed, "\n", strongOn, doubtOn, allOff) {
		written = strings.ReplaceAll(written, a, "")
	}
	if escape(written) != written {
		return written
	}
	return ""
}

// TestHostileNames prints names that a stranger chose, wherever names come to a
// page.
func TestHostileNames(t *testing.T) {
	target := classesTarget()
	target.Target = hostile
	target.Global.Aggregate = aggregate(0.5, 0.4, 0.6, []string{hostile, "text"}, 0.3, 0.2)
	target.Global.Pairs = []result.Pair{pair(hostile, "text", 0.5, 0.4, 0.6)}
	target.ByClass[0].Class = hostile
	ex := explanation([]string{hostile, "text"}, target)
	ex.Provenance.Model.Source, ex.Provenance.Output = hostile, hostile
	ex.Warnings = []diag.Warning{{ID: "x", Subject: hostile, Text: hostile}}
	found := &inspection{
		Model:      modelReport{Source: hostile, Runtime: hostile, Inputs: []specReport{{Name: hostile}}, Unsupported: []string{hostile}},
		Modalities: []modalityReport{{Name: hostile, Inputs: []string{hostile}}},
		Data:       &fileReport{Source: hostile}, Background: &backgroundReport{Source: hostile},
		Question: &questionReport{Output: hostile, Classes: []string{hostile}, Targets: []string{hostile}},
		Cost:     &costReport{Plan: "staged", Parts: []partReport{{Part: hostile}}},
		Warnings: ex.Warnings,
	}
	for _, terminal := range []bool{false, true} {
		for name, write := range map[string]func(*page){
			"table":   func(p *page) { writeTable(p, ex, circumstances{}) },
			"inspect": func(p *page) { writeInspection(p, found) },
			"line":    func(p *page) { p.line("%s", hostile) },
			"hang":    func(p *page) { p.hang("* ", hostile) },
		} {
			s, out, _ := fakeStreams(terminal, 0)
			p := newPage(s, colorAlways)
			write(p)
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
			var separator []string
			if !terminal {
				separator = []string{"\t"} // between columns
			}
			if bad := acting(out.String(), separator...); bad != "" {
				t.Errorf("%s, terminal %v: got %q", name, terminal, bad)
			}
			if !strings.Contains(out.String(), `\x1b]0;owned`) {
				t.Errorf("%s, terminal %v: want the name shown, got %q", name, terminal, out)
			}
		}
	}
	if acting("\x1b[2J") == "" {
		t.Error("a sequence that is not the painter's: want it found")
	}
}

// TestHostileMessages sends names through errors, hints, warnings and steps.
func TestHostileMessages(t *testing.T) {
	s, _, errs := fakeStreams(true, time.Second)
	reportError(errs, fmt.Errorf("x: %w", &dataset.Error{File: hostile, Row: dataset.NoRow, Found: hostile, Hint: hostile}))
	newTeller(s, narration{verbose: true}).step("model %s", hostile)
	if err := (narration{}).warn(s, []diag.Warning{{ID: "x", Subject: hostile, Text: hostile}}); err != nil {
		t.Fatal(err)
	}
	if bad := acting(errs.String()); bad != "" {
		t.Errorf("got %q", bad)
	}
	for line := range strings.Lines(errs.String()) {
		if strings.HasPrefix(line, "hint: run") {
			t.Errorf("a name forged a line: %q", line)
		}
	}
}

// The line ends between joined errors stay; one in a name is shown, and makes no line.
func TestEscapeError(t *testing.T) {
	name := errors.New("no modality \"labs/b\n  =c\"")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{name, `no modality "labs/b\n  =c"`},
		{fmt.Errorf("x: %w", name), `x: no modality "labs/b\n  =c"`},
		{errors.Join(name, errors.New("two")), `no modality "labs/b\n  =c"` + "\n  two"},
		{fmt.Errorf("a\x1b: %w (b)", errors.Join(errors.New("one"), fmt.Errorf("in: %w", errors.Join(name, errors.New("two"))))),
			`a\x1b: one` + "\n  in: " + `no modality "labs/b\n  =c"` + "\n  two (b)"},
		{fmt.Errorf("%w and %w", errors.New("one"), errors.New("two")), "one and two"},
		{&usageError{err: name}, `no modality "labs/b\n  =c"`},
	} {
		if got := escapeError(tt.err); got != tt.want {
			t.Errorf("want %q, got %q", tt.want, got)
		}
	}
}

// TestVisibleAndShorten checks that what is measured is what is cut.
func TestVisibleAndShorten(t *testing.T) {
	for _, text := range []string{escape(hostile), strings.Repeat("ü", 40), "short"} {
		for width := 1; width < 45; width++ {
			if got, want := visible(shorten(text, width)), min(width, visible(text)); got != want {
				t.Errorf("%q cut to %d: got %d letters", text, width, got)
			}
		}
	}
	var b bytes.Buffer
	p := &page{out: &b, terminal: true, color: true, width: 40}
	p.grid([][]cell{{{head: hostile, strong: true}, {head: "right", number: true}}, {{head: "x"}, {head: "7", number: true}}})
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := visible(strings.TrimSuffix(line, "\n")); n > 40 {
			t.Errorf("want at most 40 columns, got %d: %q", n, line)
		}
	}
}
