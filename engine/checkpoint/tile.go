package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
)

// magic starts every tile file; its last byte is the version of the layout.
const magic = "intershap tile 1"

// A header comes first in a tile file and says all that its length depends on, but for
// a list of coalitions, which is in the identity. Whoever reads a tile knows it
// beforehand, so that nothing in a file decides how much memory is taken.
type header struct {
	identity       [sha256.Size]byte
	number, lo, hi int
	shape          Shape
}

const (
	wordBytes   = 8
	headerWords = 6
	headerBytes = len(magic) + sha256.Size + headerWords*wordBytes
)

func (h header) appendTo(raw []byte) []byte {
	raw = append(raw, magic...)
	raw = append(raw, h.identity[:]...)
	return appendInts(raw, h.number, h.lo, h.hi, h.shape.Players, h.shape.Targets, h.shape.Blocks)
}

// values counts the numbers in the tile's value tables, over all rows.
func (h header) values() int { return (h.hi - h.lo) * h.shape.Targets * h.shape.width() }

// fileBytes is the length of the whole file.
func (h header) fileBytes() int {
	n := h.hi - h.lo
	words := n + n*h.shape.Targets + (1+h.shape.Blocks)*h.values()
	return headerBytes + words*wordBytes + sha256.Size
}

// encode returns the file of a tile: header, predicted classes, columns, values,
// values by block, all words of 8 bytes, little end first, and the SHA-256 of
// what is before it. A checksum of 8 bytes would find accidents as well; the
// digest costs nothing beside model rows and leaves no doubt.
func encode(h header, t *engine.Tile) ([]byte, error) {
	for _, part := range []struct {
		what      string
		got, want int
	}{
		{"predicted classes", len(t.Predicted), h.hi - h.lo},
		{"columns", len(t.Columns), (h.hi - h.lo) * h.shape.Targets},
		{"values", len(t.Values.Values()), h.values()},
		{"block values", len(t.BlockValues.Values()), h.shape.Blocks * h.values()},
	} {
		if part.got != part.want {
			return nil, fmt.Errorf("checkpoint: tile %d has %d %s, want %d as the folder was opened for", h.number, part.got, part.what, part.want)
		}
	}
	for _, tables := range []game.Tables{t.Values, t.BlockValues} {
		if len(tables.Values()) > 0 && !slices.Equal(tables.Coalitions(), h.shape.Coalitions) {
			return nil, fmt.Errorf("checkpoint: tile %d has the values of other coalitions than the folder was opened for", h.number)
		}
	}
	raw := h.appendTo(make([]byte, 0, h.fileBytes()))
	raw = appendInts(raw, t.Predicted...)
	raw = appendInts(raw, t.Columns...)
	raw = appendFloats(raw, t.Values.Values())
	raw = appendFloats(raw, t.BlockValues.Values())
	digest := sha256.Sum256(raw)
	return append(raw, digest[:]...), nil
}

// What is wrong with the bytes of a tile.
var (
	errNoTile = fmt.Errorf("is no tile file of this version, which starts with %q", magic)
	errDigest = errors.New("is damaged: its contents do not match the SHA-256 at its end")
	errOther  = errors.New("is whole, but a tile of another run or place")
)

// decode fills a tile from the bytes of its file, which must be those of the
// header, whole and unchanged.
func decode(t *engine.Tile, raw []byte, h header) error {
	if want := h.fileBytes(); len(raw) != want {
		return fmt.Errorf("is damaged: it has %d bytes, want %d", len(raw), want)
	}
	if string(raw[:len(magic)]) != magic {
		return errNoTile
	}
	body := raw[:len(raw)-sha256.Size]
	if digest := sha256.Sum256(body); !bytes.Equal(digest[:], raw[len(body):]) {
		return errDigest
	}
	head := h.appendTo(make([]byte, 0, headerBytes))
	if !bytes.HasPrefix(body, head) {
		return errOther
	}
	n := h.hi - h.lo
	words := words(body[headerBytes:])
	predicted, columns := words.ints(n), words.ints(n*h.shape.Targets)
	values, err := game.NewPartialTables(h.shape.Players, h.shape.Coalitions, words.floats(h.values()))
	if err != nil {
		return err
	}
	blockValues, err := game.NewPartialTables(h.shape.Players, h.shape.Coalitions, words.floats(h.shape.Blocks*h.values()))
	if err != nil {
		return err
	}
	t.Predicted, t.Columns, t.Values, t.BlockValues = predicted, columns, values, blockValues
	return nil
}

func appendInts(raw []byte, xs ...int) []byte {
	for _, x := range xs {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return raw
}

func appendFloats(raw []byte, xs []float64) []byte {
	for _, x := range xs {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
	}
	return raw
}

// words are what is left to decode.
type words []byte

func (w *words) next() uint64 {
	word := binary.LittleEndian.Uint64(*w)
	*w = (*w)[wordBytes:]
	return word
}

func (w *words) ints(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = int(w.next())
	}
	return out
}

func (w *words) floats(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(w.next())
	}
	return out
}
