package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/model/onnx"
)

// killsVariable asks for more kills, at random moments:
//
//	INTERSHAP_KILLS=20 go test -run TestKilledAtRandom ./cmd/intershap
const killsVariable = "INTERSHAP_KILLS"

// tool runs the example in a folder of its own, always by the same command line:
// the plain way, which takes long enough to be killed.
type tool struct {
	dir  string
	args []string
	env  []string
}

const (
	checkpointName = "ck"
	outName        = "run.json"
	samplesName    = "run.npz"
)

func newTool(t *testing.T, backgroundSize string) tool {
	t.Helper()
	lib, err := onnx.FindLibrary("")
	if err != nil {
		t.Fatalf("the example needs a runtime: %v", err)
	}
	triage, err := filepath.Abs("../../examples/triage")
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(triage, name) }
	return tool{
		dir: t.TempDir(),
		args: []string{
			"explain", in("model.onnx"), in("test.npz"), "--background", in("train.npz"), "--background-size", backgroundSize,
			"--plan", "full", "--checkpoint", checkpointName, "-o", outName, "--samples", samplesName,
		},
		env: append(os.Environ(), onnx.LibraryVariable+"="+lib.Path),
	}
}

// start starts the tool; done gives what it ended with.
func (c tool) start(t *testing.T) (process *os.Process, stderr *bytes.Buffer, done <-chan error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "intershap", c.args...)
	stderr = new(bytes.Buffer)
	cmd.Dir, cmd.Env, cmd.Stderr = c.dir, c.env, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return cmd.Process, stderr, ended
}

// finish runs the tool to its end and returns what it told on standard error.
func (c tool) finish(t *testing.T) (stderr string) {
	t.Helper()
	_, text, done := c.start(t)
	if err := <-done; err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return text.String()
}

// kill runs the tool until now says so and kills it then, as the system does it
// when memory is short: nothing is caught, nothing cleaned up. It reports whether
// there was somebody left to kill.
func (c tool) kill(t *testing.T, now <-chan struct{}) (killed bool) {
	t.Helper()
	process, stderr, done := c.start(t)
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("before it was killed: %v\n%s", err, stderr)
		}
		return false
	case <-now:
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	return <-done != nil
}

// tiles counts the files of finished tiles.
func (c tool) tiles(t *testing.T) int {
	found, err := filepath.Glob(filepath.Join(c.dir, checkpointName, "tile-*.bin"))
	if err != nil {
		t.Error(err)
	}
	return len(found)
}

// whenTiles tells when so many tiles are there. It looks every few milliseconds,
// and a bounded number of times.
func (c tool) whenTiles(t *testing.T, want int) <-chan struct{} {
	const (
		pause = 2 * time.Millisecond
		looks = 60_000
	)
	there := make(chan struct{})
	go func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for range looks {
			if c.tiles(t) >= want {
				close(there)
				return
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return there
}

// anew removes what a run left.
func (c tool) anew(t *testing.T) {
	t.Helper()
	for _, name := range []string{checkpointName, outName, samplesName} {
		if err := os.RemoveAll(filepath.Join(c.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

var secondsLine = regexp.MustCompile(`"seconds": [-+.0-9e]+`)

// results are the files of a run, less the time that it took.
func (c tool) results(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{outName, samplesName} {
		raw, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(raw)
	}
	if n := len(secondsLine.FindAllString(out[outName], -1)); n != 1 {
		t.Fatalf("%s tells its seconds %d times, want once", outName, n)
	}
	out[outName] = secondsLine.ReplaceAllString(out[outName], "")
	return out
}

// compare fails the test where a file differs in a byte.
func compare(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name := range want {
		if at := difference(want[name], got[name]); at != "" {
			t.Errorf("%s of a run that was killed differs from that of one that was not: %s", name, at)
		}
	}
}

// difference names the first place where two texts differ, "" for none.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	const shown = 40
	return "byte " + strconv.Itoa(at) + ", want " + strconv.Quote(want[at:min(len(want), at+shown)]) + ", got " + strconv.Quote(got[at:min(len(got), at+shown)])
}

func TestDifference(t *testing.T) {
	for _, test := range []struct{ want, got, at string }{
		{"same", "same", ""},
		{"some", "same", "byte 1"},
		{"long", "longer", "byte 4"},
		{"longer", "", "byte 0"},
	} {
		if got := difference(test.want, test.got); !strings.HasPrefix(got, test.at) || (got == "") != (test.at == "") {
			t.Errorf("%q and %q differ at %q, want %q", test.want, test.got, got, test.at)
		}
	}
}

// A run that is killed again and again, each time some tiles further on, must end
// with the bytes of one that was left alone.
func TestKilledRunGoesOn(t *testing.T) {
	const size = "150"
	alone := newTool(t, size)
	if text := alone.finish(t); strings.Contains(text, "found in") {
		t.Errorf("a first run found something:\n%s", text)
	}
	total := alone.tiles(t)
	c := newTool(t, size)
	const kills = 3
	for k := 1; k <= kills; k++ {
		if !c.kill(t, c.whenTiles(t, k*total/(2*kills))) {
			t.Fatalf("the run ended before kill %d", k)
		}
		if _, err := os.Stat(filepath.Join(c.dir, outName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a killed run left a result: %v", err)
		}
	}
	found := c.tiles(t)
	text := c.finish(t)
	if want := strconv.Itoa(found) + " of " + strconv.Itoa(total) + " tiles found in ck"; found >= total || !strings.Contains(text, want) {
		t.Errorf("got %q, want %q", text, want)
	}
	compare(t, alone.results(t), c.results(t))
}

// TestKilledAtRandom kills runs at random moments of their life, so many times as
// INTERSHAP_KILLS says: at the start, inside a write, at the end. A run that ends
// before its moment is compared and begun anew.
func TestKilledAtRandom(t *testing.T) {
	text, ok := os.LookupEnv(killsVariable)
	if !ok {
		t.Skipf("set %s to a number of kills", killsVariable)
	}
	kills, err := strconv.Atoi(text)
	if err != nil || kills < 1 {
		t.Fatalf("%s: want a number of kills, got %q", killsVariable, text)
	}
	const size = "600"
	alone := newTool(t, size)
	begun := time.Now()
	alone.finish(t)
	life := time.Since(begun)
	want := alone.results(t)
	rng := rand.New(rand.NewPCG(1, 1))
	c := newTool(t, size)
	for killed := 0; killed < kills; {
		moment := time.Duration(rng.Int64N(int64(life)))
		now := make(chan struct{})
		timer := time.AfterFunc(moment, func() { close(now) })
		if c.kill(t, now) {
			killed++
			t.Logf("kill %d after %v, %d of %d tiles there", killed, moment.Round(time.Millisecond), c.tiles(t), alone.tiles(t))
			// A run that was killed after its last file is complete: the next
			// would be refused, since it overwrites nothing.
			if _, err := os.Stat(filepath.Join(c.dir, outName)); err != nil {
				if _, err := os.Stat(filepath.Join(c.dir, samplesName)); err != nil {
					continue
				}
				t.Logf("samples are there and the result is not")
				if err := os.Remove(filepath.Join(c.dir, samplesName)); err != nil {
					t.Fatal(err)
				}
				continue
			}
		}
		timer.Stop()
		compare(t, want, c.results(t))
		t.Log("a run ended, same bytes unless said otherwise; a new one begins")
		c.anew(t)
	}
	c.finish(t)
	compare(t, want, c.results(t))
}
