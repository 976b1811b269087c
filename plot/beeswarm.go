package plot

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

const (
	// mostSwarms is how many effects have a row in a beeswarm.
	mostSwarms = 12
	swarmHigh  = 52
)

// drawBeeswarm draws a mark for each sample: the local scores, and phi of each effect,
// with the shape and colour of the predicted class. Where there are more samples than
// places, marks are thinned out: see place.
func drawBeeswarm(s *Subject, opt Options) (*scene.Scene, error) {
	switch {
	case s.of == nil:
		return nil, unfitf("a beeswarm is drawn from a samples file, and there is none")
	case s.single:
		return nil, unfitf("a beeswarm shows how samples spread, and one was chosen")
	}
	ranked := s.swarms(opt.Interactions)
	if len(ranked) == 0 {
		return nil, unfitf("no sample has any of the modalities")
	}
	return fit(opt, min(mostSwarms, len(ranked)), 1, func(rows int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head("How samples spread", s.scored())
		groups := s.classGroups(sh.look)
		if len(groups) > 1 {
			var keys []key
			for _, g := range groups {
				keys = append(keys, key{text: g.text, fill: g.style.fill, mark: true, shape: g.style.shape})
			}
			sh.keys(keys...)
		}
		var drawn swarmCount
		scores, undefinedScores := s.localScores()
		if len(scores) > 0 {
			axis := scale{low: -0.02, high: 1.02, percent: true}
			t := &table{axis: &axis, unit: "share of a sample's behaviour", heads: []string{"mean"}, high: swarmHigh + stretch}
			t.rows = []row{s.swarmRow("local", name{"local InterSHAP"}, scores, percent)}
			t.under = sh.swarms([][]point{scores}, groups, &drawn)
			if err := t.draw(sh); err != nil {
				return nil, err
			}
			sh.y += 14
		}
		shown := ranked[:rows]
		values := []float64{0}
		for _, w := range shown {
			for _, p := range w.points {
				values = append(values, p.value)
			}
		}
		axis := newScale(values...)
		t := &table{axis: &axis, unit: "phi, " + s.unit(), heads: []string{"mean"}, high: swarmHigh + stretch}
		var points [][]point
		for _, w := range shown {
			t.rows = append(t.rows, s.swarmRow(w.class, w.name, w.points, signed))
			points = append(points, w.points)
		}
		marks := sh.swarms(points, groups, &drawn)
		t.under = func(whole area, rows []area) []scene.Item {
			zero := &scene.Line{Class: "zero", Stroke: sh.muted, Width: 1, Points: []scene.Point{{X: whole.at(0), Y: whole.Y}, {X: whole.at(0), Y: whole.Bottom()}}}
			return append([]scene.Item{zero}, marks(whole, rows)...)
		}
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		sh.foot(s.swarmNotes(len(ranked)-rows, undefinedScores, shown, len(scores), drawn)...)
		s.footDoubts(sh, false)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

// A swarmCount counts the marks of a figure, and the samples of the mark that stands for
// the most.
type swarmCount struct{ marks, most int }

func (s *Subject) swarmNotes(left, undefinedScores int, shown []swarm, scores int, drawn swarmCount) []string {
	var notes []string
	all := scores
	for _, w := range shown {
		all += len(w.points)
	}
	if drawn.marks < all {
		notes = append(notes, fmt.Sprintf("%s of %s drawn: a mark stands for up to %s; each row has its own scale; a stack has at least one mark.",
			count(drawn.marks, "mark"), wording.Grouped(int64(all)), count(drawn.most, "sample")))
	}
	if left > 0 {
		notes = append(notes, plural(left, "effect", "effects")+" of the smallest mean |phi| left out.")
	}
	if undefinedScores > 0 {
		notes = append(notes, count(undefinedScores, "sample")+" without behaviour: no local score.")
	}
	if s.pooled {
		notes = append(notes, "Some samples lack modalities: a row has the samples that have its modalities.")
	}
	if text := wording.Unweighted(s.ex); text != "" {
		notes = append(notes, text)
	}
	return notes
}

// A point is what one sample has in a row.
type point struct {
	value float64
	class int
}

// A swarm is an effect over samples.
type swarm struct {
	class  string
	name   name
	points []point
	size   float64 // mean |phi|
}

// isChosen reports whether sample i is among those that are drawn.
func (s *Subject) isChosen(i int) bool { return s.only < 0 || s.predicted[i] == s.only }

// has reports whether sample i has all modalities of a coalition.
func (s *Subject) has(i int, of game.Coalition) bool {
	return s.present == nil || of&^s.present[i] == 0
}

// classOf returns the class of sample i, 0 where there are none.
func (s *Subject) classOf(i int) int {
	if len(s.ex.Classes) == 0 {
		return 0
	}
	return s.predicted[i]
}

// localScores returns the scores that are defined, and how many are not.
func (s *Subject) localScores() (scores []point, undefinedScores int) {
	for i, x := range s.of.InterSHAP {
		if !s.isChosen(i) {
			continue
		}
		if v, ok := x.Value(); ok {
			scores = append(scores, point{v, s.classOf(i)})
		} else {
			undefinedScores++
		}
	}
	return scores, undefinedScores
}

// swarms returns the effects over samples, largest mean |phi| first; modalities come
// before pairs where they are equal. A sample that lacks a modality is not among the
// points of its effects.
func (s *Subject) swarms(how Interactions) []swarm {
	m := len(s.names)
	cells := func(has game.Coalition, of func(phi []float64) float64) (points []point, size float64) {
		for i := range s.predicted {
			if !s.isChosen(i) || !s.has(i, has) {
				continue
			}
			v := of(s.of.Matrix(i, m))
			points = append(points, point{v, s.classOf(i)})
			size += math.Abs(v)
		}
		return points, size / float64(max(1, len(points)))
	}
	var out []swarm
	add := func(class string, n name, has game.Coalition, of func(phi []float64) float64) {
		if points, size := cells(has, of); len(points) > 0 || s.present == nil {
			out = append(out, swarm{class, n, points, size})
		}
	}
	for i, n := range s.names {
		add("alone", name{n}, game.Coalition(0).With(i), func(phi []float64) float64 { return phi[i*m+i] })
	}
	pair := func(phi []float64, i, j int) float64 { return phi[i*m+j] + phi[j*m+i] }
	if how == One && m > 1 {
		add("pair", name{"interactions"}, 0, func(phi []float64) float64 {
			sum := 0.0
			for i := range m {
				for j := i + 1; j < m; j++ {
					sum += pair(phi, i, j)
				}
			}
			return sum
		})
	} else {
		for i, first := range s.names {
			for j := i + 1; j < m; j++ {
				add("pair", name{first, s.names[j]}, game.Coalition(0).With(i).With(j), func(phi []float64) float64 { return pair(phi, i, j) })
			}
		}
	}
	slices.SortStableFunc(out, func(a, b swarm) int {
		switch {
		case a.size > b.size:
			return -1
		case a.size < b.size:
			return 1
		}
		return 0
	})
	return out
}

// A classGroup is one class in a beeswarm, or all that have no shape of their own.
type classGroup struct {
	text    string
	classes []int // none for all others
	style   markStyle
}

// classGroups gives the classes with the most samples a colour and a shape each.
func (s *Subject) classGroups(l look) []classGroup {
	samples := map[int]int{}
	for i := range s.predicted {
		if s.isChosen(i) {
			samples[s.classOf(i)]++
		}
	}
	var classes []int
	for c := range samples {
		classes = append(classes, c)
	}
	slices.Sort(classes)
	if len(s.ex.Classes) == 0 {
		return []classGroup{{text: "samples", classes: classes, style: markStyle{l.alone, scene.Dot}}}
	}
	// Pairs of colour and shape stay different up to the product of both, but a
	// legend of more is not read.
	const mostClasses = 12
	most := min(mostClasses, len(l.series)*scene.Shapes())
	own := slices.Clone(classes)
	if len(classes) > most {
		slices.SortStableFunc(own, func(a, b int) int { return samples[b] - samples[a] })
		own = own[:most-1]
		slices.Sort(own)
	}
	var out []classGroup
	for i, c := range own {
		out = append(out, classGroup{
			text: "predicted " + s.className(c), classes: []int{c},
			style: markStyle{l.classes[i%len(l.classes)], shapeOf(i, len(l.classes))},
		})
	}
	if n := len(classes) - len(own); n > 0 {
		out = append(out, classGroup{text: plural(n, "other class", "other classes"), style: markStyle{l.rest, scene.Dot}})
	}
	return out
}

// shapeOf returns the shape of the i-th class among colours that come round again: no
// two classes have the same of both.
func shapeOf(i, colours int) scene.Shape {
	return scene.Shape((i%colours + i/colours) % scene.Shapes())
}

// groupOf returns the position of the group of a class.
func groupOf(groups []classGroup, class int) int {
	for i, g := range groups {
		if slices.Contains(g.classes, class) {
			return i
		}
	}
	return len(groups) - 1
}

func (s *Subject) swarmRow(class string, n name, points []point, text func(float64) string) row {
	mean, low, high := 0.0, math.Inf(1), math.Inf(-1)
	for _, p := range points {
		mean += p.value / float64(len(points))
		low, high = min(low, p.value), max(high, p.value)
	}
	return row{
		class: class, name: n, cells: []string{text(mean)},
		label: fmt.Sprintf("%s over %s: mean %s, from %s to %s", n, count(len(points), "sample"), text(mean), text(low), text(high)),
	}
}

// swarms returns what draws the marks of rows, in one size for all, and counts them.
func (sh *sheet) swarms(rows [][]point, groups []classGroup, drawn *swarmCount) func(whole area, places []area) []scene.Item {
	return func(_ area, places []area) []scene.Item {
		size := markSize(rows, places[0])
		var items []scene.Item
		for i, points := range rows {
			at, most := place(points, places[i], size, groups)
			drawn.most = max(drawn.most, most)
			g := &scene.Group{Class: "swarm"}
			for j, of := range groups {
				if len(at[j]) > 0 {
					drawn.marks += len(at[j])
					// Marks leave a little room to their neighbours.
					g.Items = append(g.Items, &scene.Marks{Class: "samples", Shape: of.style.shape, Size: 0.9 * size, Fill: of.style.fill, Outline: sh.edgeOf(of.style.fill), At: at[j]})
				}
			}
			items = append(items, g)
		}
		return items
	}
}
