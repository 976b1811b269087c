package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnits are the units of sizes in bytes, longest names first so that a
// suffix is found whole.
var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1},
}

// parseSize reads a size such as 2GiB, 1.5 GB or 4096 (bytes). Case does not
// matter.
func parseSize(text string) (int64, error) {
	number, unit := strings.TrimSpace(text), 1.0
	for _, u := range sizeUnits {
		if rest, ok := cutSuffixFold(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || x-x != 0 || strings.ContainsAny(number, "xXpP_") {
		return 0, fmt.Errorf("want a size such as 2GiB, 500MB or 4096, got %q", text)
	}
	bytes := x * unit
	if bytes < 1 || bytes >= math.MaxInt64 {
		return 0, fmt.Errorf("want a size of at least one byte and below 8 EiB, got %q", text)
	}
	return int64(bytes), nil
}

func cutSuffixFold(text, suffix string) (rest string, found bool) {
	at := len(text) - len(suffix)
	if at < 0 || !strings.EqualFold(text[at:], suffix) {
		return text, false
	}
	return text[:at], true
}

// formatSize writes a size as parseSize reads it, with three digits at most.
func formatSize(bytes int64) string {
	x := float64(bytes)
	for _, unit := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if x < 1000 || unit == "TiB" {
			return strconv.FormatFloat(roundTo(x, 3), 'f', -1, 64) + " " + unit
		}
		x /= 1 << 10
	}
	return "" // not reached: the last unit takes all
}
