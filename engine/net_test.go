package engine

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A net is a small dense model with known parts: whole it computes every row
// from the inputs, in parts every pair, by the same arithmetic.
type net struct {
	inputs     []tensor.Spec
	modalities []dataset.Modality
	layers     []layer
	// output is the tensor that is explained; terms add up to it instead.
	output string
	terms  []string
	// added has the sums that layers take, by name, with their terms.
	added map[string][]string
	width int
	sums  bool // whether the last part is a Summer
	// wrong spoils the parts; fault spoils the output for some inputs of it, by
	// NaN or by an error, or that of another layer where faulty names one.
	wrong  func(*model.Stages)
	fault  func(x []float64) (nan bool, err error)
	faulty string
	// encoderBytes is what a row of an encoder is said to take.
	encoderBytes int64

	mu    sync.Mutex
	count map[string]int64 // rows by layer
}

// A layer computes tanh(W·inputs + bias), without tanh where linear.
type layer struct {
	players []int
	inputs  []string
	output  string
	width   int
	linear  bool
	weights []float64 // width by inputs and bias
}

const leafWidth = 2

// newNet returns a net of m modalities with inputs of their own: the layers are
// added by hand.
func newNet(m int, width int) *net {
	n := &net{width: width, output: "y", sums: true, count: map[string]int64{}}
	for i := range m {
		name := fmt.Sprintf("m%d", i)
		n.inputs = append(n.inputs, tensor.Spec{Name: name, DType: tensor.Float64, Shape: []int{-1, leafWidth}})
		n.modalities = append(n.modalities, dataset.Modality{Name: name, Parts: []dataset.Part{{Input: i, Lo: 0, Hi: leafWidth}}})
	}
	return n
}

// newSliced returns a net whose modalities are slices of one input x.
func newSliced(m, width int) *net {
	n := newNet(m, width)
	n.inputs = []tensor.Spec{{Name: "x", DType: tensor.Float64, Shape: []int{-1, m * leafWidth}}}
	for i := range n.modalities {
		n.modalities[i].Parts[0] = dataset.Part{Input: 0, Lo: i * leafWidth, Hi: (i + 1) * leafWidth}
	}
	return n
}

// sliceName is the name of a leaf of such a net.
func sliceName(lo int) string { return fmt.Sprintf("x[%d:%d]", lo, lo+leafWidth) }

// widthOf is the width of a leaf or of a layer's output.
func (n *net) widthOf(name string) int {
	if terms := n.added[name]; terms != nil {
		return n.widthOf(terms[0])
	}
	for _, l := range n.layers {
		if l.output == name {
			return l.width
		}
	}
	return leafWidth
}

// add adds a layer with random weights.
func (n *net) add(rng *rand.Rand, output string, width int, linear bool, players []int, inputs ...string) {
	l := layer{players: players, inputs: inputs, output: output, width: width, linear: linear}
	size := 1
	for _, in := range inputs {
		size += n.widthOf(in)
	}
	for range width * size {
		l.weights = append(l.weights, rng.NormFloat64())
	}
	n.layers = append(n.layers, l)
}

// randomNet returns a net with encoders, fusions of some modalities and a head,
// some modalities reaching the head directly, and one ignored where asked.
func randomNet(rng *rand.Rand, m, width int, ignored bool) *net {
	n := newNet(m, width)
	top := make([]string, m)
	last := m
	if ignored {
		last--
	}
	for i := range last {
		top[i] = fmt.Sprintf("m%d", i)
		if last > 1 && rng.IntN(4) > 0 { // no two parts have the same modalities
			top[i] = fmt.Sprintf("h%d", i)
			n.add(rng, top[i], 1+rng.IntN(4), false, []int{i}, fmt.Sprintf("m%d", i))
		}
	}
	inputs := slices.Clone(top[:last])
	var players []int
	for i := range last {
		players = append(players, i)
	}
	if last > 2 {
		n.add(rng, "f01", 3, false, []int{0, 1}, top[0], top[1])
		inputs = append(inputs[1:], "f01") // modality 1 goes round the fusion too
		if last > 3 {
			n.add(rng, "f013", 2, false, []int{0, 1, 3}, "f01", top[3], top[1])
			inputs = append(inputs, "f013")
		}
	}
	n.add(rng, n.output, width, true, players, inputs...)
	return n
}

// apply computes a layer for one row or pair.
func (n *net) apply(l *layer, dst, x []float64) error {
	nan := false
	if n.fault != nil && (l.output == n.faulty || n.faulty == "" && l.output == n.output) {
		var err error
		if nan, err = n.fault(x); err != nil {
			return err
		}
	}
	size := len(x) + 1
	for o := range l.width {
		w := l.weights[o*size : (o+1)*size]
		sum := w[len(x)]
		for i, v := range x {
			sum += w[i] * v
		}
		if !l.linear {
			sum = math.Tanh(sum)
		}
		if nan {
			sum = math.NaN()
		}
		dst[o] = sum
	}
	return nil
}

// Predict computes every row through all layers.
func (n *net) Predict(_ context.Context, inputs model.Batch) (model.Batch, error) {
	y := make([]float64, inputs.Rows()*n.width)
	for r := range inputs.Rows() {
		known := map[string][]float64{}
		for _, in := range inputs {
			row := tensor.Values[float64](in.Tensor)[r*in.Tensor.RowLen():][:in.Tensor.RowLen()]
			known[in.Name] = row
			for lo := 0; lo < len(row); lo += leafWidth {
				known[sliceName(lo)] = row[lo : lo+leafWidth]
			}
		}
		for i := range n.layers {
			l := &n.layers[i]
			var x []float64
			for _, name := range l.inputs {
				row := slices.Clone(known[name])
				for k, term := range n.added[name] {
					if k == 0 {
						row = make([]float64, len(known[term]))
					}
					for c, y := range known[term] {
						row[c] += y
					}
				}
				x = append(x, row...)
			}
			known[l.output] = make([]float64, l.width)
			if err := n.apply(l, known[l.output], x); err != nil {
				return nil, err
			}
		}
		if len(n.terms) == 0 {
			copy(y[r*n.width:], known[n.output])
		}
		for _, t := range n.terms {
			for c, v := range known[t] {
				y[r*n.width+c] += v
			}
		}
	}
	return model.Batch{{Name: "y", Tensor: tensor.Of(y, inputs.Rows(), n.width)}}, nil
}

// Stage returns the layers as parts.
func (n *net) Stage(_ context.Context, q model.Question) (*model.Stages, error) {
	s := &model.Stages{Output: n.output, Terms: n.terms}
	transform, err := ParseTransform(q.Transform)
	if err != nil {
		return nil, err
	}
	for i := range n.layers {
		l := &n.layers[i]
		var g model.Grid = &netGrid{net: n, layer: l}
		if l.output == n.output && n.sums {
			g = &netSummer{netGrid{net: n, layer: l}, transform}
		}
		macs, bytes := int64(len(l.weights)), int64(0)
		if len(l.players) == 1 {
			bytes = n.encoderBytes
		}
		s.MACs += macs
		s.Parts = append(s.Parts, model.Part{
			Players: l.players, Inputs: l.inputs, MACs: macs, RowBytes: bytes, Grid: g,
			Outputs: []tensor.Spec{{Name: l.output, DType: tensor.Float64, Shape: []int{-1, l.width}}},
		})
	}
	if len(n.terms) > 0 {
		s.Output = ""
	}
	for name, terms := range n.added {
		s.Sums = append(s.Sums, model.Sum{Name: name, Terms: terms, Sample: name + ":sample", Background: name + ":background"})
	}
	if n.wrong != nil {
		n.wrong(s)
	}
	return s, nil
}

func (n *net) counts(name string, rows int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count[name] += int64(rows)
}

// counted returns the rows so far by layer, and forgets them.
func (n *net) counted() map[string]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := maps.Clone(n.count)
	clear(n.count)
	return out
}

// A netGrid computes one layer.
type netGrid struct {
	net   *net
	layer *layer
}

func (g *netGrid) Evaluate(_ context.Context, inputs model.Batch) (model.Batch, error) {
	n, b := pairsIn(inputs)
	out := make([]float64, n*b*g.layer.width)
	for i := range n {
		for k := range b {
			var x []float64
			for _, name := range g.layer.inputs {
				if g.net.added[name] == nil {
					row, err := entry(inputs, name, i, k, n, b)
					if err != nil {
						return nil, err
					}
					x = append(x, row...)
					continue
				}
				sample, err := entry(inputs, name+":sample", i, k, n, b)
				if err != nil {
					return nil, err
				}
				other, err := entry(inputs, name+":background", i, k, n, b)
				if err != nil {
					return nil, err
				}
				for c := range sample {
					x = append(x, sample[c]+other[c])
				}
			}
			if err := g.net.apply(g.layer, out[(i*b+k)*g.layer.width:], x); err != nil {
				return nil, err
			}
		}
	}
	g.net.counts(g.layer.output, n*b)
	return model.Batch{{Name: g.layer.output, Tensor: tensor.Of(out, n, b, g.layer.width)}}, nil
}

// entry returns what pair i, k of n by b has of an input.
func entry(inputs model.Batch, name string, i, k, n, b int) ([]float64, error) {
	in, ok := inputs.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no input %q", name)
	}
	rows, columns := in.Shape()[0], in.Shape()[1]
	if rows != 1 && rows != n || columns != 1 && columns != b {
		return nil, fmt.Errorf("%q has shape %v among %d by %d", name, in.Shape(), n, b)
	}
	width := in.Len() / (rows * columns)
	from := (i%rows*columns + k%columns) * width
	return tensor.Values[float64](in)[from : from+width], nil
}

// A netSummer adds the transformed output up.
type netSummer struct {
	netGrid
	transform Transform
}

func (g *netSummer) SumRows(ctx context.Context, inputs model.Batch, blocks []int) (model.Sums, error) {
	n, b := pairsIn(inputs)
	var blockOf []int
	for k, length := range blocks {
		blockOf = append(blockOf, slices.Repeat([]int{k}, length)...)
	}
	if len(blockOf) != b {
		return model.Sums{}, fmt.Errorf("blocks %v of %d rows", blocks, b)
	}
	outputs, err := g.Evaluate(ctx, inputs)
	if err != nil {
		return model.Sums{}, err
	}
	w := g.layer.width
	values := tensor.Values[float64](outputs[0].Tensor)
	sums := model.Sums{Shape: []int{n, len(blocks), w}, High: make([]float64, n*len(blocks)*w), Low: make([]float64, n*len(blocks)*w)}
	for i := range n {
		for k := range b {
			row := values[(i*b+k)*w : (i*b+k+1)*w]
			bad := false
			for _, y := range row {
				bad = bad || y-y != 0
			}
			g.transform.Apply(row)
			for c, y := range row {
				if bad {
					y = math.NaN()
				}
				at := (i*len(blocks)+blockOf[k])*w + c
				sum := mean{sums.High[at], sums.Low[at]}
				sum.add(y)
				sums.High[at], sums.Low[at] = sum.high, sum.low
			}
		}
	}
	return sums, nil
}

func (g *netSummer) SumSamples(context.Context, model.Batch) (model.Sums, error) {
	return model.Sums{}, fmt.Errorf("no run asks for sums over samples")
}

// A table is a source of random rows for a net.
type table struct {
	specs []tensor.Spec
	rows  []tensor.Tensor
}

func newTable(rng *rand.Rand, specs []tensor.Spec, rows int) table {
	t := table{specs: specs}
	for _, s := range specs {
		values := make([]float64, rows*s.RowLen())
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		t.rows = append(t.rows, tensor.Of(values, append([]int{rows}, s.Shape[1:]...)...))
	}
	return t
}

func (t table) Len() int              { return t.rows[0].Rows() }
func (t table) Inputs() []tensor.Spec { return t.specs }
func (t table) Read(_ context.Context, lo, hi int) (dataset.Rows, error) {
	out := dataset.Rows{Lo: lo}
	for _, in := range t.rows {
		out.Inputs = append(out.Inputs, in.Slice(lo, hi))
	}
	return out, nil
}

func (t table) Gather(_ context.Context, rows []int) (dataset.Rows, error) {
	var out dataset.Rows
	for _, in := range t.rows {
		picked := tensor.New(in.DType(), append([]int{len(rows)}, in.Shape()[1:]...)...)
		for r, from := range rows {
			picked.CopyRow(r, in, from, 0, in.RowLen())
		}
		out.Inputs = append(out.Inputs, picked)
	}
	return out, nil
}

// options describes a run of a net on n samples and b background rows.
func (n *net) options(t testing.TB, samples, rows int, masks ...string) Options {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, uint64(samples*rows)))
	source := newTable(rng, n.inputs, rows)
	mask, err := background.ParseMask(masks, n.modalities, n.inputs)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := background.Draw(t.Context(), source, n.modalities, mask, background.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return Options{Model: n, Samples: newTable(rng, n.inputs, samples), Modalities: n.modalities, Background: drawn,
		Output: "y", Width: n.width, Target: Target{Choice: Predicted}, Workers: 2}
}

// inParts returns options with the net's parts, held against the whole.
func inParts(t testing.TB, opt Options) Options {
	t.Helper()
	stages, err := Stage(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	opt.Stages = stages
	opt.Model.(*net).counted() // the look is no part of a run
	return opt
}

// An answer is all that a run says.
type answer struct {
	values, blocks     []float64
	predicted, columns []int
	cost               Cost
}

// solve runs a plan.
func solve(t *testing.T, opt Options) (*Plan, answer) {
	t.Helper()
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	a.cost, err = p.Run(t.Context(), func(tile *Tile) error {
		// By sample, so that tiles of any size compare.
		targets, n := opt.Target.Len(), tile.Samples()
		for i := range n {
			for j := range targets {
				a.values = append(a.values, tile.Values.Game(j*n+i)...)
				for k := range tile.BlockValues.Len() / (n * targets) {
					a.blocks = append(a.blocks, tile.BlockValues.Game((k*targets+j)*n+i)...)
				}
			}
		}
		a.predicted = append(a.predicted, tile.Predicted...)
		a.columns = append(a.columns, tile.Columns...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, a
}

// differs returns the largest difference between two answers, relative to the
// largest value; infinity where they are not of the same kind.
func (a answer) differs(b answer) float64 {
	if len(a.values) != len(b.values) || len(a.blocks) != len(b.blocks) || len(a.values) == 0 ||
		!slices.Equal(a.predicted, b.predicted) || !slices.Equal(a.columns, b.columns) {
		return math.Inf(1)
	}
	return max(compare(a.values, b.values, 1).difference, compare(append(a.blocks, 1), append(b.blocks, 1), 1).difference)
}

func TestDiffers(t *testing.T) {
	a := answer{values: []float64{1, 2}, blocks: []float64{3}, predicted: []int{0}}
	for name, b := range map[string]answer{
		"value":     {values: []float64{1, 2.1}, blocks: []float64{3}, predicted: []int{0}},
		"NaN":       {values: []float64{1, math.NaN()}, blocks: []float64{3}, predicted: []int{0}},
		"block":     {values: []float64{1, 2}, blocks: []float64{3.1}, predicted: []int{0}},
		"class":     {values: []float64{1, 2}, blocks: []float64{3}, predicted: []int{1}},
		"no blocks": {values: []float64{1, 2}, predicted: []int{0}},
	} {
		if d := a.differs(b); d <= 1e-3 {
			t.Errorf("another %s: difference %v, want a large one", name, d)
		}
	}
	if d := a.differs(a); d != 0 {
		t.Errorf("the same answer differs by %v", d)
	}
}
