package engine

import (
	"context"
	"fmt"
	"slices"
)

// A Checkpoint keeps the tiles that a run has finished, so that another run of
// the same plan need not evaluate them again. Its methods are called from
// several goroutines at once, never twice for one tile.
type Checkpoint interface {
	// Has reports whether tile number is kept.
	Has(number int) bool
	// Load fills a kept tile whose place and rows are known: Predicted, Columns,
	// Values and BlockValues, to the bit as they were saved.
	Load(tile *Tile) error
	// Save keeps a finished tile. It must not change or retain it.
	Save(tile *Tile) error
}

// nothing is the checkpoint of a run that keeps nothing.
type nothing struct{}

func (nothing) Has(int) bool     { return false }
func (nothing) Load(*Tile) error { return nil }
func (nothing) Save(*Tile) error { return nil }

// bounds returns the samples [lo, hi) of a tile.
func (p *Plan) bounds(number int) (lo, hi int) {
	lo = number * p.tile
	return lo, min(p.n, lo+p.tile)
}

// keptSamples counts the samples in tiles of the run that are kept.
func (p *Plan) keptSamples(kept Checkpoint) int64 {
	samples := 0
	from, to := p.Range()
	for number := from; number < to; number++ {
		if kept.Has(number) {
			lo, hi := p.bounds(number)
			samples += hi - lo
		}
	}
	return int64(samples)
}

// answer fills a tile: from the checkpoint, or else by the evaluator.
func (p *Plan) answer(ctx context.Context, e evaluator, kept Checkpoint, tile *Tile) error {
	if kept.Has(tile.Number) {
		if err := kept.Load(tile); err != nil {
			return err
		}
		return p.checkTile(tile)
	}
	if err := p.show(tile); err != nil {
		return err
	}
	if err := e.evaluate(ctx, tile); err != nil {
		return err
	}
	return kept.Save(tile)
}

// checkTile refuses a tile that nobody who trusts the plan could read.
func (p *Plan) checkTile(tile *Tile) error {
	n, targets := tile.Samples(), p.opt.Target.Len()
	games, blocks := n*targets, len(p.opt.Background.Blocks())
	if !slices.Equal(tile.Values.Coalitions(), p.coalitions) {
		return fmt.Errorf("engine: the checkpoint's tile %d has the values of other coalitions", tile.Number)
	}
	for _, part := range []struct {
		what      string
		got, want int
	}{
		{"predicted classes", len(tile.Predicted), n},
		{"columns", len(tile.Columns), games},
		{"values", len(tile.Values.Values()), games * p.width()},
		{"block values", len(tile.BlockValues.Values()), blocks * games * p.width()},
	} {
		if part.got != part.want {
			return fmt.Errorf("engine: the checkpoint's tile %d has %d %s, want %d", tile.Number, part.got, part.what, part.want)
		}
	}
	for _, c := range tile.Columns {
		if c < 0 || c >= p.opt.Width {
			return fmt.Errorf("engine: the checkpoint's tile %d explains column %d of output %q, want one below %d", tile.Number, c, p.opt.Output, p.opt.Width)
		}
	}
	return nil
}
