package intershap

import (
	"math"
	"math/bits"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// collector turns tiles into sums, and hands samples on.
type collector struct {
	plan   *Plan
	layout score.Layout
	tiles  score.Tiles
	// residual[t] is the largest failure of a sample to add up, magnitude[t] the
	// largest value met.
	residual, magnitude []float64
	local               []score.Share
	phi                 []float64
	families            *families
	// evaluated is the number of coalitions.
	evaluated int

	weights  []uint8
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
	}
	c.layout = score.Layout{
		Modalities: len(p.modalities), Targets: targets, Groups: 1,
		Blocks: p.background.Blocks(), BackgroundUnknown: p.background.ErrorUnknown(), Convention: p.opt.Convention,
	}
	c.evaluated = 1 << len(p.modalities)
	if p.design != nil {
		c.evaluated = len(p.coalitions())
		c.layout.Draws = p.design.Draws()
	}
	if p.task == Classes || p.task == Binary {
		c.layout.Groups = len(p.classes)
	}
	// Sums of all targets and classes are kept once for each level of the tree
	// of tiles.
	levels := int64(bits.Len(uint(p.engine.Tiles())) + 1)
	if need := int64(targets*c.layout.Groups) * c.layout.SectionBytes() * levels; c.layout.Groups > 1 && need > p.opt.Memory/4 {
		warnings.Add("by-class-omitted", "",
			"%d targets by %d predicted classes would take %d MiB, more than a quarter of the memory limit; ask for fewer targets or raise the limit", targets, c.layout.Groups, need>>20)
		c.layout.Groups = 1
	}
	c.weights = make([]uint8, score.Replicates)
	var err error
	if c.matrices, err = p.matrices(); err != nil {
		return nil, err
	}
	c.families, err = p.newFamilies(warnings)
	return c, err
}

// tile adds one tile.
func (c *collector) tile(t *engine.Tile) error {
	n, cells, blocks := t.Samples(), c.layout.Modalities*c.layout.Modalities, len(c.layout.Blocks)
	c.mats = grown(c.mats, t.Values.Len()*cells)
	c.blocks = grown(c.blocks, t.BlockValues.Len()*cells)
	c.sample = grown(c.sample, blocks*cells)
	draws := c.layout.Draws * cells // numbers of a game
	c.draws = grown(c.draws, t.Values.Len()*draws)
	c.matrices.matricesTo(c.mats, c.draws, t.Values)
	c.matrices.matricesTo(c.blocks, nil, t.BlockValues)
	sums := score.NewAccumulator(c.layout)
	c.families.begin()
	for i := range n {
		id := idText(t.Rows.IDs, i)
		score.WeightsTo(c.weights, c.plan.opt.Seed, id)
		group := t.Predicted[i]
		if c.layout.Groups == 1 {
			group = 0
		}
		for k := range c.plan.target.names {
			at := k*n + i
			phi := c.mats[at*cells : (at+1)*cells]
			for b := range blocks {
				from := (b*t.Values.Len() + at) * cells
				copy(c.sample[b*cells:], c.blocks[from:from+cells])
			}
			v := t.Values.Game(at)
			local := sums.Add(k, score.Sample{
				Group: group, Base: v[0], Output: v[len(v)-1],
				Phi: phi, BlockPhi: c.sample, DrawPhi: c.draws[at*draws : (at+1)*draws], Weights: c.weights,
			})
			c.families.add(t, i, k, c.weights)
			c.check(k, t.Lo+i, t.Columns[i*len(c.plan.target.names)+k], v, phi)
			values := v
			if c.plan.Sampled() {
				values = nil // of some coalitions alone
			}
			row := result.SampleRow{
				Sample: t.Lo + i, Target: k, ID: id, Predicted: t.Predicted[i],
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
// first samples f(x) is what the model said before the run, in another batch.
func (c *collector) check(target, sample, column int, v, phi []float64) {
	sum := 0.0
	for _, x := range phi {
		sum += x
	}
	for _, x := range v {
		c.magnitude[target] = max(c.magnitude[target], math.Abs(x))
	}
	output := v[len(v)-1]
	if o := c.plan.output; sample < len(o.rows)/o.width {
		row := append([]float64{}, o.rows[sample*o.width:(sample+1)*o.width]...)
		c.plan.opt.Transform.Apply(row)
		output = row[column]
	}
	c.residual[target] = max(c.residual[target], math.Abs(sum-(output-v[0])))
}

// tolerance is what rounding explains: the index adds 2^M values in float64,
// and the model answers in a type of its own, in parts by sums in another order.
func (c *collector) tolerance(target int) float64 {
	relative := 8*float64(c.evaluated)*epsilon(tensor.Float64) + 16*epsilon(c.plan.output.dtype)
	if c.plan.Kind() == StagedPlan {
		relative += engine.StagedBound(c.plan.output.dtype)
	}
	return relative * max(c.magnitude[target], math.SmallestNonzeroFloat64)
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

// idText is the text of a sample's id, the same whatever file it came from.
func idText(ids tensor.Tensor, i int) string {
	if ids.DType() == tensor.String {
		return tensor.Values[string](ids)[i]
	}
	return ids.Format(i)
}
