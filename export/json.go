package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A document writes a JSON object whose keys keep their order, which readers of
// shapiq's files rely on, without holding it in memory. After a failure it writes
// nothing more, and close returns the failure.
type document struct {
	w     *bufio.Writer
	depth int
	first bool
	err   error
}

func newDocument(w io.Writer) *document { return &document{w: bufio.NewWriter(w)} }

func (d *document) write(text string) {
	if d.err == nil {
		_, d.err = d.w.WriteString(text)
	}
}

// open starts an object.
func (d *document) open() {
	d.write("{")
	d.depth++
	d.first = true
}

// line starts a line, indented by two spaces a level.
func (d *document) line() { d.write("\n" + strings.Repeat("  ", d.depth)) }

// key writes the key of the next field, after a comma if there is one before.
func (d *document) key(name string) {
	if !d.first {
		d.write(",")
	}
	d.first = false
	d.line()
	d.value(name)
	d.write(": ")
}

func (d *document) value(v any) {
	text, err := json.Marshal(v)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("export: %w", err)
	}
	d.write(string(text))
}

// field writes a key with its value: numbers in the shortest digits that read back as
// the same float64.
func (d *document) field(name string, v any) {
	d.key(name)
	d.value(v)
}

// object writes a key with an object, whose fields inside writes.
func (d *document) object(name string, inside func()) {
	d.key(name)
	d.open()
	inside()
	d.end()
	d.first = false
}

// end closes an object.
func (d *document) end() {
	d.depth--
	if !d.first {
		d.line()
	}
	d.write("}")
}

func (d *document) close() error {
	d.end()
	d.write("\n")
	if d.err != nil {
		return d.err
	}
	return d.w.Flush()
}
