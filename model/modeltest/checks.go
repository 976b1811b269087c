package modeltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// outputsMatchSignature holds names, types, ranks, widths and rows of the
// outputs to the signature.
func outputsMatchSignature(ctx context.Context, m model.Described, s subject) error {
	out, err := predict(ctx, m, s.inputs)
	if err != nil {
		return err
	}
	if len(out) != len(s.sig.Outputs) {
		return fmt.Errorf("want the %d outputs of the signature, got %d", len(s.sig.Outputs), len(out))
	}
	for i, spec := range s.sig.Outputs {
		got := out[i]
		shape := got.Tensor.Shape()
		fits := got.Name == spec.Name && got.Tensor.DType() == spec.DType &&
			len(shape) == len(spec.Shape) && len(shape) > 0
		for axis := 1; fits && axis < len(shape); axis++ {
			fits = spec.Shape[axis] < 0 || spec.Shape[axis] == shape[axis]
		}
		if !fits {
			return fmt.Errorf("output %d: want %s, got %s %s%v", i, spec, got.Name, got.Tensor.DType(), shape)
		}
		if want := s.inputs.Rows(); shape[0] != want {
			return fmt.Errorf("output %q: want %d rows, got %d", spec.Name, want, shape[0])
		}
	}
	return nil
}

func repeatable(ctx context.Context, m model.Described, s subject) error {
	first, second, err := twice(ctx, m, s.inputs, s.inputs)
	if err != nil {
		return err
	}
	return prefix("the second call on the same rows", same(first, second))
}

// twice calls m on a, then on b.
func twice(ctx context.Context, m model.Model, a, b model.Batch) (first, second model.Batch, err error) {
	if first, err = predict(ctx, m, a); err != nil {
		return nil, nil, err
	}
	second, err = predict(ctx, m, b)
	return first, second, err
}

// batchInvariant holds batches of every size from one row on to the whole.
func batchInvariant(ctx context.Context, m model.Described, s subject) error {
	rows := s.inputs.Rows()
	whole, err := predict(ctx, m, s.inputs)
	if err != nil {
		return err
	}
	for size := 1; size < rows; size++ {
		var parts []model.Batch
		for lo := 0; lo < rows; lo += size {
			part, err := predict(ctx, m, slice(s.inputs, lo, min(lo+size, rows)))
			if err != nil {
				return fmt.Errorf("%d rows: %w", min(size, rows-lo), err)
			}
			parts = append(parts, part)
		}
		joined, err := join(parts)
		if err != nil {
			return fmt.Errorf("batches of %d rows: %w", size, err)
		}
		if err := same(whole, joined); err != nil {
			return fmt.Errorf("batches of %d rows instead of one of %d: %w", size, rows, err)
		}
	}
	return nil
}

// orderInvariant reverses and rotates the rows.
func orderInvariant(ctx context.Context, m model.Described, s subject) error {
	forward := make([]int, s.inputs.Rows())
	for i := range forward {
		forward[i] = i
	}
	reversed := slices.Clone(forward)
	slices.Reverse(reversed)
	rotated := slices.Concat(forward[len(forward)/2:], forward[:len(forward)/2])

	whole, err := predict(ctx, m, s.inputs)
	if err != nil {
		return err
	}
	if err := rowsFit(whole, s.inputs); err != nil {
		return err
	}
	for _, order := range [][]int{reversed, rotated} {
		got, err := predict(ctx, m, pick(s.inputs, order))
		if err != nil {
			return err
		}
		if err := same(pick(whole, order), got); err != nil {
			return fmt.Errorf("rows in the order %v: %w", order, err)
		}
	}
	return nil
}

// neighbourInvariant keeps row 0 and changes all the others.
func neighbourInvariant(ctx context.Context, m model.Described, s subject) error {
	changed := clone(s.other)
	for i, n := range s.inputs {
		changed[i].Tensor.CopyRow(0, n.Tensor, 0, 0, n.Tensor.RowLen())
	}
	before, after, err := twice(ctx, m, s.inputs, changed)
	if err != nil {
		return err
	}
	if err := errors.Join(rowsFit(before, s.inputs), rowsFit(after, changed)); err != nil {
		return err
	}
	return prefix("row 0 after the other rows were changed", same(slice(before, 0, 1), slice(after, 0, 1)))
}

// rowsFit reports an output whose axis 0 is not the rows, before it is sliced.
func rowsFit(outputs, inputs model.Batch) error {
	for _, out := range outputs {
		if want, got := inputs.Rows(), out.Tensor.Rows(); want != got {
			return fmt.Errorf("output %q: want %d rows, got %d", out.Name, want, got)
		}
	}
	return nil
}

// Callers and calls of the check for concurrent use.
const (
	callers        = 8
	callsPerCaller = 8
)

// concurrent lets several goroutines call the model on two batches in turn.
func concurrent(ctx context.Context, m model.Described, s subject) error {
	batches := []model.Batch{s.inputs, s.other}
	var want [2]model.Batch
	var err error
	if want[0], want[1], err = twice(ctx, m, batches[0], batches[1]); err != nil {
		return err
	}
	faults := make([]error, callers)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for call := range callsPerCaller {
				which := (c + call) % len(batches)
				got, err := predict(ctx, m, batches[which])
				if err == nil {
					err = same(want[which], got)
				}
				if err != nil {
					faults[c] = fmt.Errorf("call %d of goroutine %d: %w", call, c, err)
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

func inputsUnchanged(ctx context.Context, m model.Described, s subject) error {
	before := clone(s.inputs)
	if _, err := predict(ctx, m, s.inputs); err != nil {
		return err
	}
	return prefix("the inputs after the call", same(before, s.inputs))
}

// inputsReleased overwrites the inputs after the call. Outputs must not share
// their memory, and the model must not answer from what it kept.
func inputsReleased(ctx context.Context, m model.Described, s subject) error {
	inputs := clone(s.inputs)
	first, err := predict(ctx, m, inputs)
	if err != nil {
		return err
	}
	kept := clone(first)
	fresh, err := predict(ctx, m, clone(s.other))
	if err != nil {
		return err
	}
	for i, n := range s.other {
		inputs[i].Tensor.CopyElements(0, n.Tensor, 0, n.Tensor.Len())
	}
	if err := same(kept, first); err != nil {
		return fmt.Errorf("the outputs after the inputs were overwritten: %w", err)
	}
	again, err := predict(ctx, m, inputs)
	if err != nil {
		return err
	}
	return prefix("the call after the inputs were overwritten", same(fresh, again))
}

// wrongInputs feeds batches that no model can take.
func wrongInputs(ctx context.Context, m model.Described, s subject) error {
	for _, w := range wrongBatches(s) {
		_, err := predict(ctx, m, w.batch)
		if p := new(panicError); errors.As(err, &p) {
			return fmt.Errorf("%s: want an error, %w", w.name, err)
		}
		if err == nil {
			return fmt.Errorf("%s: want an error, got none", w.name)
		}
	}
	return nil
}

type wrongBatch struct {
	name  string
	batch model.Batch
}

// wrongBatches returns faulty variants of the inputs, each fault in the first
// input and, where there are several, in the last.
func wrongBatches(s subject) []wrongBatch {
	wrong := []wrongBatch{
		{"no inputs", model.Batch{}},
		{"zero rows", slice(s.inputs, 0, 0)},
		{"an unknown input", append(clone(s.inputs), model.Named{Name: s.inputs[0].Name + "-unknown", Tensor: s.inputs[0].Tensor})},
	}
	for _, at := range slices.Compact([]int{0, len(s.inputs) - 1}) {
		n, spec := s.inputs[at], s.sig.Inputs[at]
		with := func(fault string, name string, t tensor.Tensor) {
			b := clone(s.inputs)
			b[at] = model.Named{Name: name, Tensor: t}
			wrong = append(wrong, wrongBatch{fmt.Sprintf("input %q with %s", n.Name, fault), b})
		}
		rows, shape := n.Tensor.Rows(), n.Tensor.Shape()
		with("a wrong name", n.Name+"-wrong", n.Tensor)
		with("one axis too many", n.Name, n.Tensor.Reshape(append(slices.Clone(shape), 1)...))
		with("another element type", n.Name, tensor.New(anotherType(spec.DType), shape...))
		with("no type and shape", n.Name, tensor.Tensor{})
		if last := len(shape) - 1; last > 0 && spec.Shape[last] >= 0 {
			wider := slices.Clone(shape)
			wider[last]++
			with("a wrong width", n.Name, tensor.New(spec.DType, wider...))
		}
		if len(s.inputs) > 1 {
			with("one row too many", n.Name, tensor.Concat(n.Tensor, n.Tensor.Slice(rows-1, rows)))
			wrong = append(wrong, wrongBatch{fmt.Sprintf("input %q missing", n.Name), slices.Delete(clone(s.inputs), at, at+1)})
		}
	}
	return wrong
}

func anotherType(d tensor.DType) tensor.DType {
	if d == tensor.Float64 {
		return tensor.Int32
	}
	return tensor.Float64
}

// promptly is how soon a call with an ended context must return; generous, for
// machines under load.
const promptly = 10 * time.Second

// cancelled calls the model with a context that has ended.
func cancelled(ctx context.Context, m model.Described, s subject) error {
	return cancelledWithin(ctx, m, s, promptly)
}

func cancelledWithin(ctx context.Context, m model.Described, s subject, limit time.Duration) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	answer := make(chan error, 1)
	go func() {
		_, err := predict(ended, m, s.inputs)
		answer <- err
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-answer:
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("cancelled context: want an error that wraps %q, got %v", context.Canceled, err)
		}
		return nil
	case <-timer.C:
		return fmt.Errorf("cancelled context: no answer within %v", limit)
	}
}

// prefix says where a difference was found.
func prefix(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}
