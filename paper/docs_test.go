package paper

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/synth"
)

// docs/paper.md is what the program makes of the scores of the full run, which are
// kept beside this test: whoever changes a table or a note sees it there.
//
// After a run with `intershap paper -o FOLDER --data ...` the scores are taken over by
// `INTERSHAP_PAPER_FOLDER=FOLDER go test ./paper -run TestPageOfTheFullRun`.
func TestPageOfTheFullRun(t *testing.T) {
	const kept = "testdata/full.json"
	page := filepath.Join("..", "docs", PageFile)
	type fullRun struct {
		Setup  Setup       `json:"setup"`
		Scores Scores      `json:"scores"`
		Real   []RealTable `json:"real"`
	}
	var full fullRun
	render := func() []byte {
		p := newPage(Tables, full.Setup, full.Scores, false)
		p.Real = full.Real
		var b bytes.Buffer
		if err := p.WriteMarkdown(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if folder := os.Getenv("INTERSHAP_PAPER_FOLDER"); folder != "" {
		full.Scores = Scores{}
		if err := readJSON(filepath.Join(folder, setupFile), &full.Setup); err != nil {
			t.Fatal(err)
		}
		r := &run{opt: Options{Folder: folder}, setup: full.Setup}
		for _, e := range Experiments(Tables) {
			for _, u := range r.units(e) {
				s, found, err := r.keptScore(t.Context(), u)
				if err != nil || !found {
					t.Fatalf("%s: no score (%v)", u.name(), err)
				}
				full.Scores[u.name()] = s
			}
		}
		if err := readJSON(filepath.Join(folder, realFolder, tablesFile), &full.Real); err != nil {
			t.Fatal(err)
		}
		if err := writeJSON(kept, full); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, render(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := readJSON(kept, &full); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(render())); diff != "" {
		t.Errorf("docs/paper.md is not the page of %s; -file +page:\n%s", kept, diff)
	}
	if full.Setup.Version != version || full.Setup.Revision != synth.Revision {
		t.Errorf("%s is of another version: run it again", kept)
	}
	for _, table := range newPage(Tables, full.Setup, full.Scores, false).Tables {
		for _, l := range table.Lines {
			if _, ok := l.Ours.Value(); !ok {
				t.Errorf("table %d: %s, %s has no number", table.Number, l.Row, l.Column)
			}
		}
	}
}
