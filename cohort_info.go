package intershap

import (
	"context"
	"slices"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/tensor"
)

// A Cohort says what the samples of a plan are: for how many they count, into which
// groups they fall, what they lack, and how long their lists are.
type Cohort struct {
	// All are all samples.
	All Units
	// By has a partition for each of Options.By.
	By []CohortPartition
	// Patterns are the sets of modalities that samples have, those of most samples
	// first; nil without Options.Missing.
	Patterns []CohortPattern
	// Present is the number of samples that have each modality, in their order; nil
	// without Options.Missing.
	Present []int
	// BackgroundRows is the number of rows that background rows are drawn from;
	// Complete of them have all modalities that are filled from rows.
	BackgroundRows, Complete int
	// Lists are those of Options.Pad.
	Lists []CohortList
}

// Units says for how much samples count.
type Units struct {
	// Samples is their number, Weight the sum of their weights: their number without
	// Options.Weight. Samples of weight 0 are not counted, as in a result.
	Samples int
	Weight  float64
	// Clusters is the number of independent samples by Kish's rule,
	//
	//	(Σ_c W_c)² / Σ_c W_c²
	//
	// over clusters c, rows of one value of Options.Cluster or else of one id, with the
	// weights W_c of their rows; 0 where all weights are. A result has an estimate of
	// it, since sums of replicates do not know the clusters one by one.
	Clusters float64
}

// CohortPartition is the groups of the samples by some columns.
type CohortPartition struct {
	Columns []string
	// Groups are sorted by their values.
	Groups []CohortGroup
}

// CohortGroup is the samples of one value of each column.
type CohortGroup struct {
	Values []string
	Units
}

// CohortPattern is the samples that have the same modalities.
type CohortPattern struct {
	Present []string
	Units
}

// CohortList says how far the lists of an input are filled up.
type CohortList struct {
	Input, Value string
	// Length is that of all rows after padding, Data and Background that of the
	// longest list in either file; both are the same without background rows.
	Length, Data, Background int
}

// Cohort counts the samples of a plan. It reads the columns beside the inputs and the
// lists that are padded once more, no values of other inputs.
//
// Errors are those of reading: a file that changed or cannot be read any more.
func (p *Plan) Cohort(ctx context.Context) (*Cohort, error) {
	c := &Cohort{BackgroundRows: p.rows.Len(), Complete: p.rows.Len()}
	if rows := p.cohort.candidates; rows != nil {
		c.Complete = len(rows)
	}
	if err := p.countUnits(ctx, c); err != nil {
		return nil, err
	}
	var err error
	c.Lists, err = p.countLists(ctx)
	return c, err
}

// countUnits fills in all samples, groups and patterns.
func (p *Plan) countUnits(ctx context.Context, c *Cohort) error {
	const chunk = 4096
	own := p.cohort
	all := newUnitCounter()
	groups := make([][]*unitCounter, len(own.by))
	for i, b := range own.by {
		for range b.values {
			groups[i] = append(groups[i], newUnitCounter())
		}
	}
	patterns := map[game.Coalition]*unitCounter{}
	for _, has := range own.patterns {
		patterns[has] = newUnitCounter()
	}
	// A cluster is counted by its number: its name may be long.
	numbers := map[string]int{}
	for lo := 0; lo < p.samples.Len(); lo += chunk {
		hi := min(lo+chunk, p.samples.Len())
		columns, err := p.samples.ReadAttributes(ctx, lo, hi)
		if err != nil {
			return err
		}
		together, err := p.drawnTogether(ctx, columns, lo, hi)
		if err != nil {
			return err
		}
		has, err := p.samples.ReadPresent(ctx, lo, hi)
		if err != nil {
			return err
		}
		weights := slices.Repeat([]float64{1}, hi-lo)
		if own.weight >= 0 {
			columns[own.weight].Float64s(weights)
		}
		for r, w := range weights {
			if w == 0 {
				continue
			}
			cluster := lo + r
			if together != nil {
				name := idText(*together, r)
				if _, met := numbers[name]; !met {
					numbers[name] = len(numbers)
				}
				cluster = numbers[name]
			}
			all.add(cluster, w)
			for i := range own.by {
				b := &own.by[i]
				groups[i][b.group[key(b.valuesOf(columns, r))]].add(cluster, w)
			}
			if has != nil {
				patterns[game.Coalition(has[r])].add(cluster, w)
			}
		}
	}
	c.All = all.units()
	for i, b := range own.by {
		part := CohortPartition{Columns: b.columns}
		for g, values := range b.values {
			part.Groups = append(part.Groups, CohortGroup{values, groups[i][g].units()})
		}
		c.By = append(c.By, part)
	}
	if own.patterns != nil {
		c.Present = make([]int, len(p.modalities))
	}
	for _, has := range own.patterns {
		pattern := CohortPattern{Present: []string{}, Units: patterns[has].units()}
		for i, m := range p.modalities {
			if has.Has(i) {
				pattern.Present = append(pattern.Present, m.Name)
				c.Present[i] += pattern.Samples
			}
		}
		c.Patterns = append(c.Patterns, pattern)
	}
	return nil
}

// drawnTogether returns the column whose equal values are rows that depend on each
// other; nil where each row stands for itself.
func (p *Plan) drawnTogether(ctx context.Context, columns []tensor.Tensor, lo, hi int) (*tensor.Tensor, error) {
	if at := p.cohort.cluster; at >= 0 {
		return &columns[at], nil
	}
	file := p.samples.File()
	isInput := slices.ContainsFunc(p.samples.Inputs(), func(in tensor.Spec) bool { return in.Name == idName })
	at := slices.IndexFunc(file.Columns(), func(c dataset.Column) bool { return c.Name == idName && c.Refused == nil && c.RowLen() == 1 })
	if isInput || at < 0 {
		return nil, nil
	}
	ids, err := file.Read(ctx, lo, hi, []int{at})
	if err != nil {
		return nil, err
	}
	return &ids[0], nil
}

// idName is the column of the samples' names.
const idName = "id"

// countLists measures the lists that are padded.
func (p *Plan) countLists(ctx context.Context) ([]CohortList, error) {
	pads, err := dataset.ParsePad(p.opt.Pad)
	if err != nil || len(pads) == 0 {
		return nil, err
	}
	// The lengths of a file's lists are looked for where a model leaves them open.
	var open []tensor.Spec
	for _, pad := range pads {
		open = append(open, tensor.Spec{Name: pad.Input, Shape: []int{-1, -1}})
	}
	data, err := dataset.PadTogether(ctx, pads, open, p.samples.File())
	if err != nil {
		return nil, err
	}
	rows, err := dataset.PadTogether(ctx, pads, open, p.rows.File())
	if err != nil {
		return nil, err
	}
	var out []CohortList
	for i, pad := range pads {
		l := CohortList{Input: pad.Input, Value: pad.Value, Data: data[i].Length, Background: rows[i].Length}
		for _, in := range p.samples.Inputs() {
			if in.Name == pad.Input && len(in.Shape) > 1 {
				l.Length = in.Shape[1]
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// A unitCounter adds up samples and the weights of their clusters.
type unitCounter struct {
	samples  int
	clusters map[int]float64
}

func newUnitCounter() *unitCounter { return &unitCounter{clusters: map[int]float64{}} }

func (c *unitCounter) add(cluster int, weight float64) {
	c.samples++
	c.clusters[cluster] += weight
}

func (c *unitCounter) units() Units {
	u := Units{Samples: c.samples}
	// In a fixed order, so that the last bit does not depend on the map's.
	weights := make([]float64, 0, len(c.clusters))
	for _, w := range c.clusters {
		weights = append(weights, w)
	}
	slices.Sort(weights)
	squares := 0.0
	for _, w := range weights {
		u.Weight += w
		squares += w * w
	}
	if squares > 0 {
		u.Clusters = u.Weight / squares * u.Weight
	}
	return u
}
