package scene

import (
	"fmt"
	"image/color"
	"math"
)

// A Point is a place in the picture.
type Point struct{ X, Y float64 }

// A Box is a rectangle: its upper left corner, width and height.
type Box struct{ X, Y, W, H float64 }

// Right and Bottom return the far edges.
func (b Box) Right() float64 { return b.X + b.W }

// Bottom returns the lower edge.
func (b Box) Bottom() float64 { return b.Y + b.H }

// touch is how far boxes may reach into one another before they overlap: rounding.
const touch = 0.01

// Overlaps reports whether the boxes share more than an edge.
func (b Box) Overlaps(c Box) bool {
	return b.X+touch < c.Right() && c.X+touch < b.Right() && b.Y+touch < c.Bottom() && c.Y+touch < b.Bottom()
}

// Inside reports whether b lies within c.
func (b Box) Inside(c Box) bool {
	return b.X >= c.X-touch && b.Y >= c.Y-touch && b.Right() <= c.Right()+touch && b.Bottom() <= c.Bottom()+touch
}

// A Scene is a picture.
type Scene struct {
	Width, Height float64
	// Title names the picture, Description tells what it shows, for those who do not
	// see it.
	Title, Description string
	Background         color.NRGBA
	Items              []Item
}

// An Item is one thing to draw: *[Rect], *[Line], *[Circle], *[Marks], *[Text] or
// *[Group]. The class of an item says what it is in the picture, such as "bar".
type Item interface{ item() }

// A Rect is a filled box; a colour with an alpha of 0 is none.
type Rect struct {
	Class        string
	Box          Box
	Fill, Stroke color.NRGBA
}

// A Line is a polyline.
type Line struct {
	Class  string
	Points []Point
	Stroke color.NRGBA
	Width  float64
	Dashed bool
}

// A Circle is a filled circle with a thin outline.
type Circle struct {
	Class        string
	Center       Point
	Radius       float64
	Fill, Stroke color.NRGBA
}

// A Shape is the form of marks.
type Shape uint8

// The shapes of marks.
const (
	Dot Shape = iota
	Square
	Triangle
	Diamond
	Cross
	Plus
	shapes
)

// Shapes returns how many shapes there are.
func Shapes() int { return int(shapes) }

// Marks are many small marks of one shape and colour, drawn as one thing so that
// files stay small.
type Marks struct {
	Class string
	Shape Shape
	// Size is the width of a mark.
	Size float64
	Fill color.NRGBA
	// Outline is the colour of the edge of a mark, within its size; an alpha of 0 is
	// none.
	Outline color.NRGBA
	At      []Point
}

// plain returns the marks without outlines that look the same: large ones in the colour
// of the outline, with smaller ones on them.
func (m *Marks) plain() []*Marks {
	large := *m
	large.Outline = color.NRGBA{}
	if m.Outline.A == 0 {
		return []*Marks{&large}
	}
	small := large
	large.Fill = m.Outline
	const edge = 0.6
	small.Size = max(m.Size-2*edge, m.Size/2)
	return []*Marks{&large, &small}
}

// An Align says which end of a text stands at its place.
type Align uint8

// The alignments.
const (
	Left Align = iota
	Center
	Right
)

// A Text is one line of text on its baseline.
type Text struct {
	Class string
	At    Point
	Align Align
	Font  Font
	Fill  color.NRGBA
	Text  string
}

// Box returns the space that the text takes, from ascent to descent.
func (t *Text) Box() Box {
	w := t.Font.Width(t.Text)
	x := t.At.X
	switch t.Align {
	case Center:
		x -= w / 2
	case Right:
		x -= w
	}
	return Box{x, t.At.Y - t.Font.Ascent(), w, t.Font.Ascent() + t.Font.Descent()}
}

// A Group holds items that belong together; Label says what they are, in full where
// texts are shortened.
type Group struct {
	Class, Label string
	Items        []Item
}

func (*Rect) item()   {}
func (*Line) item()   {}
func (*Circle) item() {}
func (*Marks) item()  {}
func (*Text) item()   {}
func (*Group) item()  {}

// Walk calls visit for every item in drawing order, groups before what they hold.
func (s *Scene) Walk(visit func(Item)) { walk(s.Items, visit) }

func walk(items []Item, visit func(Item)) {
	for _, it := range items {
		visit(it)
		if g, ok := it.(*Group); ok {
			walk(g.Items, visit)
		}
	}
}

// Texts returns the texts in drawing order.
func (s *Scene) Texts() []*Text {
	var out []*Text
	s.Walk(func(it Item) {
		if t, ok := it.(*Text); ok {
			out = append(out, t)
		}
	})
	return out
}

// Faults says what is wrong with a layout: texts that overlap or leave the picture,
// places that are no numbers. A good picture has none.
func (s *Scene) Faults() []string {
	var faults []string
	all := Box{0, 0, s.Width, s.Height}
	texts := s.Texts()
	for i, t := range texts {
		b := t.Box()
		if !b.Inside(all) {
			faults = append(faults, fmt.Sprintf("text %q at %.1f,%.1f, %.1f wide, leaves the picture of %.1f×%.1f", t.Text, b.X, b.Y, b.W, s.Width, s.Height))
		}
		for _, u := range texts[i+1:] {
			if b.Overlaps(u.Box()) {
				faults = append(faults, fmt.Sprintf("texts %q and %q overlap at %.1f,%.1f", t.Text, u.Text, u.At.X, u.At.Y))
			}
		}
	}
	s.Walk(func(it Item) {
		for _, p := range places(it) {
			if !finite(p.X) || !finite(p.Y) {
				faults = append(faults, fmt.Sprintf("%T has a place that is no number: %v", it, p))
				return
			}
			if o := (Box{p.X, p.Y, 0, 0}); !o.Inside(all) {
				faults = append(faults, fmt.Sprintf("%T leaves the picture of %.1f×%.1f: %v", it, s.Width, s.Height, p))
				return
			}
		}
	})
	return faults
}

// places returns the extreme points of what is not text.
func places(it Item) []Point {
	switch it := it.(type) {
	case *Rect:
		return []Point{{it.Box.X, it.Box.Y}, {it.Box.Right(), it.Box.Bottom()}}
	case *Line:
		return it.Points
	case *Circle:
		return []Point{{it.Center.X - it.Radius, it.Center.Y - it.Radius}, {it.Center.X + it.Radius, it.Center.Y + it.Radius}}
	case *Marks:
		return it.At
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
