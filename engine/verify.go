package engine

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// What parts and whole may differ by, relative to the largest output: a sum of
// thousands of products in another order, in the output's type.
const (
	halfBound   = 5e-3
	singleBound = 1e-4
	doubleBound = 1e-9
)

// StagedBound returns the difference that is allowed between an output in parts
// and the same output whole, relative to the largest, by the output's type.
func StagedBound(d tensor.DType) float64 {
	switch d {
	case tensor.Float64:
		return doubleBound
	case tensor.Float16:
		return halfBound
	default:
		return singleBound
	}
}

// verifiedCoalitions is the most coalitions that are looked at.
const verifiedCoalitions = 32

// verify holds the parts against the whole model, for every pair of the look's
// rows and some coalitions.
func (p *Plan) verify(ctx context.Context, v look) error {
	st := p.stage
	n, b := v.samples[0].Rows(), v.background[0].Rows()
	sides, err := st.sidesOf(ctx, v.samples, v.background)
	if err != nil {
		return unfit(ctx, err)
	}
	pairs := n * b
	nothing := func(int) {}
	some := p.verified()
	if err := st.mix(ctx, sides, p.patternsOf(some, 0), n, b, nothing, func(part *stagedPart, _ game.Coalition, err error) error {
		return partError(part, err)
	}); err != nil {
		return unfit(ctx, err)
	}
	var worst comparison
	for _, s := range some {
		parts, err := st.pairsOf(ctx, sides, s, n, b)
		if err != nil {
			return unfit(ctx, err)
		}
		whole, bound, err := p.wholePairs(ctx, v, s)
		if err != nil {
			return err
		}
		c := compare(parts, whole, bound)
		if c.worse(worst) {
			worst = c
			worst.coalition = s
		}
		if err := p.verifySums(ctx, sides, s, parts, n, b, bound); err != nil {
			return err
		}
	}
	if !worst.good() {
		return &model.Uncut{Reason: fmt.Sprintf("the model does not give in parts what it gives whole: with {%s} present the largest difference of %d rows is %.2g of the largest output, want at most %.2g",
			p.present(worst.coalition), pairs, worst.difference, worst.bound)}
	}
	return nil
}

// partError says which part failed.
func partError(p *stagedPart, err error) error { return fmt.Errorf("part %s: %w", p.name, err) }

// unfit makes a failure of the parts a reason to do without them.
func unfit(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return &model.Uncut{Reason: fmt.Sprintf("the model does not run in parts: %v", err)}
}

// A comparison is the largest difference between answers, relative to the
// largest answer. The zero comparison compared nothing.
type comparison struct {
	coalition         game.Coalition
	difference, bound float64
}

// good reports whether the difference is within the bound; NaN is not.
func (c comparison) good() bool { return c.difference <= c.bound }

// worse orders comparisons; nothing is worse than NaN.
func (c comparison) worse(than comparison) bool {
	return !math.IsNaN(than.difference) && !(c.difference <= than.difference) || than.bound == 0
}

// compare compares two lists of answers. What is not finite in both is left to
// the run, which names the row; many pairs of a look never occur in one.
func compare(got, want []float64, bound float64) comparison {
	largest, difference := 0.0, 0.0
	for i := range want {
		if !isFinite(got[i]) && !isFinite(want[i]) {
			continue
		}
		largest = max(largest, math.Abs(want[i])) // max keeps NaN
		difference = max(difference, math.Abs(got[i]-want[i]))
	}
	if largest > 0 {
		difference /= largest
	}
	return comparison{difference: difference, bound: bound}
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// verified returns the coalitions that are looked at. Of a list half of them are
// its own, spread over it: those are what is asked for. The others are what is looked
// at where there is no list, since the parts may serve other lists.
func (p *Plan) verified() []game.Coalition {
	some := someCoalitions(p.m)
	if p.coalitions == nil {
		return some
	}
	var out []game.Coalition
	own := min(verifiedCoalitions/2, p.width())
	for i := range own {
		out = append(out, p.coalition(i*(p.width()-1)/(own-1)))
	}
	for _, s := range some {
		if len(out) < verifiedCoalitions && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// someCoalitions returns all coalitions of m modalities, or as many as are
// verified, by a fixed rule: all and nothing, then one modality present or
// absent, then neighbours.
func someCoalitions(m int) []game.Coalition {
	all := game.Grand(m)
	var out []game.Coalition
	if 1<<m <= verifiedCoalitions {
		for s := range all + 1 {
			out = append(out, s)
		}
		return out
	}
	seen := map[game.Coalition]bool{}
	add := func(s game.Coalition) {
		if !seen[s] && len(out) < verifiedCoalitions {
			seen[s] = true
			out = append(out, s)
		}
	}
	add(0)
	add(all)
	for i := range m {
		add(game.Coalition(0).With(i))
		add(all.Without(i))
	}
	for i := range m {
		add(game.Coalition(0).With(i).With((i + 1) % m))
	}
	return out
}

// wholePairs asks the whole model about every pair of a look, and returns its
// outputs with the bound of their type.
func (p *Plan) wholePairs(ctx context.Context, v look, s game.Coalition) (values []float64, bound float64, err error) {
	n, b := v.samples[0].Rows(), v.background[0].Rows()
	var rows []tensor.Tensor
	for _, in := range v.samples {
		rows = append(rows, tensor.New(in.DType(), append([]int{n * b}, in.Shape()[1:]...)...))
	}
	copies := newRowCopy(s, ownedSpans(p.opt.Modalities, v.samples))
	for i := range n {
		copies.fill(rows, i*b, b, v.samples, i, v.background, 0, nil)
	}
	answers, err := Probe(ctx, p.opt.Model, p.inputs, rows)
	if err != nil {
		return nil, 0, err
	}
	out, err := Output(answers, p.opt.Output, n*b)
	if err != nil {
		return nil, 0, err
	}
	bound = StagedBound(out.DType())
	values = make([]float64, out.Len())
	if len(values) != n*b*p.opt.Width {
		return nil, 0, fmt.Errorf("engine: output %q has %d columns, want %d as before", p.opt.Output, out.RowLen(), p.opt.Width)
	}
	out.Float64s(values)
	return values, bound, nil
}

// sidesOf computes the features of samples and background rows by themselves.
func (st *staging) sidesOf(ctx context.Context, samples, background []tensor.Tensor) (*sides, error) {
	v := &sides{sample: make([]tensor.Tensor, len(st.features)), background: make([]tensor.Tensor, len(st.features))}
	for f, leaf := range st.leaves {
		v.sample[f] = leafRows(leaf, samples)
		v.background[f] = leafRows(leaf, background)
	}
	for i := range st.earlier() {
		p := &st.parts[i]
		for _, side := range []struct {
			features []tensor.Tensor
			present  game.Coalition
			skip     bool
		}{{v.sample, p.players, false}, {v.background, 0, p.fixed}} {
			if side.skip {
				continue
			}
			rows := side.features[st.taken(p)[0]].Rows()
			outputs, err := st.evaluate(ctx, p, st.inputs(&sides{sample: side.features, background: side.features}, p, side.present), rows, 1)
			if err != nil {
				return nil, partError(p, err)
			}
			for k, f := range p.outputs() {
				side.features[f] = outputs[k]
			}
		}
	}
	for f, t := range v.background {
		if t.Len() > 0 { // [b, 1, ...] to [1, b, ...]
			v.background[f] = t.Reshape(grid(1, t.Rows(), st.features[f].row)...)
		}
	}
	return v, nil
}

// pairsOf returns the output for every pair, with the modalities in s the
// sample's own.
func (st *staging) pairsOf(ctx context.Context, v *sides, s game.Coalition, n, b int) ([]float64, error) {
	out := make([]float64, n*b*st.width)
	if st.additive() {
		for _, f := range st.terms {
			spread(out, st.pick(v, f, s), n, b, st.width)
		}
		return out, nil
	}
	p := st.head()
	rows, columns := pairsIn(st.inputs(v, p, s))
	outputs, err := st.evaluate(ctx, p, st.inputs(v, p, s), rows, columns)
	if err != nil {
		return nil, partError(p, err)
	}
	spread(out, outputs[st.output], n, b, st.width)
	return out, nil
}

// pairsIn returns the longest first and second axes of inputs.
func pairsIn(inputs model.Batch) (n, b int) {
	for _, in := range inputs {
		n, b = max(n, in.Tensor.Shape()[0]), max(b, in.Tensor.Shape()[1])
	}
	return n, b
}

// spread adds a tensor [n or 1, b or 1, width] to n by b rows.
func spread(dst []float64, t tensor.Tensor, n, b, width int) {
	values := make([]float64, t.Len())
	t.Float64s(values)
	rows, columns := t.Shape()[0], t.Shape()[1]
	for i := range n {
		for k := range b {
			from := (i%rows*columns + k%columns) * width
			for c := range width {
				dst[(i*b+k)*width+c] += values[from+c]
			}
		}
	}
}

// verifySums holds the sums of a [model.Summer] against the same rows,
// transformed and added up here.
func (p *Plan) verifySums(ctx context.Context, v *sides, s game.Coalition, parts []float64, n, b int, bound float64) error {
	if p.stage.additive() || p.stage.head().summer == nil {
		return nil
	}
	head := p.stage.head()
	inputs := p.stage.inputs(v, head, s)
	rows, columns := pairsIn(inputs)
	sums, err := p.sumRows(ctx, inputs, []int{columns}, rows)
	if err != nil {
		return unfit(ctx, partError(head, err))
	}
	w := p.opt.Width
	got, want := make([]float64, 0, rows*w), make([]float64, 0, rows*w)
	for i := range rows {
		total := make([]mean, w)
		broken := false // the whole sum is NaN then
		for k := range columns {
			row := append([]float64(nil), parts[(i*b+k)*w:(i*b+k+1)*w]...)
			broken = broken || slices.ContainsFunc(row, func(y float64) bool { return !isFinite(y) })
			p.opt.Transform.Apply(row)
			for c, y := range row {
				total[c].add(y)
			}
		}
		for c := range w {
			// An infinite logarithm counts only where it is explained.
			if x := total[c].over(columns); isFinite(x) && !broken {
				want = append(want, x)
				got = append(got, (sums.High[i*w+c]+sums.Low[i*w+c])/float64(columns))
			}
		}
	}
	if c := compare(got, want, bound); !c.good() {
		return &model.Uncut{Reason: fmt.Sprintf("the model does not add up in the graph to what its rows add up to: with {%s} present the largest difference is %.2g of the largest mean, want at most %.2g",
			p.present(s), c.difference, c.bound)}
	}
	return nil
}
