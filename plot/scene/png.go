package scene

import (
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// DPI is the resolution at which a pixel of the scene is one of the picture.
const DPI = 96

// WritePNG writes the picture as PNG with a number of dots an inch.
func (s *Scene) WritePNG(w io.Writer, dpi int) error {
	c := vgimg.NewWith(vgimg.UseWH(length(s.Width), length(s.Height)), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(s.Background))
	p := pen{canvas: c, height: s.Height}
	draw(p, s.Items)
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// length turns pixels into the points of vg.
func length(px float64) vg.Length { return vg.Points(px * 72 / DPI) }

// A pen draws on a canvas of vg, whose y goes up.
type pen struct {
	canvas vg.Canvas
	height float64
}

func (p pen) at(q Point) vg.Point { return vg.Point{X: length(q.X), Y: length(p.height - q.Y)} }

func (p pen) way(points []Point, closed bool) vg.Path {
	var path vg.Path
	for i, q := range points {
		if i == 0 {
			path.Move(p.at(q))
		} else {
			path.Line(p.at(q))
		}
	}
	if closed {
		path.Close()
	}
	return path
}

func (p pen) rect(b Box, fill, stroke color.NRGBA) {
	corners := []Point{{b.X, b.Y}, {b.Right(), b.Y}, {b.Right(), b.Bottom()}, {b.X, b.Bottom()}}
	p.path(p.way(corners, true), fill, stroke)
}

func (p pen) polygon(points []Point, fill color.NRGBA) {
	p.path(p.way(points, true), fill, color.NRGBA{})
}

func (p pen) path(path vg.Path, fill, stroke color.NRGBA) {
	if fill.A > 0 {
		p.canvas.SetColor(fill)
		p.canvas.Fill(path)
	}
	if stroke.A > 0 {
		p.canvas.SetColor(stroke)
		p.canvas.SetLineWidth(length(1))
		p.canvas.Stroke(path)
	}
}

func (p pen) circle(center Point, radius float64, fill, stroke color.NRGBA) {
	var path vg.Path
	path.Move(p.at(Point{center.X + radius, center.Y}))
	path.Arc(p.at(center), length(radius), 0, 2*math.Pi)
	path.Close()
	p.path(path, fill, stroke)
}

func (p pen) line(l *Line) {
	if l.Stroke.A == 0 {
		return
	}
	var pattern []vg.Length
	if l.Dashed {
		on, off := dash(l.Width)
		pattern = []vg.Length{length(on), length(off)}
	}
	p.canvas.SetLineDash(pattern, 0)
	p.canvas.SetColor(l.Stroke)
	p.canvas.SetLineWidth(length(l.Width))
	p.canvas.Stroke(p.way(l.Points, false))
	p.canvas.SetLineDash(nil, 0)
}

// text fills the outlines of its letters where they were measured. The text call of vg
// would kern, and columns of numbers would not end where they should.
func (p pen) text(t *Text) {
	b := t.Box()
	var path vg.Path
	for _, contour := range t.Font.outlines(t.Font.drawable(t.Text)) {
		for i, step := range contour {
			at := func(q Point) vg.Point { return p.at(Point{b.X + q.X, t.At.Y + q.Y}) }
			switch {
			case i == 0:
				path.Move(at(step.to))
			case len(step.via) == 0:
				path.Line(at(step.to))
			case len(step.via) == 1:
				path.QuadTo(at(step.via[0]), at(step.to))
			default:
				path.CubeTo(at(step.via[0]), at(step.via[1]), at(step.to))
			}
		}
		path.Close()
	}
	p.path(path, t.Fill, color.NRGBA{})
}
