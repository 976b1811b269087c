package result

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// makeGames draws rows that hang together as those of a run do: phi and the local score
// follow from the values. Every fifth sample has no behaviour.
func makeGames(h SamplesHeader, id func(sample int) string) []SampleRow {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := len(h.Modalities)
	scratch := make([]float64, 1<<m)
	var rows []SampleRow
	for i := range h.Samples {
		for k := range h.Targets {
			v := make([]float64, 1<<m)
			if i%5 != 3 {
				for s := range v {
					v[s] = rng.NormFloat64() * math.Pow(10, float64(i%7-3))
				}
			}
			r := SampleRow{Sample: i, Target: k, ID: id(i), Predicted: i % 3, Values: v, Phi: make([]float64, m*m)}
			if h.HasPresent {
				r.Present = presentOf(h, i)
				withoutMissing(h, &r)
			}
			r.Base, r.Output = v[0], v[len(v)-1]
			copy(scratch, v)
			game.MoebiusTo(scratch, v)
			index.PairMatrixTo(r.Phi, scratch, m)
			r.InterSHAP = score.Local(r.Phi, m, score.Paper)
			if i%4 != 2 && i%5 != 3 {
				r.SE = score.Defined(rng.Float64())
				r.Corrected = score.Defined([]float64{0, 1, rng.Float64()}[i%3])
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// wantSamples returns what reading rows must give, without using the code under test.
func wantSamples(h SamplesHeader, rows []SampleRow, values bool) *Samples {
	s := &Samples{Modalities: h.Modalities, Targets: []string{""}, ByTarget: make([]TargetSamples, len(h.Targets))}
	if h.ByTarget || len(h.Targets) > 1 {
		s.Targets = h.Targets
	}
	for _, r := range rows {
		if r.Target == 0 {
			s.IDs, s.Predicted = append(s.IDs, r.ID), append(s.Predicted, r.Predicted)
			if h.HasPresent {
				s.Present = append(s.Present, r.Present)
			}
		}
		t := &s.ByTarget[r.Target]
		t.Base, t.Output = append(t.Base, r.Base), append(t.Output, r.Output)
		t.InterSHAP, t.SE = append(t.InterSHAP, r.InterSHAP), append(t.SE, r.SE)
		t.Corrected = append(t.Corrected, r.Corrected)
		t.Phi = append(t.Phi, r.Phi...)
		if values {
			t.Values = append(t.Values, r.Values...)
		}
	}
	return s
}

// sameSamples returns the differences, "" for none. No NaN can be among the numbers, so
// that equal means equal, but for the sign of zero, which formats keep by themselves.
func sameSamples(want, got *Samples) string {
	a, b := *want, *got
	a.Path, b.Path = "", ""
	if reflect.DeepEqual(a, b) && fmt.Sprint(a) == fmt.Sprint(b) {
		return ""
	}
	return cmp.Diff(a, b, cmp.AllowUnexported(score.Share{})) + " "
}

func hasValues(format string) bool { return format == ".npz" || format == ".jsonl" }

func TestReadSamples(t *testing.T) {
	wide := SamplesHeader{Targets: []string{"predicted"}, Samples: 6, IDs: tensor.Int64}
	for i := range 9 {
		wide.Modalities = append(wide.Modalities, fmt.Sprintf("m%d", i))
	}
	odd := func(i int) string { return [...]string{"\r\n", "a\rb", "\"", ",", "\t", ""}[i%6] + named(i) }
	cases := append(slices.Clone(roundTrips), []struct {
		name, reason string
		header       SamplesHeader
		id           func(int) string
	}{
		{"nine", "more columns than letters", wide, numbered},
		{"line ends", "ids with ends of lines in them", SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x", "y"}, Samples: 12, IDs: tensor.String}, odd},
		{"prefixes", "names that look like other columns", SamplesHeader{Modalities: []string{"phi.a", "a:b", "b"}, Targets: []string{"target", "id"}, Samples: 3, IDs: tensor.String}, named},
		{"blanks", "names that blanks surround", SamplesHeader{Modalities: []string{" a ", "a"}, Targets: []string{"x"}, Samples: 1, IDs: tensor.Int64}, numbered},
		{"many", "more rows than are decoded at once", SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x", "y"}, Samples: parquetBatch + 5, IDs: tensor.String}, named},
	}...)
	for _, c := range cases {
		if c.header.Samples == 0 {
			continue // refused, see TestReadSamplesFaults
		}
		rows := makeGames(c.header, c.id)
		for _, format := range formats {
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				path := writeSamples(t, format, c.header, rows)
				got, err := ReadSamples(path)
				if err != nil {
					t.Fatal(err)
				}
				if d := sameSamples(wantSamples(c.header, rows, hasValues(format)), got); d != "" {
					t.Errorf("%s (seed %d; -want +got):\n%.2000s", c.reason, seed, d)
				}
				if got.Path != path || got.Len() != c.header.Samples {
					t.Errorf("want %s with %d samples, got %s with %d", path, c.header.Samples, got.Path, got.Len())
				}
			})
		}
	}
}

func TestSameSamplesSeesChanges(t *testing.T) {
	h := roundTrips[1].header
	make := func() *Samples { return wantSamples(h, makeGames(h, numbered), true) }
	if d := sameSamples(make(), make()); d != "" {
		t.Fatalf("want no difference between equal samples, got %s", d)
	}
	for name, change := range map[string]func(*Samples){
		"modality":  func(s *Samples) { s.Modalities = []string{"a", "m2", "m3"} },
		"target":    func(s *Samples) { s.Targets = []string{""} },
		"id":        func(s *Samples) { s.IDs[3] += "0" },
		"class":     func(s *Samples) { s.Predicted[2]++ },
		"present":   func(s *Samples) { s.Present = slices.Repeat([]game.Coalition{0}, s.Len()) },
		"base":      func(s *Samples) { s.ByTarget[1].Base[4] = math.Nextafter(s.ByTarget[1].Base[4], 9) },
		"output":    func(s *Samples) { s.ByTarget[1].Output[4] = -s.ByTarget[1].Output[4] },
		"share":     func(s *Samples) { s.ByTarget[2].InterSHAP[0] = score.Share{} },
		"error":     func(s *Samples) { s.ByTarget[2].SE[2] = score.Defined(0) },
		"corrected": func(s *Samples) { s.ByTarget[2].Corrected[1] = score.Share{} },
		"phi":       func(s *Samples) { s.ByTarget[0].Phi[7] += 1 },
		"value":     func(s *Samples) { s.ByTarget[0].Values[7] += 1 },
		"zero":      func(s *Samples) { s.ByTarget[0].Base[3] = math.Copysign(0, -1) },
		"short":     func(s *Samples) { s.ByTarget[0].Values = nil },
	} {
		s := make()
		change(s)
		if sameSamples(make(), s) == "" {
			t.Errorf("%s: want a difference, got none", name)
		}
	}
}

// Matrix gives the cells of one sample and no room to append into the next.
func TestSamplesMatrix(t *testing.T) {
	s := TargetSamples{Phi: []float64{1, 2, 2, 3, 4, 5, 5, 6}}
	if got := s.Matrix(1, 2); !slices.Equal(got, []float64{4, 5, 5, 6}) || cap(got) != 4 {
		t.Errorf("want the second matrix, got %v with room for %d", got, cap(got))
	}
}

// belonging returns samples and a result that they belong to, made by other code:
// means by adding up. Ten samples are of each class.
func belonging(k int) (*Samples, *Explanation) {
	h := SamplesHeader{Modalities: []string{"a", "b", "c"}, Targets: []string{"class:x", "class:y"}[:k], Samples: 30, IDs: tensor.Int64}
	s := wantSamples(h, makeGames(h, numbered), true)
	e := &Explanation{Modalities: h.Modalities, Classes: []string{"x", "y", "z"}}
	e.Provenance.Convention = "paper"
	for i, t := range s.ByTarget {
		b := Target{Target: h.Targets[i]}
		b.Samples = h.Samples
		b.Global.Phi = [][]float64{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}
		for at, v := range t.Phi {
			b.Global.Phi[at%9/3][at%3] += v / float64(h.Samples)
		}
		local := 0.0
		for j := range t.Base {
			b.Base += t.Base[j] / float64(h.Samples)
			b.Output += t.Output[j] / float64(h.Samples)
			local += t.InterSHAP[j].Or(0)
		}
		b.Local.Undefined = h.Samples / 5
		b.Local.Mean = score.Defined(local / float64(h.Samples-b.Local.Undefined))
		for _, name := range e.Classes {
			b.ByClass = append(b.ByClass, Class{name, Breakdown{Samples: 10}})
		}
		e.Targets = append(e.Targets, b)
	}
	return s, e
}

func TestSamplesBelong(t *testing.T) {
	for k := 1; k <= 2; k++ {
		if s, e := belonging(k); s.Belongs(e) != nil {
			t.Errorf("%d targets: %v", k, s.Belongs(e))
		}
	}
	for _, c := range []struct {
		name   string
		k      int
		change func(*Samples, *Explanation)
		want   string
	}{
		{"modalities", 1, func(s *Samples, _ *Explanation) { s.Modalities = []string{"a", "c", "b"} }, `want modalities ["a" "b" "c"], got ["a" "c" "b"]`},
		{"target", 2, func(s *Samples, _ *Explanation) { s.Targets[1] = "class:z" }, `want targets ["class:x" "class:y"], got ["class:x" "class:z"]`},
		{"unnamed", 2, func(s *Samples, _ *Explanation) { s.Targets, s.ByTarget = []string{""}, s.ByTarget[:1] }, "got one without a name"},
		{"more", 1, func(_ *Samples, e *Explanation) { e.Targets[0].Samples++ }, "want 31 samples, got 30"},
		{"class", 1, func(_ *Samples, e *Explanation) { e.Classes = e.Classes[:2] }, `sample 2 (id "-1"): want a predicted class below 2, got 2`},
		{"base", 1, func(_ *Samples, e *Explanation) { e.Targets[0].Base += 1e-2 }, `target "class:x": want a mean base of`},
		{"output", 2, func(_ *Samples, e *Explanation) { e.Targets[1].Output += 1e-2 }, `target "class:y": want a mean output of`},
		{"phi", 1, func(_ *Samples, e *Explanation) { e.Targets[0].Global.Phi[1][2] += 1e-5 }, "want a mean phi[1][2] of"},
		{"convention", 1, func(_ *Samples, e *Explanation) { e.Provenance.Convention = "single-pair" }, `sample 0 (id "-5"): want intershap`},
		{"unknown convention", 1, func(_ *Samples, e *Explanation) { e.Provenance.Convention = "" }, "unknown convention"},
		{"two scores change places", 2, func(s *Samples, _ *Explanation) {
			all := s.ByTarget[1].InterSHAP
			all[6], all[9] = all[9], all[6] // no mean tells
		}, `target "class:y": sample 6 (id`},
		{"score without behaviour", 1, func(s *Samples, e *Explanation) {
			s.ByTarget[0].InterSHAP[3] = score.Defined(0)
			n := float64(30 - e.Targets[0].Local.Undefined)
			e.Targets[0].Local.Undefined--
			e.Targets[0].Local.Mean = score.Defined(e.Targets[0].Local.Mean.Or(0) * n / (n + 1))
		}, "want intershap undefined, got 0 by phi"},
		{"behaviour without a score", 1, func(s *Samples, e *Explanation) { s.ByTarget[0].InterSHAP[4] = score.Share{} }, "want 6 samples without a local score, got 7"},
		{"local mean", 1, func(_ *Samples, e *Explanation) { e.Targets[0].Local.Mean = score.Defined(.5) }, "want a mean local score 0.5, got"},
		{"predicted", 1, func(s *Samples, _ *Explanation) { s.Predicted[4] = 2 }, `predicted: want 10 samples of class "y", got 9`},
		{"a class more", 1, func(_ *Samples, e *Explanation) { e.Targets[0].ByClass = e.Targets[0].ByClass[:2] }, `predicted: want 0 samples of class "z", got 10`},
		{"no classes", 1, func(_ *Samples, e *Explanation) { e.Classes, e.Targets[0].ByClass = nil, nil }, ""},
		{"values", 1, func(s *Samples, _ *Explanation) { s.ByTarget[0].Values[8*7+3] += 1e-2 }, `sample 7 (id "44"): want phi[0][0]`},
		{"values nearly", 1, func(s *Samples, _ *Explanation) { s.ByTarget[0].Values[8*7+3] *= 1 + 1e-14 }, ""},
		{"no values", 1, func(s *Samples, _ *Explanation) { s.ByTarget[0].Values = nil }, ""},
		{"nearly", 1, func(_ *Samples, e *Explanation) { e.Targets[0].Global.Phi[1][2] *= 1 + 1e-12 }, ""},
	} {
		s, e := belonging(c.k)
		s.Path = "s.npz"
		c.change(s, e)
		wantFault(t, c.name, s.Belongs(e), c.want)
		if err := s.Belongs(e); err != nil {
			wantFault(t, c.name, err, "result: s.npz: not the samples of this result: ")
		}
	}
}

// Values are all looked at, but where that would take long.
func TestCheckedValues(t *testing.T) {
	for _, c := range []struct{ n, m, want int }{
		{1, 1, 1}, {1_000_000, 4, 1_000_000}, {10_000_000, 4, 1 << 22}, {1000, 10, 1000}, {1000, 16, 64}, {5, 20, 2},
	} {
		if got := checkedValues(c.n, c.m); got != c.want {
			t.Errorf("%d samples of %d modalities: want %d checked, got %d", c.n, c.m, c.want, got)
		}
	}
}

// The sum keeps what plain addition loses.
func TestSum(t *testing.T) {
	var s sum
	for _, x := range []float64{1, 1e100, 1, -1e100} {
		s.add(x)
	}
	if got := s.value(); got != 2 {
		t.Errorf("want 1 + 1e100 + 1 - 1e100 = 2, got %v", got)
	}
}
