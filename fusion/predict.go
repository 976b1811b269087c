package fusion

import (
	"context"
	"fmt"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Signature says what the network takes and gives: an input for each modality,
// and the outputs [Logits] and [Probabilities], float32 of shape [rows, classes].
func (n *Network) Signature() model.Signature {
	var sig model.Signature
	for _, in := range n.inputs {
		in.Shape = append([]int(nil), in.Shape...)
		sig.Inputs = append(sig.Inputs, in)
	}
	for _, name := range []string{Logits, Probabilities} {
		sig.Outputs = append(sig.Outputs, tensor.Spec{Name: name, DType: tensor.Float32, Shape: []int{-1, len(n.classes)}})
	}
	return sig
}

// Predict computes logits and probabilities. It is what the ONNX file computes, to
// the rounding of another order of sums, without a runtime.
func (n *Network) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := n.Signature().Check(inputs); err != nil {
		return nil, fmt.Errorf("fusion: %w", err)
	}
	rows := inputs.Rows()
	classes := len(n.classes)
	logits := tensor.New(tensor.Float32, rows, classes)
	probabilities := tensor.New(tensor.Float32, rows, classes)
	toLogits, toProbabilities := tensor.Values[float32](logits), tensor.Values[float32](probabilities)
	p := newPass(n.trunk, min(rows, chunk))
	for lo := 0; lo < rows; lo += chunk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := min(chunk, rows-lo)
		for i, spec := range n.inputs {
			x, _ := inputs.Lookup(spec.Name)
			copyRows(p.inputs[i].top(m), x, lo, n.scalers[i])
		}
		p.forward(m)
		for r := range m {
			at := (lo + r) * classes
			row := p.logits().row(r)
			copy(toLogits[at:at+classes], row)
			softmaxTo(toProbabilities[at:at+classes], row)
		}
	}
	return model.Batch{{Name: Logits, Tensor: logits}, {Name: Probabilities, Tensor: probabilities}}, nil
}
