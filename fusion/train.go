package fusion

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// The streams of a seed: what is drawn for one purpose does not depend on how
// much was drawn for another.
const (
	weightStream = iota
	orderStream
)

// Train trains a network on train. After every epoch it is judged on valid, which
// may be empty. It uses one core; networks may be trained side by side. When ctx
// ends it returns ctx's error between two steps.
func Train(ctx context.Context, f Fusion, train, valid Data, opts Options) (*Network, error) {
	opts = opts.withDefaults()
	if _, err := ParseFusion(f.String()); err != nil {
		return nil, err
	}
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("fusion: options: %w", err)
	}
	if opts.Patience > 0 && valid.Len() == 0 {
		return nil, errors.New("fusion: options: patience needs validation data, got none")
	}
	n, err := newNetwork(f, train, opts)
	if err != nil {
		return nil, fmt.Errorf("fusion: training data: %w", err)
	}
	held := table{}
	if valid.Len() > 0 {
		if err := valid.check(n.inputs, len(n.classes)); err != nil {
			return nil, fmt.Errorf("fusion: validation data: %w", err)
		}
		held = newTable(valid, n.inputs, n.scalers)
	}
	t := newTrainer(n, newTable(train, n.inputs, n.scalers), held)
	if err := t.run(ctx); err != nil {
		return nil, fmt.Errorf("fusion: %w", err)
	}
	return n, nil
}

// newNetwork makes a network for checked data, with its initial weights.
func newNetwork(f Fusion, train Data, opts Options) (*Network, error) {
	specs, err := train.specs()
	if err != nil {
		return nil, err
	}
	classes, err := classNames(opts.Classes, train.Labels)
	if err != nil {
		return nil, err
	}
	if err := train.check(specs, len(classes)); err != nil {
		return nil, err
	}
	var widths []int
	for _, in := range train.Inputs {
		widths = append(widths, in.Tensor.RowLen())
	}
	if err := checkSize(f, widths, len(classes)); err != nil {
		return nil, err
	}
	n := &Network{fusion: f, inputs: specs, classes: classes, options: opts, scalers: make([]scaler, len(specs))}
	if opts.Standardise {
		for i, in := range train.Inputs {
			n.scalers[i] = newScaler(in.Tensor)
		}
	}
	n.trunk = newTrunk(f, widths, len(classes), rand.New(rand.NewPCG(opts.Seed, weightStream)))
	return n, nil
}

// A trainer takes steps.
type trainer struct {
	network      *Network
	options      Options
	train, valid table
	// descent goes through the layers that are trained: all, or those behind the
	// join, in which case the tables hold what the others give.
	descent *descent
	adam    *adam
	order   []int // of the samples in this epoch
	rng     *rand.Rand
	labels  []int // of a step's samples
	judge   *judge
}

func newTrainer(n *Network, train, valid table) *trainer {
	t := &trainer{network: n, options: n.options, train: train, valid: valid}
	trained := n.trunk
	if n.options.FrozenEncoders {
		// What frozen layers give of a sample never changes.
		trained = trunk{widths: []int{n.trunk.joined()}, branches: []stack{nil}, head: n.trunk.head}
		t.train.inputs = []matrix{encodeAll(n.trunk, train)}
		t.valid.inputs = []matrix{encodeAll(n.trunk, valid)}
	}
	capacity := min(t.options.Batch, train.rows())
	t.descent = newDescent(trained, capacity)
	t.labels = make([]int, capacity)
	t.judge = newJudge(trained, t.valid.rows())
	t.adam = newAdam(t.options.LearningRate, t.options.decay())
	for _, all := range append(slices.Clone(t.descent.branches), t.descent.head) {
		for _, s := range all {
			t.adam.add(s.layer.weights.data, s.gradient.weights.data)
			t.adam.add(s.layer.bias, s.gradient.bias)
		}
	}
	t.rng = rand.New(rand.NewPCG(t.options.Seed, orderStream))
	for i := range train.rows() {
		t.order = append(t.order, i)
	}
	return t
}

// encodeAll computes what the head takes of every sample.
func encodeAll(t trunk, all table) matrix {
	out := newMatrix(all.rows(), t.joined())
	p := newPass(t, min(all.rows(), chunk))
	for lo := 0; lo < all.rows(); lo += chunk {
		p.rows = min(chunk, all.rows()-lo)
		for i, x := range all.inputs {
			copyTo(p.inputs[i], x, lo, p.rows)
		}
		p.encode()
		for i := range p.rows {
			copy(out.row(lo+i), p.joined.row(i))
		}
	}
	return out
}

// copyTo copies rows [lo, lo+n) of src into the first rows of dst.
func copyTo(dst, src matrix, lo, n int) {
	for i := range n {
		copy(dst.row(i), src.row(lo+i))
	}
}

// run trains until the last epoch, or until patience is at its end.
func (t *trainer) run(ctx context.Context) error {
	var best Epoch
	var kept [][]float32
	for number := 1; number <= t.options.Epochs; number++ {
		e, err := t.epoch(ctx, number)
		if err != nil {
			return err
		}
		if t.options.Progress != nil {
			t.options.Progress(e)
		}
		t.network.lastEpoch = e
		if t.options.Patience == 0 {
			continue
		}
		if number == 1 || t.options.Watch.better(*e.Valid, *best.Valid) {
			best, kept = e, t.keep(kept)
		} else if number-best.Number >= t.options.Patience {
			break
		}
	}
	if t.options.Patience > 0 {
		t.restore(kept)
		t.network.lastEpoch = best
	}
	return nil
}

// epoch goes through all samples once, in a new order.
func (t *trainer) epoch(ctx context.Context, number int) (Epoch, error) {
	t.rng.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
	sum := 0.0
	for lo := 0; lo < len(t.order); lo += t.options.Batch {
		if err := ctx.Err(); err != nil {
			return Epoch{}, err
		}
		sum += t.step(t.order[lo:min(lo+t.options.Batch, len(t.order))])
	}
	e := Epoch{Number: number, Loss: sum / float64(len(t.order))}
	if t.valid.rows() > 0 {
		judged := t.judge.run(t.valid)
		e.Valid = &judged
	}
	if e.Loss-e.Loss != 0 || e.Valid != nil && e.Valid.Loss-e.Valid.Loss != 0 {
		return e, fmt.Errorf("epoch %d: %w; want a smaller learning rate than %v, or inputs of standard deviation 1 (Standardise)",
			number, ErrDiverged, t.options.LearningRate)
	}
	return e, nil
}

// ErrDiverged is wrapped by the error of a training whose loss is no number any
// more.
var ErrDiverged = errors.New("the loss is not finite")

// step learns from some samples and returns the sum of their cross entropies
// before that.
func (t *trainer) step(samples []int) (loss float64) {
	d := t.descent
	for i, x := range t.train.inputs {
		to := d.inputs[i]
		for r, at := range samples {
			copy(to.row(r), x.row(at))
		}
	}
	labels := t.labels[:len(samples)]
	for r, at := range samples {
		labels[r] = t.train.labels[at]
	}
	d.forward(len(samples))
	loss = d.backward(labels)
	t.adam.update()
	return loss
}

// keep copies all parameters that are trained into kept.
func (t *trainer) keep(kept [][]float32) [][]float32 {
	if kept == nil {
		for _, s := range t.adam.states {
			kept = append(kept, make([]float32, len(s.parameters)))
		}
	}
	for i, s := range t.adam.states {
		copy(kept[i], s.parameters)
	}
	return kept
}

// restore is the way back.
func (t *trainer) restore(kept [][]float32) {
	for i, s := range t.adam.states {
		copy(s.parameters, kept[i])
	}
}
