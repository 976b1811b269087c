package cli

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/internal/wording"
)

// A page collects what a command prints and lays it out: for a terminal in
// aligned columns and wrapped lines, elsewhere with tabs between columns and
// nothing wrapped. The words are the same. Text is escaped as it comes in.
type page struct {
	out      io.Writer
	buffer   bytes.Buffer
	terminal bool
	color    bool
	// bars is set where the terminal can show bars of characters.
	bars  bool
	width int
}

func newPage(s *streams, color string) *page {
	return &page{out: s.out, terminal: s.outTerminal, color: s.colored(color, s.outTerminal), bars: s.outTerminal && s.utf8(), width: s.width}
}

// flush writes the page.
func (p *page) flush() error {
	_, err := p.buffer.WriteTo(p.out)
	return err
}

// A cell is one field of a grid. Heads of a column are aligned at their right
// end where any of them has a tail, at their left end otherwise.
type cell struct {
	head, tail string
	// strong cells are the ones to read first; numbers stand at the right end
	// of their column.
	strong, number bool
	// pair has the names that head joins, empty for other cells.
	pair [2]string
	// bar is a share that is drawn in the room to the right, 0 for other cells, and
	// overBars is set for the heading of such cells; either is the last of its row.
	// together is set for what modalities do together.
	bar      float64
	overBars bool
	together bool
}

// ofBars reports whether the cell belongs to the column of bars.
func (c cell) ofBars() bool { return c.bar > 0 || c.overBars }

func (c cell) text() string {
	if c.tail == "" {
		return c.head
	}
	return c.head + " " + c.tail
}

// Select graphic rendition: what terminals know of colour.
const (
	strongOn   = "\x1b[1m"
	aloneOn    = "\x1b[36m"
	togetherOn = "\x1b[35m"
	doubtOn    = "\x1b[33m"
	allOff     = "\x1b[0m"
)

func (p *page) paint(on, text string) string {
	if !p.color || text == "" {
		return text
	}
	return on + text + allOff
}

// blank writes an empty line.
func (p *page) blank() { p.buffer.WriteByte('\n') }

// line writes a sentence, wrapped on a terminal.
func (p *page) line(format string, args ...any) { p.hangPainted("", escapef(format, args...)) }

// hang writes text after a mark, later lines indented by the mark's width.
func (p *page) hang(mark, text string) { p.hangPainted(mark, painted(escape(text))) }

// hangPainted is hang for text that may have colour.
func (p *page) hangPainted(mark string, text painted) {
	indent := strings.Repeat(" ", visible(mark))
	for i, l := range p.wrap(string(text), p.width-len(indent)) {
		if i > 0 {
			mark = indent
		}
		p.buffer.WriteString(mark + l + "\n")
	}
}

// wrap cuts text between words into lines of a width. A longer word stays
// whole: a path must be there to copy.
func (p *page) wrap(text string, width int) []string {
	if !p.terminal {
		return []string{text}
	}
	lines := []string{""}
	for i, word := range words(text) {
		last := &lines[len(lines)-1]
		switch {
		case i == 0:
			*last = word
		case visible(*last)+1+visible(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}

// words cuts text at its blanks, but for those between a number and its sign.
func words(text string) []string {
	var out []string
	for _, word := range strings.Split(text, " ") {
		if strings.HasPrefix(word, "%") && len(out) > 0 {
			out[len(out)-1] += " " + word
			continue
		}
		out = append(out, word)
	}
	return out
}

// pairs writes names and what they stand for.
func (p *page) pairs(all [][2]string) { p.markedPairs(all, "") }

// markedPairs is pairs with marks after the last of them.
func (p *page) markedPairs(all [][2]string, marks painted) {
	widest := 0
	for _, kv := range all {
		widest = max(widest, visible(kv[0]))
	}
	for i, kv := range all {
		text := painted(escape(kv[1]))
		if i == len(all)-1 {
			text += marks
		}
		if p.terminal {
			p.hangPainted(pad(kv[0], widest)+"  ", text)
		} else {
			p.buffer.WriteString(kv[0] + "\t" + string(text) + "\n")
		}
	}
}

// gap is the space between columns on a terminal.
const gap = 2

// grid writes rows of cells. On a terminal too narrow for them the first
// column is shortened.
func (p *page) grid(rows [][]cell) {
	rows = escaped(rows)
	if !p.terminal {
		for _, row := range rows {
			var fields []string
			for _, c := range row {
				fields = append(fields, p.emphasise(c, c.text()))
			}
			p.buffer.WriteString(strings.Join(fields, "\t") + "\n")
		}
		return
	}
	columns := measure(rows)
	total := -gap
	for _, c := range columns {
		total += c.width() + gap
	}
	// A name cut below this says nothing.
	const least = 12
	if over := total - p.width; over > 0 {
		columns[0].head = max(min(least, columns[0].head), columns[0].head-over)
	}
	for _, row := range p.fitBars(rows, columns) {
		var b strings.Builder
		left := 0
		for i, c := range row {
			if c.bar > 0 {
				b.WriteString(p.drawBar(c, p.width-left))
				break
			}
			if c.overBars {
				b.WriteString(c.head)
				break
			}
			left += columns[i].width() + gap
			text := columns[i].lay(c)
			b.WriteString(p.emphasise(c, text))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", columns[i].width()-visible(text)+gap))
			}
		}
		p.buffer.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

// fitBars leaves the column of bars out where it has too little room: there is none for
// its heading, or bars would be too short to tell anything. A row that had nothing else
// goes too.
func (p *page) fitBars(rows [][]cell, columns []column) [][]cell {
	for _, row := range rows {
		last := len(row) - 1
		if last < 0 || !row[last].ofBars() {
			continue
		}
		room := p.width
		for _, c := range columns[:last] {
			room -= c.width() + gap
		}
		if room < max(shortestBar, visible(row[last].head)) {
			return withoutBars(rows)
		}
	}
	return rows
}

func withoutBars(rows [][]cell) (out [][]cell) {
	for _, row := range rows {
		if last := len(row) - 1; last >= 0 && row[last].ofBars() {
			row = row[:last]
			if !slices.ContainsFunc(row, func(c cell) bool { return c.head != "" }) {
				continue
			}
		}
		out = append(out, row)
	}
	return out
}

// escaped returns the rows with the texts of their cells escaped, so that what
// is measured is what is seen.
func escaped(rows [][]cell) [][]cell {
	out := make([][]cell, len(rows))
	for i, row := range rows {
		for _, c := range row {
			c.head, c.tail = escape(c.head), escape(c.tail)
			c.pair = [2]string{escape(c.pair[0]), escape(c.pair[1])}
			out[i] = append(out[i], c)
		}
	}
	return out
}

func (p *page) emphasise(c cell, text string) string {
	if c.strong {
		return p.paint(strongOn, text)
	}
	return text
}

const (
	// longestBar is that of a share of 1: longer ones only lead the eye away, and
	// shorter ones than shortestBar say nothing.
	longestBar  = 20
	shortestBar = 6
	eighths     = 8
)

// drawBar draws the share of a cell in eighths of a character.
func (p *page) drawBar(c cell, room int) string {
	cells := min(room, longestBar)
	if cells < shortestBar {
		return ""
	}
	// A share that is there is seen.
	n := max(1, int(math.Round(min(c.bar, 1)*float64(cells*eighths))))
	text := strings.Repeat("█", n/eighths)
	if part := n % eighths; part > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[part-1])
	}
	on := aloneOn
	if c.together {
		on = togetherOn
	}
	// The rest up to a share of 1 tells the scale.
	return p.paint(on, text) + strings.Repeat("░", cells-visible(text))
}

// A column is the widest head and tail of a grid's column.
type column struct {
	head, tail int
	// whole is the widest cell of a single part, which may reach over both.
	whole int
}

func measure(rows [][]cell) []column {
	var columns []column
	for _, row := range rows {
		for i, c := range row {
			if c.ofBars() {
				continue // it takes what room there is
			}
			if i == len(columns) {
				columns = append(columns, column{})
			}
			columns[i].tail = max(columns[i].tail, visible(c.tail))
		}
	}
	for r, row := range rows {
		for i, c := range row {
			if c.ofBars() {
				continue
			}
			n := visible(c.head)
			if columns[i].tail > 0 && r == 0 {
				// A heading stands over both parts.
				columns[i].whole = max(columns[i].whole, n)
				continue
			}
			columns[i].head = max(columns[i].head, n)
		}
	}
	return columns
}

func (c column) width() int {
	if c.tail == 0 {
		return c.head
	}
	return max(c.head+1+c.tail, c.whole)
}

// lay writes a cell as it stands in its column, without the space to the next.
func (c column) lay(x cell) string {
	if c.tail == 0 {
		text := x.shortened(c.head)
		if x.number {
			text = strings.Repeat(" ", max(0, c.head-visible(text))) + text
		}
		return text
	}
	if n := visible(x.head); n <= c.head {
		x.head = strings.Repeat(" ", c.head-n) + x.head
	}
	return x.text()
}

// shortened returns the head no wider than width.
func (c cell) shortened(width int) string {
	if c.pair == [2]string{} {
		return shorten(c.head, width)
	}
	return shortenPair(c.pair, width)
}

// shortenPair joins two names in a width: each is shortened for itself, and a
// short one leaves its room to the other.
func shortenPair(pair [2]string, width int) string {
	room := max(width-visible(wording.PairSign), len(pair)) // at least one letter each
	first, second := visible(pair[0]), visible(pair[1])
	if first+second > room {
		half := room / 2
		switch {
		case first <= half:
			second = room - first
		case second <= room-half:
			first = room - second
		default:
			first, second = half, room-half
		}
	}
	return shorten(pair[0], first) + wording.PairSign + shorten(pair[1], second)
}

// pad fills text with blanks up to a width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-visible(text)))
}

// shorten leaves out the middle of text that is wider than width.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width || width < 1 {
		return text
	}
	left := width / 2
	return string(runes[:left]) + "…" + string(runes[len(runes)-(width-1-left):])
}

// visible counts the letters of text, without the sequences of colour.
func visible(text string) int {
	n, inside := 0, false
	for _, r := range text {
		switch {
		case r == '\x1b':
			inside = true
		case inside:
			inside = r != 'm'
		default:
			n++
		}
	}
	return n
}
