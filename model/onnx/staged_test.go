//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// A trial is a model, the question it is cut by, and rows for both sides.
type trial struct {
	m                   *Model
	q                   model.Question
	samples, background []tensor.Tensor // as many rows
	players             int
}

// leavesOf makes a leaf for every stretch of an input that one modality owns.
func leavesOf(inputs []tensor.Spec, rows []tensor.Tensor, modalities []dataset.Modality) []model.Leaf {
	var leaves []model.Leaf
	for i, in := range inputs {
		owner := slices.Repeat([]int{model.Nobody}, rows[i].RowLen())
		for player, m := range modalities {
			for _, part := range m.Parts {
				for e := part.Lo; part.Input == i && e < part.Hi; e++ {
					owner[e] = player
				}
			}
		}
		for lo := 0; lo < len(owner); {
			hi := lo + 1
			for hi < len(owner) && owner[hi] == owner[lo] {
				hi++
			}
			leaf := model.Leaf{Name: in.Name, Input: i, Lo: lo, Hi: hi, Shape: slices.Clone(rows[i].Shape()[1:]), Player: owner[lo]}
			if hi-lo < len(owner) {
				leaf.Name = fmt.Sprintf("%s[%d:%d]", in.Name, lo, hi)
				leaf.Shape[0] = (hi - lo) * leaf.Shape[0] / len(owner)
			}
			leaves = append(leaves, leaf)
			lo = hi
		}
	}
	return leaves
}

// batch names the rows of all inputs.
func (tr *trial) batch(rows []tensor.Tensor) model.Batch {
	var out model.Batch
	for i, in := range tr.m.inputs {
		out = append(out, model.Named{Name: in.Name, Tensor: rows[i]})
	}
	return out
}

// present reports whether a player's elements are the sample's.
func present(coalition, player int) bool { return player == model.Nobody || coalition>>player&1 == 1 }

// whole gives the output of all pairs by the model as it is.
func (tr *trial) whole(t *testing.T, coalition int) []float64 {
	t.Helper()
	n := tr.samples[0].Rows()
	var rows []tensor.Tensor
	for i, x := range tr.samples {
		mixed := tensor.New(x.DType(), append([]int{n * n}, x.Shape()[1:]...)...)
		for _, l := range tr.q.Leaves {
			if l.Input != i {
				continue
			}
			for r := range n * n {
				from, row := tr.background[i], r%n
				if present(coalition, l.Player) {
					from, row = x, r/n
				}
				mixed.CopyRow(r, from, row, l.Lo, l.Hi)
			}
		}
		rows = append(rows, mixed)
	}
	out, err := tr.m.Predict(t.Context(), tr.batch(rows))
	if err != nil {
		t.Fatal(err)
	}
	y, _ := out.Lookup(tr.q.Output)
	values := make([]float64, y.Len())
	y.Float64s(values)
	return values
}

// leaf takes the elements of a leaf from rows of both sides, as a grid.
func (tr *trial) leaf(l model.Leaf, coalition int) tensor.Tensor {
	rows := tr.background[l.Input]
	n := rows.Rows()
	lead := []int{1, n}
	if present(coalition, l.Player) {
		rows, lead = tr.samples[l.Input], []int{n, 1}
	}
	out := tensor.New(rows.DType(), append(slices.Clone(lead), l.Shape...)...)
	width := l.Hi - l.Lo
	for r := range n {
		out.CopyElements(r*width, rows, r*rows.RowLen()+l.Lo, width)
	}
	return out
}

// staged gives the same by the parts.
func (tr *trial) staged(t *testing.T, s *model.Stages, coalition int) []float64 {
	t.Helper()
	have := model.Batch{}
	for _, l := range tr.q.Leaves {
		have = append(have, model.Named{Name: l.Name, Tensor: tr.leaf(l, coalition)})
	}
	for _, p := range s.Parts {
		var in model.Batch
		for _, name := range p.Inputs {
			x, ok := have.Lookup(name)
			if at := slices.IndexFunc(s.Sums, func(sum model.Sum) bool { return sum.Name == name }); !ok && at >= 0 {
				in = append(in, halves(t, s.Sums[at], have)...)
				continue
			}
			if !ok {
				t.Fatalf("part of %v wants %q, which no part before it gives", p.Players, name)
			}
			in = append(in, model.Named{Name: name, Tensor: x})
		}
		out, err := p.Grid.Evaluate(t.Context(), in)
		if err != nil {
			t.Fatalf("part of %v: %v", p.Players, err)
		}
		have = append(have, out...)
	}
	n, k := tr.samples[0].Rows(), tr.q.Width
	sum := make([]float64, n*n*k)
	terms := s.Terms
	if len(terms) == 0 {
		terms = []string{s.Output}
	}
	for _, name := range terms {
		y, ok := have.Lookup(name)
		if !ok {
			t.Fatalf("no part gives %q", name)
		}
		values := make([]float64, y.Len())
		y.Float64s(values)
		for i := range sum {
			a, b := i/k/n, i/k%n
			sum[i] += values[(a%y.Shape()[0]*y.Shape()[1]+b%y.Shape()[1])*k+i%k]
		}
	}
	return sum
}

// halves adds up the terms of a sum that vary with the samples, and the others.
func halves(t *testing.T, sum model.Sum, have model.Batch) model.Batch {
	t.Helper()
	sides := map[bool][]float64{}
	var row []int
	var dtype tensor.DType
	n := 0
	for _, name := range sum.Terms {
		x, ok := have.Lookup(name)
		if !ok {
			t.Fatalf("sum %q wants the term %q, which no part gives", sum.Name, name)
		}
		ours := x.Shape()[0] > 1
		n, row, dtype = max(x.Shape()[0], x.Shape()[1]), x.Shape()[2:], x.DType()
		values := make([]float64, x.Len())
		x.Float64s(values)
		for i := range sides[ours] {
			values[i] += sides[ours][i]
		}
		sides[ours] = values
	}
	var out model.Batch
	for _, side := range []struct {
		name string
		lead []int
		ours bool
	}{{sum.Sample, []int{n, 1}, true}, {sum.Background, []int{1, n}, false}} {
		values := sides[side.ours]
		if values == nil {
			side.lead = []int{1, 1}
			values = make([]float64, product(row))
		}
		x, err := tensor.Cast(tensor.Of(values, append(side.lead, row...)...), dtype)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, model.Named{Name: side.name, Tensor: x})
	}
	return out
}

// compare returns an error where the parts differ from the whole.
func (tr *trial) compare(t *testing.T, s *model.Stages, bound float64) error {
	for coalition := range 1 << tr.players {
		want, got := tr.whole(t, coalition), tr.staged(t, s, coalition)
		largest := 0.0
		for _, y := range want {
			largest = max(largest, math.Abs(y))
		}
		for i := range want {
			if d := math.Abs(want[i] - got[i]); !(d <= bound*largest) {
				return fmt.Errorf("coalition %b, pair %d: parts give %v, the model %v", coalition, i/tr.q.Width, got[i], want[i])
			}
		}
	}
	return nil
}

// newTrial asks about an output of an open model.
func newTrial(t *testing.T, m *Model, output string, samples, background []tensor.Tensor, modalities []dataset.Modality) *trial {
	t.Helper()
	tr := &trial{m: m, samples: samples, background: background, players: len(modalities)}
	tr.q = model.Question{Leaves: leavesOf(m.inputs, samples, modalities), Output: output, Transform: "identity"}
	tr.q.Rows = tr.batch(samples)
	answer, err := m.Predict(t.Context(), tr.q.Rows)
	if err != nil {
		t.Fatal(err)
	}
	y, ok := answer.Lookup(output)
	if !ok {
		t.Fatalf("no output %q", output)
	}
	tr.q.Width = y.RowLen()
	return tr
}

// partsOf says what the parts are.
func partsOf(s *model.Stages) string {
	var b strings.Builder
	for _, p := range s.Parts {
		fmt.Fprintf(&b, "%v(%d MACs, %v -> ", p.Players, p.MACs, p.Inputs)
		for _, o := range p.Outputs {
			fmt.Fprintf(&b, "%s%v ", o.Name, o.Shape)
		}
		b.WriteString(") ")
	}
	if len(s.Terms) > 0 {
		b.WriteString("additive")
	}
	return b.String()
}

func TestStageTrainedModels(t *testing.T) {
	shared := os.Getenv(sharedVariable)
	if shared == "" {
		t.Skipf("set %s to the folder of shared data to cut trained models", sharedVariable)
	}
	models, err := filepath.Glob(filepath.Join(shared, "data", "*", "model_*.onnx"))
	if err != nil || len(models) == 0 {
		t.Fatalf("want models in %s/data/*, got %v, %v", shared, models, err)
	}
	const rows = 6
	for _, path := range models {
		dir, file := filepath.Split(path)
		for _, output := range []string{"logits", "probabilities"} {
			t.Run(filepath.Base(dir)+"/"+file+"/"+output, func(t *testing.T) {
				m := openPath(t, path)
				var sides [2][]tensor.Tensor
				var modalities []dataset.Modality
				for i, spec := range m.Signature().Inputs {
					x := readNPZ(t, filepath.Join(dir, "test.npz"), spec.Name)
					sides[0] = append(sides[0], x.Slice(0, rows))
					sides[1] = append(sides[1], x.Slice(rows, 2*rows))
					modalities = append(modalities, dataset.Modality{Name: spec.Name, Parts: []dataset.Part{{Input: i, Lo: 0, Hi: x.RowLen()}}})
				}
				tr := newTrial(t, m, output, sides[0], sides[1], modalities)
				s, err := m.Stage(t.Context(), tr.q)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				t.Log(partsOf(s))
				if err := tr.compare(t, s, 1e-5); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestStageRandomModels(t *testing.T) {
	const seeds = 80 // the package intershap compares many more
	for seed := range uint64(seeds) {
		c := graphtest.New(seed)
		if len(c.Players) < 2 {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := os.WriteFile(path, c.Model, 0o600); err != nil {
				t.Fatal(err)
			}
			m := openPath(t, path)
			samples, background := c.Data(1, 5), c.Data(2, 5)
			modalities, err := dataset.ParseModalities(c.Modalities, c.Fixed, specsOf(m.inputs, samples), make([][]string, len(samples)), dataset.MaxUnnamed)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range c.Outputs {
				tr := newTrial(t, m, o.Name, samples, background, modalities)
				s, err := m.Stage(t.Context(), tr.q)
				var not *model.Uncut
				if errors.As(err, &not) && len(c.Unsafe) > 0 {
					continue
				}
				if errors.As(err, &not) {
					t.Logf("%s: not cut: %v (%v, unsafe %v)", o.Name, err, c.Kinds, c.Unsafe)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(c.Unsafe) > 0 {
					t.Errorf("%s: cut, although %v mix rows", o.Name, c.Unsafe)
				}
				t.Log(o.Name, c.Kinds, partsOf(s))
				if err := tr.compare(t, s, max(1e-4, 8*c.Rounding)); err != nil {
					t.Errorf("%s %v: %v", o.Name, c.Kinds, err)
				}
				s.Close()
			}
		})
	}
}

func specsOf(inputs []tensor.Spec, rows []tensor.Tensor) []tensor.Spec {
	out := slices.Clone(inputs)
	for i := range out {
		out[i].Shape = append([]int{-1}, rows[i].Shape()[1:]...)
	}
	return out
}
