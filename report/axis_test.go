package report

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAxis(t *testing.T) {
	// 0 to 1 with 4 % free at either end: 0 is at 0.04/1.08.
	a := newAxis(0, 1, 0.3)
	for x, want := range map[float64]string{0: "3.70%", 0.5: "50.00%", 1: "96.30%", -9: "0.00%", 9: "100.00%"} {
		if got := a.place(x); got != want {
			t.Errorf("place of %v: want %s, got %s", x, want, got)
		}
	}
	if left, width := a.span(1, 0.5); left != "50.00%" || width != "46.30%" {
		t.Errorf("want a span from the smaller end, got %s, %s", left, width)
	}
	same := newAxis(2, 2)
	if got := same.place(2); got != "50.00%" {
		t.Errorf("one value: want it in the middle, got %s", got)
	}
	if got := newAxis().place(0); got != "50.00%" {
		t.Errorf("no value: want zero in the middle, got %s", got)
	}
}

func TestTicks(t *testing.T) {
	check := func(a axis, reason string, want ...string) {
		t.Helper()
		var got []string
		for _, k := range a.ticks(4) {
			got = append(got, k.Text)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", reason, d)
		}
	}
	check(axis{0, 1}, "halves", "0.0", "0.5", "1.0")
	check(axis{-0.31, 0.57}, "a step of 0.5 would leave one mark", "0.0", "0.5")
	check(axis{-3, 12}, "whole numbers", "0", "5", "10")
	check(axis{1e-7, 5e-7}, "tiny ones have a power of ten", "1.0×10⁻⁷", "2.0×10⁻⁷", "3.0×10⁻⁷", "4.0×10⁻⁷", "5.0×10⁻⁷")
	check(axis{-2e6, 2e6}, "so have large ones", "\u22122.0×10⁶", "\u22121.0×10⁶", "0", "1.0×10⁶", "2.0×10⁶")
}

// Numbers at the ends of float64 give a picture, and nothing that is no number.
func TestAxisExtremes(t *testing.T) {
	for _, ends := range [][2]float64{
		{-math.MaxFloat64, math.MaxFloat64}, {0, math.MaxFloat64}, {0, math.SmallestNonzeroFloat64}, {math.MaxFloat64, math.MaxFloat64},
	} {
		a := newAxis(ends[0], ends[1])
		for _, x := range ends {
			if p := a.at(x); !(p >= 0 && p <= 100) {
				t.Errorf("axis of %v: want a place within 0 and 100, got %v", ends, p)
			}
		}
		for _, k := range a.ticks(4) {
			if k.At == "NaN%" || k.Text == "NaN" {
				t.Errorf("axis of %v: got the tick %v", ends, k)
			}
		}
	}
}

func TestShareAxis(t *testing.T) {
	for _, tt := range []struct {
		largest float64
		end     string
	}{{0, "1\u00a0%"}, {0.01, "1\u00a0%"}, {0.011, "5\u00a0%"}, {0.3, "50\u00a0%"}, {0.51, "100\u00a0%"}, {1, "100\u00a0%"}} {
		a, ticks := shareAxis(tt.largest)
		if got := ticks[2].Text; got != tt.end || a.at(tt.largest) > 100 {
			t.Errorf("shares up to %v: want an axis to %s, got %s", tt.largest, tt.end, got)
		}
	}
}

func TestSigned(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.25: "+0.250", -0.25: "\u22120.250", 1234: "+1234", -1e-7: "\u22121.00×10⁻⁷", 1234567: "+1.23×10⁶",
	} {
		if got := signed(x); got != want {
			t.Errorf("%v: want %q, got %q", x, want, got)
		}
	}
}
