package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// rounding is what a few hundred float64 additions in another order may change.
const rounding = 1e-12

// The staged way must give what the plain way gives, whatever the model, and
// run exactly the rows that it promises.
func TestStagedEqualsFull(t *testing.T) {
	all := Target{Choice: Columns, Columns: []int{0, 1, 2}}
	tests := []struct {
		name, reason  string
		m             int
		samples, rows int
		masks         []string
		transform     Transform
		target        Target
		rowByRow      bool // no Summer
		ignored       bool
		fixed         bool
		memory        int64
	}{
		{name: "two", reason: "the smallest game", m: 2, samples: 37, rows: 20},
		{name: "three", reason: "a fusion of two before the head", m: 3, samples: 37, rows: 20},
		{name: "four", reason: "nested fusions", m: 4, samples: 21, rows: 33},
		{name: "six", reason: "64 coalitions", m: 6, samples: 17, rows: 19},
		{name: "row by row", reason: "a head that cannot add up", m: 4, samples: 21, rows: 33, rowByRow: true},
		{name: "softmax", reason: "a transform in the head", m: 3, samples: 18, rows: 40, transform: Softmax},
		{name: "softmax row by row", reason: "a transform after the head", m: 3, samples: 18, rows: 40, transform: Softmax, rowByRow: true},
		{name: "sigmoid of all", reason: "several targets", m: 3, samples: 18, rows: 40, transform: Sigmoid, target: all},
		{name: "centred of all", reason: "a transform over columns", m: 3, samples: 18, rows: 40, transform: Centred, target: all, rowByRow: true},
		{name: "ignored", reason: "the output has fewer modalities than the game", m: 4, samples: 18, rows: 40, ignored: true},
		{name: "single", reason: "the output depends on one modality", m: 2, samples: 18, rows: 40, ignored: true},
		{name: "fixed", reason: "each sample has a base of its own", m: 4, samples: 18, rows: 40, fixed: true},
		{name: "fixed row by row", reason: "the same without sums", m: 3, samples: 18, rows: 17, fixed: true, rowByRow: true},
		{name: "nearest", reason: "each sample has rows of its own", m: 4, samples: 18, rows: 40, masks: []string{"nearest:5"}},
		{name: "nearest row by row", reason: "the same without sums", m: 3, samples: 18, rows: 40, masks: []string{"nearest:5"}, rowByRow: true},
		{name: "nearest ignored", reason: "a base for each sample that few modalities make", m: 2, samples: 18, rows: 40, masks: []string{"nearest:5"}, ignored: true},
		{name: "mean", reason: "one background row without blocks", m: 3, samples: 18, rows: 40, masks: []string{"mean"}},
		{name: "mixed masks", reason: "one modality of fixed values", m: 3, samples: 18, rows: 40, masks: []string{"m0=zero"}},
		{name: "one row", reason: "one background row is no block", m: 3, samples: 18, rows: 1},
		{name: "one sample", reason: "a tile of one", m: 3, samples: 1, rows: 50},
		{name: "long blocks", reason: "blocks that go in pieces", m: 3, samples: 50, rows: 900, memory: 3 << 20},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const seed = 5
			rng := rand.New(rand.NewPCG(seed, uint64(test.m)))
			n := randomNet(rng, test.m, 3, test.ignored)
			n.sums = !test.rowByRow
			if test.fixed {
				n.fix()
			}
			opt := n.options(t, test.samples, test.rows, test.masks...)
			opt.Transform, opt.Memory = test.transform, test.memory
			if test.target.Choice != 0 {
				opt.Target = test.target
			}
			_, want := solve(t, opt)
			p, got := solve(t, inParts(t, opt))
			if d := got.differs(want); !(d <= rounding) {
				t.Errorf("staged and full differ by %.2g, want at most %.2g (%s)", d, rounding, test.reason)
			}
			checkRows(t, p, got.cost, n.counted())
			if p.NaiveRows() < p.Rows()/2 && len(p.stage.parts) == 1 {
				t.Errorf("%d rows in one part, %d the plain way", p.Rows(), p.NaiveRows())
			}
			if test.name == "long blocks" && len(p.cut.chunks) <= len(p.blocks) {
				t.Errorf("%d chunks of %d blocks, want pieces", len(p.cut.chunks), len(p.blocks))
			}
		})
	}
}

// Slices of one input are modalities, and an encoder that takes much memory has
// its rows in several calls.
func TestStagedSlices(t *testing.T) {
	n := newSliced(3, 2)
	n.encoderBytes = hugeCall/minCallRows + 1
	rng := rand.New(rand.NewPCG(6, 6))
	n.add(rng, "h0", 3, false, []int{0}, sliceName(0))
	n.add(rng, "h1", 3, false, []int{1}, sliceName(leafWidth))
	n.add(rng, "y", 2, true, []int{0, 1, 2}, "h1", "h0", sliceName(2*leafWidth))
	opt := n.options(t, 1100, 20)
	_, want := solve(t, opt)
	p, got := solve(t, inParts(t, opt))
	if d := got.differs(want); !(d <= rounding) {
		t.Errorf("staged and full differ by %.2g, want at most %.2g", d, rounding)
	}
	if p.cut.callRows[0] >= p.tile {
		t.Errorf("calls of %d rows for tiles of %d samples, want several", p.cut.callRows[0], p.tile)
	}
	checkRows(t, p, got.cost, n.counted())
}

// newAdded returns a net of four modalities whose head takes the sum of what three
// encoders and an input give, and that of three once more.
func newAdded(rng *rand.Rand, fixed bool) *net {
	n := newNet(4, 3)
	n.added = map[string][]string{"sum": {"h0", "h1", "m2", "h3"}, "part": {"h0", "m2", "h1"}}
	for _, i := range []int{0, 1, 3} {
		n.add(rng, fmt.Sprintf("h%d", i), leafWidth, false, []int{i}, fmt.Sprintf("m%d", i))
	}
	n.add(rng, "f", 3, false, []int{0, 1, 2}, "part", "m2")
	n.add(rng, "y", 3, true, []int{0, 1, 2, 3}, "sum", "f", "h1")
	if fixed {
		n.fix()
	}
	return n
}

// A sum of terms of one modality each is taken in halves, and gives what the whole
// gives, whoever owns the terms.
func TestStagedSums(t *testing.T) {
	for _, test := range []struct {
		name, reason string
		fixed        bool
		masks        []string
		rowByRow     bool
	}{
		{"plain", "both halves of every pattern", false, nil, false},
		{"row by row", "without sums over rows", false, nil, true},
		{"fixed", "a term that is always the sample's", true, nil, false},
		{"nearest", "a half of the background for each sample", false, []string{"nearest:5"}, false},
		{"mean", "one background row", false, []string{"mean"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newAdded(rand.New(rand.NewPCG(8, 8)), test.fixed)
			n.sums = !test.rowByRow
			opt := n.options(t, 37, 20, test.masks...)
			_, want := solve(t, opt)
			p, got := solve(t, inParts(t, opt))
			if d := got.differs(want); !(d <= rounding) {
				t.Errorf("staged and full differ by %.2g, want at most %.2g (%s)", d, rounding, test.reason)
			}
			checkRows(t, p, got.cost, n.counted())
		})
	}
}

// A modality that never varies behind its encoder has no effect at all, and costs
// no rows of the head.
func TestStagedStill(t *testing.T) {
	n := newAdded(rand.New(rand.NewPCG(9, 9)), false)
	still := &n.layers[1] // h1 is its bias alone
	for i := range still.weights {
		if i%(leafWidth+1) < leafWidth {
			still.weights[i] = 0
		}
	}
	opt := n.options(t, 37, 20)
	opt = inParts(t, opt)
	n.counted()
	_, got := solve(t, opt)
	// Six coalitions of the other three, the whole twice and the background.
	if ran, want := n.counted()["y"], int64(37*(20*6+2)+20); ran != want {
		t.Errorf("the head ran %d rows, want %d", ran, want)
	}
	opt.Stages = nil
	const player = 1
	for at, v := range got.values {
		if s := at % 16; s>>player&1 == 0 && v != got.values[at|1<<player] {
			t.Fatalf("sample %d, coalition %b: %v without the modality that changes nothing, %v with it", at/16, s, v, got.values[at|1<<player])
		}
	}
	_, want := solve(t, opt)
	if d := got.differs(want); !(d <= rounding) {
		t.Errorf("staged and full differ by %.2g, want at most %.2g", d, rounding)
	}
}

// fix makes the last modality a fixed input.
func (n *net) fix() {
	last := len(n.modalities) - 1
	n.modalities = n.modalities[:last]
	for i := range n.layers {
		l := &n.layers[i]
		var players []int
		for _, player := range l.players {
			if player == last {
				players = append([]int{model.Nobody}, players...)
			} else {
				players = append(players, player)
			}
		}
		l.players = players
	}
}

// checkRows compares the rows that a plan promises with those that ran. Layers
// are known by their output; parts have one.
func checkRows(t *testing.T, p *Plan, cost Cost, ran map[string]int64) {
	t.Helper()
	promised, total := map[string]int64{}, int64(0)
	for _, part := range p.Parts() {
		promised[part.Outputs[0].Name] += part.Rows
		total += part.Rows
	}
	if !maps.Equal(promised, ran) {
		t.Errorf("ran %v rows, promised %v", ran, promised)
	}
	if total != p.Rows() || total != cost.Rows {
		t.Errorf("parts have %d rows, the plan %d, the run %d", total, p.Rows(), cost.Rows)
	}
}

// Where the path to the output is linear, v(S) comes from means.
func TestAdditiveEqualsFull(t *testing.T) {
	for name, test := range map[string]struct {
		masks     []string
		transform Transform
		fixed     bool
	}{
		"plain":   {},
		"centred": {transform: Centred},
		"nearest": {masks: []string{"nearest:4"}},
		"mean":    {masks: []string{"mean"}},
		"fixed":   {fixed: true},
	} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			n := newNet(4, 3) // modality 3 is in no term
			for i := range 3 {
				n.add(rng, fmt.Sprintf("t%d", i), 3, true, []int{i}, fmt.Sprintf("m%d", i))
				n.terms = append(n.terms, fmt.Sprintf("t%d", i))
			}
			if test.fixed {
				n.inputs, n.modalities = n.inputs[:3], n.modalities[:3]
				n.fix()
			}
			opt := n.options(t, 40, 50, test.masks...)
			opt.Transform = test.transform
			opt.Target = Target{Choice: Columns, Columns: []int{2, 0}}
			_, want := solve(t, opt)
			p, got := solve(t, inParts(t, opt))
			if d := got.differs(want); !(d <= rounding) {
				t.Errorf("additive and full differ by %.2g, want at most %.2g", d, rounding)
			}
			if !p.Additive() || !p.Saves() {
				t.Errorf("additive %v, saves %v, want both", p.Additive(), p.Saves())
			}
			checkRows(t, p, got.cost, n.counted())
		})
	}
}

func TestAdditiveRefusesCurves(t *testing.T) {
	n := newNet(2, 1)
	rng := rand.New(rand.NewPCG(1, 1))
	n.add(rng, "t0", 1, true, []int{0}, "m0")
	n.add(rng, "t1", 1, true, []int{1}, "m1")
	n.terms = []string{"t0", "t1"}
	opt := inParts(t, n.options(t, 5, 5))
	opt.Transform = Sigmoid
	if _, err := NewPlan(opt); err == nil {
		t.Error("a plan of the sigmoid of a sum by means of its terms, want an error")
	}
}

// A modality that changes nothing must make no difference at all, whether the
// output does not depend on it or its values never vary.
func TestStagedZeros(t *testing.T) {
	for name, test := range map[string]struct {
		ignored, constant, rowByRow bool
		transform                   Transform
	}{
		"ignored":                      {ignored: true},
		"ignored softmax":              {ignored: true, transform: Softmax},
		"constant":                     {constant: true},
		"constant softmax":             {constant: true, transform: Softmax},
		"constant sigmoid, row by row": {constant: true, transform: Sigmoid, rowByRow: true},
	} {
		t.Run(name, func(t *testing.T) {
			const m = 3
			n := randomNet(rand.New(rand.NewPCG(2, 2)), m, 3, test.ignored)
			n.sums = !test.rowByRow
			opt := n.options(t, 40, 100)
			opt.Transform = test.transform
			if test.constant {
				for _, rows := range [][]float64{values(opt.Samples.(table), m-1), background64(opt, m-1)} {
					for i := range rows {
						rows[i] = 0.3
					}
				}
			}
			_, got := solve(t, inParts(t, opt))
			without := game.Grand(m).Without(m - 1)
			changed := false
			for lo := 0; lo < len(got.values); lo += 1 << m {
				v := got.values[lo : lo+1<<m]
				for s := range without + 1 {
					if v[s] != v[s.With(m-1)] {
						t.Fatalf("v(%s) is %v, with the modality that changes nothing %v", s, v[s], v[s.With(m-1)])
					}
				}
				changed = changed || v[0] != v[1]
			}
			if !changed {
				t.Error("modality 0 changes nothing either")
			}
		})
	}
}

// Tiles, memory and workers decide what is computed together, not what comes
// out.
func TestStagedShapes(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 4, 3, false)
	base := inParts(t, n.options(t, 200, 70))
	p, want := solve(t, base)
	for _, workers := range []int{1, 5} {
		opt := base
		opt.Workers = workers
		_, got := solve(t, opt)
		if got.differs(want) != 0 {
			t.Errorf("%d workers change the answer", workers)
		}
	}
	opt := base
	opt.Memory = p.MemoryBytes() / 3
	opt.Workers = 1
	small, got := solve(t, opt)
	if fmt.Sprint(small.tile, small.cut.gridRows) == fmt.Sprint(p.tile, p.cut.gridRows) {
		t.Errorf("a third of the memory leaves tiles of %d samples and calls of %d rows", p.tile, p.cut.gridRows)
	}
	if d := got.differs(want); !(d <= rounding) {
		t.Errorf("less memory changes the answer by %.2g", d)
	}
	if p.tile%batchMultiple != 0 {
		t.Errorf("a tile of %d samples, want a multiple of %d", p.tile, batchMultiple)
	}
}

// values returns the numbers of one input.
func values(t table, input int) []float64 { return tensor.Values[float64](t.rows[input]) }

func background64(opt Options, input int) []float64 {
	return tensor.Values[float64](opt.Background.Inputs()[input])
}

// An input's slices are leaves, and so are columns that lie apart.
func TestLeaves(t *testing.T) {
	n := newNet(1, 1)
	n.inputs[0].Shape = []int{-1, 5}
	n.modalities = []dataset.Modality{
		{Name: "a", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 2}, {Input: 0, Lo: 4, Hi: 5}}},
		{Name: "b", Parts: []dataset.Part{{Input: 0, Lo: 2, Hi: 3}}},
	}
	opt := n.options(t, 3, 3)
	leaves, err := leavesOf(n.modalities, n.inputs, opt.Background.Inputs())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range leaves {
		got = append(got, fmt.Sprintf("%s: %d %d %v %d", l.Name, l.Lo, l.Hi, l.Shape, l.Player))
	}
	if s := fmt.Sprint(got); s != "[m0[0:2]: 0 2 [2] 0 m0[2:3]: 2 3 [1] 1 m0[3:4]: 3 4 [1] -1 m0[4:5]: 4 5 [1] 0]" {
		t.Errorf("leaves %s", s)
	}
}
