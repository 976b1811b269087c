package wording

import (
	"fmt"
	"math"
	"regexp"
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

// Digits writes a number for a page or a figure with n significant digits, from 1 on:
// "0.0123", "−4.56", and below 1e-4 and from 1e6 on "7.63×10⁻⁵". Zero is "0".
func Digits(x float64, n int) string {
	if x == 0 {
		return "0"
	}
	// What rounds up to the next power of ten has one digit less behind the point.
	_, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', n-1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil || math.Abs(x) < 1e-4 || power >= 6 {
		return Scientific(x, n)
	}
	return Minus(strconv.FormatFloat(x, 'f', max(0, n-1-power), 64))
}

// Scientific writes a number with n significant digits and a power of ten:
// "7.63×10⁻⁵". Zero is "0".
func Scientific(x float64, n int) string {
	if x == 0 {
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', n-1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil { // not a finite number
		return Minus(mantissa)
	}
	return Minus(mantissa) + "×10" + raised.Replace(strconv.Itoa(power))
}

// raised writes an exponent.
var raised = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
	"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

// Minus gives a negative number the sign that is as wide as a plus.
func Minus(text string) string {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return "\u2212" + rest
	}
	return text
}

// blanks are those within a number: before its sign, within its bounds, behind < and ±.
var blanks = regexp.MustCompile(`\d %|[<±] \d|\[[-−+.×⁰¹²³⁴-⁹⁻\d]+, [-−+.×⁰¹²³⁴-⁹⁻\d]+\]`)

// NoBreak keeps the numbers in a text each on one line of a page: blanks within them
// become such that no line ends at. A terminal has its own way, and plain blanks.
func NoBreak(text string) string {
	return blanks.ReplaceAllStringFunc(text, func(number string) string {
		return strings.ReplaceAll(number, " ", "\u00a0")
	})
}

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
