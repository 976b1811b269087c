package cli

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

func TestReadThreshold(t *testing.T) {
	for text, want := range map[string]float64{
		"5%": 0.05, "0.05": 0.05, "5 %": 0.05, "100%": 1, "1": 1, "0.5%": 0.005, "1e-3": 0.001,
	} {
		if got, err := readThreshold(text); err != nil || got != (bound{at: want, set: true}) {
			t.Errorf("%q: want %v, got %v, %v", text, want, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "want a fraction", "five": "want a fraction", "-5%": "want a fraction", "101%": "want a fraction", "NaN": "want a fraction", "Inf": "want a fraction",
		"5%%": "want a fraction", "200": "want a fraction", "5": `got "5": did you mean 5%?`, "0": "want a share above 0", "0%": "want a share above 0",
	} {
		if _, err := readThreshold(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want an error that says %q, got %v", text, want, err)
		}
	}
}

func TestAtLeastText(t *testing.T) {
	d := score.Defined
	for _, tt := range []struct {
		low, high score.Share
		want      string
	}{
		{d(0.062), d(0.2), "At least 5.0 %? Yes: the interval begins at 6.2 %."},
		{d(0), d(0.013), "At least 5.0 %? No: the interval ends at 1.3 %."},
		{d(0), d(1e-9), "At least 5.0 %? No: the interval ends at 0.01 %."},
		{d(0.031), d(0.062), "At least 5.0 %? Unclear: the interval reaches from 3.1 % to 6.2 %."},
		{score.Share{}, score.Share{}, "At least 5.0 %? Unclear: the headline has no interval."},
	} {
		target := result.Target{Headline: result.Global}
		target.Global.InterSHAP, target.Global.Low, target.Global.High = d(0.05), tt.low, tt.high
		ex := &result.Explanation{Targets: []result.Target{target}}
		answer(ex, bound{})
		if ex.Targets[0].AtLeast != nil {
			t.Error("an answer without a question")
		}
		answer(ex, bound{at: 0.05, set: true})
		if got := wording.AtLeast(&ex.Targets[0]); got != tt.want {
			t.Errorf("want %q, got %q", tt.want, got)
		}
	}
}

// sensitivityOf has a row of every kind for each target.
func sensitivityOf(targets ...result.Target) *result.Explanation {
	ex := &result.Explanation{Targets: targets}
	ex.Sensitivity = &result.Sensitivity{Verdict: "The verdict depends on the mask: \x1b[1mhostile.", Depends: true}
	reason := "the background has 100 rows"
	for _, r := range []result.SensitivityRow{
		{Choice: result.MaskChoice, Setting: "zero", Name: "zero", InterSHAP: score.Defined(0.9), Low: score.Defined(0.8), High: score.Defined(1)},
		{Choice: result.SizeChoice, Setting: "200", Name: "200 rows", Reason: &reason},
		{Choice: result.DrawChoice, Setting: "2", Name: "seed 2", InterSHAP: score.Defined(0.41), Low: score.Defined(0), High: score.Defined(0.5)},
		{Choice: result.ScaleChoice, Setting: "logit", Name: "logit", InterSHAP: score.Defined(0.4), Low: score.Defined(0.4), High: score.Defined(0.4)},
	} {
		for i := range targets {
			r.Target = targets[i].Target
			r.Compare(&targets[i])
			ex.Sensitivity.Rows = append(ex.Sensitivity.Rows, r)
		}
	}
	return ex
}

func TestWriteSensitivity(t *testing.T) {
	one := barsTarget(result.Global) // 40 %, 35 to 45
	other := barsTarget(result.MeanAbsolute)
	other.Target = "class:1\n" // 55 %, 50 to 60
	for _, tt := range []struct {
		name     string
		ex       *result.Explanation
		terminal bool
		want     string
	}{
		{"of one target", sensitivityOf(one), true, `
choice           setting  InterSHAP *             difference  matters
the run                     40.0 % [35.0, 45.0]
mask             zero       90.0 % [80.0, 100.0]       +50.0  yes
background draw  seed 2   < 50.0 %                      +1.0
output scale     logit      40.0 % [40.0, 40.0]            0
no number for background size 200 rows: the background has 100 rows

* The verdict depends on the mask: \x1b[1mhostile.
`},
		{"elsewhere", sensitivityOf(one), false, `
choice	setting	InterSHAP *	difference	matters
the run		40.0 % [35.0, 45.0]
mask	zero	90.0 % [80.0, 100.0]	+50.0	yes
background draw	seed 2	< 50.0 %	+1.0
output scale	logit	40.0 % [40.0, 40.0]	0
no number for background size 200 rows: the background has 100 rows

* The verdict depends on the mask: \x1b[1mhostile.
`},
		{"of two targets, the one that moves most", sensitivityOf(one, other), false, `
choice	setting	target	InterSHAP *	difference	matters
mask	zero	predicted	90.0 % [80.0, 100.0]	+50.0	yes
background draw	seed 2	class:1\n	< 50.0 %	-14.0
output scale	logit	class:1\n	40.0 % [40.0, 40.0]	-15.0	yes
no number for background size 200 rows: the background has 100 rows

* The verdict depends on the mask: \x1b[1mhostile.
`},
	} {
		s, out, _ := fakeStreams(tt.terminal, 0)
		p := newPage(s, colorNever)
		writeSensitivity(p, tt.ex)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(out.String()) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		if got := "\n" + strings.Join(lines, "\n") + "\n"; got != tt.want {
			t.Errorf("%s: want%sgot%s", tt.name, tt.want, got)
		}
	}
}

// A row that matters comes before one that moves further, and a number before none.
func TestLargestMove(t *testing.T) {
	reason := "no"
	far, near := -0.4, 0.06
	rows := []result.SensitivityRow{
		{Target: "none", Reason: &reason},
		{Target: "undefined in the run", InterSHAP: score.Defined(0.5)},
		{Target: "far", InterSHAP: score.Defined(0.5), Difference: &far},
		{Target: "matters", InterSHAP: score.Defined(0.5), Difference: &near, Matters: true},
	}
	for n := len(rows); n > 0; n-- {
		if got := wording.LargestMove(rows[:n]).Target; got != rows[n-1].Target {
			t.Errorf("of %d rows: want %q, got %q", n, rows[n-1].Target, got)
		}
	}
}
