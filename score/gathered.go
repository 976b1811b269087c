package score

import "github.com/intershap/intershap/game"

// A tally is what the samples behind a number weigh.
type tally struct {
	// samples counts them; weight is Σ w, squares Σ w².
	samples, weight, squares float64
	// replicates holds Σ w of each bootstrap replicate.
	replicates []float64
	// clustered is set when samples are known to be drawn together.
	clustered bool
}

func (s section) tally() tally {
	t := tally{samples: s.sums[atCount], weight: s.sums[atWeight], squares: s.sums[atWeightSquares], replicates: make([]float64, Replicates), clustered: s.clustered}
	for r := range t.replicates {
		t.replicates[r] = s.replicate(r)[0]
	}
	return t
}

func (t *tally) add(o tally) {
	t.samples += o.samples
	t.weight += o.weight
	t.squares += o.squares
	addTo(t.replicates, o.replicates)
}

// clusters returns the number of samples that are drawn independently. Samples of
// weights w that are all independent count as
//
//	(Σ w)² / Σ w²        (Kish, 1965)
//
// and each as one where weights are equal. Where ids repeat, samples of one id are
// drawn together: the weight of a replicate then has the variance Σ W_g² over groups of
// weights W_g, and (Σ w)²/Σ W_g² groups count. 256 replicates know that to 9 %. Where
// nobody says that there are clusters, less than half of Σ w² more is put down to chance,
// which does not bring them so far.
func (t tally) clusters() float64 {
	n, variance := t.weight, 0.0
	if t.squares != t.weight {
		n = t.weight / t.squares * t.weight
	}
	for _, w := range t.replicates {
		d := w - t.weight
		variance += d * d / Replicates
	}
	chance := 1.5
	if t.clustered {
		chance = 1
	}
	if ratio := variance / t.squares; ratio > chance {
		return n / ratio
	}
	return n
}

// gathered is the sum of the sections of some groups.
type gathered struct {
	section
	whole tally
	// cells holds the tallies of the samples that have all modalities of a cell; nil
	// where that is all samples.
	cells []tally
}

// gather adds up groups of a partition, all of them where none is named. It reports
// false where they hold no sample.
func (a *Accumulator) gather(target, partition int, groups []int) (*gathered, bool) {
	if len(groups) == 0 {
		for g := range a.layout.Partitions[partition] {
			groups = append(groups, g)
		}
	}
	g := &gathered{section: section{make([]float64, a.shape.numbers()), &a.shape}}
	present := a.layout.present(partition)
	if present != nil {
		g.cells = make([]tally, a.shape.cells())
		for at := range g.cells {
			g.cells[at].replicates, g.cells[at].clustered = make([]float64, Replicates), a.layout.Clustered
		}
	}
	first := target*a.groups + a.first[partition]
	for _, group := range groups {
		if group < 0 || group >= a.layout.Partitions[partition] {
			panic("score: the partition has no such group")
		}
		sums := a.sections[first+group]
		if sums == nil {
			continue
		}
		addTo(g.sums, sums)
		if present != nil {
			g.addCells(a.cells, present[group], section{sums, &a.shape}.tally())
		}
	}
	g.whole = g.tally()
	return g, g.whole.weight > 0
}

// addCells adds samples to the tallies of the cells that they have.
func (g *gathered) addCells(cells []game.Coalition, has game.Coalition, samples tally) {
	for at, cell := range cells {
		if cell&^has == 0 {
			g.cells[at].add(samples)
		}
	}
}

// of returns the tally of a cell.
func (g *gathered) of(at int) tally {
	if g.cells == nil {
		return g.whole
	}
	return g.cells[at]
}

// mean divides sums by the weights of the samples that have the cells; that of a cell
// that no sample has is 0.
func (g *gathered) mean(sums []float64) []float64 {
	if g.cells == nil {
		return scaled(sums, 1/g.whole.weight)
	}
	out := make([]float64, len(sums))
	for at, v := range sums {
		if w := g.cells[at].weight; w > 0 {
			out[at] = v * (1 / w)
		}
	}
	return out
}

// replicateMean is mean in replicate r, which must have drawn samples. For a cell of
// which it drew none, the mean over all samples stands in.
func (g *gathered) replicateMean(r int, sums, mean []float64) []float64 {
	if g.cells == nil {
		return scaled(sums, 1/g.whole.replicates[r])
	}
	out := make([]float64, len(sums))
	for at, v := range sums {
		if w := g.cells[at].replicates[r]; w > 0 {
			out[at] = v * (1 / w)
		} else {
			out[at] = mean[at]
		}
	}
	return out
}
