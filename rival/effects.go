package rival

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

var effectsCard = Card{
	Name:   ScoreEffects,
	Title:  "alone and last",
	Source: "of no single publication; occlusion: v(i) - v({}) and v(all) - v(all without i)",
	Says:   "what a modality adds to nothing and what it adds to all others, beside its Shapley value, which is between them where effects only add up or only repeat each other",
	Unit:   "that of the explained output",
	Range:  "that of differences of the output",
	Reads:  "the value table of every sample; nothing beyond what InterSHAP has evaluated",
	Beyond: "the same formula",
}

// Effect summarises a number over samples.
type Effect struct {
	// Mean is the mean, MeanAbsolute the mean of absolute values.
	Mean, MeanAbsolute float64
}

// Effects holds for each modality what it adds in three places. Alone and Last are
// equal for every sample where modality i takes part in no interaction; synergy
// makes Last larger, redundancy Alone.
type Effects struct {
	// Alone is v(i) − v({}).
	Alone []Effect
	// Shapley is phi_i.
	Shapley []Effect
	// Last is v(all) − v(all without i).
	Last []Effect
}

// NewEffects summarises the games of t, one a sample. It costs O(n·m·2^m). Partial
// tables are an error.
func NewEffects(t game.Tables) (Effects, error) {
	n, m := t.Len(), t.Players()
	if n == 0 {
		return Effects{}, fmt.Errorf("rival: effects: want the value table of at least one sample")
	}
	if t.Coalitions() != nil {
		return Effects{}, fmt.Errorf("rival: effects: want the values of all coalitions, got those of %d", t.Width())
	}
	out := Effects{make([]Effect, m), make([]Effect, m), make([]Effect, m)}
	moebius, phi := make([]float64, 1<<m), make([]float64, m)
	all := game.Grand(m)
	for r := range n {
		v := t.Game(r)
		game.MoebiusTo(moebius, v)
		index.ShapleyTo(phi, moebius)
		for i := range m {
			out.Alone[i].add(v[1<<i]-v[0], n)
			out.Shapley[i].add(phi[i], n)
			out.Last[i].add(v[all]-v[all.Without(i)], n)
		}
	}
	return out, nil
}

// add adds one of n numbers.
func (e *Effect) add(x float64, n int) {
	e.Mean += x / float64(n)
	e.MeanAbsolute += math.Abs(x) / float64(n)
}
