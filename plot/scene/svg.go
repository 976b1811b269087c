package scene

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteSVG writes the picture as an SVG document without references to anything
// outside. Every text has its width written down (textLength), so that a viewer with
// another font does not make texts overlap.
func (s *Scene) WriteSVG(w io.Writer) error {
	var b svg
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	b.root(s)
	_, err := b.WriteTo(w)
	return err
}

// WriteInline writes the svg element alone, to stand in an HTML page.
func (s *Scene) WriteInline(w io.Writer) error {
	var b svg
	b.root(s)
	_, err := b.WriteTo(w)
	return err
}

// An svg is a document on its way.
type svg struct{ bytes.Buffer }

func (b *svg) root(s *Scene) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" aria-label="%s" font-family="%s" font-kerning="none">`+"\n",
		place(s.Width), place(s.Height), place(s.Width), place(s.Height), escaped(s.Title), Families)
	fmt.Fprintf(b, "<title>%s</title>\n<desc>%s</desc>\n", escaped(s.Title), escaped(s.Description))
	fmt.Fprintf(b, `<rect class="background" width="%s" height="%s"%s/>`+"\n", place(s.Width), place(s.Height), paint("fill", s.Background))
	b.items(s.Items)
	b.WriteString("</svg>\n")
}

func (b *svg) items(items []Item) {
	for _, it := range items {
		switch it := it.(type) {
		case *Group:
			fmt.Fprintf(b, "<g%s>\n", class(it.Class))
			if it.Label != "" {
				fmt.Fprintf(b, "<title>%s</title>\n", escaped(it.Label))
			}
			b.items(it.Items)
			b.WriteString("</g>\n")
		case *Rect:
			fmt.Fprintf(b, `<rect%s x="%s" y="%s" width="%s" height="%s"%s%s/>`+"\n", class(it.Class),
				place(it.Box.X), place(it.Box.Y), place(it.Box.W), place(it.Box.H), paint("fill", it.Fill), outline(it.Stroke))
		case *Circle:
			fmt.Fprintf(b, `<circle%s cx="%s" cy="%s" r="%s"%s%s/>`+"\n", class(it.Class),
				place(it.Center.X), place(it.Center.Y), place(it.Radius), paint("fill", it.Fill), outline(it.Stroke))
		case *Line:
			b.line(it)
		case *Marks:
			for _, m := range it.plain() {
				b.marks(m)
			}
		case *Text:
			b.text(it)
		}
	}
}

func (b *svg) line(l *Line) {
	var at []string
	for _, p := range l.Points {
		at = append(at, place(p.X)+","+place(p.Y))
	}
	dash := ""
	if l.Dashed {
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, dashes(l.Width))
	}
	fmt.Fprintf(b, `<polyline%s points="%s" fill="none"%s stroke-width="%s"%s/>`+"\n",
		class(l.Class), strings.Join(at, " "), paint("stroke", l.Stroke), place(l.Width), dash)
}

// dash and gapOf are the lengths of a dashed line's parts.
func dash(width float64) (on, off float64) { return 3 + width, 2 + width }

func dashes(width float64) string {
	on, off := dash(width)
	return place(on) + " " + place(off)
}

// marks writes all marks as one path: a dot is a line of no length with round ends.
func (b *svg) marks(m *Marks) {
	if len(m.At) == 0 {
		return
	}
	fmt.Fprintf(b, `<path%s d="`, class(m.Class))
	for _, p := range m.At {
		b.WriteString("M" + place(p.X) + " " + place(p.Y))
		for i, step := range m.Shape.outline(m.Size) {
			if i == 0 {
				fmt.Fprintf(b, "m%s %s", place(step[0].X), place(step[0].Y))
			}
			for j := 1; j < len(step); j++ {
				fmt.Fprintf(b, "l%s %s", place(step[j].X-step[j-1].X), place(step[j].Y-step[j-1].Y))
			}
			b.WriteString("z")
		}
		if m.Shape == Dot {
			b.WriteString("h0")
		}
	}
	b.WriteString(`"`)
	if m.Shape == Dot {
		fmt.Fprintf(b, ` fill="none"%s stroke-width="%s" stroke-linecap="round"/>`+"\n", paint("stroke", m.Fill), place(m.Size))
		return
	}
	fmt.Fprintf(b, "%s/>\n", paint("fill", m.Fill))
}

// outline returns the closed polygons of a shape around its middle; none for dots.
func (s Shape) outline(size float64) [][]Point {
	h := size / 2
	switch s {
	case Square:
		q := 0.9 * h
		return [][]Point{{{-q, -q}, {q, -q}, {q, q}, {-q, q}}}
	case Triangle:
		return [][]Point{{{0, -1.1 * h}, {1.1 * h, 0.9 * h}, {-1.1 * h, 0.9 * h}}}
	case Diamond:
		d := 1.2 * h
		return [][]Point{{{0, -d}, {d, 0}, {0, d}, {-d, 0}}}
	case Plus:
		t := 0.35 * h
		return [][]Point{{{-t, -h}, {t, -h}, {t, -t}, {h, -t}, {h, t}, {t, t}, {t, h}, {-t, h}, {-t, t}, {-h, t}, {-h, -t}, {-t, -t}}}
	case Cross:
		plus := Plus.outline(size)
		c := math.Sqrt2 / 2
		for i, p := range plus[0] {
			plus[0][i] = Point{1.1 * c * (p.X - p.Y), 1.1 * c * (p.X + p.Y)}
		}
		return plus
	}
	return nil
}

func (b *svg) text(t *Text) {
	if t.Text == "" {
		return
	}
	anchor, weight := "", ""
	switch t.Align {
	case Center:
		anchor = ` text-anchor="middle"`
	case Right:
		anchor = ` text-anchor="end"`
	}
	if t.Font.Bold {
		weight = ` font-weight="bold"`
	}
	fmt.Fprintf(b, `<text%s x="%s" y="%s" font-size="%s"%s%s%s textLength="%s" lengthAdjust="spacingAndGlyphs" xml:space="preserve">%s</text>`+"\n",
		class(t.Class), place(t.At.X), place(t.At.Y), place(t.Font.Size), weight, anchor, paint("fill", t.Fill),
		place(t.Font.Width(t.Text)), escaped(t.Text))
}

func class(name string) string {
	if name == "" {
		return ""
	}
	return ` class="` + escaped(name) + `"`
}

// place writes a length to a hundredth of a pixel.
func place(x float64) string {
	text := strconv.FormatFloat(math.Round(100*x)/100, 'f', -1, 64)
	if text == "-0" {
		return "0"
	}
	return text
}

func paint(what string, c color.NRGBA) string {
	if c.A == 0 {
		return fmt.Sprintf(` %s="none"`, what)
	}
	text := fmt.Sprintf(` %s="#%02x%02x%02x"`, what, c.R, c.G, c.B)
	if c.A < 0xff {
		text += fmt.Sprintf(` %s-opacity="%s"`, what, place(float64(c.A)/0xff))
	}
	return text
}

func outline(c color.NRGBA) string {
	if c.A == 0 {
		return ""
	}
	return paint("stroke", c)
}

// escaped writes text for XML; what XML cannot hold becomes U+FFFD.
func escaped(text string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}
