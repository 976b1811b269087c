package process

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// PerChild is the number of batches that may be on the way to a child: one that it
// computes and one that it finds when it is done. So many callers for each child
// keep it at work.
const PerChild = 2

const (
	// idleDeaths is how often in a row a batch may be a child's last before it is an
	// error, when no other batch was answered in between: more than once, for
	// children die of others' hunger for memory. maxDeaths is how often altogether,
	// while other batches are answered.
	idleDeaths = 3
	maxDeaths  = 8
	// rowMultiple is the multiple of rows of every batch where the model allows
	// it. Libraries compute single rows, and the ends of arrays, by other code than
	// the rest, with other last bits; see onnx.RowMultiple.
	rowMultiple = 16
)

// Predict returns the model's outputs for inputs, in the order of the signature.
// Axis 0 may have any length above zero: batches are cut at the most rows that the
// model takes, and filled up with their last row to a multiple of 16, or to the
// rows that it fixes.
//
// It checks inputs as model.Signature.Check does. A batch whose child ends before
// the answer goes to another, three times at most if nothing else is answered
// meanwhile, and not at all while a row is searched ([model.Searching]). When ctx
// ends the child that computes is killed, and Predict returns the error of ctx.
func (m *Model) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := m.declared.Check(inputs); err != nil {
		return nil, fmt.Errorf("process: %w", err)
	}
	m.mu.Lock()
	closed := m.closed
	if !closed {
		m.calls.Add(1)
	}
	m.mu.Unlock()
	if closed {
		return nil, m.closedError()
	}
	defer m.calls.Done()
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.life, cancel)()
	outputs, err := m.predict(within, m.ordered(inputs))
	if err != nil && within.Err() != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, m.closedError()
	}
	return outputs, err
}

func (m *Model) closedError() error {
	return &Error{Command: m.shown, Reason: ErrClosed.Error(), Err: ErrClosed}
}

// ordered returns inputs in the order of the signature.
func (m *Model) ordered(inputs model.Batch) model.Batch {
	out := make(model.Batch, len(m.declared.Inputs))
	for i, spec := range m.declared.Inputs {
		t, _ := inputs.Lookup(spec.Name) // it is there: it was checked
		out[i] = model.Named{Name: spec.Name, Tensor: t}
	}
	return out
}

// cut returns the most rows of a batch, and the multiple that a batch is filled
// up to.
func (m *Model) cut(rows int) (most, multiple int) {
	fixed, limit := m.declared.BatchSize, m.hello.MaxRows
	switch {
	case fixed > 0:
		return fixed, fixed
	case limit == 0:
		return rows, rowMultiple
	case limit < rowMultiple:
		return limit, limit
	}
	return limit - limit%rowMultiple, rowMultiple
}

// predict cuts a batch and joins the answers.
func (m *Model) predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	rows := inputs.Rows()
	most, multiple := m.cut(rows)
	var parts []model.Batch
	for lo := 0; lo < rows; lo += most {
		hi := min(lo+most, rows)
		filled := (hi - lo + multiple - 1) / multiple * multiple
		batch := make(model.Batch, len(inputs))
		for i, in := range inputs {
			batch[i] = model.Named{Name: in.Name, Tensor: fill(in.Tensor.Slice(lo, hi), filled)}
		}
		out, err := m.answer(ctx, batch, hi-lo)
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i].Tensor = out[i].Tensor.Slice(0, hi-lo)
		}
		parts = append(parts, out)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return m.join(parts)
}

// fill repeats the last row up to so many.
func fill(t tensor.Tensor, rows int) tensor.Tensor {
	have := t.Rows()
	if have == rows {
		return t
	}
	out := tensor.New(t.DType(), append([]int{rows}, t.Shape()[1:]...)...)
	out.CopyElements(0, t, 0, t.Len())
	for r := have; r < rows; r++ {
		out.CopyRow(r, t, have-1, 0, t.RowLen())
	}
	return out
}

// join puts answers under each other.
func (m *Model) join(parts []model.Batch) (model.Batch, error) {
	out := make(model.Batch, len(parts[0]))
	for i, first := range parts[0] {
		var tensors []tensor.Tensor
		for _, p := range parts {
			if a, b := first.Tensor.Shape()[1:], p[i].Tensor.Shape()[1:]; !slices.Equal(a, b) {
				return nil, &Error{Command: m.shown, Reason: fmt.Sprintf("output %q has rows of the shape %v in one batch and %v in another", first.Name, a, b)}
			}
			tensors = append(tensors, p[i].Tensor)
		}
		out[i] = model.Named{Name: first.Name, Tensor: tensor.Concat(tensors...)}
	}
	return out, nil
}

// answer gets the answer to one batch, of which the first rows are not filler, from
// as many children as it takes.
func (m *Model) answer(ctx context.Context, batch model.Batch, unfilled int) (model.Batch, error) {
	frame := new(batchFrame)
	select {
	case frame = <-m.frames:
	default:
	}
	if err := frame.set(batch); err != nil {
		return nil, &Error{Command: m.shown, Reason: err.Error(), Err: err}
	}
	rows := batch.Rows()
	most := idleDeaths
	if model.IsSearching(ctx) && unfilled > 1 {
		m.searches.Do(func() { m.tell("looking for the row that a process ends at") })
		most = 1
	}
	deaths, idle, answered := 0, 0, m.answered.Load()
	for {
		payload, err := m.ask(ctx, frame.bytes, frame.answer, rows)
		var lost *loss
		switch {
		case err == nil:
			m.answered.Add(1)
			frame.answer = payload
			out, err := m.read(payload, rows)
			m.keep(frame)
			if err != nil {
				return nil, m.fault(err)
			}
			return out, nil
		case !errors.As(err, &lost):
			return nil, err
		case lost.counts:
			deaths++
			idle++
			if now := m.answered.Load(); now != answered {
				idle, answered = 1, now
			}
		}
		if idle == most || deaths == maxDeaths {
			return nil, m.gaveUp(lost, deaths, rows)
		}
	}
}

// read reads an answer, which mostly looks like the one before.
func (m *Model) read(payload []byte, rows int) (model.Batch, error) {
	if form := m.like.Load(); form != nil {
		if out, ok := form.read(payload, rows); ok {
			return out, nil
		}
	}
	out, err := decodeOutputs(payload, m.sig, rows)
	if err == nil {
		m.like.Store(formOf(payload, out, rows))
	}
	return out, err
}

// keep keeps the memory of a frame that is on nobody's way.
func (m *Model) keep(frame *batchFrame) {
	select {
	case m.frames <- frame:
	default:
	}
}

// A loss is the end of a child before it answered. It counts against the batch
// that the child was at, and not against one that waited behind.
type loss struct {
	counts bool
	// fault says what happened; nil where it does not count.
	fault *Error
	// killed says that somebody else killed the child.
	killed bool
}

func (l *loss) Error() string { return "the child is gone" }

// ask sends a frame to the child with the least to do and returns the payload of the
// answer, in room where it fits. The error is a loss where
// another child should be asked.
func (m *Model) ask(ctx context.Context, frame, room []byte, rows int) ([]byte, error) {
	select {
	case m.room <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := m.take()
	defer func() {
		m.mu.Lock()
		s.busy--
		m.mu.Unlock()
		<-m.room
	}()
	c, err := m.childAt(ctx, s)
	if err != nil {
		return nil, err
	}
	payload, err := c.call(ctx, m.opt.Timeout, frame, room, answerLimit(m.declared.Outputs, rows))
	var failure *Failure
	switch {
	case err == nil:
		return payload, nil
	case errors.As(err, &failure):
		return nil, &Error{Command: m.shown, Reason: fmt.Sprintf("the model failed: %v", failure), Err: failure, rowsMatter: true,
			Hint: "what the model writes to standard error has more"}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errBefore):
		return nil, &loss{}
	case errors.Is(err, errLate):
		return nil, &Error{Command: m.shown, Reason: fmt.Sprintf("no answer to a batch of %d rows for %v", rows, m.opt.Timeout), Stderr: c.words.end(),
			Hint: "--timeout gives it longer; max_rows of the model makes batches smaller"}
	case errors.Is(err, errLost) && (c.reason() == cancelled || c.reason() == timedOut):
		return nil, &loss{} // by another caller
	case errors.Is(err, errLost):
		fate := c.fate()
		return nil, &loss{counts: true, killed: c.killed(), fault: &Error{Command: m.shown, Reason: fate, Stderr: c.words.end(), Err: errLost, rowsMatter: true}}
	}
	return nil, m.fault(err)
}

// take chooses the slot with the fewest calls, the first of several, so that a
// single caller needs a single child.
func (m *Model) take() *slot {
	m.mu.Lock()
	defer m.mu.Unlock()
	best := slices.MinFunc(m.slots, func(a, b *slot) int { return a.busy - b.busy })
	best.busy++
	return best
}

// childAt returns the child of a slot, and starts one where there is none.
func (m *Model) childAt(ctx context.Context, s *slot) (*child, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil && !s.child.dead() {
		return s.child, nil
	}
	if s.child != nil {
		s.child.stop()
		m.tell("a process ended (%s), another is started", s.child.fate())
		s.child = nil
	}
	c, payload, err := m.start(ctx, s.number)
	if err != nil {
		var fault *Error
		if errors.As(err, &fault) && errors.Is(err, errLost) {
			return nil, &loss{counts: true, fault: fault}
		}
		return nil, err
	}
	s.child = c // Close finds it
	h, _, err := readHello(payload)
	if err == nil && !h.same(m.hello) {
		err = breachf("a model must declare the same whenever it is started", "it declares other inputs, outputs or files than the process before")
	}
	if err != nil {
		c.kill(breached)
		return nil, m.fault(err)
	}
	return c, nil
}

// tell writes a line beside what children write.
func (m *Model) tell(format string, args ...any) {
	if m.opt.Stderr != nil {
		fmt.Fprintf(m.opt.Stderr, format+"\n", args...)
	}
}

// gaveUp is the error of a batch that was the last of too many children.
func (m *Model) gaveUp(last *loss, deaths, rows int) error {
	fault := *last.fault
	fault.Reason = fmt.Sprintf("%d processes ended at the same batch of %d rows, the last: %s", deaths, rows, fault.Reason)
	fault.Hint = "run the command by itself to see why; a row that is named may be just the first"
	if last.killed {
		fault.Hint = "the system kills processes when memory is short: try fewer --workers, or max_rows of the model"
	}
	return &fault
}
