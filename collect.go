package intershap

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// collector turns tiles into sums, and hands samples on.
type collector struct {
	plan   *Plan
	facts  facts
	layout score.Layout
	tiles  score.Tiles
	// residual[t] is the largest failure of a sample to add up, magnitude[t] the
	// largest value met.
	residual, magnitude []float64
	local               []score.Share
	phi                 []float64
	families            families
	// pattern is the position of what a sample has in the cohort's patterns.
	pattern map[game.Coalition]int

	weights  []uint8
	groups   []int // of the sample at hand
	alone    []int // its groups where sums are not by class
	matrices matrixMaker
	mats     []float64 // matrices of a tile
	draws    []float64 // matrices of a tile, by draw of coalitions
	blocks   []float64 // matrices of a tile, by block
	sample   []float64 // matrices of one sample, by block
}

func newCollector(p *Plan, warnings *diag.List) (*collector, error) {
	targets := len(p.target.names)
	c := &collector{
		plan:     p,
		residual: make([]float64, targets), magnitude: make([]float64, targets),
		weights: make([]uint8, score.Replicates),
		pattern: map[game.Coalition]int{},
	}
	for i, s := range p.cohort.patterns {
		c.pattern[s] = i
	}
	byClass := p.task == Classes || p.task == Binary
	c.facts = p.facts(byClass)
	c.layout = p.layout(&c.facts)
	if need := p.sumsBytes(c.layout); byClass && need > p.opt.Memory/4 {
		warnings.Add("by-class-omitted", "",
			"%d targets by %d predicted classes would take %d MiB, more than a quarter of the memory limit; ask for fewer targets or raise the limit", targets, len(p.classes), need>>20)
		c.facts.ByClass = false
		c.layout = p.layout(&c.facts)
	}
	if need := p.sumsBytes(c.layout); need > p.opt.Memory/4 && len(p.cohort.by)+len(p.cohort.patterns) > 0 {
		return nil, p.tooManyGroups(need)
	}
	var err error
	if c.matrices, err = p.matrices(); err != nil {
		return nil, err
	}
	alone := c.facts // interactions are not broken down
	alone.ByClass, alone.By = false, nil
	c.families, err = p.newFamilies(&c.facts, p.layout(&alone), warnings)
	for _, f := range c.families {
		c.facts.Families = append(c.facts.Families, familyName{f.index, f.order})
	}
	c.groups = make([]int, len(c.layout.Partitions))
	c.alone = make([]int, 1)
	return c, err
}

// layout is that of the sums of the paper's matrices.
func (p *Plan) layout(f *facts) score.Layout {
	sizes, has := f.partitions()
	out := score.Layout{
		Modalities: len(p.modalities), Targets: len(p.target.names), Partitions: sizes, Present: has,
		Blocks: p.background.Blocks(), BackgroundUnknown: p.background.ErrorUnknown(), Convention: p.opt.Convention,
		Weighted: f.Weighted, Clustered: f.Clustered,
	}
	if p.design != nil {
		out.Draws = p.design.Draws()
	}
	return out
}

// sumsBytes is the memory of sums: of all targets and groups, once for each level of
// the tree of tiles.
func (p *Plan) sumsBytes(l score.Layout) int64 {
	levels := int64(bits.Len(uint(p.engine.Tiles())) + 1)
	groups := 0
	for _, n := range l.Partitions {
		groups += n
	}
	return int64(l.Targets*groups) * l.SectionBytes() * levels
}

// tooManyGroups is the error of groups whose sums take too much memory.
func (p *Plan) tooManyGroups(need int64) error {
	return fmt.Errorf("intershap: the sums of %d targets by classes, groups and patterns of what is missing would take %d MiB, more than a quarter of the memory limit: want fewer groups or targets, or a higher limit (--memory)", len(p.target.names), need>>20)
}

// tile adds one tile.
func (c *collector) tile(t *engine.Tile) error {
	p, n := c.plan, t.Samples()
	cells, blocks := c.layout.Modalities*c.layout.Modalities, len(c.layout.Blocks)
	c.mats = grown(c.mats, t.Values.Len()*cells)
	c.blocks = grown(c.blocks, t.BlockValues.Len()*cells)
	c.sample = grown(c.sample, blocks*cells)
	draws := c.layout.Draws * cells // numbers of a game
	c.draws = grown(c.draws, t.Values.Len()*draws)
	c.matrices.matricesTo(c.mats, c.draws, t.Values)
	c.matrices.matricesTo(c.blocks, nil, t.BlockValues)
	sums := score.NewAccumulator(c.layout)
	from, _ := p.engine.Range()
	first := from * p.engine.TileSamples() // a shard's samples are counted from its own first
	c.families.begin()
	var weighed []float64
	if p.cohort.weight >= 0 {
		weighed = make([]float64, n)
		t.Rows.Attributes[p.cohort.weight].Float64s(weighed)
	}
	for i := range n {
		id := idText(t.Rows.IDs, i)
		c.place(t, i, id)
		x := score.Sample{Weights: c.weights}
		if weighed != nil {
			x.Weight = weighed[i]
		}
		has := present(t.Rows, i, len(p.modalities))
		for k := range p.target.names {
			at := k*n + i
			phi := c.mats[at*cells : (at+1)*cells]
			for b := range blocks {
				from := (b*t.Values.Len() + at) * cells
				copy(c.sample[b*cells:], c.blocks[from:from+cells])
			}
			v := t.Values.Game(at)
			x.Base, x.Output = v[0], v[len(v)-1]
			x.Groups, x.Phi, x.BlockPhi, x.DrawPhi = c.groups, phi, c.sample, c.draws[at*draws:(at+1)*draws]
			local := sums.Add(k, x)
			x.Groups = c.alone
			c.families.add(t, i, k, x)
			c.check(k, t.Lo+i, t.Columns[i*len(p.target.names)+k], v, phi, has)
			values := v
			if p.Sampled() {
				values = nil // of some coalitions alone
			}
			row := result.SampleRow{
				Sample: t.Lo + i - first, Target: k, ID: id, Predicted: t.Predicted[i], Present: has,
				Base: v[0], Output: v[len(v)-1], InterSHAP: local.InterSHAP, SE: local.SE, Corrected: local.Corrected,
				Values: values, Phi: phi,
			}
			if err := c.hand(row); err != nil {
				return err
			}
		}
	}
	if err := c.families.end(t.Number); err != nil {
		return err
	}
	return c.tiles.Add(t.Number, sums)
}

// place finds the groups of sample i of a tile, and its bootstrap multiplicities.
func (c *collector) place(t *engine.Tile, i int, id string) {
	co := c.plan.cohort
	together := id
	if co.cluster >= 0 {
		together = idText(t.Rows.Attributes[co.cluster], i)
	}
	score.WeightsTo(c.weights, c.plan.opt.Seed, together)
	at := 0
	if co.patterns != nil {
		at = c.pattern[present(t.Rows, i, c.layout.Modalities)]
	}
	class := 0
	if c.facts.ByClass {
		class = t.Predicted[i]
	}
	c.alone[0], c.groups[0] = c.facts.cell(0, at), c.facts.cell(class, at)
	for k := range co.by {
		b := &co.by[k]
		c.groups[1+k] = c.facts.cell(b.group[key(b.valuesOf(t.Rows.Attributes, i))], at)
	}
}

func grown(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

func (c *collector) hand(row result.SampleRow) error {
	if sink := c.plan.opt.Sink; sink != nil {
		return sink.Write(row)
	}
	if row.Target == 0 {
		c.local = append(c.local, row.InterSHAP)
		c.phi = append(c.phi, row.Phi...)
	}
	return nil
}

// check measures how far a sample is from adding up to f(x) − v({}). For the
// first samples that lack nothing f(x) is what the model said before the run, in
// another batch.
func (c *collector) check(target, sample, column int, v, phi []float64, has game.Coalition) {
	sum := 0.0
	for _, x := range phi {
		sum += x
	}
	for _, x := range v {
		c.magnitude[target] = max(c.magnitude[target], math.Abs(x))
	}
	output := v[len(v)-1]
	if o := c.plan.output; sample < len(o.rows)/o.width && has == game.Grand(c.layout.Modalities) {
		row := append([]float64{}, o.rows[sample*o.width:(sample+1)*o.width]...)
		c.plan.opt.Transform.Apply(row)
		output = row[column]
	}
	c.residual[target] = max(c.residual[target], math.Abs(sum-(output-v[0])))
}

// tolerance is what rounding explains of a residual, as a part of the largest value: the
// index adds 2^M values in float64, and the model answers in a type of its own, in
// parts by sums in another order.
func (p *Plan) tolerance() float64 {
	evaluated := 1 << len(p.modalities)
	if p.design != nil {
		evaluated = len(p.coalitions())
	}
	relative := 8*float64(evaluated)*epsilon(tensor.Float64) + 16*epsilon(p.output.dtype)
	if p.Kind() == StagedPlan {
		relative += engine.StagedBound(p.output.dtype)
	}
	return relative
}

// epsilon is the distance from 1 to the next number of a type; integers are
// exact in float64.
func epsilon(d tensor.DType) float64 {
	switch d {
	case tensor.Float16:
		return 0x1p-10
	case tensor.Float32:
		return 0x1p-23
	default:
		return 0x1p-52
	}
}

// idText is the text of a sample's id or attribute, the same whatever file it came
// from.
func idText(values tensor.Tensor, i int) string {
	switch values.DType() {
	case tensor.String:
		return tensor.Values[string](values)[i]
	case tensor.Float64:
		if v := tensor.Values[float64](values)[i]; v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10)
		}
	}
	return values.Format(i)
}
