package synth_test

import (
	"math/big"
	"math/bits"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/synth"
)

// A labelling of patterns, as in [synth.Baseline.Label].
type rule func(bits [][]float32) int64

// answer is what is known of a model of bits: the paper's score from means over
// samples, the mean of local scores, the score from means of absolutes, and two
// cells of the mean matrix.
type answer[T any] struct{ global, local, meanAbsolute, phi11, phi12 T }

// values returns the value table of every sample of a population, each as often
// as it counts, as whole numbers over the size of the population: v(S) is the
// share of background patterns with which the model keeps its answer. Samples and
// background are the population itself.
func values(population []synth.Pattern, f rule) (tables [][]int64, size int64) {
	m := len(population[0].Bits)
	mixed := make([][]float32, m)
	for _, b := range population {
		size += int64(b.Count)
	}
	for _, x := range population {
		predicted := f(x.Bits)
		table := make([]int64, 1<<m)
		for s := range table {
			for _, b := range population {
				for i := range mixed {
					mixed[i] = b.Bits[i]
					if s>>i&1 == 1 {
						mixed[i] = x.Bits[i]
					}
				}
				if f(mixed) == predicted {
					table[s] += int64(b.Count)
				}
			}
		}
		for range x.Count {
			tables = append(tables, table)
		}
	}
	return tables, size
}

// computed takes the road of the tool: packages game, index and score.
func computed(t *testing.T, population []synth.Pattern, f rule) answer[float64] {
	t.Helper()
	whole, size := values(population, f)
	m := len(population[0].Bits)
	var flat []float64
	for _, table := range whole {
		for _, v := range table {
			flat = append(flat, float64(v)/float64(size))
		}
	}
	tables, err := game.NewTables(m, flat)
	if err != nil {
		t.Fatal(err)
	}
	phi := make([]float64, tables.Len()*m*m)
	index.PairMatricesTo(phi, tables, make([]float64, 1<<m))
	sums := score.NewAccumulator(score.Layout{Modalities: m, Targets: 1, Partitions: []int{1}, Convention: score.Paper})
	weights := make([]uint8, score.Replicates)
	for r := range tables.Len() {
		v := tables.Game(r)
		score.WeightsTo(weights, 1, strconv.Itoa(r))
		sums.Add(0, score.Sample{Base: v[0], Output: v[len(v)-1], Phi: phi[r*m*m : (r+1)*m*m], Weights: weights})
	}
	s := sums.Summary(0, score.Options{Level: 0.95, Quantile: func(_, _ float64) float64 { return 2 }})
	const none = -1 // no score is negative
	return answer[float64]{
		global: s.Global.InterSHAP.Share.Or(none), local: s.Local.Mean.Or(none), meanAbsolute: s.MeanAbsolute.InterSHAP.Share.Or(none),
		phi11: s.Phi[0], phi12: s.Phi[1],
	}
}

// derived is the same by the paper's definitions (its equations 2 to 5, 10 and
// 11), in rational numbers, with factorials and no Möbius transform: nothing of it
// is shared with computed but the value tables.
func derived(population []synth.Pattern, f rule) answer[*big.Rat] {
	whole, size := values(population, f)
	m := len(population[0].Bits)
	sum := make([]*big.Rat, m*m) // of phi
	absolute := make([]*big.Rat, m*m)
	for i := range sum {
		sum[i], absolute[i] = new(big.Rat), new(big.Rat)
	}
	locals, defined := new(big.Rat), int64(0)
	for _, table := range whole {
		phi := matrix(table, m)
		for i, v := range phi {
			sum[i].Add(sum[i], v)
			absolute[i].Add(absolute[i], new(big.Rat).Abs(v))
		}
		if share := shareOf(phi, m); share != nil {
			locals.Add(locals, share)
			defined++
		}
	}
	n := new(big.Rat).SetFrac64(1, size*size) // tables are whole numbers over size
	return answer[*big.Rat]{
		global: shareOf(sum, m), local: locals.Mul(locals, new(big.Rat).SetFrac64(1, defined)), meanAbsolute: shareOf(absolute, m),
		phi11: sum[0].Mul(sum[0], n), phi12: sum[1].Mul(sum[1], n),
	}
}

// shareOf returns Σ_{i≠j} |phi_ij| / Σ |phi_ij|, nil when there is nothing.
func shareOf(phi []*big.Rat, m int) *big.Rat {
	pairs, all := new(big.Rat), new(big.Rat)
	for i, v := range phi {
		v = new(big.Rat).Abs(v)
		all.Add(all, v)
		if i/m != i%m {
			pairs.Add(pairs, v)
		}
	}
	if all.Sign() == 0 {
		return nil
	}
	return pairs.Quo(pairs, all)
}

// matrix returns phi of one table of whole numbers:
//
//	phi_ij = Σ_{S∌i,j} |S|!(m−|S|−2)!/(2(m−1)!) · (v(S+ij) − v(S+i) − v(S+j) + v(S))
//	phi_ii = Σ_{S∌i} |S|!(m−|S|−1)!/m! · (v(S+i) − v(S)) − Σ_{j≠i} phi_ij
func matrix(v []int64, m int) []*big.Rat {
	factorial := func(n int) int64 { return new(big.Int).MulRange(1, int64(n)).Int64() }
	phi := make([]*big.Rat, m*m)
	for i := range m {
		own := new(big.Rat)
		for s := range v {
			if s>>i&1 == 0 {
				size := bits.OnesCount(uint(s))
				w := new(big.Rat).SetFrac64(factorial(size)*factorial(m-size-1), factorial(m))
				own.Add(own, w.Mul(w, new(big.Rat).SetInt64(v[s|1<<i]-v[s])))
			}
		}
		for j := range m {
			if j == i {
				continue
			}
			pair := new(big.Rat)
			for s := range v {
				if s>>i&1 == 0 && s>>j&1 == 0 {
					size := bits.OnesCount(uint(s))
					w := new(big.Rat).SetFrac64(factorial(size)*factorial(m-size-2), 2*factorial(m-1))
					pair.Add(pair, w.Mul(w, new(big.Rat).SetInt64(v[s|1<<i|1<<j]-v[s|1<<i]-v[s|1<<j]+v[s])))
				}
			}
			phi[i*m+j] = pair
			own.Sub(own, pair)
		}
		phi[i*m+i] = own
	}
	return phi
}
