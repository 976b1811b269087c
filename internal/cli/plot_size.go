package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/intershap/intershap/plot"
	"github.com/intershap/intershap/plot/scene"
)

// A figureSize is the size of a figure in pixels of 1/96 inch; 0 for a side that is
// left open.
type figureSize struct {
	width, height float64
	// pixels is set when the size was given in pixels.
	pixels bool
}

// readFigureSize reads 800x500, 800x500px, 180x120mm, or a width alone.
func readFigureSize(text string) (figureSize, error) {
	wrong := fmt.Errorf("want a size such as 800x500, 180x120mm or 180mm, of %d to %d pixels a side, got %q", plot.MinSide, plot.MaxSide, text)
	size := figureSize{pixels: true}
	// The x of px does not stand between sides.
	sides := strings.Split(strings.ReplaceAll(strings.ToLower(text), "px", ""), "x")
	if len(sides) > 2 {
		return figureSize{}, wrong
	}
	unit := 1.0
	const millimetre = scene.DPI / 25.4
	if strings.HasSuffix(sides[len(sides)-1], "mm") {
		unit, size.pixels = millimetre, false
	}
	for i, to := range []*float64{&size.width, &size.height}[:len(sides)] {
		number := strings.TrimSpace(sides[i])
		if unit == millimetre {
			number = strings.TrimSpace(strings.TrimSuffix(number, "mm"))
		}
		x, err := strconv.ParseFloat(number, 64)
		if px := x * unit; err != nil || !(px >= plot.MinSide && px <= plot.MaxSide) {
			return figureSize{}, wrong
		}
		*to = x * unit
	}
	return size, nil
}

// readDPI reads a resolution.
func readDPI(text string) (int, error) {
	const least, most = 24, 2400
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("want a whole number from %d to %d, got %q", least, most, text)
	}
	return n, nil
}
