package scene

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	ink   = color.NRGBA{0, 0, 0, 0xff}
	red   = color.NRGBA{0xff, 0, 0, 0xff}
)

// TestWidth holds widths against the advances of Helvetica, in thousandths of an em,
// as Adobe's published metrics (Helvetica.afm, Helvetica-Bold.afm) have them:
// Liberation Sans was made to be as wide.
func TestWidth(t *testing.T) {
	for _, c := range []struct {
		text string
		bold bool
		want float64
	}{
		{"0", false, 556}, {"11", false, 1112}, {"W", false, 944}, {"i", false, 222}, {" ", false, 278}, {"AV", false, 667 + 667},
		{"0", true, 556}, {"i", true, 278}, {"W", true, 944}, {"", false, 0},
	} {
		// A font of 2,048 units an em rounds to half of one.
		if got := (Font{1000, c.bold}).Width(c.text); math.Abs(got-c.want) > 0.5*float64(max(1, len(c.text))) {
			t.Errorf("width of %q, bold %v: want %v, got %v", c.text, c.bold, c.want, got)
		}
	}
	if got := (Font{Size: 12}).Width("画"); got != 12 {
		t.Errorf("a letter that the font does not have: want an em, 12, got %v", got)
	}
	if got := (Font{Size: 12}).drawable("a画×−…"); got != "a□×−…" {
		t.Errorf("want a box for the letter that the font does not have, got %q", got)
	}
}

func TestShorten(t *testing.T) {
	f := Font{Size: 12}
	text := "a rather long name that says what was measured, and where"
	for width := 0.0; width < f.Width(text)+5; width += 3.7 {
		got := f.Shorten(text, width)
		switch {
		case f.Width(text) <= width:
			if got != text {
				t.Fatalf("width %v: want the whole text, got %q", width, got)
			}
			continue
		case width > 20 && f.Width(got) > width:
			t.Fatalf("width %v: %q is %v wide", width, got, f.Width(got))
		}
		head, tail, found := strings.Cut(got, ellipsis)
		if !found || head == "" || !strings.HasPrefix(text, head) || !strings.HasSuffix(text, tail) {
			t.Fatalf("width %v: want a beginning, an ellipsis and an end, got %q", width, got)
		}
		if d := len(head) - len(tail); d < 0 || d > 1 {
			t.Errorf("width %v: want the middle left out, got %q", width, got)
		}
		// One more letter does not fit.
		kept := len(head) + len(tail) + 1
		longer := text[:(kept+1)/2] + ellipsis + text[len(text)-kept/2:]
		if width > 20 && f.Width(longer) <= width {
			t.Errorf("width %v: got %q where %q fits", width, got, longer)
		}
	}
	if got := f.Shorten("äöüäöüäöüäöü", 40); strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("letters are cut whole, got %q", got)
	}
}

func TestWrap(t *testing.T) {
	f := Font{Size: 12}
	text := "words of a sentence that takes several lines, and averyveryverylongwordofmorethanaline at its end"
	for _, width := range []float64{80, 120, 300, 2000} {
		lines := f.Wrap(text, width)
		for _, l := range lines {
			if f.Width(l) > width {
				t.Errorf("width %v: line %q is %v wide", width, l, f.Width(l))
			}
		}
		joined := strings.Join(lines, " ")
		if width >= 300 && joined != text {
			t.Errorf("width %v: want every word, got %q", width, joined)
		}
		if width == 80 && !strings.Contains(joined, ellipsis) {
			t.Errorf("want the long word shortened, got %q", joined)
		}
	}
}

func TestBoxes(t *testing.T) {
	a := Box{10, 10, 20, 10}
	for _, c := range []struct {
		name   string
		b      Box
		over   bool
		inside bool // b in a
	}{
		{"itself", a, true, true},
		{"a corner", Box{29, 19, 20, 20}, true, false},
		{"beside", Box{30, 10, 20, 10}, false, false},
		{"below", Box{10, 20, 20, 10}, false, false},
		{"within", Box{12, 12, 2, 2}, true, true},
		{"around", Box{0, 0, 100, 100}, true, false},
		{"left of it", Box{0, 10, 9, 10}, false, false},
	} {
		if got := a.Overlaps(c.b); got != c.over {
			t.Errorf("%s: want overlap %v, got %v", c.name, c.over, got)
		}
		if got := c.b.Overlaps(a); got != c.over {
			t.Errorf("%s: overlap is symmetric, got %v", c.name, got)
		}
		if got := c.b.Inside(a); got != c.inside {
			t.Errorf("%s: want inside %v, got %v", c.name, c.inside, got)
		}
	}
}

func label(x, y float64, align Align, text string) *Text {
	return &Text{At: Point{x, y}, Align: align, Font: Font{Size: 12}, Fill: ink, Text: text}
}

// TestFaultsFindsThem: the check that all figures rely on can fail.
func TestFaultsFindsThem(t *testing.T) {
	for _, c := range []struct {
		name  string
		items []Item
		want  string
	}{
		{"apart", []Item{label(10, 20, Left, "one"), label(60, 20, Left, "two"), label(10, 40, Left, "three")}, ""},
		{"overlap", []Item{label(10, 20, Left, "one"), label(20, 25, Left, "two")}, `"one" and "two" overlap`},
		{"overlap of alignments", []Item{label(50, 20, Right, "one"), label(45, 20, Center, "two")}, "overlap"},
		{"overlap in groups", []Item{&Group{Items: []Item{label(10, 20, Left, "one")}}, label(12, 20, Left, "two")}, "overlap"},
		{"leaves right", []Item{label(180, 20, Left, "four letters")}, "leaves the picture"},
		{"leaves left", []Item{label(5, 20, Right, "four")}, "leaves the picture"},
		{"leaves above", []Item{label(5, 5, Left, "four")}, "leaves the picture"},
		{"no number", []Item{&Line{Points: []Point{{math.NaN(), 1}}}}, "no number"},
		{"infinite", []Item{&Rect{Box: Box{0, 0, math.Inf(1), 1}}}, "no number"},
		{"a bar outside", []Item{&Rect{Box: Box{150, 10, 60, 10}}}, "leaves the picture"},
		{"a circle outside", []Item{&Circle{Center: Point{5, 50}, Radius: 6}}, "leaves the picture"},
	} {
		s := &Scene{Width: 200, Height: 100, Items: c.items}
		got := strings.Join(s.Faults(), "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: want a fault that says %q, got %q", c.name, c.want, got)
		}
	}
}

// sampleScene has one of everything.
func sampleScene() *Scene {
	at := []Point{{20, 80}, {40, 80}}
	s := &Scene{Width: 200, Height: 100, Title: `<a> & "b"`, Description: "told\x01", Background: white}
	s.Items = []Item{
		&Rect{Class: "bar", Box: Box{100, 10, 40, 20}, Fill: red},
		&Line{Class: "line", Points: []Point{{10, 50}, {190, 50}}, Stroke: ink, Width: 2},
		&Line{Class: "dashed", Points: []Point{{10, 60}, {190, 60}}, Stroke: ink, Width: 1, Dashed: true},
		&Circle{Class: "node", Center: Point{170, 80}, Radius: 10, Fill: red, Stroke: ink},
		&Group{Class: "row x", Label: "]]> in full", Items: []Item{label(10, 20, Left, "Text “W” & <b>")}},
		label(195, 40, Right, "−1.5 画"),
	}
	for i := range Shapes() {
		s.Items = append(s.Items, &Marks{Class: "marks", Shape: Shape(i), Size: 8, Fill: red, At: []Point{{at[0].X + 20*float64(i), 80}}})
	}
	return s
}

var formats = map[string]func(*Scene, io.Writer) error{
	"svg": (*Scene).WriteSVG,
	"png": func(s *Scene, w io.Writer) error { return s.WritePNG(w, 192) },
	"pdf": (*Scene).WritePDF,
}

func TestSameBytes(t *testing.T) {
	for name, write := range formats {
		var first, second bytes.Buffer
		if err := errors.Join(write(sampleScene(), &first), write(sampleScene(), &second)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: want the same bytes twice", name)
		}
		if first.Len() == 0 {
			t.Errorf("%s: no bytes", name)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrors(t *testing.T) {
	for name, write := range formats {
		if err := write(sampleScene(), failing{}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: want the writer's error, got %v", name, err)
		}
	}
}

// TestSVG reads the document as XML: texts come back as they were, also those that
// would be markup, and nothing leads outside.
func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := sampleScene().WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	var texts, elements []string
	dec := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	inside := ""
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no well-formed XML: %v\n%s", err, b.String())
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local
			elements = append(elements, inside)
			for _, a := range token.Attr {
				if a.Name.Local == "href" || strings.Contains(a.Value, "url(") || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("%s has %s=%q, which leads outside or acts", inside, a.Name.Local, a.Value)
				}
				if inside == "text" && a.Name.Local == "textLength" {
					if w, err := strconv.ParseFloat(a.Value, 64); err != nil || w <= 0 {
						t.Errorf("textLength %q", a.Value)
					}
				}
			}
		case xml.EndElement:
			inside = ""
		case xml.CharData:
			if inside == "text" || inside == "title" || inside == "desc" {
				texts = append(texts, string(token))
			}
		}
	}
	want := []string{`<a> & "b"`, "told\uFFFD", "]]> in full", "Text “W” & <b>", "−1.5 画"}
	if fmt.Sprint(texts) != fmt.Sprint(want) {
		t.Errorf("want texts %q, got %q", want, texts)
	}
	wantElements := "svg title desc rect rect polyline polyline circle g title text text path path path path path path"
	if got := strings.Join(elements, " "); got != wantElements {
		t.Errorf("want elements %s, got %s", wantElements, got)
	}
	var inline bytes.Buffer
	if err := sampleScene().WriteInline(&inline); err != nil || !bytes.HasPrefix(inline.Bytes(), []byte("<svg ")) {
		t.Errorf("want the svg element alone, got %.30q, %v", inline.String(), err)
	}
}

// TestPNG looks at pixels: what is filled where it should be, and every letter within
// the box that it was measured to take.
func TestPNG(t *testing.T) {
	for _, dpi := range []int{96, 192} {
		var b bytes.Buffer
		if err := sampleScene().WritePNG(&b, dpi); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		scale := dpi / DPI
		if got := img.Bounds().Size(); got != image.Pt(200*scale, 100*scale) {
			t.Fatalf("dpi %d: want %d by %d, got %v", dpi, 200*scale, 100*scale, got)
		}
		at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(img.At(x*scale, y*scale)).(color.NRGBA) }
		for _, c := range []struct {
			x, y int
			want color.NRGBA
		}{{120, 20, red}, {99, 20, white}, {120, 31, white}, {170, 80, red}, {100, 50, ink}, {1, 1, white}, {20, 80, red}, {40, 80, red}, {120, 80, red}} {
			if got := at(c.x, c.y); got != c.want {
				t.Errorf("dpi %d: pixel %d,%d: want %v, got %v", dpi, c.x, c.y, c.want, got)
			}
		}
	}
}

func TestLettersStayInTheirBox(t *testing.T) {
	for _, align := range []Align{Left, Center, Right} {
		text := label(150, 50, align, "Wgjpq|ÄÅ 10.111")
		text.Font = Font{Size: 14, Bold: align == Center}
		s := &Scene{Width: 300, Height: 100, Background: white, Items: []Item{text}}
		var b bytes.Buffer
		if err := s.WritePNG(&b, DPI); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		drawn := image.Rectangle{}
		for y := range 100 {
			for x := range 300 {
				if r, _, _, _ := img.At(x, y).RGBA(); r < 0xd000 {
					drawn = drawn.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		box := text.Box()
		// Antialiasing takes up to a pixel at each side.
		if float64(drawn.Min.X) < box.X-1 || float64(drawn.Max.X) > box.Right()+1 || float64(drawn.Min.Y) < box.Y-1 || float64(drawn.Max.Y) > box.Bottom()+1 {
			t.Errorf("letters at %v leave the box %v", drawn, box)
		}
		if float64(drawn.Dx()) < box.W-4 {
			t.Errorf("want letters about as wide as the box, %v, got %v", box, drawn)
		}
	}
}

// TestPDF holds the file's table of contents against where objects really are, so that
// blanking dates moved nothing.
func TestPDF(t *testing.T) {
	var b bytes.Buffer
	if err := sampleScene().WritePDF(&b); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	if !bytes.HasPrefix(file, []byte("%PDF-")) {
		t.Fatalf("want a PDF, got %.20q", file)
	}
	if regexp.MustCompile(`CreationDate|ModDate|D:\d{8}`).Match(file) {
		t.Error("the file has a date")
	}
	table := regexp.MustCompile(`(\d{10}) 00000 n`).FindAllSubmatch(file, -1)
	if len(table) < 5 {
		t.Fatalf("want a table of objects, got %d", len(table))
	}
	for i, m := range table {
		at, err := strconv.Atoi(string(m[1]))
		if want := fmt.Sprintf("%d 0 obj", i+1); err != nil || !bytes.HasPrefix(file[at:], []byte(want)) {
			t.Errorf("object %d: want %q at %d, got %.12q", i+1, want, at, file[at:])
		}
	}
	// 200 by 100 pixels of 1/96 inch are 150 by 75 points.
	if !bytes.Contains(file, []byte("/MediaBox [0 0 150.00 75.00]")) {
		t.Error("want a page of 150 by 75 points")
	}
}

func TestUndatedFindsDates(t *testing.T) {
	in := "<<\n/Producer (x)\n/CreationDate (D:20260102030405)\n/ModDate (D:20260102030405)\n>>"
	got := string(undated([]byte(in)))
	if len(got) != len(in) || strings.Contains(got, "2026") || !strings.Contains(got, "/Producer (x)") || !strings.HasSuffix(got, "\n>>") {
		t.Errorf("want dates blanked and nothing moved, got %q", got)
	}
}

// TestMissing: letters that PNG and PDF do not show, each once, in any group and weight.
func TestMissing(t *testing.T) {
	s := &Scene{Items: []Item{
		&Text{Font: Font{Size: 12}, Text: "größe Ω № 画"},
		&Group{Items: []Item{&Text{Font: Font{Size: 12, Bold: true}, Text: "画像 ×"}}},
	}}
	if got := string(s.Missing()); got != "画像" {
		t.Errorf("want 画像, got %q", got)
	}
}

// TestOutlinedMarks: an outline is a larger mark below, no wider than the size.
func TestOutlinedMarks(t *testing.T) {
	m := &Marks{Shape: Square, Size: 3, Fill: color.NRGBA{240, 228, 66, 255}, Outline: color.NRGBA{100, 90, 30, 255}, At: []Point{{5, 5}}}
	got := m.plain()
	if len(got) != 2 || got[0].Fill != m.Outline || got[0].Size != 3 || got[1].Fill != m.Fill || !(got[1].Size > 1 && got[1].Size < 3) {
		t.Errorf("want the outline below a smaller mark, got %v", got)
	}
	m.Outline = color.NRGBA{}
	if got := m.plain(); len(got) != 1 || got[0].Fill != m.Fill {
		t.Errorf("want the mark alone, got %v", got)
	}
}
