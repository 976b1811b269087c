package plot

import (
	"errors"
	"math"
	"strconv"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/score"
)

// Sides of a cell, in pixels, and how many rows there are at most. Where they do not
// fit there are fewer, down to leastRows.
const (
	mostRows  = 20
	leastRows = 8
	leastCell = 46
	mostCell  = 104
	cellHigh  = 52
	leastHigh = 34 // two lines of text
)

// drawMatrix draws phi as it is: modalities alone on the diagonal, half of each pair in
// both of its cells, with the share of each cell that counts. Shares add up to 100 %. Of
// many modalities those with the smallest effects are one row and column.
func drawMatrix(s *Subject, opt Options) (*scene.Scene, error) {
	m := len(s.names)
	var sc *scene.Scene
	var err error
	for rows := min(m, mostRows); rows >= min(m, leastRows); rows-- {
		if sc, err = s.folded(rows).drawMatrix(opt); !errors.Is(err, ErrSize) {
			break
		}
	}
	return sc, err
}

func (s *Subject) drawMatrix(opt Options) (*scene.Scene, error) {
	m := float64(len(s.names))
	g := grid{wide: max(s.leastCell(), min(mostCell, math.Floor(640/m))), high: cellHigh}
	for i := range s.names {
		g.names = max(g.names, math.Ceil(textFont.Width(s.numbered(i))))
	}
	const mostNames = 240
	g.names = min(g.names, mostNames)
	width := opt.Width
	if width == 0 {
		width = max(600, 2*margin+g.names+gutter+m*g.wide)
	} else {
		// Names give way first, then cells.
		room := width - 2*margin - gutter
		g.names = max(min(leastName, g.names), min(g.names, room-m*g.wide))
		g.wide = min(mostCell, math.Floor((room-g.names)/m))
		if least := s.leastCell(); g.wide < least {
			return nil, tooSmall(opt, width+m*(least-g.wide), 0)
		}
	}
	sc := s.drawGrid(opt, width, g)
	if opt.Height == 0 {
		return sc, nil
	}
	g.high += math.Floor((opt.Height - sc.Height) / m)
	if g.high < leastHigh {
		return nil, tooSmall(opt, 0, sc.Height-m*(cellHigh-leastHigh))
	}
	g.high = min(g.high, mostCell)
	sc = s.drawGrid(opt, width, g)
	sc.Height = opt.Height
	return sc, nil
}

// A grid is the measure of a matrix: the width of row names, and the sides of a cell.
type grid struct{ names, wide, high float64 }

// leastCell returns the width that the longest text of a cell needs.
func (s *Subject) leastCell() float64 {
	least := float64(leastCell)
	for i := range s.phi {
		for j := range s.phi {
			for _, text := range s.cellTexts(i, j) {
				least = max(least, smallFont.Width(text)+8)
			}
		}
	}
	return math.Ceil(least)
}

// cellTexts returns what stands in a cell: phi, and the cell's share if it counts.
func (s *Subject) cellTexts(i, j int) [2]string {
	value := signed(s.phi[i][j])
	if s.unsaid[[2]int{min(i, j), max(i, j)}] {
		return [2]string{value, ""}
	}
	if i == j {
		return [2]string{value, cellShare(s.alone[i], 1)}
	}
	if s.convention == score.SinglePair && i > j {
		return [2]string{value, ""}
	}
	return [2]string{value, cellShare(s.pairs[s.pairAt(i, j)], 1/s.pairCells())}
}

// cellShare writes the part of a share that one cell has, as far as it is known: its
// bounds have no room here.
func cellShare(v wording.Interval, part float64) string {
	x, ok := v.Share.Value()
	high, _ := v.High.Value()
	switch {
	case !ok:
		return wording.Undefined
	case v.Unclear():
		return wording.Unclear
	case v.OneSided():
		return "< " + wording.AtMost(high*part)
	}
	return percent(x * part)
}

// numbered returns a modality with its number, which stands over its column.
func (s *Subject) numbered(i int) string {
	if s.isFold(i) {
		return s.names[i]
	}
	return strconv.Itoa(i+1) + "  " + s.names[i]
}

// isFold reports whether a row is all that are folded.
func (s *Subject) isFold(i int) bool { return s.fold > 0 && i == len(s.names)-1 }

func (s *Subject) drawGrid(opt Options, width float64, g grid) *scene.Scene {
	sh := newSheet(opt.look(), width)
	sh.head("The matrix phi", s.scored(), "Diagonal: "+s.players+" alone. Others: half of each pair in two cells. All cells sum to output − base = "+signed(s.output-s.base)+".")
	sh.signKeys()
	// Columns have names where all of them fit, else numbers.
	whole := true
	strongest := 0.0
	for i, n := range s.names {
		whole = whole && textFont.Width(n) <= g.wide-6
		for _, x := range s.phi[i] {
			strongest = max(strongest, math.Abs(x))
		}
	}
	left := margin + g.names + gutter
	sh.y += 6 + textFont.Ascent()
	for j, n := range s.names {
		switch {
		case s.isFold(j):
			n = "more"
		case !whole:
			n = strconv.Itoa(j + 1)
		}
		sh.add(&scene.Text{Class: "column", At: scene.Point{X: left + (float64(j)+0.5)*g.wide, Y: sh.y}, Align: scene.Center, Font: textFont, Fill: sh.ink, Text: n})
	}
	sh.y += textFont.Descent() + 5
	for i := range s.names {
		s.drawCells(sh, i, left, g, whole, strongest)
		sh.y += g.high
	}
	s.drawStarts(sh, left, g)
	counted := "Shares: of both cells of a pair; they add up to 100 %"
	if s.convention == score.SinglePair {
		counted = "Shares: each pair counts once; they add up to 100 %"
	}
	kind := "global"
	if s.single {
		kind = s.headline
	}
	sh.foot(counted+" ("+kind+").", s.foldNote(), s.meanNote(), s.pooledNote())
	s.footDoubts(sh, true)
	sh.foot(s.source())
	return sh.finish(0)
}

// drawStarts draws lines between groups of different modalities, across the cells above.
func (s *Subject) drawStarts(sh *sheet, left float64, g grid) {
	m := float64(len(s.names))
	top := sh.y - m*g.high
	line := func(from, to scene.Point) {
		sh.add(&scene.Line{Class: "start", Stroke: sh.ink, Width: 1.25, Points: []scene.Point{from, to}})
	}
	for _, at := range s.starts() {
		x, y := left+float64(at)*g.wide, top+float64(at)*g.high
		line(scene.Point{X: x, Y: top}, scene.Point{X: x, Y: sh.y})
		line(scene.Point{X: left, Y: y}, scene.Point{X: left + m*g.wide, Y: y})
	}
}

// drawCells draws row i of the matrix.
func (s *Subject) drawCells(sh *sheet, i int, left float64, g grid, whole bool, strongest float64) {
	title := s.numbered(i)
	if whole {
		title = s.names[i]
	}
	y := sh.y + g.high/2
	sh.add(&scene.Group{Class: "row", Label: s.names[i], Items: []scene.Item{
		&scene.Text{Class: "name", At: scene.Point{X: margin, Y: y + 4}, Font: textFont, Fill: sh.ink, Text: textFont.Shorten(title, g.names)},
	}})
	for j := range s.names {
		// The colour of the largest number is not full, so that text is read on it.
		const fullest = 0.85
		fill := sh.background
		if strongest > 0 {
			fill = mix(sh.background, sh.sign(s.phi[i][j]), fullest*math.Abs(s.phi[i][j])/strongest)
		}
		x := left + float64(j)*g.wide
		texts := s.cellTexts(i, j)
		of := s.names[i] + " alone"
		if i == j && s.isFold(i) {
			of = s.names[i] + ", alone and together"
		}
		if i != j {
			of = name{s.names[i], s.names[j]}.String() + ", half"
		}
		label := of + " " + texts[0]
		if texts[1] != "" {
			label += ", share " + texts[1]
		}
		sh.tell(label)
		middle := x + g.wide/2
		cell := &scene.Group{Class: "cell", Label: label, Items: []scene.Item{
			&scene.Rect{Class: "cell", Box: scene.Box{X: x, Y: sh.y, W: g.wide, H: g.high}, Fill: fill, Stroke: sh.grid},
		}}
		line := func(class, text string, y float64, f scene.Font) {
			cell.Items = append(cell.Items, &scene.Text{Class: class, At: scene.Point{X: middle, Y: y}, Align: scene.Center, Font: f, Fill: on(fill), Text: text})
		}
		if texts[1] == "" {
			line("value", texts[0], y+4, smallFont)
		} else {
			line("value", texts[0], y-3, smallFont)
			line("share", texts[1], y+12, smallFont)
		}
		sh.add(cell)
	}
}
