package engine

import "slices"

// A chunk is background rows that meet the samples of a tile in one call: rows
// [lo, hi) of a backdrop's order, which are whole blocks, or a piece of one.
type chunk struct {
	lo, hi int
	// blocks are the numbers of the blocks, and lengths the rows of each.
	blocks, lengths []int
}

func (c chunk) rows() int { return c.hi - c.lo }

// blockOrder puts background rows block by block. Within a block rows keep their
// order.
func blockOrder(blockOf []int) []int {
	order := upTo(len(blockOf))
	slices.SortStableFunc(order, func(a, b int) int { return blockOf[a] - blockOf[b] })
	return order
}

// chunks cuts blocks of the given sizes, one behind the other, into chunks of at
// most want rows. A longer block goes in pieces of about the same length.
func chunks(sizes []int, want int) []chunk {
	var out []chunk
	at := 0
	for k, size := range sizes {
		if last := len(out) - 1; last >= 0 && out[last].rows()+size <= want {
			c := &out[last]
			c.hi += size
			c.blocks, c.lengths = append(c.blocks, k), append(c.lengths, size)
			at += size
			continue
		}
		pieces := ceil(size, want)
		for i := range pieces {
			lo, hi := at+i*size/pieces, at+(i+1)*size/pieces
			out = append(out, chunk{lo, hi, []int{k}, []int{hi - lo}})
		}
		at += size
	}
	return out
}

func ceil(a, b int) int { return (a + b - 1) / b }
