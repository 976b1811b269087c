package engine

import (
	"fmt"

	"github.com/intershap/intershap/game"
)

// tileSums collects the outputs of one tile.
type tileSums struct {
	plan *Plan
	tile *Tile
	n, t int // samples, targets
	// players are the modalities that the output depends on: with or without any
	// other, v is the same number.
	players game.Coalition
	// slots has, for coalitions of players, the position that their sums are kept at:
	// that of one in the plan's list which comes to the same. It is nil where that is
	// the coalition itself.
	slots map[game.Coalition]int
	// columns[i*t+j] is the column that target j explains of sample i.
	columns []int
	// whole[i*t+j] is v(all).
	whole []float64
	// sums holds Σ over the rows of a block at ((j*n+i)*width + position)*blocks + block.
	sums []mean
}

func newTileSums(p *Plan, tile *Tile, players game.Coalition) *tileSums {
	n, t := tile.Samples(), p.opt.Target.Len()
	tile.Predicted, tile.Columns = make([]int, n), make([]int, n*t)
	w := &tileSums{
		plan: p, tile: tile, n: n, t: t, players: players,
		columns: tile.Columns,
		whole:   make([]float64, n*t),
		sums:    make([]mean, n*t*p.width()*len(p.blocks)),
	}
	if p.coalitions != nil {
		w.slots = make(map[game.Coalition]int, p.width())
		for at, s := range p.coalitions {
			w.slots[s&players] = at
		}
	}
	return w
}

// slot returns the position that the sums of a coalition of players are kept at.
func (w *tileSums) slot(s game.Coalition) int {
	if w.slots == nil {
		return int(s)
	}
	return w.slots[s]
}

// choose fixes the explained columns of a sample by its whole output.
func (w *tileSums) choose(sample int, output []float64) error {
	opt := w.plan.opt
	predicted := opt.Classify(output)
	w.tile.Predicted[sample] = predicted
	label := 0
	if opt.Target.Choice == Label {
		var err error
		if label, err = opt.Labels(w.tile.Rows.Labels, sample); err != nil {
			return fmt.Errorf("engine: sample %d: %w", w.tile.Lo+sample, err)
		}
	}
	columns := w.columnsOf(sample)
	opt.Target.columnsTo(columns, predicted, label)
	for _, c := range columns {
		if c < 0 || c >= opt.Width {
			return fmt.Errorf("engine: sample %d: want a column below %d of output %q, got %d", w.tile.Lo+sample, opt.Width, opt.Output, c)
		}
	}
	return nil
}

// columnsOf returns the columns that are explained of a sample.
func (w *tileSums) columnsOf(sample int) []int { return w.columns[sample*w.t : (sample+1)*w.t] }

func (w *tileSums) setWhole(sample int, output []float64) {
	for j := range w.t {
		w.whole[sample*w.t+j] = output[w.columns[sample*w.t+j]]
	}
}

// cellSums are the sums of one sample and position, for every target and block.
type cellSums struct {
	columns []int
	// sums[j*stride+block] belongs to target j.
	sums   []mean
	stride int
}

func (w *tileSums) sumsOf(sample, position int) cellSums {
	blocks, width := len(w.plan.blocks), w.plan.width()
	return cellSums{
		columns: w.columnsOf(sample),
		sums:    w.sums[(sample*width+position)*blocks:],
		stride:  w.n * width * blocks,
	}
}

func (c cellSums) add(block int, output []float64) {
	for j, column := range c.columns {
		c.sums[j*c.stride+block].add(output[column])
	}
}

// finish turns the sums into the tile's value tables, with the shared sums of
// v({}) where there are.
func (w *tileSums) finish(shared *base) error {
	p := w.plan
	if shared != nil {
		for _, c := range w.columns {
			if err := shared.broken[c]; err != nil {
				return err
			}
		}
	}
	blocks, width := len(p.blocks), p.width()
	values, byBlock := w.newTables()
	slots := make([]int, width)
	for at := range slots {
		slots[at] = w.slot(p.coalition(at) & w.players)
	}
	for table := range w.n * w.t {
		i, j := table%w.n, table/w.n
		whole, has := w.whole[i*w.t+j], w.has(i)
		for position, slot := range slots {
			s := p.coalition(position) & has
			if has != w.players {
				slot = w.slot(s)
			}
			at, from := table*width+position, table*width+slot
			sums := w.sums[from*blocks : (from+1)*blocks]
			if s == 0 && shared != nil {
				sums = shared.sums[w.columns[i*w.t+j]]
			}
			var total mean
			for k, sum := range sums {
				total.addMean(sum)
				if byBlock != nil {
					v := whole
					if s != w.players {
						v = sum.over(p.blocks[k])
					}
					byBlock[k*len(values)+at] = v
				}
			}
			if values[at] = whole; s != w.players {
				values[at] = total.over(p.b)
			}
		}
	}
	return w.store(values, byBlock)
}

// newTables returns room for the values of the tile, over all rows and, where
// the background is random, over those of each block.
func (w *tileSums) newTables() (values, byBlock []float64) {
	values = make([]float64, w.n*w.t*w.plan.width())
	if len(w.plan.opt.Background.Blocks()) > 0 {
		byBlock = make([]float64, len(w.plan.blocks)*len(values))
	}
	return values, byBlock
}

// store gives the tile its tables.
func (w *tileSums) store(values, byBlock []float64) (err error) {
	p := w.plan
	if w.tile.Values, err = game.NewPartialTables(p.m, p.coalitions, values); err == nil {
		w.tile.BlockValues, err = game.NewPartialTables(p.m, p.coalitions, byBlock)
	}
	if err != nil {
		return fmt.Errorf("engine: samples %d to %d: %w", w.tile.Lo, w.tile.Hi-1, err)
	}
	return nil
}
