package serving

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Predict asks the server for outputs of inputs. Inputs go by name, their rows by
// position; any number of rows above zero is cut into requests, and padded by the
// last row where the server fixes their number. Inputs are checked as
// [model.Signature.Check] does before anything is sent; outputs are checked
// against what the server told, and their rows against the inputs.
//
// Rows that are equal to the last bit are sent once. The error is that of ctx
// when ctx ends, an [Error] otherwise. When a server is given up, all calls from
// then on fail with the same error, which wraps [model.ErrUnanswered].
func (m *remote) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := m.ready(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, m.fault(context.Cause(ctx))
	}
	inputs, err := m.order(inputs)
	if err != nil {
		return nil, m.fault(err)
	}
	first, place := distinct(inputs)
	m.counts.rows.Add(int64(len(place)))
	m.counts.sent.Add(int64(len(first)))
	if len(first) < len(place) {
		for i, in := range inputs {
			inputs[i].Tensor = pick(in.Tensor, first)
		}
	}
	outputs, err := m.cut(ctx, inputs)
	if err != nil {
		return nil, m.giveUp(ctx, err)
	}
	if len(first) < len(place) {
		for i, out := range outputs {
			outputs[i].Tensor = pick(out.Tensor, place)
		}
	}
	return outputs, nil
}

// ready returns why no call can be made.
func (m *remote) ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return m.fault(ErrClosed)
	}
	return m.down
}

// giveUp turns the error of a request into that of the call. One that no other
// rows would escape is kept: whoever looks for the row at fault by asking again
// would wait through all attempts every time.
func (m *remote) giveUp(ctx context.Context, err error) error {
	fault := m.fault(err)
	var last *exhausted
	if ctx.Err() != nil || !errors.As(err, &last) || last.rows {
		return fault
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down == nil {
		m.down = fault
	}
	return m.down
}

// fault makes an [Error] of what went wrong.
func (m *remote) fault(err error) error {
	out := &Error{URL: m.address.shown, Err: err}
	var last *exhausted
	if errors.As(err, &last) {
		out.Attempts, out.Hint = last.attempts, last.hint
		out.Err = last.err
		if !last.rows {
			out.Err = &unanswered{last.err}
		}
	}
	return out
}

// unanswered marks an error as [model.ErrUnanswered] without another word.
type unanswered struct{ error }

func (e *unanswered) Unwrap() []error { return []error{e.error, model.ErrUnanswered} }

// order checks inputs and returns them in the order of the signature, or as they
// are where there is none.
func (m *remote) order(inputs model.Batch) (model.Batch, error) {
	sig := model.Signature{Inputs: m.about.inputs}
	if !m.about.complete() {
		if len(inputs) == 0 {
			return nil, errors.New("no inputs")
		}
		sig.Inputs = nil
		for _, in := range inputs {
			if len(in.Tensor.Shape()) == 0 {
				return nil, fmt.Errorf("input %q: no type and shape", in.Name)
			}
			sig.Inputs = append(sig.Inputs, tensor.Spec{Name: in.Name, DType: in.Tensor.DType(), Shape: in.Tensor.Shape()})
		}
	}
	if err := sig.Check(inputs); err != nil {
		return nil, err
	}
	ordered := make(model.Batch, len(sig.Inputs))
	for i, spec := range sig.Inputs {
		t, _ := inputs.Lookup(spec.Name)
		ordered[i] = model.Named{Name: spec.Name, Tensor: t}
	}
	return ordered, nil
}

// rowsPerRequest returns the most rows of a request for inputs.
func (m *remote) rowsPerRequest(inputs model.Batch) int {
	if m.batch > 0 {
		return m.batch
	}
	rows := m.opt.Rows
	if rows == 0 {
		rows = defaultRows
	}
	if m.about.maxRows > 0 {
		rows = min(rows, m.about.maxRows)
	}
	bytes := 0
	for _, in := range inputs {
		if t := in.Tensor; t.DType() == tensor.String {
			for _, s := range tensor.Values[string](t)[:t.RowLen()] {
				bytes += len(s) // of the first row, for all
			}
		} else {
			bytes += t.RowLen() * t.DType().Size()
		}
	}
	return max(1, min(rows, requestBytes/max(1, bytes)))
}

// cut sends inputs in requests and joins what comes back, in order. The first
// error ends the other requests.
func (m *remote) cut(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	rows, per := inputs.Rows(), m.rowsPerRequest(inputs)
	if rows <= per {
		return m.request(ctx, inputs, 0, rows)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	parts := make([]model.Batch, (rows+per-1)/per)
	// No more goroutines than requests that may fly: the cut may be fine.
	next := make(chan int, len(parts))
	for i := range parts {
		next <- i
	}
	close(next)
	var all sync.WaitGroup
	for range min(len(parts), cap(m.flying)) {
		all.Go(func() {
			for i := range next {
				var err error
				if parts[i], err = m.request(ctx, inputs, i*per, min((i+1)*per, rows)); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return joinParts(parts)
}

// joinParts puts the outputs of requests under each other.
func joinParts(parts []model.Batch) (model.Batch, error) {
	out := make(model.Batch, len(parts[0]))
	for i, head := range parts[0] {
		var tensors []tensor.Tensor
		for _, p := range parts {
			if len(p) != len(out) || p[i].Name != head.Name || !p[i].Tensor.SameRow(head.Tensor) {
				return nil, fmt.Errorf("output %q has another name, type or width in one request than in another; want one", head.Name)
			}
			tensors = append(tensors, p[i].Tensor)
		}
		out[i] = model.Named{Name: head.Name, Tensor: tensor.Concat(tensors...)}
	}
	return out, nil
}

// request sends rows [lo, hi) and checks what comes back.
func (m *remote) request(ctx context.Context, inputs model.Batch, lo, hi int) (model.Batch, error) {
	select {
	case m.flying <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-m.flying }()
	rows := hi - lo
	part := make(model.Batch, len(inputs))
	for i, in := range inputs {
		part[i] = model.Named{Name: in.Name, Tensor: in.Tensor.Slice(lo, hi)}
		if m.batch > rows {
			part[i].Tensor = pad(part[i].Tensor, m.batch)
		}
	}
	sent := part.Rows()
	outputs, err := ask(ctx, policy{m.opt.Attempts, m.opt.Timeout, m.opt.firstWait}, &m.counts, func(ctx context.Context) (model.Batch, error) {
		outputs, err := m.transport.infer(ctx, strconv.Itoa(lo), part, m.asked)
		if err != nil {
			return nil, err
		}
		return m.check(outputs, sent)
	})
	if err != nil || sent == rows {
		return outputs, err
	}
	for i, out := range outputs {
		outputs[i].Tensor = out.Tensor.Slice(0, rows)
	}
	return outputs, nil
}

// pad returns t with its last row repeated up to length rows.
func pad(t tensor.Tensor, length int) tensor.Tensor {
	rows := make([]int, length)
	for r := range rows {
		rows[r] = min(r, t.Rows()-1)
	}
	return pick(t, rows)
}

// check holds outputs to what the server told, and puts them into its order.
func (m *remote) check(outputs model.Batch, rows int) (model.Batch, error) {
	ordered := outputs
	if m.about.complete() {
		ordered = nil
		for _, spec := range m.about.outputs {
			t, found := outputs.Lookup(spec.Name)
			if !found {
				return nil, lasting("", "the answer has no output %q, which the server's metadata have", spec.Name)
			}
			shape, want := t.Shape(), append([]int{rows}, spec.Shape[1:]...)
			if t.DType() != spec.DType || !fits(want, shape) {
				return nil, lasting("the metadata of the model and what it computes must agree; mend the model's configuration on the server",
					"output %q is %s%s for %d rows, the server's metadata say %s", spec.Name, t.DType(), tensor.FormatShape(shape), rows, spec)
			}
			ordered = append(ordered, model.Named{Name: spec.Name, Tensor: t})
		}
	}
	for _, out := range ordered {
		if out.Tensor.Rows() != rows {
			return nil, lasting("the model must answer each row by itself, in order",
				"output %q has %d rows for %d that were sent", out.Name, out.Tensor.Rows(), rows)
		}
	}
	return ordered, nil
}

// fits reports whether shape has the lengths of want, of which -1 is any.
func fits(want, shape []int) bool {
	if len(want) != len(shape) {
		return false
	}
	for i, n := range want {
		if n >= 0 && n != shape[i] {
			return false
		}
	}
	return true
}
