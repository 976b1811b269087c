package modeltest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// fake is a correct model, one field a place where a test breaks it:
// y = (x0 + x1, ids), label = "pos" or "neg" by the sign of x0.
type fake struct {
	sig    model.Signature
	check  func(model.Batch) error
	before func(ctx context.Context, inputs model.Batch) error
	after  func(inputs, outputs model.Batch) model.Batch
}

func newFake() *fake {
	sig := model.Signature{
		Inputs: []tensor.Spec{
			{Name: "x", DType: tensor.Float32, Shape: []int{-1, 2}},
			{Name: "ids", DType: tensor.Int64, Shape: []int{-1, -1}},
		},
		Outputs: []tensor.Spec{
			{Name: "y", DType: tensor.Float32, Shape: []int{-1, 2}},
			{Name: "label", DType: tensor.String, Shape: []int{-1}},
		},
	}
	return &fake{
		sig:    sig,
		check:  sig.Check,
		before: func(ctx context.Context, _ model.Batch) error { return ctx.Err() },
		after:  func(_, outputs model.Batch) model.Batch { return outputs },
	}
}

func (f *fake) Signature() model.Signature { return f.sig }

func (f *fake) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := f.before(ctx, inputs); err != nil {
		return nil, err
	}
	if err := f.check(inputs); err != nil {
		return nil, err
	}
	x, _ := inputs.Lookup("x")
	ids, _ := inputs.Lookup("ids")
	y := tensor.New(tensor.Float32, x.Rows(), 2)
	label := tensor.New(tensor.String, x.Rows())
	in, id, out := tensor.Values[float32](x), tensor.Values[int64](ids), tensor.Values[float32](y)
	for r := range x.Rows() {
		out[2*r], out[2*r+1] = in[2*r]+in[2*r+1], float32(id[r*ids.RowLen()])
		tensor.Values[string](label)[r] = "pos"
		if in[2*r] < 0 {
			tensor.Values[string](label)[r] = "neg"
		}
	}
	return f.after(inputs, model.Batch{{Name: "y", Tensor: y}, {Name: "label", Tensor: label}}), nil
}

func TestRunPassesACorrectModel(t *testing.T) {
	Run(t, func(*testing.T) model.Described { return newFake() })
	fixed := newFake()
	fixed.sig.BatchSize = 9 // computed at a time; any number is taken
	Run(t, func(*testing.T) model.Described { return fixed }, Seed(2), FreeAxis(1), Integers("ids", -5, 5))
}

// TestFixedBatchIsPassed checks that a model which pads gets more rows than it
// pads to, and that one which takes only whole batches breaks the contract.
func TestFixedBatchIsPassed(t *testing.T) {
	const batch = 9
	most := 0
	f := newFake()
	f.sig.BatchSize = batch
	f.before = func(_ context.Context, in model.Batch) error { most = max(most, in.Rows()); return nil }
	if err := runCheck(t, "batch", f); err != nil || most <= batch {
		t.Errorf("want more than %d rows in a call, got %d, %v", batch, most, err)
	}
	f.before = func(_ context.Context, in model.Batch) error {
		if in.Rows()%batch > 0 {
			return fmt.Errorf("want multiples of %d rows, got %d", batch, in.Rows())
		}
		return nil
	}
	if err := Verify(t.Context(), f); err == nil {
		t.Error("a model that takes whole batches alone: want an error, got none")
	}
}

// TestOptionsAreChecked feeds options that would panic, or let any model pass.
func TestOptionsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []Option
		want []string
	}{
		{"one row", []Option{Rows(1)}, []string{"Rows: want at least 2, got 1"}},
		{"empty axis", []Option{FreeAxis(0)}, []string{"FreeAxis: want at least 1, got 0"}},
		{"no text", []Option{Strings()}, []string{"Strings: want at least one text, got none"}},
		{"range backwards", []Option{Integers("ids", 3, 2)}, []string{`Integers: input "ids": want a range, got 3 to 2`}},
		{"range too wide", []Option{Integers("", -1, math.MaxInt64)}, []string{`Integers: input "": want a range of at most`}},
		{"wide by one", []Option{Integers("", 0, math.MaxInt64)}, []string{`Integers: input "": want a range of at most`}},
		{"unknown input", []Option{Integers("idz", 0, 1)}, []string{`Integers: want the name of an input, got "idz"`}},
		{"all faults", []Option{Rows(-1), Strings(), Integers("ids", 1, 0)}, []string{"Rows: ", "Strings: ", "Integers: "}},
	} {
		err := Verify(t.Context(), newFake(), tt.opts...)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want an error with %q, got %v", tt.name, want, err)
			}
		}
	}
	if err := Verify(t.Context(), newFake(), Rows(2), Integers("ids", 0, math.MaxInt64-1)); err != nil {
		t.Errorf("options at their limits: want no error, got %v", err)
	}
}

// first returns the float32 values of the first tensor of b.
func first(b model.Batch) []float32 { return tensor.Values[float32](b[0].Tensor) }

// TestChecksFail proves that each check finds the fault it is for.
func TestChecksFail(t *testing.T) {
	lenient := func(f *fake, pass string) {
		check := f.check
		f.check = func(inputs model.Batch) error {
			if err := check(inputs); err != nil && !strings.Contains(err.Error(), pass) {
				return err
			}
			return nil
		}
	}
	tests := []struct {
		name, fault string
		check       string
		opts        []Option
		breakIt     func(*fake)
		want        string
	}{
		{"output name", "promises another output", "signature", nil,
			func(f *fake) { f.sig.Outputs[0].Name = "z" }, "output 0: want z"},
		{"output dtype", "promises another type", "signature", nil,
			func(f *fake) { f.sig.Outputs[0].DType = tensor.Float64 }, "want y float64[N,2]"},
		{"output rank", "promises another rank", "signature", nil,
			func(f *fake) { f.sig.Outputs[1].Shape = []int{-1, 1} }, "output 1: want label string[N,1]"},
		{"output width", "promises another width", "signature", nil,
			func(f *fake) { f.sig.Outputs[0].Shape = []int{-1, 3} }, "want y float32[N,3]"},
		{"output count", "promises an output too many", "signature", nil,
			func(f *fake) { f.sig.Outputs = append(f.sig.Outputs, tensor.Spec{Name: "z", Shape: []int{-1}}) }, "want the 3 outputs of the signature, got 2"},
		{"output rows", "loses a row", "signature", nil,
			func(f *fake) { f.after = loseRow }, `output "y": want 7 rows, got 6`},
		{"loses a row", "a fault that must not end in a panic of the suite", "order", nil,
			func(f *fake) { f.after = loseRow }, "want 7 rows, got 6"},
		{"counts calls", "answers differently each time", "repeat", nil,
			func(f *fake) {
				calls := float32(0)
				f.after = func(_, out model.Batch) model.Batch { calls++; first(out)[0] += calls; return out }
			}, `"y", row 0, element 0`},
		{"batch size", "depends on the number of rows", "batch", nil,
			func(f *fake) {
				f.after = func(in, out model.Batch) model.Batch { first(out)[1] += float32(in.Rows()); return out }
			}, "batches of 1 rows instead of one of 7"},
		{"single rows", "refuses a batch of one row", "batch", nil,
			func(f *fake) {
				f.before = func(_ context.Context, in model.Batch) error {
					if in.Rows() == 1 {
						return errors.New("too small")
					}
					return nil
				}
			}, "1 rows: too small"},
		{"position", "adds the position of the row", "order", nil,
			func(f *fake) {
				f.after = func(_, out model.Batch) model.Batch {
					for i := range first(out) {
						first(out)[i] += float32(i)
					}
					return out
				}
			}, "rows in the order"},
		{"mixes rows", "takes something from the last row", "neighbours", nil,
			func(f *fake) {
				f.after = func(_, out model.Batch) model.Batch { y := first(out); y[0] += y[len(y)-2]; return out }
			}, "row 0 after the other rows were changed"},
		{"text changes", "strings are compared too", "neighbours", nil,
			func(f *fake) {
				f.after = func(in, out model.Batch) model.Batch {
					tensor.Values[string](out[1].Tensor)[0] = in[0].Tensor.Format(in[0].Tensor.Len() - 1)
					return out
				}
			}, `"label", row 0`},
		{"shared memory", "answers all callers in one buffer", "concurrent", nil,
			func(f *fake) {
				var mu sync.Mutex
				calls := 0
				f.after = func(_, out model.Batch) model.Batch {
					mu.Lock()
					defer mu.Unlock()
					if calls++; calls > 2 {
						first(out)[0]++
					}
					return out
				}
			}, "of goroutine"},
		{"changes inputs", "standardises in place", "inputs-unchanged", nil,
			func(f *fake) {
				f.after = func(in, out model.Batch) model.Batch { first(in)[0] = 42; return out }
			}, "the inputs after the call"},
		{"aliases inputs", "hands the input through as output", "inputs-released", nil,
			func(f *fake) {
				f.after = func(in, out model.Batch) model.Batch { out[0].Tensor = in[0].Tensor; return out }
			}, "the outputs after the inputs were overwritten"},
		{"keeps inputs", "answers from a cache keyed by address", "inputs-released", nil,
			func(f *fake) {
				cache := map[*float32]model.Batch{}
				f.after = func(in, out model.Batch) model.Batch {
					key := &first(in)[0]
					if kept, hit := cache[key]; hit {
						return kept
					}
					cache[key] = out
					return out
				}
			}, "the call after the inputs were overwritten"},
		{"wrong name", "ignores unknown inputs", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "no such input") }, "an unknown input: want an error, got none"},
		{"width", "accepts a wrong width", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "want shape [N,2], got [7,3]") }, `input "x" with a wrong width: want an error, got none`},
		{"rank", "accepts a wrong rank", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "want shape [N,2], got [7,2,1]") }, `input "x" with one axis too many`},
		{"dtype", "panics on a wrong type", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "want float32, got float64") }, `input "x" with another element type: want an error, the model panicked`},
		{"missing", "fills in what is missing", "wrong-inputs", nil,
			func(f *fake) {
				f.before = func(_ context.Context, in model.Batch) error {
					if len(in) == 1 {
						f.check = func(model.Batch) error { return nil }
					}
					return nil
				}
			}, `input "x" missing`},
		{"rows", "accepts unequal rows", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "rows as in") }, "with one row too many"},
		{"zero rows", "accepts zero rows", "wrong-inputs", nil,
			func(f *fake) { lenient(f, "at least one row") }, "zero rows: want an error, got none"},
		{"ignores ctx", "goes on after the end", "cancelled", nil,
			func(f *fake) { f.before = func(context.Context, model.Batch) error { return nil } }, "want an error that wraps"},
		{"hides ctx", "returns another error", "cancelled", nil,
			func(f *fake) {
				f.before = func(context.Context, model.Batch) error { return errors.New("stopped") }
			}, `got stopped`},
		{"no axis", "a signature without axis 0", "signature", nil,
			func(f *fake) { f.sig.Inputs[0].Shape = nil }, "has no axis 0"},
		{"empty signature", "a signature without inputs", "signature", nil,
			func(f *fake) { f.sig.Inputs = nil }, "want a signature with inputs and outputs"},
		{"integer range", "numbers that the input cannot hold", "signature", []Option{Integers("x8", 300, 300)},
			func(f *fake) { f.sig.Inputs[1] = tensor.Spec{Name: "x8", DType: tensor.Int8, Shape: []int{-1}} }, `input "x8": cannot read 300 as int8`},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.check] = true
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			tt.breakIt(f)
			err := runCheck(t, tt.check, f, tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("a model that %s: want an error with %q, got %v", tt.fault, tt.want, err)
			}
		})
	}
	for _, k := range checks {
		if !covered[k.name] {
			t.Errorf("no test proves that the check %q can fail", k.name)
		}
	}
}

// loseRow drops the last row of every output.
func loseRow(_, out model.Batch) model.Batch { return slice(out, 0, out.Rows()-1) }

func runCheck(t *testing.T, name string, m model.Described, opts ...Option) error {
	t.Helper()
	s, err := newSubject(m.Signature(), newConfig(opts))
	if err != nil {
		return err
	}
	for _, k := range checks {
		if k.name == name {
			return k.run(t.Context(), m, s)
		}
	}
	t.Fatalf("no check %q", name)
	return nil
}

func TestCancelledTimesOut(t *testing.T) {
	f := newFake()
	release := make(chan struct{})
	defer close(release)
	f.before = func(context.Context, model.Batch) error { <-release; return nil }
	s, err := newSubject(f.sig, newConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := cancelledWithin(t.Context(), f, s, time.Millisecond); err == nil || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("a model that hangs: want a timeout, got %v", err)
	}
}

func TestDrawTakesEveryType(t *testing.T) {
	for d := tensor.Float16; d <= tensor.String; d++ {
		sig := model.Signature{
			Inputs:  []tensor.Spec{{Name: "x", DType: d, Shape: []int{-1, 2}}},
			Outputs: []tensor.Spec{{Name: "y", DType: d, Shape: []int{-1}}},
		}
		s, err := newSubject(sig, newConfig([]Option{Strings("only")}))
		if err != nil {
			t.Errorf("%s: %v", d, err)
			continue
		}
		if err := sig.Check(s.inputs); err != nil {
			t.Errorf("%s: the suite's own inputs do not fit: %v", d, err)
		}
	}
}
