package fusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWidths holds the shapes of the paper's networks: in, in/2, in/4, classes.
func TestWidths(t *testing.T) {
	for _, c := range []struct {
		fusion  Fusion
		sizes   []int
		classes int
		reason  string
		want    []string // of weights: branches, then the head; "*" has a ReLU
	}{
		{Early, []int{110, 90}, 2, "the paper's", []string{"100x200*", "50x100*", "2x50"}},
		{Intermediate, []int{110, 90}, 2, "the paper's; the encoder is linear", []string{"55x110", "45x90", "50x100*", "2x50"}},
		{Late, []int{110, 90}, 2, "the paper's", []string{"55x110*", "27x55*", "45x90*", "22x45*", "2x49"}},
		{Early, []int{110, 90, 100}, 4, "more modalities and classes", []string{"150x300*", "75x150*", "4x75"}},
		{Late, []int{5, 1}, 2, "no layer is empty", []string{"2x5*", "1x2*", "1x1*", "1x1*", "2x2"}},
		{Early, []int{3}, 2, "one modality", []string{"1x3*", "1x1*", "2x1"}},
	} {
		t.Run(fmt.Sprint(c.fusion, c.sizes), func(t *testing.T) {
			n, err := newNetwork(c.fusion, noise(1, 20, c.classes, c.sizes...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			parameters := 0
			for l := range n.trunk.layers() {
				mark := ""
				if l.relu {
					mark = "*"
				}
				got = append(got, fmt.Sprintf("%dx%d%s", l.weights.rows, l.weights.cols, mark))
				parameters += l.weights.rows * (l.weights.cols + 1)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: layers (-want +got):\n%s", c.reason, diff)
			}
			if n.Parameters() != parameters {
				t.Errorf("want %d parameters, got %d", parameters, n.Parameters())
			}
		})
	}
}

// TestInitialWeights holds bounds and moments of the uniform distribution from
// -1/sqrt(in) to 1/sqrt(in): its variance is 1/(3·in).
func TestInitialWeights(t *testing.T) {
	const in, out = 100, 400
	l := newLayer(dense{in, out, false}, rand.New(rand.NewPCG(1, weightStream)))
	var all []float64
	for i := range out {
		for _, v := range l.weights.row(i) {
			all = append(all, float64(v))
		}
	}
	mean, square := 0.0, 0.0
	for _, v := range all {
		mean += v / float64(len(all))
		square += v * v / float64(len(all))
	}
	bound := 1 / math.Sqrt(in)
	if low, high := slices.Min(all), slices.Max(all); low < -bound || high > bound || low > -0.999*bound || high < 0.999*bound {
		t.Errorf("want weights to fill [-%v, %v], got %v to %v", bound, bound, low, high)
	}
	// Five standard errors: of the mean, sd/sqrt(n); of the square, sqrt(4/45)·bound²/sqrt(n).
	n := math.Sqrt(float64(len(all)))
	if most := 5 * bound / math.Sqrt(3) / n; math.Abs(mean) > most {
		t.Errorf("want the mean within %g of 0, got %g", most, mean)
	}
	if want, most := bound*bound/3, 5*math.Sqrt(4.0/45)*bound*bound/n; math.Abs(square-want) > most {
		t.Errorf("want the variance within %g of %g, got %g", most, want, square)
	}
	for _, b := range l.bias {
		if math.Abs(float64(b)) > bound {
			t.Errorf("want biases within %v too, got %v", bound, b)
		}
	}
}

// TestSeed holds that a seed fixes the weights, and that another seed has others.
func TestSeed(t *testing.T) {
	data := noise(1, 20, 2, 6, 4)
	weights := func(seed uint64, frozen bool) []float32 {
		n, err := newNetwork(Late, data, Options{Seed: seed, FrozenEncoders: frozen})
		if err != nil {
			t.Fatal(err)
		}
		return parametersOf(n)
	}
	if !slices.Equal(weights(1, false), weights(1, true)) {
		t.Error("want the same initial weights from the same seed")
	}
	if slices.Equal(weights(1, false), weights(2, false)) {
		t.Error("want other initial weights from another seed")
	}
}

// parametersOf returns all weights and biases.
func parametersOf(n *Network) []float32 {
	var all []float32
	for l := range n.trunk.layers() {
		for i := range l.weights.rows {
			all = append(all, l.weights.row(i)...)
		}
		all = append(all, l.bias...)
	}
	return all
}

// TestTooLarge holds that an image of ordinary size is refused with a remedy, and
// not by the machine's memory.
func TestTooLarge(t *testing.T) {
	// Early: (150,536 + 1)·75,268 + (75,268 + 1)·37,634 + (37,634 + 1)·2.
	const want = "150536 elements a sample and 2 classes make 14163367732 parameters; want at most 100000000: take fewer elements"
	_, err := Train(t.Context(), Early, noise(1, 4, 2, 224*224*3, 8), Data{}, Options{})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("want an error that says %q, got %v", want, err)
	}
	if err := checkSize(Early, []int{8_000, 4_000}, 2); err != nil {
		t.Errorf("want room for 12,000 genes, got %v", err)
	}
}

func TestParse(t *testing.T) {
	for _, f := range Fusions {
		if got, err := ParseFusion(f.String()); err != nil || got != f {
			t.Errorf("%v: got %v, %v", f, got, err)
		}
	}
	for _, w := range []Watch{WatchLoss, WatchF1} {
		if got, err := ParseWatch(w.String()); err != nil || got != w {
			t.Errorf("%v: got %v, %v", w, got, err)
		}
	}
	for _, name := range []string{"", "Early", "joint", "Fusion(0)"} {
		if f, err := ParseFusion(name); err == nil {
			t.Errorf("%q: want an error, got %v", name, f)
		}
		if w, err := ParseWatch(name); err == nil {
			t.Errorf("%q: want an error, got %v", name, w)
		}
	}
	if got := Fusion(9).String() + Watch(9).String(); got != "Fusion(9)Watch(9)" {
		t.Errorf("unknown values: got %q", got)
	}
}
