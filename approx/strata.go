package approx

import (
	"math"
	"math/rand/v2"

	"github.com/intershap/intershap/game"
)

// Stratum j of a game of n players holds the pairs of a coalition of j players and its
// complement, for j up to n/2. Stratum 0 is {} and all; in the stratum of n/2 players
// both of a pair have as many, and the one without the last player stands for both.

// stratumSize returns the number of pairs in stratum j.
func stratumSize(n, j int) uint64 {
	if 2*j == n {
		return pascal[n-1][j]
	}
	return pascal[n][j]
}

// An allotment says how many pairs of each stratum a budget pays for.
type allotment struct {
	// groups is the number of groups that the pairs of sampled strata are dealt to, as
	// many of each stratum to each group.
	groups int
	// pairs[j] is the number of pairs of stratum j. A stratum is enumerated or sampled.
	pairs []uint64
}

func (a allotment) total() uint64 {
	sum := uint64(0)
	for _, p := range a.pairs {
		sum += p
	}
	return sum
}

// training returns the number of pairs outside any one group.
func (a allotment) training(n int) uint64 {
	sum := a.total()
	for j, p := range a.pairs {
		if p < stratumSize(n, j) {
			sum -= p / uint64(a.groups)
		}
	}
	return sum
}

// Of two or three groups the spread is known too badly: its degrees of freedom, beside
// those of another error, come out anywhere.
const (
	minGroups = 4
	maxGroups = 16
)

// fewestPairs returns the pairs that a stratified design has at least: {} and all,
// every player alone and all others, and a pair for each of four groups of every other
// stratum.
func fewestPairs(n int) uint64 {
	sum := uint64(1) + stratumSize(n, 1)
	for j := 2; j <= n/2; j++ {
		sum += min(stratumSize(n, j), minGroups)
	}
	return sum
}

// groupsOf returns the number of groups for a number of pairs: as many as there can be
// with a pair of every stratum in each, from 4 to 16.
func groupsOf(n int, pairs uint64) int {
	inner := n/2 - 1
	if inner < 1 {
		return minGroups
	}
	return int(min(max((pairs-fewestPairs(n))/uint64(inner)+minGroups, minGroups), maxGroups))
}

// allot deals out pairs, at least [fewestPairs]. The outer strata are whole: {} and all,
// single players and their complements. Every other starts with a pair for each group;
// then one stratum after the other gets another pair for each group, or its rest, the
// one whose error falls the most for each pair, until nothing more fits.
//
// The error is that of SII of order players, if values of all sizes vary alike. A
// stratum adds the number of its coalitions times the mean of g·v over its sample, so
// with p of P pairs sampled without replacement its variance is
//
//	sd² · (1/p − 1/P),   sd² = Σ_{k=j,n−j} C(n,k) · Σ_w C(s,w)·C(n−s,k−w)·g(s,k,w)²
//
// with g = ±1/((n−s+1)·C(n−s,k−w)) for SII. What minimises the sum for a number of
// pairs is p in proportion to sd (Neyman, 1934): 1/√(k(n−k)) for single players, about
// 1/min(k, n−k) for two. As sd falls towards the middle and P grows, strata fill up
// from the outside in.
func allot(n, order int, pairs uint64) allotment {
	a := allotment{groups: groupsOf(n, pairs), pairs: make([]uint64, n/2+1)}
	variance := variances(n, order)
	for j := range a.pairs {
		size := stratumSize(n, j)
		a.pairs[j] = min(size, uint64(a.groups))
		if j < 2 {
			a.pairs[j] = size
		}
	}
	rest := pairs - a.total()
	for {
		best, step, most := -1, uint64(0), 0.0
		for j, p := range a.pairs {
			more := min(stratumSize(n, j)-p, uint64(a.groups))
			if more == 0 || more > rest {
				continue
			}
			// 1/p − 1/(p + more), for each pair more.
			if gain := variance[j] / (float64(p) * float64(p+more)); gain > most {
				best, step, most = j, more, gain
			}
		}
		if best < 0 {
			return a
		}
		a.pairs[best] += step
		rest -= step
	}
}

// variances returns sd² of each stratum; see [allot].
func variances(n, order int) []float64 {
	out := make([]float64, n/2+1)
	for j := range out {
		for _, k := range []int{j, n - j} {
			for w := 0; w <= order; w++ {
				if g := choose(n-order, k-w); g > 0 {
					// C(n−s, k−w) of the count goes with one of the two in g².
					out[j] += choose(n, k) * choose(order, w) / g
				}
			}
		}
	}
	return out
}

// stratum returns count pairs of stratum j, by their coalition of j players: all of
// them in order, or the beginning of a random order that follows from the seed alone; again
// counts up where another is wanted.
func stratum(n, j int, count, seed, again uint64) []game.Coalition {
	of := n
	if 2*j == n {
		of = n - 1
	}
	out := make([]game.Coalition, 0, count)
	size := stratumSize(n, j)
	if count == size {
		for r := range size {
			out = append(out, unrank(of, j, r))
		}
		return out
	}
	// Fisher and Yates' shuffle of 0 to size − 1, of which only what was moved is kept.
	rng := rand.New(rand.NewPCG(seed, again<<8|uint64(j)))
	moved := map[uint64]uint64{}
	at := func(i uint64) uint64 {
		if to, ok := moved[i]; ok {
			return to
		}
		return i
	}
	for i := range count {
		k := i + rng.Uint64N(size-i)
		out = append(out, unrank(of, j, at(k)))
		moved[k] = at(i)
	}
	return out
}

// strata is the sample of a stratified design. Pair i of a coalition and its complement
// stands at positions 2i − 1 and 2i of the design, pair 0, {} and all, first and last.
type strata struct {
	allotment
	// first[i] is the coalition of pair i with fewer players, stratum[i] their number.
	first   []game.Coalition
	stratum []int
	// Pairs from 0 on are of enumerated strata; those from start[g] to start[g+1] are
	// group g's.
	start []int
}

// unseen returns the pairs of stratum j that are not in the design, and what share of
// its pairs that is.
func (s *strata) unseen(n, j int) (pairs, share float64) {
	size := stratumSize(n, j)
	rest := float64(size - s.pairs[j])
	return rest, rest / float64(size)
}

// drawStrata draws the sample of an allotment; again counts up where another is wanted.
func drawStrata(a allotment, n int, seed, again uint64) *strata {
	s := &strata{allotment: a, start: make([]int, a.groups+1)}
	sampled := make([][]game.Coalition, len(a.pairs))
	for j, p := range a.pairs {
		pairs := stratum(n, j, p, seed, again)
		if p < stratumSize(n, j) {
			sampled[j] = pairs
			continue
		}
		for _, c := range pairs {
			s.first, s.stratum = append(s.first, c), append(s.stratum, j)
		}
	}
	for g := range a.groups {
		s.start[g] = len(s.first)
		for j, pairs := range sampled {
			for i := g; i < len(pairs); i += a.groups {
				s.first, s.stratum = append(s.first, pairs[i]), append(s.stratum, j)
			}
		}
	}
	s.start[a.groups] = len(s.first)
	return s
}

// unrank returns the coalition of k of n players that stands at position rank among
// them, by their bits as a number: the sum of C(i, l) over its l-th player i, from 1
// (Beckenbach, 1964).
func unrank(n, k int, rank uint64) game.Coalition {
	var s game.Coalition
	for i := n - 1; k > 0; i-- {
		if c := pascal[i][k]; rank >= c {
			rank -= c
			s = s.With(i)
			k--
		}
	}
	return s
}

// unknowns returns the number of coalitions of at most order players of an even number
// of players, and of an odd one.
func unknowns(n, order int) (even, odd uint64) {
	counts := [2]uint64{}
	for t := 0; t <= order; t++ {
		counts[t%2] += pascal[n][t]
	}
	return counts[0], counts[1]
}

// fitPairs returns how many pairs a fit needs: half as many again as unknowns, counted
// for the even and the odd part of the game apart, since a pair says one thing about
// each (see [fit]).
func fitPairs(n, order int) uint64 {
	even, odd := unknowns(n, order)
	return uint64(math.Ceil(1.5 * float64(max(even, odd))))
}
