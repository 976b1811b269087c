package result

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/score"
)

// What is kept in memory is what a file would give back.
func TestSamplesInMemory(t *testing.T) {
	for _, c := range roundTrips {
		rows := makeGames(c.header, c.id)
		var kept SamplesMemory
		if err := kept.Begin(c.header); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := kept.Write(r); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			clear(r.Phi) // rows may be reused
		}
		got, err := kept.Samples()
		if c.header.Samples == 0 {
			wantFault(t, c.name, err, "result: samples: want at least one sample, got none")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := sameSamples(wantSamples(c.header, makeGames(c.header, c.id), true), got); d != "" || got.Path != "memory" {
			t.Errorf("%s: path %q (-want +got):\n%.1000s", c.reason, got.Path, d)
		}
	}
}

func TestSamplesInMemoryFaults(t *testing.T) {
	var kept SamplesMemory
	rows := makeGames(two, numbered)
	wantFault(t, "no Begin", kept.Write(rows[0]), "want Begin before the first row")
	_, err := kept.Samples()
	wantFault(t, "no Begin", err, "want at least one sample")
	bad := two
	bad.Modalities = nil
	wantFault(t, "header", kept.Begin(bad), "result: samples: want 1 to 20 modalities, got 0")
	if err := kept.Begin(two); err != nil {
		t.Fatal(err)
	}
	if err := kept.Write(rows[0]); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "order", kept.Write(rows[2]), "want sample 0 of 4, target 1 of 2 next, got sample 1, target 0")
	other := rows[1]
	other.ID = "99"
	wantFault(t, "other id", kept.Write(other), "want the same id and prediction for each target")
	high := rows[1]
	high.InterSHAP = score.Defined(2)
	wantFault(t, "share", kept.Write(high), "want a fraction within [0, 1], got 2")
	if err := kept.Begin(two); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[:2] {
		if err := kept.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	_, err = kept.Samples()
	wantFault(t, "missing", err, "want 4 samples, got 1")
	if err != nil && strings.Contains(err.Error(), "file") {
		t.Errorf("want no word of a file, got %v", err)
	}
}
