package plot

import (
	"math"
	"strconv"

	"github.com/intershap/intershap/plot/scene"
)

// A scale maps values to places: an axis without its drawing.
type scale struct {
	low, high   float64
	left, width float64
	// origin is the value that ticks count from where values differ by too little
	// to be written in full.
	origin float64
	// percent labels ticks in percent.
	percent bool
}

// newScale returns a scale that holds all values with some room at its ends. It has
// some width even where the values have none.
func newScale(values ...float64) scale {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	span := high - low
	if span == 0 {
		span = math.Abs(low)
		if span == 0 {
			span = 1
		}
	}
	const room = 0.05
	return scale{low: low - room*span, high: high + room*span, origin: values[0]}
}

// at returns the place of a value.
func (s scale) at(v float64) float64 {
	return s.left + s.width*(v-s.low)/(s.high-s.low)
}

// A tick is a labelled place of a scale.
type tick struct {
	x    float64
	text string
}

// distinct is how many steps from zero a value may be before its digits no longer
// tell it from its neighbours.
const distinct = 1e5

// relative reports whether ticks are differences to the origin.
func (s scale) relative() bool {
	return max(math.Abs(s.low), math.Abs(s.high)) > distinct*(s.high-s.low)
}

// ticks returns as many ticks with round values as there is room for, within the
// bounds left and right.
func (s scale) ticks(f scene.Font, left, right float64) []tick {
	const most, least, apart = 8, 1, 6
	for n := most; n >= least; n-- {
		found := s.every(roundStep((s.high - s.low) / float64(n)))
		fits := len(found) > 0
		end := math.Inf(-1)
		for _, t := range found {
			w := f.Width(t.text)
			fits = fits && t.x-w/2 >= left && t.x+w/2 <= right && t.x-w/2 >= end+apart
			end = t.x + w/2
		}
		if fits {
			return found
		}
	}
	return nil
}

// every returns the ticks at multiples of a step.
func (s scale) every(step float64) []tick {
	if step <= 0 || math.IsInf(step, 0) {
		return nil
	}
	from := 0.0
	if s.relative() {
		from = s.origin
	}
	var out []tick
	first, last := math.Ceil((s.low-from)/step-1e-9), math.Floor((s.high-from)/step+1e-9)
	for k := first; k <= last; k++ {
		out = append(out, tick{s.at(from + k*step), s.label(k*step, step)})
	}
	return out
}

// power returns the power of ten that labels are in units of: 0 where their digits can
// be written out.
func (s scale) power() int {
	const short, long = -4, 6
	span := s.high - s.low
	most := max(math.Abs(s.low), math.Abs(s.high))
	if s.relative() {
		most = span
	}
	if k := int(math.Floor(math.Log10(most))); k < short || k > long {
		return k
	}
	return 0
}

func (s scale) label(v, step float64) string {
	text := ""
	unit := math.Pow10(s.power())
	switch decimals := int(max(0, -math.Floor(math.Log10(step/unit)+1e-9))); {
	case math.Abs(v) < step/2:
		text = "0"
		if s.percent {
			text = "0 %"
		}
	case s.percent:
		text = strconv.FormatFloat(math.Round(1e6*v)/1e4, 'f', -1, 64) + " %"
	default:
		text = strconv.FormatFloat(v/unit, 'f', decimals, 64)
	}
	if s.relative() && v > step/2 {
		text = "+" + text
	}
	return minus(text)
}

// title completes the title of the axis: what its labels count from, and in what.
func (s scale) title(unit string) string {
	if s.relative() {
		unit = "difference to " + plain(s.origin) + ", " + unit
	}
	if k := s.power(); k != 0 {
		unit += minus(", in units of 1e" + strconv.Itoa(k))
	}
	return unit
}

// roundStep returns the smallest of 1, 2, 5 times a power of ten that is at least x.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= x*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}
