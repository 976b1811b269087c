package plot

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/intershap/intershap/internal/wording"
)

// minus writes the sign of a number as typographers do: a hyphen is easily missed.
func minus(text string) string { return strings.ReplaceAll(text, "-", "−") }

// digits writes x with a number of significant digits, with an exponent where it is
// tiny or huge.
func digits(x float64, n int) string {
	abs := math.Abs(x)
	if x == 0 {
		return "0"
	}
	// What rounds up to the next power of ten has one digit less behind the point.
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', n-1, 64), "e")
	power, err := strconv.Atoi(exponent)
	if err != nil || abs < 1e-4 || power >= 6 {
		return minus(fmt.Sprintf("%se%d", mantissa, power))
	}
	return minus(strconv.FormatFloat(x, 'f', max(0, n-1-power), 64))
}

// plain writes a value in the unit of the output.
func plain(x float64) string { return digits(x, 4) }

// signed writes an effect with its sign and three significant digits.
func signed(x float64) string {
	if x > 0 {
		return "+" + digits(x, 3)
	}
	return digits(x, 3)
}

func percent(x float64) string { return wording.Percent(x) }

func count(n int, noun string) string { return wording.Count(int64(n), noun) }

// normal returns how many standard errors a bound is away at a confidence level, by
// the normal distribution: √2·erf⁻¹(level).
func normal(level float64) float64 { return math.Sqrt2 * math.Erfinv(level) }
