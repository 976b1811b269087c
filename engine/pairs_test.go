package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// pairsOfPlan collects all pairs, and checks that they come in order.
func pairsOfPlan(t *testing.T, opt Options) (*Plan, []float64, Cost) {
	t.Helper()
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	cost, err := p.Pairs(t.Context(), func(lo int, outputs []float64) error {
		if want := len(all) / (p.b * opt.Width); lo != want {
			t.Errorf("outputs of sample %d, want %d", lo, want)
		}
		all = append(all, outputs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, all, cost
}

// pairByPair asks the whole model about one pair at a time.
func pairByPair(t *testing.T, opt Options) []float64 {
	t.Helper()
	samples := opt.Samples.(table)
	spans := newRowCopy(firstOnly, ownedSpans(opt.Modalities, opt.Background.Inputs()))
	var all []float64
	for i := range samples.Len() {
		for k := range opt.Background.Len() {
			var one []tensor.Tensor
			for _, in := range opt.Background.Inputs() {
				one = append(one, tensor.New(in.DType(), append([]int{1}, in.Shape()[1:]...)...))
			}
			spans.fill(one, 0, 1, samples.rows, i, opt.Background.Inputs(), k, nil)
			out, err := Probe(t.Context(), opt.Model, samples.specs, one)
			if err != nil {
				t.Fatal(err)
			}
			row := slices.Clone(tensor.Values[float64](out[0].Tensor))
			opt.Transform.Apply(row)
			all = append(all, row...)
		}
	}
	return all
}

// differ returns the largest difference, relative to the largest number; infinity
// for lists of different lengths.
func differ(a, b []float64) float64 {
	if len(a) != len(b) || len(a) == 0 {
		return math.Inf(1)
	}
	return compare(a, b, 1).difference
}

// Every way to evaluate pairs gives what the whole model gives for one pair at a
// time, and takes the rows that it promises.
func TestPairs(t *testing.T) {
	encoded := func(rng *rand.Rand, n *net) {
		n.add(rng, "h0", 3, false, []int{0}, "m0")
		n.add(rng, "h1", 2, false, []int{1}, "m1")
		n.add(rng, "y", 3, true, []int{0, 1}, "h0", "h1")
	}
	additive := func(rng *rand.Rand, n *net) {
		n.add(rng, "t0", 3, true, []int{0}, "m0")
		n.add(rng, "t1", 3, true, []int{1}, "m1")
		n.terms = []string{"t0", "t1"}
	}
	one := func(i int) func(*rand.Rand, *net) {
		return func(rng *rand.Rand, n *net) {
			n.add(rng, "y", 3, true, []int{i}, fmt.Sprintf("m%d", i))
		}
	}
	tests := []struct {
		name, reason  string
		build         func(*rand.Rand, *net)
		samples, rows int
		transform     Transform
		fixed         bool
		masks         []string
		memory        int64
	}{
		{name: "encoders", reason: "each runs once a row", build: encoded, samples: 37, rows: 20},
		{name: "more rows than samples", reason: "blocks go in pieces", build: encoded, samples: 5, rows: 900},
		{name: "one sample", reason: "a tile of one", build: encoded, samples: 1, rows: 33},
		{name: "one row", reason: "no blocks", build: encoded, samples: 33, rows: 1},
		{name: "softmax", reason: "a transform over columns", build: encoded, samples: 18, rows: 40, transform: Softmax},
		{name: "direct", reason: "a head without encoders", build: func(rng *rand.Rand, n *net) { n.add(rng, "y", 3, true, []int{0, 1}, "m1", "m0") }, samples: 18, rows: 40},
		{name: "halves", reason: "a sum in two halves", build: func(rng *rand.Rand, n *net) {
			n.added = map[string][]string{"sum": {"h0", "m1"}}
			n.add(rng, "h0", leafWidth, false, []int{0}, "m0")
			n.add(rng, "y", 3, true, []int{0, 1}, "sum")
		}, samples: 18, rows: 40},
		{name: "additive", reason: "no pair is run", build: additive, samples: 37, rows: 20},
		{name: "additive centred", reason: "a linear transform", build: additive, samples: 37, rows: 20, transform: Centred},
		{name: "first alone", reason: "all pairs of a sample alike", build: one(0), samples: 18, rows: 40},
		{name: "second alone", reason: "all pairs of a row alike", build: one(1), samples: 18, rows: 40},
		{name: "fixed", reason: "a fixed input is the sample's own", build: func(rng *rand.Rand, n *net) {
			n.add(rng, "f", 2, false, []int{1, 2}, "m1", "m2")
			n.add(rng, "y", 3, true, []int{0, 1, 2}, "m0", "f")
		}, samples: 18, rows: 40, fixed: true},
		{name: "mean", reason: "any shared rows will do", build: encoded, samples: 18, rows: 40, masks: []string{"mean"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := 2
			if test.fixed {
				m = 3 // of which the last is no modality
			}
			n := newNet(m, 3)
			test.build(rand.New(rand.NewPCG(5, 7)), n)
			if test.fixed {
				n.fix()
			}
			opt := n.options(t, test.samples, test.rows, test.masks...)
			opt.Transform = test.transform
			want := pairByPair(t, opt)
			p, full, cost := pairsOfPlan(t, opt)
			if d := differ(full, want); d != 0 {
				t.Errorf("the plain way is off by %.2g, want the same bits (%s)", d, test.reason)
			}
			if want := int64(p.n * p.b); cost.Rows != want || p.PairRows() != want {
				t.Errorf("the plain way says that it took %d rows, planned %d, want %d", cost.Rows, p.PairRows(), want)
			}
			in := inParts(t, opt)
			var told, of int64
			in.Progress = func(done, total int64) {
				if done <= told {
					t.Errorf("progress went from %d to %d", told, done)
				}
				told, of = done, total
			}
			p, parts, cost := pairsOfPlan(t, in)
			if d := differ(parts, want); !(d <= rounding) {
				t.Errorf("in parts it is off by %.2g, want at most %.2g (%s)", d, rounding, test.reason)
			}
			if told != p.PairRows() || of != p.PairRows() || cost.Rows != p.PairRows() {
				t.Errorf("told %d of %d rows, cost %d, want %d", told, of, cost.Rows, p.PairRows())
			}
			ran := int64(0)
			for _, rows := range n.counted() {
				ran += rows
			}
			// What depends on one side alone stands for the pairs of a row.
			if single := strings.HasSuffix(test.name, "alone"); !single && ran != p.PairRows() || single && ran >= p.PairRows() {
				t.Errorf("ran %d rows, promised %d", ran, p.PairRows())
			}
		})
	}
}

// TestDiffer holds that a wrong number shows.
func TestDiffer(t *testing.T) {
	for name, b := range map[string][]float64{"number": {1, 2.1}, "NaN": {1, math.NaN()}, "length": {1}} {
		if d := differ([]float64{1, 2}, b); d <= 1e-3 {
			t.Errorf("another %s: difference %v, want a large one", name, d)
		}
	}
}

// Neither workers nor memory change a bit.
func TestPairsShapes(t *testing.T) {
	n := pairNet()
	for _, plan := range []string{"full", "staged"} {
		opt := n.options(t, 200, 300)
		if plan == "staged" {
			opt = inParts(t, opt)
		}
		p, want, _ := pairsOfPlan(t, opt)
		shape, err := p.planPairs()
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 5} {
			opt.Workers = workers
			if _, got, _ := pairsOfPlan(t, opt); !slices.Equal(got, want) {
				t.Errorf("%s: %d workers change the outputs", plan, workers)
			}
		}
		opt.Workers, opt.Memory = 1, 2<<20
		p, got, _ := pairsOfPlan(t, opt)
		if !slices.Equal(got, want) {
			t.Errorf("%s: less memory changes the outputs", plan)
		}
		small, err := p.planPairs()
		if err != nil {
			t.Fatal(err)
		}
		if small.tile != 1 || shape.tile == 1 { // 300 rows of 2 columns are more than 2 MiB/512
			t.Errorf("%s: outputs of %d and %d samples at a time, want several and 1", plan, shape.tile, small.tile)
		}
	}
}

// What cannot be evaluated is refused, and what fails names the pair.
func TestPairsErrors(t *testing.T) {
	fails := func(opt Options) error {
		p, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Pairs(t.Context(), func(int, []float64) error { return nil })
		return err
	}
	check := func(name string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, want)
		}
	}
	three := randomNet(rand.New(rand.NewPCG(3, 3)), 3, 2, false)
	check("three modalities", fails(three.options(t, 5, 5)), "want 2 modalities, got 3")
	check("nearest", fails(pairNet().options(t, 5, 9, "nearest:3")), "not those of the mask nearest:3")

	const sample, row = 20, 13
	for _, staged := range []bool{false, true} {
		n := pairNet()
		opt := n.options(t, 40, 30)
		if staged {
			opt = inParts(t, opt)
		}
		numbered := opt
		numbered.Samples = drawn{opt.Samples.(table)}
		// The head takes two encoders of three numbers; the pair is known by both.
		first := n.encoded(t, 0, values(opt.Samples.(table), 0)[sample*leafWidth:])
		second := n.encoded(t, 1, background64(opt, 1)[row*leafWidth:])
		isPair := func(x []float64) bool { return x[0] == first && x[3] == second }
		n.fault = func(x []float64) (bool, error) { return isPair(x), nil }
		want := `sample 20 with {m0} present and background row 13 elsewhere: the model's output "y" is NaN in column 0`
		check("NaN", fails(opt), want)
		check("NaN of a drawn sample", fails(numbered), strings.Replace(want, "sample 20", "sample 1020", 1))
		n.fault = func(x []float64) (bool, error) {
			if isPair(x) {
				return false, errors.New("out of coffee")
			}
			return false, nil
		}
		err := fails(opt)
		check("failure", err, "sample 20 with {m0} present and background row 13 elsewhere")
		check("failure", err, "out of coffee")
		n.fault = nil

		logs := opt
		logs.Transform = Log // of outputs below zero
		if staged {
			logs.Stages = unchecked(t, n, logs)
		}
		var transform *TransformError
		if err := fails(logs); !errors.As(err, &transform) || !strings.Contains(err.Error(), `log of the model's output "y" is NaN`) {
			t.Errorf("staged %v: got %v, want a TransformError", staged, err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		long := n.options(t, 500, 200)
		long.Workers, long.Memory = 1, 8<<20
		if staged {
			long.Stages = opt.Stages
		}
		p, err := NewPlan(long)
		if err != nil {
			t.Fatal(err)
		}
		slabs := 0
		_, err = p.Pairs(ctx, func(int, []float64) error {
			if slabs++; slabs == 2 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || slabs != 2 {
			t.Errorf("staged %v: after %d calls: %v, want a cancelled run", staged, slabs, err)
		}
		enough := errors.New("enough")
		if _, err := p.Pairs(t.Context(), func(int, []float64) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("staged %v: got %v, want the caller's own error", staged, err)
		}
		wide := n.options(t, 1, 300)
		wide.Workers = 40 // whose outputs in flight take 768 KB
		if p, err = NewPlan(wide); err != nil {
			t.Fatal(err)
		}
		wide.Memory = p.MemoryBytes() + 100<<10
		if err := fails(wide); !errors.Is(err, ErrMemory) {
			t.Errorf("got %v, want too little memory", err)
		}
	}
}

// encoded returns the first number that the encoder of a modality gives for x.
func (n *net) encoded(t *testing.T, modality int, x []float64) float64 {
	t.Helper()
	out := make([]float64, 3)
	if err := n.apply(&n.layers[modality], out, x[:leafWidth]); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// drawn is a table whose samples are rows from 1000 on of some file.
type drawn struct{ table }

func (drawn) Number(i int) int { return 1000 + i }

// Outputs are those of the samples as they are, in order, whatever the plan.
func TestOutputs(t *testing.T) {
	n := pairNet()
	opt := inParts(t, n.options(t, 700, 20))
	opt.Transform = Softmax // which is not applied
	opt.Stages = unchecked(t, n, opt)
	for _, workers := range []int{1, 3} {
		opt.Workers = workers
		p, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		cost, err := p.Outputs(t.Context(), func(lo int, outputs []float64) error {
			if lo*n.width != len(got) {
				t.Errorf("outputs of sample %d, want %d", lo, len(got)/n.width)
			}
			got = append(got, outputs...)
			return nil
		})
		if err != nil || cost.Rows != 700 {
			t.Fatalf("%d rows, %v, want 700", cost.Rows, err)
		}
		out, err := Probe(t.Context(), n, n.inputs, opt.Samples.(table).rows)
		if err != nil {
			t.Fatal(err)
		}
		if want := tensor.Values[float64](out[0].Tensor); !slices.Equal(got, want) {
			t.Errorf("%d workers: other outputs than the model's own", workers)
		}
		bad := values(opt.Samples.(table), 0)[613*leafWidth]
		n.faulty = "h0"
		n.fault = func(x []float64) (bool, error) { return x[0] == bad, nil }
		if _, err := p.Outputs(t.Context(), func(int, []float64) error { return nil }); err == nil || !strings.Contains(err.Error(), "sample 613 as it is") {
			t.Errorf("got %v, want an error that names sample 613", err)
		}
		n.fault = nil
	}
}

// BenchmarkPairs evaluates all pairs of as many rows in parts: encoders of 64 numbers
// once a row, a head of both for every pair. The nets of these tests look names up
// pair by pair, which is most of the time.
func BenchmarkPairs(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	n := newNet(2, 2)
	n.add(rng, "h0", 64, false, []int{0}, "m0")
	n.add(rng, "h1", 64, false, []int{1}, "m1")
	n.add(rng, "y", 2, true, []int{0, 1}, "h0", "h1")
	for _, rows := range []int{1000, 3000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			p, err := NewPlan(inParts(b, n.options(b, rows, rows)))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Pairs(b.Context(), func(int, []float64) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows*rows)*float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
		})
	}
}
