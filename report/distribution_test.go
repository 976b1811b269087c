package report

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	sorted := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.25: 1.75, 1: 8, 0.9: 6.8} {
		if got := quantile(sorted, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("quantile %v: want %v, got %v", q, want, got)
		}
	}
	if got := quantile([]float64{7}, 0.3); got != 7 {
		t.Errorf("of one number: want it, got %v", got)
	}
}

func TestHistogram(t *testing.T) {
	// Two in the first bin, one in the second, one in the last, which holds 1.
	bars := histogram([]float64{0, 0.01, 0.05, 1})
	if len(bars) != bins {
		t.Fatalf("want %d bars, got %d", bins, len(bars))
	}
	for at, want := range map[int]binBar{
		0:  {X: "0.00%", Width: "5.00%", Y: "0.00%", Height: "100.00%", Range: "0 to 5\u00a0%", Count: "2"},
		1:  {X: "5.00%", Width: "5.00%", Y: "50.00%", Height: "50.00%", Range: "5 to 10\u00a0%", Count: "1"},
		2:  {X: "10.00%", Width: "5.00%", Y: "100.00%", Height: "0.00%", Range: "10 to 15\u00a0%", Count: "0"},
		19: {X: "95.00%", Width: "5.00%", Y: "50.00%", Height: "50.00%", Range: "95 to 100\u00a0%", Count: "1"},
	} {
		if bars[at] != want {
			t.Errorf("bar %d: want %+v, got %+v", at, want, bars[at])
		}
	}
	if histogram(nil) != nil {
		t.Error("no scores: want no bars")
	}
}
