package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/score"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		x                   float64
		signedText, plainOf string
	}{
		{0, "0", "0"},
		{0.5, "+0.500", "0.5000"},
		{-0.0433, "−0.0433", "−0.04330"},
		{0.99996, "+1.00", "1.000"},
		{0.0999999, "+0.100", "0.1000"},
		{12.3456, "+12.3", "12.35"},
		{123456, "+123456", "123456"},
		{9999999, "+1.00e7", "1.000e7"},
		{-1.234e-9, "−1.23e−9", "−1.234e−9"},
		{1e-4, "+0.000100", "0.0001000"},
		{9.99e-5, "+9.99e−5", "9.990e−5"},
		{1e300, "+1.00e300", "1.000e300"},
	} {
		if got := signed(c.x); got != c.signedText {
			t.Errorf("signed(%v): want %q, got %q", c.x, c.signedText, got)
		}
		if got := plain(c.x); got != c.plainOf {
			t.Errorf("plain(%v): want %q, got %q", c.x, c.plainOf, got)
		}
	}
}

// TestNormal holds quantiles against those of statistical tables.
func TestNormal(t *testing.T) {
	for level, want := range map[float64]float64{0.95: 1.959964, 0.99: 2.575829, 0.9: 1.644854, 0.6826895: 1} {
		if got := normal(level); math.Abs(got-want) > 1e-6 {
			t.Errorf("level %v: want %v, got %v", level, want, got)
		}
	}
}

// TestParity computes the reference from its definition: the game that pays 1/2 to all
// coalitions but the last, which gets 1, as the mean probability of parity's own answer
// under fair bits does.
func TestParity(t *testing.T) {
	for m := 2; m <= 7; m++ {
		v := make([]float64, 1<<m)
		for i := range v {
			v[i] = 0.5
		}
		v[len(v)-1] = 1
		moebius := make([]float64, len(v))
		game.MoebiusTo(moebius, v)
		phi := make([]float64, m*m)
		index.PairMatrixTo(phi, moebius, m)
		for _, c := range []score.Convention{score.Paper, score.SinglePair} {
			want, _ := score.Local(phi, m, c).Value()
			if got, ok := parity(m, c).Value(); !ok || math.Abs(got-want) > 1e-12 {
				t.Errorf("m %d, %v: want %v, got %v", m, c, want, got)
			}
		}
	}
	if x, ok := parity(1, score.Paper).Value(); ok {
		t.Errorf("one modality: want none, got %v", x)
	}
}

func texts(ticks []tick) string {
	var out []string
	for _, t := range ticks {
		out = append(out, t.text)
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     scale
		want  string
		title string
	}{
		{"a unit", scale{low: 0, high: 1}, "0 0.2 0.4 0.6 0.8 1.0", "u"},
		{"around zero", scale{low: -0.35, high: 0.31}, "−0.3 −0.2 −0.1 0 0.1 0.2 0.3", "u"},
		{"percent", scale{low: 0, high: 1, percent: true}, "0 % 20 % 40 % 60 % 80 % 100 %", "u"},
		{"large", scale{low: -3e11, high: 9e11}, "−2 0 2 4 6 8", "u, in units of 1e11"},
		{"tiny", scale{low: -1.2e-9, high: 3e-9}, "−1 0 1 2 3", "u, in units of 1e−9"},
		{"differences", scale{low: 0.2847 - 1e-9, high: 0.2847 + 2.1e-9, origin: 0.2847}, "−1.0 −0.5 0 +0.5 +1.0 +1.5 +2.0", "difference to 0.2847, u, in units of 1e−9"},
	} {
		c.s.left, c.s.width = 50, 600
		got := c.s.ticks(scene.Font{Size: 11}, 0, 700)
		if texts(got) != c.want {
			t.Errorf("%s: want ticks %s, got %s", c.name, c.want, texts(got))
		}
		if title := c.s.title("u"); title != c.title {
			t.Errorf("%s: want the title %q, got %q", c.name, c.title, title)
		}
	}
	// The place of a tick is that of its value.
	s := scale{low: 2, high: 4, left: 100, width: 200}
	if got := s.at(3); got != 200 {
		t.Errorf("want the middle, 200, got %v", got)
	}
}

// TestTicksThinOut: less room, fewer ticks, never labels that touch.
func TestTicksThinOut(t *testing.T) {
	f := scene.Font{Size: 11}
	last := 100
	for width := 600.0; width >= 20; width -= 20 {
		s := scale{low: 0.123, high: 0.987, left: 40, width: width}
		got := s.ticks(f, 0, width+80)
		if len(got) > last {
			t.Errorf("width %v: %d ticks, more than the %d of a wider one", width, len(got), last)
		}
		last = len(got)
		for i := range got[min(1, len(got)):] {
			a, b := got[i], got[i+1]
			if a.x+f.Width(a.text)/2 > b.x-f.Width(b.text)/2 {
				t.Errorf("width %v: %q and %q touch", width, a.text, b.text)
			}
		}
	}
	if last > 2 {
		t.Errorf("want hardly a tick in 20 pixels, got %d", last)
	}
}

func TestRoundStep(t *testing.T) {
	for x, want := range map[float64]float64{1: 1, 1.1: 2, 2: 2, 3: 5, 5.1: 10, 0.07: 0.1, 1e-9: 1e-9, 0.3: 0.5} {
		if got := roundStep(x); math.Abs(got-want) > 1e-9*want {
			t.Errorf("roundStep(%v): want %v, got %v", x, want, got)
		}
	}
}

func TestPalette(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"okabe-ito", "[{0 158 115 255} {166 85 138 255} {213 94 0 255} {0 114 178 255} {86 180 233 255} {240 228 66 255}]"},
		{"#0072b2, orange,black", "[{0 114 178 255} {230 159 0 255} {0 0 0 255}]"},
	} {
		p, err := ParsePalette(c.text)
		if got := fmt.Sprint(p); err != nil || got != c.want {
			t.Errorf("%q: want %s, got %s, %v", c.text, c.want, got, err)
		}
	}
	for text, want := range map[string]string{
		"okabe": "want a palette (okabe-ito", "": "want a palette", "blue,green": "want 3 colours or more, got 2", "blue,green,blue": `got "blue" twice`, "blue,#12345,green": `got "#12345"`, "blue,#12345g,green": `got "#12345g"`,
	} {
		if _, err := ParsePalette(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want an error that says %q, got %v", text, want, err)
		}
	}
}

// TestContrast: texts are read on what they stand on, by the ratios of WCAG 2.
func TestContrast(t *testing.T) {
	if got := contrast(rgb(0), rgb(0xffffff)); math.Abs(got-21) > 1e-9 {
		t.Errorf("black on white: want 21, got %v", got)
	}
	if got := contrast(rgb(0x777777), rgb(0xffffff)); math.Abs(got-4.48) > 0.01 {
		t.Errorf("#777 on white: want 4.48 as published, got %v", got)
	}
	for _, theme := range []Theme{Light, Dark} {
		// Lines and small marks of signs, alone and together need no outline.
		l := Options{Theme: theme}.look()
		for _, c := range []color.NRGBA{l.sign(1), l.sign(-1), l.alone, l.interactions} {
			if got := contrast(c, l.background); got < 3 {
				t.Errorf("%v: %v has a contrast of %.2f, want 3", theme, c, got)
			}
		}
		for _, p := range palettes {
			l := Options{Theme: theme, Palette: p.colours()}.look()
			if c := contrast(l.ink, l.background); c < 12 {
				t.Errorf("%v: text has a contrast of %.1f", theme, c)
			}
			if c := contrast(l.muted, l.background); c < 4.5 {
				t.Errorf("%v: notes have a contrast of %.1f", theme, c)
			}
			for _, fill := range slices.Concat(l.series, []color.NRGBA{l.interactions, l.alone, l.rest}) {
				// What is drawn is seen, by its fill or by its outline.
				if c := max(contrast(fill, l.background), contrast(l.edgeOf(fill), l.background)); c < 3 {
					t.Errorf("%v, %s: %v has a contrast of %.1f and no outline", theme, p.name, fill, c)
				}
				if c := contrast(on(fill), fill); c < 4.5 {
					t.Errorf("%v, %s: text on %v has a contrast of %.1f", theme, p.name, fill, c)
				}
			}
			for share := 0.0; share <= 1; share += 0.05 {
				for _, sign := range []float64{1, -1} {
					fill := mix(l.background, l.sign(sign), 0.85*share)
					if c := contrast(on(fill), fill); c < 4.5 {
						t.Errorf("%v, %s: text in a cell of %.2f has a contrast of %.1f", theme, p.name, share, c)
					}
				}
			}
		}
	}
}
