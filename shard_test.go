package intershap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/index"
)

// clinicFile writes the clinic as CSV.
func (c *clinic) csv(t testing.TB, path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("a.0,a.1,b.0,b.1,c.0,c.1,b_available,c_available,patient,site,sex,weight\n")
	for r := range c.samples {
		fmt.Fprintf(&b, "%v,%v,%v,%v,%v,%v,%d,%d,%d,%s,%s,%v\n", c.a[2*r], c.a[2*r+1], c.b[2*r], c.b[2*r+1], c.c[2*r], c.c[2*r+1],
			c.hasB[r], c.hasC[r], c.patient[r], c.site[r], c.sex[r], c.weight[r])
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// planOn plans a run of the clinic's classes on a file.
func planOn(t testing.TB, path string, opt intershap.Options) *intershap.Plan {
	t.Helper()
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // read alone
	p, err := intershap.NewPlan(t.Context(), clinicClasses, f, nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shardsOn runs all shards and reads them back from files.
func shardsOn(t testing.TB, path string, of int, opt intershap.Options) []*intershap.Partial {
	t.Helper()
	var out []*intershap.Partial
	for i := range of {
		opt.Shard = intershap.Shard{Index: i, Of: of}
		part, err := planOn(t, path, opt).Partial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "shard.json")
		var b bytes.Buffer
		if err := part.Write(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if part, err = intershap.ReadPartial(file); err != nil {
			t.Fatal(err)
		}
		out = append(out, part)
	}
	return out
}

// Shards of a run, merged in any order, say what the run says, to the last bit.
func TestShardsMerge(t *testing.T) {
	const n = 400
	c, path := newClinic(n), filepath.Join(t.TempDir(), "clinic.csv")
	c.csv(t, path)
	for name, opt := range map[string]intershap.Options{
		"plain":   {},
		"cohort":  {Cluster: "patient", Weight: "weight", By: [][]string{{"sex"}, {"site", "sex"}}, Target: "all"},
		"missing": {Missing: []string{"b", "c"}, By: [][]string{{"site"}}},
		"orders":  {Index: index.STII, Order: 3},
		"budget":  {Budget: 458, Estimator: approx.Permutation},
	} {
		t.Run(name, func(t *testing.T) {
			opt.BackgroundSize, opt.Sink = 20, intershap.Discard
			if name == "budget" {
				opt.Modalities = []string{"a0=a.0", "a1=a.1", "b0=b.0", "b1=b.1", "c0=c.0", "c1=c.1"}
				opt.BackgroundSize = 2 // coalitions enough
			}
			whole, err := planOn(t, path, opt).Explain(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			readable(t, whole)
			want := document(t, whole)
			for _, of := range []int{1, 3, 7} {
				shards := shardsOn(t, path, of, opt)
				rand.New(rand.NewPCG(1, uint64(of))).Shuffle(of, func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
				merged, err := intershap.Merge(shards...)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, document(t, merged)); diff != "" {
					t.Errorf("%d shards (-one run +merged):\n%s", of, diff)
				}
			}
		})
	}
}

func TestShardsThatDoNotFit(t *testing.T) {
	c, path := newClinic(300), filepath.Join(t.TempDir(), "clinic.csv")
	c.csv(t, path)
	opt := intershap.Options{BackgroundSize: 20, Memory: 4 << 20, Sink: intershap.Discard}
	if _, err := planOn(t, path, intershap.Options{BackgroundSize: 20, Memory: 4 << 20, Shard: intershap.Shard{Index: 0, Of: 2}}).Explain(t.Context()); err == nil || !strings.Contains(err.Error(), "no result of its own") {
		t.Errorf("Explain of a shard: %v", err)
	}
	other := opt
	other.Seed = 5
	level := opt
	level.Level = 0.9
	for want, shards := range map[string]func() []*intershap.Partial{
		"want the shards of a run":                                 func() []*intershap.Partial { return nil },
		"shards of the run, 3/3 is missing":                        func() []*intershap.Partial { return shardsOn(t, path, 3, opt)[:2] },
		"shards of the run, 1/3 is missing":                        func() []*intershap.Partial { return shardsOn(t, path, 3, opt)[1:] },
		"(shard 2/2) have samples in common: give each shard once": func() []*intershap.Partial { return append(shardsOn(t, path, 2, opt), shardsOn(t, path, 2, opt)[1]) },
		"(shard 2/3) have samples in common: give shards of one N, or such as fit": func() []*intershap.Partial {
			return []*intershap.Partial{shardsOn(t, path, 2, opt)[0], shardsOn(t, path, 3, opt)[1]}
		},
		"give all shards of the run, best 1/N to N/N of one N: ": func() []*intershap.Partial {
			return []*intershap.Partial{shardsOn(t, path, 2, opt)[0], shardsOn(t, path, 3, opt)[2]}
		},
		"seed is 0 in the first and 5": func() []*intershap.Partial {
			return append(shardsOn(t, path, 2, opt)[:1], shardsOn(t, path, 2, other)[1])
		},
		"level is 0.95 in the first": func() []*intershap.Partial {
			return append(shardsOn(t, path, 2, opt)[:1], shardsOn(t, path, 2, level)[1])
		},
	} {
		if _, err := intershap.Merge(shards()...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// Shards are used up by what is made of them, and by nothing that fails before.
func TestShardsAreUsedUp(t *testing.T) {
	c, path := newClinic(300), filepath.Join(t.TempDir(), "clinic.csv")
	c.csv(t, path)
	shards := shardsOn(t, path, 2, intershap.Options{BackgroundSize: 20, Memory: 4 << 20, Sink: intershap.Discard})
	if _, err := intershap.Merge(shards[0]); err == nil || !strings.Contains(err.Error(), "2/2 is missing") {
		t.Errorf("one of two: %v", err)
	}
	if _, err := intershap.Merge(shards[0], shards[0]); err == nil || !strings.Contains(err.Error(), "give each shard once") {
		t.Errorf("the same twice: %v", err)
	}
	if _, err := intershap.Merge(shards...); err != nil {
		t.Fatal(err)
	}
	_, err := intershap.Merge(shards...)
	for what, err := range map[string]error{"merged": err, "written": shards[1].Write(io.Discard)} {
		if err == nil || !strings.Contains(err.Error(), "was merged before") {
			t.Errorf("%s again: %v", what, err)
		}
	}
}

// Files merge in the order of their samples, one after the other.
func TestMergeFiles(t *testing.T) {
	c, dir := newClinic(300), t.TempDir()
	c.csv(t, filepath.Join(dir, "clinic.csv"))
	opt := intershap.Options{BackgroundSize: 20, Memory: 4 << 20, Sink: intershap.Discard}
	whole, err := planOn(t, filepath.Join(dir, "clinic.csv"), opt).Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !whole.TaskGuessed() {
		t.Error("a task that was not given is not guessed")
	}
	var paths []string
	for i := range 3 {
		opt.Shard = intershap.Shard{Index: i, Of: 3}
		if opt.Task = intershap.Guess; i == 1 {
			opt.Task = intershap.Classes // as the others guess
		}
		part, err := planOn(t, filepath.Join(dir, "clinic.csv"), opt).Partial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := part.Write(&b); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.json", 3-i)))
		if err := os.WriteFile(paths[i], b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shuffled := []string{paths[2], paths[0], paths[1]}
	var read []string
	last := 0
	merged, err := intershap.MergeFiles(t.Context(), shuffled, func(path string, lo, hi int) {
		if lo != last {
			t.Errorf("%s: samples from %d, want %d", path, lo, last)
		}
		read, last = append(read, path), hi
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(paths, read); diff != "" || last != 300 {
		t.Errorf("read to %d in another order: %s", last, diff)
	}
	if diff := cmp.Diff(document(t, whole), document(t, merged)); diff != "" {
		t.Errorf("(-one run +merged):\n%s", diff)
	}
	if !merged.TaskGuessed() {
		t.Error("the task of two shards was guessed, and that of the result was not")
	}
	// What changes while it is read: the second shard becomes the first.
	first, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	_, err = intershap.MergeFiles(t.Context(), paths, func(string, int, int) {
		if err := os.WriteFile(paths[1], first, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("a file that changes: %v", err)
	}
	// A head says what it likes where its file is damaged.
	if err := os.WriteFile(paths[1], bytes.Replace(second, []byte(`"number": 2`), []byte(`"number": 1`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = intershap.MergeFiles(t.Context(), paths[:2], nil); err == nil || !strings.Contains(err.Error(), paths[1]+": the shard is damaged") {
		t.Errorf("a damaged head: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := intershap.MergeFiles(ctx, paths, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := intershap.MergeFiles(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "want the shards of a run") {
		t.Errorf("no files: %v", err)
	}
}

// What is damaged is refused.
func TestDamagedShards(t *testing.T) {
	c, path := newClinic(100), filepath.Join(t.TempDir(), "clinic.csv")
	c.csv(t, path)
	part, err := planOn(t, path, intershap.Options{BackgroundSize: 10, Sink: intershap.Discard}).Partial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if err := part.Write(&whole); err != nil {
		t.Fatal(err)
	}
	read := func(raw []byte) error {
		file := filepath.Join(t.TempDir(), "shard.json")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := intershap.ReadPartial(file)
		return err
	}
	if err := read(whole.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := read(whole.Bytes()[:whole.Len()/2]); err == nil || !strings.Contains(err.Error(), "want a shard") {
		t.Errorf("half a file: %v", err)
	}
	for _, field := range []string{"tiles", "facts", "residual", "magnitude", "sums", "families", "identity", "provenance"} {
		var d map[string]any
		if err := json.Unmarshal(whole.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		delete(d, field)
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := read(raw); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("without %s: %v", field, err)
		}
	}
	if err := read([]byte(`{"schema": "intershap/explanation/v1"}`)); err == nil || !strings.Contains(err.Error(), `want a shard, schema "intershap/shard/v1"`) {
		t.Errorf("an explanation: %v", err)
	}
}
