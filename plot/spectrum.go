package plot

import (
	"fmt"
	"image/color"
	"math"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// parity returns the InterSHAP of pure parity of m modalities: a function that knows
// nothing before all are known. There every index of order 2 is spread over all pairs.
// With marginal background rows and independent fair bits the cells of phi are
//
//	phi_ij = ±1/(4(m−1)),  phi_ii = ∓(m−2)/(4m)
//
// so that their ratio is that of m·(m−1) pair cells to m diagonal ones
//
//	m/(2m−2) = (m/4) / (m/4 + (m−2)/4)    counting both triangles (paper)
//	m/(3m−4) = (m/8) / (m/8 + (m−2)/4)    counting one (single-pair)
//
// It is a reference and no ceiling: other functions exceed it. Undefined below two
// modalities.
func parity(m int, c score.Convention) score.Share {
	switch {
	case m < 2:
		return score.Share{}
	case c == score.SinglePair:
		return score.Defined(float64(m) / float64(3*m-4))
	}
	return score.Defined(float64(m) / float64(2*m-2))
}

// drawSpectrum draws the share of behaviour by order. Results have all orders for all
// samples of a target with three modalities and more; else there are two, modalities
// alone and pairs.
func drawSpectrum(s *Subject, opt Options) (*scene.Scene, error) {
	if sp := s.spectra(); sp != nil {
		return s.drawOrders(sp, opt)
	}
	return s.drawTwoOrders(opt)
}

// spectra returns those of the subject, nil where the result has none of it.
func (s *Subject) spectra() *result.Spectra {
	sp := s.target.Spectrum
	if s.single || s.only >= 0 || sp == nil || sp.Moebius == nil && sp.KSII == nil {
		return nil
	}
	return sp
}

// drawTwoOrders draws modalities alone and pairs.
func (s *Subject) drawTwoOrders(opt Options) (*scene.Scene, error) {
	return fit(opt, 2, 2, func(_ int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head("Share of behaviour by order", s.scored())
		// Of two modalities a pair is all that there is, and parity no special case.
		const least = 3
		var reference score.Share
		note := ""
		if len(s.names) >= least {
			reference = parity(len(s.names), s.convention)
			note = "What three and more " + s.players + " do only together is spread over their pairs: pure parity is the reference for that, not a ceiling."
		}
		at, marked := reference.Value()
		if marked {
			sh.keys(key{text: fmt.Sprintf("order 2 of pure parity of %d %s: %s", len(s.names), s.players, percent(at)), fill: sh.ink, line: true, dashed: true})
		}
		axis := scale{low: 0, high: 1, percent: true}
		t := &table{axis: &axis, unit: "share of behaviour", heads: []string{"share"}, high: 34 + stretch}
		alone := complement(s.intershap)
		for _, o := range []struct {
			class string
			name  string
			v     wording.Interval
			fill  color.NRGBA
		}{{"alone", "order 1, " + s.players + " alone", alone, sh.alone}, {"pair", "order 2, pairs", s.intershap, sh.interactions}} {
			text := o.v.String()
			short, _ := o.v.Parts()
			if low, ok := o.v.Low.Value(); ok && o.class == "alone" && s.intershap.OneSided() && !s.intershap.Unclear() {
				text = "> " + atLeastShare(low)
				short = text
			}
			t.rows = append(t.rows, row{
				class: o.class, label: o.name + ": " + text, name: name{o.name}, cells: []string{text}, short: []string{short},
				draw: func(a area) []scene.Item {
					items := sh.shareBar(a, o.v, o.fill)
					if o.class == "pair" && marked {
						x := a.at(at)
						items = append(items, &scene.Line{Class: "parity", Stroke: sh.ink, Width: 1.5, Dashed: true, Points: []scene.Point{{X: x, Y: a.Y + 2}, {X: x, Y: a.Bottom() - 2}}})
					}
					return items
				},
			})
		}
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		sh.foot(note, s.pooledNote())
		s.footDoubts(sh, false)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

// atLeastShare writes a lower bound: rounded down, as nothing is more than the whole.
func atLeastShare(x float64) string { return percent(math.Floor(x*1000) / 1000) }

// complement returns the interval of what an interval leaves of the whole.
func complement(v wording.Interval) wording.Interval {
	less := func(x score.Share) score.Share {
		if y, ok := x.Value(); ok {
			return score.Defined(1 - y)
		}
		return score.Share{}
	}
	return wording.Interval{Share: less(v.Share), Low: less(v.High), High: less(v.Low)}
}

// shareBar draws a share from 0 and its interval. A share that is not clear of 0 has
// its interval alone.
func (sh *sheet) shareBar(a area, v wording.Interval, fill color.NRGBA) []scene.Item {
	x, ok := v.Share.Value()
	if !ok {
		return nil
	}
	var items []scene.Item
	if !v.OneSided() {
		items = append(items, &scene.Rect{Class: "bar", Fill: fill, Stroke: sh.edgeOf(fill), Box: atLeast(scene.Box{X: a.at(0), Y: a.middle() - barHeight/2, W: a.at(x) - a.at(0), H: barHeight})})
	}
	low, hasLow := v.Low.Value()
	high, hasHigh := v.High.Value()
	if hasLow && hasHigh {
		items = append(items, sh.whisker(a.at(low), a.at(high), a.middle())...)
	}
	return items
}
