package score

import "fmt"

// Tiles merges the accumulators of consecutive tiles, numbered from 0 over the
// whole run.
//
// Floating-point addition is not associative, so it must happen in an order
// that follows from the tile numbers alone. Tiles adds like the carries of a
// binary counter: tiles 2k and 2k+1 make one node of the next level, and so on
// up. A range of tiles is held as the few largest aligned nodes that cover it,
// and the total of all tiles has the same bits however the run was cut into
// ranges, given that each range is added to the one before it. Memory is
// O(log tiles), the rounding error that of pairwise summation.
type Tiles struct {
	nodes []node
}

// A node is the sum of tiles [index<<level, (index+1)<<level).
type node struct {
	level, index int
	sum          *Accumulator
}

func (n node) start() int { return n.index << n.level }
func (n node) end() int   { return (n.index + 1) << n.level }

// mergeable reports whether n and the node behind it are the halves of one.
func (n node) mergeable(next node) bool { return n.level == next.level && n.index%2 == 0 }

// Layout returns the layout of the sums; the zero Layout without tiles.
func (t *Tiles) Layout() Layout {
	if len(t.nodes) == 0 {
		return Layout{}
	}
	return t.nodes[0].sum.layout
}

// Range returns the numbers of the tiles, from the first up to but not including to. It
// reports false without tiles.
func (t *Tiles) Range() (from, to int, ok bool) {
	if len(t.nodes) == 0 {
		return 0, 0, false
	}
	return t.nodes[0].start(), t.nodes[len(t.nodes)-1].end(), true
}

// Add appends the tile with the given number, which must be the next one. It
// takes possession of a.
func (t *Tiles) Add(number int, a *Accumulator) error { return t.push(node{0, number, a}) }

// Merge appends the tiles of o, which must start where t ends. It takes
// possession of o.
func (t *Tiles) Merge(o *Tiles) error {
	for _, n := range o.nodes {
		if err := t.push(n); err != nil {
			return err
		}
	}
	o.nodes = nil
	return nil
}

func (t *Tiles) push(n node) error {
	if k := len(t.nodes); k > 0 {
		if t.nodes[k-1].end() != n.start() {
			return fmt.Errorf("score: tile %d does not follow tile %d", n.start(), t.nodes[k-1].end()-1)
		}
		if err := t.nodes[k-1].sum.same(n.sum); err != nil {
			return err
		}
	}
	t.nodes = append(t.nodes, n)
	for k := len(t.nodes); k > 1; k-- {
		left, right := t.nodes[k-2], t.nodes[k-1]
		if !left.mergeable(right) {
			break
		}
		if err := left.sum.merge(right.sum); err != nil {
			return err
		}
		t.nodes[k-2] = node{left.level + 1, left.index / 2, left.sum}
		t.nodes = t.nodes[:k-1]
	}
	return nil
}

// Total returns the sum of all tiles, which must start with tile 0, and leaves
// t empty. Without tiles it returns nil.
func (t *Tiles) Total() (*Accumulator, error) {
	if len(t.nodes) == 0 {
		return nil, nil
	}
	if first := t.nodes[0]; first.index != 0 {
		return nil, fmt.Errorf("score: tiles start at %d, want 0", first.start())
	}
	total := t.nodes[len(t.nodes)-1].sum
	for k := len(t.nodes) - 2; k >= 0; k-- {
		sum := t.nodes[k].sum
		if err := sum.merge(total); err != nil {
			return nil, err
		}
		total = sum
	}
	t.nodes = nil
	return total, nil
}
