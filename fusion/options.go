package fusion

import (
	"errors"
	"fmt"
)

// The paper's settings, which are those of the zero [Options].
const (
	DefaultEpochs       = 200
	DefaultLearningRate = 1e-4
	DefaultWeightDecay  = 1e-4
	DefaultBatch        = 400
)

// NoWeightDecay as a weight decay is none.
const NoWeightDecay = -1

// Options say how a network is trained. The zero value has the paper's settings.
type Options struct {
	// Epochs is how often every sample is seen; 0 means DefaultEpochs.
	Epochs int
	// LearningRate is Adam's; 0 means DefaultLearningRate.
	LearningRate float64
	// WeightDecay times the parameter is added to its gradient, of weights and
	// biases; 0 means DefaultWeightDecay, NoWeightDecay none.
	WeightDecay float64
	// Batch is the number of samples of a step; 0 means DefaultBatch. The last step
	// of an epoch takes what is left.
	Batch int
	// Seed fixes the initial weights and the order of the samples.
	Seed uint64
	// FrozenEncoders leaves the layers that modalities have to themselves at their
	// initial weights, and trains the layers behind the join alone: that is what
	// the published networks did. Early fusion has no such layers.
	FrozenEncoders bool
	// Standardise has the network take mean and standard deviation of the training
	// data from every element of its inputs. They are a part of the network, and of
	// its ONNX file.
	Standardise bool
	// Patience, if positive, ends the training once that many epochs in a row did
	// not improve on the best one by what Watch names, and gives the network the
	// weights of the best. It takes validation data.
	Patience int
	// Watch is what Patience looks at; by default the loss.
	Watch Watch
	// Classes are the names of the classes in the order of the labels; nil means
	// "0", "1", ... up to the largest label of the training data.
	Classes []string
	// Progress is called after every epoch; it may be nil.
	Progress func(Epoch)
}

// An Epoch says how training stands.
type Epoch struct {
	// Number counts from 1.
	Number int
	// Loss is the mean cross entropy of the training samples, in nats, each at the
	// time of its step.
	Loss float64
	// Valid is the judgement on the validation data, nil without any.
	Valid *Evaluation
}

// A Watch is what tells a better epoch.
type Watch uint8

const (
	// WatchLoss looks for the smallest cross entropy of the validation data.
	WatchLoss Watch = iota
	// WatchF1 looks for their largest macro F1.
	WatchF1
)

var watchNames = [...]string{WatchLoss: "loss", WatchF1: "f1"}

// String returns the name: "loss" or "f1".
func (w Watch) String() string {
	if int(w) >= len(watchNames) {
		return fmt.Sprintf("Watch(%d)", uint8(w))
	}
	return watchNames[w]
}

// ParseWatch reads a name that String writes.
func ParseWatch(name string) (Watch, error) {
	for w, n := range watchNames {
		if n == name {
			return Watch(w), nil
		}
	}
	return 0, fmt.Errorf("fusion: unknown watch %q (want loss, f1)", name)
}

// better reports whether e improves on best.
func (w Watch) better(e, best Evaluation) bool {
	if w == WatchF1 {
		return e.F1 > best.F1
	}
	return e.Loss < best.Loss
}

func (o Options) withDefaults() Options {
	if o.Epochs == 0 {
		o.Epochs = DefaultEpochs
	}
	if o.LearningRate == 0 {
		o.LearningRate = DefaultLearningRate
	}
	if o.WeightDecay == 0 {
		o.WeightDecay = DefaultWeightDecay
	}
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	return o
}

// decay is the weight decay as a factor.
func (o Options) decay() float64 { return max(o.WeightDecay, 0) }

// validate reports every fault at once.
func (o Options) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	finite := func(x float64) bool { return x-x == 0 }
	check(o.Epochs > 0, "epochs %d must be positive", o.Epochs)
	check(o.LearningRate > 0 && finite(o.LearningRate), "learning rate %v must be positive", o.LearningRate)
	check(finite(o.WeightDecay) && (o.WeightDecay >= 0 || o.WeightDecay == NoWeightDecay), "weight decay %v must be positive, or NoWeightDecay", o.WeightDecay)
	check(o.Batch > 0, "batch %d must be positive", o.Batch)
	check(o.Patience >= 0, "patience %d must not be negative", o.Patience)
	check(o.Watch <= WatchF1, "watch %d must be WatchLoss or WatchF1", o.Watch)
	return errors.Join(faults...)
}
