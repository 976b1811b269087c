package score_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// written are layouts that use everything a layout can say.
func written() map[string]score.Layout {
	matrix := twoModalities(false)
	matrix.Targets, matrix.Partitions = 2, []int{3, 2}
	cohort := twoModalities(true)
	cohort.Partitions, cohort.Present = []int{1, 3}, [][]game.Coalition{nil, {0b11, 0b01, 0b10}}
	cells := singlesToTriple()
	cells.Targets, cells.Partitions, cells.BackgroundUnknown = 1, []int{9}, true
	return map[string]score.Layout{"matrix": matrix, "cohort": cohort, "cells": cells}
}

// tilesOf returns the tiles lo to hi of a run, of a few samples each; every seventh has
// none.
func tilesOf(t testing.TB, l score.Layout, lo, hi int) *score.Tiles {
	var ts score.Tiles
	n := len(l.Cells)
	if l.Cells == nil {
		n = l.Modalities * l.Modalities
	}
	for tile := lo; tile < hi; tile++ {
		rng := rand.New(rand.NewPCG(70, uint64(tile)))
		a := score.NewAccumulator(l)
		for i := range 3 {
			if tile%7 == 6 {
				break
			}
			x := score.Sample{Base: rng.NormFloat64(), Output: rng.NormFloat64(), Weight: rng.ExpFloat64(), Weights: make([]uint8, score.Replicates)}
			score.WeightsTo(x.Weights, 1, strconv.Itoa(3*tile+i))
			numbers := func(k int) (out []float64) {
				for range k * n {
					out = append(out, rng.NormFloat64())
				}
				return out
			}
			x.Phi, x.BlockPhi, x.DrawPhi = numbers(1), numbers(len(l.Blocks)), numbers(l.Draws)
			for _, groups := range l.Partitions {
				x.Groups = append(x.Groups, rng.IntN(groups))
			}
			a.Add(rng.IntN(l.Targets), x)
		}
		if err := ts.Add(tile, a); err != nil {
			t.Fatal(err)
		}
	}
	return &ts
}

func marshal(t testing.TB, ts *score.Tiles) []byte {
	t.Helper()
	raw, err := ts.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func unmarshal(t testing.TB, raw []byte) *score.Tiles {
	t.Helper()
	var ts score.Tiles
	if err := ts.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	return &ts
}

// summaries is everything that the total says.
func summaries(t *testing.T, ts *score.Tiles) string {
	t.Helper()
	total, err := ts.Total()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	l := total.Layout()
	for target := range l.Targets {
		for k, n := range l.Partitions {
			for g := range n {
				b.WriteString(text(t, total.SummaryOf(target, opt, k, g)))
			}
		}
	}
	return b.String()
}

// Tiles that were written and read merge to the same bits as those that were not,
// wherever the run was cut.
func TestTilesWrittenMerge(t *testing.T) {
	const tiles = 23
	for name, l := range written() {
		t.Run(name, func(t *testing.T) {
			want := summaries(t, tilesOf(t, l, 0, tiles))
			for first := 1; first < tiles; first += 3 {
				for _, second := range []int{first, (first + tiles) / 2, tiles} {
					var all score.Tiles
					for _, cut := range [][2]int{{0, first}, {first, second}, {second, tiles}} {
						shard := tilesOf(t, l, cut[0], cut[1])
						raw := marshal(t, shard)
						read := unmarshal(t, raw)
						if again := marshal(t, read); !bytes.Equal(again, raw) {
							t.Fatalf("tiles %v: written again they differ", cut)
						}
						from, to, ok := read.Range()
						if ok != (cut[0] < cut[1]) || ok && (from != cut[0] || to != cut[1]) {
							t.Errorf("tiles %v: the range is %d to %d, %v", cut, from, to, ok)
						}
						if ok {
							if diff := cmp.Diff(l, read.Layout()); diff != "" {
								t.Errorf("tiles %v: layout (-want +got)\n%s", cut, diff)
							}
						} else if diff := cmp.Diff(score.Layout{}, read.Layout()); diff != "" {
							t.Errorf("no tiles: layout (-want +got)\n%s", diff)
						}
						if err := all.Merge(read); err != nil {
							t.Fatal(err)
						}
					}
					if got := summaries(t, &all); got != want {
						t.Fatalf("cut at %d and %d: other bits", first, second)
					}
				}
			}
			if summaries(t, unmarshal(t, marshal(t, tilesOf(t, l, 0, tiles-1)))) == want {
				t.Error("a missing tile changes nothing")
			}
		})
	}
}

// AppendBinary appends, and what was read does not hold on to the bytes.
func TestTilesAppend(t *testing.T) {
	l := written()["cohort"]
	raw := marshal(t, tilesOf(t, l, 2, 5))
	got, err := tilesOf(t, l, 2, 5).AppendBinary([]byte("before"))
	if err != nil || string(got) != "before"+string(raw) {
		t.Errorf("appended %d bytes, %v, want those of %d behind the others", len(got), err, len(raw))
	}
	read := unmarshal(t, raw)
	want := bytes.Clone(raw)
	clear(raw)
	if !bytes.Equal(marshal(t, read), want) {
		t.Error("tiles change with the bytes that they were read from")
	}
}

// sealed puts the right checksum behind bytes.
func sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// Every cut and every changed byte is an error, and tiles that were there stay.
func TestTilesDamaged(t *testing.T) {
	l := score.Layout{Modalities: 1, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	raw := marshal(t, tilesOf(t, l, 4, 6))
	ts := tilesOf(t, l, 0, 1)
	before := marshal(t, ts)
	for n := range raw {
		if err := ts.UnmarshalBinary(raw[:n]); err == nil {
			t.Fatalf("no error for %d of %d bytes", n, len(raw))
		}
		changed := bytes.Clone(raw)
		changed[n] ^= 1 << (n % 8)
		if err := ts.UnmarshalBinary(changed); err == nil {
			t.Fatalf("no error for another byte %d", n)
		}
	}
	if err := ts.UnmarshalBinary(append(bytes.Clone(raw), 0)); err == nil {
		t.Error("no error for a byte too many")
	}
	if !bytes.Equal(marshal(t, ts), before) {
		t.Error("an error changed the tiles")
	}
	if err := ts.UnmarshalBinary(raw); err != nil {
		t.Error(err)
	}
}

// What has the right checksum and makes no sense is refused with what is wrong. The
// bytes are, behind the magic and version: nodes, then modalities, targets, convention,
// draws, flags, blocks, partitions, what flags name, and each node's level, index and
// sections.
func TestTilesRefused(t *testing.T) {
	head := append([]byte("intershap tiles"), 1)
	section := func(change func(sums []float64)) []byte {
		raw := marshal(t, tilesOf(t, score.Layout{Modalities: 1, Targets: 1, Partitions: []int{1}, Convention: score.Paper}, 0, 1))
		n := len(head) + 1 + 5 + 1 + 2 + 2 + 1 // to the sums of the only section
		body := raw[n : len(raw)-4]
		sums := make([]float64, len(body)/8)
		for i := range sums {
			sums[i] = math.Float64frombits(binary.LittleEndian.Uint64(body[8*i:]))
		}
		change(sums)
		out := []byte{}
		for _, v := range sums {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
		return out
	}
	good := section(func([]float64) {})
	tests := []struct {
		name string
		body []byte
		want string
	}{
		{"good", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, good...), ""},
		{"two nodes", append(append([]byte{2, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1}, good...), append([]byte{1, 1, 1}, good...)...), ""},
		{"nothing", nil, "the number of nodes: want a number"},
		{"too many nodes", []byte{200, 1}, "the number of nodes: want at most"},
		{"no layout", []byte{1}, "the modalities: want a number"},
		{"65 modalities", []byte{1, 65, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, "the modalities: want at most 64, got 65"},
		{"one draw", []byte{1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1}, "want no draws, or 2"},
		{"too many draws", []byte{1, 1, 1, 1, 0xff, 0xff, 3, 0, 0, 1, 1}, "the draws: want at most"},
		{"unknown flags", []byte{1, 1, 1, 1, 0, 32, 0, 1, 1}, "flags below 32"},
		{"one block", []byte{1, 1, 1, 1, 0, 0, 1, 5, 1, 1}, "no blocks or at least two"},
		{"more blocks than bytes", []byte{1, 1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0x7f}, "the blocks: want at most"},
		{"no partition", []byte{1, 1, 1, 1, 0, 0, 0, 0}, "a partition or more"},
		{"no target", []byte{1, 1, 0, 1, 0, 0, 0, 1, 1}, "a target or more"},
		{"sections of a hundred GiB", []byte{1, 1, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0, 0, 1, 5, 0, 0, 1}, "the sections of a node: want"},
		{"too many sections", []byte{1, 1, 0xff, 0xff, 0xff, 0xff, 7, 1, 0, 0, 0, 1, 5, 0, 0, 1}, "too many targets and groups"},
		{"no cells", []byte{1, 1, 1, 1, 0, 4, 0, 1, 1, 0}, "want cells"},
		{"a cell of another modality", []byte{1, 1, 1, 1, 0, 4, 0, 1, 1, 1, 2}, "cell {1} is not of the 1 modalities"},
		{"has what there is not", []byte{1, 1, 1, 1, 0, 8, 0, 1, 1, 1, 2}, "a group has {1}"},
		{"neither all nor some", []byte{1, 1, 1, 1, 0, 8, 0, 1, 1, 2}, "want 0 or 1, got 2"},
		{"a level too high", []byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 63, 0, 1}, "the level of a node"},
		{"an index too high", []byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 30, 0x80, 0x80, 0x80, 0x80, 0x40, 1}, "the index of a node"},
		{"a section too many", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 3}, good...), "the sections of a node: want 1, got more"},
		{"a section too few", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0}, good...), "want nothing behind the last node"},
		{"half a section", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, good[8:]...), "want 1 sections of"},
		{"a gap", append(append([]byte{2, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1}, good...), append([]byte{0, 3, 1}, good...)...), "tile 3 does not follow tile 1"},
		{"halves", append(append([]byte{2, 1, 1, 1, 0, 0, 0, 1, 1, 0, 2, 1}, good...), append([]byte{0, 3, 1}, good...)...), "tiles 2 to 3 are in two nodes"},
		{"NaN", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[20] = math.NaN() })...), "want finite sums, got NaN"},
		{"infinite", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[3] = math.Inf(-1) })...), "want finite sums, got -Inf"},
		{"no samples", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[0] = 0 })...), "want samples in every section"},
		{"half a sample", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[0] = 2.5 })...), "want whole numbers of samples, got 2.5"},
		{"too many samples", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[0] = 1e300 })...), "want whole numbers of samples, got 1e+300"},
		{"more scores than samples", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[5] = s[0] + 1 })...), "want samples in every section"},
		{"no weight", append([]byte{1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1}, section(func(s []float64) { s[1] = 0 })...), "want samples in every section"},
	}
	for _, test := range tests {
		var ts score.Tiles
		err := ts.UnmarshalBinary(sealed(append(bytes.Clone(head), test.body...)))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	var ts score.Tiles
	if err := ts.UnmarshalBinary(sealed(append([]byte("intershap tiles"), 2, 0))); err == nil || !strings.Contains(err.Error(), "want version 1, got 2") {
		t.Errorf("another version: error %v", err)
	}
	if err := ts.UnmarshalBinary([]byte("{}")); err == nil {
		t.Error("no error for bytes that are no tiles")
	}
}

// Memory is bounded by the length of the bytes, as UnmarshalBinary says: nodes without
// samples, of the layouts that take the most beside them.
func TestTilesMemory(t *testing.T) {
	for name, l := range map[string]score.Layout{
		"many sections": {Modalities: 1, Targets: 1 << 20, Partitions: []int{1}, Convention: score.Paper},
		"many cells":    {Modalities: 64, Targets: 1, Partitions: []int{1}, Convention: score.Paper, Present: [][]game.Coalition{{1}}},
		"listed cells":  {Modalities: 16, Targets: 1, Partitions: []int{1}, Cells: upTo(16, 4)},
		"many draws":    {Modalities: 2, Targets: 1, Partitions: []int{1}, Convention: score.Paper, Draws: score.MaxDraws},
	} {
		var ts score.Tiles
		for tile := range 1 << 6 {
			if err := ts.Add(1+tile, score.NewAccumulator(l)); err != nil {
				t.Fatal(err)
			}
		}
		raw := marshal(t, &ts)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		read := unmarshal(t, raw)
		runtime.ReadMemStats(&after)
		got := after.TotalAlloc - before.TotalAlloc
		most := uint64(score.BytesPerByte*len(raw) + score.FewBytes)
		t.Logf("%s: %d bytes take %d, at most %d", name, len(raw), got, most)
		if got > most {
			t.Errorf("%s: %d bytes take %d, more than %d", name, len(raw), got, most)
		}
		if !bytes.Equal(marshal(t, read), raw) {
			t.Errorf("%s: written again they differ", name)
		}
	}
}

// Tiles of one range have one layout, next to each other in the tree or not.
func TestTilesOfLayouts(t *testing.T) {
	l := written()["cohort"]
	for name, change := range map[string]func(*score.Layout){
		"weights":    func(l *score.Layout) { l.Weighted = false },
		"partitions": func(l *score.Layout) { l.Partitions = []int{2, 3} },
		"lack":       func(l *score.Layout) { l.Present = [][]game.Coalition{nil, {0b11, 0b01, 0b11}} },
		"no lack":    func(l *score.Layout) { l.Present = nil },
		"groups":     func(l *score.Layout) { l.Present = [][]game.Coalition{{0b11}, l.Present[1]} },
	} {
		other := l
		change(&other)
		for _, number := range []int{1, 2} { // halves of one node, and not
			ts := tilesOf(t, l, number-1, number)
			if err := ts.Add(number, score.NewAccumulator(other)); err == nil {
				t.Errorf("%s, tile %d: no error for another layout", name, number)
			}
			if err := ts.Add(number, score.NewAccumulator(l)); err != nil {
				t.Errorf("%s, tile %d: %v", name, number, err)
			}
		}
	}
}

// Whatever the bytes, there is an error or tiles that are written as they were read, and
// no panic. Half of the tries have the right checksum.
func FuzzTiles(f *testing.F) {
	for _, l := range written() {
		f.Add(marshal(f, tilesOf(f, l, 0, 0)))
		var ts score.Tiles // without samples, which are most of the bytes
		for tile := range 3 {
			if err := ts.Add(6+tile, score.NewAccumulator(l)); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(marshal(f, &ts))
	}
	small := score.Layout{Modalities: 1, Targets: 1, Partitions: []int{1}, Convention: score.Paper}
	f.Add(marshal(f, tilesOf(f, small, 3, 4)))
	small.Cells, small.Present = []game.Coalition{1}, [][]game.Coalition{{1}}
	f.Add(marshal(f, tilesOf(f, small, 0, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		try := func(raw []byte) {
			var ts score.Tiles
			if ts.UnmarshalBinary(raw) != nil {
				return
			}
			from, to, ok := ts.Range()
			if ok && (from < 0 || to <= from) {
				t.Errorf("range %d to %d", from, to)
			}
			again := marshal(t, &ts)
			var back score.Tiles
			if err := back.UnmarshalBinary(again); err != nil {
				t.Errorf("what was read and written again is refused: %v", err)
			}
			if !bytes.Equal(marshal(t, &back), again) {
				t.Error("read twice they differ")
			}
			if total, err := ts.Total(); err == nil && total != nil && len(raw) < 1<<16 {
				l := total.Layout()
				for target := range min(l.Targets, 3) {
					if s := total.Summary(target, opt); s != nil && s.Samples < 1 {
						t.Errorf("a summary of %d samples", s.Samples)
					}
				}
			}
		}
		try(raw)
		if len(raw) > 4 {
			try(sealed(raw[:len(raw)-4]))
		}
	})
}

// The bytes of version 1, by their number and the checksum that they end with. Where they
// change, files that are about cannot be read any more: raise the version.
func TestTilesGolden(t *testing.T) {
	l := score.Layout{Modalities: 1, Targets: 1, Partitions: []int{1, 1}, Weighted: true, Present: [][]game.Coalition{nil, {1}}, Convention: score.SinglePair}
	a := score.NewAccumulator(l)
	x := score.Sample{Base: .25, Output: .75, Phi: []float64{.5}, Weight: 2, Weights: make([]uint8, score.Replicates)}
	score.WeightsTo(x.Weights, 1, "a")
	a.Add(0, x)
	var ts score.Tiles
	if err := ts.Add(5, a); err != nil {
		t.Fatal(err)
	}
	raw := marshal(t, &ts)
	if got := binary.LittleEndian.Uint32(raw[len(raw)-4:]); len(raw) != 12564 || got != 0xc8a039a {
		t.Errorf("%d bytes, checksum %#08x, want 12564 and 0xc8a039a", len(raw), got)
	}
}
