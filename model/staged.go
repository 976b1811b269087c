package model

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/tensor"
)

// Nobody owns the elements of inputs that are in no modality: they are always
// the sample's own.
const Nobody = -1

// A Leaf is a tensor that the parts of a staged model start from: elements
// [Lo, Hi) of each row of one input, all of one modality.
type Leaf struct {
	// Name is that of the input where the leaf is all of it, else like "x[0:200]".
	Name string
	// Input is the place of the input in the question's rows.
	Input  int
	Lo, Hi int
	// Shape is that of a row of the leaf: the input's own, with a shorter first
	// axis where the leaf is a part of it.
	Shape []int
	// Player is the place of the modality, or Nobody.
	Player int
}

// A Question says along what lines a model is to be cut, and what for.
type Question struct {
	// Leaves cover every element of every input once, in order.
	Leaves []Leaf
	// Output is the output that is explained; its rows have Width columns.
	Output string
	Width  int
	// Transform is what happens to each row of the output before any mean:
	// "identity", "softmax", "sigmoid", "log", "logit", "centred" or "centred-log".
	Transform string
	// Rows holds rows of all inputs, for a look at what the model computes.
	Rows Batch
}

// Staged is a model that can be evaluated in parts, each on the rows that are
// distinct for it.
type Staged interface {
	Model
	// Stage cuts the model. The error is an [*Uncut] where the model is sound and
	// only cannot be cut, so that Predict remains.
	Stage(ctx context.Context, q Question) (*Stages, error)
}

// Uncut says why a model is not cut.
type Uncut struct {
	// Node names the node of the graph that stands in the way, Op what it does;
	// both are empty where no single node does.
	Node, Op string
	Reason   string
}

// Error names the node and says what it does.
func (e *Uncut) Error() string {
	if e.Op == "" {
		return e.Reason
	}
	return fmt.Sprintf("node %q (%s) %s", e.Node, e.Op, e.Reason)
}

// Stages is a model in parts. Nobody else's tensors than leaves and outputs of
// earlier parts go into a part.
type Stages struct {
	// Parts are in the order in which they can be computed. No two have the same
	// players.
	Parts []Part
	// Output is the tensor that holds the explained output before the transform,
	// computed by the last part; its rows have one axis. If that part's Grid is a
	// [Summer] it applies the transform and adds up as well.
	Output string
	// Terms, when there are any, are tensors of at most one modality each whose sum
	// is the explained output: the model is additive by construction, and Output
	// is empty. Each has rows of one axis, as wide as the output.
	Terms []string
	// Sums are tensors that nobody computes once for all pairs: parts take them in
	// two halves.
	Sums []Sum
	// MACs counts the multiply-adds of a row of the whole model.
	MACs int64
}

// A Sum is added up of terms of one modality each, or of fixed inputs. A part
// that takes it gets two inputs for it, which it adds: the sum of those terms
// that are the samples' own, [n, 1, ...], and that of the terms from the
// background, [1, b, ...] or [n, b, ...]; zeros [1, 1, ...] stand for no terms. So
// the terms meet in one addition for
// each pair, however many there are.
type Sum struct {
	Name string
	// Terms are leaves and outputs of parts, of one shape and a type of floating
	// point; they are added in this order.
	Terms []string
	// Sample and Background name the two inputs.
	Sample, Background string
}

// Close frees the parts that hold anything.
func (s *Stages) Close() error {
	var first error
	for _, p := range s.Parts {
		if c, ok := p.Grid.(interface{ Close() error }); ok {
			if err := c.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// A Part computes tensors that depend on the same modalities.
type Part struct {
	// Players are the modalities that the outputs depend on, ascending; Nobody
	// comes first where fixed inputs matter too. It is never empty.
	Players []int
	// Inputs names leaves, outputs of earlier parts, and sums of these; their
	// players are among those of the part.
	Inputs []string
	// Outputs have the shape [-1, ...].
	Outputs []tensor.Spec
	// MACs counts the multiply-adds of a row, 0 where unknown.
	MACs int64
	// RowBytes is about what a row takes in memory while the part runs, 0 where
	// unknown.
	RowBytes int64
	Grid     Grid
}

// A Grid computes every pair of n samples with b background rows. Each input
// has the shape [n, b, ...]; an axis along which it does not vary may be 1 long
// instead, as in [n, 1, ...] for what depends on the sample alone. Outputs have
// the shape [n, b, ...], with n and b the longest of the inputs' first and
// second axes.
//
// Evaluate must be safe for concurrent use, must not retain or change inputs,
// and gives every pair the same bits whatever the others.
type Grid interface {
	Evaluate(ctx context.Context, inputs Batch) (outputs Batch, err error)
}

// A Summer is a Grid that adds up its transformed output without giving away
// the rows.
type Summer interface {
	Grid
	// SumRows adds up over the background rows in each block. The blocks follow one
	// another and have the given lengths, b together. The sums have the shape
	// [n, blocks, columns]. A pair whose output is not finite makes all columns of
	// its sum NaN, and those of the sample's other sums it may.
	SumRows(ctx context.Context, inputs Batch, blocks []int) (Sums, error)
	// SumSamples adds up over the samples, for each background row: the shape is
	// [b, columns].
	SumSamples(ctx context.Context, inputs Batch) (Sums, error)
}

// Sums are float64 sums in two parts: a sum is High + Low. High is exact, so
// that equal numbers in another order give equal sums, and Low is the small rest.
type Sums struct {
	Shape     []int
	High, Low []float64
}
