package engine

import (
	"fmt"
	"slices"
	"testing"
)

// Chunks must cover every row once, in whole blocks or within one, and be no longer
// than wanted.
func TestChunks(t *testing.T) {
	tests := []struct {
		name    string
		blockOf []int
		want    int
		order   string
		chunks  string
	}{
		{"one block", []int{0, 0, 0}, 8, "[0 1 2]", "[{0 3 [0] [3]}]"},
		{"short blocks together", []int{0, 1, 0, 1}, 4, "[0 2 1 3]", "[{0 4 [0 1] [2 2]}]"},
		{"each alone", []int{0, 1, 0, 1}, 3, "[0 2 1 3]", "[{0 2 [0] [2]} {2 4 [1] [2]}]"},
		{"in pieces", []int{0, 1, 0, 1}, 1, "[0 2 1 3]", "[{0 1 [0] [1]} {1 2 [0] [1]} {2 3 [1] [1]} {3 4 [1] [1]}]"},
		{"unequal", []int{0, 0, 0, 1, 1, 2, 2}, 5, "[0 1 2 3 4 5 6]", "[{0 5 [0 1] [3 2]} {5 7 [2] [2]}]"},
		{"a rest behind pieces", []int{0, 0, 0, 0, 0, 1}, 4, "[0 1 2 3 4 5]", "[{0 2 [0] [2]} {2 6 [0 1] [3 1]}]"},
	}
	for _, test := range tests {
		sizes := make([]int, slices.Max(test.blockOf)+1)
		for _, k := range test.blockOf {
			sizes[k]++
		}
		order := blockOrder(test.blockOf)
		cut := chunks(sizes, test.want)
		if fmt.Sprint(order) != test.order || fmt.Sprint(cut) != test.chunks {
			t.Errorf("%s: order %v, chunks %v, want %s, %s", test.name, order, cut, test.order, test.chunks)
		}
	}
	for rows := 1; rows < 70; rows++ {
		blockOf := make([]int, rows)
		sizes := make([]int, min(16, rows))
		for r := range blockOf {
			blockOf[r] = (rows - r) % len(sizes)
			sizes[blockOf[r]]++
		}
		order := blockOrder(blockOf)
		for want := 1; want < 20; want++ {
			at := 0
			for _, c := range chunks(sizes, want) {
				if c.lo != at || c.rows() < 1 || c.rows() > want || len(c.lengths) != len(c.blocks) {
					t.Fatalf("%d rows, chunks of %d: %v starts at %d", rows, want, c, at)
				}
				for i, block := range c.blocks {
					for range c.lengths[i] {
						if blockOf[order[at]] != block {
							t.Fatalf("%d rows: row %d is in block %d, want %d", rows, order[at], blockOf[order[at]], block)
						}
						at++
					}
				}
				if at != c.hi {
					t.Fatalf("%d rows, chunks of %d: %v has %d rows in blocks", rows, want, c, at-c.lo)
				}
			}
			if at != rows {
				t.Fatalf("chunks of %d end at %d of %d rows", want, at, rows)
			}
		}
	}
}

// The rows of a call follow from what they take.
func TestCallRows(t *testing.T) {
	for bytes, want := range map[int64]int{
		0:                        maxCallRows,
		100:                      maxCallRows,
		4 << 10:                  maxCallRows,
		5000:                     1664, // 1677, down to a multiple
		64 << 10:                 128,
		128 << 10:                minCallRows,
		hugeCall / minCallRows:   minCallRows,
		hugeCall/minCallRows + 1: hugeCallRows,
		callBytes:                hugeCallRows,
		1000 * hugeCall:          hugeCallRows,
	} {
		if got := callRows(bytes); got != want {
			t.Errorf("%d bytes a row: %d rows a call, want %d", bytes, got, want)
		}
	}
}
