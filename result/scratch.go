package result

import (
	"errors"
	"io"
	"os"
)

// A scratch is a temporary file in the folder of a partial one, for what cannot
// go there yet.
type scratch struct {
	path string   // of the partial file, for errors
	file *os.File // nil once it is removed
}

// beside creates a scratch. Where the system lets it, the file loses its name at
// once, so that a process that is killed leaves none.
func (p *partial) beside() (scratch, error) {
	f, err := createBeside(p.target)
	if err == nil && unlinksOpenFiles {
		if err = os.Remove(f.Name()); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return scratch{path: p.path, file: f}, fileError(p.path, err)
}

// rewind goes back to the start, to read what was written.
func (s *scratch) rewind() error {
	_, err := s.file.Seek(0, io.SeekStart)
	return fileError(s.path, err)
}

// remove removes the file; a second time it does nothing.
func (s *scratch) remove() error {
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	if unlinksOpenFiles {
		return fileError(s.path, file.Close())
	}
	return removeOpen(file)
}
