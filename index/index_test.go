package index_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

func moebius(table []float64) []float64 {
	out := make([]float64, len(table))
	game.MoebiusTo(out, table)
	return out
}

func shapley(table []float64, m int) map[game.Coalition]float64 {
	dst := make([]float64, m)
	index.ShapleyTo(dst, moebius(table))
	out := map[game.Coalition]float64{}
	for i, x := range dst {
		out[game.Coalition(0).With(i)] = x
	}
	return out
}

func sii(table []float64, m int) map[game.Coalition]float64 {
	return upperTriangle(table, m, index.SIITo, 1)
}

// phi holds the sum of both cells of a pair, so that the matrix is efficient.
func phi(table []float64, m int) map[game.Coalition]float64 {
	return upperTriangle(table, m, index.PairMatrixTo, 2)
}

func upperTriangle(table []float64, m int, to func(dst, moebius []float64, m int), cells float64) map[game.Coalition]float64 {
	dst := make([]float64, m*m)
	to(dst, moebius(table), m)
	out := map[game.Coalition]float64{}
	for i := range m {
		out[game.Coalition(0).With(i)] = dst[i*m+i]
		for j := i + 1; j < m; j++ {
			out[game.Coalition(0).With(i).With(j)] = cells * dst[i*m+j]
		}
	}
	return out
}

func TestAxioms(t *testing.T) {
	gametest.Axioms(t, gametest.Index{Name: "SV", Values: shapley, Efficient: true, Weight: func(s, t, m int) *big.Rat {
		return gametest.Factorials(t, m-t-1, m)
	}})
	// |T|!(m−|S|−|T|)!/(m−|S|+1)! for |S| = 1 and 2.
	gametest.Axioms(t, gametest.Index{Name: "SII", Values: sii, Weight: func(s, t, m int) *big.Rat {
		return gametest.Factorials(t, m-t-s, m-s+1)
	}})
	gametest.Axioms(t, gametest.Index{Name: "phi", Values: phi, Efficient: true})
}

// The paper defines the diagonal as Shapley value less the rest of the row.
func TestPairMatrixDiagonal(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for m := 1; m <= 8; m++ {
		table := gametest.Random(m, rng)
		matrix, single := make([]float64, m*m), make([]float64, m)
		index.PairMatrixTo(matrix, moebius(table), m)
		index.ShapleyTo(single, moebius(table))
		for i := range m {
			want := single[i]
			for j := range m {
				if j != i {
					want -= matrix[i*m+j]
				}
				if matrix[i*m+j] != matrix[j*m+i] {
					t.Errorf("m=%d: cells (%d,%d) and (%d,%d) differ", m, i, j, j, i)
				}
			}
			if math.Abs(matrix[i*m+i]-want) > 1e-12 {
				t.Errorf("m=%d: phi_%d%d = %v, want %v", m, i, i, matrix[i*m+i], want)
			}
		}
	}
}

func TestCooking(t *testing.T) {
	got := sii(gametest.Cooking(), 3)
	want := map[game.Coalition]float64{1: 8. / 3, 2: 5. / 3, 4: 2. / 3, 3: 7, 5: 7, 6: 7}
	for s, w := range want {
		if math.Abs(got[s]-w) > 1e-14 {
			t.Errorf("%s: got %v, want %v", s, got[s], w)
		}
	}
}

// In the additive game with the interaction {1,2} of seven players, that pair
// has 1, its players 1/7 + 1/2, the others 1/7.
func TestDummyGame(t *testing.T) {
	table := gametest.Table(7, func(s game.Coalition) float64 {
		v := float64(s.Size()) / 7
		if s.Has(1) && s.Has(2) {
			v++
		}
		return v
	})
	for s, got := range sii(table, 7) {
		want := 0.0
		switch {
		case s == 0b110:
			want = 1
		case s == 0b010 || s == 0b100:
			want = 9. / 14
		case s.Size() == 1:
			want = 1. / 7
		}
		if math.Abs(got-want) > 1e-14 {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
}

// Two real games of eight players with exact values from another
// implementation.
func TestOracle(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	for _, name := range []string{"game8_a.json", "game8_b.json"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(shared, "oracle", name))
			if err != nil {
				t.Fatal(err)
			}
			var oracle struct {
				Players int
				Values  []float64
				Moebius []float64
				Indices map[string]map[string]map[string]float64
			}
			if err := json.Unmarshal(raw, &oracle); err != nil {
				t.Fatal(err)
			}
			compare := func(name, order string, got map[game.Coalition]float64, tolerance float64) {
				t.Helper()
				compared := 0
				for key, want := range oracle.Indices[name][order] {
					s, err := parse(key)
					if err != nil {
						t.Fatal(err)
					}
					if s == 0 {
						continue
					}
					compared++
					if x, ok := got[s]; !ok || math.Abs(x-want) > tolerance {
						t.Errorf("%s order %s: %s is %v, want %v", name, order, s, x, want)
					}
				}
				delete(got, 0) // the oracle has no value of the empty coalition
				if compared == 0 || compared != len(got) {
					t.Errorf("%s order %s: %d values compared, have %d", name, order, compared, len(got))
				}
			}
			compare("SV", "1", shapley(oracle.Values, oracle.Players), 1e-10)
			compare("SII", "2", sii(oracle.Values, oracle.Players), 1e-10)
			for name, orders := range oracle.Indices {
				x, err := index.Parse(name)
				if err != nil {
					t.Fatal(err)
				}
				tolerance := 1e-10
				if x == index.FSII {
					tolerance = 1e-8 // theirs is solved by least squares
				}
				if len(orders) != x.MaxOrder(oracle.Players) {
					t.Errorf("%s: the oracle has %d orders, want %d", name, len(orders), x.MaxOrder(oracle.Players))
				}
				for order := range orders {
					k, err := strconv.Atoi(order)
					if err != nil {
						t.Fatal(err)
					}
					compare(name, order, byCoalition(x, k)(oracle.Values, oracle.Players), tolerance)
				}
			}
			for s, got := range byCoalition(index.Moebius, oracle.Players)(oracle.Values, oracle.Players) {
				if want := oracle.Moebius[s]; math.Abs(got-want) > 1e-10 {
					t.Errorf("Moebius: %s is %v, want %v", s, got, want)
				}
			}
		})
	}
}

func parse(players string) (game.Coalition, error) {
	var s game.Coalition
	if players == "" || players == "Empty" {
		return 0, nil
	}
	for p := range strings.SplitSeq(players, ",") {
		i, err := strconv.Atoi(p)
		if err != nil {
			return 0, fmt.Errorf("oracle key %q: %w", players, err)
		}
		s = s.With(i)
	}
	return s, nil
}

func TestPairMatricesAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	values := gametest.Random(10, rng) // 64 games of four players
	tables, err := game.NewTables(4, values)
	if err != nil {
		t.Fatal(err)
	}
	dst, scratch := make([]float64, 64*16), make([]float64, 16)
	if n := testing.AllocsPerRun(10, func() { index.PairMatricesTo(dst, tables, scratch) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	want := make([]float64, 16)
	index.PairMatrixTo(want, moebius(tables.Game(17)), 4)
	for i, w := range want {
		if dst[17*16+i] != w {
			t.Errorf("game 17, cell %d: got %v, want %v", i, dst[17*16+i], w)
		}
	}
}

func BenchmarkPairMatrices(b *testing.B) {
	for _, m := range []int{2, 4, 8} {
		const rows = 10000
		b.Run(fmt.Sprintf("M=%d/rows=%d", m, rows), func(b *testing.B) {
			values := make([]float64, rows<<m)
			rng := rand.New(rand.NewPCG(1, 1))
			for i := range values {
				values[i] = rng.NormFloat64()
			}
			tables, err := game.NewTables(m, values)
			if err != nil {
				b.Fatal(err)
			}
			dst, scratch := make([]float64, rows*m*m), make([]float64, 1<<m)
			b.SetBytes(int64(8 * len(values)))
			b.ReportAllocs()
			for b.Loop() {
				index.PairMatricesTo(dst, tables, scratch)
			}
		})
	}
}
