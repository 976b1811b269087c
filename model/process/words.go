package process

import (
	"bytes"
	"io"
	"sync"
)

const (
	// keptLines are remembered of what a child writes to standard error.
	keptLines = 20
	// longestLine is where a line is cut that does not end.
	longestLine = 64 << 10
)

// words passes on what a child writes to standard error, line by line, and
// remembers the last lines.
type words struct {
	mu   sync.Mutex
	to   io.Writer // nil for nobody
	open []byte    // a line that has not ended
	last []string
}

// Write implements [io.Writer]; it never fails, since a child must not die of it.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, p...)
	for {
		end := bytes.IndexByte(w.open, '\n')
		if end < 0 && len(w.open) >= longestLine {
			end = len(w.open) - 1
		}
		if end < 0 {
			return len(p), nil
		}
		w.line(w.open[:end+1])
		w.open = w.open[end+1:]
	}
}

// line takes a line. Of one that is written over, as progress bars are, it takes
// what stands there in the end.
func (w *words) line(text []byte) {
	text = bytes.TrimRight(text, "\r\n")
	text = text[bytes.LastIndexByte(text, '\r')+1:]
	if w.to != nil {
		_, _ = w.to.Write(append(bytes.Clone(text), '\n'))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	if len(w.last) == keptLines {
		w.last = w.last[1:]
	}
	w.last = append(w.last, string(text))
}

// end returns the last lines, the one that has not ended among them.
func (w *words) end() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) > 0 {
		w.line(w.open)
		w.open = nil
	}
	return append([]string(nil), w.last...)
}

// A oneByOne lets several children write to one writer.
type oneByOne struct {
	mu sync.Mutex
	to io.Writer
}

func (o *oneByOne) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.to.Write(p)
}
