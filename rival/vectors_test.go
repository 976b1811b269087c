package rival

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

// phiOf returns the matrices of n random games over m modalities.
func phiOf(t testing.TB, tables []float64, m int) []float64 {
	t.Helper()
	games, err := game.NewTables(m, tables)
	if err != nil {
		t.Fatal(err)
	}
	phi := make([]float64, games.Len()*m*m)
	index.PairMatricesTo(phi, games, make([]float64, 1<<m))
	return phi
}

func randomTables(m, n int, seed uint64) []float64 {
	rng := seeded(seed)
	var out []float64
	for range n {
		out = append(out, gametest.Random(m, rng)...)
	}
	return out
}

func additiveTables(m, n int, seed uint64) []float64 {
	rng := seeded(seed)
	var out []float64
	for range n {
		part := make([]float64, m)
		for i := range part {
			part[i] = rng.NormFloat64()
		}
		out = append(out, gametest.Table(m, func(s game.Coalition) float64 {
			v := 0.25
			for i, p := range part {
				if s.Has(i) {
					v += p
				}
			}
			return v
		})...)
	}
	return out
}

func sri(t testing.TB, phi []float64, m int) []SRI {
	t.Helper()
	out, err := NewSRI(phi, m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func nearParts(t testing.TB, what string, got SRIParts, synergy, redundancy, independence, within float64) {
	t.Helper()
	nearShare(t, what+": synergy", got.Synergy, synergy, within)
	nearShare(t, what+": redundancy", got.Redundancy, redundancy, within)
	nearShare(t, what+": independence", got.Independence, independence, within)
}

// two returns matrices of two modalities from their main effects and half their
// interaction, sample by sample.
func two(mains1, mains2, half []float64) []float64 {
	var phi []float64
	for k := range half {
		phi = append(phi, mains1[k], half[k], half[k], mains2[k])
	}
	return phi
}

// Vectors made so that the shares can be read off. p_i is main effect plus half.
func TestSRIOfConstructedVectors(t *testing.T) {
	for _, c := range []struct {
		name                 string
		mains1, mains2, half []float64
		of1, of2             [3]float64 // synergy, redundancy, independence
	}{
		{"interaction alone", []float64{0, 0}, []float64{0, 0}, []float64{1, -2}, [3]float64{1, 0, 0}, [3]float64{1, 0, 0}},
		{"same main effects", []float64{1, 2}, []float64{1, 2}, []float64{0, 0}, [3]float64{0, 1, 0}, [3]float64{0, 1, 0}},
		{"opposite main effects", []float64{1, 2}, []float64{-2, -4}, []float64{0, 0}, [3]float64{0, 1, 0}, [3]float64{0, 1, 0}},
		{"orthogonal main effects", []float64{1, 0}, []float64{0, 3}, []float64{0, 0}, [3]float64{0, 0, 1}, [3]float64{0, 0, 1}},
		// p1 = (3,4,0) and p2 = (0,4,0) are orthogonal to half, (0,0,1), so that all of
		// them is autonomy; the cosine² between them, 16/25, is redundant in both.
		{"across", []float64{3, 4, -1}, []float64{0, 4, -1}, []float64{0, 0, 1}, [3]float64{0, 16. / 25, 9. / 25}, [3]float64{0, 16. / 25, 9. / 25}},
		// p1 = (1,1,0), half (1,0,0): synergy 1/2; autonomy (0,1,0). p2 = (1,0,1):
		// autonomy (0,0,1), orthogonal to the other.
		{"half each", []float64{0, 1, 0}, []float64{0, 0, 1}, []float64{1, 0, 0}, [3]float64{.5, 0, .5}, [3]float64{.5, 0, .5}},
		// As before with p2 = (1,2,2): autonomies (0,1,0) and (0,2,2), cosine² 1/2.
		{"all three", []float64{0, 1, 0}, []float64{0, 2, 2}, []float64{1, 0, 0}, [3]float64{.5, .25, .25}, [3]float64{1. / 9, 4. / 9, 4. / 9}},
	} {
		got := sri(t, two(c.mains1, c.mains2, c.half), 2)[0]
		nearParts(t, c.name+", first", got.OfI, c.of1[0], c.of1[1], c.of1[2], 1e-14)
		nearParts(t, c.name+", second", got.OfJ, c.of2[0], c.of2[1], c.of2[2], 1e-14)
	}
	// Both is weighted: |p1|² = 2, |p2|² = 9 in the last case.
	both := sri(t, two([]float64{0, 1, 0}, []float64{0, 2, 2}, []float64{1, 0, 0}), 2)[0].Both
	nearParts(t, "both", both, 2./11, (0.5+4)/11, (0.5+4)/11, 1e-14)
}

// Against the definition, projection by projection, on random games.
func TestSRIByDefinition(t *testing.T) {
	for seed := range uint64(20) {
		for m := 2; m <= 4; m++ {
			const n = 9
			phi := phiOf(t, randomTables(m, n, seed), m)
			vector := func(at func(k int) float64) []float64 {
				v := make([]float64, n)
				for k := range v {
					v[k] = at(k)
				}
				return v
			}
			p := func(i int) []float64 {
				return vector(func(k int) float64 {
					sum := 0.0
					for j := range m {
						sum += phi[k*m*m+i*m+j]
					}
					return sum
				})
			}
			dot := func(a, b []float64) float64 {
				sum := 0.0
				for k := range a {
					sum += a[k] * b[k]
				}
				return sum
			}
			onto := func(a, b []float64) []float64 {
				return vector(func(k int) float64 { return dot(a, b) / dot(b, b) * b[k] })
			}
			less := func(a, b []float64) []float64 { return vector(func(k int) float64 { return a[k] - b[k] }) }
			for _, s := range sri(t, phi, m) {
				pij := vector(func(k int) float64 { return phi[k*m*m+s.I*m+s.J] })
				for _, side := range []struct {
					i, j int
					got  SRIParts
				}{{s.I, s.J, s.OfI}, {s.J, s.I, s.OfJ}} {
					pi, pj := p(side.i), p(side.j)
					sij := onto(pi, pij)
					aij, aji := less(pi, sij), less(pj, onto(pj, pij))
					rij := onto(aij, aji)
					iij := less(aij, rij)
					norm := dot(pi, pi)
					nearParts(t, fmt.Sprintf("seed %d, m=%d, %d with %d", seed, m, side.i, side.j), side.got,
						dot(sij, sij)/norm, dot(rij, rij)/norm, dot(iij, iij)/norm, 1e-11)
					nearShare(t, "sum", side.got.Independence, 1-side.got.Synergy.Or(9)-side.got.Redundancy.Or(9), 1e-14)
				}
			}
		}
	}
}

func TestSRIOfAdditiveModels(t *testing.T) {
	for m := 2; m <= 5; m++ {
		for _, s := range sri(t, phiOf(t, additiveTables(m, 20, 1), m), m) {
			nearShare(t, "synergy", s.OfI.Synergy, 0, 0)
			nearShare(t, "synergy", s.Both.Synergy, 0, 0)
		}
	}
	// Interactions of a millionth, as single precision leaves them, are none; without
	// the rule they would be in step with the effects and count in full.
	got := sri(t, two([]float64{1, 2}, []float64{2, -1}, []float64{1e-7, 2e-7}), 2)[0]
	nearShare(t, "faint interaction", got.OfI.Synergy, 0, 0)
	got = sri(t, two([]float64{1, 2}, []float64{2, -1}, []float64{1e-3, 2e-3}), 2)[0]
	nearShare(t, "interaction in step", got.OfI.Synergy, 1, 1e-12)
}

func TestSRIOfZeroVectors(t *testing.T) {
	zero := []float64{0, 0}
	got := sri(t, two(zero, zero, zero), 2)[0]
	for _, s := range []SRIParts{got.OfI, got.OfJ, got.Both} {
		undefined(t, "synergy of nothing", s.Synergy)
		undefined(t, "redundancy of nothing", s.Redundancy)
		undefined(t, "independence of nothing", s.Independence)
	}
	got = sri(t, two([]float64{1, 2}, zero, zero), 2)[0]
	nearParts(t, "beside nothing", got.OfI, 0, 0, 1, 0)
	undefined(t, "synergy of nothing", got.OfJ.Synergy)
	nearParts(t, "both", got.Both, 0, 0, 1, 0)
}

// Names of modalities do not matter.
func TestSRIIsSymmetric(t *testing.T) {
	rng := seeded(3)
	var phi, swapped []float64
	for range 10 {
		a, b, h := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		phi, swapped = append(phi, a, h, h, b), append(swapped, b, h, h, a)
	}
	x, y := sri(t, phi, 2)[0], sri(t, swapped, 2)[0]
	nearParts(t, "swapped", y.OfJ, x.OfI.Synergy.Or(9), x.OfI.Redundancy.Or(9), x.OfI.Independence.Or(9), 1e-14)
	nearParts(t, "both", y.Both, x.Both.Synergy.Or(9), x.Both.Redundancy.Or(9), x.Both.Independence.Or(9), 1e-14)
}

func TestVectorsRefuse(t *testing.T) {
	for _, c := range []struct {
		phi  []float64
		m    int
		want string
	}{
		{nil, 2, "got 0 numbers for 2 modalities"},
		{[]float64{1}, 1, "at least 2 modalities"},
		{[]float64{1, 2, 3}, 2, "got 3 numbers"},
		{[]float64{1, 2, 2, math.NaN()}, 2, "sample 0, cell (1,1): want a finite number, got NaN"},
		{[]float64{1, 2, 2, 1, math.Inf(1), 0, 0, 0}, 2, "sample 1, cell (0,0)"},
	} {
		if _, err := NewSRI(c.phi, c.m); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "sri") {
			t.Errorf("sri: got error %v, want one that says %q", err, c.want)
		}
		if _, err := NewModalityShares(c.phi, c.m); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "share") {
			t.Errorf("share: got error %v, want one that says %q", err, c.want)
		}
	}
	if _, err := NewSRI([]float64{1, 2, 3, 4}, 2); err == nil || !strings.Contains(err.Error(), "want a symmetric matrix, got 2 in cell (0,1) and 3 across") {
		t.Errorf("got error %v", err)
	}
}

// Two samples: |3|,|-1| and |1|,|3|, so 3/4 and 1/4 for the first modality; a third
// without any effect is left out. sd of (3/4, 1/4) is 1/√8.
func TestModalityShares(t *testing.T) {
	got, err := NewModalityShares(two([]float64{2, 0, 0}, []float64{-2, 2, 0}, []float64{1, 1, 0}), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got.Undefined != 1 {
		t.Errorf("%d samples left out, want 1", got.Undefined)
	}
	for i := range 2 {
		nearShare(t, "share", got.Shares[i], 0.5, 1e-15)
		nearShare(t, "sd", got.SD[i], 1/math.Sqrt(8), 1e-15)
	}
	if got, err = NewModalityShares(make([]float64, 8), 2); err != nil {
		t.Fatal(err)
	}
	undefined(t, "share of nothing", got.Shares[0])
	undefined(t, "sd of nothing", got.SD[1])
	if got, err = NewModalityShares(two([]float64{3}, []float64{1}, []float64{0}), 2); err != nil {
		t.Fatal(err)
	}
	nearShare(t, "one sample", got.Shares[0], 0.75, 0)
	undefined(t, "sd of one sample", got.SD[0])
}

func TestModalitySharesSumToOne(t *testing.T) {
	for m := 2; m <= 6; m++ {
		got, err := NewModalityShares(phiOf(t, randomTables(m, 12, 5), m), m)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, s := range got.Shares {
			sum += s.Or(9)
		}
		near(t, "sum", sum, 1, 1e-14)
	}
}

// The cooking game, by hand: alone -6, -7, -8; last 15-7, 15-8, 15-9; Shapley 8/3, 5/3,
// 2/3. A second sample with all signs turned leaves mean absolute values as they are.
func TestEffects(t *testing.T) {
	v := gametest.Cooking()
	turned := make([]float64, len(v))
	for i, x := range v {
		turned[i] = -x
	}
	one, err := game.NewTables(3, v)
	if err != nil {
		t.Fatal(err)
	}
	both, err := game.NewTables(3, append(append([]float64{}, v...), turned...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewEffects(one)
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := NewEffects(both)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][3]float64{{-6, 8. / 3, 8}, {-7, 5. / 3, 7}, {-8, 2. / 3, 6}} {
		for k, c := range []struct {
			name       string
			one, mixed Effect
		}{{"alone", got.Alone[i], mixed.Alone[i]}, {"shapley", got.Shapley[i], mixed.Shapley[i]}, {"last", got.Last[i], mixed.Last[i]}} {
			near(t, c.name, c.one.Mean, want[k], 1e-13)
			near(t, c.name+" absolute", c.one.MeanAbsolute, math.Abs(want[k]), 1e-13)
			near(t, c.name+" of opposites", c.mixed.Mean, 0, 1e-13)
			near(t, c.name+" of opposites, absolute", c.mixed.MeanAbsolute, math.Abs(want[k]), 1e-13)
		}
	}
	empty, err := game.NewTables(2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEffects(empty); err == nil || !strings.Contains(err.Error(), "at least one sample") {
		t.Errorf("no sample: got error %v", err)
	}
	partial, err := game.NewPartialTables(2, []game.Coalition{0, 2, 1, 3}, make([]float64, 4))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEffects(partial); err == nil || !strings.Contains(err.Error(), "got those of 4") {
		t.Errorf("partial tables: got error %v", err)
	}
}

// In additive games the three are one number.
func TestEffectsOfAdditiveGames(t *testing.T) {
	for m := 1; m <= 6; m++ {
		games, err := game.NewTables(m, additiveTables(m, 8, 2))
		if err != nil {
			t.Fatal(err)
		}
		got, err := NewEffects(games)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m {
			near(t, "last", got.Last[i].Mean, got.Alone[i].Mean, 1e-13)
			near(t, "shapley", got.Shapley[i].Mean, got.Alone[i].Mean, 1e-13)
		}
	}
}
