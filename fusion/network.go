package fusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A layer is dense: y = x·Wᵀ + b, and max(0, y) if it has a ReLU.
type layer struct {
	weights matrix // [out, in]
	bias    []float32
	relu    bool
}

// A stack is layers one after another; without any it hands its input on.
type stack []*layer

// width returns the number of columns that come out of in.
func (s stack) width(in int) int {
	if len(s) == 0 {
		return in
	}
	return s[len(s)-1].weights.rows
}

// A trunk is the layers of a network: a branch for each input, whose outputs are
// joined in order, and the head on all of them.
type trunk struct {
	widths   []int // of the inputs
	branches []stack
	head     stack
}

// joined returns the number of columns that the head takes.
func (t trunk) joined() int {
	n := 0
	for i, b := range t.branches {
		n += b.width(t.widths[i])
	}
	return n
}

// A dense is the form of a layer.
type dense struct {
	in, out int
	relu    bool
}

// parameters counts weights and biases.
func (d dense) parameters() int64 { return (int64(d.in) + 1) * int64(d.out) }

// design returns the forms of all layers: those of each branch, and the head's.
func design(f Fusion, widths []int, classes int) (branches [][]dense, head []dense) {
	encoder := encoderLayers[f]
	joined := 0
	for _, in := range widths {
		var b []dense
		for range encoder {
			// An encoder of one layer is linear; so it is in the published networks.
			b = append(b, dense{in, half(in), encoder > 1})
			in = half(in)
		}
		branches = append(branches, b)
		joined += in
	}
	for range allLayers - encoder - 1 {
		head = append(head, dense{joined, half(joined), true})
		joined = half(joined)
	}
	return branches, append(head, dense{joined, classes, false})
}

// maxParameters bounds a network: its training takes 16 bytes for each and more,
// for the parameter, its gradient and the two moments of Adam.
const maxParameters = 100_000_000

// checkSize refuses a network that is too large to be meant, before it takes any
// memory.
func checkSize(f Fusion, widths []int, classes int) error {
	branches, head := design(f, widths, classes)
	total := int64(0)
	for _, all := range append(branches, head) {
		for _, d := range all {
			total += d.parameters()
		}
	}
	if total > maxParameters {
		elements := 0
		for _, w := range widths {
			elements += w
		}
		return fmt.Errorf("%d elements a sample and %d classes make %d parameters; want at most %d: take fewer elements, such as those that vary most or principal components",
			elements, classes, total, maxParameters)
	}
	return nil
}

// newTrunk draws the weights and biases of a layer with in inputs uniformly from
// -1/sqrt(in) to 1/sqrt(in), as PyTorch's Linear does (kaiming_uniform with
// a = sqrt(5)). Branches come before the head, weights before biases.
func newTrunk(f Fusion, widths []int, classes int, rng *rand.Rand) trunk {
	t := trunk{widths: widths}
	branches, head := design(f, widths, classes)
	for _, b := range branches {
		t.branches = append(t.branches, newStack(b, rng))
	}
	t.head = newStack(head, rng)
	return t
}

func newStack(forms []dense, rng *rand.Rand) stack {
	var s stack
	for _, d := range forms {
		s = append(s, newLayer(d, rng))
	}
	return s
}

func newLayer(d dense, rng *rand.Rand) *layer {
	l := &layer{weights: newMatrix(d.out, d.in), bias: make([]float32, d.out), relu: d.relu}
	bound := 1 / math.Sqrt(float64(d.in))
	draw := func(dst []float32) {
		for i := range dst {
			dst[i] = float32((2*rng.Float64() - 1) * bound)
		}
	}
	for i := range d.out {
		draw(l.weights.row(i))
	}
	draw(l.bias)
	return l
}

// A scaler makes elements of one modality comparable: (x - mean) * scale, with
// scale one over the standard deviation. The zero scaler changes nothing.
type scaler struct{ mean, scale []float32 }

// apply standardises a row.
func (s scaler) apply(row []float32) {
	for i, mean := range s.mean {
		row[i] = (row[i] - mean) * s.scale[i]
	}
}

// A Network is a trained network. It is safe for concurrent use.
type Network struct {
	fusion    Fusion
	inputs    []tensor.Spec
	classes   []string
	scalers   []scaler // of each input; all zero unless standardised
	trunk     trunk
	options   Options
	lastEpoch Epoch
}

var _ model.Described = (*Network)(nil)

// Fusion returns where the modalities are joined.
func (n *Network) Fusion() Fusion { return n.fusion }

// Classes returns the names of the classes, in the order of the outputs' columns.
func (n *Network) Classes() []string { return slices.Clone(n.classes) }

// Epoch returns the epoch whose weights the network has: the last, or the best
// under [Options.Patience].
func (n *Network) Epoch() Epoch { return n.lastEpoch }

// Parameters returns the number of weights and biases.
func (n *Network) Parameters() int {
	total := 0
	for l := range n.trunk.layers() {
		total += l.weights.rows*l.weights.cols + len(l.bias)
	}
	return total
}

// layers iterates over all layers: branch by branch, then the head.
func (t trunk) layers() func(yield func(*layer) bool) {
	return func(yield func(*layer) bool) {
		for _, s := range append(slices.Clone(t.branches), t.head) {
			for _, l := range s {
				if !yield(l) {
					return
				}
			}
		}
	}
}
