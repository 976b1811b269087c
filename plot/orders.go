package plot

import (
	"fmt"
	"image/color"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// drawOrders draws the shares of all orders: by the Möbius transform, in which a
// coalition's part is what none of its subsets explains, and by k-SII, which shares out
// what is above its order. Each order has a bar for the aggregation to read first, with
// its interval, and a pale one below it for the mean of local shares.
func (s *Subject) drawOrders(sp *result.Spectra, opt Options) (*scene.Scene, error) {
	rows := 0
	for _, x := range []*result.Spectrum{sp.Moebius, sp.KSII} {
		if x != nil {
			rows += 1 + x.Order
		}
	}
	return fit(opt, rows, rows, func(_ int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head("Share of behaviour by order", s.scored())
		parity, marked := sp.Parity.Value()
		// At another order k-SII says something else of parity.
		marked = marked && sp.KSII != nil && sp.KSII.Order == pairOrder
		keys := []key{{text: s.headline, fill: sh.interactions}, {text: "local", fill: sh.pale(sh.interactions)}}
		if marked {
			keys = append(keys, key{text: fmt.Sprintf("pairs' share of pure parity of %d %s: %s", len(s.names), s.players, percent(parity)), fill: sh.ink, line: true, dashed: true})
		}
		sh.keys(keys...)
		axis := scale{low: 0, high: 1, percent: true}
		t := &table{axis: &axis, unit: "share of behaviour", heads: []string{s.headline, "local"}, high: 30 + stretch}
		if sp.Moebius != nil {
			t.rows = append(t.rows, s.orderRows(sh, "Möbius transform", sp.Moebius, score.Share{})...)
		}
		if sp.KSII != nil {
			var reference score.Share
			if marked {
				reference = sp.Parity
			}
			t.rows = append(t.rows, s.orderRows(sh, fmt.Sprintf("k-SII, order %d", sp.KSII.Order), sp.KSII, reference)...)
		}
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		if sp.Moebius != nil {
			sh.foot("Möbius transform: what a coalition of " + s.players + " does that none of its subsets explains.")
		}
		if sp.KSII != nil {
			note := fmt.Sprintf("k-SII: what more than %d %s do only together is spread over them.", sp.KSII.Order, s.players)
			if marked {
				note += " Pure parity is the reference for that, not a ceiling."
			}
			if sp.KSII.Order < len(s.names) {
				sh.foot(note)
			}
		}
		sh.foot(s.pooledNote())
		s.footDoubts(sh, false)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

// pairOrder is the order of the score.
const pairOrder = 2

// orderRows returns the rows of one spectrum, under a row with its name.
func (s *Subject) orderRows(sh *sheet, title string, sp *result.Spectrum, reference score.Share) []row {
	rows := []row{{class: "index", name: name{title}, bold: true, high: 24, cells: []string{"", ""}}}
	for i, o := range sp.Headline(s.target.Headline) {
		v := wording.Interval{Share: o.Share, Low: o.Low, High: o.High}
		text := v.String()
		short, _ := v.Parts()
		local, localText := sp.Local[i].Share, wording.Undefined
		if x, ok := local.Value(); ok {
			localText = percent(x)
		}
		fill := sh.interactions
		if o.Order == 1 {
			fill = sh.alone
		}
		rows = append(rows, row{
			class: "order", name: name{wording.OrderName(o.Order)},
			label: fmt.Sprintf("%s, %s: %s, local %s", title, wording.OrderName(o.Order), text, localText),
			cells: []string{text, localText}, short: []string{short, localText},
			draw: func(a area) []scene.Item { return sh.orderBars(a, v, local, fill, o.Order == pairOrder, reference) },
		})
	}
	return rows
}

// orderBars draws a share with its interval, and below it the local share.
func (sh *sheet) orderBars(a area, v wording.Interval, local score.Share, fill color.NRGBA, pairs bool, reference score.Share) []scene.Item {
	const localHeight, apart = 5, 2
	upper := a
	upper.Y -= (localHeight + apart) / 2.
	items := sh.shareBar(upper, v, fill)
	if x, ok := local.Value(); ok {
		pale := sh.pale(fill)
		top := upper.middle() + barHeight/2 + apart
		items = append(items, &scene.Rect{Class: "local", Fill: pale, Stroke: sh.edgeOf(pale), Box: atLeast(scene.Box{X: a.at(0), Y: top, W: a.at(x) - a.at(0), H: localHeight})})
	}
	if at, ok := reference.Value(); ok && pairs {
		x := a.at(at)
		items = append(items, &scene.Line{Class: "parity", Stroke: sh.ink, Width: 1.5, Dashed: true, Points: []scene.Point{{X: x, Y: a.Y + 1}, {X: x, Y: a.Bottom() - 1}}})
	}
	return items
}
