package fusion

import "math"

// A pass holds what a trunk computes of up to capacity rows, so that a step
// allocates nothing.
type pass struct {
	trunk trunk
	// rows is the number of rows that the matrices below hold at present.
	rows int
	// inputs are filled by the caller: a matrix for each branch. The input of a
	// branch without layers lies in joined.
	inputs []matrix
	// outputs[i][l] is what layer l of branch i gives; the last of each lies in
	// joined.
	outputs [][]matrix
	joined  matrix
	// head[l] is what layer l of the head gives: the last, logits.
	head []matrix
}

// newPass makes room for up to capacity rows.
func newPass(t trunk, capacity int) *pass {
	p := &pass{trunk: t, joined: newMatrix(capacity, t.joined())}
	at := 0
	for i, b := range t.branches {
		width := b.width(t.widths[i])
		place := p.joined.columns(at, at+width)
		at += width
		if len(b) == 0 {
			p.inputs = append(p.inputs, place)
			p.outputs = append(p.outputs, nil)
			continue
		}
		p.inputs = append(p.inputs, newMatrix(capacity, t.widths[i]))
		var outputs []matrix
		for _, l := range b[:len(b)-1] {
			outputs = append(outputs, newMatrix(capacity, l.weights.rows))
		}
		p.outputs = append(p.outputs, append(outputs, place))
	}
	for _, l := range t.head {
		p.head = append(p.head, newMatrix(capacity, l.weights.rows))
	}
	return p
}

// logits returns what forward computed, [rows, classes].
func (p *pass) logits() matrix { return p.head[len(p.head)-1].top(p.rows) }

// forward computes the logits of the first rows of the inputs.
func (p *pass) forward(rows int) {
	p.rows = rows
	p.encode()
	x := p.joined
	for l, to := range p.head {
		p.trunk.head[l].forward(to.top(rows), x.top(rows))
		x = to
	}
}

// encode computes what the head takes.
func (p *pass) encode() {
	for i, b := range p.trunk.branches {
		x := p.inputs[i]
		for l, to := range p.outputs[i] {
			b[l].forward(to.top(p.rows), x.top(p.rows))
			x = to
		}
	}
}

// forward computes dst = x·Wᵀ + b, and max(0, ·) of it.
func (l *layer) forward(dst, x matrix) {
	mulTransposed(dst, x, l.weights)
	for i := range dst.rows {
		row := dst.row(i)
		bias := l.bias[:len(row)]
		if !l.relu {
			for j := range row {
				row[j] += bias[j]
			}
			continue
		}
		for j := range row {
			row[j] = max(row[j]+bias[j], 0)
		}
	}
}

// softmaxTo writes the probabilities of a row of logits:
//
//	p_c = exp(z_c - max z) / sum_d exp(z_d - max z)
//
// and returns the logarithm of the sum and the maximum, so that the cross entropy
// of class c is logSum + largest - z_c. dst may not be logits itself.
func softmaxTo(dst, logits []float32) (logSum, largest float64) {
	largest = math.Inf(-1)
	for _, z := range logits {
		largest = max(largest, float64(z))
	}
	sum := 0.0
	for c, z := range logits {
		e := math.Exp(float64(z) - largest)
		dst[c] = float32(e)
		sum += e
	}
	for c := range dst {
		dst[c] = float32(float64(dst[c]) / sum)
	}
	return math.Log(sum), largest
}
