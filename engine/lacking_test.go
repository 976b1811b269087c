package engine

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/tensor"
)

// A patchy source has samples that lack modalities.
type patchy struct {
	table
	present []uint64
}

func (p patchy) Read(ctx context.Context, lo, hi int) (dataset.Rows, error) {
	rows, err := p.table.Read(ctx, lo, hi)
	if p.present != nil {
		rows.Present = p.present[lo:hi]
	}
	rows.Labels = tensor.Of(slices.Clone(labelsFrom(lo, hi)), hi-lo)
	return rows, err
}

func labelsFrom(lo, hi int) []int64 {
	var out []int64
	for i := lo; i < hi; i++ {
		out = append(out, int64(i%3))
	}
	return out
}

func labelOf(labels tensor.Tensor, row int) (int, error) {
	return int(tensor.Values[int64](labels)[row]), nil
}

// pick returns the samples of some rows, in their order.
func (p patchy) pick(t *testing.T, rows ...int) patchy {
	t.Helper()
	out, err := p.Gather(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	picked := patchy{table: table{specs: p.specs, rows: out.Inputs}}
	for _, r := range rows {
		picked.present = append(picked.present, p.present[r])
	}
	return picked
}

// lack makes samples of a net's options lack modalities at random, each with a chance
// of one half, but every third sample none. What stands in the gaps is NaN, so that
// nothing can come of it unseen.
func lack(rng *rand.Rand, opt Options) patchy {
	source := patchy{table: opt.Samples.(table)}
	all := uint64(game.Grand(len(opt.Modalities)))
	for i := range source.Len() {
		present := all
		if i%3 > 0 {
			present = rng.Uint64() & all
		}
		source.present = append(source.present, present)
	}
	return source.blank(opt.Modalities, math.NaN)
}

// blank returns the source with other values where modalities are absent.
func (p patchy) blank(modalities []dataset.Modality, value func() float64) patchy {
	rows := p.rows
	p.rows = nil
	for _, in := range rows {
		p.rows = append(p.rows, tensor.Concat(in))
	}
	for i, present := range p.present {
		for player, modality := range modalities {
			if present>>player&1 == 1 {
				continue
			}
			for _, part := range modality.Parts {
				in := p.rows[part.Input]
				row := tensor.Values[float64](in)[i*in.RowLen():]
				for e := part.Lo; e < part.Hi; e++ {
					row[e] = value()
				}
			}
		}
	}
	return p
}

// byHand plays every sample out as the definition says: row by row, each by itself,
// v(S) the mean over background rows of the output with S∩P the sample's own.
func byHand(t *testing.T, opt Options) answer {
	t.Helper()
	source := opt.Samples.(patchy)
	back := opt.Background
	m, b, blocks := len(opt.Modalities), back.Len(), max(1, len(back.Blocks()))
	// ask returns the output with the modalities in s the sample's own, before and
	// after the transform.
	ask := func(i int, s game.Coalition, k int) (plain, transformed []float64) {
		var one []tensor.Tensor
		for input, in := range source.rows {
			row := tensor.Concat(in.Slice(i, i+1))
			for player, modality := range opt.Modalities {
				for _, part := range modality.Parts {
					if part.Input == input && !s.Has(player) {
						row.CopyElements(part.Lo, back.Inputs()[input], k*in.RowLen()+part.Lo, part.Hi-part.Lo)
					}
				}
			}
			one = append(one, row)
		}
		out, err := Probe(t.Context(), opt.Model, source.specs, one)
		if err != nil {
			t.Fatal(err)
		}
		plain = slices.Clone(tensor.Values[float64](out[0].Tensor))
		transformed = slices.Clone(plain)
		opt.Transform.Apply(transformed)
		return plain, transformed
	}
	var a answer
	for i := range source.Len() {
		all := game.Grand(m)
		has := game.Coalition(source.present[i]) & all
		// v[s][block or all][column], and the outputs of what the sample has.
		v := make([][][]float64, 1<<m)
		var plain []float64
		for s := range v {
			v[s] = make([][]float64, blocks+1)
			for k := range v[s] {
				v[s][k] = make([]float64, opt.Width)
			}
			own := game.Coalition(s) & has
			meanPlain := make([]float64, opt.Width)
			for k := range b {
				y, z := ask(i, own, k)
				block, size := 0, b
				if len(back.Blocks()) > 0 {
					block, size = back.BlockOf()[k], back.Blocks()[back.BlockOf()[k]]
				}
				for c := range z {
					v[s][blocks][c] += z[c] / float64(b)
					v[s][block][c] += z[c] / float64(size)
					meanPlain[c] += y[c] / float64(b)
				}
			}
			if game.Coalition(s) == all {
				plain = meanPlain
			}
		}
		class := argmax(v[all][blocks])
		switch {
		case opt.Classify != nil:
			class = opt.Classify(plain)
		case has == all:
			class = argmax(plain) // of the sample's one output
		}
		columns := opt.Target.Columns
		switch opt.Target.Choice {
		case Predicted:
			columns = []int{class}
		case Label:
			columns = []int{i % 3}
		}
		for _, c := range columns {
			for s := range v {
				a.values = append(a.values, v[s][blocks][c])
			}
			for k := range len(back.Blocks()) {
				for s := range v {
					a.blocks = append(a.blocks, v[s][k][c])
				}
			}
		}
		a.predicted = append(a.predicted, class)
		a.columns = append(a.columns, columns...)
	}
	return a
}

// A lackingCase is a net, and how it is asked.
type lackingCase struct {
	name, reason string
	net          func(rng *rand.Rand) *net
	masks        []string
	transform    Transform
	target       Target
	classify     func([]float64) int
	samples      int
	rows         int
	memory       int64
}

func (c lackingCase) options(t *testing.T) (*rand.Rand, Options) {
	rng := rand.New(rand.NewPCG(11, uint64(c.samples*c.rows)))
	n := c.net(rng)
	n.fault = func(x []float64) (bool, error) {
		if slices.ContainsFunc(x, math.IsNaN) {
			return false, errors.New("what stands in a gap reached the model")
		}
		return false, nil
	}
	opt := n.options(t, c.samples, c.rows, c.masks...)
	opt.Transform, opt.Classify, opt.Memory, opt.Labels = c.transform, c.classify, c.memory, labelOf
	if c.target.Choice != 0 {
		opt.Target = c.target
	}
	opt.Samples = lack(rng, opt)
	return rng, opt
}

// positive is the class of an output with one column.
func positive(row []float64) int {
	if row[0] >= 0.1 {
		return 1
	}
	return 0
}

func lackingCases() []lackingCase {
	random := func(m, width int, change ...func(*net)) func(*rand.Rand) *net {
		return func(rng *rand.Rand) *net {
			n := randomNet(rng, m, width, false)
			for _, f := range change {
				f(n)
			}
			return n
		}
	}
	ignored := func(m int) func(*rand.Rand) *net {
		return func(rng *rand.Rand) *net { return randomNet(rng, m, 3, true) }
	}
	byRow, fix := func(n *net) { n.sums = false }, (*net).fix
	all := Target{Choice: Columns, Columns: []int{0, 1, 2}}
	additive := func(change ...func(*net)) func(*rand.Rand) *net {
		return func(rng *rand.Rand) *net {
			n := additiveNet(rng, 4, 3)
			for _, f := range change {
				f(n)
			}
			return n
		}
	}
	return []lackingCase{
		{name: "one", reason: "a sample has all or nothing", net: random(1, 3), samples: 20, rows: 7},
		{name: "two", reason: "the smallest game", net: random(2, 3), samples: 37, rows: 20},
		{name: "three", reason: "a fusion of two before the head", net: random(3, 3), samples: 37, rows: 20},
		{name: "four", reason: "nested fusions", net: random(4, 3), samples: 21, rows: 33},
		{name: "five", reason: "32 patterns", net: random(5, 3), samples: 40, rows: 9},
		{name: "row by row", reason: "a head that cannot add up", net: random(4, 3, byRow), samples: 21, rows: 33},
		{name: "softmax", reason: "the class is that of the transformed mean", net: random(3, 3), samples: 30, rows: 20, transform: Softmax},
		{name: "softmax row by row", reason: "the same without sums", net: random(3, 3, byRow), samples: 30, rows: 20, transform: Softmax},
		{name: "all", reason: "several targets", net: random(3, 3), samples: 18, rows: 20, transform: Sigmoid, target: all},
		{name: "label", reason: "columns that no output chooses", net: random(3, 3), samples: 18, rows: 20, transform: Centred, target: Target{Choice: Label}},
		{name: "binary", reason: "the class is that of the plain mean", net: random(3, 1), samples: 40, rows: 20, transform: Sigmoid, classify: positive,
			target: Target{Choice: Columns, Columns: []int{0}}},
		{name: "binary two", reason: "the class of nothing at all", net: random(2, 1, byRow), samples: 40, rows: 20, transform: Sigmoid, classify: positive,
			target: Target{Choice: Columns, Columns: []int{0}}},
		{name: "fixed", reason: "each sample has a base of its own", net: random(4, 3, fix), samples: 18, rows: 20},
		{name: "fixed row by row", reason: "the same without sums", net: random(3, 3, fix, byRow), samples: 18, rows: 17},
		{name: "ignored", reason: "the output has fewer modalities than the game", net: ignored(4), samples: 18, rows: 20},
		{name: "single", reason: "the output depends on one modality", net: ignored(2), samples: 18, rows: 20},
		{name: "mean", reason: "one background row without blocks", net: random(3, 3), samples: 18, rows: 20, masks: []string{"mean"}},
		{name: "mixed masks", reason: "one modality of fixed values", net: random(3, 3), samples: 18, rows: 20, masks: []string{"m0=zero"}},
		{name: "one row", reason: "one background row is no block", net: random(3, 3), samples: 18, rows: 1},
		{name: "slices", reason: "modalities of one input", net: newSlicedFusion, samples: 30, rows: 20},
		{name: "sums", reason: "halves of a sum", net: func(rng *rand.Rand) *net { return newAdded(rng, false) }, samples: 30, rows: 20},
		{name: "sums fixed", reason: "halves with fixed inputs", net: func(rng *rand.Rand) *net { return newAdded(rng, true) }, samples: 30, rows: 20},
		{name: "additive", reason: "terms, no combination", net: additive(), samples: 37, rows: 20},
		{name: "additive centred", reason: "a linear transform of terms", net: additive(), samples: 37, rows: 20, transform: Centred, target: all},
		{name: "additive fixed", reason: "a term that is always the sample's", net: additive(fix), samples: 37, rows: 20},
		{name: "small tiles", reason: "calls and tiles cut short by memory", net: random(4, 3), samples: 60, rows: 40, memory: 1 << 20},
	}
}

// newSlicedFusion returns a net of three slices of one input.
func newSlicedFusion(rng *rand.Rand) *net {
	n := newSliced(3, 3)
	n.add(rng, "h0", 3, false, []int{0}, sliceName(0))
	n.add(rng, "f12", 3, false, []int{1, 2}, sliceName(leafWidth), sliceName(2*leafWidth))
	n.add(rng, "y", 3, true, []int{0, 1, 2}, "h0", "f12")
	return n
}

// Both ways must give what the definition gives, for every pattern of modalities.
func TestLackingByHand(t *testing.T) {
	for _, c := range lackingCases() {
		t.Run(c.name, func(t *testing.T) {
			_, opt := c.options(t)
			want := byHand(t, opt)
			_, full := solve(t, opt)
			if d := full.differs(want); !(d <= rounding) {
				t.Errorf("the plain way differs by %.2g, want at most %.2g (%s)", d, rounding, c.reason)
			}
			_, staged := solve(t, inParts(t, opt))
			if d := staged.differs(want); !(d <= rounding) {
				t.Errorf("parts differ by %.2g, want at most %.2g (%s)", d, rounding, c.reason)
			}
			again := opt.Samples.(patchy).blank(opt.Modalities, math.NaN)
			for k, in := range opt.Samples.(patchy).rows {
				if !bytes.Equal(in.Bytes(), again.rows[k].Bytes()) {
					t.Errorf("a run wrote into input %d of its samples", k)
				}
			}
		})
	}
}

// byHand itself must tell: another pattern, another value or class.
func TestByHandTells(t *testing.T) {
	c := lackingCases()[2]
	_, opt := c.options(t)
	want := byHand(t, opt)
	source := opt.Samples.(patchy)
	changed := source
	changed.present = slices.Clone(source.present)
	changed.present[1] ^= 1
	changed.table = newTable(rand.New(rand.NewPCG(1, 2)), source.specs, source.Len())
	opt.Samples = changed
	if _, got := solve(t, opt); got.differs(want) <= 1e-3 {
		t.Error("other samples give the same values")
	}
}

// ways runs a test for the plain way and in parts.
func ways(t *testing.T, opt Options, test func(t *testing.T, opt Options)) {
	t.Helper()
	t.Run("whole", func(t *testing.T) { test(t, opt) })
	t.Run("parts", func(t *testing.T) { test(t, inParts(t, opt)) })
}

// To take away what is not there changes no bit, and its phi is exactly zero.
func TestAbsentIsNoPlayer(t *testing.T) {
	for _, c := range lackingCases() {
		t.Run(c.name, func(t *testing.T) {
			_, opt := c.options(t)
			m := len(opt.Modalities)
			present := opt.Samples.(patchy).present
			ways(t, opt, func(t *testing.T, opt Options) {
				_, a := solve(t, opt)
				tables, err := game.NewTables(m, a.values)
				if err != nil {
					t.Fatal(err)
				}
				phi := make([]float64, tables.Len()*m*m)
				index.PairMatricesTo(phi, tables, make([]float64, 1<<m))
				absent, moved := 0, 0
				for g := range tables.Len() {
					has := game.Coalition(present[g/opt.Target.Len()])
					for i := range m {
						if has.Has(i) {
							if phi[(g*m+i)*m+i] != 0 {
								moved++
							}
							continue
						}
						absent++
						for j := range m {
							if phi[(g*m+i)*m+j] != 0 || phi[(g*m+j)*m+i] != 0 {
								t.Fatalf("game %d of %s: phi of the absent modality %d with %d is %v, want 0", g, has, i, j, phi[(g*m+i)*m+j])
							}
						}
					}
					for s, v := range tables.Game(g) {
						if want := tables.Game(g)[game.Coalition(s)&has]; v != want {
							t.Fatalf("game %d: v(%s) = %v, want %v as without what is absent", g, game.Coalition(s), v, want)
						}
					}
				}
				if absent == 0 || moved == 0 {
					t.Errorf("%d absent modalities and %d that matter say nothing", absent, moved)
				}
			})
		})
	}
}

// A sample's bits depend on nothing but the sample: not on the others, their order, the
// tiles, or what stands where it lacks a modality.
func TestLackingSampleAlone(t *testing.T) {
	for _, c := range lackingCases() {
		t.Run(c.name, func(t *testing.T) {
			rng, opt := c.options(t)
			if opt.Target.Choice == Label { // which follows the place
				opt.Target = Target{Choice: Predicted}
			}
			source := opt.Samples.(patchy)
			each := opt.Target.Len() << len(opt.Modalities)
			ways(t, opt, func(t *testing.T, opt Options) {
				_, want := solve(t, opt)
				blocks := len(want.blocks) / source.Len()
				check := func(what string, rows []int, changed Options) {
					t.Helper()
					_, got := solve(t, changed)
					for k, r := range rows {
						if !slices.Equal(got.values[k*each:(k+1)*each], want.values[r*each:(r+1)*each]) ||
							!slices.Equal(got.blocks[k*blocks:(k+1)*blocks], want.blocks[r*blocks:(r+1)*blocks]) || got.predicted[k] != want.predicted[r] {
							t.Errorf("%s: sample %d has other bits", what, r)
						}
					}
				}
				changed := opt
				order := rng.Perm(source.Len())
				changed.Samples = source.pick(t, order...)
				check("another order", order, changed)
				for _, r := range order[:4] {
					changed.Samples = source.pick(t, r)
					check("alone", []int{r}, changed)
				}
				changed.Samples = source.blank(opt.Modalities, rng.NormFloat64)
				check("other values in the gaps", upTo(source.Len()), changed)
				changed.Samples = source
				changed.Memory, changed.Workers = 1<<20, 1
				check("smaller tiles", upTo(source.Len()), changed)
			})
		})
	}
}

// Where nobody lacks anything, the bits are those of a run that knows of no gaps.
func TestNobodyLacks(t *testing.T) {
	for _, c := range lackingCases() {
		t.Run(c.name, func(t *testing.T) {
			_, opt := c.options(t)
			source := opt.Samples.(patchy)
			source.table = newTable(rand.New(rand.NewPCG(2, 3)), source.specs, source.Len())
			source.present = nil
			opt.Samples = source
			every := source
			for range source.Len() {
				every.present = append(every.present, math.MaxUint64) // other bits mean nothing
			}
			ways(t, opt, func(t *testing.T, opt Options) {
				_, want := solve(t, opt)
				opt.Samples = every
				if _, got := solve(t, opt); got.differs(want) != 0 {
					t.Error("a list that says that all have all changes bits")
				}
			})
		})
	}
}

// Who has nothing is the background: v is one number, and nothing interacts.
func TestNobodyHasAnything(t *testing.T) {
	for _, c := range lackingCases() {
		t.Run(c.name, func(t *testing.T) {
			_, opt := c.options(t)
			source := opt.Samples.(patchy)
			source.present = make([]uint64, source.Len())
			opt.Samples = source.blank(opt.Modalities, math.NaN)
			want := byHand(t, opt)
			ways(t, opt, func(t *testing.T, opt Options) {
				_, got := solve(t, opt)
				if d := got.differs(want); !(d <= rounding) {
					t.Errorf("the values differ by %.2g", d)
				}
				for i, v := range got.values {
					if first := got.values[i&^(1<<len(opt.Modalities)-1)]; v != first {
						t.Fatalf("value %d is %v, want %v as v({})", i, v, first)
					}
				}
			})
		})
	}
}
