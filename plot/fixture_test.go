package plot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A fixture makes explanations with their samples, so that figures have something to
// show. Shares follow their definitions; errors are made up.
type fixture struct {
	modalities []string
	classes    []string
	samples    int
	convention score.Convention
	headline   result.Headline
	// phi gives the matrix of sample i, symmetric; class its predicted class.
	phi   func(i int, r *rand.Rand) [][]float64
	class func(i int) int
	base  float64
	// noErrors leaves errors and bounds out.
	noErrors bool
	// groups are the sizes of modalities whose groups are the players; nil for none.
	groups []int
	// present gives what sample i has; nil where all have all.
	present func(i int) game.Coalition
	// by gives the values of columns of sample i; nil for no groups.
	by func(i int) []string
}

// cohort is a fixture with groups by two columns, in which some samples lack modalities:
// every third has no ecg, every fifth no labs.
func cohort(m, classes, samples int) fixture {
	f := newFixture(m, classes, samples)
	f.present = func(i int) game.Coalition {
		all := game.Coalition(1)<<m - 1
		if i%3 == 0 && m > 1 {
			all = all.Without(1)
		}
		if i%5 == 0 && m > 2 {
			all = all.Without(2)
		}
		return all
	}
	f.by = func(i int) []string {
		return []string{[]string{"female", "male", ""}[i%7%3], fmt.Sprintf("site %d", i%4)}
	}
	return f
}

// modalityNames returns m names of a length, different in their middle too.
func modalityNames(m, length int) []string {
	words := []string{"image", "ecg", "labs", "notes", "genes", "audio", "video", "vitals", "text", "codes", "scans", "trace"}
	var out []string
	for i := range m {
		n := words[i%len(words)]
		if length > 0 {
			n = fmt.Sprintf("%s %02d measured at admission and during the stay", n, i)
			n = n + strings.Repeat("x", max(0, length-len(n)))
			n = n[:length]
		}
		out = append(out, n)
	}
	return out
}

func classNames(k, length int) []string {
	var out []string
	for i := range k {
		n := fmt.Sprintf("class %d", i)
		if length > 0 {
			n += strings.Repeat(" of patients", 4)
			n = n[:length]
		}
		out = append(out, n)
	}
	return out
}

// randomPhi gives matrices whose cells have a fixed mean and some spread.
func randomPhi(m int, size float64) func(i int, r *rand.Rand) [][]float64 {
	mean := rand.New(rand.NewPCG(7, 7))
	center := make([][]float64, m)
	for i := range m {
		center[i] = make([]float64, m)
	}
	for i := range m {
		for j := i; j < m; j++ {
			x := size * mean.NormFloat64() * math.Pow(0.8, float64(i+j))
			center[i][j], center[j][i] = x, x
		}
	}
	return func(i int, r *rand.Rand) [][]float64 {
		out := make([][]float64, m)
		for a := range m {
			out[a] = make([]float64, m)
		}
		for a := range m {
			for b := a; b < m; b++ {
				x := center[a][b] + 0.5*size*r.NormFloat64()/float64(1+a+b)
				out[a][b], out[b][a] = x, x
			}
		}
		return out
	}
}

func newFixture(m, classes, samples int) fixture {
	return fixture{
		modalities: modalityNames(m, 0), classes: classNames(classes, 0), samples: samples,
		convention: score.Paper, headline: result.Global,
		phi: randomPhi(m, 0.1), class: func(i int) int { return i * 7919 % 101 % classes }, base: 0.2847,
	}
}

func (f fixture) build() (*result.Explanation, *result.Samples) {
	r := rand.New(rand.NewPCG(1, 1))
	m := len(f.modalities)
	s := &result.Samples{Path: "run.npz", Modalities: f.modalities, Targets: []string{""}, ByTarget: make([]result.TargetSamples, 1)}
	t := &s.ByTarget[0]
	var all [][][]float64
	for i := range f.samples {
		phi := f.phi(i, r)
		if f.present != nil {
			s.Present = append(s.Present, f.present(i))
			for a := range m {
				for b := range m {
					if !s.Present[i].Has(a) || !s.Present[i].Has(b) {
						phi[a][b] = 0
					}
				}
			}
		}
		all = append(all, phi)
		total := 0.0
		var flat []float64
		for a := range m {
			for b := range m {
				total += phi[a][b]
				flat = append(flat, phi[a][b])
			}
		}
		s.IDs = append(s.IDs, fmt.Sprint(i))
		c := 0
		if len(f.classes) > 0 {
			c = f.class(i)
		}
		s.Predicted = append(s.Predicted, c)
		t.Base, t.Output = append(t.Base, f.base), append(t.Output, f.base+total)
		t.Phi = append(t.Phi, flat...)
		x := score.Local(flat, m, f.convention)
		t.InterSHAP, t.SE = append(t.InterSHAP, x), append(t.SE, x)
	}
	ex := &result.Explanation{
		Schema: result.Schema, Modalities: f.modalities, Classes: f.classes,
		Provenance: result.Provenance{
			Model: result.Source{Source: "models/model.onnx"}, Data: result.DataSource{Source: result.Source{Source: "data/test.npz"}, Samples: f.samples},
			Background: result.BackgroundSource{Source: result.Source{Source: "data/train.npz"}, Rows: 600, Mask: "marginal"},
			Output:     "probabilities", Task: "classes", Transform: "identity", Index: "SII", Order: 2,
			Convention: f.convention.String(), Level: 0.95,
		},
	}
	every := make([]int, f.samples)
	for i := range every {
		every[i] = i
	}
	target := result.Target{Target: "predicted", Headline: f.headline, Breakdown: f.breakdown(all, t, every)}
	for c := range f.classes {
		var of []int
		for i, p := range s.Predicted {
			if p == c {
				of = append(of, i)
			}
		}
		if len(of) > 0 {
			target.ByClass = append(target.ByClass, result.Class{Class: f.classes[c], Breakdown: f.breakdown(all, t, of)})
		}
	}
	f.group(ex, &target)
	f.cohort(ex, &target, all, t)
	ex.Targets = []result.Target{target}
	return ex, s
}

// cohort breaks the target down by columns and by what samples have.
func (f fixture) cohort(ex *result.Explanation, target *result.Target, all [][][]float64, t *result.TargetSamples) {
	groups := func(key func(i int) string) (keys []string, of map[string][]int) {
		of = map[string][]int{}
		for i := range all {
			k := key(i)
			if of[k] == nil {
				keys = append(keys, k)
			}
			of[k] = append(of[k], i)
		}
		return keys, of
	}
	if f.by != nil {
		one := result.Partition{Columns: []string{"sex"}}
		keys, of := groups(func(i int) string { return f.by(i)[0] })
		for _, k := range keys {
			one.Groups = append(one.Groups, result.Group{Values: []string{k}, Breakdown: f.breakdown(all, t, of[k])})
		}
		two := result.Partition{Columns: []string{"sex", "site"}}
		keys, of = groups(func(i int) string { return strings.Join(f.by(i), "|") })
		for _, k := range keys {
			two.Groups = append(two.Groups, result.Group{Values: strings.Split(k, "|"), Breakdown: f.breakdown(all, t, of[k])})
		}
		target.By = []result.Partition{one, two}
	}
	if f.present == nil {
		return
	}
	ex.Provenance.Missing = []string{"ecg", "labs=has_labs"}
	keys, of := groups(func(i int) string { return fmt.Sprint(uint64(f.present(i))) })
	for _, k := range keys {
		has := f.present(of[k][0])
		p := result.Pattern{Present: []string{}, Breakdown: f.breakdown(all, t, of[k])}
		p.Breakdown.Present = nil
		for i, name := range f.modalities {
			if has.Has(i) {
				p.Present = append(p.Present, name)
			} else {
				delete(p.Global.Contributions, name)
				delete(p.MeanAbsolute.Contributions, name)
			}
		}
		target.Patterns = append(target.Patterns, p)
	}
}

// group makes groups of the players, and sums up their shares by modality.
func (f fixture) group(ex *result.Explanation, target *result.Target) {
	if f.groups == nil {
		return
	}
	of := map[string]int{}
	at := 0
	for i, size := range f.groups {
		g := result.Grouping{Modality: fmt.Sprintf("modality %c", 'a'+i)}
		for range size {
			of[f.modalities[at]] = i
			g.Players = append(g.Players, at)
			at++
		}
		ex.Groups = append(ex.Groups, g)
	}
	ex.Provenance.Sampling = &result.Sampling{Estimator: "regression", Budget: 800, Coalitions: 774, Draws: 16}
	sum := func(a *result.Aggregate) result.AcrossAggregate {
		var across, within float64
		alone := make([]float64, len(f.groups))
		for name, x := range a.Contributions {
			alone[of[name]] += x.Or(0)
		}
		for _, p := range a.Pairs {
			if of[p.Pair[0]] == of[p.Pair[1]] {
				within += p.Share.Or(0)
			} else {
				across += p.Share.Or(0)
			}
		}
		bounded := func(x float64) result.Bounded {
			return result.Bounded{Share: score.Defined(x), Low: score.Defined(max(0, x-0.03)), High: score.Defined(min(1, x+0.03))}
		}
		x := bounded(across)
		out := result.AcrossAggregate{InterSHAP: x.Share, Low: x.Low, High: x.High, Within: bounded(within)}
		for i, g := range ex.Groups {
			out.Modalities = append(out.Modalities, result.ModalityShare{Modality: g.Modality, Contribution: bounded(alone[i])})
		}
		return out
	}
	target.Across = &result.Across{Global: sum(&target.Global.Aggregate), MeanAbsolute: sum(&target.MeanAbsolute.Aggregate)}
}

func (f fixture) breakdown(all [][][]float64, t *result.TargetSamples, of []int) result.Breakdown {
	m := len(f.modalities)
	n := float64(len(of))
	b := result.Breakdown{Samples: len(of)}
	mean, absolute := square(m), square(m)
	local, defined := 0.0, 0
	for _, i := range of {
		if x, ok := t.InterSHAP[i].Value(); ok {
			local += x
			defined++
		}
		b.Base += t.Base[i] / n
		b.Output += t.Output[i] / n
		for a := range m {
			for c := range m {
				// A cell is a mean over the samples that have its modalities.
				n := n
				if f.present != nil {
					n = 0
					for _, j := range of {
						if has := f.present(j); has.Has(a) && has.Has(c) {
							n++
						}
					}
					n = max(1, n)
				}
				mean[a][c] += all[i][a][c] / n
				absolute[a][c] += math.Abs(all[i][a][c]) / n
			}
		}
	}
	if f.present != nil {
		b.Present = map[string]int{}
		for i, name := range f.modalities {
			for _, j := range of {
				if f.present(j).Has(i) {
					b.Present[name]++
				}
			}
			b.Present[name] += 0
		}
	}
	b.Global.Aggregate, b.Global.Phi = f.aggregate(mean), mean
	b.MeanAbsolute.Aggregate = f.aggregate(absolute)
	if b.Local.Undefined = len(of) - defined; defined > 0 {
		b.Local.Mean = score.Defined(local / float64(defined))
	}
	if !f.noErrors {
		se := square(m)
		for a := range m {
			for c := range m {
				se[a][c] = 0.05 * math.Abs(mean[a][c])
			}
		}
		b.Global.PhiSE = result.PhiSE{Background: se, Samples: se}
	}
	return b
}

func square(m int) [][]float64 {
	out := make([][]float64, m)
	for i := range out {
		out[i] = make([]float64, m)
	}
	return out
}

func (f fixture) aggregate(phi [][]float64) result.Aggregate {
	m := len(f.modalities)
	cells := 2.0
	if f.convention == score.SinglePair {
		cells = 1
	}
	a := result.Aggregate{Contributions: map[string]score.Share{}, ContributionIntervals: map[string][2]score.Share{}, Pairs: []result.Pair{}}
	for i := range m {
		a.Behaviour += math.Abs(phi[i][i])
		for j := i + 1; j < m; j++ {
			a.Interactions += cells * math.Abs(phi[i][j])
		}
	}
	a.Behaviour += a.Interactions
	share := func(x float64) (s, low, high score.Share) {
		if a.Behaviour == 0 {
			return
		}
		s = score.Defined(x / a.Behaviour)
		if !f.noErrors {
			low, high = score.Defined(max(0, x/a.Behaviour-0.03)), score.Defined(min(1, x/a.Behaviour+0.03))
		}
		return
	}
	a.InterSHAP, a.Low, a.High = share(a.Interactions)
	for i, name := range f.modalities {
		s, low, high := share(math.Abs(phi[i][i]))
		a.Contributions[name], a.ContributionIntervals[name] = s, [2]score.Share{low, high}
		for j := i + 1; j < m; j++ {
			s, low, high := share(cells * math.Abs(phi[i][j]))
			a.Pairs = append(a.Pairs, result.Pair{Pair: [2]string{name, f.modalities[j]}, Share: s, Low: low, High: high, Phi: 2 * phi[i][j]})
		}
	}
	return a
}
