package index_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

func newFormula(t testing.TB, x index.Index, order, m int) *index.Formula {
	t.Helper()
	f, err := index.New(x, order, m)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The cooking game of package gametest, by hand: the Möbius transform is 10, −6, −7,
// −8, three times 12, −10. The value of the empty coalition is the last column.
func TestCookingByEveryIndex(t *testing.T) {
	const none = -999
	for _, tt := range []struct {
		index                index.Index
		order                int
		first, second, third float64
		pair, all, nobody    float64
	}{
		{index.SV, 1, 8. / 3, 5. / 3, 2. / 3, none, none, none},
		{index.BV, 1, 3.5, 2.5, 1.5, none, none, none},
		{index.SII, 2, 8. / 3, 5. / 3, 2. / 3, 7, none, none},
		{index.SII, 3, 8. / 3, 5. / 3, 2. / 3, 7, -10, none},
		{index.BII, 2, 3.5, 2.5, 1.5, 7, none, none},
		{index.KSII, 2, -13. / 3, -16. / 3, -19. / 3, 7, none, 10},
		{index.KSII, 3, -6, -7, -8, 12, -10, 10},
		{index.STII, 2, -6, -7, -8, 26. / 3, none, 10},
		{index.FSII, 2, -13. / 3, -16. / 3, -19. / 3, 7, none, 10},
		{index.FBII, 2, -3.5, -4.5, -5.5, 7, none, 8.75},
		{index.Moebius, 3, -6, -7, -8, 12, -10, 10},
	} {
		got := byCoalition(tt.index, tt.order)(gametest.Cooking(), 3)
		for s, want := range map[game.Coalition]float64{
			0: tt.nobody, 1: tt.first, 2: tt.second, 4: tt.third, 3: tt.pair, 5: tt.pair, 6: tt.pair, 7: tt.all,
		} {
			x, found := got[s]
			if found != (want != none) || found && math.Abs(x-want) > 1e-14 {
				t.Errorf("%s of order %d: %s: want %v, got %v (%v)", tt.index, tt.order, s, want, x, found)
			}
		}
	}
}

// bitsModel is the mean value table of a classifier of m bits: how probable its class
// stays when the bits outside S come from another row.
func bitsModel(m int, class func(x game.Coalition) bool, probability func(x game.Coalition) float64) []float64 {
	return gametest.Table(m, func(s game.Coalition) float64 {
		mean := 0.0
		for x := game.Coalition(0); x <= game.Grand(m); x++ {
			for y := game.Coalition(0); y <= game.Grand(m); y++ {
				if class(x&s|y&^s) == class(x) {
					mean += probability(x) * probability(y)
				}
			}
		}
		return mean
	})
}

// The rational table of the paper's convention: what is done alone is k-SII of order
// two of one player, half of what a pair has is the paper's phi_ij.
func TestRationalTable(t *testing.T) {
	exactlyOne := func(x game.Coalition) bool { return x.Size() == 1 }
	uniform := func(m int) func(game.Coalition) float64 {
		return func(game.Coalition) float64 { return 1 / float64(int(1)<<m) }
	}
	// Both classes equally probable, inputs uniform within each.
	balanced := func(m int) func(game.Coalition) float64 {
		return func(x game.Coalition) float64 {
			if exactlyOne(x) {
				return 0.5 / float64(m)
			}
			return 0.5 / float64(int(1)<<m-m)
		}
	}
	parity := func(x game.Coalition) bool { return x.Size()%2 == 1 }
	and := func(x game.Coalition) bool { return x == 0b11 }
	for _, tt := range []struct {
		name                      string
		m                         int
		class                     func(game.Coalition) bool
		probability               func(game.Coalition) float64
		alone, half, interactions float64
	}{
		{"x0", 2, func(x game.Coalition) bool { return x.Has(0) }, uniform(2), -1, 0, 0}, // players differ
		{"xor", 2, parity, uniform(2), 0, 1. / 4, 1},
		{"and", 2, and, uniform(2), 1. / 8, 1. / 16, 1. / 3},
		{"parity", 3, parity, uniform(3), -1. / 12, 1. / 8, 3. / 4},
		{"parity", 4, parity, uniform(4), -1. / 8, 1. / 12, 2. / 3},
		{"parity", 5, parity, uniform(5), -3. / 20, 1. / 16, 5. / 8},
		{"exactly one", 3, exactlyOne, uniform(3), -1. / 64, 11. / 128, 11. / 12},
		{"exactly one balanced", 3, exactlyOne, balanced(3), -13. / 900, 163. / 1800, 163. / 176},
		{"exactly one", 4, exactlyOne, uniform(4), -1. / 64, 7. / 192, 7. / 8},
		{"exactly one balanced", 4, exactlyOne, balanced(4), -1. / 144, 19. / 432, 19. / 20},
		{"exactly one", 5, exactlyOne, uniform(5), -17. / 1024, 71. / 4096, 71. / 88},
	} {
		table := bitsModel(tt.m, tt.class, tt.probability)
		whole, pairs := 0.0, 0.0
		for s, x := range byCoalition(index.KSII, 2)(table, tt.m) {
			switch s.Size() {
			case 1:
				if tt.alone != -1 && math.Abs(x-tt.alone) > 1e-14 {
					t.Errorf("%s of %d: %s alone: want %v, got %v", tt.name, tt.m, s, tt.alone, x)
				}
				whole += math.Abs(x)
			case 2:
				if math.Abs(x/2-tt.half) > 1e-14 {
					t.Errorf("%s of %d: %s: want %v, got %v", tt.name, tt.m, s, tt.half, x/2)
				}
				whole += math.Abs(x)
				pairs += math.Abs(x)
			}
		}
		if math.Abs(pairs/whole-tt.interactions) > 1e-13 {
			t.Errorf("%s of %d: interactions have %v, want %v", tt.name, tt.m, pairs/whole, tt.interactions)
		}
	}
}

// What pure parity is to each index of order two: of three bits STII has it all in
// pairs of 1/6; k-SII and FSII have 3/4 of it there, the share of the paper's score.
func TestParity(t *testing.T) {
	for m := 2; m <= 12; m++ {
		want, defined := index.ParityShare(m)
		if !defined {
			t.Fatalf("no share for %d players", m)
		}
		for _, tt := range []struct {
			index index.Index
			order int
			want  []float64
		}{
			{index.KSII, 2, []float64{1 - want, want}},
			{index.STII, 2, []float64{0, 1}},
			{index.Moebius, m, append(make([]float64, m-1), 1)},
		} {
			f := newFormula(t, tt.index, tt.order, m)
			got := f.Spectrum(moebius(gametest.Parity(m)))
			for i, w := range tt.want {
				if math.Abs(got.Global[i]-w) > 1e-12 || math.Abs(got.Local[i]-w) > 1e-12 {
					t.Errorf("%s: parity of %d, order %d: want %v, got %v and %v", tt.index, m, i+1, w, got.Global[i], got.Local[i])
				}
			}
		}
		matrix := make([]float64, m*m)
		index.PairMatrixTo(matrix, moebius(gametest.Parity(m)), m)
		whole, pairs := 0.0, 0.0
		for i, x := range matrix {
			whole += math.Abs(x)
			if i%(m+1) != 0 {
				pairs += math.Abs(x)
			}
		}
		if math.Abs(pairs/whole-want) > 1e-12 {
			t.Errorf("parity of %d: the paper's score is %v, ParityShare %v", m, pairs/whole, want)
		}
	}
	three := bitsModel(3, func(x game.Coalition) bool { return x.Size()%2 == 1 }, func(game.Coalition) float64 { return 1. / 8 })
	for s, x := range byCoalition(index.STII, 2)(three, 3) {
		if want := map[int]float64{0: 0.5, 1: 0, 2: 1. / 6}[s.Size()]; math.Abs(x-want) > 1e-15 {
			t.Errorf("STII of three bits: %s: want %v, got %v", s, want, x)
		}
	}
	if got := newFormula(t, index.FSII, 2, 3).Spectrum(moebius(three)).Global[1]; math.Abs(got-0.75) > 1e-14 {
		t.Errorf("FSII of three bits: pairs have %v, want 3/4", got)
	}
	if _, defined := index.ParityShare(1); defined {
		t.Error("one player has a share of parity")
	}
}

// Two games that cancel: each has its pair alone, their mean nothing. A third has no
// behaviour at all.
func TestSpectrumTellsGlobalFromLocal(t *testing.T) {
	values := []float64{0, 0, 0, 1, 0, 0, 0, -1, 5, 5, 5, 5}
	f := newFormula(t, index.Moebius, 2, 2)
	transform := func(values []float64) []float64 {
		tables, err := game.NewTables(2, values)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float64, len(values))
		index.TransformTo(dst, tables)
		return dst
	}
	got := f.Spectrum(transform(values))
	if got.Global != nil || got.Undefined != 1 || len(got.Local) != 2 || got.Local[0] != 0 || got.Local[1] != 1 {
		t.Errorf("want no global share, all in pairs and one undefined, got %+v", got)
	}
	// 0, 1 and 1/2 in pairs of each; the mean game has 1, 0 and 1.
	got = f.Spectrum(transform([]float64{0, 1, 0, 1, 0, 0, 0, 1, 0, 2, 0, 4}))
	if math.Abs(got.Local[1]-1.5/3) > 1e-15 || math.Abs(got.Global[1]-0.5) > 1e-15 || got.Undefined != 0 {
		t.Errorf("want halves, got %+v", got)
	}
	if got := f.Spectrum(nil); got.Global != nil || got.Local != nil || got.Undefined != 0 {
		t.Errorf("no games: %+v", got)
	}
	// Sums of such numbers overflow.
	got = f.Spectrum([]float64{0, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64})
	if math.Abs(got.Global[0]-2./3) > 1e-15 {
		t.Errorf("large values: %+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		index    index.Index
		order, m int
		want     string
	}{
		{index.SII, 4, 3, "want an order of 1 to 3, the number of players, got 4"},
		{index.SII, 0, 3, "got 0"},
		{index.SII, -1, 3, "got -1"},
		{index.SV, 2, 3, "SV has values of single players: want order 1, got 2"},
		{index.KSII, 2, 21, "want 1 to 20 players, got 21"},
		{index.KSII, 1, 0, "want 1 to 20 players, got 0"},
		{0, 1, 3, "no index has the number 0"},
		{99, 1, 3, "no index has the number 99"},
	} {
		if _, err := index.New(tt.index, tt.order, tt.m); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v of order %d for %d: want %q, got %v", tt.index, tt.order, tt.m, tt.want, err)
		}
	}
}

func TestPositions(t *testing.T) {
	for _, x := range []index.Index{index.SII, index.KSII} {
		for m := 1; m <= 7; m++ {
			for order := 1; order <= m; order++ {
				f := newFormula(t, x, order, m)
				all := f.Coalitions()
				if len(all) != f.Len() || f.Index() != x || f.Order() != order || f.Players() != m {
					t.Fatalf("%d coalitions, Len is %d", len(all), f.Len())
				}
				for i, s := range all {
					at, found := f.Position(s)
					lo, hi := f.Range(s.Size())
					if at != i || !found || i < lo || i >= hi {
						t.Errorf("%s of order %d for %d: %s stands at %d, Position says %d, Range %d to %d", x, order, m, s, i, at, lo, hi)
					}
					if i > 0 && (all[i-1].Size() > s.Size() || all[i-1].Size() == s.Size() && all[i-1] >= s) {
						t.Errorf("%s stands before %s", all[i-1], s)
					}
				}
				if _, found := f.Position(0); found != x.Card().Empty {
					t.Errorf("%s: empty coalition: %v", x, found)
				}
				if _, found := f.Position(game.Coalition(1) << m); found {
					t.Error("a coalition of a player that there is not has a position")
				}
				if _, found := f.Position(game.Grand(m)); found != (order == m) {
					t.Errorf("order %d of %d: all players: %v", order, m, found)
				}
				if lo, hi := f.Range(order + 1); lo != hi {
					t.Error("a size above the order has a range")
				}
			}
		}
	}
	if got := fmt.Sprint(newFormula(t, index.KSII, 2, 4).Coalitions()); got != "[{} {0} {1} {2} {3} {0,1} {0,2} {1,2} {0,3} {1,3} {2,3}]" {
		t.Errorf("got %s", got)
	}
}

// Above six players there is no rational check; the kernel must agree with the plain
// way there.
func TestOrderTwoOfManyPlayers(t *testing.T) {
	for _, m := range []int{9, 12} {
		table := gametest.Random(m, rand.New(rand.NewPCG(7, 7)))
		for _, x := range []index.Index{index.SII, index.KSII} {
			want := plainSII(table, m, x == index.KSII)
			compared := 0
			for s, got := range byCoalition(x, 2)(table, m) {
				if s == 0 {
					continue
				}
				compared++
				if w, found := want[s]; !found || math.Abs(got-w) > 1e-10 {
					t.Errorf("%s: %d players: %s: want %v, got %v", x, m, s, w, got)
				}
			}
			if compared != len(want) {
				t.Errorf("%d of %d compared", compared, len(want))
			}
		}
	}
}

// Every order of every index at more players than the rational checks have, against
// sums over supersets with weights by recursion or in closed form of their own.
func TestEveryOrderOfTenPlayers(t *testing.T) {
	const m = 10
	table := gametest.Random(m, rand.New(rand.NewPCG(8, 8)))
	transform := plainMoebius(table)
	supersets := func(c func(s, t int) float64) map[game.Coalition]float64 {
		out := map[game.Coalition]float64{}
		for s := game.Coalition(1); s <= game.Grand(m); s++ {
			for t := s; t <= game.Grand(m); t = (t + 1) | s {
				out[s] += c(s.Size(), t.Size()) * transform[t]
			}
		}
		return out
	}
	sii := supersets(func(s, t int) float64 { return 1 / float64(t-s+1) })
	bii := supersets(func(s, t int) float64 { return math.Pow(2, float64(s-t)) })
	bernoulli := []float64{1, -1. / 2, 1. / 6, 0, -1. / 30, 0, 1. / 42, 0, -1. / 30, 0, 5. / 66}
	aggregated := map[game.Coalition]float64{}
	for k := 1; k <= m; k++ {
		for s, x := range sii {
			if s.Size() != k {
				continue
			}
			for l := s; l != 0; l = (l - 1) & s {
				aggregated[l] += bernoulli[k-l.Size()] * x
			}
		}
		for x, want := range map[index.Index]map[game.Coalition]float64{index.SII: sii, index.BII: bii, index.KSII: aggregated} {
			for s, got := range byCoalition(x, k)(table, m) {
				if s != 0 && math.Abs(got-want[s]) > 1e-9 {
					t.Errorf("%s of order %d: %s: want %v, got %v", x, k, s, want[s], got)
				}
			}
		}
	}
}

// EfficientAt says where values add up, and a random game does nowhere else.
func TestEfficientAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, x := range index.Indices() {
		for m := 1; m <= 5; m++ {
			for order := 1; order <= x.MaxOrder(m); order++ {
				table := gametest.Random(m, rng)
				sum := 0.0
				for s, v := range byCoalition(x, order)(table, m) {
					if s != 0 {
						sum += v
					}
				}
				if adds := math.Abs(sum-(table[len(table)-1]-table[0])) < 1e-10; adds != x.EfficientAt(m, order) {
					t.Errorf("%s of order %d for %d players: values add up: %v, EfficientAt says %v", x, order, m, adds, !adds)
				}
			}
		}
	}
}

func TestManyGames(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	tables, err := game.NewTables(4, gametest.Random(10, rng)) // 64 games
	if err != nil {
		t.Fatal(err)
	}
	transforms := make([]float64, len(tables.Values()))
	index.TransformTo(transforms, tables)
	for _, x := range index.Indices() {
		f := newFormula(t, x, min(3, x.MaxOrder(4)), 4)
		dst, scratch := make([]float64, 64*f.Len()), f.Scratch()
		f.AllTo(dst, transforms, scratch)
		one := make([]float64, f.Len())
		f.To(one, moebius(tables.Game(17)), scratch)
		for i, want := range one {
			if got := dst[17*f.Len()+i]; got != want {
				t.Errorf("%s: game 17, position %d: want %v, got %v", x, i, want, got)
			}
		}
	}
	// In place, the tables are the transforms.
	index.TransformTo(tables.Values(), tables)
	for i, want := range transforms {
		if got := tables.Values()[i]; got != want {
			t.Fatalf("position %d: want %v, got %v", i, want, got)
		}
	}
}

func TestFormulasAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, m := range []int{2, 4, 6} {
		tables, err := game.NewTables(m, gametest.Random(10, rng))
		if err != nil {
			t.Fatal(err)
		}
		transforms := make([]float64, len(tables.Values()))
		if n := testing.AllocsPerRun(10, func() { index.TransformTo(transforms, tables) }); n != 0 {
			t.Errorf("TransformTo: %v allocations, want 0", n)
		}
		for _, x := range index.Indices() {
			for order := 1; order <= x.MaxOrder(m); order++ {
				f := newFormula(t, x, order, m)
				dst, scratch, shares := make([]float64, tables.Len()*f.Len()), f.Scratch(), make([]float64, order)
				if n := testing.AllocsPerRun(10, func() { f.AllTo(dst, transforms, scratch) }); n != 0 {
					t.Errorf("%s of order %d: AllTo: %v allocations, want 0", x, order, n)
				}
				if n := testing.AllocsPerRun(10, func() { f.To(dst[:f.Len()], transforms[:1<<m], scratch) }); n != 0 {
					t.Errorf("%s of order %d: To: %v allocations, want 0", x, order, n)
				}
				if n := testing.AllocsPerRun(10, func() { f.SharesTo(shares, dst[:f.Len()]) }); n != 0 {
					t.Errorf("%s of order %d: SharesTo: %v allocations, want 0", x, order, n)
				}
			}
		}
	}
}

func TestFormulasPanic(t *testing.T) {
	f := newFormula(t, index.KSII, 2, 3)
	tables, err := game.NewTables(3, make([]float64, 8))
	if err != nil {
		t.Fatal(err)
	}
	// All coalitions in another order: as many values as whole tables have.
	partial, err := game.NewPartialTables(2, []game.Coalition{0, 2, 1, 3}, make([]float64, 4))
	if err != nil {
		t.Fatal(err)
	}
	floats := func(n int) []float64 { return make([]float64, n) }
	for name, call := range map[string]func(){
		"To dst":       func() { f.To(floats(6), floats(8), floats(8)) },
		"To moebius":   func() { f.To(floats(7), floats(4), floats(8)) },
		"To scratch":   func() { f.To(floats(7), floats(8), floats(7)) },
		"AllTo":        func() { f.AllTo(floats(7), floats(16), floats(8)) },
		"AllTo half":   func() { f.AllTo(floats(7), floats(12), floats(8)) },
		"TransformTo":  func() { index.TransformTo(floats(4), tables) },
		"partial":      func() { index.TransformTo(floats(4), partial) },
		"partial phi":  func() { index.PairMatricesTo(floats(4), partial, floats(4)) },
		"SharesTo":     func() { f.SharesTo(floats(1), floats(7)) },
		"Spectrum":     func() { f.Spectrum(floats(9)) },
		"unknown card": func() { index.Index(77).Card() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func TestNames(t *testing.T) {
	want := "SV BV SII BII k-SII STII FSII FBII Moebius"
	if got := strings.Join(index.Names(), " "); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	for i, x := range index.Indices() {
		card := index.Cards()[i]
		if card.Index != x || x.Card() != card || x.String() != card.Name || card.Title == "" || card.Source == "" || card.Generalises == "" || card.MaxPlayers != game.MaxPlayers {
			t.Errorf("card %d is %+v, of %s", i, card, x)
		}
		raw, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		var back index.Index
		if err := json.Unmarshal(raw, &back); err != nil || back != x {
			t.Errorf("%s comes back from %s as %s: %v", x, raw, back, err)
		}
	}
	for _, name := range []string{"", "ksii", "sv", "Möbius"} {
		if _, err := index.Parse(name); err == nil || !strings.Contains(err.Error(), "want SV, BV, SII, BII, k-SII") {
			t.Errorf("Parse(%q): %v", name, err)
		}
	}
	if _, err := json.Marshal(index.Index(0)); err == nil {
		t.Error("an index that is none was written")
	}
	if got := index.Index(0).String(); got != "Index(0)" {
		t.Errorf("got %s", got)
	}
}

// The page has a row for each index.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile("../docs/indices.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range index.Cards() {
		efficient := "no"
		if c.Efficient {
			efficient = "yes"
		}
		for _, want := range []string{
			fmt.Sprintf("| `%s` | %s | %s | %s |", c.Name, c.Title, c.Generalises, efficient),
			c.Source, c.Cost,
		} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("docs/indices.md: %s: %q is missing", c.Name, want)
			}
		}
	}
}

// A null player has exactly nothing where the kernel works in blocks, too.
func TestNullPlayerOfManyPlayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for _, player := range []int{0, 3, 4, 8} {
		random := gametest.Random(9, rng)
		table := gametest.Table(9, func(s game.Coalition) float64 { return random[s.Without(player)] })
		for _, x := range index.Indices() {
			for s, v := range byCoalition(x, min(3, x.MaxOrder(9)))(table, 9) {
				if s.Has(player) && v != 0 {
					t.Errorf("%s: player %d changes nothing, but %s has %v", x, player, s, v)
				}
			}
		}
	}
}
