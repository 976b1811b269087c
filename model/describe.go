package model

import "slices"

// Describe returns m with the signature s, for a model that does not know its
// own, such as a [Func].
func Describe(m Model, s Signature) Described { return described{m, s} }

// described is the model of Describe.
type described struct {
	Model
	sig Signature
}

// Signature implements [Described].
func (d described) Signature() Signature {
	return Signature{Inputs: slices.Clone(d.sig.Inputs), Outputs: slices.Clone(d.sig.Outputs), BatchSize: d.sig.BatchSize, CallBytes: d.sig.CallBytes}
}
