package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checkPlayers refuses too many players, and a name for two things, as a modality
// "a/b" and the group b of modality a have.
func checkPlayers(specs []string, players []Modality) error {
	if len(specs) == 0 {
		return nil
	}
	met := map[string]bool{}
	for _, p := range players {
		met[p.Of] = true // a part of a model that has all groups is called so
	}
	for _, p := range players {
		if met[p.Name] {
			return &GroupError{
				Reason: fmt.Sprintf("%q is the name of a group and of a modality", p.Name),
				Hint:   "a group's name in the result is MODALITY" + groupSign + "GROUP: rename the group or the modality",
			}
		}
		met[p.Name] = true
	}
	if n := len(players); n > MaxModalities {
		return &GroupError{
			Reason: fmt.Sprintf("%d players, want at most %d", n, MaxModalities),
			Hint:   "make fewer groups of more elements, such as each:4 or grid:2x2",
		}
	}
	return nil
}

// checkCovered refuses a modality of which some elements are in no group.
func (d *divider) checkCovered() error {
	var rest, shown []string
	missing := 0
	for _, i := range d.used {
		for _, owner := range d.owners[i] {
			if owner == nobody {
				missing++
			}
		}
		rest = append(rest, d.items(i, func(owner int) bool { return owner == nobody })...)
	}
	if missing == 0 {
		return nil
	}
	if shown = rest; len(shown) > maxListed {
		shown = shown[:maxListed]
	}
	name := "rest"
	for slices.Contains(d.names, name) {
		name += "2"
	}
	hint := fmt.Sprintf("add a group for what is left: %s,%s:%s", d.spec, name, strings.Join(shown, "+"))
	if len(shown) < len(rest) {
		hint += "+... (a pattern may say all of them)"
	}
	return d.fault(hint, "%s of modality %q in no group: %s", plural(missing, "element"), d.modality.Name, list(rest))
}

// items writes the elements of an input whose owners are wanted in a form that a
// spec takes.
func (d *divider) items(input int, wanted func(owner int) bool) []string {
	owners, in := d.owners[input], d.inputs[input]
	if !slices.ContainsFunc(owners, wanted) {
		return nil
	}
	if len(in.Shape) < 2 || !slices.ContainsFunc(owners, func(owner int) bool { return !wanted(owner) }) && len(d.used) > 1 {
		return []string{in.Name}
	}
	var names []string
	step := d.step(input)
	whole := true // places are wanted whole or not at all
	for e, owner := range owners {
		whole = whole && wanted(owner) == wanted(owners[e/step*step])
	}
	if features := d.features[input]; features != nil && (step == 1 || !whole) {
		for e, owner := range owners {
			if wanted(owner) {
				names = append(names, features[e])
			}
		}
		return names
	}
	for lo := 0; lo < in.Shape[1]; lo++ {
		if !wanted(owners[lo*step]) {
			continue
		}
		hi := lo
		for hi+1 < in.Shape[1] && wanted(owners[(hi+1)*step]) {
			hi++
		}
		switch {
		case len(d.used) > 1:
			names = append(names, fmt.Sprintf("%s[%d:%d]", in.Name, lo, hi+1))
		case lo == hi:
			names = append(names, strconv.Itoa(lo))
		default:
			names = append(names, fmt.Sprintf("%d-%d", lo, hi))
		}
		lo = hi
	}
	return names
}
