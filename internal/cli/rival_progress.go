package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/intershap/intershap"
)

// A rivalProgress tells which score is computed, and how many of its model rows
// are done.
type rivalProgress struct {
	*progress
	score string
	// steps is set where what is counted is no model rows but the steps of a phase.
	steps bool
	// told is when the last step was told: the next phase begins there.
	told time.Time
}

func newRivalProgress(s *streams, n narration) *rivalProgress {
	return &rivalProgress{progress: newProgress(s, n), score: intershap.ScoreInterSHAP}
}

// begin is called before each score, after finish, with the rows that it takes.
func (p *rivalProgress) begin(score string, rows int64) {
	p.start()
	p.score, p.done, p.total, p.steps = score, 0, rows, false
	switch p.kind {
	case progressBar:
		p.draw(p.bar(p.begun))
	case progressJSON:
		p.writeJSON(p.begun)
	}
}

// tell is called after each batch.
func (p *rivalProgress) tell(done, total int64) {
	p.done, p.total = done, total
	p.show(p.bar, p.sentence, p.writeJSON)
}

// tellSteps is called after each step of a score that takes its time without the model.
// Steps are counted from 1 on in each of its phases, and the clock starts anew with
// them. Phases take different times, so nothing tells how much is left.
func (p *rivalProgress) tellSteps(done, total int) {
	if p.steps && int64(done) <= p.done {
		p.begun = p.told
	}
	p.done, p.total, p.steps, p.told = int64(done), int64(total), true, p.s.now()
	p.show(p.bar, p.sentence, p.writeJSON)
}

// finish clears the bar, and writes the last line of a score for programs. One that
// counts nothing has its first line alone.
func (p *rivalProgress) finish() {
	p.clear()
	if p.kind == progressJSON && p.total > 0 {
		p.writeJSON(p.s.now())
	}
}

// bar draws no bar for a score that takes no rows: nothing tells how far it is.
func (p *rivalProgress) bar(now time.Time) string {
	if p.total == 0 {
		return p.score
	}
	if p.steps {
		return p.sentence(now)
	}
	return p.score + " " + p.progress.bar(now)
}

func (p *rivalProgress) sentence(now time.Time) string {
	if p.steps {
		return fmt.Sprintf("%s: %s of %s steps", p.score, grouped(p.done), grouped(p.total))
	}
	return p.score + ": " + p.progress.sentence(now)
}

func (p *rivalProgress) writeJSON(now time.Time) {
	line := struct {
		Score   string   `json:"score"`
		Done    int64    `json:"done"`
		Total   int64    `json:"total"`
		Seconds float64  `json:"seconds"`
		Left    *float64 `json:"seconds_left"`
	}{Score: p.score, Done: p.done, Total: p.total, Seconds: now.Sub(p.begun).Seconds()}
	if left, ok := p.left(now); ok && !p.steps {
		line.Left = &left
	}
	// The fields always encode.
	_ = json.NewEncoder(p.s.err).Encode(line)
}
