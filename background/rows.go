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
	// Candidates are the rows that may be drawn, ascending; nil means all. Where samples
	// may lack modalities these are the rows that have every modality of [Mask.Drawn].
	Candidates []int
	// Absent says for each modality how it looks where a sample lacks it: a row of
	// every input, [1, ...]. Only modalities of [Mask.Absent] need it; nil stands for
	// a modality that no sample lacks.
	Absent [][]tensor.Tensor
}

// candidates checks the rows that may be drawn from n.
func (o Options) candidates(n int) error {
	if o.Candidates != nil && len(o.Candidates) == 0 {
		return fmt.Errorf("background: none of the %d rows has every modality that the masks fill from rows; give rows that have them with --background, or fixed values such as --mask MODALITY=zero", n)
	}
	for i, row := range o.Candidates {
		if row < 0 || row >= n || i > 0 && row <= o.Candidates[i-1] {
			return fmt.Errorf("background: want candidates that ascend below %d, got %d at place %d", n, row, i)
		}
	}
	return nil
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

// Draw picks rows of source, or of the candidates among them, and applies the mask.
// Elements that no modality holds (fixed inputs) are left as they are: nothing reads
// them.
func Draw(ctx context.Context, source Source, modalities []dataset.Modality, mask Mask, opt Options) (*Rows, error) {
	n := source.Len()
	if n < 1 {
		return nil, fmt.Errorf("background: no rows to draw from")
	}
	if opt.Size < 0 {
		return nil, fmt.Errorf("background: want a size of at least 0, got %d", opt.Size)
	}
	if err := opt.candidates(n); err != nil {
		return nil, err
	}
	absent := opt.Absent
	if absent == nil {
		absent = make([][]tensor.Tensor, len(modalities))
	}
	if len(absent) != len(modalities) {
		return nil, fmt.Errorf("background: how %d modalities look where they are absent, want %d", len(absent), len(modalities))
	}
	if opt.Candidates != nil {
		n = len(opt.Candidates)
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
	if opt.Candidates != nil {
		for k, place := range r.source {
			r.source[k] = opt.Candidates[place]
		}
	}
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
	return r, r.apply(modalities, absent, !use.marginal && use.nearest == 0)
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
func (r *Rows) apply(modalities []dataset.Modality, absent [][]tensor.Tensor, constant bool) error {
	for i := range r.inputs {
		// The source may hand out memory that others share.
		r.inputs[i] = tensor.Concat(r.inputs[i])
	}
	for i, modality := range modalities {
		for p, part := range modality.Parts {
			rule := r.mask.rules[i][p]
			var err error
			if rule.Kind == Absent {
				err = r.fillAbsent(part, modality.Name, absent[i])
			} else {
				err = r.fill(part, rule)
			}
			if err != nil {
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

// fillAbsent replaces a part by what the data have where a sample lacks its modality.
func (r *Rows) fillAbsent(part dataset.Part, name string, absent []tensor.Tensor) error {
	if absent == nil {
		return fmt.Errorf("background: mask %s=absent: no sample lacks %q, so that nothing shows how it looks then; say it by --missing %s where some do, or give the value that the model expects: --mask %s=value:V", name, name, name, name)
	}
	in := r.inputs[part.Input]
	width := in.RowLen()
	if len(absent) != len(r.inputs) || absent[part.Input].DType() != in.DType() || absent[part.Input].Len() != width {
		return fmt.Errorf("background: mask %s=absent: want a row of each input as the background has it", name)
	}
	for row := range in.Rows() {
		in.CopyElements(row*width+part.Lo, absent[part.Input], part.Lo, part.Hi-part.Lo)
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
