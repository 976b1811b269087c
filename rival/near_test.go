package rival

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/score"
)

// near reports got when it is further than within from want, or no number.
func near(t testing.TB, what string, got, want, within float64) {
	t.Helper()
	if !isNear(got, want, within) {
		t.Errorf("%s: got %v, want %v within %g", what, got, want, within)
	}
}

func isNear(got, want, within float64) bool { return math.Abs(got-want) <= within }

// nearShare is near for shares; undefined stands for no number.
func nearShare(t testing.TB, what string, got score.Share, want, within float64) {
	t.Helper()
	v, ok := got.Value()
	if !ok {
		t.Errorf("%s: undefined, want %v", what, want)
		return
	}
	near(t, what, v, want, within)
}

func undefined(t testing.TB, what string, got score.Share) {
	t.Helper()
	if v, ok := got.Value(); ok {
		t.Errorf("%s: got %v, want undefined", what, v)
	}
}

// The comparator must fail on wrong values, and on what is no number.
func TestNearFails(t *testing.T) {
	for _, c := range []struct {
		got, want float64
		ok        bool
	}{
		{1, 1, true}, {1 + 1e-9, 1, false}, {1 - 1e-9, 1, false}, {-1, 1, false},
		{math.NaN(), 1, false}, {math.Inf(1), 1, false}, {1, math.NaN(), false},
	} {
		if got := isNear(c.got, c.want, 1e-12); got != c.ok {
			t.Errorf("got %v and want %v are called close: %v, want %v", c.got, c.want, got, c.ok)
		}
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func matrix(rows, cols int, at func(i, j int) float64) Matrix {
	m := Matrix{rows, cols, make([]float64, rows*cols)}
	for i := range rows {
		for j := range cols {
			m.Data[i*cols+j] = at(i, j)
		}
	}
	return m
}
