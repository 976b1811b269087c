package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
)

// mostBars is how many predicted classes have a bar of their own.
const mostBars = 40

// A part is a stretch of a stacked bar: a modality or its groups, several modalities, or
// the interactions.
type part struct {
	text       string
	fill       color.NRGBA
	modalities []int // positions among the names, none for the interactions
	// bounded is the share of a modality's groups over the data set, whose error is
	// known; nil for others.
	bounded *result.Bounded
}

// drawBars draws contributions and interaction of the data set and of each predicted
// class, stacked to 100 %.
func drawBars(s *Subject, opt Options) (*scene.Scene, error) {
	if s.single || s.only >= 0 {
		return nil, unfitf("bars compare the predicted classes of the data set, not a class or a sample alone")
	}
	section := stackSection{class: "class", one: "class", many: "classes", stacks: wording.Classes(s.target)}
	return s.drawStacks(opt, "Contributions and interaction by predicted class", []stackSection{section})
}

// A stackSection is a part of the rows of stacked bars: groups of samples by one thing.
type stackSection struct {
	// heading stands above the rows, empty for none.
	heading string
	// class is that of the rows; one and many name what a row is.
	class, one, many string
	stacks           []wording.SampleGroup
}

// drawStacks draws contributions and interaction of the data set and of each group of
// the sections.
func (s *Subject) drawStacks(opt Options, title string, sections []stackSection) (*scene.Scene, error) {
	groups := 0
	for _, section := range sections {
		groups += len(section.stacks)
	}
	return fit(opt, min(mostBars, max(1, groups)), max(1, min(groups, len(sections))), func(rows int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head(title, s.scored())
		parts := s.parts(sh.look)
		var keys []key
		for _, p := range parts {
			keys = append(keys, key{text: p.text, fill: p.fill})
		}
		sh.keys(keys...)
		axis := scale{low: 0, high: 1, percent: true}
		t := &table{axis: &axis, unit: "share of behaviour, " + s.headline, heads: []string{"samples", "InterSHAP"}, high: rowHeight + stretch}
		unclear := false
		add := func(class string, n name, b *result.Breakdown, bold bool) {
			r, pale := s.barRow(sh, class, n, b, parts, bold)
			t.rows = append(t.rows, r)
			unclear = unclear || pale
		}
		add("all", name{"all samples"}, &s.target.Breakdown, true)
		left, what := 0, ""
		for k, n := range allot(sections, rows) {
			section := &sections[k]
			if section.heading != "" {
				t.rows = append(t.rows, row{class: "heading", label: section.heading, name: name{section.heading}, bold: true, cells: []string{"", ""}})
			}
			for _, i := range mostSamples(section.stacks, n) {
				add(section.class, name{section.stacks[i].Name}, section.stacks[i].Breakdown, false)
			}
			if more := len(section.stacks) - n; more > 0 {
				left += more
				what = plural(left, section.one, section.many)
			}
		}
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		undrawn := ""
		if left > 0 {
			undrawn = what + " with fewer samples left out."
		}
		pale := ""
		if unclear {
			pale = "Pale: not clear of its error."
		}
		corrected := ""
		if _, ok := wording.HeadlineAggregate(&s.target.Breakdown, s.target.Headline).Corrected.Value(); ok {
			corrected = "InterSHAP: less what the noise of the coalitions adds; bars hold it."
		}
		sh.foot("Parts in the order of the legend.", pale, undrawn, corrected, s.pooledNote())
		s.footDoubts(sh, false)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// allot shares rows out among sections: one each in turn, as long as they have groups.
func allot(sections []stackSection, rows int) []int {
	out := make([]int, len(sections))
	for more := true; more; {
		more = false
		for k := range sections {
			if rows > 0 && out[k] < len(sections[k].stacks) {
				out[k]++
				rows--
				more = true
			}
		}
	}
	return out
}

// mostSamples returns the positions of the n groups with the most samples, in their
// order.
func mostSamples(groups []wording.SampleGroup, n int) []int {
	var at []int
	for i := range groups {
		at = append(at, i)
	}
	slices.SortStableFunc(at, func(a, b int) int { return groups[b].Samples - groups[a].Samples })
	at = at[:min(n, len(at))]
	slices.Sort(at)
	return at
}

// units returns what has a part of its own: modalities, with the groups of each.
func (s *Subject) units() []part {
	var out []part
	for i, g := range s.groups {
		text := wording.Escape(g.Modality)
		if n := len(g.Players); n > 1 {
			text += fmt.Sprintf(" (%d groups)", n)
		}
		p := part{text: text + " alone", modalities: g.Players}
		if a := s.target.Across; a != nil {
			p.bounded = &a.Headline(s.target.Headline).Modalities[i].Contribution
		}
		out = append(out, p)
	}
	if s.groups == nil {
		for i, n := range s.names {
			out = append(out, part{text: n + " alone", modalities: []int{i}})
		}
	}
	return out
}

// parts gives each modality a colour, as far as they go: those that contribute most
// over the data set have one, the others are one part.
func (s *Subject) parts(l look) []part {
	units := s.units()
	order := make([]int, len(units))
	for i := range order {
		order[i] = i
	}
	kept := order
	if room := len(l.modalities); len(order) > room {
		kept = slices.Clone(order)
		shares := wording.HeadlineAggregate(&s.target.Breakdown, s.target.Headline).Contributions
		size := make([]float64, len(units))
		for i, u := range units {
			for _, m := range u.modalities {
				size[i] += shares[s.ex.Modalities[m]].Or(0)
			}
		}
		slices.SortStableFunc(kept, func(a, b int) int { return cmp.Compare(size[b], size[a]) })
		kept = kept[:room]
		slices.Sort(kept)
	}
	var out []part
	rest, folded := part{fill: l.rest}, 0
	for _, i := range order {
		u := units[i]
		if slices.Contains(kept, i) {
			u.fill = l.modalities[len(out)]
			out = append(out, u)
			continue
		}
		rest.text = u.text
		rest.modalities = append(rest.modalities, u.modalities...)
		folded++
	}
	if folded > 1 {
		rest.text = fmt.Sprintf("%d other modalities, each alone", folded)
	}
	if folded > 0 {
		out = append(out, rest)
	}
	if len(s.names) > 1 {
		out = append(out, part{text: "interactions", fill: l.interactions})
	}
	return out
}

// A stretch is a part of one bar.
type stretch struct {
	share float64
	// unclear is set where the share is not clear of its error, or that of one of
	// several modalities.
	unclear bool
}

// stretchOf returns a part's stretch, and its share in words, "" where nothing is known.
func (s *Subject) stretchOf(a *result.Aggregate, p part) (st stretch, text string) {
	if whole := wording.HeadlineAggregate(&s.target.Breakdown, s.target.Headline); a == whole && p.bounded != nil {
		v := wording.Interval(*p.bounded)
		return stretch{v.Share.Or(0), v.OneSided()}, v.String()
	}
	if p.modalities == nil {
		v := wording.Interval{Share: a.InterSHAP, Low: a.Low, High: a.High}
		return stretch{a.InterSHAP.Or(0), v.OneSided()}, v.String()
	}
	for _, m := range p.modalities {
		name := s.ex.Modalities[m]
		if _, has := a.Contributions[name]; !has {
			continue // a modality that these samples lack
		}
		bounds := a.ContributionIntervals[name]
		v := wording.Interval{Share: a.Contributions[name], Low: bounds[0], High: bounds[1]}
		st.share += v.Share.Or(0)
		st.unclear = st.unclear || v.OneSided()
		text = v.String()
	}
	switch {
	case len(p.modalities) == 1:
		return st, text
	case st.unclear:
		return st, ""
	}
	return st, percent(st.share)
}

func (s *Subject) barRow(sh *sheet, class string, n name, b *result.Breakdown, parts []part, bold bool) (r row, unclear bool) {
	a := wording.HeadlineAggregate(b, s.target.Headline)
	score := wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}
	short, _ := score.Parts()
	_, defined := a.InterSHAP.Value()
	var stretches []stretch
	label := fmt.Sprintf("%s, %s: InterSHAP %s", n, count(b.Samples, "sample"), score)
	for _, p := range parts {
		st, text := s.stretchOf(a, p)
		stretches = append(stretches, st)
		unclear = unclear || defined && st.unclear
		if defined && p.modalities != nil && text != "" {
			label += fmt.Sprintf(", %s %s", p.text, text)
		}
	}
	return row{
		class: class, label: label, name: n, bold: bold,
		cells: []string{wording.Grouped(int64(b.Samples)), score.String()}, short: []string{wording.Grouped(int64(b.Samples)), short},
		draw: func(ar area) []scene.Item {
			if !defined {
				return []scene.Item{&scene.Text{Class: "undefined", At: scene.Point{X: ar.X + 6, Y: ar.middle() + 4}, Font: textFont, Fill: sh.muted, Text: "no behaviour: undefined"}}
			}
			return sh.stack(ar, parts, stretches)
		},
	}, unclear
}

// stack draws the parts of one bar, with their share where there is room for it. What is
// not clear of its error is pale and has no number: its bounds would not fit.
func (sh *sheet) stack(a area, parts []part, stretches []stretch) []scene.Item {
	const high = 18
	var items []scene.Item
	from := 0.0
	for i, p := range parts {
		st := stretches[i]
		x0, x1 := a.at(from), a.at(from+st.share)
		from += st.share
		if x1-x0 <= 0 {
			continue
		}
		bar := &scene.Rect{Class: "bar", Fill: p.fill, Stroke: sh.edgeOr(p.fill, sh.background), Box: scene.Box{X: x0, Y: a.middle() - high/2, W: x1 - x0, H: high}}
		items = append(items, bar)
		if st.unclear {
			// The outline keeps the colour: pale ones are hard to tell apart.
			bar.Class, bar.Fill, bar.Stroke = "bar pale", sh.pale(p.fill), sh.edgeOr(p.fill, p.fill)
			continue
		}
		text := percent(st.share)
		if smallFont.Width(text)+6 <= x1-x0 {
			items = append(items, &scene.Text{Class: "share", At: scene.Point{X: (x0 + x1) / 2, Y: a.middle() + 4}, Align: scene.Center, Font: smallFont, Fill: on(p.fill), Text: text})
		}
	}
	return items
}
