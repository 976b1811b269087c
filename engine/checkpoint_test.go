package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shelf is a checkpoint in memory.
type shelf struct {
	mu    sync.Mutex
	tiles map[int]Tile
	// had are the tiles that are there from the start.
	had  map[int]bool
	fail error // of Save
}

// laterOn is the shelf as the next run finds it.
func (s *shelf) laterOn() *shelf {
	next := &shelf{tiles: map[int]Tile{}, had: map[int]bool{}}
	for number, tile := range s.tiles {
		next.tiles[number], next.had[number] = tile, true
	}
	return next
}

func (s *shelf) Has(number int) bool { return s.had[number] }

func (s *shelf) Load(tile *Tile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.tiles[tile.Number]
	tile.Predicted, tile.Columns, tile.Values, tile.BlockValues = kept.Predicted, kept.Columns, kept.Values, kept.BlockValues
	return nil
}

func (s *shelf) Save(tile *Tile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.tiles[tile.Number] = *tile
	return nil
}

// answers are the numbers of a run, tile by tile.
type answers struct {
	Predicted, Columns  []int
	Values, BlockValues []float64
}

func (a *answers) add(tile *Tile) error {
	a.Predicted, a.Columns = append(a.Predicted, tile.Predicted...), append(a.Columns, tile.Columns...)
	a.Values = append(a.Values, tile.Values.Values()...)
	a.BlockValues = append(a.BlockValues, tile.BlockValues.Values()...)
	return nil
}

// A run that is stopped after any number of tiles and resumed must give what one
// gives that nobody stopped, and evaluate no more than what is missing.
func TestResume(t *testing.T) {
	const n, b = 1000, 7
	var rows atomic.Int64
	var want answers
	whole := plan(t, product(&rows), n, b, nil)
	if _, err := whole.Run(t.Context(), want.add); err != nil {
		t.Fatal(err)
	}
	each := 2*b + 1 // rows of a sample
	for _, stop := range []int{1, 2, whole.Tiles() - 1, whole.Tiles()} {
		kept := &shelf{tiles: map[int]Tile{}}
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		_, err := plan(t, product(&rows), n, b, nil).Resume(ctx, kept, func(*Tile) error {
			if seen++; seen == stop {
				cancel()
			}
			return nil
		})
		if stopped := seen < whole.Tiles(); stopped != errors.Is(err, context.Canceled) {
			t.Fatalf("after %d of %d tiles: got %v", seen, whole.Tiles(), err)
		}
		if len(kept.tiles) < stop {
			t.Errorf("%d tiles were seen, only %d are kept", stop, len(kept.tiles))
		}
		found := kept.laterOn()
		missing := n
		for _, tile := range found.tiles {
			missing -= tile.Samples()
		}
		rows.Store(0)
		var told, total int64
		var got answers
		cost, err := plan(t, product(&rows), n, b, func(o *Options) {
			o.Workers = 3
			o.Progress = func(done, of int64) { told, total = done, of }
		}).Resume(t.Context(), found, got.add)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stopped after %d tiles, resumed (-undisturbed +resumed):\n%s", stop, diff)
		}
		left := int64(missing*each + b)
		if rows.Load() != left || told != left || total != left || cost.Rows != whole.Rows() {
			t.Errorf("stopped after %d tiles: ran %d rows, told %d of %d, cost %d; want %d left of %d", stop, rows.Load(), told, total, cost.Rows, left, whole.Rows())
		}
	}
}

// The same holds for a model in parts, whose shared rows are computed again.
func TestResumeInParts(t *testing.T) {
	terms := func(rng *rand.Rand) *net {
		n := newNet(2, 3)
		for i, name := range []string{"t0", "t1"} {
			n.add(rng, name, 3, true, []int{i}, fmt.Sprintf("m%d", i))
			n.terms = append(n.terms, name)
		}
		return n
	}
	for name, build := range map[string]func(rng *rand.Rand) *net{
		"sums":       func(rng *rand.Rand) *net { n := randomNet(rng, 3, 3, false); n.sums = true; return n },
		"row by row": func(rng *rand.Rand) *net { return randomNet(rng, 3, 3, false) },
		"additive":   terms,
	} {
		t.Run(name, func(t *testing.T) {
			opt := inParts(t, build(rand.New(rand.NewPCG(7, 7))).options(t, 700, 40))
			var told, total int64
			opt.Progress = func(done, of int64) { told, total = done, of }
			p, err := NewPlan(opt)
			if err != nil {
				t.Fatal(err)
			}
			if !p.Staged() || p.Tiles() < 3 {
				t.Fatalf("staged %v, %d tiles: want a plan in parts of several tiles", p.Staged(), p.Tiles())
			}
			var want, got answers
			if _, err := p.Run(t.Context(), want.add); err != nil {
				t.Fatal(err)
			}
			kept := &shelf{tiles: map[int]Tile{}}
			enough := errors.New("enough")
			if _, err := p.Resume(t.Context(), kept, func(*Tile) error { return enough }); !errors.Is(err, enough) {
				t.Fatalf("got %v, want a run that is stopped", err)
			}
			found := kept.laterOn()
			delete(found.tiles, 1)
			delete(found.had, 1)
			cost, err := p.Resume(t.Context(), found, got.add)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("in parts (-undisturbed +resumed):\n%s", diff)
			}
			if told != total || total >= p.Rows() || cost.Rows != p.Rows() {
				t.Errorf("told %d of %d rows, cost %d: want fewer told than the plan's %d", told, total, cost.Rows, p.Rows())
			}
		})
	}
}

// The numbers of a resumed run come from the checkpoint: another value there is
// another value here, so that TestResume could fail.
func TestResumeTakesWhatIsKept(t *testing.T) {
	kept := &shelf{tiles: map[int]Tile{}}
	var want, got answers
	if _, err := plan(t, product(new(atomic.Int64)), 40, 7, nil).Resume(t.Context(), kept, want.add); err != nil {
		t.Fatal(err)
	}
	found := kept.laterOn()
	found.tiles[0].Values.Values()[0]++
	want = answers{Values: slices.Clone(want.Values)}
	if _, err := plan(t, product(new(atomic.Int64)), 40, 7, nil).Resume(t.Context(), found, got.add); err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(want.Values, got.Values) && want.Values[0] != found.tiles[0].Values.Values()[0] {
		t.Error("a changed value in the checkpoint changed nothing")
	}
}

func TestResumeErrors(t *testing.T) {
	full := errors.New("the disk is full")
	kept := &shelf{tiles: map[int]Tile{}, fail: full}
	if _, err := plan(t, product(new(atomic.Int64)), 40, 7, nil).Resume(t.Context(), kept, func(*Tile) error { return nil }); !errors.Is(err, full) {
		t.Errorf("got %v, want what Save says", err)
	}
	good := &shelf{tiles: map[int]Tile{}}
	if _, err := plan(t, product(new(atomic.Int64)), 40, 7, nil).Resume(t.Context(), good, func(*Tile) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*Tile)
		want   string
		reason string
	}{
		{"no values", func(tile *Tile) { tile.Values = Tile{}.Values }, "values, want", "tables of nothing would be read past their end"},
		{"no blocks", func(tile *Tile) { tile.BlockValues = Tile{}.BlockValues }, "block values, want", "the background's error would be lost"},
		{"few predictions", func(tile *Tile) { tile.Predicted = tile.Predicted[1:] }, "predicted classes, want", "samples would change places"},
		{"no columns", func(tile *Tile) { tile.Columns = nil }, "columns, want", "samples would have no target"},
		{"bad column", func(tile *Tile) { tile.Columns = slices.Repeat([]int{7}, len(tile.Columns)) }, "column 7 of output", "there is no such column"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := good.laterOn()
			tile := found.tiles[0]
			test.change(&tile)
			found.tiles[0] = tile
			_, err := plan(t, product(new(atomic.Int64)), 40, 7, nil).Resume(t.Context(), found, func(*Tile) error { return nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
			}
		})
	}
}
