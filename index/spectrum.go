package index

import "math"

// A Spectrum is the share of behaviour by order: what single players do, what needs
// two, three and more of them,
//
//	share(s) = Σ_{|S|=s} |I(S)| / Σ_{S≠{}} |I(S)|      for s = 1 to the index's order
//
// For the Möbius transform a coalition's part is what none of its subsets explains; for
// k-SII what is above the index's order is shared out to the orders below.
type Spectrum struct {
	// Global takes means over games before absolute values, as the paper's global score
	// does. Its first element is order one. It is nil where the mean game has no
	// behaviour: every value is 0.
	Global []float64
	// Local is the mean of the shares of single games, nil where none has behaviour.
	Local []float64
	// Undefined counts the games that have none.
	Undefined int
}

// Spectrum returns the shares of games, given their Möbius transforms, as [TransformTo]
// writes them.
func (f *Formula) Spectrum(moebius []float64) Spectrum {
	n := 1 << f.m
	games := len(moebius) / n
	if len(moebius) != games*n {
		panic("index: bad moebius length")
	}
	values, scratch := make([]float64, f.Len()), f.Scratch()
	mean := make([]float64, n)
	shares, local := make([]float64, f.order), make([]float64, f.order)
	var out Spectrum
	for r := range games {
		table := moebius[r*n : (r+1)*n]
		for i, x := range table {
			mean[i] += x / float64(games)
		}
		f.to(values, table, scratch)
		if !f.SharesTo(shares, values) {
			out.Undefined++
			continue
		}
		for i, x := range shares {
			local[i] += x
		}
	}
	if defined := games - out.Undefined; defined > 0 {
		for i := range local {
			local[i] /= float64(defined)
		}
		out.Local = local
	}
	f.to(values, mean, scratch)
	if f.SharesTo(shares, values) {
		out.Global = shares
	}
	return out
}

// SharesTo writes the share of each order into dst, which is [Formula.Order] long and
// begins with order one, given the values of one game. It reports false where every
// value but that of the empty coalition is 0: then there is nothing to share, and dst
// is zero.
func (f *Formula) SharesTo(dst, values []float64) bool {
	if len(dst) != f.order || len(values) != f.Len() {
		panic("index: bad dst or values length")
	}
	// Scaled, so that no sum overflows.
	largest := 0.0
	for _, x := range values[f.start[1]:] {
		largest = max(largest, math.Abs(x))
	}
	clear(dst)
	if largest == 0 {
		return false
	}
	whole := 0.0
	for s := range dst {
		lo, hi := f.Range(s + 1)
		for _, x := range values[lo:hi] {
			dst[s] += math.Abs(x) / largest
		}
		whole += dst[s]
	}
	for s := range dst {
		dst[s] /= whole
	}
	return true
}

// ParityShare returns what the paper's score (InterSHAP, global and local) says of
// the parity of m fair bits, which nothing but all bits together tells: m/(2m−2), so 1
// for two bits, 3/4 for three, and 1/2 for very many. It is a reference beside a
// spectrum, in which the same game has everything at order m; it is no ceiling, since
// other games score higher. There is none for one player.
//
// With v(all) − v({}) = 1 the SII of each of the m(m−1)/2 pairs is 1/(m−1), so that the
// pairs' cells add up to m/2, and the diagonal adds up to 1 − m/2, all of one sign: in
// absolute values (m/2)/(m/2 + |1 − m/2|).
func ParityShare(m int) (share float64, defined bool) {
	if m < 2 {
		return 0, false
	}
	return float64(m) / float64(2*m-2), true
}
