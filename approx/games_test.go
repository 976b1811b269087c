package approx_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// A unanimitySum is a game in which each of some coalitions adds something where all of
// it is there. What it adds is its Möbius transform, so every index of it is known, for
// any number of players.
type unanimitySum struct {
	sets []game.Coalition
	adds []float64
}

// randomSum returns a sum of count games of coalitions of least to most players.
func randomSum(n, count, least, most int, rng *rand.Rand) unanimitySum {
	var u unanimitySum
	for range count {
		var set game.Coalition
		for size := least + rng.IntN(most-least+1); set.Size() < size; {
			set = set.With(rng.IntN(n))
		}
		u.sets, u.adds = append(u.sets, set), append(u.adds, rng.NormFloat64())
	}
	return u
}

func (u unanimitySum) value(a game.Coalition) float64 {
	v := 0.0
	for i, set := range u.sets {
		if set&^a == 0 {
			v += u.adds[i]
		}
	}
	return v
}

// truth returns Σ_{T⊇S} c(s, t)·m(T) for each S.
func (u unanimitySum) truth(x index.Index, order int, of []game.Coalition) []float64 {
	out := make([]float64, len(of))
	for i, s := range of {
		for k, set := range u.sets {
			if s&^set == 0 {
				c, _ := index.Weight(x, s.Size(), set.Size(), order).Float64()
				out[i] += c * u.adds[k]
			}
		}
	}
	return out
}

// play returns the values of a design's coalitions.
func play(d *approx.Design, v func(game.Coalition) float64) []float64 {
	out := make([]float64, d.Len())
	for i, s := range d.Coalitions() {
		out[i] = v(s)
	}
	return out
}

// exact returns an index of a game by playing all of it.
func exact(t *testing.T, x index.Index, order, n int, v func(game.Coalition) float64) []float64 {
	t.Helper()
	f, err := index.New(x, order, n)
	if err != nil {
		t.Fatal(err)
	}
	table := make([]float64, 1<<n)
	for s := range table {
		table[s] = v(game.Coalition(s))
	}
	game.MoebiusTo(table, table)
	out := make([]float64, f.Len())
	f.To(out, table, f.Scratch())
	lo, _ := f.Range(1)
	return out[lo:]
}

func draw(t *testing.T, m approx.Method, order, n, budget int, seed uint64) *approx.Design {
	t.Helper()
	d, err := approx.Draw(m, order, n, budget, seed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func estimator(t *testing.T, d *approx.Design, x index.Index, order int) *approx.Estimator {
	t.Helper()
	e, err := d.Estimator(x, order)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// An estimate is what an estimator says of one game.
type estimate struct{ mean, draws []float64 }

func estimateOf(d *approx.Design, e *approx.Estimator, v func(game.Coalition) float64) estimate {
	out := estimate{make([]float64, e.Len()), make([]float64, d.Draws()*e.Len())}
	e.To(out.mean, out.draws, play(d, v), e.Scratch())
	return out
}

// standardError returns that of position i.
func (e estimate) standardError(i int) float64 {
	sum, count := 0.0, 0.0
	for at := i; at < len(e.draws); at += len(e.mean) {
		dev := e.draws[at] - e.mean[i]
		sum += dev * dev
		count++
	}
	return math.Sqrt(sum / (count - 1) / count)
}

// holds returns how many intervals of 95 %, each width times as wide, hold the truth.
func (e estimate) holds(truth []float64, width float64) int {
	draws := len(e.draws) / len(e.mean)
	q := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(draws - 1)}.Quantile(0.975)
	held := 0
	for i, want := range truth {
		// What only rounding sets apart is held.
		if math.Abs(e.mean[i]-want) <= width*q*e.standardError(i)+1e-10 {
			held++
		}
	}
	return held
}

// oracle returns the values of a real game of 8 players, by coalition.
func oracle(t *testing.T, name string) []float64 {
	t.Helper()
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set: no oracle games")
	}
	raw, err := os.ReadFile(filepath.Join(shared, "oracle", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Players int
		Values  []float64
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Values) != 1<<file.Players {
		t.Fatalf("%s: %d values of %d players", name, len(file.Values), file.Players)
	}
	return file.Values
}
