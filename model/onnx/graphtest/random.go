package graphtest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// opsets are drawn from these; what an opset lacks is not drawn with it.
var opsets = []int{7, 9, 11, 13, 15, 17, 18, 20, 21}

// A maker makes one case.
type maker struct {
	*Builder
	c *Case
	// float is the type of the numbers inside.
	float tensor.DType
	// inputs are those of the graph, to read the number of rows from.
	inputs []Value
	// joint is set when a feature depends on several players before any fusion.
	joint bool
}

// A piece is one way to make something, with the lowest opset that can.
type piece[F any] struct {
	name  string
	opset int
	// single is set where only float32 has the operations.
	single bool
	// weight is how often it is drawn, for what few cases can have; 0 means 1.
	weight int
	make   F
}

// pick draws one of the pieces that this case can have and notes its name.
func pick[F any](m *maker, group string, pieces []piece[F]) F {
	var able []piece[F]
	for _, p := range pieces {
		if p.opset <= m.Opset && (!p.single || m.float == tensor.Float32) {
			able = append(able, slices.Repeat([]piece[F]{p}, max(1, p.weight))...)
		}
	}
	p := able[m.rng.IntN(len(able))]
	m.kind(group + "/" + p.name)
	return p.make
}

func (m *maker) kind(name string) {
	if !slices.Contains(m.c.Kinds, name) {
		m.c.Kinds = append(m.c.Kinds, name)
	}
}

// chance is true with the given probability, and notes the name if so.
func (m *maker) chance(p float64, name string) bool {
	hit := m.rng.Float64() < p
	if hit {
		m.kind(name)
	}
	return hit
}

// between draws an integer from [lo, hi].
func (m *maker) between(lo, hi int) int { return lo + m.rng.IntN(hi-lo+1) }

// Kinds lists the kinds of pieces that cases are made of.
func Kinds() []string {
	var kinds []string
	kinds = append(kinds, singleKinds...)
	kinds = append(kinds, names("encoder", vectorEncoders)...)
	kinds = append(kinds, names("encoder", seriesEncoders)...)
	kinds = append(kinds, names("encoder", imageEncoders)...)
	kinds = append(kinds, names("encoder", idEncoders)...)
	kinds = append(kinds, names("slicing", slicings)...)
	kinds = append(kinds, names("ignored", ignorers)...)
	kinds = append(kinds, names("fusion", fusions)...)
	kinds = append(kinds, names("plan", plans)...)
	kinds = append(kinds, names("affine", affines)...)
	kinds = append(kinds, names("feature", featureSteps)...)
	kinds = append(kinds, names("late", lates)...)
	kinds = append(kinds, names("head", headSteps)...)
	kinds = append(kinds, names("task", tasks)...)
	kinds = append(kinds, names("mixing", mixers)...)
	kinds = append(kinds, names("opaque", opaques)...)
	for _, o := range opsets {
		kinds = append(kinds, opsetKind(o))
	}
	for players := 1; players <= maxPlayers; players++ {
		kinds = append(kinds, playersKind(players))
	}
	slices.Sort(kinds)
	return kinds
}

func names[F any](group string, pieces []piece[F]) []string {
	var out []string
	for _, p := range pieces {
		out = append(out, group+"/"+p.name)
	}
	return out
}

func opsetKind(opset int) string { return fmt.Sprintf("opset/%d", opset) }
func playersKind(n int) string   { return fmt.Sprintf("players/%d", n) }

// singleKinds are what one chance decides; see the places where they are drawn.
var singleKinds = []string{
	"constant-nodes", "typed-data", "float64", "fixed-input", "two-inputs", "one-input",
	"late-probabilities",
	"rank-one-input", "int32-ids", "raw-feature", "encoded-twice", "rank-one-output",
}

// maxPlayers is the largest number of modalities.
const maxPlayers = 6

// playerWeights says how often there are so many players, from one on.
var playerWeights = []int{1, 6, 6, 3, 1, 1}

func (m *maker) playerCount() int {
	total := 0
	for _, w := range playerWeights {
		total += w
	}
	draw := m.rng.IntN(total)
	for i, w := range playerWeights {
		if draw -= w; draw < 0 {
			return i + 1
		}
	}
	return len(playerWeights)
}

// New makes the case of a seed.
func New(seed uint64) *Case {
	rng := rand.New(rand.NewPCG(seed, 0))
	opset := opsets[rng.IntN(len(opsets))]
	m := &maker{Builder: newBuilder(opset, rng), c: &Case{Seed: seed, Opset: opset, Rounding: singleUnit}, float: tensor.Float32}
	m.kind(opsetKind(opset))
	m.ConstantNodes = m.chance(0.2, "constant-nodes")
	m.TypedData = m.chance(0.2, "typed-data")
	if m.chance(0.08, "float64") {
		m.float, m.c.Rounding = tensor.Float64, doubleUnit
	}
	features, raw := m.features()
	m.outputs(features, raw)
	m.c.Model = m.Bytes()
	return m.c
}

// features makes the inputs and what the encoders make of them: one feature
// [rows, width] for each player at least. It also returns a raw vector that may
// be led past the fusion.
func (m *maker) features() (features []Value, raw Value) {
	players := m.playerCount()
	m.kind(playersKind(players))
	var sources [][]Value
	if players > 1 && m.chance(0.25, "one-input") {
		features, sources = m.slicedInput(players)
		m.joint = len(features) > 0
	} else {
		sources = m.ownInputs(players)
	}
	ignored := -1
	if players > 1 && len(sources) == players && m.rng.Float64() < 0.2 {
		ignored = m.rng.IntN(players)
		m.c.Ignored = []string{m.c.Players[ignored]}
	}
	for i, s := range sources {
		if i == ignored {
			features = append(features, pick(m, "ignored", ignorers)(m, s)...)
			continue
		}
		features = append(features, m.encodeAll(s))
		if raw.DType == 0 && len(s[0].Shape) == 2 && s[0].DType == m.float {
			raw = s[0]
		}
		if m.chance(0.08, "encoded-twice") {
			features = append(features, m.encodeAll(s))
		}
	}
	if m.chance(0.12, "fixed-input") {
		v := m.input(Input{Name: "given", DType: m.float, RowShape: []int{m.between(1, 4)}})
		m.c.Fixed = []string{"given"}
		features = append(features, m.dense(v, m.between(3, 6)))
	}
	return features, raw
}

// input adds an input to graph and case.
func (m *maker) input(in Input) Value {
	m.c.Inputs = append(m.c.Inputs, in)
	v := m.Input(in.Name, in.DType, in.RowShape...)
	m.inputs = append(m.inputs, v)
	return v
}

// ownInputs gives each player one input, or two.
func (m *maker) ownInputs(players int) [][]Value {
	var sources [][]Value
	for i := range players {
		name := fmt.Sprintf("m%d", i+1)
		if m.chance(0.12, "two-inputs") {
			a, b := name+"_a", name+"_b"
			sources = append(sources, []Value{m.source(a), m.source(b)})
			m.c.Modalities = append(m.c.Modalities, name+"="+a+","+b)
		} else {
			sources = append(sources, []Value{m.source(name)})
			// Inputs that no specification names are one modality each.
		}
		m.c.Players = append(m.c.Players, name)
	}
	return sources
}

// vocabulary is the number of different ids.
const vocabulary = 11

// source adds an input of a random form: a vector, a series, an image or ids.
func (m *maker) source(name string) Value {
	vector := Input{Name: name, DType: m.float, RowShape: []int{m.between(3, 9)}, Mean: m.rng.Float64()}
	if m.float != tensor.Float32 {
		return m.input(vector)
	}
	switch m.rng.IntN(8) {
	case 0, 1:
		return m.input(Input{Name: name, DType: m.float, RowShape: []int{m.between(3, 5), m.between(2, 4)}})
	case 2:
		return m.input(Input{Name: name, DType: m.float, RowShape: []int{m.between(1, 2), 4, 6}})
	case 3:
		ids := Input{Name: name, DType: tensor.Int64, RowShape: []int{m.between(3, 5)}, Below: vocabulary}
		if m.chance(0.3, "int32-ids") {
			ids.DType = tensor.Int32
		}
		return m.input(ids)
	case 4:
		if m.chance(0.4, "rank-one-input") {
			return m.Unsqueeze(m.input(Input{Name: name, DType: m.float}), 1)
		}
	}
	return m.input(vector)
}

// rowsOf returns an input to read the number of rows from, of any modality.
func (m *maker) rowsOf() Value { return m.inputs[m.rng.IntN(len(m.inputs))] }
