package process

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
)

// A frame is what goes through a pipe at a time: a header of 16 bytes and a
// payload. docs/format/process.md specifies both.
const (
	magic       = "\x93ISP"
	version     = 1
	headerBytes = 16
)

// The kinds of frames.
const (
	helloKind   byte = 1 // from the child, once: JSON, what it takes and gives
	batchKind   byte = 2 // to the child: NPZ, an array for each input
	outputsKind byte = 3 // from the child: NPZ, an array for each output
	failureKind byte = 4 // from the child: JSON, why a batch has no outputs
)

var kindNames = map[byte]string{helloKind: "a hello", batchKind: "a batch", outputsKind: "outputs", failureKind: "a failure"}

func kindName(kind byte) string {
	if name, known := kindNames[kind]; known {
		return name
	}
	return fmt.Sprintf("the kind %d", kind)
}

// appendHeader adds the header of a frame whose payload has size bytes.
func appendHeader(b []byte, kind byte, size int64) []byte {
	b = append(b, magic...)
	b = append(b, version, kind, 0, 0)
	return binary.LittleEndian.AppendUint64(b, uint64(size))
}

// A breach is what a child did that the protocol forbids. Nothing that it says
// afterwards can be trusted.
type breach struct{ text, hint string }

func (e *breach) Error() string { return e.text }

func breachf(hint, format string, args ...any) *breach {
	return &breach{text: fmt.Sprintf(format, args...), hint: hint}
}

const (
	hintPrints  = "standard output is for frames alone: print to standard error, and import intershap_serve before everything else"
	hintVersion = "save the page of intershap help python again, over the module that the model imports"
)

// readFrame reads a frame of one of these kinds with at most limit bytes of
// payload, into room where it fits. An end of the stream, inside a frame too, is
// io.ErrUnexpectedEOF.
func readFrame(r io.Reader, room []byte, limit int64, kinds ...byte) (kind byte, payload []byte, err error) {
	var header [headerBytes]byte
	if n, err := io.ReadFull(r, header[:]); err != nil {
		// What is no frame may be shorter than a header.
		if n > 0 && string(header[:min(n, len(magic))]) != magic[:min(n, len(magic))] {
			return 0, nil, noFrame(header[:n])
		}
		return 0, nil, ended(err)
	}
	kind = header[5]
	size := binary.LittleEndian.Uint64(header[8:])
	switch {
	case string(header[:len(magic)]) != magic:
		return 0, nil, noFrame(header[:])
	case header[4] != version:
		return 0, nil, breachf(hintVersion, "it speaks version %d of the protocol, want %d", header[4], version)
	case !slices.Contains(kinds, kind):
		return 0, nil, breachf("", "it sent %s, want %s", kindName(kind), kindName(kinds[0]))
	case size > uint64(min(limit, math.MaxInt)):
		return 0, nil, breachf("", "it announced %d bytes for %s, want at most %d", size, kindName(kind), limit)
	}
	payload, err = readPayload(r, room, int(size))
	return kind, payload, err
}

// growth bounds what is allocated before bytes are there: a header may lie.
const growth = 16 << 20

func readPayload(r io.Reader, room []byte, size int) ([]byte, error) {
	payload := room[:min(size, cap(room))]
	if len(payload) < size {
		payload = make([]byte, min(size, growth))
	}
	for read := 0; ; {
		n, err := io.ReadFull(r, payload[read:])
		if read += n; err != nil {
			return nil, ended(err)
		}
		if read == size {
			return payload, nil
		}
		payload = append(payload, make([]byte, min(size-read, read))...)
	}
}

// ended maps every end of a stream to one error.
func ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// shownBytes is as much as an error shows of what is no frame.
const shownBytes = 16

func noFrame(found []byte) *breach {
	return breachf(hintPrints, "it wrote %q to standard output, which is no frame", found[:min(len(found), shownBytes)])
}
