package fusion

import "math"

// The constants of Adam, as published and as PyTorch has them.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// adam is Kingma and Ba's optimiser (2015, algorithm 1) with the weight decay
// added to the gradient, as torch.optim.Adam has it:
//
//	g = gradient + decay·p
//	m = beta1·m + (1-beta1)·g
//	v = beta2·v + (1-beta2)·g²
//	p = p - rate/(1-beta1ᵗ) · m / (sqrt(v)/sqrt(1-beta2ᵗ) + epsilon)
type adam struct {
	rate, decay float64
	step        int
	states      []state
}

// A state belongs to the parameters of one layer, or to their biases.
type state struct {
	parameters, gradient []float32
	m, v                 []float32
}

// newAdam optimises what add is given.
func newAdam(rate, decay float64) *adam { return &adam{rate: rate, decay: decay} }

// add has parameters follow a gradient, of the same length.
func (a *adam) add(parameters, gradient []float32) {
	a.states = append(a.states, state{
		parameters: parameters, gradient: gradient,
		m: make([]float32, len(parameters)), v: make([]float32, len(parameters)),
	})
}

// update takes a step along all gradients.
func (a *adam) update() {
	a.step++
	t := float64(a.step)
	rate := float32(a.rate / (1 - math.Pow(beta1, t)))
	root := float32(math.Sqrt(1 - math.Pow(beta2, t)))
	decay := float32(a.decay)
	for _, s := range a.states {
		p := s.parameters
		gradient, m, v := s.gradient[:len(p)], s.m[:len(p)], s.v[:len(p)]
		for i := range p {
			g := gradient[i] + decay*p[i]
			m[i] = beta1*m[i] + (1-beta1)*g
			v[i] = beta2*v[i] + (1-beta2)*g*g
			p[i] -= rate * m[i] / (float32(math.Sqrt(float64(v[i])))/root + epsilon)
		}
	}
}
