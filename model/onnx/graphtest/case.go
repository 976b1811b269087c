package graphtest

import (
	"math/rand/v2"

	"github.com/intershap/intershap/tensor"
)

// An Input is one input of a model, and what its rows look like.
type Input struct {
	Name     string
	DType    tensor.DType
	RowShape []int
	// Below bounds integers: they lie in [0, Below).
	Below int
	// Mean is that of floating-point numbers; their standard deviation is 1.
	Mean float64
}

// An Output is one output of a model.
type Output struct {
	Name string
	// Task is "classes", "binary", "multilabel" or "regression".
	Task string
	// Additive is set where the output is known to be a sum of parts of single
	// modalities, by operations that are linear.
	Additive bool
}

// A Case is a random model with all that is known of it.
type Case struct {
	Seed uint64
	// Kinds names the pieces that the model is made of.
	Kinds []string
	// Model is the file.
	Model  []byte
	Opset  int
	Inputs []Input
	// Outputs has one entry or two.
	Outputs []Output
	// Modalities and Fixed are specifications as the flags of these names take them.
	Modalities, Fixed []string
	// Players are the names of the modalities.
	Players []string
	// Ignored are those players that the outputs do not depend on.
	Ignored []string
	// Unsafe names nodes that make a row depend on other rows, or on chance. If there
	// are any the model must not be cut, and one of them is to blame.
	Unsafe []string
	// Opaque is set where a graph within the graph makes a cut a matter of courage.
	Opaque bool
	// Rounding is the unit of the coarsest rounding inside of the model, relative to
	// its values.
	Rounding float64
}

// Units of rounding.
const (
	halfUnit   = 1.0 / (1 << 10)
	singleUnit = 1.0 / (1 << 23)
	doubleUnit = 1.0 / (1 << 52)
)

// Data returns n rows of each input; the same seed gives the same rows.
func (c *Case) Data(seed uint64, n int) []tensor.Tensor {
	rng := rand.New(rand.NewPCG(seed, c.Seed))
	var out []tensor.Tensor
	for _, in := range c.Inputs {
		shape := append([]int{n}, in.RowShape...)
		values := normal(rng, in.Mean, 1, elements(shape))
		if in.Below > 0 {
			for i := range values {
				values[i] = float64(rng.IntN(in.Below))
			}
		}
		t, err := tensor.Cast(tensor.Of(values, shape...), in.DType)
		if err != nil {
			panic(err) // numbers of this size fit every type
		}
		out = append(out, t)
	}
	return out
}
