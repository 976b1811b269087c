package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// ErrNotFinite is wrapped by the errors of [Signature.Check] that report a NaN
// or an infinity among the inputs.
var ErrNotFinite = errors.New("not a finite number")

// An InputError says which input of a batch a model cannot take, and why.
type InputError struct {
	// Input is the name of the input.
	Input string
	// Err says what was wanted and what was found, with the row where there is one.
	Err error
}

// Error names the input and the fault.
func (e *InputError) Error() string { return fmt.Sprintf("input %q: %v", e.Input, e.Err) }

// Unwrap returns the fault.
func (e *InputError) Unwrap() error { return e.Err }

func inputErrorf(input, format string, args ...any) error {
	return &InputError{Input: input, Err: fmt.Errorf(format, args...)}
}

// Check reports the first reason why inputs is no batch for a model of
// signature s, or nil: a missing, unknown or repeated name, another element
// type, rank or width, no rows, unequal numbers of rows, Inf, or a NaN that is not
// said to be a missing value. The order of the inputs does not matter, nor does
// [Signature.BatchSize]: axis 0 may have any length above zero.
//
// It belongs before every call of a native or remote model: some runtimes turn
// a NaN into a plausible number without a word.
func (s Signature) Check(inputs Batch) error {
	for i, in := range inputs {
		if !s.hasInput(in.Name) {
			return inputErrorf(in.Name, "the model has no such input; its inputs are %s", s.inputNames())
		}
		if _, repeated := inputs[:i].Lookup(in.Name); repeated {
			return inputErrorf(in.Name, "given twice")
		}
	}
	for _, spec := range s.Inputs {
		at := slices.IndexFunc(inputs, func(in Named) bool { return in.Name == spec.Name })
		if at < 0 {
			return inputErrorf(spec.Name, "missing; the model takes %s", s.inputNames())
		}
		t := inputs[at].Tensor
		if err := checkTensor(spec, t); err != nil {
			return &InputError{Input: spec.Name, Err: err}
		}
		if err := checkFinite(inputs[at]); err != nil {
			return &InputError{Input: spec.Name, Err: err}
		}
		if got, want := t.Rows(), inputs.Rows(); got != want {
			return inputErrorf(spec.Name, "want %d rows as in %q, got %d", want, inputs[0].Name, got)
		}
	}
	return nil
}

// checkTensor reports why t is not what spec asks for, rows aside.
func checkTensor(spec tensor.Spec, t tensor.Tensor) error {
	if t.DType() != spec.DType {
		return fmt.Errorf("want %s, got %s; tensor.Cast converts where nothing is lost", spec.DType, t.DType())
	}
	shape := t.Shape()
	if !fits(spec.Shape, shape) {
		want := append([]int(nil), spec.Shape...)
		if len(want) > 0 {
			want[0] = -1 // any number of rows
		}
		return fmt.Errorf("want shape %s, got %s", tensor.FormatShape(want), tensor.FormatShape(shape))
	}
	if t.Len() == 0 {
		return fmt.Errorf("want at least one row and one element, got shape %s", tensor.FormatShape(shape))
	}
	return nil
}

// checkFinite reports a NaN that is no missing value, or an infinity.
func checkFinite(in Named) error {
	t := in.Tensor
	row, element, found := t.NonFinite()
	if found && in.Missing {
		row, element, found = t.Infinite()
	}
	if !found {
		return nil
	}
	return fmt.Errorf("row %d, element %d: %s is %w", row, element, t.Format(row*t.RowLen()+element), ErrNotFinite)
}

// fits reports whether shape has the rank and the lengths of want behind axis 0.
func fits(want, shape []int) bool {
	if len(want) != len(shape) || len(want) == 0 {
		return false
	}
	for i := 1; i < len(want); i++ {
		if want[i] >= 0 && want[i] != shape[i] {
			return false
		}
	}
	return true
}

func (s Signature) hasInput(name string) bool {
	for _, spec := range s.Inputs {
		if spec.Name == name {
			return true
		}
	}
	return false
}

func (s Signature) inputNames() string {
	names := make([]string, len(s.Inputs))
	for i, spec := range s.Inputs {
		names[i] = spec.Name
	}
	return strings.Join(names, ", ")
}
