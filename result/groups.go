package result

import (
	"errors"
	"fmt"
	"math"

	"github.com/intershap/intershap/score"
)

// A Grouping is a modality and the players that it is made of: one where it is a player
// whole, else its groups.
type Grouping struct {
	Modality string `json:"modality"`
	// Players are positions in [Explanation.Modalities].
	Players []int `json:"players"`
}

// Across is the behaviour of a run with groups, by modality: what is interaction
// between modalities, and what is interaction between groups of one.
//
// Let phi be the mean matrix of the players, and w a cell's weight by the convention.
// With sizes |phi| (means of |phi| for the mean absolutes),
//
//	across  = Σ w·|phi_ij| over pairs i, j of different modalities / behaviour
//	within  = Σ w·|phi_ij| over pairs of one modality / behaviour
//
// so that both add up to the InterSHAP of the players, and cross_modal is
// across / (across + within). They are sums over pairs of groups: a modality played as
// one player has other values, see docs/groups.md.
type Across struct {
	Global       AcrossAggregate `json:"global"`
	MeanAbsolute AcrossAggregate `json:"mean_absolute"`
}

// An AcrossAggregate is one aggregation over samples.
type AcrossAggregate struct {
	// InterSHAP is the share of behaviour that is interaction across modalities.
	InterSHAP score.Share `json:"intershap"`
	Low       score.Share `json:"low"`
	High      score.Share `json:"high"`
	// Corrected is as in [Aggregate].
	Corrected score.Share `json:"corrected"`
	// Within is the share of behaviour that is interaction between groups of one
	// modality, and CrossModal the share of all interaction that is across
	// modalities.
	Within     Bounded `json:"within"`
	CrossModal Bounded `json:"cross_modal"`
	// Modalities has an entry for each, in order.
	Modalities []ModalityShare `json:"modalities"`
	// Between has every pair of modalities, in order. Phi is the sum over pairs of
	// their players.
	Between []Pair `json:"between"`
}

// A ModalityShare is what a modality does by itself.
type ModalityShare struct {
	Modality string `json:"modality"`
	// Contribution is what its players do, each alone, and Within what they do in
	// pairs: 0 where there is one.
	Contribution Bounded `json:"contribution"`
	Within       Bounded `json:"within"`
}

// Bounded is a share with its bounds.
type Bounded struct {
	Share score.Share `json:"share"`
	Low   score.Share `json:"low"`
	High  score.Share `json:"high"`
}

// Score returns the corrected score, and InterSHAP where there is none.
func (a *AcrossAggregate) Score() score.Share { return corrected(a.InterSHAP, a.Corrected) }

// Headline returns the aggregation to read first.
func (a *Across) Headline(h Headline) *AcrossAggregate {
	if h == MeanAbsolute {
		return &a.MeanAbsolute
	}
	return &a.Global
}

// GroupParts lists the parts of behaviour that [NewAcross] reads from a summary of
// the players' matrices; none without groups.
func GroupParts(groups []Grouping) []score.Part {
	if groups == nil {
		return nil
	}
	p := newAcrossCells(groups)
	parts := []score.Part{{Cells: p.across}, {Cells: p.within}, {Cells: p.across, Of: p.pairs}}
	for i := range groups {
		parts = append(parts, score.Part{Cells: p.alone[i]}, score.Part{Cells: p.inside[i]})
	}
	for i := range groups {
		for j := i + 1; j < len(groups); j++ {
			parts = append(parts, score.Part{Cells: p.between[[2]int{i, j}]})
		}
	}
	return parts
}

// acrossCells are the positions of cells, by what they are of modalities.
type acrossCells struct {
	across, within, pairs []int
	// alone are the players of each modality, inside its pairs.
	alone, inside [][]int
	between       map[[2]int][]int
}

func newAcrossCells(groups []Grouping) acrossCells {
	p := acrossCells{alone: make([][]int, len(groups)), inside: make([][]int, len(groups)), between: map[[2]int][]int{}}
	of := owners(groups)
	layout := score.Layout{Modalities: len(of)}
	for i := range of {
		p.alone[of[i]] = append(p.alone[of[i]], layout.At(i, i))
		for j := i + 1; j < len(of); j++ {
			at := layout.At(i, j)
			p.pairs = append(p.pairs, at)
			if of[i] == of[j] {
				p.within = append(p.within, at)
				p.inside[of[i]] = append(p.inside[of[i]], at)
				continue
			}
			p.across = append(p.across, at)
			pair := [2]int{min(of[i], of[j]), max(of[i], of[j])}
			p.between[pair] = append(p.between[pair], at)
		}
	}
	return p
}

// owners returns the modality of each player.
func owners(groups []Grouping) []int {
	m := 0
	for _, g := range groups {
		m += len(g.Players)
	}
	of := make([]int, m)
	for i, g := range groups {
		for _, player := range g.Players {
			of[player] = i
		}
	}
	return of
}

// NewAcross reads the behaviour by modality from a summary that was asked for the
// parts of [GroupParts]; nil without groups.
func NewAcross(s *score.Summary, groups []Grouping) *Across {
	if groups == nil {
		return nil
	}
	return &Across{Global: newAcrossAggregate(s.Global, groups), MeanAbsolute: newAcrossAggregate(s.MeanAbsolute, groups)}
}

func newAcrossAggregate(e score.Estimate, groups []Grouping) AcrossAggregate {
	parts := e.Parts
	next := func() Bounded {
		x := parts[0]
		parts = parts[1:]
		return Bounded{x.Share, x.Low, x.High}
	}
	across := next()
	a := AcrossAggregate{InterSHAP: across.Share, Low: across.Low, High: across.High, Corrected: e.Parts[0].Corrected, Within: next(), CrossModal: next(), Between: []Pair{}}
	for _, g := range groups {
		a.Modalities = append(a.Modalities, ModalityShare{Modality: g.Modality, Contribution: next(), Within: next()})
	}
	of := owners(groups)
	phi := map[[2]int]float64{}
	for _, p := range e.Pairs {
		i, j := of[p.I], of[p.J]
		phi[[2]int{min(i, j), max(i, j)}] += p.Phi
	}
	for i := range groups {
		for j := i + 1; j < len(groups); j++ {
			x := next()
			a.Between = append(a.Between, Pair{
				Pair:  [2]string{groups[i].Modality, groups[j].Modality},
				Share: x.Share, Low: x.Low, High: x.High, Phi: phi[[2]int{i, j}],
			})
		}
	}
	return a
}

// checkGroups holds the groups against the players: each is in one modality, in order,
// and some modality has two or more.
func (e *Explanation) checkGroups() error {
	if e.Groups == nil {
		return nil
	}
	next, divided := 0, false
	var names []string
	for i, g := range e.Groups {
		names = append(names, g.Modality)
		divided = divided || len(g.Players) > 1
		if len(g.Players) == 0 {
			return fmt.Errorf("groups[%d].players: want one player or more, got none", i)
		}
		for k, player := range g.Players {
			if player != next {
				return fmt.Errorf("groups[%d].players[%d]: want %d, the next position in modalities, got %d", i, k, next, player)
			}
			next++
		}
	}
	if next != len(e.Modalities) {
		return fmt.Errorf("groups: want all of %d players, got %d", len(e.Modalities), next)
	}
	if !divided {
		return errors.New("groups: want a modality of two or more players, got none; null without groups")
	}
	return checkDistinct("groups", names)
}

// check holds the shares by modality against the groups and the InterSHAP of the
// players.
func (a *Across) check(place string, groups []Grouping, b *Breakdown) error {
	if a == nil {
		if groups == nil {
			return nil
		}
		return fmt.Errorf("%s: want shares by modality, since there are groups, got null", place)
	}
	if groups == nil {
		return fmt.Errorf("%s: want null, since there are no groups", place)
	}
	return errors.Join(
		a.Global.check(place+".global", groups, b.Global.InterSHAP),
		a.MeanAbsolute.check(place+".mean_absolute", groups, b.MeanAbsolute.InterSHAP),
	)
}

func (a *AcrossAggregate) check(place string, groups []Grouping, players score.Share) error {
	faults := []error{
		checkInterval(place+".intershap", a.InterSHAP, place, a.Low, a.High), checkShare(place+".corrected", a.Corrected),
		a.Within.check(place + ".within"),
		a.CrossModal.check(place + ".cross_modal"),
	}
	across, ok1 := a.InterSHAP.Value()
	within, ok2 := a.Within.Share.Value()
	all, ok3 := players.Value()
	if ok1 && ok2 && ok3 && !(math.Abs(across+within-all) <= phiRounding) {
		faults = append(faults, fmt.Errorf("%s: want intershap and within that add up to the players' intershap, %v, got %v", place, all, across+within))
	}
	if len(a.Modalities) != len(groups) {
		return errors.Join(append(faults, fmt.Errorf("%s.modalities: want %d, one for each modality, got %d", place, len(groups), len(a.Modalities)))...)
	}
	for i, m := range a.Modalities {
		at := fmt.Sprintf("%s.modalities[%d]", place, i)
		if m.Modality != groups[i].Modality {
			faults = append(faults, fmt.Errorf("%s.modality: want %q, got %q", at, groups[i].Modality, m.Modality))
		}
		faults = append(faults, m.Contribution.check(at+".contribution"), m.Within.check(at+".within"))
	}
	at := 0
	for i := range groups {
		for j := i + 1; j < len(groups); j++ {
			if want := [2]string{groups[i].Modality, groups[j].Modality}; at >= len(a.Between) || a.Between[at].Pair != want {
				return errors.Join(append(faults, fmt.Errorf("%s.between[%d]: want the pair %q", place, at, want))...)
			}
			p := a.Between[at]
			where := fmt.Sprintf("%s.between[%d]", place, at)
			faults = append(faults, checkInterval(where+".share", p.Share, where, p.Low, p.High))
			at++
		}
	}
	if len(a.Between) != at {
		faults = append(faults, fmt.Errorf("%s.between: want %d pairs of modalities, got %d", place, at, len(a.Between)))
	}
	return errors.Join(faults...)
}

func (x Bounded) check(place string) error {
	return checkInterval(place+".share", x.Share, place, x.Low, x.High)
}
