package intershap

import (
	"fmt"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

const (
	// defaultOrder is that of an index that is asked for without one.
	defaultOrder = 2
	// leastSpectral is the fewest modalities whose behaviour by order says more than
	// their InterSHAP does, mostSpectral the most whose Möbius transform is added up
	// unasked: the bounds of 255 coalitions take 0.05 s a target, those of 1,023 take
	// 0.3 s.
	leastSpectral, mostSpectral = 3, 8
)

// chooseInteractions settles the index and order of the interactions that were asked
// for, and refuses those that the modalities do not have.
func (p *Plan) chooseInteractions() error {
	p.index, p.order = p.opt.Index, p.opt.Order
	if p.index == 0 && p.order == 0 {
		return nil
	}
	if p.index == 0 {
		p.index = index.KSII
	}
	m := len(p.modalities)
	most := p.index.MaxOrder(m)
	if p.order == 0 {
		p.order = min(defaultOrder, most)
	}
	switch {
	case p.order <= most:
		return nil
	case p.order > m:
		return fmt.Errorf("intershap: order %d of %s: the run has %d modalities, so want an order of 1 to %d", p.order, p.index, m, most)
	}
	return fmt.Errorf("intershap: order %d of %s, which has values of single modalities: want order 1", p.order, p.index)
}

// A decomposition gives the values that an index has for coalitions of the modalities,
// for one game.
type decomposition interface {
	// Coalitions returns the coalitions that have a value, of 1 to the order: by
	// size, and those of one size by their bits as a number.
	Coalitions() []game.Coalition
	// To writes their values into dst, given the values of the game, and those of
	// each draw of coalitions into draws, one draw after the other.
	To(dst, draws, values []float64)
	// AllTo writes the values of several games into dst, one after the other, without
	// draws.
	AllTo(dst []float64, games [][]float64)
}

// decompose returns the decomposition of the run's games by an index: exact where all
// coalitions are evaluated, an estimate where some are.
func (p *Plan) decompose(x index.Index, order int) (decomposition, error) {
	if p.design != nil {
		e, err := p.design.Estimator(x, order)
		if err != nil {
			return nil, fmt.Errorf("intershap: %w", err)
		}
		return &estimated{e, e.Scratch(), e.AllScratch()}, nil
	}
	f, err := index.New(x, order, len(p.modalities))
	if err != nil {
		return nil, fmt.Errorf("intershap: %w", err)
	}
	n := 1 << len(p.modalities)
	return &exact{formula: f, values: make([]float64, f.Len()), moebius: make([]float64, n), scratch: f.Scratch()}, nil
}

// exact decomposes whole value tables. It has no draws.
type exact struct {
	formula                  *index.Formula
	values, moebius, scratch []float64
}

// singles is where the values of single modalities begin: the empty coalition, where
// it has a value, is no interaction.
func (x *exact) singles() int {
	lo, _ := x.formula.Range(1)
	return lo
}

func (x *exact) Coalitions() []game.Coalition { return x.formula.Coalitions()[x.singles():] }

func (x *exact) To(dst, _, values []float64) {
	game.MoebiusTo(x.moebius, values)
	x.formula.To(x.values, x.moebius, x.scratch)
	copy(dst, x.values[x.singles():])
}

func (x *exact) AllTo(dst []float64, games [][]float64) {
	for g, values := range games {
		cells := len(dst) / len(games)
		x.To(dst[g*cells:(g+1)*cells], nil, values)
	}
}

// estimated estimates from the values of some coalitions.
type estimated struct {
	estimator    *approx.Estimator
	scratch, all []float64 // for To and AllTo
}

func (x *estimated) Coalitions() []game.Coalition { return x.estimator.Coalitions() }

func (x *estimated) To(dst, draws, values []float64) {
	x.estimator.To(dst, draws, values, x.scratch)
}

func (x *estimated) AllTo(dst []float64, games [][]float64) { x.estimator.AllTo(dst, games, x.all) }

// A family is the values of one index to one order, added up over samples.
type family struct {
	index  index.Index
	order  int
	from   decomposition
	layout score.Layout
	tiles  score.Tiles
	// of the tile at hand
	sums *score.Accumulator
	// of the sample at hand
	phi, drawPhi, blockPhi []float64
	blockValues            [][]float64
}

// newFamily returns an empty family, for sums as the layout of the paper's matrices
// has them, but not by class.
func (p *Plan) newFamily(x index.Index, order int, layout score.Layout) (*family, error) {
	from, err := p.decompose(x, order)
	if err != nil {
		return nil, err
	}
	cells := from.Coalitions()
	layout.Cells = cells
	return &family{
		index: x, order: order, from: from, layout: layout,
		phi: make([]float64, len(cells)), drawPhi: make([]float64, layout.Draws*len(cells)),
		blockPhi: make([]float64, len(layout.Blocks)*len(cells)), blockValues: make([][]float64, len(layout.Blocks)),
	}, nil
}

// add adds sample i of a tile to a target. x says of what groups and weight it is.
func (f *family) add(t *engine.Tile, i, target int, x score.Sample) {
	at := target*t.Samples() + i
	f.from.To(f.phi, f.drawPhi, t.Values.Game(at))
	for b := range f.blockValues {
		f.blockValues[b] = t.BlockValues.Game(b*t.Values.Len() + at)
	}
	f.from.AllTo(f.blockPhi, f.blockValues)
	x.Phi, x.BlockPhi, x.DrawPhi = f.phi, f.blockPhi, f.drawPhi
	f.sums.Add(target, x)
}

// families are what a run adds up beside the paper's matrices: the interactions that
// were asked for, and what the spectra are made of.
type families []*family

// newFamilies takes what fits into a quarter of the memory. Interactions that were
// asked for and do not fit are an error, spectra are left out with a warning.
func (p *Plan) newFamilies(f *facts, layout score.Layout, warnings *diag.List) (families, error) {
	m := len(p.modalities)
	var out families
	room := p.opt.Memory / 4
	take := func(x index.Index, order int) (need int64, err error) {
		for _, have := range out {
			if have.index == x && have.order == order {
				return 0, nil
			}
		}
		one, err := p.newFamily(x, order, layout)
		if err != nil {
			return 0, err
		}
		if need = p.sumsBytes(one.layout); need > room {
			return need, nil
		}
		room -= need
		out = append(out, one)
		return 0, nil
	}
	if p.index != 0 {
		need, err := take(p.index, p.order)
		if err != nil {
			return nil, err
		}
		if need > 0 {
			return nil, fmt.Errorf("intershap: %s to order %d of %d modalities for %d targets would take %d MiB, more than a quarter of the memory limit: want a lower order, fewer targets or a higher limit (--memory)",
				p.index, p.order, m, len(p.target.names), need>>20)
		}
	}
	if m < leastSpectral {
		return out, nil
	}
	var need int64
	var err error
	if order := f.spectralOrder(); !f.matrixSpectrum() && p.offers(index.KSII, order) {
		if need, err = take(index.KSII, order); err != nil {
			return nil, err
		}
	}
	asked := p.index == index.Moebius && p.order == m // it is there already
	if need == 0 && p.design == nil && (m <= mostSpectral || asked) {
		if need, err = take(index.Moebius, m); err != nil {
			return nil, err
		}
	}
	if need > 0 {
		warnings.Add("spectrum-omitted", "",
			"the shares of behaviour by order would take %d MiB for %d targets, more than a quarter of the memory limit holds; ask for fewer targets or raise the limit", need>>20, len(p.target.names))
	}
	return out, nil
}

// offers reports whether the run's coalitions tell an index to an order.
func (p *Plan) offers(x index.Index, order int) bool {
	if p.design == nil {
		return true
	}
	return p.design.Method().Card().MaxOrder(x, len(p.modalities)) >= order
}

// begin starts a tile, end adds it to those before.
func (a families) begin() {
	for _, f := range a {
		f.sums = score.NewAccumulator(f.layout)
	}
}

func (a families) end(tile int) error {
	for _, f := range a {
		if err := f.tiles.Add(tile, f.sums); err != nil {
			return err
		}
	}
	return nil
}

// add adds sample i of a tile to a target.
func (a families) add(t *engine.Tile, i, target int, x score.Sample) {
	for _, f := range a {
		f.add(t, i, target, x)
	}
}

// higherOrder is the share of behaviour above the score's order that is worth a word.
const higherOrder = 0.1
