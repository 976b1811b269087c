package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// runRivalProgress tells two scores with rows and one without between them, a look
// at the clock apart.
func runRivalProgress(isTerminal bool, step time.Duration, n narration) string {
	s, _, errs := fakeStreams(isTerminal, step)
	p := newRivalProgress(s, n)
	for _, score := range []string{"intershap", "pid", "emap"} {
		var rows int64 = 1000
		if score == "pid" {
			rows = 0
		}
		p.finish()
		p.begin(score, rows)
		for done := int64(100); done <= rows; done += 100 {
			p.tell(done, rows)
		}
	}
	p.finish()
	return errs.String()
}

func TestRivalProgress(t *testing.T) {
	auto := narration{progress: progressAuto}
	for _, tt := range []struct {
		name     string
		terminal bool
		step     time.Duration
		n        narration
		// want counts texts.
		want   map[string]int
		reason string
	}{
		{"bar", true, time.Second, auto, map[string]int{"\rintershap [": 11, "\rpid\x1b[K": 1, "\remap [=====     ] 500 of 1,000 rows, 100 rows/s, 5 s left\x1b[K": 1}, "the score's name comes first, at once"},
		{"short run in a pipe", false, 100 * time.Millisecond, auto, nil, "nothing below ten seconds"},
		{"long run in a pipe", false, 5 * time.Second, auto, map[string]int{"intershap: ": 5, "emap: 1,000 of 1,000 rows": 1, "\n": 10}, "a line every ten seconds"},
		{"quiet", true, time.Second, narration{quiet: true, progress: progressAuto}, nil, "quiet on a terminal too"},
		{"json", false, time.Second, narration{progress: progressJSON}, map[string]int{`{"score":"intershap","done":`: 12, `{"score":"pid","done":0,"total":0,`: 1, `"done":1000,"total":1000,`: 4, "\n": 25}, "the first, one a second, the last"},
	} {
		got := runRivalProgress(tt.terminal, tt.step, tt.n)
		if tt.want == nil && got != "" {
			t.Errorf("%s: %s: got %q", tt.name, tt.reason, got)
		}
		for text, n := range tt.want {
			if c := strings.Count(got, text); c != n {
				t.Errorf("%s: %s: want %d times %q, got %d in %q", tt.name, tt.reason, n, text, c, got)
			}
		}
	}
}

// TestPIDProgress tells ten steps of one phase and two of another, a look at the clock
// apart: phases take different times, so nothing is said of the time left, and the
// clock starts anew.
func TestPIDProgress(t *testing.T) {
	told := func(isTerminal bool, step time.Duration, n narration) string {
		s, _, errs := fakeStreams(isTerminal, step)
		p := newRivalProgress(s, n)
		p.begin("pid", 0)
		for done := range 10 {
			p.tellSteps(done+1, 10)
		}
		p.tellSteps(1, 2)
		p.tellSteps(2, 2)
		p.finish()
		return errs.String()
	}
	auto := narration{progress: progressAuto}
	if got := told(true, time.Second, auto); strings.Contains(got, "left") || !strings.Contains(got, "pid: 10 of 10 steps") || !strings.Contains(got, "pid: 1 of 2 steps") {
		t.Errorf("want steps and no time left, got %q", got)
	}
	got := told(false, time.Second, narration{progress: progressJSON})
	lines := strings.Split(strings.TrimSpace(got), "\n")
	var seconds []float64
	for _, line := range lines {
		var of struct {
			Seconds float64
			Left    any `json:"seconds_left"`
		}
		if err := json.Unmarshal([]byte(line), &of); err != nil {
			t.Fatal(err)
		}
		if of.Left != nil {
			t.Errorf("want no time left, got %s", line)
		}
		seconds = append(seconds, of.Seconds)
	}
	// The score begins at 2 s. Step k is told at 2k+1 s and its line written at 2k+2 s,
	// so 2k s after the beginning. The second phase begins at 21 s, when step 10 was
	// told; its lines are of 24 s, 26 s and, of the end, 27 s.
	if want := []float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 3, 5, 6}; !slices.Equal(seconds, want) {
		t.Errorf("want the seconds %v, got %v", want, seconds)
	}
}

// TestBeginning holds the sentence of --verbose.
func TestBeginning(t *testing.T) {
	for want, got := range map[string]string{"pid": beginning("pid", 0), "emap: 1,000 rows": beginning("emap", 1000)} {
		if want != got {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}
