package synth_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/intershap/intershap/synth"
)

// uniform lists all patterns of m modalities of one bit, each once.
func uniform(m int) []synth.Pattern {
	var out []synth.Pattern
	for pattern := range 1 << m {
		p := synth.Pattern{Count: 1}
		for i := range m {
			p.Bits = append(p.Bits, []float32{float32(pattern >> i & 1)})
		}
		out = append(out, p)
	}
	return out
}

// of makes a rule of single bits from one of the number of ones.
func of(label func(ones, m int) bool) rule {
	return func(bits [][]float32) int64 {
		ones := 0
		for _, b := range bits {
			ones += int(b[0])
		}
		if label(ones, len(bits)) {
			return 1
		}
		return 0
	}
}

var (
	first      rule = func(bits [][]float32) int64 { return int64(bits[0][0]) }
	and             = of(func(ones, m int) bool { return ones == m })
	or              = of(func(ones, _ int) bool { return ones > 0 })
	exactlyOne      = of(func(ones, _ int) bool { return ones == 1 })
)

// redundantBits are two modalities that always say the same.
var redundantBits = []synth.Pattern{
	{Bits: [][]float32{{0}, {0}}, Count: 1},
	{Bits: [][]float32{{1}, {1}}, Count: 1},
}

// data returns the population and the labelling function of HD-XOR.
func data(t *testing.T, o synth.HDXOROptions) ([]synth.Pattern, rule) {
	t.Helper()
	population, err := o.Population()
	if err != nil {
		t.Fatal(err)
	}
	baseline, err := o.Baseline()
	if err != nil {
		t.Fatal(err)
	}
	return population, baseline.Label
}

// TestKnownAnswers holds the clean bits against rational numbers. Where they come
// from: v(S) of a sample is the share of background patterns with which its answer
// stays, e.g. for XOR of two fair bits v = (1/2, 1/2, 1/2, 1): nothing alone, so
// that phi_11 = 0 and phi_12 = 1/2·(1 − 1/2 − 1/2 + 1/2) = 1/4. For AND: the sample
// (1,1) has v = (1/4, 1/2, 1/2, 1), others the complement, with means 1/8 and 1/16.
// Parity of m bits: v(S) = 1/2 but for v(all) = 1, so that the pair's weight is
// that of S = all but i and j, (m−2)!·0!/(2(m−1)!)·1/2 = 1/(4(m−1)), the whole
// matrix sums to 1/2, and the score is M/(2M−2). The others are enumerated, and
// derived() does so in rational numbers by the definitions.
func TestKnownAnswers(t *testing.T) {
	hdxor := func(m int, s synth.Setting, l synth.Labelling) func(*testing.T) ([]synth.Pattern, rule) {
		return func(t *testing.T) ([]synth.Pattern, rule) {
			return data(t, synth.HDXOROptions{Setting: s, Modalities: m, Labelling: l})
		}
	}
	bits := func(population []synth.Pattern, f rule) func(*testing.T) ([]synth.Pattern, rule) {
		return func(*testing.T) ([]synth.Pattern, rule) { return population, f }
	}
	for _, c := range []struct {
		name, reason string
		data         func(*testing.T) ([]synth.Pattern, rule)
		want         answer[string]
	}{
		{"first bit", "a model of one modality has no interaction", bits(uniform(2), first), answer[string]{"0", "0", "0", "1/2", "0"}},
		{"AND", "a third is interaction", bits(uniform(2), and), answer[string]{"1/3", "1/3", "1/3", "1/8", "1/16"}},
		{"OR", "AND with both labels exchanged", bits(uniform(2), or), answer[string]{"1/3", "1/3", "1/3", "1/8", "1/16"}},
		{"redundant AND", "means cancel over samples, local scores do not", bits(redundantBits, and), answer[string]{"0", "2/3", "1/2", "1/4", "0"}},
		{"redundant OR", "the same with both labels exchanged", bits(redundantBits, or), answer[string]{"0", "2/3", "1/2", "1/4", "0"}},

		{"XOR", "interaction alone", hdxor(2, synth.Synergy, synth.ExactlyOne), answer[string]{"1", "1", "1", "0", "1/4"}},
		{"parity 2", "of two bits both labellings are XOR", hdxor(2, synth.Synergy, synth.Parity), answer[string]{"1", "1", "1", "0", "1/4"}},
		{"parity 3", "M/(2M-2)", hdxor(3, synth.Synergy, synth.Parity), answer[string]{"3/4", "3/4", "3/4", "-1/12", "1/8"}},
		{"parity 4", "M/(2M-2)", hdxor(4, synth.Synergy, synth.Parity), answer[string]{"2/3", "2/3", "2/3", "-1/8", "1/12"}},
		{"parity 5", "M/(2M-2)", hdxor(5, synth.Synergy, synth.Parity), answer[string]{"5/8", "5/8", "5/8", "-3/20", "1/16"}},
		{"exactly-one 3, fair bits", "every pattern once", bits(uniform(3), exactlyOne), answer[string]{"11/12", "75/128", "3/5", "-1/64", "11/128"}},
		{"exactly-one 4, fair bits", "every pattern once", bits(uniform(4), exactlyOne), answer[string]{"7/8", "391/720", "5/9", "-1/64", "7/192"}},
		{"exactly-one 5, fair bits", "every pattern once", bits(uniform(5), exactlyOne), answer[string]{"71/88", "255271/443520", "35/59", "-17/1024", "71/4096"}},
		{"exactly-one 3", "balanced classes", hdxor(3, synth.Synergy, synth.ExactlyOne), answer[string]{"163/176", "26659/44880", "92/151", "-13/900", "163/1800"}},
		{"exactly-one 4", "balanced classes", hdxor(4, synth.Synergy, synth.ExactlyOne), answer[string]{"19/20", "18055/35112", "55/103", "-1/144", "19/432"}},
		{"exactly-one 5", "balanced classes", hdxor(5, synth.Synergy, synth.ExactlyOne), answer[string]{"823/836", "40180944803401/80234888027580", "6811/13137", "-13/8100", "823/32400"}},

		{"uniqueness-1", "one modality alone", hdxor(2, synth.Uniqueness(1), synth.ExactlyOne), answer[string]{"0", "0", "0", "1/2", "0"}},
		{"uniqueness-3", "one modality alone", hdxor(3, synth.Uniqueness(3), synth.Parity), answer[string]{"0", "0", "0", "0", "0"}},
		{"redundancy 2", "the baseline of any", hdxor(2, synth.Redundancy, synth.ExactlyOne), answer[string]{"1/2", "5/6", "2/3", "1/8", "1/8"}},
		{"redundancy 3", "the baseline of any", hdxor(3, synth.Redundancy, synth.ExactlyOne), answer[string]{"3/4", "21/32", "3/5", "1/24", "1/16"}},
		{"redundancy 4", "the baseline of any", hdxor(4, synth.Redundancy, synth.ExactlyOne), answer[string]{"1", "3/5", "4/7", "0", "1/24"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			population, f := c.data(t)
			got, exact := computed(t, population, f), derived(population, f)
			for _, fault := range differences(c.want, exact, got) {
				t.Errorf("%s: %s", c.reason, fault)
			}
		})
	}
}

// differences says where the answers differ: the exact ones from what is wanted
// at all, the computed ones from the exact ones by more than 1e-12.
func differences(want answer[string], exact answer[*big.Rat], got answer[float64]) []string {
	var faults []string
	for _, c := range []struct {
		name, want string
		exact      *big.Rat
		got        float64
	}{
		{"global", want.global, exact.global, got.global},
		{"local", want.local, exact.local, got.local},
		{"mean absolute", want.meanAbsolute, exact.meanAbsolute, got.meanAbsolute},
		{"phi_11", want.phi11, exact.phi11, got.phi11},
		{"phi_12", want.phi12, exact.phi12, got.phi12},
	} {
		if text := c.exact.RatString(); text != c.want {
			faults = append(faults, fmt.Sprintf("%s: want %s, derived %s", c.name, c.want, text))
		}
		if x, _ := c.exact.Float64(); !(math.Abs(c.got-x) <= 1e-12) {
			faults = append(faults, fmt.Sprintf("%s: want %s = %v, computed %v", c.name, c.want, x, c.got))
		}
	}
	return faults
}

// A wrong number anywhere is seen.
func TestDifferencesSeesWrongNumbers(t *testing.T) {
	exact := func() answer[*big.Rat] {
		third := big.NewRat(1, 3)
		return answer[*big.Rat]{third, third, third, third, third}
	}
	want := answer[string]{"1/3", "1/3", "1/3", "1/3", "1/3"}
	third := 1.0 / 3
	got := answer[float64]{third, third, third, third, third}
	if faults := differences(want, exact(), got); len(faults) > 0 {
		t.Errorf("equal answers differ: %v", faults)
	}
	for name, spoil := range map[string]func(*answer[string], *answer[*big.Rat], *answer[float64]){
		"wanted":          func(w *answer[string], _ *answer[*big.Rat], _ *answer[float64]) { w.phi12 = "1/4" },
		"derived":         func(_ *answer[string], e *answer[*big.Rat], _ *answer[float64]) { e.local = big.NewRat(1, 4) },
		"computed":        func(_ *answer[string], _ *answer[*big.Rat], g *answer[float64]) { g.global += 2e-12 },
		"computed below":  func(_ *answer[string], _ *answer[*big.Rat], g *answer[float64]) { g.meanAbsolute -= 2e-12 },
		"not a number":    func(_ *answer[string], _ *answer[*big.Rat], g *answer[float64]) { g.phi11 = math.NaN() },
		"wanted in vain":  func(w *answer[string], _ *answer[*big.Rat], _ *answer[float64]) { w.global = "0.3333" },
		"wanted the sign": func(w *answer[string], _ *answer[*big.Rat], _ *answer[float64]) { w.phi11 = "-1/3" },
	} {
		w, e, g := want, exact(), got
		spoil(&w, &e, &g)
		if len(differences(w, e, g)) == 0 {
			t.Errorf("%s: a wrong number was not seen", name)
		}
	}
}

// The score of parity falls as M/(2M−2), here far beyond the paper's sizes.
func TestParityOfMany(t *testing.T) {
	const m = 8
	population, f := data(t, synth.HDXOROptions{Setting: synth.Synergy, Modalities: m, Labelling: synth.Parity})
	if got, want := computed(t, population, f).global, float64(m)/(2*m-2); math.Abs(got-want) > 1e-12 {
		t.Errorf("want %v, got %v", want, got)
	}
}
