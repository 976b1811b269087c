package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/fusion"
)

// runTrainProgress tells epochs of 100 samples, of 10, a look at the clock apart.
func runTrainProgress(isTerminal bool, step time.Duration, n narration, epochs int) string {
	s, _, errs := fakeStreams(isTerminal, step)
	p := newTrainProgress(s, n, 10, 100)
	for e := 1; e <= epochs; e++ {
		p.tell(fusion.Epoch{Number: e, Loss: 0.5, Valid: &fusion.Evaluation{Loss: 0.25, Accuracy: 0.75, F1: 0.5}})
	}
	p.finish()
	return errs.String()
}

func TestTrainProgress(t *testing.T) {
	auto := narration{progress: progressAuto}
	for _, c := range []struct {
		name     string
		terminal bool
		step     time.Duration
		n        narration
		mark     string
		count    int
		reason   string
	}{
		{"bar", true, time.Second, auto, "\repoch", 10, "drawn for every epoch a second apart"},
		{"bar seldom", true, 10 * time.Millisecond, auto, "\repoch", 1, "at most ten times a second, and the end"},
		{"bar clears", true, time.Second, auto, "\r\x1b[K", 1, "what follows starts on a clean line"},
		{"short run in a pipe", false, 100 * time.Millisecond, auto, "", 0, "nothing below ten seconds"},
		{"long run in a pipe", false, 5 * time.Second, auto, "\n", 5, "a line every ten seconds"},
		{"quiet", true, time.Second, narration{quiet: true, progress: progressAuto}, "", 0, "quiet on a terminal too"},
		{"none", true, time.Hour, narration{progress: progressNone}, "", 0, "none is none"},
		{"json", false, time.Second, narration{progress: progressJSON}, "\n", 11, "a line a second, and the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runTrainProgress(c.terminal, c.step, c.n, 10)
			if n := strings.Count(got, c.mark); c.mark == "" && got != "" || c.mark != "" && n != c.count {
				t.Errorf("want %d times %q, got %q: %s", c.count, c.mark, got, c.reason)
			}
			for line := range strings.SplitSeq(got, "\r") {
				if c.terminal && len(strings.TrimSuffix(line, "\x1b[K")) >= defaultWidth {
					t.Errorf("want the bar to fit %d columns, got %q", defaultWidth, line)
				}
			}
		})
	}
}

// TestTrainProgressWords holds the sentence and the JSON of one state: 4 of 10
// epochs of 100 samples, told 10 seconds apart.
func TestTrainProgressWords(t *testing.T) {
	got := runTrainProgress(false, 10*time.Second, narration{progress: progressPlain}, 4)
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if want := "epoch 4 of 10, loss 0.5000, valid loss 0.2500, F1 50.0 %, 10 rows/s, 60 s left"; lines[len(lines)-1] != want {
		t.Errorf("want %q last, got %q", want, lines)
	}
	got = runTrainProgress(false, 10*time.Second, narration{progress: progressJSON}, 4)
	var line map[string]any
	if err := json.Unmarshal([]byte(strings.Split(got, "\n")[3]), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{"done": 400, "total": 1000, "seconds": 40, "seconds_left": 60, "epoch": 4, "epochs": 10, "loss": 0.5} {
		if line[key] != want {
			t.Errorf("%s: want %v, got %v", key, want, line[key])
		}
	}
	if valid, _ := line["valid"].(map[string]any); valid["f1"] != 0.5 || valid["accuracy"] != 0.75 || valid["loss"] != 0.25 {
		t.Errorf("valid: got %v", line["valid"])
	}
	if got := epochSentence(fusion.Epoch{Number: 1, Loss: 2}, 3); got != "epoch 1 of 3, loss 2.000" {
		t.Errorf("without validation: got %q", got)
	}
}

// TestTrainStops ends a training from outside: nothing is written.
func TestTrainStops(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("a.x,b.x,label\n")
	for i := range 64 {
		rows.WriteString([]string{"1,2,0\n", "2,1,1\n"}[i%2])
	}
	if err := os.WriteFile(filepath.Join(dir, "train.csv"), []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "m.onnx")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s, stdout, errs := fakeStreams(false, 0)
	// The clock is looked at after every epoch.
	now, looks := s.now, 0
	s.now = func() time.Time {
		if looks++; looks == 20 {
			cancel(&interruption{signal: os.Interrupt})
		}
		return now()
	}
	code := run(ctx, []string{"train", dir, "--fusion", "early", "-o", out, "--epochs", "1000000", "--batch", "8"}, s)
	if code != exitInterrupt || stdout.Len() > 0 || !strings.Contains(errs.String(), "interrupted: nothing was kept") {
		t.Errorf("want code %d and no output, got %d, %q, %q", exitInterrupt, code, stdout, errs)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("want no file")
	}
}

func TestReadRates(t *testing.T) {
	for _, c := range []struct {
		read func(string) (float64, error)
		text string
		want float64
		ok   bool
	}{
		{readRate, "1e-4", 1e-4, true}, {readRate, "0", 0, false}, {readRate, "-1", 0, false}, {readRate, "inf", 0, false}, {readRate, "NaN", 0, false}, {readRate, "x", 0, false},
		{readDecay, "0.5", 0.5, true}, {readDecay, "0", fusion.NoWeightDecay, true}, {readDecay, "-1", 0, false}, {readDecay, "Inf", 0, false}, {readDecay, "nan", 0, false},
	} {
		if got, err := c.read(c.text); (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%q: want %v (%t), got %v, %v", c.text, c.want, c.ok, got, err)
		}
	}
}
