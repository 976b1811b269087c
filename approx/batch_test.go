package approx_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/index"
)

// Many games at a time have the estimates that each has alone, and these do not depend
// on the others: neither on which they are nor on how many.
func TestAllTo(t *testing.T) {
	for _, test := range []struct {
		m                approx.Method
		x                index.Index
		order, n, budget int
	}{
		{approx.Regression, index.SII, 2, 10, 300},
		{approx.Regression, index.KSII, 3, 9, 400}, // order 3 of 9 players
		{approx.Regression, index.SV, 1, 20, 500},  // more groups
		{approx.Regression, index.FSII, 2, 24, 950},
		{approx.Regression, index.SII, 2, 6, 64}, // all coalitions
		{approx.SHAPIQ, index.STII, 2, 10, 300},
		{approx.Permutation, index.SII, 2, 10, 600},
	} {
		d := draw(t, test.m, test.order, test.n, test.budget, 3)
		e := estimator(t, d, test.x, test.order)
		rng := rand.New(rand.NewPCG(12, 12))
		const games = 37 // two batches and some
		values, want := make([]float64, games*d.Len()), make([]float64, games*e.Len())
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		scratch := e.Scratch()
		for g := range games {
			e.To(want[g*e.Len():(g+1)*e.Len()], nil, values[g*d.Len():(g+1)*d.Len()], scratch)
		}
		got, all := make([]float64, games*e.Len()), e.AllScratch()
		var list [][]float64
		for g := range games {
			list = append(list, values[g*d.Len():(g+1)*d.Len()])
		}
		e.AllTo(got, list, all)
		largest := 0.0
		for _, x := range want {
			largest = max(largest, math.Abs(x))
		}
		for i, x := range want {
			if !(math.Abs(got[i]-x) <= 1e-10*largest) {
				t.Fatalf("%s of %s, game %d, position %d: want %v, got %v", test.m, test.x, i/e.Len(), i%e.Len(), x, got[i])
			}
		}
		for _, of := range [][2]int{{0, 1}, {5, 6}, {3, 20}, {30, 37}} {
			lo, hi := of[0], of[1]
			some := make([]float64, (hi-lo)*e.Len())
			for i := range all { // what is left there does not count
				all[i] = math.NaN()
			}
			e.AllTo(some, list[lo:hi], all)
			for i, x := range some {
				if x != got[lo*e.Len()+i] {
					t.Fatalf("%s of %s: game %d has %v at %d beside others, %v among games %d to %d", test.m, test.x, lo+i/e.Len(), got[lo*e.Len()+i], i%e.Len(), x, lo, hi)
				}
			}
		}
		e.AllTo(nil, nil, all)
	}
}

// The fits are made once, when they are asked for, with progress to the end.
func TestPrepare(t *testing.T) {
	d := draw(t, approx.Regression, 2, 16, 800, 1)
	if got, want := d.Unknowns(), 1+16+16*15/2; got != want {
		t.Errorf("%d unknowns, want %d", got, want)
	}
	calls, last := 0, 0
	tell := func(done, total int) {
		if calls++; done != calls || total != 2*2*(d.Draws()+1) {
			t.Errorf("call %d: %d of %d", calls, done, total)
		}
		last = total
	}
	if err := d.Prepare(t.Context(), tell); err != nil || calls == 0 || calls != last {
		t.Errorf("%d of %d parts, %v", calls, last, err)
	}
	if err := d.Prepare(t.Context(), func(int, int) { t.Error("prepared twice") }); err != nil {
		t.Error(err)
	}
	// It changes nothing.
	lazy := draw(t, approx.Regression, 2, 16, 800, 1)
	u := randomSum(16, 20, 1, 8, rand.New(rand.NewPCG(13, 13)))
	a, b := estimateOf(d, estimator(t, d, index.SII, 2), u.value), estimateOf(lazy, estimator(t, lazy, index.SII, 2), u.value)
	for i, x := range a.mean {
		if x != b.mean[i] {
			t.Errorf("position %d: %v prepared, %v not", i, x, b.mean[i])
		}
	}
	for _, other := range []*approx.Design{draw(t, approx.SHAPIQ, 2, 16, 800, 1), draw(t, approx.Permutation, 1, 16, 2000, 1), draw(t, approx.Regression, 2, 8, 256, 1)} {
		if err := other.Prepare(t.Context(), func(int, int) { t.Errorf("%s fits nothing here", other.Method()) }); err != nil || other.Unknowns() != 0 {
			t.Errorf("%s: %d unknowns, %v", other.Method(), other.Unknowns(), err)
		}
	}
}

// A preparation that is stopped says why, and leaves nothing half made.
func TestPrepareStops(t *testing.T) {
	cause := errors.New("enough")
	d := draw(t, approx.Regression, 2, 16, 800, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	last := 0
	err := d.Prepare(ctx, func(done, _ int) {
		if last = done; done == 3 {
			cancel(cause)
		}
	})
	if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "approx: ") || last != 3 {
		t.Errorf("stopped after part %d with %v", last, err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := d.Estimator(index.SII, 2); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := d.Prepare(ctx, nil); err != nil {
		t.Errorf("what is made needs no time: %v", err)
	}
}
