package cli

import (
	"math"
	"testing"

	"github.com/intershap/intershap/score"
)

// The words are tested where they are, in package wording; this checks that the
// table takes them.
func TestIntervalCell(t *testing.T) {
	d := score.Defined
	for want, v := range map[string]interval{
		"12.3 % [10.1, 14.2]": {d(0.123), d(0.101), d(0.142)},
		"< 1.3 %":             {d(0.01), d(0), d(0.013)},
		"undefined":           {},
	} {
		if got := v.cell().text(); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		seconds      float64
		want, reason string
	}{{0.3, "3,330", "three digits"}, {0, "-", "no time"}} {
		if got := rate(1000, tt.seconds); got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.reason, tt.want, got)
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
