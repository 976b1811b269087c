package rival

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/intershap/intershap/internal/share"
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
	// Workers is the number of goroutines; 0 means 1. The numbers are the same for
	// any.
	Workers int
	// Progress is told how many of the clusterings and decompositions are done, from
	// one goroutine at a time; it may be nil.
	Progress func(done, total int)
}

func (o PIDOptions) withDefaults() PIDOptions {
	for _, f := range []struct {
		field *int
		value int
	}{{&o.Components, 2}, {&o.Clusters, 20}, {&o.Restarts, 10}, {&o.Seeds, 5}, {&o.Permutations, 20}, {&o.Workers, 1}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

func (o PIDOptions) validate() error {
	for _, f := range []struct {
		name  string
		value int
		least int
	}{{"components", o.Components, 1}, {"clusters", o.Clusters, 2}, {"restarts", o.Restarts, 1}, {"seeds", o.Seeds, 1}, {"permutations", o.Permutations, 1}, {"workers", o.Workers, 1}} {
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

// Above says of each part whether it is more than shuffled targets give.
type Above struct{ Redundancy, Unique1, Unique2, Synergy bool }

// shuffledSDs is the number of standard deviations of shuffled targets up to which a
// part is taken for what they give.
const shuffledSDs = 2

// AboveShuffled reports for each part whether
//
//	Mean > Permuted + 2·PermutedSD
//
// by more than Gap, to which numbers are known. A part that is not above is what bins
// and samples alone make of sources that tell nothing, as far as one can see. This is
// no test at a level: shuffled parts are few, and not normal.
func (e *PIDEstimate) AboveShuffled() Above {
	var above [4]bool
	chance, sd := e.Permuted.parts(), e.PermutedSD.parts()
	for i, mean := range e.Mean.parts() {
		above[i] = mean > chance[i]+shuffledSDs*sd[i]+e.Gap
	}
	return Above{above[0], above[1], above[2], above[3]}
}

// The headings of views.
const (
	// HeadingPID is for two modalities.
	HeadingPID = "PID"
	// HeadingPairwise is for a pair among more.
	HeadingPairwise = "pairwise"
	// HeadingRest is for a modality and all others together.
	HeadingRest = "one against the rest"
)

// A PIDView is one pair of sources among the modalities.
type PIDView struct {
	// Heading is one of the constants. All but HeadingPID are ours and no
	// decomposition for more than two sources.
	Heading string
	// First and Second name the sources; the rest is joined with "+".
	First, Second string
	// Estimate holds the numbers, nil where Unfit says why.
	Estimate *PIDEstimate
	// Unfit says why there is no estimate, or is nil.
	Unfit *Unfit
}

// A PIDEstimator holds the clusters of modalities, of which the decomposition for any
// target is made.
type PIDEstimator struct {
	o       PIDOptions
	samples int
	pairs   []sourcePair
}

// A sourcePair is two sources and what they are headed.
type sourcePair struct {
	heading       string
	first, second *source
}

// A source is a source of information: its clusters under every seed, or none where
// its rows do not differ.
type source struct {
	name     string
	rows     Matrix
	points   Matrix // principal components
	constant bool
	clusters [][]int
}

// NewPIDEstimator clusters the features of modalities, a matrix of n rows each, for the
// pairs of sources that are decomposed.
//
// Each source goes through rows of length one (a single column is scaled as a whole),
// the leading principal components, and k-means; counts of clusters and target are then
// decomposed by [NewPID]. That is the pipeline of Liang et al. (2023) as the reference
// code of InterSHAP has it.
//
// Two modalities give one view. More give the pairs, in order, and then each modality
// against the rest, whose rows are those of the others, each of length one, side by
// side.
//
// Fewer samples than clusters are an [Unfit].
func NewPIDEstimator(ctx context.Context, modalities []Matrix, names []string, o PIDOptions) (*PIDEstimator, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := len(modalities)
	if m < 2 || len(names) != m {
		return nil, fmt.Errorf("rival: pid: want at least 2 modalities and a name for each, got %d and %d", m, len(names))
	}
	n := modalities[0].Rows
	if n < o.Clusters {
		return nil, unfit(ScorePID, "%d clusters need as many samples, have %d: take more samples", o.Clusters, n)
	}
	e := &PIDEstimator{o: o, samples: n}
	var sources []*source
	add := func(name string, rows Matrix) *source {
		sources = append(sources, &source{name: name, rows: rows, clusters: make([][]int, o.Seeds)})
		return sources[len(sources)-1]
	}
	for i, x := range modalities {
		if err := x.checkShape("features of "+names[i], n, x.Cols); err != nil {
			return nil, err
		}
		add(names[i], unitRows(x))
	}
	heading := HeadingPID
	if m > 2 {
		heading = HeadingPairwise
	}
	for i := range m {
		for j := i + 1; j < m; j++ {
			e.pairs = append(e.pairs, sourcePair{heading, sources[i], sources[j]})
		}
	}
	for i := range m {
		if m == 2 {
			break
		}
		var others []Matrix
		var joined []string
		for j := range m {
			if j != i {
				others = append(others, sources[j].rows)
				joined = append(joined, names[j])
			}
		}
		e.pairs = append(e.pairs, sourcePair{HeadingRest, sources[i], add(strings.Join(joined, "+"), beside(others))})
	}
	return e, e.cluster(ctx, sources)
}

// cluster finds the clusters of every source under every seed.
func (e *PIDEstimator) cluster(ctx context.Context, sources []*source) error {
	o := e.o
	if err := share.Among(ctx, o.Workers, len(sources), func(_ context.Context, i int) error {
		s, varies := sources[i], false
		s.points, varies = principal(s.rows, o.Components, o.Seed)
		s.constant, s.rows = !varies, Matrix{}
		return nil
	}); err != nil {
		return err
	}
	tell := e.counter(len(sources) * o.Seeds)
	return share.Among(ctx, o.Workers, len(sources)*o.Seeds, func(_ context.Context, k int) error {
		if s, seed := sources[k/o.Seeds], k%o.Seeds; !s.constant {
			s.clusters[seed] = kMeans(s.points, o.Clusters, o.Restarts, o.Seed+uint64(seed))
		}
		tell()
		return nil
	})
}

// counter returns a function that tells that one more of total is done.
func (e *PIDEstimator) counter(total int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		e.o.Progress(done, total)
	}
}

// permutationStream keeps shuffled targets apart from the draws of k-means.
const permutationStream = 1 << 32

// Estimate decomposes the information about a target: labels, for a PID of the data, or
// the model's predictions, for one of the model.
//
// The certificate of [NewPID] is for the counts: the estimate is biased upwards by bins
// and samples, mostly in the synergy, which is what [PIDEstimate.Permuted] shows, and
// depends on the clusters, which SD shows.
//
// A target that is missing or has one value is an [Unfit] and comes as the error. A
// modality whose rows do not differ is an Unfit of its views, and so is a decomposition
// without a certificate.
func (e *PIDEstimator) Estimate(ctx context.Context, target []int) ([]PIDView, error) {
	if u := checkLabels(ScorePID, target); u != nil {
		return nil, u
	}
	if len(target) != e.samples {
		return nil, fmt.Errorf("rival: pid: want a target for each of %d samples, got %d", e.samples, len(target))
	}
	// The real target under every seed, then shuffled ones with the seeds in turn.
	targets := make([][]int, e.o.Seeds+e.o.Permutations)
	for i := range targets {
		targets[i] = target
		if r := i - e.o.Seeds; r >= 0 {
			targets[i] = make([]int, len(target))
			for k, from := range rand.New(rand.NewPCG(e.o.Seed, permutationStream+uint64(r))).Perm(len(target)) {
				targets[i][k] = target[from]
			}
		}
	}
	found, failed := make([]PID, len(e.pairs)*len(targets)), make([]error, len(e.pairs)*len(targets))
	tell := e.counter(len(found))
	if err := share.Among(ctx, e.o.Workers, len(found), func(_ context.Context, k int) error {
		pair, i := e.pairs[k/len(targets)], k%len(targets)
		if !pair.first.constant && !pair.second.constant {
			seed := i % e.o.Seeds
			if i >= e.o.Seeds {
				seed = (i - e.o.Seeds) % e.o.Seeds
			}
			found[k], failed[k] = decompose(pair.first.clusters[seed], pair.second.clusters[seed], targets[i])
		}
		tell()
		return nil
	}); err != nil {
		return nil, err
	}
	_, classes := dense(target)
	var views []PIDView
	for i, pair := range e.pairs {
		v := PIDView{Heading: pair.heading, First: pair.first.name, Second: pair.second.name}
		lo, hi := i*len(targets), (i+1)*len(targets)
		if s := pair.still(); s != nil {
			v.Unfit = unfit(ScorePID, "%s is the same for all samples once its rows have length one, and tells nothing: take data in which it varies", s.name)
		} else if err := errors.Join(failed[lo:hi]...); err != nil {
			v.Unfit = unfit(ScorePID, "%s and %s: the decomposition finds no certified minimum; take more samples or merge rare classes", v.First, v.Second)
		} else {
			v.Estimate = e.summary(found[lo:hi])
			v.Estimate.Clusters = [2]int{pair.first.kinds(), pair.second.kinds()}
			v.Estimate.Samples, v.Estimate.Classes = len(target), classes
		}
		views = append(views, v)
	}
	return views, nil
}

// still returns the source whose rows do not differ, or nil.
func (p sourcePair) still() *source {
	for _, s := range []*source{p.first, p.second} {
		if s.constant {
			return s
		}
	}
	return nil
}

// kinds returns the largest number of clusters over seeds.
func (s *source) kinds() int {
	most := 0
	for _, clusters := range s.clusters {
		most = max(most, slices.Max(clusters)+1) // numbered from 0 on, none empty
	}
	return most
}

// summary summarises the decompositions of a pair: of the real target, then of
// shuffled ones.
func (e *PIDEstimator) summary(found []PID) *PIDEstimate {
	out := &PIDEstimate{}
	for _, p := range found[:e.o.Seeds] {
		out.First += p.First / float64(e.o.Seeds)
		out.Second += p.Second / float64(e.o.Seeds)
		out.Both += p.Both / float64(e.o.Seeds)
	}
	for _, p := range found {
		out.Gap = max(out.Gap, p.Gap)
	}
	out.Mean, out.SD = summarised(found[:e.o.Seeds])
	out.Permuted, out.PermutedSD = summarised(found[e.o.Seeds:])
	return out
}

// decompose counts and decomposes.
func decompose(first, second, target []int) (PID, error) {
	joint, err := CountJoint(first, second, target)
	if err != nil {
		return PID{}, err
	}
	return NewPID(joint)
}

// summarised returns mean and standard deviation of each part.
func summarised(found []PID) (mean, sd Information) {
	var m, s [4]float64
	x := make([]float64, len(found))
	for i := range m {
		for k, p := range found {
			x[k] = p.parts()[i]
		}
		average, deviation := meanAndSD(x)
		m[i], s[i] = average.Or(0), deviation.Or(0)
	}
	return informationOf(m), informationOf(s)
}
