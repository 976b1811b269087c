package index

import (
	"math/bits"

	"github.com/intershap/intershap/game"
)

// ShapleyTo writes the Shapley value of each player into dst, given the Möbius
// transform of a game of len(dst) players:
//
//	phi_i = Σ_{T∋i} m(T) / |T|
//
// which equals Σ_{S∌i} |S|!(m−|S|−1)!/m! · (v(S+i) − v(S)) (Shapley, 1953).
// The cost is O(m·2^m).
func ShapleyTo(dst, moebius []float64) {
	checkTable(len(dst), moebius)
	clear(dst)
	for t := 1; t < len(moebius); t++ {
		share := moebius[t] / float64(bits.OnesCount(uint(t)))
		for rest := uint(t); rest != 0; rest &= rest - 1 {
			dst[bits.TrailingZeros(rest)] += share
		}
	}
}

// SIITo writes the Shapley interaction index of order two of each pair into
// dst, an m×m matrix, given the Möbius transform of a game of m players:
//
//	SII_ij = Σ_{T⊇{i,j}} m(T) / (|T|−1)
//
// which equals Σ_{S∌i,j} |S|!(m−|S|−2)!/(m−1)! · Δ_ij v(S) with
// Δ_ij v(S) = v(S+ij) − v(S+i) − v(S+j) + v(S) (Grabisch and Roubens, 1999).
// Both cells of a pair hold the whole value; the diagonal holds the Shapley
// values, which are the index of order two of single players. The cost is
// O(m²·2^m).
func SIITo(dst, moebius []float64, m int) {
	checkMatrix(dst, moebius, m)
	clear(dst)
	for t := 1; t < len(moebius); t++ {
		size := bits.OnesCount(uint(t))
		single := moebius[t] / float64(size)
		addDiagonal(dst, uint(t), m, single)
		if size > 1 {
			addPairs(dst, uint(t), m, moebius[t]/float64(size-1))
		}
	}
	mirror(dst, m)
}

// PairMatrixTo writes the paper's matrix phi (Wenderoth et al., 2025, equations
// 2 to 4) into dst, an m×m matrix, given the Möbius transform of a game of m
// players:
//
//	phi_ij = SII_ij / 2                          in both cells of a pair
//	phi_ii = phi_i − Σ_{j≠i} phi_ij              what is left of the Shapley value
//
// so that the matrix sums to v(all) − v({}). The diagonal is computed as
//
//	phi_ii = m({i}) + Σ_{T∋i, |T|≥3} m(T)·(1/|T| − 1/2)
//
// which is the same number without the cancellation of the difference: pairs
// leave the diagonal untouched. The cost is O(m²·2^m).
func PairMatrixTo(dst, moebius []float64, m int) {
	checkMatrix(dst, moebius, m)
	clear(dst)
	for t := 1; t < len(moebius); t++ {
		switch size := bits.OnesCount(uint(t)); size {
		case 1:
			addDiagonal(dst, uint(t), m, moebius[t])
		case 2:
			addPairs(dst, uint(t), m, moebius[t]/2)
		default:
			addDiagonal(dst, uint(t), m, moebius[t]*(1/float64(size)-0.5))
			addPairs(dst, uint(t), m, moebius[t]/float64(2*(size-1)))
		}
	}
	mirror(dst, m)
}

// addDiagonal adds x to the diagonal cells of the players in t.
func addDiagonal(dst []float64, t uint, m int, x float64) {
	for rest := t; rest != 0; rest &= rest - 1 {
		dst[bits.TrailingZeros(rest)*(m+1)] += x
	}
}

// addPairs adds x to the upper cells of the pairs in t.
func addPairs(dst []float64, t uint, m int, x float64) {
	for rest := t; rest != 0; rest &= rest - 1 {
		row := dst[bits.TrailingZeros(rest)*m:]
		for others := rest & (rest - 1); others != 0; others &= others - 1 {
			row[bits.TrailingZeros(others)] += x
		}
	}
}

// mirror copies the upper triangle into the lower.
func mirror(dst []float64, m int) {
	for i := range m {
		for j := range i {
			dst[i*m+j] = dst[j*m+i]
		}
	}
}

func checkTable(m int, table []float64) {
	if m < 1 || m > game.MaxPlayers || len(table) != 1<<m {
		panic("index: bad table length")
	}
}

// checkWhole panics unless tables have the value of every coalition at its place.
func checkWhole(t game.Tables) {
	if t.Coalitions() != nil {
		panic("index: partial tables")
	}
}

func checkMatrix(dst, moebius []float64, m int) {
	checkTable(m, moebius)
	if len(dst) != m*m {
		panic("index: bad dst length")
	}
}

// PairMatricesTo writes the paper's matrix of every game of t into dst, one
// after the other, each m×m. scratch must hold at least 2^m numbers. It is
// PairMatrixTo over [game.MoebiusTo], with no allocation for a game. It panics when t
// is partial.
func PairMatricesTo(dst []float64, t game.Tables, scratch []float64) {
	checkWhole(t)
	m := t.Players()
	if len(dst) != t.Len()*m*m || len(scratch) < 1<<m {
		panic("index: bad dst or scratch length")
	}
	scratch = scratch[:1<<m]
	for r := range t.Len() {
		game.MoebiusTo(scratch, t.Game(r))
		PairMatrixTo(dst[r*m*m:(r+1)*m*m], scratch, m)
	}
}
