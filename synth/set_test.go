package synth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// Splits have 70, 15 and 15 % of the samples to the nearest one, and of each class
// to two samples, whatever the number of either.
func TestStratify(t *testing.T) {
	for zeros := minClass; zeros < 70; zeros++ {
		for ones := minClass; ones < 70; ones++ {
			n := zeros + ones
			labels := make([]int64, n)
			for i := range ones {
				labels[i*n/ones] = 1
			}
			which, err := stratify(labels, newStream(1, forSplit))
			if err != nil {
				t.Fatal(err)
			}
			if fault := badSplit(labels, which); fault != "" {
				t.Fatalf("%d and %d samples: %s", zeros, ones, fault)
			}
		}
	}
}

func badSplit(labels []int64, which []int) string {
	var sizes [3]float64
	var classes [2]float64
	var both [3][2]float64
	for i, label := range labels {
		sizes[which[i]]++
		classes[label]++
		both[which[i]][label]++
	}
	for split, share := range [3]float64{0.7, 0.15, 0.15} {
		// The last split has what rounding the others leaves.
		most := 0.5
		if split == 2 {
			most = 1
		}
		if want := share * float64(len(labels)); math.Abs(sizes[split]-want) > most+1e-9 {
			return fmt.Sprintf("split %d has %v samples, want %v", split, sizes[split], want)
		}
		for class, n := range classes {
			if want := share * n; math.Abs(both[split][class]-want) > 2 {
				return fmt.Sprintf("split %d has %v samples of class %d, want %v", split, both[split][class], class, want)
			}
			if both[split][class] == 0 {
				return fmt.Sprintf("split %d has no sample of class %d", split, class)
			}
		}
	}
	return ""
}

func TestBadSplitSeesWrongSplits(t *testing.T) {
	labels := make([]int64, 100)
	which := make([]int, 100)
	for i := range labels {
		labels[i] = int64(i % 2)
		switch {
		case i >= 85:
			which[i] = 2
		case i >= 70:
			which[i] = 1
		}
	}
	for name, spoil := range map[string]func([]int){
		"sizes": func(w []int) { w[0], w[1], w[2] = 2, 2, 2 },
		"classes": func(w []int) { // 6 samples change places with those of the other class
			for k := range 6 {
				w[2*k], w[99-2*k] = w[99-2*k], w[2*k]
			}
		},
	} {
		w := slices.Clone(which)
		if fault := badSplit(labels, w); fault != "" && name == "sizes" {
			t.Fatalf("a good split was refused: %s", fault)
		}
		spoil(w)
		if badSplit(labels, w) == "" {
			t.Errorf("%s: a wrong split was not seen", name)
		}
	}
}

func TestStratifyRefusesFewSamples(t *testing.T) {
	labels := make([]int64, 100)
	for i := range minClass - 1 {
		labels[i] = 1
	}
	_, err := stratify(labels, newStream(1, forSplit))
	if err == nil || !strings.Contains(err.Error(), "at least 10 samples of class 1") || !strings.Contains(err.Error(), "got 9 of 100; ask for more samples") {
		t.Errorf("want an error with the class, the number and the remedy, got %v", err)
	}
}

// Every sample is in one split, and in the order of ids there.
func TestSplitsHoldAllSamples(t *testing.T) {
	set := hdxorSet(t, HDXOROptions{Setting: Synergy, Samples: 1000, Seed: 1})
	var ids []int64
	for _, split := range set.Splits() {
		if !slices.IsSorted(split.IDs) {
			t.Errorf("%s: want ascending ids", split.Name)
		}
		ids = append(ids, split.IDs...)
	}
	slices.Sort(ids)
	for i, id := range ids {
		if id != int64(i) {
			t.Fatalf("want the ids 0 to 999, each once, got %d at place %d", id, i)
		}
	}
	if got := [3]int{set.Train.Len(), set.Valid.Len(), set.Test.Len()}; got != [3]int{700, 150, 150} {
		t.Errorf("want splits of 700, 150 and 150 samples, got %v", got)
	}
	// A split by place would put the first 700 into the training split.
	if set.Train.IDs[699] == 699 {
		t.Error("want shuffled samples")
	}
}

// digest is the SHA-256 of all numbers of a set.
func digest(set *Set) string {
	h := sha256.New()
	for _, split := range set.Splits() {
		arrays := append(split.Arrays(), split.BitArrays()...)
		for _, a := range arrays {
			fmt.Fprintln(h, split.Name, a.Name, a.Tensor.Shape())
			h.Write(a.Tensor.Bytes())
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}

// TestSameEverywhere pins the numbers of small sets: they depend on the options
// alone, on no machine and no version of Go. A change that is wanted raises
// [Revision], and says why in its commit.
func TestSameEverywhere(t *testing.T) {
	const samples, seed = 200, 42
	if Revision != 1 {
		t.Error("the digests below are those of revision 1")
	}
	got := map[string]string{}
	for _, v := range []Variant{Appendix, Code} {
		for _, l := range []Labelling{ExactlyOne, Parity} {
			for _, s := range HDXORSettings(3) {
				name := fmt.Sprintf("hd-xor %v %v %s", v, l, s)
				got[name] = digest(hdxorSet(t, HDXOROptions{Setting: s, Modalities: 3, Samples: samples, Seed: seed, Variant: v, Labelling: l}))
				if other := fmt.Sprintf("hd-xor %v %v %s", v, ExactlyOne, s); l == Parity && s != Synergy {
					// Both are XOR of two bits.
					if got[name] != got[other] {
						t.Errorf("%s: want what %s is", name, other)
					}
					delete(got, name)
				}
			}
		}
		for _, s := range SUMSettings() {
			got[fmt.Sprintf("sum %v %s", v, s)] = digest(sumSet(t, SUMOptions{Setting: s, Samples: samples, Seed: seed, Variant: v}))
		}
	}
	for name, d := range got {
		if pinned[name] != d {
			t.Errorf("%q: %q,", name, d)
		}
	}
	if len(pinned) != len(got) {
		t.Errorf("want %d digests, have %d", len(got), len(pinned))
	}
}

// pinned has the first 64 bits of the digests of TestSameEverywhere.
var pinned = map[string]string{
	"hd-xor appendix exactly-one random":       "f156aa66ca4009e3",
	"hd-xor appendix exactly-one redundancy":   "95e7cfcccadb53e8",
	"hd-xor appendix exactly-one synergy":      "b21030541afa5a3a",
	"hd-xor appendix exactly-one uniqueness-1": "d79c82d651e2ba00",
	"hd-xor appendix exactly-one uniqueness-2": "bf27d66f64ea943f",
	"hd-xor appendix exactly-one uniqueness-3": "8a96963d358fc6dc",
	"hd-xor appendix parity synergy":           "a32483200c6b4912",
	"hd-xor code exactly-one random":           "db31abe2c9aaecba",
	"hd-xor code exactly-one redundancy":       "8e8ed6004c63510c",
	"hd-xor code exactly-one synergy":          "066a24af2a5b6ac0",
	"hd-xor code exactly-one uniqueness-1":     "4300b7249c44ff63",
	"hd-xor code exactly-one uniqueness-2":     "45f40bc1707ad9ed",
	"hd-xor code exactly-one uniqueness-3":     "8f119ee2c95b3914",
	"hd-xor code parity synergy":               "d0118cf97cffb2c0",
	"sum appendix mix-1":                       "c081436a051bed07",
	"sum appendix mix-2":                       "8c38b68648ceaa29",
	"sum appendix redundancy":                  "f587b06f219d626a",
	"sum appendix synergy":                     "e77ea4e3182d2a09",
	"sum appendix uniqueness-1":                "0b9419aeb20ee5f1",
	"sum appendix uniqueness-2":                "d82221e673c3406f",
	"sum code mix-1":                           "809d7ac0e69c5e97",
	"sum code mix-2":                           "704738546006310a",
	"sum code redundancy":                      "2aae019487d5b354",
	"sum code synergy":                         "c258433726680dd5",
	"sum code uniqueness-1":                    "e26fb0e6e161eab2",
	"sum code uniqueness-2":                    "395dc5e8aea3f9b7",
}

// The same options give the same numbers twice; another seed gives others; and
// what a variant or setting does not change stays as it is.
func TestSeeds(t *testing.T) {
	o := HDXOROptions{Setting: Synergy, Samples: 400, Seed: 1}
	one := hdxorSet(t, o)
	if digest(one) != digest(hdxorSet(t, o)) {
		t.Error("the same options gave other numbers")
	}
	o.Seed = 2
	other := hdxorSet(t, o)
	for i := range one.Train.Modalities {
		if string(one.Train.Modalities[i].Bytes()) == string(other.Train.Modalities[i].Bytes()) {
			t.Errorf("modality %d: another seed gave the same numbers", i)
		}
	}
	if slices.Equal(one.Train.Labels, other.Train.Labels) || slices.Equal(one.Train.IDs, other.Train.IDs) {
		t.Error("another seed gave the same labels or splits")
	}
	o.Seed, o.Variant = 1, Code
	code := hdxorSet(t, o)
	if !slices.Equal(one.Train.Labels, code.Train.Labels) || string(one.Test.Bits[1].Bytes()) != string(code.Test.Bits[1].Bytes()) {
		t.Error("want the same bits and splits in both variants")
	}
}

func TestDefaults(t *testing.T) {
	h := HDXOROptions{Setting: Random}.withDefaults()
	if want := (HDXOROptions{Setting: Random, Modalities: 2, Samples: 20000, Variant: Appendix, Labelling: ExactlyOne}); h != want {
		t.Errorf("want %+v, got %+v", want, h)
	}
	s := SUMOptions{Setting: Synergy}.withDefaults()
	if want := (SUMOptions{Setting: Synergy, Samples: 20000, Variant: Appendix}); s != want {
		t.Errorf("want %+v, got %+v", want, s)
	}
}

// Options that nothing can be made by are refused, all faults at once.
func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		make func() error
		want []string
	}{
		{"no setting", func() error { _, err := HDXOR(HDXOROptions{}); return err }, []string{`want the setting uniqueness-1, uniqueness-2, synergy, redundancy, random, got ""`}},
		{"no such modality", func() error { _, err := HDXOR(HDXOROptions{Setting: Uniqueness(3)}); return err }, []string{`got "uniqueness-3"`}},
		{"modality 0", func() error { _, err := HDXOR(HDXOROptions{Setting: Uniqueness(0)}); return err }, []string{`got "uniqueness-0"`}},
		{"another spelling", func() error { _, err := HDXOR(HDXOROptions{Setting: "uniqueness-01"}); return err }, []string{`got "uniqueness-01"`}},
		{"one modality", func() error { _, err := HDXOR(HDXOROptions{Setting: Synergy, Modalities: 1}); return err }, []string{"want 2 to 20 modalities, got 1"}},
		{"many modalities", func() error { _, err := HDXOR(HDXOROptions{Setting: Synergy, Modalities: 21}); return err }, []string{"want 2 to 20 modalities, got 21"}},
		{"negative", func() error { _, err := HDXOR(HDXOROptions{Setting: Synergy, Modalities: -1, Samples: -1}); return err }, []string{"got -1"}},
		{"few samples", func() error { _, err := HDXOR(HDXOROptions{Setting: Synergy, Samples: 99}); return err }, []string{"want at least 100 samples", "got 99"}},
		{"many samples", func() error { _, err := HDXOR(HDXOROptions{Setting: Synergy, Samples: 10_000_000}); return err }, []string{"want at most 5368709 samples", "4 GiB", "got 10000000"}},
		{"unknown enums", func() error {
			_, err := HDXOR(HDXOROptions{Setting: "none", Variant: 9, Labelling: 9})
			return err
		}, []string{`got "none"`, "want the variant appendix or code, got Variant(9)", "want the labelling exactly-one or parity, got Labelling(9)"}},
		{"mix of HD-XOR", func() error { _, err := HDXOR(HDXOROptions{Setting: Mix(1)}); return err }, []string{`got "mix-1"`}},
		{"random SUM", func() error { _, err := SUM(SUMOptions{Setting: Random}); return err }, []string{"want the setting uniqueness-1, uniqueness-2, mix-1, mix-2, synergy, redundancy", `got "random"`}},
		{"small SUM", func() error { _, err := SUM(SUMOptions{Setting: Synergy, Samples: 3, Variant: 9}); return err }, []string{"want at least 100 samples", "Variant(9)"}},
	} {
		err := c.make()
		if !errors.Is(err, ErrOptions) {
			t.Errorf("%s: want an error of options, got %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want an error that says %q, got %v", c.name, want, err)
			}
		}
	}
}

// The smallest set works in every setting and with every number of modalities.
func TestSmallestSets(t *testing.T) {
	for _, m := range []int{2, 3, MaxModalities} {
		for _, l := range []Labelling{ExactlyOne, Parity} {
			for _, s := range HDXORSettings(m) {
				set := hdxorSet(t, HDXOROptions{Setting: s, Modalities: m, Samples: MinSamples, Labelling: l})
				for _, split := range set.Splits() {
					if c := split.Classes(); c[0] == 0 || c[1] == 0 {
						t.Errorf("%s, %d modalities: split %s has the classes %v", s, m, split.Name, c)
					}
					for _, x := range split.Modalities {
						if err := finite(x); err != nil {
							t.Errorf("%s: %v", s, err)
						}
					}
				}
			}
		}
	}
}

func finite(x tensor.Tensor) error {
	for i, v := range tensor.Values[float32](x) {
		if v-v != 0 {
			return fmt.Errorf("element %d is %v", i, v)
		}
	}
	return nil
}

func TestNames(t *testing.T) {
	for _, name := range []string{"appendix", "code"} {
		if v, err := ParseVariant(name); err != nil || v.String() != name {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
	for _, name := range []string{"exactly-one", "parity"} {
		if l, err := ParseLabelling(name); err != nil || l.String() != name {
			t.Errorf("%s: got %v, %v", name, l, err)
		}
	}
	for _, name := range []string{"npz", "parquet"} {
		if f, err := ParseFormat(name); err != nil || f.String() != name {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
	_, variant := ParseVariant("x")
	_, labelling := ParseLabelling("x")
	_, format := ParseFormat("x")
	for _, err := range []error{variant, labelling, format} {
		if err == nil || !strings.Contains(err.Error(), `"x" (want `) {
			t.Errorf("want an error that lists the names, got %v", err)
		}
	}
}

func BenchmarkHDXOR(b *testing.B) {
	for _, m := range []int{2, 5} {
		o := HDXOROptions{Setting: Synergy, Modalities: m, Samples: 2000}
		b.Run(fmt.Sprintf("M=%d/samples=%d", m, o.Samples), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hdxorSet(b, o)
			}
			b.ReportMetric(float64(o.Samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
