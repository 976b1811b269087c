package index_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

// plainMoebius is the Möbius transform by its definition: every subset of every
// coalition, 3^m terms.
func plainMoebius(v []float64) []float64 {
	m := make([]float64, len(v))
	for t := range v {
		for l := t; ; l = (l - 1) & t {
			if bits.OnesCount(uint(t^l))%2 == 0 {
				m[t] += v[l]
			} else {
				m[t] -= v[l]
			}
			if l == 0 {
				break
			}
		}
	}
	return m
}

// plainSII is the Shapley interaction index of singles and pairs from the transform,
// superset by superset; where aggregated is set, k-SII of order two.
func plainSII(v []float64, m int, aggregated bool) map[game.Coalition]float64 {
	moebius := plainMoebius(v)
	out := map[game.Coalition]float64{}
	for s := game.Coalition(1); s <= game.Grand(m); s++ {
		if s.Size() > 2 {
			continue
		}
		sum := 0.0
		for t, x := range moebius {
			if game.Coalition(t)&s == s {
				sum += x / float64(bits.OnesCount(uint(t))-s.Size()+1)
			}
		}
		out[s] = sum
	}
	if !aggregated {
		return out
	}
	for i := range m {
		for j := range m {
			if i != j {
				out[game.Coalition(0).With(i)] -= out[game.Coalition(0).With(i).With(j)] / 2
			}
		}
	}
	return out
}

// The kernels beside the plain way, on the same game of 14 players; their ratio is that
// of docs/performance.md.
func BenchmarkOrderTwo(b *testing.B) {
	const m = 14
	table := gametest.Random(m, rand.New(rand.NewPCG(1, 1)))
	for _, x := range []index.Index{index.SII, index.KSII} {
		f, err := index.New(x, 2, m)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("M=14/order=2/index=%s/way=kernel", x), func(b *testing.B) {
			dst, moebius, scratch := make([]float64, f.Len()), make([]float64, 1<<m), f.Scratch()
			b.ReportAllocs()
			for b.Loop() {
				game.MoebiusTo(moebius, table)
				f.To(dst, moebius, scratch)
			}
		})
		b.Run(fmt.Sprintf("M=14/order=2/index=%s/way=plain", x), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plainSII(table, m, x == index.KSII)
			}
		})
	}
}

// 10,000 samples and two outputs of four players, from values to the index.
func BenchmarkManyGames(b *testing.B) {
	const m, games = 4, 10000 * 2
	values := make([]float64, games<<m)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	tables, err := game.NewTables(m, values)
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range index.Indices() {
		order := min(2, x.MaxOrder(m))
		f, err := index.New(x, order, m)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("M=4/outputs=2/rows=10000/order=%d/index=%s", order, x), func(b *testing.B) {
			moebius, dst, scratch := make([]float64, len(values)), make([]float64, games*f.Len()), f.Scratch()
			b.SetBytes(int64(8 * len(values)))
			b.ReportAllocs()
			for b.Loop() {
				index.TransformTo(moebius, tables)
				f.AllTo(dst, moebius, scratch)
			}
		})
	}
}

// Every order at once.
func BenchmarkAllOrders(b *testing.B) {
	for _, m := range []int{8, 14} {
		table := gametest.Random(m, rand.New(rand.NewPCG(1, 1)))
		f, err := index.New(index.SII, m, m)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("M=%d/order=%d/index=SII", m, m), func(b *testing.B) {
			dst, moebius, scratch := make([]float64, f.Len()), make([]float64, 1<<m), f.Scratch()
			b.ReportAllocs()
			for b.Loop() {
				game.MoebiusTo(moebius, table)
				f.To(dst, moebius, scratch)
			}
		})
	}
}
