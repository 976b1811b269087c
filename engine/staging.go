package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A staging is a model in parts as the engine evaluates it: names resolved to
// numbers, and every rule of [model.Stages] checked.
type staging struct {
	leaves []model.Leaf
	// features are the tensors between parts: the leaves, then the outputs of the
	// parts in order.
	features []feature
	known    map[string]int // features by name
	parts    []stagedPart
	sums     []halvedSum
	// last is the part that computes the output. With terms there is none, and
	// all parts are alike: last is their number.
	last int
	// output is the number of the last part's output that is explained.
	output int
	// terms are the features whose sum is the output of an additive model.
	terms []int
	width int
}

// An ownership says what a tensor depends on: modalities, and fixed inputs.
type ownership struct {
	players game.Coalition
	fixed   bool
}

// A feature is a tensor that a part takes or gives.
type feature struct {
	ownership
	name  string
	dtype tensor.DType
	// row is the shape of a row.
	row []int
}

// bytes returns the memory of a row, text counted without its letters.
func (f feature) bytes() int64 { return rowBytes(f.dtype, length(f.row)) }

// A stagedPart is a part with its tensors as numbers of features.
type stagedPart struct {
	ownership
	model.Part
	name   string
	inputs []int
	sums   []int // of the staging's
	first  int   // feature that is output 0
	summer model.Summer
}

// outputs returns the features that the part computes.
func (p *stagedPart) outputs() []int {
	out := make([]int, len(p.Outputs))
	for i := range out {
		out[i] = p.first + i
	}
	return out
}

// taken lists the features that a part takes, the terms of sums among them.
func (st *staging) taken(p *stagedPart) []int {
	out := slices.Clone(p.inputs)
	for _, h := range p.sums {
		out = append(out, st.sums[h].terms...)
	}
	return out
}

// newStaging checks the stages of a model whose output has width columns.
func newStaging(stages *model.Stages, leaves []model.Leaf, inputs []tensor.Spec, modalities []dataset.Modality, width int) (*staging, error) {
	st := &staging{leaves: leaves, width: width, last: len(stages.Parts) - 1, known: map[string]int{}}
	for _, l := range leaves {
		own := ownership{fixed: l.Player == model.Nobody}
		if !own.fixed {
			own.players = own.players.With(l.Player)
		}
		if err := st.addFeature(feature{own, l.Name, inputs[l.Input].DType, l.Shape}); err != nil {
			return nil, err
		}
	}
	for _, part := range stages.Parts {
		if err := st.addPart(part, stages.Sums, modalities); err != nil {
			return nil, err
		}
	}
	return st, st.findOutput(stages)
}

func (st *staging) addFeature(f feature) error {
	if _, taken := st.known[f.name]; taken {
		return fmt.Errorf("engine: stages: two tensors are called %q", f.name)
	}
	st.known[f.name] = len(st.features)
	st.features = append(st.features, f)
	return nil
}

// addPart checks a part and adds it with its outputs.
func (st *staging) addPart(part model.Part, sums []model.Sum, modalities []dataset.Modality) error {
	own, err := owners(part.Players, len(modalities))
	if err != nil {
		return err
	}
	p := stagedPart{ownership: own, Part: part, name: partName(part.Players, modalities), first: len(st.features)}
	if slices.ContainsFunc(st.parts, func(q stagedPart) bool { return q.ownership == own }) {
		return fmt.Errorf("engine: stages: two parts belong to %s", p.name)
	}
	if part.Grid == nil || len(part.Inputs) == 0 || len(part.Outputs) == 0 {
		return fmt.Errorf("engine: stages: part %s has no inputs, no outputs or no grid", p.name)
	}
	for _, name := range part.Inputs {
		var from ownership
		f, ok := st.known[name]
		if ok {
			from = st.features[f].ownership
			p.inputs = append(p.inputs, f)
		} else {
			h, err := st.sum(name, sums)
			if err != nil {
				return fmt.Errorf("engine: stages: part %s takes %q, %w", p.name, name, err)
			}
			from = st.sums[h].ownership
			p.sums = append(p.sums, h)
		}
		if from.players&^own.players != 0 || from.fixed && !own.fixed {
			return fmt.Errorf("engine: stages: part %s takes %q, which depends on other modalities", p.name, name)
		}
	}
	for _, out := range part.Outputs {
		if len(out.Shape) == 0 || out.RowLen() < 0 {
			return fmt.Errorf("engine: stages: part %s: output %s, want a shape known but for the rows", p.name, out)
		}
		if err := st.addFeature(feature{own, out.Name, out.DType, out.Shape[1:]}); err != nil {
			return err
		}
	}
	p.summer, _ = part.Grid.(model.Summer)
	st.parts = append(st.parts, p)
	return nil
}

// findOutput finds the output, or the terms that it is the sum of.
func (st *staging) findOutput(stages *model.Stages) error {
	if len(stages.Terms) == 0 {
		if st.last < 0 {
			return fmt.Errorf("engine: stages: want at least one part")
		}
		f, ok := st.known[stages.Output]
		if last := &st.parts[st.last]; !ok || f < last.first {
			return fmt.Errorf("engine: stages: the last part, %s, does not compute the output %q", last.name, stages.Output)
		}
		st.output = f - st.head().first
		return st.checkWidth(f)
	}
	st.last = len(st.parts)
	for _, name := range stages.Terms {
		f, ok := st.known[name]
		if !ok {
			return fmt.Errorf("engine: stages: nothing computes the term %q", name)
		}
		if own := st.features[f].ownership; own.players.Size() > 1 || own.fixed && own.players != 0 {
			return fmt.Errorf("engine: stages: the term %q depends on more than one modality", name)
		}
		if err := st.checkWidth(f); err != nil {
			return err
		}
		st.terms = append(st.terms, f)
	}
	return nil
}

func (st *staging) checkWidth(f int) error {
	if row := st.features[f].row; len(row) != 1 || row[0] != st.width {
		return fmt.Errorf("engine: stages: %q has rows of shape %v, want [%d]", st.features[f].name, row, st.width)
	}
	return nil
}

// additive reports whether the output is a sum of terms of one modality each.
func (st *staging) additive() bool { return len(st.terms) > 0 }

// head returns the last part.
func (st *staging) head() *stagedPart { return &st.parts[st.last] }

// earlier returns all parts but the last.
func (st *staging) earlier() []stagedPart { return st.parts[:st.last] }

// owners reads the players of a part.
func owners(players []int, m int) (ownership, error) {
	var own ownership
	for i, player := range players {
		switch {
		case player == model.Nobody && i == 0:
			own.fixed = true
		case player < 0 || player >= m || i > 0 && player <= players[i-1]:
			return own, fmt.Errorf("engine: stages: a part has the players %v, want ascending numbers below %d", players, m)
		default:
			own.players = own.players.With(player)
		}
	}
	if len(players) == 0 {
		return own, fmt.Errorf("engine: stages: a part depends on nothing")
	}
	return own, nil
}

// fixedName stands for fixed inputs in the name of a part.
const fixedName = "fixed"

// groupsFrom returns how many groups a modality has of which the player is the first,
// 0 for other players.
func groupsFrom(player int, modalities []dataset.Modality) int {
	of := modalities[player].Of
	if of == "" || player > 0 && modalities[player-1].Of == of {
		return 0
	}
	n := 1
	for player+n < len(modalities) && modalities[player+n].Of == of {
		n++
	}
	return n
}

// partName joins the modalities of a part. All groups of a modality are called as the
// modality is.
func partName(players []int, modalities []dataset.Modality) string {
	var names []string
	for i := 0; i < len(players); i++ {
		player := players[i]
		if player == model.Nobody {
			names = append(names, fixedName)
			continue
		}
		name := modalities[player].Name
		if n := groupsFrom(player, modalities); n > 1 && i+n <= len(players) && players[i+n-1] == player+n-1 {
			name = modalities[player].Of
			i += n - 1
		}
		if strings.Contains(name, "+") || name == fixedName || name == wholeModel {
			name = strconv.Quote(name) // or two parts could have one name
		}
		names = append(names, name)
	}
	return strings.Join(names, "+")
}

// A patternKey is a feature of a mixed pattern: the modalities of it that are
// the sample's own.
type patternKey struct {
	feature int
	present game.Coalition
}

// A sides is what a part's inputs are picked from, for n samples and b
// background rows: tensors by feature, [n, 1, ...] of the samples and [1, b, ...]
// or [n, b, ...] of the background, and those that mix both.
type sides struct {
	sample, background []tensor.Tensor
	mixed              map[patternKey]tensor.Tensor
	// rooms hold the halves of sums.
	rooms []tensor.Tensor
}

// pick returns a feature as it is when the modalities in s are the sample's own.
func (st *staging) pick(v *sides, f int, s game.Coalition) tensor.Tensor {
	switch own := st.features[f].ownership; {
	case s&own.players == own.players:
		return v.sample[f]
	case s&own.players == 0 && !own.fixed:
		return v.background[f]
	default:
		return v.mixed[patternKey{f, s & own.players}]
	}
}

// inputs returns what a part takes when the modalities in s are the sample's
// own.
func (st *staging) inputs(v *sides, p *stagedPart, s game.Coalition) model.Batch {
	batch := make(model.Batch, len(p.inputs))
	for i, f := range p.inputs {
		batch[i] = model.Named{Name: st.features[f].name, Tensor: st.pick(v, f, s)}
	}
	for _, h := range p.sums {
		sample, background := st.halves(v, h, s)
		batch = append(batch, sample, background)
	}
	return batch
}

// mix computes the mixed patterns of the parts before the last, in order, for the
// pairs of a sides. It tells done how many rows each stands for.
func (st *staging) mix(ctx context.Context, v *sides, patterns [][]game.Coalition, n, b int, done func(rows int), fail func(p *stagedPart, s game.Coalition, err error) error) error {
	v.mixed = map[patternKey]tensor.Tensor{}
	for i := range st.earlier() {
		p := &st.parts[i]
		for _, s := range patterns[i] {
			outputs, err := st.evaluate(ctx, p, st.inputs(v, p, s), n, b)
			if err != nil {
				return fail(p, s, err)
			}
			for k, f := range p.outputs() {
				v.mixed[patternKey{f, s}] = outputs[k]
			}
			done(n * b)
		}
	}
	return nil
}

// evaluate computes the outputs of a part for n samples and b background rows,
// each [n, b, ...].
func (st *staging) evaluate(ctx context.Context, p *stagedPart, inputs model.Batch, n, b int) ([]tensor.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answers, err := p.Grid.Evaluate(ctx, inputs)
	if err != nil {
		return nil, err
	}
	out := make([]tensor.Tensor, len(p.Outputs))
	for i, f := range p.outputs() {
		want := st.features[f]
		t, ok := answers.Lookup(want.name)
		if !ok {
			return nil, fmt.Errorf("part %s gave no tensor %q", p.name, want.name)
		}
		if t.DType() != want.dtype || t.Len() != n*b*length(want.row) {
			return nil, fmt.Errorf("part %s gave %q as %s %v, want %s %v", p.name, want.name, t.DType(), t.Shape(), want.dtype, grid(n, b, want.row))
		}
		out[i] = t.Reshape(grid(n, b, want.row)...)
	}
	return out, nil
}

// rowsOf evaluates a part for rows that are all of one side, at most limit of
// them a call. Inputs and outputs are [rows, 1, ...].
func (st *staging) rowsOf(ctx context.Context, p *stagedPart, inputs model.Batch, rows, limit int) ([]tensor.Tensor, error) {
	if rows <= limit {
		return st.evaluate(ctx, p, inputs, rows, 1)
	}
	pieces := make([][]tensor.Tensor, len(p.Outputs))
	for lo := 0; lo < rows; lo += limit {
		hi := min(rows, lo+limit)
		outputs, err := st.evaluate(ctx, p, between(inputs, lo, hi), hi-lo, 1)
		if err != nil {
			return nil, err
		}
		for i, t := range outputs {
			pieces[i] = append(pieces[i], t)
		}
	}
	out := make([]tensor.Tensor, len(pieces))
	for i := range out {
		out[i] = tensor.Concat(pieces[i]...)
	}
	return out, nil
}

// leafRows returns a leaf of rows, [rows, 1, ...]. Whole inputs share memory.
func leafRows(l model.Leaf, inputs []tensor.Tensor) tensor.Tensor {
	in := inputs[l.Input]
	shape := grid(in.Rows(), 1, l.Shape)
	if l.Lo == 0 && l.Hi == in.RowLen() {
		return in.Reshape(shape...)
	}
	out := tensor.New(in.DType(), shape...)
	width, from := l.Hi-l.Lo, in.RowLen()
	for r := range in.Rows() {
		out.CopyElements(r*width, in, r*from+l.Lo, width)
	}
	return out
}

// grid is the shape of n by b rows.
func grid(n, b int, row []int) []int { return append([]int{n, b}, row...) }

// length is the number of elements of a shape without rows.
func length(row []int) int {
	n := 1
	for _, d := range row {
		n *= d
	}
	return n
}
