package fusion

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A golden is testdata/pytorch.json; pytorch.py beside it says how it came about.
type golden struct {
	Sizes   []int
	Classes int
	Rate    float64
	Decay   float64
	Inputs  [][]float32
	Labels  []int
	Steps   [][]int
	Cases   []goldenCase
}

type goldenCase struct {
	Fusion string
	Frozen bool
	// Initial and Final are weights and biases in turn, layer by layer.
	Initial, Final [][]float32
	Losses         []float64
	Logits         []float32
}

// pytorchBound is what PyTorch and we may differ by, in losses, weights and logits
// of the order of one: some units of float32's rounding.
const pytorchBound = 2e-6

func readGolden(t *testing.T) golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/pytorch.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// trainer returns a trainer with the case's initial weights.
func (g golden) trainer(t *testing.T, c goldenCase) *trainer {
	t.Helper()
	var d Data
	for i, values := range g.Inputs {
		d.Inputs = append(d.Inputs, model.Named{Name: fmt.Sprint("m", i), Tensor: tensor.Of(values, len(values)/g.Sizes[i], g.Sizes[i])})
	}
	d.Labels = g.Labels
	f, err := ParseFusion(c.Fusion)
	if err != nil {
		t.Fatal(err)
	}
	n, err := newNetwork(f, d, Options{LearningRate: g.Rate, WeightDecay: g.Decay, FrozenEncoders: c.Frozen, Batch: 5}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for l := range n.trunk.layers() {
		weights, bias := c.Initial[at], c.Initial[at+1]
		at += 2
		if len(weights) != l.weights.rows*l.weights.cols || len(bias) != len(l.bias) {
			t.Fatalf("layer %d: want %d weights and %d biases as PyTorch has, got %dx%d and %d", at/2, len(weights), len(bias), l.weights.rows, l.weights.cols, len(l.bias))
		}
		for i := range l.weights.rows {
			copy(l.weights.row(i), weights[i*l.weights.cols:])
		}
		copy(l.bias, bias)
	}
	if at != len(c.Initial) {
		t.Fatalf("want %d tensors of parameters as PyTorch has, got %d", len(c.Initial), at)
	}
	return newTrainer(n, newTable(d, n.inputs, n.scalers), table{})
}

// distance takes the case's steps and returns the largest difference from PyTorch
// in losses, final weights and logits.
func (g golden) distance(t *testing.T, c goldenCase, tr *trainer) (worst float64) {
	t.Helper()
	differ := func(want, got float64) {
		if d := math.Abs(want - got); d > worst || d != d {
			worst = d
		}
	}
	for s, rows := range g.Steps {
		differ(c.Losses[s], tr.step(rows)/float64(len(rows)))
	}
	at := 0
	for l := range tr.network.trunk.layers() {
		for i := range l.weights.rows {
			for j, v := range l.weights.row(i) {
				differ(float64(c.Final[at][i*l.weights.cols+j]), float64(v))
			}
		}
		for i, v := range l.bias {
			differ(float64(c.Final[at+1][i]), float64(v))
		}
		at += 2
	}
	var batch model.Batch
	for i, in := range tr.network.inputs {
		batch = append(batch, model.Named{Name: in.Name, Tensor: tensor.Of(g.Inputs[i], len(g.Labels), g.Sizes[i])})
	}
	out, err := tr.network.Predict(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range tensor.Values[float32](out[0].Tensor) {
		differ(float64(c.Logits[i]), float64(v))
	}
	return worst
}

// TestAgreesWithPyTorch holds 20 steps of every network, trained and frozen,
// against PyTorch.
func TestAgreesWithPyTorch(t *testing.T) {
	g := readGolden(t)
	if want := 5; len(g.Cases) != want {
		t.Fatalf("want %d cases, got %d", want, len(g.Cases))
	}
	for _, c := range g.Cases {
		t.Run(fmt.Sprintf("%s/frozen=%t", c.Fusion, c.Frozen), func(t *testing.T) {
			if worst := g.distance(t, c, g.trainer(t, c)); !(worst <= pytorchBound) {
				t.Errorf("want losses, weights and logits within %g of PyTorch's, got %g", pytorchBound, worst)
			}
		})
	}
}

// TestPyTorchTellsFaults holds that the comparison fails on networks that are
// nearly right.
func TestPyTorchTellsFaults(t *testing.T) {
	g := readGolden(t)
	for _, fault := range []struct {
		name  string
		spoil func(*trainer)
	}{
		{"no weight decay", func(tr *trainer) { tr.adam.decay = 0 }},
		{"another learning rate", func(tr *trainer) { tr.adam.rate *= 1.001 }},
		{"no bias correction at first", func(tr *trainer) { tr.adam.step = 1 }},
		{"a bias that is not trained", func(tr *trainer) { tr.adam.states = tr.adam.states[:len(tr.adam.states)-1] }},
		{"a ReLU before the classes", func(tr *trainer) { tr.network.trunk.head[len(tr.network.trunk.head)-1].relu = true }},
		{"another label", func(tr *trainer) {
			tr.train.labels = append([]int{(tr.train.labels[0] + 1) % 3}, tr.train.labels[1:]...)
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for _, c := range g.Cases {
				tr := g.trainer(t, c)
				fault.spoil(tr)
				if worst := g.distance(t, c, tr); worst <= 10*pytorchBound {
					t.Errorf("%s, frozen %t: want a difference to be seen, got %g", c.Fusion, c.Frozen, worst)
				}
			}
		})
	}
}
