package plot

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

const (
	// mostEdges is how many pairs are listed under the network.
	mostEdges = 10
	// mostNodes and mostLines are how many modalities and pairs are drawn: those with
	// the largest effects.
	mostNodes = 24
	mostLines = 160
	mostNode  = 30 // radius of the largest node
	leastNode = 2
	mostEdge  = 10 // width of the widest edge
	leastEdge = 0.5
	faint     = 0x70 // alpha of edges that are hardly there
	pairReach = 22   // from a node to its text where there are but two
)

// drawNetwork draws modalities as nodes, their area the size of what they do alone, and
// interactions as edges, as wide as the pair's phi is large. What lowers the output is
// dashed. A list under it has the largest pairs with their numbers. Groups of one modality
// stand together, on a band.
func drawNetwork(s *Subject, opt Options) (*scene.Scene, error) {
	if len(s.names) < 2 {
		return nil, unfitf("a network has edges between modalities, and there is but one")
	}
	pairs := s.pairEffects()
	bySize(pairs)
	return fit(opt, min(mostEdges, len(pairs)), min(2, len(pairs)), func(rows int, stretch float64) (*scene.Scene, error) {
		sh := newSheet(opt.look(), opt.width())
		sh.head(strings.ToUpper(s.players[:1])+s.players[1:]+" and their interactions", s.scored())
		drawn := s.restricted(s.strongest(mostNodes, s.inLargest(rows)))
		keys := []key{
			{text: "+ raises the output", fill: sh.sign(1), line: true},
			{text: "− lowers it (dashed)", fill: sh.sign(-1), line: true, dashed: true},
		}
		sh.keys(append(keys, drawn.bandKeys(sh.look)...)...)
		undrawn, err := drawn.drawCircle(sh, opt, float64(rows+2)*stretch)
		if err != nil {
			return nil, err
		}
		shown := fold(pairs, rows)
		t := &table{heads: []string{"phi", "share"}, high: 22, area: 40}
		largest := math.Abs(pairs[0].phi)
		for _, e := range shown {
			t.rows = append(t.rows, row{
				class: e.class, label: s.effectLabel(e), name: e.name, cells: s.effectCells(e), short: shortCells(e),
				draw: func(a area) []scene.Item {
					if e.class == "more" {
						return nil
					}
					return sh.edge("sample", e.phi, largest, scene.Point{X: a.X, Y: a.middle()}, scene.Point{X: a.Right(), Y: a.middle()})
				},
			})
		}
		if err := t.draw(sh); err != nil {
			return nil, err
		}
		note := s.errorNote(t)
		sh.foot("Area of a node: |phi| of the "+s.player()+" alone. Width of a line: |phi| of the pair.", s.undrawnNote(len(s.names)-len(drawn.names), undrawn), note, s.shareNote(), s.meanNote(), s.pooledNote())
		s.footDoubts(sh, true)
		sh.foot(s.source())
		return sh.finish(0), nil
	})
}

// inLargest returns the modalities of the largest pairs, as many as are listed with
// their names.
func (s *Subject) inLargest(rows int) []int {
	type end struct {
		i, j int
		size float64
	}
	var ends []end
	for i := range s.names {
		for j := i + 1; j < len(s.names); j++ {
			ends = append(ends, end{i, j, math.Abs(s.phi[i][j] + s.phi[j][i])})
		}
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(b.size, a.size) })
	var out []int
	for _, e := range ends[:min(rows, mostEdges, len(ends))] {
		out = append(out, e.i, e.j)
	}
	return out
}

// player names one of what the names are.
func (s *Subject) player() string {
	if s.groups != nil {
		return "group"
	}
	return "modality"
}

// undrawnNote says what the circle leaves out.
func (s *Subject) undrawnNote(nodes, lines int) string {
	switch {
	case nodes > 0 && lines > 0:
		return fmt.Sprintf("Not drawn: the %d %s with the smallest effects, and the %s smallest pairs of those that are.", nodes, s.players, wording.Grouped(int64(lines)))
	case nodes > 0:
		return fmt.Sprintf("Not drawn: the %d %s with the smallest effects.", nodes, s.players)
	case lines > 0:
		return fmt.Sprintf("Not drawn: the %s smallest pairs.", wording.Grouped(int64(lines)))
	}
	return ""
}

// bandColours are the colours of bands: those of modalities that are no sign's.
func (l look) bandColours() []color.NRGBA {
	if len(l.series) > minColours {
		return l.series[minColours:]
	}
	return []color.NRGBA{l.rest}
}

// banded returns the positions, among groups, of the modalities that have a band: those
// of two groups or more.
func (s *Subject) banded() []int {
	var out []int
	for i, g := range s.groups {
		if len(g.Players) > 1 {
			out = append(out, i)
		}
	}
	return out
}

// bandKeys explains the bands; none where there are too many to tell apart.
func (s *Subject) bandKeys(l look) []key {
	colours, at := l.bandColours(), s.banded()
	if len(at) > len(colours) {
		return nil
	}
	var keys []key
	for k, i := range at {
		keys = append(keys, key{text: "groups of " + wording.Escape(s.groups[i].Modality), fill: l.pale(colours[k])})
	}
	return keys
}

// drawBands draws, behind nodes of a circle, a band along the groups of each modality.
func (s *Subject) drawBands(sh *sheet, center scene.Point, radius float64, angles []float64) {
	const step, wide = 0.03, 12 // radians, pixels
	colours := sh.bandColours()
	for k, i := range s.banded() {
		g := s.groups[i]
		from, to := angles[g.Players[0]], angles[g.Players[len(g.Players)-1]]
		var points []scene.Point
		n := max(1, math.Ceil((from-to)/step))
		for at := range int(n) + 1 {
			angle := from + (to-from)*float64(at)/n
			points = append(points, scene.Point{X: center.X + radius*math.Cos(angle), Y: center.Y - radius*math.Sin(angle)})
		}
		sh.add(&scene.Group{Class: "band", Label: wording.Escape(g.Modality) + ", " + plural(len(g.Players), "group", "groups"), Items: []scene.Item{
			&scene.Line{Class: "band", Stroke: sh.pale(colours[k%len(colours)]), Width: wide, Points: points},
		}})
	}
}

// edge draws the line of a pair; none for a pair that does nothing.
func (sh *sheet) edge(class string, phi, largest float64, from, to scene.Point) []scene.Item {
	if phi == 0 || largest == 0 {
		return nil
	}
	width := max(leastEdge, mostEdge*math.Abs(phi)/largest)
	stroke := sh.sign(phi)
	if width < 1 {
		stroke.A = faint
	}
	return []scene.Item{&scene.Line{
		Class: class, Stroke: stroke, Width: width,
		Dashed: phi < 0, Points: []scene.Point{from, to},
	}}
}

// A node is a modality on the circle, and its text beside it.
type node struct {
	effect
	at     scene.Point
	radius float64
	// right is set on the right half, alone for a text above or below the circle.
	right, middle bool
	// y is the middle of the text.
	y     float64
	lines []string
}

// drawCircle draws nodes on a circle, edges between them and texts at its sides. It
// returns how many edges are not drawn, for there would be too many.
func (s *Subject) drawCircle(sh *sheet, opt Options, extra float64) (undrawn int, err error) {
	m := len(s.names)
	sh.y += 8
	lineHigh := textFont.Line()
	textHigh := 2*lineHigh + 4
	// Texts of one side must have room below one another.
	radius := max(105, float64((m+1)/2)*textHigh/2+10) + min(60, extra/2)
	side := sh.inner()/2 - radius - mostNode - 8
	if m == 2 {
		side = sh.inner()/2 - radius - mostNode - pairReach
	}
	least := 90.0
	for _, e := range s.modalityEffects() {
		least = max(least, smallFont.Width(nodeText(e)))
	}
	if side < least {
		radius -= least - side
		side = least
		if radius < 60 {
			return 0, tooSmall(opt, sh.width+2*(60-radius), 0)
		}
	}
	center := scene.Point{X: sh.width / 2, Y: sh.y + radius + mostNode + textHigh}
	nodes := s.nodes(center, radius, side)
	top, bottom := spread(nodes, textHigh)
	// What reaches further up than the circle moves everything down.
	if over := sh.y - top; over > 0 {
		center.Y += over
		nodes = s.nodes(center, radius, side)
		top, bottom = spread(nodes, textHigh)
	}
	lift := top - sh.y
	for i := range nodes {
		nodes[i].at.Y -= lift
		nodes[i].y -= lift
	}
	bottom -= lift
	center.Y -= lift
	s.drawBands(sh, center, radius, s.angles())
	largest := 0.0
	pairs := s.pairEffects()
	for _, p := range pairs {
		largest = max(largest, math.Abs(p.phi))
	}
	var ends [][2]int
	for i := range nodes {
		for j := i + 1; j < m; j++ {
			ends = append(ends, [2]int{i, j})
		}
	}
	// The largest are drawn last, over the others.
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(pairs[a].phi), math.Abs(pairs[b].phi)) })
	undrawn = max(0, len(order)-mostLines)
	for _, at := range order[undrawn:] {
		p := pairs[at]
		if e := sh.edge("edge", p.phi, largest, nodes[ends[at][0]].at, nodes[ends[at][1]].at); e != nil {
			sh.add(&scene.Group{Class: "edge", Label: fmt.Sprintf("%s %s", p.name, signed(p.phi)), Items: e})
		}
	}
	for _, n := range nodes {
		sh.add(s.drawNode(sh, n, center, radius))
	}
	sh.y = bottom + 12
	return undrawn, nil
}

// angles returns the places of the modalities on the circle, the first to the right of
// its top. Groups of different modalities have more room between them.
func (s *Subject) angles() []float64 {
	room, starts := 0.0, s.starts()
	if s.banded() != nil && len(s.groups) > 1 {
		room = 0.6 // of the way from one node to the next
	}
	whole := float64(len(s.names)) + room*float64(len(starts)+1)
	var out []float64
	before := 0.0
	for i := range s.names {
		if slices.Contains(starts, i) {
			before++
		}
		at := float64(i) + 0.5 + room*(before+0.5)
		out = append(out, math.Pi/2-at*2*math.Pi/whole)
	}
	return out
}

// nodes places the modalities on the circle, the first to the right of its top.
func (s *Subject) nodes(center scene.Point, radius, side float64) []node {
	m := len(s.names)
	largest := 0.0
	for i := range s.phi {
		largest = max(largest, math.Abs(s.phi[i][i]))
	}
	// Neighbours do not touch: their radii have room on the chord between them.
	const apart = 4
	angles := s.angles()
	apartBy := 2 * math.Pi / float64(m)
	for i := 1; i < m; i++ {
		apartBy = min(apartBy, angles[i-1]-angles[i])
	}
	most := min(float64(mostNode), radius*math.Sin(apartBy/2)-apart/2)
	var out []node
	for i, e := range s.modalityEffects() {
		angle := angles[i]
		n := node{effect: e, at: scene.Point{X: center.X + radius*math.Cos(angle), Y: center.Y - radius*math.Sin(angle)}, radius: leastNode}
		if largest > 0 {
			n.radius = max(leastNode, most*math.Sqrt(math.Abs(e.phi)/largest))
		}
		n.right, n.middle = math.Cos(angle) > 0, math.Abs(math.Cos(angle)) < 1e-9
		n.y = n.at.Y
		width := side
		if n.middle {
			// Beneath the circle, in the width of all.
			width = 2 * side
			n.y += n.radius + 4 + textFont.Line()
		}
		n.lines = []string{textFont.Shorten(e.name.String(), width), nodeText(e)}
		out = append(out, n)
	}
	return out
}

// nodeText is what a modality does alone, without its errors.
func nodeText(e effect) string { return strings.Join(shortCells(e), ", ") }

// spread moves the texts of each side apart, so that none overlaps the next, and
// returns how far nodes and texts reach.
func spread(nodes []node, high float64) (top, bottom float64) {
	for _, right := range []bool{true, false} {
		var side []*node
		for i := range nodes {
			if nodes[i].right == right && !nodes[i].middle {
				side = append(side, &nodes[i])
			}
		}
		slices.SortFunc(side, func(a, b *node) int {
			if a.y < b.y {
				return -1
			}
			return 1
		})
		// Down the side each text leaves the one above it enough room; then all
		// move up by half of what the last was moved, so that they stay centred.
		moved := 0.0
		for i, n := range side {
			if i > 0 && n.y < side[i-1].y+high {
				n.y = side[i-1].y + high
			}
			moved = n.y - n.at.Y
		}
		for _, n := range side {
			n.y -= moved / 2
		}
	}
	top, bottom = math.Inf(1), math.Inf(-1)
	for _, n := range nodes {
		top = min(top, n.at.Y-n.radius, n.y-high/2)
		bottom = max(bottom, n.at.Y+n.radius, n.y+high/2)
	}
	return top, bottom
}

func (s *Subject) drawNode(sh *sheet, n node, center scene.Point, radius float64) *scene.Group {
	label := s.effectLabel(n.effect)
	sh.tell(label)
	g := &scene.Group{Class: "node", Label: label}
	x, align := n.at.X, scene.Center
	if !n.middle {
		reach := radius + mostNode + 6
		if len(s.names) == 2 {
			// Texts of two stand beside their nodes, whatever their size.
			reach = radius + n.radius + pairReach
		}
		x, align = center.X-reach, scene.Right
		if n.right {
			x, align = center.X+reach, scene.Left
		}
		edge := n.at.X - n.radius
		if n.right {
			edge = n.at.X + n.radius
		}
		gap := 4.0
		if n.right {
			gap = -4
		}
		g.Items = append(g.Items, &scene.Line{Class: "leader", Stroke: sh.muted, Width: 0.75, Points: []scene.Point{{X: edge, Y: n.at.Y}, {X: x + gap, Y: n.y}}})
	}
	g.Items = append(g.Items, &scene.Circle{Class: "node", Center: n.at, Radius: n.radius, Fill: sh.sign(n.phi), Stroke: sh.edgeOr(sh.sign(n.phi), sh.background)})
	y := n.y - 2
	for i, text := range n.lines {
		f, fill := textFont, sh.ink
		if i > 0 {
			f, fill = smallFont, sh.muted
		}
		g.Items = append(g.Items, &scene.Text{Class: []string{"name", "value"}[i], At: scene.Point{X: x, Y: y}, Align: align, Font: f, Fill: fill, Text: text})
		y += textFont.Line()
	}
	return g
}
