package approx

import (
	"math/rand/v2"

	"github.com/intershap/intershap/game"
)

// blocks are the permutations of a design, and where their coalitions stand in it.
//
// A block is a row-complete Latin square under a random relabelling of the players
// (Williams, 1949): n permutations in which every player has every place once, and
// every player comes right after every other once. For odd n there is none in general,
// but two squares do it, 2n permutations in which all that is so twice. The reverse of
// each permutation is in the block, too.
type blocks struct {
	n, order, draws int
	// perms are the permutations, those of draw g from g·each to (g+1)·each − 1.
	perms [][]int
	each  int
	// prefix[r][p] is the position of the first p players of perms[r] in the design,
	// skip[r][p] that of the first p and player p + 1, without player p.
	prefix, skip [][]int
}

// square returns the permutations of a block before relabelling. The first is
// 0, 1, n−1, 2, n−2, ...; its steps are 1, −2, 3, −4, ... modulo n, all different for
// even n and each d beside n − d for odd n, where its reverse has the others.
func square(n int) [][]int {
	first := make([]int, n)
	for p := range first {
		if p%2 == 1 {
			first[p] = (p + 1) / 2
		} else {
			first[p] = (n - p/2) % n
		}
	}
	starts := [][]int{first}
	if n%2 == 1 {
		reverse := make([]int, n)
		for p, x := range first {
			reverse[n-1-p] = x
		}
		starts = append(starts, reverse)
	}
	var out [][]int
	for _, start := range starts {
		for shift := range n {
			row := make([]int, n)
			for p, x := range start {
				row[p] = (x + shift) % n
			}
			out = append(out, row)
		}
	}
	return out
}

// mostOfBlocks returns the most coalitions that some blocks have: {} and all, single
// players and their complements, and for each permutation those between.
func mostOfBlocks(n, order, count int) uint64 {
	rows := n
	if n%2 == 1 {
		rows = 2 * n
	}
	// Of 2 to n − 2 players: beginnings, and for pairs those without the last but one.
	each := max(0, n-3)
	if order == 2 {
		each *= 2
	}
	return uint64(2 + 2*n + count*rows*each)
}

// maxBlocks bounds the blocks of a design.
const maxBlocks = 4096

// drawBlocks draws blocks until the next would be over the budget, which is less than
// 2^n and holds two.
func drawBlocks(n, order, budget int, seed uint64) (*blocks, []game.Coalition) {
	b := &blocks{n: n, order: order}
	rng := rand.New(rand.NewPCG(seed, 0))
	rows := square(n)
	coalitions := []game.Coalition{0}
	position := map[game.Coalition]int{0: 0}
	all := game.Grand(n)
	count := 0
	ends := []int{1} // how many coalitions so many blocks have
	for ; count < maxBlocks; count++ {
		label := make([]int, n)
		for i := range label {
			label[i] = i
		}
		for i := n - 1; i > 0; i-- {
			k := int(rng.Uint64N(uint64(i + 1)))
			label[i], label[k] = label[k], label[i]
		}
		place := func(s game.Coalition) int {
			if s == all {
				return -1 // it comes last, wherever that is
			}
			at, ok := position[s]
			if !ok {
				at = len(coalitions)
				position[s] = at
				coalitions = append(coalitions, s)
			}
			return at
		}
		for _, row := range rows {
			perm, prefix, skip := make([]int, n), make([]int, n+1), make([]int, n-1)
			var s game.Coalition
			for p, x := range row {
				perm[p] = label[x]
				if order == 2 && p < n-1 {
					skip[p] = place(s.With(label[row[p+1]]))
				}
				s = s.With(perm[p])
				prefix[p+1] = place(s)
			}
			b.perms, b.prefix, b.skip = append(b.perms, perm), append(b.prefix, prefix), append(b.skip, skip)
		}
		if len(coalitions)+1 > budget {
			break
		}
		ends = append(ends, len(coalitions))
	}
	// All draws have as many blocks: one up to 16, and of 9 to 16 draws as many as leave
	// out the fewest blocks.
	most := 0
	for draws := min(count, maxGroups); draws > min(count, maxGroups)/2; draws-- {
		if used := count / draws * draws; used > most {
			most, b.draws = used, draws
		}
	}
	used := most * len(rows)
	b.perms, b.prefix, b.skip = b.perms[:used], b.prefix[:used], b.skip[:used]
	b.each = used / b.draws
	coalitions = append(coalitions[:ends[most]], all)
	for r := range b.prefix {
		b.prefix[r][n] = len(coalitions) - 1
	}
	return b, coalitions
}

// windows estimates SV and SII from blocks, as means over permutations: of a player, by
// what it adds to the players before it; of two, where one comes right after the other,
// by
//
//	v(P + i + j) − v(P + i) − v(P + j) + v(P)
//
// with P the players before both. Among random permutations P is as the definition of
// SII of a pair wants it: any size with the same chance, and any set of the size.
type windows struct {
	*blocks
	pairs bool
}

func (b *blocks) estimate(order int) *windows { return &windows{b, order == 2} }

func (w *windows) scratch() int {
	size := w.n
	if w.pairs {
		size += w.n * (w.n - 1) / 2
	}
	return size
}

func (w *windows) to(dst, draws, values, scratch []float64) {
	clear(dst)
	perms := float64(w.each)
	for g := range w.draws {
		out := scratch
		if draws != nil {
			out = draws[g*len(dst):][:len(dst)]
		}
		clear(out)
		for r := g * w.each; r < (g+1)*w.each; r++ {
			perm, prefix := w.perms[r], w.prefix[r]
			for p, i := range perm {
				out[i] += (values[prefix[p+1]] - values[prefix[p]]) / perms
			}
			if !w.pairs {
				continue
			}
			for p, without := range w.skip[r] {
				lo, hi := min(perm[p], perm[p+1]), max(perm[p], perm[p+1])
				both := values[prefix[p+2]] - values[prefix[p+1]] - values[without] + values[prefix[p]]
				// Two are beside each other in 2 of n permutations of a block.
				out[w.n+hi*(hi-1)/2+lo] += both / (2 * perms / float64(w.n))
			}
		}
		for i, x := range out {
			dst[i] += x / float64(w.draws)
		}
	}
}
