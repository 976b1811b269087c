package synth

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/intershap/intershap/tensor"
)

func hdxorSet(t testing.TB, o HDXOROptions) *Set {
	t.Helper()
	set, err := HDXOR(o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Sizes are those of the paper's two to five modalities, and go on in order.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		v    Variant
		m    int
		want []int
	}{
		{Appendix, 2, []int{110, 90}},
		{Appendix, 3, []int{110, 90, 100}},
		{Appendix, 4, []int{110, 90, 100, 110}},
		{Appendix, 5, []int{110, 90, 100, 110, 90}},
		{Appendix, 7, []int{110, 90, 100, 110, 90, 100, 110}},
		{Code, 2, []int{200, 100}},
		{Code, 3, []int{200, 100, 150}},
		{Code, 4, []int{200, 100, 150, 100}},
		{Code, 5, []int{200, 100, 150, 100, 150}},
		{Code, 7, []int{200, 100, 150, 100, 150, 100, 150}},
	} {
		if got := c.v.sizes(c.m); !slices.Equal(got, c.want) {
			t.Errorf("%v, %d modalities: want %v, got %v", c.v, c.m, c.want, got)
		}
	}
}

func TestProjectionEntries(t *testing.T) {
	p := newProjection(newStream(1, forProjections), 300, latent, -0.5, 0.5)
	sum, squares := 0.0, 0.0
	n := float64(len(p.weights))
	for _, w := range p.weights {
		if !(w > -0.5 && w < 0.5) {
			t.Fatalf("want entries inside (-0.5, 0.5), got %v", w)
		}
		sum += w / n
		squares += w * w / n
	}
	within(t, "mean", 0, sum, 5*math.Sqrt(1.0/12/n))
	within(t, "second moment", 1.0/12, squares, 5*math.Sqrt((1.0/80-1.0/144)/n)) // E w⁴ = 1/80
}

// The product is the one that the definition gives, for sizes with and without a
// rest of four rows.
func TestProjectionProduct(t *testing.T) {
	s := newStream(1, forProjections)
	for size := range 10 {
		p := newProjection(s, size, 7, -0.5, 0.5)
		x := make([]float64, 7)
		s.normalsTo(x, 0, 1)
		got := make([]float32, size)
		p.to(got, x)
		for r := range size {
			want := 0.0
			for k, v := range x {
				want += p.weights[r*7+k] * v
			}
			within(t, fmt.Sprintf("row %d of %d", r, size), want, float64(got[r]), 1e-6)
		}
	}
}

// What entries are drawn from: mean and standard deviation of the vectors of each
// setting, by the bit that they hide, to five standard errors.
func TestVectors(t *testing.T) {
	const rounds = 200 // of 100 entries
	type part struct{ mean, sd float64 }
	for _, c := range []struct {
		setting  Setting
		variant  Variant
		modality int
		bits     []uint8
		want     [2]part // of the halves
	}{
		{Synergy, Appendix, 0, []uint8{1, 0, 0}, [2]part{{0.35, 1}, {0.35, 1}}},
		{Synergy, Appendix, 1, []uint8{1, 0, 0}, [2]part{{-0.35, 1}, {-0.35, 1}}},
		{Synergy, Code, 2, []uint8{0, 0, 1}, [2]part{{0.35, 2}, {0.35, 2}}},
		{Uniqueness(2), Appendix, 1, []uint8{0, 1}, [2]part{{-0.35, 1}, {0.35, 1}}},
		{Uniqueness(2), Code, 1, []uint8{1, 0}, [2]part{{0.35, 1}, {-0.35, 1}}},
		{Uniqueness(2), Appendix, 0, []uint8{1, 1}, [2]part{{0, 1}, {0, 1}}},
		{Uniqueness(2), Code, 2, []uint8{1, 1}, [2]part{{0, 1}, {0, 1}}},
		{Redundancy, Appendix, 0, []uint8{1, 0}, [2]part{{0.25, 1}, {-0.25, 1}}},
		{Redundancy, Code, 0, []uint8{0, 1}, [2]part{{-0.25, 1}, {0.25, 1}}},
		{Random, Appendix, 0, nil, [2]part{{0.5, 1}, {0.5, 1}}},
		{Random, Code, 0, nil, [2]part{{0.5, 1}, {0.5, 1}}},
	} {
		h := &hdxor{o: HDXOROptions{Setting: c.setting, Variant: c.variant, Modalities: 3}, bits: [][]uint8{c.bits}}
		s := newStream(1, forEntries)
		z := make([]float64, latent)
		var sum, squares [2]float64
		const n = rounds * latent / 2
		for range rounds {
			h.drawVector(z, s, 0, c.modality)
			for k, v := range z {
				half := 2 * k / latent
				sum[half] += v / n
				squares[half] += (v - c.want[half].mean) * (v - c.want[half].mean) / n
			}
		}
		for half, want := range c.want {
			what := fmt.Sprintf("%s, %v, modality %d, bits %v, half %d", c.setting, c.variant, c.modality, c.bits, half)
			within(t, what+", mean", want.mean, sum[half], 5*want.sd/math.Sqrt(n))
			within(t, what+", variance", want.sd*want.sd, squares[half], 5*want.sd*want.sd*math.Sqrt(2.0/n))
		}
	}
}

// The modalities of the files are the projected vectors: given the bit, element r
// of modality m has the mean ±0.35·Σ_k P_rk and the variance sd²·Σ_k P_rk², to six
// standard errors (400 numbers are looked at). All of it goes through the splits, so
// that a sample with another's label or bits would be seen.
func TestModalitiesHideTheBits(t *testing.T) {
	for _, v := range []Variant{Appendix, Code} {
		o := HDXOROptions{Setting: Synergy, Samples: 4000, Variant: v, Seed: 3}
		set := hdxorSet(t, o)
		s := newStream(o.Seed, forProjections)
		for m, size := range set.Sizes {
			p := newProjection(s, size, latent, -0.5, 0.5)
			for r := range size {
				row := p.weights[r*latent : (r+1)*latent]
				sum, squares := 0.0, 0.0
				for _, w := range row {
					sum += w
					squares += w * w
				}
				sd := v.synergySD() * math.Sqrt(squares)
				var n, mean, square [2]float64
				for _, split := range set.Splits() {
					bits := tensor.Values[float32](split.Bits[m])
					x := tensor.Values[float32](split.Modalities[m])
					for i, bit := range bits {
						b := int(bit)
						d := float64(x[i*size+r]) - float64(2*bit-1)*location*sum
						n[b]++
						mean[b] += d
						square[b] += d * d
					}
				}
				for b := range 2 {
					what := fmt.Sprintf("%v, modality %d, element %d, bit %d", v, m, r, b)
					within(t, what+", mean less what is wanted", 0, mean[b]/n[b], 6*sd/math.Sqrt(n[b]))
					within(t, what+", variance", sd*sd, square[b]/n[b], 6*sd*sd*math.Sqrt(2/n[b]))
				}
			}
		}
	}
}

// Redundant modalities project one vector, others have vectors of their own: the
// covariance of the first elements is Σ_k P_0k·Q_0k, or 0.
func TestSharedVectors(t *testing.T) {
	for _, c := range []struct {
		setting Setting
		shared  bool
	}{{Redundancy, true}, {Random, true}, {Uniqueness(1), false}} {
		o := HDXOROptions{Setting: c.setting, Samples: 20_000, Seed: 1}
		set := hdxorSet(t, o)
		s := newStream(o.Seed, forProjections)
		p := newProjection(s, set.Sizes[0], latent, -0.5, 0.5).weights[:latent]
		q := newProjection(s, set.Sizes[1], latent, -0.5, 0.5).weights[:latent]
		x, y := set.column(0, 0), set.column(1, 0)
		var mx, my, cov, vx, vy float64
		n := float64(len(x))
		for i := range x {
			mx += x[i] / n
			my += y[i] / n
		}
		for i := range x {
			cov += (x[i] - mx) * (y[i] - my) / n
			vx += (x[i] - mx) * (x[i] - mx) / n
			vy += (y[i] - my) * (y[i] - my) / n
		}
		want := 0.0
		if c.shared {
			// Var z is 1, and the variance of where the entries of a half lie adds
			// 0.25²·(sums over the half): see below.
			for k := range p {
				want += p[k] * q[k]
			}
			if c.setting == Redundancy {
				for half := range 2 {
					sp, sq := 0.0, 0.0
					for k := half * latent / 2; k < (half+1)*latent/2; k++ {
						sp += p[k]
						sq += q[k]
					}
					want += locationRedundant * locationRedundant * sp * sq
				}
			}
		}
		within(t, string(c.setting)+": covariance", want, cov, 6*math.Sqrt((vx*vy+want*want)/n))
	}
}

// column returns one element of a modality of all samples, in the order of ids.
func (s *Set) column(modality, element int) []float64 {
	var out []float64
	for i := range s.places {
		out = append(out, float64(s.input(i, modality)[element]))
	}
	return out
}

// The bits of samples are frequent as the population says (Pearson's statistic
// with k degrees of freedom stays below k + 5·√(2k)), their label is that of
// the baseline, and balanced classes are balanced exactly.
func TestBits(t *testing.T) {
	for _, l := range []Labelling{ExactlyOne, Parity} {
		for _, m := range []int{2, 3, 6} {
			for _, setting := range []Setting{Synergy, Redundancy, Uniqueness(m)} {
				o := HDXOROptions{Setting: setting, Modalities: m, Samples: 3001, Labelling: l, Seed: 7}
				t.Run(fmt.Sprintf("%s/%v/M=%d", setting, l, m), func(t *testing.T) { checkBits(t, o) })
			}
		}
	}
}

func checkBits(t *testing.T, o HDXOROptions) {
	set := hdxorSet(t, o)
	unique, isUnique := o.Setting.unique()
	counts := map[string]int{}
	classes := [2]int{}
	for _, split := range set.Splits() {
		for i, label := range split.Labels {
			var bits [][]float32
			for _, b := range split.Bits {
				bits = append(bits, tensor.Values[float32](b.Slice(i, i+1)))
			}
			if got := set.Baseline.Label(bits); got != label {
				t.Fatalf("bits %v: want the label %d, got %d", bits, label, got)
			}
			if isUnique {
				for m := range bits {
					if m != unique {
						bits[m] = []float32{0, 0} // as in the population
					}
				}
			}
			counts[fmt.Sprint(bits)]++
			classes[label]++
		}
	}
	n := classes[0] + classes[1]
	if n != o.Samples {
		t.Fatalf("want %d samples, got %d", o.Samples, n)
	}
	if o.Setting == Synergy && o.Modalities > 2 {
		if want := [2]int{n - n/2, n / 2}; classes != want {
			t.Errorf("want balanced classes %v, got %v", want, classes)
		}
	} else {
		within(t, "share of the label 1", 0.5, float64(classes[1])/float64(n), 5*0.5/math.Sqrt(float64(n)))
	}
	population, err := o.Population()
	if err != nil {
		t.Fatal(err)
	}
	all, chi := 0, 0.0
	for _, p := range population {
		all += p.Count
	}
	for _, p := range population {
		key := fmt.Sprint(p.Bits)
		want := float64(n) * float64(p.Count) / float64(all)
		chi += (float64(counts[key]) - want) * (float64(counts[key]) - want) / want
		delete(counts, key)
	}
	if len(counts) > 0 {
		t.Errorf("want patterns of the population alone, got %v too", counts)
	}
	k := float64(len(population) - 1)
	if !(chi < k+5*math.Sqrt(2*k)) {
		t.Errorf("want Pearson's statistic below %.1f, got %.1f", k+5*math.Sqrt(2*k), chi)
	}
}

// Bits that have no say are fair all the same, and independent of the label.
func TestIdleBits(t *testing.T) {
	set := hdxorSet(t, HDXOROptions{Setting: Uniqueness(1), Modalities: 3, Samples: 20_000, Seed: 1})
	split := set.Train
	for _, bits := range split.Bits[1:] {
		n := [2][2]float64{}
		for i, b := range tensor.Values[float32](bits) {
			n[split.Labels[i/2]][int(b)]++
		}
		for label := range 2 {
			both := n[label][0] + n[label][1]
			within(t, fmt.Sprintf("share of ones at label %d", label), 0.5, n[label][1]/both, 5*0.5/math.Sqrt(both))
		}
	}
}

// In the setting random labels are fair and the modalities know nothing of them.
func TestRandomLabels(t *testing.T) {
	set := hdxorSet(t, HDXOROptions{Setting: Random, Samples: 20_000, Seed: 1})
	if set.Baseline != nil || set.Test.Bits != nil {
		t.Error("want neither bits nor a baseline")
	}
	n := [2]float64{}
	for _, split := range set.Splits() {
		c := split.Classes()
		n[0] += float64(c[0])
		n[1] += float64(c[1])
	}
	within(t, "share of the label 1", 0.5, n[1]/(n[0]+n[1]), 5*0.5/math.Sqrt(n[0]+n[1]))
}
