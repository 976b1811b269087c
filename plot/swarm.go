package plot

import (
	"image/color"
	"math"

	"github.com/intershap/intershap/plot/scene"
)

// A markStyle is how the marks of a class look.
type markStyle struct {
	fill  color.NRGBA
	shape scene.Shape
}

// A stack holds the samples with about the same value.
type stack []placed

type placed struct{ group int }

// stacks sorts samples into stacks as wide as a mark.
func stacks(points []point, a area, mark float64, groups []classGroup) (all []stack, tallest int) {
	all = make([]stack, max(1, int(a.W/mark)))
	for _, p := range points {
		at := int((a.at(p.value) - a.X) / a.W * float64(len(all)))
		at = min(max(at, 0), len(all)-1)
		all[at] = append(all[at], placed{groupOf(groups, p.class)})
		tallest = max(tallest, len(all[at]))
	}
	return all, tallest
}

// room returns how many marks a stack has room for.
func room(a area, mark float64) int { return max(1, int((a.H-6)/mark)) }

// markSizes are the widths of marks to choose from, largest first.
var markSizes = []float64{7, 6, 5, 4, 3}

// markSize returns the largest width of marks at which all samples have a place, or
// the smallest width.
func markSize(rows [][]point, a area) float64 {
	for _, size := range markSizes {
		fits := true
		for _, points := range rows {
			_, tallest := stacks(points, a, size, nil)
			fits = fits && tallest <= room(a, size)
		}
		if fits {
			return size
		}
	}
	return markSizes[len(markSizes)-1]
}

// place returns where the marks of each group stand, in stacks around the middle of the
// area. Where the highest stack has more samples than there is room for, every stack
// is thinned out in the same proportion, and keeps at least one mark. The marks of a
// stack are shared out among its groups: see apportion. most is the largest number of
// samples that one mark stands for, in its stack or of its group there.
func place(points []point, a area, mark float64, groups []classGroup) (at [][]scene.Point, most int) {
	all, tallest := stacks(points, a, mark, groups)
	high := room(a, mark)
	at = make([][]scene.Point, len(groups))
	for i, s := range all {
		if len(s) == 0 {
			continue
		}
		n := len(s)
		if tallest > high {
			n = int(math.Ceil(float64(len(s)) * float64(high) / float64(tallest)))
		}
		samples := make([]int, len(groups))
		for _, p := range s {
			samples[p.group]++
		}
		x := a.X + (float64(i)+0.5)*a.W/float64(len(all))
		y := a.middle() - float64(n-1)/2*mark
		most = max(most, upward(len(s), n))
		for g, marks := range apportion(samples, n) {
			if marks > 0 {
				most = max(most, upward(samples[g], marks))
			}
			for range marks {
				at[g] = append(at[g], scene.Point{X: x, Y: y})
				y += mark
			}
		}
	}
	return at, most
}

// upward divides and rounds up.
func upward(a, b int) int { return (a + b - 1) / b }

// apportion shares n marks out among groups in proportion to their samples, by the method
// of Sainte-Laguë: one at a time to the group with the largest samples/(2·marks+1). Every
// group with samples has a mark before that if there are as many marks as such groups,
// so that rare classes are seen.
func apportion(samples []int, n int) []int {
	marks := make([]int, len(samples))
	present := 0
	for _, k := range samples {
		if k > 0 {
			present++
		}
	}
	if n >= present {
		for g, k := range samples {
			if k > 0 {
				marks[g] = 1
			}
		}
		n -= present
	}
	for range n {
		best := 0
		for g, k := range samples {
			if k*(2*marks[best]+1) > samples[best]*(2*marks[g]+1) {
				best = g
			}
		}
		marks[best]++
	}
	return marks
}
