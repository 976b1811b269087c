package plot

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Theme is a set of background, text and line colours.
type Theme uint8

// The themes.
const (
	Light Theme = iota
	Dark
)

// String returns the name of the theme.
func (t Theme) String() string {
	if t == Dark {
		return "dark"
	}
	return "light"
}

// ParseTheme reads the name of a theme.
func ParseTheme(text string) (Theme, error) {
	for _, t := range []Theme{Light, Dark} {
		if t.String() == text {
			return t, nil
		}
	}
	return 0, fmt.Errorf("plot: unknown theme %q, want light or dark", text)
}

// A Palette holds the colours of what is told apart. The first is that of effects that
// raise the output, the second of those that lower it, the third of what modalities do
// together, the fourth of what they do alone (the first, where there are but three).
// Modalities take all but the third in turn, from the fourth; classes take all.
type Palette []color.NRGBA

// minColours is the least number of colours in a palette.
const minColours = 3

// named are the colours that have a name: those of Okabe and Ito ("Color Universal
// Design", 2008), which people with any kind of colour vision tell apart.
var named = []struct {
	name   string
	colour color.NRGBA
}{
	{"vermillion", rgb(0xd55e00)}, {"blue", rgb(0x0072b2)}, {"green", rgb(0x009e73)}, {"orange", rgb(0xe69f00)},
	{"purple", rgb(0xcc79a7)}, {"sky-blue", rgb(0x56b4e9)}, {"yellow", rgb(0xf0e442)}, {"grey", rgb(0x999999)}, {"black", rgb(0)},
}

// ColourNames returns the colours that [ParsePalette] knows by name.
func ColourNames() []string {
	var out []string
	for _, n := range named {
		out = append(out, n.name)
	}
	return out
}

// OkabeIto is the palette of Okabe and Ito, with a darker purple, which is seen as thin
// lines too, and without black and grey, which figures use for other things, and orange,
// which is close to the vermillion of interactions.
func OkabeIto() Palette { return palettes[0].colours() }

// palettes are those with a name. Tol's is "bright" of his technical note
// SRON/EPS/TN/09-002 (2021).
var palettes = []struct {
	name    string
	colours func() Palette
}{
	{"okabe-ito", func() Palette {
		return Palette{rgb(0x009e73), rgb(0xa6558a), rgb(0xd55e00), rgb(0x0072b2), rgb(0x56b4e9), rgb(0xf0e442)}
	}},
	{"tol-bright", func() Palette {
		return Palette{rgb(0x228833), rgb(0xaa3377), rgb(0xee6677), rgb(0x4477aa), rgb(0x66ccee), rgb(0xccbb44)}
	}},
	{"greys", func() Palette { return Palette{rgb(0x7a7a7a), rgb(0xc4c4c4), rgb(0x5a5a5a), rgb(0x9e9e9e)} }},
}

// PaletteNames returns the names of palettes.
func PaletteNames() []string {
	var out []string
	for _, p := range palettes {
		out = append(out, p.name)
	}
	return out
}

// ParsePalette reads the name of a palette, or three or more colours with commas
// between them: names, or #rrggbb.
func ParsePalette(text string) (Palette, error) {
	for _, p := range palettes {
		if p.name == text {
			return p.colours(), nil
		}
	}
	var out Palette
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		c, err := parseColour(word)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out, c) {
			return nil, fmt.Errorf("want different colours, got %q twice", word)
		}
		out = append(out, c)
	}
	if len(out) < minColours {
		return nil, fmt.Errorf("want %d colours or more, got %d", minColours, len(out))
	}
	return out, nil
}

func parseColour(word string) (color.NRGBA, error) {
	for _, n := range named {
		if n.name == word {
			return n.colour, nil
		}
	}
	if digits, ok := strings.CutPrefix(word, "#"); ok && len(digits) == 6 {
		if x, err := strconv.ParseUint(digits, 16, 32); err == nil {
			return rgb(uint32(x)), nil
		}
	}
	return color.NRGBA{}, fmt.Errorf("want a palette (%s), or colours such as #0072b2 and %s, got %q",
		strings.Join(PaletteNames(), ", "), strings.Join(ColourNames(), ", "), word)
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}
}

// A look is a theme with a palette: every colour that a figure uses.
type look struct {
	background, ink, muted, grid color.NRGBA
	// interactions is the colour of what modalities do together, alone of what they do
	// alone; rest that of what is summed up because there is too much of it.
	interactions, alone, rest color.NRGBA
	// modalities are the colours of modalities, classes those of classes.
	modalities, classes []color.NRGBA
	series              Palette
}

func (o Options) look() look {
	l := look{
		background: rgb(0xffffff), ink: rgb(0x1b1b1f), muted: rgb(0x5c5c66), grid: rgb(0xe2e2e8),
		rest: rgb(0xb4b4bc), series: o.Palette,
	}
	if o.Theme == Dark {
		l.background, l.ink, l.muted, l.grid = rgb(0x17181c), rgb(0xf1f1f4), rgb(0xb3b3bd), rgb(0x3a3b43)
		l.rest = rgb(0x6c6c76)
	}
	if l.series == nil {
		l.series = OkabeIto()
	}
	p := l.series
	l.interactions = p[2]
	l.modalities = slices.Concat(p[3:], p[:2])
	l.classes = slices.Concat(p[3:], p[:3])
	l.alone = l.modalities[0]
	return l
}

// leastContrast is that of WCAG 2 for what is drawn and no text.
const leastContrast = 3

// edgeOf returns the colour of the thin outline without which a fill would hardly be
// seen; none for one that is.
func (l look) edgeOf(fill color.NRGBA) color.NRGBA { return l.edgeOr(fill, color.NRGBA{}) }

// edgeOr is edgeOf with the outline of fills that need none.
func (l look) edgeOr(fill, otherwise color.NRGBA) color.NRGBA {
	if contrast(fill, l.background) >= leastContrast {
		return otherwise
	}
	return mix(fill, l.ink, 0.5)
}

// pale returns the colour of a part that is not clear of its error.
func (l look) pale(fill color.NRGBA) color.NRGBA { return mix(fill, l.background, 0.65) }

// sign returns the colour of an effect.
func (l look) sign(x float64) color.NRGBA {
	switch {
	case x > 0:
		return l.series[0]
	case x < 0:
		return l.series[1]
	}
	return l.muted
}

// mix returns the colour a part of the way from a to b.
func mix(a, b color.NRGBA, part float64) color.NRGBA {
	part = min(max(part, 0), 1)
	blend := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + part*(float64(y)-float64(x)))) }
	return color.NRGBA{blend(a.R, b.R), blend(a.G, b.G), blend(a.B, b.B), 0xff}
}

// luminance is the relative luminance of WCAG 2.
func luminance(c color.NRGBA) float64 {
	linear := func(x uint8) float64 {
		v := float64(x) / 0xff
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// contrast is the contrast ratio of WCAG 2, from 1 to 21.
func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// on returns black or white, whichever is read better on a colour.
func on(c color.NRGBA) color.NRGBA {
	black, white := rgb(0), rgb(0xffffff)
	if contrast(black, c) >= contrast(white, c) {
		return black
	}
	return white
}
