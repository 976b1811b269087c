package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// runProgress tells calls of 100 rows, of 1000 in all, a look at the clock apart.
func runProgress(isTerminal bool, step time.Duration, n narration) string {
	s, _, errs := fakeStreams(isTerminal, step)
	p := newProgress(s, n)
	p.start()
	for done := int64(100); done <= 1000; done += 100 {
		p.tell(done, 1000)
	}
	p.finish()
	return errs.String()
}

func TestProgress(t *testing.T) {
	auto := narration{progress: progressAuto}
	tests := []struct {
		name     string
		terminal bool
		step     time.Duration
		n        narration
		// marks counts the pictures, lines that of lines.
		mark   string
		count  int
		reason string
	}{
		{"bar", true, time.Second, auto, "\r[", 10, "drawn for every call a second apart"},
		{"bar seldom", true, 10 * time.Millisecond, auto, "\r[", 1, "at most ten times a second, and the end"},
		{"bar clears", true, time.Second, auto, "\r\x1b[K", 1, "what follows starts on a clean line"},
		{"short run in a pipe", false, 100 * time.Millisecond, auto, "", 0, "nothing below ten seconds"},
		{"long run in a pipe", false, 5 * time.Second, auto, "\n", 5, "a line every ten seconds"},
		{"quiet", true, time.Second, narration{quiet: true, progress: progressAuto}, "", 0, "quiet on a terminal too"},
		{"quiet but asked for", false, 5 * time.Second, narration{quiet: true, progress: progressPlain}, "\n", 5, "what was asked for comes"},
		{"none", true, time.Hour, narration{progress: progressNone}, "", 0, "none is none"},
		{"plain on a terminal", true, 10 * time.Second, narration{progress: progressPlain}, "\n", 10, "lines"},
		{"json", false, time.Second, narration{progress: progressJSON}, "\n", 11, "a line a second, and the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := runProgress(tt.terminal, tt.step, tt.n)
			if tt.count == 0 {
				if got != "" {
					t.Errorf("want nothing, got %q: %s", got, tt.reason)
				}
				return
			}
			if n := strings.Count(got, tt.mark); n != tt.count {
				t.Errorf("want %d times %q, got %d in %q: %s", tt.count, tt.mark, n, got, tt.reason)
			}
		})
	}
}

// TestProgressBar checks the words, and that a bar stays on its line.
func TestProgressBar(t *testing.T) {
	got := runProgress(true, time.Second, narration{progress: progressAuto})
	if want := "[=====     ] 500 of 1,000 rows, 100 rows/s, 5 s left"; !strings.Contains(got, want) {
		t.Errorf("want %q in %q", want, got)
	}
	s, _, errs := fakeStreams(true, time.Hour)
	s.width = 30
	p := newProgress(s, narration{progress: progressAuto})
	p.tell(1_000_000, 1_000_000_000)
	line := strings.TrimSuffix(strings.TrimPrefix(errs.String(), "\r"), "\x1b[K")
	if len(line) >= s.width {
		t.Errorf("want fewer than %d columns, got %q", s.width, line)
	}
}

// TestProgressJSON reads every line.
func TestProgressJSON(t *testing.T) {
	var last struct {
		Done, Total int64
		Seconds     float64
	}
	for line := range strings.Lines(runProgress(false, time.Second, narration{progress: progressJSON})) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	if last.Done != 1000 || last.Total != 1000 || last.Seconds <= 0 {
		t.Errorf("want the whole run at the end, got %+v", last)
	}
}

func TestColored(t *testing.T) {
	tests := []struct {
		name     string
		env      environment
		choice   string
		terminal bool
		want     bool
	}{
		{"terminal", nil, colorAuto, true, true},
		{"pipe", nil, colorAuto, false, false},
		{"dumb terminal", environment{"TERM=dumb"}, colorAuto, true, false},
		{"NO_COLOR with any value", environment{"NO_COLOR=no"}, colorAuto, true, false},
		{"NO_COLOR empty", environment{"NO_COLOR="}, colorAuto, true, true},
		{"forced in a pipe", environment{"CLICOLOR_FORCE=1"}, colorAuto, false, true},
		{"forced by 0 is not", environment{"CLICOLOR_FORCE=0"}, colorAuto, false, false},
		{"flag before NO_COLOR", environment{"NO_COLOR=1"}, colorAlways, false, true},
		{"flag before force", environment{"CLICOLOR_FORCE=1"}, colorNever, true, false},
	}
	for _, tt := range tests {
		s, _, _ := fakeStreams(tt.terminal, 0, tt.env...)
		if got := s.colored(tt.choice, tt.terminal); got != tt.want {
			t.Errorf("%s: want %v, got %v", tt.name, tt.want, got)
		}
	}
}
