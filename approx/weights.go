package approx

import (
	"math/big"

	"github.com/intershap/intershap/index"
)

// maxPlayers bounds the players: every C(n, k) is an integer of 64 bits.
const maxPlayers = 62

// pascal holds C(n, k) for n up to the most players.
var pascal = func() (p [maxPlayers + 1][maxPlayers + 1]uint64) {
	for n := range p {
		p[n][0] = 1
		for k := 1; k <= n; k++ {
			p[n][k] = p[n-1][k-1] + p[n-1][k]
		}
	}
	return p
}()

// choose returns C(n, k), 0 where there is no such choice.
func choose(n, k int) float64 {
	if n < 0 || k < 0 || k > n {
		return 0
	}
	return float64(pascal[n][k])
}

// valueWeights returns g[s][a][w], with which an index is a sum over the values of a
// game of n players, coalitions A of a players of which w are in S:
//
//	I(S) = Σ_A g(|S|, |A|, |A∩S|) · v(A)
//
// The index is a sum over the Möbius transform m, I(S) = Σ_{T⊇S} c(s, t)·m(T), and
// m(T) = Σ_{A⊆T} (−1)^{t−a} v(A). So v(A) stands in each T that holds S and A, whose
// union has u = s + a − w players:
//
//	g(s, a, w) = (−1)^a · Σ_{t=u}^{n} (−1)^t · C(n−u, t−u) · c(s, t)
//
// The sum alternates between numbers that are far larger than it (10^8 for 30 players),
// so it is made once, in rational numbers.
func valueWeights(x index.Index, order, n int) [][][]float64 {
	g := make([][][]float64, order+1)
	for s := 1; s <= order; s++ {
		c := make([]*big.Rat, n+1)
		for t := s; t <= n; t++ {
			c[t] = index.Weight(x, s, t, order)
			if t%2 == 1 {
				c[t] = new(big.Rat).Neg(c[t])
			}
		}
		// even[u] is g for even a; it depends on the size of the union alone.
		even := make([]float64, n+1)
		for u := s; u <= n; u++ {
			sum := new(big.Rat)
			for t := u; t <= n; t++ {
				if c[t].Sign() == 0 {
					continue
				}
				count := new(big.Rat).SetInt(new(big.Int).SetUint64(pascal[n-u][t-u]))
				sum.Add(sum, count.Mul(count, c[t]))
			}
			even[u], _ = sum.Float64()
		}
		g[s] = make([][]float64, n+1)
		for a := range g[s] {
			g[s][a] = make([]float64, s+1)
			for w := max(0, s+a-n); w <= min(s, a); w++ {
				g[s][a][w] = even[s+a-w]
				if a%2 == 1 {
					g[s][a][w] = -g[s][a][w]
				}
			}
		}
	}
	return g
}

// walshWeight returns what an index of some order gives S in the game
//
//	χ_T(A) = (−1)^{|T∖A|}
//
// for |S| = s and S ⊆ T, |T| = t. Its Möbius transform is (−1)^{t−r}·2^r for coalitions
// of r players within T and 0 elsewhere, so the index is
//
//	Σ_{r=s}^{t} C(t−s, r−s) · c(s, r) · (−1)^{t−r} · 2^r
//
// and 0 for all S that are not within T.
func walshWeight(x index.Index, s, t, order int) float64 {
	sum := new(big.Rat)
	for r := s; r <= t; r++ {
		term := new(big.Rat).SetInt(new(big.Int).SetUint64(pascal[t-s][r-s]))
		term.Mul(term, index.Weight(x, s, r, order))
		term.Mul(term, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(r))))
		if (t-r)%2 == 1 {
			term.Neg(term)
		}
		sum.Add(sum, term)
	}
	out, _ := sum.Float64()
	return out
}
