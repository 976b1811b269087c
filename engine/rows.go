package engine

import (
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A span is a run of elements [lo, hi) inside one row of an input.
type span struct{ input, lo, hi int }

// A rowCopy makes the rows of one coalition: the spans that come from the
// sample and those that come from a background row. Together they cover each
// row once.
type rowCopy struct{ sample, background []span }

// fixed owns the elements that are in no modality: the sample's own always.
const fixed = model.Nobody

// An ownedSpan is a span of elements that one modality holds, or nobody.
type ownedSpan struct {
	span
	owner int
}

// ownedSpans cuts the rows of all inputs along the modalities.
func ownedSpans(modalities []dataset.Modality, inputs []tensor.Tensor) []ownedSpan {
	var out []ownedSpan
	for i, in := range inputs {
		owner := make([]int, in.RowLen())
		for e := range owner {
			owner[e] = fixed
		}
		for player, modality := range modalities {
			for _, part := range modality.Parts {
				for e := part.Lo; part.Input == i && e < part.Hi; e++ {
					owner[e] = player
				}
			}
		}
		for lo := 0; lo < len(owner); {
			hi := lo + 1
			for hi < len(owner) && owner[hi] == owner[lo] {
				hi++
			}
			out = append(out, ownedSpan{span{i, lo, hi}, owner[lo]})
			lo = hi
		}
	}
	return out
}

// newRowCopy returns the copies of one coalition. Neighbouring spans from the
// same side become one.
func newRowCopy(s game.Coalition, spans []ownedSpan) rowCopy {
	var c rowCopy
	for _, next := range spans {
		side := &c.background
		if next.owner == fixed || s.Has(next.owner) {
			side = &c.sample
		}
		if k := len(*side); k > 0 && (*side)[k-1].input == next.input && (*side)[k-1].hi == next.lo {
			(*side)[k-1].hi = next.hi
			continue
		}
		*side = append(*side, next.span)
	}
	return c
}

// fill makes n rows of batch from row at on: one sample and the background rows
// from first on, or those that near lists.
func (c rowCopy) fill(batch []tensor.Tensor, at, n int, sample []tensor.Tensor, row int, rows []tensor.Tensor, first int, near []int) {
	for _, s := range c.sample {
		dst, src := batch[s.input], sample[s.input]
		width := src.RowLen()
		for r := range n {
			dst.CopyElements((at+r)*width+s.lo, src, row*width+s.lo, s.hi-s.lo)
		}
	}
	for _, s := range c.background {
		dst, src := batch[s.input], rows[s.input]
		width := src.RowLen()
		if near == nil && s.lo == 0 && s.hi == width {
			dst.CopyElements(at*width, src, first*width, n*width)
			continue
		}
		for r := range n {
			k := first + r
			if near != nil {
				k = near[k]
			}
			dst.CopyElements((at+r)*width+s.lo, src, k*width+s.lo, s.hi-s.lo)
		}
	}
}

// nearest returns the background rows of each sample of the tile, or nil when
// all samples share them.
func (p *Plan) nearest(tile *Tile) []int {
	if !p.opt.Background.PerSample() {
		return nil
	}
	near := make([]int, tile.Samples()*p.b)
	for i := range tile.Samples() {
		p.opt.Background.Nearest(near[i*p.b:(i+1)*p.b], tile.inputs, i)
	}
	return near
}
