package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/game"
)

// A cohort is what an accumulator was told, kept as it is. Its methods work everything
// out again from the samples, one number at a time.
type cohort struct {
	layout Layout
	rows   []row
}

type row struct {
	Sample
	has game.Coalition
}

// patterns are what the groups of newCohort's second partition have.
var patterns = []game.Coalition{0b111, 0b011, 0b101, 0b001}

// newCohort draws n samples in two partitions, of two groups and of one for each
// pattern. Cells of what a sample lacks hold numbers too, which must not count.
func newCohort(rng *rand.Rand, l Layout, n int) *cohort {
	l.Modalities, l.Targets, l.Partitions, l.Convention = 3, 1, []int{2, len(patterns)}, Paper
	c := &cohort{layout: l}
	length := len(l.Cells)
	if l.Cells == nil {
		length = 9
	}
	draw := func(k int) []float64 {
		out := make([]float64, k*length)
		for i := range out {
			out[i] = rng.NormFloat64() + float64(i%length%2)
		}
		for from := 0; l.Cells == nil && from < len(out); from += length { // symmetric
			phi := out[from : from+length]
			phi[3], phi[6], phi[7] = phi[1], phi[2], phi[5]
		}
		return out
	}
	for i := range n {
		group := rng.IntN(len(patterns))
		r := row{has: ^game.Coalition(0), Sample: Sample{
			Groups: []int{rng.IntN(2), group}, Base: rng.NormFloat64(), Output: rng.NormFloat64(), Weight: math.Exp(rng.NormFloat64()),
			Phi: draw(1), BlockPhi: draw(len(l.Blocks)), DrawPhi: draw(l.Draws), Weights: make([]uint8, Replicates),
		}}
		if l.Present != nil {
			r.has = patterns[group]
		}
		WeightsTo(r.Weights, 1, strconv.Itoa(i))
		c.rows = append(c.rows, r)
	}
	return c
}

func (c *cohort) accumulator() *Accumulator {
	a := NewAccumulator(c.layout)
	for _, r := range c.rows {
		a.Add(0, r.Sample)
	}
	return a
}

func (c *cohort) weight(r row) float64 {
	if c.layout.Weighted {
		return r.Weight
	}
	return 1
}

// number returns a sample's number of a cell, and where block is one, counted through
// the sources, that of its other blocks alone.
func (c *cohort) number(r row, cell game.Coalition, block int) float64 {
	at := func(numbers []float64, k int) float64 {
		if c.layout.Cells != nil {
			return numbers[k*len(c.layout.Cells)+slices.Index(c.layout.Cells, cell)]
		}
		var of []int
		for i := range 3 {
			if cell.Has(i) {
				of = append(of, i)
			}
		}
		return numbers[k*9+3*of[0]+of[len(of)-1]]
	}
	all := at(r.Phi, 0)
	if block < 0 {
		return all
	}
	sizes, numbers := c.layout.Blocks, r.BlockPhi
	if block >= len(sizes) {
		block -= len(sizes)
		sizes, numbers = slices.Repeat([]int{1}, c.layout.Draws), r.DrawPhi
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	return (all*float64(total) - at(numbers, block)*float64(sizes[block])) / float64(total-sizes[block])
}

// mean is that of a cell with times for how often each sample stands there. It is 0 of a
// sample that lacks the cell.
func (c *cohort) mean(rows []row, cell game.Coalition, block int, absolute bool, times func(row) float64) float64 {
	var sum, whole float64
	for _, r := range rows {
		v := 0.0
		if cell&^r.has == 0 {
			v = c.number(r, cell, block)
		}
		if absolute {
			v = math.Abs(v)
		}
		sum += times(r) * c.weight(r) * v
		whole += times(r) * c.weight(r)
	}
	return sum / whole
}

func once(row) float64 { return 1 }

// drawn is the number of replicates that draw any sample; none where weights leave fewer
// than two.
func (c *cohort) drawn(rows []row) int {
	if c.kish(rows) < 2 {
		return 0
	}
	n := 0
	for r := range Replicates {
		if slices.ContainsFunc(rows, func(x row) bool { return x.Weights[r] > 0 }) {
			n++
		}
	}
	return n
}

func (c *cohort) kish(rows []row) float64 {
	var sum, squares float64
	for _, r := range rows {
		sum += c.weight(r)
		squares += c.weight(r) * c.weight(r)
	}
	return sum * sum / squares
}

// local returns the weighted mean of local scores and their standard deviation, which is
// without bias where weights say how much a sample tells.
func (c *cohort) local(rows []row) (mean, sd float64) {
	score := func(r row) float64 {
		var pairs, whole float64
		for _, cell := range c.layout.Coalitions() {
			if cell&^r.has != 0 {
				continue
			}
			size := math.Abs(c.number(r, cell, -1))
			if cell.Size() > 1 {
				if c.layout.Cells == nil {
					size *= 2
				}
				pairs += size
			}
			whole += size
		}
		return pairs / whole
	}
	var sum, squares float64
	for _, r := range rows {
		sum += c.weight(r)
		squares += c.weight(r) * c.weight(r)
		mean += c.weight(r) * score(r)
	}
	mean /= sum
	for _, r := range rows {
		sd += c.weight(r) * (score(r) - mean) * (score(r) - mean)
	}
	return mean, math.Sqrt(sd / (sum - squares/sum))
}

// Everything that intervals are made from against the slow way: means of cells, without
// each block and in each replicate, each cell over the samples that have it, by weight.
func TestMomentsTheSlowWay(t *testing.T) {
	layouts := map[string]Layout{
		"plain":              {},
		"weighted":           {Weighted: true},
		"missing":            {Present: [][]game.Coalition{nil, patterns}},
		"weighted, missing":  {Weighted: true, Present: [][]game.Coalition{nil, patterns}},
		"cells":              {Weighted: true, Present: [][]game.Coalition{nil, patterns}, Cells: cellsTo(3, 3)},
		"no blocks":          {Weighted: true},
		"unknown background": {Present: [][]game.Coalition{nil, patterns}},
	}
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			l.Blocks, l.Draws = []int{3, 5}, 3
			if name == "no blocks" {
				l.Blocks, l.Draws = nil, 0
			}
			if name == "unknown background" {
				l.Blocks, l.BackgroundUnknown = nil, true
			}
			c := newCohort(rand.New(rand.NewPCG(31, 31)), l, 90)
			a := c.accumulator()
			for _, question := range []struct {
				partition int
				groups    []int
			}{{0, nil}, {1, nil}, {0, []int{1}}, {1, []int{1}}, {1, []int{2, 0}}, {1, []int{3}}} {
				c.compare(t, a, question.partition, question.groups)
			}
			// Of few, a replicate draws none that has a cell.
			c = newCohort(rand.New(rand.NewPCG(32, 32)), l, 14)
			a = c.accumulator()
			c.compare(t, a, 0, nil)
			c.compare(t, a, 1, nil)
		})
	}
	// The comparison can fail.
	c := newCohort(rand.New(rand.NewPCG(31, 31)), Layout{Weighted: true, Draws: 3, Present: [][]game.Coalition{nil, patterns}}, 30)
	a := c.accumulator()
	c.rows[7].Weight *= 1 + 1e-9
	if got := c.faults(a, 1, nil); len(got) < Replicates {
		t.Errorf("a weight that is off by 1e-9 gives %d faults", len(got))
	}
	c.rows[7].Weight /= 1 + 1e-9
	c.rows[7].has = 0b111
	if c.rows[7].Groups[1] == 0 || len(c.faults(a, 1, nil)) == 0 {
		t.Error("a modality too many gives no fault")
	}
}

func (c *cohort) compare(t *testing.T, a *Accumulator, partition int, groups []int) {
	t.Helper()
	for _, fault := range c.faults(a, partition, groups) {
		t.Errorf("partition %d, groups %v: %s", partition, groups, fault)
	}
}

// faults compares the sums over some groups with the slow way. Sums of some ninety
// numbers of size one are exact to 1e-13 or so; a difference of large numbers loses a
// digit.
func (c *cohort) faults(a *Accumulator, partition int, groups []int) (out []string) {
	check := func(what string, got, want float64) {
		if !(math.Abs(got-want) <= 1e-11*max(1, math.Abs(want))) {
			out = append(out, fmt.Sprintf("%s: got %v, want %v", what, got, want))
		}
	}
	l := c.layout
	var rows []row
	for _, r := range c.rows {
		if len(groups) == 0 || slices.Contains(groups, r.Groups[partition]) {
			rows = append(rows, r)
		}
	}
	g, _ := a.gather(0, partition, groups)
	for _, absolute := range []bool{false, true} {
		m := newMoments(l, g, absolute)
		for at, cell := range l.Coalitions() {
			having := rows
			if l.present(partition) != nil { // else means are over all samples, as ever
				having = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return cell&^r.has != 0 })
			}
			what := fmt.Sprintf("absolute %v, cell %s", absolute, cell)
			if m.exists(at) != (len(having) > 0) {
				out = append(out, what+": exists where it should not, or the reverse")
			}
			if len(having) == 0 {
				check(what, m.mean[at], 0)
				continue
			}
			check(what+" mean", m.mean[at], c.mean(having, cell, -1, absolute, once))
			check(what+" samples", g.of(at).samples, float64(len(having)))
			check(what+" independent samples", m.cell(at).clusters, c.kish(having))
			k := 0
			for source := range m.leftOut {
				for _, means := range m.leftOut[source] {
					check(fmt.Sprintf("%s without block %d", what, k), means[at], c.mean(having, cell, k, absolute, once))
					k++
				}
			}
			if want := c.drawn(rows); k != len(l.Blocks)+l.Draws || len(m.replicates) != want {
				out = append(out, fmt.Sprintf("%d blocks and %d replicates", k, len(m.replicates)))
			}
			for i, r := range m.drawn {
				want := c.mean(having, cell, -1, absolute, func(x row) float64 { return float64(x.Weights[r]) })
				if math.IsNaN(want) { // the replicate drew none that has the cell
					want = m.mean[at]
				}
				check(fmt.Sprintf("%s replicate %d", what, r), m.replicates[i][at], want)
			}
		}
	}
	s := a.SummaryOf(0, Options{Level: .95, Quantile: func(_, _ float64) float64 { return 2 }}, partition, groups...)
	var weight, base, output float64
	for _, r := range rows {
		weight += c.weight(r)
		base += c.weight(r) * r.Base
		output += c.weight(r) * r.Output
	}
	mean, sd := c.local(rows)
	check("samples", float64(s.Samples), float64(len(rows)))
	check("weight", s.Weight, weight)
	check("base", s.Base, base/weight)
	check("output", s.Output, output/weight)
	check("independent samples", s.Clusters, c.kish(rows))
	check("local mean", s.Local.Mean.Or(-1), mean)
	check("local deviation", s.Local.SD.Or(-1), sd)
	for at := range s.Cells {
		if s.Cells[at].Samples != int(g.of(at).samples) {
			out = append(out, "another number of samples of a cell")
		}
	}
	return out
}

// The samples behind a share by hand: cells of eleven samples and of three, whose errors
// are as 3 to 1, have 1/(n−1) = (3/10 + 1/2)/4 = 1/5, so six.
func TestIndependent(t *testing.T) {
	has := tally{weight: 1}
	e := &estimator{
		moments:    &moments{clusters: 14, clustersOf: []float64{11, 3, 3, 0, 1.9}, tallies: []tally{has, has, has, {}, has}},
		deviations: []float64{3, 1, 0, 0, 0},
	}
	for _, test := range []struct {
		set  []bool
		want float64
	}{
		{[]bool{true, true, true, true, false}, 6},
		{[]bool{true, false, false, true, false}, 11},
		{[]bool{false, true, true, false, false}, 3},
		{[]bool{true, false, true, false, false}, 11}, // the second does not move
		{[]bool{false, false, false, true, false}, 14},
		{[]bool{false, false, false, false, false}, 14},
		{[]bool{true, true, false, false, true}, 0},
	} {
		if got := e.independent(test.set); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", test.set, got, test.want)
		}
	}
	e.deviations = make([]float64, 5)
	if got := e.independent([]bool{true, true, false, false, false}); got != 3 {
		t.Errorf("nothing moves: %v, want the fewest, 3", got)
	}
}
