package wording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Points writes a fraction in percent, without the sign: one decimal, two below one
// percent. No more than that is known, and an exact zero is told from a rounded one.
func Points(x float64) string {
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

// Percent writes a fraction in percent: "12.3 %".
func Percent(x float64) string { return Points(x) + " %" }

// AtMost writes an upper bound in percent: what would round to nothing is the
// smallest number that two decimals show, since nothing is less than zero.
func AtMost(x float64) string {
	const smallest = 0.0001
	if x > 0 && x < smallest {
		x = smallest
	}
	return Percent(x)
}

// Significant writes a number with four significant digits.
func Significant(x float64) string { return fmt.Sprintf("%#.4g", x) }

// RoundTo rounds to a number of significant digits.
func RoundTo(x float64, digits int) float64 {
	if x == 0 || x-x != 0 {
		return x
	}
	unit := math.Pow(10, float64(digits)-math.Ceil(math.Log10(math.Abs(x))))
	return math.Round(x*unit) / unit
}

// Grouped writes a whole number with commas: 1,234,567.
func Grouped(n int64) string {
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

// Count writes "1 row", "2 rows".
func Count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Grouped(n) + " " + noun
}

// Seconds writes a time as a person reads it: "0.012 s", "3.4 s", "2 min 5 s",
// "3 h 20 min".
func Seconds(s float64) string {
	switch whole := int64(math.Round(s)); {
	case s < 100:
		return strconv.FormatFloat(RoundTo(s, 2), 'g', -1, 64) + " s"
	case whole < 3600:
		return strconv.FormatInt(whole/60, 10) + " min " + strconv.FormatInt(whole%60, 10) + " s"
	default:
		return Grouped(whole/3600) + " h " + strconv.FormatInt(whole%3600/60, 10) + " min"
	}
}

// Level writes a confidence level in percent, without the sign: "95", "99.9".
func Level(x float64) string { return strconv.FormatFloat(RoundTo(100*x, 4), 'g', -1, 64) }
