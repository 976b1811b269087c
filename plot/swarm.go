package plot

import (
	"image/color"
	"math"
	"slices"

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
// is thinned out in the same proportion, and keeps at least one mark. Of the samples in
// a stack those that stay are spread evenly over its groups.
func place(points []point, a area, mark float64, groups []classGroup) [][]scene.Point {
	all, tallest := stacks(points, a, mark, groups)
	most := room(a, mark)
	out := make([][]scene.Point, len(groups))
	for i, s := range all {
		n := len(s)
		if tallest > most {
			n = int(math.Ceil(float64(len(s)) * float64(most) / float64(tallest)))
		}
		slices.SortStableFunc(s, func(a, b placed) int { return a.group - b.group })
		x := a.X + (float64(i)+0.5)*a.W/float64(len(all))
		for k := range n {
			// The middle one of n equal parts of the stack.
			p := s[(2*k+1)*len(s)/(2*n)]
			y := a.middle() + (float64(k)-float64(n-1)/2)*mark
			out[p.group] = append(out[p.group], scene.Point{X: x, Y: y})
		}
	}
	return out
}
