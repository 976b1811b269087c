package background

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// MaxBlocks is the number of blocks that enough rows are put into.
const MaxBlocks = 16

// A Source has the rows to draw from; *dataset.Samples is one.
type Source interface {
	Len() int
	Inputs() []tensor.Spec
	Gather(ctx context.Context, rows []int) (dataset.Rows, error)
}

// Options say how rows are drawn.
type Options struct {
	// Size is the number of rows to draw, without replacement; 0 takes all.
	// More rows than there are is as many as there are.
	Size int
	// Seed fixes the draw and the blocks.
	Seed uint64
}

// Rows are the rows that fill absent modalities. They are safe for concurrent
// use.
type Rows struct {
	inputs []tensor.Tensor
	blocks []int
	near   *neighbours
	mask   Mask
	drawn  int
}

// Inputs returns a tensor for each model input, with masks applied: whatever
// stands in a row is what an absent part looks like.
func (r *Rows) Inputs() []tensor.Tensor { return r.inputs }

// Len returns the number of rows over which v(S) is a mean.
func (r *Rows) Len() int {
	if r.near != nil {
		return r.near.k
	}
	return r.inputs[0].Rows()
}

// Drawn returns the number of rows taken from the source.
func (r *Rows) Drawn() int { return r.drawn }

// Mask returns the mask that was applied.
func (r *Rows) Mask() Mask { return r.mask }

// Blocks returns the number of rows in each block; block 0 has the first rows.
// It is empty when nothing is random: fixed values, means, nearest rows.
func (r *Rows) Blocks() []int { return r.blocks }

// PerSample reports whether each sample has rows of its own; see [Rows.Nearest].
func (r *Rows) PerSample() bool { return r.near != nil }

// Nearest writes the positions of the rows that serve one sample into dst, of
// length Len. Only rows that are PerSample have them.
func (r *Rows) Nearest(dst []int, sample []tensor.Tensor, row int) { r.near.find(dst, sample, row) }

// Draw picks rows of source and applies the mask. Elements that no modality
// holds (fixed inputs) are left as they are: nothing reads them.
func Draw(ctx context.Context, source Source, modalities []dataset.Modality, mask Mask, opt Options) (*Rows, error) {
	n := source.Len()
	if n < 1 {
		return nil, fmt.Errorf("background: no rows to draw from")
	}
	if opt.Size < 0 {
		return nil, fmt.Errorf("background: want a size of at least 0, got %d", opt.Size)
	}
	size := opt.Size
	if size == 0 || size > n {
		size = n
	}
	marginal, k := mask.kinds()
	if k > size {
		return nil, fmt.Errorf("background: mask nearest:%d wants %d rows, have %d; give more background rows or a smaller K", k, k, size)
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0x6261636b67726f75)) // a stream of its own
	picked := rng.Perm(n)[:size]
	blocks := blockSizes(size)
	// The seed decides which block a row is in; inside a block rows keep their
	// order in the file, which is how they are read fastest.
	at := 0
	for _, b := range blocks {
		slices.Sort(picked[at : at+b])
		at += b
	}
	rows, err := source.Gather(ctx, picked)
	if err != nil {
		return nil, err
	}
	r := &Rows{inputs: rows.Inputs, blocks: blocks, mask: mask, drawn: size}
	if k > 0 {
		// Distances are between samples and whole rows, before any masking.
		r.near, err = newNeighbours(r.inputs, modalities, source.Inputs(), k)
		if err != nil {
			return nil, err
		}
	}
	if !marginal {
		r.blocks = nil
	}
	return r, r.apply(modalities, !marginal && k == 0)
}

// blockSizes cuts n rows into min(MaxBlocks, n) blocks that differ by one row
// at most.
func blockSizes(n int) []int {
	k := min(MaxBlocks, n)
	out := make([]int, k)
	for i := range out {
		out[i] = (i+1)*n/k - i*n/k
	}
	return out
}

// apply writes fixed values and means over the rows' own. With constant, every
// row looks alike and one is kept.
func (r *Rows) apply(modalities []dataset.Modality, constant bool) error {
	for i := range r.inputs {
		// The source may hand out memory that others share.
		r.inputs[i] = tensor.Concat(r.inputs[i])
	}
	for i, modality := range modalities {
		for p, part := range modality.Parts {
			if err := r.fill(part, r.mask.rules[i][p]); err != nil {
				return err
			}
		}
	}
	if constant {
		for i := range r.inputs {
			r.inputs[i] = r.inputs[i].Slice(0, 1)
		}
	}
	return nil
}

func (r *Rows) fill(part dataset.Part, rule Rule) error {
	in := r.inputs[part.Input]
	var value tensor.Tensor
	switch rule.Kind {
	case Marginal, Nearest:
		return nil
	case Mean:
		return r.fillMean(in, part)
	case Zero:
		value = tensor.New(in.DType(), 1)
	case Value:
		var err error
		if value, err = constant(rule.Text, in.DType()); err != nil {
			return err
		}
	}
	width := in.RowLen()
	for row := range in.Rows() {
		for e := part.Lo; e < part.Hi; e++ {
			in.CopyElements(row*width+e, value, 0, 1)
		}
	}
	return nil
}

// fillMean replaces a part by its mean over the rows, in float64 and rounded
// once.
func (r *Rows) fillMean(in tensor.Tensor, part dataset.Part) error {
	n, width := in.Rows(), in.RowLen()
	sums := make([]float64, part.Hi-part.Lo)
	row := make([]float64, width)
	for i := range n {
		in.Slice(i, i+1).Float64s(row)
		for e := range sums {
			sums[e] += row[part.Lo+e]
		}
	}
	for e := range sums {
		sums[e] /= float64(n)
	}
	mean, err := tensor.Cast(tensor.Of(sums), in.DType())
	if err != nil {
		return fmt.Errorf("background: mean: %w", err)
	}
	for i := range n {
		in.CopyElements(i*width+part.Lo, mean, 0, len(sums))
	}
	return nil
}
