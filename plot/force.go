package plot

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/plot/scene"
)

// mostForces is how many effects a force figure names.
const mostForces = 14

// drawForce draws one band: what raises the output pushes from the left, what lowers it
// from the right, and they meet at the output. Lines lead from the parts of the band to
// rows with their names: what raises above, what lowers below.
func drawForce(s *Subject, opt Options) (*scene.Scene, error) {
	if err := s.addsUp(); err != nil {
		return nil, err
	}
	all := s.effects(opt.Interactions)
	return fit(opt, min(mostForces, len(all)), 2, func(rows int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head(fmt.Sprintf("What moves the output from %s to %s", plain(s.base), plain(s.output)), s.scored())
		sh.signKeys()
		effects := fold(all, rows)
		t := s.forceTable(sh, effects)
		t.high = rowHeight + stretch
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		sh.foot(s.errorNote(t), s.sumNote(effects), s.togetherNote(opt.Interactions), s.shareNote(), s.meanNote())
		s.footDoubts(sh, true)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

func (s *Subject) forceTable(sh *sheet, effects []effect) *table {
	outermost(effects)
	var up, down []effect
	raise, lower := 0.0, 0.0
	for _, e := range effects {
		if e.phi >= 0 {
			up, raise = append(up, e), raise+e.phi
		} else {
			down, lower = append(down, e), lower-e.phi
		}
	}
	// The band reaches from the output less all that raises it to the output with
	// all that was lowered; without what lowers, the first is the base.
	axis := newScale(s.base, s.output-raise, s.output, s.output+lower)
	t := &table{axis: &axis, unit: s.unit(), heads: []string{"phi", "share"}}
	const bandHeight = 22
	level := func(class string, v float64) row {
		return row{class: class, label: class + " " + plain(v), name: name{class}, cells: []string{plain(v), ""}, bold: true,
			draw: func(a area) []scene.Item { return sh.stop(a, v) }}
	}
	effectRow := func(e effect) row {
		return row{class: e.class, label: s.effectLabel(e), name: e.name, cells: s.effectCells(e), short: shortCells(e)}
	}
	t.rows = append(t.rows, level("output", s.output))
	for _, e := range up {
		t.rows = append(t.rows, effectRow(e))
	}
	together := signed(s.output - s.base)
	t.rows = append(t.rows, row{
		class: "band", label: "together " + together, name: name{"together"}, cells: []string{together, ""}, bold: true, high: bandHeight + 12,
		draw: func(a area) []scene.Item {
			return append(sh.segments(a, up, s.output, bandHeight), sh.segments(a, down, s.output, bandHeight)...)
		},
	})
	for _, e := range down {
		t.rows = append(t.rows, effectRow(e))
	}
	t.rows = append(t.rows, level("base", s.base))
	t.under = func(_ area, rows []area) []scene.Item {
		band := rows[len(up)+1]
		top, bottom := band.middle()-bandHeight/2, band.middle()+bandHeight/2
		items := sh.leaders(rows[1:], up, s.output, top)
		items = append(items, sh.leaders(rows[len(up)+2:], down, s.output, bottom)...)
		return append(items,
			sh.drop(rows[0].at(s.output), rows[0].middle(), top),
			sh.drop(rows[0].at(s.base), rows[len(rows)-1].middle(), bottom))
	}
	return t
}

// leaders draws, for each effect, a line from the edge of its part of the band to its
// row and on to its name. The largest effects are the innermost and have the uppermost
// rows, so that lines do not cross.
func (sh *sheet) leaders(rows []area, effects []effect, from, edge float64) []scene.Item {
	var items []scene.Item
	for i, e := range effects {
		x, y := rows[i].at(from-e.phi/2), rows[i].middle()
		items = append(items, &scene.Line{
			Class: "leader", Stroke: sh.muted, Width: 0.75,
			Points: []scene.Point{{X: rows[i].X - 6, Y: y}, {X: x, Y: y}, {X: x, Y: edge}},
		})
		from -= e.phi
	}
	return items
}

// drop draws a dashed upright line from a level's row to the band.
func (sh *sheet) drop(x, from, to float64) scene.Item {
	return &scene.Line{Class: "drop", Stroke: sh.ink, Width: 1, Dashed: true, Points: []scene.Point{{X: x, Y: from}, {X: x, Y: to}}}
}

// outermost sorts effects, the largest first and what is folded last.
func outermost(effects []effect) {
	bySize(effects)
	slices.SortStableFunc(effects, func(a, b effect) int {
		folded := func(e effect) int {
			if e.class == "more" {
				return 1
			}
			return 0
		}
		return folded(a) - folded(b)
	})
}

// segments draws the parts of the band from the meeting point outwards.
func (sh *sheet) segments(a area, effects []effect, from, high float64) []scene.Item {
	var items []scene.Item
	for _, e := range effects {
		x0, x1 := a.at(from), a.at(from-e.phi)
		items = append(items, &scene.Rect{
			Class: "bar", Fill: sh.sign(e.phi), Stroke: sh.edgeOr(sh.sign(e.phi), sh.background),
			Box: atLeast(scene.Box{X: min(x0, x1), Y: a.middle() - high/2, W: math.Abs(x1 - x0), H: high}),
		})
		from -= e.phi
	}
	return items
}
