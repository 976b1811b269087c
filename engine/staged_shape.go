package engine

import "fmt"

// The shape of staged tiles. Calls should be long enough that their overhead
// does not count and short enough for a processor's cache.
const (
	// callBytes is what the rows of a call should take while a part runs.
	callBytes = 1 << 23
	// minCallRows and maxCallRows bound the rows of a call; hugeCallRows is the
	// lower bound where minCallRows take many times callBytes.
	minCallRows, maxCallRows, hugeCallRows = 64, 2048, 16
	hugeCall                               = 2 * callBytes
	// minStagedTile samples are the fewest that a tile has by choice: calls have a
	// multiple of so many rows, and fewer samples would be filled up.
	minStagedTile = batchMultiple
	// stagedTiles is the number of tiles that balance the work of a few workers.
	stagedTiles = 32
	// workersInMemory is the share of the memory limit that a worker's tile and call
	// have, whatever the number of workers: several tiles are in flight for each.
	workersInMemory = 32
	// leastBackground is the number of background rows that should fit into a
	// call beside the samples, so that blocks are not cut to pieces.
	leastBackground = 4
)

// A cut is how the rows of a staged plan are cut.
type cut struct {
	// callRows[i] is the most rows of a call of part i that is of one side alone.
	callRows []int
	// gridRows is about the number of rows of a call that mixes both sides.
	gridRows int
	// short is set where memory makes calls shorter than is good.
	short bool
	// order lists the background rows block by block.
	order  []int
	chunks []chunk
}

// planStages checks the stages of the plan's options.
func (p *Plan) planStages() error {
	leaves, err := leavesOf(p.opt.Modalities, p.inputs, p.opt.Background.Inputs())
	if err != nil {
		return err
	}
	if p.stage, err = newStaging(p.opt.Stages, leaves, p.inputs, p.opt.Modalities, p.opt.Width); err != nil {
		return err
	}
	p.patterns = p.patternsOf(p.coalitions, 0)
	if t := p.opt.Transform; p.stage.additive() && t != Identity && t != Centred {
		return fmt.Errorf("engine: stages: the output is a sum of terms, which the transform %s does not pass through; want an output", t)
	}
	return nil
}

// callRows returns the good number of rows for a call that takes some bytes a
// row.
func callRows(bytes int64) int {
	rows := int(callBytes / max(1, bytes))
	least := minCallRows
	if minCallRows*bytes > hugeCall {
		least = hugeCallRows
	}
	return min(maxCallRows, max(least, rows/batchMultiple*batchMultiple))
}

// runBytes is about what a row takes while a part runs.
func (p *Plan) runBytes(part *stagedPart) int64 {
	if part.RowBytes > 0 {
		return part.RowBytes
	}
	var bytes int64
	for _, f := range part.inputs {
		bytes += p.stage.features[f].bytes()
	}
	for _, f := range part.outputs() {
		bytes += p.stage.features[f].bytes()
	}
	return max(1, bytes)
}

// shapeStages fixes the sizes of calls, tiles and chunks: first by what a call
// should be, then by the memory that a worker may take.
func (p *Plan) shapeStages() {
	p.cut.callRows = make([]int, len(p.stage.parts))
	p.cut.gridRows = maxCallRows
	for i := range p.stage.parts {
		part := &p.stage.parts[i]
		p.cut.callRows[i] = callRows(p.runBytes(part))
		if i == p.stage.last || len(p.patterns[i]) > 0 {
			p.cut.gridRows = min(p.cut.gridRows, p.cut.callRows[i])
		}
	}
	most := p.cut.gridRows / leastBackground
	if p.stage.additive() {
		most = maxTile
	}
	p.tile = max(minStagedTile, min(maxTile, most, ceil(p.n, stagedTiles))/batchMultiple*batchMultiple)
	good := min(minCallRows, p.cut.gridRows)
	p.fitStages(p.opt.Memory / workersInMemory)
	p.cut.short = p.cut.gridRows < good
	p.tile = min(p.tile, p.n)
	p.batch = p.cut.gridRows
	p.cut.order = blockOrder(p.blockOf)
	p.cut.chunks = chunks(p.blocks, max(1, p.cut.gridRows/p.tile))
}

// fitStages makes tiles and calls smaller until a worker takes no more than
// budget, or nothing can be smaller: then the plan may be refused. What is the
// larger of the two gives way first.
func (p *Plan) fitStages(budget int64) {
	half := func(rows, least int) int { return max(least, rows/2/batchMultiple*batchMultiple) }
	for p.workerBytes() > budget {
		tables := p.tileBytes() > p.callBytes()
		grid, tile := &p.cut.gridRows, &p.tile
		switch {
		case *tile > minStagedTile && (tables || *grid <= minCallRows):
			*tile = half(*tile, minStagedTile)
		case *grid > minCallRows:
			*grid = half(*grid, minCallRows)
		case *tile > 1 && tables:
			*tile /= 2
		case *grid > hugeCallRows:
			*grid = half(*grid, hugeCallRows)
		case *tile > 1:
			*tile /= 2
		default:
			return
		}
	}
}

// tileBytes estimates what a tile's inputs and tables take.
func (p *Plan) tileBytes() int64 { return int64(p.tile) * p.sampleBytes(p.rowBytes()) }

// workerBytes estimates what one worker has in memory.
func (p *Plan) workerBytes() int64 {
	return p.tileBytes() + p.callBytes()
}

// callBytes estimates what a worker has beside its tile: the samples' features,
// the mixed features of a chunk, and the call that runs.
func (p *Plan) callBytes() int64 {
	var features, mixed, largest int64
	pairs := int64(p.tile * max(1, p.cut.gridRows/p.tile))
	for f := range p.stage.features {
		features += p.stage.features[f].bytes()
	}
	if p.opt.Background.PerSample() {
		mixed += features * pairs // gathered for each sample
	}
	for i := range p.stage.parts {
		part := &p.stage.parts[i]
		if i != p.stage.last {
			for _, f := range part.outputs() {
				mixed += int64(len(p.patterns[i])) * p.stage.features[f].bytes() * pairs
			}
		}
		rows := int64(min(p.cut.callRows[i], p.tile))
		if i == p.stage.last || len(p.patterns[i]) > 0 {
			rows = max(rows, pairs)
		}
		largest = max(largest, p.runBytes(part)*rows)
	}
	return features*int64(p.tile) + mixed + largest
}

// backdropBytes estimates the features of the background.
func (p *Plan) backdropBytes() int64 {
	var bytes int64
	for f := range p.stage.features {
		bytes += p.stage.features[f].bytes()
	}
	return bytes * int64(p.opt.Background.Inputs()[0].Rows())
}
