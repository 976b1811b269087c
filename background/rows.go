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

// Rows are the rows that fill absent modalities, in the order of their file.
// They are safe for concurrent use.
type Rows struct {
	inputs []tensor.Tensor
	// source[k] is the row of the file that row k is.
	source []int
	// blocks and blockOf are empty when no error can be told from blocks.
	blocks, blockOf []int
	unknown         bool
	near            *neighbours
	mask            Mask
	drawn           int
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

// Source returns the row of the file that row k came from.
func (r *Rows) Source(k int) int { return r.source[k] }

// Drawn returns the number of rows taken from the file.
func (r *Rows) Drawn() int { return r.drawn }

// Mask returns the mask that was applied.
func (r *Rows) Mask() Mask { return r.mask }

// Blocks returns the number of rows in each of at least two blocks, and BlockOf
// the block of each row. Both are empty when nothing is drawn row by row, and
// for a single row.
func (r *Rows) Blocks() []int { return r.blocks }

// BlockOf returns the block of each row; see [Rows.Blocks].
func (r *Rows) BlockOf() []int { return r.blockOf }

// ErrorUnknown reports whether v depends on the draw in a way that no blocks can
// tell: by the rows nearest to a sample, by a mean over the rows, or by one row.
func (r *Rows) ErrorUnknown() bool { return r.unknown }

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
	use := mask.use()
	if use.nearest > size {
		return nil, fmt.Errorf("background: mask nearest:%d wants %d rows, have %d; give more background rows or a smaller K", use.nearest, use.nearest, size)
	}
	r := &Rows{mask: mask, drawn: size}
	r.pick(n, size, opt.Seed)
	rows, err := source.Gather(ctx, r.source)
	if err != nil {
		return nil, err
	}
	r.inputs = rows.Inputs
	if use.nearest > 0 {
		// Distances are between samples and whole rows, before any masking.
		if r.near, err = newNeighbours(r.inputs, modalities, source.Inputs(), use.nearest); err != nil {
			return nil, err
		}
	}
	if !use.marginal || size < 2 {
		r.blocks, r.blockOf = nil, nil
		r.unknown = use.marginal || use.mean || use.nearest > 0
	}
	return r, r.apply(modalities, !use.marginal && use.nearest == 0)
}

// pick draws size of n rows by the seed. The order of the draw decides which
// block a row is in; the rows themselves stay in the order of the file.
func (r *Rows) pick(n, size int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x6261636b67726f75)) // a stream of its own
	drawn := rng.Perm(n)[:size]
	r.blocks = blockSizes(size)
	block := make(map[int]int, size)
	at := 0
	for b, rows := range r.blocks {
		for range rows {
			block[drawn[at]] = b
			at++
		}
	}
	r.source = drawn
	slices.Sort(r.source)
	for _, row := range r.source {
		r.blockOf = append(r.blockOf, block[row])
	}
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
			r.inputs[i] = tensor.Concat(r.inputs[i].Slice(0, 1)) // let go of the rest
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
