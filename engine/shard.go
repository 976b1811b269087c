package engine

import "fmt"

// Shard restricts Run and Resume to the tiles [index·T/of, (index+1)·T/of) of the
// plan's T, index from 0. Tiles and samples keep the numbers that they have in the
// whole plan, and their bits: the tiles of all shards are those of one run. It is an
// error where there are fewer tiles than shards and this one has none.
//
// It must be called before the plan runs; another call replaces it.
func (p *Plan) Shard(index, of int) error {
	if of < 1 || index < 0 || index >= of {
		return fmt.Errorf("engine: want a shard from 0 to below the number of shards, got %d of %d", index, of)
	}
	tiles := int64(p.Tiles())
	from, to := int64(index)*tiles/int64(of), int64(index+1)*tiles/int64(of)
	if from == to {
		return fmt.Errorf("engine: shard %d of %d has no tiles: the plan has %d, of %d samples each; use at most %d shards", index+1, of, tiles, p.tile, tiles)
	}
	p.from, p.to = int(from), int(to)
	return nil
}

// Range returns the numbers [from, to) of the tiles that Run and Resume hand out: all,
// unless [Plan.Shard] was called.
func (p *Plan) Range() (from, to int) {
	if p.to == 0 {
		return 0, p.Tiles()
	}
	return p.from, p.to
}

// RunRows returns the rows that a run of the plan's range takes: [Plan.Rows], for a
// shard those of its samples and those that all samples share.
func (p *Plan) RunRows() int64 {
	from, to := p.Range()
	lo, _ := p.bounds(from)
	_, hi := p.bounds(to - 1)
	return int64(hi-lo)*p.sampleRows() + p.sharedRows()
}

// undivided refuses a shard, for what asks about all samples.
func (p *Plan) undivided() error {
	if from, to := p.Range(); to-from < p.Tiles() {
		return fmt.Errorf("engine: want a plan of all %d tiles, got the shard of %d to %d", p.Tiles(), from, to-1)
	}
	return nil
}
