package engine

import "slices"

// A chunk is background rows that meet the samples of a tile in one call: rows
// [lo, hi) of a backdrop's order, which are whole blocks of the same length, or a
// piece of one block.
type chunk struct {
	lo, hi int
	blocks []int
}

func (c chunk) rows() int { return c.hi - c.lo }

// blockRows is the number of rows of each of the chunk's blocks.
func (c chunk) blockRows() int { return c.rows() / len(c.blocks) }

// blockOrder puts background rows block by block, and blocks of the same length
// beside each other, so that sums of several blocks have one shape. Within a
// block rows keep their order.
func blockOrder(sizes, blockOf []int) (order, blocks []int) {
	blocks = make([]int, len(sizes))
	for k := range blocks {
		blocks[k] = k
	}
	slices.SortStableFunc(blocks, func(a, b int) int { return sizes[a] - sizes[b] })
	place := make([]int, len(sizes))
	for i, k := range blocks {
		place[k] = i
	}
	order = make([]int, len(blockOf))
	for r := range order {
		order[r] = r
	}
	slices.SortStableFunc(order, func(a, b int) int { return place[blockOf[a]] - place[blockOf[b]] })
	return order, blocks
}

// chunks cuts blocks in their order into chunks of about want rows, which are
// of even length among blocks of the same size.
func chunks(sizes, blocks []int, want int) []chunk {
	var out []chunk
	at := 0
	for first := 0; first < len(blocks); {
		size := sizes[blocks[first]]
		end := first
		for end < len(blocks) && sizes[blocks[end]] == size {
			end++
		}
		equal := blocks[first:end]
		if size > want {
			pieces := ceil(size, want)
			for _, block := range equal {
				for i := range pieces {
					out = append(out, chunk{at + i*size/pieces, at + (i+1)*size/pieces, []int{block}})
				}
				at += size
			}
		} else {
			groups := ceil(len(equal), want/size)
			for i := range groups {
				some := equal[i*len(equal)/groups : (i+1)*len(equal)/groups]
				out = append(out, chunk{at, at + len(some)*size, some})
				at += len(some) * size
			}
		}
		first = end
	}
	return out
}

func ceil(a, b int) int { return (a + b - 1) / b }
