package index

import "math/big"

// weight returns c(s, t) of an index of order k, for coalitions S ⊆ T of s and t
// players:
//
//	I(S) = Σ_{T⊇S} c(|S|, |T|) · m(T)
//
// Every index of this package is of this form. With d = t − s:
//
//	SV, SII   1/(d+1)
//	BV, BII   1/2^d
//	k-SII     Σ_{j=0}^{min(d, k−s)} B_j·C(d, j)/(d−j+1)
//	STII      1/C(t, k) for s = k, else that of Möbius
//	FSII      that of Möbius for t ≤ k, else
//	          (−1)^{k−s} · s/(k+s) · C(k, s) · C(t−1, k)/C(t+k−1, k+s)
//	FBII      that of Möbius for t ≤ k, else (−1)^{k−s} · C(d−1, k−s)/2^d
//	Möbius    1 for d = 0, else 0
//
// k-SII is defined by what it adds to the SII of S: B_j times the SII of every
// coalition of s + j ≤ k players that holds S, where B_j are Bernoulli's numbers with
// B_1 = −1/2. A coalition T of d more players than S has C(d, j) of these within it,
// each with m(T)/(d−j+1). The sum is 0 where T has no more than k players, since
// Σ_{j≤d} C(d+1, j)·B_j = 0: efficient and exact up to order k.
func weight(x Index, s, t, k int) *big.Rat {
	d := t - s
	same := new(big.Rat)
	if d == 0 {
		same.SetInt64(1)
	}
	switch x {
	case SV, SII:
		return big.NewRat(1, int64(d+1))
	case BV, BII:
		return powerOfHalf(d)
	case KSII:
		if s == 0 {
			return same // v({}), which no SII is shared out to
		}
		sum := new(big.Rat)
		for j := 0; j <= min(d, k-s); j++ {
			term := ratio(binomial(d, j), big.NewInt(int64(d-j+1)))
			sum.Add(sum, term.Mul(term, bernoulli(j)))
		}
		return sum
	case STII:
		if s < k {
			return same
		}
		return ratio(big.NewInt(1), binomial(t, k))
	case FSII:
		if t <= k {
			return same
		}
		c := ratio(binomial(t-1, k), binomial(t+k-1, k+s))
		c.Mul(c, ratio(binomial(k, s), big.NewInt(1)))
		c.Mul(c, big.NewRat(int64(s), int64(k+s)))
		return alternate(c, k-s)
	case FBII:
		if t <= k {
			return same
		}
		c := ratio(binomial(d-1, k-s), big.NewInt(1))
		return alternate(c.Mul(c, powerOfHalf(d)), k-s)
	}
	return same
}

// Weight returns c(s, t) of an index of some order in rational numbers:
//
//	I(S) = Σ_{T⊇S} c(|S|, |T|) · m(T)      for every S of s ≤ order players
//
// with m the Möbius transform of the game, of any number of players. It is what every
// [Formula] is made of, for those who compute an index by another road. It panics where
// there is no such index, or where s is no number from 1 to the order or more than t.
func Weight(x Index, s, t, order int) *big.Rat {
	if !x.valid() || s < 1 || s > order || t < s || x.Card().Single && order != 1 {
		panic("index: no such weight")
	}
	return weight(x, s, t, order)
}

func alternate(x *big.Rat, n int) *big.Rat {
	if n%2 == 1 {
		x.Neg(x)
	}
	return x
}

func powerOfHalf(n int) *big.Rat {
	return ratio(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(n)))
}

func ratio(a, b *big.Int) *big.Rat { return new(big.Rat).SetFrac(a, b) }

// binomial returns C(n, k), 0 where there is no such choice.
func binomial(n, k int) *big.Int {
	if k < 0 || k > n {
		return new(big.Int)
	}
	return new(big.Int).Binomial(int64(n), int64(k))
}

// bernoulli returns B_n with B_1 = −1/2, by Σ_{j=0}^{n} C(n+1, j)·B_j = 0 for n > 0.
func bernoulli(n int) *big.Rat {
	b := []*big.Rat{big.NewRat(1, 1)}
	for i := 1; i <= n; i++ {
		sum := new(big.Rat)
		for j, x := range b {
			sum.Add(sum, new(big.Rat).Mul(x, ratio(binomial(i+1, j), big.NewInt(1))))
		}
		b = append(b, sum.Mul(sum, big.NewRat(-1, int64(i+1))))
	}
	return b[n]
}
