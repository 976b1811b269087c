package oip

import "io"

// trusted is how much of a length that a peer tells is believed before the bytes
// have come.
const trusted = 64 << 20

// ReadAll reads r to its end, or to limit+1 bytes, into memory of about the length
// that the peer tells; -1 is a length that nobody told.
func ReadAll(r io.Reader, length, limit int64) ([]byte, error) {
	r = io.LimitReader(r, limit+1)
	if length < 0 {
		return io.ReadAll(r)
	}
	// One more, so that the end is seen without growing.
	data := make([]byte, 0, min(length, limit, trusted)+1)
	for {
		if len(data) == cap(data) {
			rest, err := io.ReadAll(r)
			return append(data, rest...), err
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}
