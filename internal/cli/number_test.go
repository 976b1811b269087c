package cli

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
		if got := percent(tt.x); got != tt.want {
			t.Errorf("percent(%v): want %q, got %q: %s", tt.x, tt.want, got, tt.reason)
		}
	}
}

func TestInterval(t *testing.T) {
	d := score.Defined
	var none score.Share
	tests := []struct {
		v      interval
		want   string
		reason string
	}{
		{interval{d(0.123), d(0.101), d(0.142)}, "12.3 % [10.1, 14.2]", "two bounds"},
		{interval{d(0.01), d(0), d(0.013)}, "< 1.3 %", "down to zero: only the upper bound is known"},
		{interval{d(0), d(0), d(0)}, "0 % [0, 0]", "an exact zero stays one"},
		{interval{d(0.123), none, none}, "12.3 %", "no bounds known"},
		{interval{none, d(0), d(1)}, "undefined", "no number"},
	}
	for _, tt := range tests {
		if got := tt.v.cell().text(); got != tt.want {
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
	check(grouped(1), "1", "short")
	check(grouped(1234), "1,234", "one comma")
	check(grouped(-1234567), "-1,234,567", "sign")
	check(count(1, "row"), "1 row", "singular")
	check(count(0, "row"), "0 rows", "plural")
	check(seconds(0.0123), "0.012 s", "two digits")
	check(seconds(59.9), "60 s", "below 100 s")
	check(seconds(125), "2 min 5 s", "minutes")
	check(seconds(3599.7), "1 h 0 min", "rounds before it splits")
	check(seconds(12000), "3 h 20 min", "hours")
	check(rate(1000, 0.3), "3,330", "three digits")
	check(rate(1000, 0), "-", "no time")
	check(significant(0.89804), "0.8980", "four digits")
	check(level(0.999), "99.9", "no rounding error")
}

func TestRoundTo(t *testing.T) {
	for _, tt := range []struct{ x, want float64 }{
		{0, 0}, {1234, 1230}, {-0.0012345, -0.00123}, {1000, 1000}, {math.Inf(1), math.Inf(1)},
	} {
		if got := roundTo(tt.x, 3); got != tt.want && math.Abs(got-tt.want) > 1e-12*math.Abs(tt.want) {
			t.Errorf("roundTo(%v, 3): want %v, got %v", tt.x, tt.want, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64 // 0: an error
	}{
		{"4096", 4096}, {"1B", 1}, {"2GiB", 2 << 30}, {"1.5 MiB", 3 << 19}, {"500MB", 500e6},
		{"10kb", 10e3}, {"1 TiB", 1 << 40}, {"3GB", 3e9}, {"7KiB", 7 << 10},
		{"", 0}, {"GiB", 0}, {"-1", 0}, {"0", 0}, {"2XB", 0}, {"nan", 0}, {"inf", 0}, {"1e30", 0}, {"0x10", 0}, {"1_000", 0},
	}
	for _, tt := range tests {
		got, err := parseSize(tt.text)
		if got != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("parseSize(%q): want %d, got %d, %v", tt.text, tt.want, got, err)
		}
	}
}

// TestSizeRoundTrip reads sizes as they are written.
func TestSizeRoundTrip(t *testing.T) {
	for _, n := range []int64{1, 999, 2 << 10, 5 << 20, 2 << 30, 3 << 40} {
		got, err := parseSize(formatSize(n))
		if err != nil || math.Abs(float64(got-n)) > 0.005*float64(n) {
			t.Errorf("%d is written %q and read as %d, %v", n, formatSize(n), got, err)
		}
	}
}

// A bound that rounds to nothing must not say that a share is below zero.
func TestAtMost(t *testing.T) {
	for x, want := range map[float64]string{1e-9: "0.01 %", 0.00012: "0.01 %", 0.013: "1.3 %", 0: "0 %"} {
		if got := atMost(x); got != want {
			t.Errorf("at most %v: got %q, want %q", x, got, want)
		}
	}
}
