package engine

import (
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/tensor"
)

// A span is a run of elements [lo, hi) inside one row of an input.
type span struct{ input, lo, hi int }

// A rowCopy makes the rows of one coalition: the spans that come from the
// sample and those that come from a background row. Together they cover each
// row once.
type rowCopy struct{ sample, background []span }

// rowCopies returns the copies of every coalition. Elements in no modality are
// fixed: the sample's own always.
func rowCopies(modalities []dataset.Modality, inputs []tensor.Tensor) []rowCopy {
	const fixed = -1
	owner := make([][]int, len(inputs))
	for i, in := range inputs {
		owner[i] = make([]int, in.RowLen())
		for e := range owner[i] {
			owner[i][e] = fixed
		}
	}
	for player, modality := range modalities {
		for _, part := range modality.Parts {
			for e := part.Lo; e < part.Hi; e++ {
				owner[part.Input][e] = player
			}
		}
	}
	out := make([]rowCopy, 1<<len(modalities))
	for s := range out {
		for i := range inputs {
			for lo := 0; lo < len(owner[i]); {
				present := func(e int) bool { return owner[i][e] == fixed || game.Coalition(s).Has(owner[i][e]) }
				hi := lo + 1
				for hi < len(owner[i]) && present(hi) == present(lo) {
					hi++
				}
				if present(lo) {
					out[s].sample = append(out[s].sample, span{i, lo, hi})
				} else {
					out[s].background = append(out[s].background, span{i, lo, hi})
				}
				lo = hi
			}
		}
	}
	return out
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
