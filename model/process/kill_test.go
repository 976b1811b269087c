package process

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/result"
)

// A killer kills children at random moments: after some of a run's batches one
// that is drawn dies, in whatever it is doing.
type killer struct {
	mu   sync.Mutex
	rng  *rand.Rand
	m    *Model
	left int
}

// maybe kills a child in one of eight calls, as long as kills are left.
func (k *killer) maybe() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == 0 || k.rng.IntN(8) > 0 {
		return
	}
	s := k.m.slots[k.rng.IntN(len(k.m.slots))]
	if !s.mu.TryLock() {
		return // it is starting
	}
	defer s.mu.Unlock()
	if s.child == nil || s.child.dead() {
		return
	}
	c := s.child
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return
	}
	killGroup(c.cmd.Process) // as the system would: nobody here is told
	c.mu.Unlock()
	<-c.ended // or it would be killed and counted twice
	k.left--
}

// TestKillsChangeNothing kills children 50 times during a run, which must give the
// bytes of a run that was left alone. To run it again with other moments change
// the seed of the generator.
func TestKillsChangeNothing(t *testing.T) {
	const kills, seed, workers = 50, 1, 3
	rows := func(n int) dataset.File {
		var arrays []dataset.Array
		for _, in := range rowsOf(n, -1) {
			arrays = append(arrays, dataset.Array{Name: in.Name, Tensor: in.Tensor})
		}
		f, err := dataset.FromArrays(arrays...)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	run := func(m *Model, k *killer) string {
		samples := &fileSink{path: filepath.Join(t.TempDir(), "run.npz")}
		opt := intershap.Options{
			Output: "y", Task: intershap.Regression, Target: "all", Workers: workers, Memory: 1 << 20, Sink: samples,
			Fixed: []string{"s"}, Progress: func(done, total int64) { k.maybe() },
		}
		ex, err := intershap.Explain(t.Context(), m, rows(800), rows(70), opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := samples.to.Close(); err != nil {
			t.Fatal(err)
		}
		if ex.Targets[0].Global.Interactions == 0 {
			t.Error("want a model with interactions: equal zeros prove little")
		}
		ex.Cost.Seconds = 0
		var text bytes.Buffer
		if err := ex.Write(&text); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(samples.path)
		if err != nil {
			t.Fatal(err)
		}
		return text.String() + string(raw)
	}
	var told bytes.Buffer
	m := openChild(t, "good", Options{Children: workers, Stderr: &told})
	want := run(m, &killer{m: m, rng: rand.New(rand.NewPCG(seed, 0))})
	k := &killer{m: m, left: kills, rng: rand.New(rand.NewPCG(seed, 0))}
	for runs := 1; k.left > 0; runs++ {
		const most = 50
		if runs == most {
			t.Fatalf("%d kills in %d runs, want %d", kills-k.left, runs, kills)
		}
		if got := run(m, k); got != want {
			t.Errorf("run %d, after %d kills, gives other bytes than one that was left alone", runs, kills-k.left)
		}
		t.Logf("%d runs, %d kills", runs, kills-k.left)
	}
	// The last of a run are not missed.
	if n := strings.Count(told.String(), "(signal: killed), another is started"); n < kills-workers {
		t.Errorf("want about %d children started again, got %d", kills, n)
	}
}

// A fileSink writes samples to a file.
type fileSink struct {
	path string
	to   result.SamplesWriter
}

func (f *fileSink) Begin(header result.SamplesHeader) (err error) {
	f.to, err = result.CreateSamples(f.path, header)
	return err
}

func (f *fileSink) Write(row result.SampleRow) error { return f.to.Write(row) }
