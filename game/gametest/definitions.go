package gametest

import (
	"math/big"

	"github.com/intershap/intershap/game"
)

// A Definition computes an index by its definition, in rational numbers: the value of
// every coalition that the index is defined for.
type Definition func(table []float64, m int) map[game.Coalition]*big.Rat

// Derivatives is the index of all coalitions of 1 to order players that weighs their
// discrete derivatives:
//
//	I(S) = Σ_{T⊆N∖S} weight(|S|, |T|, m) · Σ_{L⊆S} (−1)^{|S∖L|} v(T∪L)
func Derivatives(order int, weight func(s, t, m int) *big.Rat) Definition {
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		whole := exactly(table)
		out := map[game.Coalition]*big.Rat{}
		for s := game.Coalition(1); s <= game.Grand(m); s++ {
			if s.Size() <= order {
				out[s] = definition(whole, m, s, weight)
			}
		}
		return out
	}
}

// ShapleyWeight returns t!(m−s−t)!/(m−s+1)!, the weight of SII; for single players that
// of the Shapley value.
func ShapleyWeight(s, t, m int) *big.Rat { return Factorials(t, m-t-s, m-s+1) }

// BanzhafWeight returns 1/2^{m−s}, the weight of BII; for single players that of the
// Banzhaf value.
func BanzhafWeight(s, _, m int) *big.Rat { return big.NewRat(1, 1<<(m-s)) }

// onlyNothing weighs the derivative where nobody else is present.
func onlyNothing(_, t, _ int) *big.Rat {
	if t == 0 {
		return big.NewRat(1, 1)
	}
	return new(big.Rat)
}

// withEmpty adds the value of the empty coalition, v({}).
func withEmpty(out map[game.Coalition]*big.Rat, table []float64) map[game.Coalition]*big.Rat {
	out[0] = rational(table[0])
	return out
}

// MoebiusDefinition is the Möbius transform, the derivative of S where nobody else is
// present, up to order players.
func MoebiusDefinition(order int) Definition {
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		return withEmpty(Derivatives(order, onlyNothing)(table, m), table)
	}
}

// STIIDefinition is the Shapley-Taylor index of an order k (Sundararajan et al., 2020):
// the derivative where nobody else is present for coalitions below k, and for those of k
//
//	k/m · Σ_{T⊆N∖S} 1/C(m−1, |T|) · Σ_{L⊆S} (−1)^{|S∖L|} v(T∪L)
func STIIDefinition(order int) Definition {
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		return withEmpty(Derivatives(order, func(s, t, m int) *big.Rat {
			if s < order {
				return onlyNothing(s, t, m)
			}
			w := new(big.Rat).SetInt(new(big.Int).Binomial(int64(m-1), int64(t)))
			return w.Quo(big.NewRat(int64(order), int64(m)), w)
		})(table, m), table)
	}
}

// KSIIDefinition is the k-Shapley values of an order (Bordt and von Luxburg, 2023),
// order by order: the values of order k − 1, the SII of coalitions of k, and of each of
// these B_{k−s} times as much for the coalitions of s within it, where B are Bernoulli's
// numbers.
func KSIIDefinition(order int) Definition {
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		sii := Derivatives(order, ShapleyWeight)(table, m)
		out := map[game.Coalition]*big.Rat{}
		for k := 1; k <= order; k++ {
			for s := game.Coalition(1); s <= game.Grand(m); s++ {
				if s.Size() != k {
					continue
				}
				out[s] = new(big.Rat).Set(sii[s])
				for l := (s - 1) & s; l != 0; l = (l - 1) & s {
					share := new(big.Rat).Mul(bernoulliNumbers[k-l.Size()], sii[s])
					out[l].Add(out[l], share)
				}
			}
		}
		return withEmpty(out, table)
	}
}

// bernoulliNumbers are B_0 to B_6 as they stand in tables.
var bernoulliNumbers = []*big.Rat{
	big.NewRat(1, 1), big.NewRat(-1, 2), big.NewRat(1, 6), new(big.Rat), big.NewRat(-1, 30), new(big.Rat), big.NewRat(1, 42),
}

// FBIIDefinition is the faithful Banzhaf index of an order k (Tsai et al., 2023): the
// coefficients I of the best approximation of the game by coalitions of up to k players,
// the empty one included, the least of
//
//	Σ_S (v(S) − Σ_{T⊆S, |T|≤k} I(T))²
func FBIIDefinition(order int) Definition {
	fits := fitter(order, 0, func(_, _ int) *big.Rat { return big.NewRat(1, 1) })
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		f := fits(m)
		return f.solve(table, new(big.Rat), nil)
	}
}

// FSIIDefinition is the faithful Shapley index of an order k (Tsai et al., 2023): as
// [FBIIDefinition], but exact for the empty coalition and for that of all, and the rest
// weighted by Shapley's kernel,
//
//	(m−1)/(C(m, s)·s·(m−s))    for 0 < s < m
func FSIIDefinition(order int) Definition {
	fits := fitter(order, 1, func(s, m int) *big.Rat {
		if s == 0 || s == m {
			return new(big.Rat)
		}
		w := new(big.Rat).SetInt(new(big.Int).Binomial(int64(m), int64(s)))
		w.Mul(w, big.NewRat(int64(s*(m-s)), 1))
		return w.Quo(big.NewRat(int64(m-1), 1), w)
	})
	return func(table []float64, m int) map[game.Coalition]*big.Rat {
		base := rational(table[0])
		total := new(big.Rat).Sub(rational(table[len(table)-1]), base)
		return withEmpty(fits(m).solve(table, base, total), table)
	}
}

// A fit is a weighted least-squares problem over coalitions of least to order players:
// the inverse of its normal equations, with a last row and column that hold the sum of
// all coefficients where it is given.
type fit struct {
	coalitions []game.Coalition
	weight     []*big.Rat // by size
	inverse    [][]*big.Rat
}

// fitter returns the fits of an order, each made once.
func fitter(order, least int, weight func(s, m int) *big.Rat) func(m int) *fit {
	made := map[int]*fit{}
	return func(m int) *fit {
		if f := made[m]; f != nil {
			return f
		}
		f := &fit{}
		for s := range m + 1 {
			f.weight = append(f.weight, weight(s, m))
		}
		for s := game.Coalition(0); s <= game.Grand(m); s++ {
			if n := s.Size(); n >= least && n <= order {
				f.coalitions = append(f.coalitions, s)
			}
		}
		// above[u] = Σ_{S⊇U} weight(|S|) for |U| = u.
		above := make([]*big.Rat, m+1)
		for u := range above {
			above[u] = new(big.Rat)
			for more := 0; u+more <= m; more++ {
				n := new(big.Rat).SetInt(new(big.Int).Binomial(int64(m-u), int64(more)))
				above[u].Add(above[u], n.Mul(n, f.weight[u+more]))
			}
		}
		n := len(f.coalitions)
		if least > 0 {
			n++
		}
		normal := make([][]*big.Rat, n)
		for i := range normal {
			normal[i] = make([]*big.Rat, n)
			for j := range normal[i] {
				switch {
				case i < len(f.coalitions) && j < len(f.coalitions):
					normal[i][j] = new(big.Rat).Set(above[(f.coalitions[i] | f.coalitions[j]).Size()])
				case i == j:
					normal[i][j] = new(big.Rat)
				default:
					normal[i][j] = big.NewRat(1, 1)
				}
			}
		}
		f.inverse = invert(normal)
		made[m] = f
		return f
	}
}

// solve returns the coefficients that fit v − base best; total is what they add up to,
// nil where nothing is asked of them.
func (f *fit) solve(table []float64, base, total *big.Rat) map[game.Coalition]*big.Rat {
	right := make([]*big.Rat, len(f.coalitions))
	whole := exactly(table)
	for i, t := range f.coalitions {
		bySize := make([]big.Int, len(f.weight))
		count := make([]int64, len(f.weight))
		for s, v := range whole.values {
			if game.Coalition(s)&t == t {
				size := game.Coalition(s).Size()
				bySize[size].Add(&bySize[size], v)
				count[size]++
			}
		}
		right[i] = new(big.Rat)
		for size, w := range f.weight {
			x := new(big.Rat).SetInt(&bySize[size])
			x.Mul(x, whole.unit)
			x.Sub(x, new(big.Rat).Mul(base, big.NewRat(count[size], 1)))
			right[i].Add(right[i], x.Mul(x, w))
		}
	}
	if total != nil {
		right = append(right, total)
	}
	out := map[game.Coalition]*big.Rat{}
	for i, s := range f.coalitions {
		out[s] = new(big.Rat)
		for j, x := range right {
			out[s].Add(out[s], new(big.Rat).Mul(f.inverse[i][j], x))
		}
	}
	return out
}

// invert returns the inverse of a, by Gauss and Jordan's elimination. a is used up.
func invert(a [][]*big.Rat) [][]*big.Rat {
	n := len(a)
	out := make([][]*big.Rat, n)
	for i := range out {
		out[i] = make([]*big.Rat, n)
		for j := range out[i] {
			out[i][j] = new(big.Rat)
		}
		out[i][i].SetInt64(1)
	}
	product := new(big.Rat)
	for k := range n {
		p := k
		for a[p][k].Sign() == 0 {
			p++ // past the end for a singular matrix, which a fit does not make
		}
		a[k], a[p], out[k], out[p] = a[p], a[k], out[p], out[k]
		pivot := new(big.Rat).Inv(a[k][k])
		for j := range n {
			a[k][j].Mul(a[k][j], pivot)
			out[k][j].Mul(out[k][j], pivot)
		}
		for i := range n {
			if i == k || a[i][k].Sign() == 0 {
				continue
			}
			factor := new(big.Rat).Set(a[i][k])
			for j := range n {
				if a[k][j].Sign() != 0 {
					a[i][j].Sub(a[i][j], product.Mul(factor, a[k][j]))
				}
				if out[k][j].Sign() != 0 {
					out[i][j].Sub(out[i][j], product.Mul(factor, out[k][j]))
				}
			}
		}
	}
	return out
}

func rational(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
