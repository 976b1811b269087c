package compare

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/intershap/intershap/score"
)

// percentileOf is a bootstrap written from its definition: samples are drawn as a list,
// absolute values are taken of means, and the ends are those of a sorted list.
func percentileOf(seed uint64, m, draws int, paired bool, tail float64, a, b []float64) (low, high float64) {
	rng := rand.New(rand.NewPCG(seed, 99))
	p := packedLen(m)
	mean := func(phi []float64, rows []int) []float64 {
		out := make([]float64, p)
		for _, r := range rows {
			for k := range out {
				out[k] += phi[r*p+k] / float64(len(rows))
			}
		}
		return out
	}
	pick := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = rng.IntN(n)
		}
		return out
	}
	var deltas []float64
	for range draws {
		first := pick(len(a) / p)
		second := first
		if !paired {
			second = pick(len(b) / p)
		}
		deltas = append(deltas, shareOf(m, mean(b, second))-shareOf(m, mean(a, first)))
	}
	slices.Sort(deltas)
	end := int(math.Round(tail * float64(draws)))
	return deltas[end], deltas[draws-1-end]
}

// Where signs are clear, the interval must be that of a bootstrap by the book with the
// same tails, paired and unpaired, whatever the number of modalities.
func TestBootstrapAgainstDefinition(t *testing.T) {
	for _, tt := range []struct {
		name   string
		m      int
		a, b   []float64
		paired bool
	}{
		{"paired", 2, []float64{.4, .1, -.2}, []float64{.2, -.1, -.1}, true},
		{"unpaired", 2, []float64{.4, .1, -.2}, []float64{.2, -.1, -.1}, false},
		{"three modalities", 3, []float64{.4, .1, -.1, -.2, .1, .2}, []float64{.4, .1, -.2, -.2, .2, .1}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const n, many = 80, 20000
			rng := rand.New(rand.NewPCG(5, 6))
			w := world{m: tt.m, noise: .1, common: .5}
			shared := w.deviations(rng, n)
			w.truth = tt.a
			a := w.draw(rng, n, shared)
			w.truth = tt.b
			b := w.draw(rng, n, shared)
			low, high := percentileOf(3, tt.m, many, tt.paired, expandedTail(n, .95), a, b)
			tables := [2]*table{tableOf(tt.m, a), tableOf(tt.m, b)}
			all, err := bootstrap(t.Context(), tables, tt.paired, global(t, tables), Options{Level: .95, Draws: many, Seed: 8, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			// An end beyond which 400 of 20,000 draws lie is known to 2 % of the interval.
			if tolerance := .02 * (high - low); math.Abs(all[0].low-low) > tolerance || math.Abs(all[0].high-high) > tolerance {
				t.Errorf("want [%v, %v], got %+v", low, high, all[0])
			}
			// The comparison can fail: the other way of drawing has another width.
			other, up := percentileOf(3, tt.m, many, !tt.paired, expandedTail(n, .95), a, b)
			if math.Abs((up-other)-(high-low)) < .05*(high-low) {
				t.Error("paired and unpaired draws do not differ, and this test could not tell")
			}
		})
	}
}

// Results depend on the seed, and not on the number of workers.
func TestBootstrapIsRepeatable(t *testing.T) {
	r := twoRuns(3, 60)
	run := func(seed uint64, workers int) *Comparison {
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Draws: 400, Seed: seed, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	bounds := func(c *Comparison) []score.Share {
		var out []score.Share
		for _, row := range c.Targets[0].Rows {
			out = append(out, row.Low, row.High)
		}
		return out
	}
	one := bounds(run(1, 1))
	if !slices.Equal(one, bounds(run(1, 4))) {
		t.Error("four workers find other bounds than one")
	}
	if slices.Equal(one, bounds(run(2, 1))) {
		t.Error("another seed changes nothing")
	}
}

// Samples of one id are drawn together: ten ids of twenty copies each know what ten
// samples know.
func TestRepeatedIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	w := twoWorlds()
	const patients, visits = 10, 20
	single := [2][]float64{w[0].draw(rng, patients, nil), w[1].draw(rng, patients, nil)}
	width := func(copies int, repeat bool) float64 {
		var sides [2]Side
		for k, phi := range single {
			var all []float64
			var ids []string
			for c := range copies {
				all = append(all, phi...)
				for i := range patients {
					if repeat {
						ids = append(ids, numbered(patients)[i])
					} else {
						ids = append(ids, numbered(copies * patients)[c*patients+i])
					}
				}
			}
			sides[k] = Side{[]string{"a", "b"}[k], []Run{runOf(2, all, ids, make([]int, len(ids)))}}
		}
		c, err := Compare(t.Context(), sides[0], sides[1], Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if repeat && c.Samples.Independent != patients {
			t.Errorf("%d independent samples, want %d", c.Samples.Independent, patients)
		}
		r := c.Targets[0].HeadlineRow()
		return r.High.Or(9) - r.Low.Or(0)
	}
	once, together, apart := width(1, false), width(visits, true), width(visits, false)
	if math.Abs(together-once) > .1*once {
		t.Errorf("twenty visits of ten patients have an interval of %v, ten patients of %v", together, once)
	}
	if apart > once/2 {
		t.Errorf("two hundred patients have an interval of %v, ten of %v", apart, once)
	}
}

func TestTooFewSamples(t *testing.T) {
	r := twoRuns(1, 14) // classes of 5, 5 and 4
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range c.Targets[0].Rows {
		want := ""
		if row.Class != nil && *row.Class == "fox" {
			want = "needs 5 or more"
		}
		if row.Reason != want {
			t.Errorf("%s of class %v: want the reason %q, got %q", row.Kind, row.Class, want, row.Reason)
		}
	}
	if !hasWarning(c, "few-samples") {
		t.Error("no warning of few samples")
	}
}

// A class that one run never predicts has values on one side alone.
func TestClassOfOneSide(t *testing.T) {
	r := twoRuns(1, 30)
	phi := twoWorlds()[1].draw(rand.New(rand.NewPCG(1, 1)), 30, nil)
	predicted := make([]int, 30)
	for i := range predicted {
		predicted[i] = i % 2
	}
	r[1] = runOf(2, phi, numbered(30), predicted, "cat", "dog", "fox")
	r[1].Path = "b.json"
	for _, carriedToo := range []bool{false, true} {
		if carriedToo {
			r[0].Samples, r[1].Samples = nil, nil
		}
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		met := false
		for _, row := range c.Targets[0].Rows {
			if row.Class == nil || *row.Class != "fox" {
				continue
			}
			met = true
			if row.Verdict != Undefined || row.Base.N != 10 || row.Other.N != 0 || row.Delta != (score.Share{}) {
				t.Errorf("%s: fox: %+v, want a value on one side", c.Method, row)
			}
		}
		if !met {
			t.Errorf("%s: a class of one side is left out", c.Method)
		}
	}
}

// Where nothing changes the output there is no score, and no interval.
func TestUndefinedScores(t *testing.T) {
	r := twoRuns(1, 30)
	predicted := r[0].Samples.Predicted
	r[1] = runOf(2, make([]float64, 90), numbered(30), predicted, "cat", "dog", "fox")
	r[1].Path = "b.json"
	for _, method := range []Method{PairedBootstrap, Carried} {
		if method == Carried {
			r[0].Samples, r[1].Samples = nil, nil
		}
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if c.Method != method {
			t.Fatalf("want %s, got %s", method, c.Method)
		}
		for _, row := range c.Targets[0].Rows {
			if row.Verdict != Undefined || row.Delta != (score.Share{}) || row.Low != (score.Share{}) || row.Other.Value != (score.Share{}) || row.Other.N != 0 && row.Aggregation == Local && row.Class == nil && c.Method == Carried {
				t.Errorf("%s: %+v, want undefined", method, row)
			}
		}
	}
}

func TestBootstrapStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := twoRuns(1, 30)
	if _, err := Compare(ctx, Side{"a", r[:1]}, Side{"b", r[1:]}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("want an end, got %v", err)
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{1000, 50000} {
		b.Run("M=2/rows="+numbered(n + 1)[n], func(b *testing.B) {
			r := twoRuns(1, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compare(b.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Workers: 2}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
