package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// checkCovered refuses inputs of which some elements are in a modality and
// some are in none: neither choice for the rest can be guessed.
func (p *modalityParser) checkCovered() error {
	for i, in := range p.inputs {
		taken := p.taken(i)
		if p.isFixed[i] || taken == 0 || taken == len(p.owners[i]) {
			continue
		}
		rest := p.uncovered(i)
		shown := rest
		if len(shown) > maxListed {
			shown = shown[:maxListed]
		}
		hint := "add --modality rest=" + strings.Join(shown, ",")
		if len(rest) > len(shown) {
			hint += ",... (a pattern may say all of them)"
		}
		return &ModalityError{
			Reason: fmt.Sprintf("%s of input %q belong to none: %s", plural(len(p.owners[i])-taken, "element"), in.Name, list(rest)),
			Hint:   hint + fmt.Sprintf("; or name no part of %q and give --fixed %s, if it is no player at all", in.Name, in.Name),
		}
	}
	return nil
}

// uncovered names what is left of an input, in a form that a spec takes:
// columns, or slices of axis 1.
func (p *modalityParser) uncovered(input int) []string {
	var names []string
	if features := p.features[input]; features != nil {
		for e, owner := range p.owners[input] {
			if owner == nobody {
				names = append(names, features[e])
			}
		}
		return names
	}
	// Without columns only slices take parts, so what is left is slices too.
	in := p.inputs[input]
	owners := p.owners[input]
	each := len(owners) / in.Shape[1]
	for lo := 0; lo < in.Shape[1]; {
		hi := lo + 1
		for hi < in.Shape[1] && owners[hi*each] == owners[lo*each] {
			hi++
		}
		if owners[lo*each] == nobody {
			names = append(names, fmt.Sprintf("%s[%d:%d]", in.Name, lo, hi))
		}
		lo = hi
	}
	return names
}

// checkNumber refuses too few and too many modalities. The first named ones
// come from specs.
func (p *modalityParser) checkNumber(named int) error {
	switch unnamed := len(p.names) - named; {
	case len(p.names) == 0:
		return &ModalityError{Reason: "none is left, every input is fixed", Hint: "fix only inputs that are no players"}
	case len(p.names) < minModalities:
		return &ModalityError{
			Reason: fmt.Sprintf("InterSHAP needs at least two modalities, there is one: %q", p.names[0]), Hint: p.proposeSplit(),
		}
	case unnamed > maxUnnamed:
		return &ModalityError{
			Reason: fmt.Sprintf("%d inputs that no --modality names, want at most %d: M modalities have 2^M coalitions", unnamed, maxUnnamed),
			Hint:   p.proposeGroups(p.names[named:]),
		}
	case len(p.names) > maxModalities:
		return &ModalityError{
			Reason: fmt.Sprintf("%d modalities, want at most %d: M modalities have 2^M coalitions", len(p.names), maxModalities),
			Hint:   "put inputs together with --modality NAME=item,item",
		}
	}
	return nil
}

// proposeSplit shows how one input becomes two modalities.
func (p *modalityParser) proposeSplit() string {
	for i, in := range p.inputs {
		switch {
		case p.isFixed[i] || len(p.owners[i]) < minModalities:
		case p.features[i] != nil:
			half := len(p.features[i]) / 2
			return fmt.Sprintf("split an input by its columns: --modality a=%s,... --modality b=%s,...", p.features[i][0], p.features[i][half])
		case in.Shape[1] >= minModalities:
			half := in.Shape[1] / 2
			return fmt.Sprintf("split an input on its axis 1: --modality a=%s[:%d] --modality b=%s[%d:]", in.Name, half, in.Name, half)
		}
	}
	return "unfix an input, or choose a model with more of them"
}

// proposeGroups puts names with the same beginning together.
func (p *modalityParser) proposeGroups(names []string) string {
	var prefixes []string
	size := map[string]int{}
	for _, name := range names {
		at := strings.IndexAny(name, "_.-/:0123456789")
		if at <= 0 {
			continue
		}
		if size[name[:at]] == 0 {
			prefixes = append(prefixes, name[:at])
		}
		size[name[:at]]++
	}
	prefixes = slices.DeleteFunc(prefixes, func(prefix string) bool { return size[prefix] < 2 })
	if len(prefixes) == 0 {
		half := min(len(names)/2, maxListed)
		return fmt.Sprintf("put inputs together, for example --modality first=%s, or leave some out of the game with --fixed", strings.Join(names[:half], ","))
	}
	var flags []string
	for _, prefix := range prefixes[:min(len(prefixes), maxListed)] {
		flags = append(flags, fmt.Sprintf("--modality '%s=%s*'", prefix, prefix))
	}
	return "put inputs together: " + strings.Join(flags, " ")
}
