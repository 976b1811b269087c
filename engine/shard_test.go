package engine

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Shards of any number give the tiles of one run, each with the number and the samples
// that it has there, and no shard evaluates rows of another.
func TestShards(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	opt := randomNet(rng, 3, 3, false).options(t, 300, 20)
	opt.Memory = 4 << 20
	opt.Samples = lack(rng, opt)
	ways(t, opt, func(t *testing.T, opt Options) {
		whole, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		tiles := whole.Tiles()
		if tiles < 7 {
			t.Fatalf("%d tiles, want at least 7", tiles)
		}
		var want answers
		numbers := func(into *answers, seen *[]int) func(*Tile) error {
			return func(tile *Tile) error {
				*seen = append(*seen, tile.Number, tile.Lo, tile.Hi)
				return into.add(tile)
			}
		}
		var wantNumbers []int
		if _, err := whole.Run(t.Context(), numbers(&want, &wantNumbers)); err != nil {
			t.Fatal(err)
		}
		for of := 1; of <= 7; of++ {
			var got answers
			var gotNumbers []int
			next, rows := 0, int64(0)
			for k := range of {
				var told, total int64
				opt := opt
				opt.Workers = 1 + k%3
				opt.Progress = func(done, all int64) { told, total = done, all }
				p, err := NewPlan(opt)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Shard(k, of); err != nil {
					t.Fatal(err)
				}
				from, to := p.Range()
				if from != next || to != (k+1)*tiles/of {
					t.Errorf("shard %d of %d has tiles %d to %d, want from %d to %d", k, of, from, to, next, (k+1)*tiles/of)
				}
				next = to
				cost, err := p.Run(t.Context(), numbers(&got, &gotNumbers))
				if err != nil {
					t.Fatal(err)
				}
				if cost.Rows != p.RunRows() || told != total || total != p.RunRows() {
					t.Errorf("shard %d of %d: %d rows, progress %d of %d, want %d", k, of, cost.Rows, told, total, p.RunRows())
				}
				if p.Rows() != whole.Rows() {
					t.Errorf("the plan has %d rows, want %d of the whole plan", p.Rows(), whole.Rows())
				}
				rows += p.RunRows() - p.sharedRows()
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%d shards (-one run +shards):\n%s", of, diff)
			}
			if diff := cmp.Diff(wantNumbers, gotNumbers); diff != "" {
				t.Errorf("%d shards, numbers (-one run +shards):\n%s", of, diff)
			}
			if rows != whole.Rows()-whole.sharedRows() {
				t.Errorf("%d shards have %d rows of samples, want %d", of, rows, whole.Rows()-whole.sharedRows())
			}
		}
	})
}

// A shard takes from a checkpoint the tiles of its range alone.
func TestShardResumes(t *testing.T) {
	opt := randomNet(rand.New(rand.NewPCG(9, 9)), 3, 3, false).options(t, 300, 20)
	opt.Memory = 4 << 20
	shard := func() *Plan {
		p, err := NewPlan(opt)
		if err == nil {
			err = p.Shard(1, 3)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	all := &shelf{tiles: map[int]Tile{}}
	if _, err := whole.Resume(t.Context(), all, func(*Tile) error { return nil }); err != nil {
		t.Fatal(err)
	}
	kept := all.laterOn()
	p := shard()
	from, to := p.Range()
	for number := from + 1; number < to; number++ { // all but the first of its own
		delete(kept.had, number)
	}
	var total int64
	opt.Progress = func(_, of int64) { total = of }
	var want, got answers
	if _, err := p.Run(t.Context(), want.add); err != nil {
		t.Fatal(err)
	}
	q := shard()
	if _, err := q.Resume(t.Context(), kept, got.add); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("resumed shard (-run +resumed):\n%s", diff)
	}
	if left := q.RunRows() - int64(q.TileSamples())*q.sampleRows(); total != left {
		t.Errorf("%d rows were left, want %d: tiles of other shards are none of this one's", total, left)
	}
}

func TestShardErrors(t *testing.T) {
	opt := randomNet(rand.New(rand.NewPCG(9, 9)), 2, 3, false).options(t, 300, 20)
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	tiles := p.Tiles()
	for _, test := range []struct {
		index, of int
		want      string
	}{
		{0, 0, "got 0 of 0"}, {-1, 3, "got -1 of 3"}, {3, 3, "got 3 of 3"},
		{0, tiles + 1, "shard 1 of"}, {0, 1 << 30, "use at most"},
	} {
		if err := p.Shard(test.index, test.of); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("shard %d of %d: got %v, want an error with %q", test.index, test.of, err, test.want)
		}
	}
	if from, to := p.Range(); from != 0 || to != tiles || p.RunRows() != p.Rows() {
		t.Errorf("after errors the plan has tiles %d to %d and %d rows, want all", from, to, p.RunRows())
	}
	if err := p.Shard(0, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Outputs(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "want a plan of all") {
		t.Errorf("outputs of a shard: got %v, want an error", err)
	}
	if _, err := p.Pairs(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "want a plan of all") {
		t.Errorf("pairs of a shard: got %v, want an error", err)
	}
	// Every shard of as many as there are tiles has one.
	for k := range tiles {
		if err := p.Shard(k, tiles); err != nil {
			t.Errorf("shard %d of %d: %v", k, tiles, err)
		}
		if from, to := p.Range(); from != k || to != k+1 {
			t.Errorf("shard %d of %d has tiles %d to %d", k, tiles, from, to)
		}
	}
}
