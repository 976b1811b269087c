package intershap

import (
	"strings"

	"github.com/intershap/intershap/result"
)

// groups returns the modalities with the positions of their players; nil where every
// modality is a player.
func (p *Plan) groups() []result.Grouping {
	var out []result.Grouping
	divided := false
	of := "" // the modality that the player before is a group of
	for i, m := range p.modalities {
		divided = divided || m.Of != ""
		if m.Of != "" && m.Of == of {
			last := &out[len(out)-1]
			last.Players = append(last.Players, i)
			continue
		}
		of = m.Of
		name := m.Of
		if name == "" {
			name = m.Name
		}
		out = append(out, result.Grouping{Modality: name, Players: []int{i}})
	}
	if !divided {
		return nil
	}
	return out
}

// warnAboutGroups says what a run with groups does not tell.
func (p *Plan) warnAboutGroups() {
	var names []string
	for _, g := range p.groups() {
		if len(g.Players) > 1 {
			names = append(names, g.Modality)
		}
	}
	if names == nil {
		return
	}
	p.warnings.Add("groups-not-one-player", "",
		"the players are groups of %s: what a modality does as one player is not the sum of what its groups do, so these shares are not those of a run without groups",
		strings.Join(names, ", "))
}
