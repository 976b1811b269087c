package scene

import "image/color"

// A canvas draws one shape at a time. Transparent fills and strokes draw nothing.
type canvas interface {
	rect(b Box, fill, stroke color.NRGBA)
	circle(center Point, radius float64, fill, stroke color.NRGBA)
	polygon(points []Point, fill color.NRGBA)
	line(l *Line)
	text(t *Text)
}

// draw draws items on a canvas that knows neither groups nor marks.
func draw(c canvas, items []Item) {
	for _, it := range items {
		switch it := it.(type) {
		case *Group:
			draw(c, it.Items)
		case *Rect:
			c.rect(it.Box, it.Fill, it.Stroke)
		case *Circle:
			c.circle(it.Center, it.Radius, it.Fill, it.Stroke)
		case *Line:
			c.line(it)
		case *Marks:
			for _, m := range it.plain() {
				drawMarks(c, m)
			}
		case *Text:
			c.text(it)
		}
	}
}

func drawMarks(c canvas, m *Marks) {
	for _, at := range m.At {
		if m.Shape == Dot {
			c.circle(at, m.Size/2, m.Fill, color.NRGBA{})
		}
		for _, polygon := range m.Shape.outline(m.Size) {
			c.polygon(moved(polygon, at), m.Fill)
		}
	}
}

// moved returns the points shifted by a step.
func moved(points []Point, by Point) []Point {
	out := make([]Point, len(points))
	for i, q := range points {
		out[i] = Point{q.X + by.X, q.Y + by.Y}
	}
	return out
}
