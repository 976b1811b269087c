package result

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/intershap/intershap/dataset"
)

const (
	// spoolBuffer bounds what a spool holds back in memory, unless one sample
	// alone is larger.
	spoolBuffer = 1 << 20
	// spoolElement is the bytes of an element, float64 or int64.
	spoolElement = 8
)

// spoolLayout is the array [targets, samples, width] that a spool will be.
type spoolLayout struct {
	targets, samples, width int
	// descr and shape are those of the NPY array.
	descr string
	shape []int
}

// A spool is an array on its way into an archive, in a temporary file beside
// it. Rows come sample by sample, while the array lies target by target: since
// its size is known, every row goes to its final place at once, in runs of
// several samples.
type spool struct {
	spoolLayout
	scratch
	run    int    // the most samples in the buffer
	buffer []byte // [targets, run, width]
	first  int    // the sample at the start of the buffer
	held   int    // samples in the buffer, the one under way included
}

func newSpool(archive *partial, layout spoolLayout) (*spool, error) {
	scratch, err := archive.beside()
	if err != nil {
		return nil, err
	}
	sample := spoolElement * layout.targets * layout.width
	run := max(min(spoolBuffer/sample, layout.samples), 1)
	return &spool{spoolLayout: layout, scratch: scratch, run: run, buffer: make([]byte, run*sample)}, nil
}

// row returns the memory of one row, for the caller to fill.
func (s *spool) row(sample, target int) ([]byte, error) {
	if sample-s.first == s.run {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	s.held = sample - s.first + 1
	size := s.width * spoolElement
	at := (target*s.run + sample - s.first) * size
	return s.buffer[at : at+size], nil
}

func (s *spool) putFloats(sample, target int, values ...float64) error {
	row, err := s.row(sample, target)
	if err != nil {
		return err
	}
	for i, v := range values {
		binary.LittleEndian.PutUint64(row[i*spoolElement:], math.Float64bits(v))
	}
	return nil
}

func (s *spool) putInt(sample int, value int64) error {
	row, err := s.row(sample, 0)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(row, uint64(value))
	return nil
}

// flush writes the buffer to where its samples belong.
func (s *spool) flush() error {
	size := s.width * spoolElement
	for t := range s.targets {
		from := t * s.run * size
		at := (int64(t)*int64(s.samples) + int64(s.first)) * int64(size)
		if _, err := s.file.WriteAt(s.buffer[from:from+s.held*size], at); err != nil {
			return fileError(s.path, err)
		}
	}
	s.first, s.held = s.first+s.held, 0
	return nil
}

// writeTo writes the complete array.
func (s *spool) writeTo(w io.Writer) error {
	if err := s.flush(); err != nil {
		return err
	}
	if _, err := w.Write(dataset.NPYHeader(s.descr, s.shape...)); err != nil {
		return err
	}
	if err := s.rewind(); err != nil {
		return err
	}
	_, err := io.CopyBuffer(w, s.file, s.buffer)
	return err
}
