package scene

import (
	"bytes"
	"image/color"
	"io"
	"regexp"

	"codeberg.org/go-pdf/fpdf"
)

// WritePDF writes the picture as a PDF of one page of its size. Texts are texts, to
// be searched and copied, and the letters that they use are part of the file.
func (s *Scene) WritePDF(w io.Writer) error {
	const point = 72.0 / DPI
	doc := fpdf.NewCustom(&fpdf.InitType{
		OrientationStr: "P", UnitStr: "pt",
		Size: fpdf.SizeType{Wd: s.Width * point, Ht: s.Height * point},
	})
	doc.SetCatalogSort(true)
	doc.SetProducer("intershap", true)
	doc.SetTitle(s.Title, true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddUTF8FontFromBytes(pdfFont, "", regular().file)
	doc.AddUTF8FontFromBytes(pdfFont, "B", bold().file)
	doc.AddPage()
	p := page{doc: doc, point: point}
	p.rect(Box{0, 0, s.Width, s.Height}, s.Background, color.NRGBA{})
	draw(p, s.Items)
	var file bytes.Buffer
	if err := doc.Output(&file); err != nil {
		return err
	}
	_, err := w.Write(undated(file.Bytes()))
	return err
}

const pdfFont = "LiberationSans"

// dates matches the lines that say when a file was made. The library always writes
// them.
var dates = regexp.MustCompile(`\n/(CreationDate|ModDate) \(D:\d{14}\)`)

// undated blanks the dates, so that the same picture gives the same bytes; lengths
// stay, on which the file's table of contents relies.
func undated(file []byte) []byte {
	return dates.ReplaceAllFunc(file, func(line []byte) []byte {
		return append([]byte("\n"), bytes.Repeat([]byte(" "), len(line)-1)...)
	})
}

// A page draws on a page of PDF, in points from the upper left corner.
type page struct {
	doc   *fpdf.Fpdf
	point float64
}

func (p page) fill(c color.NRGBA) {
	p.doc.SetFillColor(int(c.R), int(c.G), int(c.B))
	p.doc.SetAlpha(float64(c.A)/0xff, "Normal")
}

func (p page) stroke(c color.NRGBA, width float64) {
	p.doc.SetDrawColor(int(c.R), int(c.G), int(c.B))
	p.doc.SetAlpha(float64(c.A)/0xff, "Normal")
	p.doc.SetLineWidth(width * p.point)
}

func (p page) rect(b Box, fill, stroke color.NRGBA) {
	paint := func(how string) { p.doc.Rect(b.X*p.point, b.Y*p.point, b.W*p.point, b.H*p.point, how) }
	if fill.A > 0 {
		p.fill(fill)
		paint("F")
	}
	if stroke.A > 0 {
		p.stroke(stroke, 1)
		paint("D")
	}
}

func (p page) circle(c Point, radius float64, fill, stroke color.NRGBA) {
	paint := func(how string) { p.doc.Circle(c.X*p.point, c.Y*p.point, radius*p.point, how) }
	if fill.A > 0 {
		p.fill(fill)
		paint("F")
	}
	if stroke.A > 0 {
		p.stroke(stroke, 1)
		paint("D")
	}
}

func (p page) polygon(points []Point, fill color.NRGBA) {
	var corners []fpdf.PointType
	for _, q := range points {
		corners = append(corners, fpdf.PointType{X: q.X * p.point, Y: q.Y * p.point})
	}
	p.fill(fill)
	p.doc.Polygon(corners, "F")
}

func (p page) line(l *Line) {
	if l.Stroke.A == 0 || len(l.Points) < 2 {
		return
	}
	p.stroke(l.Stroke, l.Width)
	if l.Dashed {
		on, off := dash(l.Width)
		p.doc.SetDashPattern([]float64{on * p.point, off * p.point}, 0)
	}
	for i, q := range l.Points {
		if i == 0 {
			p.doc.MoveTo(q.X*p.point, q.Y*p.point)
		} else {
			p.doc.LineTo(q.X*p.point, q.Y*p.point)
		}
	}
	p.doc.DrawPath("D")
	if l.Dashed {
		p.doc.SetDashPattern(nil, 0)
	}
}

func (p page) text(t *Text) {
	if t.Text == "" {
		return
	}
	style := ""
	if t.Font.Bold {
		style = "B"
	}
	p.doc.SetFont(pdfFont, style, t.Font.Size*p.point)
	p.doc.SetTextColor(int(t.Fill.R), int(t.Fill.G), int(t.Fill.B))
	p.doc.SetAlpha(float64(t.Fill.A)/0xff, "Normal")
	p.doc.Text(t.Box().X*p.point, t.At.Y*p.point, t.Font.drawable(t.Text))
}
