package score

import (
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/intershap/intershap/game"
)

var (
	_ encoding.BinaryMarshaler   = (*Tiles)(nil)
	_ encoding.BinaryAppender    = (*Tiles)(nil)
	_ encoding.BinaryUnmarshaler = (*Tiles)(nil)
)

// The binary form of [Tiles] holds every bit of the sums, so that tiles merge to the
// same total whether they were written in between or not. In order, numbers in little
// endian:
//
//	magic       "intershap tiles" and a byte with the version, 1
//	nodes       uvarint; where it is 0 the checksum follows
//	layout      see appendLayout
//	each node   level and index as uvarints, a bit for each section, by target and
//	            within it by partition and group, lowest bits first in bytes, set where
//	            the section holds samples, and these sections: float64 numbers
//	checksum    CRC-32 (Castagnoli) of all bytes before
//
// The numbers of a section are those of accumulator.go, whose order is part of the
// version. Sections that hold no sample take a bit; the others take
// [Layout.SectionBytes].

const (
	tilesMagic   = "intershap tiles"
	tilesVersion = 1
	checksumLen  = crc32.Size
	// mostNodes bounds the nodes of a range: a level has at most two.
	mostNodes = 2 * bits.UintSize
	// mostSamples is how many samples float64 counts.
	mostSamples = 1 << 53
	// bytesPerByte is how many bytes of memory a byte of tiles may take: 8 sections, each
	// a slice of three words. fewBytes is what tiles take beside that: vectors of the cells
	// of 64 modalities, sizes of the most draws, and the nodes.
	bytesPerByte = 8 * 3 * bits.UintSize / 8
	fewBytes     = 1 << 19
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary returns the tiles in a form that [Tiles.UnmarshalBinary] reads. It never
// fails.
func (t *Tiles) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// AppendBinary appends what MarshalBinary returns.
func (t *Tiles) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, tilesMagic...)
	b = append(b, tilesVersion)
	b = binary.AppendUvarint(b, uint64(len(t.nodes)))
	if len(t.nodes) > 0 {
		b = appendLayout(b, t.Layout())
	}
	for _, n := range t.nodes {
		b = binary.AppendUvarint(b, uint64(n.level))
		b = binary.AppendUvarint(b, uint64(n.index))
		at := len(b)
		b = append(b, make([]byte, (len(n.sum.sections)+7)/8)...)
		for i, sums := range n.sum.sections {
			if sums == nil {
				continue
			}
			b[at+i/8] |= 1 << (i % 8)
			for _, v := range sums {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
			}
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// appendLayout appends uvarints: modalities, targets, convention, draws, a byte of flags
// (1 the background's error is unknown, 2 weighted, 4 cells, 8 what groups have, 16
// clustered), and with their number before them the block sizes, the partitions, and
// where flags say so the coalitions of the cells, and for each partition 0, or 1 and what
// its groups have.
func appendLayout(b []byte, l Layout) []byte {
	number := func(v int) { b = binary.AppendUvarint(b, uint64(v)) }
	coalition := func(s game.Coalition) { b = binary.AppendUvarint(b, uint64(s)) }
	number(l.Modalities)
	number(l.Targets)
	number(int(l.Convention))
	number(l.Draws)
	var flags byte
	for i, set := range [...]bool{l.BackgroundUnknown, l.Weighted, l.Cells != nil, l.Present != nil, l.Clustered} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, flags)
	for _, numbers := range [][]int{l.Blocks, l.Partitions} {
		number(len(numbers))
		for _, n := range numbers {
			number(n)
		}
	}
	if l.Cells != nil {
		number(len(l.Cells))
		for _, s := range l.Cells {
			coalition(s)
		}
	}
	for _, groups := range l.Present {
		if groups == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		for _, has := range groups {
			coalition(has)
		}
	}
	return b
}

// UnmarshalBinary replaces the tiles by those that MarshalBinary wrote. It refuses what
// is cut short, damaged, or of another version, and does not retain data.
//
// It allocates at most 192 times the length of data, since a section without samples
// takes a bit there and the place of a slice here, and half a megabyte. Tiles with samples
// take about the length of data.
func (t *Tiles) UnmarshalBinary(data []byte) error {
	nodes, err := readTiles(data)
	if err != nil {
		return fmt.Errorf("score: tiles: %w", err)
	}
	t.nodes = nodes
	return nil
}

func readTiles(data []byte) ([]node, error) {
	if len(data) < len(tilesMagic)+1+checksumLen || string(data[:len(tilesMagic)]) != tilesMagic {
		return nil, fmt.Errorf("want them to start with %q and to end with a checksum", tilesMagic)
	}
	if v := data[len(tilesMagic)]; v != tilesVersion {
		return nil, fmt.Errorf("want version %d, got %d", tilesVersion, v)
	}
	body, sum := data[:len(data)-checksumLen], binary.LittleEndian.Uint32(data[len(data)-checksumLen:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, errors.New("the checksum is that of other bytes: they are cut short or damaged")
	}
	r := &reader{rest: body[len(tilesMagic)+1:]}
	n := r.number("the number of nodes", mostNodes)
	var nodes []node
	if n > 0 && r.err == nil {
		l := r.layout()
		var t Tiles
		var like *Accumulator
		if r.err == nil {
			like = newTemplate(l)
		}
		for i := 0; i < n && r.err == nil; i++ {
			r.node(&t, like)
		}
		nodes = t.nodes
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("want nothing behind the last node, got %d bytes", len(r.rest))
	}
	return nodes, r.err
}

// A reader takes numbers from the front of bytes until one is not as it should be.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *reader) uvarint(what string) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail("%s: want a number, got none", what)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) number(what string, most int) int {
	v := r.uvarint(what)
	if v > uint64(most) {
		r.fail("%s: want at most %d, got %d", what, most, v)
		return 0
	}
	return int(v)
}

// length reads how many numbers follow, each of a byte at least.
func (r *reader) length(what string) int { return r.number(what, len(r.rest)) }

func (r *reader) bytes(what string, n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.fail("%s: want %d bytes, got %d", what, n, len(r.rest))
	}
	if r.err != nil {
		return make([]byte, 1)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) layout() Layout {
	const what = "the layout"
	l := Layout{
		Modalities: r.number("the modalities", maxModalities),
		Targets:    r.number("the targets", math.MaxInt32),
		Convention: Convention(r.number("the convention", math.MaxUint8)),
		Draws:      r.number("the draws", MaxDraws),
	}
	flags := r.bytes(what, 1)[0]
	l.BackgroundUnknown, l.Weighted, l.Clustered = flags&1 != 0, flags&2 != 0, flags&16 != 0
	if flags >= 1<<5 {
		r.fail("the layout: want flags below 32, got %d", flags)
	}
	numbers := func(what string) []int {
		var out []int
		for range r.length(what) {
			out = append(out, r.number(what, math.MaxInt32))
		}
		return out
	}
	coalitions := func(what string, n int) []game.Coalition {
		out := []game.Coalition{}
		for range n {
			if r.err != nil {
				break
			}
			out = append(out, game.Coalition(r.uvarint(what)))
		}
		return out
	}
	l.Blocks, l.Partitions = numbers("the blocks"), numbers("the partitions")
	if flags&4 != 0 {
		l.Cells = coalitions("the cells", r.length("the cells"))
	}
	if flags&8 != 0 {
		l.Present = [][]game.Coalition{}
		for _, n := range l.Partitions {
			var has []game.Coalition
			switch b := r.bytes(what, 1)[0]; b {
			case 0:
			case 1:
				has = coalitions("what groups have", n)
			default:
				r.fail("what groups have: want 0 or 1, got %d", b)
			}
			l.Present = append(l.Present, has)
		}
	}
	if r.err == nil {
		r.err = l.check()
	}
	return l
}

// node reads a node into t, behind those that it has, like a template.
func (r *reader) node(t *Tiles, like *Accumulator) {
	level := r.number("the level of a node", bits.UintSize-2)
	index := r.number("the index of a node", math.MaxInt>>level-1)
	n := node{level: level, index: index}
	if k := len(t.nodes); k > 0 && r.err == nil {
		last := t.nodes[k-1]
		if last.end() != n.start() {
			r.fail("tile %d does not follow tile %d", n.start(), last.end()-1)
		}
		if last.mergeable(n) {
			r.fail("tiles %d to %d are in two nodes instead of one", last.start(), n.end()-1)
		}
	}
	sections := like.layout.Targets * like.groups // which is within the int32 range, and 1 at least
	set := r.bytes("the sections of a node", (sections-1)/8+1)
	if r.err != nil {
		return
	}
	present := 0
	for i, b := range set {
		if i == sections/8 && b>>(sections%8) != 0 {
			r.fail("the sections of a node: want %d, got more", sections)
		}
		present += bits.OnesCount8(b)
	}
	length := like.shape.numbers() // which may be more than an int holds
	if int64(present) > int64(len(r.rest))/8/length {
		r.fail("tiles %d to %d: want %d sections of %d bytes, got %d bytes", n.start(), n.end()-1, present, 8*length, len(r.rest))
	}
	if r.err != nil {
		return
	}
	n.sum = like.fresh()
	for i := range n.sum.sections {
		if set[i/8]>>(i%8)&1 == 1 {
			n.sum.sections[i] = r.section(int(length))
		}
	}
	t.nodes = append(t.nodes, n)
}

// section reads the numbers of a section, which must be there.
func (r *reader) section(length int) []float64 {
	out := make([]float64, length)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.rest[8*i:]))
		if math.IsNaN(out[i]) || math.IsInf(out[i], 0) {
			r.fail("want finite sums, got %v", out[i])
		}
	}
	r.rest = r.rest[8*length:]
	for _, at := range []int{atCount, atLocalCount} {
		if n := out[at]; n != math.Trunc(n) || n < 0 || n > mostSamples {
			r.fail("want whole numbers of samples, got %v", n)
		}
	}
	if out[atCount] < 1 || out[atLocalCount] > out[atCount] || out[atWeight] <= 0 || out[atWeightSquares] <= 0 || (out[atLocalCount] > 0) != (out[atLocalWeight] > 0) {
		r.fail("want samples in every section, got %v of weight %v", out[atCount], out[atWeight])
	}
	return out
}
