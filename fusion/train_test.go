package fusion

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// predict returns logits and probabilities of all samples.
func predict(t *testing.T, n *Network, d Data) [2][]float32 {
	t.Helper()
	out, err := n.Predict(t.Context(), d.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	return [2][]float32{tensor.Values[float32](out[0].Tensor), tensor.Values[float32](out[1].Tensor)}
}

// width is the number of elements of each modality of bits.
const width = 16

// bits returns samples of two modalities: each has its bit as the sign of its mean. The label is the exclusive or, or the first bit alone.
func bits(seed uint64, samples int, xor bool) Data {
	rng := rand.New(rand.NewPCG(seed, 0))
	d := Data{}
	for i := range 2 {
		d.Inputs = append(d.Inputs, model.Named{Name: []string{"a", "b"}[i], Tensor: tensor.New(tensor.Float32, samples, width)})
	}
	for s := range samples {
		var bit [2]int
		for i, in := range d.Inputs {
			bit[i] = rng.IntN(2)
			for j := range width {
				tensor.Values[float32](in.Tensor)[width*s+j] = float32(0.3*rng.NormFloat64()) + float32(2*bit[i]-1)
			}
		}
		label := bit[0]
		if xor {
			label ^= bit[1]
		}
		d.Labels = append(d.Labels, label)
	}
	return d
}

// quick are options with which tiny networks learn in a moment.
var quick = Options{Epochs: 150, LearningRate: 1e-2, WeightDecay: NoWeightDecay, Batch: 50, Seed: 1}

// TestLearns trains every fusion on what it can represent, and late fusion on what
// it cannot: the exclusive or of two modalities is no sum of terms of one each.
func TestLearns(t *testing.T) {
	for _, c := range []struct {
		name        string
		fusion      Fusion
		xor, frozen bool
		least, most float64 // accuracy on samples that were not trained on
	}{
		{"early, one modality", Early, false, false, 0.98, 1},
		{"intermediate, one modality", Intermediate, false, false, 0.98, 1},
		{"late, one modality", Late, false, false, 0.98, 1},
		{"early, interaction", Early, true, false, 0.95, 1},
		{"intermediate, interaction", Intermediate, true, false, 0.95, 1},
		{"late, interaction", Late, true, false, 0.25, 0.8},
		{"intermediate, interaction, frozen", Intermediate, true, true, 0.9, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := quick
			opts.FrozenEncoders = c.frozen
			var epochs []Epoch
			opts.Progress = func(e Epoch) { epochs = append(epochs, e) }
			valid := bits(2, 300, c.xor)
			n, err := Train(t.Context(), c.fusion, bits(1, 500, c.xor), valid, opts)
			if err != nil {
				t.Fatal(err)
			}
			got, err := n.Evaluate(t.Context(), valid)
			if err != nil {
				t.Fatal(err)
			}
			if got.Accuracy < c.least || got.Accuracy > c.most {
				t.Errorf("want an accuracy from %v to %v, got %+v", c.least, c.most, got)
			}
			if len(epochs) != opts.Epochs || epochs[0].Number != 1 {
				t.Fatalf("want progress from epoch 1 to %d, got %d", opts.Epochs, len(epochs))
			}
			last := epochs[len(epochs)-1]
			if diff := cmp.Diff(last, n.Epoch()); diff != "" {
				t.Errorf("the network's epoch (-last told +its own):\n%s", diff)
			}
			if diff := cmp.Diff(got, *last.Valid); diff != "" {
				t.Errorf("validation (-Evaluate +progress):\n%s", diff)
			}
			if c.most == 1 && !(last.Loss < epochs[0].Loss/2) {
				t.Errorf("want the loss to fall to less than half, got %v to %v", epochs[0].Loss, last.Loss)
			}
		})
	}
}

// TestSameSeedSameNetwork trains twice, and once more beside another network.
func TestSameSeedSameNetwork(t *testing.T) {
	opts := quick
	opts.Epochs = 3
	data := bits(1, 120, true)
	train := func(seed uint64) []float32 {
		o := opts
		o.Seed = seed
		n, err := Train(context.Background(), Late, data, Data{}, o)
		if err != nil {
			t.Error(err)
			return nil
		}
		return parametersOf(n)
	}
	want := train(1)
	beside := make(chan []float32)
	go func() { beside <- train(1) }()
	if slices.Equal(want, train(2)) {
		t.Error("want another network from another seed")
	}
	if !slices.Equal(want, <-beside) || !slices.Equal(want, train(1)) {
		t.Error("want the same bits from the same seed")
	}
}

// TestFrozen holds that frozen layers keep their initial weights and the others do
// not, and that training on what frozen layers gave is the same as going through
// them at every step.
func TestFrozen(t *testing.T) {
	data := bits(1, 120, true)
	for _, f := range Fusions {
		t.Run(f.String(), func(t *testing.T) {
			opts := quick
			opts.Epochs, opts.FrozenEncoders = 3, true
			start, err := newNetwork(f, data, opts)
			if err != nil {
				t.Fatal(err)
			}
			n, err := Train(t.Context(), f, data, data, opts)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n.trunk.branches {
				for l, layer := range n.trunk.branches[i] {
					if !slices.Equal(layer.weights.data, start.trunk.branches[i][l].weights.data) || !slices.Equal(layer.bias, start.trunk.branches[i][l].bias) {
						t.Errorf("layer %d of branch %d was trained", l, i)
					}
				}
			}
			for l, layer := range n.trunk.head {
				if slices.Equal(layer.weights.data, start.trunk.head[l].weights.data) {
					t.Errorf("layer %d behind the join was not trained", l)
				}
			}
			if opts.FrozenEncoders = false; f == Early {
				free, err := Train(t.Context(), f, data, data, opts)
				if err != nil || !slices.Equal(parametersOf(free), parametersOf(n)) {
					t.Errorf("early fusion has nothing to freeze: want the same network (%v)", err)
				}
			}
			judged, err := n.Evaluate(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(judged, *n.Epoch().Valid); diff != "" {
				t.Errorf("judgement of the whole network and of the layers behind the join (-whole +behind):\n%s", diff)
			}
		})
	}
}

// TestPatience holds when training stops and that the best weights are kept.
func TestPatience(t *testing.T) {
	// Few samples of many elements, at random: the validation loss turns soon.
	train, valid := noise(1, 60, 2, 20, 20), noise(2, 60, 2, 20, 20)
	for _, watch := range []Watch{WatchLoss, WatchF1} {
		t.Run(watch.String(), func(t *testing.T) {
			const patience = 4
			opts := quick
			opts.Patience, opts.Watch = patience, watch
			var epochs []Epoch
			opts.Progress = func(e Epoch) { epochs = append(epochs, e) }
			n, err := Train(t.Context(), Early, train, valid, opts)
			if err != nil {
				t.Fatal(err)
			}
			best := epochs[0]
			for _, e := range epochs[1:] {
				if watch == WatchLoss && e.Valid.Loss < best.Valid.Loss || watch == WatchF1 && e.Valid.F1 > best.Valid.F1 {
					best = e
				}
			}
			if n.Epoch().Number != best.Number || len(epochs) != best.Number+patience {
				t.Errorf("want epoch %d kept and an end %d later, got %d and an end after %d", best.Number, patience, n.Epoch().Number, len(epochs))
			}
			if len(epochs) == opts.Epochs || best.Number == len(epochs) {
				t.Fatalf("the case stops nothing early: best %d of %d", best.Number, len(epochs))
			}
			judged, err := n.Evaluate(t.Context(), valid)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*best.Valid, judged); diff != "" {
				t.Errorf("the weights are not those of the best epoch (-best +kept):\n%s", diff)
			}
		})
	}
}

// TestStandardise holds that a network trained on shifted and scaled inputs is the
// one trained on what is left without shift and scale, to rounding, and that a
// constant element does no harm.
func TestStandardise(t *testing.T) {
	plain := bits(1, 120, true)
	shifted := Data{Labels: plain.Labels}
	for i, in := range plain.Inputs {
		x := tensor.New(tensor.Float32, 120, width)
		for j, v := range tensor.Values[float32](in.Tensor) {
			tensor.Values[float32](x)[j] = 100 + 8*v // a power of two: nothing but the shift is rounded
			if i == 0 && j%width == 2 {
				tensor.Values[float32](x)[j] = 0.1
				tensor.Values[float32](in.Tensor)[j] = 7
			}
		}
		shifted.Inputs = append(shifted.Inputs, model.Named{Name: in.Name, Tensor: x})
	}
	opts := quick
	opts.Epochs, opts.Standardise = 5, true
	networks := [2]*Network{}
	for i, d := range []Data{plain, shifted} {
		n, err := Train(t.Context(), Intermediate, d, Data{}, opts)
		if err != nil {
			t.Fatal(err)
		}
		networks[i] = n
	}
	for i, s := range networks[1].scalers {
		for j := range s.mean {
			mean, square := moments(shifted.Inputs[i].Tensor, j)
			if constant := i == 0 && j == 2; constant && (s.mean[j] != 0.1 || s.scale[j] != 1) {
				t.Errorf("constant element: want it centred alone, got mean %v, scale %v", s.mean[j], s.scale[j])
			} else if !constant && (math.Abs(mean-float64(s.mean[j])) > 1e-5 || math.Abs(float64(s.scale[j])*math.Sqrt(square)-1) > 1e-5) {
				t.Errorf("element %d: want mean %v, scale %v, got %v, %v", j, mean, 1/math.Sqrt(square), s.mean[j], s.scale[j])
			}
		}
	}
	a, b := predict(t, networks[0], plain)[0], predict(t, networks[1], shifted)[0]
	for i := range a {
		// 100 + 8v has an error of 4e-6 of a standard deviation of about 8, and 15 steps
		// of Adam make more of it.
		if math.Abs(float64(a[i]-b[i])) > 1e-3 {
			t.Fatalf("logit %d: want %v, got %v", i, a[i], b[i])
		}
	}
}

func moments(x tensor.Tensor, element int) (mean, variance float64) {
	n := float64(x.Rows())
	values := tensor.Values[float32](x)
	for i := range x.Rows() {
		mean += float64(values[i*x.RowLen()+element]) / n
	}
	for i := range x.Rows() {
		d := float64(values[i*x.RowLen()+element]) - mean
		variance += d * d / n
	}
	return mean, variance
}

// TestCancel ends a training from outside, between two steps.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opts := quick
	opts.Progress = func(e Epoch) {
		if e.Number == 2 {
			cancel()
		}
		if e.Number > 2 {
			t.Error("want no epoch after the end")
		}
	}
	if _, err := Train(ctx, Early, bits(1, 120, true), Data{}, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("want the context's error, got %v", err)
	}
}

// TestStepsAllocateNothing holds that a step makes no garbage, frozen or not.
func TestStepsAllocateNothing(t *testing.T) {
	data := noise(1, 500, 3, 70, 60) // more than a tile of each
	for _, f := range Fusions {
		for _, frozen := range []bool{false, true} {
			n, err := newNetwork(f, data, Options{FrozenEncoders: frozen}.withDefaults())
			if err != nil {
				t.Fatal(err)
			}
			tr := newTrainer(n, newTable(data, n.inputs, n.scalers), table{})
			if got := testing.AllocsPerRun(3, func() { tr.step(tr.order[:400]) }); got != 0 {
				t.Errorf("%s, frozen %t: want no allocations in a step, got %v", f, frozen, got)
			}
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	good := bits(1, 20, true)
	with := func(change func(d *Data)) Data {
		d := Data{Inputs: slices.Clone(good.Inputs), Labels: slices.Clone(good.Labels)}
		change(&d)
		return d
	}
	tensorOf := func(shape ...int) tensor.Tensor { return tensor.New(tensor.Float32, shape...) }
	named := func(name string, x tensor.Tensor) func(d *Data) {
		return func(d *Data) { d.Inputs[1] = model.Named{Name: name, Tensor: x} }
	}
	nan := tensorOf(20, width)
	tensor.Values[float32](nan)[33] = float32(math.NaN())
	for _, c := range []struct {
		name         string
		fusion       Fusion
		train, valid Data
		opts         Options
		want         string
	}{
		{"no fusion", 0, good, Data{}, quick, `unknown fusion "Fusion(0)" (want early, intermediate, late)`},
		{"no data", Early, Data{}, Data{}, quick, "want at least one input"},
		{"no labels", Early, with(func(d *Data) { d.Labels = nil }), Data{}, quick, "want samples to train on"},
		{"one class", Early, with(func(d *Data) { clear(d.Labels) }), Data{}, quick, "all 20 samples are of class 0; want samples of at least two classes"},
		{"huge label", Early, with(func(d *Data) { d.Labels[3] = 1 << 30 }), Data{}, quick, "the largest label is 1073741824 with 20 samples"},
		{"negative label", Early, with(func(d *Data) { d.Labels[3] = -1 }), Data{}, quick, "sample 3: want a label from 0 to 1, got -1"},
		{"labels missing", Early, with(func(d *Data) { d.Labels = d.Labels[:19] }), Data{}, quick, "want a label for each of 20 samples, got 19"},
		{"NaN", Early, with(named("b", nan)), Data{}, quick, `input "b": row 2, element 1: NaN is not a finite number`},
		{"lengths", Early, with(named("b", tensorOf(19, width))), Data{}, quick, `want 20 rows as in "a", got 19`},
		{"float64", Early, with(named("b", tensor.New(tensor.Float64, 20, width))), Data{}, quick, "want float32, got float64"},
		{"no axis", Early, with(named("b", tensorOf(20))), Data{}, quick, `input "b": want shape [N,...], got [20]`},
		{"no element", Early, with(named("b", tensorOf(20, 0))), Data{}, quick, "at least one row and one element"},
		{"twice", Early, with(named("a", tensorOf(20, width))), Data{}, quick, `two inputs are called "a"; rename one`},
		{"no name", Early, with(named("", tensorOf(20, width))), Data{}, quick, "input 1 has no name"},
		{"no text", Early, with(named("\xff", tensorOf(20, width))), Data{}, quick, "no UTF-8"},
		{"an output's name", Early, with(named("logits", tensorOf(20, width))), Data{}, quick, `cannot be called "logits"`},
		{"validation of other width", Early, good, with(named("b", tensorOf(20, 3))), quick, `validation data: input "b": want shape [N,16], got [20,3]`},
		{"validation of another class", Early, good, with(func(d *Data) { d.Labels[0] = 2 }), quick, "validation data: sample 0: want a label from 0 to 1, got 2"},
		{"patience without validation", Early, good, Data{}, Options{Patience: 3}, "patience needs validation data"},
		{"class names twice", Early, good, Data{}, Options{Classes: []string{"x", "x"}}, `two classes are called "x"`},
		{"too few class names", Early, good, Data{}, Options{Classes: []string{"x"}}, "want a label from 0 to 0, got 1"},
		{"epochs", Early, good, Data{}, Options{Epochs: -1, Batch: -2, Patience: -3, LearningRate: math.NaN(), WeightDecay: math.Inf(1), Watch: 9},
			"epochs -1 must be positive\nlearning rate NaN must be positive\nweight decay +Inf must be positive, or NoWeightDecay\nbatch -2 must be positive\npatience -3 must not be negative\nwatch 9"},
		{"diverged", Early, good, Data{}, Options{LearningRate: 1e30}, "the loss is not finite; want a smaller learning rate than 1e+30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := Train(t.Context(), c.fusion, c.train, c.valid, c.opts)
			if err == nil || n != nil || !strings.HasPrefix(err.Error(), "fusion: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q and no network, got %v", c.want, err)
			}
		})
	}
}
