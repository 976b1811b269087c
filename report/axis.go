package report

import (
	"math"
	"strconv"

	"github.com/intershap/intershap/internal/wording"
)

// An axis maps numbers to percentages of a picture's width. page.js has the same
// rules.
type axis struct{ lo, hi float64 }

// padding is the part of the range that is left free at either end.
const padding = 0.04

// newAxis returns an axis that all values lie on. Where they are all the same the
// axis reaches a tenth of their size, or one if they are zero, to either side.
func newAxis(values ...float64) axis {
	a := axis{math.Inf(1), math.Inf(-1)}
	for _, x := range values {
		a.lo, a.hi = min(a.lo, x), max(a.hi, x)
	}
	if a.lo > a.hi {
		a.lo, a.hi = 0, 0
	}
	if a.lo == a.hi {
		room := math.Abs(a.lo) / 10
		if room == 0 {
			room = 1
		}
		a.lo, a.hi = bounded(a.lo-room), bounded(a.hi+room)
	}
	room := padding*a.hi - padding*a.lo
	return axis{bounded(a.lo - room), bounded(a.hi + room)}
}

// percentAxis is the axis of shares: 0 to 100 %, without padding.
var percentAxis = axis{0, 1}

// bounded returns x within the finite numbers: sums of extreme ones leave them.
func bounded(x float64) float64 {
	return max(-math.MaxFloat64, min(math.MaxFloat64, x))
}

// at returns the place of x in percent.
func (a axis) at(x float64) float64 {
	part := (x - a.lo) / (a.hi - a.lo)
	if math.IsInf(a.hi-a.lo, 0) { // halves of extreme numbers have a difference
		part = (x/2 - a.lo/2) / (a.hi/2 - a.lo/2)
	}
	return max(0, min(100, 100*part))
}

// place returns the place of x as an SVG length.
func (a axis) place(x float64) string { return length(a.at(x)) }

// span returns the left end and the width between two numbers as SVG lengths.
func (a axis) span(x, y float64) (left, width string) {
	x, y = a.at(min(x, y)), a.at(max(x, y))
	return length(x), length(y - x)
}

func length(percent float64) string {
	return strconv.FormatFloat(percent, 'f', 2, 64) + "%"
}

// A tick is a mark on an axis.
type tick struct{ At, Text, Anchor string }

// ticks returns at most about most marks at multiples of 1, 2 or 5 of a power of ten.
func (a axis) ticks(most int) []tick {
	raw := (a.hi - a.lo) / float64(most)
	unit := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * unit
	for _, s := range []float64{1, 2, 5} {
		if s*unit >= raw {
			step = s * unit
			break
		}
	}
	if !(step > 0) || math.IsInf(step, 0) {
		return nil // at the ends of the floating-point numbers
	}
	var out []tick
	first, last := math.Ceil(a.lo/step), math.Floor(a.hi/step)
	for k := first; k <= last && len(out) <= 2*most; k++ {
		out = append(out, tick{At: a.place(k * step), Text: tickText(k*step, step, max(math.Abs(a.lo), math.Abs(a.hi))), Anchor: "middle"})
	}
	return out
}

// tickText writes a tick with the decimals of its step, very large and very small
// ones with a power of ten.
func tickText(x, step, largest float64) string {
	if step >= 1e-4 && largest < 1e5 {
		decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
		return wording.Minus(strconv.FormatFloat(x+0, 'f', decimals, 64))
	}
	return wording.Scientific(x, 2)
}

// percentTicks are the marks of [percentAxis].
func percentTicks() []tick {
	return []tick{
		{"0%", "0", "start"}, {"25%", "25", "middle"}, {"50%", "50", "middle"},
		{"75%", "75", "middle"}, {"100%", "100\u00a0%", "end"},
	}
}

// shareAxis returns an axis from zero over the largest of some shares, so that small
// ones are seen, and its ticks.
func shareAxis(largest float64) (axis, []tick) {
	end := 1.0
	for _, e := range []float64{0.5, 0.25, 0.1, 0.05, 0.01} {
		if largest <= e {
			end = e
		}
	}
	text := func(x float64) string { return strconv.FormatFloat(100*x, 'g', -1, 64) }
	return axis{0, end}, []tick{
		{"0%", "0", "start"}, {"50%", text(end / 2), "middle"}, {"100%", text(end) + "\u00a0%", "end"},
	}
}

// fewTicks are percentTicks for a narrow column.
func fewTicks() []tick {
	return []tick{{"0%", "0", "start"}, {"50%", "50", "middle"}, {"100%", "100\u00a0%", "end"}}
}
