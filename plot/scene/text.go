package scene

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A Font is Liberation Sans in a size, in pixels to the em.
type Font struct {
	Size float64
	Bold bool
}

// Families names the font in SVG, with those that are as wide.
const Families = "Liberation Sans, Arial, Helvetica, sans-serif"

// A typeface is a font file, parsed.
type typeface struct {
	file            []byte
	font            *opentype.Font
	em              fixed.Int26_6
	ascent, descent float64 // of one em
}

var (
	regular = sync.OnceValue(func() *typeface { return parse(liberationsansregular.TTF) })
	bold    = sync.OnceValue(func() *typeface { return parse(liberationsansbold.TTF) })
)

// parse reads a font that is part of the program: one that cannot be read is a fault
// of the program.
func parse(file []byte) *typeface {
	f, err := opentype.Parse(file)
	if err != nil {
		panic(fmt.Sprintf("scene: built-in font: %v", err))
	}
	t := &typeface{file: file, font: f, em: fixed.Int26_6(f.UnitsPerEm())}
	var buf sfnt.Buffer
	m, err := f.Metrics(&buf, t.em, font.HintingNone)
	if err != nil {
		panic(fmt.Sprintf("scene: built-in font: %v", err))
	}
	t.ascent, t.descent = float64(m.Ascent)/float64(t.em), float64(m.Descent)/float64(t.em)
	return t
}

func (f Font) face() *typeface {
	if f.Bold {
		return bold()
	}
	return regular()
}

// Ascent returns how far letters reach above the baseline.
func (f Font) Ascent() float64 { return f.face().ascent * f.Size }

// Descent returns how far they reach below.
func (f Font) Descent() float64 { return f.face().descent * f.Size }

// Line returns the distance of two baselines.
func (f Font) Line() float64 { return 1.25 * f.Size }

// Width returns the width of text: the sum of the advances of its letters, without
// kerning, which only brings letters closer. A letter that the font does not have
// counts as one em, as wide as letters are.
func (f Font) Width(text string) float64 {
	t := f.face()
	var buf sfnt.Buffer
	var units fixed.Int26_6
	for _, r := range text {
		g, err := t.font.GlyphIndex(&buf, r)
		if err != nil || g == 0 {
			units += t.em
			continue
		}
		a, err := t.font.GlyphAdvance(&buf, g, t.em, font.HintingNone)
		if err != nil {
			a = t.em
		}
		units += a
	}
	return float64(units) / float64(t.em) * f.Size
}

// A step is a part of an outline: a line to a point, or a curve by way of one or two
// others.
type step struct {
	to  Point
	via []Point
}

// outlines returns the closed contours of the letters of text, from its left end on
// the baseline. Letters stand at their advances.
func (f Font) outlines(text string) [][]step {
	t := f.face()
	var buf sfnt.Buffer
	var out [][]step
	x := 0.0
	scale := f.Size / float64(t.em)
	for _, r := range text {
		g, err := t.font.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		segments, err := t.font.LoadGlyph(&buf, g, t.em, nil)
		if err != nil {
			segments = nil // such as a colour picture: its room stays empty
		}
		at := func(p fixed.Point26_6) Point { return Point{x + float64(p.X)*scale, float64(p.Y) * scale} }
		for _, s := range segments {
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				out = append(out, []step{{to: at(s.Args[0])}})
				continue
			case sfnt.SegmentOpLineTo:
				out[len(out)-1] = append(out[len(out)-1], step{to: at(s.Args[0])})
			case sfnt.SegmentOpQuadTo:
				out[len(out)-1] = append(out[len(out)-1], step{at(s.Args[1]), []Point{at(s.Args[0])}})
			case sfnt.SegmentOpCubeTo:
				out[len(out)-1] = append(out[len(out)-1], step{at(s.Args[2]), []Point{at(s.Args[0]), at(s.Args[1])}})
			}
		}
		x += f.Width(string(r))
	}
	return out
}

// missing stands in PNG and PDF for a letter that the font does not have.
const missing = '□'

// drawable replaces the letters that the font does not have. SVG keeps them, since
// whoever shows it has other fonts.
func (f Font) drawable(text string) string {
	t := f.face()
	var buf sfnt.Buffer
	return strings.Map(func(r rune) rune {
		if g, err := t.font.GlyphIndex(&buf, r); err != nil || g == 0 {
			return missing
		}
		return r
	}, text)
}

// Missing returns the letters of the picture's texts that the font does not have, each
// once, in the order in which they come: SVG has them, PNG and PDF do not.
func (s *Scene) Missing() []rune {
	var out []rune
	var buf sfnt.Buffer
	for _, text := range s.Texts() {
		t := text.Font.face()
		for _, r := range text.Text {
			if g, err := t.font.GlyphIndex(&buf, r); (err != nil || g == 0) && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

const ellipsis = "…"

// Shorten leaves out the middle of text that is wider than width. What is left has
// at least its first letter and the ellipsis, however narrow the width.
func (f Font) Shorten(text string, width float64) string {
	if f.Width(text) <= width {
		return text
	}
	letters := []rune(text)
	// How many letters stay: all widths below the right number fit.
	low, high := 1, len(letters)
	cut := func(n int) string {
		head := (n + 1) / 2
		return string(letters[:head]) + ellipsis + string(letters[len(letters)-(n-head):])
	}
	for low+1 < high {
		if mid := (low + high) / 2; f.Width(cut(mid)) <= width {
			low = mid
		} else {
			high = mid
		}
	}
	return cut(low)
}

// Wrap breaks text between words into lines of a width; a word that is wider than a
// line is shortened.
func (f Font) Wrap(text string, width float64) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		longer := line + " " + word
		if line == "" {
			longer = word
		}
		if line != "" && f.Width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = f.Shorten(longer, width)
	}
	return append(lines, line)
}
