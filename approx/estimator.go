package approx

import (
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// An Estimator estimates an index to some order from the values of a design's
// coalitions. It does not change and may be used by many goroutines, each with its own
// scratch.
type Estimator struct {
	design     *Design
	coalitions []game.Coalition
	// start[s] is the position of the first coalition of s players.
	start []int
	kind  kind
}

// A kind is how a method makes estimates. Scratch is as long as scratch says; draws
// may be nil.
type kind interface {
	scratch() int
	to(dst, draws, values, scratch []float64)
}

// Coalitions returns the coalitions that have a value, the empty one never: by size, and
// those of one size by their bits as a number, as [index.Formula.Coalitions] has them.
func (e *Estimator) Coalitions() []game.Coalition {
	return append([]game.Coalition(nil), e.coalitions...)
}

// Len returns the number of coalitions that have a value.
func (e *Estimator) Len() int { return len(e.coalitions) }

// Design returns the design whose values the estimator takes.
func (e *Estimator) Design() *Design { return e.design }

// Scratch returns memory for [Estimator.To].
func (e *Estimator) Scratch() []float64 { return make([]float64, e.kind.scratch()) }

// To writes the estimates of one game into dst, Len long, and those of each draw into
// draws, [Design.Draws] times Len long, draw after draw, given the values of
// [Design.Coalitions]. draws may be nil where they are not asked for. scratch is that of
// [Estimator.Scratch]; nothing may overlap.
//
// dst is the mean over draws, up to rounding. Its standard error is the standard
// deviation of draws over the root of their number, with Draws − 1 degrees of freedom.
// Draws of stratified methods are spread as the error is, where coalitions are sampled
// without replacement: a draw is no estimate that could stand for itself, and as the
// budget nears 2^n draws come to be one and the same.
//
// Estimates of efficient indices add up to v(all) − v({}), and so do those of each draw:
// what any coalition but {} and all adds to one, it takes from others.
func (e *Estimator) To(dst, draws, values, scratch []float64) {
	d := e.design
	if len(dst) != e.Len() || draws != nil && len(draws) != d.draws*e.Len() || len(values) != d.Len() || len(scratch) < e.kind.scratch() {
		panic("approx: bad dst, draws, values or scratch length")
	}
	e.kind.to(dst, draws, values, scratch[:e.kind.scratch()])
}

// played is an index of a game whose coalitions were all played.
type played struct {
	formula *index.Formula
	n       int
}

func newPlayed(x index.Index, order, n int) (*played, error) {
	f, err := index.New(x, order, n)
	return &played{f, n}, err
}

func (p *played) scratch() int { return 2<<p.n + p.formula.Len() }

func (p *played) to(dst, _, values, scratch []float64) {
	moebius, rest := scratch[:1<<p.n], scratch[1<<p.n:]
	work, out := rest[:1<<p.n], rest[1<<p.n:]
	game.MoebiusTo(moebius, values)
	p.formula.To(out, moebius, work)
	copy(dst, out[len(out)-len(dst):]) // without the empty coalition
}

// center moves draws, each of which is off by something that all share, so that their
// mean is dst.
func center(draws, dst []float64) {
	count := len(draws) / len(dst)
	for i, x := range dst {
		mean := 0.0
		for at := i; at < len(draws); at += len(dst) {
			mean += draws[at]
		}
		mean /= float64(count)
		for at := i; at < len(draws); at += len(dst) {
			draws[at] += x - mean
		}
	}
}
