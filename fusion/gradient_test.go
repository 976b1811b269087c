package fusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// plainLoss is the definition, in float64 and without matrices: the mean cross
// entropy of a network whose layers are read from n, with one parameter changed
// by step.
func plainLoss(n *Network, d table, changed *float32, step float64) float64 {
	value := func(p *float32) float64 {
		if p == changed {
			return float64(*p) + step
		}
		return float64(*p)
	}
	through := func(s stack, x []float64) []float64 {
		for _, l := range s {
			y := make([]float64, l.weights.rows)
			for i := range y {
				y[i] = value(&l.bias[i])
				for j, v := range x {
					y[i] += v * value(&l.weights.row(i)[j])
				}
				if l.relu && y[i] < 0 {
					y[i] = 0
				}
			}
			x = y
		}
		return x
	}
	loss := 0.0
	for r := range d.rows() {
		var joined []float64
		for i, b := range n.trunk.branches {
			x := make([]float64, d.inputs[i].cols)
			for j, v := range d.inputs[i].row(r) {
				x[j] = float64(v)
			}
			joined = append(joined, through(b, x)...)
		}
		logits := through(n.trunk.head, joined)
		sum := 0.0
		for _, z := range logits {
			sum += math.Exp(z)
		}
		loss += math.Log(sum) - logits[d.labels[r]]
	}
	return loss / float64(d.rows())
}

// gradientBound is what a gradient may be off by, beside the largest of its layer:
// float32 rounds to 6e-8, and a sum over rows and layers to a hundred times that.
// The differences are good to 1e-9.
const gradientBound = 1e-5

// gradientFault compares the gradients of one step's samples with differences of
// the definition, parameter by parameter.
func gradientFault(n *Network, d table, spoil func(*descent)) error {
	tr := newTrainer(n, d, table{})
	for i, x := range tr.train.inputs {
		copyTo(tr.descent.inputs[i], x, 0, d.rows())
	}
	tr.descent.forward(d.rows())
	loss := tr.descent.backward(d.labels) / float64(d.rows())
	if want := plainLoss(n, d, nil, 0); math.Abs(want-loss) > gradientBound {
		return fmt.Errorf("loss: want %v, got %v", want, loss)
	}
	if spoil != nil {
		spoil(tr.descent)
	}
	for s, state := range tr.adam.states {
		largest := 0.0
		for _, g := range state.gradient {
			largest = max(largest, math.Abs(float64(g)))
		}
		if largest == 0 {
			return fmt.Errorf("parameters %d: no gradient", s)
		}
		for i := range state.parameters {
			const h = 1e-5
			p := &state.parameters[i]
			want := (plainLoss(n, d, p, h) - plainLoss(n, d, p, -h)) / (2 * h)
			if got := float64(state.gradient[i]); math.Abs(want-got) > gradientBound*largest {
				return fmt.Errorf("parameters %d, element %d: want %v by differences, got %v", s, i, want, got)
			}
		}
	}
	return nil
}

// TestGradients compares every derivative of every network with differences of the
// loss, which is computed another way.
func TestGradients(t *testing.T) {
	for _, f := range Fusions {
		for _, sizes := range [][]int{{7}, {9, 6}, {5, 4, 8}} {
			t.Run(fmt.Sprintf("%s/%v", f, sizes), func(t *testing.T) {
				n, d := tiny(t, f, 11, 3, sizes...)
				if err := gradientFault(n, d, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestGradientsTellFaults holds that the comparison sees one wrong derivative.
func TestGradientsTellFaults(t *testing.T) {
	for _, f := range Fusions {
		n, d := tiny(t, f, 11, 3, 9, 6)
		err := gradientFault(n, d, func(d *descent) {
			g := d.head[0].gradient
			g.bias[0] += 1e-3
		})
		if err == nil {
			t.Errorf("%s: want a wrong derivative to be seen", f)
		}
	}
}

// tiny returns a network and samples for it, as many as one step takes.
func tiny(t *testing.T, f Fusion, samples, classes int, sizes ...int) (*Network, table) {
	t.Helper()
	data := noise(5, samples, classes, sizes...)
	n, err := newNetwork(f, data, Options{Seed: 2}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	// Wider than the initial weights, so that no ReLU is off for all samples.
	rng := rand.New(rand.NewPCG(4, 0))
	for l := range n.trunk.layers() {
		for i := range l.bias {
			l.bias[i] = float32(0.3 + 0.1*rng.NormFloat64())
		}
	}
	return n, newTable(data, n.inputs, n.scalers)
}
