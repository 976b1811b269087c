package compare

import (
	"slices"
	"testing"

	"github.com/intershap/intershap/score"
)

// Positions of a packed vector of three modalities, by hand:
// (0,0) (0,1) (0,2) (1,1) (1,2) (2,2).
func TestPackedPositions(t *testing.T) {
	want := [3][3]int{{0, 1, 2}, {1, 3, 4}, {2, 4, 5}}
	for i := range want {
		for j := range want {
			if got := at(i, j, 3); got != want[i][j] {
				t.Errorf("(%d, %d): want %d, got %d", i, j, want[i][j], got)
			}
		}
	}
	if packedLen(3) != 6 || !slices.Equal(allPairs(3), []bool{false, true, true, false, true, false}) ||
		!slices.Equal(oneCell(2, 1, 3), []bool{false, false, false, false, true, false}) {
		t.Errorf("parts: %v, %v", allPairs(3), oneCell(2, 1, 3))
	}
}

// AND of two fair bits has main effects of 1/8 and 1/16 in both cells of the pair: 1/3
// of behaviour where both cells count, 1/5 where one does.
func TestShareOfPart(t *testing.T) {
	and := []float64{1. / 8, 1. / 16, 1. / 8}
	none := make([]float64, 3)
	for convention, want := range map[score.Convention]float64{score.Paper: 1. / 3, score.SinglePair: 1. / 5} {
		f := newFrame(and, none, 10, 2, convention, .95)
		for _, end := range []bound{plain, small, large} {
			if got, ok := f.share(and, allPairs(2), end); !ok || !near(want, got) {
				t.Errorf("%v: want %v, got %v, %v", convention, want, got, ok)
			}
		}
		// Signs are fixed at those of the estimate: a draw on the other side of zero
		// takes away.
		if got, _ := f.share([]float64{1. / 8, -1. / 16, 1. / 8}, allPairs(2), plain); got >= 0 {
			t.Errorf("%v: a draw of the other sign has the share %v, want one below zero", convention, got)
		}
	}
}

// Cells that are within their error are left out at the end that they could fake. The
// limit is 2.262 standard errors, of ten samples, for the one pair.
func TestUnclearCells(t *testing.T) {
	mean := []float64{.3, .02, .1}
	f := newFrame(mean, []float64{.01, .02 / 2.2, .01}, 10, 2, score.Paper, .95)
	if !slices.Equal(f.clear, []bool{true, false, true}) {
		t.Fatalf("clear cells: %v", f.clear)
	}
	if g := newFrame(mean, []float64{.01, .02 / 2.3, .01}, 10, 2, score.Paper, .95); !g.clear[1] {
		t.Error("a pair of 2.3 standard errors is not clear")
	}
	// Two on the diagonal share the level: √0.95 each, whose limit is 2.685.
	if g := newFrame(mean, []float64{.3 / 2.6, .001, .1 / 2.8}, 10, 2, score.Paper, .95); g.clear[0] || !g.clear[2] {
		t.Errorf("clear on the diagonal: %v, want the second alone", g.clear)
	}
	check := func(end bound, part []bool, want float64) {
		t.Helper()
		if got, ok := f.share(mean, part, end); !ok || !near(want, got) {
			t.Errorf("end %d of %v: want %v, got %v, %v", end, part, want, got, ok)
		}
	}
	pairs, first := allPairs(2), oneCell(0, 0, 2)
	check(plain, pairs, .04/.44)
	check(small, pairs, 0)
	check(large, pairs, .04/.44) // both main effects are clear
	check(small, first, .3/.44)
	check(large, first, .3/.4) // the pair may be nothing
}

// Where nothing is left, any share is possible, but for what is nothing by
// construction.
func TestNothingLeft(t *testing.T) {
	part := allPairs(2)
	noise := newFrame([]float64{.1, 0, .1}, []float64{1, 0, 1}, 10, 2, score.Paper, .95)
	if got, ok := noise.share([]float64{.1, 0, .1}, part, large); !ok || got != 0 {
		t.Errorf("interactions that are nothing: at most %v, %v, want 0", got, ok)
	}
	unclear := newFrame([]float64{.1, .1, .1}, []float64{1, 1, 1}, 10, 2, score.Paper, .95)
	if got, ok := unclear.share([]float64{.1, 0, .1}, part, large); !ok || got != 1 {
		t.Errorf("unclear interactions: at most %v, %v, want 1", got, ok)
	}
	if got, ok := unclear.share([]float64{0, .1, 0}, part, small); !ok || got != 0 {
		t.Errorf("unclear interactions: at least %v, %v, want 0", got, ok)
	}
	only := newFrame([]float64{0, .1, 0}, []float64{0, 1, 0}, 10, 2, score.Paper, .95)
	if got, ok := only.share([]float64{0, .1, 0}, part, small); !ok || got != 1 {
		t.Errorf("nothing but interactions: at least %v, %v, want 1", got, ok)
	}
	if _, ok := only.share(make([]float64, 3), part, plain); ok {
		t.Error("a share of no behaviour is defined")
	}
}
