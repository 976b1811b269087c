package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/intershap/intershap"
)

// The values of --progress.
const (
	progressAuto  = "auto"
	progressPlain = "plain"
	progressJSON  = "json"
	progressNone  = "none"
	// progressBar is what auto is on a terminal.
	progressBar = "bar"
)

const (
	// redraw is the least time between two pictures of the bar: faster is not
	// seen.
	redraw = 100 * time.Millisecond
	// every is the time between lines for logs.
	every = 10 * time.Second
	// everyJSON is that for programs, which may draw a bar of their own.
	everyJSON = time.Second
	barWidth  = 10
)

// A progress tells how many model rows of a run are done. Its methods may be
// called from one goroutine at a time.
type progress struct {
	s     *streams
	kind  string
	begun time.Time
	last  time.Time // of what was told last
	done  int64
	total int64
	drawn bool // a bar stands on the line
}

func newProgress(s *streams, n narration) *progress {
	kind := n.progress
	if kind == progressAuto {
		switch {
		case n.quiet:
			kind = progressNone
		case s.errTerminal:
			kind = progressBar
		default:
			kind = progressPlain
		}
	}
	p := &progress{s: s, kind: kind}
	p.start()
	return p
}

// start sets the clock.
func (p *progress) start() {
	p.begun = p.s.now()
	p.last = p.begun
}

// tell is called after each batch. What cannot be written is no reason to stop
// a run.
func (p *progress) tell(done, total int64) {
	p.done, p.total = done, total
	p.show(p.bar, p.sentence, p.writeJSON)
}

// show tells how things stand in the way that was asked for, if it is time to.
func (p *progress) show(bar, sentence func(now time.Time) string, writeJSON func(now time.Time)) {
	now := p.s.now()
	since := now.Sub(p.last)
	switch {
	case p.kind == progressBar && (since >= redraw || p.done == p.total):
		p.draw(bar(now))
	case p.kind == progressPlain && since >= every:
		_, _ = fmt.Fprintf(p.s.err, "%s\n", sentence(now))
	case p.kind == progressJSON && since >= everyJSON:
		writeJSON(now)
	default:
		return
	}
	p.last = now
}

// draw puts a picture in the place of the last one.
func (p *progress) draw(line string) {
	if most := p.s.width - 1; len(line) > most && most > 0 {
		line = line[:most]
	}
	_, _ = fmt.Fprintf(p.s.err, "\r%s\x1b[K", line)
	p.drawn = true
}

// clear takes the bar away, so that what follows starts on a clean line.
func (p *progress) clear() {
	if p.drawn {
		_, _ = fmt.Fprint(p.s.err, "\r\x1b[K")
	}
}

// finish clears the bar, and writes the last line for programs.
func (p *progress) finish() {
	p.clear()
	if p.kind == progressJSON {
		p.writeJSON(p.s.now())
	}
}

func (p *progress) bar(now time.Time) string {
	filled := int(p.fraction() * barWidth)
	return fmt.Sprintf("[%s%s] %s", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), p.sentence(now))
}

func (p *progress) sentence(now time.Time) string {
	spent := now.Sub(p.begun).Seconds()
	text := fmt.Sprintf("%s of %s rows", grouped(p.done), grouped(p.total))
	if left, ok := p.left(now); ok {
		text += fmt.Sprintf(", %s rows/s, %s left", rate(p.done, spent), seconds(left))
	}
	return text
}

func (p *progress) fraction() float64 {
	if p.total < 1 {
		return 0
	}
	return min(1, float64(p.done)/float64(p.total))
}

// left estimates the seconds to go, from the speed so far.
func (p *progress) left(now time.Time) (s float64, ok bool) {
	spent := now.Sub(p.begun).Seconds()
	if p.done < 1 || spent <= 0 {
		return 0, false
	}
	return spent * float64(p.total-p.done) / float64(p.done), true
}

func (p *progress) writeJSON(now time.Time) {
	line := struct {
		Done    int64    `json:"done"`
		Total   int64    `json:"total"`
		Seconds float64  `json:"seconds"`
		Left    *float64 `json:"seconds_left"`
	}{p.done, p.total, now.Sub(p.begun).Seconds(), nil}
	if left, ok := p.left(now); ok {
		line.Left = &left
	}
	// The fields always encode.
	_ = json.NewEncoder(p.s.err).Encode(line)
}

// A teller tells steps under --verbose, and that a run goes on unless --quiet.
type teller struct {
	s         *streams
	on, quiet bool
}

func newTeller(s *streams, n narration) teller {
	return teller{s: s, on: n.verbose && !n.quiet, quiet: n.quiet}
}

func (t teller) step(format string, args ...any) {
	if t.on {
		_, _ = fmt.Fprintf(t.s.err, "%s: %s\n", program, escapef(format, args...))
	}
}

// plan tells what a run is about to do.
func (t teller) plan(p *intershap.Plan) {
	e := p.Engine()
	t.step("%s, %s of background, %s",
		count(int64(p.Samples()), "sample"), count(int64(p.Background().Len()), "row"), grouped(int64(len(p.Modalities())))+" modalities")
	t.step("%s in %s of %s, %s a call, about %s",
		count(e.Rows(), rowUnit(p.Kind())), count(int64(e.Tiles()), "tile"), count(int64(e.TileSamples()), "sample"),
		count(int64(e.BatchRows()), "row"), formatSize(e.MemoryBytes()))
}
