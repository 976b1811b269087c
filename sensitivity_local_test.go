package intershap_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
)

// A localCase is a model of two modalities a and b, and samples that all have the same
// local score when the background is all of a fair draw of -1 and 1.
//
// With v = v({}), v(a), v(b), v(ab), m_a = v(a) - v({}), m_b = v(b) - v({}) and
// m_ab = v(ab) - v(a) - v(b) + v({}), the score is |m_ab| / (|m_a| + |m_b| + |m_ab|).
type localCase struct {
	name  string
	truth float64
	model model.Func
	a, b  []float64
	// keeps is the most of the bias that the correction may leave, from some number of
	// rows on.
	keeps float64
	from  int
}

var signs = [2][]float64{{-1, -1, 1, 1}, {-1, 1, -1, 1}}

var localCases = []localCase{
	// v = E AB, a E B, b E A, ab = 0, 0, 0, ab: m_a = m_b = 0, m_ab = ab.
	{"XOR: a·b", 1, model.RowFunc("y", func(v model.Row) []float64 { return []float64{v("a")[0] * v("b")[0]} }), signs[0], signs[1], 0.95, 10},
	// v = 0, a, 0, ab + a: m_a = a, m_b = 0, m_ab = ab, both of size 1.
	{"half: a·b + a", 0.5, model.RowFunc("y", func(v model.Row) []float64 { return []float64{v("a")[0]*v("b")[0] + v("a")[0]} }), signs[0], signs[1], 0.8, 10},
	// v = 0, E B, b E A + b, b at a = 0: m_a = 0, m_b = b, m_ab = 0. What interacts is
	// there, and these samples have none of it.
	{"none here: a·b + b at a = 0", 0, model.RowFunc("y", func(v model.Row) []float64 { return []float64{v("a")[0]*v("b")[0] + v("b")[0]} }), []float64{0, 0, 0, 0}, []float64{-1, 1, -1, 1}, 0.95, 100},
	// m_ab = 0 whatever rows are drawn, so that there is nothing to correct.
	{"additive: 2a + b", 0, model.RowFunc("y", func(v model.Row) []float64 { return []float64{2*v("a")[0] + v("b")[0]} }), signs[0], signs[1], 1, 10},
}

var localSizes = []int{10, 30, 100, 300, 1000}

// biases returns the mean of the plain and of the corrected local score over many draws
// of rows, less the truth.
func (c localCase) biases(t testing.TB, rows, draws int) (plain, corrected float64) {
	t.Helper()
	samples := columns(t, []string{"a", "b"}, c.a, c.b)
	rng := rand.New(rand.NewPCG(uint64(rows), 7))
	for range draws {
		l := c.explain(t, samples, fairRows(t, rng, rows)).Targets[0].Local
		plain += (l.Mean.Or(math.NaN()) - c.truth) / float64(draws)
		corrected += (l.Corrected.Or(math.NaN()) - c.truth) / float64(draws)
	}
	return plain, corrected
}

func (c localCase) explain(t testing.TB, samples, rows dataset.File) *intershap.Explanation {
	t.Helper()
	ex, err := intershap.Explain(t.Context(), c.model, samples, rows, intershap.Options{
		BackgroundSize: intershap.AllRows, Task: intershap.Regression, Sink: intershap.Discard, Workers: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return ex
}

func fairRows(t testing.TB, rng *rand.Rand, n int) dataset.File {
	a, b := make([]float64, n), make([]float64, n)
	for i := range n {
		a[i], b[i] = float64(2*rng.IntN(2)-1), float64(2*rng.IntN(2)-1)
	}
	return columns(t, []string{"a", "b"}, a, b)
}

// The truths that the cases claim: a background of all four rows has no error.
func TestLocalTruths(t *testing.T) {
	all := columns(t, []string{"a", "b"}, signs[0], signs[1])
	for _, c := range localCases {
		ex := c.explain(t, columns(t, []string{"a", "b"}, c.a, c.b), all)
		if got := ex.Targets[0].Local.Mean.Or(-1); math.Abs(got-c.truth) > 1e-15 {
			t.Errorf("%s: the local score is %v, want %v", c.name, got, c.truth)
		}
	}
}

// exact is what rounding makes of a zero.
const exact = 1e-12

// How far the local score is from the truth, plain and corrected: the table of
// docs/sensitivity.md, and what it must show.
func TestCoverageOfLocalBias(t *testing.T) {
	const draws = 200
	page, err := os.ReadFile("docs/sensitivity.md")
	if err != nil {
		t.Fatal(err)
	}
	var table, missing []string
	for _, c := range localCases {
		line := fmt.Sprintf("| %s | %g |", c.name, c.truth)
		for _, rows := range localSizes {
			plain, corrected := c.biases(t, rows, draws)
			line += fmt.Sprintf(" %s → %s |", biasText(plain), biasText(corrected))
			switch {
			case strings.HasPrefix(c.name, "additive"):
				if !(math.Abs(plain) < exact && math.Abs(corrected) < exact) {
					t.Errorf("%s, %d rows: biases %v and %v, want none: every draw gives zero", c.name, rows, plain, corrected)
				}
			case rows >= c.from && !(math.Abs(corrected) < c.keeps*math.Abs(plain)):
				t.Errorf("%s, %d rows: the bias is %v, corrected %v: want at most %v of it", c.name, rows, plain, corrected, c.keeps)
			case (plain < 0) != (c.truth > 0):
				t.Errorf("%s, %d rows: the bias is %v: want noise to lead to the middle", c.name, rows, plain)
			}
		}
		table = append(table, line)
		if !strings.Contains(string(page), line+"\n") {
			missing = append(missing, line)
		}
	}
	if len(missing) > 0 {
		t.Errorf("docs/sensitivity.md has another table:\n%s", strings.Join(table, "\n"))
	}
}

// biasText writes a bias in points.
func biasText(x float64) string {
	if math.Abs(x) < exact {
		return "0"
	}
	return strings.ReplaceAll(fmt.Sprintf("%+.1f", 100*x), "-", "−")
}

// Each sample's corrected score reaches the sink, and is the plain one where no draw can
// be wrong.
func TestLocalCorrectedReachesSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, c := range localCases {
		var log sampleLog
		_, err := intershap.Explain(t.Context(), c.model, columns(t, []string{"a", "b"}, c.a, c.b), fairRows(t, rng, 100), intershap.Options{
			BackgroundSize: intershap.AllRows, Task: intershap.Regression, Sink: &log,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range log.rows {
			plain, _ := row.InterSHAP.Value()
			corrected, ok := row.Corrected.Value()
			if !ok || (math.Abs(plain-corrected) < exact) != (c.name == "additive: 2a + b") {
				t.Errorf("%s, sample %s: plain %v, corrected %v (known: %v)", c.name, row.ID, plain, corrected, ok)
			}
		}
	}
}
