package plot

import (
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

// Lengths that all figures share, in pixels.
const (
	margin       = 18
	defaultWidth = 760
)

// Fonts of figures, by what they are for.
var (
	titleFont  = scene.Font{Size: 16, Bold: true}
	textFont   = scene.Font{Size: 12}
	strongFont = scene.Font{Size: 12, Bold: true}
	smallFont  = scene.Font{Size: 11}
)

// A sheet is a figure on its way, filled from top to bottom.
type sheet struct {
	look
	width float64
	// y is where the next thing goes.
	y     float64
	items []scene.Item
	title string
	// footed is set once there are notes.
	footed bool
	// told is what the description says, sentence by sentence.
	told []string
}

func newSheet(l look, width float64) *sheet { return &sheet{look: l, width: width, y: margin} }

func (s *sheet) add(items ...scene.Item) { s.items = append(s.items, items...) }

// inner returns the width between the margins.
func (s *sheet) inner() float64 { return s.width - 2*margin }

// lines writes text, broken into lines of the sheet's width.
func (s *sheet) lines(class, text string, f scene.Font, fill color.NRGBA) {
	for _, line := range f.Wrap(text, s.inner()) {
		s.y += f.Ascent()
		s.add(&scene.Text{Class: class, At: scene.Point{X: margin, Y: s.y}, Font: f, Fill: fill, Text: line})
		s.y += f.Line() - f.Ascent()
	}
}

// head writes title and subtitles.
func (s *sheet) head(title string, under ...string) {
	s.title = title
	s.lines("title", title, titleFont, s.ink)
	s.y += 3
	for _, text := range under {
		if text != "" {
			s.tell(text)
			s.lines("subtitle", text, textFont, s.muted)
		}
	}
	s.y += 10
}

// tell adds a sentence to the description.
func (s *sheet) tell(text string) { s.told = append(s.told, strings.TrimSuffix(text, ".")+".") }

// foot writes notes, the first with some room above it.
func (s *sheet) foot(notes ...string) {
	if !s.footed {
		s.y += 8
		s.footed = true
	}
	for _, text := range notes {
		if text != "" {
			s.tell(text)
			s.lines("note", text, smallFont, s.muted)
		}
	}
}

// A key explains a colour, shape or line.
type key struct {
	text string
	fill color.NRGBA
	// line draws a line in place of a box, dashed or not; shape draws a mark.
	line, dashed, mark bool
	shape              scene.Shape
}

// keys writes a legend, in as many lines as it needs.
func (s *sheet) keys(keys ...key) {
	const gap, between = 6, 18
	f := textFont
	x := float64(margin)
	if len(keys) == 0 {
		return
	}
	y := s.y + f.Ascent()
	for _, k := range keys {
		sample := 12.0
		if k.line {
			sample = 28
		}
		text := f.Shorten(k.text, s.inner()-sample-gap)
		w := sample + gap + f.Width(text)
		if x > margin && x+w > s.width-margin {
			x, y = margin, y+f.Line()+3
		}
		middle := y - f.Ascent()/2 + 1
		g := &scene.Group{Class: "key"}
		switch {
		case k.mark:
			g.Items = append(g.Items, &scene.Marks{Class: "sample", Shape: k.shape, Size: 8, Fill: k.fill, Outline: s.edgeOf(k.fill), At: []scene.Point{{X: x + sample/2, Y: middle}}})
		case k.line:
			g.Items = append(g.Items, &scene.Line{Class: "sample", Stroke: k.fill, Width: 3, Dashed: k.dashed, Points: []scene.Point{{X: x, Y: middle}, {X: x + sample, Y: middle}}})
		default:
			g.Items = append(g.Items, &scene.Rect{Class: "sample", Box: scene.Box{X: x, Y: middle - sample/2, W: sample, H: sample}, Fill: k.fill, Stroke: s.edgeOf(k.fill)})
		}
		g.Items = append(g.Items, &scene.Text{Class: "key", At: scene.Point{X: x + sample + gap, Y: y}, Font: f, Fill: s.ink, Text: text})
		if text != k.text {
			g.Label = k.text
		}
		s.add(g)
		x += w + between
	}
	s.y = y + f.Line() - f.Ascent() + 6
}

// signKeys explains the colours of effects.
func (s *sheet) signKeys() {
	s.keys(key{text: "+ raises the output", fill: s.sign(1)}, key{text: "− lowers it", fill: s.sign(-1)})
}

// finish returns the picture, as high as it is or as high as was asked for.
func (s *sheet) finish(height float64) *scene.Scene {
	return &scene.Scene{
		Width: s.width, Height: max(math.Ceil(s.y+margin), height),
		Title: s.title, Description: strings.Join(s.told, " "), Background: s.background, Items: s.items,
	}
}

// source says in a line what was explained.
func (s *Subject) source() string {
	from := s.ex.Provenance
	model, data, background := base(from.Model.Source), base(from.Data.Source.Source), base(from.Background.Source.Source)
	var parts []string
	if model != "" {
		parts = append(parts, "model "+model)
	}
	if data != "" {
		parts = append(parts, "data "+data)
	}
	rows := fmt.Sprintf("%s, mask %s", count(from.Background.Rows, "row"), wording.Escape(from.Background.Mask))
	if background != "" {
		rows = background + ", " + rows
	}
	parts = append(parts, "background "+rows)
	if from.Weight != "" {
		parts = append(parts, "weights "+wording.Escape(from.Weight))
	}
	if from.Cluster != "" {
		parts = append(parts, "clusters "+wording.Escape(from.Cluster))
	}
	if from.Sampling != nil {
		parts = append(parts, wording.Coalitions(from.Sampling, len(s.ex.Modalities))+" coalitions, estimator "+wording.Escape(from.Sampling.Estimator))
	}
	parts = append(parts, "convention "+from.Convention)
	return strings.Join(parts, "; ")
}

// base returns the last part of a path, "" for none.
func base(path string) string {
	if path == "" {
		return ""
	}
	return wording.Escape(filepath.Base(path))
}

// targetName returns the name of the target, as it is printed.
func (s *Subject) targetName() string { return wording.Escape(s.target.Target) }

// scored says whose numbers these are, and their InterSHAP.
func (s *Subject) scored() string {
	kind := s.headline + " InterSHAP "
	if s.single {
		kind = "InterSHAP "
	}
	of := fmt.Sprintf("target %s, %s: %s", s.targetName(), s.about, kind)
	if s.hasAcross {
		return fmt.Sprintf("%sacross modalities %s, of all groups %s", of, s.across, s.scoreOf)
	}
	return of + s.scoreOf.String()
}

// unit names what values are in.
func (s *Subject) unit() string {
	text := wording.Escape(s.ex.Provenance.Output)
	if t := s.ex.Provenance.Transform; t != "" && t != "identity" {
		text += ", " + wording.Escape(t)
	}
	if text == "" {
		text = "output"
	}
	return text
}

// errorNote says what error bars of a table are, by the words for those that it has:
// whiskers, and ± unless its cells were shortened; "" where there are none.
func (s *Subject) errorNote(t *table, words ...string) string {
	if !t.shortened {
		words = append([]string{"±"}, words...)
	}
	if s.se == nil || len(words) == 0 {
		return ""
	}
	text := strings.Join(words, " and ")
	// A sentence begins with a capital.
	if rest, ok := strings.CutPrefix(text, "whiskers"); ok {
		text = "Whiskers" + rest
	}
	return text + fmt.Sprintf(": %.3g standard errors of phi (%s %%), from %s.", normal(s.ex.Provenance.Level), wording.Level(s.ex.Provenance.Level), s.seOf)
}

// half returns half of the error bar of an effect, and whether there is one.
func (s *Subject) half(e effect) (float64, bool) {
	se, ok := e.se.Value()
	if !ok || !(s.ex.Provenance.Level > 0 && s.ex.Provenance.Level < 1) {
		return 0, false
	}
	return se * normal(s.ex.Provenance.Level), true
}

// fit draws with as many rows, up to most and down to least, as the height that was
// asked for has room for, and stretches rows where there is more room.
func fit(opt Options, most, least int, draw func(rows int, stretch float64) (*scene.Scene, error)) (*scene.Scene, error) {
	var low float64
	for rows := most; rows >= min(least, most); rows-- {
		sc, err := draw(rows, 0)
		if err != nil {
			return nil, err
		}
		low = sc.Height
		if opt.Height == 0 {
			return sc, nil
		}
		if sc.Height > opt.Height {
			continue
		}
		const stretched = 14 // more would look lost
		if sc, err = draw(rows, min(stretched, math.Floor((opt.Height-sc.Height)/float64(rows+2)))); err == nil {
			sc.Height = opt.Height
		}
		return sc, err
	}
	return nil, tooSmall(opt, 0, low)
}

// tooSmall says what would be enough; 0 for a side that is.
func tooSmall(opt Options, width, height float64) error {
	if width > 0 {
		return fmt.Errorf("%w: want a width of %.0f pixels or more, got %.0f", ErrSize, math.Ceil(width), opt.Width)
	}
	return fmt.Errorf("%w: want a height of %.0f pixels or more at this width, got %.0f", ErrSize, math.Ceil(height), opt.Height)
}

// clampText keeps a centred text within bounds.
func clampText(f scene.Font, text string, x, left, right float64) float64 {
	half := f.Width(text) / 2
	if right-left < 2*half {
		return (left + right) / 2
	}
	return min(max(x, left+half), right-half)
}
