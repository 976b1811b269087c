//go:build cgo

package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// A recorded source is a table of any types whose samples may lack modalities.
type recorded struct {
	table
	present []uint64
}

func (r recorded) Read(ctx context.Context, lo, hi int) (dataset.Rows, error) {
	rows, err := r.table.Read(ctx, lo, hi)
	rows.Present = r.present[lo:hi]
	return rows, err
}

// graphOptions asks about a random graph's output, all columns of it.
func graphOptions(t *testing.T, c *graphtest.Case) Options {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, c.Model, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	var specs []tensor.Spec
	for _, in := range c.Inputs {
		specs = append(specs, tensor.Spec{Name: in.Name, DType: in.DType, Shape: append([]int{-1}, in.RowShape...)})
	}
	modalities, err := dataset.ParseModalities(c.Modalities, c.Fixed, specs, make([][]string, len(specs)), dataset.MaxUnnamed)
	if err != nil {
		t.Fatal(err)
	}
	mask, err := background.ParseMask(nil, modalities, specs)
	if err != nil {
		t.Fatal(err)
	}
	const samples, rows = 20, 11
	source := recorded{table: table{specs: specs, rows: c.Data(1, samples)}}
	rng := rand.New(rand.NewPCG(c.Seed, 1))
	for range samples {
		source.present = append(source.present, rng.Uint64()|rng.Uint64())
	}
	drawn, err := background.Draw(t.Context(), table{specs: specs, rows: c.Data(2, rows)}, modalities, mask, background.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	out := c.Outputs[c.Seed/2%uint64(len(c.Outputs))]
	answers, err := Probe(t.Context(), m, specs, c.Data(2, 2))
	if err != nil {
		t.Fatal(err)
	}
	y, err := Output(answers, out.Name, 2)
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Model: m, Samples: source, Modalities: modalities, Background: drawn, Output: out.Name, Width: y.RowLen(), Workers: 1,
		Target: Target{Choice: Columns, Columns: upTo(y.RowLen())}}
	if opt.Width > 1 && c.Seed%3 == 0 {
		opt.Transform = Softmax
	}
	return opt
}

// ONNX Runtime in parts and whole agree where samples lack modalities, and v does not
// change by a bit with what is absent.
func TestLackingGraphs(t *testing.T) {
	const bound, half = 3e-5, 4e-3 // of the largest, as for samples that lack nothing
	cut := 0
	for seed := range uint64(40) {
		c := graphtest.New(seed)
		if len(c.Players) < 2 || len(c.Unsafe) > 0 {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			opt := graphOptions(t, c)
			source := opt.Samples.(recorded)
			m, targets := len(opt.Modalities), opt.Target.Len()
			check := func(way string, a answer) {
				t.Helper()
				for at, v := range a.values {
					has := int(source.present[at/(targets<<m)]) & (1<<m - 1)
					s := at & (1<<m - 1)
					if want := a.values[at-s+s&has]; v != want {
						t.Fatalf("%s: value %d, v(%s), is %v, want %v as of what is there", way, at, game.Coalition(s), v, want)
					}
				}
			}
			_, want := solve(t, opt)
			check("whole", want)
			stages, err := Stage(t.Context(), opt)
			if uncut := (*model.Uncut)(nil); errors.As(err, &uncut) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer stages.Close()
			cut++
			opt.Stages = stages
			_, got := solve(t, opt)
			check("in parts", got)
			limit := bound
			if c.Rounding > bound {
				limit = half
			}
			near := got
			near.predicted = want.predicted // outputs may tie
			if d := near.differs(want); !(d <= limit) || math.IsNaN(d) {
				t.Errorf("parts and whole differ by %.2g of the largest value, want at most %.2g; made of %v", d, limit, c.Kinds)
			}
			// What stands in the gaps is nothing to either way.
			changed := source
			changed.rows = nil
			for k, in := range source.rows {
				changed.rows = append(changed.rows, tensor.Concat(in))
				for i, present := range source.present {
					for player, modality := range opt.Modalities {
						for _, part := range modality.Parts {
							if part.Input == k && present>>player&1 == 0 {
								changed.rows[k].CopyElements(i*in.RowLen()+part.Lo, tensor.New(in.DType(), in.RowLen()), 0, part.Hi-part.Lo)
							}
						}
					}
				}
			}
			opt.Samples = changed
			if _, again := solve(t, opt); again.differs(got) != 0 {
				t.Error("in parts, other values in the gaps change bits")
			}
			opt.Stages = nil
			if _, again := solve(t, opt); again.differs(want) != 0 {
				t.Error("whole, other values in the gaps change bits")
			}
		})
	}
	if cut < 10 {
		t.Errorf("%d graphs were cut, want at least 10", cut)
	}
}
