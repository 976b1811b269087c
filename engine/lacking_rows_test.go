package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// The plain way runs no row that a sample lacks modalities for: B for each of the
// coalitions of what it has, but for {}, which all share; the progress ends at its total
// all the same, and no call does too much.
func TestLackingRows(t *testing.T) {
	const n, b = 50, 7
	for _, fix := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(4, 4))
		nn := randomNet(rng, 4, 2, false)
		if fix {
			nn.fix()
		}
		opt := nn.options(t, n, b)
		opt.Samples = lack(rng, opt)
		m := len(opt.Modalities)
		var rows atomic.Int64
		opt.Model = model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
			rows.Add(int64(in.Rows()))
			return nn.Predict(ctx, in)
		})
		var told, total int64
		opt.Workers = 1
		opt.Progress = func(done, of int64) {
			if done <= told || done > of {
				t.Errorf("progress went from %d to %d of %d", told, done, of)
			}
			told, total = done, of
		}
		p, _ := solve(t, opt)
		want := int64(b)
		shared := int64(1)
		if fix {
			want, shared = 0, 0
		}
		for _, present := range opt.Samples.(patchy).present {
			has := game.Coalition(present)
			want += b * (1<<has.Size() - shared)
			if has == game.Grand(m) {
				want -= b - 1
			}
		}
		if rows.Load() != want || told != total || total != p.Rows() {
			t.Errorf("fixed %v: %d rows, want %d; progress ended at %d of %d, the plan has %d", fix, rows.Load(), want, told, total, p.Rows())
		}
	}
}

// In parts a tile runs no pattern that none of its samples is asked about.
func TestLackingPatterns(t *testing.T) {
	const n, b = 16, 11 // one tile
	rng := rand.New(rand.NewPCG(4, 4))
	nn := newNet(3, 2)
	nn.add(rng, "y", 2, true, []int{0, 1, 2}, "m0", "m1", "m2")
	opt := inParts(t, nn.options(t, n, b))
	source := patchy{table: opt.Samples.(table)}
	for _, test := range []struct {
		last uint64 // what the last sample has, where all others have 0 and 1
		want int64
	}{
		// The background, every sample twice as it is, {0}, {1}, {0, 1}, and {0, 1} for the class.
		{0b011, b + 2*n + 4*n*b},
		{0b010, b + 2*n + 4*n*b},
		// All six patterns, and the class of those that lack 2.
		{0b111, b + 2*n + 6*n*b + (n-1)*b},
		// Five: all but {0, 2}. One class is that of {1, 2}.
		{0b110, b + 2*n + 5*n*b + n*b},
	} {
		source.present = append(slices.Repeat([]uint64{0b011}, n-1), test.last)
		opt.Samples = source
		p, _ := solve(t, opt)
		if p.Tiles() != 1 {
			t.Fatalf("%d tiles, want one for the count", p.Tiles())
		}
		if got := nn.counted()["y"]; got != test.want {
			t.Errorf("the last sample has %b: %d rows of the head, want %d", test.last, got, test.want)
		}
	}
}

// The class of a sample that lacks modalities where logarithms are infinite: a class
// that never occurs is the least, and only what is explained must be finite.
func TestLackingInfinite(t *testing.T) {
	// The output is the input b beside what a says: a column of a is zero in one row.
	m := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		b, _ := in.Lookup("b")
		y := make([]float64, 0, 3*in.Rows())
		for i := range in.Rows() {
			y = append(y, tensor.Values[float64](a)[i], 0.5, tensor.Values[float64](b)[i])
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, in.Rows(), 3)}}, nil
	})
	source := patchy{present: []uint64{0b10, 0b01, 0b00}, table: table{specs: newNumbers(1).Inputs(), rows: []tensor.Tensor{
		tensor.Of([]float64{9, 0.1, 9}, 3, 1), tensor.Of([]float64{0.3, 9, 9}, 3, 1)}}}
	run := func(transform Transform, target Target, samples ...int) ([]int, error) {
		p := plan(t, m, 3, 2, func(o *Options) { // background rows 0, 0 and 1, 1
			o.Samples, o.Width, o.Transform, o.Target = source.pick(t, samples...), 3, transform, target
		})
		var predicted []int
		_, err := p.Run(t.Context(), func(tile *Tile) error {
			predicted = append(predicted, tile.Predicted...)
			return nil
		})
		return predicted, err
	}
	// With log, column 0 of the first sample is (log 0 + log 1)/2; 0.5 beats 0.3.
	for _, transform := range []Transform{Log, Identity} {
		got, err := run(transform, Target{Choice: Columns, Columns: []int{1}}, 0, 1, 2)
		want := []int{1, 1, 1}
		if transform == Identity {
			want = []int{0, 1, 0} // a tie at 0.5 goes to the lowest
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: predicted %v, %v, want %v", transform, got, err, want)
		}
	}
	// Logit is infinite both ways.
	if got, err := run(Logit, Target{Choice: Predicted}, 0, 1, 2); err != nil || !slices.Equal(got, []int{1, 1, 1}) {
		t.Errorf("logit: predicted %v, %v, want the one class that is finite", got, err)
	}
	for c, want := range map[int]string{
		0: `sample 0 with {b} present and background row 0 elsewhere: log of the model's output "y" is -Inf in column 0`,
		2: `sample 1 with {a} present and background row 0 elsewhere: log of the model's output "y" is -Inf in column 2`,
	} {
		if _, err := run(Log, Target{Choice: Columns, Columns: []int{c}}, 0, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("column %d: got %v, want an error with %q", c, err, want)
		}
	}
}

// That the logarithm of one sample is infinite in a column is nothing to the next.
func TestLackingInfiniteOnce(t *testing.T) {
	m := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		b, _ := in.Lookup("b")
		y := make([]float64, 0, 2*in.Rows())
		for i := range in.Rows() {
			y = append(y, math.Abs(tensor.Values[float64](a)[i]-tensor.Values[float64](b)[i]+0.5), 1)
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, in.Rows(), 2)}}, nil
	})
	p := plan(t, m, 2, 2, func(o *Options) { // background rows 0, 0 and 1, 1
		o.Samples = patchy{present: []uint64{0b10, 0b01}, table: table{specs: newNumbers(1).Inputs(), rows: []tensor.Tensor{
			tensor.Of([]float64{9, 2}, 2, 1), tensor.Of([]float64{0.5, 9}, 2, 1)}}}
		o.Width, o.Transform, o.Target = 2, Log, Target{Choice: Label}
		o.Labels = func(_ tensor.Tensor, row int) (int, error) { return 1 - row, nil }
	})
	if _, err := p.Run(t.Context(), func(tile *Tile) error {
		// v({a}) of the second: (log 2.5 + log 1.5)/2.
		if got, want := tile.Values.Game(1)[1], (math.Log(2.5)+math.Log(1.5))/2; math.Abs(got-want) > rounding {
			t.Errorf("v({a}) is %v, want %v", got, want)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// In parts, rows of other samples run with those of one that lacks modalities. What the
// model says of them is nobody's concern, even if it is no number.
func TestLackingLeavesRows(t *testing.T) {
	for _, sums := range []bool{true, false} {
		rng := rand.New(rand.NewPCG(8, 8))
		n := newNet(3, 2)
		n.sums = sums
		n.add(rng, "y", 2, true, []int{0, 1, 2}, "m0", "m1", "m2")
		opt := n.options(t, 2, 9)
		source := patchy{table: opt.Samples.(table), present: []uint64{0b001, 0b111}}
		opt.Samples = source
		want := byHand(t, opt)
		// No row of the run has modality 1 of one background row and 2 of another.
		from := tensor.Values[float64](opt.Background.Inputs()[1])[0]
		to := tensor.Values[float64](opt.Background.Inputs()[2])[5*leafWidth]
		left := 0
		n.fault = func(x []float64) (bool, error) {
			if x[leafWidth] == from && x[2*leafWidth] == to {
				left++
				return true, nil
			}
			return false, nil
		}
		opt.Workers = 1
		staged := inParts(t, opt)
		left = 0
		_, got := solve(t, staged)
		if d := got.differs(want); !(d <= rounding) || left == 0 {
			t.Errorf("sums %v: %d rows were left, the values differ by %.2g", sums, left, d)
		}
		if _, got := solve(t, opt); got.differs(want) > rounding {
			t.Errorf("sums %v: the plain way fails too", sums)
		}
		// But rows that count are checked: v of all that the sample has.
		n.fault = func(x []float64) (bool, error) {
			return x[0] == tensor.Values[float64](source.rows[0])[0] && x[2*leafWidth] == to, nil
		}
		for _, opt := range []Options{opt, staged} {
			p, err := NewPlan(opt)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Run(t.Context(), func(*Tile) error { return nil })
			if want := "sample 0 with {m0} present and background row 5 elsewhere"; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("sums %v: got %v, want an error with %q", sums, err, want)
			}
		}
	}
}

// What does not go with samples that lack modalities is refused.
func TestLackingRefused(t *testing.T) {
	_, opt := lackingCases()[1].options(t)
	run := func(opt Options, ask func(*Plan) error) error {
		p, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		if ask == nil {
			ask = func(p *Plan) error {
				_, err := p.Run(t.Context(), func(*Tile) error { return nil })
				return err
			}
		}
		return ask(p)
	}
	nothing := func(int, []float64) error { return nil }
	source := opt.Samples.(patchy)
	for _, test := range []struct {
		name, want string
		change     func(*Options)
		ask        func(*Plan) error
	}{
		{name: "a list", want: "a list of 3 coalitions", change: func(o *Options) { o.Coalitions = []game.Coalition{0, 1, 3} }},
		{name: "nearest rows", want: "another mask than nearest:3", change: func(o *Options) { o.Background = nearestOptions(t, 37, 20).Background }},
		{name: "a short list of presence", want: "what 3 samples have, want 37", change: func(o *Options) { o.Samples = short{source} }},
		{name: "outputs", want: "want samples that have every modality", ask: func(p *Plan) error { _, err := p.Outputs(t.Context(), nothing); return err }},
		{name: "pairs", want: "want samples that have every modality", ask: func(p *Plan) error { _, err := p.Pairs(t.Context(), nothing); return err }},
	} {
		changed := opt
		if test.change != nil {
			test.change(&changed)
		}
		if err := run(changed, test.ask); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
}

// nearestOptions are those of the second case with rows near each sample.
func nearestOptions(t *testing.T, samples, rows int) Options {
	return randomNet(rand.New(rand.NewPCG(1, 1)), 2, 3, false).options(t, samples, rows, "nearest:3")
}

// A short source says of too few samples what they have.
type short struct{ patchy }

func (s short) Read(ctx context.Context, lo, hi int) (dataset.Rows, error) {
	rows, err := s.patchy.Read(ctx, lo, hi)
	rows.Present = make([]uint64, 3)
	return rows, err
}
