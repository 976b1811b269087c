package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// seed is that of all random fixtures.
const seed = 6

// A fixture is a run that never was: value tables drawn at random, and everything
// that a result says of them, by definition.
type fixture struct {
	ex      *result.Explanation
	samples *result.Samples
}

// newFixture draws n games of the modalities, and puts each into a class at random.
func newFixture(t testing.TB, n int, modalities, classes []string) fixture {
	t.Helper()
	m := len(modalities)
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	values := make([]float64, n<<m)
	for i := range values {
		values[i] = r.Float64()
	}
	s := &result.Samples{Path: "run.npz", Modalities: modalities, Targets: []string{""}}
	for i := range n {
		s.IDs = append(s.IDs, fmt.Sprintf("patient-%05d", i))
		s.Predicted = append(s.Predicted, r.IntN(max(1, len(classes))))
	}
	return fixtureOf(t, s, values, classes)
}

// fixtureOf makes the run of value tables.
func fixtureOf(t testing.TB, s *result.Samples, values []float64, classes []string) fixture {
	t.Helper()
	m, n := len(s.Modalities), s.Len()
	one := result.TargetSamples{Values: values, Phi: make([]float64, n*m*m)}
	tables, err := game.NewTables(m, values)
	if err != nil {
		t.Fatal(err)
	}
	index.PairMatricesTo(one.Phi, tables, make([]float64, 1<<m))
	for i := range n {
		one.Base = append(one.Base, values[i<<m])
		one.Output = append(one.Output, values[(i+1)<<m-1])
		one.InterSHAP = append(one.InterSHAP, score.Local(one.Phi[i*m*m:(i+1)*m*m], m, score.Paper))
		one.SE = append(one.SE, score.Defined(0.01))
	}
	s.ByTarget = []result.TargetSamples{one}
	return fixture{newExplanation(s, &one, classes), s}
}

// newExplanation says of samples everything that a result does.
func newExplanation(s *result.Samples, one *result.TargetSamples, classes []string) *result.Explanation {
	ex := &result.Explanation{Schema: result.Schema, Modalities: s.Modalities, Classes: classes}
	ex.Provenance = result.Provenance{
		Version: "v1.2.3", Command: "intershap explain model.onnx test.npz --background train.npz -o run.json",
		Model: result.Source{Source: "folder/model.onnx", SHA256: "00ff"}, Output: "probabilities", Task: "classes",
		Transform: "identity", Index: "SII", Order: 2, Convention: "paper", Plan: "staged", Runtime: "none", Seed: 1, Level: 0.95,
	}
	ex.Provenance.Data.Source.Source, ex.Provenance.Data.Samples = "test.npz", s.Len()
	ex.Provenance.Background.Source.Source, ex.Provenance.Background.Rows, ex.Provenance.Background.Mask = "train.npz", 600, "marginal"
	target := result.Target{Target: "predicted", Headline: result.Global, ResidualTolerance: 1e-12}
	target.Breakdown = breakdown(one, s, func(int) bool { return true })
	for c, name := range classes {
		b := breakdown(one, s, func(i int) bool { return s.Predicted[i] == c })
		if b.Samples > 0 {
			target.ByClass = append(target.ByClass, result.Class{Class: name, Breakdown: b})
		}
	}
	ex.Targets = []result.Target{target}
	return ex
}

// breakdown sums up the samples that belong, bounds a tenth to either side. A cell is a
// mean over the samples that have its modalities.
func breakdown(s *result.TargetSamples, of *result.Samples, belongs func(int) bool) result.Breakdown {
	modalities := of.Modalities
	m := len(modalities)
	sum, size := make([]float64, m*m), make([]float64, m*m)
	has := make([]float64, m*m)
	var b result.Breakdown
	var locals []float64
	for i := range s.Base {
		if !belongs(i) {
			continue
		}
		b.Samples++
		b.Base += s.Base[i]
		b.Output += s.Output[i]
		for c, x := range s.Matrix(i, m) {
			sum[c] += x
			size[c] += max(x, -x)
			if of.Present == nil || of.Present[i].Has(c/m) && of.Present[i].Has(c%m) {
				has[c]++
			}
		}
		if x, ok := s.InterSHAP[i].Value(); ok {
			locals = append(locals, x)
		} else {
			b.Local.Undefined++
		}
	}
	if b.Samples == 0 {
		return b
	}
	n := float64(b.Samples)
	b.Base /= n
	b.Output /= n
	for c := range sum {
		sum[c] /= max(1, has[c])
		size[c] /= max(1, has[c])
	}
	if of.Present != nil {
		b.Present = map[string]int{}
		for i, name := range modalities {
			b.Present[name] = int(has[i*m+i])
		}
	}
	b.Global.Aggregate = aggregate(sum, modalities)
	b.MeanAbsolute.Aggregate = aggregate(size, modalities)
	errors := make([][]float64, m)
	for i := range m {
		b.Global.Phi = append(b.Global.Phi, sum[i*m:(i+1)*m])
		errors[i] = make([]float64, m)
		for j := range errors[i] {
			errors[i][j] = 0.01
		}
	}
	b.Global.PhiSE = result.PhiSE{Background: errors, Samples: errors}
	if len(locals) > 0 {
		var mean float64
		for _, x := range locals {
			mean += x / float64(len(locals))
		}
		b.Local.Mean, b.Local.SD, b.Local.Corrected = score.Defined(mean), score.Defined(0.1), score.Defined(mean)
	}
	return b
}

// aggregate takes shares of a matrix by the convention paper.
func aggregate(phi []float64, modalities []string) result.Aggregate {
	m := len(modalities)
	abs := func(x float64) float64 { return max(x, -x) }
	a := result.Aggregate{Contributions: map[string]score.Share{}, ContributionIntervals: map[string][2]score.Share{}, Pairs: []result.Pair{}}
	for c, x := range phi {
		a.Behaviour += abs(x)
		if c/m != c%m {
			a.Interactions += abs(x)
		}
	}
	share := func(x float64) (score.Share, [2]score.Share) {
		if a.Behaviour == 0 {
			return score.Share{}, [2]score.Share{}
		}
		x /= a.Behaviour
		return score.Defined(x), [2]score.Share{score.Defined(0.9 * x), score.Defined(min(1, 1.1*x))}
	}
	var bounds [2]score.Share
	a.InterSHAP, bounds = share(a.Interactions)
	a.Low, a.High = bounds[0], bounds[1]
	for i, name := range modalities {
		a.Contributions[name], bounds = share(abs(phi[i*m+i]))
		a.ContributionIntervals[name] = bounds
		for j := i + 1; j < m; j++ {
			p := result.Pair{Pair: [2]string{name, modalities[j]}, Phi: 2 * phi[i*m+j]}
			p.Share, bounds = share(2 * abs(phi[i*m+j]))
			p.Low, p.High = bounds[0], bounds[1]
			a.Pairs = append(a.Pairs, p)
		}
	}
	return a
}

// page writes the page of a fixture.
func (f fixture) page(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f.ex, f.samples); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func defined(x float64) score.Share { return score.Defined(x) }
