package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/tensor"
)

// A sample may lack modalities (dataset.Rows.Present). It plays with those that it
// has: v(S) of any S is v(S∩P), P what it has, and what it lacks looks in all of its
// rows as an absent modality does. So v(all) is v(P), a mean over background rows, and
// to take away what is not there changes no bit.

// show says what each sample of a tile has, and what evaluators see of it.
func (p *Plan) show(tile *Tile) error {
	var err error
	tile.inputs, tile.has, err = p.shown(tile.Rows)
	if err != nil {
		return fmt.Errorf("engine: samples %d to %d: %w", tile.Lo, tile.Hi-1, err)
	}
	return nil
}

// shown returns the inputs of rows and what each row has, nil where all have all. A
// modality that a row lacks has the values of the first background row in place of its
// own: rows of the whole sample may run through a part together with those of others,
// and what nobody asks for must be something that the model takes.
func (p *Plan) shown(rows dataset.Rows) ([]tensor.Tensor, []game.Coalition, error) {
	all := game.Grand(p.m)
	full := func(present uint64) bool { return game.Coalition(present)&all == all }
	if !slices.ContainsFunc(rows.Present, func(present uint64) bool { return !full(present) }) {
		return rows.Inputs, nil, nil
	}
	n := rows.Inputs[0].Rows()
	switch {
	case len(rows.Present) != n:
		return nil, nil, fmt.Errorf("what %d samples have, want %d", len(rows.Present), n)
	case p.coalitions != nil:
		return nil, nil, fmt.Errorf("a sample lacks modalities, which a list of %d coalitions does not go with; evaluate all coalitions", p.width())
	case p.opt.Background.PerSample():
		return nil, nil, fmt.Errorf("a sample lacks modalities, so that no background row is nearest to it; use another mask than %s", p.opt.Background.Mask())
	}
	inputs, own := slices.Clone(rows.Inputs), make([]bool, len(rows.Inputs))
	has := make([]game.Coalition, n)
	for i, present := range rows.Present {
		has[i] = game.Coalition(present) & all
		for _, s := range p.copies[has[i]].background {
			if !own[s.input] {
				inputs[s.input], own[s.input] = tensor.Concat(inputs[s.input]), true
			}
			to := inputs[s.input]
			to.CopyElements(i*to.RowLen()+s.lo, p.opt.Background.Inputs()[s.input], s.lo, s.hi-s.lo)
		}
	}
	return inputs, has, nil
}

// complete refuses a tile with a sample that lacks modalities, for what asks about
// samples as they are.
func (p *Plan) complete(tile *Tile) error {
	if i := slices.IndexFunc(tile.has, func(has game.Coalition) bool { return has != game.Grand(p.m) }); i >= 0 {
		return fmt.Errorf("engine: %s has {%s} alone, want samples that have every modality", p.describeSample(place{tile: tile, sample: i}), p.present(tile.has[i]))
	}
	return nil
}

// has returns the modalities of a sample that change the output.
func (w *tileSums) has(sample int) game.Coalition {
	if w.tile.has == nil {
		return w.players
	}
	return w.tile.has[sample] & w.players
}

// split lists the samples that have every modality, and those that lack one.
func (w *tileSums) split() (whole, lacking []int) {
	for i := range w.n {
		if w.has(i) == w.players {
			whole = append(whole, i)
		} else {
			lacking = append(lacking, i)
		}
	}
	return whole, lacking
}

// asked returns the coalitions that some sample of the tile is asked about, nil for
// all of the plan.
func (w *tileSums) asked() []game.Coalition {
	if w.tile.has == nil {
		return nil
	}
	seen := map[game.Coalition]bool{}
	for _, has := range w.tile.has {
		if has&w.players == w.players {
			return nil
		}
		if seen[has] {
			continue
		}
		// The subsets of has, by counting with the bits that it has.
		for s := game.Coalition(0); ; s = (s - has) & has {
			seen[s] = true
			if s == has {
				break
			}
		}
	}
	out := make([]game.Coalition, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// settle fixes the explained columns of a sample that lacks modalities, by the row
// that tells its class, and takes the sums of what it has.
func (w *tileSums) settle(sample int, sums *base, class []float64) error {
	if err := w.choose(sample, class); err != nil {
		return err
	}
	cell := w.sumsOf(sample, w.slot(w.has(sample)))
	for j, c := range cell.columns {
		if err := sums.broken[c]; err != nil {
			return err
		}
		copy(cell.sums[j*cell.stride:], sums.sums[c])
	}
	return nil
}

// A classMeans is the mean output over background rows that tells the class of a
// sample: after the transform, where the class is the largest column, so that it is the
// target with the largest v; and before the transform where Options.Classify says what
// an output means.
type classMeans struct {
	sums []mean
	// infinite adds up what is not finite: logarithms of zero.
	infinite []float64
	rows     int
}

func (p *Plan) newClassMeans() *classMeans {
	return &classMeans{sums: make([]mean, p.opt.Width), infinite: make([]float64, p.opt.Width)}
}

func (m *classMeans) clear() {
	clear(m.sums)
	clear(m.infinite)
	m.rows = 0
}

func (m *classMeans) add(row []float64) {
	m.rows++
	for c, y := range row {
		if y-y != 0 { // NaN and Inf alone
			m.infinite[c] += y
			continue
		}
		m.sums[c].add(y)
	}
}

// row returns the means. What is infinite both ways is the least of all.
func (m *classMeans) row() []float64 {
	out := make([]float64, len(m.sums))
	for c, sum := range m.sums {
		switch y := m.infinite[c]; {
		case math.IsNaN(y):
			out[c] = math.Inf(-1)
		case y != 0:
			out[c] = y
		default:
			out[c] = sum.over(m.rows)
		}
	}
	return out
}

// lacking runs samples that lack modalities as they are, once with every background
// row: v of all that they have, and with it the class and the columns that are
// explained.
func (f *full) lacking(ctx context.Context, tile *Tile, samples []int, work *tileSums, done *limited) error {
	p := f.run.plan
	if f.run.base != nil {
		// Who has nothing is the background alone.
		for _, i := range samples {
			if work.has(i) == 0 {
				if err := work.settle(i, f.run.base, f.run.class.row()); err != nil {
					return err
				}
			}
		}
		samples = slices.DeleteFunc(samples, func(i int) bool { return work.has(i) == 0 })
	}
	sums, class := newBase(p), p.newClassMeans()
	total := len(samples) * p.b
	for first := 0; first < total; first += p.batch {
		n := min(p.batch, total-first)
		at := func(r int) place {
			sample := samples[(first+r)/p.b]
			return place{tile: tile, sample: sample, coalition: work.has(sample), background: (first + r) % p.b}
		}
		for r := 0; r < n; {
			here := at(r)
			run := min(n-r, p.b-here.background)
			p.copies[here.coalition].fill(f.batch, r, run, tile.inputs, here.sample, p.opt.Background.Inputs(), here.background, nil)
			r += run
		}
		if err := f.predict(ctx, n, at); err != nil {
			return err
		}
		for r := range n {
			here := at(r)
			if here.background == 0 {
				sums.clear()
				class.clear()
			}
			sums.add(here, f.classified(class, r))
			if here.background == p.b-1 {
				if err := work.settle(here.sample, sums, class.row()); err != nil {
					return err
				}
			}
		}
		done.add(n)
	}
	return nil
}

// classified transforms row r of the last outputs, adds it to what tells a class, and
// returns it.
func (f *full) classified(class *classMeans, r int) []float64 {
	if f.run.plan.plainClass {
		class.add(f.row(r))
		return f.transformed(r)
	}
	row := f.transformed(r)
	class.add(row)
	return row
}

// lacking fixes the explained columns of samples that lack modalities. Their rows with
// all that they have go through the last part once more than the tables ask for, since
// it may add up explained columns only.
func (e *staged) lacking(ctx context.Context, tile *Tile, features []tensor.Tensor, work *tileSums) error {
	_, lacking := work.split()
	for len(lacking) > 0 {
		has := work.has(lacking[0])
		alike := slices.DeleteFunc(slices.Clone(lacking), func(i int) bool { return work.has(i) != has })
		if err := e.lackingAlike(ctx, tile, features, alike, has, work); err != nil {
			return err
		}
		lacking = slices.DeleteFunc(lacking, func(i int) bool { return work.has(i) == has })
	}
	return nil
}

// lackingAlike serves samples that have the same modalities.
func (e *staged) lackingAlike(ctx context.Context, tile *Tile, features []tensor.Tensor, members []int, has game.Coalition, work *tileSums) error {
	p := e.run.plan
	st, head, w := p.stage, p.stage.head(), p.opt.Width
	own := make([]tensor.Tensor, len(features))
	for f, t := range features {
		if t.Len() == 0 {
			continue
		}
		own[f] = tensor.New(t.DType(), append([]int{len(members)}, t.Shape()[1:]...)...)
		for r, i := range members {
			own[f].CopyRow(r, t, i, 0, t.RowLen())
		}
	}
	patterns := p.patternsOf([]game.Coalition{has}, 0)
	means, row := make([]*classMeans, len(members)), make([]float64, w)
	for i := range means {
		means[i] = p.newClassMeans()
	}
	// Fewer samples meet more background rows in a call.
	for _, c := range chunks(p.blocks, max(1, p.cut.gridRows/len(members))) {
		v := &sides{sample: own, background: e.run.backdrop.chunk(c)}
		at := func(i, k int) place {
			return place{tile: tile, sample: members[i], coalition: has, background: p.cut.order[c.lo+k]}
		}
		if err := st.mix(ctx, v, patterns, len(members), c.rows(), func(int) {}, func(part *stagedPart, s game.Coalition, err error) error {
			return p.blame(ctx, part, st.inputs(v, part, s), len(members), c.rows(), at, err)
		}); err != nil {
			return err
		}
		inputs := st.inputs(v, head, has)
		rows, columns := pairsIn(inputs) // one row for all who have nothing
		outputs, err := st.evaluate(ctx, head, inputs, rows, columns)
		if err != nil {
			return p.blame(ctx, head, inputs, rows, columns, at, err)
		}
		values := make([]float64, rows*columns*w)
		outputs[st.output].Float64s(values)
		for i := range members {
			for k := range c.rows() {
				copy(row, values[(i%rows*columns+k%columns)*w:])
				for column, y := range row {
					if y-y != 0 { // NaN and Inf alone
						return p.notFinite(at(i, k), "the model's output", column, y)
					}
				}
				if !p.plainClass {
					p.opt.Transform.Apply(row)
				}
				means[i].add(row)
			}
		}
	}
	for i, sample := range members {
		if err := work.choose(sample, means[i].row()); err != nil {
			return err
		}
	}
	return nil
}
