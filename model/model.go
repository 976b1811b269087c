// Package model says what the rest of the project asks of a model: batches of
// rows in, outputs out.
//
// A backend implements [Model]; a backend that knows its inputs and outputs
// implements [Described] too, so that data can be checked before the first
// call; [Signature.Check] is that check. [Func] and [RowFunc] wrap Go
// functions. The package model/onnx opens ONNX files, model/encoders an encoder for
// each modality and a head; model/process asks programs and model/serving servers;
// model/modeltest is the suite that every backend must pass.
//
// A model that can be evaluated in parts, each on the rows that are distinct for
// it, is a [Staged]: asked a [Question] it answers with [Stages], or with an
// [Uncut] that says why it stays whole. A [Pipeline] is such a model, of models
// that were made apart. This package says what parts are; package engine checks
// and runs them.
//
// Conventions: axis 0 of every tensor counts rows. Between parts the first two
// axes are samples and background rows, as [Grid] has them.
//
// Reading order: model.go, check.go; staged.go for parts, then pipeline.go.
package model

import (
	"context"
	"errors"

	"github.com/intershap/intershap/tensor"
)

// A Named is a tensor with the name under which the model knows it.
type Named struct {
	Name   string
	Tensor tensor.Tensor
	// Missing says that a NaN in it is a missing value, which the model knows to read.
	// Without it a NaN is a fault; see [Signature.Check].
	Missing bool
}

// A Batch is an ordered list of named tensors with the same number of rows.
type Batch []Named

// Rows returns the number of rows, 0 for an empty batch.
func (b Batch) Rows() int {
	if len(b) == 0 {
		return 0
	}
	return b[0].Tensor.Rows()
}

// Lookup returns the tensor called name.
func (b Batch) Lookup(name string) (tensor.Tensor, bool) {
	for _, n := range b {
		if n.Name == name {
			return n.Tensor, true
		}
	}
	return tensor.Tensor{}, false
}

// A Model answers batches of rows. Row i of each output must depend on row i
// of the inputs alone.
//
// Predict must not retain or change inputs after it returns; the caller owns
// the outputs. Predict must be safe for concurrent use and must return soon
// after ctx ends. An output has the shape [rows, ...].
type Model interface {
	Predict(ctx context.Context, inputs Batch) (outputs Batch, err error)
}

// ErrUnanswered is wrapped by the errors of calls that no other rows would have
// fared better in: a server that is gone, a token that is refused. Nobody needs
// to look for the row at fault.
var ErrUnanswered = errors.New("the model gave no answer")

// A Signature says what a model takes and gives.
type Signature struct {
	Inputs  []tensor.Spec
	Outputs []tensor.Spec
	// BatchSize is the number of rows that the model computes at a time, 0 for
	// any. Predict takes any number all the same: it cuts and pads, so that
	// callers who send multiples of BatchSize waste nothing.
	BatchSize int
	// CallBytes is about how many bytes of inputs a call should have where calls cost
	// more than the rows in them, through a pipe or a network; 0 leaves it to the caller.
	CallBytes int
}

// FarCallBytes is the CallBytes of models in other processes and on other machines: four
// times what is good for one in this process.
const FarCallBytes = 512 << 10

// Described is a model that knows its signature.
type Described interface {
	Model
	Signature() Signature
}

// Func is a Go function as a model.
type Func func(ctx context.Context, inputs Batch) (Batch, error)

// Predict calls f.
func (f Func) Predict(ctx context.Context, inputs Batch) (Batch, error) { return f(ctx, inputs) }
