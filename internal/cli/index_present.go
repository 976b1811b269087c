package cli

import (
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// patternsOf counts samples by the players that they have; nil where all have all.
func patternsOf(present []game.Coalition, players int) map[game.Coalition]int {
	patterns := map[game.Coalition]int{}
	lack := false
	for _, has := range present {
		patterns[has]++
		lack = lack || has.Size() < players
	}
	if !lack {
		return nil
	}
	return patterns
}

// lacks reports whether the sample of a game lacks a player of a coalition.
func (g *games) lacks(at int, s game.Coalition) bool {
	return g.present != nil && s&^g.present[at] != 0
}

// having returns how many samples have all players of a coalition: all of them where the
// file does not say what samples lack.
func (g *games) having(s game.Coalition) int {
	if g.patterns == nil {
		return max(g.averaged, g.tables.Len())
	}
	n := 0
	for has, samples := range g.patterns {
		if s&^has == 0 {
			n += samples
		}
	}
	return n
}

// pool turns the values of the mean game, over all n samples, into means over the n(S)
// that have all players of S. Whoever lacks one of them adds exactly 0 to the sum, since
// a player that changes nothing has no part in any value of every index:
//
//	1/n(S) Σ_{x has S} I_x(S) = n/n(S) · 1/n Σ_x I_x(S)
//
// Where nobody has S the value stays 0.
func (g *games) pool(values []float64, f *index.Formula) {
	if g.patterns == nil {
		return
	}
	n := float64(g.having(0))
	for i, s := range f.Coalitions() {
		if with := g.having(s); with > 0 {
			values[i] *= n / float64(with)
		}
	}
}

// poolSpectrum takes the global shares of pooled values. The local ones need nothing:
// they are means of the shares of single samples.
func (g *games) poolSpectrum(sp *index.Spectrum, f *index.Formula, moebius []float64) {
	if g.patterns == nil || sp.Global == nil {
		return
	}
	n := g.tables.Len()
	mean := make([]float64, 1<<g.players)
	for i, x := range moebius {
		mean[i%len(mean)] += x / float64(n)
	}
	values := make([]float64, f.Len())
	f.AllTo(values, mean, f.Scratch())
	g.pool(values, f)
	shares := make([]float64, f.Order())
	f.SharesTo(shares, values)
	sp.Global = shares
	if g.ids == nil { // one game: its own mean
		sp.Local = shares
	}
}

// valueOrNull returns the value of a coalition in a game; nil where the sample, or every
// sample of a mean, lacks one of its players.
func (v *indexValues) valueOrNull(at int, c placed) *float64 {
	if v.lacks(at, c.coalition) || v.ids == nil && v.having(c.coalition) == 0 {
		return nil
	}
	return &v.values[at*v.formula.Len()+c.position]
}
