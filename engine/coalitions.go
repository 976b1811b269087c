package engine

import (
	"fmt"
	"slices"

	"github.com/intershap/intershap/game"
)

// listed checks the coalitions of the options and returns a copy. It returns nil
// for nil, and for a list of all coalitions in the order of their bits, which is the
// same run.
func listed(m int, coalitions []game.Coalition) ([]game.Coalition, error) {
	if coalitions == nil {
		return nil, nil
	}
	if err := game.CheckCoalitions(m, coalitions); err != nil {
		return nil, fmt.Errorf("engine: coalitions: %w", err)
	}
	if m <= game.MaxPlayers && len(coalitions) == 1<<m && slices.IsSorted(coalitions) {
		return nil, nil
	}
	return slices.Clone(coalitions), nil
}

// Coalitions returns the coalitions that the plan evaluates, in the order of each
// value table; nil for all, in the order of their bits. It must not be changed.
func (p *Plan) Coalitions() []game.Coalition { return p.coalitions }

// width returns the number of coalitions.
func (p *Plan) width() int {
	if p.coalitions == nil {
		return 1 << p.m
	}
	return len(p.coalitions)
}

// coalition returns the coalition at a position of a value table.
func (p *Plan) coalition(position int) game.Coalition {
	if p.coalitions == nil {
		return game.Coalition(position)
	}
	return p.coalitions[position]
}

// firstCombination returns the position of the first coalition whose rows belong to
// one sample each and mix it with the background: after the empty one, unless each
// sample has a v({}) of its own. The last coalition is of the sample alone.
func (p *Plan) firstCombination() int {
	if p.sharedBase {
		return 1
	}
	return 0
}

// combinations counts those coalitions.
func (p *Plan) combinations() int { return p.width() - 1 - p.firstCombination() }

// mixes reports whether there are rows of a part that are neither the sample's nor
// the background's alone, for some coalition.
func (o ownership) mixes() bool {
	return o.players.Size() > 1 || o.fixed && o.players != 0
}

// patternsOf returns, for each part of the model, the coalitions of its own
// modalities for which it has to see rows that mix sample and background, when the
// given coalitions are asked for; nil means all. They ascend. What is the sample's
// alone is none of them, nor what is the background's alone, unless that is not the
// same for all samples. Modalities in still never vary: a pattern that has one is the
// same as that without it, which stands for both.
func (p *Plan) patternsOf(coalitions []game.Coalition, still game.Coalition) [][]game.Coalition {
	st := p.stage
	out := make([][]game.Coalition, len(st.parts))
	for i := range out {
		own, head := st.parts[i].ownership, i == st.last
		whole, base := own.players, own.fixed
		if head {
			// The output of what varies is that of the sample, and nearest rows
			// are the sample's own.
			whole, base = own.players&^still, own.fixed || p.opt.Background.PerSample()
		}
		if own.players == 0 || !own.mixes() && !(head && base) {
			continue
		}
		add := func(s game.Coalition) {
			if s != whole && (s != 0 || base) {
				out[i] = append(out[i], s)
			}
		}
		moving := own.players &^ still
		if coalitions == nil {
			// The subsets of moving, by counting with the bits that it has.
			for s := game.Coalition(0); ; s = (s - moving) & moving {
				add(s)
				if s == moving {
					break
				}
			}
			continue
		}
		for _, s := range coalitions {
			add(s & moving)
		}
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	return out
}

// patternsWithout returns the patterns of the plan where some modalities are still.
// There may be one more of a part than the plan counts: what is all of its modalities
// in every coalition of a list is less when one of them is still.
func (p *Plan) patternsWithout(still game.Coalition) [][]game.Coalition {
	if still == 0 {
		return p.patterns
	}
	return p.patternsOf(p.coalitions, still)
}

// mixedPatterns counts the patterns of all parts.
func (p *Plan) mixedPatterns() int {
	patterns := 0
	for _, of := range p.patterns {
		patterns += len(of)
	}
	return patterns
}
