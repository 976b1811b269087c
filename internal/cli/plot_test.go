package cli

import (
	"math"
	"strings"
	"testing"
)

func TestReadFigureSize(t *testing.T) {
	for text, want := range map[string]figureSize{
		"800x500":      {800, 500, true},
		"800x500px":    {800, 500, true},
		"800PXx500px":  {800, 500, true},
		"800":          {800, 0, true},
		"50.8mm":       {192, 0, false},
		"254x127mm":    {960, 480, false},
		"254mmx127mm":  {960, 480, false},
		" 800 x 500 ":  {800, 500, true},
		"100.5x200.25": {100.5, 200.25, true},
	} {
		got, err := readFigureSize(text)
		if err != nil || math.Abs(got.width-want.width) > 1e-9 || math.Abs(got.height-want.height) > 1e-9 || got.pixels != want.pixels {
			t.Errorf("%q: want %v, got %v, %v", text, want, got, err)
		}
	}
	for _, text := range []string{"", "x", "800x", "x500", "800x500x2", "-800x500", "NaNx500", "1e9x500", "0x0", "800cm", "800mmx500", "wide", "99x500", "25.4mm"} {
		if got, err := readFigureSize(text); err == nil || !strings.Contains(err.Error(), "want a size such as") {
			t.Errorf("%q: want an error with an example, got %v, %v", text, got, err)
		}
	}
}

func TestMissingLetters(t *testing.T) {
	for letters, want := range map[string]string{
		"":    "",
		"画像画": "the font has no letters for 画 像: SVG keeps them",
		"一二三四五六七八九十百千万億": "the font has no letters for 一 二 三 四 五 六 七 八 九 十 百 千 and 2 more: SVG keeps them",
	} {
		if got := missingLetters([]rune(letters)); got != want {
			t.Errorf("%q: want %q, got %q", letters, want, got)
		}
	}
}
