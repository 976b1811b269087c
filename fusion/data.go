package fusion

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Data are labelled samples. The zero Data are none.
type Data struct {
	// Inputs has one tensor for each modality, float32 of shape [samples, ...]
	// with finite elements. A network takes axes beyond the second as one.
	Inputs model.Batch
	// Labels has the class of each sample, from 0.
	Labels []int
}

// Len returns the number of samples.
func (d Data) Len() int { return d.Inputs.Rows() }

// The outputs of a network, under these names in its ONNX file.
const (
	// Logits are the outputs of the last layer.
	Logits = "logits"
	// Probabilities are their softmax.
	Probabilities = "probabilities"
)

// specs returns the inputs that a network for such data has, or what is wrong
// with their names, types and shapes.
func (d Data) specs() ([]tensor.Spec, error) {
	if len(d.Inputs) == 0 {
		return nil, errors.New("want at least one input, got none")
	}
	var specs []tensor.Spec
	for i, in := range d.Inputs {
		switch _, twice := d.Inputs[:i].Lookup(in.Name); {
		case in.Name == "":
			return nil, fmt.Errorf("input %d has no name", i)
		case !utf8.ValidString(in.Name):
			return nil, fmt.Errorf("input %d: the name %q is no UTF-8; rename it", i, in.Name)
		case in.Name == Logits || in.Name == Probabilities:
			return nil, fmt.Errorf("an input cannot be called %q, since an output of the network is; rename it", in.Name)
		case twice:
			return nil, fmt.Errorf("two inputs are called %q; rename one", in.Name)
		}
		shape := slices.Clone(in.Tensor.Shape())
		if len(shape) < 2 {
			return nil, fmt.Errorf("input %q: want shape [N,...], got %s", in.Name, tensor.FormatShape(shape))
		}
		shape[0] = -1
		specs = append(specs, tensor.Spec{Name: in.Name, DType: tensor.Float32, Shape: shape})
	}
	return specs, nil
}

// check reports why d is no data for a network with these inputs and classes.
func (d Data) check(specs []tensor.Spec, classes int) error {
	if err := (model.Signature{Inputs: specs}).Check(d.Inputs); err != nil {
		return err
	}
	if len(d.Labels) != d.Len() {
		return fmt.Errorf("want a label for each of %d samples, got %d", d.Len(), len(d.Labels))
	}
	for i, label := range d.Labels {
		if label < 0 || label >= classes {
			return fmt.Errorf("sample %d: want a label from 0 to %d, got %d", i, classes-1, label)
		}
	}
	return nil
}

// classNames returns the names of the classes that train has, or that the caller
// gave them.
func classNames(names []string, labels []int) ([]string, error) {
	if len(labels) == 0 {
		return nil, errors.New("want samples to train on, got none")
	}
	largest := slices.Max(labels)
	if names == nil {
		// One logit for each number up to the largest label: that many samples can
		// not have more classes.
		if largest >= len(labels) {
			return nil, fmt.Errorf("the largest label is %d with %d samples; number the classes from 0 on, without gaps", largest, len(labels))
		}
		for c := range max(largest+1, 0) {
			names = append(names, fmt.Sprint(c))
		}
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return nil, fmt.Errorf("two classes are called %q", name)
		}
		seen[name] = true
	}
	if slices.Min(labels) == largest {
		only := fmt.Sprint(largest)
		if largest >= 0 && largest < len(names) {
			only = names[largest]
		}
		return nil, fmt.Errorf("all %d samples are of class %s; want samples of at least two classes", len(labels), only)
	}
	return slices.Clone(names), nil
}

// A table is data as a network takes them: a matrix for each input, standardised
// where the network does that.
type table struct {
	inputs []matrix
	labels []int
}

// rows returns the number of samples.
func (t table) rows() int { return len(t.labels) }

// newTable copies data, which were checked.
func newTable(d Data, specs []tensor.Spec, scalers []scaler) table {
	t := table{labels: d.Labels}
	for i, spec := range specs {
		x, _ := d.Inputs.Lookup(spec.Name)
		m := newMatrix(x.Rows(), x.RowLen())
		copyRows(m, x, 0, scalers[i])
		t.inputs = append(t.inputs, m)
	}
	return t
}

// copyRows fills all rows of dst from rows lo on of x.
func copyRows(dst matrix, x tensor.Tensor, lo int, s scaler) {
	values := tensor.Values[float32](x)
	for i := range dst.rows {
		row := dst.row(i)
		copy(row, values[(lo+i)*dst.cols:])
		s.apply(row)
	}
}

// newScaler takes mean and standard deviation (over n) of every element from the
// rows of x. An element that is the same in all of them is only centred: it has no
// scale of its own.
func newScaler(x tensor.Tensor) scaler {
	n, width := x.Rows(), x.RowLen()
	values := tensor.Values[float32](x)
	sum, squares := make([]float64, width), make([]float64, width)
	for i, v := range values {
		sum[i%width] += float64(v)
	}
	s := scaler{mean: make([]float32, width), scale: make([]float32, width)}
	constant := make([]bool, width)
	for j := range width {
		s.mean[j] = float32(sum[j] / float64(n))
		constant[j] = true
	}
	// Twice through the data: the difference of large squares would lose the small
	// deviations.
	for i, v := range values {
		j := i % width
		d := float64(v) - sum[j]/float64(n)
		squares[j] += d * d
		constant[j] = constant[j] && v == values[j]
	}
	for j := range width {
		s.scale[j] = 1
		if scale := float32(1 / math.Sqrt(squares[j]/float64(n))); !constant[j] && !math.IsInf(float64(scale), 0) {
			s.scale[j] = scale
		}
		if constant[j] {
			s.mean[j] = values[j] // the mean may be rounded
		}
	}
	return s
}
