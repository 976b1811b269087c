package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// changed is a grid whose inputs or outputs are changed on the way.
type changed struct {
	model.Grid
	in, out func(model.Batch) model.Batch
}

func (g changed) Evaluate(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if g.in != nil {
		inputs = g.in(inputs)
	}
	out, err := g.Grid.Evaluate(ctx, inputs)
	if err == nil && g.out != nil {
		out = g.out(out)
	}
	return out, err
}

// falseSummer adds something to every sum.
type falseSummer struct {
	*netSummer
	add float64
}

func (g falseSummer) SumRows(ctx context.Context, inputs model.Batch, blocks []int) (model.Sums, error) {
	sums, err := g.netSummer.SumRows(ctx, inputs, blocks)
	for i := range sums.High {
		sums.High[i] += g.add
	}
	return sums, err
}

// plus returns a function that adds x to every number.
func plus(x float64) func(model.Batch) model.Batch {
	return func(batch model.Batch) model.Batch {
		var out model.Batch
		for _, b := range batch {
			values := append([]float64(nil), tensor.Values[float64](b.Tensor)...)
			for i := range values {
				values[i] += x
			}
			out = append(out, model.Named{Name: b.Name, Tensor: tensor.Of(values, b.Tensor.Shape()...)})
		}
		return out
	}
}

// reversed turns the rows of the first input around, among samples or
// background rows.
func reversed(batch model.Batch) model.Batch {
	out := append(model.Batch(nil), batch...)
	from := batch[0].Tensor
	shape := from.Shape()
	rows := max(shape[0], shape[1])
	flat := from.Reshape(rows, from.Len()/rows)
	to := tensor.New(tensor.Float64, flat.Shape()...)
	for r := range rows {
		to.CopyRow(r, flat, rows-1-r, 0, flat.RowLen())
	}
	out[0].Tensor = to.Reshape(shape...)
	return out
}

// ownAlways gives every pair the second input of row i, for sample i, where it
// should be that of the background.
func ownAlways(batch model.Batch) model.Batch {
	n, b := pairsIn(batch)
	from := batch[1].Tensor
	if from.Shape()[0] == n || n > b {
		return batch
	}
	width := from.Len() / b
	to := tensor.New(tensor.Float64, n, b, width)
	for i := range n * b {
		to.CopyElements(i*width, from, i/b*width, width)
	}
	return model.Batch{batch[0], {Name: batch[1].Name, Tensor: to}}
}

// pairNet has two encoders of the same shape and a head.
func pairNet() *net {
	rng := rand.New(rand.NewPCG(8, 8))
	n := newNet(2, 2)
	n.add(rng, "h0", 3, false, []int{0}, "m0")
	n.add(rng, "h1", 3, false, []int{1}, "m1")
	n.add(rng, "y", 2, true, []int{0, 1}, "h0", "h1")
	return n
}

// Parts that give something else than the whole must not get through.
func TestStageFindsWrongParts(t *testing.T) {
	head := func(s *model.Stages) *model.Part { return &s.Parts[len(s.Parts)-1] }
	spoil := func(in, out func(model.Batch) model.Batch) func(*model.Stages) {
		return func(s *model.Stages) { head(s).Grid = changed{head(s).Grid, in, out} }
	}
	tests := []struct {
		name, reason string
		wrong        func(*model.Stages)
		uncut        bool // or else an error of a backend that breaks the rules
		want         string
	}{
		{"inputs swapped", "modality 0 where modality 1 belongs", func(s *model.Stages) {
			spoil(func(b model.Batch) model.Batch {
				return model.Batch{{Name: "h0", Tensor: b[1].Tensor}, {Name: "h1", Tensor: b[0].Tensor}}
			}, nil)(s)
		}, true, "in parts"},
		{"weights swapped", "an encoder of another modality", func(s *model.Stages) {
			a, b := s.Parts[0].Grid.(*netGrid), s.Parts[1].Grid.(*netGrid)
			l := *a.layer
			l.weights = b.layer.weights
			s.Parts[0].Grid = &netGrid{a.net, &l}
		}, true, "in parts"},
		{"bias forgotten", "a constant is part of the model", spoil(nil, plus(1e-3)), true, "in parts"},
		{"rows of the other side", "sample and background row exchanged", spoil(reversed, nil), true, "in parts"},
		{"sample for background", "a modality that never comes from the background", spoil(ownAlways, nil), true, "in parts"},
		{"NaN", "NaN is not equal to anything", spoil(nil, plus(math.NaN())), true, "NaN"},
		{"infinite", "nor is infinity", spoil(nil, plus(math.Inf(1))), true, "+Inf"},
		{"sums", "the rows are right and what they add up to is not", func(s *model.Stages) {
			head(s).Grid = falseSummer{head(s).Grid.(*netSummer), 1e-2}
		}, true, "add up"},
		{"sums of NaN", "NaN is not equal to anything", func(s *model.Stages) {
			head(s).Grid = falseSummer{head(s).Grid.(*netSummer), math.NaN()}
		}, true, "add up"},
		{"no parts", "nothing computes the output", func(s *model.Stages) { s.Parts = nil }, false, "at least one part"},
		{"unknown input", "a name that is nowhere", func(s *model.Stages) { head(s).Inputs = []string{"h0", "h2"} }, false, `takes "h2"`},
		{"input of others", "a part that sees more than it says", func(s *model.Stages) { head(s).Players = []int{0} }, false, "two parts belong to m0"},
		{"player too many", "a modality that is not there", func(s *model.Stages) { head(s).Players = []int{0, 2} }, false, "numbers below 2"},
		{"player missing", "an input that depends on more", func(s *model.Stages) { s.Parts[1].Inputs = []string{"m0", "h0"} }, false, "other modalities"},
		{"nobody at all", "a constant is no part", func(s *model.Stages) { head(s).Players = nil }, false, "depends on nothing"},
		{"no output", "the output is an encoder's", func(s *model.Stages) { s.Output = "h0" }, false, "does not compute"},
		{"narrow output", "a column too few", func(s *model.Stages) { head(s).Outputs[0].Shape = []int{-1, 1} }, false, "want [2]"},
		{"open output", "memory must be known", func(s *model.Stages) { head(s).Outputs[0].Shape = []int{-1, -1} }, false, "known but for the rows"},
		{"name twice", "two tensors of one name", func(s *model.Stages) { s.Parts[1].Outputs[0].Name = "h0" }, false, `called "h0"`},
		{"no grid", "nothing to ask", func(s *model.Stages) { s.Parts[0].Grid = nil }, false, "no grid"},
		{"unknown term", "a name that is nowhere", func(s *model.Stages) { s.Terms = []string{"t"} }, false, `the term "t"`},
		{"mixed term", "a term of two modalities is no term", func(s *model.Stages) { s.Terms = []string{"y"} }, false, "more than one modality"},
		{"fewer elements", "a part that answers another shape", spoil(nil, func(b model.Batch) model.Batch {
			return model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, 1, 1, 2)}}
		}), true, "want float64"},
		{"other name", "a part that answers something else", spoil(nil, func(b model.Batch) model.Batch {
			return model.Batch{{Name: "z", Tensor: b[0].Tensor}}
		}), true, `no tensor "y"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := pairNet()
			n.wrong = test.wrong
			_, err := Stage(t.Context(), n.options(t, 20, 30))
			var uncut *model.Uncut
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &uncut) != test.uncut {
				t.Errorf("got %v, want an error with %q, uncut %v (%s)", err, test.want, test.uncut, test.reason)
			}
		})
	}
}

// A modality whose rows come from the wrong side is found whatever the fusion.
func TestStageFindsWrongTerms(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	n := newNet(2, 2)
	n.add(rng, "t0", 2, true, []int{0}, "m0")
	n.add(rng, "t1", 2, true, []int{1}, "m1")
	n.terms = []string{"t0", "t1"}
	if _, err := Stage(t.Context(), n.options(t, 20, 30)); err != nil {
		t.Fatal(err)
	}
	n.wrong = func(s *model.Stages) { s.Terms = []string{"t0", "t0"} }
	if _, err := Stage(t.Context(), n.options(t, 20, 30)); err == nil {
		t.Error("a term twice and another never, want an error")
	}
}

func TestStageFindsWrongSums(t *testing.T) {
	sum := func(change func(*model.Sum)) func(*model.Stages) {
		return func(s *model.Stages) {
			for i := range s.Sums {
				if s.Sums[i].Name == "sum" {
					change(&s.Sums[i])
				}
			}
		}
	}
	for _, test := range []struct {
		name  string
		wrong func(*model.Stages)
		uncut bool
		want  string
	}{
		{"nothing wrong", func(*model.Stages) {}, false, ""},
		{"other name", sum(func(s *model.Sum) { s.Name = "total" }), false, `takes "sum", which is no leaf`},
		{"no terms", sum(func(s *model.Sum) { s.Terms = nil }), false, "without terms"},
		{"unknown term", sum(func(s *model.Sum) { s.Terms = []string{"h0", "h2"} }), false, `the term "h2"`},
		{"mixed term", sum(func(s *model.Sum) { s.Terms = []string{"h0", "f"} }), false, "more than one modality"},
		{"other shape", func(s *model.Stages) {
			s.Parts[1].Outputs[0].Shape = []int{-1, 1}
		}, false, "a sum that adds"},
		{"term forgotten", sum(func(s *model.Sum) { s.Terms = s.Terms[1:] }), true, "in parts"},
		{"term twice", sum(func(s *model.Sum) { s.Terms = []string{"h1", "h1", "m2", "h3"} }), true, "in parts"},
	} {
		n := newAdded(rand.New(rand.NewPCG(8, 8)), false)
		n.wrong = test.wrong
		_, err := Stage(t.Context(), n.options(t, 20, 30))
		var uncut *model.Uncut
		switch {
		case test.want == "":
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &uncut) != test.uncut:
			t.Errorf("%s: got %v, want an error with %q, uncut %v", test.name, err, test.want, test.uncut)
		}
	}
}

func TestStageRefuses(t *testing.T) {
	var uncut *model.Uncut
	n := pairNet()
	opt := n.options(t, 5, 5)
	opt.Model = model.Func(n.Predict)
	if _, err := Stage(t.Context(), opt); !errors.As(err, &uncut) {
		t.Errorf("a model without parts: %v, want it uncut", err)
	}
	// A modality of single pixels is no part of axis 1.
	n.inputs[0].Shape = []int{-1, 2, 2}
	n.modalities[0].Parts[0].Lo, n.modalities[0].Parts[0].Hi = 1, 3
	if _, err := Stage(t.Context(), n.options(t, 5, 5)); !errors.As(err, &uncut) || !strings.Contains(err.Error(), "no part of its axis 1") {
		t.Errorf("scattered elements: %v, want it uncut", err)
	}
}

// A closer counts how often it was closed.
type closer struct {
	model.Grid
	closed *int
}

func (c closer) Close() error {
	*c.closed++
	return nil
}

func TestStageClosesWhatIsWrong(t *testing.T) {
	closed := 0
	n := pairNet()
	n.wrong = func(s *model.Stages) {
		s.Parts[0].Grid = closer{s.Parts[0].Grid, &closed}
		s.Output = "nothing"
	}
	if _, err := Stage(t.Context(), n.options(t, 5, 5)); err == nil || closed != 1 {
		t.Errorf("error %v, closed %d times, want an error and once", err, closed)
	}
}

func TestSomeCoalitions(t *testing.T) {
	for m := 1; m <= game.MaxPlayers; m++ {
		some := someCoalitions(m)
		if len(some) > verifiedCoalitions || len(some) != 1<<m && len(some) < 2*m && len(some) < verifiedCoalitions {
			t.Errorf("%d coalitions of %d modalities", len(some), m)
		}
		seen := map[game.Coalition]bool{}
		for _, s := range some {
			if seen[s] || s > game.Grand(m) {
				t.Errorf("%d modalities: coalition %s twice or too large", m, s)
			}
			seen[s] = true
		}
		if !seen[0] || !seen[game.Grand(m)] {
			t.Errorf("%d modalities: nothing or all is missing", m)
		}
	}
}
