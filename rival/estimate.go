package rival

import (
	"fmt"
	"math/rand/v2"
)

// PIDOptions says how a PID is estimated from features. The zero value is ready: the
// published pipeline, five seeds and twenty permutations.
type PIDOptions struct {
	// Components is the number of principal components; 0 means 2.
	Components int
	// Clusters is the number of clusters of each source; 0 means 20.
	Clusters int
	// Restarts is the number of runs of k-means of which the best counts; 0 means 10.
	Restarts int
	// Seeds is the number of times that sources are clustered anew; 0 means 5.
	Seeds int
	// Permutations is the number of shuffled targets for the baseline; 0 means 20.
	Permutations int
	// Seed is where all that is random starts.
	Seed uint64
}

func (o PIDOptions) withDefaults() PIDOptions {
	for _, f := range []struct {
		field *int
		value int
	}{{&o.Components, 2}, {&o.Clusters, 20}, {&o.Restarts, 10}, {&o.Seeds, 5}, {&o.Permutations, 20}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return o
}

func (o PIDOptions) validate() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{{"components", o.Components, 1}, {"clusters", o.Clusters, 2}, {"restarts", o.Restarts, 1}, {"seeds", o.Seeds, 1}, {"permutations", o.Permutations, 1}} {
		if f.value < f.least {
			return fmt.Errorf("rival: pid: want at least %d %s, got %d", f.least, f.name, f.value)
		}
	}
	return nil
}

// PIDEstimate is a PID estimated from features, with what tells how far to trust it.
// Everything is in nats.
type PIDEstimate struct {
	// Mean is the mean over seeds; SD the standard deviation, 0 of a single seed.
	Mean, SD Information
	// Permuted is the mean over shuffled targets, what binning and samples make of
	// sources that tell nothing; PermutedSD is the standard deviation.
	Permuted, PermutedSD Information
	// First, Second and Both are the means over seeds of I(X1;Y), I(X2;Y) and
	// I(X1,X2;Y).
	First, Second, Both float64
	// Gap is the largest duality gap of all decompositions.
	Gap float64
	// Clusters holds the largest number of clusters of the two sources over seeds.
	Clusters [2]int
	// Samples and Classes count samples and values of the target.
	Samples, Classes int
}

// A PIDView is one pair of sources among the modalities.
type PIDView struct {
	// Heading is "PID" for two modalities, "pairwise" for a pair among more, and
	// "one against the rest" for a modality and all others together. The last two
	// are ours and no decomposition for more than two sources.
	Heading string
	// First and Second name the sources; the rest is joined with "+".
	First, Second string
	// Estimate holds the numbers, nil where Unfit says why.
	Estimate *PIDEstimate
	// Unfit says why there is no estimate, or is nil.
	Unfit *Unfit
}

// EstimatePID estimates the PID of a target from the features of modalities, a matrix
// of n rows each. The target holds labels, for a PID of the data, or the model's
// predictions, for one of the model.
//
// Each source goes through rows of length one (a single column is scaled as a whole),
// the leading principal components, and k-means; counts of clusters and target are then
// decomposed by [NewPID]. That is the pipeline of Liang et al. (2023) as the reference
// code of InterSHAP has it. The certificate of NewPID is for the counts: the estimate
// is biased upwards by bins and samples, mostly in the synergy, which is what
// [PIDEstimate.Permuted] shows, and depends on the clusters, which SD shows.
//
// Two modalities give one view. More give the pairs, in order, and then each modality
// against the rest, whose rows are those of the others, each of length one, side by
// side.
//
// A target that is missing or has one value is an [Unfit] of all views and comes as
// the error; fewer samples than clusters likewise. A modality whose rows do not differ
// is an Unfit of its views.
func EstimatePID(modalities []Matrix, names []string, target []int, o PIDOptions) ([]PIDView, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := len(modalities)
	if m < 2 || len(names) != m {
		return nil, fmt.Errorf("rival: pid: want at least 2 modalities and a name for each, got %d and %d", m, len(names))
	}
	if u := checkLabels(ScorePID, target); u != nil {
		return nil, u
	}
	n := len(target)
	if n < o.Clusters {
		return nil, unfit(ScorePID, "%d clusters need as many samples, have %d: take more samples or fewer clusters", o.Clusters, n)
	}
	rows := make([]Matrix, m)
	for i, x := range modalities {
		if err := x.checkShape("features of "+names[i], n, x.Cols); err != nil {
			return nil, err
		}
		rows[i] = unitRows(x)
	}
	e := estimator{o: o, target: target}
	single := make([]source, m)
	for i := range m {
		single[i] = e.source(names[i], rows[i])
	}
	if m == 2 {
		v, err := e.view("PID", single[0], single[1])
		return []PIDView{v}, err
	}
	var views []PIDView
	for i := range m {
		for j := i + 1; j < m; j++ {
			v, err := e.view("pairwise", single[i], single[j])
			if err != nil {
				return nil, err
			}
			views = append(views, v)
		}
	}
	for i := range m {
		var others []Matrix
		name := ""
		for j := range m {
			if j != i {
				others = append(others, rows[j])
				if name != "" {
					name += "+"
				}
				name += names[j]
			}
		}
		v, err := e.view("one against the rest", single[i], e.source(name, beside(others)))
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// estimator holds what all views share.
type estimator struct {
	o      PIDOptions
	target []int
}

// source is a source of information: its clusters under every seed, or none where its
// rows do not differ.
type source struct {
	name     string
	clusters [][]int
	kinds    int
}

func (e estimator) source(name string, rows Matrix) source {
	s := source{name: name}
	points, ok := principal(rows, e.o.Components, e.o.Seed)
	if !ok {
		return s
	}
	for i := range e.o.Seeds {
		cluster := kMeans(points, e.o.Clusters, e.o.Restarts, e.o.Seed+uint64(i))
		_, kinds := dense(cluster)
		s.clusters, s.kinds = append(s.clusters, cluster), max(s.kinds, kinds)
	}
	return s
}

// permutationStream keeps shuffled targets apart from the draws of k-means.
const permutationStream = 1 << 32

func (e estimator) view(heading string, first, second source) (PIDView, error) {
	v := PIDView{Heading: heading, First: first.name, Second: second.name}
	for _, s := range []source{first, second} {
		if s.clusters == nil {
			v.Unfit = unfit(ScorePID, "%s is the same for all samples once its rows have length one, and tells nothing: take data in which it varies", s.name)
			return v, nil
		}
	}
	_, classes := dense(e.target)
	out := &PIDEstimate{Clusters: [2]int{first.kinds, second.kinds}, Samples: len(e.target), Classes: classes}
	var real, shuffled [4][]float64
	for i := range e.o.Seeds {
		p, err := e.decompose(first.clusters[i], second.clusters[i], e.target, &real, &out.Gap)
		if err != nil {
			return v, err
		}
		out.First += p.First / float64(e.o.Seeds)
		out.Second += p.Second / float64(e.o.Seeds)
		out.Both += p.Both / float64(e.o.Seeds)
	}
	target := make([]int, len(e.target))
	for r := range e.o.Permutations {
		for i, from := range rand.New(rand.NewPCG(e.o.Seed, permutationStream+uint64(r))).Perm(len(target)) {
			target[i] = e.target[from]
		}
		i := r % e.o.Seeds
		if _, err := e.decompose(first.clusters[i], second.clusters[i], target, &shuffled, &out.Gap); err != nil {
			return v, err
		}
	}
	out.Mean, out.SD = summarised(real)
	out.Permuted, out.PermutedSD = summarised(shuffled)
	v.Estimate = out
	return v, nil
}

// decompose appends the parts of one decomposition to parts.
func (e estimator) decompose(first, second, target []int, parts *[4][]float64, gap *float64) (PID, error) {
	joint, err := CountJoint(first, second, target)
	if err != nil {
		return PID{}, err
	}
	p, err := NewPID(joint)
	if err != nil {
		return PID{}, err
	}
	*gap = max(*gap, p.Gap)
	for i, x := range p.parts() {
		parts[i] = append(parts[i], x)
	}
	return p, nil
}

// summarised returns mean and standard deviation of each part.
func summarised(parts [4][]float64) (mean, sd Information) {
	var m, s [4]float64
	for i, x := range parts {
		average, deviation := meanAndSD(x)
		m[i], s[i] = average.Or(0), deviation.Or(0)
	}
	return informationOf(m), informationOf(s)
}
