package plot

import (
	"math"
	"strings"

	"github.com/intershap/intershap/plot/scene"
)

// A table is the layout of most figures: rows with a name, an area to draw in, and
// texts in columns. All texts of a row stand in its own band and column, which is what
// keeps them apart.
type table struct {
	rows []row
	// heads are those of the columns of text.
	heads []string
	// axis maps values to places in the area; nil for none. unit is its title.
	axis *scale
	unit string
	// high is the height of a row.
	high float64
	// area is the width of the area where there is no axis; with one it takes what
	// is left.
	area float64
	// under draws behind the rows, in the whole area, with those of the rows.
	under func(whole area, rows []area) []scene.Item
	// shortened is set once the short forms of cells were taken.
	shortened bool
}

// A row is one line of a table.
type row struct {
	class string
	// label is the row in full, for those who point at it or hear it.
	label string
	name  name
	cells []string
	// short, if not nil, stands in for cells where these do not fit.
	short []string
	bold  bool
	// high, if not 0, is the height of this row.
	high float64
	draw func(a area) []scene.Item
}

// An area is the place of a row's drawing.
type area struct {
	scene.Box
	at func(v float64) float64
}

// middle returns the height of the row's middle.
func (a area) middle() float64 { return a.Y + a.H/2 }

const (
	gutter = 14
	// leastArea is the width below which bars say nothing, leastName that below
	// which names do.
	leastArea = 80
	leastName = 48
	// mostName is the part of the width that names may take.
	mostName = 0.36
)

// lay returns the widths of the name column, the area and the columns of text. Where
// the cells do not fit, their short forms take their place.
func (t *table) lay(s *sheet) (names, area float64, columns []float64, err error) {
	if names, area, columns, err = t.layCells(s); err == nil {
		return names, area, columns, nil
	}
	t.shortened = true
	for i := range t.rows {
		if r := &t.rows[i]; r.short != nil {
			r.cells = r.short
		}
	}
	return t.layCells(s)
}

func (t *table) layCells(s *sheet) (names, area float64, columns []float64, err error) {
	columns = make([]float64, len(t.heads))
	for i, h := range t.heads {
		columns[i] = smallFont.Width(h)
	}
	one, two := 0.0, 0.0 // widest name on one line, and broken
	for _, r := range t.rows {
		f := r.font()
		one = max(one, f.Width(r.name.String()))
		for _, line := range r.broken() {
			two = max(two, f.Width(line))
		}
		for i, c := range r.cells {
			columns[i] = max(columns[i], f.Width(c))
		}
	}
	texts := 0.0
	for i := range columns {
		columns[i] = math.Ceil(columns[i])
		texts += columns[i] + gutter
	}
	names = math.Ceil(one)
	if most := max(leastName, mostName*s.inner()); names > most {
		names = math.Ceil(min(two, most))
	}
	least := float64(leastArea)
	if t.axis == nil {
		least = t.area
	}
	area = s.inner() - texts - names - gutter
	if area < least {
		names = max(min(leastName, two), math.Floor(names-(least-area)))
		area = s.inner() - texts - names - gutter
	}
	if area < least {
		return 0, 0, nil, tooSmall(Options{Width: s.width}, s.width+least-area, 0)
	}
	if t.axis == nil {
		// Names take what the area does not need.
		room := names + area - t.area
		names, area = math.Ceil(one), t.area
		if one > room {
			names = math.Ceil(min(two, room))
		}
	}
	return names, area, columns, nil
}

func (r *row) font() scene.Font {
	if r.bold {
		return strongFont
	}
	return textFont
}

// broken returns the name in lines: a pair on two.
func (r *row) broken() []string {
	if len(r.name) == 2 {
		return []string{r.name[0] + " " + times, r.name[1]}
	}
	return r.name
}

// nameLines returns the name in lines of a width. Both names of a pair on one line
// are better than shortened ones on two.
func (r *row) nameLines(width float64) []string {
	f := r.font()
	if full := r.name.String(); f.Width(full) <= width {
		return []string{full}
	}
	if len(r.name) == 2 {
		sign := " " + times
		return []string{f.Shorten(r.name[0], width-f.Width(sign)) + sign, f.Shorten(r.name[1], width)}
	}
	// A single name may be broken between words, where that keeps it whole.
	if lines := f.Wrap(r.name[0], width); len(lines) == 2 && strings.Join(lines, " ") == r.name[0] {
		return lines
	}
	return []string{f.Shorten(r.name[0], width)}
}

// draw adds the table to the sheet.
func (t *table) draw(s *sheet) error {
	names, wide, columns, err := t.lay(s)
	if err != nil {
		return err
	}
	left := margin + names + gutter
	a := area{Box: scene.Box{X: left, W: wide}, at: func(float64) float64 { return left }}
	if t.axis != nil {
		t.axis.left, t.axis.width = left, wide
		a.at = t.axis.at
	}
	t.drawHeads(s, left+wide, columns)
	whole := area{Box: scene.Box{X: left, Y: s.y, W: wide}, at: a.at}
	var places []area
	for i := range t.rows {
		r := &t.rows[i]
		a.Y = s.y
		a.H = max(t.high, r.high, float64(len(r.nameLines(names)))*textFont.Line()+6)
		places = append(places, a)
		s.y += a.H
	}
	whole.H = s.y - whole.Y
	if t.axis != nil {
		s.add(t.drawAxis(s, whole))
	}
	if t.under != nil {
		s.add(t.under(whole, places)...)
	}
	for i := range t.rows {
		r := &t.rows[i]
		s.add(t.drawRow(s, r, r.nameLines(names), places[i], columns))
	}
	return nil
}

func (t *table) drawHeads(s *sheet, right float64, columns []float64) {
	if strings.Join(t.heads, "") == "" {
		return
	}
	y := s.y + smallFont.Ascent()
	for i, h := range t.heads {
		right += gutter + columns[i]
		if h != "" {
			s.add(&scene.Text{Class: "head", At: scene.Point{X: right, Y: y}, Align: scene.Right, Font: smallFont, Fill: s.muted, Text: h})
		}
	}
	s.y += smallFont.Line() + 4
}

func (t *table) drawRow(s *sheet, r *row, lines []string, a area, columns []float64) *scene.Group {
	g := &scene.Group{Class: "row " + r.class, Label: r.label}
	f := r.font()
	// The middle of small letters stands in the middle of the row.
	const rise = 0.36
	y := a.middle() + rise*f.Size - float64(len(lines)-1)*f.Line()/2
	for _, line := range lines {
		g.Items = append(g.Items, &scene.Text{Class: "name", At: scene.Point{X: margin, Y: y}, Font: f, Fill: s.ink, Text: line})
		y += f.Line()
	}
	if r.draw != nil {
		g.Items = append(g.Items, r.draw(a)...)
	}
	right := a.Right()
	for i, c := range r.cells {
		right += gutter + columns[i]
		if c != "" {
			g.Items = append(g.Items, &scene.Text{Class: "value", At: scene.Point{X: right, Y: a.middle() + rise*f.Size}, Align: scene.Right, Font: f, Fill: s.ink, Text: c})
		}
	}
	if r.label != "" {
		s.tell(r.label)
	}
	return g
}

// drawAxis draws ticks, their labels and lines, and the title of the axis.
func (t *table) drawAxis(s *sheet, a area) *scene.Group {
	g := &scene.Group{Class: "axis"}
	// Labels may reach into the margin on both sides.
	ticks := t.axis.ticks(smallFont, margin, s.width-margin)
	for _, k := range ticks {
		g.Items = append(g.Items, &scene.Line{Class: "grid", Stroke: s.grid, Width: 1, Points: []scene.Point{{X: k.x, Y: a.Y}, {X: k.x, Y: a.Bottom()}}})
	}
	s.y += 4 + smallFont.Ascent()
	for _, k := range ticks {
		g.Items = append(g.Items, &scene.Text{Class: "tick", At: scene.Point{X: k.x, Y: s.y}, Align: scene.Center, Font: smallFont, Fill: s.muted, Text: k.text})
	}
	if unit := t.axis.title(t.unit); unit != "" {
		s.y += smallFont.Line() + 1
		text := smallFont.Shorten(unit, s.inner())
		x := clampText(smallFont, text, a.X+a.W/2, margin, s.width-margin)
		g.Items = append(g.Items, &scene.Text{Class: "unit", At: scene.Point{X: x, Y: s.y}, Align: scene.Center, Font: smallFont, Fill: s.muted, Text: text})
	}
	s.y += smallFont.Line() - smallFont.Ascent()
	return g
}
