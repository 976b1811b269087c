package rival

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// The optimisation behind [NewPID]. A cell c is a pair (x1, x2), q(c) the sum of its
// q(c,y). As I_q(X1,X2;Y) = H(Y) + f(q) with
//
//	f(q) = Σ_c Σ_y q(c,y)·log(q(c,y)/q(c))
//
// the problem is
//
//	minimise f(q)   with Σ_{x2} q = b1(x1,y), Σ_{x1} q = b2(x2,y), q ≥ 0.
//
// f is homogeneous in each cell, which makes the dual (Makkeh, Theis and Vicente,
// 2018)
//
//	maximise Σ b1·λ + Σ b2·μ   with log Σ_y exp(λ(x1,y) + μ(x2,y)) ≤ 0 in each cell.
//
// Every (λ, μ) that obeys bounds f from below, every feasible q bounds it from above:
// the certificate.
//
// The method is the barrier method (Boyd and Vandenberghe, 2004, section 11.3):
// Newton steps towards the minimum of f(q) − t·Σ log q, for t that goes to 0. It
// starts from q with x1 and x2 independent given y, which meets the margins and is
// positive wherever a feasible q can be. The third derivative of f along d is at most
// 5·max|d/q| times the second, so f goes with the logarithms (Nesterov and
// Nemirovskii, 1994) and steps do not depend on how small masses are. A primal-dual
// method on the dual problem took half the steps and stalled where masses were far apart.
//
// A pair of x1 and y with b1 = 0 has q = 0 and no variable, and so has x2 and y with
// b2 = 0. Adding a number to λ(·,y) and taking it from μ(·,y) changes nothing, so one μ
// of each y is held at 0.

// program is one instance.
type program struct {
	n1, n2, ny     int
	b1, b2         []float64 // [n1*ny], [n2*ny]
	entropyY, both float64   // H(Y), I(X1,X2;Y) of the distribution given
	bound          []float64 // b of every multiplier
	cells          []cell
	entries        int // number of q(c,y) that may be positive
}

const (
	absent = -1 - iota // no mass: no multiplier
	held               // μ = 0
)

// cell is a pair (x1, x2) and the y that it may hold. Its q are those from at on.
type cell struct {
	x1, x2, at int
	ys         []int
	lambda, mu []int // multipliers of each of ys; held for a μ that is 0
}

// solution is what solve found: bounds on the least f.
type solution struct {
	upper, lower float64
	steps        int
}

func newProgram(p Joint) (*program, error) {
	if p.First < 1 || p.Second < 1 || p.Target < 1 || len(p.Mass) != p.First*p.Second*p.Target {
		return nil, fmt.Errorf("rival: pid: want %d×%d×%d masses, got %d", p.First, p.Second, p.Target, len(p.Mass))
	}
	total := 0.0
	for at, v := range p.Mass {
		if !finite(v) || v < 0 {
			return nil, fmt.Errorf("rival: pid: x1=%d, x2=%d, y=%d: want a mass from 0 on, got %v", at/p.Target/p.Second, at/p.Target%p.Second, at%p.Target, v)
		}
		total += v
	}
	if !(total > 0) || !finite(total) {
		return nil, fmt.Errorf("rival: pid: want masses with a positive sum, got %v", total)
	}
	d := &program{n1: p.First, n2: p.Second, ny: p.Target}
	d.b1, d.b2 = make([]float64, d.n1*d.ny), make([]float64, d.n2*d.ny)
	q := make([]float64, len(p.Mass))
	target := make([]float64, d.ny)
	for at, v := range p.Mass {
		v /= total
		x1, x2, y := at/d.ny/d.n2, at/d.ny%d.n2, at%d.ny
		q[at] = v
		d.b1[x1*d.ny+y] += v
		d.b2[x2*d.ny+y] += v
		target[y] += v
	}
	for _, v := range target {
		d.entropyY -= timesLog(v, v)
	}
	d.both = d.entropyY - conditional(q, d.ny)
	d.number()
	return d, nil
}

// number gives multipliers to what has mass and lists the cells.
func (d *program) number() {
	number := func(of []float64) []int {
		out := make([]int, len(of))
		for i, b := range of {
			out[i] = absent
			if b > 0 {
				out[i] = len(d.bound)
				d.bound = append(d.bound, b)
			}
		}
		return out
	}
	lambda := number(d.b1)
	// Held is the μ with most mass: the others are known relative to it, and next to
	// little mass little is known.
	pin := make([]int, d.ny)
	for i, b := range d.b2 {
		if y := i % d.ny; b > d.b2[pin[y]*d.ny+y] {
			pin[y] = i / d.ny
		}
	}
	rest := slices.Clone(d.b2)
	for y, x2 := range pin {
		rest[x2*d.ny+y] = 0
	}
	mu := number(rest)
	for y, x2 := range pin {
		if d.b2[x2*d.ny+y] > 0 {
			mu[x2*d.ny+y] = held
		}
	}
	for x1 := range d.n1 {
		for x2 := range d.n2 {
			c := cell{x1: x1, x2: x2, at: d.entries}
			for y := range d.ny {
				l, m := lambda[x1*d.ny+y], mu[x2*d.ny+y]
				if l != absent && m != absent {
					c.ys, c.lambda, c.mu = append(c.ys, y), append(c.lambda, l), append(c.mu, m)
				}
			}
			if len(c.ys) > 0 {
				d.cells = append(d.cells, c)
				d.entries += len(c.ys)
			}
		}
	}
}

// start returns q with x1 and x2 independent given y.
func (d *program) start() []float64 {
	target := make([]float64, d.ny)
	for i, b := range d.b1 {
		target[i%d.ny] += b
	}
	q := make([]float64, d.entries)
	for _, c := range d.cells {
		for k, y := range c.ys {
			q[c.at+k] = d.b1[c.x1*d.ny+y] / target[y] * d.b2[c.x2*d.ny+y]
		}
	}
	return q
}

const (
	maxSteps    = 400
	shrink      = 0.1   // t from one centre to the next
	centred     = 0.1   // Newton decrement, in units of t, that ends the steps at a t
	worthwhile  = 1e-6  // gap from which on bounds are worth their time
	goodGap     = 1e-10 // at which to stop
	hopeless    = 1e-3  // of the gap reached: the centre's, where rounding alone is left
	refinements = 2
	stayInside  = 0.99 // of the way to the boundary
)

// solve returns the largest lower and the smallest upper bound that it saw.
func (d *program) solve() solution {
	out := solution{upper: math.Inf(1), lower: math.Inf(-1)}
	n := d.newNewton()
	// At the centre of t the gap is t for each q.
	for t := 1 / float64(d.entries); ; t *= shrink {
		for out.steps < maxSteps {
			decrement, ok := n.step(t)
			if !ok {
				break
			}
			out.steps++
			if decrement <= centred {
				break
			}
		}
		atCentre := t * float64(d.entries)
		if atCentre > worthwhile {
			continue
		}
		// Any multipliers and any q give true bounds. The best are kept, for the last
		// may be those of rounding.
		out.lower = max(out.lower, d.lower(n.u))
		out.upper = min(out.upper, d.upper(n.q))
		gap := out.upper - out.lower
		if gap <= goodGap || atCentre < hopeless*max(gap, goodGap) || out.steps >= maxSteps {
			return out
		}
	}
}

// newton is an iterate with the equations of its next step.
type newton struct {
	*program
	q, u      []float64 // iterate and multipliers
	direction []float64
	slope     []float64 // gradient of f − t·Σ log q, less Aᵀu
	e, scale  []float64 // inverse of the second derivative: diag e + scale·e·eᵀ in each cell
	matrix    *mat.SymDense
	data      []float64 // of matrix, upper triangle
	right, du []float64
	unit      []float64 // 1/√ of the matrix's diagonal
	factor    mat.Cholesky
	trial     []float64
}

func (d *program) newNewton() *newton {
	k, entries := len(d.bound), func() []float64 { return make([]float64, d.entries) }
	n := &newton{
		program: d, q: d.start(), u: make([]float64, k),
		direction: entries(), slope: entries(), e: entries(), trial: entries(),
		scale: make([]float64, len(d.cells)), data: make([]float64, k*k),
		right: make([]float64, k), du: make([]float64, k), unit: make([]float64, k),
	}
	n.matrix = mat.NewSymDense(k, n.data)
	return n
}

// sum returns λ + μ of entry k of c.
func (c *cell) sum(u []float64, k int) float64 {
	if c.mu[k] == held {
		return u[c.lambda[k]]
	}
	return u[c.lambda[k]] + u[c.mu[k]]
}

// add adds v to the multipliers of entry k of c.
func (c *cell) add(u []float64, k int, v float64) {
	u[c.lambda[k]] += v
	if c.mu[k] != held {
		u[c.mu[k]] += v
	}
}

// of returns what belongs to c of a vector of entries.
func (c *cell) of(x []float64) []float64 { return x[c.at : c.at+len(c.ys)] }

// slopeTo writes the slope at q into dst.
func (n *newton) slopeTo(dst, q []float64, t float64) {
	for i := range n.cells {
		c := &n.cells[i]
		qs, out, sum := c.of(q), c.of(dst), 0.0
		for _, v := range qs {
			sum += v
		}
		for k, v := range qs {
			out[k] = math.Log(v/sum) - t/v - c.sum(n.u, k)
		}
	}
}

// step takes a Newton step at t and returns the decrement in units of t. With A the
// sums over x2 and over x1, H the second derivative and g the slope,
//
//	(A·H⁻¹·Aᵀ)·du = b − A·q + A·H⁻¹·g,   direction = H⁻¹·(Aᵀ·du − g).
//
// In a cell H is diag(1/q + t/q²) − 1/q(c), whose inverse is with e = q²/(q+t)
//
//	diag e + e·eᵀ/Σ(q·t/(q+t))
//
// without a difference of near numbers. It reports false where rounding has left
// nothing to solve.
func (n *newton) step(t float64) (decrement float64, ok bool) {
	n.slopeTo(n.slope, n.q, t)
	n.equations(t)
	if !n.factorised() {
		return 0, false
	}
	// The first solution and refinements of it, by what the margins of q + direction
	// still miss.
	clear(n.du)
	n.directionTo(n.direction)
	for range 1 + refinements {
		copy(n.right, n.bound)
		for i := range n.cells {
			c := &n.cells[i]
			q, d := c.of(n.q), c.of(n.direction)
			for k := range q {
				c.add(n.right, k, -(q[k] + d[k]))
			}
		}
		if !n.solve() {
			return 0, false
		}
		n.directionTo(n.direction)
	}
	length := 1.0
	for i, v := range n.direction {
		decrement -= n.slope[i] * v
		if v < 0 {
			length = min(length, -stayInside*n.q[i]/v)
		}
	}
	for i, v := range n.du {
		n.u[i] += v
	}
	decrement = max(decrement, 0)
	return math.Sqrt(decrement / t), n.advance(length, t, decrement/4)
}

// directionTo writes H⁻¹·(Aᵀ·du − g) into dst.
func (n *newton) directionTo(dst []float64) {
	for i := range n.cells {
		c := &n.cells[i]
		e, slope, out, along := c.of(n.e), c.of(n.slope), c.of(dst), 0.0
		for k, v := range e {
			out[k] = c.sum(n.du, k) - slope[k]
			along += v * out[k]
		}
		for k, v := range e {
			out[k] = v * (out[k] + n.scale[i]*along)
		}
	}
}

// advance goes along the direction, by at most length, to a place where the function
// does not rise along it by more than steepest. It reports false where there is none
// that differs from q.
func (n *newton) advance(length, t, steepest float64) bool {
	for range 50 {
		for i, v := range n.direction {
			n.trial[i] = n.q[i] + length*v
		}
		n.slopeTo(n.slope, n.trial, t)
		rise := 0.0
		for i, v := range n.direction {
			rise += n.slope[i] * v
		}
		if rise <= steepest {
			n.q, n.trial = n.trial, n.q
			return true
		}
		length /= 2
	}
	return false
}

// equations fills in the inverse of the second derivative, the matrix and the right
// side of a step at t.
func (n *newton) equations(t float64) {
	k := len(n.bound)
	clear(n.data)
	put := func(i, j int, v float64) {
		if i >= 0 && j >= 0 {
			n.data[min(i, j)*k+max(i, j)] += v
		}
	}
	for i := range n.cells {
		c := &n.cells[i]
		e, free := c.of(n.e), 0.0
		for a, q := range c.of(n.q) {
			e[a] = q * (q / (q + t))
			free += q * (t / (q + t))
		}
		scale := 1 / free
		n.scale[i] = scale
		for a, v := range e {
			for b, w := range e {
				h := scale * v * w
				if a == b {
					h += v
				}
				put(c.lambda[a], c.mu[b], h)
				if b >= a {
					put(c.lambda[a], c.lambda[b], h)
					put(c.mu[a], c.mu[b], h)
				}
			}
		}
	}
}

// factorised factorises the matrix. Multipliers that only q near zero see have next to
// nothing on the diagonal: the equations are brought to a diagonal of ones first, and
// a ridge far below that lets the factorisation pass where rounding has eaten the rest.
func (n *newton) factorised() bool {
	k := len(n.bound)
	for i := range n.unit {
		n.unit[i] = 1 / math.Sqrt(n.data[i*k+i])
		if !finite(n.unit[i]) {
			return false
		}
	}
	for i := range k {
		for j := i; j < k; j++ {
			n.data[i*k+j] *= n.unit[i] * n.unit[j]
		}
	}
	for _, ridge := range []float64{0, 1e-15, 1e-13, 1e-11} {
		for i := range k {
			n.data[i*k+i] = 1 + ridge
		}
		if n.factor.Factorize(n.matrix) {
			return true
		}
	}
	return false
}

// solve adds the solution for the right side to du.
func (n *newton) solve() bool {
	k := len(n.bound)
	for i := range n.right {
		n.right[i] *= n.unit[i]
	}
	x := make([]float64, k)
	// An ill-conditioned matrix is an error to gonum and none to us.
	_ = n.factor.SolveVecTo(mat.NewVecDense(k, x), mat.NewVecDense(k, n.right))
	for i := range x {
		n.du[i] += x[i] * n.unit[i]
		if !finite(n.du[i]) {
			return false
		}
	}
	return true
}

// lower returns a lower bound of f: the dual value of λ and μ, of which λ(x1,·) is
// first shifted to where the constraints of the cells of x1 hold and one is tight.
func (d *program) lower(u []float64) float64 {
	value := 0.0
	for i, b := range d.bound {
		value += b * u[i]
	}
	above, mass := make([]float64, d.n1), make([]float64, d.n1)
	for x1 := range above {
		above[x1] = math.Inf(-1)
	}
	for i, b := range d.b1 {
		mass[i/d.ny] += b
	}
	for i := range d.cells {
		c := &d.cells[i]
		top, sum := math.Inf(-1), 0.0
		for k := range c.ys {
			top = max(top, c.sum(u, k))
		}
		for k := range c.ys {
			sum += math.Exp(c.sum(u, k) - top)
		}
		above[c.x1] = max(above[c.x1], top+math.Log(sum))
	}
	for x1, m := range mass {
		if m > 0 {
			value -= m * above[x1]
		}
	}
	return value
}

// upper returns f of a feasible point near q, an upper bound. What the margins of q
// miss by rounding, r1 and r2 with Σ r1 = Σ r2 = r for each y, is made up by
//
//	r1·b2/p(y) + b1·r2/p(y) − r·b1·b2/p(y)²
//
// and as much of the start, b1·b2/p(y), is mixed in as takes every q to at least 0.
func (d *program) upper(q []float64) float64 {
	r1, r2 := slices.Clone(d.b1), slices.Clone(d.b2)
	for i := range d.cells {
		c := &d.cells[i]
		for k, v := range c.of(q) {
			r1[c.x1*d.ny+c.ys[k]] -= v
			r2[c.x2*d.ny+c.ys[k]] -= v
		}
	}
	target, r := make([]float64, d.ny), make([]float64, d.ny)
	for i, b := range d.b1 {
		target[i%d.ny] += b
		r[i%d.ny] += r1[i]
	}
	from, mended, mix := d.start(), make([]float64, len(q)), 0.0
	for i := range d.cells {
		c := &d.cells[i]
		for k, y := range c.ys {
			i1, i2, at := c.x1*d.ny+y, c.x2*d.ny+y, c.at+k
			mended[at] = q[at] + (r1[i1]*d.b2[i2]+d.b1[i1]*r2[i2])/target[y] - r[y]/target[y]*from[at]
			mix = max(mix, -mended[at]/from[at])
		}
	}
	for at := range mended {
		mended[at] = max(0, (mended[at]+mix*from[at])/(1+mix))
	}
	f := 0.0
	for i := range d.cells {
		f -= conditional(d.cells[i].of(mended), len(d.cells[i].ys))
	}
	return f
}
