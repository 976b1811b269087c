package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// each cuts the places of the only input into runs.
func (d *divider) each(length string) error {
	run := 1
	if length != "" {
		var err error
		if run, err = strconv.Atoi(length); err != nil || run < 1 {
			return d.fault("write each, or each:4", "want runs of at least one place, got %q", length)
		}
	}
	input, err := d.onlyInput(quote("each"))
	if err != nil {
		return err
	}
	step := d.step(input)
	var places []int // those that the modality has any of
	for at := range d.inputs[input].Shape[1] {
		if slices.ContainsFunc(d.owners[input][at*step:(at+1)*step], func(owner int) bool { return owner != outside }) {
			places = append(places, at)
		}
	}
	for from := 0; from < len(places); from += run {
		to := min(from+run, len(places))
		name := strconv.Itoa(places[from])
		switch {
		case run == 1 && step == 1 && d.features[input] != nil:
			_, name, _ = strings.Cut(d.features[input][places[from]], ".")
		case to-from > 1:
			name += "-" + strconv.Itoa(places[to-1])
		}
		group := d.open(name)
		for _, at := range places[from:to] {
			if err := d.claim(group, input, at*step, (at+1)*step); err != nil {
				return err
			}
		}
	}
	return nil
}

// grid cuts the last two axes of the only input into patches of sizes that differ
// by one at most.
func (d *divider) grid(down, across string) error {
	input, err := d.onlyInput(quote("grid"))
	if err != nil {
		return err
	}
	in := d.inputs[input]
	n := len(in.Shape)
	if n < 3 {
		return d.fault("write each:N for runs of places", "a grid cuts the last two axes, and rows of input %s have %d", in, n-1)
	}
	height, width := in.Shape[n-2], in.Shape[n-1]
	rows, errRows := strconv.Atoi(down)
	columns, errColumns := strconv.Atoi(across)
	if errRows != nil || errColumns != nil || rows < 1 || columns < 1 || rows > height || columns > width {
		return d.fault("grid:RxC makes R rows of C patches", "grid:%sx%s: want 1x1 to %dx%d, the last two axes of %s", down, across, height, width, in)
	}
	for r := range rows {
		for c := range columns {
			group := d.open(fmt.Sprintf("r%dc%d", r, c))
			claimed := false
			for y := r * height / rows; y < (r+1)*height/rows; y++ {
				// The same patch of every channel in front of the last two axes.
				for base := 0; base < len(d.owners[input]); base += height * width {
					lo, hi := base+y*width+c*width/columns, base+y*width+(c+1)*width/columns
					claimed = claimed || slices.ContainsFunc(d.owners[input][lo:hi], func(owner int) bool { return owner != outside })
					if err := d.claim(group, input, lo, hi); err != nil {
						return err
					}
				}
			}
			if !claimed {
				return d.fault("make fewer patches, or name ranges of places", "patch r%dc%d has nothing of modality %q", r, c, d.modality.Name)
			}
		}
	}
	return nil
}
