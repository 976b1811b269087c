package result

import (
	"bufio"
	"encoding/binary"
	"io"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
)

// A textSpool is a vector of texts on its way into an archive, each behind its
// length. Their width in the array is known when the last has come.
type textSpool struct {
	scratch
	buffer  *bufio.Writer
	count   int
	letters int // of the longest text
}

func newTextSpool(archive *partial) (*textSpool, error) {
	scratch, err := archive.beside()
	if err != nil {
		return nil, err
	}
	return &textSpool{scratch: scratch, buffer: bufio.NewWriterSize(scratch.file, fileBuffer)}, nil
}

func (s *textSpool) put(text string) error {
	s.count++
	s.letters = max(s.letters, utf8.RuneCountInString(text))
	length := binary.AppendUvarint(s.buffer.AvailableBuffer(), uint64(len(text)))
	if _, err := s.buffer.Write(length); err != nil {
		return fileError(s.path, err)
	}
	_, err := s.buffer.WriteString(text)
	return fileError(s.path, err)
}

// writeTo writes the complete array.
func (s *textSpool) writeTo(w io.Writer) error {
	if err := s.buffer.Flush(); err != nil {
		return fileError(s.path, err)
	}
	if err := s.rewind(); err != nil {
		return err
	}
	if _, err := w.Write(dataset.NPYHeader(npyTextDescr(s.letters), s.count)); err != nil {
		return err
	}
	r := bufio.NewReaderSize(s.file, fileBuffer)
	element := newNPYText(s.letters)
	var text []byte
	for range s.count {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return fileError(s.path, err)
		}
		text = append(text[:0], make([]byte, n)...)
		if _, err := io.ReadFull(r, text); err != nil {
			return fileError(s.path, err)
		}
		if err := element.writeTo(w, string(text)); err != nil {
			return err
		}
	}
	return nil
}
