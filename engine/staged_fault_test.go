package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/model"
)

// directNet is a head over the inputs of two modalities, m0 before m1.
func directNet() *net {
	n := newNet(2, 2)
	n.add(rand.New(rand.NewPCG(4, 4)), "y", 2, true, []int{0, 1}, "m0", "m1")
	return n
}

// runError plans a run and returns what stops it.
func runError(t *testing.T, opt Options) error {
	t.Helper()
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(t.Context(), func(*Tile) error { return nil })
	return err
}

// One row that is no number must be named as the plain way names it.
func TestStagedNamesTheRow(t *testing.T) {
	const sample, row = 20, 13
	tests := []struct {
		name      string
		own       bool // whether modality 0 is the sample's, or else the background's
		same      bool // whether modality 1 is of the same side
		transform Transform
		rowByRow  bool
		want      string
	}{
		{name: "pair", own: true, want: `sample 20 with {m0} present and background row 13 elsewhere: the model's output "y" is NaN in column 0, want a finite number`},
		{name: "pair, row by row", own: true, rowByRow: true, want: `sample 20 with {m0} present and background row 13 elsewhere: the model's output "y" is NaN`},
		{name: "pair, softmax", own: true, transform: Softmax, want: `sample 20 with {m0} present and background row 13 elsewhere: the model's output "y" is NaN`},
		{name: "sample", own: true, same: true, want: `sample 20 as it is: the model's output "y" is NaN`},
		{name: "background", same: true, want: `background row 13: the model's output "y" is NaN`},
		{name: "background, row by row", same: true, rowByRow: true, want: `background row 13: the model's output "y" is NaN`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := directNet()
			n.sums = !test.rowByRow
			opt := n.options(t, 40, 30)
			opt.Transform = test.transform
			opt = inParts(t, opt)
			first, second := background64(opt, 0)[row*leafWidth], background64(opt, 1)[row*leafWidth]
			if test.own {
				first = values(opt.Samples.(table), 0)[sample*leafWidth]
				if test.same {
					second = values(opt.Samples.(table), 1)[sample*leafWidth]
				}
			}
			n.fault = func(x []float64) (bool, error) { return x[0] == first && x[leafWidth] == second, nil }
			got := runError(t, opt)
			opt.Stages = nil
			want := runError(t, opt)
			if got == nil || want == nil || got.Error() != want.Error() || !strings.Contains(got.Error(), test.want) {
				t.Errorf("staged: %v\nfull:   %v\nwant both alike, with %q", got, want, test.want)
			}
			n.fault = func(x []float64) (bool, error) {
				if x[0] == first && x[leafWidth] == second {
					return false, errors.New("out of coffee")
				}
				return false, nil
			}
			opt.Stages = unchecked(t, n, opt)
			place, _, _ := strings.Cut(test.want, ": the model's")
			if err := runError(t, opt); err == nil || !strings.Contains(err.Error(), place) || !strings.Contains(err.Error(), "out of coffee") {
				t.Errorf("a part fails: %v, want %q and its own words", err, place)
			}
		})
	}
}

// A part that fails names the row and itself, whatever part it is; so does a term.
func TestStagedNamesThePart(t *testing.T) {
	const sample, row = 20, 13
	tests := []struct {
		name, faulty, want string
		own                bool
		masks              []string
	}{
		{name: "encoder, sample", faulty: "h0", own: true, want: "sample 20 as it is: part m0: out of coffee"},
		{name: "encoder, background", faulty: "h0", want: "background row 13: part m0: out of coffee"},
		{name: "encoder, drawn row", faulty: "h0", masks: []string{"nearest:3"}, want: "part m0: out of coffee"},
		{name: "fusion, pair", faulty: "f", own: true, want: "sample 20 with {m0} present and background row"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := newNet(3, 1)
			rng := rand.New(rand.NewPCG(6, 6))
			n.add(rng, "h0", 2, false, []int{0}, "m0")
			n.add(rng, "f", 2, false, []int{0, 1}, "m0", "m1")
			n.add(rng, "y", 1, true, []int{0, 1, 2}, "h0", "f", "m2")
			opt := n.options(t, 40, 30, test.masks...)
			opt.Workers = 1
			opt = inParts(t, opt)
			first := background64(opt, 0)[row*leafWidth]
			if test.own {
				first = values(opt.Samples.(table), 0)[sample*leafWidth]
			}
			second := values(opt.Samples.(table), 1)[sample*leafWidth]
			n.faulty = test.faulty
			n.fault = func(x []float64) (bool, error) {
				if x[0] == first && (len(x) == leafWidth || x[leafWidth] != second) {
					return false, errors.New("out of coffee")
				}
				return false, nil
			}
			if err := runError(t, opt); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// A term that is no number is named by its row.
func TestAdditiveNamesTheRow(t *testing.T) {
	n := newNet(2, 2)
	rng := rand.New(rand.NewPCG(6, 6))
	n.add(rng, "t0", 2, true, []int{0}, "m0")
	n.add(rng, "t1", 2, true, []int{1}, "m1")
	n.terms = []string{"t0", "t1"}
	opt := inParts(t, n.options(t, 40, 30))
	opt.Workers = 1
	for want, x := range map[string]float64{
		"sample 20 as it is: a term of the model's output \"y\" is NaN": values(opt.Samples.(table), 0)[20*leafWidth],
		"background row 13: a term of the model's output \"y\" is NaN":  background64(opt, 0)[13*leafWidth],
	} {
		n.faulty = "t0"
		n.fault = func(in []float64) (bool, error) { return in[0] == x, nil }
		if err := runError(t, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// unchecked cuts a net without a look at what it computes.
func unchecked(t *testing.T, n *net, opt Options) *model.Stages {
	t.Helper()
	stages, err := n.Stage(t.Context(), model.Question{Transform: opt.Transform.String()})
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// The logarithm of an output below zero matters where it is explained.
func TestStagedTransformedFault(t *testing.T) {
	for _, rowByRow := range []bool{false, true} {
		n := directNet()
		n.sums = !rowByRow
		// Column 0 is positive, column 1 is not.
		clear(n.layers[0].weights)
		n.layers[0].weights[4], n.layers[0].weights[9] = 1, -1
		opt := n.options(t, 20, 30)
		opt.Transform, opt.Target = Log, Target{Choice: Columns, Columns: []int{0}}
		opt.Workers = 1 // the first tile is the first to fail
		opt = inParts(t, opt)
		if err := runError(t, opt); err != nil {
			t.Errorf("a column that nobody explains: %v", err)
		}
		opt.Target.Columns = []int{0, 1}
		got := runError(t, opt)
		opt.Stages = nil
		if want := runError(t, opt); got == nil || want == nil || got.Error() != want.Error() {
			t.Errorf("staged: %v, full: %v, want the same error", got, want)
		}
	}
}

// Too few sums, and sums that are no number over rows that are, are errors.
func TestStagedBrokenSums(t *testing.T) {
	n := directNet()
	opt := inParts(t, n.options(t, 20, 30))
	head := &opt.Stages.Parts[0]
	good := head.Grid.(*netSummer)
	head.Grid = brokenSummer{good}
	if err := runError(t, opt); err == nil || !strings.Contains(err.Error(), "0 and 0 sums, want 1 samples by") {
		t.Errorf("too few sums: %v, want an error with their number", err)
	}
	head.Grid = falseSummer{good, math.NaN()}
	if err := runError(t, opt); err == nil || !strings.Contains(err.Error(), "though every row is finite") {
		t.Errorf("sums that are no number: %v, want an error that says so", err)
	}
	head.Grid = falseSummer{good, 0}
	if err := runError(t, opt); err != nil {
		t.Errorf("sums as they are: %v", err)
	}
}

// brokenSummer forgets the sums.
type brokenSummer struct{ *netSummer }

func (brokenSummer) SumRows(context.Context, model.Batch, []int) (model.Sums, error) {
	return model.Sums{}, nil
}

func TestStagedStops(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 3, 2, false)
	opt := inParts(t, n.options(t, 500, 40))
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tiles := 0
	_, err = p.Run(ctx, func(*Tile) error {
		if tiles++; tiles == 2 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || tiles >= p.Tiles() {
		t.Errorf("after %d of %d tiles: %v, want a cancelled run", tiles, p.Tiles(), err)
	}
	// A run that is cancelled before the first row does not start.
	if _, err = p.Run(ctx, func(*Tile) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// Progress must go up, by the rows of parts, to the rows of the plan.
func TestStagedProgress(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 3, 2, false)
	opt := inParts(t, n.options(t, 50, 40))
	var told, of int64
	opt.Progress = func(done, total int64) {
		if done <= told {
			t.Errorf("progress went from %d to %d", told, done)
		}
		told, of = done, total
	}
	p, _ := solve(t, opt)
	if told != p.Rows() || of != p.Rows() {
		t.Errorf("told %d of %d rows, want %d", told, of, p.Rows())
	}
}

func TestStagedMemory(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 3, 2, false)
	opt := inParts(t, n.options(t, 50, 40))
	opt.Memory = 1 << 10
	if _, err := NewPlan(opt); !errors.Is(err, ErrMemory) {
		t.Errorf("a plan in 1 KiB: %v, want too little memory", err)
	}
}

// Many modalities have large tables: tiles give way to them, and calls stay long.
func TestStagedManyModalities(t *testing.T) {
	const m = 13
	opt := inParts(t, randomNet(rand.New(rand.NewPCG(4, 4)), m, 2, false).options(t, 100, 40))
	opt.Memory = DefaultMemory
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	if rows := p.BatchRows(); rows < minCallRows || rows%batchMultiple != 0 || p.cut.short {
		t.Errorf("%d rows a call, short %v, want a multiple of %d and at least %d", rows, p.cut.short, batchMultiple, minCallRows)
	}
	opt.Memory = 96 << 20
	if p, err = NewPlan(opt); err == nil && !p.cut.short {
		t.Errorf("in 96 MiB calls have %d rows, and nothing is said of it", p.BatchRows())
	} else if err == nil && p.Saves() {
		t.Error("a plan of short calls is said to save work")
	}
}

// Parts are worth their calls where they save multiply-adds.
func TestSaves(t *testing.T) {
	direct := directNet()
	if p, _ := solve(t, inParts(t, direct.options(t, 20, 30))); p.Saves() || !p.Staged() {
		t.Errorf("one part of everything: saves %v, staged %v, want a staged plan that saves nothing", p.Saves(), p.Staged())
	}
	large := newNet(2, 1)
	rng := rand.New(rand.NewPCG(1, 1))
	large.add(rng, "h0", 50, false, []int{0}, "m0")
	large.add(rng, "y", 1, true, []int{0, 1}, "h0", "m1")
	opt := inParts(t, large.options(t, 20, 30))
	if p, _ := solve(t, opt); !p.Saves() {
		t.Error("a large encoder saves nothing")
	}
	opt.Stages.MACs = 0
	if p, _ := solve(t, opt); !p.Saves() {
		t.Error("an encoder of unknown size saves nothing")
	}
	opt.Stages = nil
	if p, _ := solve(t, opt); p.Saves() || p.Staged() || p.Parts()[0].Name != wholeModel || p.Parts()[0].Rows != p.NaiveRows() {
		t.Errorf("the plain way: %+v, want all rows in one part", p.Parts())
	}
}

// A measurement gives every part a time, and runs no row of the plan.
func TestMeasureParts(t *testing.T) {
	for name, opt := range map[string]Options{
		"row by row": func() Options {
			n := randomNet(rand.New(rand.NewPCG(3, 3)), 4, 2, false)
			n.sums = false
			return inParts(t, n.options(t, 50, 40))
		}(),
		"sums": inParts(t, randomNet(rand.New(rand.NewPCG(3, 3)), 4, 2, false).options(t, 50, 40)),
		"full": randomNet(rand.New(rand.NewPCG(3, 3)), 4, 2, false).options(t, 50, 40),
	} {
		p, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := p.MeasureParts(t.Context(), time.Microsecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !(part.Seconds > 0) {
				t.Errorf("%s: part %s takes %v seconds", name, part.Name, part.Seconds)
			}
		}
	}
}
