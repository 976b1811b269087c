package wording

import (
	"math"
	"testing"

	"github.com/intershap/intershap/score"
)

func TestPercent(t *testing.T) {
	tests := []struct {
		x      float64
		want   string
		reason string
	}{
		{0, "0 %", "an exact zero"},
		{1, "100.0 %", "the whole"},
		{0.123456, "12.3 %", "one decimal"},
		{0.0045, "0.45 %", "two decimals below one percent"},
		{0.00996, "1.0 %", "rounding must not give 1.00"},
		{0.01, "1.0 %", "one percent has one decimal"},
		{1e-9, "0.00 %", "not an exact zero"},
		{-0.25, "-25.0 %", "a difference may be negative"},
		{-0.004, "-0.40 %", "so may a small one"},
		{-1e-9, "0.00 %", "zero has no sign"},
	}
	for _, tt := range tests {
		if got := Percent(tt.x); got != tt.want {
			t.Errorf("Percent(%v): want %q, got %q: %s", tt.x, tt.want, got, tt.reason)
		}
	}
}

func TestInterval(t *testing.T) {
	d := score.Defined
	var none score.Share
	tests := []struct {
		v      Interval
		want   string
		reason string
	}{
		{Interval{d(0.123), d(0.101), d(0.142)}, "12.3 % [10.1, 14.2]", "two bounds"},
		{Interval{d(0.01), d(0), d(0.013)}, "< 1.3 %", "down to zero: only the upper bound is known"},
		{Interval{d(0), d(0), d(0)}, "0 % [0, 0]", "an exact zero stays one"},
		{Interval{d(0.123), none, none}, "12.3 %", "no bounds known"},
		{Interval{none, d(0), d(1)}, "undefined", "no number"},
		{Interval{d(0.4), d(0), d(1)}, "unclear", "from nothing to all"},
	}
	for _, tt := range tests {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("want %q, got %q: %s", tt.want, got, tt.reason)
		}
	}
}

func TestNumbers(t *testing.T) {
	check := func(got, want, reason string) {
		t.Helper()
		if got != want {
			t.Errorf("want %q, got %q: %s", want, got, reason)
		}
	}
	check(Grouped(1), "1", "short")
	check(Grouped(1234), "1,234", "one comma")
	check(Grouped(-1234567), "-1,234,567", "sign")
	check(Count(1, "row"), "1 row", "singular")
	check(Count(0, "row"), "0 rows", "plural")
	check(Seconds(0.0123), "0.012 s", "two digits")
	check(Seconds(59.9), "60 s", "below 100 s")
	check(Seconds(125), "2 min 5 s", "minutes")
	check(Seconds(3599.7), "1 h 0 min", "rounds before it splits")
	check(Seconds(12000), "3 h 20 min", "hours")
	check(Significant(0.89804), "0.8980", "four digits")
	check(Level(0.999), "99.9", "no rounding error")
}

func TestRoundTo(t *testing.T) {
	for _, tt := range []struct{ x, want float64 }{
		{0, 0}, {1234, 1230}, {-0.0012345, -0.00123}, {1000, 1000}, {math.Inf(1), math.Inf(1)},
	} {
		if got := RoundTo(tt.x, 3); got != tt.want && math.Abs(got-tt.want) > 1e-12*math.Abs(tt.want) {
			t.Errorf("RoundTo(%v, 3): want %v, got %v", tt.x, tt.want, got)
		}
	}
}

func TestDigits(t *testing.T) {
	for _, tt := range []struct {
		x            float64
		n            int
		want, reason string
	}{
		{0, 3, "0", "an exact zero"},
		{0.0123456, 3, "0.0123", "three digits"},
		{-4.5678, 3, "−4.57", "the wide minus"},
		{0.2847, 4, "0.2847", "four digits"},
		{9.996, 3, "10.0", "rounding up to the next power"},
		{123456, 3, "123456", "never fewer than the whole number"},
		{1234567, 3, "1.23×10⁶", "large"},
		{7.6321e-5, 3, "7.63×10⁻⁵", "small"},
		{0.0001, 3, "0.000100", "not below 1e-4"},
		{-2e-17, 1, "−2×10⁻¹⁷", "one digit, and an exponent of two"},
		{1e-300, 2, "1.0×10⁻³⁰⁰", "very small"},
	} {
		if got := Digits(tt.x, tt.n); got != tt.want {
			t.Errorf("Digits(%v, %d): want %q, got %q: %s", tt.x, tt.n, tt.want, got, tt.reason)
		}
	}
	if got := Scientific(0.5, 2); got != "5.0×10⁻¹" {
		t.Errorf("want 5.0×10⁻¹, got %q", got)
	}
}

func TestNoBreak(t *testing.T) {
	const s = "\u00a0"
	for text, want := range map[string]string{
		"12.3 % [10.1, 14.2]":               "12.3" + s + "% [10.1," + s + "14.2]",
		"< 1.3 % and more":                  "<" + s + "1.3" + s + "% and more",
		"44.0 % ± 29.9":                     "44.0" + s + "% ±" + s + "29.9",
		"(95 % interval 39.5 to 49.4)":      "(95" + s + "% interval 39.5 to 49.4)",
		"[−7.63×10⁻⁵, +0.0123]":             "[−7.63×10⁻⁵," + s + "+0.0123]",
		"the words [one, two] stay, and so": "the words [one, two] stay, and so",
	} {
		if got := NoBreak(text); got != want {
			t.Errorf("%q: want %q, got %q", text, want, got)
		}
	}
}

// A bound that rounds to nothing must not say that a share is below zero.
func TestAtMost(t *testing.T) {
	for x, want := range map[float64]string{1e-9: "0.01 %", 0.00012: "0.01 %", 0.013: "1.3 %", 0: "0 %"} {
		if got := AtMost(x); got != want {
			t.Errorf("at most %v: got %q, want %q", x, got, want)
		}
	}
}
