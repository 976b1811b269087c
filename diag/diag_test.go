package diag_test

import (
	"testing"

	"github.com/intershap/intershap/diag"
)

func TestList(t *testing.T) {
	var l diag.List
	l.Add("few-samples", "", "need %d samples, have %d", 30, 12)
	l.Add("background-too-small", "predicted", "first")
	l.Add("background-too-small", "predicted", "said before")
	l.Add("background-too-small", "label", "of another subject")
	l.Append(diag.Warning{ID: "few-samples", Text: "said before"}, diag.Warning{ID: "residual", Text: "100 %s"})
	want := []string{
		"few-samples: need 30 samples, have 12",
		"background-too-small (predicted): first",
		"background-too-small (label): of another subject",
		"residual: 100 %s",
	}
	got := l.All()
	if len(got) != len(want) {
		t.Fatalf("%d warnings, want %d: %v", len(got), len(want), got)
	}
	for i, w := range got {
		if w.String() != want[i] {
			t.Errorf("warning %d is %q, want %q", i, w, want[i])
		}
	}
	got[0].Text = "changed"
	if l.All()[0].Text == "changed" {
		t.Error("All hands out the list itself")
	}
}
