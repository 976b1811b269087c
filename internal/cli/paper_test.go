package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/paper"
	"github.com/intershap/intershap/score"
)

// aPage has a table of two lines and a data set of one model.
func aPage() *paper.Page {
	return &paper.Page{
		Quick: true,
		Tables: []paper.Table{{
			Number: 2, Title: "two modalities", Notes: []string{"a note"},
			Lines: []paper.Line{
				{Row: "InterSHAP", Column: "synergy", Unit: paper.Percent, Published: &paper.Published{Value: 98, Spread: score.Defined(0.5)},
					Ours: score.Defined(97.25), Spread: score.Defined(0.75), Difference: score.Defined(-0.75), Seeds: 3},
				{Row: "InterSHAP", Column: "late", Unit: paper.Percent},
			},
		}},
		Real: []paper.RealTable{{
			Name: "cells", Modalities: []string{"rna", "adt"}, Samples: 1234,
			Lines:   []paper.Line{{Row: "early", Column: "F1", Unit: paper.Percent, Ours: score.Defined(71.3), Seeds: 1}},
			Classes: []paper.RealClass{{Model: "early", ClassScore: paper.ClassScore{Class: "B", Samples: 34, InterSHAP: score.Defined(0.5), Contributions: []score.Share{score.Defined(0.45), {}}}}},
		}},
	}
}

func TestPaperTable(t *testing.T) {
	s, out, _ := fakeStreams(true, time.Second)
	p := newPage(s, colorNever)
	writePaper(p, aPage())
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	// The sentences about the setup have a test of their own where they are made.
	_, tables, ok := strings.Cut(out.String(), "\nTable 2")
	if !ok {
		t.Fatalf("no table 2 in:\n%s", out)
	}
	want := `: two modalities
                     published        ours  difference
InterSHAP  synergy  98.0 ± 0.5  97.2 ± 0.8        -0.8
InterSHAP  late              –           –           –
- a note

cells: 1,234 samples, modalities rna, adt
model      ours
early  F1  71.3

model  predicted class  samples  interactions     rna        adt
early  B                     34        50.0 %  45.0 %  undefined
`
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if !strings.HasPrefix(out.String(), "a quick run:") {
		t.Errorf("want a quick run to say so first, got:\n%s", out)
	}
}

func TestPaperProgress(t *testing.T) {
	s, _, errs := fakeStreams(false, 20*time.Second)
	p := &paperProgress{progress: newProgress(s, narration{progress: progressPlain})}
	p.tell(paper.Progress{Step: "xor/early-seed1: training", Done: 3, Total: 9})
	if want := "3 of 9 steps, xor/early-seed1: training\n"; errs.String() != want {
		t.Errorf("want %q, got %q", want, errs)
	}
	s, _, errs = fakeStreams(false, time.Second)
	p = &paperProgress{progress: newProgress(s, narration{progress: progressJSON})}
	p.tell(paper.Progress{Step: "a", Done: 3, Total: 9})
	var line map[string]any
	if err := json.Unmarshal(errs.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"done": 3.0, "total": 9.0, "seconds": 1.0, "seconds_left": nil, "step": "a"}, line); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	// Two steps were kept; of the seven others five took 5 seconds, so two take 2.
	s, _, errs = fakeStreams(false, time.Second)
	p = &paperProgress{progress: newProgress(s, narration{progress: progressJSON})}
	for done := 2; done <= 7; done++ {
		p.tell(paper.Progress{Step: "a", Done: done, Total: 9})
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatal(err)
	}
	if want := line["seconds"].(float64) * 2 / 5; line["seconds_left"] != want {
		t.Errorf("want %v seconds left, got %v", want, line["seconds_left"])
	}
}
