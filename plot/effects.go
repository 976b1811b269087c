package plot

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/score"
)

// times stands between the names of a pair.
const times = "×"

// A name is what stands at the head of a row: one part for a modality, two for a pair.
type name []string

func (n name) String() string {
	if len(n) == 2 {
		return n[0] + " " + times + " " + n[1]
	}
	return n[0]
}

// An effect is a modality alone, a pair, or the sum of several of those.
type effect struct {
	class string // "alone", "pair" or "more"
	name  name
	phi   float64
	// se is the standard error of phi, undefined where it is not known.
	se    score.Share
	share wording.Interval
	// unsaid is set for a sum of shares of which some are not clear of their error:
	// it says nothing.
	unsaid bool
}

// shareText writes the share, "" where it says nothing.
func (e effect) shareText() string {
	if e.unsaid {
		return ""
	}
	return e.share.String()
}

// effects returns the effects of the subject: modalities first, then pairs, or all
// pairs as one; within each the largest first. What a sample lacks has none.
func (s *Subject) effects(how Interactions) []effect {
	var alone, pairs []effect
	for i, e := range s.modalityEffects() {
		if !s.lacks.Has(i) {
			alone = append(alone, e)
		}
	}
	at := 0
	for _, e := range s.pairEffects() {
		i, j := pairAt(at, len(s.names))
		if at++; !s.lacks.Has(i) && !s.lacks.Has(j) {
			pairs = append(pairs, e)
		}
	}
	bySize(alone)
	bySize(pairs)
	if how == One && len(pairs) > 0 {
		one := effect{class: "pair", name: name{"interactions"}, share: s.together}
		for _, p := range pairs {
			one.phi += p.phi
		}
		if len(pairs) == 1 {
			one.se = pairs[0].se
		}
		pairs = []effect{one}
	}
	return append(alone, pairs...)
}

// modalityEffects returns the modalities' own effects, in their order.
func (s *Subject) modalityEffects() []effect {
	var out []effect
	for i, n := range s.names {
		e := effect{class: "alone", name: name{n}, phi: s.phi[i][i], share: s.alone[i]}
		if s.se != nil {
			e.se = score.Defined(s.se[i][i])
		}
		out = append(out, e)
	}
	return out
}

// pairEffects returns the pairs' effects, in their order. Both cells of a pair are
// the same number, so the error of their sum is twice that of one.
func (s *Subject) pairEffects() []effect {
	var out []effect
	for i, first := range s.names {
		for j := i + 1; j < len(s.names); j++ {
			e := effect{
				class: "pair", name: name{first, s.names[j]},
				phi: s.phi[i][j] + s.phi[j][i], share: s.pairs[len(out)],
			}
			if s.se != nil {
				e.se = score.Defined(2 * s.se[i][j])
			}
			out = append(out, e)
		}
	}
	return out
}

// pairAt returns the modalities of a pair by its position in (0,1), (0,2), ..., (1,2), ...
func pairAt(at, modalities int) (i, j int) {
	for i = 0; at >= modalities-1-i; i++ {
		at -= modalities - 1 - i
	}
	return i, i + 1 + at
}

// bySize sorts effects, the largest first; of equal ones the first stays first.
func bySize(effects []effect) {
	slices.SortStableFunc(effects, func(a, b effect) int {
		switch x, y := math.Abs(a.phi), math.Abs(b.phi); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
}

// fold keeps at most n effects in their order: the smallest become one, "N more",
// with their sum. n is at least 2.
func fold(effects []effect, n int) []effect {
	if len(effects) <= n {
		return effects
	}
	ranked := slices.Clone(effects)
	bySize(ranked)
	// Equal ones at the limit must not be kept twice.
	least := math.Abs(ranked[n-2].phi)
	ties := 0
	for _, e := range ranked[:n-1] {
		if math.Abs(e.phi) == least {
			ties++
		}
	}
	var kept []effect
	more := effect{class: "more"}
	folded, share, known := 0, 0.0, true
	for _, e := range effects {
		size := math.Abs(e.phi)
		if size > least || size == least && ties > 0 {
			if size == least {
				ties--
			}
			kept = append(kept, e)
			continue
		}
		folded++
		more.phi += e.phi
		x, ok := e.share.Share.Value()
		share += x
		known = known && ok
		more.unsaid = more.unsaid || e.share.OneSided()
	}
	more.name = name{fmt.Sprintf("%d more", folded)}
	if known && !more.unsaid {
		more.share.Share = score.Defined(share)
	}
	return append(kept, more)
}
