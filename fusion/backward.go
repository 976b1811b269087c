package fusion

import "math"

// A gradient is the derivative of the loss by a layer's weights and biases.
type gradient struct {
	weights matrix
	bias    []float32
}

func newGradient(l *layer) *gradient {
	return &gradient{weights: newMatrix(l.weights.rows, l.weights.cols), bias: make([]float32, len(l.bias))}
}

// A stretch is what backpropagation through one layer needs beside the pass.
type stretch struct {
	layer    *layer
	gradient *gradient
	// delta is the derivative of the loss by what the layer gives, [rows, out];
	// from where its ReLU is done, by what goes into the ReLU.
	delta matrix
	// The three transposes that the products take: mulTransposed is a·bᵀ.
	deltaT, inputT, weightsT matrix
}

// newStretch makes room; delta may lie in a wider matrix. weightsT is only there
// where something before the layer is trained.
func newStretch(l *layer, delta matrix, capacity int, first bool) *stretch {
	s := &stretch{
		layer: l, gradient: newGradient(l), delta: delta,
		deltaT: newMatrix(l.weights.rows, capacity), inputT: newMatrix(l.weights.cols, capacity),
	}
	if !first {
		s.weightsT = newMatrix(l.weights.cols, l.weights.rows)
	}
	return s
}

// A descent backpropagates through the layers of a pass.
type descent struct {
	*pass
	branches [][]*stretch
	head     []*stretch
	// deltaJoined is the derivative by what the head takes; it has no columns
	// where no branch has layers.
	deltaJoined matrix
	// probabilities is a row, for the loss.
	probabilities []float32
}

// newDescent makes room for up to capacity rows.
func newDescent(t trunk, capacity int) *descent {
	d := &descent{pass: newPass(t, capacity)}
	encoded := false
	for _, b := range t.branches {
		encoded = encoded || len(b) > 0
	}
	if encoded {
		d.deltaJoined = newMatrix(capacity, t.joined())
	}
	at := 0
	for i, b := range t.branches {
		width := b.width(t.widths[i])
		var all []*stretch
		for l, layer := range b {
			var delta matrix
			if l == len(b)-1 {
				delta = d.deltaJoined.columns(at, at+width)
			} else {
				delta = newMatrix(capacity, layer.weights.rows)
			}
			all = append(all, newStretch(layer, delta, capacity, l == 0))
		}
		d.branches = append(d.branches, all)
		at += width
	}
	for l, layer := range t.head {
		d.head = append(d.head, newStretch(layer, newMatrix(capacity, layer.weights.rows), capacity, l == 0 && !encoded))
	}
	d.probabilities = make([]float32, t.head[len(t.head)-1].weights.rows)
	return d
}

// backward computes the gradients of the mean cross entropy of the rows that
// forward was given, and returns the sum of their cross entropies. labels has the
// class of each row.
func (d *descent) backward(labels []int) (loss float64) {
	loss = d.loss(labels)
	last := len(d.head) - 1
	for l := last; l >= 0; l-- {
		input, to := d.joined, d.deltaJoined
		if l > 0 {
			input, to = d.pass.head[l-1], d.head[l-1].delta
		}
		d.through(d.head[l], d.pass.head[l], input, to)
	}
	for i, b := range d.trunk.branches {
		for l := len(b) - 1; l >= 0; l-- {
			input, to := d.inputs[i], matrix{}
			if l > 0 {
				input, to = d.outputs[i][l-1], d.branches[i][l-1].delta
			}
			d.through(d.branches[i][l], d.outputs[i][l], input, to)
		}
	}
	return loss
}

// loss fills the delta of the logits, (p - onehot(label)) / rows, and returns the
// sum of the cross entropies.
func (d *descent) loss(labels []int) (sum float64) {
	logits, delta := d.logits(), d.head[len(d.head)-1].delta
	for i := range d.rows {
		row, label := logits.row(i), labels[i]
		logSum, largest := softmaxTo(d.probabilities, row)
		sum += logSum + largest - float64(row[label])
		to := delta.row(i)
		copy(to, d.probabilities)
		to[label]--
		for c := range to {
			to[c] /= float32(d.rows)
		}
	}
	return sum
}

// through goes back through one layer:
//
//	delta   = delta where the ReLU let through, else 0
//	dW      = deltaᵀ · input
//	db      = sum over rows of delta
//	dInput  = delta · W      unless to is empty
func (d *descent) through(s *stretch, output, input, to matrix) {
	l := s.layer
	delta := s.delta.top(d.rows)
	clear(s.gradient.bias)
	for i := range d.rows {
		row := delta.row(i)
		if l.relu {
			for j, y := range output.row(i)[:len(row)] {
				row[j] = where(y, row[j])
			}
		}
		sums := s.gradient.bias[:len(row)]
		for j, v := range row {
			sums[j] += v
		}
	}
	transposeTo(s.deltaT, delta)
	transposeTo(s.inputT, input.top(d.rows))
	mulTransposed(s.gradient.weights, s.deltaT.firstColumns(d.rows), s.inputT.firstColumns(d.rows))
	if to.cols > 0 {
		transposeTo(s.weightsT, l.weights)
		mulTransposed(to.top(d.rows), delta, s.weightsT)
	}
}

// where returns v if y, which is not negative, is above zero, else 0. Half of
// the values are, at random: a branch that is guessed wrong takes longer than the
// rest of the loop.
func where(y, v float32) float32 {
	bits := math.Float32bits(y)
	above := uint32(int32(-bits) >> 31) // all ones, unless bits is 0
	return math.Float32frombits(math.Float32bits(v) & above)
}

// firstColumns returns columns [0, n), sharing memory.
func (m matrix) firstColumns(n int) matrix { return m.columns(0, n) }
