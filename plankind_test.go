package intershap_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A product is the model 6·a·b in parts: 2·a and 3·b, and what they make. As a
// sum it is 2·a + 3·b, without a last part.
type product struct {
	sum bool
	// macs are those of each encoder; the last part has 1.
	macs int64
	// fault is what Stage returns.
	fault  error
	closed *atomic.Int32
}

func (p product) of(a, b float64) float64 {
	if p.sum {
		return 2*a + 3*b
	}
	return 2 * a * (3 * b)
}

func (p product) Predict(_ context.Context, in model.Batch) (model.Batch, error) {
	a, _ := in.Lookup("a")
	b, _ := in.Lookup("b")
	y := make([]float64, in.Rows())
	for i := range y {
		y[i] = p.of(tensor.Values[float64](a)[i], tensor.Values[float64](b)[i])
	}
	return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
}

func (p product) Stage(context.Context, model.Question) (*model.Stages, error) {
	if p.fault != nil {
		return nil, p.fault
	}
	part := func(name string, f func(x []float64) float64, macs int64, players []int, inputs ...string) model.Part {
		return model.Part{
			Players: players, Inputs: inputs, MACs: macs,
			Outputs: []tensor.Spec{{Name: name, DType: tensor.Float64, Shape: []int{-1, 1}}},
			Grid:    numberGrid{name, f, p.closed},
		}
	}
	s := &model.Stages{MACs: 2*p.macs + 1, Parts: []model.Part{
		part("2a", func(x []float64) float64 { return 2 * x[0] }, p.macs, []int{0}, "a"),
		part("3b", func(x []float64) float64 { return 3 * x[0] }, p.macs, []int{1}, "b"),
	}}
	if p.sum {
		s.Terms = []string{"2a", "3b"}
		return s, nil
	}
	s.Output = "y"
	s.Parts = append(s.Parts, part("y", func(x []float64) float64 { return x[0] * x[1] }, 1, []int{0, 1}, "2a", "3b"))
	return s, nil
}

// A numberGrid computes one number for every pair of single numbers.
type numberGrid struct {
	name   string
	f      func(x []float64) float64
	closed *atomic.Int32
}

func (g numberGrid) Evaluate(_ context.Context, inputs model.Batch) (model.Batch, error) {
	n, b := 1, 1
	for _, in := range inputs {
		n, b = max(n, in.Tensor.Shape()[0]), max(b, in.Tensor.Shape()[1])
	}
	out := make([]float64, n*b)
	for i := range out {
		var x []float64
		for _, in := range inputs {
			rows, columns := in.Tensor.Shape()[0], in.Tensor.Shape()[1]
			x = append(x, tensor.Values[float64](in.Tensor)[i/b%rows*columns+i%b%columns])
		}
		out[i] = g.f(x)
	}
	return model.Batch{{Name: g.name, Tensor: tensor.Of(out, n, b, 1)}}, nil
}

func (g numberGrid) Close() error {
	g.closed.Add(1)
	return nil
}

// The plan decides what runs, never what comes out, and nothing stays open.
func TestPlanKinds(t *testing.T) {
	uncut := &model.Uncut{Node: "/norm", Op: "BatchNormalization", Reason: "mixes rows"}
	const n = 40 // samples and background rows
	whole := map[string]int64{"model": n*n*2 + 2*n}
	parts := map[string]int64{"a": 2 * n, "b": 2 * n, "a+b": n*n*2 + 2*n}
	terms := map[string]int64{"a": 2 * n, "b": 2 * n}
	tests := []struct {
		name, reason string
		model        model.Model
		plan         intershap.PlanKind
		memory       int64
		want         string // the plan that ran, or part of the error
		rows         map[string]int64
		closed       int32
		doubt        bool // not-staged
	}{
		{"large encoders", "parts save nearly all", product{macs: 100}, intershap.AutoPlan, 0, "staged", parts, 3, false},
		{"small encoders", "parts save too little", product{macs: 0}, intershap.AutoPlan, 0, "full", whole, 3, false},
		{"demanded", "parts as they are", product{macs: 0}, intershap.StagedPlan, 0, "staged", parts, 3, false},
		{"full", "nobody asks for parts", product{macs: 100}, intershap.FullPlan, 0, "full", whole, 0, false},
		{"additive", "no combination is run", product{macs: 1, sum: true}, intershap.AutoPlan, 0, "staged", terms, 2, false},
		{"no parts", "a function has none, and nobody thinks it has", model.Func(product{}.Predict), intershap.AutoPlan, 0, "full", whole, 0, false},
		{"no parts, demanded", "what cannot be had is refused", model.Func(product{}.Predict), intershap.StagedPlan, 0, "this kind of model is not evaluated in parts; use --plan full", nil, 0, false},
		{"uncut", "the node is named", product{fault: uncut}, intershap.AutoPlan, 0, "full", whole, 0, true},
		{"uncut, demanded", "the node is named", product{fault: uncut}, intershap.StagedPlan, 0, `node "/norm" (BatchNormalization) mixes rows; use --plan full`, nil, 0, false},
		{"broken", "a fault is no reason to go the other way", product{fault: errors.New("the disk is on fire")}, intershap.AutoPlan, 0, "the disk is on fire", nil, 0, false},
		{"no such plan", "options are checked", product{}, intershap.FullPlan + 1, 0, "plan 3 must be", nil, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var closed atomic.Int32
			m := test.model
			if p, ok := m.(product); ok {
				p.closed = &closed
				m = p
			}
			f := grid(t, n)
			opt := intershap.Options{Plan: test.plan, Memory: test.memory}
			ex, err := intershap.Explain(t.Context(), m, f, f, opt)
			if closed.Load() != test.closed {
				t.Errorf("closed %d parts, want %d", closed.Load(), test.closed)
			}
			if test.rows == nil {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if ex.Provenance.Plan != test.want || !maps.Equal(ex.Cost.Rows, test.rows) || ex.Cost.RowsNaive != whole["model"] {
				t.Errorf("plan %s with rows %v of %d, want %s with %v of %d (%s)", ex.Provenance.Plan, ex.Cost.Rows, ex.Cost.RowsNaive, test.want, test.rows, whole["model"], test.reason)
			}
			doubt := false
			for _, w := range ex.Warnings {
				doubt = doubt || w.ID == "not-staged" && w.Subject == uncut.Node && strings.Contains(w.Text, uncut.Reason)
			}
			if doubt != test.doubt {
				t.Errorf("warnings %v, want not-staged %v", ex.Warnings, test.doubt)
			}
			p, _ := m.(product)
			if ex.Provenance.Additive != p.sum {
				t.Errorf("additive %v, want %v", ex.Provenance.Additive, p.sum)
			}
			opt.Plan = intershap.FullPlan
			same, err := intershap.Explain(t.Context(), m, f, f, opt)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				for r, row := range same.Phi(i) {
					for c, want := range row {
						if got := ex.Phi(i)[r][c]; !(math.Abs(got-want) <= 1e-12) {
							t.Fatalf("sample %d: phi[%d][%d] is %v, by the plan full %v", i, r, c, got, want)
						}
					}
				}
			}
		})
	}
}

func TestPlanKindNames(t *testing.T) {
	for _, k := range []intershap.PlanKind{intershap.AutoPlan, intershap.StagedPlan, intershap.FullPlan} {
		if back, err := intershap.ParsePlanKind(k.String()); err != nil || back != k {
			t.Errorf("%s parses as %v, %v", k, back, err)
		}
	}
	if _, err := intershap.ParsePlanKind("half"); err == nil || !strings.Contains(err.Error(), "auto, staged, full") {
		t.Errorf("got %v, want an error that lists the plans", err)
	}
	if s := fmt.Sprint(intershap.FullPlan + 1); s != "PlanKind(3)" {
		t.Errorf("an unknown plan is %s", s)
	}
}

// A plan may be closed twice, as by a caller that is told to be careful.
func TestPlanClose(t *testing.T) {
	var closed atomic.Int32
	f := grid(t, 20)
	p, err := intershap.NewPlan(t.Context(), product{macs: 9, closed: &closed}, f, f, intershap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Close(); err != nil || closed.Load() != 3 {
			t.Errorf("closed %d parts, %v, want 3", closed.Load(), err)
		}
	}
}
