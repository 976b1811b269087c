package engine

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/game"
)

// A place is where a model row comes from.
type place struct {
	tile       *Tile // nil for a background row alone
	sample     int   // in the tile
	coalition  game.Coalition
	background int
}

// numbered is a Source of samples that were drawn: Number is the row of the file
// that sample i is.
type numbered interface{ Number(i int) int }

// describe names a row as a person knows it.
func (p *Plan) describe(at place) string {
	if at.tile == nil {
		return p.describeBackground(at)
	}
	sample := p.describeSample(at)
	if at.coalition == game.Grand(p.m) {
		return sample + " as it is"
	}
	return fmt.Sprintf("%s with {%s} present and %s elsewhere", sample, p.present(at.coalition), p.describeBackground(at))
}

// describeSample names the sample.
func (p *Plan) describeSample(at place) string {
	number := at.tile.Lo + at.sample
	if drawn, ok := p.opt.Samples.(numbered); ok {
		number = drawn.Number(number)
	}
	sample := fmt.Sprintf("sample %d", number)
	if ids := at.tile.Rows.IDs; ids.Rows() > at.sample {
		sample += fmt.Sprintf(" (id %s)", ids.Format(at.sample))
	}
	return sample
}

// present lists the modalities of a coalition.
func (p *Plan) present(s game.Coalition) string {
	var names []string
	for i, m := range p.opt.Modalities {
		if s.Has(i) {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, ", ")
}

// describeBackground names a background row by its place in the file.
func (p *Plan) describeBackground(at place) string {
	switch b := p.opt.Background; {
	case b.PerSample():
		return fmt.Sprintf("nearest row %d of %d", at.background+1, b.Len())
	case b.Len() < b.Drawn():
		return fmt.Sprintf("the fixed values of the mask %s", b.Mask())
	default:
		return fmt.Sprintf("background row %d", b.Source(at.background))
	}
}

// finite reports whether the columns are finite, or else names one that is not.
func finite(row []float64, columns []int) (column int, ok bool) {
	for _, c := range columns {
		if y := row[c]; y-y != 0 { // NaN and Inf alone
			return c, false
		}
	}
	return 0, true
}

// A TransformError is a transform without a finite value, as the logarithm of an
// output that is zero: the question is at fault, and not the model.
type TransformError struct{ text string }

// Error names the row and the column.
func (e *TransformError) Error() string { return e.text }

func (p *Plan) transformedError(at place, row []float64, column int) error {
	return &TransformError{p.notFinite(at, p.opt.Transform.String()+" of the model's output", column, row[column]).Error()}
}

func (p *Plan) notFinite(at place, what string, column int, y float64) error {
	return fmt.Errorf("engine: %s: %s %q is %v in column %d, want a finite number", p.describe(at), what, p.opt.Output, y, column)
}
