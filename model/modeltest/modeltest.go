// Package modeltest is the suite that every model backend must pass. It makes
// random inputs from the model's signature and holds the backend to the
// contract of [model.Model]: row i of an output depends on row i of the inputs
// alone, to the last bit, whatever the batch, its order, and the number of
// callers; inputs are left alone; wrong inputs are errors.
//
//	func TestConformance(t *testing.T) {
//		modeltest.Run(t, func(t *testing.T) model.Described { return open(t) })
//	}
//
// It does not judge what a model computes, nor how fast. Each check is a
// function that returns an error, and a test of this package proves that each
// fails on a model with the fault it looks for.
package modeltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// An Option changes what [Run] feeds to the model.
type Option func(*config)

// config is what the checks need to know beside the model.
type config struct {
	seed     uint64
	rows     int
	freeAxis int
	integers map[string]interval
	strings  []string
}

// interval is a closed range of integers.
type interval struct{ lo, hi int64 }

const (
	defaultSeed     = 1
	defaultRows     = 7 // odd, so that halves and pairs leave a rest
	defaultFreeAxis = 3
	anyInput        = "" // key of config.integers for inputs that nobody named
)

// Seed sets the seed of the random inputs; default 1.
func Seed(seed uint64) Option { return func(c *config) { c.seed = seed } }

// Rows sets the number of rows of the inputs, at least 2; default 7, and more
// where the signature fixes more: a backend that pads needs more rows than it
// pads to, or every batch is the same run.
func Rows(n int) Option { return func(c *config) { c.rows = n } }

// FreeAxis sets the length given to axes of any length behind axis 0; default 3.
func FreeAxis(n int) Option { return func(c *config) { c.freeAxis = n } }

// Integers sets the range, both ends included, from which the integers of an
// input are drawn; "" is every input without a range of its own. The default
// is 0 to 1, which suits an embedding of any size.
func Integers(input string, lo, hi int64) Option {
	return func(c *config) { c.integers[input] = interval{lo, hi} }
}

// Strings sets the texts from which string inputs are drawn; default "a", "b".
func Strings(values ...string) Option { return func(c *config) { c.strings = values } }

func newConfig(opts []Option) config {
	c := config{
		seed: defaultSeed, rows: defaultRows, freeAxis: defaultFreeAxis,
		integers: map[string]interval{anyInput: {0, 1}}, strings: []string{"a", "b"},
	}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// fewestRows is what a check of order or neighbours needs to look at anything.
const fewestRows = 2

// check returns what is wrong with the options, all of it.
func (c config) check(sig model.Signature) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.rows < fewestRows {
		fault("Rows: want at least %d, got %d", fewestRows, c.rows)
	}
	if c.freeAxis < 1 {
		fault("FreeAxis: want at least 1, got %d", c.freeAxis)
	}
	if len(c.strings) == 0 {
		fault("Strings: want at least one text, got none")
	}
	for _, name := range slices.Sorted(maps.Keys(c.integers)) {
		within := c.integers[name]
		if within.lo > within.hi {
			fault("Integers: input %q: want a range, got %d to %d", name, within.lo, within.hi)
		} else if within.hi-within.lo < 0 || within.hi-within.lo == math.MaxInt64 {
			fault("Integers: input %q: want a range of at most %d numbers, got %d to %d", name, int64(math.MaxInt64), within.lo, within.hi)
		}
		if name != anyInput && !slices.ContainsFunc(sig.Inputs, func(s tensor.Spec) bool { return s.Name == name }) {
			fault("Integers: want the name of an input, got %q", name)
		}
	}
	return errors.Join(faults...)
}

// A check is one clause of the contract.
type check struct {
	name   string
	reason string
	run    func(context.Context, model.Described, subject) error
}

// checks lists the suite in the order in which it runs.
var checks = []check{
	{"signature", "data is checked against the signature before the first call", outputsMatchSignature},
	{"repeat", "two calls on the same rows must agree", repeatable},
	{"batch", "the engine cuts rows into batches as memory allows", batchInvariant},
	{"order", "the engine puts rows of one batch in any order", orderInvariant},
	{"neighbours", "row i of an output depends on row i of the inputs alone", neighbourInvariant},
	{"concurrent", "workers share one model", concurrent},
	{"inputs-unchanged", "the caller goes on using the inputs", inputsUnchanged},
	{"inputs-released", "the caller overwrites the inputs of the next batch", inputsReleased},
	{"wrong-inputs", "an input that cannot be right is an error, never a panic", wrongInputs},
	{"cancelled", "a run that is stopped must stop", cancelled},
}

// Run holds the model that open returns to the contract, one subtest for each
// clause. open is called once for each subtest and closes what it opened with
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) model.Described, opts ...Option) {
	t.Helper()
	c := newConfig(opts)
	for _, k := range checks {
		t.Run(k.name, func(t *testing.T) {
			m := open(t)
			s, err := newSubject(m.Signature(), c)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.run(t.Context(), m, s); err != nil {
				t.Errorf("%v\nwhy it matters: %s; inputs drawn with modeltest.Seed(%d)", err, k.reason, c.seed)
			}
		})
	}
}

// Verify holds m to the contract outside a test and returns the first breach,
// named by its clause. It suits a tool that is handed a model it does not know.
func Verify(ctx context.Context, m model.Described, opts ...Option) error {
	s, err := newSubject(m.Signature(), newConfig(opts))
	if err != nil {
		return fmt.Errorf("modeltest: %w", err)
	}
	for _, k := range checks {
		if err := k.run(ctx, m, s); err != nil {
			return fmt.Errorf("modeltest: %s: %w", k.name, err)
		}
	}
	return nil
}

// predict calls m and turns a panic into an error.
func predict(ctx context.Context, m model.Model, inputs model.Batch) (outputs model.Batch, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p}
		}
	}()
	return m.Predict(ctx, inputs)
}

// A panicError is a panic of a model.
type panicError struct{ value any }

// Error says that the model panicked, and with what.
func (e *panicError) Error() string { return fmt.Sprintf("the model panicked: %v", e.value) }
