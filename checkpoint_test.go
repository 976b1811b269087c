package intershap_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// ticking is a model of a and b that says a digest and counts its rows.
type ticking struct {
	digest string
	rows   atomic.Int64
	// stop is called when rows reaches stopAt.
	stopAt int64
	stop   func()
}

func (m *ticking) Digest() string { return m.digest }

func (m *ticking) Predict(_ context.Context, in model.Batch) (model.Batch, error) {
	a, _ := in.Lookup("a")
	b, _ := in.Lookup("b")
	x, z := make([]float64, in.Rows()), make([]float64, in.Rows())
	a.Float64s(x)
	b.Float64s(z)
	for i := range x {
		x[i] = x[i]*z[i] + z[i]/3
	}
	if rows := m.rows.Add(int64(len(x))); m.stop != nil && rows >= m.stopAt {
		m.stop()
	}
	return model.Batch{{Name: "y", Tensor: tensor.Of(x, len(x), 1)}}, nil
}

// tickingRun is everything that a run needs, in files.
type tickingRun struct {
	model      *ticking
	data, rows string
	opt        intershap.Options
	samples    rowsSink
}

// rowsSink keeps what a samples file would hold.
type rowsSink []result.SampleRow

func (s *rowsSink) Begin(result.SamplesHeader) error { *s = nil; return nil }
func (s *rowsSink) Write(row result.SampleRow) error {
	row.Values, row.Phi = append([]float64{}, row.Values...), append([]float64{}, row.Phi...)
	*s = append(*s, row)
	return nil
}

func newTickingRun(t *testing.T, dir string) *tickingRun {
	t.Helper()
	r := &tickingRun{model: &ticking{digest: "m1"}, data: filepath.Join(dir, "data.csv"), rows: filepath.Join(dir, "rows.csv")}
	write := func(path string, n, step int) {
		var b strings.Builder
		b.WriteString("id,a,b,c\n")
		for i := range n {
			b.WriteString(strings.Join([]string{"s" + string(rune('a'+i%26)), number(i * step % 17), number(i * i % 13), number(i % 7)}, ",") + "\n")
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(r.data, 300, 5)
	write(r.rows, 40, 7)
	r.opt = intershap.Options{Task: intershap.Regression, Workers: 1, Seed: 1, Sink: &r.samples, Checkpoint: filepath.Join(dir, "ck")}
	return r
}

func number(i int) string { return string(rune('0'+i/10)) + string(rune('0'+i%10)) + ".5" }

func (r *tickingRun) explain(ctx context.Context, t *testing.T) (*intershap.Explanation, error) {
	t.Helper()
	open := func(path string) dataset.File {
		f, err := dataset.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() }) // read alone
		return f
	}
	return intershap.Explain(ctx, r.model, open(r.data), open(r.rows), r.opt)
}

// document is the explanation as a file would hold it, less its time.
func document(t *testing.T, ex *intershap.Explanation) string {
	t.Helper()
	ex.Cost.Seconds = 0
	var b strings.Builder
	if err := ex.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A run that is stopped anywhere and resumed must say what an undisturbed one
// says, to the last bit, and ask the model for no more than what is missing.
func TestCheckpointResumes(t *testing.T) {
	dir := t.TempDir()
	plain := newTickingRun(t, dir)
	plain.opt.Checkpoint = ""
	ex, err := plain.explain(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	want, total := document(t, ex), plain.model.rows.Load()

	r := newTickingRun(t, dir)
	stops := 0
	for share := int64(1); share < 4; share++ {
		ctx, cancel := context.WithCancel(t.Context())
		r.model = &ticking{digest: "m1", stopAt: total * share / 8, stop: cancel}
		if _, err := r.explain(ctx, t); !errors.Is(err, context.Canceled) {
			t.Fatalf("a run that is stopped: %v", err)
		}
		cancel()
		stops++
	}
	found, tiles := 0, 0
	r.model = &ticking{digest: "m1"}
	r.opt.Resumed = func(f, of int) { found, tiles = f, of }
	// What changes no tile may be another.
	r.opt.Workers = 3
	ex, err = r.explain(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, document(t, ex)); diff != "" {
		t.Errorf("after %d stops (-undisturbed +resumed):\n%s", stops, diff)
	}
	if diff := cmp.Diff(plain.samples, r.samples, cmp.AllowUnexported(score.Share{})); diff != "" {
		t.Errorf("samples after %d stops (-undisturbed +resumed):\n%s", stops, diff)
	}
	if found < stops || found >= tiles || r.model.rows.Load() >= total {
		t.Errorf("found %d of %d tiles, and ran %d of %d rows: want some", found, tiles, r.model.rows.Load(), total)
	}
}

// Every option that changes a tile makes another run; options that do not go on
// with the same one.
func TestCheckpointIdentity(t *testing.T) {
	dir := t.TempDir()
	first := newTickingRun(t, dir)
	if _, err := first.explain(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	newTickingRun(t, other)
	changed := filepath.Join(other, "data.csv")
	raw, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(raw), "00.5", "00.6", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(r *tickingRun)
		want   string // "" for the same run
	}{
		{"model", func(r *tickingRun) { r.model.digest = "m2" }, `model_sha256 was "m1" there, is "m2" here`},
		{"data", func(r *tickingRun) { r.data = changed }, "data_sha256 was"},
		{"background", func(r *tickingRun) { r.rows = changed }, "background_sha256 was"},
		{"background rows", func(r *tickingRun) { r.opt.BackgroundSize = 20 }, "background_rows was 40 there, is 20 here"},
		{"seed", func(r *tickingRun) { r.opt.Seed = 2 }, "seed was 1 there, is 2 here"},
		{"mask", func(r *tickingRun) { r.opt.Mask = []string{"a=zero"} }, "mask was"},
		{"modalities", func(r *tickingRun) { r.opt.Modalities = []string{"x=a"} }, `modalities was ["a=a[0:1]","b=b[0:1]","c=c[0:1]"] there, is ["x=a[0:1]","b=b[0:1]","c=c[0:1]"] here`},
		{"fixed", func(r *tickingRun) { r.opt.Fixed = []string{"c"} }, "modalities was"},
		{"task", func(r *tickingRun) { r.opt.Task = intershap.Multilabel; r.opt.Classes = []string{"x"} }, "task was"},
		{"transform", func(r *tickingRun) { r.opt.Transform = engine.Sigmoid }, "transform was"},
		{"memory", func(r *tickingRun) { r.opt.Memory = 1 << 20 }, "memory was"},
		{"workers", func(r *tickingRun) { r.opt.Workers = 2 }, ""},
		{"level", func(r *tickingRun) { r.opt.Level = 0.9 }, ""},
		{"convention", func(r *tickingRun) { r.opt.Convention = score.SinglePair }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTickingRun(t, t.TempDir())
			r.data, r.rows, r.opt.Checkpoint = first.data, first.rows, first.opt.Checkpoint
			test.change(r)
			_, err := r.explain(t.Context(), t)
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want the same run", err)
				}
				return
			}
			var refused *checkpoint.Error
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || !strings.Contains(refused.Hint, "another folder") {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// Without digests nothing tells one run from another.
func TestCheckpointNeedsDigests(t *testing.T) {
	r := newTickingRun(t, t.TempDir())
	r.model.digest = ""
	if _, err := r.explain(t.Context(), t); err == nil || !strings.Contains(err.Error(), "the model has no digest") {
		t.Errorf("got %v, want an error for the model", err)
	}
	memory, err := dataset.FromArrays(
		dataset.Array{Name: "a", Tensor: tensor.New(tensor.Float64, 3)}, dataset.Array{Name: "b", Tensor: tensor.New(tensor.Float64, 3)})
	if err != nil {
		t.Fatal(err)
	}
	r.model.digest = "m1"
	if _, err := intershap.Explain(t.Context(), r.model, memory, nil, r.opt); err == nil || !strings.Contains(err.Error(), "the data has no digest") {
		t.Errorf("got %v, want an error for the data", err)
	}
	if _, err := os.Stat(r.opt.Checkpoint); err == nil {
		t.Error("a refused run made the folder")
	}
}

// A damaged tile stops the run, and the run goes on without it.
func TestCheckpointDamage(t *testing.T) {
	r := newTickingRun(t, t.TempDir())
	ex, err := r.explain(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	want := document(t, ex)
	tiles, err := filepath.Glob(filepath.Join(r.opt.Checkpoint, "tile-*.bin"))
	if err != nil || len(tiles) < 2 {
		t.Fatalf("got the tiles %v, %v", tiles, err)
	}
	raw, err := os.ReadFile(tiles[1])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(tiles[1], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.explain(t.Context(), t); err == nil || !strings.Contains(err.Error(), tiles[1]) {
		t.Errorf("got %v, want an error that names %s", err, tiles[1])
	}
	after, err := filepath.Glob(filepath.Join(r.opt.Checkpoint, "tile-*.bin"))
	if diff := cmp.Diff(tiles, after); err != nil || diff != "" {
		t.Errorf("%v: tiles changed (-before +after):\n%s", err, diff)
	}
	if err := os.Remove(tiles[1]); err != nil {
		t.Fatal(err)
	}
	if ex, err = r.explain(t.Context(), t); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, document(t, ex)); diff != "" {
		t.Errorf("without the damaged tile (-before +after):\n%s", diff)
	}
}
