package rival

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// pairs adds up f over all pairs of n samples, in blocks of the given length.
func pairs(t testing.TB, n, cols, block int, f func(i, j, c int) float64) EMAPInput {
	t.Helper()
	p := NewPairs(n, cols)
	for at := 0; at < n*n; at += block {
		b := matrix(min(block, n*n-at), cols, func(r, c int) float64 { return f((at+r)/n, (at+r)%n, c) })
		if err := p.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	in, err := p.Input()
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func emap(t testing.TB, in EMAPInput) EMAP {
	t.Helper()
	out, err := NewEMAP(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The worked example of Hessel and Lee's script. Row means -0.4, 4.9/3, 1.7/3; column
// means 0.2, 3.2/3, 1.6/3; mean 0.6. Row mean plus column mean less mean:
// -0.4+0.2-0.6, 8.1/3-0.6, 3.3/3-0.6.
func TestEMAPWorkedExample(t *testing.T) {
	f := [][]float64{{-1.3, .3, -.2}, {.8, 3, 1.1}, {1.1, -.1, .7}}
	var first EMAP
	for _, block := range []int{9, 1, 2, 4} {
		in := pairs(t, 3, 1, block, func(i, j, _ int) float64 { return f[i][j] })
		near(t, "mean", in.Mean[0], 0.6, 1e-15)
		out := emap(t, in)
		for i, want := range []float64{-0.8, 2.1, 0.5} {
			near(t, fmt.Sprint("projection of sample ", i), out.Projected.Data[i], want, 1e-15)
		}
		if block == 9 {
			first = out
		} else if fmt.Sprint(out.Projected, out.OverPairs) != fmt.Sprint(first.Projected, first.OverPairs) {
			t.Errorf("blocks of %d pairs give other bits than one block", block)
		}
	}
}

// Bits in all four combinations. AND: variance 3/16 over pairs, main effects a/2 and
// b/2 with 1/16 each, so 1/3 is not additive. XOR: main effects are constant. OR is
// AND with both sides flipped.
func TestEMAPOfGates(t *testing.T) {
	a, b := []int{0, 0, 1, 1}, []int{0, 1, 0, 1}
	for _, c := range []struct {
		name string
		f    func(a, b int) int
		want float64
	}{
		{"and", func(a, b int) int { return a & b }, 1. / 3},
		{"or", func(a, b int) int { return a | b }, 1. / 3},
		{"xor", func(a, b int) int { return a ^ b }, 1},
		{"first bit", func(a, b int) int { return a }, 0},
	} {
		in := pairs(t, 4, 2, 16, func(i, j, class int) float64 {
			v := float64(c.f(a[i], b[j]))
			return []float64{1 - v, v}[class]
		})
		out := emap(t, in)
		nearShare(t, c.name+" over pairs", out.OverPairs, c.want, 1e-14)
		// Every pair of bits is a sample, so both distributions are one.
		nearShare(t, c.name+" over samples", out.OverSamples, c.want, 1e-14)
	}
}

// On XOR the projection is 1/2 everywhere, and class 0 by the rule for equal outputs:
// accuracy falls from 1 to 1/2 and macro F1 from 1 to (2/3 + 0)/2.
func TestEMAPGap(t *testing.T) {
	a, b := []int{0, 0, 1, 1}, []int{0, 1, 0, 1}
	in := pairs(t, 4, 2, 16, func(i, j, class int) float64 {
		v := float64(a[i] ^ b[j])
		return []float64{1 - v, v}[class]
	})
	in.Labels = []int{0, 1, 1, 0}
	out := emap(t, in)
	if out.Gap == nil {
		t.Fatal(out.Unfit)
	}
	near(t, "accuracy", out.Gap.Model.Accuracy, 1, 0)
	near(t, "gap in accuracy", out.Gap.Accuracy, 0.5, 1e-15)
	near(t, "gap in macro F1", out.Gap.MacroF1, 2./3, 1e-15)

	// One column is class 1 above the threshold: 0.5 is not above 0.5.
	in = pairs(t, 4, 1, 16, func(i, j, _ int) float64 { return float64(a[i] ^ b[j]) })
	in.Labels, in.Threshold = []int{0, 1, 1, 0}, 0.5
	near(t, "gap of one column", emap(t, in).Gap.Accuracy, 0.5, 1e-15)

	// The gap has a sign: a model that is wrong on XOR gains by projection.
	in.Labels = []int{1, 0, 0, 1}
	near(t, "gap of a wrong model", emap(t, in).Gap.Accuracy, -0.5, 1e-15)
}

// Both bits are equal in the data, so XOR is 0 for every sample though it is not
// additive: the shares of variance tell the two apart.
func TestEMAPOfRedundantBits(t *testing.T) {
	bit := []int{0, 1, 0, 1}
	out := emap(t, pairs(t, 4, 1, 16, func(i, j, _ int) float64 { return float64(bit[i] ^ bit[j]) }))
	undefined(t, "over samples", out.OverSamples)
	nearShare(t, "over pairs", out.OverPairs, 1, 1e-15)
}

// A random additive model is its own projection: no gap, no share. M > 2 has few
// background rows on purpose.
func TestEMAPOfAdditiveModels(t *testing.T) {
	for seed := range uint64(20) {
		rng := seeded(seed)
		n, cols := 2+rng.IntN(30), 1+rng.IntN(4)
		labels := make([]int, n)
		for i := range labels {
			labels[i] = i % 2
		}
		for m := 2; m <= 5; m++ {
			in := additive(t, seed, m, n, cols)
			in.Labels = labels
			out := emap(t, in)
			for i, v := range out.Projected.Data {
				near(t, "projection", v, in.Outputs.Data[i], 1e-12)
			}
			nearShare(t, "over samples", out.OverSamples, 0, 1e-20)
			near(t, "gap in accuracy", out.Gap.Accuracy, 0, 0)
			near(t, "gap in macro F1", out.Gap.MacroF1, 0, 0)
			if m == 2 {
				nearShare(t, "over pairs", out.OverPairs, 0, 1e-12)
			}
		}
	}
}

// additive makes the input for a random sum of one part for each of m modalities.
func additive(t testing.TB, seed uint64, m, n, cols int) EMAPInput {
	rng := seeded(seed)
	part := make([]Matrix, m)
	for k := range part {
		part[k] = matrix(n, cols, func(int, int) float64 { return rng.NormFloat64() })
	}
	if m == 2 {
		return pairs(t, n, cols, 7, func(i, j, c int) float64 { return 3 + part[0].Row(i)[c] + part[1].Row(j)[c] })
	}
	f := func(from []int, c int) float64 {
		v := 3.0
		for k, i := range from {
			v += part[k].Row(i)[c]
		}
		return v
	}
	rows := make([][]int, 3) // background rows, each modality from a sample of its own
	for b := range rows {
		rows[b] = make([]int, m)
		for k := range rows[b] {
			rows[b][k] = rng.IntN(n)
		}
	}
	return product(m, n, cols, rows, f)
}

// product makes the input of the product design from background rows.
func product(m, n, cols int, rows [][]int, f func(from []int, c int) float64) EMAPInput {
	same := func(i int) []int {
		from := make([]int, m)
		for k := range from {
			from[k] = i
		}
		return from
	}
	in := EMAPInput{Design: Product, Mean: make([]float64, cols)}
	in.Outputs = matrix(n, cols, func(i, c int) float64 { return f(same(i), c) })
	for c := range in.Mean {
		for _, row := range rows {
			in.Mean[c] += f(row, c) / float64(len(rows))
		}
	}
	for k := range m {
		in.Mains = append(in.Mains, matrix(n, cols, func(i, c int) float64 {
			sum := 0.0
			for _, row := range rows {
				from := append([]int{}, row...)
				from[k] = i
				sum += f(from, c)
			}
			return sum / float64(len(rows))
		}))
	}
	return in
}

// The closed form is the least-squares solution: against a regression of f on dummy
// variables over every point of the product, for two and three modalities.
func TestEMAPIsLeastSquares(t *testing.T) {
	for seed := range uint64(10) {
		for m := 2; m <= 3; m++ {
			const n = 4
			rng := seeded(seed)
			points := 1
			for range m {
				points *= n
			}
			value := make([]float64, points)
			for i := range value {
				value[i] = rng.NormFloat64()
			}
			f := func(from []int, _ int) float64 {
				at := 0
				for _, i := range from {
					at = at*n + i
				}
				return value[at]
			}
			// All points as background rows: the estimates are exact then.
			rows := make([][]int, points)
			design := mat.NewDense(points, 1+m*(n-1), nil)
			for p := range rows {
				rows[p] = make([]int, m)
				design.Set(p, 0, 1)
				for k, at := m-1, p; k >= 0; k, at = k-1, at/n {
					rows[p][k] = at % n
					if at%n > 0 {
						design.Set(p, 1+k*(n-1)+at%n-1, 1)
					}
				}
			}
			var coef, fit mat.VecDense
			if err := coef.SolveVec(design, mat.NewVecDense(points, value)); err != nil {
				t.Fatal(err)
			}
			fit.MulVec(design, &coef)
			out := emap(t, product(m, n, 1, rows, f))
			for i := range n {
				at := 0
				for range m {
					at = at*n + i
				}
				near(t, fmt.Sprintf("seed %d, M=%d, sample %d", seed, m, i), out.Projected.Data[i], fit.AtVec(at), 1e-12)
			}
			if m == 2 {
				// And the share over pairs is that of the regression's residual.
				rest, whole, mean := 0.0, 0.0, mat.Sum(mat.NewVecDense(points, value))/float64(points)
				for p, v := range value {
					rest += (v - fit.AtVec(p)) * (v - fit.AtVec(p))
					whole += (v - mean) * (v - mean)
				}
				out := emap(t, pairs(t, n, 1, 5, func(i, j, _ int) float64 { return value[i*n+j] }))
				nearShare(t, "share of the residual", out.OverPairs, rest/whole, 1e-12)
			}
		}
	}
}

func TestEMAPIsSymmetric(t *testing.T) {
	rng := seeded(1)
	value := matrix(6, 6, func(int, int) float64 { return rng.NormFloat64() })
	a := emap(t, pairs(t, 6, 1, 36, func(i, j, _ int) float64 { return value.Row(i)[j] }))
	b := emap(t, pairs(t, 6, 1, 36, func(i, j, _ int) float64 { return value.Row(j)[i] }))
	for i := range a.Projected.Data {
		near(t, "projection", b.Projected.Data[i], a.Projected.Data[i], 1e-14)
	}
	nearShare(t, "over pairs", b.OverPairs, a.OverPairs.Or(-1), 1e-14)
}

// v({}) of the samples as they are is the mean of n pairs and no constant of EMAP.
func TestEMAPRefusesTheWrongMean(t *testing.T) {
	bit := []int{0, 1, 0, 1}
	in := pairs(t, 4, 1, 16, func(i, j, _ int) float64 { return float64(bit[i] ^ bit[j]) })
	in.Mean = []float64{0}
	if _, err := NewEMAP(in); err == nil || !strings.Contains(err.Error(), "v({}) of a background is not that mean") {
		t.Errorf("got error %v, want one that says what the mean is", err)
	}
}

func TestEMAPRefuses(t *testing.T) {
	good := func() EMAPInput {
		return pairs(t, 3, 1, 9, func(i, j, _ int) float64 { return float64(i * j) })
	}
	for _, c := range []struct {
		name  string
		spoil func(*EMAPInput)
		want  string
	}{
		{"no design", func(in *EMAPInput) { in.Design = 0 }, "want the design all-pairs or product"},
		{"one modality", func(in *EMAPInput) { in.Mains = in.Mains[:1] }, "want at least 2 modalities, got 1"},
		{"three in pairs", func(in *EMAPInput) { in.Mains = append(in.Mains, in.Mains[0]) }, "want 2 modalities for all pairs, got 3"},
		{"variance of a product", func(in *EMAPInput) { in.Design = Product }, "want a variance under the design all-pairs alone"},
		{"short means", func(in *EMAPInput) { in.Mains[1] = Matrix{2, 1, []float64{0, 0}} }, "means of modality 1: want 3×1 numbers, got 2×1"},
		{"short mean", func(in *EMAPInput) { in.Mean = nil }, "mean: want 1×1 numbers, got 1×0"},
		{"not finite", func(in *EMAPInput) { in.Outputs.Data[1] /= 0 * in.Outputs.Data[1] }, "outputs: row 1, column 0: want a finite number, got +Inf"},
		{"labels", func(in *EMAPInput) { in.Labels = []int{1} }, "want 3 labels, got 1"},
		{"negative variance", func(in *EMAPInput) { in.Variance[0] = -1 }, "want variances from 0 on, got -1"},
		{"foreign variance", func(in *EMAPInput) { in.Variance[0] /= 2 }, "main effects vary more than the model does"},
	} {
		in := good()
		c.spoil(&in)
		if _, err := NewEMAP(in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one that says %q", c.name, err, c.want)
		}
	}
	p := NewPairs(2, 1)
	if _, err := p.Input(); err == nil || !strings.Contains(err.Error(), "want 4 pairs of 2 samples, got 0") {
		t.Errorf("no pairs: got error %v", err)
	}
	if err := p.Add(Matrix{5, 1, make([]float64, 5)}); err == nil || !strings.Contains(err.Error(), "got more") {
		t.Errorf("too many pairs: got error %v", err)
	}
}

// Without labels, and with one class, shares remain and the gap is a footnote.
func TestEMAPWithoutGap(t *testing.T) {
	for _, c := range []struct {
		labels []int
		want   string
	}{
		{nil, "needs true labels and the data have none"},
		{[]int{1, 1, 1}, "all samples (3) are of class 1"},
		{[]int{0, -1, 1}, "sample 1 has no class"},
	} {
		in := pairs(t, 3, 1, 9, func(i, j, _ int) float64 { return float64(i * j) })
		in.Labels = c.labels
		out := emap(t, in)
		if out.Gap != nil || out.Unfit == nil || !strings.Contains(out.Unfit.Reason, c.want) || out.Unfit.Score != ScoreEMAP {
			t.Errorf("labels %v: got %v and %v, want a reason that says %q", c.labels, out.Gap, out.Unfit, c.want)
		}
		if _, ok := out.OverPairs.Value(); !ok {
			t.Errorf("labels %v: the share over pairs is undefined", c.labels)
		}
	}
	// A constant model has no variance to share, whatever rounding makes of it.
	out := emap(t, pairs(t, 7, 1, 49, func(int, int, int) float64 { return 0.1 }))
	undefined(t, "constant model over samples", out.OverSamples)
	undefined(t, "constant model over pairs", out.OverPairs)
	var u *Unfit
	if err := error(out.Unfit); !errors.As(err, &u) || u.Error() != "rival: emap: "+u.Reason {
		t.Errorf("got %v", err)
	}
}
