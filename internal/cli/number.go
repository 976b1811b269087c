package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/intershap/intershap/score"
)

// undefined is what stands for a share of no behaviour.
const undefined = "undefined"

// points writes a fraction in percent: one decimal, two below one percent. No
// more than that is known, and an exact zero is told from a rounded one.
func points(x float64) string {
	p := 100 * x
	switch {
	case p == 0:
		return "0"
	case math.Abs(p) < 0.995: // what two decimals would round to 1.00 has one
		text := strconv.FormatFloat(p, 'f', 2, 64)
		if text == "-0.00" {
			return "0.00"
		}
		return text
	}
	return strconv.FormatFloat(p, 'f', 1, 64)
}

func percent(x float64) string { return points(x) + " %" }

// atMost writes an upper bound in percent: what would round to nothing is the
// smallest number that two decimals show, since nothing is less than zero.
func atMost(x float64) string {
	const smallest = 0.0001
	if x > 0 && x < smallest {
		x = smallest
	}
	return percent(x)
}

// An interval is a share with its bounds.
type interval struct{ share, low, high score.Share }

// oneSided reports whether the interval reaches down to zero from a share above
// it: then all that is known is the upper bound.
func (v interval) oneSided() bool {
	x, ok := v.share.Value()
	low, hasLow := v.low.Value()
	_, hasHigh := v.high.Value()
	return ok && hasLow && hasHigh && low == 0 && x > 0
}

// unclear reports whether the bounds say nothing.
func (v interval) unclear() bool {
	high, _ := v.high.Value()
	return v.oneSided() && high == 1
}

// cell writes the interval: "12.3 % [10.1, 14.2]", "< 1.3 %", "12.3 %" where no
// bounds are known, "unclear" where they say nothing, "undefined".
func (v interval) cell() cell {
	x, ok := v.share.Value()
	if !ok {
		return cell{head: undefined}
	}
	low, hasLow := v.low.Value()
	high, hasHigh := v.high.Value()
	switch {
	case v.unclear():
		return cell{head: "unclear"}
	case v.oneSided():
		return cell{head: "< " + atMost(high)}
	case hasLow && hasHigh:
		return cell{head: percent(x), tail: "[" + points(low) + ", " + points(high) + "]"}
	}
	return cell{head: percent(x)}
}

// significant writes a number with four significant digits.
func significant(x float64) string { return fmt.Sprintf("%#.4g", x) }

// roundTo rounds to a number of significant digits.
func roundTo(x float64, digits int) float64 {
	if x == 0 || x-x != 0 {
		return x
	}
	unit := math.Pow(10, float64(digits)-math.Ceil(math.Log10(math.Abs(x))))
	return math.Round(x*unit) / unit
}

// grouped writes a whole number with commas: 1,234,567.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(text, "-")
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return text[:len(text)-len(digits)] + b.String()
}

// count writes "1 row", "2 rows".
func count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}

// seconds writes a time as a person reads it: "0.012 s", "3.4 s", "2 min 5 s",
// "3 h 20 min".
func seconds(s float64) string {
	switch whole := int64(math.Round(s)); {
	case s < 100:
		return strconv.FormatFloat(roundTo(s, 2), 'g', -1, 64) + " s"
	case whole < 3600:
		return strconv.FormatInt(whole/60, 10) + " min " + strconv.FormatInt(whole%60, 10) + " s"
	default:
		return grouped(whole/3600) + " h " + strconv.FormatInt(whole%3600/60, 10) + " min"
	}
}

// rate writes the rows of one second with three digits.
func rate(rows int64, s float64) string {
	if s <= 0 {
		return "-"
	}
	return grouped(int64(math.Round(roundTo(float64(rows)/s, 3))))
}

// level writes a confidence level in percent, without the sign: "95", "99.9".
func level(x float64) string { return strconv.FormatFloat(roundTo(100*x, 4), 'g', -1, 64) }
