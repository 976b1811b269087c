package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// someOf draws a list of coalitions of m modalities: each of those between nothing
// and all with probability p, in any order.
func someOf(rng *rand.Rand, m int, p float64) []game.Coalition {
	var inner []game.Coalition
	for s := game.Coalition(1); s < game.Grand(m); s++ {
		if rng.Float64() < p {
			inner = append(inner, s)
		}
	}
	rng.Shuffle(len(inner), func(i, k int) { inner[i], inner[k] = inner[k], inner[i] })
	return slices.Concat([]game.Coalition{0}, inner, []game.Coalition{game.Grand(m)})
}

// at picks the values of listed coalitions out of whole tables of m modalities.
func at(list []game.Coalition, m int, values []float64) []float64 {
	var out []float64
	for lo := 0; lo < len(values); lo += 1 << m {
		for _, s := range list {
			out = append(out, values[lo+int(s)])
		}
	}
	return out
}

// sameBits reports whether all numbers are equal; zeros of both signs are not.
func sameBits(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
}

func TestSameBits(t *testing.T) {
	if sameBits([]float64{0}, []float64{math.Copysign(0, -1)}) || sameBits([]float64{1}, []float64{math.Nextafter(1, 2)}) || sameBits([]float64{1}, nil) {
		t.Error("other bits are taken for the same")
	}
	if !sameBits([]float64{1, 2}, []float64{1, 2}) {
		t.Error("the same bits are not")
	}
}

// counting counts the rows that a model answers.
func counting(m model.Model, rows *atomic.Int64) model.Model {
	return model.Func(func(ctx context.Context, inputs model.Batch) (model.Batch, error) {
		rows.Add(int64(inputs.Rows()))
		return m.Predict(ctx, inputs)
	})
}

// additiveNet returns a net of m modalities whose output is a sum of terms.
func additiveNet(rng *rand.Rand, m, width int) *net {
	n := newNet(m, width)
	for i := range m {
		name := fmt.Sprintf("t%d", i)
		n.add(rng, name, width, true, []int{i}, fmt.Sprintf("m%d", i))
		n.terms = append(n.terms, name)
	}
	return n
}

// The values of listed coalitions have the bits that they have among all, and the
// rows are those that the list asks for.
func TestListedEqualsAll(t *testing.T) {
	random := func(m int, ignored bool) func(*rand.Rand) *net {
		return func(rng *rand.Rand) *net { return randomNet(rng, m, 3, ignored) }
	}
	tests := []struct {
		name, reason string
		net          func(*rand.Rand) *net
		fixed        bool
		rowByRow     bool
		masks        []string
		transform    Transform
		target       Target
	}{
		{name: "two", reason: "the smallest game", net: random(2, false)},
		{name: "four", reason: "nested fusions of some modalities", net: random(4, false)},
		{name: "six", reason: "64 coalitions", net: random(6, false)},
		{name: "row by row", reason: "a head that cannot add up", net: random(4, false), rowByRow: true},
		{name: "softmax", reason: "v(all) is rounded as the combinations are", net: random(4, false), transform: Softmax},
		{name: "all columns", reason: "several targets", net: random(4, false), target: Target{Choice: Columns, Columns: []int{2, 0, 1}}},
		{name: "ignored", reason: "coalitions that the output cannot tell apart", net: random(5, true)},
		{name: "sums", reason: "halves by side", net: func(rng *rand.Rand) *net { return newAdded(rng, false) }},
		{name: "fixed", reason: "each sample has a base of its own", net: random(5, false), fixed: true},
		{name: "fixed row by row", reason: "the same without sums", net: random(4, false), fixed: true, rowByRow: true},
		{name: "nearest", reason: "each sample has rows of its own", net: random(4, false), masks: []string{"nearest:5"}},
		{name: "nearest ignored", reason: "a base for each sample that few modalities make", net: random(3, true), masks: []string{"nearest:5"}, rowByRow: true},
		{name: "mean", reason: "one background row without blocks", net: random(4, false), masks: []string{"mean"}},
		{name: "still", reason: "a modality that never varies is in no pattern", net: stillNet},
		{name: "additive", reason: "no combination is run", net: func(rng *rand.Rand) *net { return additiveNet(rng, 5, 3) }},
		{name: "additive nearest", reason: "means of each sample's own rows", net: func(rng *rand.Rand) *net { return additiveNet(rng, 4, 3) }, masks: []string{"nearest:5"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 11))
			n := test.net(rng)
			n.sums = !test.rowByRow
			if test.fixed {
				n.fix()
			}
			opt := n.options(t, 23, 20, test.masks...)
			opt.Transform = test.transform
			if test.target.Choice != 0 {
				opt.Target = test.target
			}
			m := len(n.modalities)
			staged := inParts(t, opt)
			_, all := solve(t, opt)
			_, allStaged := solve(t, staged)
			if d := allStaged.differs(all); !(d <= rounding) {
				t.Errorf("staged and full differ by %.2g, want at most %.2g", d, rounding)
			}
			for _, density := range []float64{0, .2, .6} {
				list := someOf(rng, m, density)
				for _, workers := range []int{1, 4} {
					var ran atomic.Int64
					opt.Coalitions, opt.Workers, opt.Model = list, workers, counting(n, &ran)
					p, got := solve(t, opt)
					checkListed(t, "full", list, m, got, all)
					if naive := naiveRows(p, len(list)); ran.Load() != naive || p.NaiveRows() != naive || p.Rows() != naive || got.cost.Rows != naive {
						t.Errorf("%d coalitions: ran %d rows, planned %d of %d, cost %d, want %d", len(list), ran.Load(), p.Rows(), p.NaiveRows(), got.cost.Rows, naive)
					}
					opt.Model = n

					n.counted()
					staged.Coalitions, staged.Workers = list, workers
					p, got = solve(t, staged)
					checkListed(t, "staged", list, m, got, allStaged)
					if test.name != "still" { // where fewer rows are run than promised
						checkRows(t, p, got.cost, n.counted())
					}
				}
				// Parts that are made for a list are those made for all.
				_, got := solve(t, inParts(t, opt))
				checkListed(t, "staged for the list", list, m, got, allStaged)
				opt.Coalitions, staged.Coalitions = nil, nil
			}
		})
	}
}

// stillNet is newAdded with an encoder that gives its bias alone.
func stillNet(rng *rand.Rand) *net {
	n := newAdded(rng, false)
	for i := range n.layers[1].weights {
		if i%(leafWidth+1) < leafWidth {
			n.layers[1].weights[i] = 0
		}
	}
	return n
}

// naiveRows counts the rows of listed coalitions by the formula.
func naiveRows(p *Plan, c int) int64 {
	n, b := p.opt.Samples.Len(), p.opt.Background.Len()
	if p.sharedBase {
		return int64(n*b*(c-2) + n + b)
	}
	return int64(n*b*(c-1) + n)
}

// checkListed compares the answer of a list with that of all coalitions, to the bit.
func checkListed(t *testing.T, way string, list []game.Coalition, m int, got, all answer) {
	t.Helper()
	if !sameBits(got.values, at(list, m, all.values)) || !sameBits(got.blocks, at(list, m, all.blocks)) || len(got.values) == 0 {
		t.Errorf("%s: the values of %v differ from those among all", way, list)
	}
	if !slices.Equal(got.predicted, all.predicted) || !slices.Equal(got.columns, all.columns) {
		t.Errorf("%s: classes or columns differ from those among all", way)
	}
}

// The comparison sees another list, another order and another bit.
func TestCheckListed(t *testing.T) {
	all := answer{values: []float64{1, 2, 3, 4}, blocks: []float64{5, 6, 7, 8}}
	list := []game.Coalition{0, 2, 3}
	good := answer{values: []float64{1, 3, 4}, blocks: []float64{5, 7, 8}}
	checkListed(t, "good", list, 2, good, all)
	for name, bad := range map[string]answer{
		"order":  {values: []float64{3, 1, 4}, blocks: good.blocks},
		"bit":    {values: []float64{1, math.Nextafter(3, 4), 4}, blocks: good.blocks},
		"blocks": {values: good.values, blocks: []float64{5, 7, 9}},
		"nobody": {},
		"class":  {values: good.values, blocks: good.blocks, predicted: []int{1}},
	} {
		inner := &testing.T{}
		checkListed(inner, name, list, 2, bad, all)
		if !inner.Failed() {
			t.Errorf("%s: a wrong answer passes", name)
		}
	}
}

// Many modalities: whatever the way, a listed value is the mean of the rows that its
// definition asks for.
func TestListedManyModalities(t *testing.T) {
	const m, samples, rows = 24, 5, 7
	rng := rand.New(rand.NewPCG(12, 12))
	n := newNet(m, 2)
	terms, players := make([]string, m), upTo(m)
	for i := range m {
		terms[i] = fmt.Sprintf("h%d", i)
		n.add(rng, terms[i], 3, true, []int{i}, fmt.Sprintf("m%d", i))
	}
	n.added = map[string][]string{"sum": terms}
	n.add(rng, "f", 2, false, []int{3, 9, 20}, terms[3], terms[9], terms[20])
	n.add(rng, "y", 2, true, players, "sum", "f")
	list := []game.Coalition{0}
	for range 60 {
		list = append(list, game.Coalition(rng.Uint64())&game.Grand(m))
	}
	list = append(list, game.Grand(m))
	if err := game.CheckCoalitions(m, list); err != nil {
		t.Fatal(err)
	}
	opt := n.options(t, samples, rows)
	opt.Coalitions = list
	opt.Target = Target{Choice: Columns, Columns: []int{1}}
	want := make([]float64, 0, samples*len(list))
	for i := range samples {
		for _, s := range list {
			sum := 0.0
			for k := range rows {
				sum += n.output1(t, func(player int) []float64 {
					if s.Has(player) {
						return values(opt.Samples.(table), player)[i*leafWidth:][:leafWidth]
					}
					return background64(opt, player)[k*leafWidth:][:leafWidth]
				})
			}
			want = append(want, sum/rows)
		}
	}
	full, got := solve(t, opt)
	if full.NaiveRows() != samples*rows*60+samples+rows {
		t.Errorf("%d rows the plain way, want %d", full.NaiveRows(), samples*rows*60+samples+rows)
	}
	staged := inParts(t, opt)
	p, parts := solve(t, staged)
	checkRows(t, p, parts.cost, n.counted())
	for at, w := range want {
		if d := math.Abs(got.values[at] - w); !(d <= rounding) {
			t.Errorf("full: sample %d, coalition %s: %v, want %v", at/len(list), list[at%len(list)], got.values[at], w)
		}
		if d := math.Abs(parts.values[at] - w); !(d <= rounding) {
			t.Errorf("staged: sample %d, coalition %s: %v, want %v", at/len(list), list[at%len(list)], parts.values[at], w)
		}
	}
	// The fusion of three modalities sees what 60 coalitions leave of them: no more
	// than six patterns. The head sees all coalitions but the borders, and v(all) twice.
	byName := map[string]int64{}
	for _, part := range p.Parts() {
		byName[part.Outputs[0].Name] = part.Rows
	}
	if byName["h7"] != samples+rows || byName["f"] != samples*(1+6*rows)+rows || byName["y"] != samples*(2+60*rows)+rows {
		t.Errorf("%d rows of an encoder, %d of the fusion, %d of the head", byName["h7"], byName["f"], byName["y"])
	}
	// 62 modalities are no more difficult.
	wide := newNet(game.MaxPartialPlayers, 1)
	wide.add(rng, "y", 1, true, upTo(game.MaxPartialPlayers), names(game.MaxPartialPlayers)...)
	opt = wide.options(t, 3, 4)
	opt.Coalitions = []game.Coalition{0, 1 << 61, 1<<61 - 1, game.Grand(62)}
	_, got = solve(t, opt)
	_, parts = solve(t, inParts(t, opt))
	// The output is linear: what one modality adds, it adds to any coalition.
	for i := 0; i < len(got.values); i += 4 {
		v, w := got.values[i:i+4], parts.values[i:i+4]
		if !(math.Abs(v[1]-v[0]-(v[3]-v[2])) <= 1e-11) || v[1] == v[0] || !(math.Abs(w[1]-v[1]) <= 1e-11) {
			t.Errorf("a linear model of 62 modalities: %v the plain way, %v in parts", v, w)
		}
	}
}

func names(m int) []string {
	var out []string
	for i := range m {
		out = append(out, fmt.Sprintf("m%d", i))
	}
	return out
}

// output1 is column 1 of the net's output for one row, given by modality.
func (n *net) output1(t *testing.T, row func(player int) []float64) float64 {
	t.Helper()
	batch := make(model.Batch, len(n.inputs))
	for i, in := range n.inputs {
		batch[i] = model.Named{Name: in.Name, Tensor: tensor.Of(slices.Clone(row(i)), 1, leafWidth)}
	}
	out, err := n.Predict(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return tensor.Values[float64](out[0].Tensor)[1]
}

// A part may have to mix for a still modality what no coalition of the list mixes:
// {0,1,2} is all of the fusion's modalities, and without modality 1 it is not. The
// progress ends where it was to end all the same.
func TestListedStill(t *testing.T) {
	n := stillNet(rand.New(rand.NewPCG(9, 9)))
	opt := inParts(t, n.options(t, 37, 20))
	_, all := solve(t, opt)
	n.counted()
	opt.Coalitions = []game.Coalition{0, 0b0111, 0b0010, 0b1010, 0b1000, game.Grand(4)}
	var told, of int64
	opt.Progress = func(done, total int64) {
		if done <= told {
			t.Errorf("progress went from %d to %d", told, done)
		}
		told, of = done, total
	}
	p, got := solve(t, opt)
	checkListed(t, "staged", opt.Coalitions, 4, got, all)
	if told != p.Rows() || of != p.Rows() {
		t.Errorf("told %d of %d rows, want %d", told, of, p.Rows())
	}
	ran := n.counted()
	if planned := p.Parts()[3]; planned.Outputs[0].Name != "f" || planned.Rows != 37*(1+20)+20 || ran["f"] != planned.Rows {
		t.Errorf("the fusion: planned %+v, ran %d rows; want one pattern, {1} as planned and {0,2} as run", planned, ran["f"])
	}
	// The head: {0,2} and {3}; the base is shared, and v(all) is asked twice.
	if want := int64(37*(2*20+2) + 20); ran["y"] != want {
		t.Errorf("the head ran %d rows, want %d", ran["y"], want)
	}
	if got.values[2] != got.values[0] || got.values[3] != got.values[4] || got.values[1] == got.values[0] {
		t.Errorf("with and without what changes nothing: %v", got.values[:6])
	}
}

// The same where no coalition of the list mixes anything for the fusion: its inputs
// stay in memory, and it runs the rows that it runs among all coalitions.
func TestListedStillFusion(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	n := newNet(3, 2)
	n.add(rng, "h0", 3, false, []int{0}, "m0")
	n.add(rng, "h1", 3, false, []int{1}, "m1")
	for i := range n.layers[1].weights {
		if i%(leafWidth+1) < leafWidth {
			n.layers[1].weights[i] = 0
		}
	}
	n.add(rng, "f", 3, false, []int{0, 1}, "h0", "h1")
	n.add(rng, "y", 2, true, []int{0, 1, 2}, "f", "m2")
	opt := inParts(t, n.options(t, 37, 20))
	_, all := solve(t, opt)
	n.counted()
	opt.Coalitions = []game.Coalition{0, 0b011, 0b100, 0b111}
	var told int64
	opt.Progress = func(done, _ int64) { told = done }
	p, got := solve(t, opt)
	checkListed(t, "staged", opt.Coalitions, 3, got, all)
	if told != p.Rows() {
		t.Errorf("told %d of %d rows", told, p.Rows())
	}
	if planned, ran := p.Parts()[2].Rows, n.counted()["f"]; planned != 37+20 || ran != planned+37*20 {
		t.Errorf("the fusion: planned %d rows, ran %d; want %d, and those of {0}", planned, ran, 37+20)
	}
}

// All coalitions in the order of their bits are no list; in another order they give
// the same values in that order.
func TestListOfAll(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 4, 2, false)
	opt := inParts(t, n.options(t, 30, 20))
	p, all := solve(t, opt)
	if p.Coalitions() != nil {
		t.Errorf("a plan of all lists %v", p.Coalitions())
	}
	list := someOf(rand.New(rand.NewPCG(1, 1)), 4, 1)
	opt.Coalitions = list
	p, shuffled := solve(t, opt)
	checkListed(t, "staged", list, 4, shuffled, all)
	if p.Coalitions() == nil || p.NaiveRows() != 30*20*14+30+20 {
		t.Errorf("a shuffled list of all: coalitions %v, %d rows", p.Coalitions(), p.NaiveRows())
	}
	list[1] = list[2] // the plan has its own
	if err := game.CheckCoalitions(4, p.Coalitions()); err != nil {
		t.Errorf("a change of the list changes the plan: %v", err)
	}
	opt.Coalitions = nil
	for s := range game.Grand(4) + 1 {
		opt.Coalitions = append(opt.Coalitions, s)
	}
	p, sorted := solve(t, opt)
	if p.Coalitions() != nil || !sameBits(sorted.values, all.values) {
		t.Errorf("a sorted list of all: coalitions %v, want the run of no list", p.Coalitions())
	}
}

// A run of a list that is stopped and resumed gives what one gives that nobody
// stopped; tiles of another list, or of all coalitions, are refused.
func TestResumeListed(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(7, 7)), 4, 3, false)
	opt := n.options(t, 700, 40)
	opt.Coalitions = []game.Coalition{0, 9, 4, 13, 2, 15}
	for name, opt := range map[string]Options{"full": opt, "staged": inParts(t, opt)} {
		p, err := NewPlan(opt)
		if err != nil {
			t.Fatal(err)
		}
		if p.Tiles() < 3 {
			t.Fatalf("%s: %d tiles, want several", name, p.Tiles())
		}
		var want, got answers
		if _, err := p.Run(t.Context(), want.add); err != nil {
			t.Fatal(err)
		}
		kept := &shelf{tiles: map[int]Tile{}}
		enough := errors.New("enough")
		if _, err := p.Resume(t.Context(), kept, func(*Tile) error { return enough }); !errors.Is(err, enough) {
			t.Fatalf("got %v, want a run that is stopped", err)
		}
		if _, err := p.Resume(t.Context(), kept.laterOn(), got.add); err != nil {
			t.Fatal(err)
		}
		if !sameBits(want.Values, got.Values) || !sameBits(want.BlockValues, got.BlockValues) || len(got.Values) != 700*6 {
			t.Errorf("%s: a resumed run has other values", name)
		}
		for _, list := range [][]game.Coalition{{0, 9, 4, 13, 3, 15}, {0, 4, 9, 13, 2, 15}, nil} {
			opt.Coalitions = list
			other, err := NewPlan(opt)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.Resume(t.Context(), kept.laterOn(), func(*Tile) error { return nil }); err == nil || !strings.Contains(err.Error(), "other coalitions") {
				t.Errorf("%s: tiles of another list than %v: got %v, want an error", name, list, err)
			}
		}
	}
}
