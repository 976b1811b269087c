package rival

import (
	"fmt"
	"math"
)

var pidCard = Card{
	Name:   ScorePID,
	Title:  "partial information decomposition",
	Source: "Bertschinger, Rauh, Olbrich, Jost and Ay, 2014 (BROJA); for modalities Liang et al., 2023",
	Says:   "what two modalities tell of a target: both alike, one alone, the other alone, only together. Of the labels it describes the data, of the model's predictions the model",
	Unit:   "nats, and bits",
	Range:  "0 to the entropy of the target; the four sum to I(X1,X2;Y)",
	Zero:   "synergy: a target that follows from one modality. Not additive models: a sum that is thresholded has synergy. What samples and bins alone make stands beside it: shuffled targets",
	Labels: "the decomposition for the data; that for predictions needs none",
	Reads:  "the features of both modalities and the target of every sample",
	Beyond: "pairs of modalities, headed pairwise, and one modality with the others joined, headed one against the rest",
	Ours:   true,
}

// Information is a decomposition of I(X1,X2;Y) into four parts, in nats.
type Information struct {
	// Redundancy is what both sources tell, Unique1 and Unique2 what only the
	// first and only the second tells, Synergy what only both together tell.
	Redundancy, Unique1, Unique2, Synergy float64
}

// Bits returns the same in bits.
func (x Information) Bits() Information {
	return Information{x.Redundancy / math.Ln2, x.Unique1 / math.Ln2, x.Unique2 / math.Ln2, x.Synergy / math.Ln2}
}

// parts returns the four numbers in the order of the fields.
func (x Information) parts() [4]float64 {
	return [4]float64{x.Redundancy, x.Unique1, x.Unique2, x.Synergy}
}

// informationOf is the inverse of parts.
func informationOf(p [4]float64) Information { return Information{p[0], p[1], p[2], p[3]} }

// Joint is a joint distribution of two sources and a target, up to a factor: Mass at
// (i*Second+j)*Target+k belongs to x1 = i, x2 = j, y = k.
type Joint struct {
	First, Second, Target int
	Mass                  []float64
}

// CountJoint counts how often values occur together. Values may be any integers;
// they are renumbered in ascending order.
func CountJoint(first, second, target []int) (Joint, error) {
	if len(first) != len(target) || len(second) != len(target) || len(target) == 0 {
		return Joint{}, fmt.Errorf("rival: pid: want as many values of both sources as of the target and at least one, got %d, %d and %d", len(first), len(second), len(target))
	}
	var j Joint
	var x1, x2, y []int
	x1, j.First = dense(first)
	x2, j.Second = dense(second)
	y, j.Target = dense(target)
	j.Mass = make([]float64, j.First*j.Second*j.Target)
	for i := range y {
		j.Mass[(x1[i]*j.Second+x2[i])*j.Target+y[i]]++
	}
	return j, nil
}

// PID is the BROJA decomposition of a joint distribution, in nats.
type PID struct {
	Information
	// First, Second and Both are I(X1;Y), I(X2;Y) and I(X1,X2;Y):
	//
	//	First  = Redundancy + Unique1
	//	Second = Redundancy + Unique2
	//	Both   = Redundancy + Unique1 + Unique2 + Synergy
	First, Second, Both float64
	// Gap bounds the error of each part from the optimisation: the value found less
	// a lower bound that a feasible point of the dual problem proves. It says
	// nothing of the error of the distribution.
	Gap float64
	// Steps is the number of Newton steps taken.
	Steps int
}

// MaxGap is the largest duality gap, in nats, with which a decomposition is handed
// out. Most are below 1e-9; where masses are far apart rounding may leave more.
const MaxGap = 1e-7

// NewPID returns the decomposition of Bertschinger et al. (2014): with q ranging
// over the distributions that agree with p on (x1, y) and on (x2, y),
//
//	U          = min_q I_q(X1,X2;Y)
//	Synergy    = I_p(X1,X2;Y) − U
//	Unique1    = U − I(X2;Y)
//	Unique2    = U − I(X1;Y)
//	Redundancy = I(X1;Y) + I(X2;Y) − U
//
// All four are at least 0. The minimum is a convex problem, solved by an
// interior-point method; it fails if that does not reach [MaxGap], and when masses
// are negative, not finite or all zero. Values without mass are left out. With
// k = (First+Second)·Target a step costs O(k³), and there are 30 to 120.
func NewPID(p Joint) (PID, error) {
	d, err := newProgram(p)
	if err != nil {
		return PID{}, err
	}
	out := PID{First: d.entropyY - conditional(d.b1, d.ny), Second: d.entropyY - conditional(d.b2, d.ny), Both: d.both}
	// Rounding may leave -1e-17 of what cannot be negative.
	out.First, out.Second, out.Both = max(out.First, 0), max(out.Second, 0), max(out.Both, 0)
	solution := d.solve()
	out.Steps, out.Gap = solution.steps, solution.upper-solution.lower
	if !(out.Gap <= MaxGap) { // NaN too
		return PID{}, fmt.Errorf("rival: pid: the duality gap is %g nats after %d steps, want at most %g: merge rare values of the sources or the target", out.Gap, out.Steps, MaxGap)
	}
	out.Gap = max(out.Gap, 0)
	// The minimum is known to lie between these bounds (Bertschinger et al., lemmas
	// 3 to 5); holding the value found to them changes it by less than the gap.
	u := d.entropyY + solution.upper
	u = max(min(u, out.Both, out.First+out.Second), out.First, out.Second)
	out.Information = Information{
		Redundancy: max(out.First+out.Second-u, 0),
		Unique1:    u - out.Second,
		Unique2:    u - out.First,
		Synergy:    max(out.Both-u, 0),
	}
	return out, nil
}

// conditional returns H(Y|X) for the joint distribution b of x and y, ny values of y
// to a row.
func conditional(b []float64, ny int) float64 {
	h := 0.0
	for at := 0; at < len(b); at += ny {
		row, sum := b[at:at+ny], 0.0
		for _, v := range row {
			sum += v
		}
		for _, v := range row {
			h -= timesLog(v, v/sum)
		}
	}
	return h
}

// timesLog returns v·log(x), 0 for v = 0.
func timesLog(v, x float64) float64 {
	if v == 0 {
		return 0
	}
	return v * math.Log(x)
}
