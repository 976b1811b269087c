package plot

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
)

const (
	// mostEffects is how many effects have a row of their own.
	mostEffects = 20
	rowHeight   = 25
	barHeight   = 14
)

// drawWaterfall draws a row for each effect. A bar begins where the one above it ends,
// from the base value to the output.
func drawWaterfall(s *Subject, opt Options) (*scene.Scene, error) {
	if err := s.addsUp(); err != nil {
		return nil, err
	}
	all := s.effects(opt.Interactions)
	return fit(opt, min(mostEffects, len(all)), 2, func(rows int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head(fmt.Sprintf("From base %s to output %s", plain(s.base), plain(s.output)), s.scored())
		sh.signKeys()
		effects := fold(all, rows)
		t := s.waterfallTable(sh, effects)
		t.high = rowHeight + stretch
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		sh.foot(s.errorNote(t, "whiskers"), s.sumNote(effects), s.togetherNote(opt.Interactions), s.shareNote(), s.meanNote())
		s.footDoubts(sh, true)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

func (o Options) width() float64 {
	if o.Width > 0 {
		return o.Width
	}
	return defaultWidth
}

func (s *Subject) waterfallTable(sh *sheet, effects []effect) *table {
	values := []float64{s.base, s.output}
	from := s.base
	for _, e := range effects {
		to := from + e.phi
		half, _ := s.half(e)
		values = append(values, to-half, to+half)
		from = to
	}
	axis := newScale(values...)
	t := &table{axis: &axis, unit: s.unit(), heads: []string{"phi", "share"}}
	level := func(class, what string, v float64) row {
		return row{
			class: class, label: what + " " + plain(v), name: name{what}, cells: []string{plain(v), ""}, bold: true,
			draw: func(a area) []scene.Item { return sh.stop(a, v) },
		}
	}
	t.rows = append(t.rows, level("base", "base", s.base))
	from = s.base
	for _, e := range effects {
		start, end := from, from+e.phi
		t.rows = append(t.rows, row{
			class: e.class, label: s.effectLabel(e), name: e.name, cells: s.effectCells(e), short: shortCells(e),
			draw: func(a area) []scene.Item { return s.bar(sh, a, e, start, end) },
		})
		from = end
	}
	t.rows = append(t.rows, level("output", "output", s.output))
	t.under = func(_ area, rows []area) []scene.Item {
		// From the base, and from the end of each bar, a line to the row below.
		var links []scene.Item
		v := s.base
		for i, below := range rows[1:] {
			if i > 0 {
				v += effects[i-1].phi
			}
			x := below.at(v)
			links = append(links, &scene.Line{
				Class: "link", Stroke: sh.muted, Width: 0.75,
				Points: []scene.Point{{X: x, Y: rows[i].middle() + barHeight/2}, {X: x, Y: below.middle() - barHeight/2}},
			})
		}
		return links
	}
	return t
}

// effectCells are the texts beside an effect.
func (s *Subject) effectCells(e effect) []string {
	text := signed(e.phi)
	if half, ok := s.half(e); ok {
		text += " ± " + digits(half, 2)
	}
	return []string{text, e.shareText()}
}

// shortCells are the texts beside an effect without errors.
func shortCells(e effect) []string {
	share, _ := e.share.Parts()
	if e.unsaid {
		share = ""
	}
	return []string{signed(e.phi), share}
}

// effectLabel says an effect in full.
func (s *Subject) effectLabel(e effect) string {
	cells := s.effectCells(e)
	if cells[1] == "" {
		return fmt.Sprintf("%s %s", e.name, cells[0])
	}
	return fmt.Sprintf("%s %s, share %s", e.name, cells[0], cells[1])
}

// stop marks a value by an upright line.
func (sh *sheet) stop(a area, v float64) []scene.Item {
	x := a.at(v)
	return []scene.Item{&scene.Line{
		Class: "stop", Stroke: sh.ink, Width: 2,
		Points: []scene.Point{{X: x, Y: a.middle() - barHeight/2}, {X: x, Y: a.middle() + barHeight/2}},
	}}
}

// bar draws an effect from one value to another, and its whisker.
func (s *Subject) bar(sh *sheet, a area, e effect, start, end float64) []scene.Item {
	x0, x1 := a.at(start), a.at(end)
	items := []scene.Item{
		&scene.Rect{Class: "bar", Fill: sh.sign(e.phi), Stroke: sh.edgeOf(sh.sign(e.phi)), Box: atLeast(scene.Box{X: min(x0, x1), Y: a.middle() - barHeight/2, W: math.Abs(x1 - x0), H: barHeight})},
	}
	if half, ok := s.half(e); ok && half > 0 {
		items = append(items, sh.whisker(a.at(end-half), a.at(end+half), a.middle())...)
	}
	return items
}

// atLeast makes a bar that would not be seen one pixel wide.
func atLeast(b scene.Box) scene.Box {
	if b.W < 1 {
		b.X -= (1 - b.W) / 2
		b.W = 1
	}
	return b
}

// whisker draws an error bar with its ends.
func (sh *sheet) whisker(x0, x1, y float64) []scene.Item {
	const cap = 3
	line := func(points ...scene.Point) scene.Item {
		return &scene.Line{Class: "whisker", Stroke: sh.ink, Width: 1, Points: points}
	}
	return []scene.Item{
		line(scene.Point{X: x0, Y: y}, scene.Point{X: x1, Y: y}),
		line(scene.Point{X: x0, Y: y - cap}, scene.Point{X: x0, Y: y + cap}),
		line(scene.Point{X: x1, Y: y - cap}, scene.Point{X: x1, Y: y + cap}),
	}
}

// sumNote says which of the effects have no error bar, and why.
func (s *Subject) sumNote(effects []effect) string {
	if s.se == nil {
		return ""
	}
	for _, e := range effects {
		if _, ok := e.se.Value(); !ok {
			return fmt.Sprintf("“%s” is a sum: its error is not known from the errors of its parts.", e.name)
		}
	}
	return ""
}

// addsUp refuses pooled effects: they lead from the base to no output.
func (s *Subject) addsUp() error {
	if !s.pooled {
		return nil
	}
	return unfitf("some samples lack modalities, so that effects are means over different samples and do not add up from base to output: draw groups, matrix or network, or one sample")
}

// pooledNote says what means are over, where some samples lack modalities.
func (s *Subject) pooledNote() string {
	if !s.pooled {
		return ""
	}
	return "Some samples lack modalities: each part is a mean over the samples that have it."
}

// shareNote says what shares are of.
func (s *Subject) shareNote() string {
	if s.single {
		return "Shares: of the sum of absolute cells of this sample's phi."
	}
	return "Shares: global, of all that the " + s.players + " do to the output."
}

// meanNote says why phi and its shares are small where another aggregation is the one to
// read first.
func (s *Subject) meanNote() string {
	if s.single || s.target.Headline != result.MeanAbsolute {
		return ""
	}
	return "This target does not follow the sample, so means cancel and steps are small."
}

// togetherNote says how pairs become one: signs cancel in the bar and not in the share.
func (s *Subject) togetherNote(how Interactions) string {
	if how != One || len(s.pairs) < 2 {
		return ""
	}
	return "“interactions” adds pairs with their signs, its share adds their sizes."
}
