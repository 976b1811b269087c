//go:build cgo

package graphtest_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// seeds is the number of cases that are looked at.
const seeds = 400

func open(t testing.TB, c *graphtest.Case) *onnx.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, c.Model, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		t.Fatalf("seed %d: %v: %v\n%v", c.Seed, c.Kinds, err, t.Name())
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// predict returns all outputs as numbers, row by row.
func predict(t testing.TB, c *graphtest.Case, m model.Model, rows []tensor.Tensor) [][]float64 {
	t.Helper()
	var batch model.Batch
	for i, in := range c.Inputs {
		batch = append(batch, model.Named{Name: in.Name, Tensor: rows[i]})
	}
	outputs, err := m.Predict(t.Context(), batch)
	if err != nil {
		t.Fatalf("seed %d: %v: %v", c.Seed, c.Kinds, err)
	}
	out := make([][]float64, rows[0].Rows())
	for _, o := range outputs {
		values := make([]float64, o.Tensor.Len())
		o.Tensor.Float64s(values)
		for r := range out {
			out[r] = append(out[r], values[r*o.Tensor.RowLen():(r+1)*o.Tensor.RowLen()]...)
		}
	}
	return out
}

// farthest returns the largest difference, relative to the largest number.
func farthest(a, b [][]float64) float64 {
	scale, distance := 1e-30, 0.0
	for r := range a {
		for i := range a[r] {
			scale = max(scale, math.Abs(a[r][i]))
			if d := math.Abs(a[r][i] - b[r][i]); !(d <= distance) {
				distance = d
			}
		}
	}
	return distance / scale
}

func TestFarthest(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		a, b         [][]float64
		want         float64
	}{
		{"same", "nothing moved", [][]float64{{1, -2}}, [][]float64{{1, -2}}, 0},
		{"moved", "one of two, of a largest 2", [][]float64{{1, -2}}, [][]float64{{1.5, -2}}, 0.25},
		{"not a number", "never small", [][]float64{{1}}, [][]float64{{math.NaN()}}, math.NaN()},
	} {
		if got := farthest(c.a, c.b); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s (%s): %v, want %v", c.name, c.reason, got, c.want)
		}
	}
}

// replaced returns rows in which the inputs of a player come from others.
func replaced(c *graphtest.Case, player string, rows, others []tensor.Tensor) []tensor.Tensor {
	out := slices.Clone(rows)
	swap := func(name string, lo, hi int) {
		for i, in := range c.Inputs {
			if in.Name != name {
				continue
			}
			mixed := tensor.New(in.DType, rows[i].Shape()...)
			steps := 1
			for _, d := range in.RowShape[min(1, len(in.RowShape)):] {
				steps *= d
			}
			if hi < 0 {
				lo, hi = 0, mixed.RowLen()
				steps = 1
			}
			for r := range mixed.Rows() {
				mixed.CopyRow(r, out[i], r, 0, mixed.RowLen())
				mixed.CopyRow(r, others[i], r, lo*steps, hi*steps)
			}
			out[i] = mixed
		}
	}
	for _, spec := range c.Modalities {
		name, items, _ := strings.Cut(spec, "=")
		if name != player {
			continue
		}
		for item := range strings.SplitSeq(items, ",") {
			var lo, hi int
			if input, slice, sliced := strings.Cut(item, "["); sliced {
				if _, err := fmt.Sscanf(slice, "%d:%d]", &lo, &hi); err != nil {
					panic(err)
				}
				swap(input, lo, hi)
			} else {
				swap(item, 0, -1)
			}
		}
		return out
	}
	swap(player, 0, -1)
	return out
}

// All that a case says of itself must be so when the runtime computes it.
func TestCasesAreWhatTheySay(t *testing.T) {
	n := seeds
	if testing.Short() {
		n = 60
	}
	const rows, fewer = 48, 16
	players, weak, mixing, mixed := 0, 0, 0, 0
	for seed := range uint64(n) {
		c := graphtest.New(seed)
		m := open(t, c)
		data, others := c.Data(1, rows), c.Data(2, rows)
		base := predict(t, c, m, data)
		for r := range base {
			for _, v := range base[r] {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("seed %d: %v: row %d is %v", seed, c.Kinds, r, base[r])
				}
			}
		}
		var part []tensor.Tensor
		for _, x := range data {
			part = append(part, x.Slice(fewer, 2*fewer))
		}
		apart := farthest(base[fewer:2*fewer], predict(t, c, m, part))
		if len(c.Unsafe) == 0 {
			if tolerance := 64 * c.Rounding; apart > tolerance {
				t.Errorf("seed %d: %v: rows change by %v in another batch, want at most %v", seed, c.Kinds, apart, tolerance)
			}
		} else {
			mixing++
			if apart > 1e-6 {
				mixed++
			}
			continue
		}
		for _, p := range c.Players {
			change := farthest(base, predict(t, c, m, replaced(c, p, data, others)))
			if slices.Contains(c.Ignored, p) {
				if change != 0 {
					t.Errorf("seed %d: %v: the ignored modality %s changes outputs by %v", seed, c.Kinds, p, change)
				}
				continue
			}
			players++
			if change < 1e-3 {
				weak++
				t.Logf("seed %d: %v: modality %s changes outputs by %v only", seed, c.Kinds, p, change)
			}
		}
	}
	t.Logf("%d of %d modalities hardly matter, %d of %d mixing cases were seen to mix", weak, players, mixed, mixing)
	if weak*20 > players {
		t.Errorf("%d of %d modalities hardly matter, want at most 1 in 20", weak, players)
	}
	if mixed*10 < mixing*8 {
		t.Errorf("%d of %d mixing cases were seen to mix, want 8 of 10", mixed, mixing)
	}
}

// A generator that stops making some kind would stop testing it.
func TestAllKindsOccur(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(seeds) {
		for _, k := range graphtest.New(seed).Kinds {
			count[k]++
		}
	}
	known := graphtest.Kinds()
	for _, k := range known {
		if count[k] == 0 {
			t.Errorf("%s does not occur in %d seeds", k, seeds)
		}
	}
	for k := range count {
		if !slices.Contains(known, k) {
			t.Errorf("%s occurs and Kinds does not list it", k)
		}
	}
}

func TestSameSeedSameCase(t *testing.T) {
	a, b, c := graphtest.New(5), graphtest.New(5), graphtest.New(6)
	if !bytes.Equal(a.Model, b.Model) {
		t.Error("two models of one seed differ")
	}
	if bytes.Equal(a.Model, c.Model) {
		t.Error("two seeds give one model")
	}
	if x, y := a.Data(1, 4), b.Data(1, 4); !bytes.Equal(x[0].Bytes(), y[0].Bytes()) {
		t.Error("data of one seed differ")
	}
}
