package intershap_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// bitRows returns rows of m bits as inputs m1, m2, ..., row r holding the bits
// of patterns[r].
func bitRows(t testing.TB, m int, patterns []uint) dataset.File {
	t.Helper()
	var arrays []dataset.Array
	for i := range m {
		column := make([]float64, len(patterns))
		for r, p := range patterns {
			column[r] = float64(p >> i & 1)
		}
		arrays = append(arrays, dataset.Array{Name: fmt.Sprintf("m%d", i+1), Tensor: tensor.Of(column, len(column), 1)})
	}
	f, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// labeller returns the model that gives probability 1 to the class label(bits).
func labeller(m int, label func(ones uint) bool) model.Model {
	return model.RowFunc("probabilities", func(x model.Row) []float64 {
		var ones uint
		for i := range m {
			ones |= uint(x(fmt.Sprintf("m%d", i+1))[0]) << i
		}
		if label(ones) {
			return []float64{0, 1}
		}
		return []float64{1, 0}
	})
}

func all(m int) []uint {
	var out []uint
	for p := range uint(1) << m {
		out = append(out, p)
	}
	return out
}

// balanced repeats the patterns so that both classes of label are as frequent.
func balanced(m int, label func(uint) bool) []uint {
	var yes, no []uint
	for _, p := range all(m) {
		if label(p) {
			yes = append(yes, p)
		} else {
			no = append(no, p)
		}
	}
	var out []uint
	for range no {
		out = append(out, yes...)
	}
	for range yes {
		out = append(out, no...)
	}
	return out
}

func parity(p uint) bool     { return bits.OnesCount(p)%2 == 1 }
func exactlyOne(p uint) bool { return bits.OnesCount(p) == 1 }
func allOnes(m int) func(uint) bool {
	return func(p uint) bool { return p == 1<<m-1 }
}

// Exact values in rational arithmetic: fair bits, marginal background,
// probability of the predicted class. Decimal entries are those that were
// published to that many digits.
func TestRationalTable(t *testing.T) {
	const exact, fiveDigits = 1e-12, 5e-6
	tests := []struct {
		name                          string
		m                             int
		label                         func(uint) bool
		rows                          []uint
		convention                    score.Convention
		global, local, meanAbsolute   float64
		globalTol, localTol, absolTol float64
		diagonal, cell                float64 // of the mean matrix; NaN where not listed
	}{
		{"first bit alone", 2, func(p uint) bool { return p&1 == 1 }, all(2), score.Paper, 0, 0, 0, exact, exact, exact, math.NaN(), 0},
		{"XOR", 2, parity, all(2), score.Paper, 1, 1, 1, exact, exact, exact, 0, 1. / 4},
		{"AND", 2, allOnes(2), all(2), score.Paper, 1. / 3, 1. / 3, 1. / 3, exact, exact, exact, 1. / 8, 1. / 16},
		{"OR", 2, func(p uint) bool { return p != 0 }, all(2), score.Paper, 1. / 3, 1. / 3, 1. / 3, exact, exact, exact, 1. / 8, 1. / 16},
		{"AND single pair", 2, allOnes(2), all(2), score.SinglePair, 1. / 5, 1. / 5, 1. / 5, exact, exact, exact, 1. / 8, 1. / 16},
		{"parity 3", 3, parity, all(3), score.Paper, 3. / 4, 3. / 4, 3. / 4, exact, exact, exact, -1. / 12, 1. / 8},
		{"parity 4", 4, parity, all(4), score.Paper, 2. / 3, 2. / 3, 2. / 3, exact, exact, exact, -1. / 8, 1. / 12},
		{"parity 5", 5, parity, all(5), score.Paper, 5. / 8, 5. / 8, 5. / 8, exact, exact, exact, -3. / 20, 1. / 16},
		{"exactly one of 3", 3, exactlyOne, all(3), score.Paper, 11. / 12, .58594, .6, exact, fiveDigits, exact, -1. / 64, 11. / 128},
		{"exactly one of 3, balanced", 3, exactlyOne, balanced(3, exactlyOne), score.Paper, 163. / 176, .59401, .60927, exact, fiveDigits, fiveDigits, -13. / 900, 163. / 1800},
		{"exactly one of 4", 4, exactlyOne, all(4), score.Paper, 7. / 8, .54306, 5. / 9, exact, fiveDigits, exact, -1. / 64, 7. / 192},
		{"exactly one of 4, balanced", 4, exactlyOne, balanced(4, exactlyOne), score.Paper, 19. / 20, .51421, .53398, exact, fiveDigits, fiveDigits, -1. / 144, 19. / 432},
		{"exactly one of 5", 5, exactlyOne, all(5), score.Paper, 71. / 88, .57556, .59322, exact, fiveDigits, fiveDigits, -17. / 1024, 71. / 4096},
		{"redundant bits, AND", 2, allOnes(2), []uint{0, 3}, score.Paper, 0, 2. / 3, 1. / 2, exact, exact, exact, math.NaN(), 0},
		{"redundant bits, OR", 2, func(p uint) bool { return p != 0 }, []uint{0, 3}, score.Paper, 0, 2. / 3, 1. / 2, exact, exact, exact, math.NaN(), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows := bitRows(t, test.m, test.rows)
			ex, err := intershap.Explain(t.Context(), labeller(test.m, test.label), rows, rows, intershap.Options{
				BackgroundSize: intershap.AllRows, Convention: test.convention,
			})
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, got score.Share, want, tol float64) {
				t.Helper()
				if v, ok := got.Value(); !ok || math.Abs(v-want) > tol {
					t.Errorf("%s is %v, %v, want %v", what, v, ok, want)
				}
			}
			target := ex.Targets[0]
			check("global", target.Global.InterSHAP, test.global, test.globalTol)
			check("local", target.Local.Mean, test.local, test.localTol)
			check("mean absolute", target.MeanAbsolute.InterSHAP, test.meanAbsolute, test.absolTol)
			for i, row := range target.Global.Phi {
				for j, got := range row {
					want := test.cell
					if i == j {
						want = test.diagonal
					}
					if !math.IsNaN(want) && math.Abs(got-want) > exact {
						t.Errorf("phi[%d][%d] is %v, want %v", i, j, got, want)
					}
				}
			}
			if target.Residual > target.ResidualTolerance || target.Headline != "global" {
				t.Errorf("residual %v above %v, headline %s", target.Residual, target.ResidualTolerance, target.Headline)
			}
		})
	}
}

// One network, two baselines, two verdicts: the public test network of four
// hidden units, explained at [20 50 30] with the first two inputs as one
// modality.
func TestTwoBaselines(t *testing.T) {
	network := model.RowFunc("y", func(x model.Row) []float64 {
		v := x("x")
		sum := v[0] + v[1] + v[2]
		return []float64{max(0, sum-10) + 3*max(0, sum+1) - 1}
	})
	sample, err := dataset.FromArrays(dataset.Array{Name: "x", Tensor: tensor.Of([]float64{20, 50, 30}, 1, 3)})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		mask         string
		first, want  float64
		second, pair float64
	}{
		{"value:0", 270, 1. / 39, 110, 5},
		{"value:4", 248, 0, 104, 0},
	} {
		ex, err := intershap.Explain(t.Context(), network, sample, sample, intershap.Options{
			Modalities: []string{"a=x[0:2]", "b=x[2:]"}, Mask: []string{test.mask},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ex.Global().InterSHAP.Value(); !ok || math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%s: InterSHAP %v, want %v", test.mask, got, test.want)
		}
		want := [][]float64{{test.first, test.pair}, {test.pair, test.second}}
		for i, row := range ex.Phi(0) {
			for j, got := range row {
				if math.Abs(got-want[i][j]) > 1e-9 {
					t.Errorf("%s: phi[%d][%d] = %v, want %v", test.mask, i, j, got, want[i][j])
				}
			}
		}
	}
}

// A regression with a background like the data: mean v(S) equals mean v of the
// complement, and the paper's global score is 1/2 whatever the model.
func TestMeanDegenerate(t *testing.T) {
	sum := model.RowFunc("y", func(x model.Row) []float64 {
		a, b := x("a")[0], x("b")[0]
		return []float64{a + b + 0.05*a*b}
	})
	a, b := make([]float64, 40), make([]float64, 40)
	for i := range a {
		a[i] = math.Sin(float64(i))
		b[i] = 3 * math.Cos(float64(7*i))
	}
	rows, err := dataset.FromArrays(
		dataset.Array{Name: "a", Tensor: tensor.Of(a, 40, 1)},
		dataset.Array{Name: "b", Tensor: tensor.Of(b, 40, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ex, err := intershap.Explain(t.Context(), sum, rows, rows, intershap.Options{BackgroundSize: intershap.AllRows})
	if err != nil {
		t.Fatal(err)
	}
	target := ex.Targets[0]
	if got := target.Global.InterSHAP.Or(0); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("global %v, want 1/2", got)
	}
	if target.Headline != "mean_absolute" || !hasWarning(ex, "mean-degenerate") {
		t.Errorf("headline %s, warnings %v", target.Headline, ex.Warnings)
	}
	if got := target.MeanAbsolute.InterSHAP.Or(1); got > 0.1 {
		t.Errorf("mean absolute %v, want a small share", got)
	}
}

func hasWarning(ex *intershap.Explanation, id string) bool {
	for _, w := range ex.Warnings {
		if w.ID == id {
			return true
		}
	}
	return false
}
