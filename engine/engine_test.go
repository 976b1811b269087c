package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

func TestMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 1000; n += 7 {
		// The mean of equal numbers is that number, in one piece or in blocks.
		x := rng.NormFloat64()
		var whole, left, right mean
		for i := range n {
			whole.add(x)
			if i%3 == 0 {
				left.add(x)
			} else {
				right.add(x)
			}
		}
		left.addMean(right)
		if whole.over(n) != x || left.over(n) != x {
			t.Fatalf("the mean of %d times %v is %v, in blocks %v", n, x, whole.over(n), left.over(n))
		}
	}
	// Large and small numbers of both signs, against exact arithmetic.
	var m mean
	exact := new(big.Rat)
	const n = 999
	for range n {
		x := rng.NormFloat64() * math.Pow(10, float64(rng.IntN(20)))
		m.add(x)
		exact.Add(exact, new(big.Rat).SetFloat64(x))
	}
	want, _ := exact.Quo(exact, big.NewRat(n, 1)).Float64()
	if got := m.over(n); got != want {
		t.Errorf("mean %v, want %v", got, want)
	}
}

func TestTransform(t *testing.T) {
	tests := []struct {
		transform Transform
		in, want  []float64
	}{
		{Identity, []float64{1, -2}, []float64{1, -2}},
		{Softmax, []float64{1000, 1000 + math.Log(3)}, []float64{.25, .75}},
		{Sigmoid, []float64{0, math.Log(3)}, []float64{.5, .75}},
		{Log, []float64{1, math.E}, []float64{0, 1}},
		{Logit, []float64{.5, .75}, []float64{0, math.Log(3)}},
		{Centred, []float64{1, 2, 6}, []float64{-2, -1, 3}},
		// The logarithms 0, 1, 5 less their mean, whatever their sum is.
		{CentredLog, []float64{1, math.E, math.Exp(5)}, []float64{-2, -1, 3}},
		// Softmax of (-1, 1), from which the centred logits come back.
		{CentredLog, []float64{1 / (1 + math.Exp(2)), 1 / (1 + math.Exp(-2))}, []float64{-1, 1}},
	}
	for _, test := range tests {
		got := append([]float64{}, test.in...)
		test.transform.Apply(got)
		for i := range got {
			if math.Abs(got[i]-test.want[i]) > 1e-12 {
				t.Errorf("%s of %v is %v, want %v", test.transform, test.in, got, test.want)
			}
		}
		if back, err := ParseTransform(test.transform.String()); err != nil || back != test.transform {
			t.Errorf("%s parses as %v, %v", test.transform, back, err)
		}
	}
	if _, err := ParseTransform("square"); err == nil {
		t.Error("no error for an unknown transform")
	}
}

// numbers is a source of n rows with two inputs of one number each.
type numbers struct {
	a, b []float64
	fail int // the row that cannot be read, -1 for none
}

func newNumbers(n int) numbers {
	s := numbers{fail: -1}
	for i := range n {
		s.a, s.b = append(s.a, float64(i)), append(s.b, float64(i*i))
	}
	return s
}

func (s numbers) Len() int { return len(s.a) }
func (s numbers) Inputs() []tensor.Spec {
	return []tensor.Spec{{Name: "a", DType: tensor.Float64, Shape: []int{-1, 1}}, {Name: "b", DType: tensor.Float64, Shape: []int{-1, 1}}}
}
func (s numbers) Read(_ context.Context, lo, hi int) (dataset.Rows, error) {
	if s.fail >= lo && s.fail < hi {
		return dataset.Rows{}, errors.New("the disk is on fire")
	}
	return dataset.Rows{Lo: lo, Inputs: []tensor.Tensor{
		tensor.Of(s.a[lo:hi], hi-lo, 1), tensor.Of(s.b[lo:hi], hi-lo, 1)}}, nil
}
func (s numbers) Gather(ctx context.Context, rows []int) (dataset.Rows, error) {
	var parts [2][]tensor.Tensor
	for _, r := range rows {
		one, err := s.Read(ctx, r, r+1)
		if err != nil {
			return dataset.Rows{}, err
		}
		for i := range parts {
			parts[i] = append(parts[i], one.Inputs[i])
		}
	}
	return dataset.Rows{Inputs: []tensor.Tensor{tensor.Concat(parts[0]...), tensor.Concat(parts[1]...)}}, nil
}

var two = []dataset.Modality{{Name: "a", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 1}}}, {Name: "b", Parts: []dataset.Part{{Input: 1, Lo: 0, Hi: 1}}}}

func plan(t *testing.T, m model.Model, n, b int, change func(*Options)) *Plan {
	t.Helper()
	source := newNumbers(b)
	mask, err := background.ParseMask(nil, two, source.Inputs())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := background.Draw(t.Context(), source, two, mask, background.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Model: m, Samples: newNumbers(n), Modalities: two, Background: rows,
		Output: "y", Width: 1, Target: Target{Choice: Columns, Columns: []int{0}}, Workers: 2}
	if change != nil {
		change(&opt)
	}
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func product(rows *atomic.Int64) model.Model {
	return model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		b, _ := in.Lookup("b")
		y := make([]float64, in.Rows())
		for i := range y {
			y[i] = tensor.Values[float64](a)[i] * tensor.Values[float64](b)[i]
		}
		rows.Add(int64(in.Rows()))
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
}

// The plan must run exactly the rows it promises, hand tiles out in order, and
// fill the tables: a·b has v({a}) = a·mean b.
func TestRun(t *testing.T) {
	const n, b = 101, 7
	var rows atomic.Int64
	var told int64
	p := plan(t, product(&rows), n, b, func(o *Options) {
		o.Progress = func(done, total int64) {
			if done <= told || done > total {
				t.Errorf("progress went from %d to %d of %d", told, done, total)
			}
			told = done
		}
	})
	next := 0
	cost, err := p.Run(t.Context(), func(tile *Tile) error {
		if tile.Lo != next {
			t.Errorf("tile %d starts at %d, want %d", tile.Number, tile.Lo, next)
		}
		next = tile.Hi
		for i := range tile.Samples() {
			x := float64(tile.Lo + i)
			meanA, meanB := 3., 13. // of 0..6 and their squares
			want := []float64{63, x * meanB, meanA * x * x, x * x * x}
			for s, v := range tile.Values.Game(i) {
				if math.Abs(v-want[s]) > 1e-9 {
					t.Errorf("sample %v: v(%s) = %v, want %v", x, game.Coalition(s), v, want[s])
				}
			}
			// Seven blocks of one row each average to the whole.
			for s, v := range tile.Values.Game(i) {
				sum := 0.0
				for k := range b {
					sum += tile.BlockValues.Game(k*tile.Samples() + i)[s]
				}
				if math.Abs(sum/b-v) > 1e-9 {
					t.Errorf("sample %v: blocks of v(%s) average to %v, want %v", x, game.Coalition(s), sum/b, v)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := int64(n*b*2 + n + b)
	if rows.Load() != want || cost.Rows != want || p.NaiveRows() != want || told != want {
		t.Errorf("ran %d rows, cost %d, naive %d, told %d, want %d", rows.Load(), cost.Rows, p.NaiveRows(), told, want)
	}
	if next != n {
		t.Errorf("tiles end at %d, want %d", next, n)
	}
}

// Every fault stops the run with an error that says where.
func TestRunErrors(t *testing.T) {
	answer := func(f func(in model.Batch, y []float64) model.Batch) model.Model {
		return model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
			return f(in, make([]float64, in.Rows())), nil
		})
	}
	y := func(name string, v []float64, shape ...int) model.Batch {
		return model.Batch{{Name: name, Tensor: tensor.Of(v, shape...)}}
	}
	tests := []struct {
		name   string
		model  model.Model
		change func(*Options)
		want   string
	}{
		{"model fails", model.Func(func(context.Context, model.Batch) (model.Batch, error) { return nil, errors.New("out of coffee") }), nil, "background row 0: out of coffee"},
		{"NaN", answer(func(in model.Batch, v []float64) model.Batch {
			for i := range v {
				a, b := tensor.Values[float64](in[0].Tensor)[i], tensor.Values[float64](in[1].Tensor)[i]
				if a == 20 && b != 400 { // sample 20's own a, a background row's b
					v[i] = math.NaN()
				}
			}
			return y("y", v, len(v), 1)
		}), nil, "sample 20 with {a} present and background row"},
		{"one bad row", model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
			for i, a := range tensor.Values[float64](in[0].Tensor) {
				if a == 20 && tensor.Values[float64](in[1].Tensor)[i] != 400 {
					return nil, errors.New("this row is too much")
				}
			}
			return model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, in.Rows(), 1)}}, nil
		}), nil, "sample 20 with {a} present and background row"},
		{"bad together", model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
			if in.Rows() > 7 {
				return nil, errors.New("too many at once")
			}
			return model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, in.Rows(), 1)}}, nil
		}), nil, "which do not fail one by one: too many at once"},
		{"infinite after transform", answer(func(_ model.Batch, v []float64) model.Batch { return y("y", v, len(v), 1) }),
			func(o *Options) { o.Transform = Log }, "log of the model's output \"y\" is -Inf"},
		{"other output", answer(func(_ model.Batch, v []float64) model.Batch { return y("z", v, len(v), 1) }), nil, `no output "y" (have z)`},
		{"rows missing", answer(func(_ model.Batch, v []float64) model.Batch { return y("y", v[1:], len(v)-1, 1) }), nil, "want [7, columns]"},
		{"matrix", answer(func(_ model.Batch, v []float64) model.Batch {
			return y("y", append(append(append(v, v...), v...), v...), len(v), 2, 2)
		}), nil, "shape [7 2 2]"},
		{"width changes", answer(func(_ model.Batch, v []float64) model.Batch { return y("y", append(v, v...), len(v), 2) }), nil, "2 columns, want 1"},
		{"text", model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
			return model.Batch{{Name: "y", Tensor: tensor.New(tensor.String, in.Rows())}}, nil
		}), nil, "is text"},
		{"unreadable sample", product(new(atomic.Int64)), func(o *Options) {
			s := newNumbers(40)
			s.fail = 17
			o.Samples = s
		}, "the disk is on fire"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := plan(t, test.model, 40, 7, test.change).Run(t.Context(), func(*Tile) error { return nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestRunStops(t *testing.T) {
	var rows atomic.Int64
	enough := errors.New("enough")
	p := plan(t, product(&rows), 1000, 7, nil)
	if _, err := p.Run(t.Context(), func(*Tile) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the caller's own error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tiles := 0
	_, err := p.Run(ctx, func(*Tile) error {
		if tiles++; tiles == 2 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || tiles >= p.Tiles() {
		t.Errorf("after %d of %d tiles: %v, want a cancelled run", tiles, p.Tiles(), err)
	}
}

func TestPlanErrors(t *testing.T) {
	good := plan(t, product(new(atomic.Int64)), 3, 3, nil).opt
	for name, change := range map[string]func(*Options){
		"no modalities":        func(o *Options) { o.Modalities = nil },
		"no samples":           func(o *Options) { o.Samples = newNumbers(0) },
		"no width":             func(o *Options) { o.Width = 0 },
		"no target":            func(o *Options) { o.Target = Target{Choice: Columns} },
		"label without labels": func(o *Options) { o.Target = Target{Choice: Label} },
	} {
		opt := good
		change(&opt)
		if _, err := NewPlan(opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Tiles must follow from declared sizes and the memory limit, not from workers.
func TestTileShape(t *testing.T) {
	shape := func(change func(*Options)) string {
		p := plan(t, product(new(atomic.Int64)), 1000, 50, change)
		return fmt.Sprint(p.TileSamples(), p.BatchRows())
	}
	one := shape(func(o *Options) { o.Workers = 1 })
	if eight := shape(func(o *Options) { o.Workers = 8 }); eight != one {
		t.Errorf("one worker has tiles %s, eight have %s", one, eight)
	}
	if small := shape(func(o *Options) { o.Memory = 1 << 18 }); small == one {
		t.Errorf("less memory changes nothing: %s", small)
	}
}

// A model whose answers depend on the batch must not pass for one that has none.
func TestIndependence(t *testing.T) {
	rows, err := newNumbers(9).Read(t.Context(), 0, 9)
	if err != nil {
		t.Fatal(err)
	}
	inputs := newNumbers(1).Inputs()
	good, err := Independence(t.Context(), product(new(atomic.Int64)), "y", inputs, rows.Inputs)
	if err != nil || good != 0 {
		t.Errorf("independent rows: %v, %v, want 0", good, err)
	}
	summed := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a := tensor.Values[float64](in[0].Tensor)
		y := make([]float64, len(a))
		for i, v := range a {
			y[i] = v + float64(len(a))
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
	if bad, err := Independence(t.Context(), summed, "y", inputs, rows.Inputs); err != nil || bad < 0.1 {
		t.Errorf("dependent rows: %v, %v, want a large difference", bad, err)
	}
}
